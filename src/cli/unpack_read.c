/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of unpack: what lies inside INPUT as frames. It runs in the jail of ls and cat and can open no file; where things
 * are laid is only proposed here, and decided by the writer. */
#include "cli/unpack_read.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/frames.h"
#include "cli/place.h"

enum {
	LOST_MAX = 1024, /* unreadable blocks of one file before it is given up */
	BLOCK = 4096,
	DEPTH = 32,
};

struct reader {
	const struct gh_unpack *u;
	struct gh_inside *in;
	uint64_t serial,
		container[DEPTH]; /* which container stands open at each depth, so that inodes are told apart */
	bool any, asked; /* something was found; there were images that were not asked for */
};

/* Is this tar or zip the package itself, whose members lie at the top? */
static bool is_package(const struct gh_inside_at *at)
{
	bool archive = strcmp(at->format->name, "zip") == 0 || strcmp(at->format->name, "tar") == 0;
	while (at->up && gh_place_packs(at->up->format))
		at = at->up;
	return archive && !at->up;
}

static bool in_package(const struct gh_inside_at *at)
{
	return at && (strcmp(at->format->name, "tar") == 0 || strcmp(at->format->name, "zip") == 0);
}

/* Was the way in through a file of a file system? That file is written as it is. */
static bool in_file(const struct gh_inside_at *at)
{
	for (; at && at->up; at = at->up)
		if (gh_str_starts(at->name, "/") && !in_package(at->up))
			return true;
	return false;
}

/* As public dumps are laid out: a folder a partition, a ramdisk in the folder of its boot image. */
static struct gh_str folder_of(struct gh_inside *in, const struct gh_inside_at *at)
{
	struct gh_str s = at->image;
	if (is_package(at))
		return GH_STR("");
	if (gh_str_starts(s, "ramdisk:") && strcmp(at->format->name, "bootimg") != 0)
		return gh_str_fmt(&in->arena, "%.*s/ramdisk", (int)s.n - 8, s.p + 8);
	if (gh_str_starts(s, "ramdisk:"))
		return gh_strn(s.p + 8, s.n - 8);
	if (gh_str_starts(s, "apex:"))
		return gh_str_fmt(&in->arena, "apex/%.*s", (int)s.n - 5, s.p + 5);
	return s;
}

static bool is_image(const struct gh_inside_at *at, const struct gh_child *c)
{
	return c->kind == GH_VOLUME || gh_str_ends(c->name, ".img") || strcmp(at->format->name, "bootimg") == 0 ||
	       gh_place_packs(at->format);
}

/* The names of the containers on the way, as ls joins them. */
static struct gh_str way(struct gh_inside *in, const struct gh_inside_at *at)
{
	struct gh_str up = at->up ? way(in, at->up) : GH_NONE;
	if (!up.p)
		return at->name;
	return gh_str_fmt(&in->arena, "%.*s!%.*s", (int)up.n, up.p, (int)at->name.n, at->name.p);
}

/* What a partition's image is called: super!system_a becomes system_a.img. */
static struct gh_str image_name(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c)
{
	struct gh_str name = gh_place_packs(at->format) && at->up ? gh_str_base(at->name) : c->name;
	static const char *const packings[] = {".gz", ".lz4", ".xz", ".zst", ".br", ".bz2", ".lzo"};
	for (size_t i = 0; i < GH_COUNT(packings); i++)
		if (gh_place_packs(at->format) && gh_str_ends(name, packings[i]) && name.n > strlen(packings[i]))
			name.n -= strlen(packings[i]);
	return c->kind != GH_VOLUME || gh_str_ends(name, ".img")
		       ? name
		       : gh_str_fmt(&in->arena, "%.*s.img", (int)name.n, name.p);
}

static struct gh_entry entry_of(struct reader *r, const struct gh_inside_at *at, const struct gh_child *c)
{
	const struct gh_attr *a = &c->attr;
	bool file = c->kind == GH_FILE;
	struct gh_entry e = {.flags = file && !(c->flags & GH_CHILD_NO_ATTRS) ? GH_ENTRY_ATTRS : 0,
		.mode = file ? a->mode : S_IFREG,
		.uid = a->uid,
		.gid = a->gid,
		.nlink = a->nlink,
		.iflags = a->iflags,
		.mtime = a->mtime,
		.rdev = a->rdev,
		.caps = a->caps,
		.ino = file ? a->ino : 0,
		.container = r->container[gh_min(at->depth, DEPTH - 1)],
		.off = c->off,
		.csize = c->csize,
		.size = c->size};
	bool image = !file && is_image(at, c);
	bool section = strcmp(at->format->name, "bootimg") == 0;
	e.s[GH_S_FOLDER] = image && !section ? GH_STR("") : folder_of(r->in, at);
	e.s[GH_S_NAME] = image ? image_name(r->in, at, c) : c->name;
	e.s[GH_S_IMAGE] = file ? at->image : GH_NONE;
	e.s[GH_S_FROM] = way(r->in, at);
	e.s[GH_S_SELINUX] = a->selinux;
	e.s[GH_S_LINK] = a->link;
	if (!file && gh_str_ends(c->name, "/") && !c->size)
		e.mode = S_IFDIR;
	if (file && !(e.mode & S_IFMT))
		e.mode |= S_IFREG;
	return e;
}

/* ---- content ---- */

static void end_of(struct gh_entry_end *end, enum gh_code code, uint64_t at, const char *what)
{
	if (end->code)
		return;
	end->code = code;
	end->at = at;
	snprintf(end->what, sizeof end->what, "%s", what);
}

/* The bytes at off; where a block cannot be read, a hole of it. Returns how many were told. */
static uint64_t send_piece(struct gh_source *src, uint64_t off, uint64_t n, unsigned *lost, struct gh_entry_end *end)
{
	static uint8_t buf[GH_FRAME_MAX];
	struct gh_err err;
	n = gh_min(n, sizeof buf);
	if (gh_read(src, off, buf, (size_t)n, &err)) {
		end_of(end, err.code, err.at, err.what);
		n = gh_min(n, BLOCK);
		if (gh_read(src, off, buf, (size_t)n, &err)) {
			(*lost)++;
			return gh_frame_send(stdout, GH_FRAME_HOLE, &n, sizeof n) ? n : 0;
		}
	}
	return gh_frame_send(stdout, GH_FRAME_DATA, buf, (size_t)n) ? n : 0;
}

/* As scan has it: a file that states far more than lies there would only fill the disk. */
static bool hollow(struct gh_source *src)
{
	uint64_t data = 0;
	struct gh_run run;
	struct gh_err err;
	for (uint64_t off = 0; off < src->size && src->size / 64 > data; off += run.len) {
		if (gh_run_at(src, off, &run, &err))
			return false;
		data += run.kind == GH_RUN_DATA ? run.len : 0;
	}
	return src->size > (64 << 20) && src->size / 64 > data + (1 << 20);
}

static void send_source(struct gh_source *src, struct gh_entry_end *end)
{
	unsigned lost = 0;
	uint64_t off = 0, n;
	while (off < src->size && lost < LOST_MAX) {
		struct gh_run run = {.kind = GH_RUN_DATA, .len = src->size - off};
		struct gh_err err;
		if (gh_run_at(src, off, &run, &err))
			run = (struct gh_run){.kind = GH_RUN_DATA, .len = src->size - off};
		n = gh_min(run.len, src->size - off);
		if (run.kind == GH_RUN_FILL && !run.fill)
			n = gh_frame_send(stdout, GH_FRAME_HOLE, &n, sizeof n) ? n : 0;
		else
			n = send_piece(src, off, n, &lost, end);
		if (!n)
			return; /* the writer is gone */
		off += n;
	}
}

static void send_content(struct reader *r, const struct gh_inside_at *at, const struct gh_child *c)
{
	struct gh_entry_end end = {0};
	struct gh_mark mark = gh_arena_mark(&r->in->arena);
	unsigned spills = r->in->n_spill;
	bool before = r->in->complained;
	r->in->complained = false;
	struct gh_source *src = c->size || c->flags & GH_CHILD_SIZE_HINT ? gh_inside_content(r->in, at, c) : NULL;
	if (src && hollow(src))
		end_of(&end, GH_LIMIT, 0, "it states far more bytes than lie there");
	else if (src)
		send_source(src, &end);
	else if (c->size)
		end_of(&end, GH_BAD, c->off, "its content cannot be read");
	if (src && src->size < c->size && !(c->flags & GH_CHILD_SIZE_HINT))
		end_of(&end, GH_SHORT, src->size, "it breaks off here");
	if (r->in->complained)
		end_of(&end, GH_BAD, c->off, "damaged, as standard error says");
	r->in->complained |= before || end.code;
	gh_frame_send(stdout, GH_FRAME_DONE, &end, sizeof end);
	r->in->n_spill = spills;
	gh_arena_release(&r->in->arena, mark);
}

/* An image that only packs another, and a ramdisk, are not written themselves: what they hold is. */
static bool only_holds(struct reader *r, const struct gh_inside_at *at, const struct gh_child *c)
{
	struct gh_mark mark = gh_arena_mark(&r->in->arena);
	unsigned spills = r->in->n_spill;
	struct gh_source *src = gh_inside_content(r->in, at, c);
	struct gh_probe p;
	struct gh_err err;
	const struct gh_format *f =
		src && !gh_probe_make(src, gh_str_base(c->name), &r->in->arena, &p, &err) ? gh_probe_format(&p) : NULL;
	bool packs = f && (gh_place_packs(f) || strcmp(f->name, "cpio") == 0);
	r->in->n_spill = spills;
	gh_arena_release(&r->in->arena, mark);
	return packs;
}

/* ---- the walk ---- */

/* Why a child's bytes are not written; NULL: they are. */
static const char *why_not(struct reader *r, const struct gh_inside_at *at, const struct gh_child *c, bool leads)
{
	bool archive_file = c->kind == GH_FILE && in_package(at) && gh_str_ends(c->name, ".img");
	bool image = c->kind == GH_FILE ? archive_file : is_image(at, c);
	if (c->flags & GH_CHILD_UNREADABLE)
		return "its content cannot be read (encrypted, damaged or of a kind that is not supported)";
	if (c->of.row)
		return "a part of a set: what the parts are together follows";
	if (image && !r->u->images) {
		r->asked = true;
		return "an image; --images writes it";
	}
	if (c->kind == GH_VOLUME && !c->size)
		return "it has no bytes";
	if (c->flags & GH_CHILD_SET && leads)
		return "what it holds follows";
	if (image && leads && only_holds(r, at, c))
		return "what it holds follows";
	return NULL;
}

static bool is_plain(const struct gh_entry *e)
{
	return (e->mode & S_IFMT) == S_IFREG;
}

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	struct reader *r = to;
	r->in = in;
	bool inner = in_file(at), leads = gh_inside_leads(at, c) && gh_place_leads(r->u->path, at, c);
	/* In a file system only an APEX is opened: its files are those of a file system that the phone mounts. */
	if (c->kind == GH_FILE && !in_package(at) && !gh_str_starts(at->image, "ramdisk:"))
		leads &= gh_str_ends(c->name, ".apex");
	if (gh_place_below(r->u->path, at, c) && (c->kind == GH_FILE || !inner)) {
		struct gh_mark mark = gh_arena_mark(&in->arena);
		struct gh_entry e = entry_of(r, at, c);
		const char *why = is_plain(&e) ? why_not(r, at, c, leads) : NULL;
		e.s[GH_S_WHY] = gh_str(why);
		e.flags |= is_plain(&e) && !why ? GH_ENTRY_CONTENT : 0;
		r->any = true;
		gh_frame_send_entry(stdout, &e);
		if (e.flags & GH_ENTRY_CONTENT)
			send_content(r, at, c);
		gh_arena_release(&in->arena, mark);
	}
	if (ferror(stdout))
		return GH_INSIDE_STOP;
	if (leads)
		r->container[gh_min(at->depth + 1, DEPTH - 1)] = ++r->serial;
	return leads ? GH_INSIDE_ENTER : GH_INSIDE_ON;
}

static int done(struct gh_inside *in, void *to)
{
	struct reader *r = to;
	if (!r->any && r->u->path)
		gh_complain("nothing called %s is inside; gifthorse ls INPUT lists all", r->u->path);
	else if (!r->any)
		gh_complain("nothing is inside that can be unpacked: it is empty, or its format is not read; gifthorse "
			    "scan "
			    "tells what it is");
	if (!r->any)
		return GH_EXIT_USAGE;
	return in->complained ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

int gh_unpack_read(const struct gh_unpack *u)
{
	struct reader r = {.u = u};
	return gh_inside_run(u->input, visit, done, &r);
}
