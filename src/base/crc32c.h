/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), as file systems use it: the register goes in and comes out as it is, without inversions. */
#ifndef GH_BASE_CRC32C_H
#define GH_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The register after n bytes at p. The usual CRC-32C of a text is ~gh_crc32c(~0, p, n). */
uint32_t gh_crc32c(uint32_t crc, const void *p, size_t n);

#endif
