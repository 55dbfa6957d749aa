/* SPDX-License-Identifier: Apache-2.0 */
/* Walking one INPUT for ls and cat, in a jailed child: what it reads is as hostile as what scan reads. */
#include "cli/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "engine/jail.h"
#include "tree/look.h"

struct ctx {
	struct gh_ctx ctx;
	struct gh_inside *in;
};

static uint64_t no_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	(void)ctx, (void)table, (void)at, (void)row;
	return 0;
}

static void tell(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	((struct ctx *)ctx)->in->complained = true;
	fprintf(stderr, "gifthorse: %s at offset %llu: %s\n", gh_code_word(code), (unsigned long long)at, what);
}

static struct ctx make_ctx(struct gh_inside *in)
{
	static const struct gh_ctx_ops ops = {no_emit, tell};
	return (struct ctx){{&in->arena, &in->budget, &ops}, in};
}

struct gh_str gh_inside_stem(struct gh_str s)
{
	s = gh_str_base(s);
	static const char *const endings[] = {".img", ".bin", ".raw", ".simg", ".ext4", ".erofs", ".gz", ".lz4", ".xz",
		".lzma", ".zst", ".bz2", ".br", ".cpio", ".apex", ".zip", ".tar"};
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < GH_COUNT(endings); i++)
			if (gh_str_ends(s, endings[i]) && s.n > strlen(endings[i])) {
				s.n -= strlen(endings[i]);
				more = true;
			}
	}
	if (s.n > 2 && (gh_str_ends(s, "_a") || gh_str_ends(s, "_b")))
		s.n -= 2;
	return s;
}

bool gh_inside_leads(const struct gh_inside_at *at, const struct gh_child *child)
{
	if (child->flags & GH_CHILD_UNREADABLE || !child->size || child->of.row)
		return false;
	if (child->kind == GH_VOLUME || gh_str_starts(at->image, "ramdisk:"))
		return true;
	if (child->kind == GH_FILE)
		return gh_str_ends(child->name, ".apex") || (at->depth < 3 && gh_str_ends(child->name, ".img"));
	return gh_str_is(child->name, "apex_payload.img") ||
	       (at->depth < 4 && !gh_str_ends(child->name, ".apk") && !gh_str_ends(child->name, ".dex"));
}

/* ---- content ---- */

struct to_file {
	struct gh_sink sink;
	int fd;
	uint64_t at;
};

static enum gh_code file_write(struct gh_sink *sink, const void *p, size_t n, struct gh_err *err)
{
	struct to_file *f = (struct to_file *)sink;
	while (n) {
		ssize_t put = pwrite(f->fd, p, n, (off_t)f->at);
		if (put <= 0)
			return gh_fail(err, GH_IO, f->at, "spill file: %s", strerror(errno));
		p = (const uint8_t *)p + put;
		f->at += (uint64_t)put;
		n -= (size_t)put;
	}
	return GH_OK;
}

static struct gh_source *poured(struct gh_inside *in, struct ctx *c, const struct gh_inside_at *at,
	const struct gh_child *child, struct gh_err *err)
{
	bool large = child->size > GH_WHOLE_MAX || child->flags & GH_CHILD_SIZE_HINT;
	if (large && in->n_spill) {
		struct to_file f = {.sink = {.write = file_write}, .fd = in->spill[--in->n_spill]};
		if (at->format->pour(&c->ctx, at->state, child, &f.sink, err))
			tell(&c->ctx, err->code, err->at, err->what);
		return gh_source_file(&in->arena, f.fd, f.at);
	}
	if (large) {
		gh_fail(err, GH_LIMIT, child->off, "too many large packed members inside each other");
		return NULL;
	}
	struct gh_sink sink = {.cap = (size_t)child->size, .buf = gh_alloc_raw(&in->arena, gh_max(child->size, 1))};
	if (!sink.buf) {
		gh_fail(err, GH_NOMEM, child->off, "no memory for %llu bytes", (unsigned long long)child->size);
		return NULL;
	}
	if (at->format->pour(&c->ctx, at->state, child, &sink, err))
		tell(&c->ctx, err->code, err->at, err->what);
	return gh_source_memory(&in->arena, sink.buf, sink.len);
}

static struct gh_source *plain_content(
	struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *child)
{
	struct ctx *c = gh_alloc(&in->arena, sizeof *c);
	struct gh_source *src = NULL;
	struct gh_err err = {.code = GH_NOMEM, .what = "no memory"};
	if (c) {
		*c = make_ctx(in);
		if (child->flags & GH_CHILD_STREAM)
			src = poured(in, c, at, child, &err);
		else if (at->format->data(&c->ctx, at->state, child, &src, &err))
			src = NULL;
	}
	if (!src)
		fprintf(stderr, "gifthorse: %s at offset %llu: %s\n", gh_code_word(err.code),
			(unsigned long long)err.at, err.what);
	return src;
}

/* ---- sets ---- */

/* A part of a set; what packs it is taken off. NULL: it is not there. */
static struct gh_source *part_content(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_set_part *p)
{
	struct gh_source *src = plain_content(in, at, &p->child);
	struct gh_probe probe;
	struct gh_err err;
	if (!src || gh_probe_make(src, gh_str_base(p->child.name), &in->arena, &probe, &err))
		return src;
	const struct gh_format *f = gh_probe_format(&probe);
	if (!f || !f->packing)
		return gh_part_known(&p->child.of, &probe) ? src : NULL;
	struct gh_inside_at inner = {.up = at, .format = f, .name = p->child.name, .depth = at->depth + 1};
	struct ctx *c = gh_alloc(&in->arena, sizeof *c);
	struct gh_child child = {0};
	inner.state = gh_alloc(&in->arena, f->state_size);
	if (!c || !inner.state)
		return NULL;
	*c = make_ctx(in);
	if (f->open(&c->ctx, src, inner.state, &err) || f->next(&c->ctx, inner.state, &child, &err))
		return NULL;
	return plain_content(in, &inner, &child);
}

/* The format of a set, opened from its parts; NULL and a word on standard error when it does not open. */
static void *set_open(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_set *set)
{
	const struct gh_format *f = gh_formats[set->format];
	struct gh_part *parts = gh_alloc_array(&in->arena, set->n, sizeof *parts);
	struct ctx *c = gh_alloc(&in->arena, sizeof *c);
	void *state = gh_alloc(&in->arena, f->state_size);
	struct gh_err err = {.code = GH_NOMEM, .what = "no memory"};
	uint32_t there = 0;
	for (uint32_t i = 0; parts && i < set->n; i++) {
		const struct gh_set_part *p = &set->part[set->order[i]];
		parts[i] = (struct gh_part){p->child.name, p->role, p->index, p->row, part_content(in, at, p)};
		there += parts[i].src != NULL;
	}
	if (set->loose && !there)
		return NULL; /* no set after all */
	if (!c)
		return NULL;
	*c = make_ctx(in);
	if (parts && state && !f->open_set(&c->ctx, parts, set->n, state, &err))
		return state;
	tell(&c->ctx, err.code, err.at, err.what);
	return NULL;
}

struct gh_source *gh_inside_content(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *child)
{
	if (!(child->flags & GH_CHILD_SET))
		return plain_content(in, at, child);
	struct gh_inside_at inner = {.up = at, .format = gh_formats[in->set->format], .depth = at->depth + 1};
	struct ctx c = make_ctx(in);
	struct gh_child image = {0};
	struct gh_err err = {.code = GH_SHORT, .what = "nothing of it is there"};
	inner.state = set_open(in, at, in->set);
	if (!inner.state)
		return NULL;
	if (!inner.format->next(&c.ctx, inner.state, &image, &err))
		return plain_content(in, &inner, &image);
	tell(&c.ctx, err.code, err.at, err.what);
	return NULL;
}

/* ---- a look at the beginning ---- */

enum {
	PEEK_FROM = 1 << 20, /* smaller ones are unpacked whole, and known by their ends too */
};

struct peek {
	struct gh_sink sink;
	uint8_t *head;
	size_t n;
};

static enum gh_code peek_write(struct gh_sink *sink, const void *p, size_t n, struct gh_err *err)
{
	struct peek *k = (struct peek *)sink;
	size_t room = GH_PROBE_HEAD - k->n, put = gh_min(n, room);
	memcpy(k->head + k->n, p, put);
	k->n += put;
	return put < n || !room ? gh_fail(err, GH_LIMIT, k->n, "enough seen") : GH_OK;
}

static void hush(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	(void)ctx, (void)code, (void)at, (void)what;
}

bool gh_inside_peek(struct gh_arena *arena, struct gh_budget *budget, const struct gh_format *format, void *state,
	const struct gh_child *child, struct gh_probe *ret)
{
	static const struct gh_ctx_ops quiet = {no_emit, hush};
	struct ctx c = {{arena, budget, &quiet}, NULL};
	struct peek k = {.sink = {.write = peek_write}, .head = gh_alloc(arena, GH_PROBE_HEAD)};
	struct gh_err err;
	*ret = (struct gh_probe){0};
	if (!k.head)
		return false;
	bool part = format->pour(&c.ctx, state, child, &k.sink, &err) != GH_OK;
	*ret = (struct gh_probe){.head = k.head,
		.head_len = k.n,
		.tail = k.head,
		.size = part ? gh_max(child->size, k.n) : k.n,
		.name = gh_str_base(child->name)};
	return !part || k.n == GH_PROBE_HEAD;
}

/* Does a packed child begin like something that holds others? Whoever wants names need not unpack a gigabyte of modem firmware. */
static bool leads_on(struct gh_inside *in, const struct gh_inside_at *at, const struct gh_child *child)
{
	struct gh_mark mark = gh_arena_mark(&in->arena);
	struct gh_probe probe;
	bool packed = child->flags & GH_CHILD_STREAM && (child->size > PEEK_FROM || child->flags & GH_CHILD_SIZE_HINT);
	/* One that breaks at once is opened, so that it is told. */
	bool yes = !packed || !gh_inside_peek(&in->arena, &in->budget, at->format, at->state, child, &probe) ||
		   gh_probe_format(&probe);
	gh_arena_release(&in->arena, mark);
	return yes;
}

/* ---- walking ---- */

static const struct gh_format *format_of(struct gh_inside *in, struct gh_source *src, struct gh_str name)
{
	struct gh_probe p;
	struct gh_err err;
	return gh_probe_make(src, gh_str_base(name), &in->arena, &p, &err) ? NULL : gh_probe_format(&p);
}

/* The names that DERIVE gives to images: of an APEX after its package, of a ramdisk after its boot image. */
static struct gh_str image_of(
	struct gh_inside *in, const struct gh_inside_at *up, const struct gh_format *format, struct gh_str name)
{
	if (up && gh_str_is(name, "apex_payload.img")) {
		struct gh_str s = gh_inside_stem(up->name);
		const char *sign = memchr(s.p, '@', s.n);
		return gh_str_fmt(&in->arena, "apex:%.*s", (int)(sign ? sign - s.p : (ptrdiff_t)s.n), s.p);
	}
	if (up && gh_str_starts(up->image, "ramdisk:"))
		return up->image;
	/* What is only packed has the name of its packing. */
	bool packed = up && (up->format->packing || strcmp(up->format->name, "sparse") == 0 ||
				    strcmp(up->format->name, "newdat") == 0);
	if (strcmp(format->name, "bootimg") == 0) {
		struct gh_str s = gh_inside_stem(name);
		return gh_str_fmt(&in->arena, "ramdisk:%.*s", (int)s.n, s.p);
	}
	return packed ? up->image : gh_inside_stem(name);
}

static void walk(struct gh_inside *in, const struct gh_inside_at *up, struct gh_source *src, struct gh_str name);
static void walk_open(struct gh_inside *in, struct gh_inside_at *at);

/* A child that the visitor is shown, and what lies in it if it wants to. */
static void walk_child(struct gh_inside *in, struct gh_inside_at *at, const struct gh_child *child)
{
	enum gh_inside_go go = in->visit(in, at, child, in->to);
	in->stopped |= go == GH_INSIDE_STOP;
	if (go != GH_INSIDE_ENTER)
		return;
	struct gh_mark mark = gh_arena_mark(&in->arena);
	unsigned spills = in->n_spill;
	if (child->flags & GH_CHILD_SET) {
		struct gh_inside_at set = {.up = at,
			.format = gh_formats[in->set->format],
			.state = set_open(in, at, in->set),
			.name = child->name,
			.image = gh_inside_stem(child->name),
			.depth = at->depth + 1};
		if (set.state)
			walk_open(in, &set);
	} else {
		struct gh_source *below = leads_on(in, at, child) ? plain_content(in, at, child) : NULL;
		if (below)
			walk(in, at, below, child->name);
	}
	in->n_spill = spills; /* nothing reads them any more */
	gh_arena_release(&in->arena, mark);
}

static void walk_sets(struct gh_inside *in, struct gh_inside_at *at, struct gh_sets *sets)
{
	for (struct gh_set *set = sets->first; set && !in->stopped; set = set->next) {
		gh_set_close(set, 0);
		struct gh_child child = gh_set_child(set);
		child.size = child.csize;
		in->set = set;
		walk_child(in, at, &child);
	}
}

/* All children of a container that is open, then the sets among them. */
static void walk_open(struct gh_inside *in, struct gh_inside_at *at)
{
	struct ctx c = make_ctx(in);
	struct gh_sets sets;
	struct gh_err err = {0};
	enum gh_code code = GH_OK;
	gh_sets_init(&sets);
	for (uint64_t n = 0; code == GH_OK && !in->stopped; n++) {
		struct gh_child child = {0};
		code = at->format->next(&c.ctx, at->state, &child, &err);
		if (code)
			break;
		struct gh_set *set = at->format->volume || at->format->packing || child.flags & GH_CHILD_UNREADABLE
					     ? NULL
					     : gh_sets_add(&sets, n, &child);
		if (set)
			child.of.row = set->row;
		walk_child(in, at, &child);
	}
	if (code > GH_END)
		tell(&c.ctx, err.code, err.at, err.what);
	walk_sets(in, at, &sets);
	gh_sets_done(&sets);
}

static void walk(struct gh_inside *in, const struct gh_inside_at *up, struct gh_source *src, struct gh_str name)
{
	struct gh_mark mark = gh_arena_mark(&in->arena);
	const struct gh_format *format = format_of(in, src, name);
	struct gh_inside_at at = {.up = up, .format = format, .name = name, .depth = up ? up->depth + 1 : 0};
	struct ctx c = make_ctx(in);
	struct gh_err err = {0};
	if (format && at.depth < GH_MAX_DEPTH && (at.state = gh_alloc(&in->arena, format->state_size))) {
		at.image = image_of(in, up, format, name);
		if (format->open(&c.ctx, src, at.state, &err) == GH_OK)
			walk_open(in, &at);
		else
			tell(&c.ctx, err.code, err.at, err.what);
	}
	gh_arena_release(&in->arena, mark);
}

static void open_spills(struct gh_inside *in)
{
	const char *dir = getenv("TMPDIR");
	for (size_t i = 0; i < GH_COUNT(in->spill); i++) {
		int fd = open(dir && *dir ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_EXCL, 0600);
		if (fd < 0)
			break;
		in->spill[in->n_spill++] = fd;
	}
}

static int child_main(int fd, const char *input, gh_inside_fn *visit, int (*done)(struct gh_inside *, void *), void *to)
{
	static struct gh_inside in;
	in.budget = (struct gh_budget){UINT64_MAX, UINT64_MAX, NULL};
	in.visit = visit;
	in.to = to;
	gh_arena_init(&in.arena, 1u << 30);
	open_spills(&in);
	off_t size = lseek(fd, 0, SEEK_END);
	setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
	gh_jail_enter();
	struct gh_source *src = gh_source_file(&in.arena, fd, size < 0 ? 0 : (uint64_t)size);
	if (src)
		walk(&in, NULL, src, gh_str_base(gh_str(input)));
	int code = done(&in, to);
	return gh_stdout_done() ? code : GH_EXIT_USAGE;
}

int gh_inside_run(const char *input, gh_inside_fn *visit, int (*done)(struct gh_inside *in, void *to), void *to)
{
	int fd = open(input, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && strcmp(input, "-") == 0) {
		gh_complain("only gifthorse scan reads standard input: save the stream to a file first");
		return GH_EXIT_USAGE;
	}
	if (fd < 0) {
		gh_complain("%s: %s; INPUT is a firmware package, an image or an APK", input, strerror(errno));
		return GH_EXIT_USAGE;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(child_main(fd, input, visit, done, to));
	close(fd);
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return GH_EXIT_USAGE;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGPIPE) /* whoever read our output has seen enough */
		raise(SIGPIPE);
	gh_complain("the reader stopped (signal %d) on this input; gifthorse scan tells what can still be read of it",
		WTERMSIG(status));
	return GH_EXIT_INCOMPLETE;
}
