/* SPDX-License-Identifier: Apache-2.0 */
/* AndroidManifest.xml: activities, services, receivers, providers, with what they inherit, and their intent filters. */
#include "inspectors/axml/axml_manifest.h"

enum {
	NOT_SAID = -1,
	FILTER_ROWS = 16384, /* of one filter: links to 200 hosts by 2 schemes in 3 categories make 1,200 */
	IMPLICIT_PROVIDERS = 17, /* from this target on, a provider is closed unless it says otherwise (Android 4.2) */
};

/* ---- lists ---- */

static void *make(struct walk *w, size_t n, uint64_t at)
{
	void *p = gh_alloc(w->x->ctx->arena, n);
	if (!p)
		gh_fail(&w->x->err, GH_NOMEM, at, "no memory for a component");
	return p;
}

static void add(struct walk *w, struct list *list, struct gh_str text, uint64_t at)
{
	struct item *i = text.p ? make(w, sizeof *i, at) : NULL;
	if (!i)
		return;
	i->text = text;
	i->at = at;
	*list->last = i;
	list->last = &i->next;
	list->n++;
}

static bool has(const struct list *list, const char *text)
{
	for (const struct item *i = list->first; i; i = i->next)
		if (gh_str_is(i->text, text))
			return true;
	return false;
}

/* ---- filters ---- */

void filter_begin(struct walk *w, const struct axml_node *node)
{
	struct axml_attr a[A_N];
	struct filter *f = make(w, sizeof *f, node->at);
	if (!f)
		return;
	axml_attrs(w->x, node, a);
	f->at = node->at;
	f->priority = axml_int(w->x, &a[A_PRIORITY], 0);
	for (int i = 0; i < F_N; i++)
		f->values[i].last = &f->values[i].first;
	*w->component.last = f;
	w->component.last = &f->next;
	w->component.current = f;
}

void filter_add(struct walk *w, enum element kind, const struct axml_node *node)
{
	struct axml_attr a[A_N];
	struct filter *f = w->component.current;
	if (!f)
		return;
	axml_attrs(w->x, node, a);
	if (kind == E_DATA) {
		add(w, &f->values[F_SCHEMES], axml_text(w->x, &a[A_SCHEME]), node->at);
		add(w, &f->values[F_HOSTS], axml_text(w->x, &a[A_HOST]), node->at);
		return;
	}
	int which = kind == E_ACTION ? F_ACTIONS : F_CATEGORIES;
	add(w, &f->values[which], axml_text(w->x, &a[A_NAME]), node->at);
}

/* Android drops a filter without action, but not that of a service or provider. */
static bool filter_counts(const struct component *c, const struct filter *f)
{
	return f->values[F_ACTIONS].n || c->kind == E_SERVICE || c->kind == E_PROVIDER;
}

static bool has_filter(const struct component *c)
{
	for (const struct filter *f = c->first; f; f = f->next)
		if (filter_counts(c, f))
			return true;
	return false;
}

/* ---- rows of filters ---- */

static void emit_intent(struct walk *w, uint64_t n, const struct filter *f, struct item *const pick[F_N])
{
	static const struct item none = {0};
	const struct item *i[F_N];
	uint64_t bytes = 0;
	for (int k = 0; k < F_N; k++) {
		i[k] = pick[k] ? pick[k] : &none;
		bytes += i[k]->text.n;
	}
	if (w->x->err.code || gh_spend_steps(w->x->ctx->budget, 1 + bytes / 8, f->at, &w->x->err))
		return;
	GH_EMIT(w->x->ctx, manifest_intents, i[F_ACTIONS]->at, .component = (int64_t)n, .action = i[F_ACTIONS]->text,
		.category = i[F_CATEGORIES]->text, .scheme = i[F_SCHEMES]->text, .host = i[F_HOSTS]->text,
		.priority = f->priority);
}

/* The next combination; false behind the last. The action changes last. */
static bool step(const struct filter *f, struct item *pick[F_N])
{
	for (int k = F_N; k-- > 0;) {
		if (pick[k] && pick[k]->next) {
			pick[k] = pick[k]->next;
			return true;
		}
		pick[k] = f->values[k].first;
	}
	return false;
}

/* Every action, category, scheme and host at least once, side by side. */
static void emit_reduced(struct walk *w, uint64_t n, const struct filter *f)
{
	struct item *pick[F_N];
	uint64_t rows = 0;
	for (int k = 0; k < F_N; k++) {
		pick[k] = f->values[k].first;
		rows = gh_max(rows, f->values[k].n);
	}
	for (uint64_t r = 0; r < rows && !w->x->err.code; r++) {
		emit_intent(w, n, f, pick);
		for (int k = 0; k < F_N; k++)
			pick[k] = pick[k] && pick[k]->next ? pick[k]->next : f->values[k].first;
	}
}

static void emit_filter(struct walk *w, uint64_t n, const struct filter *f)
{
	struct item *pick[F_N];
	uint64_t rows = 1;
	for (int k = 0; k < F_N; k++) {
		pick[k] = f->values[k].first;
		if (!gh_mul(rows, gh_max(f->values[k].n, 1), &rows))
			rows = UINT64_MAX;
	}
	if (!pick[F_ACTIONS])
		return;
	if (rows > FILTER_ROWS) {
		gh_note(w->x->ctx, GH_LIMIT, f->at,
			"intent filter with more than %d combinations: each value is listed once", FILTER_ROWS);
		emit_reduced(w, n, f);
		return;
	}
	do
		emit_intent(w, n, f, pick);
	while (!w->x->err.code && step(f, pick));
}

/* ---- components ---- */

/* Android writes ".Name" and "Name" for a class of the package itself. */
static struct gh_str class_name(struct walk *w, struct gh_str said)
{
	struct gh_str package = w->app.package;
	if (!said.n || !package.p || (*said.p != '.' && memchr(said.p, '.', said.n)))
		return said;
	size_t dot = *said.p != '.';
	char *p = gh_alloc_raw(w->x->ctx->arena, package.n + dot + said.n);
	if (!p) {
		gh_fail(&w->x->err, GH_NOMEM, 0, "no memory for a name");
		return GH_NONE;
	}
	memcpy(p, package.p, package.n);
	memset(p + package.n, '.', dot);
	memcpy(p + package.n + dot, said.p, said.n);
	return gh_strn(p, package.n + dot + said.n);
}

/* What is said, or else inherited; empty text takes the inherited one away. */
static struct gh_str guard(struct gh_str said, struct gh_str inherited)
{
	struct gh_str s = said.p ? said : inherited;
	return s.n ? s : GH_NONE;
}

/* A provider has one permission to read and one to write; `permission` is what guards both, NULL when one way is open. */
static void provider(struct walk *w, struct gh_row_manifest_components *r, const struct axml_attr a[A_N])
{
	struct gh_str both = axml_text(w->x, &a[A_PERMISSION]);
	struct gh_str general = both.p ? both : w->app_permission;
	r->read_permission = guard(axml_text(w->x, &a[A_READ_PERMISSION]), general);
	r->write_permission = guard(axml_text(w->x, &a[A_WRITE_PERMISSION]), general);
	r->permission = r->read_permission.p ? r->write_permission : GH_NONE;
	r->authorities = axml_text(w->x, &a[A_AUTHORITIES]);
}

/* An alias takes process and storage from its activity, which stands before it, but no permission from anybody. */
static void alias(struct walk *w, struct component *c, const struct axml_attr a[A_N])
{
	struct gh_str target = class_name(w, axml_text(w->x, &a[A_TARGET_ACTIVITY]));
	const struct activity *t = w->activities;
	c->row.permission = guard(axml_text(w->x, &a[A_PERMISSION]), GH_NONE);
	c->row.process = w->app.process;
	while (t && !gh_str_eq(t->name, target)) {
		if (gh_spend_steps(w->x->ctx->budget, 1, c->at, &w->x->err))
			return;
		t = t->next;
	}
	if (!t) {
		axml_note(w->x, c->at, "an alias for an activity that does not stand before it");
		return;
	}
	c->row.process = t->process;
	c->row.direct_boot = t->direct_boot;
}

static void remember(struct walk *w, const struct component *c)
{
	struct activity *t = make(w, sizeof *t, c->at);
	if (!t)
		return;
	*t = (struct activity){w->activities, c->row.name, c->row.process, c->row.direct_boot};
	w->activities = t;
}

static int64_t all_on(int64_t a, int64_t b)
{
	return !a || !b ? 0 : a == GH_NULL ? a : b;
}

void component_begin(struct walk *w, enum element kind, const struct axml_node *node)
{
	static const char *const words[] = {
		[E_ACTIVITY] = "activity", "activity-alias", "service", "receiver", "provider"};
	struct axml_attr a[A_N];
	struct axml *x = w->x;
	struct component *c = &w->component;
	*c = (struct component){.kind = kind, .at = node->at};
	c->last = &c->first;
	axml_attrs(x, node, a);
	c->row.kind = gh_str(words[kind]);
	c->row.name = class_name(w, axml_text(x, &a[A_NAME]));
	if (!c->row.name.p)
		axml_note(x, node->at, "a component without a name that the manifest itself shows");
	c->row.enabled = all_on(axml_bool(x, &a[A_ENABLED], 1), w->app.enabled);
	c->row.exported = axml_bool(x, &a[A_EXPORTED], NOT_SAID);
	c->row.direct_boot = axml_bool(x, &a[A_DIRECT_BOOT], 0);
	c->row.process = process_name(w, axml_text(x, &a[A_PROCESS]), w->app.process);
	if (kind == E_PROVIDER)
		provider(w, &c->row, a);
	else if (kind == E_ALIAS)
		alias(w, c, a);
	else
		c->row.permission = guard(axml_text(x, &a[A_PERMISSION]), w->app_permission);
	if (kind == E_ACTIVITY)
		remember(w, c);
}

static int64_t implied_export(const struct walk *w, const struct component *c)
{
	if (c->kind != E_PROVIDER)
		return has_filter(c);
	return w->sdk == GH_NULL ? GH_NULL : w->sdk < IMPLICIT_PROVIDERS;
}

/* An icon for people: NULL when a reference decides whether it is there. */
static void launcher(struct walk *w, const struct component *c)
{
	int64_t *known = &w->app.has_launcher;
	if ((c->kind != E_ACTIVITY && c->kind != E_ALIAS) || !c->row.enabled || *known == 1)
		return;
	for (const struct filter *f = c->first; f; f = f->next)
		if (has(&f->values[F_ACTIONS], "android.intent.action.MAIN") &&
			(has(&f->values[F_CATEGORIES], "android.intent.category.LAUNCHER") ||
				has(&f->values[F_CATEGORIES], "android.intent.category.LEANBACK_LAUNCHER")))
			*known = c->row.enabled;
}

void component_end(struct walk *w)
{
	struct component *c = &w->component;
	if (c->kind == E_OTHER)
		return;
	if (c->row.exported == NOT_SAID)
		c->row.exported = implied_export(w, c);
	launcher(w, c);
	uint64_t n = w->x->ctx->ops->emit(w->x->ctx, GH_T_manifest_components, c->at, &c->row);
	for (const struct filter *f = c->first; f && !w->x->err.code; f = f->next)
		emit_filter(w, n, f);
	c->kind = E_OTHER;
}
