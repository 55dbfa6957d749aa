/* SPDX-License-Identifier: Apache-2.0 */
/* DEX: strings, types, prototypes, fields, methods. "Dalvik executable format", string_id_item and following. */
#include "inspectors/dex/dexfile.h"

/* A cursor at entry i of a table, or one that is bad. */
static struct gh_cursor entry(const struct dex *d, enum dex_table_kind kind, uint32_t i, uint32_t size)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	if (i >= d->table[kind].n)
		c.bad = true;
	else
		gh_seek(&c, d->table[kind].at + (uint64_t)i * size);
	return c;
}

/* A cursor at an offset of the data section. */
static struct gh_cursor data_at(const struct dex *d, uint64_t off)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	gh_seek(&c, d->data + off);
	return c;
}

struct gh_str dex_string(const struct dex *d, uint32_t i)
{
	struct gh_cursor e = entry(d, DEX_STRINGS, i, 4);
	uint32_t off = gh_u32(&e);
	if (e.bad)
		return GH_NONE;
	struct gh_cursor c = data_at(d, off);
	gh_uleb(&c); /* its length in UTF-16 units; its end is the zero */
	return gh_cstr(&c);
}

static size_t put_utf8(char *out, uint32_t u)
{
	size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; u >>= 6)
		out[i] = (char)(0x80 | (u & 0x3f));
	out[0] = (char)(lead[n] | u);
	return n;
}

/* Half of a pair in three bytes, or 0. */
static uint32_t half(const uint8_t *p, size_t n)
{
	if (n < 3 || p[0] != 0xed || p[1] < 0xa0 || p[1] > 0xbf || (p[2] & 0xc0) != 0x80)
		return 0;
	return 0xd000 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

size_t dex_utf8(struct gh_str s, char *out)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		uint32_t high = half(p + i, s.n - i), low = high && high < 0xdc00 ? half(p + i + 3, s.n - i - 3) : 0;
		if (low >= 0xdc00) {
			n += put_utf8(out + n, 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff));
			i += 6;
		} else if (p[i] == 0xc0 && s.n - i > 1 && p[i + 1] == 0x80) {
			out[n++] = 0;
			i += 2;
		} else {
			out[n++] = (char)p[i++];
		}
	}
	return n;
}

struct gh_str dex_type(const struct dex *d, uint32_t i)
{
	struct gh_cursor e = entry(d, DEX_TYPES, i, 4);
	uint32_t name = gh_u32(&e);
	return e.bad ? GH_NONE : dex_string(d, name);
}

/* A type_list at an offset of the data section; cut where the bytes end. */
static struct dex_types types_at(const struct dex *d, uint32_t off)
{
	if (!off)
		return (struct dex_types){0};
	struct gh_cursor c = data_at(d, off);
	uint32_t n = gh_u32(&c);
	return (struct dex_types){.at = gh_at(&c), .n = c.bad ? 0 : (uint32_t)gh_min(n, gh_left(&c) / 2)};
}

uint32_t dex_types_get(const struct dex *d, struct dex_types list, uint32_t k)
{
	struct gh_cursor c = gh_cursor(d->p, d->n, 0);
	if (k >= list.n)
		return DEX_NONE;
	gh_seek(&c, list.at + (uint64_t)k * 2);
	uint32_t type = gh_u16(&c);
	return c.bad ? DEX_NONE : type;
}

bool dex_proto(const struct dex *d, uint32_t i, struct dex_proto *ret)
{
	struct gh_cursor e = entry(d, DEX_PROTOS, i, 12);
	ret->shorty = gh_u32(&e);
	ret->ret = gh_u32(&e);
	uint32_t params = gh_u32(&e);
	ret->params = types_at(d, e.bad ? 0 : params);
	return !e.bad;
}

static bool member_id(const struct dex *d, enum dex_table_kind kind, uint32_t i, struct dex_member_id *ret)
{
	struct gh_cursor e = entry(d, kind, i, 8);
	ret->class = gh_u16(&e);
	ret->type = gh_u16(&e);
	ret->name = gh_u32(&e);
	return !e.bad;
}

bool dex_field(const struct dex *d, uint32_t i, struct dex_member_id *ret)
{
	return member_id(d, DEX_FIELDS, i, ret);
}

bool dex_method(const struct dex *d, uint32_t i, struct dex_member_id *ret)
{
	return member_id(d, DEX_METHODS, i, ret);
}

bool dex_class(const struct dex *d, uint32_t i, struct dex_class *ret)
{
	struct gh_cursor e = entry(d, DEX_CLASSES, i, 32);
	ret->at = gh_at(&e);
	ret->type = gh_u32(&e);
	ret->access = gh_u32(&e);
	ret->super = gh_u32(&e);
	uint32_t interfaces = gh_u32(&e);
	ret->source = gh_u32(&e);
	ret->annotations = gh_u32(&e);
	uint32_t members = gh_u32(&e);
	ret->values = gh_u32(&e);
	ret->interfaces = types_at(d, e.bad ? 0 : interfaces);
	ret->members = members ? d->data + members : 0;
	return !e.bad;
}
