/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of commands on a running phone, each in a file of its own or as sections of one report: bug reports (AOSP
 * frameworks/native/cmds/dumpstate: "------ TITLE (command) ------", "DUMP OF SERVICE name:"), dumpsys, androidqf. */
#include "inspectors/live/live.h"

#include "base/num.h"

const struct live_parser *const live_parsers[] = {&live_getprop, &live_settings, &live_dump_settings, &live_pm_list,
	&live_service_list, &live_services_running, &live_users, &live_uname, &live_getenforce, &live_package, &live_ps,
	&live_netstat, &live_proc_net, &live_mounts, &live_accessibility, &live_device_policy, &live_notification,
	&live_input_method, &live_connectivity, &live_vpn, &live_adb, &live_netstats, &live_appops, &live_battery,
	&live_batterystats, &live_dropbox, &live_dbinfo, &live_compat, &live_head, &live_crash, &live_ls};
const size_t live_n_parsers = GH_COUNT(live_parsers);

/* ---- which content is one ---- */

static bool has_mark(struct gh_str head, const char *marks)
{
	struct gh_str list = gh_str(marks);
	while (list.n) {
		struct gh_str mark = live_cut(&list, '|');
		if (mark.n && memmem(head.p, head.n, mark.p, mark.n))
			return true;
	}
	return false;
}

/* What a shell or a service says instead of an answer. */
static const char refusals[] = "Permission denied|Permission Denial|not permitted|inaccessible or not found|: not "
			       "found|Can't find service|SecurityException";

/* "dumpsys_appops.txt" as "appops". */
static struct gh_str stem(struct gh_str name)
{
	if (!gh_str_ends(name, ".txt"))
		return GH_STR("");
	name.n -= 4;
	return gh_str_starts(name, "dumpsys_") ? live_skip(name, 8) : name;
}

static bool named(const struct live_parser *p, struct gh_str s)
{
	struct gh_str list = gh_str(p->files);
	while (s.n && list.n) {
		struct gh_str one = live_cut(&list, '|');
		if (one.n && one.p[one.n - 1] == '*' ? s.n >= one.n - 1 && memcmp(s.p, one.p, one.n - 1) == 0
						     : gh_str_eq(one, s))
			return true;
	}
	return false;
}

static struct gh_str head_of(const struct gh_probe *probe)
{
	return gh_strn(probe->head, probe->head_len);
}

static const struct live_parser *by_name(const struct gh_probe *probe)
{
	struct gh_str s = stem(probe->name), head = head_of(probe);
	for (size_t i = 0; i < live_n_parsers; i++)
		if (named(live_parsers[i], s) &&
			(has_mark(head, live_parsers[i]->marks) || (probe->size < 1024 && has_mark(head, refusals))))
			return live_parsers[i];
	return NULL;
}

/* A bug report's text, or all of dumpsys. */
static bool is_report(const struct gh_probe *probe)
{
	struct gh_str head = head_of(probe);
	return (gh_str_ends(probe->name, ".txt") || gh_str_ends(probe->name, ".log")) &&
	       (gh_str_starts(head, "DUMP OF SERVICE ") ||
		       has_mark(head, "\n== dumpstate: |\nDUMP OF SERVICE |\nCurrently running services:\n"));
}

static bool live_wants(const struct gh_probe *probe)
{
	if (live_tombstone_is(probe) || live_messages_is(probe))
		return true;
	return live_json_is(probe) || by_name(probe) || is_report(probe) ||
	       gh_str_starts(head_of(probe), "*** *** *** *** ");
}

/* ---- sections ---- */

static void finish(struct live *l)
{
	if (!l->parser)
		return;
	if (l->parser->end)
		l->parser->end(l);
	const char *state = l->rows || l->known ? "read" : l->denied ? "denied" : l->text ? "unknown" : "empty";
	GH_EMIT(l->t.ctx, live_sections, l->began_at, .name = gh_str(l->parser->name),
		.how = l->section ? GH_STR("section") : GH_STR("file"), .state = gh_str(state), .n_rows = l->rows,
		.line = l->began);
	l->parser = NULL;
}

static void begin(struct live *l, const struct live_parser *p, bool section)
{
	/* A file that holds a section of its own name, with its heading, is that section. */
	if (section && !l->section && !l->text)
		l->parser = NULL;
	finish(l);
	l->parser = p;
	l->section = section;
	l->known = l->denied = l->text = false;
	l->rows = 0;
	l->began = l->t.line ? l->t.line : 1;
	l->began_at = l->t.at;
	l->s = (struct live_state){.user = GH_NULL, .uid = GH_NULL};
}

static const struct live_parser *of_service(struct gh_str name)
{
	for (size_t i = 0; i < live_n_parsers; i++)
		if (live_parsers[i]->service && gh_str_is(name, live_parsers[i]->service))
			return live_parsers[i];
	return NULL;
}

static const struct live_parser *of_title(struct gh_str title)
{
	for (size_t i = 0; i < live_n_parsers; i++) {
		struct gh_str list = gh_str(live_parsers[i]->titles);
		while (list.n) {
			struct gh_str one = live_cut(&list, '|');
			if (one.n && title.n >= one.n && memcmp(title.p, one.p, one.n) == 0)
				return live_parsers[i];
		}
	}
	return NULL;
}

/* Headings of dumpsys say "DUMP OF SERVICE CRITICAL name:" where services are asked in groups. */
static struct gh_str service_of(struct gh_str line)
{
	struct gh_str rest = live_skip(line, sizeof "DUMP OF SERVICE " - 1), word = live_cut(&rest, ' ');
	if (live_one_of(word, "CRITICAL|HIGH|NORMAL") && rest.n)
		word = live_cut(&rest, ' ');
	return live_cut(&word, ':');
}

/* Does the line begin or end a section? */
static bool heading(struct live *l, struct gh_str line)
{
	if (gh_str_starts(line, "DUMP OF SERVICE ")) {
		begin(l, of_service(service_of(line)), true);
		return true;
	}
	if (gh_str_starts(line, "------ ") && !gh_str_starts(line, "------ 0.")) {
		struct gh_str title = live_skip(line, 7);
		bool over = live_find(title, " was the duration of ");
		begin(l, over ? NULL : of_title(title), true);
		return true;
	}
	if (gh_str_starts(line, "*** *** *** *** ") && l->parser != &live_crash) {
		begin(l, &live_crash, true);
		return true;
	}
	if (gh_str_is(line, "Currently running services:")) {
		begin(l, &live_services_running, true);
		return true;
	}
	if (gh_str_starts(line, "== dumpstate: ")) {
		begin(l, &live_head, true);
		l->parser->line(l, line);
		return true;
	}
	if (gh_str_starts(line, "-------------------------------------------------------------------------------") ||
		(gh_str_starts(line, "--------- ") && live_find(line, " was the duration of dumpsys "))) {
		finish(l);
		return true;
	}
	return false;
}

static struct gh_str bounded(struct live *l, struct gh_str line)
{
	if (line.n > GH_CELL_MAX) {
		gh_note(l->t.ctx, GH_LIMIT, l->t.at, "line %lld has %zu bytes, %d are read", (long long)l->t.line,
			line.n, GH_CELL_MAX);
		line.n = GH_CELL_MAX;
	}
	return line;
}

static void one_line(struct live *l, struct gh_str line)
{
	if (l->sections && heading(l, line))
		return;
	if (!l->parser)
		return;
	if (!l->parser->whole)
		line = bounded(l, line);
	l->text = l->text || gh_text_trim(line).n > 0;
	if (!l->rows && !l->denied)
		l->denied = has_mark(line, refusals);
	l->parser->line(l, line);
}

static enum gh_code text_run(
	struct gh_ctx *ctx, const struct gh_blob *blob, const struct gh_probe *probe, struct gh_err *err)
{
	/* Binary XML lies in the middle of some of these texts: a zero byte is no fault. */
	struct live l = {
		.t = {.ctx = ctx, .lines = gh_lines(blob->data, (size_t)blob->size)}, .file = stem(blob->name)};
	const struct live_parser *p = by_name(probe);
	l.sections = !p || p->service;
	if (p)
		begin(&l, p, false);
	struct gh_str line;
	enum gh_code code = GH_OK;
	while (!code) {
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		code = gh_text_next(&l.t, &line, err);
		if (!code)
			one_line(&l, line);
		gh_arena_release(ctx->arena, mark);
	}
	finish(&l);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code live_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return blob->size ? gh_fail(err, GH_LIMIT, 0, "a report of %llu bytes is not held in memory",
					    (unsigned long long)blob->size)
				  : GH_OK;
	struct gh_probe probe = {.head = blob->data,
		.head_len = (size_t)gh_min(blob->size, GH_PROBE_HEAD),
		.tail = blob->data,
		.size = blob->size,
		.name = blob->name};
	if (live_tombstone_is(&probe))
		return live_tombstone_run(ctx, blob, err);
	if (live_messages_is(&probe))
		return live_messages_run(ctx, blob, err);
	if (live_json_is(&probe))
		return live_json_run(ctx, blob, err);
	return text_run(ctx, blob, &probe, err);
}

const struct gh_inspector gh_inspector_live = {.name = "live",
	.title = "what a running phone says of itself (command outputs, bug reports, androidqf)",
	.version = 1,
	.wants = live_wants,
	.run = live_run};
