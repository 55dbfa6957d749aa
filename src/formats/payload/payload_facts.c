/* SPDX-License-Identifier: Apache-2.0 */
/* What the manifest says besides its operations: tables payload_info, payload_partitions, payload_groups, payload_apexes. */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/num.h"
#include "formats/payload/payload.h"

struct info {
	int64_t max_timestamp;
	bool partial;
	struct gh_str patch_level, compression;
	bool snapshot, vabc;
	uint64_t cow_version;
};

static int64_t cell(uint64_t v)
{
	return v > INT64_MAX ? GH_NULL : (int64_t)v;
}

static struct gh_str hex_or_none(struct gh_ctx *ctx, const uint8_t *p, size_t n)
{
	return p ? gh_hex(ctx->arena, p, n) : GH_NONE;
}

struct payload_signed payload_signed_ranges(const struct payload *p)
{
	struct payload_signed s = {.metadata_size = p->metadata_size,
		.metadata_signature_at = p->metadata_size,
		.metadata_signature_size = p->signature_size,
		.data_at = p->data_at};
	s.data_size = p->src->size - gh_min(p->data_at, p->src->size);
	if (p->has_signatures && gh_within(p->signatures_at, p->signatures_size, s.data_size)) {
		s.data_size = p->signatures_at;
		s.signatures_at = p->data_at + p->signatures_at;
		s.signatures_size = p->signatures_size;
	}
	return s;
}

/* ---- groups, modules ---- */

static struct gh_str add_name(struct gh_ctx *ctx, struct gh_str list, struct gh_str name)
{
	if (!list.p)
		return gh_str_dup(ctx->arena, name);
	return gh_str_fmt(ctx->arena, "%.*s %.*s", (int)list.n, list.p, (int)name.n, name.p);
}

static enum gh_code group(struct gh_ctx *ctx, struct gh_cursor box, struct gh_err *err)
{
	enum { LIST_MAX = 4096 }; /* of names as one cell: 80 partitions need some 1 KB */
	struct payload_field f;
	struct gh_str name = GH_NONE, list = GH_NONE;
	uint64_t size = 0, at = gh_at(&box);
	enum gh_code code;
	while ((code = payload_field(ctx, &box, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(1))
			name = payload_text(&f);
		else if (f.key == PAYLOAD_INT(2))
			size = f.value;
		else if (f.key == PAYLOAD_BOX(3) && list.n + f.box.n < LIST_MAX)
			list = add_name(ctx, list, payload_text(&f));
		else if (f.key == PAYLOAD_BOX(3))
			gh_note(ctx, GH_LIMIT, f.at, "a group's list of partitions is longer than %d bytes", LIST_MAX);
	GH_EMIT(ctx, payload_groups, at, .name = name, .size = cell(size), .partitions = list);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code dynamic(struct gh_ctx *ctx, struct gh_cursor box, struct info *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code = GH_OK;
	while (code == GH_OK && (code = payload_field(ctx, &box, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_BOX(1):
			code = group(ctx, f.box, err);
			break;
		case PAYLOAD_INT(2):
			ret->snapshot = f.value;
			break;
		case PAYLOAD_INT(3):
			ret->vabc = f.value;
			break;
		case PAYLOAD_BOX(4):
			ret->compression = payload_text(&f);
			break;
		case PAYLOAD_INT(5):
			ret->cow_version = f.value;
			break;
		default:
			break;
		}
	return code == GH_END ? GH_OK : code;
}

static enum gh_code apex(struct gh_ctx *ctx, struct gh_cursor box, struct gh_err *err)
{
	struct payload_field f;
	struct gh_row_payload_apexes row = {0};
	uint64_t at = gh_at(&box);
	enum gh_code code;
	while ((code = payload_field(ctx, &box, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(1))
			row.package = payload_text(&f);
		else if (f.key == PAYLOAD_INT(2))
			row.version = cell(f.value);
		else if (f.key == PAYLOAD_INT(3))
			row.compressed = f.value != 0;
		else if (f.key == PAYLOAD_INT(4))
			row.size = cell(f.value);
	ctx->ops->emit(ctx, GH_T_payload_apexes, at, &row);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code info_read(struct gh_ctx *ctx, const struct payload *p, struct info *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code = GH_OK;
	struct gh_cursor c = p->manifest;
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_INT(14):
			ret->max_timestamp = cell(f.value);
			break;
		case PAYLOAD_BOX(15):
			code = dynamic(ctx, f.box, ret, err);
			break;
		case PAYLOAD_INT(16):
			ret->partial = f.value;
			break;
		case PAYLOAD_BOX(17):
			code = apex(ctx, f.box, err);
			break;
		case PAYLOAD_BOX(18):
			ret->patch_level = payload_text(&f);
			break;
		default:
			break;
		}
	return code == GH_END ? GH_OK : code;
}

/* ---- signatures ---- */

/* How many signatures the message at `at` holds; what is wrong with it is noted. */
static enum gh_code count_signatures(
	struct gh_ctx *ctx, const struct payload *p, uint64_t at, uint64_t size, int64_t *ret, struct gh_err *err)
{
	enum { SIZE_MAX_READ = 1 << 20 }; /* real ones have 267 to 1,100 bytes */
	const uint8_t *raw;
	struct gh_err why = {0};
	struct payload_field f;
	*ret = 0;
	if (!size)
		return GH_OK;
	struct gh_mark mark = gh_arena_mark(ctx->arena);
	enum gh_code code = GH_LIMIT;
	if (size > SIZE_MAX_READ)
		gh_fail(&why, GH_LIMIT, at, "signatures of %llu bytes: not counted", (unsigned long long)size);
	else
		code = gh_view(p->src, ctx->arena, at, (size_t)size, &raw, &why);
	struct gh_cursor c = gh_cursor(code ? NULL : raw, code ? 0 : (size_t)size, at);
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, &why)) == GH_OK)
		*ret += f.key == PAYLOAD_BOX(1);
	gh_arena_release(ctx->arena, mark);
	if (code == GH_IO || code == GH_NOMEM)
		return *err = why, code;
	if (code != GH_END)
		gh_note_err(ctx, &why);
	return GH_OK;
}

enum gh_code payload_facts(struct gh_ctx *ctx, struct payload *p, struct gh_err *err)
{
	struct info i = {0};
	struct gh_err why = {0};
	int64_t metadata_n = 0, n = 0;
	uint8_t sum[EVP_MAX_MD_SIZE];
	struct payload_signed s = payload_signed_ranges(p);
	enum gh_code code = info_read(ctx, p, &i, &why);
	if (code)
		gh_note_err(ctx, &why);
	if (p->has_signatures && p->signatures_size && !s.signatures_size)
		gh_note(ctx, GH_SHORT, p->data_at,
			"the payload's signatures, %llu bytes from %llu on, lie behind the end",
			(unsigned long long)p->signatures_size, (unsigned long long)p->signatures_at);
	code = count_signatures(ctx, p, s.metadata_signature_at, s.metadata_signature_size, &metadata_n, err);
	if (code == GH_OK)
		code = count_signatures(ctx, p, s.signatures_at, s.signatures_size, &n, err);
	if (code)
		return code;
	bool hashed = EVP_Digest(p->metadata, p->metadata_size, sum, NULL, EVP_sha256(), NULL) == 1;
	GH_EMIT(ctx, payload_info, 0, .version = cell(p->version), .minor_version = cell(p->minor),
		.block_size = cell(p->block_size), .metadata_size = cell(p->metadata_size),
		.metadata_sha256 = hex_or_none(ctx, hashed ? sum : NULL, 32),
		.metadata_signature_size = cell(p->signature_size), .metadata_signatures = metadata_n,
		.data_at = cell(p->data_at), .signatures_at = s.signatures_size ? cell(s.signatures_at) : GH_NULL,
		.signatures_size = cell(s.signatures_size), .signatures = n, .partitions = p->n,
		.max_timestamp = i.max_timestamp, .partial_update = i.partial, .security_patch_level = i.patch_level,
		.snapshot_enabled = i.snapshot, .vabc_enabled = i.vabc, .vabc_compression = i.compression,
		.cow_version = cell(i.cow_version));
	return GH_OK;
}

/* ---- partitions ---- */

static struct gh_str by_type(struct gh_ctx *ctx, const struct payload_partition *part)
{
	char buf[512];
	size_t n = 0;
	for (unsigned t = 0; t < PAYLOAD_TYPES; t++)
		if (part->n[t])
			n += (size_t)snprintf(
				buf + n, sizeof buf - n, "%s%s %u", n ? " " : "", payload_type_name(t), part->n[t]);
	return gh_str_dup(ctx->arena, gh_strn(buf, n));
}

static int64_t blocks(const struct payload *p, bool there, uint64_t n)
{
	uint64_t bytes;
	return there && gh_mul(n, p->block_size, &bytes) ? cell(bytes) : GH_NULL;
}

enum gh_code payload_partition_row(struct gh_ctx *ctx, const struct payload *p, const struct payload_partition *part,
	const char *state, struct gh_err *err)
{
	struct gh_str types = by_type(ctx, part);
	if (!types.p)
		return gh_fail(err, GH_NOMEM, part->at, "no memory for a partition's row");
	GH_EMIT(ctx, payload_partitions, part->at, .name = part->name, .state = gh_str(state),
		.size = cell(payload_size(p, part)), .sha256 = hex_or_none(ctx, part->new.sha256, 32),
		.old_size = part->old.sized ? cell(part->old.size) : GH_NULL,
		.old_sha256 = hex_or_none(ctx, part->old.sha256, 32), .operations = part->ops, .by_type = types,
		.needs_old = part->needs_old, .unhashed = part->unhashed, .data = cell(part->data),
		.version = part->version, .file_system = part->file_system,
		.postinstall = part->run_postinstall ? (part->postinstall.p ? part->postinstall : GH_STR("postinst"))
						     : GH_NONE,
		.postinstall_optional = part->postinstall_optional,
		.hash_tree_at = blocks(p, part->has_tree, part->tree.start),
		.hash_tree_size = blocks(p, part->has_tree, part->tree.n), .hash_tree_algorithm = part->tree_algorithm,
		.hash_tree_salt = hex_or_none(ctx, part->tree_salt, part->tree_salt_len),
		.fec_at = blocks(p, part->has_fec, part->fec.start), .fec_size = blocks(p, part->has_fec, part->fec.n),
		.fec_roots = part->has_fec ? cell(part->fec_roots) : GH_NULL, .merge_operations = cell(part->merges),
		.signatures = cell(part->signatures));
	return GH_OK;
}
