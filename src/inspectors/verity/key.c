/* SPDX-License-Identifier: Apache-2.0 */
/* verity_key in the ramdisk (or the root) of Android 5 to 8: an RSA key of 2,048 bits as libmincrypt holds it (system/core: RSAPublicKey):
 * number of words, n0inv, modulus and R squared in words from the lowest on, exponent. fs_mgr takes tables that it signed. */
#include "inspectors/cert/pubkey.h"
#include "inspectors/verity/verity.h"

enum {
	KEY = 524,
	WORDS = 64,
	BYTES = 4 * WORDS,
	SPKI_MAX = 512,
};

bool verity_key_wants(const struct gh_probe *probe)
{
	return gh_str_is(probe->name, "verity_key") && probe->size == KEY;
}

enum gh_code verity_key_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	const uint8_t *p;
	uint8_t modulus[BYTES], sum[PUBKEY_DIGEST_MAX], spki[SPKI_MAX];
	enum gh_code code = gh_view(blob->src, ctx->arena, 0, KEY, &p, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(p, KEY, 0);
	uint32_t words = gh_u32(&c);
	gh_skip(&c, 4);
	const uint8_t *low = gh_bytes(&c, BYTES);
	gh_skip(&c, BYTES);
	uint32_t e = gh_u32(&c);
	if (words != WORDS)
		return gh_fail(err, GH_BAD, 0, "a key of %u words", words);
	for (size_t i = 0; i < BYTES; i++)
		modulus[i] = low[BYTES - 1 - i];
	uint8_t exponent[] = {(uint8_t)(e >> 24), (uint8_t)(e >> 16), (uint8_t)(e >> 8), (uint8_t)e};
	struct pubkey key = pubkey_rsa(modulus, BYTES, exponent, sizeof exponent);
	size_t n = pubkey_der(&key, spki, sizeof spki);
	if (key.why)
		gh_note(ctx, GH_BAD, 0, "%s", key.why);
	else if (n && pubkey_sha256(&key, sum))
		GH_EMIT(ctx, verity_keys, 0, .sha256 = gh_hex(ctx->arena, sum, 32), .bits = 8 * BYTES,
			.spki = gh_hex(ctx->arena, spki, n));
	pubkey_done(&key);
	return GH_OK;
}
