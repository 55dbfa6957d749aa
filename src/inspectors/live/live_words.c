/* SPDX-License-Identifier: Apache-2.0 */
/* Words, numbers and names as Android's dumps print them. */
#include "inspectors/live/live.h"

#include "base/num.h"

const char *live_find(struct gh_str s, const char *z)
{
	return s.n ? memmem(s.p, s.n, z, strlen(z)) : NULL;
}

struct gh_str live_after(struct gh_str s, const char *z, const char *until)
{
	const char *p = live_find(s, z);
	if (!p)
		return GH_NONE;
	struct gh_str rest = live_skip(s, (size_t)(p - s.p) + strlen(z));
	size_t n = 0;
	while (n < rest.n && (!rest.p[n] || !strchr(until, rest.p[n])))
		n++;
	return gh_strn(rest.p, n);
}

struct gh_str live_cut(struct gh_str *s, char c)
{
	const char *p = s->n ? memchr(s->p, c, s->n) : NULL;
	struct gh_str ret = p ? gh_strn(s->p, (size_t)(p - s->p)) : *s;
	*s = live_skip(*s, p ? ret.n + 1 : ret.n);
	return ret;
}

bool live_one_of(struct gh_str s, const char *list)
{
	struct gh_str rest = gh_str(list);
	while (rest.n)
		if (gh_str_eq(live_cut(&rest, '|'), s))
			return true;
	return false;
}

size_t live_indent(struct gh_str line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

int64_t live_int(struct gh_str s)
{
	uint64_t v;
	bool minus = s.n > 1 && *s.p == '-';
	if (minus)
		s = live_skip(s, 1);
	if (!s.n || !gh_str_u64(s, 10, &v) || v > INT64_MAX)
		return GH_NULL;
	return minus ? -(int64_t)v : (int64_t)v;
}

int64_t live_bool(struct gh_str s)
{
	return gh_str_is(s, "true") ? 1 : gh_str_is(s, "false") ? 0 : GH_NULL;
}

/* system/core/libcutils/include/private/android_filesystem_config.h */
static const struct {
	const char *name;
	int64_t uid;
} aids[] = {
	{"root", 0},
	{"system", 1000},
	{"radio", 1001},
	{"bluetooth", 1002},
	{"graphics", 1003},
	{"input", 1004},
	{"audio", 1005},
	{"camera", 1006},
	{"log", 1007},
	{"compass", 1008},
	{"mount", 1009},
	{"wifi", 1010},
	{"adb", 1011},
	{"install", 1012},
	{"media", 1013},
	{"dhcp", 1014},
	{"vpn", 1016},
	{"keystore", 1017},
	{"usb", 1018},
	{"drm", 1019},
	{"mdnsr", 1020},
	{"gps", 1021},
	{"nfc", 1027},
	{"clat", 1029},
	{"mediadrm", 1031},
	{"logd", 1036},
	{"mediaex", 1040},
	{"audioserver", 1041},
	{"mediacodec", 1046},
	{"cameraserver", 1047},
	{"network_stack", 1073},
	{"statsd", 1066},
	{"incidentd", 1067},
	{"secure_element", 1068},
	{"shell", 2000},
	{"nobody", 9999},
};

/* u0a123 and u0_a123 (an app), u0i5 and u0_i5 (an isolated process), u10s1000 and u10_system (a system uid of another user). */
static int64_t user_uid(struct gh_str s)
{
	uint64_t user, app;
	size_t n = 1;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	if (n < 2 || !gh_str_u64(gh_strn(s.p + 1, n - 1), 10, &user) || user > 20000)
		return GH_NULL;
	struct gh_str rest = live_skip(s, n);
	if (rest.n && *rest.p == '_')
		rest = live_skip(rest, 1);
	if (rest.n < 2 || !strchr("ais", *rest.p) || !gh_str_u64(live_skip(rest, 1), 10, &app) || app > 99999)
		return GH_NULL;
	int64_t base = *rest.p == 'a' ? 10000 : *rest.p == 'i' ? 99000 : 0;
	return (int64_t)user * 100000 + base + (int64_t)app;
}

int64_t live_uid(struct gh_str s)
{
	int64_t v = live_int(s);
	if (v >= 0)
		return v;
	for (size_t i = 0; i < GH_COUNT(aids); i++)
		if (gh_str_is(s, aids[i].name))
			return aids[i].uid;
	return s.n > 3 && *s.p == 'u' ? user_uid(s) : GH_NULL;
}

struct gh_str live_some(struct gh_str s)
{
	return s.n ? s : GH_NONE;
}

struct gh_str live_component(struct gh_str s, struct gh_str *ret_package)
{
	s = gh_text_trim(s);
	if (gh_str_starts(s, "ComponentInfo{"))
		s = live_after(s, "ComponentInfo{", "}");
	struct gh_str rest = s;
	*ret_package = live_cut(&rest, '/');
	return s;
}

void live_role(struct live *l, const char *role, int64_t user, struct gh_str component)
{
	struct gh_str package, c = live_component(component, &package);
	if (package.n)
		LIVE_EMIT(l, live_roles, .role = gh_str(role), .user = user, .package = package, .component = c,
			.line = l->t.line);
}
