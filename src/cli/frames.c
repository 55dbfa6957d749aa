/* SPDX-License-Identifier: Apache-2.0 */
/* Frames between two processes of one program on one machine: numbers are as it has them. */
#include "cli/frames.h"

#include <string.h>

#include "base/num.h"

static const size_t fixed = offsetof(struct gh_entry, s);

bool gh_frame_send(FILE *to, uint32_t kind, const void *p, size_t n)
{
	uint32_t head[2] = {kind, (uint32_t)n};
	return fwrite(head, sizeof head, 1, to) == 1 && (!n || fwrite(p, n, 1, to) == 1);
}

bool gh_frame_send_entry(FILE *to, const struct gh_entry *e)
{
	struct gh_entry out = *e;
	size_t n = fixed;
	for (unsigned i = 0; i < GH_N_S; i++) {
		out.len[i] = out.s[i].p ? (uint32_t)gh_min(out.s[i].n, GH_FRAME_STRING) : UINT32_MAX;
		n += out.s[i].p ? out.len[i] : 0;
	}
	uint32_t head[2] = {GH_FRAME_ENTRY, (uint32_t)n};
	bool ok = fwrite(head, sizeof head, 1, to) == 1 && fwrite(&out, fixed, 1, to) == 1;
	for (unsigned i = 0; i < GH_N_S && ok; i++)
		ok = !out.s[i].p || !out.len[i] || fwrite(out.s[i].p, out.len[i], 1, to) == 1;
	return ok;
}

int gh_frame_read(FILE *from, struct gh_frame *ret)
{
	uint32_t head[2];
	size_t got = fread(head, 1, sizeof head, from);
	if (!got)
		return ferror(from) ? -1 : 0;
	if (got < sizeof head || head[0] < GH_FRAME_ENTRY || head[0] > GH_FRAME_DONE || head[1] > GH_FRAME_MAX)
		return -1;
	ret->kind = head[0];
	ret->n = head[1];
	return ret->n && fread(ret->p, ret->n, 1, from) != 1 ? -1 : 1;
}

bool gh_frame_entry(const struct gh_frame *f, struct gh_entry *ret)
{
	if (f->n < fixed)
		return false;
	memset(ret, 0, sizeof *ret);
	memcpy(ret, f->p, fixed);
	size_t at = fixed;
	for (unsigned i = 0; i < GH_N_S; i++) {
		uint32_t n = ret->len[i];
		if (n == UINT32_MAX)
			continue;
		if (n > GH_FRAME_STRING || n > f->n - at)
			return false;
		ret->s[i] = gh_strn(f->p + at, n);
		at += n;
	}
	return at == f->n;
}
