/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that acquisitions write: androidqf's packages.json, processes.json, files.json, mounts.json, root_binaries.json and
 * acquisition.json (mvt-project/androidqf, the structs of adb/ and modules/), and the acquisition.json of `gifthorse phone`. */
#include "base/num.h"
#include "inspectors/live/live.h"
#include "inspectors/live/live_json.h"

struct qf {
	struct gh_ctx *ctx;
	int64_t rows;
	bool items; /* inside the items of our own acquisition.json */
	uint64_t at; /* of the object at hand */
	struct gh_row_live_packages package;
	struct gh_row_live_package_files apk;
	struct gh_row_live_processes process;
	struct gh_row_live_files file;
	struct gh_row_live_items item;
};

static struct gh_str cell(const struct json_event *e)
{
	if (e->type != JSON_TEXT && e->type != JSON_NUMBER)
		return GH_NONE;
	return gh_strn(e->value.p, (size_t)gh_min(e->value.n, GH_CELL_MAX));
}

static int64_t truth(const struct json_event *e)
{
	return e->type == JSON_TRUE ? 1 : e->type == JSON_FALSE ? 0 : GH_NULL;
}

/* What a field goes to. */
struct text_field {
	const char *key;
	struct gh_str *to;
};
struct int_field {
	const char *key;
	int64_t *to;
};

static void take(const struct json_event *e, const struct text_field *texts, size_t n_texts,
	const struct int_field *ints, size_t n_ints)
{
	for (size_t i = 0; i < n_texts; i++)
		if (gh_str_is(e->key, texts[i].key) && (e->type == JSON_TEXT || e->type == JSON_NUMBER))
			*texts[i].to = live_some(cell(e));
	for (size_t i = 0; i < n_ints; i++)
		if (gh_str_is(e->key, ints[i].key))
			*ints[i].to = e->type == JSON_NUMBER ? live_int(e->value) : truth(e);
}

#define TAKE(e, texts, ints) take(e, texts, GH_COUNT(texts), ints, GH_COUNT(ints))

/* ---- packages.json ---- */

static void package_new(struct qf *q, uint64_t at)
{
	q->at = at;
	q->package = (struct gh_row_live_packages){.list = GH_STR("androidqf"),
		.uid = GH_NULL,
		.system = GH_NULL,
		.disabled = GH_NULL,
		.hidden = GH_NULL,
		.installed = GH_NULL,
		.version_code = GH_NULL,
		.min_sdk = GH_NULL,
		.target_sdk = GH_NULL,
		.line = GH_NULL};
}

static void package_done(struct qf *q)
{
	if (!q->package.package.p)
		return;
	if (gh_str_is(q->package.installer, "null"))
		q->package.installer = GH_NONE;
	q->rows++;
	q->ctx->ops->emit(q->ctx, GH_T_live_packages, q->at, &q->package);
}

static void packages_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	if (e->type == JSON_OPEN && e->depth == 2)
		package_new(q, e->at);
	else if (e->type == JSON_CLOSE && e->depth == 2)
		package_done(q);
	else if (e->type == JSON_OPEN && e->depth == 4)
		q->apk = (struct gh_row_live_package_files){.package = q->package.package};
	else if (e->type == JSON_CLOSE && e->depth == 4 && q->apk.path.p) {
		q->rows++;
		q->ctx->ops->emit(q->ctx, GH_T_live_package_files, e->at, &q->apk);
	} else if (e->depth == 2) {
		const struct text_field texts[] = {{"name", &q->package.package}, {"installer", &q->package.installer}};
		const struct int_field ints[] = {
			{"uid", &q->package.uid}, {"disabled", &q->package.disabled}, {"system", &q->package.system}};
		TAKE(e, texts, ints);
	} else if (e->depth == 4) {
		const struct text_field texts[] = {
			{"path", &q->apk.path}, {"sha256", &q->apk.sha256}, {"error", &q->apk.error}};
		take(e, texts, GH_COUNT(texts), NULL, 0);
		if (!q->package.path.p && gh_str_is(e->key, "path"))
			q->package.path = live_some(cell(e));
	} else if (e->depth == 5) {
		const struct text_field texts[] = {{"Sha256", &q->apk.cert_sha256}, {"Subject", &q->apk.subject}};
		take(e, texts, GH_COUNT(texts), NULL, 0);
	}
}

/* ---- processes.json ---- */

static void processes_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	struct gh_row_live_processes *p = &q->process;
	if (e->type == JSON_OPEN && e->depth == 2) {
		q->at = e->at;
		*p = (struct gh_row_live_processes){.pid = GH_NULL, .ppid = GH_NULL, .uid = GH_NULL, .line = GH_NULL};
	} else if (e->type == JSON_CLOSE && e->depth == 2 && p->pid != GH_NULL) {
		q->rows++;
		q->ctx->ops->emit(q->ctx, GH_T_live_processes, q->at, p);
	} else if (e->depth == 2) {
		const struct text_field texts[] = {
			{"filename", &p->name}, {"path", &p->path}, {"context", &p->label}, {"state", &p->state}};
		const struct int_field ints[] = {{"pid", &p->pid}, {"ppid", &p->ppid}, {"uid", &p->uid}};
		TAKE(e, texts, ints);
	}
}

/* ---- files.json ---- */

static void file_new(struct gh_row_live_files *f)
{
	*f = (struct gh_row_live_files){.list = GH_STR("files"),
		.size = GH_NULL,
		.mode = GH_NULL,
		.uid = GH_NULL,
		.gid = GH_NULL,
		.mtime = GH_NULL,
		.ctime = GH_NULL,
		.line = GH_NULL};
}

static void files_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	struct gh_row_live_files *f = &q->file;
	if (e->type == JSON_OPEN && e->depth == 2) {
		q->at = e->at;
		file_new(f);
	} else if (e->type == JSON_CLOSE && e->depth == 2 && f->path.p) {
		q->rows++;
		q->ctx->ops->emit(q->ctx, GH_T_live_files, q->at, f);
	} else if (e->depth == 2) {
		const struct text_field texts[] = {
			{"path", &f->path}, {"context", &f->selinux}, {"sha256", &f->sha256}, {"error", &f->state}};
		const struct int_field ints[] = {{"size", &f->size}, {"user_id", &f->uid}, {"group_id", &f->gid},
			{"modified_time", &f->mtime}, {"changed_time", &f->ctime}};
		TAKE(e, texts, ints);
		if (gh_str_is(e->key, "mode"))
			f->mode = live_mode(e->value);
	}
}

static void root_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	struct gh_str s = e->type == JSON_TEXT ? cell(e) : GH_NONE, line;
	while (e->depth == 1 && gh_str_line(&s, &line)) {
		line = gh_str_trim(line);
		if (!line.n)
			continue;
		file_new(&q->file);
		q->file.list = GH_STR("root");
		q->file.path = line;
		q->rows++;
		q->ctx->ops->emit(q->ctx, GH_T_live_files, e->at, &q->file);
	}
}

/* A line of mount or of /proc/mounts in each text. */
static void mounts_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	if (e->depth != 1 || e->type != JSON_TEXT)
		return;
	struct live l = {.t = {.ctx = q->ctx, .at = e->at, .line = GH_NULL}};
	live_mounts.line(&l, cell(e));
	q->rows += l.rows;
}

/* ---- acquisition.json ---- */

static void item_event(struct qf *q, const struct json_event *e)
{
	struct gh_row_live_items *i = &q->item;
	if (e->type == JSON_OPEN) {
		q->at = e->at;
		*i = (struct gh_row_live_items){.bytes = GH_NULL};
	} else if (e->type == JSON_CLOSE) {
		if (!i->name.p)
			return;
		q->rows++;
		q->ctx->ops->emit(q->ctx, GH_T_live_items, q->at, i);
	} else {
		const struct text_field texts[] = {{"name", &i->name}, {"asked", &i->asked}, {"state", &i->state},
			{"answer", &i->state}, {"sha256", &i->sha256}, {"time", &i->time}, {"path", &i->path}};
		const struct int_field ints[] = {{"bytes", &i->bytes}};
		TAKE(e, texts, ints);
		/* "answered": true as well as "state": "answered". */
		if (live_one_of(e->key, "answered|denied|cut") && e->type == JSON_TRUE)
			i->state = e->key;
	}
}

static void acquisition_event(void *to, const struct json_event *e)
{
	struct qf *q = to;
	if (e->depth == 2 && (e->type == JSON_OPEN || e->type == JSON_CLOSE))
		q->items = e->type == JSON_OPEN && gh_str_is(e->key, "items");
	else if (e->depth == 3 && q->items)
		item_event(q, e);
	else if (e->depth == 1 && e->key.p && cell(e).n) {
		q->rows++;
		GH_EMIT(q->ctx, live_facts, e->at, .kind = GH_STR("acquisition"), .key = e->key, .value = cell(e));
	}
}

/* ---- which is which ---- */

static const struct {
	const char *file, *mark; /* what is in its head */
	void (*event)(void *to, const struct json_event *e);
} kinds[] = {{"packages.json", "\"name\"", packages_event}, {"processes.json", "\"pid\"", processes_event},
	{"files.json", "\"path\"", files_event}, {"root_binaries.json", "[", root_event},
	{"mounts.json", "[", mounts_event}, {"acquisition.json", "\"", acquisition_event}};

static size_t kind_of(const struct gh_probe *probe)
{
	struct gh_str head = gh_strn(probe->head, probe->head_len), first = gh_str_trim(head);
	size_t i = 0;
	while (i < GH_COUNT(kinds) && !gh_str_is(probe->name, kinds[i].file))
		i++;
	bool json = first.n && (*first.p == '[' || *first.p == '{');
	return i < GH_COUNT(kinds) && json && live_find(head, kinds[i].mark) ? i : GH_COUNT(kinds);
}

bool live_json_is(const struct gh_probe *probe)
{
	return kind_of(probe) < GH_COUNT(kinds);
}

enum gh_code live_json_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_probe probe = {.head = blob->data,
		.head_len = (size_t)gh_min(blob->size, GH_PROBE_HEAD),
		.size = blob->size,
		.name = blob->name};
	struct qf q = {.ctx = ctx};
	size_t kind = kind_of(&probe);
	if (kind == GH_COUNT(kinds))
		return GH_OK;
	enum gh_code code = live_json(ctx, gh_strn(blob->data, (size_t)blob->size), 0, kinds[kind].event, &q, err);
	GH_EMIT(ctx, live_sections, 0, .name = gh_str(kinds[kind].file), .how = GH_STR("json"),
		.state = code == GH_OK ? GH_STR("read")
			 : q.rows      ? GH_STR("cut")
				       : GH_STR("unknown"),
		.n_rows = q.rows, .line = GH_NULL);
	return code;
}
