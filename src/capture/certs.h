/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a capture. */
#ifndef GH_CAPTURE_CERTS_H
#define GH_CAPTURE_CERTS_H

#include "capture/tls.h"

bool gh_certs_init(struct gh_traffic *t) GH_MUST;
/* Gives the roots back to libcrypto. */
void gh_certs_done(struct gh_traffic *t);

#endif
