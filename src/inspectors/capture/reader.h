/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the inspector: what the three container formats share. */
#ifndef GH_INSPECTORS_CAPTURE_H
#define GH_INSPECTORS_CAPTURE_H

#include "capture/capture.h"
#include "source/window.h"

enum {
	PACKET_MAX = 262144, /* libpcap's largest snap length */
	APPS = 1024, /* uid to package, as PCAPdroid lists them */
};

struct reader {
	struct gh_ctx *ctx;
	struct gh_source *src;
	struct gh_window window;
	struct gh_traffic *traffic; /* NULL: packet() takes them */
	enum gh_code (*packet)(struct reader *r, struct gh_packet *pkt, struct gh_err *err);
	void *to; /* packet()'s own */
	struct gh_capture_file file;
	uint64_t number; /* of packets so far */
	char links[120];
	size_t links_n;
};

/* Are the first bytes of a file (four of them) those of pcap? */
bool gh_pcap_is(const uint8_t *p);
/* n bytes at off, valid until the next call. */
enum gh_code reader_get(struct reader *r, uint64_t off, size_t n, const uint8_t **ret, struct gh_err *err) GH_MUST;
/* Writes down a link type once. */
void reader_link(struct reader *r, uint32_t link);
/* Numbers the packet, takes off what PCAPdroid put behind it, and hands it on. */
enum gh_code reader_packet(struct reader *r, struct gh_packet *pkt, struct gh_err *err) GH_MUST;

enum gh_code pcap_read(struct reader *r, struct gh_err *err) GH_MUST;
enum gh_code pcapng_read(struct reader *r, struct gh_err *err) GH_MUST;
enum gh_code btsnoop_read(struct reader *r, struct gh_err *err) GH_MUST;

#endif
