/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS: the superblock (struct squashfs_super_block), and the tables it points to that every file needs. */
#include "formats/squashfs/squashfs.h"

enum {
	AT_BLOCK_SIZE = 12,
	AT_COMPRESSOR = 20,
	AT_MAJOR = 28,
};

enum gh_code sq_super_parse(const uint8_t *raw, struct sq_super *sb, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(raw, SQ_SUPER, 0);
	gh_skip(&c, 4);
	sb->inodes = gh_u32(&c);
	sb->mtime = gh_u32(&c);
	sb->bs = gh_u32(&c);
	sb->fragments = gh_u32(&c);
	sb->compressor = gh_u16(&c);
	sb->log = gh_u16(&c);
	sb->flags = gh_u16(&c);
	sb->n_ids = gh_u16(&c);
	sb->major = gh_u16(&c);
	sb->minor = gh_u16(&c);
	uint64_t *const fields[] = {&sb->root, &sb->used, &sb->ids, &sb->xattrs, &sb->inode_table, &sb->dir_table,
		&sb->fragment_table, &sb->exports};
	for (size_t i = 0; i < GH_COUNT(fields); i++)
		*fields[i] = gh_u64(&c);
	if (raw[0] == 's') /* big endian, of which there is no version 4 */
		return gh_fail(err, GH_UNSUP, AT_MAJOR, "SquashFS of big-endian machines, version %u", sb->major >> 8);
	if (sb->major != 4 || sb->minor != 0)
		return gh_fail(err, GH_UNSUP, AT_MAJOR, "SquashFS version %u.%u", sb->major, sb->minor);
	if (sb->log < SQ_LOG_MIN || sb->log > SQ_LOG_MAX || sb->bs != 1u << sb->log)
		return gh_fail(err, GH_BAD, AT_BLOCK_SIZE, "blocks of %u bytes, and of 2^%u", sb->bs, sb->log);
	if (sb->compressor < SQ_GZIP || sb->compressor > SQ_ZSTD)
		return gh_fail(err, GH_UNSUP, AT_COMPRESSOR, "unknown compressor %u", sb->compressor);
	return GH_OK;
}

struct gh_str sq_features(struct gh_ctx *ctx, const struct sq_super *sb)
{
	static const char *const compressors[] = {"", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"};
	static const char *const flags[] = {" uncompressed_inodes", " uncompressed_data", " check",
		" uncompressed_fragments", " no_fragments", " always_fragments", " duplicates", " exportable",
		" uncompressed_xattrs", " no_xattrs", " compressor_options", " uncompressed_ids"};
	char buf[256];
	size_t n = strlen(compressors[sb->compressor]);
	memcpy(buf, compressors[sb->compressor], n);
	for (unsigned i = 0; i < 16; i++) {
		const char *name = i < GH_COUNT(flags) ? flags[i] : " unknown";
		if (!(sb->flags >> i & 1) || strlen(name) > sizeof buf - n)
			continue;
		memcpy(buf + n, name, strlen(name));
		n += strlen(name);
	}
	return gh_str_dup(ctx->arena, gh_strn(buf, n));
}

static bool ours(enum gh_code code)
{
	return code == GH_IO || code == GH_NOMEM;
}

static enum gh_code ids_read(struct squashfs *fs, struct gh_err *err)
{
	uint32_t *ids = gh_alloc_array(fs->ctx->arena, fs->sb.n_ids, sizeof *ids);
	if (!ids)
		return gh_fail(err, GH_NOMEM, fs->sb.ids, "no memory for %u owners", fs->sb.n_ids);
	for (uint32_t i = 0; i < fs->sb.n_ids; i++) {
		uint8_t raw[4];
		enum gh_code code = sq_table(fs, fs->sb.ids, i, raw, sizeof raw, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(raw, sizeof raw, fs->sb.ids);
		ids[i] = gh_u32(&c);
	}
	fs->ids = ids;
	return GH_OK;
}

static enum gh_code xattrs_read(struct squashfs *fs, struct gh_err *err)
{
	uint8_t raw[16];
	if (fs->sb.xattrs == UINT64_MAX)
		return GH_OK;
	enum gh_code code = gh_read(fs->src, fs->sb.xattrs, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, fs->sb.xattrs);
	fs->kv = gh_u64(&c);
	fs->n_xattrs = gh_u32(&c);
	return GH_OK;
}

enum gh_code sq_tables(struct squashfs *fs, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(fs->ctx->budget, fs->sb.n_ids, fs->sb.ids, err);
	if (code)
		return code;
	code = ids_read(fs, &fs->ids_err);
	if (ours(code)) {
		*err = fs->ids_err;
		return code;
	}
	code = xattrs_read(fs, &fs->xattrs_err);
	if (ours(code)) {
		*err = fs->xattrs_err;
		return code;
	}
	return GH_OK;
}
