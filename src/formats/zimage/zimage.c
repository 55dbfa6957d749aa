/* SPDX-License-Identifier: Apache-2.0 */
/* Linux kernels as boot images hold them: a packed kernel behind its unpacking code, and device trees behind the kernel. After
 * Documentation/arch/arm/booting.rst and arch/arm/boot/compressed/head.S (zImage), Documentation/arch/arm64/booting.rst (Image),
 * Documentation/arch/x86/boot.rst (bzImage), drivers/firmware/efi/libstub/zboot-header.S (EFI zboot), lk app/aboot/aboot.c
 * (UNCOMPRESSED_IMG). The children are the kernel inside and the trees. */
#include "base/num.h"
#include "codecs/flow/zeros.h"
#include "formats/zimage/zimage.h"

enum {
	ZIMAGE_MAGIC = 0x016f2818,
	RAW_HEAD = 20, /* "UNCOMPRESSED_IMG" and a size */
	X86_HEADER = 0x250, /* up to payload_length */
	TREES_MAX = 4096,
};

static bool has(const struct gh_probe *p, size_t at, const char *bytes, size_t n)
{
	return gh_within(at, n, p->head_len) && memcmp(p->head + at, bytes, n) == 0;
}

static uint32_t word(const uint8_t *p, size_t n, size_t at)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	gh_seek(&c, at);
	return gh_u32(&c);
}

/* A packed kernel that ends like a device tree. */
static bool packed(const struct gh_probe *p)
{
	return zimage_method(p->head, p->head_len) && fdt_tail(p->tail, p->tail_len);
}

static enum zimage_kind kind(const struct gh_probe *p)
{
	if (has(p, 0x38, "ARM\x64", 4))
		return ZIMAGE_ARM64;
	if (p->head_len > 0x30 && word(p->head, p->head_len, 0x24) == ZIMAGE_MAGIC)
		return ZIMAGE_ARM;
	if (has(p, 0, "MZ", 2) && has(p, 4, "zimg", 4))
		return ZIMAGE_EFI;
	if (has(p, 0x202, "HdrS", 4) && has(p, 0x1fe, "\x55\xaa", 2))
		return ZIMAGE_X86;
	if (has(p, 0, "UNCOMPRESSED_IMG", 16))
		return ZIMAGE_RAW;
	return packed(p) ? ZIMAGE_PACKED : ZIMAGE_NONE;
}

static enum gh_bid zimage_bid(const struct gh_probe *probe)
{
	return kind(probe) ? GH_BID_MAGIC : GH_BID_NO;
}

/* ---- where the kernel inside lies ---- */

static void inside(struct zimage *z, const struct gh_probe *p)
{
	const uint8_t *h = p->head;
	size_t n = p->head_len;
	if (z->kind == ZIMAGE_EFI) {
		z->payload = word(h, n, 8);
		z->payload_size = word(h, n, 12);
	} else if (z->kind == ZIMAGE_X86 && n >= X86_HEADER) {
		uint64_t sectors = h[0x1f1] ? h[0x1f1] : 4;
		z->payload = (sectors + 1) * 512 + word(h, n, 0x248);
		z->payload_size = word(h, n, 0x24c);
	} else if (z->kind == ZIMAGE_RAW) {
		z->payload = RAW_HEAD;
		z->payload_size = word(h, n, 16);
	} else if (z->kind == ZIMAGE_ARM) {
		uint32_t from = word(h, n, 0x28), to = word(h, n, 0x2c);
		z->end = to > from ? to - from : 0; /* a zImage that runs anywhere begins at 0 */
	}
}

static enum gh_code zimage_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct zimage *z = state;
	struct gh_probe p;
	enum gh_code code = gh_probe_make(src, GH_NONE, ctx->arena, &p, err);
	if (code)
		return code;
	*z = (struct zimage){.src = src, .kind = kind(&p)};
	if (!z->kind)
		return gh_fail(err, GH_BAD, 0, "no kernel image");
	inside(z, &p);
	/* A zImage without a size of its own ends where trees begin. */
	if (!z->end || z->end > src->size)
		z->end = src->size;
	z->pos = z->kind == ZIMAGE_ARM && z->end < src->size ? z->end : gh_min(src->size, FDT_HEAD);
	return GH_OK;
}

/* ---- children ---- */

static enum gh_code give_payload(struct gh_ctx *ctx, struct zimage *z, struct gh_child *ret, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	if (z->kind == ZIMAGE_ARM) {
		code = zimage_find(ctx, z, err);
		if (code == GH_END)
			gh_note(ctx, GH_UNSUP, 0, "the packed kernel in the zImage was not found");
		if (code)
			return code;
	}
	if (!z->payload)
		return GH_END;
	uint64_t left = z->payload < z->src->size ? z->src->size - z->payload : 0;
	if (z->payload_size > left) {
		gh_note(ctx, GH_SHORT, z->payload, "the kernel inside has %llu bytes, %llu are there",
			(unsigned long long)z->payload_size, (unsigned long long)left);
		z->payload_size = left;
	}
	if (!left)
		return GH_END;
	bool stream = z->method != 0;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = stream ? GH_CHILD_STREAM | GH_CHILD_SIZE_HINT : 0,
		.name = GH_STR("Image"),
		.cookie = {z->method},
		.off = z->payload,
		.csize = z->payload_size,
		.size = stream ? z->payload_size * 3 : z->payload_size};
	return GH_OK;
}

static enum gh_code next_tree(struct gh_ctx *ctx, struct zimage *z, struct gh_child *ret, struct gh_err *err)
{
	struct fdt_head h;
	uint64_t at = z->src->size, from = z->pos;
	enum gh_code code = z->trees < TREES_MAX ? fdt_find(ctx, z->src, z->pos, &at, &h, err) : GH_END;
	if (code && code != GH_END)
		return code;
	if (code == GH_END)
		at = z->src->size;
	/* In an Image trees may be built in, with other data around them. */
	if (z->trees && z->kind != ZIMAGE_ARM64 && z->kind != ZIMAGE_RAW) {
		enum gh_code told = gh_zeros_or_note(ctx, z->src, from, at, "beside the device trees", err);
		if (told)
			return told;
	}
	if (code == GH_END)
		return GH_END;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.name = gh_str_fmt(ctx->arena, "%u.dtb", z->trees),
		.off = at,
		.csize = h.size,
		.size = h.size};
	GH_EMIT(ctx, dt_entries, at, .kind = GH_STR("appended"), .entry = z->trees, .off = (int64_t)at, .size = h.size);
	z->trees++;
	z->pos = at + h.size;
	return GH_OK;
}

static enum gh_code zimage_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct zimage *z = state;
	if (!z->listed) {
		z->listed = true;
		enum gh_code code = give_payload(ctx, z, ret, err);
		if (code != GH_END)
			return code;
	}
	return next_tree(ctx, z, ret, err);
}

static enum gh_code zimage_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct zimage *z = state;
	if (!gh_within(child->off, child->csize, z->src->size))
		return gh_fail(err, GH_BAD, child->off, "no such part of a kernel image");
	*ret = gh_source_slice(ctx->arena, z->src, child->off, child->csize);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a source");
}

const struct gh_format gh_format_zimage = {
	.name = "zimage",
	.title = "Linux kernel image",
	.version = 1,
	.state_size = sizeof(struct zimage),
	.bid = zimage_bid,
	.open = zimage_open,
	.next = zimage_next,
	.data = zimage_data,
	.pour = zimage_pour,
};
