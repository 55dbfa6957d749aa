// What floor.c works on: a plan of extents and the compiled literals. README.md says what the floor is.
// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H
#include <hs/hs.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAX_LITERAL = 256,
	MAX_SPACES = 64,
};

struct extent {
	char kind; // R, H or Z, as in the plan
	uint32_t space;
	uint64_t len, off, clen; // of H, off is the word; of Z, off counts the extents that follow
};
struct member {
	uint64_t off, csize, usize;
	int method;
};
struct task { // a file, or with no extents an input to be hashed
	const char *name;
	uint64_t size, need; // need: so much of the inflated spaces, in plan order, must be there
	size_t extent, extents, member, members, input;
};
struct space {
	const uint8_t *data;
	uint64_t size;
	// of an inflated one:
	uint8_t *out;
	uint64_t csize, start;
	const uint8_t *packed;
};

struct plan {
	struct space space[MAX_SPACES];
	size_t inputs, spaces;
	struct extent *extent;
	struct member *member;
	struct task *task;
	size_t extents, members, tasks;
	uint64_t max_cluster, max_zip, max_member;
};
extern struct plan plan;

struct literals {
	hs_database_t *db;
	unsigned *len;
	size_t n, longest;
};
extern struct literals literals;

// Files, extents and members in the order they are to be worked on. Ends the program on anything it does not know.
void plan_read(const char *path);
// Compiles a file of one literal a line.
void literals_read(const char *path);

_Noreturn void die(const char *what, const char *why);
// p, or the end of the program.
void *need(void *p);

#endif
