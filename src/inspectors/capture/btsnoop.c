/* SPDX-License-Identifier: Apache-2.0 */
/* btsnoop: version 1, big endian, HCI packets; times count microseconds since the year 0. */
#include "base/num.h"
#include "inspectors/capture/reader.h"

enum { HEADER = 16, RECORD = 24 };

static const uint64_t EPOCH = 0x00dcddb30f2f8000; /* 1970 in microseconds since the year 0 */

enum gh_code btsnoop_read(struct reader *r, struct gh_err *err)
{
	const uint8_t *p;
	enum gh_code code = reader_get(r, 0, HEADER, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, HEADER, 0);
	gh_skip(&c, 8);
	uint32_t version = gh_u32be(&c), link = gh_u32be(&c);
	if (version != 1)
		return gh_fail(err, GH_UNSUP, 8, "btsnoop version %u", version);
	r->file.format = "btsnoop";
	/* 1002: UART (H4). Its packets are those of LINKTYPE 187. */
	uint32_t own = link == 1002 || link == 1001 ? 187 : 0x10000 + link;
	reader_link(r, own);
	for (uint64_t at = HEADER; at < r->src->size && code == GH_OK;) {
		if (r->src->size - at < RECORD)
			return gh_fail(err, GH_SHORT, at, "the file ends within a record's header");
		code = reader_get(r, at, RECORD, &p, err);
		if (code)
			return code;
		c = gh_cursor(p, RECORD, at);
		uint32_t wire = gh_u32be(&c), n = gh_u32be(&c);
		gh_skip(&c, 8);
		uint64_t time = gh_u64be(&c);
		if (n > PACKET_MAX)
			return gh_fail(err, GH_BAD, at, "a packet of %u bytes: no record begins here", n);
		size_t there = (size_t)gh_min(n, r->src->size - at - RECORD);
		code = reader_get(r, at + RECORD, there, &p, err);
		if (code)
			return code;
		struct gh_packet pkt = {.at = at,
			.us = time >= EPOCH ? (int64_t)((time - EPOCH) & INT64_MAX) : 0,
			.p = p,
			.n = there,
			.wire = wire < n ? n : wire,
			.link = own,
			.uid = GH_NULL};
		at += RECORD + there;
		code = reader_packet(r, &pkt, err);
		if (code == GH_OK && there < n)
			return gh_fail(err, GH_SHORT, at, "the file ends within a packet");
	}
	return code;
}
