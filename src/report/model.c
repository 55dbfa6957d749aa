/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the report model from the facts of one scan. */
#include "report/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

const char *const gh_severities[] = {"critical", "high", "medium", "low", "info"};
const char *const gh_axes[] = {"integrity", "provenance", "behaviour", "coverage"};
const char *const gh_levels[] = {"files", "read", "understood", "analysed"};

static unsigned find_word(const char *const *words, size_t n, struct gh_str word)
{
	for (size_t i = 0; i < n; i++)
		if (gh_str_is(word, words[i]))
			return (unsigned)i;
	return (unsigned)n - 1;
}

/* ---- rows ---- */

struct rows {
	struct gh_model *m;
	sqlite3_stmt *st;
	size_t n, cap;
	bool failed; /* no memory */
};

static struct gh_str text(struct rows *r, int i)
{
	if (sqlite3_column_type(r->st, i) == SQLITE_NULL)
		return GH_NONE;
	const void *p = sqlite3_column_blob(r->st, i);
	struct gh_str s = gh_str_dup(&r->m->arena, gh_strn(p ? p : "", (size_t)sqlite3_column_bytes(r->st, i)));
	r->failed |= !s.p;
	return s.p ? s : GH_NONE;
}

static int64_t number(const struct rows *r, int i)
{
	return sqlite3_column_type(r->st, i) == SQLITE_NULL ? GH_NULL : sqlite3_column_int64(r->st, i);
}

/* Room for one more item at the end of an array in the arena. */
static void *more(struct rows *r, void *list, size_t size)
{
	if (r->n < r->cap)
		return list;
	size_t cap = r->cap ? r->cap * 2 : 64;
	void *bigger = gh_alloc_array(&r->m->arena, cap, size);
	if (bigger && r->n)
		memcpy(bigger, list, r->n * size);
	r->cap = cap;
	r->failed |= !bigger;
	return bigger;
}

typedef void row_fn(struct rows *r);

/* Calls fn for every row of a statement whose ?1 is the scan. */
static enum gh_code each(struct gh_model *m, const char *sql, row_fn *fn, struct gh_err *err)
{
	struct rows r = {.m = m};
	if (sqlite3_prepare_v2(gh_db_handle(m->db), sql, -1, &r.st, NULL))
		return gh_fail(err, GH_IO, 0, "report: %s", sqlite3_errmsg(gh_db_handle(m->db)));
	sqlite3_bind_int64(r.st, 1, m->scan);
	int rc;
	while ((rc = sqlite3_step(r.st)) == SQLITE_ROW && !r.failed) {
		fn(&r);
		r.n++;
	}
	sqlite3_finalize(r.st);
	if (r.failed)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the report");
	return rc == SQLITE_DONE ? GH_OK : gh_fail(err, GH_IO, 0, "report: %s", sqlite3_errmsg(gh_db_handle(m->db)));
}

static void add_scan(struct rows *r)
{
	struct gh_model *m = r->m;
	char now[65];
	m->version = text(r, 0);
	m->rules_sha256 = text(r, 1);
	m->knowledge_sha256 = text(r, 2);
	m->state = text(r, 3);
	m->sandbox = text(r, 4);
	m->crashes = number(r, 5) == GH_NULL ? 0 : number(r, 5);
	m->off = text(r, 6);
	m->interrupted = !gh_str_is(m->state, "complete");
	m->jailed = !gh_str_starts(m->sandbox, "NOT");
	gh_db_files_sha256(gh_rule_files, gh_n_rule_files, now);
	m->other_rules = !gh_str_is(m->rules_sha256, now);
}

static void add_input(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->inputs = more(r, m->inputs, sizeof *m->inputs)))
		return;
	m->inputs[r->n] = (struct gh_input){text(r, 0), text(r, 2), number(r, 1)};
	m->n_inputs = r->n + 1;
}

static void add_input_names(struct rows *r)
{
	struct gh_model *m = r->m;
	struct gh_str rest = text(r, 0), line;
	for (size_t n = 0; !m->n_inputs || n; n++) {
		struct rows at = {.m = m, .n = n, .cap = r->cap};
		if (!gh_str_line(&rest, &line) || !(m->inputs = more(&at, m->inputs, sizeof *m->inputs)))
			return;
		r->cap = at.cap;
		m->inputs[n] = (struct gh_input){line, GH_NONE, GH_NULL};
		m->n_inputs = n + 1;
	}
}

static void add_device(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->device = more(r, m->device, sizeof *m->device)))
		return;
	m->device[r->n] = (struct gh_property){text(r, 0), text(r, 1)};
	m->n_device = r->n + 1;
}

static void add_key(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->keys = more(r, m->keys, sizeof *m->keys)))
		return;
	m->keys[r->n] = (struct gh_property){text(r, 0), text(r, 1)};
	m->n_keys = r->n + 1;
}

static void add_trust(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->trust = more(r, m->trust, sizeof *m->trust)))
		return;
	m->trust[r->n] = (struct gh_trust){.kind = text(r, 0),
		.partition = text(r, 1),
		.by = text(r, 2),
		.state = text(r, 3),
		.why = text(r, 4),
		.key = text(r, 5),
		.known = text(r, 6),
		.rollback = number(r, 7),
		.flags = number(r, 8)};
	m->n_trust = r->n + 1;
}

static void add_uncovered(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->uncovered = more(r, m->uncovered, sizeof *m->uncovered)))
		return;
	m->uncovered[r->n] = (struct gh_uncovered){.list = text(r, 0),
		.name = text(r, 1),
		.slot = text(r, 2),
		.format = text(r, 3),
		.size = number(r, 4),
		.files = number(r, 5),
		.holds = text(r, 6)};
	m->n_uncovered = r->n + 1;
}

static void add_packages(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->packages = more(r, m->packages, sizeof *m->packages)))
		return;
	m->packages[r->n] = (struct gh_property){text(r, 0), text(r, 1)};
	m->n_packages = r->n + 1;
}

static void add_level(struct rows *r)
{
	for (unsigned i = 0; i < GH_N_LEVELS; i++)
		if (gh_str_is(text(r, 0), gh_levels[i]))
			r->m->level[i] = (struct gh_amount){number(r, 1), number(r, 2)};
}

static void add_hole(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->holes = more(r, m->holes, sizeof *m->holes)))
		return;
	struct gh_str place = text(r, 0);
	if (gh_str_starts(place, "/")) /* an INPUT itself: called as findings call it */
		place = gh_strn(place.p + 1, place.n - 1);
	m->holes[r->n] =
		(struct gh_hole){place, text(r, 1), text(r, 2), number(r, 3), number(r, 4) == 1, number(r, 5) == 1};
	m->n_holes = r->n + 1;
}

static void add_hole_sum(struct rows *r)
{
	struct gh_amount a = {number(r, 1), number(r, 2)};
	struct gh_amount *to[] = {&r->m->unexamined, &r->m->damaged, &r->m->opaque};
	*to[number(r, 0)] = a;
}

static void add_partition(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->partitions = more(r, m->partitions, sizeof *m->partitions)))
		return;
	m->partitions[r->n] =
		(struct gh_partition){text(r, 0), text(r, 1), text(r, 2), number(r, 3), number(r, 4) == 1};
	m->n_partitions = r->n + 1;
}

static void add_part(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->parts = more(r, m->parts, sizeof *m->parts)))
		return;
	m->parts[r->n] =
		(struct gh_named_part){text(r, 0), text(r, 1), text(r, 2), text(r, 3), text(r, 4), number(r, 5)};
	m->n_parts = r->n + 1;
}

static void add_installer(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->installers = more(r, m->installers, sizeof *m->installers)))
		return;
	m->installers[r->n] = (struct gh_app){text(r, 0), text(r, 1), text(r, 2), text(r, 3)};
	m->n_installers = r->n + 1;
}

static void add_signer(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->signers = more(r, m->signers, sizeof *m->signers)))
		return;
	m->signers[r->n] = (struct gh_property){text(r, 0), text(r, 1)};
	m->n_signers = r->n + 1;
}

static void add_captures(struct rows *r)
{
	struct gh_captures *c = &r->m->captures;
	*c = (struct gh_captures){number(r, 0), number(r, 1), number(r, 2), number(r, 3), number(r, 4), number(r, 5),
		number(r, 6), number(r, 7), number(r, 8), number(r, 9), number(r, 10), .first_boot = number(r, 11) > 0};
}

static void add_party(struct rows *r)
{
	struct gh_model *m = r->m;
	struct gh_captures *c = &m->captures;
	if (!(m->parties = more(r, m->parties, sizeof *m->parties)))
		return;
	struct gh_party *p = &m->parties[r->n];
	*p = (struct gh_party){text(r, 0), text(r, 1), text(r, 2), text(r, 3), text(r, 4), text(r, 5), text(r, 6),
		text(r, 7), text(r, 8), text(r, 9), number(r, 10) > 0, number(r, 11), number(r, 12), number(r, 13),
		number(r, 14), number(r, 15), number(r, 16), number(r, 17)};
	m->n_parties = r->n + 1;
	++*(gh_str_is(p->state, "good")      ? &c->good
		: gh_str_is(p->state, "bad") ? &c->bad
		: p->state.p                 ? &c->hidden
					     : &c->unjudged);
}

static void add_inventory(struct rows *r)
{
	struct gh_model *m = r->m;
	m->n_apps = number(r, 0);
	m->n_privileged = number(r, 1);
	m->n_native = number(r, 2);
	m->n_certs = number(r, 3);
	m->phone = m->n_device || m->n_apps || number(r, 4) > 0;
}

static void add_cover(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->covers = more(r, m->covers, sizeof *m->covers)))
		return;
	m->covers[r->n] = (struct gh_cover_row){.place = text(r, 0),
		.format = text(r, 1),
		.depth = number(r, 2),
		.app = number(r, 3) == 1,
		.size = number(r, 4),
		.content = sqlite3_column_type(r->st, 5) == SQLITE_NULL ? -1 : number(r, 5),
		.structure = sqlite3_column_int64(r->st, 6),
		.padding = sqlite3_column_int64(r->st, 7),
		.unclaimed = sqlite3_column_int64(r->st, 8),
		.inside = sqlite3_column_int64(r->st, 9),
		.unswept = sqlite3_column_int64(r->st, 10)};
	m->n_covers = r->n + 1;
}

static void add_stray(struct rows *r)
{
	struct gh_model *m = r->m;
	if (!(m->strays = more(r, m->strays, sizeof *m->strays)))
		return;
	m->strays[r->n] =
		(struct gh_stray){text(r, 0), text(r, 1), text(r, 2), number(r, 3), number(r, 4), number(r, 5)};
	m->n_strays = r->n + 1;
}

/* ---- rules, states, findings ---- */

/* The rule's page; for a rule that this version does not have, what the facts tell. */
static const struct gh_rule *rule_of(struct gh_model *m, struct gh_str id)
{
	const struct gh_rule *known = gh_rules_find(m->rules, m->n_rules, id);
	if (known)
		return known;
	struct gh_rule *r = gh_alloc(&m->arena, sizeof *r);
	struct gh_str no = GH_STR("this rule is not part of the version that wrote this report");
	if (r)
		*r = (struct gh_rule){.id = id,
			.title = id,
			.severity = GH_STR("info"),
			.axis = GH_STR("behaviour"),
			.certainty = GH_STR("able"),
			.witness = GH_STR("bytes of an image"),
			.needs = GH_NONE,
			.cases = no,
			.lookalike = no,
			.explain = no,
			.verify = GH_NONE,
			.next = no};
	return r;
}

static void add_state(struct rows *r)
{
	struct gh_model *m = r->m;
	const struct gh_rule *rule = rule_of(m, text(r, 0));
	if (!rule || !(m->states = more(r, m->states, sizeof *m->states)))
		return;
	m->states[r->n] = (struct gh_rule_state){rule, text(r, 1), text(r, 2), number(r, 3)};
	m->n_states = r->n + 1;
	bool silent = gh_str_is(m->states[r->n].state, "not_evaluated");
	m->silent += silent;
	m->evaluated += !silent;
	m->quiet += gh_str_is(m->states[r->n].state, "not_found");
	struct gh_axis *a = &m->axis[find_word(gh_axes, GH_N_AXES, rule->axis)];
	a->silent += silent;
	a->evaluated += !silent;
}

/* The INPUT whose tree a node's path goes down. */
static struct gh_str input_of(const struct gh_model *m, struct gh_str path)
{
	struct gh_str best = m->n_inputs ? m->inputs[0].name : GH_NONE;
	size_t longest = 0;
	for (size_t i = 0; i < m->n_inputs; i++) {
		struct gh_str name = m->inputs[i].name;
		if (name.n > longest && name.n <= path.n && memcmp(name.p, path.p, name.n) == 0 &&
			(name.n == path.n || path.p[name.n] == '!')) {
			best = name;
			longest = name.n;
		}
	}
	return best;
}

static unsigned certainty_rank(struct gh_str word)
{
	static const char *const order[] = {"observed", "same structure as", "path found", "able"};
	for (unsigned i = 0; i < GH_COUNT(order); i++)
		if (gh_str_starts(word, order[i]))
			return i;
	return GH_COUNT(order);
}

static void add_finding(struct rows *r)
{
	struct gh_model *m = r->m;
	const struct gh_rule *rule = rule_of(m, text(r, 0));
	if (!rule || !(m->findings = more(r, m->findings, sizeof *m->findings)))
		return;
	struct gh_finding *f = &m->findings[r->n];
	*f = (struct gh_finding){.rule = rule,
		.severity = find_word(gh_severities, GH_N_SEVERITIES, text(r, 1)),
		.certainty = certainty_rank(rule->certainty),
		.place = text(r, 2),
		.at = number(r, 3),
		.evidence = text(r, 4),
		.subject = text(r, 5),
		.sha256 = text(r, 6),
		.fingerprint = text(r, 7),
		.image = text(r, 8),
		.path = text(r, 9),
		.dpath = text(r, 10),
		.blob = number(r, 12),
		.place_id = number(r, 13)};
	f->input = input_of(m, text(r, 11));
	if (f->path.p && !f->image.n) /* no partition: the INPUT, or an image in it */
		f->image = f->place;
	m->n_findings = r->n + 1;
	m->count[f->severity]++;
	m->axis[find_word(gh_axes, GH_N_AXES, rule->axis)].count[f->severity]++;
}

static int compare_text(struct gh_str a, struct gh_str b)
{
	int c = memcmp(a.p ? a.p : "", b.p ? b.p : "", gh_min(a.n, b.n));
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static int compare_findings(const void *pa, const void *pb)
{
	const struct gh_finding *a = pa, *b = pb;
	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	if (a->certainty != b->certainty)
		return a->certainty < b->certainty ? -1 : 1;
	int c = compare_text(a->rule->id, b->rule->id);
	if (!c)
		c = compare_text(a->place, b->place);
	if (!c && a->at != b->at)
		c = a->at < b->at ? -1 : 1;
	if (!c)
		c = compare_text(a->evidence, b->evidence);
	return c ? c : compare_text(a->fingerprint, b->fingerprint);
}

static enum gh_code group(struct gh_model *m, struct gh_err *err)
{
	if (m->n_findings)
		qsort(m->findings, m->n_findings, sizeof *m->findings, compare_findings);
	m->groups = gh_alloc_array(&m->arena, m->n_findings + 1, sizeof *m->groups);
	if (!m->groups)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the report");
	for (size_t i = 0; i < m->n_findings; i++) {
		const struct gh_finding *f = &m->findings[i];
		struct gh_group *g = m->n_groups ? &m->groups[m->n_groups - 1] : NULL;
		if (g && gh_str_eq(g->rule->id, f->rule->id) && g->severity == f->severity)
			g->n++;
		else
			m->groups[m->n_groups++] = (struct gh_group){f->rule, f->severity, i, 1};
	}
	return GH_OK;
}

/* ---- all of it ---- */

static const struct {
	const char *sql;
	row_fn *fn;
	bool brief; /* the exit code needs it too */
} parts[] = {
	{"SELECT tool_version, rules_sha256, knowledge_sha256, state, sandbox, crashes, off FROM scans WHERE "
	 "scan_id=?1",
		add_scan, true},
	{"SELECT m.name, CASE WHEN b.format='folder' THEN (SELECT gh_sum(e.size) FROM c_entries e WHERE "
	 "e.blob_id=m.child "
	 "AND e.ftype='file') "
	 "ELSE coalesce(b.size, m.size) END, nullif(lower(hex(b.sha256)),'') FROM scans s JOIN c_members m ON "
	 "m.blob_id=s.root_blob "
	 "LEFT JOIN blobs b ON b.blob_id=m.child WHERE s.scan_id=?1 ORDER BY m.n",
		add_input},
	/* Stopped before the INPUTs were opened: their names as given. */
	{"SELECT inputs FROM scans WHERE scan_id=?1", add_input_names},
	{"SELECT key, value FROM d_device WHERE scan_id=?1 ORDER BY key, value", add_device},
	{"SELECT level, files, bytes FROM d_coverage WHERE scan_id=?1", add_level},
	{"SELECT DISTINCT place, what, why, bytes, damaged, opaque FROM d_not_examined WHERE scan_id=?1 "
	 "ORDER BY damaged DESC, opaque, place, what, why, bytes",
		add_hole},
	{"SELECT c, count(*), gh_sum(b) FROM (SELECT CASE WHEN max(damaged)=1 THEN 1 WHEN min(opaque)=1 THEN 2 ELSE 0 "
	 "END "
	 "AS c, "
	 "coalesce(max(bytes),0) AS b FROM d_not_examined WHERE scan_id=?1 GROUP BY place) GROUP BY c",
		add_hole_sum, true},
	{"SELECT rule, state, why, rows FROM rule_states WHERE scan_id=?1 ORDER BY rule", add_state, true},
	{"SELECT f.rule, f.severity, f.place, f.at, f.evidence, f.subject, f.sha256, f.fingerprint, p.image, p.path, "
	 "p.dpath, "
	 "CASE WHEN n.path='' THEN p.name ELSE n.path END, p.blob_id, p.place_id FROM findings f LEFT JOIN places p ON "
	 "p.place_id=f.place_id "
	 "LEFT JOIN nodes n ON n.node_id=p.node_id WHERE f.scan_id=?1 ORDER BY f.n",
		add_finding, true},
	/* INPUTs that nothing opens stand without numbers. A content that two formats claim counts by the one that places more. */
	{"SELECT n.path, b.format, n.depth, n.kind='app', b.size, c.content, c.structure, c.padding, c.unclaimed, "
	 "c.inside, c.unswept FROM nodes n JOIN blobs b USING(blob_id) JOIN (SELECT blob_id, max(content) AS content, "
	 "structure, padding, unclaimed, inside, unswept FROM c_cover GROUP BY blob_id) c USING(blob_id) WHERE "
	 "n.scan_id=?1 AND n.depth>0 UNION ALL SELECT m.name, coalesce(b.format,'data'), 1, 0, coalesce(b.size, "
	 "m.size), "
	 "NULL, 0, 0, 0, 0, 0 FROM scans s JOIN c_members m ON m.blob_id=s.root_blob LEFT JOIN blobs b ON "
	 "b.blob_id=m.child WHERE s.scan_id=?1 AND coalesce(b.format,'')<>'folder' AND NOT EXISTS(SELECT 1 FROM "
	 "c_cover c WHERE c.blob_id=m.child) ORDER BY 1",
		add_cover},
	{"SELECT DISTINCT n.path, u.magic, u.head, u.at, u.len, u.entropy FROM nodes n JOIN c_unclaimed u "
	 "USING(blob_id) "
	 "WHERE n.scan_id=?1 ORDER BY u.len DESC, n.path, u.at",
		add_stray},
	{"SELECT DISTINCT name, slot, fs_type, size, live FROM d_partitions WHERE scan_id=?1 ORDER BY live DESC, name, "
	 "slot, size, fs_type",
		add_partition},
	{"SELECT kind, name, certainty, witness, place, at FROM d_parts WHERE scan_id=?1 ORDER BY n", add_part},
	{"SELECT DISTINCT a.package, a.version_name, a.signer_role, CASE WHEN p.image='' THEN ltrim(p.path,'/') ELSE "
	 "p.image||':'||p.path END AS place FROM d_uid_permissions u JOIN d_apks a USING(scan_id, place_id) JOIN "
	 "places p USING(place_id) "
	 "WHERE u.scan_id=?1 AND u.name='android.permission.INSTALL_PACKAGES' AND p.live=1 AND a.is_system=1 ORDER BY "
	 "package, place",
		add_installer},
	{"SELECT coalesce(a.signer_role,''), CAST(count(*) AS TEXT) FROM d_apks a JOIN places p USING(place_id) WHERE "
	 "a.scan_id=?1 AND p.live=1 AND a.is_system=1 GROUP BY 1 ORDER BY count(*) DESC, 1",
		add_signer},
	{"SELECT DISTINCT v.pubkey_sha1, (SELECT min(k.name) FROM known_keys k WHERE k.digest=lower(v.pubkey_sha1)) "
	 "FROM places p "
	 "JOIN c_avb_images v USING(blob_id) WHERE p.scan_id=?1 AND p.live=1 AND v.pubkey_sha1<>'' ORDER BY 1",
		add_key},
	{"SELECT v.kind, v.partition, v.by_partition, v.state, v.why, v.key_sha1, (SELECT min(k.name) FROM "
	 "known_keys k "
	 "WHERE k.digest=v.key_sha1), v.rollback, v.flags FROM d_avb v WHERE v.scan_id=?1 ORDER BY v.rowid",
		add_trust},
	{"SELECT list, name, slot, format, size, files, signed FROM d_uncovered WHERE scan_id=?1 ORDER BY list, name, "
	 "slot, "
	 "size",
		add_uncovered},
	{"SELECT state, count(*) FROM (SELECT coalesce((SELECT c.state FROM c_apk_checks c WHERE c.blob_id=p.blob_id "
	 "AND "
	 "c.scheme='android' AND max(coalesce((SELECT CAST(value AS INTEGER) FROM d_device WHERE scan_id=?1 AND "
	 "key='sdk'), "
	 "2147483647), coalesce(a.min_sdk,1)) BETWEEN c.min_sdk AND coalesce(c.max_sdk,2147483647)), 'unsigned') AS "
	 "state "
	 "FROM d_apks a JOIN places p USING(place_id) WHERE a.scan_id=?1 AND p.live=1) GROUP BY state ORDER BY state",
		add_packages},
	{"SELECT count(*), gh_sum(packets), gh_sum(bytes), min(first_us), max(last_us), gh_sum(flows), "
	 "gh_sum(wifi_encrypted), "
	 "gh_sum(bluetooth), gh_sum(lost_bytes), gh_sum(decrypted), (SELECT count(*) FROM (SELECT blob_id, flow FROM "
	 "d_flows WHERE scan_id=?1 AND party IN (SELECT name FROM encrypted_dns) UNION SELECT blob_id, id FROM c_flows "
	 "WHERE dport=853 AND blob_id IN (SELECT blob_id FROM d_captures WHERE scan_id=?1))), (SELECT "
	 "count(*) FROM d_given WHERE "
	 "scan_id=?1 AND key='first_boot') FROM c_captures WHERE blob_id IN (SELECT blob_id FROM d_captures WHERE "
	 "scan_id=?1)",
		add_captures},
	{"SELECT party, by, state, why, tls, protocols, apps, country, owner, code, local, addresses, first_us, "
	 "last_us, bytes_out, bytes_in, "
	 "flows, packet FROM d_parties WHERE scan_id=?1 ORDER BY n",
		add_party},
	{"SELECT (SELECT count(*) FROM d_apks a JOIN places p USING(place_id) WHERE a.scan_id=?1 AND p.live=1), "
	 "(SELECT count(*) FROM d_apks a JOIN places p USING(place_id) WHERE a.scan_id=?1 AND p.live=1 AND "
	 "a.is_priv=1), "
	 "(SELECT count(*) FROM places p JOIN c_elf e USING(blob_id) WHERE p.scan_id=?1 AND p.live=1), "
	 "(SELECT count(DISTINCT c.sha256) FROM places p JOIN c_certs c USING(blob_id) WHERE p.scan_id=?1 AND "
	 "p.live=1), "
	 "(SELECT EXISTS(SELECT 1 FROM nodes WHERE scan_id=?1 AND kind IN ('fs','apex')) OR EXISTS(SELECT 1 FROM "
	 "places WHERE "
	 "scan_id=?1 AND (image IN ('system','vendor','product','system_ext','odm','oem') OR image LIKE 'ramdisk:%')) "
	 "OR EXISTS("
	 "SELECT 1 FROM d_partitions d JOIN blob_runs r USING(blob_id) WHERE d.scan_id=?1 AND r.status='ok'))",
		add_inventory},
};

static enum gh_code read_parts(struct gh_model *m, struct gh_db *db, int64_t scan, bool brief, struct gh_err *err)
{
	*m = (struct gh_model){.db = db, .scan = scan};
	gh_arena_init(&m->arena, 0);
	enum gh_code code = gh_rules_load(&m->arena, &m->rules, &m->n_rules, err);
	for (size_t i = 0; i < GH_COUNT(parts) && code == GH_OK; i++)
		if (!brief || parts[i].brief)
			code = each(m, parts[i].sql, parts[i].fn, err);
	if (code == GH_OK && !m->version.p)
		code = gh_fail(err, GH_BAD, 0, "there is no scan %lld in this facts database", (long long)scan);
	return code;
}

enum gh_code gh_model_read(struct gh_model *m, struct gh_db *db, int64_t scan, struct gh_err *err)
{
	enum gh_code code = read_parts(m, db, scan, false, err);
	if (code == GH_OK)
		code = group(m, err);
	if (code == GH_OK)
		code = gh_watched_read(m, err);
	if (code == GH_OK)
		code = gh_told_read(m, err);
	if (code == GH_OK)
		gh_words(m);
	return code;
}

void gh_model_done(struct gh_model *m)
{
	gh_arena_done(&m->arena);
}

bool gh_model_at_least(const struct gh_model *m, const char *fail_on)
{
	for (unsigned i = 0; i < GH_N_SEVERITIES && strcmp(fail_on, "never") != 0; i++) {
		if (m->count[i])
			return true;
		if (strcmp(gh_severities[i], fail_on) == 0)
			return false;
	}
	return false;
}

bool gh_model_incomplete(const struct gh_model *m)
{
	return m->interrupted || m->damaged.files > 0;
}

enum gh_code gh_report_outcome(struct gh_db *db, int64_t scan, const char *fail_on, bool *ret_findings,
	bool *ret_incomplete, struct gh_err *err)
{
	struct gh_model m;
	enum gh_code code = read_parts(&m, db, scan, true, err);
	if (code == GH_OK) {
		*ret_findings = gh_model_at_least(&m, fail_on);
		*ret_incomplete = gh_model_incomplete(&m) || !m.evaluated; /* nothing judged is no pass */
	}
	gh_model_done(&m);
	return code;
}
