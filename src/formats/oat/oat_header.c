/* SPDX-License-Identifier: Apache-2.0 */
/* OAT: the header, its key-value store, and the records of dex files (runtime/oat.h and oat_file.cc of AOSP at each version). */
#include "formats/oat/oat.h"

enum {
	HEADER_MAX = 21 * 4 + 4,
	KEYS_MAX = 1 << 20, /* class paths of some ten kilobytes */
	KEYS_N_MAX = 256, /* twelve are known */
	LOCATION_MAX = 4096, /* PATH_MAX */
	CLASS_DEFS = 0x60, /* in a dex header: how many classes */
	ISA_RENUMBERED = 230, /* RISC-V came between Thumb-2 and x86 some versions before */
	ISA_CERTAIN = 225,
};

static const struct oat_layout layouts[] = {{39, 39, 3, 5, 0, 18, 20, OAT_R_INLINE},
	{45, 45, 3, 5, 0, 18, 20, OAT_R_INLINE}, {64, 74, 3, 5, 0, 15, 17, OAT_R_INLINE},
	{75, 126, 3, 5, 0, 15, 17, OAT_R_4}, {127, 130, 3, 5, 6, 16, 18, OAT_R_5}, {131, 134, 3, 5, 6, 16, 18, OAT_R_6},
	{135, 161, 3, 5, 6, 16, 18, OAT_R_8}, {162, 165, 3, 5, 6, 0, 16, OAT_R_8}, {166, 169, 3, 5, 6, 0, 15, OAT_R_8},
	{170, 179, 3, 5, 6, 0, 13, OAT_R_8}, {180, 185, 3, 5, 6, 0, 14, OAT_R_8}, {186, 189, 3, 5, 6, 0, 14, OAT_R_10},
	{190, 221, 3, 5, 6, 0, 15, OAT_R_10}, {223, 223, 3, 5, 6, 0, 15, OAT_R_10},
	{224, 231, 3, 5, 6, 0, 16, OAT_R_10}, {232, 232, 3, 5, 6, 0, 16, OAT_R_SHA1},
	{233, 240, 3, 5, 6, 0, 16, OAT_R_MAGIC}};

/* Words behind the offset of the dex. */
static const uint8_t words_after[] = {
	[OAT_R_INLINE] = 0,
	[OAT_R_4] = 2,
	[OAT_R_5] = 3,
	[OAT_R_6] = 4,
	[OAT_R_8] = 6,
	[OAT_R_10] = 8,
	[OAT_R_SHA1] = 8,
	[OAT_R_MAGIC] = 8,
};

static unsigned version_of(const uint8_t *p)
{
	unsigned v = 0;
	for (int i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	return p[3] ? 0 : v;
}

static uint32_t word(const uint8_t *p, size_t n, unsigned i)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	gh_seek(&c, (uint64_t)i * 4);
	return gh_u32(&c);
}

static enum gh_code fields(struct oat *o, struct gh_err *err)
{
	uint8_t p[HEADER_MAX];
	size_t n = (o->layout->keys + 1u) * 4;
	enum gh_code code = gh_read(o->src, o->data, p, n, err);
	if (code)
		return code;
	o->checksum = word(p, n, 2);
	o->isa = word(p, n, o->layout->isa);
	o->dex_files = word(p, n, o->layout->dex_files);
	o->image = o->layout->image ? word(p, n, o->layout->image) : 0;
	o->keys = o->data + n;
	o->keys_size = word(p, n, o->layout->keys);
	if (!gh_within(o->keys, o->keys_size, o->src->size))
		return gh_fail(err, GH_SHORT, o->keys - 4, "a key-value store of %u bytes does not fit", o->keys_size);
	o->pos = o->layout->records ? o->data + word(p, n, o->layout->records) : o->keys + o->keys_size;
	return GH_OK;
}

enum gh_code oat_header(struct oat *o, struct gh_err *err)
{
	uint8_t p[8];
	enum gh_code code = gh_read(o->src, o->data, p, sizeof p, err);
	if (code)
		return code;
	if (memcmp(p, "oat\n", 4) != 0)
		return gh_fail(err, GH_BAD, o->data, "no oat header where oatdata points to");
	o->version = version_of(p + 4);
	if (!o->version)
		return gh_fail(err, GH_BAD, o->data + 4, "no version in the oat header");
	for (size_t i = 0; i < GH_COUNT(layouts); i++)
		if (o->version >= layouts[i].first && o->version <= layouts[i].last)
			o->layout = &layouts[i];
	return o->layout ? fields(o, err) : GH_OK;
}

static struct gh_str isa_word(struct gh_ctx *ctx, const struct oat *o)
{
	static const char *const old[] = {"none", "arm", "arm64", "thumb2", "x86", "x86_64", "mips", "mips64"};
	static const char *const new[] = {"none", "arm", "arm64", "thumb2", "riscv64", "x86", "x86_64"};
	if (o->isa < 4 || (o->version <= ISA_CERTAIN && o->isa < GH_COUNT(old)))
		return gh_str(old[o->isa]);
	if (o->version >= ISA_RENUMBERED && o->isa < GH_COUNT(new))
		return gh_str(new[o->isa]);
	return gh_str_fmt(ctx->arena, "%u", o->isa);
}

static enum gh_code keys_tell(struct gh_ctx *ctx, const struct oat *o, struct gh_err *err)
{
	const uint8_t *p;
	if (o->keys_size > KEYS_MAX)
		return gh_fail(err, GH_LIMIT, o->keys, "a key-value store of %u bytes", o->keys_size);
	enum gh_code code = gh_view(o->src, ctx->arena, o->keys, o->keys_size, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, o->keys_size, o->keys);
	for (int i = 0; gh_left(&c) && i < KEYS_N_MAX; i++) {
		uint64_t at = gh_at(&c);
		struct gh_str key = gh_cstr(&c), value = gh_cstr(&c);
		if (c.bad)
			return gh_fail(err, GH_BAD, at, "a key or value that does not end");
		if (key.n)
			GH_EMIT(ctx, oat_keys, at, .key = key, .value = value);
		else if (!value.n)
			break; /* padding */
	}
	return GH_OK;
}

enum gh_code oat_tell(struct gh_ctx *ctx, const struct oat *o, struct gh_err *err)
{
	struct gh_str version = gh_str_fmt(ctx->arena, "%03u", o->version);
	if (!o->layout) {
		GH_EMIT(ctx, oat, o->data, .version = version, .checksum = GH_NULL, .dex_files = GH_NULL,
			.data = (int64_t)o->data, .image_checksum = GH_NULL);
		return gh_fail(err, GH_UNSUP, o->data + 4, "oat version %03u", o->version);
	}
	GH_EMIT(ctx, oat, o->data, .version = version, .checksum = o->checksum, .isa = isa_word(ctx, o),
		.dex_files = o->dex_files, .data = (int64_t)o->data,
		.image_checksum = o->layout->image ? o->image : GH_NULL);
	return keys_tell(ctx, o, err);
}

/* ---- records ---- */

static enum gh_code classes_skip(struct oat *o, const struct oat_dex *d, struct gh_err *err)
{
	uint8_t p[4];
	enum gh_code code = gh_read(o->src, o->data + d->offset + CLASS_DEFS, p, sizeof p, err);
	struct gh_cursor c = gh_cursor(p, sizeof p, 0);
	if (code)
		return code;
	o->pos += (uint64_t)gh_u32(&c) * 4;
	return GH_OK;
}

static enum gh_code location_read(struct gh_ctx *ctx, struct oat *o, struct oat_dex *ret, struct gh_err *err)
{
	uint8_t p[4];
	const uint8_t *text;
	enum gh_code code = gh_read(o->src, o->pos, p, sizeof p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, sizeof p, o->pos);
	uint32_t n = gh_u32(&c);
	if (!n || n > LOCATION_MAX)
		return gh_fail(err, GH_BAD, o->pos, "location of dex file %u has %u bytes", o->i + 1, n);
	code = gh_view(o->src, ctx->arena, o->pos + 4, n, &text, err);
	if (code)
		return code;
	ret->location = gh_strn(text, n);
	o->pos += 4 + (uint64_t)n;
	return GH_OK;
}

enum gh_code oat_dex_next(struct gh_ctx *ctx, struct oat *o, struct oat_dex *ret, struct gh_err *err)
{
	if (!o->layout || o->i >= o->dex_files)
		return GH_END;
	*ret = (struct oat_dex){.at = o->pos};
	enum gh_code code = gh_spend_steps(ctx->budget, 1, o->pos, err);
	if (code == GH_OK)
		code = location_read(ctx, o, ret, err);
	if (code)
		return code;
	bool magic = o->layout->record == OAT_R_MAGIC, sha1 = magic || o->layout->record == OAT_R_SHA1;
	size_t n = 8 + (magic ? 8 : 0) + (sha1 ? 20 : 0);
	const uint8_t *p;
	code = gh_view(o->src, ctx->arena, o->pos, n, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, n, o->pos);
	gh_skip(&c, magic ? 8 : 0);
	ret->checksum = gh_u32(&c);
	ret->sha1 = sha1 ? gh_bytes(&c, 20) : NULL;
	ret->offset = gh_u32(&c);
	o->pos += n + words_after[o->layout->record] * UINT64_C(4);
	if (o->layout->record == OAT_R_INLINE)
		code = classes_skip(o, ret, err);
	o->i++;
	return code;
}
