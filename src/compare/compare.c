/* SPDX-License-Identifier: Apache-2.0 */
/* Running the steps of COMPARE (sql/, in the order of their names), and reading what they made. */
#include "compare/compare.h"

#include <string.h>

#include "base/num.h"
#include "derive/derive.h"

/* ---- rows ---- */

struct rows {
	struct gh_comparison *c;
	sqlite3_stmt *st;
	size_t n, cap;
	unsigned side;
	bool failed;
};

static struct gh_str text(struct rows *r, int i)
{
	if (sqlite3_column_type(r->st, i) == SQLITE_NULL)
		return GH_NONE;
	const void *p = sqlite3_column_blob(r->st, i);
	struct gh_str s = gh_str_dup(&r->c->arena, gh_strn(p ? p : "", (size_t)sqlite3_column_bytes(r->st, i)));
	r->failed |= !s.p;
	return s.p ? s : GH_NONE;
}

static int64_t number(const struct rows *r, int i)
{
	return sqlite3_column_type(r->st, i) == SQLITE_NULL ? GH_NULL : sqlite3_column_int64(r->st, i);
}

static void *more(struct rows *r, void *list, size_t size)
{
	if (r->n < r->cap)
		return list;
	size_t cap = r->cap ? r->cap * 2 : 64;
	void *bigger = gh_alloc_array(&r->c->arena, cap, size);
	if (bigger && r->n)
		memcpy(bigger, list, r->n * size);
	r->cap = cap;
	r->failed |= !bigger;
	return bigger ? bigger : list;
}

typedef void row_fn(struct rows *r);

static enum gh_code each(
	struct gh_comparison *c, struct gh_db *db, unsigned side, const char *sql, row_fn *fn, struct gh_err *err)
{
	struct rows r = {.c = c, .side = side};
	sqlite3 *h = gh_db_handle(db);
	if (sqlite3_prepare_v2(h, sql, -1, &r.st, NULL))
		return gh_fail(err, GH_IO, 0, "comparison: %s", sqlite3_errmsg(h));
	if (sqlite3_bind_parameter_count(r.st))
		sqlite3_bind_int64(r.st, 1, c->side[side].scan);
	int rc;
	while ((rc = sqlite3_step(r.st)) == SQLITE_ROW && !r.failed) {
		fn(&r);
		r.n++;
	}
	sqlite3_finalize(r.st);
	if (r.failed)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the comparison");
	return rc == SQLITE_DONE ? GH_OK : gh_fail(err, GH_IO, 0, "comparison: %s", sqlite3_errmsg(h));
}

static void add_state(struct rows *r)
{
	struct gh_side *s = &r->c->side[r->side];
	s->interrupted = number(r, 0) != 1;
	s->damaged = number(r, 1);
	s->device = text(r, 2);
}

static void add_input(struct rows *r)
{
	struct gh_side *s = &r->c->side[r->side];
	s->inputs = more(r, s->inputs, sizeof *s->inputs);
	if (r->failed)
		return;
	s->inputs[r->n] = (struct gh_compared_input){text(r, 0), text(r, 2), number(r, 1)};
	s->n_inputs = r->n + 1;
}

static void add_gate(struct rows *r)
{
	static const char *const states[] = {"same", "different", "contradicts", "unknown"};
	for (size_t i = 0; i < GH_COUNT(states); i++)
		if (gh_str_is(text(r, 0), states[i]))
			r->c->gate = states[i];
}

static void add_fact(struct rows *r)
{
	struct gh_comparison *c = r->c;
	c->facts = more(r, c->facts, sizeof *c->facts);
	if (r->failed)
		return;
	c->facts[r->n] = (struct gh_gate_fact){text(r, 0), text(r, 1), text(r, 2), text(r, 3), text(r, 4)};
	c->n_facts = r->n + 1;
}

static void add_diff(struct rows *r)
{
	struct gh_comparison *c = r->c;
	c->diffs = more(r, c->diffs, sizeof *c->diffs);
	if (r->failed)
		return;
	int64_t group = number(r, 0);
	struct gh_difference *d = &c->diffs[r->n];
	*d = (struct gh_difference){.group = group > 0 && group < GH_GROUPS ? (unsigned)group : GH_GROUPS - 2,
		.kind = text(r, 1),
		.what = text(r, 2),
		.place = text(r, 3),
		.sha_a = text(r, 4),
		.sha_b = text(r, 5),
		.note = text(r, 6),
		.of_unit = number(r, 7) == 1,
		.files = number(r, 8)};
	c->n_diffs = r->n + 1;
	if (d->of_unit)
		c->n_of_unit++;
	else if (gh_str_is(d->what, "partition") && !gh_str_is(d->kind, "changed"))
		c->n_partitions++;
	else if (gh_str_is(d->kind, "changed"))
		c->n_changed++;
	else
		c->n_only[gh_str_is(d->kind, "only_b")]++;
}

/* Fields come in the order of the differences. */
static void add_field(struct rows *r)
{
	struct gh_comparison *c = r->c;
	c->fields = more(r, c->fields, sizeof *c->fields);
	int64_t n = number(r, 0);
	if (r->failed || n < 1 || (uint64_t)n > c->n_diffs)
		return;
	struct gh_difference *d = &c->diffs[n - 1];
	if (!d->n)
		d->first = r->n;
	d->n++;
	c->fields[r->n] = (struct gh_field){text(r, 1), text(r, 2), text(r, 3)};
	c->n_fields = r->n + 1;
}

static void add_out(struct rows *r)
{
	struct gh_comparison *c = r->c;
	c->out = more(r, c->out, sizeof *c->out);
	if (r->failed)
		return;
	c->out[r->n] = (struct gh_not_compared){text(r, 0), text(r, 1), text(r, 2), text(r, 4), number(r, 3)};
	c->n_out = r->n + 1;
}

static void add_sums(struct rows *r)
{
	r->c->both = number(r, 0);
	r->c->equal = number(r, 1);
	r->c->with_attributes = number(r, 2);
	r->c->n_unread = number(r, 3);
}

/* ---- the steps ---- */

static enum gh_code steps(struct gh_db *db, int64_t a, int64_t b, struct gh_err *err)
{
	char sql[256];
	snprintf(sql, sizeof sql,
		"DROP TABLE IF EXISTS temp.sides; CREATE TEMP TABLE sides(side TEXT, scan_id INTEGER);"
		"INSERT INTO sides VALUES('A',%lld),('B',%lld)",
		(long long)a, (long long)b);
	enum gh_code code = gh_derive_functions(db, err);
	if (code == GH_OK)
		code = gh_db_script(db, sql, err);
	for (size_t i = 0; i < gh_n_compare_files && code == GH_OK; i++) {
		code = gh_db_script(db, gh_compare_files[i].text, err);
		if (code) {
			char what[sizeof err->what];
			memcpy(what, err->what, sizeof what);
			snprintf(err->what, sizeof err->what, "%.24s: %.90s", gh_compare_files[i].name, what);
		}
	}
	return code;
}

static enum gh_code read_side(struct gh_comparison *c, struct gh_db *db, unsigned side, struct gh_err *err)
{
	static const char state[] = "SELECT state='complete', (SELECT count(*) FROM d_not_examined d WHERE "
				    "d.scan_id=s.scan_id AND damaged=1 AND hides='*'), "
				    "(SELECT group_concat(value, ' ') FROM (SELECT value FROM d_device d WHERE "
				    "d.scan_id=s.scan_id AND key IN "
				    "('brand','model','incremental','security_patch') ORDER BY CASE key WHEN 'brand' "
				    "THEN 0 WHEN 'model' THEN 1 "
				    "WHEN 'incremental' THEN 2 ELSE 3 END)) FROM scans s WHERE scan_id=?1";
	static const char inputs[] =
		"SELECT m.name, coalesce(m.size, b.size), lower(hex(b.sha256)) FROM scans s JOIN c_members m ON "
		"m.blob_id=s.root_blob LEFT JOIN blobs b ON b.blob_id=m.child WHERE s.scan_id=?1 ORDER BY m.n";
	enum gh_code code = each(c, db, side, state, add_state, err);
	if (code == GH_OK)
		code = each(c, db, side, inputs, add_input, err);
	for (size_t i = 0; i < c->side[side].n_inputs; i++)
		if (!c->side[side].inputs[i].sha256.n)
			c->side[side].inputs[i].sha256 = GH_NONE;
	return code;
}

static enum gh_code read_all(struct gh_comparison *c, struct gh_db *db, struct gh_err *err)
{
	static const struct {
		const char *sql;
		row_fn *fn;
	} parts[] = {{"SELECT state FROM temp.gated", add_gate},
		{"SELECT class, key, a, b, state FROM temp.gate ORDER BY CASE class WHEN 'build' THEN 0 WHEN 'patch "
		 "level' THEN 1 "
		 "WHEN 'build date' THEN 2 WHEN 'product or region' THEN 3 ELSE 4 END, weight DESC, key",
			add_fact},
		{"SELECT grp, kind, what, place, sha_a, sha_b, note, of_unit, files FROM temp.differences ORDER BY n",
			add_diff},
		{"SELECT d.n, f.field, f.a, f.b FROM temp.differences d JOIN temp.fields f ON f.id=d.id ORDER BY d.n, "
		 "CASE f.field WHEN 'type' THEN 0 WHEN 'content' THEN 1 WHEN 'link target' THEN 2 WHEN 'mode' THEN 3 "
		 "WHEN 'owner' THEN 4 "
		 "WHEN 'SELinux label' THEN 5 WHEN 'capabilities' THEN 6 WHEN 'flags' THEN 7 ELSE 8 END, f.field",
			add_field},
		{"SELECT why, side, image, sum(n), min(example) FROM temp.not_compared WHERE n>0 GROUP BY 1, 2, 3 "
		 "ORDER BY 1, 2, 3",
			add_out},
		{"SELECT both, equal, with_attributes, (SELECT coalesce(sum(n),0) FROM temp.not_compared WHERE why "
		 "LIKE 'content that%' "
		 "OR why LIKE 'not there, where%' OR why LIKE '%did not open%') FROM temp.compared",
			add_sums}};
	enum gh_code code = GH_OK;
	for (unsigned i = 0; i < 2 && code == GH_OK; i++)
		code = read_side(c, db, i, err);
	for (size_t i = 0; i < GH_COUNT(parts) && code == GH_OK; i++)
		code = each(c, db, 0, parts[i].sql, parts[i].fn, err);
	return code;
}

enum gh_code gh_compare(struct gh_comparison *c, struct gh_db *db, int64_t a, int64_t b, struct gh_err *err)
{
	*c = (struct gh_comparison){.side = {{.scan = a}, {.scan = b}}, .gate = "unknown"};
	gh_arena_init(&c->arena, 0);
	enum gh_code code = steps(db, a, b, err);
	if (code == GH_OK)
		code = read_all(c, db, err);
	if (code == GH_OK)
		gh_compare_words(c);
	return code;
}

void gh_compare_done(struct gh_comparison *c)
{
	gh_arena_done(&c->arena);
}

bool gh_compare_found(const struct gh_comparison *c, enum gh_fail_on on)
{
	size_t n = c->n_changed + c->n_only[0] + c->n_only[1];
	return on == GH_ON_ANY ? n + c->n_of_unit > 0 : on == GH_ON_UNEXPLAINED && n > 0;
}

bool gh_compare_incomplete(const struct gh_comparison *c)
{
	return c->n_unread > 0 || c->n_partitions > 0 || !c->both || c->side[0].interrupted || c->side[1].interrupted ||
	       c->side[0].damaged > 0 || c->side[1].damaged > 0;
}
