/* SPDX-License-Identifier: Apache-2.0 */
/* The report: one model read from the facts database, and its forms. Every form says the same: same findings, same order, same
 * words for certainty and witness. Nothing here reads the input. */
#ifndef GH_REPORT_REPORT_H
#define GH_REPORT_REPORT_H

#include <stdio.h>

#include "facts/db.h"

struct gh_report_style {
	bool color;
	unsigned width; /* of the screen; 0: do not wrap */
	const char *fail_on; /* severity */
	const char *db; /* name of the facts database for "where the rest is", or NULL */
	bool redact; /* for sharing: without what tells of a person or of one unit */
	const char *html; /* name of the HTML report written in the same run, or NULL */
};

/* First screen: at most 24 lines. */
enum gh_code gh_report_text(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err) GH_MUST;
/* What was verified and what no signature covers, as a table. */
enum gh_code gh_report_integrity(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err) GH_MUST;
enum gh_code gh_report_json(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err) GH_MUST;
enum gh_code gh_report_html(
	struct gh_db *db, int64_t scan, const struct gh_report_style *style, FILE *to, struct gh_err *err) GH_MUST;

/* Coverage by bytes; *ret_strays: there are bytes that nothing claims. */
enum gh_code gh_report_cover(struct gh_db *db, int64_t scan, bool *ret_strays, FILE *to, struct gh_err *err) GH_MUST;

/* What the exit code has to say: findings at or above the level; anything damaged, missing, over a limit or stopped. */
enum gh_code gh_report_outcome(struct gh_db *db, int64_t scan, const char *fail_on, bool *ret_findings,
	bool *ret_incomplete, struct gh_err *err) GH_MUST;

#endif
