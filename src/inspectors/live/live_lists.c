/* SPDX-License-Identifier: Apache-2.0 */
/* Short lists: getprop, settings, pm list packages, service list, dumpsys user, dropbox and battery, uname, getenforce, the head of a
 * bug report. The forms are those of AOSP's toolbox, frameworks/base and frameworks/native/cmds. */
#include "inspectors/live/live.h"

/* ---- getprop: "[key]: [value]"; a value may hold line ends ---- */

static void property(struct live *l, struct gh_str value)
{
	if (value.n > GH_CELL_MAX) {
		gh_note(l->t.ctx, GH_LIMIT, l->s.at, "a property of %zu bytes, %d are kept", value.n, GH_CELL_MAX);
		value.n = GH_CELL_MAX;
	}
	l->rows++;
	GH_EMIT(l->t.ctx, live_properties, l->s.at, .key = l->s.a, .value = value, .line = l->s.line);
	l->s.open = false;
}

static const char *property_value(struct gh_str line)
{
	return line.n && *line.p == '[' ? live_find(line, "]: [") : NULL;
}

static void getprop_line(struct live *l, struct gh_str line)
{
	const char *sep = property_value(line);
	/* What looks like the next property ends one whose bracket never came. */
	if (l->s.open && sep) {
		gh_note(l->t.ctx, GH_BAD, l->s.at, "a property without an end");
		property(l, gh_strn(l->s.b.p, (size_t)(l->s.c.p - l->s.b.p)));
	}
	if (sep) {
		l->s.a = gh_strn(line.p + 1, (size_t)(sep - line.p) - 1);
		l->s.b = gh_strn(sep + 4, (size_t)(line.p + line.n - sep) - 4);
		l->s.at = l->t.at;
		l->s.line = l->t.line;
		l->s.open = true;
		line = l->s.b;
	}
	l->s.c = gh_strn(line.p + line.n, 0);
	if (l->s.open && line.n && line.p[line.n - 1] == ']')
		property(l, gh_strn(l->s.b.p, (size_t)(line.p + line.n - l->s.b.p) - 1));
}

static void getprop_end(struct live *l)
{
	if (!l->s.open)
		return;
	gh_note(l->t.ctx, GH_SHORT, l->s.at, "the last property has no end");
	property(l, gh_strn(l->s.b.p, (size_t)(l->s.c.p - l->s.b.p)));
}

const struct live_parser live_getprop = {.name = "getprop",
	.files = "getprop|properties",
	.marks = "]: [",
	.titles = "SYSTEM PROPERTIES",
	.whole = true,
	.line = getprop_line,
	.end = getprop_end};

/* ---- settings list NAMESPACE: key=value ---- */

static void settings_line(struct live *l, struct gh_str line)
{
	struct gh_str space = l->file, key = line;
	const char *eq = memchr(line.p ? line.p : "", '=', line.n);
	if (!eq)
		return;
	key.n = (size_t)(eq - line.p);
	if (gh_str_starts(space, "settings_"))
		space = live_skip(space, 9);
	LIVE_EMIT(l, live_settings, .space = space, .user = GH_NULL, .key = gh_text_trim(key),
		.value = gh_text_trim(live_skip(line, key.n + 1)), .line = l->t.line);
}

const struct live_parser live_settings = {
	.name = "settings list", .files = "settings_*", .marks = "=", .line = settings_line};

/* dumpsys settings: "GLOBAL SETTINGS (user 0)", then "_id:1 name:adb_enabled pkg:android value:1 default:1 …". A value may hold
 * anything, also " default:": the last one counts. */
static void dump_settings_line(struct live *l, struct gh_str line)
{
	struct gh_str head = live_after(line, " SETTINGS (user ", ")");
	if (head.p && line.n && *line.p >= 'A' && *line.p <= 'Z') {
		l->s.a = live_cut(&line, ' ');
		l->s.user = live_int(head);
		l->known = true;
		return;
	}
	line = gh_text_trim(line);
	struct gh_str key = live_after(line, " name:", " "), package = live_after(line, " pkg:", " "),
		      value = live_after(line, " value:", "");
	if (!gh_str_starts(line, "_id:") || !key.p || !value.p || !l->s.a.p)
		return;
	const char *end = NULL;
	for (const char *p = live_find(value, " default:"); p;
		p = live_find(live_skip(value, (size_t)(p - value.p) + 1), " default:"))
		end = p;
	if (!end)
		end = live_find(value, " defaultSystemSet:");
	if (end)
		value.n = (size_t)(end - value.p);
	char lower[16];
	size_t n = l->s.a.n < sizeof lower ? l->s.a.n : sizeof lower;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(l->s.a.p[i] | 0x20);
	LIVE_EMIT(l, live_settings, .space = gh_strn(lower, n), .user = l->s.user, .key = key, .value = value,
		.package = live_some(package), .line = l->t.line);
}

const struct live_parser live_dump_settings = {.name = "dumpsys settings",
	.files = "settings",
	.marks = " SETTINGS (user ",
	.service = "settings",
	.line = dump_settings_line};

/* ---- pm list packages -f -U -i …: "package:/path/base.apk=name versionCode:1 installer=x uid:10123" ---- */

static struct gh_str list_name(struct gh_str file)
{
	static const struct {
		const char *file, *list;
	} lists[] = {{"packages_disabled", "disabled"}, {"packages_hidden", "known"},
		{"packages_uninstalled", "with-uninstalled"}, {"packages_system", "system"},
		{"packages_third_party", "third-party"}, {"packages_apex", "apex"}};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (gh_str_is(file, lists[i].file))
			return gh_str(lists[i].list);
	return GH_STR("all");
}

static void pm_list_line(struct live *l, struct gh_str line)
{
	line = gh_text_trim(line);
	if (!gh_str_starts(line, "package:"))
		return;
	struct gh_str rest = live_skip(line, 8), word = live_cut(&rest, ' '), path = GH_NONE;
	const char *eq = word.n && *word.p == '/' ? memrchr(word.p, '=', word.n) : NULL;
	if (eq) {
		path = gh_strn(word.p, (size_t)(eq - word.p));
		word = live_skip(word, path.n + 1);
	}
	struct gh_row_live_packages row = {.list = list_name(l->file),
		.package = word,
		.path = path,
		.uid = GH_NULL,
		.system = GH_NULL,
		.disabled = GH_NULL,
		.hidden = GH_NULL,
		.installed = GH_NULL,
		.version_code = GH_NULL,
		.min_sdk = GH_NULL,
		.target_sdk = GH_NULL,
		.line = l->t.line};
	while (gh_text_word(&rest, &word)) {
		struct gh_str value = word;
		if (gh_str_starts(word, "uid:")) {
			value = live_skip(word, 4);
			row.uid = live_int(live_cut(&value, ','));
		} else if (gh_str_starts(word, "versionCode:"))
			row.version_code = live_int(live_skip(word, 12));
		else if (gh_str_is(live_cut(&value, '='), "installer") && value.n && !gh_str_is(value, "null"))
			row.installer = value;
	}
	l->rows++;
	l->t.ctx->ops->emit(l->t.ctx, GH_T_live_packages, l->t.at, &row);
}

const struct live_parser live_pm_list = {
	.name = "pm list packages", .files = "packages|packages_*", .marks = "package:", .line = pm_list_line};

/* ---- service list: "0\tname: [interface]" ---- */

static void service_list_line(struct live *l, struct gh_str line)
{
	if (gh_str_starts(line, "Found ")) {
		l->known = true;
		return;
	}
	const char *sep = live_find(line, ": [");
	struct gh_str rest = line, number = live_cut(&rest, '\t');
	if (!sep || live_int(gh_text_trim(number)) < 0 || sep < rest.p)
		return;
	LIVE_EMIT(l, live_services, .name = gh_strn(rest.p, (size_t)(sep - rest.p)),
		.interface = live_some(live_after(line, ": [", "]")), .line = l->t.line);
}

const struct live_parser live_service_list = {
	.name = "service list", .files = "services|service_list", .marks = ": [|Found ", .line = service_list_line};

static void services_running_line(struct live *l, struct gh_str line)
{
	l->known = true;
	if (live_indent(line) == 2 && !memchr(line.p, ':', line.n))
		LIVE_EMIT(l, live_services, .name = gh_text_trim(line), .line = l->t.line);
}

const struct live_parser live_services_running = {.name = "dumpsys -l", .line = services_running_line};

/* ---- users: "UserInfo{0:Owner:c13} serialNo=0 …" of dumpsys, "UserInfo{0:Owner:c13} running" of pm list users ---- */

static void users_line(struct live *l, struct gh_str line)
{
	struct gh_str info = live_after(line, "UserInfo{", "}"), rest = info;
	if (!info.p) {
		struct gh_str state = live_after(line, "State: ", "");
		if (state.p && l->s.open)
			LIVE_EMIT(l, live_facts, .kind = GH_STR("user"), .key = l->s.a, .value = gh_text_trim(state));
		return;
	}
	l->s.a = live_cut(&rest, ':');
	l->s.open = true;
	const char *last = rest.n ? memrchr(rest.p, ':', rest.n) : NULL;
	struct gh_str name = last ? gh_strn(rest.p, (size_t)(last - rest.p)) : rest,
		      flags = last ? live_skip(rest, name.n + 1) : GH_NONE;
	uint64_t bits;
	int64_t id = live_int(l->s.a);
	if (id < 0)
		return;
	LIVE_EMIT(l, live_users, .user = id, .name = name,
		.flags = flags.n && gh_str_u64(flags, 16, &bits) && bits <= INT64_MAX ? (int64_t)bits : GH_NULL,
		.state = live_find(line, "} running") ? GH_STR("running") : GH_NONE, .line = l->t.line);
}

const struct live_parser live_users = {
	.name = "users", .files = "users|user", .marks = "UserInfo{", .service = "user", .line = users_line};

/* ---- single statements ---- */

static void uname_line(struct live *l, struct gh_str line)
{
	line = gh_text_trim(line);
	if (gh_str_starts(line, "Linux version "))
		LIVE_EMIT(l, live_facts, .kind = GH_STR("kernel"), .key = GH_STR("version"), .value = line);
	else if (gh_str_starts(line, "Linux "))
		LIVE_EMIT(l, live_facts, .kind = GH_STR("kernel"), .key = GH_STR("uname"), .value = line);
	else if (live_find(line, "androidboot."))
		LIVE_EMIT(l, live_facts, .kind = GH_STR("kernel"), .key = l->file, .value = line);
}

const struct live_parser live_uname = {.name = "uname",
	.files = "uname|kernel|version|cmdline|bootconfig",
	.marks = "Linux |androidboot.",
	.line = uname_line};

static void getenforce_line(struct live *l, struct gh_str line)
{
	line = gh_text_trim(line);
	if (live_one_of(line, "Enforcing|Permissive|Disabled"))
		LIVE_EMIT(l, live_facts, .kind = GH_STR("selinux"), .key = GH_STR("getenforce"), .value = line);
}

const struct live_parser live_getenforce = {.name = "getenforce",
	.files = "getenforce|selinux",
	.marks = "Enforcing|Permissive|Disabled",
	.titles = "SELINUX ENFORCE",
	.line = getenforce_line};

/* Some ask for the statistics in the same breath. */
static void battery_line(struct live *l, struct gh_str line)
{
	live_batterystats.line(l, line);
	l->known = l->known || gh_str_starts(line, "Current Battery Service state:");
	struct gh_str value = line, key = live_cut(&value, ':');
	if (gh_str_starts(line, "Battery History"))
		l->s.mode = 1;
	if (!l->s.mode && live_indent(line) == 2 && gh_text_trim(value).n)
		LIVE_EMIT(l, live_facts, .kind = GH_STR("battery"), .key = gh_text_trim(key),
			.value = gh_text_trim(value));
}

const struct live_parser live_battery = {.name = "dumpsys battery",
	.files = "battery",
	.marks = "Current Battery Service state:",
	.service = "battery",
	.line = battery_line};

/* The head of dumpstate's text: "== dumpstate: 2022-03-29 23:14:26", then "Key: value". */
static void head_line(struct live *l, struct gh_str line)
{
	struct gh_str value = line, key = live_cut(&value, ':');
	if (gh_str_starts(line, "== ")) {
		key = live_skip(key, 3);
		l->known = true;
	}
	value = gh_text_trim(value);
	if (value.n > 1 && *value.p == '\'' && value.p[value.n - 1] == '\'')
		value = gh_strn(value.p + 1, value.n - 2);
	if (key.n && key.n < 64 && value.n && *key.p != '=' && *key.p != ' ')
		LIVE_EMIT(l, live_facts, .kind = GH_STR("report"), .key = gh_text_trim(key), .value = value);
}

const struct live_parser live_head = {.name = "dumpstate", .line = head_line};

/* ---- dropbox: "2022-03-29 18:37:30 system_app_crash (compressed text, 123 bytes)" ---- */

static void dropbox_line(struct live *l, struct gh_str line)
{
	if (gh_str_starts(line, "Drop box contents:")) {
		l->known = true;
		return;
	}
	if (line.n < 22 || line.p[4] != '-' || line.p[7] != '-' || line.p[10] != ' ' || line.p[13] != ':' ||
		line.p[16] != ':')
		return;
	struct gh_str rest = live_skip(line, 19), tag;
	if (!gh_text_word(&rest, &tag))
		return;
	LIVE_EMIT(l, live_dropbox, .time = gh_strn(line.p, 19), .tag = tag,
		.what = live_some(live_after(rest, "(", ")")), .line = l->t.line);
}

const struct live_parser live_dropbox = {.name = "dumpsys dropbox",
	.files = "dropbox",
	.marks = "Drop box contents:",
	.service = "dropbox",
	.line = dropbox_line};

/* ---- ls -lZ: "/dir:", then "-rw-r--r-- 1 system system u:object_r:x:s0 1234 2024-01-01 10:00 name" ---- */

int64_t live_mode(struct gh_str s)
{
	static const char letters[] = "rwxrwxrwx";
	uint64_t v;
	if (s.n && s.n < 8 && gh_str_u64(s, 8, &v))
		return (int64_t)(v & 07777);
	if (s.n < 10)
		return GH_NULL;
	int64_t m = 0;
	for (unsigned i = 0; i < 9; i++) {
		char c = s.p[s.n - 9 + i];
		if (c == letters[i] || c == 's' || c == 't')
			m |= 0400 >> i;
		if (i % 3 == 2 && (c == 's' || c == 'S' || c == 't' || c == 'T'))
			m |= i == 2 ? 04000 : i == 5 ? 02000 : 01000;
	}
	return m;
}

static void ls_line(struct live *l, struct gh_str line)
{
	struct gh_str w[8], rest = line;
	if (line.n > 1 && *line.p == '/' && line.p[line.n - 1] == ':') {
		l->s.a = gh_strn(line.p, line.n - 1);
		l->known = true;
		return;
	}
	l->known = l->known || gh_str_starts(line, "total ");
	for (size_t i = 0; i < sizeof w / sizeof *w; i++)
		if (!gh_text_word(&rest, &w[i]))
			return;
	rest = gh_text_trim(rest);
	if (w[0].n != 10 || !rest.n || live_int(w[1]) < 0)
		return;
	struct gh_str path =
		l->s.a.n ? gh_str_fmt(l->t.ctx->arena, "%.*s/%.*s", (int)l->s.a.n, l->s.a.p, (int)rest.n, rest.p)
			 : rest;
	LIVE_EMIT(l, live_files, .path = path, .list = GH_STR("ls"), .size = live_int(w[5]), .mode = live_mode(w[0]),
		.uid = live_uid(w[2]), .gid = live_uid(w[3]), .selinux = w[4], .mtime = GH_NULL, .ctime = GH_NULL,
		.line = l->t.line);
}

const struct live_parser live_ls = {
	.name = "ls", .files = "cacerts_user|tombstones", .marks = "total |u:object_r:", .line = ls_line};
