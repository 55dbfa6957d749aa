/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. docs/phone.md lists them from here (gifthorse phone --commands); nothing else is ever asked of a phone but
 * LST2/STAT, LIS2/LIST and RCV2/RECV of its file service. */
#include "device/items.h"

#include "base/num.h"

#define EACH "for d in %s; do case \"$d\" in *@*) continue;; esac; "

const struct gh_item gh_items[] = {
	{"getprop", "getprop"},
	{"boot_properties",
		"getprop | grep -E 'ro.boot|ro.secure|ro.debuggable|verified|vbmeta|flash.locked|oem_unlock'"},
	{"uname", "uname -a; cat /proc/version"},
	{"date", "date -u '+%Y-%m-%dT%H:%M:%SZ'; cat /proc/uptime"},
	{"id", "id"},
	{"packages", "pm list packages -f -U -i --show-versioncode"},
	{"packages_disabled", "pm list packages -d -f -U -i --show-versioncode"},
	{"packages_hidden", "pm list packages -a -f -U -i --show-versioncode"},
	{"packages_uninstalled", "pm list packages -u -f -U -i --show-versioncode"},
	{"package", "dumpsys package"},
	{"ps", "ps -A -Z -o LABEL,USER,UID,PID,PPID,NAME,ARGS"},
	{"netstat", "netstat -anpW"},
	{"proc_net_tcp", "cat /proc/net/tcp"},
	{"proc_net_tcp6", "cat /proc/net/tcp6"},
	{"proc_net_udp", "cat /proc/net/udp"},
	{"proc_net_udp6", "cat /proc/net/udp6"},
	{"proc_net_unix", "cat /proc/net/unix"},
	{"ip_addr", "ip addr"},
	{"ip_rule", "ip rule; ip route show table all"},
	{"mounts", "cat /proc/mounts"},
	{"cmdline", "cat /proc/cmdline"},
	{"bootconfig", "cat /proc/bootconfig"},
	{"modules", "cat /proc/modules"},
	{"services", "service list"},
	{"users", "pm list users; dumpsys user"},
	{"device_policy", "dumpsys device_policy"},
	{"accessibility", "dumpsys accessibility"},
	{"notification", "dumpsys notification --noredact"},
	{"input_method", "dumpsys input_method; ime list -a"},
	{"settings_global", "settings list global"},
	{"settings_secure", "settings list secure"},
	{"settings_system", "settings list system"},
	{"connectivity", "dumpsys connectivity"},
	{"vpn", "dumpsys vpn_management"},
	{"cacerts_user", "ls -lZ /data/misc/user/0/cacerts-added /data/misc/user/0/cacerts-removed"},
	{"adb", "dumpsys adb"},
	{"netstats", "dumpsys netstats detail"},
	{"appops", "dumpsys appops"},
	{"role", "dumpsys role"},
	{"activity_services", "dumpsys activity services"},
	{"jobs", "dumpsys jobscheduler"},
	{"battery", "dumpsys battery; dumpsys batterystats --charged"},
	{"dropbox", "dumpsys dropbox"},
	{"tombstones", "ls -lZ /data/tombstones"},
	{"selinux", "getenforce; ls -lZ /sys/fs/selinux/policy"},
	{"lpdump", "lpdump"},
};
const size_t gh_n_items = GH_COUNT(gh_items);

const struct gh_root gh_roots[] = {
	{"/system", "/system"},
	{"/system_ext", "/system_ext"},
	{"/product", "/product"},
	{"/vendor", "/vendor"},
	{"/odm", "/odm"},
	{"/system_dlkm /vendor_dlkm /odm_dlkm", "/"},
	{"/my_*", "/my_"},
	{"/oem /cust /prism /optics /preload /hw_product /sbin", "/"},
	{"/init* /default.prop /adb_keys /sepolicy /plat_* /vendor_*", "/"},
	{"/apex/*", "/apex/"},
	{"/data/local/tmp /data/preloads", "/data/"},
	{"$(pm list packages -f | sed -n 's,^package:\\(/data/.*\\)/[^/]*=[^=/]*$,\\1,p')", "/data/"},
	{"/sys/fs/selinux/policy", "/sys/fs/selinux/"},
};
const size_t gh_n_roots = GH_COUNT(gh_roots);

/* No file name holds "//" at its end, so that this ends a record whatever else a name holds. Without shell v2 errors would come in between. */
const char *const gh_listing_commands[] = {
	[GH_LIST_NAMES] = EACH "find \"$d\" -print0; done 2>/dev/null",
	[GH_LIST_STAT] = EACH "find \"$d\" -exec stat -c '%%f %%u %%g %%s %%Y %%i %%C %%n//' {} +; done 2>/dev/null",
	[GH_LIST_CLOSED] = EACH
	"find \"$d\" \\( -type f -o -type d \\) -exec sh -c 'for f do [ -r \"$f\" ] || printf \"%%s//\\n\" \"$f\"; "
	"done' sh {} +; done 2>/dev/null",
	[GH_LIST_LINKS] = EACH
	"find \"$d\" -type l -exec sh -c 'for f do printf \"%%s//\\n%%s//\\n\" \"$f\" \"$(readlink \"$f\")\"; done' "
	"sh {} +; done 2>/dev/null",
};

const char gh_hash_command[] = "2>/dev/null sha256sum";
