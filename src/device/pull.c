/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a phone for everything that src/device/items.c names, in that order: commands, listings, files. What comes is hashed and written, and
 * never looked into. */
#include "device/pull.h"

#include <stdlib.h>

#include "base/num.h"
#include "device/shell.h"
#include "device/sync.h"

enum {
	ANSWER_MAX = 64 << 20, /* of one command; dumpsys package of a full phone is some 15 MiB */
	AHEAD = 16, /* files that are asked for before the first came: hides the way there and back */
	HASH_BATCH = 8 << 10, /* bytes of paths in one sha256sum */
	LOST_MAX = 3, /* connections that break at the same command or file: it is left out then */
	BREAKS_MAX = 200, /* broken connections in all: then it is no use */
};

static const uint64_t FILE_MAX = 16ull << 30, ALL_MAX = 128ull << 30;

#define TYPE(mode) ((mode)&0170000u)
#define REGULAR 0100000u
#define FOLDER 0040000u

struct work {
	const struct gh_pull *p;
	struct gh_phone *phone;
	struct gh_land land;
	struct gh_journal journal;
	struct gh_listing listing;
	struct gh_pull_sum sum;
	uint64_t all_bytes; /* that came in this call */
	unsigned breaks;
};

static void show(struct work *w, const char *what, uint64_t done, uint64_t all)
{
	if (w->p->progress)
		w->p->progress(w->p->to, what, done, all, w->all_bytes);
}

static enum gh_code put(void *to, const uint8_t *p, size_t n, struct gh_err *err)
{
	struct work *w = to;
	w->all_bytes += n;
	if (w->all_bytes > ALL_MAX)
		return gh_fail(err, GH_IO, 0, "the phone gave more than %llu GiB", (unsigned long long)(ALL_MAX >> 30));
	return gh_land_put(&w->land, p, n, err);
}

/* The connection broke, and may be had again. */
static bool reconnect(struct work *w, enum gh_code code, const struct gh_err *err)
{
	if (code == GH_END || code == GH_NOMEM || code == GH_UNSUP)
		return false;
	gh_journal_say(&w->journal, "connection lost: %s", err->what);
	return w->p->again && ++w->breaks <= BREAKS_MAX && w->p->again(w->p->to, w->phone);
}

/* After nonsense a link is out of step, and is made anew; each stream of a server is a connection of its own. */
static enum gh_code renew(struct work *w, struct gh_err *err)
{
	struct gh_err nonsense = {.what = "nonsense on the link"};
	if (!w->phone->transport || reconnect(w, GH_BAD, &nonsense))
		return GH_OK;
	return gh_fail(err, GH_IO, 0, "the phone talks nonsense and cannot be reached again");
}

/* ---- commands ---- */

static enum gh_code ask(struct work *w, const struct gh_item *item, struct gh_err *err)
{
	struct gh_shell_result result = {.status = -1};
	char name[80], hex[65];
	uint8_t sha256[32];
	enum gh_code code = gh_land_begin(&w->land, err);
	if (code == GH_OK)
		code = gh_shell(w->phone, item->command, ANSWER_MAX, put, w, &result, err);
	/* A phone that refuses the service as such has answered; one that falls silent or talks nonsense has been heard so far. */
	bool refused = code == GH_UNSUP, odd = code == GH_LIMIT || code == GH_BAD;
	result.cut |= odd;
	if (code && !refused && !odd)
		return code;
	snprintf(name, sizeof name, "live/%s.txt", item->name);
	struct gh_err ours = {0};
	if (gh_land_keep(&w->land, name, sha256, &ours)) {
		*err = ours;
		return ours.code;
	}
	struct gh_answer a = {.name = gh_str(item->name),
		.asked = gh_str(item->command),
		.state = refused || (!result.cut && result.status > 0 && !result.bytes) ? GH_STR("denied")
			 : result.cut                                                   ? GH_STR("cut")
											: GH_STR("answered"),
		.status = result.status,
		.bytes = result.bytes,
		.sha256 = gh_str_dup(&w->journal.arena, gh_str(gh_land_hex(sha256, hex))),
		.time = gh_journal_now(&w->journal.arena),
		.said = gh_str_dup(&w->journal.arena, gh_str(refused || odd ? err->what : result.said))};
	*err = (struct gh_err){0};
	gh_journal_say(&w->journal, "%s: %s, %llu bytes, sha256 %s", item->command, a.state.p,
		(unsigned long long)a.bytes, a.sha256.p);
	if (!gh_journal_add_answer(&w->journal, &a))
		return gh_fail(err, GH_IO, 0, "the folder cannot be written");
	return odd ? renew(w, err) : GH_OK;
}

static enum gh_code ask_all(struct work *w, struct gh_err *err)
{
	for (size_t i = 0; i < gh_n_items; i++) {
		const struct gh_item *item = &gh_items[i];
		show(w, "asking", i, gh_n_items);
		if (gh_journal_answer(&w->journal, item->name))
			continue;
		enum gh_code code = ask(w, item, err);
		for (int lost = 1; code && lost < LOST_MAX && reconnect(w, code, err); lost++) {
			*err = (struct gh_err){0};
			code = ask(w, item, err);
		}
		if (code)
			return code;
	}
	return GH_OK;
}

/* ---- listings ---- */

static enum gh_code list_all(struct work *w, struct gh_err *err)
{
	for (size_t i = 0; i < gh_n_roots; i++) {
		show(w, "listing", i, gh_n_roots);
		size_t before = w->listing.n;
		enum gh_code code = gh_listing_root(&w->listing, w->phone, &gh_roots[i], err);
		for (int lost = 1; code && code != GH_UNSUP && lost < LOST_MAX && reconnect(w, code, err); lost++) {
			*err = (struct gh_err){0};
			code = gh_listing_root(&w->listing, w->phone, &gh_roots[i], err);
		}
		if (code && code != GH_UNSUP && code != GH_BAD && code != GH_LIMIT)
			return code;
		if (code) {
			gh_journal_say(&w->journal, "listing %s: %s", gh_roots[i].where, err->what);
			w->listing.full |= code != GH_UNSUP;
			*err = (struct gh_err){0};
		}
		if ((code == GH_BAD || code == GH_LIMIT) && (code = renew(w, err)))
			return code;
		gh_journal_say(&w->journal, "listed %s: %zu paths", gh_roots[i].where, w->listing.n - before);
	}
	return GH_OK;
}

/* What is settled without the file itself. */
static void settle(struct work *w)
{
	for (size_t i = 0; i < w->listing.n; i++) {
		struct gh_found *f = &w->listing.v[i];
		const struct gh_done *d = gh_journal_done(&w->journal, f->path);
		char name[GH_LAND_PATH_MAX + 8];
		uint8_t sha256[32];
		uint64_t size;
		if (!f->mode || (f->closed && (TYPE(f->mode) == REGULAR || TYPE(f->mode) == FOLDER)))
			f->state = "denied";
		else if (TYPE(f->mode) != REGULAR)
			f->state = "no content";
		else if (f->size > FILE_MAX)
			f->state = "not tried";
		if (f->state || !d || d->size != f->size || d->mtime != f->mtime)
			continue;
		snprintf(name, sizeof name, "files%s", f->path.p);
		if (gh_str_is(d->state, "hashed-only") && w->p->reference &&
			w->p->reference->known(w->p->reference->to, d->sha256))
			f->state = "hashed-only";
		else if (gh_str_is(d->state, "pulled") && gh_land_hash(&w->land, name, sha256, &size) &&
			 memcmp(sha256, d->sha256, 32) == 0)
			f->state = "pulled";
		if (f->state) {
			memcpy(f->sha256, d->sha256, 32);
			f->hashed = true;
		}
	}
}

/* ---- hashed on the phone ---- */

struct sums {
	struct work *w;
	char line[GH_LAND_PATH_MAX + 80];
	size_t n;
	bool too_long;
};

static void take_sum(struct sums *s)
{
	struct gh_str line = gh_strn(s->line, s->n);
	uint8_t sha256[32];
	if (s->n < 67 || memcmp(line.p + 64, "  ", 2) != 0)
		return;
	for (size_t i = 0; i < 32; i++) {
		uint64_t v;
		if (!gh_str_u64(gh_strn(line.p + 2 * i, 2), 16, &v))
			return;
		sha256[i] = (uint8_t)v;
	}
	struct gh_found *f = gh_listing_find(&s->w->listing, gh_strn(line.p + 66, line.n - 66));
	const struct gh_reference *r = s->w->p->reference;
	if (!f || f->state || !r->known(r->to, sha256))
		return;
	f->state = "hashed-only";
	f->hashed = true;
	memcpy(f->sha256, sha256, 32);
	(void)!gh_journal_add_done(&s->w->journal, f);
}

static enum gh_code take_sums(void *to, const uint8_t *p, size_t n, struct gh_err *err)
{
	(void)err;
	struct sums *s = to;
	s->w->all_bytes += n;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			if (!s->too_long)
				take_sum(s);
			s->n = 0;
			s->too_long = false;
		} else if (s->n < sizeof s->line)
			s->line[s->n++] = (char)p[i];
		else
			s->too_long = true;
	}
	return GH_OK;
}

/* Names that stand in quotes as they are, and in the answer as well. */
static bool quotable(struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == '\'' || s.p[i] == '\\' || s.p[i] == 0x7f)
			return false;
	return true;
}

static enum gh_code hash_batch(struct work *w, const char *command, struct gh_err *err)
{
	struct sums s = {.w = w};
	struct gh_shell_result result;
	enum gh_code code = gh_shell(w->phone, command, 1 << 20, take_sums, &s, &result, err);
	for (int lost = 1; code && code != GH_UNSUP && lost < LOST_MAX && reconnect(w, code, err); lost++) {
		*err = (struct gh_err){0};
		s.n = 0;
		code = gh_shell(w->phone, command, 1 << 20, take_sums, &s, &result, err);
	}
	return code;
}

static enum gh_code hash_there(struct work *w, struct gh_err *err)
{
	const struct gh_reference *r = w->p->reference;
	char command[HASH_BATCH + GH_LAND_PATH_MAX + 64];
	size_t n = 0;
	for (size_t i = 0; r && i <= w->listing.n; i++) {
		struct gh_found *f = i < w->listing.n ? &w->listing.v[i] : NULL;
		if (f && !f->state && f->size && quotable(f->path) && r->same_place(r->to, f->path, f->size)) {
			if (!n)
				n = (size_t)snprintf(command, sizeof command, "%s", gh_hash_command);
			n += (size_t)snprintf(command + n, sizeof command - n, " '%s'", f->path.p);
		}
		if (!n || (f && n < HASH_BATCH))
			continue;
		show(w, "hashing on the phone", i, w->listing.n);
		enum gh_code code = hash_batch(w, command, err);
		if (code && code != GH_UNSUP && code != GH_BAD && code != GH_LIMIT)
			return code;
		*err = (struct gh_err){0};
		if (code && code != GH_UNSUP && (code = renew(w, err)))
			return code;
		n = 0;
	}
	return GH_OK;
}

/* ---- files ---- */

struct window {
	struct gh_sync *sync;
	bool open;
	size_t asked[AHEAD]; /* in the order in which they were asked for */
	size_t n;
	size_t next; /* of the listing, to ask for */
	unsigned lost; /* connections in a row that brought no file */
};

static bool wanted(const struct gh_found *f)
{
	return !f->state && f->size <= FILE_MAX;
}

/* Asks until the window is full. Over one link the next may only be asked for when the last was taken. */
static enum gh_code fill(struct work *w, struct window *win, struct gh_err *err)
{
	size_t ahead = w->phone->transport ? 1 : AHEAD;
	enum gh_code code = GH_OK;
	if (!win->open) {
		code = gh_sync_open(w->phone, win->sync, err);
		win->open = code == GH_OK;
	}
	for (; code == GH_OK && win->n < ahead && win->next < w->listing.n; win->next++) {
		if (!wanted(&w->listing.v[win->next]))
			continue;
		code = gh_sync_ask(win->sync, w->listing.v[win->next].path.p, err);
		win->asked[win->n] = win->next;
		win->n += code == GH_OK;
		if (code)
			break;
	}
	return code;
}

/* The session is over: what was asked for and did not come is asked for again. */
static void rewind_to(struct window *win, size_t at)
{
	if (win->open)
		gh_sync_close(win->sync);
	win->open = false;
	win->n = 0;
	win->next = at;
}

/* What the kernel makes up has no size that could be trusted. */
static bool is_made_up(const struct gh_found *f)
{
	return gh_str_starts(f->path, "/sys/");
}

static enum gh_code keep(struct work *w, struct gh_found *f, struct gh_err *err)
{
	char name[GH_LAND_PATH_MAX + 8];
	snprintf(name, sizeof name, "files%s", f->path.p);
	if (is_made_up(f))
		f->size = w->land.bytes;
	if (w->land.bytes != f->size) {
		gh_land_drop(&w->land);
		f->state = "cut";
		return GH_OK;
	}
	enum gh_code code = gh_land_keep(&w->land, name, f->sha256, err);
	if (code == GH_BAD) {
		*err = (struct gh_err){0};
		f->state = "cut";
		return GH_OK;
	}
	if (code)
		return code;
	f->state = "pulled";
	f->hashed = true;
	return gh_journal_add_done(&w->journal, f) ? GH_OK : gh_fail(err, GH_IO, 0, "the folder cannot be written");
}

/* Takes the first that was asked for. */
static enum gh_code take(struct work *w, struct window *win, struct gh_err *err)
{
	size_t at = win->asked[0];
	struct gh_found *f = &w->listing.v[at];
	enum gh_code code = gh_land_begin(&w->land, err);
	if (code)
		return code;
	code = gh_sync_take(win->sync, is_made_up(f) ? ANSWER_MAX : f->size, put, w, err);
	if (code == GH_UNSUP || code == GH_LIMIT) {
		bool refused = code == GH_UNSUP;
		/* Waiting in vain has the same code as too much, and says nothing of the file. */
		if (!refused && w->land.bytes < f->size && win->lost + 1 < LOST_MAX) {
			gh_land_drop(&w->land);
			return gh_fail(err, GH_IO, 0, "the phone stopped in the middle of a file");
		}
		gh_land_drop(&w->land);
		*err = (struct gh_err){0};
		f->state = refused ? "denied" : "cut";
		rewind_to(win, at + 1);
		win->lost = 0;
		return GH_OK;
	}
	if (code)
		return code;
	win->lost = 0;
	win->n--;
	memmove(win->asked, win->asked + 1, win->n * sizeof *win->asked);
	return keep(w, f, err);
}

/* After a broken connection. GH_OK: goes on. */
static enum gh_code recover(struct work *w, struct window *win, enum gh_code code, struct gh_err *err)
{
	size_t at = win->n ? win->asked[0] : win->next;
	gh_land_drop(&w->land);
	rewind_to(win, at);
	if (code == GH_BAD || ++win->lost >= LOST_MAX) {
		if (at < w->listing.n && wanted(&w->listing.v[at]))
			w->listing.v[at].state = "cut";
		win->lost = 0;
	}
	if (!reconnect(w, code, err))
		return code;
	*err = (struct gh_err){0};
	return GH_OK;
}

static enum gh_code pull_all(struct work *w, struct gh_err *err)
{
	struct window *win = calloc(1, sizeof *win);
	enum gh_code code = GH_OK;
	if (win)
		win->sync = calloc(1, sizeof *win->sync);
	if (!win || !win->sync)
		code = gh_fail(err, GH_NOMEM, 0, "no memory");
	for (uint64_t n = 0; code == GH_OK; n++) {
		if (n % 16 == 0)
			show(w, "pulling", win->next, w->listing.n);
		code = fill(w, win, err);
		if (code == GH_OK && !win->n)
			break;
		if (code == GH_OK)
			code = take(w, win, err);
		if (code)
			code = recover(w, win, code, err);
	}
	if (win && win->sync && win->open)
		gh_sync_close(win->sync);
	if (win)
		free(win->sync);
	free(win);
	return code;
}

/* ---- all of it ---- */

static void count(struct work *w)
{
	struct gh_pull_sum *s = &w->sum;
	for (size_t i = 0; i < w->listing.n; i++) {
		const struct gh_found *f = &w->listing.v[i];
		struct gh_str state = gh_str(f->state ? f->state : "not tried");
		bool pulled = gh_str_is(state, "pulled"), hashed = gh_str_is(state, "hashed-only");
		s->pulled += pulled;
		s->bytes += pulled ? f->size : 0;
		s->hashed += hashed;
		s->hashed_bytes += hashed ? f->size : 0;
		s->denied += gh_str_is(state, "denied");
		s->left += gh_str_is(state, "not tried") || gh_str_is(state, "cut");
	}
	s->files = w->listing.n;
	s->strange = w->listing.strange;
	s->full = w->listing.full;
	for (size_t i = 0; i < w->journal.n_answers; i++) {
		bool denied = gh_str_is(w->journal.answers[i].state, "denied");
		s->answered += !denied;
		s->refused += denied;
	}
}

static enum gh_code work(struct work *w, struct gh_err *err)
{
	enum gh_code code = ask_all(w, err);
	if (code == GH_OK)
		code = list_all(w, err);
	gh_listing_sort(&w->listing);
	w->sum.listed = code == GH_OK;
	if (code == GH_OK) {
		settle(w);
		code = hash_there(w, err);
	}
	return code ? code : pull_all(w, err);
}

enum gh_code gh_pull(const struct gh_pull *pull, struct gh_phone *phone, struct gh_pull_sum *ret, struct gh_err *err)
{
	struct work w = {.p = pull, .phone = phone};
	char shown[4 * GH_SERIAL_MAX];
	if (gh_land_open(pull->dir, &w.land, err))
		return err->code;
	gh_listing_init(&w.listing);
	enum gh_code code = gh_journal_open(&w.journal, &w.land, err);
	if (code == GH_OK) {
		gh_escape(shown, sizeof shown, gh_str(phone->serial));
		gh_journal_say(&w.journal, "gifthorse " GH_VERSION " begins with %s, %s", shown, pull->way);
		code = work(&w, err);
		count(&w);
		w.sum.complete = code == GH_OK;
		gh_journal_say(&w.journal, "%s: %llu contents pulled, %llu hashed on the phone, %llu paths denied",
			code == GH_OK    ? "done"
			: code == GH_END ? "stopped"
					 : err->what,
			(unsigned long long)w.sum.pulled, (unsigned long long)w.sum.hashed,
			(unsigned long long)w.sum.denied);
		struct gh_err ours = {0};
		enum gh_code wrote =
			gh_journal_finish(&w.journal, &w.land, &w.listing, &w.sum, phone->serial, pull->way, &ours);
		if (wrote && !code) {
			code = wrote;
			*err = ours;
		}
	}
	gh_journal_close(&w.journal);
	gh_listing_done(&w.listing);
	gh_land_close(&w.land);
	*ret = w.sum;
	return code;
}
