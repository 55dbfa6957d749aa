/* SPDX-License-Identifier: Apache-2.0 */
/* Resources of an app (resources.arsc; ResourceTypes.h of AOSP), as far as names and network configuration need them. */
#ifndef GH_INSPECTORS_RESOURCES_H
#define GH_INSPECTORS_RESOURCES_H

#include "inspectors/axml/axml.h"

/* ---- the table (res_table.c) ---- */

struct res_table {
	struct gh_ctx *ctx;
	const uint8_t *p;
	size_t n;
	struct axml strings; /* only its pool is used */
	struct gh_err err; /* code set: out of budget or memory */
};

enum res_language {
	RES_DEFAULT, /* what a phone in a language that is not there shows */
	RES_ENGLISH, /* nothing, where no English is said */
};

/* n bytes at p. */
enum gh_code res_open(struct res_table *t, struct gh_ctx *ctx, const uint8_t *p, size_t n, struct gh_err *err) GH_MUST;
/* The text that a resource stands for; GH_NONE: none, no text, or in another package. References are followed. */
struct gh_str res_text(struct res_table *t, uint32_t id, enum res_language language);

/* ---- the archive around it (res_zip.c) ---- */

/* The content of the first member of that name, whole, or GH_END. What is odd in the archive is for the format zip to tell. */
enum gh_code res_member(struct gh_ctx *ctx, struct gh_source *zip, struct gh_str name, uint64_t most,
	const uint8_t **ret_p, size_t *ret_n, struct gh_err *err) GH_MUST;

/* ---- network security configuration (res_netsec.c) ---- */

enum gh_code res_netsec(
	struct gh_ctx *ctx, struct res_table *t, const uint8_t *p, size_t n, struct gh_err *err) GH_MUST;

#endif
