/* SPDX-License-Identifier: Apache-2.0 */
/* Link layers (tcpdump.org/linktypes.html): Ethernet with VLAN tags and PPPoE, BSD loopback, raw IP, Linux cooked v1 and v2, IEEE 802.11
 * with and without radiotap, Bluetooth HCI (counted only). */
#include "base/num.h"
#include "capture/traffic.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_OLD = 12,
	LINK_RAW = 101,
	LINK_80211 = 105,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_RADIOTAP = 127,
	LINK_HCI_H4 = 187,
	LINK_HCI_H4_PHDR = 201,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum {
	ETH_IPV4 = 0x0800,
	ETH_VLAN = 0x8100,
	ETH_IPV6 = 0x86dd,
	ETH_QINQ = 0x88a8,
	ETH_PPPOE = 0x8864,
	VLAN_DEPTH = 4, /* tags inside each other; networks use two */
};

static const struct {
	uint32_t link;
	const char *name;
} names[] = {{LINK_NULL, "null"}, {LINK_ETHERNET, "ethernet"}, {LINK_PPP, "ppp"}, {LINK_RAW_OLD, "raw"}, {14, "raw"},
	{LINK_RAW, "raw"}, {LINK_80211, "802.11"}, {LINK_LOOP, "loop"}, {LINK_SLL, "linux-sll"},
	{LINK_RADIOTAP, "radiotap"}, {LINK_HCI_H4, "bluetooth-h4"}, {LINK_HCI_H4_PHDR, "bluetooth-h4-phdr"},
	{LINK_IPV4, "ipv4"}, {LINK_IPV6, "ipv6"}, {LINK_SLL2, "linux-sll2"}};

const char *gh_link_name(uint32_t link)
{
	for (size_t i = 0; i < GH_COUNT(names); i++)
		if (names[i].link == link)
			return names[i].name;
	return NULL;
}

static void rest_as_ip(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	if (c->bad || !gh_left(c))
		t->count.bad++;
	else
		gh_ip_packet(t, pkt, c->p + c->i, gh_left(c), 0);
}

/* What follows an EtherType. */
static void ethertype(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c, uint16_t type)
{
	for (unsigned i = 0; i < VLAN_DEPTH && (type == ETH_VLAN || type == ETH_QINQ); i++) {
		gh_skip(c, 2);
		type = gh_u16be(c);
	}
	if (type == ETH_PPPOE) {
		gh_skip(c, 6);
		uint16_t ppp = gh_u16be(c);
		type = ppp == 0x21 ? ETH_IPV4 : ppp == 0x57 ? ETH_IPV6 : 0;
	}
	if (type == ETH_IPV4 || type == ETH_IPV6)
		rest_as_ip(t, pkt, c);
	else if (c->bad)
		t->count.bad++;
	else
		t->count.not_ip++;
}

static void ethernet(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	gh_skip(c, 12);
	ethertype(t, pkt, c, gh_u16be(c));
}

/* A number of the address family, in the byte order of the machine that captured; BSDs differ in that of IPv6. */
static void family(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	uint32_t f = gh_u32(c);
	if (f > 0xffff)
		f = __builtin_bswap32(f);
	if (f == 2 || f == 10 || f == 24 || f == 28 || f == 30)
		rest_as_ip(t, pkt, c);
	else if (c->bad)
		t->count.bad++;
	else
		t->count.not_ip++;
}

/* PPP (RFC 1661), with or without the address and control bytes of HDLC framing. */
static void ppp(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	if (gh_left(c) >= 2 && c->p[0] == 0xff && c->p[1] == 3)
		gh_skip(c, 2);
	uint16_t proto = gh_u8(c);
	if (!(proto & 1))
		proto = (uint16_t)(proto << 8 | gh_u8(c));
	ethertype(t, pkt, c, proto == 0x21 ? ETH_IPV4 : proto == 0x57 ? ETH_IPV6 : 0);
}

static void cooked(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	gh_skip(c, 14);
	ethertype(t, pkt, c, gh_u16be(c));
}

static void cooked2(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	uint16_t type = gh_u16be(c);
	gh_skip(c, 18);
	ethertype(t, pkt, c, type);
}

/* A data frame's LLC and SNAP headers lead to an EtherType; what WPA encrypts stays closed and is counted. */
static void wifi(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	uint8_t fc = gh_u8(c), flags = gh_u8(c);
	unsigned type = fc >> 2 & 3, sub = fc >> 4;
	gh_skip(c, 22);
	if ((flags & 3) == 3)
		gh_skip(c, 6);
	if (sub & 8)
		gh_skip(c, flags & 0x80 ? 6 : 2); /* QoS, and HT control */
	if (type != 2 || sub & 4) {
		t->count.not_ip++;
		return;
	}
	if (flags & 0x40) {
		t->count.encrypted_wifi++;
		return;
	}
	const uint8_t *llc = gh_bytes(c, 6);
	if (!llc || memcmp(llc, "\xaa\xaa\x03\0\0\0", 6) != 0)
		t->count.not_ip++;
	else
		ethertype(t, pkt, c, gh_u16be(c));
}

/* radiotap.org: a length in little endian stands at 2; the flags field says whether padding follows the 802.11 header. */
static void radiotap(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_cursor *c)
{
	gh_skip(c, 2);
	uint16_t n = gh_u16(c);
	gh_seek(c, n);
	if (n < 8 || c->bad)
		t->count.bad++;
	else
		wifi(t, pkt, c);
}

void gh_link_packet(struct gh_traffic *t, const struct gh_packet *pkt)
{
	struct gh_cursor c = gh_cursor(pkt->p, pkt->n, pkt->at);
	switch (pkt->link) {
	case LINK_ETHERNET:
		ethernet(t, pkt, &c);
		return;
	case LINK_NULL:
	case LINK_LOOP:
		family(t, pkt, &c);
		return;
	case LINK_RAW_OLD:
	case 14:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		rest_as_ip(t, pkt, &c);
		return;
	case LINK_PPP:
		ppp(t, pkt, &c);
		return;
	case LINK_SLL:
		cooked(t, pkt, &c);
		return;
	case LINK_SLL2:
		cooked2(t, pkt, &c);
		return;
	case LINK_80211:
		wifi(t, pkt, &c);
		return;
	case LINK_RADIOTAP:
		radiotap(t, pkt, &c);
		return;
	case LINK_HCI_H4:
	case LINK_HCI_H4_PHDR:
		t->count.bluetooth++;
		return;
	default:
		t->count.other_link++;
	}
}
