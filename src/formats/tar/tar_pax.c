/* SPDX-License-Identifier: Apache-2.0 */
/* tar: the records of a pax extended header (POSIX.1-2001, "pax Extended Header"), and those of GNU tar and star. */
#include "formats/tar/tar.h"

enum gh_code tar_text_put(struct gh_ctx *ctx, struct tar_text *t, size_t cap, struct gh_str s, struct gh_err *err)
{
	if (!t->p) {
		t->p = gh_alloc_raw(ctx->arena, cap);
		if (!t->p)
			return gh_fail(err, GH_NOMEM, 0, "no memory for a path");
		t->cap = cap;
	}
	t->n = (size_t)gh_min(s.n, t->cap);
	t->cut = t->n < s.n;
	t->set = true;
	if (t->n)
		memcpy(t->p, s.p, t->n);
	return GH_OK;
}

/* Decimal digits up to `end`, which is stepped over. */
static bool decimal(struct gh_str *s, char end, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i] == end && i) {
			s->p += i + 1;
			s->n -= i + 1;
			return true;
		}
		unsigned digit = (unsigned char)s->p[i] - (unsigned)'0';
		if (digit > 9 || !gh_mul(*ret, 10, ret) || !gh_add(*ret, digit, ret))
			return false;
	}
	return false;
}

/* Seconds, with a sign and a fraction that is dropped towards the past. */
static bool seconds(struct gh_str s, int64_t *ret)
{
	bool minus = s.n && s.p[0] == '-';
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	struct gh_str whole = {s.p + minus, (dot ? (size_t)(dot - s.p) : s.n) - minus};
	uint64_t v;
	if (!gh_str_u64(whole, 10, &v) || v > INT64_MAX - 1)
		return false;
	*ret = minus ? -(int64_t)v - (dot != NULL) : (int64_t)v;
	return true;
}

/* struct vfs_cap_data: the permitted set. */
static uint64_t permitted(struct gh_str s)
{
	struct gh_cursor c = gh_cursor(s.p, s.n, 0);
	uint32_t revision = gh_u32(&c) >> 24;
	uint64_t low = gh_u32(&c);
	gh_skip(&c, 4);
	uint64_t high = revision > 1 ? gh_u32(&c) : 0;
	return c.bad || !revision || revision > 3 ? 0 : low | high << 32;
}

static bool number32(struct gh_str s, uint32_t *ret)
{
	uint64_t v;
	if (!gh_str_u64(s, 10, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* One record. False: its value is none of its kind. */
static bool record_number(struct tar_entry *e, struct gh_str key, struct gh_str value, unsigned *set)
{
	if (gh_str_is(key, "size")) {
		*set |= TAR_SET_SIZE;
		return gh_str_u64(value, 10, &e->size);
	}
	if (gh_str_is(key, "uid")) {
		*set |= TAR_SET_UID;
		return number32(value, &e->uid);
	}
	if (gh_str_is(key, "gid")) {
		*set |= TAR_SET_GID;
		return number32(value, &e->gid);
	}
	if (gh_str_is(key, "mtime")) {
		*set |= TAR_SET_MTIME;
		return seconds(value, &e->mtime);
	}
	if (gh_str_is(key, "SCHILY.xattr.security.capability"))
		e->caps = permitted(value);
	e->sparse |= gh_str_starts(key, "GNU.sparse.");
	return true;
}

static enum gh_code record_text(
	struct gh_ctx *ctx, struct tar *t, struct gh_str key, struct gh_str value, bool *named, struct gh_err *err)
{
	if (gh_str_is(key, "GNU.sparse.name")) {
		*named = true; /* the path beside it is a made-up one for other readers */
		return tar_text_put(ctx, &t->path, TAR_PATH_MAX, value, err);
	}
	if (gh_str_is(key, "path") && !*named)
		return tar_text_put(ctx, &t->path, TAR_PATH_MAX, value, err);
	if (gh_str_is(key, "linkpath"))
		return tar_text_put(ctx, &t->link, TAR_PATH_MAX, value, err);
	if (gh_str_is(key, "SCHILY.xattr.security.selinux") || gh_str_is(key, "RHT.security.selinux")) {
		value.n = strnlen(value.p, value.n);
		return tar_text_put(ctx, &t->label, TAR_LABEL_MAX, value, err);
	}
	return GH_OK;
}

/* Splits "LEN KEY=VALUE\n" off. */
static bool record_split(struct gh_str *rest, struct gh_str *key, struct gh_str *value)
{
	struct gh_str s = *rest;
	uint64_t len;
	if (!decimal(&s, ' ', &len) || len > rest->n)
		return false;
	size_t head = rest->n - s.n;
	if (len < head + 2)
		return false;
	s.n = (size_t)len - head;
	const char *eq = memchr(s.p, '=', s.n);
	if (!eq || s.p[s.n - 1] != '\n')
		return false;
	*key = gh_strn(s.p, (size_t)(eq - s.p));
	*value = gh_strn(eq + 1, s.n - key->n - 2);
	rest->p += len;
	rest->n -= (size_t)len;
	return true;
}

enum gh_code tar_pax_read(struct gh_ctx *ctx, struct tar *t, const uint8_t *p, size_t n, uint64_t at,
	struct tar_entry *e, unsigned *set, struct gh_err *err)
{
	bool named = false;
	struct gh_str rest = gh_strn(p, n), key, value;
	while (rest.n && rest.p[0]) {
		uint64_t here = at + (n - rest.n);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, here, err);
		if (code)
			return code;
		bool ok = record_split(&rest, &key, &value);
		if (ok)
			code = record_text(ctx, t, key, value, &named, err);
		if (code)
			return code;
		if (!(ok && record_number(e, key, value, set)) && !t->quiet)
			gh_note(ctx, GH_BAD, here, "a pax record is damaged");
		if (!ok)
			break;
	}
	return GH_OK;
}
