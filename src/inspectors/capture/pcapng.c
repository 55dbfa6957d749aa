/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces with their own clocks, packets in three kinds of blocks, key
 * logs in decryption secrets blocks; PCAPdroid's comments and its list of apps. */
#include "base/num.h"
#include "inspectors/capture/reader.h"

enum {
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	OLD_PACKET = 2,
	SIMPLE = 3,
	ENHANCED = 6,
	SECRETS = 0x0a,
	CUSTOM = 0xbad,
	CUSTOM_NO_COPY = 0x40000bad,
	TLS_KEY_LOG = 0x544c534b,
	PCAPDROID = 62652, /* private enterprise number */
	INTERFACES = 256, /* of one section; more are malice */
	BLOCK_MAX = 16 << 20,
	SECRETS_MAX = 256 << 10, /* what the window holds: some 1,000 connections */
};

struct interface {
	uint32_t link, snaplen;
	uint64_t per_second; /* ticks */
	int64_t offset;
};

struct app {
	int64_t uid;
	struct gh_str name;
};

struct ng {
	struct reader *r;
	bool big;
	struct interface *list;
	unsigned n;
	struct app *apps;
	unsigned n_apps;
};

static uint16_t u16(const struct ng *g, struct gh_cursor *c)
{
	return g->big ? gh_u16be(c) : gh_u16(c);
}

static uint32_t u32(const struct ng *g, struct gh_cursor *c)
{
	return g->big ? gh_u32be(c) : gh_u32(c);
}

/* The next option; false at the end. */
static bool option(const struct ng *g, struct gh_cursor *c, uint16_t *ret_code, struct gh_cursor *ret)
{
	if (gh_left(c) < 4)
		return false;
	*ret_code = u16(g, c);
	uint16_t n = u16(g, c);
	*ret = gh_sub(c, n);
	gh_skip(c, gh_min((4u - n % 4u) % 4u, gh_left(c)));
	return *ret_code && !c->bad;
}

static uint64_t ticks(uint8_t resolution)
{
	uint64_t v = 1;
	if (resolution & 0x80)
		return (resolution & 0x7f) < 63 ? 1ull << (resolution & 0x7f) : 1000000;
	for (unsigned i = 0; i < resolution && i < 18; i++)
		v *= 10;
	return v;
}

static void interface(struct ng *g, struct gh_cursor c)
{
	struct interface i = {.per_second = 1000000};
	uint16_t code;
	struct gh_cursor v;
	i.link = u16(g, &c);
	gh_skip(&c, 2);
	i.snaplen = u32(g, &c);
	while (option(g, &c, &code, &v)) {
		if (code == 9 && gh_left(&v) >= 1)
			i.per_second = ticks(gh_u8(&v));
		else if (code == 14 && gh_left(&v) >= 8)
			i.offset = (int64_t)(g->big ? gh_u64be(&v) : gh_u64(&v));
	}
	if (g->n == INTERFACES) {
		gh_note(g->r->ctx, GH_LIMIT, c.base, "more than %d interfaces", INTERFACES);
		return;
	}
	reader_link(g->r, i.link);
	g->r->file.snaplen = i.snaplen;
	g->list[g->n++] = i;
}

static int64_t time_us(const struct interface *i, uint64_t v)
{
	unsigned __int128 us = (unsigned __int128)v * 1000000 / i->per_second;
	int64_t t = us > INT64_MAX / 2 ? 0 : (int64_t)us;
	return i->offset > -1000000000000 && i->offset < 1000000000000 ? t + i->offset * 1000000 : t;
}

/* The app of a packet, as PCAPdroid writes it into a comment: "u-10123". */
static void packet_options(const struct ng *g, struct gh_cursor c, struct gh_packet *pkt)
{
	uint16_t code;
	struct gh_cursor v;
	while (option(g, &c, &code, &v)) {
		uint64_t uid;
		struct gh_str s = gh_strn(v.p, v.n);
		if (code != 1 || !gh_str_starts(s, "u-") || !gh_str_u64(gh_strn(s.p + 2, s.n - 2), 10, &uid) ||
			uid > INT32_MAX)
			continue;
		pkt->uid = (int64_t)uid;
		for (unsigned i = 0; i < g->n_apps; i++)
			if (g->apps[i].uid == pkt->uid)
				pkt->app = g->apps[i].name;
	}
}

static enum gh_code packet(struct ng *g, uint32_t type, struct gh_cursor c, uint64_t at, struct gh_err *err)
{
	uint32_t id = 0, n = 0, wire;
	uint64_t time = 0;
	if (type == ENHANCED)
		id = u32(g, &c);
	else if (type == OLD_PACKET) {
		id = u16(g, &c);
		gh_skip(&c, 2);
	}
	if (type != SIMPLE) {
		time = (uint64_t)u32(g, &c) << 32;
		time |= u32(g, &c);
		n = u32(g, &c);
	}
	wire = u32(g, &c);
	if (id >= g->n || c.bad) {
		g->r->number++; /* Wireshark counts it too */
		gh_note(g->r->ctx, GH_BAD, at, "a packet of an interface that was not described");
		return GH_OK;
	}
	const struct interface *i = &g->list[id];
	if (type == SIMPLE)
		n = (uint32_t)gh_min(i->snaplen ? gh_min(wire, i->snaplen) : wire, gh_left(&c));
	const uint8_t *p = gh_bytes(&c, n);
	if (!p || n > PACKET_MAX) {
		gh_note(g->r->ctx, GH_BAD, at, "a packet that is longer than its block");
		g->r->number++;
		return GH_OK;
	}
	gh_skip(&c, gh_min((4u - n % 4u) % 4u, gh_left(&c)));
	struct gh_packet pkt = {.at = at,
		.us = time_us(i, time),
		.p = p,
		.n = n,
		.wire = wire < n ? n : wire,
		.link = i->link,
		.uid = GH_NULL};
	if (type != SIMPLE)
		packet_options(g, c, &pkt);
	return reader_packet(g->r, &pkt, err);
}

static void secrets(struct ng *g, struct gh_cursor c, uint64_t at)
{
	uint32_t kind = u32(g, &c), n = u32(g, &c);
	if (kind != TLS_KEY_LOG || !g->r->traffic)
		return;
	const uint8_t *p = gh_bytes(&c, n);
	if (!p) {
		gh_note(g->r->ctx, GH_BAD, at, "decryption secrets that are longer than their block");
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		g->r->file.secrets += p[i] == '\n';
	gh_traffic_secrets(g->r->traffic, gh_strn(p, n));
}

/* PCAPdroid: a uid and the name of its package. */
static void custom(struct ng *g, struct gh_cursor c)
{
	if (u32(g, &c) != PCAPDROID || g->n_apps == APPS)
		return;
	gh_skip(&c, 4);
	uint32_t uid = u32(g, &c);
	struct gh_str name = gh_text(&c, gh_left(&c));
	if (!c.bad && name.n && (name = gh_str_dup(g->r->ctx->arena, gh_strn(name.p, gh_min(name.n, 60)))).p)
		g->apps[g->n_apps++] = (struct app){(int32_t)uid, name};
}

static enum gh_code section(struct ng *g, struct gh_cursor c, struct gh_err *err)
{
	const uint8_t *order = gh_bytes(&c, 4);
	if (!order || (memcmp(order, "\x1a\x2b\x3c\x4d", 4) != 0 && memcmp(order, "\x4d\x3c\x2b\x1a", 4) != 0))
		return gh_fail(err, GH_BAD, c.base, "a section without its byte order");
	g->n = 0;
	uint16_t code;
	struct gh_cursor v;
	gh_skip(&c, 12);
	while (option(g, &c, &code, &v))
		if (code == 4 && !g->r->file.system.p)
			g->r->file.system = gh_str_dup(g->r->ctx->arena, gh_strn(v.p, gh_min(v.n, 200)));
	return GH_OK;
}

static enum gh_code block(struct ng *g, uint32_t type, struct gh_cursor c, uint64_t at, struct gh_err *err)
{
	switch (type) {
	case SECTION:
		return section(g, c, err);
	case INTERFACE:
		interface(g, c);
		return GH_OK;
	case OLD_PACKET:
	case SIMPLE:
	case ENHANCED:
		return packet(g, type, c, at, err);
	case SECRETS:
		secrets(g, c, at);
		return GH_OK;
	case CUSTOM:
	case CUSTOM_NO_COPY:
		custom(g, c);
		return GH_OK;
	}
	return GH_OK; /* names, statistics, journal entries: not needed */
}

static enum gh_code next_block(struct ng *g, uint64_t *at, struct gh_err *err)
{
	const uint8_t *p;
	uint64_t left = g->r->src->size - *at;
	if (left < 12)
		return gh_fail(err, GH_SHORT, *at, "the file ends within a block");
	enum gh_code code = reader_get(g->r, *at, 12, &p, err);
	if (code)
		return code;
	if (memcmp(p, "\x0a\x0d\x0d\x0a", 4) == 0)
		g->big = p[8] == 0x1a;
	struct gh_cursor c = gh_cursor(p, 12, *at);
	uint32_t type = u32(g, &c), n = u32(g, &c);
	if (n < 12 || n % 4 || n > BLOCK_MAX)
		return gh_fail(err, GH_BAD, *at + 4, "a block of %u bytes", n);
	if (n > left)
		return gh_fail(err, GH_SHORT, *at, "the file ends within a block");
	uint64_t from = *at;
	*at += n;
	if (n - 12 > SECRETS_MAX + 1024) {
		gh_note(g->r->ctx, GH_LIMIT, from, "a block of %u bytes is stepped over", n);
		return GH_OK;
	}
	code = reader_get(g->r, from, n - 4, &p, err);
	return code ? code : block(g, type, gh_cursor(p + 8, n - 12, from + 8), from, err);
}

enum gh_code pcapng_read(struct reader *r, struct gh_err *err)
{
	struct ng g = {.r = r};
	r->file.format = "pcapng";
	g.list = gh_alloc_array(r->ctx->arena, INTERFACES, sizeof *g.list);
	g.apps = gh_alloc_array(r->ctx->arena, APPS, sizeof *g.apps);
	enum gh_code code = g.list && g.apps ? GH_OK : gh_fail(err, GH_NOMEM, 0, "no memory for interfaces");
	for (uint64_t at = 0; at < r->src->size && code == GH_OK;) {
		code = gh_spend_steps(r->ctx->budget, 1, at, err);
		if (code == GH_OK)
			code = next_block(&g, &at, err);
	}
	return code;
}
