/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of heart rate as text (RFC 4180, also with semicolons or tabs). There is no standard of their columns: they are guessed by their names, and
 * what was guessed is told. Each column of heart rate is a recording. */
#include <ctype.h>
#include <math.h>

#include "base/lines.h"
#include "base/num.h"
#include "inspectors/recording/reader.h"

enum {
	COLUMNS = 64, /* looked at in a line */
	RATES = 4, /* columns of heart rate */
	PREAMBLE = 10, /* lines in front of the header */
	NAME_MAX_CSV = 48,
};

enum kind { K_NONE, K_TIME, K_RATE, K_CADENCE, K_SPEED, K_KMH, K_DISTANCE, K_RR, K_CONTACT };

struct csv {
	char comma;
	unsigned n;
	enum kind kind[COLUMNS];
	struct gh_str name[COLUMNS];
	unsigned rates, time;
	bool has_time;
	struct gh_recording rec[RATES];
	unsigned column[RATES]; /* of rec */
	int64_t bad_times;
};

/* ---- the header ---- */

/* Letters and digits only, in lower case. */
static struct gh_str squeeze(struct gh_str s, char out[NAME_MAX_CSV])
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n < NAME_MAX_CSV; i++)
		if (isalnum((unsigned char)s.p[i]))
			out[n++] = (char)tolower((unsigned char)s.p[i]);
	return gh_strn(out, n);
}

static enum kind kind_of(struct gh_str name)
{
	static const struct {
		const char *name;
		enum kind kind;
	} known[] = {{"time", K_TIME}, {"timestamp", K_TIME}, {"datetime", K_TIME}, {"date", K_TIME}, {"secs", K_TIME},
		{"seconds", K_TIME}, {"elapsedtime", K_TIME}, {"elapsed", K_TIME}, {"times", K_TIME},
		{"timems", K_TIME}, {"timesec", K_TIME}, {"unixtime", K_TIME}, {"hr", K_RATE}, {"bpm", K_RATE},
		{"hrm", K_RATE}, {"hrmb", K_RATE}, {"bthrm", K_RATE}, {"hrbpm", K_RATE}, {"heartrate", K_RATE},
		{"heartratebpm", K_RATE}, {"heart", K_RATE}, {"pulse", K_RATE}, {"rate", K_RATE}, {"blehr", K_RATE},
		{"blebpm", K_RATE}, {"heartratebeatsmin", K_RATE}, {"cadence", K_CADENCE}, {"cad", K_CADENCE},
		{"cadencerpm", K_CADENCE}, {"cadencespm", K_CADENCE}, {"cadencestepsmin", K_CADENCE},
		{"speed", K_SPEED}, {"speedms", K_SPEED}, {"speedkmh", K_KMH}, {"kph", K_KMH}, {"distance", K_DISTANCE},
		{"distancem", K_DISTANCE}, {"distances", K_DISTANCE}, {"rr", K_RR}, {"rrms", K_RR},
		{"rrinterval", K_RR}, {"rrintervalms", K_RR}, {"ibi", K_RR}, {"ibims", K_RR}, {"contact", K_CONTACT}};
	char buf[NAME_MAX_CSV];
	struct gh_str s = squeeze(name, buf);
	for (size_t i = 0; i < GH_COUNT(known); i++)
		if (gh_str_is(s, known[i].name))
			return known[i].kind;
	return K_NONE;
}

/* The next field of a line, without its quotes. */
static bool field(struct gh_str *rest, char comma, struct gh_str *ret)
{
	if (!rest->p)
		return false;
	const char *end;
	if (rest->n && *rest->p == '"' && (end = memchr(rest->p + 1, '"', rest->n - 1))) {
		*ret = gh_strn(rest->p + 1, (size_t)(end - rest->p) - 1);
		*rest = gh_strn(end + 1, rest->n - ret->n - 2);
		end = memchr(rest->p, comma, rest->n);
	} else {
		end = memchr(rest->p, comma, rest->n);
		*ret = gh_str_trim(gh_strn(rest->p, end ? (size_t)(end - rest->p) : rest->n));
	}
	*rest = end ? gh_strn(end + 1, rest->n - (size_t)(end - rest->p) - 1) : GH_NONE;
	return true;
}

static bool header(struct csv *c, struct gh_str line)
{
	static const char commas[] = {',', ';', '\t'};
	for (size_t k = 0; k < sizeof commas; k++) {
		struct gh_str rest = line, s;
		*c = (struct csv){.comma = commas[k]};
		while (c->n < COLUMNS && field(&rest, c->comma, &s)) {
			enum kind kind = kind_of(s);
			if (kind == K_TIME && c->has_time)
				kind = K_NONE;
			if (kind == K_TIME) {
				c->time = c->n;
				c->has_time = true;
			}
			c->rates += kind == K_RATE;
			c->name[c->n] = s;
			c->kind[c->n++] = kind;
		}
		if (c->has_time && c->rates)
			return true;
	}
	return false;
}

/* The header is among the first lines; l is left behind it. */
static bool find_header(struct csv *c, struct gh_lines *l)
{
	for (unsigned i = 0; i < PREAMBLE && gh_lines_next(l); i++)
		if (header(c, l->line))
			return true;
	return false;
}

bool gh_csv_is(const struct gh_probe *probe)
{
	struct csv c;
	if (!gh_str_ends(probe->name, ".csv") && !gh_str_ends(probe->name, ".tsv") && !gh_str_ends(probe->name, ".CSV"))
		return false;
	struct gh_lines l = gh_lines(probe->head, probe->head_len);
	return find_header(&c, &l);
}

/* ---- rows ---- */

/* Hours, minutes and seconds since the beginning. */
static bool clock_time(struct gh_str s, int64_t *ret)
{
	double v[3] = {0, 0, 0};
	unsigned n = 0;
	while (n < 3 && s.p) {
		struct gh_str part;
		if (!field(&s, ':', &part) || !gh_decimal(part, &v[n++]))
			return false;
	}
	if (n < 2 || s.p || v[0] < 0 || v[0] > 1000)
		return false;
	*ret = llround(n == 3 ? ((v[0] * 60 + v[1]) * 60 + v[2]) * 1000 : (v[0] * 60 + v[1]) * 1000);
	return true;
}

struct values {
	struct gh_row_samples s;
	int64_t rate[COLUMNS];
	int64_t rr;
	bool timed;
};

static void take(struct csv *c, unsigned i, struct gh_str s, struct values *v)
{
	double d;
	if (c->kind[i] == K_TIME) {
		v->timed = i == c->time && (gh_time_read(s, &v->s.t) || clock_time(s, &v->s.t));
		return;
	}
	if (c->kind[i] == K_NONE || !gh_decimal(s, &d) || d < 0 || d > 1e9)
		return;
	switch (c->kind[i]) {
	case K_RATE:
		v->rate[i] = gh_rate(d);
		break;
	case K_CADENCE:
		v->s.cadence = lround(d);
		break;
	case K_SPEED:
		v->s.speed = llround(d * 1000);
		break;
	case K_KMH:
		v->s.speed = llround(d * 1000 / 3.6);
		break;
	case K_DISTANCE:
		v->s.distance = llround(d * 1000);
		break;
	case K_RR:
		v->rr = llround(d);
		break;
	case K_CONTACT:
		v->s.contact = d > 0;
		break;
	default:
		break;
	}
}

static enum gh_code row(struct csv *c, struct gh_lines *l, struct gh_err *err)
{
	struct values v = {
		.s = {.hr = GH_NULL, .cadence = GH_NULL, .speed = GH_NULL, .distance = GH_NULL, .contact = GH_NULL},
		.rr = GH_NULL};
	struct gh_str rest = l->line, s;
	for (unsigned i = 0; i < COLUMNS; i++)
		v.rate[i] = GH_NULL;
	for (unsigned i = 0; i < c->n && field(&rest, c->comma, &s); i++)
		take(c, i, s, &v);
	if (!v.timed) {
		c->bad_times += l->line.n > 0;
		return GH_OK;
	}
	enum gh_code code = GH_OK;
	for (unsigned k = 0; k < c->rates && code == GH_OK; k++) {
		struct gh_recording *r = &c->rec[k];
		v.s.hr = v.rate[c->column[k]];
		r->row.messages++;
		/* Ten years from 1970: no date, but seconds since something. */
		if (v.s.t < 315360000000ll)
			r->row.clock = 0;
		code = gh_sample(r, l->at, v.s, err);
		if (code == GH_OK && !k && v.rr > 0 && v.rr < 10000)
			code = gh_beat(r, l->at, v.s.t, v.rr, err);
	}
	return code;
}

static void begin(struct csv *c, struct gh_ctx *ctx, int64_t *total)
{
	struct gh_str t = c->name[c->time];
	unsigned k = 0;
	for (unsigned i = 0; i < c->n && k < RATES; i++) {
		if (c->kind[i] != K_RATE)
			continue;
		c->rec[k] = gh_recording(ctx, "csv", k, 0, total);
		c->rec[k].row.source = gh_str_fmt(ctx->arena, "column %.*s, time from column %.*s",
			(int)gh_min(c->name[i].n, 80), c->name[i].p, (int)gh_min(t.n, 80), t.p);
		c->column[k++] = i;
	}
	c->rates = k;
}

enum gh_code gh_csv_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct csv c;
	int64_t total = 0;
	struct gh_lines l = gh_lines(blob->data, (size_t)blob->size);
	if (!find_header(&c, &l))
		return gh_fail(err, GH_BAD, 0, "no line names a column of time and one of heart rate");
	begin(&c, ctx, &total);
	enum gh_code code = GH_OK;
	while (code == GH_OK && gh_lines_next(&l)) {
		code = gh_spend_steps(ctx->budget, 1, l.at, err);
		if (code == GH_OK)
			code = row(&c, &l, err);
	}
	if (c.bad_times)
		gh_note(ctx, GH_BAD, 0, "CSV: %lld lines without a time that can be read", (long long)c.bad_times);
	for (unsigned k = 0; k < c.rates; k++)
		gh_recording_end(&c.rec[k]);
	return code;
}
