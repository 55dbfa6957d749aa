/* SPDX-License-Identifier: Apache-2.0 */
/* adb's transport protocol (AOSP: packages/modules/adb, protocol.txt): packets of a 24-byte header and data. The host says CNXN; the
 * phone asks for a signature (AUTH) until it knows the key; each service is a stream with a number on both sides (OPEN, OKAY, WRTE,
 * CLSE), and every WRTE waits for its OKAY. One stream is open at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "cursor/cursor.h"
#include "device/link.h"

enum {
	CNXN = 0x4e584e43,
	AUTH = 0x48545541,
	OPEN = 0x4e45504f,
	OKAY = 0x59414b4f,
	CLSE = 0x45534c43,
	WRTE = 0x45545257,
	STLS = 0x534c5453,
	VERSION_OLD = 0x01000000, /* with sums over the data */
	VERSION = 0x01000001,
	DATA_MAX = 1 << 20, /* what current adbd sends at most, and what is announced */
	HEADER = 24,
	TOKEN = 1, /* kinds of AUTH */
	SIGNATURE = 2,
	PUBLIC = 3,
	STRAY_MAX = 1000, /* packets in a row that concern nothing that is open */
};

static const char banner[] = "host::features=shell_v2,cmd,stat_v2,ls_v2";

struct packet {
	uint32_t command, arg0, arg1, len;
	uint8_t *data; /* the transport's buffer */
};

struct gh_transport {
	struct gh_link *link;
	struct gh_pace pace;
	uint32_t version, max; /* of the other side */
	uint32_t last; /* number of the newest stream */
	uint8_t buf[DATA_MAX];
};

struct service {
	struct gh_stream base;
	struct gh_transport *t;
	uint32_t local, remote;
	size_t at, n; /* of the transport's buffer: data that nobody took yet */
	bool ended; /* by the phone */
	bool credit; /* it said OKAY to the last that was written */
};

static uint32_t sum_of(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += p[i];
	return sum;
}

static enum gh_code put_packet(struct gh_transport *t, uint32_t command, uint32_t arg0, uint32_t arg1, const void *data,
	uint32_t n, struct gh_err *err)
{
	uint8_t head[HEADER];
	uint32_t field[] = {command, arg0, arg1, n, t->version < VERSION ? sum_of(data, n) : 0, ~command};
	for (size_t i = 0; i < HEADER; i++)
		head[i] = (uint8_t)(field[i / 4] >> 8 * (i % 4));
	enum gh_code code = t->link->write(t->link, head, HEADER, &t->pace, err);
	return code || !n ? code : t->link->write(t->link, data, n, &t->pace, err);
}

static enum gh_code get_packet(struct gh_transport *t, struct packet *ret, struct gh_err *err)
{
	uint8_t head[HEADER];
	enum gh_code code = t->link->read(t->link, head, HEADER, &t->pace, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(head, HEADER, 0);
	uint32_t command = gh_u32(&c), arg0 = gh_u32(&c), arg1 = gh_u32(&c), n = gh_u32(&c), sum = gh_u32(&c);
	if (gh_u32(&c) != ~command)
		return gh_fail(err, GH_BAD, 0, "a packet without its magic number");
	if (n > DATA_MAX)
		return gh_fail(err, GH_LIMIT, 0, "a packet of %u bytes", n);
	if (n && (code = t->link->read(t->link, t->buf, n, &t->pace, err)))
		return code;
	if (t->version < VERSION && sum != sum_of(t->buf, n))
		return gh_fail(err, GH_BAD, 0, "a packet with a wrong sum");
	*ret = (struct packet){command, arg0, arg1, n, t->buf};
	return GH_OK;
}

/* ---- connecting ---- */

static enum gh_code answer_auth(struct gh_transport *t, struct gh_key *key, const struct packet *p,
	const struct gh_greeting *greeting, unsigned *round, struct gh_err *err)
{
	uint8_t signature[GH_SIGNATURE_LEN];
	char public[GH_PUBLIC_MAX];
	if (p->arg0 != TOKEN || p->len != GH_TOKEN_LEN)
		return gh_fail(err, GH_BAD, 0, "the phone asks for a proof of a kind that adb does not have");
	if ((*round)++ == 0) {
		if (!gh_key_sign(key, p->data, signature))
			return gh_fail(err, GH_NOMEM, 0, "the key cannot sign");
		return put_packet(t, AUTH, SIGNATURE, 0, signature, sizeof signature, err);
	}
	if (*round > 2)
		return gh_fail(err, GH_UNSUP, 0, "the phone was asked and does not accept the key");
	uint32_t n = (uint32_t)gh_key_public(key, public);
	if (!n)
		return gh_fail(err, GH_NOMEM, 0, "no public key");
	t->pace.idle_ms = greeting->tap_ms;
	if (greeting->asked)
		greeting->asked(greeting->to);
	return put_packet(t, AUTH, PUBLIC, 0, public, n, err);
}

/* "device::name=value;…;features=a,b" */
static unsigned banner_features(struct gh_str said)
{
	for (size_t i = 0; i + 9 <= said.n; i++)
		if (memcmp(said.p + i, "features=", 9) == 0) {
			struct gh_str list = gh_strn(said.p + i + 9, said.n - i - 9);
			const char *end = memchr(list.p, ';', list.n);
			return gh_phone_features(end ? gh_strn(list.p, (size_t)(end - list.p)) : list);
		}
	return 0;
}

static enum gh_code greet(struct gh_transport *t, struct gh_key *key, const struct gh_greeting *greeting,
	struct gh_phone *phone, struct gh_err *err)
{
	enum gh_code code = put_packet(t, CNXN, VERSION, DATA_MAX, banner, sizeof banner - 1, err);
	for (unsigned round = 0, strays = 0; code == GH_OK;) {
		struct packet p = {0};
		if ((code = get_packet(t, &p, err)))
			return code;
		if (p.command == CNXN) {
			t->version = p.arg0 < VERSION ? VERSION_OLD : VERSION;
			t->max = (uint32_t)gh_min(p.arg1, DATA_MAX);
			phone->features = banner_features(gh_strn(p.data, p.len));
			return t->max >= GH_TOKEN_LEN ? GH_OK : gh_fail(err, GH_BAD, 0, "packets of %u bytes", t->max);
		}
		if (p.command == AUTH)
			code = answer_auth(t, key, &p, greeting, &round, err);
		else if (p.command == STLS)
			code = gh_fail(err, GH_UNSUP, 0, "this phone wants TLS here: use an adb server");
		else if (++strays > STRAY_MAX)
			code = gh_fail(err, GH_BAD, 0, "the phone speaks of everything but of connecting");
	}
	return code;
}

struct gh_transport *gh_transport_new(struct gh_link *link, struct gh_key *key, const struct gh_greeting *greeting,
	struct gh_phone *phone, struct gh_err *err)
{
	struct gh_transport *t = calloc(1, sizeof *t);
	if (!t) {
		gh_fail(err, GH_NOMEM, 0, "no memory");
		link->close(link);
		return NULL;
	}
	t->link = link;
	t->pace = phone->pace;
	t->version = VERSION_OLD;
	if (greet(t, key, greeting, phone, err)) {
		gh_transport_free(t);
		return NULL;
	}
	t->pace = phone->pace;
	return t;
}

void gh_transport_free(struct gh_transport *t)
{
	if (t)
		t->link->close(t->link);
	free(t);
}

/* ---- streams ---- */

/* The next packet of this stream; others are answered or dropped. */
static enum gh_code next_of(struct service *s, struct packet *ret, struct gh_err *err)
{
	for (unsigned strays = 0; strays < STRAY_MAX; strays++) {
		enum gh_code code = get_packet(s->t, ret, err);
		if (code)
			return code;
		if (ret->command == CNXN)
			return gh_fail(err, GH_IO, 0, "the phone connected anew");
		if (ret->arg1 == s->local && (ret->command == OKAY || ret->command == WRTE || ret->command == CLSE))
			return GH_OK;
	}
	return gh_fail(err, GH_BAD, 0, "packets for streams that are not open");
}

/* Takes one packet in; data stays in the transport's buffer until it is taken. */
static enum gh_code take_in(struct service *s, struct gh_err *err)
{
	struct packet p = {0};
	enum gh_code code = next_of(s, &p, err);
	if (code)
		return code;
	if (p.command == CLSE)
		s->ended = true;
	else if (p.command == OKAY && !s->remote)
		s->remote = p.arg0;
	if (p.command == OKAY)
		s->credit = true;
	if (p.command != WRTE)
		return GH_OK;
	if (p.arg0 != s->remote)
		return gh_fail(err, GH_BAD, 0, "data of another stream");
	s->at = 0;
	s->n = p.len;
	return put_packet(s->t, OKAY, s->local, s->remote, NULL, 0, err);
}

static enum gh_code service_some(struct gh_stream *self, void *buf, size_t cap, size_t *ret_n, struct gh_err *err)
{
	struct service *s = (struct service *)self;
	for (unsigned empty = 0; s->at == s->n && !s->ended; empty++) {
		enum gh_code code =
			empty < STRAY_MAX ? take_in(s, err) : gh_fail(err, GH_BAD, 0, "packets that say nothing");
		if (code)
			return code;
	}
	*ret_n = (size_t)gh_min(cap, s->n - s->at);
	memcpy(buf, s->t->buf + s->at, *ret_n);
	s->at += *ret_n;
	return GH_OK;
}

static enum gh_code service_put(struct gh_stream *self, const void *p, size_t n, struct gh_err *err)
{
	struct service *s = (struct service *)self;
	for (const uint8_t *b = p; n;) {
		/* What is written while data waits would have to make room for it: callers read to the end first. */
		if (s->at != s->n)
			return gh_fail(err, GH_BAD, 0, "the phone answers before it was asked");
		uint32_t part = (uint32_t)gh_min(n, s->t->max);
		s->credit = false;
		enum gh_code code = put_packet(s->t, WRTE, s->local, s->remote, b, part, err);
		while (code == GH_OK && !s->credit && !s->ended && s->at == s->n)
			code = take_in(s, err);
		if (code)
			return code;
		if (s->ended)
			return gh_fail(err, GH_SHORT, 0, "the phone ended the stream");
		b += part;
		n -= part;
	}
	return GH_OK;
}

static void service_close(struct gh_stream *self)
{
	struct service *s = (struct service *)self;
	struct gh_err ignored = {0};
	if (s->remote && !s->ended)
		(void)!put_packet(s->t, CLSE, s->local, s->remote, NULL, 0, &ignored);
	free(s);
}

enum gh_code gh_transport_open(struct gh_transport *t, const char *service, struct gh_stream **ret, struct gh_err *err)
{
	struct service *s = calloc(1, sizeof *s);
	if (!s)
		return gh_fail(err, GH_NOMEM, 0, "no memory");
	*s = (struct service){{service_some, service_put, service_close}, .t = t, .local = ++t->last};
	size_t n = strlen(service) + 1;
	enum gh_code code = n <= t->max ? put_packet(t, OPEN, s->local, 0, service, (uint32_t)n, err)
					: gh_fail(err, GH_LIMIT, 0, "a request of %zu bytes", n);
	while (code == GH_OK && !s->remote && !s->ended)
		code = take_in(s, err);
	if (code == GH_OK && !s->remote)
		code = gh_fail(err, GH_UNSUP, 0, "the phone does not offer that");
	if (code) {
		free(s);
		return code;
	}
	*ret = &s->base;
	return GH_OK;
}
