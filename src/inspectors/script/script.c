/* SPDX-License-Identifier: Apache-2.0 */
/* Shell scripts: one row a simple command (POSIX.1-2017, Shell Command Language, 2.9, 2.10). Nothing is executed or expanded:
 * a variable stays as it is written. Control words and assignments are no commands; commands inside $( ) and ` ` are. */
#include "base/num.h"
#include "inspectors/script/script.h"

/* ---- wants ---- */

static bool is_shell(struct gh_str path)
{
	static const char *const shells[] = {"sh", "bash", "ash", "dash", "ksh", "mksh", "zsh", "busybox", "toybox"};
	struct gh_str base = gh_str_base(path);
	for (size_t i = 0; i < GH_COUNT(shells); i++)
		if (gh_str_is(base, shells[i]))
			return true;
	return false;
}

/* What "#!" says: 1 a shell, 0 something else, -1 nothing. */
static int shebang(const struct gh_probe *probe)
{
	struct gh_str rest = gh_strn(probe->head, probe->head_len), line, word;
	if (gh_str_starts(rest, "\xef\xbb\xbf"))
		rest = gh_strn(rest.p + 3, rest.n - 3);
	if (!gh_str_starts(rest, "#!") || !gh_str_line(&rest, &line))
		return -1;
	line = gh_strn(line.p + 2, line.n - 2);
	while (gh_text_word(&line, &word)) {
		if (is_shell(word))
			return 1;
		if (!gh_str_is(gh_str_base(word), "env") && *word.p != '-')
			return 0;
	}
	return 0;
}

static bool script_wants(const struct gh_probe *probe)
{
	int says = shebang(probe);
	return (says == 1 || (says < 0 && gh_str_ends(probe->name, ".sh"))) && gh_text_like(probe);
}

/* ---- the grammar, as far as it tells commands from the rest ---- */

/* Where the next word stands. */
struct state {
	bool args; /* behind the name of a command */
	bool target; /* the next word is a redirection's */
	bool pattern; /* in front of a case's ")" */
	bool test; /* between [[ and ]]: operators are part of it */
	unsigned cases; /* open */
	uint64_t at; /* of the command at hand */
	int64_t line;
	struct gh_str cmd;
	size_t begin; /* of the command's text in the buffer of its arguments */
	char *arg; /* the arguments, one blank between */
	size_t arg_len;
};

static bool is_name(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static bool is_assignment(const struct script_token *t)
{
	struct gh_str w = gh_strn(t->text.p, t->plain);
	size_t i = 0;
	while (i < w.n && is_name(w.p[i], i == 0))
		i++;
	if (i && i < w.n && w.p[i] == '[') {
		const char *close = memchr(w.p + i, ']', w.n - i);
		i = close ? (size_t)(close - w.p) + 1 : i;
	}
	i += i < w.n && w.p[i] == '+';
	return i && i < w.n && w.p[i] == '=';
}

/* Words after which a command may begin. */
static bool is_control(struct gh_str w)
{
	static const char *const words[] = {
		"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "time"};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(w, words[i]))
			return true;
	return false;
}

static void add_arg(struct state *st, struct gh_str w, bool glued)
{
	if (st->arg_len && !glued)
		st->arg[st->arg_len++] = ' ';
	if (w.n)
		memcpy(st->arg + st->arg_len, w.p, w.n);
	st->arg_len += w.n;
}

static enum gh_code stretch(struct script *s, struct gh_err *err);

/* The commands in the substitutions of the command just told. */
static enum gh_code inners(struct script *s, struct gh_err *err)
{
	struct script_inner *list = s->first;
	struct script saved = *s;
	enum gh_code code = GH_OK;
	if (list && s->depth == SCRIPT_DEPTH) {
		gh_note(s->ctx, GH_LIMIT, s->base + list->begin, "command substitutions more than %d deep",
			SCRIPT_DEPTH);
		list = NULL;
	}
	for (; list && !code; list = list->next) {
		s->i = list->begin;
		s->end = list->end;
		s->line = list->line;
		s->n_heredocs = 0;
		s->depth = saved.depth + 1;
		code = stretch(s, err);
	}
	saved.rows = s->rows;
	*s = saved;
	s->first = NULL;
	s->last = &s->first;
	return code;
}

/* The end of a simple command. */
static enum gh_code tell(struct script *s, struct state *st, struct gh_err *err)
{
	if (st->args && s->rows++ == SCRIPT_ROWS)
		gh_note(s->ctx, GH_LIMIT, st->at, "more than %d commands", SCRIPT_ROWS);
	if (st->args && s->rows <= SCRIPT_ROWS) {
		s->place.at = st->at;
		s->place.line = st->line;
		GH_EMIT(s->ctx, script_cmds, st->at, .cmd = gh_text_cell(&s->place, st->cmd),
			.args = gh_text_cell(&s->place, gh_strn(st->arg, st->arg_len)), .line = st->line);
	}
	st->args = st->target = st->test = false;
	st->arg_len = 0;
	enum gh_code code = inners(s, err);
	s->out_len = st->begin;
	return code;
}

/* "for NAME in WORDS": up to the end of the line or a ";". What the words substitute are commands. */
static enum gh_code for_list(struct script *s, struct state *st, struct gh_err *err)
{
	struct script_token t;
	enum gh_code code;
	do
		code = script_token(s, &t, err);
	while (!code && t.kind != SCRIPT_EOF && t.kind != SCRIPT_SEPARATOR &&
		!(t.kind == SCRIPT_WORD && !t.quoted && gh_str_is(t.text, "do")));
	return code ? code : tell(s, st, err);
}

/* "case WORD in", in one line or more; mksh takes "{" for "in". */
static enum gh_code case_head(struct script *s, struct state *st, struct gh_err *err)
{
	struct script_token t;
	enum gh_code code = script_token(s, &t, err);
	do
		code = code ? code : script_token(s, &t, err);
	while (!code && t.kind == SCRIPT_SEPARATOR);
	st->pattern = st->cases < SCRIPT_CASES;
	st->cases += st->pattern;
	return code ? code : tell(s, st, err);
}

/* name=VALUE, or name=(VALUES), which goes up to the parenthesis. */
static enum gh_code assignment(struct script *s, const struct script_token *t, struct gh_err *err)
{
	bool list = t->text.p[t->text.n - 1] == '=' && s->i < s->end && s->text.p[s->i] == '(';
	return list ? script_skip_group(s, err) : GH_OK;
}

/* A word where a command may begin. */
static enum gh_code first_word(struct script *s, struct state *st, struct script_token *t, struct gh_err *err)
{
	struct gh_str w = t->quoted ? GH_NONE : t->text;
	if (is_control(w))
		return GH_OK;
	if (is_assignment(t))
		return assignment(s, t, err);
	if (gh_str_is(w, "for") || gh_str_is(w, "select"))
		return for_list(s, st, err);
	if (gh_str_is(w, "function"))
		return script_token(s, t, err);
	if (gh_str_is(w, "case"))
		return case_head(s, st, err);
	if (gh_str_is(w, "esac")) {
		st->cases -= st->cases > 0;
		return GH_OK;
	}
	st->args = true;
	st->test = gh_str_is(w, "[[");
	st->cmd = t->text;
	st->at = t->at;
	st->line = t->line;
	return GH_OK;
}

/* In front of a case's ")": only its end matters. */
static enum gh_code in_pattern(struct script *s, struct state *st, const struct script_token *t)
{
	if (t->kind == SCRIPT_CLOSE) {
		st->pattern = false;
	} else if (t->kind == SCRIPT_WORD && !t->quoted && (gh_str_is(t->text, "esac") || gh_str_is(t->text, "}"))) {
		st->pattern = false;
		st->cases -= st->cases > 0;
	}
	s->out_len = st->begin;
	return GH_OK;
}

/* "name()" defines a function; an opening parenthesis anywhere else begins a subshell. */
static enum gh_code open_paren(struct script *s, struct state *st, struct gh_err *err)
{
	if (!st->args || st->arg_len)
		return tell(s, st, err);
	st->args = false;
	return GH_OK;
}

static enum gh_code word(struct script *s, struct state *st, struct script_token *t, struct gh_err *err)
{
	if (!st->args && !st->target)
		return first_word(s, st, t, err);
	if (st->args)
		add_arg(st, t->text, st->target);
	if (!t->quoted && gh_str_is(t->text, "]]"))
		st->test = false;
	st->target = false;
	return GH_OK;
}

static enum gh_code token(struct script *s, struct state *st, struct script_token *t, struct gh_err *err)
{
	if (st->pattern)
		return in_pattern(s, st, t);
	if (st->test && (t->kind == SCRIPT_LOGIC || t->kind == SCRIPT_OPEN || t->kind == SCRIPT_CLOSE))
		return GH_OK;
	switch (t->kind) {
	case SCRIPT_WORD:
		return word(s, st, t, err);
	case SCRIPT_REDIRECT:
		if (t->text.p && st->args)
			add_arg(st, t->text, false);
		st->target = t->text.p != NULL;
		return GH_OK;
	case SCRIPT_OPEN:
		return open_paren(s, st, err);
	case SCRIPT_CASE_END:
		st->pattern = st->cases > 0;
		return tell(s, st, err);
	default:
		return tell(s, st, err);
	}
}

/* The commands of the stretch at hand. */
static enum gh_code stretch(struct script *s, struct gh_err *err)
{
	struct state st = {.begin = s->out_len};
	struct script_token t;
	struct gh_mark mark = gh_arena_mark(s->ctx->arena);
	/* Never more than the stretch, a blank for each of its bytes included. */
	st.arg = gh_alloc_raw(s->ctx->arena, 2 * (s->end - s->i) + 2);
	if (!st.arg)
		return gh_fail(err, GH_NOMEM, s->base + s->i, "no memory for a script");
	s->first = NULL;
	s->last = &s->first;
	enum gh_code code;
	do {
		code = script_token(s, &t, err);
		if (!code)
			code = token(s, &st, &t, err);
	} while (!code && t.kind != SCRIPT_EOF);
	gh_arena_release(s->ctx->arena, mark);
	return code;
}

static enum gh_code script_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct script s = {.ctx = ctx, .line = 1};
	enum gh_code code = gh_text_begin(ctx, blob, &s.place, err);
	if (code)
		return code;
	s.text = s.place.lines.rest;
	if (s.text.n > SCRIPT_MAX) {
		gh_note(ctx, GH_LIMIT, SCRIPT_MAX, "a script of %zu bytes: the rest is not read", s.text.n);
		s.text.n = SCRIPT_MAX;
	}
	s.end = s.text.n;
	s.base = gh_text_base(&s.place);
	/* Each level of substitution copies its stretch once more. */
	s.out = gh_alloc_raw(ctx->arena, (SCRIPT_DEPTH + 2) * (s.text.n + 2));
	if (!s.out)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a script of %zu bytes", s.text.n);
	return stretch(&s, err);
}

const struct gh_inspector gh_inspector_script = {
	.name = "script",
	.title = "shell scripts",
	.version = 1,
	.wants = script_wants,
	.run = script_run,
};
