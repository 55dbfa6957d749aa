/* SPDX-License-Identifier: Apache-2.0 */
/* How ls, cat and unpack call what lies inside: image:path for files of a file system, else the names on the way joined with "!". */
#ifndef GH_CLI_PLACE_H
#define GH_CLI_PLACE_H

#include <stdio.h>

#include "cli/inside.h"

/* '-' file, 'd' 'l' 'c' 'b' 'p' 's' as ls(1) has them, 'm' member of an archive, 'v' volume. */
char gh_place_type(const struct gh_child *child);
/* The name that cat takes. */
struct gh_str gh_place_name(struct gh_arena *arena, const struct gh_inside_at *at, const struct gh_child *child);
/* Does the child lie at or below PATH (a beginning, with or without its image)? NULL: everything does. */
bool gh_place_below(const char *path, const struct gh_inside_at *at, const struct gh_child *child);
/* Can something below PATH lie in this child? No where PATH names an image and this is another one. */
bool gh_place_leads(const char *path, const struct gh_inside_at *at, const struct gh_child *child);
/* Does this format only pack one content (gzip, sparse)? Then what lies in it has its name. */
bool gh_place_packs(const struct gh_format *format);

/* A JSON string: what is no printable UTF-8 is \\xNN in it. */
void gh_json_put(FILE *to, struct gh_str s);
/* "key":string; and beside it "key_hex" where the string does not show the bytes as they are. */
void gh_json_name(FILE *to, const char *key, struct gh_str s);

#endif
