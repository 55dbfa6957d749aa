/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report's inventory of parts: what is inside, as the phone's software names it. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/html.h"

enum { NAMES_MAX = 8 }; /* of a kind that are shown; all are in the facts and in the JSON form */

static const char *title(struct gh_str kind)
{
	static const char *const words[][2] = {{"soc", "Processor"}, {"modem", "Modem"}, {"tee", "Secure world (TEE)"},
		{"gpu", "Graphics"}, {"wifi", "Wi-Fi"}, {"bluetooth", "Bluetooth"}, {"nfc", "NFC"},
		{"panel", "Display panel"}, {"touch", "Touch"}, {"fingerprint", "Fingerprint"},
		{"camera", "Camera sensors"}, {"sensors", "Sensors"}, {"charger", "Charger and power"}};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(kind, words[i][0]))
			return words[i][1];
	return "Other";
}

static void cell(struct gh_html *h, const char *label, struct gh_str s, bool name)
{
	fprintf(h->to, "<td data-l=\"%s\">", label);
	if (s.n)
		(name ? gh_html_name : gh_html_cut)(h, s);
	fputs("</td>", h->to);
}

static void row(struct gh_html *h, const struct gh_named_part *p, bool first)
{
	fprintf(h->to, "<tr><td data-l=\"Part\">%s</td>", first ? title(p->kind) : "");
	cell(h, "Name", p->name, true);
	cell(h, "Certainty", p->certainty, false);
	cell(h, "Witness", p->witness, false);
	cell(h, "Place", p->place, true);
	fputs("</tr>\n", h->to);
}

void gh_html_inside(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	size_t told = 0;
	for (size_t i = 0; i < m->n_parts; i++)
		told += m->parts[i].name.p != NULL;
	if (!told)
		return;
	fprintf(h->to, "<details><summary>What is inside, as its software names it: %zu names</summary>\n", told);
	fputs("<p>Claims of software, each with its witness; nothing was measured. One build drives the parts of "
	      "several suppliers, so two "
	      "phones of one model may hold different ones: <i>one of 12 named</i> says that twelve are named, not "
	      "which is built in. "
	      "<i>Opaque</i>: something is there and nothing names it. <i>Not told</i>: nothing examined speaks of "
	      "it.</p>\n"
	      "<div class=\"wide\"><table "
	      "class=\"stack\"><thead><tr><th>Part</th><th>Name</th><th>Certainty</th><th>Witness</th>"
	      "<th>Place</th></tr></thead><tbody>\n",
		h->to);
	for (size_t i = 0, shown = 0; i < m->n_parts; i++) {
		bool first = !i || !gh_str_eq(m->parts[i].kind, m->parts[i - 1].kind);
		shown = first ? 1 : shown + 1;
		if (shown <= NAMES_MAX)
			row(h, &m->parts[i], first);
		bool last = i + 1 == m->n_parts || !gh_str_eq(m->parts[i].kind, m->parts[i + 1].kind);
		if (last && shown > NAMES_MAX)
			fprintf(h->to,
				"<tr><td></td><td colspan=\"4\" class=\"more\">and %zu more, in the facts and in the "
				"JSON form</td></tr>\n",
				shown - NAMES_MAX);
	}
	fputs("</tbody></table></div>\n</details>\n", h->to);
}
