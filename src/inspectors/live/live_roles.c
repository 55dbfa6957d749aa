/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a power over the phone: dumpsys accessibility, device_policy, notification, input_method, vpn_management (AOSP
 * frameworks/base, the dump() of each service). */
#include "inspectors/live/live.h"

/* ---- accessibility: lists in braces, one component a line (to Android 13) or all in one line ---- */

static const struct {
	const char *title;
	const char *role;
} a11y_lists[] = {{"installed services:", "accessibility-installed"}, {"enabled services:", "accessibility"},
	{"Enabled services:", "accessibility"}, {"Installed services:", "accessibility-installed"}};

/* "{{a/b, c/d}}": names of components hold neither braces nor commas. */
static void a11y_inline(struct live *l, const char *role, struct gh_str list)
{
	while (list.n) {
		struct gh_str one = live_cut(&list, ',');
		while (one.n && strchr("{ }", *one.p))
			one = live_skip(one, 1);
		while (one.n && strchr("{ }", one.p[one.n - 1]))
			one.n--;
		if (memchr(one.p ? one.p : "", '/', one.n))
			live_role(l, role, l->s.user, one);
	}
}

static bool a11y_begins(struct live *l, struct gh_str word)
{
	for (size_t i = 0; i < sizeof a11y_lists / sizeof *a11y_lists; i++) {
		struct gh_str rest = live_after(word, a11y_lists[i].title, "");
		if (!gh_str_starts(word, a11y_lists[i].title) || !rest.p)
			continue;
		l->s.mode = 0;
		if (memchr(rest.p, '/', rest.n))
			a11y_inline(l, a11y_lists[i].role, rest);
		else if (!memchr(rest.p, '}', rest.n))
			l->s.mode = (int)i + 1;
		return true;
	}
	return false;
}

static void accessibility_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line), id = live_after(line, "attributes:{id=", ",}");
	l->known = l->known || gh_str_starts(line, "ACCESSIBILITY MANAGER");
	if (id.p)
		l->s.user = live_int(id);
	if (a11y_begins(l, word))
		return;
	if (word.n && *word.p == '}')
		l->s.mode = 0;
	else if (l->s.mode) {
		const char *sep = live_find(word, " : ");
		live_role(l, a11y_lists[l->s.mode - 1].role, l->s.user,
			sep ? live_skip(word, (size_t)(sep - word.p) + 3) : word);
	}
}

const struct live_parser live_accessibility = {.name = "dumpsys accessibility",
	.files = "accessibility|accessibility_*",
	.marks = "ACCESSIBILITY MANAGER|User state[",
	.service = "accessibility",
	.line = accessibility_line};

/* ---- device policy: owners, then active admins a user ---- */

static void device_policy_line(struct live *l, struct gh_str line)
{
	enum { NONE, DEVICE_OWNER, PROFILE_OWNER, ADMINS };
	struct gh_str word = gh_text_trim(line), user = live_after(word, "(User ", ",):");
	size_t indent = live_indent(line);
	l->known = l->known || live_find(line, "Device Policy Manager state");
	if (gh_str_starts(word, "Device Owner:"))
		l->s.mode = DEVICE_OWNER;
	else if (gh_str_starts(word, "Profile Owner"))
		l->s.mode = PROFILE_OWNER;
	else if (gh_str_starts(word, "Enabled Device Admins (")) {
		l->s.mode = ADMINS;
		l->s.columns[0] = (uint8_t)(indent & 63);
		l->s.columns[1] = 0;
	} else if (l->s.mode == ADMINS && word.n && indent <= l->s.columns[0])
		l->s.mode = NONE;
	if (user.p)
		l->s.user = live_int(user);
	if ((l->s.mode == DEVICE_OWNER || l->s.mode == PROFILE_OWNER) && gh_str_starts(word, "admin=")) {
		live_role(
			l, l->s.mode == DEVICE_OWNER ? "device-owner" : "profile-owner", l->s.user, live_skip(word, 6));
		l->s.mode = NONE;
	}
	/* "    com.x/.Admin:" and what it may, indented deeper. */
	if (l->s.mode == ADMINS && indent > l->s.columns[0] && word.n > 1 && word.p[word.n - 1] == ':' &&
		memchr(word.p, '/', word.n) && !memchr(word.p, ' ', word.n))
		live_role(l, "admin", l->s.user, gh_strn(word.p, word.n - 1));
}

const struct live_parser live_device_policy = {.name = "dumpsys device_policy",
	.files = "device_policy",
	.marks = "Device Policy Manager state|Enabled Device Admins|Device Owner:",
	.service = "device_policy",
	.line = device_policy_line};

/* ---- notification listeners (ManagedServices.dump): allowed, enabled, live ---- */

static void allowed(struct live *l, struct gh_str word)
{
	struct gh_str user = live_after(word, "user: ", " )");
	struct gh_str list = word, all = live_after(word, "value: ", " ");
	if (all.p)
		list = all;
	else
		list = live_cut(&word, ' ');
	while (list.n) {
		struct gh_str one = live_cut(&list, ':');
		if (memchr(one.p ? one.p : "", '/', one.n))
			live_role(l, "listener-allowed", user.p ? live_int(user) : GH_NULL, one);
	}
}

static void notification_line(struct live *l, struct gh_str line)
{
	enum { NONE, ALLOWED, ENABLED, LIVE };
	struct gh_str word = gh_text_trim(line);
	size_t indent = live_indent(line);
	l->known = l->known || gh_str_starts(line, "Current Notification Manager state");
	if (indent == 2)
		l->s.open = gh_str_starts(word, "Notification listeners:");
	if (!l->s.open)
		return;
	if (gh_str_starts(word, "Allowed notification listeners:"))
		l->s.mode = ALLOWED;
	else if (gh_str_starts(word, "All notification listeners ("))
		l->s.mode = ENABLED;
	else if (gh_str_starts(word, "Live notification listeners ("))
		l->s.mode = LIVE;
	else if (indent <= 4)
		l->s.mode = NONE;
	else if (l->s.mode == ALLOWED)
		allowed(l, word);
	else if (l->s.mode != NONE && gh_str_starts(word, "ComponentInfo{")) {
		struct gh_str user = live_after(word, "(user ", ")");
		live_role(l, l->s.mode == LIVE ? "listener-live" : "listener", user.p ? live_int(user) : GH_NULL, word);
	}
}

const struct live_parser live_notification = {.name = "dumpsys notification",
	.files = "notification",
	.marks = "Current Notification Manager state|Notification listeners:",
	.service = "notification",
	.line = notification_line};

/* ---- input methods: "mId=com.x/.Ime mSettingsActivityName=…", "mCurMethodId=com.x/.Ime" ---- */

static void input_method_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line);
	l->known = l->known || gh_str_starts(line, "Current Input Method Manager state");
	if (gh_str_starts(word, "mId="))
		live_role(l, "ime", GH_NULL, live_after(word, "mId=", " "));
	else if (gh_str_starts(word, "mCurMethodId=") || gh_str_starts(word, "mSelectedMethodId="))
		live_role(l, "ime-current", GH_NULL, live_after(word, "MethodId=", " "));
}

const struct live_parser live_input_method = {.name = "dumpsys input_method",
	.files = "input_method",
	.marks = "Input Method Manager state|Input Methods:|mId=",
	.service = "input_method",
	.line = input_method_line};

/* ---- VPN: "VPNs:", then "0: com.x" a user ---- */

static void vpn_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line), package = word, user = live_cut(&package, ':');
	if (gh_str_is(word, "VPNs:")) {
		l->known = l->s.open = true;
		return;
	}
	package = gh_text_trim(package);
	/* The lockdown and legacy VPNs of the system itself stand in brackets. */
	if (l->s.open && live_int(user) >= 0 && package.n && *package.p != '[' && !gh_str_is(package, "null"))
		LIVE_EMIT(l, live_roles, .role = GH_STR("vpn"), .user = live_int(user), .package = package,
			.line = l->t.line);
}

const struct live_parser live_vpn = {.name = "dumpsys vpn_management",
	.files = "vpn|vpn_management",
	.marks = "VPNs:",
	.service = "vpn_management",
	.line = vpn_line};
