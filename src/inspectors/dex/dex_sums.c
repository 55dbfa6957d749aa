/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: what the header's checksum (Adler-32, RFC 1950) and signature (SHA-1) are over. */
#include <openssl/evp.h>
#include <zlib.h>

#include "inspectors/dex/dexfile.h"

uint32_t dex_adler32(const void *p, size_t n)
{
	return (uint32_t)adler32_z(1, p, n);
}

bool dex_computed(const struct dex *d, uint32_t *ret_checksum, uint8_t ret_sha1[20])
{
	if (d->compact || d->file_size < DEX_HEADER || !gh_within(d->head, d->file_size, d->n))
		return false;
	const uint8_t *p = d->p + d->head;
	*ret_checksum = dex_adler32(p + 12, d->file_size - 12);
	return EVP_Digest(p + 32, d->file_size - 32, ret_sha1, NULL, EVP_sha1(), NULL) == 1;
}
