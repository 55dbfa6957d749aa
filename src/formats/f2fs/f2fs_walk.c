/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: the listing: depth first, in the order of the directories' own entries. Each directory is entered once, so that
 * loops and directories of several parents end. */
#include "formats/f2fs/f2fs.h"

enum {
	DEPTH_MAX = 1024, /* PATH_MAX of 4096 allows 2,048 one-letter names in one call; real trees stay below 30 */
	NIDS_MAX =
		1
		<< 27, /* 16 MiB of bitmap; mkfs.f2fs makes room for a node in each 4 KiB or so, hence about 512 GiB */
	NOKEY_MAX = 4 * (8 + F2FS_NAME_MAX + 2) / 3, /* a name of an encrypted directory, as it is shown */
};

struct f2fs_walk {
	struct f2fs_dir *frames[DEPTH_MAX];
	size_t depth;
	uint8_t *seen; /* one bit a node: a name reached it */
	uint8_t *raw; /* of the inode at hand */
	struct f2fs_inode in;
	char *path;
	size_t path_len, path_cap;
	char link[F2FS_LINK_MAX];
	char nokey[NOKEY_MAX];
	bool enter; /* the inode at hand is a directory whose content comes next */
	bool done;
};

static bool seen(const struct f2fs_walk *w, uint32_t ino)
{
	return w->seen[ino >> 3] >> (ino & 7) & 1;
}

static void see(struct f2fs *fs, uint32_t ino)
{
	if (ino < fs->sb.nids)
		fs->walk->seen[ino >> 3] |= (uint8_t)(1 << (ino & 7));
}

static enum gh_code walk_start(struct f2fs *fs, struct gh_err *err)
{
	struct gh_arena *arena = fs->ctx->arena;
	struct f2fs_xattrs x;
	if (fs->sb.nids > NIDS_MAX)
		return gh_fail(err, GH_LIMIT, fs->sb.at + 60, "%u nodes, at most %u are read", fs->sb.nids,
			(unsigned)NIDS_MAX);
	struct f2fs_walk *w = gh_alloc(arena, sizeof *w);
	if (!w)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a listing");
	w->seen = gh_alloc(arena, fs->sb.nids / 8 + 1);
	w->raw = gh_alloc_raw(arena, fs->sb.bs);
	if (!w->seen || !w->raw)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a listing");
	fs->walk = w;
	enum gh_code code = f2fs_inode(fs, fs->sb.root, w->raw, &w->in, err);
	if (code)
		return code;
	if ((w->in.mode & F2FS_S_FMT) != F2FS_S_DIR)
		return gh_fail(err, GH_BAD, w->in.at, "the root is not a directory (mode %#o)", w->in.mode);
	w->enter = true;
	see(fs, fs->sb.root);
	return f2fs_xattrs(fs, &w->in, &x, err);
}

/* Makes the path of the directory on top plus a name. */
static enum gh_code path_join(struct f2fs *fs, size_t dir_len, struct gh_str name, struct gh_err *err)
{
	struct f2fs_walk *w = fs->walk;
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
static enum gh_code walk_push(struct f2fs *fs, struct gh_err *err)
{
	struct f2fs_walk *w = fs->walk;
	w->enter = false;
	if (w->depth == DEPTH_MAX) {
		gh_note(fs->ctx, GH_LIMIT, w->in.at, "directory %u lies %u deep: not entered", w->in.ino,
			(unsigned)DEPTH_MAX);
		return GH_OK;
	}
	struct f2fs_dir *d = w->frames[w->depth];
	if (!d)
		d = w->frames[w->depth] = gh_alloc(fs->ctx->arena, sizeof *d);
	if (!d)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a directory");
	d->parent = w->depth ? w->frames[w->depth - 1]->ino : fs->sb.root;
	d->path_len = w->path_len;
	enum gh_code code = f2fs_dir_open(fs, &w->in, d, err);
	if (code)
		return f2fs_step_over(fs, F2FS_T_DIR, err);
	w->depth++;
	if (d->encrypted)
		f2fs_note(fs, F2FS_T_CRYPT, GH_UNSUP, w->in.at + 2, "directory %u is encrypted: names and contents",
			w->in.ino);
	return GH_OK;
}

static enum gh_code link_target(struct f2fs *fs, const struct f2fs_inode *in, struct gh_child *ret, struct gh_err *err)
{
	struct f2fs_walk *w = fs->walk;
	struct gh_source *src;
	size_t n = (size_t)gh_min(in->size, F2FS_LINK_MAX);
	ret->size = in->size;
	if (in->advise & F2FS_ADV_ENCRYPT) {
		ret->flags |= GH_CHILD_UNREADABLE;
		return GH_OK;
	}
	if (in->size > F2FS_LINK_MAX || in->size == 0)
		f2fs_note(fs, F2FS_T_INODE, GH_BAD, in->at + 16, "symbolic link %u: target of %llu bytes", in->ino,
			(unsigned long long)in->size);
	struct gh_mark mark = gh_arena_mark(fs->ctx->arena);
	enum gh_code code = f2fs_data(fs, in, n, &src, err);
	if (!code)
		code = gh_read(src, 0, w->link, n, err);
	gh_arena_release(fs->ctx->arena, mark);
	if (code) {
		ret->flags |= GH_CHILD_UNREADABLE;
		return f2fs_step_over(fs, F2FS_T_INODE, err);
	}
	ret->attr.link = gh_strn(w->link, strnlen(w->link, n));
	return GH_OK;
}

/* The largest file that a tree can address. */
static uint64_t size_max(const struct f2fs_super *sb, const struct f2fs_inode *in)
{
	uint64_t p = f2fs_per_node(sb);
	return (in->addrs + 2 * p + 2 * p * p + p * p * p) << sb->bits;
}

static void regular(struct f2fs *fs, const struct f2fs_inode *in, struct gh_child *ret)
{
	uint64_t bytes;
	ret->size = in->size;
	if (in->inl & F2FS_INLINE_DATA)
		ret->csize = in->size;
	else
		ret->csize = gh_mul(in->blocks, fs->sb.bs, &bytes) ? gh_min(bytes, fs->src->size) : fs->src->size;
	ret->off = f2fs_start(fs, in);
	const char *why = NULL;
	enum f2fs_topic topic = F2FS_T_INODE;
	enum gh_code code = GH_UNSUP;
	if (in->advise & F2FS_ADV_ENCRYPT) {
		why = "is encrypted";
		topic = F2FS_T_CRYPT;
	} else if (in->flags & F2FS_FL_DEVICE_ALIAS && fs->sb.features & F2FS_DEVICE_ALIAS) {
		why = "stands for a whole device";
	} else if (in->packed && in->algorithm >= F2FS_N_ALGORITHMS) {
		why = "is compressed in an unknown way";
	} else if (in->size > size_max(&fs->sb, in)) {
		why = "is larger than its tree can address";
		code = GH_BAD;
	}
	if (why) {
		ret->flags |= GH_CHILD_UNREADABLE;
		f2fs_note(fs, topic, code, in->at, "file %u %s", in->ino, why);
	}
}

/* What a directory entry says about the type, as a mode; 0: nothing. */
static uint32_t type_mode(uint8_t type)
{
	static const uint16_t modes[] = {
		0, F2FS_S_REG, F2FS_S_DIR, F2FS_S_CHR, F2FS_S_BLK, F2FS_S_FIFO, F2FS_S_SOCK, F2FS_S_LNK};
	return type < GH_COUNT(modes) ? modes[type] : 0;
}

static bool known_type(uint32_t mode)
{
	for (uint8_t i = 1; i < 8; i++)
		if (type_mode(i) == (mode & F2FS_S_FMT))
			return true;
	return false;
}

/* The name of an entry of an encrypted directory as a kernel without the key shows it: hash and bytes in the alphabet of base64url
 * (fs/crypto/fname.c; there a digest stands for what a name has behind its 149th byte, here the bytes themselves). */
static struct gh_str nokey_name(struct f2fs_walk *w, const struct f2fs_dirent *de)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t raw[8 + F2FS_NAME_MAX] = {
		(uint8_t)de->hash, (uint8_t)(de->hash >> 8), (uint8_t)(de->hash >> 16), (uint8_t)(de->hash >> 24)};
	size_t n = 8 + de->name.n, len = 0;
	memcpy(raw + 8, de->name.p, de->name.n);
	uint32_t bits = 0, have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | raw[i];
		for (have += 8; have >= 6; have -= 6)
			w->nokey[len++] = digit[bits >> (have - 6) & 63];
	}
	if (have)
		w->nokey[len++] = digit[bits << (6 - have) & 63];
	return gh_strn(w->nokey, len);
}

/* Reads the inode that an entry names. GH_END: it was noted that there is none to list. */
static enum gh_code entry_inode(
	struct f2fs *fs, const struct f2fs_dir *d, const struct f2fs_dirent *de, struct gh_err *err)
{
	struct f2fs_walk *w = fs->walk;
	char name[64];
	gh_escape(name, sizeof name, de->name);
	if (!de->ino || de->ino >= fs->sb.nids) {
		f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" names inode %u, which does not exist",
			d->ino, name, de->ino);
		return GH_END;
	}
	fs->quiet = seen(w, de->ino); /* what is wrong with it was told under its first name */
	enum gh_code code = f2fs_inode(fs, de->ino, w->raw, &w->in, err);
	if (code) {
		if (err->at == UINT64_MAX)
			err->at = de->at;
		code = f2fs_step_over(fs, F2FS_T_ENTRY, err);
		return code ? code : GH_END;
	}
	if (!known_type(w->in.mode)) {
		f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, de->at,
			"directory %u: \"%s\" names inode %u, which is no file (mode %#o)", d->ino, name, de->ino,
			w->in.mode);
		return GH_END;
	}
	uint32_t type = type_mode(de->type);
	if (type && type != (w->in.mode & F2FS_S_FMT))
		f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" says type %u, inode %u has mode %#o",
			d->ino, name, de->type, de->ino, w->in.mode);
	if (!d->encrypted && (memchr(de->name.p, '/', de->name.n) || memchr(de->name.p, 0, de->name.n)))
		f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, de->at, "directory %u: \"%s\" is not a name", d->ino, name);
	if (w->in.nlink == 0)
		f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, de->at,
			"directory %u: \"%s\" names inode %u, which should have no name", d->ino, name, de->ino);
	return GH_OK;
}

static void child_attr(const struct f2fs_inode *in, const struct f2fs_xattrs *x, struct gh_attr *ret)
{
	*ret = (struct gh_attr){.ino = in->ino, .mode = in->mode, .uid = in->uid, .gid = in->gid, .nlink = in->nlink};
	ret->mtime = in->mtime;
	ret->caps = x->caps;
	ret->selinux = x->selinux;
	ret->iflags = in->flags;
	if (in->advise & F2FS_ADV_ENCRYPT)
		ret->iflags |= 0x800;
	if (in->advise & F2FS_ADV_VERITY)
		ret->iflags |= 0x100000;
}

/* The child for the inode at hand. */
static enum gh_code child(struct f2fs *fs, struct gh_child *ret, struct gh_err *err)
{
	struct f2fs_walk *w = fs->walk;
	struct f2fs_inode *in = &w->in;
	struct f2fs_xattrs x;
	enum gh_code code = f2fs_xattrs(fs, in, &x, err);
	if (code)
		return code;
	*ret = (struct gh_child){.kind = GH_FILE, .name = gh_strn(w->path, w->path_len), .off = UINT64_MAX};
	ret->cookie[0] = in->ino;
	child_attr(in, &x, &ret->attr);
	bool before = seen(w, in->ino);
	see(fs, in->ino);
	switch (in->mode & F2FS_S_FMT) {
	case F2FS_S_REG:
		regular(fs, in, ret);
		break;
	case F2FS_S_DIR:
		w->enter = !before;
		if (before)
			f2fs_note(fs, F2FS_T_ENTRY, GH_BAD, in->at, "directory %u has a second name; not entered again",
				in->ino);
		break;
	case F2FS_S_LNK:
		return link_target(fs, in, ret, err);
	case F2FS_S_CHR:
	case F2FS_S_BLK:
		ret->attr.rdev = f2fs_rdev(in);
		break;
	default:
		break;
	}
	return GH_OK;
}

static bool unreached(const struct f2fs *fs, const struct f2fs_nat *e)
{
	return e->ino == e->nid && e->nid >= fs->sb.root && e->block >= fs->sb.main && e->block < fs->sb.end &&
	       !seen(fs->walk, e->nid);
}

/* Inodes that no name leads to; each is then as if one did. */
static enum gh_code count_unreached(struct f2fs *fs, uint64_t *ret, struct gh_err *err)
{
	struct f2fs_nat e;
	enum gh_code code = GH_OK;
	uint32_t nid = 0;
	while (code != GH_END) {
		code = f2fs_nat_next(fs, &nid, fs->node[0], &e, err);
		if (f2fs_fatal(code))
			return code;
		if (code == GH_OK && unreached(fs, &e)) {
			++*ret;
			see(fs, e.nid);
		}
	}
	for (uint32_t i = 0; i < fs->n_journal; i++) /* those that the table does not know yet */
		if (fs->journal[i].nid < fs->sb.nids && unreached(fs, &fs->journal[i])) {
			++*ret;
			see(fs, fs->journal[i].nid);
		}
	return GH_OK;
}

/* What the listing did not reach: deleted files that were still open, and files that got lost. */
static enum gh_code walk_end(struct f2fs *fs, struct gh_err *err)
{
	uint64_t count = 0;
	uint32_t orphans = 0;
	fs->walk->done = true;
	fs->quiet = false;
	for (size_t i = 0; i < GH_COUNT(fs->sb.quota); i++)
		see(fs, fs->sb.quota[i]);
	enum gh_code code = f2fs_cp_orphans(fs, see, &orphans, err);
	if (code && (code = f2fs_step_over(fs, F2FS_T_INODE, err)))
		return code;
	if ((code = count_unreached(fs, &count, err)))
		return code;
	f2fs_note_rest(fs);
	if (orphans)
		gh_note(fs->ctx, GH_UNSUP, fs->cp.at, "%u files were deleted while they were open: they are not listed",
			orphans);
	if (count)
		gh_note(fs->ctx, GH_BAD, fs->cp.at, "%llu inodes are in use, but no name leads to them",
			(unsigned long long)count);
	return GH_END;
}

enum gh_code f2fs_walk_next(struct f2fs *fs, struct gh_child *ret, struct gh_err *err)
{
	enum gh_code code = fs->walk ? GH_OK : walk_start(fs, err);
	fs->quiet = false;
	struct f2fs_walk *w = fs->walk;
	if (code || !w)
		return code;
	if (w->done)
		return GH_END;
	if (w->enter)
		code = walk_push(fs, err);
	while (!code && w->depth) {
		struct f2fs_dir *d = w->frames[w->depth - 1];
		struct f2fs_dirent de;
		code = f2fs_dir_next(fs, d, &de, err);
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
			code = path_join(fs, d->path_len, d->encrypted ? nokey_name(w, &de) : de.name, err);
		return code ? code : child(fs, ret, err);
	}
	return code ? code : walk_end(fs, err);
}
