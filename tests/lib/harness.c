/* SPDX-License-Identifier: Apache-2.0 */
/* LOOK in one process. */
#include "tests/lib/harness.h"

#include <stdlib.h>

struct gh_harness_key {
	uint8_t key[32];
	uint32_t blob;
	uint64_t plugins;
};

static struct gh_harness *of(struct gh_look *look)
{
	return look->host;
}

static struct gh_harness_key *slot(struct gh_harness *h, const uint8_t key[32])
{
	uint64_t at;
	memcpy(&at, key, sizeof at);
	for (size_t i = at & (h->cap_keys - 1);; i = (i + 1) & (h->cap_keys - 1))
		if (!h->keys[i].blob || memcmp(h->keys[i].key, key, 32) == 0)
			return &h->keys[i];
}

static void grow(struct gh_harness *h)
{
	if (h->n_keys * 2 < h->cap_keys)
		return;
	struct gh_harness_key *old = h->keys;
	size_t n = h->cap_keys;
	h->cap_keys = n ? n * 2 : 1024;
	h->keys = calloc(h->cap_keys, sizeof *h->keys);
	if (!h->keys)
		abort();
	for (size_t i = 0; i < n; i++)
		if (old[i].blob)
			*slot(h, old[i].key) = old[i];
	free(old);
}

static uint32_t claim(struct gh_look *look, const uint8_t key[32], bool *ret_known)
{
	struct gh_harness *h = of(look);
	grow(h);
	struct gh_harness_key *k = slot(h, key);
	*ret_known = k->blob != 0;
	if (!k->blob) {
		memcpy(k->key, key, 32);
		k->blob = ++h->next_blob;
		h->n_keys++;
	}
	return k->blob;
}

static uint32_t alias(struct gh_look *look, const uint8_t key[32], uint32_t blob)
{
	struct gh_harness *h = of(look);
	grow(h);
	struct gh_harness_key *k = slot(h, key);
	if (blob && !k->blob) {
		memcpy(k->key, key, 32);
		k->blob = blob;
		h->n_keys++;
	}
	return k->blob;
}

static bool claim_plugin(struct gh_look *look, uint32_t blob, unsigned plugin)
{
	struct gh_harness *h = of(look);
	uint8_t key[32] = {0xff, 0xfe};
	memcpy(key + 16, &blob, sizeof blob);
	key[0] = (uint8_t)(blob * 31);
	key[1] = (uint8_t)(blob >> 3);
	key[2] = (uint8_t)(blob >> 11);
	grow(h);
	struct gh_harness_key *k = slot(h, key);
	if (!k->blob) {
		memcpy(k->key, key, 32);
		k->blob = UINT32_MAX;
		h->n_keys++;
	}
	bool first = !(k->plugins >> plugin & 1);
	k->plugins |= 1ull << plugin;
	return first;
}

static void row(struct gh_look *look, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *r)
{
	if (of(look)->row)
		of(look)->row(of(look), table, blob, n, at, r);
}

static void blob_row(struct gh_look *look, const struct gh_blob_row *r)
{
	if (of(look)->blob)
		of(look)->blob(of(look), r);
}

static void run_row(
	struct gh_look *look, uint32_t blob, unsigned plugin, const char *status, uint64_t at, const char *why)
{
	if (of(look)->run)
		of(look)->run(of(look), blob, plugin, status, at, why);
}

static struct gh_source *base(struct gh_look *look, struct gh_arena *arena, uint32_t n)
{
	(void)n;
	return of(look)->source(of(look), arena);
}

void gh_harness_init(struct gh_harness *h, uint64_t memory_limit)
{
	static const struct gh_look_ops ops = {.row = row,
		.blob = blob_row,
		.run = run_row,
		.claim = claim,
		.alias = alias,
		.claim_plugin = claim_plugin,
		.base = base};
	*h = (struct gh_harness){.next_blob = 1};
	gh_look_init(&h->look, &ops, h, memory_limit);
	h->look.phase = &h->phase;
}

void gh_harness_only(struct gh_harness *h, int plugin)
{
	memset(&h->look.off, 0xff, sizeof h->look.off);
	gh_harness_also(h, plugin);
}

void gh_harness_also(struct gh_harness *h, int plugin)
{
	if (plugin >= 0)
		h->look.off.w[plugin / 64] &= ~(1ull << plugin % 64);
}

void gh_harness_done(struct gh_harness *h)
{
	gh_look_done(&h->look);
	free(h->keys);
	h->keys = NULL;
}

void gh_harness_look(struct gh_harness *h, struct gh_str name, uint64_t size)
{
	struct gh_job_child jc = {.child = {.kind = GH_MEMBER, .name = name, .csize = size, .size = size}};
	struct gh_job job = {.kind = GH_JOB_LOOK,
		.blob = 1,
		.format = -1,
		.bytes = gh_look_budget(size),
		.size = size,
		.n = 1,
		.children = &jc};
	gh_look_job(&h->look, &job);
}
