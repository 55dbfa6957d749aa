/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and their answers side by side: answers that disagree, and answers whose question is not the one that was asked. */
#include <stdio.h>

#include "base/num.h"
#include "capture/dns.h"

enum {
	PAIRS = 2048, /* a power of two; queries remembered, the older one goes when two meet in one place */
	SERVERS = 64, /* whose ways of answering are remembered */
	BODY = 320, /* bytes of a query behind its header that are kept */
	WINDOW_US = 2000000, /* two answers further apart are answers to two queries */
	KNOWN = 3, /* answers after which a server's usual distance is known */
	SEEN = 65536, /* a power of two; messages and records that were told: where two meet in one place both are told again */
	RESOLVERS = 64, /* that a network gives; more are told again and again */
	RR = 16, /* a single A record that points to the question */
	RR6 = 28,
	FORGED = 100,
};

struct answer {
	uint64_t packet;
	int64_t us;
	uint64_t set;
	unsigned addresses;
	uint16_t rcode;
	uint8_t ttl;
	bool df, id_zero;
};

struct pair {
	struct gh_addr client, server;
	uint16_t port, id, qtype;
	bool used, well_formed, opt, told;
	uint16_t question_end, n; /* n: bytes of the query message */
	int64_t us;
	uint8_t body[BODY];
	struct answer first;
};

struct server {
	struct gh_addr addr;
	uint32_t n;
	uint8_t ttl_min, ttl_max;
	bool single_always; /* nothing but single records came so far */
};

struct gh_dns_state {
	struct pair pair[PAIRS];
	struct server server[SERVERS];
	uint8_t resolver[RESOLVERS][4];
	unsigned n_resolvers;
	uint64_t seen[SEEN];
};

bool gh_dns_init(struct gh_traffic *t)
{
	t->dns = gh_alloc(t->ctx->arena, sizeof *t->dns);
	return t->dns != NULL;
}

bool gh_dns_new(struct gh_traffic *t, uint64_t slot, uint64_t id)
{
	uint64_t *seen = &t->dns->seen[(slot ^ slot >> 32) & (SEEN - 1)];
	if (*seen == id)
		return false;
	*seen = id;
	return true;
}

bool gh_resolver_new(struct gh_traffic *t, const uint8_t *v4)
{
	struct gh_dns_state *d = t->dns;
	for (unsigned i = 0; i < d->n_resolvers; i++)
		if (memcmp(d->resolver[i], v4, 4) == 0)
			return false;
	if (d->n_resolvers < RESOLVERS)
		memcpy(d->resolver[d->n_resolvers++], v4, 4);
	return true;
}

static struct pair *place(struct gh_traffic *t, const struct gh_addr *client, uint16_t port, uint16_t id)
{
	uint64_t x[2];
	memcpy(x, client->b, 16);
	uint64_t k = (x[0] ^ x[1] ^ t->key[0]) + ((uint64_t)port << 16 | id) * 0x9e3779b97f4a7c15u;
	return &t->dns->pair[(k ^ k >> 29) * 0xbf58476d1ce4e5b9u >> 40 & (PAIRS - 1)];
}

static void remember(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m)
{
	uint16_t port = h->dir ? h->flow->pb : h->flow->pa;
	const struct gh_addr *client = h->dir ? &h->flow->b : &h->flow->a;
	struct pair *p = place(t, client, port, m->id);
	size_t n = m->n - gh_min(m->n, 12);
	bool again = p->used && p->id == m->id && p->port == port && gh_addr_eq(&p->client, client) && n <= BODY &&
		     p->n == m->wire && memcmp(p->body, m->p + 12, n) == 0;
	if (again) /* sent a second time: two answers may follow, and agree or not */
		return;
	*p = (struct pair){.used = !m->cut && n <= BODY,
		.client = *client,
		.server = h->dir ? h->flow->a : h->flow->b,
		.port = port,
		.id = m->id,
		.qtype = m->qtype,
		.well_formed = m->question_end != 0 && m->qd == 1,
		.opt = m->opt,
		.question_end = (uint16_t)m->question_end,
		.n = (uint16_t)m->wire,
		.us = h->pkt->us};
	memcpy(p->body, m->p + 12, gh_min(n, BODY));
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool same_text(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* Bytes of the answer that belong to its question: all but a single address record at its end, if there is one. */
static size_t question_size(const struct gh_dns *m)
{
	size_t n = m->n - 12;
	const uint8_t *p = m->p + 12;
	if (n >= RR && memcmp(p + n - RR, "\xc0\x0c\0\x01\0\x01", 6) == 0 && memcmp(p + n - 6, "\0\x04", 2) == 0)
		return n - RR;
	if (n >= RR6 && memcmp(p + n - RR6, "\xc0\x0c\0\x1c\0\x01", 6) == 0 && memcmp(p + n - 18, "\0\x10", 2) == 0)
		return n - RR6;
	return n;
}

/* An answer repeats its question (RFC 1035, 4.1.2). More bytes than were asked came out of the memory of who answered. */
static void over_read(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m, struct pair *p)
{
	size_t asked = p->well_formed ? p->question_end - 12u : p->n - 12u;
	size_t got = p->well_formed && m->question_end ? m->question_end - 12 : question_size(m);
	if (!m->qd || p->told)
		return;
	bool begins = got >= asked && same_text(m->p + 12, p->body, asked);
	if (begins && got == asked)
		return;
	p->told = true;
	if (begins && !p->well_formed)
		gh_odd(t, h, "dns_over_read", FORGED, gh_strn(m->p + 12 + asked, got - asked));
	else if (p->well_formed)
		gh_odd(t, h, "dns_question_differs", 50, gh_strn(m->p + 12, gh_min(got, 300)));
}

static void two_answers(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m, struct pair *p)
{
	const struct answer *a = &p->first;
	char text[300 + GH_DNS_NAME];
	uint16_t rcode = m->flags & 15;
	if (!a->us || h->pkt->us - a->us > WINDOW_US || p->told)
		return;
	bool differ = a->set != m->set || a->rcode != rcode;
	unsigned far = a->ttl > h->ip->ttl ? a->ttl - h->ip->ttl : h->ip->ttl - a->ttl;
	bool ways = far >= 2 || a->df != h->ip->df || a->id_zero != !h->ip->ipid;
	if (!differ || (!a->addresses && !m->addresses))
		return;
	p->told = true;
	snprintf(text, sizeof text,
		"two answers within %lld ms to one query, with different addresses: time to live %u and %u, "
		"identification "
		"%szero and %szero, packets %llu and %llu, asked for %.*s",
		(long long)(h->pkt->us - a->us) / 1000, a->ttl, h->ip->ttl, a->id_zero ? "" : "not ",
		h->ip->ipid ? "not " : "", (unsigned long long)a->packet, (unsigned long long)h->pkt->number,
		(int)m->qname_n, m->qname);
	gh_odd(t, h, ways ? "dns_forged" : "dns_two_answers", ways ? FORGED : 10, gh_str(text));
}

static struct server *server_of(struct gh_traffic *t, const struct gh_addr *a)
{
	struct server *free_one = NULL;
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server *s = &t->dns->server[i];
		if (s->n && gh_addr_eq(&s->addr, a))
			return s;
		if (!s->n && !free_one)
			free_one = s;
	}
	if (free_one)
		*free_one = (struct server){.addr = *a};
	return free_one;
}

/* Alone these decide nothing: they are written down with their points. */
static void shape(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m, struct pair *p)
{
	struct server *s = server_of(t, &p->server);
	char text[200 + GH_DNS_NAME];
	bool usual = s && s->n >= KNOWN;
	uint8_t ttl = h->ip->ttl;
	bool far = usual && (ttl + 3 < s->ttl_min || ttl > s->ttl_max + 3);
	bool single = m->an == 1 && !m->ns && !m->ar && m->addresses == 1;
	int score = (single && p->opt && !m->opt && far ? 40 : 0) +
		    (m->other_type && m->records == 1 && p->well_formed ? FORGED : 0) + (m->teredo ? FORGED : 0);
	if (score && !p->told) {
		snprintf(text, sizeof text, "%s%s%s, asked for %.*s",
			m->other_type ? "an address record answers a question of another type; " : "",
			m->teredo ? "an address of 2001::/32, where no public server is; " : "",
			far ? "a time to live that this server's answers do not have" : "", (int)m->qname_n, m->qname);
		p->told = score >= FORGED;
		gh_odd(t, h, score >= FORGED ? "dns_forged" : "dns_odd", score, gh_str(text));
	}
	if (!s)
		return;
	s->ttl_min = s->n ? (uint8_t)gh_min(s->ttl_min, ttl) : ttl;
	s->ttl_max = s->n ? (uint8_t)gh_max(s->ttl_max, ttl) : ttl;
	s->n++;
}

static void answer(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m)
{
	uint16_t port = h->dir ? h->flow->pa : h->flow->pb;
	const struct gh_addr *client = h->dir ? &h->flow->a : &h->flow->b;
	struct pair *p = place(t, client, port, m->id);
	if (!p->used || p->id != m->id || p->port != port || !gh_addr_eq(&p->client, client) ||
		!gh_addr_eq(&p->server, h->dir ? &h->flow->b : &h->flow->a))
		return;
	if (!m->cut && !h->ip->fragmented)
		over_read(t, h, m, p);
	two_answers(t, h, m, p);
	shape(t, h, m, p);
	if (!p->first.us)
		p->first = (struct answer){.packet = h->pkt->number,
			.us = h->pkt->us ? h->pkt->us : 1,
			.set = m->set,
			.addresses = m->addresses,
			.rcode = m->flags & 15,
			.ttl = h->ip->ttl,
			.df = h->ip->df,
			.id_zero = !h->ip->ipid};
}

void gh_dns_pair(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m)
{
	if (m->response)
		answer(t, h, m);
	else
		remember(t, h, m);
}
