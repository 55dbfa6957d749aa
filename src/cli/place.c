/* SPDX-License-Identifier: Apache-2.0 */
/* Names and places, as ls, cat and unpack print and take them. */
#include "cli/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

char gh_place_type(const struct gh_child *c)
{
	if (c->kind == GH_VOLUME)
		return 'v';
	if (c->kind == GH_MEMBER)
		return 'm';
	switch (c->attr.mode & 0170000) {
	case 0040000:
		return 'd';
	case 0120000:
		return 'l';
	case 0020000:
		return 'c';
	case 0060000:
		return 'b';
	case 0010000:
		return 'p';
	case 0140000:
		return 's';
	default:
		return '-';
	}
}

static struct gh_str join(struct gh_arena *arena, struct gh_str a, char glue, struct gh_str b)
{
	char *p = gh_alloc_raw(arena, a.n + b.n + 1);
	if (!p)
		return b;
	if (a.n)
		memcpy(p, a.p, a.n);
	p[a.n] = glue;
	if (b.n)
		memcpy(p + a.n + 1, b.p, b.n);
	return gh_strn(p, a.n + b.n + 1);
}

struct gh_str gh_place_name(struct gh_arena *arena, const struct gh_inside_at *at, const struct gh_child *child)
{
	if (child->kind == GH_FILE)
		return join(arena, at->image, ':', child->name);
	if (!at->up)
		return child->name;
	bool in_image = at->up->up && gh_str_starts(at->name, "/");
	return join(arena, in_image ? join(arena, at->up->image, ':', at->name) : at->name, '!', child->name);
}

/* PATH's image; n 0 where it names none. *ret_rest: what stands behind it. */
static struct gh_str image_in(const char *path, const char **ret_rest)
{
	size_t skip = strncmp(path, "apex:", 5) == 0 ? 5 : strncmp(path, "ramdisk:", 8) == 0 ? 8 : 0;
	size_t n = skip + strcspn(path + skip, ":");
	bool named = path[n] == ':' || skip;
	*ret_rest = named ? path + n + (path[n] == ':') : path;
	return gh_strn(path, named ? n : 0);
}

bool gh_place_below(const char *path, const struct gh_inside_at *at, const struct gh_child *child)
{
	if (!path)
		return true;
	const char *rest;
	struct gh_str image = image_in(path, &rest);
	return (!image.n || gh_str_eq(image, at->image)) && gh_str_starts(child->name, rest);
}

bool gh_place_leads(const char *path, const struct gh_inside_at *at, const struct gh_child *child)
{
	static const char *const shells[] = {"super", "image", "content", "userdata"};
	const char *rest;
	struct gh_str image = path ? image_in(path, &rest) : GH_NONE, stem = gh_inside_stem(child->name);
	if (!image.n || gh_str_starts(image, "apex:") || child->kind == GH_FILE)
		return true;
	if (gh_str_starts(image, "ramdisk:")) {
		if (gh_str_eq(image, at->image))
			return true;
		image = gh_strn(image.p + 8, image.n - 8);
	}
	for (size_t i = 0; i < GH_COUNT(shells); i++)
		if (gh_str_starts(stem, shells[i]))
			return true;
	/* An archive has any name; a partition's image has the name of its partition. */
	return gh_str_eq(stem, image) || (child->kind != GH_VOLUME && !gh_str_ends(child->name, ".img"));
}

bool gh_place_packs(const struct gh_format *format)
{
	return format &&
	       (format->packing || strcmp(format->name, "sparse") == 0 || strcmp(format->name, "newdat") == 0);
}

void gh_json_put(FILE *to, struct gh_str s)
{
	size_t cap = s.n * 4 + 1;
	char *buf = malloc(cap);
	size_t n = buf ? gh_escape(buf, cap, s) : 0;
	putc('"', to);
	for (size_t i = 0; i < n; i++) {
		if (buf[i] == '"' || buf[i] == '\\')
			putc('\\', to);
		putc(buf[i], to);
	}
	putc('"', to);
	free(buf);
}

void gh_json_name(FILE *to, const char *key, struct gh_str s)
{
	char *buf = malloc(s.n * 4 + 1);
	size_t n = buf ? gh_escape(buf, s.n * 4 + 1, s) : 0;
	bool plain = buf && n == s.n && !(s.n && memchr(s.p, '\\', s.n));
	fprintf(to, "\"%s\":", key);
	gh_json_put(to, s);
	if (!plain) {
		fprintf(to, ",\"%s_hex\":\"", key);
		for (size_t i = 0; i < s.n; i++)
			fprintf(to, "%02x", (uint8_t)s.p[i]);
		putc('"', to);
	}
	free(buf);
}
