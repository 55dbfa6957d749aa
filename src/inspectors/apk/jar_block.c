/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithms of a JAR signature each release of Android knows. */
#include "inspectors/apk/jar.h"

/* Android 5 and 6 checked the parts apart; the lists of releases are those that apksig was measured to take. */
static bool known_plain(const struct signed_info *i, int32_t sdk)
{
	enum digest d = i->digest;
	bool large = d == DIGEST_SHA384 || d == DIGEST_SHA512;
	if (i->key == 'R')
		return d == DIGEST_MD5 || d == DIGEST_SHA1 || (large && sdk >= SDK_18) ||
		       (d == DIGEST_SHA256 && (sdk < SDK_9 || sdk >= SDK_18)) ||
		       (d == DIGEST_SHA224 && (sdk < SDK_9 || sdk >= SDK_21));
	if (i->key == 'D')
		return d == DIGEST_SHA1 || ((d == DIGEST_SHA224 || d == DIGEST_SHA256) && sdk >= SDK_22);
	return d != DIGEST_MD5 && sdk >= (d == DIGEST_SHA224 ? SDK_21 : SDK_18);
}

static bool known_pair(const struct signed_info *i, int32_t sdk)
{
	enum digest d = i->digest;
	if (d != i->combined) {
		bool only21 = i->key == 'R' && ((d == DIGEST_SHA256 && i->combined == DIGEST_SHA1) ||
						       (d == DIGEST_SHA512 && i->combined == DIGEST_SHA384) ||
						       (d == DIGEST_SHA224 && i->combined == DIGEST_SHA256));
		return sdk >= SDK_21 && sdk < (only21 ? SDK_22 : SDK_24);
	}
	if (i->key == 'R')
		return d == DIGEST_SHA1 || sdk >= SDK_21 || (d == DIGEST_SHA256 && (sdk < SDK_9 || sdk >= SDK_18)) ||
		       ((d == DIGEST_MD5 || d == DIGEST_SHA224) && sdk < SDK_9);
	if (i->key == 'D')
		return sdk >= (d == DIGEST_SHA1 ? SDK_9 : SDK_21);
	return sdk >= (d == DIGEST_SHA1 ? SDK_18 : SDK_21);
}

bool jar_info_known(const struct signed_info *i, int32_t sdk)
{
	if (!i->key || i->digest == DIGEST_NONE)
		return false;
	return i->combined == DIGEST_NONE ? known_plain(i, sdk) : known_pair(i, sdk);
}
