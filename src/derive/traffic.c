/* SPDX-License-Identifier: Apache-2.0 */
/* What DERIVE's SQL asks about traffic: the registered domain of a name, and how regular connections are (RITA 5's scoring, and a form of it for
 * captures of less than six hours). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/sort.h"
#include "derive/functions.h"

enum {
	CONNECTIONS =
		100000, /* of one pair that are weighed: more than one a second for a day is no beacon but a stream */
	LEAST = 4, /* different times below which nothing is said */
	LEAST_SHORT = 8, /* in a short capture */
	HOUR = 3600,
	SHORT_HOURS = 6,
	BINS = 24,
};

/* ---- gh_site ---- */

static bool is_address(struct gh_str s)
{
	bool v4 = s.n > 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':')
			return true;
		v4 &= (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.';
	}
	return v4;
}

/* Second-level labels under which country registries register names. */
static bool is_registry(struct gh_str label)
{
	static const char *const words[] = {
		"co", "com", "net", "org", "gov", "gob", "edu", "ac", "or", "ne", "go", "mil", "gen"};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (gh_str_is(label, words[i]))
			return true;
	return false;
}

static struct gh_str last_label(struct gh_str s, struct gh_str *ret_rest)
{
	const char *dot = s.n ? memrchr(s.p, '.', s.n) : NULL;
	size_t from = dot ? (size_t)(dot - s.p) + 1 : 0;
	*ret_rest = gh_strn(s.p, dot ? from - 1 : 0);
	return gh_strn(s.p + from, s.n - from);
}

/* gh_site(name): two labels, or three under a country's registry; NULL for an address. */
static void sql_site(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_NULL)
		return;
	struct gh_str s = gh_strn(sqlite3_value_text(v[0]), (size_t)sqlite3_value_bytes(v[0])), rest, more;
	if (!s.n || is_address(s))
		return;
	struct gh_str top = last_label(s, &rest), second = last_label(rest, &more);
	size_t labels = top.n + (rest.n ? second.n + 1 : 0);
	if (top.n == 2 && more.n && is_registry(second))
		labels += last_label(more, &rest).n + 1;
	sqlite3_result_text(ctx, s.p + s.n - labels, (int)labels, SQLITE_TRANSIENT);
}

/* ---- gh_beacon ---- */

struct beacon {
	int64_t *us, *bytes;
	int n, cap;
	int64_t from, to; /* of the capture */
};

static void beacon_step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct beacon *b = sqlite3_aggregate_context(ctx, sizeof *b);
	if (!b || b->n == CONNECTIONS)
		return;
	if (b->n == b->cap) {
		int cap = b->cap ? b->cap * 2 : 64;
		int64_t *us = sqlite3_realloc64(b->us, (uint64_t)cap * sizeof *us);
		if (us)
			b->us = us;
		int64_t *bytes = sqlite3_realloc64(b->bytes, (uint64_t)cap * sizeof *bytes);
		if (bytes)
			b->bytes = bytes;
		if (!us || !bytes)
			return;
		b->cap = cap;
	}
	b->us[b->n] = sqlite3_value_int64(v[0]);
	b->bytes[b->n++] = sqlite3_value_int64(v[1]);
	b->from = sqlite3_value_int64(v[2]);
	b->to = sqlite3_value_int64(v[3]);
}

static bool less_i64(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y;
}

static bool less_double(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y;
}

static double quantile(const double *v, int n, double q)
{
	double at = q * (n - 1);
	int i = (int)at;
	return i + 1 < n ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[n - 1];
}

/* Half Bowley's skewness, half the deviation from the median; v is sorted, and is used up. `none`: the second half where the median is below one. */
static double regularity(double *v, int n, double none, double *ret_median, double *ret_mad)
{
	double q1 = quantile(v, n, 0.25), q2 = quantile(v, n, 0.5), q3 = quantile(v, n, 0.75);
	bool flat = q3 - q1 < 10 || q2 == q1 || q2 == q3;
	double skew = flat ? 0 : (q3 + q1 - 2 * q2) / (q3 - q1);
	for (int i = 0; i < n; i++)
		v[i] = fabs(v[i] - q2);
	gh_sort(v, (size_t)n, sizeof *v, less_double);
	double mad = quantile(v, n, 0.5);
	double score = q2 < 1 ? none : fmax(0, (q2 - mad) / q2);
	*ret_median = q2;
	*ret_mad = mad;
	return (1 - fabs(skew) + score) / 2;
}

/* The two heights that most bars have, as a share of all bars: a schedule that fills some hours twice. */
static double two_heights(const int bin[BINS])
{
	int most = 0, bars = 0, first = 0, second = 0, count[21] = {0};
	for (int i = 0; i < BINS; i++)
		most = bin[i] > most ? bin[i] : most;
	for (int i = 0; i < BINS; i++)
		if (bin[i]) {
			count[bin[i] * 20 / most]++;
			bars++;
		}
	for (int i = 0; i <= 20; i++) {
		if (count[i] > first) {
			second = first;
			first = count[i];
		} else if (count[i] > second)
			second = count[i];
	}
	return bars < 11 ? 0 : fmin(1, (double)(first + second) / (bars - 1));
}

/* How evenly the connections lie over the capture. */
static double evenness(const struct beacon *b)
{
	int bin[BINS] = {0};
	double span = (double)(b->to - b->from) + 1, sum = 0, dev = 0;
	for (int i = 0; i < b->n; i++) {
		int k = (int)((double)(b->us[i] - b->from) / span * BINS);
		bin[k < 0 ? 0 : k >= BINS ? BINS - 1 : k]++;
	}
	for (int i = 0; i < BINS; i++)
		sum += bin[i];
	for (int i = 0; i < BINS; i++)
		dev += (bin[i] - sum / BINS) * (bin[i] - sum / BINS);
	return fmax(two_heights(bin), 1 - sqrt(dev / BINS) / (sum / BINS));
}

/* How much of the capture they cover, by hours. */
static double coverage(const struct beacon *b)
{
	int64_t hours = (b->to - b->from) / (HOUR * 1000000ll) + 1, last = -1;
	int run = 0, longest = 0, bars = 0;
	for (int i = 0; i < b->n; i++) {
		int64_t hour = (b->us[i] - b->from) / (HOUR * 1000000ll);
		if (hour == last)
			continue;
		run = hour == last + 1 ? run + 1 : 1;
		longest = run > longest ? run : longest;
		last = hour;
		bars++;
	}
	if (bars < SHORT_HOURS || hours < 2)
		return 0;
	double share = (double)(b->us[b->n - 1] - b->us[0]) / ((double)(b->to - b->from) + 1);
	return fmin(1, fmax(share, longest / 12.0));
}

static void weigh(sqlite3_context *ctx, struct beacon *b, double *v)
{
	int n = 0;
	double period, jitter, size, spread;
	gh_sort(b->us, (size_t)b->n, sizeof *b->us, less_i64);
	for (int i = 1; i < b->n; i++)
		if (b->us[i] != b->us[i - 1])
			v[n++] = (double)(b->us[i] - b->us[i - 1]) / 1e6;
	bool short_one = b->to - b->from < SHORT_HOURS * HOUR * 1000000ll;
	if (n + 1 < (short_one ? LEAST_SHORT : LEAST))
		return;
	gh_sort(v, (size_t)n, sizeof *v, less_double);
	double times = regularity(v, n, 1, &period, &jitter);
	for (int i = 0; i < b->n; i++)
		v[i] = (double)b->bytes[i];
	gh_sort(v, (size_t)b->n, sizeof *v, less_double);
	double sizes = regularity(v, b->n, 0, &size, &spread);
	double score = short_one ? (times + sizes) / 2 : (times + sizes + coverage(b) + evenness(b)) / 4;
	char text[160];
	snprintf(text, sizeof text, "[%.3f,%.3f,%.4f,%d]", score, period, period > 0 ? jitter / period : 0, short_one);
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* gh_beacon(us, bytes, from, to): JSON [score, period in seconds, jitter as a share of it, short capture]; NULL: too few. */
static void beacon_end(sqlite3_context *ctx)
{
	struct beacon *b = sqlite3_aggregate_context(ctx, 0);
	if (!b)
		return;
	double *v = b->n ? sqlite3_malloc64((uint64_t)b->n * sizeof *v) : NULL;
	if (v)
		weigh(ctx, b, v);
	sqlite3_free(v);
	sqlite3_free(b->us);
	sqlite3_free(b->bytes);
}

bool gh_derive_traffic(sqlite3 *sql)
{
	return sqlite3_create_function(sql, "gh_site", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_site, NULL,
		       NULL) == SQLITE_OK &&
	       sqlite3_create_function(sql, "gh_beacon", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL, beacon_step,
		       beacon_end) == SQLITE_OK;
}
