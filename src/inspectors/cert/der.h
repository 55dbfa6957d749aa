/* SPDX-License-Identifier: Apache-2.0 */
/* The little of DER (ITU-T X.690) that finds certificates in their containers; BER's indefinite lengths too. */
#ifndef GH_INSPECTORS_DER_H
#define GH_INSPECTORS_DER_H

#include "cursor/cursor.h"

enum {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,
	DER_CONTEXT_1 = 0xa1,
};

struct der {
	uint8_t tag; /* first octet; longer tags are stepped over and have no meaning here */
	struct gh_cursor whole; /* tag, length and content */
	struct gh_cursor body;
};

/* The next element, which c moves behind. False at the end, and where the element does not fit (c->bad). */
bool der_next(struct gh_cursor *c, struct der *ret);
/* The next element if it has this tag; else c stays. */
bool der_take(struct gh_cursor *c, uint8_t tag, struct der *ret);

#endif
