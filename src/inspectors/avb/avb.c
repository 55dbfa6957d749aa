/* SPDX-License-Identifier: Apache-2.0 */
/* Android Verified Boot 2.0: vbmeta structures (external/avb/libavb/avb_vbmeta_image.h), alone or behind a footer
 * (avb_footer.h). Fields, and whether the signature holds; hashes and trees over partitions are verity's. */
#include "inspectors/avb/avb.h"

#include <openssl/evp.h>

#include "base/num.h"
#include "inspectors/avb/sign.h"

enum {
	HEADER = 256,
	FOOTER = 64,
	VBMETA_MAX = 1 << 20, /* libavb takes 64 KiB */
	KEPT_MAX = 64 << 10, /* of which the bytes are kept, for the digest over all of them */
	STRUCTURES_MAX = 8, /* one behind the other, as in a GKI boot signature, which has two */
};

struct vbmeta {
	uint64_t at; /* in the blob */
	uint64_t size;
	uint64_t auth_size, aux_size;
	uint32_t algorithm;
	struct range {
		uint64_t off, size;
	} hash, signature, key, key_metadata, descriptors;
	uint64_t rollback;
	uint32_t flags, location;
	struct gh_str release;
	bool outside; /* one of its ranges lies outside of its block */
};

struct footer {
	uint64_t original_size, off, size;
};

static const struct {
	const char *name;
	uint32_t hash, signature, bits;
} algorithms[] = {
	{"NONE", 0, 0, 0},
	{"SHA256_RSA2048", 32, 256, 2048},
	{"SHA256_RSA4096", 32, 512, 4096},
	{"SHA256_RSA8192", 32, 1024, 8192},
	{"SHA512_RSA2048", 64, 256, 2048},
	{"SHA512_RSA4096", 64, 512, 4096},
	{"SHA512_RSA8192", 64, 1024, 8192},
	{"MLDSA65", 0, 3309, 0},
	{"MLDSA87", 0, 4627, 0},
};

struct gh_str avb_sha1(struct gh_arena *arena, const uint8_t *p, size_t n)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	if (EVP_Digest(p, n, sum, NULL, EVP_sha1(), NULL) != 1)
		return GH_NONE;
	return gh_hex(arena, sum, 20);
}

static int64_t number(uint64_t v)
{
	return v > INT64_MAX ? GH_NULL : (int64_t)v;
}

/* ---- header ---- */

static struct range range_read(struct gh_cursor *c)
{
	struct range r = {.off = gh_u64be(c)};
	r.size = gh_u64be(c);
	return r;
}

static enum gh_code header_read(struct gh_ctx *ctx, const uint8_t *p, struct vbmeta *v, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, HEADER, v->at);
	const uint8_t *magic = gh_bytes(&c, 4);
	if (!magic || memcmp(magic, "AVB0", 4) != 0)
		return gh_fail(err, GH_BAD, v->at, "no vbmeta structure where one is said to be");
	uint32_t major = gh_u32be(&c);
	gh_skip(&c, 4);
	if (major != 1)
		return gh_fail(err, GH_UNSUP, v->at + 4, "vbmeta needs libavb version %u", major);
	v->auth_size = gh_u64be(&c);
	v->aux_size = gh_u64be(&c);
	v->algorithm = gh_u32be(&c);
	v->hash = range_read(&c);
	v->signature = range_read(&c);
	v->key = range_read(&c);
	v->key_metadata = range_read(&c);
	v->descriptors = range_read(&c);
	v->rollback = gh_u64be(&c);
	v->flags = gh_u32be(&c);
	v->location = gh_u32be(&c);
	v->release = gh_text(&c, 48);
	v->release = gh_str_dup(ctx->arena, v->release);
	return GH_OK;
}

static void check_range(
	struct gh_ctx *ctx, struct vbmeta *v, const char *what, struct range *r, uint64_t limit, uint64_t at)
{
	if (gh_within(r->off, r->size, limit))
		return;
	gh_note(ctx, GH_BAD, v->at + at, "the %s lies outside of its block of %llu bytes", what,
		(unsigned long long)limit);
	*r = (struct range){0};
	v->outside = true;
}

static void check_sizes(struct gh_ctx *ctx, struct vbmeta *v)
{
	if (v->auth_size % 64 || v->aux_size % 64)
		gh_note(ctx, GH_BAD, v->at + 12, "block sizes %llu and %llu are not multiples of 64",
			(unsigned long long)v->auth_size, (unsigned long long)v->aux_size);
	check_range(ctx, v, "hash", &v->hash, v->auth_size, 32);
	check_range(ctx, v, "signature", &v->signature, v->auth_size, 48);
	check_range(ctx, v, "public key", &v->key, v->aux_size, 64);
	check_range(ctx, v, "public key metadata", &v->key_metadata, v->aux_size, 80);
	check_range(ctx, v, "list of descriptors", &v->descriptors, v->aux_size, 96);
	if (v->algorithm >= GH_COUNT(algorithms)) {
		gh_note(ctx, GH_UNSUP, v->at + 28, "algorithm %u is not known", v->algorithm);
		return;
	}
	if ((v->algorithm < AVB_ALGORITHMS && v->hash.size != algorithms[v->algorithm].hash) ||
		v->signature.size != algorithms[v->algorithm].signature)
		gh_note(ctx, GH_BAD, v->at + 32, "%s with a hash of %llu and a signature of %llu bytes",
			algorithms[v->algorithm].name, (unsigned long long)v->hash.size,
			(unsigned long long)v->signature.size);
}

/* AvbRSAPublicKeyHeader: bits, n0inv, modulus, rr. */
static void check_key(struct gh_ctx *ctx, const struct vbmeta *v, const uint8_t *key)
{
	struct gh_cursor c = gh_cursor(key, v->key.size, 0);
	uint32_t bits = gh_u32be(&c);
	bool known = v->algorithm && v->algorithm < AVB_ALGORITHMS;
	if (known && (c.bad || bits != algorithms[v->algorithm].bits || v->key.size != 8 + (uint64_t)bits / 4))
		gh_note(ctx, GH_BAD, v->at + HEADER + v->auth_size + v->key.off,
			"a public key of %u bits in %llu bytes for %s", bits, (unsigned long long)v->key.size,
			algorithms[v->algorithm].name);
}

/* ---- one structure ---- */

/* All of the structure in one piece: header, authentication block, auxiliary block. */
static enum gh_code structure_load(
	struct gh_ctx *ctx, const struct gh_blob *blob, struct vbmeta *v, const uint8_t **ret, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_view(blob->src, ctx->arena, v->at, HEADER, &p, err);
	if (code == GH_OK)
		code = header_read(ctx, p, v, err);
	if (code)
		return code;
	if (!gh_add(v->auth_size, v->aux_size, &v->size) || !gh_add(v->size, HEADER, &v->size) || v->size > VBMETA_MAX)
		return gh_fail(err, GH_LIMIT, v->at + 12, "a vbmeta structure of more than %d bytes", VBMETA_MAX);
	return gh_view(blob->src, ctx->arena, v->at, (size_t)v->size, ret, err);
}

static struct gh_cursor part(const struct vbmeta *v, const uint8_t *all, uint64_t block, struct range r)
{
	return gh_cursor(all + block + r.off, (size_t)r.size, v->at + block + r.off);
}

/* The list as avb_descriptor_foreach walks it; *ret_at is where it breaks. */
static bool list_holds(struct gh_cursor c, uint64_t *ret_at)
{
	while (gh_left(&c)) {
		*ret_at = gh_at(&c);
		gh_skip(&c, 8);
		uint64_t n = gh_u64be(&c);
		if (c.bad || n % 8 || n > gh_left(&c))
			return false;
		gh_skip(&c, n);
	}
	return true;
}

/* libavb gives up a structure whose list it cannot walk, whoever signed it. */
static void verdict_of_list(const struct vbmeta *v, const uint8_t *all, struct avb_verdict *r)
{
	uint64_t at = v->at;
	if (v->outside)
		*r = (struct avb_verdict){"failed", "signed, and one of its parts lies outside of it", v->at};
	else if (!list_holds(part(v, all, HEADER + v->auth_size, v->descriptors), &at))
		*r = (struct avb_verdict){"failed", "signed, and its list of descriptors reaches behind its end", at};
}

/* What check_sizes() found outside of its block is empty by now, and so not verified. */
static struct avb_verdict verify(struct gh_ctx *ctx, const struct vbmeta *v, const uint8_t *all)
{
	uint64_t aux = HEADER + v->auth_size;
	struct avb_signed s = {.at = v->at,
		.algorithm = v->algorithm,
		.n = HEADER + v->aux_size,
		.hash = part(v, all, HEADER, v->hash),
		.signature = part(v, all, HEADER, v->signature),
		.key = part(v, all, aux, v->key)};
	uint8_t *data = gh_alloc_raw(ctx->arena, s.n);
	if (!data)
		return (struct avb_verdict){.state = "unsupported", .why = "no memory", .at = v->at};
	memcpy(data, all, HEADER);
	memcpy(data + HEADER, all + aux, v->aux_size);
	s.data = data;
	struct avb_verdict r = avb_verify(&s);
	if (!r.why)
		verdict_of_list(v, all, &r);
	return r;
}

static enum gh_code structure(
	struct gh_ctx *ctx, const struct gh_blob *blob, struct vbmeta *v, const struct footer *f, struct gh_err *err)
{
	const uint8_t *all, *aux;
	enum gh_code code = structure_load(ctx, blob, v, &all, err);
	if (code)
		return code;
	aux = all + HEADER + v->auth_size;
	check_sizes(ctx, v);
	struct avb_verdict verdict = verify(ctx, v, all);
	struct gh_row_avb_images row = {.flags = v->flags,
		.rollback = number(v->rollback),
		.rollback_location = v->location,
		.release = v->release,
		.footer = f != NULL,
		.original_size = f ? number(f->original_size) : GH_NULL,
		.state = gh_str(verdict.state),
		.why = gh_str(verdict.why),
		.why_at = verdict.why ? (int64_t)verdict.at : GH_NULL,
		.vbmeta = v->size <= KEPT_MAX ? gh_strn(all, (size_t)v->size) : GH_NONE};
	if (v->algorithm < GH_COUNT(algorithms))
		row.algorithm = gh_str(algorithms[v->algorithm].name);
	if (v->key.size) {
		row.pubkey_sha1 = avb_sha1(ctx->arena, aux + v->key.off, v->key.size);
		check_key(ctx, v, aux + v->key.off);
	}
	uint64_t n = ctx->ops->emit(ctx, GH_T_avb_images, v->at, &row);
	struct gh_cursor c = gh_cursor(
		aux + v->descriptors.off, v->descriptors.size, v->at + HEADER + v->auth_size + v->descriptors.off);
	return avb_descriptors(ctx, c, n, err);
}

/* ---- where they are ---- */

static enum gh_code footer_read(
	struct gh_ctx *ctx, const struct gh_blob *blob, struct footer *f, bool *ret_there, struct gh_err *err)
{
	*ret_there = false;
	if (blob->size < FOOTER)
		return GH_OK;
	uint8_t *p = gh_alloc_raw(ctx->arena, FOOTER);
	if (!p)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a footer");
	uint64_t at = blob->size - FOOTER;
	enum gh_code code = gh_read(blob->src, at, p, FOOTER, err);
	if (code || memcmp(p, "AVBf", 4) != 0)
		return code;
	struct gh_cursor c = gh_cursor(p + 4, FOOTER - 4, at + 4);
	uint32_t major = gh_u32be(&c);
	gh_skip(&c, 4);
	f->original_size = gh_u64be(&c);
	f->off = gh_u64be(&c);
	f->size = gh_u64be(&c);
	if (major != 1)
		return gh_fail(err, GH_UNSUP, at + 4, "AVB footer version %u", major);
	*ret_there = gh_within(f->off, f->size, at) && f->size >= HEADER;
	if (!*ret_there)
		return gh_fail(err, GH_BAD, at + 20, "the footer points at %llu bytes at %llu",
			(unsigned long long)f->size, (unsigned long long)f->off);
	if (f->original_size > f->off)
		gh_note(ctx, GH_BAD, at + 12, "the original image of %llu bytes reaches behind its vbmeta at %llu",
			(unsigned long long)f->original_size, (unsigned long long)f->off);
	return GH_OK;
}

static enum gh_code behind_footer(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct footer f = {0};
	bool there;
	enum gh_code code = footer_read(ctx, blob, &f, &there, err);
	if (code || !there)
		return code;
	struct vbmeta v = {.at = f.off};
	code = structure(ctx, blob, &v, &f, err);
	if (code == GH_OK && v.size > f.size)
		gh_note(ctx, GH_BAD, blob->size - FOOTER + 28, "the vbmeta is %llu bytes long, the footer says %llu",
			(unsigned long long)v.size, (unsigned long long)f.size);
	return code;
}

static enum gh_code is_vbmeta(
	struct gh_ctx *ctx, const struct gh_blob *blob, uint64_t at, bool *ret, struct gh_err *err)
{
	const uint8_t *p;
	*ret = false;
	if (!gh_within(at, 4, blob->size))
		return GH_OK;
	enum gh_code code = gh_view(blob->src, ctx->arena, at, 4, &p, err);
	if (code == GH_OK)
		*ret = memcmp(p, "AVB0", 4) == 0;
	return code;
}

static enum gh_code at_head(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	uint64_t at = 0;
	for (int i = 0; i < STRUCTURES_MAX; i++) {
		bool there;
		enum gh_code code = is_vbmeta(ctx, blob, at, &there, err);
		if (code || !there)
			return code;
		struct vbmeta v = {.at = at};
		code = structure(ctx, blob, &v, NULL, err);
		if (code)
			return code;
		at += v.size;
	}
	gh_note(ctx, GH_LIMIT, at, "more than %d vbmeta structures in a row", STRUCTURES_MAX);
	return GH_OK;
}

static bool avb_wants(const struct gh_probe *probe)
{
	return (probe->head_len >= 4 && memcmp(probe->head, "AVB0", 4) == 0) ||
	       (probe->tail_len >= FOOTER && memcmp(probe->tail + probe->tail_len - FOOTER, "AVBf", 4) == 0);
}

static enum gh_code avb_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	/* A damaged structure at one end does not hide the one at the other. */
	struct gh_err head = {0};
	enum gh_code code = at_head(ctx, blob, &head);
	if (code)
		gh_note_err(ctx, &head);
	return behind_footer(ctx, blob, err);
}

const struct gh_inspector gh_inspector_avb = {
	.name = "avb",
	.title = "Android Verified Boot",
	.version = 3,
	.wants = avb_wants,
	.run = avb_run,
};
