/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 (RFC 791) and IPv6 (RFC 8200) with extension headers, tunnels in them (IP in IP, 6in4, GRE), and UDP (RFC 768). */
#include <arpa/inet.h>
#include <string.h>

#include "base/num.h"
#include "capture/traffic.h"

enum {
	P_ICMP = 1,
	P_IPIP = 4,
	P_TCP = 6,
	P_UDP = 17,
	P_IPV6 = 41,
	P_GRE = 47,
	P_ICMP6 = 58,
	TUNNELS = 4, /* inside each other */
	HEADERS = 12, /* extension headers of one IPv6 packet; real ones have three at most */
};

void gh_addr_text(const struct gh_addr *a, char out[48])
{
	out[0] = 0;
	inet_ntop(a->v == 4 ? AF_INET : AF_INET6, a->b, out, 48);
}

bool gh_addr_eq(const struct gh_addr *a, const struct gh_addr *b)
{
	return a->v == b->v && memcmp(a->b, b->b, 16) == 0;
}

bool gh_addr_local(const struct gh_addr *a)
{
	const uint8_t *b = a->b;
	if (a->v == 4)
		return b[0] == 10 || b[0] == 127 || b[0] == 0 || b[0] >= 224 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
		       (b[0] == 100 && (b[1] & 0xc0) == 64);
	static const uint8_t zero[15];
	return b[0] == 0xff || (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
	       (memcmp(b, zero, 15) == 0 && b[15] <= 1);
}

static void udp(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip)
{
	struct gh_cursor c = gh_cursor(ip->p, ip->n, pkt->at);
	uint16_t sport = gh_u16be(&c), dport = gh_u16be(&c), len = gh_u16be(&c);
	gh_skip(&c, 2);
	if (c.bad || len < 8) {
		t->count.bad++;
		return;
	}
	struct gh_here h = {.pkt = pkt, .ip = ip};
	h.flow = gh_flow_find(t, pkt, ip, sport, dport, NULL, &h.dir);
	if (h.flow)
		gh_app_datagram(t, &h, c.p + c.i, gh_min(gh_left(&c), len - 8u), len - 8u);
}

static void icmp(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip)
{
	unsigned dir;
	(void)gh_flow_find(t, pkt, ip, 0, 0, NULL, &dir);
}

static void gre(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip)
{
	struct gh_cursor c = gh_cursor(ip->p, ip->n, pkt->at);
	uint16_t flags = gh_u16be(&c), type = gh_u16be(&c);
	gh_skip(&c, (flags & 0x8000 ? 4u : 0u) + (flags & 0x2000 ? 4u : 0u) + (flags & 0x1000 ? 4u : 0u));
	if (c.bad || flags & 7 || (type != 0x0800 && type != 0x86dd))
		t->count.not_ip++;
	else
		gh_ip_packet(t, pkt, c.p + c.i, gh_left(&c), ip->depth + 1);
}

static void transport(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip)
{
	switch (ip->proto) {
	case P_TCP:
		gh_tcp_packet(t, pkt, ip);
		return;
	case P_UDP:
		udp(t, pkt, ip);
		return;
	case P_IPIP:
	case P_IPV6:
		gh_ip_packet(t, pkt, ip->p, ip->n, ip->depth + 1);
		return;
	case P_GRE:
		gre(t, pkt, ip);
		return;
	default: /* ICMP and all others: counted as flows between two addresses */
		icmp(t, pkt, ip);
	}
}

static void ipv4(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor c, unsigned depth)
{
	struct gh_ip ip = {.src.v = 4, .dst.v = 4, .depth = depth};
	unsigned head = (gh_u8(&c) & 15u) * 4u;
	gh_skip(&c, 1);
	uint16_t total = gh_u16be(&c);
	ip.ipid = gh_u16be(&c);
	uint16_t frag = gh_u16be(&c);
	ip.ttl = gh_u8(&c);
	ip.proto = gh_u8(&c);
	gh_skip(&c, 2);
	const uint8_t *a = gh_bytes(&c, 8);
	if (!total) /* written by segmentation offload: the frame says how much it is */
		total = (uint16_t)gh_min(c.n, 65535);
	gh_seek(&c, head);
	if (!a || c.bad || head < 20 || total < head) {
		t->count.bad++;
		return;
	}
	memcpy(ip.src.b, a, 4);
	memcpy(ip.dst.b, a + 4, 4);
	ip.df = frag & 0x4000;
	ip.p = c.p + c.i;
	ip.wire = total - head;
	ip.n = gh_min(gh_left(&c), ip.wire);
	if (frag & 0x3fff) {
		t->count.fragments++;
		if (!gh_fragment_add(t, pkt, &ip, ip.ipid, (frag & 0x1fffu) * 8u, frag & 0x2000))
			return;
	}
	transport(t, pkt, &ip);
}

/* Steps over extension headers; false: nothing more to read. A fragment header ends it with *frag set. */
static bool headers6(struct gh_cursor *c, uint8_t *proto, uint32_t *ret_id, uint32_t *ret_off, bool *ret_frag)
{
	for (unsigned i = 0; i < HEADERS; i++) {
		uint8_t p = *proto;
		if (p == 44) {
			*proto = gh_u8(c);
			gh_skip(c, 1);
			*ret_off = gh_u16be(c);
			*ret_id = gh_u32be(c);
			*ret_frag = (*ret_off & 0xfff9) != 0;
			if (*ret_frag)
				return !c->bad;
		} else if (p == 0 || p == 43 || p == 60 || p == 135) {
			*proto = gh_u8(c);
			gh_skip(c, gh_u8(c) * 8u + 6u);
		} else if (p == 51) {
			*proto = gh_u8(c);
			gh_skip(c, gh_u8(c) * 4u + 6u);
		} else
			return !c->bad;
	}
	return false;
}

static void ipv6(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor c, unsigned depth)
{
	struct gh_ip ip = {.src.v = 6, .dst.v = 6, .depth = depth};
	gh_skip(&c, 4);
	size_t payload = gh_u16be(&c);
	ip.proto = gh_u8(&c);
	ip.ttl = gh_u8(&c);
	const uint8_t *a = gh_bytes(&c, 32);
	if (!a) {
		t->count.bad++;
		return;
	}
	memcpy(ip.src.b, a, 16);
	memcpy(ip.dst.b, a + 16, 16);
	if (!payload) /* a jumbogram, or offloaded */
		payload = gh_left(&c);
	size_t missing = payload - gh_min(payload, gh_left(&c));
	struct gh_cursor body = gh_sub(&c, gh_min(payload, gh_left(&c)));
	uint32_t id = 0, off = 0;
	bool frag = false;
	if (!headers6(&body, &ip.proto, &id, &off, &frag)) {
		t->count.bad++;
		return;
	}
	ip.p = body.p + body.i;
	ip.n = gh_left(&body);
	ip.wire = ip.n + missing;
	if (frag) {
		t->count.fragments++;
		if (!gh_fragment_add(t, pkt, &ip, id, off & 0xfff8, off & 1))
			return;
	}
	transport(t, pkt, &ip);
}

void gh_ip_packet(struct gh_traffic *t, const struct gh_packet *pkt, const uint8_t *p, size_t n, unsigned depth)
{
	struct gh_cursor c = gh_cursor(p, n, pkt->at), v = c;
	unsigned version = gh_u8(&v) >> 4;
	if (depth > TUNNELS || v.bad || (version != 4 && version != 6))
		t->count.bad++;
	else if (version == 4)
		ipv4(t, pkt, c, depth);
	else
		ipv6(t, pkt, c, depth);
}
