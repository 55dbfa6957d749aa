/* SPDX-License-Identifier: Apache-2.0 */
/* Inside apk: the parts of JAR signing (scheme v1). */
#ifndef GH_INSPECTORS_APK_JAR_H
#define GH_INSPECTORS_APK_JAR_H

#include "inspectors/apk/verify.h"
#include "inspectors/cert/signed.h"

/* The names under which manifests give digests; the first five by strength, the rest other words for SHA-1. */
enum slot {
	SLOT_SHA512,
	SLOT_SHA384,
	SLOT_SHA256,
	SLOT_SHA1,
	SLOT_MD5,
	SLOT_SHA,
	SLOT_SHA_1,
	SLOTS,
	SLOT_NONE = SLOTS
};

enum digest jar_slot_digest(enum slot slot);

/* ---- jar_manifest.c ---- */

/* What a section says of one digest: base64, by slot. */
struct jar_digests {
	struct gh_str text[SLOTS];
};

struct jar_section {
	struct gh_str name; /* GH_NONE: unnamed */
	size_t at, n; /* in the file, with the empty line behind it */
	struct jar_digests digests; /* "…-Digest" */
	struct gh_str order; /* Digest-Algorithms; GH_NONE: not said */
	uint8_t good, bad; /* digests that were computed and compare, by slot */
};

/* MANIFEST.MF or an .SF. */
struct jar_file {
	uint64_t at; /* in the archive */
	const uint8_t *p;
	size_t n;
	struct jar_section main;
	struct jar_digests whole,
		main_attributes; /* "…-Digest-Manifest", "…-Digest-Manifest-Main-Attributes" of the main section */
	struct gh_str version, created_by, announced; /* Signature-Version, Created-By, X-Android-APK-Signed */
	struct jar_section *sections; /* sorted by name */
	size_t n_sections;
	bool unnamed, twice; /* a section without a name; two with one */
};

int jar_compare(struct gh_str a, struct gh_str b);
enum gh_code jar_file_read(struct gh_ctx *ctx, struct jar_file *f, struct gh_err *err) GH_MUST;
struct jar_section *jar_section_find(const struct jar_file *f, struct gh_str name);
/* Which digest a release looks at; SLOT_NONE: none. */
enum slot jar_slot(const struct jar_digests *d, struct gh_str order, int32_t sdk);
/* Compares the digest under each slot with that of n bytes: bits in *good and *bad. */
void jar_digests_compare(const struct jar_digests *d, const void *p, size_t n, uint8_t *good, uint8_t *bad);
/* Is this base64 text those bytes? */
bool jar_base64_is(struct gh_str text, const uint8_t *p, size_t n);

/* ---- jar_entries.c ---- */

struct jar_entry {
	struct gh_str name;
	uint64_t at; /* central record */
	uint64_t local, csize, size;
	uint16_t method;
};

struct jar_entries {
	struct zip *zip;
	struct jar_entry *list; /* in the order of the directory */
	struct jar_entry **sorted; /* by name */
	size_t n;
	const char *why; /* the directory cannot be read to its end */
	uint64_t why_at;
	uint64_t twice_at; /* a name that is there twice; 0: none */
};

enum gh_code jar_entries_read(
	struct gh_ctx *ctx, const struct apk *a, struct jar_entries *ret, struct gh_err *err) GH_MUST;
struct jar_entry *jar_entry_find(const struct jar_entries *e, struct gh_str name);
/* The content of an entry, whole; GH_LIMIT if it is larger than `most`. */
enum gh_code jar_entry_content(struct gh_ctx *ctx, const struct jar_entries *e, const struct jar_entry *entry,
	uint64_t most, const uint8_t **ret, size_t *ret_n, struct gh_err *err) GH_MUST;
/* Digests an entry by the slots that its section has; sets the section's good and bad. */
enum gh_code jar_entry_digest(struct gh_ctx *ctx, const struct jar_entries *e, const struct jar_entry *entry,
	struct jar_section *section, struct gh_err *err) GH_MUST;

/* ---- jar_block.c ---- */

/* Does that release know the two algorithms? */
bool jar_info_known(const struct signed_info *i, int32_t sdk);

#endif
