/* SPDX-License-Identifier: Apache-2.0 */
/* MediaTek's partition header (U-Boot tools/mtk_image.h, union lk_hdr): 512 bytes before the kernel and ramdisk of boot images, lk, logo,
 * tee, and, one behind the other, the parts of the modem image md1img. */
#include "base/num.h"
#include "codecs/flow/zeros.h"

enum {
	MAGIC = 0x58881688,
	MAGIC_MORE = 0x58891689, /* of the fields behind the first ones */
	HEAD = 512,
	NAME = 32,
	PARTS_MAX = 1024, /* a modem image has some 30 */
	ALIGN_MAX = 1 << 20,
};

struct mtk {
	struct gh_source *src;
	uint64_t pos;
	uint32_t i;
};

struct part {
	struct gh_str name;
	uint64_t head, size, align;
	uint32_t load;
};

static bool read_head(const uint8_t *p, size_t n, uint64_t at, struct part *ret)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	if (gh_u32(&c) != MAGIC)
		return false;
	*ret = (struct part){.head = HEAD, .align = 16};
	ret->size = gh_u32(&c);
	ret->name = gh_text(&c, NAME);
	ret->load = gh_u32(&c);
	gh_skip(&c, 4);
	if (!c.bad && gh_u32(&c) == MAGIC_MORE) {
		uint32_t head = gh_u32(&c);
		gh_skip(&c, 12); /* version, kind, end of list */
		uint32_t align = gh_u32(&c);
		if (!c.bad && head >= 64 && head <= 64 << 10)
			ret->head = head;
		if (!c.bad && align && !(align & (align - 1)) && align <= ALIGN_MAX)
			ret->align = align;
	}
	return true;
}

static enum gh_bid mtk_bid(const struct gh_probe *probe)
{
	struct part p;
	if (!read_head(probe->head, probe->head_len, 0, &p))
		return GH_BID_NO;
	return p.head < probe->size && p.size <= probe->size - p.head ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code mtk_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	(void)ctx, (void)err;
	((struct mtk *)state)->src = src;
	return GH_OK;
}

static enum gh_code mtk_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct mtk *m = state;
	const uint8_t *p;
	struct part part;
	if (m->pos >= m->src->size)
		return GH_END;
	size_t n = (size_t)gh_min(HEAD, m->src->size - m->pos);
	enum gh_code code = gh_spend_steps(ctx->budget, 1, m->pos, err);
	if (code == GH_OK)
		code = gh_view(m->src, ctx->arena, m->pos, n, &p, err);
	if (code)
		return code;
	if (!read_head(p, n, m->pos, &part) || m->i == PARTS_MAX) {
		code = gh_zeros_or_note(ctx, m->src, m->pos, m->src->size, "behind the last part", err);
		return code ? code : GH_END;
	}
	uint64_t left = m->src->size - m->pos, at = m->pos + gh_min(part.head, left), end;
	bool lost = part.size > m->src->size - at;
	if (lost)
		gh_note(ctx, GH_SHORT, m->pos + 4, "a part of %llu bytes, %llu are there",
			(unsigned long long)part.size, (unsigned long long)(m->src->size - at));
	uint64_t size = gh_min(part.size, m->src->size - at);
	*ret = (struct gh_child){.kind = GH_MEMBER,
		.name = part.name.n ? gh_str_dup(ctx->arena, part.name) : gh_str_fmt(ctx->arena, "%u", m->i),
		.off = at,
		.csize = size,
		.size = size};
	GH_EMIT(ctx, firmware, m->pos, .maker = GH_STR("mediatek"), .kind = GH_STR("image"), .name = ret->name,
		.load = part.load, .size = (int64_t)part.size, .is_signed = GH_NULL);
	m->i++;
	m->pos = gh_align(at + size, part.align, &end) ? end : m->src->size;
	return GH_OK;
}

static enum gh_code mtk_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct mtk *m = state;
	if (!gh_within(child->off, child->csize, m->src->size))
		return gh_fail(err, GH_BAD, child->off, "no such part");
	*ret = gh_source_slice(ctx->arena, m->src, child->off, child->csize);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a source");
}

const struct gh_format gh_format_mtk = {
	.name = "mtk",
	.title = "MediaTek image",
	.version = 1,
	.state_size = sizeof(struct mtk),
	.bid = mtk_bid,
	.open = mtk_open,
	.next = mtk_next,
	.data = mtk_data,
};
