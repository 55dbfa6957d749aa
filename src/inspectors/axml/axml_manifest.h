/* SPDX-License-Identifier: Apache-2.0 */
/* What the two readings of a manifest share. */
#ifndef GH_INSPECTORS_AXML_MANIFEST_H
#define GH_INSPECTORS_AXML_MANIFEST_H

#include "inspectors/axml/axml.h"

/* Elements that are facts, and where each counts. */
enum element {
	E_OTHER,
	E_MANIFEST,
	E_USES_SDK,
	E_APPLICATION,
	E_PERMISSION,
	E_PERMISSION_TREE,
	E_USES_PERMISSION,
	E_OVERLAY,
	E_ACTIVITY,
	E_ALIAS,
	E_SERVICE,
	E_RECEIVER,
	E_PROVIDER,
	E_FILTER,
	E_ACTION,
	E_CATEGORY,
	E_DATA,
	E_N
};

struct item {
	struct item *next;
	struct gh_str text;
	uint64_t at;
};

struct list {
	struct item *first, **last;
	uint64_t n;
};

enum { F_ACTIONS, F_CATEGORIES, F_SCHEMES, F_HOSTS, F_N };

struct filter {
	struct filter *next;
	uint64_t at;
	int64_t priority;
	struct list values[F_N];
};

/* An activity that aliases may point to. */
struct activity {
	struct activity *next;
	struct gh_str name, process;
	int64_t direct_boot;
};

struct component {
	enum element kind; /* E_OTHER: none is open */
	uint64_t at;
	struct gh_row_manifest_components row;
	struct filter *first, **last, *current; /* of its filters */
};

struct walk {
	struct axml *x;
	/* As far as read; complete in the second reading, which needs what may stand behind its components. */
	struct gh_row_manifests app;
	uint64_t app_at;
	struct gh_str app_permission;
	int64_t sdk; /* that defaults depend on; GH_NULL: a reference decides */
	bool has_manifest, has_application;
	bool rows; /* the second reading */
	enum element path[5]; /* the open elements, from the outermost */
	uint64_t depth;
	struct component component;
	struct activity *activities;
	bool seen_application;
};

/* Component elements. */
void component_begin(struct walk *w, enum element kind, const struct axml_node *node);
void component_end(struct walk *w);
void filter_begin(struct walk *w, const struct axml_node *node);
void filter_add(struct walk *w, enum element kind, const struct axml_node *node);
/* ":name" in its package. */
struct gh_str process_name(struct walk *w, struct gh_str said, struct gh_str otherwise);

#endif
