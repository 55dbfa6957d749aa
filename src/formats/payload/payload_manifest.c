/* SPDX-License-Identifier: Apache-2.0 */
/* Header and manifest of a payload, after update_metadata.proto: DeltaArchiveManifest, PartitionUpdate, InstallOperation. */
#include "base/num.h"
#include "formats/payload/payload.h"

const char *payload_type_name(uint64_t type)
{
	static const char *const names[PAYLOAD_TYPES] = {"REPLACE", "REPLACE_BZ", "MOVE", "BSDIFF", "SOURCE_COPY",
		"SOURCE_BSDIFF", "ZERO", "DISCARD", "REPLACE_XZ", "PUFFDIFF", "BROTLI_BSDIFF", "ZUCCHINI",
		"LZ4DIFF_BSDIFF", "LZ4DIFF_PUFFDIFF", "REPLACE_ZSTD", "unknown"};
	return names[gh_min(type, PAYLOAD_OTHER)];
}

bool payload_needs_old(uint64_t type)
{
	switch (type) {
	case PAYLOAD_REPLACE:
	case PAYLOAD_REPLACE_BZ:
	case PAYLOAD_REPLACE_XZ:
	case PAYLOAD_REPLACE_ZSTD:
	case PAYLOAD_ZERO:
	case PAYLOAD_DISCARD:
		return false;
	default:
		return true;
	}
}

/* ---- operations ---- */

static const uint8_t *sha256_of(const struct payload_field *f)
{
	return f->box.n == 32 ? f->box.p : NULL;
}

static enum gh_code op_extent(
	struct gh_ctx *ctx, const struct payload_field *f, struct payload_op *op, struct gh_err *err)
{
	struct payload_extent e;
	enum gh_code code = payload_extent_read(ctx, f->box, &e, err);
	if (code)
		return code;
	if (e.n > PAYLOAD_BLOCKS_MAX || e.start > PAYLOAD_BLOCKS_MAX || op->dst + e.n > PAYLOAD_BLOCKS_MAX)
		return gh_fail(err, GH_LIMIT, f->at, "an extent of %llu blocks from block %llu",
			(unsigned long long)e.n, (unsigned long long)e.start);
	op->dst += e.n;
	op->n_dst++;
	return GH_OK;
}

static enum gh_code op_read(struct gh_ctx *ctx, struct gh_cursor box, struct payload_op *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code = GH_OK;
	struct gh_cursor c = box;
	*ret = (struct payload_op){.at = gh_at(&box), .box = box};
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_INT(1):
			ret->type = f.value;
			break;
		case PAYLOAD_INT(2):
			ret->data = f.value;
			break;
		case PAYLOAD_INT(3):
			ret->length = f.value;
			break;
		case PAYLOAD_BOX(4):
			ret->n_src++;
			break;
		case PAYLOAD_BOX(6):
			code = op_extent(ctx, &f, ret, err);
			break;
		case PAYLOAD_BOX(8):
			ret->sha256 = sha256_of(&f);
			break;
		default:
			break;
		}
	return code == GH_END ? GH_OK : code;
}

enum gh_code payload_op_next(struct gh_ctx *ctx, struct gh_cursor *c, struct payload_op *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code;
	while ((code = payload_field(ctx, c, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(8))
			return op_read(ctx, f.box, ret, err);
	return code;
}

enum gh_code payload_dst_next(struct gh_ctx *ctx, struct gh_cursor *c, struct payload_extent *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code;
	while ((code = payload_field(ctx, c, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(6))
			return payload_extent_read(ctx, f.box, ret, err);
	return code;
}

/* ---- partitions ---- */

static enum gh_code digest_read(
	struct gh_ctx *ctx, struct gh_cursor box, struct payload_digest *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code;
	while ((code = payload_field(ctx, &box, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_INT(1))
			ret->size = f.value, ret->sized = true;
		else if (f.key == PAYLOAD_BOX(2))
			ret->sha256 = sha256_of(&f);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code add_op(struct gh_ctx *ctx, struct gh_cursor box, struct payload_partition *part, struct gh_err *err)
{
	struct payload_op op;
	struct payload_extent e;
	enum gh_code code = op_read(ctx, box, &op, err);
	if (code)
		return code;
	if (!gh_add(part->data, op.length, &part->data))
		return gh_fail(err, GH_BAD, op.at, "operation %u: data of %llu bytes", part->ops,
			(unsigned long long)op.length);
	while ((code = payload_dst_next(ctx, &box, &e, err)) == GH_OK)
		part->end = e.n ? gh_max(part->end, e.start + e.n) : part->end;
	part->n[gh_min(op.type, PAYLOAD_OTHER)]++;
	if (payload_needs_old(op.type) && !part->needs_old++)
		part->needs_old_at = op.at;
	part->unhashed += op.length && !op.sha256;
	part->extents += op.n_dst;
	part->zero_blocks += op.type == PAYLOAD_ZERO || op.type == PAYLOAD_DISCARD ? op.dst : 0;
	part->ops++;
	return code == GH_END ? GH_OK : code;
}

static void partition_words(const struct payload_field *f, struct payload_partition *ret)
{
	switch (f->key) {
	case PAYLOAD_BOX(1):
		ret->name = payload_text(f);
		break;
	case PAYLOAD_INT(2):
		ret->run_postinstall = f->value;
		break;
	case PAYLOAD_BOX(3):
		ret->postinstall = payload_text(f);
		break;
	case PAYLOAD_BOX(4):
		ret->file_system = payload_text(f);
		break;
	case PAYLOAD_BOX(5):
		ret->signatures++;
		break;
	case PAYLOAD_INT(9):
		ret->postinstall_optional = f->value;
		break;
	case PAYLOAD_BOX(12):
		ret->tree_algorithm = payload_text(f);
		break;
	case PAYLOAD_BOX(13):
		ret->tree_salt = f->box.p;
		ret->tree_salt_len = f->box.n;
		break;
	case PAYLOAD_INT(16):
		ret->fec_roots = f->value;
		break;
	case PAYLOAD_BOX(17):
		ret->version = payload_text(f);
		break;
	case PAYLOAD_BOX(18):
		ret->merges++;
		break;
	default:
		break;
	}
}

enum gh_code payload_partition_read(
	struct gh_ctx *ctx, struct gh_cursor box, struct payload_partition *ret, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code = GH_OK;
	struct gh_cursor c = box;
	*ret = (struct payload_partition){.box = box, .at = gh_at(&box), .name = GH_STR(""), .fec_roots = 2};
	while (code == GH_OK && (code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_BOX(6):
			code = digest_read(ctx, f.box, &ret->old, err);
			break;
		case PAYLOAD_BOX(7):
			code = digest_read(ctx, f.box, &ret->new, err);
			break;
		case PAYLOAD_BOX(8):
			code = add_op(ctx, f.box, ret, err);
			break;
		case PAYLOAD_BOX(11):
			code = payload_extent_read(ctx, f.box, &ret->tree, err);
			ret->has_tree = true;
			break;
		case PAYLOAD_BOX(15):
			code = payload_extent_read(ctx, f.box, &ret->fec, err);
			ret->has_fec = true;
			break;
		default:
			partition_words(&f, ret);
		}
	return code == GH_END ? GH_OK : code;
}

uint64_t payload_size(const struct payload *p, const struct payload_partition *part)
{
	return part->new.sized ? part->new.size : part->end * p->block_size;
}

/* ---- the manifest ---- */

static enum gh_code manifest_fields(struct gh_ctx *ctx, struct payload *p, bool collect, struct gh_err *err)
{
	struct payload_field f;
	enum gh_code code;
	struct gh_cursor c = p->manifest;
	p->n = 0;
	p->block_size = 4096;
	while ((code = payload_field(ctx, &c, &f, err)) == GH_OK)
		switch (f.key) {
		case PAYLOAD_INT(3):
			p->block_size = f.value;
			break;
		case PAYLOAD_INT(4):
			p->signatures_at = f.value;
			p->has_signatures = true;
			break;
		case PAYLOAD_INT(5):
			p->signatures_size = f.value;
			break;
		case PAYLOAD_INT(12):
			p->minor = f.value;
			break;
		case PAYLOAD_BOX(13):
			if (p->n == PAYLOAD_PARTITIONS_MAX)
				return gh_fail(err, GH_LIMIT, f.at, "more than %d partitions", PAYLOAD_PARTITIONS_MAX);
			if (collect)
				p->boxes[p->n] = f.box;
			p->n++;
			break;
		default:
			break;
		}
	return code == GH_END ? GH_OK : code;
}

static enum gh_code manifest_read(struct gh_ctx *ctx, struct payload *p, struct gh_err *err)
{
	struct gh_err why = {0};
	enum gh_code code = manifest_fields(ctx, p, false, &why);
	if (code && p->say)
		gh_note_err(p->say, &why);
	if (p->block_size < 512 || p->block_size > 1 << 20 || p->block_size & (p->block_size - 1))
		return gh_fail(err, GH_BAD, PAYLOAD_HEADER, "blocks of %llu bytes", (unsigned long long)p->block_size);
	if (!p->boxes)
		p->boxes = gh_alloc_array(ctx->arena, PAYLOAD_PARTITIONS_MAX, sizeof *p->boxes);
	if (!p->boxes)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the partitions");
	if (code && !p->n && code != GH_LIMIT)
		return *err = why, code;
	/* What came before the damage counts. */
	(void)!manifest_fields(ctx, p, true, &why);
	return GH_OK;
}

enum gh_code payload_read(struct gh_ctx *ctx, struct payload *p, struct gh_err *err)
{
	const uint8_t *head;
	enum gh_code code = gh_view(p->src, ctx->arena, 0, PAYLOAD_HEADER, &head, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(head, PAYLOAD_HEADER, 0);
	if (gh_u32be(&c) != 0x43724155)
		return gh_fail(err, GH_BAD, 0, "no payload: the magic number is missing");
	p->version = gh_u64be(&c);
	p->manifest_size = gh_u64be(&c);
	p->signature_size = gh_u32be(&c);
	if (p->version == 1)
		return gh_fail(err, GH_UNSUP, 4,
			"version 1, of Chrome OS and Brillo: one system and one kernel, no partitions");
	if (p->version != 2)
		return gh_fail(err, GH_UNSUP, 4, "version %llu", (unsigned long long)p->version);
	if (p->manifest_size > PAYLOAD_MANIFEST_MAX)
		return gh_fail(err, GH_LIMIT, 12, "a manifest of %llu bytes, %d are read",
			(unsigned long long)p->manifest_size, PAYLOAD_MANIFEST_MAX);
	p->metadata_size = PAYLOAD_HEADER + p->manifest_size;
	p->data_at = p->metadata_size + p->signature_size;
	code = gh_view(p->src, ctx->arena, 0, p->metadata_size, &p->metadata, err);
	if (code)
		return code;
	p->manifest = gh_cursor(p->metadata + PAYLOAD_HEADER, p->manifest_size, PAYLOAD_HEADER);
	return manifest_read(ctx, p, err);
}
