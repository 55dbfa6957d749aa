/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from and to a phone. A stream is one service (a shell command, a sync session); it comes from the local adb server or from
 * the transport of the direct path. Whatever comes is hostile: nothing here waits for ever or takes more than its caller asked for. */
#ifndef GH_DEVICE_STREAM_H
#define GH_DEVICE_STREAM_H

#include <signal.h>

#include "base/str.h"

/* When to give up waiting: GH_END as soon as *stop, GH_LIMIT after idle_ms without a byte. */
struct gh_pace {
	const volatile sig_atomic_t *stop; /* may be NULL */
	int idle_ms;
};

struct gh_stream {
	/* At least one byte, at most cap; *ret_n 0: the other side ended it. */
	enum gh_code (*some)(struct gh_stream *self, void *buf, size_t cap, size_t *ret_n, struct gh_err *err);
	enum gh_code (*put)(struct gh_stream *self, const void *p, size_t n, struct gh_err *err);
	void (*close)(struct gh_stream *self); /* frees it */
};

/* A stream over a descriptor, which it closes. NULL without memory. */
struct gh_stream *gh_stream_fd(int fd, const struct gh_pace *pace);

enum { GH_READER_SIZE = 256 << 10 };

/* Reads a stream in pieces of known length. */
struct gh_reader {
	struct gh_stream *stream;
	size_t at, n;
	uint8_t buf[GH_READER_SIZE];
};

/* Exactly n bytes; GH_SHORT when the stream ends before. */
enum gh_code gh_reader_all(struct gh_reader *r, void *p, size_t n, struct gh_err *err) GH_MUST;
/* Up to max bytes as a pointer into the reader, valid until the next call; GH_SHORT at the end. max > 0. */
enum gh_code gh_reader_view(
	struct gh_reader *r, size_t max, const uint8_t **ret, size_t *ret_n, struct gh_err *err) GH_MUST;

#endif
