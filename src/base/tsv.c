/* SPDX-License-Identifier: Apache-2.0 */
/* Fields between tabs. */
#include "base/tsv.h"

#include <stdio.h>

static bool plain(uint8_t c)
{
	return c >= 0x20 && c != 0x7f && c != '\\';
}

bool gh_tsv_put(char *buf, size_t cap, struct gh_str s, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		size_t need = plain(c) ? 1 : 4;
		if (need >= cap - n)
			return false;
		if (need == 1)
			buf[n] = (char)c;
		else
			snprintf(buf + n, 5, "\\x%02x", c);
		n += need;
	}
	if (n >= cap)
		return false;
	buf[n] = 0;
	*ret_n = n;
	return true;
}

bool gh_tsv_next(struct gh_str *rest, struct gh_str *ret_field)
{
	if (!rest->p)
		return false;
	const char *tab = memchr(rest->p, '\t', rest->n);
	size_t n = tab ? (size_t)(tab - rest->p) : rest->n;
	*ret_field = gh_strn(rest->p, n);
	*rest = tab ? gh_strn(tab + 1, rest->n - n - 1) : GH_NONE;
	return true;
}

struct gh_str gh_tsv_read(struct gh_arena *arena, struct gh_str field)
{
	char *to = gh_alloc_raw(arena, field.n + 1);
	size_t n = 0;
	if (!to)
		return GH_NONE;
	for (size_t i = 0; i < field.n; i++) {
		uint64_t value;
		if (field.p[i] != '\\') {
			to[n++] = field.p[i];
			continue;
		}
		if (field.n - i < 4 || field.p[i + 1] != 'x' || !gh_str_u64(gh_strn(field.p + i + 2, 2), 16, &value))
			return GH_NONE;
		to[n++] = (char)value;
		i += 3;
	}
	to[n] = 0;
	return gh_strn(to, n);
}
