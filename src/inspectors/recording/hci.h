/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the inspector of recordings: the standard heart-rate service in the packets between a host and its Bluetooth controller. */
#ifndef GH_RECORDING_HCI_H
#define GH_RECORDING_HCI_H

#include "inspectors/recording/reader.h"

struct gh_hci;

/* One packet as its container has it. */
struct gh_hci_packet {
	uint64_t at; /* of its record in the file */
	int64_t t; /* ms */
	unsigned adapter;
	bool received; /* from the controller */
};

/* Kinds of packets, by the numbers of the UART transport (H4). */
enum { GH_HCI_ACL = 2, GH_HCI_EVENT = 4 };

/* State in ctx->arena; NULL and *err when there is no memory. format: of the container. */
struct gh_hci *gh_hci_new(struct gh_ctx *ctx, const char *format, struct gh_err *err);
enum gh_code gh_hci_packet(struct gh_hci *h, const struct gh_hci_packet *pkt, unsigned kind, struct gh_cursor p,
	struct gh_err *err) GH_MUST;
/* The same where the kind is the first byte. */
enum gh_code gh_hci_h4(
	struct gh_hci *h, const struct gh_hci_packet *pkt, struct gh_cursor p, struct gh_err *err) GH_MUST;
/* Linux's monitor: its opcode tells kind and direction. */
enum gh_code gh_hci_monitor(
	struct gh_hci *h, struct gh_hci_packet pkt, unsigned opcode, struct gh_cursor p, struct gh_err *err) GH_MUST;
/* Ends all connections; tells of notifications that nothing in the log explains. */
void gh_hci_end(struct gh_hci *h);

#endif
