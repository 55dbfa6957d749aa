/* SPDX-License-Identifier: Apache-2.0 */
/* Loadable modules: the section .modinfo (include/linux/moduleparam.h: key=value, each with a zero), and the signature behind the ELF
 * file (kernel/module_signature.c, include/linux/module_signature.h). */
#include "inspectors/kernel/kernel.h"

enum {
	SECTIONS_MAX = 4096, /* modules with a section a function have some 2,000 */
	ENTRIES_MAX = 4096, /* aliases included; the largest real list has 1,500 */
	INFO = 12, /* struct module_signature */
	ID_X509 = 1, /* kernels before 4.3: name and key stand before the signature */
	ID_PKCS7 = 2,
};

static const char marker[] = "~Module signature appended~\n";

struct elf {
	struct gh_cursor all;
	bool wide, big;
};

static uint64_t num(const struct elf *e, struct gh_cursor *c, unsigned n)
{
	if (n == 2)
		return e->big ? gh_u16be(c) : gh_u16(c);
	if (n == 4)
		return e->big ? gh_u32be(c) : gh_u32(c);
	return e->big ? gh_u64be(c) : gh_u64(c);
}

static uint64_t word(const struct elf *e, struct gh_cursor *c)
{
	return num(e, c, e->wide ? 8 : 4);
}

struct section {
	uint64_t name, off, size;
};

static bool section(const struct elf *e, uint64_t shoff, uint64_t i, struct section *ret)
{
	struct gh_cursor c = e->all;
	uint64_t at;
	if (!gh_add(shoff, i * (e->wide ? 64 : 40), &at))
		return false;
	gh_seek(&c, at);
	ret->name = num(e, &c, 4);
	gh_skip(&c, 4);
	(void)word(e, &c); /* flags, address */
	(void)word(e, &c);
	ret->off = word(e, &c);
	ret->size = word(e, &c);
	return !c.bad;
}

/* The section .modinfo as a cursor; empty where there is none. */
static struct gh_cursor modinfo(struct gh_ctx *ctx, struct elf *e, struct gh_err *err)
{
	struct gh_cursor c = e->all, none = gh_cursor("", 0, 0);
	struct section s, names;
	gh_seek(&c, e->wide ? 40 : 32);
	uint64_t shoff = word(e, &c);
	gh_seek(&c, e->wide ? 60 : 48);
	uint64_t n = gh_min(num(e, &c, 2), SECTIONS_MAX), strndx = num(e, &c, 2);
	if (c.bad || !section(e, shoff, strndx, &names) || gh_spend_steps(ctx->budget, n, shoff, err))
		return none;
	for (uint64_t i = 0; i < n && section(e, shoff, i, &s); i++) {
		struct gh_cursor t = e->all;
		uint64_t at;
		if (!gh_add(names.off, s.name, &at))
			continue;
		gh_seek(&t, at);
		if (!gh_str_is(gh_cstr(&t), ".modinfo") || t.bad)
			continue;
		t = e->all;
		gh_seek(&t, s.off);
		t = gh_sub(&t, s.size);
		return t;
	}
	return none;
}

static void entry(struct gh_row_kernel_modules *row, struct gh_str key, struct gh_str value)
{
	const struct {
		const char *key;
		struct gh_str *to;
	} list[] = {{"name", &row->name}, {"vermagic", &row->vermagic}, {"license", &row->license},
		{"depends", &row->depends}, {"description", &row->description}, {"version", &row->version},
		{"srcversion", &row->srcversion}, {"intree", &row->intree}};
	for (size_t i = 0; i < GH_COUNT(list); i++)
		if (gh_str_is(key, list[i].key) && !list[i].to->p)
			*list[i].to = value;
}

static void entries(struct gh_ctx *ctx, struct gh_cursor c, struct gh_row_kernel_modules *row)
{
	for (unsigned n = 0; gh_left(&c); n++) {
		if (n == ENTRIES_MAX) {
			gh_note(ctx, GH_LIMIT, gh_at(&c), "more than %d entries of .modinfo", ENTRIES_MAX);
			return;
		}
		uint64_t at = gh_at(&c);
		struct gh_str s = gh_cstr(&c);
		const char *eq = s.n ? memchr(s.p, '=', s.n) : NULL;
		if (c.bad) {
			gh_note(ctx, GH_BAD, at, "an entry of .modinfo without an end");
			return;
		}
		if (eq)
			entry(row, gh_strn(s.p, (size_t)(eq - s.p)), gh_strn(eq + 1, s.n - (size_t)(eq - s.p) - 1));
	}
}

struct info {
	uint8_t hash, type, name, key; /* name, key: bytes of each */
	uint32_t size; /* of the signature */
};

/* Name of the signer, identifier of its key and signature, one behind the other, end at `at`. */
static void signer_x509(struct gh_ctx *ctx, const struct gh_blob *b, uint64_t at, const struct info *i,
	struct gh_row_kernel_modules *row)
{
	/* include/crypto/public_key.h of those kernels, enum pkey_hash_algo */
	static const char *const hashes[] = {"md4", "md5", "sha1", "rmd160", "sha256", "sha384", "sha512", "sha224"};
	uint64_t n = (uint64_t)i->name + i->key + i->size;
	if (n > at) {
		gh_note(ctx, GH_BAD, at + 8, "a signature of %llu bytes does not fit the module",
			(unsigned long long)n);
		return;
	}
	struct gh_cursor c = gh_cursor(b->data + at - n, (size_t)n, at - n);
	const uint8_t *name = gh_bytes(&c, i->name), *key = gh_bytes(&c, i->key);
	if (i->name)
		row->signer = gh_strn(name, i->name);
	if (i->key)
		row->sig_key = gh_hex(ctx->arena, key, i->key);
	if (i->hash < GH_COUNT(hashes))
		row->sig_hash = gh_str(hashes[i->hash]);
}

static void signature(struct gh_ctx *ctx, const struct gh_blob *b, struct gh_row_kernel_modules *row)
{
	size_t m = sizeof marker - 1;
	if (b->size < m + INFO || memcmp(b->data + b->size - m, marker, m) != 0)
		return;
	row->is_signed = 1;
	uint64_t at = b->size - m - INFO;
	struct info i = {0};
	struct gh_cursor c = gh_cursor(b->data + at, INFO, at);
	gh_skip(&c, 1);
	i.hash = gh_u8(&c);
	i.type = gh_u8(&c);
	i.name = gh_u8(&c);
	i.key = gh_u8(&c);
	gh_skip(&c, 3);
	i.size = gh_u32be(&c);
	if (i.type == ID_X509)
		signer_x509(ctx, b, at, &i, row);
	else if (i.type != ID_PKCS7)
		gh_note(ctx, GH_UNSUP, at + 2, "a signature of kind %u", i.type);
	else if (i.size > at)
		gh_note(ctx, GH_BAD, at + 8, "a signature of %u bytes does not fit the module", i.size);
	else
		kernel_signer(
			ctx, b->data + at - i.size, i.size, at - i.size, &row->signer, &row->sig_key, &row->sig_hash);
}

enum gh_code kernel_module(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct elf e = {.all = gh_cursor(blob->data, (size_t)blob->size, 0)};
	struct gh_cursor c = e.all;
	struct gh_row_kernel_modules row = {0};
	gh_skip(&c, 4);
	uint8_t class = gh_u8(&c), data = gh_u8(&c);
	if (class < 1 || class > 2 || data < 1 || data > 2)
		return gh_fail(err, GH_BAD, 4, "class %u and byte order %u are unknown", class, data);
	e.wide = class == 2;
	e.big = data == 2;
	*err = (struct gh_err){0};
	struct gh_cursor info = modinfo(ctx, &e, err);
	if (err->code)
		return err->code;
	if (!gh_left(&info))
		gh_note(ctx, GH_BAD, 0, "a module without .modinfo");
	entries(ctx, info, &row);
	signature(ctx, blob, &row);
	ctx->ops->emit(ctx, GH_T_kernel_modules, gh_left(&info) ? info.base : 0, &row);
	return GH_OK;
}
