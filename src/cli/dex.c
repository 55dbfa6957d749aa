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
#include "cli/dexes.h"
#include "cli/inside.h"
#include "engine/jail.h"
#include "inspectors/dex/dexinsn.h"

enum { DEX_FILES_MAX = 4096 /* in one container, as in the inspector */ };

/* ---- text ---- */

void gh_dex_put(struct gh_str s)
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

void gh_dex_put_type(const struct dex *d, uint32_t i)
{
	i == DEX_NONE ? (void)putchar('-') : gh_dex_put(dex_type(d, i));
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
		gh_dex_put_type(d, dex_types_get(d, proto.params, k));
	putchar(')');
	gh_dex_put_type(d, proto.ret);
}

void gh_dex_put_member(const struct dex *d, bool method, uint32_t i)
{
	struct dex_member_id id;
	if (!(method ? dex_method(d, i, &id) : dex_field(d, i, &id))) {
		putchar('?');
		return;
	}
	gh_dex_put_type(d, id.class);
	fputs("->", stdout);
	gh_dex_put(dex_string(d, id.name));
	if (method) {
		put_proto(d, id.type);
	} else {
		putchar(':');
		gh_dex_put_type(d, id.type);
	}
}

/* What fits of s behind the n bytes that are there. */
static size_t add(char *out, size_t n, size_t cap, struct gh_str s)
{
	size_t k = (size_t)gh_min(s.n, cap - 1 - n);
	if (s.p)
		memcpy(out + n, s.p, k);
	return s.p ? n + k : n;
}

size_t gh_dex_method_text(const struct dex *d, uint32_t i, char *out, size_t cap)
{
	struct dex_member_id id;
	struct dex_proto proto;
	size_t n = 0;
	if (dex_method(d, i, &id)) {
		n = add(out, n, cap, dex_type(d, id.class));
		n = add(out, n, cap, GH_STR("->"));
		n = add(out, n, cap, dex_string(d, id.name));
		if (dex_proto(d, id.type, &proto)) {
			n = add(out, n, cap, GH_STR("("));
			for (uint32_t k = 0; k < proto.params.n && n < cap - 1; k++)
				n = add(out, n, cap, dex_type(d, dex_types_get(d, proto.params, k)));
			n = add(out, n, cap, GH_STR(")"));
			n = add(out, n, cap, dex_type(d, proto.ret));
		}
	}
	out[n] = 0;
	return n;
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
	gh_dex_put_member(d, method, m->index);
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
	gh_dex_put_type(d, class.type);
	printf("\t0x%04x\t", class.access);
	gh_dex_put_type(d, class.super);
	putchar('\t');
	class.source == DEX_NONE ? (void)putchar('-') : gh_dex_put(dex_string(d, class.source));
	putchar('\n');
	for (uint32_t k = 0; k < class.interfaces.n; k++) {
		fputs("interface\t", stdout);
		gh_dex_put_type(d, dex_types_get(d, class.interfaces, k));
		putchar('\n');
	}
	dex_members(d, &class, &members);
	while (dex_members_next(&members, &m))
		member_line(d, &m);
	if (members.c.bad)
		puts("?");
}

/* ---- instructions ---- */

static void registers_tell(const struct dex_insn *in)
{
	if (dex_is_invoke(in->op) || in->op == DEX_FILLED_ARRAY || in->op == DEX_FILLED_ARRAY_RANGE)
		for (uint32_t k = 0; k < in->n_args; k++)
			printf("%sv%u", k ? "," : "", dex_arg(in, k));
	else
		printf("v%u,v%u,v%u", in->a, in->b, in->c);
}

/* Offset in bytes, operation, registers (of no call: a, b and c of the format), number, what is named. */
static void insn_line(const struct dex *d, const struct dex_insn *in)
{
	static const char *const payloads[] = {"", "packed-switch-data", "sparse-switch-data", "array-data"};
	printf("+0x%x\t%s\t", in->at * 2, in->payload ? payloads[in->payload >> 8] : dex_op_name(in->op));
	if (!in->payload)
		registers_tell(in);
	printf("\t%lld\t", (long long)in->literal);
	if (in->ref == DEX_REF_STRING)
		gh_dex_put(dex_string(d, in->index));
	else if (in->ref == DEX_REF_TYPE)
		gh_dex_put_type(d, in->index);
	else if (in->ref == DEX_REF_FIELD || in->ref == DEX_REF_METHOD)
		gh_dex_put_member(d, in->ref == DEX_REF_METHOD, in->index);
	else if (in->ref != DEX_REF_NONE)
		printf("%u", in->index);
	putchar('\n');
}

static void code_lines(const struct dex *d, uint32_t i)
{
	struct dex_class class;
	struct dex_members members;
	struct dex_member m;
	if (!dex_class(d, i, &class))
		return;
	dex_members(d, &class, &members);
	while (dex_members_next(&members, &m)) {
		struct dex_code code;
		struct dex_insns it;
		struct dex_insn in;
		if (m.kind < DEX_DIRECT_METHOD || !m.code || !dex_code(d, m.code, &code))
			continue;
		fputs("method\t", stdout);
		gh_dex_put_member(d, true, m.index);
		putchar('\n');
		dex_insns(d, &code, &it);
		while (dex_insns_next(&it, &in))
			insn_line(d, &in);
		if (it.bad)
			puts("?");
	}
}

static void string_line(const struct dex *d, uint32_t i)
{
	gh_dex_put(dex_string(d, i));
	putchar('\n');
}

static void type_line(const struct dex *d, uint32_t i)
{
	gh_dex_put_type(d, i);
	putchar('\n');
}

static void proto_line(const struct dex *d, uint32_t i)
{
	put_proto(d, i);
	putchar('\n');
}

static void field_line(const struct dex *d, uint32_t i)
{
	gh_dex_put_member(d, false, i);
	putchar('\n');
}

static void method_line(const struct dex *d, uint32_t i)
{
	gh_dex_put_member(d, true, i);
	putchar('\n');
}

/* In the order of enum dex_table_kind. */
static void (*const lines[DEX_N_TABLES])(const struct dex *, uint32_t) = {
	string_line, type_line, proto_line, field_line, method_line, class_lines};

static void one(const struct dex *d, struct gh_dexes *asked)
{
	const char *list = asked->to;
	if (!list) {
		header(d);
		return;
	}
	if (strcmp(list, "code") == 0)
		for (uint32_t i = 0; i < d->table[DEX_CLASSES].n; i++)
			code_lines(d, i);
	for (int k = 0; k < DEX_N_TABLES; k++)
		if (strcmp(list, dex_table_words[k]) == 0)
			for (uint32_t i = 0; i < d->table[k].n; i++)
				lines[k](d, i);
}

/* All dex files of one content. */
static void tell(struct gh_dexes *asked, struct gh_arena *arena, struct gh_source *src)
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
		asked->each(&d, asked);
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
	struct gh_dexes *asked = to;
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
	struct gh_dexes *asked = to;
	if (!asked->any) {
		gh_complain("no dex file%s%s is inside", asked->path ? " called " : "", asked->path ? asked->path : "");
		return GH_EXIT_USAGE;
	}
	return in->complained || asked->broken ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

/* An INPUT that is a dex file itself, read in a jailed child. */
static int bare(int fd, struct gh_dexes *asked)
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
	if (strcmp(word, "code") == 0)
		return true;
	gh_complain("there is no list %s: strings, types, protos, fields, methods, classes, code", word);
	return false;
}

int gh_dexes_run(const char *input, struct gh_dexes *asked)
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
	static const struct gh_option options[] = {{"--list", "-l", "WHAT",
		"strings, types, protos, fields, methods, classes or code, instead of the header"}};
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "dex INPUT [NAME]      (NAME: the end of the name of a dex file, or of what it lies in)"};
	const char *value, *names[2] = {0};
	struct gh_dexes asked = {.each = one};
	int n = 0;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == 0 && list_known(value))
			asked.to = (void *)(uintptr_t)value;
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
	return gh_dexes_run(names[0], &asked);
}
