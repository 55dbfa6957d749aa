/* SPDX-License-Identifier: Apache-2.0 */
/* Capturing on an interface. */
#ifndef GH_CLI_LIVE_H
#define GH_CLI_LIVE_H

#include <stdbool.h>

enum { GH_LIVE_PATH = 512 };

/* Captures until SIGINT or SIGTERM into a file of its own in dir (NULL: $TMPDIR, else /var/tmp), whose name goes to path. Tells what is
 * wrong and returns false. Nothing is sent, and nothing is parsed here. */
bool gh_live_capture(const char *iface, const char *dir, char path[GH_LIVE_PATH]);

/* Removes the file and its folder. */
void gh_live_remove(const char *path);

#endif
