/* SPDX-License-Identifier: Apache-2.0 */
/* Countries and owners of addresses, from a database the user has. */
#ifndef GH_CLI_NETWORKS_H
#define GH_CLI_NETWORKS_H

#include "facts/db.h"

/* Fills d_networks for every address in the flows of this database. */
enum gh_code gh_networks_write(struct gh_db *db, int64_t scan, const char *mmdb, struct gh_err *err) GH_MUST;

#endif
