/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP archives (PKWARE APPNOTE 6.3.x), as Android's APK, APEX and OTA packages use them. The central directory is the authority;
 * what local headers say against it is a fact. */
#include "formats/zip/zip.h"

enum {
	WINDOW = 256 << 10, /* the longest record, 46 + 3 * 65535 bytes, fits */
	AHEAD = 16 << 10, /* read at a local header: small members follow one another in it */
};

/* ---- bid ---- */

static bool head_is_zip(const struct gh_probe *probe)
{
	static const char marks[][5] = {"PK\3\4", "PK\7\10", "PK00"}; /* the last two: begin of a split archive */
	for (size_t i = 0; i < GH_COUNT(marks); i++) {
		size_t skip = i ? 4 : 0;
		struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
		const uint8_t *p = gh_bytes(&c, 4);
		if (!p || memcmp(p, marks[i], 4))
			continue;
		gh_seek(&c, skip);
		if (gh_u32(&c) == ZIP_SIG_LOCAL)
			return true;
	}
	return false;
}

/* An end record whose comment ends where the artifact ends, and which has room for its directory. */
static bool tail_is_zip(const struct gh_probe *probe)
{
	for (size_t i = probe->tail_len; i-- > 0;) {
		if (probe->tail_len - i < ZIP_END || probe->tail[i] != 'P')
			continue;
		uint64_t at = probe->size - probe->tail_len + i;
		struct gh_cursor c = gh_cursor(probe->tail + i, probe->tail_len - i, at);
		if (gh_u32(&c) != ZIP_SIG_END)
			continue;
		gh_skip(&c, 8);
		uint64_t size = gh_u32(&c), off = gh_u32(&c), comment = gh_u16(&c);
		bool fits = off + size <= at || size == UINT32_MAX || off == UINT32_MAX;
		if (fits && comment == gh_left(&c))
			return true;
	}
	return false;
}

static enum gh_bid zip_bid(const struct gh_probe *probe)
{
	int n = head_is_zip(probe) + tail_is_zip(probe);
	return n == 2 ? GH_BID_PROVEN : n ? GH_BID_MAGIC : GH_BID_NO;
}

/* ---- listing ---- */

static enum gh_code zip_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct zip *z = state;
	z->src = src;
	z->central = (struct gh_window){.src = src, .cap = WINDOW, .step = WINDOW};
	z->spot = (struct gh_window){.src = src, .cap = WINDOW};
	z->local = (struct gh_window){.src = src, .cap = WINDOW, .step = AHEAD};
	enum gh_code code = zip_end_find(ctx, src, &z->end, err);
	z->pos = z->end.central;
	z->walking = !z->end.found;
	return code;
}

static enum gh_code zip_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct zip *z = state;
	(void)err;
	if (z->end.found)
		zip_end_facts(ctx, z);
	else
		gh_note(ctx, GH_BAD, z->src->size, "no central directory: members are found by their local headers");
	if (z->end.overlap)
		gh_note(ctx, GH_BAD, z->end.central,
			"the central directory is longer than the room before its end record");
	return GH_OK;
}

/* Compares the member with its local header and descriptor, claims its bytes. */
static enum gh_code claim(
	struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct zip_local *l, struct gh_err *err)
{
	uint64_t end;
	zip_compare(ctx, z, e, l);
	end = l->data + gh_min(e->csize, z->src->size - l->data);
	struct zip_span span = {e->local, end, gh_str_hash(e->name), e->at};
	if ((l->flags | e->flags) & ZIP_FLAG_DESCRIPTOR) {
		struct zip_local d;
		enum gh_code code = zip_descriptor_read(ctx, z, end, e, &d, &span.end, err);
		if (code == GH_OK)
			zip_compare_descriptor(ctx, e, &d);
		else if (code != GH_END)
			return code;
	}
	return zip_span_add(ctx, z, span, err);
}

/* A member of the directory: its local header, what they disagree in, its content. */
static enum gh_code member(
	struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, struct gh_child *ret, struct gh_err *err)
{
	struct zip_local l;
	enum gh_code code = zip_local_read(ctx, z, e->local, &l, err);
	if (code == GH_BAD || code == GH_SHORT) {
		zip_note(ctx, z, code, e->at, "no local header at %" PRIu64, e->local);
		zip_compare(ctx, z, e, NULL);
		return zip_child(ctx, z, e, NULL, ret, err);
	}
	if (code == GH_OK)
		code = claim(ctx, z, e, &l, err);
	return code ? code : zip_child(ctx, z, e, &l, ret, err);
}

/* The next thing in a damaged directory that looks like a record. */
static enum gh_code resync(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	uint64_t stop = z->end.central + z->end.central_size;
	for (uint64_t at = z->pos + 1; at < stop && stop - at >= ZIP_CENTRAL;) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(4096, stop - at);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&z->central, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		const uint8_t *hit = memmem(p, n, "PK\1\2", 4);
		if (hit) {
			z->pos = at + (size_t)(hit - p);
			return GH_OK;
		}
		at += n - 3;
	}
	z->pos = stop;
	return GH_OK;
}

static enum gh_code close_directory(struct gh_ctx *ctx, struct zip *z, struct gh_err *err)
{
	uint64_t mask = z->end.zip64 ? UINT64_MAX : 0xffff;
	if (!z->damaged && (z->n & mask) != (z->end.count & mask))
		gh_note(ctx, GH_BAD, z->end.at, "the directory holds %" PRIu64 " members, its end record says %" PRIu64,
			z->n, z->end.count);
	enum gh_code code = zip_close_facts(ctx, z, err);
	if (code)
		return code;
	z->ended = !z->damaged || z->over;
	z->walking = true;
	z->pos = 0;
	return GH_OK;
}

/* The next record of the directory; GH_END behind the last. */
static enum gh_code next_record(struct gh_ctx *ctx, struct zip *z, struct zip_entry *ret, struct gh_err *err)
{
	for (;;) {
		uint64_t stop = z->end.central + z->end.central_size;
		if (z->pos >= stop)
			return GH_END;
		enum gh_code code = zip_central_read(ctx, z, &z->central, z->pos, ret, err);
		if (code == GH_OK)
			z->pos += ret->len;
		if (code != GH_BAD && code != GH_SHORT)
			return code;
		z->damaged = true;
		zip_note(ctx, z, code, err->at, "%s", err->what);
		code = resync(ctx, z, err);
		if (code)
			return code;
	}
}

static enum gh_code zip_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct zip *z = state;
	struct zip_entry e;
	struct zip_local l;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, z->pos, err);
	if (code)
		return code;
	if (!z->walking) {
		code = next_record(ctx, z, &e, err);
		if (code == GH_OK) {
			z->n++;
			return member(ctx, z, &e, ret, err);
		}
		if (code == GH_END)
			code = close_directory(ctx, z, err);
		if (code)
			return code;
	}
	if (z->ended)
		return GH_END;
	code = zip_walk(ctx, z, &e, &l, err);
	return code ? code : zip_child(ctx, z, &e, &l, ret, err);
}

/* Members with their headers, the directory, the end records: once the directory was read to its end. */
static bool zip_claims(struct gh_ctx *ctx, void *state, void (*mine)(void *to, uint64_t off, uint64_t len), void *to)
{
	const struct zip *z = state;
	(void)ctx;
	if (!z->flat || z->over)
		return false;
	for (size_t i = 0; i < z->n_spans; i++)
		if (z->flat[i].end > z->flat[i].start)
			mine(to, z->flat[i].start, z->flat[i].end - z->flat[i].start);
	return true;
}

const struct gh_format gh_format_zip = {
	.name = "zip",
	.title = "ZIP archive",
	.version = 1,
	.indexed = true,
	.state_size = sizeof(struct zip),
	.bid = zip_bid,
	.open = zip_open,
	.describe = zip_describe,
	.next = zip_next,
	.data = zip_data,
	.pour = zip_pour,
	.claims = zip_claims,
};
