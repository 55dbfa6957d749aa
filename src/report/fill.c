/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders of a rule's text: {input} {image} {path} {dpath} {sha256} {offset}. In commands the names come from the phone, so
 * they are quoted for bash (QUOTING in bash(1)): a name can neither end its word nor hide what the command does. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "report/model.h"

struct out {
	char *p;
	size_t n, cap;
};

static void put(struct out *o, const char *p, size_t n)
{
	if (n <= o->cap - o->n) {
		memcpy(o->p + o->n, p, n);
		o->n += n;
	}
}

static void put_z(struct out *o, const char *z)
{
	put(o, z, strlen(z));
}

static bool harmless(struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-", s.p[i]) ||
			!s.p[i])
			return false;
	return s.n > 0 && *s.p != '-';
}

/* Does escaping for a screen change it? Then bash has to be told the bytes. */
static bool plain(struct gh_arena *arena, struct gh_str s)
{
	return gh_str_eq(gh_shown(arena, s), s);
}

/* Inside single quotes, without the quotes themselves. */
static void put_single(struct out *o, struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			put_z(o, "'\\''");
		else
			put(o, s.p + i, 1);
}

/* Inside $'…': every byte that is not printable ASCII by its number. */
static void put_ansi(struct out *o, struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		char buf[8];
		bool ascii = c >= 0x20 && c < 0x7f;
		snprintf(buf, sizeof buf, c == '\'' || c == '\\' ? "\\%c" : ascii ? "%c" : "\\%03o", c);
		put_z(o, buf);
	}
}

/* quote: 0, or the quote that the template has open at this point. */
static void put_word(struct out *o, struct gh_arena *arena, struct gh_str s, char quote)
{
	if (harmless(s)) {
		put(o, s.p, s.n);
		return;
	}
	if (quote == '\'' && plain(arena, s)) {
		put_single(o, s);
		return;
	}
	if (quote)
		put(o, &quote, 1);
	if (plain(arena, s)) {
		put_z(o, "'");
		put_single(o, s);
	} else {
		put_z(o, "$'");
		put_ansi(o, s);
	}
	put_z(o, "'");
	if (quote)
		put(o, &quote, 1);
}

struct gh_str gh_shell_word(struct gh_arena *arena, struct gh_str s)
{
	size_t cap = s.n * 4 + 16;
	struct out o = {gh_alloc_raw(arena, cap), 0, cap};
	if (!o.p)
		return GH_STR("");
	put_word(&o, arena, s, 0);
	return gh_strn(o.p, o.n);
}

/* The value of a placeholder; an upper-case word is left for the reader to fill in where it is not known. */
static struct gh_str value(struct gh_arena *arena, const struct gh_finding *f, struct gh_str name)
{
	const struct {
		const char *name, *unknown;
		struct gh_str value;
	} list[] = {{"input", "INPUT", f->input}, {"image", "IMAGE", f->image}, {"path", "PATH", f->path},
		{"dpath", "PATH", f->dpath.p ? f->dpath : f->path}, {"sha256", "SHA256", f->sha256}};
	if (gh_str_is(name, "offset"))
		return gh_str_fmt(arena, "%lld", f->at == GH_NULL ? 1LL : (long long)f->at);
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (gh_str_is(name, list[i].name))
			return list[i].value.n ? list[i].value : gh_str(list[i].unknown);
	return GH_NONE;
}

static bool placeholder(struct gh_str s, size_t i, struct gh_str *ret_name)
{
	if (s.p[i] != '{')
		return false;
	const char *end = memchr(s.p + i, '}', s.n - i);
	if (!end)
		return false;
	*ret_name = gh_strn(s.p + i + 1, (size_t)(end - s.p) - i - 1);
	for (size_t k = 0; k < ret_name->n; k++)
		if ((ret_name->p[k] < 'a' || ret_name->p[k] > 'z') && (ret_name->p[k] < '0' || ret_name->p[k] > '9'))
			return false;
	return ret_name->n > 0;
}

/* Room for a template filled in: every name may be quoted byte by byte. */
static struct out room(struct gh_arena *arena, struct gh_str text, const struct gh_finding *f)
{
	size_t longest = f->input.n + f->image.n + f->path.n + f->dpath.n + f->sha256.n + f->place.n + 64, holes = 1;
	for (size_t i = 0; i < text.n; i++)
		holes += text.p[i] == '{';
	size_t cap = text.n + holes * (longest * 4 + 16);
	struct out o = {gh_alloc_raw(arena, cap), 0, cap};
	if (!o.p)
		o.cap = 0;
	return o;
}

/* `gifthorse cat INPUT PATH` takes a place as the report prints it, since a path alone may lie in two images. */
struct gh_str gh_verify(struct gh_arena *arena, const struct gh_finding *f)
{
	struct gh_str t = f->rule->verify, name;
	struct out o = room(arena, t, f);
	char quote = 0;
	bool after_input = false;
	for (size_t i = 0; i < t.n && o.p; i++) {
		if (placeholder(t, i, &name) && value(arena, f, name).p) {
			bool place = after_input && gh_str_is(name, "path") && f->path.n;
			put_word(&o, arena, place ? f->place : value(arena, f, name), quote);
			after_input = gh_str_is(name, "input");
			i += name.n + 1;
			continue;
		}
		if (t.p[i] != ' ')
			after_input = false;
		if (t.p[i] == quote)
			quote = 0;
		else if (!quote && (t.p[i] == '\'' || t.p[i] == '"'))
			quote = t.p[i];
		put(&o, t.p + i, 1);
	}
	return o.p ? gh_strn(o.p, o.n) : GH_STR("");
}

struct gh_str gh_next(struct gh_arena *arena, const struct gh_finding *f)
{
	struct gh_str t = f->rule->next, name;
	struct out o = room(arena, t, f);
	for (size_t i = 0; i < t.n && o.p; i++) {
		if (placeholder(t, i, &name) && value(arena, f, name).p) {
			struct gh_str v = value(arena, f, name);
			put(&o, v.p, v.n);
			i += name.n + 1;
		} else {
			put(&o, t.p + i, 1);
		}
	}
	return o.p ? gh_strn(o.p, o.n) : GH_STR("");
}

/* Up to the full stop that ends the first sentence. */
static struct gh_str sentence(struct gh_str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '.' && (s.p[i + 1] == ' ' || s.p[i + 1] == '\n'))
			return gh_strn(s.p, i + 1);
	return s;
}

struct gh_str gh_next_short(struct gh_arena *arena, const struct gh_finding *f)
{
	struct gh_str all = gh_next(arena, f), first = sentence(all);
	struct gh_str rest = gh_str_trim(gh_strn(all.p + first.n, all.n - first.n));
	/* That evidence is kept first is said once for all findings. */
	bool keep = gh_str_starts(first, "Keep the firmware file") || gh_str_starts(first, "Keep the capture");
	if (!keep || !rest.n)
		return first;
	first = sentence(rest);
	return gh_str_starts(first, "Then ") && first.n > 6
		       ? gh_str_fmt(arena, "%c%.*s", first.p[5] - ('a' <= first.p[5] && first.p[5] <= 'z' ? 32 : 0),
				 (int)first.n - 6, first.p + 6)
		       : first;
}
