/* SPDX-License-Identifier: Apache-2.0 */
/* One phone, whichever way it is reached. */
#include "device/phone.h"

#include "base/num.h"
#include "device/link.h"

unsigned gh_phone_features(struct gh_str list)
{
	static const struct {
		const char *word;
		unsigned bit;
	} known[] = {
		{"shell_v2", GH_SHELL_V2}, {"stat_v2", GH_STAT_V2}, {"ls_v2", GH_LS_V2}, {"sendrecv_v2", GH_RECV_V2}};
	unsigned found = 0;
	for (size_t at = 0; at < list.n;) {
		const char *end = memchr(list.p + at, ',', list.n - at);
		size_t n = end ? (size_t)(end - list.p) - at : list.n - at;
		for (size_t i = 0; i < GH_COUNT(known); i++)
			if (gh_str_is(gh_strn(list.p + at, n), known[i].word))
				found |= known[i].bit;
		at += n + 1;
	}
	return found;
}

enum gh_code gh_phone_open(struct gh_phone *phone, const char *service, struct gh_stream **ret, struct gh_err *err)
{
	return phone->transport ? gh_transport_open(phone->transport, service, ret, err)
				: gh_server_open(phone, service, ret, err);
}
