/* SPDX-License-Identifier: Apache-2.0 */
/* flashfile.xml, Motorola's list of what a firmware package flashes, in order (no public specification): <step> elements whose
 * attribute "filename" is a file of the package. Text XML by expat. */
#include <expat.h>

#include "base/num.h"
#include "inspectors/listing/listing.h"

enum {
	FLASHFILE_MAX = 8 << 20, /* a package of 49 pieces has a list of 9 KiB */
	FLASHFILE_DEPTH = 32, /* real ones nest three deep */
};

struct flashfile {
	struct gh_ctx *ctx;
	XML_Parser parser;
	unsigned depth;
	enum gh_code code;
	const char *why;
};

static void flashfile_stop(struct flashfile *f, enum gh_code code, const char *why)
{
	f->code = code;
	f->why = why;
	XML_StopParser(f->parser, XML_FALSE);
}

static const char *attribute(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return NULL;
}

/* A digest that the element states of a file, as lower-case hexadecimal; what is none is noted. */
static void flashfile_sum(struct flashfile *f, struct gh_str path, const char **atts, const char *name, size_t digits)
{
	const char *stated = attribute(atts, name), *partition = attribute(atts, "partition");
	uint64_t at = (uint64_t)XML_GetCurrentByteIndex(f->parser);
	struct gh_str value = stated ? gh_str_dup(f->ctx->arena, gh_str(stated)) : GH_NONE;
	if (!value.p || !value.n)
		return;
	char *p = (char *)value.p;
	bool hex = value.n == digits;
	for (size_t i = 0; i < value.n; i++) {
		p[i] = p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] + ('a' - 'A')) : p[i];
		hex &= (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f');
	}
	if (!hex) {
		gh_note(f->ctx, GH_BAD, at, "%s is not of %zu hexadecimal digits", name, digits);
		return;
	}
	GH_EMIT(f->ctx, listing_sums, at, .path = path, .algorithm = gh_str(digits == 32 ? "md5" : "sha1"),
		.value = value, .partition = gh_str_dup(f->ctx->arena, gh_str(partition)),
		.line = (int64_t)XML_GetCurrentLineNumber(f->parser));
}

static void flashfile_sums(struct flashfile *f, struct gh_str path, const char **atts)
{
	flashfile_sum(f, path, atts, "MD5", 32);
	flashfile_sum(f, path, atts, "SHA1", 40);
}

static void flashfile_file(struct flashfile *f, const char *name, const char **atts)
{
	if (!name || !*name)
		return;
	struct gh_str path = gh_str_dup(f->ctx->arena, gh_str(name));
	GH_EMIT(f->ctx, listing, (uint64_t)XML_GetCurrentByteIndex(f->parser), .path = path, .size = GH_NULL,
		.line = (int64_t)XML_GetCurrentLineNumber(f->parser));
	flashfile_sums(f, path, atts);
}

static void XMLCALL flashfile_start(void *user, const char *name, const char **atts)
{
	struct flashfile *f = user;
	struct gh_err err;
	if (++f->depth > FLASHFILE_DEPTH)
		flashfile_stop(f, GH_LIMIT, "elements nested more than 32 deep");
	else if (gh_spend_steps(f->ctx->budget, 1, 0, &err))
		flashfile_stop(f, GH_LIMIT, "more work than the budget of its size allows");
	else if (strcmp(name, "step") == 0)
		flashfile_file(f, attribute(atts, "filename"), atts);
	else if (attribute(atts, "name"))
		flashfile_sums(f, gh_str_dup(f->ctx->arena, gh_str(attribute(atts, "name"))), atts);
}

static void XMLCALL flashfile_end(void *user, const char *name)
{
	struct flashfile *f = user;
	(void)name;
	f->depth--;
}

/* Entities are what hostile XML grows by; no list of images needs a document type. */
static void XMLCALL flashfile_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	flashfile_stop(user, GH_UNSUP, "a document type with entities is not read");
}

enum gh_code gh_flashfile(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (blob->size > FLASHFILE_MAX)
		return gh_fail(err, GH_LIMIT, 0, "too large for a list of images");
	struct flashfile f = {.ctx = ctx, .parser = XML_ParserCreate(NULL)};
	if (!f.parser)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an XML parser");
	XML_SetUserData(f.parser, &f);
	XML_SetHashSalt(f.parser, 0x67696674); /* a fixed one: no system call for randomness, the same work each time */
	XML_SetElementHandler(f.parser, flashfile_start, flashfile_end);
	XML_SetStartDoctypeDeclHandler(f.parser, flashfile_doctype);
	enum gh_code code = GH_OK;
	if (XML_Parse(f.parser, (const char *)blob->data, (int)blob->size, XML_TRUE) != XML_STATUS_OK) {
		uint64_t at = (uint64_t)XML_GetCurrentByteIndex(f.parser);
		code = gh_fail(err, f.code ? f.code : GH_BAD, gh_min(at, blob->size), "XML: %s",
			f.code ? f.why : XML_ErrorString(XML_GetErrorCode(f.parser)));
	}
	XML_ParserFree(f.parser);
	return code;
}
