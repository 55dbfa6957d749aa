/* SPDX-License-Identifier: Apache-2.0 */
/* Collections of device trees: Android's tables (system/libufdt, dt_table.h, versions 0 and 1), Qualcomm's QCDT (versions 1 to 3),
 * Samsung's DTBH (version 2), and trees one behind the other, as boot images hold them. The children are the trees. */
#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "codecs/flow/zeros.h"
#include "inspectors/fdt/fdt_head.h"

enum {
	TABLE_HEAD = 32,
	TABLE_ENTRY = 32,
	OLD_HEAD = 12, /* QCDT, DTBH */
	OLD_ENTRY_MAX = 40,
	ENTRIES_MAX = 4096, /* real tables hold up to some 100 */
	TREE_MAX = 8 << 20, /* of a packed tree; real ones have up to 1 MiB */
	PACKED_MASK = 15, /* of the flags of version 1: how the entry is packed */
	PACKED_ZLIB = 1,
	PACKED_GZIP = 2,
};

enum kind { NONE, TABLE, QCDT, DTBH, CHAIN };
static const char *const words[] = {"none", "table", "qcdt", "dtbh", "chain"};

struct dtbo {
	struct gh_source *src;
	enum kind kind;
	uint32_t version, count, page, entry; /* entry: bytes of one */
	uint64_t entries; /* where they begin */
	uint64_t size; /* as the table states it; 0: not at all */
	uint32_t i;
	uint64_t pos; /* of a chain */
};

struct entry {
	uint32_t off, size, packed;
	struct gh_str ids;
};

static bool old_kind(enum kind kind, uint32_t version, uint32_t *ret_entry)
{
	static const uint8_t qcdt[] = {20, 24, 40};
	if (kind == DTBH && version == 2)
		*ret_entry = 32;
	else if (kind == QCDT && version >= 1 && version <= 3)
		*ret_entry = qcdt[version - 1];
	else
		return false;
	return true;
}

/* Reads the header; PROVEN: what it says of itself fits. */
static enum gh_bid header(const uint8_t *p, size_t n, uint64_t size, struct dtbo *d)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	struct fdt_head h;
	if (n >= 4 && memcmp(p, "\xd7\xb7\xab\x1e", 4) == 0) {
		gh_skip(&c, 4);
		d->kind = TABLE;
		d->size = gh_u32be(&c);
		uint32_t head = gh_u32be(&c);
		d->entry = gh_u32be(&c);
		d->count = gh_u32be(&c);
		d->entries = gh_u32be(&c);
		d->page = gh_u32be(&c);
		d->version = gh_u32be(&c);
		return head >= TABLE_HEAD && d->entry >= TABLE_ENTRY && d->entries <= size && !c.bad ? GH_BID_PROVEN
												     : GH_BID_MAGIC;
	}
	if (n >= 4 && (memcmp(p, "QCDT", 4) == 0 || memcmp(p, "DTBH", 4) == 0)) {
		d->kind = *p == 'Q' ? QCDT : DTBH;
		gh_skip(&c, 4);
		d->version = gh_u32(&c);
		d->count = gh_u32(&c);
		d->entries = OLD_HEAD;
		return old_kind(d->kind, d->version, &d->entry) && d->count <= size / d->entry ? GH_BID_PROVEN
											       : GH_BID_MAGIC;
	}
	if (fdt_head_read(p, n, size, 0, &h, NULL) != GH_OK || size - h.size < FDT_HEAD)
		return GH_BID_NO;
	d->kind = CHAIN;
	return GH_BID_SHAPE;
}

static enum gh_bid dtbo_bid(const struct gh_probe *probe)
{
	struct dtbo d = {0};
	return header(probe->head, probe->head_len, probe->size, &d);
}

static enum gh_code dtbo_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct dtbo *d = state;
	const uint8_t *p;
	d->src = src;
	size_t n = (size_t)gh_min(src->size, FDT_HEAD_17);
	enum gh_code code = gh_view(src, ctx->arena, 0, n, &p, err);
	if (code)
		return code;
	enum gh_bid bid = header(p, n, src->size, d);
	if (!d->kind)
		return gh_fail(err, GH_BAD, 0, "no collection of device trees");
	if (d->kind == TABLE && d->version > 1)
		return gh_fail(err, GH_UNSUP, 28, "a table of version %u", d->version);
	if (d->kind != TABLE && d->kind != CHAIN && !d->entry)
		return gh_fail(err, GH_UNSUP, 4, "%s of version %u", words[d->kind], d->version);
	if (d->kind == TABLE && bid < GH_BID_PROVEN)
		return gh_fail(err, GH_BAD, 8, "the table's header does not fit: entries of %u bytes at %llu", d->entry,
			(unsigned long long)d->entries);
	return GH_OK;
}

/* ---- entries ---- */

static struct gh_str table_ids(struct gh_ctx *ctx, const struct dtbo *d, struct gh_cursor *c, uint32_t *ret_packed)
{
	uint32_t id = gh_u32be(c), rev = gh_u32be(c), a = gh_u32be(c), b = gh_u32be(c), e = gh_u32be(c),
		 f = gh_u32be(c);
	*ret_packed = d->version ? a & PACKED_MASK : 0;
	return gh_str_fmt(ctx->arena, "id=0x%x rev=0x%x %s=0x%x custom=0x%x,0x%x,0x%x", id, rev,
		d->version ? "flags" : "custom0", a, b, e, f);
}

static struct gh_str qcdt_ids(struct gh_ctx *ctx, const struct dtbo *d, struct gh_cursor *c)
{
	uint32_t platform = gh_u32(c), variant = gh_u32(c), subtype = d->version > 1 ? gh_u32(c) : 0, soc = gh_u32(c),
		 pmic[4] = {0};
	for (unsigned i = 0; d->version > 2 && i < 4; i++)
		pmic[i] = gh_u32(c);
	return gh_str_fmt(ctx->arena, "platform=0x%x variant=0x%x subtype=0x%x soc_rev=0x%x pmic=0x%x,0x%x,0x%x,0x%x",
		platform, variant, subtype, soc, pmic[0], pmic[1], pmic[2], pmic[3]);
}

static struct gh_str dtbh_ids(struct gh_ctx *ctx, struct gh_cursor *c)
{
	uint32_t chip = gh_u32(c), platform = gh_u32(c), subtype = gh_u32(c), from = gh_u32(c), to = gh_u32(c);
	return gh_str_fmt(ctx->arena, "chip=0x%x platform=0x%x subtype=0x%x hw_rev=0x%x..0x%x", chip, platform, subtype,
		from, to);
}

static enum gh_code entry_read(
	struct gh_ctx *ctx, const struct dtbo *d, uint32_t i, struct entry *ret, struct gh_err *err)
{
	uint64_t at = d->entries + (uint64_t)i * d->entry;
	uint8_t buf[OLD_ENTRY_MAX];
	size_t n = d->kind == TABLE ? TABLE_ENTRY : d->entry;
	enum gh_code code = gh_read(d->src, at, buf, n, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(buf, n, at);
	*ret = (struct entry){0};
	if (d->kind == TABLE) {
		ret->size = gh_u32be(&c);
		ret->off = gh_u32be(&c);
		ret->ids = table_ids(ctx, d, &c, &ret->packed);
		return GH_OK;
	}
	ret->ids = d->kind == QCDT ? qcdt_ids(ctx, d, &c) : dtbh_ids(ctx, &c);
	ret->off = gh_u32(&c);
	ret->size = gh_u32(&c);
	return GH_OK;
}

static enum gh_code next_entry(struct gh_ctx *ctx, struct dtbo *d, struct gh_child *ret, struct gh_err *err)
{
	struct entry e;
	if (d->i == d->count || d->i == ENTRIES_MAX) {
		if (d->i < d->count)
			gh_note(ctx, GH_LIMIT, d->entries, "%u entries: more than %d are not listed", d->count,
				ENTRIES_MAX);
		return GH_END;
	}
	enum gh_code code = gh_spend_steps(ctx->budget, 1, d->entries, err);
	if (code == GH_OK)
		code = entry_read(ctx, d, d->i, &e, err);
	if (code)
		return code;
	uint64_t at = d->entries + (uint64_t)d->i * d->entry;
	bool lost = !gh_within(e.off, e.size, d->src->size);
	if (lost)
		gh_note(ctx, GH_SHORT, at, "tree %u lies at %u..%llu, behind the end", d->i, e.off,
			(unsigned long long)e.off + e.size);
	bool zlib = e.packed == PACKED_ZLIB;
	if (e.packed > PACKED_GZIP)
		gh_note(ctx, GH_UNSUP, at + 16, "tree %u is packed in the unknown way %u", d->i, e.packed);
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = (lost ? GH_CHILD_UNREADABLE : 0) | (zlib ? GH_CHILD_STREAM | GH_CHILD_SIZE_HINT : 0),
		.name = gh_str_fmt(ctx->arena, "%u.dtb", d->i),
		.cookie = {e.packed},
		.off = e.off,
		.csize = e.size,
		.size = zlib ? (uint64_t)e.size * 4 : e.size};
	GH_EMIT(ctx, dt_entries, at, .kind = gh_str(words[d->kind]), .entry = d->i, .ids = e.ids, .off = e.off,
		.size = e.size, .packed = e.packed);
	d->i++;
	return GH_OK;
}

/* ---- a chain ---- */

/* Zeros, and what verified boot appends, may lie behind the last tree. */
static enum gh_code behind(struct gh_ctx *ctx, const struct dtbo *d, struct gh_err *err)
{
	uint8_t foot[64];
	if (d->src->size >= sizeof foot &&
		gh_read(d->src, d->src->size - sizeof foot, foot, sizeof foot, err) == GH_OK &&
		memcmp(foot, "AVBf", 4) == 0)
		return GH_END;
	enum gh_code code = gh_zeros_or_note(ctx, d->src, d->pos, d->src->size, "behind the last device tree", err);
	return code ? code : GH_END;
}

static enum gh_code next_in_chain(struct gh_ctx *ctx, struct dtbo *d, struct gh_child *ret, struct gh_err *err)
{
	struct fdt_head h;
	uint64_t aligned = (d->pos + 3) & ~3ULL;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, d->pos, err);
	if (code)
		return code;
	if (!fdt_begins(d->src, d->pos, &h)) {
		if (!fdt_begins(d->src, aligned, &h))
			return behind(ctx, d, err);
		d->pos = aligned;
	}
	if (d->i == ENTRIES_MAX) {
		gh_note(ctx, GH_LIMIT, d->pos, "more than %d trees", ENTRIES_MAX);
		return GH_END;
	}
	/* One tree with something behind it is no container: the inspector of trees reads it where it lies. */
	if (!d->i && h.size < d->src->size) {
		struct fdt_head second;
		uint64_t end = d->pos + h.size;
		if (!fdt_begins(d->src, end, &second) && !fdt_begins(d->src, (end + 3) & ~3ULL, &second)) {
			d->pos = end;
			return behind(ctx, d, err);
		}
	}
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.name = gh_str_fmt(ctx->arena, "%u.dtb", d->i),
		.off = d->pos,
		.csize = h.size,
		.size = h.size};
	GH_EMIT(ctx, dt_entries, d->pos, .kind = gh_str(words[CHAIN]), .entry = d->i, .off = (int64_t)d->pos,
		.size = h.size);
	d->i++;
	d->pos += h.size;
	return GH_OK;
}

static enum gh_code dtbo_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct dtbo *d = state;
	return d->kind == CHAIN ? next_in_chain(ctx, d, ret, err) : next_entry(ctx, d, ret, err);
}

static enum gh_code dtbo_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct dtbo *d = state;
	if (!gh_within(child->off, child->csize, d->src->size))
		return gh_fail(err, GH_BAD, child->off, "no such tree");
	*ret = gh_source_slice(ctx->arena, d->src, child->off, child->csize);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a source");
}

/* A tree packed with zlib; one packed with gzip is left to that format. */
static enum gh_code dtbo_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct dtbo *d = state;
	const uint8_t *p;
	size_t n = 0;
	if (child->csize > TREE_MAX)
		return gh_fail(
			err, GH_LIMIT, child->off, "a packed tree of %llu bytes", (unsigned long long)child->csize);
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	uint8_t *out = gh_alloc_raw(ctx->arena, TREE_MAX);
	enum gh_code code = out ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a tree"), put;
	if (code == GH_OK)
		code = gh_view(d->src, ctx->arena, child->off, (size_t)child->csize, &p, err);
	if (code == GH_OK)
		code = gh_zlib_whole(ctx, p, (size_t)child->csize, out, TREE_MAX, &n, child->off, err);
	put = n ? gh_spend_bytes(ctx->budget, n, child->off, err) : GH_OK;
	if (put == GH_OK)
		put = gh_sink_put(sink, out, n, code ? NULL : err);
	gh_arena_release(ctx->arena, mark);
	return code ? code : put;
}

const struct gh_format gh_format_dtbo = {
	.name = "dtbo",
	.title = "collection of device trees",
	.version = 1,
	.state_size = sizeof(struct dtbo),
	.bid = dtbo_bid,
	.open = dtbo_open,
	.next = dtbo_next,
	.data = dtbo_data,
	.pour = dtbo_pour,
};
