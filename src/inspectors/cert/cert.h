/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that certificates come in. */
#ifndef GH_INSPECTORS_CERT_H
#define GH_INSPECTORS_CERT_H

#include "inspectors/cert/x509.h"

/* Is c a PKCS#7 ContentInfo with SignedData? */
bool pkcs7_shape(struct gh_cursor c);
/* Its certificates, each at its offset plus `shift` (PEM: the block's offset for all, `fixed`). */
enum gh_code pkcs7_read(struct gh_ctx *ctx, struct gh_cursor c, bool fixed, uint64_t at, struct gh_err *err) GH_MUST;
/* Does this certificate have that issuer (a Name, whole) and serial number (an integer's bytes)? */
bool pkcs7_names(struct gh_cursor issuer, struct gh_cursor serial, struct gh_cursor cert);
/* All PEM blocks with certificates in the n bytes at p. strict: what is malformed in them is noted. */
enum gh_code pem_read(struct gh_ctx *ctx, const uint8_t *p, size_t n, bool strict, struct gh_err *err) GH_MUST;

#endif
