/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates (RFC 5280) through libcrypto. Parsing only: nothing is verified, no file is opened. */
#include "inspectors/cert/x509.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/num.h"

bool x509_shape(struct gh_cursor c)
{
	struct der all, tbs, algorithm, signature;
	return der_take(&c, DER_SEQUENCE, &all) && der_take(&all.body, DER_SEQUENCE, &tbs) &&
	       der_take(&all.body, DER_SEQUENCE, &algorithm) && der_take(&all.body, DER_BITS, &signature) &&
	       !gh_left(&all.body);
}

struct gh_str x509_digest(struct gh_ctx *ctx, const uint8_t *p, size_t n)
{
	uint8_t md[SHA256_DIGEST_LENGTH];
	SHA256(p, n, md);
	return gh_hex(ctx->arena, md, sizeof md);
}

/* RFC 2253: the most specific part first, UTF-8 as it is, unknown types as numbers with the value in hexadecimal. */
static struct gh_str name_text(struct gh_ctx *ctx, const X509_NAME *name)
{
	struct gh_str s = GH_NONE;
	char *p;
	BIO *out = BIO_new(BIO_s_mem());
	if (!out)
		return s;
	if (X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(out, &p);
		s = gh_str_dup(ctx->arena, n > 0 ? gh_strn(p, (size_t)n) : GH_STR(""));
	}
	BIO_free(out);
	return s;
}

static struct gh_str serial_text(struct gh_ctx *ctx, const ASN1_INTEGER *serial)
{
	const uint8_t *p = ASN1_STRING_get0_data(serial);
	int n = ASN1_STRING_length(serial);
	struct gh_str hex = n > 0 ? gh_hex(ctx->arena, p, (size_t)n) : GH_STR("00");
	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER && hex.p)
		return gh_str_fmt(ctx->arena, "-%.*s", (int)hex.n, hex.p);
	return hex;
}

static struct gh_str time_text(struct gh_ctx *ctx, const ASN1_TIME *t, uint64_t at)
{
	struct tm tm = {0};
	if (!ASN1_TIME_to_tm(t, &tm)) {
		gh_note(ctx, GH_BAD, at, "a certificate's time that is no time");
		return GH_NONE;
	}
	return gh_str_fmt(ctx->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The long name that OpenSSL gives an algorithm, or its numbers. */
static struct gh_str object_text(struct gh_ctx *ctx, const ASN1_OBJECT *o)
{
	char buf[160];
	int n = OBJ_obj2txt(buf, sizeof buf, o, 0);
	return n > 0 ? gh_str_dup(ctx->arena, gh_strn(buf, gh_min((uint64_t)n, sizeof buf - 1))) : GH_NONE;
}

static const struct {
	int type;
	const char *word;
} key_words[] = {{EVP_PKEY_RSA, "RSA"}, {EVP_PKEY_RSA_PSS, "RSA-PSS"}, {EVP_PKEY_DSA, "DSA"}, {EVP_PKEY_EC, "EC"},
	{EVP_PKEY_ED25519, "Ed25519"}, {EVP_PKEY_ED448, "Ed448"}, {EVP_PKEY_DH, "DH"}, {EVP_PKEY_X25519, "X25519"},
	{EVP_PKEY_X448, "X448"}};

/* For signatures over contents that lie elsewhere: DERIVE brings them together. */
static void spki_read(struct gh_ctx *ctx, X509 *x, EVP_PKEY *key, struct gh_row_certs *r)
{
	enum { SPKI_MAX = 1200 }; /* RSA of 8,192 bits has some 1,060 bytes */
	uint8_t *der = NULL;
	if (!key || !(EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC")))
		return;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	if (n > 0 && n <= SPKI_MAX)
		r->spki = gh_hex(ctx->arena, der, (size_t)n);
	OPENSSL_free(der);
}

static void key_read(struct gh_ctx *ctx, X509 *x, uint64_t at, struct gh_row_certs *r)
{
	ASN1_OBJECT *algorithm = NULL;
	X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(x));
	int type = EVP_PKEY_type(OBJ_obj2nid(algorithm));
	r->key_type = object_text(ctx, algorithm);
	for (size_t i = 0; i < GH_COUNT(key_words); i++)
		if (key_words[i].type == type)
			r->key_type = gh_str(key_words[i].word);
	EVP_PKEY *key = X509_get0_pubkey(x);
	r->key_bits = key ? EVP_PKEY_get_bits(key) : GH_NULL;
	spki_read(ctx, x, key, r);
	if (!key)
		gh_note(ctx, type ? GH_BAD : GH_UNSUP, at, "a certificate's key that libcrypto does not take");
}

static int64_t says_ca(const X509 *x)
{
	BASIC_CONSTRAINTS *b = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
	int64_t ca = b ? b->ca != 0 : GH_NULL;
	BASIC_CONSTRAINTS_free(b);
	return ca;
}

static void fill(struct gh_ctx *ctx, X509 *x, uint64_t at, struct gh_row_certs *r)
{
	const X509_ALGOR *sigalg;
	const ASN1_OBJECT *o;
	r->subject = name_text(ctx, X509_get_subject_name(x));
	r->issuer = name_text(ctx, X509_get_issuer_name(x));
	r->serial = serial_text(ctx, X509_get0_serialNumber(x));
	r->not_before = time_text(ctx, X509_get0_notBefore(x), at);
	r->not_after = time_text(ctx, X509_get0_notAfter(x), at);
	key_read(ctx, x, at, r);
	X509_get0_signature(NULL, &sigalg, x);
	X509_ALGOR_get0(&o, NULL, NULL, sigalg);
	r->sigalg = object_text(ctx, o);
	r->is_ca = says_ca(x);
	r->self_signed = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

enum gh_code x509_emit(
	struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, const char *container, enum x509_signer signer)
{
	const uint8_t *from = c.p + c.i, *p = from;
	size_t n = gh_left(&c);
	if (n > X509_CERT_MAX) {
		gh_note(ctx, GH_LIMIT, at, "a certificate of %zu bytes, more than %d", n, X509_CERT_MAX);
		return GH_LIMIT;
	}
	X509 *x = d2i_X509(NULL, &p, (long)n);
	if (!x) {
		gh_note(ctx, GH_BAD, at, "no X.509 certificate, though it is shaped like one");
		return GH_BAD;
	}
	if ((size_t)(p - from) != n)
		gh_note(ctx, GH_BAD, at + (uint64_t)(p - from), "%zu bytes behind a certificate",
			n - (size_t)(p - from));
	struct gh_row_certs r = {.container = gh_str(container),
		.sha256 = x509_digest(ctx, from, n),
		.signer = signer == X509_SIGNER_UNKNOWN ? GH_NULL : signer};
	fill(ctx, x, at, &r);
	X509_free(x);
	ctx->ops->emit(ctx, GH_T_certs, at, &r);
	return GH_OK;
}
