/* SPDX-License-Identifier: Apache-2.0 */
/* QUIC (RFC 8999, 9000, 9001; version 2 of RFC 9369; draft 29): Initial packets are opened with the keys that everybody on the way can
 * compute, and their ClientHello is read; Handshake packets where a key log has their secrets. Later packets stay closed. */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/num.h"
#include "capture/tls.h"

enum {
	V1 = 0x00000001,
	V2 = 0x6b3343cf,
	DRAFT29 = 0xff00001d,
	CID_MAX = 20,
	CRYPTO_MAX = 16 << 10, /* of a direction: a ClientHello with post-quantum shares has 2 KiB */
	PIECES = 64,
	PACKETS = 8, /* QUIC packets in one datagram */
	SAMPLE = 16,
	TAG = 16,
};

struct crypto {
	struct gh_buf buf;
	uint32_t fed; /* handed to TLS so far */
	unsigned n;
	struct {
		uint32_t from, to;
	} piece[PIECES];
};

struct side {
	enum gh_aead kind;
	uint8_t key[32], iv[12], hp[32];
};

struct gh_quic {
	bool keyed;
	struct side side[2]; /* of Initial packets; 0: the client's */
	struct side later[2]; /* of Handshake packets; kind GH_NO_AEAD: no secret */
	struct crypto crypto[2], more[2];
	struct gh_tls *tls;
	uint64_t opened, refused;
};

struct head {
	uint32_t version;
	uint8_t first;
	bool initial;
	struct gh_str dcid, scid;
	size_t pn_at, end; /* of the packet number, of the packet */
};

static uint64_t varint(struct gh_cursor *c)
{
	uint8_t first = gh_u8(c);
	unsigned more = (1u << (first >> 6)) - 1;
	uint64_t v = first & 0x3f;
	for (unsigned i = 0; i < more; i++)
		v = v << 8 | gh_u8(c);
	return v;
}

static bool known(uint32_t version)
{
	return version == V1 || version == V2 || (version >= DRAFT29 && version <= 0xff000022);
}

static bool side_keys(struct side *s, uint32_t version, enum gh_aead kind, bool sha384, const uint8_t *secret, size_t n)
{
	bool two = version == V2;
	size_t key_n = kind == GH_AES128_GCM ? 16 : 32;
	s->kind = kind;
	return gh_expand_label(sha384, secret, n, two ? "quicv2 key" : "quic key", s->key, key_n) &&
	       gh_expand_label(sha384, secret, n, two ? "quicv2 iv" : "quic iv", s->iv, 12) &&
	       gh_expand_label(sha384, secret, n, two ? "quicv2 hp" : "quic hp", s->hp, key_n);
}

/* Keys of the Handshake packets, once the ServerHello has said which suite. */
static void later_keys(const struct gh_traffic *t, struct gh_quic *q, uint32_t version)
{
	static const char *const labels[2] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"};
	for (unsigned i = 0; i < 2; i++) {
		uint8_t n;
		uint16_t cipher = q->tls->cipher;
		const uint8_t *secret = gh_keylog_find(t, q->tls->client_random, labels[i], &n);
		if (!secret || q->later[i].kind || cipher < 0x1301 || cipher > 0x1303 ||
			n != (cipher == 0x1302 ? 48 : 32))
			continue;
		enum gh_aead kind = cipher == 0x1301 ? GH_AES128_GCM : cipher == 0x1302 ? GH_AES256_GCM : GH_CHACHA20;
		if (!side_keys(&q->later[i], version, kind, cipher == 0x1302, secret, n))
			q->later[i].kind = GH_NO_AEAD;
	}
}

static bool initial_keys(struct gh_quic *q, uint32_t version, const uint8_t *dcid, uint8_t n)
{
	static const uint8_t salt1[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4,
		0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
	static const uint8_t salt2[] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e,
		0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
	static const uint8_t salt29[] = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c,
		0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
	const uint8_t *salt = version == V1 || version >= 0xff000021 ? salt1 : version == V2 ? salt2 : salt29;
	uint8_t initial[32], secret[32];
	bool ok = gh_hkdf_extract(salt, 20, dcid, n, initial);
	for (unsigned i = 0; i < 2 && ok; i++) {
		ok = gh_expand_label(false, initial, 32, i ? "server in" : "client in", secret, 32) &&
		     side_keys(&q->side[i], version, GH_AES128_GCM, false, secret, 32);
	}
	return ok;
}

/* A long header with everything in front of the packet number; false: neither an Initial nor a Handshake packet. */
static bool long_head(struct gh_cursor *c, struct head *ret)
{
	size_t from = c->i;
	ret->first = gh_u8(c);
	ret->version = gh_u32be(c);
	uint8_t dn = gh_u8(c);
	ret->dcid = gh_strn(gh_bytes(c, dn), dn);
	uint8_t sn = gh_u8(c);
	ret->scid = gh_strn(gh_bytes(c, sn), sn);
	if (c->bad || dn > CID_MAX || sn > CID_MAX || !known(ret->version))
		return false;
	unsigned type = ret->first >> 4 & 3;
	if (ret->version == V2) /* the same kinds, each one further */
		type = (type + 3) & 3;
	if (type == 3) /* Retry */
		return false;
	ret->initial = !type;
	if (ret->initial)
		gh_skip(c, varint(c));
	uint64_t len = varint(c);
	ret->pn_at = c->i - from;
	if (c->bad || len > gh_left(c) || len < 4 + SAMPLE)
		return false;
	ret->end = ret->pn_at + (size_t)len;
	gh_skip(c, len);
	return ret->initial || type == 2;
}

static bool header_mask(const struct side *s, const uint8_t *sample, uint8_t mask[48])
{
	static const uint8_t zeros[SAMPLE];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool chacha = s->kind == GH_CHACHA20;
	const EVP_CIPHER *cipher = chacha                     ? EVP_chacha20()
				   : s->kind == GH_AES256_GCM ? EVP_aes_256_ecb()
							      : EVP_aes_128_ecb();
	bool ok = c && EVP_EncryptInit_ex(c, cipher, NULL, s->hp, chacha ? sample : NULL) &&
		  EVP_EncryptUpdate(c, mask, &n, chacha ? zeros : sample, SAMPLE) && n == SAMPLE;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

/* Opens an Initial in p[0..head->end) with one side's keys into out; the length, or -1. head is copied, since it is unmasked. */
static int open_packet(const struct side *s, const struct head *head, const uint8_t *p, uint8_t *copy, uint8_t *out)
{
	uint8_t mask[48], nonce[12];
	if (head->pn_at + 4 + SAMPLE > head->end || !header_mask(s, p + head->pn_at + 4, mask))
		return -1;
	memcpy(copy, p, head->pn_at + 4);
	copy[0] ^= mask[0] & 15;
	unsigned n = (copy[0] & 3u) + 1;
	uint32_t number = 0;
	for (unsigned i = 0; i < n; i++) {
		copy[head->pn_at + i] ^= mask[1 + i];
		number = number << 8 | copy[head->pn_at + i];
	}
	memcpy(nonce, s->iv, 12);
	for (unsigned i = 0; i < 4; i++)
		nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
	size_t aad = head->pn_at + n;
	return gh_aead_open(s->kind, s->key, nonce, copy, aad, p + aad, head->end - aad, out);
}

static bool crypto_put(struct gh_traffic *t, struct crypto *k, uint64_t off, const uint8_t *p, size_t n)
{
	static const uint8_t zeros[512];
	if (off > CRYPTO_MAX || n > CRYPTO_MAX - off || k->n == PIECES)
		return false;
	while (k->buf.n < off + n)
		if (!gh_buf_add(&t->pool, &k->buf, zeros, gh_min(sizeof zeros, off + n - k->buf.n), CRYPTO_MAX))
			return false;
	memcpy(k->buf.p + off, p, n);
	k->piece[k->n].from = (uint32_t)off;
	k->piece[k->n++].to = (uint32_t)(off + n);
	return true;
}

/* How far the stream is known without a hole. */
static uint32_t crypto_whole(const struct crypto *k)
{
	uint32_t to = k->fed;
	for (unsigned round = 0; round < k->n; round++)
		for (unsigned i = 0; i < k->n; i++)
			if (k->piece[i].from <= to && k->piece[i].to > to)
				to = k->piece[i].to;
	return to;
}

/* Frames of an Initial (RFC 9000, 17.2.2): PADDING, PING, ACK, CRYPTO, CONNECTION_CLOSE. */
static void frames(struct gh_traffic *t, struct crypto *k, const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	while (!c.bad && gh_left(&c) && gh_step(t, 1)) {
		uint64_t type = varint(&c);
		if (type <= 1)
			continue;
		if (type == 6) {
			uint64_t off = varint(&c), len = varint(&c);
			const uint8_t *data = len <= gh_left(&c) ? gh_bytes(&c, (size_t)len) : NULL;
			if (!data || !crypto_put(t, k, off, data, (size_t)len))
				return;
			continue;
		}
		if (type != 2 && type != 3)
			return;
		(void)varint(&c);
		(void)varint(&c);
		uint64_t ranges = varint(&c);
		(void)varint(&c);
		for (uint64_t i = 0; i < ranges && !c.bad && gh_step(t, 1); i++) {
			(void)varint(&c);
			(void)varint(&c);
		}
		for (unsigned i = 0; type == 3 && i < 3; i++)
			(void)varint(&c);
	}
}

static void handshake(struct gh_traffic *t, const struct gh_here *h, struct gh_quic *q, struct crypto *k, unsigned side)
{
	uint32_t to = crypto_whole(k);
	if (to <= k->fed || (!q->tls && !(q->tls = gh_pool_zero(&t->pool, sizeof *q->tls))))
		return;
	struct gh_here of = *h;
	of.dir = side;
	q->tls->at = h->flow->first_at;
	gh_tls_handshake(t, &of, q->tls, k->buf.p + k->fed, to - k->fed);
	k->fed = to;
	if (to == k->buf.n && (side ? q->tls->server_seen : q->tls->client_seen) && !q->tls->hs[side].n)
		gh_buf_free(&t->pool, &q->tls->hs[side]);
}

/* Tries the side that the direction suggests, then the other: who began is not always known. */
static bool initial(
	struct gh_traffic *t, const struct gh_here *h, struct gh_quic *q, const struct head *head, const uint8_t *p)
{
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	uint8_t *out = gh_alloc_raw(t->ctx->arena, head->end), *copy = gh_alloc_raw(t->ctx->arena, head->end);
	int n = -1;
	unsigned side = h->dir;
	if (out && copy && gh_step(t, head->end / 16)) {
		if (q->keyed)
			for (unsigned i = 0; i < 2 && n < 0; i++) {
				side = i ? !h->dir : h->dir;
				n = open_packet(&q->side[side], head, p, copy, out);
			}
		/* Another connection in the same flow, or the first one: keys come from the client's first destination id. */
		struct side before[2] = {q->side[0], q->side[1]};
		if (n < 0 && head->dcid.n &&
			initial_keys(q, head->version, (const uint8_t *)head->dcid.p, (uint8_t)head->dcid.n)) {
			side = 0;
			n = open_packet(&q->side[0], head, p, copy, out);
			if (n >= 0) {
				gh_buf_free(&t->pool, &q->crypto[0].buf);
				gh_buf_free(&t->pool, &q->crypto[1].buf);
				memset(q->crypto, 0, sizeof q->crypto);
				if (q->tls)
					gh_buf_drop(&q->tls->hs[0], q->tls->hs[0].n);
			}
			if (n < 0)
				memcpy(q->side, before, sizeof before);
			q->keyed = n >= 0 || q->keyed;
		}
	}
	if (n >= 0) {
		q->opened++;
		frames(t, &q->crypto[side], out, (size_t)n);
		handshake(t, h, q, &q->crypto[side], side);
		if (q->tls && q->tls->server_seen)
			later_keys(t, q, head->version);
	} else
		q->refused++;
	gh_arena_release(t->ctx->arena, mark);
	return n >= 0;
}

/* A Handshake packet, of the direction's side. */
static void later(
	struct gh_traffic *t, const struct gh_here *h, struct gh_quic *q, const struct head *head, const uint8_t *p)
{
	const struct side *s = &q->later[h->dir];
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	uint8_t *out = gh_alloc_raw(t->ctx->arena, head->end), *copy = gh_alloc_raw(t->ctx->arena, head->end);
	if (s->kind && q->tls && out && copy && gh_step(t, head->end / 16)) {
		int n = open_packet(s, head, p, copy, out);
		if (n >= 0) {
			t->count.decrypted += (uint64_t)n;
			frames(t, &q->more[h->dir], out, (size_t)n);
			handshake(t, h, q, &q->more[h->dir], h->dir);
		}
	}
	gh_arena_release(t->ctx->arena, mark);
}

static struct gh_quic *quic_of(struct gh_traffic *t, struct gh_flow *f)
{
	if (!f->app && !(f->app = gh_pool_zero(&t->pool, sizeof *f->app)))
		return NULL;
	if (!f->app->quic)
		f->app->quic = gh_pool_zero(&t->pool, sizeof *f->app->quic);
	return f->app->quic;
}

bool gh_quic_datagram(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, h->pkt->at), v = c;
	bool is = h->flow->app && h->flow->app->speaks == GH_QUIC;
	gh_skip(&v, 1);
	if (!(p[0] & 0x80) || n < 7 || !known(gh_u32be(&v)))
		return is;
	struct gh_quic *q = quic_of(t, h->flow);
	if (!q)
		return true;
	for (unsigned i = 0; i < PACKETS && gh_left(&c) > 20 && c.p[c.i] & 0x80; i++) {
		struct head head = {0};
		size_t from = c.i;
		bool take = long_head(&c, &head);
		if (c.bad || c.i == from)
			break;
		if (take && !head.initial)
			later(t, h, q, &head, p + from);
		else if (take && initial(t, h, q, &head, p + from)) {
			h->flow->app->speaks = GH_QUIC;
			h->flow->protocol = "quic";
		}
		if (!take && !head.end)
			break;
	}
	if (n >= 1200 && !h->flow->protocol) { /* a version that is known, and keys that are not: still QUIC */
		h->flow->app->speaks = GH_QUIC;
		h->flow->protocol = "quic";
	}
	return true;
}

void gh_quic_end(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_quic *q = f->app ? f->app->quic : NULL;
	if (!q)
		return;
	f->app->quic = NULL;
	for (unsigned i = 0; i < 2; i++) {
		gh_buf_free(&t->pool, &q->crypto[i].buf);
		gh_buf_free(&t->pool, &q->more[i].buf);
	}
	if (q->tls) {
		if (!f->app->tls)
			f->app->tls = q->tls;
		gh_tls_end(t, f);
	}
	gh_pool_put(&t->pool, q, sizeof *q);
}
