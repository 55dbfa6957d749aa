/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a text. */
#include "base/lines.h"

struct gh_lines gh_lines(const void *p, size_t n)
{
	struct gh_lines l = {.all = gh_strn(p ? p : "", n)};
	l.rest = l.all;
	if (gh_str_starts(l.rest, "\xef\xbb\xbf"))
		l.rest = gh_strn(l.rest.p + 3, l.rest.n - 3);
	return l;
}

bool gh_lines_next(struct gh_lines *l)
{
	l->at = (uint64_t)(l->rest.p - l->all.p);
	if (!gh_str_line(&l->rest, &l->line))
		return false;
	if (l->line.n && l->line.p[l->line.n - 1] == '\r')
		l->line.n--;
	l->number++;
	return true;
}
