/* SPDX-License-Identifier: Apache-2.0 */
/* DEX files: one row a dex, with its counts and both sums. "Dalvik executable format" 035 to 041; CompactDex. Tables, classes and
 * code are read through (dexfile.h), so that what does not fit is told; they are not stored. */
#include "codecs/deflate/deflate.h"
#include "inspectors/dex/dexfile.h"
#include "tree/plugin.h"

enum {
	DEX_MAX = 4096, /* dex files in one container: apps with hundreds of thousands of methods have some twenty */
	NOTES_MAX = 16, /* a file of nonsense is told in a few lines */
	ACC_NATIVE = 0x100,
};

struct count {
	struct gh_ctx *ctx;
	const struct dex *d;
	unsigned notes;
	int64_t natives, codes, units;
};

static void tell(struct count *k, uint64_t at, const char *what, uint32_t i)
{
	if (k->notes++ < NOTES_MAX)
		gh_note(k->ctx, GH_BAD, at, "%s %u does not fit into the file", what, i);
}

/* Members and code of class i. */
static enum gh_code class_count(struct count *k, uint32_t i, struct gh_err *err)
{
	struct dex_class class;
	struct dex_members m;
	struct dex_member member;
	if (!dex_class(k->d, i, &class))
		return GH_OK;
	if (!dex_type(k->d, class.type).p)
		tell(k, class.at, "name of class", i);
	dex_members(k->d, &class, &m);
	while (dex_members_next(&m, &member)) {
		enum gh_code code = gh_spend_steps(k->ctx->budget, 1, member.at, err);
		if (code)
			return code;
		struct dex_code body;
		k->natives += member.kind >= DEX_DIRECT_METHOD && member.access & ACC_NATIVE;
		if (!member.code)
			continue;
		if (dex_code(k->d, member.code, &body)) {
			k->codes++;
			k->units += body.n;
		} else {
			tell(k, member.at, "code of method", member.index);
		}
	}
	if (m.c.bad)
		tell(k, class.at, "members of class", i);
	return GH_OK;
}

static enum gh_code strings_check(struct count *k, struct gh_err *err)
{
	const struct dex *d = k->d;
	for (uint32_t i = 0; i < d->table[DEX_STRINGS].n; i++) {
		struct gh_str s = dex_string(d, i);
		uint64_t at = d->table[DEX_STRINGS].at + (uint64_t)i * 4;
		/* Many entries may name one long string: its bytes count each time. */
		enum gh_code code = gh_spend_steps(k->ctx->budget, 1 + s.n / 64, at, err);
		if (code)
			return code;
		if (!s.p)
			tell(k, at, "string", i);
	}
	return GH_OK;
}

static enum gh_code read_through(struct count *k, struct gh_err *err)
{
	const struct dex *d = k->d;
	for (int i = 0; i < DEX_N_TABLES; i++)
		if (d->table[i].n < d->table[i].said)
			gh_note(k->ctx, GH_SHORT, d->table[i].at, "of %u %s %u lie in the file", d->table[i].said,
				dex_table_words[i], d->table[i].n);
	enum gh_code code = strings_check(k, err);
	for (uint32_t i = 0; !code && i < d->table[DEX_CLASSES].n; i++) {
		code = gh_spend_steps(k->ctx->budget, 1, d->table[DEX_CLASSES].at, err);
		if (code == GH_OK)
			code = class_count(k, i, err);
	}
	if (k->notes > NOTES_MAX)
		gh_note(k->ctx, GH_BAD, d->head, "%u more that do not fit into the file", k->notes - NOTES_MAX);
	return code;
}

static enum gh_code one(struct gh_ctx *ctx, const struct dex *d, int64_t crc, struct gh_err *err)
{
	struct count k = {.ctx = ctx, .d = d};
	uint32_t checksum;
	uint8_t sha1[20];
	bool computed = dex_computed(d, &checksum, sha1);
	if (!computed && !d->compact)
		gh_note(ctx, GH_SHORT, d->head + 0x20, "a dex file of %u bytes, of which %zu are there", d->file_size,
			d->n - (size_t)d->head);
	enum gh_code code = read_through(&k, err);
	GH_EMIT(ctx, dex, d->head, .version = gh_str_fmt(ctx->arena, "%03u", d->version), .compact = d->compact,
		.size = d->file_size, .checksum = d->checksum, .checksum_computed = computed ? checksum : GH_NULL,
		.signature = gh_hex(ctx->arena, d->p + d->signature, 20),
		.signature_computed = computed ? gh_hex(ctx->arena, sha1, 20) : GH_NONE, .crc32 = crc,
		.strings = d->table[DEX_STRINGS].n, .types = d->table[DEX_TYPES].n, .protos = d->table[DEX_PROTOS].n,
		.fields = d->table[DEX_FIELDS].n, .methods = d->table[DEX_METHODS].n,
		.classes = d->table[DEX_CLASSES].n, .natives = k.natives, .codes = k.codes, .units = k.units);
	return code;
}

/* By magic alone: a version that is not read yet is to be told, not overlooked. */
static bool dex_wants(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	if (probe->head_len < 8 || (memcmp(p, "dex\n", 4) && memcmp(p, "cdex", 4)))
		return false;
	return p[4] >= '0' && p[4] <= '9' && p[5] >= '0' && p[5] <= '9' && p[6] >= '0' && p[6] <= '9' && !p[7];
}

static enum gh_code dex_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, GH_WHOLE_MAX, "dex file larger than 64 MiB");
	int64_t crc = gh_crc32(0, blob->data, blob->size);
	uint64_t head = 0;
	for (int i = 0; i < DEX_MAX; i++) {
		struct dex d;
		enum gh_code code = dex_open(&d, blob->data, blob->size, head, err);
		if (code == GH_OK)
			code = one(ctx, &d, crc, err);
		if (code)
			return code;
		head = dex_next(&d);
		if (!head)
			return GH_OK;
	}
	return gh_fail(err, GH_LIMIT, head, "more than %d dex files in one", DEX_MAX);
}

const struct gh_inspector gh_inspector_dex = {
	.name = "dex",
	.title = "Dalvik executables",
	.version = 1,
	.wants = dex_wants,
	.run = dex_run,
};
