/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP: central directory records, local headers, data descriptors (APPNOTE 4.3.7, 4.3.9, 4.3.12, 4.5.3). */
#include "formats/zip/zip.h"

enum { EXTRA64 = 1 };

/* The zip64 field gives, in this order, those of its values that the 32-bit fields leave open. False: one is open still. */
static bool extra64(struct gh_cursor extra, uint64_t *size, uint64_t *csize, uint64_t *off)
{
	uint64_t *open[] = {size, csize, off};
	bool left = false;
	for (size_t i = 0; i < GH_COUNT(open); i++)
		left |= open[i] && *open[i] == UINT32_MAX;
	while (left && !extra.bad && gh_left(&extra) >= 4) {
		uint16_t id = gh_u16(&extra);
		struct gh_cursor box = gh_sub(&extra, gh_u16(&extra));
		if (id != EXTRA64)
			continue;
		for (size_t i = 0; i < GH_COUNT(open); i++)
			if (open[i] && *open[i] == UINT32_MAX)
				*open[i] = gh_u64(&box);
		return !box.bad;
	}
	return !left;
}

/* Reads what lies behind a record's fixed part; the name is valid until the window's next use. */
static enum gh_code record_tail(struct gh_ctx *ctx, struct gh_window *w, uint64_t at, size_t fixed, size_t name,
	size_t extra, struct gh_cursor *ret, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_window_get(w, ctx->arena, at, fixed + name + extra, &p, err);
	if (code == GH_OK)
		*ret = gh_cursor(p + fixed, name + extra, at + fixed);
	return code;
}

enum gh_code zip_central_read(
	struct gh_ctx *ctx, struct zip *z, struct gh_window *w, uint64_t at, struct zip_entry *ret, struct gh_err *err)
{
	const uint8_t *p;
	uint64_t stop = z->end.central + z->end.central_size;
	if (stop - at < ZIP_CENTRAL)
		return gh_fail(err, GH_SHORT, at, "the central directory ends inside a record");
	enum gh_code code = gh_window_get(w, ctx->arena, at, ZIP_CENTRAL, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, ZIP_CENTRAL, at);
	if (gh_u32(&c) != ZIP_SIG_CENTRAL)
		return gh_fail(err, GH_BAD, at, "no central directory record where one must be");
	*ret = (struct zip_entry){.at = at};
	gh_skip(&c, 4);
	ret->flags = gh_u16(&c);
	ret->method = gh_u16(&c);
	gh_skip(&c, 4);
	ret->crc = gh_u32(&c);
	ret->csize = gh_u32(&c);
	ret->size = gh_u32(&c);
	uint16_t name = gh_u16(&c), extra = gh_u16(&c), comment = gh_u16(&c);
	gh_skip(&c, 8);
	ret->local = gh_u32(&c);
	ret->len = (size_t)ZIP_CENTRAL + name + extra + comment;
	if (stop - at < ret->len)
		return gh_fail(err, GH_SHORT, at, "the central directory ends inside a record");
	struct gh_cursor tail = {0};
	code = record_tail(ctx, w, at, ZIP_CENTRAL, name, extra, &tail, err);
	if (code)
		return code;
	ret->name = gh_strn(gh_bytes(&tail, name), name);
	ret->bad64 = !extra64(gh_sub(&tail, extra), &ret->size, &ret->csize, &ret->local);
	if (!gh_add(ret->local, z->end.base, &ret->local))
		ret->local = UINT64_MAX;
	return GH_OK;
}

enum gh_code zip_local_read(struct gh_ctx *ctx, struct zip *z, uint64_t at, struct zip_local *ret, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_window_get(&z->local, ctx->arena, at, ZIP_LOCAL, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, ZIP_LOCAL, at);
	if (gh_u32(&c) != ZIP_SIG_LOCAL)
		return gh_fail(err, GH_BAD, at, "no local header where the directory says");
	*ret = (struct zip_local){0};
	gh_skip(&c, 2);
	ret->flags = gh_u16(&c);
	ret->method = gh_u16(&c);
	gh_skip(&c, 4);
	ret->crc = gh_u32(&c);
	ret->csize = gh_u32(&c);
	ret->size = gh_u32(&c);
	uint16_t name = gh_u16(&c), extra = gh_u16(&c);
	ret->data = at + ZIP_LOCAL + name + extra;
	struct gh_cursor tail = {0};
	code = record_tail(ctx, &z->local, at, ZIP_LOCAL, name, extra, &tail, err);
	if (code)
		return code;
	ret->name = gh_strn(gh_bytes(&tail, name), name);
	(void)extra64(gh_sub(&tail, extra), &ret->size, &ret->csize, NULL);
	return GH_OK;
}

/* One of the four layouts: with or without a signature, sizes in 32 or 64 bits. True when it says what the directory says. */
static bool descriptor_parse(
	const uint8_t *p, size_t n, bool signature, bool wide, const struct zip_entry *e, struct zip_local *ret)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	*ret = (struct zip_local){0};
	if (signature && gh_u32(&c) != ZIP_SIG_DESCRIPTOR)
		return false;
	ret->crc = gh_u32(&c);
	ret->csize = wide ? gh_u64(&c) : gh_u32(&c);
	ret->size = wide ? gh_u64(&c) : gh_u32(&c);
	ret->data = c.i;
	return !c.bad && ret->csize == e->csize && ret->crc == e->crc && ret->size == e->size;
}

enum gh_code zip_descriptor_read(struct gh_ctx *ctx, struct zip *z, uint64_t data_end, const struct zip_entry *e,
	struct zip_local *ret, uint64_t *ret_end, struct gh_err *err)
{
	static const bool layouts[][2] = {{true, false}, {true, true}, {false, false}, {false, true}};
	const uint8_t *p;
	*ret_end = data_end;
	if (data_end >= z->src->size)
		return GH_END;
	size_t n = (size_t)gh_min(24, z->src->size - data_end);
	enum gh_code code = gh_window_get(&z->local, ctx->arena, data_end, n, &p, err);
	if (code)
		return code;
	for (size_t i = 0; i < GH_COUNT(layouts); i++)
		if (descriptor_parse(p, n, layouts[i][0], layouts[i][1], e, ret)) {
			*ret_end = data_end + ret->data;
			return GH_OK;
		}
	/* A signed one that contradicts the directory: 64 bits wide if its packed size agrees so, else 32. Where both agree (the
	 * upper half, or the size, is zero) two bytes or less are an empty member's. */
	struct gh_cursor c = gh_cursor(p, n, data_end);
	if (gh_u32(&c) != ZIP_SIG_DESCRIPTOR || n < 16)
		return GH_END;
	(void)descriptor_parse(p, n, true, true, e, ret);
	if (n < 24 || ret->csize != e->csize || e->csize <= 2)
		(void)descriptor_parse(p, n, true, false, e, ret);
	*ret_end = data_end + ret->data;
	return GH_OK;
}
