/* SPDX-License-Identifier: Apache-2.0 */
/* Loading rules: the front matter of library/ *.sql as src/rules/README.md describes it. */
#include "rules/rules.h"

#include "base/num.h"

struct key {
	const char *name;
	size_t offset;
};

#define KEY(word, member)                                                                                              \
	{                                                                                                              \
		word, offsetof(struct gh_rule, member)                                                                 \
	}
static const struct key keys[] = {KEY("id", id), KEY("title", title), KEY("severity", severity), KEY("axis", axis),
	KEY("certainty", certainty), KEY("witness", witness), KEY("needs", needs), KEY("case", cases),
	KEY("lookalike", lookalike), KEY("explain", explain), KEY("verify", verify), KEY("next", next)};

static struct gh_str *member(struct gh_rule *r, struct gh_str name)
{
	for (size_t i = 0; i < GH_COUNT(keys); i++)
		if (gh_str_is(name, keys[i].name))
			return (struct gh_str *)(void *)((char *)r + keys[i].offset);
	return NULL;
}

static struct gh_str append(struct gh_arena *arena, struct gh_str a, struct gh_str b)
{
	bool paragraph = !b.n;
	bool fresh = !a.n || a.p[a.n - 1] == '\n';
	return gh_str_fmt(arena, "%.*s%s%.*s", (int)a.n, a.p ? a.p : "",
		paragraph ? "\n"
		: fresh   ? ""
			  : " ",
		(int)b.n, b.p ? b.p : "");
}

static enum gh_code parse(struct gh_arena *arena, const struct gh_file *file, struct gh_rule *r, struct gh_err *err)
{
	struct gh_str rest = gh_strn(file->text, file->n), line, *at = NULL;
	const char *sql = file->text;
	while (gh_str_line(&rest, &line) && gh_str_starts(line, "--")) {
		sql = rest.p;
		if (gh_str_starts(line, "--@ ")) {
			struct gh_str s = gh_strn(line.p + 4, line.n - 4);
			const char *colon = memchr(s.p, ':', s.n);
			at = colon ? member(r, gh_strn(s.p, (size_t)(colon - s.p))) : NULL;
			if (!at)
				return gh_fail(err, GH_BAD, (uint64_t)(line.p - file->text), "rule %s: unknown key",
					file->name);
			*at = gh_str_trim(gh_strn(colon + 1, (size_t)(s.p + s.n - colon - 1)));
		} else if (gh_str_starts(line, "--|") && at) {
			*at = append(arena, *at, gh_str_trim(gh_strn(line.p + 3, line.n - 3)));
		}
	}
	r->sql = sql;
	for (size_t i = 0; i < GH_COUNT(keys); i++)
		if (!((struct gh_str *)(void *)((char *)r + keys[i].offset))->n)
			return gh_fail(err, GH_BAD, 0, "rule %s: no %s", file->name, keys[i].name);
	return GH_OK;
}

enum gh_code gh_rules_load(struct gh_arena *arena, const struct gh_rule **ret, size_t *ret_n, struct gh_err *err)
{
	struct gh_rule *rules = gh_alloc_array(arena, gh_n_rule_files, sizeof *rules);
	if (!rules)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the rules");
	for (size_t i = 0; i < gh_n_rule_files; i++) {
		enum gh_code code = parse(arena, &gh_rule_files[i], &rules[i], err);
		if (code)
			return code;
	}
	*ret = rules;
	*ret_n = gh_n_rule_files;
	return GH_OK;
}

const struct gh_rule *gh_rules_find(const struct gh_rule *rules, size_t n, struct gh_str id)
{
	for (size_t i = 0; i < n; i++)
		if (gh_str_eq(rules[i].id, id))
			return &rules[i];
	return NULL;
}
