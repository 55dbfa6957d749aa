/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one plug-in over one blob: numbering its rows, bounding its work, keeping its status. */
#include <stdio.h>

#include "base/num.h"
#include "tree/walk.h"

enum {
	SEQ_BITS = 24, /* rows a plug-in may add to one table about one blob: 16.7 million */
	CHILD_SEQ_BITS = 11, /* and while it reads one child: behind them lie the engine's own */
	NOTES_MAX = 1000, /* per run: a hostile file must not fill the database with complaints */
	STEPS_MIN = 4 << 20, /* of small inputs: below this nothing is slow */
	STEPS_PER_BYTE = 8,
};

/* Number space of what is found while one child is read: above all listings. */
static const uint64_t CHILD_BASE = 1ull << 50;

/* Facts of binary structures are few, and nobody can see them without a tool: their bytes go along. Of text the rows say what stands
 * there, and of code there are too many. */
static void excerpt(struct gh_run_of *run, enum gh_table table, uint64_t at)
{
	enum { BEFORE = 16, LENGTH = 64, EXCERPTS_MAX = 64, AVB_FLAGS = 120 };
	bool worth = table == GH_T_avb_images || table == GH_T_avb_descriptors || table == GH_T_boot_headers ||
		     table == GH_T_boot_args || table == GH_T_apk_sigs || table == GH_T_certs;
	if (!worth || !run->src || at >= run->src->size || run->seq[GH_T_excerpts] >= EXCERPTS_MAX)
		return;
	static const char digit[] = "0123456789abcdef";
	uint8_t buf[LENGTH];
	struct gh_err err;
	/* Of a vbmeta header it is the flags that findings are about. */
	bool avb = table == GH_T_avb_images && at < UINT64_MAX - AVB_FLAGS;
	uint64_t mark_at = avb ? at + AVB_FLAGS : at, from = mark_at < BEFORE ? 0 : (mark_at - BEFORE) & ~7ull;
	size_t n = from < run->src->size ? (size_t)gh_min(LENGTH, run->src->size - from) : 0;
	if (!n || gh_read(run->src, from, buf, n, &err))
		return;
	char hex[2 * LENGTH];
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digit[buf[i] >> 4];
		hex[2 * i + 1] = digit[buf[i] & 15];
	}
	GH_EMIT(&run->ctx, excerpts, from, .of = (int64_t)at, .mark = (int64_t)mark_at, .mark_len = avb ? 4 : 8,
		.bytes = gh_strn(hex, 2 * n));
}

static uint64_t run_emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	struct gh_run_of *run = (struct gh_run_of *)ctx;
	uint32_t seq = run->seq[table]++;
	uint64_t n = run->base + seq;
	if (seq < 1u << (run->base < CHILD_BASE ? SEQ_BITS : CHILD_SEQ_BITS))
		run->look->ops->row(run->look, table, run->blob, n, at, row);
	if (run->base < CHILD_BASE)
		excerpt(run, table, at);
	return n;
}

/* Which of two codes tells more: ours first, then the more severe of the input's. */
static int rank(enum gh_code code)
{
	static const int ranks[] = {
		[GH_UNSUP] = 1, [GH_LIMIT] = 2, [GH_SHORT] = 3, [GH_BAD] = 4, [GH_NOMEM] = 5, [GH_IO] = 6};
	return code <= GH_END ? 0 : ranks[code];
}

static void run_note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	struct gh_run_of *run = (struct gh_run_of *)ctx;
	if (rank(code) > rank(run->code)) {
		run->code = code;
		run->at = at;
		snprintf(run->why, sizeof run->why, "%s", what);
	}
	if (run->seq[GH_T_notes] < NOTES_MAX)
		GH_EMIT(ctx, notes, at, .plugin = gh_str(gh_plugin_name(run->plugin)),
			.code = gh_str(gh_code_word(code)), .what = gh_str(what));
}

void gh_run_init(struct gh_run_of *run, struct gh_look *look, uint32_t blob, int plugin, uint64_t bytes, uint64_t size)
{
	static const struct gh_ctx_ops ops = {run_emit, run_note};
	uint64_t steps;
	if (!gh_mul(size, STEPS_PER_BYTE, &steps) || !gh_add(steps, STEPS_MIN, &steps))
		steps = UINT64_MAX;
	*run = (struct gh_run_of){
		.look = look,
		.budget = {.bytes = bytes, .steps = steps, .beat = &look->phase->beat},
		.blob = blob,
		.plugin = plugin,
		.base = (uint64_t)plugin << SEQ_BITS,
		.failed = look->arena.failed,
	};
	run->ctx = (struct gh_ctx){.arena = &look->arena, .budget = &run->budget, .ops = &ops, .given = look->given};
}

void gh_run_for_child(struct gh_run_of *run, uint64_t child_row)
{
	run->base = CHILD_BASE + (child_row << (CHILD_SEQ_BITS + 1));
	memset(run->seq, 0, sizeof run->seq);
	run->code = GH_OK;
	run->failed = run->look->arena.failed;
}

void gh_run_lost(struct gh_run_of *run)
{
	struct gh_arena *arena = &run->look->arena;
	if (arena->failed != run->failed && rank(run->code) < rank(GH_NOMEM))
		run_note(&run->ctx, GH_NOMEM, 0, "no memory for a part of it");
	arena->failed = run->failed; /* told: no run around this one is concerned */
}

void gh_run_end(struct gh_run_of *run, enum gh_code code, const struct gh_err *err)
{
	if (code > GH_END)
		run_note(&run->ctx, code, err->at, err->what);
	gh_run_lost(run);
	run->look->ops->run(run->look, run->blob, (unsigned)run->plugin, gh_code_word(run->code), run->at, run->why);
}

uint64_t gh_child_note_row(uint64_t child_row, enum gh_own_note which)
{
	return CHILD_BASE + (child_row << (CHILD_SEQ_BITS + 1)) + (1u << CHILD_SEQ_BITS) + which;
}

uint64_t gh_child_row(unsigned format, uint32_t n)
{
	return ((uint64_t)format << SEQ_BITS) + n;
}

unsigned gh_row_format(uint64_t row)
{
	return (unsigned)gh_min(row >> SEQ_BITS, gh_n_formats - 1);
}

void gh_phase_set(struct gh_look *look, uint32_t blob, int64_t child, int32_t plugin)
{
	struct gh_phase *p = look->phase;
	p->blob = blob;
	p->child = child;
	p->plugin = plugin;
	p->listed = 0;
	p->nth = plugin >= 0 ? look->nth[plugin] : 0;
	__atomic_fetch_add(&p->beat, 1, __ATOMIC_RELAXED);
}

void gh_phase_back(struct gh_look *look, const struct gh_phase *was)
{
	gh_phase_set(look, was->blob, was->child, was->plugin);
	look->phase->listed = was->listed;
	look->phase->nth = was->nth;
}

static bool skips(const struct gh_look *look, const struct gh_skip *s, uint32_t blob, int64_t child, int32_t plugin)
{
	if (child >= 0)
		return s->blob == blob && (s->child == child || (s->on && s->child <= child));
	if (s->child >= 0 || s->plugin != plugin)
		return false;
	return s->blob == blob || (!s->blob && look->nth[plugin] >= s->nth);
}

const struct gh_skip *gh_skip_find(const struct gh_look *look, uint32_t blob, int64_t child, int32_t plugin)
{
	static const struct gh_skip given_up = {.why = "crash"};
	for (size_t i = 0; i < look->n_skip; i++)
		if (skips(look, &look->skip[i], blob, child, plugin))
			return &look->skip[i];
	if (plugin >= 0 && look->given_up && gh_plugins_claimed(look->given_up, (unsigned)plugin))
		return &given_up;
	return NULL;
}

unsigned gh_n_plugins(void)
{
	return (unsigned)(gh_n_formats + gh_n_inspectors);
}

const char *gh_plugin_name(unsigned bit)
{
	if (bit < gh_n_formats)
		return gh_formats[bit]->name;
	return bit < gh_n_plugins() ? gh_inspectors[bit - gh_n_formats]->name : "engine";
}

unsigned gh_plugin_version(unsigned bit)
{
	return bit < gh_n_formats ? gh_formats[bit]->version : gh_inspectors[bit - gh_n_formats]->version;
}

int gh_plugin_find(struct gh_str name)
{
	for (unsigned i = 0; i < gh_n_plugins(); i++)
		if (gh_str_is(name, gh_plugin_name(i)))
			return (int)i;
	return -1;
}

unsigned gh_format_bit(const struct gh_format *format)
{
	unsigned i = 0;
	while (gh_formats[i] != format)
		i++;
	return i;
}

unsigned gh_inspector_bit(const struct gh_inspector *inspector)
{
	unsigned i = 0;
	while (gh_inspectors[i] != inspector)
		i++;
	return (unsigned)gh_n_formats + i;
}

uint64_t gh_share(uint64_t bytes, uint64_t part, uint64_t whole)
{
	if (!whole || part >= whole)
		return bytes;
	return (uint64_t)((unsigned __int128)bytes * part / whole);
}

uint64_t gh_pour_budget(uint64_t bytes, uint64_t part, uint64_t whole, uint32_t packed)
{
	/* Deflate packs zeros 1032 times: an image that is mostly empty may take more than its share; inside a packed one a little
	 * (the ramdisk of an empty boot image); further in, nothing, or archives of identical archives would never end. */
	enum { RATIO = 1100, SMALL = 64 << 10 };
	static const uint64_t most[] = {64 << 20, 4 << 20, 0};
	uint64_t limit = most[gh_min(packed, 2)];
	uint64_t once = part < limit / RATIO ? part * RATIO + SMALL : limit;
	return gh_max(gh_share(bytes, part, whole), gh_min(once, limit));
}

uint64_t gh_inspect_budget(uint64_t size)
{
	/* The entries of an APK, once: real ones unpack to less than 20 times their size. */
	uint64_t n;
	return gh_mul(size, 64, &n) && gh_add(n, 64 << 20, &n) ? n : UINT64_MAX;
}

uint64_t gh_look_budget(uint64_t size)
{
	/* 256 times its size: real packages stay below 20; plus 16 GiB, so that a small download of a whole phone opens. */
	uint64_t n;
	if (!gh_mul(size, 256, &n) || !gh_add(n, 16ull << 30, &n))
		return UINT64_MAX;
	return n;
}
