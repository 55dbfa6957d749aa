/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: what the parts of the analysis share. docs/code.md says what is kept, and why. An app is all dex files of one container. Types,
 * methods and fields have one number each in the whole app; a node of the call graph is a method, or behind them a type ("an object of
 * this type was made: what Android calls on it may run"). */
#ifndef GH_INSPECTORS_CODE_CODE_H
#define GH_INSPECTORS_CODE_CODE_H

#include "inspectors/dex/dexinsn.h"
#include "tree/plugin.h"

enum {
	CODE_NONE = 0xffffffffu,
	CODE_DEX_MAX = 256, /* in one app; the largest have some forty */
	CODE_ACC_STATIC = 8,
	CODE_ACC_ABSTRACT = 0x400,
	CODE_ACC_INTERFACE = 0x200,
	CODE_EDGES = 1 << 16, /* of a chunk */
	CODE_EDGE_CHUNKS = 1 << 10, /* 67 million calls; an app of 60 MB has two million */
	CODE_UP_MAX = 64, /* superclasses; deeper than any real hierarchy, and a loop ends there */
};

/* What a type is for Android, from data/code_types.tsv or from what it extends. */
enum code_role {
	CODE_PLAIN,
	CODE_ACTIVITY,
	CODE_SERVICE,
	CODE_RECEIVER,
	CODE_PROVIDER,
	CODE_APPLICATION,
	CODE_BINDER,
	CODE_CALLBACK, /* an object that Android calls back: a listener, a task */
	CODE_KNOWN, /* listed, and nothing of these */
};

struct code_type {
	struct gh_str name; /* Lcom/x/Y; */
	uint32_t super; /* type, or CODE_NONE */
	uint32_t dex, class; /* where it is defined; dex CODE_NONE: outside */
	uint32_t first; /* its methods: first, and next in struct code_method */
	uint32_t init; /* <clinit> */
	uint32_t down, beside; /* first type that extends it here, and the next one beside this */
	uint8_t role; /* enum code_role; inherited */
	bool outside; /* extends or implements something outside that is not Object */
	bool made; /* an object of it or of what extends it is made here, or Android makes one */
	bool unlisted; /* and implements an interface that data/code_types.tsv does not know */
};

struct code_method {
	uint64_t shape; /* of name and prototype: the same for all methods that override each other */
	struct gh_str name;
	uint32_t type;
	uint32_t dex, index; /* where it is named: dex file and its number there */
	uint32_t next; /* of the same type, defined */
	uint32_t edge; /* its first call */
	uint64_t code; /* code item in the dex of `dex`; 0: none here */
	uint32_t units;
	uint32_t api; /* entry in the vocabulary; CODE_NONE: none */
	uint16_t access;
	bool defined;
};

struct code_field {
	uint32_t type; /* that it is looked up in */
	uint64_t shape;
	uint32_t real; /* the field that is meant: of the class that defines it */
	bool defined;
};

/* Calls of a method, in the order of their places: whom, and how many units behind the one before. Six bytes each. */
struct code_edges {
	uint32_t to[CODE_EDGES];
	uint16_t delta[CODE_EDGES];
};

/* An API that means something, or through which values pass. */
struct code_api {
	struct gh_str type, name;
	uint64_t source, sink, step; /* capabilities */
	uint32_t from; /* source: bit 0 what it returns, bit k argument k; bit 31: of a callback that overrides it */
	uint32_t into; /* sink: bit k argument k, bit 0 the object; 0: that it is called */
	uint32_t flow; /* first rule of struct code_flow, or CODE_NONE */
	bool consts; /* constants that it is called with are told */
};

enum code_to {
	CODE_TO_RESULT,
	CODE_TO_ARG,
	CODE_TO_CALLBACK,
	CODE_TO_GLOBAL,
	CODE_FROM_GLOBAL,
	CODE_TO_COMPONENT,
	CODE_TO_NOTHING
};

/* How values pass through an API. */
struct code_flow {
	uint32_t next;
	uint32_t from; /* bits: 0 the object, k argument k */
	uint8_t to; /* enum code_to */
	uint32_t arg; /* of CODE_TO_ARG: 0 the object; of a callback */
	struct gh_str name; /* of a callback or a global */
};

struct code_words {
	struct code_api *api;
	uint32_t n_api;
	uint32_t *api_slots, api_mask;
	struct code_flow *flow;
	uint32_t n_flow;
	struct {
		struct gh_str type, super;
		uint8_t role;
	} * type;
	uint32_t n_type, *type_slots, type_mask;
};

struct code_app {
	struct gh_ctx *ctx;
	struct gh_arena *arena;
	struct code_words words;
	struct dex dex[CODE_DEX_MAX];
	uint32_t n_dex;
	uint32_t *type_of[CODE_DEX_MAX], *method_of[CODE_DEX_MAX], *field_of[CODE_DEX_MAX];
	struct code_type *type;
	struct code_method *method;
	struct code_field *field;
	uint32_t n_type, n_method, n_field;
	uint32_t *type_slots, *method_slots, *field_slots, type_mask, method_mask, field_mask;
	/* calls */
	struct code_edges *edges[CODE_EDGE_CHUNKS];
	uint32_t n_edge;
	/* edges without a place: what a named method stands for, what an object of a type may run */
	uint32_t *link_first, *link_to, n_link; /* n_node + 1 of them */
	uint32_t n_node;
	uint64_t *direct; /* capabilities in a node */
	uint64_t *reach; /* and in what it reaches */
	uint32_t *scc;
	/* coverage */
	uint64_t units, units_lost, quick;
	uint32_t lost_methods;
	uint32_t cut; /* sources whose values were not followed to their end */
	bool over; /* a budget ended the analysis of calls */
};

/* ---- words (words.c): the vocabulary, out of data/ ---- */

enum code_cap_kind { CODE_SOURCE, CODE_STEP, CODE_SINK };

struct code_cap {
	const char *name;
	enum code_cap_kind kind;
};
enum { CODE_CAPS = 64 };
extern const struct code_cap code_caps[CODE_CAPS];

/* The bit of a capability, or 0. */
uint64_t code_cap_bit(struct gh_str name);
/* What a content:// address gives, or 0. */
uint64_t code_uri_cap(struct gh_str s);
enum gh_code code_words_read(struct code_words *w, struct gh_arena *arena, struct gh_err *err);
/* The API of that name in a type or in what the type extends as far as data/code_types.tsv knows; CODE_NONE. */
uint32_t code_api_find(const struct code_words *w, struct gh_str type, struct gh_str name);
/* CODE_PLAIN where it is not listed. */
enum code_role code_role_of(const struct code_words *w, struct gh_str type, struct gh_str *ret_super);

/* ---- load.c: the dex files of an app, and one number for each name ---- */

enum gh_code code_dex_add(struct code_app *app, const uint8_t *p, size_t n, struct gh_err *err);
enum gh_code code_load(struct code_app *app, struct gh_err *err);
uint32_t code_type_find(const struct code_app *app, struct gh_str name);
/* The method of that shape in exactly that type, or CODE_NONE. */
uint32_t code_method_find(const struct code_app *app, uint32_t type, uint64_t shape, struct gh_str name);
/* The method with code or declaration that a name means: in the type or in what it extends here. */
uint32_t code_method_real(const struct code_app *app, uint32_t method);
bool code_body(const struct code_app *app, uint32_t method, struct dex_code *ret);

/* ---- graph.c ---- */

enum gh_code code_graph(struct code_app *app, struct gh_err *err);
/* May Android call this method by itself, on an object of its type? */
bool code_called_back(const struct code_app *app, const struct code_method *m);
static inline uint32_t code_edge_to(const struct code_app *app, uint32_t e)
{
	return app->edges[e / CODE_EDGES]->to[e % CODE_EDGES];
}
static inline uint32_t code_edge_delta(const struct code_app *app, uint32_t e)
{
	return app->edges[e / CODE_EDGES]->delta[e % CODE_EDGES];
}

/* ---- reach.c: strongly connected components, and what each node reaches ---- */

enum gh_code code_reach(struct code_app *app, struct gh_err *err);

/* ---- paths.c ---- */

struct code_step {
	uint32_t method;
	uint32_t at; /* bytes behind its first instruction */
};

struct code_path {
	struct code_step step[32];
	uint32_t n;
	bool cut; /* more steps than are kept */
};

/* Room for searching; made once. */
struct code_search {
	uint32_t *queue, *pred, *via; /* by node: the node before, and the call (CODE_NONE: a link) */
	uint64_t left; /* nodes that all searches together may look at */
};
enum gh_code code_search_make(struct code_app *app, struct code_search *s, struct gh_err *err);
/* The shortest way from a node to one with a direct capability; false: none (or over budget). */
bool code_path_find(struct code_app *app, struct code_search *s, uint32_t from, uint64_t cap, struct code_path *ret);
/* Its first call of something with the capability, as a place. */
struct code_step code_first_call(const struct code_app *app, uint32_t method, uint64_t cap);
struct gh_str code_method_text(const struct code_app *app, uint32_t method);
struct gh_str code_path_text(const struct code_app *app, const struct code_path *path);

/* ---- taint.c ---- */

struct code_leak {
	uint64_t source, sink; /* one bit each */
	struct code_step from, to;
	const uint32_t *entry; /* types that Android makes by itself, from which the source is reached */
	uint32_t n_entry;
	struct code_path path;
	uint64_t steps; /* transforms and gates in the methods on the way */
};

typedef void code_leak_fn(struct code_app *app, const struct code_leak *leak, void *to);
/* Follows each source to the sinks it reaches. */
enum gh_code code_taint(struct code_app *app, code_leak_fn *found, void *to, struct gh_err *err);

/* ---- tell.c ---- */
enum gh_code code_tell(struct code_app *app, struct gh_err *err);

#endif
