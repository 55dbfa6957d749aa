/* SPDX-License-Identifier: Apache-2.0 */
/* What speaks of whether a watch needs its maker: its companion app and captures, looked at beside the recordings. */
#ifndef GH_CLI_MAKER_H
#define GH_CLI_MAKER_H

#include "facts/db.h"

enum { GH_MAKER_FILES = 16 };

struct gh_maker_fact {
	const char *kind, *act, *value, *source; /* in memory of the list; act NULL: any */
	int64_t n;
};

struct gh_maker {
	const char *app; /* an APK, or facts of a scan */
	const char *package; /* which of several */
	struct {
		const char *act; /* setup data reset; NULL: not said */
		const char *path;
	} capture[GH_MAKER_FILES];
	size_t n_captures;
	struct gh_arena arena; /* of what was found */
	struct gh_maker_fact *fact;
	size_t n_facts, cap_facts;
};

/* [setup=|data=|reset=]FILE; tells what is wrong and returns false. */
bool gh_maker_capture(struct gh_maker *m, const char *value);
/* Looks at them, each in a database of its own: before the scan of the recordings begins. */
enum gh_code gh_maker_look(struct gh_maker *m, struct gh_err *err) GH_MUST;
/* Writes what was found for DERIVE. */
enum gh_code gh_maker_write(const struct gh_maker *m, struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;

#endif
