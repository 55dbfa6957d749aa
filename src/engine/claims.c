/* SPDX-License-Identifier: Apache-2.0 */
/* Known content: a dense list of entries, and an index of it by open addressing. Both only grow. */
#include "engine/claims.h"

#include <string.h>
#include <sys/mman.h>

enum {
	INDEX_BITS = 23, /* 32 MiB when full; pages are taken as they are touched */
	INDEX = 1 << INDEX_BITS,
	ENTRIES = INDEX / 4 * 3, /* 6.3 million contents: a 10 GB phone has under one million */
};

struct entry {
	uint8_t key[32];
	struct gh_plugins plugins; /* shared */
	uint32_t alias; /* atomic */
	uint32_t unused;
};

struct gh_claims {
	uint32_t n; /* atomic; entries given out */
	uint32_t known; /* of them, before any worker ran */
	uint32_t index[INDEX]; /* atomic; entry number + 1, 0: free */
	struct entry entry[ENTRIES];
};

struct gh_claims *gh_claims_new(void)
{
	void *p = mmap(NULL, sizeof(struct gh_claims), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void gh_claims_free(struct gh_claims *claims)
{
	if (claims)
		munmap(claims, sizeof *claims);
}

static uint32_t start_of(const uint8_t key[32])
{
	uint32_t h;
	memcpy(&h, key, sizeof h);
	return h & (INDEX - 1);
}

/* The index slot of a key: the one that holds it, or the free one where it would go. */
static uint32_t *slot_of(struct gh_claims *c, const uint8_t key[32], uint32_t *ret_id)
{
	for (uint32_t i = start_of(key);; i = (i + 1) & (INDEX - 1)) {
		uint32_t v = __atomic_load_n(&c->index[i], __ATOMIC_ACQUIRE);
		*ret_id = v;
		if (!v || memcmp(c->entry[v - 1].key, key, 32) == 0)
			return &c->index[i];
	}
}

uint32_t gh_claims_find(struct gh_claims *c, const uint8_t key[32])
{
	uint32_t id;
	slot_of(c, key, &id);
	return id;
}

uint32_t gh_claims_get(struct gh_claims *c, const uint8_t key[32], bool *ret_known)
{
	uint32_t mine = 0;
	for (;;) {
		uint32_t id;
		uint32_t *slot = slot_of(c, key, &id);
		*ret_known = id != 0;
		if (id)
			return id; /* if another process was quicker, our entry stays unused */
		if (!mine) {
			mine = __atomic_add_fetch(&c->n, 1, __ATOMIC_RELAXED);
			if (mine > ENTRIES) {
				__atomic_sub_fetch(&c->n, 1, __ATOMIC_RELAXED);
				return 0;
			}
			memcpy(c->entry[mine - 1].key, key, 32);
		}
		uint32_t none = 0;
		if (__atomic_compare_exchange_n(slot, &none, mine, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
			return mine;
	}
}

bool gh_claims_plugin(struct gh_claims *c, uint32_t id, unsigned plugin)
{
	return gh_plugins_claim(&c->entry[id - 1].plugins, plugin);
}

uint32_t gh_claims_alias(struct gh_claims *c, const uint8_t key[32], uint32_t value)
{
	bool known;
	uint32_t id = value ? gh_claims_get(c, key, &known) : gh_claims_find(c, key);
	if (!id)
		return 0;
	if (value)
		__atomic_store_n(&c->entry[id - 1].alias, value, __ATOMIC_RELEASE);
	return __atomic_load_n(&c->entry[id - 1].alias, __ATOMIC_ACQUIRE);
}

bool gh_claims_preset(struct gh_claims *c, uint32_t id, const uint8_t key[32], const struct gh_plugins *plugins)
{
	uint32_t other;
	if (!id || id > ENTRIES)
		return false;
	uint32_t *slot = slot_of(c, key, &other);
	if (other)
		return true; /* the same content twice (a large image): the first serves */
	memcpy(c->entry[id - 1].key, key, 32);
	c->entry[id - 1].plugins = *plugins;
	*slot = id;
	return true;
}

bool gh_claims_start(struct gh_claims *c, uint32_t last)
{
	if (last >= ENTRIES)
		return false;
	c->n = c->known = last;
	return true;
}

bool gh_claims_first(const struct gh_claims *c)
{
	return !c->known;
}
