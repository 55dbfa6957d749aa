/* SPDX-License-Identifier: Apache-2.0 */
/* Counted strings. Names from the input are bytes: they may hold anything, zeros too, and are escaped only when shown. */
#ifndef GH_BASE_STR_H
#define GH_BASE_STR_H

#include <string.h>

#include "base/arena.h"

struct gh_str {
	const char *p; /* NULL means "no value" (NULL in the tables), also with n == 0 */
	size_t n;
};

#define GH_STR(literal) ((struct gh_str){(literal), sizeof(literal) - 1})
#define GH_NONE ((struct gh_str){NULL, 0})

static inline struct gh_str gh_str(const char *z)
{
	return (struct gh_str){z, z ? strlen(z) : 0};
}

static inline struct gh_str gh_strn(const void *p, size_t n)
{
	return (struct gh_str){p, n};
}

bool gh_str_eq(struct gh_str a, struct gh_str b);
bool gh_str_is(struct gh_str a, const char *z);
bool gh_str_starts(struct gh_str a, const char *z);
bool gh_str_ends(struct gh_str a, const char *z);
/* The part behind the last '/'. */
struct gh_str gh_str_base(struct gh_str path);
/* A path as file systems list it: rooted, without "./", double and final slashes; ".." stays. Written to out, which has room for
 * path.n + 1 bytes; returns the length. */
size_t gh_path_root(struct gh_str path, char *out);
/* Does a component of the path say ".."? */
bool gh_path_goes_up(struct gh_str path);
/* FNV-1a. For tables and sorting: who makes the input can make collisions. */
uint64_t gh_str_hash(struct gh_str s);
/* Without blanks, tabs, CR and LF at both ends. */
struct gh_str gh_str_trim(struct gh_str s);
/* The next line (without its LF) of *rest, which moves behind it; false at the end. */
bool gh_str_line(struct gh_str *rest, struct gh_str *ret_line);
/* The next word between blanks and tabs; double quotes keep blanks together and are dropped. */
bool gh_str_word(struct gh_str *rest, struct gh_str *ret_word);
struct gh_str gh_str_dup(struct gh_arena *arena, struct gh_str s);
struct gh_str gh_str_fmt(struct gh_arena *arena, const char *fmt, ...) GH_PRINTF(2, 3);
/* Lower-case hexadecimal. */
struct gh_str gh_hex(struct gh_arena *arena, const uint8_t *p, size_t n);
/* Decimal, 0x… or 0… as base says (0 = guess); false if anything else is in it. */
bool gh_str_u64(struct gh_str s, int base, uint64_t *ret);

/* Valid UTF-8 without control characters passes; every other byte becomes \xNN. Writes at most cap-1 bytes and a zero;
 * returns the length written. For screens and reports; never for the tables. */
size_t gh_escape(char *buf, size_t cap, struct gh_str s);

#endif
