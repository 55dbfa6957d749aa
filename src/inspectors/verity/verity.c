/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a partition against the hash or the hash tree that its own footer (avb_footer.h, avb_hash_descriptor.h,
 * avb_hashtree_descriptor.h) or its verity metadata (Android 7 and 8: system/extras/verity) says. Whether the phone believes
 * that footer is told by the vbmeta, elsewhere. */
#include <openssl/evp.h>

#include "base/num.h"
#include "inspectors/verity/tree.h"
#include "inspectors/verity/verity.h"
#include "source/window.h"

enum {
	FOOTER = 64,
	HEADER = 256,
	VBMETA_MAX = 64 << 10, /* as libavb */
	CHECKS_MAX = 4, /* of one partition: each reads all of it */
	SALT_MAX = 4096,
	WINDOW = 1 << 20,
	BLOCK_MIN = 512,
	BLOCK_MAX = 64 << 10,
};

enum { HASHTREE = 1, HASH = 2 };

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* ---- what is computed ---- */

static const EVP_MD *md_of(struct gh_str name)
{
	return gh_str_is(name, "sha1")     ? EVP_sha1()
	       : gh_str_is(name, "sha256") ? EVP_sha256()
	       : gh_str_is(name, "sha512") ? EVP_sha512()
					   : NULL;
}

static const char *refuse(const struct gh_blob *blob, const struct verity_claim *c)
{
	if (!md_of(c->algorithm))
		return "a hash algorithm that is not known";
	if (c->digest_len != (size_t)EVP_MD_get_size(md_of(c->algorithm)))
		return "a digest of another size than its algorithm's";
	if (c->salt_len > SALT_MAX)
		return "a salt of more than 4,096 bytes";
	if (c->image_size > blob->size)
		return "a size that reaches behind the partition";
	if (!c->tree)
		return NULL;
	if (c->version != 1)
		return "a hash tree of another version than 1";
	if (!power_of_two(c->data_block) || !power_of_two(c->hash_block) || c->data_block < BLOCK_MIN ||
		c->hash_block < BLOCK_MIN || c->data_block > BLOCK_MAX || c->hash_block > BLOCK_MAX)
		return "blocks of a size that is not taken";
	if (!c->image_size || c->image_size % c->data_block)
		return "a size that is no multiple of its blocks";
	return NULL;
}

static void unsupported(struct verity_row *r, const char *why)
{
	r->state = "unsupported";
	r->why = gh_str(why);
}

/* A file cut short or a chunk that is missing is no change: what could not be read is told as that. */
static void unread(struct gh_ctx *ctx, struct verity_row *r, const struct gh_err *err)
{
	r->state = "unread";
	r->why = gh_str_fmt(ctx->arena, "%s, at %llu", err->what, (unsigned long long)err->at);
	gh_note_err(ctx, err);
}

static enum gh_code hash_all(
	struct gh_ctx *ctx, EVP_MD_CTX *md, struct gh_source *src, uint64_t size, struct gh_err *err)
{
	struct gh_window w = {.src = src, .cap = WINDOW, .step = WINDOW};
	for (uint64_t at = 0; at < size;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(WINDOW, size - at);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&w, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		if (EVP_DigestUpdate(md, p, n) != 1)
			return gh_fail(err, GH_NOMEM, at, "a digest could not be computed");
		at += n;
	}
	return GH_OK;
}

static enum gh_code hash_check(struct gh_ctx *ctx, const struct gh_blob *blob, const struct verity_claim *c,
	struct verity_row *r, struct gh_err *err)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	enum gh_code code = GH_OK;
	if (!md || EVP_DigestInit_ex(md, md_of(c->algorithm), NULL) != 1 ||
		EVP_DigestUpdate(md, c->salt, c->salt_len) != 1)
		code = gh_fail(err, GH_NOMEM, 0, "no memory for a digest");
	if (code == GH_OK)
		code = hash_all(ctx, md, blob->src, c->image_size, err);
	if (code == GH_OK && EVP_DigestFinal_ex(md, sum, NULL) != 1)
		code = gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	EVP_MD_CTX_free(md);
	if (code)
		return code;
	bool same = !memcmp(sum, c->digest, c->digest_len);
	r->digest = gh_hex(ctx->arena, sum, c->digest_len);
	r->state = same ? "same" : "differs";
	r->why = same ? GH_NONE : GH_STR("the bytes are not those that were hashed");
	return GH_OK;
}

static enum gh_code tree_run(struct gh_ctx *ctx, const struct gh_blob *blob, const struct verity_claim *c,
	struct verity_row *r, struct gh_err *err)
{
	struct tree_result t;
	struct tree_parameters p = {.data_size = c->image_size,
		.data_block = c->data_block,
		.hash_block = c->hash_block,
		.md = md_of(c->algorithm),
		.digest_len = c->digest_len,
		.salt = c->salt,
		.salt_len = c->salt_len,
		.tree_off = c->tree_off,
		.tree_size = c->tree_size,
		.root = c->digest};
	enum gh_code code = tree_check(ctx, blob->src, &p, &t, err);
	if (code)
		return code;
	r->digest = gh_hex(ctx->arena, t.root, c->digest_len);
	r->state = t.good ? "same" : "differs";
	r->first_bad = t.first_bad == UINT64_MAX ? GH_NULL : (int64_t)t.first_bad;
	r->tree = !c->tree_size ? "none" : t.stored_same ? "same" : t.stored_good ? "of other data" : "differs";
	if (!t.good)
		r->why = t.first_bad != UINT64_MAX
				 ? gh_str_fmt(ctx->arena, "block %llu of the data, at %llu, is the first that differs",
					   (unsigned long long)t.first_bad,
					   (unsigned long long)(t.first_bad * c->data_block))
				 : GH_STR("data and hash tree are not those that the root is of");
	else if (!t.stored_same && c->tree_size)
		r->why = gh_str_fmt(ctx->arena, "the data is as said, the stored tree is not, at %llu",
			(unsigned long long)gh_min(t.first_other, c->tree_off));
	return GH_OK;
}

enum gh_code verity_check(
	struct gh_ctx *ctx, const struct gh_blob *blob, const struct verity_claim *c, struct gh_err *err)
{
	struct verity_row r = {.first_bad = GH_NULL};
	struct gh_err why = {0};
	const char *no = refuse(blob, c);
	if (no) {
		unsupported(&r, no);
		gh_note(ctx, GH_UNSUP, c->at, "%s", no);
	} else {
		enum gh_code code = c->tree ? tree_run(ctx, blob, c, &r, &why) : hash_check(ctx, blob, c, &r, &why);
		if (code == GH_NOMEM)
			return gh_fail(err, code, why.at, "%s", why.what);
		if (code)
			unread(ctx, &r, &why);
	}
	GH_EMIT(ctx, verity_checks, c->at, .kind = gh_str(c->kind), .partition = c->partition,
		.hash_algorithm = c->algorithm, .salt = gh_hex(ctx->arena, c->salt, c->salt_len),
		.image_size = c->image_size > INT64_MAX ? GH_NULL : (int64_t)c->image_size,
		.said = gh_hex(ctx->arena, c->digest, c->digest_len), .digest = r.digest, .state = gh_str(r.state),
		.why = r.why, .first_bad = r.first_bad, .tree = gh_str(r.tree), .fec = c->fec,
		.signature = c->signature, .signed_text = c->signed_text);
	return GH_OK;
}

/* ---- descriptors of a footer's vbmeta ---- */

static bool hash_tail(struct gh_cursor *c, struct verity_claim *v)
{
	v->algorithm = gh_text(c, 32);
	uint32_t name = gh_u32be(c), salt = gh_u32be(c), digest = gh_u32be(c);
	gh_skip(c, 64); /* flags, reserved */
	const uint8_t *p = gh_bytes(c, name);
	v->partition = p ? gh_strn(p, name) : GH_NONE;
	v->salt = gh_bytes(c, salt);
	v->salt_len = salt;
	v->digest = gh_bytes(c, digest);
	v->digest_len = digest;
	return !c->bad;
}

static bool hashtree_read(struct gh_cursor c, struct verity_claim *v)
{
	v->kind = "hashtree";
	v->tree = true;
	v->version = gh_u32be(&c);
	v->image_size = gh_u64be(&c);
	v->tree_off = gh_u64be(&c);
	v->tree_size = gh_u64be(&c);
	v->data_block = gh_u32be(&c);
	v->hash_block = gh_u32be(&c);
	uint32_t roots = gh_u32be(&c);
	uint64_t fec_off = gh_u64be(&c), fec_size = gh_u64be(&c);
	v->fec = roots && fec_off && fec_size;
	return hash_tail(&c, v);
}

static bool hash_read(struct gh_cursor c, struct verity_claim *v)
{
	v->kind = "hash";
	v->image_size = gh_u64be(&c);
	v->fec = GH_NULL;
	return hash_tail(&c, v);
}

/* Those that speak of this partition: of the size that the footer gives for what lies before it. */
static enum gh_code descriptors(
	struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_cursor c, uint64_t original, struct gh_err *err)
{
	unsigned done = 0;
	while (gh_left(&c)) {
		struct verity_claim v = {.at = gh_at(&c)};
		enum gh_code code = gh_spend_steps(ctx->budget, 1, v.at, err);
		if (code)
			return code;
		uint64_t tag = gh_u64be(&c), n = gh_u64be(&c);
		struct gh_cursor body = gh_sub(&c, n);
		if (c.bad)
			return GH_OK; /* avb notes it */
		bool ok = tag == HASHTREE ? hashtree_read(body, &v) : tag == HASH && hash_read(body, &v);
		if (!ok || v.image_size != original)
			continue;
		if (done++ == CHECKS_MAX)
			return gh_fail(err, GH_LIMIT, v.at, "more than %d descriptors of one partition", CHECKS_MAX);
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		code = verity_check(ctx, blob, &v, err);
		gh_arena_release(ctx->arena, mark);
		if (code)
			return code;
	}
	return GH_OK;
}

/* What does not fit is avb's to note: here it is nothing to compare with. */
static enum gh_code footer_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	const uint8_t *p;
	uint64_t tail = blob->size - FOOTER;
	enum gh_code code = gh_view(blob->src, ctx->arena, tail, FOOTER, &p, err);
	if (code || memcmp(p, "AVBf", 4) != 0)
		return code;
	struct gh_cursor c = gh_cursor(p, FOOTER, tail);
	gh_skip(&c, 12);
	uint64_t original = gh_u64be(&c), off = gh_u64be(&c), size = gh_u64be(&c);
	if (!gh_within(off, size, tail) || size < HEADER || size > VBMETA_MAX)
		return GH_OK;
	code = gh_view(blob->src, ctx->arena, off, (size_t)size, &p, err);
	if (code || memcmp(p, "AVB0", 4) != 0)
		return code;
	c = gh_cursor(p, (size_t)size, off);
	gh_skip(&c, 12);
	uint64_t auth = gh_u64be(&c), aux = gh_u64be(&c);
	gh_seek(&c, 96);
	uint64_t at = gh_u64be(&c), n = gh_u64be(&c);
	if (!gh_within(auth, aux, size - HEADER) || !gh_within(at, n, aux))
		return GH_OK;
	return descriptors(
		ctx, blob, gh_cursor(p + HEADER + auth + at, (size_t)n, off + HEADER + auth + at), original, err);
}

/* ---- inspector ---- */

static bool has_footer(const struct gh_probe *probe)
{
	return probe->tail_len >= FOOTER && memcmp(probe->tail + probe->tail_len - FOOTER, "AVBf", 4) == 0;
}

static bool verity_wants(const struct gh_probe *probe)
{
	return has_footer(probe) || verity_table_wants(probe) || verity_key_wants(probe);
}

static enum gh_code verity_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (verity_key_wants(&(struct gh_probe){.name = blob->name, .size = blob->size}))
		return verity_key_run(ctx, blob, err);
	enum gh_code code = blob->size < FOOTER ? GH_OK : footer_run(ctx, blob, err);
	return code ? code : verity_table_run(ctx, blob, err);
}

const struct gh_inspector gh_inspector_verity = {
	.name = "verity",
	.title = "hashes and hash trees of partitions",
	.version = 2,
	.wants = verity_wants,
	.run = verity_run,
};
