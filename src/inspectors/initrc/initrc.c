/* SPDX-License-Identifier: Apache-2.0 */
/* init scripts (AOSP system/core/init/README.md): services with their options and sockets, commands by trigger, imports; and
 * ueventd's files, which are written alike. */
#include "inspectors/initrc/initrc.h"

struct socket {
	struct socket *next;
	struct gh_row_init_sockets row;
	uint64_t at;
};

/* The section at hand. */
struct section {
	enum { NONE, SERVICE, ACTION } kind;
	struct gh_str trigger; /* of its commands */
	struct gh_row_init_services service;
	uint64_t at;
	struct socket *first, **last;
};

static bool initrc_wants(const struct gh_probe *probe)
{
	return gh_str_ends(probe->name, ".rc") && gh_text_like(probe);
}

static struct gh_str keep(struct initrc *r, struct gh_str s)
{
	return gh_str_dup(r->ctx->arena, gh_text_cell(&r->place, s));
}

static void command(struct initrc *r, struct gh_str trigger, size_t from)
{
	GH_EMIT(r->ctx, init_actions, r->place.at, .trigger = trigger, .cmd = gh_text_cell(&r->place, r->w[from]),
		.args = initrc_join(r, from + 1), .line = r->place.line);
}

/* socket NAME TYPE PERM [USER [GROUP [LABEL]]]; the type may say "+passcred". */
static void socket_option(struct initrc *r, struct section *s)
{
	uint64_t perm;
	struct socket *k = gh_alloc(r->ctx->arena, sizeof *k);
	if (r->n < 4 || !gh_str_u64(r->w[3], 8, &perm) || !k) {
		gh_note(r->ctx, k ? GH_BAD : GH_NOMEM, r->place.at, "line %lld: a socket without name, type and mode",
			(long long)r->place.line);
		return;
	}
	k->at = r->place.at;
	k->row = (struct gh_row_init_sockets){.name = keep(r, r->w[1]),
		.type = keep(r, r->w[2]),
		.perm = (int64_t)perm,
		.user = r->n > 4 ? keep(r, r->w[4]) : GH_NONE,
		.line = r->place.line};
	*s->last = k;
	s->last = &k->next;
}

static void service_option(struct initrc *r, struct section *s)
{
	struct gh_str o = r->w[0];
	if (gh_str_is(o, "user") && r->n > 1)
		s->service.user = keep(r, r->w[1]);
	else if (gh_str_is(o, "group"))
		s->service.groups = initrc_join(r, 1);
	else if (gh_str_is(o, "capabilities"))
		s->service.caps = initrc_join(r, 1);
	else if (gh_str_is(o, "seclabel") && r->n > 1)
		s->service.seclabel = keep(r, r->w[1]);
	else if (gh_str_is(o, "class"))
		s->service.class = initrc_join(r, 1);
	else if (gh_str_is(o, "oneshot"))
		s->service.oneshot = 1;
	else if (gh_str_is(o, "disabled"))
		s->service.disabled = 1;
	else if (gh_str_is(o, "socket"))
		socket_option(r, s);
	else if (gh_str_is(o, "onrestart") && r->n > 1)
		command(r, s->trigger, 1);
	else if (gh_str_is(o, "setenv"))
		command(r, s->trigger, 0);
}

static void section_end(struct initrc *r, struct section *s)
{
	if (s->kind == SERVICE) {
		uint64_t n = GH_EMIT(r->ctx, init_services, s->at, .name = s->service.name,
			.exec_path = s->service.exec_path, .args = s->service.args, .user = s->service.user,
			.groups = s->service.groups, .caps = s->service.caps, .seclabel = s->service.seclabel,
			.class = s->service.class, .oneshot = s->service.oneshot, .disabled = s->service.disabled,
			.line = s->service.line);
		for (struct socket *k = s->first; k; k = k->next)
			GH_EMIT(r->ctx, init_sockets, k->at, .service = (int64_t)n, .name = k->row.name,
				.type = k->row.type, .perm = k->row.perm, .user = k->row.user, .line = k->row.line);
	}
	*s = (struct section){.kind = NONE};
	s->last = &s->first;
}

static void section_begin(struct initrc *r, struct section *s)
{
	s->at = r->place.at;
	if (gh_str_is(r->w[0], "service")) {
		if (r->n < 3) {
			gh_note(r->ctx, GH_BAD, r->place.at, "line %lld: a service without name and program",
				(long long)r->place.line);
			return;
		}
		s->kind = SERVICE;
		s->service.name = keep(r, r->w[1]);
		s->service.exec_path = keep(r, r->w[2]);
		s->service.args = initrc_join(r, 3);
		s->service.line = r->place.line;
		s->trigger = gh_str_fmt(r->ctx->arena, "service %.*s", (int)s->service.name.n,
			s->service.name.p ? s->service.name.p : "");
	} else {
		s->kind = ACTION;
		s->trigger = initrc_join(r, 1);
	}
}

static bool begins_section(const struct initrc *r)
{
	return gh_str_is(r->w[0], "service") || gh_str_is(r->w[0], "on");
}

static enum gh_code init_run(struct initrc *r, struct gh_err *err)
{
	struct section s = {.kind = NONE};
	struct gh_arena *arena = r->ctx->arena;
	struct gh_mark mark = gh_arena_mark(arena);
	s.last = &s.first;
	enum gh_code code;
	while (!(code = initrc_next(r, err))) {
		if (begins_section(r)) {
			section_end(r, &s);
			gh_arena_release(arena, mark);
			section_begin(r, &s);
		} else if (gh_str_is(r->w[0], "import")) {
			GH_EMIT(r->ctx, init_actions, r->place.at, .trigger = GH_STR("import"), .cmd = GH_STR("import"),
				.args = initrc_join(r, 1), .line = r->place.line);
		} else if (s.kind == SERVICE) {
			service_option(r, &s);
		} else if (s.kind == ACTION) {
			struct gh_mark line = gh_arena_mark(arena);
			command(r, s.trigger, 0);
			gh_arena_release(arena, line);
		}
	}
	section_end(r, &s);
	return code == GH_END ? GH_OK : code;
}

static enum gh_code initrc_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct initrc *r = gh_alloc(ctx->arena, sizeof *r);
	if (!r)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a script");
	enum gh_code code = initrc_begin(ctx, blob, r, err);
	if (code)
		return code;
	return gh_str_starts(blob->name, "ueventd") ? ueventd_run(r, err) : init_run(r, err);
}

const struct gh_inspector gh_inspector_initrc = {
	.name = "initrc",
	.title = "init scripts and device nodes",
	.version = 1,
	.wants = initrc_wants,
	.run = initrc_run,
};
