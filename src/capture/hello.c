/* SPDX-License-Identifier: Apache-2.0 */
/* ClientHello and ServerHello: TLS 1.0 to 1.3 (RFC 2246, 5246, 8446), extensions of RFC 6066, 7301, 8422, 9001 and of Encrypted Client
 * Hello (draft-ietf-tls-esni). */
#include "capture/hello.h"

#include "base/num.h"

enum {
	X_SNI = 0,
	X_GROUPS = 10,
	X_POINTS = 11,
	X_SIGNATURES = 13,
	X_ALPN = 16,
	X_SCT = 18,
	X_PSK = 41,
	X_EARLY = 42,
	X_VERSIONS = 43,
	X_SHARE = 51,
	X_ECH = 0xfe0d,
	X_ESNI = 0xffce,
};

bool gh_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void add(struct gh_list *l, uint16_t v)
{
	if (l->n < GH_LIST)
		l->v[l->n++] = v;
	else
		l->more = true;
}

static void u16_list(struct gh_cursor c, struct gh_list *ret)
{
	while (gh_left(&c) >= 2)
		add(ret, gh_u16be(&c));
}

static struct gh_str bytes(struct gh_cursor *c, size_t n)
{
	const uint8_t *p = gh_bytes(c, n);
	return p ? gh_strn(p, n) : GH_NONE;
}

static void server_name(struct gh_cursor c, struct gh_hello *h)
{
	h->sni_there = true;
	struct gh_cursor list = gh_sub(&c, gh_u16be(&c));
	while (!list.bad && gh_left(&list) >= 3) {
		uint8_t type = gh_u8(&list);
		struct gh_str name = bytes(&list, gh_u16be(&list));
		if (!type && name.p && !h->sni.p)
			h->sni = name;
	}
}

static void key_shares(struct gh_cursor c, struct gh_hello *h)
{
	if (!h->client) {
		h->group = gh_u16be(&c);
		return;
	}
	struct gh_cursor list = gh_sub(&c, gh_u16be(&c));
	while (!list.bad && gh_left(&list) >= 4) {
		add(&h->shares, gh_u16be(&list));
		gh_skip(&list, gh_u16be(&list));
	}
}

static void versions(struct gh_cursor c, struct gh_hello *h)
{
	if (!h->client) {
		h->version = gh_u16be(&c);
		return;
	}
	u16_list(gh_sub(&c, gh_u8(&c)), &h->versions);
	uint16_t best = 0;
	for (unsigned i = 0; i < h->versions.n; i++)
		if (!gh_grease(h->versions.v[i]) && h->versions.v[i] > best)
			best = h->versions.v[i];
	if (best)
		h->version = best;
}

static void extension(struct gh_hello *h, uint16_t type, struct gh_cursor c)
{
	switch (type) {
	case X_SNI:
		server_name(c, h);
		return;
	case X_GROUPS:
		u16_list(gh_sub(&c, gh_u16be(&c)), &h->groups);
		return;
	case X_POINTS:
		h->points = bytes(&c, gh_u8(&c));
		return;
	case X_SIGNATURES:
		u16_list(gh_sub(&c, gh_u16be(&c)), &h->signatures);
		return;
	case X_ALPN:
		h->alpn = bytes(&c, gh_u16be(&c));
		return;
	case X_SCT:
		h->sct = gh_left(&c) > 0;
		return;
	case X_PSK:
		h->psk = true;
		return;
	case X_EARLY:
		h->early = true;
		return;
	case X_VERSIONS:
		versions(c, h);
		return;
	case X_SHARE:
		key_shares(c, h);
		return;
	case X_ECH:
	case X_ESNI:
		h->ech = true;
	}
}

static void extensions(struct gh_cursor *c, struct gh_hello *h)
{
	if (gh_left(c) < 2)
		return;
	uint16_t n = gh_u16be(c);
	struct gh_cursor all = gh_sub(c, gh_min(n, gh_left(c)));
	while (!all.bad && gh_left(&all) >= 4) {
		uint16_t type = gh_u16be(&all);
		struct gh_cursor body = gh_sub(&all, gh_u16be(&all));
		if (all.bad)
			return;
		add(&h->extensions, type);
		extension(h, type, body);
	}
}

static void head(struct gh_cursor *c, struct gh_hello *h)
{
	h->legacy = h->version = gh_u16be(c);
	const uint8_t *random = gh_bytes(c, 32);
	if (random)
		memcpy(h->random, random, 32);
	h->session = bytes(c, gh_u8(c));
}

bool gh_hello_client(struct gh_cursor c, struct gh_hello *ret)
{
	bool quic = ret->quic;
	*ret = (struct gh_hello){.client = true, .quic = quic};
	head(&c, ret);
	u16_list(gh_sub(&c, gh_u16be(&c)), &ret->ciphers);
	gh_skip(&c, gh_u8(&c));
	if (c.bad)
		return false;
	extensions(&c, ret);
	return true;
}

bool gh_hello_server(struct gh_cursor c, struct gh_hello *ret)
{
	/* SHA-256 of "HelloRetryRequest" (RFC 8446, 4.1.3) */
	static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e,
		0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
		0x33, 0x9c};
	bool quic = ret->quic;
	*ret = (struct gh_hello){.quic = quic};
	head(&c, ret);
	ret->cipher = gh_u16be(&c);
	gh_skip(&c, 1);
	if (c.bad)
		return false;
	ret->retry = memcmp(ret->random, retry, 32) == 0;
	extensions(&c, ret);
	return true;
}

size_t gh_hello_alpn(struct gh_str list, char *out, size_t cap)
{
	struct gh_cursor c = gh_cursor(list.p ? list.p : "", list.p ? list.n : 0, 0);
	size_t n = 0;
	while (gh_left(&c)) {
		uint8_t len = gh_u8(&c);
		const uint8_t *p = gh_bytes(&c, len);
		if (!p || n + len + 2u > cap)
			break;
		if (n)
			out[n++] = ',';
		memcpy(out + n, p, len);
		n += len;
	}
	return n;
}

void gh_hello_emit(struct gh_traffic *t, const struct gh_here *h, const struct gh_hello *l)
{
	char ja3[33], ja4[GH_JA4], alpn[256];
	struct gh_str list = gh_strn(alpn, gh_hello_alpn(l->alpn, alpn, sizeof alpn));
	const char *transport = l->quic ? "quic" : "tcp";
	ja3[0] = 0;
	if (!l->ssl2)
		gh_hello_ja3(t, l, ja3);
	if (!list.n)
		list = GH_NONE;
	if (!l->client) {
		GH_EMIT(t->ctx, tls_servers, h->pkt->at, .flow = (int64_t)h->flow->row,
			.packet = (int64_t)h->pkt->number, .transport = gh_str(transport), .legacy = l->legacy,
			.version = l->version, .cipher = l->cipher, .grp = l->group ? l->group : GH_NULL, .alpn = list,
			.ja3s = gh_str(ja3), .retry = l->retry);
		return;
	}
	ja4[0] = 0;
	if (!l->ssl2)
		gh_hello_ja4(t, l, ja4);
	if (!h->dir)
		gh_flow_name(h->flow, l->sni, l->quic ? "quic sni" : l->ech ? "ech outer sni" : "sni");
	GH_EMIT(t->ctx, tls_clients, h->pkt->at, .flow = (int64_t)h->flow->row, .packet = (int64_t)h->pkt->number,
		.us = h->pkt->us, .transport = gh_str(transport), .legacy = l->legacy, .version = l->version,
		.sni = l->sni, .alpn = list, .ciphers = l->ciphers.n, .extensions = l->extensions.n, .ech = l->ech,
		.early = l->early, .ja3 = gh_str(ja3[0] ? ja3 : NULL), .ja4 = gh_str(ja4[0] ? ja4 : NULL));
}
