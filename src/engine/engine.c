/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator: hands jobs to workers, takes their rows, replaces those that die, and never reads a byte of what they read. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/coordinator.h"
#include "engine/jail.h"

enum { TICK_MS = 200 };

int64_t gh_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- making and ending ---- */

static void choose_spill_dir(struct gh_engine *e)
{
	const char *dir = e->config.spill_dir;
	if (!dir)
		dir = getenv("TMPDIR");
	snprintf(e->spill_dir, sizeof e->spill_dir, "%s", dir && *dir ? dir : "/var/tmp");
	e->state.spill_dir = e->spill_dir;
}

/* A folder, its spill files and the workers' channels may need more than the usual 1024. */
static void more_files(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

struct gh_engine *gh_engine_new(const struct gh_engine_config *config, struct gh_err *err)
{
	struct gh_engine *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->config = *config;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	e->n_workers = (unsigned)gh_max(
		1, gh_min(config->jobs ? config->jobs : (uint64_t)(cpus > 0 ? cpus : 1), GH_WORKERS_MAX));
	e->state.workers = e->n_workers;
	e->state.walls = -1;
	e->random = config->shuffle;
	e->last = &e->first;
	e->last_pour = &e->pours;
	choose_spill_dir(e);
	more_files();
	e->shared = mmap(NULL, sizeof *e->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	e->claims = gh_claims_new();
	bool ok = e->shared != MAP_FAILED && e->claims;
	e->kit = (struct gh_worker_kit){&e->config, e->shared, e->claims};
	if (!ok || !gh_template_start(&e->template, &e->kit)) {
		gh_fail(err, GH_NOMEM, 0, "cannot start workers: %s", strerror(errno));
		gh_claims_free(e->claims);
		free(e);
		return NULL;
	}
	return e;
}

static void slot_close(struct gh_slot *s, bool kill_it)
{
	if (!s->pid)
		return;
	if (kill_it)
		kill(s->pid, SIGKILL);
	close(s->fd);
	waitpid(s->pid, NULL, 0);
	gh_wire_in_done(&s->in);
	*s = (struct gh_slot){0};
}

static void base_close(struct gh_base *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	free(b->path);
	b->path = NULL;
}

void gh_pending_free(struct gh_engine *e, struct gh_pending *p)
{
	for (uint32_t i = 0; i < p->n_bases; i++) {
		struct gh_base *b = &e->bases[p->bases[i]];
		if (--b->refs == 0)
			base_close(b);
	}
	for (uint32_t i = 0; i < p->n_holds; i++)
		gh_set_release(e, p->holds[i]);
	free(p->bases);
	free(p->holds);
	free(p->skip);
	free(p);
}

static void drop_all(struct gh_engine *e)
{
	gh_sets_drop(e);
	for (unsigned i = 0; i < GH_SLOTS; i++) {
		if (e->slot[i].job)
			gh_pending_free(e, e->slot[i].job);
		slot_close(&e->slot[i], true);
	}
	struct gh_pending **lists[] = {&e->first, &e->pours};
	for (size_t i = 0; i < GH_COUNT(lists); i++)
		for (struct gh_pending *p; (p = *lists[i]);) {
			*lists[i] = p->next;
			gh_pending_free(e, p);
		}
	e->last = &e->first;
	e->last_pour = &e->pours;
	gh_sets_end(e);
}

void gh_engine_free(struct gh_engine *e)
{
	if (!e)
		return;
	drop_all(e);
	gh_template_stop(&e->template);
	free(e->bases);
	munmap(e->shared, sizeof *e->shared);
	gh_claims_free(e->claims);
	free(e);
}

bool gh_engine_know(struct gh_engine *e, uint32_t blob, const uint8_t sha256[32], const struct gh_plugins *plugins)
{
	return gh_claims_preset(e->claims, blob, sha256, plugins);
}

bool gh_engine_start(struct gh_engine *e, uint32_t last)
{
	return gh_claims_start(e->claims, last);
}

const struct gh_engine_state *gh_engine_state(const struct gh_engine *e)
{
	return &e->state;
}

/* ---- what a worker sends ---- */

struct from {
	struct gh_engine *e;
	struct gh_slot *s;
};

static void on_row(void *to, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	struct gh_engine *e = ((struct from *)to)->e;
	e->sink->row(e->sink->to, table, blob, n, at, row);
}

static void on_blob(void *to, const struct gh_blob_row *row)
{
	struct gh_engine *e = ((struct from *)to)->e;
	e->sink->blob(e->sink->to, row);
}

static void on_run(void *to, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	struct gh_engine *e = ((struct from *)to)->e;
	e->sink->run(e->sink->to, blob, plugin, status, at, why);
}

static void on_set(struct gh_engine *e, struct gh_job *job, struct gh_pending *by)
{
	if (gh_set_add(e, job, by))
		return;
	job->kind = GH_JOB_LOOK;
	job->where.n_parts = 0;
	job->where.parts = NULL;
	struct gh_pending *p = gh_bases_known(e, job) ? gh_pending_new(e, job) : NULL;
	if (!p)
		return;
	__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
	gh_give_up(e, p, "limit", "more sets of files in one scan than are put together");
}

static void on_job(void *to, struct gh_str encoded)
{
	struct gh_engine *e = ((struct from *)to)->e;
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	if (!gh_job_decode(&arena, (const uint8_t *)encoded.p, encoded.n, &job))
		;
	else if (job.kind == GH_JOB_SET)
		on_set(e, &job, ((struct from *)to)->s->job);
	else if (!gh_bases_known(e, &job))
		;
	else if (job.kind == GH_JOB_PART && job.n == 1)
		gh_set_part(e, &job);
	else if (job.kind != GH_JOB_PART)
		gh_queue_add(e, &job, false);
	gh_arena_done(&arena);
}

static void on_done(void *to)
{
	struct from *f = to;
	if (!f->s->job)
		return;
	if (f->s->filling)
		f->e->state.bytes_spilled +=
			__atomic_load_n(&f->e->shared->mark[f->s->filling - 1].written, __ATOMIC_RELAXED);
	f->s->filling = 0;
	gh_pending_free(f->e, f->s->job);
	f->s->job = NULL;
	f->e->state.jobs_done++;
}

/* ---- the loop ---- */

static bool busy(const struct gh_engine *e)
{
	for (unsigned i = 0; i < GH_SLOTS; i++)
		if (e->slot[i].job)
			return true;
	return e->first || e->pours;
}

static void serve(struct gh_engine *e)
{
	struct pollfd fds[GH_SLOTS];
	unsigned who[GH_SLOTS], n = 0;
	for (unsigned i = 0; i < GH_SLOTS; i++)
		if (e->slot[i].pid) {
			fds[n] = (struct pollfd){.fd = e->slot[i].fd, .events = POLLIN};
			who[n++] = i;
		}
	if (poll(fds, n, TICK_MS) <= 0)
		return;
	for (unsigned k = 0; k < n; k++) {
		if (!fds[k].revents)
			continue;
		struct gh_slot *s = &e->slot[who[k]];
		struct from from = {e, s};
		struct gh_wire_sink sink = {on_row, on_blob, on_run, on_job, on_done, &from};
		if (gh_wire_read(&s->in, s->fd, &sink) != GH_OK)
			gh_slot_died(e, who[k]);
	}
}

static void see_walls(struct gh_engine *e)
{
	for (unsigned i = 0; e->state.walls < 0 && i < GH_SLOTS; i++)
		if (e->shared->walls[i])
			e->state.walls = e->shared->walls[i] - 1;
}

static enum gh_code turn(struct gh_engine *e, struct gh_err *err)
{
	gh_hand_out(e);
	serve(e);
	int64_t now = gh_now_ms();
	if (now < e->next_tick)
		return GH_OK;
	e->next_tick = now + TICK_MS;
	gh_slots_watch(e, now);
	see_walls(e);
	return gh_tick(e, err);
}

enum gh_code gh_tick(struct gh_engine *e, struct gh_err *err)
{
	return e->sink->tick(e->sink->to, &e->state) ? GH_OK : gh_fail(err, GH_END, 0, "stopped by the user");
}

enum gh_code gh_engine_pump(struct gh_engine *e, uint64_t most, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	while (code == GH_OK && busy(e) && __atomic_load_n(&e->shared->queued, __ATOMIC_RELAXED) > most)
		code = turn(e, err);
	return code;
}

static enum gh_code loop(struct gh_engine *e, struct gh_err *err)
{
	enum gh_code code = GH_OK;
	while (code == GH_OK && busy(e))
		code = turn(e, err);
	see_walls(e);
	return code;
}

enum gh_code gh_engine_scan(struct gh_engine *e, const char *const *inputs, size_t n, uint64_t scan,
	const struct gh_engine_sink *sink, uint32_t *ret_root, struct gh_err *err)
{
	e->sink = sink;
	uint8_t key[32] = "scan";
	memcpy(key + 8, &scan, sizeof scan);
	bool known;
	uint32_t root = gh_claims_get(e->claims, key, &known);
	*ret_root = root;
	sink->blob(sink->to, &(struct gh_blob_row){.blob = root, .format = "inputs", .entropy = -1});
	enum gh_code code = GH_OK;
	struct gh_sets sets;
	gh_sets_init(&sets);
	for (size_t i = 0; i < n && code == GH_OK; i++)
		code = gh_input_add(e, inputs[i], i, root, &sets, err);
	if (code == GH_OK && !gh_files_end(e, &sets, root, 0))
		code = gh_fail(err, GH_NOMEM, 0, "no memory for the sets among the inputs");
	gh_sets_done(&sets);
	if (code == GH_OK)
		code = loop(e, err);
	drop_all(e);
	return code;
}
