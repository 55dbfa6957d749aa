/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: a spill file, which another process is still filling from its start. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "source/source.h"

struct spill {
	struct gh_source base;
	int fd;
	const struct gh_watermark *mark;
	uint64_t *beat;
};

static enum gh_code spill_wait(struct spill *s, uint64_t end, struct gh_err *err)
{
	for (;;) {
		/* The state is read first: a writer that ends sets it behind its last bytes. */
		uint32_t state = __atomic_load_n(&s->mark->state, __ATOMIC_ACQUIRE);
		uint64_t written = __atomic_load_n(&s->mark->written, __ATOMIC_ACQUIRE);
		if (end <= written)
			return GH_OK;
		if (state)
			return gh_fail(err, GH_SHORT, written, "the unpacked stream ends here");
		if (s->beat)
			__atomic_fetch_add(s->beat, 1, __ATOMIC_RELAXED);
		nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
}

static enum gh_code spill_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct spill *s = (struct spill *)self;
	enum gh_code code = spill_wait(s, off + n, err);
	uint8_t *p = buf;
	while (code == GH_OK && n) {
		ssize_t got = pread(s->fd, p, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return gh_fail(err, GH_IO, off, "spill file: %s", got ? strerror(errno) : "too short");
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return code;
}

struct gh_source *gh_source_spill(
	struct gh_arena *arena, int fd, uint64_t size, const struct gh_watermark *mark, uint64_t *beat)
{
	static const struct gh_source_ops ops = {.read = spill_read};
	struct spill *s = gh_alloc(arena, sizeof *s);
	if (!s)
		return NULL;
	*s = (struct spill){{&ops, size}, fd, mark, beat};
	return &s->base;
}
