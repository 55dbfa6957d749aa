/* SPDX-License-Identifier: Apache-2.0 */
/* The shell protocol, version 2 (AOSP: packages/modules/adb, shell_protocol.h): packets of one byte that says which stream, four
 * of length, and data. Older phones have "exec:", which is the bare output. */
#include "device/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/num.h"

enum { STDOUT = 1, STDERR = 2, EXIT = 3, PACKETS_EMPTY_MAX = 1000 };

struct run {
	struct gh_reader *reader;
	uint64_t most;
	time_t end;
	gh_shell_fn *fn;
	void *to;
	struct gh_shell_result *ret;
	size_t n_said;
	unsigned empty;
};

static time_t seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static enum gh_code take_out(struct run *r, const uint8_t *p, size_t n, struct gh_err *err)
{
	size_t kept = (size_t)gh_min(n, r->most - r->ret->bytes);
	if (kept) {
		enum gh_code code = r->fn(r->to, p, kept, err);
		if (code)
			return code;
	}
	r->ret->bytes += kept;
	r->ret->cut = kept < n || seconds() >= r->end;
	return GH_OK;
}

static enum gh_code take_piece(struct run *r, unsigned id, uint64_t left, struct gh_err *err)
{
	while (left && !r->ret->cut) {
		const uint8_t *p;
		size_t n;
		enum gh_code code = gh_reader_view(r->reader, (size_t)gh_min(left, GH_READER_SIZE), &p, &n, err);
		if (code)
			return code;
		left -= n;
		if (id == STDOUT && (code = take_out(r, p, n, err)))
			return code;
		if (id == STDERR) {
			size_t kept = (size_t)gh_min(n, GH_SAID_MAX - 1 - r->n_said);
			memcpy(r->ret->said + r->n_said, p, kept);
			r->n_said += kept;
		}
		r->ret->cut |= seconds() >= r->end;
	}
	return GH_OK;
}

/* GH_END: that was the exit status. */
static enum gh_code take_packet(struct run *r, struct gh_err *err)
{
	uint8_t head[5], status;
	enum gh_code code = gh_reader_all(r->reader, head, sizeof head, err);
	if (code)
		return code;
	uint32_t n = head[1] | (uint32_t)head[2] << 8 | (uint32_t)head[3] << 16 | (uint32_t)head[4] << 24;
	r->empty = n ? 0 : r->empty + 1;
	if (head[0] > EXIT || r->empty > PACKETS_EMPTY_MAX)
		return gh_fail(err, GH_BAD, 0, "a shell packet of kind %u", head[0]);
	if (head[0] != EXIT)
		return take_piece(r, head[0], n, err);
	if (n != 1)
		return gh_fail(err, GH_BAD, 0, "an exit status of %u bytes", n);
	if ((code = gh_reader_all(r->reader, &status, 1, err)))
		return code;
	r->ret->status = status;
	return GH_END;
}

static enum gh_code run_packets(struct run *r, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	while (code == GH_OK && !r->ret->cut)
		code = take_packet(r, err);
	return code == GH_END && r->ret->status >= 0 ? GH_OK : code;
}

static enum gh_code run_bare(struct run *r, struct gh_err *err)
{
	while (!r->ret->cut) {
		const uint8_t *p;
		size_t n;
		enum gh_code code = gh_reader_view(r->reader, GH_READER_SIZE, &p, &n, err);
		if (code == GH_SHORT) {
			*err = (struct gh_err){0};
			return GH_OK;
		}
		if (code || (code = take_out(r, p, n, err)))
			return code;
	}
	return GH_OK;
}

enum gh_code gh_shell(struct gh_phone *phone, const char *command, uint64_t most, gh_shell_fn *fn, void *to,
	struct gh_shell_result *ret, struct gh_err *err)
{
	*ret = (struct gh_shell_result){.status = -1};
	bool v2 = phone->features & GH_SHELL_V2;
	struct gh_reader *reader = calloc(1, sizeof *reader);
	char *service = malloc(GH_COMMAND_MAX + 16);
	if (!reader || !service) {
		free(reader);
		free(service);
		return gh_fail(err, GH_NOMEM, 0, "no memory");
	}
	int n = snprintf(service, GH_COMMAND_MAX + 16, "%s%s", v2 ? "shell,v2,raw:" : "exec:", command);
	enum gh_code code = n > 0 && n < GH_COMMAND_MAX + 16 ? gh_phone_open(phone, service, &reader->stream, err)
							     : gh_fail(err, GH_LIMIT, 0, "a command of %d bytes", n);
	free(service);
	if (code == GH_OK) {
		struct run r = {.reader = reader,
			.most = most,
			.end = seconds() + GH_SHELL_SECONDS,
			.fn = fn,
			.to = to,
			.ret = ret};
		code = v2 ? run_packets(&r, err) : run_bare(&r, err);
		reader->stream->close(reader->stream);
	}
	free(reader);
	return code;
}
