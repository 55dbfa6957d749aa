/* SPDX-License-Identifier: Apache-2.0 */
/* Breaking lines for a terminal. */
#ifndef GH_REPORT_WRAP_H
#define GH_REPORT_WRAP_H

#include "base/str.h"

/* Bytes of s (UTF-8, escaped) that fit into `room` columns, up to the last blank where there is one. */
size_t gh_fit(struct gh_str s, unsigned room);

#endif
