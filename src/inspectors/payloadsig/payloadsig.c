/* SPDX-License-Identifier: Apache-2.0 */
/* The signatures in a payload.bin, and the digest of what they are made over (system/update_engine: payload_consumer/payload_verifier.cc,
 * update_metadata.proto "Signatures"). Whose key it is lies elsewhere: DERIVE brings both together. */
#include <openssl/evp.h>

#include "base/num.h"
#include "formats/payload/payload.h"
#include "source/window.h"

enum {
	MESSAGE_MAX = 1 << 20, /* real ones have 267 to 1,100 bytes */
	SIGNATURES_MAX = 16, /* real ones have one or two */
	SIGNATURE_MAX = 2048, /* RSA of 16,384 bits */
	WINDOW = 1 << 20,
};

static enum gh_code hash_data(
	struct gh_ctx *ctx, struct gh_source *src, EVP_MD_CTX *md, uint64_t at, uint64_t end, struct gh_err *err)
{
	struct gh_window w = {.src = src, .cap = WINDOW, .step = WINDOW};
	while (at < end) {
		const uint8_t *bytes;
		size_t n = (size_t)gh_min(WINDOW, end - at);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = gh_window_get(&w, ctx->arena, at, n, &bytes, err);
		if (code)
			return code;
		if (EVP_DigestUpdate(md, bytes, n) != 1)
			return gh_fail(err, GH_NOMEM, at, "a digest could not be computed");
		at += n;
	}
	return GH_OK;
}

/* SHA-256 of header and manifest, then of the data from `at` to `end`. */
static enum gh_code sum(
	struct gh_ctx *ctx, const struct payload *p, uint64_t at, uint64_t end, struct gh_str *ret, struct gh_err *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	enum gh_code code = GH_OK;
	if (!md || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1 ||
		EVP_DigestUpdate(md, p->metadata, p->metadata_size) != 1)
		code = gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	if (code == GH_OK)
		code = hash_data(ctx, p->src, md, at, end, err);
	if (code == GH_OK && EVP_DigestFinal_ex(md, digest, NULL) != 1)
		code = gh_fail(err, GH_NOMEM, 0, "a digest could not be computed");
	EVP_MD_CTX_free(md);
	if (code == GH_OK)
		*ret = gh_hex(ctx->arena, digest, 32);
	return code;
}

/* One Signature message. Elliptic curves vary in length: the rest is padding, and the length is said. */
static enum gh_code signature(
	struct gh_ctx *ctx, struct gh_cursor box, const char *what, struct gh_str sha256, struct gh_err *err)
{
	struct payload_field f;
	struct gh_cursor data = {0};
	uint64_t at = gh_at(&box), n = UINT64_MAX;
	enum gh_code code;
	while ((code = payload_field(ctx, &box, &f, err)) == GH_OK)
		if (f.key == PAYLOAD_BOX(2))
			data = f.box;
		else if (f.key == PAYLOAD_KEY(3, PAYLOAD_FIXED32))
			n = f.value;
	if (code != GH_END)
		return code;
	if (n != UINT64_MAX && n > data.n)
		gh_note(ctx, GH_BAD, at, "a signature of %llu bytes in %zu", (unsigned long long)n, data.n);
	n = gh_min(n, data.n);
	if (n > SIGNATURE_MAX)
		return gh_fail(err, GH_LIMIT, at, "a signature of %llu bytes", (unsigned long long)n);
	GH_EMIT(ctx, payload_sigs, at, .what = gh_str(what), .sha256 = sha256,
		.signature = gh_hex(ctx->arena, data.p, (size_t)n));
	return GH_OK;
}

static enum gh_code signatures(struct gh_ctx *ctx, const struct payload *p, uint64_t at, uint64_t size,
	const char *what, struct gh_str sha256, struct gh_err *err)
{
	const uint8_t *raw;
	struct payload_field f;
	enum gh_code code = gh_view(p->src, ctx->arena, at, (size_t)size, &raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, (size_t)size, at);
	for (unsigned n = 0; (code = payload_field(ctx, &c, &f, err)) == GH_OK;) {
		if (f.key != PAYLOAD_BOX(1))
			continue;
		if (n++ == SIGNATURES_MAX)
			return gh_fail(err, GH_LIMIT, f.at, "more than %d signatures", SIGNATURES_MAX);
		struct gh_err why = {0};
		if (signature(ctx, f.box, what, sha256, &why))
			gh_note_err(ctx, &why);
	}
	return code == GH_END ? GH_OK : code;
}

static enum gh_code one(
	struct gh_ctx *ctx, const struct payload *p, const struct payload_signed *s, bool metadata, struct gh_err *err)
{
	struct gh_str sha256 = GH_NONE;
	uint64_t at = metadata ? s->metadata_signature_at : s->signatures_at;
	uint64_t size = metadata ? s->metadata_signature_size : s->signatures_size;
	if (!size)
		return GH_OK;
	if (size > MESSAGE_MAX)
		return gh_fail(err, GH_LIMIT, at, "signatures of %llu bytes", (unsigned long long)size);
	enum gh_code code = sum(ctx, p, s->data_at, metadata ? s->data_at : s->data_at + s->data_size, &sha256, err);
	return code ? code : signatures(ctx, p, at, size, metadata ? "metadata" : "payload", sha256, err);
}

static bool payloadsig_wants(const struct gh_probe *probe)
{
	return probe->head_len >= PAYLOAD_HEADER && !memcmp(probe->head, "CrAU", 4);
}

static enum gh_code payloadsig_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct payload p = {.src = blob->src};
	struct gh_err first = {0};
	enum gh_code code = payload_read(ctx, &p, err);
	if (code)
		return code;
	struct payload_signed s = payload_signed_ranges(&p);
	if (one(ctx, &p, &s, true, &first))
		gh_note_err(ctx, &first);
	return one(ctx, &p, &s, false, err);
}

const struct gh_inspector gh_inspector_payloadsig = {
	.name = "payloadsig",
	.title = "signatures in update packages (payload.bin)",
	.version = 1,
	.wants = payloadsig_wants,
	.run = payloadsig_run,
};
