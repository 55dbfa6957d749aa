/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that hold for every plug-in and every seed: cut anywhere, damaged anywhere, out of memory at any allocation, unreadable
 * at any offset: never a crash, a hang or a read outside; and the same input gives the same rows. Prints one line a seed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "tests/lib/harness.h"

enum {
	SEED_MAX = 64 << 10,
	CUTS = 400, /* lengths tried: all of a short seed, evenly spaced ones of a longer */
	DAMAGES = 300,
	READ_FAILS = 64,
	ALLOCS = 300, /* allocations of which each fails once: all, or evenly spaced ones of many */
	MEMORY = 64 << 20,
};

struct failing {
	struct gh_source base;
	const uint8_t *p;
	uint64_t fail_at; /* a read that covers this offset fails */
};

struct input {
	const uint8_t *p;
	size_t n;
	uint64_t fail_at;
	uint64_t allocs; /* the one that fails; afterwards how many were left */
	uint64_t hash; /* over all rows */
	uint64_t rows;
	bool told; /* a note or a run says that memory was short */
};

static enum gh_code failing_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct failing *f = (struct failing *)self;
	if (f->fail_at >= off && f->fail_at - off < n)
		return gh_fail(err, GH_IO, f->fail_at, "test: unreadable");
	memcpy(buf, f->p + off, n);
	return GH_OK;
}

static struct gh_source *source(struct gh_harness *h, struct gh_arena *arena)
{
	static const struct gh_source_ops ops = {.read = failing_read};
	struct input *in = h->user;
	struct failing *f = gh_alloc(arena, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct failing){{&ops, in->n}, in->p, in->fail_at};
	return &f->base;
}

static void mix(struct input *in, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++)
		in->hash = (in->hash ^ b[i]) * 1099511628211u;
}

static void on_row(struct gh_harness *h, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	struct input *in = h->user;
	in->rows++;
	mix(in, &table, sizeof table);
	mix(in, &blob, sizeof blob);
	mix(in, &n, sizeof n);
	mix(in, &at, sizeof at);
	for (size_t i = 0; i < gh_tables[table].n; i++) {
		const struct gh_column *c = &gh_tables[table].columns[i];
		const char *cell = (const char *)row + c->offset;
		const struct gh_str *s = (const void *)cell;
		mix(in, c->text ? (s->p ? s->p : "") : cell, c->text ? (s->p ? s->n : 0) : 8);
		in->told |= table == GH_T_notes && c->text && gh_str_is(*s, "nomem");
	}
}

static void on_run(
	struct gh_harness *h, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	struct input *in = h->user;
	mix(in, &blob, sizeof blob);
	mix(in, &plugin, sizeof plugin);
	in->told |= strcmp(status, "nomem") == 0;
	mix(in, status, strlen(status));
	mix(in, &at, sizeof at);
	mix(in, why, strlen(why));
}

static void look(struct input *in, const char *name, uint64_t memory)
{
	struct gh_harness h;
	in->hash = 14695981039346656037u;
	in->rows = 0;
	in->told = false;
	gh_harness_init(&h, memory);
	h.source = source;
	h.row = on_row;
	h.run = on_run;
	h.user = in;
	h.look.arena.countdown = &in->allocs;
	gh_harness_look(&h, gh_str(name), in->n);
	gh_harness_done(&h);
}

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static bool same_twice(struct input *in, const char *name)
{
	look(in, name, MEMORY);
	uint64_t first = in->hash, rows = in->rows;
	look(in, name, MEMORY);
	return first == in->hash && rows == in->rows;
}

/* Each variant lies in a buffer of exactly its size, so that a sanitizer sees a read one byte outside. */
static void look_copy(const uint8_t *p, size_t n, const char *name, uint64_t memory, uint64_t fail_at)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	memcpy(copy, p, n);
	struct input in = {.p = copy, .n = n, .fail_at = fail_at};
	look(&in, name, memory);
	free(copy);
}

static void cuts(const uint8_t *p, size_t n, const char *name)
{
	size_t step = n / CUTS + 1;
	for (size_t len = 0; len < n; len += step)
		look_copy(p, len, name, MEMORY, UINT64_MAX);
}

static void damages(const uint8_t *p, size_t n, const char *name, uint64_t seed)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	random_state = seed | 1;
	for (int i = 0; i < DAMAGES && n; i++) {
		memcpy(copy, p, n);
		for (uint64_t k = 1 + next_random() % 8; k; k--)
			copy[next_random() % n] =
				next_random() % 4 ? (uint8_t)next_random() : (uint8_t)(next_random() % 2 ? 0xff : 0);
		look_copy(copy, n, name, MEMORY, UINT64_MAX);
	}
	free(copy);
}

/* The k-th allocation fails, and what comes behind it does not: the rows are those of the undisturbed look, or it is told that memory
 * was short. Returns how many allocations there were; 0 when one was lost without a word. */
static uint64_t allocations(const uint8_t *p, size_t n, const char *name)
{
	struct input in = {.p = p, .n = n, .fail_at = UINT64_MAX, .allocs = UINT64_MAX};
	look(&in, name, MEMORY);
	uint64_t made = UINT64_MAX - in.allocs, hash = in.hash;
	bool ok = true;
	for (uint64_t k = 1; k <= made; k += made / ALLOCS + 1) {
		in.allocs = k;
		look(&in, name, MEMORY);
		if (in.hash != hash && !in.told) {
			printf("FAIL %s: allocation %llu of %llu fails, and nothing tells it\n", name,
				(unsigned long long)k, (unsigned long long)made);
			ok = false;
		}
	}
	return ok ? made : 0;
}

static bool test_seed(const char *path, const char *name)
{
	static uint8_t buf[SEED_MAX];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(buf, 1, sizeof buf, f) : 0;
	if (f)
		fclose(f);
	struct input in = {.p = buf, .n = n, .fail_at = UINT64_MAX};
	bool ok = f && same_twice(&in, name);
	uint64_t seed = n * 2654435761u + 12345;
	cuts(buf, n, name);
	damages(buf, n, name, seed);
	for (int i = 0; i < READ_FAILS && n; i++)
		look_copy(buf, n, name, MEMORY, (uint64_t)i * n / READ_FAILS);
	uint64_t made = allocations(buf, n, name);
	/* Memory ends, and stays at its end: the limit grows past everything that is asked for. */
	for (uint64_t memory = 1; memory < 24u << 20; memory += memory / 3 + 4096)
		look_copy(buf, n, name, memory, UINT64_MAX);
	ok &= made > 0;
	printf("%s %s (seed of damage %llu, %llu allocations)\n", ok ? "ok  " : "FAIL", path, (unsigned long long)seed,
		(unsigned long long)made);
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		for (struct dirent *d; dir && (d = readdir(dir));) {
			char path[4096];
			if (d->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], d->d_name);
			if (test_seed(path, d->d_name))
				passed++;
			else
				failed++;
		}
		if (dir)
			closedir(dir);
	}
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed != 0;
}
