/* SPDX-License-Identifier: Apache-2.0 */
/* FAT12, FAT16 and FAT32, inside: what the parts of the reader share. Described by Microsoft's FAT specification (fatgen103). */
#ifndef GH_FORMATS_FAT_FAT_H
#define GH_FORMATS_FAT_FAT_H

#include "base/num.h"
#include "tree/plugin.h"

enum {
	FAT_BOOT = 512, /* of a boot sector; of larger ones the rest is not used */
	FAT_WINDOW = 16 << 10, /* the table and directories are read in such pieces */
	FAT_WINDOWS = 8, /* a directory, its parents and the table at once */
	FAT_ENTRY = 32,
	FAT_ENTRIES_MAX = 65536, /* of a directory: 2 MiB, by the specification */
	FAT_DEPTH_MAX = 128, /* directories inside each other; a path of Windows has 260 characters */
	FAT_NAME_MAX = 255 * 3, /* 255 characters of 16 bits as UTF-8 */
	FAT_PATH_MAX = FAT_DEPTH_MAX * (FAT_NAME_MAX + 1),
	FAT_FIRST = 2, /* number of the first cluster */
};

enum { FAT_READ_ONLY = 0x01, FAT_HIDDEN = 0x02, FAT_SYSTEM = 0x04, FAT_LABEL = 0x08, FAT_DIR = 0x10, FAT_LONG = 0x0f };

struct fat_boot {
	unsigned bits; /* 12, 16, 32 */
	uint32_t sector, cluster; /* bytes */
	uint64_t table, table_len; /* of the table in use, in bytes */
	uint64_t first_table;
	unsigned tables;
	uint64_t root, root_len; /* FAT12 and FAT16: where the root directory lies */
	uint32_t root_cluster; /* FAT32 */
	uint64_t data; /* where cluster 2 begins */
	uint32_t clusters; /* their number */
	uint64_t size; /* of the whole, in bytes */
	uint32_t serial;
	uint8_t media;
	bool dirty, mirrored;
	char label[11];
};

struct fat_window {
	uint64_t at, used;
	size_t len;
	uint8_t *p;
};

struct fat_walk; /* of the directories, fat_dir.c */

struct fat {
	struct gh_ctx *ctx; /* of the call at hand */
	struct gh_source *src;
	struct fat_boot boot;
	struct fat_window win[FAT_WINDOWS];
	uint64_t clock;
	uint8_t *taken; /* a bit for each cluster that belongs to a file or directory listed before */
	uint64_t n_taken; /* bits: numbers of clusters that begin in the image, and none more */
	struct fat_walk *walk;
	uint64_t deleted; /* entries met */
};

struct fat_entry {
	uint64_t at; /* of its 32 bytes */
	struct gh_str path; /* valid until the next call */
	uint8_t attributes;
	uint32_t cluster, size;
	int64_t mtime;
};

/* What following a chain finds. */
struct fat_chain {
	uint64_t clusters; /* in it */
	struct gh_extent *ext; /* stretches, joined; NULL: not wanted */
	size_t n, cap;
};

/* fat_boot.c */
/* NULL err: a bid. */
enum gh_code fat_boot_parse(const uint8_t *raw, struct fat_boot *ret, struct gh_err *err) GH_MUST;

/* fat_table.c */
enum gh_code fat_buffers(struct fat *fs, struct gh_err *err) GH_MUST;
enum gh_code fat_read(struct fat *fs, uint64_t at, void *buf, size_t n, struct gh_err *err) GH_MUST;
/* The cluster behind this one; *ret_end: it is the last. GH_BAD: the table says it is free, bad or none. */
enum gh_code fat_next(struct fat *fs, uint32_t cluster, uint32_t *ret, bool *ret_end, struct gh_err *err) GH_MUST;
uint64_t fat_place(const struct fat *fs, uint32_t cluster);
bool fat_valid(const struct fat *fs, uint32_t cluster);
/* Follows a chain, taking its clusters for this file: GH_BAD where one is taken already. At most `most` clusters. */
enum gh_code fat_take(
	struct fat *fs, uint32_t first, uint64_t most, uint64_t *ret_clusters, struct gh_err *err) GH_MUST;
/* The content of a file that begins with this cluster, as stretches of the image. */
enum gh_code fat_extents(struct fat *fs, uint32_t first, uint64_t size, struct gh_extent **ret, size_t *ret_n,
	struct gh_err *err) GH_MUST;
/* Notes where the copies of the table differ. */
enum gh_code fat_copies(struct fat *fs, struct gh_err *err) GH_MUST;

/* fat_dir.c */
enum gh_code fat_walk_begin(struct fat *fs, struct gh_err *err) GH_MUST;
enum gh_code fat_walk_next(struct fat *fs, struct fat_entry *ret, struct gh_err *err) GH_MUST;
/* The entry just returned is this directory: go into it with the next call. */
void fat_walk_enter(struct fat *fs, const struct fat_entry *dir);
/* The volume's label in the root directory; false: none. */
bool fat_label(struct fat *fs, char label[11]);

#endif
