/* SPDX-License-Identifier: Apache-2.0 */
/* APK Signing Block: signers of one scheme. */
#ifndef GH_INSPECTORS_APK_H
#define GH_INSPECTORS_APK_H

#include "tree/plugin.h"

/* The value of a v2 (scheme 2), v3 (3) or v3.1 (31) block: a row a signer, a row a certificate. */
enum gh_code apk_signers_read(struct gh_ctx *ctx, struct gh_cursor c, int64_t scheme, struct gh_err *err) GH_MUST;

#endif
