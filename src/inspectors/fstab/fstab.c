/* SPDX-License-Identifier: Apache-2.0 */
/* File system tables: of Android's fs_mgr (device, mount point, type, mount flags, fs_mgr flags; AOSP system/core/fs_mgr) and of
 * old recoveries (mount point, type, device; bootable/recovery, before Android 4.3). */
#include "base/num.h"
#include "tree/text.h"

static bool fstab_wants(const struct gh_probe *probe)
{
	return (gh_str_starts(probe->name, "fstab") || gh_str_ends(probe->name, ".fstab")) && gh_text_like(probe);
}

static struct gh_str or_null(struct gh_text *t, struct gh_str s)
{
	return s.n ? gh_text_cell(t, s) : GH_NONE;
}

static void fstab_line(struct gh_text *t, struct gh_str s)
{
	struct gh_str w[5] = {0};
	size_t n = 0;
	s = gh_text_trim(s);
	if (!s.n || *s.p == '#')
		return;
	while (n < GH_COUNT(w) && gh_text_word(&s, &w[n]))
		n++;
	if (n < 3) {
		gh_note(t->ctx, GH_BAD, t->at, "line %lld has %zu fields", (long long)t->line, n);
		return;
	}
	/* The third field of fs_mgr's form is a type, of the old recoveries' a device. */
	bool old = *w[0].p == '/' && *w[1].p != '/' && *w[2].p == '/';
	if (old)
		GH_EMIT(t->ctx, fstab, t->at, .mount_point = gh_text_cell(t, w[0]), .fs_type = gh_text_cell(t, w[1]),
			.dev = gh_text_cell(t, w[2]), .mnt_flags = or_null(t, w[n - 1 > 3 ? 4 : 3]), .line = t->line);
	else
		GH_EMIT(t->ctx, fstab, t->at, .dev = gh_text_cell(t, w[0]), .mount_point = gh_text_cell(t, w[1]),
			.fs_type = gh_text_cell(t, w[2]), .mnt_flags = or_null(t, w[3]), .mgr_flags = or_null(t, w[4]),
			.line = t->line);
}

static enum gh_code fstab_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct gh_text t;
	struct gh_str line;
	enum gh_code code = gh_text_begin(ctx, blob, &t, err);
	while (!code) {
		code = gh_text_next(&t, &line, err);
		if (!code)
			fstab_line(&t, line);
	}
	return code == GH_END ? GH_OK : code;
}

const struct gh_inspector gh_inspector_fstab = {
	.name = "fstab",
	.title = "file system tables",
	.version = 1,
	.wants = fstab_wants,
	.run = fstab_run,
};
