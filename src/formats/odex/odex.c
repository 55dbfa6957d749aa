/* SPDX-License-Identifier: Apache-2.0 */
/* ODEX of Dalvik (up to Android 4.4): a dex file whose instructions were replaced for one phone, with what it depended on
 * (libdex/DexFile.h of AOSP, DexOptHeader). */
#include "base/num.h"
#include "inspectors/dex/dexfile.h"
#include "tree/plugin.h"

enum { HEADER = 40 };

struct odex {
	struct gh_source *src;
	uint64_t off, size;
	bool done;
};

static enum gh_bid odex_bid(const struct gh_probe *probe)
{
	return probe->head_len >= 8 && memcmp(probe->head, "dey\n036", 8) == 0 ? GH_BID_PROVEN : GH_BID_NO;
}

static enum gh_code odex_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct odex *o = state;
	uint8_t p[HEADER], head[8];
	(void)ctx;
	o->src = src;
	enum gh_code code = gh_read(src, 0, p, sizeof p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, sizeof p, 0);
	gh_skip(&c, 8);
	o->off = gh_u32(&c);
	o->size = gh_u32(&c);
	if (o->off < HEADER || !gh_within(o->off, o->size, src->size))
		return gh_fail(err, GH_SHORT, 8, "the dex file inside does not fit");
	code = o->size < sizeof head ? gh_fail(err, GH_BAD, 12, "no dex file inside")
				     : gh_read(src, o->off, head, sizeof head, err);
	if (code == GH_OK && !dex_is(head, sizeof head))
		code = gh_fail(err, GH_BAD, o->off, "no dex file where it should lie");
	return code;
}

static enum gh_code odex_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct odex *o = state;
	(void)ctx, (void)err;
	if (o->done)
		return GH_END;
	o->done = true;
	*ret = (struct gh_child){
		.kind = GH_MEMBER, .name = GH_STR("classes.dex"), .off = o->off, .csize = o->size, .size = o->size};
	return GH_OK;
}

static enum gh_code odex_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct odex *o = state;
	*ret = gh_source_slice(ctx->arena, o->src, o->off, o->size);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, child->off, "no memory for a dex file");
}

const struct gh_format gh_format_odex = {
	.name = "odex",
	.title = "optimised dex file of Dalvik",
	.version = 1,
	.state_size = sizeof(struct odex),
	.bid = odex_bid,
	.open = odex_open,
	.next = odex_next,
	.data = odex_data,
};
