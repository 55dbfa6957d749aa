/* SPDX-License-Identifier: Apache-2.0 */
/* Content: measured once, then offered to every format and inspector that wants it. */

#include "base/num.h"
#include "tree/set.h"
#include "tree/walk.h"

/* A content at hand and what is known of it. */
struct content {
	struct gh_source *src;
	const uint8_t *data; /* whole, or NULL */
	struct gh_str name;
	struct gh_str path;
	struct gh_probe probe;
	enum gh_bid bid[GH_MAX_PLUGINS]; /* by format */
	int best; /* format, or -1 */
	struct gh_plugins wanted; /* inspectors that want it, by bit */
	bool wanted_nameless; /* by one of them whatever its name */
	bool wanted_by_name; /* by one of them for its name only */
	uint32_t blob;
	uint8_t sha256[32];
	bool fresh;
	bool part; /* of a set, and so no artifact by itself */
	bool packing; /* of such a part */
};

/* The same content under no name: what is said about content must not hang on the name that was met first. */
static struct gh_probe nameless(const struct content *t)
{
	struct gh_probe p = t->probe;
	p.name = GH_NONE;
	return p;
}

/* Asks every plug-in, before anything is claimed: one that fails here takes nothing with it that others count on. */
static void bids_make(struct gh_look *look, struct content *t)
{
	struct gh_probe probe = nameless(t);
	for (unsigned i = 0; i < gh_n_inspectors; i++) {
		bool whatever = gh_inspectors[i]->wants(&probe), wants = gh_inspectors[i]->wants(&t->probe);
		t->wanted_nameless |= whatever;
		t->wanted_by_name |= wants && !whatever;
		if (wants)
			gh_plugins_add(&t->wanted, i);
	}
	t->best = -1;
	for (unsigned i = 0; i < gh_n_formats; i++) {
		t->bid[i] = gh_plugins_has(&look->off, i) ? GH_BID_NO : gh_formats[i]->bid(&t->probe);
		if (t->bid[i] > (t->best < 0 ? GH_BID_NO : t->bid[t->best]))
			t->best = (int)i;
	}
}

/* A format opens the content if it knows it by magic, or if nobody does and it has the best guess. */
static bool opens(const struct content *t, unsigned i)
{
	return t->bid[i] >= GH_BID_MAGIC || (t->bid[i] == GH_BID_SHAPE && t->best == (int)i);
}

/* Of a part, nobody makes anything but who unpacks it. */
static bool admits(const struct content *t, unsigned i)
{
	return opens(t, i) && !t->part && (!t->packing || gh_formats[i]->packing);
}

/* Is it a part of a set, or the packing of one? */
static void part_find(struct content *t, const struct gh_place *at)
{
	const struct gh_of *of = &at->child->of;
	if (!of->row)
		return;
	for (unsigned i = 0; i < gh_n_formats && !t->packing; i++)
		t->packing = gh_formats[i]->packing && opens(t, i);
	t->part = !t->packing && gh_part_known(of, &t->probe);
}

static bool is_volume(const struct content *t)
{
	return t->best >= 0 && t->bid[t->best] >= GH_BID_MAGIC && gh_formats[t->best]->volume;
}

/* The key of what is not known by its hash: its place. */
static void place_key(struct gh_look *look, const char *word, uint32_t blob, uint64_t n, uint8_t key[32])
{
	struct {
		char word[8];
		uint64_t blob, n;
	} place = {.blob = blob, .n = n};
	strncpy(place.word, word, sizeof place.word - 1);
	gh_digest_begin(look->digest);
	gh_digest_add(look->digest, &place, sizeof place);
	gh_digest_end(look->digest, key);
}

struct hits {
	struct gh_look *look;
	struct {
		uint32_t literal;
		uint64_t at;
	} * list;
	size_t n, cap;
};

enum { HITS_MAX = 4096 }; /* different literals in one content */

static void on_hit(void *to, uint32_t literal, uint64_t at)
{
	struct hits *h = to;
	if (h->n < h->cap) {
		h->list[h->n].literal = literal;
		h->list[h->n++].at = at;
	}
}

static void emit_hits(struct gh_look *look, const struct hits *h, uint32_t blob)
{
	for (size_t i = 0; i < h->n; i++) {
		struct gh_literal l = gh_literals_get(look->literals, h->list[i].literal);
		struct gh_row_hits row = {.literal = h->list[i].literal, .text = gh_strn(l.p, l.n)};
		look->ops->row(look, GH_T_hits, blob, h->list[i].literal, h->list[i].at, &row);
	}
}

void gh_md5_tell(struct gh_look *look, uint32_t blob, const struct gh_measure *m, uint64_t part)
{
	static const char digit[] = "0123456789abcdef";
	char hex[32];
	for (int i = 0; i < 16; i++) {
		hex[2 * i] = digit[m->md5[i] >> 4];
		hex[2 * i + 1] = digit[m->md5[i] & 15];
	}
	if (m->md5_digest)
		look->ops->row(look, GH_T_digests, blob, part != 0, 0,
			&(struct gh_row_digests){.algorithm = part ? GH_STR("md5_before_line") : GH_STR("md5"),
				.value = gh_strn(hex, sizeof hex)});
}

static void hits_make(struct gh_look *look, struct hits *h, struct gh_measure *m)
{
	*h = (struct hits){.look = look};
	if (!look->literals)
		return;
	h->list = gh_alloc_raw(&look->arena, HITS_MAX * sizeof *h->list);
	h->cap = h->list ? HITS_MAX : 0;
	m->hit = on_hit;
	m->to = h;
}

enum gh_code gh_hash_apart(
	struct gh_look *look, struct gh_source *src, uint32_t blob, uint32_t flags, struct gh_err *err)
{
	struct gh_measure m = {.md5_digest = flags & GH_CHILD_MD5 ? look->md5 : NULL, .md5_size = UINT64_MAX};
	struct hits h = {0};
	bool search = flags & GH_CHILD_SEARCH;
	if (search)
		hits_make(look, &h, &m);
	if (gh_measure_source(
		    look->digest, search ? look->literals : NULL, src, &look->arena, &look->phase->beat, &m, err))
		return err->code;
	look->ops->blob(
		look, &(struct gh_blob_row){.blob = blob, .sha256 = m.sha256, .size = src->size, .entropy = -1});
	gh_md5_tell(look, blob, &m, 0);
	emit_hits(look, &h, blob);
	return GH_OK;
}

/* Loads, hashes and searches; finds the blob. */
static enum gh_code measure(struct gh_look *look, struct content *t, bool md5, struct gh_err *err)
{
	struct gh_measure m = {.md5_digest = md5 ? look->md5 : NULL, .md5_size = UINT64_MAX};
	uint64_t line = gh_measure_md5_line(&t->probe);
	if (line) {
		m.md5_digest = look->md5;
		m.md5_size = line;
	}
	struct hits h;
	hits_make(look, &h, &m);
	enum gh_code code = GH_OK;
	if (t->data)
		gh_measure_data(look->digest, look->literals, t->data, t->src->size, &look->phase->beat, &m);
	else
		code = gh_measure_source(
			look->digest, look->literals, t->src, &look->arena, &look->phase->beat, &m, err);
	if (code)
		return code;
	memcpy(t->sha256, m.sha256, sizeof t->sha256);
	bool known;
	t->blob = look->ops->claim(look, t->sha256, &known);
	t->fresh = !known;
	if (!t->blob)
		return gh_fail(err, GH_LIMIT, 0, "more different contents than the table holds");
	gh_md5_tell(look, t->blob, &m, line);
	if (t->fresh)
		emit_hits(look, &h, t->blob);
	return GH_OK;
}

static bool opened_by_any(const struct content *t)
{
	for (unsigned i = 0; i < gh_n_formats; i++)
		if (opens(t, i))
			return true;
	return false;
}

static void emit_blob(struct gh_look *look, struct content *t, bool hashed)
{
	struct gh_blob_row row = {
		.blob = t->blob, .sha256 = hashed ? t->sha256 : NULL, .size = t->src->size, .entropy = -1};
	bool known = t->best >= 0 && t->bid[t->best] >= GH_BID_MAGIC;
	row.format = known ? gh_formats[t->best]->name : gh_magic(&t->probe);
	struct gh_err err;
	if (hashed && !t->wanted_nameless && !opened_by_any(t) && gh_entropy(t->src, &look->arena, &row.entropy, &err))
		row.entropy = -1;
	look->ops->blob(look, &row);
	unsigned claims = 0;
	for (unsigned i = 0; i < gh_n_formats; i++)
		claims += t->bid[i] >= GH_BID_MAGIC;
	for (unsigned i = 0; claims > 1 && i < gh_n_formats; i++)
		if (t->bid[i] >= GH_BID_MAGIC)
			look->ops->row(look, GH_T_bids, t->blob, i, 0,
				&(struct gh_row_bids){.format = gh_str(gh_formats[i]->name), .ground = t->bid[i]});
}

/* Written down instead of a run: switched off, or left out after a crash. */
static bool left_out(struct gh_look *look, uint32_t blob, unsigned bit)
{
	const struct gh_skip *skip = gh_skip_find(look, blob, -1, (int32_t)bit);
	if (gh_plugins_has(&look->off, bit))
		look->ops->run(look, blob, bit, "off", 0, "switched off");
	else if (skip && !skip->listed)
		look->ops->run(look, blob, bit, skip->why, 0,
			skip->blob ? "stopped while reading this content"
				   : "left out: it stopped again and again on other contents");
	else
		return false;
	return true;
}

static void inspect(struct gh_look *look, const struct content *t, unsigned i)
{
	const struct gh_inspector *inspector = gh_inspectors[i];
	unsigned bit = (unsigned)gh_n_formats + i;
	look->nth[bit]++;
	if (!look->ops->claim_plugin(look, t->blob, bit) || left_out(look, t->blob, bit))
		return;
	struct gh_phase was = *look->phase;
	gh_phase_set(look, t->blob, -1, (int32_t)bit);
	struct gh_blob blob = {.src = t->src,
		.data = t->data,
		.size = t->src->size,
		.name = t->name,
		.path = t->path,
		.sha256 = t->sha256};
	struct gh_run_of run;
	struct gh_err err = {0};
	struct gh_mark mark = gh_arena_mark(&look->arena);
	gh_run_init(&run, look, t->blob, (int)bit, gh_inspect_budget(blob.size), blob.size);
	run.src = t->src;
	GH_FAULT(look, inspector->name, "inspect", t->name);
	enum gh_code code = inspector->run(&run.ctx, &blob, &err);
	gh_run_end(&run, code, &err);
	gh_arena_release(&look->arena, mark);
	gh_phase_back(look, &was);
}

/* Overlapping children of their own kind would double the work each time. Said of the container, and asked before the content is
 * claimed: where the same content lies elsewhere it is opened, whichever is met first. */
static bool own_kind(const struct gh_place *at, const struct gh_format *format)
{
	if (at->c->format != format || !format->volume)
		return false;
	gh_note(&at->c->run.ctx, GH_LIMIT, at->child->off, "%s inside %s: not opened", format->name, format->name);
	return true;
}

/* Every plug-in that wants it, each at most once for this content. */
static void plugins(struct gh_look *look, struct content *t, const struct gh_place *at)
{
	const struct gh_container *c = at->c;
	for (unsigned i = 0; i < gh_n_inspectors; i++)
		if (gh_plugins_has(&t->wanted, i) && !t->part)
			inspect(look, t, i);
	for (unsigned i = 0; i < gh_n_formats; i++) {
		if (!admits(t, i) || own_kind(at, gh_formats[i]))
			continue;
		look->nth[i]++;
		/* The packing of a part is opened wherever the part is met: its set waits for it. */
		if ((!look->ops->claim_plugin(look, t->blob, i) && !t->packing) || left_out(look, t->blob, i))
			continue;
		struct gh_mark mark = gh_arena_mark(&look->arena);
		struct gh_phase was = *look->phase;
		gh_phase_set(look, t->blob, -1, (int32_t)i);
		uint64_t bytes = gh_share(c->bytes, gh_max(at->child->csize, 1), c->size);
		if (at->child->flags & GH_CHILD_STREAM)
			bytes -= gh_min(bytes, t->src->size);
		const struct gh_locator *where =
			c->where ? gh_locator_step(&look->arena, c->where, c->format, at->child) : NULL;
		uint64_t failed = look->arena.failed;
		GH_FAULT(look, gh_formats[i]->name, "open", t->name);
		gh_look_container(look, &(struct gh_container){.format = gh_formats[i],
						.src = t->src,
						.blob = t->blob,
						.depth = c->depth + 1,
						.packed = c->packed + (at->child->flags & GH_CHILD_STREAM && c->format),
						.bytes = bytes,
						.where = where,
						.of = t->packing ? at->child->of : (struct gh_of){0},
						.here = t->data != NULL});
		look->arena.failed = failed; /* its own run told it */
		gh_phase_back(look, &was);
		gh_arena_release(&look->arena, mark);
	}
	for (unsigned i = 0; i < gh_n_formats; i++)
		if (gh_plugins_has(&look->off, i) && gh_formats[i]->bid(&t->probe) >= GH_BID_MAGIC &&
			look->ops->claim_plugin(look, t->blob, i))
			left_out(look, t->blob, i);
}

/* What is too large for memory is walked at once; its hash is another job's. */
static void hash_apart(struct gh_look *look, const struct content *t, const struct gh_place *at)
{
	struct gh_job_child jc = {.n = at->row, .blob = t->blob, .child = *at->child};
	jc.child.flags |= is_volume(t) ? 0 : GH_CHILD_SEARCH;
	struct gh_job job = {.kind = GH_JOB_HASH,
		.blob = at->c->blob,
		.depth = at->c->depth,
		.packed = at->c->packed,
		.n = 1,
		.children = &jc,
		.format = at->c->format ? (int32_t)gh_format_bit(at->c->format) : -1};
	if (look->ops->defer && at->c->where) {
		job.where = *at->c->where;
		if (look->ops->defer(look, &job))
			return;
	}
	struct gh_err err;
	gh_phase_set(look, at->c->blob, (int64_t)at->row, -1);
	(void)!gh_hash_apart(look, t->src, t->blob, jc.child.flags, &err);
}

/* A large archive that is an INPUT: its members need not wait until it is hashed. Only where nothing is known yet, since an archive
 * that is known is known by its hash; and not where what it says of its own bytes has to be measured with it. */
static bool large_archive(const struct gh_look *look, const struct content *t, const struct gh_place *at)
{
	return look->first && !at->c->format && !t->part && !t->packing && t->src->size > GH_WHOLE_MAX &&
	       !is_volume(t) && t->best >= 0 && t->bid[t->best] >= GH_BID_MAGIC && !gh_measure_md5_line(&t->probe);
}

/* A tiny image may state contents of terabytes that are nothing but holes: to hash them would take days. */
static bool too_hollow(const struct gh_look *look, const struct content *t, const struct gh_place *at)
{
	enum {
		TIMES = 64, /* real sparse files: swap and journal images, up to tens of times their data */
		RATIO = 4096, /* a file of zeros in a file system that is packed: a block of 4 KiB holds 16 MiB */
	};
	const struct gh_container *c = at->c;
	uint64_t packed = gh_max(at->child->csize, 1), most;
	if (!c->format || at->child->flags & GH_CHILD_STREAM || t->src->size <= packed)
		return false;
	if (!gh_mul(packed, TIMES, &most) || !gh_add(most, look->hollow, &most))
		most = UINT64_MAX;
	uint64_t zeros = c->packed ? 0 : gh_min(packed, look->hollow / RATIO) * RATIO;
	uint64_t small = gh_max(zeros, look->hollow / 64);
	return t->src->size > gh_min(most, gh_max(gh_share(c->bytes, packed, c->size), small));
}

/* The whole content; piece by piece where it has to be read, since a slow disk is not a hang. */
static enum gh_code load(struct gh_look *look, struct content *t, struct gh_err *err)
{
	enum { PIECE = 1 << 20 };
	const struct gh_source_ops *ops = t->src->ops;
	t->data = ops->view && t->src->size ? ops->view(t->src, 0, t->src->size) : NULL;
	if (t->data)
		return GH_OK;
	uint8_t *p = gh_alloc_raw(&look->arena, t->src->size);
	if (!p)
		return gh_fail(err, GH_NOMEM, 0, "no memory for %llu bytes", (unsigned long long)t->src->size);
	for (uint64_t off = 0; off < t->src->size; off += PIECE) {
		enum gh_code code = gh_read(t->src, off, p + off, gh_min(PIECE, t->src->size - off), err);
		if (code)
			return code;
		__atomic_fetch_add(&look->phase->beat, 1, __ATOMIC_RELAXED);
	}
	t->data = p;
	return GH_OK;
}

static enum gh_code identify(struct gh_look *look, struct content *t, const struct gh_place *at, struct gh_err *err)
{
	enum gh_code code = gh_probe_make(t->src, t->name, &look->arena, &t->probe, err);
	if (code)
		return code;
	bids_make(look, t);
	part_find(t, at);
	if (t->part)
		gh_part_tell(look, at, t->src->size);
	bool volume = is_volume(t) && !t->part;
	bool part = at->child->kind == GH_VOLUME && volume;
	bool large = (t->src->size > GH_WHOLE_MAX && volume) || large_archive(look, t, at);
	if (!(part || large) && too_hollow(look, t, at))
		return gh_fail(err, GH_LIMIT, at->child->off,
			"%llu bytes stated, %llu there: more than its container's budget",
			(unsigned long long)t->src->size, (unsigned long long)at->child->csize);
	if (part || large) {
		uint8_t key[32];
		bool known;
		place_key(look, "place", at->c->blob, at->row, key);
		t->blob = look->ops->claim(look, key, &known);
		if (!t->blob)
			return gh_fail(err, GH_LIMIT, 0, "more different contents than the table holds");
		t->fresh = !known;
		if (t->fresh)
			emit_blob(look, t, false);
		if (t->fresh && (!part || at->child->flags & GH_CHILD_DIGEST))
			hash_apart(look, t, at);
		return GH_OK;
	}
	if (t->src->size <= GH_WHOLE_MAX)
		code = load(look, t, err);
	if (code == GH_OK)
		code = measure(look, t, at->child->flags & GH_CHILD_MD5, err);
	if (code == GH_OK && t->fresh)
		emit_blob(look, t, true);
	return code;
}

/* A second name of an inode: nothing is read again but what its name asks for. */
static bool known_inode(struct gh_look *look, struct content *t, const uint8_t key[32])
{
	t->blob = look->ops->alias(look, key, 0);
	struct gh_err err;
	if (!t->blob || gh_probe_make(t->src, t->name, &look->arena, &t->probe, &err))
		return false;
	bids_make(look, t);
	return !t->wanted_by_name; /* wanted for its name: the full way */
}

uint32_t gh_look_content(struct gh_look *look, struct gh_source *src, const struct gh_place *at, struct gh_err *err)
{
	struct content *t = gh_alloc(&look->arena, sizeof *t);
	if (!t) {
		gh_fail(err, GH_NOMEM, 0, "no memory to look at this content");
		return 0;
	}
	t->src = src;
	t->path = at->child->name;
	t->name = gh_str_base(t->path);
	uint8_t key[32];
	bool linked = at->child->attr.nlink > 1 && at->child->attr.ino;
	if (linked) {
		place_key(look, "inode", at->c->blob, at->child->attr.ino, key);
		if (known_inode(look, t, key))
			return t->blob;
	}
	if (identify(look, t, at, err))
		return 0;
	if (at->c->depth >= GH_MAX_DEPTH - 1) {
		if (t->wanted_nameless || t->wanted_by_name || opened_by_any(t))
			gh_fail(err, GH_LIMIT, 0, "not opened: more than %d containers inside each other",
				GH_MAX_DEPTH);
		return t->blob;
	}
	plugins(look, t, at);
	if (linked && at->c->run.code <= GH_END) /* what is noted of this name is to be noted of the others too */
		look->ops->alias(look, key, t->blob);
	return t->blob;
}

uint32_t gh_look_set(struct gh_look *look, const struct gh_place *at, const struct gh_part *parts, size_t n,
	uint64_t size, const struct gh_locator *where, struct gh_err *err)
{
	const struct gh_container *c = at->c;
	unsigned i = gh_row_format(at->row);
	const struct gh_format *format = gh_formats[i];
	uint8_t key[32];
	bool known;
	place_key(look, "place", c->blob, at->row, key);
	uint32_t blob = look->ops->claim(look, key, &known);
	if (!blob || !format->open_set || c->depth >= GH_MAX_DEPTH - 1) {
		gh_fail(err, GH_LIMIT, 0,
			blob ? "not opened: more than %d containers inside each other"
			     : "more different contents than the table holds",
			GH_MAX_DEPTH);
		return 0;
	}
	if (!known)
		look->ops->blob(
			look, &(struct gh_blob_row){.blob = blob, .size = size, .format = format->name, .entropy = -1});
	look->nth[i]++;
	if (!look->ops->claim_plugin(look, blob, i) || left_out(look, blob, i))
		return blob;
	struct gh_phase was = *look->phase;
	gh_phase_set(look, blob, -1, (int32_t)i);
	uint64_t failed = look->arena.failed;
	GH_FAULT(look, format->name, "open", at->child->name);
	gh_look_container(look, &(struct gh_container){.format = format,
					.blob = blob,
					.depth = c->depth + 1,
					.packed = c->packed,
					.bytes = gh_share(c->bytes, gh_max(at->child->csize, 1), c->size),
					.size = size,
					.where = where,
					.parts = parts,
					.n_parts = n});
	look->arena.failed = failed; /* its own run told it */
	gh_phase_back(look, &was);
	return blob;
}
