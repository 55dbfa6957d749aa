/* SPDX-License-Identifier: Apache-2.0 */
/* Breaking lines for a terminal. */
#include "report/wrap.h"

#include "base/num.h"

/* Columns of the UTF-8 sequence at p, and its length. Wide: East Asian wide and fullwidth (Unicode annex 11), emoji. */
static unsigned columns(const uint8_t *p, size_t n, size_t *ret_len)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	*ret_len = len = gh_min(len, n);
	uint32_t c = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3f);
	bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
		    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
		    (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
	return wide ? 2 : 1;
}

/* How much of s fits into `room` columns, broken behind a blank where there is one; what does not fit anywhere is broken hard. */
size_t gh_fit(struct gh_str s, unsigned room)
{
	unsigned used = 0;
	size_t blank = 0;
	for (size_t i = 0, len; i < s.n; i += len) {
		used += columns((const uint8_t *)s.p + i, s.n - i, &len);
		if (used > room)
			return blank ? blank : i ? i : len;
		if (s.p[i] == ' ')
			blank = i + 1;
	}
	return s.n;
}
