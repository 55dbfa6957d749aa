/* SPDX-License-Identifier: Apache-2.0 */
/* Binary XML of Android (ResourceTypes.h of AOSP): the reader that axml_manifest.c is written on. */
#ifndef GH_INSPECTORS_AXML_H
#define GH_INSPECTORS_AXML_H

#include "base/num.h"
#include "tree/plugin.h"

enum { AXML_NONE = 0xffffffffu }; /* index of no string */

/* The pool that names and values index. */
struct axml_pool {
	struct gh_cursor entries; /* offsets */
	struct gh_cursor strings; /* what they point into */
	uint32_t count;
	bool utf8;
};

enum axml_once { /* what is told once a file */
	AXML_ONCE_UNSORTED = 1,
	AXML_ONCE_BY_NAME = 2,
	AXML_ONCE_ATTR_SIZE = 4,
	AXML_ONCE_RAW = 8,
};

struct axml {
	struct gh_ctx *ctx;
	const uint8_t *p;
	uint64_t end; /* of the document in p */
	uint64_t first; /* node */
	uint64_t pos; /* of the next node */
	struct axml_pool pool;
	struct gh_cursor ids; /* resource id of the name with this index */
	struct gh_err err; /* code set: out of budget or memory, reading stops */
	unsigned told;
	bool quiet; /* the first of two readings tells nothing */
	bool texts; /* axml_next() delivers text between elements too */
};

/* The attributes that are facts. */
enum axml_slot {
	A_PACKAGE,
	A_NAME,
	A_PERMISSION,
	A_READ_PERMISSION,
	A_WRITE_PERMISSION,
	A_PROTECTION,
	A_SHARED_UID,
	A_HAS_CODE,
	A_PERSISTENT,
	A_ENABLED,
	A_DEBUGGABLE,
	A_EXPORTED,
	A_PROCESS,
	A_AUTHORITIES,
	A_PRIORITY,
	A_TARGET_PACKAGE,
	A_SCHEME,
	A_HOST,
	A_TARGET_ACTIVITY,
	A_MIN_SDK,
	A_VERSION_CODE,
	A_VERSION_NAME,
	A_TARGET_SDK,
	A_TEST_ONLY,
	A_CLEARTEXT,
	A_DIRECT_BOOT,
	A_NETWORK_CONFIG,
	A_TARGET_SANDBOX,
	A_VERSION_MAJOR,
	A_LABEL,
	A_N
};

enum axml_type {
	AXML_T_NULL = 0,
	AXML_T_REFERENCE = 1,
	AXML_T_ATTRIBUTE = 2,
	AXML_T_STRING = 3,
	AXML_T_DYN_REFERENCE = 7,
	AXML_T_DYN_ATTRIBUTE = 8,
	AXML_T_INT = 0x10, /* the first of the integer types */
	AXML_T_HEX = 0x11,
	AXML_T_BOOL = 0x12,
	AXML_T_INT_LAST = 0x1f,
};

struct axml_attr {
	bool set;
	bool by_name; /* found by its name only */
	uint8_t type;
	uint32_t data;
	uint32_t raw; /* string index of the text as written */
	uint64_t at;
};

struct axml_node {
	uint64_t at;
	bool start; /* of an element, else its end */
	bool text; /* neither: text between elements */
	uint32_t name; /* string index; of a text: its own */
	uint64_t attrs; /* offset of the first attribute */
	uint16_t attr_size, n_attrs;
};

/* n bytes at p. Finds pool, ids and the first node; GH_BAD when there is none. */
enum gh_code axml_open(struct axml *x, struct gh_ctx *ctx, const uint8_t *p, uint64_t n, struct gh_err *err) GH_MUST;
/* Back to the first node. */
void axml_rewind(struct axml *x);
/* The next start or end of an element, or GH_END. */
enum gh_code axml_next(struct axml *x, struct axml_node *ret, struct gh_err *err) GH_MUST;
/* The attributes of a start node, each in its slot. */
void axml_attrs(struct axml *x, const struct axml_node *node, struct axml_attr ret[A_N]);
/* An attribute without namespace, by its name. */
bool axml_attr_named(struct axml *x, const struct axml_node *node, const char *name, struct axml_attr *ret);
/* Notes malformed input, unless this reading is quiet. */
void axml_note(struct axml *x, uint64_t at, const char *fmt, ...) GH_PRINTF(3, 4);
/* The same, once a file. */
void axml_note_once(struct axml *x, enum axml_once what, uint64_t at, const char *text);

/* ---- strings (axml_pool.c) ---- */

/* Reads the pool in the chunk c (whole, from its header). */
void axml_pool_read(struct axml *x, struct gh_cursor c, struct axml_pool *ret);
/* String number i as UTF-8; GH_NONE if there is no such string. */
struct gh_str axml_string(struct axml *x, uint32_t i);
/* Is string number i this ASCII word? */
bool axml_string_is(struct axml *x, uint32_t i, const char *word);

/* ---- values (axml_value.c), as the framework's TypedArray reads them ---- */

/* Text; GH_NONE when not said, or when a reference that lies outside the manifest decides. */
struct gh_str axml_text(struct axml *x, const struct axml_attr *a);
/* An attribute without an id, as XmlPullParser delivers it: its text as written comes first. */
struct gh_str axml_raw_text(struct axml *x, const struct axml_attr *a);
/* 0 or 1; GH_NULL when a reference decides; `otherwise` when not said. */
int64_t axml_bool(struct axml *x, const struct axml_attr *a, int64_t otherwise);
int64_t axml_int(struct axml *x, const struct axml_attr *a, int64_t otherwise);
/* "@0x7f0c0001", text, or GH_NONE. */
struct gh_str axml_reference(struct axml *x, const struct axml_attr *a);

/* ---- the manifest (axml_manifest.c) ---- */
enum gh_code axml_manifest(struct axml *x, struct gh_err *err) GH_MUST;

#endif
