/* SPDX-License-Identifier: Apache-2.0 */
/* Inside DERIVE: functions that its SQL uses. */
#ifndef GH_DERIVE_FUNCTIONS_H
#define GH_DERIVE_FUNCTIONS_H

#include "facts/db.h"

/* gh_site, gh_beacon. false: no memory. */
bool gh_derive_traffic(sqlite3 *sql);
/* gh_signed, gh_signed_text. false: no memory. */
bool gh_derive_signed(sqlite3 *sql);

#endif
