/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 blocks: see lz4.h. */
#include "codecs/lz4/lz4.h"

#include <limits.h>
#include <lz4.h>

enum gh_code gh_lz4_block(
	const uint8_t *in, size_t n, uint8_t *out, size_t out_n, bool partial, uint64_t at, struct gh_err *err)
{
	if (n > INT_MAX || out_n > INT_MAX)
		return gh_fail(err, GH_LIMIT, at, "an LZ4 block larger than 2 GiB");
	int got = partial ? LZ4_decompress_safe_partial((const char *)in, (char *)out, (int)n, (int)out_n, (int)out_n)
			  : LZ4_decompress_safe((const char *)in, (char *)out, (int)n, (int)out_n);
	if (got < 0)
		return gh_fail(err, GH_BAD, at, "LZ4 block of %zu bytes is damaged", n);
	if ((size_t)got != out_n)
		return gh_fail(err, GH_BAD, at, "LZ4 block gives %d bytes, %zu are declared", got, out_n);
	return GH_OK;
}

enum gh_code gh_lz4_next(const uint8_t *in, size_t n, uint8_t *out, size_t cap, size_t history, size_t *ret_n,
	uint64_t at, struct gh_err *err)
{
	if (n > INT_MAX || cap > INT_MAX)
		return gh_fail(err, GH_LIMIT, at, "an LZ4 block larger than 2 GiB");
	int got = LZ4_decompress_safe_usingDict(
		(const char *)in, (char *)out, (int)n, (int)cap, (const char *)out - history, (int)history);
	if (got < 0)
		return gh_fail(err, GH_BAD, at, "LZ4 block of %zu bytes is damaged", n);
	*ret_n = (size_t)got;
	return GH_OK;
}
