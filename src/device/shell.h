/* SPDX-License-Identifier: Apache-2.0 */
/* A command on the phone. */
#ifndef GH_DEVICE_SHELL_H
#define GH_DEVICE_SHELL_H

#include "device/phone.h"

enum { GH_SAID_MAX = 400 };

struct gh_shell_result {
	int status; /* exit status; -1: the phone does not tell, or the output was cut before it */
	uint64_t bytes; /* of standard output */
	bool cut; /* more came than was wanted */
	char said[GH_SAID_MAX]; /* the beginning of standard error */
};

/* Takes a piece of standard output. */
typedef enum gh_code gh_shell_fn(void *to, const uint8_t *p, size_t n, struct gh_err *err);

enum { GH_SHELL_SECONDS = 300 }; /* no command of ours takes longer; endless output ends here at the latest */

/* Runs it and gives at most `most` bytes of its standard output to fn. Without shell v2 both outputs come as one. */
enum gh_code gh_shell(struct gh_phone *phone, const char *command, uint64_t most, gh_shell_fn *fn, void *to,
	struct gh_shell_result *ret, struct gh_err *err) GH_MUST;

#endif
