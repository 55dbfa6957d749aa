/* SPDX-License-Identifier: Apache-2.0 */
/* An unpacked phone as a folder. The coordinator lists it and opens its files; nothing leads out of it: openat2 with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS. Symbolic links are facts. Modes and owners of the scanning machine are told apart. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/acquired.h"
#include "engine/coordinator.h"
#include "tree/measure.h"

enum {
	DEPTH_MAX = 64, /* folders inside folders */
	ENTRIES_MAX = 1 << 24,
};

struct walk {
	struct gh_engine *e;
	int root;
	uint32_t blob;
	uint64_t n;
	struct gh_arena arena;
	struct gh_sets sets;
	bool md5; /* a list in the folder at hand may state MD5s */
	const struct gh_acquired *told; /* what a phone said of these files; NULL: nothing */
	bool acquisition; /* its "files" are a folder of their own */
	struct gh_err *err;
};

static int open_beneath(int folder, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

int gh_folder_open_file(int folder, const char *path)
{
	return open_beneath(folder, path, O_RDONLY);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted: the order of a directory is the machine's, not the phone's. */
static char **names_of(struct walk *w, int fd, size_t *ret_n)
{
	DIR *dir = fdopendir(fd);
	size_t n = 0, cap = 0;
	char **list = NULL;
	for (struct dirent *d; dir && (d = readdir(dir));) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (n == cap) {
			char **more = gh_alloc_array(&w->arena, cap ? cap * 2 : 32, sizeof *list);
			if (!more)
				break;
			if (n)
				memcpy(more, list, n * sizeof *list);
			list = more;
			cap = cap ? cap * 2 : 32;
		}
		list[n] = gh_arena_copy(&w->arena, d->d_name, strlen(d->d_name));
		n += list[n] != NULL;
	}
	if (dir)
		closedir(dir);
	else
		close(fd);
	if (n)
		qsort(list, n, sizeof *list, by_name);
	*ret_n = n;
	return list;
}

static void add_file(
	struct walk *w, struct gh_str path, const struct stat *st, const struct gh_child *child, uint64_t row)
{
	char *rel = strdup(path.p + 1);
	uint32_t base = rel ? gh_base_add(w->e,
				      &(struct gh_base){
					      .fd = -1, .folder = w->root, .path = rel, .size = (uint64_t)st->st_size})
			    : UINT32_MAX;
	if (base == UINT32_MAX || !gh_file_queue(w->e, &w->sets, w->blob, 1, base, row, child))
		gh_fail(w->err, GH_NOMEM, 0, "no memory for %s", rel ? rel : "a name");
	else
		(void)!gh_engine_pump(w->e, GH_QUEUE_MAX / 4, w->err); /* a folder may hold millions of files */
}

static struct gh_str link_of(struct walk *w, const char *rel)
{
	char buf[4096];
	ssize_t n = readlinkat(w->root, rel, buf, sizeof buf);
	return n < 0 ? GH_NONE : gh_strn(gh_arena_copy(&w->arena, buf, (size_t)n), (size_t)n);
}

static void walk_folder(struct walk *w, struct gh_str path, unsigned depth);

static void note(struct walk *w, uint64_t row, const char *code, const char *what)
{
	struct gh_row_notes n = {.plugin = GH_STR("engine"), .code = gh_str(code), .what = gh_str(what)};
	w->e->sink->row(w->e->sink->to, GH_T_notes, w->blob, gh_child_note_row(row, GH_OWN_LOOK), 0, &n);
}

static const char *ftype(mode_t mode)
{
	return S_ISREG(mode)    ? "file"
	       : S_ISDIR(mode)  ? "dir"
	       : S_ISLNK(mode)  ? "link"
	       : S_ISCHR(mode)  ? "char"
	       : S_ISBLK(mode)  ? "block"
	       : S_ISFIFO(mode) ? "fifo"
				: "socket";
}

static struct gh_attr told_attr(const struct gh_told *t)
{
	return (struct gh_attr){.mode = t->mode,
		.uid = t->uid,
		.gid = t->gid,
		.mtime = t->mtime,
		.selinux = t->label,
		.link = t->target};
}

/* What the phone named and did not give: a row all the same. Content that a reference has is that content, by the phone's own hash. */
static void add_told(struct walk *w, const struct gh_told *t)
{
	uint32_t known = t->kind == GH_TOLD_HASHED && t->hashed ? gh_claims_find(w->e->claims, t->sha256) : 0;
	struct gh_child child = {.kind = GH_FILE,
		.flags = GH_CHILD_TOLD,
		.name = t->path,
		.off = UINT64_MAX,
		.csize = UINT64_MAX,
		.size = S_ISREG(t->mode) || !t->mode ? t->size : 0,
		.attr = told_attr(t)};
	struct gh_row_entries e = gh_child_entry(&child, known);
	if (!t->mode)
		e.ftype = GH_STR("file");
	e.attrs = t->kind;
	w->e->sink->row(w->e->sink->to, GH_T_entries, w->blob, w->n++, 0, &e);
}

static void walk_entry(struct walk *w, struct gh_str path, unsigned depth)
{
	struct stat st;
	const char *rel = path.p + 1;
	uint64_t row = w->n++;
	if (fstatat(w->root, rel, &st, AT_SYMLINK_NOFOLLOW)) {
		note(w, row, "io", strerror(errno));
		return;
	}
	struct gh_child child = {.kind = GH_FILE,
		.flags = GH_CHILD_NO_ATTRS | (w->md5 ? GH_CHILD_MD5 : 0),
		.name = path,
		.off = UINT64_MAX,
		.csize = (uint64_t)st.st_size,
		.size = (uint64_t)st.st_size,
		.attr = {.mode = st.st_mode, .mtime = st.st_mtime}};
	struct gh_told *told = w->told ? gh_acquired_find(w->told, path) : NULL;
	if (told && (told->mode & S_IFMT) == (st.st_mode & S_IFMT)) {
		told->used = true;
		child.flags = (child.flags & ~(unsigned)GH_CHILD_NO_ATTRS) | GH_CHILD_TOLD;
		child.attr = told_attr(told);
	}
	if (S_ISREG(st.st_mode)) {
		add_file(w, path, &st, &child, row);
		return;
	}
	struct gh_row_entries e = {.path = path,
		.child = GH_NULL,
		.off = GH_NULL,
		.ftype = gh_str(ftype(st.st_mode)),
		.mode = st.st_mode & 07777,
		.ino = 0,
		.rdev = 0,
		.attrs = 0};
	if (S_ISLNK(st.st_mode))
		e.link_target = link_of(w, rel);
	if (told && told->used) {
		e = gh_child_entry(&child, 0);
		e.attrs = told->kind;
	}
	w->e->sink->row(w->e->sink->to, GH_T_entries, w->blob, row, 0, &e);
	if (S_ISDIR(st.st_mode))
		walk_folder(w, path, depth + 1);
}

static void walk_folder(struct walk *w, struct gh_str path, unsigned depth)
{
	struct gh_mark mark = gh_arena_mark(&w->arena);
	int fd = depth > DEPTH_MAX ? -1 : open_beneath(w->root, path.n ? path.p + 1 : ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		note(w, w->n++, depth > DEPTH_MAX ? "limit" : "io",
			depth > DEPTH_MAX ? "folders too deep" : strerror(errno));
		return;
	}
	size_t n;
	char **names = names_of(w, fd, &n);
	bool outer = w->md5;
	w->md5 = false;
	for (size_t i = 0; i < n; i++)
		w->md5 |= gh_measure_list(gh_str(names[i]));
	for (size_t i = 0; i < n && !w->err->code; i++) {
		if (w->n >= ENTRIES_MAX) {
			note(w, w->n, "limit", "more files than can be told apart");
			break;
		}
		if (!path.n && strcmp(names[i], ".git") == 0)
			continue; /* of the repository that carries the dump, not of the phone */
		if (!path.n && w->acquisition && strcmp(names[i], "files") == 0)
			continue;
		struct gh_str child = gh_str_fmt(&w->arena, "%.*s/%s", (int)path.n, path.n ? path.p : "", names[i]);
		if (child.p)
			walk_entry(w, child, depth);
	}
	w->md5 = outer;
	gh_arena_release(&w->arena, mark);
}

/* Names the folder among what its container holds, and gives it a blob. */
static void begin(struct walk *w, const char *name, uint32_t in, uint64_t n, bool inner)
{
	uint8_t key[32] = "folder";
	memcpy(key + 8, &in, sizeof in);
	memcpy(key + 16, &n, sizeof n);
	key[24] = inner;
	bool known;
	w->blob = gh_claims_get(w->e->claims, key, &known);
	w->e->sink->blob(w->e->sink->to, &(struct gh_blob_row){.blob = w->blob, .format = "folder", .entropy = -1});
	struct gh_row_members m = {
		.name = gh_str(name), .child = w->blob, .off = GH_NULL, .csize = GH_NULL, .size = GH_NULL};
	w->e->sink->row(w->e->sink->to, GH_T_members, in, n, 0, &m);
	gh_sets_init(&w->sets);
}

static void end(struct walk *w, const char *name)
{
	if (w->sets.full)
		note(w, w->n++, "limit", "more files of sets than are kept: some are looked at one by one");
	if (!w->err->code && !gh_files_end(w->e, &w->sets, w->blob, 1))
		gh_fail(w->err, GH_NOMEM, 0, "no memory for the sets in %s", name);
	gh_sets_done(&w->sets);
}

/* The files of a phone that was asked, as its own file tree. */
static void walk_acquired(
	struct gh_engine *e, int fd, uint32_t in, uint64_t n, struct gh_acquired *told, struct gh_err *err)
{
	struct walk w = {.e = e, .root = open_beneath(fd, "files", O_RDONLY | O_DIRECTORY), .told = told, .err = err};
	if (w.root < 0) {
		gh_fail(err, GH_IO, 0, "files: %s", strerror(errno));
		return;
	}
	gh_arena_init(&w.arena, 0);
	begin(&w, "files", in, n, true);
	walk_folder(&w, GH_STR(""), 0);
	for (size_t i = 0; i < told->n && !err->code; i++)
		if (!told->v[i].used)
			add_told(&w, &told->v[i]);
	if (told->cut)
		note(&w, w.n++, "bad", "files.tsv has lines that cannot be read");
	end(&w, "files");
	gh_arena_done(&w.arena);
}

enum gh_code gh_folder_walk(
	struct gh_engine *e, int fd, const char *name, uint32_t root, uint64_t n_input, struct gh_err *err)
{
	struct walk w = {.e = e, .root = fd, .err = err};
	struct gh_arena lists;
	struct gh_acquired told;
	gh_arena_init(&w.arena, 0);
	gh_arena_init(&lists, 0);
	w.acquisition = gh_acquired_read(fd, &lists, &told);
	begin(&w, name, root, n_input, false);
	walk_folder(&w, GH_STR(""), 0);
	end(&w, name);
	if (w.acquisition && !err->code)
		walk_acquired(e, fd, w.blob, w.n, &told, err);
	gh_arena_done(&lists);
	gh_arena_done(&w.arena);
	return err->code;
}
