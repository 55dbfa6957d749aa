/* SPDX-License-Identifier: Apache-2.0 */
/* OAT: precompiled code of Android's runtime in an ELF file (.odex, .oat), with the dex files inside before Android 8. */
#include "formats/oat/oat.h"

#include "inspectors/dex/dexfile.h"

enum {
	PAGE = 0x1000, /* where the header lies in all versions that hold dex files */
	DEX_IN_VDEX = 124, /* since Android 8 they lie in a file of their own */
};

static bool is_version(const uint8_t *p)
{
	return memcmp(p, "oat\n", 4) == 0 && p[4] >= '0' && p[4] <= '9' && p[5] >= '0' && p[5] <= '9' && p[6] >= '0' &&
	       p[6] <= '9' && !p[7];
}

static enum gh_bid oat_bid(const struct gh_probe *probe)
{
	if (probe->head_len < 6 || memcmp(probe->head, "\177ELF", 4) || probe->head[5] != 1)
		return GH_BID_NO;
	if (probe->head_len >= PAGE + 8 && is_version(probe->head + PAGE))
		return GH_BID_PROVEN;
	if (memmem(probe->head, probe->head_len, "\0oatdata", 9))
		return GH_BID_MAGIC;
	return gh_str_ends(probe->name, ".odex") || gh_str_ends(probe->name, ".oat") ? GH_BID_SHAPE : GH_BID_NO;
}

static enum gh_code oat_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct oat *o = state;
	o->src = src;
	enum gh_code code = oat_find(ctx, src, &o->data, err);
	return code ? code : oat_header(o, err);
}

static enum gh_code oat_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct oat o = *(struct oat *)state;
	struct oat_dex d;
	enum gh_code code = oat_tell(ctx, &o, err);
	if (code)
		return code;
	for (uint32_t i = 0; (code = oat_dex_next(ctx, &o, &d, err)) == GH_OK; i++)
		GH_EMIT(ctx, oat_dex, d.at, .kind = GH_STR("oat"), .i = i, .location = d.location,
			.checksum = d.checksum, .sha1 = d.sha1 ? gh_hex(ctx->arena, d.sha1, 20) : GH_NONE,
			.offset = d.offset);
	return code == GH_END ? GH_OK : code;
}

/* framework.jar/classes2.dex, from /system/framework/framework.jar:classes2.dex */
static struct gh_str name_of(struct gh_ctx *ctx, struct gh_str location)
{
	struct gh_str base = gh_str_base(location);
	const char *sign = memchr(base.p, ':', base.n);
	if (!sign)
		sign = memchr(base.p, '!', base.n);
	size_t n = sign ? (size_t)(sign - base.p) : base.n;
	struct gh_str rest = sign ? gh_strn(sign + 1, base.n - n - 1) : GH_STR("classes.dex");
	return gh_str_fmt(ctx->arena, "%.*s/%.*s", (int)n, base.p, (int)rest.n, rest.p);
}

/* GH_END: this record's dex lies elsewhere. */
static enum gh_code dex_size(const struct oat *o, const struct oat_dex *d, uint64_t *ret, struct gh_err *err)
{
	uint8_t p[DEX_HEADER];
	uint64_t at = o->data + d->offset;
	if (!d->offset || o->version >= DEX_IN_VDEX)
		return GH_END;
	enum gh_code code = gh_read(o->src, at, p, sizeof p, err);
	if (code)
		return code;
	if (!dex_is(p, sizeof p))
		return gh_fail(err, GH_BAD, at, "no dex file where %.*s should lie", (int)gh_min(d->location.n, 80),
			d->location.p);
	struct gh_cursor c = gh_cursor(p, sizeof p, at);
	gh_seek(&c, 32);
	*ret = gh_u32(&c);
	if (*ret < sizeof p || !gh_within(at, *ret, o->src->size))
		return gh_fail(err, GH_BAD, at + 32, "a dex file that says it has %" PRIu64 " bytes", *ret);
	return GH_OK;
}

static enum gh_code oat_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct oat *o = state;
	struct oat_dex d;
	enum gh_code code;
	while ((code = oat_dex_next(ctx, o, &d, err)) == GH_OK) {
		uint64_t size = 0, at = o->data + d.offset;
		code = dex_size(o, &d, &size, err);
		if (code == GH_END)
			continue;
		if (code == GH_BAD || code == GH_SHORT) {
			gh_note_err(ctx, err);
			continue;
		}
		if (code)
			return code;
		*ret = (struct gh_child){.kind = GH_MEMBER,
			.name = name_of(ctx, d.location),
			.cookie = {at, size},
			.off = at,
			.csize = size,
			.size = size};
		return ret->name.p ? GH_OK : gh_fail(err, GH_NOMEM, at, "no memory for a name");
	}
	return code;
}

static enum gh_code oat_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct oat *o = state;
	*ret = gh_source_slice(ctx->arena, o->src, child->cookie[0], child->cookie[1]);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a dex file");
}

const struct gh_format gh_format_oat = {
	.name = "oat",
	.title = "precompiled code of apps",
	.version = 1,
	.state_size = sizeof(struct oat),
	.bid = oat_bid,
	.open = oat_open,
	.describe = oat_describe,
	.next = oat_next,
	.data = oat_data,
};
