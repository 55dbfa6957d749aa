/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of update packages: OtaMetadata (build/make tools/releasetools/ota_metadata.proto) and CareMap (bootable/recovery
 * update_verifier/care_map.proto). */
#include "inspectors/ota/proto.h"

#include "base/num.h"
#include "formats/payload/payload.h"

enum {
	JOINED_MAX = 4096, /* devices or builds of one state in one cell */
	RANGES_MAX = 1 << 20, /* of one partition: 524,288 pairs; real ones have a few hundred numbers */
};

/* ---- metadata.pb ---- */

static void row(struct gh_ctx *ctx, uint64_t at, struct gh_str key, struct gh_str value)
{
	GH_EMIT(ctx, ota_metadata, at, .key = key, .value = value, .line = GH_NULL);
}

static struct gh_str number(struct gh_ctx *ctx, uint64_t v)
{
	return gh_str_fmt(ctx->arena, "%lld", (long long)(int64_t)v);
}

static struct gh_str named(struct gh_ctx *ctx, const char *state, const char *field)
{
	return gh_str_fmt(ctx->arena, "%s-%s", state, field);
}

/* As the text has several devices or builds: with | between them. */
static struct gh_str joined(struct gh_ctx *ctx, struct gh_str list, const struct payload_field *f)
{
	if (list.n + f->box.n >= JOINED_MAX) {
		gh_note(ctx, GH_LIMIT, f->at, "a list of more than %d bytes", JOINED_MAX);
		return list;
	}
	struct gh_str one = payload_text(f);
	return list.p ? gh_str_fmt(ctx->arena, "%.*s|%.*s", (int)list.n, list.p, (int)one.n, one.p)
		      : gh_str_dup(ctx->arena, one);
}

static enum gh_code device_state(struct gh_ctx *ctx, struct gh_cursor c, const char *state, struct gh_err *err)
{
	struct payload_field f;
	struct gh_str device = GH_NONE, build = GH_NONE;
	uint64_t at = gh_at(&c);
	enum gh_code code;
	while ((code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_BOX(1):
			device = joined(ctx, device, &f);
			break;
		case PAYLOAD_BOX(2):
			build = joined(ctx, build, &f);
			break;
		case PAYLOAD_BOX(3):
			row(ctx, f.at, named(ctx, state, "build-incremental"), payload_text(&f));
			break;
		case PAYLOAD_INT(4):
			row(ctx, f.at, named(ctx, state, "timestamp"), number(ctx, f.value));
			break;
		case PAYLOAD_BOX(5):
			row(ctx, f.at, named(ctx, state, "sdk-level"), payload_text(&f));
			break;
		case PAYLOAD_BOX(6):
			row(ctx, f.at, named(ctx, state, "security-patch-level"), payload_text(&f));
			break;
		default:
			break;
		}
	if (device.p)
		row(ctx, at, named(ctx, state, "device"), device);
	if (build.p)
		row(ctx, at, named(ctx, state, "build"), build);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code property_files(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	struct payload_field f;
	struct gh_str key = GH_NONE, value = GH_NONE;
	uint64_t at = gh_at(&c);
	enum gh_code code;
	while ((code = payload_field(ctx, &c, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(1))
			key = payload_text(&f);
		else if (f.key == PAYLOAD_BOX(2))
			value = payload_text(&f);
	if (key.p)
		row(ctx, at, key, value);
	return code == GH_END ? GH_OK : code;
}

enum gh_code ota_metadata_pb(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	static const char *const types[] = {"UNKNOWN", "AB", "BLOCK", "BRICK"};
	struct payload_field f;
	enum gh_code code = GH_OK;
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_INT(1):
			row(ctx, f.at, GH_STR("ota-type"),
				f.value < GH_COUNT(types) ? gh_str(types[f.value]) : number(ctx, f.value));
			break;
		case PAYLOAD_INT(2):
			row(ctx, f.at, GH_STR("ota-wipe"), f.value ? GH_STR("yes") : GH_STR("no"));
			break;
		case PAYLOAD_INT(3):
			row(ctx, f.at, GH_STR("ota-downgrade"), f.value ? GH_STR("yes") : GH_STR("no"));
			break;
		case PAYLOAD_BOX(4):
			code = property_files(ctx, f.box, err);
			break;
		case PAYLOAD_BOX(5):
			code = device_state(ctx, f.box, "pre", err);
			break;
		case PAYLOAD_BOX(6):
			code = device_state(ctx, f.box, "post", err);
			break;
		case PAYLOAD_INT(7):
			row(ctx, f.at, GH_STR("ota-retrofit-dynamic-partitions"),
				f.value ? GH_STR("yes") : GH_STR("no"));
			break;
		case PAYLOAD_INT(8):
			row(ctx, f.at, GH_STR("ota-required-cache"), number(ctx, f.value));
			break;
		case PAYLOAD_INT(9):
			row(ctx, f.at, GH_STR("spl-downgrade"), f.value ? GH_STR("yes") : GH_STR("no"));
			break;
		default:
			break;
		}
	return code == GH_END ? GH_OK : code;
}

/* ---- care_map.pb ---- */

/* "4,0,10,20,30": how many numbers follow, then pairs of first block and block behind the last. */
static bool ranges_read(struct gh_ctx *ctx, struct gh_str text, struct gh_row_care_maps *r)
{
	uint64_t said = 0, n = 0, first = 0, v, end = 0, blocks = 0;
	for (const char *p = text.p, *stop = text.p + text.n;; n++) {
		const char *comma = p < stop ? memchr(p, ',', (size_t)(stop - p)) : NULL;
		const char *to = comma ? comma : stop;
		if (gh_spend_steps(ctx->budget, 1, 0, NULL) || !gh_str_u64(gh_strn(p, (size_t)(to - p)), 10, &v) ||
			v > PAYLOAD_BLOCKS_MAX)
			return false;
		if (!n)
			said = v;
		else if (n % 2)
			first = v;
		else if (v <= first)
			return false;
		else
			blocks += v - first, end = gh_max(end, v);
		if (!comma)
			break;
		p = comma + 1;
	}
	r->ranges = (int64_t)(n / 2);
	r->blocks = (int64_t)blocks;
	r->end = (int64_t)end;
	return said == n && said && said % 2 == 0;
}

static enum gh_code care_partition(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	struct payload_field f;
	struct gh_row_care_maps r = {0};
	struct gh_str ranges = GH_NONE;
	uint64_t at = gh_at(&c);
	enum gh_code code;
	while ((code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_BOX(1):
			r.partition = payload_text(&f);
			break;
		case PAYLOAD_BOX(2):
			ranges = payload_text(&f);
			break;
		case PAYLOAD_BOX(3):
			r.property = payload_text(&f);
			break;
		case PAYLOAD_BOX(4):
			r.fingerprint = payload_text(&f);
			break;
		default:
			break;
		}
	if (ranges.n > RANGES_MAX || !ranges_read(ctx, ranges, &r)) {
		gh_note(ctx, ranges.n > RANGES_MAX ? GH_LIMIT : GH_BAD, at, "ranges of blocks that cannot be read");
		r.ranges = r.blocks = r.end = GH_NULL;
	}
	ctx->ops->emit(ctx, GH_T_care_maps, at, &r);
	return code == GH_END ? GH_OK : code;
}

enum gh_code ota_care_map(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code = GH_OK;
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(1))
			code = care_partition(ctx, f.box, err);
	return code == GH_END ? GH_OK : code;
}
