/* SPDX-License-Identifier: Apache-2.0 */
/* Qualcomm's images: ELF files whose program headers name a hash segment, with an MBN header of version 3, 5, 6 or 7 before the hashes
 * (Qualcomm, "Secure Boot and Image Authentication", versions 1 and 2; version 7: coreboot util/qualcomm), and images with such a header
 * alone. */
#include "inspectors/firmware/sign.h"

enum {
	PHDRS_MAX = 256, /* the largest real image has 40 */
	MBN = 40,
	SBL = 80,
	WORD_MAX = 128,
	IMAGE_ID_MAX = 64, /* real ones stay below 40 */
};

bool qualcomm_elf_open(const uint8_t *p, size_t n, struct qualcomm_elf *e)
{
	struct gh_cursor c = gh_cursor(p, n, 0);
	if (n < 52 || memcmp(p, "\177ELF", 4) != 0 || p[4] < 1 || p[4] > 2 || p[5] != 1)
		return false;
	*e = (struct qualcomm_elf){.all = c, .wide = p[4] == 2};
	gh_seek(&c, 24);
	e->entry = e->wide ? gh_u64(&c) : gh_u32(&c);
	e->phoff = e->wide ? gh_u64(&c) : gh_u32(&c);
	gh_seek(&c, e->wide ? 54 : 42);
	uint16_t size = gh_u16(&c);
	e->n = gh_u16(&c);
	if (e->n > PHDRS_MAX)
		e->n = PHDRS_MAX;
	return !c.bad && size == (e->wide ? 56 : 32);
}

bool qualcomm_part(const struct qualcomm_elf *e, uint32_t i, struct qualcomm_part *ret)
{
	struct gh_cursor c = e->all;
	uint64_t at;
	if (!gh_add(e->phoff, (uint64_t)i * (e->wide ? 56 : 32), &at))
		return false;
	gh_seek(&c, at);
	gh_skip(&c, 4);
	if (e->wide) {
		ret->flags = gh_u32(&c);
		ret->off = gh_u64(&c);
		gh_skip(&c, 16);
		ret->size = gh_u64(&c);
	} else {
		ret->off = gh_u32(&c);
		gh_skip(&c, 8);
		ret->size = gh_u32(&c);
		gh_skip(&c, 4);
		ret->flags = gh_u32(&c);
	}
	return !c.bad;
}

bool qualcomm_hashes(const struct qualcomm_elf *e, struct qualcomm_part *ret)
{
	struct qualcomm_part first;
	for (uint32_t i = 0; i < e->n && qualcomm_part(e, i, ret); i++)
		if (qualcomm_part_kind(ret) == QUALCOMM_HASHES) {
			/* A .mdt is the headers and the hash segment alone, one behind the other. */
			if (qualcomm_part(e, 0, &first) && first.size < e->all.n && e->all.n - first.size == ret->size)
				ret->off = first.size;
			return true;
		}
	return false;
}

bool qualcomm_elf(const uint8_t *p, size_t n)
{
	struct qualcomm_elf e;
	struct qualcomm_part h;
	return qualcomm_elf_open(p, n, &e) && qualcomm_hashes(&e, &h);
}

/* ---- words ---- */

static struct gh_str word(const struct gh_blob *b, const char *key, uint64_t *ret_at)
{
	const uint8_t *p = memmem(b->data, (size_t)b->size, key, strlen(key));
	if (!p)
		return GH_NONE;
	*ret_at = (uint64_t)(p - b->data);
	p += strlen(key);
	size_t left = (size_t)(b->data + b->size - p), n = 0;
	while (n < left && n < WORD_MAX && p[n] > 0x20 && p[n] < 0x7f)
		n++;
	return n ? gh_strn(p, n) : GH_NONE;
}

/* "TZ.BF.4.0.5-00136.1" is of tz: what stands before the first full stop is the image's name. */
static struct gh_str name_of(struct gh_ctx *ctx, struct gh_str version)
{
	const char *dot = version.n ? memchr(version.p, '.', version.n) : NULL;
	struct gh_str s = dot ? gh_str_dup(ctx->arena, gh_strn(version.p, (size_t)(dot - version.p))) : GH_NONE;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			((char *)s.p)[i] += 32;
	return s.n ? s : GH_NONE;
}

void qualcomm_words(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_row_firmware *row)
{
	uint64_t at;
	row->version = word(b, "QC_IMAGE_VERSION_STRING=", &at);
	row->variant = word(b, "IMAGE_VARIANT_STRING=", &at);
	row->oem_version = word(b, "OEM_IMAGE_VERSION_STRING=", &at);
	row->name = name_of(ctx, row->version);
}

/* ---- headers ---- */

/* The MBN header at c; false: it is none. A signature and a chain of certificates that are there make it signed: whether they hold is
 * told elsewhere. */
static bool mbn(struct gh_cursor c, uint64_t room, struct gh_row_firmware *row)
{
	uint32_t w[10];
	for (unsigned i = 0; i < 10; i++)
		w[i] = gh_u32(&c);
	row->header = w[1];
	if (c.bad || (w[1] != 3 && w[1] != 5 && w[1] != 6 && w[1] != 7))
		return false;
	if (w[1] == 7) {
		row->is_signed = w[8] > 0 && w[9] > 0;
		return (uint64_t)w[2] + w[3] + w[4] + w[5] + w[8] + w[9] <= room;
	}
	row->is_signed = w[7] > 0 && w[9] > 0;
	return (uint64_t)w[5] + w[7] + w[9] <= w[4] && w[4] <= room;
}

enum gh_code qualcomm_elf_run(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err)
{
	struct gh_row_firmware row = {.maker = GH_STR("qualcomm"),
		.kind = GH_STR("elf"),
		.size = (int64_t)b->size,
		.is_signed = GH_NULL,
		.header = GH_NULL};
	struct qualcomm_elf e;
	struct qualcomm_part h;
	enum gh_code code = gh_spend_steps(ctx->budget, PHDRS_MAX + b->size / 64, 0, err);
	if (code || !qualcomm_elf_open(b->data, (size_t)b->size, &e) || !qualcomm_hashes(&e, &h))
		return code;
	struct gh_cursor c = e.all;
	qualcomm_words(ctx, b, &row);
	row.load = (int64_t)e.entry;
	if (gh_within(h.off, gh_min(h.size, MBN), b->size)) {
		gh_seek(&c, h.off);
		if (!mbn(c, b->size - h.off, &row))
			row.header = row.is_signed = GH_NULL;
	}
	if (memmem(b->data, (size_t)b->size, "_FVH", 4))
		row.kind = GH_STR("uefi");
	ctx->ops->emit(ctx, GH_T_firmware, e.phoff, &row);
	return row.header == GH_NULL || !gh_within(h.off, h.size, b->size)
		       ? GH_OK
		       : qualcomm_verify(ctx, b, &e, h.off, h.size, err);
}

/* A bare header has no magic number: all its sizes must add up. Version 7 comes in ELF files only. */
static bool adds_up(struct gh_cursor c, uint64_t room)
{
	uint32_t w[10];
	for (unsigned i = 0; i < 10; i++)
		w[i] = gh_u32(&c);
	uint64_t sum = (uint64_t)w[5] + w[7] + w[9];
	if (w[1] != 3)
		sum += (uint64_t)w[2] + w[3];
	return !c.bad && w[0] < IMAGE_ID_MAX && (w[1] == 3 || w[1] == 5 || w[1] == 6) && w[5] && w[7] && w[9] &&
	       sum == w[4] && sum <= room;
}

bool qualcomm_mbn(const uint8_t *p, size_t n, uint64_t size)
{
	if (n >= 8 && memcmp(p, "\xd1\xdc\x4b\x84\x34\x10\xd7\x73", 8) == 0)
		return true;
	return size > MBN && adds_up(gh_cursor(p, n, 0), size - MBN);
}

enum gh_code qualcomm_mbn_run(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_err *err)
{
	struct gh_row_firmware row = {.maker = GH_STR("qualcomm"),
		.kind = GH_STR("mbn"),
		.size = (int64_t)b->size,
		.is_signed = GH_NULL,
		.header = GH_NULL};
	struct gh_cursor c = gh_cursor(b->data, (size_t)b->size, 0);
	enum gh_code code = gh_spend_steps(ctx->budget, b->size / 64, 0, err);
	if (code)
		return code;
	qualcomm_words(ctx, b, &row);
	if (*b->data == 0xd1) {
		row.kind = GH_STR("sbl");
		gh_skip(&c, 20);
		row.load = gh_u32(&c);
		if (b->size < SBL)
			gh_note(ctx, GH_SHORT, b->size, "the header of a boot loader is cut off");
	} else {
		(void)mbn(c, b->size - MBN, &row);
		gh_skip(&c, 12);
		row.load = gh_u32(&c);
	}
	ctx->ops->emit(ctx, GH_T_firmware, 0, &row);
	return *b->data == 0xd1 ? GH_OK : qualcomm_verify(ctx, b, NULL, 0, b->size, err);
}
