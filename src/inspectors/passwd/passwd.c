/* SPDX-License-Identifier: Apache-2.0 */
/* Built-in log-ins: passwd(5), shadow(5), and authorized_keys (sshd(8); dropbear reads the same). */
#include <openssl/evp.h>

#include "base/lines.h"
#include "tree/plugin.h"

enum { FIELDS = 9, BLOB_MAX = 16 << 10 /* of an SSH key: RSA with 16,384 bits has 2,100 bytes */ };

static bool is_list(struct gh_str name)
{
	return gh_str_is(name, "passwd") || gh_str_is(name, "shadow") || gh_str_is(name, "passwd-") ||
	       gh_str_is(name, "shadow-");
}

static bool is_keys(struct gh_str name)
{
	return gh_str_is(name, "authorized_keys") || gh_str_is(name, "authorized_keys2");
}

static bool passwd_wants(const struct gh_probe *probe)
{
	/* A program may be called passwd: it is no text. */
	bool text = !probe->head_len || !memchr(probe->head, 0, probe->head_len);
	return text && (is_list(probe->name) || is_keys(probe->name));
}

static size_t split(struct gh_str line, struct gh_str field[FIELDS])
{
	size_t n = 0;
	for (;;) {
		const char *colon = memchr(line.p, ':', line.n);
		size_t len = colon && n + 1 < FIELDS ? (size_t)(colon - line.p) : line.n;
		field[n++] = gh_strn(line.p, len);
		if (len == line.n)
			return n;
		line = gh_strn(line.p + len + 1, line.n - len - 1);
	}
}

/* passwd has seven fields: user, hash, uid, gid, comment, home, shell. shadow has nine: user, hash, days. */
static void login_line(struct gh_ctx *ctx, const struct gh_lines *l)
{
	struct gh_str f[FIELDS];
	uint64_t uid;
	if (!gh_str_trim(l->line).n || *l->line.p == '#')
		return;
	size_t n = split(l->line, f);
	if (n < 2) {
		gh_note(ctx, GH_BAD, l->at, "line %lld is neither an account nor a key", (long long)l->number);
		return;
	}
	bool has_uid = n == 7 && gh_str_u64(f[2], 10, &uid) && uid <= UINT32_MAX;
	bool root = gh_str_is(f[0], "root");
	GH_EMIT(ctx, passwd, l->at, .user = f[0],
		.uid = has_uid ? (int64_t)uid
		       : root  ? 0
			       : GH_NULL,
		.hash = f[1], .shell = n == 7 ? f[6] : GH_NONE, .line = l->number);
}

static bool is_type(struct gh_str word)
{
	return gh_str_starts(word, "ssh-") || gh_str_starts(word, "ecdsa-sha2-") || gh_str_starts(word, "sk-ssh-") ||
	       gh_str_starts(word, "sk-ecdsa-");
}

/* Is there a key type among the first words? [options] type base64 [comment] */
static bool find_type(struct gh_str line, struct gh_str *ret_rest)
{
	struct gh_str word;
	for (int i = 0; i < 3 && gh_str_word(&line, &word); i++)
		if (is_type(word)) {
			*ret_rest = line;
			return true;
		}
	return false;
}

static void key_line(struct gh_ctx *ctx, const struct gh_lines *l, struct gh_str rest)
{
	uint8_t raw[BLOB_MAX], sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct gh_str blob;
	if (!gh_str_word(&rest, &blob) || !blob.n || blob.n / 4 * 3 > sizeof raw || blob.n % 4 ||
		EVP_DecodeBlock(raw, (const uint8_t *)blob.p, (int)blob.n) < 0) {
		gh_note(ctx, GH_BAD, l->at, "the key in line %lld is not base64", (long long)l->number);
		return;
	}
	size_t len = blob.n / 4 * 3 - (blob.p[blob.n - 1] == '=') - (blob.p[blob.n - 2] == '=');
	EVP_Digest(raw, len, sum, &n, EVP_sha256(), NULL);
	rest = gh_str_trim(rest);
	GH_EMIT(ctx, ssh_keys, l->at, .user = GH_NONE, .fp = gh_hex(ctx->arena, sum, n),
		.comment = rest.n ? rest : GH_NONE, .line = l->number);
}

static enum gh_code passwd_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, 0, "too large for a list of accounts");
	struct gh_lines l = gh_lines(blob->data, (size_t)blob->size);
	while (gh_lines_next(&l)) {
		struct gh_mark mark = gh_arena_mark(ctx->arena);
		enum gh_code code = gh_spend_steps(ctx->budget, 1, l.at, err);
		if (code)
			return code;
		struct gh_str rest;
		if (find_type(l.line, &rest))
			key_line(ctx, &l, rest);
		else
			login_line(ctx, &l);
		gh_arena_release(ctx->arena, mark);
	}
	return GH_OK;
}

const struct gh_inspector gh_inspector_passwd = {
	.name = "passwd", .title = "accounts and log-in keys", .version = 1, .wants = passwd_wants, .run = passwd_run};
