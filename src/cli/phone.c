/* SPDX-License-Identifier: Apache-2.0 */
/* gifthorse phone: gets out of a phone what it gives without root, then scans it, and compares it with a published build. */
#include "cli/phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "compare/compare.h"
#include "facts/import.h"

enum option {
	O_SERIAL,
	O_PULL,
	O_REFERENCE,
	O_FORMAT,
	O_DB,
	O_JOBS,
	O_FAIL_ON,
	O_SPILL_DIR,
	O_PROGRESS,
	O_COLOR,
	O_REDACT,
	O_WAIT,
	O_WAY,
	O_ONLY_PULL,
	O_GUIDE,
	O_COMMANDS
};

static const struct gh_option options[] = {
	{"--serial", NULL, "SERIAL", "which phone, where several are connected"},
	{"--pull", NULL, "DIR", "keep what comes in this folder; the same folder again goes on where it stopped"},
	{"--reference", NULL, "ROM",
		"the published build (or its FACTS.db): compared with; what it has is not pulled again"},
	{"--format", "-f", "FORM[=FILE]", "text, json or html; with =FILE into a file; may be given several times"},
	{"--db", NULL, "FACTS.db", "keep the facts here (a SQLite file); an existing one is continued"},
	{"--jobs", NULL, "N", "workers; as many as processors when not given"},
	{"--fail-on", NULL, "LEVEL", "exit code 1 from this severity on: critical high medium low info never (high)"},
	{"--spill-dir", NULL, "DIR", "where packed streams are unpacked while they are read ($TMPDIR, else /var/tmp)"},
	{"--progress", NULL, "HOW", "auto, bar, plain or none"},
	{"--color", NULL, "WHEN", "auto, always or never (also NO_COLOR)"},
	{"--redact", NULL, NULL,
		"for sharing: serials, IMEI, SSIDs, accounts, MACs, names of inputs are replaced in reports"},
	{"--wait", NULL, "SECONDS", "how long to wait for the phone, and for the tap on \"Allow\" (120)"},
	{"--way", NULL, "HOW", "auto, server, usb (no adb server), or tcp:PORT (an adbd on this machine: an emulator)"},
	{"--only-pull", NULL, NULL, "no scan afterwards"},
	{"--guide", NULL, NULL, "the first hour with a phone that somebody gave you"},
	{"--commands", NULL, NULL, "every command that a phone is asked"},
};

static const char about[] = "Nothing is installed on the phone and nothing is changed on it; nothing leaves this "
			    "machine. Without --pull the folder is called\n"
			    "  phone-SERIAL, in the folder you are in. Ctrl-C keeps what came.\n";

struct phone {
	struct gh_reach reach;
	const char *dir;
	char own_dir[GH_SERIAL_MAX + 16];
	const char *reference;
	bool only_pull;
	struct gh_scan scan;
	struct gh_known_contents *known;
	struct gh_reference contents;
	int64_t reference_scan;
};

/* What the process that talks to the phone tells the one that does not. */
struct shared {
	enum gh_code code;
	struct gh_err err;
	struct gh_pull_sum sum;
	char serial[GH_SERIAL_MAX];
	char dir[4096];
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* ---- arguments ---- */

static bool set_way(struct gh_reach *r, const char *value)
{
	static const char *const words[] = {"auto", "server", "usb"};
	uint64_t port;
	for (int i = 0; i < 3; i++)
		if (strcmp(value, words[i]) == 0) {
			r->way = (enum gh_way)i;
			return true;
		}
	if (strncmp(value, "tcp:", 4) == 0 && gh_str_u64(gh_str(value + 4), 10, &port) && port && port <= 0xffff) {
		r->way = GH_WAY_TCP;
		r->port = (uint16_t)port;
		return true;
	}
	gh_complain("--way takes auto, server, usb or tcp:PORT, not %s", value);
	return false;
}

static bool set(struct phone *p, enum option o, const char *value)
{
	uint64_t n = 0;
	struct gh_scan *s = &p->scan;
	switch (o) {
	case O_SERIAL:
		p->reach.serial = value;
		return strlen(value) < GH_SERIAL_MAX;
	case O_PULL:
		p->dir = value;
		return true;
	case O_REFERENCE:
		p->reference = value;
		return gh_input_readable(value);
	case O_FORMAT:
		return gh_outputs_add(&s->out, value);
	case O_DB:
		s->db_path = value;
		return true;
	case O_JOBS:
		if (!gh_number_option(value, 1, 64, &n, "--jobs"))
			return false;
		s->config.jobs = (unsigned)n;
		return true;
	case O_FAIL_ON:
		return gh_outputs_fail_on(&s->out, value);
	case O_SPILL_DIR:
		s->config.spill_dir = value;
		return true;
	case O_PROGRESS:
		return gh_progress_choose(&s->progress, value);
	case O_COLOR:
		return gh_outputs_color(&s->out, value);
	case O_REDACT:
		return s->out.redact = true;
	case O_WAIT:
		return gh_number_option(value, 0, 3600, &p->reach.wait, "--wait");
	case O_WAY:
		return set_way(&p->reach, value);
	case O_ONLY_PULL:
		return p->only_pull = true;
	case O_GUIDE:
	case O_COMMANDS:
		break;
	}
	return false;
}

/* 0 to go on, else an exit code plus 1. */
static int parse(struct phone *p, int argc, char **argv)
{
	struct gh_args args = {argc, argv, 1, options, GH_COUNT(options), "phone [options]", false, about};
	const char *value;
	for (int o; (o = gh_args_next(&args, &value)) != -2;) {
		if (o == -3)
			return 1 + GH_EXIT_OK;
		if (o == O_GUIDE || o == O_COMMANDS) {
			if (o == O_GUIDE)
				fputs(gh_phone_guide, stdout);
			else
				gh_phone_commands();
			return 1 + (gh_stdout_done() ? GH_EXIT_OK : GH_EXIT_USAGE);
		}
		if (o == -1)
			gh_complain("phone takes no INPUT, and %s is one; gifthorse scan %s looks at what was pulled",
				value, value);
		if (o == -4 || o == -1 || !set(p, (enum option)o, value))
			return 1 + GH_EXIT_USAGE;
	}
	const char *inputs[] = {p->reference, p->dir};
	bool ok = gh_outputs_check(&p->scan.out, p->scan.db_path, inputs + !p->reference,
		(size_t)(p->reference != NULL) + (p->dir != NULL && p->reference != NULL));
	return ok ? 0 : 1 + GH_EXIT_USAGE;
}

/* ---- talking to the phone, in a process of its own ---- */

static void on_progress(void *to, const char *what, uint64_t done, uint64_t all, uint64_t bytes)
{
	(void)bytes;
	gh_progress_show(&((struct phone *)to)->scan.progress, what, done, all);
}

/* A folder named after the phone: of its serial only what is no danger in a name. */
static void name_dir(struct phone *p)
{
	size_t n = (size_t)snprintf(p->own_dir, sizeof p->own_dir, "phone-");
	for (const char *s = p->reach.phone.serial; *s && n + 1 < sizeof p->own_dir; s++)
		p->own_dir[n++] =
			(*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ? *s : '-';
	p->own_dir[n] = 0;
	p->dir = p->own_dir;
}

static bool again(void *to, struct gh_phone *phone)
{
	return gh_reach_again(&((struct phone *)to)->reach, phone);
}

static void talk(struct phone *p, struct shared *shared)
{
	struct sigaction stop = {.sa_handler = on_signal};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	p->reach.stop = &stopped;
	shared->code = gh_reach(&p->reach, &shared->err);
	if (shared->code)
		return;
	if (!p->dir)
		name_dir(p);
	snprintf(shared->dir, sizeof shared->dir, "%s", p->dir);
	memcpy(shared->serial, p->reach.phone.serial, sizeof shared->serial);
	struct gh_pull pull = {.dir = p->dir,
		.way = p->reach.words,
		.reference = p->known ? &p->contents : NULL,
		.progress = on_progress,
		.to = p,
		.again = again};
	shared->code = gh_pull(&pull, &p->reach.phone, &shared->sum, &shared->err);
	gh_progress_end(&p->scan.progress);
	gh_reach_done(&p->reach);
}

static void tell(const struct shared *s)
{
	const struct gh_pull_sum *sum = &s->sum;
	char serial[4 * GH_SERIAL_MAX];
	gh_escape(serial, sizeof serial, gh_str(s->serial));
	fprintf(stderr,
		"%s: %llu commands answered, %llu refused; %llu files pulled (%llu bytes), %llu hashed on the phone "
		"(%llu bytes), "
		"%llu paths denied, %llu not tried or cut off, of %llu paths\n",
		serial, (unsigned long long)sum->answered, (unsigned long long)sum->refused,
		(unsigned long long)sum->pulled, (unsigned long long)sum->bytes, (unsigned long long)sum->hashed,
		(unsigned long long)sum->hashed_bytes, (unsigned long long)sum->denied, (unsigned long long)sum->left,
		(unsigned long long)sum->files);
	if (sum->strange || sum->full)
		fprintf(stderr, "%s: %llu names that no file can have were left out%s\n", serial,
			(unsigned long long)sum->strange, sum->full ? "; its lists had no end and were cut" : "");
	if (s->code)
		fprintf(stderr, "What came is kept in %s; gifthorse phone --pull %s goes on from there.\n", s->dir,
			s->dir);
}

/* GH_OK, GH_END, or what went wrong (told). */
static enum gh_code pull(struct phone *p, struct shared *shared)
{
	fflush(NULL);
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	sigaction(SIGINT, &ignore, &before);
	pid_t pid = fork();
	if (pid == 0) {
		talk(p, shared);
		fflush(NULL);
		_exit(0);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	sigaction(SIGINT, &before, NULL);
	if (pid < 0 || status != 0) {
		gh_complain("the process that talked to the phone ended by itself; what came is kept");
		return GH_IO;
	}
	if (shared->dir[0])
		tell(shared);
	if (shared->code && shared->code != GH_END)
		gh_complain("%s", shared->err.what);
	return shared->code;
}

/* ---- looking at what came ---- */

static bool is_facts(const char *path)
{
	char head[16] = "";
	FILE *f = fopen(path, "re");
	bool yes = f && fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, "SQLite format 3", 16) == 0;
	if (f)
		fclose(f);
	return yes;
}

static enum gh_code look(struct gh_scan *s, const char *input, struct gh_err *err)
{
	s->inputs[0] = input;
	s->n_inputs = 1;
	enum gh_code code = gh_scan_look(s, err);
	if (code && code != GH_END)
		return code;
	if (gh_scan_judge(s, err) || gh_db_end(s->db, code ? "interrupted" : "complete", err))
		return err->code;
	return code;
}

static enum gh_code load_reference(struct phone *p, struct gh_err *err)
{
	struct gh_scan *s = &p->scan;
	bool facts = is_facts(p->reference);
	enum gh_code code = GH_OK;
	if (facts) {
		int64_t scan;
		struct gh_db *from = gh_facts_open(p->reference, 0, &scan, err);
		code = from ? gh_db_import(s->db, from, scan, &p->reference_scan, err) : err->code;
		gh_db_close(from);
	}
	if (code == GH_OK)
		code = gh_scan_known(s, err);
	if (code == GH_OK && !facts) {
		fprintf(stderr, "gifthorse: looking at %s first\n", p->reference);
		code = look(s, p->reference, err);
		p->reference_scan = s->id;
	}
	if (code == GH_OK && !(p->known = gh_known_load(s->db, p->reference_scan, &p->contents, err)))
		code = err->code;
	return code;
}

/* "N of M", and what differs, on the screen behind the report. */
static int compared(struct phone *p, struct gh_err *err)
{
	struct gh_comparison c;
	struct gh_compare_style style = {.color = p->scan.out.color > 0, .width = 0, .fail_on = "any"};
	int exit_code = GH_EXIT_USAGE;
	if (gh_compare(&c, p->scan.db, p->reference_scan, p->scan.id, err) == GH_OK) {
		fputc('\n', stdout);
		gh_compare_text(&c, &style, stdout);
		exit_code = gh_compare_found(&c, GH_ON_ANY) ? GH_EXIT_FINDINGS
			    : gh_compare_incomplete(&c)     ? GH_EXIT_INCOMPLETE
							    : GH_EXIT_OK;
	}
	gh_compare_done(&c);
	return gh_stdout_done() ? exit_code : GH_EXIT_USAGE;
}

static int worse(int a, int b)
{
	static const int order[] = {GH_EXIT_INTERRUPTED, GH_EXIT_USAGE, GH_EXIT_FINDINGS, GH_EXIT_INCOMPLETE};
	for (size_t i = 0; i < GH_COUNT(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return GH_EXIT_OK;
}

static int report(struct phone *p, const struct shared *shared, struct gh_err *err)
{
	struct gh_scan *s = &p->scan;
	enum gh_code code = p->reference ? GH_OK : gh_scan_known(s, err);
	if (code == GH_OK)
		code = look(s, shared->dir, err);
	if (code && code != GH_END)
		return GH_EXIT_USAGE;
	gh_engine_free(s->engine);
	s->engine = NULL;
	int exit_code = gh_outputs_write(&s->out, s->db, s->id, s->db_path, err);
	if (code == GH_END)
		return GH_EXIT_INTERRUPTED;
	return p->reference ? worse(exit_code, compared(p, err)) : exit_code;
}

static int run(struct phone *p, struct gh_err *err)
{
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return GH_EXIT_USAGE;
	enum gh_code code = GH_OK;
	if (!p->only_pull || p->reference)
		code = gh_scan_start(&p->scan, err);
	if (code == GH_OK && p->reference)
		code = load_reference(p, err);
	if (code)
		return code == GH_END ? GH_EXIT_INTERRUPTED : GH_EXIT_USAGE;
	code = pull(p, shared);
	if (code == GH_END)
		return GH_EXIT_INTERRUPTED;
	if (code || p->only_pull)
		return code ? GH_EXIT_USAGE : GH_EXIT_OK;
	return report(p, shared, err);
}

int gh_cmd_phone(int argc, char **argv)
{
	static struct phone p = {.reach.wait = 120};
	struct gh_err err = {0};
	gh_outputs_init(&p.scan.out);
	int early = parse(&p, argc, argv);
	if (early)
		return early - 1;
	int exit_code = run(&p, &err);
	if (exit_code == GH_EXIT_USAGE && err.code)
		gh_complain("%s", err.what);
	gh_engine_free(p.scan.engine);
	gh_db_close(p.scan.db);
	gh_known_free(p.known);
	return exit_code;
}
