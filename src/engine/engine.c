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
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/coordinator.h"
#include "engine/jail.h"

enum {
	HANG_SECONDS =
		60, /* without a heartbeat; the slowest legitimate step (hashing 1 MiB, one block) takes milliseconds */
	ATTEMPTS_MAX = 48, /* of one job, each leaving one more thing out */
	TICK_MS = 200,
};

static int64_t now_ms(void)
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

static void pending_free(struct gh_engine *e, struct gh_pending *p)
{
	struct gh_base *b = &e->bases[p->base];
	if (--b->refs == 0)
		base_close(b);
	free(p->skip);
	free(p);
}

static void drop_all(struct gh_engine *e)
{
	for (unsigned i = 0; i < GH_SLOTS; i++) {
		if (e->slot[i].job)
			pending_free(e, e->slot[i].job);
		slot_close(&e->slot[i], true);
	}
	struct gh_pending **lists[] = {&e->first, &e->pours};
	for (size_t i = 0; i < GH_COUNT(lists); i++)
		for (struct gh_pending *p; (p = *lists[i]);) {
			*lists[i] = p->next;
			pending_free(e, p);
		}
	e->last = &e->first;
	e->last_pour = &e->pours;
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

bool gh_engine_know(struct gh_engine *e, uint32_t blob, const uint8_t sha256[32], uint64_t plugins)
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

static void on_job(void *to, struct gh_str encoded)
{
	struct gh_engine *e = ((struct from *)to)->e;
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	if (gh_job_decode(&arena, (const uint8_t *)encoded.p, encoded.n, &job) && job.where.base < e->n_bases)
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
	pending_free(f->e, f->s->job);
	f->s->job = NULL;
	f->e->state.jobs_done++;
}

/* ---- handing out ---- */

static bool base_ready(const struct gh_engine *e, const struct gh_pending *p)
{
	const struct gh_base *b = &e->bases[p->base];
	return !b->spill || !b->whole_first || __atomic_load_n(&e->shared->mark[b->spill - 1].state, __ATOMIC_ACQUIRE);
}

static bool growing(const struct gh_engine *e, const struct gh_pending *p)
{
	const struct gh_base *b = &e->bases[p->base];
	return b->spill && !__atomic_load_n(&e->shared->mark[b->spill - 1].state, __ATOMIC_ACQUIRE);
}

static uint64_t next_random(struct gh_engine *e)
{
	e->random ^= e->random << 13;
	e->random ^= e->random >> 7;
	e->random ^= e->random << 17;
	return e->random;
}

static struct gh_pending *unlink_at(struct gh_engine *e, struct gh_pending **at)
{
	struct gh_pending *p = *at;
	*at = p->next;
	if (e->last == &p->next)
		e->last = at;
	p->next = NULL;
	return p;
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
			return unlink_at(e, at);
	}
	for (int patience = 0; patience < 3; patience++) {
		int n = 0;
		for (struct gh_pending **at = &e->first; *at && n < LOOK_AHEAD; at = &(*at)->next, n++)
			if (base_ready(e, *at) && (patience > 0 || !growing(e, *at)) &&
				(patience > 1 || (*at)->kind != GH_JOB_HASH || !growing(e, *at)))
				return unlink_at(e, at);
	}
	return NULL;
}

static int base_open(struct gh_engine *e, struct gh_base *b)
{
	(void)e;
	if (b->fd < 0 && b->path)
		b->fd = gh_folder_open_file(b->folder, b->path);
	return b->fd;
}

static bool slot_start(struct gh_engine *e, unsigned i)
{
	struct gh_slot *s = &e->slot[i];
	if (s->pid)
		return true;
	if (!gh_template_fork(&e->template, i, &s->pid, &s->fd))
		return false;
	s->moved = now_ms();
	return true;
}

static bool slot_send(struct gh_engine *e, struct gh_slot *s, struct gh_pending *p, int pour_fd, uint32_t pour_mark)
{
	struct gh_base *b = &e->bases[p->base];
	struct gh_order order = {.attempt = p->attempt,
		.base_spill = b->spill,
		.pour_mark = pour_mark,
		.n_skip = p->n_skip,
		.base_size = b->size,
		.job_len = p->len};
	int fds[GH_WIRE_FDS] = {base_open(e, b), pour_fd};
	s->job = p;
	s->filling = pour_mark;
	s->moved = now_ms();
	__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
	return gh_wire_send(s->fd, &order, p->skip, gh_strn(p->job, p->len), fds, pour_fd >= 0 ? 2 : 1);
}

/* A job that cannot be done at all: its children's rows say so. */
static void give_up(struct gh_engine *e, struct gh_pending *p, const char *code, const char *why)
{
	struct gh_arena arena;
	struct gh_job job;
	gh_arena_init(&arena, 0);
	for (uint32_t i = 0; gh_job_decode(&arena, p->job, p->len, &job) && p->kind != GH_JOB_HASH && i < job.n; i++) {
		const struct gh_job_child *jc = &job.children[i];
		struct gh_row_notes n = {.plugin = GH_STR("engine"), .code = gh_str(code), .what = gh_str(why)};
		e->sink->row(e->sink->to, GH_T_notes, job.blob, (1ull << 50) + (jc->n << 12) + 1, 0, &n);
		if (jc->child.kind == GH_FILE) {
			struct gh_row_entries r = {.path = jc->child.name,
				.child = GH_NULL,
				.off = GH_NULL,
				.size = (int64_t)jc->child.size,
				.ftype = GH_STR("file"),
				.mode = jc->child.attr.mode & 07777,
				.uid = jc->child.attr.uid,
				.gid = jc->child.attr.gid,
				.mtime = jc->child.attr.mtime,
				.caps = (int64_t)jc->child.attr.caps,
				.selinux = jc->child.attr.selinux,
				.iflags = jc->child.attr.iflags,
				.ino = (int64_t)jc->child.attr.ino,
				.nlink = jc->child.attr.nlink,
				.attrs = !(jc->child.flags & GH_CHILD_NO_ATTRS)};
			e->sink->row(e->sink->to, GH_T_entries, job.blob, jc->n, 0, &r);
		} else {
			struct gh_row_members r = {.name = jc->child.name,
				.child = GH_NULL,
				.off = GH_NULL,
				.csize = (int64_t)jc->child.csize,
				.size = (int64_t)jc->child.size,
				.flags = jc->child.flags};
			e->sink->row(e->sink->to, GH_T_members, job.blob, jc->n, 0, &r);
		}
	}
	gh_arena_done(&arena);
	pending_free(e, p);
	e->state.jobs_done++;
}

static void hand_out(struct gh_engine *e)
{
	for (unsigned i = 0; i < e->n_workers && e->first; i++) {
		struct gh_slot *s = &e->slot[i];
		if (s->job)
			continue;
		struct gh_pending *p = queue_take(e);
		if (!p)
			break;
		if (base_open(e, &e->bases[p->base]) < 0) {
			__atomic_fetch_sub(&e->shared->queued, p->len, __ATOMIC_RELAXED);
			give_up(e, p, "io", strerror(errno));
			i--;
			continue;
		}
		if (!slot_start(e, i))
			give_up(e, p, "io", "no worker could be started");
		else
			(void)slot_send(e, s, p, -1, 0); /* a worker that died meanwhile is seen at its socket */
	}
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
		.size = jc.child.size,
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
	bool ok = fd >= 0 && gh_job_decode(&arena, p->job, p->len, &job) && job.n == 1;
	uint32_t mark = e->n_spills;
	if (ok) {
		e->n_spills++;
		int own = dup(fd);
		ok = own >= 0 && look_in_spill(e, &job, mark, own);
	}
	ok = ok && slot_send(e, s, p, fd, mark + 1);
	if (fd >= 0)
		close(fd);
	gh_arena_done(&arena);
	return ok;
}

static void hand_out_pours(struct gh_engine *e)
{
	for (unsigned i = GH_WORKERS_MAX; i < GH_SLOTS && e->pours; i++) {
		struct gh_slot *s = &e->slot[i];
		if (s->job)
			continue;
		struct gh_pending *p = e->pours;
		e->pours = p->next;
		if (!e->pours)
			e->last_pour = &e->pours;
		p->next = NULL;
		if (!slot_start(e, i) || !pour_start(e, s, p)) {
			s->job = NULL;
			give_up(e, p, "limit", "no room for a spill file");
		}
	}
}

/* ---- workers that die ---- */

static const char *death_word(int status, bool hung)
{
	if (hung)
		return "hang";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "jail";
	return "crash";
}

static bool add_skip(struct gh_pending *p, const struct gh_phase *at, const char *why)
{
	for (uint32_t i = 0; i < p->n_skip; i++)
		if (p->skip[i].blob == at->blob && p->skip[i].child == at->child && p->skip[i].plugin == at->plugin)
			return false; /* it was left out, and yet it died there: no progress */
	struct gh_skip *more = realloc(p->skip, (p->n_skip + 1) * sizeof *more);
	if (!more)
		return false;
	p->skip = more;
	p->skip[p->n_skip] = (struct gh_skip){.blob = at->blob, .child = at->child, .plugin = at->plugin};
	snprintf(p->skip[p->n_skip].why, sizeof p->skip[0].why, "%s", why);
	p->n_skip++;
	return true;
}

static void slot_died(struct gh_engine *e, unsigned i)
{
	struct gh_slot *s = &e->slot[i];
	struct gh_pending *p = s->job;
	struct gh_phase at = e->shared->phase[i];
	int status = 0;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	const char *why = death_word(status, s->hung);
	uint32_t filling = s->filling;
	close(s->fd);
	gh_wire_in_done(&s->in);
	*s = (struct gh_slot){0};
	e->state.crashes++;
	if (filling)
		__atomic_store_n(&e->shared->mark[filling - 1].state, 2, __ATOMIC_RELEASE);
	if (!p)
		return;
	if (filling || p->attempt >= ATTEMPTS_MAX || !add_skip(p, &at, why)) {
		if (filling)
			e->sink->row(e->sink->to, GH_T_notes, at.blob, (1ull << 50) + ((uint64_t)at.child << 12) + 2, 0,
				&(struct gh_row_notes){.plugin = GH_STR("engine"),
					.code = gh_str(why),
					.what = GH_STR("stopped while this content was unpacked")});
		if (filling)
			pending_free(e, p), e->state.jobs_done++;
		else
			give_up(e, p, why, "stopped again and again while this content was read");
		return;
	}
	p->attempt++;
	p->next = e->first;
	if (!e->first)
		e->last = &p->next;
	e->first = p;
	__atomic_fetch_add(&e->shared->queued, p->len, __ATOMIC_RELAXED);
}

static void watch(struct gh_engine *e)
{
	int64_t now = now_ms(),
		patience = 1000 * (int64_t)(e->config.hang_seconds ? e->config.hang_seconds : HANG_SECONDS);
	for (unsigned i = 0; i < GH_SLOTS; i++) {
		struct gh_slot *s = &e->slot[i];
		if (!s->job)
			continue;
		uint64_t beat = __atomic_load_n(&e->shared->phase[i].beat, __ATOMIC_RELAXED);
		if (beat != s->beat) {
			s->beat = beat;
			s->moved = now;
		} else if (now - s->moved > patience) {
			s->hung = true;
			kill(s->pid, SIGKILL); /* its socket closes: slot_died() */
		}
	}
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
			slot_died(e, who[k]);
	}
}

static enum gh_code loop(struct gh_engine *e, struct gh_err *err)
{
	int64_t next_tick = 0;
	while (busy(e)) {
		hand_out_pours(e);
		hand_out(e);
		serve(e);
		int64_t now = now_ms();
		if (now < next_tick)
			continue;
		next_tick = now + TICK_MS;
		watch(e);
		for (unsigned i = 0; e->state.walls < 0 && i < GH_SLOTS; i++)
			if (e->slot[i].pid && e->shared->walls[i])
				e->state.walls = e->shared->walls[i] - 1;
		if (!e->sink->tick(e->sink->to, &e->state))
			return gh_fail(err, GH_END, 0, "stopped by the user");
	}
	for (unsigned i = 0; e->state.walls < 0 && i < GH_SLOTS; i++)
		if (e->shared->walls[i])
			e->state.walls = e->shared->walls[i] - 1;
	return GH_OK;
}

/* ---- inputs ---- */

static enum gh_code copy_stdin(struct gh_engine *e, int *ret_fd, struct gh_err *err)
{
	static uint8_t buf[1 << 20];
	int fd = gh_spill_file(e);
	if (fd < 0)
		return gh_fail(err, GH_IO, 0, "no spill file in %s: %s", e->spill_dir, strerror(errno));
	for (ssize_t n; (n = read(0, buf, sizeof buf)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write(fd, buf, (size_t)n) != n)
			return gh_fail(err, GH_IO, 0, "standard input: %s", strerror(errno));
		e->state.bytes_spilled += (uint64_t)n;
	}
	*ret_fd = fd;
	return GH_OK;
}

static enum gh_code add_file(
	struct gh_engine *e, const char *name, int fd, uint64_t n, uint32_t root, struct gh_err *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return gh_fail(err, GH_IO, 0, "%s is not a file that can be read at offsets; try - for a pipe", name);
	uint32_t base = gh_base_add(e, &(struct gh_base){.fd = fd, .size = (uint64_t)size});
	struct gh_job_child jc = {.n = n,
		.child = {.kind = GH_MEMBER,
			.name = gh_str_base(gh_str(name)),
			.off = UINT64_MAX,
			.csize = (uint64_t)size,
			.size = (uint64_t)size}};
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = root,
		.format = -1,
		.bytes = gh_look_budget((uint64_t)size),
		.size = (uint64_t)size,
		.where = {.base = base},
		.n = 1,
		.children = &jc};
	if (base == UINT32_MAX || !gh_queue_add(e, &job, false))
		return gh_fail(err, GH_NOMEM, 0, "no memory for %s", name);
	return GH_OK;
}

static enum gh_code add_input(struct gh_engine *e, const char *name, uint64_t n, uint32_t root, struct gh_err *err)
{
	int fd = -1;
	if (strcmp(name, "-") == 0) {
		enum gh_code code = copy_stdin(e, &fd, err);
		return code ? code : add_file(e, "stdin", fd, n, root, err);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st))
		return gh_fail(err, GH_IO, 0, "%s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		struct gh_str s = gh_str(name);
		while (s.n > 1 && s.p[s.n - 1] == '/')
			s.n--;
		char shown[256];
		snprintf(shown, sizeof shown, "%.*s", (int)gh_str_base(s).n, gh_str_base(s).p);
		return gh_folder_walk(e, fd, shown, root, n, err);
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return gh_fail(err, GH_IO, 0, "%s is neither a file nor a folder; try - for a pipe", name);
	return add_file(e, name, fd, n, root, err);
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
	for (size_t i = 0; i < n && code == GH_OK; i++)
		code = add_input(e, inputs[i], i, root, err);
	if (code == GH_OK)
		code = loop(e, err);
	drop_all(e);
	return code;
}
