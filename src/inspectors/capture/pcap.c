/* SPDX-License-Identifier: Apache-2.0 */
/* pcap (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order. */
#include "base/num.h"
#include "inspectors/capture/reader.h"

enum { HEADER = 24, RECORD = 16 };

static uint32_t u32(struct gh_cursor *c, bool big)
{
	return big ? gh_u32be(c) : gh_u32(c);
}

static enum gh_code record(struct reader *r, bool big, bool nano, uint32_t link, uint64_t *at, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = reader_get(r, *at, RECORD, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, RECORD, *at);
	uint32_t sec = u32(&c, big), part = u32(&c, big), n = u32(&c, big), wire = u32(&c, big);
	if (n > PACKET_MAX)
		return gh_fail(err, GH_BAD, *at + 8, "a packet of %u bytes: no record begins here", n);
	uint64_t left = r->src->size - *at - RECORD;
	size_t there = (size_t)gh_min(n, left);
	code = reader_get(r, *at + RECORD, there, &p, err);
	if (code)
		return code;
	struct gh_packet pkt = {.at = *at,
		.us = (int64_t)sec * 1000000 + (nano ? part / 1000 : part),
		.p = p,
		.n = there,
		.wire = wire < n ? n : wire,
		.link = link,
		.uid = GH_NULL};
	*at += RECORD + there;
	code = reader_packet(r, &pkt, err);
	if (code == GH_OK && there < n)
		return gh_fail(err, GH_SHORT, *at, "the file ends within a packet");
	return code;
}

enum gh_code pcap_read(struct reader *r, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = reader_get(r, 0, HEADER, &p, err);
	if (code)
		return code;
	bool big = p[0] == 0xa1, nano = (big ? p[2] : p[1]) == 0x3c;
	struct gh_cursor c = gh_cursor(p, HEADER, 0);
	gh_seek(&c, 16);
	r->file.format = nano ? "pcap, nanoseconds" : "pcap";
	r->file.snaplen = u32(&c, big);
	uint32_t link = u32(&c, big) & 0x0fffffff; /* above: whether a checksum follows the frames */
	reader_link(r, link);
	for (uint64_t at = HEADER; at < r->src->size && code == GH_OK;) {
		if (r->src->size - at < RECORD)
			return gh_fail(err, GH_SHORT, at, "the file ends within a record's header");
		code = record(r, big, nano, link, &at, err);
	}
	return code;
}
