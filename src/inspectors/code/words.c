/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: the vocabulary. data/code_apis.tsv (which API gives, changes or takes what), data/code_flow.tsv (how values pass through an
 * API), data/code_types.tsv (what extends what in Android, as far as the two need it). All three are in the program. */
#include "facts/embed.h"
#include "inspectors/code/code.h"

const struct code_cap code_caps[CODE_CAPS] = {{"NET_IN", CODE_SOURCE}, {"NET_HTTP_PLAIN", CODE_SOURCE},
	{"PUSH_IN", CODE_SOURCE}, {"SMS_IN", CODE_SOURCE}, {"BINDER_IN", CODE_SOURCE}, {"INTENT_IN", CODE_SOURCE},
	{"FILE_IN", CODE_SOURCE}, {"ASSET", CODE_SOURCE}, {"DEVID", CODE_SOURCE}, {"SMS_READ", CODE_SOURCE},
	{"CONTACTS", CODE_SOURCE}, {"CALLLOG", CODE_SOURCE}, {"LOCATION", CODE_SOURCE}, {"APPLIST", CODE_SOURCE},
	{"CLIPBOARD", CODE_SOURCE}, {"KEYLOG", CODE_SOURCE}, {"TYPED_TEXT", CODE_SOURCE}, {"URLS", CODE_SOURCE},
	{"A11Y", CODE_SOURCE}, {"SCREEN", CODE_SOURCE}, {"MIC", CODE_SOURCE}, {"CAMERA", CODE_SOURCE},
	{"DECRYPT", CODE_STEP}, {"B64", CODE_STEP}, {"GUNZIP", CODE_STEP}, {"SIG_VERIFY", CODE_STEP},
	{"HASH_VERIFY", CODE_STEP}, {"TLS", CODE_STEP}, {"UI_CONFIRM", CODE_STEP}, {"TEXT_MATCH", CODE_STEP},
	{"GATE_DELAY", CODE_STEP}, {"GATE_AV", CODE_STEP}, {"GATE_ANALYSIS", CODE_STEP}, {"GATE_LOCALE", CODE_STEP},
	{"GATE_TZ", CODE_STEP}, {"SELFCHECK", CODE_STEP}, {"PKG_INSTALL", CODE_SINK}, {"PKG_DELETE", CODE_SINK},
	{"DEXLOAD", CODE_SINK}, {"DEXLOAD_MEM", CODE_SINK}, {"NATIVELOAD", CODE_SINK}, {"EXEC", CODE_SINK},
	{"EXEC_SU", CODE_SINK}, {"OTA_APPLY", CODE_SINK}, {"GRANT_PERM", CODE_SINK}, {"SETPROP", CODE_SINK},
	{"SECURE_SETTING", CODE_SINK}, {"ADB_ENABLE", CODE_SINK}, {"WIPE", CODE_SINK}, {"REBOOT", CODE_SINK},
	{"INJECT_INPUT", CODE_SINK}, {"SMS_SEND", CODE_SINK}, {"SMS_DELETE", CODE_SINK}, {"ABORT_BROADCAST", CODE_SINK},
	{"NET_OUT", CODE_SINK}, {"NET_RELAY", CODE_SINK}, {"CONTENT_BLOCK", CODE_SINK}, {"PKG_BLOCK", CODE_SINK},
	{"UI_HIDE", CODE_SINK}, {"FILE_WRITE_SYS", CODE_SINK}, {"HIDE_ICON", CODE_SINK}, {"TRUST_ALL", CODE_SINK},
	{"LOG_OUT", CODE_SINK}, {"FILE_OUT", CODE_SINK}};

uint64_t code_cap_bit(struct gh_str name)
{
	for (unsigned i = 0; i < CODE_CAPS; i++)
		if (code_caps[i].name && gh_str_is(name, code_caps[i].name))
			return UINT64_C(1) << i;
	return 0;
}

uint64_t code_uri_cap(struct gh_str s)
{
	static const struct {
		const char *text, *cap;
	} meant[] = {{"content://sms", "SMS_READ"}, {"content://mms-sms", "SMS_READ"},
		{"content://call_log", "CALLLOG"}, {"content://com.android.contacts", "CONTACTS"},
		{"content://contacts", "CONTACTS"}};
	for (size_t i = 0; i < GH_COUNT(meant); i++)
		if (gh_str_starts(s, meant[i].text))
			return code_cap_bit(gh_str(meant[i].cap));
	return 0;
}

/* ---- lines ---- */

/* The next column; empty at the end of the line. */
static struct gh_str column(struct gh_str *line)
{
	const char *tab = line->n ? memchr(line->p, '\t', line->n) : NULL;
	struct gh_str ret = gh_strn(line->p, tab ? (size_t)(tab - line->p) : line->n);
	size_t used = ret.n + (tab != NULL);
	*line = gh_strn(line->p + used, line->n - used);
	return ret;
}

static struct gh_str file_find(const char *name)
{
	for (size_t i = 0; i < gh_n_data_files; i++)
		if (strcmp(gh_data_files[i].name, name) == 0)
			return gh_strn(gh_data_files[i].text, gh_data_files[i].n);
	return GH_NONE;
}

/* Behind its first line, which names the columns; *ret_n: how many follow at most. */
static struct gh_str rows(const char *name, uint32_t *ret_n)
{
	struct gh_str rest = file_find(name), line;
	gh_str_line(&rest, &line);
	*ret_n = 1;
	for (size_t i = 0; i < rest.n; i++)
		*ret_n += rest.p[i] == '\n';
	return rest;
}

static uint32_t *slots_make(struct gh_arena *arena, uint32_t n, uint32_t *ret_mask)
{
	uint32_t size = 16;
	while (size < n * 2)
		size *= 2;
	*ret_mask = size - 1;
	uint32_t *ret = gh_alloc_array(arena, size, sizeof *ret);
	if (ret)
		memset(ret, 0xff, size * sizeof *ret);
	return ret;
}

static void slot_put(uint32_t *slots, uint32_t mask, uint64_t hash, uint32_t i)
{
	uint32_t at = (uint32_t)hash & mask;
	while (slots[at] != CODE_NONE)
		at = (at + 1) & mask;
	slots[at] = i;
}

/* ---- types ---- */

static const char *const role_words[] = {
	"", "activity", "service", "receiver", "provider", "application", "binder", "callback", "known"};

static enum gh_code types_read(struct code_words *w, struct gh_arena *arena, struct gh_err *err)
{
	uint32_t n;
	struct gh_str rest = rows("code_types.tsv", &n), line;
	w->type = gh_alloc_array(arena, n, sizeof *w->type);
	w->type_slots = slots_make(arena, n, &w->type_mask);
	if (!w->type || !w->type_slots)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the vocabulary");
	while (gh_str_line(&rest, &line) && w->n_type < n) {
		struct gh_str type = column(&line), super = column(&line), role = column(&line);
		if (!type.n)
			continue;
		w->type[w->n_type].type = type;
		w->type[w->n_type].super = super;
		w->type[w->n_type].role = CODE_KNOWN;
		for (unsigned i = 1; i < GH_COUNT(role_words); i++)
			if (gh_str_is(role, role_words[i]))
				w->type[w->n_type].role = (uint8_t)i;
		slot_put(w->type_slots, w->type_mask, gh_str_hash(type), w->n_type++);
	}
	return GH_OK;
}

static uint32_t type_find(const struct code_words *w, struct gh_str type)
{
	for (uint32_t at = (uint32_t)gh_str_hash(type) & w->type_mask;; at = (at + 1) & w->type_mask) {
		uint32_t i = w->type_slots[at];
		if (i == CODE_NONE || gh_str_eq(w->type[i].type, type))
			return i;
	}
}

enum code_role code_role_of(const struct code_words *w, struct gh_str type, struct gh_str *ret_super)
{
	uint32_t i = type_find(w, type);
	*ret_super = i == CODE_NONE ? GH_NONE : w->type[i].super;
	return i == CODE_NONE ? CODE_PLAIN : w->type[i].role;
}

/* ---- APIs ---- */

static uint64_t api_hash(struct gh_str type, struct gh_str name)
{
	return gh_str_hash(type) * UINT64_C(0x9e3779b97f4a7c15) ^ gh_str_hash(name);
}

static uint32_t api_exact(const struct code_words *w, struct gh_str type, struct gh_str name)
{
	for (uint32_t at = (uint32_t)api_hash(type, name) & w->api_mask;; at = (at + 1) & w->api_mask) {
		uint32_t i = w->api_slots[at];
		if (i == CODE_NONE || (gh_str_eq(w->api[i].type, type) && gh_str_eq(w->api[i].name, name)))
			return i;
	}
}

uint32_t code_api_find(const struct code_words *w, struct gh_str type, struct gh_str name)
{
	for (unsigned up = 0; up < CODE_UP_MAX && type.n; up++) {
		uint32_t i = api_exact(w, type, name);
		if (i != CODE_NONE)
			return i;
		code_role_of(w, type, &type);
	}
	return api_exact(w, GH_STR("*"), name);
}

static struct code_api *api_make(struct code_words *w, struct gh_str type, struct gh_str name)
{
	uint32_t i = api_exact(w, type, name);
	if (i == CODE_NONE) {
		i = w->n_api++;
		w->api[i] = (struct code_api){.type = type, .name = name, .flow = CODE_NONE};
		slot_put(w->api_slots, w->api_mask, api_hash(type, name), i);
	}
	return &w->api[i];
}

/* "ret", "this", "1", "2,3", "*" as bits; "ret" and "this" are bit 0. */
static uint32_t bits(struct gh_str s)
{
	uint32_t ret = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '*')
			ret |= 0x7fffffff;
		else if (s.p[i] == 'r' || (s.p[i] == 't' && i + 1 < s.n && s.p[i + 1] == 'h'))
			ret |= 1;
		else if (s.p[i] >= '1' && s.p[i] <= '9')
			ret |= 1u << (s.p[i] - '0');
		else if (s.p[i] == '@')
			ret |= UINT32_C(1) << 31;
	}
	return ret;
}

static void api_row(struct code_words *w, struct gh_str line)
{
	struct gh_str type = column(&line), name = column(&line), what = column(&line), cap = column(&line),
		      where = column(&line);
	uint64_t bit = code_cap_bit(cap);
	if (!name.n)
		return;
	struct code_api *api = api_make(w, type, name);
	if (gh_str_is(what, "source")) {
		api->source |= bit;
		api->from |= bits(where);
	} else if (gh_str_is(what, "sink")) {
		api->sink |= bit;
		api->into |= bits(where);
	} else if (gh_str_is(what, "step")) {
		api->step |= bit;
	} else if (gh_str_is(what, "consts")) {
		api->consts = true;
	}
}

/* "2>this", "*>ret", "1>@doInBackground.1", "1>#name", "#name>ret", "1>component", "none". */
static void flow_row(struct code_words *w, struct gh_str line)
{
	struct gh_str type = column(&line), name = column(&line), rule = column(&line);
	const char *gt = rule.n ? memchr(rule.p, '>', rule.n) : NULL;
	if (!name.n)
		return;
	struct code_api *api = api_make(w, type, name);
	struct code_flow *f = &w->flow[w->n_flow];
	*f = (struct code_flow){.next = api->flow, .to = CODE_TO_NOTHING};
	if (gt) {
		struct gh_str left = gh_strn(rule.p, (size_t)(gt - rule.p)),
			      right = gh_strn(gt + 1, rule.n - left.n - 1);
		const char *dot = right.n ? memchr(right.p, '.', right.n) : NULL;
		f->from = bits(left);
		f->to = gh_str_is(right, "ret")         ? CODE_TO_RESULT
			: gh_str_is(right, "component") ? CODE_TO_COMPONENT
			: right.n && *right.p == '#'    ? CODE_TO_GLOBAL
			: right.n && *right.p == '@'    ? CODE_TO_CALLBACK
							: CODE_TO_ARG;
		f->name = right;
		if (left.n && *left.p == '#') {
			f->to = CODE_FROM_GLOBAL;
			f->name = left;
		} else if (f->to == CODE_TO_CALLBACK && dot) {
			f->name = gh_strn(right.p + 1, (size_t)(dot - right.p) - 1);
			f->arg = (uint32_t)(dot[1] - '0');
		} else if (f->to == CODE_TO_ARG) {
			f->arg = right.n && *right.p >= '1' && *right.p <= '9' ? (uint32_t)(*right.p - '0') : 0;
		}
	}
	api->flow = w->n_flow++;
}

enum gh_code code_words_read(struct code_words *w, struct gh_arena *arena, struct gh_err *err)
{
	uint32_t n_api, n_flow;
	struct gh_str apis = rows("code_apis.tsv", &n_api), flows = rows("code_flow.tsv", &n_flow), line;
	enum gh_code code = types_read(w, arena, err);
	if (code)
		return code;
	w->api = gh_alloc_array(arena, n_api + n_flow, sizeof *w->api);
	w->flow = gh_alloc_array(arena, n_flow, sizeof *w->flow);
	w->api_slots = slots_make(arena, n_api + n_flow, &w->api_mask);
	if (!w->api || !w->flow || !w->api_slots)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the vocabulary");
	while (gh_str_line(&apis, &line))
		api_row(w, line);
	while (gh_str_line(&flows, &line))
		flow_row(w, line);
	return GH_OK;
}
