/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor: the only code that turns raw bytes into numbers. Bounded and sticky: past the end it delivers zeros and sets
 * `bad`, so that a reader checks once, behind a group of fields. A sub-cursor is the only way into a length-prefixed box. */
#ifndef GH_CURSOR_CURSOR_H
#define GH_CURSOR_CURSOR_H

#include "base/str.h"

struct gh_cursor {
	const uint8_t *p;
	size_t n;
	size_t i;
	uint64_t base; /* where p[0] lies in the artifact, for error offsets */
	bool bad;
};

static inline struct gh_cursor gh_cursor(const void *p, size_t n, uint64_t base)
{
	return (struct gh_cursor){.p = p, .n = n, .base = base};
}

/* Offset in the artifact of the next byte. */
static inline uint64_t gh_at(const struct gh_cursor *c)
{
	return c->base + c->i;
}

static inline size_t gh_left(const struct gh_cursor *c)
{
	return c->n - c->i;
}

/* The next n bytes, or NULL (and bad). Never NULL for n == 0 unless already bad. */
const uint8_t *gh_bytes(struct gh_cursor *c, size_t n);
void gh_skip(struct gh_cursor *c, uint64_t n);
/* To an absolute position in this cursor; beyond its end: bad. */
void gh_seek(struct gh_cursor *c, uint64_t i);
/* A cursor over the next n bytes, which this one steps over. Empty and bad if there are fewer. */
struct gh_cursor gh_sub(struct gh_cursor *c, uint64_t n);

uint8_t gh_u8(struct gh_cursor *c);
uint16_t gh_u16(struct gh_cursor *c); /* little endian */
uint32_t gh_u32(struct gh_cursor *c);
uint64_t gh_u64(struct gh_cursor *c);
uint16_t gh_u16be(struct gh_cursor *c);
uint32_t gh_u32be(struct gh_cursor *c);
uint64_t gh_u64be(struct gh_cursor *c);
/* Unsigned LEB128 and protobuf varint, at most 10 bytes. */
uint64_t gh_uleb(struct gh_cursor *c);
/* n bytes as text up to the first zero among them. */
struct gh_str gh_text(struct gh_cursor *c, size_t n);
/* Text up to a zero, which is stepped over; without a zero: bad. */
struct gh_str gh_cstr(struct gh_cursor *c);

/* GH_OK, or GH_SHORT with the offset where the cursor ran out, if it is bad. */
enum gh_code gh_cursor_check(const struct gh_cursor *c, const char *what, struct gh_err *err) GH_MUST;

#endif
