/* SPDX-License-Identifier: Apache-2.0 */
/* The name that a file gets on this machine. */
#include <string.h>

#include "base/num.h"
#include "cli/lay.h"

struct out {
	char *p;
	size_t n;
	bool full;
};

static void put(struct out *o, const char *p, size_t n)
{
	if (n > GH_LAY_PATH - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void put_byte(struct out *o, uint8_t c)
{
	static const char digit[] = "0123456789ABCDEF";
	if (c < 0x20 || c == 0x7f)
		put(o, (char[]){'%', digit[c >> 4], digit[c & 15]}, 3);
	else
		put(o, (const char *)&c, 1);
}

/* One component; its text may grow by escaping and is cut behind that. */
static void component(struct out *o, struct gh_str s, const char **ret_why)
{
	static const char digit[] = "0123456789abcdef";
	size_t begin = o->n;
	if (gh_str_is(s, "..")) {
		put(o, "%2E%2E", 6);
		*ret_why = "a name that leads upwards";
		return;
	}
	for (size_t i = 0; i < s.n && o->n - begin <= GH_LAY_NAME; i++) {
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f)
			*ret_why = "control characters in the name";
		put_byte(o, (uint8_t)s.p[i]);
	}
	if (o->n - begin <= GH_LAY_NAME)
		return;
	/* The beginning and a hash: cut names stay apart from each other, and O_EXCL sees to the rest. */
	uint64_t hash = gh_str_hash(s);
	o->n = begin + GH_LAY_NAME - 24;
	while (o->n > begin + 1 && ((uint8_t)o->p[o->n] & 0xc0) == 0x80)
		o->n--;
	put(o, "~", 1);
	for (int i = 60; i >= 0; i -= 4)
		put(o, &digit[hash >> i & 15], 1);
	*ret_why = "a name longer than 255 bytes";
}

static void components(struct out *o, struct gh_str s, const char **ret_why)
{
	for (size_t i = 0, n; i < s.n; i += n + 1) {
		const char *slash = memchr(s.p + i, '/', s.n - i);
		struct gh_str c = gh_strn(s.p + i, slash ? (size_t)(slash - s.p) - i : s.n - i);
		n = c.n;
		if (!c.n || gh_str_is(c, "."))
			continue;
		if (o->n)
			put(o, "/", 1);
		component(o, c, ret_why);
	}
}

bool gh_lay_path(struct gh_str folder, struct gh_str name, char *out, const char **ret_why)
{
	struct out o = {.p = out};
	*ret_why = NULL;
	components(&o, folder, ret_why);
	components(&o, name, ret_why);
	out[o.full ? 0 : o.n] = 0;
	return !o.full;
}
