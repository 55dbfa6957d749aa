/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of MediaTek's images. Parts with a partition header (U-Boot tools/mtk_image.h): behind each lie cert1 and cert2, certificates
 * whose extensions under 2.16.886.2454 are the next key and the hashes of the part. Preloaders: a chain of two certificates of its own
 * form behind the code, FILE_INFO's kind 5. Neither form has a public document: read off the images, see firmware.md. */
#include <openssl/evp.h>

#include "inspectors/cert/x509.h"
#include "inspectors/firmware/sign.h"
#include "source/window.h"

enum {
	HEAD = 512,
	PARTS_MAX = 1024,
	CERT_SIZE_MAX = 64 << 10, /* real ones have 1,000 to 1,700 bytes */
	ALIGN_MAX = 1 << 20,
	WINDOW = 1 << 20,
	FILE_INFO = 56,
	KIND_CHAIN = 5,
	KEY = 0x100, /* bytes of modulus and of signatures */
};

struct part {
	struct gh_str name;
	uint64_t at, body, size, padded, next;
};

struct cert {
	struct gh_cursor whole, tbs, spki, signature, next_key, body_hash, head_hash;
};

bool mediatek_image(const uint8_t *p, size_t n)
{
	return n >= 4 && !memcmp(p, "\x88\x16\x88\x58", 4);
}

/* The part at `at`; false: there is none, or it does not fit. */
static bool part_read(struct gh_ctx *ctx, const struct gh_blob *b, uint64_t at, struct part *ret)
{
	const uint8_t *p;
	if (!gh_within(at, HEAD, b->size) || gh_view(b->src, ctx->arena, at, HEAD, &p, NULL))
		return false;
	struct gh_cursor c = gh_cursor(p, HEAD, at);
	if (gh_u32(&c) != 0x58881688)
		return false;
	*ret = (struct part){.at = at, .size = gh_u32(&c)};
	ret->name = gh_text(&c, 32);
	gh_skip(&c, 8);
	uint64_t head = HEAD, align = 16;
	if (gh_u32(&c) == 0x58891689) {
		uint32_t said = gh_u32(&c);
		gh_skip(&c, 12);
		uint32_t a = gh_u32(&c);
		head = said == HEAD ? said : HEAD;
		align = a && a <= ALIGN_MAX && !(a & (a - 1)) ? a : 16;
	}
	ret->body = at + head;
	uint64_t end;
	if (!gh_within(ret->body, ret->size, b->size) || !gh_align(ret->body + ret->size, align, &end))
		return false;
	ret->next = end;
	ret->padded = gh_min(end, b->size) - ret->body;
	return true;
}

/* ---- certificates ---- */

static bool named(const struct der *d, const char *oid)
{
	return gh_left(&d->body) == 7 && !memcmp(d->body.p + d->body.i, oid, 7);
}

static struct gh_cursor bits(const struct der *d)
{
	struct gh_cursor c = d->body;
	return d->tag == DER_BITS && gh_u8(&c) == 0 ? c : (struct gh_cursor){0};
}

/* Version, serial, algorithm, issuer, validity, subject, key; then pairs of a name and a value where X.509 has its extensions. */
static bool cert_read(struct gh_cursor c, struct cert *ret)
{
	struct der all, tbs, d, value;
	*ret = (struct cert){.whole = c};
	if (!der_take(&c, DER_SEQUENCE, &all) || !der_take(&all.body, DER_SEQUENCE, &tbs))
		return false;
	ret->tbs = tbs.whole;
	if (!der_take(&all.body, DER_SEQUENCE, &d) || !der_take(&all.body, DER_BITS, &d))
		return false;
	ret->signature = bits(&d);
	(void)der_take(&tbs.body, DER_CONTEXT_0, &d);
	static const uint8_t before[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE, DER_SEQUENCE};
	for (size_t i = 0; i < GH_COUNT(before); i++)
		if (!der_take(&tbs.body, before[i], &d))
			return false;
	if (!der_take(&tbs.body, DER_SEQUENCE, &d))
		return false;
	ret->spki = d.whole;
	while (der_take(&tbs.body, DER_OID, &d) && der_next(&tbs.body, &value))
		if (named(&d, "\x60\x86\x76\x93\x16\x01\x02") && value.tag == DER_SEQUENCE)
			ret->next_key = value.whole;
		else if (named(&d, "\x60\x86\x76\x93\x16\x02\x01"))
			ret->body_hash = bits(&value);
		else if (named(&d, "\x60\x86\x76\x93\x16\x02\x04"))
			ret->head_hash = bits(&value);
	return true;
}

/* By its own key, as each of the two is. */
static bool cert_holds(const struct cert *c, struct gh_row_firmware_signs *r)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	struct pubkey key = pubkey_spki(c->spki);
	bool ok =
		key.key && key.kind == KEY_RSA &&
		digest_data(DIGEST_SHA256, c->tbs.p + c->tbs.i, gh_left(&c->tbs), hash) &&
		pubkey_verify(&key, DIGEST_SHA256, true, hash, c->signature.p + c->signature.i, gh_left(&c->signature));
	if (key.why && !r->why.p)
		r->why = gh_str(key.why);
	pubkey_done(&key);
	return ok;
}

static struct gh_str key_digest(struct gh_ctx *ctx, struct gh_cursor spki)
{
	return x509_digest(ctx, spki.p + spki.i, gh_left(&spki));
}

/* ---- parts ---- */

static enum gh_code range_hash(struct gh_ctx *ctx, struct gh_source *src, uint64_t at, uint64_t n,
	uint8_t ret[EVP_MAX_MD_SIZE], struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	struct gh_window w = {.src = src, .cap = WINDOW, .step = WINDOW};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	enum gh_code code = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? GH_OK : GH_NOMEM;
	for (uint64_t end = at + n; code == GH_OK && at < end;) {
		const uint8_t *p;
		size_t step = (size_t)gh_min(WINDOW, end - at);
		code = gh_spend_steps(ctx->budget, 1 + step / 64, at, err);
		if (code == GH_OK)
			code = gh_window_get(&w, ctx->arena, at, step, &p, err);
		if (code == GH_OK && EVP_DigestUpdate(md, p, step) != 1)
			code = GH_NOMEM;
		at += step;
	}
	if (code == GH_OK && EVP_DigestFinal_ex(md, ret, NULL) != 1)
		code = GH_NOMEM;
	EVP_MD_CTX_free(md);
	gh_arena_release(ctx->arena, mark);
	return code == GH_NOMEM ? gh_fail(err, GH_NOMEM, at, "a digest could not be computed") : code;
}

static bool same(struct gh_cursor c, const uint8_t *hash)
{
	return gh_left(&c) == 32 && !memcmp(c.p + c.i, hash, 32);
}

static bool cert_of(struct gh_ctx *ctx, const struct gh_blob *b, const struct part *p, struct cert *ret)
{
	const uint8_t *raw;
	return p->size <= CERT_SIZE_MAX && !gh_view(b->src, ctx->arena, p->body, (size_t)p->size, &raw, NULL) &&
	       cert_read(gh_cursor(raw, (size_t)p->size, p->body), ret);
}

/* The part, the certificate of the maker's key, and that of the image. */
static enum gh_code part_check(struct gh_ctx *ctx, const struct gh_blob *b, const struct part p[3],
	struct gh_row_firmware_signs *r, struct gh_err *err)
{
	struct cert one, two;
	uint8_t body[EVP_MAX_MD_SIZE], head[EVP_MAX_MD_SIZE];
	r->state = GH_STR("unsupported");
	r->why_at = (int64_t)p[1].body;
	if (!cert_of(ctx, b, &p[1], &one) || !cert_of(ctx, b, &p[2], &two) || gh_left(&two.body_hash) != 32 ||
		gh_left(&two.head_hash) != 32 || !one.next_key.p) {
		r->why = GH_STR("certificates of a form that is not known");
		return GH_OK;
	}
	r->parts = 2;
	r->cert_sha256 = key_digest(ctx, two.spki);
	r->subject = chain_subject(ctx, one.whole);
	enum gh_code code = range_hash(ctx, b->src, p[0].body, p[0].padded, body, err);
	if (code == GH_OK)
		code = range_hash(ctx, b->src, p[0].at, HEAD, head, err);
	if (code)
		return code;
	bool b_ok = same(two.body_hash, body), h_ok = same(two.head_hash, head);
	r->same = b_ok + h_ok;
	r->first_bad = !h_ok ? 0 : !b_ok ? 1 : GH_NULL;
	r->state = GH_STR("failed");
	if (!cert_holds(&one, r) || !cert_holds(&two, r)) {
		r->why = r->why.p ? r->why : GH_STR("a certificate that its own key did not sign");
	} else if (!pubkey_same(one.next_key, two.spki)) {
		r->why = GH_STR("the image is signed by another key than the one that was handed to it");
	} else if (!b_ok || !h_ok) {
		r->why = b_ok ? GH_STR("the header is not what was signed")
			      : GH_STR("the content is not what was signed");
		r->why_at = (int64_t)(b_ok ? p[0].at : p[0].body);
	} else {
		r->state = GH_STR("verified");
		r->why_at = GH_NULL;
		r->algorithm = GH_STR("RSA-PSS, SHA-256");
		r->root_sha256 = key_digest(ctx, one.spki);
	}
	return GH_OK;
}

static bool is_cert(const struct part *p)
{
	return gh_str_is(p->name, "cert1") || gh_str_is(p->name, "cert2");
}

enum gh_code mediatek_image_verify(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err)
{
	struct part p[3];
	uint64_t at = 0;
	for (uint32_t n = 0; n < PARTS_MAX && part_read(ctx, b, at, &p[0]); n++, at = p[0].next) {
		if (is_cert(&p[0]))
			continue;
		struct gh_row_firmware_signs r = {.maker = GH_STR("mediatek"),
			.signer = GH_STR("image"),
			.name = gh_str_dup(ctx->arena, p[0].name),
			.state = GH_STR("unsigned"),
			.first_bad = GH_NULL,
			.why_at = GH_NULL};
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK && part_read(ctx, b, p[0].next, &p[1]) && gh_str_is(p[1].name, "cert1") &&
			part_read(ctx, b, p[1].next, &p[2]) && gh_str_is(p[2].name, "cert2"))
			code = part_check(ctx, b, p, &r, err);
		if (code)
			return code;
		ctx->ops->emit(ctx, GH_T_firmware_signs, at, &r);
	}
	return GH_OK;
}

/* ---- preloader ---- */

/* A key in a preloader's certificate: kind, size, exponent of four bytes in a field of the modulus' size, modulus. */
static bool key_read(struct gh_cursor *c, struct pubkey *ret)
{
	uint32_t kind = gh_u32(c), size = gh_u32(c);
	gh_skip(c, 4);
	const uint8_t *e = gh_bytes(c, 4);
	gh_skip(c, KEY - 4);
	const uint8_t *n = gh_bytes(c, KEY);
	if (c->bad || kind != 3 || size != KEY)
		return false;
	/* Real chains have it in either byte order, one key so, the next the other way; an exponent is odd. */
	uint8_t turned[] = {e[3], e[2], e[1], e[0]};
	*ret = pubkey_rsa(n, KEY, e[3] & 1 ? e : turned, 4);
	return true;
}

/* A certificate of a preloader: its signature is its last bytes. */
static bool box_read(struct gh_cursor *c, struct gh_cursor *ret_signed, const uint8_t **ret_sig)
{
	struct gh_cursor peek = *c;
	uint32_t magic = gh_u32(&peek);
	gh_skip(&peek, 4);
	uint32_t size = gh_u32(&peek);
	if (peek.bad || magic != 0xe291f358 || size < 12 + KEY)
		return false;
	struct gh_cursor box = gh_sub(c, size);
	*ret_signed = gh_sub(&box, size - KEY);
	*ret_sig = gh_bytes(&box, KEY);
	return !c->bad && *ret_sig;
}

static bool by_key(const struct pubkey *key, struct gh_cursor tbs, const uint8_t *sig)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	return key->key && digest_data(DIGEST_SHA256, tbs.p + tbs.i, gh_left(&tbs), hash) &&
	       pubkey_verify(key, DIGEST_SHA256, true, hash, sig, KEY);
}

static void preloader_judge(struct gh_ctx *ctx, const struct pubkey keys[2], bool ok1, bool ok2, bool same_code,
	struct gh_row_firmware_signs *r)
{
	uint8_t sum[PUBKEY_DIGEST_MAX];
	r->parts = 1;
	r->same = same_code;
	r->first_bad = same_code ? GH_NULL : 0;
	r->state = GH_STR("failed");
	if (pubkey_sha256(&keys[1], sum))
		r->cert_sha256 = gh_hex(ctx->arena, sum, 32);
	if (keys[0].why || keys[1].why) {
		r->why = gh_str(keys[0].why ? keys[0].why : keys[1].why);
	} else if (!ok1 || !ok2) {
		r->why = ok1 ? GH_STR("the digest is not signed by the key that was handed to it")
			     : GH_STR("a certificate that its own key did not sign");
	} else if (!same_code) {
		r->why = GH_STR("the code is not what was signed");
	} else {
		r->state = GH_STR("verified");
		r->why_at = GH_NULL;
		r->algorithm = GH_STR("RSA-PSS, SHA-256");
		if (pubkey_sha256(&keys[0], sum))
			r->root_sha256 = gh_hex(ctx->arena, sum, 32);
	}
}

/* false: of a form that is not known. */
static bool preloader_chain(
	struct gh_ctx *ctx, struct gh_cursor c, const uint8_t *code, struct gh_row_firmware_signs *r)
{
	struct gh_cursor one, two;
	const uint8_t *sig1, *sig2;
	struct pubkey keys[2] = {{0}, {0}};
	if (gh_u32(&c) != 2 || !box_read(&c, &one, &sig1) || !box_read(&c, &two, &sig2))
		return false;
	struct gh_cursor k = one, h = two;
	gh_skip(&k, 16);
	gh_skip(&h, 28);
	bool ok = key_read(&k, &keys[0]) && key_read(&k, &keys[1]) && gh_left(&h) == 32;
	if (ok)
		preloader_judge(ctx, keys, by_key(&keys[0], one, sig1), by_key(&keys[1], two, sig2), same(h, code), r);
	pubkey_done(&keys[0]);
	pubkey_done(&keys[1]);
	return ok;
}

enum gh_code mediatek_preloader_verify(struct gh_ctx *ctx, const struct gh_blob *b, uint64_t at, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
	uint8_t sum[PUBKEY_DIGEST_MAX];
	struct gh_row_firmware_signs r = {.maker = GH_STR("mediatek"),
		.signer = GH_STR("preloader"),
		.state = GH_STR("unsupported"),
		.first_bad = GH_NULL,
		.why_at = GH_NULL};
	gh_seek(&c, at + 27);
	uint8_t kind = gh_u8(&c);
	gh_skip(&c, 4);
	uint64_t size = gh_u32(&c);
	gh_skip(&c, 8);
	uint64_t sig = gh_u32(&c);
	if (c.bad || !kind || !sig) {
		r.state = GH_STR("unsigned");
	} else if (kind != KIND_CHAIN) {
		r.why = gh_str_fmt(ctx->arena, "a signature of kind %u: identified, not verified", kind);
	} else if (size < FILE_INFO || sig > size || !gh_within(at, size, b->size)) {
		r.why = GH_STR("the header says more than there is");
	} else {
		enum gh_code code = gh_spend_steps(ctx->budget, 1 + size / 64, at, err);
		if (code)
			return code;
		r.why_at = (int64_t)(at + size - sig);
		struct gh_cursor chain = gh_cursor(b->data + at + size - sig, (size_t)sig, at + size - sig);
		if (!digest_data(DIGEST_SHA256, b->data + at, (size_t)(size - sig), sum))
			return gh_fail(err, GH_NOMEM, at, "a digest could not be computed");
		if (!preloader_chain(ctx, chain, sum, &r))
			r.why = GH_STR("certificates of a form that is not known");
	}
	ctx->ops->emit(ctx, GH_T_firmware_signs, at, &r);
	return GH_OK;
}
