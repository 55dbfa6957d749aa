/* SPDX-License-Identifier: Apache-2.0 */
/* Inside firmware: one function a maker. */
#ifndef GH_INSPECTORS_FIRMWARE_H
#define GH_INSPECTORS_FIRMWARE_H

#include "base/num.h"
#include "tree/plugin.h"

/* An ELF file with a program header that Qualcomm's flags mark as hash segment? */
bool qualcomm_elf(const uint8_t *p, size_t n);
enum gh_code qualcomm_elf_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
/* A bare MBN header, or that of a secondary boot loader? */
bool qualcomm_mbn(const uint8_t *p, size_t n, uint64_t size);
enum gh_code qualcomm_mbn_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
/* What an image says of itself: QC_IMAGE_VERSION_STRING=…, IMAGE_VARIANT_STRING=…, OEM_IMAGE_VERSION_STRING=… */
void qualcomm_words(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_row_firmware *row);

#endif
