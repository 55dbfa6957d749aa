/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of rotation (source.android.com, "APK Signature Scheme v3"): certificates, each signed by the key of the one before. */
#include "inspectors/apk/verify.h"
#include "inspectors/cert/x509.h"

enum { NODES_MAX = 64 }; /* signers have two or three; each costs a signature */

struct node {
	struct gh_cursor signed_data, cert, signature;
	uint32_t parent_algorithm; /* by which it says it was signed */
	uint32_t algorithm; /* by which the next one will be */
};

static bool box(struct gh_cursor *c, struct gh_cursor *ret)
{
	*ret = gh_sub(c, gh_u32(c));
	return !c->bad;
}

static bool node_read(struct gh_cursor c, struct node *n)
{
	if (!box(&c, &n->signed_data))
		return false;
	gh_skip(&c, 4); /* what the old key may still do */
	n->algorithm = gh_u32(&c);
	struct gh_cursor data = n->signed_data;
	bool ok = box(&c, &n->signature) && box(&data, &n->cert);
	n->parent_algorithm = gh_u32(&data);
	return ok && !data.bad && x509_shape(n->cert);
}

static const char *node_verify(const struct node *before, const struct node *n)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	struct gh_cursor spki;
	const struct apk_algorithm *a = apk_algorithm(before->algorithm);
	if (n->parent_algorithm != before->algorithm)
		return "a rotation that names two algorithms for one signature";
	if (!a)
		return "a rotation signed by an algorithm that Android does not know";
	if (!pubkey_of_cert(before->cert, &spki))
		return "a rotation from a certificate that is none";
	struct pubkey key = pubkey_spki(spki);
	const char *why = key.why;
	if (!why && (key.kind != a->key || !digest_data(a->digest, n->signed_data.p, n->signed_data.n, hash) ||
			    !pubkey_verify(&key, a->digest, a->pss, hash, n->signature.p, n->signature.n)))
		why = "a rotation whose signature does not verify";
	pubkey_done(&key);
	return why;
}

static bool same(struct gh_cursor a, struct gh_cursor b)
{
	return gh_str_eq(gh_strn(a.p, a.n), gh_strn(b.p, b.n));
}

bool apk_lineage(
	struct gh_ctx *ctx, struct gh_cursor c, struct gh_cursor own, struct apk_signer *s, struct apk_outcome *o)
{
	struct node nodes[NODES_MAX];
	struct gh_cursor one;
	unsigned n = 0;
	uint64_t at = gh_at(&c);
	if (gh_u32(&c) != 1 || c.bad)
		return apk_fail(ctx, o, APK_FAILED, at, "a proof of rotation of an unknown version");
	for (; gh_left(&c); n++) {
		at = gh_at(&c);
		if (n == NODES_MAX)
			return apk_fail(ctx, o, APK_UNSUPPORTED, at, "more than %d rotations", NODES_MAX);
		if (!box(&c, &one) || !node_read(one, &nodes[n]))
			return apk_fail(ctx, o, APK_FAILED, at, "a malformed proof of rotation");
		const char *why = n ? node_verify(&nodes[n - 1], &nodes[n]) : NULL;
		if (why)
			return apk_fail(ctx, o, APK_FAILED, at, "%s", why);
		for (unsigned k = 0; k < n; k++)
			if (same(nodes[k].cert, nodes[n].cert))
				return apk_fail(
					ctx, o, APK_FAILED, at, "a rotation that returns to an earlier certificate");
	}
	if (!n)
		return apk_fail(ctx, o, APK_FAILED, at, "an empty proof of rotation");
	if (!same(nodes[n - 1].cert, own))
		return apk_fail(
			ctx, o, APK_FAILED, at, "a proof of rotation that does not end at the signer's certificate");
	s->lineage = n;
	s->oldest = nodes[0].cert;
	return true;
}
