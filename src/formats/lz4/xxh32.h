/* SPDX-License-Identifier: Apache-2.0 */
/* XXH32 (xxHash specification, doc/xxhash_spec.md of the xxHash project), with seed 0: the checksum of LZ4 frames. */
#ifndef GH_FORMATS_LZ4_XXH32_H
#define GH_FORMATS_LZ4_XXH32_H

#include <stddef.h>
#include <stdint.h>

struct xxh32 {
	uint32_t lane[4];
	uint64_t total;
	uint8_t part[16]; /* of a stripe */
	size_t part_n;
};

void xxh32_begin(struct xxh32 *x);
void xxh32_add(struct xxh32 *x, const uint8_t *p, size_t n);
uint32_t xxh32_end(const struct xxh32 *x);
uint32_t xxh32(const uint8_t *p, size_t n);

#endif
