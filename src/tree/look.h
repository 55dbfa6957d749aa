/* SPDX-License-Identifier: Apache-2.0 */
/* LOOK: the walk over a tree of artifacts. Every content is measured once, offered to every format and inspector, and its
 * children are walked in turn. Knows nothing of processes or databases: what it finds goes to `ops`. */
#ifndef GH_TREE_LOOK_H
#define GH_TREE_LOOK_H

#include "tree/plugin.h"

enum {
	GH_MAX_DEPTH =
		16, /* containers inside each other; a real phone needs about 9 (zip, sparse, LP, ext4, APEX, ext4, APK, zip) */
	GH_MAX_PLUGINS = 128, /* in a set of them */
	GH_BATCH_CHILDREN = 64, /* children handed over in one job at most… */
	GH_BATCH_BYTES = 16 << 20, /* …or this much content: small enough that workers end together */
};

/* A set of plug-ins. */
struct gh_plugins {
	uint64_t w[GH_MAX_PLUGINS / 64]; /* a bit each */
};

static inline bool gh_plugins_has(const struct gh_plugins *set, unsigned bit)
{
	return set->w[bit / 64] >> bit % 64 & 1;
}

static inline void gh_plugins_add(struct gh_plugins *set, unsigned bit)
{
	set->w[bit / 64] |= 1ull << bit % 64;
}

/* The same for a set that several processes share; true: it was there before. */
static inline bool gh_plugins_claim(struct gh_plugins *set, unsigned bit)
{
	return __atomic_fetch_or(&set->w[bit / 64], 1ull << bit % 64, __ATOMIC_ACQ_REL) >> bit % 64 & 1;
}

static inline bool gh_plugins_claimed(const struct gh_plugins *set, unsigned bit)
{
	return __atomic_load_n(&set->w[bit / 64], __ATOMIC_RELAXED) >> bit % 64 & 1;
}

/* A plug-in's bit: formats first, then inspectors, in the order of the generated lists. */
unsigned gh_format_bit(const struct gh_format *format);
unsigned gh_inspector_bit(const struct gh_inspector *inspector);
const char *gh_plugin_name(unsigned bit);
unsigned gh_plugin_version(unsigned bit);
/* The bit of a name, or -1. */
int gh_plugin_find(struct gh_str name);
unsigned gh_n_plugins(void);

/* What is known of a content besides its facts. */
struct gh_blob_row {
	uint32_t blob;
	const uint8_t *sha256; /* NULL: not hashed as a whole (a volume), or not yet */
	uint64_t size;
	const char *format; /* the best claim: a format's name, else a word for its magic, else "data" */
	double entropy; /* bits a byte, of a fixed sample; < 0: not measured, since a plug-in understands it */
};

/* The way from an INPUT to a container: each step opens a format and takes one child. */
struct gh_step {
	uint8_t format; /* index in gh_formats */
	struct gh_child child;
};

struct gh_part_at;

struct gh_locator {
	uint32_t base; /* a file the engine knows: an INPUT or a spill; not looked at where there are parts */
	uint32_t n;
	struct gh_step step[GH_MAX_DEPTH];
	uint32_t n_parts; /* not 0: the first container on the way is a set, opened from these */
	const struct gh_part_at *parts; /* in the order in which the format wants them */
};

/* A part of a set, and the way to it. The way leads through no other set. */
struct gh_part_at {
	struct gh_str name;
	uint32_t role;
	uint32_t index;
	uint64_t row;
	bool there;
	struct gh_locator where;
};

enum gh_job_kind {
	GH_JOB_LOOK, /* look at the given children of the container */
	GH_JOB_HASH, /* hash the one given child, whose blob is known */
	GH_JOB_POUR, /* unpack the one given child into a spill file, from where it is looked at */
	/* Not for workers but from them: */
	GH_JOB_SET, /* children[0] is a set of so many parts as its `blob` says; where: its parts, with names and no ways yet */
	GH_JOB_PART, /* the way to a part was found; children[0].child.of tells which */
	GH_N_JOB_KINDS,
};

struct gh_job_child {
	uint64_t n; /* its row number, as gh_child_row() gives it */
	uint32_t blob; /* GH_JOB_HASH: its blob */
	struct gh_child child;
};

struct gh_job {
	enum gh_job_kind kind;
	uint32_t blob; /* of the container; its rows members and entries hang on it */
	int32_t format; /* index of the container's format in gh_formats; -1: the children are the base file itself */
	uint32_t depth;
	uint32_t packed; /* packed layers around the container */
	uint64_t bytes; /* budget of the container, of which each child gets its share */
	uint64_t size; /* of the container, for that share */
	struct gh_locator where; /* of the container */
	uint32_t n;
	const struct gh_job_child *children;
};

/* Where a worker is, kept in memory that outlives it: after a crash that part is left out and told. */
struct gh_phase {
	uint64_t beat; /* atomic; moves while work goes on */
	uint32_t blob;
	int32_t plugin; /* bit; -1: none (measuring, or reading a child) */
	int64_t child; /* row number of the child at hand; -1: the container or blob itself */
	uint32_t listed; /* while a container is listed: children it has given so far */
	uint32_t nth; /* the how manieth content of this job it is for that plug-in */
};

/* Something to leave out: it crashed or hung before. What a try before has got behind it is never left out: it may have claimed
 * contents whose rows died with it, and others count on them. */
struct gh_skip {
	uint32_t blob; /* 0: every content of the job from the nth on */
	int32_t plugin;
	int64_t child; /* as in gh_phase */
	uint32_t listed; /* the listing is kept up to here; 0: left out as a whole */
	uint32_t nth;
	bool on; /* this child and all behind it */
	char why[8]; /* crash hang jail */
};

struct gh_look;
struct gh_literals;
struct gh_open;

#ifdef GH_FAULTS
/* Test builds: called where a plug-in is about to work (open, next, read, pour, inspect); may do what it likes. */
typedef void gh_fault_fn(struct gh_look *look, const char *plugin, const char *step, struct gh_str name);
#endif

struct gh_look_ops {
	void (*row)(struct gh_look *look, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row);
	void (*blob)(struct gh_look *look, const struct gh_blob_row *row);
	void (*run)(
		struct gh_look *look, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why);
	/* The blob of a key (a SHA-256 of content, or of a place for what is not hashed); *ret_known: it had one already.
	 * 0 when the table is full. */
	uint32_t (*claim)(struct gh_look *look, const uint8_t key[32], bool *ret_known);
	/* The blob behind an inode's key: set if `blob` is not 0, else looked up (0: not known yet). */
	uint32_t (*alias)(struct gh_look *look, const uint8_t key[32], uint32_t blob);
	/* May this plug-in run on that blob now? At most one caller hears true, unless the job is tried again. */
	bool (*claim_plugin)(struct gh_look *look, uint32_t blob, unsigned plugin);
	/* Hands a job to others; false: do it here and now. May be NULL. GH_JOB_POUR must be taken or refused for good. */
	bool (*defer)(struct gh_look *look, const struct gh_job *job);
	/* The source of a base file. */
	struct gh_source *(*base)(struct gh_look *look, struct gh_arena *arena, uint32_t base);
};

struct gh_look {
	struct gh_arena arena;
	const struct gh_look_ops *ops;
	void *host; /* the caller's own */
	struct gh_phase *phase;
	const struct gh_literals *literals; /* NULL: none */
	const struct gh_given *given; /* NULL: nothing */
	struct gh_plugins off; /* switched off */
	bool first; /* nothing is known from an earlier scan: a large archive need not be hashed before it is opened */
	uint64_t hollow; /* bytes of holes that a content may have before its budget is asked */
	const struct gh_skip *skip;
	size_t n_skip;
	const struct gh_plugins *given_up; /* shared; those that stopped too often in this scan; NULL: none */
	uint32_t nth[GH_MAX_PLUGINS]; /* contents of this job that each plug-in was for */
	struct gh_open *open; /* container chains kept open between jobs */
	uint64_t open_clock;
	void *digest, *md5; /* EVP_MD_CTX */
#ifdef GH_FAULTS
	gh_fault_fn *fault;
#endif
};

void gh_look_init(struct gh_look *look, const struct gh_look_ops *ops, void *host, uint64_t memory_limit);
void gh_look_done(struct gh_look *look);
/* Forgets the containers that are kept open between jobs: before a base file's descriptor is closed. */
void gh_open_done(struct gh_look *look);

/* Does one job. Everything that goes wrong inside is written down; the code tells only of failures of ours (GH_NOMEM, GH_IO). */
void gh_look_job(struct gh_look *look, const struct gh_job *job);

/* GH_JOB_POUR: unpacks the child into the sink, whose write() is called. Errors of the input are noted; what came stays. */
void gh_look_pour(struct gh_look *look, const struct gh_job *job, struct gh_sink *sink);

/* Budget of an INPUT of that size. */
uint64_t gh_look_budget(uint64_t size);
/* The share of a budget that a part of a whole gets. */
uint64_t gh_share(uint64_t bytes, uint64_t part, uint64_t whole);

/* The row of a child, as its container's listing tells it; content: its blob, 0: not looked at. */
struct gh_row_members gh_child_member(const struct gh_child *child, uint32_t content);
struct gh_row_entries gh_child_entry(const struct gh_child *child, uint32_t content);

/* The row number of child n listed by that format: several formats may claim one blob. */
uint64_t gh_child_row(unsigned format, uint32_t n);
/* The format in it. */
unsigned gh_row_format(uint64_t row);
/* The row numbers of the engine's own notes about a child, apart from those of plug-ins. */
enum gh_own_note { GH_OWN_LOOK, GH_OWN_GIVE_UP, GH_OWN_POUR };
uint64_t gh_child_note_row(uint64_t child_row, enum gh_own_note which);

/* Jobs as bytes, for a channel. Strings of a decoded job point into the bytes; children and steps lie in the arena. */
bool gh_job_encode(struct gh_arena *arena, const struct gh_job *job, struct gh_str *ret);
bool gh_job_decode(struct gh_arena *arena, const uint8_t *p, size_t n, struct gh_job *ret);

#endif
