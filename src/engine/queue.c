/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator's files and queue. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "engine/coordinator.h"

uint32_t gh_base_add(struct gh_engine *e, const struct gh_base *base)
{
	if (e->n_bases == e->cap_bases) {
		size_t cap = e->cap_bases ? e->cap_bases * 2 : 64;
		struct gh_base *p = realloc(e->bases, cap * sizeof *p);
		if (!p)
			return UINT32_MAX;
		e->bases = p;
		e->cap_bases = cap;
	}
	e->bases[e->n_bases] = *base;
	return (uint32_t)e->n_bases++;
}

int gh_spill_file(struct gh_engine *e)
{
	int fd = open(e->spill_dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0 || errno == ENOENT || errno == EACCES)
		return fd;
	char path[sizeof e->spill_dir + 32]; /* a file system without O_TMPFILE */
	size_t n = strlen(e->spill_dir);
	memcpy(path, e->spill_dir, n);
	memcpy(path + n, "/gifthorse-XXXXXX", sizeof "/gifthorse-XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

void gh_queue_put(struct gh_engine *e, struct gh_pending *p, bool front)
{
	struct gh_pending **head = p->kind == GH_JOB_POUR ? &e->pours : &e->first;
	struct gh_pending ***tail = p->kind == GH_JOB_POUR ? &e->last_pour : &e->last;
	p->next = front ? *head : NULL;
	if (front && *head)
		*head = p;
	else if (front || !*head)
		*head = p, *tail = &p->next;
	else
		**tail = p, *tail = &p->next;
}

struct gh_pending *gh_queue_unlink(struct gh_pending **at, struct gh_pending ***tail)
{
	struct gh_pending *p = *at;
	*at = p->next;
	if (*tail == &p->next)
		*tail = at;
	p->next = NULL;
	return p;
}

static const struct gh_locator *way(const struct gh_locator *where, uint32_t i)
{
	return where->n_parts ? (where->parts[i].there ? &where->parts[i].where : NULL) : where;
}

static uint32_t n_ways(const struct gh_locator *where)
{
	return where->n_parts ? where->n_parts : 1;
}

bool gh_bases_known(const struct gh_engine *e, const struct gh_job *job)
{
	for (uint32_t i = 0; i < n_ways(&job->where); i++) {
		const struct gh_locator *w = way(&job->where, i);
		if (w && w->base >= e->n_bases)
			return false;
	}
	return true;
}

static bool add_number(uint32_t **list, uint32_t *n, uint32_t number)
{
	for (uint32_t i = 0; i < *n; i++)
		if ((*list)[i] == number)
			return false;
	uint32_t *more = realloc(*list, (*n + 1) * sizeof *more);
	if (!more)
		return false;
	more[(*n)++] = number;
	*list = more;
	return true;
}

void gh_pending_hold(struct gh_engine *e, struct gh_pending *p, uint32_t set)
{
	if (add_number(&p->holds, &p->n_holds, set))
		gh_set_hold(e, set);
}

struct gh_pending *gh_pending_kept(struct gh_engine *e, const struct gh_job *job)
{
	struct gh_arena arena;
	gh_arena_init(&arena, 0);
	struct gh_str bytes;
	struct gh_pending *p = NULL;
	if (gh_job_encode(&arena, job, &bytes) && (p = calloc(1, sizeof *p + bytes.n))) {
		p->kind = job->kind;
		p->format = job->format;
		p->n = job->n;
		p->len = bytes.n;
		memcpy(p->job, bytes.p, bytes.n);
		for (uint32_t i = 0; job->kind != GH_JOB_SET && i < n_ways(&job->where); i++) {
			const struct gh_locator *w = way(&job->where, i);
			if (w && add_number(&p->bases, &p->n_bases, w->base))
				e->bases[w->base].refs++;
		}
	}
	gh_arena_done(&arena);
	return p;
}

struct gh_pending *gh_pending_new(struct gh_engine *e, const struct gh_job *job)
{
	struct gh_pending *p = gh_pending_kept(e, job);
	if (!p)
		return NULL;
	for (uint32_t i = 0; i < job->n; i++) {
		uint32_t set = gh_set_number(e, &job->children[i].child.of);
		if (set != UINT32_MAX)
			gh_pending_hold(e, p, set);
	}
	e->state.jobs_known++;
	__atomic_fetch_add(&e->shared->queued, p->len, __ATOMIC_RELAXED);
	return p;
}

bool gh_queue_add(struct gh_engine *e, const struct gh_job *job, bool front)
{
	struct gh_pending *p = gh_pending_new(e, job);
	if (p)
		gh_queue_put(e, p, front);
	return p != NULL;
}
