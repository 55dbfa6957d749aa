/* SPDX-License-Identifier: Apache-2.0 */
/* btsnoop logs (RFC 1761's form, as Android's "HCI snoop log" and BlueZ's btmon write it): packets without a transport, of the UART transport, and of
 * Linux's monitor. */
#include "base/num.h"
#include "inspectors/recording/hci.h"

enum { PLAIN = 1001, H4 = 1002, MONITOR = 2001 };

#define YEAR_0 0x00dcddb30f2f8000ll /* microseconds from there to 1970 */

bool gh_btsnoop_is(const struct gh_probe *probe)
{
	return probe->head_len >= 16 && memcmp(probe->head, "btsnoop", 8) == 0;
}

static enum gh_code packet(struct gh_hci *h, uint32_t link, struct gh_hci_packet pkt, uint32_t flags,
	struct gh_cursor p, struct gh_err *err)
{
	pkt.received = flags & 1;
	if (link == H4)
		return gh_hci_h4(h, &pkt, p, err);
	if (link == PLAIN) /* bit 1: a command or an event */
		return gh_hci_packet(h, &pkt, flags & 2 ? GH_HCI_EVENT : GH_HCI_ACL, p, err);
	pkt.adapter = flags >> 16;
	return gh_hci_monitor(h, pkt, flags & 0xffff, p, err);
}

static enum gh_code next(struct gh_ctx *ctx, struct gh_hci *h, uint32_t link, struct gh_cursor *c, struct gh_err *err)
{
	uint64_t at = gh_at(c);
	uint32_t whole = gh_u32be(c), kept = gh_u32be(c), flags = gh_u32be(c);
	gh_skip(c, 4);
	int64_t us = (int64_t)(gh_u64be(c) - (uint64_t)YEAR_0);
	struct gh_cursor p = gh_sub(c, kept);
	if (c->bad) {
		gh_note(ctx, GH_SHORT, at, "btsnoop: a record goes beyond the end of the file");
		return GH_END;
	}
	enum gh_code code = gh_spend_steps(ctx->budget, 1, at, err);
	return code || kept < whole ? code
				    : packet(h, link, (struct gh_hci_packet){.at = at, .t = us / 1000}, flags, p, err);
}

enum gh_code gh_btsnoop_read(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(blob->data, (size_t)blob->size, 0);
	gh_skip(&c, 8);
	uint32_t version = gh_u32be(&c), link = gh_u32be(&c);
	if (version != 1 || (link != PLAIN && link != H4 && link != MONITOR))
		return gh_fail(
			err, GH_UNSUP, 8, "btsnoop version %u with packets of kind %u is not read", version, link);
	struct gh_hci *h = gh_hci_new(ctx, "btsnoop", err);
	enum gh_code code = h ? GH_OK : GH_NOMEM;
	while (code == GH_OK && gh_left(&c))
		code = next(ctx, h, link, &c, err);
	if (h)
		gh_hci_end(h);
	return code == GH_END ? GH_OK : code;
}
