/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: the header and where its tables lie. "Dalvik executable format", header_item; 041: header_size and the container. */
#include "inspectors/dex/dexfile.h"

enum {
	ENDIAN = 0x12345678,
	ENDIAN_OTHER = 0x78563412,
	VERSION_FIRST = 35,
	VERSION_DALVIK = 36, /* what Dalvik's optimiser wrote */
	VERSION_LAST = 41,
	VERSION_CONTAINER = 41,
	COMPACT_VERSION = 1,
};

const char *const dex_table_words[DEX_N_TABLES] = {"strings", "types", "protos", "fields", "methods", "classes"};

static const uint8_t entry_size[DEX_N_TABLES] = {4, 4, 12, 8, 8, 32};

/* The version in three digits and a zero, or 0. */
static unsigned digits(const uint8_t *p)
{
	unsigned v = 0;
	for (int i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	return p[3] ? 0 : v;
}

/* 0: no dex file. */
static unsigned version_of(const uint8_t *p, size_t n, bool *ret_compact)
{
	*ret_compact = n >= 8 && memcmp(p, "cdex", 4) == 0;
	return n >= 8 && (*ret_compact || memcmp(p, "dex\n", 4) == 0) ? digits(p + 4) : 0;
}

static bool version_known(unsigned version, bool compact)
{
	return compact ? version == COMPACT_VERSION : version >= VERSION_FIRST && version <= VERSION_LAST;
}

bool dex_is(const uint8_t *p, size_t n)
{
	bool compact;
	unsigned version = version_of(p, n, &compact);
	return version_known(version, compact);
}

static void tables_fit(struct dex *d, uint64_t base)
{
	for (int i = 0; i < DEX_N_TABLES; i++) {
		struct dex_table *t = &d->table[i];
		t->at += base;
		uint64_t room = t->at <= d->n ? d->n - t->at : 0;
		t->n = (uint32_t)gh_min(t->said, room / entry_size[i]);
	}
}

/* 041: this dex is one of several, and all offsets are relative to the first one's header. */
static enum gh_code container_read(struct dex *d, struct gh_cursor *c, struct gh_err *err)
{
	uint64_t size = gh_u32(c), off = gh_u32(c);
	if (c->bad)
		return gh_fail(err, GH_SHORT, d->head, "dex header ends too early");
	if (off > d->head)
		return gh_fail(err, GH_BAD, d->head + 0x74, "a header that says it lies at %u lies at %u",
			(unsigned)off, (unsigned)d->head);
	d->data = d->head - off;
	d->container = size;
	if (size < d->n - d->data)
		d->n = (size_t)(d->data + size);
	return d->n < d->head + d->header_size
		       ? gh_fail(err, GH_BAD, d->head + 0x70, "a container of %u bytes", (unsigned)size)
		       : GH_OK;
}

static enum gh_code header_check(const struct dex *d, uint32_t endian, struct gh_err *err)
{
	uint32_t least = d->compact ? DEX_HEADER_COMPACT : d->version >= VERSION_CONTAINER ? DEX_HEADER_41 : DEX_HEADER;
	if (endian == ENDIAN_OTHER)
		return gh_fail(err, GH_UNSUP, d->head + 0x28, "dex file in big-endian byte order");
	if (endian != ENDIAN)
		return gh_fail(err, GH_BAD, d->head + 0x28, "byte order mark 0x%08x", endian);
	if (d->header_size < least)
		return gh_fail(err, GH_BAD, d->head + 0x24, "dex header of %u bytes", d->header_size);
	return GH_OK;
}

enum gh_code dex_open(struct dex *d, const uint8_t *p, size_t n, uint64_t head, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	*d = (struct dex){.p = p, .n = n, .head = head};
	gh_seek(&c, head);
	const uint8_t *magic = gh_bytes(&c, 8);
	if (!magic)
		return gh_fail(err, GH_SHORT, head, "no dex header");
	d->version = version_of(magic, 8, &d->compact);
	if (!d->version)
		return gh_fail(err, GH_BAD, head, "no dex magic number");
	if (!version_known(d->version, d->compact))
		return gh_fail(
			err, GH_UNSUP, head + 4, "%s version %03u", d->compact ? "CompactDex" : "dex", d->version);
	d->checksum = gh_u32(&c);
	d->signature = gh_at(&c);
	gh_skip(&c, 20);
	d->file_size = gh_u32(&c);
	d->header_size = gh_u32(&c);
	uint32_t endian = gh_u32(&c);
	gh_skip(&c, 12);
	for (int i = 0; i < DEX_N_TABLES; i++) {
		d->table[i].said = gh_u32(&c);
		d->table[i].at = gh_u32(&c);
	}
	gh_skip(&c, 4);
	uint32_t data_off = gh_u32(&c);
	if (c.bad)
		return gh_fail(err, GH_SHORT, head, "dex header ends too early");
	enum gh_code code = header_check(d, endian, err);
	d->container = d->file_size;
	if (code == GH_OK && !d->compact && d->version >= VERSION_CONTAINER)
		code = container_read(d, &c, err);
	else
		d->data = head + (d->compact ? data_off : 0);
	tables_fit(d, d->compact ? head : d->data);
	return code;
}

uint64_t dex_next(const struct dex *d)
{
	if (d->compact || d->version < VERSION_CONTAINER || d->file_size < d->header_size)
		return 0;
	uint64_t next = d->head + d->file_size;
	return gh_within(next, DEX_HEADER, d->n) ? next : 0;
}
