/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a flattened device tree (Devicetree Specification 0.4, chapter 5.2), and finding trees in larger images. */
#include "inspectors/fdt/fdt_head.h"

#include "base/num.h"

enum {
	WINDOW = 64 << 10,
	TAIL = 192, /* bytes of names that are looked at */
	TAIL_NAMES = 6, /* names in them, at least: real ones have some ten letters */
};

static const uint8_t magic[4] = {0xd0, 0x0d, 0xfe, 0xed};

bool fdt_magic(const uint8_t *p, size_t n)
{
	return n >= sizeof magic && memcmp(p, magic, sizeof magic) == 0;
}

static void fields(struct gh_cursor *c, struct fdt_head *h)
{
	gh_skip(c, 4);
	h->size = gh_u32be(c);
	h->structs = gh_u32be(c);
	h->strings = gh_u32be(c);
	h->reserve = gh_u32be(c);
	h->version = gh_u32be(c);
	h->compatible = gh_u32be(c);
	h->cpu = gh_u32be(c);
	h->strings_size = gh_u32be(c);
	h->structs_size = h->version >= 17 ? gh_u32be(c) : 0;
}

enum gh_code fdt_head_read(
	const uint8_t *p, size_t n, uint64_t room, uint64_t at, struct fdt_head *ret, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	struct fdt_head h = {0};
	if (!fdt_magic(p, n))
		return gh_fail(err, GH_BAD, at, "no device tree");
	fields(&c, &h);
	if (c.bad)
		return gh_cursor_check(&c, "the device tree's header", err);
	if (h.version < 16)
		return gh_fail(err, GH_UNSUP, at + 20, "a device tree of version %u", h.version);
	if (h.compatible > 17)
		return gh_fail(err, GH_UNSUP, at + 24, "a device tree that only readers of version %u understand",
			h.compatible);
	if (h.size < FDT_HEAD || h.structs > h.size || h.strings > h.size || h.reserve > h.size ||
		h.structs_size > h.size - h.structs || h.strings_size > h.size - h.strings)
		return gh_fail(err, GH_BAD, at + 4, "the blocks of a device tree lie outside of its %u bytes", h.size);
	if (h.version < 17)
		h.structs_size = (h.strings > h.structs ? h.strings : h.size) - h.structs;
	*ret = h;
	if (h.size > room)
		return gh_fail(err, GH_SHORT, at + 4, "a device tree of %u bytes, %llu are there", h.size,
			(unsigned long long)room);
	return GH_OK;
}

bool fdt_begins(struct gh_source *src, uint64_t at, struct fdt_head *ret)
{
	uint8_t head[FDT_HEAD_17];
	if (at >= src->size)
		return false;
	size_t n = (size_t)gh_min(sizeof head, src->size - at);
	return gh_read(src, at, head, n, NULL) == GH_OK &&
	       fdt_head_read(head, n, src->size - at, at, ret, NULL) == GH_OK;
}

/* Looks for a tree in the window p[0..n) that lies at `at`. */
static bool in_window(
	struct gh_source *src, const uint8_t *p, size_t n, uint64_t at, uint64_t *ret_at, struct fdt_head *ret)
{
	for (const uint8_t *q = p; (q = memmem(q, n - (size_t)(q - p), magic, sizeof magic)); q++) {
		*ret_at = at + (uint64_t)(q - p);
		if (fdt_begins(src, *ret_at, ret))
			return true;
	}
	return false;
}

enum gh_code fdt_find(struct gh_ctx *ctx, struct gh_source *src, uint64_t from, uint64_t *ret_at, struct fdt_head *ret,
	struct gh_err *err)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = GH_END;
	while (code == GH_END && from < src->size && src->size - from >= FDT_HEAD) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(WINDOW, src->size - from);
		code = gh_spend_steps(ctx->budget, 1, from, err);
		if (code == GH_OK)
			code = gh_view(src, ctx->arena, from, n, &p, err);
		if (code)
			break;
		code = in_window(src, p, n, from, ret_at, ret) ? GH_OK : GH_END;
		from += n == src->size - from ? n : n - (sizeof magic - 1);
		gh_arena_release(ctx->arena, mark);
	}
	gh_arena_release(ctx->arena, mark);
	return code;
}

static bool name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(",._+*#?-", c));
}

bool fdt_tail(const uint8_t *p, size_t n)
{
	size_t zeros = 0;
	while (n && !p[n - 1])
		n--;
	if (n < TAIL)
		return false;
	for (size_t i = n - TAIL; i < n; i++) {
		if (p[i] && !name_byte(p[i]))
			return false;
		zeros += !p[i];
	}
	return zeros >= TAIL_NAMES - 1;
}

bool fdt_follows(struct gh_source *src, uint64_t at)
{
	uint8_t tail[GH_PROBE_TAIL];
	struct fdt_head h;
	size_t n = (size_t)gh_min(sizeof tail, src->size);
	return fdt_begins(src, at, &h) && gh_read(src, src->size - n, tail, n, NULL) == GH_OK && fdt_tail(tail, n);
}
