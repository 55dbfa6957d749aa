/* SPDX-License-Identifier: Apache-2.0 */
/* FAT: the boot sector (BIOS parameter block) and the geometry that follows from it. */
#include "formats/fat/fat.h"

enum {
	CLUSTERS_12 = 4085, /* fewer of them: 12 bits each */
	CLUSTERS_32 = 0x0ffffff5, /* larger numbers mean something else */
	EXTENDED = 0x29, /* serial and label follow; 0x28: a serial only */
	NOT_MIRRORED = 0x80,
};

static bool power(uint32_t v)
{
	return v && !(v & (v - 1));
}

static void extended(struct gh_cursor *c, bool wide, struct fat_boot *b)
{
	gh_seek(c, wide ? 65 : 37);
	b->dirty = gh_u8(c) & 1;
	uint8_t sign = gh_u8(c);
	uint32_t serial = gh_u32(c);
	const uint8_t *label = gh_bytes(c, sizeof b->label);
	memset(b->label, ' ', sizeof b->label);
	if (sign == EXTENDED || sign == EXTENDED - 1)
		b->serial = serial;
	if (sign == EXTENDED && label)
		memcpy(b->label, label, sizeof b->label);
}

static enum gh_code geometry(uint32_t reserved, uint32_t entries, uint64_t sectors, uint64_t table, uint32_t flags,
	struct fat_boot *b, struct gh_err *err)
{
	bool wide = b->bits == 32;
	uint64_t root = ((uint64_t)entries * FAT_ENTRY + b->sector - 1) / b->sector;
	uint64_t before = reserved + b->tables * table + root;
	unsigned active = wide && flags & NOT_MIRRORED ? flags & 15 : 0;
	if (!sectors || before >= sectors)
		return gh_fail(err, GH_BAD, 19, "%llu sectors, of which %llu are no data", (unsigned long long)sectors,
			(unsigned long long)before);
	if (active >= b->tables)
		return gh_fail(err, GH_BAD, 40, "table %u of %u is in use", active, b->tables);
	uint64_t clusters = (sectors - before) / (b->cluster / b->sector);
	if (!wide)
		b->bits = clusters < CLUSTERS_12 ? 12 : 16;
	b->mirrored = !(wide && flags & NOT_MIRRORED);
	b->table_len = table * b->sector;
	b->first_table = (uint64_t)reserved * b->sector;
	b->table = b->first_table + active * b->table_len;
	b->root = b->first_table + b->tables * b->table_len;
	b->root_len = wide ? 0 : (uint64_t)entries * FAT_ENTRY;
	b->data = before * b->sector;
	b->size = sectors * b->sector;
	uint64_t room = b->table_len * 8 / b->bits;
	if (room <= FAT_FIRST || !clusters)
		return gh_fail(err, GH_BAD, 22, "a table without room for clusters");
	b->clusters = (uint32_t)gh_min(gh_min(clusters, room - FAT_FIRST), CLUSTERS_32);
	return GH_OK;
}

enum gh_code fat_boot_parse(const uint8_t *raw, struct fat_boot *b, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(raw, FAT_BOOT, 0);
	gh_seek(&c, 11);
	*b = (struct fat_boot){.sector = gh_u16(&c)};
	uint32_t per = gh_u8(&c), reserved = gh_u16(&c);
	b->tables = gh_u8(&c);
	uint32_t entries = gh_u16(&c), few = gh_u16(&c);
	b->media = gh_u8(&c);
	uint32_t table16 = gh_u16(&c);
	gh_skip(&c, 8);
	uint32_t many = gh_u32(&c), table32 = gh_u32(&c), flags = gh_u16(&c), version = gh_u16(&c);
	b->root_cluster = gh_u32(&c);
	bool wide = !table16;
	b->bits = wide ? 32 : 16;
	extended(&c, wide, b);
	if (b->sector < 512 || b->sector > 4096 || !power(b->sector))
		return gh_fail(err, GH_BAD, 11, "sectors of %u bytes", b->sector);
	if (!power(per))
		return gh_fail(err, GH_BAD, 13, "clusters of %u sectors", per);
	if (!reserved || !b->tables || !(b->media == 0xf0 || b->media >= 0xf8))
		return gh_fail(
			err, GH_BAD, 14, "%u reserved sectors, %u tables, medium 0x%x", reserved, b->tables, b->media);
	if (wide ? entries || !table32 : !entries)
		return gh_fail(err, GH_BAD, 17, "a root directory of %u entries, a table of %u sectors", entries,
			wide ? table32 : table16);
	if (wide && version)
		return gh_fail(err, GH_UNSUP, 42, "FAT32 version 0x%x", version);
	b->cluster = b->sector * per;
	return geometry(reserved, entries, few ? few : many, wide ? table32 : table16, flags, b, err);
}
