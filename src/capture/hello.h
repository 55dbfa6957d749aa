/* SPDX-License-Identifier: Apache-2.0 */
/* The two messages that open TLS and QUIC, and their fingerprints. */
#ifndef GH_CAPTURE_HELLO_H
#define GH_CAPTURE_HELLO_H

#include "capture/traffic.h"

enum {
	GH_LIST = 256
}; /* ciphers, extensions, groups, … of one hello: real ones have up to 100; more are left out and it is told */

struct gh_list {
	uint16_t v[GH_LIST];
	uint16_t n;
	bool more;
};

struct gh_hello {
	bool client, quic, ssl2, retry, ech, sct, resumes;
	uint16_t legacy, version; /* version: the highest that is offered, or the one chosen */
	uint8_t random[32];
	struct gh_str session, sni; /* into the message; sni p NULL: no such extension */
	bool sni_there, psk, early;
	struct gh_list ciphers, extensions, groups, signatures, versions, shares;
	struct gh_str points; /* point formats */
	struct gh_str alpn; /* the list as sent: each with a byte of length */
	uint16_t cipher, group; /* of the server */
};

enum { GH_JA4 = 40 };

/* The body of a ClientHello or ServerHello (RFC 5246, 8446). false: malformed before its extensions. */
bool gh_hello_client(struct gh_cursor c, struct gh_hello *ret);
bool gh_hello_server(struct gh_cursor c, struct gh_hello *ret);
bool gh_grease(uint16_t v);
/* JA3 or JA3S: MD5 in hexadecimal. */
void gh_hello_ja3(struct gh_traffic *t, const struct gh_hello *h, char ret[33]);
/* JA4 of a client. */
void gh_hello_ja4(struct gh_traffic *t, const struct gh_hello *h, char ret[GH_JA4]);
/* Rows of tables tls_clients and tls_servers. */
void gh_hello_emit(struct gh_traffic *t, const struct gh_here *h, const struct gh_hello *hello);
/* "h2,http/1.1" */
size_t gh_hello_alpn(struct gh_str list, char *out, size_t cap);

#endif
