/* SPDX-License-Identifier: Apache-2.0 */
/* Inside verity: what is said about a partition's bytes, from wherever it is said. */
#ifndef GH_INSPECTORS_VERITY_H
#define GH_INSPECTORS_VERITY_H

#include "tree/plugin.h"

struct verity_claim {
	const char *kind; /* hash hashtree table */
	uint64_t at; /* where it is said */
	struct gh_str partition, algorithm;
	const uint8_t *salt, *digest;
	size_t salt_len, digest_len;
	uint64_t image_size;
	bool tree;
	uint32_t version, data_block, hash_block;
	uint64_t tree_off, tree_size;
	int64_t fec; /* 1: there, 0: not; GH_NULL: a hash has none */
	struct gh_str signature, signed_text; /* of a table */
};

struct verity_row {
	struct gh_str digest, why;
	const char *state, *tree;
	int64_t first_bad;
};

/* Computes it and emits the row. */
enum gh_code verity_check(
	struct gh_ctx *ctx, const struct gh_blob *blob, const struct verity_claim *c, struct gh_err *err) GH_MUST;

/* table.c: verity metadata of Android 7 and 8. */
bool verity_table_wants(const struct gh_probe *probe);
enum gh_code verity_table_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;

/* key.c: verity_key, 524 bytes as adb's keys are (system/core/libmincrypt). */
bool verity_key_wants(const struct gh_probe *probe);
enum gh_code verity_key_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;

#endif
