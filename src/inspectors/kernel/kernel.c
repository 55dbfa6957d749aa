/* SPDX-License-Identifier: Apache-2.0 */
/* Linux kernels: the banner (init/version.c), the built-in configuration (kernel/configs.c), the built-in command line; configurations
 * as text; loadable modules. */
#include "inspectors/kernel/kernel.h"

enum {
	BANNER_MAX = 512, /* real ones have up to 300 bytes */
	BANNERS = 8, /* kept of one image: the banner stands there twice or three times */
	STRINGS_MAX = 64, /* of kernel_strings a word */
	STRING_MAX = 256,
};

static bool starts(const struct gh_probe *p, size_t at, const char *bytes, size_t n)
{
	return gh_within(at, n, p->head_len) && memcmp(p->head + at, bytes, n) == 0;
}

static bool is_elf(const struct gh_probe *p)
{
	return starts(p, 0, "\177ELF", 4);
}

static bool is_config(const struct gh_probe *p)
{
	return starts(p, 0, "#\n# Automatically generated", 27) &&
	       memmem(p->head, gh_min(p->head_len, 512), "Kernel Configuration", 20) != NULL;
}

/* zImage and bzImage are packed: what is in them is a content of its own (formats/zimage). */
static bool is_arm64(const struct gh_probe *p)
{
	return starts(p, 0x38, "ARM\x64", 4);
}

static bool kernel_wants(const struct gh_probe *probe)
{
	if (is_elf(probe))
		return gh_str_ends(probe->name, ".ko") || gh_str_starts(probe->name, "vmlinux");
	/* An unpacked kernel of 32 bits has no magic number. */
	return is_arm64(probe) || is_config(probe) || gh_str_is(probe->name, "Image");
}

/* ---- banner ---- */

/* Printable text at p, at most `max` bytes. */
static size_t printable(const uint8_t *p, size_t n, size_t max)
{
	size_t i = 0;
	while (i < n && i < max && p[i] >= 0x20 && p[i] < 0x7f)
		i++;
	return i;
}

static struct gh_str word_behind(struct gh_str s, const char *before)
{
	const char *p = s.n ? memmem(s.p, s.n, before, strlen(before)) : NULL;
	if (!p)
		return GH_NONE;
	p += strlen(before);
	size_t left = s.n - (size_t)(p - s.p), n = 0;
	while (n < left && p[n] != ' ' && p[n] != ')')
		n++;
	return n ? gh_strn(p, n) : GH_NONE;
}

/* "Linux version 4.9.112-perf (user@host) (compiler) #1 SMP PREEMPT date"; the format string of /proc/version has a %s. */
static struct gh_str banner(struct gh_ctx *ctx, const struct gh_blob *b, uint64_t *ret_at, struct gh_err *err)
{
	static const char word[] = "Linux version ";
	struct gh_str best = GH_NONE;
	const uint8_t *end = b->data + b->size;
	unsigned n = 0;
	for (const uint8_t *p = b->data; n < BANNERS && (p = memmem(p, (size_t)(end - p), word, sizeof word - 1));
		p++) {
		if (gh_spend_steps(ctx->budget, 1, (uint64_t)(p - b->data), err))
			return best;
		size_t len = printable(p, (size_t)(end - p), BANNER_MAX);
		struct gh_str s = gh_strn(p, len);
		if (len < sizeof word || p[sizeof word - 1] < '0' || p[sizeof word - 1] > '9' || !memchr(p, '#', len))
			continue;
		GH_EMIT(ctx, kernel_strings, (uint64_t)(p - b->data), .text = s);
		if (!best.p) {
			best = s;
			*ret_at = (uint64_t)(p - b->data);
		}
		n++;
	}
	return best;
}

/* Words that stand in kernels which give root to whoever asks (Allwinner's sunxi-debug, CVE-2016-10225). */
static enum gh_code words(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err)
{
	static const char *const list[] = {"rootmydevice", "sunxi_debug", "now you are root"};
	const uint8_t *end = b->data + b->size;
	for (size_t i = 0; i < GH_COUNT(list); i++) {
		const uint8_t *p = b->data;
		for (unsigned n = 0; n < STRINGS_MAX && (p = memmem(p, (size_t)(end - p), list[i], strlen(list[i])));
			n++) {
			enum gh_code code = gh_spend_steps(ctx->budget, 1, (uint64_t)(p - b->data), err);
			if (code)
				return code;
			size_t back = 0;
			while (p - back > b->data && back < STRING_MAX / 2 && printable(p - back - 1, 1, 1))
				back++;
			p -= back;
			size_t len = printable(p, (size_t)(end - p), STRING_MAX);
			GH_EMIT(ctx, kernel_strings, (uint64_t)(p - b->data), .text = gh_strn(p, len));
			p += len;
		}
	}
	return GH_OK;
}

static enum gh_code image(struct gh_ctx *ctx, const struct gh_blob *b, const char *arch, struct gh_err *err)
{
	uint64_t at = 0;
	int64_t options = GH_NULL;
	struct gh_str cmdline = GH_NONE, text = banner(ctx, b, &at, err);
	enum gh_code code = kernel_ikconfig(ctx, b, &options, &cmdline, err);
	if (code == GH_END || code == GH_OK)
		code = words(ctx, b, err);
	if (!text.p && options == GH_NULL && !arch)
		return code;
	GH_EMIT(ctx, kernels, at, .machine = gh_str(arch), .banner = text,
		.release = word_behind(text, "Linux version "), .built_by = word_behind(text, " ("), .options = options,
		.cmdline = cmdline);
	return code;
}

static enum gh_code kernel_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a kernel");
	struct gh_probe p = {.head = blob->data,
		.head_len = (size_t)gh_min(blob->size, GH_PROBE_HEAD),
		.size = blob->size,
		.name = blob->name};
	if (is_elf(&p) && gh_str_ends(blob->name, ".ko"))
		return kernel_module(ctx, blob, err);
	if (is_config(&p)) {
		int64_t n = 0;
		struct gh_str cmdline = GH_NONE;
		enum gh_code code =
			kernel_config(ctx, gh_strn(blob->data, (size_t)blob->size), 0, false, &n, &cmdline, err);
		GH_EMIT(ctx, kernels, 0, .options = n, .cmdline = cmdline);
		return code;
	}
	return image(ctx, blob, is_arm64(&p) ? "arm64" : NULL, err);
}

const struct gh_inspector gh_inspector_kernel = {
	.name = "kernel", .title = "Linux kernels and modules", .version = 1, .wants = kernel_wants, .run = kernel_run};
