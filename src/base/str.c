/* SPDX-License-Identifier: Apache-2.0 */
/* Counted strings. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

bool gh_str_eq(struct gh_str a, struct gh_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool gh_str_is(struct gh_str a, const char *z)
{
	return gh_str_eq(a, gh_str(z));
}

bool gh_str_starts(struct gh_str a, const char *z)
{
	size_t n = strlen(z);
	return a.n >= n && memcmp(a.p, z, n) == 0;
}

bool gh_str_ends(struct gh_str a, const char *z)
{
	size_t n = strlen(z);
	return a.n >= n && memcmp(a.p + a.n - n, z, n) == 0;
}

struct gh_str gh_str_base(struct gh_str path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return gh_strn(path.p + i, path.n - i);
	return path;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t gh_path_root(struct gh_str path, char *out)
{
	size_t n = 0;
	for (size_t i = 0, from = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		size_t len = i - from;
		if (len && !(len == 1 && path.p[from] == '.')) {
			out[n++] = '/';
			memcpy(out + n, path.p + from, len);
			n += len;
		}
		from = i + 1;
	}
	if (!n)
		out[n++] = '/';
	return n;
}

bool gh_path_goes_up(struct gh_str path)
{
	for (size_t i = 0, from = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (i - from == 2 && path.p[from] == '.' && path.p[from + 1] == '.')
			return true;
		from = i + 1;
	}
	return false;
}

uint64_t gh_str_hash(struct gh_str s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3u;
	return h;
}

struct gh_str gh_str_trim(struct gh_str s)
{
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_space(*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

bool gh_str_line(struct gh_str *rest, struct gh_str *ret_line)
{
	if (!rest->n)
		return false;
	const char *nl = memchr(rest->p, '\n', rest->n);
	size_t n = nl ? (size_t)(nl - rest->p) : rest->n;
	size_t step = nl ? n + 1 : n;
	*ret_line = gh_strn(rest->p, n);
	rest->p += step;
	rest->n -= step;
	return true;
}

bool gh_str_word(struct gh_str *rest, struct gh_str *ret_word)
{
	while (rest->n && is_space(*rest->p)) {
		rest->p++;
		rest->n--;
	}
	if (!rest->n)
		return false;
	bool quoted = *rest->p == '"';
	size_t i = quoted ? 1 : 0;
	while (i < rest->n && (quoted ? rest->p[i] != '"' : !is_space(rest->p[i])))
		i++;
	*ret_word = quoted ? gh_strn(rest->p + 1, i - 1) : gh_strn(rest->p, i);
	if (quoted && i < rest->n)
		i++;
	rest->p += i;
	rest->n -= i;
	return true;
}

struct gh_str gh_str_dup(struct gh_arena *arena, struct gh_str s)
{
	if (!s.p)
		return s;
	const char *copy = gh_arena_copy(arena, s.p, s.n);
	return copy ? gh_strn(copy, s.n) : GH_NONE;
}

struct gh_str gh_str_fmt(struct gh_arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : gh_alloc_raw(arena, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p ? gh_strn(p, (size_t)n) : GH_NONE;
}

struct gh_str gh_hex(struct gh_arena *arena, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char *s = gh_alloc_array(arena, n, 2);
	if (!s)
		return GH_NONE;
	for (size_t i = 0; i < n; i++) {
		s[2 * i] = digit[p[i] >> 4];
		s[2 * i + 1] = digit[p[i] & 15];
	}
	return gh_strn(s, 2 * n);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool gh_str_u64(struct gh_str s, int base, uint64_t *ret)
{
	if ((base == 0 || base == 16) && s.n > 2 && s.p[0] == '0' && (s.p[1] | 32) == 'x') {
		s = gh_strn(s.p + 2, s.n - 2);
		base = 16;
	}
	if (base == 0)
		base = s.n > 1 && s.p[0] == '0' ? 8 : 10;
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++) {
		int d = digit_value(s.p[i]);
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
			__builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	if (!s.n)
		return false;
	*ret = v;
	return true;
}

/* Length of the valid, printable UTF-8 sequence at p, or 0. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	uint32_t c = p[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	bool surrogate = c >= 0xd800 && c <= 0xdfff;
	/* Direction marks, line separators and signs that nobody sees could make a name look like another one. */
	bool direction = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x206f) || c == 0x200e || c == 0x200f ||
			 c == 0x61c;
	bool unseen = c == 0xad || c == 0x180e || c == 0x200b || c == 0x2028 || c == 0x2029 ||
		      (c >= 0x2060 && c <= 0x2064) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
		      (c >= 0xe0000 && c <= 0xe007f);
	if (c < least[len] || c > 0x10ffff || surrogate || direction || unseen || (c >= 0x80 && c < 0xa0))
		return 0;
	return len;
}

size_t gh_escape(char *buf, size_t cap, struct gh_str s)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *p = (const uint8_t *)s.p;
	size_t o = 0;
	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_len(p + i, s.n - i);
		size_t need = len ? len : 4;
		if (o + need + 1 > cap)
			break;
		if (len) {
			memcpy(buf + o, p + i, len);
		} else {
			memcpy(buf + o, (char[]){'\\', 'x', digit[p[i] >> 4], digit[p[i] & 15]}, 4);
		}
		o += need;
		i += len ? len : 1;
	}
	if (cap)
		buf[o] = 0;
	return o;
}
