/* SPDX-License-Identifier: Apache-2.0 */
/* What was verified and what no signature covers: the words that all forms share, and the form "integrity", a table in text. */
#include "base/num.h"
#include "report/model.h"

const char *const gh_uncovered_lists[GH_UNCOVERED_LISTS] = {"code", "firmware", "data"};

const char *gh_uncovered_words(struct gh_str list)
{
	if (gh_str_is(list, "code"))
		return "Code outside verified boot";
	if (gh_str_is(list, "firmware"))
		return "Firmware under the chip maker's own signature; every phone has some";
	return "Data and settings; every phone has some";
}

static struct gh_str key_words(struct gh_arena *z, const struct gh_trust *t)
{
	if (!t->key.p)
		return GH_STR("");
	if (t->known.p)
		return gh_str_fmt(
			z, ", key %.*s, known to us as %.*s", (int)t->key.n, t->key.p, (int)t->known.n, t->known.p);
	return gh_str_fmt(z, ", key %.*s, not known to us", (int)t->key.n, t->key.p);
}

static struct gh_str list_words(struct gh_arena *z, const struct gh_trust *t)
{
	struct gh_str key = key_words(z, t);
	const char *state = gh_str_is(t->state, "verified")      ? "consistent with its own signature"
			    : gh_str_is(t->state, "failed")      ? "its signature does not hold"
			    : gh_str_is(t->state, "missing")     ? "not checked"
			    : gh_str_is(t->state, "unsupported") ? "not verified"
			    : gh_str_is(t->state, "unsigned")    ? "without signature"
								 : "signed by another key than expected";
	struct gh_str s = gh_str_fmt(z, "%s%.*s", state, (int)key.n, key.n ? key.p : "");
	if (t->why.p)
		s = gh_str_fmt(z, "%.*s: %.*s", (int)s.n, s.p, (int)t->why.n, t->why.p);
	else if (t->by.p)
		s = gh_str_fmt(z, "%.*s, the one that %.*s expects", (int)s.n, s.p, (int)t->by.n, t->by.p);
	if (t->flags != GH_NULL && (t->flags & 3))
		s = gh_str_fmt(z, "%.*s; it tells the phone %s", (int)s.n, s.p,
			t->flags & 2 ? "not to verify anything" : "not to check hash trees");
	if (t->rollback != GH_NULL)
		s = gh_str_fmt(z, "%.*s; counter %lld", (int)s.n, s.p, (long long)t->rollback);
	return s;
}

struct gh_str gh_trust_words(struct gh_arena *z, const struct gh_trust *t)
{
	static const char *const words[][2] = {{"verified", "its bytes are those that are named"},
		{"consistent", "its bytes are those that are named"},
		{"differs", "its bytes are others than those that are named"},
		{"other tree", "its bytes are those that are named, the stored hash tree is not"},
		{"other footer", "not checked, and contradicted"}, {"missing", "not checked"}};
	const char *state = "not checked";
	if (gh_str_is(t->kind, "vbmeta"))
		return list_words(z, t);
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(t->state, words[i][0]))
			state = words[i][1];
	const char *how = gh_str_starts(gh_str(state), "not ") ? "; it is named" : "";
	struct gh_str s = gh_str_fmt(z, "%s%s by %.*s", state, how, t->by.p ? (int)t->by.n : 0, t->by.p ? t->by.p : "");
	return t->why.p ? gh_str_fmt(z, "%.*s: %.*s", (int)s.n, s.p, (int)t->why.n, t->why.p) : s;
}

struct gh_str gh_packages_words(struct gh_arena *z, const struct gh_model *m)
{
	static const char *const words[][2] = {{"verified", "consistent with their own signatures"},
		{"stripped", "whose code or newer signature was taken out, as makers do; not to be verified"},
		{"failed", "whose signature does not hold"}, {"unsupported", "signed in a way that is not verified"},
		{"unsigned", "without a signature"}};
	struct gh_str s = GH_STR("");
	for (size_t i = 0; i < GH_COUNT(words); i++)
		for (size_t k = 0; k < m->n_packages; k++)
			if (gh_str_is(m->packages[k].key, words[i][0]))
				s = gh_str_fmt(z, "%.*s%s%.*s %s", (int)s.n, s.p, s.n ? "; " : "",
					(int)m->packages[k].value.n, m->packages[k].value.p, words[i][1]);
	return s;
}

struct gh_str gh_vbmeta_digest(const struct gh_model *m)
{
	for (size_t i = 0; i < m->n_device; i++)
		if (gh_str_is(m->device[i].key, "vbmeta_digest"))
			return m->device[i].value;
	return GH_NONE;
}

/* ---- the form ---- */

static void line(struct gh_model *m, FILE *to, struct gh_str s)
{
	struct gh_str shown = gh_shown(&m->arena, s); /* the last gate: nothing raw passes it */
	fprintf(to, "%.*s\n", (int)shown.n, shown.n ? shown.p : "");
}

static void chain(struct gh_model *m, FILE *to)
{
	line(m, to, GH_STR("Verified boot, as these files have it. No file can show that a phone enforces a key."));
	if (!m->n_trust)
		line(m, to, GH_STR("  no signed list (vbmeta), and no partition with a hash tree, was found"));
	for (size_t i = 0; i < m->n_trust; i++) {
		const struct gh_trust *t = &m->trust[i];
		struct gh_str w = gh_trust_words(&m->arena, t);
		line(m, to,
			gh_str_fmt(&m->arena, "  %-9.*s %-16.*s %.*s", (int)t->kind.n, t->kind.p,
				t->partition.p ? (int)t->partition.n : 0, t->partition.p ? t->partition.p : "",
				(int)w.n, w.p));
	}
	struct gh_str d = gh_vbmeta_digest(m);
	if (d.p)
		line(m, to,
			gh_str_fmt(&m->arena, "  digest over all signed lists (ro.boot.vbmeta.digest): %.*s", (int)d.n,
				d.p));
}

static void list(struct gh_model *m, FILE *to, const char *word)
{
	size_t n = 0;
	line(m, to, gh_str_fmt(&m->arena, "%s:", gh_uncovered_words(gh_str(word))));
	for (size_t i = 0; i < m->n_uncovered; i++) {
		const struct gh_uncovered *u = &m->uncovered[i];
		if (!gh_str_is(u->list, word))
			continue;
		n++;
		struct gh_str size = u->size == GH_NULL ? GH_STR("size not known") : gh_size(&m->arena, u->size);
		struct gh_str s = gh_str_fmt(&m->arena, "  %-16.*s %.*s, %.*s", u->name.p ? (int)u->name.n : 0,
			u->name.p ? u->name.p : "", (int)size.n, size.p, u->format.p ? (int)u->format.n : 9,
			u->format.p ? u->format.p : "not known");
		if (u->files > 0)
			s = gh_str_fmt(&m->arena, "%.*s, %lld files", (int)s.n, s.p, (long long)u->files);
		if (u->holds.p)
			s = gh_str_fmt(&m->arena, "%.*s; %.*s", (int)s.n, s.p, (int)u->holds.n, u->holds.p);
		line(m, to, s);
	}
	if (!n)
		line(m, to, GH_STR("  none of what was given"));
}

enum gh_code gh_report_integrity(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	(void)style;
	if (code == GH_OK) {
		chain(&m, to);
		struct gh_str packages = gh_packages_words(&m.arena, &m);
		if (packages.n)
			line(&m, to, gh_str_fmt(&m.arena, "Packages: %.*s", (int)packages.n, packages.p));
		line(&m, to, GH_STR("No signed list speaks of:"));
		for (size_t i = 0; i < GH_UNCOVERED_LISTS; i++)
			list(&m, to, gh_uncovered_lists[i]);
	}
	gh_model_done(&m);
	return code;
}
