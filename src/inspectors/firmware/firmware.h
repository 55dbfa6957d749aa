/* SPDX-License-Identifier: Apache-2.0 */
/* Inside firmware: one function a maker. */
#ifndef GH_INSPECTORS_FIRMWARE_H
#define GH_INSPECTORS_FIRMWARE_H

#include "base/num.h"
#include "tree/plugin.h"

/* A segment of Qualcomm's ELF files. */
struct qualcomm_part {
	uint32_t flags;
	uint64_t off, size;
};

struct qualcomm_elf {
	struct gh_cursor all;
	bool wide;
	uint64_t phoff, entry;
	uint32_t n;
};

enum { QUALCOMM_HASHES = 2 };

/* What bits 24 to 26 of p_flags say. */
static inline unsigned qualcomm_part_kind(const struct qualcomm_part *p)
{
	return p->flags >> 24 & 7;
}

bool qualcomm_elf_open(const uint8_t *p, size_t n, struct qualcomm_elf *ret);
/* False: its header is not in the file. */
bool qualcomm_part(const struct qualcomm_elf *e, uint32_t i, struct qualcomm_part *ret);
/* The segment with hashes and signatures, where it lies in this file. */
bool qualcomm_hashes(const struct qualcomm_elf *e, struct qualcomm_part *ret);

/* An ELF file with a program header that Qualcomm's flags mark as hash segment? */
bool qualcomm_elf(const uint8_t *p, size_t n);
enum gh_code qualcomm_elf_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
/* A bare MBN header, or that of a secondary boot loader? */
bool qualcomm_mbn(const uint8_t *p, size_t n, uint64_t size);
enum gh_code qualcomm_mbn_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
/* What an image says of itself: QC_IMAGE_VERSION_STRING=…, IMAGE_VARIANT_STRING=…, OEM_IMAGE_VERSION_STRING=… */
void qualcomm_words(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_row_firmware *row);

#endif
