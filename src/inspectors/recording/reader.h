/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the inspector of recordings: what its readers share. */
#ifndef GH_RECORDING_READER_H
#define GH_RECORDING_READER_H

#include "tree/plugin.h"

enum {
	/* Samples of one content. 24 hours at 1 Hz are 86,400; a month of one a second 2.7 million, and a second of reading. */
	GH_SAMPLES_MAX = 3000000,
};

/* One recording while it is read. */
struct gh_recording {
	struct gh_ctx *ctx;
	struct gh_row_recordings row;
	uint64_t at; /* of the recording in the content */
	int64_t *total; /* samples of the whole content so far */
	int64_t other; /* beats and events */
};

struct gh_recording gh_recording(struct gh_ctx *ctx, const char *format, int64_t part, uint64_t at, int64_t *total);
/* A row, or GH_LIMIT. part is filled in. */
enum gh_code gh_sample(struct gh_recording *r, uint64_t at, struct gh_row_samples s, struct gh_err *err) GH_MUST;
enum gh_code gh_beat(struct gh_recording *r, uint64_t at, int64_t t, int64_t rr, struct gh_err *err) GH_MUST;
enum gh_code gh_event(struct gh_recording *r, uint64_t at, int64_t t, const char *kind, struct gh_err *err) GH_MUST;
void gh_recording_end(struct gh_recording *r);

/* A decimal number, with a fraction and an exponent; false if anything else is in it. */
bool gh_decimal(struct gh_str s, double *ret);
/* ISO 8601 (2024-05-01T10:20:30.5+02:00, blank instead of T), or seconds or milliseconds since 1970; milliseconds. Without a zone: UTC. */
bool gh_time_read(struct gh_str s, int64_t *ret);
/* Heart rates outside of 25..240 are how devices write "none" (0, 255, -1): GH_NULL. */
int64_t gh_rate(double v);

bool gh_fit_is(const struct gh_probe *probe);
enum gh_code gh_fit_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
bool gh_xml_is(const struct gh_probe *probe);
enum gh_code gh_xml_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
bool gh_csv_is(const struct gh_probe *probe);
enum gh_code gh_csv_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
bool gh_btsnoop_is(const struct gh_probe *probe);
enum gh_code gh_btsnoop_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
bool gh_packets_is(const struct gh_probe *probe);
enum gh_code gh_packets_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;
bool gh_gadget_is(const struct gh_probe *probe);
enum gh_code gh_gadget_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err) GH_MUST;

#endif
