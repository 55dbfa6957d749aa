/* SPDX-License-Identifier: Apache-2.0 */
/* payload.bin, the update of a whole phone as update_engine installs it ("CrAU" version 2): each partition that needs nothing but the
 * payload is a volume, read in place. After system/update_engine/update_metadata.proto and payload_consumer/payload_metadata.cc. */
#include "formats/payload/payload.h"

#include "base/num.h"

enum {
	/* Up to this size unpacking once more costs less than a second: the whole is hashed and compared with the manifest's digest. */
	CHEAP = 64 << 20,
};

static enum gh_bid payload_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	if (gh_u32be(&c) != 0x43724155)
		return GH_BID_NO;
	uint64_t version = gh_u64be(&c), manifest = gh_u64be(&c);
	uint64_t head = version == 1 ? 20 : PAYLOAD_HEADER;
	bool fits = (version == 1 || version == 2) && manifest && gh_within(head, manifest, probe->size);
	return fits ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code payload_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct payload *p = state;
	p->src = src;
	return payload_read(ctx, p, err);
}

static enum gh_code payload_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct payload *p = state;
	/* The same reading once more, aloud: open() must be silent, it is repeated wherever a partition is read. */
	p->say = ctx;
	enum gh_code code = payload_read(ctx, p, err);
	p->say = NULL;
	return code ? code : payload_facts(ctx, p, err);
}

/* ---- partitions ---- */

/* A few bytes may promise what someone would have to read for days, or the same data again and again. */
static enum gh_code afford(
	struct gh_ctx *ctx, struct payload *p, const struct payload_partition *part, struct gh_err *err)
{
	uint64_t zeros, most = PAYLOAD_BLOCKS_MAX * 4096;
	if (payload_size(p, part) > most || part->end > most / p->block_size ||
		!gh_mul(part->zero_blocks, p->block_size, &zeros))
		return gh_fail(err, GH_LIMIT, part->at, "a partition of more than 16 TiB");
	if (part->data > p->src->size - gh_min(p->spent, p->src->size))
		return gh_fail(err, GH_LIMIT, part->at, "the operations have more data than the payload");
	p->spent += part->data;
	return gh_spend_bytes(ctx->budget, zeros, part->at, err);
}

static void say_delta(struct gh_ctx *ctx, const struct payload_partition *part)
{
	gh_note(ctx, GH_UNSUP, part->needs_old_at, "%.*s: %u of %u operations need the old partition: not opened",
		(int)gh_min(part->name.n, 64), part->name.p, part->needs_old, part->ops);
}

/* Does its image hold together? Said aloud, once. */
static enum gh_code try_image(
	struct gh_ctx *ctx, struct payload *p, const struct payload_partition *part, struct gh_err *err)
{
	struct gh_source *src;
	enum gh_code code = afford(ctx, p, part, err);
	if (code)
		return code;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	code = payload_image(ctx, p, part, ctx, &src, err);
	gh_arena_release(ctx->arena, mark);
	return code;
}

/* The offset of a partition that is one operation's data as it lies there. */
static uint64_t one_place(struct gh_ctx *ctx, const struct payload *p, const struct payload_partition *part)
{
	struct payload_op op;
	struct payload_extent e;
	struct gh_cursor c = part->box;
	if (part->ops != 1 || part->n[PAYLOAD_REPLACE] != 1 || part->extents != 1 ||
		part->data != payload_size(p, part) || payload_op_next(ctx, &c, &op, NULL))
		return UINT64_MAX;
	struct gh_cursor d = op.box;
	return payload_dst_next(ctx, &d, &e, NULL) || e.start ? UINT64_MAX : p->data_at + op.data;
}

/* Cheap to read once more as a whole? */
static bool cheap(const struct payload *p, const struct payload_partition *part)
{
	uint32_t packed = part->n[PAYLOAD_REPLACE_BZ] + part->n[PAYLOAD_REPLACE_XZ] + part->n[PAYLOAD_REPLACE_ZSTD];
	return part->new.sha256 && (!packed || payload_size(p, part) <= CHEAP);
}

static void refuse(
	struct gh_ctx *ctx, const struct payload_partition *part, const struct gh_err *err, struct gh_child *ret)
{
	gh_note(ctx, err->code, err->at, "%.*s: %s", (int)gh_min(part->name.n, 64), part->name.p, err->what);
	ret->flags |= GH_CHILD_UNREADABLE;
}

static enum gh_code payload_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct payload *p = state;
	struct payload_partition part;
	if (p->next == p->n)
		return GH_END;
	uint32_t i = p->next++;
	*ret = (struct gh_child){.kind = GH_VOLUME, .off = UINT64_MAX, .cookie = {i}};
	enum gh_code code = payload_partition_read(ctx, p->boxes[i], &part, err);
	const char *state_word = "full";
	ret->name = part.name;
	if (!part.name.n)
		gh_note(ctx, GH_BAD, part.at, "partition %u has no name", i);
	ret->size = payload_size(p, &part);
	if (code == GH_OK && part.needs_old) {
		say_delta(ctx, &part);
		ret->flags |= GH_CHILD_UNREADABLE;
		state_word = "delta";
	} else if (code || (code = try_image(ctx, p, &part, err))) {
		if (code == GH_IO || code == GH_NOMEM)
			return code;
		refuse(ctx, &part, err, ret);
		state_word = "refused";
	} else {
		ret->csize = part.data;
		ret->off = one_place(ctx, p, &part);
		ret->flags |= cheap(p, &part) ? GH_CHILD_DIGEST : 0;
	}
	return payload_partition_row(ctx, p, &part, state_word, err);
}

static enum gh_code payload_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct payload *p = state;
	struct payload_partition part;
	if (child->cookie[0] >= p->n)
		return gh_fail(err, GH_BAD, 0, "no such partition");
	enum gh_code code = payload_partition_read(ctx, p->boxes[child->cookie[0]], &part, err);
	if (code)
		return code;
	if (part.needs_old)
		return gh_fail(err, GH_UNSUP, part.needs_old_at, "operations that need the old partition");
	return payload_image(ctx, p, &part, NULL, ret, err);
}

const struct gh_format gh_format_payload = {
	.name = "payload",
	.title = "update package (payload.bin)",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct payload),
	.bid = payload_bid,
	.open = payload_open,
	.describe = payload_describe,
	.next = payload_next,
	.data = payload_data,
};
