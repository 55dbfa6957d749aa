/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#7 signatures over a content that lies elsewhere. */
#ifndef GH_INSPECTORS_SIGNED_H
#define GH_INSPECTORS_SIGNED_H

#include "inspectors/cert/pubkey.h"
#include "tree/plugin.h"

enum { SIGNED_INFOS = 32 };

/* What is signed: gives its digest. False: it could not be had. */
struct signed_content {
	bool (*digest)(const struct signed_content *self, enum digest digest, uint8_t *ret);
};

/* One SignerInfo. */
struct signed_info {
	uint64_t at;
	const char *fatal; /* the verifier gives the whole file up */
	bool ok; /* the signature verifies */
	bool attributes; /* it is over signed attributes */
	bool no_type, wrong_type; /* whose content type is not said, or another: noticed from Android 7 on */
	int key; /* 'R' 'D' 'E' */
	enum digest digest,
		combined; /* combined: the one that the signature's algorithm names; DIGEST_NONE: it names none */
	struct gh_cursor cert;
};

struct signed_infos {
	const char *why; /* no SignedData that can be read */
	size_t n;
	bool more;
	struct signed_info info[SIGNED_INFOS];
};

void signed_infos_read(
	struct gh_ctx *ctx, struct gh_cursor c, const struct signed_content *content, struct signed_infos *ret);

#endif
