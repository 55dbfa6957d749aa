/* SPDX-License-Identifier: Apache-2.0 */
/* Content: measured once, then offered to every format and inspector that wants it. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/num.h"
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
	uint32_t blob;
	uint8_t sha256[32];
	bool fresh;
};

static enum gh_code probe_make(struct gh_look *look, struct content *t, struct gh_err *err)
{
	struct gh_probe *p = &t->probe;
	*p = (struct gh_probe){.size = t->src->size, .name = t->name};
	p->head_len = gh_min(p->size, GH_PROBE_HEAD);
	enum gh_code code = gh_view(t->src, &look->arena, 0, p->head_len, &p->head, err);
	if (code)
		return code;
	p->tail_len = gh_min(p->size, GH_PROBE_TAIL);
	code = gh_view(t->src, &look->arena, p->size - p->tail_len, p->tail_len, &p->tail, err);
	if (code == GH_SHORT) { /* a stream that broke off has no tail */
		p->tail_len = 0;
		code = GH_OK;
	}
	return code;
}

static void bids_make(struct gh_look *look, struct content *t)
{
	t->best = -1;
	for (unsigned i = 0; i < gh_n_formats; i++) {
		t->bid[i] = look->off >> i & 1 ? GH_BID_NO : gh_formats[i]->bid(&t->probe);
		if (t->bid[i] > (t->best < 0 ? GH_BID_NO : t->bid[t->best]))
			t->best = (int)i;
	}
}

/* A format opens the content if it knows it by magic, or if nobody does and it has the best guess. */
static bool opens(const struct content *t, unsigned i)
{
	return t->bid[i] >= GH_BID_MAGIC || (t->bid[i] == GH_BID_SHAPE && t->best == (int)i);
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

/* Loads, hashes and searches; finds the blob. */
static enum gh_code measure(struct gh_look *look, struct content *t, struct gh_err *err)
{
	struct gh_measure m = {0};
	struct hits h = {.look = look};
	if (look->literals) {
		h.list = gh_alloc_raw(&look->arena, HITS_MAX * sizeof *h.list);
		h.cap = h.list ? HITS_MAX : 0;
		m.hit = on_hit;
		m.to = &h;
	}
	enum gh_code code = GH_OK;
	if (t->data)
		gh_measure_data(look->digest, look->literals, t->data, t->src->size, &m);
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
	if (t->fresh)
		emit_hits(look, &h, t->blob);
	return GH_OK;
}

static bool wanted_by_any(const struct content *t)
{
	for (unsigned i = 0; i < gh_n_formats; i++)
		if (opens(t, i))
			return true;
	for (unsigned i = 0; i < gh_n_inspectors; i++)
		if (gh_inspectors[i]->wants(&t->probe))
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
	if (hashed && !wanted_by_any(t) && gh_entropy(t->src, &look->arena, &row.entropy, &err))
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
	const char *why = gh_skip_why(look, blob, -1, (int32_t)bit);
	if (look->off >> bit & 1)
		why = "off";
	if (why)
		look->ops->run(look, blob, bit, why, 0,
			look->off >> bit & 1 ? "switched off" : "stopped while reading this content");
	return why != NULL;
}

static void inspect(struct gh_look *look, const struct content *t, unsigned i)
{
	const struct gh_inspector *inspector = gh_inspectors[i];
	unsigned bit = (unsigned)gh_n_formats + i;
	if (!look->ops->claim_plugin(look, t->blob, bit) || left_out(look, t->blob, bit))
		return;
	gh_phase_set(look, t->blob, -1, (int32_t)bit);
	if (look->fault)
		look->fault(inspector->name, t->name);
	struct gh_blob blob = {.src = t->src,
		.data = t->data,
		.size = t->src->size,
		.name = t->name,
		.path = t->path,
		.sha256 = t->sha256};
	struct gh_run_of run;
	struct gh_err err = {0};
	struct gh_mark mark = gh_arena_mark(&look->arena);
	gh_run_init(&run, look, t->blob, (int)bit, 0, blob.size);
	enum gh_code code = inspector->run(&run.ctx, &blob, &err);
	gh_run_end(&run, code, &err);
	gh_arena_release(&look->arena, mark);
}

struct place {
	struct gh_container *c;
	uint64_t row;
	const struct gh_child *child;
};

/* Every plug-in that wants it, each at most once for this content. */
static void plugins(struct gh_look *look, struct content *t, const struct place *at)
{
	const struct gh_container *c = at->c;
	for (unsigned i = 0; i < gh_n_inspectors; i++)
		if (gh_inspectors[i]->wants(&t->probe))
			inspect(look, t, i);
	for (unsigned i = 0; i < gh_n_formats; i++) {
		if (!opens(t, i) || !look->ops->claim_plugin(look, t->blob, i) || left_out(look, t->blob, i))
			continue;
		uint64_t bytes = gh_share(c->bytes, gh_max(at->child->csize, 1), c->size);
		if (at->child->flags & GH_CHILD_STREAM)
			bytes -= gh_min(bytes, t->src->size);
		const struct gh_locator *where =
			c->where ? gh_locator_step(&look->arena, c->where, c->format, at->child) : NULL;
		gh_look_container(look, &(struct gh_container){.format = gh_formats[i],
						.src = t->src,
						.blob = t->blob,
						.depth = c->depth + 1,
						.packed = c->packed + (at->child->flags & GH_CHILD_STREAM && c->format),
						.bytes = bytes,
						.where = where,
						.here = t->data != NULL});
	}
	for (unsigned i = 0; i < gh_n_formats; i++)
		if (look->off >> i & 1 && gh_formats[i]->bid(&t->probe) >= GH_BID_MAGIC &&
			look->ops->claim_plugin(look, t->blob, i))
			left_out(look, t->blob, i);
}

/* A whole image too large for memory is walked at once; its hash is another job's. */
static void hash_apart(struct gh_look *look, const struct content *t, const struct place *at)
{
	struct gh_job_child jc = {.n = at->row, .blob = t->blob, .child = *at->child};
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
	struct gh_measure m = {0};
	struct gh_err err;
	gh_phase_set(look, at->c->blob, (int64_t)at->row, -1);
	if (!gh_measure_source(look->digest, NULL, t->src, &look->arena, &look->phase->beat, &m, &err))
		look->ops->blob(
			look, &(struct gh_blob_row){
				      .blob = t->blob, .sha256 = m.sha256, .size = t->src->size, .entropy = -1});
}

/* A tiny image may state contents of terabytes that are nothing but holes: to hash them would take days. */
static bool too_hollow(const struct content *t, const struct place *at)
{
	enum {
		FREE = 64 << 20,
		TIMES = 64
	}; /* real sparse files: swap and journal images, up to tens of times their data */
	const struct gh_container *c = at->c;
	uint64_t packed = gh_max(at->child->csize, 1), most;
	if (!c->format || at->child->flags & GH_CHILD_STREAM || t->src->size <= packed)
		return false;
	if (!gh_mul(packed, TIMES, &most) || !gh_add(most, FREE, &most))
		most = UINT64_MAX;
	return t->src->size > gh_min(most, gh_max(gh_share(c->bytes, packed, c->size), FREE / 1024));
}

static enum gh_code identify(struct gh_look *look, struct content *t, const struct place *at, struct gh_err *err)
{
	enum gh_code code = probe_make(look, t, err);
	if (code)
		return code;
	bids_make(look, t);
	bool part = at->child->kind == GH_VOLUME && is_volume(t);
	bool large = t->src->size > GH_WHOLE_MAX && is_volume(t);
	if (!(part || large) && too_hollow(t, at))
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
		if (!part && t->fresh)
			hash_apart(look, t, at);
		return GH_OK;
	}
	if (t->src->size <= GH_WHOLE_MAX)
		code = gh_view(t->src, &look->arena, 0, t->src->size, &t->data, err);
	if (code == GH_OK)
		code = measure(look, t, err);
	if (code == GH_OK && t->fresh)
		emit_blob(look, t, true);
	return code;
}

/* A second name of an inode: nothing is read again but what its name asks for. */
static bool known_inode(struct gh_look *look, struct content *t, const struct place *at, const uint8_t key[32])
{
	t->blob = look->ops->alias(look, key, 0);
	struct gh_err err;
	if (!t->blob || probe_make(look, t, &err))
		return false;
	for (unsigned i = 0; i < gh_n_inspectors; i++)
		if (gh_inspectors[i]->wants(&t->probe) &&
			!gh_inspectors[i]->wants(&(struct gh_probe){.head = t->probe.head,
				.head_len = t->probe.head_len,
				.tail = t->probe.tail,
				.tail_len = t->probe.tail_len,
				.size = t->probe.size}))
			return false; /* wanted for its name: the full way */
	(void)at;
	return true;
}

/* Looks at one content; returns its blob, or 0 with *err. */
static uint32_t look_content(struct gh_look *look, struct gh_source *src, const struct place *at, struct gh_err *err)
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
		if (known_inode(look, t, at, key))
			return t->blob;
	}
	if (identify(look, t, at, err))
		return 0;
	if (linked)
		look->ops->alias(look, key, t->blob);
	if (at->c->depth >= GH_MAX_DEPTH - 1) {
		if (wanted_by_any(t))
			gh_fail(err, GH_LIMIT, 0, "not opened: more than %d containers inside each other",
				GH_MAX_DEPTH);
		return t->blob;
	}
	plugins(look, t, at);
	return t->blob;
}

static const char *ftype_word(uint32_t mode)
{
	switch (mode & 0170000) {
	case 0040000:
		return "dir";
	case 0120000:
		return "link";
	case 0020000:
		return "char";
	case 0060000:
		return "block";
	case 0010000:
		return "fifo";
	case 0140000:
		return "socket";
	default:
		return "file";
	}
}

static bool has_content(const struct gh_child *child)
{
	if (child->flags & GH_CHILD_UNREADABLE)
		return false;
	return child->kind != GH_FILE || (child->attr.mode & 0170000) == 0100000;
}

static int64_t opt(uint64_t v)
{
	return v > INT64_MAX ? GH_NULL : (int64_t)v;
}

static void emit_child(
	struct gh_look *look, uint32_t blob, uint64_t row, const struct gh_child *child, uint32_t content)
{
	const struct gh_attr *a = &child->attr;
	int64_t id = content ? content : GH_NULL;
	if (child->kind != GH_FILE) {
		struct gh_row_members m = {.name = child->name,
			.child = id,
			.off = opt(child->off),
			.csize = opt(child->csize),
			.size = opt(child->size),
			.flags = child->flags};
		look->ops->row(look, GH_T_members, blob, row, opt(child->off) == GH_NULL ? 0 : child->off, &m);
		return;
	}
	bool known = !(child->flags & GH_CHILD_NO_ATTRS);
	struct gh_row_entries e = {.path = child->name,
		.child = id,
		.off = opt(child->off),
		.size = opt(child->size),
		.ftype = gh_str(ftype_word(a->mode)),
		.mode = a->mode & 07777,
		.uid = a->uid,
		.gid = a->gid,
		.mtime = a->mtime,
		.caps = opt(a->caps),
		.selinux = a->selinux,
		.iflags = a->iflags,
		.link_target = a->link,
		.ino = opt(a->ino),
		.nlink = a->nlink,
		.rdev = opt(a->rdev),
		.attrs = known};
	look->ops->row(look, GH_T_entries, blob, row, opt(child->off) == GH_NULL ? 0 : child->off, &e);
}

/* What goes wrong with one child is a note of its container. */
static void child_note(
	struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_err *err, const char *why)
{
	if (!c->format) {
		struct gh_row_notes note = {.plugin = GH_STR("engine"),
			.code = gh_str(why ? why : gh_code_word(err->code)),
			.what = gh_str(why ? "stopped while this content was read" : err->what)};
		look->ops->row(look, GH_T_notes, c->blob, (1ull << 50) + (row << 12), why ? 0 : err->at, &note);
		return;
	}
	if (why)
		look->ops->run(look, c->blob, gh_format_bit(c->format), why, 0, "stopped while a child was read");
	else
		gh_note_err(&c->run.ctx, err);
}

/* The child goes through a spill file: its row comes with the job that looks at it there. */
static bool spill(
	struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_child *child, struct gh_err *err)
{
	struct gh_job_child jc = {.n = row, .child = *child};
	struct gh_job job = {.kind = GH_JOB_POUR,
		.blob = c->blob,
		.format = (int32_t)gh_format_bit(c->format),
		.depth = c->depth,
		.packed = c->packed,
		.bytes = c->bytes,
		.size = c->size,
		.n = 1,
		.children = &jc};
	if (!look->ops->defer || !c->where) {
		gh_fail(err, GH_LIMIT, child->off,
			"%llu bytes packed inside another packed file: too large to unpack in memory",
			(unsigned long long)child->size);
		return false;
	}
	job.where = *c->where;
	return look->ops->defer(look, &job) ||
	       gh_fail(err, GH_LIMIT, child->off, "no room for a spill file of %llu bytes",
		       (unsigned long long)child->size) == GH_OK;
}

void gh_look_child(struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_child *child)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_err err = {0};
	uint32_t content = 0;
	const char *why = gh_skip_why(look, c->blob, (int64_t)row, -1);
	struct gh_run_of saved = c->run;
	if (c->format)
		gh_run_for_child(&c->run, row);
	gh_phase_set(look, c->blob, (int64_t)row, -1);
	if (why) {
		child_note(look, c, row, &err, why);
	} else if (has_content(child)) {
		struct gh_source *src = NULL;
		bool to_spill = false;
		enum gh_code code = gh_child_source(look, c, child, &src, &to_spill, &err);
		if (to_spill && spill(look, c, row, child, &err))
			goto out;
		if (src)
			content = look_content(look, src, &(struct place){c, row, child}, &err);
		else if (code == GH_OK && !err.code)
			gh_fail(&err, GH_NOMEM, child->off, "no memory for this content");
		if (err.code)
			child_note(look, c, row, &err, NULL);
	}
	emit_child(look, c->blob, row, child, content);
	if (c->format && c->run.code > GH_END)
		look->ops->run(
			look, c->blob, gh_format_bit(c->format), gh_code_word(c->run.code), c->run.at, c->run.why);
out:
	c->run = saved;
	gh_phase_set(look, c->blob, -1, c->format ? (int32_t)gh_format_bit(c->format) : -1);
	gh_arena_release(&look->arena, mark);
}

static void look_hash(struct gh_look *look, struct gh_container *c, const struct gh_job_child *jc)
{
	struct gh_err err = {0};
	struct gh_source *src = NULL;
	bool to_spill = false;
	gh_phase_set(look, c->blob, (int64_t)jc->n, -1);
	enum gh_code code = gh_child_source(look, c, &jc->child, &src, &to_spill, &err);
	struct gh_measure m = {0};
	if (!code && src)
		code = gh_measure_source(look->digest, NULL, src, &look->arena, &look->phase->beat, &m, &err);
	if (code || !src)
		child_note(look, c, jc->n, &err, NULL);
	else
		look->ops->blob(look,
			&(struct gh_blob_row){.blob = jc->blob, .sha256 = m.sha256, .size = src->size, .entropy = -1});
}

void gh_look_job(struct gh_look *look, const struct gh_job *job)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_container *c = gh_container_open_job(look, job);
	for (uint32_t i = 0; c && i < job->n; i++) {
		if (job->kind == GH_JOB_HASH)
			look_hash(look, c, &job->children[i]);
		else
			gh_look_child(look, c, job->children[i].n, &job->children[i].child);
	}
	gh_arena_release(&look->arena, mark);
}

void gh_look_pour(struct gh_look *look, const struct gh_job *job, struct gh_sink *sink)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_container *c = gh_container_open_job(look, job);
	if (c && c->format && c->format->pour) {
		const struct gh_job_child *jc = &job->children[0];
		struct gh_err err = {0};
		gh_run_for_child(&c->run, jc->n);
		c->run.budget.bytes = gh_pour_budget(c->bytes, gh_max(jc->child.csize, 1), c->size, c->packed);
		gh_phase_set(look, c->blob, (int64_t)jc->n, (int32_t)gh_format_bit(c->format));
		enum gh_code code = c->format->pour(&c->run.ctx, c->state, &jc->child, sink, &err);
		if (code > GH_END)
			gh_note_err(&c->run.ctx, &err);
		if (c->run.code > GH_END)
			look->ops->run(look, c->blob, gh_format_bit(c->format), gh_code_word(c->run.code), c->run.at,
				c->run.why);
	}
	gh_arena_release(&look->arena, mark);
}

void gh_look_init(struct gh_look *look, const struct gh_look_ops *ops, void *host, uint64_t memory_limit)
{
	*look = (struct gh_look){.ops = ops, .host = host};
	gh_arena_init(&look->arena, memory_limit);
	look->digest = EVP_MD_CTX_new();
	gh_digest_begin(look->digest); /* fetches the algorithm before the jail closes */
}

void gh_look_done(struct gh_look *look)
{
	gh_open_done(look);
	gh_arena_done(&look->arena);
	EVP_MD_CTX_free(look->digest);
}
