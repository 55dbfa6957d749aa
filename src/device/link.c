/* SPDX-License-Identifier: Apache-2.0 */
/* Links over sockets: an adbd that listens on this machine (an emulator), and the tests. */
#include "device/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fd_link {
	struct gh_link base;
	int fd;
};

/* The descriptor outlives the stream that is made for one call: it is duplicated. */
static struct gh_stream *borrow(struct fd_link *l, const struct gh_pace *pace, struct gh_err *err)
{
	int fd = dup(l->fd);
	struct gh_stream *s = fd < 0 ? NULL : gh_stream_fd(fd, pace);
	if (!s)
		gh_fail(err, GH_NOMEM, 0, "no memory for the connection");
	return s;
}

static enum gh_code fd_read(struct gh_link *self, void *buf, size_t n, const struct gh_pace *pace, struct gh_err *err)
{
	struct gh_stream *s = borrow((struct fd_link *)self, pace, err);
	enum gh_code code = s ? GH_OK : err->code;
	for (uint8_t *to = buf; n && code == GH_OK;) {
		size_t got = 0;
		code = s->some(s, to, n, &got, err);
		if (code == GH_OK && !got)
			code = gh_fail(err, GH_SHORT, 0, "the phone ended the connection");
		to += got;
		n -= got;
	}
	if (s)
		s->close(s);
	return code;
}

static enum gh_code fd_write(
	struct gh_link *self, const void *p, size_t n, const struct gh_pace *pace, struct gh_err *err)
{
	struct gh_stream *s = borrow((struct fd_link *)self, pace, err);
	enum gh_code code = s ? s->put(s, p, n, err) : err->code;
	if (s)
		s->close(s);
	return code;
}

static void fd_close(struct gh_link *self)
{
	close(((struct fd_link *)self)->fd);
	free(self);
}

struct gh_link *gh_link_fd(int fd)
{
	struct fd_link *l = calloc(1, sizeof *l);
	if (!l) {
		close(fd);
		return NULL;
	}
	*l = (struct fd_link){{fd_read, fd_write, fd_close}, fd};
	return &l->base;
}

struct gh_link *gh_link_tcp(uint16_t port, struct gh_err *err)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) {
		gh_fail(err, GH_IO, 0, "port %u of this machine: %s", port, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	int one = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct gh_link *l = gh_link_fd(fd);
	if (!l)
		gh_fail(err, GH_NOMEM, 0, "no memory");
	return l;
}
