/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of the hardware abstraction layer (source.android.com, "VINTF object", manifest schema): which interfaces a vendor's or the
 * system's software offers. Text XML by expat. */
#include <expat.h>

#include "base/num.h"
#include "tree/plugin.h"

enum {
	SIZE_MAX_XML = 4 << 20, /* real ones have 60 KiB */
	DEPTH_MAX = 32,
	TEXT_MAX = 1024, /* of all versions or instances of one interface */
};

struct text {
	char p[TEXT_MAX];
	size_t n;
};

struct state {
	struct gh_ctx *ctx;
	XML_Parser parser;
	unsigned depth;
	struct gh_str type; /* of the manifest: device framework */
	struct gh_row_vintf_hals row;
	uint64_t at;
	int64_t line;
	bool in_hal;
	struct text name, transport, version, instances, interface;
	struct text *to; /* where characters go */
	enum gh_code code;
	const char *why;
};

static bool vintf_wants(const struct gh_probe *p)
{
	return gh_str_ends(p->name, ".xml") && p->head_len && memmem(p->head, p->head_len, "<manifest", 9) &&
	       memmem(p->head, p->head_len, "<hal", 4);
}

static void stop(struct state *s, enum gh_code code, const char *why)
{
	s->code = code;
	s->why = why;
	XML_StopParser(s->parser, XML_FALSE);
}

static void add(struct text *t, const char *p, size_t n)
{
	n = gh_min(n, TEXT_MAX - t->n);
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static const char *attr(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return NULL;
}

static void hal_begin(struct state *s, const char **atts)
{
	const char *format = attr(atts, "format");
	s->row = (struct gh_row_vintf_hals){
		.type = s->type, .format = gh_str_dup(s->ctx->arena, gh_str(format ? format : "hidl"))};
	s->at = (uint64_t)XML_GetCurrentByteIndex(s->parser);
	s->line = (int64_t)XML_GetCurrentLineNumber(s->parser);
	s->name.n = s->transport.n = s->version.n = s->instances.n = 0;
	s->in_hal = true;
}

/* Several values of one kind are joined by blanks; an instance is interface/name. */
static void into(struct state *s, struct text *t, bool list)
{
	if (list && t->n)
		add(t, " ", 1);
	s->to = t;
}

static void XMLCALL on_start(void *user, const char *tag, const char **atts)
{
	struct state *s = user;
	struct gh_err err;
	if (++s->depth > DEPTH_MAX) {
		stop(s, GH_LIMIT, "elements nested more than 32 deep");
		return;
	}
	if (gh_spend_steps(s->ctx->budget, 1, 0, &err)) {
		stop(s, GH_LIMIT, "more work than the budget of its size allows");
		return;
	}
	s->to = NULL;
	if (s->depth == 1) {
		const char *type = attr(atts, "type");
		s->type = type ? gh_str_dup(s->ctx->arena, gh_str(type)) : GH_NONE;
	} else if (s->depth == 2 && strcmp(tag, "hal") == 0) {
		hal_begin(s, atts);
	} else if (s->in_hal && s->depth == 3) {
		if (strcmp(tag, "name") == 0)
			into(s, &s->name, false);
		else if (strcmp(tag, "transport") == 0)
			into(s, &s->transport, false);
		else if (strcmp(tag, "version") == 0)
			into(s, &s->version, true);
		else if (strcmp(tag, "fqname") == 0)
			into(s, &s->instances, true);
		else if (strcmp(tag, "interface") == 0)
			s->interface.n = 0;
	} else if (s->in_hal && s->depth == 4) {
		if (strcmp(tag, "name") == 0) {
			into(s, &s->interface, false);
		} else if (strcmp(tag, "instance") == 0) {
			into(s, &s->instances, true);
			add(&s->instances, s->interface.p, s->interface.n);
			add(&s->instances, "/", 1);
		}
	}
}

static void XMLCALL on_text(void *user, const char *p, int n)
{
	struct state *s = user;
	if (!s->to)
		return;
	struct gh_str t = gh_str_trim(gh_strn(p, (size_t)n));
	add(s->to, t.p, t.n);
}

static struct gh_str cell(struct state *s, const struct text *t)
{
	return t->n ? gh_str_dup(s->ctx->arena, gh_strn(t->p, t->n)) : GH_NONE;
}

static void XMLCALL on_end(void *user, const char *tag)
{
	struct state *s = user;
	(void)tag;
	s->to = NULL;
	s->depth--;
	if (s->depth != 1 || !s->in_hal)
		return;
	s->in_hal = false;
	s->row.name = cell(s, &s->name);
	s->row.transport = cell(s, &s->transport);
	s->row.version = cell(s, &s->version);
	s->row.instances = cell(s, &s->instances);
	s->row.line = s->line;
	s->ctx->ops->emit(s->ctx, GH_T_vintf_hals, s->at, &s->row);
}

/* Entities are what hostile XML grows by; no manifest needs a document type. */
static void XMLCALL on_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	stop(user, GH_UNSUP, "a document type with entities is not read");
}

static enum gh_code vintf_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data || blob->size > SIZE_MAX_XML)
		return gh_fail(err, GH_LIMIT, 0, "too large for a manifest");
	struct state *s = gh_alloc(ctx->arena, sizeof *s);
	if (!s)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a manifest");
	s->ctx = ctx;
	s->parser = XML_ParserCreate(NULL);
	if (!s->parser)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an XML parser");
	XML_SetUserData(s->parser, s);
	XML_SetHashSalt(
		s->parser, 0x67696674); /* a fixed one: no system call for randomness, the same work each time */
	XML_SetElementHandler(s->parser, on_start, on_end);
	XML_SetCharacterDataHandler(s->parser, on_text);
	XML_SetStartDoctypeDeclHandler(s->parser, on_doctype);
	enum gh_code code = GH_OK;
	if (XML_Parse(s->parser, (const char *)blob->data, (int)blob->size, XML_TRUE) != XML_STATUS_OK) {
		uint64_t at = (uint64_t)XML_GetCurrentByteIndex(s->parser);
		code = gh_fail(err, s->code ? s->code : GH_BAD, gh_min(at, blob->size), "XML: %s",
			s->code ? s->why : XML_ErrorString(XML_GetErrorCode(s->parser)));
	}
	XML_ParserFree(s->parser);
	return code;
}

const struct gh_inspector gh_inspector_vintf = {.name = "vintf",
	.title = "manifests of hardware interfaces",
	.version = 1,
	.wants = vintf_wants,
	.run = vintf_run};
