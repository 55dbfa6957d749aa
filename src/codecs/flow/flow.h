/* SPDX-License-Identifier: Apache-2.0 */
/* What the stream codecs share: bounded windows of input and output around a library that takes some bytes and makes some, and an
 * allocator for such libraries. */
#ifndef GH_CODECS_FLOW_FLOW_H
#define GH_CODECS_FLOW_FLOW_H

#include "tree/plugin.h"

/* How unpacking went; filled on success and on failure. */
struct gh_unpacked {
	uint64_t in; /* bytes of input used, up to and with the last of the last stream */
	uint64_t out; /* bytes delivered */
	uint64_t streams; /* streams or frames that were begun */
	bool ended; /* the last stream's own end was reached; false with GH_OK: there is more than `most` */
};

/* Memory for a library: from the arena, and what it frees is used again. */
struct gh_pool {
	struct gh_arena *arena;
	struct gh_pool_block *free;
};

void *gh_pool_alloc(struct gh_pool *pool, size_t n) GH_MUST;
void gh_pool_free(struct gh_pool *pool, void *p);

enum { GH_FLOW_HEAD = 32 }; /* what begin() sees of a stream, where there is as much; of the first 4096 */

/* One piece of work: the codec moves in, out and the counts. */
struct gh_flow {
	struct gh_ctx *ctx;
	struct gh_pool pool;
	const uint8_t *in;
	size_t n; /* at in */
	uint8_t *out;
	size_t room; /* at out; at least 1 */
	uint64_t at; /* where in[0] lies in the source: for errors; moved between calls only */
	uint64_t
		skip; /* set by begin(): so many bytes (as far as they are there) are stepped over, and no stream begins */
	bool last; /* nothing follows the n bytes */
	bool poor; /* set by gh_flow_no_memory() */
};

struct gh_codec {
	const char *name; /* for errors: "xz" */
	/* Does a stream begin at in[0..n)? GH_END: no. Takes nothing from in. */
	enum gh_code (*begin)(struct gh_flow *f, void *self, struct gh_err *err);
	/* GH_OK: goes on; GH_END: the stream's end. */
	enum gh_code (*step)(struct gh_flow *f, void *self, struct gh_err *err);
	/* After the last stream, and after a failed begin() too. May be NULL. */
	void (*end)(struct gh_flow *f, void *self);
};

/* Unpacks the streams that follow one another from `off` of src within n bytes, and delivers at most `most` bytes to the sink (NULL:
 * only measured), spending budget->bytes for them and a step a stream. Where no stream begins it stops with GH_OK and tells in ret->in
 * how far it came; where already the first is none, GH_BAD. GH_SHORT: a stream goes on behind the n bytes; GH_LIMIT: budget, sink or
 * memory. What came before an error stays delivered. Scratch memory is taken from the arena and given back: a sink's write() must not
 * keep anything there. */
enum gh_code gh_flow_pour(struct gh_ctx *ctx, const struct gh_codec *codec, void *self, struct gh_source *src,
	uint64_t off, uint64_t n, uint64_t most, struct gh_sink *sink, struct gh_unpacked *ret,
	struct gh_err *err) GH_MUST;

/* The first stream in in[0..n), which must begin there, to out[0..cap); *ret_n says how many bytes came, with errors too. What lies
 * behind the stream is not looked at. GH_LIMIT: out is full and the stream not over (who needs only the first bytes has them);
 * GH_SHORT: the input ends before the stream; GH_BAD. `at` is where the input lies, for errors. No budget is spent: cap is the
 * caller's. */
enum gh_code gh_flow_whole(struct gh_ctx *ctx, const struct gh_codec *codec, void *self, const uint8_t *in, size_t n,
	uint8_t *out, size_t cap, size_t *ret_n, uint64_t at, struct gh_err *err) GH_MUST;

/* GH_LIMIT, for a library that got no memory: what a header asks for is the input's doing. */
enum gh_code gh_flow_no_memory(struct gh_flow *f, const char *name, uint64_t need, struct gh_err *err);

#endif
