/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to facts. A reader of a capture format hands packets over in their order; flows, names, certificates and what speaks of a
 * hand on the path come out as rows. Nothing is kept beyond a fixed amount of memory; what had to be let go is counted and told. */
#ifndef GH_CAPTURE_CAPTURE_H
#define GH_CAPTURE_CAPTURE_H

#include "tree/plugin.h"

struct gh_traffic;

struct gh_packet {
	uint64_t number; /* from 1, as Wireshark counts */
	uint64_t at; /* of its record in the file */
	int64_t us; /* since 1970 */
	const uint8_t *p;
	size_t n; /* captured */
	uint32_t wire; /* length on the wire */
	uint32_t link; /* LINKTYPE_ number */
	int64_t uid; /* of the app, as PCAPdroid tells; GH_NULL: not known */
	struct gh_str app; /* its name; p NULL: not known */
};

/* How a capture file speaks of itself; for the row of table captures. */
struct gh_capture_file {
	const char *format; /* pcap pcapng btsnoop */
	struct gh_str link; /* names of its link types, blank separated */
	int64_t snaplen;
	struct gh_str system; /* what wrote it, as it says; p NULL: not said */
	uint64_t secrets; /* key log lines in it */
};

/* State in ctx->arena; NULL and *err when there is no memory. */
struct gh_traffic *gh_traffic_new(struct gh_ctx *ctx, struct gh_err *err);
/* Key log text (NSS format), from the file or beside it. */
void gh_traffic_secrets(struct gh_traffic *t, struct gh_str text);
/* GH_LIMIT when the budget is spent; what is malformed in a packet is counted, and is no error. */
enum gh_code gh_traffic_packet(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_err *err) GH_MUST;
/* Closes all flows and writes the row of the capture. */
void gh_traffic_end(struct gh_traffic *t, const struct gh_capture_file *file);

/* Name of a LINKTYPE_, or NULL when its packets are not opened. */
const char *gh_link_name(uint32_t link);

#endif
