/* SPDX-License-Identifier: Apache-2.0 */
/* LZO1X by the description of its bytes in Linux, Documentation/staging/lzo.rst. liblzo2 is under the GPL and not linked. */
#include "codecs/lzo/lzo.h"

#include "base/num.h"

enum {
	FIRST_LITERALS = 17, /* a first byte above it is a run of literals */
	FAR = 16384, /* distances of the far copies count from here; exactly this is the end */
	NEAR_BEHIND_RUN = 2048, /* of the three-byte copy that only follows a run of literals */
	RUN = 4, /* state: a run of literals was the last instruction */
	ZERO_RUN = 0xfffc, /* distance bits of a run of zeros */
	ZERO_RUN_MIN = 4,
	VERSIONED_MIN = 5,
};

struct lzo {
	struct gh_cursor in;
	uint8_t *out;
	size_t cap;
	size_t n; /* made */
	unsigned state; /* literals behind the last copy, or RUN */
	bool zeros; /* bitstream version 1: runs of zeros */
	struct gh_err *err;
};

static enum gh_code full(struct lzo *l)
{
	return gh_fail(l->err, GH_LIMIT, gh_at(&l->in), "lzo unpacks to more than %zu bytes", l->cap);
}

/* A length whose bits were all zero goes on in the next bytes: each zero is 255, the first other ends it. */
static uint64_t length_on(struct lzo *l, uint64_t base)
{
	uint8_t b;
	while (!(b = gh_u8(&l->in)) && !l->in.bad)
		base += 255;
	return base + b;
}

static enum gh_code literals(struct lzo *l, uint64_t n)
{
	size_t fits = (size_t)gh_min(gh_min(n, l->cap - l->n), gh_left(&l->in));
	const uint8_t *p = gh_bytes(&l->in, fits);
	if (fits && p)
		memcpy(l->out + l->n, p, fits);
	l->n += fits;
	if (fits == n)
		return GH_OK;
	if (l->n == l->cap)
		return full(l);
	l->in.bad = true; /* told by the caller */
	return GH_OK;
}

static enum gh_code copy(struct lzo *l, uint64_t distance, uint64_t n)
{
	if (l->in.bad)
		return GH_OK;
	if (distance > l->n)
		return gh_fail(l->err, GH_BAD, gh_at(&l->in), "lzo refers %llu bytes back, %zu are there",
			(unsigned long long)distance, l->n);
	size_t fits = (size_t)gh_min(n, l->cap - l->n);
	uint8_t *to = l->out + l->n;
	for (size_t i = 0; i < fits; i++)
		to[i] = (to - distance)[i];
	l->n += fits;
	return fits == n ? GH_OK : full(l);
}

static enum gh_code zero_run(struct lzo *l, unsigned low)
{
	uint64_t n = ((uint64_t)gh_u8(&l->in) << 3 | low) + ZERO_RUN_MIN;
	size_t fits = l->in.bad ? 0 : (size_t)gh_min(n, l->cap - l->n);
	if (fits)
		memset(l->out + l->n, 0, fits);
	l->n += fits;
	return l->in.bad || fits == n ? GH_OK : full(l);
}

/* 0001HLLL: from 16 to 48 KiB back, the end, or a run of zeros. */
static enum gh_code far_copy(struct lzo *l, unsigned op)
{
	uint64_t n = op & 7;
	struct gh_cursor peek = l->in;
	if (l->zeros && (op & 8) && (gh_u16(&peek) & ZERO_RUN) == ZERO_RUN) {
		l->state = gh_u16(&l->in) & 3;
		return zero_run(l, (unsigned)n);
	}
	n = 2 + (n ? n : length_on(l, 7));
	unsigned d = gh_u16(&l->in);
	uint64_t distance = FAR + ((uint64_t)(op & 8) << 11) + (d >> 2);
	l->state = d & 3;
	if (distance == FAR && !l->in.bad)
		return GH_END;
	return copy(l, distance, n);
}

/* 0000xxxx: what it means depends on what came before. */
static enum gh_code low(struct lzo *l, unsigned op)
{
	if (l->state == 0) {
		uint64_t n = 3 + (op ? op : length_on(l, 15));
		l->state = RUN;
		return literals(l, n);
	}
	bool run = l->state == RUN;
	uint64_t distance = ((uint64_t)gh_u8(&l->in) << 2) + (op >> 2) + 1;
	l->state = op & 3;
	return run ? copy(l, distance + NEAR_BEHIND_RUN, 3) : copy(l, distance, 2);
}

static enum gh_code instruction(struct lzo *l)
{
	unsigned op = gh_u8(&l->in);
	if (op < 16)
		return low(l, op);
	if (op < 32)
		return far_copy(l, op);
	if (op < 64) {
		uint64_t n = 2 + (op & 31 ? op & 31 : length_on(l, 31));
		unsigned d = gh_u16(&l->in);
		l->state = d & 3;
		return copy(l, (d >> 2) + 1, n);
	}
	uint64_t distance = ((uint64_t)gh_u8(&l->in) << 3) + (op >> 2 & 7) + 1;
	l->state = op & 3;
	return copy(l, distance, op < 128 ? 3 + (op >> 5 & 1) : 5 + (op >> 5 & 3));
}

/* A first byte above 17 is a run of literals of its own kind; 17 itself, a copy from before the beginning, marks a version. */
static enum gh_code first(struct lzo *l)
{
	struct gh_cursor peek = l->in;
	unsigned b = gh_u8(&peek);
	if (b == FIRST_LITERALS && l->in.n >= VERSIONED_MIN) {
		unsigned version = gh_u8(&peek);
		if (version > 1)
			return gh_fail(l->err, GH_UNSUP, gh_at(&l->in) + 1, "lzo bitstream version %u", version);
		l->in = peek;
		l->zeros = version == 1;
		b = gh_u8(&peek);
	}
	if (peek.bad || b <= FIRST_LITERALS)
		return GH_OK;
	l->in = peek;
	l->state = b - FIRST_LITERALS < RUN ? b - FIRST_LITERALS : RUN;
	return literals(l, b - FIRST_LITERALS);
}

enum gh_code gh_lzo_whole(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	(void)ctx;
	struct lzo l = {.in = gh_cursor(in, n, at), .out = out, .cap = cap, .err = err};
	enum gh_code code = first(&l);
	while (code == GH_OK && !l.in.bad) {
		code = instruction(&l);
		/* One to three literals may follow a copy. */
		if (code == GH_OK && l.state && l.state < RUN && !l.in.bad)
			code = literals(&l, l.state);
	}
	*ret_n = l.n;
	if (code == GH_OK)
		return gh_fail(err, GH_SHORT, gh_at(&l.in), "the lzo block is cut off");
	return code == GH_END ? GH_OK : code;
}
