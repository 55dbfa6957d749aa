/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: directories (struct f2fs_dentry_block of include/linux/f2fs_fs.h). A large one is a hash table of several levels with holes
 * in it; like the kernel's own listing this reads all its blocks in order. */
#include "formats/f2fs/f2fs.h"

enum { ENTRY = 11, SLOT = 8 };

/* Where things lie in a block of entries of n bytes: a bitmap, free room, then entries and names. */
static void dir_layout(struct f2fs_dir *d, size_t n)
{
	d->slots = (uint32_t)(n * 8 / ((ENTRY + SLOT) * 8 + 1));
	d->entries_at = n - (size_t)d->slots * (ENTRY + SLOT);
	d->names_at = d->entries_at + (size_t)d->slots * ENTRY;
	d->pos = 0;
}

enum gh_code f2fs_dir_open(struct f2fs *fs, const struct f2fs_inode *in, struct f2fs_dir *d, struct gh_err *err)
{
	uint32_t bs = fs->sb.bs;
	if (!d->buf)
		d->buf = gh_alloc_raw(fs->ctx->arena, bs);
	if (!d->buf)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a directory");
	d->ino = in->ino;
	d->inode_at = in->at;
	d->encrypted = in->advise & F2FS_ADV_ENCRYPT;
	d->inl = in->inl & F2FS_INLINE_DENTRY;
	d->next_ext = d->map.n = 0;
	d->next_at = 0;
	d->slots = d->pos = 0;
	if (d->inl) {
		uint64_t room, off = f2fs_inline(in, &room);
		memcpy(d->buf, in->raw + off, (size_t)room);
		d->buf_at = in->at + off;
		dir_layout(d, (size_t)room);
		return GH_OK;
	}
	if (in->size % bs)
		f2fs_note(fs, F2FS_T_DIR, GH_BAD, in->at + 16, "directory %u: %llu bytes are not whole blocks", in->ino,
			(unsigned long long)in->size);
	return f2fs_map(fs, in, (in->size / bs + (in->size % bs != 0)) * bs, &d->map, err);
}

/* The next block of entries into the buffer; GH_END behind the last. */
static enum gh_code dir_fill(struct f2fs *fs, struct f2fs_dir *d, struct gh_err *err)
{
	uint32_t bs = fs->sb.bs;
	while (!d->inl && d->next_ext < d->map.n) {
		const struct gh_extent *e = &d->map.ext[d->next_ext];
		if (d->next_at < e->at)
			d->next_at = e->at;
		if (d->next_at >= e->at + e->len) {
			d->next_ext++;
			continue;
		}
		uint64_t from = e->from + (d->next_at - e->at);
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, from, err);
		if (!code && e->below == fs->src)
			code = f2fs_meta_read(fs, from, d->buf, bs, err);
		else if (!code)
			code = gh_read(e->below, from, d->buf, bs, err);
		d->next_at += bs;
		if (!code) {
			d->buf_at = from;
			dir_layout(d, bs);
			return GH_OK;
		}
		if (e->below != fs->src) { /* the rest of what is lost would only be told again */
			d->next_at = e->at + e->len;
			err->at = d->inode_at;
		}
		if ((code = f2fs_step_over(fs, F2FS_T_DIR, err)))
			return code;
	}
	return GH_END;
}

/* The entry at d->pos, which moves on. GH_END: none worth listing, or damage that was noted. */
static enum gh_code dir_entry(struct f2fs *fs, struct f2fs_dir *d, struct f2fs_dirent *ret)
{
	size_t off = d->entries_at + (size_t)d->pos * ENTRY, name = d->names_at + (size_t)d->pos * SLOT;
	struct gh_cursor c = gh_cursor(d->buf + off, ENTRY, d->buf_at + off);
	*ret = (struct f2fs_dirent){.hash = gh_u32(&c), .at = d->buf_at + off};
	ret->ino = gh_u32(&c);
	uint32_t len = gh_u16(&c);
	ret->type = gh_u8(&c);
	uint32_t slots = (len + SLOT - 1) / SLOT;
	if (len == 0 || len > F2FS_NAME_MAX || slots > d->slots - d->pos) {
		f2fs_note(
			fs, F2FS_T_DIR, GH_BAD, ret->at, "directory %u: an entry with a name of %u bytes", d->ino, len);
		d->pos++;
		return GH_END;
	}
	d->pos += slots;
	ret->name = gh_strn(d->buf + name, len);
	return GH_OK;
}

/* "." and ".." are read only to see that they lead where they should. */
static bool dots(struct f2fs *fs, const struct f2fs_dir *d, const struct f2fs_dirent *e)
{
	bool dot = gh_str_is(e->name, "."), up = gh_str_is(e->name, "..");
	uint32_t want = dot ? d->ino : d->parent;
	if ((dot || up) && e->ino != want)
		f2fs_note(fs, F2FS_T_DIR, GH_BAD, e->at, "directory %u: \"%s\" leads to inode %u, not %u", d->ino,
			dot ? "." : "..", e->ino, want);
	return dot || up;
}

enum gh_code f2fs_dir_next(struct f2fs *fs, struct f2fs_dir *d, struct f2fs_dirent *ret, struct gh_err *err)
{
	for (;;) {
		if (d->pos >= d->slots) {
			enum gh_code code = d->inl ? GH_END : dir_fill(fs, d, err);
			if (code)
				return code;
			continue;
		}
		if (!(d->buf[d->pos / 8] >> (d->pos % 8) & 1)) {
			d->pos++;
			continue;
		}
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, d->buf_at, err);
		if (code)
			return code;
		if (dir_entry(fs, d, ret) == GH_OK && !dots(fs, d, ret))
			return GH_OK;
	}
}
