/* SPDX-License-Identifier: Apache-2.0 */
/* Shell scripts: words and operators (POSIX.1-2017, Shell Command Language, 2.2, 2.3, 2.6.3, 2.7.4), with the operators that mksh
 * and bash add. */
#include "base/num.h"
#include "inspectors/script/script.h"

static int peek(const struct script *s, size_t ahead)
{
	return ahead < s->end - s->i ? (unsigned char)s->text.p[s->i + ahead] : -1;
}

static bool is_one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c);
}

static void put(struct script *s, int c)
{
	s->out[s->out_len++] = (char)c;
}

static void take(struct script *s)
{
	int c = peek(s, 0);
	s->line += c == '\n';
	put(s, c);
	s->i++;
}

/* Between two quotes of one kind: nothing has a meaning. */
static void single_quoted(struct script *s)
{
	s->i++;
	while (peek(s, 0) >= 0 && peek(s, 0) != '\'')
		take(s);
	s->i += peek(s, 0) == '\'';
}

static size_t closing(const struct script *s, size_t i);

/* Behind the quote that closes the one at i. */
static size_t skip_quotes(const struct script *s, size_t i)
{
	char q = s->text.p[i++];
	for (; i < s->end && s->text.p[i] != q; i++)
		if (q == '"' && s->text.p[i] == '\\')
			i++;
	return gh_min(i + 1, s->end);
}

/* The parenthesis or brace that closes the one at i, or the end. Quotes are stepped over; what else lies inside does not matter. */
static size_t closing(const struct script *s, size_t i)
{
	char open = s->text.p[i], close = open == '(' ? ')' : '}';
	unsigned depth = 0;
	while (i < s->end) {
		char c = s->text.p[i];
		if (c == '\\') {
			i += 2;
		} else if (c == '\'' || c == '"') {
			i = skip_quotes(s, i);
		} else {
			depth += c == open;
			depth -= c == close;
			if (!depth)
				return i;
			i++;
		}
	}
	return s->end;
}

static int64_t lines_in(const struct script *s, size_t from, size_t to)
{
	int64_t n = 0;
	for (; from < to; from++)
		n += s->text.p[from] == '\n';
	return n;
}

static void inner(struct script *s, size_t begin, size_t end)
{
	struct script_inner *in = gh_alloc(s->ctx->arena, sizeof *in);
	if (!in) {
		gh_note(s->ctx, GH_NOMEM, s->base + begin, "no memory for a command substitution");
		return;
	}
	*in = (struct script_inner){.begin = begin, .end = end, .line = s->line};
	*s->last = in;
	s->last = &in->next;
}

/* Copies the text up to `to` as it is. */
static void copy(struct script *s, size_t to)
{
	to = gh_min(to, s->end);
	memcpy(s->out + s->out_len, s->text.p + s->i, to - s->i);
	s->out_len += to - s->i;
	s->line += lines_in(s, s->i, to);
	s->i = to;
}

/* $name, ${…}, $((…)), $(…): copied as written; commands are read afterwards. */
static void dollar(struct script *s)
{
	int c = peek(s, 1);
	if (c != '(' && c != '{') {
		take(s);
		return;
	}
	size_t close = closing(s, s->i + 1);
	if (c == '(' && peek(s, 2) != '(')
		inner(s, s->i + 2, close);
	copy(s, close + 1);
}

static void backquoted(struct script *s)
{
	size_t i = s->i + 1;
	while (i < s->end && s->text.p[i] != '`')
		i += s->text.p[i] == '\\' ? 2 : 1;
	i = gh_min(i, s->end);
	inner(s, s->i + 1, i);
	copy(s, i + 1);
}

/* A backslash: the end of a line vanishes, any other character loses its meaning. */
static void escaped(struct script *s)
{
	s->i++;
	if (peek(s, 0) == '\r' && peek(s, 1) == '\n')
		s->i++;
	if (peek(s, 0) == '\n') {
		s->i++;
		s->line++;
	} else if (peek(s, 0) >= 0) {
		take(s);
	}
}

static void double_quoted(struct script *s)
{
	s->i++;
	for (int c; (c = peek(s, 0)) >= 0 && c != '"';) {
		int then = peek(s, 1);
		if (c == '\\' && (then == '"' || then == '\\' || then == '$' || then == '`' || then == '\n'))
			escaped(s);
		else if (c == '$')
			dollar(s);
		else if (c == '`')
			backquoted(s);
		else
			take(s);
	}
	s->i += peek(s, 0) == '"';
}

static bool ends_word(int c)
{
	return c < 0 || is_one_of(c, " \t\n\r;&|()<>");
}

static void word(struct script *s, struct script_token *t)
{
	size_t begin = s->out_len;
	t->kind = SCRIPT_WORD;
	for (int c; !ends_word(c = peek(s, 0));) {
		if (!t->quoted && is_one_of(c, "'\"\\")) {
			t->quoted = true;
			t->plain = s->out_len - begin;
		}
		if (c == '\'')
			single_quoted(s);
		else if (c == '"')
			double_quoted(s);
		else if (c == '\\')
			escaped(s);
		else if (c == '$')
			dollar(s);
		else if (c == '`')
			backquoted(s);
		else
			take(s);
	}
	t->text = gh_strn(s->out + begin, s->out_len - begin);
	if (!t->quoted)
		t->plain = t->text.n;
}

/* The bodies of the here-documents that began on the line that ends here. */
static void heredocs(struct script *s)
{
	for (unsigned k = 0; k < s->n_heredocs; k++) {
		struct gh_str rest = gh_strn(s->text.p + s->i, s->end - s->i), line;
		bool found = false;
		while (!found && gh_str_line(&rest, &line)) {
			s->line++;
			if (line.n && line.p[line.n - 1] == '\r')
				line.n--;
			while (s->heredoc_tabs[k] && line.n && *line.p == '\t')
				line = gh_strn(line.p + 1, line.n - 1);
			found = gh_str_eq(line, s->heredoc[k]);
		}
		s->i = s->end - rest.n;
	}
	s->n_heredocs = 0;
}

static void line_end(struct script *s)
{
	s->i++;
	s->line++;
	if (s->n_heredocs)
		heredocs(s);
}

/* "<<" or "<<-" and a delimiter. */
static enum gh_code heredoc(struct script *s, struct script_token *t, struct gh_err *err)
{
	bool tabs = peek(s, 2) == '-';
	struct script_token delimiter = {0};
	size_t keep = s->out_len;
	s->i += 2 + tabs;
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		s->i++;
	word(s, &delimiter);
	*t = (struct script_token){.kind = SCRIPT_REDIRECT, .text = GH_NONE, .at = t->at, .line = t->line};
	if (s->n_heredocs < SCRIPT_HEREDOCS) {
		struct gh_str d = gh_str_dup(s->ctx->arena, delimiter.text);
		if (!d.p)
			return gh_fail(err, GH_NOMEM, t->at, "no memory for a here-document");
		s->heredoc_tabs[s->n_heredocs] = tabs;
		s->heredoc[s->n_heredocs++] = d;
	}
	s->out_len = keep;
	return GH_OK;
}

/* A run of operator characters, copied to the buffer. */
static void operator_text(struct script *s, struct script_token *t, size_t n)
{
	size_t begin = s->out_len;
	copy(s, s->i + n);
	t->text = gh_strn(s->out + begin, n);
}

static enum gh_code redirect(struct script *s, struct script_token *t, struct gh_err *err)
{
	size_t n = 0;
	t->kind = SCRIPT_REDIRECT;
	while (peek(s, n) >= '0' && peek(s, n) <= '9')
		n++;
	if (peek(s, n) == '<' && peek(s, n + 1) == '<' && peek(s, n + 2) != '<') {
		s->i += n;
		return heredoc(s, t, err);
	}
	n++;
	for (int k = 0; k < 2 && is_one_of(peek(s, n), "<>&|"); k++)
		n++;
	operator_text(s, t, n);
	return GH_OK;
}

static void operator(struct script *s, struct script_token *t, int c)
{
	int then = peek(s, 1);
	bool two = (c == '&' || c == '|') && (then == c || (c == '|' && then == '&'));
	t->kind = c == '(' ? SCRIPT_OPEN : c == ')' ? SCRIPT_CLOSE : two || c == '|' ? SCRIPT_LOGIC : SCRIPT_SEPARATOR;
	if (c == ';' && (then == ';' || then == '&')) {
		t->kind = SCRIPT_CASE_END;
		s->i += then == ';' && peek(s, 2) == '&' ? 3 : 2;
		return;
	}
	s->i += two ? 2 : 1;
}

enum gh_code script_skip_group(struct script *s, struct gh_err *err)
{
	size_t end = closing(s, s->i);
	enum gh_code code = gh_spend_steps(s->ctx->budget, end - s->i, s->base + s->i, err);
	if (!code) {
		s->line += lines_in(s, s->i, gh_min(end + 1, s->end));
		s->i = gh_min(end + 1, s->end);
	}
	return code;
}

/* "((expression))": both parentheses close together. */
static enum gh_code arithmetic(struct script *s, bool *ret, struct gh_err *err)
{
	size_t outer = closing(s, s->i), in = closing(s, s->i + 1);
	*ret = outer < s->end && in + 1 == outer;
	return gh_spend_steps(s->ctx->budget, outer - s->i, s->base + s->i, err);
}

/* Does a number in front of < or > begin here? */
static bool is_redirect(const struct script *s)
{
	size_t n = 0;
	while (peek(s, n) >= '0' && peek(s, n) <= '9')
		n++;
	return peek(s, n) == '<' || peek(s, n) == '>';
}

/* The next token. Words stay in the buffer until the caller empties it. */
enum gh_code script_token(struct script *s, struct script_token *ret, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(s->ctx->budget, 1, s->base + s->i, err);
	if (code)
		return code;
	int c;
	for (;;) {
		c = peek(s, 0);
		if (c == ' ' || c == '\t' || c == '\r') {
			s->i++;
		} else if (c == '\\' && (peek(s, 1) == '\n' || (peek(s, 1) == '\r' && peek(s, 2) == '\n'))) {
			s->i += peek(s, 1) == '\n' ? 2 : 3;
			s->line++;
		} else if (c == '#') {
			const char *nl = memchr(s->text.p + s->i, '\n', s->end - s->i);
			s->i = nl ? (size_t)(nl - s->text.p) : s->end;
		} else {
			break;
		}
	}
	*ret = (struct script_token){.at = s->base + s->i, .line = s->line, .text = GH_STR("")};
	if (c < 0) {
		ret->kind = SCRIPT_EOF;
	} else if (c == '\n') {
		ret->kind = SCRIPT_SEPARATOR;
		line_end(s);
	} else if (c == '&' && peek(s, 1) == '>') {
		ret->kind = SCRIPT_REDIRECT;
		operator_text(s, ret, peek(s, 2) == '>' ? 3 : 2);
	} else if (is_redirect(s)) {
		return redirect(s, ret, err);
	} else if (c == '(' && peek(s, 1) == '(') {
		bool sum;
		code = arithmetic(s, &sum, err);
		ret->kind = sum ? SCRIPT_SEPARATOR : SCRIPT_OPEN;
		if (!code && sum)
			return script_skip_group(s, err);
		s->i++;
		return code;
	} else if (is_one_of(c, ";&|()")) {
		operator(s, ret, c);
	} else {
		word(s, ret);
	}
	return GH_OK;
}
