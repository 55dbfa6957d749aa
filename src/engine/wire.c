/* SPDX-License-Identifier: Apache-2.0 */
/* The channel: frames. Each is a length (4 bytes, of what follows), a type, and cells. */
#include "engine/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"

enum {
	FRAME_MAX = 16 << 20, /* a row or a job: paths and texts are far smaller */
	TEXT_MAX = 1 << 20, /* of one cell: longer text is cut and says so */
};

static const char statuses[][8] = {
	"ok", "io", "nomem", "short", "bad", "unsup", "limit", "crash", "hang", "jail", "off"};

/* ---- worker's side ---- */

static void write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(0);
		p += put;
		n -= (size_t)put;
	}
}

void gh_wire_flush(struct gh_wire_out *o)
{
	write_all(o->fd, o->buf, o->n);
	o->n = 0;
}

static void put(struct gh_wire_out *o, const void *p, size_t n)
{
	if (n > sizeof o->buf - o->n)
		gh_wire_flush(o);
	if (n > sizeof o->buf) {
		write_all(o->fd, p, n);
		return;
	}
	if (n)
		memcpy(o->buf + o->n, p, n);
	o->n += n;
}

static void put_head(struct gh_wire_out *o, size_t len, char type)
{
	uint32_t n = (uint32_t)len + 1;
	put(o, &n, 4);
	put(o, &type, 1);
}

void gh_wire_row(struct gh_wire_out *o, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	const struct gh_table_info *t = &gh_tables[table];
	size_t len = 2 + 4 + 8 + 8;
	for (size_t i = 0; i < t->n; i++) {
		const struct gh_str *s = (const void *)((const char *)row + t->columns[i].offset);
		len += t->columns[i].text ? 4 + (s->p ? gh_min(s->n, TEXT_MAX) : 0) : 8;
	}
	put_head(o, len, 'R');
	uint16_t number = (uint16_t)table;
	put(o, &number, 2);
	put(o, &blob, 4);
	put(o, &n, 8);
	put(o, &at, 8);
	for (size_t i = 0; i < t->n; i++) {
		const void *cell = (const char *)row + t->columns[i].offset;
		if (!t->columns[i].text) {
			put(o, cell, 8);
			continue;
		}
		const struct gh_str *s = cell;
		uint32_t text = s->p ? (uint32_t)gh_min(s->n, TEXT_MAX) : UINT32_MAX;
		put(o, &text, 4);
		put(o, s->p, s->p ? text : 0);
	}
}

void gh_wire_blob(struct gh_wire_out *o, const struct gh_blob_row *r)
{
	struct gh_str format = gh_str(r->format);
	uint8_t hashed = r->sha256 != NULL, n = (uint8_t)gh_min(format.n, 255);
	put_head(o, 4 + 8 + 8 + 1 + 1 + (hashed ? 32 : 0) + n, 'B');
	put(o, &r->blob, 4);
	put(o, &r->size, 8);
	put(o, &r->entropy, 8);
	put(o, &hashed, 1);
	put(o, &n, 1);
	put(o, r->sha256, hashed ? 32 : 0);
	put(o, format.p, n);
}

void gh_wire_run(
	struct gh_wire_out *o, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	uint8_t word = 4, bit = (uint8_t)plugin; /* "bad" if it were unknown */
	for (size_t i = 0; i < GH_COUNT(statuses); i++)
		if (strcmp(status, statuses[i]) == 0)
			word = (uint8_t)i;
	uint8_t n = (uint8_t)gh_min(strlen(why), 255);
	put_head(o, 4 + 1 + 1 + 8 + 1 + n, 'U');
	put(o, &blob, 4);
	put(o, &bit, 1);
	put(o, &word, 1);
	put(o, &at, 8);
	put(o, &n, 1);
	put(o, why, n);
}

bool gh_wire_job(struct gh_wire_out *o, struct gh_str encoded)
{
	if (encoded.n >= FRAME_MAX)
		return false;
	put_head(o, encoded.n, 'J');
	put(o, encoded.p, encoded.n);
	gh_wire_flush(o); /* others wait for work */
	return true;
}

void gh_wire_done(struct gh_wire_out *o)
{
	put_head(o, 0, 'D');
	gh_wire_flush(o);
}

/* ---- coordinator's side ---- */

static bool take_row(struct gh_cursor *c, const struct gh_wire_sink *sink)
{
	union {
		uint64_t align;
		char bytes[512];
	} row;
	unsigned table = gh_u16(c);
	uint32_t blob = gh_u32(c);
	uint64_t n = gh_u64(c), at = gh_u64(c);
	if (c->bad || table >= GH_N_TABLES)
		return false;
	const struct gh_table_info *t = &gh_tables[table];
	for (size_t i = 0; i < t->n; i++) {
		char *cell = row.bytes + t->columns[i].offset;
		if (t->columns[i].text) {
			uint32_t len = gh_u32(c);
			struct gh_cursor s = len == UINT32_MAX ? gh_cursor(NULL, 0, 0) : gh_sub(c, len);
			*(struct gh_str *)(void *)cell = gh_strn(s.p, s.n);
		} else {
			*(int64_t *)(void *)cell = (int64_t)gh_u64(c);
		}
	}
	if (c->bad || gh_left(c))
		return false;
	sink->row(sink->to, (enum gh_table)table, blob, n, at, row.bytes);
	return true;
}

static bool take_blob(struct gh_cursor *c, const struct gh_wire_sink *sink)
{
	struct gh_blob_row r = {.blob = gh_u32(c), .size = gh_u64(c)};
	uint64_t bits = gh_u64(c);
	memcpy(&r.entropy, &bits, sizeof bits);
	uint8_t hashed = gh_u8(c), n = gh_u8(c);
	r.sha256 = hashed ? gh_bytes(c, 32) : NULL;
	const uint8_t *format = gh_bytes(c, n);
	if (c->bad || gh_left(c))
		return false;
	char word[256];
	if (n)
		memcpy(word, format, n);
	word[n] = 0;
	r.format = n ? word : NULL;
	sink->blob(sink->to, &r);
	return true;
}

static bool take_run(struct gh_cursor *c, const struct gh_wire_sink *sink)
{
	uint32_t blob = gh_u32(c);
	uint8_t bit = gh_u8(c), word = gh_u8(c);
	uint64_t at = gh_u64(c);
	uint8_t n = gh_u8(c);
	const uint8_t *why = gh_bytes(c, n);
	if (c->bad || gh_left(c) || bit >= gh_n_plugins() || word >= GH_COUNT(statuses))
		return false;
	char text[256];
	if (n)
		memcpy(text, why, n);
	text[n] = 0;
	sink->run(sink->to, blob, bit, statuses[word], at, text);
	return true;
}

static bool take_frame(const uint8_t *p, size_t n, const struct gh_wire_sink *sink)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	switch (gh_u8(&c)) {
	case 'R':
		return take_row(&c, sink);
	case 'B':
		return take_blob(&c, sink);
	case 'U':
		return take_run(&c, sink);
	case 'J':
		sink->job(sink->to, gh_strn(p + 1, n - 1));
		return true;
	case 'D':
		sink->done(sink->to);
		return n == 1;
	default:
		return false;
	}
}

/* Calls the sink for all whole frames in the buffer and moves the rest to its start. */
static enum gh_code take_frames(struct gh_wire_in *in, const struct gh_wire_sink *sink)
{
	size_t i = 0;
	while (in->n - i >= 4) {
		struct gh_cursor c = gh_cursor(in->buf + i, 4, 0);
		uint32_t len = gh_u32(&c);
		if (!len || len > FRAME_MAX)
			return GH_BAD;
		if (in->n - i - 4 < len)
			break;
		if (!take_frame(in->buf + i + 4, len, sink))
			return GH_BAD;
		i += 4 + (size_t)len;
	}
	memmove(in->buf, in->buf + i, in->n - i);
	in->n -= i;
	return GH_OK;
}

enum gh_code gh_wire_read(struct gh_wire_in *in, int fd, const struct gh_wire_sink *sink)
{
	if (in->cap - in->n < 256 << 10) {
		size_t cap = in->cap ? in->cap * 2 : 1 << 20;
		uint8_t *p = cap <= 4u * FRAME_MAX ? realloc(in->buf, cap) : NULL;
		if (!p)
			return GH_NOMEM;
		in->buf = p;
		in->cap = cap;
	}
	ssize_t got = read(fd, in->buf + in->n, in->cap - in->n);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? GH_OK : GH_END;
	if (!got)
		return GH_END;
	in->n += (size_t)got;
	return take_frames(in, sink);
}

void gh_wire_in_done(struct gh_wire_in *in)
{
	free(in->buf);
	*in = (struct gh_wire_in){0};
}

/* ---- jobs to a worker ---- */

static bool send_head(int fd, const struct gh_order *order, const int *fds, int n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * GH_WIRE_FDS)];
	} control = {0};
	struct iovec iov = {(void *)order, sizeof *order};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n_fds);
		struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n_fds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * (size_t)n_fds);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof *order;
}

static bool send_all(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n) {
		ssize_t put_n = send(fd, b, n, MSG_NOSIGNAL);
		if (put_n < 0 && errno == EINTR)
			continue;
		if (put_n <= 0)
			return false;
		b += put_n;
		n -= (size_t)put_n;
	}
	return true;
}

bool gh_wire_send(int fd, const struct gh_order *order, const struct gh_order_base *bases, const struct gh_skip *skip,
	struct gh_str job, const int *fds)
{
	int n_fds = (int)order->n_bases + (order->pour_mark != 0);
	return send_head(fd, order, fds, n_fds) && send_all(fd, bases, order->n_bases * sizeof *bases) &&
	       send_all(fd, skip, order->n_skip * sizeof *skip) && send_all(fd, job.p, job.n);
}

static bool recv_head(int fd, struct gh_order *ret, int fds[GH_WIRE_FDS])
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * GH_WIRE_FDS)];
	} control;
	struct iovec iov = {ret, sizeof *ret};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf};
	ssize_t got;
	do
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof *ret)
		return false;
	for (int i = 0; i < GH_WIRE_FDS; i++)
		fds[i] = -1;
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(h), gh_min(h->cmsg_len - CMSG_LEN(0), sizeof(int) * GH_WIRE_FDS));
	return true;
}

bool gh_wire_recv(int fd, struct gh_order *ret, uint8_t **buf, size_t *cap, int fds[GH_WIRE_FDS])
{
	if (!recv_head(fd, ret, fds))
		return false;
	size_t n = ret->n_bases * sizeof(struct gh_order_base) + ret->n_skip * sizeof(struct gh_skip) + ret->job_len;
	if (n > *cap) {
		uint8_t *p = realloc(*buf, n);
		if (!p)
			return false;
		*buf = p;
		*cap = n;
	}
	for (size_t i = 0; i < n;) {
		ssize_t got = read(fd, *buf + i, n - i);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		i += (size_t)got;
	}
	return true;
}
