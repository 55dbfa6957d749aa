/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: the superblock (struct erofs_super_block of fs/erofs/erofs_fs.h), and metadata through a few windows. */
#include "formats/erofs/erofs.h"

enum gh_code erofs_meta_init(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	/* All in one piece and here: what is allocated later may be gone before the state is. */
	uint8_t *p = gh_alloc_raw(ctx->arena, EROFS_WINDOWS * EROFS_WINDOW);
	if (!p)
		return gh_fail(err, GH_NOMEM, 0, "no memory for windows on metadata");
	fs->window = fs->src->grain > EROFS_WINDOW ? EROFS_LINE : EROFS_WINDOW;
	for (size_t i = 0; i < EROFS_WINDOWS; i++)
		fs->win[i].p = p + i * EROFS_WINDOW;
	return GH_OK;
}

static enum gh_code window_at(struct erofs *fs, uint64_t at, struct erofs_window **ret, struct gh_err *err)
{
	uint64_t start = at - at % fs->window;
	struct erofs_window *old = &fs->win[0];
	for (size_t i = 0; i < EROFS_WINDOWS; i++) {
		struct erofs_window *w = &fs->win[i];
		if (w->len && w->at == start) {
			w->used = ++fs->clock;
			*ret = w;
			return GH_OK;
		}
		if (w->used < old->used)
			old = w;
	}
	size_t len = (size_t)gh_min(fs->window, fs->src->size - start);
	old->len = 0;
	enum gh_code code = gh_read(fs->src, start, old->p, len, err);
	if (code)
		return code;
	*old = (struct erofs_window){.at = start, .used = ++fs->clock, .len = len, .p = old->p};
	*ret = old;
	return GH_OK;
}

enum gh_code erofs_meta_read(struct erofs *fs, uint64_t at, void *buf, size_t n, struct gh_err *err)
{
	if (!gh_within(at, n, fs->src->size))
		return gh_fail(err, GH_SHORT, at, "metadata lies behind the end of the image");
	uint8_t *p = buf;
	while (n) {
		struct erofs_window *w;
		enum gh_code code = window_at(fs, at, &w, err);
		if (code)
			return code;
		size_t skip = (size_t)(at - w->at);
		size_t step = (size_t)gh_min(n, w->len - skip);
		memcpy(p, w->p + skip, step);
		p += step;
		at += step;
		n -= step;
	}
	return GH_OK;
}

static void sb_fields(struct gh_cursor *c, struct erofs_sb *sb)
{
	gh_skip(c, 4);
	sb->checksum = gh_u32(c);
	sb->compat = gh_u32(c);
	sb->bits = gh_u8(c);
	sb->extslots = gh_u8(c);
	sb->root = gh_u16(c);
	sb->inodes = gh_u64(c);
	sb->epoch = gh_u64(c);
	gh_skip(c, 4);
	sb->blocks = gh_u32(c);
	uint64_t meta = gh_u32(c), xattrs = gh_u32(c);
	const uint8_t *uuid = gh_bytes(c, 16);
	const uint8_t *label = gh_bytes(c, 16);
	sb->incompat = gh_u32(c);
	sb->algorithms = gh_u16(c);
	sb->devices = gh_u16(c);
	sb->device_slot = gh_u16(c);
	sb->dirbits = gh_u8(c);
	uint8_t prefixes = gh_u8(c);
	uint32_t prefix_start = gh_u32(c);
	uint64_t packed = gh_u64(c);
	gh_skip(c, 4);
	sb->build_time = gh_u32(c);
	if (c->bad || sb->bits > EROFS_BITS_MAX)
		return;
	sb->meta = meta << sb->bits;
	sb->xattrs = xattrs << sb->bits;
	sb->devices = sb->incompat & EROFS_DEVICE_TABLE ? sb->devices : 0;
	sb->prefixes = sb->incompat & EROFS_XATTR_PREFIXES ? prefixes : 0;
	sb->prefix_at = 4 * (uint64_t)prefix_start;
	sb->packed = sb->incompat & EROFS_FRAGMENTS ? packed : 0;
	memcpy(sb->uuid, uuid, 16);
	memcpy(sb->label_buf, label, 16);
	sb->label = gh_strn(sb->label_buf, strnlen(sb->label_buf, 16));
}

enum gh_code erofs_sb_read(struct gh_source *src, struct erofs_sb *ret, struct gh_err *err)
{
	uint8_t raw[EROFS_SB_LEN];
	enum gh_code code = gh_read(src, EROFS_SB_AT, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, EROFS_SB_AT);
	sb_fields(&c, ret);
	if ((code = gh_cursor_check(&c, "superblock", err)))
		return code;
	if (ret->bits < EROFS_BITS_MIN || ret->bits > EROFS_BITS_MAX)
		return gh_fail(err, GH_BAD, EROFS_SB_AT + 12, "blocks of 2^%u bytes", ret->bits);
	return GH_OK;
}

uint32_t erofs_crc32c(uint32_t crc, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

/* CRC-32C, begun with all ones and not inverted, over the rest of the superblock's block with the field itself as zero. */
enum gh_code erofs_sb_checksum(struct gh_ctx *ctx, struct erofs *fs, bool *ret_good, struct gh_err *err)
{
	*ret_good = true;
	if (!(fs->sb.compat & EROFS_COMPAT_SB_CSUM))
		return GH_OK;
	uint64_t n = erofs_block(fs) > EROFS_SB_AT ? erofs_block(fs) - EROFS_SB_AT : erofs_block(fs);
	const uint8_t *p;
	enum gh_code code = gh_view(fs->src, ctx->arena, EROFS_SB_AT, (size_t)n, &p, err);
	if (code)
		return code;
	uint32_t crc = erofs_crc32c(UINT32_MAX, p, 4);
	crc = erofs_crc32c(crc, (const uint8_t[4]){0}, 4);
	*ret_good = erofs_crc32c(crc, p + 8, (size_t)n - 8) == fs->sb.checksum;
	return GH_OK;
}
