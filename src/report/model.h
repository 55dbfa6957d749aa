/* SPDX-License-Identifier: Apache-2.0 */
/* The report model: what every form says, read once from the facts. Strings are as the input gave them; a form escapes them when it
 * writes. Nothing in it depends on row numbers, on the time or on the machine. */
#ifndef GH_REPORT_MODEL_H
#define GH_REPORT_MODEL_H

#include "report/report.h"
#include "report/watch.h"
#include "rules/rules.h"

enum { GH_CRITICAL, GH_HIGH, GH_MEDIUM, GH_LOW, GH_INFO, GH_N_SEVERITIES };
enum { GH_INTEGRITY, GH_PROVENANCE, GH_BEHAVIOUR, GH_COVERAGE, GH_N_AXES };
enum { GH_FILES, GH_READ, GH_UNDERSTOOD, GH_ANALYSED, GH_N_LEVELS };
extern const char *const gh_severities[GH_N_SEVERITIES];
extern const char *const gh_axes[GH_N_AXES];
extern const char *const gh_levels[GH_N_LEVELS];

struct gh_finding {
	const struct gh_rule *rule; /* never NULL: a rule this version does not know has its id for a title */
	unsigned severity, certainty; /* for sorting: smaller comes first */
	struct gh_str place, evidence, subject, sha256, fingerprint;
	struct gh_str input, image, path, dpath; /* for the command to verify by hand; p is NULL where not known */
	int64_t at; /* GH_NULL: the whole file */
};

/* Findings of one rule with one severity. */
struct gh_group {
	const struct gh_rule *rule;
	unsigned severity;
	size_t first, n; /* in findings */
};

struct gh_rule_state {
	const struct gh_rule *rule;
	struct gh_str state, why;
	int64_t rows;
};

struct gh_hole {
	struct gh_str place, what, why;
	int64_t bytes; /* GH_NULL: not known */
	bool damaged, opaque;
};

struct gh_amount {
	int64_t files, bytes;
};

struct gh_input {
	struct gh_str name, sha256; /* of a folder: no digest */
	int64_t size;
};

struct gh_axis {
	const char *state; /* findings nothing_found partly_checked not_checked; coverage: all_read gaps incomplete */
	struct gh_str sentence;
	uint64_t count[GH_N_SEVERITIES];
	unsigned evaluated, silent; /* checks that could and could not be made */
};

struct gh_property {
	struct gh_str key, value;
};

struct gh_partition {
	struct gh_str name, slot, fs;
	int64_t size;
	bool live;
};

/* A package that may install others, or any count with a name. */
struct gh_app {
	struct gh_str package, version, signer, place;
};

struct gh_model {
	struct gh_arena arena;
	struct gh_db *db;
	int64_t scan;
	struct gh_str version, rules_sha256, knowledge_sha256, state, sandbox,
		off; /* off: plug-ins that were switched off, with blanks between */
	bool interrupted, jailed,
		other_rules; /* other_rules: the scan was judged by other rules than this version has */
	int64_t crashes;
	const struct gh_rule *rules;
	size_t n_rules;
	struct gh_input *inputs;
	size_t n_inputs;
	struct gh_property *device;
	size_t n_device;
	struct gh_amount level[GH_N_LEVELS], unexamined, damaged, opaque;
	struct gh_hole *holes;
	size_t n_holes;
	struct gh_finding *findings;
	size_t n_findings;
	struct gh_group *groups;
	size_t n_groups;
	uint64_t count[GH_N_SEVERITIES];
	struct gh_rule_state *states;
	size_t n_states;
	unsigned evaluated, silent, quiet; /* checks: made, not made, made and found nothing */
	struct gh_axis axis[GH_N_AXES];
	struct gh_watched watched; /* recordings of heart rate */
	bool phone; /* anything of a phone was recognised */
	const char *verdict_state;
	struct gh_str headline, beside, verdict; /* the verdict is both */
	struct gh_partition *partitions;
	size_t n_partitions;
	struct gh_app *installers;
	size_t n_installers;
	struct gh_property *keys; /* start-up keys: fingerprint, name where known */
	size_t n_keys;
	int64_t n_apps, n_privileged, n_native, n_certs;
};

enum gh_code gh_model_read(struct gh_model *m, struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;
void gh_model_done(struct gh_model *m);
/* Findings at or above a level, and whether anything stayed unread that should not. */
bool gh_model_at_least(const struct gh_model *m, const char *fail_on);
bool gh_model_incomplete(const struct gh_model *m);

/* ---- words.c: sentences and numbers that all forms share ---- */

/* Fills the axes and the verdict of a model that is read. */
void gh_words(struct gh_model *m);
/* Escaped for screens and reports. */
struct gh_str gh_shown(struct gh_arena *arena, struct gh_str s);
/* "1,234" and "1.2 GB". */
struct gh_str gh_number(struct gh_arena *arena, int64_t n);
struct gh_str gh_size(struct gh_arena *arena, int64_t n);
/* The sum of two sizes as inputs state them, INT64_MAX where it is more; what is not known counts as nothing. */
int64_t gh_total(int64_t a, int64_t b);
/* "1 critical and 2 high", without what is zero; "no". */
struct gh_str gh_counts(struct gh_arena *arena, const uint64_t count[GH_N_SEVERITIES]);
/* What an axis' state is called where room is short. */
struct gh_str gh_axis_word(struct gh_arena *arena, const struct gh_axis *a);
/* The rule's command for a finding, placeholders filled in and quoted for a shell. */
struct gh_str gh_verify(struct gh_arena *arena, const struct gh_finding *f);
/* A name as one word of a shell command. */
struct gh_str gh_shell_word(struct gh_arena *arena, struct gh_str s);
/* Next step in full, and its first sentence beyond keeping the evidence. */
struct gh_str gh_next(struct gh_arena *arena, const struct gh_finding *f);
struct gh_str gh_next_short(struct gh_arena *arena, const struct gh_finding *f);

/* ---- watch.c ---- */

enum gh_code gh_watched_read(struct gh_model *m, struct gh_err *err) GH_MUST;
void gh_watch_verdict(struct gh_model *m);
struct gh_str gh_watch_seconds(struct gh_arena *z, int64_t ms);
struct gh_str gh_recorded_line(struct gh_arena *z, const struct gh_recorded *r);
struct gh_str gh_nearness_line(struct gh_arena *z, const struct gh_nearness *a);
/* One letter for each *ret_minutes: H half, D double, C cadence, F frozen, L low, U high, R restart, x lost contact, g gap, p pause, - none of these. */
struct gh_str gh_watch_strip(struct gh_model *m, const struct gh_recorded *r, unsigned width, int64_t *ret_minutes);

/* JSON with at most `cap` findings a rule and `cap` places not examined (0: all); what was left out is counted. */
void gh_json_model(const struct gh_model *m, const struct gh_report_style *style, size_t cap, FILE *to);

#endif
