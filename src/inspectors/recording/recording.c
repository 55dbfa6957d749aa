/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of a body: FIT, TCX, GPX, CSV, Gadgetbridge's SQLite export, Bluetooth logs. Positions and names in them are not read at all. */
#include <math.h>

#include "base/num.h"
#include "inspectors/recording/reader.h"

static const struct {
	bool (*is)(const struct gh_probe *probe);
	enum gh_code (*read)(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err);
} readers[] = {
	{gh_fit_is, gh_fit_read},
	{gh_xml_is, gh_xml_read},
	{gh_csv_is, gh_csv_read},
	{gh_gadget_is, gh_gadget_read},
	{gh_btsnoop_is, gh_btsnoop_read},
	{gh_packets_is, gh_packets_read},
};

struct gh_recording gh_recording(struct gh_ctx *ctx, const char *format, int64_t part, uint64_t at, int64_t *total)
{
	return (struct gh_recording){.ctx = ctx,
		.at = at,
		.total = total,
		.row = {.part = part, .format = gh_str(format), .state = GH_STR("complete"), .missing = 0, .clock = 1}};
}

static enum gh_code one_more(struct gh_recording *r, uint64_t at, struct gh_err *err)
{
	if (++*r->total > GH_SAMPLES_MAX)
		return gh_fail(err, GH_LIMIT, at, "more than %d samples", GH_SAMPLES_MAX);
	return gh_spend_steps(r->ctx->budget, 1, at, err);
}

enum gh_code gh_sample(struct gh_recording *r, uint64_t at, struct gh_row_samples s, struct gh_err *err)
{
	enum gh_code code = one_more(r, at, err);
	if (code)
		return code;
	s.part = r->row.part;
	r->ctx->ops->emit(r->ctx, GH_T_samples, at, &s);
	r->row.samples++;
	return GH_OK;
}

enum gh_code gh_beat(struct gh_recording *r, uint64_t at, int64_t t, int64_t rr, struct gh_err *err)
{
	enum gh_code code = one_more(r, at, err);
	if (code == GH_OK)
		GH_EMIT(r->ctx, beats, at, .part = r->row.part, .t = t, .rr = rr);
	return code;
}

enum gh_code gh_event(struct gh_recording *r, uint64_t at, int64_t t, const char *kind, struct gh_err *err)
{
	enum gh_code code = one_more(r, at, err);
	if (code == GH_OK)
		GH_EMIT(r->ctx, recorder_events, at, .part = r->row.part, .t = t, .kind = gh_str(kind));
	return code;
}

void gh_recording_end(struct gh_recording *r)
{
	r->ctx->ops->emit(r->ctx, GH_T_recordings, r->at, &r->row);
}

int64_t gh_rate(double v)
{
	return v >= 25 && v <= 240 ? (int64_t)lround(v) : GH_NULL;
}

/* ---- numbers and times as text ---- */

static bool digits(struct gh_str *s, double *v, double *scale)
{
	size_t n = 0;
	for (; s->n && *s->p >= '0' && *s->p <= '9'; n++, s->p++, s->n--) {
		*v = *v * 10 + (*s->p - '0');
		*scale *= 10;
	}
	return n > 0 && n < 40;
}

bool gh_decimal(struct gh_str s, double *ret)
{
	double v = 0, whole = 1, part = 0, scale = 1, e = 0, sign = 1;
	s = gh_str_trim(s);
	if (s.n && (*s.p == '-' || *s.p == '+')) {
		sign = *s.p == '-' ? -1 : 1;
		s = gh_strn(s.p + 1, s.n - 1);
	}
	if (!digits(&s, &v, &whole))
		return false;
	if (s.n && *s.p == '.') {
		s = gh_strn(s.p + 1, s.n - 1);
		if (s.n && *s.p >= '0' && *s.p <= '9' && !digits(&s, &part, &scale))
			return false;
	}
	if (s.n > 1 && (*s.p == 'e' || *s.p == 'E')) {
		double one = 1, down = s.p[1] == '-' ? -1 : 1;
		size_t skip = s.p[1] == '-' || s.p[1] == '+' ? 2 : 1;
		s = gh_strn(s.p + skip, s.n - skip);
		if (!digits(&s, &e, &one) || e > 30)
			return false;
		e *= down;
	}
	*ret = sign * (v + part / scale) * pow(10, e);
	return s.n == 0;
}

/* Exactly n digits; false if there are not. */
static bool fixed(struct gh_str *s, unsigned n, int64_t *ret)
{
	*ret = 0;
	if (s->n < n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*ret = *ret * 10 + (s->p[i] - '0');
	}
	*s = gh_strn(s->p + n, s->n - n);
	return true;
}

static bool sign(struct gh_str *s, const char *any)
{
	if (!s->n || !strchr(any, *s->p) || !*s->p)
		return false;
	*s = gh_strn(s->p + 1, s->n - 1);
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
	int64_t shifted = m > 2 ? m - 3 : m + 9, year = m > 2 ? y : y - 1;
	int64_t era = year / 400, of_era = year % 400;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * shifted + 2) / 5 + d - 1 - 719468;
}

static bool zone(struct gh_str *s, int64_t *ret_minutes)
{
	int64_t h = 0, m = 0;
	*ret_minutes = 0;
	if (!s->n || sign(s, "Zz"))
		return s->n == 0;
	int64_t way = *s->p == '-' ? -1 : 1;
	if (!sign(s, "+-") || !fixed(s, 2, &h))
		return false;
	(void)sign(s, ":");
	if (s->n && !fixed(s, 2, &m))
		return false;
	*ret_minutes = way * (h * 60 + m);
	return s->n == 0 && h < 24 && m < 60;
}

bool gh_time_read(struct gh_str s, int64_t *ret)
{
	int64_t y, mo, d, h, mi, sec = 0, ms = 0, off;
	double v;
	s = gh_str_trim(s);
	if (gh_decimal(s, &v)) {
		/* 10^11: the year 5138 in seconds, 1973 in milliseconds. */
		v = fabs(v) > 1e11 ? v : v * 1000;
		*ret = fabs(v) < 1e15 ? (int64_t)llround(v) : 0;
		return fabs(v) < 1e15;
	}
	if (!fixed(&s, 4, &y) || !sign(&s, "-/") || !fixed(&s, 2, &mo) || !sign(&s, "-/") || !fixed(&s, 2, &d) ||
		!sign(&s, "T t") || !fixed(&s, 2, &h) || !sign(&s, ":") || !fixed(&s, 2, &mi))
		return false;
	if (sign(&s, ":") && !fixed(&s, 2, &sec))
		return false;
	if (sign(&s, ".,"))
		for (int64_t unit = 100; s.n && *s.p >= '0' && *s.p <= '9'; unit /= 10) {
			ms += (*s.p - '0') * unit;
			s = gh_strn(s.p + 1, s.n - 1);
		}
	if (!zone(&s, &off) || y < 1900 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 24 || mi > 59 || sec > 60)
		return false;
	*ret = (((days(y, mo, d) * 24 + h) * 60 + mi - off) * 60 + sec) * 1000 + ms;
	return true;
}

/* ---- the plug-in ---- */

static bool recording_wants(const struct gh_probe *probe)
{
	for (size_t i = 0; i < GH_COUNT(readers); i++)
		if (readers[i].is(probe))
			return true;
	return false;
}

static enum gh_code recording_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a recording");
	struct gh_probe probe = {.head = blob->data,
		.head_len = (size_t)gh_min(blob->size, GH_PROBE_HEAD),
		.tail = blob->data,
		.size = blob->size,
		.name = blob->name};
	for (size_t i = 0; i < GH_COUNT(readers); i++)
		if (readers[i].is(&probe))
			return readers[i].read(ctx, blob, err);
	return GH_OK;
}

const struct gh_inspector gh_inspector_recording = {.name = "recording",
	.title = "recordings of heart rate (FIT, TCX, GPX, CSV, Gadgetbridge, Bluetooth logs)",
	.version = 2,
	.wants = recording_wants,
	.run = recording_run};
