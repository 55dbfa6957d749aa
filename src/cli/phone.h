/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of gifthorse phone: finding the phone, what a reference knows, the words. */
#ifndef GH_CLI_PHONE_H
#define GH_CLI_PHONE_H

#include "cli/looking.h"
#include "device/pull.h"

enum gh_way { GH_WAY_AUTO, GH_WAY_SERVER, GH_WAY_USB, GH_WAY_TCP };

struct gh_reach {
	enum gh_way way;
	uint16_t port; /* GH_WAY_TCP */
	const char *serial; /* NULL: the only one there is */
	uint64_t wait; /* seconds for a phone, and for its owner's tap */
	const volatile sig_atomic_t *stop;
	struct gh_phone phone;
	char words[80]; /* how it was reached */
};

/* Finds the phone and connects. Tells on stderr what to do where it cannot; GH_END: stopped by the user. */
enum gh_code gh_reach(struct gh_reach *r, struct gh_err *err) GH_MUST;
/* After the connection broke, for gh_pull.again: to is a struct gh_reach. */
bool gh_reach_again(void *to, struct gh_phone *phone);
void gh_reach_done(struct gh_reach *r);

/* Contents of a scan in a facts database, for gh_pull.reference. */
struct gh_known_contents;
struct gh_known_contents *gh_known_load(struct gh_db *db, int64_t scan, struct gh_reference *ret, struct gh_err *err);
void gh_known_free(struct gh_known_contents *known);

extern const char gh_phone_guide[];
/* Every command that a phone is ever asked, one a line. */
void gh_phone_commands(void);

#endif
