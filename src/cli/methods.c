/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse methods, gifthorse callers: which methods of the code inside have a name, and which instructions call them; read from the
 * bytes again, since neither is kept. A place in code is its method and the byte offset behind its first instruction. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/dexes.h"
#include "inspectors/dex/dexinsn.h"

enum {
	TEXT = 65536, /* of a name; longer ones are cut */
	NONE = 0,
	HAS = 1,
};

struct asked {
	const char *name;
	size_t n;
	bool callers;
};

static bool has(const struct asked *asked, const struct dex *d, uint32_t i)
{
	static char text[TEXT];
	size_t n = gh_dex_method_text(d, i, text, sizeof text);
	return memmem(text, n, asked->name, asked->n) != NULL;
}

/* Which entries of the table of methods are meant. NULL: no memory. */
static uint8_t *wanted(const struct asked *asked, const struct dex *d)
{
	uint8_t *ret = calloc((size_t)d->table[DEX_METHODS].n + 1, 1);
	for (uint32_t i = 0; ret && i < d->table[DEX_METHODS].n; i++)
		ret[i] = has(asked, d, i) ? HAS : NONE;
	return ret;
}

static void method_tell(const struct dex *d, const struct dex_member *m)
{
	struct dex_code code;
	gh_dex_put_member(d, true, m->index);
	printf("\t0x%04x", m->access);
	if (m->code && dex_code(d, m->code, &code))
		printf("\t%u\t0x%llx\n", code.n, (unsigned long long)code.at);
	else
		puts(m->code ? "\t?" : "\t-");
}

static void calls_tell(struct gh_dexes *dexes, const struct dex *d, const struct dex_member *m, const uint8_t *is)
{
	struct dex_code code;
	struct dex_insns it;
	struct dex_insn in;
	if (!m->code)
		return;
	if (!dex_code(d, m->code, &code)) {
		dexes->broken = true;
		return;
	}
	dex_insns(d, &code, &it);
	while (dex_insns_next(&it, &in)) {
		if (in.ref != DEX_REF_METHOD || in.index >= d->table[DEX_METHODS].n || !is[in.index])
			continue;
		gh_dex_put_member(d, true, m->index);
		printf("\t+0x%x\t%s\t", in.at * 2, dex_op_name(in.op));
		gh_dex_put_member(d, true, in.index);
		putchar('\n');
	}
	dexes->broken |= it.bad;
}

static void each(const struct dex *d, struct gh_dexes *dexes)
{
	const struct asked *asked = dexes->to;
	uint8_t *is = wanted(asked, d);
	if (!is) {
		gh_complain("no memory for the names of %u methods", d->table[DEX_METHODS].n);
		dexes->broken = true;
		return;
	}
	for (uint32_t i = 0; i < d->table[DEX_CLASSES].n; i++) {
		struct dex_class class;
		struct dex_members members;
		struct dex_member m;
		if (!dex_class(d, i, &class))
			continue;
		dex_members(d, &class, &members);
		while (dex_members_next(&members, &m)) {
			if (m.kind < DEX_DIRECT_METHOD)
				continue;
			if (asked->callers)
				calls_tell(dexes, d, &m, is);
			else if (m.index < d->table[DEX_METHODS].n && is[m.index])
				method_tell(d, &m);
		}
		dexes->broken |= members.c.bad;
	}
	free(is);
}

static int run(int argc, char **argv, struct asked *asked, const char *usage)
{
	struct gh_args args = {.argc = argc, .argv = argv, .i = 1, .usage = usage};
	const char *value, *names[2] = {0};
	int n = 0;
	if (argc == 3 && *argv[1] != '-') { /* a NAME may begin like an option: ->m( */
		names[0] = argv[1];
		names[1] = argv[2];
		args.i = argc;
		n = 2;
	}
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o != -1 || n == 2)
			return GH_EXIT_USAGE;
		names[n++] = value;
	}
	if (n < 2) {
		gh_complain("usage: gifthorse %s", usage);
		return GH_EXIT_USAGE;
	}
	asked->name = names[1];
	asked->n = strlen(names[1]);
	struct gh_dexes dexes = {.each = each, .to = asked};
	return gh_dexes_run(names[0], &dexes);
}

int gh_cmd_methods(int argc, char **argv)
{
	struct asked asked = {0};
	return run(argc, argv, &asked, "methods INPUT NAME      (NAME: part of Lcom/x/Y;->m(I)V)");
}

int gh_cmd_callers(int argc, char **argv)
{
	struct asked asked = {.callers = true};
	return run(argc, argv, &asked, "callers INPUT NAME      (NAME: part of Lcom/x/Y;->m(I)V)");
}
