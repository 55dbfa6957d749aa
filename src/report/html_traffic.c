/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report on captures: a table of parties and a picture of when each was talked to. Packet numbers are those Wireshark shows. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/html.h"

enum {
	LANES = 24, /* parties in the picture: more do not fit a page */
	BINS = 60,
	LANE_H = 18,
	LEFT = 250, /* room for names */
	BIN_W = 9,
};

static void cell(struct gh_html *h, const char *label, struct gh_str s, bool name)
{
	fprintf(h->to, "<td data-l=\"%s\">", label);
	if (s.n && name)
		gh_html_name(h, s);
	else if (s.n)
		gh_html_cut(h, s);
	fputs("</td>", h->to);
}

static void number(struct gh_html *h, const char *label, struct gh_str s)
{
	fprintf(h->to, "<td class=\"n\" data-l=\"%s\">", label);
	gh_html_text(h, s);
	fputs("</td>", h->to);
}

static void party(struct gh_html *h, const struct gh_party *p)
{
	struct gh_mark mark = gh_arena_mark(&h->arena);
	const char *word = gh_party_word(p);
	fprintf(h->to, "<tr><td data-l=\"State\"><span class=\"badge %s\">%s</span></td>",
		!strcmp(word, "bad")    ? "high"
		: !strcmp(word, "good") ? "low"
					: "info",
		word);
	cell(h, "Party", p->name, true);
	cell(h, "Why", p->why, false);
	struct gh_str how =
		gh_str_fmt(&h->arena, "%.*s%s%.*s", (int)p->protocols.n, p->protocols.n ? p->protocols.p : "",
			p->tls.n ? ", TLS " : "", (int)p->tls.n, p->tls.n ? p->tls.p : "");
	cell(h, "How", how, false);
	struct gh_str who = gh_str_fmt(&h->arena, "%.*s%s%.*s%s%.*s", (int)p->apps.n, p->apps.n ? p->apps.p : "",
		p->apps.n && p->owner.n ? ", " : "", (int)p->owner.n, p->owner.n ? p->owner.p : "",
		p->country.n ? " " : "", (int)p->country.n, p->country.n ? p->country.p : "");
	cell(h, "App, owner", who, false);
	cell(h, "Named by", p->by, false);
	number(h, "Out", gh_size(&h->arena, p->bytes_out));
	number(h, "In", gh_size(&h->arena, p->bytes_in));
	number(h, "After", gh_span(&h->arena, p->first_us - h->m->captures.first_us));
	number(h, "First packet", gh_number(&h->arena, p->packet));
	fputs("</tr>\n", h->to);
	gh_arena_release(&h->arena, mark);
}

static void table(struct gh_html *h)
{
	size_t n = gh_min(h->m->n_parties, h->cap * 3);
	fputs("<div class=\"wide\"><table "
	      "class=\"stack\"><thead><tr><th>State</th><th>Party</th><th>Why</th><th>How</th><th>App, owner</th>"
	      "<th>Named by</th><th class=\"n\">Out</th><th class=\"n\">In</th><th class=\"n\">After</th><th "
	      "class=\"n\">First packet</th></tr></thead>"
	      "<tbody>\n",
		h->to);
	for (size_t i = 0; i < n; i++)
		party(h, &h->m->parties[i]);
	fputs("</tbody></table></div>\n", h->to);
	if (n < h->m->n_parties)
		fprintf(h->to,
			"<p class=\"more\">%zu more are in the facts and in the JSON form, not on this page.</p>\n",
			h->m->n_parties - n);
}

/* ---- the picture ---- */

struct lanes {
	double bytes[LANES][BINS];
	bool mark[LANES][BINS];
	double most;
};

static int bin_of(const struct gh_captures *c, int64_t us)
{
	double span = (double)(c->last_us - c->first_us) + 1;
	int b = (int)((double)(us - c->first_us) / span * BINS);
	return b < 0 ? 0 : b >= BINS ? BINS - 1 : b;
}

static int lane_of(const struct gh_model *m, struct gh_str party)
{
	for (size_t i = 0; i < m->n_parties && i < LANES; i++)
		if (gh_str_eq(m->parties[i].name, party))
			return (int)i;
	return -1;
}

/* Calls fn with lane, first and last bin, bytes of each row of (party, first_us, last_us, bytes). */
static void each(struct gh_html *h, const char *sql, struct lanes *l, bool mark)
{
	sqlite3_stmt *st = NULL;
	const struct gh_captures *c = &h->m->captures;
	if (sqlite3_prepare_v2(gh_db_handle(h->m->db), sql, -1, &st, NULL))
		return;
	sqlite3_bind_int64(st, 1, h->m->scan);
	while (sqlite3_step(st) == SQLITE_ROW) {
		int lane = lane_of(h->m, gh_strn(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
		int a = bin_of(c, sqlite3_column_int64(st, 1)), b = bin_of(c, sqlite3_column_int64(st, 2));
		for (int i = a; lane >= 0 && i <= b; i++) {
			l->bytes[lane][i] += mark ? 0 : sqlite3_column_double(st, 3) / (b - a + 1);
			l->mark[lane][i] |= mark && i == a;
			l->most = l->bytes[lane][i] > l->most ? l->bytes[lane][i] : l->most;
		}
	}
	sqlite3_finalize(st);
}

static void lane(struct gh_html *h, const struct lanes *l, size_t i)
{
	int y = (int)i * LANE_H;
	struct gh_str name = h->m->parties[i].name;
	fprintf(h->to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 13);
	gh_html_text(h, gh_strn(name.p + name.n - gh_min(name.n, 34), gh_min(name.n, 34)));
	fputs("</text>\n", h->to);
	for (int b = 0; b < BINS; b++) {
		double v = l->most > 0 ? l->bytes[i][b] / l->most : 0;
		int x = LEFT + b * BIN_W;
		if (l->bytes[i][b] > 0)
			fprintf(h->to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" opacity=\"%.2f\"/>", x,
				y + 3, BIN_W - 1, LANE_H - 5, 0.25 + 0.75 * (v > 1 ? 1 : v));
		if (l->mark[i][b])
			fprintf(h->to, "<path class=\"mark\" d=\"M%d %dl4 -6h-8z\"/>", x + BIN_W / 2, y + 9);
	}
	fputc('\n', h->to);
}

static void picture(struct gh_html *h)
{
	size_t n = gh_min(h->m->n_parties, LANES);
	struct lanes *l = gh_alloc(&h->arena, sizeof *l);
	if (!l || !n || h->m->captures.last_us <= h->m->captures.first_us)
		return;
	each(h,
		"SELECT d.party, f.first_us, f.last_us, f.bytes_out+f.bytes_in FROM d_flows d JOIN c_flows f ON "
		"f.blob_id=d.blob_id AND f.id=d.flow WHERE "
		"d.scan_id=?1",
		l, false);
	each(h,
		"SELECT d.party, f.first_us, f.first_us, 0 FROM findings x JOIN d_flows d ON d.scan_id=x.scan_id AND "
		"d.place_id=x.place_id JOIN c_flows f "
		"ON f.blob_id=d.blob_id AND f.id=d.flow WHERE x.scan_id=?1 AND (f.at=x.at OR EXISTS(SELECT 1 FROM "
		"c_traffic_oddities o WHERE "
		"o.blob_id=f.blob_id AND o.flow=f.id AND o.at=x.at) OR EXISTS(SELECT 1 FROM c_leaks k WHERE "
		"k.blob_id=f.blob_id AND k.flow=f.id AND "
		"k.at=x.at))",
		l, true);
	int w = LEFT + BINS * BIN_W, height = (int)n * LANE_H + 22;
	fprintf(h->to,
		"<div class=\"scroll\"><svg class=\"lanes\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Bytes to "
		"and from each party "
		"over time\">\n",
		w, height);
	for (size_t i = 0; i < n; i++)
		lane(h, l, i);
	struct gh_str from = gh_moment(&h->arena, h->m->captures.first_us),
		      to = gh_moment(&h->arena, h->m->captures.last_us);
	fprintf(h->to,
		"<text x=\"%d\" y=\"%d\">%.*s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.*s "
		"UTC</text>\n</svg></div>\n",
		LEFT, height - 5, (int)from.n, from.p, w, height - 5, (int)to.n, to.p);
	fputs("<p class=\"more\">The darker, the more bytes; a triangle: a finding there.", h->to);
	if (n < h->m->n_parties)
		fprintf(h->to, " The first %zu of %zu parties.", n, h->m->n_parties);
	fputs("</p>\n", h->to);
}

void gh_html_traffic(struct gh_html *h)
{
	const struct gh_captures *c = &h->m->captures;
	if (!c->n)
		return;
	fputs("<h2 id=\"parties\">Who it talks to</h2>\n<p>", h->to);
	gh_html_text(h, gh_traffic_line(h->m));
	fputs(".</p>\n<p><b>Good</b>: a certificate was seen that leads to a root Android has trusted, for the name "
	      "that was asked for. <b>Bad</b>: everybody on the "
	      "way can read it, or what was seen is wrong. <b>Not visible</b>: TLS 1.3, QUIC and resumed sessions hide "
	      "the certificate, so that the capture "
	      "cannot tell. <b>Not judged</b>: names, time, the local network, connections without data.</p>\n<p>",
		h->to);
	gh_html_text(h, gh_str(gh_traffic_blind));
	fputs("</p>\n", h->to);
	if (c->first_boot)
		fputs("<p class=\"note\"><b>First start.</b> The capture was begun before the phone was first switched "
		      "on; the column <i>After</i> tells what was "
		      "contacted before anybody could agree to anything.</p>\n",
			h->to);
	if (c->wifi_encrypted)
		fprintf(h->to, "<p class=\"note\">%lld frames of encrypted Wi-Fi stayed closed.</p>\n",
			(long long)c->wifi_encrypted);
	if (c->not_visible_dns)
		fprintf(h->to,
			"<p class=\"note\">Names were asked by encrypted DNS in %lld connections: which ones is not "
			"visible, and parties may be without a name.</p>\n",
			(long long)c->not_visible_dns);
	picture(h);
	table(h);
}
