/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#7 SignedData (RFC 2315) over a content that lies elsewhere, as JAR signatures and update packages have it: each SignerInfo
 * verified as Android's verifier does. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/num.h"
#include "inspectors/cert/cert.h"
#include "inspectors/cert/signed.h"

enum { CERTS_MAX = 256 };

static bool is(struct gh_cursor c, const char *oid, size_t n)
{
	return gh_left(&c) == n && !memcmp(c.p + c.i, oid, n);
}

#define OID(c, text) is((c), (text), sizeof(text) - 1)

/* ---- algorithms ---- */

static enum digest digest_of(struct gh_cursor oid)
{
	static const enum digest nist[] = {DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_SHA224};
	if (OID(oid, "\x2b\x0e\x03\x02\x1a"))
		return DIGEST_SHA1;
	if (OID(oid, "\x2a\x86\x48\x86\xf7\x0d\x02\x05"))
		return DIGEST_MD5;
	const uint8_t *p = oid.p + oid.i;
	if (gh_left(&oid) == 9 && !memcmp(p, "\x60\x86\x48\x01\x65\x03\x04\x02", 8) && p[8] < GH_COUNT(nist))
		return nist[p[8]];
	return DIGEST_NONE;
}

static const struct {
	const char *oid;
	size_t n;
	int key;
	enum digest digest;
} signature_oids[] = {
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, 'R', DIGEST_NONE},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", 9, 'R', DIGEST_MD5},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 9, 'R', DIGEST_SHA1},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", 9, 'R', DIGEST_SHA224},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9, 'R', DIGEST_SHA256},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9, 'R', DIGEST_SHA384},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9, 'R', DIGEST_SHA512},
	{"\x2a\x86\x48\xce\x38\x04\x01", 7, 'D', DIGEST_NONE},
	{"\x2a\x86\x48\xce\x38\x04\x03", 7, 'D', DIGEST_SHA1},
	{"\x60\x86\x48\x01\x65\x03\x04\x03\x01", 9, 'D', DIGEST_SHA224},
	{"\x60\x86\x48\x01\x65\x03\x04\x03\x02", 9, 'D', DIGEST_SHA256},
	{"\x2a\x86\x48\xce\x3d\x02\x01", 7, 'E', DIGEST_NONE},
	{"\x2a\x86\x48\xce\x3d\x04\x01", 7, 'E', DIGEST_SHA1},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x01", 8, 'E', DIGEST_SHA224},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8, 'E', DIGEST_SHA256},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8, 'E', DIGEST_SHA384},
	{"\x2a\x86\x48\xce\x3d\x04\x03\x04", 8, 'E', DIGEST_SHA512},
};

static void signature_of(struct gh_cursor oid, struct signed_info *i)
{
	for (size_t k = 0; k < GH_COUNT(signature_oids); k++)
		if (is(oid, signature_oids[k].oid, signature_oids[k].n)) {
			i->key = signature_oids[k].key;
			i->combined = signature_oids[k].digest;
		}
}

/* ---- SignerInfo ---- */

struct parts {
	struct gh_cursor issuer, serial;
	struct der attributes; /* as [0]; whole.p NULL: none */
	struct gh_cursor signature;
};

static bool info_parse(struct gh_cursor c, struct parts *p, struct signed_info *i)
{
	struct der d, sid, alg, oid;
	if (!der_take(&c, DER_INTEGER, &d) || !der_take(&c, DER_SEQUENCE, &sid) ||
		!der_take(&sid.body, DER_SEQUENCE, &d))
		return false;
	p->issuer = d.whole;
	if (!der_take(&sid.body, DER_INTEGER, &d))
		return false;
	p->serial = d.body;
	if (!der_take(&c, DER_SEQUENCE, &alg) || !der_take(&alg.body, DER_OID, &oid))
		return false;
	i->digest = digest_of(oid.body);
	if (der_take(&c, DER_CONTEXT_0, &p->attributes))
		i->attributes = true;
	if (!der_take(&c, DER_SEQUENCE, &alg) || !der_take(&alg.body, DER_OID, &oid) || !der_take(&c, DER_OCTETS, &d))
		return false;
	signature_of(oid.body, i);
	p->signature = d.body;
	return true;
}

/* How many values the attributes with that OID have; *ret is one of them. */
static unsigned attribute_find(struct gh_cursor c, const char *oid, size_t n, uint8_t tag, struct gh_cursor *ret)
{
	struct der a, type, set, value;
	unsigned found = 0;
	while (der_take(&c, DER_SEQUENCE, &a))
		if (der_take(&a.body, DER_OID, &type) && is(type.body, oid, n) && der_take(&a.body, DER_SET, &set))
			for (; der_take(&set.body, tag, &value); found++)
				*ret = value.body;
	return found;
}

/* Extensions that forbid what is done here. */
static const char *cert_refuse(struct gh_cursor cert)
{
	if (gh_left(&cert) > X509_CERT_MAX)
		return "a certificate larger than is read";
	const uint8_t *p = cert.p + cert.i;
	X509 *x = d2i_X509(NULL, &p, (long)gh_left(&cert));
	const char *why = x ? NULL : "a signer's certificate that is none";
	if (x && (X509_get_extension_flags(x) & EXFLAG_CRITICAL))
		why = "a critical extension in the certificate that is not known";
	if (x && !(X509_get_key_usage(x) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		why = "a certificate whose key may not sign";
	X509_free(x);
	ERR_clear_error();
	return why;
}

/* What the signature is over: the file, or attributes that hold its digest. */
static bool signed_hash(struct signed_info *i, const struct parts *p, const struct signed_content *content,
	enum digest with, uint8_t *hash)
{
	struct gh_cursor type, sum;
	uint8_t file[PUBKEY_DIGEST_MAX];
	if (!i->attributes)
		return content->digest(content, with, hash);
	unsigned types = attribute_find(p->attributes.body, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", 9, DER_OID, &type);
	unsigned sums = attribute_find(p->attributes.body, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", 9, DER_OCTETS, &sum);
	i->no_type = !types;
	i->wrong_type = types && !OID(type, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
	if (sums != 1 || types > 1) {
		i->fatal = sums ? "a signed attribute that is there twice" : "signed attributes without a digest";
		return false;
	}
	if (!content->digest(content, i->digest, file) || gh_left(&sum) != digest_len(i->digest) ||
		memcmp(sum.p + sum.i, file, gh_left(&sum)) != 0)
		return false;
	/* Signed is the SET OF that the attributes are, not the [0] under which they lie here. */
	struct gh_cursor whole = p->attributes.whole;
	uint8_t *copy = OPENSSL_memdup(whole.p + whole.i, gh_left(&whole));
	if (!copy)
		return false;
	copy[0] = DER_SET;
	bool ok = digest_data(with, copy, gh_left(&whole), hash);
	OPENSSL_free(copy);
	return ok;
}

static void info_verify(struct signed_info *i, const struct parts *p, const struct signed_content *content)
{
	struct gh_cursor spki;
	uint8_t hash[PUBKEY_DIGEST_MAX];
	enum digest with = i->combined == DIGEST_NONE ? i->digest : i->combined;
	i->fatal = cert_refuse(i->cert);
	if (i->fatal)
		return;
	if (!pubkey_of_cert(i->cert, &spki)) {
		i->fatal = "a certificate without a key";
		return;
	}
	struct pubkey key = pubkey_spki(spki);
	int kind = key.kind == KEY_RSA ? 'R' : key.kind == KEY_DSA ? 'D' : key.kind == KEY_EC ? 'E' : 0;
	if (key.why || kind != i->key)
		i->fatal = key.why ? key.why : "a key of another kind than the signature's algorithm";
	else if (signed_hash(i, p, content, with, hash))
		i->ok = pubkey_verify(&key, with, false, hash, p->signature.p + p->signature.i, gh_left(&p->signature));
	pubkey_done(&key);
}

static void info_read(struct gh_ctx *ctx, const struct der *d, struct gh_cursor certs,
	const struct signed_content *content, struct signed_info *i)
{
	struct parts p = {0};
	struct der one;
	i->at = gh_at(&d->whole);
	if (!info_parse(d->body, &p, i)) {
		i->fatal = "a signer that cannot be read";
		return;
	}
	for (unsigned n = 0; n < CERTS_MAX && !i->cert.p && der_next(&certs, &one); n++) {
		if (gh_spend_steps(ctx->budget, 1 + gh_left(&one.body) / 64, i->at, NULL))
			break;
		if (pkcs7_names(p.issuer, p.serial, one.whole))
			i->cert = one.whole;
	}
	if (!i->cert.p)
		i->fatal = "a signer whose certificate is not there";
	else if (i->key && i->digest != DIGEST_NONE)
		info_verify(i, &p, content);
}

void signed_infos_read(
	struct gh_ctx *ctx, struct gh_cursor c, const struct signed_content *content, struct signed_infos *ret)
{
	struct der all, type, inner, data, d;
	struct gh_cursor certs = {0};
	ret->why = "no PKCS#7 signed data";
	if (!der_take(&c, DER_SEQUENCE, &all) || !der_take(&all.body, DER_OID, &type) ||
		!OID(type.body, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") ||
		!der_take(&all.body, DER_CONTEXT_0, &inner) || !der_take(&inner.body, DER_SEQUENCE, &data))
		return;
	if (!der_take(&data.body, DER_INTEGER, &d) || !der_take(&data.body, DER_SET, &d) ||
		!der_take(&data.body, DER_SEQUENCE, &d))
		return;
	if (der_take(&data.body, DER_CONTEXT_0, &d))
		certs = d.body;
	(void)der_take(&data.body, DER_CONTEXT_1, &d);
	if (!der_take(&data.body, DER_SET, &d))
		return;
	ret->why = NULL;
	struct gh_cursor infos = d.body;
	while (der_take(&infos, DER_SEQUENCE, &d)) {
		if (ret->n == SIGNED_INFOS) {
			ret->more = true;
			break;
		}
		info_read(ctx, &d, certs, content, &ret->info[ret->n++]);
	}
	if (!ret->n)
		ret->why = "signed data without signers";
}
