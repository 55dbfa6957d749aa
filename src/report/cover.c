/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage by bytes, as text: what belongs to whom, container by container. */
#include <stdio.h>

#include "base/num.h"
#include "report/model.h"

enum { STRAYS_SHOWN = 50 };

static void share(FILE *to, int64_t n, int64_t size)
{
	if (!n)
		fputs("       - ", to);
	else if (size > 0 && n * 1000.0 / size < 0.5)
		fputs("  <0.1 % ", to);
	else
		fprintf(to, " %5.1f %% ", size > 0 ? n * 100.0 / (double)size : 0.0);
}

static void shown(struct gh_arena *arena, FILE *to, struct gh_str s)
{
	s = gh_shown(arena, s);
	fwrite(s.p, 1, s.n, to);
}

static void line(struct gh_arena *arena, FILE *to, const struct gh_cover_row *c, struct gh_str name)
{
	struct gh_str size = gh_size(arena, c->size);
	fprintf(to, "%9.*s ", (int)size.n, size.p);
	if (c->content < 0) {
		fprintf(to, "%-48s", " nothing here opens it: read as a whole, if at all");
	} else {
		share(to, c->content, c->size);
		share(to, c->structure, c->size);
		share(to, c->padding, c->size);
		share(to, c->inside, c->size);
		share(to, c->unswept, c->size);
		share(to, c->unclaimed, c->size);
	}
	fputs(" ", to);
	shown(arena, to, name);
	fprintf(to, " (%.*s)\n", (int)c->format.n, c->format.p);
}

struct gh_cover_row gh_cover_apps(const struct gh_model *m)
{
	struct gh_cover_row sum = {.format = GH_STR("zip")};
	for (size_t i = 0; i < m->n_covers; i++) {
		const struct gh_cover_row *c = &m->covers[i];
		if (!c->app)
			continue;
		sum.depth++;
		sum.size = gh_total(sum.size, c->size);
		sum.content = gh_total(sum.content, c->content);
		sum.structure = gh_total(sum.structure, c->structure);
		sum.padding = gh_total(sum.padding, c->padding);
		sum.unclaimed = gh_total(sum.unclaimed, c->unclaimed);
		sum.inside = gh_total(sum.inside, c->inside);
		sum.unswept = gh_total(sum.unswept, c->unswept);
	}
	return sum;
}

static void strays(struct gh_model *m, FILE *to)
{
	if (!m->n_strays) {
		fputs("\nNo bytes were found that nothing claims.\n", to);
		return;
	}
	fprintf(to, "\nBytes that nothing claims, %zu stretch%s (more than padding, and of no file):\n", m->n_strays,
		m->n_strays == 1 ? "" : "es");
	for (size_t i = 0; i < gh_min(m->n_strays, STRAYS_SHOWN); i++) {
		const struct gh_stray *u = &m->strays[i];
		struct gh_str len = gh_number(&m->arena, u->len);
		fprintf(to, "  ");
		shown(&m->arena, to, u->place);
		fprintf(to, " at offset %lld: %.*s bytes", (long long)u->at, (int)len.n, len.p);
		if (u->entropy != GH_NULL)
			fprintf(to, ", %.2f bits a byte", (double)u->entropy / 1000);
		fprintf(to, ", like %.*s: %.*s\n", (int)u->magic.n, u->magic.p, (int)u->head.n, u->head.p);
	}
	if (m->n_strays > STRAYS_SHOWN)
		fprintf(to, "  and %zu more, in the JSON report and in the table unclaimed\n",
			m->n_strays - STRAYS_SHOWN);
}

enum gh_code gh_report_cover(struct gh_db *db, int64_t scan, bool *ret_strays, FILE *to, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = gh_model_read(&m, db, scan, err);
	if (code == GH_OK) {
		struct gh_cover_row apps = gh_cover_apps(&m);
		fputs("     size  content   struct.  padding  in f.s.  unread   unclaimed\n", to);
		for (size_t i = 0; i < m.n_covers; i++)
			if (!m.covers[i].app)
				line(&m.arena, to, &m.covers[i], m.covers[i].place);
		if (apps.depth)
			line(&m.arena, to, &apps,
				gh_str_fmt(&m.arena, "%lld archives inside of file systems", (long long)apps.depth));
		fputs("content: of files, partitions and members, as it lies there. struct.: what a format's reader "
		      "read, or the\n"
		      "format claims. in f.s.: of a file system that does not tell where its files lie. unread: "
		      "claimed by\n"
		      "nothing and over the limit of what is looked at. unclaimed: neither of all that, and no "
		      "padding.\n",
			to);
		strays(&m, to);
		*ret_strays = m.n_strays > 0;
	}
	gh_model_done(&m);
	return code;
}
