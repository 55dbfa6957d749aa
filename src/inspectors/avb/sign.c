/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of a vbmeta structure, as libavb checks it (avb_vbmeta_image_verify, avb_rsa_verify): the hash over header and
 * auxiliary block, and PKCS#1 v1.5 under the key that the structure itself carries. Whether that key is the right one is another
 * question. */
#include "inspectors/avb/sign.h"

#include <openssl/bn.h>

#include "base/num.h"

static bool fail(struct avb_verdict *v, const char *state, uint64_t at, const char *why)
{
	if (!v->why)
		*v = (struct avb_verdict){.state = state, .why = why, .at = at};
	return false;
}

/* The numbers beside the modulus spare the boot loader a division: -1/n modulo 2^32, and 2^(2 bits) modulo n. With others it computes
 * something else than what is checked here. */
static bool helpers_fit(const uint8_t *n, const uint8_t *rr, size_t len, uint32_t n0inv)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *mod = BN_bin2bn(n, (int)len, NULL), *said = BN_bin2bn(rr, (int)len, NULL), *want = BN_new();
	bool ok = ctx && mod && said && want && !BN_is_zero(mod);
	ok = ok && BN_set_bit(want, (int)len * 16) && BN_mod(want, want, mod, ctx) && BN_cmp(want, said) == 0;
	struct gh_cursor low = gh_cursor(n + len - 4, 4, 0);
	ok = ok && gh_u32be(&low) * n0inv == UINT32_MAX;
	BN_free(mod);
	BN_free(said);
	BN_free(want);
	BN_CTX_free(ctx);
	return ok;
}

static bool key_read(struct gh_cursor c, uint32_t bits, struct avb_verdict *v, struct pubkey *ret)
{
	uint64_t at = gh_at(&c);
	uint32_t said = gh_u32be(&c), n0inv = gh_u32be(&c);
	size_t len = bits / 8;
	const uint8_t *n = gh_bytes(&c, len), *rr = gh_bytes(&c, len);
	if (c.bad || gh_left(&c) || said != bits)
		return fail(v, "failed", at, "a public key of another size than the algorithm's");
	if (!helpers_fit(n, rr, len, n0inv))
		return fail(v, "failed", at, "numbers beside the modulus that do not belong to it");
	*ret = pubkey_rsa(n, len, (const uint8_t *)"\1\0\1", 3);
	return !ret->why || fail(v, "failed", at, ret->why);
}

struct avb_verdict avb_verify(const struct avb_signed *s)
{
	struct avb_verdict v = {.state = "verified"};
	struct pubkey key = {0};
	uint8_t hash[PUBKEY_DIGEST_MAX];
	if (!s->algorithm) {
		(void)fail(&v, "unsigned", s->at, "not signed");
		return v;
	}
	if (s->algorithm >= AVB_ALGORITHMS) {
		(void)fail(&v, "unsupported", s->at + 28,
			s->algorithm <= AVB_ML_DSA_LAST ? "signed by ML-DSA, which is not verified here"
							: "an algorithm that is not known");
		return v;
	}
	enum digest digest = s->algorithm <= 3 ? DIGEST_SHA256 : DIGEST_SHA512;
	uint32_t bits = 2048u << (s->algorithm - 1) % 3;
	if (gh_left(&s->hash) != digest_len(digest) || gh_left(&s->signature) != bits / 8)
		(void)fail(&v, "failed", s->at + 32, "a hash or a signature of another size than the algorithm's");
	else if (!digest_data(digest, s->data, s->n, hash))
		(void)fail(&v, "unsupported", s->at, "the hash could not be computed");
	else if (memcmp(hash, s->hash.p + s->hash.i, digest_len(digest)) != 0)
		(void)fail(&v, "failed", gh_at(&s->hash), "the structure is not what was signed: its hash is another");
	else if (key_read(s->key, bits, &v, &key) &&
		 !pubkey_verify(&key, digest, false, hash, s->signature.p + s->signature.i, gh_left(&s->signature)))
		(void)fail(&v, "failed", gh_at(&s->signature), "the signature does not verify");
	pubkey_done(&key);
	return v;
}
