/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel configurations: the text that kconfig writes, and the packed copy between IKCFG_ST and IKCFG_ED in an image
 * (kernel/configs.c), as scripts/extract-ikconfig finds it. */
#include "codecs/deflate/deflate.h"
#include "inspectors/kernel/kernel.h"

enum {
	OPTIONS_MAX = 32768, /* a full configuration has some 12,000 lines */
	TEXT_MAX = 4 << 20, /* real ones have 250 KiB */
	GZIP_HEAD = 10,
	GZIP_NAMED = 8,
	TRIES = 16, /* of IKCFG_ST: the word also stands in code that looks for it */
};

static struct gh_str unquoted(struct gh_str s)
{
	return s.n >= 2 && *s.p == '"' && s.p[s.n - 1] == '"' ? gh_strn(s.p + 1, s.n - 2) : s;
}

/* "CONFIG_A=y" or "# CONFIG_A is not set", which is n. */
static bool option(struct gh_str line, struct gh_str *ret_key, struct gh_str *ret_value)
{
	static const char off[] = " is not set";
	if (gh_str_starts(line, "# CONFIG_") && gh_str_ends(line, off)) {
		*ret_key = gh_strn(line.p + 2, line.n - 2 - (sizeof off - 1));
		*ret_value = GH_STR("n");
		return ret_key->n > 0;
	}
	const char *eq = gh_str_starts(line, "CONFIG_") ? memchr(line.p, '=', line.n) : NULL;
	if (!eq)
		return false;
	*ret_key = gh_strn(line.p, (size_t)(eq - line.p));
	*ret_value = gh_strn(eq + 1, line.n - ret_key->n - 1);
	return true;
}

/* at: of the text, or of what it is packed in (inner). */
enum gh_code kernel_config(struct gh_ctx *ctx, struct gh_str text, uint64_t at, bool inner, int64_t *ret_n,
	struct gh_str *ret_cmdline, struct gh_err *err)
{
	struct gh_str rest = text, line, key, value;
	int64_t n = 0;
	while (gh_str_line(&rest, &line)) {
		uint64_t here = inner ? at : at + (uint64_t)(line.p - text.p);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, here, err);
		if (code)
			return code;
		if (!option(gh_str_trim(line), &key, &value))
			continue;
		if (n == OPTIONS_MAX) {
			gh_note(ctx, GH_LIMIT, here, "more than %d options", OPTIONS_MAX);
			break;
		}
		GH_EMIT(ctx, kernel_config, here, .key = key, .value = unquoted(value));
		if (gh_str_is(key, "CONFIG_CMDLINE") && unquoted(value).n)
			*ret_cmdline = unquoted(value);
		n++;
	}
	*ret_n = n;
	return GH_OK;
}

/* The stream that begins at p: its text, in the arena. */
static enum gh_code unpack(
	struct gh_ctx *ctx, const uint8_t *p, size_t n, uint64_t at, struct gh_str *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	size_t len = 0;
	gh_skip(&c, 3);
	uint8_t flags = gh_u8(&c);
	gh_skip(&c, GZIP_HEAD - 4);
	if (flags & GZIP_NAMED)
		(void)gh_cstr(&c);
	if (c.bad || flags & ~GZIP_NAMED)
		return gh_fail(err, GH_BAD, at, "the packed configuration has no gzip header that kernels write");
	uint8_t *out = gh_alloc_raw(ctx->arena, TEXT_MAX);
	if (!out)
		return gh_fail(err, GH_NOMEM, at, "no memory for a configuration");
	enum gh_code code = gh_deflate_whole(ctx, c.p + c.i, gh_left(&c), out, TEXT_MAX, &len, gh_at(&c), err);
	*ret = gh_strn(out, len);
	/* Inspectors have no budget of bytes: what is unpacked here has its own bound, and its work counts. */
	if (gh_spend_steps(ctx->budget, len / 64, at, code ? NULL : err) && !code)
		return GH_LIMIT;
	return code;
}

enum gh_code kernel_ikconfig(
	struct gh_ctx *ctx, const struct gh_blob *blob, int64_t *ret_n, struct gh_str *ret_cmdline, struct gh_err *err)
{
	static const char begin[] = "IKCFG_ST\37\213\10", end[] = "IKCFG_ED";
	const uint8_t *last = blob->data + blob->size, *p = blob->data;
	for (unsigned i = 0; i < TRIES && (p = memmem(p, (size_t)(last - p), begin, sizeof begin - 1)); i++, p += 8) {
		const uint8_t *from = p + 8, *to = memmem(from, (size_t)(last - from), end, sizeof end - 1);
		uint64_t at = (uint64_t)(from - blob->data);
		struct gh_str text = GH_NONE;
		if (!to)
			gh_note(ctx, GH_SHORT, at, "the packed configuration has no end");
		enum gh_code code = unpack(ctx, from, (size_t)((to ? to : last) - from), at, &text, err), told;
		if (code)
			gh_note_err(ctx, err);
		told = kernel_config(ctx, text, at, true, ret_n, ret_cmdline, err);
		if (told || *ret_n)
			return told;
	}
	return GH_END;
}
