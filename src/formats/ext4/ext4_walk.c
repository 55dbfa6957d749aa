/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: the listing: depth first, in the order of the directories' own entries. Each directory is entered once, so that
 * loops and directories of several parents end. */
#include "formats/ext4/ext4.h"

enum {
	DEPTH_MAX = 1024, /* PATH_MAX of 4096 allows 2,048 one-letter names in one call; real trees stay below 30 */
	INODES_MAX = 1 << 27, /* 16 MiB of bitmap; by default an inode is made for each 16 KiB, so 2 TiB */
	LINK_MAX = 4096, /* PATH_MAX: the kernel makes no longer link */
	FMT = 0xf000,
	FIFO = 0x1000,
	CHR = 0x2000,
	DIR = 0x4000,
	BLK = 0x6000,
	REG = 0x8000,
	LNK = 0xa000,
	SOCK = 0xc000,
};

struct ext4_walk {
	struct ext4_dir *frames[DEPTH_MAX];
	size_t depth;
	uint8_t *seen; /* one bit an inode: a name reached it */
	uint8_t *raw; /* of the inode at hand */
	struct ext4_inode in;
	char *path;
	size_t path_len, path_cap;
	char *link;
	struct ext4_map link_map;
	bool enter; /* the inode at hand is a directory whose content comes next */
	bool done;
};

static bool seen(const struct ext4_walk *w, uint32_t ino)
{
	return w->seen[ino >> 3] >> (ino & 7) & 1;
}

static void see(struct ext4_walk *w, uint32_t ino)
{
	w->seen[ino >> 3] |= (uint8_t)(1 << (ino & 7));
}

static enum gh_code walk_start(struct ext4 *fs, struct gh_err *err)
{
	struct gh_arena *arena = fs->ctx->arena;
	uint32_t max = ext4_inode_max(&fs->sb);
	if (max > INODES_MAX)
		return gh_fail(err, GH_LIMIT, fs->sb.at, "%u inodes, at most %u are read", max, (unsigned)INODES_MAX);
	struct ext4_walk *w = gh_alloc(arena, sizeof *w);
	if (!w)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a listing");
	w->seen = gh_alloc(arena, max / 8 + 1);
	w->raw = gh_alloc_raw(arena, fs->sb.inode_size);
	w->link = gh_alloc_raw(arena, LINK_MAX);
	if (!w->seen || !w->raw || !w->link)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a listing");
	fs->walk = w;
	enum gh_code code = ext4_inode(fs, EXT4_ROOT_INO, w->raw, &w->in, err);
	if (code)
		return code;
	if ((w->in.mode & FMT) != DIR)
		return gh_fail(err, GH_BAD, w->in.at, "the root is not a directory (mode %#o)", w->in.mode);
	code = ext4_xattr(fs, &w->in, NULL, err);
	w->enter = true;
	see(w, EXT4_ROOT_INO);
	return code;
}

/* Makes the path of the directory on top plus a name. */
static enum gh_code path_join(struct ext4 *fs, size_t dir_len, struct gh_str name, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	size_t need = dir_len + 1 + name.n;
	if (need > w->path_cap) {
		size_t cap = need < 1024 ? 1024 : 2 * need;
		char *path = gh_alloc_raw(fs->ctx->arena, cap);
		if (!path)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a path");
		if (dir_len)
			memcpy(path, w->path, dir_len);
		w->path = path;
		w->path_cap = cap;
	}
	w->path[dir_len] = '/';
	memcpy(w->path + dir_len + 1, name.p, name.n);
	w->path_len = need;
	return GH_OK;
}

/* Goes into the directory of the inode at hand. */
static enum gh_code walk_push(struct ext4 *fs, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	w->enter = false;
	if (w->depth == DEPTH_MAX) {
		gh_note(fs->ctx, GH_LIMIT, w->in.at, "directory %u lies %u deep: not entered", w->in.ino,
			(unsigned)DEPTH_MAX);
		return GH_OK;
	}
	struct ext4_dir *d = w->frames[w->depth];
	if (!d)
		d = w->frames[w->depth] = gh_alloc(fs->ctx->arena, sizeof *d);
	if (!d)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a directory");
	d->parent = w->depth ? w->frames[w->depth - 1]->ino : EXT4_ROOT_INO;
	d->path_len = w->path_len;
	enum gh_code code = ext4_dir_open(fs, &w->in, d, err);
	if (code)
		return ext4_step_over(fs, EXT4_T_DIR, err);
	w->depth++;
	if (w->in.flags & EXT4_FL_ENCRYPT)
		ext4_note(fs, EXT4_T_CRYPT, GH_UNSUP, w->in.at + 0x20, "directory %u is encrypted: names and contents",
			w->in.ino);
	return GH_OK;
}

/* Does the link's target lie in i_block? The kernel's rule: it has no blocks besides its attributes'; where those may have
 * inodes of their own, whose blocks are counted too, its length decides. */
static bool link_is_fast(const struct ext4_super *sb, const struct ext4_inode *in)
{
	uint64_t cluster = sb->ro_compat & EXT4_R_BIGALLOC ? 1024ull << sb->log_cluster : sb->bs;
	if (sb->incompat & EXT4_I_EA_INODE && in->size && in->size < EXT4_IBLOCK_LEN)
		return !(in->flags & EXT4_FL_EXTENTS);
	return in->sectors == (in->acl ? cluster / 512 : 0);
}

static enum gh_code link_target(struct ext4 *fs, const struct ext4_inode *in, struct gh_child *ret, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	size_t n = (size_t)gh_min(in->size, LINK_MAX);
	ret->size = in->size;
	if (in->flags & EXT4_FL_ENCRYPT) {
		ret->flags |= GH_CHILD_UNREADABLE;
		return GH_OK;
	}
	if (in->size > LINK_MAX || in->size == 0)
		ext4_note(fs, EXT4_T_INODE, GH_BAD, in->at + 4, "symbolic link %u: target of %llu bytes", in->ino,
			(unsigned long long)in->size);
	if (!(in->flags & EXT4_FL_INLINE) && link_is_fast(&fs->sb, in)) {
		if (n >= EXT4_IBLOCK_LEN)
			ext4_note(fs, EXT4_T_INODE, GH_BAD, in->at + 4, "symbolic link %u: %llu bytes, but no block",
				in->ino, (unsigned long long)in->size);
		n = gh_min(n, EXT4_IBLOCK_LEN);
		memcpy(w->link, in->raw + EXT4_IBLOCK, n);
	} else {
		enum gh_code code = ext4_map(fs, in, n, &w->link_map, err);
		if (!code)
			code = ext4_map_read(fs, &w->link_map, 0, (uint8_t *)w->link, n, err);
		if (code)
			return ext4_step_over(fs, EXT4_T_INODE, err);
	}
	ret->attr.link = gh_strn(w->link, strnlen(w->link, n));
	return GH_OK;
}

/* The largest file that its map can address. */
static uint64_t size_max(const struct ext4_super *sb, const struct ext4_inode *in)
{
	uint64_t p = sb->bs / 4;
	return (in->flags & EXT4_FL_EXTENTS ? 1ull << 32 : 12 + p + p * p + p * p * p) * sb->bs;
}

static void regular(struct ext4 *fs, const struct ext4_inode *in, struct gh_child *ret)
{
	ret->size = in->size;
	ret->csize = in->flags & EXT4_FL_INLINE ? in->size : gh_min(in->sectors * 512, INT64_MAX);
	ret->off = ext4_map_start(&fs->sb, in);
	const char *why = NULL;
	enum ext4_topic topic = EXT4_T_INODE;
	enum gh_code code = GH_UNSUP;
	if (in->flags & EXT4_FL_ENCRYPT) {
		why = "is encrypted";
		topic = EXT4_T_CRYPT;
	} else if (fs->sb.incompat & EXT4_I_COMPRESSION && in->flags & EXT4_FL_COMPRBLK) {
		why = "is compressed in the way of e2compr";
	} else if (in->size > size_max(&fs->sb, in)) {
		why = "is larger than its map can address";
		code = GH_BAD;
	}
	if (why) {
		ret->flags |= GH_CHILD_UNREADABLE;
		ext4_note(fs, topic, code, in->at, "file %u %s", in->ino, why);
	}
}

/* What a directory entry says about the type, as a mode; 0: nothing. */
static uint32_t type_mode(uint8_t type)
{
	static const uint16_t modes[8] = {0, REG, DIR, CHR, BLK, FIFO, SOCK, LNK};
	return modes[type & 7];
}

static bool known_type(uint32_t mode)
{
	uint32_t t = mode & FMT;
	return t == REG || t == DIR || t == LNK || t == CHR || t == BLK || t == FIFO || t == SOCK;
}

/* Reads the inode that an entry names. GH_END: it was noted that there is none to list. */
static enum gh_code entry_inode(
	struct ext4 *fs, const struct ext4_dir *d, const struct ext4_dirent *de, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	char name[64];
	gh_escape(name, sizeof name, de->name);
	if (de->ino > ext4_inode_max(&fs->sb)) {
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" names inode %u, which does not exist",
			d->ino, name, de->ino);
		return GH_END;
	}
	fs->quiet = seen(w, de->ino); /* what is wrong with it was told under its first name */
	enum gh_code code = ext4_inode(fs, de->ino, w->raw, &w->in, err);
	if (code) {
		code = ext4_step_over(fs, EXT4_T_ENTRY, err);
		return code ? code : GH_END;
	}
	if (!known_type(w->in.mode)) {
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at,
			"directory %u: \"%s\" names inode %u, which is no file (mode %#o)", d->ino, name, de->ino,
			w->in.mode);
		return GH_END;
	}
	uint32_t type = type_mode(de->type);
	if (type && type != (w->in.mode & FMT))
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" says type %u, inode %u has mode %#o",
			d->ino, name, de->type, de->ino, w->in.mode);
	bool plain = !(d->flags & EXT4_FL_ENCRYPT);
	if (plain && (memchr(de->name.p, '/', de->name.n) || memchr(de->name.p, 0, de->name.n)))
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" is not a name", d->ino, name);
	if (de->ino < fs->sb.first_ino || w->in.nlink == 0 || w->in.flags & EXT4_FL_EA_INODE)
		ext4_note(fs, EXT4_T_ENTRY, GH_BAD, de->at,
			"directory %u: \"%s\" names inode %u, which should have no name", d->ino, name, de->ino);
	return GH_OK;
}

/* The child for the inode at hand. */
static enum gh_code child(struct ext4 *fs, struct gh_child *ret, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	struct ext4_inode *in = &w->in;
	struct ext4_xattrs x;
	enum gh_code code = ext4_xattr(fs, in, &x, err);
	if (code)
		return code;
	*ret = (struct gh_child){.kind = GH_FILE, .name = gh_strn(w->path, w->path_len), .off = UINT64_MAX};
	ret->cookie[0] = in->ino;
	ret->attr =
		(struct gh_attr){.ino = in->ino, .mode = in->mode, .uid = in->uid, .gid = in->gid, .nlink = in->nlink};
	ret->attr.mtime = in->mtime;
	ret->attr.caps = x.caps;
	ret->attr.selinux = x.selinux;
	ret->attr.iflags = in->flags;
	bool before = seen(w, in->ino);
	see(w, in->ino);
	switch (in->mode & FMT) {
	case REG:
		regular(fs, in, ret);
		break;
	case DIR:
		w->enter = !before;
		if (before)
			ext4_note(fs, EXT4_T_ENTRY, GH_BAD, in->at, "directory %u has a second name; not entered again",
				in->ino);
		break;
	case LNK:
		return link_target(fs, in, ret, err);
	case CHR:
	case BLK:
		ret->attr.rdev = ext4_rdev(in);
		break;
	default:
		break;
	}
	return GH_OK;
}

/* Inodes of the file system's own, which no name reaches. */
static bool is_internal(const struct ext4_super *sb, const struct ext4_inode *in)
{
	return in->flags & EXT4_FL_EA_INODE || in->ino == sb->orphan_file || in->ino == sb->prj_quota;
}

/* How many inodes of group g are marked as used, but were not reached. */
static enum gh_code unreached(struct ext4 *fs, uint32_t g, struct ext4_slot *slot, uint64_t *count, struct gh_err *err)
{
	struct ext4_walk *w = fs->walk;
	struct ext4_group group;
	struct gh_err ignored;
	struct ext4_inode in;
	uint32_t per_group = fs->sb.inodes_per_group, first = g * per_group + 1;
	enum gh_code code = ext4_group(fs, g, &group, &ignored);
	if (code)
		return GH_OK; /* that it is damaged was noted */
	if (group.flags & EXT4_BG_INODE_UNINIT && fs->sb.ro_compat & (EXT4_R_GDT_CSUM | EXT4_R_METADATA_CSUM))
		return GH_OK;
	code = gh_spend_steps(fs->ctx->budget, 1 + per_group / 64, group.at, err);
	if (code)
		return code;
	if (ext4_block(fs, slot, group.inode_bitmap, &ignored))
		return GH_OK;
	for (uint32_t i = 0; i < per_group; i++) {
		uint32_t ino = first + i;
		if (!(slot->buf[i / 8] >> (i % 8) & 1) || ino < fs->sb.first_ino || seen(w, ino))
			continue;
		code = gh_spend_steps(fs->ctx->budget, 1, group.at, err);
		if (code)
			return code;
		if (ext4_inode(fs, ino, w->raw, &in, &ignored) == GH_OK && !is_internal(&fs->sb, &in))
			++*count;
	}
	return GH_OK;
}

static enum gh_code walk_end(struct ext4 *fs, struct gh_err *err)
{
	uint64_t count = 0;
	fs->walk->done = true;
	fs->quiet = false;
	for (uint32_t g = 0; g < fs->sb.groups; g++) {
		if (g % 64 == 0 && gh_spend_steps(fs->ctx->budget, 1, 0, err))
			return GH_LIMIT;
		enum gh_code code = unreached(fs, g, &fs->acl, &count, err);
		if (code)
			return code;
	}
	ext4_note_rest(fs);
	if (count)
		gh_note(fs->ctx, GH_BAD, fs->sb.at, "%llu inodes are in use, but no name leads to them",
			(unsigned long long)count);
	return GH_END;
}

enum gh_code ext4_walk_next(struct ext4 *fs, struct gh_child *ret, struct gh_err *err)
{
	enum gh_code code = fs->walk ? GH_OK : walk_start(fs, err);
	fs->quiet = false;
	struct ext4_walk *w = fs->walk;
	if (code || !w)
		return code;
	if (w->done)
		return GH_END;
	if (w->enter)
		code = walk_push(fs, err);
	while (!code && w->depth) {
		struct ext4_dir *d = w->frames[w->depth - 1];
		struct ext4_dirent de;
		code = ext4_dir_next(fs, d, &de, err);
		if (code == GH_END) {
			w->depth--;
			code = GH_OK;
			continue;
		}
		if (!code)
			code = entry_inode(fs, d, &de, err);
		if (code == GH_END) {
			code = GH_OK;
			continue;
		}
		if (!code)
			code = path_join(fs, d->path_len, de.name, err);
		return code ? code : child(fs, ret, err);
	}
	return code ? code : walk_end(fs, err);
}
