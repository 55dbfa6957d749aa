/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP: the end of central directory record and its zip64 forms (APPNOTE 4.3.14 to 4.3.16). */
#include "formats/zip/zip.h"

/* The fields of an end record that decide where the directory is; absolute only after place(). */
struct fields {
	uint32_t disk, central_disk;
	uint64_t count, size, off;
	uint16_t comment_len;
};

/* All of n bytes at `at`. What lies outside is an answer; a read that fails is not, and ends the search. */
static bool get(struct gh_source *src, uint64_t at, uint8_t *buf, size_t n, struct zip_end *end)
{
	struct gh_err err = {0};
	enum gh_code code = gh_read(src, at, buf, n, &err);
	if (code && code != GH_SHORT)
		end->fault = err;
	return code == GH_OK;
}

static struct fields end_parse(const uint8_t *p, uint64_t at)
{
	struct gh_cursor c = gh_cursor(p, ZIP_END, at);
	struct fields f = {0};
	gh_skip(&c, 4);
	f.disk = gh_u16(&c);
	f.central_disk = gh_u16(&c);
	gh_skip(&c, 2);
	f.count = gh_u16(&c);
	f.size = gh_u32(&c);
	f.off = gh_u32(&c);
	f.comment_len = gh_u16(&c);
	return f;
}

/* Reads the zip64 end record at `at` and takes from it every field that the end record gives up. */
static bool end64_parse(struct gh_source *src, uint64_t at, struct fields *f, struct zip_end *end)
{
	uint8_t buf[ZIP_END64];
	if (!get(src, at, buf, sizeof buf, end))
		return false;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
	if (gh_u32(&c) != ZIP_SIG_END64)
		return false;
	uint64_t size = gh_u64(&c), sum;
	gh_skip(&c, 4);
	uint32_t disk = gh_u32(&c), central_disk = gh_u32(&c);
	gh_skip(&c, 8);
	uint64_t count = gh_u64(&c), central_size = gh_u64(&c), off = gh_u64(&c);
	if (!gh_add(size, 12, &sum) || size < ZIP_END64 - 12 || !gh_within(at, sum, end->at))
		return false;
	f->disk = f->disk == 0xffff ? disk : f->disk;
	f->central_disk = f->central_disk == 0xffff ? central_disk : f->central_disk;
	f->count = f->count == 0xffff ? count : f->count;
	f->size = f->size == UINT32_MAX ? central_size : f->size;
	f->off = f->off == UINT32_MAX ? off : f->off;
	end->zip64 = true;
	end->at64 = at;
	end->size64 = sum;
	return true;
}

static void end64_find(struct gh_source *src, struct fields *f, struct zip_end *end)
{
	uint8_t buf[ZIP_LOCATOR];
	if (end->at < ZIP_LOCATOR || !get(src, end->at - ZIP_LOCATOR, buf, sizeof buf, end))
		return;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, end->at - ZIP_LOCATOR);
	if (gh_u32(&c) != ZIP_SIG_LOCATOR)
		return;
	gh_skip(&c, 4);
	/* Behind bytes that were put before the archive the locator's offset is wrong: then the record lies right before it. */
	if (!end64_parse(src, gh_u64(&c), f, end) && end->at >= ZIP_LOCATOR + ZIP_END64)
		(void)end64_parse(src, end->at - ZIP_LOCATOR - ZIP_END64, f, end);
}

static bool has_signature(struct gh_source *src, uint64_t at, struct zip_end *end)
{
	uint8_t buf[4];
	if (!get(src, at, buf, sizeof buf, end))
		return false;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
	return gh_u32(&c) == ZIP_SIG_CENTRAL;
}

/* Finds the directory: where the record says, as Android reads it; else right before the end, as most others do. */
static bool place(struct gh_source *src, const struct fields *f, struct zip_end *end)
{
	uint64_t stop = end->zip64 ? end->at64 : end->at, sum;
	uint64_t start = f->off;
	if (f->count == 0 && f->size == 0)
		start = gh_min(f->off, stop);
	else if (!(start < stop && has_signature(src, start, end))) {
		if (!gh_add(f->off, f->size, &sum) || sum > stop)
			return false;
		start = stop - f->size;
		if (start == f->off || !has_signature(src, start, end))
			return false;
		end->base = start - f->off;
	}
	end->central = start;
	end->central_size = gh_min(f->size, stop - start);
	end->overlap = end->central_size < f->size;
	end->count = f->count;
	end->comment_len = f->comment_len;
	end->found = true;
	return true;
}

/* Tries the end record at p, which lies at `at`. */
static bool try_end(struct gh_source *src, const uint8_t *p, uint64_t at, struct zip_end *ret)
{
	struct zip_end end = {.at = at};
	struct fields f = end_parse(p, at);
	if (f.comment_len > src->size - at - ZIP_END)
		return false;
	end64_find(src, &f, &end);
	bool ok = place(src, &f, &end);
	if (ok)
		*ret = end;
	else if (end.fault.code)
		ret->fault = end.fault;
	return ok;
}

/* From the end backwards over [0, n) of the tail, which lies at `base`. At most one in four bytes can begin a signature, and each
 * candidate costs three small reads: the work is bounded by the 64 KiB. */
static bool search(
	struct gh_ctx *ctx, struct gh_source *src, const uint8_t *tail, size_t n, uint64_t base, struct zip_end *ret)
{
	for (size_t i = n - ZIP_END + 1; i-- > 0;) {
		if (tail[i] != 'P' || memcmp(tail + i, "PK\5\6", 4))
			continue;
		if (ret->fault.code || gh_spend_steps(ctx->budget, 1, base + i, &ret->fault))
			return false;
		if (try_end(src, tail + i, base + i, ret))
			return true;
	}
	return false;
}

enum gh_code zip_end_find(struct gh_ctx *ctx, struct gh_source *src, struct zip_end *ret, struct gh_err *err)
{
	uint8_t last[ZIP_END];
	*ret = (struct zip_end){0};
	if (src->size < ZIP_END)
		return GH_OK;
	/* Mostly there is no comment: then one small read finds it. */
	enum gh_code code = gh_read(src, src->size - ZIP_END, last, sizeof last, err);
	if (code)
		return code;
	if (!memcmp(last, "PK\5\6", 4) && try_end(src, last, src->size - ZIP_END, ret))
		return GH_OK;
	size_t n = (size_t)gh_min(src->size, ZIP_TAIL);
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	const uint8_t *tail;
	code = gh_view(src, ctx->arena, src->size - n, n, &tail, err);
	if (code == GH_OK)
		(void)search(ctx, src, tail, n, src->size - n, ret);
	gh_arena_release(ctx->arena, mark);
	if (code == GH_OK && !ret->found && ret->fault.code) {
		*err = ret->fault;
		return err->code;
	}
	return code;
}

/* A second end record before the one in use makes two archives of one file, for two readers. */
static void other_ends(struct gh_ctx *ctx, struct zip *z, const uint8_t *tail, size_t n, uint64_t base)
{
	for (size_t i = n - ZIP_END + 1; i-- > 0;) {
		struct zip_end other = {0};
		if (tail[i] != 'P' || memcmp(tail + i, "PK\5\6", 4) || base + i == z->end.at)
			continue;
		if (gh_spend_steps(ctx->budget, 1, base + i, NULL))
			return;
		if (try_end(z->src, tail + i, base + i, &other) && other.count)
			GH_EMIT(ctx, zip_facts, base + i, .kind = GH_STR("end"),
				.central = gh_str_fmt(ctx->arena, "%llu", (unsigned long long)z->end.at),
				.local = gh_str_fmt(ctx->arena, "%llu", (unsigned long long)other.at));
	}
}

void zip_end_facts(struct gh_ctx *ctx, struct zip *z)
{
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	const uint8_t *p;
	size_t n = (size_t)gh_min(z->src->size, ZIP_TAIL);
	if (z->end.comment_len &&
		gh_view(z->src, ctx->arena, z->end.at + ZIP_END, z->end.comment_len, &p, NULL) == GH_OK)
		GH_EMIT(ctx, zip_facts, z->end.at + ZIP_END, .kind = GH_STR("comment"),
			.central = gh_strn(p, z->end.comment_len));
	if (z->end.base)
		GH_EMIT(ctx, zip_facts, 0, .kind = GH_STR("base"),
			.central = gh_str_fmt(ctx->arena, "%llu", (unsigned long long)z->end.base));
	if (n >= ZIP_END && gh_view(z->src, ctx->arena, z->src->size - n, n, &p, NULL) == GH_OK)
		other_ends(ctx, z, p, n, z->src->size - n);
	gh_arena_release(ctx->arena, mark);
}
