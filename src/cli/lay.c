/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, files, links and their attributes beneath one folder. */
#include "cli/lay.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

enum {
	TRIES = 100, /* names that are tried where one is taken */
	HELD_MAX = 256 << 20, /* memory for links and folders until the end; a phone needs some 10 MiB */
};

/* ---- beneath ---- */

static int beneath(int dir, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	int fd;
	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	return fd;
}

/* Opens, and makes, one folder below another. Where something else has its name it becomes NAME~folder. */
static int step(int at, char *name, bool *ret_other)
{
	char other[GH_LAY_NAME + 8];
	for (int i = 0; i < 2; i++) {
		if (mkdirat(at, name, 0755) && errno != EEXIST)
			return -1;
		int fd = beneath(at, name, O_PATH | O_DIRECTORY, 0);
		if (fd >= 0 || i || (errno != ENOTDIR && errno != ELOOP))
			return fd;
		snprintf(other, sizeof other, "%.*s~folder", GH_LAY_NAME - 7, name);
		strcpy(name, other);
		*ret_other = true;
	}
	return -1;
}

/* The folder of a path, made where it is not there; the path is rewritten where parts of it got another name. *ret_name: the last
 * component. -1 with errno. */
static int parent_of(struct gh_lay *lay, char *path, char **ret_name, bool *ret_other)
{
	char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	*ret_name = slash ? slash + 1 : path;
	if (lay->parent_fd >= 0 && strlen(lay->parent) == len && memcmp(lay->parent, path, len) == 0)
		return lay->parent_fd;
	char made[GH_LAY_PATH + 1] = "", name[GH_LAY_NAME + 16];
	int fd = dup(lay->dir);
	size_t n = 0;
	for (size_t i = 0; i < len && fd >= 0;) {
		size_t k = strcspn(path + i, "/");
		snprintf(name, sizeof name, "%.*s", (int)k, path + i);
		int inner = step(fd, name, ret_other), saved = errno;
		close(fd);
		fd = inner;
		size_t room = sizeof made - n;
		int put = snprintf(made + n, room, "%s%s", n ? "/" : "", name);
		if (put < 0 || (size_t)put >= room) {
			if (fd >= 0)
				close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		n += (size_t)put;
		i += k + 1;
		errno = saved;
	}
	if (fd < 0)
		return -1;
	char rest[GH_LAY_NAME + 16];
	snprintf(rest, sizeof rest, "%s", *ret_name);
	if (n + 1 + strlen(rest) > GH_LAY_PATH) {
		close(fd);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (*ret_other)
		snprintf(path, GH_LAY_PATH + 1, "%s%s%s", made, n ? "/" : "", rest);
	*ret_name = path + (n ? n + 1 : 0);
	if (lay->parent_fd >= 0)
		close(lay->parent_fd);
	lay->parent_fd = fd;
	memcpy(lay->parent, path, n);
	lay->parent[n] = 0;
	return fd;
}

/* NAME, NAME~2, NAME~3: the i-th try. Rewrites the end of the path. */
static void again(char *name, const char *wanted, int i)
{
	char tail[8];
	snprintf(tail, sizeof tail, "~%d", i + 1);
	size_t n = gh_min(strlen(wanted), GH_LAY_NAME - strlen(tail));
	memcpy(name, wanted, n);
	strcpy(name + n, tail);
}

/* Makes something under the first name that is free. */
static int make_free(
	struct gh_lay *lay, struct gh_laid *laid, int (*make)(void *to, int parent, const char *name), void *to)
{
	char wanted[GH_LAY_NAME + 16], *name;
	bool other = false;
	int parent = parent_of(lay, laid->path, &name, &other);
	if (parent < 0)
		return -1;
	laid->renamed |= other;
	if (other)
		laid->why = "a file has the name of one of its folders";
	snprintf(wanted, sizeof wanted, "%s", name);
	for (int i = 0; i < TRIES; i++) {
		if (i && (size_t)(name - laid->path) + strlen(wanted) + 8 > GH_LAY_PATH)
			break;
		if (i)
			again(name, wanted, i);
		int rc = make(to, parent, name);
		if (rc >= 0 || errno != EEXIST) {
			if (i && rc >= 0) {
				laid->renamed = true;
				laid->why = "the name is taken";
			}
			return rc;
		}
	}
	errno = EEXIST;
	return -1;
}

/* ---- what is remembered ---- */

struct inode {
	uint64_t container, ino;
	char *path;
};

static int by_inode(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;
	return x->container != y->container ? (x->container < y->container ? -1 : 1)
	       : x->ino != y->ino           ? (x->ino < y->ino ? -1 : 1)
					    : 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Do two paths differ in case only? A hash may say so wrongly, and it is only a word in the manifest. */
static bool folded(struct gh_lay *lay, const char *path)
{
	char low[GH_LAY_PATH + 1];
	size_t n = 0;
	for (; path[n]; n++)
		low[n] = (char)tolower((unsigned char)path[n]);
	uint64_t *key = malloc(sizeof *key);
	if (!key)
		return false;
	*key = gh_str_hash(gh_strn(low, n));
	uint64_t **found = tsearch(key, &lay->folded, by_number);
	bool there = found && *found != key;
	if (there || !found)
		free(key);
	lay->n.folded += there;
	return there;
}

static struct gh_later *later(
	struct gh_lay *lay, struct gh_later **list, const struct gh_entry *e, const char *path, struct gh_str target)
{
	size_t n = strlen(path) + 1;
	if (n + target.n + sizeof **list + 64 > HELD_MAX - lay->held)
		return NULL;
	struct gh_later *l = calloc(1, sizeof *l + n + target.n + 1);
	if (!l)
		return NULL;
	lay->held += n + target.n + sizeof *l + 64;
	l->attr = *e;
	l->path = memcpy((char *)(l + 1), path, n);
	l->target = l->path + n;
	if (target.n)
		memcpy(l->target, target.p, target.n);
	l->next = *list;
	*list = l;
	return l;
}

/* ---- attributes ---- */

static void set_times(int fd, const char *name, int64_t mtime)
{
	struct timespec t[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};
	if (mtime < 0)
		return;
	(void)!(name ? utimensat(fd, name, t, AT_SYMLINK_NOFOLLOW) : futimens(fd, t));
}

/* Owner before mode: a change of owner takes set-id bits away. Without root the owner can always read what was written. */
static void set_attrs(struct gh_lay *lay, int fd, const struct gh_entry *e)
{
	if (!(e->flags & GH_ENTRY_ATTRS)) {
		(void)!fchmod(fd, S_ISDIR(e->mode) ? 0755 : 0644);
		return;
	}
	mode_t mode = e->mode & (lay->how.set_id ? 07777 : 0777);
	if (!lay->how.owners)
		mode |= S_ISDIR(e->mode) ? 0700 : 0600;
	if (lay->how.owners)
		(void)!fchown(fd, e->uid, e->gid);
	(void)!fchmod(fd, mode);
	set_times(fd, NULL, e->mtime);
}

/* ---- entries ---- */

static int make_folder(void *to, int parent, const char *name)
{
	(void)to;
	if (mkdirat(parent, name, 0755) && errno != EEXIST)
		return -1;
	int fd = beneath(parent, name, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		errno = EEXIST; /* something else has the name */
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int make_file(void *to, int parent, const char *name)
{
	(void)to;
	return beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

struct hard {
	int parent;
	const char *name;
};

static int make_hard(void *to, int parent, const char *name)
{
	const struct hard *h = to;
	return linkat(h->parent, h->name, parent, name, 0);
}

static int make_link(void *to, int parent, const char *name)
{
	return symlinkat(to, parent, name);
}

static void refused(struct gh_lay *lay, struct gh_laid *laid)
{
	laid->why = strerror(errno);
	laid->made = laid->renamed = false;
	laid->path[0] = 0;
	lay->n.skipped++;
}

static void hard_link(struct gh_lay *lay, const struct inode *first, struct gh_laid *laid)
{
	char path[GH_LAY_PATH + 1];
	const char *slash = strrchr(first->path, '/');
	snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - first->path) : 1, slash ? first->path : ".");
	struct hard h = {beneath(lay->dir, path, O_PATH | O_DIRECTORY, 0), slash ? slash + 1 : first->path};
	laid->made = h.parent >= 0 && make_free(lay, laid, make_hard, &h) >= 0;
	if (!laid->made)
		refused(lay, laid);
	else
		laid->note = "a second name of a file that was written";
	lay->n.hard += laid->made;
	if (h.parent >= 0)
		close(h.parent);
}

static void remember_inode(struct gh_lay *lay, const struct gh_entry *e, const char *path)
{
	if (!e->ino || e->nlink == 1 || lay->held > HELD_MAX - 4096)
		return;
	struct inode *i = malloc(sizeof *i);
	if (i && !(i->path = strdup(path))) {
		free(i);
		i = NULL;
	}
	if (!i)
		return;
	i->container = e->container;
	i->ino = e->ino;
	lay->held += strlen(path) + 128;
	struct inode **found = tsearch(i, &lay->inodes, by_inode);
	if (!found || *found != i) {
		free(i->path);
		free(i);
	}
}

static void file(struct gh_lay *lay, const struct gh_entry *e, struct gh_laid *laid, struct gh_lay_file *f)
{
	struct inode key = {.container = e->container, .ino = e->ino}, **first = NULL;
	if (e->ino && e->nlink != 1)
		first = tfind(&key, &lay->inodes, by_inode);
	if (first) {
		hard_link(lay, *first, laid);
		return;
	}
	f->fd = make_free(lay, laid, make_file, NULL);
	laid->made = f->fd >= 0;
	if (!laid->made) {
		refused(lay, laid);
		return;
	}
	lay->n.files++;
	remember_inode(lay, e, laid->path);
	if (e->flags & GH_ENTRY_ATTRS && e->mode & 07000 && !lay->how.set_id) {
		lay->n.set_id++;
		laid->note = "its set-id or sticky bit was left off";
	}
}

static void folder(struct gh_lay *lay, const struct gh_entry *e, struct gh_laid *laid)
{
	laid->made = !laid->path[0] || make_free(lay, laid, make_folder, NULL) >= 0;
	if (!laid->made) {
		refused(lay, laid);
		return;
	}
	lay->n.folders++;
	if (e->flags & GH_ENTRY_ATTRS && laid->path[0] && !later(lay, &lay->folders, e, laid->path, GH_NONE))
		laid->note = "its attributes could not be kept until the end";
}

/* Does a link's target lead out of the folder that all lies in? */
static bool outward(const char *path, struct gh_str target)
{
	long depth = 0;
	for (const char *p = path; (p = strchr(p, '/')); p++)
		depth++;
	if (gh_str_starts(target, "/"))
		return true;
	for (size_t i = 0, n; i < target.n; i += n + 1) {
		const char *slash = memchr(target.p + i, '/', target.n - i);
		struct gh_str c = gh_strn(target.p + i, slash ? (size_t)(slash - target.p) - i : target.n - i);
		n = c.n;
		if (gh_str_is(c, ".."))
			depth--;
		else if (c.n && !gh_str_is(c, "."))
			depth++;
		if (depth < 0)
			return true;
	}
	return false;
}

static void skip(struct gh_lay *lay, struct gh_laid *laid, uint64_t *count, const char *why)
{
	(void)lay;
	laid->why = why;
	laid->path[0] = 0;
	(*count)++;
}

static struct gh_later *symbolic(struct gh_lay *lay, const struct gh_entry *e, struct gh_laid *laid)
{
	struct gh_str t = e->s[GH_S_LINK];
	struct gh_later *l = NULL;
	if (!lay->how.links)
		skip(lay, laid, &lay->n.special, "links were not asked for");
	else if (!t.n || t.n > GH_LAY_PATH || memchr(t.p, 0, t.n))
		skip(lay, laid, &lay->n.skipped, "a link whose target this machine does not take");
	else if (!(l = later(lay, &lay->links, e, laid->path, t)))
		skip(lay, laid, &lay->n.skipped, "no memory to keep this link until the end");
	if (l && outward(laid->path, t)) {
		lay->n.outward++;
		laid->note = "its target leads out of this folder";
	}
	return l;
}

void gh_lay_entry(struct gh_lay *lay, const struct gh_entry *e, struct gh_laid *laid, struct gh_lay_file *f,
	struct gh_later **ret_later)
{
	*laid = (struct gh_laid){0};
	f->fd = -1;
	f->at = 0;
	*ret_later = NULL;
	if (e->flags & GH_ENTRY_CONTENT)
		EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL);
	if (!gh_lay_path(e->s[GH_S_FOLDER], e->s[GH_S_NAME], laid->path, &laid->why)) {
		skip(lay, laid, &lay->n.skipped, "its path is too long for this machine");
		return;
	}
	laid->renamed = laid->why != NULL;
	if (S_ISDIR(e->mode))
		folder(lay, e, laid);
	else if (S_ISLNK(e->mode))
		*ret_later = symbolic(lay, e, laid);
	else if (!S_ISREG(e->mode) && e->mode & S_IFMT)
		skip(lay, laid, &lay->n.special, "devices, pipes and sockets are not made");
	else if (!(e->flags & GH_ENTRY_CONTENT))
		skip(lay, laid, &lay->n.special, "not asked for");
	else if (!laid->path[0])
		skip(lay, laid, &lay->n.skipped, "it has no name");
	else
		file(lay, e, laid, f);
	if (laid->made && !S_ISDIR(e->mode) && folded(lay, laid->path) && !laid->note)
		laid->note = "differs from another in case only";
	lay->n.renamed += laid->renamed && laid->path[0];
}

bool gh_lay_write(struct gh_lay *lay, struct gh_lay_file *f, const void *p, size_t n)
{
	EVP_DigestUpdate(f->digest, p, n);
	if (f->fd >= 0 && n > lay->room) {
		errno = EDQUOT;
		return false;
	}
	for (size_t done = 0; f->fd >= 0 && done < n;) {
		ssize_t put = pwrite(f->fd, (const char *)p + done, n - done, (off_t)(f->at + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	lay->room -= f->fd >= 0 ? n : 0;
	lay->n.bytes += f->fd >= 0 ? n : 0;
	f->at += n;
	return true;
}

bool gh_lay_hole(struct gh_lay *lay, struct gh_lay_file *f, uint64_t n)
{
	static const uint8_t zeros[1 << 16];
	(void)lay;
	if (n > (uint64_t)INT64_MAX - f->at)
		return false;
	f->at += n;
	for (uint64_t k; n; n -= k)
		EVP_DigestUpdate(f->digest, zeros, k = gh_min(n, sizeof zeros));
	return true;
}

bool gh_lay_close(struct gh_lay *lay, struct gh_lay_file *f, const struct gh_entry *e)
{
	if (f->fd < 0)
		return true;
	bool ok = ftruncate(f->fd, (off_t)f->at) == 0;
	set_attrs(lay, f->fd, e);
	ok &= close(f->fd) == 0;
	f->fd = -1;
	return ok;
}

/* ---- the end ---- */

void gh_lay_begin(struct gh_lay *lay, int dir, struct gh_lay_options how, uint64_t room)
{
	*lay = (struct gh_lay){.dir = dir, .how = how, .room = room, .parent_fd = -1};
}

static struct gh_later *reversed(struct gh_later *list)
{
	struct gh_later *out = NULL;
	while (list) {
		struct gh_later *next = list->next;
		list->next = out;
		out = list;
		list = next;
	}
	return out;
}

static void link_now(struct gh_lay *lay, struct gh_later *l, struct gh_laid *laid)
{
	char *name;
	bool other = false;
	*laid = (struct gh_laid){0};
	memcpy(laid->path, l->path, strlen(l->path) + 1);
	laid->made = make_free(lay, laid, make_link, l->target) >= 0;
	if (!laid->made) {
		refused(lay, laid);
		return;
	}
	lay->n.links++;
	lay->n.renamed += laid->renamed;
	if (folded(lay, laid->path))
		laid->note = "differs from another in case only";
	int parent = parent_of(lay, laid->path, &name, &other);
	if (parent >= 0 && l->attr.flags & GH_ENTRY_ATTRS) {
		if (lay->how.owners)
			(void)!fchownat(parent, name, l->attr.uid, l->attr.gid, AT_SYMLINK_NOFOLLOW);
		set_times(parent, name, l->attr.mtime);
	}
}

static void free_inode(void *p)
{
	free(((struct inode *)p)->path);
	free(p);
}

void gh_lay_end(struct gh_lay *lay, void (*told)(void *to, const char *row, const struct gh_laid *), void *to)
{
	struct gh_laid laid;
	for (struct gh_later *l = reversed(lay->links), *next; l; l = next) {
		link_now(lay, l, &laid);
		told(to, l->row, &laid);
		next = l->next;
		free(l->row);
		free(l);
	}
	for (struct gh_later *l = lay->folders, *next; l; l = next) {
		int fd = beneath(lay->dir, l->path, O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0) {
			set_attrs(lay, fd, &l->attr);
			close(fd);
		}
		next = l->next;
		free(l);
	}
	if (lay->parent_fd >= 0)
		close(lay->parent_fd);
	tdestroy(lay->inodes, free_inode);
	tdestroy(lay->folded, free);
}
