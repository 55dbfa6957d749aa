/* SPDX-License-Identifier: Apache-2.0 */
/* F2FS: the superblock, of which there are two (struct f2fs_super_block of include/linux/f2fs_fs.h). */
#include "codecs/deflate/deflate.h"
#include "formats/f2fs/f2fs.h"

enum {
	OFF_LABEL = 124,
	OFF_PAYLOAD = 1664,
	OFF_FEATURES = 2180,
	OFF_DEVICES = 2201,
	DEVICE_LEN = 68, /* 64 bytes of path, then its count of segments */
	OFF_QUOTA = 2745,
	OFF_CRC = 3068,
	ROOT_MIN = 3, /* 0 is none, 1 and 2 are the node's and the metadata's own */
};

/* The CRC-32 of zip, but begun with another number and not inverted. */
uint32_t f2fs_crc(uint32_t crc, const void *p, size_t n)
{
	return ~gh_crc32(~crc, p, n);
}

static void super_fields(const uint8_t *raw, struct f2fs_super *sb)
{
	struct gh_cursor c = gh_cursor(raw, F2FS_SUPER_LEN, sb->at);
	gh_skip(&c, 16);
	sb->bits = gh_u32(&c);
	sb->seg_bits = gh_u32(&c);
	gh_skip(&c, 12);
	sb->block_count = gh_u64(&c);
	gh_skip(&c, 16);
	sb->nat_segments = gh_u32(&c);
	gh_skip(&c, 4);
	sb->main_segments = gh_u32(&c);
	sb->segment0 = gh_u32(&c);
	sb->cp = gh_u32(&c);
	gh_skip(&c, 4);
	sb->nat = gh_u32(&c);
	gh_skip(&c, 4);
	sb->main = gh_u32(&c);
	sb->root = gh_u32(&c);
	memcpy(sb->uuid, raw + 108, sizeof sb->uuid);
	memcpy(sb->label, raw + OFF_LABEL, sizeof sb->label);
	sb->payload = f2fs_u32(raw, OFF_PAYLOAD);
	sb->features = f2fs_u32(raw, OFF_FEATURES);
	for (size_t i = 0; i < GH_COUNT(sb->quota); i++)
		sb->quota[i] = sb->features & F2FS_QUOTA_INO ? f2fs_u32(raw, OFF_QUOTA + 4 * i) : 0;
	sb->seed = f2fs_crc(UINT32_MAX, sb->uuid, sizeof sb->uuid);
}

/* Can the file system be read at all with these numbers? */
static enum gh_code super_geometry(struct f2fs_super *sb, struct gh_err *err)
{
	if (sb->bits < F2FS_BITS_MIN || sb->bits > F2FS_BITS_MAX)
		return gh_fail(err, GH_BAD, sb->at + 16, "blocks of 2^%u bytes", sb->bits);
	if (sb->seg_bits > F2FS_SEG_BITS_MAX)
		return gh_fail(err, GH_BAD, sb->at + 20, "segments of 2^%u blocks", sb->seg_bits);
	sb->bs = 1u << sb->bits;
	sb->end = sb->main + ((uint64_t)sb->main_segments << sb->seg_bits);
	if (!sb->cp || !sb->nat || sb->nat < sb->cp || sb->main < sb->nat || sb->end > UINT32_MAX)
		return gh_fail(err, GH_BAD, sb->at + 72, "its areas lie at blocks %u, %u and %u: in no order", sb->cp,
			sb->nat, sb->main);
	if (sb->root < ROOT_MIN)
		return gh_fail(err, GH_BAD, sb->at + 96, "its root is node %u", sb->root);
	uint64_t nat_blocks = (uint64_t)(sb->nat_segments / 2) << sb->seg_bits;
	uint64_t nids = nat_blocks * (sb->bs / 9);
	if (nids <= sb->root || nids > UINT32_MAX)
		return gh_fail(err, GH_BAD, sb->at + 60, "%u segments of node addresses", sb->nat_segments);
	sb->nids = (uint32_t)nids;
	return GH_OK;
}

/* Several devices follow each other; this image is the first of them. */
static void super_devices(const uint8_t *raw, struct f2fs_super *sb)
{
	const uint8_t *first = raw + OFF_DEVICES;
	sb->here = UINT64_MAX;
	if (first[0] && first[DEVICE_LEN])
		sb->here = ((uint64_t)f2fs_u32(first, 64) << sb->seg_bits) + sb->segment0;
}

enum gh_code f2fs_super_parse(const uint8_t *raw, uint64_t at, struct f2fs_super *ret, struct gh_err *err)
{
	*ret = (struct f2fs_super){.at = at};
	if (f2fs_u32(raw, 0) != F2FS_MAGIC)
		return gh_fail(err, GH_BAD, at, "no F2FS superblock");
	super_fields(raw, ret);
	enum gh_code code = super_geometry(ret, err);
	if (code)
		return code;
	super_devices(raw, ret);
	if (ret->features & F2FS_SB_CHKSUM && f2fs_crc(F2FS_MAGIC, raw, OFF_CRC) != f2fs_u32(raw, OFF_CRC))
		return gh_fail(err, GH_BAD, at + OFF_CRC, "superblock checksum does not match");
	return GH_OK;
}

static enum gh_code super_read(struct f2fs *fs, uint64_t at, struct f2fs_super *ret, struct gh_err *err)
{
	uint8_t raw[F2FS_SUPER_LEN];
	enum gh_code code = gh_read(fs->src, at, raw, sizeof raw, err);
	return code ? code : f2fs_super_parse(raw, at, ret, err);
}

/* The second copy, in block 1 of whatever size blocks have. */
static bool super_copy(struct f2fs *fs, struct f2fs_super *ret)
{
	struct gh_err err;
	for (unsigned bits = F2FS_BITS_MIN; bits <= F2FS_BITS_MAX; bits++) {
		uint64_t at = ((uint64_t)1 << bits) + F2FS_SUPER_AT;
		if (super_read(fs, at, ret, &err) == GH_OK && ret->bits == bits)
			return true;
	}
	return false;
}

enum gh_code f2fs_super_find(struct f2fs *fs, struct gh_err *err)
{
	struct f2fs_super copy;
	struct gh_err first;
	enum gh_code code = super_read(fs, F2FS_SUPER_AT, &fs->sb, &first);
	if (!code)
		return GH_OK;
	if (super_copy(fs, &copy)) {
		fs->sb = copy;
	} else if (code != GH_BAD || first.at != F2FS_SUPER_AT + OFF_CRC) {
		*err = first;
		return code;
	} /* else only its checksum is wrong, and there is no better one */
	fs->damage = first;
	return GH_OK;
}

/* UTF-16 to UTF-8; a half of a pair without the other becomes U+FFFD. */
struct gh_str f2fs_label(struct gh_arena *arena, const struct f2fs_super *sb)
{
	char buf[sizeof sb->label / 2 * 3];
	size_t n = 0;
	for (size_t i = 0; i + 2 <= sizeof sb->label; i += 2) {
		uint32_t u = f2fs_u16(sb->label, i);
		if (!u)
			break;
		uint32_t low = i + 4 <= sizeof sb->label ? f2fs_u16(sb->label, i + 2) : 0;
		if (u >> 10 == 0x36 && low >> 10 == 0x37) {
			u = 0x10000 + ((u & 0x3ff) << 10 | (low & 0x3ff));
			i += 2;
			buf[n++] = (char)(0xf0 | u >> 18);
			buf[n++] = (char)(0x80 | (u >> 12 & 0x3f));
		} else if (u >> 11 == 0x1b) {
			u = 0xfffd;
		}
		if (u < 0x80) {
			buf[n++] = (char)u;
			continue;
		}
		if (u < 0x800) {
			buf[n++] = (char)(0xc0 | u >> 6);
		} else {
			if (u < 0x10000)
				buf[n++] = (char)(0xe0 | u >> 12);
			buf[n++] = (char)(0x80 | (u >> 6 & 0x3f));
		}
		buf[n++] = (char)(0x80 | (u & 0x3f));
	}
	return gh_str_dup(arena, gh_strn(buf, n));
}

/* By the names that fsck.f2fs gives them. */
struct gh_str f2fs_features(struct gh_arena *arena, const struct f2fs_super *sb)
{
	static const char *const names[] = {"encrypt", "blkzoned", "atomic_write", "extra_attr", "project_quota",
		"inode_checksum", "flexible_inline_xattr", "quota_ino", "inode_crtime", "lost_found", "verity",
		"sb_checksum", "casefold", "compression", "readonly", "device_alias", "packed_ssa"};
	struct gh_str s = GH_STR("");
	for (unsigned i = 0; i < 32; i++) {
		if (!(sb->features >> i & 1))
			continue;
		const char *gap = s.n ? " " : "";
		if (i < GH_COUNT(names))
			s = gh_str_fmt(arena, "%.*s%s%s", (int)s.n, s.p ? s.p : "", gap, names[i]);
		else
			s = gh_str_fmt(arena, "%.*s%sFEATURE_%u", (int)s.n, s.p ? s.p : "", gap, i);
	}
	return s;
}
