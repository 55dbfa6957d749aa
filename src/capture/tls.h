/* SPDX-License-Identifier: Apache-2.0 */
/* Inside TLS: one connection, its keys, its certificates. */
#ifndef GH_CAPTURE_TLS_H
#define GH_CAPTURE_TLS_H

#include "capture/app.h"
#include "capture/hello.h"

enum { GH_SECRET = 48 };

/* Keys of one direction that open its records. */
struct gh_keys {
	bool on;
	uint8_t kind; /* enum gh_aead */
	uint8_t key[32], iv[12];
	uint8_t secret[GH_SECRET];
	uint8_t secret_n;
	uint64_t seq;
	uint64_t failed;
};

enum gh_aead { GH_NO_AEAD, GH_AES128_GCM, GH_AES256_GCM, GH_CHACHA20 };

struct gh_tls {
	struct gh_buf rec[2]; /* an unfinished record */
	struct gh_buf hs[2]; /* unfinished handshake messages */
	bool ccs[2], sealed[2], dead[2]; /* sealed: what follows is encrypted; dead: nothing of it is read any more */
	bool client_seen, server_seen, done, resumed, cert_seen, cert_hidden, client_cert, app[2], sct;
	struct gh_keys keys[2];
	uint8_t client_random[32], server_random[32];
	uint16_t version, cipher, group, offered, dh_bits;
	bool finished[2]; /* the handshake's keys have served */
	uint64_t server_packet, client_packet, at;
	char chain[24]; /* verdict of the chain: a word; "" no certificate was visible */
	char why[120];
	char issuer[160];
	bool name_ok, valid_now, public_root, self_signed, weak_key;
	int alert[2];
	uint64_t alert_packet;
	uint8_t session[32];
	uint8_t session_n;
	char alpn[64];
	bool ech;
	struct gh_app *inner; /* HTTP inside, once keys opened it */
};

/* ---- secrets.c ---- */
bool gh_keylog_init(struct gh_traffic *t) GH_MUST;
/* The secret of a connection under a label, or NULL. */
const uint8_t *gh_keylog_find(const struct gh_traffic *t, const uint8_t random[32], const char *label, uint8_t *ret_n);
/* Expands a secret into key and iv for a suite: TLS 1.3. */
bool gh_keys_13(struct gh_keys *k, uint16_t cipher, const uint8_t *secret, uint8_t n);
/* Both directions from a master secret: TLS 1.2 with AEAD suites; false: another suite. */
bool gh_keys_12(struct gh_tls *s, const uint8_t *master, uint8_t n);
/* Opens the record body p[0..n) of a type into out (room for n); returns the length or -1. */
int gh_keys_open(struct gh_keys *k, bool v13, uint8_t type, uint16_t version, const uint8_t *p, size_t n, uint8_t *out);
bool gh_keys_update(struct gh_keys *k, uint16_t cipher);
/* HKDF-Expand-Label (RFC 8446, 7.1). */
bool gh_expand_label(bool sha384, const uint8_t *secret, size_t n, const char *label, uint8_t *out, size_t out_n);
bool gh_hkdf_extract(const uint8_t *salt, size_t salt_n, const uint8_t *ikm, size_t ikm_n, uint8_t out[32]);
/* AEAD of TLS and QUIC: decrypts n bytes (tag included) of p; -1 when it does not fit. */
int gh_aead_open(enum gh_aead kind, const uint8_t *key, const uint8_t nonce[12], const uint8_t *aad, size_t aad_n,
	const uint8_t *p, size_t n, uint8_t *out);

/* ---- certs.c ---- */
/* A Certificate message, by version; rows, and the verdict on the chain in *s. */
void gh_certs_message(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, struct gh_cursor c, bool v13);

/* ---- tls.c ---- */
/* Handshake bytes that came in order, without records (QUIC). */
void gh_tls_handshake(struct gh_traffic *t, const struct gh_here *h, struct gh_tls *s, const uint8_t *p, size_t n);

#endif
