/* SPDX-License-Identifier: Apache-2.0 */
/* Verity metadata as Android 5 to 8 put it behind a file system (system/extras/verity, fs_mgr_verity): magic number, signature, and a
 * device-mapper table in text; the hash tree follows. */
#include "base/num.h"
#include "inspectors/verity/verity.h"

enum {
	METADATA = 32 << 10,
	SIGNATURE = 256,
	TABLE_AT = 4 + 4 + SIGNATURE + 4,
	EXT4 = 1024, /* its superblock */
	SQUASHFS_USED = 40,
	DIGEST_MAX = 64,
	SALT_MAX = 256,
	WORDS = 10,
};

static bool is_ext4(const struct gh_probe *probe)
{
	return probe->head_len >= EXT4 + 1024 && probe->head[EXT4 + 56] == 0x53 && probe->head[EXT4 + 57] == 0xef;
}

static bool is_squashfs(const struct gh_probe *probe)
{
	return probe->head_len >= 96 && !memcmp(probe->head, "hsqs", 4);
}

/* Where the file system ends; 0: not known. */
static uint64_t file_system_size(const uint8_t *head, size_t n, bool ext4)
{
	struct gh_cursor c = gh_cursor(head, n, 0);
	uint64_t size;
	if (!ext4) {
		gh_seek(&c, SQUASHFS_USED);
		return gh_align(gh_u64(&c), 4096, &size) && !c.bad ? size : 0;
	}
	gh_seek(&c, EXT4 + 4);
	uint64_t blocks = gh_u32(&c);
	gh_seek(&c, EXT4 + 0x18);
	uint32_t shift = gh_u32(&c);
	gh_seek(&c, EXT4 + 0x60);
	bool wide = gh_u32(&c) & 0x80; /* 64bit */
	gh_seek(&c, EXT4 + 0x150);
	if (wide)
		blocks |= (uint64_t)gh_u32(&c) << 32;
	return !c.bad && shift <= 6 && gh_mul(blocks, 1024u << shift, &size) ? size : 0;
}

bool verity_table_wants(const struct gh_probe *probe)
{
	bool ext4 = is_ext4(probe);
	if (!ext4 && !is_squashfs(probe))
		return false;
	uint64_t end = file_system_size(probe->head, probe->head_len, ext4);
	return end && end < probe->size && probe->size - end >= METADATA;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool hex_read(struct gh_str s, uint8_t *out, size_t cap, size_t *ret_n)
{
	if (s.n % 2 || s.n / 2 > cap)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int v = hex(s.p[i]);
		if (v < 0)
			return false;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	*ret_n = s.n / 2;
	return true;
}

/* version device device data-block hash-block data-blocks hash-start algorithm root salt [options] */
static bool table_read(struct gh_str text, struct verity_claim *v, uint8_t *digest, uint8_t *salt)
{
	struct gh_str w[WORDS], rest = text;
	uint64_t n[7] = {0};
	for (size_t i = 0; i < WORDS; i++)
		if (!gh_str_word(&rest, &w[i]))
			return false;
	for (size_t i = 0; i < GH_COUNT(n); i++)
		if (i != 1 && i != 2 && !gh_str_u64(w[i], 10, &n[i]))
			return false;
	if (n[3] > UINT32_MAX || n[4] > UINT32_MAX || n[0] > 1 || !gh_mul(n[5], n[3], &v->image_size) ||
		!gh_mul(n[6], n[4], &v->tree_off))
		return false;
	v->version = (uint32_t)n[0];
	v->data_block = (uint32_t)n[3];
	v->hash_block = (uint32_t)n[4];
	v->partition = gh_str_base(w[1]);
	v->algorithm = w[7];
	v->salt = salt;
	v->digest = digest;
	if (gh_str_is(w[9], "-"))
		return hex_read(w[8], digest, DIGEST_MAX, &v->digest_len);
	return hex_read(w[8], digest, DIGEST_MAX, &v->digest_len) && hex_read(w[9], salt, SALT_MAX, &v->salt_len);
}

static enum gh_code metadata_run(struct gh_ctx *ctx, const struct gh_blob *blob, uint64_t at, struct gh_err *err)
{
	const uint8_t *p;
	uint8_t digest[DIGEST_MAX], salt[SALT_MAX];
	enum gh_code code = gh_view(blob->src, ctx->arena, at, METADATA, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, METADATA, at);
	uint32_t magic = gh_u32(&c);
	if (magic == 0x46464f56) /* "VOFF" */
		gh_note(ctx, GH_UNSUP, at, "verity metadata that says verity is off");
	if (magic != 0xb001b001)
		return GH_OK;
	uint32_t version = gh_u32(&c);
	const uint8_t *signature = gh_bytes(&c, SIGNATURE);
	uint32_t n = gh_u32(&c);
	if (version != 0 || n > METADATA - TABLE_AT) {
		gh_note(ctx, GH_UNSUP, at + 4, "verity metadata of version %u with a table of %u bytes", version, n);
		return GH_OK;
	}
	struct verity_claim v = {
		.kind = "table", .at = at, .tree = true, .signature = gh_hex(ctx->arena, signature, SIGNATURE)};
	v.signed_text = gh_strn(gh_bytes(&c, n), n);
	if (!table_read(v.signed_text, &v, digest, salt)) {
		gh_note(ctx, GH_BAD, at + TABLE_AT, "a verity table that cannot be read");
		return GH_OK;
	}
	v.tree_size = v.tree_off < blob->size ? blob->size - v.tree_off : 0;
	return verity_check(ctx, blob, &v, err);
}

enum gh_code verity_table_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	const uint8_t *p;
	size_t n = (size_t)gh_min(blob->size, EXT4 + 1024);
	enum gh_code code = gh_view(blob->src, ctx->arena, 0, n, &p, err);
	if (code)
		return code;
	struct gh_probe probe = {.head = p, .head_len = n, .size = blob->size};
	if (!verity_table_wants(&probe))
		return GH_OK;
	return metadata_run(ctx, blob, file_system_size(p, n, is_ext4(&probe)), err);
}
