/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of files, inside: what the parts of the inspector share. */
#ifndef GH_INSPECTORS_LISTING_LISTING_H
#define GH_INSPECTORS_LISTING_LISTING_H

#include "tree/plugin.h"

/* A row for each image that a flashfile.xml names. */
enum gh_code gh_flashfile(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);

#endif
