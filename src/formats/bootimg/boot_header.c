/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of boot and vendor_boot images, versions 0 to 4, after system/tools/mkbootimg/include/bootimg/bootimg.h. */
#include "base/num.h"
#include "formats/bootimg/bootimg.h"

enum {
	PAGE_V3 = 4096, /* fixed since version 3, vendor_boot apart */
	PAGE_MAX = 128 << 10, /* of old NAND devices */
	PAGE_DEFAULT = 2048, /* mkbootimg's */
	FRAGMENT_ROW = 108,
};

static void header_v0(struct boot_header *h, struct gh_cursor *c)
{
	h->kernel_size = gh_u32(c);
	gh_skip(c, 4);
	h->ramdisk_size = gh_u32(c);
	gh_skip(c, 4);
	h->second_size = gh_u32(c);
	gh_skip(c, 8);
	h->page_size = gh_u32(c);
	h->version = gh_u32(c);
	h->os_version = gh_u32(c);
	h->board = gh_text(c, 16);
	h->cmdline_at = gh_at(c);
	h->cmdline = gh_text(c, 512);
	gh_skip(c, 32);
	h->extra_at = gh_at(c);
	h->extra = gh_text(c, 1024);
}

static void header_v1_v2(struct boot_header *h, struct gh_cursor *c)
{
	if (h->version < 1)
		return;
	h->recovery_dtbo_size = gh_u32(c);
	h->recovery_dtbo_off = gh_u64(c);
	h->header_size = gh_u32(c);
	if (h->version == 2)
		h->dtb_size = gh_u32(c);
}

static void header_v3_v4(struct boot_header *h, struct gh_cursor *c)
{
	h->kernel_size = gh_u32(c);
	h->ramdisk_size = gh_u32(c);
	h->os_version = gh_u32(c);
	h->header_size = gh_u32(c);
	gh_skip(c, 16);
	h->version = gh_u32(c);
	h->cmdline_at = gh_at(c);
	h->cmdline = gh_text(c, 1536);
	h->page_size = PAGE_V3;
	if (h->version == 4)
		h->signature_size = gh_u32(c);
}

static void header_vendor(struct boot_header *h, struct gh_cursor *c)
{
	h->version = gh_u32(c);
	h->page_size = gh_u32(c);
	gh_skip(c, 8);
	h->ramdisk_size = gh_u32(c);
	h->cmdline_at = gh_at(c);
	h->cmdline = gh_text(c, 2048);
	gh_skip(c, 4);
	h->board = gh_text(c, 16);
	h->header_size = gh_u32(c);
	h->dtb_size = gh_u32(c);
	gh_skip(c, 8);
	if (h->version < 4)
		return;
	h->table_size = gh_u32(c);
	h->table_n = gh_u32(c);
	h->table_entry = gh_u32(c);
	h->bootconfig_size = gh_u32(c);
}

/* mkbootimg wrote these before it followed bootimg.h: many phones have them. */
static bool known_mistake(const struct boot_header *h)
{
	return h->version == 3 && h->header_size == (h->vendor ? 2108 : 1596);
}

static uint32_t header_size(const struct boot_header *h)
{
	static const uint32_t boot[] = {0, 1648, 1660, 1580, 1584};
	if (h->vendor)
		return h->version == 3 ? 2112 : 2128;
	return boot[h->version];
}

/* The fifth word of old Qualcomm images is the size of a device tree table, where the version came to be. */
static bool old_qualcomm(struct boot *b)
{
	struct boot_header *h = &b->h;
	if (h->vendor || h->version < 512 || h->version >= b->src->size)
		return false;
	h->dt_size = h->version;
	h->version = 0;
	return true;
}

static void page_check(struct boot *b)
{
	struct boot_header *h = &b->h;
	uint32_t p = h->page_size;
	if (p >= 512 && p <= PAGE_MAX && (p & (p - 1)) == 0)
		return;
	h->page_size = h->vendor ? PAGE_V3 : PAGE_DEFAULT;
	BOOT_SAY(b, GH_BAD, h->vendor ? 12 : 36, "page size %u: read as %u", p, h->page_size);
}

enum gh_code boot_header_read(struct boot *b, const uint8_t *p, size_t n, struct gh_err *err)
{
	struct boot_header *h = &b->h;
	struct gh_cursor c = gh_cursor(p, n, 0);
	*h = (struct boot_header){0};
	const uint8_t *magic = gh_bytes(&c, 8);
	if (!magic || (memcmp(magic, "ANDROID!", 8) != 0 && memcmp(magic, "VNDRBOOT", 8) != 0))
		return gh_fail(err, GH_BAD, 0, "no boot image");
	h->vendor = *magic == 'V';
	struct gh_cursor version = gh_cursor(p, n, 0);
	gh_seek(&version, h->vendor ? 8 : 40);
	h->version = gh_u32(&version);
	bool v3 = h->version == 3 || h->version == 4;
	if (h->vendor && !v3)
		return gh_fail(err, GH_UNSUP, 8, "vendor_boot header version %u", h->version);
	if (h->vendor) {
		header_vendor(h, &c);
	} else if (v3) {
		header_v3_v4(h, &c);
	} else {
		header_v0(h, &c);
		if (h->version > 4 && !old_qualcomm(b))
			return gh_fail(err, GH_UNSUP, 40, "boot header version %u", h->version);
		header_v1_v2(h, &c);
	}
	page_check(b);
	if (h->header_size != header_size(h) && !known_mistake(h))
		BOOT_SAY(b, GH_BAD,
			h->vendor ? 2096
			: v3      ? 20
				  : 1644,
			"header size %u, version %u has %u", h->header_size, h->version, header_size(h));
	return gh_cursor_check(&c, "the boot header", err);
}

/* ---- sections ---- */

/* Adds what is there of [off, off+size). */
static void section(struct boot *b, struct gh_str name, uint64_t off, uint64_t size)
{
	if (!size || b->n == BOOT_SECTIONS_MAX)
		return;
	struct boot_section *s = &b->section[b->n++];
	uint64_t there = off < b->src->size ? gh_min(size, b->src->size - off) : 0;
	*s = (struct boot_section){.name = name, .off = off, .size = there ? there : size, .lost = !there};
	if (there < size)
		BOOT_SAY(b, GH_SHORT, b->src->size, "%.*s: %llu of %llu bytes are there", (int)name.n, name.p,
			(unsigned long long)there, (unsigned long long)size);
}

/* Adds a section at *at, and moves *at to the page behind it. */
static void in_turn(struct boot *b, const char *name, uint64_t *at, uint32_t size)
{
	section(b, gh_str(name), *at, size);
	uint64_t end;
	/* Sizes have 32 bits and pages 17: no overflow in a handful of sections. */
	if (gh_align(*at + size, b->h.page_size, &end))
		*at = end;
}

static void boot_layout(struct boot *b)
{
	struct boot_header *h = &b->h;
	uint64_t at = h->page_size;
	in_turn(b, "kernel", &at, h->kernel_size);
	in_turn(b, "ramdisk", &at, h->ramdisk_size);
	in_turn(b, "second", &at, h->second_size);
	in_turn(b, "dt", &at, h->dt_size);
	if (h->recovery_dtbo_size && h->recovery_dtbo_off != at)
		BOOT_SAY(b, GH_BAD, 1636, "recovery_dtbo is said to be at %llu: read at %llu, behind the others",
			(unsigned long long)h->recovery_dtbo_off, (unsigned long long)at);
	in_turn(b, "recovery_dtbo", &at, h->recovery_dtbo_size);
	in_turn(b, "dtb", &at, h->dtb_size);
	in_turn(b, "signature", &at, h->signature_size);
}

/* One row of the vendor ramdisk table. Ramdisks follow each other: one that begins inside another is not read. */
static enum gh_code fragment(struct gh_ctx *ctx, struct boot *b, uint32_t i, uint64_t *end, struct gh_err *err)
{
	struct boot_header *h = &b->h;
	uint64_t at = h->table_off + (uint64_t)i * h->table_entry;
	uint8_t *p = gh_alloc_raw(ctx->arena, FRAGMENT_ROW);
	if (!p)
		return gh_fail(err, GH_NOMEM, at, "no memory for a vendor ramdisk");
	enum gh_code code = gh_read(b->src, at, p, FRAGMENT_ROW, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, FRAGMENT_ROW, at);
	uint32_t size = gh_u32(&c), off = gh_u32(&c), type = gh_u32(&c);
	struct gh_str name = gh_text(&c, 32);
	if (b->say)
		GH_EMIT(ctx, boot_ramdisks, at, .name = name, .type = type, .off = (int64_t)h->ramdisk_off + off,
			.size = size);
	if (!name.n)
		name = h->table_n == 1 ? GH_STR("ramdisk") : gh_str_fmt(ctx->arena, "ramdisk%u", i);
	bool inside = gh_within(off, size, h->ramdisk_size);
	if (!inside || off < *end)
		BOOT_SAY(b, GH_BAD, at, "vendor ramdisk %u lies %s: not read", i,
			inside ? "inside another" : "outside of its section");
	section(b, name, h->ramdisk_off + off, size);
	if (size && (!inside || off < *end))
		b->section[b->n - 1].lost = true;
	else
		*end = (uint64_t)off + size;
	return GH_OK;
}

static enum gh_code fragments(struct gh_ctx *ctx, struct boot *b, struct gh_err *err)
{
	struct boot_header *h = &b->h;
	uint64_t end = 0;
	if (h->table_entry < FRAGMENT_ROW || (uint64_t)h->table_n * h->table_entry > h->table_size) {
		BOOT_SAY(b, GH_BAD, 2112, "vendor ramdisk table of %u rows of %u bytes in %u", h->table_n,
			h->table_entry, h->table_size);
		section(b, GH_STR("ramdisk"), h->ramdisk_off, h->ramdisk_size);
		return GH_OK;
	}
	if (h->table_n > BOOT_FRAGMENTS_MAX)
		BOOT_SAY(b, GH_LIMIT, 2116, "%u vendor ramdisks: %d are read", h->table_n, BOOT_FRAGMENTS_MAX);
	for (uint32_t i = 0; i < gh_min(h->table_n, BOOT_FRAGMENTS_MAX); i++) {
		enum gh_code code = gh_spend_steps(ctx->budget, 1, h->table_off, err);
		if (code == GH_OK)
			code = fragment(ctx, b, i, &end, err);
		if (code == GH_SHORT) {
			BOOT_SAY(b, code, err->at, "the vendor ramdisk table ends in row %u of %u", i, h->table_n);
			return GH_OK;
		}
		if (code)
			return code;
	}
	if (end < h->ramdisk_size)
		BOOT_SAY(b, GH_BAD, h->ramdisk_off + end, "%llu bytes behind the last vendor ramdisk belong to none",
			(unsigned long long)(h->ramdisk_size - end));
	return GH_OK;
}

static enum gh_code vendor_layout(struct gh_ctx *ctx, struct boot *b, struct gh_err *err)
{
	struct boot_header *h = &b->h;
	uint64_t page = h->page_size, at = 0;
	gh_align(header_size(h), page, &h->ramdisk_off);
	gh_align(h->ramdisk_off + h->ramdisk_size, page, &at);
	uint64_t dtb = at;
	gh_align(dtb + h->dtb_size, page, &h->table_off);
	gh_align(h->table_off + h->table_size, page, &h->bootconfig_off);
	enum gh_code code = GH_OK;
	if (h->version == 4 && h->table_n)
		code = fragments(ctx, b, err);
	else
		section(b, GH_STR("ramdisk"), h->ramdisk_off, h->ramdisk_size);
	section(b, GH_STR("dtb"), dtb, h->dtb_size);
	section(b, GH_STR("bootconfig"), h->bootconfig_off, h->bootconfig_size);
	return code;
}

enum gh_code boot_sections(struct gh_ctx *ctx, struct boot *b, struct gh_err *err)
{
	b->n = 0;
	b->section = gh_alloc_array(ctx->arena, BOOT_SECTIONS_MAX, sizeof *b->section);
	if (!b->section)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the sections");
	if (b->h.vendor)
		return vendor_layout(ctx, b, err);
	boot_layout(b);
	return GH_OK;
}
