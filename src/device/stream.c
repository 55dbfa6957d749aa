/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over descriptors, and reading any stream in pieces of known length. */
#include "device/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"

enum { TICK_MS = 100 }; /* how soon Ctrl-C is seen */

struct fd_stream {
	struct gh_stream base;
	struct gh_pace pace;
	int fd;
};

static enum gh_code wait_for(struct fd_stream *s, short what, struct gh_err *err)
{
	for (int waited = 0;;) {
		if (s->pace.stop && *s->pace.stop)
			return gh_fail(err, GH_END, 0, "stopped");
		struct pollfd p = {.fd = s->fd, .events = what};
		int n = poll(&p, 1, TICK_MS);
		if (n > 0)
			return GH_OK;
		if (n < 0 && errno != EINTR)
			return gh_fail(err, GH_IO, 0, "waiting for the phone: %s", strerror(errno));
		waited += TICK_MS;
		if (waited >= s->pace.idle_ms)
			return gh_fail(err, GH_LIMIT, 0, "no answer for %d seconds", s->pace.idle_ms / 1000);
	}
}

static enum gh_code fd_some(struct gh_stream *self, void *buf, size_t cap, size_t *ret_n, struct gh_err *err)
{
	struct fd_stream *s = (struct fd_stream *)self;
	for (;;) {
		ssize_t n = recv(s->fd, buf, cap, MSG_DONTWAIT);
		if (n >= 0) {
			*ret_n = (size_t)n;
			return GH_OK;
		}
		if (errno == ECONNRESET) {
			*ret_n = 0;
			return GH_OK;
		}
		if (errno != EAGAIN && errno != EINTR)
			return gh_fail(err, GH_IO, 0, "reading from the phone: %s", strerror(errno));
		enum gh_code code = wait_for(s, POLLIN, err);
		if (code)
			return code;
	}
}

static enum gh_code fd_put(struct gh_stream *self, const void *p, size_t n, struct gh_err *err)
{
	struct fd_stream *s = (struct fd_stream *)self;
	for (const uint8_t *b = p; n;) {
		ssize_t put = send(s->fd, b, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put > 0) {
			b += put;
			n -= (size_t)put;
			continue;
		}
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return gh_fail(err, GH_IO, 0, "writing to the phone: %s", strerror(errno));
		enum gh_code code = wait_for(s, POLLOUT, err);
		if (code)
			return code;
	}
	return GH_OK;
}

static void fd_close(struct gh_stream *self)
{
	struct fd_stream *s = (struct fd_stream *)self;
	close(s->fd);
	free(s);
}

struct gh_stream *gh_stream_fd(int fd, const struct gh_pace *pace)
{
	struct fd_stream *s = calloc(1, sizeof *s);
	if (!s) {
		close(fd);
		return NULL;
	}
	*s = (struct fd_stream){{fd_some, fd_put, fd_close}, *pace, fd};
	return &s->base;
}

/* ---- pieces ---- */

static enum gh_code fill(struct gh_reader *r, struct gh_err *err)
{
	r->at = r->n = 0;
	enum gh_code code = r->stream->some(r->stream, r->buf, sizeof r->buf, &r->n, err);
	if (code)
		return code;
	return r->n ? GH_OK : gh_fail(err, GH_SHORT, 0, "the phone ended the connection");
}

enum gh_code gh_reader_view(struct gh_reader *r, size_t max, const uint8_t **ret, size_t *ret_n, struct gh_err *err)
{
	enum gh_code code = r->at < r->n ? GH_OK : fill(r, err);
	if (code)
		return code;
	*ret = r->buf + r->at;
	*ret_n = (size_t)gh_min(max, r->n - r->at);
	r->at += *ret_n;
	return GH_OK;
}

enum gh_code gh_reader_all(struct gh_reader *r, void *p, size_t n, struct gh_err *err)
{
	uint8_t *to = p;
	while (n) {
		const uint8_t *part;
		size_t len;
		enum gh_code code = gh_reader_view(r, n, &part, &len, err);
		if (code)
			return code;
		memcpy(to, part, len);
		to += len;
		n -= len;
	}
	return GH_OK;
}
