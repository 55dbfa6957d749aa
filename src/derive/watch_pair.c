/* SPDX-License-Identifier: Apache-2.0 */
/* A recording against a reference: how the two lie in time, where the one shows half or double the other, and how near it is otherwise. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/sort.h"
#include "derive/watch.h"

enum {
	NEAR_S = 120, /* shifts that are tried where the clocks agree roughly */
	FAR_STEPS = 40000, /* and steps of 10 s where they do not: 4 days */
	FAR_S = 10,
	FAR_LEAST = 300, /* seconds in common for an alignment by shape alone */
	POINTS = 4000, /* of a recording that are compared for one shift */
	SECONDS_MAX = 4000000, /* of a recording on the grid: 46 days */
	LEAST = 60, /* seconds in common below which nothing is said */
	HOLD_S = 20, /* of a lock */
	MERGE_S = 15,
	WINDOW = 15, /* of the median ratio */
	VARIES = 15, /* bpm that a shift can be told by */
	BLOCK_S = 30, /* means that are nearer to independent than seconds are */
	SPREAD = 30, /* bpm that the reference must span for a concordance */
};

/* One value a second; 0: none. */
struct grid {
	int64_t from; /* s */
	size_t n, filled;
	float *hr;
};

struct pair {
	int64_t t; /* s, on the watch's clock */
	double w, r;
	char label; /* ' ' right, H half, D double, L low, U high */
};

/* Each value holds until the next one, but not for long. */
static bool grid_of(struct gh_watch *w, const struct gh_track *t, struct grid *g)
{
	int64_t hold = (int64_t)gh_max(5, (uint64_t)t->interval * 5 / 1000);
	*g = (struct grid){.from = t->m[0].t / 1000};
	int64_t span = t->m[t->n - 1].t / 1000 - g->from + 1;
	if (span <= 0 || span > SECONDS_MAX)
		return false;
	g->n = (size_t)span;
	if (!(g->hr = gh_alloc_array(&w->arena, g->n, sizeof *g->hr))) {
		w->failed = true;
		return false;
	}
	for (size_t i = 0; i < t->n; i++) {
		int64_t s = t->m[i].t / 1000 - g->from;
		int64_t end = i + 1 < t->n ? t->m[i + 1].t / 1000 - g->from : s + 1;
		/* What a reference shows without contact settles nothing. */
		if (isnan(t->m[i].hr) || (t->reference && t->m[i].contact == 0))
			continue;
		for (int64_t k = s; k < s + hold && (k < end || k == s); k++)
			g->hr[k] = t->m[i].hr;
	}
	for (size_t i = 0; i < g->n; i++)
		g->filled += g->hr[i] > 0;
	return true;
}

static float grid_at(const struct grid *g, int64_t s)
{
	return s >= g->from && (uint64_t)(s - g->from) < g->n ? g->hr[s - g->from] : 0;
}

/* ---- how they lie in time ---- */

/* How well the values agree when the watch is moved back by `shift`: 1 all equal, half and double counting as equal; -1: too little in common. */
static double agreement(const struct grid *w, const struct grid *r, int64_t shift, size_t least)
{
	size_t stride = w->n / POINTS + 1, n = 0;
	double sum = 0;
	for (size_t i = 0; i < w->n; i += stride) {
		float b = w->hr[i] > 0 ? grid_at(r, w->from + (int64_t)i - shift) : 0;
		if (!(b > 0))
			continue;
		double d = fabs(log((double)w->hr[i] / (double)b));
		d = fmin(d, fabs(d - M_LN2));
		sum += fmax(0, 1 - d / 0.1);
		n++;
	}
	return n * stride < least || !n ? -1 : sum / (double)n;
}

struct shift {
	int64_t s;
	double score, usual; /* usual: the median of all that were tried */
	bool known;
	const char *how;
};

static struct shift best(const struct grid *w, const struct grid *r, int64_t from, int64_t to, int64_t step,
	size_t least, double slack, double *score)
{
	struct shift b = {.score = -1};
	size_t n = 0;
	for (int64_t s = from; s <= to; s += step) {
		double v = agreement(w, r, s, least);
		if (v < 0)
			continue;
		score[n++] = v;
		if (v > b.score + slack || (v > b.score - slack && llabs(s) < llabs(b.s))) {
			b.s = s;
			b.score = v;
		}
	}
	b.usual = gh_median(score, n);
	return b;
}

/* Has the reference ups and downs by which a shift can be told? */
static bool varies(const struct grid *g)
{
	float low = INFINITY, high = 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->hr[i] > 0) {
			low = fminf(low, g->hr[i]);
			high = fmaxf(high, g->hr[i]);
		}
	return high - low >= VARIES;
}

static struct shift align(const struct grid *w, const struct grid *r, double *score)
{
	struct shift b = best(w, r, -NEAR_S, NEAR_S, 1, LEAST, 0.002, score);
	if (b.score >= 0) {
		/* The best of many shifts of a short stretch is chance. */
		bool enough = varies(r) && gh_min(w->filled, r->filled) >= FAR_LEAST;
		b.known = enough && b.score - b.usual >= 0.03;
		b.how = b.known ? "by the clocks, then by the shape of both"
				: "by the clocks; too short, or too even, to tell a shift";
		if (!b.known)
			b.s = 0;
		if (b.known || agreement(w, r, 0, LEAST) >= 0)
			return b;
	}
	int64_t from = w->from - r->from - (int64_t)r->n, to = w->from - r->from + (int64_t)w->n;
	if ((to - from) / FAR_S > FAR_STEPS)
		return (struct shift){.score = -1};
	size_t least = gh_max(FAR_LEAST, gh_min(w->filled, r->filled) / 2);
	b = best(w, r, from, to, FAR_S, least, 0, score);
	if (b.score < 0.3 || b.score - b.usual < 0.1)
		return (struct shift){.score = -1};
	struct shift fine = best(w, r, b.s - FAR_S, b.s + FAR_S, 1, least, 0, score);
	if (fine.score < 0.5 || fine.score - b.usual < 0.2)
		return (struct shift){.score = -1};
	fine.known = true;
	fine.how = "by the shape of both alone: their clocks have nothing in common";
	return fine;
}

/* ---- where they differ ---- */

static char label_of(double ratio)
{
	return ratio >= 0.45 && ratio <= 0.55  ? 'H'
	       : ratio >= 1.82 && ratio <= 2.2 ? 'D'
	       : ratio < 0.8                   ? 'L'
	       : ratio > 1.25                  ? 'U'
					       : ' ';
}

static void label(struct pair *p, size_t n)
{
	double v[WINDOW];
	for (size_t i = 0; i < n; i++) {
		size_t from = i < WINDOW / 2 ? 0 : i - WINDOW / 2, k = 0;
		for (size_t j = from; j < n && j < from + WINDOW; j++)
			if (llabs(p[j].t - p[i].t) <= WINDOW / 2)
				v[k++] = p[j].w / p[j].r;
		p[i].label = label_of(gh_median(v, k));
	}
}

static size_t run_end(const struct pair *p, size_t n, size_t i)
{
	size_t last = i;
	for (size_t k = i + 1; k < n && p[k].t - p[last].t < MERGE_S; k++)
		if (p[k].label == p[i].label)
			last = k;
	return last;
}

static void tell(struct gh_watch *w, struct pair *p, size_t i, size_t k)
{
	double a[512], b[512];
	size_t n = 0, stride = (k - i) / GH_COUNT(a) + 1;
	for (size_t j = i; j <= k && n < GH_COUNT(a); j += stride) {
		a[n] = p[j].w;
		b[n++] = p[j].r;
	}
	double shown = gh_median(a, n), is = gh_median(b, n);
	char c = p[i].label;
	enum gh_span_kind kind = c == 'H' ? GH_HALF : c == 'D' ? GH_DOUBLE : c == 'L' ? GH_LOW : GH_TOO_HIGH;
	gh_span_add(w,
		(struct gh_span){.from = p[i].t * 1000,
			.to = (p[k].t + 1) * 1000,
			.kind = kind,
			.sure = GH_CERTAIN,
			.paired = true,
			.a = is,
			.b = shown},
		"it shows %.0f where the reference has %.0f (%.2f of it)", shown, is, shown / is);
	for (size_t j = i; j <= k; j++)
		p[j].label = c;
}

/* Locks first: what lies in one is not told as too low again. */
static void differences(struct gh_watch *w, struct pair *p, size_t n)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			if (p[i].label == ' ' || (p[i].label == 'H' || p[i].label == 'D') != (pass == 0))
				continue;
			size_t k = run_end(p, n, i);
			if (p[k].t - p[i].t >= HOLD_S)
				tell(w, p, i, k);
			else if (pass)
				k = i;
			i = k;
		}
}

/* What was seen inside is settled where the reference covers it. */
static void settle(struct gh_watch *w, const struct pair *p, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_span *s = &w->span[i];
		int64_t covered = 0;
		for (size_t k = 0; k < n && !s->paired; k++)
			covered += p[k].t * 1000 >= s->from && p[k].t * 1000 <= s->to;
		if ((s->kind == GH_HALF || s->kind == GH_DOUBLE) && !s->paired && covered * 2000 >= s->to - s->from)
			continue;
		w->span[kept++] = *s;
	}
	w->n_spans = kept;
}

/* ---- how near it is ---- */

struct near {
	size_t n;
	double bias, sd, bias30, sd30, mape, in5, in5p, in10p, ccc, spread, worst;
	int64_t worst_t;
};

struct moments {
	size_t n;
	double x, y, xx, yy, xy, d, dd;
};

static void moments_add(struct moments *m, double x, double y)
{
	m->n++;
	m->x += x;
	m->y += y;
	m->xx += x * x;
	m->yy += y * y;
	m->xy += x * y;
	m->d += x - y;
	m->dd += (x - y) * (x - y);
}

static double spread_of(const struct moments *m)
{
	double n = (double)m->n;
	return m->n < 2 ? NAN : sqrt(fmax(0, (m->dd - m->d * m->d / n) / (n - 1)));
}

/* Lin's concordance correlation coefficient. */
static double concordance(const struct moments *m)
{
	double n = (double)m->n, mx = m->x / n, my = m->y / n;
	double vx = m->xx / n - mx * mx, vy = m->yy / n - my * my, cov = m->xy / n - mx * my;
	double below = vx + vy + (mx - my) * (mx - my);
	return below > 0 ? 2 * cov / below : NAN;
}

/* Means of blocks of so many seconds; the worst is kept. */
static void blocks(const struct pair *p, size_t n, bool outside, int64_t seconds, struct moments *all,
	double *ret_worst, int64_t *ret_t)
{
	struct moments one = {0};
	*ret_worst = 0;
	for (size_t i = 0; i <= n; i++) {
		bool turn = i == n || (i && p[i].t / seconds != p[i - 1].t / seconds);
		if (turn && one.n * 2 >= (size_t)seconds) {
			double x = one.x / (double)one.n, y = one.y / (double)one.n;
			moments_add(all, x, y);
			if (fabs(x - y) > fabs(*ret_worst)) {
				*ret_worst = x - y;
				*ret_t = p[i - 1].t / seconds * seconds;
			}
		}
		if (turn)
			one = (struct moments){0};
		if (i < n && !(outside && p[i].label != ' '))
			moments_add(&one, p[i].w, p[i].r);
	}
}

static struct near nearness(const struct pair *p, size_t n, bool outside)
{
	struct near a = {.worst_t = 0};
	struct moments m = {0}, thirty = {0}, minute = {0};
	double low = INFINITY, high = 0, none;
	int64_t ignored;
	for (size_t i = 0; i < n; i++) {
		if (outside && p[i].label != ' ')
			continue;
		double d = fabs(p[i].w - p[i].r), share = d / p[i].r;
		moments_add(&m, p[i].w, p[i].r);
		a.mape += share;
		a.in5 += d <= 5;
		a.in5p += share <= 0.05;
		a.in10p += share <= 0.10;
		low = fmin(low, p[i].r);
		high = fmax(high, p[i].r);
	}
	a.n = m.n;
	if (!m.n)
		return a;
	double k = 100 / (double)m.n;
	a.bias = m.d / (double)m.n;
	a.sd = spread_of(&m);
	a.mape *= k, a.in5 *= k, a.in5p *= k, a.in10p *= k;
	a.spread = high - low;
	a.ccc = a.spread >= SPREAD ? concordance(&m) : NAN;
	blocks(p, n, outside, BLOCK_S, &thirty, &none, &ignored);
	a.bias30 = thirty.n ? thirty.d / (double)thirty.n : NAN;
	a.sd30 = spread_of(&thirty);
	blocks(p, n, outside, 60, &minute, &a.worst, &a.worst_t);
	return a;
}

/* ---- rows ---- */

static void run(struct gh_watch *w, sqlite3_stmt *st)
{
	if (!st || sqlite3_step(st) != SQLITE_DONE)
		w->failed = true;
	sqlite3_finalize(st);
}

static sqlite3_stmt *insert(struct gh_watch *w, const char *sql, int64_t a, int64_t b)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(w->sql, sql, -1, &st, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_int64(st, 1, w->scan);
	sqlite3_bind_int64(st, 2, a);
	sqlite3_bind_int64(st, 3, b);
	return st;
}

static void number(sqlite3_stmt *st, int i, double v)
{
	if (isnan(v))
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_double(st, i, v);
}

static void write_near(struct gh_watch *w, const struct gh_track *t, const struct gh_track *ref, const char *scope,
	const struct near *a)
{
	sqlite3_stmt *st =
		insert(w, "INSERT INTO d_watch_accuracy VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", t->id, ref->id);
	const double v[] = {a->bias, a->bias - 1.96 * a->sd, a->bias + 1.96 * a->sd, a->bias30 - 1.96 * a->sd30,
		a->bias30 + 1.96 * a->sd30, a->mape, a->in5, a->in5p, a->in10p, a->ccc, a->spread, a->worst};
	if (st) {
		sqlite3_bind_text(st, 4, scope, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 5, (int64_t)a->n);
		for (size_t i = 0; i < GH_COUNT(v); i++)
			number(st, 6 + (int)i, v[i]);
		sqlite3_bind_int64(st, 18, a->worst_t * 1000);
	}
	run(w, st);
}

static void write_shift(struct gh_watch *w, const struct gh_track *t, const struct gh_track *ref, const struct shift *b)
{
	sqlite3_stmt *st = insert(w, "INSERT INTO d_watch_shifts VALUES(?,?,?,?,?,?)", t->id, ref->id);
	if (st) {
		sqlite3_bind_int64(st, 4, b->s);
		sqlite3_bind_int(st, 5, b->known);
		sqlite3_bind_text(st, 6, b->how, -1, SQLITE_STATIC);
	}
	run(w, st);
}

static void write_pairs(
	struct gh_watch *w, const struct gh_track *t, const struct gh_track *ref, const struct pair *p, size_t n)
{
	enum { PLOTTED = 1500 };
	size_t stride = n / PLOTTED + 1;
	sqlite3_stmt *st = insert(w, "INSERT INTO d_watch_pairs VALUES(?,?,?,?,?,?)", t->id, ref->id);
	for (size_t i = 0; st && i < n; i += stride) {
		sqlite3_bind_int64(st, 4, p[i].t * 1000);
		sqlite3_bind_double(st, 5, p[i].w);
		sqlite3_bind_double(st, 6, p[i].r);
		w->failed |= sqlite3_step(st) != SQLITE_DONE;
		sqlite3_reset(st);
	}
	w->failed |= !st;
	sqlite3_finalize(st);
}

static size_t pairs_of(const struct grid *w, const struct grid *r, int64_t shift, struct pair *p)
{
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++) {
		float b = w->hr[i] > 0 ? grid_at(r, w->from + (int64_t)i - shift) : 0;
		if (b > 0)
			p[n++] = (struct pair){w->from + (int64_t)i, (double)w->hr[i], (double)b, ' '};
	}
	return n;
}

void gh_watch_pair(struct gh_watch *w, const struct gh_track *t, const struct gh_track *ref)
{
	struct grid a, b;
	struct gh_mark mark = gh_arena_mark(&w->arena);
	double *score = gh_alloc_array(&w->arena, FAR_STEPS + 2, sizeof *score);
	if (!score || !grid_of(w, t, &a) || !grid_of(w, ref, &b)) {
		gh_watch_check(w, t, "accuracy against a reference",
			"the recording or the reference spans more than 46 days, or a clock jumps");
		gh_arena_release(&w->arena, mark);
		return;
	}
	struct shift s = align(&a, &b, score);
	struct pair *p = s.score < 0 ? NULL : gh_alloc_array(&w->arena, a.n, sizeof *p);
	size_t n = p ? pairs_of(&a, &b, s.s, p) : 0;
	if (n >= LEAST) {
		gh_watch_check(w, t, "accuracy against a reference", NULL);
		label(p, n);
		differences(w, p, n);
		settle(w, p, n);
		/* Short oddities are no spans: they count. */
		for (size_t i = 0; i < n; i++)
			p[i].label = ' ';
		for (size_t k = 0; k < w->n_spans; k++)
			for (size_t i = 0; i < n && w->span[k].paired; i++)
				if (p[i].t * 1000 >= w->span[k].from && p[i].t * 1000 < w->span[k].to)
					p[i].label = 'x';
		struct near all = nearness(p, n, false), rest = nearness(p, n, true);
		write_near(w, t, ref, "all", &all);
		if (rest.n < all.n && rest.n >= LEAST)
			write_near(w, t, ref, "outside", &rest);
		write_shift(w, t, ref, &s);
		write_pairs(w, t, ref, p, n);
		w->compared = true;
	} else {
		gh_watch_check(w, t, "accuracy against a reference",
			"the reference has too little in common with it, in time or in shape");
	}
	gh_arena_release(&w->arena, mark);
}
