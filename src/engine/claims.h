/* SPDX-License-Identifier: Apache-2.0 */
/* Which content is known: a table in memory shared by all processes, without locks. A key (SHA-256) has one number for ever:
 * the blob_id of the database. */
#ifndef GH_ENGINE_CLAIMS_H
#define GH_ENGINE_CLAIMS_H

#include "tree/look.h"

struct gh_claims;

/* Maps an empty table, inherited by processes forked later; NULL when memory is refused. */
struct gh_claims *gh_claims_new(void);
void gh_claims_free(struct gh_claims *claims);

/* The number of a key, from 1; 0: the table is full. *ret_known: it had one before this call. */
uint32_t gh_claims_get(struct gh_claims *claims, const uint8_t key[32], bool *ret_known);
/* The number of a key, or 0. */
uint32_t gh_claims_find(struct gh_claims *claims, const uint8_t key[32]);
/* Takes a plug-in for a number; true: it was taken before. */
bool gh_claims_plugin(struct gh_claims *claims, uint32_t id, unsigned plugin);
/* What an alias key stands for; sets it if value is not 0. */
uint32_t gh_claims_alias(struct gh_claims *claims, const uint8_t key[32], uint32_t value);

/* Before any worker runs: gives a key the number it has in the database, and starts new numbers behind `last`. */
bool gh_claims_preset(struct gh_claims *claims, uint32_t id, const uint8_t key[32], const struct gh_plugins *plugins);
bool gh_claims_start(struct gh_claims *claims, uint32_t last);
/* Was nothing known then? */
bool gh_claims_first(const struct gh_claims *claims);

#endif
