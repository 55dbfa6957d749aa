/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: independently compressed blocks with a bounded cache of unpacked ones. */
#include <string.h>

#include "base/num.h"
#include "source/source.h"

struct kept {
	struct gh_block block;
	uint8_t *data; /* max bytes, made with the source: a later mark must not take them away */
	uint64_t used; /* clock of the last use */
};

struct blocks {
	struct gh_source base;
	const struct gh_blocks_ops *ops;
	void *self;
	uint32_t max;
	unsigned keep;
	uint64_t clock;
	struct kept kept[];
};

static struct kept *blocks_kept(struct blocks *b, uint64_t off)
{
	for (unsigned i = 0; i < b->keep; i++)
		if (b->kept[i].block.len && off - b->kept[i].block.at < b->kept[i].block.len)
			return &b->kept[i];
	return NULL;
}

static struct kept *blocks_oldest(struct blocks *b)
{
	struct kept *old = &b->kept[0];
	for (unsigned i = 1; i < b->keep; i++)
		if (b->kept[i].used < old->used)
			old = &b->kept[i];
	return old;
}

static enum gh_code blocks_find(struct blocks *b, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	enum gh_code code = b->ops->find(b->self, off, ret, err);
	if (code)
		return code;
	if (off - ret->at >= ret->len || ret->len > b->max || !gh_within(ret->at, ret->len, b->base.size))
		return gh_fail(err, GH_BAD, off, "a compressed block does not cover its offset");
	return GH_OK;
}

static enum gh_code blocks_load(struct blocks *b, const struct gh_block *block, struct kept **ret, struct gh_err *err)
{
	struct kept *k = blocks_oldest(b);
	k->block.len = 0;
	enum gh_code code = b->ops->unpack(b->self, block, k->data, err);
	if (code)
		return code;
	k->block = *block;
	*ret = k;
	return GH_OK;
}

static enum gh_code blocks_read(struct gh_source *self, uint64_t off, void *buf, size_t n, struct gh_err *err)
{
	struct blocks *b = (struct blocks *)self;
	uint8_t *p = buf;
	while (n) {
		struct kept *k = blocks_kept(b, off);
		if (!k) {
			struct gh_block block = {0};
			enum gh_code code = blocks_find(b, off, &block, err);
			/* A block that is wanted whole goes straight into the reader's buffer. */
			if (code == GH_OK && off == block.at && n >= block.len) {
				code = b->ops->unpack(b->self, &block, p, err);
				if (code)
					return code;
				p += block.len;
				off += block.len;
				n -= block.len;
				continue;
			}
			if (code == GH_OK)
				code = blocks_load(b, &block, &k, err);
			if (code)
				return code;
		}
		k->used = ++b->clock;
		uint64_t skip = off - k->block.at;
		size_t step = (size_t)gh_min(n, k->block.len - skip);
		memcpy(p, k->data + skip, step);
		p += step;
		off += step;
		n -= step;
	}
	return GH_OK;
}

static enum gh_code blocks_run(struct gh_source *self, uint64_t off, struct gh_run *ret, struct gh_err *err)
{
	(void)err;
	*ret = (struct gh_run){.kind = GH_RUN_DATA, .len = self->size - off, .bottom = UINT64_MAX};
	return GH_OK;
}

struct gh_source *gh_source_blocks(
	struct gh_arena *arena, const struct gh_blocks_ops *ops, void *self, uint64_t size, uint32_t max, unsigned keep)
{
	static const struct gh_source_ops source_ops = {.read = blocks_read, .run = blocks_run};
	keep = keep ? keep : 1;
	struct blocks *b = gh_alloc(arena, sizeof *b + keep * sizeof b->kept[0]);
	if (!b)
		return NULL;
	b->base = (struct gh_source){&source_ops, size, max};
	b->ops = ops;
	b->self = self;
	b->max = max;
	b->keep = keep;
	for (unsigned i = 0; i < keep; i++)
		if (!(b->kept[i].data = gh_alloc_raw(arena, max)))
			return NULL;
	return &b->base;
}
