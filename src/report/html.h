/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the HTML report. */
#ifndef GH_REPORT_HTML_H
#define GH_REPORT_HTML_H

#include "report/model.h"

struct gh_html {
	FILE *to;
	struct gh_model *m;
	struct gh_arena arena;
	size_t cap; /* rows of a table */
	size_t cell; /* bytes of a name or an excerpt */
};

/* Escaped text; gh_html_cut leaves the middle out when it is long; gh_html_name is for what the input calls something. */
void gh_html_text(struct gh_html *h, struct gh_str s);
void gh_html_cut(struct gh_html *h, struct gh_str s);
void gh_html_name(struct gh_html *h, struct gh_str s);
void gh_html_paragraphs(struct gh_html *h, struct gh_str s);
void gh_html_number(struct gh_html *h, int64_t n);
void gh_html_badge(struct gh_html *h, unsigned severity);

/* From the doctype to the opened body; `of` stands behind the title. */
void gh_html_head(struct gh_html *h, const char *title, struct gh_str of);

/* The page from top to bottom. */
void gh_html_top(struct gh_html *h);
void gh_html_watch(struct gh_html *h);
void gh_html_told(struct gh_html *h); /* of a running phone */
void gh_html_examined(struct gh_html *h);
void gh_html_detail(struct gh_html *h, const struct gh_finding *f); /* part of a finding's evidence */
void gh_html_bytes(struct gh_html *h); /* part of what was examined */
void gh_html_advice(struct gh_html *h);
void gh_html_traffic(struct gh_html *h);
void gh_html_findings(struct gh_html *h);
void gh_html_integrity(struct gh_html *h);
void gh_html_checks(struct gh_html *h);
void gh_html_inventory(struct gh_html *h);
void gh_html_method(struct gh_html *h);
/* Inside the inventory: parts of the hardware. */
void gh_html_inside(struct gh_html *h);

#endif
