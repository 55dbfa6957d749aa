/* SPDX-License-Identifier: Apache-2.0 */
/* One X.509 certificate to one row; shared by the inspectors that meet certificates. */
#ifndef GH_INSPECTORS_X509_H
#define GH_INSPECTORS_X509_H

#include "inspectors/cert/der.h"
#include "tree/plugin.h"

enum {
	X509_CERT_MAX = 256 << 10, /* real ones stay below 16 KiB; libcrypto takes about 20 times as much to hold it */
	X509_CERTS_MAX = 16384, /* in one blob; a store of all public roots of the web has 150 */
};

enum x509_signer { X509_NOT_SIGNER = 0, X509_SIGNER = 1, X509_SIGNER_UNKNOWN = -1 };

/* Has this element the parts of a certificate: to-be-signed, algorithm, signature? */
bool x509_shape(struct gh_cursor c);
/* Emits the row of the certificate that fills c, said to lie at `at`; GH_BAD or GH_LIMIT (noted) if it is none. */
enum gh_code x509_emit(
	struct gh_ctx *ctx, struct gh_cursor c, uint64_t at, const char *container, enum x509_signer signer);
/* SHA-256 of n bytes, hexadecimal; GH_NONE when out of memory. */
struct gh_str x509_digest(struct gh_ctx *ctx, const uint8_t *p, size_t n);

#endif
