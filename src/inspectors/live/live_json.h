/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) as events, in the order of the text; nothing is kept but what the reader of the events keeps. */
#ifndef GH_INSPECTORS_LIVE_JSON_H
#define GH_INSPECTORS_LIVE_JSON_H

#include "tree/plugin.h"

enum json_type { JSON_OPEN, JSON_CLOSE, JSON_TEXT, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

struct json_event {
	enum json_type type; /* JSON_OPEN and JSON_CLOSE of arrays and objects alike */
	int depth; /* of the container it lies in, or that opens or closes; the outermost has 1, a lone value 0 */
	struct gh_str key; /* p NULL in arrays; without its escapes */
	struct gh_str value; /* of text (without escapes) and numbers; in the arena or in the text */
	uint64_t at;
};

enum { JSON_DEPTH = 32 };

/* Calls back for each event. Strings stay as long as the arena keeps them. GH_BAD with the offset where it is no JSON: what came before
 * was told. */
enum gh_code live_json(struct gh_ctx *ctx, struct gh_str text, uint64_t base,
	void (*event)(void *to, const struct json_event *e), void *to, struct gh_err *err) GH_MUST;

#endif
