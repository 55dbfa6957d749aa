/* SPDX-License-Identifier: Apache-2.0 */
/* adb_keys: public keys that may use adb, a line each: base64 of Android's RSA public key structure (524 bytes: modulus words, n0inv,
 * modulus, R squared, exponent; system/core/libcrypto_utils), then a comment. */
#include <openssl/evp.h>

#include "base/lines.h"
#include "tree/plugin.h"

enum {
	KEY_LEN = 524, /* of a 2048-bit key, the only size that adb makes */
	LINE_MAX_KEY = 16 << 10, /* longer lines hold no key */
	WORDS = 64,
};

static bool adbkeys_wants(const struct gh_probe *probe)
{
	return gh_str_is(probe->name, "adb_keys") || gh_str_is(probe->name, "adb_temp_keys.xml") ||
	       gh_str_is(probe->name, "adbkey.pub");
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes until the padding; SIZE_MAX when something else is in it or it is too long. */
static size_t base64(struct gh_str s, uint8_t *out, size_t cap)
{
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;
	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i]);
		if (v < 0 || n == cap)
			return SIZE_MAX;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n;
}

static void adbkeys_line(struct gh_ctx *ctx, const struct gh_lines *l)
{
	uint8_t key[LINE_MAX_KEY], sum[EVP_MAX_MD_SIZE];
	struct gh_str rest = l->line, word;
	unsigned n = 0;
	if (!gh_str_word(&rest, &word) || *word.p == '#')
		return;
	size_t len = l->line.n > LINE_MAX_KEY ? SIZE_MAX : base64(word, key, sizeof key);
	if (len == SIZE_MAX || !len) {
		gh_note(ctx, GH_BAD, l->at, "line %lld is not a key", (long long)l->number);
		return;
	}
	struct gh_cursor c = gh_cursor(key, len, l->at);
	if (len != KEY_LEN || gh_u32(&c) != WORDS)
		gh_note(ctx, GH_BAD, l->at, "line %lld holds %zu bytes that are not a 2048-bit key of adb",
			(long long)l->number, len);
	EVP_Digest(key, len, sum, &n, EVP_sha256(), NULL);
	rest = gh_str_trim(rest);
	GH_EMIT(ctx, adb_keys, l->at, .fp = gh_hex(ctx->arena, sum, n), .comment = rest.n ? rest : GH_NONE,
		.line = l->number);
}

static enum gh_code adbkeys_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a list of keys");
	if (blob->size > 4 && memcmp(blob->data, "ABX", 3) == 0)
		return gh_fail(err, GH_UNSUP, 0, "binary XML (ABX) is not read");
	struct gh_lines l = gh_lines(blob->data, (size_t)blob->size);
	while (gh_lines_next(&l)) {
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, l.at, err);
		if (code)
			return code;
		adbkeys_line(ctx, &l);
		gh_arena_release(ctx->arena, mark);
	}
	return GH_OK;
}

const struct gh_inspector gh_inspector_adbkeys = {
	.name = "adbkeys", .title = "keys that may use adb", .version = 1, .wants = adbkeys_wants, .run = adbkeys_run};
