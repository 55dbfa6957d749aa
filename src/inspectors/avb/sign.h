/* SPDX-License-Identifier: Apache-2.0 */
/* Inside avb: the signature of one vbmeta structure. */
#ifndef GH_INSPECTORS_AVB_SIGN_H
#define GH_INSPECTORS_AVB_SIGN_H

#include "inspectors/cert/pubkey.h"

enum {
	AVB_ALGORITHMS = 7, /* none, and RSA of three sizes with two hashes */
	AVB_ML_DSA_LAST = 8, /* 7 and 8: ML-DSA-65 and ML-DSA-87 */
};

struct avb_signed {
	uint64_t at; /* of the structure */
	uint32_t algorithm;
	const uint8_t *data; /* header and auxiliary block, one behind the other */
	size_t n;
	struct gh_cursor hash, signature, key;
};

struct avb_verdict {
	const char *state; /* verified failed unsigned unsupported */
	const char *why; /* NULL for verified */
	uint64_t at;
};

struct avb_verdict avb_verify(const struct avb_signed *s);

#endif
