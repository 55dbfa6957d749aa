/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence that opens in its place, below a finding. */
#include <stdio.h>

#include "base/num.h"
#include "report/html.h"

static const char *const titles[GH_N_DETAILS] = {
	"What stands around it", "The bytes there", "The certificate", "What the app asks for and opens"};

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* Eight bytes a line: a telephone's screen holds no more. The field in question is marked. */
static void dump(struct gh_html *h, const struct gh_detail *d)
{
	enum { ROW = 8 };
	struct gh_str hex = d->line[0];
	for (size_t i = 0; i * 2 + 1 < hex.n; i += ROW) {
		size_t n = gh_min(ROW, hex.n / 2 - i);
		fprintf(h->to, "%08llx ", (unsigned long long)d->from + i);
		for (size_t k = 0; k < ROW; k++) {
			int64_t here = d->from + (int64_t)(i + k);
			bool mark = k < n && here >= d->mark && here < d->mark + d->mark_len;
			if (k < n)
				fprintf(h->to, " %s%.2s%s", mark ? "<mark>" : "", hex.p + (i + k) * 2,
					mark ? "</mark>" : "");
			else
				fputs("   ", h->to);
		}
		fputs("  ", h->to);
		for (size_t k = 0; k < n; k++) {
			char c = (char)(digit(hex.p[(i + k) * 2]) << 4 | digit(hex.p[(i + k) * 2 + 1]));
			gh_html_text(h, c >= 0x20 && c < 0x7f ? gh_strn(&c, 1) : GH_STR("."));
		}
		putc('\n', h->to);
	}
}

void gh_html_detail(struct gh_html *h, const struct gh_finding *f)
{
	for (int kind = 0; kind < GH_N_DETAILS; kind++) {
		struct gh_mark mark = gh_arena_mark(&h->arena);
		struct gh_detail d;
		if (gh_detail(h->m, f, (enum gh_detail_kind)kind, &h->arena, &d)) {
			fprintf(h->to, "<details class=\"ev\"><summary>%s</summary><pre>", titles[kind]);
			if (kind == GH_D_BYTES)
				dump(h, &d);
			for (size_t i = 0; kind != GH_D_BYTES && i < d.n; i++) {
				gh_html_cut(h, d.line[i]);
				putc('\n', h->to);
			}
			fputs("</pre></details>", h->to);
		}
		gh_arena_release(&h->arena, mark);
	}
}
