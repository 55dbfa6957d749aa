/* SPDX-License-Identifier: Apache-2.0 */
/* Boot arguments: the kernel command line, and bootconfig (Linux Documentation/admin-guide/bootconfig.rst, lib/bootconfig.c). */
#include "base/cmdline.h"
#include "base/num.h"
#include "formats/bootimg/bootimg.h"

enum {
	DEPTH_MAX = 16, /* XBC_DEPTH_MAX */
	KEY_MAX = 256, /* XBC_KEYLEN_MAX */
};

/* ---- command line ---- */

enum gh_code boot_cmdline(struct gh_ctx *ctx, const struct boot_header *h, struct gh_str *ret_whole, struct gh_err *err)
{
	/* An argument may run over from one field into the other. */
	struct gh_str whole = gh_str_fmt(ctx->arena, "%.*s%.*s", (int)h->cmdline.n, h->cmdline.p ? h->cmdline.p : "",
		(int)h->extra.n, h->extra.p ? h->extra.p : "");
	if (!whole.p)
		return gh_fail(err, GH_NOMEM, h->cmdline_at, "no memory for the command line");
	*ret_whole = whole;
	struct gh_str rest = whole;
	struct gh_arg arg;
	while (gh_arg_next(whole, &rest, &arg)) {
		bool extra = arg.at >= h->cmdline.n;
		GH_EMIT(ctx, boot_args, extra ? h->extra_at + arg.at - h->cmdline.n : h->cmdline_at + arg.at,
			.source = extra ? GH_STR("extra_cmdline") : GH_STR("cmdline"), .key = arg.key,
			.value = arg.value);
	}
	return GH_OK;
}

/* ---- bootconfig ---- */

struct config {
	struct gh_ctx *ctx;
	const char *p;
	size_t n, i;
	uint64_t base;
	char key[KEY_MAX];
	size_t key_n;
	size_t open[DEPTH_MAX]; /* length of the key before each open brace */
	unsigned depth;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_line(struct config *c)
{
	while (c->i < c->n && c->p[c->i] != '\n')
		c->i++;
}

static void skip_space(struct config *c, bool lines)
{
	while (c->i < c->n && is_space(c->p[c->i]) && (lines || c->p[c->i] != '\n'))
		c->i++;
}

/* Between statements: blanks, empty statements, comments. */
static void skip_between(struct config *c)
{
	for (;;) {
		skip_space(c, true);
		if (c->i == c->n || (c->p[c->i] != ';' && c->p[c->i] != '#'))
			return;
		if (c->p[c->i] == '#')
			skip_line(c);
		else
			c->i++;
	}
}

static bool key_char(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
	       ch == '-' || ch == '.';
}

/* Appends the key word at hand to the open prefix. */
static bool take_key(struct config *c)
{
	size_t begin = c->i;
	while (c->i < c->n && key_char(c->p[c->i]))
		c->i++;
	size_t n = c->i - begin, dot = c->key_n ? 1 : 0;
	if (!n || n + dot > KEY_MAX - c->key_n)
		return false;
	if (dot)
		c->key[c->key_n] = '.';
	memcpy(c->key + c->key_n + dot, c->p + begin, n);
	c->key_n += n + dot;
	return true;
}

static void emit(struct config *c, struct gh_str value, size_t at)
{
	GH_EMIT(c->ctx, boot_args, c->base + at, .source = GH_STR("bootconfig"), .key = gh_strn(c->key, c->key_n),
		.value = value);
}

/* One value up to its delimiter, which is left alone. */
static bool take_value(struct config *c)
{
	skip_space(c, false);
	size_t begin = c->i;
	char quote = c->i < c->n ? c->p[c->i] : 0;
	if (quote == '"' || quote == '\'') {
		const char *end = memchr(c->p + begin + 1, quote, c->n - begin - 1);
		if (!end)
			return false;
		c->i = (size_t)(end - c->p) + 1;
		emit(c, gh_strn(c->p + begin + 1, c->i - begin - 2), begin);
		skip_space(c, false);
		return c->i == c->n || strchr(",;\n#}", c->p[c->i]) != NULL;
	}
	while (c->i < c->n && !strchr(",;\n#}", c->p[c->i]))
		c->i++;
	emit(c, gh_str_trim(gh_strn(c->p + begin, c->i - begin)), begin);
	return true;
}

/* Values of an array, each a row; a comma may be followed by a comment and a line break. */
static bool take_values(struct config *c)
{
	for (;;) {
		if (!take_value(c))
			return false;
		if (c->i == c->n || c->p[c->i] != ',')
			return true;
		do {
			c->i++;
			skip_space(c, true);
		} while (c->i < c->n && c->p[c->i] == '#' && (skip_line(c), c->i < c->n));
	}
}

static bool statement(struct config *c)
{
	size_t before = c->key_n, at = c->i;
	if (c->p[c->i] == '}') {
		if (!c->depth)
			return false;
		c->i++;
		c->key_n = c->open[--c->depth];
		return true;
	}
	if (!take_key(c))
		return false;
	skip_space(c, false);
	char op = c->i < c->n ? c->p[c->i] : '\n';
	if (op == '{') {
		if (c->depth == DEPTH_MAX)
			return false;
		c->open[c->depth++] = before;
		c->i++;
		return true;
	}
	bool good = true;
	if ((op == '+' || op == ':') && c->i + 1 < c->n && c->p[c->i + 1] == '=')
		op = c->p[++c->i];
	if (op == '=') {
		c->i++;
		good = take_values(c);
	} else if (strchr(";\n#}", op)) {
		emit(c, GH_NONE, at);
	} else {
		good = false;
	}
	c->key_n = before;
	return good;
}

enum gh_code boot_config(struct gh_ctx *ctx, struct gh_str text, uint64_t at, struct gh_err *err)
{
	struct config c = {.ctx = ctx, .p = text.p, .n = strnlen(text.p, text.n), .base = at};
	for (skip_between(&c); c.i < c.n; skip_between(&c)) {
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at + c.i, err);
		if (code)
			return code;
		size_t before = c.i;
		if (!statement(&c)) {
			gh_note(ctx, GH_BAD, at + c.i, "bootconfig: the statement at %zu is malformed", before);
			skip_line(&c);
			c.depth = 0; /* the rest is read as if the braces had been closed */
			c.key_n = 0;
		}
	}
	if (c.depth)
		gh_note(ctx, GH_BAD, at + c.n, "bootconfig: %u braces are not closed", c.depth);
	return GH_OK;
}
