/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1 (RFC 9112): requests with method, host, target and agent, answers with their status, bodies looked through for identifiers. A
 * CONNECT that is granted, and an upgrade, hand the stream to what comes next. */
#include <stdio.h>

#include "base/num.h"
#include "capture/app.h"
#include "codecs/deflate/deflate.h"

enum {
	HEAD_MAX = 32 << 10, /* servers refuse more than 8 to 16 KiB */
	BODY_MAX = 32 << 10, /* of a body, looked through: what phones home is small */
	METHODS = 16, /* requests that wait for their answers, by kind */
	ROWS = 500000,
};

enum part { HEAD, BODY, CHUNK_SIZE, CHUNK, TRAILER, TO_END, OFF };

struct way {
	enum part part;
	struct gh_buf buf; /* an unfinished head or line */
	struct gh_buf body;
	uint64_t left; /* of a body or chunk */
	bool lost; /* bytes are missing: the next segment that looks like the beginning of a message is one */
	char encoding[16];
};

struct gh_http {
	struct way way[2];
	uint8_t kind[METHODS]; /* of requests in their order: 0 plain, 1 HEAD, 2 CONNECT */
	uint8_t first, n;
	char host[200];
};

static const struct gh_str methods[] = {{"GET ", 4}, {"POST ", 5}, {"HEAD ", 5}, {"PUT ", 4}, {"DELETE ", 7},
	{"OPTIONS ", 8}, {"CONNECT ", 8}, {"PATCH ", 6}, {"TRACE ", 6}, {"PROPFIND ", 9}, {"NOTIFY ", 7},
	{"SUBSCRIBE ", 10}, {"M-SEARCH ", 9}, {"REPORT ", 7}, {"MERGE ", 6}, {"LOCK ", 5}, {"UNLOCK ", 7},
	{"MKCOL ", 6}};

/* RTSP and SIP have methods of the same names. */
static bool other_protocol(const uint8_t *p, size_t n)
{
	return (n >= 7 && memcmp(p, "rtsp://", 7) == 0) || (n >= 4 && memcmp(p, "sip:", 4) == 0);
}

bool gh_http_begins(const uint8_t *p, size_t n)
{
	if (n >= 8 && memcmp(p, "HTTP/1.", 7) == 0)
		return true;
	for (size_t i = 0; n && i < GH_COUNT(methods); i++) {
		size_t len = methods[i].n;
		if (*p == (uint8_t)*methods[i].p && n > len && memcmp(p, methods[i].p, len) == 0)
			return !other_protocol(p + len, n - len);
	}
	return false;
}

static struct gh_http *http_of(struct gh_traffic *t, struct gh_flow *f)
{
	if (!f->app->http)
		f->app->http = gh_pool_zero(&t->pool, sizeof *f->app->http);
	return f->app->http;
}

/* ---- a head ---- */

struct fields {
	struct gh_str first, host, agent, type, length, transfer, encoding, upgrade, server;
};

static bool named(struct gh_str line, const char *name, struct gh_str *ret)
{
	size_t n = strlen(name);
	if (ret->p || line.n <= n || line.p[n] != ':')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((line.p[i] | 0x20) != name[i] && line.p[i] != name[i])
			return false;
	*ret = gh_str_trim(gh_strn(line.p + n + 1, line.n - n - 1));
	if (!ret->p)
		*ret = GH_STR("");
	return true;
}

static void parse_fields(struct gh_str head, struct fields *f)
{
	struct gh_str line;
	*f = (struct fields){0};
	if (gh_str_line(&head, &line))
		f->first = gh_str_trim(line);
	while (gh_str_line(&head, &line))
		(void)(named(line, "host", &f->host) || named(line, "user-agent", &f->agent) ||
			named(line, "content-type", &f->type) || named(line, "content-length", &f->length) ||
			named(line, "transfer-encoding", &f->transfer) ||
			named(line, "content-encoding", &f->encoding) || named(line, "upgrade", &f->upgrade) ||
			named(line, "server", &f->server));
}

static bool contains(struct gh_str s, const char *word)
{
	return s.p && s.n && memmem(s.p, s.n, word, strlen(word));
}

/* How the body is delimited. */
static void body_of(struct way *w, const struct fields *f, bool answer, bool none)
{
	uint64_t n = 0;
	size_t len = gh_min(f->encoding.p ? f->encoding.n : 0, sizeof w->encoding - 1);
	memcpy(w->encoding, len ? f->encoding.p : "", len);
	w->encoding[len] = 0;
	w->left = 0;
	if (none)
		w->part = HEAD;
	else if (contains(f->transfer, "chunked"))
		w->part = CHUNK_SIZE;
	else if (f->length.p && gh_str_u64(f->length, 10, &n)) {
		w->left = n;
		w->part = n ? BODY : HEAD;
	} else
		w->part = answer ? TO_END : HEAD;
}

static void request(struct gh_traffic *t, const struct gh_here *h, struct gh_http *x, const struct fields *f)
{
	struct gh_str rest = f->first;
	const char *blank = memchr(rest.p, ' ', rest.n);
	struct gh_str method = gh_strn(rest.p, blank ? (size_t)(blank - rest.p) : rest.n);
	struct gh_str uri = blank ? gh_strn(blank + 1, rest.n - method.n - 1) : GH_NONE;
	const char *end = uri.p ? memrchr(uri.p, ' ', uri.n) : NULL;
	if (end && (size_t)(uri.p + uri.n - end) >= 6 && memcmp(end, " HTTP/", 6) == 0)
		uri.n = (size_t)(end - uri.p);
	bool connect = gh_str_is(method, "CONNECT");
	bool inside = h->flow->inside;
	if (x->n < METHODS)
		x->kind[(x->first + x->n++) % METHODS] = connect ? 2 : gh_str_is(method, "HEAD");
	if (!inside && !connect && f->host.p) {
		const char *colon = memchr(f->host.p, ':', f->host.n);
		gh_flow_name(h->flow, gh_strn(f->host.p, colon ? (size_t)(colon - f->host.p) : f->host.n), "http host");
	}
	if (t->count.http++ < ROWS)
		GH_EMIT(t->ctx, http_requests, h->pkt->at, .flow = (int64_t)h->flow->row,
			.packet = (int64_t)h->pkt->number, .us = h->pkt->us, .inside_tls = inside, .method = method,
			.host = f->host, .uri = uri, .agent = f->agent, .content_type = f->type);
	body_of(&x->way[0], f, false, false);
}

static void answer(struct gh_traffic *t, const struct gh_here *h, struct gh_http *x, const struct fields *f)
{
	uint64_t status = 0;
	struct gh_str word, rest = f->first;
	uint8_t kind = x->n ? x->kind[x->first] : 0;
	(void)!(gh_str_word(&rest, &word) && gh_str_word(&rest, &word) && gh_str_u64(word, 10, &status));
	bool interim = status >= 100 && status < 200 && status != 101;
	if (!interim && x->n) {
		x->first = (uint8_t)((x->first + 1) % METHODS);
		x->n--;
	}
	if (t->count.http++ < ROWS)
		GH_EMIT(t->ctx, http_responses, h->pkt->at, .flow = (int64_t)h->flow->row,
			.packet = (int64_t)h->pkt->number, .status = (int64_t)status, .server = f->server,
			.content_type = f->type);
	if (status == 101 || (kind == 2 && status / 100 == 2)) {
		x->way[0].part = x->way[1].part = OFF;
		return;
	}
	body_of(&x->way[1], f, true, interim || kind == 1 || status == 204 || status == 304);
}

static bool head_done(struct gh_traffic *t, const struct gh_here *h, struct gh_http *x, struct gh_str head)
{
	struct fields f;
	parse_fields(head, &f);
	if (!gh_http_begins((const uint8_t *)head.p, head.n))
		return false;
	gh_leak_search(t, h, h->dir ? "http answer head" : "http head", (const uint8_t *)head.p, head.n);
	if (gh_str_starts(f.first, "HTTP/"))
		answer(t, h, x, &f);
	else
		request(t, h, x, &f);
	return true;
}

/* ---- bodies ---- */

static void body_end(struct gh_traffic *t, const struct gh_here *h, struct way *w)
{
	const char *where = h->dir ? "http answer" : "http body";
	if (!w->body.n)
		return;
	bool gzip = !strcmp(w->encoding, "gzip") ||
		    (w->body.n > 18 && w->body.p[0] == 0x1f && w->body.p[1] == 0x8b && w->body.p[2] == 8);
	struct gh_mark mark = gh_arena_mark(t->ctx->arena);
	size_t n = 0;
	uint8_t *out = gzip ? gh_alloc_raw(t->ctx->arena, 4 * BODY_MAX) : NULL;
	if (out)
		n = gh_gunzip_some(t->ctx, w->body.p, w->body.n, out, 4 * BODY_MAX);
	if (n)
		gh_leak_search(t, h, h->dir ? "http answer, gzip" : "http body, gzip", out, n);
	else
		gh_leak_search(t, h, where, w->body.p, w->body.n);
	gh_arena_release(t->ctx->arena, mark);
	gh_buf_free(&t->pool, &w->body);
}

static void body_bytes(struct gh_traffic *t, struct way *w, const uint8_t *p, size_t n)
{
	size_t room = BODY_MAX - gh_min(w->body.n, BODY_MAX);
	(void)!gh_buf_add(&t->pool, &w->body, p, gh_min(n, room), BODY_MAX);
}

static bool chunk_size(struct way *w, struct gh_str line)
{
	line = gh_str_trim(line);
	const char *semi = memchr(line.p, ';', line.n);
	if (semi)
		line = gh_str_trim(gh_strn(line.p, (size_t)(semi - line.p)));
	uint64_t n;
	if (!line.n || line.n > 15 || !gh_str_u64(line, 16, &n))
		return false;
	w->left = n ? n + 2 : 0; /* the line end behind the data */
	w->part = n ? CHUNK : TRAILER;
	return true;
}

/* ---- a direction ---- */

/* Takes a line or a head out of p; 0: more is needed (what there is was kept), else the bytes used. */
static size_t gather(
	struct gh_traffic *t, struct way *w, const uint8_t *p, size_t n, const char *end, struct gh_str *ret)
{
	size_t before = w->buf.n, len = strlen(end);
	if (!gh_buf_add(&t->pool, &w->buf, p, gh_min(n, HEAD_MAX - gh_min(before, HEAD_MAX)), HEAD_MAX) ||
		w->buf.n == before) {
		w->part = OFF;
		return 0;
	}
	size_t from = before > len ? before - len : 0;
	const uint8_t *hit = memmem(w->buf.p + from, w->buf.n - from, end, len);
	if (!hit)
		return 0;
	size_t all = (size_t)(hit - w->buf.p) + len;
	*ret = gh_strn(w->buf.p, all);
	return all - before;
}

static size_t step_text(struct gh_traffic *t, const struct gh_here *h, struct gh_http *x, const uint8_t *p, size_t n)
{
	struct way *w = &x->way[h->dir];
	struct gh_str text;
	if (w->part == HEAD && !w->buf.n && (*p == '\r' || *p == '\n'))
		return 1; /* empty lines between messages */
	if (w->part == HEAD && !w->buf.n && n >= 24 && memcmp(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) == 0) {
		x->way[0].part = x->way[1].part = OFF;
		return n;
	}
	size_t used = gather(t, w, p, n, w->part == HEAD ? "\r\n\r\n" : "\n", &text);
	if (!used) {
		if (w->part == HEAD && w->buf.n >= 16 && !gh_http_begins(w->buf.p, w->buf.n))
			w->part = OFF;
		return n;
	}
	bool ok = true;
	if (w->part == HEAD)
		ok = head_done(t, h, x, text);
	else if (w->part == CHUNK_SIZE)
		ok = chunk_size(w, text);
	else if (text.n <= 2) { /* the empty line behind the trailer */
		body_end(t, h, w);
		w->part = HEAD;
	}
	gh_buf_free(&t->pool, &w->buf);
	if (!ok)
		w->part = OFF;
	return used;
}

static size_t step_body(struct gh_traffic *t, const struct gh_here *h, struct way *w, const uint8_t *p, size_t n)
{
	size_t take = w->part == TO_END ? n : (size_t)gh_min(n, w->left);
	body_bytes(t, w, p, take);
	if (w->part == TO_END)
		return take;
	w->left -= take;
	if (!w->left && w->part == CHUNK)
		w->part = CHUNK_SIZE;
	else if (!w->left) {
		body_end(t, h, w);
		w->part = HEAD;
	}
	return take;
}

void gh_http_data(struct gh_traffic *t, const struct gh_here *h, const uint8_t *p, size_t n)
{
	struct gh_http *x = http_of(t, h->flow);
	if (!x)
		return;
	struct way *w = &x->way[h->dir];
	bool fresh = w->part == HEAD && !w->buf.n && *p != '\r' && *p != '\n' && *p != 'P';
	if (fresh && (w->lost || n >= 16) && !gh_http_begins(p, n)) {
		w->lost = true;
		return;
	}
	w->lost = false;
	for (size_t i = 0; i < n && gh_step(t, 1);) {
		if (w->part == OFF) { /* something else begins here: a tunnel, a WebSocket */
			struct gh_app *a = h->flow->app;
			if (a->http == x && x->way[!h->dir].part == OFF) {
				gh_http_end(t, h->flow);
				a->speaks = GH_UNKNOWN;
				gh_app_data(t, h, p + i, n - i);
			}
			return;
		}
		i += w->part == BODY || w->part == CHUNK || w->part == TO_END ? step_body(t, h, w, p + i, n - i)
									      : step_text(t, h, x, p + i, n - i);
	}
}

void gh_http_gap(struct gh_traffic *t, const struct gh_here *h, uint64_t lost)
{
	struct gh_http *x = http_of(t, h->flow);
	if (!x)
		return;
	struct way *w = &x->way[h->dir];
	if ((w->part == BODY || w->part == CHUNK) && lost < w->left) {
		w->left -= lost;
		return;
	}
	gh_buf_free(&t->pool, &w->buf);
	gh_buf_free(&t->pool, &w->body);
	if (w->part != OFF)
		w->part = HEAD;
	w->lost = true;
}

void gh_http_end(struct gh_traffic *t, struct gh_flow *f)
{
	struct gh_http *x = f->app ? f->app->http : NULL;
	if (!x)
		return;
	struct gh_packet pkt = {.number = f->first_packet, .at = f->first_at, .us = f->last_us, .uid = GH_NULL};
	struct gh_ip ip = {.proto = f->proto};
	for (unsigned dir = 0; dir < 2; dir++) {
		struct gh_here h = {.pkt = &pkt, .ip = &ip, .flow = f, .dir = dir};
		body_end(t, &h, &x->way[dir]);
		gh_buf_free(&t->pool, &x->way[dir].buf);
	}
	f->app->http = NULL;
	gh_pool_put(&t->pool, x, sizeof *x);
}
