/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that no layout claims: how many are padding, and what the others begin like. And the AVB footer, which claims bytes behind a
 * file system's end (external/avb, avb_footer.h, avb_vbmeta_image.h, avb_hashtree_descriptor.h). */
#include "base/num.h"
#include "tree/cover.h"

enum {
	WINDOW = 64 << 10,
	CRUMB = 32, /* smaller gaps are alignment, or a checksum that a format does not need to be read */
	ROWS_MAX = 200, /* of one container */
	QUIET = 4096, /* so many zeros or FF end a stretch */
	DESCRIPTORS_MAX = 64,
	VBMETA_MAX = 64 << 10,
};

/* ---- the footer ---- */

static void footer_descriptors(struct gh_cursor c, struct gh_spans *own)
{
	for (int i = 0; i < DESCRIPTORS_MAX && gh_left(&c) >= 16; i++) {
		uint64_t tag = gh_u64be(&c), n = gh_u64be(&c);
		struct gh_cursor d = gh_sub(&c, n);
		if (c.bad || tag != 1)
			continue;
		gh_skip(&d, 4 + 8); /* dm-verity version, image size */
		uint64_t tree = gh_u64be(&d), tree_len = gh_u64be(&d);
		gh_skip(&d, 12); /* block sizes, roots */
		uint64_t fec = gh_u64be(&d), fec_len = gh_u64be(&d);
		if (d.bad)
			continue;
		gh_spans_add(own, tree, tree_len);
		gh_spans_add(own, fec, fec_len);
	}
}

void gh_cover_footer(struct gh_source *src, struct gh_arena *arena, struct gh_spans *own)
{
	const uint8_t *p;
	struct gh_err err;
	if (src->size < 64 || gh_view(src, arena, src->size - 64, 64, &p, &err) || memcmp(p, "AVBf", 4) != 0)
		return;
	struct gh_cursor c = gh_cursor(p, 64, src->size - 64);
	gh_skip(&c, 4 + 8 + 8); /* magic, version, original size */
	uint64_t at = gh_u64be(&c), len = gh_u64be(&c);
	gh_spans_add(own, src->size - 64, 64);
	if (len < 256 || !gh_within(at, len, src->size))
		return;
	gh_spans_add(own, at, len);
	size_t n = (size_t)gh_min(len, VBMETA_MAX);
	if (gh_view(src, arena, at, n, &p, &err) || memcmp(p, "AVB0", 4) != 0)
		return;
	c = gh_cursor(p, n, at);
	gh_skip(&c, 12);
	uint64_t auth = gh_u64be(&c), desc, desc_len;
	gh_seek(&c, 96);
	desc = gh_u64be(&c);
	desc_len = gh_u64be(&c);
	uint64_t from;
	if (c.bad || !gh_add(auth, 256, &from) || !gh_add(from, desc, &from) || from > n)
		return;
	gh_seek(&c, from);
	footer_descriptors(gh_sub(&c, gh_min(desc_len, gh_left(&c))), own);
}

/* ---- gaps ---- */

struct sweep {
	struct gh_container *c;
	uint64_t begin, end; /* of the stretch at hand; equal: none */
	uint64_t *padding, *unclaimed;
};

static bool signing_block(struct gh_container *c, uint64_t at, uint64_t len)
{
	char magic[16];
	struct gh_err err;
	return len >= 32 && !gh_read(c->src, at + len - 16, magic, 16, &err) &&
	       memcmp(magic, "APK Sig Block 42", 16) == 0;
}

static void stretch_end(struct sweep *s)
{
	struct gh_container *c = s->c;
	struct gh_arena *arena = &c->run.look->arena;
	uint64_t len = s->end - s->begin;
	double bits = -1;
	struct gh_probe p;
	struct gh_err err;
	if (!len)
		return;
	if (len < CRUMB || signing_block(c, s->begin, len)) {
		*s->padding += len < CRUMB ? len : 0;
		s->begin = s->end;
		return;
	}
	*s->unclaimed += len;
	struct gh_mark mark = gh_arena_mark(arena);
	struct gh_source *part = gh_source_slice(arena, c->src, s->begin, len);
	if (part && c->run.seq[GH_T_unclaimed] < ROWS_MAX && !gh_probe_make(part, GH_NONE, arena, &p, &err)) {
		const struct gh_format *f = gh_probe_format(&p);
		(void)!gh_entropy(part, arena, &bits, &err);
		GH_EMIT(&c->run.ctx, unclaimed, s->begin, .len = (int64_t)len,
			.entropy = bits < 0 ? GH_NULL : (int64_t)(bits * 1000),
			.magic = gh_str(f ? f->name : gh_magic(&p)),
			.head = gh_hex(arena, p.head, gh_min(p.head_len, 16)));
	}
	gh_arena_release(arena, mark);
	s->begin = s->end;
}

/* One window: zeros and FF are padding where they are many; short runs of them belong to what stands around. */
static void window(struct sweep *s, uint64_t at, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = i;
		if (p[i] == 0 || p[i] == 0xff)
			while (k < n && p[k] == p[i])
				k++;
		size_t quiet = k - i;
		if (quiet) {
			if (s->end > s->begin && at + k - s->end > QUIET)
				stretch_end(s);
			*s->padding += quiet;
			i = k;
			continue;
		}
		while (k < n && p[k] != 0 && p[k] != 0xff)
			k++;
		if (s->begin == s->end)
			s->begin = at + i;
		else /* what stood between belongs to it after all */
			*s->padding -= gh_min(*s->padding, at + i - s->end);
		s->end = at + k;
		i = k;
	}
}

void gh_cover_sweep(struct gh_container *c, struct gh_span gap, uint64_t *padding, uint64_t *unclaimed, uint64_t *left)
{
	struct sweep s = {.c = c, .begin = gap.at, .end = gap.at, .padding = padding, .unclaimed = unclaimed};
	struct gh_arena *arena = &c->run.look->arena;
	struct gh_mark mark = gh_arena_mark(arena);
	uint8_t *buf = gh_alloc_raw(arena, WINDOW);
	uint64_t off = gap.at, end = gap.at + gap.len;
	while (buf && off < end && *left) {
		struct gh_run run = {.kind = GH_RUN_DATA, .len = end - off};
		struct gh_err err;
		if (gh_run_at(c->src, off, &run, &err))
			break;
		uint64_t n = gh_min(run.len, end - off);
		if (run.kind == GH_RUN_FILL && (run.fill == 0 || run.fill == UINT32_MAX)) {
			*padding += n;
			off += n;
			continue;
		}
		n = gh_min(gh_min(n, WINDOW), *left);
		if (gh_read(c->src, off, buf, (size_t)n, &err))
			break;
		__atomic_fetch_add(&c->run.look->phase->beat, 1, __ATOMIC_RELAXED);
		window(&s, off, buf, (size_t)n);
		*left -= n;
		off += n;
	}
	stretch_end(&s);
	gh_arena_release(arena, mark);
}
