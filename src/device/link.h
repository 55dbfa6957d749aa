/* SPDX-License-Identifier: Apache-2.0 */
/* The direct path: adb's transport protocol over a link, without a server. */
#ifndef GH_DEVICE_LINK_H
#define GH_DEVICE_LINK_H

#include "device/phone.h"

/* What carries the packets. Both calls are all or nothing; each packet's header and its data are one call each, since they are
 * transfers of their own on USB. */
struct gh_link {
	enum gh_code (*read)(struct gh_link *self, void *buf, size_t n, const struct gh_pace *pace, struct gh_err *err);
	enum gh_code (*write)(
		struct gh_link *self, const void *p, size_t n, const struct gh_pace *pace, struct gh_err *err);
	void (*close)(struct gh_link *self); /* frees it */
};

/* Over a socket, which it closes: an emulator, and the tests. NULL without memory. */
struct gh_link *gh_link_fd(int fd);
/* To an adbd that listens on this machine's loopback. */
struct gh_link *gh_link_tcp(uint16_t port, struct gh_err *err);

/* Phones on the cable with an adb interface; their serials. */
enum gh_code gh_usb_devices(struct gh_device ret[GH_DEVICES_MAX], size_t *ret_n, struct gh_err *err) GH_MUST;
struct gh_link *gh_link_usb(const char *serial, struct gh_err *err);

/* The key that the phone is asked to trust. */
struct gh_key;
/* Reads the key file, or makes a key and writes it (mode 0600) where there is none. */
struct gh_key *gh_key_load(const char *path, struct gh_err *err);
/* gifthorse's own: $XDG_STATE_HOME/gifthorse/adbkey, else ~/.local/state/…; its folders are made. false: no such place. */
bool gh_key_path(char *ret, size_t cap);
void gh_key_free(struct gh_key *key);
enum { GH_TOKEN_LEN = 20, GH_SIGNATURE_LEN = 256, GH_PUBLIC_MAX = 800 };
/* PKCS#1 v1.5 over the token as if it were a SHA-1 digest. */
bool gh_key_sign(struct gh_key *key, const uint8_t token[GH_TOKEN_LEN], uint8_t ret[GH_SIGNATURE_LEN]);
/* The public half as adbd reads it: base64 of its words, a blank and a name; a zero ends it. Length with the zero, or 0. */
size_t gh_key_public(struct gh_key *key, char ret[GH_PUBLIC_MAX]);

/* Called once when the phone waits for its owner's tap. */
struct gh_greeting {
	void (*asked)(void *to);
	void *to;
	int tap_ms; /* how long to wait for it */
};

/* Connects and proves the key; takes the link, also on failure. NULL and *err. The phone's features are set. */
struct gh_transport *gh_transport_new(struct gh_link *link, struct gh_key *key, const struct gh_greeting *greeting,
	struct gh_phone *phone, struct gh_err *err);
void gh_transport_free(struct gh_transport *t);
enum gh_code gh_transport_open(
	struct gh_transport *t, const char *service, struct gh_stream **ret, struct gh_err *err) GH_MUST;

#endif
