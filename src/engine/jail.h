/* SPDX-License-Identifier: Apache-2.0 */
/* The jail of a worker: no new privileges, no file system (Landlock), and only the system calls that its work needs (seccomp).
 * No open, no exec, no socket, no clone: one that tries dies. */
#ifndef GH_ENGINE_JAIL_H
#define GH_ENGINE_JAIL_H

enum {
	GH_JAIL_LANDLOCK = 1,
	GH_JAIL_SECCOMP = 2,
	GH_JAIL_FULL = 3,
};

/* Locks the calling process in; returns which walls stand. */
int gh_jail_enter(void);
/* "seccomp and Landlock", "seccomp only", … for the first screen. */
const char *gh_jail_words(int walls);

#endif
