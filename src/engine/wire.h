/* SPDX-License-Identifier: Apache-2.0 */
/* The channel between the coordinator and a worker: framed messages over a socket pair. The worker's side is buffered and
 * writes rows; the coordinator's side checks every frame: a worker that was taken over may send anything. */
#ifndef GH_ENGINE_WIRE_H
#define GH_ENGINE_WIRE_H

#include "tree/look.h"

enum { GH_WIRE_FDS = GH_PARTS_MAX + 1 }; /* the files a job reads, and one to fill; Linux takes 253 */

/* ---- worker's side ---- */

struct gh_wire_out {
	int fd;
	size_t n;
	uint8_t buf[256 << 10];
};

void gh_wire_row(struct gh_wire_out *o, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
void gh_wire_blob(struct gh_wire_out *o, const struct gh_blob_row *row);
void gh_wire_run(
	struct gh_wire_out *o, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
/* False: too large for a frame. */
bool gh_wire_job(struct gh_wire_out *o, struct gh_str encoded);
void gh_wire_done(struct gh_wire_out *o);
/* Ends the process when the coordinator is gone. */
void gh_wire_flush(struct gh_wire_out *o);

/* ---- coordinator's side ---- */

struct gh_wire_sink {
	void (*row)(void *to, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
	void (*blob)(void *to, const struct gh_blob_row *row);
	void (*run)(void *to, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
	void (*job)(void *to, struct gh_str encoded);
	void (*done)(void *to);
	void *to;
};

struct gh_wire_in {
	uint8_t *buf;
	size_t n, cap;
};

/* Takes what has arrived on fd; calls the sink for every whole frame. GH_END: the worker closed; GH_BAD: not our protocol. */
enum gh_code gh_wire_read(struct gh_wire_in *in, int fd, const struct gh_wire_sink *sink);
void gh_wire_in_done(struct gh_wire_in *in);

/* ---- jobs to a worker ---- */

struct gh_order_base {
	uint32_t base;
	uint32_t spill; /* it is a spill file: 1 + its watermark; 0: a plain file */
	uint64_t size;
};

struct gh_order {
	uint32_t attempt;
	uint32_t pour_mark; /* GH_JOB_POUR: 1 + the watermark of the file to fill */
	uint32_t n_bases;
	uint32_t n_skip;
	uint64_t job_len;
};

/* Sends an order, its bases, its skips, the encoded job, and descriptors (a base's each, then the file to fill). */
bool gh_wire_send(int fd, const struct gh_order *order, const struct gh_order_base *bases, const struct gh_skip *skip,
	struct gh_str job, const int *fds);
/* The worker's end: blocks; false when the coordinator is gone. The buffer is malloc'ed, reused, and holds bases, skips, job. */
bool gh_wire_recv(int fd, struct gh_order *ret, uint8_t **buf, size_t *cap, int fds[GH_WIRE_FDS]);

#endif
