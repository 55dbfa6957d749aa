/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report around the findings: verdict, what was examined, what to do, checks, inventory, method. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/html.h"

static void put(struct gh_html *h, const char *html)
{
	fputs(html, h->to);
}

/* One cell; label: its column's name, shown where the table is stacked on a narrow screen. */
static void cell(struct gh_html *h, const char *label, struct gh_str s, bool name)
{
	fprintf(h->to, "<td data-l=\"%s\">", label);
	if (s.n && name)
		gh_html_name(h, s);
	else if (s.n)
		gh_html_cut(h, s);
	put(h, "</td>");
}

static void count_cell(struct gh_html *h, const char *label, struct gh_str s)
{
	fprintf(h->to, "<td class=\"n\" data-l=\"%s\">", label);
	gh_html_text(h, s);
	put(h, "</td>");
}

static struct gh_str size(struct gh_html *h, int64_t n)
{
	return n == GH_NULL ? GH_STR("not known") : gh_size(&h->arena, n);
}

static void left_out(struct gh_html *h, size_t n)
{
	if (n)
		fprintf(h->to,
			"<p class=\"more\">%zu more are in the facts and in the JSON form, not on this page.</p>\n", n);
}

/* ---- verdict ---- */

static void axes(struct gh_html *h)
{
	static const char *const names[] = {"Integrity", "Provenance", "Behaviour", "Coverage"};
	static const char *const questions[] = {"is it consistent with its own signatures and checks?",
		"is it the build its maker publishes?", "what is its software able to do?", "what was looked at?"};
	put(h, "<div class=\"axes\">\n");
	for (unsigned i = 0; i < GH_N_AXES; i++) {
		const struct gh_axis *a = &h->m->axis[i];
		fprintf(h->to, "<div><h3>%s: <span class=\"state\">%s</span></h3><p>", names[i], questions[i]);
		if (strcmp(a->state, "findings") != 0) {
			struct gh_str word = gh_axis_word(&h->arena, a);
			fputs("<b>", h->to);
			putc(word.p[0] - 32, h->to);
			gh_html_text(h, gh_strn(word.p + 1, word.n - 1));
			put(h, ".</b> ");
		}
		gh_html_text(h, a->sentence);
		put(h, "</p></div>\n");
	}
	put(h, "</div>\n");
}

static void warnings(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	if (m->interrupted)
		put(h, "<p class=\"note\"><b>The scan was interrupted.</b> What follows holds for what had been read "
		       "until then.</p>\n");
	if (m->sandbox.p && !m->jailed)
		put(h, "<p class=\"note\"><b>The readers were not locked in:</b> this kernel refuses it. Whoever made "
		       "the input may have "
		       "reached the computer that scanned it.</p>\n");
	if (m->redacted)
		put(h, "<p class=\"note\"><b>Redacted for sharing.</b> Names of inputs, serial numbers, IMEI, network "
		       "names, "
		       "accounts, addresses and telephone numbers are replaced where they were recognised; the same "
		       "value by "
		       "the same word. Read it before you pass it on: no program recognises everything.</p>\n");
	if (m->crashes)
		fprintf(h->to,
			"<p class=\"note\"><b>Readers crashed or hung %lld time%s.</b> What they were reading is "
			"listed under <a "
			"href=\"#examined\">not examined</a>. An input can be made for that purpose.</p>\n",
			(long long)m->crashes, m->crashes == 1 ? "" : "s");
	if (m->other_rules)
		put(h, "<p class=\"note\">The scan was judged with other rules than the version that wrote this page "
		       "has; titles and "
		       "explanations are of this version.</p>\n");
}

void gh_html_top(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<header class=\"top\"><b>gifthorse</b> ");
	gh_html_text(h, m->version);
	put(h, " · check a phone before you trust it</header>\n<main>\n<section class=\"verdict ");
	put(h, m->verdict_state);
	put(h, "\">\n<p class=\"lead\">Verdict on ");
	for (size_t i = 0; i < m->n_inputs && i < 3; i++) {
		put(h, i ? ", " : "");
		gh_html_cut(h, m->inputs[i].name);
	}
	if (m->n_inputs > 3)
		fprintf(h->to, " and %zu more", m->n_inputs - 3);
	put(h, "</p>\n<h1>");
	gh_html_text(h, m->headline);
	put(h, "</h1>\n<p class=\"beside\">");
	gh_html_text(h, m->beside);
	put(h, "</p>\n");
	put(h, "<ul class=\"tally\">\n");
	for (unsigned i = 0; i < GH_N_SEVERITIES; i++) {
		put(h, "<li>");
		gh_html_badge(h, i);
		fprintf(h->to, " %llu</li>\n", (unsigned long long)m->count[i]);
	}
	fprintf(h->to, "<li>%u check%s found nothing</li><li>%u could not be made</li>\n</ul>\n", m->quiet,
		m->quiet == 1 ? "" : "s", m->silent);
	warnings(h);
	bool watch_only = m->watched.n_recordings && !m->phone;
	if (!watch_only)
		axes(h);
	put(h, "<nav class=\"toc\">");
	if (m->watched.n_recordings)
		put(h, "<a href=\"#recordings\">What was recorded</a> ");
	if (m->captures.n)
		put(h, "<a href=\"#parties\">Who it talks to</a> ");
	if (!watch_only)
		put(h, "<a href=\"#advice\">What to do now</a> ");
	put(h, "<a href=\"#examined\">What was examined</a> <a href=\"#findings\">What was found</a> ");
	if (m->n_told)
		put(h, "<a href=\"#told\">What the phone says</a> ");
	if (!watch_only)
		put(h, "<a href=\"#integrity\">What is signed</a> ");
	put(h, "<a href=\"#checks\">Checks</a> ");
	if (!watch_only)
		put(h, "<a href=\"#inventory\">Inventory</a> ");
	put(h, "<a href=\"#method\">Method</a></nav>\n</section>\n");
}

/* ---- examined ---- */

static void levels(struct gh_html *h)
{
	static const char *const names[] = {"Files in all", "Read", "Understood", "Analysed"};
	static const char *const meanings[] = {"in file systems and archives, of the current slot",
		"hashed, and searched for words", "the format was read to its end", "program code was followed"};
	put(h, "<table><thead><tr><th>How far</th><th class=\"n\">Files</th><th class=\"n\">Bytes</th></tr></thead>"
	       "<tbody>\n");
	for (unsigned i = 0; i < GH_N_LEVELS; i++) {
		fprintf(h->to, "<tr><td>%s <span class=\"more\">%s</span></td>", names[i], meanings[i]);
		count_cell(h, "Files", gh_number(&h->arena, h->m->level[i].files));
		count_cell(h, "Bytes", size(h, h->m->level[i].bytes));
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table>\n");
}

static void hole_table(struct gh_html *h, const char *title, struct gh_amount sum, bool damaged, bool opaque)
{
	if (!sum.files)
		return;
	struct gh_str n = gh_number(&h->arena, sum.files), b = gh_size(&h->arena, sum.bytes);
	fprintf(h->to, "<details%s><summary>%s: %.*s place%s, %.*s</summary>\n",
		sum.files <= 12 || damaged ? " open" : "", title, (int)n.n, n.p, sum.files == 1 ? "" : "s", (int)b.n,
		b.p);
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Place</th><th>What</th><th>Why</th><th "
	       "class=\"n\">Bytes</th>"
	       "</tr></thead><tbody>\n");
	size_t shown = 0, all = 0;
	for (size_t i = 0; i < h->m->n_holes; i++) {
		const struct gh_hole *hole = &h->m->holes[i];
		if (hole->damaged != damaged || (hole->opaque && !damaged) != opaque || all++ >= h->cap)
			continue;
		shown++;
		put(h, "<tr>");
		cell(h, "Place", hole->place.n ? hole->place : GH_STR("the input"), true);
		cell(h, "What", hole->what, false);
		cell(h, "Why", hole->why, false);
		count_cell(h, "Bytes", size(h, hole->bytes));
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
	left_out(h, all - shown);
	put(h, "</details>\n");
}

void gh_html_examined(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<h2 id=\"examined\">What was examined, and what was not</h2>\n<div class=\"box\">\n<h4>Input</h4>\n"
	       "<table class=\"stack\"><thead><tr><th>Name</th><th "
	       "class=\"n\">Size</th><th>SHA-256</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < gh_min(m->n_inputs, h->cap); i++) {
		put(h, "<tr>");
		cell(h, "Name", m->inputs[i].name, true);
		count_cell(h, "Size", size(h, m->inputs[i].size));
		cell(h, "SHA-256",
			m->inputs[i].sha256.p ? m->inputs[i].sha256 : GH_STR("a folder: its files have their own"),
			m->inputs[i].sha256.p);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table>\n");
	left_out(h, m->n_inputs - gh_min(m->n_inputs, h->cap));
	put(h, "<h4>How far it was looked at</h4>\n");
	levels(h);
	put(h, "<h4>Not examined</h4>\n");
	if (!m->n_holes)
		put(h, "<p>No place was found that could not be read.</p>\n");
	hole_table(h, "Damaged, missing or over a limit", m->damaged, true, false);
	hole_table(h, "Of a kind that is not read", m->unexamined, false, false);
	hole_table(h, "Opaque by nature: firmware of other processors", m->opaque, false, true);
	gh_html_bytes(h);
	put(h, "</div>\n");
}

/* ---- advice ---- */

void gh_html_advice(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	bool grave = m->count[GH_CRITICAL] || m->count[GH_HIGH];
	put(h, "<h2 id=\"advice\">What to do now</h2>\n<div class=\"cols\">\n<div class=\"box do\"><h3>Do</h3>\n<ul>\n"
	       "<li>Keep the firmware file and this report together, with the SHA-256 below, on a computer that is not "
	       "this phone.</li>\n");
	if (grave)
		put(h, "<li>Have an expert check the findings by hand; each says how.</li>\n"
		       "<li>Ask the seller or the maker, in writing, about what was found. Most of it can have an "
		       "ordinary explanation.</li>\n"
		       "<li>If you may be a target, speak to a digital-security helpline first, from another "
		       "device.</li>\n");
	else
		put(h, "<li>Read what was not examined and which checks could not be made: about those this page says "
		       "nothing.</li>\n"
		       "<li>Compare the phone with the build that its maker publishes, if you can get that.</li>\n");
	put(h, "</ul></div>\n<div class=\"box dont\"><h3>Do not</h3>\n<ul>\n");
	if (grave)
		put(h, "<li>Do not log in to any account on the phone.</li>\n"
		       "<li>Do not update, reset or flash it before a copy of its firmware is safe: each of these "
		       "destroys evidence.</li>\n"
		       "<li>Do not connect it to networks or computers that matter.</li>\n"
		       "<li>Do not accuse anybody from this page: it tells what software is able to do, not who wanted "
		       "it.</li>\n");
	else
		put(h, "<li>Do not take this page for a guarantee: it tells what was looked for in what could be "
		       "read.</li>\n"
		       "<li>Do not update or reset the phone before a copy of its firmware is safe, if you still have "
		       "doubts: each of these "
		       "destroys evidence.</li>\n");
	put(h, "</ul></div>\n</div>\n");
}

/* ---- checks ---- */

static void check_table(struct gh_html *h, const char *state, bool why)
{
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Check</th><th>What it looks for</th>");
	put(h, why ? "<th>What was missing</th></tr></thead><tbody>\n" : "</tr></thead><tbody>\n");
	for (size_t i = 0; i < h->m->n_states; i++) {
		const struct gh_rule_state *s = &h->m->states[i];
		if (!gh_str_is(s->state, state) || (why && !s->why.n))
			continue;
		put(h, "<tr>");
		put(h, "<td class=\"id\" data-l=\"Check\">");
		gh_html_cut(h, s->rule->id);
		put(h, "</td>");
		cell(h, "Looks for", s->rule->title, false);
		if (why)
			cell(h, "Missing", s->why, false);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
}

/* Rules that found something without having seen all. */
static void partly(struct gh_html *h)
{
	unsigned n = 0;
	for (size_t i = 0; i < h->m->n_states; i++)
		n += gh_str_is(h->m->states[i].state, "found") && h->m->states[i].why.n;
	if (!n)
		return;
	fprintf(h->to, "<details><summary>Found something, but could not see all, so there may be more: %u</summary>\n",
		n);
	check_table(h, "found", true);
	put(h, "</details>\n");
}

void gh_html_checks(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<h2 id=\"checks\">Checks that found nothing, and checks that could not be made</h2>\n<div "
	       "class=\"box\">\n");
	fprintf(h->to, "<p>Of %zu checks %u found something, %u found nothing and %u could not be made.</p>\n",
		m->n_states, m->evaluated - m->quiet, m->quiet, m->silent);
	partly(h);
	if (m->silent) {
		fprintf(h->to, "<details open><summary>Could not be made: %u</summary>\n", m->silent);
		check_table(h, "not_evaluated", true);
		put(h, "</details>\n");
	}
	if (m->quiet) {
		fprintf(h->to, "<details><summary>Found nothing: %u</summary>\n", m->quiet);
		check_table(h, "not_found", false);
		put(h, "</details>\n");
	}
	put(h, "</div>\n");
}

/* ---- inventory ---- */

static void device(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<h4>What the phone says it is</h4>\n");
	if (!m->n_device) {
		put(h, "<p>No property file was found.</p>\n");
		return;
	}
	put(h, "<table><tbody>\n");
	for (size_t i = 0; i < m->n_device; i++) {
		put(h, "<tr>");
		cell(h, "Property", m->device[i].key, false);
		cell(h, "Value", m->device[i].value, true);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table>\n");
}

static void partitions(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	if (!m->n_partitions)
		return;
	fprintf(h->to, "<details%s><summary>Partitions and images: %zu</summary>\n",
		m->n_partitions <= 16 ? " open" : "", m->n_partitions);
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Name</th><th>Slot</th><th>Format</th><th "
	       "class=\"n\">Size</th><th>"
	       "</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < gh_min(m->n_partitions, h->cap); i++) {
		const struct gh_partition *p = &m->partitions[i];
		put(h, "<tr>");
		cell(h, "Name", p->name, true);
		cell(h, "Slot", p->slot, false);
		cell(h, "Format", p->fs, false);
		count_cell(h, "Size", size(h, p->size));
		cell(h, "Note", p->live ? GH_STR("") : GH_STR("of the other slot: listed, not judged"), false);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
	left_out(h, m->n_partitions - gh_min(m->n_partitions, h->cap));
	put(h, "</details>\n");
}

static struct gh_str role(struct gh_str signer)
{
	static const char *const words[][2] = {{"platform", "the key of this system"}, {"oem", "a key of the maker"},
		{"google", "a key of Google"}, {"aosp_test", "a public test key"}, {"third", "another key"},
		{"unknown", "no key: without a signature, or with one that was not verified"}};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(signer, words[i][0]))
			return gh_str(words[i][1]);
	return GH_STR("not known");
}

/* A bar a key: how many of the system's apps it signed. */
static void signers(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	uint64_t most = 1, n;
	for (size_t i = 0; i < m->n_signers; i++)
		most = gh_str_u64(m->signers[i].value, 10, &n) ? gh_max(most, n) : most;
	if (!m->n_signers)
		return;
	put(h, "<h4>Who signed the apps of the system</h4>\n");
	for (size_t i = 0; i < gh_min(m->n_signers, h->cap); i++) {
		if (!gh_str_u64(m->signers[i].value, 10, &n))
			continue;
		put(h, "<div class=\"bar\"><span class=\"what\">");
		gh_html_text(h, role(m->signers[i].key));
		fprintf(h->to,
			" <span class=\"more\">%llu app%s</span></span><svg viewBox=\"0 0 1000 14\" "
			"preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"%s\" width=\"%llu\" "
			"height=\"14\"/></svg></div>\n",
			(unsigned long long)n, n == 1 ? "" : "s",
			gh_str_is(m->signers[i].key, "aosp_test") ? "b-unclaimed" : "b-content",
			(unsigned long long)(n * 1000 / most));
	}
}

static void installers(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	if (!m->n_apps)
		return;
	put(h, "<h4>Who can install apps without asking</h4>\n<p>Every phone has some: a store, an updater, a set-up "
	       "assistant. These "
	       "packages of the system hold INSTALL_PACKAGES.</p>\n");
	if (!m->n_installers) {
		put(h, "<p>None of the apps examined.</p>\n");
		return;
	}
	put(h, "<div class=\"wide\"><table class=\"stack\"><thead><tr><th>Package</th><th>Version</th><th>Signed "
	       "by</th><th>Place</th></tr>"
	       "</thead><tbody>\n");
	for (size_t i = 0; i < gh_min(m->n_installers, h->cap); i++) {
		const struct gh_app *a = &m->installers[i];
		put(h, "<tr>");
		cell(h, "Package", a->package, true);
		cell(h, "Version", a->version, false);
		cell(h, "Signed by", role(a->signer), false);
		cell(h, "Place", a->place, true);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table></div>\n");
	left_out(h, m->n_installers - gh_min(m->n_installers, h->cap));
}

static void keys(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	if (!m->n_keys)
		return;
	put(h, "<h4>Keys that the start-up check names</h4>\n<table class=\"stack\"><thead><tr><th>SHA-1 of the "
	       "key</th><th>Known as</th></tr>"
	       "</thead><tbody>\n");
	for (size_t i = 0; i < gh_min(m->n_keys, h->cap); i++) {
		put(h, "<tr>");
		cell(h, "Key", m->keys[i].key, true);
		cell(h, "Known as", m->keys[i].value.p ? m->keys[i].value : GH_STR("not among the keys we know"),
			false);
		put(h, "</tr>\n");
	}
	put(h, "</tbody></table>\n");
}

void gh_html_inventory(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	const struct {
		const char *name;
		int64_t n;
	} counts[] = {{"apps", m->n_apps}, {"of them privileged", m->n_privileged},
		{"native programs and libraries", m->n_native}, {"different certificates", m->n_certs}};
	put(h, "<h2 id=\"inventory\">Inventory</h2>\n<div class=\"box\">\n<ul class=\"tally\">\n");
	for (size_t i = 0; i < GH_COUNT(counts); i++) {
		put(h, "<li><b>");
		gh_html_number(h, counts[i].n);
		fprintf(h->to, "</b> %s</li>\n", counts[i].name);
	}
	put(h, "</ul>\n");
	device(h);
	gh_html_inside(h);
	partitions(h);
	signers(h);
	installers(h);
	keys(h);
	put(h, "</div>\n");
}

/* ---- method ---- */

static void method_row(struct gh_html *h, const char *what, struct gh_str value, bool name)
{
	put(h, "<tr>");
	cell(h, "What", gh_str(what), false);
	cell(h, "Value", value.p ? value : GH_STR("not recorded"), name && value.p);
	put(h, "</tr>\n");
}

/* The command that gives this report. */
static struct gh_str again(struct gh_html *h)
{
	struct gh_str s = GH_STR("gifthorse scan"), rest = h->m->off;
	for (size_t i = 0; i < h->m->n_inputs && i < 8; i++) {
		struct gh_str word = gh_shell_word(&h->arena, h->m->inputs[i].name);
		s = gh_str_fmt(&h->arena, "%.*s %.*s", (int)s.n, s.p, (int)word.n, word.p);
	}
	if (h->m->n_inputs > 8)
		s = gh_str_fmt(&h->arena, "%.*s … (%zu more inputs)", (int)s.n, s.p, h->m->n_inputs - 8);
	while (rest.n) {
		const char *blank = memchr(rest.p, ' ', rest.n);
		size_t n = blank ? (size_t)(blank - rest.p) : rest.n;
		if (n)
			s = gh_str_fmt(&h->arena, "%.*s --without %.*s", (int)s.n, s.p, (int)n, rest.p);
		rest = gh_strn(rest.p + n + (blank != NULL), rest.n - n - (blank != NULL));
	}
	return gh_str_fmt(&h->arena, "%.*s -f html=report.html", (int)s.n, s.p);
}

void gh_html_method(struct gh_html *h)
{
	const struct gh_model *m = h->m;
	put(h, "<h2 id=\"method\">Method</h2>\n<div class=\"box\">\n"
	       "<p>The bytes of the input were read without starting anything in it. Every format was taken apart to "
	       "its end where it is "
	       "known; what each file says became rows in a database; each check is a question to these rows. The same "
	       "input gives the same "
	       "report. The program made no network connections.</p>\n"
	       "<h4>The words</h4>\n<ul>\n"
	       "<li><b>Severity</b> tells what is possible as the software stands. Critical: others can take the phone "
	       "over. High: a "
	       "protection that others rely on is off or open. Medium: a door that needs something else to be of use. "
	       "Low and info: worth "
	       "knowing.</li>\n"
	       "<li><b>Certainty</b>: <i>able</i>, the software permits it; <i>path found</i>, a way through the code "
	       "was followed; <i>same "
	       "structure as</i>, built like a documented case; <i>observed</i>, it was seen happening.</li>\n"
	       "<li><b>Witness</b> says whose word it is: bytes of an image, a signature, hardware attestation, a "
	       "capture, or the phone's own "
	       "word, which counts least.</li>\n"
	       "<li><b>Not found</b> is said only where everything that a check needs was looked at. Otherwise the "
	       "check could not be "
	       "made.</li>\n</ul>\n"
	       "<p>What no firmware file can show: whether this very phone carries it, what was added after it left "
	       "the factory, what the "
	       "modem, the secure processor and the start-up code in the chip do, and what a server may send "
	       "later.</p>\n"
	       "<h4>Versions and digests</h4>\n<table class=\"stack\"><tbody>\n");
	method_row(h, "gifthorse", m->version, false);
	method_row(h, "To make it again", again(h), true);
	method_row(h, "SHA-256 of the rules", m->rules_sha256, true);
	method_row(h, "SHA-256 of the knowledge", m->knowledge_sha256, true);
	method_row(h, "State of the scan", gh_str(m->interrupted ? "interrupted" : "complete"), false);
	method_row(h, "How the readers were locked in", m->sandbox, false);
	put(h, "</tbody></table>\n<p class=\"more\">The same report in machine-readable form is part of this file "
	       "(element "
	       "<code>script#gifthorse</code>).</p>\n</div>\n");
}
