/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints of a hello: JA3 and JA3S (github.com/salesforce/ja3), JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md). */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/num.h"
#include "base/sort.h"
#include "capture/hello.h"

enum {
	TEXT = 8 * GH_LIST
}; /* room for a list in decimal or hexadecimal with commas; five of them are put one behind the other */

struct text {
	char p[4 * TEXT];
	size_t n;
};

static void put(struct text *o, const char *s)
{
	size_t n = gh_min(strlen(s), sizeof o->p - 1 - o->n);
	memcpy(o->p + o->n, s, n);
	o->n += n;
	o->p[o->n] = 0;
}

static void put_number(struct text *o, const char *fmt, unsigned v)
{
	char buf[16];
	snprintf(buf, sizeof buf, fmt, v);
	put(o, buf);
}

static void dashed(struct text *o, const struct gh_list *l)
{
	bool first = true;
	for (unsigned i = 0; i < l->n; i++)
		if (!gh_grease(l->v[i])) {
			put_number(o, first ? "%u" : "-%u", l->v[i]);
			first = false;
		}
}

static void hash_hex(const EVP_MD *md, const struct text *o, size_t n, char *ret)
{
	uint8_t sum[EVP_MAX_MD_SIZE] = {0};
	EVP_Digest(o->p, o->n, sum, NULL, md, NULL);
	for (size_t i = 0; i < n; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

void gh_hello_ja3(struct gh_traffic *t, const struct gh_hello *h, char ret[33])
{
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct text *o = gh_alloc_raw(t->ctx->arena, sizeof *o);
	ret[0] = 0;
	if (!o)
		return;
	o->n = 0;
	put_number(o, "%u,", h->legacy);
	if (h->client) {
		dashed(o, &h->ciphers);
		put(o, ",");
		dashed(o, &h->extensions);
		put(o, ",");
		dashed(o, &h->groups);
		put(o, ",");
		for (size_t i = 0; h->points.p && i < h->points.n; i++)
			put_number(o, i ? "-%u" : "%u", (uint8_t)h->points.p[i]);
	} else {
		put_number(o, "%u,", h->cipher);
		dashed(o, &h->extensions);
	}
	hash_hex(EVP_md5(), o, 16, ret);
	gh_arena_release(t->ctx->arena, mark);
}

static bool smaller(const void *a, const void *b)
{
	uint16_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y;
}

static const char *version_word(uint16_t v)
{
	static const struct {
		uint16_t v;
		const char *word;
	} words[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"}, {0x0002, "s2"},
		{0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"}};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (words[i].v == v)
			return words[i].word;
	return "00";
}

static bool alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* First and last character of the first protocol; of its hexadecimal form where one is no letter or digit. */
static void alpn_word(struct gh_str list, char out[3])
{
	struct gh_cursor c = gh_cursor(list.p ? list.p : "", list.p ? list.n : 0, 0);
	size_t n = gh_u8(&c);
	const uint8_t *p = n ? gh_bytes(&c, n) : NULL;
	static const char hex[] = "0123456789abcdef";
	memcpy(out, "00", 3);
	if (!p)
		return;
	bool plain = alnum(p[0]) && alnum(p[n - 1]);
	out[0] = plain ? (char)p[0] : hex[p[0] >> 4];
	out[1] = plain ? (char)p[n - 1] : hex[p[n - 1] & 15];
}

/* Sorted, without GREASE; without two extensions that vary with the destination. Returns how many. */
static unsigned sorted(const struct gh_list *l, bool extensions, uint16_t out[GH_LIST], unsigned *ret_all)
{
	unsigned n = 0;
	*ret_all = 0;
	for (unsigned i = 0; i < l->n; i++) {
		if (gh_grease(l->v[i]))
			continue;
		++*ret_all;
		if (!extensions || (l->v[i] != 0 && l->v[i] != 16))
			out[n++] = l->v[i];
	}
	gh_sort(out, n, sizeof *out, smaller);
	return n;
}

static void commas(struct text *o, const uint16_t *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_number(o, i ? ",%04x" : "%04x", v[i]);
}

void gh_hello_ja4(struct gh_traffic *t, const struct gh_hello *h, char ret[GH_JA4])
{
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct text *o = gh_alloc_raw(t->ctx->arena, sizeof *o);
	uint16_t v[GH_LIST];
	unsigned n_ciphers, n_extensions, n;
	char alpn[3], a[13] = "000000000000", b[13] = "000000000000";
	ret[0] = 0;
	if (!o)
		return;
	o->n = 0;
	n = sorted(&h->ciphers, false, v, &n_ciphers);
	commas(o, v, n);
	if (n)
		hash_hex(EVP_sha256(), o, 6, a);
	o->n = 0;
	n = sorted(&h->extensions, true, v, &n_extensions);
	commas(o, v, n);
	if (h->signatures.n)
		put(o, "_");
	for (unsigned i = 0, k = 0; i < h->signatures.n; i++)
		if (!gh_grease(h->signatures.v[i]))
			put_number(o, k++ ? ",%04x" : "%04x", h->signatures.v[i]);
	if (n_extensions)
		hash_hex(EVP_sha256(), o, 6, b);
	alpn_word(h->alpn, alpn);
	snprintf(ret, GH_JA4, "%c%s%c%02u%02u%s_%s_%s", h->quic ? 'q' : 't', version_word(h->version),
		h->sni_there ? 'd' : 'i', (unsigned)gh_min(n_ciphers, 99), (unsigned)gh_min(n_extensions, 99), alpn, a,
		b);
	gh_arena_release(t->ctx->arena, mark);
}
