/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: X.509 in DER or PEM, PKCS#7 signed data of JAR signatures (RFC 5280, 7468, 2315). */
#include "inspectors/cert/cert.h"

#include "base/num.h"

enum { SIZE_MAX_CERTS = 16 << 20 }; /* the largest store of roots has 1 MiB; more is not looked through */

/* ---- wants ---- */

static bool ends_with(struct gh_str name, const char *lower)
{
	size_t n = strlen(lower);
	if (name.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name.p[name.n - n + i];
		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != lower[i])
			return false;
	}
	return true;
}

/* "5ed36f99.0": a hash of the subject and a number, as Android's stores and OpenSSL name files. */
static bool is_hash_name(struct gh_str name)
{
	if (name.n < 10 || name.p[8] != '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool dec = c >= '0' && c <= '9';
		if (i != 8 && !dec && !(i < 8 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
			return false;
	}
	return true;
}

static bool is_signature_name(struct gh_str name)
{
	return ends_with(name, ".rsa") || ends_with(name, ".dsa") || ends_with(name, ".ec");
}

static bool is_cert_name(struct gh_str name)
{
	static const char *const ends[] = {".cer", ".crt", ".der", ".pem", ".x509", ".p7b", ".p7c", ".p7s", ".p7"};
	for (size_t i = 0; i < GH_COUNT(ends); i++)
		if (ends_with(name, ends[i]))
			return true;
	return is_signature_name(name) || is_hash_name(name);
}

/* The header of a SEQUENCE; the element itself may be cut off. */
static bool sequence_open(struct gh_cursor *c)
{
	uint8_t tag = gh_u8(c), n = gh_u8(c);
	if (n > 0x80 && n <= 0x84)
		gh_skip(c, n & 0x7fu);
	return tag == DER_SEQUENCE && n >= 0x2a && n <= 0x84 && !c->bad;
}

/* A certificate of version 2 or 3, or PKCS#7 signed data, by its first bytes alone. */
static bool is_der_by_content(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0), inner;
	if (!sequence_open(&c))
		return false;
	inner = c;
	const uint8_t *p = gh_bytes(&inner, 11);
	if (p && !memcmp(p, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 11))
		return true;
	if (!sequence_open(&c))
		return false;
	p = gh_bytes(&c, 5);
	return p && !memcmp(p, "\xa0\x03\x02\x01", 4) && p[4] <= 2;
}

static bool has_pem(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head, *end = p + probe->head_len;
	while ((p = memmem(p, (size_t)(end - p), "-----BEGIN ", 11))) {
		size_t n = gh_min((size_t)(end - p), 40);
		if (memmem(p, n, "CERTIFICATE-----", 16) || memmem(p, n, "PKCS", 4) || memmem(p, n, "CMS-----", 8))
			return true;
		p += 11;
	}
	return false;
}

static bool cert_wants(const struct gh_probe *probe)
{
	if (probe->size > SIZE_MAX_CERTS || probe->size < 16)
		return false;
	return is_der_by_content(probe) || is_cert_name(probe->name) || has_pem(probe);
}

/* ---- run ---- */

/* Blanks and zeros behind a certificate are padding. */
static void skip_padding(struct gh_cursor *c)
{
	while (gh_left(c) && memchr("\0 \t\r\n", c->p[c->i], 5))
		gh_skip(c, 1);
}

/* Certificates one behind the other; other DER (keys, requests) is none of ours. */
static enum gh_code certs_read(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	struct der d;
	for (unsigned n = 0; gh_left(&c); n++, skip_padding(&c)) {
		uint64_t at = gh_at(&c);
		if (n == X509_CERTS_MAX)
			return gh_fail(err, GH_LIMIT, at, "more than %d certificates", X509_CERTS_MAX);
		if (!der_take(&c, DER_SEQUENCE, &d) || !x509_shape(d.whole)) {
			gh_note(ctx, GH_BAD, at, "no certificate behind a certificate");
			return GH_OK;
		}
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		(void)x509_emit(ctx, d.whole, at, "der", X509_SIGNER_UNKNOWN);
		gh_arena_release(ctx->arena, mark);
	}
	return GH_OK;
}

static enum gh_code der_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(blob->data, blob->size, 0), rest = c;
	struct gh_probe probe = {.head = blob->data, .head_len = blob->size, .size = blob->size};
	struct der all;
	if (pkcs7_shape(c))
		return pkcs7_read(ctx, c, false, 0, err);
	if (der_next(&rest, &all) && x509_shape(all.whole))
		return certs_read(ctx, c, err);
	if (is_der_by_content(&probe))
		return gh_fail(err, rest.bad ? GH_SHORT : GH_BAD, 0, "DER that begins like a certificate and is none");
	return GH_OK;
}

static enum gh_code cert_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "larger than 16 MiB");
	bool der = blob->size && blob->data[0] == DER_SEQUENCE;
	bool signature = is_signature_name(blob->name) && gh_str_starts(blob->path, "META-INF/");
	if (signature && !pkcs7_shape(gh_cursor(blob->data, blob->size, 0)))
		return gh_fail(err, GH_BAD, 0, "a signature file that is no PKCS#7");
	return der ? der_read(ctx, blob, err) : pem_read(ctx, blob->data, blob->size, is_cert_name(blob->name), err);
}

const struct gh_inspector gh_inspector_cert = {
	.name = "cert",
	.title = "X.509 certificates",
	.version = 2,
	.wants = cert_wants,
	.run = cert_run,
};
