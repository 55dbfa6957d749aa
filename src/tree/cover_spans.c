/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of byte ranges. */
#include "base/num.h"
#include "base/sort.h"
#include "tree/cover.h"

enum {
	SPANS_MAX = 1 << 18, /* 4 MiB; a file system of a phone has some 30,000 after joining */
};

static bool by_place(const void *a, const void *b)
{
	return ((const struct gh_span *)a)->at < ((const struct gh_span *)b)->at;
}

static void squeeze(struct gh_spans *s)
{
	size_t n = 0;
	gh_sort(s->p, s->n, sizeof *s->p, by_place);
	for (size_t i = 0; i < s->n; i++) {
		struct gh_span *last = n ? &s->p[n - 1] : NULL;
		if (last && s->p[i].at <= last->at + last->len)
			last->len = gh_max(last->len, s->p[i].at - last->at + s->p[i].len);
		else
			s->p[n++] = s->p[i];
	}
	s->n = n;
}

static void grow(struct gh_spans *s)
{
	squeeze(s);
	if (s->n * 2 <= s->cap && s->cap)
		return;
	size_t cap = s->cap ? s->cap * 2 : 1024;
	struct gh_span *p = cap <= SPANS_MAX ? gh_alloc_array(s->arena, cap, sizeof *p) : NULL;
	if (!p) {
		s->lost = true;
		return;
	}
	if (s->n)
		memcpy(p, s->p, s->n * sizeof *p);
	s->p = p;
	s->cap = cap;
}

void gh_spans_add(struct gh_spans *s, uint64_t at, uint64_t len)
{
	if (!len || len > UINT64_MAX - at || s->lost)
		return;
	struct gh_span *last = s->n ? &s->p[s->n - 1] : NULL;
	if (last && at >= last->at && at <= last->at + last->len) { /* files are read forwards */
		last->len = gh_max(last->len, at - last->at + len);
		return;
	}
	if (s->n == s->cap)
		grow(s);
	if (s->n < s->cap)
		s->p[s->n++] = (struct gh_span){at, len};
}

void gh_spans_join(struct gh_spans *s, uint64_t size)
{
	squeeze(s);
	while (s->n && s->p[s->n - 1].at >= size)
		s->n--;
	if (s->n)
		s->p[s->n - 1].len = gh_min(s->p[s->n - 1].len, size - s->p[s->n - 1].at);
}

uint64_t gh_spans_sum(const struct gh_spans *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s->n; i++)
		sum += s->p[i].len;
	return sum;
}
