/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers in bytes that others on the way can read. */
#ifndef GH_CAPTURE_LEAK_H
#define GH_CAPTURE_LEAK_H

#include "capture/app.h"

/* Values the user gave (ctx->given->known), prepared in every form that is looked for. */
bool gh_leak_init(struct gh_traffic *t) GH_MUST;

/* One value under a key that names an identifier: which kind, or NULL. key in lower case. */
const char *gh_leak_kind(struct gh_str key, struct gh_str value);

#endif
