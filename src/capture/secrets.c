/* SPDX-License-Identifier: Apache-2.0 */
/* Key logs (the NSS format, draft-ietf-tls-keylogfile) and what they open: AEAD suites of TLS 1.2 and 1.3 (RFC 5246, 5288, 7905, 8446).
 * Suites with CBC or RC4 stay closed. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/num.h"
#include "capture/tls.h"

enum {
	SECRETS = 8192, /* of one capture: five a connection */
	LABEL = 40,
	TAG = 16,
};

struct secret {
	uint8_t random[32], secret[GH_SECRET];
	uint8_t n;
	char label[LABEL];
};

struct gh_keylog {
	uint32_t n;
	struct secret list[SECRETS];
};

bool gh_keylog_init(struct gh_traffic *t)
{
	t->keylog = gh_alloc_raw(t->ctx->arena, sizeof *t->keylog); /* not touched where no key log is */
	if (t->keylog)
		t->keylog->n = 0;
	return t->keylog != NULL;
}

/* Bytes from hexadecimal; the length, or 0. */
static size_t unhex(struct gh_str s, uint8_t *out, size_t cap)
{
	if (s.n % 2 || s.n / 2 > cap)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int v = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (v < 0)
			return 0;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return s.n / 2;
}

void gh_traffic_secrets(struct gh_traffic *t, struct gh_str text)
{
	struct gh_str line, label, random, secret;
	while (gh_str_line(&text, &line) && gh_step(t, 1)) {
		line = gh_str_trim(line);
		if (!gh_str_word(&line, &label) || label.p[0] == '#' || label.n >= LABEL ||
			!gh_str_word(&line, &random) || !gh_str_word(&line, &secret) || t->keylog->n >= SECRETS)
			continue;
		struct secret *s = &t->keylog->list[t->keylog->n];
		*s = (struct secret){0};
		s->n = (uint8_t)unhex(secret, s->secret, sizeof s->secret);
		memcpy(s->label, label.p, label.n);
		if (s->n && unhex(random, s->random, sizeof s->random) == 32)
			t->keylog->n++;
	}
}

const uint8_t *gh_keylog_find(const struct gh_traffic *t, const uint8_t random[32], const char *label, uint8_t *ret_n)
{
	for (uint32_t i = 0; i < t->keylog->n; i++) {
		const struct secret *s = &t->keylog->list[i];
		if (memcmp(s->random, random, 32) == 0 && strcmp(s->label, label) == 0) {
			*ret_n = s->n;
			return s->secret;
		}
	}
	return NULL;
}

bool gh_hkdf_extract(const uint8_t *salt, size_t salt_n, const uint8_t *ikm, size_t ikm_n, uint8_t out[32])
{
	unsigned n = 32;
	return HMAC(EVP_sha256(), salt, (int)salt_n, ikm, ikm_n, out, &n) != NULL;
}

bool gh_expand_label(bool sha384, const uint8_t *secret, size_t n, const char *label, uint8_t *out, size_t out_n)
{
	uint8_t info[80], sum[EVP_MAX_MD_SIZE];
	size_t len = strlen(label);
	unsigned sum_n = 0;
	if (len > 40 || out_n > (sha384 ? 48u : 32u))
		return false;
	info[0] = (uint8_t)(out_n >> 8);
	info[1] = (uint8_t)out_n;
	info[2] = (uint8_t)(len + 6);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, len);
	info[9 + len] = 0;
	info[10 + len] = 1; /* the first block is all that is needed */
	if (!HMAC(sha384 ? EVP_sha384() : EVP_sha256(), secret, (int)n, info, len + 11, sum, &sum_n))
		return false;
	memcpy(out, sum, out_n);
	return true;
}

static const EVP_CIPHER *cipher_of(enum gh_aead kind)
{
	return kind == GH_AES128_GCM   ? EVP_aes_128_gcm()
	       : kind == GH_AES256_GCM ? EVP_aes_256_gcm()
	       : kind == GH_CHACHA20   ? EVP_chacha20_poly1305()
				       : NULL;
}

int gh_aead_open(enum gh_aead kind, const uint8_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_n,
	const uint8_t *p, size_t n, uint8_t *out)
{
	const EVP_CIPHER *cipher = cipher_of(kind);
	EVP_CIPHER_CTX *c = n >= TAG && cipher ? EVP_CIPHER_CTX_new() : NULL;
	int len = 0, more = 0;
	uint8_t tag[TAG];
	if (!c)
		return -1;
	memcpy(tag, p + n - TAG, TAG);
	bool ok =
		EVP_DecryptInit_ex(c, cipher, NULL, key, nonce) && EVP_DecryptUpdate(c, NULL, &more, aad, (int)aad_n) &&
		EVP_DecryptUpdate(c, out, &len, p, (int)(n - TAG)) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) && EVP_DecryptFinal_ex(c, out + len, &more) > 0;
	EVP_CIPHER_CTX_free(c);
	return ok ? len : -1;
}

static bool suite(uint16_t cipher, enum gh_aead *ret, bool *ret_sha384)
{
	static const struct {
		uint16_t id;
		uint8_t kind, sha384;
	} list[] = {{0x1301, GH_AES128_GCM, 0}, {0x1302, GH_AES256_GCM, 1}, {0x1303, GH_CHACHA20, 0},
		{0x009c, GH_AES128_GCM, 0}, {0x009d, GH_AES256_GCM, 1}, {0x009e, GH_AES128_GCM, 0},
		{0x009f, GH_AES256_GCM, 1}, {0xc02b, GH_AES128_GCM, 0}, {0xc02c, GH_AES256_GCM, 1},
		{0xc02f, GH_AES128_GCM, 0}, {0xc030, GH_AES256_GCM, 1}, {0xcca8, GH_CHACHA20, 0},
		{0xcca9, GH_CHACHA20, 0}, {0xccaa, GH_CHACHA20, 0}};
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (list[i].id == cipher) {
			*ret = list[i].kind;
			*ret_sha384 = list[i].sha384;
			return true;
		}
	return false;
}

bool gh_keys_13(struct gh_keys *k, uint16_t cipher, const uint8_t *secret, uint8_t n)
{
	enum gh_aead kind;
	bool sha384;
	if (cipher >> 8 != 0x13 || !suite(cipher, &kind, &sha384) || n != (sha384 ? 48 : 32))
		return false;
	*k = (struct gh_keys){.on = true, .kind = (uint8_t)kind, .secret_n = n};
	memcpy(k->secret, secret, n);
	return gh_expand_label(sha384, secret, n, "key", k->key, kind == GH_AES128_GCM ? 16 : 32) &&
	       gh_expand_label(sha384, secret, n, "iv", k->iv, 12);
}

bool gh_keys_update(struct gh_keys *k, uint16_t cipher)
{
	uint8_t next[GH_SECRET];
	if (!k->on || cipher >> 8 != 0x13 ||
		!gh_expand_label(k->secret_n == 48, k->secret, k->secret_n, "traffic upd", next, k->secret_n))
		return false;
	return gh_keys_13(k, cipher, next, k->secret_n);
}

/* P_hash of RFC 5246, 5: as many bytes as the keys need. */
static bool prf(const EVP_MD *md, const uint8_t *secret, size_t n, const uint8_t *seed, size_t seed_n, uint8_t *out,
	size_t out_n)
{
	uint8_t a[EVP_MAX_MD_SIZE + 128], sum[EVP_MAX_MD_SIZE];
	unsigned a_n = (unsigned)EVP_MD_get_size(md), sum_n;
	if (!HMAC(md, secret, (int)n, seed, seed_n, a, &a_n))
		return false;
	for (size_t done = 0; done < out_n; done += sum_n) {
		memcpy(a + a_n, seed, seed_n);
		if (!HMAC(md, secret, (int)n, a, a_n + seed_n, sum, &sum_n))
			return false;
		memcpy(out + done, sum, gh_min(sum_n, out_n - done));
		uint8_t next[EVP_MAX_MD_SIZE];
		if (!HMAC(md, secret, (int)n, a, a_n, next, &a_n))
			return false;
		memcpy(a, next, a_n);
	}
	return true;
}

bool gh_keys_12(struct gh_tls *s, const uint8_t *master, uint8_t n)
{
	enum gh_aead kind;
	bool sha384;
	uint8_t seed[13 + 64], block[88];
	if (s->version != 0x0303 || n != 48 || !suite(s->cipher, &kind, &sha384))
		return false;
	size_t key_n = kind == GH_AES128_GCM ? 16 : 32, iv_n = kind == GH_CHACHA20 ? 12 : 4;
	memcpy(seed, "key expansion", 13);
	memcpy(seed + 13, s->server_random, 32);
	memcpy(seed + 45, s->client_random, 32);
	if (!prf(sha384 ? EVP_sha384() : EVP_sha256(), master, n, seed, sizeof seed, block, 2 * (key_n + iv_n)))
		return false;
	for (unsigned dir = 0; dir < 2; dir++) {
		struct gh_keys *k = &s->keys[dir];
		*k = (struct gh_keys){.on = true, .kind = (uint8_t)kind};
		memcpy(k->key, block + dir * key_n, key_n);
		memcpy(k->iv, block + 2 * key_n + dir * iv_n, iv_n);
	}
	return true;
}

static void nonce_xor(const struct gh_keys *k, uint8_t nonce[12])
{
	memcpy(nonce, k->iv, 12);
	for (unsigned i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(k->seq >> 8 * i);
}

int gh_keys_open(struct gh_keys *k, bool v13, uint8_t type, uint16_t version, const uint8_t *p, size_t n, uint8_t *out)
{
	uint8_t nonce[12], aad[13];
	size_t explicit_n = !v13 && k->kind != GH_CHACHA20 ? 8 : 0, aad_n = v13 ? 5 : 13;
	if (n < explicit_n + TAG)
		return -1;
	nonce_xor(k, nonce);
	if (explicit_n) {
		memcpy(nonce, k->iv, 4);
		memcpy(nonce + 4, p, 8);
	}
	size_t len = v13 ? n : n - explicit_n - TAG;
	for (unsigned i = 0; i < 8; i++)
		aad[i] = (uint8_t)(k->seq >> 8 * (7 - i));
	uint8_t *head = aad + aad_n - 5;
	head[0] = type;
	head[1] = (uint8_t)(version >> 8);
	head[2] = (uint8_t)version;
	head[3] = (uint8_t)(len >> 8);
	head[4] = (uint8_t)len;
	int got = gh_aead_open(k->kind, k->key, nonce, aad, aad_n, p + explicit_n, n - explicit_n, out);
	if (got >= 0)
		k->seq++;
	return got;
}
