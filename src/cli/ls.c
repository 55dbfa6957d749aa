/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse ls: what is inside, a line each: type and mode, owner, size, label, image:path. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/place.h"

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

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	struct listing *l = to;
	if (gh_place_below(l->path, at, c)) {
		l->any = true;
		if (c->kind == GH_FILE && !(c->flags & GH_CHILD_NO_ATTRS))
			printf("%c%04o %5u %5u %12llu ", gh_place_type(c), c->attr.mode & 07777, c->attr.uid,
				c->attr.gid, (unsigned long long)c->size);
		else
			printf("%c----     -     - %12llu ", gh_place_type(c), (unsigned long long)c->size);
		if (c->attr.selinux.p) {
			print_name(c->attr.selinux);
			putchar(' ');
		} else {
			fputs("- ", stdout);
		}
		struct gh_mark mark = gh_arena_mark(&in->arena);
		print_name(gh_place_name(&in->arena, at, c));
		gh_arena_release(&in->arena, mark);
		if (c->attr.link.p) {
			fputs(" -> ", stdout);
			print_name(c->attr.link);
		}
		putchar('\n');
	}
	return gh_inside_leads(at, c) && gh_place_leads(l->path, at, c) ? GH_INSIDE_ENTER : GH_INSIDE_ON;
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
