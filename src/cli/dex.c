/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse dex: the tables of dex files, a line each, read from the bytes again. They are not kept in the facts database: a phone has
 * some ten million methods. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/inside.h"
#include "engine/jail.h"
#include "inspectors/dex/dexfile.h"

enum { DEX_FILES_MAX = 4096 /* in one container, as in the inspector */ };

struct asked {
	const char *path; /* only the dex files whose place ends in it, or NULL */
	const char *list; /* NULL: headers */
	bool any, broken;
};

/* ---- text ---- */

static void put(struct gh_str s)
{
	static char text[65536 * 4], shown[sizeof text * 4 + 1];
	if (!s.p) {
		putchar('?');
		return;
	}
	struct gh_str cut = gh_strn(s.p, gh_min(s.n, sizeof text));
	gh_escape(shown, sizeof shown, gh_strn(text, dex_utf8(cut, text)));
	fputs(shown, stdout);
}

static void put_type(const struct dex *d, uint32_t i)
{
	i == DEX_NONE ? (void)putchar('-') : put(dex_type(d, i));
}

static void put_proto(const struct dex *d, uint32_t i)
{
	struct dex_proto proto;
	if (!dex_proto(d, i, &proto)) {
		putchar('?');
		return;
	}
	putchar('(');
	for (uint32_t k = 0; k < proto.params.n; k++)
		put_type(d, dex_types_get(d, proto.params, k));
	putchar(')');
	put_type(d, proto.ret);
}

static void put_member(const struct dex *d, bool method, uint32_t i)
{
	struct dex_member_id id;
	if (!(method ? dex_method(d, i, &id) : dex_field(d, i, &id))) {
		putchar('?');
		return;
	}
	put_type(d, id.class);
	fputs("->", stdout);
	put(dex_string(d, id.name));
	if (method) {
		put_proto(d, id.type);
	} else {
		putchar(':');
		put_type(d, id.type);
	}
}

/* ---- lists ---- */

static void header(const struct dex *d)
{
	uint32_t checksum = 0;
	uint8_t sha1[20];
	bool computed = dex_computed(d, &checksum, sha1);
	printf("dex\t%llu\t%s%03u\t%u\t%08x\t", (unsigned long long)d->head, d->compact ? "cdex" : "", d->version,
		d->file_size, d->checksum);
	computed ? (void)printf("%08x", checksum) : (void)putchar('-');
	putchar('\t');
	for (int i = 0; i < 20; i++)
		printf("%02x", d->p[d->signature + (unsigned)i]);
	for (int i = 0; i < DEX_N_TABLES; i++)
		printf("\t%u", d->table[i].n);
	putchar('\n');
}

static void member_line(const struct dex *d, const struct dex_member *m)
{
	static const char *const words[] = {"static-field", "instance-field", "direct-method", "virtual-method"};
	bool method = m->kind >= DEX_DIRECT_METHOD;
	struct dex_code code;
	printf("%s\t", words[m->kind]);
	put_member(d, method, m->index);
	printf("\t0x%04x", m->access);
	if (m->code && dex_code(d, m->code, &code))
		printf("\t%u\t%u\t%u\t%u\t%u\t0x%llx", code.registers, code.ins, code.outs, code.tries, code.n,
			(unsigned long long)code.at);
	else if (method)
		fputs(m->code ? "\t?" : "\t-", stdout);
	putchar('\n');
}

static void class_lines(const struct dex *d, uint32_t i)
{
	struct dex_class class;
	struct dex_members members;
	struct dex_member m;
	if (!dex_class(d, i, &class))
		return;
	fputs("class\t", stdout);
	put_type(d, class.type);
	printf("\t0x%04x\t", class.access);
	put_type(d, class.super);
	putchar('\t');
	class.source == DEX_NONE ? (void)putchar('-') : put(dex_string(d, class.source));
	putchar('\n');
	for (uint32_t k = 0; k < class.interfaces.n; k++) {
		fputs("interface\t", stdout);
		put_type(d, dex_types_get(d, class.interfaces, k));
		putchar('\n');
	}
	dex_members(d, &class, &members);
	while (dex_members_next(&members, &m))
		member_line(d, &m);
	if (members.c.bad)
		puts("?");
}

static void string_line(const struct dex *d, uint32_t i)
{
	put(dex_string(d, i));
	putchar('\n');
}

static void type_line(const struct dex *d, uint32_t i)
{
	put_type(d, i);
	putchar('\n');
}

static void proto_line(const struct dex *d, uint32_t i)
{
	put_proto(d, i);
	putchar('\n');
}

static void field_line(const struct dex *d, uint32_t i)
{
	put_member(d, false, i);
	putchar('\n');
}

static void method_line(const struct dex *d, uint32_t i)
{
	put_member(d, true, i);
	putchar('\n');
}

/* In the order of enum dex_table_kind. */
static void (*const lines[DEX_N_TABLES])(const struct dex *, uint32_t) = {
	string_line, type_line, proto_line, field_line, method_line, class_lines};

static void one(const struct dex *d, const struct asked *asked)
{
	if (!asked->list) {
		header(d);
		return;
	}
	for (int k = 0; k < DEX_N_TABLES; k++)
		if (strcmp(asked->list, dex_table_words[k]) == 0)
			for (uint32_t i = 0; i < d->table[k].n; i++)
				lines[k](d, i);
}

/* All dex files of one content. */
static void tell(struct asked *asked, struct gh_arena *arena, struct gh_source *src)
{
	const uint8_t *p;
	struct gh_err err = {0};
	struct dex d;
	enum gh_code code = src->size > GH_WHOLE_MAX ? gh_fail(&err, GH_LIMIT, 0, "dex file larger than 64 MiB")
						     : gh_view(src, arena, 0, (size_t)src->size, &p, &err);
	uint64_t head = 0;
	for (int i = 0; i < DEX_FILES_MAX && code == GH_OK; i++) {
		code = dex_open(&d, p, (size_t)src->size, head, &err);
		if (code)
			break;
		one(&d, asked);
		head = dex_next(&d);
		if (!head)
			break;
	}
	asked->any = true;
	if (!code)
		return;
	asked->broken = true;
	fprintf(stderr, "gifthorse: %s at offset %llu: %s\n", gh_code_word(code), (unsigned long long)err.at, err.what);
}

/* ---- where they lie ---- */

static void put_place(const struct gh_inside_at *at, struct gh_str name)
{
	if (at->up) {
		put_place(at->up, at->name);
		putchar('!');
	}
	char shown[4096];
	gh_escape(shown, sizeof shown, name);
	fputs(shown, stdout);
}

static bool may_hold(struct gh_str name)
{
	static const char *const endings[] = {".apk", ".jar", ".vdex", ".odex", ".oat", ".zip", ".apex", ".dm"};
	for (size_t i = 0; i < GH_COUNT(endings); i++)
		if (gh_str_ends(name, endings[i]))
			return true;
	return false;
}

static enum gh_inside_go visit(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *c, void *to)
{
	struct asked *asked = to;
	if (!gh_str_ends(c->name, ".dex") || c->flags & GH_CHILD_UNREADABLE)
		return gh_inside_leads(at, c) || may_hold(c->name) ? GH_INSIDE_ENTER : GH_INSIDE_ON;
	if (asked->path && !gh_str_ends(c->name, asked->path) && !gh_str_ends(at->name, asked->path))
		return GH_INSIDE_ON;
	struct gh_mark mark = gh_arena_mark(&in->arena);
	struct gh_source *src = gh_inside_content(in, at, c);
	fputs("# ", stdout);
	put_place(at, c->name);
	putchar('\n');
	if (src)
		tell(asked, &in->arena, src);
	asked->broken |= !src;
	gh_arena_release(&in->arena, mark);
	return GH_INSIDE_ON;
}

static int done(struct gh_inside *in, void *to)
{
	struct asked *asked = to;
	if (!asked->any) {
		gh_complain("no dex file%s%s is inside", asked->path ? " called " : "", asked->path ? asked->path : "");
		return GH_EXIT_USAGE;
	}
	return in->complained || asked->broken ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

/* An INPUT that is a dex file itself, read in a jailed child. */
static int bare(int fd, struct asked *asked)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct gh_arena arena;
		gh_arena_init(&arena, 256 << 20);
		off_t size = lseek(fd, 0, SEEK_END);
		setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
		gh_jail_enter();
		struct gh_source *src = gh_source_file(&arena, fd, size < 0 ? 0 : (uint64_t)size);
		if (src)
			tell(asked, &arena, src);
		_exit(fflush(stdout) ? GH_EXIT_USAGE : asked->broken ? GH_EXIT_INCOMPLETE : GH_EXIT_OK);
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return GH_EXIT_USAGE;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	gh_complain("the reader stopped (signal %d) on this input", WTERMSIG(status));
	return GH_EXIT_INCOMPLETE;
}

static bool list_known(const char *word)
{
	for (int i = 0; i < DEX_N_TABLES; i++)
		if (strcmp(word, dex_table_words[i]) == 0)
			return true;
	gh_complain("there is no list %s: strings, types, protos, fields, methods, classes", word);
	return false;
}

static int run(const char *input, struct asked *asked)
{
	uint8_t head[8] = {0};
	int fd = open(input, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		gh_complain("%s: %s", input, strerror(errno));
		return GH_EXIT_USAGE;
	}
	bool is = pread(fd, head, sizeof head, 0) == sizeof head &&
		  (!memcmp(head, "dex\n", 4) || !memcmp(head, "cdex", 4));
	int code = is ? bare(fd, asked) : gh_inside_run(input, visit, done, asked);
	close(fd);
	return code;
}

int gh_cmd_dex(int argc, char **argv)
{
	static const struct gh_option options[] = {
		{"--list", "-l", "WHAT", "strings, types, protos, fields, methods or classes, instead of the header"}};
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "dex INPUT [NAME]      (NAME: the end of the name of a dex file, or of what it lies in)"};
	const char *value, *names[2] = {0};
	struct asked asked = {0};
	int n = 0;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == 0 && list_known(value))
			asked.list = value;
		else if (o == -1 && n < 2)
			names[n++] = value;
		else
			return GH_EXIT_USAGE;
	}
	if (!n) {
		gh_complain("name what to read: gifthorse dex INPUT");
		return GH_EXIT_USAGE;
	}
	asked.path = names[1];
	return run(names[0], &asked);
}
