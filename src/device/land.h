/* SPDX-License-Identifier: Apache-2.0 */
/* Where what comes from a phone lands: one folder of this machine, and nothing outside of it. Files are made new, without a right to run
 * them, and never replaced. */
#ifndef GH_DEVICE_LAND_H
#define GH_DEVICE_LAND_H

#include <stdio.h>

#include "base/str.h"

struct gh_land {
	int dir; /* DIR */
	int part; /* the file that is being written; -1: none */
	void *digest; /* EVP_MD_CTX over it */
	uint64_t bytes;
};

enum {
	GH_LAND_DEPTH_MAX = 60, /* folders inside folders: below what a scan of the folder goes into */
	GH_LAND_PATH_MAX = 1024,
};

/* DIR is made where it is not there; one that holds something else than an acquisition is refused. */
enum gh_code gh_land_open(const char *path, struct gh_land *ret, struct gh_err *err) GH_MUST;
void gh_land_close(struct gh_land *land);

/* Is it a path that can lie below a folder: rooted, without ".", ".." and empty parts, not too long or too deep? */
bool gh_land_path_ok(struct gh_str path);

/* A file in three steps: begin, put, then keep it under a name (relative to DIR) or drop it. */
enum gh_code gh_land_begin(struct gh_land *land, struct gh_err *err) GH_MUST;
enum gh_code gh_land_put(struct gh_land *land, const void *p, size_t n, struct gh_err *err) GH_MUST;
/* The SHA-256 of what was put. GH_BAD: something else lies there already (the same content there is as good). */
enum gh_code gh_land_keep(struct gh_land *land, const char *name, uint8_t ret_sha256[32], struct gh_err *err) GH_MUST;
void gh_land_drop(struct gh_land *land);

/* The SHA-256 of a file that lies there; false: there is none that can be read. */
bool gh_land_hash(struct gh_land *land, const char *name, uint8_t ret_sha256[32], uint64_t *ret_size);
/* Lower-case hexadecimal, with a zero behind it. */
const char *gh_land_hex(const uint8_t sha256[32], char buf[65]);
/* gifthorse's own lists: one to add to, and one that takes the place of its older self when it is complete. */
FILE *gh_land_append(struct gh_land *land, const char *name);
FILE *gh_land_rewrite(struct gh_land *land);
enum gh_code gh_land_rewritten(struct gh_land *land, FILE *f, const char *name, struct gh_err *err) GH_MUST;
/* A whole list into the arena; p NULL: not there. */
struct gh_str gh_land_read(struct gh_land *land, struct gh_arena *arena, const char *name);

#endif
