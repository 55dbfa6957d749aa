/* SPDX-License-Identifier: Apache-2.0 */
/* dumpsys package (AOSP frameworks/base PackageManagerService and Settings.dumpPackageLPr): packages with their users and permissions, and
 * the components that answer actions. */
#include "inspectors/live/live.h"

#include "base/num.h"

/* Where in the dump: sections begin at column 0. */
enum part { OTHER, ACTIVITIES, RECEIVERS, SERVICES, PROVIDERS, PACKAGES, REPLACED };

static const struct {
	const char *title;
	enum part part;
} parts[] = {{"Activity Resolver Table:", ACTIVITIES}, {"Receiver Resolver Table:", RECEIVERS},
	{"Service Resolver Table:", SERVICES}, {"Provider Resolver Table:", PROVIDERS}, {"Packages:", PACKAGES},
	{"Hidden system packages:", REPLACED}};

static const char *const kinds[] = {"", "activity", "receiver", "service", "provider"};

/* What a deeper indented list holds. In live_state: b the action, c the permission list's name, a the package. */
enum { IN_NONE, IN_ACTIONS, IN_DECLARED, IN_REQUESTED, IN_INSTALL, IN_RUNTIME };
static const char *const permission_kinds[] = {"", "", "declared", "requested", "install", "runtime"};

static void package_close(struct live *l)
{
	if (l->s.open) {
		l->rows++;
		l->t.ctx->ops->emit(l->t.ctx, GH_T_live_packages, l->s.at, &l->s.package);
	}
	l->s.open = false;
	l->s.columns[0] = IN_NONE;
}

static void package_open(struct live *l, struct gh_str line)
{
	package_close(l);
	l->s.open = true;
	l->s.at = l->t.at;
	l->s.user = GH_NULL;
	l->s.package =
		(struct gh_row_live_packages){.list = l->s.mode == REPLACED ? GH_STR("replaced") : GH_STR("package"),
			.package = live_after(line, "[", "]"),
			.uid = GH_NULL,
			.system = 0,
			.disabled = GH_NULL,
			.hidden = GH_NULL,
			.installed = GH_NULL,
			.version_code = GH_NULL,
			.min_sdk = GH_NULL,
			.target_sdk = GH_NULL,
			.line = l->t.line};
}

/* "versionCode=500700000 minSdk=28 targetSdk=28" */
static void versions(struct live *l, struct gh_str line)
{
	struct gh_row_live_packages *p = &l->s.package;
	p->version_code = live_int(live_after(line, "versionCode=", " "));
	p->min_sdk = live_int(live_after(line, " minSdk=", " "));
	p->target_sdk = live_int(live_after(line, " targetSdk=", " "));
}

static void flags(struct live *l, struct gh_str value)
{
	struct gh_str rest = live_after(value, "[", "]"), word, all = rest;
	l->s.package.flags = live_some(gh_text_trim(all));
	while (gh_text_word(&rest, &word))
		if (gh_str_is(word, "SYSTEM"))
			l->s.package.system = 1;
}

static void package_key(struct live *l, struct gh_str line)
{
	struct gh_row_live_packages *p = &l->s.package;
	struct gh_str value = line, key = live_cut(&value, '=');
	value = gh_text_trim(value);
	const struct {
		const char *key;
		struct gh_str *to;
	} texts[] = {{"versionName", &p->version_name}, {"timeStamp", &p->changed}, {"lastUpdateTime", &p->last_update},
		{"installerPackageName", &p->installer}, {"initiatingPackageName", &p->initiator},
		{"codePath", &p->path}};
	for (size_t i = 0; i < GH_COUNT(texts); i++)
		if (gh_str_is(key, texts[i].key) && !gh_str_is(value, "null"))
			*texts[i].to = value;
	if (gh_str_is(key, "userId") || gh_str_is(key, "appId"))
		p->uid = live_int(live_cut(&value, ' '));
	else if (gh_str_is(key, "firstInstallTime") && (!p->first_install.p || l->s.user == 0))
		p->first_install = value;
	else if (gh_str_is(key, "versionCode"))
		versions(l, line);
	else if (gh_str_is(key, "pkgFlags"))
		flags(l, value);
	else if (gh_str_is(key, "sharedUser"))
		p->shared_user = live_after(value, " ", "/");
	else if (gh_str_is(key, "signatures"))
		p->signers = live_some(live_after(value, "signatures:[", "]"));
}

/* "User 0: ceDataInode=1 installed=true hidden=false suspended=false stopped=false notLaunched=false enabled=0 …" */
static void package_user(struct live *l, struct gh_str line)
{
	struct gh_str head = live_after(line, "User ", ":");
	l->s.user = live_int(head);
	if (l->s.user < 0)
		return;
	int64_t installed = live_bool(live_after(line, " installed=", " ")),
		hidden = live_bool(live_after(line, " hidden=", " "));
	int64_t enabled = live_int(live_after(line, " enabled=", " "));
	struct gh_row_live_packages *p = &l->s.package;
	if (l->s.user == 0) {
		p->installed = installed;
		p->hidden = hidden;
		p->disabled = enabled == GH_NULL ? GH_NULL : enabled == 2 || enabled == 3;
	}
	LIVE_EMIT(l, live_package_users, .package = p->package, .user = l->s.user, .installed = installed,
		.hidden = hidden, .suspended = live_bool(live_after(line, " suspended=", " ")),
		.stopped = live_bool(live_after(line, " stopped=", " ")), .enabled = enabled);
}

static bool list_begins(struct live *l, struct gh_str word)
{
	for (uint8_t i = IN_DECLARED; i <= IN_RUNTIME; i++)
		if (word.n > 13 && memcmp(word.p + word.n - 13, " permissions:", 13) == 0 &&
			gh_str_eq(gh_strn(word.p, word.n - 13), gh_str(permission_kinds[i]))) {
			l->s.columns[0] = i;
			l->s.columns[1] = (uint8_t)(live_indent(l->t.lines.line) & 63);
			return true;
		}
	return false;
}

static void permission(struct live *l, struct gh_str line)
{
	struct gh_str name = line;
	struct gh_str rest = name, only = live_cut(&rest, ':');
	int64_t granted = live_bool(live_after(line, "granted=", ", "));
	LIVE_EMIT(l, live_permissions, .package = l->s.package.package,
		.user = l->s.columns[0] == IN_RUNTIME ? l->s.user : GH_NULL, .name = gh_text_trim(only),
		.kind = gh_str(permission_kinds[l->s.columns[0]]), .granted = granted, .line = l->t.line);
}

static void package_line_in(struct live *l, struct gh_str line)
{
	size_t indent = live_indent(line);
	struct gh_str word = gh_text_trim(line);
	if (indent == 2 && gh_str_starts(word, "Package [")) {
		package_open(l, word);
		return;
	}
	if (!l->s.open || !word.n)
		return;
	if (l->s.columns[0] != IN_NONE && indent > l->s.columns[1]) {
		permission(l, word);
		return;
	}
	l->s.columns[0] = IN_NONE;
	if (list_begins(l, word))
		return;
	if (gh_str_starts(word, "User ") && live_find(word, "installed="))
		package_user(l, word);
	else
		package_key(l, word);
}

/* "      action:" and below it "        5d1e3f com.x/.Component (2 filters)". Some are indented wrongly: the colon tells. */
static void resolver_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line), rest = word, hash, component, package;
	if (live_indent(line) == 2 && word.n && word.p[word.n - 1] == ':') {
		l->s.columns[0] = gh_str_is(word, "Non-Data Actions:") ? IN_ACTIONS : IN_NONE;
		l->s.b = GH_NONE;
		return;
	}
	if (l->s.columns[0] != IN_ACTIONS || !word.n)
		return;
	if (word.p[word.n - 1] == ':' && !memchr(word.p, ' ', word.n)) {
		l->s.b = gh_strn(word.p, word.n - 1);
		return;
	}
	if (!l->s.b.p || !gh_text_word(&rest, &hash) || !gh_text_word(&rest, &component) ||
		!memchr(component.p, '/', component.n))
		return;
	component = live_component(component, &package);
	LIVE_EMIT(l, live_components, .kind = gh_str(kinds[l->s.mode]), .action = l->s.b, .package = package,
		.component = component, .line = l->t.line);
}

static void package_line(struct live *l, struct gh_str line)
{
	if (line.n && *line.p != ' ' && *line.p != '\t') {
		package_close(l);
		l->s.mode = OTHER;
		for (size_t i = 0; i < GH_COUNT(parts); i++)
			if (gh_str_is(gh_text_trim(line), parts[i].title))
				l->s.mode = (int)parts[i].part;
		l->known = l->known || l->s.mode != OTHER;
		return;
	}
	if (l->s.mode == PACKAGES || l->s.mode == REPLACED)
		package_line_in(l, line);
	else if (l->s.mode != OTHER)
		resolver_line(l, line);
}

const struct live_parser live_package = {.name = "dumpsys package",
	.files = "package|packages",
	.marks = "\nPackages:|Resolver Table:|Package [",
	.service = "package",
	.line = package_line,
	.end = package_close};
