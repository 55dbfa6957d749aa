/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files.tsv of an acquisition (docs/phone.md): path, mode, uid, gid, size, mtime, label, target, state, sha256. */
#include "engine/acquired.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/sort.h"
#include "base/tsv.h"
#include "engine/coordinator.h"

enum {
	FIELDS = 10,
	LIST_MAX = 1 << 30, /* bytes: two million long names */
	ROWS_MAX = 2 << 20, /* what an acquisition writes at most */
};

static struct gh_str read_list(int folder, struct gh_arena *arena)
{
	struct stat st;
	int fd = gh_folder_open_file(folder, "files.tsv");
	char *text = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LIST_MAX
			     ? gh_alloc_raw(arena, (size_t)st.st_size + 1)
			     : NULL;
	size_t n = 0;
	for (ssize_t got = 1; text && got > 0 && n<(size_t)st.st_size; n += got> 0 ? (size_t)got : 0)
		got = pread(fd, text + n, (size_t)st.st_size - n, (off_t)n);
	if (fd >= 0)
		close(fd);
	return text ? gh_strn(text, n) : GH_NONE;
}

static struct gh_str optional(struct gh_arena *arena, struct gh_str field)
{
	return gh_str_is(field, "-") ? GH_NONE : gh_tsv_read(arena, field);
}

static uint64_t number(struct gh_str field, int base)
{
	uint64_t n;
	return gh_str_u64(field, base, &n) ? n : 0;
}

static enum gh_told_kind kind_of(struct gh_str state)
{
	return gh_str_is(state, "denied")                                     ? GH_TOLD_DENIED
	       : gh_str_is(state, "hashed-only")                              ? GH_TOLD_HASHED
	       : gh_str_is(state, "pulled") || gh_str_is(state, "no content") ? GH_TOLD_HERE
									      : GH_TOLD_LEFT;
}

static bool read_row(struct gh_arena *arena, struct gh_str line, struct gh_told *ret)
{
	struct gh_str f[FIELDS];
	for (int i = 0; i < FIELDS; i++)
		if (!gh_tsv_next(&line, &f[i]))
			return false;
	*ret = (struct gh_told){.path = gh_tsv_read(arena, f[0]),
		.mode = (uint32_t)number(f[1], 8),
		.uid = (uint32_t)number(f[2], 10),
		.gid = (uint32_t)number(f[3], 10),
		.size = number(f[4], 10),
		.mtime = (int64_t)number(f[5], 10),
		.label = optional(arena, f[6]),
		.target = optional(arena, f[7]),
		.kind = kind_of(f[8]),
		.hashed = f[9].n == 64};
	for (size_t i = 0; ret->hashed && i < 32; i++)
		ret->sha256[i] = (uint8_t)number(gh_strn(f[9].p + 2 * i, 2), 16);
	return !line.p && ret->path.n > 1 && *ret->path.p == '/' && !gh_path_goes_up(ret->path);
}

static int compare(struct gh_str a, struct gh_str b)
{
	int c = memcmp(a.p, b.p, (size_t)gh_min(a.n, b.n));
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static bool before(const void *a, const void *b)
{
	return compare((*(struct gh_told *const *)a)->path, (*(struct gh_told *const *)b)->path) < 0;
}

static bool order(struct gh_acquired *a, struct gh_arena *arena)
{
	struct gh_told **by = gh_alloc_array(arena, a->n + 1, sizeof *by);
	struct gh_told *sorted = gh_alloc_array(arena, a->n + 1, sizeof *sorted);
	if (!by || !sorted)
		return false;
	for (size_t i = 0; i < a->n; i++)
		by[i] = &a->v[i];
	gh_sort(by, a->n, sizeof *by, before);
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		if (!n || compare(sorted[n - 1].path, by[i]->path) != 0)
			sorted[n++] = *by[i];
		else
			a->cut = true;
	a->v = sorted;
	a->n = n;
	return true;
}

bool gh_acquired_read(int folder, struct gh_arena *arena, struct gh_acquired *ret)
{
	struct stat st;
	*ret = (struct gh_acquired){0};
	if (fstatat(folder, "acquisition.json", &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
		fstatat(folder, "files", &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
		return false;
	struct gh_str rest = read_list(folder, arena), line;
	size_t lines = 1;
	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	ret->cut = lines > ROWS_MAX;
	lines = (size_t)gh_min(lines, ROWS_MAX);
	ret->v = rest.p ? gh_alloc_array(arena, lines, sizeof *ret->v) : NULL;
	if (!ret->v || !gh_str_line(&rest, &line) || !gh_str_starts(line, "path\tmode\t"))
		return false;
	while (ret->n < lines && gh_str_line(&rest, &line)) {
		if (read_row(arena, line, &ret->v[ret->n]))
			ret->n++;
		else
			ret->cut |= line.n > 0;
	}
	return order(ret, arena);
}

struct gh_told *gh_acquired_find(const struct gh_acquired *a, struct gh_str path)
{
	size_t low = 0, high = a->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(a->v[mid].path, path);
		if (c == 0)
			return &a->v[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
