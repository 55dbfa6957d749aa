/* SPDX-License-Identifier: Apache-2.0 */
/* Captures of network traffic: pcap and pcapng (draft-ietf-opsawg-pcap, -pcapng), btsnoop (RFC 1761 and what Android writes). */
#include <stdio.h>

#include "base/num.h"
#include "inspectors/capture/reader.h"

enum {
	TRAILER = 32, /* of PCAPdroid: magic, uid, 20 bytes of name, checksum */
	TRAILER_MAGIC = 0x01072021,
};

bool gh_pcap_is(const uint8_t *p)
{
	static const uint8_t magics[][4] = {
		{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, {0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}};
	for (size_t i = 0; i < GH_COUNT(magics); i++)
		if (memcmp(p, magics[i], 4) == 0)
			return true;
	return false;
}

static bool capture_wants(const struct gh_probe *probe)
{
	const uint8_t *p = probe->head;
	if (probe->head_len < 16)
		return false;
	return gh_pcap_is(p) || memcmp(p, "\x0a\x0d\x0d\x0a", 4) == 0 || memcmp(p, "btsnoop\0", 8) == 0;
}

enum gh_code reader_get(struct reader *r, uint64_t off, size_t n, const uint8_t **ret, struct gh_err *err)
{
	return gh_window_get(&r->window, r->ctx->arena, off, n, ret, err);
}

void reader_link(struct reader *r, uint32_t link)
{
	char word[24];
	const char *name = gh_link_name(link);
	int n = name ? snprintf(word, sizeof word, " %s", name) : snprintf(word, sizeof word, " linktype-%u", link);
	if (n <= 0 || memmem(r->links, r->links_n, word, (size_t)n) || r->links_n + (size_t)n > sizeof r->links)
		return;
	memcpy(r->links + r->links_n, word, (size_t)n);
	r->links_n += (size_t)n;
	if (!name && r->traffic)
		gh_note(r->ctx, GH_UNSUP, 0, "packets of link type %u are counted, not opened", link);
}

static void trailer(struct gh_packet *pkt)
{
	if (pkt->n < TRAILER || pkt->n < pkt->wire)
		return;
	struct gh_cursor c = gh_cursor(pkt->p + pkt->n - TRAILER, TRAILER, 0);
	if (gh_u32be(&c) != TRAILER_MAGIC)
		return;
	pkt->uid = (int32_t)gh_u32be(&c);
	pkt->app = gh_text(&c, 20);
	pkt->n -= TRAILER;
	pkt->wire -= TRAILER;
}

enum gh_code reader_packet(struct reader *r, struct gh_packet *pkt, struct gh_err *err)
{
	pkt->number = ++r->number;
	trailer(pkt);
	return r->traffic ? gh_traffic_packet(r->traffic, pkt, err) : r->packet(r, pkt, err);
}

static enum gh_code capture_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct reader r = {.ctx = ctx, .src = blob->src};
	r.window = (struct gh_window){.src = blob->src, .cap = 512 << 10, .step = 256 << 10};
	const uint8_t *p;
	r.file.snaplen = GH_NULL;
	r.traffic = gh_traffic_new(ctx, err);
	if (!r.traffic)
		return GH_NOMEM;
	enum gh_code code = reader_get(&r, 0, 16, &p, err);
	if (code == GH_OK)
		code = gh_pcap_is(p) ? pcap_read(&r, err) : *p == 0x0a ? pcapng_read(&r, err) : btsnoop_read(&r, err);
	if (r.links_n)
		r.file.link = gh_strn(r.links + 1, r.links_n - 1);
	if (r.file.format)
		gh_traffic_end(r.traffic, &r.file);
	return code;
}

const struct gh_inspector gh_inspector_capture = {
	.name = "capture", .title = "packet capture", .version = 2, .wants = capture_wants, .run = capture_run};
