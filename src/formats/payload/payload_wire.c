/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol buffers (protobuf.dev, "Encoding"): the fields of a message in order. What a reader does not know it steps over. */
#include "formats/payload/payload.h"

static const uint64_t NUMBER_MAX = (UINT64_C(1) << 29) - 1;

enum gh_code payload_field(struct gh_ctx *ctx, struct gh_cursor *c, struct payload_field *ret, struct gh_err *err)
{
	uint64_t at = gh_at(c);
	if (!gh_left(c))
		return GH_END;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
	if (code)
		return code;
	*ret = (struct payload_field){.at = at, .key = gh_uleb(c)};
	if (!c->bad && (!(ret->key >> 3) || ret->key >> 3 > NUMBER_MAX))
		return gh_fail(err, GH_BAD, at, "a field of number %llu", (unsigned long long)(ret->key >> 3));
	switch (ret->key & 7) {
	case PAYLOAD_VARINT:
		ret->value = gh_uleb(c);
		break;
	case PAYLOAD_FIXED64:
		ret->value = gh_u64(c);
		break;
	case PAYLOAD_BYTES:
		ret->box = gh_sub(c, gh_uleb(c));
		break;
	case PAYLOAD_FIXED32:
		ret->value = gh_u32(c);
		break;
	default:
		return gh_fail(err, GH_BAD, at, "a field of wire type %u", (unsigned)(ret->key & 7));
	}
	return gh_cursor_check(c, "a field of the manifest", err);
}

struct gh_str payload_text(const struct payload_field *f)
{
	return gh_strn(f->box.p, f->box.n);
}

enum gh_code payload_extent_read(
	struct gh_ctx *ctx, struct gh_cursor box, struct payload_extent *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code;
	*ret = (struct payload_extent){0};
	while ((code = payload_field(ctx, &box, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_INT(1))
			ret->start = f.value;
		else if (f.key == PAYLOAD_INT(2))
			ret->n = f.value;
	return code == GH_END ? GH_OK : code;
}
