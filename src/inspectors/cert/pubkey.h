/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and the signatures they check, through libcrypto; shared by all that verifies. */
#ifndef GH_INSPECTORS_PUBKEY_H
#define GH_INSPECTORS_PUBKEY_H

#include "inspectors/cert/der.h"

enum {
	PUBKEY_BITS_MAX = 16384, /* of an RSA modulus: libcrypto refuses more */
	PUBKEY_DIGEST_MAX = 64,
};

enum digest { DIGEST_NONE, DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA224, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

enum key_kind { KEY_OTHER, KEY_RSA, KEY_EC, KEY_DSA };

struct pubkey {
	void *key; /* EVP_PKEY */
	enum key_kind kind;
	const char *why; /* where there is no key: what is wrong with it */
};

size_t digest_len(enum digest digest);
const char *digest_word(enum digest digest);
/* Of n bytes at p; false when libcrypto fails. */
bool digest_data(enum digest digest, const void *p, size_t n, uint8_t ret[PUBKEY_DIGEST_MAX]);

/* The key in a SubjectPublicKeyInfo that fills c. Without key, why says what is wrong. pubkey_done() in both cases. */
struct pubkey pubkey_spki(struct gh_cursor c);
/* An RSA key from its modulus (big endian) and exponent. */
struct pubkey pubkey_rsa(const uint8_t *modulus, size_t n, const uint8_t *exponent, size_t exponent_len);
void pubkey_done(struct pubkey *key);

/* The SubjectPublicKeyInfo of a certificate, as it lies there; false if c holds no certificate. */
bool pubkey_of_cert(struct gh_cursor cert, struct gh_cursor *ret);
/* Do two of them say the same key? An RSA modulus is a number, however it is padded. */
bool pubkey_same(struct gh_cursor a, struct gh_cursor b);

/* Is sig the signature of this digest (of digest_len() bytes) by that key? pss: RSA with PSS padding, salt as long as the digest. */
bool pubkey_verify(
	const struct pubkey *key, enum digest digest, bool pss, const uint8_t *hash, const uint8_t *sig, size_t n);

/* RSA with PKCS #1 padding around the bare hash, without the DigestInfo that names it. */
bool pubkey_verify_bare(const struct pubkey *key, const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t n);
/* SHA-256 of its SubjectPublicKeyInfo; false when libcrypto fails. */
bool pubkey_sha256(const struct pubkey *key, uint8_t ret[PUBKEY_DIGEST_MAX]);
/* Its SubjectPublicKeyInfo, and its length; 0 when it is longer than cap or libcrypto fails. */
size_t pubkey_der(const struct pubkey *key, uint8_t *ret, size_t cap);

#endif
