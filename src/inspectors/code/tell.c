/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: the rows. Of all that is known only what a rule or a person asks for: what an app is able to do and where, what each component
 * reaches, flows with their level and path, and constants of calls that are known by their constants. */
#include "inspectors/code/code.h"

enum {
	LEAKS_MAX = 1000, /* rows of level 3 of one app… */
	ALIKE_MAX = 16, /* …and of one source and one sink: more of a kind tell nobody more */
	ENTRIES_MAX = 4096, /* components; a large app has some hundreds */
	CONSTS_MAX = 1000,
	VALUE_MAX = 500,
};

struct telling {
	struct code_app *app;
	struct code_search search;
	uint64_t quiet; /* too common to be told as a deed at level 1 and 2 */
	uint64_t gates;
	uint64_t proved[CODE_CAPS]; /* by source: sinks that level 3 found */
	uint32_t told[CODE_CAPS][CODE_CAPS]; /* rows of level 3, by source and sink */
	uint32_t n_leak, n_row, n_const;
	bool has_component;
};

static struct gh_str caps_text(struct code_app *app, uint64_t caps)
{
	char buf[CODE_CAPS * 16];
	size_t n = 0;
	for (unsigned i = 0; i < CODE_CAPS; i++) {
		if (!(caps >> i & 1))
			continue;
		size_t k = strlen(code_caps[i].name);
		if (n)
			buf[n++] = ',';
		memcpy(buf + n, code_caps[i].name, k);
		n += k;
	}
	return gh_str_dup(app->arena, gh_strn(buf, n));
}

static uint64_t kind_bits(enum code_cap_kind kind)
{
	uint64_t ret = 0;
	for (unsigned i = 0; i < CODE_CAPS; i++)
		if (code_caps[i].kind == kind)
			ret |= UINT64_C(1) << i;
	return ret;
}

static struct gh_str cap_name(uint64_t bit)
{
	return gh_str(code_caps[__builtin_ctzll(bit)].name);
}

/* Where a place lies in the container is not known; in its dex it is. */
static uint64_t place(const struct code_app *app, const struct code_step *s)
{
	struct dex_code body;
	return code_body(app, s->method, &body) ? body.at + s->at : 0;
}

static bool component(const struct code_type *t)
{
	return t->dex != CODE_NONE && t->role >= CODE_ACTIVITY && t->role <= CODE_APPLICATION;
}

/* ---- what it is able to do ---- */

static void caps_tell(struct telling *t)
{
	struct code_app *app = t->app;
	for (unsigned c = 0; c < CODE_CAPS; c++) {
		uint64_t bit = UINT64_C(1) << c;
		struct code_step first = {.method = CODE_NONE};
		int64_t n = 0;
		for (uint32_t i = 0; i < app->n_method; i++) {
			if (!app->method[i].code)
				continue;
			bool has = app->direct[i] & bit;
			struct code_step s = has ? (struct code_step){i, 0} : code_first_call(app, i, bit);
			has |= s.at || (app->method[i].edge < app->n_edge && code_first_call(app, i, bit).at);
			if (!has)
				continue;
			if (!n++)
				first = s;
		}
		if (n)
			GH_EMIT(app->ctx, code_caps, place(app, &first), .cap = gh_str(code_caps[c].name), .methods = n,
				.first = code_path_text(app, &(struct code_path){.step = {first}, .n = 1}));
	}
}

/* ---- flows ---- */

static struct gh_str types_text(struct code_app *app, const uint32_t *type, uint32_t n)
{
	struct gh_str ret = GH_NONE;
	for (uint32_t i = 0; i < n; i++)
		ret = gh_str_fmt(app->arena, "%.*s%s%.*s", (int)ret.n, ret.p ? ret.p : "", i ? "," : "",
			(int)gh_min(app->type[type[i]].name.n, 512), app->type[type[i]].name.p);
	return ret;
}

static void flow_tell(struct telling *t, uint64_t source, uint64_t sink, uint64_t mids, int64_t level,
	const uint32_t *entry, uint32_t n_entry, const struct code_path *path)
{
	struct code_app *app = t->app;
	struct code_step last = path->n ? path->step[path->n - 1] : (struct code_step){0};
	GH_EMIT(app->ctx, code_flows, path->n ? place(app, &last) : 0, .src = cap_name(source), .sink = cap_name(sink),
		.mids = caps_text(app, mids & kind_bits(CODE_STEP)), .level = level, .length = path->n,
		.entries = types_text(app, entry, n_entry),
		.last = path->n ? app->type[app->method[last.method].type].name : GH_NONE,
		.path = path->n ? code_path_text(app, path) : GH_NONE);
}

static void leak_tell(struct code_app *app, const struct code_leak *leak, void *to)
{
	struct telling *t = to;
	(void)app;
	if (leak->n_entry == 0 && t->has_component)
		return; /* code that nothing in this app calls */
	unsigned source = (unsigned)__builtin_ctzll(leak->source);
	t->proved[source] |= leak->sink;
	t->n_leak++;
	if (t->told[source][__builtin_ctzll(leak->sink)]++ < ALIKE_MAX && t->n_row++ < LEAKS_MAX)
		flow_tell(t, leak->source, leak->sink, leak->steps, 3, leak->entry, leak->n_entry, &leak->path);
}

/* Transforms and gates of the methods on a way. What only says "checked" is taken from all they reach: rather too much than too little. */
static uint64_t mids_of(const struct telling *t, const struct code_path *path)
{
	const struct code_app *app = t->app;
	uint64_t ret = 0;
	for (uint32_t i = 0; i < path->n; i++) {
		uint32_t m = path->step[i].method;
		uint32_t end = m + 1 < app->n_method ? app->method[m + 1].edge : app->n_edge;
		ret |= app->direct[m] | (app->reach[m] & ~t->gates);
		for (uint32_t e = app->method[m].edge; e < end; e++)
			if (code_edge_to(app, e) != CODE_NONE)
				ret |= app->direct[code_edge_to(app, e)];
	}
	return ret;
}

/* What reaches an entry from outside is a source by itself. */
static uint64_t entry_source(const struct code_type *t)
{
	return code_cap_bit(t->role == CODE_BINDER ? GH_STR("BINDER_IN") : GH_STR("INTENT_IN"));
}

static void entry_tell(struct telling *t, uint32_t type)
{
	struct code_app *app = t->app;
	uint32_t node = app->n_method + type;
	uint64_t reach = app->reach[node], sinks = reach & kind_bits(CODE_SINK) & ~t->quiet;
	static const char *const words[] = {
		"", "activity", "service", "receiver", "provider", "application", "binder", "callback", ""};
	GH_EMIT(app->ctx, code_entries, 0, .class = app->type[type].name, .role = gh_str(words[app->type[type].role]),
		.reach = caps_text(app, reach), .extended = app->type[type].down != CODE_NONE,
		.selfcheck = (reach & code_cap_bit(GH_STR("SELFCHECK"))) != 0);
	for (uint64_t s = sinks; s; s &= s - 1) {
		struct code_path path;
		if (!code_path_find(app, &t->search, node, s & -s, &path))
			continue;
		flow_tell(t, entry_source(&app->type[type]), s & -s, mids_of(t, &path), 2, &type, 1, &path);
	}
}

/* Both are there; reached from one entry, or not. */
static void pairs_tell(struct telling *t, uint64_t source, uint64_t present)
{
	struct code_app *app = t->app;
	uint64_t sinks = present & kind_bits(CODE_SINK) & ~t->quiet & ~t->proved[__builtin_ctzll(source)];
	for (uint64_t s = sinks; s; s &= s - 1) {
		uint64_t sink = s & -s;
		struct code_path path = {0};
		uint32_t entry = CODE_NONE;
		for (uint32_t i = 0; i < app->n_type && entry == CODE_NONE; i++)
			if (component(&app->type[i]) && app->reach[app->n_method + i] & source &&
				app->reach[app->n_method + i] & sink)
				entry = i;
		if (entry != CODE_NONE)
			code_path_find(app, &t->search, app->n_method + entry, sink, &path);
		flow_tell(t, source, sink, mids_of(t, &path), entry == CODE_NONE ? 1 : 2, &entry, entry != CODE_NONE,
			&path);
	}
}

/* ---- constants ---- */

static void const_tell(
	struct telling *t, uint32_t method, const struct dex_insn *in, uint32_t to, uint32_t arg, struct gh_str value)
{
	struct code_app *app = t->app;
	struct code_step s = {method, in->at * 2};
	if (t->n_const++ < CONSTS_MAX)
		GH_EMIT(app->ctx, code_consts, place(app, &s), .method = code_method_text(app, method),
			.site = in->at * 2, .callee = code_method_text(app, to), .arg = arg,
			.value = gh_strn(value.p, (size_t)gh_min(value.n, VALUE_MAX)));
}

/* Registers of one method with what is known to be in them, along straight code. */
struct known {
	struct gh_str text[256];
};

static void consts_of_call(struct telling *t, uint32_t method, const struct dex_insn *in, const struct known *k)
{
	struct code_app *app = t->app;
	uint32_t dex = app->method[method].dex;
	if (in->ref != DEX_REF_METHOD || in->index >= app->dex[dex].table[DEX_METHODS].n)
		return;
	uint32_t to = app->method_of[dex][in->index], api = app->method[to].api;
	if (api == CODE_NONE || !app->words.api[api].consts)
		return;
	bool fixed =
		in->op == DEX_INVOKE_STATIC || in->op == DEX_INVOKE_STATIC + (DEX_INVOKE_RANGE - DEX_INVOKE_VIRTUAL);
	for (uint32_t slot = fixed ? 0 : 1; slot < in->n_args; slot++) {
		uint32_t reg = dex_arg(in, slot);
		if (reg < GH_COUNT(k->text) && k->text[reg].p)
			const_tell(t, method, in, to, fixed ? slot : slot - 1, k->text[reg]);
	}
}

static void known_step(struct code_app *app, uint32_t method, const struct dex_insn *in, struct known *k)
{
	const struct dex *d = &app->dex[app->method[method].dex];
	if (in->ref == DEX_REF_STRING && in->a < GH_COUNT(k->text)) {
		k->text[in->a] = dex_string(d, in->index);
	} else if (in->op >= 0x07 && in->op <= 0x09 && in->a < GH_COUNT(k->text)) {
		k->text[in->a] = in->b < GH_COUNT(k->text) ? k->text[in->b] : GH_NONE;
	} else if ((in->op >= DEX_CONST_4 && in->op <= 0x15) && in->a < GH_COUNT(k->text)) {
		k->text[in->a] = gh_str_fmt(app->arena, "%lld", (long long)in->literal);
	} else if (in->op >= DEX_GOTO && in->op <= DEX_IF_LAST && !(in->op >= DEX_CMP && in->op < DEX_IF)) {
		memset(k, 0, sizeof *k); /* other ways may lead to what follows */
	} else if (!dex_is_invoke(in->op) && in->a < GH_COUNT(k->text) &&
		   !(in->op >= DEX_APUT && in->op <= DEX_SPUT_LAST) && in->op != DEX_CHECK_CAST && in->op != DEX_NOP) {
		k->text[in->a] = GH_NONE;
	}
}

static bool calls_told(const struct code_app *app, uint32_t method)
{
	uint32_t end = method + 1 < app->n_method ? app->method[method + 1].edge : app->n_edge;
	for (uint32_t e = app->method[method].edge; e < end; e++) {
		uint32_t to = code_edge_to(app, e);
		if (to < app->n_method && app->method[to].api != CODE_NONE &&
			app->words.api[app->method[to].api].consts)
			return true;
	}
	return false;
}

static void consts_tell(struct telling *t)
{
	struct code_app *app = t->app;
	for (uint32_t i = 0; i < app->n_method; i++) {
		struct dex_code body;
		struct dex_insns it;
		struct dex_insn in;
		if (!app->method[i].code || !calls_told(app, i) || !code_body(app, i, &body))
			continue;
		struct known k = {0};
		dex_insns(&app->dex[app->method[i].dex], &body, &it);
		while (dex_insns_next(&it, &in)) {
			if (dex_is_invoke(in.op))
				consts_of_call(t, i, &in, &k);
			known_step(app, i, &in, &k);
		}
	}
}

/* ---- all ---- */

static void summary_tell(struct telling *t)
{
	const struct code_app *app = t->app;
	int64_t classes = 0, methods = 0;
	for (uint32_t i = 0; i < app->n_type; i++)
		classes += app->type[i].dex != CODE_NONE;
	for (uint32_t i = 0; i < app->n_method; i++)
		methods += app->method[i].code != 0;
	if (app->over)
		gh_note(app->ctx, GH_LIMIT, 0, "more calls or paths than are followed in an app of this size");
	if (app->lost_methods)
		gh_note(app->ctx, GH_BAD, 0, "%u methods have code that could not be read to its end",
			app->lost_methods);
	if (app->quick)
		gh_note(app->ctx, GH_UNSUP, 0,
			"%llu calls name their method by its place in a table only: not followed",
			(unsigned long long)app->quick);
	GH_EMIT(app->ctx, code, 0, .dex_files = app->n_dex, .classes = classes, .methods = methods,
		.calls = app->n_edge, .bytes = (int64_t)app->units * 2, .bytes_lost = (int64_t)app->units_lost * 2,
		.quickened = (int64_t)app->quick, .leaks = t->n_leak, .sources_cut = app->cut, .over = app->over);
}

enum gh_code code_tell(struct code_app *app, struct gh_err *err)
{
	struct telling t = {.app = app,
		.quiet = code_cap_bit(GH_STR("LOG_OUT")) | code_cap_bit(GH_STR("FILE_OUT")),
		.gates = code_cap_bit(GH_STR("GATE_DELAY")) | code_cap_bit(GH_STR("GATE_AV")) |
			 code_cap_bit(GH_STR("GATE_ANALYSIS")) | code_cap_bit(GH_STR("GATE_LOCALE")) |
			 code_cap_bit(GH_STR("GATE_TZ"))};
	enum gh_code code = code_search_make(app, &t.search, err);
	if (code)
		return code;
	caps_tell(&t);
	for (uint32_t i = 0; i < app->n_type; i++)
		t.has_component |= component(&app->type[i]);
	uint64_t present = 0;
	for (uint32_t i = 0; i < app->n_node; i++)
		present |= app->direct[i];
	if (present & kind_bits(CODE_SOURCE) && present & kind_bits(CODE_SINK))
		code = code_taint(app, leak_tell, &t, err);
	if (code)
		return code;
	for (uint32_t i = 0, n = 0; i < app->n_type && n < ENTRIES_MAX; i++)
		if (component(&app->type[i]) || (app->type[i].dex != CODE_NONE && app->type[i].role == CODE_BINDER)) {
			entry_tell(&t, i);
			n++;
		}
	for (uint64_t s = present & kind_bits(CODE_SOURCE); s; s &= s - 1)
		pairs_tell(&t, s & -s, present);
	consts_tell(&t);
	summary_tell(&t);
	return GH_OK;
}
