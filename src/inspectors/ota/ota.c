/* SPDX-License-Identifier: Apache-2.0 */
/* Update packages: the signature over the whole file in the archive's comment (bootable/recovery/install/verifier.cpp,
 * frameworks/base RecoverySystem.verifyPackage), and META-INF/com/android/metadata. */
#include <openssl/evp.h>

#include "base/num.h"
#include "inspectors/cert/signed.h"
#include "inspectors/cert/x509.h"
#include "inspectors/ota/proto.h"
#include "source/window.h"

enum {
	FOOTER = 6, /* where the signature begins, counted from the end; 0xffff; length of the comment */
	END = 22, /* an end record without comment */
	WINDOW = 1 << 20,
	DIGESTS = DIGEST_SHA512 + 1,
	METADATA_MAX = 1 << 20,
};

/* ---- the signature ---- */

struct package {
	struct signed_content base;
	struct gh_ctx *ctx;
	struct gh_source *src;
	uint64_t size; /* of what is signed: all but the comment and its length */
	bool have[DIGESTS]; /* each digest is over all of the file: computed once */
	uint8_t sum[DIGESTS][PUBKEY_DIGEST_MAX];
	struct gh_err err;
};

static const EVP_MD *md_of(enum digest d)
{
	return d == DIGEST_SHA1 ? EVP_sha1() : d == DIGEST_SHA256 ? EVP_sha256() : NULL;
}

static enum gh_code hash_all(struct package *p, EVP_MD_CTX *md)
{
	struct gh_window w = {.src = p->src, .cap = WINDOW, .step = WINDOW};
	for (uint64_t at = 0; at < p->size;) {
		const uint8_t *bytes;
		size_t n = (size_t)gh_min(WINDOW, p->size - at);
		enum gh_code code = gh_spend_steps(p->ctx->budget, 1, at, &p->err);
		if (code == GH_OK)
			code = gh_window_get(&w, p->ctx->arena, at, n, &bytes, &p->err);
		if (code)
			return code;
		if (EVP_DigestUpdate(md, bytes, n) != 1)
			return gh_fail(&p->err, GH_NOMEM, at, "a digest could not be computed");
		at += n;
	}
	return GH_OK;
}

/* SHA-1 and SHA-256 are what a recovery takes. */
static bool package_digest(const struct signed_content *self, enum digest digest, uint8_t *ret)
{
	struct package *p = (struct package *)self;
	if (!md_of(digest))
		return false;
	if (!p->have[digest]) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		p->have[digest] = md && EVP_DigestInit_ex(md, md_of(digest), NULL) == 1 && hash_all(p, md) == GH_OK &&
				  EVP_DigestFinal_ex(md, p->sum[digest], NULL) == 1;
		EVP_MD_CTX_free(md);
	}
	if (p->have[digest])
		memcpy(ret, p->sum[digest], digest_len(digest));
	return p->have[digest];
}

static void signer_tell(struct gh_ctx *ctx, const struct signed_info *i, struct gh_row_ota_packages *r)
{
	if (!i->cert.p)
		return;
	r->cert_sha256 = x509_digest(ctx, i->cert.p + i->cert.i, gh_left(&i->cert));
	(void)x509_emit(ctx, i->cert, gh_at(&i->cert), "ota", X509_SIGNER);
}

static void judge(
	struct gh_ctx *ctx, const struct package *p, const struct signed_infos *s, struct gh_row_ota_packages *r)
{
	const struct signed_info *first = s->n ? &s->info[0] : NULL;
	r->state = GH_STR("failed");
	if (s->why) {
		r->why = gh_str(s->why);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->info[i].ok && !s->info[i].fatal) {
			r->state = GH_STR("verified");
			signer_tell(ctx, &s->info[i], r);
			return;
		}
	if (!first)
		return;
	signer_tell(ctx, first, r);
	bool odd = !md_of(first->digest) || p->err.code;
	if (odd)
		r->state = GH_STR("unsupported");
	r->why = first->fatal  ? gh_str(first->fatal)
		 : p->err.code ? GH_STR("the package could not be read to its end")
		 : odd         ? GH_STR("a digest that a recovery does not take")
			       : GH_STR("the package is not what was signed");
}

/* The comment as its footer says; false: it is no signature. */
static bool footer_read(const uint8_t *tail, uint64_t size, uint64_t *ret_comment, uint64_t *ret_signature)
{
	struct gh_cursor c = gh_cursor(tail, FOOTER, size - FOOTER);
	uint64_t start = gh_u16(&c), mark = gh_u16(&c), comment = gh_u16(&c);
	*ret_comment = comment;
	*ret_signature = start;
	return mark == 0xffff && comment >= FOOTER && start > FOOTER && start <= comment && comment + END <= size;
}

static bool ends_in_footer(const struct gh_probe *probe)
{
	uint64_t comment, signature;
	bool zip = probe->head_len >= 4 && !memcmp(probe->head, "PK\3\4", 4);
	return zip && probe->size >= END + FOOTER && probe->tail_len >= FOOTER &&
	       footer_read(probe->tail + probe->tail_len - FOOTER, probe->size, &comment, &signature);
}

static enum gh_code package_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	const uint8_t *tail, *end;
	uint64_t comment, signature;
	enum gh_code code = gh_view(blob->src, ctx->arena, blob->size - FOOTER, FOOTER, &tail, err);
	if (code || !footer_read(tail, blob->size, &comment, &signature))
		return code;
	uint64_t at = blob->size - comment - END;
	code = gh_view(blob->src, ctx->arena, at, (size_t)comment + END, &end, err);
	if (code || memcmp(end, "PK\5\6", 4) != 0)
		return code;
	struct gh_row_ota_packages r = {.signed_size = (int64_t)(blob->size - comment - 2)};
	if (memmem(end + 4, (size_t)comment + END - 4, "PK\5\6", 4)) {
		r.state = GH_STR("failed");
		r.why = GH_STR("an end record inside the signature's comment");
	} else {
		struct package p = {
			.base = {package_digest}, .ctx = ctx, .src = blob->src, .size = blob->size - comment - 2};
		struct signed_infos *s = gh_alloc(ctx->arena, sizeof *s);
		if (!s)
			return gh_fail(err, GH_NOMEM, at, "no memory for a signature");
		size_t from = (size_t)(END + comment - signature);
		signed_infos_read(ctx, gh_cursor(end + from, (size_t)signature - FOOTER, at + from), &p.base, s);
		judge(ctx, &p, s, &r);
		if (p.err.code)
			gh_note_err(ctx, &p.err);
	}
	ctx->ops->emit(ctx, GH_T_ota_packages, blob->size - signature, &r);
	return GH_OK;
}

/* ---- metadata ---- */

static bool is_metadata(const struct gh_probe *probe)
{
	return gh_str_is(probe->name, "metadata") && probe->size && probe->size <= METADATA_MAX &&
	       (memmem(probe->head, probe->head_len, "post-timestamp=", 15) ||
		       memmem(probe->head, probe->head_len, "ota-type=", 9));
}

static enum gh_code metadata_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_str rest = gh_strn(blob->data, (size_t)blob->size), line;
	for (int64_t n = 1; gh_str_line(&rest, &line); n++) {
		uint64_t at = (uint64_t)((const uint8_t *)line.p - blob->data);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
		if (code)
			return code;
		const char *eq = memchr(line.p, '=', line.n);
		if (!eq)
			continue;
		size_t key = (size_t)(eq - line.p);
		GH_EMIT(ctx, ota_metadata, at, .key = gh_str_trim(gh_strn(line.p, key)),
			.value = gh_str_trim(gh_strn(eq + 1, line.n - key - 1)), .line = n);
	}
	return GH_OK;
}

/* ---- inspector ---- */

/* Messages have no magic number: the name is all there is to know them by. */
static bool is_message(struct gh_str name)
{
	return gh_str_is(name, "metadata.pb") || gh_str_is(name, "care_map.pb");
}

static bool ota_wants(const struct gh_probe *probe)
{
	return ends_in_footer(probe) || is_metadata(probe) || (is_message(probe->name) && probe->size);
}

static enum gh_code message_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data || blob->size > METADATA_MAX)
		return gh_fail(err, GH_LIMIT, 0, "a message of %llu bytes, %d are read", (unsigned long long)blob->size,
			METADATA_MAX);
	struct gh_cursor c = gh_cursor(blob->data, (size_t)blob->size, 0);
	return gh_str_is(blob->name, "care_map.pb") ? ota_care_map(ctx, c, err) : ota_metadata_pb(ctx, c, err);
}

static enum gh_code ota_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (gh_str_is(blob->name, "metadata"))
		return blob->data ? metadata_run(ctx, blob, err) : gh_fail(err, GH_LIMIT, 0, "larger than is read");
	if (is_message(blob->name))
		return message_run(ctx, blob, err);
	return blob->size < END + FOOTER ? GH_OK : package_run(ctx, blob, err);
}

const struct gh_inspector gh_inspector_ota = {
	.name = "ota",
	.title = "signature and metadata of update packages",
	.version = 2,
	.wants = ota_wants,
	.run = ota_run,
};
