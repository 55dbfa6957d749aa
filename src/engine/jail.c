/* SPDX-License-Identifier: Apache-2.0 */
/* The jail: Linux no_new_privs, Landlock (kernel 5.13 on), seccomp through libseccomp. */
#include "engine/jail.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

/* Every right that this kernel's Landlock knows is handled, and none is granted. */
static bool landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return false;
	/* Rights by ABI: 13 in the first, then refer, truncate, (network, not needed: seccomp), device control. */
	static const unsigned bits[] = {0, 13, 14, 15, 15, 16};
	uint64_t rights = (1ull << bits[abi < 5 ? abi : 5]) - 1;
	struct landlock_ruleset_attr attr = {.handled_access_fs = rights};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (fd < 0)
		return false;
	bool ok = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return ok;
}

/* Reading handed-over descriptors, the channel, memory, time, the end. tests/engine/test_jail.py compares with what a scan
 * really calls. */
static const int calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(recvmsg),
	SCMP_SYS(close),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),
#ifdef GH_SANITIZED
	/* The sanitizer's own reports. */
	SCMP_SYS(sigaltstack),
	SCMP_SYS(prctl),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(sched_getaffinity),
#endif
};

static bool allow(scmp_filter_ctx f)
{
	for (size_t i = 0; i < GH_COUNT(calls); i++) {
		int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
		if (rc && rc != -EDOM)
			return false;
	}
	/* abort() sends a signal; to nobody but itself. */
	if (seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())))
		return false;
	/* Anonymous memory that is not executable; protections without PROT_EXEC. */
	return !seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0)) &&
	       !seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
}

static bool seccomp(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return false;
	bool ok = allow(f) && seccomp_load(f) == 0;
	seccomp_release(f);
	return ok;
}

int gh_jail_enter(void)
{
	int walls = 0;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 0;
	if (landlock())
		walls |= GH_JAIL_LANDLOCK;
	if (seccomp())
		walls |= GH_JAIL_SECCOMP;
	return walls;
}

const char *gh_jail_words(int walls)
{
	switch (walls) {
	case GH_JAIL_FULL:
		return "seccomp and Landlock";
	case GH_JAIL_SECCOMP:
		return "seccomp only (no Landlock in this kernel)";
	case GH_JAIL_LANDLOCK:
		return "Landlock only (no seccomp in this kernel)";
	default:
		return "NOT LOCKED IN (this kernel refuses seccomp and Landlock)";
	}
}
