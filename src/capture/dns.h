/* SPDX-License-Identifier: Apache-2.0 */
/* Inside dns: a message as parsed, and pairs of query and answer. */
#ifndef GH_CAPTURE_DNS_H
#define GH_CAPTURE_DNS_H

#include "capture/app.h"

enum { GH_DNS_NAME = 1024 }; /* room for 255 bytes of labels, each byte a label at most */

struct gh_dns {
	uint16_t id, flags, qd, an, ns, ar;
	bool response, cut; /* cut: the snap length or TC left bytes out */
	const uint8_t *p; /* the message */
	size_t n, wire;
	size_t question_end; /* 0: the first question is malformed */
	char qname[GH_DNS_NAME];
	size_t qname_n;
	uint16_t qtype, qclass;
	unsigned addresses, records; /* of the answer section */
	uint64_t set; /* of its addresses, in any order */
	uint64_t slot, id_sum; /* of what the message shares with those that are alike: place, and keyed sum */
	bool opt, teredo, other_type; /* other_type: an A record answers another question */
};

/* A name at the cursor, pointers followed, as text with dots; false and the cursor bad if malformed. */
bool gh_dns_name(const struct gh_dns *m, struct gh_cursor *c, char out[GH_DNS_NAME], size_t *ret_n);
/* Looks for what contradicts the query, or an answer before this one. */
void gh_dns_pair(struct gh_traffic *t, const struct gh_here *h, const struct gh_dns *m);

/* Is what has this sum not the last that was told in its place? */
bool gh_dns_new(struct gh_traffic *t, uint64_t slot, uint64_t id);
/* Is this address of four bytes, given as a resolver, told for the first time? Leases are renewed all day. */
bool gh_resolver_new(struct gh_traffic *t, const uint8_t *v4);

#endif
