/* SPDX-License-Identifier: Apache-2.0 */
/* tar: one entry with the extension headers before it (POSIX.1-2001 pax, ustar; GNU tar manual, "Basic Tar Format"). */
#include "formats/tar/tar.h"

/* The fields of a header block. */
struct block {
	struct gh_str name, link, prefix;
	uint64_t mode, uid, gid, size, mtime, major, minor;
	char type;
	bool odd; /* a number is none */
	bool extended; /* GNU sparse: more of the map follows */
	bool gnu_sparse;
};

/* A number field: octal text, or base 256 when its first bit is set (two's complement, big endian). */
static bool number(const uint8_t *p, size_t n, uint64_t *ret)
{
	size_t i = 0;
	*ret = 0;
	if (p[0] & 0x80) {
		uint64_t v = p[0] & 0x40 ? UINT64_MAX : p[0] & 0x3f;
		for (i = 1; i < n; i++)
			v = v << 8 | p[i];
		*ret = v;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		*ret = *ret << 3 | (unsigned)(p[i] - '0');
	return i == n || p[i] == ' ' || p[i] == 0;
}

bool tar_header_ok(const uint8_t p[TAR_BLOCK])
{
	uint64_t stated, sum = 0;
	int64_t sum_signed = 0;
	if (!number(p + 148, 8, &stated) || !p[0])
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		uint8_t b = i >= 148 && i < 156 ? ' ' : p[i];
		sum += b;
		sum_signed += (int8_t)b; /* some old writers summed signed characters */
	}
	return sum == stated || (sum_signed >= 0 && (uint64_t)sum_signed == stated);
}

static uint64_t field(struct gh_cursor *c, size_t n, bool *odd)
{
	uint64_t v = 0;
	const uint8_t *p = gh_bytes(c, n);
	if (p && !number(p, n, &v))
		*odd = true;
	return v;
}

static struct block block_parse(const uint8_t *p, uint64_t at)
{
	struct block b = {0};
	struct gh_cursor c = gh_cursor(p, TAR_BLOCK, at);
	b.name = gh_text(&c, 100);
	b.mode = field(&c, 8, &b.odd);
	b.uid = field(&c, 8, &b.odd);
	b.gid = field(&c, 8, &b.odd);
	b.size = field(&c, 12, &b.odd);
	b.mtime = field(&c, 12, &b.odd);
	gh_skip(&c, 8);
	b.type = (char)gh_u8(&c);
	b.link = gh_text(&c, 100);
	const uint8_t *magic = gh_bytes(&c, 8);
	bool posix = !memcmp(magic, "ustar\0", 6), gnu = !memcmp(magic, "ustar  ", 7);
	gh_skip(&c, 64);
	if (posix || gnu) {
		bool ignored = false; /* many writers leave these empty */
		b.major = field(&c, 8, &ignored);
		b.minor = field(&c, 8, &ignored);
	}
	if (posix)
		b.prefix = gh_text(&c, 155);
	b.gnu_sparse = b.type == 'S';
	if (b.gnu_sparse) {
		gh_seek(&c, 482);
		b.extended = gh_u8(&c) != 0;
	}
	return b;
}

static bool is_zero(const uint8_t *p)
{
	return !p[0] && !memcmp(p, p + 1, TAR_BLOCK - 1);
}

static bool is_extension(char type)
{
	return type == 'L' || type == 'K' || type == 'x' || type == 'X' || type == 'g';
}

/* Does a header of this type own the bytes that its size field counts? */
static enum gh_code has_data(
	struct gh_ctx *ctx, struct tar *t, const struct block *b, uint64_t data, bool *ret, struct gh_err *err)
{
	const uint8_t *p;
	*ret = !(b->type >= '2' && b->type <= '6');
	if (b->type != '1' || !b->size)
		return GH_OK;
	/* Some writers state the size of a hard link's content there, and only some of them write the content. */
	if (!gh_within(data, TAR_BLOCK, t->src->size)) {
		*ret = false;
		return GH_OK;
	}
	enum gh_code code = gh_window_get(&t->window, ctx->arena, data, TAR_BLOCK, &p, err);
	*ret = code == GH_OK && !tar_header_ok(p) && !is_zero(p);
	return code;
}

static void note(struct gh_ctx *ctx, struct tar *t, enum gh_code code, uint64_t at, const char *what)
{
	if (!t->quiet)
		gh_note(ctx, code, at, "%s", what);
}

/* Takes over what an extension header says. */
static enum gh_code extension(struct gh_ctx *ctx, struct tar *t, char type, uint64_t at, size_t n, struct tar_entry *e,
	unsigned *set, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_window_get(&t->window, ctx->arena, at, n, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, n, at);
	if (type == 'L')
		return tar_text_put(ctx, &t->path, TAR_PATH_MAX, gh_text(&c, n), err);
	if (type == 'K')
		return tar_text_put(ctx, &t->link, TAR_PATH_MAX, gh_text(&c, n), err);
	if (type != 'g')
		return tar_pax_read(ctx, t, p, n, at, e, set, err);
	struct tar_entry none = {0};
	unsigned global = 0;
	struct tar_text path = t->path, link = t->link, label = t->label;
	t->path.set = t->link.set = t->label.set = false;
	code = tar_pax_read(ctx, t, p, n, at, &none, &global, err);
	if (code == GH_OK && (global || t->path.set || t->link.set || t->label.set))
		note(ctx, t, GH_UNSUP, at, "attributes for all entries to come (a global pax header) are not applied");
	t->path.set = path.set && !t->path.set;
	t->link.set = link.set && !t->link.set;
	t->label.set = label.set && !t->label.set;
	return code;
}

/* The rest of a sparse map in GNU's old format: blocks before the data. */
static enum gh_code skip_map(struct gh_ctx *ctx, struct tar *t, uint64_t *at, struct gh_err *err)
{
	for (bool more = true; more; *at += TAR_BLOCK) {
		const uint8_t *p;
		enum gh_code code = gh_spend_steps(ctx->budget, 1, *at, err);
		if (code == GH_OK)
			code = gh_window_get(&t->window, ctx->arena, *at, TAR_BLOCK, &p, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(p, TAR_BLOCK, *at);
		gh_seek(&c, 504);
		more = gh_u8(&c) != 0;
	}
	return GH_OK;
}

static enum gh_code names(struct gh_ctx *ctx, struct tar *t, const struct block *b, struct gh_err *err)
{
	char joined[260];
	struct gh_str name = b->name;
	enum gh_code code = GH_OK;
	if (b->prefix.n) {
		memcpy(joined, b->prefix.p, b->prefix.n);
		joined[b->prefix.n] = '/';
		memcpy(joined + b->prefix.n + 1, b->name.p, b->name.n);
		name = gh_strn(joined, b->prefix.n + 1 + b->name.n);
	}
	if (!t->path.set)
		code = tar_text_put(ctx, &t->path, TAR_PATH_MAX, name, err);
	if (code == GH_OK && !t->link.set)
		code = tar_text_put(ctx, &t->link, TAR_PATH_MAX, b->link, err);
	return code;
}

/* The entry's own header; `set` says which fields extension headers gave. */
static enum gh_code own_header(struct gh_ctx *ctx, struct tar *t, const struct block *b, uint64_t at, unsigned set,
	struct tar_entry *e, struct gh_err *err)
{
	bool owns;
	e->at = at;
	e->data = at + TAR_BLOCK;
	e->type = b->type;
	e->odd = b->odd;
	e->mode = (uint32_t)b->mode & 07777;
	e->uid = set & TAR_SET_UID ? e->uid : (uint32_t)b->uid;
	e->gid = set & TAR_SET_GID ? e->gid : (uint32_t)b->gid;
	e->mtime = set & TAR_SET_MTIME ? e->mtime : (int64_t)b->mtime;
	e->size = set & TAR_SET_SIZE ? e->size : b->size;
	e->major = (uint32_t)b->major;
	e->minor = (uint32_t)b->minor;
	e->sparse |= b->gnu_sparse;
	enum gh_code code = names(ctx, t, b, err);
	if (code == GH_OK && b->extended)
		code = skip_map(ctx, t, &e->data, err);
	if (code == GH_OK)
		code = has_data(ctx, t, b, e->data, &owns, err);
	if (code)
		return code;
	if (!owns)
		e->size = 0;
	if (!gh_add(e->data, e->size, &e->next) || !gh_align(e->next, TAR_BLOCK, &e->next))
		e->next = UINT64_MAX;
	e->next = gh_min(e->next, t->src->size);
	return GH_OK;
}

/* The header block at `at`, checked. GH_END where the archive ends. */
static enum gh_code block_get(struct gh_ctx *ctx, struct tar *t, uint64_t at, struct block *ret, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
	if (code == GH_OK && at >= t->src->size)
		code = GH_END;
	if (code == GH_OK)
		code = gh_window_get(&t->window, ctx->arena, at, TAR_BLOCK, &p, err);
	if (code)
		return code;
	if (is_zero(p))
		return GH_END;
	if (!tar_header_ok(p))
		return gh_fail(err, GH_BAD, at, "the checksum of a tar header is wrong");
	*ret = block_parse(p, at);
	return GH_OK;
}

enum gh_code tar_entry_read(struct gh_ctx *ctx, struct tar *t, uint64_t at, struct tar_entry *ret, struct gh_err *err)
{
	unsigned set = 0;
	*ret = (struct tar_entry){.start = at};
	t->path.set = t->link.set = t->label.set = false;
	for (unsigned i = 0; i < TAR_NESTING; i++) {
		struct block b = {0};
		uint64_t data = at + TAR_BLOCK, end;
		enum gh_code code = block_get(ctx, t, at, &b, err);
		if (code == GH_END && i)
			return gh_fail(err, GH_BAD, at, "an extension header without an entry");
		if (code)
			return code;
		if (!is_extension(b.type))
			return own_header(ctx, t, &b, at, set, ret, err);
		if (!gh_add(data, b.size, &end) || end > t->src->size || !gh_align(end, TAR_BLOCK, &end))
			return gh_fail(err, GH_SHORT, at, "an extension header is cut off");
		if (b.size > TAR_EXTRA_MAX)
			note(ctx, t, GH_LIMIT, at, "an extension header is longer than 1 MiB: not read");
		else
			code = extension(ctx, t, b.type, data, (size_t)b.size, ret, &set, err);
		if (code)
			return code;
		at = gh_min(end, t->src->size);
	}
	return gh_fail(err, GH_BAD, at, "more than %d extension headers before an entry", TAR_NESTING);
}
