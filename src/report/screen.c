/* SPDX-License-Identifier: Apache-2.0 */
/* Filling and printing a first screen. */
#include "report/screen.h"

#include <string.h>

#include "base/num.h"
#include "report/model.h"
#include "report/wrap.h"

void gh_screen_put(struct gh_screen *t, struct gh_str s, unsigned first, unsigned indent, const char *paint)
{
	for (unsigned in = first; t->n < t->max && (s.n || in == first); in = indent) {
		size_t n = t->width ? gh_fit(s, gh_max(t->width, GH_SCREEN_NARROW) - in) : s.n;
		struct gh_str part = gh_strn(s.p, n);
		while (part.n && part.p[part.n - 1] == ' ')
			part.n--;
		t->paint[t->n] = in == first ? paint : NULL;
		t->line[t->n++] = gh_str_fmt(t->arena, "%*s%.*s", (int)in, "", (int)part.n, part.p);
		s = gh_strn(s.p + n, s.n - n);
		if (!s.n)
			return;
	}
}

void gh_screen_print(const struct gh_screen *t, FILE *to)
{
	for (size_t i = 0; i < t->n; i++) {
		struct gh_str s = gh_shown(t->arena, t->line[i]); /* the last gate: nothing raw passes it */
		const char *blank = s.n ? memchr(s.p, ' ', s.n) : NULL;
		size_t painted = t->whole[i] || !blank ? s.n : (size_t)(blank - s.p);
		bool paint = t->color && t->paint[i];
		fprintf(to, "%s%.*s%s%.*s\n", paint ? t->paint[i] : "", (int)painted, s.n ? s.p : "",
			paint ? "\033[0m" : "", (int)(s.n - painted), s.n ? s.p + painted : "");
	}
}
