/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report: what was verified, and what no signature covers. */
#include "base/num.h"
#include "report/html.h"

static void put(struct gh_html *h, const char *html)
{
	fputs(html, h->to);
}

static void cell(struct gh_html *h, const char *label, struct gh_str s, bool name)
{
	fprintf(h->to, "<td data-l=\"%s\">", label);
	if (s.n && name)
		gh_html_name(h, s);
	else if (s.n)
		gh_html_cut(h, s);
	put(h, "</td>");
}

static void left_out(struct gh_html *h, size_t n)
{
	if (n)
		fprintf(h->to,
			"<p class=\"more\">%zu more are in the facts and in the JSON form, not on this page.</p>\n", n);
}

static void chain(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<h4>Verified boot</h4>\n<p>As these files have it. No file can show that a phone enforces a "
	       "key.</p>\n");
	if (!m->n_trust) {
		put(h, "<p>No signed list (vbmeta), and no partition with a hash tree, was found.</p>\n");
		return;
	}
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>What</th><th>Partition</th><th>What was "
	       "found</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < gh_min(m->n_trust, h->cap); i++) {
		const struct gh_trust *t = &m->trust[i];
		put(h, "<tr>");
		cell(h, "What", gh_str_is(t->kind, "vbmeta") ? GH_STR("signed list") : t->kind, false);
		cell(h, "Partition", t->partition, true);
		cell(h, "Found", gh_trust_words(&h->arena, t), false);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
	left_out(h, m->n_trust - gh_min(m->n_trust, h->cap));
	struct gh_str d = gh_vbmeta_digest(m);
	if (d.p) {
		put(h, "<p>Digest over all signed lists, which a phone tells as ro.boot.vbmeta.digest: ");
		gh_html_name(h, d);
		put(h, "</p>\n");
	}
}

static void list(struct gh_html *h, const char *word)
{
	const struct gh_model *m = h->m;
	size_t n = 0, shown = 0;
	for (size_t i = 0; i < m->n_uncovered; i++)
		n += gh_str_is(m->uncovered[i].list, word);
	fprintf(h->to, "<details%s><summary>", n && n <= 12 ? " open" : "");
	gh_html_text(h, gh_str(gh_uncovered_words(gh_str(word))));
	fprintf(h->to, ": %zu</summary>\n", n);
	put(h, "<div class=\"wide\"><table "
	       "class=\"stack\"><thead><tr><th>Partition</th><th>Slot</th><th>Format</th><th class=\"n\">Size</th><th "
	       "class=\"n\">Files</th><th>Its own signatures</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < m->n_uncovered && shown < h->cap; i++) {
		const struct gh_uncovered *u = &m->uncovered[i];
		if (!gh_str_is(u->list, word))
			continue;
		shown++;
		put(h, "<tr>");
		cell(h, "Partition", u->name, true);
		cell(h, "Slot", u->slot, false);
		cell(h, "Format", u->format, false);
		cell(h, "Size", u->size == GH_NULL ? GH_STR("not known") : gh_size(&h->arena, u->size), false);
		cell(h, "Files", u->files > 0 ? gh_number(&h->arena, u->files) : GH_STR(""), false);
		cell(h, "Its own signatures", u->holds, false);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
	left_out(h, n - shown);
	put(h, "</details>\n");
}

void gh_html_integrity(struct gh_html *h)
{
	put(h, "<h2 id=\"integrity\">What is signed, and what is not</h2>\n<div class=\"box\">\n");
	chain(h);
	struct gh_str packages = gh_packages_words(&h->arena, h->m);
	if (packages.n) {
		put(h, "<h4>Packages</h4>\n<p>");
		gh_html_text(h, packages);
		put(h, ".</p>\n");
	}
	put(h, "<h4>Partitions that no signed list speaks of</h4>\n");
	for (size_t i = 0; i < GH_UNCOVERED_LISTS; i++)
		list(h, gh_uncovered_lists[i]);
	put(h, "</div>\n");
}
