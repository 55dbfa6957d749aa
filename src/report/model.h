/* SPDX-License-Identifier: Apache-2.0 */
/* The report model: what every form says, read once from the facts. Strings are as the input gave them; a form escapes them when it
 * writes. Nothing in it depends on row numbers, on the time or on the machine. */
#ifndef GH_REPORT_MODEL_H
#define GH_REPORT_MODEL_H

#include "report/report.h"
#include "report/told.h"
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
	int64_t blob, place_id; /* for gh_detail(); GH_NULL: none */
};

/* What the facts hold beside a finding: lines around it, bytes around it, a certificate, what an app asks for. */
enum gh_detail_kind { GH_D_LINES, GH_D_BYTES, GH_D_CERT, GH_D_APP, GH_N_DETAILS };
struct gh_detail {
	struct gh_str line[24]; /* of bytes: one, hexadecimal */
	size_t n;
	int64_t from, mark, mark_len; /* offset of the bytes; of the field in question, and its length */
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

/* To what the bytes of one container belong. */
struct gh_cover_row {
	struct gh_str place, format;
	int64_t depth; /* 1: an INPUT */
	int64_t size, content, structure, padding, unclaimed, inside, unswept; /* content < 0: nothing here opens it */
	bool app; /* an archive inside of a file system: summed up */
};

/* Bytes that nothing claims. */
struct gh_stray {
	struct gh_str place, magic, head;
	int64_t at, len, entropy; /* thousandths of a bit a byte, or GH_NULL */
};

/* A part of the hardware as the phone's software names it; name p NULL: nothing names one. */
struct gh_named_part {
	struct gh_str kind, name, certainty, witness, place;
	int64_t at;
};

/* A structure or a partition along the chains of verified boot. */
struct gh_trust {
	struct gh_str kind, partition, by, state, why, key,
		known; /* known: what the key is known as; p NULL: not among those we know */
	int64_t rollback, flags;
};

/* A partition that no signed list speaks of. */
struct gh_uncovered {
	struct gh_str list, name, slot, format; /* list: code firmware data */
	struct gh_str holds; /* what is known of its own signatures; p NULL: nothing */
	int64_t size, files;
};

enum { GH_UNCOVERED_LISTS = 3 };
extern const char *const gh_uncovered_lists[GH_UNCOVERED_LISTS];

/* Somebody a capture shows the phone talking to. */
struct gh_party {
	struct gh_str name, by, state, why, tls, protocols, apps, country, owner,
		code; /* state: good bad not_visible; p NULL: not judged */
	bool local;
	int64_t addresses, first_us, last_us, bytes_out, bytes_in, flows, packet;
};

/* Captures in the input, taken together. */
struct gh_captures {
	int64_t n, packets, bytes, first_us, last_us, flows, wifi_encrypted, bluetooth, lost_bytes, decrypted,
		not_visible_dns;
	int64_t good, bad, hidden, unjudged; /* parties */
	bool first_boot;
};

struct gh_model {
	struct gh_arena arena;
	struct gh_db *db;
	int64_t scan;
	struct gh_str version, rules_sha256, knowledge_sha256, state, sandbox,
		off; /* off: plug-ins that were switched off, with blanks between */
	struct gh_redact *redactor;
	bool redacted; /* what tells of a person or of one unit was replaced */
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
	struct gh_told *told; /* what a running phone says of itself */
	size_t n_told;
	bool phone; /* anything of a phone was recognised */
	const char *verdict_state;
	struct gh_str headline, beside, verdict; /* the verdict is both */
	struct gh_partition *partitions;
	size_t n_partitions;
	struct gh_named_part *parts;
	size_t n_parts;
	struct gh_app *installers;
	size_t n_installers;
	struct gh_property *signers; /* role: how many apps */
	size_t n_signers;
	struct gh_property *keys; /* start-up keys: fingerprint, name where known */
	size_t n_keys;
	struct gh_cover_row *covers;
	size_t n_covers;
	struct gh_stray *strays;
	size_t n_strays;

	struct gh_trust *trust;
	size_t n_trust;
	struct gh_uncovered *uncovered;
	size_t n_uncovered;
	struct gh_property *packages; /* state of their signatures for this release, and how many */
	size_t n_packages;

	struct gh_captures captures;
	struct gh_party *parties;
	size_t n_parties;
	int64_t n_apps, n_privileged, n_native, n_certs;
};

enum gh_code gh_model_read(struct gh_model *m, struct gh_db *db, int64_t scan, struct gh_err *err) GH_MUST;
/* Replaces what tells of a person or of one unit: the same value by the same word. */
void gh_redact(struct gh_model *m);
/* The same words in a text that is not part of the model; as it is where nothing is redacted. */
struct gh_str gh_redact_more(struct gh_model *m, struct gh_str s);
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
/* False where the facts have nothing of that kind. */
bool gh_detail(struct gh_model *m, const struct gh_finding *f, enum gh_detail_kind kind, struct gh_arena *arena,
	struct gh_detail *ret);
/* The rule's command for a finding, placeholders filled in and quoted for a shell. */
struct gh_str gh_verify(struct gh_arena *arena, const struct gh_finding *f);
/* A name as one word of a shell command. */
struct gh_str gh_shell_word(struct gh_arena *arena, struct gh_str s);
/* Next step in full, and its first sentence beyond keeping the evidence. */
struct gh_str gh_next(struct gh_arena *arena, const struct gh_finding *f);
struct gh_str gh_next_short(struct gh_arena *arena, const struct gh_finding *f);

/* ---- told.c ---- */

enum gh_code gh_told_read(struct gh_model *m, struct gh_err *err) GH_MUST;

/* ---- watch.c ---- */

enum gh_code gh_watched_read(struct gh_model *m, struct gh_err *err) GH_MUST;
void gh_watch_verdict(struct gh_model *m);
struct gh_str gh_watch_seconds(struct gh_arena *z, int64_t ms);
struct gh_str gh_recorded_line(struct gh_arena *z, const struct gh_recorded *r);
struct gh_str gh_nearness_line(struct gh_arena *z, const struct gh_nearness *a);
/* One letter for each *ret_minutes: H half, D double, C cadence, F frozen, L low, U high, R restart, x lost contact, g gap, p pause, - none of these. */
struct gh_str gh_maker_act(const struct gh_maker_line *l);
struct gh_str gh_maker_words(struct gh_arena *z, const struct gh_maker_line *l);
struct gh_str gh_watch_strip(struct gh_model *m, const struct gh_recorded *r, unsigned width, int64_t *ret_minutes);

/* All archives inside of file systems together; depth: how many. */
struct gh_cover_row gh_cover_apps(const struct gh_model *m);

/* integrity.c: what a row of the chain comes to, in words that accuse no one; what a list of partitions is called. */
struct gh_str gh_trust_words(struct gh_arena *arena, const struct gh_trust *t);
const char *gh_uncovered_words(struct gh_str list);
struct gh_str gh_packages_words(struct gh_arena *arena, const struct gh_model *m);
/* The digest over all signed lists; GH_NONE: not known. */
struct gh_str gh_vbmeta_digest(const struct gh_model *m);

/* ---- traffic.c: what is said of captures ---- */

/* Verdict of a scan that holds captures and no phone. */
void gh_traffic_verdict(struct gh_model *m);
/* "1,439 packets, 2.6 MB, in 5 min 3 s" */
struct gh_str gh_traffic_line(struct gh_model *m);
/* What no capture can show, in one sentence. */
extern const char gh_traffic_blind[];
/* A state in words: "bad", "not visible", "good", "not judged". */
const char *gh_party_word(const struct gh_party *p);
/* One party on one line of a screen. */
struct gh_str gh_party_line(struct gh_arena *arena, const struct gh_party *p);
/* A length of time and a moment (UTC). */
struct gh_str gh_span(struct gh_arena *arena, int64_t us);
struct gh_str gh_moment(struct gh_arena *arena, int64_t us);

/* JSON with at most `cap` findings a rule and `cap` places not examined (0: all); what was left out is counted. */
void gh_json_model(const struct gh_model *m, const struct gh_report_style *style, size_t cap, FILE *to);

#endif
