/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse ls: what is inside, a line each: type and mode, owner, size, label, image:path. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/inside.h"

struct listing {
	const char *path; /* only below this, or NULL */
	bool any;
};

static void print_name(struct gh_str s)
{
	char buf[8192];
	gh_escape(buf, sizeof buf, s);
	fputs(buf, stdout);
}

static char type_char(const struct gh_child *c)
{
	if (c->kind == GH_VOLUME)
		return 'v';
	if (c->kind == GH_MEMBER)
		return 'm';
	switch (c->attr.mode & 0170000) {
	case 0040000:
		return 'd';
	case 0120000:
		return 'l';
	case 0020000:
		return 'c';
	case 0060000:
		return 'b';
	case 0010000:
		return 'p';
	case 0140000:
		return 's';
	default:
		return '-';
	}
}

/* The name that cat takes: image:path for files of a file system, else the names on the way joined with "!". */
static void print_place(const struct gh_inside_at *at, const struct gh_child *child)
{
	if (child->kind == GH_FILE) {
		print_name(at->image);
		putchar(':');
	} else if (at->up) {
		print_name(at->up->up && at->up->image.n && gh_str_starts(at->name, "/") ? at->up->image : at->name);
		if (at->up->up && gh_str_starts(at->name, "/")) {
			putchar(':');
			print_name(at->name);
		}
		putchar('!');
	}
	print_name(child->name);
}

static bool below(const char *path, const struct gh_inside_at *at, const struct gh_child *child)
{
	if (!path)
		return true;
	size_t n = strcspn(path, ":");
	struct gh_str image = gh_strn(path, path[n] == ':' ? n : 0);
	if (strncmp(path, "apex:", 5) == 0 || strncmp(path, "ramdisk:", 8) == 0) {
		n = n + 1 + strcspn(path + n + 1, ":");
		image = gh_strn(path, n);
	}
	const char *rest = image.n ? path + n + (path[n] == ':') : path;
	return (!image.n || gh_str_eq(image, at->image)) && gh_str_starts(child->name, rest);
}

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	(void)in;
	struct listing *l = to;
	if (below(l->path, at, c)) {
		l->any = true;
		if (c->kind == GH_FILE && !(c->flags & GH_CHILD_NO_ATTRS))
			printf("%c%04o %5u %5u %12llu ", type_char(c), c->attr.mode & 07777, c->attr.uid, c->attr.gid,
				(unsigned long long)c->size);
		else
			printf("%c----     -     - %12llu ", type_char(c), (unsigned long long)c->size);
		if (c->attr.selinux.p) {
			print_name(c->attr.selinux);
			putchar(' ');
		} else {
			fputs("- ", stdout);
		}
		print_place(at, c);
		if (c->attr.link.p) {
			fputs(" -> ", stdout);
			print_name(c->attr.link);
		}
		putchar('\n');
	}
	return gh_inside_leads(at, c) ? GH_INSIDE_ENTER : GH_INSIDE_ON;
}

static int done(struct gh_inside *in, void *to)
{
	struct listing *l = to;
	if (!l->any) {
		if (l->path)
			gh_complain("nothing called %s is inside; gifthorse ls INPUT lists all", l->path);
		else
			gh_complain("nothing is inside that can be listed: it is empty, or its format is not read; "
				    "gifthorse scan "
				    "tells what it is");
		return GH_EXIT_USAGE;
	}
	return in->complained ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

int gh_cmd_ls(int argc, char **argv)
{
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.usage = "ls INPUT [PATH]",
		.about = "PATH: the beginning of a path (/system/etc), or with its image (system:/system/etc).\n"
			 "A line each: type and mode, user, group, bytes, label, and the name that gifthorse cat "
			 "takes.\n"
			 "Exit codes: 0 listed; 2 wrong use, or nothing of that name is inside; 3 something was "
			 "damaged.\n"};
	const char *names[2] = {0};
	int n, early = gh_args_words(&args, names, 2, &n);
	if (early >= 0)
		return early;
	struct stat st;
	if (!n) {
		gh_complain("name what to list: gifthorse ls INPUT, a firmware package, an image or an APK");
		return GH_EXIT_USAGE;
	}
	if (stat(names[0], &st) == 0 && S_ISDIR(st.st_mode)) {
		gh_complain("%s is a folder: list it with ls or find; name an image in it, or scan it whole: gifthorse "
			    "scan %s",
			names[0], names[0]);
		return GH_EXIT_USAGE;
	}
	struct listing l = {.path = names[1]};
	return gh_inside_run(names[0], visit, done, &l);
}
