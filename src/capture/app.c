/* SPDX-License-Identifier: Apache-2.0 */
/* Which protocol a flow speaks: told by its first bytes, by its port only where the bytes cannot tell. */
#include "capture/app.h"

#include "base/num.h"

enum { HEAD_MAX = 1024 }; /* by then every protocol looked for has shown itself */

struct clear {
	const char *name;
	const char *server; /* first bytes of the side that was asked; NULL: any */
	const char *client; /* of the side that asks */
	uint16_t ports[4];
};

/* Protocols that are read by everyone on the way, unless a STARTTLS command changes it. */
static const struct clear clears[] = {
	{"ssh", "SSH-", NULL, {0}},
	{"ftp", "220", "USER ", {21}},
	{"ftp", "220", "AUTH ", {21}},
	{"smtp", "220", "EHLO ", {0}},
	{"smtp", "220", "HELO ", {0}},
	{"pop3", "+OK", NULL, {110}},
	{"imap", "* OK", NULL, {143}},
	{"telnet", "\xff", NULL, {23}},
	{"telnet", NULL, "\xff", {23}},
	{"xmpp", NULL, "<?xml", {5222, 5223, 5269}},
	{"xmpp", NULL, "<stream:stream", {0}},
	{"irc", NULL, "NICK ", {0}},
	{"socks5", NULL, "\x05\x01", {1080}},
	{"rtmp", NULL, "\x03", {1935}},
	{"adb", NULL, "CNXN", {0}},
	{"rtsp", NULL, "OPTIONS rtsp:", {0}},
	{"rtsp", NULL, "DESCRIBE rtsp:", {0}},
	{"sip", NULL, "REGISTER sip:", {0}},
	{"bittorrent", NULL,
		"\x13"
		"BitTorrent protocol",
		{0}},
};

static struct gh_app *app_of(struct gh_traffic *t, struct gh_flow *f)
{
	if (!f->app)
		f->app = gh_pool_zero(&t->pool, sizeof *f->app);
	return f->app;
}

static bool starts(const struct gh_buf *b, const char *word)
{
	size_t n = strlen(word);
	return b->n >= n && memcmp(b->p, word, n) == 0;
}

static bool on_port(const struct clear *c, uint16_t port)
{
	for (size_t i = 0; i < GH_COUNT(c->ports); i++)
		if (c->ports[i] == port)
			return true;
	return false;
}

static const char *clear_protocol(const struct gh_flow *f, const struct gh_app *a)
{
	for (size_t i = 0; i < GH_COUNT(clears); i++) {
		const struct clear *c = &clears[i];
		if ((!c->server || starts(&a->head[1], c->server)) && (!c->client || starts(&a->head[0], c->client)) &&
			(!c->ports[0] || on_port(c, f->pb)))
			return c->name;
	}
	return NULL;
}

/* MQTT (OASIS 3.1.1 and 5): CONNECT, its length, and the protocol's name. */
static bool is_mqtt(const struct gh_buf *b)
{
	struct gh_cursor c = gh_cursor(b->p, b->n, 0);
	if (gh_u8(&c) != 0x10)
		return false;
	for (unsigned i = 0; i < 4 && gh_u8(&c) & 0x80; i++)
		;
	uint16_t n = gh_u16be(&c);
	const uint8_t *name = n == 4 || n == 6 ? gh_bytes(&c, n) : NULL;
	return name && (memcmp(name, "MQTT", 4) == 0 || memcmp(name, "MQIsdp", n) == 0);
}

/* Two bytes of length, then a header with one question at most. */
static bool is_dns_tcp(const struct gh_flow *f, const struct gh_buf *b)
{
	return (f->pb == 53 || f->pa == 53) && b->n >= 14;
}

static void recognise(struct gh_flow *f, struct gh_app *a)
{
	const struct gh_buf *c = &a->head[0], *s = &a->head[1];
	const char *clear;
	if (gh_tls_begins(c->p, c->n) || gh_tls_begins(s->p, s->n)) {
		a->speaks = GH_TLS;
		f->protocol = "tls";
	} else if (gh_http_begins(c->p, c->n) || gh_http_begins(s->p, s->n)) {
		a->speaks = GH_HTTP;
		f->protocol = "http";
	} else if (is_dns_tcp(f, c) || is_dns_tcp(f, s)) {
		a->speaks = GH_DNS_TCP;
		f->protocol = "dns";
	} else if (is_mqtt(c)) {
		a->speaks = GH_CLEAR;
		f->protocol = "mqtt";
	} else if ((clear = clear_protocol(f, a))) {
		a->speaks = GH_CLEAR;
		f->protocol = clear;
	}
}

/* Does a line of the protocol ask for TLS, or agree to it? */
static bool asks_for_tls(const uint8_t *p, size_t n)
{
	struct gh_str s = gh_strn(p, gh_min(n, 64));
	return memmem(s.p, s.n, "STARTTLS", 8) || memmem(s.p, s.n, "STLS", 4) || memmem(s.p, s.n, "AUTH TLS", 8) ||
	       memmem(s.p, s.n, "starttls", 8);
}

static void dns_tcp(struct gh_traffic *t, const struct gh_here *h, struct gh_app *a)
{
	struct gh_buf *b = &a->head[h->dir];
	while (b->n >= 2) {
		struct gh_cursor c = gh_cursor(b->p, b->n, 0);
		size_t n = gh_u16be(&c);
		if (b->n - 2 < n)
			return;
		gh_dns_message(t, h, b->p + 2, n, n, true);
		gh_buf_drop(b, n + 2);
		if (!gh_step(t, 1 + n / 64))
			return;
	}
}

static void speak(struct gh_traffic *t, const struct gh_here *h, struct gh_app *a, const uint8_t *p, size_t n)
{
	switch (a->speaks) {
	case GH_TLS:
		gh_tls_data(t, h, p, n);
		return;
	case GH_HTTP:
		gh_http_data(t, h, p, n);
		return;
	case GH_DNS_TCP:
		if (!gh_buf_add(&t->pool, &a->head[h->dir], p, n, 70000))
			a->speaks = GH_SILENT;
		else
			dns_tcp(t, h, a);
		return;
	case GH_CLEAR:
		if (a->upgrade && gh_tls_begins(p, n)) {
			a->speaks = GH_TLS;
			gh_tls_data(t, h, p, n);
			return;
		}
		a->upgrade |= asks_for_tls(p, n);
		gh_leak_search(t, h, h->flow->protocol, p, n);
		return;
	case GH_UNKNOWN:
		gh_leak_search(t, h, "stream", p, n);
		return;
	default:
		return;
	}
}

/* What was held back until it had a name, in the order of directions: the client's first. */
static void speak_head(struct gh_traffic *t, const struct gh_here *h, struct gh_app *a)
{
	struct gh_buf head[2] = {a->head[0], a->head[1]};
	a->head[0] = a->head[1] = (struct gh_buf){0};
	for (unsigned dir = 0; dir < 2; dir++) {
		struct gh_here of = *h;
		of.dir = dir;
		if (head[dir].n)
			speak(t, &of, a, head[dir].p, head[dir].n);
		gh_buf_free(&t->pool, &head[dir]);
	}
}

void gh_app_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_app *a = h->flow->closed && !h->flow->inside ? NULL : app_of(t, h->flow);
	if (!a)
		return;
	if (a->speaks != GH_UNKNOWN) {
		speak(t, h, a, p, n);
		return;
	}
	struct gh_buf *b = &a->head[h->dir];
	size_t take = gh_min(n, HEAD_MAX - gh_min(b->n, HEAD_MAX));
	if (!gh_buf_add(&t->pool, b, p, take, HEAD_MAX)) {
		a->speaks = GH_SILENT;
		return;
	}
	recognise(h->flow, a);
	bool full = b->n >= HEAD_MAX || h->flow->dir[h->dir].stream >= HEAD_MAX;
	if (a->speaks == GH_UNKNOWN && !full)
		return;
	if (a->speaks == GH_UNKNOWN) { /* nothing that we know: looked through once, and left alone */
		speak_head(t, h, a);
		a->speaks = GH_SILENT;
		return;
	}
	speak_head(t, h, a);
	if (take < n)
		speak(t, h, a, p + take, n - take);
}

void gh_app_gap(struct gh_traffic *t, const struct gh_here *h, uint64_t lost)
{
	struct gh_app *a = h->flow->closed ? NULL : app_of(t, h->flow);
	if (!a)
		return;
	if (a->speaks == GH_TLS)
		gh_tls_gap(t, h);
	else if (a->speaks == GH_HTTP)
		gh_http_gap(t, h, lost);
	else if (a->speaks == GH_DNS_TCP)
		a->speaks = GH_SILENT;
	else
		gh_buf_free(&t->pool, &a->head[h->dir]); /* what follows may still begin a message */
}

static bool dns_port(const struct gh_flow *f)
{
	return f->pb == 53 || f->pa == 53;
}

void gh_app_datagram(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n, size_t wire)
{
	struct gh_flow *f = h->flow;
	f->dir[h->dir].stream += wire;
	if (!f->dir[h->dir].data_us)
		f->dir[h->dir].data_us = h->pkt->us;
	if (dns_port(f)) {
		f->protocol = "dns";
		gh_dns_message(t, h, p, n, wire, false);
		return;
	}
	if (f->pb == 5353 || f->pb == 5355 || f->pb == 137) {
		f->protocol = f->pb == 5353 ? "mdns" : f->pb == 5355 ? "llmnr" : "nbns";
		return;
	}
	if (f->pb == 67 || f->pb == 68 || f->pb == 123 || f->pb == 1900) {
		f->protocol = f->pb == 123 ? "ntp" : f->pb == 1900 ? "ssdp" : "dhcp";
		if (f->pb == 67 || f->pb == 68)
			gh_dhcp_message(t, h, p, n);
		return;
	}
	if (n && gh_quic_datagram(t, h, p, n))
		return;
	struct gh_app *a = !f->protocol ? app_of(t, f) : NULL;
	if (a && a->speaks == GH_UNKNOWN)
		gh_leak_search(t, h, "datagram", p, n);
}

void gh_app_end(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_app *a = f->app;
	if (!a)
		return;
	if (a->speaks == GH_UNKNOWN && (a->head[0].n || a->head[1].n)) {
		struct gh_packet pkt = {.number = f->first_packet, .at = f->first_at, .us = f->last_us, .uid = GH_NULL};
		struct gh_ip ip = {.proto = f->proto};
		struct gh_here h = {.pkt = &pkt, .ip = &ip, .flow = f};
		speak_head(t, &h, a);
	}
	gh_tls_end(t, f);
	gh_http_end(t, f);
	gh_quic_end(t, f);
	gh_buf_free(&t->pool, &a->head[0]);
	gh_buf_free(&t->pool, &a->head[1]);
	gh_pool_put(&t->pool, a, sizeof *a);
	f->app = NULL;
}
