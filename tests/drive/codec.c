/* SPDX-License-Identifier: Apache-2.0 */
/* gh_codec: unpacks a file with one codec, for the tests of codecs. `gh_codec KIND WAY CAP FILE [ARG…]`: WAY is whole (buffer to buffer
 * of CAP bytes), pour (to a sink that writes, CAP is `most`), fill (to a sink with a buffer of CAP bytes). What came goes to standard
 * output, one line of JSON to standard error. ARGs: microlzma DICT EXACT; lzma1 LC LP PB DICT. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "codecs/brotli/brotli.h"
#include "codecs/bzip2/bzip2.h"
#include "codecs/deflate/deflate.h"
#include "codecs/lzo/lzo.h"
#include "codecs/xz/xz.h"
#include "codecs/zstd/zstd.h"

typedef enum gh_code whole_fn(
	struct gh_ctx *, const uint8_t *, size_t, uint8_t *, size_t, size_t *, uint64_t, struct gh_err *);
typedef enum gh_code pour_fn(struct gh_ctx *, struct gh_source *, uint64_t, uint64_t, uint64_t, struct gh_sink *,
	struct gh_unpacked *, struct gh_err *);

static char **args;

static unsigned long arg(int i)
{
	return strtoul(args[i] ? args[i] : "0", NULL, 0);
}

static enum gh_code microlzma(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	return gh_microlzma_whole(ctx, (uint32_t)arg(0), arg(1), in, n, out, cap, ret_n, at, err);
}

static enum gh_code lzma1(struct gh_ctx *ctx, const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	struct gh_lzma1 how = {(unsigned)arg(0), (unsigned)arg(1), (unsigned)arg(2), (uint32_t)arg(3)};
	return gh_lzma1_whole(ctx, &how, in, n, out, cap, ret_n, at, err);
}

static const struct kind {
	const char *name;
	whole_fn *whole;
	pour_fn *pour;
} kinds[] = {
	{"xz", gh_xz_whole, gh_xz_pour},
	{"lzma", gh_lzma_whole, gh_lzma_pour},
	{"lzma1", lzma1, NULL},
	{"microlzma", microlzma, NULL},
	{"zstd", gh_zstd_whole, gh_zstd_pour},
	{"bzip2", gh_bzip2_whole, gh_bzip2_pour},
	{"brotli", gh_brotli_whole, gh_brotli_pour},
	{"lzo", gh_lzo_whole, NULL},
	{"deflate", gh_deflate_whole, NULL},
	{"zlib", gh_zlib_whole, NULL},
};

static enum gh_code to_stdout(struct gh_sink *self, const void *p, size_t n, struct gh_err *err)
{
	(void)self;
	return fwrite(p, 1, n, stdout) == n ? GH_OK : gh_fail(err, GH_IO, 0, "standard output");
}

static uint64_t no_emit(struct gh_ctx *ctx, enum gh_table t, uint64_t at, const void *row)
{
	(void)ctx, (void)t, (void)at, (void)row;
	return 0;
}

static void put_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx;
	fprintf(stderr, "{\"note\":\"%s\",\"at\":%llu,\"what\":\"%s\"}\n", gh_code_word(code), (unsigned long long)at,
		what);
}

/* The exact bytes, so that a sanitizer sees a read behind them. */
static uint8_t *load(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0)
		exit(2);
	*ret_n = (size_t)ftell(f);
	uint8_t *p = malloc(*ret_n);
	rewind(f);
	if (*ret_n && (!p || fread(p, 1, *ret_n, f) != *ret_n))
		exit(2);
	fclose(f);
	return p;
}

static void put_end(enum gh_code code, const struct gh_err *err, const struct gh_unpacked *u, bool full)
{
	fprintf(stderr,
		"{\"code\":\"%s\",\"at\":%llu,\"what\":\"%s\",\"in\":%llu,\"out\":%llu,\"streams\":%llu,\"ended\":%d,"
		"\"full\":%d}\n",
		gh_code_word(code), (unsigned long long)(code ? err->at : 0), code ? err->what : "",
		(unsigned long long)u->in, (unsigned long long)u->out, (unsigned long long)u->streams, u->ended, full);
}

int main(int argc, char **argv)
{
	static const struct gh_ctx_ops ops = {no_emit, put_note};
	if (argc < 5)
		return 2;
	const struct kind *k = kinds;
	while (k < kinds + GH_COUNT(kinds) && strcmp(k->name, argv[1]) != 0)
		k++;
	if (k == kinds + GH_COUNT(kinds))
		return 2;
	args = argv + 5;
	const char *memory = getenv("GH_MEMORY"), *budget = getenv("GH_BUDGET");
	struct gh_arena arena;
	gh_arena_init(&arena, memory ? strtoull(memory, NULL, 0) : 0);
	struct gh_budget b = {budget ? strtoull(budget, NULL, 0) : UINT64_MAX, 1 << 20, NULL};
	struct gh_ctx ctx = {&arena, &b, &ops};
	struct gh_err err = {0};
	struct gh_unpacked u = {0};
	size_t n, cap = strtoull(argv[3], NULL, 0);
	uint8_t *in = load(argv[4], &n);
	bool whole = argv[2][0] == 'w', fill = argv[2][0] == 'f';
	struct gh_sink sink = {.write = to_stdout, .buf = whole || fill ? malloc(cap) : NULL, .cap = fill ? cap : 0};
	enum gh_code code;
	if (whole) {
		code = k->whole(&ctx, in, n, sink.buf, cap, &sink.len, 1000, &err);
		u.out = sink.len;
	} else {
		struct gh_source *src = gh_source_memory(&arena, in, n);
		code = k->pour(&ctx, src, 0, n, fill ? UINT64_MAX : cap, &sink, &u, &err);
	}
	fwrite(sink.buf ? sink.buf : in, 1, sink.len, stdout);
	put_end(code, &err, &u, sink.full);
	free(sink.buf);
	free(in);
	gh_arena_done(&arena);
	return 0;
}
