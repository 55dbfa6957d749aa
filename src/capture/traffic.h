/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: what the layers share. */
#ifndef GH_CAPTURE_TRAFFIC_H
#define GH_CAPTURE_TRAFFIC_H

#include "capture/capture.h"
#include "capture/pool.h"

enum {
	GH_FLOWS_MAX = 16384, /* open at once; the one that was silent longest is closed to make room */
	GH_FLOW_ROWS_MAX = 250000, /* in the tables of one capture; more are counted only */
	GH_POOL_SIZE = 40 << 20, /* all state of flows; with the reader's window a capture stays below 64 MiB */
	GH_RSTS_KEPT = 6, /* of one flow: injectors send one to three */
};

struct gh_addr {
	uint8_t b[16];
	uint8_t v; /* 4, 6; 0: none */
};

/* An IP datagram, whole or put together. */
struct gh_ip {
	struct gh_addr src, dst;
	uint8_t proto, ttl;
	uint16_t ipid; /* 0 for IPv6 */
	bool df, fragmented;
	const uint8_t *p; /* payload */
	size_t n; /* captured */
	size_t wire; /* as the header says */
	unsigned depth; /* of tunnels */
};

struct gh_tcp {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t win;
	uint8_t flags;
	bool options;
	const uint8_t *p;
	size_t n, wire; /* of the payload */
};

enum { GH_FIN = 1, GH_SYN = 2, GH_RST = 4, GH_PSH = 8, GH_ACK = 16 };

/* Bytes that came too early. */
struct gh_seg {
	struct gh_seg *next;
	uint32_t seq, n, lost; /* lost: bytes of it that the snap length cut off, behind the n */
	uint64_t packet, at;
	int64_t us;
	uint8_t p[];
};

struct gh_dir {
	uint64_t packets, bytes; /* bytes of frames on the wire */
	int64_t last_us; /* of the last packet */
	uint64_t stream; /* bytes delivered in order */
	uint32_t next; /* sequence number awaited */
	uint32_t isn;
	uint16_t syn_win, syn_ipid;
	bool syn, begun, fin, ended; /* begun: next is known */
	uint8_t ttl; /* of its first packet */
	uint8_t ttl_min, ttl_max; /* without resets */
	struct gh_seg *waiting;
	uint32_t n_waiting, waiting_bytes;
	uint8_t *kept; /* the first bytes delivered, to compare copies with */
	uint32_t n_kept;
	int64_t data_us; /* first payload */
};

struct gh_rst {
	uint64_t packet, at;
	int64_t us;
	uint32_t seq, ack, next; /* next: what was awaited then */
	uint16_t win, ipid;
	uint8_t flags, ttl, dir, n_data;
	bool df, options, later; /* later: its side went on with other packets behind it */
	uint8_t data[16];
};

struct gh_rsts {
	uint32_t n;
	struct gh_rst list[GH_RSTS_KEPT];
};

struct gh_app;

struct gh_flow {
	struct gh_flow *chain, *newer, *older;
	struct gh_addr a, b; /* a began it, as far as can be told */
	uint16_t pa, pb;
	uint8_t proto;
	bool closed, reset;
	uint8_t line; /* which of the lines it stands in */
	int64_t first_us, last_us, syn_us;
	uint64_t first_packet, first_at, row; /* row: its number in table flows */
	struct gh_dir dir[2]; /* 0: from a */
	struct gh_rsts *rsts;
	struct gh_app *app; /* what speaks in it; NULL: nothing known yet */
	int64_t uid;
	char package[24]; /* PCAPdroid gives 20 bytes */
	const char *protocol; /* a word; NULL: not known */
	char name[256]; /* of b, as the flow itself tells; "" not known */
	const char *name_by;
	bool told_gap, told_overlap;
	bool inside; /* what is read now lay inside TLS: nobody else can read it */
	uint8_t notes; /* oddities told of it, bounded */
	uint32_t hello_us; /* of the client's first data, after first_us; 0: none */
};

/* The packet at hand, for those who write rows. */
struct gh_here {
	const struct gh_packet *pkt;
	const struct gh_ip *ip;
	struct gh_flow *flow;
	unsigned dir; /* 0: from a */
};

struct gh_counts {
	uint64_t packets, bytes, cut, other_link, not_ip, bad, fragments, fragments_lost, encrypted_wifi, bluetooth;
	uint64_t dns, http, leaks, unkept; /* rows written */
	uint64_t flows, flows_closed_early, flows_untold, lost_bytes, waiting_dropped, overlaps, decrypted, spent;
	int64_t first_us, last_us;
};

struct gh_fragments;
struct gh_dns_state;
struct gh_keylog;
struct gh_known;
struct gh_roots;

struct gh_traffic {
	struct gh_ctx *ctx;
	struct gh_pool pool;
	struct gh_counts count;
	struct gh_flow **bucket;
	struct gh_line {
		struct gh_flow *newest, *oldest;
	} line[2]; /* by last packet; the second: flows that have ended */
	uint32_t n_flows;
	uint64_t key[2]; /* of the hash: nobody outside can aim at one bucket */
	struct gh_fragments *fragments;
	struct gh_dns_state *dns;
	struct gh_keylog *keylog;
	struct gh_known *known;
	struct gh_roots *roots;
	uint64_t kept_bytes; /* beginnings of streams */
	enum gh_code stop; /* the budget is spent */
	struct gh_err *err;
};

/* ---- link.c, ip.c ---- */
/* The IP packet in a frame, or its reason not to be one is counted. Calls gh_ip_packet. */
void gh_link_packet(struct gh_traffic *t, const struct gh_packet *pkt);
/* p[0..n): an IP packet of either version. */
void gh_ip_packet(struct gh_traffic *t, const struct gh_packet *pkt, const uint8_t *p, size_t n, unsigned depth);
bool gh_fragments_init(struct gh_traffic *t) GH_MUST;
/* A fragment: true when its datagram is whole, which then lies in *ip until the next call. */
bool gh_fragment_add(
	struct gh_traffic *t, const struct gh_packet *pkt, struct gh_ip *ip, uint32_t id, uint32_t off, bool more);
void gh_addr_text(const struct gh_addr *a, char out[48]);
bool gh_addr_eq(const struct gh_addr *a, const struct gh_addr *b);
/* Private, link-local, multicast, loopback: not on the Internet. */
bool gh_addr_local(const struct gh_addr *a);

/* ---- flow.c ---- */
bool gh_flows_init(struct gh_traffic *t) GH_MUST;
/* The flow of a packet, new or known; NULL when there is no memory. *ret_dir: 0 when a sent it. begins: an opening packet: what
 * went before under the same numbers is closed. */
struct gh_flow *gh_flow_find(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip, uint16_t sport,
	uint16_t dport, const struct gh_tcp *tcp, unsigned *ret_dir);
/* It has ended: what comes late is waited for a minute only. */
void gh_flow_ended(struct gh_traffic *t, struct gh_flow *f);
void gh_flow_close(struct gh_traffic *t, struct gh_flow *f, const char *how);
void gh_flows_end(struct gh_traffic *t);
/* Folds two words into one; unforeseeable where one of them is of t->key. */
uint64_t gh_flow_mix(uint64_t a, uint64_t b);
void gh_flow_name(struct gh_flow *f, struct gh_str name, const char *by);

/* ---- tcp.c ---- */
void gh_tcp_packet(struct gh_traffic *t, const struct gh_packet *pkt, const struct gh_ip *ip);
/* Hands over what waits, gaps told; frees what the direction holds. */
void gh_tcp_finish(struct gh_traffic *t, struct gh_flow *f);

/* ---- app.c ---- */
void gh_app_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n);
/* lost bytes are missing before what comes next. */
void gh_app_gap(struct gh_traffic *t, const struct gh_here *h, uint64_t lost);
void gh_app_datagram(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n, size_t wire);
void gh_app_end(struct gh_traffic *t, struct gh_flow *f);

/* ---- odd.c ---- */
/* One row of traffic_oddities; at most a few of one flow. value is bytes. */
void gh_odd(struct gh_traffic *t, const struct gh_here *h, const char *kind, int64_t score, struct gh_str value);
/* Of a flow without a packet at hand. */
void gh_odd_flow(struct gh_traffic *t, struct gh_flow *f, uint64_t packet, uint64_t at, const char *kind, int64_t score,
	struct gh_str value);

/* Takes n steps of the budget; false when it is spent: the caller stops. */
bool gh_step(struct gh_traffic *t, uint64_t n);

#endif
