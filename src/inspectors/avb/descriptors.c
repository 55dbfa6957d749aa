/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of vbmeta structures, after external/avb/libavb/avb_descriptor.h and its siblings (version 1.3). */
#include "base/cmdline.h"
#include "base/num.h"
#include "inspectors/avb/avb.h"

enum { PROPERTY, HASHTREE, HASH, CMDLINE, CHAIN };

static struct gh_str bytes_text(struct gh_cursor *c, uint64_t n)
{
	struct gh_cursor s = gh_sub(c, n);
	return s.bad ? GH_NONE : gh_strn(s.p, s.n);
}

static struct gh_str bytes_hex(struct gh_ctx *ctx, struct gh_cursor *c, uint32_t n)
{
	const uint8_t *p = gh_bytes(c, n);
	return p ? gh_hex(ctx->arena, p, n) : GH_NONE;
}

static struct gh_row_avb_descriptors row_of(uint64_t image, const char *kind)
{
	return (struct gh_row_avb_descriptors){.image = (int64_t)image,
		.kind = gh_str(kind),
		.image_size = GH_NULL,
		.block_size = GH_NULL,
		.fec = GH_NULL,
		.rollback_location = GH_NULL,
		.flags = GH_NULL};
}

static void emit(struct gh_ctx *ctx, const struct gh_cursor *c, uint64_t at, const struct gh_row_avb_descriptors *row)
{
	if (c->bad)
		gh_note(ctx, GH_SHORT, at, "%.*s descriptor ends too early", (int)row->kind.n, row->kind.p);
	else
		ctx->ops->emit(ctx, GH_T_avb_descriptors, at, row);
}

static void property(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image)
{
	struct gh_row_avb_descriptors row = row_of(image, "property");
	uint64_t key = gh_u64be(&c), value = gh_u64be(&c);
	row.partition = bytes_text(&c, key);
	gh_skip(&c, 1);
	row.digest = bytes_text(&c, value);
	emit(ctx, &c, at, &row);
}

/* Name, salt and digest, whose lengths stand before the reserve. */
static void hash_tail(struct gh_ctx *ctx, struct gh_cursor *c, struct gh_row_avb_descriptors *row)
{
	row->hash_algorithm = gh_text(c, 32);
	uint32_t name = gh_u32be(c), salt = gh_u32be(c), digest = gh_u32be(c);
	row->flags = gh_u32be(c);
	gh_skip(c, 60);
	row->partition = bytes_text(c, name);
	row->salt = bytes_hex(ctx, c, salt);
	row->digest = bytes_hex(ctx, c, digest);
}

static int64_t size_of(uint64_t n)
{
	return n > INT64_MAX ? GH_NULL : (int64_t)n;
}

static void hashtree(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image)
{
	struct gh_row_avb_descriptors row = row_of(image, "hashtree");
	gh_skip(&c, 4); /* dm-verity version */
	row.image_size = size_of(gh_u64be(&c));
	gh_skip(&c, 16); /* where the tree lies */
	row.block_size = gh_u32be(&c);
	gh_skip(&c, 16); /* size of the tree's blocks; roots and place of the error correction */
	row.fec = size_of(gh_u64be(&c));
	hash_tail(ctx, &c, &row);
	emit(ctx, &c, at, &row);
}

static void hash(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image)
{
	struct gh_row_avb_descriptors row = row_of(image, "hash");
	row.image_size = size_of(gh_u64be(&c));
	hash_tail(ctx, &c, &row);
	emit(ctx, &c, at, &row);
}

static void cmdline(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image)
{
	struct gh_row_avb_descriptors row = row_of(image, "cmdline");
	row.flags = gh_u32be(&c);
	uint32_t n = gh_u32be(&c);
	uint64_t text_at = gh_at(&c);
	row.digest = bytes_text(&c, n);
	emit(ctx, &c, at, &row);
	struct gh_str rest = row.digest;
	struct gh_arg arg;
	while (gh_arg_next(row.digest, &rest, &arg))
		GH_EMIT(ctx, boot_args, text_at + arg.at, .source = GH_STR("avb"), .key = arg.key, .value = arg.value);
}

static void chain(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image)
{
	struct gh_row_avb_descriptors row = row_of(image, "chain");
	row.rollback_location = gh_u32be(&c);
	uint32_t name = gh_u32be(&c), key = gh_u32be(&c);
	row.flags = gh_u32be(&c);
	gh_skip(&c, 60);
	row.partition = bytes_text(&c, name);
	const uint8_t *p = gh_bytes(&c, key);
	if (p)
		row.digest = avb_sha1(ctx->arena, p, key);
	emit(ctx, &c, at, &row);
}

static void one(struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, uint64_t image, uint64_t tag)
{
	switch (tag) {
	case PROPERTY:
		property(ctx, c, at, image);
		break;
	case HASHTREE:
		hashtree(ctx, c, at, image);
		break;
	case HASH:
		hash(ctx, c, at, image);
		break;
	case CMDLINE:
		cmdline(ctx, c, at, image);
		break;
	case CHAIN:
		chain(ctx, c, at, image);
		break;
	default:
		gh_note(ctx, GH_UNSUP, at, "descriptor of unknown kind %llu", (unsigned long long)tag);
	}
}

enum gh_code avb_descriptors(struct gh_ctx *ctx, struct gh_cursor c, uint64_t image, struct gh_err *err)
{
	while (gh_left(&c)) {
		uint64_t at = gh_at(&c);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code)
			return code;
		uint64_t tag = gh_u64be(&c), n = gh_u64be(&c);
		struct gh_cursor body = gh_sub(&c, n);
		if (c.bad)
			return gh_fail(err, GH_BAD, at, "a descriptor reaches behind the end of the list");
		if (n % 8)
			gh_note(ctx, GH_BAD, at + 8, "a descriptor of %llu bytes, not a multiple of 8",
				(unsigned long long)n);
		one(ctx, body, at, image, tag);
	}
	return GH_OK;
}
