/* SPDX-License-Identifier: Apache-2.0 */
/* CODE: the dex files of an app as one: each type, method and field has one number, whichever dex names it. Names stay where they lie. */
#include "inspectors/code/code.h"

static const uint64_t MIX = UINT64_C(0x9e3779b97f4a7c15);

enum gh_code code_dex_add(struct code_app *app, const uint8_t *p, size_t n, struct gh_err *err)
{
	uint64_t head = 0;
	do {
		if (app->n_dex == CODE_DEX_MAX)
			return gh_fail(err, GH_LIMIT, head, "more than %d dex files in one app", CODE_DEX_MAX);
		enum gh_code code = dex_open(&app->dex[app->n_dex], p, n, head, err);
		if (code)
			return code;
		head = dex_next(&app->dex[app->n_dex++]);
	} while (head);
	return GH_OK;
}

/* ---- one number for each ---- */

static uint32_t *slots_make(struct gh_arena *arena, uint64_t n, uint32_t *ret_mask)
{
	uint64_t size = 64;
	while (size < n + n / 2)
		size *= 2;
	uint32_t *ret = size <= UINT32_MAX / 2 ? gh_alloc_raw(arena, size * sizeof *ret) : NULL;
	*ret_mask = (uint32_t)size - 1;
	if (ret)
		memset(ret, 0xff, size * sizeof *ret);
	return ret;
}

static uint32_t *type_slot(const struct code_app *app, struct gh_str name)
{
	uint32_t at = (uint32_t)(gh_str_hash(name) * MIX >> 24) & app->type_mask;
	while (app->type_slots[at] != CODE_NONE && !gh_str_eq(app->type[app->type_slots[at]].name, name))
		at = (at + 1) & app->type_mask;
	return &app->type_slots[at];
}

uint32_t code_type_find(const struct code_app *app, struct gh_str name)
{
	return *type_slot(app, name);
}

static uint32_t type_make(struct code_app *app, struct gh_str name)
{
	uint32_t *slot = type_slot(app, name);
	if (*slot == CODE_NONE) {
		*slot = app->n_type++;
		app->type[*slot] = (struct code_type){.name = name,
			.super = CODE_NONE,
			.dex = CODE_NONE,
			.first = CODE_NONE,
			.init = CODE_NONE,
			.down = CODE_NONE,
			.beside = CODE_NONE};
	}
	return *slot;
}

static uint32_t *method_slot(const struct code_app *app, uint32_t type, uint64_t shape, struct gh_str name)
{
	uint32_t at = (uint32_t)((shape ^ type * MIX) * MIX >> 24) & app->method_mask;
	for (;; at = (at + 1) & app->method_mask) {
		uint32_t i = app->method_slots[at];
		if (i == CODE_NONE || (app->method[i].type == type && app->method[i].shape == shape &&
					      gh_str_eq(app->method[i].name, name)))
			return &app->method_slots[at];
	}
}

uint32_t code_method_find(const struct code_app *app, uint32_t type, uint64_t shape, struct gh_str name)
{
	return *method_slot(app, type, shape, name);
}

static uint32_t *field_slot(const struct code_app *app, uint32_t type, uint64_t shape)
{
	uint32_t at = (uint32_t)((shape ^ type * MIX) * MIX >> 24) & app->field_mask;
	for (;; at = (at + 1) & app->field_mask) {
		uint32_t i = app->field_slots[at];
		if (i == CODE_NONE || (app->field[i].type == type && app->field[i].shape == shape))
			return &app->field_slots[at];
	}
}

/* ---- the tables of one dex ---- */

static uint64_t proto_shape(const struct code_app *app, uint32_t k, uint32_t i)
{
	const struct dex *d = &app->dex[k];
	struct dex_proto proto;
	if (!dex_proto(d, i, &proto))
		return 0;
	uint64_t h = proto.ret < d->table[DEX_TYPES].n ? app->type_of[k][proto.ret] + 1 : 0;
	for (uint32_t p = 0; p < proto.params.n && p < 256; p++) {
		uint32_t t = dex_types_get(d, proto.params, p);
		h = (h ^ (t < d->table[DEX_TYPES].n ? app->type_of[k][t] + 1 : 0)) * MIX + (h >> 31);
	}
	return h;
}

static void method_add(struct code_app *app, uint32_t k, uint32_t i, const uint64_t *shapes)
{
	const struct dex *d = &app->dex[k];
	struct dex_member_id id = {0};
	bool ok = dex_method(d, i, &id) && id.class < d->table[DEX_TYPES].n;
	uint32_t type = ok ? app->type_of[k][id.class] : type_make(app, GH_STR("?"));
	struct gh_str name = ok ? dex_string(d, id.name) : GH_STR("?");
	if (!name.p)
		name = GH_STR("?");
	uint64_t shape = gh_str_hash(name) * 31 + (ok && id.type < d->table[DEX_PROTOS].n ? shapes[id.type] : 0);
	uint32_t *slot = method_slot(app, type, shape, name);
	if (*slot == CODE_NONE) {
		*slot = app->n_method++;
		app->method[*slot] = (struct code_method){.shape = shape,
			.name = name,
			.type = type,
			.dex = k,
			.index = i,
			.next = CODE_NONE,
			.api = CODE_NONE};
	}
	app->method_of[k][i] = *slot;
}

static void field_add(struct code_app *app, uint32_t k, uint32_t i)
{
	const struct dex *d = &app->dex[k];
	struct dex_member_id id = {0};
	bool ok = dex_field(d, i, &id) && id.class < d->table[DEX_TYPES].n && id.type < d->table[DEX_TYPES].n;
	uint32_t type = ok ? app->type_of[k][id.class] : 0;
	struct gh_str name = ok ? dex_string(d, id.name) : GH_NONE;
	uint64_t shape = (gh_str_hash(name) ^ (ok ? app->type_of[k][id.type] : 0)) * MIX;
	uint32_t *slot = field_slot(app, type, shape);
	if (*slot == CODE_NONE) {
		*slot = app->n_field;
		app->field[*slot] = (struct code_field){.type = type, .shape = shape, .real = app->n_field};
		app->n_field++;
	}
	app->field_of[k][i] = *slot;
}

static enum gh_code dex_number(struct code_app *app, uint32_t k, struct gh_err *err)
{
	const struct dex *d = &app->dex[k];
	uint32_t nt = d->table[DEX_TYPES].n, nm = d->table[DEX_METHODS].n, nf = d->table[DEX_FIELDS].n,
		 np = d->table[DEX_PROTOS].n;
	enum gh_code code = gh_spend_steps(app->ctx->budget, (uint64_t)nt + nm + nf + np, d->head, err);
	if (code)
		return code;
	app->type_of[k] = gh_alloc_raw(app->arena, ((size_t)nt + 1) * 4);
	app->method_of[k] = gh_alloc_raw(app->arena, ((size_t)nm + 1) * 4);
	app->field_of[k] = gh_alloc_raw(app->arena, ((size_t)nf + 1) * 4);
	uint64_t *shapes = gh_alloc_raw(app->arena, ((size_t)np + 1) * 8);
	if (!app->type_of[k] || !app->method_of[k] || !app->field_of[k] || !shapes)
		return gh_fail(err, GH_NOMEM, d->head, "no memory for the names of a dex file");
	for (uint32_t i = 0; i < nt; i++) {
		struct gh_str name = dex_type(d, i);
		app->type_of[k][i] = type_make(app, name.p ? name : GH_STR("?"));
	}
	for (uint32_t i = 0; i < np; i++)
		shapes[i] = proto_shape(app, k, i);
	for (uint32_t i = 0; i < nm; i++)
		method_add(app, k, i, shapes);
	for (uint32_t i = 0; i < nf; i++)
		field_add(app, k, i);
	return GH_OK;
}

/* ---- classes ---- */

static void member_define(struct code_app *app, uint32_t k, uint32_t type, const struct dex_member *m)
{
	const struct dex *d = &app->dex[k];
	if (m->kind < DEX_DIRECT_METHOD) {
		if (m->index < d->table[DEX_FIELDS].n)
			app->field[app->field_of[k][m->index]].defined = true;
		return;
	}
	if (m->index >= d->table[DEX_METHODS].n)
		return;
	uint32_t i = app->method_of[k][m->index];
	struct code_method *method = &app->method[i];
	struct dex_code body;
	if (method->defined || method->type != type)
		return; /* the first definition is the one that Android takes */
	method->defined = true;
	method->dex = k;
	method->index = m->index;
	method->access = (uint16_t)m->access;
	method->next = app->type[type].first;
	app->type[type].first = i;
	if (gh_str_is(method->name, "<clinit>"))
		app->type[type].init = i;
	if (m->code && dex_code(d, m->code, &body)) {
		method->code = m->code;
		method->units = body.n;
		app->units += body.n;
	} else if (m->code) {
		app->lost_methods++;
	}
}

static enum gh_code class_define(struct code_app *app, uint32_t k, uint32_t i, struct gh_err *err)
{
	const struct dex *d = &app->dex[k];
	struct dex_class class;
	struct dex_members members;
	struct dex_member m;
	if (!dex_class(d, i, &class) || class.type >= d->table[DEX_TYPES].n)
		return GH_OK;
	struct code_type *t = &app->type[app->type_of[k][class.type]];
	if (t->dex != CODE_NONE)
		return GH_OK;
	t->dex = k;
	t->class = i;
	t->super = class.super < d->table[DEX_TYPES].n ? app->type_of[k][class.super] : CODE_NONE;
	dex_members(d, &class, &members);
	while (dex_members_next(&members, &m)) {
		enum gh_code code = gh_spend_steps(app->ctx->budget, 1, m.at, err);
		if (code)
			return code;
		member_define(app, k, app->type_of[k][class.type], &m);
	}
	return GH_OK;
}

/* What an outside type or interface makes of what extends it. */
static void outside_note(struct code_app *app, struct code_type *t, struct gh_str name, bool interface)
{
	struct gh_str super;
	if (gh_str_is(name, "Ljava/lang/Object;"))
		return;
	enum code_role role = code_role_of(&app->words, name, &super);
	t->outside = true;
	t->unlisted |= interface && role == CODE_PLAIN;
	if (role != CODE_KNOWN && (t->role == CODE_PLAIN || t->role == CODE_CALLBACK))
		t->role = role == CODE_PLAIN ? CODE_CALLBACK : (uint8_t)role;
	for (unsigned up = 0; super.n && up < CODE_UP_MAX && role == CODE_KNOWN; up++) {
		role = code_role_of(&app->words, super, &super);
		if (role > CODE_PLAIN && role < CODE_KNOWN)
			t->role = (uint8_t)role;
	}
}

static void interfaces_note(struct code_app *app, struct code_type *t, const struct code_type *of)
{
	struct dex_class class;
	const struct dex *d = &app->dex[of->dex];
	if (!dex_class(d, of->class, &class))
		return;
	for (uint32_t i = 0; i < class.interfaces.n && i < CODE_UP_MAX; i++) {
		uint32_t type = dex_types_get(d, class.interfaces, i);
		if (type >= d->table[DEX_TYPES].n)
			continue;
		const struct code_type *face = &app->type[app->type_of[of->dex][type]];
		if (face->dex == CODE_NONE) {
			outside_note(app, t, face->name, true);
		} else {
			t->outside |= face->outside;
			t->unlisted |= face->unlisted;
		}
	}
}

/* Roles come down from what lies outside; hierarchies are short, so each class looks up for itself. */
static void hierarchy(struct code_app *app)
{
	for (uint32_t i = 0; i < app->n_type; i++) {
		struct code_type *t = &app->type[i];
		if (t->dex == CODE_NONE)
			continue;
		if (t->super != CODE_NONE && t->super != i) {
			t->beside = app->type[t->super].down;
			app->type[t->super].down = i;
		}
		const struct code_type *up = t;
		for (unsigned n = 0; n < CODE_UP_MAX && up; n++) {
			if (up->dex != CODE_NONE)
				interfaces_note(app, t, up);
			else
				outside_note(app, t, up->name, false);
			up = up->super == CODE_NONE ? NULL : &app->type[up->super];
		}
	}
}

/* A field is looked up in its class and in what that extends. */
static void fields_resolve(struct code_app *app)
{
	for (uint32_t i = 0; i < app->n_field; i++) {
		uint32_t type = app->field[i].type;
		for (unsigned n = 0; n < CODE_UP_MAX && type != CODE_NONE && !app->field[i].defined; n++) {
			uint32_t f = *field_slot(app, type, app->field[i].shape);
			if (f != CODE_NONE && app->field[f].defined) {
				app->field[i].real = f;
				break;
			}
			type = app->type[type].super;
		}
	}
}

uint32_t code_method_real(const struct code_app *app, uint32_t method)
{
	const struct code_method *m = &app->method[method];
	uint32_t type = m->type;
	for (unsigned n = 0; n < CODE_UP_MAX && type != CODE_NONE; n++) {
		uint32_t i = type == m->type ? method : code_method_find(app, type, m->shape, m->name);
		if (i != CODE_NONE && app->method[i].defined)
			return i;
		type = app->type[type].super;
	}
	return CODE_NONE;
}

bool code_body(const struct code_app *app, uint32_t method, struct dex_code *ret)
{
	const struct code_method *m = &app->method[method];
	return m->code && dex_code(&app->dex[m->dex], m->code, ret);
}

enum gh_code code_load(struct code_app *app, struct gh_err *err)
{
	uint64_t nt = 1, nm = 1, nf = 1;
	for (uint32_t k = 0; k < app->n_dex; k++) {
		nt += app->dex[k].table[DEX_TYPES].n;
		nm += app->dex[k].table[DEX_METHODS].n;
		nf += app->dex[k].table[DEX_FIELDS].n;
	}
	app->type = gh_alloc_raw(app->arena, nt * sizeof *app->type);
	app->method = gh_alloc_raw(app->arena, nm * sizeof *app->method);
	app->field = gh_alloc_raw(app->arena, nf * sizeof *app->field);
	app->type_slots = slots_make(app->arena, nt, &app->type_mask);
	app->method_slots = slots_make(app->arena, nm, &app->method_mask);
	app->field_slots = slots_make(app->arena, nf, &app->field_mask);
	if (!app->type || !app->method || !app->field || !app->type_slots || !app->method_slots || !app->field_slots)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the names of an app");
	type_make(app, GH_STR("?"));
	for (uint32_t k = 0; k < app->n_dex; k++) {
		enum gh_code code = dex_number(app, k, err);
		if (code)
			return code;
	}
	for (uint32_t k = 0; k < app->n_dex; k++)
		for (uint32_t i = 0; i < app->dex[k].table[DEX_CLASSES].n; i++) {
			enum gh_code code = class_define(app, k, i, err);
			if (code)
				return code;
		}
	hierarchy(app);
	fields_resolve(app);
	return gh_spend_steps(app->ctx->budget, (uint64_t)app->n_type + app->n_field, 0, err);
}
