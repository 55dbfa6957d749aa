/* SPDX-License-Identifier: Apache-2.0 */
/* What a running phone says of itself: reading it, and its section of the page. Witness of every line: the phone's own word. */
#include <stdio.h>

#include "base/num.h"
#include "report/html.h"

enum { TOLD_MAX = 4000 }; /* lines; a phone with 400 apps has some 120 */

static struct gh_str text(struct gh_model *m, sqlite3_stmt *st, int i)
{
	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return GH_NONE;
	return gh_str_dup(&m->arena, gh_strn(sqlite3_column_text(st, i), (size_t)sqlite3_column_bytes(st, i)));
}

enum gh_code gh_told_read(struct gh_model *m, struct gh_err *err)
{
	static const char sql[] =
		"SELECT s.part, CAST(s.what AS TEXT), CAST(s.value AS TEXT), ltrim(f.path,'/'), s.line FROM "
		"live_summary s LEFT JOIN files f ON f.file_id=s.file_id "
		"ORDER BY s.ord, 2, 3, 4, 5 LIMIT 4000";
	sqlite3_stmt *st = NULL;
	m->told = gh_alloc_array(&m->arena, TOLD_MAX, sizeof *m->told);
	if (!m->told || sqlite3_prepare_v2(gh_db_handle(m->db), sql, -1, &st, NULL) != SQLITE_OK)
		return gh_fail(err, GH_IO, 0, "report: what the phone says cannot be read");
	int step = SQLITE_DONE;
	while (m->n_told < TOLD_MAX && (step = sqlite3_step(st)) == SQLITE_ROW)
		m->told[m->n_told++] = (struct gh_told){text(m, st, 0), text(m, st, 1), text(m, st, 2), text(m, st, 3),
			sqlite3_column_type(st, 4) == SQLITE_NULL ? GH_NULL : sqlite3_column_int64(st, 4)};
	sqlite3_finalize(st);
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		return gh_fail(err, GH_IO, 0, "report: what the phone says cannot be read to its end");
	return GH_OK;
}

static void row(struct gh_html *h, const struct gh_told *t, bool first)
{
	fputs("<tr><td data-l=\"Of\">", h->to);
	if (first)
		gh_html_text(h, t->part);
	fputs("</td><td data-l=\"What\">", h->to);
	gh_html_cut(h, t->what);
	fputs("</td><td data-l=\"It says\">", h->to);
	gh_html_cut(h, t->value);
	fputs("</td><td data-l=\"Where\">", h->to);
	gh_html_name(h, t->place);
	if (t->line != GH_NULL)
		fprintf(h->to, " line %lld", (long long)t->line);
	fputs("</td></tr>\n", h->to);
}

void gh_html_told(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	if (!m->n_told)
		return;
	fputs("<section id=\"told\">\n<h2>What the phone says of itself</h2>\n<p>Each line is the phone's own word: "
	      "commands "
	      "that it answered while it ran, or lists that a tool made on it. A phone whose software was changed can "
	      "say "
	      "anything. No line here changes what is said of bytes. What it did not tell stands at the end.</p>\n"
	      "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Of</th><th>What</th><th>It "
	      "says</th><th>Where</th></tr>"
	      "</thead><tbody>\n",
		h->to);
	size_t shown = h->cap ? (size_t)gh_min(m->n_told, h->cap) : m->n_told;
	for (size_t i = 0; i < shown; i++)
		row(h, &m->told[i], !i || !gh_str_eq(m->told[i].part, m->told[i - 1].part));
	if (shown < m->n_told)
		fprintf(h->to,
			"<tr><td></td><td colspan=\"3\" class=\"more\">and %zu more, in the facts and in the JSON "
			"form</td></tr>\n",
			m->n_told - shown);
	fputs("</tbody></table></div>\n</section>\n", h->to);
}
