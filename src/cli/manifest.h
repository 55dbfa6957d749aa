/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of unpack: a JSON object a line, with every attribute that a folder of this machine does not keep. */
#ifndef GH_CLI_MANIFEST_H
#define GH_CLI_MANIFEST_H

#include "cli/lay.h"

/* The line up to what became of it: attributes as the container has them. Without a newline. */
void gh_manifest_entry(FILE *to, const struct gh_entry *e);
/* Content: size and digest as written, and where it broke. */
void gh_manifest_content(FILE *to, uint64_t size, const uint8_t sha256[32], const struct gh_entry_end *end);
/* The rest of the line. */
void gh_manifest_laid(FILE *to, const struct gh_laid *laid, bool partial, struct gh_str why);

#endif
