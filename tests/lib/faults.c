/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on demand, in builds with the option `faults` only. GH_FAULT=PLUGIN:KIND[:NAMEGLOB[:STEP]] makes a plug-in fail where
 * it is about to work: STEP is open, next, read or pour for a format (default: open), inspect for an inspector. */
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/shared.h"

static char plugin[32], kind[16], glob[128], step[16];

/* Without sanitizers, which would tell a bad pointer before it is used: the jail then ends the worker as it writes its report. */
__attribute__((no_sanitize("address", "undefined"))) static void f_crash(struct gh_look *look)
{
	(void)look;
	volatile int *volatile nowhere = NULL;
	*nowhere = 1;
}

static void f_abort(struct gh_look *look)
{
	(void)look;
	abort();
}

static void f_hang(struct gh_look *look)
{
	for (volatile int on = 1; on;)
		(void)look;
}

static void f_memory(struct gh_look *look)
{
	for (size_t n = 1 << 20; n; n /= 2)
		while (gh_alloc_raw(&look->arena, n))
			;
}

/* Each of these must not come back. */
static void f_exec(struct gh_look *look)
{
	(void)look;
	execl("/bin/true", "true", (char *)NULL);
}

static void f_open(struct gh_look *look)
{
	(void)look;
	if (open("/etc/hostname", O_RDONLY) < 0)
		return;
}

static void f_socket(struct gh_look *look)
{
	(void)look;
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		return;
}

static void f_fork(struct gh_look *look)
{
	(void)look;
	if (fork() == 0)
		_exit(0);
}

static void f_signal(struct gh_look *look)
{
	(void)look;
	kill(getppid(), 0);
}

static unsigned deeper(volatile unsigned *n)
{
	volatile unsigned m[256] = {*n + 1};
	return m[0] ? deeper(m) + m[0] : 0;
}

static void f_deep(struct gh_look *look)
{
	volatile unsigned n = 0;
	(void)look;
	deeper(&n);
}

static const struct {
	const char *kind;
	void (*run)(struct gh_look *look);
} kinds[] = {{"crash", f_crash}, {"abort", f_abort}, {"hang", f_hang}, {"memory", f_memory}, {"exec", f_exec},
	{"open", f_open}, {"socket", f_socket}, {"fork", f_fork}, {"signal", f_signal}, {"deep", f_deep}};

static void fault(struct gh_look *look, const char *who, const char *where, struct gh_str name)
{
	char text[256];
	snprintf(text, sizeof text, "%.*s", (int)name.n, name.p ? name.p : "");
	bool here = *step ? strcmp(step, where) == 0 : strcmp(where, "open") == 0 || strcmp(where, "inspect") == 0;
	if (!here || strcmp(who, plugin) || (*glob && fnmatch(glob, text, 0)))
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			kinds[i].run(look);
}

gh_fault_fn *gh_fault_wanted(void)
{
	const char *text = getenv("GH_FAULT");
	if (!text || sscanf(text, "%31[^:]:%15[^:]:%127[^:]:%15s", plugin, kind, glob, step) < 2)
		return NULL;
	return fault;
}
