/* SPDX-License-Identifier: Apache-2.0 */
/* The room's doors: state of one capture from its first packet to its row. */
#include "capture/traffic.h"

#include <stdio.h>

#include "base/num.h"
#include "capture/certs.h"
#include "capture/leak.h"

struct gh_traffic *gh_traffic_new(struct gh_ctx *ctx, struct gh_err *err)
{
	struct gh_traffic *t = gh_alloc(ctx->arena, sizeof *t);
	if (t) {
		t->ctx = ctx;
		t->err = gh_alloc(ctx->arena, sizeof *t->err);
	}
	if (!t || !t->err || !gh_pool_init(&t->pool, ctx->arena, GH_POOL_SIZE) || !gh_flows_init(t) ||
		!gh_fragments_init(t) || !gh_dns_init(t) || !gh_keylog_init(t) || !gh_leak_init(t) ||
		!gh_certs_init(t)) {
		gh_fail(err, GH_NOMEM, 0, "no memory for the flows of a capture");
		return NULL;
	}
	if (ctx->given && ctx->given->keylog.p)
		gh_traffic_secrets(t, ctx->given->keylog);
	return t;
}

bool gh_step(struct gh_traffic *t, uint64_t n)
{
	if (t->stop == GH_OK)
		t->stop = gh_spend_steps(t->ctx->budget, n, 0, t->err);
	return t->stop == GH_OK;
}

enum gh_code gh_traffic_packet(struct gh_traffic *t, const struct gh_packet *pkt, struct gh_err *err)
{
	struct gh_counts *c = &t->count;
	if (!gh_step(t, 1)) {
		*err = *t->err;
		err->at = pkt->at;
		return t->stop;
	}
	if (!c->packets || pkt->us < c->first_us)
		c->first_us = pkt->us;
	if (!c->packets || pkt->us > c->last_us)
		c->last_us = pkt->us;
	c->packets++;
	c->bytes += pkt->wire;
	c->cut += pkt->n < pkt->wire;
	gh_link_packet(t, pkt);
	return GH_OK;
}

/* What had to be let go is told where everything that was not examined is. */
static void tell_limits(struct gh_traffic *t)
{
	const struct gh_counts *c = &t->count;
	if (c->flows_closed_early)
		gh_note(t->ctx, GH_LIMIT, 0, "more than %d flows at once: %llu were closed before their end",
			GH_FLOWS_MAX, (unsigned long long)c->flows_closed_early);
	if (c->flows_untold)
		gh_note(t->ctx, GH_LIMIT, 0, "%llu flows beyond the first %d are counted only",
			(unsigned long long)c->flows_untold, GH_FLOW_ROWS_MAX);
	if (c->unkept)
		gh_note(t->ctx, GH_LIMIT, 0,
			"the beginnings of %llu streams were not kept: copies of them that differ were not looked for",
			(unsigned long long)c->unkept);
	if (t->pool.refused)
		gh_note(t->ctx, GH_LIMIT, 0, "the memory for streams was spent %llu times: parts of them were not read",
			(unsigned long long)t->pool.refused);
}

void gh_traffic_end(struct gh_traffic *t, const struct gh_capture_file *file)
{
	const struct gh_counts *c = &t->count;
	gh_flows_end(t);
	gh_certs_done(t);
	tell_limits(t);
	GH_EMIT(t->ctx, captures, 0, .format = gh_str(file->format), .link = file->link, .snaplen = file->snaplen,
		.system = file->system, .packets = (int64_t)c->packets, .bytes = (int64_t)c->bytes,
		.first_us = c->first_us, .last_us = c->last_us, .flows = (int64_t)c->flows,
		.flows_closed_early = (int64_t)c->flows_closed_early, .flows_untold = (int64_t)c->flows_untold,
		.cut = (int64_t)c->cut, .not_ip = (int64_t)c->not_ip, .other_link = (int64_t)c->other_link,
		.malformed = (int64_t)c->bad, .fragments = (int64_t)c->fragments,
		.fragments_lost = (int64_t)c->fragments_lost, .wifi_encrypted = (int64_t)c->encrypted_wifi,
		.bluetooth = (int64_t)c->bluetooth, .lost_bytes = (int64_t)c->lost_bytes,
		.overlaps = (int64_t)c->overlaps, .decrypted = (int64_t)c->decrypted,
		.secrets = (int64_t)file->secrets);
}
