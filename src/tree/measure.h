/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring content: SHA-256, a sampled entropy, a word for the magic number, and one pass for literals. */
#ifndef GH_TREE_MEASURE_H
#define GH_TREE_MEASURE_H

#include "tree/plugin.h"

struct gh_literals;

struct gh_literal {
	const char *p;
	size_t n; /* at least 4: shorter ones hit everywhere */
};

/* Compiles a list for one simultaneous search. NULL and *err when it cannot. Freed by gh_literals_free. */
struct gh_literals *gh_literals_new(const struct gh_literal *list, size_t n, struct gh_err *err);
void gh_literals_free(struct gh_literals *literals);
/* A literal's bytes. */
struct gh_literal gh_literals_get(const struct gh_literals *literals, uint32_t i);

struct gh_measure {
	uint8_t sha256[32];
	void *md5_digest; /* an EVP_MD_CTX: the MD5 is measured too; NULL: it is not */
	uint64_t md5_size; /* of so many bytes from the start */
	uint8_t md5[16];
	/* Called for the first hit of each literal in this content, in no fixed order. */
	void (*hit)(void *to, uint32_t literal, uint64_t at);
	void *to;
};

/* One pass over content in memory, in pieces that stay in the cache. `digest` is an EVP_MD_CTX. */
void gh_measure_data(void *digest, const struct gh_literals *literals, const uint8_t *p, size_t n, uint64_t *beat,
	struct gh_measure *m);
/* One pass over a source by windows; stops at the first read error. */
enum gh_code gh_measure_source(void *digest, const struct gh_literals *literals, struct gh_source *src,
	struct gh_arena *arena, uint64_t *beat, struct gh_measure *m, struct gh_err *err) GH_MUST;

/* Whether the MD5 of the files beside this one is of interest: makers' lists of packages state no other. */
bool gh_measure_list(struct gh_str name);
/* Where a line at the end of an archive begins that states the MD5 of all before it (Samsung's .tar.md5); 0: there is none. */
uint64_t gh_measure_md5_line(const struct gh_probe *probe);
/* Fetches the algorithm before the jail closes. */
void gh_md5_warm(void *digest);
void gh_digest_begin(void *digest);
void gh_digest_add(void *digest, const void *p, size_t n);
void gh_digest_end(void *digest, uint8_t sha256[32]);

/* Bits a byte over at most 64 evenly spaced pieces of 4 KiB. */
enum gh_code gh_entropy(struct gh_source *src, struct gh_arena *arena, double *ret, struct gh_err *err) GH_MUST;

/* A word for what the first bytes say: elf dex png script text … or "data"; "empty" for nothing. */
const char *gh_magic(const struct gh_probe *probe);

#endif
