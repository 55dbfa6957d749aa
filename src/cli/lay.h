/* SPDX-License-Identifier: Apache-2.0 */
/* Laying files out beneath one folder, whatever their names say. Nothing is ever made outside of it and no symbolic link is
 * followed: each path is resolved by the kernel with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, files are made
 * with O_EXCL, links are made when everything else is there. */
#ifndef GH_CLI_LAY_H
#define GH_CLI_LAY_H

#include <openssl/evp.h>

#include "cli/frames.h"

enum {
	GH_LAY_PATH = 4000, /* below PATH_MAX with its zero: longer ones are not made */
	GH_LAY_NAME = 255, /* what Linux file systems take */
};

struct gh_lay_options {
	bool set_id; /* keep set-user-id, set-group-id and sticky bits */
	bool owners; /* set owners: root only */
	bool links; /* make symbolic links */
};

struct gh_lay_counts {
	uint64_t files, folders, links, hard, bytes;
	uint64_t renamed, skipped, partial, special, set_id, outward, folded;
};

struct gh_lay {
	int dir;
	struct gh_lay_options how;
	struct gh_lay_counts n;
	uint64_t room; /* bytes that may still be written */
	char parent[GH_LAY_PATH + 1]; /* the folder that was opened last */
	int parent_fd; /* -1: none */
	void *inodes; /* hard links by (container, inode) */
	void *folded; /* paths in lower case */
	struct gh_later *folders, *links; /* attributes and links that are set at the end, newest first */
	uint64_t held; /* bytes of memory in these */
};

struct gh_later {
	struct gh_later *next;
	struct gh_entry attr; /* its strings are not valid */
	char *path, *target, *row; /* row: the beginning of its line in the manifest */
};

/* What became of an entry. */
struct gh_laid {
	char path[GH_LAY_PATH + 1]; /* beneath the folder; "": nothing was made */
	bool made, renamed;
	const char *why; /* why renamed, or why nothing was made */
	const char *note; /* what else is worth a word */
};

/* A file being written. */
struct gh_lay_file {
	int fd; /* -1: its bytes are only counted */
	uint64_t at;
	EVP_MD_CTX *digest;
};

void gh_lay_begin(struct gh_lay *lay, int dir, struct gh_lay_options how, uint64_t room);
/* Makes a folder or opens a file (ret_file->fd), or notes a link for the end: then *ret_later is where its row waits (NULL for all
 * else). e's strings are not kept. */
void gh_lay_entry(struct gh_lay *lay, const struct gh_entry *e, struct gh_laid *ret, struct gh_lay_file *ret_file,
	struct gh_later **ret_later);
/* False, with errno, when the machine refuses: no room. */
bool gh_lay_write(struct gh_lay *lay, struct gh_lay_file *f, const void *p, size_t n);
bool gh_lay_hole(struct gh_lay *lay, struct gh_lay_file *f, uint64_t n);
bool gh_lay_close(struct gh_lay *lay, struct gh_lay_file *f, const struct gh_entry *e);
/* Links in their order, then the attributes of folders, inner ones first. told is called for each link with what became of it. */
void gh_lay_end(struct gh_lay *lay, void (*told)(void *to, const char *row, const struct gh_laid *), void *to);

/* The path that a stored path gets: without "." and empty components; ".." and control characters as %XX, long names cut with
 * their hash. out has GH_LAY_PATH + 1 bytes. False: too long. *ret_why: what was changed, or NULL. */
bool gh_lay_path(struct gh_str folder, struct gh_str name, char *out, const char **ret_why);

#endif
