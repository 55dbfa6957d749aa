/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison as one HTML file in the style of the report: no network, no script, everything from the inputs escaped. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "compare/compare.h"
#include "report/html.h"

enum {
	BYTES_MAX = 4500000, /* as for reports */
	LINES_SEEN = 12, /* of one list in a cell */
};

static void put(struct gh_html *h, const char *html)
{
	fputs(html, h->to);
}

static void paragraph(struct gh_html *h, const char *open, struct gh_str s, const char *close)
{
	put(h, open);
	gh_html_text(h, s);
	put(h, close);
}

/* ---- verdict ---- */

static void inputs(struct gh_html *h, const struct gh_comparison *c)
{
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Side</th><th>Input</th><th "
	       "class=\"n\">Size</th>"
	       "<th>SHA-256</th></tr></thead><tbody>\n");
	for (unsigned i = 0; i < 2; i++)
		for (size_t k = 0; k < gh_min(c->side[i].n_inputs, h->cap); k++) {
			const struct gh_compared_input *in = &c->side[i].inputs[k];
			fprintf(h->to, "<tr><td>%c</td><td data-l=\"Input\">", "AB"[i]);
			gh_html_name(h, in->name);
			put(h, "</td><td class=\"n\" data-l=\"Size\">");
			gh_html_text(h, gh_size(&h->arena, in->size));
			put(h, "</td><td data-l=\"SHA-256\">");
			if (in->sha256.p)
				gh_html_name(h, in->sha256);
			else
				put(h, "a folder: its files have their own");
			put(h, "</td></tr>\n");
		}
	put(h, "</tbody></table></div>\n");
}

static void top(struct gh_html *h, const struct gh_comparison *c)
{
	static const char *const classes[][2] = {{"equal", "nothing_found"}, {"equal_as_far", "not_judged"},
		{"differences", "high"}, {"different_build", "not_judged"}, {"nothing", "not_recognised"}};
	const char *class = "not_judged";
	for (size_t i = 0; i < GH_COUNT(classes); i++)
		if (strcmp(classes[i][0], c->verdict_state) == 0)
			class = classes[i][1];
	put(h, "<header class=\"top\"><b>gifthorse</b> " GH_VERSION " · two builds side by side</header>\n<main>\n");
	fprintf(h->to, "<section class=\"verdict %s\">\n<p class=\"lead\">B compared with A</p>\n", class);
	paragraph(h, "<h1>", c->verdict, "</h1>\n");
	paragraph(h, "<p class=\"beside\">", c->gate_sentence, "</p>\n");
	fprintf(h->to,
		"<ul class=\"tally\"><li>%lld places of both</li><li>%lld equal</li><li>%zu changed</li><li>%zu only "
		"in "
		"A</li><li>%zu only in B</li></ul>\n",
		(long long)c->both, (long long)c->equal, c->n_changed, c->n_only[0], c->n_only[1]);
	put(h, "<nav class=\"toc\"><a href=\"#gate\">Same build?</a> <a href=\"#differences\">Differences</a> <a "
	       "href=\"#out\">Not compared</a> <a href=\"#method\">Method</a></nav>\n</section>\n");
	inputs(h, c);
}

static void gate(struct gh_html *h, const struct gh_comparison *c)
{
	put(h, "<h2 id=\"gate\">Is it the same build?</h2>\n");
	paragraph(h, "<p>", c->gate_sentence, "</p>\n");
	put(h, "<details><summary>What each side says of itself</summary><div class=\"wide\"><table "
	       "class=\"stack\"><thead><tr>"
	       "<th>Of</th><th>Name</th><th>A</th><th>B</th><th>State</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < gh_min(c->n_facts, h->cap); i++) {
		const struct gh_gate_fact *f = &c->facts[i];
		const struct gh_str cells[] = {f->kind, f->key, f->a, f->b, f->state};
		static const char *const names[] = {"Of", "Name", "A", "B", "State"};
		put(h, "<tr>");
		for (size_t k = 0; k < GH_COUNT(cells); k++) {
			fprintf(h->to, "<td data-l=\"%s\">", names[k]);
			if (cells[k].p)
				gh_html_cut(h, cells[k]);
			put(h, "</td>");
		}
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div></details>\n");
}

/* ---- differences ---- */

static void lines(struct gh_html *h, struct gh_str s)
{
	struct gh_str line;
	size_t n = 0;
	while (s.p && gh_str_line(&s, &line)) {
		if (n++ >= LINES_SEEN)
			continue;
		put(h, n > 1 ? "<br>" : "");
		gh_html_name(h, line);
	}
	if (n > LINES_SEEN)
		fprintf(h->to, "<br>%zu more", n - LINES_SEEN);
}

static void field_rows(struct gh_html *h, const struct gh_comparison *c, const struct gh_difference *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct gh_field *f = &c->fields[d->first + i];
		put(h, "<tr><td></td><td data-l=\"What\">");
		gh_html_text(h, f->name);
		put(h, "</td><td data-l=\"A\">");
		lines(h, f->a);
		put(h, "</td><td data-l=\"B\">");
		lines(h, f->b);
		put(h, "</td></tr>\n");
	}
}

static void difference(struct gh_html *h, struct gh_comparison *c, const struct gh_difference *d)
{
	put(h, "<tr><td>");
	gh_html_name(h, d->place);
	if (d->note.p)
		paragraph(h, "<span class=\"sha\">", d->note, "</span>");
	put(h, "</td><td data-l=\"What\">");
	gh_html_text(h, gh_str_is(d->kind, "changed") ? GH_STR("changed") : gh_difference_words(c, d));
	put(h, "</td><td data-l=\"A\">");
	if (d->sha_a.p && !d->n)
		gh_html_name(h, d->sha_a);
	put(h, "</td><td data-l=\"B\">");
	if (d->sha_b.p && !d->n)
		gh_html_name(h, d->sha_b);
	put(h, "</td></tr>\n");
	field_rows(h, c, d);
}

static void group(struct gh_html *h, struct gh_comparison *c, unsigned g)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_diffs; i++) {
		struct gh_mark mark = gh_arena_mark(&h->arena);
		if (c->diffs[i].group == g && n++ < h->cap) {
			if (n == 1)
				fprintf(h->to,
					"<h3>%s</h3>\n<div class=\"wide\"><table "
					"class=\"stack\"><thead><tr><th>Place</th><th>What"
					"</th><th>A, or only A has</th><th>B, or only B has</th></tr></thead><tbody>\n",
					gh_group_name(g));
			difference(h, c, &c->diffs[i]);
		}
		gh_arena_release(&h->arena, mark);
	}
	if (n)
		put(h, "</tbody></table></div>\n");
	if (n > h->cap)
		fprintf(h->to, "<p class=\"more\">%zu more are in the JSON form, not on this page.</p>\n", n - h->cap);
}

static void not_compared(struct gh_html *h, const struct gh_comparison *c)
{
	put(h, "<h2 id=\"out\">What was not compared</h2>\n");
	if (!c->n_out)
		put(h, "<p>Nothing that both have was left out.</p>\n");
	else
		put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Why</th><th>Side that lacks "
		       "it</th><th>Partition"
		       "</th><th class=\"n\">Places</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < gh_min(c->n_out, h->cap); i++) {
		put(h, "<tr><td>");
		gh_html_text(h, c->out[i].why);
		put(h, "</td><td data-l=\"Side\">");
		gh_html_text(h, c->out[i].side.p ? c->out[i].side : GH_STR(""));
		put(h, "</td><td data-l=\"Partition\">");
		gh_html_cut(h, c->out[i].image);
		put(h, "</td><td class=\"n\" data-l=\"Places\">");
		gh_html_number(h, c->out[i].n);
		put(h, "</td></tr>\n");
	}
	if (c->n_out)
		put(h, "</tbody></table></div>\n");
}

static void page(struct gh_html *h, struct gh_comparison *c)
{
	gh_html_head(h, "Comparison of ", c->side[1].n_inputs ? c->side[1].inputs[0].name : GH_STR("two builds"));
	top(h, c);
	gate(h, c);
	put(h, "<h2 id=\"differences\">What differs</h2>\n");
	if (!c->n_diffs)
		put(h, "<p>Nothing in what was compared.</p>\n");
	for (unsigned g = 1; g < GH_GROUPS; g++)
		group(h, c, g);
	not_compared(h, c);
	put(h, "<h2 id=\"method\">Method</h2>\n<p>Files are compared by their path on the phone: content (SHA-256), "
	       "type, link "
	       "target; mode, owner, SELinux label, capabilities and the immutable flag where both sides have them "
	       "from a file "
	       "system. Boot images, vbmeta and firmware are compared as they are, and by their parts. A difference is "
	       "told as "
	       "it is; it does not show who made it, when, or why. Whether A is what the maker published was not "
	       "checked.</p>\n"
	       "</main>\n</body>\n</html>\n");
}

enum gh_code gh_compare_html(
	struct gh_comparison *c, const struct gh_compare_style *style, FILE *to, struct gh_err *err)
{
	static const struct {
		size_t cap, cell;
	} sizes[] = {{1000, 600}, {200, 300}, {50, 200}, {10, 120}, {1, 60}};
	char *text = NULL;
	size_t n = 0;
	bool done = false;
	(void)style;
	for (size_t i = 0; i < GH_COUNT(sizes) && !done; i++) {
		struct gh_html h = {.cap = sizes[i].cap, .cell = sizes[i].cell};
		free(text);
		text = NULL;
		if (!(h.to = open_memstream(&text, &n)))
			break;
		gh_arena_init(&h.arena, 0);
		page(&h, c);
		gh_arena_done(&h.arena);
		done = !fclose(h.to) && n <= BYTES_MAX;
	}
	bool ok = done && fwrite(text, 1, n, to) == n;
	free(text);
	return ok ? GH_OK : gh_fail(err, GH_IO, 0, "the HTML form could not be written");
}
