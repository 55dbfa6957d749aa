/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON: commas, indentation, and the escaping that makes every string harmless. */
#include "report/jsonout.h"

#include "report/model.h"

static void quoted(struct gh_json *j, struct gh_str s)
{
	putc('"', j->to);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '"' || c == '\\')
			fprintf(j->to, "\\%c", c);
		else if (c < 0x20 || c == '<')
			fprintf(j->to, "\\u%04x", c);
		else
			putc(c, j->to);
	}
	putc('"', j->to);
}

/* The comma, the line and the key in front of a value; key NULL in arrays. */
static void before(struct gh_json *j, const char *key)
{
	fprintf(j->to, "%s\n%*s", j->first ? "" : ",", (int)j->depth * 2, "");
	j->first = false;
	if (key)
		fprintf(j->to, "\"%s\": ", key);
}

void gh_json_open(struct gh_json *j, const char *key, char bracket)
{
	if (j->depth)
		before(j, key);
	putc(bracket, j->to);
	j->depth++;
	j->first = true;
}

void gh_json_shut(struct gh_json *j, char bracket)
{
	j->depth--;
	if (!j->first)
		fprintf(j->to, "\n%*s", (int)j->depth * 2, "");
	putc(bracket, j->to);
	j->first = false;
}

void gh_json_text(struct gh_json *j, const char *key, struct gh_str s)
{
	before(j, key);
	if (!s.p) {
		fputs("null", j->to);
		return;
	}
	struct gh_mark mark = gh_arena_mark(j->arena);
	quoted(j, gh_shown(j->arena, s));
	gh_arena_release(j->arena, mark);
}

void gh_json_number(struct gh_json *j, const char *key, int64_t n)
{
	before(j, key);
	if (n == GH_NULL)
		fputs("null", j->to);
	else
		fprintf(j->to, "%lld", (long long)n);
}

void gh_json_real(struct gh_json *j, const char *key, double v)
{
	before(j, key);
	fprintf(j->to, "%.3f", v);
}

void gh_json_yes(struct gh_json *j, const char *key, bool b)
{
	before(j, key);
	fputs(b ? "true" : "false", j->to);
}
