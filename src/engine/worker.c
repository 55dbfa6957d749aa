/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread, in the jail, that does jobs and sends rows until the coordinator hangs up. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/jail.h"
#include "engine/shared.h"
#include "engine/wire.h"
#include "tree/measure.h"

enum {
	CHANNEL = 3, /* the only descriptor besides 0 to 2 that a new worker keeps */
	BASES_KEPT = 8, /* open files kept for containers that stay open, */
	BASES_MAX = BASES_KEPT + GH_PARTS_MAX, /* and those of the job at hand */
	MEMORY = 192 << 20, /* of a job: two whole members inside each other, and room for indexes */
};

/* Sanitizers tell what they found on descriptor 2. */
#ifdef GH_SANITIZED
enum { SILENT = 2 };
#else
enum { SILENT = 3 };
#endif

struct base_file {
	uint32_t base;
	int fd; /* -1: free */
	uint64_t size;
	uint32_t spill;
	uint64_t used;
};

struct worker {
	struct gh_look look;
	const struct gh_worker_kit *kit;
	unsigned slot;
	struct gh_order order;
	struct base_file bases[BASES_MAX];
	int n_bases;
	uint64_t clock;
	struct gh_wire_out out;
};

static struct worker *of(struct gh_look *look)
{
	return look->host;
}

static void w_row(struct gh_look *look, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	gh_wire_row(&of(look)->out, table, blob, n, at, row);
}

static void w_blob(struct gh_look *look, const struct gh_blob_row *row)
{
	gh_wire_blob(&of(look)->out, row);
}

static void w_run(
	struct gh_look *look, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	gh_wire_run(&of(look)->out, blob, plugin, status, at, why);
}

/* A job that is tried again takes no claim as an answer: its first try may have died before its rows were out. */
static bool again(struct gh_look *look)
{
	return of(look)->order.attempt > 0;
}

static uint32_t w_claim(struct gh_look *look, const uint8_t key[32], bool *ret_known)
{
	uint32_t blob = gh_claims_get(of(look)->kit->claims, key, ret_known);
	if (again(look))
		*ret_known = false;
	return blob;
}

static uint32_t w_alias(struct gh_look *look, const uint8_t key[32], uint32_t blob)
{
	return again(look) && !blob ? 0 : gh_claims_alias(of(look)->kit->claims, key, blob);
}

static bool w_claim_plugin(struct gh_look *look, uint32_t blob, unsigned plugin)
{
	bool before = gh_claims_plugin(of(look)->kit->claims, blob, plugin);
	return again(look) || !before;
}

/* What a job is known by, when its maker is tried again and makes it a second time. */
static void job_key(struct gh_look *look, const struct gh_job *job, uint8_t key[32])
{
	uint64_t v[] = {job->kind, job->blob, job->n, job->children[0].n, job->children[job->n - 1].n,
		job->children[0].child.of.row, job->children[0].child.of.part};
	gh_digest_begin(look->digest);
	gh_digest_add(look->digest, "job", sizeof "job");
	gh_digest_add(look->digest, v, sizeof v);
	gh_digest_end(look->digest, key);
}

static bool w_defer(struct gh_look *look, const struct gh_job *job)
{
	struct worker *w = of(look);
	uint8_t key[32];
	bool known;
	job_key(look, job, key);
	if (again(look) && gh_claims_find(w->kit->claims, key))
		return true;
	struct gh_shared *shared = w->kit->shared;
	bool work = job->kind == GH_JOB_LOOK || job->kind == GH_JOB_HASH;
	if (work && __atomic_load_n(&shared->queued, __ATOMIC_RELAXED) > GH_QUEUE_MAX)
		return false; /* the worker does it itself */
	if (job->kind == GH_JOB_POUR && __atomic_fetch_add(&shared->pours, 1, __ATOMIC_RELAXED) >= GH_SPILLS_MAX)
		return false;
	struct gh_mark mark = gh_arena_mark(&look->arena);
	struct gh_str encoded;
	bool ok = gh_job_encode(&look->arena, job, &encoded) && gh_wire_job(&w->out, encoded);
	gh_arena_release(&look->arena, mark);
	if (ok)
		gh_claims_get(w->kit->claims, key, &known); /* after it was sent: better twice than never */
	return ok;
}

static struct gh_source *w_base(struct gh_look *look, struct gh_arena *arena, uint32_t base)
{
	struct worker *w = of(look);
	for (int i = 0; i < w->n_bases; i++) {
		struct base_file *b = &w->bases[i];
		if (b->base != base)
			continue;
		if (b->spill)
			return gh_source_spill(
				arena, b->fd, b->size, &w->kit->shared->mark[b->spill - 1], &look->phase->beat);
		return gh_source_file(arena, b->fd, b->size);
	}
	return NULL;
}

static struct base_file *base_find(struct worker *w, uint32_t base)
{
	for (int i = 0; i < w->n_bases; i++)
		if (w->bases[i].base == base)
			return &w->bases[i];
	return NULL;
}

/* Keeps the descriptor of a base, or the one that it had. */
static void keep_base(struct worker *w, const struct gh_order_base *o, int fd)
{
	struct base_file *b = base_find(w, o->base);
	if (b) {
		close(fd);
	} else {
		b = &w->bases[w->n_bases++];
		b->fd = fd;
	}
	b->base = o->base;
	b->size = o->size;
	b->spill = o->spill;
	b->used = w->clock;
}

/* Closes the one that was not used for longest, and with it what was opened over it. */
static void drop_oldest(struct worker *w)
{
	struct base_file *oldest = &w->bases[0];
	for (int i = 1; i < w->n_bases; i++)
		if (w->bases[i].used < oldest->used)
			oldest = &w->bases[i];
	gh_open_done(&w->look);
	close(oldest->fd);
	*oldest = w->bases[--w->n_bases];
}

static void keep_bases(struct worker *w, const struct gh_order_base *o, const int *fds)
{
	uint32_t known = 0;
	w->clock++;
	for (uint32_t i = 0; i < w->order.n_bases; i++) {
		struct base_file *b = base_find(w, o[i].base);
		if (b)
			b->used = w->clock;
		known += b != NULL;
	}
	/* As many go as come, so that there is room; what is known has the newest clock. */
	uint32_t come = w->order.n_bases - known;
	while (w->n_bases && w->n_bases + (int)come > BASES_KEPT && (uint32_t)w->n_bases > known)
		drop_oldest(w);
	for (uint32_t i = 0; i < w->order.n_bases; i++)
		keep_base(w, &o[i], fds[i]);
}

/* ---- filling a spill file ---- */

struct pour {
	struct gh_sink sink;
	int fd;
	uint64_t at;
	struct gh_watermark *mark;
	uint64_t *beat;
};

static enum gh_code pour_write(struct gh_sink *sink, const void *p, size_t n, struct gh_err *err)
{
	struct pour *o = (struct pour *)sink;
	while (n) {
		ssize_t put = pwrite(o->fd, p, n, (off_t)o->at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return gh_fail(err, GH_IO, o->at, "the spill file cannot be written: %s", strerror(errno));
		p = (const uint8_t *)p + put;
		n -= (size_t)put;
		o->at += (uint64_t)put;
		__atomic_store_n(&o->mark->written, o->at, __ATOMIC_RELEASE);
	}
	__atomic_fetch_add(o->beat, 1, __ATOMIC_RELAXED);
	return GH_OK;
}

static void do_pour(struct worker *w, const struct gh_job *job, int fd)
{
	struct pour o = {.sink = {.write = pour_write},
		.fd = fd,
		.mark = &w->kit->shared->mark[w->order.pour_mark - 1],
		.beat = &w->look.phase->beat};
	gh_look_pour(&w->look, job, &o.sink);
	__atomic_store_n(&o.mark->state, 1, __ATOMIC_RELEASE);
	close(fd);
}

static void do_order(struct worker *w, const uint8_t *buf, const int fds[GH_WIRE_FDS])
{
	struct gh_mark mark = gh_arena_mark(&w->look.arena);
	struct gh_job job;
	const struct gh_order_base *bases = (const struct gh_order_base *)(const void *)buf;
	buf += w->order.n_bases * sizeof *bases;
	w->look.skip = (const struct gh_skip *)(const void *)buf;
	w->look.n_skip = w->order.n_skip;
	w->look.given_up = w->order.attempt ? NULL : &w->kit->shared->given_up;
	const uint8_t *bytes = buf + w->order.n_skip * sizeof(struct gh_skip);
	keep_bases(w, bases, fds);
	if (gh_job_decode(&w->look.arena, bytes, w->order.job_len, &job)) {
		int fill = fds[w->order.n_bases];
		if (job.kind == GH_JOB_POUR && w->order.pour_mark && fill >= 0)
			do_pour(w, &job, fill);
		else if (job.kind == GH_JOB_LOOK || job.kind == GH_JOB_HASH)
			gh_look_job(&w->look, &job);
	}
	gh_arena_release(&w->look.arena, mark);
	gh_wire_done(&w->out);
}

static void forget_everything_else(int channel)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* if the coordinator is gone already, the channel says so */
	if (channel != CHANNEL)
		dup2(channel, CHANNEL);
	syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is the coordinator's to hear */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a spill file that may not grow is an error of writing */
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; none >= 0 && fd < SILENT; fd++) /* the terminal and the pipes are the coordinator's */
		dup2(none, fd);
	if (none > CHANNEL)
		close(none);
}

_Noreturn void gh_worker_main(const struct gh_worker_kit *kit, unsigned slot, int channel)
{
	static const struct gh_look_ops ops = {w_row, w_blob, w_run, w_claim, w_alias, w_claim_plugin, w_defer, w_base};
	static struct worker w;
	forget_everything_else(channel);
	w.kit = kit;
	w.slot = slot;
	w.out.fd = CHANNEL;
	gh_look_init(&w.look, &ops, &w, MEMORY);
	w.look.phase = &kit->shared->phase[slot];
	w.look.literals = kit->config->literals;
	w.look.given = kit->config->given;
	w.look.off = kit->config->off;
	w.look.first = gh_claims_first(kit->claims);
#ifdef GH_FAULTS
	w.look.fault = gh_fault_wanted();
#endif
	kit->shared->walls[slot] = 1 + gh_jail_enter();
	uint8_t *buf = NULL;
	size_t cap = 0;
	int fds[GH_WIRE_FDS];
	while (gh_wire_recv(CHANNEL, &w.order, &buf, &cap, fds))
		do_order(&w, buf, fds);
	_exit(0);
}
