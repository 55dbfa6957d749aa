/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: the call graph. Calls with their places, what a called name stands for (superclasses, overriding methods), what Android may
 * call on an object that was made, and what names in strings lead to. */
#include "inspectors/code/code.h"

enum {
	NAMES = 16, /* strings of one method that are looked up as names of classes or methods */
	DELTA_MAX = 0xffff,
};

/* What is known while the instructions of one method are read. */
struct reading {
	struct code_app *app;
	uint32_t method;
	uint32_t last; /* place of the last call */
	struct gh_str name[NAMES];
	uint32_t n_name;
	bool reflects; /* it asks for classes or methods by name */
	struct gh_err *err;
};

/* ---- calls ---- */

static bool edge_put(struct code_app *app, uint32_t to, uint16_t delta)
{
	uint32_t chunk = app->n_edge / CODE_EDGES;
	if (chunk == CODE_EDGE_CHUNKS)
		return false;
	if (!app->edges[chunk]) {
		app->edges[chunk] = gh_alloc_raw(app->arena, sizeof *app->edges[chunk]);
		if (!app->edges[chunk])
			return false;
	}
	app->edges[chunk]->to[app->n_edge % CODE_EDGES] = to;
	app->edges[chunk]->delta[app->n_edge % CODE_EDGES] = delta;
	app->n_edge++;
	return true;
}

static void edge_add(struct reading *r, uint32_t to, uint32_t at)
{
	uint32_t delta = at - r->last;
	for (; delta > DELTA_MAX; delta -= DELTA_MAX)
		if (!edge_put(r->app, CODE_NONE, DELTA_MAX))
			r->app->over = true;
	if (!edge_put(r->app, to, (uint16_t)delta))
		r->app->over = true;
	r->last = at;
}

static uint32_t type_node(const struct code_app *app, uint32_t type)
{
	return app->n_method + type;
}

static uint32_t type_at(const struct reading *r, const struct dex_insn *in)
{
	uint32_t k = r->app->method[r->method].dex;
	return in->index < r->app->dex[k].table[DEX_TYPES].n ? r->app->type_of[k][in->index] : CODE_NONE;
}

/* The class is used: its initialiser runs. */
static void init_add(struct reading *r, uint32_t type, uint32_t at)
{
	if (type != CODE_NONE && r->app->type[type].init != CODE_NONE && r->app->type[type].init != r->method)
		edge_add(r, r->app->type[type].init, at);
}

/* ---- names in strings ---- */

/* What reflection asks for: a class by name, a member by name. */
static bool asks_by_name(const struct code_app *app, const struct code_method *m)
{
	static const char *const names[] = {"forName", "loadClass", "getMethod", "getDeclaredMethod", "findClass"};
	struct gh_str type = app->type[m->type].name;
	if (!gh_str_is(type, "Ljava/lang/Class;") && !gh_str_ends(type, "ClassLoader;"))
		return false;
	for (size_t i = 0; i < GH_COUNT(names); i++)
		if (gh_str_is(m->name, names[i]))
			return true;
	return false;
}

/* "com.x.Y" as Lcom/x/Y; in buf; empty where it is no such name. */
static struct gh_str descriptor(struct gh_str s, char *buf, size_t cap)
{
	if (s.n < 3 || s.n + 2 > cap)
		return GH_NONE;
	buf[0] = 'L';
	for (size_t i = 0; i < s.n; i++)
		buf[i + 1] = s.p[i] == '.' ? '/' : s.p[i];
	buf[s.n + 1] = ';';
	return gh_strn(buf, s.n + 2);
}

/* The methods of a class that one of the strings names; all of its API where it lies outside. */
static void named_add(struct reading *r, struct gh_str type_name)
{
	struct code_app *app = r->app;
	uint32_t type = code_type_find(app, type_name);
	if (type != CODE_NONE && app->type[type].dex != CODE_NONE) {
		edge_add(r, type_node(app, type), r->last);
		app->type[type].made = true;
		for (uint32_t m = app->type[type].first; m != CODE_NONE; m = app->method[m].next)
			for (uint32_t i = 0; i < r->n_name; i++)
				if (gh_str_eq(app->method[m].name, r->name[i]))
					edge_add(r, m, r->last);
		return;
	}
	for (uint32_t i = 0; i < r->n_name; i++) {
		uint32_t api = code_api_find(&app->words, type_name, r->name[i]);
		if (api != CODE_NONE && !gh_str_is(app->words.api[api].type, "*"))
			app->direct[r->method] |=
				app->words.api[api].source | app->words.api[api].sink | app->words.api[api].step;
	}
}

static void names_follow(struct reading *r)
{
	char buf[256];
	if (!r->reflects)
		return;
	for (uint32_t i = 0; i < r->n_name; i++) {
		struct gh_str type = descriptor(r->name[i], buf, sizeof buf);
		if (type.p && memchr(type.p, '/', type.n))
			named_add(r, type);
	}
}

/* Names that stand for a deed wherever they are used with exec, reflection or a settings call. */
static uint64_t string_caps(struct gh_str s)
{
	static const struct {
		const char *text, *cap;
	} meant[] = {{"pm install", "PKG_INSTALL"}, {"pm uninstall", "PKG_DELETE"}, {"adb_enabled", "ADB_ENABLE"},
		{"installPackage", "PKG_INSTALL"}, {"http://", "NET_HTTP_PLAIN"}, {"/system/xbin/su", "EXEC_SU"}};
	uint64_t ret = code_uri_cap(s);
	for (size_t i = 0; i < GH_COUNT(meant); i++)
		if (gh_str_starts(s, meant[i].text) && (s.n > strlen(meant[i].text) || *meant[i].text != 'h'))
			ret |= code_cap_bit(gh_str(meant[i].cap));
	return ret;
}

/* "com.x.Y" for a component of this app is where an Intent leads, as its class is. */
static void component_named(struct reading *r, struct gh_str s, uint32_t at)
{
	char buf[256];
	struct gh_str name = memchr(s.p, '.', s.n) ? descriptor(s, buf, sizeof buf) : GH_NONE;
	uint32_t type = name.p ? code_type_find(r->app, name) : CODE_NONE;
	if (type != CODE_NONE && r->app->type[type].dex != CODE_NONE && r->app->type[type].role >= CODE_ACTIVITY &&
		r->app->type[type].role <= CODE_PROVIDER)
		edge_add(r, type_node(r->app, type), at);
}

static void string_seen(struct reading *r, const struct dex_insn *in)
{
	struct gh_str s = dex_string(&r->app->dex[r->app->method[r->method].dex], in->index);
	if (!s.p || s.n < 2)
		return;
	if (r->n_name < NAMES && s.n < 200)
		r->name[r->n_name++] = s;
	component_named(r, s, in->at);
	if (s.n < 4096)
		r->app->direct[r->method] |= string_caps(s);
}

/* ---- one method ---- */

static void call_add(struct reading *r, const struct dex_insn *in)
{
	struct code_app *app = r->app;
	uint32_t k = app->method[r->method].dex;
	if (in->index >= app->dex[k].table[DEX_METHODS].n)
		return;
	uint32_t to = app->method_of[k][in->index];
	edge_add(r, to, in->at);
	if (in->op == DEX_INVOKE_STATIC || in->op == DEX_INVOKE_STATIC + (DEX_INVOKE_RANGE - DEX_INVOKE_VIRTUAL))
		init_add(r, app->method[to].type, in->at);
	r->reflects |= asks_by_name(app, &app->method[to]);
}

/* A field of a class: its initialiser runs; or one of Android's that gives something. */
static void field_used(struct reading *r, const struct dex_insn *in)
{
	struct code_app *app = r->app;
	uint32_t k = app->method[r->method].dex;
	struct dex_member_id id;
	if (in->index >= app->dex[k].table[DEX_FIELDS].n)
		return;
	const struct code_field *field = &app->field[app->field[app->field_of[k][in->index]].real];
	init_add(r, field->type, in->at);
	if (field->defined || in->op >= DEX_SPUT || !dex_field(&app->dex[k], in->index, &id))
		return;
	uint32_t api = code_api_find(&app->words, app->type[field->type].name, dex_string(&app->dex[k], id.name));
	if (api != CODE_NONE)
		app->direct[r->method] |= app->words.api[api].source;
}

static void insn_read(struct reading *r, const struct dex_insn *in)
{
	struct code_app *app = r->app;
	if (in->payload)
		return;
	if (in->ref == DEX_REF_METHOD) {
		call_add(r, in);
	} else if (in->op == DEX_NEW_INSTANCE || in->op == DEX_CONST_CLASS) {
		uint32_t type = type_at(r, in);
		if (type == CODE_NONE || app->type[type].dex == CODE_NONE)
			return;
		/* The class of a component in the code is where an Intent leads; of others it is a name only. */
		bool component = app->type[type].role >= CODE_ACTIVITY && app->type[type].role <= CODE_PROVIDER;
		if (in->op == DEX_NEW_INSTANCE || component)
			edge_add(r, type_node(app, type), in->at);
		app->type[type].made |= in->op == DEX_NEW_INSTANCE || component;
		if (in->op == DEX_CONST_CLASS)
			r->reflects |= !component;
	} else if (in->ref == DEX_REF_STRING) {
		string_seen(r, in);
	} else if (in->op >= DEX_SGET && in->op <= DEX_SPUT_LAST) {
		field_used(r, in);
	} else if (in->ref == DEX_REF_VTABLE) {
		app->quick++;
	}
}

static enum gh_code method_read(struct code_app *app, uint32_t i, struct gh_err *err)
{
	struct reading r = {.app = app, .method = i, .err = err};
	struct dex_code body;
	struct dex_insns it;
	struct dex_insn in;
	app->method[i].edge = app->n_edge;
	if (!code_body(app, i, &body))
		return GH_OK;
	enum gh_code code = gh_spend_steps(app->ctx->budget, body.n, body.at, err);
	if (code)
		return code;
	dex_insns(&app->dex[app->method[i].dex], &body, &it);
	while (dex_insns_next(&it, &in))
		insn_read(&r, &in);
	if (it.bad) {
		app->lost_methods++;
		app->units_lost += body.n - in.at;
	}
	names_follow(&r);
	return GH_OK;
}

/* ---- what a name stands for ---- */

bool code_called_back(const struct code_app *app, const struct code_method *m)
{
	static const char *const names[] = {"run", "call", "doInBackground", "handleMessage", "query", "insert",
		"update", "delete", "getType", "openFile", "bulkInsert", "attachBaseContext", "afterTextChanged",
		"beforeTextChanged", "uncaughtException", "checkServerTrusted", "checkClientTrusted",
		"getAcceptedIssuers", "verify", "shouldOverrideUrlLoading", "shouldInterceptRequest", "finalize",
		"invoke", "intercept", "compare", "accept", "apply", "get", "execute", "loadInBackground",
		"dispatchMessage", "toString", "equals", "hashCode", "getView", "surfaceCreated", "surfaceChanged",
		"write", "read", "transact", "publishProgress", "startElement", "characters", "instantiateItem",
		"doWork", "iterator", "next", "loadClass", "findClass", "getSystemService", "startActivity", "close",
		"dump", "shellCommand"};
	const struct code_type *t = &app->type[m->type];
	if (!m->defined || m->access & CODE_ACC_STATIC || (m->name.n && *m->name.p == '<'))
		return false;
	if (t->unlisted)
		return true;
	if (!t->outside)
		return gh_str_is(m->name, "toString") || gh_str_is(m->name, "equals") || gh_str_is(m->name, "hashCode");
	if (m->name.n > 2 && memcmp(m->name.p, "on", 2) == 0 && m->name.p[2] >= 'A' && m->name.p[2] <= 'Z')
		return true;
	for (size_t i = 0; i < GH_COUNT(names); i++)
		if (gh_str_is(m->name, names[i]))
			return true;
	/* android:onClick="name" of a layout calls name(View) of the activity. */
	struct dex_member_id id;
	struct dex_proto proto;
	const struct dex *d = &app->dex[m->dex];
	return t->role == CODE_ACTIVITY && dex_method(d, m->index, &id) && dex_proto(d, id.type, &proto) &&
	       proto.params.n == 1 && gh_str_is(dex_type(d, dex_types_get(d, proto.params, 0)), "Landroid/view/View;");
}

/* The API that a name outside means: of its own type, or of the first one outside that its type here extends or implements. */
static uint32_t api_of(const struct code_app *app, const struct code_method *m)
{
	uint32_t type = m->type, ret = CODE_NONE;
	for (unsigned n = 0; n < CODE_UP_MAX && type != CODE_NONE && ret == CODE_NONE; n++) {
		const struct code_type *t = &app->type[type];
		if (t->dex == CODE_NONE)
			return code_api_find(&app->words, t->name, m->name);
		struct dex_class class;
		const struct dex *d = &app->dex[t->dex];
		for (uint32_t i = 0; dex_class(d, t->class, &class) && i < class.interfaces.n && i < CODE_UP_MAX; i++) {
			struct gh_str face = dex_type(d, dex_types_get(d, class.interfaces, i));
			uint32_t api = face.p ? code_api_find(&app->words, face, m->name) : CODE_NONE;
			if (api != CODE_NONE && !gh_str_is(app->words.api[api].type, "*"))
				ret = api;
		}
		type = t->super;
	}
	return ret;
}

static bool may_override(const struct code_method *m)
{
	return !(m->access & CODE_ACC_STATIC) && m->name.n && *m->name.p != '<';
}

/* Of what no object is made, no method is called. */
static void made_note(struct code_app *app)
{
	for (uint32_t i = 0; i < app->n_type; i++) {
		const struct code_type *t = &app->type[i];
		if (!t->made && !(t->role >= CODE_ACTIVITY && t->role <= CODE_APPLICATION))
			continue;
		uint32_t up = i;
		for (unsigned n = 0; n < CODE_UP_MAX && up != CODE_NONE && app->type[up].dex != CODE_NONE; n++) {
			app->type[up].made = true;
			up = app->type[up].super;
		}
	}
}

/* Calls give(from, to) for each link; twice over: to count, and to fill. */
typedef void give_fn(struct code_app *app, uint32_t from, uint32_t to);

/* Method m overrides what its superclasses and interfaces here declare: a call of theirs may mean it. left: types still to be looked at,
 * since classes that extend each other, or one interface by many ways, would multiply them. */
static void overrides_give(
	struct code_app *app, uint32_t m, uint32_t type, unsigned depth, unsigned *left, give_fn *give)
{
	const struct code_type *t = &app->type[type];
	if (type != app->method[m].type) {
		uint32_t over = code_method_find(app, type, app->method[m].shape, app->method[m].name);
		if (over != CODE_NONE && over != m)
			give(app, over, m);
	}
	if (t->dex == CODE_NONE || depth > 16 || !*left)
		return;
	--*left;
	struct dex_class class;
	const struct dex *d = &app->dex[t->dex];
	for (uint32_t i = 0; dex_class(d, t->class, &class) && i < class.interfaces.n && i < CODE_UP_MAX; i++) {
		uint32_t face = dex_types_get(d, class.interfaces, i);
		if (face < d->table[DEX_TYPES].n && app->type[app->type_of[t->dex][face]].dex != CODE_NONE)
			overrides_give(app, m, app->type_of[t->dex][face], depth + 1, left, give);
	}
	if (t->super != CODE_NONE && app->type[t->super].dex != CODE_NONE)
		overrides_give(app, m, t->super, depth + 1, left, give);
}

static void links_give(struct code_app *app, give_fn *give)
{
	for (uint32_t i = 0; i < app->n_method; i++) {
		const struct code_method *m = &app->method[i];
		unsigned left = 4 * CODE_UP_MAX;
		if (!m->defined) {
			uint32_t real = code_method_real(app, i);
			if (real != CODE_NONE)
				give(app, i, real);
			continue;
		}
		if (may_override(m) && m->code && app->type[m->type].made)
			overrides_give(app, i, m->type, 0, &left, give);
		if (code_called_back(app, m))
			give(app, type_node(app, m->type), i);
	}
	for (uint32_t t = 0; t < app->n_type; t++) {
		const struct code_type *type = &app->type[t];
		if (type->dex == CODE_NONE)
			continue;
		if (type->super != CODE_NONE && app->type[type->super].dex != CODE_NONE)
			give(app, type_node(app, t), type_node(app, type->super));
		if (type->init != CODE_NONE)
			give(app, type_node(app, t), type->init);
		/* Android makes components itself: their constructors are called by nobody here. */
		if (type->role >= CODE_ACTIVITY && type->role <= CODE_APPLICATION)
			for (uint32_t m = type->first; m != CODE_NONE; m = app->method[m].next)
				if (gh_str_is(app->method[m].name, "<init>"))
					give(app, type_node(app, t), m);
	}
}

static void link_count(struct code_app *app, uint32_t from, uint32_t to)
{
	(void)to;
	app->link_first[from + 1]++;
	app->n_link++;
}

static void link_fill(struct code_app *app, uint32_t from, uint32_t to)
{
	app->link_to[app->link_first[from]++] = to;
}

static enum gh_code links_make(struct code_app *app, struct gh_err *err)
{
	app->link_first = gh_alloc_array(app->arena, (size_t)app->n_node + 2, sizeof *app->link_first);
	if (!app->link_first)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the call graph");
	made_note(app);
	links_give(app, link_count);
	app->link_to = gh_alloc_raw(app->arena, ((size_t)app->n_link + 1) * sizeof *app->link_to);
	if (!app->link_to)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the call graph");
	for (uint32_t i = 0; i < app->n_node; i++)
		app->link_first[i + 1] += app->link_first[i];
	links_give(app, link_fill);
	for (uint32_t i = app->n_node; i > 0; i--) /* filling moved each first to its end */
		app->link_first[i] = app->link_first[i - 1];
	app->link_first[0] = 0;
	return gh_spend_steps(app->ctx->budget, app->n_link, 0, err);
}

/* Capabilities of calls are of the method that calls: the API's own node has them too, so that paths end in it. */
static void apis_note(struct code_app *app)
{
	for (uint32_t i = 0; i < app->n_method; i++) {
		struct code_method *m = &app->method[i];
		if (m->defined && m->code && !app->type[m->type].outside)
			continue;
		m->api = api_of(app, m);
		if (m->api == CODE_NONE || m->defined || code_method_real(app, i) != CODE_NONE)
			continue;
		const struct code_api *api = &app->words.api[m->api];
		app->direct[i] = api->sink | api->step | (api->from & ~(UINT32_C(1) << 31) ? api->source : 0);
	}
}

enum gh_code code_graph(struct code_app *app, struct gh_err *err)
{
	app->n_node = app->n_method + app->n_type;
	app->direct = gh_alloc_array(app->arena, app->n_node, sizeof *app->direct);
	if (!app->direct)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the call graph");
	apis_note(app);
	for (uint32_t i = 0; i < app->n_method; i++) {
		enum gh_code code = method_read(app, i, err);
		if (code)
			return code;
	}
	return links_make(app, err);
}
