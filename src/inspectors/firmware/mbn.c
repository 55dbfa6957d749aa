/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of Qualcomm's images (Qualcomm, "Secure Boot and Image Authentication" 1.0 and 2.0; version 7: coreboot util/qualcomm): an
 * MBN header, hashes of all segments, and up to two signatures over both, each with its chain of certificates. */
#include <openssl/evp.h>

#include "inspectors/cert/x509.h"
#include "inspectors/firmware/sign.h"

enum {
	HEAD = 40,
	HEAD_6 = 48,
	HEAD_7 = 40,
	PARTS_MAX = 256,
	/* of the OEM's metadata in version 6: kind of image, maker */
	META_SOFTWARE = 8,
	META_OEM = 16,
};

struct mbn {
	struct gh_cursor all; /* from the header on */
	uint32_t version;
	uint64_t signed_size; /* header, metadata and hashes, from the start */
	struct gh_cursor hashes, oem_meta;
	struct gh_cursor sig[2], chain[2]; /* 0: Qualcomm's own; 1: the maker's */
};

static const char *const signers[] = {"qti", "oem"};

static bool mbn_open(struct gh_cursor c, struct mbn *m)
{
	uint32_t w[12];
	struct gh_cursor head = c;
	for (unsigned i = 0; i < 12; i++)
		w[i] = i < 10 || w[1] == 6 ? gh_u32(&head) : 0;
	*m = (struct mbn){.all = c, .version = w[1]};
	if (head.bad)
		return false;
	bool seven = w[1] == 7, two = w[1] != 3;
	uint64_t common = seven ? w[2] : 0, qti_meta = seven ? w[3] : w[10], oem_meta = seven ? w[4] : w[11];
	uint64_t hashes = w[5], sizes[4] = {two ? w[2] : 0, two ? w[3] : 0, w[7], w[9]};
	if (seven)
		for (unsigned i = 0; i < 4; i++)
			sizes[i] = w[6 + i];
	gh_skip(&c, w[1] == 6 ? HEAD_6 : seven ? HEAD_7 : HEAD);
	gh_skip(&c, common);
	gh_skip(&c, qti_meta);
	m->oem_meta = gh_sub(&c, oem_meta);
	m->hashes = gh_sub(&c, hashes);
	m->signed_size = c.i - m->all.i;
	for (unsigned i = 0; i < 2; i++) {
		m->sig[i] = gh_sub(&c, sizes[2 * i]);
		m->chain[i] = gh_sub(&c, sizes[2 * i + 1]);
	}
	return !c.bad && (w[1] == 3 || (w[1] >= 5 && w[1] <= 7));
}

/* ---- hashes ---- */

static enum digest digest_of(const struct qualcomm_elf *e, const struct mbn *m)
{
	static const enum digest known[] = {DIGEST_SHA256, DIGEST_SHA1, DIGEST_SHA384};
	for (unsigned i = 0; i < 3; i++)
		if (gh_left(&m->hashes) == (uint64_t)e->n * digest_len(known[i]))
			return known[i];
	return DIGEST_NONE;
}

struct hashes {
	bool split; /* a .mdt: the segments lie in files of their own */
	struct gh_row_firmware_signs counts;
	uint32_t elsewhere[PARTS_MAX];
};

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* One segment against its hash. The list cannot hold its own. */
static void hash_check(const struct gh_blob *b, const struct qualcomm_elf *e, uint32_t i, enum digest digest,
	const uint8_t *want, struct hashes *h)
{
	struct qualcomm_part part;
	uint8_t sum[PUBKEY_DIGEST_MAX];
	size_t n = digest_len(digest);
	if (!qualcomm_part(e, i, &part) || qualcomm_part_kind(&part) == QUALCOMM_HASHES ||
		(!part.size && is_zero(want, n)))
		return;
	if (is_zero(want, n)) {
		h->counts.unlisted++;
		return;
	}
	h->counts.parts++;
	if ((h->split && i) || !gh_within(part.off, part.size, b->size)) {
		h->elsewhere[h->counts.elsewhere++] = i;
	} else if (digest_data(digest, b->data + part.off, (size_t)part.size, sum) && !memcmp(sum, want, n)) {
		h->counts.same++;
	} else if (h->counts.first_bad == GH_NULL) {
		h->counts.first_bad = i;
		h->counts.why_at = (int64_t)part.off;
	}
}

static enum gh_code hashes_check(struct gh_ctx *ctx, const struct gh_blob *b, const struct qualcomm_elf *e,
	const struct mbn *m, struct hashes *h, struct gh_err *err)
{
	enum digest digest = digest_of(e, m);
	struct gh_cursor c = m->hashes;
	if (digest == DIGEST_NONE) {
		h->counts.why = GH_STR("a list of hashes of a size that fits no digest");
		return GH_OK;
	}
	uint64_t room = 2 * b->size; /* segments may overlap, but are the file's */
	for (uint32_t i = 0; i < e->n; i++) {
		struct qualcomm_part part;
		const uint8_t *want = gh_bytes(&c, digest_len(digest));
		if (!want || !qualcomm_part(e, i, &part))
			break;
		uint64_t reads = gh_within(part.off, part.size, b->size) ? part.size : 0;
		if (reads > room)
			return gh_fail(err, GH_LIMIT, part.off, "segments that are more than the file, twice");
		room -= reads;
		enum gh_code code = gh_spend_steps(ctx->budget, 1 + reads / 64, part.off, err);
		if (code)
			return code;
		hash_check(b, e, i, digest, want, h);
	}
	return GH_OK;
}

/* ---- signatures ---- */

/* Behind the DER of an elliptic signature lie zeros: the field has the longest size that there can be. */
static size_t ec_size(struct gh_cursor sig)
{
	struct der d;
	return der_take(&sig, DER_SEQUENCE, &d) ? gh_left(&d.whole) : 0;
}

/* Versions up to 5, first scheme: the hash of the signed bytes, hashed with the software's and then the hardware's number from the
 * signer's certificate, each under a constant. */
static bool bound_hash(struct gh_cursor cert, const uint8_t *hash, uint8_t ret[PUBKEY_DIGEST_MAX])
{
	uint8_t inner[8 + 32], outer[8 + 32], sum[PUBKEY_DIGEST_MAX];
	if (!chain_unit(cert, "SW_ID", inner) || !chain_unit(cert, "HW_ID", outer))
		return false;
	for (unsigned i = 0; i < 8; i++) {
		inner[i] ^= 0x36;
		outer[i] ^= 0x5c;
	}
	memcpy(inner + 8, hash, 32);
	if (!digest_data(DIGEST_SHA256, inner, sizeof inner, sum))
		return false;
	memcpy(outer + 8, sum, 32);
	return digest_data(DIGEST_SHA256, outer, sizeof outer, ret);
}

/* Qualcomm's own signature is made before the maker's: the sizes of that are still zero in the header. */
static bool signed_digest(const struct mbn *m, unsigned who, enum digest digest, uint8_t ret[PUBKEY_DIGEST_MAX])
{
	const uint8_t *p = m->all.p + m->all.i;
	size_t n = (size_t)m->signed_size;
	if (who)
		return digest_data(digest, p, n, ret);
	uint8_t head[HEAD];
	memcpy(head, p, HEAD);
	memset(head + (m->version == 7 ? 32 : 28), 0, 4);
	memset(head + 36, 0, 4);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, digest == DIGEST_SHA384 ? EVP_sha384() : EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(md, head, HEAD) == 1 && EVP_DigestUpdate(md, p + HEAD, n - HEAD) == 1 &&
		  EVP_DigestFinal_ex(md, ret, NULL) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

/* The name of the scheme by which the signature holds; NULL: by none. */
static const char *holds(const struct pubkey *key, const struct mbn *m, unsigned who, struct gh_cursor cert)
{
	struct gh_cursor sig = m->sig[who];
	const uint8_t *p = sig.p + sig.i;
	uint8_t hash[PUBKEY_DIGEST_MAX], bound[PUBKEY_DIGEST_MAX];
	static const struct {
		enum digest digest;
		const char *rsa, *ec;
	} ways[] = {{DIGEST_SHA256, "RSA-PSS, SHA-256", "ECDSA, SHA-256"},
		{DIGEST_SHA384, "RSA-PSS, SHA-384", "ECDSA, SHA-384"}};
	for (unsigned i = 0; i < 2; i++) {
		if (!signed_digest(m, who, ways[i].digest, hash))
			return NULL;
		if (key->kind == KEY_EC && pubkey_verify(key, ways[i].digest, false, hash, p, ec_size(sig)))
			return ways[i].ec;
		if (key->kind == KEY_RSA && pubkey_verify(key, ways[i].digest, true, hash, p, gh_left(&sig)))
			return ways[i].rsa;
		if (!i && key->kind == KEY_RSA && bound_hash(cert, hash, bound) &&
			pubkey_verify_bare(key, bound, 32, p, gh_left(&sig)))
			return "RSA PKCS #1, SHA-256 bound to software and hardware";
	}
	return NULL;
}

static void tell_signer(struct gh_ctx *ctx, const struct mbn *m, const struct chain *c, struct gh_row_firmware_signs *r)
{
	uint8_t id[8];
	struct gh_cursor first = c->cert[0], root = c->cert[c->root], meta = m->oem_meta;
	r->cert_sha256 = x509_digest(ctx, first.p + first.i, gh_left(&first));
	r->subject = chain_subject(ctx, first);
	if (c->holds) {
		r->root_sha256 = x509_digest(ctx, root.p + root.i, gh_left(&root));
		r->root = chain_subject(ctx, root);
	}
	if (chain_unit(first, "SW_ID", id))
		r->software = gh_hex(ctx->arena, id, 8);
	if (chain_unit(first, "HW_ID", id))
		r->hardware = gh_hex(ctx->arena, id, 8);
	if (m->version != 6 || gh_left(&meta) < META_OEM + 4)
		return;
	gh_skip(&meta, META_SOFTWARE);
	r->software = gh_str_fmt(ctx->arena, "%08x", gh_u32(&meta));
	gh_skip(&meta, META_OEM - META_SOFTWARE - 4);
	r->hardware = gh_str_fmt(ctx->arena, "oem %04x", gh_u32(&meta));
}

static enum gh_code sign_check(
	struct gh_ctx *ctx, const struct mbn *m, unsigned who, struct gh_row_firmware_signs *r, struct gh_err *err)
{
	struct chain c;
	struct gh_cursor spki;
	enum gh_code code = chain_read(ctx, m->chain[who], &c, err);
	r->state = GH_STR("failed");
	if (code)
		return code;
	if (!c.n || !pubkey_of_cert(c.cert[0], &spki)) {
		r->why = GH_STR("a signature without a certificate that can be read");
		r->why_at = (int64_t)gh_at(&m->chain[who]);
		return GH_OK;
	}
	tell_signer(ctx, m, &c, r);
	struct pubkey key = pubkey_spki(spki);
	const char *way = key.key ? holds(&key, m, who, c.cert[0]) : NULL;
	bool odd = !key.key || (key.kind != KEY_RSA && key.kind != KEY_EC);
	pubkey_done(&key);
	r->algorithm = way ? gh_str(way) : GH_NONE;
	if (!way) {
		r->state = odd ? GH_STR("unsupported") : GH_STR("failed");
		r->why = key.why ? gh_str(key.why)
			 : odd   ? GH_STR("a kind of key that these images do not have")
				 : GH_STR("the signature is not over this header and these hashes");
		r->why_at = (int64_t)gh_at(&m->sig[who]);
	} else if (r->first_bad != GH_NULL) {
		r->why = gh_str_fmt(
			ctx->arena, "segment %lld is not what its hash was made over", (long long)r->first_bad);
	} else if (!c.holds) {
		r->state = GH_STR("incomplete");
		r->why = GH_STR("the certificates do not lead to one that signed itself");
		r->why_at = (int64_t)gh_at(&m->chain[who]);
	} else if (r->elsewhere) {
		r->state = GH_STR("incomplete");
		r->why = gh_str_fmt(ctx->arena, "%lld of %lld segments are not in this file", (long long)r->elsewhere,
			(long long)r->parts);
	} else {
		r->state = GH_STR("verified");
	}
	return GH_OK;
}

static void elsewhere(
	struct gh_ctx *ctx, const struct qualcomm_elf *e, const struct mbn *m, const struct hashes *h, uint64_t sign)
{
	size_t n = digest_len(digest_of(e, m));
	for (int64_t k = 0; k < h->counts.elsewhere; k++) {
		struct qualcomm_part part = {0};
		struct gh_cursor c = m->hashes;
		uint32_t i = h->elsewhere[k];
		(void)qualcomm_part(e, i, &part);
		gh_skip(&c, i * n);
		const uint8_t *want = gh_bytes(&c, n);
		if (want)
			GH_EMIT(ctx, firmware_parts, gh_at(&c) - n, .sign = (int64_t)sign, .number = i,
				.size = (int64_t)part.size, .digest = gh_hex(ctx->arena, want, n));
	}
}

enum gh_code qualcomm_verify(struct gh_ctx *ctx, const struct gh_blob *b, const struct qualcomm_elf *elf, uint64_t at,
	uint64_t size, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
	struct hashes h = {.counts = {.first_bad = GH_NULL, .why_at = GH_NULL}};
	struct mbn m;
	gh_seek(&c, at);
	if (!mbn_open(gh_sub(&c, gh_min(size, gh_left(&c))), &m)) {
		gh_note(ctx, GH_BAD, at, "the header says more than there is: signatures were not looked at");
		return GH_OK;
	}
	struct qualcomm_part first, list;
	h.split = elf && qualcomm_part(elf, 0, &first) && qualcomm_hashes(elf, &list) && list.off == first.size &&
		  b->size - first.size == list.size;
	enum gh_code code = elf ? hashes_check(ctx, b, elf, &m, &h, err) : GH_OK;
	bool none = true;
	for (unsigned who = 0; code == GH_OK && who < 2; who++) {
		struct gh_row_firmware_signs r = h.counts;
		r.maker = GH_STR("qualcomm");
		r.signer = gh_str(signers[who]);
		if (!gh_left(&m.sig[who]))
			continue;
		none = false;
		if (h.counts.why.p) {
			r.state = GH_STR("unsupported");
			r.why_at = (int64_t)gh_at(&m.hashes);
		} else {
			code = sign_check(ctx, &m, who, &r, err);
		}
		uint64_t sign = ctx->ops->emit(ctx, GH_T_firmware_signs, gh_at(&m.sig[who]), &r);
		if (elf)
			elsewhere(ctx, elf, &m, &h, sign);
	}
	if (code == GH_OK && none) {
		struct gh_row_firmware_signs r = h.counts;
		r.maker = GH_STR("qualcomm");
		r.state = GH_STR("unsigned");
		r.why = r.first_bad == GH_NULL ? GH_NONE : GH_STR("a segment is not what its hash says");
		ctx->ops->emit(ctx, GH_T_firmware_signs, at, &r);
	}
	return code;
}
