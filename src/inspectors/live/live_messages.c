/* SPDX-License-Identifier: Apache-2.0 */
/* Text messages in a backup (AOSP packages/providers/TelephonyProvider TelephonyBackupAgent): d_f/000000_sms_backup and _mms_backup, a zlib
 * stream of a JSON array. When, which way, with whom, and the links are kept; the words are not. */
#include "base/num.h"
#include "codecs/deflate/deflate.h"
#include "inspectors/live/live.h"
#include "inspectors/live/live_json.h"

enum { RATIO = 1032, MESSAGES_MAX = 16 << 20 }; /* the agent cuts its files at 1000 messages */

struct messages {
	struct gh_ctx *ctx;
	const char *kind;
	int64_t rows;
	uint64_t at;
	struct gh_row_live_messages row;
	struct gh_str body;
};

bool live_messages_is(const struct gh_probe *probe)
{
	return (gh_str_ends(probe->name, "_sms_backup") || gh_str_ends(probe->name, "_mms_backup")) &&
	       probe->head_len > 2 && (probe->head[0] & 15) == 8;
}

static bool link_end(char c)
{
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f;
}

/* http:// and https:// links of a text, separated by blanks. */
static struct gh_str links(struct gh_ctx *ctx, struct gh_str body)
{
	char *out = body.n ? gh_alloc_raw(ctx->arena, body.n + 1) : NULL;
	size_t n = 0;
	for (size_t i = 0; out && i + 7 < body.n; i++) {
		struct gh_str rest = live_skip(body, i);
		if (!gh_str_starts(rest, "http://") && !gh_str_starts(rest, "https://"))
			continue;
		size_t k = 0;
		while (k < rest.n && !link_end(rest.p[k]))
			k++;
		if (n)
			out[n++] = ' ';
		memcpy(out + n, rest.p, k);
		n += k;
		i += k;
	}
	return n ? gh_strn(out, gh_min(n, GH_CELL_MAX)) : GH_NONE;
}

static void message_done(struct messages *m)
{
	m->row.kind = gh_str(m->kind);
	m->row.length = (int64_t)m->body.n;
	m->row.links = links(m->ctx, m->body);
	m->rows++;
	m->ctx->ops->emit(m->ctx, GH_T_live_messages, m->at, &m->row);
}

static void message_event(void *to, const struct json_event *e)
{
	struct messages *m = to;
	if (e->type == JSON_OPEN && e->depth == 2) {
		m->at = e->at;
		m->row = (struct gh_row_live_messages){.date = GH_NULL, .sent = GH_NULL};
		m->body = GH_NONE;
	} else if (e->type == JSON_CLOSE && e->depth == 2)
		message_done(m);
	else if (e->depth == 2 && (e->type == JSON_TEXT || e->type == JSON_NUMBER)) {
		if (gh_str_is(e->key, "body") || gh_str_is(e->key, "mms_body"))
			m->body = e->value;
		else if (gh_str_is(e->key, "address"))
			m->row.address = gh_strn(e->value.p, (size_t)gh_min(e->value.n, GH_CELL_MAX));
		else if (gh_str_is(e->key, "date"))
			m->row.date = live_int(e->value);
		else if (gh_str_is(e->key, "type") || gh_str_is(e->key, "msg_box"))
			m->row.sent = live_int(e->value) == GH_NULL ? GH_NULL : live_int(e->value) != 1;
	}
}

enum gh_code live_messages_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct messages m = {.ctx = ctx, .kind = gh_str_ends(blob->name, "_mms_backup") ? "mms" : "sms"};
	size_t cap = (size_t)gh_min(blob->size * RATIO, MESSAGES_MAX), n = 0;
	uint8_t *out = gh_alloc_raw(ctx->arena, cap);
	if (!out)
		return gh_fail(err, GH_NOMEM, 0, "no memory for the messages");
	enum gh_code code = gh_spend_bytes(ctx->budget, cap, 0, err);
	if (!code)
		code = gh_zlib_whole(ctx, blob->data, (size_t)blob->size, out, cap, &n, 0, err);
	/* What came before a break is read. */
	if (code && n)
		gh_note_err(ctx, err);
	else if (code)
		return code;
	code = live_json(ctx, gh_strn(out, n), 0, message_event, &m, err);
	GH_EMIT(ctx, live_sections, 0, .name = GH_STR("messages"), .how = GH_STR("json"),
		.state = code == GH_OK ? GH_STR("read") : GH_STR("cut"), .n_rows = m.rows, .line = GH_NULL);
	return code;
}
