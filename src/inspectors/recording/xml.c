/* SPDX-License-Identifier: Apache-2.0 */
/* TCX (Training Center Database, version 2) and GPX 1.1 with heart rate in its extensions, by expat. Elements are known by their local names, so
 * that any prefix and any vendor's extension is read. */
#include <expat.h>
#include <math.h>

#include "base/num.h"
#include "inspectors/recording/reader.h"

enum {
	DEPTH_MAX = 64, /* real ones nest twelve deep */
	TEXT_MAX = 64, /* of a number or a time */
};

struct xml {
	struct gh_recording rec;
	XML_Parser parser;
	struct gh_err *err;
	enum gh_code code;
	bool tcx, in_point, in_rate;
	unsigned depth;
	uint64_t at; /* of the point */
	struct gh_row_samples point;
	bool timed;
	char text[TEXT_MAX];
	size_t n;
};

bool gh_xml_is(const struct gh_probe *probe)
{
	size_t n = gh_min(probe->head_len, 4096);
	return n > 0 && (memmem(probe->head, n, "<TrainingCenterDatabase", 23) || memmem(probe->head, n, "<gpx", 4));
}

static void stop(struct xml *x, enum gh_code code, const char *why)
{
	x->code = gh_fail(x->err, code, (uint64_t)XML_GetCurrentByteIndex(x->parser), "%s", why);
	XML_StopParser(x->parser, XML_FALSE);
}

static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *user, const char *full, const char **atts)
{
	struct xml *x = user;
	const char *name = local(full);
	if (++x->depth > DEPTH_MAX) {
		stop(x, GH_LIMIT, "elements nested more than 64 deep");
		return;
	}
	if ((x->code = gh_spend_steps(x->rec.ctx->budget, 1, x->at, x->err))) {
		XML_StopParser(x->parser, XML_FALSE);
		return;
	}
	x->n = 0;
	if (strcmp(name, x->tcx ? "Trackpoint" : "trkpt") == 0) {
		x->in_point = true;
		x->timed = false;
		x->at = (uint64_t)XML_GetCurrentByteIndex(x->parser);
		x->point = (struct gh_row_samples){
			.hr = GH_NULL, .cadence = GH_NULL, .speed = GH_NULL, .distance = GH_NULL, .contact = GH_NULL};
	}
	if (x->tcx && strcmp(name, "HeartRateBpm") == 0)
		x->in_rate = true;
	for (; x->tcx && strcmp(name, "Activity") == 0 && *atts; atts += 2)
		if (strcmp(atts[0], "Sport") == 0)
			x->rec.row.sport = gh_str(strcmp(atts[1], "Running") == 0  ? "running"
						  : strcmp(atts[1], "Biking") == 0 ? "cycling"
										   : "other");
}

static void XMLCALL on_text(void *user, const char *p, int n)
{
	struct xml *x = user;
	size_t fit = gh_min((uint64_t)n, TEXT_MAX - x->n);
	if (x->in_point || x->depth < 8) {
		memcpy(x->text + x->n, p, fit);
		x->n += fit;
	}
}

/* Thousandths of a value that can be kept; else NULL. */
static int64_t milli(double v)
{
	return v >= 0 && v < 1e12 ? llround(v * 1000) : GH_NULL;
}

static void take(struct xml *x, const char *name, struct gh_str s)
{
	double v;
	int64_t t;
	if (strcmp(name, "Time") == 0 || strcmp(name, "time") == 0) {
		x->timed = gh_time_read(s, &t);
		if (x->timed)
			x->point.t = t;
		else
			gh_note(x->rec.ctx, GH_BAD, x->at, "XML: a point whose time cannot be read");
	}
	if (!gh_decimal(s, &v))
		return;
	if ((x->in_rate && strcmp(name, "Value") == 0) || strcmp(name, "hr") == 0 || strcmp(name, "heartrate") == 0)
		x->point.hr = gh_rate(v);
	else if ((strcmp(name, "Cadence") == 0 || strcmp(name, "RunCadence") == 0 || strcmp(name, "cad") == 0 ||
			 strcmp(name, "cadence") == 0) &&
		 v >= 0 && v < 1000)
		x->point.cadence = lround(v);
	else if (strcmp(name, "DistanceMeters") == 0 || strcmp(name, "distance") == 0)
		x->point.distance = milli(v);
	else if (strcmp(name, "Speed") == 0 || strcmp(name, "speed") == 0)
		x->point.speed = milli(v);
}

static void XMLCALL on_end(void *user, const char *full)
{
	struct xml *x = user;
	const char *name = local(full);
	struct gh_str s = gh_str_trim(gh_strn(x->text, x->n));
	x->depth--;
	if (x->in_point)
		take(x, name, s);
	else if (!x->tcx && strcmp(name, "type") == 0 && s.n)
		x->rec.row.sport = gh_str(memmem(s.p, s.n, "run", 3)                                  ? "running"
					  : memmem(s.p, s.n, "cycl", 4) || memmem(s.p, s.n, "bik", 3) ? "cycling"
												      : "other");
	x->n = 0;
	if (strcmp(name, "HeartRateBpm") == 0)
		x->in_rate = false;
	if (!x->in_point || strcmp(name, x->tcx ? "Trackpoint" : "trkpt") != 0)
		return;
	x->in_point = false;
	if (!x->timed)
		return;
	x->rec.row.messages++;
	if ((x->code = gh_sample(&x->rec, x->at, x->point, x->err)))
		XML_StopParser(x->parser, XML_FALSE);
}

/* Entities are what hostile XML grows by; no recording needs a document type. */
static void XMLCALL on_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	stop(user, GH_UNSUP, "a document type with entities is not read");
}

static enum gh_code parse(struct xml *x, const struct gh_blob *blob)
{
	XML_SetUserData(x->parser, x);
	XML_SetHashSalt(x->parser, 0x67696674); /* a fixed one: the same work each time */
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	if (XML_Parse(x->parser, (const char *)blob->data, (int)blob->size, XML_TRUE) == XML_STATUS_OK)
		return GH_OK;
	if (x->code)
		return x->code;
	enum XML_Error why = XML_GetErrorCode(x->parser);
	uint64_t at = gh_min((uint64_t)XML_GetCurrentByteIndex(x->parser), blob->size);
	bool ended = why == XML_ERROR_NO_ELEMENTS || why == XML_ERROR_UNCLOSED_TOKEN || at == blob->size;
	x->rec.row.state = ended ? GH_STR("short") : GH_STR("damaged");
	x->rec.row.missing = ended ? GH_NULL : 0;
	gh_note(x->rec.ctx, ended ? GH_SHORT : GH_BAD, at, "XML: %s", XML_ErrorString(why));
	return GH_OK;
}

enum gh_code gh_xml_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	int64_t total = 0;
	size_t n = (size_t)gh_min(blob->size, 4096);
	bool tcx = memmem(blob->data, n, "<TrainingCenterDatabase", 23);
	struct xml x = {.rec = gh_recording(ctx, tcx ? "tcx" : "gpx", 0, 0, &total),
		.parser = XML_ParserCreate(NULL),
		.err = err,
		.tcx = tcx};
	if (!x.parser)
		return gh_fail(err, GH_NOMEM, 0, "no memory for an XML parser");
	enum gh_code code = parse(&x, blob);
	XML_ParserFree(x.parser);
	gh_recording_end(&x.rec);
	return code;
}
