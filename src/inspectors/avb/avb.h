/* SPDX-License-Identifier: Apache-2.0 */
/* Inside avb: one vbmeta structure and its descriptors. */
#ifndef GH_INSPECTORS_AVB_AVB_H
#define GH_INSPECTORS_AVB_AVB_H

#include "tree/plugin.h"

/* Hexadecimal SHA-1 of a public key blob, as avbtool prints it. */
struct gh_str avb_sha1(struct gh_arena *arena, const uint8_t *p, size_t n);

/* Rows for the descriptors in c, of the vbmeta structure with row number image in avb_images. */
enum gh_code avb_descriptors(struct gh_ctx *ctx, struct gh_cursor c, uint64_t image, struct gh_err *err);

#endif
