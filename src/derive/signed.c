/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures whose key lies in another content than what they sign: here both are at hand. What comes in is what a worker read out of
 * a certificate, and a number; verification is libcrypto's. */
#include "derive/functions.h"
#include "inspectors/cert/pubkey.h"

enum {
	SPKI_MAX = 1200, /* as certs.spki */
	SIGNATURE_MAX = 2048,
};

/* Hexadecimal; false: it is none, or longer than cap. */
static bool unhex(sqlite3_value *v, uint8_t *ret, size_t cap, size_t *ret_n)
{
	const char *p = (const char *)sqlite3_value_text(v);
	size_t n = p ? (size_t)sqlite3_value_bytes(v) : 0;
	if (!n || n % 2 || n / 2 > cap)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		uint64_t byte;
		if (!gh_str_u64(gh_strn(p + i, 2), 16, &byte))
			return false;
		ret[i / 2] = (uint8_t)byte;
	}
	*ret_n = n / 2;
	return true;
}

static void judge(sqlite3_context *ctx, sqlite3_value **v, const uint8_t *hash)
{
	uint8_t spki[SPKI_MAX], sig[SIGNATURE_MAX];
	size_t spki_n, sig_n;
	if (!unhex(v[0], spki, sizeof spki, &spki_n) || !unhex(v[2], sig, sizeof sig, &sig_n))
		return;
	struct pubkey key = pubkey_spki(gh_cursor(spki, spki_n, 0));
	if (!key.why && (key.kind == KEY_RSA || key.kind == KEY_EC))
		sqlite3_result_int(ctx, pubkey_verify(&key, DIGEST_SHA256, false, hash, sig, sig_n));
	pubkey_done(&key);
}

/* gh_signed(key, sha256, signature): is it that key's signature of this digest? 1, 0; NULL where one of them cannot be used. */
static void sql_signed(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	uint8_t hash[32];
	size_t hash_n;
	(void)n;
	if (unhex(v[1], hash, sizeof hash, &hash_n) && hash_n == sizeof hash)
		judge(ctx, v, hash);
}

/* gh_signed_text(key, bytes, signature): the same of bytes that are at hand. */
static void sql_signed_text(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	uint8_t hash[PUBKEY_DIGEST_MAX];
	const void *p = sqlite3_value_blob(v[1]);
	(void)n;
	if (p && digest_data(DIGEST_SHA256, p, (size_t)sqlite3_value_bytes(v[1]), hash))
		judge(ctx, v, hash);
}

bool gh_derive_signed(sqlite3 *sql)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
	return !sqlite3_create_function(sql, "gh_signed", 3, flags, NULL, sql_signed, NULL, NULL) &&
	       !sqlite3_create_function(sql, "gh_signed_text", 3, flags, NULL, sql_signed_text, NULL, NULL);
}
