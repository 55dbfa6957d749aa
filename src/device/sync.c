/* SPDX-License-Identifier: Apache-2.0 */
/* adb's sync protocol (AOSP: packages/modules/adb, SYNC.TXT and file_sync_protocol.h), versions 1 and 2. Requests are a word of four
 * letters, a length and a path; numbers are little endian. */
#include "device/sync.h"

#include "base/num.h"
#include "cursor/cursor.h"

enum {
	DATA_MAX = 64 << 10, /* of one DATA, as the protocol has it */
	STAT_V1 = 12,
	STAT_V2 = 68,
};

enum gh_code gh_sync_open(struct gh_phone *phone, struct gh_sync *ret, struct gh_err *err)
{
	ret->phone = phone;
	ret->reader.at = ret->reader.n = 0;
	ret->reader.stream = NULL;
	return gh_phone_open(phone, "sync:", &ret->reader.stream, err);
}

void gh_sync_close(struct gh_sync *s)
{
	if (s->reader.stream)
		s->reader.stream->close(s->reader.stream);
	s->reader.stream = NULL;
}

static enum gh_code request(struct gh_sync *s, const char *word, const char *path, const char *more, struct gh_err *err)
{
	uint8_t buf[8 + GH_SYNC_PATH_MAX + 8];
	size_t n = strlen(path);
	if (n > GH_SYNC_PATH_MAX)
		return gh_fail(err, GH_LIMIT, 0, "a path of %zu bytes", n);
	memcpy(buf, word, 4);
	for (int i = 0; i < 4; i++)
		buf[4 + i] = (uint8_t)(n >> 8 * i);
	memcpy(buf + 8, path, n);
	if (more)
		memcpy(buf + 8 + n, more, 8);
	return s->reader.stream->put(s->reader.stream, buf, 8 + n + (more ? 8 : 0), err);
}

static bool is(const uint8_t *head, const char *word)
{
	return memcmp(head, word, 4) == 0;
}

/* The phone's words behind FAIL. */
static enum gh_code refused(struct gh_sync *s, uint32_t n, struct gh_err *err)
{
	size_t kept = (size_t)gh_min(n, sizeof s->said - 1);
	enum gh_code code = gh_reader_all(&s->reader, s->said, kept, err);
	s->said[code ? 0 : kept] = 0;
	return code ? code : gh_fail(err, GH_UNSUP, 0, "the phone refuses");
}

static enum gh_code strange(const uint8_t *head, struct gh_err *err)
{
	char shown[24];
	gh_escape(shown, sizeof shown, gh_strn(head, 4));
	return gh_fail(err, GH_BAD, 0, "the phone answers %s, which was not asked", shown);
}

static void read_v1(struct gh_cursor *c, struct gh_sync_stat *ret)
{
	*ret = (struct gh_sync_stat){.mode = gh_u32(c), .v2 = false};
	ret->size = gh_u32(c);
	ret->mtime = gh_u32(c);
}

static void read_v2(struct gh_cursor *c, struct gh_sync_stat *ret)
{
	*ret = (struct gh_sync_stat){.error = gh_u32(c), .v2 = true};
	gh_skip(c, 8); /* device */
	ret->ino = gh_u64(c);
	ret->mode = gh_u32(c);
	gh_skip(c, 4); /* links */
	ret->uid = gh_u32(c);
	ret->gid = gh_u32(c);
	ret->size = gh_u64(c);
	gh_skip(c, 8); /* read */
	ret->mtime = (int64_t)gh_u64(c);
	gh_skip(c, 8); /* changed */
}

enum gh_code gh_sync_stat(struct gh_sync *s, const char *path, struct gh_sync_stat *ret, struct gh_err *err)
{
	bool v2 = s->phone->features & GH_STAT_V2;
	const char *word = v2 ? "LST2" : "STAT";
	uint8_t head[4], body[STAT_V2];
	enum gh_code code = request(s, word, path, NULL, err);
	if (code == GH_OK)
		code = gh_reader_all(&s->reader, head, sizeof head, err);
	if (code)
		return code;
	if (!is(head, word))
		return strange(head, err);
	size_t n = v2 ? STAT_V2 : STAT_V1;
	if ((code = gh_reader_all(&s->reader, body, n, err)))
		return code;
	struct gh_cursor c = gh_cursor(body, n, 0);
	if (v2)
		read_v2(&c, ret);
	else
		read_v1(&c, ret);
	return GH_OK;
}

static enum gh_code entry(struct gh_sync *s, bool v2, gh_sync_entry_fn *fn, void *to, struct gh_err *err)
{
	uint8_t body[STAT_V2 + 4];
	char name[GH_SYNC_NAME_MAX + 1];
	size_t n = (v2 ? STAT_V2 : STAT_V1) + 4;
	enum gh_code code = gh_reader_all(&s->reader, body, n, err);
	if (code)
		return code;
	struct gh_sync_stat stat;
	struct gh_cursor c = gh_cursor(body, n, 0);
	if (v2)
		read_v2(&c, &stat);
	else
		read_v1(&c, &stat);
	uint32_t len = gh_u32(&c);
	if (len > GH_SYNC_NAME_MAX)
		return gh_fail(err, GH_BAD, 0, "a name of %u bytes", len);
	if ((code = gh_reader_all(&s->reader, name, len, err)))
		return code;
	name[len] = 0;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return GH_OK;
	return fn(to, gh_strn(name, len), &stat, err);
}

enum gh_code gh_sync_list(struct gh_sync *s, const char *path, gh_sync_entry_fn *fn, void *to, struct gh_err *err)
{
	bool v2 = s->phone->features & GH_LS_V2;
	uint8_t head[4], end[STAT_V2 + 4];
	enum gh_code code = request(s, v2 ? "LIS2" : "LIST", path, NULL, err);
	for (uint32_t n = 0; code == GH_OK; n++) {
		if ((code = gh_reader_all(&s->reader, head, sizeof head, err)))
			return code;
		if (is(head, "DONE"))
			return gh_reader_all(&s->reader, end, (v2 ? STAT_V2 : STAT_V1) + 4, err);
		if (!is(head, v2 ? "DNT2" : "DENT"))
			return strange(head, err);
		code = n < GH_SYNC_ENTRIES_MAX
			       ? entry(s, v2, fn, to, err)
			       : gh_fail(err, GH_LIMIT, 0, "a folder of more than %d names", GH_SYNC_ENTRIES_MAX);
	}
	return code;
}

enum gh_code gh_sync_ask(struct gh_sync *s, const char *path, struct gh_err *err)
{
	/* Version 2 says behind the path how to pack: not at all. */
	return s->phone->features & GH_RECV_V2 ? request(s, "RCV2", path, "RCV2\0\0\0\0", err)
					       : request(s, "RECV", path, NULL, err);
}

static enum gh_code take_data(struct gh_sync *s, uint32_t left, gh_sync_data_fn *fn, void *to, struct gh_err *err)
{
	while (left) {
		const uint8_t *p;
		size_t n;
		enum gh_code code = gh_reader_view(&s->reader, left, &p, &n, err);
		if (code || (code = fn(to, p, n, err)))
			return code;
		left -= (uint32_t)n;
	}
	return GH_OK;
}

enum gh_code gh_sync_take(struct gh_sync *s, uint64_t most, gh_sync_data_fn *fn, void *to, struct gh_err *err)
{
	for (unsigned empty = 0;;) {
		uint8_t head[8];
		enum gh_code code = gh_reader_all(&s->reader, head, sizeof head, err);
		if (code)
			return code;
		struct gh_cursor c = gh_cursor(head + 4, 4, 0);
		uint32_t n = gh_u32(&c);
		if (is(head, "DONE"))
			return GH_OK;
		if (is(head, "FAIL"))
			return refused(s, n, err);
		empty = n ? 0 : empty + 1;
		if (!is(head, "DATA") || empty > 1000)
			return strange(head, err);
		if (n > DATA_MAX)
			return gh_fail(err, GH_BAD, 0, "a piece of %u bytes", n);
		if (n > most)
			return gh_fail(err, GH_LIMIT, 0, "the file is larger than it said, or grows");
		if ((code = take_data(s, n, fn, to, err)))
			return code;
		most -= n;
	}
}
