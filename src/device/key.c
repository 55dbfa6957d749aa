/* SPDX-License-Identifier: Apache-2.0 */
/* adb's host key: RSA of 2048 bits in a PEM file, by libcrypto. The public half is sent in the form of AOSP's
 * libcrypto_utils/android_pubkey: number of words, -1/n[0] mod 2^32, n, 2^4096 mod n, exponent; little endian, base64. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/link.h"

enum { BITS = 2048, BYTES = BITS / 8 };

static EVP_PKEY *of_key(struct gh_key *key)
{
	return (EVP_PKEY *)key;
}

void gh_key_free(struct gh_key *key)
{
	EVP_PKEY_free(of_key(key));
}

static bool make_folder(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
		*at = '/';
		if (!ok)
			return false;
	}
	return true;
}

bool gh_key_path(char *ret, size_t cap)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = state && *state == '/' ? snprintf(ret, cap, "%s/gifthorse/adbkey", state)
		: home && *home == '/' ? snprintf(ret, cap, "%s/.local/state/gifthorse/adbkey", home)
				       : -1;
	return n > 0 && (size_t)n < cap && make_folder(ret);
}

static EVP_PKEY *fresh(const char *path)
{
	EVP_PKEY *key = EVP_RSA_gen(BITS);
	int fd = key ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok = f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	if (f)
		ok &= fclose(f) == 0;
	else if (fd >= 0)
		close(fd);
	if (ok)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

struct gh_key *gh_key_load(const char *path, struct gh_err *err)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : errno == ENOENT ? fresh(path) : NULL;
	if (f)
		fclose(f);
	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) == BITS)
		return (struct gh_key *)key;
	EVP_PKEY_free(key);
	gh_fail(err, GH_IO, 0, "%.80s: no RSA key of %d bits can be read or written there", path, BITS);
	return NULL;
}

bool gh_key_sign(struct gh_key *key, const uint8_t token[GH_TOKEN_LEN], uint8_t ret[GH_SIGNATURE_LEN])
{
	size_t n = GH_SIGNATURE_LEN;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(of_key(key), NULL);
	bool ok = ctx && EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha1()) > 0 &&
		  EVP_PKEY_sign(ctx, ret, &n, token, GH_TOKEN_LEN) > 0 && n == GH_SIGNATURE_LEN;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void word(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

/* -1/n mod 2^32, by Newton's iteration: each step doubles the bits that are right. */
static uint32_t n0inv(uint32_t n)
{
	uint32_t x = n;
	for (int i = 0; i < 5; i++)
		x *= 2 - n * x;
	return 0u - x;
}

static bool words_of(struct gh_key *key, uint8_t out[12 + 2 * BYTES])
{
	BIGNUM *n = NULL, *e = NULL, *rr = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool ok = rr && ctx && EVP_PKEY_get_bn_param(of_key(key), OSSL_PKEY_PARAM_RSA_N, &n) &&
		  EVP_PKEY_get_bn_param(of_key(key), OSSL_PKEY_PARAM_RSA_E, &e) && BN_set_bit(rr, 2 * BITS) &&
		  BN_mod(rr, rr, n, ctx) && BN_bn2lebinpad(n, out + 8, BYTES) == BYTES &&
		  BN_bn2lebinpad(rr, out + 8 + BYTES, BYTES) == BYTES;
	if (ok) {
		uint32_t low = out[8] | (uint32_t)out[9] << 8 | (uint32_t)out[10] << 16 | (uint32_t)out[11] << 24;
		word(out, BYTES / 4);
		word(out + 4, n0inv(low));
		word(out + 8 + 2 * BYTES, (uint32_t)BN_get_word(e));
	}
	BN_free(n);
	BN_free(e);
	BN_free(rr);
	BN_CTX_free(ctx);
	return ok;
}

size_t gh_key_public(struct gh_key *key, char ret[GH_PUBLIC_MAX])
{
	static const char name[] = " gifthorse";
	uint8_t raw[12 + 2 * BYTES];
	if (!words_of(key, raw))
		return 0;
	size_t n = (size_t)EVP_EncodeBlock((uint8_t *)ret, raw, sizeof raw);
	memcpy(ret + n, name, sizeof name);
	return n + sizeof name;
}
