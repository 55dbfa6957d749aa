/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the manifest, in JSON (RFC 8259). Bytes that are no printable UTF-8 stand as \xNN, and beside them in hexadecimal. */
#include "cli/manifest.h"

#include <sys/stat.h>

#include "cli/place.h"

static const char *type_word(uint32_t mode)
{
	return S_ISDIR(mode)    ? "folder"
	       : S_ISLNK(mode)  ? "link"
	       : S_ISCHR(mode)  ? "char"
	       : S_ISBLK(mode)  ? "block"
	       : S_ISFIFO(mode) ? "fifo"
	       : S_ISSOCK(mode) ? "socket"
				: "file";
}

static void text(FILE *to, const char *key, struct gh_str s)
{
	if (!s.p)
		return;
	putc(',', to);
	gh_json_name(to, key, s);
}

static void number(FILE *to, const char *key, uint64_t n)
{
	fprintf(to, ",\"%s\":%llu", key, (unsigned long long)n);
}

void gh_manifest_entry(FILE *to, const struct gh_entry *e)
{
	fprintf(to, "{\"type\":\"%s\",", type_word(e->mode));
	gh_json_name(to, "name", e->s[GH_S_NAME]);
	text(to, "image", e->s[GH_S_IMAGE]);
	text(to, "from", e->s[GH_S_FROM]);
	if (e->off != UINT64_MAX)
		number(to, "offset", e->off);
	if (e->csize && e->csize != e->size)
		number(to, "packed", e->csize);
	if (e->flags & GH_ENTRY_ATTRS) {
		fprintf(to, ",\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u,\"mtime\":%lld", e->mode & 07777, e->uid, e->gid,
			(long long)e->mtime);
		if (e->ino)
			number(to, "inode", e->ino);
		if (e->nlink > 1)
			number(to, "names", e->nlink);
		if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
			number(to, "device", e->rdev);
		if (e->caps)
			fprintf(to, ",\"capabilities\":\"0x%llx\"", (unsigned long long)e->caps);
		if (e->iflags)
			fprintf(to, ",\"flags\":\"0x%x\"", e->iflags);
		text(to, "selinux", e->s[GH_S_SELINUX]);
	}
	text(to, "target", e->s[GH_S_LINK]);
	if (!(e->flags & GH_ENTRY_CONTENT) && S_ISREG(e->mode))
		number(to, "size", e->size);
}

void gh_manifest_content(FILE *to, uint64_t size, const uint8_t sha256[32], const struct gh_entry_end *end)
{
	number(to, "size", size);
	fputs(",\"sha256\":\"", to);
	for (int i = 0; i < 32; i++)
		fprintf(to, "%02x", sha256[i]);
	putc('"', to);
	if (end->code) {
		fprintf(to, ",\"damage\":\"%s\",\"damage_at\":%llu,", gh_code_word(end->code),
			(unsigned long long)end->at);
		gh_json_name(to, "damage_why", gh_str(end->what));
	}
}

void gh_manifest_laid(FILE *to, const struct gh_laid *laid, bool partial, struct gh_str why)
{
	struct gh_str path = gh_str(laid->path);
	if (laid->made)
		text(to, "path", path.n ? path : GH_STR("."));
	fprintf(to, ",\"state\":\"%s\"",
		!laid->made     ? "not_written"
		: partial       ? "partial"
		: laid->renamed ? "renamed"
				: "written");
	text(to, "why", why.p ? why : gh_str(laid->why));
	text(to, "note", gh_str(laid->note));
	fputs("}\n", to);
}
