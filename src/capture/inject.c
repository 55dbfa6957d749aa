/* SPDX-License-Identifier: Apache-2.0 */
/* Resets that did not come from where they say: by the structure that published measurements describe, and by what the side they claim
 * to come from did afterwards. Points for each ground; inject.md lists grounds, points, sources and how often each was false. */
#include "capture/inject.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"

enum {
	CERTAIN = 100, /* from here on a finding */
	BURST_US = 50000,
	SOON_US = 500000, /* after the opening packet that is answered by it */
	TTL_FAR = 3, /* hops between two packets of one sender: routes change by one or two */
	RELATION_K = 13, /* of the published relation between window, identification and addresses */
};

struct weigh {
	struct gh_flow *f;
	int score;
	char text[400];
	size_t n;
};

static void ground(struct weigh *w, int points, const char *fmt, ...) GH_PRINTF(3, 4);

static void ground(struct weigh *w, int points, const char *fmt, ...)
{
	va_list ap;
	w->score += points;
	if (w->n && w->n + 2 < sizeof w->text)
		w->n += (size_t)snprintf(w->text + w->n, sizeof w->text - w->n, "; ");
	va_start(ap, fmt);
	int n = vsnprintf(w->text + w->n, sizeof w->text - w->n, fmt, ap);
	va_end(ap);
	w->n = gh_min(w->n + (size_t)(n > 0 ? n : 0), sizeof w->text - 1);
}

static void went_on(struct gh_flow *f, unsigned dir, const struct gh_tcp *tcp)
{
	for (uint32_t i = 0; f->rsts && i < f->rsts->n && i < GH_RSTS_KEPT; i++)
		if (f->rsts->list[i].dir == dir && (tcp->wire || tcp->flags & (GH_SYN | GH_FIN)))
			f->rsts->list[i].later = true;
}

void gh_inject_segment(struct gh_traffic *t, const struct gh_here *h, const struct gh_tcp *tcp)
{
	struct gh_flow *f = h->flow;
	if (!(tcp->flags & GH_RST)) {
		went_on(f, h->dir, tcp);
		return;
	}
	if (!f->rsts && !(f->rsts = gh_pool_zero(&t->pool, sizeof *f->rsts)))
		return;
	if (f->rsts->n < GH_RSTS_KEPT) {
		struct gh_rst *r = &f->rsts->list[f->rsts->n];
		*r = (struct gh_rst){.packet = h->pkt->number,
			.at = h->pkt->at,
			.us = h->pkt->us,
			.seq = tcp->seq,
			.ack = tcp->ack,
			.next = f->dir[h->dir].next,
			.win = tcp->win,
			.ipid = h->ip->ipid,
			.flags = tcp->flags,
			.ttl = h->ip->ttl,
			.dir = (uint8_t)h->dir,
			.n_data = (uint8_t)gh_min(tcp->n, sizeof r->data),
			.df = h->ip->df,
			.options = tcp->options};
		memcpy(r->data, tcp->p, r->n_data);
	}
	f->rsts->n++;
}

/* The address as a number, most significant byte first, or the other way round. */
static uint32_t as_number(const struct gh_addr *a, bool swapped)
{
	struct gh_cursor c = gh_cursor(a->b, 4, 0);
	return swapped ? gh_u32(&c) : gh_u32be(&c);
}

/* Identification, window and addresses in the relation of Ablove et al. (USENIX Security 2026), or of klzgrad (2010) without addresses. */
static bool related(const struct gh_flow *f, const struct gh_rst *r)
{
	const struct gh_addr *src = r->dir ? &f->b : &f->a, *dst = r->dir ? &f->a : &f->b;
	if (src->v != 4 || r->options || !r->win || (r->flags & 0x3f) != (GH_RST | GH_ACK))
		return false;
	if (r->ipid == (uint16_t)(65535u - RELATION_K * (uint32_t)r->win))
		return true;
	for (unsigned swapped = 0; swapped < 2; swapped++) {
		uint32_t sip = as_number(src, swapped), dip = as_number(dst, swapped);
		uint32_t value = r->win - dip % RELATION_K;
		if (r->win > dip % RELATION_K && r->ipid == (uint16_t)(65535u - value * RELATION_K + sip % r->win))
			return true;
	}
	return false;
}

/* The factor that three resets agree on, or 0. */
static int common_factor(const struct gh_flow *f, unsigned n)
{
	const struct gh_rst *r = f->rsts->list;
	if (n < 3 || (r->dir ? f->b.v : f->a.v) != 4)
		return 0;
	for (unsigned swapped = 0; swapped < 2; swapped++) {
		int found = 0;
		for (unsigned i = 1; i < n; i++) {
			uint32_t sip = as_number(r[i].dir ? &f->b : &f->a, swapped);
			int down = (int)r[i].win - (int)r[0].win;
			if (!r[0].win || !r[i].win || !down || r[i].dir != r[0].dir)
				return 0;
			int up = (int)r[0].ipid - (int)r[i].ipid + (int)(sip % r[i].win) - (int)(sip % r[0].win);
			if (up % down || (found && up / down != found))
				found = -1;
			else if (found >= 0)
				found = up / down;
		}
		if (found > 1)
			return found;
	}
	return 0;
}

static void by_structure(struct weigh *w, unsigned n)
{
	static const uint8_t ten[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0};
	const struct gh_rst *r = w->f->rsts->list;
	unsigned fits = 0, rising = 1;
	for (unsigned i = 0; i < n; i++) {
		fits += related(w->f, &r[i]);
		bool ack = (r[i].flags & 0x3f) == (GH_RST | GH_ACK);
		if (i && ack && r[i].dir == r[0].dir && r[i].win == r[i - 1].win + 1 && r[i].us - r[0].us < BURST_US)
			rising++;
		if (r[i].n_data == sizeof ten && memcmp(r[i].data, ten, sizeof ten) == 0)
			ground(w, CERTAIN, "the ten bytes 01 02 … 09 00 in a reset, as published of one injector");
	}
	int k = common_factor(w->f, n);
	if (fits)
		ground(w, fits > 1 ? CERTAIN : 50,
			"window, identification and addresses of %u reset%s fit the published relation", fits,
			fits == 1 ? "" : "s");
	else if (k == RELATION_K)
		ground(w, CERTAIN, "identification falls by %d for each step of the window", k);
	if (n >= 3 && rising >= 3 && (r[0].flags & 0x3f) == (GH_RST | GH_ACK))
		ground(w, CERTAIN, "%u resets within %d ms with windows that rise by one", rising, BURST_US / 1000);
}

static unsigned ttl_distance(const struct gh_dir *d, uint8_t ttl)
{
	if (!d->ttl)
		return 0;
	return ttl < d->ttl_min ? d->ttl_min - ttl : ttl > d->ttl_max ? ttl - d->ttl_max : 0;
}

/* Has the reset the client's own window and identification, turned round? */
static bool mirrors(const struct gh_flow *f, const struct gh_rst *r)
{
	const struct gh_dir *c = &f->dir[!r->dir];
	return c->syn && c->syn_ipid && c->syn_win && r->ipid == c->syn_ipid && r->win == c->syn_win;
}

static void by_sender(struct weigh *w, const struct gh_rst *r)
{
	const struct gh_dir *d = &w->f->dir[r->dir], *other = &w->f->dir[!r->dir];
	unsigned far = ttl_distance(d, r->ttl);
	int64_t opened = other->data_us && other->data_us <= r->us ? other->data_us : w->f->syn_us;
	if (r->later && far >= 2)
		ground(w, 80,
			"the side it claims to come from went on afterwards, with another time to live (%u, not %u)",
			r->ttl, d->ttl);
	if (far > TTL_FAR && opened && r->us >= opened && r->us - opened < SOON_US)
		ground(w, 60, "time to live %u where that side has %u, %lld ms after an opening packet", r->ttl, d->ttl,
			(long long)(r->us - opened) / 1000);
	if (mirrors(w->f, r))
		ground(w, 80, "it carries window %u and identification %u of the other side's SYN", r->win, r->ipid);
	if ((r->flags & 0x3f) == GH_RST && !r->df && !r->ipid && r->win == 0 && far > TTL_FAR)
		ground(w, 40, "a bare reset without identification, as published of one injector");
}

void gh_inject_end(struct gh_traffic *t, struct gh_flow *f)
{
	struct weigh w = {.f = f};
	if (!f->rsts)
		return;
	unsigned n = (unsigned)gh_min(f->rsts->n, GH_RSTS_KEPT);
	by_structure(&w, n);
	by_sender(&w, &f->rsts->list[0]);
	if (w.score)
		gh_odd_flow(t, f, f->rsts->list[0].packet, f->rsts->list[0].at,
			w.score >= CERTAIN ? "rst_injected" : "rst_odd", w.score, gh_strn(w.text, w.n));
}
