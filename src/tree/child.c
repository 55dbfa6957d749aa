/* SPDX-License-Identifier: Apache-2.0 */
/* Children and jobs: one child's content and row, and the three kinds of jobs. */
#include <openssl/evp.h>

#include "base/num.h"
#include "tree/walk.h"

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

bool gh_child_has_content(const struct gh_child *child)
{
	if (child->flags & GH_CHILD_UNREADABLE)
		return false;
	return child->kind != GH_FILE || (child->attr.mode & 0170000) == 0100000;
}

static int64_t opt(uint64_t v)
{
	return v > INT64_MAX ? GH_NULL : (int64_t)v;
}

struct gh_row_members gh_child_member(const struct gh_child *child, uint32_t content)
{
	return (struct gh_row_members){.name = child->name,
		.child = content ? content : GH_NULL,
		.off = opt(child->off),
		.csize = opt(child->csize),
		.size = opt(child->size),
		.flags = child->flags};
}

struct gh_row_entries gh_child_entry(const struct gh_child *child, uint32_t content)
{
	const struct gh_attr *a = &child->attr;
	return (struct gh_row_entries){.path = child->name,
		.child = content ? content : GH_NULL,
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
		.attrs = child->flags & GH_CHILD_TOLD ? 2 : !(child->flags & GH_CHILD_NO_ATTRS)};
}

static void emit_child(
	struct gh_look *look, uint32_t blob, uint64_t row, const struct gh_child *child, uint32_t content)
{
	uint64_t at = opt(child->off) == GH_NULL ? 0 : child->off;
	if (child->kind == GH_FILE) {
		struct gh_row_entries e = gh_child_entry(child, content);
		look->ops->row(look, GH_T_entries, blob, row, at, &e);
	} else {
		struct gh_row_members m = gh_child_member(child, content);
		look->ops->row(look, GH_T_members, blob, row, at, &m);
	}
}

/* What goes wrong with one child is a note of its container. */
static void child_note(
	struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_err *err, const char *why)
{
	if (!c->format || why) {
		struct gh_row_notes note = {.plugin = GH_STR("engine"),
			.code = gh_str(why ? why : gh_code_word(err->code)),
			.what = gh_str(why ? "stopped while this content was read" : err->what)};
		look->ops->row(
			look, GH_T_notes, c->blob, gh_child_note_row(row, GH_OWN_LOOK), why ? 0 : err->at, &note);
	}
	if (c->format && why)
		look->ops->run(look, c->blob, gh_format_bit(c->format), why, 0, "stopped while a child was read");
	else if (c->format)
		gh_note_err(&c->run.ctx, err);
}

/* What was noted while a child was read counts for its container's run. */
static void child_run_tell(struct gh_look *look, struct gh_container *c)
{
	if (c->format)
		gh_run_lost(&c->run);
	if (c->format && c->run.code > GH_END)
		look->ops->run(
			look, c->blob, gh_format_bit(c->format), gh_code_word(c->run.code), c->run.at, c->run.why);
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

/* True: it went to a spill file, and is looked at from there. */
static bool child_content(struct gh_look *look, const struct gh_place *at, uint32_t *ret, struct gh_err *err)
{
	struct gh_source *src = NULL;
	bool to_spill = false;
	enum gh_code code = gh_child_source(look, at->c, at->child, &src, &to_spill, err);
	if (to_spill && spill(look, at->c, at->row, at->child, err))
		return true;
	if (src)
		*ret = gh_look_content(look, src, at, err);
	else if (code == GH_OK && !err->code)
		gh_fail(err, GH_NOMEM, at->child->off, "no memory for this content");
	return false;
}

/* What several files are together: opened from the ways to them, or from what is at hand. */
static bool set_content(struct gh_look *look, const struct gh_place *at, uint32_t *ret, struct gh_err *err)
{
	const struct gh_container *c = at->c;
	struct gh_part *parts = (struct gh_part *)c->parts;
	size_t n = c->n_parts;
	uint64_t size = at->child->size;
	const struct gh_locator *where = c->where && c->where->n_parts ? c->where : NULL;
	if (!c->n_parts && !where) {
		gh_fail(err, GH_UNSUP, 0, "a set without its parts");
		return false;
	}
	if (where) {
		n = where->n_parts;
		if (gh_parts_open(look, &look->arena, where, &parts, &size, err))
			return false;
	}
	*ret = gh_look_set(look, at, parts, n, size, where, err);
	return false;
}

void gh_look_child(struct gh_look *look, struct gh_container *c, uint64_t row, const struct gh_child *child)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_err err = {0};
	uint32_t content = 0;
	uint64_t failed = look->arena.failed;
	int32_t reader = c->format ? (int32_t)gh_format_bit(c->format) : -1;
	const struct gh_skip *skip = gh_skip_find(look, c->blob, (int64_t)row, reader);
	struct gh_run_of saved = c->run;
	if (c->format)
		gh_run_for_child(&c->run, row);
	gh_phase_set(look, c->blob, (int64_t)row, reader);
	if (skip && gh_child_has_content(child)) {
		child_note(look, c, row, &err, skip->why);
	} else if (gh_child_has_content(child)) {
		const struct gh_place at = {c, row, child};
		bool set = child->flags & GH_CHILD_SET;
		if (set ? set_content(look, &at, &content, &err) : child_content(look, &at, &content, &err))
			goto out;
		if (!c->format && !err.code && look->arena.failed != failed)
			gh_fail(&err, GH_NOMEM, 0, "no memory for a part of it");
		if (err.code)
			child_note(look, c, row, &err, NULL);
	}
	emit_child(look, c->blob, row, child, content);
	child_run_tell(look, c);
out:
	c->run = saved;
	gh_phase_set(look, c->blob, -1, reader);
	gh_arena_release(&look->arena, mark);
}

static void look_hash(struct gh_look *look, struct gh_container *c, const struct gh_job_child *jc)
{
	struct gh_err err = {0};
	struct gh_source *src = NULL;
	bool to_spill = false;
	int32_t reader = c->format ? (int32_t)gh_format_bit(c->format) : -1;
	const struct gh_skip *skip = gh_skip_find(look, c->blob, (int64_t)jc->n, reader);
	gh_phase_set(look, c->blob, (int64_t)jc->n, reader);
	if (skip) {
		child_note(look, c, jc->n, &err, skip->why);
		return;
	}
	if (c->format)
		gh_run_for_child(&c->run, jc->n);
	enum gh_code code = gh_child_source(look, c, &jc->child, &src, &to_spill, &err);
	if (!code && src)
		code = gh_hash_apart(look, src, jc->blob, jc->child.flags, &err);
	if (code || !src)
		child_note(look, c, jc->n, &err, NULL);
	child_run_tell(look, c);
}

static void not_opened(struct gh_look *look, const struct gh_job *job, const struct gh_job_child *jc)
{
	if (job->format < 0) { /* no plug-in's run tells it */
		struct gh_container c = {.blob = job->blob};
		struct gh_err err = {.code = GH_NOMEM, .what = "no memory to open this input"};
		child_note(look, &c, jc->n, &err, NULL);
	}
	emit_child(look, job->blob, jc->n, &jc->child, 0);
}

void gh_look_job(struct gh_look *look, const struct gh_job *job)
{
	struct gh_mark mark = gh_arena_mark(&look->arena);
	memset(look->nth, 0, sizeof look->nth);
	struct gh_container *c = gh_container_open_job(look, job);
	for (uint32_t i = 0; i < job->n; i++) {
		if (!c && job->kind == GH_JOB_LOOK) /* the container does not open again: that much is known */
			not_opened(look, job, &job->children[i]);
		else if (!c)
			continue;
		else if (job->kind == GH_JOB_HASH)
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
		GH_FAULT(look, c->format->name, "pour", jc->child.name);
		enum gh_code code = c->format->pour(&c->run.ctx, c->state, &jc->child, sink, &err);
		if (code > GH_END)
			gh_note_err(&c->run.ctx, &err);
		child_run_tell(look, c);
	}
	gh_arena_release(&look->arena, mark);
}

void gh_look_init(struct gh_look *look, const struct gh_look_ops *ops, void *host, uint64_t memory_limit)
{
	*look = (struct gh_look){.ops = ops, .host = host, .hollow = 64 << 20};
	gh_arena_init(&look->arena, memory_limit);
	look->digest = EVP_MD_CTX_new();
	gh_digest_begin(look->digest); /* fetches the algorithm before the jail closes */
	look->md5 = EVP_MD_CTX_new();
	gh_md5_warm(look->md5);
}

void gh_look_done(struct gh_look *look)
{
	gh_open_done(look);
	gh_arena_done(&look->arena);
	EVP_MD_CTX_free(look->digest);
	EVP_MD_CTX_free(look->md5);
}
