/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments of IP datagrams put together (RFC 791, 8200). Where two say different things about one byte, the first is kept and the
 * datagram is told. At most TABLE datagrams wait; the oldest is given up. */
#include "base/num.h"
#include "capture/traffic.h"

enum {
	TABLE = 32, /* unfinished at once: fragments of one datagram follow each other */
	PIECES = 64, /* of one datagram: 65,535 bytes in pieces of 1,024 */
	AGE_US = 30000000, /* RFC 791 recommends 15 s, Linux waits 30 */
};

struct datagram {
	struct gh_addr src, dst;
	uint32_t id, total; /* total: 0 until the last piece has come */
	uint8_t proto;
	bool used, conflict;
	int64_t us;
	struct gh_buf buf;
	unsigned n;
	struct piece {
		uint32_t from, to;
	} piece[PIECES];
};

struct gh_fragments {
	struct datagram list[TABLE];
	struct gh_buf whole; /* of the one handed out last */
};

bool gh_fragments_init(struct gh_traffic *t)
{
	t->fragments = gh_alloc(t->ctx->arena, sizeof *t->fragments);
	return t->fragments != NULL;
}

static void give_up(struct gh_traffic *t, struct datagram *d)
{
	gh_buf_free(&t->pool, &d->buf);
	d->used = false;
	t->count.fragments_lost++;
}

static struct datagram *find(struct gh_traffic *t, const struct gh_ip *ip, uint32_t id, int64_t us)
{
	struct datagram *best = &t->fragments->list[0];
	for (unsigned i = 0; i < TABLE; i++) {
		struct datagram *d = &t->fragments->list[i];
		if (d->used && d->id == id && d->proto == ip->proto && gh_addr_eq(&d->src, &ip->src) &&
			gh_addr_eq(&d->dst, &ip->dst) && us - d->us < AGE_US)
			return d;
		if (best->used && (!d->used || d->us < best->us))
			best = d;
	}
	if (best->used)
		give_up(t, best);
	*best = (struct datagram){.used = true, .src = ip->src, .dst = ip->dst, .id = id, .proto = ip->proto, .us = us};
	return best;
}

/* Puts p at off; bytes that were there stay, and a different copy is told. */
static bool put(struct gh_traffic *t, struct datagram *d, const uint8_t *p, uint32_t off, uint32_t n)
{
	static const uint8_t zeros[1024];
	while (d->buf.n < off + n)
		if (!gh_buf_add(&t->pool, &d->buf, zeros, gh_min(sizeof zeros, off + n - d->buf.n), 65536))
			return false;
	for (uint32_t i = 0; i < n; i++) {
		bool had = false;
		for (unsigned k = 0; k < d->n && !had; k++)
			had = off + i >= d->piece[k].from && off + i < d->piece[k].to;
		if (!had)
			d->buf.p[off + i] = p[i];
		else if (d->buf.p[off + i] != p[i])
			d->conflict = true;
	}
	d->piece[d->n++] = (struct piece){off, off + n};
	return true;
}

/* Do the pieces cover all of it? */
static bool complete(const struct datagram *d)
{
	uint32_t to = 0;
	for (unsigned round = 0; round < d->n && to < d->total; round++)
		for (unsigned k = 0; k < d->n; k++)
			if (d->piece[k].from <= to && d->piece[k].to > to)
				to = d->piece[k].to;
	return d->total && to >= d->total;
}

bool gh_fragment_add(
	struct gh_traffic *t, const struct gh_packet *pkt, struct gh_ip *ip, uint32_t id, uint32_t off, bool more)
{
	if (!off && ip->n < ip->wire) { /* cut by the snap length: the rest would never fit, but its headers are here */
		ip->fragmented = true;
		return true;
	}
	if (ip->n < ip->wire || off + ip->n > 65535 || !gh_step(t, ip->n)) {
		t->count.fragments_lost++;
		return false;
	}
	struct datagram *d = find(t, ip, id, pkt->us);
	if (d->n == PIECES || !put(t, d, ip->p, off, (uint32_t)ip->n)) {
		give_up(t, d);
		return false;
	}
	if (!more && !d->total)
		d->total = off + (uint32_t)ip->n;
	if (!complete(d))
		return false;
	gh_buf_free(&t->pool, &t->fragments->whole);
	t->fragments->whole = d->buf;
	d->used = false;
	ip->p = t->fragments->whole.p;
	ip->n = ip->wire = gh_min(d->total, t->fragments->whole.n);
	ip->fragmented = true;
	if (d->conflict) {
		t->count.overlaps++;
		gh_odd(t, &(struct gh_here){.pkt = pkt, .ip = ip}, "fragment_overlap", 0, GH_NONE);
	}
	return true;
}
