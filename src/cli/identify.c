/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse identify: what a file is, by its beginning, its end and one level of structure; in milliseconds, also when it is cut
 * off. Each file is looked at in a jailed process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/guess.h"
#include "cli/place.h"
#include "engine/jail.h"
#include "report/model.h"
#include "tree/look.h"

enum {
	CHILDREN_MAX = 512, /* of one level */
	NAMES_SHOWN = 12,
	NOTES_MAX = 3,
	TEXT_MAX = 64 << 10, /* of a member that says what device a package is for */
	STEPS = 4 << 20,
	HINTS_MAX = 48,
};

struct hint {
	struct gh_str key, value;
};

struct report {
	struct gh_ctx ctx; /* first: plug-ins get it */
	struct gh_arena arena;
	struct gh_budget budget;
	const char *file;
	struct gh_probe probe;
	struct gh_source *src;
	struct hint hint[HINTS_MAX];
	size_t n_hints;
	struct {
		enum gh_code code;
		uint64_t at;
		char what[160];
	} note[NOTES_MAX];
	size_t n_notes;
	struct gh_str name[NAMES_SHOWN];
	uint64_t n_children;
	bool more, apk, apex, phone;
	struct gh_str inner; /* what a packed stream begins like */
	bool cut; /* its structure says that bytes are missing */
};

/* ---- what plug-ins tell ---- */

static void hint(struct report *r, const char *key, struct gh_str value)
{
	if (!value.n || r->n_hints == HINTS_MAX)
		return;
	for (size_t i = 0; i < r->n_hints; i++)
		if (gh_str_is(r->hint[i].key, key) && gh_str_eq(r->hint[i].value, value))
			return;
	r->hint[r->n_hints++] =
		(struct hint){gh_str(key), gh_str_dup(&r->arena, gh_strn(value.p, gh_min(value.n, 200)))};
}

static void hint_number(struct report *r, const char *key, int64_t n)
{
	if (n != GH_NULL && n > 0)
		hint(r, key, gh_str_fmt(&r->arena, "%lld", (long long)n));
}

static void states_size(struct report *r, const char *what, int64_t size)
{
	if (size == GH_NULL || size <= 0)
		return;
	hint_number(r, what, size);
	r->cut |= (uint64_t)size > r->src->size;
}

static void of_boot(struct report *r, const struct gh_row_boot_headers *b)
{
	r->phone = true;
	hint(r, "boot image", b->kind);
	hint(r, "header version", gh_str_fmt(&r->arena, "%lld", (long long)b->version));
	hint(r, "Android", b->os_version);
	hint(r, "security patch", b->os_patch_level);
	hint(r, "board", b->board);
	hint(r, "kernel arguments", b->cmdline);
}

static void of_descriptor(struct report *r, const struct gh_row_avb_descriptors *d)
{
	static const char *const suffixes[] = {"fingerprint", "security_patch", "os_version"};
	if (gh_str_is(d->kind, "hash") || gh_str_is(d->kind, "hashtree") || gh_str_is(d->kind, "chain"))
		hint(r, "verified partition", d->partition);
	for (size_t i = 0; gh_str_is(d->kind, "property") && i < GH_COUNT(suffixes); i++)
		if (gh_str_ends(d->partition, suffixes[i]))
			hint(r, suffixes[i], d->digest);
}

static uint64_t emit(struct gh_ctx *ctx, enum gh_table table, uint64_t at, const void *row)
{
	struct report *r = (struct report *)ctx;
	(void)at;
	if (table == GH_T_boot_headers)
		of_boot(r, row);
	if (table == GH_T_avb_descriptors)
		of_descriptor(r, row);
	if (table == GH_T_avb_images) {
		const struct gh_row_avb_images *a = row;
		hint(r, "verified boot", a->algorithm);
		hint(r, "signed with key (SHA-1)", a->pubkey_sha1);
	}
	if (table == GH_T_fs_info) {
		const struct gh_row_fs_info *f = row;
		r->phone = true;
		hint(r, "label", f->label);
		hint(r, "was mounted on", f->mounted_on);
		hint_number(r, "block size", f->block_size);
		states_size(r, "bytes of the file system", f->size);
	}
	if (table == GH_T_lp_partitions) {
		const struct gh_row_lp_partitions *p = row;
		if (p->size > 0)
			hint(r, "partition", p->name);
	}
	return 0;
}

static void note(struct gh_ctx *ctx, enum gh_code code, uint64_t at, const char *what)
{
	struct report *r = (struct report *)ctx;
	if (code == GH_SHORT)
		r->cut = true;
	if (r->n_notes == NOTES_MAX)
		return;
	r->note[r->n_notes].code = code;
	r->note[r->n_notes].at = at;
	gh_escape(r->note[r->n_notes].what, sizeof r->note->what, gh_str(what));
	r->n_notes++;
}

/* ---- one level ---- */

/* Files in a package that say what it is for: key=value or "key : value" lines. */
static void metadata(struct report *r, struct gh_str text)
{
	static const struct {
		const char *key, *as;
	} known[] = {{"post-build", "fingerprint"}, {"pre-device", "device"},
		{"post-security-patch-level", "security patch"}, {"post-sdk-level", "API level"},
		{"ota-type", "update type"}, {"require board", "board"}, {"require product", "device"},
		{"require version-bootloader", "boot loader version"},
		{"require version-baseband", "baseband version"}};
	struct gh_str line;
	while (gh_str_line(&text, &line)) {
		const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
		for (size_t i = 0; eq && i < GH_COUNT(known); i++)
			if (gh_str_is(gh_str_trim(gh_strn(line.p, (size_t)(eq - line.p))), known[i].key))
				hint(r, known[i].as, gh_str_trim(gh_strn(eq + 1, line.n - (size_t)(eq - line.p) - 1)));
	}
}

static void read_metadata(struct report *r, const struct gh_format *f, void *state, const struct gh_child *c)
{
	struct gh_sink sink = {.buf = gh_alloc_raw(&r->arena, TEXT_MAX), .cap = TEXT_MAX};
	struct gh_source *src = NULL;
	const uint8_t *p = NULL;
	struct gh_err err;
	if (!c->size || c->size > TEXT_MAX || !sink.buf)
		return;
	if (c->flags & GH_CHILD_STREAM) {
		if (!f->pour(&r->ctx, state, c, &sink, &err))
			metadata(r, gh_strn(sink.buf, sink.len));
	} else if (!f->data(&r->ctx, state, c, &src, &err) &&
		   !gh_view(src, &r->arena, 0, (size_t)src->size, &p, &err)) {
		metadata(r, gh_strn(p, (size_t)src->size));
	}
}

/* The beginning of what a stream or a sparse image packs. */
static bool begins(
	struct report *r, const struct gh_format *f, void *state, const struct gh_child *c, struct gh_probe *ret)
{
	struct gh_source *src = NULL;
	struct gh_err err;
	if (c->flags & GH_CHILD_STREAM)
		return gh_inside_peek(&r->arena, &r->budget, f, state, c, ret) || ret->head_len;
	return !f->data(&r->ctx, state, c, &src, &err) && src &&
	       !gh_probe_make(src, gh_str_base(c->name), &r->arena, ret, &err);
}

static void child(struct report *r, const struct gh_format *f, void *state, const struct gh_child *c)
{
	struct gh_probe probe;
	struct gh_str base = gh_str_base(c->name);
	bool folder = c->kind == GH_FILE && (c->attr.mode & S_IFMT) == S_IFDIR;
	if (r->n_children < NAMES_SHOWN)
		r->name[r->n_children] = gh_str_dup(&r->arena, c->name);
	r->n_children++;
	r->apk |= gh_str_is(c->name, "AndroidManifest.xml");
	r->apex |= gh_str_is(c->name, "apex_payload.img");
	r->phone |= c->kind == GH_VOLUME || gh_str_ends(base, ".img") || gh_str_is(base, "build.prop") ||
		    gh_str_is(base, "payload.bin") || gh_str_ends(base, ".lz4") || gh_str_starts(base, "image-");
	if (!folder && (gh_str_is(c->name, "META-INF/com/android/metadata") || gh_str_is(base, "android-info.txt")))
		read_metadata(r, f, state, c);
	if (gh_place_packs(f) && begins(r, f, state, c, &probe)) {
		const struct gh_format *inner = gh_probe_format(&probe);
		struct gh_guess g = gh_guess(&probe);
		r->inner = gh_str(inner ? inner->title : g.what);
		r->phone |= inner != NULL;
	}
}

static void structure(struct report *r, const struct gh_format *f)
{
	void *state = gh_alloc(&r->arena, f->state_size);
	struct gh_err err = {0};
	enum gh_code code = state ? f->open(&r->ctx, r->src, state, &err) : GH_NOMEM;
	if (!code && f->describe)
		code = f->describe(&r->ctx, state, &err);
	while (!code && r->n_children < CHILDREN_MAX) {
		struct gh_child c = {0};
		if (!(code = f->next(&r->ctx, state, &c, &err)))
			child(r, f, state, &c);
	}
	r->more = code == GH_OK;
	if (code > GH_END)
		note(&r->ctx, err.code, err.at, err.what);
}

static void inspect(struct report *r, const struct gh_inspector *i)
{
	struct gh_blob blob = {.src = r->src, .size = r->src->size, .name = r->probe.name, .path = r->probe.name};
	struct gh_err err = {0};
	if (strcmp(i->name, "avb") == 0 && i->run(&r->ctx, &blob, &err))
		note(&r->ctx, err.code, err.at, err.what);
}

/* ---- words ---- */

static void put(struct gh_str s)
{
	char buf[1024];
	gh_escape(buf, sizeof buf, s);
	fputs(buf, stdout);
}

static void hex_line(const char *title, const uint8_t *p, size_t n)
{
	printf("  %s: ", title);
	for (size_t i = 0; i < n; i++)
		printf("%02x ", p[i]);
	putchar(' ');
	for (size_t i = 0; i < n; i++)
		putchar(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
	putchar('\n');
}

static const char *next_words(
	const struct report *r, const struct gh_format *f, const struct gh_guess *g, bool inspected)
{
	if (r->apk)
		return "gifthorse scan FILE (one app: most checks need a whole phone)";
	if (r->apex)
		return "gifthorse scan FILE (one module: most checks need a whole phone)";
	if (f && r->phone)
		return "gifthorse scan FILE -f html=report.html; gifthorse ls FILE tells what is inside";
	if (f)
		return "gifthorse ls FILE tells what is inside; gifthorse scan FILE looks at it";
	return inspected ? "gifthorse scan FILE, better with the other images of the same phone in one call" : g->then;
}

/* The next step with the file's name as a shell takes it. */
static struct gh_str next_step(struct report *r, const struct gh_format *f, const struct gh_guess *g, bool inspected)
{
	struct gh_str rest = gh_str(next_words(r, f, g, inspected)), out = GH_STR(""),
		      name = gh_shell_word(&r->arena, gh_str(r->file));
	for (const char *at; (at = memmem(rest.p, rest.n, "FILE", 4));
		rest = gh_strn(at + 4, rest.n - (size_t)(at - rest.p) - 4))
		out = gh_str_fmt(
			&r->arena, "%.*s%.*s%.*s", (int)out.n, out.p, (int)(at - rest.p), rest.p, (int)name.n, name.p);
	return gh_str_fmt(&r->arena, "%.*s%.*s", (int)out.n, out.p, (int)rest.n, rest.p);
}

/* A key with all its values, where it stands first. */
static void put_hint(const struct report *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (gh_str_eq(r->hint[k].key, r->hint[i].key))
			return;
	fputs("  ", stdout);
	put(r->hint[i].key);
	for (size_t k = i; k < r->n_hints; k++)
		if (gh_str_eq(r->hint[k].key, r->hint[i].key)) {
			fputs(k == i ? ": " : ", ", stdout);
			put(r->hint[k].value);
		}
	putchar('\n');
}

/* The APK inspector asks for every archive; that is worth a word only of an app. */
static bool told(const struct report *r, const struct gh_inspector *i)
{
	return i->wants(&r->probe) && (r->apk || r->apex || strcmp(i->name, "apk") != 0);
}

static void text(
	struct report *r, const struct gh_format *const *formats, size_t n, bool inspected, const struct gh_guess *g)
{
	struct gh_str size = gh_size(&r->arena, (int64_t)r->src->size);
	put(gh_str(r->file));
	fputs(": ", stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i ? "; also " : "", formats[i]->title);
	if (r->apk || r->apex)
		fputs(r->apk ? ", an Android app (APK)" : ", a system module (APEX)", stdout);
	bool any = n > 0;
	for (size_t i = 0; i < gh_n_inspectors; i++)
		if (told(r, gh_inspectors[i])) {
			printf("%s%s", any ? "; " : "", gh_inspectors[i]->title);
			any = true;
		}
	if (!any)
		printf("not read here; %s %s", g->weak ? "its bytes are like" : "it begins like", g->what);
	printf(", %.*s (%llu bytes)\n", (int)size.n, size.p, (unsigned long long)r->src->size);
	if (r->inner.n) {
		fputs("  packed in it: ", stdout);
		put(r->inner);
		putchar('\n');
	}
	if (r->n_children) {
		printf("  inside: %s%llu: ", r->more ? "more than " : "", (unsigned long long)r->n_children);
		for (uint64_t i = 0; i < gh_min(r->n_children, NAMES_SHOWN); i++) {
			fputs(i ? ", " : "", stdout);
			put(r->name[i]);
		}
		puts(r->n_children > NAMES_SHOWN ? ", …" : "");
	}
	for (size_t i = 0; i < r->n_hints; i++)
		put_hint(r, i);
	for (size_t i = 0; i < r->n_notes; i++)
		printf("  %s at offset %llu: %s\n", gh_code_word(r->note[i].code), (unsigned long long)r->note[i].at,
			r->note[i].what);
	if (r->cut)
		puts("  bytes are missing: it is cut off, or a part of several");
	if (!any || r->cut || r->n_notes) {
		if (r->probe.head_len)
			hex_line("first bytes", r->probe.head, gh_min(r->probe.head_len, 16));
		if (r->probe.tail_len)
			hex_line("last bytes", r->probe.tail + r->probe.tail_len - gh_min(r->probe.tail_len, 16),
				gh_min(r->probe.tail_len, 16));
		printf("  entropy of both ends: %.2f bits a byte; size %s of 4096\n", gh_guess_entropy(&r->probe),
			r->src->size % 4096 ? "no multiple" : "a multiple");
		if (!any && g->at)
			printf("  known by the bytes at offset %llu\n", (unsigned long long)g->at);
	}
	fputs("  next: ", stdout);
	put(next_step(r, n ? formats[0] : NULL, g, inspected));
	putchar('\n');
}

static void json(
	struct report *r, const struct gh_format *const *formats, size_t n, bool inspected, const struct gh_guess *g)
{
	putchar('{');
	gh_json_name(stdout, "file", gh_str(r->file));
	printf(",\"size\":%llu,\"formats\":[", (unsigned long long)r->src->size);
	for (size_t i = 0; i < n; i++)
		printf("%s\"%s\"", i ? "," : "", formats[i]->name);
	fputs("],\"inspectors\":[", stdout);
	for (size_t i = 0, k = 0; i < gh_n_inspectors; i++)
		if (told(r, gh_inspectors[i]))
			printf("%s\"%s\"", k++ ? "," : "", gh_inspectors[i]->name);
	printf("],\"known\":%s,\"guess\":", n || inspected ? "true" : "false");
	gh_json_put(stdout, gh_str(g->what));
	printf(",\"guess_is_weak\":%s,\"guess_at\":%llu", g->weak ? "true" : "false", (unsigned long long)g->at);
	if (r->inner.n) {
		fputs(",\"packed\":", stdout);
		gh_json_put(stdout, r->inner);
	}
	printf(",\"children\":%llu,\"more\":%s,\"names\":[", (unsigned long long)r->n_children,
		r->more ? "true" : "false");
	for (uint64_t i = 0; i < gh_min(r->n_children, NAMES_SHOWN); i++) {
		fputs(i ? "," : "", stdout);
		gh_json_put(stdout, r->name[i]);
	}
	fputs("],\"hints\":[", stdout);
	for (size_t i = 0; i < r->n_hints; i++) {
		fputs(i ? ",[" : "[", stdout);
		gh_json_put(stdout, r->hint[i].key);
		putchar(',');
		gh_json_put(stdout, r->hint[i].value);
		putchar(']');
	}
	fputs("],\"notes\":[", stdout);
	for (size_t i = 0; i < r->n_notes; i++) {
		printf("%s{\"code\":\"%s\",\"at\":%llu,\"what\":", i ? "," : "", gh_code_word(r->note[i].code),
			(unsigned long long)r->note[i].at);
		gh_json_put(stdout, gh_str(r->note[i].what));
		putchar('}');
	}
	struct gh_str head = gh_hex(&r->arena, r->probe.head, gh_min(r->probe.head_len, 16));
	printf("],\"cut\":%s,\"head\":\"%.*s\",\"entropy\":%.2f,\"next\":", r->cut ? "true" : "false", (int)head.n,
		head.p, gh_guess_entropy(&r->probe));
	gh_json_put(stdout, next_step(r, n ? formats[0] : NULL, g, inspected));
	puts("}");
}

/* ---- a file ---- */

static int by_bid(const struct gh_probe *p, const struct gh_format **list, size_t max)
{
	int n = 0;
	for (int want = GH_BID_PROVEN; want >= GH_BID_SHAPE; want--)
		for (size_t i = 0; i < gh_n_formats && n < (int)max; i++)
			if (gh_formats[i]->bid(p) == (enum gh_bid)want && (want > GH_BID_SHAPE || !n))
				list[n++] = gh_formats[i];
	return n;
}

static int look(int fd, const char *file, uint64_t size, bool as_json)
{
	static const struct gh_ctx_ops ops = {emit, note};
	static struct report r;
	const struct gh_format *formats[4];
	struct gh_err err = {0};
	setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
	gh_jail_enter();
	gh_arena_init(&r.arena, 256u << 20);
	r.budget = (struct gh_budget){256ull << 20, STEPS, NULL};
	r.ctx = (struct gh_ctx){&r.arena, &r.budget, &ops};
	r.file = file;
	r.src = gh_source_file(&r.arena, fd, size);
	if (!r.src || gh_probe_make(r.src, gh_str_base(gh_str(file)), &r.arena, &r.probe, &err)) {
		gh_complain("%s: %s", file, err.what);
		return GH_EXIT_USAGE;
	}
	int n = by_bid(&r.probe, formats, GH_COUNT(formats));
	bool inspected = false;
	if (n)
		structure(&r, formats[0]);
	for (size_t i = 0; i < gh_n_inspectors; i++)
		if (gh_inspectors[i]->wants(&r.probe)) {
			inspected = true;
			inspect(&r, gh_inspectors[i]);
		}
	struct gh_guess g = gh_guess(&r.probe);
	(as_json ? json : text)(&r, formats, (size_t)n, inspected, &g);
	int code = r.cut || r.n_notes ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
	return gh_stdout_done() ? code : GH_EXIT_USAGE;
}

static int identify(const char *file, bool as_json)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		gh_complain("%s: %s; name a file", file, strerror(errno));
		if (fd >= 0)
			close(fd);
		return GH_EXIT_USAGE;
	}
	if (S_ISDIR(st.st_mode)) {
		printf("%s: a folder\n  next: gifthorse scan %s, if a phone was unpacked into it\n", file, file);
		close(fd);
		return GH_EXIT_OK;
	}
	off_t size = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? lseek(fd, 0, SEEK_END) : -1;
	if (size < 0) {
		gh_complain("%s is a stream: save it to a file first, or scan it: gifthorse scan - < %s", file, file);
		close(fd);
		return GH_EXIT_USAGE;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(look(fd, file, (uint64_t)size, as_json));
	close(fd);
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return GH_EXIT_USAGE;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGPIPE)
		raise(SIGPIPE);
	gh_complain("%s: the reader stopped (signal %d) on this file", file, WTERMSIG(status));
	return GH_EXIT_INCOMPLETE;
}

int gh_cmd_identify(int argc, char **argv)
{
	static const struct gh_option options[] = {{"--json", NULL, NULL, "a JSON object a file"}};
	struct gh_args args = {.argc = argc,
		.argv = argv,
		.i = 1,
		.options = options,
		.n_options = GH_COUNT(options),
		.usage = "identify FILE...",
		.about = "Looks at the beginning, the end and one level of structure, whatever the size.\n"
			 "Exit codes: 0 told; 2 wrong use, or a file cannot be read; 3 one is cut off or damaged.\n"};
	const char *value;
	bool as_json = false, any = false;
	int worst = GH_EXIT_OK;
	for (int pass = 0; pass < 2; pass++) {
		args.i = 1;
		args.only_inputs = false;
		for (int o; (o = gh_args_next(&args, &value)) != -2;) {
			if (o == -3)
				return GH_EXIT_OK;
			if (o == -4)
				return GH_EXIT_USAGE;
			as_json |= o == 0;
			if (o != -1 || !pass)
				continue;
			any = true;
			int code = identify(value, as_json);
			if (code && worst != GH_EXIT_USAGE)
				worst = code;
		}
	}
	if (!any) {
		gh_complain("name what to identify: gifthorse identify FILE...");
		return GH_EXIT_USAGE;
	}
	return worst;
}
