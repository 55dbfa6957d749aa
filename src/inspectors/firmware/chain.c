/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of X.509 certificates (RFC 5280) that lie one behind the other in firmware, the signer's first, filled up with FF. */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "inspectors/cert/x509.h"
#include "inspectors/firmware/sign.h"

static X509 *parse(struct gh_cursor c)
{
	const uint8_t *p = c.p + c.i;
	return gh_left(&c) <= X509_CERT_MAX ? d2i_X509(NULL, &p, (long)gh_left(&c)) : NULL;
}

/* A key that nothing here would take signs nothing. */
static bool signed_by(struct gh_cursor cert, struct gh_cursor issuer)
{
	struct gh_cursor spki;
	X509 *a = parse(cert), *b = parse(issuer);
	bool ok = a && b && X509_NAME_cmp(X509_get_issuer_name(a), X509_get_subject_name(b)) == 0 &&
		  pubkey_of_cert(issuer, &spki);
	if (ok) {
		struct pubkey key = pubkey_spki(spki);
		ok = key.key && X509_verify(a, key.key) == 1;
		pubkey_done(&key);
	}
	X509_free(a);
	X509_free(b);
	ERR_clear_error();
	return ok;
}

/* From the signer up, each by one of those behind it, to one that signed itself. */
static enum gh_code chain_hold(struct gh_ctx *ctx, struct chain *c, struct gh_err *err)
{
	size_t i = 0;
	while (i < c->n && !signed_by(c->cert[i], c->cert[i])) {
		size_t up = i + 1;
		for (; up < c->n; up++) {
			enum gh_code code = gh_spend_steps(ctx->budget, 1024, gh_at(&c->cert[up]), err);
			if (code)
				return code;
			if (signed_by(c->cert[i], c->cert[up]))
				break;
		}
		i = up;
	}
	c->holds = i < c->n;
	c->root = c->holds ? i : 0;
	return GH_OK;
}

enum gh_code chain_read(struct gh_ctx *ctx, struct gh_cursor c, struct chain *ret, struct gh_err *err)
{
	struct der d;
	*ret = (struct chain){0};
	while (ret->n < CHAIN_MAX && gh_left(&c) && der_take(&c, DER_SEQUENCE, &d)) {
		enum x509_signer signer = ret->n ? X509_NOT_SIGNER : X509_SIGNER;
		if (x509_emit(ctx, d.whole, gh_at(&d.whole), "firmware", signer) == GH_OK)
			ret->cert[ret->n++] = d.whole;
	}
	return chain_hold(ctx, ret, err);
}

struct gh_str chain_subject(struct gh_ctx *ctx, struct gh_cursor cert)
{
	X509 *x = parse(cert);
	char *text = NULL;
	BIO *bio = x ? BIO_new(BIO_s_mem()) : NULL;
	struct gh_str ret = GH_NONE;
	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(bio, &text);
		ret = gh_str_dup(ctx->arena, gh_strn(text, n > 0 ? (size_t)n : 0));
	}
	BIO_free(bio);
	X509_free(x);
	ERR_clear_error();
	return ret;
}

static bool unit_is(struct gh_str s, const char *word, uint8_t ret[8])
{
	if (s.n != 3 + 16 + 1 + strlen(word) || s.p[2] != ' ' || s.p[19] != ' ' ||
		memcmp(s.p + 20, word, strlen(word)) != 0)
		return false;
	for (size_t i = 0; i < 8; i++) {
		uint64_t byte;
		if (!gh_str_u64(gh_strn(s.p + 3 + 2 * i, 2), 16, &byte))
			return false;
		ret[i] = (uint8_t)byte;
	}
	return true;
}

bool chain_unit(struct gh_cursor cert, const char *word, uint8_t ret[8])
{
	X509 *x = parse(cert);
	bool found = false;
	int i = -1;
	const X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
	while (name && !found && (i = X509_NAME_get_index_by_NID(name, NID_organizationalUnitName, i)) >= 0) {
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
		found = unit_is(gh_strn(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)), word, ret);
	}
	X509_free(x);
	return found;
}
