/* SPDX-License-Identifier: Apache-2.0 */
/* The standard heart-rate service in packets of the host controller interface (Bluetooth Core 5.4, volumes 3 and 4): L2CAP put together again, ATT. The
 * handle of Heart Rate Measurement (0x2A37) comes from the discovery in the same log, of this connection or an earlier one with the same device, or
 * from the user; values as the Heart Rate Service 1.0 defines them. */
#include "inspectors/recording/hci.h"

#include "base/num.h"

enum {
	CONNECTIONS = 16, /* at the same time; a phone keeps seven */
	DEVICES = 32, /* whose discovery is remembered */
	GUESSES = 16, /* attributes that notify in a connection without a discovery */
	PDU_MAX = 1024, /* an attribute has at most 512 bytes, an ATT packet 517 */
	DISCONNECTED = 5,
	LE_META = 0x3e,
	ATT = 4, /* channel */
	RATE_MEASUREMENT = 0x2a37,
	RATE_MEASUREMENT_FLAGS = 0x1f, /* the others are reserved: not of this service */
	PEER = 6,
};

struct guess {
	uint16_t attribute;
	int64_t n, fits;
};

struct connection {
	bool there, rated, has_peer, given; /* given: the attribute is the user's word */
	uint32_t handle; /* and the adapter above it */
	uint16_t attribute; /* of the measurement; 0: not known */
	uint8_t peer[PEER];
	struct {
		uint8_t buf[PDU_MAX + 4];
		size_t n, want; /* want 0: nothing begun, or too long to keep */
	} way[2];
	struct gh_recording rec;
};

struct gh_hci {
	struct gh_ctx *ctx;
	const char *format;
	struct connection c[CONNECTIONS];
	struct {
		uint8_t peer[PEER];
		uint16_t attribute;
	} device[DEVICES];
	size_t n_devices;
	struct guess guess[GUESSES];
	size_t n_guesses;
	int64_t part, total, unknown; /* unknown: notifications whose attribute is not known */
};

/* The packet at hand. */
struct hci {
	struct gh_hci *h;
	const struct gh_hci_packet *pkt;
	struct gh_err *err;
};

static void end(struct connection *c)
{
	if (c->rated)
		gh_recording_end(&c->rec);
	memset(c, 0, sizeof *c);
}

static struct connection *connection(struct gh_hci *h, uint32_t handle)
{
	struct connection *empty = NULL;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (h->c[i].there && h->c[i].handle == handle)
			return &h->c[i];
		if (!h->c[i].there)
			empty = empty ? empty : &h->c[i];
	}
	if (empty) {
		empty->there = true;
		empty->handle = handle;
	}
	return empty;
}

/* ---- which attribute it is ---- */

static void discovered(struct hci *s, struct connection *c, uint16_t attribute)
{
	struct gh_hci *h = s->h;
	size_t i = 0;
	c->attribute = attribute;
	c->given = false;
	if (!c->has_peer)
		return;
	while (i < h->n_devices && memcmp(h->device[i].peer, c->peer, PEER) != 0)
		i++;
	if (i == DEVICES)
		return;
	memcpy(h->device[i].peer, c->peer, PEER);
	h->device[i].attribute = attribute;
	if (i == h->n_devices)
		h->n_devices++;
}

/* Characteristics by type: own handle, properties, handle of the value, and a short UUID. */
static void declarations(struct hci *s, struct connection *c, struct gh_cursor v)
{
	if (gh_u8(&v) != 7)
		return;
	while (gh_left(&v) >= 7) {
		gh_skip(&v, 3);
		uint16_t value = gh_u16(&v);
		if (gh_u16(&v) == RATE_MEASUREMENT)
			discovered(s, c, value);
	}
}

static void information(struct hci *s, struct connection *c, struct gh_cursor v)
{
	if (gh_u8(&v) != 1)
		return;
	while (gh_left(&v) >= 4) {
		uint16_t handle = gh_u16(&v);
		if (gh_u16(&v) == RATE_MEASUREMENT)
			discovered(s, c, handle);
	}
}

/* ---- values ---- */

struct value {
	uint8_t flags;
	uint16_t rate;
	struct gh_cursor beats;
};

/* False: this is no heart rate measurement. */
static bool value_of(struct gh_cursor v, struct value *ret)
{
	ret->flags = gh_u8(&v);
	ret->rate = ret->flags & 1 ? gh_u16(&v) : gh_u8(&v);
	if (ret->flags & 8)
		gh_skip(&v, 2); /* energy, kJ */
	ret->beats = v;
	return !v.bad && !(ret->flags & ~RATE_MEASUREMENT_FLAGS);
}

/* Could it be one? Only for telling the user what to try. */
static bool fits(struct gh_cursor v)
{
	struct value x;
	if (!value_of(v, &x) || (x.rate && gh_rate(x.rate) == GH_NULL))
		return false;
	return x.flags & 16 ? gh_left(&x.beats) && gh_left(&x.beats) % 2 == 0 : !gh_left(&x.beats);
}

static void unexplained(struct gh_hci *h, uint16_t attribute, struct gh_cursor v)
{
	size_t i = 0;
	h->unknown++;
	while (i < h->n_guesses && h->guess[i].attribute != attribute)
		i++;
	if (i == GUESSES)
		return;
	if (i == h->n_guesses)
		h->guess[h->n_guesses++] = (struct guess){.attribute = attribute};
	h->guess[i].n++;
	h->guess[i].fits += fits(v);
}

static void begin(struct hci *s, struct connection *c)
{
	struct gh_ctx *ctx = s->h->ctx;
	c->rec = gh_recording(ctx, s->h->format, s->h->part++, s->pkt->at, &s->h->total);
	c->rec.row.source = gh_str_fmt(ctx->arena, "connection 0x%03x, attribute 0x%04x%s", c->handle & 0xfff,
		c->attribute, c->given ? " (as given)" : "");
	c->rated = true;
}

static enum gh_code measurement(struct hci *s, struct connection *c, struct gh_cursor v)
{
	struct value x;
	if (!value_of(v, &x)) {
		gh_note(s->h->ctx, GH_BAD, s->pkt->at,
			"%s: a heart rate measurement that is too short or has unknown flags", s->h->format);
		return GH_OK;
	}
	if (!c->rated)
		begin(s, c);
	c->rec.row.messages++;
	/* The bit of contact means nothing where it is not supported. */
	enum gh_code code = gh_sample(&c->rec, s->pkt->at,
		(struct gh_row_samples){.t = s->pkt->t,
			.hr = gh_rate(x.rate),
			.cadence = GH_NULL,
			.speed = GH_NULL,
			.distance = GH_NULL,
			.contact = x.flags & 4 ? (x.flags & 2) != 0 : GH_NULL},
		s->err);
	while (code == GH_OK && x.flags & 16 && gh_left(&x.beats) >= 2)
		code = gh_beat(&c->rec, s->pkt->at, s->pkt->t, ((int64_t)gh_u16(&x.beats) * 1000 + 512) / 1024, s->err);
	return code;
}

static enum gh_code att(struct hci *s, struct connection *c, const uint8_t *p, size_t n)
{
	struct gh_cursor v = gh_cursor(p, n, s->pkt->at);
	const struct gh_given *given = s->h->ctx->given;
	uint8_t what = gh_u8(&v);
	if (what == 0x09)
		declarations(s, c, v);
	else if (what == 0x05)
		information(s, c, v);
	if (what != 0x1b && what != 0x1d) /* notification, indication */
		return GH_OK;
	uint16_t attribute = gh_u16(&v);
	if (!c->attribute && given && given->hr_handle && given->hr_handle == attribute) {
		c->attribute = attribute;
		c->given = true;
	}
	if (c->attribute && attribute == c->attribute && !v.bad)
		return measurement(s, c, v);
	if (!c->attribute)
		unexplained(s->h, attribute, v);
	return GH_OK;
}

/* ---- packets ---- */

static enum gh_code acl(struct hci *s, struct gh_cursor p)
{
	uint16_t head = gh_u16(&p), n = gh_u16(&p);
	struct connection *c = connection(s->h, (head & 0xfffu) | s->pkt->adapter << 12);
	const uint8_t *data = gh_bytes(&p, n);
	bool more = (head >> 12 & 3) == 1, way = s->pkt->received;
	if (!data || !c)
		return GH_OK;
	size_t used = more ? c->way[way].n : 0;
	if (more && !c->way[way].want)
		return GH_OK;
	if (n > sizeof c->way[way].buf - used) {
		c->way[way].want = 0;
		return GH_OK;
	}
	memcpy(c->way[way].buf + used, data, n);
	used += n;
	c->way[way].n = used;
	c->way[way].want = 4;
	if (used < 4)
		return GH_OK;
	struct gh_cursor l2cap = gh_cursor(c->way[way].buf, used, s->pkt->at);
	size_t want = gh_u16(&l2cap);
	uint16_t channel = gh_u16(&l2cap);
	if (used < want + 4)
		return GH_OK;
	c->way[way].want = 0;
	return channel == ATT ? att(s, c, c->way[way].buf + 4, want) : GH_OK;
}

/* A connection of Low Energy: who it is with, and what an earlier discovery of that device found. */
static void connected(struct hci *s, struct gh_cursor p)
{
	uint8_t kind = gh_u8(&p), status = gh_u8(&p);
	uint16_t handle = gh_u16(&p) & 0xfff;
	gh_skip(&p, 2);
	const uint8_t *peer = gh_bytes(&p, PEER);
	if ((kind != 0x01 && kind != 0x0a && kind != 0x29) || status || !peer)
		return;
	struct connection *c = connection(s->h, handle | s->pkt->adapter << 12);
	if (!c)
		return;
	uint32_t key = c->handle;
	end(c);
	c->there = c->has_peer = true;
	c->handle = key;
	memcpy(c->peer, peer, PEER);
	for (size_t i = 0; i < s->h->n_devices; i++)
		if (memcmp(s->h->device[i].peer, peer, PEER) == 0)
			c->attribute = s->h->device[i].attribute;
}

static void event(struct hci *s, struct gh_cursor p)
{
	uint8_t what = gh_u8(&p);
	gh_skip(&p, 1);
	if (what == LE_META)
		connected(s, p);
	if (what != DISCONNECTED)
		return;
	gh_skip(&p, 1);
	uint32_t handle = (gh_u16(&p) & 0xfffu) | s->pkt->adapter << 12;
	for (size_t i = 0; i < CONNECTIONS && !p.bad; i++)
		if (s->h->c[i].there && s->h->c[i].handle == handle)
			end(&s->h->c[i]);
}

enum gh_code gh_hci_packet(
	struct gh_hci *h, const struct gh_hci_packet *pkt, unsigned kind, struct gh_cursor p, struct gh_err *err)
{
	struct hci s = {h, pkt, err};
	if (kind == GH_HCI_ACL)
		return acl(&s, p);
	if (kind == GH_HCI_EVENT)
		event(&s, p);
	return GH_OK;
}

enum gh_code gh_hci_h4(struct gh_hci *h, const struct gh_hci_packet *pkt, struct gh_cursor p, struct gh_err *err)
{
	uint8_t kind = gh_u8(&p);
	return gh_hci_packet(h, pkt, kind, p, err);
}

enum gh_code gh_hci_monitor(
	struct gh_hci *h, struct gh_hci_packet pkt, unsigned opcode, struct gh_cursor p, struct gh_err *err)
{
	enum { OP_EVENT = 3, OP_ACL_SENT = 4, OP_ACL_RECEIVED = 5 };
	pkt.received = opcode != OP_ACL_SENT;
	return gh_hci_packet(h, &pkt,
		opcode == OP_EVENT                                   ? GH_HCI_EVENT
		: opcode == OP_ACL_SENT || opcode == OP_ACL_RECEIVED ? GH_HCI_ACL
								     : 0,
		p, err);
}

struct gh_hci *gh_hci_new(struct gh_ctx *ctx, const char *format, struct gh_err *err)
{
	struct gh_hci *h = gh_alloc(ctx->arena, sizeof *h);
	if (!h) {
		gh_fail(err, GH_NOMEM, 0, "no memory for packets of Bluetooth");
		return NULL;
	}
	h->ctx = ctx;
	h->format = format;
	return h;
}

/* It may hold heart rate, and nobody can tell: that is said as a recording of its own, not only in a note. */
static void unread(struct gh_hci *h, const struct guess *best)
{
	struct gh_recording r = gh_recording(h->ctx, h->format, h->part++, 0, &h->total);
	r.row.state = GH_STR("unread");
	r.row.source =
		best ? gh_str_fmt(h->ctx->arena,
			       "%lld notifications without a discovery in the log; attribute 0x%04x has the form of a "
			       "heart rate: if it is one, --hr-handle 0x%04x reads it",
			       (long long)h->unknown, best->attribute, best->attribute)
		     : gh_str_fmt(h->ctx->arena,
			       "%lld notifications without a discovery in the log: what they are is not known",
			       (long long)h->unknown);
	gh_recording_end(&r);
	gh_note(h->ctx, GH_UNSUP, 0,
		"%s: %lld notifications of connections without a discovery of heart rate in the log: what they are is "
		"not "
		"known",
		h->format, (long long)h->unknown);
}

void gh_hci_end(struct gh_hci *h)
{
	const struct guess *best = NULL;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (h->c[i].there)
			end(&h->c[i]);
	for (size_t i = 0; i < h->n_guesses; i++) {
		const struct guess *g = &h->guess[i];
		if (g->fits == g->n && g->attribute && (!best || g->n > best->n))
			best = g;
	}
	if (h->unknown)
		unread(h, best);
}
