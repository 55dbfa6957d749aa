/* SPDX-License-Identifier: Apache-2.0 */
/* What an acquisition has so far, so that the next call goes on from there; and the lists that it leaves behind. */
#ifndef GH_DEVICE_JOURNAL_H
#define GH_DEVICE_JOURNAL_H

#include "device/land.h"
#include "device/listing.h"

struct gh_answer {
	struct gh_str name, asked, state; /* answered, denied, cut */
	int64_t status; /* -1: not told */
	uint64_t bytes;
	struct gh_str sha256, time, said;
};

/* A file that was dealt with: pulled or hashed-only. */
struct gh_done {
	struct gh_str path;
	struct gh_str state;
	uint64_t size;
	int64_t mtime;
	uint8_t sha256[32];
};

struct gh_journal {
	struct gh_arena arena;
	FILE *file, *log;
	struct gh_answer *answers;
	size_t n_answers, cap_answers;
	struct gh_done *done; /* sorted by path */
	size_t n_done;
	struct gh_str started;
};

enum gh_code gh_journal_open(struct gh_journal *j, struct gh_land *land, struct gh_err *err) GH_MUST;
void gh_journal_close(struct gh_journal *j);
/* UTC, in seconds; lies in the arena. */
struct gh_str gh_journal_now(struct gh_arena *arena);
/* One line of the log, with the time in front. Names in it are escaped by the caller. */
void gh_journal_say(struct gh_journal *j, const char *fmt, ...) GH_PRINTF(2, 3);
const struct gh_answer *gh_journal_answer(const struct gh_journal *j, const char *name);
bool gh_journal_add_answer(struct gh_journal *j, const struct gh_answer *answer);
const struct gh_done *gh_journal_done(const struct gh_journal *j, struct gh_str path);
bool gh_journal_add_done(struct gh_journal *j, const struct gh_found *f);

struct gh_pull_sum {
	uint64_t files, pulled, hashed, denied, left; /* paths; contents; denied paths; not tried or cut */
	uint64_t bytes, hashed_bytes; /* that came; that the phone hashed instead */
	uint64_t answered, refused; /* commands */
	uint64_t strange;
	bool listed; /* to the end */
	bool full, complete;
};

/* files.tsv (where the listing came to its end), acquisition.json, manifest.sha256, and its own hash as the last line of the log. */
enum gh_code gh_journal_finish(struct gh_journal *j, struct gh_land *land, const struct gh_listing *l,
	const struct gh_pull_sum *sum, const char *serial, const char *way, struct gh_err *err) GH_MUST;

#endif
