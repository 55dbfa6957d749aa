// Reads the plan that make_plan.py wrote (its page there describes the lines) and the literals.
// SPDX-License-Identifier: Apache-2.0
#include "floor.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct plan plan;
struct literals literals;

void die(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(2);
}

void *need(void *p)
{
	if (!p)
		die("memory", "not enough");
	return p;
}

static void *grow(void *p, size_t n, size_t size)
{
	// capacity doubles at each power of two
	return n & (n - 1) ? p : need(realloc(p, (n ? 2 * n : 1) * size));
}

static void plan_input(const char *folder, uint64_t size, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || (uint64_t)st.st_size != size)
		die(path, "not the file of this plan");
	struct space *s = &plan.space[plan.spaces++];
	s->size = size;
	s->data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (s->data == MAP_FAILED)
		die(path, strerror(errno));
	close(fd);
	plan.task = grow(plan.task, plan.tasks, sizeof *plan.task);
	plan.task[plan.tasks++] = (struct task){.name = need(strdup(name)), .size = size, .input = plan.inputs++};
}

static void plan_outer(unsigned input, uint64_t off, uint64_t csize, uint64_t usize)
{
	struct space *s = &plan.space[plan.spaces], *before = s - 1;
	s->packed = plan.space[input].data + off;
	s->csize = csize;
	s->size = usize;
	s->start = before->out ? before->start + before->size : 0;
	s->out = mmap(NULL, usize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->out == MAP_FAILED)
		die("memory", strerror(errno));
	madvise(s->out, usize, MADV_HUGEPAGE);
	s->data = s->out;
	plan.spaces++;
}

static void plan_raise(uint64_t *max, uint64_t value)
{
	if (value > *max)
		*max = value;
}

static void plan_extent(struct task *t, struct extent e)
{
	plan.extent = grow(plan.extent, plan.extents, sizeof *plan.extent);
	plan.extent[plan.extents++] = e;
	t->extents++;
	if (e.kind == 'Z') {
		plan_raise(&plan.max_cluster, e.len);
		plan_raise(&plan.max_cluster, e.clen);
	} else if (e.kind == 'R' && plan.space[e.space].out) {
		plan_raise(&t->need, plan.space[e.space].start + e.off + e.len);
	}
}

static void plan_line(const char *folder, char *line)
{
	unsigned long long a = 0, b = 0, c = 0, d = 0;
	int at = 0;
	struct task *t = plan.tasks ? &plan.task[plan.tasks - 1] : NULL;
	if (plan.spaces + 1 >= MAX_SPACES)
		die("plan", "too many inputs");
	if (sscanf(line, "I %llu %n", &a, &at) == 1) {
		plan_input(folder, a, line + at);
	} else if (sscanf(line, "O %llu %llu %llu %llu", &a, &b, &c, &d) == 4) {
		plan_outer((unsigned)a, b, c, d);
	} else if (sscanf(line, "F %llu %llu %llu %n", &a, &b, &c, &at) == 3) {
		plan.task = grow(plan.task, plan.tasks, sizeof *plan.task);
		plan.task[plan.tasks++] = (struct task){
			.name = need(strdup(line + at)), .size = a, .extent = plan.extents, .member = plan.members};
		if (c)
			plan_raise(&plan.max_zip, a);
	} else if (sscanf(line, "R %llu %llu %llu", &a, &b, &c) == 3) {
		plan_extent(t, (struct extent){.kind = 'R', .len = a, .space = (uint32_t)b, .off = c});
	} else if (sscanf(line, "H %llu %llu", &a, &b) == 2) {
		plan_extent(t, (struct extent){.kind = 'H', .len = a, .off = b});
	} else if (sscanf(line, "Z %llu %llu %llu", &a, &b, &c) == 3) {
		plan_extent(t, (struct extent){.kind = 'Z', .len = a, .clen = b, .off = c});
	} else if (sscanf(line, "M %llu %llu %llu %llu", &a, &b, &c, &d) == 4) {
		plan.member = grow(plan.member, plan.members, sizeof *plan.member);
		plan.member[plan.members++] = (struct member){a, b, c, (int)d};
		t->members++;
		plan_raise(&plan.max_member, c);
	} else {
		die("plan", line);
	}
}

static int task_order(const void *x, const void *y)
{
	const struct task *a = x, *b = y;
	if (!a->extents != !b->extents) // whole inputs first: nothing else can be shared out of them
		return a->extents ? 1 : -1;
	if (a->need != b->need)
		return a->need < b->need ? -1 : 1;
	return a->size > b->size ? -1 : a->size < b->size; // the long ones first, so that the threads end together
}

void plan_read(const char *path)
{
	char folder[4096], *line = NULL;
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	else
		strcpy(folder, ".");
	FILE *f = fopen(path, "r");
	if (!f)
		die(path, strerror(errno));
	size_t cap = 0;
	for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
		line[n - 1] = 0;
		plan_line(folder, line);
	}
	free(line);
	fclose(f);
	qsort(plan.task, plan.tasks, sizeof *plan.task, task_order);
}

void literals_read(const char *path)
{
	FILE *f = fopen(path, "r");
	if (!f)
		die(path, strerror(errno));
	char *line = NULL, **text = NULL;
	size_t cap = 0, *len = NULL;
	unsigned *ids = NULL, *flags = NULL;
	for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
		n -= line[n - 1] == '\n';
		if (!n)
			continue;
		if (n > MAX_LITERAL)
			die(line, "literal too long");
		size_t k = literals.n++;
		text = grow(text, k, sizeof *text);
		len = grow(len, k, sizeof *len);
		ids = grow(ids, k, sizeof *ids);
		flags = grow(flags, k, sizeof *flags);
		literals.len = grow(literals.len, k, sizeof *literals.len);
		text[k] = need(strndup(line, (size_t)n));
		len[k] = (size_t)n;
		literals.len[k] = (unsigned)n;
		ids[k] = (unsigned)k;
		flags[k] = 0;
		if (len[k] > literals.longest)
			literals.longest = len[k];
	}
	free(line);
	fclose(f);
	hs_compile_error_t *err;
	if (!literals.n || hs_compile_lit_multi((const char *const *)text, flags, ids, len, (unsigned)literals.n,
				   HS_MODE_BLOCK, NULL, &literals.db, &err))
		die(path, literals.n ? err->message : "no literals");
	for (size_t k = 0; k < literals.n; k++)
		free(text[k]);
	free(text);
	free(len);
	free(ids);
	free(flags);
}
