/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of an acquisition: a line for each answer and each content, written when it is complete. */
#include "device/journal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "base/num.h"
#include "base/sort.h"
#include "base/tsv.h"

enum { FIELD_MAX = 4 * (GH_COMMAND_MAX + 1) };

struct gh_str gh_journal_now(struct gh_arena *arena)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return gh_str_dup(arena, gh_strn(text, n));
}

void gh_journal_say(struct gh_journal *j, const char *fmt, ...)
{
	if (!j->log)
		return;
	struct gh_mark mark = gh_arena_mark(&j->arena);
	fprintf(j->log, "%s ", gh_journal_now(&j->arena).p);
	va_list ap;
	va_start(ap, fmt);
	vfprintf(j->log, fmt, ap);
	va_end(ap);
	fputc('\n', j->log);
	fflush(j->log);
	gh_arena_release(&j->arena, mark);
}

static bool unhex(struct gh_str s, uint8_t out[32])
{
	for (size_t i = 0; i < 32; i++) {
		uint64_t v;
		if (s.n != 64 || !gh_str_u64(gh_strn(s.p + 2 * i, 2), 16, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

static int compare(struct gh_str a, struct gh_str b)
{
	int c = memcmp(a.p, b.p, (size_t)gh_min(a.n, b.n));
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static bool before(const void *a, const void *b)
{
	return compare((*(struct gh_done *const *)a)->path, (*(struct gh_done *const *)b)->path) < 0;
}

const struct gh_done *gh_journal_done(const struct gh_journal *j, struct gh_str path)
{
	size_t low = 0, high = j->n_done;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(j->done[mid].path, path);
		if (c == 0)
			return &j->done[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct gh_answer *gh_journal_answer(const struct gh_journal *j, const char *name)
{
	for (size_t i = 0; i < j->n_answers; i++)
		if (gh_str_is(j->answers[i].name, name))
			return &j->answers[i];
	return NULL;
}

/* ---- reading ---- */

/* n fields of a line, unescaped. */
static bool fields(struct gh_journal *j, struct gh_str line, struct gh_str *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gh_str field;
		if (!gh_tsv_next(&line, &field))
			return false;
		ret[i] = gh_tsv_read(&j->arena, field);
		if (!ret[i].p)
			return false;
	}
	return !line.p;
}

static bool keep_answer(struct gh_journal *j, const struct gh_answer *a)
{
	if (j->n_answers == j->cap_answers) {
		size_t cap = j->cap_answers ? j->cap_answers * 2 : 64;
		struct gh_answer *more = gh_alloc_array(&j->arena, cap, sizeof *more);
		if (!more)
			return false;
		if (j->n_answers)
			memcpy(more, j->answers, j->n_answers * sizeof *more);
		j->answers = more;
		j->cap_answers = cap;
	}
	j->answers[j->n_answers++] = *a;
	return true;
}

static void read_line(struct gh_journal *j, struct gh_str line)
{
	struct gh_str f[9];
	uint64_t a, b;
	if (gh_str_starts(line, "F\t") && fields(j, line, f, 6)) {
		struct gh_done d = {.state = f[1], .path = f[5]};
		if (!unhex(f[2], d.sha256) || !gh_str_u64(f[3], 10, &a) || !gh_str_u64(f[4], 10, &b))
			return;
		d.size = a;
		d.mtime = (int64_t)b;
		j->done[j->n_done++] = d;
	} else if (gh_str_starts(line, "L\t") && fields(j, line, f, 9)) {
		struct gh_answer answer = {
			.name = f[1], .state = f[2], .sha256 = f[5], .time = f[6], .asked = f[7], .said = f[8]};
		if (!gh_str_u64(f[4], 10, &a))
			return;
		answer.bytes = a;
		answer.status = gh_str_u64(f[3], 10, &b) ? (int64_t)b : -1;
		(void)keep_answer(j, &answer);
	} else if (gh_str_starts(line, "S\t") && fields(j, line, f, 2) && !j->started.p)
		j->started = f[1];
}

static bool read_all(struct gh_journal *j, struct gh_str text)
{
	size_t lines = 0, n = 0;
	for (const char *p = text.p; p && (p = memchr(p, '\n', text.n - (size_t)(p - text.p))); p++)
		lines++;
	j->done = gh_alloc_array(&j->arena, lines + 1, sizeof *j->done);
	struct gh_done **order = gh_alloc_array(&j->arena, lines + 1, sizeof *order);
	struct gh_done *sorted = gh_alloc_array(&j->arena, lines + 1, sizeof *sorted);
	if (!j->done || !order || !sorted)
		return false;
	/* The last line may have been cut when the machine stopped: it has no end. */
	struct gh_str rest = text, line;
	for (size_t i = 0; i < lines && gh_str_line(&rest, &line); i++)
		read_line(j, line);
	for (size_t i = 0; i < j->n_done; i++)
		order[i] = &j->done[i];
	gh_sort(order, j->n_done, sizeof *order, before);
	for (size_t i = 0; i < j->n_done; i++)
		if (!n || compare(sorted[n - 1].path, order[i]->path) != 0)
			sorted[n++] = *order[i];
	j->done = sorted;
	j->n_done = n;
	return true;
}

/* ---- writing ---- */

static void put_field(FILE *to, struct gh_str s, char end)
{
	static const char none[] = "";
	char *buf = malloc(FIELD_MAX);
	size_t n = 0;
	if (buf && gh_tsv_put(buf, FIELD_MAX, s.p ? s : gh_str(none), &n))
		fwrite(buf, 1, n, to);
	fputc(end, to);
	free(buf);
}

bool gh_journal_add_answer(struct gh_journal *j, const struct gh_answer *a)
{
	fputs("L\t", j->file);
	put_field(j->file, a->name, '\t');
	put_field(j->file, a->state, '\t');
	if (a->status >= 0)
		fprintf(j->file, "%lld\t", (long long)a->status);
	else
		fputs("-\t", j->file);
	fprintf(j->file, "%llu\t", (unsigned long long)a->bytes);
	put_field(j->file, a->sha256, '\t');
	put_field(j->file, a->time, '\t');
	put_field(j->file, a->asked, '\t');
	put_field(j->file, a->said, '\n');
	return keep_answer(j, a) && fflush(j->file) == 0;
}

bool gh_journal_add_done(struct gh_journal *j, const struct gh_found *f)
{
	char hex[65];
	fprintf(j->file, "F\t%s\t%s\t%llu\t%llu\t", f->state, gh_land_hex(f->sha256, hex), (unsigned long long)f->size,
		(unsigned long long)f->mtime);
	put_field(j->file, f->path, '\n');
	return fflush(j->file) == 0;
}

enum gh_code gh_journal_open(struct gh_journal *j, struct gh_land *land, struct gh_err *err)
{
	*j = (struct gh_journal){0};
	gh_arena_init(&j->arena, 0);
	struct gh_str old = gh_land_read(land, &j->arena, "journal.tsv");
	bool ok = read_all(j, old);
	j->file = gh_land_append(land, "journal.tsv");
	j->log = gh_land_append(land, "acquisition.log");
	if (!ok || !j->file || !j->log)
		return gh_fail(err, GH_IO, 0, "the folder cannot be written");
	if (old.n && old.p[old.n - 1] != '\n')
		fputc('\n', j->file);
	if (!j->started.p) {
		j->started = gh_journal_now(&j->arena);
		fprintf(j->file, "S\t%s\n", j->started.p);
		fflush(j->file);
	}
	return GH_OK;
}

void gh_journal_close(struct gh_journal *j)
{
	if (j->file)
		fclose(j->file);
	if (j->log)
		fclose(j->log);
	gh_arena_done(&j->arena);
	*j = (struct gh_journal){0};
}
