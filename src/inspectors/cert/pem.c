/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468, and what OpenSSL wrote before it): certificates and PKCS#7 between BEGIN and END lines, any text around. */
#include "base/num.h"
#include "inspectors/cert/cert.h"

static const struct label {
	const char *word;
	bool pkcs7;
	bool trusted; /* OpenSSL's own settings stand behind the certificate */
} labels[] = {{"CERTIFICATE", false, false}, {"X509 CERTIFICATE", false, false}, {"TRUSTED CERTIFICATE", false, true},
	{"PKCS7", true, false}, {"CMS", true, false}, {"PKCS #7 SIGNED DATA", true, false}};

struct text {
	const uint8_t *p;
	size_t n, i;
};

/* The next `word` from t->i on, which moves behind it. */
static bool seek(struct text *t, const char *word)
{
	size_t n = strlen(word);
	const uint8_t *hit = memmem(t->p + t->i, t->n - t->i, word, n);
	if (!hit)
		return false;
	t->i = (size_t)(hit - t->p) + n;
	return true;
}

static const struct label *label_read(struct text *t)
{
	for (size_t i = 0; i < GH_COUNT(labels); i++) {
		size_t n = strlen(labels[i].word);
		if (t->n - t->i >= n + 5 && !memcmp(t->p + t->i, labels[i].word, n) &&
			!memcmp(t->p + t->i + n, "-----", 5)) {
			t->i += n + 5;
			return &labels[i];
		}
	}
	return NULL;
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '"' || (c >= '\t' && c <= '\r');
}

/* RFC 1421's header lines ("Proc-Type: ...") before an empty line. */
static size_t skip_headers(const uint8_t *p, size_t n)
{
	struct gh_str rest = gh_strn(p, n), line;
	bool header = false;
	while (gh_str_line(&rest, &line)) {
		line = gh_str_trim(line);
		if (!line.n && header)
			return n - rest.n;
		if (line.n && !header && !memchr(line.p, ':', line.n))
			return 0;
		header |= line.n != 0;
	}
	return 0;
}

/* A line break as JSON, Java properties and C write it into a text: "\\n", or a backslash at the end of a line. */
static bool is_escape(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == '\\' && (p[1] == 'n' || p[1] == 'r' || is_blank(p[1]));
}

/* Unpacks base64 with blanks between; false (and *ret_at) where a character is none. */
static bool base64(const uint8_t *p, size_t n, uint8_t *out, size_t *ret_n, size_t *ret_at)
{
	uint32_t bits = 0;
	unsigned held = 0, pad = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		int v = digit(p[i]);
		if (is_blank(p[i]))
			continue;
		if (is_escape(p + i, n - i)) {
			i++;
			continue;
		}
		pad += p[i] == '=';
		if (p[i] == '=' && pad <= 2)
			continue;
		*ret_at = i;
		if (v < 0 || pad)
			return false;
		bits = bits << 6 | (uint32_t)v;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[len++] = (uint8_t)(bits >> held);
		}
	}
	*ret_n = len;
	return true;
}

/* The certificate alone, of what `openssl x509 -trustout` wrote. */
static struct gh_cursor first_element(struct gh_cursor c)
{
	struct der d;
	struct gh_cursor rest = c;
	return der_next(&rest, &d) ? d.whole : c;
}

/* Where the text has notes; only a file that claims to hold certificates is damaged when it does not. */
struct reading {
	struct gh_ctx *ctx;
	bool strict;
	unsigned *found;
};

static void note(const struct reading *r, enum gh_code code, uint64_t at, const char *what)
{
	if (r->strict)
		gh_note(r->ctx, code, at, "%s", what);
}

static enum gh_code block(
	const struct reading *r, const struct label *label, struct text body, uint64_t at, struct gh_err *err)
{
	size_t headers = skip_headers(body.p + body.i, body.n - body.i), n, wrong = 0;
	uint8_t *out = gh_alloc_raw(r->ctx->arena, (body.n - body.i) / 4 * 3 + 3);
	if (!out)
		return gh_fail(err, GH_NOMEM, at, "no memory for a PEM block");
	body.i += headers;
	if (!base64(body.p + body.i, body.n - body.i, out, &n, &wrong)) {
		note(r, GH_BAD, body.i + wrong, "not base64 in a PEM block");
		return GH_OK;
	}
	struct gh_cursor c = gh_cursor(out, n, at);
	++*r->found;
	if (label->pkcs7)
		return pkcs7_read(r->ctx, c, true, at, err);
	(void)x509_emit(r->ctx, label->trusted ? first_element(c) : c, at, "pem", X509_SIGNER_UNKNOWN);
	return GH_OK;
}

enum gh_code pem_read(struct gh_ctx *ctx, const uint8_t *p, size_t n, bool strict, struct gh_err *err)
{
	static const char begin[] = "-----BEGIN ";
	struct text t = {p, n, 0};
	unsigned found = 0;
	const struct reading r = {ctx, strict, &found};
	enum gh_code code = GH_OK;
	while (code == GH_OK && seek(&t, begin)) {
		uint64_t at = t.i - strlen(begin);
		const struct label *label = label_read(&t);
		if (!label)
			continue;
		if (found >= X509_CERTS_MAX)
			return gh_fail(err, GH_LIMIT, at, "more than %d certificates", X509_CERTS_MAX);
		const uint8_t *end = memmem(p + t.i, n - t.i, "-----", 5);
		struct text body = {p, end ? (size_t)(end - p) : n, t.i};
		if (!end)
			note(&r, GH_SHORT, at, "a PEM block without an end");
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		code = block(&r, label, body, at, err);
		gh_arena_release(ctx->arena, mark);
		t.i = body.n;
	}
	return code;
}
