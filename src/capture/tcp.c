/* SPDX-License-Identifier: Apache-2.0 */
/* TCP (RFC 9293): streams put together from segments that come late, twice or overlap. Where two copies of a byte differ the first one
 * counts, and it is told: seen for what waits out of order and for the first KEPT bytes of a direction. */
#include "base/num.h"
#include "capture/inject.h"

enum {
	KEPT = 2048, /* handshakes and first answers: what an injector races for */
	KEPT_ALL = 14 << 20, /* of all flows: the rest of the memory is for what waits and is gathered */
	KEPT_UNTIL = 64 << 10, /* bytes of a direction after which its beginning is let go */
	WAITING_MAX = 64, /* segments that wait for one that is missing … */
	WAITING_BYTES = 192 << 10, /* … and their bytes: then the missing one counts as lost */
	WINDOW = 1 << 24, /* a segment further off is no part of the stream */
};

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static void keep(struct gh_traffic *t, struct gh_dir *d, const uint8_t *p, size_t n)
{
	if (d->stream >= KEPT || d->stream != d->n_kept)
		return;
	if (!d->kept && t->kept_bytes >= KEPT_ALL) {
		t->count.unkept++;
		return;
	}
	if (!d->kept && !(d->kept = gh_pool_get(&t->pool, KEPT)))
		return;
	if (!d->n_kept)
		t->kept_bytes += KEPT;
	n = gh_min(n, KEPT - d->n_kept);
	memcpy(d->kept + d->n_kept, p, n);
	d->n_kept += (uint32_t)n;
}

static void let_go(struct gh_traffic *t, struct gh_dir *d)
{
	if (!d->kept)
		return;
	gh_pool_put(&t->pool, d->kept, KEPT);
	d->kept = NULL;
	d->n_kept = KEPT; /* nothing is kept again */
	t->kept_bytes -= KEPT;
}

static void deliver(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_dir *d = &h->flow->dir[h->dir];
	if (!n)
		return;
	keep(t, d, p, n);
	d->stream += n;
	if (d->stream > KEPT_UNTIL)
		let_go(t, d);
	d->next += (uint32_t)n;
	if (!d->data_us)
		d->data_us = h->pkt->us;
	gh_app_data(t, h, p, n);
}

static void gap(struct gh_traffic *t, const struct gh_here *h, uint32_t lost)
{
	struct gh_dir *d = &h->flow->dir[h->dir];
	t->count.lost_bytes += lost;
	d->next += lost;
	let_go(t, d); /* nothing lies at its place any more */
	d->stream += lost;
	gh_app_gap(t, h, lost);
	h->flow->told_gap = true;
}

/* Does a copy of bytes that were delivered say something else? */
static void compare(struct gh_traffic *t, const struct gh_here *h, uint32_t seq, const uint8_t *p, size_t n)
{
	struct gh_dir *d = &h->flow->dir[h->dir];
	uint32_t start = d->next - (uint32_t)d->stream;
	uint32_t off = seq - start;
	if (!d->kept || off >= d->n_kept || h->flow->told_overlap)
		return;
	n = gh_min(n, d->n_kept - off);
	/* One byte of what went before is a keep-alive probe, with any content. */
	if (n <= 1 || memcmp(d->kept + off, p, n) == 0)
		return;
	h->flow->told_overlap = true;
	t->count.overlaps++;
	gh_odd(t, h, "tcp_overlap", 0, gh_strn(p, gh_min(n, 64)));
}

/* Segments that wait and whose turn has come. */
static void drain(struct gh_traffic *t, const struct gh_here *from, bool all)
{
	struct gh_dir *d = &from->flow->dir[from->dir];
	while (d->waiting && (all || !after(d->waiting->seq, d->next))) {
		struct gh_seg *s = d->waiting;
		struct gh_packet pkt = *from->pkt;
		struct gh_here h = *from;
		pkt.number = s->packet;
		pkt.at = s->at;
		h.pkt = &pkt;
		d->waiting = s->next;
		d->n_waiting--;
		d->waiting_bytes -= s->n;
		if (after(s->seq, d->next))
			gap(t, &h, s->seq - d->next);
		uint32_t skip = d->next - s->seq;
		if (skip)
			compare(t, &h, s->seq, s->p, gh_min(skip, s->n));
		if (skip < s->n)
			deliver(t, &h, s->p + skip, s->n - skip);
		if (s->lost && skip <= s->n)
			gap(t, &h, s->lost);
		gh_pool_put(&t->pool, s, sizeof *s + s->n);
	}
}

static void wait_for_turn(struct gh_traffic *t, const struct gh_here *h, const struct gh_tcp *tcp)
{
	struct gh_dir *d = &h->flow->dir[h->dir];
	struct gh_seg **at = &d->waiting, *s;
	while (*at && !after((*at)->seq, tcp->seq))
		at = &(*at)->next;
	if (d->n_waiting >= WAITING_MAX || d->waiting_bytes + tcp->n > WAITING_BYTES ||
		!(s = gh_pool_get(&t->pool, sizeof *s + tcp->n))) {
		t->count.waiting_dropped++;
		drain(t, h, true);
		if (after(tcp->seq, d->next))
			gap(t, h, tcp->seq - d->next);
		if (tcp->seq == d->next)
			deliver(t, h, tcp->p, tcp->n);
		return;
	}
	*s = (struct gh_seg){.next = *at,
		.seq = tcp->seq,
		.n = (uint32_t)tcp->n,
		.lost = (uint32_t)(tcp->wire - tcp->n),
		.packet = h->pkt->number,
		.at = h->pkt->at,
		.us = h->pkt->us};
	memcpy(s->p, tcp->p, tcp->n);
	*at = s;
	d->n_waiting++;
	d->waiting_bytes += (uint32_t)tcp->n;
}

static void payload(struct gh_traffic *t, const struct gh_here *h, const struct gh_tcp *tcp)
{
	struct gh_dir *d = &h->flow->dir[h->dir];
	if (!d->begun) {
		d->begun = true;
		d->next = tcp->seq;
	}
	uint32_t ahead = tcp->seq - d->next;
	if (ahead && ahead < WINDOW) {
		wait_for_turn(t, h, tcp);
		return;
	}
	uint32_t skip = d->next - tcp->seq;
	if (skip > WINDOW)
		return;
	if (skip)
		compare(t, h, tcp->seq, tcp->p, gh_min(skip, tcp->n));
	if (skip < tcp->n)
		deliver(t, h, tcp->p + skip, tcp->n - skip);
	if (tcp->wire > tcp->n && skip <= tcp->n)
		gap(t, h, (uint32_t)(tcp->wire - tcp->n));
	drain(t, h, false);
}

static bool parse(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip, struct gh_tcp *ret)
{
	struct gh_cursor c = gh_cursor(ip->p, ip->n, pkt->at);
	*ret = (struct gh_tcp){.sport = gh_u16be(&c), .dport = gh_u16be(&c)};
	ret->seq = gh_u32be(&c);
	ret->ack = gh_u32be(&c);
	unsigned head = gh_u8(&c) >> 4;
	ret->flags = gh_u8(&c);
	ret->win = gh_u16be(&c);
	gh_skip(&c, 4);
	bool whole = head >= 5 && head * 4u <= ip->wire;
	ret->options = head > 5;
	if (c.bad || !whole) {
		t->count.bad++;
		return false;
	}
	gh_seek(&c, gh_min(head * 4u, c.n));
	ret->p = c.p + c.i;
	ret->n = gh_left(&c);
	ret->wire = ip->wire - head * 4u;
	return true;
}

static void syn(struct gh_dir *d, const struct gh_packet *pkt, const struct gh_ip *ip, const struct gh_tcp *tcp,
	struct gh_flow *f)
{
	if (d->syn)
		return;
	d->syn = true;
	d->isn = tcp->seq;
	d->syn_win = tcp->win;
	d->syn_ipid = ip->ipid;
	if (!d->begun || !d->stream) {
		d->begun = true;
		d->next = tcp->seq + 1;
	}
	if (!f->syn_us)
		f->syn_us = pkt->us;
}

void gh_tcp_packet(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip)
{
	struct gh_tcp tcp;
	struct gh_here h = {.pkt = pkt, .ip = ip};
	if (!parse(t, pkt, ip, &tcp))
		return;
	h.flow = gh_flow_find(t, pkt, ip, tcp.sport, tcp.dport, &tcp, &h.dir);
	if (!h.flow)
		return;
	struct gh_dir *d = &h.flow->dir[h.dir];
	gh_inject_segment(t, &h, &tcp);
	if (tcp.flags & GH_RST) {
		h.flow->reset = true;
		gh_flow_ended(t, h.flow);
		return;
	}
	if (tcp.flags & GH_SYN) {
		syn(d, pkt, ip, &tcp, h.flow);
		tcp.seq++;
	}
	if (tcp.wire)
		payload(t, &h, &tcp);
	if (tcp.flags & GH_FIN)
		d->fin = true;
	/* Both said all: what was gathered is let go, the flow itself stays for what comes late. */
	if (d->fin && h.flow->dir[!h.dir].fin && !d->waiting && !h.flow->dir[!h.dir].waiting && !h.flow->closed) {
		h.flow->closed = true;
		gh_flow_ended(t, h.flow);
		let_go(t, &h.flow->dir[0]);
		let_go(t, &h.flow->dir[1]);
		gh_app_end(t, h.flow);
	}
}

void gh_tcp_finish(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_packet pkt = {.number = f->first_packet, .at = f->first_at, .us = f->last_us, .uid = GH_NULL};
	struct gh_ip ip = {.proto = f->proto};
	for (unsigned dir = 0; dir < 2; dir++) {
		struct gh_here h = {.pkt = &pkt, .ip = &ip, .flow = f, .dir = dir};
		drain(t, &h, true);
		let_go(t, &f->dir[dir]);
	}
	gh_inject_end(t, f);
}
