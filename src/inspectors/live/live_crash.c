/* SPDX-License-Identifier: Apache-2.0 */
/* Tombstones of native crashes, as text and as protocol buffer (AOSP system/core/debuggerd: libdebuggerd/tombstone_proto_to_text.cpp,
 * proto/tombstone.proto). Memory, registers and backtraces are not read. */
#include "base/num.h"
#include "formats/payload/payload.h"
#include "inspectors/live/live.h"

/* ---- text ---- */

static void crash_close(struct live *l)
{
	if (l->s.open) {
		l->rows++;
		l->t.ctx->ops->emit(l->t.ctx, GH_T_live_crashes, l->s.at, &l->s.crash);
	}
	l->s.open = false;
}

/* "pid: 25541, tid: 21307, name: mtk.ape.decoder  >>> /vendor/bin/x <<<": the first is of the thread that crashed. */
static void crash_thread(struct live *l, struct gh_str line)
{
	struct gh_row_live_crashes *c = &l->s.crash;
	if (c->pid != GH_NULL)
		return;
	c->pid = live_int(live_after(line, "pid: ", ","));
	c->tid = live_int(live_after(line, "tid: ", ","));
	const char *name = live_find(line, "name: "), *arrow = live_find(line, "  >>> ");
	if (name && arrow && arrow > name + 6)
		c->thread = gh_strn(name + 6, (size_t)(arrow - name) - 6);
	if (arrow && !c->command.p) {
		struct gh_str rest = live_skip(line, (size_t)(arrow - line.p) + 6);
		const char *end = live_find(rest, " <<<");
		c->command = end ? gh_strn(rest.p, (size_t)(end - rest.p)) : rest;
	}
}

static void crash_line(struct live *l, struct gh_str line)
{
	struct gh_row_live_crashes *c = &l->s.crash;
	struct gh_str value = line, key = live_cut(&value, ':');
	value = gh_text_trim(value);
	if (gh_str_starts(line, "*** *** ***") || !l->s.open) {
		crash_close(l);
		l->s.open = true;
		l->s.mode = 0;
		l->s.at = l->t.at;
		*c = (struct gh_row_live_crashes){.pid = GH_NULL, .tid = GH_NULL, .uid = GH_NULL};
	}
	/* Behind the head come memory and logs, which the program that crashed filled. */
	if (l->s.mode || gh_str_is(key, "backtrace") || gh_str_starts(line, "memory near ")) {
		l->s.mode = 1;
		return;
	}
	const struct {
		const char *key;
		struct gh_str *to;
	} texts[] = {
		{"Timestamp", &c->time}, {"Cmdline", &c->command}, {"Cause", &c->cause}, {"SELinux label", &c->label}};
	for (size_t i = 0; i < GH_COUNT(texts); i++)
		if (gh_str_is(key, texts[i].key) && !texts[i].to->p)
			*texts[i].to = value;
	if (gh_str_is(key, "Build fingerprint"))
		c->fingerprint = live_after(value, "'", "'");
	else if (gh_str_is(key, "uid"))
		c->uid = live_int(value);
	else if (gh_str_starts(line, "pid: "))
		crash_thread(l, line);
	else if (gh_str_starts(line, "signal ") && !c->signal.p)
		c->signal = live_after(line, "(", ")");
	else if (gh_str_starts(line, "Abort message: '"))
		c->abort = gh_strn(line.p + 16, line.n - 16 - (line.p[line.n - 1] == '\'' && line.n > 16));
}

const struct live_parser live_crash = {
	.name = "tombstone", .titles = "TOMBSTONE", .line = crash_line, .end = crash_close};

/* ---- protocol buffer ---- */

enum {
	FINGERPRINT = 2,
	TIME = 4,
	PID = 5,
	TID = 6,
	UID = 7,
	LABEL = 8,
	COMMAND = 9,
	SIGNAL = 10,
	ABORT = 14,
	CAUSE = 15,
	THREADS = 16
};

bool live_tombstone_is(const struct gh_probe *probe)
{
	return gh_str_starts(probe->name, "tombstone") && gh_str_ends(probe->name, ".pb");
}

/* The text in field `number` of a message. */
static struct gh_str text_in(struct gh_ctx *ctx, struct gh_cursor box, uint64_t number)
{
	struct payload_field f;
	struct gh_err err;
	while (payload_field(ctx, &box, &f, &err) == GH_OK)
		if (f.key == PAYLOAD_BOX(number))
			return payload_text(&f);
	return GH_NONE;
}

/* map<uint32, Thread>: the key is 1, the thread 2; its name is 2 again. */
static struct gh_str thread_name(struct gh_ctx *ctx, struct gh_cursor entry, int64_t tid)
{
	struct payload_field f;
	struct gh_err err;
	struct gh_str name = GH_NONE;
	bool mine = false;
	while (payload_field(ctx, &entry, &f, &err) == GH_OK)
		if (f.key == PAYLOAD_INT(1))
			mine = (int64_t)f.value == tid;
		else if (f.key == PAYLOAD_BOX(2))
			name = text_in(ctx, f.box, 2);
	return mine ? name : GH_NONE;
}

static struct gh_str cell(struct gh_str s)
{
	return gh_strn(s.p, (size_t)gh_min(s.n, GH_CELL_MAX));
}

static int64_t number(uint64_t v)
{
	return v <= INT64_MAX ? (int64_t)v : GH_NULL;
}

static void crash_field(struct gh_ctx *ctx, struct gh_row_live_crashes *c, const struct payload_field *f)
{
	struct gh_str s = f->box.p ? cell(payload_text(f)) : GH_NONE;
	switch (f->key) {
	case PAYLOAD_BOX(FINGERPRINT):
		c->fingerprint = s;
		break;
	case PAYLOAD_BOX(TIME):
		c->time = s;
		break;
	case PAYLOAD_INT(PID):
		c->pid = number(f->value);
		break;
	case PAYLOAD_INT(TID):
		c->tid = number(f->value);
		break;
	case PAYLOAD_INT(UID):
		c->uid = number(f->value);
		break;
	case PAYLOAD_BOX(LABEL):
		c->label = live_some(s);
		break;
	case PAYLOAD_BOX(COMMAND):
		if (!c->command.p)
			c->command = s;
		break;
	case PAYLOAD_BOX(SIGNAL):
		c->signal = cell(text_in(ctx, f->box, 2));
		break;
	case PAYLOAD_BOX(ABORT):
		c->abort = live_some(s);
		break;
	case PAYLOAD_BOX(CAUSE):
		if (!c->cause.p)
			c->cause = cell(text_in(ctx, f->box, 1));
		break;
	case PAYLOAD_BOX(THREADS):
		if (!c->thread.p)
			c->thread = cell(thread_name(ctx, f->box, c->tid));
		break;
	default:
		break;
	}
}

enum gh_code live_tombstone_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(blob->data, (size_t)blob->size, 0);
	struct gh_row_live_crashes row = {.pid = GH_NULL, .tid = GH_NULL, .uid = GH_NULL};
	struct payload_field f;
	enum gh_code code;
	while ((code = payload_field(ctx, &c, &f, err)) == GH_OK)
		crash_field(ctx, &row, &f);
	if (row.pid != GH_NULL)
		ctx->ops->emit(ctx, GH_T_live_crashes, 0, &row);
	GH_EMIT(ctx, live_sections, 0, .name = GH_STR("tombstone"), .how = GH_STR("file"),
		.state = row.pid != GH_NULL ? GH_STR("read") : GH_STR("unknown"), .n_rows = row.pid != GH_NULL,
		.line = GH_NULL);
	return code == GH_END ? GH_OK : code;
}
