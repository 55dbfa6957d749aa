/* SPDX-License-Identifier: Apache-2.0 */
/* What speaks in a flow: the state of its protocols. */
#ifndef GH_CAPTURE_APP_H
#define GH_CAPTURE_APP_H

#include "capture/traffic.h"

struct gh_tls;
struct gh_quic;
struct gh_http;

enum gh_speaks { GH_UNKNOWN, GH_TLS, GH_HTTP, GH_DNS_TCP, GH_CLEAR, GH_QUIC, GH_SILENT };

/* The first bytes of each direction until it is known what they are. */
struct gh_app {
	enum gh_speaks speaks;
	struct gh_buf head[2];
	bool lost[2]; /* a gap before anything was recognised */
	struct gh_tls *tls;
	struct gh_quic *quic;
	struct gh_http *http;
	uint32_t searched[2]; /* bytes looked through for identifiers */
	bool upgrade; /* STARTTLS or CONNECT was agreed on: TLS may begin */
};

/* ---- tls.c ---- */
void gh_tls_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n);
void gh_tls_gap(struct gh_traffic *t, const struct gh_here *h);
void gh_tls_end(struct gh_traffic *t, struct gh_flow *f);
bool gh_tls_begins(const uint8_t *p, size_t n);

/* ---- http.c ---- */
void gh_http_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n);
void gh_http_gap(struct gh_traffic *t, const struct gh_here *h, uint64_t lost);
void gh_http_end(struct gh_traffic *t, struct gh_flow *f);
bool gh_http_begins(const uint8_t *p, size_t n);

/* ---- quic.c ---- */
/* true when the datagram was QUIC with a long header. */
bool gh_quic_datagram(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n);
void gh_quic_end(struct gh_traffic *t, struct gh_flow *f);

/* ---- dns.c ---- */
bool gh_dns_init(struct gh_traffic *t) GH_MUST;
void gh_dns_message(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n, size_t wire, bool tcp);

/* DHCP (RFC 2131): which resolvers the network gives. */
void gh_dhcp_message(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n);

/* ---- leak.c ---- */
/* Looks through bytes that anyone on the way can read. where: a word for what they are. */
void gh_leak_search(struct gh_traffic *t, const struct gh_here *h, const char *where, const uint8_t *p, size_t n);

/* Unpacks the beginning of a gzip stream; the length, 0 if it is none. */
size_t gh_gunzip_some(struct gh_ctx *ctx, const uint8_t *p, size_t n, uint8_t *out, size_t cap);

#endif
