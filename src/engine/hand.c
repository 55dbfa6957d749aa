/* SPDX-License-Identifier: Apache-2.0 */
/* Handing out: the next job for each idle worker, and spill files with a process that fills them. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/coordinator.h"

/* Is one of its files still being unpacked? hinder: only those that count that are of no use before their end. */
static bool any_growing(const struct gh_engine *e, const struct gh_pending *p, bool hinder)
{
	for (uint32_t i = 0; i < p->n_bases; i++) {
		const struct gh_base *b = &e->bases[p->bases[i]];
		if (b->spill && (b->whole_first || !hinder) &&
			!__atomic_load_n(&e->shared->mark[b->spill - 1].state, __ATOMIC_ACQUIRE))
			return true;
	}
	return false;
}

static bool base_ready(const struct gh_engine *e, const struct gh_pending *p)
{
	return !any_growing(e, p, true);
}

static bool growing(const struct gh_engine *e, const struct gh_pending *p)
{
	return any_growing(e, p, false);
}

static uint64_t next_random(struct gh_engine *e)
{
	e->random ^= e->random << 13;
	e->random ^= e->random >> 7;
	e->random ^= e->random << 17;
	return e->random;
}

/* The next job: what needs no waiting first, and a mere hash of a file that is still being unpacked last. */
static struct gh_pending *queue_take(struct gh_engine *e)
{
	enum { LOOK_AHEAD = 64 };
	if (e->random) {
		uint64_t skip = next_random(e) % 16;
		struct gh_pending **at = &e->first;
		while (*at && (skip-- || !base_ready(e, *at)) && (*at)->next && base_ready(e, (*at)->next))
			at = &(*at)->next;
		if (*at && base_ready(e, *at))
			return gh_queue_unlink(at, &e->last);
	}
	for (int patience = 0; patience < 3; patience++) {
		int n = 0;
		for (struct gh_pending **at = &e->first; *at && n < LOOK_AHEAD; at = &(*at)->next, n++)
			if (base_ready(e, *at) && (patience > 0 || !growing(e, *at)) &&
				(patience > 1 || (*at)->kind != GH_JOB_HASH || !growing(e, *at)))
				return gh_queue_unlink(at, &e->last);
	}
	return NULL;
}

static int base_open(struct gh_base *b)
{
	if (b->fd < 0 && b->path)
		b->fd = gh_folder_open_file(b->folder, b->path);
	return b->fd;
}

/* All files of a job; a part of a set that does not open is one that is not there. */
static bool bases_open(struct gh_engine *e, const struct gh_pending *p)
{
	for (uint32_t i = 0; i < p->n_bases; i++)
		if (base_open(&e->bases[p->bases[i]]) < 0 && p->n_bases == 1)
			return false;
	return true;
}

static bool slot_start(struct gh_engine *e, struct gh_slot *s)
{
	if (s->pid)
		return true;
	if (!gh_template_fork(&e->template, (unsigned)(s - e->slot), &s->pid, &s->fd)) {
		s->pid = 0;
		return false;
	}
	/* A worker that waits for work reads at once; one that was taken over may not. */
	struct timeval patience = {.tv_sec = 10};
	setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	return true;
}

/* The job is the slot's from here on. A worker that cannot be told of it is ended, and seen at its socket. */
static void slot_send(struct gh_engine *e, struct gh_slot *s, struct gh_pending *p, int pour_fd, uint32_t pour_mark)
{
	struct gh_order order = {.attempt = p->attempt, .pour_mark = pour_mark, .n_skip = p->n_skip, .job_len = p->len};
	struct gh_order_base bases[GH_PARTS_MAX];
	int fds[GH_WIRE_FDS];
	for (uint32_t i = 0; i < p->n_bases && order.n_bases < GH_PARTS_MAX; i++) {
		struct gh_base *b = &e->bases[p->bases[i]];
		if (b->spill && b->whole_first) /* its container could only guess */
			b->size = __atomic_load_n(&e->shared->mark[b->spill - 1].written, __ATOMIC_ACQUIRE);
		int fd = base_open(b);
		if (fd < 0)
			continue;
		fds[order.n_bases] = fd;
		bases[order.n_bases++] = (struct gh_order_base){p->bases[i], b->spill, b->size};
	}
	if (pour_fd >= 0)
		fds[order.n_bases] = pour_fd;
	struct gh_phase *at = &e->shared->phase[s - e->slot];
	at->blob = at->listed = at->nth = 0; /* it is at nothing yet, and not where the last job left it */
	at->plugin = -1;
	at->child = -1;
	s->job = p;
	s->filling = pour_mark;
	s->moved = gh_now_ms();
	__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
	if (!gh_wire_send(s->fd, &order, bases, p->skip, gh_strn(p->job, p->len), fds))
		kill(s->pid, SIGKILL);
}

static bool reader_given_up(const struct gh_engine *e, const struct gh_pending *p)
{
	/* One that was tried has claimed contents: it is tried on. */
	return p->format >= 0 && !p->attempt && gh_plugins_claimed(&e->shared->given_up, (unsigned)p->format);
}

/* One job for an idle worker, or its end without one; false: there is none. */
static bool hand_one(struct gh_engine *e, struct gh_slot *s)
{
	struct gh_pending *p = queue_take(e);
	if (!p)
		return false;
	const char *why = NULL, *code = "io";
	if (reader_given_up(e, p))
		why = "left out: its reader stopped again and again", code = "crash";
	else if (!bases_open(e, p))
		why = strerror(errno);
	else if (!slot_start(e, s))
		why = "no worker could be started";
	if (!why) {
		slot_send(e, s, p, -1, 0);
		return true;
	}
	__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
	gh_give_up(e, p, code, why);
	return true;
}

static void hand_out_looks(struct gh_engine *e)
{
	for (unsigned i = 0; i < e->n_workers; i++)
		while (!e->slot[i].job)
			if (!hand_one(e, &e->slot[i]))
				return;
}

/* ---- spill files ---- */

/* The child that is being unpacked is looked at in its spill file, by an ordinary job. */
static bool look_in_spill(struct gh_engine *e, const struct gh_job *pour, uint32_t mark, int fd)
{
	struct gh_job_child jc = pour->children[0];
	bool unknown = jc.child.flags & GH_CHILD_SIZE_HINT;
	uint32_t base = gh_base_add(
		e, &(struct gh_base){.fd = fd, .size = jc.child.size, .spill = mark + 1, .whole_first = unknown});
	if (base == UINT32_MAX)
		return false;
	uint64_t bytes = gh_share(pour->bytes, gh_max(jc.child.csize, 1), pour->size);
	jc.child.flags &= ~(uint32_t)(GH_CHILD_STREAM | GH_CHILD_SIZE_HINT);
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = pour->blob,
		.format = -1,
		.depth = pour->depth,
		.packed = pour->packed + 1,
		.bytes = bytes - gh_min(bytes, jc.child.size),
		.size = jc.child.csize, /* what it is a part of was shared out above */
		.where = {.base = base},
		.n = 1,
		.children = &jc};
	return gh_queue_add(e, &job, false);
}

static bool pour_start(struct gh_engine *e, struct gh_slot *s, struct gh_pending *p)
{
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	int fd = e->n_spills < GH_SPILLS_MAX ? gh_spill_file(e) : -1;
	int own = fd >= 0 ? dup(fd) : -1;
	bool ok = own >= 0 && gh_job_decode(&arena, p->job, p->len, &job) && job.n == 1 && bases_open(e, p) &&
		  look_in_spill(e, &job, e->n_spills, own);
	if (ok)
		slot_send(e, s, p, fd, ++e->n_spills);
	else if (own >= 0)
		close(own);
	if (fd >= 0)
		close(fd);
	gh_arena_done(&arena);
	return ok;
}

static void hand_out_pours(struct gh_engine *e)
{
	for (unsigned i = GH_WORKERS_MAX; i < GH_SLOTS; i++)
		while (!e->slot[i].job && e->pours) {
			struct gh_pending *p = gh_queue_unlink(&e->pours, &e->last_pour);
			bool off = reader_given_up(e, p);
			if (!off && slot_start(e, &e->slot[i]) && pour_start(e, &e->slot[i], p))
				break;
			__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
			gh_give_up(e, p, off ? "crash" : "io",
				off ? "left out: its reader stopped again and again" : "no spill file can be made");
		}
}

void gh_hand_out(struct gh_engine *e)
{
	hand_out_pours(e);
	hand_out_looks(e);
}
