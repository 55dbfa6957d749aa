/* SPDX-License-Identifier: Apache-2.0 */
/* APK Signature Scheme v2, v3, v3.1: signers, their certificates, algorithms and rotation lineage. */
#include "inspectors/apk/apk.h"

#include <stdio.h>

#include "inspectors/cert/x509.h"

enum {
	SIGNERS_MAX = 64, /* Android takes at most ten */
	ALGORITHMS_MAX = 64,
	ATTR_LINEAGE = 0x3ba06f8c, /* proof of rotation */
	CERTS_MAX = 1024, /* of one signer */
};

struct signer {
	uint64_t n;
	int64_t scheme, min_sdk, max_sdk, lineage;
	struct gh_str cert_sha256, algorithms;
};

/* A box: its length in 4 bytes, then its content. What does not fit is noted. */
static bool box(struct gh_ctx *ctx, struct gh_cursor *c, const char *what, struct gh_cursor *ret)
{
	uint64_t at = gh_at(c);
	if (c->bad)
		return false;
	*ret = gh_sub(c, gh_u32(c));
	if (!c->bad)
		return true;
	gh_note(ctx, GH_BAD, at, "%s that does not fit into its signer", what);
	return false;
}

/* Certificates, the signer's own first. Every one is a row. */
static void certs_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	struct gh_cursor cert;
	for (unsigned n = 0; gh_left(&c) && box(ctx, &c, "certificate", &cert); n++) {
		if (n == CERTS_MAX) {
			gh_note(ctx, GH_LIMIT, gh_at(&cert), "more than %d certificates of one signer", CERTS_MAX);
			return;
		}
		if (!n)
			s->cert_sha256 = x509_digest(ctx, cert.p, cert.n);
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		(void)x509_emit(ctx, cert, cert.base, "apk", n ? X509_NOT_SIGNER : X509_SIGNER);
		gh_arena_release(ctx->arena, mark);
	}
}

/* Version, then the nodes from the first certificate to the present one. */
static void lineage_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	struct gh_cursor node;
	uint64_t at = gh_at(&c);
	uint32_t version = gh_u32(&c);
	if (version != 1) {
		gh_note(ctx, GH_UNSUP, at, "rotation lineage of version %u", version);
		return;
	}
	for (s->lineage = 0; gh_left(&c) && box(ctx, &c, "node of the rotation lineage", &node);)
		s->lineage++;
}

static void attributes_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	struct gh_cursor a;
	while (gh_left(&c) && box(ctx, &c, "attribute", &a)) {
		uint32_t id = gh_u32(&a);
		if (a.bad)
			gh_note(ctx, GH_BAD, a.base, "attribute of %zu bytes", a.n);
		else if (id == ATTR_LINEAGE && s->scheme != 2)
			lineage_read(ctx, a, s);
	}
}

static int64_t sdk(uint32_t v)
{
	return v > INT32_MAX ? GH_NULL : v;
}

/* Digests, certificates, from v3 on the releases it is for, attributes. */
static void signed_data_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	struct gh_cursor digests, certs, attributes;
	if (!box(ctx, &c, "digests", &digests) || !box(ctx, &c, "certificates", &certs))
		return;
	certs_read(ctx, certs, s);
	if (!certs.n)
		gh_note(ctx, GH_BAD, certs.base, "a signer without certificate");
	if (s->scheme != 2) {
		uint64_t at = gh_at(&c);
		s->min_sdk = sdk(gh_u32(&c));
		s->max_sdk = sdk(gh_u32(&c));
		if (c.bad)
			gh_note(ctx, GH_BAD, at, "signed data without the releases it is for");
	}
	/* Early v2 signers wrote no attributes at all. */
	if (gh_left(&c) && box(ctx, &c, "attributes", &attributes))
		attributes_read(ctx, attributes, s);
}

static void algorithms_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	char buf[ALGORITHMS_MAX * 11 + 1] = "";
	size_t len = 0;
	struct gh_cursor one;
	for (unsigned n = 0; gh_left(&c) && box(ctx, &c, "signature", &one); n++) {
		uint32_t id = gh_u32(&one);
		if (n == ALGORITHMS_MAX) {
			gh_note(ctx, GH_LIMIT, one.base, "more than %d signatures of one signer", ALGORITHMS_MAX);
			break;
		}
		if (one.bad)
			gh_note(ctx, GH_BAD, one.base, "signature of %zu bytes", one.n);
		else
			len += (size_t)snprintf(buf + len, sizeof buf - len, "%s0x%04x", len ? "," : "", id);
	}
	s->algorithms = gh_str_dup(ctx->arena, gh_strn(buf, len));
	if (!len)
		gh_note(ctx, GH_BAD, c.base, "a signer without signature");
}

static void releases_compare(struct gh_ctx *ctx, struct gh_cursor *c, const struct signer *s)
{
	uint64_t at = gh_at(c);
	int64_t min = sdk(gh_u32(c)), max = sdk(gh_u32(c));
	if (!c->bad && (min != s->min_sdk || max != s->max_sdk))
		gh_note(ctx, GH_BAD, at, "a signer for releases %lld to %lld whose signed data says otherwise",
			(long long)min, (long long)max);
}

static void signer_read(struct gh_ctx *ctx, struct gh_cursor c, struct signer *s)
{
	struct gh_cursor part;
	uint64_t at = c.base;
	if (box(ctx, &c, "signed data", &part))
		signed_data_read(ctx, part, s);
	if (s->scheme != 2)
		releases_compare(ctx, &c, s);
	if (box(ctx, &c, "signatures", &part))
		algorithms_read(ctx, part, s);
	GH_EMIT(ctx, apk_sigs, at, .scheme = s->scheme, .signer = (int64_t)s->n, .cert_sha256 = s->cert_sha256,
		.algorithms = s->algorithms, .min_sdk = s->min_sdk, .max_sdk = s->max_sdk, .lineage = s->lineage);
}

enum gh_code apk_signers_read(struct gh_ctx *ctx, struct gh_cursor c, int64_t scheme, struct gh_err *err)
{
	struct gh_cursor list, one;
	if (!box(ctx, &c, "signers", &list))
		return GH_OK;
	if (gh_left(&c))
		gh_note(ctx, GH_BAD, gh_at(&c), "%zu bytes behind the signers", gh_left(&c));
	if (!list.n)
		gh_note(ctx, GH_BAD, list.base, "a signature scheme without signers");
	for (uint64_t n = 0; gh_left(&list) && box(ctx, &list, "signer", &one); n++) {
		struct signer s = {
			.n = n, .scheme = scheme, .min_sdk = GH_NULL, .max_sdk = GH_NULL, .lineage = GH_NULL};
		if (n == SIGNERS_MAX)
			return gh_fail(err, GH_LIMIT, one.base, "more than %d signers", SIGNERS_MAX);
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		signer_read(ctx, one, &s);
		gh_arena_release(ctx->arena, mark);
	}
	return GH_OK;
}
