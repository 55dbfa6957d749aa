/* SPDX-License-Identifier: Apache-2.0 */
/* ART: images of the heap of Android's runtime (.art); their header (runtime/image.h of AOSP). */
#include "base/num.h"
#include "tree/plugin.h"

enum { HEADER_MAX = 20 * 4 };

/* Words of four bytes from "art\n" on; 0: not there. Only versions of Android releases: others moved fields about. */
static const struct layout {
	const char *version;
	uint8_t oat, image, boot, components;
} layouts[] = {
	{"012", 6, 0, 0, 0},
	{"017", 4, 0, 0, 0},
	{"029", 4, 0, 0, 0},
	{"030", 4, 0, 0, 0},
	{"043", 4, 0, 0, 0},
	{"044", 4, 0, 0, 0},
	{"046", 4, 0, 0, 0},
	{"056", 4, 0, 0, 0},
	{"074", 7, 6, 0, 3},
	{"099", 7, 6, 15, 3},
};

static int64_t word(const uint8_t *p, size_t n, unsigned i)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	if (!i)
		return GH_NULL;
	gh_seek(&c, (uint64_t)i * 4);
	uint32_t v = gh_u32(&c);
	return c.bad ? GH_NULL : (int64_t)v;
}

static bool art_wants(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	return probe->head_len >= 8 && !memcmp(p, "art\n", 4) && p[4] >= '0' && p[4] <= '9' && p[5] >= '0' &&
	       p[5] <= '9' && p[6] >= '0' && p[6] <= '9' && !p[7];
}

static enum gh_code art_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	uint8_t p[HEADER_MAX];
	size_t n = (size_t)gh_min(sizeof p, blob->size);
	const struct layout *l = NULL;
	enum gh_code code = gh_read(blob->src, 0, p, n, err);
	if (code)
		return code;
	struct gh_str version = gh_str_dup(ctx->arena, gh_strn(p + 4, 3));
	for (size_t i = 0; i < GH_COUNT(layouts); i++)
		if (gh_str_is(version, layouts[i].version))
			l = &layouts[i];
	GH_EMIT(ctx, art, 0, .version = version, .oat_checksum = l ? word(p, n, l->oat) : GH_NULL,
		.image_checksum = l ? word(p, n, l->image) : GH_NULL,
		.boot_checksum = l ? word(p, n, l->boot) : GH_NULL,
		.components = l ? word(p, n, l->components) : GH_NULL);
	if (!l)
		return gh_fail(err, GH_UNSUP, 4, "art image version %.3s", (const char *)p + 4);
	return n < sizeof p ? gh_fail(err, GH_SHORT, n, "art image header ends too early") : GH_OK;
}

const struct gh_inspector gh_inspector_art = {
	.name = "art",
	.title = "images of Android's runtime",
	.version = 1,
	.wants = art_wants,
	.run = art_run,
};
