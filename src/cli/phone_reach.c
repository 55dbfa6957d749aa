/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the phone: by the local adb server, which is started where Debian's adb is there, else on the cable. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/phone.h"
#include "device/link.h"

enum {
	IDLE_MS = 60000, /* dumpsys may think for half a minute */
	AGAIN_SECONDS = 15, /* for a phone that was there a moment ago */
	POLL_MS = 500,
};

static bool stopped(const struct gh_reach *r)
{
	return r->stop && *r->stop;
}

static void nap(void)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
	nanosleep(&t, NULL);
}

static void list(const struct gh_device *d, size_t n)
{
	char serial[4 * GH_SERIAL_MAX], state[4 * sizeof d->state];
	for (size_t i = 0; i < n; i++) {
		gh_escape(serial, sizeof serial, gh_str(d[i].serial));
		gh_escape(state, sizeof state, gh_str(d[i].state));
		fprintf(stderr, "  %s  (%s)\n", serial, state);
	}
}

/* The one that is meant, or NULL; GH_UNSUP when it must be named. */
static enum gh_code choose(
	const struct gh_reach *r, const struct gh_device *d, size_t n, const struct gh_device **ret, struct gh_err *err)
{
	*ret = NULL;
	for (size_t i = 0; i < n; i++)
		if (!r->serial || strcmp(d[i].serial, r->serial) == 0) {
			if (*ret) {
				fprintf(stderr, "%zu phones are connected:\n", n);
				list(d, n);
				return gh_fail(err, GH_UNSUP, 0, "say which one: gifthorse phone --serial SERIAL");
			}
			*ret = &d[i];
		}
	return GH_OK;
}

/* What the user can do about a phone in that state. */
static const char *advice(const char *state)
{
	return strcmp(state, "unauthorized") == 0
		       ? "waiting for the phone's owner: unlock it and tap \"Allow\" below \"Allow USB debugging?\""
	       : strcmp(state, "authorizing") == 0 ? "the phone and this computer agree on a key"
	       : strcmp(state, "offline") == 0
		       ? "the phone is there and does not answer: unlock it, or pull the cable and put it in again"
	       : strcmp(state, "no permissions") == 0 || strcmp(state, "no") == 0 || strcmp(state, "no rights") == 0
		       ? "this user may not use the USB device: apt-get install android-sdk-platform-tools-common, and "
			 "put the cable in again"
	       : strcmp(state, "recovery") == 0 || strcmp(state, "sideload") == 0 || strcmp(state, "rescue") == 0
		       ? "the phone is in its recovery mode: start it as usual"
		       : "the phone is in a state that does not answer questions";
}

/* Waits until the server's phone is ready. */
static enum gh_code wait_ready(struct gh_reach *r, uint64_t seconds, struct gh_err *err)
{
	struct gh_device d[GH_DEVICES_MAX];
	char told[sizeof d->state] = "";
	for (uint64_t ms = 0;; ms += POLL_MS) {
		size_t n;
		const struct gh_device *one;
		enum gh_code code = gh_server_devices(r->phone.port, &r->phone.pace, d, &n, err);
		if (code == GH_OK)
			code = choose(r, d, n, &one, err);
		if (code)
			return code;
		const char *state = one ? one->state : "none";
		if (one && strcmp(state, "device") == 0) {
			memcpy(r->phone.serial, one->serial, sizeof r->phone.serial);
			return GH_OK;
		}
		if (strcmp(told, state) != 0)
			fprintf(stderr, "gifthorse: %s\n",
				one ? advice(state)
				    : "waiting for a phone: connect it by USB; Settings, About phone, tap \"Build "
				      "number\" "
				      "seven times; then System, Developer options, USB debugging");
		memcpy(told, state, strlen(state) + 1);
		if (stopped(r))
			return gh_fail(err, GH_END, 0, "stopped");
		if (ms >= seconds * 1000)
			return gh_fail(
				err, GH_IO, 0, "no phone is ready after %llu seconds", (unsigned long long)seconds);
		nap();
	}
}

static enum gh_code by_server(struct gh_reach *r, uint64_t seconds, struct gh_err *err)
{
	enum gh_code code = wait_ready(r, seconds, err);
	if (code == GH_OK)
		code = gh_server_features(&r->phone, err);
	snprintf(r->words, sizeof r->words, "by the adb server at port %u", r->phone.port);
	return code;
}

/* ---- without a server ---- */

static void asked(void *to)
{
	(void)to;
	fprintf(stderr, "gifthorse: %s\n", advice("unauthorized"));
}

static struct gh_link *usb_link(struct gh_reach *r, uint64_t seconds, struct gh_err *err)
{
	static struct gh_device d[GH_DEVICES_MAX];
	for (uint64_t ms = 0;; ms += POLL_MS) {
		size_t n;
		const struct gh_device *one;
		if (gh_usb_devices(d, &n, err) || choose(r, d, n, &one, err))
			return NULL;
		if (one && strcmp(one->state, "device") == 0) {
			memcpy(r->phone.serial, one->serial, sizeof r->phone.serial);
			return gh_link_usb(one->serial, err);
		}
		if (!ms)
			fprintf(stderr, "gifthorse: %s\n",
				one ? advice(one->state) : "waiting for a phone on the USB cable");
		if (stopped(r) || ms >= seconds * 1000) {
			gh_fail(err, stopped(r) ? GH_END : GH_IO, 0, "no phone on the USB cable");
			return NULL;
		}
		nap();
	}
}

static enum gh_code directly(struct gh_reach *r, uint64_t seconds, struct gh_err *err)
{
	char path[4096];
	struct gh_greeting greeting = {.asked = asked, .tap_ms = (int)(r->wait * 1000)};
	if (!gh_key_path(path, sizeof path))
		return gh_fail(err, GH_IO, 0, "no place for the key: set XDG_STATE_HOME or HOME");
	struct gh_key *key = gh_key_load(path, err);
	if (!key)
		return err->code;
	struct gh_link *link = r->way == GH_WAY_TCP ? gh_link_tcp(r->port, err) : usb_link(r, seconds, err);
	if (link && r->way == GH_WAY_TCP)
		snprintf(r->phone.serial, sizeof r->phone.serial, "127.0.0.1:%u", r->port);
	r->phone.transport = link ? gh_transport_new(link, key, &greeting, &r->phone, err) : NULL;
	gh_key_free(key);
	snprintf(r->words, sizeof r->words, "%s, without an adb server",
		r->way == GH_WAY_TCP ? "over the loopback of this machine" : "on the USB cable");
	return r->phone.transport ? GH_OK : err->code;
}

enum gh_code gh_reach(struct gh_reach *r, struct gh_err *err)
{
	r->phone.pace = (struct gh_pace){r->stop, IDLE_MS};
	r->phone.port = gh_server_port();
	bool there = r->way == GH_WAY_TCP || r->way == GH_WAY_USB ? false : gh_server_there(r->phone.port);
	if (!there && (r->way == GH_WAY_AUTO || r->way == GH_WAY_SERVER)) {
		fprintf(stderr, "gifthorse: no adb server is running; starting Debian's (adb start-server)\n");
		there = gh_server_start() && gh_server_there(r->phone.port);
	}
	if (!there && r->way == GH_WAY_SERVER)
		return gh_fail(err, GH_IO, 0, "no adb server at port %u; apt-get install adb", r->phone.port);
	return there ? by_server(r, r->wait, err) : directly(r, r->wait, err);
}

bool gh_reach_again(void *to, struct gh_phone *phone)
{
	struct gh_reach *r = to;
	struct gh_err err = {0};
	char serial[GH_SERIAL_MAX];
	memcpy(serial, phone->serial, sizeof serial);
	const char *asked_for = r->serial;
	bool direct = phone->transport;
	r->serial = r->way == GH_WAY_TCP ? NULL : serial;
	gh_transport_free(phone->transport);
	phone->transport = NULL;
	uint64_t seconds = gh_min(r->wait, AGAIN_SECONDS);
	enum gh_code code = direct ? directly(r, seconds, &err) : by_server(r, seconds, &err);
	r->serial = asked_for;
	return code == GH_OK;
}

void gh_reach_done(struct gh_reach *r)
{
	gh_transport_free(r->phone.transport);
	r->phone.transport = NULL;
}
