/* SPDX-License-Identifier: Apache-2.0 */
/* Resets that did not come from where they say. */
#ifndef GH_CAPTURE_INJECT_H
#define GH_CAPTURE_INJECT_H

#include "capture/traffic.h"

/* Every segment of a flow passes here before its payload is read. */
void gh_inject_segment(struct gh_traffic *t, const struct gh_here *h, const struct gh_tcp *tcp);
/* Weighs the resets of a flow when it is over: one row of kind rst_injected, with the score and what it is made of. */
void gh_inject_end(struct gh_traffic *t, struct gh_flow *f);

#endif
