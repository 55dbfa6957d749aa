/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: the checked entry, and the layers memory, file and slice. */
#include "source/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

enum gh_code gh_read(struct gh_source *src, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	if (!gh_within(off, n, src->size))
		return gh_fail(err, GH_SHORT, off, "%zu bytes wanted, the data ends at %llu", n,
			(unsigned long long)src->size);
	return n ? src->ops->read(src, off, buf, n, err) : GH_OK;
}

enum gh_code gh_view(
	struct gh_source *src, struct gh_arena *arena, uint64_t off, size_t n, const uint8_t **ret, struct gh_err *err)
{
	if (!gh_within(off, n, src->size))
		return gh_fail(err, GH_SHORT, off, "%zu bytes wanted, the data ends at %llu", n,
			(unsigned long long)src->size);
	const uint8_t *p = n && src->ops->view ? src->ops->view(src, off, n) : NULL;
	if (!p) {
		uint8_t *copy = gh_alloc_raw(arena, n);
		if (!copy)
			return gh_fail(err, GH_NOMEM, off, "no memory for %zu bytes", n);
		enum gh_code code = gh_read(src, off, copy, n, err);
		if (code)
			return code;
		p = copy;
	}
	*ret = p;
	return GH_OK;
}

enum gh_code gh_run_at(struct gh_source *src, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	if (off >= src->size)
		return GH_END;
	if (src->ops->run)
		return src->ops->run(src, off, ret, err);
	*ret = (struct gh_run){.kind = GH_RUN_DATA, .len = src->size - off, .bottom = off};
	return GH_OK;
}

struct memory {
	struct gh_source base;
	const uint8_t *p;
};

static enum gh_code memory_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	(void)err;
	memcpy(buf, ((struct memory *)self)->p + off, n);
	return GH_OK;
}

static const uint8_t *memory_view(struct gh_source *self, uint64_t off, size_t n)
{
	(void)n;
	return ((struct memory *)self)->p + off;
}

struct gh_source *gh_source_memory(struct gh_arena *arena, const void *p, size_t n)
{
	static const struct gh_source_ops ops = {.read = memory_read, .view = memory_view};
	struct memory *m = gh_alloc(arena, sizeof *m);
	if (!m)
		return NULL;
	*m = (struct memory){{&ops, n}, p};
	return &m->base;
}

struct file {
	struct gh_source base;
	int fd;
};

static enum gh_code file_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	uint8_t *p = buf;
	while (n) {
		ssize_t got = pread(((struct file *)self)->fd, p, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gh_fail(err, GH_IO, off, "read: %s", strerror(errno));
		if (got == 0)
			return gh_fail(err, GH_IO, off, "the file became shorter while it was read");
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return GH_OK;
}

struct gh_source *gh_source_file(struct gh_arena *arena, int fd, uint64_t size)
{
	static const struct gh_source_ops ops = {.read = file_read};
	struct file *f = gh_alloc(arena, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct file){{&ops, size}, fd};
	return &f->base;
}

struct slice {
	struct gh_source base;
	struct gh_source *below;
	uint64_t off;
};

static enum gh_code slice_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct slice *s = (struct slice *)self;
	return gh_read(s->below, s->off + off, buf, n, err);
}

static const uint8_t *slice_view(struct gh_source *self, uint64_t off, size_t n)
{
	struct slice *s = (struct slice *)self;
	return s->below->ops->view ? s->below->ops->view(s->below, s->off + off, n) : NULL;
}

static enum gh_code slice_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	struct slice *s = (struct slice *)self;
	enum gh_code code = gh_run_at(s->below, s->off + off, ret, err);
	if (code == GH_OK)
		ret->len = gh_min(ret->len, self->size - off);
	return code;
}

static const struct gh_source_ops slice_ops = {slice_read, slice_view, slice_run};

struct gh_source *gh_source_slice(struct gh_arena *arena, struct gh_source *below, uint64_t off, uint64_t size)
{
	if (!gh_within(off, size, below->size))
		return NULL;
	if (below->ops == &slice_ops) {
		off += ((struct slice *)below)->off;
		below = ((struct slice *)below)->below;
	}
	struct slice *s = gh_alloc(arena, sizeof *s);
	if (!s)
		return NULL;
	*s = (struct slice){{&slice_ops, size, below->grain}, below, off};
	return &s->base;
}
