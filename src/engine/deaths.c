/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that die or hang: what they were at is left out and told, the rest of their job is done again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/coordinator.h"

enum {
	HANG_SECONDS =
		60, /* of work without a heartbeat; the slowest legitimate step (64 MiB unpacked at once) takes less than one */
	WAIT_TIMES = 10, /* so many times as long where it does no work: a slow disk, a machine with much else to do */
	ATTEMPTS_MAX = 400, /* of one job, each leaving one more thing out */
	SAME_MAX = 16, /* deaths of one plug-in in one job, */
	SAME_HANGS = 2, /* or hangs: then the job goes on without it */
	DEATHS_MAX = 1000, /* of one plug-in in one scan, each some milliseconds, */
	HANGS_MAX = 8, /* or hangs, each a minute: then the scan goes on without it */
	PAUSE_MS = 2000, /* longer than any turn of the loop: it was we who slept */
};

/* ---- jobs that are given up ---- */

static void tell_child(
	struct gh_engine *e, const struct gh_job *job, const struct gh_job_child *jc, const char *code, const char *why)
{
	const struct gh_engine_sink *to = e->sink;
	uint64_t at = jc->child.off > INT64_MAX ? 0 : jc->child.off;
	struct gh_row_notes n = {.plugin = GH_STR("engine"), .code = gh_str(code), .what = gh_str(why)};
	to->row(to->to, GH_T_notes, job->blob, gh_child_note_row(jc->n, GH_OWN_GIVE_UP), 0, &n);
	if (job->kind == GH_JOB_HASH)
		return;
	if (jc->child.kind == GH_FILE) {
		struct gh_row_entries r = gh_child_entry(&jc->child, 0);
		to->row(to->to, GH_T_entries, job->blob, jc->n, at, &r);
	} else {
		struct gh_row_members r = gh_child_member(&jc->child, 0);
		to->row(to->to, GH_T_members, job->blob, jc->n, at, &r);
	}
}

void gh_give_up(struct gh_engine *e, struct gh_pending *p, const char *code, const char *why)
{
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	bool ok = gh_job_decode(&arena, p->job, p->len, &job);
	for (uint32_t i = 0; ok && i < job.n; i++)
		tell_child(e, &job, &job.children[i], code, why);
	if (ok && job.format >= 0)
		e->sink->run(e->sink->to, job.blob, (unsigned)job.format, code, 0, why);
	gh_arena_done(&arena);
	gh_pending_free(e, p);
	e->state.jobs_done++;
}

/* ---- what is left out the next time ---- */

static bool covers(const struct gh_skip *s, const struct gh_skip *at)
{
	if (at->child >= 0)
		return s->blob == at->blob && (s->child == at->child || (s->on && s->child <= at->child));
	return s->child == at->child && s->plugin == at->plugin &&
	       (s->blob == at->blob || (!s->blob && s->nth <= at->nth));
}

/* The same plug-in at other contents, or at other children of the same container. */
static bool alike(const struct gh_skip *s, const struct gh_skip *at)
{
	return s->plugin == at->plugin && (s->child < 0) == (at->child < 0) && (at->child < 0 || s->blob == at->blob);
}

/* This, and what comes behind it in the job. */
static void widen(struct gh_skip *s)
{
	s->listed = 0;
	if (s->child >= 0)
		s->on = true;
	else
		s->blob = 0;
}

/* False: it was left out, and yet the worker died there; there is no way on. */
static bool add_skip(struct gh_pending *p, const struct gh_phase *at, const char *why)
{
	struct gh_skip s = {
		.blob = at->blob, .plugin = at->plugin, .child = at->child, .listed = at->listed, .nth = at->nth};
	snprintf(s.why, sizeof s.why, "%s", why);
	unsigned same = 1, hangs = strcmp(why, "hang") == 0;
	for (uint32_t i = 0; i < p->n_skip; i++) {
		struct gh_skip *old = &p->skip[i];
		if (covers(old, &s)) {
			bool earlier = s.listed < old->listed;
			if (earlier)
				old->listed = s.listed;
			return earlier;
		}
		same += alike(old, &s);
		hangs += alike(old, &s) && strcmp(old->why, "hang") == 0;
	}
	if (same >= SAME_MAX || hangs >= SAME_HANGS)
		widen(&s);
	struct gh_skip *more = realloc(p->skip, (p->n_skip + 1) * sizeof *more);
	if (!more)
		return false;
	p->skip = more;
	p->skip[p->n_skip++] = s;
	return true;
}

/* ---- doing the rest again ---- */

/* Each child of the job becomes a job of its own: one death costs one child's work, not that of all. */
static bool split(struct gh_engine *e, const struct gh_pending *p)
{
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	bool ok = gh_job_decode(&arena, p->job, p->len, &job);
	const struct gh_job_child *children = ok ? job.children : NULL;
	for (uint32_t i = ok ? job.n : 0; i-- > 0 && ok;) {
		job.n = 1;
		job.children = &children[i];
		struct gh_pending *one = gh_pending_new(e, &job);
		ok = one && (one->skip = malloc(p->n_skip * sizeof *one->skip));
		if (ok)
			memcpy(one->skip, p->skip, p->n_skip * sizeof *one->skip);
		if (one) {
			one->n_skip = ok ? p->n_skip : 0;
			one->attempt = p->attempt;
			gh_queue_put(e, one, true);
		}
	}
	gh_arena_done(&arena);
	return ok;
}

static void again(struct gh_engine *e, struct gh_pending *p, const struct gh_phase *at, const char *why)
{
	if (p->attempt >= ATTEMPTS_MAX || !add_skip(p, at, why)) {
		gh_give_up(e, p, why, "stopped again and again while this content was read");
		return;
	}
	p->attempt++;
	if (p->kind == GH_JOB_LOOK && p->n > 1 && split(e, p)) {
		gh_pending_free(e, p);
		e->state.jobs_done++;
		return;
	}
	gh_queue_put(e, p, true);
	__atomic_fetch_add(&e->shared->queued, p->len, __ATOMIC_RELAXED);
}

/* A stream that was being unpacked breaks off: what came is looked at, and this is told. */
static void pour_broke(struct gh_engine *e, struct gh_pending *p, uint32_t mark, const char *why)
{
	static const char what[] = "stopped while this content was unpacked";
	struct gh_arena arena;
	struct gh_job job;
	__atomic_store_n(&e->shared->mark[mark].state, 2, __ATOMIC_RELEASE);
	e->state.bytes_spilled += __atomic_load_n(&e->shared->mark[mark].written, __ATOMIC_RELAXED);
	gh_arena_init(&arena, 0);
	if (gh_job_decode(&arena, p->job, p->len, &job) && job.n == 1 && job.format >= 0) {
		struct gh_row_notes n = {.plugin = GH_STR("engine"), .code = gh_str(why), .what = gh_str(what)};
		uint64_t row = gh_child_note_row(job.children[0].n, GH_OWN_POUR);
		e->sink->row(e->sink->to, GH_T_notes, job.blob, row, 0, &n);
		e->sink->run(e->sink->to, job.blob, (unsigned)job.format, why, 0, what);
	}
	gh_arena_done(&arena);
	gh_pending_free(e, p);
	e->state.jobs_done++;
}

/* ---- deaths ---- */

static const char *death_word(int status, bool hung)
{
	if (hung)
		return "hang";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "jail";
	return "crash";
}

static void count_death(struct gh_engine *e, int32_t plugin, bool hung)
{
	if (plugin < 0 || plugin >= GH_MAX_PLUGINS)
		return;
	e->deaths[plugin]++;
	e->hangs[plugin] += hung;
	if (e->deaths[plugin] >= DEATHS_MAX || e->hangs[plugin] >= HANGS_MAX)
		gh_plugins_claim(&e->shared->given_up, (unsigned)plugin);
}

void gh_slot_died(struct gh_engine *e, unsigned i)
{
	struct gh_slot *s = &e->slot[i];
	struct gh_pending *p = s->job;
	struct gh_phase at = e->shared->phase[i];
	uint32_t filling = s->filling;
	bool hung = s->hung;
	int status = 0;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	close(s->fd);
	gh_wire_in_done(&s->in); /* half a row: the next try sends it whole */
	*s = (struct gh_slot){0};
	e->state.crashes++;
	count_death(e, at.plugin, hung);
	if (p && filling)
		pour_broke(e, p, filling - 1, death_word(status, hung));
	else if (p)
		again(e, p, &at, death_word(status, hung));
}

/* Milliseconds that a process has worked; what it waits for is not its fault. */
static int64_t worked_ms(int pid)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void gh_slots_watch(struct gh_engine *e, int64_t now)
{
	int64_t patience = 1000 * (int64_t)(e->config.hang_seconds ? e->config.hang_seconds : HANG_SECONDS);
	int64_t slept = e->watched && now - e->watched > PAUSE_MS ? now - e->watched : 0;
	e->watched = now;
	for (unsigned i = 0; i < GH_SLOTS; i++) {
		struct gh_slot *s = &e->slot[i];
		if (!s->job)
			continue;
		/* While we were stopped, or a disk kept us, it may have waited for us. */
		s->moved += slept;
		uint64_t beat = __atomic_load_n(&e->shared->phase[i].beat, __ATOMIC_RELAXED);
		int64_t worked = worked_ms(s->pid);
		if (beat != s->beat) {
			s->beat = beat;
			s->moved = now;
			s->worked = worked;
		} else if (worked - s->worked > patience || now - s->moved > WAIT_TIMES * patience) {
			s->hung = true;
			kill(s->pid, SIGKILL); /* its socket closes: gh_slot_died() */
		}
	}
}
