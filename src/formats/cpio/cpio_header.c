/* SPDX-License-Identifier: Apache-2.0 */
/* cpio: headers (Linux Documentation/driver-api/early-userspace/buffer-format.rst for newc; POSIX.1-1988 for odc). */
#include "formats/cpio/cpio.h"

enum {
	STEP = 16 << 10,
	FIELDS = 13,
};

static const uint8_t odc_fields[] = {
	6, 6, 6, 6, 6, 6, 6, 11, 6, 11}; /* dev ino mode uid gid nlink rdev mtime namesize filesize */

/* A number of n digits; 'bad' is set if one is none. */
static uint64_t digits(struct gh_cursor *c, size_t n, unsigned base, bool *bad)
{
	uint64_t v = 0;
	const uint8_t *p = gh_bytes(c, n);
	for (size_t i = 0; p && i < n; i++) {
		unsigned char ch = p[i];
		unsigned d = ch >= '0' && ch <= '9'                 ? ch - '0'
			     : (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10
								    : 99;
		*bad |= d >= base;
		v = v * base + d % base;
	}
	*bad |= !p;
	return v;
}

static enum gh_code kind(const uint8_t *p, bool *newc, bool *checked)
{
	*checked = !memcmp(p, "070702", 6);
	*newc = *checked || !memcmp(p, "070701", 6);
	return *newc || !memcmp(p, "070707", 6) ? GH_OK : GH_BAD;
}

/* Fields by their place: v[0..] as the format orders them. */
static bool fields(const uint8_t *p, size_t n, bool newc, uint64_t v[FIELDS])
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	bool bad = false;
	gh_skip(&c, 6);
	if (newc)
		for (size_t i = 0; i < FIELDS; i++)
			v[i] = digits(&c, 8, 16, &bad);
	else
		for (size_t i = 0; i < GH_COUNT(odc_fields); i++)
			v[i] = digits(&c, odc_fields[i], 8, &bad);
	return !bad;
}

bool cpio_header_ok(const uint8_t *p, size_t n)
{
	bool newc, checked;
	uint64_t v[FIELDS] = {0};
	return n >= CPIO_ODC && kind(p, &newc, &checked) == GH_OK && n >= (newc ? CPIO_NEWC : CPIO_ODC) &&
	       fields(p, n, newc, v) && v[newc ? 11 : 8] > 0;
}

static void fill_newc(const uint64_t v[FIELDS], struct cpio_entry *e, uint64_t *name)
{
	e->ino = v[0];
	e->mode = (uint32_t)v[1];
	e->uid = (uint32_t)v[2];
	e->gid = (uint32_t)v[3];
	e->nlink = (uint32_t)v[4];
	e->mtime = (int64_t)v[5];
	e->size = v[6];
	e->dev = v[7] << 32 | v[8];
	e->major = (uint32_t)v[9];
	e->minor = (uint32_t)v[10];
	*name = v[11];
	e->check = (uint32_t)v[12];
}

static void fill_odc(const uint64_t v[FIELDS], struct cpio_entry *e, uint64_t *name)
{
	e->dev = v[0];
	e->ino = v[1];
	e->mode = (uint32_t)v[2];
	e->uid = (uint32_t)v[3];
	e->gid = (uint32_t)v[4];
	e->nlink = (uint32_t)v[5];
	e->major = (uint32_t)v[6] >> 8; /* 18 bits hold the old 16-bit device number */
	e->minor = (uint32_t)v[6] & 0xff;
	e->mtime = (int64_t)v[7];
	*name = v[8];
	e->size = v[9];
}

/* Name and content lie behind the header; newc aligns both to 4, counted from the header. */
static enum gh_code place(struct gh_ctx *ctx, struct cpio *a, bool newc, size_t head, uint64_t name,
	struct cpio_entry *e, struct gh_err *err)
{
	const uint8_t *p;
	if (!name || name > CPIO_NAME_MAX)
		return gh_fail(err, GH_BAD, e->at, "a cpio name of %llu bytes", (unsigned long long)name);
	enum gh_code code = gh_window_get(&a->window, ctx->arena, e->at, head + (size_t)name, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, head + (size_t)name, e->at);
	gh_skip(&c, head);
	e->name = gh_text(&c, (size_t)name);
	uint64_t used = head + name, size = e->size;
	if (newc) {
		used = (used + 3) & ~(uint64_t)3;
		size = (size + 3) & ~(uint64_t)3; /* both are far below 2^64 */
	}
	e->data = gh_min(e->at + used, a->src->size);
	e->next = gh_min(e->at + used + size, a->src->size);
	e->trailer = gh_str_is(e->name, "TRAILER!!!");
	return GH_OK;
}

enum gh_code cpio_entry_read(
	struct gh_ctx *ctx, struct cpio *a, uint64_t at, struct cpio_entry *ret, struct gh_err *err)
{
	const uint8_t *p;
	bool newc, checked;
	uint64_t v[FIELDS] = {0}, name;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
	if (code == GH_OK)
		code = gh_window_get(&a->window, ctx->arena, at, CPIO_ODC, &p, err);
	if (code)
		return code;
	if (kind(p, &newc, &checked))
		return gh_fail(err, GH_BAD, at, "no cpio header where one must be");
	size_t head = newc ? CPIO_NEWC : CPIO_ODC;
	code = gh_window_get(&a->window, ctx->arena, at, head, &p, err);
	if (code)
		return code;
	if (!fields(p, head, newc, v))
		return gh_fail(err, GH_BAD, at, "a number in a cpio header is none");
	*ret = (struct cpio_entry){.at = at, .checked = checked};
	if (newc)
		fill_newc(v, ret, &name);
	else
		fill_odc(v, ret, &name);
	return place(ctx, a, newc, head, name, ret, err);
}

enum gh_code cpio_skip_zeros(struct gh_ctx *ctx, struct cpio *a, uint64_t at, uint64_t *ret, struct gh_err *err)
{
	while (at < a->src->size) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(STEP, a->src->size - at), i = 0;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&a->window, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		while (i < n && !p[i])
			i++;
		at += i;
		if (i < n)
			break;
	}
	*ret = at;
	return GH_OK;
}

enum gh_code cpio_find(struct gh_ctx *ctx, struct cpio *a, uint64_t at, uint64_t *ret, struct gh_err *err)
{
	while (gh_within(at, CPIO_ODC, a->src->size)) {
		const uint8_t *p;
		size_t n = (size_t)gh_min(STEP, a->src->size - at);
		size_t need =
			at + n == a->src->size ? CPIO_ODC : CPIO_NEWC; /* the last window is searched to its end */
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&a->window, ctx->arena, at, n, &p, err);
		if (code)
			return code;
		for (size_t i = 0; i + need <= n; i++) {
			const uint8_t *hit = memmem(p + i, n - i, "07070", 5);
			if (!hit || (i = (size_t)(hit - p)) + need > n)
				break;
			if (cpio_header_ok(hit, n - i)) {
				*ret = at + i;
				return GH_OK;
			}
		}
		at += n - need + 1;
	}
	*ret = a->src->size;
	return GH_OK;
}
