/* SPDX-License-Identifier: Apache-2.0 */
/* ext4: where the content of a file lies: extent trees, and the block maps of ext2 and ext3
 * (kernel Documentation/filesystems/ext4/ifork.rst). What is malformed is noted and read as a hole. */
#include "formats/ext4/ext4.h"

enum {
	EXTENT_MAGIC = 0xf30a,
	UNWRITTEN = 32768, /* lengths above it: allocated, never written, reads as zeros */
	N_DIRECT = 12,
};

struct mapping {
	struct ext4 *fs;
	const struct ext4_inode *in;
	struct ext4_map *map;
	uint64_t size; /* of the content, in bytes */
	uint64_t blocks; /* of the content */
	uint64_t next; /* the first block that may come: what goes back is malformed */
	uint64_t nodes; /* blocks of the map itself that were read */
};

static enum gh_code map_room(struct ext4 *fs, struct ext4_map *map, uint64_t at, struct gh_err *err)
{
	if (map->n < map->cap)
		return GH_OK;
	/* Even if each block were a piece of its own: an image has no more pieces than blocks. */
	if (map->n > fs->src->size / fs->sb.bs + 8)
		return gh_fail(err, GH_BAD, at, "more extents than the image has blocks");
	size_t cap = map->cap ? map->cap * 2 : 8;
	struct gh_extent *ext = gh_alloc_array(fs->ctx->arena, cap, sizeof *ext);
	if (!ext)
		return gh_fail(err, GH_NOMEM, at, "no memory for extents");
	if (map->n)
		memcpy(ext, map->ext, map->n * sizeof *ext);
	map->ext = ext;
	map->cap = cap;
	return GH_OK;
}

/* Appends an extent, or lengthens the last one where both lie side by side. */
enum gh_code ext4_map_put(struct ext4 *fs, struct ext4_map *map, const struct gh_extent *e, struct gh_err *err)
{
	struct gh_extent *last = map->n ? &map->ext[map->n - 1] : NULL;
	if (last && last->at + last->len == e->at && last->from + last->len == e->from) {
		last->len += e->len;
		return GH_OK;
	}
	enum gh_code code = map_room(fs, map, e->from, err);
	if (!code)
		map->ext[map->n++] = *e;
	return code;
}

/* Blocks [log, log+n) of the file lie at block phys. `at` is where the image says so. */
static enum gh_code map_add(struct mapping *m, uint64_t at, uint64_t log, uint64_t phys, uint64_t n, struct gh_err *err)
{
	struct ext4 *fs = m->fs;
	const struct ext4_super *sb = &fs->sb;
	if (log < m->next) {
		ext4_note(fs, EXT4_T_MAP, GH_BAD, at, "inode %u: block %llu is mapped after block %llu", m->in->ino,
			(unsigned long long)log, (unsigned long long)m->next);
		return GH_OK;
	}
	m->next = log + n;
	if (m->next > m->blocks) {
		m->map->past_end = true;
		if (log >= m->blocks)
			return GH_OK;
	}
	if (phys < sb->first_data_block || phys == 0 || !gh_within(phys, n, sb->blocks)) {
		ext4_note(fs, EXT4_T_MAP, GH_BAD, at, "inode %u: block %llu of the file system does not exist",
			m->in->ino, (unsigned long long)phys);
		return GH_OK;
	}
	struct gh_extent e = {.at = log * sb->bs, .below = fs->src, .from = phys * sb->bs};
	e.len = gh_min(n * sb->bs, m->size - e.at);
	if (!gh_within(e.from, e.len, fs->src->size)) {
		ext4_note(fs, EXT4_T_MAP, GH_SHORT, at,
			"inode %u: its blocks from %llu on lie behind the end of the image", m->in->ino,
			(unsigned long long)phys);
		if (e.from >= fs->src->size)
			return GH_OK;
		e.len = fs->src->size - e.from;
	}
	return ext4_map_put(fs, m->map, &e, err);
}

/* A block of the map itself. GH_END: it was noted that it cannot be had. */
static enum gh_code map_node(
	struct mapping *m, uint64_t at, unsigned level, uint64_t block, const uint8_t **ret, struct gh_err *err)
{
	struct ext4 *fs = m->fs;
	struct ext4_slot *slot = &fs->node[level];
	enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, at, err);
	if (code)
		return code;
	if (++m->nodes > fs->sb.blocks) {
		ext4_note(fs, EXT4_T_MAP, GH_BAD, at, "inode %u: its map has more blocks than the file system",
			m->in->ino);
		return GH_END;
	}
	if (block < fs->sb.first_data_block || block == 0 || block >= fs->sb.blocks)
		code = gh_fail(err, GH_BAD, at, "inode %u: map block %llu does not exist", m->in->ino,
			(unsigned long long)block);
	else
		code = ext4_block(fs, slot, block, err);
	if (code) {
		code = ext4_step_over(fs, EXT4_T_MAP, err);
		return code ? code : GH_END;
	}
	*ret = slot->buf;
	return GH_OK;
}

static bool node_csum_ok(struct mapping *m, const uint8_t *p, uint32_t max)
{
	size_t n = 12 + 12 * (size_t)max;
	if (!ext4_has_csum(&m->fs->sb))
		return true;
	return n + 4 <= m->fs->sb.bs && gh_crc32c(m->in->seed, p, n) == ext4_u32(p, n);
}

static enum gh_code extent_child(struct mapping *m, uint64_t at, uint64_t block, unsigned depth, struct gh_err *err);

/* A leaf entry, at the cursor. */
static enum gh_code extent_leaf(struct mapping *m, struct gh_cursor *c, struct gh_err *err)
{
	uint64_t at = gh_at(c), log = gh_u32(c);
	uint32_t len = gh_u16(c), high = gh_u16(c);
	uint64_t phys = gh_u32(c) | (uint64_t)high << 32;
	if (len == 0)
		ext4_note(m->fs, EXT4_T_MAP, GH_BAD, at, "inode %u: extent of no blocks", m->in->ino);
	else if (len <= UNWRITTEN)
		return map_add(m, at, log, phys, len, err);
	else if (log >= m->next)
		m->next = log + len - UNWRITTEN;
	return GH_OK;
}

/* The node in n bytes at p, which lies at `at`. */
static enum gh_code extent_node(
	struct mapping *m, const uint8_t *p, size_t n, uint64_t at, unsigned depth, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	uint32_t magic = gh_u16(&c), entries = gh_u16(&c), max = gh_u16(&c), says = gh_u16(&c);
	gh_skip(&c, 4);
	if (magic != EXTENT_MAGIC || says != depth || entries > max || max > (n - 12) / 12) {
		ext4_note(m->fs, EXT4_T_MAP, GH_BAD, at,
			"inode %u: not an extent node (magic %#x, %u of %u entries, depth %u)", m->in->ino, magic,
			entries, max, says);
		return GH_OK;
	}
	if (n > EXT4_IBLOCK_LEN && !node_csum_ok(m, p, max))
		ext4_note(m->fs, EXT4_T_MAP, GH_BAD, at, "inode %u: extent block checksum does not match", m->in->ino);
	enum gh_code code = gh_spend_steps(m->fs->ctx->budget, entries, at, err);
	int64_t last = -1;
	for (uint32_t i = 0; i < entries && !code; i++) {
		if (depth == 0) {
			code = extent_leaf(m, &c, err);
			continue;
		}
		uint64_t here = gh_at(&c), log = gh_u32(&c), block = gh_u32(&c);
		block |= (uint64_t)gh_u16(&c) << 32;
		gh_skip(&c, 2);
		if ((int64_t)log <= last) {
			ext4_note(m->fs, EXT4_T_MAP, GH_BAD, here, "inode %u: extent index goes back", m->in->ino);
			continue;
		}
		last = (int64_t)log;
		code = extent_child(m, here, block, depth - 1, err);
	}
	return code;
}

static enum gh_code extent_child(struct mapping *m, uint64_t at, uint64_t block, unsigned depth, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = map_node(m, at, depth, block, &p, err);
	if (code == GH_END)
		return GH_OK;
	if (code)
		return code;
	return extent_node(m, p, m->fs->sb.bs, block * m->fs->sb.bs, depth, err);
}

static enum gh_code extent_root(struct mapping *m, struct gh_err *err)
{
	const uint8_t *p = m->in->raw + EXT4_IBLOCK;
	uint64_t at = m->in->at + EXT4_IBLOCK;
	unsigned depth = ext4_u16(p, 6);
	if (depth > EXT4_DEPTH_MAX) {
		ext4_note(m->fs, EXT4_T_MAP, GH_BAD, at + 6, "inode %u: extent tree of depth %u", m->in->ino, depth);
		return GH_OK;
	}
	return extent_node(m, p, EXT4_IBLOCK_LEN, at, depth, err);
}

/* Pointers p[0..n) of a block map, each over `each` blocks of the file from log on; at is where they lie. */
static enum gh_code pointers(struct mapping *m, const uint8_t *p, size_t n, uint64_t at, unsigned level, uint64_t each,
	uint64_t log, struct gh_err *err)
{
	enum gh_code code = gh_spend_steps(m->fs->ctx->budget, 1 + n / 64, at, err);
	for (size_t i = 0; i < n && !code; i++, log += each) {
		uint32_t block = ext4_u32(p, 4 * i);
		if (!block)
			continue;
		if (log >= m->blocks) {
			m->map->past_end = true;
			break;
		}
		if (level == 0) {
			code = map_add(m, at + 4 * i, log, block, 1, err);
			continue;
		}
		const uint8_t *below;
		code = map_node(m, at + 4 * i, level - 1, block, &below, err);
		if (code == GH_END)
			code = GH_OK;
		else if (!code)
			code = pointers(m, below, m->fs->sb.bs / 4, (uint64_t)block * m->fs->sb.bs, level - 1,
				each / (m->fs->sb.bs / 4), log, err);
	}
	return code;
}

static enum gh_code block_map(struct mapping *m, struct gh_err *err)
{
	const uint8_t *p = m->in->raw + EXT4_IBLOCK;
	uint64_t at = m->in->at + EXT4_IBLOCK, each = 1, log = N_DIRECT;
	enum gh_code code = pointers(m, p, N_DIRECT, at, 0, 1, 0, err);
	for (unsigned level = 1; level <= 3 && !code; level++) {
		each *= m->fs->sb.bs / 4;
		size_t off = 4 * (N_DIRECT + level - 1);
		code = pointers(m, p + off, 1, at + off, level, each, log, err);
		log += each;
	}
	return code;
}

/* Inline data: 60 bytes in i_block, the rest in the value of system.data. */
static enum gh_code inline_map(struct mapping *m, struct gh_err *err)
{
	struct gh_extent e = {.at = 0, .below = m->fs->src, .from = m->in->at + EXT4_IBLOCK};
	enum gh_code code = GH_OK;
	e.len = gh_min(m->size, EXT4_IBLOCK_LEN);
	if (e.len)
		code = ext4_map_put(m->fs, m->map, &e, err);
	uint64_t rest = m->size - e.len;
	if (code || !rest)
		return code;
	if (rest > m->in->data_len)
		ext4_note(m->fs, EXT4_T_MAP, GH_SHORT, m->in->at, "inode %u: %llu bytes, but only %u are stored inline",
			m->in->ino, (unsigned long long)m->size, EXT4_IBLOCK_LEN + m->in->data_len);
	e = (struct gh_extent){
		.at = e.len, .len = gh_min(rest, m->in->data_len), .below = m->fs->src, .from = m->in->data_at};
	return e.len ? ext4_map_put(m->fs, m->map, &e, err) : GH_OK;
}

/* The extents of the first `size` bytes of a file's content. */
enum gh_code ext4_map(
	struct ext4 *fs, const struct ext4_inode *in, uint64_t size, struct ext4_map *map, struct gh_err *err)
{
	struct mapping m = {.fs = fs, .in = in, .map = map, .size = size};
	map->n = 0;
	map->past_end = false;
	m.blocks = size / fs->sb.bs + (size % fs->sb.bs != 0);
	enum gh_code code;
	if (in->flags & EXT4_FL_INLINE)
		code = inline_map(&m, err);
	else if (in->flags & EXT4_FL_EXTENTS)
		code = extent_root(&m, err);
	else
		code = block_map(&m, err);
	return code && !ext4_fatal(code) ? ext4_step_over(fs, EXT4_T_MAP, err) : code;
}

enum gh_code ext4_map_read(
	struct ext4 *fs, const struct ext4_map *map, uint64_t off, uint8_t *buf, size_t n, struct gh_err *err)
{
	memset(buf, 0, n);
	for (size_t i = 0; i < map->n; i++) {
		const struct gh_extent *e = &map->ext[i];
		uint64_t from = gh_max(off, e->at), to = gh_min(off + n, e->at + e->len);
		if (from >= to)
			continue;
		enum gh_code code =
			gh_read(fs->src, e->from + (from - e->at), buf + (from - off), (size_t)(to - from), err);
		if (code)
			return code;
	}
	return GH_OK;
}

uint64_t ext4_map_start(const struct ext4_super *sb, const struct ext4_inode *in)
{
	const uint8_t *p = in->raw + EXT4_IBLOCK;
	if (in->size == 0)
		return UINT64_MAX;
	if (in->flags & EXT4_FL_INLINE)
		return in->size <= EXT4_IBLOCK_LEN ? in->at + EXT4_IBLOCK : UINT64_MAX;
	if (!(in->flags & EXT4_FL_EXTENTS))
		return in->size <= sb->bs && ext4_u32(p, 0) ? (uint64_t)ext4_u32(p, 0) * sb->bs : UINT64_MAX;
	uint32_t len = ext4_u16(p, 16);
	bool whole = ext4_u16(p, 0) == EXTENT_MAGIC && ext4_u16(p, 2) >= 1 && ext4_u16(p, 6) == 0 &&
		     ext4_u32(p, 12) == 0 && len <= UNWRITTEN && (uint64_t)len * sb->bs >= in->size;
	return whole ? (ext4_u32(p, 20) | (uint64_t)ext4_u16(p, 18) << 32) * sb->bs : UINT64_MAX;
}
