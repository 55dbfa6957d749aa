/* SPDX-License-Identifier: Apache-2.0 */
/* Block updates of whole images (Android 5 to 9, and later where there is one slot): NAME.transfer.list tells where the blocks of
 * NAME.new.dat belong; after bootable/recovery/updater/blockimg.cpp of AOSP. One child, the image, as a map over new.dat. */
#include <stdio.h>

#include "base/num.h"
#include "formats/newdat/newdat.h"

enum role { LIST, DATA, PATCH };

static const char *const roles[] = {"list", "data", "patch"};

struct newdat {
	const struct gh_part *parts;
	size_t n;
	struct gh_source *list, *data;
	struct newdat_list l;
	struct gh_source *image;
	uint64_t given; /* bytes of the image that new.dat has, */
	uint64_t lost; /* that it should have and has not, */
	uint64_t older; /* that only the older image has, */
	uint64_t computed; /* and that the phone computes */
	bool listed;
};

/* Alone, no file of an update is an image. */
static enum gh_bid newdat_bid(const struct gh_probe *probe)
{
	(void)probe;
	return GH_BID_NO;
}

static bool off(struct gh_str *s, const char *end)
{
	if (!gh_str_ends(*s, end) || s->n == strlen(end))
		return false;
	s->n -= strlen(end);
	return true;
}

static void packing_off(struct gh_str *s)
{
	static const char *const ends[] = {".br", ".xz", ".lzma", ".gz", ".zst", ".lz4", ".bz2"};
	for (size_t i = 0; i < GH_COUNT(ends); i++)
		if (off(s, ends[i]))
			return;
}

static bool newdat_part(struct gh_str name, struct gh_arena *arena, struct gh_part_name *ret)
{
	struct gh_str s = name;
	if (off(&s, ".transfer.list")) {
		ret->role = LIST;
	} else {
		packing_off(&s);
		/* system.new.dat.0, .1: some makers cut it */
		if (s.n > 2 && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9' && s.p[s.n - 2] == '.') {
			ret->index = (uint32_t)(s.p[s.n - 1] - '0');
			s.n -= 2;
		}
		if (off(&s, ".new.dat"))
			ret->role = DATA;
		else if (off(&s, ".patch.dat"))
			ret->role = PATCH;
		else
			return false;
	}
	if (!gh_str_base(s).n)
		return false;
	ret->set = gh_str_fmt(arena, "%.*s.img", (int)s.n, s.p);
	return ret->set.p != NULL;
}

/* ---- opening ---- */

/* new.dat may be cut into pieces; where one between others is not there, nothing behind it has a place. */
static enum gh_code join_data(struct gh_ctx *ctx, struct newdat *d, struct gh_err *err)
{
	struct gh_extent *ext = gh_alloc_array(ctx->arena, d->n, sizeof *ext);
	const struct gh_part *last = NULL;
	uint64_t at = 0;
	size_t n = 0;
	if (!ext)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a set");
	for (size_t i = 0; i < d->n; i++) {
		const struct gh_part *p = &d->parts[i];
		if (p->role != DATA || (last && p->index == last->index))
			continue;
		if (!p->src || (last ? p->index != last->index + 1 : p->index > 1))
			break;
		last = p;
		if (!p->src->size)
			continue;
		ext[n] = (struct gh_extent){.at = at, .len = p->src->size, .below = p->src};
		if (!gh_add(at, ext[n++].len, &at))
			return gh_fail(err, GH_LIMIT, 0, "a new.dat of more than 16 EiB");
	}
	return gh_source_map(ctx->arena, ext, n, at, &d->data, err);
}

static enum gh_code extent(struct gh_ctx *ctx, struct newdat *d, const struct newdat_range *g, struct gh_extent *e,
	size_t *n, struct gh_err *err)
{
	uint64_t at = (uint64_t)g->from * NEWDAT_BLOCK, len = (uint64_t)(g->to - g->from) * NEWDAT_BLOCK;
	uint64_t there = g->word == NEWDAT_NEW && g->data < d->data->size ? gh_min(len, d->data->size - g->data) : 0;
	if (g->word == NEWDAT_ZERO || g->word == NEWDAT_ERASE)
		return GH_OK;
	if (there)
		e[(*n)++] = (struct gh_extent){.at = at, .len = there, .below = d->data, .from = g->data};
	d->given += there;
	if (there == len)
		return GH_OK;
	struct gh_extent *x = &e[(*n)++];
	*x = (struct gh_extent){.at = at + there, .len = len - there};
	bool is_new = g->word == NEWDAT_NEW;
	x->below = gh_source_missing(ctx->arena, x->len, is_new ? GH_SHORT : GH_UNSUP,
		is_new                        ? "new.dat ends before this"
		: g->word == NEWDAT_HASH_TREE ? "a hash tree that the phone computes"
					      : "made from the older image, which is not part of this update");
	*(is_new ? &d->lost : g->word == NEWDAT_HASH_TREE ? &d->computed : &d->older) += x->len;
	return x->below ? GH_OK : gh_fail(err, GH_NOMEM, at, "no memory for a source");
}

/* What no command names is no hole: it is what the phone has there already, or what a line that makes no sense would have given. */
static enum gh_code gap(struct gh_ctx *ctx, struct newdat *d, uint64_t from, uint64_t to, struct gh_extent *e,
	size_t *n, struct gh_err *err)
{
	if (from >= to)
		return GH_OK;
	struct gh_extent *x = &e[(*n)++];
	*x = (struct gh_extent){.at = from, .len = to - from};
	x->below = d->l.lost ? gh_source_missing(ctx->arena, x->len, GH_SHORT,
				       "a line of the transfer list that makes no sense may have given this")
			     : gh_source_missing(ctx->arena, x->len, GH_UNSUP,
				       "no command of the update gives this: it stays as it is on the phone");
	return x->below ? GH_OK : gh_fail(err, GH_NOMEM, from, "no memory for a source");
}

static enum gh_code make_image(struct gh_ctx *ctx, struct newdat *d, struct gh_err *err)
{
	struct gh_extent *e = gh_alloc_array(ctx->arena, d->l.n * 3, sizeof *e);
	uint64_t end = 0;
	size_t n = 0;
	if (!e)
		return gh_fail(err, GH_NOMEM, 0, "no memory for %zu extents", d->l.n * 3);
	for (size_t i = 0; i < d->l.n; i++) {
		const struct newdat_range *g = &d->l.range[i];
		enum gh_code code = gap(ctx, d, end, (uint64_t)g->from * NEWDAT_BLOCK, e, &n, err);
		if (code == GH_OK)
			code = extent(ctx, d, g, e, &n, err);
		if (code)
			return code;
		end = (uint64_t)g->to * NEWDAT_BLOCK;
	}
	return gh_source_map(ctx->arena, e, n, end, &d->image, err);
}

static enum gh_code newdat_open_set(
	struct gh_ctx *ctx, const struct gh_part *parts, size_t n, void *state, struct gh_err *err)
{
	struct newdat *d = state;
	d->parts = parts;
	d->n = n;
	for (size_t i = 0; i < n && !d->list; i++)
		if (parts[i].role == LIST)
			d->list = parts[i].src;
	enum gh_code code = join_data(ctx, d, err);
	if (code)
		return code;
	if (!d->list)
		return GH_OK; /* told by describe: its parts are facts all the same */
	code = newdat_read(ctx, d->list, &d->l, err);
	if (code == GH_OK)
		code = newdat_flatten(ctx, &d->l, err);
	return code ? code : make_image(ctx, d, err);
}

/* ---- telling ---- */

static void tell_parts(struct gh_ctx *ctx, const struct newdat *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct gh_part *p = &d->parts[i];
		bool twice = i && d->parts[i - 1].role == p->role && d->parts[i - 1].index == p->index;
		GH_EMIT(ctx, set_parts, 0, .name = p->name, .role = gh_str(roles[p->role]), .idx = p->index,
			.row = (int64_t)p->row, .size = p->src ? (int64_t)p->src->size : GH_NULL,
			.state = gh_str(!p->src ? "missing"
					: twice ? "twice"
						: "there"));
	}
	if (!d->list)
		GH_EMIT(ctx, set_parts, 0, .role = GH_STR("list"), .idx = GH_NULL, .row = GH_NULL, .size = GH_NULL,
			.state = GH_STR("missing"));
	else if (!d->data->size && d->l.data)
		GH_EMIT(ctx, set_parts, 0, .role = GH_STR("data"), .idx = GH_NULL, .row = GH_NULL, .size = GH_NULL,
			.state = GH_STR("missing"));
}

static void tell_list(struct gh_ctx *ctx, const struct newdat *d)
{
	const struct newdat_list *l = &d->l;
	bool v2 = l->version >= 2;
	GH_EMIT(ctx, transfer_lists, 0, .version = (int64_t)l->version, .total = (int64_t)gh_min(l->total, INT64_MAX),
		.stash_entries = v2 ? (int64_t)gh_min(l->stash_entries, INT64_MAX) : GH_NULL,
		.stash_blocks = v2 ? (int64_t)gh_min(l->stash_blocks, INT64_MAX) : GH_NULL, .image_blocks = l->end,
		.written = (int64_t)l->written, .older = (int64_t)(d->older / NEWDAT_BLOCK));
	for (unsigned i = 0; i < NEWDAT_WORDS; i++)
		if (l->commands[i])
			GH_EMIT(ctx, transfer_commands, 0, .command = gh_str(newdat_words[i]),
				.n_commands = (int64_t)l->commands[i], .blocks = (int64_t)l->blocks[i]);
}

static enum gh_code newdat_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct newdat *d = state;
	(void)err;
	tell_parts(ctx, d);
	if (!d->list) {
		gh_note(ctx, GH_SHORT, 0, "no transfer list: nothing tells where the blocks of new.dat belong");
		return GH_OK;
	}
	tell_list(ctx, d);
	if (d->lost)
		gh_note(ctx, GH_SHORT, d->data->size, "new.dat has %llu bytes, the transfer list wants %llu",
			(unsigned long long)d->data->size, (unsigned long long)d->l.data);
	else if (d->data->size > d->l.data)
		gh_note(ctx, GH_BAD, d->l.data, "%llu bytes of new.dat that the transfer list does not use",
			(unsigned long long)(d->data->size - d->l.data));
	if (d->older)
		gh_note(ctx, GH_UNSUP, 0,
			"an update of changes: %llu bytes are made from the older image, and are not examined",
			(unsigned long long)d->older);
	return GH_OK;
}

static enum gh_code newdat_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct newdat *d = state;
	if (d->listed || !d->image)
		return GH_END;
	d->listed = true;
	*ret = (struct gh_child){.kind = GH_VOLUME,
		.name = GH_STR("image"),
		.off = UINT64_MAX,
		.csize = d->given,
		.size = d->image->size};
	/* A line can promise terabytes of zeros that somebody would then hash. */
	if (gh_spend_bytes(ctx->budget, d->image->size - d->given, 0, err)) {
		gh_note_err(ctx, err);
		ret->flags |= GH_CHILD_UNREADABLE;
	}
	return GH_OK;
}

static enum gh_code newdat_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct newdat *d = state;
	(void)ctx;
	if (!d->image)
		return gh_fail(err, GH_SHORT, child->off, "no transfer list");
	*ret = d->image;
	return GH_OK;
}

static enum gh_code newdat_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	(void)ctx, (void)src, (void)state;
	return gh_fail(err, GH_UNSUP, 0, "one file of a block update says nothing alone");
}

const struct gh_format gh_format_newdat = {
	.name = "newdat",
	.title = "block update of an image",
	.version = 1,
	.volume = true,
	.state_size = sizeof(struct newdat),
	.bid = newdat_bid,
	.open = newdat_open,
	.part = newdat_part,
	.open_set = newdat_open_set,
	.describe = newdat_describe,
	.next = newdat_next,
	.data = newdat_data,
};
