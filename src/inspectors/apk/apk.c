/* SPDX-License-Identifier: Apache-2.0 */
/* The APK Signing Block and the signers that schemes v2, v3 and v3.1 name in it (source.android.com, "APK signing"); then all
 * schemes are verified. */
#include "inspectors/apk/apk.h"
#include "inspectors/apk/verify.h"

enum {
	MAGIC = 16,
	FOOTER = 8 + MAGIC, /* size and magic, right before the central directory */
	PAIR = 12, /* size and id */
	PAIRS_MAX = 4096, /* real blocks have 3 to 6 */
	VALUE_MAX = 16 << 20, /* of a scheme's block: one with ten signers and long chains has 100 KiB */
};

static const char magic[] = "APK Sig Block 42";

static const struct {
	uint32_t id;
	const char *word;
	int64_t scheme; /* whose signers are read; 0: none */
} kinds[] = {{0x7109871a, "v2", 2}, {0xf05368c0, "v3", 3}, {0x1b93ad61, "v3.1", 31}, {0x2b09189e, "stamp", 0},
	{0x6dff800d, "stamp2", 0}, {0x42726577, "padding", 0}, {0x504b4453, "dependencies", 0},
	{0x2146444e, "frosting", 0}, {0x71777777, "channel", 0}};

/* ---- where it lies ---- */

struct block {
	uint64_t at; /* its first size field */
	uint64_t pairs, end; /* [pairs, end) */
	bool odd; /* the sizes at its ends differ */
};

/* A size field in the footer that fits, and the same before the pairs. GH_END: no block. */
static enum gh_code block_find(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t central, struct block *ret, struct gh_err *err)
{
	uint8_t buf[FOOTER], head[8];
	if (central < FOOTER)
		return GH_END;
	enum gh_code code = gh_read(src, central - FOOTER, buf, sizeof buf, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, central - FOOTER);
	uint64_t size = gh_u64(&c);
	if (memcmp(gh_bytes(&c, MAGIC), magic, MAGIC))
		return GH_END;
	if (size < FOOTER || size > central - 8)
		return gh_fail(err, GH_BAD, central - FOOTER,
			"signing block of %" PRIu64 " bytes, before which there are %" PRIu64, size, central - 8);
	*ret = (struct block){.at = central - 8 - size, .pairs = central - size, .end = central - FOOTER};
	code = gh_read(src, ret->at, head, sizeof head, err);
	if (code)
		return code;
	c = gh_cursor(head, sizeof head, ret->at);
	uint64_t first = gh_u64(&c);
	ret->odd = first != size;
	if (ret->odd) /* Android does not take such a block, but what it names is still a fact */
		gh_note(ctx, GH_BAD, ret->at, "signing block of %" PRIu64 " bytes that begins with %" PRIu64, size,
			first);
	return GH_OK;
}

/* ---- pairs ---- */

static enum gh_code scheme_read(
	struct gh_ctx *ctx, struct gh_source *src, uint64_t at, uint64_t size, int64_t scheme, struct gh_err *err)
{
	const uint8_t *p;
	if (size > VALUE_MAX) {
		gh_note(ctx, GH_LIMIT, at, "signers in %" PRIu64 " bytes, more than %d", size, VALUE_MAX);
		return GH_OK;
	}
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = gh_view(src, ctx->arena, at, (size_t)size, &p, err);
	if (code == GH_OK)
		code = apk_signers_read(ctx, gh_cursor(p, (size_t)size, at), scheme, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

/* *seen: a bit a kind. Of two blocks of one scheme Android takes the first; who takes the last is deceived. */
static enum gh_code pair_read(
	struct gh_ctx *ctx, struct apk *a, uint64_t at, uint32_t id, uint64_t size, uint32_t *seen, struct gh_err *err)
{
	struct apk_value *const values[] = {&a->v2, &a->v3, &a->v31, &a->stamp, &a->stamp2};
	size_t i = 0;
	while (i < GH_COUNT(kinds) && kinds[i].id != id)
		i++;
	bool known = i < GH_COUNT(kinds);
	GH_EMIT(ctx, apk_blocks, at, .id = id, .size = (int64_t)size, .kind = known ? gh_str(kinds[i].word) : GH_NONE);
	if (known && i < GH_COUNT(values) && !values[i]->there)
		*values[i] = (struct apk_value){.there = true, .at = at + PAIR, .size = size};
	if (!known || !kinds[i].scheme)
		return GH_OK;
	if (*seen >> i & 1) {
		gh_note(ctx, GH_BAD, at, "a second %s block, which Android overlooks", kinds[i].word);
		return GH_OK;
	}
	*seen |= 1u << i;
	return scheme_read(ctx, a->src, at + PAIR, size, kinds[i].scheme, err);
}

static enum gh_code pairs_read(struct gh_ctx *ctx, struct apk *a, const struct block *b, struct gh_err *err)
{
	uint8_t buf[PAIR];
	uint64_t at = b->pairs;
	uint32_t seen = 0;
	for (unsigned n = 0; at < b->end; n++) {
		if (n == PAIRS_MAX)
			return gh_fail(err, GH_LIMIT, at, "more than %d entries in a signing block", PAIRS_MAX);
		if (b->end - at < PAIR)
			return gh_fail(err, GH_BAD, at, "%" PRIu64 " bytes at the end of a signing block", b->end - at);
		enum gh_code code = gh_read(a->src, at, buf, sizeof buf, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
		uint64_t size = gh_u64(&c);
		uint32_t id = gh_u32(&c);
		if (size < 4 || size > b->end - at - 8)
			return gh_fail(err, GH_BAD, at,
				"entry 0x%x of %" PRIu64 " bytes does not fit into the signing block", id, size);
		code = pair_read(ctx, a, at, id, size - 4, &seen, err);
		if (code)
			return code;
		at += 8 + size;
	}
	return GH_OK;
}

/* ---- inspector ---- */

static bool apk_wants(const struct gh_probe *probe)
{
	bool head = probe->head_len >= 4 && (!memcmp(probe->head, "PK\3\4", 4) || !memcmp(probe->head, "PK\5\6", 4));
	return head || memmem(probe->tail, probe->tail_len, "PK\5\6", 4);
}

/* What makes it no archive to Android. */
static const char *no_archive(const struct apk *a)
{
	const struct zip_end *end = &a->end;
	if (end->comment_len != a->src->size - end->at - ZIP_END)
		return "bytes behind the end record that are not its comment";
	if (end->base)
		return "offsets that do not count from the archive's first byte";
	return end->overlap ? "a central directory that reaches into its end record" : NULL;
}

/* What keeps Android from looking for a signing block. */
static const char *refuse(const struct apk *a)
{
	if (a->end.zip64)
		return "zip64, which Android does not take for an archive with a signing block";
	if (a->end.central + a->end.central_size != a->end.at)
		return "bytes between the central directory and its end record";
	return NULL;
}

static enum gh_code block_read(struct gh_ctx *ctx, struct apk *a, struct gh_err *err)
{
	struct block b = {0};
	enum gh_code code = block_find(ctx, a->src, a->end.central, &b, err);
	if (code)
		return code == GH_END ? GH_OK : code;
	a->block = b.at;
	code = pairs_read(ctx, a, &b, err);
	const char *why = b.odd ? "sizes at the two ends of the signing block that differ" : refuse(a);
	if (why) {
		gh_note(ctx, GH_BAD, b.at, "a signing block that Android overlooks: %s", why);
		a->overlooked = why;
		a->v2 = a->v3 = a->v31 = a->stamp = a->stamp2 = (struct apk_value){0};
	}
	return code;
}

static enum gh_code apk_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct apk *a = gh_alloc(ctx->arena, sizeof *a);
	struct gh_err why = {0};
	if (!a)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an archive");
	a->src = blob->src;
	enum gh_code code = zip_end_find(ctx, blob->src, &a->end, err);
	if (code || !a->end.found)
		return code;
	a->block = a->end.central;
	/* Entries that cannot be read do not keep what is there from being verified. */
	enum gh_code read = block_read(ctx, a, &why);
	a->refused = no_archive(a);
	code = apk_verify(ctx, a, err);
	if (read && code)
		gh_note_err(ctx, &why);
	return code ? code : read ? gh_fail(err, read, why.at, "%s", why.what) : GH_OK;
}

const struct gh_inspector gh_inspector_apk = {
	.name = "apk",
	.title = "APK signing block",
	.version = 3,
	.wants = apk_wants,
	.run = apk_run,
};
