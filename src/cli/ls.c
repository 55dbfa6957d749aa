/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse ls: what is inside, a line each, as a tree, or as JSON. Names and attributes only: no content is read that does not have
 * to be opened for the names in it. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/place.h"

enum form { SHORT, LONG, TREE, JSON };

struct listing {
	const char *path; /* only below this, or NULL */
	enum form form;
	uint64_t depth; /* containers inside each other that are opened */
	bool any;
	struct gh_str last; /* TREE: the components that stand above, each ended by a zero */
	char above[1 << 16];
};

static void print_name(struct gh_str s)
{
	char buf[8192];
	gh_escape(buf, sizeof buf, s);
	fputs(buf, stdout);
}

static bool has_attrs(const struct gh_child *c)
{
	return c->kind == GH_FILE && !(c->flags & GH_CHILD_NO_ATTRS);
}

static void print_time(int64_t t)
{
	struct tm tm;
	time_t when = (time_t)t;
	char buf[32];
	if (t < 0 || t > 253402300799 || !gmtime_r(&when, &tm) || !strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, sizeof buf, "-");
	printf("%20s ", buf);
}

/* ---- lines ---- */

static void line(struct gh_inside *in, const struct listing *l, const struct gh_inside_at *at, const struct gh_child *c)
{
	const struct gh_attr *a = &c->attr;
	if (has_attrs(c))
		printf("%c%04o %5u %5u %12llu ", gh_place_type(c), a->mode & 07777, a->uid, a->gid,
			(unsigned long long)c->size);
	else
		printf("%c----     -     - %12llu ", gh_place_type(c), (unsigned long long)c->size);
	if (l->form == LONG) {
		print_time(has_attrs(c) ? a->mtime : -1);
		printf("%3u %#6llx %#8x ", has_attrs(c) ? a->nlink : 0, (unsigned long long)a->caps, a->iflags);
	}
	print_name(a->selinux.p ? a->selinux : GH_STR("-"));
	putchar(' ');
	print_name(gh_place_name(&in->arena, at, c));
	if (a->link.p) {
		fputs(" -> ", stdout);
		print_name(a->link);
	}
	putchar('\n');
}

/* ---- JSON, an object a line ---- */

static void number(const char *key, uint64_t n)
{
	printf(",\"%s\":%llu", key, (unsigned long long)n);
}

static void json_attrs(const struct gh_attr *a)
{
	printf(",\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u,\"mtime\":%lld", a->mode & 07777, a->uid, a->gid,
		(long long)a->mtime);
	if (a->ino)
		number("inode", a->ino);
	if (a->nlink > 1)
		number("names", a->nlink);
	if (a->caps)
		printf(",\"capabilities\":\"0x%llx\"", (unsigned long long)a->caps);
	if (a->iflags)
		printf(",\"flags\":\"0x%x\"", a->iflags);
	if (a->selinux.p) {
		putchar(',');
		gh_json_name(stdout, "selinux", a->selinux);
	}
}

static void json(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c)
{
	static const char *const words[] = {['-'] = "file",
		['d'] = "folder",
		['l'] = "link",
		['c'] = "char",
		['b'] = "block",
		['p'] = "fifo",
		['s'] = "socket",
		['m'] = "member",
		['v'] = "volume"};
	printf("{\"type\":\"%s\",", words[(int)gh_place_type(c)]);
	gh_json_name(stdout, "place", gh_place_name(&in->arena, at, c));
	putchar(',');
	gh_json_name(stdout, "name", c->name);
	if (c->kind == GH_FILE) {
		putchar(',');
		gh_json_name(stdout, "image", at->image);
	}
	printf(",\"in\":\"%s\"", at->format->name);
	number("size", c->size);
	if (c->flags & GH_CHILD_SIZE_HINT)
		fputs(",\"size_is_guessed\":true", stdout);
	if (c->off != UINT64_MAX)
		number("offset", c->off);
	if (c->csize && c->csize != c->size)
		number("packed", c->csize);
	if (c->flags & GH_CHILD_UNREADABLE)
		fputs(",\"unreadable\":true", stdout);
	if (has_attrs(c))
		json_attrs(&c->attr);
	if (c->attr.link.p) {
		putchar(',');
		gh_json_name(stdout, "target", c->attr.link);
	}
	fputs("}\n", stdout);
}

/* ---- tree ---- */

static void indent(unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		fputs("  ", stdout);
}

/* The way from INPUT's top to a child: containers, then the components of its path; each ended by a zero. */
static size_t steps(const struct gh_inside_at *at, struct gh_str name, char *out, size_t cap)
{
	size_t n = at->up ? steps(at->up, at->name, out, cap) : 0;
	for (size_t i = 0, k; i < name.n; i += k + 1) {
		const char *slash = memchr(name.p + i, '/', name.n - i);
		k = slash ? (size_t)(slash - name.p) - i : name.n - i;
		if (!k || k + 1 > cap - n)
			continue;
		memcpy(out + n, name.p + i, k);
		out[n + k] = 0;
		n += k + 1;
	}
	return n;
}

/* Prints what of the way does not stand above already; a name with a zero in it is two steps, which a tree may show. */
static void tree(struct listing *l, const struct gh_inside_at *at, const struct gh_child *c)
{
	char way[sizeof l->above];
	size_t n = steps(at, c->name, way, sizeof way), same = 0;
	unsigned depth = 0;
	while (same < n && same < l->last.n) {
		size_t k = strlen(way + same) + 1;
		if (k > l->last.n - same || memcmp(way + same, l->above + same, k) != 0 || same + k == n)
			break;
		same += k;
		depth++;
	}
	for (size_t i = same; i < n; i += strlen(way + i) + 1) {
		bool last = i + strlen(way + i) + 1 >= n;
		indent(depth++);
		print_name(gh_str(way + i));
		if (!last) {
			puts("/");
			continue;
		}
		char type = gh_place_type(c);
		if (type == 'd')
			putchar('/');
		else if (type != 'l')
			printf("  %llu", (unsigned long long)c->size);
		if (c->attr.link.p) {
			fputs(" -> ", stdout);
			print_name(c->attr.link);
		}
		if (type == 'v' || type == 'c' || type == 'b' || type == 'p' || type == 's')
			printf("  (%s)", type == 'v' ? "volume" : "special");
		putchar('\n');
	}
	memcpy(l->above, way, n);
	l->last = gh_strn(l->above, n);
}

/* ---- the command ---- */

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	struct listing *l = to;
	if (gh_place_below(l->path, at, c)) {
		struct gh_mark mark = gh_arena_mark(&in->arena);
		l->any = true;
		if (l->form == JSON)
			json(in, at, c);
		else if (l->form == TREE)
			tree(l, at, c);
		else
			line(in, l, at, c);
		gh_arena_release(&in->arena, mark);
	}
	bool leads = at->depth + 1 < l->depth && gh_inside_leads(at, c) && gh_place_leads(l->path, at, c);
	return leads ? GH_INSIDE_ENTER : GH_INSIDE_ON;
}

static int done(struct gh_inside *in, void *to)
{
	struct listing *l = to;
	if (!l->any) {
		if (l->path)
			gh_complain("nothing called %s is inside; gifthorse ls INPUT lists all", l->path);
		else
			gh_complain("nothing is inside that can be listed: it is empty, or its format is not read; "
				    "gifthorse identify "
				    "tells what it is");
		return GH_EXIT_USAGE;
	}
	return in->complained ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

static int list(const struct listing *how, const char *input)
{
	static struct listing l;
	struct stat st;
	l = *how;
	if (stat(input, &st) == 0 && S_ISDIR(st.st_mode)) {
		gh_complain("%s is a folder: list it with ls or find; name an image in it, or scan it whole: gifthorse "
			    "scan %s",
			input, input);
		return GH_EXIT_USAGE;
	}
	tzset(); /* the C library would look for its time zones in the jail */
	return gh_inside_run(input, visit, done, &l);
}

static bool depth_of(const char *value, uint64_t *ret)
{
	if (gh_str_u64(gh_str(value), 10, ret) && *ret)
		return true;
	gh_complain("--depth takes a number from 1, not %s: 1 lists only what lies in INPUT itself", value);
	return false;
}

int gh_cmd_ls(int argc, char **argv)
{
	enum { O_LONG, O_TREE, O_JSON, O_DEPTH };
	static const struct gh_option options[] = {
		[O_LONG] = {"--long", "-l", NULL, "with time (UTC), names of the file, capabilities, flags"},
		[O_TREE] = {"--tree", NULL, NULL, "as a tree"},
		[O_JSON] = {"--json", NULL, NULL, "a JSON object a line, with every attribute"},
		[O_DEPTH] = {"--depth", NULL, "N", "open at most N containers inside each other"},
	};
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "ls INPUT [PATH]",
		.about = "PATH: the beginning of a path (/system/etc), or with its image (system:/system/etc).\n"
			 "A line each: type and mode, user, group, bytes, label, and the name that gifthorse cat "
			 "takes.\n"
			 "Exit codes: 0 listed; 2 wrong use, or nothing of that name is inside; 3 something was "
			 "damaged.\n"};
	struct listing l = {.depth = UINT64_MAX};
	const char *input = NULL, *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == -1 && l.path)
			gh_complain("%s is one word too many; use: gifthorse %s", value, args.usage);
		if (o == -4 || (o == -1 && l.path) || (o == O_DEPTH && !depth_of(value, &l.depth)))
			return GH_EXIT_USAGE;
		if (o == -1)
			*(input ? &l.path : &input) = value;
		else if (o != O_DEPTH)
			l.form = o == O_LONG ? LONG : o == O_TREE ? TREE : JSON;
	}
	if (!input) {
		gh_complain("name what to list: gifthorse ls INPUT, a firmware package, an image or an APK");
		return GH_EXIT_USAGE;
	}
	return list(&l, input);
}
