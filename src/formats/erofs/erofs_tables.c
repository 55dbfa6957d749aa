/* SPDX-License-Identifier: Apache-2.0 */
/* EROFS: what the superblock points to: further devices (struct erofs_deviceslot), records of compression algorithms, the packed
 * inode with the fragments of other files, long prefixes of attribute names (struct erofs_xattr_long_prefix). */
#include "formats/erofs/erofs.h"

enum {
	DEVICE = 128, /* a slot of the table */
	DEVICE_TAG = 64,
	CONFIG_LZMA = 14, /* bytes that each algorithm's record has at least */
	CONFIG_LZ4 = 14,
	CONFIG_OTHER = 6,
	LZMA_DICT_MIN = 4096, /* what the kernel takes: Z_EROFS_LZMA_MAX_DICT_SIZE */
	LZMA_DICT_MAX = 8 << 20,
	DEFLATE_WINDOW_MAX = 15,
};

/* ---- devices ---- */

static enum gh_code devices(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	uint8_t raw[DEVICE];
	uint64_t at = (uint64_t)fs->sb.device_slot * DEVICE;
	if (!fs->sb.devices)
		return GH_OK;
	fs->device = gh_alloc_array(ctx->arena, fs->sb.devices, sizeof *fs->device);
	if (!fs->device)
		return gh_fail(err, GH_NOMEM, at, "no memory for %u devices", fs->sb.devices);
	enum gh_code code = gh_spend_steps(ctx->budget, fs->sb.devices, at, err);
	for (unsigned i = 0; code == GH_OK && i < fs->sb.devices; i++, at += DEVICE) {
		code = erofs_meta_read(fs, at, raw, sizeof raw, err);
		struct gh_cursor c = gh_cursor(raw, sizeof raw, at);
		gh_skip(&c, DEVICE_TAG);
		uint64_t blocks = gh_u32(&c), start = gh_u32(&c);
		if (code == GH_OK && start)
			fs->device[i] = (struct erofs_device){start << fs->sb.bits, blocks << fs->sb.bits};
	}
	return code;
}

enum gh_code erofs_here(const struct erofs *fs, const struct erofs_inode *in, unsigned device, uint64_t at, uint64_t n,
	struct gh_err *err)
{
	/* A number may have more bits than there are devices; what lies above them is reserved. */
	unsigned mask = 1;
	while (mask < fs->sb.devices + 1u)
		mask <<= 1;
	device &= mask - 1;
	for (unsigned i = 0; !device && i < fs->sb.devices; i++)
		if (fs->device[i].len && at >= fs->device[i].start && at - fs->device[i].start < fs->device[i].len)
			device = i + 1;
	if (device)
		return gh_fail(err, GH_UNSUP, in->at,
			"content of inode %llu lies on device %u, which is not part of the image",
			(unsigned long long)in->nid, device);
	if (!gh_within(at, n, fs->src->size))
		return gh_fail(err, fs->sb.devices ? GH_UNSUP : GH_SHORT, at,
			"content of inode %llu lies behind the end of %s", (unsigned long long)in->nid,
			fs->sb.devices ? "the first device" : "the image");
	return GH_OK;
}

/* ---- compression ---- */

static void config(struct gh_ctx *ctx, unsigned algorithm, const uint8_t *p, size_t n, uint64_t at)
{
	static const uint8_t least[EROFS_ALGORITHMS] = {CONFIG_LZ4, CONFIG_LZMA, CONFIG_OTHER, CONFIG_OTHER};
	struct gh_cursor c = gh_cursor(p, n, at);
	if (n < least[algorithm]) {
		gh_note(ctx, GH_BAD, at, "record of compression algorithm %u has %zu bytes", algorithm, n);
		return;
	}
	uint32_t dict = algorithm == EROFS_LZMA ? gh_u32(&c) : LZMA_DICT_MIN;
	unsigned window = algorithm == EROFS_DEFLATE ? gh_u8(&c) : 0;
	uint16_t format = algorithm == EROFS_LZMA ? gh_u16(&c) : algorithm == EROFS_ZSTD ? gh_u8(&c) : 0;
	if (window > DEFLATE_WINDOW_MAX)
		gh_note(ctx, GH_BAD, at, "DEFLATE with a window of 2^%u bytes", window);
	if (dict < LZMA_DICT_MIN || dict > LZMA_DICT_MAX)
		gh_note(ctx, GH_BAD, at, "LZMA with a dictionary of %u bytes, which the kernel refuses", dict);
	if (format)
		gh_note(ctx, GH_UNSUP, at, "compression algorithm %u has the unknown format %u", algorithm, format);
}

void erofs_configs(struct gh_ctx *ctx, struct erofs *fs)
{
	uint64_t at = EROFS_SB_AT + EROFS_SB_LEN + 16 * (uint64_t)fs->sb.extslots;
	struct gh_err err;
	if (!(fs->sb.incompat & EROFS_BIG_PCLUSTER))
		return;
	if (fs->sb.algorithms >> EROFS_ALGORITHMS)
		gh_note(ctx, GH_UNSUP, EROFS_SB_AT + 84, "unknown compression algorithms 0x%x", fs->sb.algorithms);
	for (unsigned i = 0; i < EROFS_ALGORITHMS; i++) {
		uint8_t raw[16];
		if (!(fs->sb.algorithms >> i & 1))
			continue;
		enum gh_code code = erofs_meta_read(fs, at, raw, 2, &err);
		struct gh_cursor c = gh_cursor(raw, 2, at);
		size_t n = code ? 0 : gh_u16(&c), have = gh_min(n, sizeof raw);
		if (code == GH_OK)
			code = erofs_meta_read(fs, at + 2, raw, have, &err);
		if (code) {
			gh_note_err(ctx, &err);
			return;
		}
		config(ctx, i, raw, have, at + 2);
		at = (at + 2 + n + 3) & ~3ull;
	}
}

/* ---- the packed inode ---- */

/* A file system without it lists all its files all the same, so only memory and reading end the opening. */
static enum gh_code packed(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	struct erofs_inode in;
	if (!fs->sb.packed)
		return GH_OK;
	enum gh_code code = erofs_inode_read(fs, fs->sb.packed, &in, &fs->packed_err);
	if (code == GH_OK)
		code = erofs_data_check(ctx, fs, &in, &fs->packed_size, &fs->packed_err);
	struct gh_source *src = NULL;
	if (code == GH_OK)
		code = erofs_data(ctx, fs, &in, &src, &fs->packed_err);
	if (code == GH_IO || code == GH_NOMEM) {
		*err = fs->packed_err;
		return code;
	}
	fs->packed = code ? NULL : src;
	return GH_OK;
}

/* ---- long name prefixes ---- */

static enum gh_code prefix_bytes(struct erofs *fs, uint64_t at, void *buf, size_t n, struct gh_err *err)
{
	bool plain = fs->sb.compat & EROFS_COMPAT_PLAIN_PREFIXES || !fs->sb.packed;
	if (plain)
		return erofs_meta_read(fs, at, buf, n, err);
	if (!fs->packed)
		return gh_fail(
			err, fs->packed_err.code, fs->packed_err.at, "the packed inode: %.80s", fs->packed_err.what);
	return gh_read(fs->packed, at, buf, n, err);
}

static enum gh_code prefix_read(struct erofs *fs, uint64_t *at, struct erofs_prefix *ret, struct gh_err *err)
{
	uint8_t raw[3];
	enum gh_code code = prefix_bytes(fs, *at, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, *at);
	uint16_t n = gh_u16(&c);
	ret->index = gh_u8(&c);
	if (!n || n > sizeof ret->infix + 1)
		return gh_fail(err, GH_BAD, *at, "a long name prefix of %u bytes", n);
	ret->len = (uint8_t)(n - 1);
	code = prefix_bytes(fs, *at + sizeof raw, ret->infix, ret->len, err);
	*at = (*at + 2 + n + 3) & ~3ull;
	return code;
}

static enum gh_code prefixes(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	uint64_t at = fs->sb.prefix_at;
	if (!fs->sb.prefixes)
		return GH_OK;
	struct erofs_prefix *all = gh_alloc_array(ctx->arena, fs->sb.prefixes, sizeof *all);
	if (!all)
		return gh_fail(err, GH_NOMEM, at, "no memory for name prefixes");
	enum gh_code code = GH_OK;
	for (unsigned i = 0; code == GH_OK && i < fs->sb.prefixes; i++)
		code = prefix_read(fs, &at, &all[i], &fs->prefix_err);
	if (code == GH_IO || code == GH_NOMEM) {
		*err = fs->prefix_err;
		return code;
	}
	fs->prefix = code ? NULL : all;
	return GH_OK;
}

enum gh_code erofs_tables(struct gh_ctx *ctx, struct erofs *fs, struct gh_err *err)
{
	if (fs->sb.incompat & ~(uint32_t)EROFS_KNOWN)
		return GH_OK; /* refused: what these fields mean is not known */
	enum gh_code code = devices(ctx, fs, &fs->device_err);
	if (code == GH_IO || code == GH_NOMEM) {
		*err = fs->device_err;
		return code;
	}
	if (code)
		return GH_OK; /* nothing can be said of where content lies: refused as well */
	code = packed(ctx, fs, err);
	return code ? code : prefixes(ctx, fs, err);
}
