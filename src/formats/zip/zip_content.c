/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP: the content of members, and what Android makes of members that other readers refuse. */
#include "codecs/deflate/deflate.h"
#include "formats/zip/zip.h"

enum {
	PROBE = 64 << 10, /* bytes that unpack without a fault only when they were never encrypted */
};

/* Compression methods that APPNOTE 4.4.5 assigns: content under one of them is really packed by it. */
static bool assigned(uint16_t method)
{
	return (method >= 1 && method <= 20 && method != 11 && method != 13 && method != 15 && method != 17) ||
	       (method >= 93 && method <= 99);
}

/* Android ignores the encryption flag; it is set on plain members to keep other readers out. A really encrypted member is 12
 * bytes longer when stored, and noise when deflated. */
static enum gh_code is_plain(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct gh_child *child,
	bool *ret, struct gh_err *err)
{
	struct gh_deflated d;
	*ret = false;
	if ((e->flags & ZIP_FLAG_STRONG) || (e->method != ZIP_STORED && e->method != ZIP_DEFLATED))
		return GH_OK;
	if (e->method == ZIP_STORED) {
		*ret = e->csize == e->size;
		return GH_OK;
	}
	enum gh_code code =
		gh_deflate_pour(ctx, z->src, child->off, child->csize, gh_min(child->size, PROBE), NULL, &d, err);
	if (code == GH_BAD || code == GH_SHORT)
		return GH_OK;
	*ret = d.ended ? d.out == e->size && d.crc == e->crc : e->size > PROBE;
	return code;
}

/* Reads as many bytes as the directory says, where they lie; fewer when the archive ends before. */
static void as_stored(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, struct gh_child *ret)
{
	uint64_t room = z->src->size - ret->off;
	if (e->csize != e->size)
		zip_note(ctx, z, GH_BAD, e->at, "a stored member has two sizes, %llu and %llu",
			(unsigned long long)e->csize, (unsigned long long)e->size);
	if (ret->size > room)
		zip_note(ctx, z, GH_SHORT, ret->off, "a member is cut off by the end of the archive");
	ret->size = gh_min(ret->size, room);
	ret->csize = ret->size;
}

static void by_method(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, struct gh_child *ret)
{
	if (e->method == ZIP_STORED) {
		as_stored(ctx, z, e, ret);
	} else if (e->method == ZIP_DEFLATED) {
		ret->flags |= GH_CHILD_STREAM;
		if (ret->csize < e->csize)
			zip_note(ctx, z, GH_SHORT, ret->off, "a member is cut off by the end of the archive");
	} else if (assigned(e->method) && e->csize != e->size) {
		ret->flags |= GH_CHILD_UNREADABLE;
		zip_note(ctx, z, GH_UNSUP, e->at, "compression method %u is not read", e->method);
	} else {
		zip_note(ctx, z, GH_BAD, e->at, "compression method %u cannot be: read as stored, as Android does",
			e->method);
		as_stored(ctx, z, e, ret);
	}
}

static enum gh_code by_secrecy(
	struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, struct gh_child *ret, struct gh_err *err)
{
	bool plain;
	enum gh_code code = is_plain(ctx, z, e, ret, &plain, err);
	if (code)
		return code;
	if (plain) {
		zip_note(ctx, z, GH_BAD, e->at, "marked as encrypted, but it is not");
		by_method(ctx, z, e, ret);
	} else {
		ret->flags |= GH_CHILD_UNREADABLE;
		zip_note(ctx, z, GH_UNSUP, e->at, "an encrypted member is not read");
	}
	return GH_OK;
}

enum gh_code zip_child(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct zip_local *l,
	struct gh_child *ret, struct gh_err *err)
{
	*ret = (struct gh_child){
		.kind = GH_MEMBER, .name = e->name, .off = UINT64_MAX, .csize = e->csize, .size = e->size};
	if (!l) {
		ret->flags = GH_CHILD_UNREADABLE;
		return GH_OK;
	}
	ret->off = l->data;
	ret->csize = gh_min(e->csize, z->src->size - l->data);
	ret->cookie[0] = l->data;
	ret->cookie[1] = e->crc;
	ret->flags = e->guessed && e->method == ZIP_DEFLATED ? GH_CHILD_SIZE_HINT : 0;
	if (e->bad64)
		zip_note(ctx, z, GH_BAD, e->at, "a zip64 size or offset is missing");
	if ((e->flags | l->flags) & ZIP_FLAG_ENCRYPTED) {
		zip_row(ctx, e, "encrypted", 4, e->flags, l->flags);
		return by_secrecy(ctx, z, e, ret, err);
	}
	by_method(ctx, z, e, ret);
	return GH_OK;
}

enum gh_code zip_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct zip *z = state;
	if (child->flags & GH_CHILD_UNREADABLE)
		return gh_fail(err, GH_UNSUP, child->off, "the content of this member cannot be read");
	if (!gh_within(child->cookie[0], child->size, z->src->size))
		return gh_fail(err, GH_SHORT, child->cookie[0], "the member lies behind the end of the archive");
	*ret = gh_source_slice(ctx->arena, z->src, child->cookie[0], child->size);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a slice");
}

/* What a stream that unpacked without a fault says against the directory. */
static void judge(struct gh_ctx *ctx, const struct gh_child *child, const struct gh_deflated *d)
{
	uint64_t at = child->cookie[0];
	if (child->flags & GH_CHILD_SIZE_HINT)
		return;
	if (!d->ended)
		gh_note(ctx, GH_BAD, at + d->in, "a member unpacks to more than the %llu bytes it states",
			(unsigned long long)child->size);
	else if (d->out < child->size)
		gh_note(ctx, GH_BAD, at + d->in, "a member unpacks to %llu bytes and states %llu",
			(unsigned long long)d->out, (unsigned long long)child->size);
	else if (d->in < child->csize)
		gh_note(ctx, GH_BAD, at + d->in, "%llu bytes lie inside a member behind its end",
			(unsigned long long)(child->csize - d->in));
	if (d->crc != (uint32_t)child->cookie[1])
		gh_note(ctx, GH_BAD, at, "CRC-32 of a member is %08x, stated is %08x", d->crc,
			(unsigned)(uint32_t)child->cookie[1]);
}

enum gh_code zip_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct zip *z = state;
	struct gh_deflated d;
	if (child->flags & GH_CHILD_UNREADABLE)
		return gh_fail(err, GH_UNSUP, child->off, "the content of this member cannot be read");
	uint64_t most = child->flags & GH_CHILD_SIZE_HINT ? UINT64_MAX : child->size;
	enum gh_code code = gh_deflate_pour(ctx, z->src, child->cookie[0], child->csize, most, sink, &d, err);
	if (code == GH_OK)
		judge(ctx, child, &d);
	return code;
}
