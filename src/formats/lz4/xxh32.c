/* SPDX-License-Identifier: Apache-2.0 */
/* XXH32: see xxh32.h. */
#include "formats/lz4/xxh32.h"

#include <string.h>

#include "cursor/cursor.h"

static const uint32_t P1 = 0x9e3779b1, P2 = 0x85ebca77, P3 = 0xc2b2ae3d, P4 = 0x27d4eb2f, P5 = 0x165667b1;

static uint32_t turn(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

void xxh32_begin(struct xxh32 *x)
{
	*x = (struct xxh32){.lane = {P1 + P2, P2, 0, 0 - P1}};
}

static void stripe(struct xxh32 *x, const uint8_t *p)
{
	struct gh_cursor c = gh_cursor(p, 16, 0);
	for (int i = 0; i < 4; i++)
		x->lane[i] = turn(x->lane[i] + gh_u32(&c) * P2, 13) * P1;
}

void xxh32_add(struct xxh32 *x, const uint8_t *p, size_t n)
{
	x->total += n;
	if (x->part_n) {
		size_t take = n < 16 - x->part_n ? n : 16 - x->part_n;
		memcpy(x->part + x->part_n, p, take);
		x->part_n += take;
		p += take;
		n -= take;
		if (x->part_n < 16)
			return;
		stripe(x, x->part);
	}
	for (; n >= 16; p += 16, n -= 16)
		stripe(x, p);
	memcpy(x->part, p, n);
	x->part_n = n;
}

uint32_t xxh32_end(const struct xxh32 *x)
{
	const uint32_t *l = x->lane;
	uint32_t h = x->total >= 16 ? turn(l[0], 1) + turn(l[1], 7) + turn(l[2], 12) + turn(l[3], 18) : P5;
	h += (uint32_t)x->total;
	struct gh_cursor c = gh_cursor(x->part, x->part_n, 0);
	while (gh_left(&c) >= 4)
		h = turn(h + gh_u32(&c) * P3, 17) * P4;
	while (gh_left(&c))
		h = turn(h + gh_u8(&c) * P5, 11) * P1;
	h = (h ^ h >> 15) * P2;
	h = (h ^ h >> 13) * P3;
	return h ^ h >> 16;
}

uint32_t xxh32(const uint8_t *p, size_t n)
{
	struct xxh32 x;
	xxh32_begin(&x);
	xxh32_add(&x, p, n);
	return xxh32_end(&x);
}
