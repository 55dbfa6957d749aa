/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: what was read in small pieces is kept, line by line. */
#include <string.h>

#include "base/num.h"
#include "source/source.h"

enum {
	LINE = 256, /* an inode with its attributes has one or two */
	SMALL = 16 << 10, /* larger reads are of contents */
};

struct memo {
	struct gh_source base;
	struct gh_source *below;
	size_t n, cap; /* lines */
	size_t slots; /* a power of two, at least twice cap */
	uint32_t *slot; /* number of the line + 1, open addressing */
	uint64_t *at; /* each line's offset, in lines */
	uint8_t *data; /* all here from the beginning: a later mark must not take them away */
};

static uint32_t *memo_slot(struct memo *m, uint64_t line)
{
	size_t i = (size_t)(line * 0x9e3779b97f4a7c15ull >> 24) & (m->slots - 1);
	while (m->slot[i] && m->at[m->slot[i] - 1] != line)
		i = (i + 1) & (m->slots - 1);
	return &m->slot[i];
}

/* The line as kept; NULL where there is no room for it. */
static enum gh_code memo_line(struct memo *m, uint64_t line, const uint8_t **ret, struct gh_err *err)
{
	uint32_t *slot = memo_slot(m, line);
	*ret = NULL;
	if (!*slot && m->n == m->cap)
		return GH_OK;
	if (!*slot) {
		uint8_t *to = m->data + m->n * LINE;
		size_t n = (size_t)gh_min(LINE, m->base.size - line * LINE);
		enum gh_code code = gh_read(m->below, line * LINE, to, n, err);
		if (code)
			return code;
		m->at[m->n++] = line;
		*slot = (uint32_t)m->n;
	}
	*ret = m->data + (size_t)(*slot - 1) * LINE;
	return GH_OK;
}

static enum gh_code memo_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct memo *m = (struct memo *)self;
	uint8_t *p = buf;
	if (n > SMALL)
		return gh_read(m->below, off, buf, n, err);
	while (n) {
		const uint8_t *line;
		struct gh_err wide;
		size_t skip = (size_t)(off % LINE), step = gh_min(n, LINE - skip);
		/* What fails as a line may be there in part. */
		if (memo_line(m, off / LINE, &line, &wide) == GH_OK && line)
			memcpy(p, line + skip, step);
		else if (gh_read(m->below, off, p, step, err))
			return err->code;
		p += step;
		off += step;
		n -= step;
	}
	return GH_OK;
}

static enum gh_code memo_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	return gh_run_at(((struct memo *)self)->below, off, ret, err);
}

struct gh_source *gh_source_memo(struct gh_arena *arena, struct gh_source *below, size_t most)
{
	static const struct gh_source_ops ops = {.read = memo_read, .run = memo_run};
	struct memo *m = gh_alloc(arena, sizeof *m);
	if (!m)
		return NULL;
	*m = (struct memo){.base = {&ops, below->size, below->grain}, .below = below, .slots = 2};
	m->cap = (size_t)gh_min(most / LINE, below->size / LINE + 1);
	while (m->slots < 2 * m->cap)
		m->slots *= 2;
	m->slot = gh_alloc_array(arena, m->slots, sizeof *m->slot);
	m->at = gh_alloc_array(arena, m->cap, sizeof *m->at);
	m->data = gh_alloc_raw(arena, m->cap * LINE);
	return m->slot && m->at && m->data ? &m->base : NULL;
}
