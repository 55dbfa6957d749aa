/* SPDX-License-Identifier: Apache-2.0 */
/* FAT: the walk through the directories, depth first, in the order they are stored: entries of 32 bytes, those of a long name (VFAT)
 * before the short one, each with its number and the checksum of the short name. */
#include "formats/fat/fat.h"

enum {
	SHORT = 11,
	DELETED = 0xe5,
	KANJI = 0x05, /* stands for 0xe5 at the beginning of a name */
	LONG_LAST = 0x40, /* the first stored and last of a name */
	LONG_UNITS = 13, /* of a name in one entry */
	LONG_ENTRIES = 20,
	LOWER_BASE = 0x08, /* of byte 12: the name, or its ending, is in small letters */
	LOWER_END = 0x10,
	CLUSTER_MASK = 0x0fffffff,
};

struct frame {
	uint64_t at; /* of the entry to read next, in the image */
	uint64_t left; /* bytes from there to the end of the stretch */
	uint32_t cluster; /* of which the stretch is; 0: the root of FAT12 and FAT16 */
	uint32_t first; /* cluster of the directory */
	uint32_t entries; /* read */
	uint32_t path_len; /* without a final '/' */
};

/* A long name that is being put together. */
struct longname {
	unsigned left; /* entries to come */
	bool whole;
	uint8_t sum;
	uint64_t at; /* of its first entry */
	uint16_t unit[LONG_ENTRIES * LONG_UNITS];
	unsigned n; /* units of it, at most */
};

struct fat_walk {
	uint32_t depth; /* frames in use */
	uint32_t last_len; /* of the name just returned */
	struct longname name;
	struct frame frame[FAT_DEPTH_MAX];
	char path[FAT_PATH_MAX + 1];
};

struct raw_entry {
	uint64_t at;
	uint8_t b[FAT_ENTRY];
	uint8_t attributes;
	uint32_t cluster, size;
};

/* ---- stretches ---- */

static void frame_begin(const struct fat *fs, struct frame *f, uint32_t cluster)
{
	*f = (struct frame){.cluster = cluster, .first = cluster};
	f->at = cluster ? fat_place(fs, cluster) : fs->boot.root;
	f->left = cluster ? fs->boot.cluster : fs->boot.root_len;
}

/* On to the next cluster. GH_END: there is none. */
static enum gh_code frame_on(struct fat *fs, struct frame *f, struct gh_err *err)
{
	bool end = true;
	uint32_t next = 0;
	if (!f->cluster)
		return GH_END;
	enum gh_code code = fat_next(fs, f->cluster, &next, &end, err);
	if (code || end)
		return code ? code : GH_END;
	f->cluster = next;
	f->at = fat_place(fs, next);
	f->left = fs->boot.cluster;
	return GH_OK;
}

/* The next 32 bytes. GH_END: the directory is over. */
static enum gh_code raw_next(struct fat *fs, struct frame *f, struct raw_entry *e, struct gh_err *err)
{
	enum gh_code code = f->left < FAT_ENTRY ? frame_on(fs, f, err) : GH_OK;
	if (code)
		return code;
	if (f->entries++ == FAT_ENTRIES_MAX)
		return gh_fail(err, GH_LIMIT, f->at, "a directory of more than %d entries", FAT_ENTRIES_MAX);
	e->at = f->at;
	if ((code = fat_read(fs, f->at, e->b, sizeof e->b, err)))
		return code;
	f->at += FAT_ENTRY;
	f->left -= FAT_ENTRY;
	if (!e->b[0])
		return GH_END;
	struct gh_cursor c = gh_cursor(e->b, sizeof e->b, e->at);
	gh_seek(&c, SHORT);
	e->attributes = gh_u8(&c);
	gh_seek(&c, 20);
	uint32_t high = gh_u16(&c);
	gh_seek(&c, 26);
	e->cluster = (gh_u16(&c) | (fs->boot.bits == 32 ? high << 16 : 0)) & CLUSTER_MASK;
	e->size = gh_u32(&c);
	return GH_OK;
}

/* ---- names ---- */

static uint8_t sum_of(const uint8_t *name)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < SHORT; i++)
		sum = (uint8_t)((sum << 7 | sum >> 1) + name[i]);
	return sum;
}

static void long_lost(struct fat *fs, struct longname *l, const char *why)
{
	if (l->left || l->whole)
		gh_note(fs->ctx, GH_BAD, l->at, "a long name %s: it is not used", why);
	l->left = 0;
	l->whole = false;
}

static void long_entry(struct fat *fs, struct longname *l, const struct raw_entry *e)
{
	struct gh_cursor c = gh_cursor(e->b, sizeof e->b, e->at);
	unsigned order = gh_u8(&c), number = order & (LONG_LAST - 1);
	gh_seek(&c, 13);
	uint8_t sum = gh_u8(&c);
	if (order & LONG_LAST) {
		long_lost(fs, l, "has no short one");
		*l = (struct longname){.left = number, .sum = sum, .at = e->at, .n = number * LONG_UNITS};
		if (!number || number > LONG_ENTRIES) {
			l->left = 1;
			long_lost(fs, l, "has an impossible length");
			return;
		}
	} else if (!l->left || number != l->left || sum != l->sum) {
		if (!l->left && !l->whole)
			*l = (struct longname){.left = 1, .at = e->at};
		long_lost(fs, l, "is not in order");
		return;
	}
	static const uint8_t places[LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	for (unsigned i = 0; i < LONG_UNITS; i++) {
		gh_seek(&c, places[i]);
		l->unit[(number - 1) * LONG_UNITS + i] = gh_u16(&c);
	}
	l->left = number - 1;
	l->whole = !l->left;
}

/* A character as UTF-8; half a surrogate pair as if it were one. */
static size_t put(char *p, uint32_t u)
{
	if (u < 0x80) {
		p[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		p[0] = (char)(0xc0 | u >> 6);
		p[1] = (char)(0x80 | (u & 63));
		return 2;
	}
	if (u < 0x10000) {
		p[0] = (char)(0xe0 | u >> 12);
		p[1] = (char)(0x80 | (u >> 6 & 63));
		p[2] = (char)(0x80 | (u & 63));
		return 3;
	}
	p[0] = (char)(0xf0 | u >> 18);
	p[1] = (char)(0x80 | (u >> 12 & 63));
	p[2] = (char)(0x80 | (u >> 6 & 63));
	p[3] = (char)(0x80 | (u & 63));
	return 4;
}

/* At most FAT_NAME_MAX bytes; 0: it has more than 255 characters of 16 bits, or none. */
static size_t long_text(const struct longname *l, char *out)
{
	unsigned units = 0;
	size_t n = 0;
	while (units < l->n && l->unit[units])
		units++;
	if (units > FAT_NAME_MAX / 3)
		return 0;
	for (unsigned i = 0; i < units; i++) {
		uint32_t u = l->unit[i];
		bool pair = u >= 0xd800 && u < 0xdc00 && i + 1 < units && l->unit[i + 1] >= 0xdc00 &&
			    l->unit[i + 1] < 0xe000;
		if (pair)
			u = 0x10000 + ((u - 0xd800) << 10) + (l->unit[++i] - 0xdc00u);
		n += put(out + n, u);
	}
	return n;
}

static char lower(uint8_t c, bool yes)
{
	return (char)(yes && c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* NAME.END of a short entry. Bytes above 127 are of a code page that nothing tells, and stay as they are. */
static size_t short_text(const uint8_t *b, char *out)
{
	size_t n = 0, base = 8, end = 3;
	while (base && b[base - 1] == ' ')
		base--;
	while (end && b[8 + end - 1] == ' ')
		end--;
	for (size_t i = 0; i < base; i++)
		out[n++] = lower(!i && b[0] == KANJI ? DELETED : b[i], b[12] & LOWER_BASE);
	if (end)
		out[n++] = '.';
	for (size_t i = 0; i < end; i++)
		out[n++] = lower(b[8 + i], b[12] & LOWER_END);
	return n;
}

static bool name_good(const char *p, size_t n)
{
	bool dots = (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
	return n && !dots && !memchr(p, '/', n) && !memchr(p, 0, n);
}

static size_t name_of(struct fat *fs, const struct raw_entry *e, char *out)
{
	struct longname *l = &fs->walk->name;
	size_t n = 0;
	if (l->whole && l->sum != sum_of(e->b))
		long_lost(fs, l, "belongs to another short one");
	else if (l->left)
		long_lost(fs, l, "is not complete");
	if (l->whole && !(n = long_text(l, out)))
		long_lost(fs, l, "is too long");
	l->whole = false;
	return n ? n : short_text(e->b, out);
}

/* ---- times ---- */

/* Local time of a zone that nothing tells, here as if it were UTC; 0: none. */
static int64_t time_of(const struct raw_entry *e)
{
	struct gh_cursor c = gh_cursor(e->b, sizeof e->b, e->at);
	gh_seek(&c, 22);
	unsigned t = gh_u16(&c), d = gh_u16(&c);
	int64_t year = 1980 + (d >> 9), month = d >> 5 & 15, day = d & 31;
	if (month < 1 || month > 12 || day < 1)
		return 0;
	/* Days since 1970: years that begin in March have their leap day at the end. */
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
	return days * 86400 + (t >> 11) * 3600 + (t >> 5 & 63) * 60 + (t & 31) * 2;
}

/* ---- the walk ---- */

/* "." and "..": not children, but they must say what they say. */
static bool dots(struct fat *fs, const struct raw_entry *e)
{
	static const uint8_t one[SHORT] = ".          ", two[SHORT] = "..         ";
	const struct fat_walk *w = fs->walk;
	const struct frame *f = &w->frame[w->depth - 1];
	bool self = memcmp(e->b, one, SHORT) == 0, up = memcmp(e->b, two, SHORT) == 0;
	if (!self && !up)
		return false;
	uint32_t want = self ? f->first : w->depth > 2 ? (f - 1)->first : 0;
	if (w->depth < 2)
		gh_note(fs->ctx, GH_BAD, e->at, "the root directory has an entry '%s'", self ? "." : "..");
	else if (e->cluster != want &&
		 !(up && w->depth == 2 && e->cluster == fs->boot.root_cluster && fs->boot.bits == 32))
		gh_note(fs->ctx, GH_BAD, e->at, "'%s' of a directory leads to cluster %u, not to %u", self ? "." : "..",
			e->cluster, want);
	return true;
}

/* One entry that is neither deleted nor of a name; *ret_found, unless it is none of the files. */
static void entry(struct fat *fs, const struct raw_entry *e, struct fat_entry *ret, bool *ret_found)
{
	struct fat_walk *w = fs->walk;
	const struct frame *f = &w->frame[w->depth - 1];
	if (e->attributes & FAT_LABEL || dots(fs, e)) {
		long_lost(fs, &w->name, "has no file");
		return;
	}
	/* A frame less than FAT_DEPTH_MAX deep: its path and one name more fit. */
	char *name = w->path + f->path_len + 1;
	size_t n = name_of(fs, e, name);
	w->path[f->path_len] = '/';
	if (!name_good(name, n)) {
		gh_note(fs->ctx, GH_BAD, e->at, "an impossible name of %zu bytes", n);
		return;
	}
	w->last_len = (uint32_t)n;
	*ret = (struct fat_entry){.at = e->at,
		.path = gh_strn(w->path, f->path_len + 1 + n),
		.attributes = e->attributes,
		.cluster = e->cluster,
		.size = e->size,
		.mtime = time_of(e)};
	*ret_found = true;
}

static enum gh_code walk_step(struct fat *fs, struct fat_entry *ret, bool *ret_found, struct gh_err *err)
{
	struct fat_walk *w = fs->walk;
	struct raw_entry e;
	struct gh_err bad;
	enum gh_code code = raw_next(fs, &w->frame[w->depth - 1], &e, &bad);
	if (code == GH_IO || code == GH_NOMEM)
		return gh_fail(err, code, bad.at, "%s", bad.what);
	if (code) {
		if (code != GH_END)
			gh_note(fs->ctx, code, bad.at, "a directory: %.100s", bad.what);
		long_lost(fs, &w->name, "has no short one");
		w->depth--;
	} else if (e.b[0] == DELETED) {
		fs->deleted++;
		long_lost(fs, &w->name, "has no short one");
	} else if ((e.attributes & 0x3f) == FAT_LONG) {
		long_entry(fs, &w->name, &e);
	} else {
		entry(fs, &e, ret, ret_found);
	}
	return GH_OK;
}

enum gh_code fat_walk_begin(struct fat *fs, struct gh_err *err)
{
	struct fat_walk *w = gh_alloc_raw(fs->ctx->arena, sizeof *w);
	uint64_t clusters;
	struct gh_err bad;
	/* What is stated may be far more than is there. */
	uint64_t there = fs->src->size > fs->boot.data ? (fs->src->size - fs->boot.data) / fs->boot.cluster + 1 : 0;
	fs->n_taken = FAT_FIRST + gh_min(there, fs->boot.clusters);
	fs->taken = gh_alloc(fs->ctx->arena, (size_t)(fs->n_taken / 8 + 1));
	if (!w || !fs->taken)
		return gh_fail(err, GH_NOMEM, 0, "no memory to walk the directories");
	memset(w, 0, offsetof(struct fat_walk, path));
	fs->walk = w;
	bool wide = fs->boot.bits == 32;
	if (wide && !fat_valid(fs, fs->boot.root_cluster))
		return gh_fail(err, GH_BAD, 44, "the root directory begins with cluster %u, which is none",
			fs->boot.root_cluster);
	if (wide && fat_take(fs, fs->boot.root_cluster, UINT64_MAX, &clusters, &bad))
		gh_note(fs->ctx, bad.code, bad.at, "the root directory: %.100s", bad.what);
	frame_begin(fs, &w->frame[w->depth++], wide ? fs->boot.root_cluster : 0);
	return GH_OK;
}

enum gh_code fat_walk_next(struct fat *fs, struct fat_entry *ret, struct gh_err *err)
{
	while (fs->walk->depth) {
		bool found = false;
		enum gh_code code = gh_spend_steps(fs->ctx->budget, 1, 0, err);
		if (code == GH_OK)
			code = walk_step(fs, ret, &found, err);
		if (code || found)
			return code;
	}
	return GH_END;
}

void fat_walk_enter(struct fat *fs, const struct fat_entry *dir)
{
	struct fat_walk *w = fs->walk;
	struct frame *up = &w->frame[w->depth - 1];
	struct gh_err bad;
	uint64_t clusters;
	if (w->depth == FAT_DEPTH_MAX) {
		gh_note(fs->ctx, GH_LIMIT, dir->at, "more than %d directories inside each other", FAT_DEPTH_MAX);
		return;
	}
	enum gh_code code = fat_take(fs, dir->cluster, UINT64_MAX, &clusters, &bad);
	if (code)
		gh_note(fs->ctx, code, dir->at, "directory %.*s: %.60s", (int)gh_min(dir->path.n, 40), dir->path.p,
			bad.what);
	if (code && !clusters)
		return; /* its first cluster is another's: it was, or will be, looked at there */
	frame_begin(fs, &w->frame[w->depth++], dir->cluster);
	w->frame[w->depth - 1].path_len = up->path_len + 1 + w->last_len;
}

bool fat_label(struct fat *fs, char label[11])
{
	struct frame f;
	struct raw_entry e;
	bool wide = fs->boot.bits == 32;
	if (wide && !fat_valid(fs, fs->boot.root_cluster))
		return false;
	frame_begin(fs, &f, wide ? fs->boot.root_cluster : 0);
	while (!gh_spend_steps(fs->ctx->budget, 1, 0, NULL) && !raw_next(fs, &f, &e, NULL))
		if (e.b[0] != DELETED && (e.attributes & 0x3f) != FAT_LONG &&
			(e.attributes & (FAT_LABEL | FAT_DIR)) == FAT_LABEL) {
			memcpy(label, e.b, SHORT);
			if ((uint8_t)label[0] == KANJI)
				label[0] = (char)DELETED;
			return true;
		}
	return false;
}
