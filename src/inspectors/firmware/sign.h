/* SPDX-License-Identifier: Apache-2.0 */
/* Inside firmware: signatures of images, one file a maker. */
#ifndef GH_INSPECTORS_FIRMWARE_SIGN_H
#define GH_INSPECTORS_FIRMWARE_SIGN_H

#include "inspectors/cert/pubkey.h"
#include "inspectors/firmware/firmware.h"

/* Qualcomm: the signed list of hashes in a hash segment (elf given), or a bare image (elf NULL); b->data is set. */
enum gh_code qualcomm_verify(struct gh_ctx *ctx, const struct gh_blob *b, const struct qualcomm_elf *elf, uint64_t at,
	uint64_t size, struct gh_err *err) GH_MUST;
/* MediaTek: parts with cert1 and cert2 behind them. */
bool mediatek_image(const uint8_t *p, size_t n);
enum gh_code mediatek_image_verify(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err) GH_MUST;
/* The chain of certificates behind a preloader; at: of FILE_INFO. */
enum gh_code mediatek_preloader_verify(
	struct gh_ctx *ctx, const struct gh_blob *b, uint64_t at, struct gh_err *err) GH_MUST;

/* ---- chain.c ---- */

enum { CHAIN_MAX = 20 }; /* signer, one authority, and up to 16 roots to choose from */

/* Certificates one behind the other, the signer's first. */
struct chain {
	struct gh_cursor cert[CHAIN_MAX];
	size_t n;
	size_t root; /* the one that the signer's chain ends in, where `holds` */
	bool holds;
};

/* Reads them, and emits a row of certs for each. */
enum gh_code chain_read(struct gh_ctx *ctx, struct gh_cursor c, struct chain *ret, struct gh_err *err) GH_MUST;
struct gh_str chain_subject(struct gh_ctx *ctx, struct gh_cursor cert);
/* "01 0000000000000007 SW_ID" in the subject: the eight bytes before this word. False: there is none. */
bool chain_unit(struct gh_cursor cert, const char *word, uint8_t ret[8]);

#endif
