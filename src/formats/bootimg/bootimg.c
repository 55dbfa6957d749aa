/* SPDX-License-Identifier: Apache-2.0 */
/* Boot images: boot, recovery and init_boot (ANDROID!, versions 0 to 4), vendor_boot (VNDRBOOT, 3 and 4), after
 * system/tools/mkbootimg/include/bootimg/bootimg.h. The children are their sections. */
#include "formats/bootimg/bootimg.h"

#include "base/num.h"

enum { CONFIG_MAX = 1 << 20 }; /* of bootconfig; the kernel takes 32 KiB */

static enum gh_bid bootimg_bid(const struct gh_probe *probe)
{
	struct boot b = {.src = &(struct gh_source){.size = probe->size}};
	if (probe->head_len < 8 || (memcmp(probe->head, "ANDROID!", 8) != 0 && memcmp(probe->head, "VNDRBOOT", 8) != 0))
		return GH_BID_NO;
	size_t n = gh_min(probe->head_len, BOOT_HEADER_MAX);
	return boot_header_read(&b, probe->head, n, NULL) == GH_OK ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code read_all(struct gh_ctx *ctx, struct boot *b, struct gh_err *err)
{
	const uint8_t *p;
	size_t n = gh_min(b->src->size, BOOT_HEADER_MAX);
	enum gh_code code = gh_view(b->src, ctx->arena, 0, n, &p, err);
	if (code == GH_OK)
		code = boot_header_read(b, p, n, err);
	return code ? code : boot_sections(ctx, b, err);
}

static enum gh_code bootimg_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct boot *b = state;
	b->src = src;
	return read_all(ctx, b, err);
}

static struct gh_str os_version(struct gh_arena *arena, uint32_t v)
{
	if (!(v >> 11))
		return GH_NONE;
	return gh_str_fmt(arena, "%u.%u.%u", v >> 25, v >> 18 & 127, v >> 11 & 127);
}

static struct gh_str patch_level(struct gh_arena *arena, uint32_t v)
{
	if (!(v & 0x7ff))
		return GH_NONE;
	return gh_str_fmt(arena, "%04u-%02u", 2000 + (v >> 4 & 127), v & 15);
}

static enum gh_code bootconfig(struct gh_ctx *ctx, struct boot *b, struct gh_err *err)
{
	struct boot_header *h = &b->h;
	const uint8_t *p;
	if (!h->bootconfig_size || h->bootconfig_off >= b->src->size)
		return GH_OK;
	size_t n = gh_min(gh_min(h->bootconfig_size, b->src->size - h->bootconfig_off), CONFIG_MAX);
	if (n < h->bootconfig_size)
		gh_note(ctx, n == CONFIG_MAX ? GH_LIMIT : GH_SHORT, h->bootconfig_off,
			"bootconfig: %zu of %u bytes are read", n, h->bootconfig_size);
	enum gh_code code = gh_view(b->src, ctx->arena, h->bootconfig_off, n, &p, err);
	return code ? code : boot_config(ctx, gh_strn(p, n), h->bootconfig_off, err);
}

static enum gh_code bootimg_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct boot *b = state;
	struct gh_str cmdline;
	/* The same reading once more, aloud: open() must be silent, it is repeated wherever a section is read. */
	b->say = ctx;
	enum gh_code code = read_all(ctx, b, err);
	b->say = NULL;
	struct boot_header *h = &b->h;
	if (code == GH_OK)
		code = boot_cmdline(ctx, h, &cmdline, err);
	if (code)
		return code;
	GH_EMIT(ctx, boot_headers, 0, .kind = h->vendor ? GH_STR("vendor_boot") : GH_STR("boot"), .version = h->version,
		.page_size = h->page_size, .kernel_size = h->kernel_size, .ramdisk_size = h->ramdisk_size,
		.dtb_size = h->dtb_size, .signature_size = h->signature_size,
		.os_version = os_version(ctx->arena, h->os_version),
		.os_patch_level = patch_level(ctx->arena, h->os_version), .board = h->board.n ? h->board : GH_NONE,
		.cmdline = cmdline);
	return bootconfig(ctx, b, err);
}

static enum gh_code bootimg_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct boot *b = state;
	(void)ctx, (void)err;
	if (b->next == b->n)
		return GH_END;
	const struct boot_section *s = &b->section[b->next];
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.flags = s->lost ? GH_CHILD_UNREADABLE : 0,
		.name = s->name,
		.cookie = {b->next},
		.off = s->off,
		.csize = s->size,
		.size = s->size};
	b->next++;
	return GH_OK;
}

static enum gh_code bootimg_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct boot *b = state;
	const struct boot_section *s = child->cookie[0] < b->n ? &b->section[child->cookie[0]] : NULL;
	if (!s || s->lost)
		return gh_fail(err, GH_BAD, child->off, "no such section");
	*ret = gh_source_slice(ctx->arena, b->src, s->off, s->size);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, s->off, "no memory for a source");
}

const struct gh_format gh_format_bootimg = {
	.name = "bootimg",
	.title = "Android boot image",
	.version = 1,
	.state_size = sizeof(struct boot),
	.bid = bootimg_bid,
	.open = bootimg_open,
	.describe = bootimg_describe,
	.next = bootimg_next,
	.data = bootimg_data,
};
