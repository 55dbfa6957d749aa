/* SPDX-License-Identifier: Apache-2.0 */
/* TLS records and handshakes (SSL 3.0, RFC 2246, 4346, 5246, 8446; the SSL 2.0 form of a ClientHello). What keys of a key log open is read
 * on; without them a TLS 1.3 handshake shows two messages and the rest is told as not visible. */
#include "capture/tls.h"

#include <stdio.h>

#include "base/num.h"

enum {
	RECORD_MAX = 16384 + 2048 + 5,
	MESSAGES_MAX = 128 << 10, /* of a handshake: chains of certificates have up to 30 KiB */
	R_CCS = 20,
	R_ALERT = 21,
	R_HANDSHAKE = 22,
	R_DATA = 23,
	H_CLIENT = 1,
	H_SERVER = 2,
	H_ENCRYPTED = 8,
	H_CERT = 11,
	H_SERVER_KEY = 12,
	H_CERT_REQUEST = 13,
	H_FINISHED = 20,
	H_KEY_UPDATE = 24,
	TLS13 = 0x0304,
};

static bool is_record(const uint8_t *p, size_t n)
{
	return n >= 3 && p[0] >= R_CCS && p[0] <= R_DATA && p[1] == 3 && p[2] <= 4;
}

/* The two-byte header and first fields of an SSL 2.0 ClientHello that offers SSL 3.0 or later. */
static bool is_ssl2(const uint8_t *p, size_t n)
{
	return n >= 11 && p[0] & 0x80 && p[2] == 1 && p[3] == 3 && p[4] <= 3 && (p[5] | p[6]) && p[8] % 3 == 0;
}

bool gh_tls_begins(const uint8_t *p, size_t n)
{
	if (!is_record(p, n) || n < 6)
		return is_ssl2(p, n);
	switch (p[0]) {
	case R_HANDSHAKE:
		return p[5] == H_CLIENT || p[5] == H_SERVER;
	case R_ALERT:
		return p[3] == 0 && p[4] == 2;
	case R_DATA: /* a capture that was begun in the middle */
		return p[2] >= 1 && (p[3] << 8 | p[4]) <= RECORD_MAX - 5 && (p[3] | p[4]);
	}
	return false;
}

static void client_hello(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct gh_cursor c, bool quic)
{
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct gh_hello *l = gh_alloc(t->ctx->arena, sizeof *l);
	if (l) {
		l->quic = quic;
		if (gh_hello_client(c, l)) {
			gh_hello_emit(t, h, l);
			memcpy(s->client_random, l->random, 32);
			s->client_seen = true;
			s->offered = l->version;
			s->ech = l->ech;
			s->client_packet = h->pkt->number;
			s->session_n = (uint8_t)gh_min(l->session.p ? l->session.n : 0, sizeof s->session);
			if (s->session_n)
				memcpy(s->session, l->session.p, s->session_n);
		} else
			t->count.bad++;
	}
	gh_arena_release(t->ctx->arena, mark);
}

/* Keys for the handshake of TLS 1.3, or for all of an earlier version. */
static void find_keys(struct gh_traffic *t, struct gh_tls *s)
{
	static const char *const labels[2] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"};
	uint8_t n;
	if (s->version == TLS13) {
		for (unsigned dir = 0; dir < 2; dir++) {
			const uint8_t *secret = gh_keylog_find(t, s->client_random, labels[dir], &n);
			if (secret)
				s->keys[dir].on = gh_keys_13(&s->keys[dir], s->cipher, secret, n);
		}
		return;
	}
	const uint8_t *master = gh_keylog_find(t, s->client_random, "CLIENT_RANDOM", &n);
	if (master)
		(void)!gh_keys_12(s, master, n);
}

static void server_hello(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct gh_cursor c, bool quic)
{
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct gh_hello *l = gh_alloc(t->ctx->arena, sizeof *l);
	if (l) {
		l->quic = quic;
		if (!gh_hello_server(c, l))
			t->count.bad++;
		else {
			gh_hello_emit(t, h, l);
			if (!l->retry) {
				s->server_seen = true;
				memcpy(s->server_random, l->random, 32);
				s->version = l->version;
				s->cipher = l->cipher;
				s->group = l->group;
				s->sct |= l->sct;
				s->server_packet = h->pkt->number;
				s->resumed = l->version != TLS13 && s->session_n && l->session.n == s->session_n &&
					     memcmp(l->session.p, s->session, s->session_n) == 0;
				s->alpn[gh_hello_alpn(l->alpn, s->alpn, sizeof s->alpn - 1)] = 0;
				if (!quic)
					find_keys(t, s);
			}
		}
	}
	gh_arena_release(t->ctx->arena, mark);
}

/* The group of an ephemeral key exchange, or the size of its prime (RFC 8422, 5246). */
static void server_key(struct gh_tls *s, struct gh_cursor c)
{
	if (s->group || s->dh_bits)
		return;
	struct gh_cursor dh = c;
	if (gh_u8(&c) == 3) {
		uint16_t group = gh_u16be(&c);
		if (!c.bad && group && group < 0x0200) {
			s->group = group;
			return;
		}
	}
	uint16_t n = gh_u16be(&dh);
	const uint8_t *p = gh_bytes(&dh, n);
	for (; p && n && !*p; p++)
		n--;
	if (p && n >= 32)
		s->dh_bits = (uint16_t)(n * 8);
}

static void finished(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s)
{
	static const char *const labels[2] = {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"};
	uint8_t n;
	s->finished[h->dir] = true;
	if (s->version != TLS13 || !s->keys[h->dir].on)
		return;
	const uint8_t *secret = gh_keylog_find(t, s->client_random, labels[h->dir], &n);
	s->keys[h->dir].on = secret && gh_keys_13(&s->keys[h->dir], s->cipher, secret, n);
}

static void encrypted_extensions(struct gh_tls *s, struct gh_cursor c)
{
	struct gh_cursor all = gh_sub(&c, gh_u16be(&c));
	while (!all.bad && gh_left(&all) >= 4) {
		uint16_t type = gh_u16be(&all);
		struct gh_cursor body = gh_sub(&all, gh_u16be(&all));
		if (type == 16 && !all.bad) {
			uint16_t n = gh_u16be(&body);
			const uint8_t *p = gh_bytes(&body, n);
			s->alpn[p ? gh_hello_alpn(gh_strn(p, n), s->alpn, sizeof s->alpn - 1) : 0] = 0;
		}
	}
}

static void message(
	struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, uint8_t type, struct gh_cursor c, bool quic)
{
	switch (type) {
	case H_CLIENT:
		client_hello(t, h, s, c, quic);
		return;
	case H_SERVER:
		server_hello(t, h, s, c, quic);
		return;
	case H_ENCRYPTED:
		encrypted_extensions(s, c);
		return;
	case H_CERT:
		if (h->dir || quic)
			gh_certs_message(t, h, s, c, s->version == TLS13);
		else
			s->client_cert |= gh_left(&c) > 3;
		return;
	case H_SERVER_KEY:
		server_key(s, c);
		return;
	case H_FINISHED:
		finished(t, h, s);
		return;
	case H_KEY_UPDATE:
		s->keys[h->dir].on &= gh_keys_update(&s->keys[h->dir], s->cipher);
	}
}

/* Whole messages at the front of what was gathered. false: this is no handshake. */
static bool messages(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, bool quic)
{
	struct gh_buf *b = &s->hs[h->dir];
	size_t done = 0;
	while (b->n - done >= 4) {
		struct gh_cursor c = gh_cursor(b->p + done, b->n - done, h->pkt->at);
		uint8_t type = gh_u8(&c);
		uint32_t n = (uint32_t)gh_u8(&c) << 16;
		n |= gh_u16be(&c);
		if (type > 30 && type != 254)
			return false;
		if (n > MESSAGES_MAX - 4)
			return false;
		if (gh_left(&c) < n)
			break;
		message(t, h, s, type, gh_sub(&c, n), quic);
		done += n + 4u;
		if (!gh_step(t, 1 + n / 64))
			return false;
	}
	gh_buf_drop(b, done);
	return true;
}

void gh_tls_handshake(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n)
{
	if (s->dead[h->dir])
		return;
	if (!gh_buf_add(&t->pool, &s->hs[h->dir], p, n, MESSAGES_MAX) || !messages(t, h, s, true))
		s->dead[h->dir] = true;
}

static void alert(
	struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n, bool plain)
{
	if (n != 2 || p[0] < 1 || p[0] > 2)
		return;
	if (!s->alert[h->dir]) {
		s->alert[h->dir] = p[0] << 8 | p[1];
		s->alert_packet = h->pkt->number;
	}
	const struct gh_dir *d = &h->flow->dir[h->dir];
	unsigned ttl = h->ip->ttl, far = !d->ttl ? 0 : ttl < d->ttl ? d->ttl - ttl : ttl - d->ttl;
	if (plain && p[0] == 2 && ttl && far > 3) {
		char text[160];
		snprintf(text, sizeof text, "fatal alert %u with time to live %u; this side's first packet had %u",
			p[1], ttl, d->ttl);
		gh_odd(t, h, "tls_alert_odd", 60, gh_str(text));
	}
}

/* A handshake record that cannot be plain text: behind ChangeCipherSpec only a hello is (RFC 8446, D.4: the second one). */
static bool looks_sealed(const struct gh_tls *s, unsigned dir, const uint8_t *p, size_t n)
{
	if (!s->ccs[dir])
		return false;
	struct gh_cursor c = gh_cursor(p, n, 0);
	uint8_t type = gh_u8(&c);
	uint32_t len = (uint32_t)gh_u8(&c) << 16;
	len |= gh_u16be(&c);
	return !((type == H_CLIENT || type == H_SERVER) && len + 4 == n);
}

static void data(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n)
{
	if (!s->inner && !(s->inner = gh_pool_zero(&t->pool, sizeof *s->inner)))
		return;
	/* The flow's own protocols stand still while what is inside is read as if it were the flow. */
	struct gh_app *outer = h->flow->app;
	const char *protocol = h->flow->protocol;
	h->flow->app = s->inner;
	h->flow->inside = true;
	gh_app_data(t, h, p, n);
	h->flow->inside = false;
	s->inner = h->flow->app;
	h->flow->app = outer;
	h->flow->protocol = protocol;
}

static void plain_record(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, uint8_t type,
	const uint8_t *p, size_t n, bool opened)
{
	switch (type) {
	case R_ALERT:
		alert(t, h, s, p, n, !opened);
		return;
	case R_HANDSHAKE:
		if (!gh_buf_add(&t->pool, &s->hs[h->dir], p, n, MESSAGES_MAX) || !messages(t, h, s, false))
			s->dead[h->dir] = !opened;
		return;
	case R_DATA:
		if (opened)
			data(t, h, s, p, n);
	}
}

static void sealed_record(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, uint8_t type,
	uint16_t version, const uint8_t *p, size_t n)
{
	struct gh_keys *k = &s->keys[h->dir];
	bool v13 = s->version == TLS13;
	s->app[h->dir] |= type == R_DATA;
	if (!k->on) {
		s->dead[h->dir] = s->app[h->dir]; /* nothing more can be learnt, so nothing more is gathered */
		gh_buf_free(&t->pool, &s->hs[h->dir]);
		return;
	}
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	uint8_t *out = gh_alloc_raw(t->ctx->arena, n + 16);
	int len = out ? gh_keys_open(k, v13, type, version, p, n, out) : -1;
	if (len < 0)
		s->dead[h->dir] = ++k->failed > 4; /* early data and records of another epoch do not fit */
	else {
		t->count.decrypted += (uint64_t)len;
		if (v13) {
			while (len && !out[len - 1])
				len--;
			type = len ? out[--len] : 0;
		}
		plain_record(t, h, s, type, out, (size_t)len, true);
	}
	gh_arena_release(t->ctx->arena, mark);
}

static void record(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n)
{
	uint8_t type = p[0];
	unsigned dir = h->dir;
	bool v13 = s->server_seen && s->version == TLS13;
	uint16_t version = (uint16_t)(p[1] << 8 | p[2]);
	p += 5;
	n -= 5;
	if (type == R_CCS) {
		s->ccs[dir] = true;
		return;
	}
	if (type == R_HANDSHAKE && !s->sealed[dir])
		s->sealed[dir] = looks_sealed(s, dir, p, n);
	if (type == R_ALERT && s->ccs[dir] && !v13)
		s->sealed[dir] = true;
	if (type == R_DATA)
		s->sealed[dir] = true;
	if (s->sealed[dir])
		sealed_record(t, h, s, type, version, p, n);
	else
		plain_record(t, h, s, type, p, n, false);
}

/* An SSL 2.0 ClientHello is told as the versions and ciphers it offers; it has no extensions. */
static size_t ssl2_hello(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, h->pkt->at);
	size_t len = gh_u16be(&c) & 0x7fffu;
	struct gh_cursor b = gh_sub(&c, len);
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct gh_hello *l = gh_alloc(t->ctx->arena, sizeof *l);
	gh_skip(&b, 1);
	if (c.bad)
		return 0;
	if (l) {
		l->client = l->ssl2 = true;
		l->legacy = l->version = gh_u16be(&b);
		uint16_t specs = gh_u16be(&b);
		gh_skip(&b, 4);
		for (unsigned i = 0; i + 3 <= specs && !b.bad; i += 3) {
			uint8_t first = gh_u8(&b);
			uint16_t cipher = gh_u16be(&b);
			if (!first && l->ciphers.n < GH_LIST)
				l->ciphers.v[l->ciphers.n++] = cipher;
		}
		gh_hello_emit(t, h, l);
		s->client_seen = true;
		s->offered = l->version;
	}
	gh_arena_release(t->ctx->arena, mark);
	return len + 2;
}

static struct gh_tls *tls_of(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_app *a = f->app;
	if (!a->tls) {
		a->tls = gh_pool_zero(&t->pool, sizeof *a->tls);
		if (a->tls)
			a->tls->at = f->first_at;
	}
	return a->tls;
}

/* Records at the front of p; returns how many bytes they are. */
static size_t records(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (!s->dead[h->dir]) {
		if (!i && !s->client_seen && !h->dir && is_ssl2(p, n)) {
			size_t len = ssl2_hello(t, h, s, p, n);
			if (!len)
				break;
			i += len;
			continue;
		}
		if (n - i < 5)
			break;
		size_t len = 5u + (size_t)(p[i + 3] << 8 | p[i + 4]);
		if (!is_record(p + i, n - i) || len > RECORD_MAX || !gh_step(t, 1)) {
			s->dead[h->dir] = true;
			break;
		}
		if (n - i < len)
			break;
		record(t, h, s, p + i, len);
		i += len;
	}
	return i;
}

void gh_tls_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_tls *s = tls_of(t, h->flow);
	if (!s || s->dead[h->dir])
		return;
	struct gh_buf *b = &s->rec[h->dir];
	if (!b->n) {
		size_t used = records(t, h, s, p, n);
		p += used;
		n -= used;
	}
	if (!s->dead[h->dir] && n) {
		if (!gh_buf_add(&t->pool, b, p, n, RECORD_MAX + n))
			s->dead[h->dir] = true;
		else
			gh_buf_drop(b, records(t, h, s, b->p, b->n));
	}
	if (s->dead[h->dir] || !b->n)
		gh_buf_free(&t->pool, b);
}

void gh_tls_gap(struct gh_traffic *t, const struct gh_here *h)
{
	struct gh_tls *s = tls_of(t, h->flow);
	if (!s)
		return;
	s->dead[h->dir] = true; /* where the next record begins is not known any more */
	gh_buf_free(&t->pool, &s->rec[h->dir]);
	gh_buf_free(&t->pool, &s->hs[h->dir]);
}

static void emit(struct gh_traffic *t, struct gh_flow *f, const struct gh_tls *s)
{
	bool hidden = s->server_seen && !s->chain[0] && (s->version == TLS13 || s->resumed);
	GH_EMIT(t->ctx, tls_sessions, s->at, .flow = (int64_t)f->row,
		.packet = (int64_t)(s->server_packet ? s->server_packet : s->client_packet),
		.offered = s->client_seen ? s->offered : GH_NULL, .version = s->server_seen ? s->version : GH_NULL,
		.cipher = s->server_seen ? s->cipher : GH_NULL, .grp = s->group ? s->group : GH_NULL,
		.dh_bits = s->dh_bits ? s->dh_bits : GH_NULL, .alpn = s->alpn[0] ? gh_str(s->alpn) : GH_NONE,
		.resumed = s->resumed, .ech = s->ech, .client_cert = s->client_cert, .app_data = s->app[0] || s->app[1],
		.chain = gh_str(s->chain[0] ? s->chain
				: hidden    ? "not_visible"
					    : NULL),
		.why = s->why[0] ? gh_str(s->why) : GH_NONE, .issuer = s->issuer[0] ? gh_str(s->issuer) : GH_NONE,
		.sct = s->cert_seen ? s->sct : GH_NULL, .alert_client = s->alert[0] ? s->alert[0] & 255 : GH_NULL,
		.alert_server = s->alert[1] ? s->alert[1] & 255 : GH_NULL);
}

void gh_tls_end(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_tls *s = f->app ? f->app->tls : NULL;
	if (!s)
		return;
	f->app->tls = NULL;
	if (s->client_seen || s->server_seen)
		emit(t, f, s);
	if (s->inner) {
		struct gh_app *outer = f->app;
		f->app = s->inner;
		f->inside = true;
		gh_app_end(t, f);
		f->inside = false;
		f->app = outer;
	}
	for (unsigned dir = 0; dir < 2; dir++) {
		gh_buf_free(&t->pool, &s->rec[dir]);
		gh_buf_free(&t->pool, &s->hs[dir]);
	}
	gh_pool_put(&t->pool, s, sizeof *s);
}
