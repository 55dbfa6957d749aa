/* SPDX-License-Identifier: Apache-2.0 */
/* Inside bootimg: what a header says, and the sections it describes. */
#ifndef GH_FORMATS_BOOTIMG_BOOTIMG_H
#define GH_FORMATS_BOOTIMG_BOOTIMG_H

#include "tree/plugin.h"

enum {
	BOOT_HEADER_MAX = 4096, /* longest header: vendor_boot version 4 has 2128 bytes */
	BOOT_FRAGMENTS_MAX = 256, /* vendor ramdisks; real images have up to 4 */
	BOOT_SECTIONS_MAX = BOOT_FRAGMENTS_MAX + 8,
};

struct boot_section {
	struct gh_str name;
	uint64_t off, size; /* as far as it is there */
	bool lost; /* nothing of it is there, or it may not be read */
};

struct boot_header {
	bool vendor;
	uint32_t version;
	uint32_t page_size;
	uint32_t kernel_size, ramdisk_size, second_size, dtb_size, signature_size;
	uint32_t recovery_dtbo_size;
	uint64_t recovery_dtbo_off;
	uint32_t dt_size; /* Qualcomm's older images keep a device tree table behind the second stage */
	uint32_t os_version;
	uint32_t header_size;
	struct gh_str board, cmdline, extra; /* in the header's bytes */
	uint64_t cmdline_at, extra_at;
	uint32_t table_size, table_n, table_entry; /* of vendor ramdisks */
	uint32_t bootconfig_size;
	uint64_t table_off, bootconfig_off, ramdisk_off;
};

struct boot {
	struct gh_source *src;
	struct gh_ctx *say; /* where problems are noted; NULL: they were, or will be */
	struct boot_header h;
	struct boot_section *section;
	uint32_t n;
	uint32_t next;
};

#define BOOT_SAY(b, ...)                                                                                               \
	do {                                                                                                           \
		if ((b)->say)                                                                                          \
			gh_note((b)->say, __VA_ARGS__);                                                                \
	} while (0)

/* Parses the n first bytes of the image. */
enum gh_code boot_header_read(struct boot *b, const uint8_t *p, size_t n, struct gh_err *err);
/* Lays out the sections behind a parsed header. */
enum gh_code boot_sections(struct gh_ctx *ctx, struct boot *b, struct gh_err *err);

/* boot_args rows of the command line and of the bootconfig section. */
enum gh_code boot_cmdline(
	struct gh_ctx *ctx, const struct boot_header *h, struct gh_str *ret_whole, struct gh_err *err);
enum gh_code boot_config(struct gh_ctx *ctx, struct gh_str text, uint64_t at, struct gh_err *err);

#endif
