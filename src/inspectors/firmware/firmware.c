/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware of other processors and of boot loaders, by what its bytes say it is, and whether its signatures hold. What it does is not read. Documents: the pages of each maker in firmware.md. */
#include "inspectors/firmware/sign.h"

enum {
	GFH = 56, /* FILE_INFO */
	DHTB = 0x34,
	SCATTER_MAX = 1 << 20, /* real ones have 30 KiB */
};

static const struct mark {
	const char *bytes;
	uint8_t n;
	const char *maker, *kind;
} marks[] = {
	{"EMMC_BOOT", 9, "mediatek", "preloader"},
	{"UFS_BOOT", 8, "mediatek", "preloader"},
	{"SDMMC_BOOT", 10, "mediatek", "preloader"},
	{"COMBO_BOOT", 10, "mediatek", "preloader"},
	{"SF_BOOT", 7, "mediatek", "preloader"},
	{"BRLYT\0\0\0", 8, "mediatek", "preloader"},
	{"MMM\1", 4, "mediatek", "gfh"},
	{"DHTB", 4, "unisoc", "dhtb"},
	{"FBPK", 4, "google", "fbpk"},
	{"BOOTLDR!", 8, "qualcomm", "bootldr"},
};

static const struct mark *mark_of(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < GH_COUNT(marks); i++)
		if (n >= marks[i].n && memcmp(p, marks[i].bytes, marks[i].n) == 0)
			return &marks[i];
	return NULL;
}

static bool is_scatter(const struct gh_probe *p)
{
	return gh_str_ends(p->name, "scatter.txt") && p->size < SCATTER_MAX;
}

static bool firmware_wants(const struct gh_probe *p)
{
	return mark_of(p->head, p->head_len) || mediatek_image(p->head, p->head_len) ||
	       qualcomm_elf(p->head, p->head_len) || qualcomm_mbn(p->head, p->head_len, p->size) || is_scatter(p);
}

/* FILE_INFO of a preloader: behind the headers of its storage, which name no place for it. */
static bool file_info(const struct gh_blob *b, struct gh_row_firmware *row, uint64_t *ret_at)
{
	const uint8_t *p = memmem(b->data, (size_t)gh_min(b->size, 64 << 10), "FILE_INFO\0\0\0", 12);
	if (!p || p - b->data < 8)
		return false;
	struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
	gh_seek(&c, (uint64_t)(p - b->data) - 8);
	if (gh_u32(&c) != 0x014d4d4d)
		return false;
	*ret_at = (uint64_t)(p - b->data) - 8;
	gh_skip(&c, 4 + 12 + 4 + 2 + 1);
	uint8_t sig_type = gh_u8(&c);
	uint32_t load = gh_u32(&c);
	gh_skip(&c, 12);
	uint32_t sig_size = gh_u32(&c);
	if (c.bad)
		return false;
	row->load = load;
	row->is_signed = sig_type && sig_size;
	return true;
}

static void dhtb(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_row_firmware *row)
{
	struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
	gh_seek(&c, 4);
	row->header = gh_u32(&c);
	gh_seek(&c, 0x30);
	row->size = gh_u32(&c);
	if (c.bad)
		gh_note(ctx, GH_SHORT, b->size, "the header is cut off");
}

/* The value behind a key at the beginning of a line's words. */
static struct gh_str value(struct gh_str text, const char *key)
{
	struct gh_str rest = text, line;
	while (gh_str_line(&rest, &line)) {
		line = gh_str_trim(line);
		if (gh_str_starts(line, key))
			return gh_str_trim(gh_strn(line.p + strlen(key), line.n - strlen(key)));
	}
	return GH_NONE;
}

static void scatter(struct gh_ctx *ctx, const struct gh_blob *b)
{
	struct gh_str text = gh_strn(b->data, (size_t)b->size), platform = value(text, "platform:"),
		      project = value(text, "project:");
	if (platform.n)
		GH_EMIT(ctx, firmware, (uint64_t)(platform.p - text.p), .maker = GH_STR("mediatek"),
			.kind = GH_STR("scatter"), .name = platform, .variant = project, .size = (int64_t)b->size,
			.load = GH_NULL, .is_signed = GH_NULL, .header = GH_NULL);
}

static enum gh_code marked(struct gh_ctx *ctx, const struct gh_blob *b, const struct mark *m, struct gh_err *err)
{
	uint64_t info = UINT64_MAX;
	struct gh_row_firmware row = {.maker = gh_str(m->maker),
		.kind = gh_str(m->kind),
		.size = (int64_t)b->size,
		.load = GH_NULL,
		.is_signed = GH_NULL,
		.header = GH_NULL};
	if (strcmp(m->maker, "mediatek") == 0) {
		if (!file_info(b, &row, &info))
			info = UINT64_MAX;
		if (strcmp(m->kind, "gfh") != 0)
			row.variant = gh_text(
				&(struct gh_cursor){.p = b->data, .n = (size_t)b->size}, (size_t)gh_min(12, b->size));
	} else if (strcmp(m->kind, "dhtb") == 0) {
		dhtb(ctx, b, &row);
	} else {
		struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
		gh_skip(&c, m->n);
		row.header = gh_u32(&c); /* version; of BOOTLDR! the number of images */
	}
	ctx->ops->emit(ctx, GH_T_firmware, 0, &row);
	return info == UINT64_MAX ? GH_OK : mediatek_preloader_verify(ctx, b, info, err);
}

static enum gh_code firmware_run(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err)
{
	const uint8_t *magic;
	if (b->size >= 4 && !gh_view(b->src, ctx->arena, 0, 4, &magic, NULL) && mediatek_image(magic, 4))
		return mediatek_image_verify(ctx, b, err);
	if (!b->data)
		return gh_fail(err, GH_LIMIT, 0, "too large to be held whole");
	size_t n = (size_t)b->size;
	const struct mark *m = mark_of(b->data, n);
	if (m)
		return marked(ctx, b, m, err);
	if (qualcomm_elf(b->data, n))
		return qualcomm_elf_run(ctx, b, err);
	if (qualcomm_mbn(b->data, n, b->size))
		return qualcomm_mbn_run(ctx, b, err);
	if (gh_str_ends(b->name, "scatter.txt"))
		scatter(ctx, b);
	return GH_OK;
}

const struct gh_inspector gh_inspector_firmware = {.name = "firmware",
	.title = "firmware images and their signatures",
	.version = 2,
	.wants = firmware_wants,
	.run = firmware_run};
