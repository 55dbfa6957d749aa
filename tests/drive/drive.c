/* SPDX-License-Identifier: Apache-2.0 */
/* gh_drive: walks one file in this process, without jail or database, and prints every row as a line of JSON. For the tests of
 * formats and inspectors against their reference tools. `--cat PATH FILE` writes one child's bytes, PATH joined with "!/". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "facts/embed.h"
#include "tests/lib/harness.h"
#include "tree/measure.h"

static int input_fd;
static uint64_t input_size;

static void put_text(struct gh_str s)
{
	size_t cap = s.n * 4 + 1;
	char *buf = malloc(cap);
	if (!buf)
		abort();
	gh_escape(buf, cap, s);
	putchar('"');
	for (char *p = buf; *p; p++) {
		if (*p == '"' || *p == '\\')
			putchar('\\');
		putchar(*p);
	}
	putchar('"');
	free(buf);
}

static void put_row(struct gh_harness *h, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	(void)h;
	const struct gh_table_info *t = &gh_tables[table];
	printf("{\"table\":\"%s\",\"blob\":%u,\"n\":%llu,\"at\":%llu", t->name, blob, (unsigned long long)n,
		(unsigned long long)at);
	for (size_t i = 0; i < t->n; i++) {
		const char *cell = (const char *)row + t->columns[i].offset;
		printf(",\"%s\":", t->columns[i].name);
		if (t->columns[i].text) {
			struct gh_str s = *(const struct gh_str *)cell;
			s.p ? put_text(s) : (void)fputs("null", stdout);
		} else {
			int64_t v = *(const int64_t *)cell;
			v == GH_NULL ? (void)fputs("null", stdout) : (void)printf("%lld", (long long)v);
		}
	}
	puts("}");
}

static void put_blob(struct gh_harness *h, const struct gh_blob_row *r)
{
	(void)h;
	printf("{\"table\":\"blobs\",\"blob\":%u,\"size\":%llu", r->blob, (unsigned long long)r->size);
	if (r->sha256) {
		fputs(",\"sha256\":\"", stdout);
		for (int i = 0; i < 32; i++)
			printf("%02x", r->sha256[i]);
		putchar('"');
	}
	if (r->format)
		printf(",\"format\":\"%s\"", r->format);
	if (r->entropy >= 0)
		printf(",\"entropy\":%.4f", r->entropy);
	puts("}");
}

static void put_run(
	struct gh_harness *h, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	(void)h;
	printf("{\"table\":\"blob_runs\",\"blob\":%u,\"plugin\":\"%s\",\"status\":\"%s\",\"at\":%llu,\"why\":", blob,
		gh_plugin_name(plugin), status, (unsigned long long)at);
	put_text(gh_str(why));
	puts("}");
}

static struct gh_source *file_source(struct gh_harness *h, struct gh_arena *arena)
{
	(void)h;
	return gh_source_file(arena, input_fd, input_size);
}

/* ---- --cat ---- */

static struct gh_str next_part(struct gh_str *rest)
{
	const char *sep = memmem(rest->p, rest->n, "!/", 2);
	struct gh_str part = *rest;
	if (sep)
		part.n = (size_t)(sep - rest->p);
	size_t step = sep ? part.n + 2 : part.n;
	rest->p += step;
	rest->n -= step;
	return part;
}

static bool same_name(struct gh_str a, struct gh_str b)
{
	while (a.n && *a.p == '/')
		a = gh_strn(a.p + 1, a.n - 1);
	while (b.n && *b.p == '/')
		b = gh_strn(b.p + 1, b.n - 1);
	return gh_str_eq(a, b);
}

struct quiet {
	struct gh_ctx ctx;
	struct gh_budget budget;
};

static uint64_t quiet_emit(struct gh_ctx *ctx, enum gh_table t, uint64_t at, const void *row)
{
	(void)ctx, (void)t, (void)at, (void)row;
	return 0;
}

static void quiet_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx;
	fprintf(stderr, "note: %s at %llu: %s\n", gh_code_word(code), (unsigned long long)at, what);
}

static const struct gh_format *best_format(struct gh_arena *arena, struct gh_source *src)
{
	struct gh_probe p;
	struct gh_err err;
	return gh_probe_make(src, GH_NONE, arena, &p, &err) ? NULL : gh_probe_format(&p);
}

static enum gh_code content(struct quiet *q, const struct gh_format *f, void *state, const struct gh_child *child,
	struct gh_source **ret, struct gh_err *err)
{
	if (!(child->flags & GH_CHILD_STREAM))
		return f->data(&q->ctx, state, child, ret, err);
	size_t cap = child->flags & GH_CHILD_SIZE_HINT ? 1u << 30 : child->size;
	struct gh_sink sink = {.buf = gh_alloc_raw(q->ctx.arena, cap ? cap : 1), .cap = cap};
	if (!sink.buf)
		return GH_NOMEM;
	enum gh_code code = f->pour(&q->ctx, state, child, &sink, err);
	*ret = gh_source_memory(q->ctx.arena, sink.buf, sink.len);
	return code;
}

static struct gh_source *descend(struct quiet *q, struct gh_source *src, struct gh_str part)
{
	struct gh_err err = {0};
	const struct gh_format *f = best_format(q->ctx.arena, src);
	void *state = f ? gh_alloc(q->ctx.arena, f->state_size) : NULL;
	if (!state || f->open(&q->ctx, src, state, &err))
		return NULL;
	for (;;) {
		struct gh_child child = {0};
		if (f->next(&q->ctx, state, &child, &err))
			return NULL;
		if (!same_name(child.name, part))
			continue;
		struct gh_source *ret = NULL;
		if (content(q, f, state, &child, &ret, &err))
			fprintf(stderr, "gh_drive: %s at %llu: %s\n", gh_code_word(err.code),
				(unsigned long long)err.at, err.what);
		return ret;
	}
}

static int cat(const char *path)
{
	static const struct gh_ctx_ops ops = {quiet_emit, quiet_note};
	struct gh_arena arena;
	gh_arena_init(&arena, 0);
	struct quiet q = {.budget = {UINT64_MAX, UINT64_MAX, NULL}};
	q.ctx = (struct gh_ctx){&arena, &q.budget, &ops};
	struct gh_source *src = gh_source_file(&arena, input_fd, input_size);
	struct gh_str rest = gh_str(path);
	while (src && rest.n)
		src = descend(&q, src, next_part(&rest));
	if (!src) {
		fprintf(stderr, "gh_drive: no such child: %s\n", path);
		return 1;
	}
	static uint8_t buf[1 << 20];
	struct gh_err err;
	for (uint64_t off = 0; off < src->size;) {
		size_t n = gh_min(src->size - off, sizeof buf);
		if (gh_read(src, off, buf, n, &err)) {
			fprintf(stderr, "gh_drive: %s at %llu: %s\n", gh_code_word(err.code),
				(unsigned long long)err.at, err.what);
			return 1;
		}
		fwrite(buf, 1, n, stdout);
		off += n;
	}
	gh_arena_done(&arena);
	return 0;
}

/* A small file beside the input, whole. */
static struct gh_str whole_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *p = f ? malloc(1 << 20) : NULL;
	if (!p)
		abort();
	size_t n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return gh_strn(p, n);
}

int main(int argc, char **argv)
{
	const char *only = NULL, *path = NULL;
	struct gh_given given = {
		.roots = gh_n_root_files ? gh_strn(gh_root_files[0].text, gh_root_files[0].n) : GH_NONE};
	int i = 1;
	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		if (strcmp(argv[i], "--only") == 0)
			only = argv[i + 1];
		else if (strcmp(argv[i], "--cat") == 0)
			path = argv[i + 1];
		else if (strcmp(argv[i], "--keylog") == 0)
			given.keylog = whole_file(argv[i + 1]);
		else if (strcmp(argv[i], "--known") == 0)
			given.known = gh_str(argv[i + 1]);
	}
	input_fd = i + 1 == argc ? open(argv[i], O_RDONLY) : -1;
	struct stat st;
	if (input_fd < 0 || fstat(input_fd, &st)) {
		fprintf(stderr,
			"use: gh_drive [--only PLUGIN | --cat PATH] [--keylog FILE] [--known KIND=VALUE] FILE\n");
		return 2;
	}
	input_size = (uint64_t)st.st_size;
	if (path)
		return cat(path);
	struct gh_harness h;
	gh_harness_init(&h, 4ull << 30);
	h.source = file_source;
	h.row = put_row;
	h.blob = put_blob;
	h.run = put_run;
	h.look.given = &given;
	if (only)
		gh_harness_only(&h, gh_plugin_find(gh_str(only)));
	gh_harness_look(&h, gh_str_base(gh_str(argv[i])), input_size);
	gh_harness_done(&h);
	free((char *)given.keylog.p);
	return 0;
}
