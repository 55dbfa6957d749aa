/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: what two endpoints say to each other. A table of fixed size; a flow that is silent for long is closed, and when the table is
 * full the one that was silent longest. */
#include <stdio.h>
#include <sys/random.h>

#include "base/num.h"
#include "capture/traffic.h"

enum {
	BUCKETS = 32768,
	TCP_IDLE_S = 1800, /* push connections are silent for up to half an hour, then it counts as another */
	UDP_IDLE_S = 180, /* as NATs keep mappings */
	ENDED_S = 60, /* after a FIN of both sides or a reset: twice the longest life of a segment seen in practice */
	ODD_MAX = 32, /* told of one flow */
};

bool gh_flows_init(struct gh_traffic *t)
{
	t->bucket = gh_alloc_array(t->ctx->arena, BUCKETS, sizeof *t->bucket);
	if (getrandom(t->key, sizeof t->key, GRND_NONBLOCK) != sizeof t->key)
		t->key[0] = (uint64_t)(uintptr_t)
			t; /* where memory lies is random enough against collisions made beforehand */
	return t->bucket != NULL;
}

uint64_t gh_flow_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Same for both directions. */
static uint32_t hash(const struct gh_traffic *t, const struct gh_addr *a, const struct gh_addr *b, uint16_t pa,
	uint16_t pb, uint8_t proto)
{
	uint64_t x[4], one, two;
	memcpy(x, a->b, 16);
	memcpy(x + 2, b->b, 16);
	one = gh_flow_mix(
		gh_flow_mix(x[0] ^ t->key[0], x[1] ^ 0x9e3779b97f4a7c15u) ^ t->key[1], 0xa0761d6478bd642fu ^ pa);
	two = gh_flow_mix(
		gh_flow_mix(x[2] ^ t->key[0], x[3] ^ 0x9e3779b97f4a7c15u) ^ t->key[1], 0xa0761d6478bd642fu ^ pb);
	return (uint32_t)(gh_flow_mix((one + two) ^ proto, 0xe7037ed1a0b428dbu) & (BUCKETS - 1));
}

/* Out of its line. */
static void step_out(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_line *l = &t->line[f->line];
	*(f->newer ? &f->newer->older : &l->newest) = f->older;
	*(f->older ? &f->older->newer : &l->oldest) = f->newer;
}

static void stand_last(struct gh_traffic *t, struct gh_flow *f, uint8_t line)
{
	struct gh_line *l = &t->line[line];
	f->line = line;
	f->newer = NULL;
	f->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = f;
	l->newest = f;
}

static void unlink_flow(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_flow **at = &t->bucket[hash(t, &f->a, &f->b, f->pa, f->pb, f->proto)];
	while (*at && *at != f)
		at = &(*at)->chain;
	if (*at)
		*at = f->chain;
	step_out(t, f);
}

static void touch(struct gh_traffic *t, struct gh_flow *f)
{
	if (t->line[f->line].newest == f)
		return;
	step_out(t, f);
	stand_last(t, f, f->line);
}

void gh_flow_ended(struct gh_traffic *t, struct gh_flow *f)
{
	if (f->line)
		return;
	step_out(t, f);
	stand_last(t, f, 1);
}

static const char *proto_word(uint8_t proto, char buf[8])
{
	switch (proto) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	}
	snprintf(buf, 8, "ip%u", proto);
	return buf;
}

static void emit_flow(struct gh_traffic *t, struct gh_flow *f, const char *how)
{
	char a[48], b[48], word[8];
	gh_addr_text(&f->a, a);
	gh_addr_text(&f->b, b);
	bool ports = f->proto == 6 || f->proto == 17;
	GH_EMIT(t->ctx, flows, f->first_at, .id = (int64_t)f->row, .proto = gh_str(proto_word(f->proto, word)),
		.src = gh_str(a), .sport = ports ? f->pa : GH_NULL, .dst = gh_str(b), .dport = ports ? f->pb : GH_NULL,
		.local = gh_addr_local(&f->b), .first_us = f->first_us, .last_us = f->last_us,
		.packet = (int64_t)f->first_packet, .packets_out = (int64_t)f->dir[0].packets,
		.packets_in = (int64_t)f->dir[1].packets, .bytes_out = (int64_t)f->dir[0].bytes,
		.bytes_in = (int64_t)f->dir[1].bytes, .stream_out = (int64_t)f->dir[0].stream,
		.stream_in = (int64_t)f->dir[1].stream, .ending = gh_str(how), .protocol = gh_str(f->protocol),
		.name = f->name[0] ? gh_str(f->name) : GH_NONE, .name_by = gh_str(f->name[0] ? f->name_by : NULL),
		.uid = f->uid, .app = f->package[0] ? gh_str(f->package) : GH_NONE);
}

void gh_flow_close(struct gh_traffic *t, struct gh_flow *f, const char *how)
{
	gh_tcp_finish(t, f);
	gh_app_end(t, f);
	if (f->row < GH_FLOW_ROWS_MAX)
		emit_flow(t, f, f->reset ? "reset" : f->dir[0].fin && f->dir[1].fin ? "fin" : how);
	else
		t->count.flows_untold++;
	unlink_flow(t, f);
	gh_pool_put(&t->pool, f->rsts, sizeof *f->rsts);
	gh_pool_put(&t->pool, f, sizeof *f);
	t->n_flows--;
}

static void expire(struct gh_traffic *t, int64_t us)
{
	for (unsigned i = 0; i < 2 && t->line[0].oldest; i++) {
		struct gh_flow *f = t->line[0].oldest;
		int64_t idle = f->proto == 6 ? TCP_IDLE_S : UDP_IDLE_S;
		if (us - f->last_us < idle * 1000000)
			break;
		gh_flow_close(t, f, "idle");
	}
	for (unsigned i = 0; i < 2 && t->line[1].oldest; i++) {
		if (us - t->line[1].oldest->last_us < ENDED_S * 1000000ll)
			break;
		gh_flow_close(t, t->line[1].oldest, "idle");
	}
}

/* The one that was silent longest, of those that have ended before all others. */
static struct gh_flow *dispensable(const struct gh_traffic *t)
{
	return t->line[1].oldest ? t->line[1].oldest : t->line[0].oldest;
}

/* Who began? A SYN tells; else the side with the well-known port is the one that was asked. */
static bool began_by_sender(uint16_t sport, uint16_t dport, const struct gh_tcp *tcp)
{
	if (tcp && tcp->flags & GH_SYN)
		return !(tcp->flags & GH_ACK);
	if (sport < 1024 && dport >= 1024)
		return false;
	if (dport < 1024 || !tcp)
		return true;
	return sport >= dport;
}

static struct gh_flow *open_flow(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip,
	uint16_t sport, uint16_t dport, const struct gh_tcp *tcp)
{
	if (t->n_flows >= GH_FLOWS_MAX) {
		struct gh_flow *f = dispensable(t);
		t->count.flows_closed_early += !f->line;
		gh_flow_close(t, f, "table_full");
	}
	struct gh_flow *f = gh_pool_zero(&t->pool, sizeof *f);
	if (!f && dispensable(t)) { /* its memory serves this one */
		t->count.flows_closed_early += !dispensable(t)->line;
		gh_flow_close(t, dispensable(t), "table_full");
		f = gh_pool_zero(&t->pool, sizeof *f);
	}
	if (!f)
		return NULL;
	bool by_sender = began_by_sender(sport, dport, tcp);
	f->a = by_sender ? ip->src : ip->dst;
	f->b = by_sender ? ip->dst : ip->src;
	f->pa = by_sender ? sport : dport;
	f->pb = by_sender ? dport : sport;
	f->proto = ip->proto;
	f->first_us = f->last_us = pkt->us;
	f->first_packet = pkt->number;
	f->first_at = pkt->at;
	f->row = t->count.flows++;
	f->uid = GH_NULL;
	struct gh_flow **at = &t->bucket[hash(t, &f->a, &f->b, f->pa, f->pb, f->proto)];
	f->chain = *at;
	*at = f;
	stand_last(t, f, 0);
	t->n_flows++;
	return f;
}

static bool same(const struct gh_flow *f, const struct gh_addr *a, const struct gh_addr *b, uint16_t pa, uint16_t pb)
{
	return f->pa == pa && f->pb == pb && gh_addr_eq(&f->a, a) && gh_addr_eq(&f->b, b);
}

static struct gh_flow *known_flow(
	struct gh_traffic *t, const struct gh_ip *ip, uint16_t sport, uint16_t dport, unsigned *ret_dir)
{
	struct gh_flow *f = t->bucket[hash(t, &ip->src, &ip->dst, sport, dport, ip->proto)];
	for (; f; f = f->chain) {
		if (f->proto != ip->proto)
			continue;
		*ret_dir = same(f, &ip->src, &ip->dst, sport, dport) ? 0 : 1;
		if (!*ret_dir || same(f, &ip->dst, &ip->src, dport, sport))
			return f;
	}
	return NULL;
}

/* A SYN with another sequence number under the numbers of a flow that has ended, or never answered, begins another. */
static bool begins_anew(const struct gh_flow *f, unsigned dir, const struct gh_packet *pkt, const struct gh_tcp *tcp)
{
	int64_t idle = f->proto == 6 ? TCP_IDLE_S : UDP_IDLE_S;
	if (pkt->us - f->last_us > idle * 1000000)
		return true;
	if (!tcp || (tcp->flags & (GH_SYN | GH_ACK | GH_RST)) != GH_SYN)
		return false;
	const struct gh_dir *d = &f->dir[dir];
	return d->begun && (!d->syn || d->isn != tcp->seq);
}

static void remember_app(struct gh_flow *f, const struct gh_packet *pkt)
{
	if (pkt->uid == GH_NULL || f->uid != GH_NULL)
		return;
	f->uid = pkt->uid;
	size_t n = gh_min(pkt->app.n, sizeof f->package - 1);
	if (pkt->app.p && n)
		memcpy(f->package, pkt->app.p, n);
}

struct gh_flow *gh_flow_find(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip, uint16_t sport,
	uint16_t dport, const struct gh_tcp *tcp, unsigned *ret_dir)
{
	expire(t, pkt->us);
	struct gh_flow *f = known_flow(t, ip, sport, dport, ret_dir);
	if (f && begins_anew(f, *ret_dir, pkt, tcp)) {
		gh_flow_close(t, f, "reused");
		f = NULL;
	}
	if (f)
		touch(t, f);
	else if (!(f = open_flow(t, pkt, ip, sport, dport, tcp)))
		return NULL;
	*ret_dir = same(f, &ip->src, &ip->dst, sport, dport) ? 0 : 1;
	struct gh_dir *d = &f->dir[*ret_dir];
	bool is_rst = tcp && tcp->flags & GH_RST;
	if (!is_rst) {
		if (!d->ttl)
			d->ttl = d->ttl_min = d->ttl_max = ip->ttl;
		d->ttl_min = (uint8_t)gh_min(d->ttl_min, ip->ttl);
		d->ttl_max = (uint8_t)gh_max(d->ttl_max, ip->ttl);
		d->last_us = pkt->us;
	}
	d->packets++;
	d->bytes += pkt->wire;
	if (pkt->us > f->last_us)
		f->last_us = pkt->us;
	remember_app(f, pkt);
	return f;
}

void gh_flow_name(struct gh_flow *f, struct gh_str name, const char *by)
{
	if (f->name[0] || !name.n)
		return;
	size_t n = gh_min(name.n, sizeof f->name - 1);
	for (size_t i = 0; i < n; i++) {
		char c = name.p[i];
		f->name[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c ? c : '?';
	}
	while (n && f->name[n - 1] == '.') /* the root's dot */
		n--;
	f->name[n] = 0;
	f->name_by = by;
}

void gh_flows_end(struct gh_traffic *t)
{
	for (unsigned i = 0; i < 2; i++)
		while (t->line[i].oldest)
			gh_flow_close(t, t->line[i].oldest, "open");
}

void gh_odd_flow(struct gh_traffic *t, struct gh_flow *f, uint64_t packet, uint64_t at, const char *kind, int64_t score,
	struct gh_str value)
{
	if (f && f->notes++ >= ODD_MAX) {
		f->notes = ODD_MAX;
		return;
	}
	GH_EMIT(t->ctx, traffic_oddities, at, .kind = gh_str(kind), .flow = f ? (int64_t)f->row : GH_NULL,
		.packet = (int64_t)packet, .score = score, .value = value);
}

void gh_odd(struct gh_traffic *t, const struct gh_here *h, const char *kind, int64_t score, struct gh_str value)
{
	gh_odd_flow(t, h->flow, h->pkt->number, h->pkt->at, kind, score, value);
}
