/* SPDX-License-Identifier: Apache-2.0 */
/* The standard heart-rate service in a btsnoop log (RFC 1761's form, as Android's "HCI snoop log" writes it): H4 packets, L2CAP put together again, ATT. The
 * handle of Heart Rate Measurement (0x2A37) comes from the discovery in the same log; values as the Heart Rate Service 1.0 defines them. */
#include "base/num.h"
#include "inspectors/recording/reader.h"

enum {
	CONNECTIONS = 16, /* at the same time; a phone keeps seven */
	PDU_MAX = 1024, /* an attribute has at most 512 bytes, an ATT packet 517 */
	H4 = 1002,
	ACL = 2,
	EVENT = 4,
	DISCONNECTED = 5,
	ATT = 4, /* channel */
	RATE_MEASUREMENT = 0x2a37,
	RATE_MEASUREMENT_FLAGS = 0x1f, /* the others are reserved: not of this service */
};

#define YEAR_0 0x00dcddb30f2f8000ll /* microseconds from there to 1970 */

struct connection {
	bool there, rated;
	uint16_t handle, attribute; /* attribute: of the measurement; 0: not known */
	struct {
		uint8_t buf[PDU_MAX + 4];
		size_t n, want; /* want 0: nothing begun, or too long to keep */
	} way[2];
	struct gh_recording rec;
};

struct snoop {
	struct gh_ctx *ctx;
	struct gh_err *err;
	struct connection c[CONNECTIONS];
	int64_t part, total, unknown; /* unknown: notifications whose attribute is not known */
	int64_t t; /* ms */
	uint64_t at;
};

bool gh_btsnoop_is(const struct gh_probe *probe)
{
	return probe->head_len >= 16 && memcmp(probe->head, "btsnoop", 8) == 0;
}

static void end(struct connection *c)
{
	if (c->rated)
		gh_recording_end(&c->rec);
	memset(c, 0, sizeof *c);
}

static struct connection *connection(struct snoop *s, uint16_t handle)
{
	struct connection *empty = NULL;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (s->c[i].there && s->c[i].handle == handle)
			return &s->c[i];
		if (!s->c[i].there)
			empty = empty ? empty : &s->c[i];
	}
	if (empty) {
		empty->there = true;
		empty->handle = handle;
	}
	return empty;
}

/* ---- ATT ---- */

static enum gh_code measurement(struct snoop *s, struct connection *c, struct gh_cursor v)
{
	uint8_t flags = gh_u8(&v);
	uint16_t rate = flags & 1 ? gh_u16(&v) : gh_u8(&v);
	if (flags & 8)
		gh_skip(&v, 2); /* energy, kJ */
	if (v.bad || flags & ~RATE_MEASUREMENT_FLAGS) {
		gh_note(s->ctx, GH_BAD, s->at,
			"btsnoop: a heart rate measurement that is too short or has unknown flags");
		return GH_OK;
	}
	if (!c->rated) {
		c->rec = gh_recording(s->ctx, "btsnoop", s->part++, s->at, &s->total);
		c->rec.row.source =
			gh_str_fmt(s->ctx->arena, "connection 0x%03x, attribute 0x%04x", c->handle, c->attribute);
		c->rated = true;
	}
	c->rec.row.messages++;
	enum gh_code code = gh_sample(&c->rec, s->at,
		(struct gh_row_samples){.t = s->t,
			.hr = gh_rate(rate),
			.cadence = GH_NULL,
			.speed = GH_NULL,
			.distance = GH_NULL,
			.contact = flags & 4 ? (flags & 2) != 0
					     : GH_NULL}, /* the bit means nothing where it is not supported */
		s->err);
	while (code == GH_OK && flags & 16 && gh_left(&v) >= 2)
		code = gh_beat(&c->rec, s->at, s->t, ((int64_t)gh_u16(&v) * 1000 + 512) / 1024, s->err);
	return code;
}

/* Characteristics by type: own handle, properties, handle of the value, and a short UUID. */
static void declarations(struct connection *c, struct gh_cursor v)
{
	if (gh_u8(&v) != 7)
		return;
	while (gh_left(&v) >= 7) {
		gh_skip(&v, 3);
		uint16_t value = gh_u16(&v);
		if (gh_u16(&v) == RATE_MEASUREMENT)
			c->attribute = value;
	}
}

static void information(struct connection *c, struct gh_cursor v)
{
	if (gh_u8(&v) != 1)
		return;
	while (gh_left(&v) >= 4) {
		uint16_t handle = gh_u16(&v);
		if (gh_u16(&v) == RATE_MEASUREMENT)
			c->attribute = handle;
	}
}

static enum gh_code att(struct snoop *s, struct connection *c, const uint8_t *p, size_t n)
{
	struct gh_cursor v = gh_cursor(p, n, s->at);
	uint8_t what = gh_u8(&v);
	if (what == 0x09)
		declarations(c, v);
	else if (what == 0x05)
		information(c, v);
	if (what != 0x1b && what != 0x1d) /* notification, indication */
		return GH_OK;
	uint16_t attribute = gh_u16(&v);
	if (c->attribute && attribute == c->attribute && !v.bad)
		return measurement(s, c, v);
	s->unknown += !c->attribute;
	return GH_OK;
}

/* ---- packets ---- */

static enum gh_code acl(struct snoop *s, struct gh_cursor p, bool received)
{
	uint16_t head = gh_u16(&p), n = gh_u16(&p);
	struct connection *c = connection(s, head & 0xfff);
	const uint8_t *data = gh_bytes(&p, n);
	bool more = (head >> 12 & 3) == 1;
	if (!data || !c)
		return GH_OK;
	size_t used = more ? c->way[received].n : 0;
	if (more && !c->way[received].want)
		return GH_OK;
	if (n > sizeof c->way[received].buf - used) {
		c->way[received].want = 0;
		return GH_OK;
	}
	memcpy(c->way[received].buf + used, data, n);
	used += n;
	c->way[received].n = used;
	c->way[received].want = 4;
	if (used < 4)
		return GH_OK;
	struct gh_cursor l2cap = gh_cursor(c->way[received].buf, used, s->at);
	size_t want = gh_u16(&l2cap);
	uint16_t channel = gh_u16(&l2cap);
	if (used < want + 4)
		return GH_OK;
	c->way[received].want = 0;
	return channel == ATT ? att(s, c, c->way[received].buf + 4, want) : GH_OK;
}

static enum gh_code packet(struct snoop *s, struct gh_cursor p, bool received)
{
	uint8_t type = gh_u8(&p);
	if (type == ACL)
		return acl(s, p, received);
	if (type != EVENT || gh_u8(&p) != DISCONNECTED)
		return GH_OK;
	gh_skip(&p, 2);
	uint16_t handle = gh_u16(&p) & 0xfff;
	for (size_t i = 0; i < CONNECTIONS && !p.bad; i++)
		if (s->c[i].there && s->c[i].handle == handle)
			end(&s->c[i]);
	return GH_OK;
}

static enum gh_code next(struct snoop *s, struct gh_cursor *c)
{
	s->at = gh_at(c);
	uint32_t whole = gh_u32be(c), kept = gh_u32be(c), flags = gh_u32be(c);
	gh_skip(c, 4);
	int64_t us = (int64_t)(gh_u64be(c) - (uint64_t)YEAR_0);
	struct gh_cursor p = gh_sub(c, kept);
	if (c->bad) {
		gh_note(s->ctx, GH_SHORT, s->at, "btsnoop: a record goes beyond the end of the file");
		return GH_END;
	}
	s->t = us / 1000;
	enum gh_code code = gh_spend_steps(s->ctx->budget, 1, s->at, s->err);
	return code || kept < whole ? code : packet(s, p, flags & 1);
}

enum gh_code gh_btsnoop_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(blob->data, (size_t)blob->size, 0);
	gh_skip(&c, 8);
	uint32_t version = gh_u32be(&c), link = gh_u32be(&c);
	if (version != 1 || link != H4)
		return gh_fail(
			err, GH_UNSUP, 8, "btsnoop version %u with packets of kind %u is not read", version, link);
	struct snoop *s = gh_alloc(ctx->arena, sizeof *s);
	if (!s)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a btsnoop log");
	s->ctx = ctx;
	s->err = err;
	enum gh_code code = GH_OK;
	while (code == GH_OK && gh_left(&c))
		code = next(s, &c);
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (s->c[i].there)
			end(&s->c[i]);
	if (s->unknown)
		gh_note(ctx, GH_UNSUP, 0,
			"btsnoop: %lld notifications of connections without a discovery of heart rate in the log: what "
			"they are is not known",
			(long long)s->unknown);
	return code == GH_END ? GH_OK : code;
}
