/* SPDX-License-Identifier: Apache-2.0 */
/* Permission lists of the system: privapp-permissions, default-permissions, and the other entries of /etc/permissions and
 * /etc/sysconfig (frameworks/base, SystemConfig.java and DefaultPermissionGrantPolicy.java). Text XML by expat. */
#include <expat.h>

#include "base/num.h"
#include "tree/plugin.h"

enum {
	SIZE_MAX_XML = 8 << 20, /* the largest real list has 200 KiB */
	DEPTH_MAX = 32, /* real ones nest three deep */
	ATTR_TEXT = 1024,
};

struct state {
	struct gh_ctx *ctx;
	XML_Parser parser;
	const struct gh_blob *blob;
	unsigned depth;
	unsigned lone; /* 1: no root element around the lists */
	struct gh_str holder; /* element at depth 2: privapp-permissions, exception, or another */
	struct gh_str package; /* of the holder */
	enum gh_code code;
	const char *why;
};

static bool permissions_wants(const struct gh_probe *probe)
{
	if (!gh_str_ends(probe->name, ".xml"))
		return false;
	if (probe->head_len >= 4 && memcmp(probe->head, "ABX", 3) == 0)
		return gh_str_starts(probe->name, "privapp") || gh_str_starts(probe->name, "default-permissions");
	static const char *const roots[] = {"<permissions", "<exceptions", "<config>", "<privapp-permissions"};
	for (size_t i = 0; i < GH_COUNT(roots); i++)
		if (probe->head_len && memmem(probe->head, probe->head_len, roots[i], strlen(roots[i])))
			return true;
	return false;
}

static struct gh_str attr(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return gh_str(atts[1]);
	return GH_NONE;
}

static void stop(struct state *s, enum gh_code code, const char *why)
{
	s->code = code;
	s->why = why;
	XML_StopParser(s->parser, XML_FALSE);
}

/* The attributes but the package, as key=value separated by blanks. */
static struct gh_str attr_text(struct state *s, const char **atts)
{
	char *buf = gh_alloc(s->ctx->arena, ATTR_TEXT);
	size_t n = 0;
	for (; buf && *atts; atts += 2) {
		size_t need = strlen(atts[0]) + strlen(atts[1]) + 2;
		if (strcmp(atts[0], "package") == 0 || need > ATTR_TEXT - n)
			continue;
		if (n)
			buf[n++] = ' ';
		struct gh_str parts[] = {gh_str(atts[0]), GH_STR("="), gh_str(atts[1])};
		for (size_t i = 0; i < GH_COUNT(parts); i++) {
			memcpy(buf + n, parts[i].p, parts[i].n);
			n += parts[i].n;
		}
	}
	return n ? gh_strn(buf, n) : GH_NONE;
}

static void holder(struct state *s, struct gh_str tag, const char **atts)
{
	s->holder = gh_str_dup(s->ctx->arena, tag);
	s->package = gh_str_dup(s->ctx->arena, attr(atts, "package"));
	if (gh_str_is(tag, "privapp-permissions") || gh_str_is(tag, "exception"))
		return;
	GH_EMIT(s->ctx, sysconfig, (uint64_t)XML_GetCurrentByteIndex(s->parser), .tag = s->holder,
		.package = s->package, .attr = attr_text(s, atts),
		.line = (int64_t)XML_GetCurrentLineNumber(s->parser));
}

static void item(struct state *s, struct gh_str tag, const char **atts)
{
	uint64_t at = (uint64_t)XML_GetCurrentByteIndex(s->parser);
	int64_t line = (int64_t)XML_GetCurrentLineNumber(s->parser);
	struct gh_str name = attr(atts, "name");
	bool deny = gh_str_is(tag, "deny-permission");
	if (!gh_str_is(tag, "permission") && !deny)
		return;
	if (gh_str_is(s->holder, "privapp-permissions"))
		GH_EMIT(s->ctx, privapp, at, .package = s->package, .permission = name, .deny = deny, .line = line);
	else if (gh_str_is(s->holder, "exception"))
		GH_EMIT(s->ctx, default_perms, at, .package = s->package, .permission = name,
			.fixed = gh_str_is(attr(atts, "fixed"), "true"), .line = line);
}

static void XMLCALL on_start(void *user, const char *name, const char **atts)
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
	/* The package's element may stand alone, without the usual root. */
	if (s->depth == 1)
		s->lone = strcmp(name, "privapp-permissions") == 0;
	unsigned level = s->depth + s->lone;
	if (level == 2)
		holder(s, gh_str(name), atts);
	else if (level == 3)
		item(s, gh_str(name), atts);
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct state *s = user;
	(void)name;
	s->depth--;
}

/* Entities are what hostile XML grows by; no list of permissions needs a document type. */
static void XMLCALL on_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	stop(user, GH_UNSUP, "a document type with entities is not read");
}

static enum gh_code permissions_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data || blob->size > SIZE_MAX_XML)
		return gh_fail(err, GH_LIMIT, 0, "too large for a permission list");
	if (blob->size >= 4 && memcmp(blob->data, "ABX", 3) == 0)
		return gh_fail(err, GH_UNSUP, 0, "binary XML (ABX) is not read");
	struct state s = {.ctx = ctx, .blob = blob, .parser = XML_ParserCreate(NULL)};
	if (!s.parser)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an XML parser");
	XML_SetUserData(s.parser, &s);
	XML_SetHashSalt(s.parser, 0x67696674); /* a fixed one: no system call for randomness, the same work each time */
	XML_SetElementHandler(s.parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(s.parser, on_doctype);
	enum gh_code code = GH_OK;
	if (XML_Parse(s.parser, (const char *)blob->data, (int)blob->size, XML_TRUE) != XML_STATUS_OK) {
		uint64_t at = (uint64_t)XML_GetCurrentByteIndex(s.parser);
		code = gh_fail(err, s.code ? s.code : GH_BAD, gh_min(at, blob->size), "XML: %s",
			s.code ? s.why : XML_ErrorString(XML_GetErrorCode(s.parser)));
	}
	XML_ParserFree(s.parser);
	return code;
}

const struct gh_inspector gh_inspector_permissions = {.name = "permissions",
	.title = "permission lists",
	.version = 1,
	.wants = permissions_wants,
	.run = permissions_run};
