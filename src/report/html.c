/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one HTML file: no network, no script, readable on paper. Everything that comes from the input is escaped twice:
 * for the screen (control characters, direction marks, broken UTF-8) and for HTML. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "report/html.h"

enum {
	BYTES_MAX = 4500000, /* browsers and mail take a page below 5 MB without complaint */
	ROWS_SEEN = 5, /* of one finding, before the fold */
};

static const char *const badge_signs[] = {"◆", "▲", "■", "●", "○"};

void gh_html_text(struct gh_html *h, struct gh_str s)
{
	struct gh_mark mark = gh_arena_mark(&h->arena);
	struct gh_str t = gh_shown(&h->arena, s);
	for (size_t i = 0; i < t.n; i++)
		switch (t.p[i]) {
		case '&':
			fputs("&amp;", h->to);
			break;
		case '<':
			fputs("&lt;", h->to);
			break;
		case '>':
			fputs("&gt;", h->to);
			break;
		case '"':
			fputs("&quot;", h->to);
			break;
		case '\'':
			fputs("&#39;", h->to);
			break;
		default:
			putc(t.p[i], h->to);
		}
	gh_arena_release(&h->arena, mark);
}

void gh_html_cut(struct gh_html *h, struct gh_str s)
{
	size_t max = h->cell;
	if (s.n <= max) {
		gh_html_text(h, s);
		return;
	}
	/* Not in the middle of a UTF-8 sequence. */
	size_t head = max / 2, tail = s.n - max / 2;
	while (head && (s.p[head] & 0xc0) == 0x80)
		head--;
	while (tail < s.n && (s.p[tail] & 0xc0) == 0x80)
		tail++;
	gh_html_text(h, gh_strn(s.p, head));
	fputs(" … ", h->to);
	gh_html_text(h, gh_strn(s.p + tail, s.n - tail));
}

void gh_html_name(struct gh_html *h, struct gh_str s)
{
	fputs("<code>", h->to);
	gh_html_cut(h, s);
	fputs("</code>", h->to);
}

void gh_html_paragraphs(struct gh_html *h, struct gh_str s)
{
	struct gh_str line;
	while (gh_str_line(&s, &line))
		if (line.n) {
			fputs("<p>", h->to);
			gh_html_text(h, line);
			fputs("</p>\n", h->to);
		}
}

void gh_html_number(struct gh_html *h, int64_t n)
{
	gh_html_text(h, n == GH_NULL ? GH_STR("not known") : gh_number(&h->arena, n));
}

void gh_html_badge(struct gh_html *h, unsigned severity)
{
	fprintf(h->to, "<span class=\"badge %s\">%s %s</span>", gh_severities[severity], badge_signs[severity],
		gh_severities[severity]);
}

/* ---- findings ---- */

static void finding_row(struct gh_html *h, const struct gh_finding *f)
{
	fputs("<tr><td>", h->to);
	gh_html_name(h, f->place);
	if (f->sha256.p) {
		fputs("<span class=\"sha\">SHA-256 ", h->to);
		gh_html_name(h, f->sha256);
		fputs("</span>", h->to);
	}
	fputs("</td><td data-l=\"What stands there\">", h->to);
	gh_html_cut(h, f->evidence);
	gh_html_detail(h, f);
	fputs("</td><td class=\"n\" data-l=\"Offset or line\">", h->to);
	if (f->at != GH_NULL)
		gh_html_number(h, f->at);
	fputs("</td></tr>\n", h->to);
}

static void finding_rows(struct gh_html *h, const struct gh_group *g, size_t from, size_t to)
{
	fputs("<table class=\"stack evidence\"><thead><tr><th>Place</th><th>What stands there</th>"
	      "<th class=\"n\">Offset or line</th></tr></thead><tbody>\n",
		h->to);
	for (size_t i = from; i < to; i++)
		finding_row(h, &h->m->findings[g->first + i]);
	fputs("</tbody></table>\n", h->to);
}

static void finding_evidence(struct gh_html *h, const struct gh_group *g)
{
	size_t shown = gh_min(g->n, h->cap), seen = shown <= ROWS_SEEN + 2 ? shown : ROWS_SEEN;
	fputs("<h4>Evidence</h4>\n", h->to);
	finding_rows(h, g, 0, seen);
	if (seen < shown) {
		fprintf(h->to, "<details><summary>%zu more places</summary>\n", shown - seen);
		finding_rows(h, g, seen, shown);
		fputs("</details>\n", h->to);
	}
	if (shown < g->n)
		fprintf(h->to,
			"<p class=\"more\">%zu further places are in the facts and in the JSON form, not on this "
			"page.</p>\n",
			g->n - shown);
}

static void finding(struct gh_html *h, const struct gh_group *g)
{
	const struct gh_rule *r = g->rule;
	const struct gh_finding *f = &h->m->findings[g->first];
	fputs("<article><header>", h->to);
	gh_html_badge(h, g->severity);
	fputs("<h3>", h->to);
	gh_html_text(h, r->title);
	fputs("</h3><span class=\"id\">", h->to);
	gh_html_text(h, r->id);
	fputs("</span></header>\n<p class=\"how\">Certainty: <b>", h->to);
	gh_html_text(h, r->certainty);
	fputs("</b>", h->to);
	if (gh_str_is(r->certainty, "able"))
		fputs(" (the software permits it; whether it was done is not shown)", h->to);
	fputs(" · Witness: <b>", h->to);
	gh_html_text(h, r->witness);
	fputs("</b> · Axis: ", h->to);
	gh_html_text(h, r->axis);
	fprintf(h->to, " · %zu place%s</p>\n", g->n, g->n == 1 ? "" : "s");
	gh_html_paragraphs(h, r->explain);
	finding_evidence(h, g);
	fputs("<h4>What to do</h4>\n", h->to);
	gh_html_paragraphs(h, gh_next(&h->arena, f));
	fputs("<h4>What would change our mind</h4>\n", h->to);
	gh_html_paragraphs(h, gh_str_fmt(&h->arena, "What looks the same and is harmless: %.*s%s", (int)r->lookalike.n,
				      r->lookalike.p, gh_str_ends(r->lookalike, ".") ? "" : "."));
	fputs("<h4>Check it by hand</h4>\n<pre>", h->to);
	gh_html_text(h, gh_verify(&h->arena, f));
	fputs("</pre>\n<p class=\"more\">Drawn from: ", h->to);
	gh_html_text(h, r->cases);
	fputs("</p></article>\n", h->to);
}

void gh_html_findings(struct gh_html *h)
{
	fputs("<h2 id=\"findings\">What was found</h2>\n", h->to);
	if (!h->m->n_groups)
		fputs("<p>Nothing, in the checks that could be made. Which ones could not be made, and what was not "
		      "looked at, "
		      "stands above and below; both limit what this page can tell.</p>\n",
			h->to);
	else
		fputs("<p class=\"more\">The commands under <i>Check it by hand</i> are for a Linux shell (bash), in "
		      "the "
		      "folder that holds the input, with gifthorse on the PATH. Beside it they use programs of Debian: "
		      "openssl, unzip, python3, aapt, apksigner, binutils, e2fsprogs, erofs-utils. The digests can be "
		      "compared "
		      "without gifthorse.</p>\n",
			h->to);
	for (size_t i = 0; i < h->m->n_groups; i++) {
		struct gh_mark mark = gh_arena_mark(&h->arena);
		finding(h, &h->m->groups[i]);
		gh_arena_release(&h->arena, mark);
	}
}

/* ---- the page ---- */

void gh_html_head(struct gh_html *h, const char *title, struct gh_str of)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
		h->to);
	fputs(title, h->to);
	gh_html_cut(h, of);
	fputs("</title>\n<style>\n", h->to);
	for (size_t i = 0; i < gh_n_style_files; i++)
		fwrite(gh_style_files[i].text, 1, gh_style_files[i].n, h->to);
	fputs("</style>\n</head>\n<body>\n", h->to);
}

static void page(struct gh_html *h, const struct gh_report_style *style)
{
	gh_html_head(h, "Report on ", h->m->n_inputs ? h->m->inputs[0].name : GH_STR("a phone"));
	bool watch_only = h->m->watched.n_recordings && !h->m->phone; /* then nothing of a phone is told */
	gh_html_top(h);
	gh_html_watch(h);
	gh_html_traffic(h);
	if (!watch_only)
		gh_html_advice(h);
	gh_html_examined(h);
	gh_html_findings(h);
	gh_html_told(h);
	if (!watch_only)
		gh_html_integrity(h);
	gh_html_checks(h);
	if (!watch_only)
		gh_html_inventory(h);
	gh_html_method(h);
	fputs("</main>\n<script type=\"application/json\" id=\"gifthorse\">\n", h->to);
	gh_json_model(h->m, style, h->cap, h->to);
	fputs("</script>\n</body>\n</html>\n", h->to);
}

/* The whole page in memory with at most `cap` rows a table; false when that is too large. */
static bool try_page(
	struct gh_model *m, const struct gh_report_style *style, size_t cap, size_t cell, char **ret, size_t *ret_n)
{
	struct gh_html h = {.m = m, .cap = cap, .cell = cell};
	if (!(h.to = open_memstream(ret, ret_n)))
		return false;
	gh_arena_init(&h.arena, 0);
	page(&h, style);
	gh_arena_done(&h.arena);
	return !fclose(h.to) && *ret_n <= BYTES_MAX;
}

enum gh_code gh_report_html(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	static const struct {
		size_t cap, cell;
	} sizes[] = {{100, 600}, {30, 300}, {10, 200}, {3, 120}, {1, 60}};
	struct gh_model m;
	char *text = NULL;
	size_t n = 0;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	if (code == GH_OK && style->redact)
		gh_redact(&m);
	bool done = code != GH_OK;
	for (size_t i = 0; i < GH_COUNT(sizes) && !done; i++) {
		free(text);
		text = NULL;
		done = try_page(&m, style, sizes[i].cap, sizes[i].cell, &text, &n);
	}
	if (code == GH_OK && (!done || fwrite(text, 1, n, to) != n))
		code = gh_fail(err, GH_IO, 0, "the HTML report could not be written");
	free(text);
	gh_model_done(&m);
	return code;
}
