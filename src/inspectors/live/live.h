/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of live outputs share: one parser a command or service, whether its output lies in a file of its own or in a
 * section of a bug report. */
#ifndef GH_INSPECTORS_LIVE_LIVE_H
#define GH_INSPECTORS_LIVE_LIVE_H

#include "tree/text.h"

struct live;

/* Reads one kind of output, line by line. */
struct live_parser {
	const char *name; /* in live_sections */
	const char *files; /* names of files without ".txt" that hold it alone, separated by '|' */
	const char *marks; /* one of these is in the head of such a file, or it is not one */
	const char *service; /* of dumpsys, which the headings of reports name; NULL: none */
	const char *titles; /* how headings of dumpstate begin */
	void (*line)(struct live *l, struct gh_str line);
	void (*end)(struct live *l); /* may be NULL */
	bool whole; /* it bounds values itself: lines are not cut for it */
};

/* What a parser keeps from line to line; zeroed where its output begins. Strings lie in the content. */
struct live_state {
	int mode;
	int64_t user, uid;
	struct gh_str a, b, c;
	struct gh_row_live_packages package;
	struct gh_row_live_traffic traffic;
	struct gh_row_live_crashes crash;
	uint64_t at; /* where a row began that spans lines */
	int64_t line;
	uint8_t columns[16];
	bool open;
};

struct live {
	struct gh_text t;
	const struct live_parser *parser; /* NULL: between sections, or in one that nobody reads */
	struct gh_str file; /* name of the file, for outputs whose namespace it tells */
	struct gh_str heading;
	bool section; /* found by a heading */
	bool sections; /* headings count here */
	bool known; /* something that belongs into this output was seen */
	bool denied;
	bool text; /* a line that is not blank was seen */
	int64_t rows;
	int64_t began;
	uint64_t began_at;
	struct live_state s;
};

/* Adds a row at the line at hand. */
#define LIVE_EMIT(l, table, ...) ((l)->rows++, GH_EMIT((l)->t.ctx, table, (l)->t.at, __VA_ARGS__))

extern const struct live_parser *const live_parsers[];
extern const size_t live_n_parsers;
extern const struct live_parser live_getprop, live_settings, live_dump_settings, live_pm_list, live_service_list,
	live_services_running, live_users, live_uname, live_getenforce, live_package, live_ps, live_netstat,
	live_proc_net, live_mounts, live_accessibility, live_device_policy, live_notification, live_input_method,
	live_connectivity, live_vpn, live_adb, live_netstats, live_appops, live_battery, live_batterystats,
	live_dropbox, live_dbinfo, live_compat, live_head, live_crash, live_ls;

/* ---- words ---- */

/* Where z begins in s, or NULL. */
const char *live_find(struct gh_str s, const char *z);
/* What follows z in s up to a character of `until` or the end; p NULL where z is not in it. */
struct gh_str live_after(struct gh_str s, const char *z, const char *until);
/* Takes the part up to the character off s; all of it where the character is not in it. */
struct gh_str live_cut(struct gh_str *s, char c);
/* Is s one of the words of a list separated by '|'? */
bool live_one_of(struct gh_str s, const char *list);
/* Blanks at the beginning of a line. */
size_t live_indent(struct gh_str line);
/* Signed decimal, GH_NULL where it is none. */
int64_t live_int(struct gh_str s);
/* true 1, false 0, else GH_NULL. */
int64_t live_bool(struct gh_str s);
/* uid as Android prints it: 10123, u0a123, u0_a123, system; GH_NULL: not known. */
int64_t live_uid(struct gh_str s);
/* "-rwsr-x--x" or octal digits. */
int64_t live_mode(struct gh_str s);
/* "" as NULL. */
struct gh_str live_some(struct gh_str s);
/* s without its first n bytes. */
static inline struct gh_str live_skip(struct gh_str s, size_t n)
{
	return n >= s.n ? gh_strn(s.p + s.n, 0) : gh_strn(s.p + n, s.n - n);
}
/* ComponentInfo{a/b} or a/b: the component, and its package. */
struct gh_str live_component(struct gh_str s, struct gh_str *ret_package);
void live_role(struct live *l, const char *role, int64_t user, struct gh_str component);
/* A key of adb, "BASE64 comment": its fingerprints. False: that is no key. */
bool live_adb_key(struct live *l, const char *list, struct gh_str key, struct gh_str last_used);

/* ---- other contents ---- */

bool live_json_is(const struct gh_probe *probe);
enum gh_code live_json_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);
bool live_tombstone_is(const struct gh_probe *probe);
enum gh_code live_tombstone_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);
bool live_messages_is(const struct gh_probe *probe);
enum gh_code live_messages_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);

#endif
