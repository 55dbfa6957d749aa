/* SPDX-License-Identifier: Apache-2.0 */
/* FIT (Flexible and Interoperable Data Transfer protocol): one or several files in a row, each a header, records and a CRC. Byte order is
 * chosen by each definition; sizes of fields need not fit their types. */
#include "base/num.h"
#include "inspectors/recording/reader.h"

enum {
	HEADER_MIN = 12,
	EPOCH = 631065600, /* 1989-12-31 in Unix time */
	CLOCK_UNSET = 0x10000000, /* below: seconds since the device was switched on */
	TEXT_COPY_MIN = 10000, /* bytes in which a pair 0D 0A would be expected about every 65,536th: see there */
	HR_SENSOR = 120, /* ANT+ device type */
};

enum global { G_FILE_ID = 0, G_SESSION = 18, G_RECORD = 20, G_EVENT = 21, G_DEVICE_INFO = 23, G_HRV = 78 };

struct definition {
	bool there, be;
	uint16_t global;
	const uint8_t *fields, *dev; /* three bytes each */
	unsigned n_fields, n_dev;
	uint32_t size; /* of a message */
};

struct fit {
	struct gh_recording rec;
	struct definition defs[16];
	uint32_t last; /* time of the newest message */
	bool timed;
	unsigned files; /* file_id messages */
	struct gh_err *err;
};

/* One message: the values of fields are read where they are asked for. */
struct message {
	const struct definition *d;
	const uint8_t *p;
	uint64_t at;
};

bool gh_fit_is(const struct gh_probe *probe)
{
	return probe->head_len >= HEADER_MIN && memcmp(probe->head + 8, ".FIT", 4) == 0 && probe->head[0] >= HEADER_MIN;
}

/* CRC-16 with the reversed polynomial A001, from 0. */
static uint16_t crc16(const uint8_t *p, size_t n)
{
	uint16_t nibble[16], crc = 0;
	for (unsigned i = 0; i < 16; i++) {
		uint16_t c = (uint16_t)i;
		for (unsigned k = 0; k < 4; k++)
			c = (uint16_t)(c & 1 ? (c >> 1) ^ 0xa001 : c >> 1);
		nibble[i] = c;
	}
	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)((crc >> 4) ^ nibble[(crc ^ p[i]) & 15]);
		crc = (uint16_t)((crc >> 4) ^ nibble[(crc ^ (p[i] >> 4)) & 15]);
	}
	return crc;
}

/* ---- values ---- */

/* A whole number at p by base type; false where it is the type's "no value", or the size does not fit the type. */
static bool whole(const uint8_t *p, unsigned size, uint8_t type, bool be, int64_t *ret)
{
	static const uint8_t width[17] = {1, 1, 1, 2, 2, 4, 4, 0, 4, 8, 1, 2, 4, 1, 8, 8, 8};
	unsigned base = type & 31;
	if (base >= GH_COUNT(width) || !width[base] || size < width[base] || size % width[base] || base == 8 ||
		base == 9)
		return false;
	struct gh_cursor c = gh_cursor(p, size, 0);
	uint64_t v = width[base] == 1   ? gh_u8(&c)
		     : width[base] == 2 ? (be ? gh_u16be(&c) : gh_u16(&c))
		     : width[base] == 4 ? (be ? gh_u32be(&c) : gh_u32(&c))
					: (be ? gh_u64be(&c) : gh_u64(&c));
	unsigned bits = width[base] * 8;
	uint64_t all = UINT64_MAX >> (64 - bits);
	bool is_signed = base == 1 || base == 3 || base == 5 || base == 14,
	     zero = base == 10 || base == 11 || base == 12 || base == 16;
	if (v == (is_signed ? all >> 1 : zero ? 0 : all))
		return false;
	if (is_signed && v >> (bits - 1))
		v |= ~all;
	*ret = (int64_t)v;
	return true;
}

/* Where a field lies in a message; NULL: it has none. */
static const uint8_t *find(const struct message *m, unsigned field, unsigned *ret_size, uint8_t *ret_type)
{
	uint32_t off = 0;
	for (unsigned i = 0; i < m->d->n_fields; i++) {
		const uint8_t *f = m->d->fields + 3 * i;
		if (f[0] == field) {
			*ret_size = f[1];
			*ret_type = f[2];
			return m->p + off;
		}
		off += f[1];
	}
	return NULL;
}

static int64_t value(const struct message *m, unsigned field)
{
	unsigned size;
	uint8_t type;
	int64_t v;
	const uint8_t *p = find(m, field, &size, &type);
	return p && whole(p, size, type, m->d->be, &v) ? v : GH_NULL;
}

static int64_t either(int64_t a, int64_t b)
{
	return a != GH_NULL ? a : b;
}

static int64_t times(int64_t v, int64_t k)
{
	return v != GH_NULL && v >= 0 && v <= UINT32_MAX ? v * k : GH_NULL;
}

/* Milliseconds of a FIT time. */
static int64_t moment(struct fit *f, uint32_t t)
{
	if (t < CLOCK_UNSET) {
		f->rec.row.clock = 0;
		return (int64_t)t * 1000;
	}
	return ((int64_t)t + EPOCH) * 1000;
}

/* ---- messages ---- */

static enum gh_code record(struct fit *f, const struct message *m)
{
	if (!f->timed)
		return GH_OK;
	int64_t hr = value(m, 3);
	return gh_sample(&f->rec, m->at,
		(struct gh_row_samples){.t = moment(f, f->last),
			.hr = hr == GH_NULL ? GH_NULL : gh_rate((double)hr),
			.cadence = value(m, 4),
			.speed = either(value(m, 73), value(m, 6)),
			.distance = times(value(m, 5), 10),
			.contact = GH_NULL},
		f->err);
}

static enum gh_code event(struct fit *f, const struct message *m)
{
	int64_t what = value(m, 0), how = value(m, 1);
	if (what != 0 || !f->timed) /* 0: the timer */
		return GH_OK;
	/* 1 stop, 4 stop_all, 8 stop_disable, 9 stop_disable_all */
	const char *kind = how == 0 ? "start" : how == 1 || how == 4 || how == 8 || how == 9 ? "stop" : NULL;
	return kind ? gh_event(&f->rec, m->at, moment(f, f->last), kind, f->err) : GH_OK;
}

static enum gh_code device_info(struct fit *f, const struct message *m)
{
	if (value(m, 1) == HR_SENSOR)
		f->rec.row.strap = 1;
	if (value(m, 0) == 0 && f->timed) /* the recorder itself */
		return gh_event(&f->rec, m->at, moment(f, f->last), "device", f->err);
	return GH_OK;
}

static enum gh_code file_id(struct fit *f, const struct message *m)
{
	int64_t maker = value(m, 1), product = value(m, 2);
	if (f->files++ && f->timed)
		return gh_event(&f->rec, m->at, moment(f, f->last), "file", f->err);
	if (maker != GH_NULL)
		f->rec.row.maker = product != GH_NULL ? gh_str_fmt(f->rec.ctx->arena, "maker %lld, product %lld",
								(long long)maker, (long long)product)
						      : gh_str_fmt(f->rec.ctx->arena, "maker %lld", (long long)maker);
	return GH_OK;
}

/* Intervals between beats in 1/1000 s, up to five. */
static enum gh_code hrv(struct fit *f, const struct message *m)
{
	unsigned size;
	uint8_t type;
	const uint8_t *p = find(m, 0, &size, &type);
	enum gh_code code = GH_OK;
	for (unsigned i = 0; p && f->timed && i + 2 <= size && code == GH_OK; i += 2) {
		int64_t rr;
		if (whole(p + i, 2, 0x84, m->d->be, &rr))
			code = gh_beat(&f->rec, m->at, moment(f, f->last), rr, f->err);
	}
	return code;
}

static enum gh_code message(struct fit *f, const struct message *m)
{
	int64_t t = value(m, 253), sport;
	if (t != GH_NULL) {
		f->last = (uint32_t)t;
		f->timed = true;
	}
	switch (m->d->global) {
	case G_RECORD:
		return record(f, m);
	case G_EVENT:
		return event(f, m);
	case G_DEVICE_INFO:
		return device_info(f, m);
	case G_FILE_ID:
		return file_id(f, m);
	case G_HRV:
		return hrv(f, m);
	case G_SESSION:
		if ((sport = value(m, 5)) != GH_NULL)
			f->rec.row.sport = gh_str(sport == 1 ? "running" : sport == 2 ? "cycling" : "other");
		return GH_OK;
	default:
		return GH_OK;
	}
}

/* ---- records ---- */

static uint32_t sum_sizes(const uint8_t *fields, unsigned n)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < n; i++)
		sum += fields[3 * i + 1];
	return sum;
}

static void definition(struct gh_cursor *c, struct definition *d, bool developer)
{
	*d = (struct definition){.there = true};
	gh_skip(c, 1);
	d->be = gh_u8(c) == 1;
	d->global = d->be ? gh_u16be(c) : gh_u16(c);
	d->n_fields = gh_u8(c);
	d->fields = gh_bytes(c, 3 * d->n_fields);
	if (developer && !c->bad) {
		d->n_dev = gh_u8(c);
		d->dev = gh_bytes(c, 3 * d->n_dev);
	}
	if (c->bad)
		d->there = false;
	else
		d->size = sum_sizes(d->fields, d->n_fields) + sum_sizes(d->dev, d->n_dev);
}

/* The next record; GH_END where the records cannot be followed any more (told in a note). */
static enum gh_code next(struct fit *f, struct gh_cursor *c)
{
	uint64_t at = gh_at(c);
	uint8_t head = gh_u8(c);
	if (!(head & 0x80) && head & 0x40) {
		struct definition *d = &f->defs[head & 15];
		definition(c, d, head & 0x20);
		if (!c->bad)
			return gh_spend_steps(f->rec.ctx->budget, 1 + d->n_fields, at, f->err);
		gh_note(f->rec.ctx, GH_SHORT, at, "FIT: a definition goes beyond the end of the data");
		return GH_END;
	}
	const struct definition *d = &f->defs[head & 0x80 ? head >> 5 & 3 : head & 15];
	if (!d->there) {
		gh_note(f->rec.ctx, GH_BAD, at, "FIT: a message of a type that was not defined");
		return GH_END;
	}
	if (head & 0x80) {
		f->last += ((head & 31) - (f->last & 31)) & 31;
	}
	struct message m = {d, gh_bytes(c, d->size), at};
	if (!m.p) {
		gh_note(f->rec.ctx, GH_SHORT, at, "FIT: a message of %u bytes goes beyond the end of the data",
			d->size);
		return GH_END;
	}
	f->rec.row.messages++;
	enum gh_code code = gh_spend_steps(f->rec.ctx->budget, 1, at, f->err);
	return code ? code : message(f, &m);
}

/* ---- files ---- */

/* In random bytes one pair in 65,536 is 0D 0A. A file that is a little short, has
 * many 0A and no such pair, and whose records cannot be followed to the end, went through a copy as text. */
static bool text_copy(const uint8_t *p, size_t n, size_t followed, uint64_t missing)
{
	size_t lf = 0;
	if (n < TEXT_COPY_MIN || missing > n / 1000 || followed > n - n / 100)
		return false;
	for (size_t i = 0; i < n; i++) {
		lf += p[i] == 0x0a;
		if (i && p[i] == 0x0a && p[i - 1] == 0x0d)
			return false;
	}
	return lf > 4 * missing;
}

static void judge_end(struct fit *f, const uint8_t *p, size_t all, size_t header, uint32_t size, size_t followed)
{
	struct gh_row_recordings *row = &f->rec.row;
	struct gh_ctx *ctx = f->rec.ctx;
	uint64_t want = (uint64_t)header + size + 2, end = f->rec.at + all;
	if (want > all) {
		row->missing = (int64_t)(want - all);
		row->state = text_copy(p, all, followed, want - all) ? GH_STR("textmode") : GH_STR("short");
		gh_note(ctx, GH_SHORT, end, "FIT: %llu bytes are missing at the end", (unsigned long long)(want - all));
		return;
	}
	struct gh_cursor c = gh_cursor(p + header + size, 2, 0);
	uint16_t stated = gh_u16(&c), is = crc16(p, header + size);
	if (stated == is)
		return;
	row->state = GH_STR("bad_crc");
	gh_note(ctx, GH_BAD, f->rec.at + header + size, "FIT: the checksum is 0x%04x, that of the bytes 0x%04x", stated,
		is);
}

/* Is a header at p? */
static bool header_at(const uint8_t *p, size_t n)
{
	return n >= HEADER_MIN && p[0] >= HEADER_MIN && p[0] <= n && memcmp(p + 8, ".FIT", 4) == 0;
}

/* One file of a chain; *ret_n: its bytes. */
static enum gh_code one(struct fit *f, const uint8_t *p, size_t n, size_t *ret_n)
{
	struct gh_cursor head = gh_cursor(p, n, f->rec.at);
	size_t header = gh_u8(&head);
	gh_skip(&head, 3);
	uint32_t size = gh_u32(&head);
	/* A recorder writes the size when it ends: 0 with records behind it was never ended. */
	bool unended = size == 0 && n > header + 2 && !header_at(p + header + 2, n - header - 2);
	size_t data = unended ? n - header : (size_t)gh_min(size, n - header);
	struct gh_cursor c = gh_cursor(p + header, data, f->rec.at + header);
	enum gh_code code = GH_OK;
	while (code == GH_OK && gh_left(&c))
		code = next(f, &c);
	if (unended)
		f->rec.row.state = GH_STR("unterminated");
	else
		judge_end(f, p, n, header, size, header + c.i);
	if (unended)
		gh_note(f->rec.ctx, GH_SHORT, f->rec.at + 4,
			"FIT: the header says 0 bytes, records follow it: the recorder did not end the file");
	else if (code == GH_END && gh_str_is(f->rec.row.state, "complete"))
		f->rec.row.state = GH_STR("damaged");
	*ret_n = unended ? n : (size_t)gh_min((uint64_t)header + size + 2, n);
	return code == GH_END ? GH_OK : code;
}

enum gh_code gh_fit_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	size_t at = 0, n = 0;
	int64_t total = 0;
	enum gh_code code = GH_OK;
	for (int64_t part = 0; code == GH_OK && at < blob->size; part++, at += n) {
		if (!header_at(blob->data + at, (size_t)blob->size - at)) {
			gh_note(ctx, GH_BAD, at, "FIT: %llu bytes behind the end of the file are no further file",
				(unsigned long long)(blob->size - at));
			break;
		}
		struct fit f = {.rec = gh_recording(ctx, "fit", part, at, &total), .err = err};
		code = one(&f, blob->data + at, (size_t)blob->size - at, &n);
		gh_recording_end(&f.rec);
	}
	return code;
}
