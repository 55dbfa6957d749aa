/* SPDX-License-Identifier: Apache-2.0 */
/* VDEX: the dex files of an app beside its precompiled code (runtime/vdex_file.h of AOSP; versions 006 and 010 of Android 8, 019 of 9,
 * 021 of 10 and 11, 027 since 12). */
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "inspectors/dex/dexfile.h"
#include "tree/plugin.h"

enum {
	DEX_FILES_MAX = 4096, /* large apps have some twenty */
	TEXT_MAX = 1 << 20, /* checksums and class loader contexts: some kilobytes */
	SECTIONS_MAX = 64, /* there are four kinds */
	SECTION_CHECKSUMS = 0,
	SECTION_DEX = 1,
	SECTION_DEPS = 2,
	SECTION = 12,
	HEAD = 28, /* the longest header before the checksums */
};

enum layout { PLAIN, SPLIT, SPLIT_CONTEXT, SECTIONS };

/* Where things lie. */
struct vdex {
	struct gh_source *src;
	enum layout layout;
	char version[4], dex_version[4]; /* with a zero; dex_version empty: it has none of its own */
	uint64_t n, checksums; /* dex files it was made from, offset of their checksums */
	uint64_t dex, dex_size, shared_size, quickening_size, deps_size;
	uint64_t boot_size, context_size, texts;
	uint64_t pos; /* of the next dex */
	unsigned i;
	char name[24];
};

/* ---- header ---- */

static bool head_read(struct vdex *v, uint64_t at, uint8_t *buf, size_t n, struct gh_err *err)
{
	if (gh_within(at, n, v->src->size))
		return gh_read(v->src, at, buf, n, err) == GH_OK;
	gh_fail(err, GH_SHORT, at, "vdex header ends too early");
	return false;
}

/* 006 and 010: one header, then checksums, then dex files. */
static bool plain_read(struct vdex *v, struct gh_cursor *c)
{
	v->n = gh_u32(c);
	v->dex_size = gh_u32(c);
	v->deps_size = gh_u32(c);
	v->quickening_size = gh_u32(c);
	v->checksums = 24;
	v->dex = v->checksums + v->n * 4;
	return true;
}

/* 019 and 021: verifier dependencies first; the dex section may be missing. */
static bool split_read(struct vdex *v, struct gh_cursor *c, struct gh_err *err)
{
	uint8_t buf[12];
	memcpy(v->dex_version, gh_bytes(c, 4), 4);
	v->n = gh_u32(c);
	v->deps_size = gh_u32(c);
	if (v->layout == SPLIT_CONTEXT) {
		v->boot_size = gh_u32(c);
		v->context_size = gh_u32(c);
	}
	v->checksums = v->layout == SPLIT_CONTEXT ? 28 : 20;
	v->dex = v->checksums + v->n * 4;
	if (memcmp(v->dex_version, "000", 4) == 0) {
		v->texts = v->dex + v->deps_size;
		return true;
	}
	if (memcmp(v->dex_version, "002", 4) != 0) {
		gh_fail(err, GH_UNSUP, 8, "dex section of version %.3s", v->dex_version);
		return false;
	}
	if (!head_read(v, v->dex, buf, sizeof buf, err))
		return false;
	struct gh_cursor d = gh_cursor(buf, sizeof buf, v->dex);
	v->dex_size = gh_u32(&d);
	v->shared_size = gh_u32(&d);
	v->quickening_size = gh_u32(&d);
	v->dex += sizeof buf;
	v->texts = v->dex + v->dex_size + v->shared_size + v->deps_size + v->quickening_size;
	return true;
}

static bool section_read(struct vdex *v, uint64_t at, struct gh_err *err)
{
	uint8_t buf[SECTION];
	if (!head_read(v, at, buf, sizeof buf, err))
		return false;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
	uint32_t kind = gh_u32(&c);
	uint64_t off = gh_u32(&c), size = gh_u32(&c);
	if (!gh_within(off, size, v->src->size)) {
		gh_fail(err, GH_SHORT, at, "section %u lies outside of the file", kind);
		return false;
	}
	if (kind == SECTION_CHECKSUMS) {
		v->n = size / 4;
		v->checksums = off;
	} else if (kind == SECTION_DEX) {
		v->dex = off;
		v->dex_size = size;
	} else if (kind == SECTION_DEPS) {
		v->deps_size = size;
	}
	return true;
}

/* 027: a table of sections. */
static bool sections_read(struct vdex *v, struct gh_cursor *c, struct gh_err *err)
{
	uint32_t n = gh_u32(c);
	if (n > SECTIONS_MAX) {
		gh_fail(err, GH_BAD, 8, "%u sections", n);
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		if (!section_read(v, 12 + i * SECTION, err))
			return false;
	return true;
}

static bool layout_of(struct vdex *v)
{
	static const struct {
		const char *version;
		enum layout layout;
	} known[] = {{"006", PLAIN}, {"010", PLAIN}, {"019", SPLIT}, {"021", SPLIT_CONTEXT}, {"027", SECTIONS}};
	for (size_t i = 0; i < GH_COUNT(known); i++)
		if (memcmp(v->version, known[i].version, 4) == 0) {
			v->layout = known[i].layout;
			return true;
		}
	return false;
}

static enum gh_code header_read(struct vdex *v, struct gh_err *err)
{
	uint8_t buf[HEAD] = {0};
	if (!head_read(v, 0, buf, (size_t)gh_min(sizeof buf, gh_max(v->src->size, 12)), err))
		return err->code;
	struct gh_cursor c = gh_cursor(buf, sizeof buf, 0);
	gh_skip(&c, 4);
	memcpy(v->version, gh_bytes(&c, 4), 4);
	if (!layout_of(v))
		return gh_fail(err, GH_UNSUP, 4, "vdex version %02x%02x%02x%02x", (uint8_t)v->version[0],
			(uint8_t)v->version[1], (uint8_t)v->version[2], (uint8_t)v->version[3]);
	bool ok = v->layout == PLAIN      ? plain_read(v, &c)
		  : v->layout == SECTIONS ? sections_read(v, &c, err)
					  : split_read(v, &c, err);
	if (!ok)
		return err->code;
	if (v->n > DEX_FILES_MAX)
		return gh_fail(err, GH_LIMIT, 8, "%" PRIu64 " dex files", v->n);
	if (!gh_within(v->checksums, v->n * 4, v->src->size))
		return gh_fail(err, GH_SHORT, v->checksums, "checksums of %" PRIu64 " dex files end too early", v->n);
	return GH_OK;
}

/* ---- format ---- */

static enum gh_bid vdex_bid(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	if (probe->head_len < 8 || memcmp(p, "vdex", 4))
		return GH_BID_NO;
	bool digits = p[4] >= '0' && p[4] <= '9' && p[5] >= '0' && p[5] <= '9' && p[6] >= '0' && p[6] <= '9' && !p[7];
	return digits ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code vdex_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct vdex *v = state;
	(void)ctx;
	v->src = src;
	enum gh_code code = header_read(v, err);
	v->pos = v->dex;
	return code;
}

/* Checksums of the boot class path and the class loader context (021). */
static struct gh_str text(struct gh_ctx *ctx, struct vdex *v, uint64_t at, uint64_t n)
{
	const uint8_t *p;
	struct gh_err err;
	if (!n)
		return GH_NONE;
	if (n > TEXT_MAX || !gh_within(at, n, v->src->size)) {
		gh_note(ctx, GH_SHORT, at, "%" PRIu64 " bytes of text do not fit into the file", n);
		return GH_NONE;
	}
	if (gh_view(v->src, ctx->arena, at, (size_t)n, &p, &err)) {
		gh_note_err(ctx, &err);
		return GH_NONE;
	}
	return gh_strn(p, strnlen((const char *)p, (size_t)n));
}

static enum gh_code checksums_tell(struct gh_ctx *ctx, struct vdex *v, struct gh_err *err)
{
	for (uint64_t i = 0; i < v->n; i++) {
		uint8_t buf[4];
		uint64_t at = v->checksums + i * 4;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_read(v->src, at, buf, sizeof buf, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
		GH_EMIT(ctx, oat_dex, at, .kind = GH_STR("vdex"), .i = (int64_t)i, .checksum = gh_u32(&c),
			.offset = GH_NULL);
	}
	return GH_OK;
}

static enum gh_code vdex_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct vdex *v = state;
	GH_EMIT(ctx, vdex, 0, .version = gh_str(v->version),
		.dex_version = *v->dex_version ? gh_str(v->dex_version) : GH_NONE, .dex_files = (int64_t)v->n,
		.dex_size = (int64_t)v->dex_size, .shared_size = (int64_t)v->shared_size,
		.quickening_size = (int64_t)v->quickening_size, .deps_size = (int64_t)v->deps_size,
		.boot_checksums = text(ctx, v, v->texts, v->boot_size),
		.class_loader = text(ctx, v, v->texts + v->boot_size, v->context_size));
	if (v->dex_size && !gh_within(v->dex, v->dex_size, v->src->size))
		gh_note(ctx, GH_SHORT, v->dex, "a dex section of %" PRIu64 " bytes does not fit into the file",
			v->dex_size);
	return checksums_tell(ctx, v, err);
}

static void name_make(struct vdex *v, unsigned i)
{
	if (i)
		snprintf(v->name, sizeof v->name, "classes%u.dex", i + 1);
	else
		snprintf(v->name, sizeof v->name, "classes.dex");
}

/* The bytes that the dex at `at` takes: of a CompactDex all to the end of what these files share, since offsets lead there; of a
 * container (041) all of it, with the dex files behind. */
static enum gh_code dex_measure(
	struct vdex *v, uint64_t at, uint64_t end, uint64_t *ret_size, uint64_t *ret_next, struct gh_err *err)
{
	uint8_t buf[DEX_HEADER_41];
	if (!gh_within(at, sizeof buf, end))
		return gh_fail(
			err, GH_SHORT, at, "the dex section ends inside of dex file %u of %" PRIu64, v->i + 1, v->n);
	enum gh_code code = gh_read(v->src, at, buf, sizeof buf, err);
	if (code)
		return code;
	if (!dex_is(buf, sizeof buf))
		return gh_fail(
			err, GH_BAD, at, "no dex file where number %u of %" PRIu64 " should lie", v->i + 1, v->n);
	struct gh_cursor c = gh_cursor(buf, sizeof buf, at);
	gh_seek(&c, 32);
	uint64_t size = gh_u32(&c);
	if (memcmp(buf, "dex\n041", 8) == 0) {
		gh_seek(&c, DEX_HEADER);
		size = gh_u32(&c);
		v->i = (unsigned)v->n - 1;
	}
	if (size < DEX_HEADER || !gh_within(at, size, end))
		return gh_fail(err, GH_BAD, at + 32, "dex file %u says it has %" PRIu64 " bytes", v->i + 1, size);
	*ret_next = (at + size + 3) & ~UINT64_C(3);
	*ret_size = memcmp(buf, "cdex", 4) ? size : end + gh_min(v->shared_size, v->src->size - end) - at;
	return GH_OK;
}

static enum gh_code vdex_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct vdex *v = state;
	if (!v->dex_size || v->i >= v->n)
		return GH_END;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, v->pos, err);
	if (code)
		return code;
	uint64_t end = v->dex + gh_min(v->dex_size, v->src->size - gh_min(v->dex, v->src->size)), size = 0, next = 0;
	uint64_t at = v->pos + (v->layout == SPLIT || v->layout == SPLIT_CONTEXT ? 4 : 0); /* offset of a table */
	name_make(v, v->i);
	code = dex_measure(v, at, end, &size, &next, err);
	if (code)
		return code;
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.name = gh_str(v->name),
		.cookie = {at, size},
		.off = at,
		.csize = size,
		.size = size};
	v->pos = next;
	v->i++;
	return GH_OK;
}

static enum gh_code vdex_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct vdex *v = state;
	*ret = gh_source_slice(ctx->arena, v->src, child->cookie[0], child->cookie[1]);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a dex file");
}

const struct gh_format gh_format_vdex = {
	.name = "vdex",
	.title = "dex files beside precompiled code",
	.version = 1,
	.state_size = sizeof(struct vdex),
	.bid = vdex_bid,
	.open = vdex_open,
	.describe = vdex_describe,
	.next = vdex_next,
	.data = vdex_data,
};
