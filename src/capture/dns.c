/* SPDX-License-Identifier: Apache-2.0 */
/* DNS (RFC 1035, 6891 EDNS, 9460 HTTPS records) over UDP and TCP. What repeats what was told already
 * has no row of its own: a phone asks the same names all day. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/num.h"
#include "capture/dns.h"

enum {
	HEADER = 12,
	POINTERS = 64, /* jumps in one name; a real one has one or two */
	RECORDS = 512, /* of one message: 64 KiB hold more only when they are pointers to one name */
	ROWS = 1000000, /* messages told of one capture */
	VALUE = 512, /* bytes of a text record that are kept */
	T_A = 1,
	T_CNAME = 5,
	T_AAAA = 28,
	T_OPT = 41,
	T_HTTPS = 65,
};

bool gh_dns_name(const struct gh_dns *m, struct gh_cursor *c, char out[GH_DNS_NAME], size_t *ret_n)
{
	struct gh_cursor at = *c;
	size_t n = 0, labels = 0;
	unsigned jumps = 0;
	for (;;) {
		uint8_t len = gh_u8(&at);
		if (len >= 0xc0) {
			uint16_t to = (uint16_t)((len & 0x3f) << 8 | gh_u8(&at));
			if (!jumps)
				*c = at;
			if (at.bad || ++jumps > POINTERS || to >= m->n)
				break;
			at = gh_cursor(m->p, m->n, 0);
			gh_seek(&at, to);
			continue;
		}
		const uint8_t *p = len < 0x40 ? gh_bytes(&at, len) : NULL;
		if (!p || (labels += len + 1u) > 255)
			break;
		if (!len) {
			if (!jumps)
				*c = at;
			*ret_n = n;
			out[n] = 0;
			return !c->bad;
		}
		if (n)
			out[n++] = '.';
		memcpy(out + n, p, len);
		n += len;
	}
	c->bad = true;
	*ret_n = 0;
	out[0] = 0;
	return false;
}

static uint64_t mixed(const uint8_t *p, size_t n)
{
	return gh_str_hash(gh_strn(p, n)) | 1;
}

/* What a record of type 65 says beside its target. */
static size_t service(struct gh_cursor c, const struct gh_dns *m, char *out, size_t cap)
{
	char name[GH_DNS_NAME];
	size_t n;
	int len = snprintf(out, cap, "%u", gh_u16be(&c));
	if (gh_dns_name(m, &c, name, &n))
		while (!c.bad && gh_left(&c) >= 4 && len > 0 && (size_t)len < cap) {
			uint16_t key = gh_u16be(&c);
			gh_skip(&c, gh_u16be(&c));
			static const char *const words[] = {
				"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"};
			if (key < GH_COUNT(words) && !c.bad)
				len += snprintf(out + len, cap - (size_t)len, " %s", words[key]);
		}
	return gh_min((size_t)(len > 0 ? len : 0), cap - 1);
}

/* The value of a record as text; p NULL where there is none to show. */
static struct gh_str value(const struct gh_dns *m, struct gh_cursor rd, uint16_t type, char *buf)
{
	size_t n = 0;
	const uint8_t *p = rd.p;
	switch (type) {
	case T_A:
		return rd.n == 4 && inet_ntop(AF_INET, p, buf, 48) ? gh_str(buf) : GH_NONE;
	case T_AAAA:
		return rd.n == 16 && inet_ntop(AF_INET6, p, buf, 48) ? gh_str(buf) : GH_NONE;
	case 2:
	case T_CNAME:
	case 12: {
		struct gh_cursor c = gh_cursor(m->p, m->n, 0);
		gh_seek(&c, (uint64_t)(rd.p - m->p));
		return gh_dns_name(m, &c, buf, &n) ? gh_strn(buf, n) : GH_NONE;
	}
	case 10:
	case 16:
		return gh_strn(p, gh_min(rd.n, VALUE));
	case 64:
	case T_HTTPS: {
		struct gh_cursor c = gh_cursor(m->p, (size_t)(rd.p - m->p) + rd.n, 0);
		gh_seek(&c, (uint64_t)(rd.p - m->p));
		return gh_strn(buf, service(c, m, buf, GH_DNS_NAME));
	}
	}
	return GH_NONE;
}

/* Two sums of the same bytes. The place must be the same in each run; the keyed one cannot be made to meet another by who makes the
 * input, who would hide a name behind one that was told. */
static void sum_add(const struct gh_traffic *t, struct gh_dns *m, const void *p, size_t n)
{
	uint64_t id = gh_flow_mix(t->key[0] ^ m->id_sum, t->key[1] ^ n);
	for (const uint8_t *at = p; n; at += gh_min(n, 8), n -= gh_min(n, 8)) {
		uint64_t v = 0;
		memcpy(&v, at, gh_min(n, 8));
		id = gh_flow_mix(id ^ v, t->key[1] ^ 0x9e3779b97f4a7c15u);
		m->slot = (m->slot ^ v) * 0x9e3779b97f4a7c15u;
		m->slot ^= m->slot >> 29;
	}
	m->id_sum = id;
}

static void client_of(const struct gh_here *h, const struct gh_dns *m, const struct gh_addr **ret_client,
	const struct gh_addr **ret_server)
{
	bool back = (h->dir != 0) != m->response;
	*ret_client = back ? &h->flow->b : &h->flow->a;
	*ret_server = back ? &h->flow->a : &h->flow->b;
}

/* A record is told where the last one that led this client to this value had another name or type. */
static void tell_record(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m, struct gh_str name,
	uint16_t type, uint32_t ttl, struct gh_cursor rd)
{
	char buf[GH_DNS_NAME], text[48];
	const struct gh_addr *client, *server;
	struct gh_dns *sum = &(struct gh_dns){0};
	client_of(h, m, &client, &server);
	sum_add(t, sum, client->b, 16);
	struct gh_str v = value(m, rd, type, buf);
	sum_add(t, sum, v.p, v.p ? v.n : 0);
	uint64_t slot = sum->slot;
	sum_add(t, sum, &type, sizeof type);
	sum_add(t, sum, m->qname, m->qname_n);
	sum_add(t, sum, name.p, name.n);
	if (!gh_dns_new(t, slot, sum->id_sum))
		return;
	gh_addr_text(client, text);
	GH_EMIT(t->ctx, dns_answers, h->pkt->at, .flow = (int64_t)h->flow->row, .packet = (int64_t)h->pkt->number,
		.us = h->pkt->us, .client = gh_str(text), .qname = gh_strn(m->qname, m->qname_n), .name = name,
		.type = type, .ttl = ttl, .value = v);
}

static void record(struct gh_traffic *t, const struct gh_here *h, struct gh_dns *m, struct gh_cursor *c, bool answer)
{
	char name[GH_DNS_NAME];
	size_t n;
	if (!gh_dns_name(m, c, name, &n))
		return;
	uint16_t type = gh_u16be(c);
	gh_skip(c, 2);
	uint32_t ttl = gh_u32be(c);
	struct gh_cursor rd = gh_sub(c, gh_u16be(c));
	if (c->bad)
		return;
	m->opt |= type == T_OPT;
	if (!answer)
		return;
	m->records++;
	if ((type == T_A && rd.n == 4) || (type == T_AAAA && rd.n == 16)) {
		m->addresses++;
		m->set += mixed(rd.p, rd.n);
		m->teredo |= type == T_AAAA && memcmp(rd.p, "\x20\x01\0\0", 4) == 0;
		m->other_type |= type == T_A && m->qtype != T_A && m->qtype != 255 && m->qtype != T_HTTPS;
	}
	if (t->count.dns < ROWS)
		tell_record(t, h, m, gh_strn(name, n), type, ttl, rd);
}

static void question(struct gh_dns *m, struct gh_cursor *c)
{
	if (!m->qd)
		return;
	if (!gh_dns_name(m, c, m->qname, &m->qname_n))
		return;
	m->qtype = gh_u16be(c);
	m->qclass = gh_u16be(c);
	if (!c->bad)
		m->question_end = c->i;
	for (unsigned i = 1; i < m->qd && !c->bad && gh_left(c); i++) {
		char name[GH_DNS_NAME];
		size_t n;
		(void)!gh_dns_name(m, c, name, &n);
		gh_skip(c, 4);
	}
}

static void emit_message(struct gh_traffic *t, const struct gh_here *h, struct gh_dns *m, bool tcp)
{
	char server[48], client[48];
	const struct gh_addr *a, *b;
	client_of(h, m, &a, &b);
	uint8_t shared[] = {m->response, m->response ? m->flags & 15 : 0, tcp, m->question_end != 0,
		(uint8_t)(m->qtype >> 8), (uint8_t)m->qtype};
	sum_add(t, m, shared, sizeof shared);
	sum_add(t, m, a->b, 16);
	sum_add(t, m, b->b, 16);
	sum_add(t, m, m->qname, m->qname_n);
	if (t->count.dns >= ROWS ||
		(m->question_end && !gh_dns_new(t, m->slot, m->id_sum))) /* what is malformed is told each time */
		return;
	t->count.dns++;
	gh_addr_text(b, server);
	gh_addr_text(a, client);
	GH_EMIT(t->ctx, dns_messages, h->pkt->at, .flow = (int64_t)h->flow->row, .packet = (int64_t)h->pkt->number,
		.us = h->pkt->us, .transport = gh_str(tcp ? "tcp" : "udp"), .txid = m->id, .response = m->response,
		.rcode = m->response ? m->flags & 15 : GH_NULL, .client = gh_str(client), .server = gh_str(server),
		.qname = m->question_end ? gh_strn(m->qname, m->qname_n) : GH_NONE,
		.qtype = m->question_end ? m->qtype : GH_NULL, .answers = m->an, .size = (int64_t)m->wire);
}

void gh_dns_message(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n, size_t wire, bool tcp)
{
	struct gh_dns m = {.p = p, .n = n, .wire = wire};
	struct gh_cursor c = gh_cursor(p, n, 0);
	m.id = gh_u16be(&c);
	m.flags = gh_u16be(&c);
	m.qd = gh_u16be(&c);
	m.an = gh_u16be(&c);
	m.ns = gh_u16be(&c);
	m.ar = gh_u16be(&c);
	if (c.bad || !gh_step(t, 1 + n / 16)) {
		t->count.bad++;
		return;
	}
	m.response = m.flags >> 15;
	m.cut = n < wire || (m.response && m.flags & 0x200);
	question(&m, &c);
	emit_message(t, h, &m, tcp);
	unsigned total = (unsigned)gh_min((unsigned)m.an + m.ns + m.ar, RECORDS);
	for (unsigned i = 0; i < total && !c.bad && gh_left(&c); i++)
		record(t, h, &m, &c, m.response && i < m.an);
	if (!tcp)
		gh_dns_pair(t, h, &m);
	if (!m.response)
		gh_leak_search(t, h, "dns name", (const uint8_t *)m.qname, m.qname_n);
}

void gh_dhcp_message(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	uint8_t op = gh_u8(&c);
	gh_seek(&c, 236);
	if (gh_u32be(&c) != 0x63825363 || c.bad || op != 2)
		return;
	while (!c.bad && gh_left(&c)) {
		uint8_t code = gh_u8(&c);
		if (code == 255)
			return;
		if (!code)
			continue;
		struct gh_cursor v = gh_sub(&c, gh_u8(&c));
		for (; code == 6 && gh_left(&v) >= 4;) {
			char text[48] = "";
			const uint8_t *a = gh_bytes(&v, 4);
			if (a && gh_resolver_new(t, a) && inet_ntop(AF_INET, a, text, sizeof text))
				GH_EMIT(t->ctx, resolvers, h->pkt->at, .address = gh_str(text), .by = GH_STR("dhcp"),
					.packet = (int64_t)h->pkt->number);
		}
	}
}
