/* SPDX-License-Identifier: Apache-2.0 */
/* The lists that an acquisition leaves: files.tsv, acquisition.json, manifest.sha256. */
#include <stdlib.h>

#include "base/num.h"
#include "base/tsv.h"
#include "device/journal.h"

enum { FIELD_MAX = 4 * (4096 + GH_LAND_PATH_MAX) };

static void put_field(FILE *to, char *buf, struct gh_str s, char end)
{
	size_t n = 0;
	if (s.p && gh_tsv_put(buf, FIELD_MAX, s, &n))
		fwrite(buf, 1, n, to);
	else
		fputc('-', to);
	fputc(end, to);
}

static enum gh_code put_files(struct gh_land *land, const struct gh_listing *l, struct gh_err *err)
{
	FILE *f = gh_land_rewrite(land);
	char *buf = malloc(FIELD_MAX);
	if (!f || !buf) {
		free(buf);
		return gh_land_rewritten(land, f, "files.tsv", err);
	}
	char hex[65];
	fputs("path\tmode\tuid\tgid\tsize\tmtime\tlabel\ttarget\tstate\tsha256\n", f);
	for (size_t i = 0; i < l->n; i++) {
		const struct gh_found *e = &l->v[i];
		put_field(f, buf, e->path, '\t');
		if (e->mode)
			fprintf(f, "%o\t", e->mode);
		else
			fputs("-\t", f);
		if (e->owned)
			fprintf(f, "%u\t%u\t", e->uid, e->gid);
		else
			fputs("-\t-\t", f);
		fprintf(f, "%llu\t%lld\t", (unsigned long long)e->size, (long long)e->mtime);
		put_field(f, buf, e->label, '\t');
		put_field(f, buf, e->target, '\t');
		fprintf(f, "%s\t%s\n", e->state ? e->state : "not tried",
			e->hashed ? gh_land_hex(e->sha256, hex) : "-");
	}
	free(buf);
	return gh_land_rewritten(land, f, "files.tsv", err);
}

/* Text as JSON has it: what is no UTF-8 or a control character is escaped for the eye first. */
static void put_json(FILE *f, const char *key, struct gh_str s, const char *end)
{
	char *shown = malloc(4 * s.n + 1);
	size_t n = shown ? gh_escape(shown, 4 * s.n + 1, s) : 0;
	fprintf(f, "\"%s\": \"", key);
	for (size_t i = 0; i < n; i++) {
		if (shown[i] == '"' || shown[i] == '\\')
			fputc('\\', f);
		fputc(shown[i], f);
	}
	fprintf(f, "\"%s", end);
	free(shown);
}

static void put_answer(FILE *f, const struct gh_answer *a, bool last)
{
	fputs("  {", f);
	put_json(f, "name", a->name, ", ");
	put_json(f, "asked", a->asked, ", ");
	put_json(f, "state", a->state, ", ");
	if (a->status >= 0)
		fprintf(f, "\"exit\": %lld, ", (long long)a->status);
	else
		fputs("\"exit\": null, ", f);
	fprintf(f, "\"bytes\": %llu, ", (unsigned long long)a->bytes);
	put_json(f, "sha256", a->sha256, ", ");
	put_json(f, "time", a->time, ", ");
	put_json(f, "said", a->said, ", ");
	fprintf(f, "\"path\": \"live/%.*s.txt\"}%s\n", (int)a->name.n, a->name.p, last ? "" : ",");
}

static enum gh_code put_summary(const struct gh_journal *j, struct gh_land *land, const struct gh_pull_sum *sum,
	const char *serial, const char *way, struct gh_str ended, struct gh_err *err)
{
	FILE *f = gh_land_rewrite(land);
	if (!f)
		return gh_land_rewritten(land, f, "acquisition.json", err);
	fputs("{\n \"schema_version\": 1,\n \"tool\": \"gifthorse " GH_VERSION "\",\n ", f);
	put_json(f, "started", j->started, ",\n ");
	put_json(f, "ended", ended, ",\n ");
	put_json(f, "serial", gh_str(serial), ",\n ");
	put_json(f, "way", gh_str(way), ",\n ");
	fprintf(f,
		"\"complete\": %s,\n \"files\": {\"paths\": %llu, \"pulled\": %llu, \"hashed_only\": %llu, \"denied\": "
		"%llu, "
		"\"not_tried\": %llu, \"bytes\": %llu, \"hashed_only_bytes\": %llu, \"strange_names\": %llu, "
		"\"listing_cut\": %s},\n \"items\": [\n",
		sum->complete ? "true" : "false", (unsigned long long)sum->files, (unsigned long long)sum->pulled,
		(unsigned long long)sum->hashed, (unsigned long long)sum->denied, (unsigned long long)sum->left,
		(unsigned long long)sum->bytes, (unsigned long long)sum->hashed_bytes, (unsigned long long)sum->strange,
		sum->full ? "true" : "false");
	for (size_t i = 0; i < j->n_answers; i++)
		put_answer(f, &j->answers[i], i + 1 == j->n_answers);
	fputs(" ]\n}\n", f);
	return gh_land_rewritten(land, f, "acquisition.json", err);
}

static void put_hash(FILE *f, char *buf, const uint8_t sha256[32], const char *folder, struct gh_str name)
{
	char hex[65];
	fprintf(f, "%s  %s", gh_land_hex(sha256, hex), folder);
	put_field(f, buf, name, '\n');
}

/* What the journal says of answers is their hash; what gifthorse wrote itself is hashed now. */
static enum gh_code put_manifest(
	struct gh_journal *j, struct gh_land *land, const struct gh_listing *l, bool listed, struct gh_err *err)
{
	static const char *const own[] = {"acquisition.json", "files.tsv", "journal.tsv"};
	FILE *f = gh_land_rewrite(land);
	char *buf = malloc(FIELD_MAX);
	uint8_t sha256[32];
	uint64_t size;
	for (size_t i = 0; f && buf && i < GH_COUNT(own); i++)
		if (gh_land_hash(land, own[i], sha256, &size))
			put_hash(f, buf, sha256, "", gh_str(own[i]));
	for (size_t i = 0; f && buf && i < j->n_answers; i++)
		fprintf(f, "%s  live/%.*s.txt\n", j->answers[i].sha256.p, (int)j->answers[i].name.n,
			j->answers[i].name.p);
	for (size_t i = 0; f && buf && !listed && i < j->n_done; i++)
		if (gh_str_is(j->done[i].state, "pulled"))
			put_hash(f, buf, j->done[i].sha256, "files", j->done[i].path);
	for (size_t i = 0; f && buf && listed && i < l->n; i++)
		if (l->v[i].hashed && gh_str_is(gh_str(l->v[i].state), "pulled"))
			put_hash(f, buf, l->v[i].sha256, "files", l->v[i].path);
	free(buf);
	return gh_land_rewritten(land, f, "manifest.sha256", err);
}

enum gh_code gh_journal_finish(struct gh_journal *j, struct gh_land *land, const struct gh_listing *l,
	const struct gh_pull_sum *sum, const char *serial, const char *way, struct gh_err *err)
{
	uint8_t sha256[32];
	char hex[65];
	uint64_t size;
	fflush(j->file);
	enum gh_code code = sum->listed ? put_files(land, l, err) : GH_OK;
	if (code == GH_OK)
		code = put_summary(j, land, sum, serial, way, gh_journal_now(&j->arena), err);
	if (code == GH_OK)
		code = put_manifest(j, land, l, sum->listed, err);
	if (code == GH_OK && gh_land_hash(land, "manifest.sha256", sha256, &size))
		gh_journal_say(j, "manifest.sha256 %s", gh_land_hex(sha256, hex));
	return code;
}
