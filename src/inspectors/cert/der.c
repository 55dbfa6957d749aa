/* SPDX-License-Identifier: Apache-2.0 */
/* DER (ITU-T X.690), tag and length. */
#include "inspectors/cert/der.h"

enum { DEPTH = 16 }; /* of indefinite lengths inside each other; signature files have 5 */

static bool element(struct gh_cursor *c, struct der *ret, int depth);

/* An element of indefinite length ends with two zeros behind its children. */
static bool indefinite(struct gh_cursor *c, struct der *ret, int depth)
{
	struct der child;
	struct gh_cursor body = *c;
	while (gh_left(c) >= 2) {
		if (!c->p[c->i] && !c->p[c->i + 1]) {
			ret->body = gh_sub(&body, c->i - body.i);
			gh_skip(c, 2);
			return true;
		}
		if (!depth || !element(c, &child, depth - 1))
			break;
	}
	return false;
}

static bool element(struct gh_cursor *c, struct der *ret, int depth)
{
	struct gh_cursor from = *c;
	ret->tag = gh_u8(c);
	if ((ret->tag & 0x1f) == 0x1f)
		while (gh_u8(c) & 0x80)
			;
	uint64_t n = gh_u8(c);
	if (n == 0x80) {
		if (c->bad || !(ret->tag & 0x20) || !indefinite(c, ret, depth))
			return false;
	} else {
		if (n > 0x84)
			return false;
		if (n & 0x80) {
			uint64_t k = n & 0x7f;
			for (n = 0; k; k--)
				n = n << 8 | gh_u8(c);
		}
		ret->body = gh_sub(c, n);
		if (c->bad)
			return false;
	}
	ret->whole = gh_sub(&from, c->i - from.i);
	return true;
}

bool der_next(struct gh_cursor *c, struct der *ret)
{
	if (c->bad || !gh_left(c))
		return false;
	struct gh_cursor from = *c;
	if (element(c, ret, DEPTH))
		return true;
	*c = from;
	c->bad = true;
	return false;
}

bool der_take(struct gh_cursor *c, uint8_t tag, struct der *ret)
{
	return !c->bad && gh_left(c) && c->p[c->i] == tag && der_next(c, ret);
}
