/* SPDX-License-Identifier: Apache-2.0 */
/* APK Signature Scheme v2, v3, v3.1 verified as Android does (source.android.com, "APK Signature Scheme v2", "v3"): the signature
 * over the signed data, the certificate's key, the list of algorithms, releases, what must not have been stripped. */
#include <stdarg.h>
#include <stdio.h>

#include "inspectors/apk/verify.h"
#include "inspectors/cert/x509.h"

enum {
	VALUE_MAX = 16 << 20,
	CERTS_MAX = 1024,
	ATTR_STRIP = 0xbeeff00d, /* v2: the scheme that must be there too */
	ATTR_LINEAGE = 0x3ba06f8c,
	ATTR_ROTATION_MIN = 0x559f8b02, /* v3: the release from which v3.1 takes over */
};

static const struct apk_algorithm algorithms[] = {
	{0x0101, KEY_RSA, DIGEST_SHA256, true, CONTENT_SHA256, SDK_24},
	{0x0102, KEY_RSA, DIGEST_SHA512, true, CONTENT_SHA512, SDK_24},
	{0x0103, KEY_RSA, DIGEST_SHA256, false, CONTENT_SHA256, SDK_24},
	{0x0104, KEY_RSA, DIGEST_SHA512, false, CONTENT_SHA512, SDK_24},
	{0x0201, KEY_EC, DIGEST_SHA256, false, CONTENT_SHA256, SDK_24},
	{0x0202, KEY_EC, DIGEST_SHA512, false, CONTENT_SHA512, SDK_24},
	{0x0301, KEY_DSA, DIGEST_SHA256, false, CONTENT_SHA256, SDK_24},
	{0x0421, KEY_RSA, DIGEST_SHA256, false, CONTENT_VERITY, SDK_28},
	{0x0423, KEY_EC, DIGEST_SHA256, false, CONTENT_VERITY, SDK_28},
	{0x0425, KEY_DSA, DIGEST_SHA256, false, CONTENT_VERITY, SDK_28},
};

const struct apk_algorithm *apk_algorithm(uint32_t id)
{
	for (size_t i = 0; i < GH_COUNT(algorithms); i++)
		if (algorithms[i].id == id)
			return &algorithms[i];
	return NULL;
}

bool apk_fail(struct gh_ctx *ctx, struct apk_outcome *o, enum apk_state state, uint64_t at, const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	if (o->why.p)
		return false;
	va_start(ap, fmt);
	int n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	o->state = state;
	o->at = at;
	o->why = gh_str_dup(ctx->arena, gh_strn(buf, n < 0 ? 0 : gh_min((uint64_t)n, sizeof buf - 1)));
	if (!o->why.p) /* never without a reason, which would be none to fail */
		o->why = GH_STR("no memory");
	return false;
}

void apk_outcome_certs(struct gh_ctx *ctx, struct apk_outcome *o, struct gh_str cert)
{
	if (!cert.p)
		return;
	o->certs = o->certs.p ? gh_str_fmt(ctx->arena, "%.*s,%.*s", (int)o->certs.n, o->certs.p, (int)cert.n, cert.p)
			      : cert;
	if (!o->certs.p)
		o->certs = GH_NONE;
}

static const int32_t eras[] = {1, SDK_9, SDK_18, SDK_19, SDK_21, SDK_22, SDK_24, SDK_28, SDK_33};

int apk_era(int32_t sdk)
{
	int n = 0;
	while (n + 1 < (int)GH_COUNT(eras) && eras[n + 1] <= sdk)
		n++;
	return n;
}

void apk_spans_init(struct apk *a)
{
	a->n_spans = GH_COUNT(eras);
	memcpy(a->span, eras, sizeof eras);
	a->span[a->n_spans] = SDK_ALL;
}

void apk_span_add(struct apk *a, int32_t sdk)
{
	unsigned i = 0;
	if (sdk < SDK_28 || sdk == SDK_ALL || a->n_spans == SPANS)
		return;
	while (a->span[i] < sdk)
		i++;
	if (a->span[i] == sdk)
		return;
	memmove(a->span + i + 1, a->span + i, (a->n_spans + 1 - i) * sizeof *a->span);
	a->span[i] = sdk;
	a->n_spans++;
}

/* A failure that every span has. */
static bool fail_all(struct gh_ctx *ctx, struct apk_signer *s, enum apk_state state, uint64_t at, const char *why)
{
	for (int i = 0; i < SPANS; i++)
		(void)apk_fail(ctx, &s->outcome[i], state, at, "%s", why);
	return false;
}

static bool box(struct gh_cursor *c, struct gh_cursor *ret)
{
	*ret = gh_sub(c, gh_u32(c));
	return !c->bad;
}

/* ---- one signer ---- */

struct parts {
	struct gh_cursor signed_data, signatures, key;
	struct gh_cursor digests, certs, attributes;
	int32_t min_sdk, max_sdk; /* beside the signed data */
	int32_t signed_min, signed_max;
};

struct signature {
	uint32_t id;
	const struct apk_algorithm *algorithm;
	struct gh_cursor bytes;
};

struct signatures {
	size_t n;
	struct signature list[SIGNATURES];
};

static int32_t level(struct gh_cursor *c)
{
	uint32_t v = gh_u32(c);
	return v > INT32_MAX ? SDK_ALL : (int32_t)v;
}

static bool parts_outer(struct gh_cursor c, int scheme, struct parts *p)
{
	if (!box(&c, &p->signed_data))
		return false;
	if (scheme != 2) {
		p->min_sdk = level(&c);
		p->max_sdk = level(&c);
	}
	return box(&c, &p->signatures) && box(&c, &p->key);
}

static bool parts_signed(int scheme, struct parts *p)
{
	struct gh_cursor c = p->signed_data;
	if (!box(&c, &p->digests) || !box(&c, &p->certs))
		return false;
	if (scheme != 2) {
		p->signed_min = level(&c);
		p->signed_max = level(&c);
	}
	/* Early v2 signers wrote no attributes at all. */
	return (scheme == 2 && !gh_left(&c)) || box(&c, &p->attributes);
}

static bool signatures_read(struct gh_ctx *ctx, struct gh_cursor c, struct signatures *list, struct apk_signer *s)
{
	struct gh_cursor one;
	while (gh_left(&c)) {
		struct signature *g = &list->list[list->n];
		if (list->n == SIGNATURES)
			return fail_all(
				ctx, s, APK_UNSUPPORTED, gh_at(&c), "more signatures of one signer than are read");
		bool ok = box(&c, &one);
		g->id = gh_u32(&one);
		if (!ok || !box(&one, &g->bytes) || one.bad)
			return fail_all(ctx, s, APK_FAILED, gh_at(&c), "a signature that does not fit into its signer");
		g->algorithm = apk_algorithm(g->id);
		list->n++;
	}
	return list->n || fail_all(ctx, s, APK_FAILED, c.base, "a signer without signature");
}

static int rank(const struct apk_algorithm *a)
{
	return (int)a->content;
}

/* What a release takes: the strongest that it knows. */
static struct signature *best(struct signatures *list, int32_t sdk)
{
	struct signature *found = NULL;
	for (size_t i = 0; i < list->n; i++) {
		struct signature *g = &list->list[i];
		if (g->algorithm && g->algorithm->min_sdk <= sdk &&
			(!found || rank(g->algorithm) > rank(found->algorithm)))
			found = g;
	}
	return found;
}

static const char *signature_check(const struct pubkey *key, const struct signature *g, struct gh_cursor data)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	if (key->why)
		return key->why;
	if (key->kind != g->algorithm->key)
		return "a key of another kind than the signature's algorithm";
	if (!digest_data(g->algorithm->digest, data.p + data.i, gh_left(&data), hash))
		return "a digest could not be computed";
	if (!pubkey_verify(key, g->algorithm->digest, g->algorithm->pss, hash, g->bytes.p, g->bytes.n))
		return "the signature over the signed data does not verify";
	return NULL;
}

/* Each span's best signature; the work of one is done once. */
static void signatures_verify(
	struct gh_ctx *ctx, const struct apk *a, struct parts *p, struct signatures *list, struct apk_signer *s)
{
	struct pubkey key = pubkey_spki(p->key);
	const struct signature *last = NULL;
	const char *why = NULL;
	for (unsigned i = 0; i < a->n_spans; i++) {
		const struct signature *g = best(list, a->span[i]);
		if (!g) {
			(void)apk_fail(ctx, &s->outcome[i], APK_UNSUPPORTED, p->signatures.base,
				"no signature by an algorithm that Android knows");
			continue;
		}
		if (g != last)
			why = signature_check(&key, g, p->signed_data);
		last = g;
		if (why)
			(void)apk_fail(ctx, &s->outcome[i], APK_FAILED, g->bytes.base, "%s", why);
		s->need[i] = 1u << g->algorithm->content;
	}
	pubkey_done(&key);
}

/* The signer's own certificate comes first. Every one must be a certificate. */
static bool certs_check(struct gh_ctx *ctx, struct parts *p, struct apk_signer *s)
{
	struct gh_cursor c = p->certs, one, key;
	for (unsigned n = 0; gh_left(&c); n++) {
		if (n == CERTS_MAX)
			return fail_all(
				ctx, s, APK_UNSUPPORTED, gh_at(&c), "more certificates of one signer than are read");
		if (!box(&c, &one))
			return fail_all(
				ctx, s, APK_FAILED, gh_at(&c), "a certificate that does not fit into its signer");
		if (one.n > X509_CERT_MAX)
			return fail_all(ctx, s, APK_UNSUPPORTED, one.base, "a certificate larger than is read");
		if (!x509_shape(one) || !pubkey_of_cert(one, &key))
			return fail_all(ctx, s, APK_FAILED, one.base, "a certificate that is none");
		if (n)
			continue;
		s->own = s->oldest = one;
		s->cert = x509_digest(ctx, one.p, one.n);
		if (!pubkey_same(key, p->key))
			return fail_all(
				ctx, s, APK_FAILED, p->key.base, "the public key is not the one in the certificate");
	}
	return s->own.p || fail_all(ctx, s, APK_FAILED, p->certs.base, "a signer without certificate");
}

/* The digests must be for the same algorithms as the signatures, in the same order. */
static bool digests_read(struct gh_ctx *ctx, struct parts *p, const struct signatures *list, struct apk_signer *s)
{
	struct gh_cursor c = p->digests, one, sum;
	size_t n = 0;
	bool same = true;
	for (; same && gh_left(&c); n++) {
		bool ok = box(&c, &one);
		uint32_t id = gh_u32(&one);
		if (!ok || !box(&one, &sum) || one.bad)
			return fail_all(ctx, s, APK_FAILED, gh_at(&c), "a digest that does not fit into its signer");
		same = n < list->n && list->list[n].id == id;
		const struct apk_algorithm *a = apk_algorithm(id);
		if (a && !s->digest[a->content]) {
			s->digest[a->content] = sum.p;
			s->digest_len[a->content] = sum.n;
			s->digest_at[a->content] = sum.base;
		}
	}
	if (!same || n != list->n)
		return fail_all(
			ctx, s, APK_FAILED, p->digests.base, "digests and signatures are for different algorithms");
	return true;
}

static bool attributes_check(struct gh_ctx *ctx, struct parts *p, int scheme, struct apk_signer *s)
{
	struct gh_cursor c = p->attributes, a;
	while (gh_left(&c)) {
		if (gh_spend_steps(ctx->budget, 1, gh_at(&c), NULL))
			return fail_all(ctx, s, APK_UNSUPPORTED, gh_at(&c), "more attributes than are read");
		bool ok = box(&c, &a);
		uint32_t id = gh_u32(&a);
		struct apk_outcome o = {0};
		if (!ok || a.bad)
			return fail_all(
				ctx, s, APK_FAILED, gh_at(&c), "an attribute that does not fit into its signer");
		if (scheme == 2 && id == ATTR_STRIP) {
			uint32_t other = gh_u32(&a);
			s->stripped |= other < 32 ? 1u << other : 0;
		} else if (scheme != 2 && id == ATTR_ROTATION_MIN) {
			s->rotation_min = level(&a);
		} else if (scheme != 2 && id == ATTR_LINEAGE && !apk_lineage(ctx, a, s->own, s, &o)) {
			return fail_all(ctx, s, o.state, o.at, o.why.p ? o.why.p : "no memory");
		}
		if (a.bad)
			return fail_all(ctx, s, APK_FAILED, a.base, "an attribute that ends too early");
	}
	return true;
}

static void signer_verify(struct gh_ctx *ctx, const struct apk *a, struct gh_cursor c, int scheme, struct apk_signer *s)
{
	struct parts p = {0};
	struct signatures *list = gh_alloc(ctx->arena, sizeof *list);
	s->at = c.base;
	s->max_sdk = SDK_ALL;
	if (!list) {
		(void)fail_all(ctx, s, APK_UNSUPPORTED, c.base, "no memory for a signer");
		return;
	}
	if (!parts_outer(c, scheme, &p) || !parts_signed(scheme, &p)) {
		(void)fail_all(ctx, s, APK_FAILED, c.base, "a signer whose parts do not fit into it");
		return;
	}
	if (scheme != 2) {
		s->min_sdk = p.min_sdk;
		s->max_sdk = p.max_sdk;
	}
	if (s->min_sdk > s->max_sdk)
		(void)fail_all(ctx, s, APK_FAILED, c.base, "a signer for no release at all");
	if (!signatures_read(ctx, p.signatures, list, s))
		return;
	signatures_verify(ctx, a, &p, list, s);
	if (scheme != 2 && (p.signed_min != p.min_sdk || p.signed_max != p.max_sdk))
		(void)fail_all(ctx, s, APK_FAILED, c.base, "the signed releases are not those beside the signed data");
	(void)(certs_check(ctx, &p, s) && digests_read(ctx, &p, list, s) && attributes_check(ctx, &p, scheme, s));
}

/* ---- the scheme ---- */

static void scheme_fail(struct gh_ctx *ctx, struct apk_scheme *s, enum apk_state state, uint64_t at, const char *why)
{
	for (int i = 0; i < SPANS; i++)
		(void)apk_fail(ctx, &s->span[i], state, at, "%s", why);
}

static void signers_read(struct gh_ctx *ctx, const struct apk *a, struct gh_cursor c, struct apk_scheme *s)
{
	struct gh_cursor list, one;
	if (!box(&c, &list)) {
		scheme_fail(ctx, s, APK_FAILED, c.base, "signers that do not fit into their block");
		return;
	}
	if (!list.n)
		scheme_fail(ctx, s, APK_FAILED, list.base, "a block without signers");
	while (gh_left(&list)) {
		if (s->n == SIGNERS) {
			scheme_fail(ctx, s, APK_FAILED, gh_at(&list), "more than ten signers");
			return;
		}
		if (!box(&list, &one)) {
			scheme_fail(ctx, s, APK_FAILED, gh_at(&list), "a signer that does not fit into its block");
			return;
		}
		signer_verify(ctx, a, one, s->scheme, &s->signer[s->n++]);
	}
}

/* Malformed ones are told when the signers are read. */
enum gh_code apk_scheme_spans(struct gh_ctx *ctx, struct apk *a, const struct apk_value *v, struct gh_err *err)
{
	const uint8_t *p;
	struct gh_cursor list, one, skip;
	if (!v->there || v->size > VALUE_MAX)
		return GH_OK;
	enum gh_code code = gh_view(a->src, ctx->arena, v->at, (size_t)v->size, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, (size_t)v->size, v->at);
	for (unsigned n = 0; n < SIGNERS && (n || box(&c, &list)) && gh_left(&list) && box(&list, &one); n++) {
		(void)box(&one, &skip);
		int32_t min = level(&one), max = level(&one);
		if (!one.bad) {
			apk_span_add(a, min);
			apk_span_add(a, max < SDK_ALL ? max + 1 : SDK_ALL);
		}
	}
	return GH_OK;
}

enum gh_code apk_scheme_read(
	struct gh_ctx *ctx, const struct apk *a, const struct apk_value *v, struct apk_scheme *s, struct gh_err *err)
{
	const uint8_t *p;
	s->there = v->there;
	s->at = v->at;
	if (!v->there)
		return GH_OK;
	if (v->size > VALUE_MAX) {
		scheme_fail(ctx, s, APK_UNSUPPORTED, v->at, "signers in more bytes than are read");
		return GH_OK;
	}
	enum gh_code code = gh_view(a->src, ctx->arena, v->at, (size_t)v->size, &p, err);
	if (code == GH_OK)
		signers_read(ctx, a, gh_cursor(p, (size_t)v->size, v->at), s);
	return code;
}

static int32_t first_sdk(const struct apk_scheme *s)
{
	return s->scheme == 2 ? SDK_24 : s->scheme == 3 ? SDK_28 : SDK_33;
}

static bool applies(const struct apk *a, const struct apk_scheme *s, const struct apk_signer *g, unsigned span)
{
	return a->span[span] >= first_sdk(s) && g->min_sdk <= a->span[span] && g->max_sdk >= a->span[span];
}

unsigned apk_scheme_needs(const struct apk *a, const struct apk_scheme *s)
{
	unsigned need = 0;
	for (size_t k = 0; k < s->n; k++)
		for (unsigned i = 0; i < a->n_spans; i++)
			if (applies(a, s, &s->signer[k], i) && !s->signer[k].outcome[i].why.p)
				need |= s->signer[k].need[i];
	return need;
}

static void digests_compare(struct gh_ctx *ctx, struct apk_signer *g, unsigned span, const struct apk_digests *d)
{
	struct apk_outcome *o = &g->outcome[span];
	for (unsigned k = 0; k < CONTENTS && !o->why.p; k++) {
		if (!(g->need[span] >> k & 1))
			continue;
		if (!(d->have >> k & 1))
			(void)apk_fail(ctx, o, APK_UNSUPPORTED, g->at, "the archive's digest could not be computed");
		else if (!g->digest[k] || g->digest_len[k] != d->len[k] ||
			 memcmp(g->digest[k], d->sum[k], d->len[k]) != 0)
			(void)apk_fail(ctx, o, APK_FAILED, g->digest[k] ? g->digest_at[k] : g->at,
				"the archive is not what was signed: its digest is another");
	}
}

static void span_close(
	struct gh_ctx *ctx, const struct apk *a, struct apk_scheme *s, unsigned i, const struct apk_digests *d)
{
	struct apk_outcome *o = &s->span[i];
	size_t any = 0;
	for (size_t k = 0; k < s->n; k++) {
		struct apk_signer *g = &s->signer[k];
		if (!applies(a, s, g, i))
			continue;
		any++;
		digests_compare(ctx, g, i, d);
		apk_outcome_certs(ctx, o, g->cert);
		if (g->outcome[i].why.p)
			(void)apk_fail(ctx, o, g->outcome[i].state, g->outcome[i].at, "%s", g->outcome[i].why.p);
	}
	if (any > 1 && s->scheme != 2)
		(void)apk_fail(ctx, o, APK_FAILED, s->at, "two signers for the same releases");
	if (!o->why.p)
		o->state = any ? APK_VERIFIED : APK_ABSENT;
}

void apk_scheme_close(struct gh_ctx *ctx, const struct apk *a, struct apk_scheme *s, const struct apk_digests *d)
{
	for (unsigned i = 0; i < a->n_spans && s->there; i++)
		if (a->span[i] >= first_sdk(s))
			span_close(ctx, a, s, i, d);
		else
			s->span[i] = (struct apk_outcome){0};
}
