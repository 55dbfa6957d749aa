/* SPDX-License-Identifier: Apache-2.0 */
/* Source stamps (apksig, SourceStampVerifier): who published an APK, signed over the digests that its signature schemes name. The archive's
 * entry stamp-cert-sha256, which those schemes cover, says by which certificate. */
#include "inspectors/apk/jar.h"
#include "inspectors/cert/x509.h"

enum {
	STAMP_MAX = 1 << 20,
	MANIFEST_MAX = 32 << 20,
	SCHEMES = 16,
	PAIR = 12, /* length, id, length */
	ATTRIBUTES = 64,
	ATTR_LINEAGE = 0x9d6303f7,
	ATTR_TIME = 0xe43c5946,
};

static const char cert_entry[] = "stamp-cert-sha256";

struct stamp {
	struct gh_ctx *ctx;
	const struct apk *a;
	const struct apk_scheme *v2, *v3;
	struct jar_entries entries;
	struct pubkey key;
	struct apk_outcome *o;
	uint64_t at;
};

static bool box(struct gh_cursor *c, struct gh_cursor *ret)
{
	*ret = gh_sub(c, gh_u32(c));
	return !c->bad;
}

static bool fail(struct stamp *s, const char *why)
{
	return apk_fail(s->ctx, s->o, APK_FAILED, s->at, "%s", why);
}

/* ---- what is signed ---- */

struct text {
	uint8_t p[4 * (PAIR + PUBKEY_DIGEST_MAX)];
	size_t n;
};

static void put32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void pair_add(struct text *t, uint32_t id, const uint8_t *sum, size_t n)
{
	if (n > PUBKEY_DIGEST_MAX || t->n + PAIR + n > sizeof t->p)
		return;
	put32(t->p + t->n, 8 + n);
	put32(t->p + t->n + 4, id);
	put32(t->p + t->n + 8, n);
	memcpy(t->p + t->n + PAIR, sum, n);
	t->n += PAIR + n;
}

/* The digests that a scheme's signers name, by the numbers that stamps use for them, in their order. */
static void scheme_text(const struct apk_scheme *v, struct text *t)
{
	static const enum content order[] = {CONTENT_SHA256, CONTENT_SHA512, CONTENT_VERITY};
	for (size_t i = 0; i < GH_COUNT(order); i++)
		for (size_t k = v->n; k-- > 0;)
			if (v->signer[k].digest[order[i]]) {
				pair_add(t, (uint32_t)i + 1, v->signer[k].digest[order[i]],
					v->signer[k].digest_len[order[i]]);
				break;
			}
}

static enum gh_code manifest_text(struct stamp *s, struct text *t, struct gh_err *err)
{
	const uint8_t *p;
	size_t n;
	uint8_t sum[PUBKEY_DIGEST_MAX];
	const struct jar_entry *m = jar_entry_find(&s->entries, GH_STR("META-INF/MANIFEST.MF"));
	if (!m)
		return GH_OK;
	enum gh_code code = jar_entry_content(s->ctx, &s->entries, m, MANIFEST_MAX, &p, &n, err);
	if (code == GH_OK && digest_data(DIGEST_SHA256, p, n, sum))
		pair_add(t, 4, sum, 32);
	return code;
}

/* ---- signatures ---- */

static bool signature_check(
	struct stamp *s, const struct apk_algorithm *a, struct gh_cursor bytes, const uint8_t *p, size_t n)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	return a->key == s->key.kind && digest_data(a->digest, p, n, hash) &&
	       pubkey_verify(&s->key, a->digest, a->pss, hash, bytes.p, bytes.n);
}

/* The strongest of them that is known. */
static bool signatures_check(struct stamp *s, struct gh_cursor list, const uint8_t *p, size_t n)
{
	const struct apk_algorithm *best = NULL;
	struct gh_cursor one, bytes, chosen = {0};
	for (unsigned i = 0; i < SIGNATURES && gh_left(&list); i++) {
		if (!box(&list, &one))
			return fail(s, "a signature of the source stamp that does not fit");
		const struct apk_algorithm *a = apk_algorithm(gh_u32(&one));
		if (!box(&one, &bytes))
			return fail(s, "a signature of the source stamp that does not fit");
		if (a && (!best || a->content > best->content)) {
			best = a;
			chosen = bytes;
		}
	}
	if (!best)
		return apk_fail(
			s->ctx, s->o, APK_UNSUPPORTED, s->at, "a source stamp by algorithms that are not known");
	return signature_check(s, best, chosen, p, n) || fail(s, "a source stamp whose signature does not verify");
}

/* Key and certificate: the entry in the archive must name it. */
static bool cert_check(struct stamp *s, struct gh_cursor cert)
{
	const uint8_t *p;
	size_t n;
	uint8_t sum[PUBKEY_DIGEST_MAX];
	struct gh_cursor spki;
	struct gh_err err;
	const struct jar_entry *e = jar_entry_find(&s->entries, GH_STR(cert_entry));
	if (!e)
		return fail(s, "a source stamp without the entry that names its certificate");
	if (jar_entry_content(s->ctx, &s->entries, e, PUBKEY_DIGEST_MAX, &p, &n, &err) || n != 32)
		return fail(s, "an entry for the source stamp that is no digest");
	if (cert.n > X509_CERT_MAX || !x509_shape(cert) || !pubkey_of_cert(cert, &spki))
		return fail(s, "a source stamp whose certificate is none");
	if (!digest_data(DIGEST_SHA256, cert.p, cert.n, sum) || memcmp(sum, p, 32) != 0)
		return fail(s, "a source stamp by another certificate than the archive names");
	apk_outcome_certs(s->ctx, s->o, x509_digest(s->ctx, cert.p, cert.n));
	s->key = pubkey_spki(spki);
	return !s->key.why || fail(s, s->key.why);
}

/* ---- the two forms ---- */

/* The first form signs the digests of the newest scheme only. */
static bool old_check(struct stamp *s, struct gh_cursor c)
{
	struct gh_cursor cert, list;
	struct text t = {0};
	struct gh_err err = {0};
	if (!box(&c, &cert) || !box(&c, &list))
		return fail(s, "a source stamp whose parts do not fit");
	if (s->v3->there)
		scheme_text(s->v3, &t);
	else if (s->v2->there)
		scheme_text(s->v2, &t);
	else if (manifest_text(s, &t, &err))
		return fail(s, "a source stamp over a manifest that cannot be read");
	return cert_check(s, cert) && signatures_check(s, list, t.p, t.n);
}

static bool scheme_check(struct stamp *s, struct gh_cursor one, unsigned *seen)
{
	struct gh_cursor list;
	struct text t = {0};
	struct gh_err err = {0};
	uint32_t id = gh_u32(&one);
	if (!box(&one, &list))
		return fail(s, "a source stamp whose parts do not fit");
	if (id < 32)
		*seen |= 1u << id;
	if ((id == 2 && !s->v2->there) || (id == 3 && !s->v3->there) || id == 0 || id > 3)
		return true; /* of schemes that are not there nothing is left to compare with */
	if (id == 1 && manifest_text(s, &t, &err))
		return fail(s, "a source stamp over a manifest that cannot be read");
	if (id == 1 && !t.n)
		return true;
	if (id != 1)
		scheme_text(id == 2 ? s->v2 : s->v3, &t);
	return signatures_check(s, list, t.p, t.n);
}

/* The time of the stamp, and the proof that its certificate follows from an older one. */
static bool attributes_check(struct stamp *s, struct gh_cursor c, struct gh_cursor cert)
{
	struct gh_cursor list, one;
	if (!box(&c, &list))
		return fail(s, "attributes of the source stamp that do not fit");
	for (unsigned n = 0; gh_left(&list); n++) {
		struct apk_signer scratch = {0};
		if (n == ATTRIBUTES || !box(&list, &one))
			return fail(s, "attributes of the source stamp that do not fit");
		uint32_t id = gh_u32(&one);
		if (id == ATTR_LINEAGE && !apk_lineage(s->ctx, one, cert, &scratch, s->o))
			return false;
		int64_t time = id == ATTR_TIME ? (int64_t)gh_u64(&one) : 1;
		if (one.bad || time <= 0)
			return fail(s, "a source stamp with a time that is none");
	}
	return true;
}

static bool new_check(struct stamp *s, struct gh_cursor c)
{
	struct gh_cursor cert, schemes, one, attributes, list;
	unsigned seen = 0;
	if (!box(&c, &cert) || !box(&c, &schemes))
		return fail(s, "a source stamp whose parts do not fit");
	if (!cert_check(s, cert))
		return false;
	for (unsigned i = 0; i < SCHEMES && gh_left(&schemes); i++)
		if (!box(&schemes, &one) || !scheme_check(s, one, &seen))
			return fail(s, "a source stamp whose parts do not fit");
	if ((s->v2->there && !(seen >> 2 & 1)) || (s->v3->there && !(seen >> 3 & 1)))
		return fail(s, "a source stamp that does not speak of a scheme that is there");
	if (!gh_left(&c))
		return true;
	if (!box(&c, &attributes) || !box(&c, &list))
		return fail(s, "a source stamp whose parts do not fit");
	return signatures_check(s, list, attributes.p, attributes.n) && attributes_check(s, attributes, cert);
}

enum gh_code apk_stamp(struct gh_ctx *ctx, const struct apk *a, const struct apk_scheme *v2,
	const struct apk_scheme *v3, struct apk_outcome *ret, struct gh_err *err)
{
	const struct apk_value *v = a->stamp2.there ? &a->stamp2 : &a->stamp;
	const uint8_t *p;
	struct gh_cursor value, body;
	struct stamp *s = gh_alloc(ctx->arena, sizeof *s);
	if (!v->there)
		return GH_OK;
	if (!s)
		return gh_fail(err, GH_NOMEM, v->at, "no memory for a source stamp");
	*s = (struct stamp){.ctx = ctx, .a = a, .v2 = v2, .v3 = v3, .o = ret, .at = v->at};
	if (v->size > STAMP_MAX) {
		(void)apk_fail(ctx, ret, APK_UNSUPPORTED, v->at, "a source stamp in more bytes than are read");
		return GH_OK;
	}
	enum gh_code code = gh_view(a->src, ctx->arena, v->at, (size_t)v->size, &p, err);
	if (code == GH_OK)
		code = jar_entries_read(ctx, a, &s->entries, err);
	if (code)
		return code;
	value = gh_cursor(p, (size_t)v->size, v->at);
	bool ok = box(&value, &body) ? v == &a->stamp2 ? new_check(s, body) : old_check(s, body)
				     : fail(s, "a source stamp that does not fit");
	if (ok)
		ret->state = APK_VERIFIED;
	pubkey_done(&s->key);
	return GH_OK;
}
