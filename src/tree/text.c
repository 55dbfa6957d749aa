/* SPDX-License-Identifier: Apache-2.0 */
/* What inspectors of text files share. */
#include "tree/text.h"

#include "base/num.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool gh_text_like(const struct gh_probe *probe)
{
	size_t n = gh_min(probe->head_len, 1024), odd = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = probe->head[i];
		odd += (c && c < 0x20 && !is_space((char)c)) || c == 0x7f;
	}
	size_t zeros = 0;
	for (size_t i = 0; i < n; i++)
		zeros += !probe->head[i];
	return odd * 16 <= n && zeros * 4 <= n && !(n >= 4 && memcmp(probe->head, "\177ELF", 4) == 0);
}

enum gh_code gh_text_begin(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_text *ret, struct gh_err *err)
{
	if (!blob->data && blob->size)
		return gh_fail(
			err, GH_LIMIT, 0, "a text of %llu bytes is not held in memory", (unsigned long long)blob->size);
	*ret = (struct gh_text){.ctx = ctx, .lines = gh_lines(blob->data, (size_t)blob->size)};
	const uint8_t *zero = blob->size ? memchr(blob->data, 0, (size_t)blob->size) : NULL;
	if (zero)
		gh_note(ctx, GH_BAD, (uint64_t)(zero - blob->data),
			"a zero byte in a text: the programs that use it may stop reading here");
	return GH_OK;
}

enum gh_code gh_text_next(struct gh_text *t, struct gh_str *ret_line, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(t->ctx->budget, 1, t->lines.at, err);
	if (code)
		return code;
	if (!gh_lines_next(&t->lines))
		return GH_END;
	*ret_line = t->lines.line;
	t->at = t->lines.at;
	t->line = t->lines.number;
	return GH_OK;
}

struct gh_str gh_text_trim(struct gh_str s)
{
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_space(*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

bool gh_text_word(struct gh_str *rest, struct gh_str *ret_word)
{
	*rest = gh_text_trim(*rest);
	size_t i = 0;
	while (i < rest->n && !is_space(rest->p[i]))
		i++;
	*ret_word = gh_strn(rest->p, i);
	*rest = gh_strn(rest->p + i, rest->n - i);
	return i > 0;
}

struct gh_str gh_text_cell(struct gh_text *t, struct gh_str s)
{
	if (!s.p)
		return GH_STR("");
	if (s.n > GH_CELL_MAX) {
		gh_note(t->ctx, GH_LIMIT, t->at, "line %lld: %zu bytes of one value, %d are kept", (long long)t->line,
			s.n, GH_CELL_MAX);
		s.n = GH_CELL_MAX;
	}
	return s;
}
