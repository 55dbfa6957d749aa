/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that an acquisition lands in: openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, O_EXCL, renameat2 without
 * replacing. What is half-way lies in one file of its own and gets its name when it is complete. */
#include "device/land.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

#define JOURNAL "journal.tsv"
#define PART "part.tmp"
#define LIST "list.tmp"

static int beneath(int dir, const char *name, uint64_t flags, uint64_t mode)
{
	struct open_how how = {.flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

static bool is_empty(int fd)
{
	int copy = dup(fd);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	bool empty = d != NULL;
	for (struct dirent *e; d && (e = readdir(d));)
		empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		closedir(d);
	return empty;
}

enum gh_code gh_land_open(const char *path, struct gh_land *ret, struct gh_err *err)
{
	*ret = (struct gh_land){.dir = -1, .part = -1};
	if (mkdir(path, 0700) && errno != EEXIST)
		return gh_fail(err, GH_IO, 0, "%.80s: %s", path, strerror(errno));
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return gh_fail(err, GH_IO, 0, "%.80s: %s", path, strerror(errno));
	struct stat st;
	bool ours = fstatat(dir, JOURNAL, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	if (!ours && !is_empty(dir)) {
		close(dir);
		return gh_fail(err, GH_IO, 0, "%.60s holds something else; name a new folder", path);
	}
	ret->dir = dir;
	ret->digest = EVP_MD_CTX_new();
	(void)unlinkat(dir, PART, 0);
	if (!ret->digest || (mkdirat(dir, "files", 0700) && errno != EEXIST) ||
		(mkdirat(dir, "live", 0700) && errno != EEXIST)) {
		gh_land_close(ret);
		return gh_fail(err, GH_IO, 0, "%.80s cannot be written: %s", path, strerror(errno));
	}
	return GH_OK;
}

void gh_land_close(struct gh_land *l)
{
	gh_land_drop(l);
	if (l->dir >= 0)
		close(l->dir);
	EVP_MD_CTX_free(l->digest);
	l->dir = -1;
	l->digest = NULL;
}

bool gh_land_path_ok(struct gh_str path)
{
	if (path.n < 2 || path.n > GH_LAND_PATH_MAX || *path.p != '/' || memchr(path.p, 0, path.n))
		return false;
	unsigned depth = 0;
	for (size_t at = 1; at <= path.n; depth++) {
		const char *slash = memchr(path.p + at, '/', path.n - at);
		size_t n = slash ? (size_t)(slash - path.p) - at : path.n - at;
		struct gh_str part = gh_strn(path.p + at, n);
		if (!n || n > 255 || gh_str_is(part, ".") || gh_str_is(part, ".."))
			return false;
		at += n + 1;
	}
	return depth <= GH_LAND_DEPTH_MAX;
}

/* ---- one file ---- */

enum gh_code gh_land_begin(struct gh_land *l, struct gh_err *err)
{
	gh_land_drop(l);
	l->part = beneath(l->dir, PART, O_WRONLY | O_CREAT | O_EXCL, 0600);
	l->bytes = 0;
	if (l->part < 0 || EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL) <= 0)
		return gh_fail(err, GH_IO, 0, "the folder cannot be written: %s", strerror(errno));
	return GH_OK;
}

enum gh_code gh_land_put(struct gh_land *l, const void *p, size_t n, struct gh_err *err)
{
	(void)EVP_DigestUpdate(l->digest, p, n);
	l->bytes += n;
	for (const uint8_t *b = p; n;) {
		ssize_t put = write(l->part, b, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return gh_fail(err, GH_IO, 0, "the folder cannot be written: %s", strerror(errno));
		b += put;
		n -= (size_t)put;
	}
	return GH_OK;
}

void gh_land_drop(struct gh_land *l)
{
	if (l->part >= 0) {
		close(l->part);
		(void)unlinkat(l->dir, PART, 0);
	}
	l->part = -1;
}

/* The folder that name lies in, made where needed; *ret_base is its last part. */
static int folder_of(struct gh_land *l, const char *name, const char **ret_base)
{
	char sofar[GH_LAND_PATH_MAX + 16];
	size_t n = strlen(name);
	int fd = -1;
	if (n >= sizeof sofar)
		return -1;
	for (size_t at = 0; at < n; at++) {
		if (name[at] != '/')
			continue;
		memcpy(sofar, name, at);
		sofar[at] = 0;
		int next = beneath(l->dir, sofar, O_RDONLY | O_DIRECTORY, 0);
		if (next < 0 && errno == ENOENT) {
			const char *last = strrchr(sofar, '/');
			if (mkdirat(fd < 0 ? l->dir : fd, last ? last + 1 : sofar, 0700) == 0)
				next = beneath(l->dir, sofar, O_RDONLY | O_DIRECTORY, 0);
		}
		if (fd >= 0)
			close(fd);
		if ((fd = next) < 0)
			return -1;
		*ret_base = name + at + 1;
	}
	return fd;
}

enum gh_code gh_land_keep(struct gh_land *l, const char *name, uint8_t ret_sha256[32], struct gh_err *err)
{
	const char *base = name;
	uint8_t there[32];
	uint64_t size;
	(void)EVP_DigestFinal_ex(l->digest, ret_sha256, NULL);
	int folder = folder_of(l, name, &base);
	bool moved = folder >= 0 && syscall(SYS_renameat2, l->dir, PART, folder, base, RENAME_NOREPLACE) == 0;
	int why = errno;
	if (folder >= 0)
		close(folder);
	if (moved) {
		close(l->part);
		l->part = -1;
		return GH_OK;
	}
	gh_land_drop(l);
	if (why == EEXIST && gh_land_hash(l, name, there, &size) && memcmp(there, ret_sha256, 32) == 0)
		return GH_OK;
	return gh_fail(
		err, why == ENOSPC || why == EIO ? GH_IO : GH_BAD, 0, "cannot lie in the folder: %s", strerror(why));
}

bool gh_land_hash(struct gh_land *l, const char *name, uint8_t ret_sha256[32], uint64_t *ret_size)
{
	uint8_t buf[64 << 10];
	struct stat st;
	int fd = beneath(l->dir, name, O_RDONLY, 0);
	EVP_MD_CTX *digest = fd < 0 ? NULL : EVP_MD_CTX_new();
	bool ok = digest && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		  EVP_DigestInit_ex(digest, EVP_sha256(), NULL) > 0;
	for (ssize_t n = 1; ok && n;) {
		n = read(fd, buf, sizeof buf);
		if (n < 0 && errno != EINTR)
			ok = false;
		else if (n > 0)
			ok = EVP_DigestUpdate(digest, buf, (size_t)n) > 0;
	}
	ok = ok && EVP_DigestFinal_ex(digest, ret_sha256, NULL) > 0;
	*ret_size = ok ? (uint64_t)st.st_size : 0;
	EVP_MD_CTX_free(digest);
	if (fd >= 0)
		close(fd);
	return ok;
}

const char *gh_land_hex(const uint8_t sha256[32], char buf[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(buf + 2 * i, 3, "%02x", sha256[i]);
	return buf;
}

/* ---- lists ---- */

FILE *gh_land_append(struct gh_land *l, const char *name)
{
	int fd = beneath(l->dir, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
	if (!f && fd >= 0)
		close(fd);
	return f;
}

FILE *gh_land_rewrite(struct gh_land *l)
{
	(void)unlinkat(l->dir, LIST, 0);
	int fd = beneath(l->dir, LIST, O_WRONLY | O_CREAT | O_EXCL, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f && fd >= 0)
		close(fd);
	return f;
}

enum gh_code gh_land_rewritten(struct gh_land *l, FILE *f, const char *name, struct gh_err *err)
{
	bool ok = f && !ferror(f);
	if (f)
		ok &= fclose(f) == 0;
	if (ok && renameat(l->dir, LIST, l->dir, name) == 0)
		return GH_OK;
	return gh_fail(err, GH_IO, 0, "%s cannot be written: %s", name, strerror(errno));
}

struct gh_str gh_land_read(struct gh_land *l, struct gh_arena *arena, const char *name)
{
	struct stat st;
	int fd = beneath(l->dir, name, O_RDONLY, 0);
	char *text = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? gh_alloc_raw(arena, (size_t)st.st_size + 1)
									   : NULL;
	size_t n = 0;
	for (ssize_t got = 1; text && got > 0 && n<(size_t)st.st_size; n += got> 0 ? (size_t)got : 0)
		got = read(fd, text + n, (size_t)st.st_size - n);
	if (fd >= 0)
		close(fd);
	return text ? gh_strn(text, n) : GH_NONE;
}
