/* SPDX-License-Identifier: Apache-2.0 */
/* SquashFS: the content of files: blocks that follow one another in the image, each with its packed size in a list behind the inode,
 * and a last piece in a block that several files share (a fragment). */
#include "formats/squashfs/squashfs.h"

enum {
	SIZE_MASK = SQ_STORED - 1,
	SIZE_KNOWN = SIZE_MASK | SQ_STORED,
	BLOCKS_MAX =
		1
		<< 22, /* of one file: 16 GiB in blocks of 4 KiB, 512 GiB in the usual ones; their list is kept in memory */
	STRIDE = 256, /* of every so manieth block it is kept where it lies */
	PIECE = 1024, /* of the list, read at once */
	KEEP = 2, /* one block that two windows share, one for probes elsewhere */
};

struct file {
	struct squashfs *fs;
	struct sq_inode in;
	uint64_t n; /* whole blocks, or all where there is no fragment */
	uint32_t *size; /* of each, as the list has it */
	uint64_t *at; /* of every STRIDEth */
};

struct fragment_entry {
	uint64_t at;
	uint32_t size;
};

static uint64_t blocks_of(const struct squashfs *fs, const struct sq_inode *in)
{
	uint64_t n = in->size >> fs->sb.log;
	bool rest = in->size & (fs->sb.bs - 1);
	return n + (rest && in->fragment == (uint32_t)SQ_NONE);
}

static uint64_t tail_of(const struct squashfs *fs, const struct sq_inode *in)
{
	return in->fragment == (uint32_t)SQ_NONE ? 0 : in->size & (fs->sb.bs - 1);
}

/* ---- the list of block sizes ---- */

/* What a pass over the list finds. */
struct sizes {
	uint64_t packed; /* bytes of all blocks */
	uint64_t full; /* how many of them are stored and as long as their content */
};

static enum gh_code size_check(const struct squashfs *fs, const struct sq_inode *in, uint32_t size, struct gh_err *err)
{
	if (size & ~(uint32_t)SIZE_KNOWN || (size & SIZE_MASK) > fs->sb.bs)
		return gh_fail(err, GH_BAD, in->at, "inode %u has a block of size 0x%x", in->number, size);
	return GH_OK;
}

/* Reads the list; keeps it when f is not NULL. */
static enum gh_code sizes_read(
	struct squashfs *fs, const struct sq_inode *in, struct file *f, struct sizes *ret, struct gh_err *err)
{
	uint8_t raw[PIECE * 4];
	struct sq_pos pos = in->tail;
	uint64_t n = blocks_of(fs, in);
	*ret = (struct sizes){0};
	if (n > BLOCKS_MAX)
		return gh_fail(err, GH_LIMIT, in->at, "inode %u has %llu blocks", in->number, (unsigned long long)n);
	enum gh_code code = gh_spend_steps(fs->ctx->budget, n, in->at, err);
	for (uint64_t i = 0; code == GH_OK && i < n;) {
		uint64_t end = gh_min(n, i + PIECE);
		size_t len = (size_t)(end - i) * 4;
		code = sq_read(fs, &pos, raw, len, err);
		struct gh_cursor c = gh_cursor(raw, len, pos.block);
		for (; code == GH_OK && i < end; i++) {
			uint32_t size = gh_u32(&c);
			code = size_check(fs, in, size, err);
			if (f && i % STRIDE == 0)
				f->at[i / STRIDE] = in->start + ret->packed;
			if (f)
				f->size[i] = size;
			ret->packed += size & SIZE_MASK;
			uint64_t want = gh_min(fs->sb.bs, in->size - (i << fs->sb.log));
			ret->full += size == (SQ_STORED | want);
		}
	}
	return code;
}

/* ---- fragments ---- */

static enum gh_code fragment_find(
	struct squashfs *fs, const struct sq_inode *in, struct fragment_entry *ret, struct gh_err *err)
{
	uint8_t raw[16];
	if (in->fragment >= fs->sb.fragments)
		return gh_fail(err, GH_BAD, in->at, "inode %u ends in fragment %u of %u", in->number, in->fragment,
			fs->sb.fragments);
	enum gh_code code = sq_table(fs, fs->sb.fragment_table, in->fragment, raw, sizeof raw, err);
	if (code)
		return code;
	struct gh_cursor c = gh_cursor(raw, sizeof raw, fs->sb.fragment_table);
	ret->at = gh_u64(&c);
	ret->size = gh_u32(&c);
	if (ret->size & ~(uint32_t)SIZE_KNOWN || !(ret->size & SIZE_MASK) || (ret->size & SIZE_MASK) > fs->sb.bs)
		return gh_fail(
			err, GH_BAD, fs->sb.fragment_table, "fragment %u has the size 0x%x", in->fragment, ret->size);
	if (!gh_within(ret->at, ret->size & SIZE_MASK, fs->src->size))
		return gh_fail(err, GH_SHORT, ret->at, "fragment %u lies behind the end of the image", in->fragment);
	return GH_OK;
}

/* A data block or fragment of `size` as lists have it, to out[0..cap). */
static enum gh_code block_read(
	struct squashfs *fs, uint64_t at, uint32_t size, uint8_t *out, size_t cap, size_t *ret_n, struct gh_err *err)
{
	size_t n = size & SIZE_MASK;
	const uint8_t *p = NULL;
	*ret_n = n;
	if (size & SQ_STORED && n > cap)
		return gh_fail(err, GH_BAD, at, "a stored block of %zu bytes, %zu are declared", n, cap);
	if (size & SQ_STORED)
		return gh_read(fs->src, at, out, n, err);
	if (fs->src->ops->view && gh_within(at, n, fs->src->size))
		p = fs->src->ops->view(fs->src, at, n);
	enum gh_code code = p ? GH_OK : gh_read(fs->src, at, fs->packed, n, err);
	return code ? code : sq_unpack(fs, p ? p : fs->packed, n, out, cap, ret_n, at, err);
}

static enum gh_code fragment_at(
	struct squashfs *fs, const struct sq_inode *in, struct sq_fragment **ret, struct gh_err *err)
{
	struct sq_fragment *old = &fs->fragment[0];
	for (size_t i = 0; i < SQ_FRAGMENTS; i++) {
		struct sq_fragment *f = &fs->fragment[i];
		if (f->len && f->index == in->fragment) {
			f->used = ++fs->clock;
			*ret = f;
			return GH_OK;
		}
		if (f->used < old->used)
			old = f;
	}
	struct fragment_entry e;
	size_t len = 0;
	old->len = 0;
	enum gh_code code = fragment_find(fs, in, &e, err);
	if (code == GH_OK)
		code = block_read(fs, e.at, e.size, old->p, fs->sb.bs, &len, err);
	if (code)
		return code;
	*old = (struct sq_fragment){.index = in->fragment, .len = (uint32_t)len, .used = ++fs->clock, .p = old->p};
	*ret = old;
	return GH_OK;
}

static enum gh_code tail_read(
	struct squashfs *fs, const struct sq_inode *in, uint8_t *out, uint32_t n, struct gh_err *err)
{
	struct sq_fragment *f;
	enum gh_code code = fragment_at(fs, in, &f, err);
	if (code)
		return code;
	if (!gh_within(in->fragment_off, n, f->len))
		return gh_fail(err, GH_BAD, in->at, "inode %u ends at %u of a fragment of %u bytes", in->number,
			in->fragment_off, f->len);
	memcpy(out, f->p + in->fragment_off, n);
	return GH_OK;
}

/* ---- the source ---- */

static enum gh_code file_find(void *self, uint64_t off, struct gh_block *ret, struct gh_err *err)
{
	const struct file *f = self;
	(void)err;
	uint64_t i = off >> f->fs->sb.log;
	ret->at = i << f->fs->sb.log;
	ret->len = (uint32_t)gh_min(f->fs->sb.bs, f->in.size - ret->at);
	ret->tag[0] = i;
	return GH_OK;
}

static enum gh_code file_unpack(void *self, const struct gh_block *b, uint8_t *out, struct gh_err *err)
{
	struct file *f = self;
	uint64_t i = b->tag[0];
	if (i >= f->n)
		return tail_read(f->fs, &f->in, out, b->len, err);
	if (!(f->size[i] & SIZE_MASK)) { /* a hole */
		memset(out, 0, b->len);
		return GH_OK;
	}
	uint64_t at = f->at[i / STRIDE];
	for (uint64_t k = i - i % STRIDE; k < i; k++)
		at += f->size[k] & SIZE_MASK;
	size_t got;
	enum gh_code code = block_read(f->fs, at, f->size[i], out, b->len, &got, err);
	if (code == GH_OK && got != b->len)
		return gh_fail(err, GH_BAD, at, "a block of inode %u gives %zu bytes, %u are declared", f->in.number,
			got, b->len);
	return code;
}

enum gh_code sq_data_check(
	struct squashfs *fs, const struct sq_inode *in, uint64_t *ret_packed, uint64_t *ret_off, struct gh_err *err)
{
	struct sizes s;
	struct fragment_entry e;
	uint64_t tail = tail_of(fs, in), n = blocks_of(fs, in);
	*ret_off = UINT64_MAX;
	enum gh_code code = sizes_read(fs, in, NULL, &s, err);
	if (code)
		return code;
	if (s.packed && !gh_within(in->start, s.packed, fs->src->size))
		return gh_fail(
			err, GH_SHORT, in->start, "content of inode %u lies behind the end of the image", in->number);
	if (tail && (code = fragment_find(fs, in, &e, err)))
		return code;
	if (tail && in->fragment_off > fs->sb.bs - tail)
		return gh_fail(err, GH_BAD, in->at, "inode %u ends at %u of a fragment", in->number, in->fragment_off);
	/* A tail has its share of its fragment, a hole stands in the list only. */
	*ret_packed = s.packed + 4 * n;
	if (tail)
		*ret_packed += gh_min(tail, tail * (e.size & SIZE_MASK) / fs->sb.bs + 1);
	if (!tail && n && s.full == n)
		*ret_off = in->start;
	return GH_OK;
}

static enum gh_code lists(
	struct squashfs *fs, const struct sq_inode *in, struct file *f, struct sizes *s, struct gh_err *err)
{
	f->fs = fs;
	f->in = *in;
	f->n = blocks_of(fs, in);
	if (f->n <= BLOCKS_MAX) { /* else the reading of the list tells it */
		f->size = gh_alloc_array(fs->ctx->arena, (size_t)f->n, sizeof *f->size);
		f->at = gh_alloc_array(fs->ctx->arena, (size_t)(f->n / STRIDE + 1), sizeof *f->at);
		if (!f->size || !f->at)
			return gh_fail(err, GH_NOMEM, in->at, "no memory for %llu blocks", (unsigned long long)f->n);
	}
	return sizes_read(fs, in, f, s, err);
}

enum gh_code sq_data(struct squashfs *fs, const struct sq_inode *in, struct gh_source **ret, struct gh_err *err)
{
	static const struct gh_blocks_ops ops = {file_find, file_unpack};
	struct sizes s;
	struct file *f = gh_alloc(fs->ctx->arena, sizeof *f);
	if (!f)
		return gh_fail(err, GH_NOMEM, in->at, "no memory for a file");
	enum gh_code code = lists(fs, in, f, &s, err);
	if (code)
		return code;
	if (s.full == f->n && !tail_of(fs, in)) { /* it lies there as it is */
		if (in->size && !gh_within(in->start, in->size, fs->src->size))
			return gh_fail(err, GH_SHORT, in->start, "content of inode %u lies behind the end of the image",
				in->number);
		*ret = gh_source_slice(fs->ctx->arena, fs->src, in->size ? in->start : 0, in->size);
	} else {
		uint32_t max = (uint32_t)gh_min(fs->sb.bs, in->size);
		*ret = gh_source_blocks(fs->ctx->arena, &ops, f, in->size, max, KEEP);
	}
	return *ret ? GH_OK : gh_fail(err, GH_NOMEM, in->at, "no memory for blocks of %u bytes", fs->sb.bs);
}
