/* SPDX-License-Identifier: Apache-2.0 */
/* Split sets of sparse images: what libsparse and simg2simg write, Motorola's packages among them, and files that were cut by bytes.
 * No document describes the names; these are what packages have. */
#include "base/num.h"
#include "formats/sparse/set.h"

enum { DIGITS_MAX = 3 };

/* How a file is numbered: chunks from 0; others from 0 or from 1. */
enum role { CHUNK, NUMBER };

/* Takes digits from the end of *s. */
static bool number_off(struct gh_str *s, uint32_t *ret)
{
	size_t n = 0;
	*ret = 0;
	while (n < s->n && s->p[s->n - 1 - n] >= '0' && s->p[s->n - 1 - n] <= '9')
		n++;
	if (!n || n > DIGITS_MAX)
		return false;
	for (size_t i = s->n - n; i < s->n; i++)
		*ret = *ret * 10 + (uint32_t)(s->p[i] - '0');
	s->n -= n;
	return true;
}

static bool off(struct gh_str *s, const char *end)
{
	if (!gh_str_ends(*s, end) || s->n == strlen(end))
		return false;
	s->n -= strlen(end);
	return true;
}

/* super.img_sparsechunk.3, super.img.3, super_3.img */
bool sparse_part(struct gh_str name, struct gh_arena *arena, struct gh_part_name *ret)
{
	struct gh_str s = name;
	bool whole = off(&s, ".img");
	ret->role = NUMBER;
	if (!number_off(&s, &ret->index))
		return false;
	if (whole) {
		ret->loose = true; /* logo_1.img may be an image of its own */
		if (!off(&s, "_"))
			return false;
	} else {
		bool dot = off(&s, ".");
		if (off(&s, "sparsechunk")) {
			(void)(off(&s, "_") || off(&s, "."));
			ret->role = CHUNK;
		} else if (!dot || !gh_str_ends(s, ".img")) {
			return false;
		}
	}
	if (!gh_str_base(s).n)
		return false;
	ret->set = gh_str_ends(s, ".img") ? s : gh_str_fmt(arena, "%.*s.img", (int)s.n, s.p);
	return ret->set.p != NULL;
}

/* ---- opening ---- */

static enum gh_code lost(struct gh_ctx *ctx, struct sparse_set *t, uint64_t from, uint64_t to, struct gh_err *err)
{
	struct gh_extent e = {.at = from, .len = to - from};
	if (from >= to)
		return GH_OK;
	e.below =
		gh_source_missing(ctx->arena, e.len, GH_SHORT, "a file of the set that should hold this is not there");
	if (!e.below)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a source");
	return gh_sparse_append(ctx->arena, t->list, &e, err);
}

static bool has_magic(const struct gh_part *p)
{
	uint8_t magic[4];
	if (!p->src || gh_read(p->src, 0, magic, sizeof magic, NULL))
		return false;
	struct gh_cursor c = gh_cursor(magic, sizeof magic, 0);
	return gh_u32(&c) == GH_SPARSE_MAGIC;
}

/* Git keeps large files elsewhere; what is in their place is a text. */
static bool is_pointer(const struct gh_part *p)
{
	static const char text[] = "version https://git-lfs";
	uint8_t head[sizeof text - 1];
	return p->src && !gh_read(p->src, 0, head, sizeof head, NULL) && !memcmp(head, text, sizeof head);
}

/* Where the files between two that are there should be, nothing is known. */
static enum gh_code take(struct gh_ctx *ctx, struct sparse_set *t, struct sparse_piece *p, bool gap, struct gh_err *err)
{
	/* The extents come first; a lost stretch before them has to stand before them in the list. */
	struct gh_sparse_list own = {0};
	enum gh_code code = gh_sparse_extents(ctx->arena, ctx->budget, p->part->src, &own, &p->file, err);
	if (code == GH_BAD || code == GH_SHORT || code == GH_UNSUP) {
		p->code = code;
		return GH_OK;
	}
	if (code)
		return code;
	p->read = true;
	t->size = gh_max(t->size, p->file.size);
	t->data += p->file.data;
	if (gap)
		code = lost(ctx, t, t->end, p->file.begin, err);
	for (size_t i = 0; code == GH_OK && i < own.n; i++) {
		struct gh_extent e = own.ext[i];
		uint64_t end = t->list->n ? t->list->ext[t->list->n - 1].at + t->list->ext[t->list->n - 1].len : 0;
		uint64_t over = end > e.at ? gh_min(end - e.at, e.len) : 0;
		p->twice += over;
		e.at += over;
		e.from += over;
		e.len -= over;
		if (e.len)
			code = gh_sparse_append(ctx->arena, t->list, &e, err);
	}
	uint64_t stop = p->file.cut ? p->file.end : p->file.given;
	t->end = gh_max(t->end, stop);
	t->cut = p->file.cut;
	return code;
}

/* Files that were cut by bytes: the first begins with the sparse header, the others with nothing that is known. */
static enum gh_code concat(struct gh_ctx *ctx, struct sparse_set *t, struct gh_source **ret, struct gh_err *err)
{
	struct gh_extent *ext = gh_alloc_array(ctx->arena, t->n, sizeof *ext);
	uint64_t at = 0;
	size_t n = 0;
	if (!ext)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a set");
	for (size_t i = 0; i < t->n; i++) {
		const struct sparse_piece *p = &t->piece[i];
		if (p->state != SPARSE_THERE || (i && p->part->index != t->piece[i - 1].part->index + 1))
			break; /* how long what is missing was is not known, nor so where the rest belongs */
		if (!i && p->part->index > 1)
			return gh_fail(err, GH_SHORT, 0, "the first files of this set are not there");
		if (!p->part->src->size)
			continue;
		ext[n] = (struct gh_extent){.at = at, .len = p->part->src->size, .below = p->part->src};
		if (!gh_add(at, ext[n].len, &at))
			return gh_fail(err, GH_LIMIT, 0, "a set of more than 16 EiB");
		t->piece[i].read = true;
		n++;
	}
	return gh_source_map(ctx->arena, ext, n, at, ret, err);
}

static void sort_out(struct sparse_set *t, const struct gh_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct sparse_piece *p = &t->piece[t->n++];
		p->part = &parts[i];
		p->state = !parts[i].src                                     ? SPARSE_GONE
			   : is_pointer(&parts[i])                           ? SPARSE_POINTER
			   : t->n > 1 && parts[i].index == p[-1].part->index ? SPARSE_TWICE
									     : SPARSE_THERE;
		t->there += p->state == SPARSE_THERE;
		t->magic += p->state == SPARSE_THERE && has_magic(&parts[i]);
	}
}

/* Nothing in a set tells how many files it has. They are filled up to the sender's limit, but for the last: is it clearly smaller than
 * all others, the set ends with it, and what it skips at the end is a hole. */
static bool has_end(const struct sparse_set *t, const struct sparse_piece *last)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < t->n; i++)
		if (t->piece[i].read && &t->piece[i] != last)
			least = gh_min(least, t->piece[i].part->src->size);
	return least != UINT64_MAX && !t->cut && last->part->src->size < least / 8 * 7;
}

enum gh_code sparse_set_open(struct gh_ctx *ctx, const struct gh_part *parts, size_t n, struct sparse_set *t,
	struct gh_source **ret_whole, struct gh_err *err)
{
	*ret_whole = NULL;
	t->piece = gh_alloc_array(ctx->arena, n, sizeof *t->piece);
	if (!t->piece)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a set");
	sort_out(t, parts, n);
	if (!t->there)
		return GH_OK; /* told by describe: which files those are is a fact all the same */
	/* One header, and that at the front: cut by bytes. */
	if (t->there > 1 && t->magic <= 1 && (!t->magic || has_magic(t->piece[0].part)))
		return concat(ctx, t, ret_whole, err);
	if (!t->magic)
		return concat(ctx, t, ret_whole, err);
	const struct sparse_piece *last = NULL;
	for (size_t i = 0; i < t->n; i++) {
		struct sparse_piece *p = &t->piece[i];
		if (p->state != SPARSE_THERE)
			continue;
		bool gap = last ? t->cut || p->part->index != last->part->index + 1 : p->part->index != 0;
		enum gh_code code = take(ctx, t, p, gap, err);
		if (code)
			return code;
		if (p->read)
			last = p;
	}
	if (!last)
		return gh_fail(err, GH_BAD, 0, "no file of this set can be read");
	return has_end(t, last) ? GH_OK : lost(ctx, t, t->end, t->size, err);
}

/* ---- telling ---- */

static void tell_problems(struct gh_ctx *ctx, const struct sparse_piece *p)
{
	const struct gh_sparse_file *f = &p->file;
	struct gh_str name = gh_str_base(p->part->name);
	char shown[64];
	gh_escape(shown, sizeof shown, gh_strn(name.p, gh_min(name.n, 40)));
	for (size_t i = 0; i < gh_min(f->n_problems, GH_SPARSE_PROBLEMS); i++)
		gh_note(ctx, f->problem[i].code, f->problem[i].at, "%s: %s", shown, f->problem[i].what);
	if (p->code)
		gh_note(ctx, p->code, 0, "%s: no sparse file", shown);
	if (p->twice)
		gh_note(ctx, GH_BAD, 0, "%s: %llu bytes of the image are given twice: the first are taken", shown,
			(unsigned long long)p->twice);
}

/* The number that the set begins with, as far as that can be told. */
static uint32_t lowest(const struct sparse_set *t)
{
	const struct sparse_piece *p = &t->piece[0];
	bool from_one = p->part->role == NUMBER && p->part->index == 1 && !(p->read && p->file.begin);
	return from_one ? 1 : 0;
}

void sparse_set_describe(struct gh_ctx *ctx, const struct sparse_set *t)
{
	static const char *const words[] = {"there", "missing", "pointer", "twice"};
	if (!t->there)
		gh_note(ctx, GH_SHORT, 0, "none of the %zu files of this set is there", t->n);
	uint32_t next = lowest(t);
	for (size_t i = 0; i < t->n; i++) {
		const struct sparse_piece *p = &t->piece[i];
		uint32_t index = p->part->index;
		/* A number that is left out is a file that is not there; sets begin with 0 or with 1. */
		for (uint32_t k = next; k < index; k++)
			GH_EMIT(ctx, set_parts, 0, .idx = k, .row = GH_NULL, .state = GH_STR("missing"));
		next = index + 1;
		const char *word = p->state == SPARSE_THERE && !p->read ? "unread" : words[p->state];
		GH_EMIT(ctx, set_parts, 0, .name = p->part->name, .idx = index, .row = (int64_t)p->part->row,
			.size = p->part->src ? (int64_t)p->part->src->size : GH_NULL, .state = gh_str(word));
		tell_problems(ctx, p);
	}
}
