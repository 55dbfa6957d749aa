/* SPDX-License-Identifier: Apache-2.0 */
/* Inside kernel: its parts. */
#ifndef GH_INSPECTORS_KERNEL_H
#define GH_INSPECTORS_KERNEL_H

#include "base/num.h"
#include "tree/plugin.h"

/* The text of a configuration as rows of kernel_config; *ret_n counts the options, *ret_cmdline is CONFIG_CMDLINE without quotes. */
enum gh_code kernel_config(struct gh_ctx *ctx, struct gh_str text, uint64_t at, bool inner, int64_t *ret_n,
	struct gh_str *ret_cmdline, struct gh_err *err) GH_MUST;
/* The configuration that CONFIG_IKCONFIG built in; GH_END: there is none. */
enum gh_code kernel_ikconfig(struct gh_ctx *ctx, const struct gh_blob *blob, int64_t *ret_n, struct gh_str *ret_cmdline,
	struct gh_err *err) GH_MUST;
/* A loadable module (.ko). */
enum gh_code kernel_module(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
/* Who signed it, by the PKCS#7 that its end holds: "issuer, serial" or the key's identifier; algorithm of the digest. */
void kernel_signer(struct gh_ctx *ctx, const uint8_t *p, size_t n, uint64_t at, struct gh_str *ret_signer,
	struct gh_str *ret_serial, struct gh_str *ret_digest);

#endif
