/* SPDX-License-Identifier: Apache-2.0 */
/* Backups that adb makes (AOSP frameworks/base, com.android.server.backup.fullbackup: FullBackupEngine, PerformAdbBackupTask): four lines of
 * text ("ANDROID BACKUP", version, 1 where it is packed, "none" or the cipher), then a tar, packed as zlib stream (RFC 1950) or as it is. */
#include "base/num.h"
#include "codecs/deflate/deflate.h"

enum {
	HEADER_MAX = 128, /* the four lines of an unencrypted one have up to 26 bytes */
	VERSION_MAX = 5, /* Android 12; 1 to 5 have the same form where nothing is encrypted */
	ZLIB_HEAD = 2,
	ZLIB_TAIL = 4,
	ADLER_MOD = 65521,
	ADLER_RUN = 5552, /* bytes before the second sum can overflow 32 bits */
};

struct ab {
	struct gh_source *src;
	uint64_t version;
	bool packed;
	struct gh_str cipher;
	uint64_t data; /* where what follows the header begins */
	bool listed;
};

static bool line(struct gh_str *rest, struct gh_str *ret)
{
	const char *p = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!p)
		return false;
	*ret = gh_strn(rest->p, (size_t)(p - rest->p));
	*rest = gh_strn(p + 1, rest->n - ret->n - 1);
	return true;
}

static bool header(struct gh_str head, struct ab *ret)
{
	struct gh_str rest = head, magic, version, packed;
	if (!line(&rest, &magic) || !gh_str_is(magic, "ANDROID BACKUP") || !line(&rest, &version) ||
		!line(&rest, &packed) || !line(&rest, &ret->cipher))
		return false;
	ret->packed = gh_str_is(packed, "1");
	ret->data = head.n - rest.n;
	return gh_str_u64(version, 10, &ret->version) && (ret->packed || gh_str_is(packed, "0")) && ret->cipher.n;
}

static enum gh_bid ab_bid(const struct gh_probe *probe)
{
	struct ab ab;
	struct gh_str head = gh_strn(probe->head, (size_t)gh_min(probe->head_len, HEADER_MAX));
	if (!gh_str_starts(head, "ANDROID BACKUP\n"))
		return GH_BID_NO;
	return header(head, &ab) ? GH_BID_PROVEN : GH_BID_MAGIC;
}

static enum gh_code ab_open(struct gh_ctx *ctx, struct gh_source *src, void *state, struct gh_err *err)
{
	struct ab *ab = state;
	const uint8_t *p;
	size_t n = (size_t)gh_min(src->size, HEADER_MAX);
	enum gh_code code = gh_view(src, ctx->arena, 0, n, &p, err);
	if (code)
		return code;
	*ab = (struct ab){.src = src};
	if (!header(gh_strn(p, n), ab))
		return gh_fail(err, GH_BAD, 0, "the header of a backup has four lines; these are not they");
	return GH_OK;
}

static enum gh_code ab_describe(struct gh_ctx *ctx, void *state, struct gh_err *err)
{
	struct ab *ab = state;
	(void)err;
	GH_EMIT(ctx, archive_facts, 15, .kind = GH_STR("version"),
		.value = gh_str_fmt(ctx->arena, "%llu", (unsigned long long)ab->version));
	GH_EMIT(ctx, archive_facts, 15, .kind = GH_STR("cipher"), .value = ab->cipher);
	if (!ab->version || ab->version > VERSION_MAX)
		gh_note(ctx, GH_UNSUP, 15, "version %llu of the format is not known; read as if it were %d",
			(unsigned long long)ab->version, VERSION_MAX);
	return GH_OK;
}

static bool is_encrypted(const struct ab *ab)
{
	return !gh_str_is(ab->cipher, "none");
}

static enum gh_code ab_next(struct gh_ctx *ctx, void *state, struct gh_child *ret, struct gh_err *err)
{
	struct ab *ab = state;
	(void)err;
	if (ab->listed)
		return GH_END;
	ab->listed = true;
	uint64_t csize = ab->src->size - ab->data;
	*ret = (struct gh_child){
		.kind = GH_MEMBER, .name = GH_STR("backup.tar"), .off = ab->data, .csize = csize, .size = csize};
	if (is_encrypted(ab)) {
		gh_note(ctx, GH_UNSUP, ab->data, "it is encrypted (%.*s): nothing in it was looked at",
			(int)gh_min(ab->cipher.n, 32), ab->cipher.p);
		ret->flags = GH_CHILD_UNREADABLE;
	} else if (ab->packed) {
		ret->flags = GH_CHILD_STREAM | GH_CHILD_SIZE_HINT;
		ret->size = csize < UINT64_MAX / 3 ? csize * 3 : csize;
	}
	return GH_OK;
}

static enum gh_code ab_data(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_source **ret, struct gh_err *err)
{
	struct ab *ab = state;
	if (ab->packed || is_encrypted(ab))
		return gh_fail(err, GH_UNSUP, child->off, "a packed backup has no place to read at");
	*ret = gh_source_slice(ctx->arena, ab->src, ab->data, ab->src->size - ab->data);
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, ab->data, "no memory for a source");
}

/* ---- Adler-32 of what is delivered ---- */

struct summing {
	struct gh_sink base;
	struct gh_sink *to;
	uint32_t a, b;
};

static void adler(struct summing *s, const uint8_t *p, size_t n)
{
	while (n) {
		size_t k = (size_t)gh_min(n, ADLER_RUN);
		for (size_t i = 0; i < k; i++) {
			s->a += p[i];
			s->b += s->a;
		}
		s->a %= ADLER_MOD;
		s->b %= ADLER_MOD;
		p += k;
		n -= k;
	}
}

static enum gh_code summing_write(struct gh_sink *self, const void *p, size_t n, struct gh_err *err)
{
	struct summing *s = (struct summing *)self;
	adler(s, p, n);
	return s->to->write(s->to, p, n, err);
}

static enum gh_code check_end(
	struct gh_ctx *ctx, struct ab *ab, const struct summing *s, uint64_t at, struct gh_err *err)
{
	uint8_t tail[ZLIB_TAIL];
	if (ab->src->size - at < ZLIB_TAIL)
		return gh_fail(err, GH_SHORT, at, "the check sum of the stream is cut off");
	enum gh_code code = gh_read(ab->src, at, tail, sizeof tail, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(tail, sizeof tail, at);
	uint32_t stated = gh_u32be(&c), found = s->b << 16 | s->a;
	if (stated != found)
		gh_note(ctx, GH_BAD, at, "Adler-32 of the content is %08x, stated is %08x", found, stated);
	if (ab->src->size - at > ZLIB_TAIL)
		gh_note(ctx, GH_UNSUP, at + ZLIB_TAIL, "%llu bytes behind the stream are not looked at",
			(unsigned long long)(ab->src->size - at - ZLIB_TAIL));
	return GH_OK;
}

static enum gh_code zlib_head(struct ab *ab, struct gh_err *err)
{
	uint8_t head[ZLIB_HEAD];
	if (ab->src->size - ab->data < ZLIB_HEAD)
		return gh_fail(err, GH_SHORT, ab->data, "nothing follows the header");
	enum gh_code code = gh_read(ab->src, ab->data, head, sizeof head, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(head, sizeof head, ab->data);
	uint16_t both = gh_u16be(&c);
	if ((both >> 8 & 15) != 8 || both % 31 || both & 32)
		return gh_fail(err, GH_BAD, ab->data, "no zlib stream: %04x", both);
	return GH_OK;
}

static enum gh_code ab_pour(
	struct gh_ctx *ctx, void *state, const struct gh_child *child, struct gh_sink *sink, struct gh_err *err)
{
	struct ab *ab = state;
	struct gh_deflated d;
	struct summing s = {.base.write = summing_write, .to = sink, .a = 1};
	uint64_t at = ab->data + ZLIB_HEAD;
	size_t had = sink->len;
	if (!ab->packed || is_encrypted(ab))
		return gh_fail(err, GH_UNSUP, child->off, "a backup that is not packed is no stream");
	enum gh_code code = zlib_head(ab, err);
	if (code)
		return code;
	uint64_t most = sink->buf ? sink->cap - sink->len : UINT64_MAX;
	code = gh_deflate_pour(ctx, ab->src, at, ab->src->size - at, most, sink->buf ? sink : &s.base, &d, err);
	if (code)
		return code;
	if (!d.ended)
		return gh_fail(err, GH_LIMIT, at + d.in, "unpacks to more than %zu bytes", sink->cap);
	if (sink->buf)
		adler(&s, sink->buf + had, sink->len - had);
	return check_end(ctx, ab, &s, at + d.in, err);
}

const struct gh_format gh_format_ab = {
	.name = "ab",
	.title = "backup of adb",
	.version = 1,
	.state_size = sizeof(struct ab),
	.bid = ab_bid,
	.open = ab_open,
	.describe = ab_describe,
	.next = ab_next,
	.data = ab_data,
	.pour = ab_pour,
};
