/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse cat: the bytes of one thing inside, to standard output. PATH is what ls and the reports print: IMAGE:/path, a partition's
 * name, or names on the way joined with "!". */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/inside.h"

struct wanted {
	const char *path;
	struct gh_str image; /* before the colon; n 0: none */
	struct gh_str first; /* the path up to a "!" */
	struct gh_str rest; /* behind it: members inside, joined with "!" */
	bool found;
	bool broken;
	bool folder; /* there is a folder of that name */
	bool link; /* there was a link, and it was told where to */
};

static void split(struct wanted *w, const char *path)
{
	struct gh_str p = gh_str(path);
	w->path = path;
	size_t skip = gh_str_starts(p, "apex:") ? 5 : gh_str_starts(p, "ramdisk:") ? 8 : 0;
	const char *colon = memchr(p.p + skip, ':', p.n - skip);
	if (colon) {
		w->image = gh_strn(p.p, (size_t)(colon - p.p));
		p = gh_strn(colon + 1, p.n - w->image.n - 1);
	}
	const char *bang = memchr(p.p, '!', p.n);
	w->first = bang ? gh_strn(p.p, (size_t)(bang - p.p)) : p;
	w->rest = bang ? gh_strn(bang + 1, p.n - w->first.n - 1) : GH_NONE;
}

static struct gh_str bare(struct gh_str s)
{
	while (s.n && *s.p == '/')
		s = gh_strn(s.p + 1, s.n - 1);
	return s;
}

static void write_out(struct gh_inside *in, struct wanted *w, struct gh_source *src)
{
	static uint8_t buf[1 << 20];
	struct gh_err err;
	(void)in;
	for (uint64_t off = 0; off < src->size;) {
		size_t n = gh_min(src->size - off, sizeof buf);
		if (gh_read(src, off, buf, n, &err)) {
			fprintf(stderr, "gifthorse: %s at offset %llu: %s\n", gh_code_word(err.code),
				(unsigned long long)err.at, err.what);
			w->broken = true;
			return;
		}
		if (fwrite(buf, 1, n, stdout) != n)
			return; /* told at the end */
		off += n;
	}
}

static bool matches(const struct wanted *w, const struct gh_inside_at *at, const struct gh_child *c)
{
	if (w->image.n)
		return gh_str_eq(w->image, at->image) && gh_str_eq(bare(w->first), bare(c->name));
	if (gh_str_eq(bare(w->first), bare(c->name)))
		return true;
	bool image = c->kind == GH_VOLUME || gh_str_ends(c->name, ".img");
	return image && gh_str_eq(gh_inside_stem(w->first), gh_inside_stem(c->name));
}

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	struct wanted *w = to;
	if (!matches(w, at, c))
		return gh_inside_leads(at, c) ? GH_INSIDE_ENTER : GH_INSIDE_ON;
	if (c->attr.link.p && c->kind == GH_FILE) {
		char target[512];
		gh_escape(target, sizeof target, c->attr.link);
		gh_complain("%s is a link to %s; name that with the image it lies in", w->path, target);
		w->link = true;
		return GH_INSIDE_STOP;
	}
	if (!c->size) {
		bool folder = c->kind == GH_FILE && (c->attr.mode & 0170000) == 0040000;
		w->folder |= folder;
		w->found |= c->kind == GH_FILE && !folder && !w->rest.n; /* an empty file: nothing to write */
		return w->found ? GH_INSIDE_STOP : GH_INSIDE_ON;
	}
	if (w->rest.n) {
		struct gh_str rest = w->rest;
		const char *bang = memchr(rest.p, '!', rest.n);
		w->image = GH_NONE;
		w->first = bang ? gh_strn(rest.p, (size_t)(bang - rest.p)) : rest;
		w->rest = bang ? gh_strn(bang + 1, rest.n - w->first.n - 1) : GH_NONE;
		return GH_INSIDE_ENTER;
	}
	struct gh_source *src = gh_inside_content(in, at, c);
	w->found = true;
	w->broken = !src;
	if (src)
		write_out(in, w, src);
	return GH_INSIDE_STOP;
}

static int done(struct gh_inside *in, void *to)
{
	struct wanted *w = to;
	(void)in;
	if (w->found)
		return w->broken ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
	if (w->link)
		return GH_EXIT_USAGE;
	if (w->folder)
		gh_complain("%s is a folder; gifthorse ls INPUT %s lists it", w->path, w->path);
	else
		gh_complain("nothing called %s is inside; gifthorse ls INPUT tells what is", w->path);
	return GH_EXIT_USAGE;
}

/* In an unpacked phone the image is a folder. Nothing leads out of it. */
static int cat_folder(const char *folder, const struct wanted *w)
{
	char path[4096];
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
	struct gh_str first = bare(w->first),
		      image = gh_str_starts(w->image, "ramdisk:") ? gh_strn(w->image.p + 8, w->image.n - 8) : w->image;
	/* The last two: what gifthorse phone pulled. */
	const char *const ways[] = {"%.*s/%.*s", "%.*s/ramdisk/%.*s", "%.*s%.*s", "files/%.*s/%.*s", "files/%.*s%.*s"};
	for (size_t i = 0; i < GH_COUNT(ways) && fd < 0; i++) {
		snprintf(path, sizeof path, ways[i], (int)(i == 2 || i == 4 ? 0 : image.n), image.p ? image.p : "",
			(int)first.n, first.p);
		fd = (int)syscall(SYS_openat2, dir, bare(gh_str(path)).p, &how, sizeof how);
	}
	close(dir);
	static char buf[1 << 16];
	ssize_t n = fd < 0 ? -1 : 0;
	while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0)
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			break;
	if (n < 0)
		gh_complain("%s in %s: %s; gifthorse query FACTS.db 'SELECT dpath FROM files' tells what a scan found "
			    "there",
			w->path, folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	return n >= 0 && gh_stdout_done() ? GH_EXIT_OK : GH_EXIT_USAGE;
}

int gh_cmd_cat(int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.usage = "cat INPUT PATH",
		.about = "PATH as gifthorse ls and the reports print it: system:/system/build.prop, vbmeta.img, vendor "
			 "(a whole\n"
			 "  partition), x.apk!classes.dex. INPUT may be an unpacked phone as a folder.\n"
			 "Exit codes: 0 written; 2 wrong use, or nothing of that name is inside; 3 not all of it could "
			 "be read.\n"};
	const char *names[2] = {0};
	int n, early = gh_args_words(&args, names, 2, &n);
	if (early >= 0)
		return early;
	if (n < 2) {
		gh_complain("name the input and what to write: gifthorse cat INPUT PATH (gifthorse ls INPUT tells the "
			    "paths)");
		return GH_EXIT_USAGE;
	}
	struct wanted w = {0};
	struct stat st;
	split(&w, names[1]);
	if (stat(names[0], &st) == 0 && S_ISDIR(st.st_mode))
		return cat_folder(names[0], &w);
	return gh_inside_run(names[0], visit, done, &w);
}
