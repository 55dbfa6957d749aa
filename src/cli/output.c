/* SPDX-License-Identifier: Apache-2.0 */
/* Writing reports, and progress on standard error. */
#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"

static const char *const levels[] = {"critical", "high", "medium", "low", "info", "never"};
static const char *const forms[] = {"text", "json", "html", "integrity"};

void gh_outputs_init(struct gh_outputs *out)
{
	*out = (struct gh_outputs){.fail_on = "high", .color = -1};
}

bool gh_outputs_add(struct gh_outputs *out, const char *value)
{
	size_t n = strcspn(value, "=");
	for (size_t i = 0; i < GH_COUNT(forms); i++)
		if (strlen(forms[i]) == n && strncmp(value, forms[i], n) == 0 && out->n < GH_OUTPUTS_MAX) {
			out->list[out->n].form = forms[i];
			out->list[out->n++].file = value[n] && strcmp(value + n + 1, "-") ? value + n + 1 : NULL;
			return true;
		}
	gh_complain("-f takes text, integrity, json=FILE or html=FILE, not %s", value);
	return false;
}

bool gh_outputs_fail_on(struct gh_outputs *out, const char *value)
{
	for (size_t i = 0; i < GH_COUNT(levels); i++)
		if (strcmp(value, levels[i]) == 0) {
			out->fail_on = levels[i];
			return true;
		}
	gh_complain("--fail-on takes critical, high, medium, low, info or never, not %s", value);
	return false;
}

bool gh_outputs_color(struct gh_outputs *out, const char *value)
{
	static const char *const words[] = {"never", "always", "auto"};
	for (int i = 0; i < 3; i++)
		if (strcmp(value, words[i]) == 0) {
			out->color = i == 2 ? -1 : i;
			return true;
		}
	gh_complain("--color takes auto, always or never, not %s", value);
	return false;
}

static bool colored(const struct gh_outputs *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	if (out->color >= 0)
		return out->color;
	return isatty(1) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static enum gh_code write_form(const char *form, struct gh_db *db, int64_t scan, const struct gh_report_style *style,
	FILE *to, struct gh_err *err)
{
	if (strcmp(form, "json") == 0)
		return gh_report_json(db, scan, style, to, err);
	if (strcmp(form, "html") == 0)
		return gh_report_html(db, scan, style, to, err);
	if (strcmp(form, "integrity") == 0)
		return gh_report_integrity(db, scan, style, to, err);
	return gh_report_text(db, scan, style, to, err);
}

/* A reader never sees half a report: a file gets its name when it is whole. What is there and is no file (a pipe, a device) is
 * written into, since giving its name to a file would take its place. */
static enum gh_code write_file(const char *form, const char *file, struct gh_db *db, int64_t scan,
	struct gh_report_style style, struct gh_err *err)
{
	char temporary[4096];
	struct stat st;
	bool in_place = stat(file, &st) == 0 && !S_ISREG(st.st_mode);
	if ((size_t)snprintf(temporary, sizeof temporary, "%s%s", file, in_place ? "" : ".part") >= sizeof temporary)
		return gh_fail(err, GH_IO, 0, "the name of the report is too long");
	FILE *to = fopen(temporary, "w");
	if (!to)
		return gh_fail(err, GH_IO, 0, "%s: %s", temporary, strerror(errno));
	style.color = false;
	style.width = 0;
	enum gh_code code = write_form(form, db, scan, &style, to, err);
	bool bad = ferror(to);
	if ((fclose(to) || bad || (code == GH_OK && !in_place && rename(temporary, file))) && code == GH_OK)
		code = gh_fail(err, GH_IO, 0, "%s: %s", file, strerror(errno));
	if (code && !in_place)
		unlink(temporary);
	return code;
}

/* Whoever read standard output has seen enough (head): no fault of the report. */
static bool gone(const char *file)
{
	struct pollfd p = {.fd = 1, .events = POLLOUT};
	return !file && poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

/* Is the file one of the inputs, or would it lie in one that is a folder? */
static const char *input_over(const char *file, const char *const *inputs, size_t n)
{
	char folder[PATH_MAX], real[PATH_MAX], root[PATH_MAX];
	struct stat st, in;
	bool there = stat(file, &st) == 0;
	const char *slash = strrchr(file, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
	bool known = realpath(folder, real) != NULL;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(inputs[i], "-") || stat(inputs[i], &in))
			continue;
		if (there && st.st_dev == in.st_dev && st.st_ino == in.st_ino)
			return inputs[i];
		size_t len = S_ISDIR(in.st_mode) && known && realpath(inputs[i], root) ? strlen(root) : 0;
		if (len && strncmp(real, root, len) == 0 && (!real[len] || real[len] == '/'))
			return inputs[i];
	}
	return NULL;
}

static bool can_write(const char *file)
{
	char folder[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(file, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
	if (!*file) {
		gh_complain("a file name is missing behind the =");
	} else if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
		gh_complain("%s is a folder; name a file in it: %s/%s", file, file, "report.html");
	} else if (stat(folder, &st) && errno == ENOENT) {
		gh_complain("%s cannot be written: there is no folder %s; make it first (mkdir -p %s)", file, folder,
			folder);
	} else if (access(folder, W_OK) && access(file, W_OK)) {
		gh_complain("%s cannot be written: %s; name a file where you may write", file, strerror(errno));
	} else {
		return true;
	}
	return false;
}

static bool checked(const char *file, const char *const *inputs, size_t n_inputs)
{
	const char *over = input_over(file, inputs, n_inputs);
	if (over)
		gh_complain("%s would be written over the input %s, or into it; name another file", file, over);
	return !over && can_write(file);
}

/* Words for a person; on a screen one may follow the other. */
static bool is_words(const char *form)
{
	return strcmp(form, "text") == 0 || strcmp(form, "integrity") == 0;
}

static bool collide(const struct gh_output *a, const struct gh_output *b)
{
	if (a->file && b->file)
		return strcmp(a->file, b->file) == 0;
	return !a->file && !b->file && (a->form == b->form || !is_words(a->form) || !is_words(b->form));
}

bool gh_outputs_check(const struct gh_outputs *out, const char *db, const char *const *inputs, size_t n_inputs)
{
	if (db && *db && !checked(db, inputs, n_inputs))
		return false;
	for (size_t i = 0; i < out->n; i++) {
		const char *file = out->list[i].file;
		if (file && !checked(file, inputs, n_inputs))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (collide(&out->list[i], &out->list[k])) {
				gh_complain(
					"-f %s and -f %s go to the same place; give one of them another: -f %s=FILE",
					out->list[k].form, out->list[i].form, out->list[i].form);
				return false;
			}
		}
		if (file && db && strcmp(file, db) == 0) {
			gh_complain("%s is named for a report and for the facts; name another file", file);
			return false;
		}
	}
	return true;
}

/* A report into files alone would leave the screen empty, and the exit code unexplained. */
static void add_screen(struct gh_outputs *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (!out->list[i].file || strcmp(out->list[i].file, "/dev/stdout") == 0)
			return;
	if (out->n < GH_OUTPUTS_MAX)
		gh_outputs_add(out, "text");
}

int gh_outputs_write(struct gh_outputs *out, struct gh_db *db, int64_t scan, const char *db_path, struct gh_err *err)
{
	add_screen(out);
	struct winsize ws = {0};
	struct gh_report_style style = {.color = colored(out),
		.fail_on = out->fail_on,
		.db = out->redact ? NULL : db_path,
		.redact = out->redact};
	if (isatty(1) && ioctl(1, TIOCGWINSZ, &ws) == 0)
		style.width = ws.ws_col;
	for (size_t i = 0; i < out->n; i++)
		if (strcmp(out->list[i].form, "html") == 0)
			style.html = out->list[i].file;
	for (size_t i = 0; i < out->n; i++) {
		enum gh_code code = out->list[i].file
					    ? write_file(out->list[i].form, out->list[i].file, db, scan, style, err)
					    : write_form(out->list[i].form, db, scan, &style, stdout, err);
		if (code && !gone(out->list[i].file))
			return GH_EXIT_USAGE;
	}
	if ((fflush(stdout) || ferror(stdout)) && !gone(NULL)) {
		gh_fail(err, GH_IO, 0, "standard output: %s", strerror(errno));
		return GH_EXIT_USAGE;
	}
	bool findings, incomplete;
	if (gh_report_outcome(db, scan, out->fail_on, &findings, &incomplete, err))
		return GH_EXIT_USAGE;
	return findings ? GH_EXIT_FINDINGS : incomplete ? GH_EXIT_INCOMPLETE : GH_EXIT_OK;
}

/* ---- progress ---- */

bool gh_progress_choose(struct gh_progress *p, const char *value)
{
	static const char *const words[] = {"auto", "bar", "plain", "none"};
	for (int i = 0; i < 4; i++)
		if (strcmp(value, words[i]) == 0) {
			p->how = i;
			return true;
		}
	gh_complain("--progress takes auto, bar, plain or none, not %s", value);
	return false;
}

void gh_progress_show(struct gh_progress *p, const char *what, uint64_t done, uint64_t known)
{
	enum { BAR = 1, PLAIN = 2, NONE = 3 };
	const char *term = getenv("TERM");
	int how = p->how ? p->how : isatty(2) && term && strcmp(term, "dumb") ? BAR : NONE;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (how == NONE || (how == PLAIN && p->last && t.tv_sec - p->last < 30))
		return;
	p->last = t.tv_sec;
	if (how == PLAIN) {
		fprintf(stderr, known ? "gifthorse: %s, %llu of %llu parts\n" : "gifthorse: %s\n", what,
			(unsigned long long)done, (unsigned long long)known);
		return;
	}
	char bar[31] = {0};
	int full = known ? (int)(done * 30 / known) : 0;
	for (int i = 0; i < 30; i++)
		bar[i] = i < full ? '#' : '.';
	if (!known) {
		fprintf(stderr, "\r\033[K%s", what);
		fflush(stderr);
		p->shown = true;
		return;
	}
	fprintf(stderr, "\r%s [%s] %llu of %llu parts ", what, bar, (unsigned long long)done,
		(unsigned long long)known);
	fflush(stderr);
	p->shown = true;
}

void gh_progress_end(struct gh_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
