/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse unpack: all files to a folder, and a manifest of what a folder cannot hold. Two processes: the reader parses in a jail,
 * the writer touches the disk and parses nothing of the input. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/manifest.h"
#include "cli/unpack_read.h"

enum {
	ENTRIES_MAX = 1 << 24, /* as many as scan takes from a folder */
};

struct writer {
	struct gh_lay lay;
	FILE *manifest;
	struct gh_frame frame;
	bool io; /* this machine refused: no room, no right */
	bool broken; /* the reader spoke nonsense */
};

static void told_link(void *to, const char *row, const struct gh_laid *laid)
{
	struct writer *w = to;
	fputs(row ? row : "{\"type\":\"link\"", w->manifest);
	gh_manifest_laid(w->manifest, laid, false, GH_NONE);
}

/* Bytes of the file at hand up to its end. */
static bool content(struct writer *w, FILE *from, struct gh_lay_file *f, struct gh_entry_end *end)
{
	for (int got; (got = gh_frame_read(from, &w->frame)) == 1;) {
		uint64_t hole;
		if (w->frame.kind == GH_FRAME_DONE && w->frame.n == sizeof *end) {
			memcpy(end, w->frame.p, sizeof *end);
			end->what[sizeof end->what - 1] = 0;
			return true;
		}
		if (w->frame.kind == GH_FRAME_DATA) {
			w->io = !gh_lay_write(&w->lay, f, w->frame.p, w->frame.n);
		} else if (w->frame.kind == GH_FRAME_HOLE && w->frame.n == sizeof hole) {
			memcpy(&hole, w->frame.p, sizeof hole);
			w->broken = !gh_lay_hole(&w->lay, f, hole);
		} else {
			w->broken = true;
		}
		if (w->io || w->broken)
			return false;
	}
	snprintf(end->what, sizeof end->what, "the reader stopped here");
	end->code = GH_SHORT;
	end->at = f->at;
	return false;
}

static bool entry(struct writer *w, FILE *from, struct gh_lay_file *f)
{
	struct gh_entry e;
	struct gh_entry_end end = {0};
	struct gh_laid laid;
	struct gh_later *later;
	char *row = NULL;
	size_t row_n = 0;
	if (w->frame.kind != GH_FRAME_ENTRY || !gh_frame_entry(&w->frame, &e)) {
		w->broken = true;
		return false;
	}
	FILE *mem = open_memstream(&row, &row_n);
	if (!mem)
		return false;
	gh_lay_entry(&w->lay, &e, &laid, f, &later);
	gh_manifest_entry(mem, &e);
	char why[200];
	snprintf(why, sizeof why, "%.*s", (int)gh_min(e.s[GH_S_WHY].n, sizeof why - 1),
		e.s[GH_S_WHY].p ? e.s[GH_S_WHY].p : "");
	bool told_why = e.s[GH_S_WHY].p != NULL, whole = true;
	if (e.flags & GH_ENTRY_CONTENT) { /* from here on the entry's own strings are gone: its frame is filled anew */
		uint8_t sha256[32];
		whole = content(w, from, f, &end);
		EVP_DigestFinal_ex(f->digest, sha256, NULL);
		w->lay.n.partial += end.code != 0 && laid.made;
		w->io |= !gh_lay_close(&w->lay, f, &e);
		gh_manifest_content(mem, f->at, sha256, &end);
	}
	fclose(mem);
	if (later) {
		later->row = row;
		return whole;
	}
	fwrite(row, 1, row_n, w->manifest);
	free(row);
	gh_manifest_laid(w->manifest, &laid, end.code != 0, told_why ? gh_str(why) : GH_NONE);
	return whole;
}

/* ---- words ---- */

static void count(uint64_t n, const char *one, const char *many)
{
	if (n)
		printf("  %llu %s\n", (unsigned long long)n, n == 1 ? one : many);
}

static void summary(const struct writer *w, const struct gh_unpack *u, bool owners)
{
	const struct gh_lay_counts *n = &w->lay.n;
	printf("%s: %llu files (%llu bytes), %llu folders, %llu links\n", u->dir, (unsigned long long)n->files,
		(unsigned long long)n->bytes, (unsigned long long)n->folders, (unsigned long long)n->links);
	count(n->hard, "second name of a file (hard link)", "second names of files (hard links)");
	count(n->partial, "file is damaged: written as far as it can be read",
		"files are damaged: written as far as they can be read");
	count(n->renamed, "has another name here, because its own is not safe or was taken",
		"have another name here, because their own is not safe or was taken");
	count(n->folded, "name differs from another in case only", "names differ from others in case only");
	count(n->skipped, "could not be written", "could not be written");
	count(n->special, "was not written: a device, a pipe, an image or a link that was not asked for",
		"were not written: devices, pipes, images or links that were not asked for");
	count(n->set_id, "set-id or sticky bit left off (--set-id keeps it)",
		"set-id or sticky bits left off (--set-id keeps them)");
	count(n->outward, "link leads out of this folder: do not follow it",
		"links lead out of this folder: do not follow them");
	if (!owners)
		puts("  owners are yours: only root can set others");
	printf("Every attribute, digest and reason: %s\n", u->manifest);
	puts("These files are the phone's own and may be hostile: look at them, run none.");
}

/* ---- the command ---- */

static FILE *start_reader(const struct gh_unpack *u, pid_t *ret_pid)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC))
		return NULL;
	fflush(stdout);
	*ret_pid = fork();
	if (*ret_pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		_exit(gh_unpack_read(u));
	}
	close(p[1]);
	if (*ret_pid < 0) {
		close(p[0]);
		return NULL;
	}
	return fdopen(p[0], "r");
}

static int write_all(const struct gh_unpack *u, FILE *from, int dir, FILE *manifest, uint64_t room)
{
	struct writer w = {.manifest = manifest, .frame.p = malloc(GH_FRAME_MAX)};
	struct gh_lay_file f = {.fd = -1, .digest = EVP_MD_CTX_new()};
	bool owners = u->owners && geteuid() == 0, more = w.frame.p && f.digest;
	int got = 0;
	gh_lay_begin(&w.lay, dir, (struct gh_lay_options){u->set_id, owners, u->links}, room);
	for (uint64_t n = 0; more && n < ENTRIES_MAX && (got = gh_frame_read(from, &w.frame)) == 1; n++)
		more = entry(&w, from, &f);
	int saved = errno;
	w.broken |= got < 0;
	gh_lay_end(&w.lay, told_link, &w);
	EVP_MD_CTX_free(f.digest);
	free(w.frame.p);
	bool told = !ferror(manifest) && !fflush(manifest);
	if (w.lay.n.files + w.lay.n.folders + w.lay.n.links + w.lay.n.special + w.lay.n.skipped)
		summary(&w, u, owners);
	if (w.io && saved == EDQUOT && !w.lay.room)
		gh_complain("it unpacks to more than 256 times its size: stopped");
	else if (w.io)
		gh_complain("%s cannot be written to: %s", u->dir, strerror(saved));
	if (!told)
		gh_complain("%s cannot be written to its end: is its place full?", u->manifest);
	if (w.broken)
		gh_complain("the reader stopped in the middle; what is there is there, the rest is not");
	if (w.io || !told)
		return GH_EXIT_USAGE;
	return w.broken || w.lay.n.partial || w.lay.n.skipped ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	bool empty = d != NULL;
	for (struct dirent *e; d && (e = readdir(d));)
		empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		closedir(d);
	return empty;
}

/* A new folder, or one that is empty: evidence is never mixed with what was there. -1: told. */
static int open_dir(const char *path, bool *ret_made)
{
	struct stat st;
	*ret_made = mkdir(path, 0777) == 0;
	if (!*ret_made && errno == EEXIST) {
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			gh_complain("%s is a file; name a new folder: -o DIR", path);
		else if (!is_empty(path))
			gh_complain("%s is not empty; name a new folder, so that nothing is mixed with what is there",
				path);
		else
			errno = 0;
		if (errno)
			return -1;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		gh_complain("%s: %s; name a folder where you may write: -o DIR", path, strerror(errno));
	return fd;
}

static int unpack(struct gh_unpack *u)
{
	char name[4096];
	struct stat st;
	size_t n = strlen(u->dir);
	while (n > 1 && u->dir[n - 1] == '/')
		n--;
	snprintf(name, sizeof name, "%.*s.manifest.jsonl", (int)n, u->dir);
	u->manifest = u->manifest ? u->manifest : name;
	if (stat(u->input, &st)) {
		gh_complain("%s: %s; INPUT is a firmware package, an image or an APK", u->input, strerror(errno));
		return GH_EXIT_USAGE;
	}
	if (S_ISDIR(st.st_mode)) {
		gh_complain("%s is a folder: it is unpacked already; name an image in it", u->input);
		return GH_EXIT_USAGE;
	}
	int fd = open(u->manifest, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *manifest = fd < 0 ? NULL : fdopen(fd, "w");
	if (!manifest) {
		gh_complain("%s: %s; name a new file: --manifest FILE", u->manifest, strerror(errno));
		return GH_EXIT_USAGE;
	}
	/* The reader starts before the folder is open: it inherits nothing that could write there. */
	pid_t pid = -1;
	int status = 0, code = GH_EXIT_USAGE, dir;
	bool made = false;
	fclose(manifest);
	FILE *from = start_reader(u, &pid);
	manifest = fopen(u->manifest, "w");
	if (from && manifest && (dir = open_dir(u->dir, &made)) >= 0) {
		uint64_t room = st.st_size < INT64_MAX / 512 ? (uint64_t)st.st_size * 256 + (16ull << 30) : INT64_MAX;
		code = write_all(u, from, dir, manifest, room);
		close(dir);
	} else {
		unlink(u->manifest);
	}
	if (from)
		fclose(from);
	if (manifest)
		fclose(manifest);
	if (pid > 0)
		waitpid(pid, &status, 0);
	int read_code = WIFEXITED(status) ? WEXITSTATUS(status) : GH_EXIT_OK; /* ended by us when writing stopped */
	if (read_code == GH_EXIT_USAGE && code == GH_EXIT_OK) {
		unlink(u->manifest);
		if (made)
			rmdir(u->dir);
	}
	return code != GH_EXIT_OK ? code : read_code;
}

int gh_cmd_unpack(int argc, char **argv)
{
	enum { O_OUT, O_MANIFEST, O_IMAGES, O_SET_ID, O_OWNERS, O_LINKS };
	static const struct gh_option options[] = {
		[O_OUT] = {"--output", "-o", "DIR", "the folder to unpack into: a new one, or an empty one"},
		[O_MANIFEST] = {"--manifest", NULL, "FILE",
			"every attribute, a JSON object a line (DIR.manifest.jsonl)"},
		[O_IMAGES] = {"--images", NULL, NULL, "write images of partitions too"},
		[O_SET_ID] = {"--set-id", NULL, NULL, "keep set-user-id, set-group-id and sticky bits"},
		[O_OWNERS] = {"--no-owners", NULL, NULL, "do not set owners, even as root"},
		[O_LINKS] = {"--no-links", NULL, NULL, "do not make symbolic links; the manifest has them"},
	};
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "unpack INPUT [PATH] -o DIR",
		.about = "A folder an image: DIR/system, DIR/vendor, DIR/boot/ramdisk, DIR/apex/NAME. PATH as for "
			 "gifthorse "
			 "ls.\n"
			 "Nothing is ever written outside of DIR, whatever names say; devices are not made.\n"
			 "Exit codes: 0 unpacked; 2 wrong use, or it cannot be written; 3 something was damaged or "
			 "could not be written.\n"};
	struct gh_unpack u = {.owners = true, .links = true};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return GH_EXIT_OK;
		if (o == -4)
			return GH_EXIT_USAGE;
		if (o == -1 && u.path) {
			gh_complain("%s is one word too many; use: gifthorse %s", value, args.usage);
			return GH_EXIT_USAGE;
		}
		if (o == -1)
			*(u.input ? &u.path : &u.input) = value;
		else if (o == O_OUT || o == O_MANIFEST)
			*(o == O_OUT ? &u.dir : &u.manifest) = value;
		u.images |= o == O_IMAGES;
		u.set_id |= o == O_SET_ID;
		u.owners &= o != O_OWNERS;
		u.links &= o != O_LINKS;
	}
	if (!u.input || !u.dir || !*u.dir) {
		gh_complain("name the input and a new folder: gifthorse unpack INPUT -o DIR");
		return GH_EXIT_USAGE;
	}
	return unpack(&u);
}
