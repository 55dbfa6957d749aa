/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage by bytes as a picture: a bar a container, drawn as SVG inside the page. */
#include <stdio.h>

#include "base/num.h"
#include "report/html.h"

enum {
	BAR = 1000, /* units of a bar's width */
	OPEN_MAX = 14, /* bars before the fold */
};

static const struct {
	const char *class, *word;
} kinds[] = {{"b-content", "content"}, {"b-structure", "structure of formats"}, {"b-padding", "padding"},
	{"b-inside", "of a file system, not told apart"}, {"b-unswept", "not looked at"},
	{"b-unclaimed", "claimed by nothing"}, {"b-closed", "nothing here opens it"}};

static int64_t part(const struct gh_cover_row *c, size_t kind)
{
	const int64_t n[] = {c->content, c->structure, c->padding, c->inside, c->unswept, c->unclaimed, 0};
	if (c->content < 0)
		return kind == 6 ? c->size : 0;
	return n[kind];
}

/* What is there is seen: nothing is narrower than a line. */
static void bar(struct gh_html *h, const struct gh_cover_row *c)
{
	double at = 0;
	fprintf(h->to, "<svg viewBox=\"0 0 %d 14\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"", BAR);
	for (size_t k = 0; k < GH_COUNT(kinds); k++)
		if (part(c, k) > 0)
			fprintf(h->to, "%s: %lld bytes; ", kinds[k].word, (long long)part(c, k));
	fputs("\">", h->to);
	for (size_t k = 0; k < GH_COUNT(kinds) && c->size > 0; k++) {
		double w = (double)part(c, k) * BAR / (double)c->size;
		if (part(c, k) <= 0)
			continue;
		w = w < 4 && k >= 4 ? 4 : w;
		fprintf(h->to, "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"14\"/>", kinds[k].class,
			at > BAR - w ? BAR - w : at, w);
		at += w;
	}
	fputs("</svg>", h->to);
}

static void row(struct gh_html *h, const struct gh_cover_row *c, struct gh_str name)
{
	struct gh_str size = gh_size(&h->arena, c->size), last = name;
	for (const char *at; !c->app && (at = memchr(last.p, '!', last.n));)
		last = gh_strn(at + 1, last.n - (size_t)(at - last.p) - 1);
	/* Its own name, set in as far as it lies inside: the way there stands above. */
	int in = (int)gh_min(c->depth > 0 && last.p != name.p ? (uint64_t)c->depth - 1 : 0, 6);
	fprintf(h->to, "<div class=\"bar\"><span class=\"what in%d\" title=\"", in);
	gh_html_cut(h, name);
	fputs("\">", h->to);
	gh_html_name(h, last);
	fprintf(h->to, " <span class=\"more\">%.*s · ", (int)size.n, size.p);
	gh_html_text(h, c->format);
	fputs("</span></span>", h->to);
	bar(h, c);
	fputs("</div>\n", h->to);
}

static void legend(struct gh_html *h)
{
	fputs("<ul class=\"legend\">", h->to);
	for (size_t k = 0; k < GH_COUNT(kinds); k++)
		fprintf(h->to,
			"<li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"%s\" width=\"14\" "
			"height=\"14\"/></svg> %s</li>",
			kinds[k].class, kinds[k].word);
	fputs("</ul>\n", h->to);
}

static void strays(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	size_t shown = gh_min(m->n_strays, h->cap);
	if (!m->n_strays)
		return;
	fprintf(h->to,
		"<details%s><summary>Bytes that nothing claims: %zu stretch%s</summary>\n<p>They belong to no file and "
		"to no "
		"format's structure, and are no padding. Something may have been left there, or hidden.</p>\n"
		"<table class=\"stack\"><thead><tr><th>Place</th><th class=\"n\">Offset</th><th class=\"n\">Bytes</th>"
		"<th class=\"n\">Bits a byte</th><th>Begins</th></tr></thead><tbody>\n",
		m->n_strays <= 12 ? " open" : "", m->n_strays, m->n_strays == 1 ? "" : "es");
	for (size_t i = 0; i < shown; i++) {
		const struct gh_stray *u = &m->strays[i];
		fputs("<tr><td data-l=\"Place\">", h->to);
		gh_html_name(h, u->place);
		fputs("</td><td class=\"n\" data-l=\"Offset\">", h->to);
		gh_html_number(h, u->at);
		fputs("</td><td class=\"n\" data-l=\"Bytes\">", h->to);
		gh_html_number(h, u->len);
		fputs("</td><td class=\"n\" data-l=\"Bits a byte\">", h->to);
		if (u->entropy != GH_NULL)
			fprintf(h->to, "%.2f", (double)u->entropy / 1000);
		fputs("</td><td data-l=\"Begins\">like ", h->to);
		gh_html_text(h, u->magic);
		fputs(": ", h->to);
		gh_html_name(h, u->head);
		fputs("</td></tr>\n", h->to);
	}
	fputs("</tbody></table>\n", h->to);
	if (shown < m->n_strays)
		fprintf(h->to,
			"<p class=\"more\">%zu more are in the facts and in the JSON form, not on this page.</p>\n",
			m->n_strays - shown);
	fputs("</details>\n", h->to);
}

void gh_html_bytes(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	struct gh_cover_row apps = gh_cover_apps(m);
	size_t n = 0, shown = gh_min(m->n_covers, h->cap * 2);
	if (!m->n_covers)
		return;
	fputs("<h4>Which bytes belong to what</h4>\n<p class=\"more\">One bar a container, each at full width, "
	      "whatever its "
	      "size; what lies inside of another comes below it.</p>\n",
		h->to);
	legend(h);
	for (size_t i = 0; i < shown; i++) {
		if (m->covers[i].app)
			continue;
		if (n++ == OPEN_MAX)
			fputs("<details><summary>More containers</summary>\n", h->to);
		row(h, &m->covers[i], m->covers[i].place);
	}
	if (apps.depth)
		row(h, &apps,
			gh_str_fmt(&h->arena, "%lld archives inside of file systems, together", (long long)apps.depth));
	if (n > OPEN_MAX)
		fputs("</details>\n", h->to);
	if (shown < m->n_covers)
		fprintf(h->to, "<p class=\"more\">%zu more are in the JSON form, not on this page.</p>\n",
			m->n_covers - shown);
	strays(h);
}
