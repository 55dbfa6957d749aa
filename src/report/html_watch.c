/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings on the page: what was found over time, how near it is, and the plots as SVG. No script, no library. */
#include <math.h>
#include <stdio.h>

#include "base/num.h"
#include "report/html.h"

enum {
	WIDTH = 900,
	HEIGHT = 260,
	LEFT = 40,
	STILL_MS = 120000, /* more than this between two points is drawn as this */
	PLOTS = 8,
};

struct plot {
	struct gh_html *h;
	const struct gh_plot_point *p;
	size_t n;
	double *x; /* of each point */
	double low, high; /* bpm */
};

static void put(struct gh_html *h, const char *html)
{
	fputs(html, h->to);
}

static double y_of(const struct plot *p, double v, double height)
{
	return height - 18 - (v - p->low) / (p->high - p->low) * (height - 24);
}

/* Time that was not recorded is not drawn at its length. */
static bool place(struct plot *p)
{
	double sum = 0;
	p->x = gh_alloc_array(&p->h->arena, p->n, sizeof *p->x);
	if (!p->x)
		return false;
	for (size_t i = 1; i < p->n; i++) {
		int64_t dt = p->p[i].t - p->p[i - 1].t;
		sum += (double)(dt < 0 ? 0 : dt > STILL_MS ? STILL_MS : dt);
		p->x[i] = sum;
	}
	for (size_t i = 0; i < p->n; i++)
		p->x[i] = LEFT + (sum > 0 ? p->x[i] / sum : 0) * (WIDTH - LEFT - 5);
	return true;
}

static double x_at(const struct plot *p, int64_t t)
{
	size_t i = 0;
	while (i + 1 < p->n && p->p[i].t < t)
		i++;
	return p->x[i];
}

static void begin(struct gh_html *h, double height, const char *title)
{
	fprintf(h->to, "<svg class=\"plot\" viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"%s\"><title>%s</title>\n",
		WIDTH, height, title, title);
}

static void grid(const struct plot *p, double height, double step)
{
	for (double v = ceil(p->low / step) * step; v <= p->high; v += step)
		fprintf(p->h->to,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"2\" "
			"y=\"%.1f\">%.0f</text>\n",
			LEFT, WIDTH, y_of(p, v, height), y_of(p, v, height), y_of(p, v, height) + 4, v);
}

enum what { W_WATCH, W_REF, W_TWICE, W_DELTA };

static double value(const struct plot *p, size_t i, enum what what)
{
	const struct gh_plot_point *q = &p->p[i];
	return what == W_REF ? q->ref : what == W_TWICE ? 2 * q->hr : what == W_DELTA ? q->hr - q->ref : q->hr;
}

/* A line through points from..to, broken where nothing was recorded. */
static void trace(const struct plot *p, enum what what, const char *class, double height, size_t from, size_t to)
{
	fprintf(p->h->to, "<path class=\"%s\" d=\"", class);
	for (size_t i = from; i < to; i++) {
		bool broken = i == from || p->p[i].t - p->p[i - 1].t > STILL_MS;
		double v = fmin(fmax(value(p, i, what), p->low), p->high);
		fprintf(p->h->to, "%s%.1f %.1f", broken ? "M" : "L", p->x[i], y_of(p, v, height));
	}
	put(p->h, "\"/>\n");
}

static void shade(const struct plot *p, const struct gh_recorded *r, double height)
{
	const struct gh_watched *w = &p->h->m->watched;
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_stretch *s = &w->span[i];
		if (s->recording != r->id || gh_str_is(s->kind, "pause") || gh_str_is(s->kind, "gap"))
			continue;
		double a = x_at(p, s->from_ms), b = x_at(p, s->to_ms);
		fprintf(p->h->to,
			"<rect class=\"span %.*s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%.0f\"><title>%.*s, "
			"%.*s: ",
			(int)s->kind.n, s->kind.p, a, fmax(1, b - a), height - 18, (int)s->kind.n, s->kind.p,
			(int)s->certainty.n, s->certainty.p);
		gh_html_text(p->h, s->words);
		put(p->h, "</title></rect>\n");
	}
}

static void twice(const struct plot *p, const struct gh_recorded *r, double height)
{
	const struct gh_watched *w = &p->h->m->watched;
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_stretch *s = &w->span[i];
		if (s->recording != r->id || !gh_str_is(s->kind, "half"))
			continue;
		size_t from = 0, to;
		while (from < p->n && p->p[from].t < s->from_ms)
			from++;
		for (to = from; to < p->n && p->p[to].t <= s->to_ms;)
			to++;
		if (to > from)
			trace(p, W_TWICE, "twice", height, from, to);
	}
}

static void over_time(struct plot *p, const struct gh_recorded *r, bool ref)
{
	p->low = 40;
	p->high = 200;
	begin(p->h, HEIGHT, ref ? "Heart rate of the watch and of the reference over time" : "Heart rate over time");
	shade(p, r, HEIGHT);
	grid(p, HEIGHT, 20);
	if (ref)
		trace(p, W_REF, "ref", HEIGHT, 0, p->n);
	twice(p, r, HEIGHT);
	trace(p, W_WATCH, "watch", HEIGHT, 0, p->n);
	fprintf(p->h->to, "<text x=\"%d\" y=\"%d\">time →, what was not recorded is left out</text></svg>\n", LEFT,
		HEIGHT - 3);
}

static void difference(struct plot *p)
{
	enum { H = 150 };
	p->low = -80;
	p->high = 80;
	begin(p->h, H, "Difference of the watch from the reference over time");
	grid(p, H, 40);
	trace(p, W_DELTA, "watch", H, 0, p->n);
	fprintf(p->h->to, "<text x=\"%d\" y=\"%d\">watch − reference, bpm</text></svg>\n", LEFT, H - 3);
}

/* Difference over mean (Bland and Altman 1986), with bias and limits. */
static void agreement(struct plot *p, const struct gh_nearness *a)
{
	enum { H = 260 };
	struct gh_html *h = p->h;
	p->low = -80;
	p->high = 80;
	begin(h, H, "Difference over mean of both (Bland-Altman)");
	grid(p, H, 40);
	for (size_t i = 0; i < p->n; i++) {
		double mean = (p->p[i].hr + p->p[i].ref) / 2, d = fmin(fmax(p->p[i].hr - p->p[i].ref, -80), 80);
		fprintf(h->to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.6\"/>",
			LEFT + (fmin(fmax(mean, 40), 200) - 40) / 160 * (WIDTH - LEFT - 5), y_of(p, d, H));
	}
	const double lines[] = {a->low, a->bias, a->high};
	for (size_t i = 0; i < GH_COUNT(lines); i++) {
		double v = fmin(fmax(lines[i], -80), 80);
		fprintf(h->to,
			"\n<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" "
			"y=\"%.1f\">%+.1f</text>",
			LEFT, WIDTH, y_of(p, v, H), y_of(p, v, H), WIDTH - 45, y_of(p, v, H) - 3, lines[i]);
	}
	fprintf(h->to, "\n<text x=\"%d\" y=\"%d\">mean of both, 40 to 200 bpm →</text></svg>\n", LEFT, H - 3);
}

static const struct gh_nearness *near_of(const struct gh_watched *w, int64_t recording)
{
	for (size_t i = 0; i < w->n_near; i++)
		if (w->near[i].recording == recording && !w->near[i].outside)
			return &w->near[i];
	return NULL;
}

static void plots(struct gh_html *h, const struct gh_recorded *r)
{
	const struct gh_watched *w = &h->m->watched;
	struct plot p = {.h = h};
	for (size_t i = 0; i < w->n_points; i++)
		if (w->point[i].recording == r->id) {
			p.p = p.p ? p.p : &w->point[i];
			p.n++;
		}
	const struct gh_nearness *a = near_of(w, r->id);
	if (p.n < 2 || !place(&p))
		return;
	over_time(&p, r, a != NULL);
	put(h, "<p class=\"more\">Blue: what is judged. Black: the reference. Dotted: twice what it showed, inside "
	       "stretches at half. Shaded: stretches told below.</p>\n");
	if (!a)
		return;
	difference(&p);
	agreement(&p, a);
}

static void stretches(struct gh_html *h, const struct gh_recorded *r)
{
	const struct gh_watched *w = &h->m->watched;
	size_t n = 0, left = 0;
	for (size_t i = 0; i < w->n_spans; i++) {
		const struct gh_stretch *s = &w->span[i];
		if (s->recording != r->id)
			continue;
		if (n == h->cap) {
			left++;
			continue;
		}
		if (!n++)
			put(h, "<table class=\"stack\"><thead><tr><th>When</th><th>What</th><th>How sure</th><th>What "
			       "was seen</th></tr></thead><tbody>\n");
		const struct gh_str cells[] = {s->times, s->kind, s->certainty, s->words};
		put(h, "<tr>");
		for (size_t k = 0; k < GH_COUNT(cells); k++) {
			put(h, "<td>");
			gh_html_text(h, cells[k]);
			put(h, "</td>");
		}
		put(h, "</tr>\n");
	}
	put(h, n ? "</tbody></table>\n" : "<p>No stretch is told apart.</p>\n");
	if (left)
		fprintf(h->to, "<p class=\"more\">%zu more are in the facts and in the JSON form.</p>\n", left);
}

static void checks(struct gh_html *h, const struct gh_recorded *r)
{
	const struct gh_watched *w = &h->m->watched;
	put(h, "<ul class=\"more\">\n");
	for (size_t i = 0; i < w->n_checks; i++) {
		if (w->check[i].recording != r->id)
			continue;
		put(h, "<li>");
		gh_html_text(h, w->check[i].what);
		put(h, w->check[i].why_not.p ? ": <b>not assessed</b>: " : ": looked for");
		if (w->check[i].why_not.p)
			gh_html_text(h, w->check[i].why_not);
		put(h, "</li>\n");
	}
	put(h, "</ul>\n");
}

static void maker(struct gh_html *h)
{
	const struct gh_watched *w = &h->m->watched;
	put(h, "<h3>Does it need its maker?</h3>\n<table class=\"stack\"><tbody>\n");
	for (size_t i = 0; i < w->n_maker; i++) {
		put(h, "<tr><td>");
		gh_html_text(h, w->maker[i].n ? GH_STR("also") : gh_maker_act(&w->maker[i]));
		put(h, "</td><td>");
		gh_html_text(h, gh_maker_words(&h->arena, &w->maker[i]));
		put(h, "</td></tr>\n");
	}
	put(h, "</tbody></table>\n");
}

void gh_html_watch(struct gh_html *h)
{
	const struct gh_watched *w = &h->m->watched;
	if (!w->n_recordings)
		return;
	put(h, "<section id=\"recordings\">\n<h2>What was recorded</h2>\n");
	for (size_t i = 0, drawn = 0; i < w->n_recordings; i++) {
		const struct gh_recorded *r = &w->recording[i];
		put(h, "<h3>");
		gh_html_text(h, gh_recorded_line(&h->arena, r));
		put(h, "</h3>\n");
		for (size_t k = 0; k < w->n_near; k++)
			if (w->near[k].recording == r->id) {
				put(h, "<p>");
				gh_html_text(h, gh_nearness_line(&h->arena, &w->near[k]));
				put(h, ".</p>\n");
			}
		if (!gh_str_is(r->role, "reference") && drawn++ < PLOTS)
			plots(h, r);
		stretches(h, r);
		checks(h, r);
	}
	maker(h);
	put(h, "</section>\n");
}
