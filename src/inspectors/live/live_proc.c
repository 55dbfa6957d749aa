/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, sockets and mounts: ps and netstat of toybox, /proc/net/{tcp,tcp6,udp,udp6,unix}, /proc/mounts and mount (Linux
 * Documentation/filesystems/proc.rst and networking/proc_net_tcp.rst). */
#include <stdio.h>

#include "base/num.h"
#include "inspectors/live/live.h"

/* ---- ps: columns by their heading ---- */

enum column { C_OTHER, C_USER, C_UID, C_PID, C_TID, C_PPID, C_LABEL, C_STATE, C_NAME, C_ARGS };

static const struct {
	const char *title;
	enum column column;
} columns[] = {{"USER", C_USER}, {"UID", C_UID}, {"PID", C_PID}, {"TID", C_TID}, {"PPID", C_PPID}, {"LABEL", C_LABEL},
	{"S", C_STATE}, {"NAME", C_NAME}, {"CMD", C_NAME}, {"CMDLINE", C_ARGS}, {"ARGS", C_ARGS}, {"COMMAND", C_NAME}};

static bool ps_head(struct live *l, struct gh_str line)
{
	struct gh_str word, rest = line;
	uint8_t found[16] = {0};
	size_t n = 0;
	bool pid = false, name = false;
	while (gh_text_word(&rest, &word)) {
		if (n == sizeof found)
			return false;
		for (size_t i = 0; i < GH_COUNT(columns); i++)
			if (gh_str_is(word, columns[i].title))
				found[n] = (uint8_t)columns[i].column;
		pid = pid || found[n] == C_PID;
		name = name || found[n] == C_NAME || found[n] == C_ARGS;
		n++;
	}
	if (!pid || !name)
		return false;
	memcpy(l->s.columns, found, sizeof found);
	l->s.mode = (int)n;
	l->known = true;
	return true;
}

/* The last column takes what is left: names may hold blanks. */
static void ps_line(struct live *l, struct gh_str line)
{
	if (!l->s.mode || gh_str_starts(line, "USER") || gh_str_starts(line, "LABEL"))
		if (ps_head(l, line))
			return;
	struct gh_row_live_processes row = {.pid = GH_NULL, .ppid = GH_NULL, .uid = GH_NULL, .line = l->t.line};
	struct gh_str rest = line, word;
	int64_t tid = GH_NULL;
	for (int i = 0; i < l->s.mode; i++) {
		if (i == l->s.mode - 1)
			word = gh_text_trim(rest);
		else if (!gh_text_word(&rest, &word))
			return;
		switch ((enum column)l->s.columns[i]) {
		case C_USER:
			row.user = word;
			if (row.uid == GH_NULL)
				row.uid = live_uid(word);
			break;
		case C_UID:
			row.uid = live_uid(word);
			break;
		case C_PID:
			row.pid = live_int(word);
			break;
		case C_TID:
			tid = live_int(word);
			break;
		case C_PPID:
			row.ppid = live_int(word);
			break;
		case C_LABEL:
			row.label = word;
			break;
		case C_STATE:
			row.state = word;
			break;
		case C_NAME:
			row.name = word;
			break;
		case C_ARGS:
			row.args = word;
			break;
		case C_OTHER:
			break;
		}
	}
	if (row.pid < 0 || (tid != GH_NULL && tid != row.pid))
		return;
	l->rows++;
	l->t.ctx->ops->emit(l->t.ctx, GH_T_live_processes, l->t.at, &row);
}

const struct live_parser live_ps = {
	.name = "ps", .files = "ps|processes", .marks = " PID ", .titles = "PROCESSES|PS (", .line = ps_line};

/* ---- sockets ---- */

/* "127.0.0.1:5555", ":::5555", "[::1]:80": the part behind the last colon is the port, '*' none. */
static struct gh_str address(struct gh_str s, int64_t *ret_port)
{
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	*ret_port = GH_NULL;
	if (!colon)
		return s;
	size_t n = (size_t)(colon - s.p);
	*ret_port = live_int(live_skip(s, n + 1));
	s.n = n;
	if (s.n > 1 && *s.p == '[' && s.p[s.n - 1] == ']')
		s = gh_strn(s.p + 1, s.n - 2);
	return s;
}

static bool state_word(struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_' || s.p[i] == '1' || s.p[i] == '2'))
			return false;
	return s.n > 3;
}

/* "tcp 0 0 127.0.0.1:5037 0.0.0.0:* LISTEN 1000 12345 123/name": state is missing for udp, user and inode without -e. */
static void netstat_line(struct live *l, struct gh_str line)
{
	struct gh_str rest = line, proto, word, local, remote;
	l->known = l->known || gh_str_starts(line, "Active Internet") || gh_str_starts(line, "Proto ");
	if (!gh_text_word(&rest, &proto) || !live_one_of(proto, "tcp|tcp6|udp|udp6") || !gh_text_word(&rest, &word) ||
		!gh_text_word(&rest, &word) || !gh_text_word(&rest, &local) || !gh_text_word(&rest, &remote))
		return;
	struct gh_row_live_sockets row = {
		.proto = proto, .uid = GH_NULL, .inode = GH_NULL, .pid = GH_NULL, .line = l->t.line};
	row.local = address(local, &row.lport);
	row.remote = address(remote, &row.rport);
	while (gh_text_word(&rest, &word)) {
		const char *slash = memchr(word.p, '/', word.n);
		if (slash) {
			row.pid = live_int(live_cut(&word, '/'));
			row.program = word;
		} else if (!row.state.p && row.uid == GH_NULL && state_word(word))
			row.state = word;
		else if (row.uid == GH_NULL && live_uid(word) >= 0)
			row.uid = live_uid(word);
		else if (row.inode == GH_NULL)
			row.inode = live_int(word);
	}
	l->rows++;
	l->t.ctx->ops->emit(l->t.ctx, GH_T_live_sockets, l->t.at, &row);
}

const struct live_parser live_netstat = {.name = "netstat",
	.files = "netstat",
	.marks = "Active Internet|Proto ",
	.titles = "NETSTAT",
	.line = netstat_line};

static const char *const tcp_states[] = {"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"};

/* "0100007F:13AD": words of 32 bits in the processor's order (little endian on every Android), the port as a number. */
static struct gh_str hex_address(struct live *l, struct gh_str s, int64_t *ret_port)
{
	struct gh_str port = s, digits = live_cut(&port, ':');
	uint64_t v, w[4];
	*ret_port = port.n == 4 && gh_str_u64(port, 16, &v) ? (int64_t)v : GH_NULL;
	if (digits.n != 8 && digits.n != 32)
		return GH_NONE;
	for (size_t i = 0; i < digits.n / 8; i++)
		if (!gh_str_u64(gh_strn(digits.p + i * 8, 8), 16, &w[i]))
			return GH_NONE;
	if (digits.n == 8)
		return gh_str_fmt(l->t.ctx->arena, "%u.%u.%u.%u", (unsigned)(w[0] & 255), (unsigned)(w[0] >> 8 & 255),
			(unsigned)(w[0] >> 16 & 255), (unsigned)(w[0] >> 24));
	char text[40];
	size_t n = 0;
	for (size_t i = 0; i < 16; i += 2) {
		unsigned a = (unsigned)(w[i / 4] >> (i % 4 * 8) & 255),
			 b = (unsigned)(w[i / 4] >> (i % 4 * 8 + 8) & 255);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%x", i ? ":" : "", a << 8 | b);
	}
	if (w[0] == 0 && w[1] == 0 && w[2] == 0)
		return w[3] == 0            ? GH_STR("::")
		       : w[3] == 0x01000000 ? GH_STR("::1")
					    : gh_str_dup(l->t.ctx->arena, gh_strn(text, n));
	if (w[0] == 0 && w[1] == 0 && w[2] == 0xffff0000)
		return gh_str_fmt(l->t.ctx->arena, "::ffff:%u.%u.%u.%u", (unsigned)(w[3] & 255),
			(unsigned)(w[3] >> 8 & 255), (unsigned)(w[3] >> 16 & 255), (unsigned)(w[3] >> 24));
	return gh_str_dup(l->t.ctx->arena, gh_strn(text, n));
}

/* "Num RefCount Protocol Flags Type St Inode Path" */
static void unix_line(struct live *l, struct gh_str line)
{
	struct gh_str w[7], rest = line;
	uint64_t flags;
	for (size_t i = 0; i < GH_COUNT(w); i++)
		if (!gh_text_word(&rest, &w[i]))
			return;
	/* __SO_ACCEPTCON */
	bool listens = gh_str_u64(w[3], 16, &flags) && flags & 0x10000;
	if (w[0].n && w[0].p[w[0].n - 1] == ':')
		LIVE_EMIT(l, live_sockets, .proto = GH_STR("unix"), .local = live_some(gh_text_trim(rest)),
			.lport = GH_NULL, .rport = GH_NULL, .state = listens ? GH_STR("LISTEN") : GH_NONE,
			.uid = GH_NULL, .inode = live_int(w[6]), .pid = GH_NULL, .line = l->t.line);
}

/* "sl local rem st tx:rx tr:when retrnsmt uid timeout inode" */
static void inet_line(struct live *l, struct gh_str line, bool tcp, bool six)
{
	struct gh_str w[10], rest = line;
	for (size_t i = 0; i < GH_COUNT(w); i++)
		if (!gh_text_word(&rest, &w[i]))
			return;
	uint64_t state = 0;
	int64_t lport, rport;
	struct gh_str local = hex_address(l, w[1], &lport), remote = hex_address(l, w[2], &rport);
	if (!local.p || !remote.p || lport == GH_NULL || !gh_str_u64(w[3], 16, &state))
		return;
	const char *proto = tcp ? six ? "tcp6" : "tcp" : six ? "udp6" : "udp";
	LIVE_EMIT(l, live_sockets, .proto = gh_str(proto), .local = local, .lport = lport, .remote = remote,
		.rport = rport,
		.state = tcp && state && state < GH_COUNT(tcp_states) ? gh_str(tcp_states[state]) : GH_NONE,
		.uid = live_int(w[7]), .inode = live_int(w[9]), .pid = GH_NULL, .line = l->t.line);
}

static void proc_net_line(struct live *l, struct gh_str line)
{
	struct gh_str f = l->file;
	l->known = l->known || live_find(line, "local_address") || gh_str_starts(line, "Num ");
	if (gh_str_ends(f, "unix"))
		unix_line(l, line);
	else
		inet_line(l, line, live_find(f, "tcp"), gh_str_ends(f, "6"));
}

const struct live_parser live_proc_net = {.name = "/proc/net",
	.files = "proc_net_tcp|proc_net_tcp6|proc_net_udp|proc_net_udp6|proc_net_unix",
	.marks = "local_address|RefCount",
	.line = proc_net_line};

/* ---- mounts: "dev on dir type T (options)" of mount, "dev dir T options 0 0" of /proc/mounts ---- */

static void mounts_line(struct live *l, struct gh_str line)
{
	const char *on = live_find(line, " on "), *type = live_find(line, " type ");
	struct gh_str device, dir, kind, rest = line, options;
	if (on && type && on < type) {
		device = gh_strn(line.p, (size_t)(on - line.p));
		dir = type - on > 4 ? gh_strn(on + 4, (size_t)(type - on) - 4) : gh_strn(on, 0);
		rest = gh_strn(type + 6, (size_t)(line.p + line.n - type) - 6);
		kind = live_cut(&rest, ' ');
		options = live_after(rest, "(", ")");
	} else if (!gh_text_word(&rest, &device) || !gh_text_word(&rest, &dir) || !gh_text_word(&rest, &kind) ||
		   !gh_text_word(&rest, &options) || *dir.p != '/')
		return;
	if (dir.n)
		LIVE_EMIT(l, live_mounts, .device = device, .dir = dir, .type = kind, .options = live_some(options),
			.line = l->t.line);
}

const struct live_parser live_mounts = {.name = "mounts",
	.files = "mounts|mount|proc_mounts",
	.marks = " type | rw,| ro,",
	.titles = "MOUNT INFO",
	.line = mounts_line};
