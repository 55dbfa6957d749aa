/* SPDX-License-Identifier: Apache-2.0 */
/* What the schemes of an APK come to, span by span of Android releases, and which of them each release goes by. */
#include "inspectors/apk/verify.h"

struct all {
	struct jar_result v1;
	struct apk_scheme v2, v3, v31;
	struct apk_outcome android[SPANS];
};

static const char *const words[] = {[APK_VERIFIED] = "verified",
	[APK_FAILED] = "failed",
	[APK_STRIPPED] = "stripped",
	[APK_UNSUPPORTED] = "unsupported"};

static bool same(const struct apk_outcome *a, const struct apk_outcome *b)
{
	return a->state == b->state && a->at == b->at && gh_str_eq(a->why, b->why) && gh_str_eq(a->certs, b->certs);
}

/* A row for each run of spans that say the same. */
static void rows_emit(struct gh_ctx *ctx, const struct apk *a, const char *scheme, const struct apk_outcome *o)
{
	for (unsigned i = 0, next; i < a->n_spans; i = next) {
		for (next = i + 1; next < a->n_spans && same(&o[i], &o[next]);)
			next++;
		if (o[i].state == APK_ABSENT)
			continue;
		GH_EMIT(ctx, apk_checks, o[i].at, .scheme = gh_str(scheme), .min_sdk = a->span[i],
			.max_sdk = a->span[next] == SDK_ALL ? GH_NULL : a->span[next] - 1,
			.state = gh_str(words[o[i].state]), .why = o[i].why, .certs = o[i].certs);
	}
}

/* v2 says that v3 must be there; v3 says from which release v3.1 takes over. */
static void stripping_check(struct gh_ctx *ctx, const struct apk *a, struct all *s)
{
	for (unsigned i = 0; i < a->n_spans; i++) {
		for (size_t k = 0; k < s->v2.n && a->span[i] >= SDK_28; k++)
			if ((s->v2.signer[k].stripped >> 3 & 1) && !s->v3.there)
				(void)apk_fail(ctx, &s->v2.span[i], APK_STRIPPED, s->v2.signer[k].at,
					"signed by scheme v3 too, as v2 says, and that signature is not there");
		for (size_t k = 0; k < s->v3.n && a->span[i] >= SDK_33; k++) {
			const struct apk_signer *g = &s->v3.signer[k];
			if (g->rotation_min && !s->v31.there)
				(void)apk_fail(ctx, &s->v3.span[i], APK_STRIPPED, g->at,
					"signed by scheme v3.1 too, as v3 says, and that signature is not there");
			else if (g->rotation_min && s->v31.n && s->v31.signer[0].min_sdk != g->rotation_min)
				(void)apk_fail(ctx, &s->v3.span[i], APK_FAILED, g->at,
					"v3 and v3.1 say different releases from which the key is rotated");
		}
		if (s->v31.there && !s->v3.there && a->span[i] >= SDK_33)
			(void)apk_fail(ctx, &s->v31.span[i], APK_FAILED, s->v31.at,
				"v3.1 without the v3 that must go with it");
	}
}

/* What that release goes by. */
static void android(struct gh_ctx *ctx, const struct apk *a, struct all *s)
{
	for (unsigned i = 0; i < a->n_spans; i++) {
		struct apk_outcome *o = &s->android[i];
		if (a->span[i] >= SDK_33 && s->v31.there && s->v31.span[i].state != APK_ABSENT)
			*o = s->v31.span[i];
		else if (a->span[i] >= SDK_28 && s->v3.there)
			*o = s->v3.span[i];
		else if (a->span[i] >= SDK_24 && s->v2.there)
			*o = s->v2.span[i];
		else
			*o = s->v1.span[i];
		if (a->overlooked && o->state == APK_ABSENT)
			(void)apk_fail(ctx, o, APK_FAILED, a->block, "a signing block that Android overlooks: %s",
				a->overlooked);
		if (a->refused && (o->state != APK_ABSENT || s->v1.there)) {
			*o = (struct apk_outcome){0};
			(void)apk_fail(ctx, o, APK_FAILED, a->end.at, "%s", a->refused);
		}
		if (o->state == APK_ABSENT && (s->v1.there || s->v2.there || s->v3.there || s->v31.there))
			(void)apk_fail(ctx, o, APK_FAILED, a->block, "no signature that these releases look at");
	}
}

static bool same_cert(struct gh_cursor a, struct gh_cursor b)
{
	return gh_str_eq(gh_strn(a.p + a.i, gh_left(&a)), gh_strn(b.p + b.i, gh_left(&b)));
}

/* Signers of different schemes must be the same, or linked by the proof of rotation: else who looks at one is told another than who
 * looks at the other. */
static void signers_compare(struct gh_ctx *ctx, struct all *s)
{
	struct apk_outcome o = {0};
	const struct apk_outcome *v1 = &s->v1.span[apk_era(SDK_24)];
	const struct apk_outcome *v2 = &s->v2.span[apk_era(SDK_24)];
	bool has1 = s->v1.there && v1->certs.p, has2 = s->v2.there && v2->certs.p;
	if (has1 && has2 && !gh_str_eq(v1->certs, v2->certs))
		(void)apk_fail(ctx, &o, APK_FAILED, s->v2.at, "v1 and v2 are signed with different certificates");
	if (s->v3.n && s->v3.signer[0].oldest.p && (has1 || has2)) {
		struct gh_cursor old = s->v1.cert;
		if (!old.p && s->v2.n == 1)
			old = s->v2.signer[0].own;
		if (!old.p)
			(void)apk_fail(
				ctx, &o, APK_FAILED, s->v3.at, "v3 with more than one signer of the schemes before");
		else if (!same_cert(old, s->v3.signer[0].oldest))
			(void)apk_fail(ctx, &o, APK_FAILED, s->v3.at,
				"the proof of rotation does not begin at the certificate of the schemes before");
	}
	if (o.state == APK_FAILED)
		GH_EMIT(ctx, apk_checks, o.at, .scheme = GH_STR("signers"), .min_sdk = GH_NULL, .max_sdk = GH_NULL,
			.state = gh_str(words[o.state]), .why = o.why);
}

static enum gh_code schemes_read(struct gh_ctx *ctx, struct apk *a, struct all *s, struct gh_err *err)
{
	struct apk_digests d = {0};
	s->v2.scheme = 2;
	s->v3.scheme = 3;
	s->v31.scheme = 31;
	enum gh_code code = apk_scheme_spans(ctx, a, &a->v3, err);
	if (code == GH_OK)
		code = apk_scheme_spans(ctx, a, &a->v31, err);
	if (code == GH_OK)
		code = apk_scheme_read(ctx, a, &a->v2, &s->v2, err);
	if (code == GH_OK)
		code = apk_scheme_read(ctx, a, &a->v3, &s->v3, err);
	if (code == GH_OK)
		code = apk_scheme_read(ctx, a, &a->v31, &s->v31, err);
	if (code)
		return code;
	d.want = apk_scheme_needs(a, &s->v2) | apk_scheme_needs(a, &s->v3) | apk_scheme_needs(a, &s->v31);
	code = apk_digest(ctx, a, &d, err);
	if (code && code != GH_NOMEM && code != GH_LIMIT)
		return code;
	if (code)
		gh_note_err(ctx, err);
	apk_scheme_close(ctx, a, &s->v2, &d);
	apk_scheme_close(ctx, a, &s->v3, &d);
	apk_scheme_close(ctx, a, &s->v31, &d);
	return GH_OK;
}

/* A stamp says who published it; no release of Android asks for one. */
static enum gh_code stamp(struct gh_ctx *ctx, const struct apk *a, const struct all *s, struct gh_err *err)
{
	struct apk_outcome o = {0};
	struct gh_err why = {0};
	enum gh_code code = apk_stamp(ctx, a, &s->v2, &s->v3, &o, &why);
	if (code == GH_IO)
		return gh_fail(err, code, why.at, "%s", why.what);
	if (code)
		(void)apk_fail(ctx, &o, APK_UNSUPPORTED, why.at, "%s", why.what);
	if (o.state != APK_ABSENT)
		GH_EMIT(ctx, apk_checks, o.at, .scheme = GH_STR("stamp"), .min_sdk = GH_NULL, .max_sdk = GH_NULL,
			.state = gh_str(words[o.state]), .why = o.why, .certs = o.certs);
	return GH_OK;
}

enum gh_code apk_verify(struct gh_ctx *ctx, struct apk *a, struct gh_err *err)
{
	struct all *s = gh_alloc(ctx->arena, sizeof *s);
	if (!s)
		return gh_fail(err, GH_NOMEM, 0, "no memory for signatures");
	apk_spans_init(a);
	enum gh_code code = schemes_read(ctx, a, s, err);
	unsigned have = (unsigned)s->v2.there << 2 | (unsigned)s->v3.there << 3 | (unsigned)s->v31.there << 31;
	if (code == GH_OK)
		code = apk_jar(ctx, a, have, &s->v1, err);
	if (code)
		return code;
	stripping_check(ctx, a, s);
	android(ctx, a, s);
	if (s->v1.there)
		rows_emit(ctx, a, "v1", s->v1.span);
	rows_emit(ctx, a, "v2", s->v2.span);
	rows_emit(ctx, a, "v3", s->v3.span);
	rows_emit(ctx, a, "v3.1", s->v31.span);
	rows_emit(ctx, a, "android", s->android);
	signers_compare(ctx, s);
	return stamp(ctx, a, s, err);
}
