/* SPDX-License-Identifier: Apache-2.0 */
/* The first and last bytes of an artifact, and which format knows it best by them. */

#include "base/num.h"
#include "tree/plugin.h"

enum gh_code gh_probe_make(
	struct gh_source *src, struct gh_str name, struct gh_arena *arena, struct gh_probe *ret, struct gh_err *err)
{
	struct gh_probe p = {.size = src->size, .name = name, .head_len = gh_min(src->size, GH_PROBE_HEAD)};
	enum gh_code code = gh_view(src, arena, 0, p.head_len, &p.head, err);
	if (code)
		return code;
	p.tail_len = gh_min(p.size, GH_PROBE_TAIL);
	code = gh_view(src, arena, p.size - p.tail_len, p.tail_len, &p.tail, err);
	if (code == GH_SHORT ||
		code == GH_UNSUP) { /* a stream that broke off has no tail, nor has what lies elsewhere */
		p.tail = p.head;
		p.tail_len = 0;
	} else if (code) {
		return code;
	}
	*ret = p;
	return GH_OK;
}

const struct gh_format *gh_probe_format(const struct gh_probe *probe)
{
	const struct gh_format *best = NULL;
	enum gh_bid top = GH_BID_NO;
	for (size_t i = 0; i < gh_n_formats; i++) {
		enum gh_bid bid = gh_formats[i]->bid(probe);
		if (bid > top) {
			top = bid;
			best = gh_formats[i];
		}
	}
	return best;
}
