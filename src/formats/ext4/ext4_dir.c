/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: directories, read linearly; the blocks of a hash tree look like empty entries to such a reader
 * (kernel Documentation/filesystems/ext4/directory.rst, inlinedata.rst). */
#include "formats/ext4/ext4.h"

enum {
	HEAD = 8, /* of an entry, before its name */
	TAIL = 12, /* a checksum dressed up as an empty entry */
	TAIL_TYPE = 0xde,
};

static enum gh_code dir_inline(struct ext4 *fs, const struct ext4_inode *in, struct ext4_dir *d)
{
	d->inl = true;
	d->split = EXT4_IBLOCK_LEN - 4;
	d->buf_at = in->at + EXT4_IBLOCK + 4;
	memcpy(d->buf, in->raw + EXT4_IBLOCK + 4, d->split);
	d->len = d->split + in->data_len;
	if (in->data_len)
		memcpy(d->buf + d->split, in->raw + (in->data_at - in->at), in->data_len);
	d->split_at = in->data_at;
	d->size = d->at = 0;
	uint32_t parent = ext4_u32(in->raw, EXT4_IBLOCK);
	if (parent != d->parent)
		ext4_note(fs, EXT4_T_DIR, GH_BAD, in->at + EXT4_IBLOCK, "directory %u: its parent is %u, it says %u",
			d->ino, d->parent, parent);
	return GH_OK;
}

/* Begins to read the directory in->ino; the caller set d->parent. Buffers that d has are reused. */
enum gh_code ext4_dir_open(struct ext4 *fs, const struct ext4_inode *in, struct ext4_dir *d, struct gh_err *err)
{
	uint32_t bs = fs->sb.bs;
	d->cap = gh_max(EXT4_STRETCH, bs);
	if (!d->buf)
		d->buf = gh_alloc_raw(fs->ctx->arena, d->cap);
	if (!d->buf)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a directory");
	d->ino = in->ino;
	d->seed = in->seed;
	d->flags = in->flags;
	d->inode_at = in->at;
	d->inl = false;
	d->pos = d->block_end = d->len = d->next_ext = d->map.n = 0;
	d->at = 0;
	if (in->flags & EXT4_FL_INLINE)
		return dir_inline(fs, in, d);
	if (in->size % bs || in->size == 0)
		ext4_note(fs, EXT4_T_DIR, GH_BAD, in->at + 4, "directory %u: %llu bytes are not whole blocks", in->ino,
			(unsigned long long)in->size);
	d->size = (in->size / bs + (in->size % bs != 0)) * bs;
	enum gh_code code = ext4_map(fs, in, d->size, &d->map, err);
	if (!code && d->map.past_end)
		ext4_note(fs, EXT4_T_DIR, GH_BAD, in->at, "directory %u: it has blocks behind its end", in->ino);
	return code;
}

/* The next stretch into the buffer; GH_END behind the last. */
static enum gh_code dir_fill(struct ext4 *fs, struct ext4_dir *d, struct gh_err *err)
{
	while (d->at < d->size) {
		const struct gh_extent *e = d->next_ext < d->map.n ? &d->map.ext[d->next_ext] : NULL;
		if (e && d->at >= e->at + e->len) {
			d->next_ext++;
			continue;
		}
		if (!e || d->at < e->at) {
			ext4_note(fs, EXT4_T_DIR, GH_BAD, d->inode_at, "directory %u: a hole at byte %llu", d->ino,
				(unsigned long long)d->at);
			d->at = e ? e->at : d->size;
			continue;
		}
		uint64_t skip = d->at - e->at;
		size_t n = (size_t)gh_min(d->cap, e->len - skip);
		enum gh_code code = gh_read(fs->src, e->from + skip, d->buf, n, err);
		if (code) { /* perhaps only one block of them cannot be read */
			n = (size_t)gh_min(fs->sb.bs, n);
			code = ext4_fatal(code) ? code : gh_read(fs->src, e->from + skip, d->buf, n, err);
		}
		d->at += n;
		if (code) {
			code = ext4_step_over(fs, EXT4_T_DIR, err);
			if (code)
				return code;
			continue;
		}
		d->buf_at = e->from + skip;
		d->len = n;
		return GH_OK;
	}
	return GH_END;
}

static uint32_t rec_len(const struct ext4 *fs, uint32_t v)
{
	if (fs->sb.bs < 65536)
		return v;
	return v == 65535 || v == 0 ? fs->sb.bs : (v & 65532) | (v & 3) << 16;
}

/* Where count and limit of a hash tree's node lie in its block; 0: it is not one. */
static size_t dx_count_at(const struct ext4 *fs, const uint8_t *p)
{
	uint32_t first = rec_len(fs, ext4_u16(p, 4));
	if (first == fs->sb.bs && ext4_u32(p, 0) == 0)
		return 8;
	if (first == 12 && rec_len(fs, ext4_u16(p, 16)) == fs->sb.bs - 12 && ext4_u32(p, 24) == 0 && p[29] == 8)
		return 32;
	return 0;
}

static bool dx_csum_ok(const struct ext4 *fs, uint32_t seed, const uint8_t *p, size_t count_at)
{
	size_t limit = ext4_u16(p, count_at), count = ext4_u16(p, count_at + 2);
	if (count > limit || count_at + limit * 8 + 8 > fs->sb.bs)
		return false;
	const uint8_t *tail = p + count_at + limit * 8;
	uint32_t crc = gh_crc32c(seed, p, count_at + count * 8);
	crc = gh_crc32c(crc, tail, 4);
	crc = gh_crc32c(crc, "\0\0\0\0", 4);
	return crc == ext4_u32(tail, 4);
}

static bool leaf_csum_ok(const struct ext4 *fs, uint32_t seed, const uint8_t *p)
{
	const uint8_t *t = p + fs->sb.bs - TAIL;
	if (ext4_u32(t, 0) != 0 || ext4_u16(t, 4) != TAIL || t[6] != 0 || t[7] != TAIL_TYPE)
		return false;
	return gh_crc32c(seed, p, fs->sb.bs - TAIL) == ext4_u32(t, 8);
}

static void block_check(struct ext4 *fs, const struct ext4_dir *d, const uint8_t *p, uint64_t at)
{
	if (!ext4_has_csum(&fs->sb))
		return;
	size_t count_at = d->flags & EXT4_FL_INDEX ? dx_count_at(fs, p) : 0;
	bool ok = count_at ? dx_csum_ok(fs, d->seed, p, count_at) : leaf_csum_ok(fs, d->seed, p);
	if (!ok)
		ext4_note(fs, EXT4_T_DIR, GH_BAD, at, "directory %u: block checksum does not match", d->ino);
}

/* Steps to the block behind the one at hand. */
static enum gh_code dir_block(struct ext4 *fs, struct ext4_dir *d, struct gh_err *err)
{
	d->pos = d->block_end;
	if (d->inl) {
		d->block_end = d->pos == 0 ? d->split : d->len;
		return d->pos == d->len ? GH_END : GH_OK;
	}
	if (d->pos == d->len) {
		enum gh_code code = dir_fill(fs, d, err);
		if (code)
			return code;
		d->pos = 0;
	}
	d->block_end = d->pos + gh_min(fs->sb.bs, d->len - d->pos);
	if (d->block_end - d->pos == fs->sb.bs)
		block_check(fs, d, d->buf + d->pos, d->buf_at + d->pos);
	return GH_OK;
}

static uint64_t entry_at(const struct ext4_dir *d)
{
	return d->inl && d->pos >= d->split ? d->split_at + (d->pos - d->split) : d->buf_at + d->pos;
}

/* "." and ".." must lead where they say: the kernel never looks, so something else may be hidden behind them. */
static bool is_dot(struct ext4 *fs, const struct ext4_dir *d, const struct ext4_dirent *de)
{
	bool dot = gh_str_is(de->name, "."), dotdot = gh_str_is(de->name, "..");
	if (!dot && !dotdot)
		return false;
	uint32_t want = dot ? d->ino : d->parent;
	if (de->ino != want)
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at, "directory %u: its \"%s\" leads to inode %u, not %u",
			d->ino, dot ? "." : "..", de->ino, want);
	return true;
}

/* The entry at d->pos. GH_END: none that counts. */
static enum gh_code dir_entry(struct ext4 *fs, struct ext4_dir *d, struct ext4_dirent *ret)
{
	struct gh_cursor c = gh_cursor(d->buf + d->pos, d->block_end - d->pos, entry_at(d));
	ret->at = gh_at(&c);
	ret->ino = gh_u32(&c);
	uint32_t len = rec_len(fs, gh_u16(&c)), name_len = gh_u8(&c);
	ret->type = gh_u8(&c);
	if (!(fs->sb.incompat & EXT4_I_FILETYPE))
		ret->type = 0; /* once the high byte of the name's length, which no name ever needed */
	if (c.bad || len < HEAD || len % 4 || len > c.n || name_len > len - HEAD) {
		/* An inline directory's last few bytes may be too short for an entry. */
		if (!d->inl || !c.bad)
			ext4_note(fs, EXT4_T_DIR, GH_BAD, ret->at, "directory %u: entry of length %u, name of %u",
				d->ino, len, name_len);
		d->pos = d->block_end;
		return GH_END;
	}
	d->pos += len;
	if (ret->ino == 0)
		return GH_END;
	ret->name = gh_strn(gh_bytes(&c, name_len), name_len);
	if (name_len == 0) {
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, ret->at, "directory %u: inode %u without a name", d->ino, ret->ino);
		return GH_END;
	}
	return is_dot(fs, d, ret) ? GH_END : GH_OK;
}

/* The next entry besides "." and ".."; its name is valid until the next call for the same directory. */
enum gh_code ext4_dir_next(struct ext4 *fs, struct ext4_dir *d, struct ext4_dirent *ret, struct gh_err *err)
{
	for (;;) {
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, d->inode_at, err);
		if (!code && d->pos == d->block_end)
			code = dir_block(fs, d, err);
		if (code)
			return code;
		code = dir_entry(fs, d, ret);
		if (code != GH_END)
			return code;
	}
}
