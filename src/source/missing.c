/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: bytes that ought to be there and are not. */
#include "source/source.h"

struct missing {
	struct gh_source base;
	enum gh_code code;
	const char *what;
};

static enum gh_code missing_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct missing *m = (struct missing *)self;
	(void)buf;
	return gh_fail(err, m->code, off, "%zu bytes wanted: %s", n, m->what);
}

static enum gh_code missing_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	(void)err;
	*ret = (struct gh_run){.kind = GH_RUN_DATA, .len = self->size - off, .bottom = UINT64_MAX};
	return GH_OK;
}

struct gh_source *gh_source_missing(struct gh_arena *arena, uint64_t size, enum gh_code code, const char *what)
{
	static const struct gh_source_ops ops = {.read = missing_read, .run = missing_run};
	struct missing *m = gh_alloc(arena, sizeof *m);
	if (!m)
		return NULL;
	*m = (struct missing){{&ops, size}, code, what};
	return &m->base;
}
