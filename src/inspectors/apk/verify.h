/* SPDX-License-Identifier: Apache-2.0 */
/* Inside apk: verification of the signature schemes. Each scheme says for each span of Android releases what verifying it gave. */
#ifndef GH_INSPECTORS_APK_VERIFY_H
#define GH_INSPECTORS_APK_VERIFY_H

#include "formats/zip/zip.h"
#include "inspectors/cert/pubkey.h"

enum {
	/* API levels at which Android's verifiers change. */
	SDK_9 = 9, /* SHA-384 and SHA-512 in manifests */
	SDK_18 = 18, /* the strongest digest instead of the first; ECDSA */
	SDK_19 = 19, /* signed attributes */
	SDK_21 = 21,
	SDK_22 = 22,
	SDK_24 = 24, /* v2, and stripping is noticed */
	SDK_28 = 28, /* v3, fs-verity digests */
	SDK_33 = 33, /* v3.1 */
	SDK_ALL = INT32_MAX,
	SIGNERS = 10, /* as many as Android takes */
	SPANS = 9 + 4 * SIGNERS, /* the levels above, and the first and last of each signer of v3 and v3.1 */
};

enum apk_state { APK_ABSENT, APK_VERIFIED, APK_FAILED, APK_STRIPPED, APK_UNSUPPORTED };

struct apk_outcome {
	enum apk_state state;
	uint64_t at;
	struct gh_str why; /* not for APK_VERIFIED, APK_ABSENT */
	struct gh_str certs; /* SHA-256 of the signers' certificates, comma separated, in their order */
};

/* A value of the signing block. */
struct apk_value {
	bool there;
	uint64_t at, size;
};

/* An archive as Android's verifier sees it. */
struct apk {
	struct gh_source *src;
	struct zip_end end;
	uint64_t block; /* where the signing block begins; the central directory if there is none */
	const char *overlooked; /* why Android does not see the signing block; NULL: it does, or there is none */
	const char *refused; /* why this is no archive to Android; NULL: it is one */
	struct apk_value v2, v3, v31, stamp, stamp2;
	/* Spans of releases: the first level of each, and where the last one ends. */
	unsigned n_spans;
	int32_t span[SPANS + 1];
};

/* Which of the fixed spans a level is in: within one, v1 says the same. */
int apk_era(int32_t sdk);
/* The fixed spans, and a span that begins at this level. */
void apk_spans_init(struct apk *a);
void apk_span_add(struct apk *a, int32_t sdk);

/* Fails outcome *o once: the first reason stays. Returns false, so that a check is one line. */
bool apk_fail(struct gh_ctx *ctx, struct apk_outcome *o, enum apk_state state, uint64_t at, const char *fmt, ...)
	GH_PRINTF(5, 6);
void apk_outcome_certs(struct gh_ctx *ctx, struct apk_outcome *o, struct gh_str cert_sha256);

/* ---- content.c: digests over the archive ---- */

enum content { CONTENT_SHA256, CONTENT_VERITY, CONTENT_SHA512, CONTENTS };

struct apk_digests {
	uint8_t sum[CONTENTS][PUBKEY_DIGEST_MAX];
	size_t len[CONTENTS];
	unsigned want, have; /* by bit */
};

/* Computes what is wanted and not had yet, in one pass over the archive. */
enum gh_code apk_digest(struct gh_ctx *ctx, const struct apk *a, struct apk_digests *d, struct gh_err *err) GH_MUST;

/* ---- scheme.c ---- */

struct apk_algorithm {
	uint32_t id;
	enum key_kind key;
	enum digest digest;
	bool pss;
	enum content content;
	int32_t min_sdk;
};

const struct apk_algorithm *apk_algorithm(uint32_t id);

enum { SIGNATURES = 64 };

struct apk_signer {
	uint64_t at;
	int32_t min_sdk, max_sdk;
	struct gh_str cert; /* SHA-256, hexadecimal */
	struct apk_outcome outcome[SPANS]; /* before the digests over the archive are compared */
	unsigned need[SPANS]; /* digests over the archive, by bit */
	const uint8_t *digest[CONTENTS];
	size_t digest_len[CONTENTS];
	uint64_t digest_at[CONTENTS];
	unsigned stripped; /* schemes that must be there too, by bit of their number */
	int32_t rotation_min; /* from which release v3.1 rotates, as a v3 signer says; 0: not said */
	struct gh_cursor oldest; /* first certificate of the lineage, or the signer's own */
	unsigned lineage; /* certificates */
	struct gh_cursor own;
};

struct apk_scheme {
	int scheme; /* 2, 3, 31 */
	bool there;
	uint64_t at;
	size_t n;
	struct apk_signer signer[SIGNERS];
	struct apk_outcome span[SPANS];
};

/* Adds the spans that its signers begin and end. */
enum gh_code apk_scheme_spans(struct gh_ctx *ctx, struct apk *a, const struct apk_value *v, struct gh_err *err) GH_MUST;
/* Everything but the digests over the archive. */
enum gh_code apk_scheme_read(struct gh_ctx *ctx, const struct apk *a, const struct apk_value *v, struct apk_scheme *ret,
	struct gh_err *err) GH_MUST;
/* Which digests it needs; then what it comes to. */
unsigned apk_scheme_needs(const struct apk *a, const struct apk_scheme *s);
void apk_scheme_close(struct gh_ctx *ctx, const struct apk *a, struct apk_scheme *s, const struct apk_digests *d);

/* ---- lineage.c ---- */

/* Proof of rotation: each certificate signed by the key before. Fails o, and names the first certificate. */
bool apk_lineage(
	struct gh_ctx *ctx, struct gh_cursor c, struct gh_cursor own, struct apk_signer *s, struct apk_outcome *o);

/* ---- jar.c ---- */

struct jar_result {
	struct apk_outcome span[SPANS];
	struct gh_cursor cert; /* of the only signer; empty where there are more */
	bool there;
};

/* v1. have: schemes with a signing block, by bit of their number; what an .SF announces beyond them was stripped. */
enum gh_code apk_jar(
	struct gh_ctx *ctx, const struct apk *a, unsigned have, struct jar_result *ret, struct gh_err *err) GH_MUST;

/* ---- stamp.c ---- */

/* The source stamp; APK_ABSENT where there is none. */
enum gh_code apk_stamp(struct gh_ctx *ctx, const struct apk *a, const struct apk_scheme *v2,
	const struct apk_scheme *v3, struct apk_outcome *ret, struct gh_err *err) GH_MUST;

/* ---- verdict.c ---- */

/* All of it: rows in apk_checks. */
enum gh_code apk_verify(struct gh_ctx *ctx, struct apk *a, struct gh_err *err) GH_MUST;

#endif
