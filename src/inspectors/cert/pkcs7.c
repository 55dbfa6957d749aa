/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#7 SignedData (RFC 2315, RFC 5652) as JAR signatures use it: its certificates, and which of them sign. */
#include <openssl/x509.h>

#include "base/num.h"
#include "inspectors/cert/cert.h"

enum { SIGNERS_MAX = 256 }; /* an APK has one, at most ten */

/* What a SignerInfo names. */
struct named {
	uint64_t at;
	struct gh_cursor issuer; /* a Name, whole */
	struct gh_cursor serial; /* the integer's bytes */
	struct gh_cursor key_id; /* instead of the two, in CMS */
};

struct signed_data {
	struct gh_cursor certs;
	struct named *signers;
	size_t n_signers;
	bool found_certs;
};

/* What of a certificate a SignerInfo may name. */
struct cert {
	struct der whole;
	struct gh_cursor serial, issuer, key_id;
	bool issuer_fits; /* scratch of match() */
	bool signs;
};

static bool is_oid(const struct der *d, const char *bytes, size_t n)
{
	return gh_left(&d->body) == n && !memcmp(d->body.p + d->body.i, bytes, n);
}

static bool content_open(struct gh_cursor c, struct gh_cursor *ret)
{
	struct der all, type, content, data;
	if (!der_take(&c, DER_SEQUENCE, &all) || !der_take(&all.body, DER_OID, &type) ||
		!is_oid(&type, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9))
		return false;
	if (!der_take(&all.body, DER_CONTEXT_0, &content) || !der_take(&content.body, DER_SEQUENCE, &data))
		return false;
	*ret = data.body;
	return true;
}

bool pkcs7_shape(struct gh_cursor c)
{
	struct gh_cursor data;
	return content_open(c, &data);
}

static bool signer_read(struct gh_cursor c, struct named *ret)
{
	struct der version, id, issuer, serial;
	*ret = (struct named){.at = gh_at(&c)};
	if (!der_take(&c, DER_INTEGER, &version))
		return false;
	if (der_take(&c, 0x80, &id) || (der_take(&c, DER_CONTEXT_0, &id) && der_take(&id.body, DER_OCTETS, &id))) {
		ret->key_id = id.body;
		return true;
	}
	if (!der_take(&c, DER_SEQUENCE, &id) || !der_take(&id.body, DER_SEQUENCE, &issuer) ||
		!der_take(&id.body, DER_INTEGER, &serial))
		return false;
	ret->issuer = issuer.whole;
	ret->serial = serial.body;
	return true;
}

static enum gh_code signers_read(struct gh_ctx *ctx, struct gh_cursor c, struct signed_data *s, struct gh_err *err)
{
	struct der info;
	s->signers = gh_alloc_array(ctx->arena, SIGNERS_MAX, sizeof *s->signers);
	if (!s->signers)
		return gh_fail(err, GH_NOMEM, gh_at(&c), "no memory for signers");
	while (der_next(&c, &info)) {
		if (s->n_signers == SIGNERS_MAX) {
			gh_note(ctx, GH_LIMIT, gh_at(&info.whole), "more than %d signers", SIGNERS_MAX);
			return GH_OK;
		}
		if (info.tag == DER_SEQUENCE && signer_read(info.body, &s->signers[s->n_signers]))
			s->n_signers++;
		else
			gh_note(ctx, GH_BAD, gh_at(&info.whole), "a signer that names no certificate");
	}
	if (c.bad)
		gh_note(ctx, GH_BAD, gh_at(&c), "a signer that does not fit");
	return GH_OK;
}

/* version, digest algorithms, content, [0] certificates, [1] revocation lists, signers. */
static enum gh_code data_read(struct gh_ctx *ctx, struct gh_cursor c, struct signed_data *s, struct gh_err *err)
{
	struct der version, algorithms, content, part;
	if (!der_take(&c, DER_INTEGER, &version) || !der_take(&c, DER_SET, &algorithms) ||
		!der_take(&c, DER_SEQUENCE, &content))
		return gh_fail(err, GH_BAD, gh_at(&c), "signed data that does not begin as such");
	if (der_take(&c, DER_CONTEXT_0, &part)) {
		s->certs = part.body;
		s->found_certs = true;
	}
	(void)der_take(&c, DER_CONTEXT_1, &part);
	if (der_take(&c, DER_SET, &part))
		return signers_read(ctx, part.body, s, err);
	gh_note(ctx, GH_BAD, gh_at(&c), "signed data without signers");
	return GH_OK;
}

/* subjectKeyIdentifier (2.5.29.14) among the extensions. */
static void key_id_find(struct gh_cursor tbs, struct cert *ret)
{
	struct der d, list, ext, oid, skip, value;
	while (der_next(&tbs, &d))
		if (d.tag == 0xa3 && der_take(&d.body, DER_SEQUENCE, &list))
			while (der_take(&list.body, DER_SEQUENCE, &ext)) {
				if (!der_take(&ext.body, DER_OID, &oid) || !is_oid(&oid, "\x55\x1d\x0e", 3))
					continue;
				(void)der_take(&ext.body, 0x01, &skip); /* critical */
				if (der_take(&ext.body, DER_OCTETS, &value) &&
					der_take(&value.body, DER_OCTETS, &value))
					ret->key_id = value.body;
			}
}

static bool cert_read(const struct der *whole, struct cert *ret)
{
	struct gh_cursor c = whole->body;
	struct der tbs, version, serial, algorithm, issuer;
	*ret = (struct cert){.whole = *whole};
	if (!der_take(&c, DER_SEQUENCE, &tbs))
		return false;
	(void)der_take(&tbs.body, DER_CONTEXT_0, &version);
	if (!der_take(&tbs.body, DER_INTEGER, &serial) || !der_take(&tbs.body, DER_SEQUENCE, &algorithm) ||
		!der_take(&tbs.body, DER_SEQUENCE, &issuer))
		return false;
	ret->serial = serial.body;
	ret->issuer = issuer.whole;
	key_id_find(tbs.body, ret);
	return true;
}

static bool same(struct gh_cursor a, struct gh_cursor b)
{
	return gh_str_eq(gh_strn(a.p + a.i, gh_left(&a)), gh_strn(b.p + b.i, gh_left(&b)));
}

/* Leading zeros do not make another number. */
static bool same_number(struct gh_cursor a, struct gh_cursor b)
{
	while (gh_left(&a) > 1 && !a.p[a.i])
		gh_skip(&a, 1);
	while (gh_left(&b) > 1 && !b.p[b.i])
		gh_skip(&b, 1);
	return same(a, b);
}

static X509_NAME *name_read(struct gh_cursor c)
{
	const uint8_t *p = c.p + c.i;
	return gh_left(&c) <= X509_CERT_MAX ? d2i_X509_NAME(NULL, &p, (long)gh_left(&c)) : NULL;
}

/* Equal as RFC 5280 compares names: signers write other string types, blanks and cases than the certificate has. */
static bool same_name(struct gh_cursor a, struct gh_cursor b)
{
	if (same(a, b))
		return true;
	X509_NAME *x = name_read(a), *y = name_read(b);
	bool equal = x && y && X509_NAME_cmp(x, y) == 0;
	X509_NAME_free(x);
	X509_NAME_free(y);
	return equal;
}

bool pkcs7_names(struct gh_cursor issuer, struct gh_cursor serial, struct gh_cursor cert)
{
	struct der whole;
	struct cert c;
	return der_take(&cert, DER_SEQUENCE, &whole) && cert_read(&whole, &c) && same_number(serial, c.serial) &&
	       same_name(issuer, c.issuer);
}

/* Marks the certificate that `who` names: serial and issuer, or else the only one with that serial. */
static enum gh_code match(struct gh_ctx *ctx, const struct named *who, struct cert *certs, size_t n, struct gh_err *err)
{
	struct cert *only = NULL;
	size_t serials = 0, fits = 0;
	enum gh_code code = gh_spend_steps(ctx->budget, n, who->at, err);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		struct cert *c = &certs[i];
		if (who->key_id.p) {
			bool is = c->key_id.p && same(who->key_id, c->key_id);
			c->signs |= is;
			fits += is;
			continue;
		}
		if (!same_number(who->serial, c->serial))
			continue;
		serials++;
		only = c;
		code = gh_spend_steps(ctx->budget, gh_left(&who->issuer) + gh_left(&c->issuer), who->at, err);
		if (code)
			return code;
		if (same_name(who->issuer, c->issuer)) {
			c->signs = true;
			fits++;
		}
	}
	if (!fits && serials == 1) {
		only->signs = true;
		gh_note(ctx, GH_BAD, who->at,
			"a signer names its certificate's issuer otherwise than the certificate: found by its serial "
			"number");
	} else if (!fits) {
		gh_note(ctx, GH_BAD, who->at, "a signer whose certificate is not there");
	}
	return GH_OK;
}

/* All certificates of the set; *ret of *ret_n. */
static enum gh_code certs_read(
	struct gh_ctx *ctx, struct gh_cursor c, struct cert **ret, size_t *ret_n, struct gh_err *err)
{
	size_t n = 0;
	struct der d;
	struct gh_cursor count = c;
	while (n < X509_CERTS_MAX && der_next(&count, &d))
		n++;
	struct cert *list = gh_alloc_array(ctx->arena, n, sizeof *list);
	if (!list)
		return gh_fail(err, GH_NOMEM, gh_at(&c), "no memory for %zu certificates", n);
	*ret = list;
	*ret_n = 0;
	for (size_t i = 0; i < n && der_next(&c, &d); i++) {
		if (d.tag == DER_SEQUENCE && cert_read(&d, &list[*ret_n]))
			++*ret_n;
		else
			gh_note(ctx, GH_BAD, gh_at(&d.whole), "not a certificate among the certificates");
	}
	if (count.bad)
		gh_note(ctx, GH_BAD, gh_at(&count), "a certificate that does not fit");
	else if (gh_left(&c))
		gh_note(ctx, GH_LIMIT, gh_at(&c), "more than %d certificates", X509_CERTS_MAX);
	return GH_OK;
}

enum gh_code pkcs7_read(struct gh_ctx *ctx, struct gh_cursor c, bool fixed, uint64_t at, struct gh_err *err)
{
	struct signed_data s = {0};
	struct cert *certs = NULL;
	size_t n = 0;
	struct gh_cursor data;
	if (!content_open(c, &data))
		return gh_fail(err, GH_BAD, gh_at(&c), "no PKCS#7 signed data");
	enum gh_code code = data_read(ctx, data, &s, err);
	if (code == GH_OK && s.found_certs)
		code = certs_read(ctx, s.certs, &certs, &n, err);
	for (size_t i = 0; i < s.n_signers && code == GH_OK; i++)
		code = match(ctx, &s.signers[i], certs, n, err);
	for (size_t i = 0; i < n && code == GH_OK; i++) {
		struct gh_cursor w = certs[i].whole.whole;
		(void)x509_emit(
			ctx, w, fixed ? at : gh_at(&w), "pkcs7", certs[i].signs ? X509_SIGNER : X509_NOT_SIGNER);
	}
	return code;
}
