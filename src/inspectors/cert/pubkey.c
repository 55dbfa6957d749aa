/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys (RFC 5280 4.1.2.7, RFC 8017 A.1.1) and verification, all of it by libcrypto. Keys under which anything would verify
 * are refused here. */
#include "inspectors/cert/pubkey.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/num.h"

enum {
	EXPONENT_BYTES =
		8, /* real ones are 3, 17 and 65537; libcrypto takes no more than 64 bits above 3,072 bits of modulus */
	RSA_BITS_MIN = 512,
	SPKI_MAX = 64 << 10,
};

static const struct {
	const char *word;
	size_t len;
	const EVP_MD *(*md)(void);
} digests[] = {
	[DIGEST_NONE] = {"none", 0, NULL},
	[DIGEST_MD5] = {"MD5", 16, EVP_md5},
	[DIGEST_SHA1] = {"SHA-1", 20, EVP_sha1},
	[DIGEST_SHA224] = {"SHA-224", 28, EVP_sha224},
	[DIGEST_SHA256] = {"SHA-256", 32, EVP_sha256},
	[DIGEST_SHA384] = {"SHA-384", 48, EVP_sha384},
	[DIGEST_SHA512] = {"SHA-512", 64, EVP_sha512},
};

size_t digest_len(enum digest digest)
{
	return digests[digest].len;
}

const char *digest_word(enum digest digest)
{
	return digests[digest].word;
}

bool digest_data(enum digest digest, const void *p, size_t n, uint8_t ret[PUBKEY_DIGEST_MAX])
{
	return digest != DIGEST_NONE && EVP_Digest(p, n, ret, NULL, digests[digest].md(), NULL) == 1;
}

/* ---- RSA ---- */

static struct gh_cursor number_trim(struct gh_cursor c)
{
	while (gh_left(&c) && !c.p[c.i])
		gh_skip(&c, 1);
	return c;
}

static const char *rsa_refuse(struct gh_cursor n, struct gh_cursor e)
{
	size_t bits = gh_left(&n) * 8;
	if (bits > PUBKEY_BITS_MAX || bits < RSA_BITS_MIN)
		return "an RSA modulus of a size that is not taken";
	if (!(n.p[n.n - 1] & 1))
		return "an even RSA modulus";
	if (!gh_left(&e) || (gh_left(&e) == 1 && e.p[e.i] < 3))
		return "an RSA exponent below 3, under which anything verifies";
	if (!(e.p[e.n - 1] & 1))
		return "an even RSA exponent";
	if (gh_left(&e) > EXPONENT_BYTES)
		return "an RSA exponent of more than 64 bits";
	return NULL;
}

static EVP_PKEY *rsa_make(struct gh_cursor n, struct gh_cursor e)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *bn = BN_bin2bn(n.p + n.i, (int)gh_left(&n), NULL), *be = BN_bin2bn(e.p + e.i, (int)gh_left(&e), NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (bn && be && b && ctx && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) &&
		OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be))
		params = OSSL_PARAM_BLD_to_param(b);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(b);
	BN_free(bn);
	BN_free(be);
	return key;
}

static struct pubkey rsa_take(struct gh_cursor n, struct gh_cursor e)
{
	n = number_trim(n);
	e = number_trim(e);
	const char *why = rsa_refuse(n, e);
	if (why)
		return (struct pubkey){.kind = KEY_RSA, .why = why};
	struct pubkey key = {.kind = KEY_RSA, .key = rsa_make(n, e)};
	if (!key.key)
		key.why = "an RSA key that libcrypto does not take";
	return key;
}

struct pubkey pubkey_rsa(const uint8_t *modulus, size_t n, const uint8_t *exponent, size_t exponent_len)
{
	return rsa_take(gh_cursor(modulus, n, 0), gh_cursor(exponent, exponent_len, 0));
}

/* ---- SubjectPublicKeyInfo ---- */

static bool rsa_parts(struct gh_cursor spki, struct gh_cursor *n, struct gh_cursor *e)
{
	struct der all, algorithm, oid, bits, key, d;
	if (!der_take(&spki, DER_SEQUENCE, &all) || !der_take(&all.body, DER_SEQUENCE, &algorithm) ||
		!der_take(&algorithm.body, DER_OID, &oid) || !der_take(&all.body, DER_BITS, &bits))
		return false;
	if (gh_left(&oid.body) != 9 || memcmp(oid.body.p + oid.body.i, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9) != 0)
		return false;
	if (gh_u8(&bits.body) != 0 || !der_take(&bits.body, DER_SEQUENCE, &key) ||
		!der_take(&key.body, DER_INTEGER, &d))
		return false;
	*n = d.body;
	if (!der_take(&key.body, DER_INTEGER, &d))
		return false;
	*e = d.body;
	return true;
}

/* A curve of a name: parameters that the input makes up cost time and prove nothing. */
static const char *other_refuse(EVP_PKEY *key, struct pubkey *ret)
{
	char name[64];
	size_t n;
	ret->kind = EVP_PKEY_is_a(key, "EC") ? KEY_EC : EVP_PKEY_is_a(key, "DSA") ? KEY_DSA : KEY_OTHER;
	if (ret->kind == KEY_EC && EVP_PKEY_get_group_name(key, name, sizeof name, &n) != 1)
		return "an elliptic curve without a name";
	if (ret->kind == KEY_DSA && EVP_PKEY_get_bits(key) > 8192)
		return "a DSA key of more than 8,192 bits";
	return NULL;
}

struct pubkey pubkey_spki(struct gh_cursor c)
{
	struct gh_cursor n, e;
	struct pubkey ret = {.why = "no public key where one must be"};
	if (gh_left(&c) > SPKI_MAX)
		return (struct pubkey){.why = "a public key of more than 64 KiB"};
	if (rsa_parts(c, &n, &e))
		return rsa_take(n, e);
	const uint8_t *p = c.p + c.i;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)gh_left(&c));
	if (key) {
		ret.why = other_refuse(key, &ret);
		ret.key = key;
		if (ret.why)
			pubkey_done(&ret);
	}
	ERR_clear_error();
	return ret;
}

void pubkey_done(struct pubkey *key)
{
	EVP_PKEY_free(key->key);
	key->key = NULL;
}

bool pubkey_of_cert(struct gh_cursor cert, struct gh_cursor *ret)
{
	struct der all, tbs, d;
	if (!der_take(&cert, DER_SEQUENCE, &all) || !der_take(&all.body, DER_SEQUENCE, &tbs))
		return false;
	(void)der_take(&tbs.body, DER_CONTEXT_0, &d);
	/* serial, algorithm, issuer, validity, subject */
	static const uint8_t before[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE};
	for (size_t i = 0; i < GH_COUNT(before); i++)
		if (!der_take(&tbs.body, before[i], &d))
			return false;
	if (!der_take(&tbs.body, DER_SEQUENCE, &d))
		return false;
	*ret = d.whole;
	return true;
}

static bool same(struct gh_cursor a, struct gh_cursor b)
{
	return gh_str_eq(gh_strn(a.p + a.i, gh_left(&a)), gh_strn(b.p + b.i, gh_left(&b)));
}

bool pubkey_same(struct gh_cursor a, struct gh_cursor b)
{
	struct gh_cursor an, ae, bn, be;
	if (same(a, b))
		return true;
	return rsa_parts(a, &an, &ae) && rsa_parts(b, &bn, &be) && same(number_trim(an), number_trim(bn)) &&
	       same(number_trim(ae), number_trim(be));
}

/* ---- signatures ---- */

bool pubkey_verify(
	const struct pubkey *key, enum digest digest, bool pss, const uint8_t *hash, const uint8_t *sig, size_t n)
{
	if (!key->key || digest == DIGEST_NONE || (pss && key->kind != KEY_RSA))
		return false;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->key, NULL);
	bool ok = ctx && EVP_PKEY_verify_init(ctx) == 1;
	if (ok && key->kind == KEY_RSA)
		ok = EVP_PKEY_CTX_set_rsa_padding(ctx, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
	ok = ok && EVP_PKEY_CTX_set_signature_md(ctx, digests[digest].md()) == 1;
	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_PKEY_verify(ctx, sig, n, hash, digests[digest].len) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool pubkey_verify_bare(const struct pubkey *key, const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t n)
{
	if (!key->key || key->kind != KEY_RSA)
		return false;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->key, NULL);
	bool ok = ctx && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		  EVP_PKEY_verify(ctx, sig, n, hash, hash_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool pubkey_sha256(const struct pubkey *key, uint8_t ret[PUBKEY_DIGEST_MAX])
{
	uint8_t *der = NULL;
	int n = key->key ? i2d_PUBKEY(key->key, &der) : 0;
	bool ok = n > 0 && digest_data(DIGEST_SHA256, der, (size_t)n, ret);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok;
}

size_t pubkey_der(const struct pubkey *key, uint8_t *ret, size_t cap)
{
	uint8_t *der = NULL;
	int n = key->key ? i2d_PUBKEY(key->key, &der) : 0;
	size_t fits = n > 0 && (size_t)n <= cap ? (size_t)n : 0;
	if (fits)
		memcpy(ret, der, fits);
	OPENSSL_free(der);
	ERR_clear_error();
	return fits;
}
