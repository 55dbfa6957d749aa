/* SPDX-License-Identifier: Apache-2.0 */
/* tar archives (POSIX.1-2001 ustar and pax; GNU tar; Version 7): files with attributes. */
#include <stdio.h>
#include <sys/sysmacros.h>

#include "formats/tar/tar.h"

enum {
	AHEAD = 16 << 10, /* read at a header: small files follow one another in it */
	NOTES_MAX = 64, /* about entries; the rest are counted */
};

static enum gh_bid tar_bid(const struct gh_probe *probe)
{
	if (probe->head_len < TAR_BLOCK)
		return GH_BID_NO;
	if (tar_header_ok(probe->head))
		return GH_BID_PROVEN;
	return memcmp(probe->head + 257, "ustar", 5) ? GH_BID_NO : GH_BID_MAGIC;
}

static enum gh_code tar_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct tar *t = state;
	(void)ctx, (void)err;
	*t = (struct tar){.src = src, .window = {.src = src, .cap = TAR_EXTRA_MAX, .step = AHEAD}};
	return GH_OK;
}

/* ---- the end ---- */

/* Samsung's .tar.md5: a line as md5sum(1) writes it states the MD5 of all before it. */
static enum gh_code md5_line(struct gh_ctx *ctx, struct tar *t, uint64_t at, struct gh_err *err)
{
	enum { DIGITS = 32 };
	char line[DIGITS + 1];
	if (!gh_within(at, sizeof line, t->src->size))
		return GH_OK;
	enum gh_code code = gh_read(t->src, at, line, sizeof line, err);
	bool hex = code == GH_OK && line[DIGITS] == ' ';
	for (size_t i = 0; hex && i < DIGITS; i++)
		hex = (line[i] >= '0' && line[i] <= '9') || (line[i] >= 'a' && line[i] <= 'f');
	if (hex)
		GH_EMIT(ctx, archive_facts, at, .kind = GH_STR("md5"), .value = gh_strn(line, DIGITS));
	return code;
}

/* Behind the archive: zeros fill a record; anything else is a fact (a checksum line in .tar.md5, say), and no damage. */
static enum gh_code trailing(struct gh_ctx *ctx, struct tar *t, struct gh_err *err)
{
	for (uint64_t at = t->pos; at < t->src->size;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(AHEAD, t->src->size - at), i = 0;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&t->window, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		while (i < n && !p[i])
			i++;
		at += i;
		if (i < n) {
			char text[24];
			snprintf(text, sizeof text, "%llu", (unsigned long long)(t->src->size - at));
			GH_EMIT(ctx, archive_facts, at, .kind = GH_STR("trailing"), .value = gh_str(text));
			return md5_line(ctx, t, at, err);
		}
	}
	return GH_OK;
}

static enum gh_code finish(struct gh_ctx *ctx, struct tar *t, struct gh_err *err)
{
	t->ended = true;
	enum gh_code code = trailing(ctx, t, err);
	if (t->notes > NOTES_MAX)
		gh_note(ctx, GH_BAD, t->pos, "%llu further notes about entries are left out",
			(unsigned long long)(t->notes - NOTES_MAX));
	return code ? code : GH_END;
}

/* ---- entries ---- */

static void note(struct gh_ctx *ctx, struct tar *t, enum gh_code code, uint64_t at, const char *what)
{
	if (t->notes++ < NOTES_MAX)
		gh_note(ctx, code, at, "%s", what);
}

static uint32_t file_type(const struct tar *t, const struct tar_entry *e)
{
	static const uint32_t types[] = {0100000, 0100000, 0120000, 0020000, 0060000, 0040000, 0010000, 0100000};
	bool folder = t->path.n && t->path.p[t->path.n - 1] == '/';
	if ((e->type == 0 || e->type == '0') && folder) /* Version 7 has no other sign of a folder */
		return 0040000;
	if (e->type == 'D')
		return 0040000;
	return e->type >= '0' && e->type <= '7' ? types[e->type - '0'] : 0100000;
}

/* The content is that of the entry which the link names. */
static enum gh_code hard_link(
	struct gh_ctx *ctx, struct tar *t, struct tar_entry *e, struct gh_child *ret, struct gh_err *err)
{
	struct tar_entry found;
	uint64_t start = e->start;
	enum gh_code code = tar_link_find(ctx, t, start, &found, err);
	if (code && code != GH_END && code != GH_BAD && code != GH_SHORT)
		return code;
	bool ok =
		code == GH_OK && file_type(t, &found) == 0100000 && (found.type != '1' || found.size) && !found.sparse;
	/* The texts are the found entry's now: this one's are read again. */
	t->quiet = true;
	code = tar_entry_read(ctx, t, start, e, err);
	t->quiet = false;
	if (code)
		return code;
	if (!ok) {
		ret->flags |= GH_CHILD_UNREADABLE;
		note(ctx, t, GH_BAD, e->at, "a hard link to a file that was not found before it");
		return GH_OK;
	}
	ret->off = found.data;
	ret->size = found.size;
	ret->attr.ino = found.at + 1;
	return GH_OK;
}

static void content(struct gh_ctx *ctx, struct tar *t, const struct tar_entry *e, struct gh_child *ret)
{
	uint64_t room = t->src->size - gh_min(ret->off, t->src->size);
	if (e->sparse || e->type == 'M') {
		ret->flags |= GH_CHILD_UNREADABLE;
		note(ctx, t, GH_UNSUP, e->at,
			e->sparse ? "a sparse file is not read" : "a file continued from another volume");
	} else if (ret->size > room) {
		note(ctx, t, GH_SHORT, e->at, "a file is cut off by the end of the archive");
		ret->size = room;
	}
	ret->csize = ret->size;
	ret->cookie[0] = ret->off;
}

static enum gh_code child_fill(
	struct gh_ctx *ctx, struct tar *t, struct tar_entry *e, struct gh_child *ret, struct gh_err *err)
{
	*ret = (struct gh_child){.kind = GH_FILE, .off = e->data, .size = e->size};
	uint32_t type = file_type(t, e);
	ret->attr = (struct gh_attr){.mode = type | e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.caps = e->caps,
		.ino = e->at + 1};
	enum gh_code code = e->type == '1' && !e->size ? hard_link(ctx, t, e, ret, err) : GH_OK;
	if (code == GH_OK && !t->name.p)
		code = tar_text_put(ctx, &t->name, TAR_PATH_MAX + 1, GH_NONE, err);
	if (code)
		return code;
	if (type == 0020000 || type == 0060000)
		ret->attr.rdev = makedev(e->major, e->minor);
	if (type == 0120000 || e->type == '1')
		ret->attr.link = gh_strn(t->link.p, t->link.n);
	if (type == 0120000)
		ret->size = t->link.n;
	if (t->label.set)
		ret->attr.selinux = gh_strn(t->label.p, t->label.n);
	if (type == 0100000 && !(ret->flags & GH_CHILD_UNREADABLE))
		content(ctx, t, e, ret);
	ret->name = gh_strn(t->name.p, gh_path_root(gh_strn(t->path.p, t->path.n), t->name.p));
	return GH_OK;
}

static void tell(struct gh_ctx *ctx, struct tar *t, const struct tar_entry *e)
{
	struct gh_str path = gh_strn(t->path.p, t->path.n);
	if (e->odd)
		note(ctx, t, GH_BAD, e->at, "a number in a tar header is none");
	if (t->path.cut || (t->link.cut && (e->type == '1' || e->type == '2')))
		note(ctx, t, GH_LIMIT, e->at, "a path longer than 64 KiB is cut");
	if (gh_path_goes_up(path))
		GH_EMIT(ctx, archive_facts, e->at, .name = path, .kind = GH_STR("traversal"), .value = path);
}

/* Moves to the next block that is a header. */
static enum gh_code resync(struct gh_ctx *ctx, struct tar *t, struct gh_err *err)
{
	for (t->pos += TAR_BLOCK; gh_within(t->pos, TAR_BLOCK, t->src->size); t->pos += TAR_BLOCK) {
		const uint8_t *p;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, t->pos, err);
		if (code == GH_OK)
			code = gh_window_get(&t->window, ctx->arena, t->pos, TAR_BLOCK, &p, err);
		if (code)
			return code;
		if (tar_header_ok(p))
			return GH_OK;
	}
	t->pos = t->src->size;
	return GH_OK;
}

static enum gh_code tar_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct tar *t = state;
	struct tar_entry e;
	while (!t->ended) {
		enum gh_code code = tar_entry_read(ctx, t, t->pos, &e, err);
		if (code == GH_END)
			return finish(ctx, t, err);
		if (code == GH_BAD || code == GH_SHORT) {
			note(ctx, t, code, err->at, err->what);
			code = resync(ctx, t, err);
			if (code)
				return code;
			continue;
		}
		if (code)
			return code;
		t->pos = e.next;
		if (e.type == 'V') /* a volume's label */
			continue;
		tell(ctx, t, &e);
		return child_fill(ctx, t, &e, ret, err);
	}
	return GH_END;
}

static enum gh_code tar_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct tar *t = state;
	if (child->flags & GH_CHILD_UNREADABLE)
		return gh_fail(err, GH_UNSUP, child->off, "the content of this entry cannot be read");
	if (!gh_within(child->cookie[0], child->size, t->src->size))
		return gh_fail(err, GH_SHORT, child->cookie[0], "the file lies behind the end of the archive");
	*ret = gh_source_slice(ctx->arena, t->src, child->cookie[0], child->size);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a slice");
}

const struct gh_format gh_format_tar = {
	.name = "tar",
	.title = "tar archive",
	.version = 2,
	.state_size = sizeof(struct tar),
	.bid = tar_bid,
	.open = tar_open,
	.next = tar_next,
	.data = tar_data,
};
