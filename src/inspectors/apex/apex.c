/* SPDX-License-Identifier: Apache-2.0 */
/* What an APEX says about itself beside its payload: apex_manifest.pb (system/apex/proto/apex_manifest.proto) and the key of the inner
 * vbmeta, apex_pubkey (AvbRSAPublicKeyHeader); loose keys named *.avbpubkey too. */
#include <openssl/evp.h>

#include "base/num.h"
#include "inspectors/cert/pubkey.h"
#include "tree/plugin.h"

enum {
	SIZE_MAX_READ = 64 << 10,
	FIELD_NAME = 1,
	FIELD_VERSION = 2,
	FIELD_VERSION_NAME = 5,
	FIELD_COMPRESSED = 12, /* CompressedApexMetadata, whose field 1 is the digest of the original's payload */
	VARINT = 0,
	FIXED64 = 1,
	BYTES = 2,
	FIXED32 = 5,
};

/* ---- protobuf ---- */

struct field {
	uint64_t number;
	unsigned type;
	uint64_t value;
	struct gh_cursor bytes;
};

static bool field_next(struct gh_cursor *c, struct field *f)
{
	if (c->bad || !gh_left(c))
		return false;
	uint64_t key = gh_uleb(c);
	*f = (struct field){.number = key >> 3, .type = key & 7};
	if (f->type == VARINT)
		f->value = gh_uleb(c);
	else if (f->type == FIXED64)
		f->value = gh_u64(c);
	else if (f->type == FIXED32)
		f->value = gh_u32(c);
	else if (f->type == BYTES)
		f->bytes = gh_sub(c, gh_uleb(c));
	else
		c->bad = true;
	return !c->bad;
}

static struct gh_str text(struct gh_cursor c)
{
	return gh_strn(c.p, c.n);
}

static struct gh_str original_digest(struct gh_cursor c)
{
	struct field f;
	while (field_next(&c, &f))
		if (f.number == 1 && f.type == BYTES)
			return text(f.bytes);
	return GH_NONE;
}

static void manifest_read(struct gh_ctx *ctx, struct gh_cursor c)
{
	struct gh_row_apex_manifests r = {.version = GH_NULL};
	struct field f;
	while (field_next(&c, &f)) {
		if (gh_spend_steps(ctx->budget, 1, gh_at(&c), NULL))
			break;
		if (f.number == FIELD_NAME && f.type == BYTES)
			r.name = text(f.bytes);
		else if (f.number == FIELD_VERSION && f.type == VARINT)
			r.version = f.value > INT64_MAX ? GH_NULL : (int64_t)f.value;
		else if (f.number == FIELD_VERSION_NAME && f.type == BYTES)
			r.version_name = text(f.bytes);
		else if (f.number == FIELD_COMPRESSED && f.type == BYTES)
			r.original_digest = original_digest(f.bytes);
	}
	if (c.bad || gh_left(&c))
		gh_note(ctx, GH_BAD, gh_at(&c), "a manifest that is no protobuf message from here on");
	if (r.name.p)
		ctx->ops->emit(ctx, GH_T_apex_manifests, 0, &r);
	else
		gh_note(ctx, GH_BAD, 0, "an APEX manifest without a name");
}

/* ---- key ---- */

static enum gh_code key_read(struct gh_ctx *ctx, struct gh_cursor c, struct gh_err *err)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	struct gh_cursor head = c;
	uint32_t bits = gh_u32be(&head);
	if (c.n < 8 || bits > PUBKEY_BITS_MAX || bits % 32 || c.n != 8 + (uint64_t)bits / 4)
		return gh_fail(err, GH_BAD, 0, "a key of verified boot of %u bits in %zu bytes", bits, c.n);
	if (EVP_Digest(c.p, c.n, sum, NULL, EVP_sha1(), NULL) != 1)
		return gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	GH_EMIT(ctx, avb_keys, 0, .sha1 = gh_hex(ctx->arena, sum, 20), .bits = bits);
	return GH_OK;
}

/* ---- inspector ---- */

static bool is_key(struct gh_str name)
{
	return gh_str_is(name, "apex_pubkey") || gh_str_ends(name, ".avbpubkey");
}

static bool apex_wants(const struct gh_probe *probe)
{
	return probe->size && probe->size <= SIZE_MAX_READ &&
	       (is_key(probe->name) || gh_str_ends(probe->name, "apex_manifest.pb"));
}

static enum gh_code apex_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "larger than is read");
	struct gh_cursor c = gh_cursor(blob->data, (size_t)blob->size, 0);
	if (is_key(blob->name))
		return key_read(ctx, c, err);
	manifest_read(ctx, c);
	return GH_OK;
}

const struct gh_inspector gh_inspector_apex = {
	.name = "apex",
	.title = "APEX manifest and key",
	.version = 1,
	.wants = apex_wants,
	.run = apex_run,
};
