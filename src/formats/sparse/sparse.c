/* SPDX-License-Identifier: Apache-2.0 */
/* Android sparse images, after system/core/libsparse/sparse_format.h: one child, the image, as a map over the file. */
#include "base/num.h"
#include "formats/sparse/set.h"

enum { FILES_MAX = 1024 }; /* of a split set joined end to end; real ones have up to some fifty */

struct piece {
	struct piece *next;
	uint64_t at; /* where this file begins in the joined one */
	struct gh_sparse_file file;
};

struct sparse {
	struct gh_source *src;
	struct gh_source *image;
	struct gh_sparse_list list;
	struct piece first;
	struct piece *last;
	uint64_t size, data;
	struct sparse_set set; /* of the files of a split set; n 0: one file */
	bool plain; /* they were cut by bytes from an image that is not sparse */
	bool listed;
};

static enum gh_bid sparse_bid(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	if (gh_u32(&c) != GH_SPARSE_MAGIC)
		return GH_BID_NO;
	uint16_t major = gh_u16(&c);
	gh_skip(&c, 2);
	uint16_t header = gh_u16(&c), chunk = gh_u16(&c);
	uint32_t block = gh_u32(&c);
	gh_seek(&c, header);
	uint16_t type = gh_u16(&c);
	bool good = major == 1 && header >= 28 && chunk >= 12 && block && block % 4 == 0;
	return good && !c.bad && type >= 0xcac1 && type <= 0xcac4 ? GH_BID_PROVEN : GH_BID_MAGIC;
}

/* What damage took away must not read as zeros. */
static enum gh_code lost_end(struct gh_ctx *ctx, struct sparse *s, struct gh_err *err)
{
	struct gh_sparse_file *f = &s->last->file;
	if (!f->cut || f->end >= s->size)
		return GH_OK;
	struct gh_extent e = {.at = f->end, .len = s->size - f->end};
	e.below = gh_source_missing(ctx->arena, e.len, GH_SHORT, "the sparse image ends before");
	if (!e.below)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a source");
	return gh_sparse_append(ctx->arena, &s->list, &e, err);
}

static enum gh_code read_piece(struct gh_ctx *ctx, struct sparse *s, struct piece *p, struct gh_err *err)
{
	struct gh_source *src = s->src;
	if (p->at && !(src = gh_source_slice(ctx->arena, s->src, p->at, s->src->size - p->at)))
		return gh_fail(err, GH_NOMEM, p->at, "no memory for a source");
	enum gh_code code = gh_sparse_extents(ctx->arena, ctx->budget, src, &s->list, &p->file, err);
	s->size = gh_max(s->size, p->file.size);
	s->data += p->file.data;
	return code;
}

/* The files of a split set that follow the first, one behind the other. */
static enum gh_code read_set(struct gh_ctx *ctx, struct sparse *s, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	for (int n = 1;
		code == GH_OK && n < FILES_MAX && !s->last->file.cut && s->last->file.used < s->src->size - s->last->at;
		n++) {
		struct piece *p = gh_alloc(ctx->arena, sizeof *p);
		uint8_t magic[4];
		if (!p)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a split set");
		p->at = s->last->at + s->last->file.used;
		if (gh_read(s->src, p->at, magic, sizeof magic, NULL))
			break;
		struct gh_cursor c = gh_cursor(magic, sizeof magic, p->at);
		if (gh_u32(&c) != GH_SPARSE_MAGIC)
			break;
		code = read_piece(ctx, s, p, err);
		s->last = s->last->next = p;
	}
	return code;
}

static enum gh_code sparse_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct sparse *s = state;
	s->src = src;
	s->last = &s->first;
	enum gh_code code = read_piece(ctx, s, &s->first, err);
	if (code == GH_OK)
		code = read_set(ctx, s, err);
	if (code == GH_OK)
		code = lost_end(ctx, s, err);
	if (code)
		return code;
	return gh_source_map(ctx->arena, s->list.ext, s->list.n, s->size, &s->image, err);
}

static enum gh_code sparse_open_set(
	struct gh_ctx *ctx, const struct gh_part *parts, size_t n, void *state, struct gh_err *err)
{
	struct sparse *s = state;
	struct gh_source *whole;
	uint8_t magic[4] = {0};
	s->set.list = &s->list;
	enum gh_code code = sparse_set_open(ctx, parts, n, &s->set, &whole, err);
	if (code == GH_OK && !s->set.there)
		s->listed = true;
	if (code == GH_OK && !whole) {
		s->size = s->set.size;
		s->data = s->set.data;
		return gh_source_map(ctx->arena, s->list.ext, s->list.n, s->size, &s->image, err);
	}
	if (code)
		return code;
	if (whole->size >= sizeof magic)
		code = gh_read(whole, 0, magic, sizeof magic, err);
	struct gh_cursor c = gh_cursor(magic, sizeof magic, 0);
	if (code == GH_OK && gh_u32(&c) == GH_SPARSE_MAGIC)
		return sparse_open(ctx, whole, state, err);
	s->plain = true;
	s->image = whole;
	s->size = s->data = whole->size;
	return code;
}

static enum gh_code sparse_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	(void)err;
	struct sparse *s = state;
	if (s->set.n)
		sparse_set_describe(ctx, &s->set);
	if (s->plain || (s->set.n && !s->src))
		return GH_OK;
	for (const struct piece *p = &s->first; p; p = p->next) {
		const struct gh_sparse_file *f = &p->file;
		for (size_t i = 0; i < gh_min(f->n_problems, GH_SPARSE_PROBLEMS); i++)
			gh_note(ctx, f->problem[i].code, p->at + f->problem[i].at, "%s", f->problem[i].what);
		if (f->n_problems > GH_SPARSE_PROBLEMS)
			gh_note(ctx, f->problem[0].code, p->at + f->problem[0].at, "%zu more problems like these",
				f->n_problems - GH_SPARSE_PROBLEMS);
	}
	return GH_OK;
}

static enum gh_code sparse_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct sparse *s = state;
	if (s->listed)
		return GH_END;
	s->listed = true;
	*ret = (struct gh_child){.kind = GH_VOLUME,
		.name = GH_STR("image"),
		.off = UINT64_MAX,
		.csize = s->src ? s->src->size : s->data,
		.size = s->size};
	/* Twelve bytes can promise terabytes of zeros that somebody would then hash. */
	if (gh_spend_bytes(ctx->budget, s->size - gh_min(s->size, s->data), 16, err)) {
		gh_note_err(ctx, err);
		ret->flags |= GH_CHILD_UNREADABLE;
	}
	return GH_OK;
}

static enum gh_code sparse_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	(void)ctx, (void)child, (void)err;
	*ret = ((struct sparse *)state)->image;
	return GH_OK;
}

const struct gh_format gh_format_sparse = {
	.name = "sparse",
	.title = "Android sparse image",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct sparse),
	.bid = sparse_bid,
	.open = sparse_open,
	.part = sparse_part,
	.open_set = sparse_open_set,
	.describe = sparse_describe,
	.next = sparse_next,
	.data = sparse_data,
};
