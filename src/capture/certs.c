/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a server shows (RFC 5246, 8446), and whether they lead to a root that Android has trusted, at the time of the capture and
 * for the name that was asked for (RFC 5280, 6125), by libcrypto. Nothing is fetched: a missing intermediate stays missing. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "base/num.h"
#include "capture/certs.h"

enum {
	CHAIN = 16, /* certificates looked at; servers send up to five */
	CERT_MAX = 64 << 10,
	NAMES = 100, /* of a certificate that are written down; the largest have some hundred */
	CHAINS = 128, /* a power of two; what was learnt of a chain is kept: a phone is shown the same few all day */
	TEXT = 4096, /* of one certificate */
};

/* One Certificate message. Its verdict holds between two times at which a certificate of it begins or ends. */
struct chain {
	uint8_t sum[32];
	bool used, self_signed, weak_key, sct, judged;
	unsigned n;
	int code; /* of X509_verify_cert */
	int64_t from, to;
	X509 *leaf;
	struct gh_row_tls_certs *row;
	char *text; /* the rows' */
	size_t text_n;
	char name[256]; /* for which fits was asked */
	struct gh_addr addr;
	bool asked, fits;
};

struct gh_roots {
	bool loaded;
	X509_STORE *store;
	uint32_t n;
	struct chain chain[CHAINS];
};

/* ---- roots ---- */

static bool root_add(struct gh_traffic *t, struct gh_str base64)
{
	uint8_t *der = gh_alloc_raw(t->ctx->arena, base64.n);
	int n = der ? EVP_DecodeBlock(der, (const uint8_t *)base64.p, (int)base64.n) : -1;
	const uint8_t *p = der;
	X509 *x = n > 0 ? d2i_X509(NULL, &p, n) : NULL; /* DER says itself where it ends */
	bool ok = x && X509_STORE_add_cert(t->roots->store, x);
	X509_free(x);
	return ok;
}

static void roots_load(struct gh_traffic *t)
{
	t->roots->loaded = true;
	if (!t->ctx->given || !t->ctx->given->roots.n || !(t->roots->store = X509_STORE_new()))
		return;
	struct gh_str rest = t->ctx->given->roots, line;
	while (gh_str_line(&rest, &line)) {
		const char *tab = memchr(line.p, '\t', line.n);
		struct gh_str der = tab ? gh_strn(tab + 1, line.n - (size_t)(tab + 1 - line.p)) : GH_NONE;
		const char *end = der.n ? memchr(der.p, '\t', der.n) : NULL;
		struct gh_mark mark = gh_arena_mark(t->ctx->arena);
		if (end && (end - der.p) % 4 == 0 && root_add(t, gh_strn(der.p, (size_t)(end - der.p))))
			t->roots->n++;
		gh_arena_release(t->ctx->arena, mark);
	}
}

bool gh_certs_init(struct gh_traffic *t)
{
	t->roots = gh_alloc(t->ctx->arena, sizeof *t->roots);
	return t->roots != NULL;
}

static void forget(struct gh_traffic *t, struct chain *k)
{
	X509_free(k->leaf);
	if (k->used) {
		gh_pool_put(&t->pool, k->row, k->n * sizeof *k->row);
		gh_pool_put(&t->pool, k->text, k->text_n);
	}
	*k = (struct chain){0};
}

void gh_certs_done(struct gh_traffic *t)
{
	for (unsigned i = 0; i < CHAINS; i++)
		forget(t, &t->roots->chain[i]);
	X509_STORE_free(t->roots->store);
	t->roots->store = NULL;
}

/* ---- rows ---- */

static size_t name_text(const X509_NAME *name, char *out, size_t cap)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	size_t n = 0;
	if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		long len = BIO_get_mem_data(b, &p);
		n = gh_min(len > 0 ? (size_t)len : 0, cap - 1);
		memcpy(out, p, n);
	}
	BIO_free(b);
	out[n] = 0;
	return n;
}

static void time_text(const ASN1_TIME *time, char out[24])
{
	struct tm tm = {0};
	out[0] = 0;
	if (ASN1_TIME_to_tm(time, &tm))
		snprintf(out, 24, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)(tm.tm_year + 1900) % 10000,
			(unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
			(unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

/* DNS names and addresses, blank separated. */
static size_t alternative_names(X509 *x, char *out, size_t cap)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	for (int i = 0; i < count && i < NAMES; i++) {
		int type;
		const ASN1_STRING *v = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		if (type != GEN_DNS)
			continue;
		size_t len = (size_t)ASN1_STRING_length(v);
		if (n + len + 2 > cap)
			break;
		if (n)
			out[n++] = ' ';
		memcpy(out + n, ASN1_STRING_get0_data(v), len);
		n += len;
	}
	GENERAL_NAMES_free(names);
	return n;
}

static const char *key_word(X509 *x, int *ret_bits)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	*ret_bits = key ? EVP_PKEY_get_bits(key) : 0;
	switch (key ? EVP_PKEY_get_base_id(key) : 0) {
	case EVP_PKEY_RSA:
		return "RSA";
	case EVP_PKEY_RSA_PSS:
		return "RSA-PSS";
	case EVP_PKEY_DSA:
		return "DSA";
	case EVP_PKEY_EC:
		return "EC";
	case EVP_PKEY_ED25519:
		return "Ed25519";
	}
	return key ? "other" : NULL;
}

static bool has_sct(X509 *x)
{
	ASN1_OBJECT *o = OBJ_txt2obj("1.3.6.1.4.1.11129.2.4.2", 1);
	bool found = o && X509_get_ext_by_OBJ(x, o, -1) >= 0;
	ASN1_OBJECT_free(o);
	return found;
}

static void sigalg_text(const X509 *x, char *out, int cap)
{
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *o;
	X509_get0_signature(NULL, &algorithm, x);
	X509_ALGOR_get0(&o, NULL, NULL, algorithm);
	if (OBJ_obj2txt(out, cap, o, 0) <= 0)
		out[0] = 0;
}

/* Room at the end of a text, and what was put there. */
struct text {
	char *p;
	size_t n, cap;
};

static struct gh_str put(struct text *o, const char *p, size_t n)
{
	n = gh_min(n, o->cap - o->n);
	memcpy(o->p + o->n, p, n);
	o->n += n;
	return gh_strn(o->p + o->n - n, n);
}

static struct gh_str put_word(struct text *o, const char *word)
{
	return put(o, word, strlen(word));
}

static void describe(struct chain *k, X509 *x, const uint8_t *der, size_t n, struct text *o)
{
	char subject[400], issuer[400], from[24], to[24], sigalg[80], names[3000], hex[65];
	uint8_t sum[32];
	int bits;
	const char *key = key_word(x, &bits);
	EVP_Digest(der, n, sum, NULL, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	size_t subject_n = name_text(X509_get_subject_name(x), subject, sizeof subject);
	size_t issuer_n = name_text(X509_get_issuer_name(x), issuer, sizeof issuer);
	size_t names_n = alternative_names(x, names, sizeof names);
	time_text(X509_get0_notBefore(x), from);
	time_text(X509_get0_notAfter(x), to);
	sigalg_text(x, sigalg, sizeof sigalg);
	bool sct = has_sct(x), self = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
	if (!k->n) {
		k->sct = sct;
		k->self_signed = self;
		k->weak_key = (key && !strcmp(key, "RSA") && bits < 2048) || strstr(sigalg, "md5") ||
			      strstr(sigalg, "sha1") || strstr(sigalg, "md2");
	}
	k->row[k->n] = (struct gh_row_tls_certs){.position = k->n,
		.sha256 = put_word(o, hex),
		.subject = put(o, subject, subject_n),
		.issuer = put(o, issuer, issuer_n),
		.names = names_n ? put(o, names, names_n) : GH_NONE,
		.not_before = put_word(o, from),
		.not_after = put_word(o, to),
		.key_type = gh_str(key),
		.key_bits = bits ? bits : GH_NULL,
		.sigalg = put_word(o, sigalg),
		.self_signed = self,
		.sct = sct};
	k->n++;
}

/* ---- verdict ---- */

/* Which word a failure of X509_verify_cert is told with. */
static const char *chain_word(int code, bool self_signed)
{
	switch (code) {
	case X509_V_OK:
		return "good";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "not_yet_valid";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "self_signed";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return self_signed ? "self_signed" : "unknown_ca";
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return "bad_signature";
	}
	return "not_valid";
}

static void boundary(struct chain *k, int64_t now, const ASN1_TIME *time)
{
	struct tm tm = {0};
	if (!ASN1_TIME_to_tm(time, &tm))
		return;
	int64_t v = timegm(&tm);
	if (v <= now && v > k->from)
		k->from = v;
	if (v > now && v < k->to)
		k->to = v;
}

/* Between which times nothing that was looked at begins or ends. */
static void boundaries(struct chain *k, X509_STORE_CTX *c, X509 **list, unsigned n, int64_t now)
{
	const STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(c);
	int m = built ? sk_X509_num(built) : 0;
	for (unsigned i = 0; i < n + (unsigned)m; i++) {
		const X509 *x = i < n ? list[i] : sk_X509_value(built, (int)(i - n));
		boundary(k, now, X509_get0_notBefore(x));
		boundary(k, now, X509_get0_notAfter(x));
	}
}

static int verify(struct gh_traffic *t, struct chain *k, X509 **list, unsigned n, int64_t now)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();
	int code = X509_V_ERR_UNSPECIFIED;
	for (unsigned i = 1; rest && i < n; i++)
		sk_X509_push(rest, list[i]);
	if (c && rest && X509_STORE_CTX_init(c, t->roots->store, list[0], rest)) {
		X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(c);
		X509_VERIFY_PARAM_set_time(p, (time_t)now);
		X509_VERIFY_PARAM_set_depth(p, CHAIN);
		/* A root is trusted for being in the store, also where it is not signed by itself; small keys are judged elsewhere. */
		X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
		X509_VERIFY_PARAM_set_auth_level(p, 0);
		X509_STORE_CTX_set_purpose(c, X509_PURPOSE_SSL_SERVER);
		code = X509_verify_cert(c) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(c);
		boundaries(k, c, list, n, now);
	}
	X509_STORE_CTX_free(c);
	sk_X509_free(rest);
	return code;
}

static bool name_fits(struct chain *k, const struct gh_flow *f)
{
	char ip[48];
	if (k->asked && gh_addr_eq(&k->addr, &f->b) && !strcmp(k->name, f->name))
		return k->fits;
	gh_addr_text(&f->b, ip);
	k->asked = true;
	k->addr = f->b;
	memcpy(k->name, f->name, sizeof k->name);
	k->fits = X509_check_ip_asc(k->leaf, ip, 0) == 1 ||
		  (f->name[0] && X509_check_host(k->leaf, f->name, 0, 0, NULL) == 1);
	return k->fits;
}

static void judge(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct chain *k)
{
	if (!t->roots->store || !t->roots->n) {
		snprintf(s->chain, sizeof s->chain, "no_roots");
		return;
	}
	snprintf(s->chain, sizeof s->chain, "%s", chain_word(k->code, s->self_signed));
	s->public_root = k->code == X509_V_OK;
	s->name_ok = name_fits(k, h->flow);
	if (k->code != X509_V_OK)
		snprintf(s->why, sizeof s->why, "%s", X509_verify_cert_error_string(k->code));
	else if (!h->flow->name[0] && !s->name_ok)
		snprintf(s->why, sizeof s->why, "the name that was asked for is not visible");
	else if (!s->name_ok)
		snprintf(s->chain, sizeof s->chain, "name_mismatch");
	else if (s->weak_key)
		snprintf(s->why, sizeof s->why, "the key or the signature of the certificate is weak");
}

/* ---- a message ---- */

/* What the chain says, for this connection. */
static void tell(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct chain *k)
{
	struct gh_str issuer = k->row[0].issuer;
	s->cert_seen = true;
	s->sct |= k->sct;
	s->self_signed = k->self_signed;
	s->weak_key = k->weak_key;
	snprintf(s->issuer, sizeof s->issuer, "%.*s", (int)gh_min(issuer.n, sizeof s->issuer - 1), issuer.p);
	for (unsigned i = 0; i < k->n; i++) {
		struct gh_row_tls_certs row = k->row[i];
		row.flow = (int64_t)h->flow->row;
		row.packet = (int64_t)h->pkt->number;
		t->ctx->ops->emit(t->ctx, GH_T_tls_certs, h->pkt->at, &row);
	}
	if (k->judged)
		judge(t, h, s, k);
}

/* Its rows and their text out of the arena into the pool, where they outlive the packet. */
static bool keep(struct gh_traffic *t, struct chain *k, const struct text *o)
{
	struct gh_row_tls_certs *row = gh_pool_get(&t->pool, k->n * sizeof *row);
	char *text = gh_pool_get(&t->pool, o->n);
	if (!row || !text) {
		gh_pool_put(&t->pool, row, k->n * sizeof *row);
		gh_pool_put(&t->pool, text, o->n);
		return false;
	}
	memcpy(text, o->p, o->n);
	for (unsigned i = 0; i < k->n; i++) {
		row[i] = k->row[i];
		struct gh_str *s[] = {&row[i].sha256, &row[i].subject, &row[i].issuer, &row[i].names,
			&row[i].not_before, &row[i].not_after, &row[i].sigalg};
		for (size_t j = 0; j < GH_COUNT(s); j++)
			if (s[j]->p)
				s[j]->p = text + (s[j]->p - o->p);
	}
	k->row = row;
	k->text = text;
	k->text_n = o->n;
	return k->used = true;
}

static unsigned read_list(
	struct gh_traffic *t, struct gh_cursor c, bool v13, struct chain *k, X509 **list, struct text *o)
{
	while (gh_left(&c) >= 3 && k->n < CHAIN) {
		uint32_t len = (uint32_t)gh_u8(&c) << 16;
		len |= gh_u16be(&c);
		const uint8_t *der = len && len <= CERT_MAX ? gh_bytes(&c, len) : NULL, *p = der;
		if (!der)
			break;
		if (v13)
			gh_skip(&c, gh_u16be(&c));
		X509 *x = d2i_X509(NULL, &p, (long)len);
		if (!x) {
			t->count.bad++;
			break;
		}
		list[k->n] = x;
		describe(k, x, der, len, o);
	}
	return k->n;
}

/* A chain that was not seen before. */
static void learn(
	struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct gh_cursor c, bool v13, struct chain *k)
{
	X509 *list[CHAIN];
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	struct text o = {.p = gh_alloc_raw(t->ctx->arena, CHAIN * TEXT), .cap = CHAIN * TEXT};
	int64_t now = h->pkt->us / 1000000;
	k->row = gh_alloc_array(t->ctx->arena, CHAIN, sizeof *k->row);
	unsigned n = o.p && k->row ? read_list(t, c, v13, k, list, &o) : 0;
	if (n) {
		k->leaf = list[0];
		if (gh_step(t, 1000u * n)) {
			if (!t->roots->loaded)
				roots_load(t);
			k->from = INT64_MIN;
			k->to = INT64_MAX;
			k->judged = true;
			if (t->roots->store && t->roots->n)
				k->code = verify(t, k, list, n, now);
		}
		tell(t, h, s, k);
	}
	for (unsigned i = 1; i < n; i++)
		X509_free(list[i]);
	if (!n || !k->judged || !keep(t, k, &o))
		forget(t, k);
	gh_arena_release(t->ctx->arena, mark);
}

void gh_certs_message(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct gh_cursor c, bool v13)
{
	uint8_t sum[32] = {0};
	int64_t now = h->pkt->us / 1000000;
	if (s->cert_seen)
		return;
	if (v13)
		gh_skip(&c, gh_u8(&c));
	gh_skip(&c, 3);
	if (!gh_left(&c) || !EVP_Digest(c.p + c.i, gh_left(&c), sum, NULL, EVP_sha256(), NULL))
		return;
	struct chain *k = &t->roots->chain[sum[0] & (CHAINS - 1)];
	if (k->used && memcmp(k->sum, sum, sizeof sum) == 0 && now >= k->from && now < k->to) {
		if (gh_step(t, k->n))
			tell(t, h, s, k);
		return;
	}
	forget(t, k);
	memcpy(k->sum, sum, sizeof sum);
	learn(t, h, s, c, v13, k);
}
