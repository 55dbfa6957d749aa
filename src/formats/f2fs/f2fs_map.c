/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: from an inode to the blocks of its content, by the addresses in the inode and in a tree of nodes: two of addresses, two of
 * nodes of addresses, one a level higher (Documentation/filesystems/f2fs.rst of the Linux kernel, "Index structure"). */
#include "formats/f2fs/f2fs.h"

struct mapping {
	struct f2fs *fs;
	const struct f2fs_inode *in;
	struct f2fs_map *map;
	struct gh_source *missing, *elsewhere; /* made at first use */
	uint64_t size, blocks;
	uint64_t log; /* block of the file that the next address is for */
	uint64_t nodes;
	struct f2fs_cluster *cluster; /* that the next address may belong to */
	bool told;
};

/* Room for one more in an array that doubles; *ret moves. */
static bool grow(struct gh_arena *arena, void **p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? 2 * *cap : 16;
	void *q = gh_alloc_array(arena, more, size);
	if (!q)
		return false;
	if (n)
		memcpy(q, *p, n * size);
	*p = q;
	*cap = more;
	return true;
}

static enum gh_code no_memory(const struct f2fs *fs, struct gh_err *err)
{
	return gh_fail(err, GH_NOMEM, fs->sb.at, "no memory for a map");
}

enum gh_code f2fs_map_put(struct f2fs *fs, struct f2fs_map *map, const struct gh_extent *e, struct gh_err *err)
{
	struct gh_extent *last = map->n ? &map->ext[map->n - 1] : NULL;
	if (last && last->below == e->below && last->at + last->len == e->at && last->from + last->len == e->from) {
		last->len += e->len;
		return GH_OK;
	}
	void *p = map->ext;
	if (!grow(fs->ctx->arena, &p, map->n, &map->cap, sizeof *map->ext))
		return no_memory(fs, err);
	map->ext = p;
	map->ext[map->n++] = *e;
	return GH_OK;
}

static enum gh_code lost(struct mapping *m, struct gh_source **src, enum gh_code code, const char *what,
	struct gh_extent *e, struct gh_err *err)
{
	if (!*src)
		*src = gh_source_missing(m->fs->ctx->arena, UINT64_MAX / 2, code, what);
	if (!*src)
		return no_memory(m->fs, err);
	e->below = *src;
	e->from = e->at; /* so that neighbours join */
	return f2fs_map_put(m->fs, m->map, e, err);
}

/* Block `log` of the file lies at block `addr`. */
static enum gh_code put_block(struct mapping *m, uint64_t at, uint32_t addr, struct gh_err *err)
{
	struct f2fs *fs = m->fs;
	const struct f2fs_super *sb = &fs->sb;
	struct gh_extent e = {.at = m->log << sb->bits, .below = fs->src, .from = (uint64_t)addr << sb->bits};
	if (e.at >= m->size)
		return GH_OK; /* the rest of the last cluster */
	e.len = gh_min(sb->bs, m->size - e.at);
	if (addr < sb->main || addr >= sb->end) {
		if (!m->told)
			f2fs_note(fs, F2FS_T_MAP, GH_BAD, at, "inode %u: block %u of the file system can hold no data",
				m->in->ino, addr);
		m->told = true;
		return lost(m, &m->missing, GH_SHORT, "a block that does not exist", &e, err);
	}
	if (addr >= sb->here)
		return lost(m, &m->elsewhere, GH_UNSUP, "a block on another device", &e, err);
	if (!gh_within(e.from, e.len, fs->src->size))
		return lost(m, &m->missing, GH_SHORT, "a block behind the end of the image", &e, err);
	return f2fs_map_put(fs, m->map, &e, err);
}

static enum gh_code cluster_begin(struct mapping *m, uint64_t at, struct gh_err *err)
{
	struct f2fs_map *map = m->map;
	uint64_t mask = (1u << m->in->cluster_bits) - 1;
	m->cluster = NULL;
	if (!m->in->packed || m->log & mask) {
		if (!m->told)
			f2fs_note(m->fs, F2FS_T_MAP, GH_BAD, at,
				"inode %u: block %llu cannot begin a compressed cluster", m->in->ino,
				(unsigned long long)m->log);
		m->told = true;
		struct gh_extent e = {.at = m->log << m->fs->sb.bits};
		if (e.at >= m->size)
			return GH_OK;
		e.len = gh_min(m->fs->sb.bs, m->size - e.at);
		return lost(m, &m->missing, GH_BAD, "a compressed cluster without a beginning", &e, err);
	}
	void *p = map->cluster;
	if (!grow(m->fs->ctx->arena, &p, map->clusters, &map->cluster_cap, sizeof *map->cluster))
		return no_memory(m->fs, err);
	map->cluster = p;
	m->cluster = &map->cluster[map->clusters++];
	*m->cluster = (struct f2fs_cluster){.index = (uint32_t)(m->log >> m->in->cluster_bits), .first = map->addrs};
	return GH_OK;
}

/* A block of packed bytes. */
static enum gh_code cluster_put(struct mapping *m, uint64_t at, uint32_t addr, struct gh_err *err)
{
	struct f2fs_map *map = m->map;
	const struct f2fs_super *sb = &m->fs->sb;
	if ((addr < sb->main || addr >= sb->end) && !m->told) {
		f2fs_note(m->fs, F2FS_T_MAP, GH_BAD, at, "inode %u: block %u of the file system can hold no data",
			m->in->ino, addr);
		m->told = true;
	}
	void *p = map->addr;
	if (!grow(m->fs->ctx->arena, &p, map->addrs, &map->addr_cap, sizeof *map->addr))
		return no_memory(m->fs, err);
	map->addr = p;
	map->addr[map->addrs++] = addr;
	m->cluster->n++;
	return GH_OK;
}

static enum gh_code address(struct mapping *m, uint64_t at, uint32_t addr, struct gh_err *err)
{
	bool none = addr == F2FS_NULL_ADDR || addr == F2FS_NEW_ADDR;
	bool begins = !(m->log & ((1u << m->in->cluster_bits) - 1));
	if (begins)
		m->cluster = NULL;
	if (addr == F2FS_COMPRESS_ADDR && (begins || !m->cluster))
		return cluster_begin(m, at, err);
	if (!m->cluster)
		return none ? GH_OK : put_block(m, at, addr, err);
	/* Packed blocks end with the first that is none. */
	struct f2fs_cluster *k = m->cluster;
	uint32_t i = (uint32_t)(m->log & ((1u << m->in->cluster_bits) - 1));
	return none || k->n + 1 != i ? GH_OK : cluster_put(m, at, addr, err);
}

static enum gh_code addresses(struct mapping *m, const uint8_t *p, uint32_t n, uint64_t at, struct gh_err *err)
{
	uint64_t left = m->blocks > m->log ? m->blocks - m->log : 0;
	uint32_t take = (uint32_t)gh_min(n, left);
	enum gh_code code = gh_spend_steps(m->fs->ctx->budget, take, at, err);
	for (uint32_t i = 0; i < take && !code; i++, m->log++)
		code = address(m, at + 4 * (uint64_t)i, f2fs_u32(p, 4 * (size_t)i), err);
	return code;
}

static uint32_t per_leaf(const struct mapping *m)
{
	return f2fs_per_node(&m->fs->sb) & ~((1u << m->in->cluster_bits) - 1);
}

/* The node nid, which is named at `at` of the image, and what is below it. */
static enum gh_code tree(struct mapping *m, uint32_t nid, uint64_t at, unsigned level, struct gh_err *err);

static enum gh_code tree_down(struct mapping *m, uint32_t nid, unsigned level, struct gh_err *err)
{
	struct f2fs *fs = m->fs;
	uint8_t *buf = fs->node[level];
	uint64_t at = 0;
	enum gh_code code = f2fs_node(fs, nid, m->in->ino, buf, &at, err);
	if (code)
		return code;
	if (level == 0)
		return addresses(m, buf, per_leaf(m), at, err);
	for (uint32_t i = 0; i < f2fs_per_node(&fs->sb) && m->log < m->blocks && !code; i++)
		code = tree(m, f2fs_u32(buf, 4 * (size_t)i), at + 4 * (uint64_t)i, level - 1, err);
	return code;
}

/* A node that cannot be had loses what it would have held. */
static enum gh_code tree_lost(struct mapping *m, uint64_t from, uint64_t to, struct gh_err *err)
{
	enum gh_code code = f2fs_step_over(m->fs, F2FS_T_MAP, err);
	uint32_t bits = m->fs->sb.bits;
	struct gh_extent e = {.at = from << bits};
	if (code || e.at >= m->size)
		return code;
	e.len = gh_min(to << bits, m->size) - e.at;
	return lost(m, &m->missing, GH_BAD, "blocks whose addresses are lost", &e, err);
}

static enum gh_code tree(struct mapping *m, uint32_t nid, uint64_t at, unsigned level, struct gh_err *err)
{
	struct f2fs *fs = m->fs;
	uint64_t span = per_leaf(m), from = m->log;
	for (unsigned i = 0; i < level; i++)
		span *= f2fs_per_node(&fs->sb);
	enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, m->in->at, err);
	if (code || from >= m->blocks)
		return code;
	uint64_t to = gh_min(from + span, m->blocks);
	if (nid && ++m->nodes > fs->sb.block_count)
		code = gh_fail(
			err, GH_BAD, m->in->at, "inode %u: more nodes than the file system has blocks", m->in->ino);
	else if (nid)
		code = tree_down(m, nid, level, err);
	if (code && err->at == UINT64_MAX)
		err->at = at;
	if (code && !f2fs_fatal(code))
		code = tree_lost(m, m->log, to, err);
	m->cluster = NULL;
	m->log = to;
	return code;
}

/* Inline data: one extent of the inode itself. */
static enum gh_code inline_map(struct mapping *m, struct gh_err *err)
{
	uint64_t room, off = f2fs_inline(m->in, &room);
	struct gh_extent e = {.len = gh_min(m->size, room), .below = m->fs->src, .from = m->in->at + off};
	enum gh_code code = e.len ? f2fs_map_put(m->fs, m->map, &e, err) : GH_OK;
	if (code || m->size <= room)
		return code;
	f2fs_note(m->fs, F2FS_T_MAP, GH_SHORT, m->in->at + 16,
		"inode %u: %llu bytes, but inline there is room for %llu", m->in->ino, (unsigned long long)m->size,
		(unsigned long long)room);
	e = (struct gh_extent){.at = room, .len = m->size - room};
	return lost(m, &m->missing, GH_SHORT, "more than fits into an inode", &e, err);
}

enum gh_code f2fs_map(
	struct f2fs *fs, const struct f2fs_inode *in, uint64_t size, struct f2fs_map *map, struct gh_err *err)
{
	static const unsigned levels[F2FS_NIDS] = {0, 0, 1, 1, 2};
	struct mapping m = {.fs = fs, .in = in, .map = map, .size = size};
	map->n = map->clusters = map->addrs = 0;
	if (in->inl & F2FS_INLINE_DATA)
		return inline_map(&m, err);
	m.blocks = size / fs->sb.bs + (size % fs->sb.bs != 0);
	if (in->packed) /* packed blocks of the last cluster may have their addresses behind the file's end */
		m.blocks = ((m.blocks - 1) | ((1u << in->cluster_bits) - 1)) + 1;
	const uint8_t *p = in->raw + F2FS_ADDRS_AT + 4 * (size_t)in->extra;
	enum gh_code code = addresses(&m, p, in->addrs, in->at + F2FS_ADDRS_AT + 4 * (uint64_t)in->extra, err);
	size_t nids = f2fs_nids_at(&fs->sb);
	for (unsigned i = 0; i < F2FS_NIDS && !code; i++)
		code = tree(&m, f2fs_u32(in->raw, nids + 4 * i), in->at + nids + 4 * i, levels[i], err);
	if (code)
		return code;
	if (m.log << fs->sb.bits < size) {
		f2fs_note(fs, F2FS_T_MAP, GH_BAD, in->at + 16, "inode %u: more bytes than its tree can address: %llu",
			in->ino, (unsigned long long)size);
		struct gh_extent e = {.at = m.log << fs->sb.bits};
		e.len = size - e.at;
		code = lost(&m, &m.missing, GH_BAD, "more than a tree can address", &e, err);
	}
	return code;
}

/* Lays the clusters' source between the other extents. */
static enum gh_code join(struct f2fs *fs, const struct f2fs_inode *in, const struct f2fs_map *map, uint64_t size,
	struct gh_source *z, struct f2fs_map *ret, struct gh_err *err)
{
	unsigned bits = fs->sb.bits + in->cluster_bits;
	size_t i = 0, k = 0;
	while (i < map->n || k < map->clusters) {
		uint64_t at = k < map->clusters ? (uint64_t)map->cluster[k].index << bits : UINT64_MAX;
		struct gh_extent e = {.at = at, .below = z, .from = at};
		if (i < map->n && map->ext[i].at < at) {
			e = map->ext[i++];
		} else {
			e.len = gh_min((uint64_t)1 << bits, size - at);
			k++;
		}
		enum gh_code code = f2fs_map_put(fs, ret, &e, err);
		if (code)
			return code;
	}
	return GH_OK;
}

enum gh_code f2fs_data(
	struct f2fs *fs, const struct f2fs_inode *in, uint64_t size, struct gh_source **ret, struct gh_err *err)
{
	struct f2fs_map map = {0}, joined = {0};
	struct gh_source *z;
	enum gh_code code = f2fs_map(fs, in, size, &map, err);
	if (code || !map.clusters)
		return code ? code : gh_source_map(fs->ctx->arena, map.ext, map.n, size, ret, err);
	code = f2fs_z(fs, in, &map, size, &z, err);
	if (code == GH_OK)
		code = join(fs, in, &map, size, z, &joined, err);
	return code ? code : gh_source_map(fs->ctx->arena, joined.ext, joined.n, size, ret, err);
}

uint64_t f2fs_start(const struct f2fs *fs, const struct f2fs_inode *in)
{
	uint64_t room, blocks = in->size / fs->sb.bs + (in->size % fs->sb.bs != 0);
	const uint8_t *p = in->raw + F2FS_ADDRS_AT + 4 * (size_t)in->extra;
	if (!in->size)
		return UINT64_MAX;
	if (in->inl & F2FS_INLINE_DATA) {
		uint64_t off = f2fs_inline(in, &room);
		return in->size <= room ? in->at + off : UINT64_MAX;
	}
	if (blocks > in->addrs)
		return UINT64_MAX;
	uint32_t first = f2fs_u32(p, 0);
	if (first < fs->sb.main || first >= gh_min(fs->sb.end, fs->sb.here))
		return UINT64_MAX;
	for (size_t i = 1; i < blocks; i++)
		if (f2fs_u32(p, 4 * i) != first + i)
			return UINT64_MAX;
	return (uint64_t)first << fs->sb.bits;
}
