/* SPDX-License-Identifier: Apache-2.0 */
/* A partition as a map over what its operations deliver, and what is wrong with them. */
#include "base/num.h"
#include "base/sort.h"
#include "formats/payload/payload.h"

enum { NOTES_MAX = 16 }; /* of one partition: the rest is counted */

/* A stretch of the partition that one extent of an operation writes. */
struct stretch {
	uint64_t start, n; /* blocks */
	uint64_t from; /* in the space of pieces, bytes */
	uint64_t at; /* of the operation's message */
	uint32_t op;
	uint8_t type;
	uint8_t lost; /* the code with which its reads fail, or 0 */
};

struct maker {
	struct gh_ctx *ctx;
	struct gh_ctx *say;
	const struct payload *p;
	const struct payload_partition *part;
	struct payload_pieces *pieces;
	struct stretch *list;
	size_t n;
	bool has_plain, has_packed;
	unsigned notes;
	struct gh_source *plain, *packed;
	struct gh_extent *ext;
	size_t n_ext;
};

static bool may_say(struct maker *k)
{
	if (!k->say || k->notes > NOTES_MAX)
		return false;
	if (k->notes++ < NOTES_MAX)
		return true;
	gh_note(k->say, GH_BAD, k->part->at, "%.*s: more is wrong with its operations",
		(int)gh_min(k->part->name.n, 64), k->part->name.p);
	return false;
}

#define SAY(k, code, at, ...)                                                                                          \
	do {                                                                                                           \
		if (may_say(k))                                                                                        \
			gh_note((k)->say, code, at, __VA_ARGS__);                                                      \
	} while (0)

static bool is_fill(uint64_t type)
{
	return type == PAYLOAD_ZERO || type == PAYLOAD_DISCARD;
}

/* ---- pieces ---- */

/* Can its bytes be had? GH_OK, or why not. */
static enum gh_code op_check(struct maker *k, const struct payload_op *op, uint32_t i, uint64_t size)
{
	const struct payload *p = k->p;
	bool packed = op->type != PAYLOAD_REPLACE || op->length != size;
	uint64_t at;
	if (!gh_add(p->data_at, op->data, &at) || !gh_within(at, op->length, p->src->size)) {
		SAY(k, GH_SHORT, op->at, "operation %u: its data, %llu bytes from %llu on, lies behind the end", i,
			(unsigned long long)op->length, (unsigned long long)op->data);
		return GH_SHORT;
	}
	if (op->type == PAYLOAD_REPLACE && (op->length > size || size - op->length >= p->block_size)) {
		SAY(k, GH_BAD, op->at, "operation %u: %llu bytes of data, it is to write %llu", i,
			(unsigned long long)op->length, (unsigned long long)size);
		return GH_BAD;
	}
	if (packed && (size > PAYLOAD_OP_MAX || op->length > PAYLOAD_PACKED_MAX)) {
		SAY(k, GH_LIMIT, op->at, "operation %u: %llu bytes packed, %llu unpacked: more than is held", i,
			(unsigned long long)op->length, (unsigned long long)size);
		return GH_LIMIT;
	}
	return GH_OK;
}

static void add_piece(struct maker *k, const struct payload_op *op, uint32_t i, uint64_t size)
{
	struct payload_pieces *s = k->pieces;
	bool plain = op->type == PAYLOAD_REPLACE && op->length == size;
	s->list[s->n++] = (struct payload_piece){.at = s->size,
		.size = size,
		.data = k->p->data_at + op->data,
		.length = op->length,
		.sha256 = op->sha256,
		.op = i,
		.type = (uint8_t)op->type};
	s->size += size;
	s->largest = plain ? s->largest : gh_max(s->largest, size);
	k->has_plain |= plain;
	k->has_packed |= !plain;
}

static enum gh_code add_op(struct maker *k, const struct payload_op *op, uint32_t i, struct gh_err *err)
{
	uint64_t size = op->dst * k->p->block_size, from = k->pieces->size;
	uint8_t lost = 0;
	if (!is_fill(op->type) && size) {
		lost = (uint8_t)op_check(k, op, i, size);
		if (!lost)
			add_piece(k, op, i, size);
	}
	struct gh_cursor c = op->box;
	struct payload_extent e;
	enum gh_code code;
	while ((code = payload_dst_next(k->ctx, &c, &e, err)) == GH_OK) {
		if (e.n)
			k->list[k->n++] = (struct stretch){e.start, e.n, from, op->at, i, (uint8_t)op->type, lost};
		from += e.n * k->p->block_size;
	}
	return code == GH_END ? GH_OK : code;
}

static enum gh_code collect(struct maker *k, struct gh_err *err)
{
	struct gh_cursor c = k->part->box;
	struct payload_op op;
	enum gh_code code = GH_OK;
	for (uint32_t i = 0; code == GH_OK; i++) {
		code = payload_op_next(k->ctx, &c, &op, err);
		if (code == GH_OK)
			code = add_op(k, &op, i, err);
	}
	return code == GH_END ? GH_OK : code;
}

/* ---- the map ---- */

static bool before(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;
	return x->start != y->start ? x->start < y->start : x->op < y->op;
}

/* Which of two would hold depends on their order on the device: neither is guessed. */
static enum gh_code overlap(const struct maker *k, struct gh_err *err)
{
	for (size_t i = 1; i < k->n; i++) {
		const struct stretch *a = &k->list[i - 1], *b = &k->list[i];
		if (b->start - a->start < a->n)
			return gh_fail(err, GH_BAD, b->at, "operations %u and %u both write block %llu", a->op, b->op,
				(unsigned long long)b->start);
	}
	return GH_OK;
}

static enum gh_code add_missing(
	struct maker *k, uint64_t at, uint64_t len, enum gh_code code, const char *what, struct gh_err *err)
{
	struct gh_source *lost = gh_source_missing(k->ctx->arena, len, code, what);
	if (!lost)
		return gh_fail(err, GH_NOMEM, k->part->at, "no memory for a partition's extents");
	k->ext[k->n_ext++] = (struct gh_extent){.at = at, .len = len, .below = lost};
	return GH_OK;
}

static enum gh_code add_gap(struct maker *k, uint64_t at, uint64_t end, struct gh_err *err)
{
	if (at >= end)
		return GH_OK;
	SAY(k, GH_BAD, k->part->at, "%.*s: no operation writes its bytes %llu to %llu",
		(int)gh_min(k->part->name.n, 48), k->part->name.p, (unsigned long long)at, (unsigned long long)end - 1);
	return add_missing(k, at, end - at, GH_BAD, "no operation of the payload writes these bytes", err);
}

static enum gh_code add_stretch(struct maker *k, const struct stretch *s, uint64_t size, struct gh_err *err)
{
	uint64_t at = s->start * k->p->block_size, len = s->n * k->p->block_size;
	if (at >= size || size - at < len) {
		/* The last block may go over the end of a partition that is no multiple of it. */
		if (at >= size || len - (size - at) >= k->p->block_size)
			SAY(k, GH_BAD, s->at, "operation %u writes behind the partition's %llu bytes", s->op,
				(unsigned long long)size);
		len = at >= size ? 0 : size - at;
	}
	if (!len)
		return GH_OK;
	if (s->lost)
		return add_missing(k, at, len, s->lost, "an operation of the payload cannot be carried out", err);
	struct gh_extent *e = &k->ext[k->n_ext++];
	*e = (struct gh_extent){.at = at, .len = len};
	if (is_fill(s->type))
		return GH_OK;
	/* Plain pieces are told from packed ones by what lies in them. */
	e->from = s->from;
	size_t lo = 0, hi = k->pieces->n;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (k->pieces->list[mid].at <= s->from)
			lo = mid;
		else
			hi = mid;
	}
	const struct payload_piece *p = &k->pieces->list[lo];
	e->below = p->type == PAYLOAD_REPLACE && p->length == p->size ? k->plain : k->packed;
	return GH_OK;
}

static enum gh_code map(struct maker *k, uint64_t size, struct gh_source **ret, struct gh_err *err)
{
	uint64_t at = 0;
	enum gh_code code = GH_OK;
	for (size_t i = 0; code == GH_OK && i < k->n; i++) {
		const struct stretch *s = &k->list[i];
		uint64_t start = s->start * k->p->block_size;
		code = add_gap(k, at, gh_min(start, size), err);
		if (code == GH_OK)
			code = add_stretch(k, s, size, err);
		at = start + s->n * k->p->block_size;
	}
	if (code == GH_OK)
		code = add_gap(k, at, size, err);
	return code ? code : gh_source_map(k->ctx->arena, k->ext, k->n_ext, size, ret, err);
}

static bool allocate(struct maker *k)
{
	struct gh_arena *a = k->ctx->arena;
	k->pieces = gh_alloc(a, sizeof *k->pieces);
	k->list = gh_alloc_array(a, gh_max(k->part->extents, 1), sizeof *k->list);
	k->ext = gh_alloc_array(a, 2 * (size_t)k->part->extents + 1, sizeof *k->ext);
	if (!k->pieces || !k->list || !k->ext)
		return false;
	*k->pieces = (struct payload_pieces){.src = k->p->src, .arena = a, .block_size = k->p->block_size};
	k->pieces->list = gh_alloc_array(a, gh_max(k->part->ops, 1), sizeof *k->pieces->list);
	return k->pieces->list != NULL;
}

enum gh_code payload_image(struct gh_ctx *ctx, const struct payload *p, const struct payload_partition *part,
	struct gh_ctx *say, struct gh_source **ret, struct gh_err *err)
{
	struct maker k = {.ctx = ctx, .say = say, .p = p, .part = part};
	if (!allocate(&k))
		return gh_fail(err, GH_NOMEM, part->at, "no memory for %u operations", part->ops);
	enum gh_code code = collect(&k, err);
	if (code)
		return code;
	gh_sort(k.list, k.n, sizeof *k.list, before);
	code = overlap(&k, err);
	if (code)
		return code;
	if (k.has_plain)
		k.plain = payload_plain(k.pieces);
	if (k.has_packed)
		k.packed = payload_packed(k.pieces);
	if ((k.has_plain && !k.plain) || (k.has_packed && !k.packed))
		return gh_fail(err, GH_NOMEM, part->at, "no memory for operations of %llu bytes",
			(unsigned long long)k.pieces->largest);
	return map(&k, payload_size(p, part), ret, err);
}
