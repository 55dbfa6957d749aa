/* SPDX-License-Identifier: Apache-2.0 */
/* dumpsys connectivity, netstats and adb (AOSP ConnectivityService, NetworkStatsService, AdbDebuggingManager). */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/num.h"
#include "inspectors/live/live.h"

/* ---- connectivity: a line a network ---- */

static void network(
	struct live *l, const char *kind, struct gh_str iface, struct gh_str transports, struct gh_str value)
{
	value = gh_text_trim(value);
	if (value.n && *value.p == '/')
		value = live_skip(value, 1);
	if (value.n && !gh_str_is(value, "null"))
		LIVE_EMIT(l, live_network, .kind = gh_str(kind), .iface = live_some(iface),
			.transports = live_some(transports), .value = value, .line = l->t.line);
}

static void connectivity_line(struct live *l, struct gh_str line)
{
	const char *agent = live_find(line, "NetworkAgentInfo{");
	if (!agent)
		return;
	l->known = true;
	line = live_skip(line, (size_t)(agent - line.p));
	struct gh_str iface = live_after(line, "InterfaceName: ", " }"),
		      transports = live_after(line, "Transports: ", " ]}"),
		      dns = live_after(line, "DnsAddresses: [", "]"), proxy = live_after(line, "HttpProxy: [", "]"),
		      word;
	while (gh_text_word(&dns, &word))
		network(l, "dns", iface, transports, live_cut(&word, ','));
	network(l, "private-dns", iface, transports, live_after(line, "PrivateDnsServerName: ", " }"));
	if (proxy.p) {
		struct gh_str port = live_skip(line, (size_t)(proxy.p + proxy.n - line.p) + 1);
		gh_text_word(&port, &word);
		network(l, "proxy", iface, transports,
			gh_str_fmt(l->t.ctx->arena, "%.*s:%.*s", (int)gh_min(proxy.n, 256), proxy.p,
				(int)gh_min(word.n, 8), word.p));
	}
	network(l, "proxy", iface, transports, live_after(line, "PAC Script: ", " "));
	if (live_find(transports, "VPN"))
		network(l, "vpn", iface, transports,
			live_after(line, "SessionId=", ",}").n ? live_after(line, "SessionId=", ",}") : iface);
}

const struct live_parser live_connectivity = {.name = "dumpsys connectivity",
	.files = "connectivity",
	.marks = "NetworkAgentInfo|NetworkFactories|NetworkProviders",
	.service = "connectivity",
	.line = connectivity_line};

/* ---- netstats: "ident=[…] uid=10123 set=DEFAULT tag=0x0", then buckets "st=1 rb=1 rp=1 tb=1 tp=1 op=0" ---- */

static void traffic_close(struct live *l)
{
	if (l->s.open) {
		l->rows++;
		l->t.ctx->ops->emit(l->t.ctx, GH_T_live_traffic, l->s.at, &l->s.traffic);
	}
	l->s.open = false;
}

static void add(int64_t *to, struct gh_str s)
{
	int64_t v = live_int(s);
	if (v > 0 && __builtin_add_overflow(*to, v, to))
		*to = INT64_MAX;
}

static int64_t hex_int(struct gh_str s)
{
	uint64_t v;
	if (gh_str_starts(s, "0x"))
		s = live_skip(s, 2);
	return s.n && gh_str_u64(s, 16, &v) && v <= INT64_MAX ? (int64_t)v : GH_NULL;
}

static void traffic_open(struct live *l, struct gh_str line, int64_t uid)
{
	traffic_close(l);
	l->s.open = true;
	l->s.at = l->t.at;
	struct gh_str iface = live_after(line, "iface=", " ,}]");
	l->s.traffic = (struct gh_row_live_traffic){.uid = uid,
		.iface = live_some(iface),
		.counter_set = live_some(live_after(line, " set=", " ")),
		.tag = hex_int(live_after(line, " tag=", " ")),
		.line = l->t.line};
}

/* The buckets are counted where they are of uids, not those of interfaces. */
static void netstats_line(struct live *l, struct gh_str line)
{
	struct gh_str word = gh_text_trim(line);
	int64_t uid = live_int(live_after(line, " uid=", " "));
	if (live_indent(line) == 0 && word.n)
		l->known = true;
	if (word.n && word.p[word.n - 1] == ':' && live_indent(line) <= 2) {
		traffic_close(l);
		return;
	}
	if ((gh_str_starts(word, "ident=") || gh_str_starts(word, "iface=")) && uid >= 0)
		traffic_open(l, word, uid);
	else if (gh_str_starts(word, "ident="))
		traffic_close(l);
	if (!l->s.open)
		return;
	struct gh_row_live_traffic *t = &l->s.traffic;
	if (live_find(line, " rb=")) {
		add(&t->rx_bytes, live_after(line, " rb=", " "));
		add(&t->rx_packets, live_after(line, " rp=", " "));
		add(&t->tx_bytes, live_after(line, " tb=", " "));
		add(&t->tx_packets, live_after(line, " tp=", " "));
	} else {
		add(&t->rx_bytes, live_after(line, " rxBytes=", " "));
		add(&t->rx_packets, live_after(line, " rxPackets=", " "));
		add(&t->tx_bytes, live_after(line, " txBytes=", " "));
		add(&t->tx_packets, live_after(line, " txPackets=", " "));
	}
}

const struct live_parser live_netstats = {.name = "dumpsys netstats",
	.files = "netstats",
	.marks = "UID stats:|uid=|Active interfaces:",
	.service = "netstats",
	.line = netstats_line,
	.end = traffic_close};

/* ---- adb ---- */

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

enum { KEY_MAX = 16 << 10 }; /* a key of adb has 524 bytes */

static size_t base64(struct gh_str s, uint8_t *out)
{
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;
	for (size_t i = 0; i < s.n && n < KEY_MAX; i++) {
		bits = bits << 6 | (uint32_t)base64_value(s.p[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n;
}

bool live_adb_key(struct live *l, const char *list, struct gh_str key, struct gh_str last_used)
{
	struct gh_str digits = key, comment;
	for (digits.n = 0; digits.n < key.n && base64_value(key.p[digits.n]) >= 0;)
		digits.n++;
	comment = live_skip(key, digits.n);
	while (comment.n && *comment.p == '=')
		comment = live_skip(comment, 1);
	if (comment.n && *comment.p != ' ')
		return false;
	comment = gh_text_trim(comment);
	uint8_t *raw = gh_alloc_raw(l->t.ctx->arena, KEY_MAX), md5[EVP_MAX_MD_SIZE], sha256[EVP_MAX_MD_SIZE];
	unsigned n_md5 = 0, n_sha = 0;
	size_t n = raw && digits.n >= 32 ? base64(digits, raw) : 0;
	if (!n || EVP_Digest(raw, n, md5, &n_md5, EVP_md5(), NULL) != 1 ||
		EVP_Digest(raw, n, sha256, &n_sha, EVP_sha256(), NULL) != 1)
		return false;
	char text[64];
	size_t at = 0;
	for (unsigned i = 0; i < n_md5 && at < sizeof text - 4; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%02X", i ? ":" : "", md5[i]);
	LIVE_EMIT(l, live_adb_keys, .list = gh_str(list), .md5 = gh_strn(text, at),
		.sha256 = gh_hex(l->t.ctx->arena, sha256, n_sha), .comment = live_some(comment),
		.last_used = live_some(last_used), .line = l->t.line);
	return true;
}

/* Keys in binary XML: printable runs that begin as every 2048-bit key of adb does. */
static void binary_keys(struct live *l, struct gh_str line)
{
	for (const char *p = live_find(line, "QAAAA"); p; p = live_find(line, "QAAAA")) {
		struct gh_str key = live_skip(line, (size_t)(p - line.p));
		size_t n = 0;
		while (n < key.n && key.p[n] >= ' ' && key.p[n] < 0x7f)
			n++;
		live_adb_key(l, "keystore", gh_strn(key.p, n), GH_NONE);
		line = live_skip(key, n ? n : 1);
	}
}

static void adb_fact(struct live *l, struct gh_str key, struct gh_str value)
{
	if (live_one_of(key, "connected_to_adb|last_key_received|enabled|network_bssid|network_ssid|is_trusted_network|"
			     "tls_port|auth_required|secure_adb") &&
		value.n)
		LIVE_EMIT(l, live_facts, .kind = GH_STR("adb"), .key = key, .value = value);
}

static void adb_line(struct live *l, struct gh_str line)
{
	enum { NONE, USER_KEYS, KEYSTORE };
	struct gh_str word = gh_text_trim(line), value = word, key = live_cut(&value, '='),
		      xml = live_after(line, "<adbKey key=\"", "\"");
	l->known = l->known || gh_str_starts(line, "ADB MANAGER STATE");
	if (xml.p) {
		live_adb_key(l, "keystore", xml, live_after(line, "lastConnection=\"", "\""));
		return;
	}
	if (gh_str_is(key, "user_keys") || gh_str_is(key, "keystore")) {
		l->s.mode = gh_str_is(key, "user_keys") ? USER_KEYS : KEYSTORE;
		word = value;
	} else if (value.n && live_one_of(key, "connected_to_adb|last_key_received|adb_wifi|system_keys"))
		l->s.mode = NONE;
	if (l->s.mode == USER_KEYS && word.n && *word.p != '}')
		live_adb_key(l, "user_keys", word, GH_NONE);
	else if (l->s.mode == KEYSTORE)
		binary_keys(l, word);
	else
		adb_fact(l, key, value);
}

const struct live_parser live_adb = {.name = "dumpsys adb",
	.files = "adb|adb_*",
	.marks = "ADB MANAGER STATE|debugging_manager=",
	.service = "adb",
	.line = adb_line};
