/* SPDX-License-Identifier: Apache-2.0 */
/* Lists files by the phone's own find and stat, which tell owner, label and what is closed; where it has none, by the sync service. The
 * answers are split into fields and no more: a record is a name, or numbers and a name, up to its end mark. */
#include "device/listing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/sort.h"
#include "device/land.h"
#include "device/shell.h"
#include "device/sync.h"

enum {
	RECORD_MAX = 4096 + GH_LAND_PATH_MAX, /* a label, numbers, a name; or the target of a link */
};

#define TYPE(mode) ((mode)&0170000u)
#define FOLDER 0040000u

bool gh_listing_init(struct gh_listing *l)
{
	*l = (struct gh_listing){0};
	gh_arena_init(&l->arena, (uint64_t)GH_FILES_MAX * 400);
	return true;
}

void gh_listing_done(struct gh_listing *l)
{
	free(l->v);
	gh_arena_done(&l->arena);
}

static int compare(struct gh_str a, struct gh_str b)
{
	int c = memcmp(a.p, b.p, (size_t)gh_min(a.n, b.n));
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static bool before(const void *a, const void *b)
{
	return compare((*(struct gh_found *const *)a)->path, (*(struct gh_found *const *)b)->path) < 0;
}

struct gh_found *gh_listing_find(struct gh_listing *l, struct gh_str path)
{
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(l->v[mid].path, path);
		if (c == 0)
			return &l->v[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* By pointers, since an item is larger than what the sort moves; names that came twice are one file. */
void gh_listing_sort(struct gh_listing *l)
{
	struct gh_found **order = l->n ? malloc(l->n * sizeof *order) : NULL;
	struct gh_found *sorted = l->n ? malloc(l->n * sizeof *sorted) : NULL;
	size_t n = 0;
	for (size_t i = 0; order && i < l->n; i++)
		order[i] = &l->v[i];
	if (order && sorted) {
		gh_sort(order, l->n, sizeof *order, before);
		for (size_t i = 0; i < l->n; i++)
			if (!n || compare(sorted[n - 1].path, order[i]->path) != 0)
				sorted[n++] = *order[i];
		free(l->v);
		l->v = sorted;
		l->n = l->cap = n;
	} else {
		free(sorted);
		l->full |= l->n > 0;
		l->n = 0;
	}
	free(order);
}

static struct gh_found *add(struct gh_listing *l, const struct gh_root *root, struct gh_str path)
{
	if (!gh_land_path_ok(path) || !gh_str_starts(path, root->begins)) {
		l->strange++;
		return NULL;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4096;
		struct gh_found *more = cap > GH_FILES_MAX ? NULL : realloc(l->v, cap * sizeof *more);
		if (!more) {
			l->full = true;
			return NULL;
		}
		l->v = more;
		l->cap = cap;
	}
	struct gh_found *f = &l->v[l->n];
	*f = (struct gh_found){.path = gh_str_dup(&l->arena, path)};
	if (!f->path.p) {
		l->full = true;
		return NULL;
	}
	l->n++;
	return f;
}

/* ---- records ---- */

struct records {
	struct gh_listing *l;
	const struct gh_root *root;
	enum gh_listing_step step;
	const char *mark; /* ends a record */
	size_t mark_len;
	char buf[RECORD_MAX];
	size_t n;
	bool too_long; /* the one at hand: dropped to its end */
	struct gh_str name; /* of a link, while its target follows */
	char name_buf[RECORD_MAX];
	struct gh_listing *all; /* sorted, to look up in */
};

static void take_stat(struct records *r, struct gh_str s)
{
	uint64_t v[6];
	struct gh_str word, label;
	struct gh_str rest = s;
	for (int i = 0; i < 6; i++) {
		const char *blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
		word = blank ? gh_strn(rest.p, (size_t)(blank - rest.p)) : GH_NONE;
		if (!blank || !gh_str_u64(word, i ? 10 : 16, &v[i])) {
			r->l->strange++;
			return;
		}
		rest = gh_strn(blank + 1, rest.n - word.n - 1);
	}
	const char *blank = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
	label = blank ? gh_strn(rest.p, (size_t)(blank - rest.p)) : GH_NONE;
	struct gh_found *f = blank ? gh_listing_find(r->all, gh_strn(blank + 1, rest.n - label.n - 1)) : NULL;
	if (!f) {
		r->l->strange++;
		return;
	}
	f->mode = (uint32_t)v[0] & 0177777u;
	f->uid = (uint32_t)v[1];
	f->gid = (uint32_t)v[2];
	f->size = v[3];
	f->mtime = (int64_t)v[4];
	f->ino = v[5];
	f->owned = true;
	if (label.n > 2 && memchr(label.p, ':', label.n))
		f->label = gh_str_dup(&r->l->arena, label);
}

static void take_link(struct records *r, struct gh_str s)
{
	if (!r->name.p) {
		memcpy(r->name_buf, s.p, s.n);
		r->name = gh_strn(r->name_buf, s.n);
		return;
	}
	struct gh_found *f = gh_listing_find(r->all, r->name);
	if (f && s.n)
		f->target = gh_str_dup(&r->l->arena, s);
	r->l->strange += !f;
	r->name = GH_NONE;
}

static void take_record(struct records *r, struct gh_str s)
{
	struct gh_found *f;
	switch (r->step) {
	case GH_LIST_NAMES:
		(void)add(r->l, r->root, s);
		break;
	case GH_LIST_STAT:
		take_stat(r, s);
		break;
	case GH_LIST_CLOSED:
		if ((f = gh_listing_find(r->all, s)))
			f->closed = true;
		r->l->strange += !f;
		break;
	default:
		take_link(r, s);
	}
}

static enum gh_code take_bytes(void *to, const uint8_t *p, size_t n, struct gh_err *err)
{
	(void)err;
	struct records *r = to;
	for (size_t i = 0; i < n; i++) {
		if (r->n == sizeof r->buf) {
			r->too_long = true;
			memmove(r->buf, r->buf + r->n - r->mark_len, r->mark_len);
			r->n = r->mark_len;
		}
		r->buf[r->n++] = (char)p[i];
		if (r->n < r->mark_len || memcmp(r->buf + r->n - r->mark_len, r->mark, r->mark_len) != 0)
			continue;
		if (r->too_long)
			r->l->strange++;
		else
			take_record(r, gh_strn(r->buf, r->n - r->mark_len));
		r->n = 0;
		r->too_long = false;
	}
	return GH_OK;
}

/* Runs one of the commands over one root. The listing that is looked up in is that of this root alone. */
static enum gh_code step(struct gh_listing *l, struct gh_phone *phone, const struct gh_root *root,
	enum gh_listing_step which, struct gh_err *err)
{
	char *command = malloc(GH_COMMAND_MAX);
	struct records *r = calloc(1, sizeof *r);
	struct gh_shell_result result;
	enum gh_code code = GH_OK;
	if (!command || !r)
		code = gh_fail(err, GH_NOMEM, 0, "no memory");
	if (code == GH_OK) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, GH_COMMAND_MAX, gh_listing_commands[which], root->where);
#pragma GCC diagnostic pop
		bool names = which == GH_LIST_NAMES;
		*r = (struct records){.l = l,
			.root = root,
			.step = which,
			.mark = names ? "\0" : "//\n",
			.mark_len = names ? 1 : 3,
			.all = l};
		code = gh_shell(phone, command, GH_LISTING_BYTES_MAX, take_bytes, r, &result, err);
		l->full |= code == GH_OK && result.cut;
	}
	free(command);
	free(r);
	return code;
}

/* ---- by the sync service ---- */

struct folder {
	struct gh_listing *l;
	const struct gh_root *root;
	struct gh_str path;
};

static enum gh_code take_entry(void *to, struct gh_str name, const struct gh_sync_stat *st, struct gh_err *err)
{
	(void)err;
	struct folder *d = to;
	char path[GH_LAND_PATH_MAX + 1];
	if (d->path.n + 1 + name.n > GH_LAND_PATH_MAX || memchr(name.p, '/', name.n)) {
		d->l->strange++;
		return GH_OK;
	}
	memcpy(path, d->path.p, d->path.n);
	path[d->path.n] = '/';
	memcpy(path + d->path.n + 1, name.p, name.n);
	struct gh_found *f = add(d->l, d->root, gh_strn(path, d->path.n + 1 + name.n));
	if (!f || st->error)
		return GH_OK;
	f->mode = st->mode & 0177777u;
	f->size = st->size;
	f->mtime = st->mtime;
	f->ino = st->ino;
	f->uid = st->uid;
	f->gid = st->gid;
	f->owned = st->v2;
	return GH_OK;
}

/* Folders are listed in the order in which they were found: each name is met once, and links are not followed, so there is an end. */
static enum gh_code by_sync(
	struct gh_listing *l, struct gh_phone *phone, const struct gh_root *root, struct gh_err *err)
{
	struct gh_sync *sync = calloc(1, sizeof *sync);
	if (!sync)
		return gh_fail(err, GH_NOMEM, 0, "no memory");
	enum gh_code code = gh_sync_open(phone, sync, err);
	struct gh_sync_stat st = {0};
	size_t at = l->n;
	if (code == GH_OK)
		code = gh_sync_stat(sync, root->where, &st, err);
	if (code == GH_OK && !st.error && st.mode) {
		struct gh_found *f = add(l, root, gh_str(root->where));
		if (f) {
			f->mode = st.mode & 0177777u;
			f->uid = st.uid;
			f->gid = st.gid;
			f->owned = st.v2;
		}
	}
	for (; code == GH_OK && at < l->n; at++) {
		if (TYPE(l->v[at].mode) != FOLDER)
			continue;
		struct folder d = {l, root, l->v[at].path};
		code = gh_sync_list(sync, d.path.p, take_entry, &d, err);
	}
	gh_sync_close(sync);
	free(sync);
	return code;
}

static bool has_wildcard(const char *where)
{
	return strpbrk(where, "*$ ") != NULL;
}

/* Adds the files of one root to all. */
static bool append(struct gh_listing *all, const struct gh_listing *part)
{
	if (!part->n)
		return true;
	struct gh_found *more = realloc(all->v, (all->n + part->n) * sizeof *more);
	if (!more)
		return false;
	all->v = more;
	memcpy(all->v + all->n, part->v, part->n * sizeof *more);
	all->n += part->n;
	all->cap = all->n;
	return true;
}

enum gh_code gh_listing_root(
	struct gh_listing *l, struct gh_phone *phone, const struct gh_root *root, struct gh_err *err)
{
	/* The texts lie in the arena of the whole, the array is of this root. */
	struct gh_listing part = {.arena = l->arena};
	enum gh_code code = step(&part, phone, root, GH_LIST_NAMES, err);
	bool by_shell = part.n > 0;
	if (code == GH_OK && !by_shell && !has_wildcard(root->where))
		code = by_sync(&part, phone, root, err);
	gh_listing_sort(&part);
	for (int which = GH_LIST_STAT; code == GH_OK && by_shell && which < GH_N_LIST_STEPS; which++)
		code = step(&part, phone, root, (enum gh_listing_step)which, err);
	l->arena = part.arena;
	l->strange += part.strange;
	l->full |= part.full || l->n + part.n > GH_FILES_MAX || !append(l, &part);
	free(part.v);
	return code;
}
