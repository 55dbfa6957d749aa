/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP (PKWARE APPNOTE 6.3.x): what the parts of the reader share. */
#ifndef GH_FORMATS_ZIP_ZIP_H
#define GH_FORMATS_ZIP_ZIP_H

#include <inttypes.h>

#include "base/num.h"
#include "source/window.h"
#include "tree/plugin.h"

enum {
	ZIP_SIG_LOCAL = 0x04034b50,
	ZIP_SIG_CENTRAL = 0x02014b50,
	ZIP_SIG_END = 0x06054b50,
	ZIP_SIG_END64 = 0x06064b50,
	ZIP_SIG_LOCATOR = 0x07064b50,
	ZIP_SIG_DESCRIPTOR = 0x08074b50,
	ZIP_LOCAL = 30, /* bytes of a local header before its name */
	ZIP_CENTRAL = 46,
	ZIP_END = 22,
	ZIP_END64 = 56,
	ZIP_LOCATOR = 20,
	ZIP_TAIL = 65535 + ZIP_END, /* an end record with the longest comment */
	ZIP_FLAG_ENCRYPTED = 1,
	ZIP_FLAG_DESCRIPTOR = 8,
	ZIP_FLAG_STRONG = 0x40,
	ZIP_FLAG_MASKED = 0x2000,
	ZIP_STORED = 0,
	ZIP_DEFLATED = 8,
};

/* The end records. Offsets are absolute. */
struct zip_end {
	bool found; /* and the central directory is where it says */
	bool zip64;
	uint64_t at; /* of the end record */
	uint64_t at64; /* of the zip64 end record */
	uint64_t size64;
	uint64_t central; /* where the central directory begins */
	uint64_t central_size; /* as far as it lies before the end record */
	uint64_t count; /* members it announces */
	uint64_t base; /* what offsets in the directory are relative to: bytes put before the archive */
	uint16_t comment_len;
	struct gh_err fault; /* a read that failed during the search */
	bool overlap; /* the directory is longer than the room before its end record */
};

/* A central directory record, or in a walk the local header that stands for it. */
struct zip_entry {
	uint64_t at; /* of the record itself */
	struct gh_str name;
	uint64_t local; /* of the local header */
	uint64_t csize, size;
	uint32_t crc;
	uint16_t method, flags;
	size_t len; /* of the record */
	bool guessed; /* a walk could not tell its size */
	bool bad64; /* a 32-bit field says "see zip64", and no such field follows */
};

/* A local header. */
struct zip_local {
	struct gh_str name;
	uint64_t csize, size;
	uint32_t crc;
	uint16_t method, flags;
	uint64_t data; /* where the content begins */
};

/* Bytes that something in the archive claims. */
struct zip_span {
	uint64_t start, end;
	uint64_t hash; /* of the name */
	uint64_t at; /* central record; UINT64_MAX: not a member */
};

enum { ZIP_SPANS = 4096 }; /* a block: 128 KiB */

struct zip_spans {
	struct zip_spans *below;
	size_t n;
	struct zip_span span[ZIP_SPANS];
};

struct zip {
	struct gh_source *src;
	struct zip_end end;
	struct gh_window central, local;
	struct gh_window spot; /* for single records here and there: reads nothing ahead */
	uint64_t pos; /* of the next record; in a walk of what is searched next */
	uint64_t n; /* members listed */
	bool damaged; /* the directory could not be read to its end: what it leaves unclaimed is walked */
	bool walking;
	bool over; /* more spans than are kept */
	struct zip_spans *spans;
	size_t n_spans;
	struct zip_span *flat; /* all spans, sorted by start, once the directory is read */
	size_t turn; /* walk: the span that ends next */
	uint64_t last; /* highest local header offset so far */
	uint64_t unordered, unordered_at; /* members that lie before an earlier one, and the record of the first */
	uint64_t notes;
	char *name; /* a name that must outlive its window */
	bool ended;
};

extern const struct gh_format gh_format_zip;

/* zip_end.c */
enum gh_code zip_end_find(struct gh_ctx *ctx, struct gh_source *src, struct zip_end *ret, struct gh_err *err);
void zip_end_facts(struct gh_ctx *ctx, struct zip *z);

/* zip_entry.c */
/* The record at `at`, through that window. */
enum gh_code zip_central_read(
	struct gh_ctx *ctx, struct zip *z, struct gh_window *w, uint64_t at, struct zip_entry *ret, struct gh_err *err);
enum gh_code zip_local_read(struct gh_ctx *ctx, struct zip *z, uint64_t at, struct zip_local *ret, struct gh_err *err);
/* Where the data descriptor behind a member ends, and what it says (NULL: the end alone). `data_end` itself if there is none. */
enum gh_code zip_descriptor_read(struct gh_ctx *ctx, struct zip *z, uint64_t data_end, const struct zip_entry *e,
	struct zip_local *ret, uint64_t *ret_end, struct gh_err *err);

/* zip_facts.c */
/* Makes z->name, for the longest name. */
enum gh_code zip_name_buffer(struct gh_ctx *ctx, struct zip *z, struct gh_err *err);
/* Notes are capped: a million broken members shall not make a million notes. */
void zip_note(struct gh_ctx *ctx, struct zip *z, enum gh_code code, uint64_t at, const char *fmt, ...) GH_PRINTF(5, 6);
void zip_compare(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct zip_local *l);
void zip_compare_descriptor(struct gh_ctx *ctx, const struct zip_entry *e, const struct zip_local *d);
/* A fact about a member in two numbers: hexadecimal of so many digits, or decimal for 0. */
void zip_row(
	struct gh_ctx *ctx, const struct zip_entry *e, const char *kind, int hex, uint64_t central, uint64_t local);
enum gh_code zip_span_add(struct gh_ctx *ctx, struct zip *z, struct zip_span span, struct gh_err *err);
/* When the directory has been read: order, duplicates, gaps, overlaps. */
enum gh_code zip_close_facts(struct gh_ctx *ctx, struct zip *z, struct gh_err *err);

/* zip_content.c */
/* How the content of a member can be had: sets kind, flags, size, cookie; notes what is odd. */
enum gh_code zip_child(struct gh_ctx *ctx, struct zip *z, const struct zip_entry *e, const struct zip_local *l,
	struct gh_child *ret, struct gh_err *err);
enum gh_code zip_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err);
enum gh_code zip_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err);

/* zip_walk.c */
/* The next local header in bytes that nothing claims, as an entry and its local header; GH_END. */
enum gh_code zip_walk(
	struct gh_ctx *ctx, struct zip *z, struct zip_entry *ret, struct zip_local *ret_local, struct gh_err *err);

#endif
