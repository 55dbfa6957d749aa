/* SPDX-License-Identifier: Apache-2.0 */
/* cpio archives: newc and odc, one or several behind one another as the Linux kernel reads an initramfs. */
#include <stdio.h>
#include <sys/sysmacros.h>

#include "formats/cpio/cpio.h"

enum {
	AHEAD = 16 << 10, /* read at a header: small files follow one another in it */
	NOTES_MAX = 64, /* about entries; the rest are counted */
	SUM_STEP = 64 << 10, /* of content whose sum is verified */
};

static enum gh_bid cpio_bid(const struct gh_probe *probe)
{
	return cpio_header_ok(probe->head, probe->head_len) ? GH_BID_PROVEN : GH_BID_NO;
}

static enum gh_code cpio_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct cpio *a = state;
	(void)ctx, (void)err;
	*a = (struct cpio){.src = src, .window = {.src = src, .cap = CPIO_NAME_MAX + CPIO_NEWC, .step = AHEAD}};
	return GH_OK;
}

static void note(struct gh_ctx *ctx, struct cpio *a, enum gh_code code, uint64_t at, const char *what)
{
	if (a->notes++ < NOTES_MAX)
		gh_note(ctx, code, at, "%s", what);
}

/* ---- one entry ---- */

static enum gh_code verify(struct gh_ctx *ctx, struct cpio *a, const struct cpio_entry *e, struct gh_err *err)
{
	uint32_t sum = 0;
	for (uint64_t at = e->data, end = e->data + e->size; at < end;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(SUM_STEP, end - at);
		enum gh_code code = gh_spend_steps(ctx->budget, n / AHEAD + 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&a->window, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		for (size_t i = 0; i < n; i++)
			sum += p[i];
		at += n;
	}
	if (sum != e->check)
		note(ctx, a, GH_BAD, e->at, "the sum of a file's bytes is not the one stated");
	return GH_OK;
}

/* The target of a symbolic link is its content. */
static enum gh_code target(
	struct gh_ctx *ctx, struct cpio *a, const struct cpio_entry *e, struct gh_child *ret, struct gh_err *err)
{
	if (!a->link && !(a->link = gh_alloc_raw(ctx->arena, CPIO_NAME_MAX)))
		return gh_fail(err, GH_NOMEM, e->at, "no memory for a link");
	size_t n = (size_t)gh_min(ret->size, CPIO_NAME_MAX);
	if (n < ret->size)
		note(ctx, a, GH_LIMIT, e->at, "a link longer than 64 KiB is cut");
	enum gh_code code = gh_read(a->src, e->data, a->link, n, err);
	ret->attr.link = gh_strn(a->link, n);
	return code;
}

static enum gh_code content(
	struct gh_ctx *ctx, struct cpio *a, const struct cpio_entry *e, struct gh_child *ret, struct gh_err *err)
{
	struct cpio_entry shared = *e;
	enum gh_code code = GH_OK;
	if (e->nlink > 1 && !e->size)
		code = cpio_link_find(ctx, a, a->part, e, &shared, err);
	if (code && code != GH_END)
		return code;
	ret->off = shared.data;
	ret->size = shared.size;
	ret->attr.ino = shared.at + 1;
	return GH_OK;
}

static enum gh_code child_fill(
	struct gh_ctx *ctx, struct cpio *a, const struct cpio_entry *e, struct gh_child *ret, struct gh_err *err)
{
	uint32_t type = e->mode & 0170000;
	*ret = (struct gh_child){.kind = GH_FILE, .off = e->data, .size = e->size};
	ret->attr = (struct gh_attr){.ino = e->at + 1,
		.mode = type ? e->mode : e->mode | 0100000,
		.uid = e->uid,
		.gid = e->gid,
		.nlink = e->nlink,
		.mtime = e->mtime};
	if (type == 0020000 || type == 0060000)
		ret->attr.rdev = makedev(e->major, e->minor);
	enum gh_code code = type == 0100000 ? content(ctx, a, e, ret, err) : GH_OK;
	if (code)
		return code;
	uint64_t room = a->src->size - ret->off;
	bool cut = ret->size > room;
	if (cut) {
		note(ctx, a, GH_SHORT, e->at, "a file is cut off by the end of the archive");
		ret->size = room;
	}
	if (type == 0120000)
		code = target(ctx, a, e, ret, err);
	else if (e->checked && type == 0100000 && e->size && !cut)
		code = verify(ctx, a, e, err);
	ret->csize = ret->size;
	ret->cookie[0] = ret->off;
	return code;
}

/* ---- the archives ---- */

/* Behind an archive: zeros, then another archive, or bytes of none. */
static enum gh_code behind(struct gh_ctx *ctx, struct cpio *a, struct gh_err *err)
{
	uint64_t at;
	enum gh_code code = cpio_skip_zeros(ctx, a, a->pos, &at, err);
	if (code)
		return code;
	const uint8_t *p;
	size_t n = (size_t)gh_min(CPIO_NEWC, a->src->size - at);
	code = n ? gh_window_get(&a->window, ctx->arena, at, n, &p, err) : GH_OK;
	if (code)
		return code;
	a->pos = at;
	if (n && cpio_header_ok(p, n)) {
		char text[16];
		snprintf(text, sizeof text, "%u", ++a->part);
		GH_EMIT(ctx, archive_facts, at, .kind = GH_STR("archive"), .value = gh_str(text));
		return GH_OK;
	}
	a->rest = at;
	a->ended = true;
	return GH_OK;
}

/* Bytes behind the last archive: a member, since the kernel unpacks what follows, compressed or not. */
static enum gh_code next_rest(struct gh_ctx *ctx, struct cpio *a, struct gh_child *ret)
{
	if (a->listed_rest)
		return GH_END;
	a->listed_rest = true;
	if (a->notes > NOTES_MAX)
		gh_note(ctx, GH_BAD, a->pos, "%llu further notes about entries are left out",
			(unsigned long long)(a->notes - NOTES_MAX));
	uint64_t size = a->src->size - a->rest;
	if (!size)
		return GH_END;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.name = GH_STR("rest"),
		.cookie = {a->rest},
		.off = a->rest,
		.csize = size,
		.size = size};
	return GH_OK;
}

/* The next entry of any archive; GH_END behind the last. */
static enum gh_code next_entry(struct gh_ctx *ctx, struct cpio *a, struct cpio_entry *ret, struct gh_err *err)
{
	while (!a->ended) {
		enum gh_code code;
		if (a->pos >= a->src->size) {
			note(ctx, a, GH_SHORT, a->pos, "a cpio archive without its trailer");
			a->rest = a->src->size;
			a->ended = true;
			break;
		}
		code = cpio_entry_read(ctx, a, a->pos, ret, err);
		if (code == GH_BAD || code == GH_SHORT) {
			note(ctx, a, code, err->at, err->what);
			code = cpio_find(ctx, a, a->pos + 1, &a->pos, err);
		} else if (code == GH_OK) {
			a->pos = ret->next;
			if (!ret->trailer)
				return GH_OK;
			code = behind(ctx, a, err);
		}
		if (code)
			return code;
	}
	return GH_END;
}

/* The path as listed; it must outlive the window. */
static enum gh_code name(struct gh_ctx *ctx, struct cpio *a, const struct cpio_entry *e, struct gh_err *err)
{
	if (!a->name && !(a->name = gh_alloc_raw(ctx->arena, CPIO_NAME_MAX + 1)))
		return gh_fail(err, GH_NOMEM, e->at, "no memory for a path");
	if (gh_path_goes_up(e->name))
		GH_EMIT(ctx, archive_facts, e->at, .name = e->name, .kind = GH_STR("traversal"), .value = e->name);
	return GH_OK;
}

static enum gh_code cpio_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct cpio *a = state;
	struct cpio_entry e;
	enum gh_code code = next_entry(ctx, a, &e, err);
	if (code == GH_END)
		return next_rest(ctx, a, ret);
	if (code == GH_OK)
		code = name(ctx, a, &e, err);
	if (code)
		return code;
	size_t n = gh_path_root(e.name, a->name);
	code = child_fill(ctx, a, &e, ret, err);
	ret->name = gh_strn(a->name, n);
	return code;
}

static enum gh_code cpio_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct cpio *a = state;
	if (!gh_within(child->cookie[0], child->size, a->src->size))
		return gh_fail(err, GH_SHORT, child->cookie[0], "the file lies behind the end of the archive");
	*ret = gh_source_slice(ctx->arena, a->src, child->cookie[0], child->size);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a slice");
}

const struct gh_format gh_format_cpio = {
	.name = "cpio",
	.title = "cpio archive",
	.version = 1,
	.state_size = sizeof(struct cpio),
	.bid = cpio_bid,
	.open = cpio_open,
	.next = cpio_next,
	.data = cpio_data,
};
