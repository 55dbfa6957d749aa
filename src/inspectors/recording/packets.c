/* SPDX-License-Identifier: Apache-2.0 */
/* The heart-rate service in pcap and pcapng: the capture layer reads the file, its Bluetooth packets come here. Link types 187 (UART transport), 201 (the same
 * with a direction) and 254 (Linux's monitor); what is on the air (251, 256) is told, not read. */
#include "base/num.h"
#include "inspectors/capture/reader.h"
#include "inspectors/recording/hci.h"

enum { H4 = 187, H4_WITH_WAY = 201, ON_AIR = 251, ON_AIR_WITH_RADIO = 256, MONITOR = 254, NORDIC = 272 };

static bool bluetooth(uint32_t link)
{
	return link == H4 || link == H4_WITH_WAY || link == MONITOR || link == ON_AIR || link == ON_AIR_WITH_RADIO ||
	       link == NORDIC;
}

/* An interface of Bluetooth among the first blocks of a pcapng. */
static bool in_sections(const uint8_t *p, size_t n)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	bool big = n > 8 && p[8] == 0x1a;
	while (gh_left(&c) >= 12) {
		uint32_t type = big ? gh_u32be(&c) : gh_u32(&c), size = big ? gh_u32be(&c) : gh_u32(&c);
		uint32_t link = big ? gh_u16be(&c) : gh_u16(&c);
		if (type == 1 && bluetooth(link))
			return true;
		if (size < 12 || size % 4 || size - 10 > gh_left(&c))
			return false;
		gh_skip(&c, size - 10);
	}
	return false;
}

bool gh_packets_is(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	if (probe->head_len < 24)
		return false;
	if (memcmp(p, "\x0a\x0d\x0d\x0a", 4) == 0)
		return in_sections(p, probe->head_len);
	if (!gh_pcap_is(p))
		return false;
	struct gh_cursor c = gh_cursor(p + 20, 4, 0);
	return bluetooth((p[0] == 0xa1 ? gh_u32be(&c) : gh_u32(&c)) & 0x0fffffff);
}

struct packets {
	struct gh_ctx *ctx;
	struct gh_hci *hci;
	uint64_t on_air;
};

static enum gh_code take(struct reader *r, struct gh_packet *pkt, struct gh_err *err)
{
	struct packets *s = r->to;
	struct gh_hci_packet mine = {.at = pkt->at, .t = pkt->us / 1000};
	struct gh_cursor p = gh_cursor(pkt->p, pkt->n, pkt->at);
	enum gh_code code = gh_spend_steps(s->ctx->budget, 1, pkt->at, err);
	if (code || pkt->n < pkt->wire)
		return code;
	switch (pkt->link) {
	case H4_WITH_WAY:
		mine.received = gh_u32be(&p) & 1;
		return gh_hci_h4(s->hci, &mine, p, err);
	case H4:
		return gh_hci_h4(s->hci, &mine, p, err);
	case MONITOR:
		mine.adapter = gh_u16be(&p);
		unsigned opcode = gh_u16be(&p);
		return gh_hci_monitor(s->hci, mine, opcode, p, err);
	default:
		s->on_air += bluetooth(pkt->link);
		return GH_OK;
	}
}

enum gh_code gh_packets_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	bool ng = *blob->data == 0x0a;
	struct packets s = {.ctx = ctx, .hci = gh_hci_new(ctx, ng ? "pcapng" : "pcap", err)};
	if (!s.hci)
		return GH_NOMEM;
	struct reader r = {.ctx = ctx, .src = blob->src, .packet = take, .to = &s};
	r.window = (struct gh_window){.src = blob->src, .cap = 512 << 10, .step = 256 << 10};
	enum gh_code code = ng ? pcapng_read(&r, err) : pcap_read(&r, err);
	gh_hci_end(s.hci);
	if (s.on_air)
		gh_note(ctx, GH_UNSUP, 0,
			"%llu packets of Bluetooth as they are on the air are not read: record at the host (Android's "
			"HCI "
			"snoop log, btmon -w)",
			(unsigned long long)s.on_air);
	return code;
}
