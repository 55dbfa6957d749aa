/* SPDX-License-Identifier: Apache-2.0 */
/* Scheme v1, JAR signing, verified as Android does: block over .SF, .SF over MANIFEST.MF, MANIFEST.MF over every entry. What is costly
 * is computed once; each span of releases then looks at the parts that it would. */
#include "inspectors/apk/jar.h"
#include "inspectors/cert/x509.h"

enum {
	FILE_MAX_SIZE = 32 << 20, /* the manifest of 100,000 entries has 12 MiB */
	BLOCK_MAX_SIZE = 4 << 20,
};

struct signer {
	struct gh_str name;
	uint64_t at;
	struct jar_file sf;
	struct signed_infos block;
	uint8_t whole_good, whole_bad, main_good, main_bad; /* digests over the manifest, by slot */
	bool signtool;
	const char *why; /* a file that cannot be read */
	enum apk_state state;
	const struct signed_info *used; /* scratch of the span at hand */
	bool ignored;
};

struct jar {
	struct gh_ctx *ctx;
	struct jar_entries entries;
	struct jar_file manifest;
	struct signer signer[SIGNERS];
	size_t n;
	bool crowd; /* more signers than Android takes */
	unsigned have;
	bool has_manifest;
	uint64_t code_missing; /* classes.dex and the like that the manifest lists and the archive has not */
	bool others_missing;
	struct gh_str missing; /* the first */
};

static bool starts(struct gh_str s, const char *z)
{
	return gh_str_starts(s, z);
}

static bool needs_digest(struct gh_str name)
{
	return !starts(name, "META-INF/") && !gh_str_ends(name, "/");
}

/* ---- reading ---- */

static enum gh_code file_read(
	struct jar *j, const struct jar_entry *e, uint64_t most, struct jar_file *f, struct gh_err *err)
{
	f->at = e->at;
	return jar_entry_content(j->ctx, &j->entries, e, most, &f->p, &f->n, err);
}

/* What is wrong with the input is a reason; what is ours ends the work. */
static enum gh_code reason(enum gh_code code, const struct gh_err *err, struct signer *s)
{
	if (code == GH_OK || code == GH_IO)
		return code;
	s->state = code == GH_BAD || code == GH_SHORT ? APK_FAILED : APK_UNSUPPORTED;
	s->why = "a file of the signature that cannot be read";
	s->at = err->at;
	return GH_OK;
}

static void manifest_compare(struct jar *j, struct signer *s)
{
	const struct jar_file *m = &j->manifest;
	s->signtool = s->sf.created_by.p && memmem(s->sf.created_by.p, s->sf.created_by.n, "signtool", 8);
	const struct jar_digests *whole = s->signtool ? &s->sf.main.digests : &s->sf.whole;
	jar_digests_compare(whole, m->p, m->n, &s->whole_good, &s->whole_bad);
	jar_digests_compare(&s->sf.main_attributes, m->p + m->main.at, m->main.n, &s->main_good, &s->main_bad);
	/* Sections count where a release finds no good digest over the whole. */
	bool all = true;
	for (int32_t sdk = 1; sdk <= SDK_18; sdk += sdk < SDK_9 ? SDK_9 - 1 : SDK_18 - SDK_9) {
		enum slot k = jar_slot(whole, s->sf.main.order, sdk);
		all &= k != SLOT_NONE && (s->whole_good >> k & 1);
	}
	if (all)
		return;
	for (size_t i = 0; i < s->sf.n_sections; i++) {
		struct jar_section *a = &s->sf.sections[i], *b = jar_section_find(m, a->name);
		if (!b)
			continue;
		size_t n = b->n;
		if (s->signtool && n >= 2 && !memcmp(m->p + b->at + n - 2, "\n\n", 2))
			n--;
		jar_digests_compare(&a->digests, m->p + b->at, n, &a->good, &a->bad);
	}
}

struct sf_content {
	struct signed_content base;
	const struct jar_file *sf;
};

static bool sf_digest(const struct signed_content *self, enum digest digest, uint8_t *ret)
{
	const struct jar_file *sf = ((const struct sf_content *)self)->sf;
	return digest_data(digest, sf->p, sf->n, ret);
}

static enum gh_code signer_read(struct jar *j, const struct jar_entry *block, struct signer *s, struct gh_err *err)
{
	struct gh_err why = {0};
	struct jar_file b = {0};
	size_t stem = (size_t)((const char *)memrchr(block->name.p, '.', block->name.n) - block->name.p);
	struct gh_str sf_name = gh_str_fmt(j->ctx->arena, "%.*s.SF", (int)stem, block->name.p);
	*s = (struct signer){.name = block->name, .at = block->at};
	const struct jar_entry *sf = sf_name.p ? jar_entry_find(&j->entries, sf_name) : NULL;
	s->ignored = !sf;
	if (!sf)
		return GH_OK;
	enum gh_code code = file_read(j, sf, FILE_MAX_SIZE, &s->sf, &why);
	if (code == GH_OK)
		code = jar_file_read(j->ctx, &s->sf, &why);
	if (code == GH_OK)
		code = file_read(j, block, BLOCK_MAX_SIZE, &b, &why);
	if (code) {
		code = reason(code, &why, s);
		return code ? gh_fail(err, code, why.at, "%s", why.what) : GH_OK;
	}
	struct sf_content content = {{sf_digest}, &s->sf};
	signed_infos_read(j->ctx, gh_cursor(b.p, b.n, 0), &content.base, &s->block);
	manifest_compare(j, s);
	return GH_OK;
}

static bool is_block(struct gh_str name)
{
	return starts(name, "META-INF/") &&
	       (gh_str_ends(name, ".RSA") || gh_str_ends(name, ".DSA") || gh_str_ends(name, ".EC"));
}

static enum gh_code signers_read(struct jar *j, struct gh_err *err)
{
	for (size_t i = 0; i < j->entries.n; i++) {
		const struct jar_entry *e = &j->entries.list[i];
		if (!is_block(e->name))
			continue;
		if (j->n == SIGNERS) {
			j->crowd = true;
			return GH_OK;
		}
		enum gh_code code = signer_read(j, e, &j->signer[j->n], err);
		if (code)
			return code;
		j->n += !j->signer[j->n].ignored;
	}
	return GH_OK;
}

/* What a maker's build takes out of a package when it puts the code beside it: classes.dex, classes2.dex …, and libraries. */
static bool is_code(struct gh_str name)
{
	if (starts(name, "lib/") && gh_str_ends(name, ".so"))
		return true;
	return starts(name, "classes") && gh_str_ends(name, ".dex") && !memchr(name.p, '/', name.n);
}

static void missing_find(struct jar *j)
{
	for (size_t i = 0; i < j->manifest.n_sections; i++) {
		struct gh_str name = j->manifest.sections[i].name;
		if (jar_entry_find(&j->entries, name))
			continue;
		if (!j->missing.p || (!j->others_missing && !is_code(name)))
			j->missing = name;
		j->code_missing += is_code(name);
		j->others_missing |= !is_code(name);
	}
}

/* Every entry, unpacked once. */
static enum gh_code entries_digest(struct jar *j, struct gh_err *err)
{
	for (size_t i = 0; i < j->entries.n; i++) {
		const struct jar_entry *e = &j->entries.list[i];
		struct jar_section *s = needs_digest(e->name) ? jar_section_find(&j->manifest, e->name) : NULL;
		struct gh_err why = {0};
		if (!s)
			continue;
		enum gh_code code = jar_entry_digest(j->ctx, &j->entries, e, s, &why);
		if (code && code != GH_BAD && code != GH_SHORT) /* what cannot be unpacked has no digest */
			return gh_fail(err, code, why.at, "%s", why.what);
	}
	return GH_OK;
}

/* ---- one span ---- */

struct view {
	struct jar *j;
	int32_t sdk;
	struct apk_outcome *o;
};

static bool fail(struct view *v, uint64_t at, const char *what, struct gh_str name)
{
	if (name.p)
		return apk_fail(v->j->ctx, v->o, APK_FAILED, at, "%s: %.*s", what, (int)gh_min(name.n, 120), name.p);
	return apk_fail(v->j->ctx, v->o, APK_FAILED, at, "%s", what);
}

/* The SignerInfo by which that release is convinced. Before Android 7 only the first counts. */
static bool block_check(struct view *v, struct signer *s)
{
	s->used = NULL;
	if (s->why)
		return apk_fail(v->j->ctx, v->o, s->state, s->at, "%s", s->why);
	if (s->block.why)
		return fail(v, s->at, s->block.why, s->name);
	size_t n = v->sdk < SDK_24 ? 1 : s->block.n;
	for (size_t i = 0; i < n; i++) {
		const struct signed_info *k = &s->block.info[i];
		if (k->fatal)
			return fail(v, s->at, k->fatal, s->name);
		if (k->no_type && v->sdk >= SDK_24)
			return fail(v, s->at, "signed attributes without a content type", s->name);
		if (!jar_info_known(k, v->sdk))
			return apk_fail(v->j->ctx, v->o, APK_UNSUPPORTED, s->at,
				"a signature by algorithms that these releases do not know: %.*s",
				(int)gh_min(s->name.n, 120), s->name.p);
		if (k->attributes && v->sdk < SDK_19)
			return apk_fail(v->j->ctx, v->o, APK_UNSUPPORTED, s->at,
				"signed attributes, which these releases cannot check: %.*s",
				(int)gh_min(s->name.n, 120), s->name.p);
		if (k->ok && !(k->wrong_type && v->sdk >= SDK_24)) {
			s->used = k;
			return true;
		}
	}
	return fail(v, s->at, "the signature over the signature file does not verify", s->name);
}

/* Schemes that the .SF says were used too, and that the archive no longer has. */
static bool announced_check(struct view *v, struct signer *s)
{
	struct gh_str rest = s->sf.announced;
	while (rest.p && rest.n) {
		const char *comma = memchr(rest.p, ',', rest.n);
		struct gh_str one = gh_strn(rest.p, comma ? (size_t)(comma - rest.p) : rest.n);
		uint64_t id;
		rest = comma ? gh_strn(comma + 1, rest.n - one.n - 1) : GH_NONE;
		if (!gh_str_u64(gh_str_trim(one), 10, &id))
			continue;
		bool known = id == 2 || (id == 3 && v->sdk >= SDK_28) || (id == 31 && v->sdk >= SDK_33);
		if (known && !(v->j->have >> id & 1))
			return apk_fail(v->j->ctx, v->o, APK_STRIPPED, s->sf.at,
				"signed by scheme v%s too, as %.*s says, and that signature is not there%s",
				id == 31  ? "3.1"
				: id == 3 ? "3"
					  : "2",
				(int)gh_min(s->name.n, 80), s->name.p,
				v->j->code_missing ? "; code was taken out" : "");
	}
	return true;
}

static bool sections_check(struct view *v, struct signer *s)
{
	for (size_t i = 0; i < s->sf.n_sections; i++) {
		const struct jar_section *a = &s->sf.sections[i];
		if (!jar_section_find(&v->j->manifest, a->name))
			return fail(
				v, s->sf.at, "an entry of the signature file that the manifest does not have", a->name);
		enum slot k = jar_slot(&a->digests, a->order, v->sdk);
		if (k == SLOT_NONE)
			return fail(v, s->sf.at, "no digest of an entry's lines in the signature file", a->name);
		if (!(a->good >> k & 1))
			return fail(v, s->sf.at, "lines of the manifest are not what was signed", a->name);
	}
	return true;
}

static bool sf_check(struct view *v, struct signer *s)
{
	const struct jar_file *f = &s->sf;
	if (!f->version.p) { /* Android overlooks such a signer */
		s->ignored = true;
		return true;
	}
	if (v->sdk >= SDK_24 && !announced_check(v, s))
		return false;
	enum slot k = jar_slot(s->signtool ? &f->main.digests : &f->whole, f->main.order, v->sdk);
	bool whole = k != SLOT_NONE && (s->whole_good >> k & 1);
	k = s->signtool ? SLOT_NONE : jar_slot(&f->main_attributes, f->main.order, v->sdk);
	if (k != SLOT_NONE && !(s->main_good >> k & 1))
		return fail(v, f->at, "the manifest's first lines are not what was signed", s->name);
	if (f->unnamed || f->twice)
		return fail(v, f->at,
			f->unnamed ? "a part of the signature file without a name"
				   : "a name twice in the signature file",
			s->name);
	return whole || sections_check(v, s);
}

/* By which signers an entry is signed, by bit. */
static unsigned signed_by(struct jar *j, struct gh_str name)
{
	unsigned bits = 0;
	for (size_t i = 0; i < j->n; i++)
		if (!j->signer[i].ignored && jar_section_find(&j->signer[i].sf, name))
			bits |= 1u << i;
	return bits;
}

static bool entry_check(struct view *v, const struct jar_entry *e, unsigned *first)
{
	struct jar *j = v->j;
	const struct jar_section *s = jar_section_find(&j->manifest, e->name);
	if (!s)
		return fail(v, e->at, "an entry that the manifest does not list", e->name);
	unsigned by = signed_by(j, e->name);
	if (!by)
		return fail(v, e->at, "an entry that nobody signed", e->name);
	if (*first && *first != by)
		return fail(v, e->at, "an entry that others signed than the rest", e->name);
	*first = by;
	enum slot k = jar_slot(&s->digests, s->order, v->sdk);
	if (k == SLOT_NONE)
		return fail(v, e->at, "an entry without a digest that these releases know", e->name);
	if (!((s->good | s->bad) >> k & 1))
		return fail(v, e->at, "an entry that cannot be unpacked", e->name);
	if (!(s->good >> k & 1))
		return fail(v, e->at, "an entry is not what was signed", e->name);
	return true;
}

static bool manifest_check(struct view *v)
{
	struct jar *j = v->j;
	if (j->entries.why)
		return fail(v, j->entries.why_at, j->entries.why, GH_NONE);
	if (j->entries.twice_at)
		return fail(v, j->entries.twice_at, "an entry that is there twice", GH_NONE);
	if (!j->has_manifest)
		return fail(v, j->entries.zip->end.central, "no manifest", GH_NONE);
	if (j->manifest.unnamed || j->manifest.twice)
		return fail(v, j->manifest.at,
			j->manifest.unnamed ? "a part of the manifest without a name" : "a name twice in the manifest",
			GH_NONE);
	if (j->others_missing)
		return fail(v, j->manifest.at, "a file that the manifest lists is not there", j->missing);
	if (!j->n)
		return fail(v, j->manifest.at, "a manifest that nobody signed", GH_NONE);
	return !j->crowd || fail(v, j->manifest.at, "more than ten signers", GH_NONE);
}

static bool entries_check(struct view *v)
{
	struct jar *j = v->j;
	unsigned first = 0;
	for (size_t i = 0; i < j->entries.n; i++)
		if (needs_digest(j->entries.list[i].name) && !entry_check(v, &j->entries.list[i], &first))
			return false;
	if (!first)
		return fail(v, j->manifest.at, "nothing is signed", GH_NONE);
	for (size_t i = 0; i < j->n; i++)
		j->signer[i].ignored |= !(first >> i & 1);
	return true;
}

static void span_check(struct view *v)
{
	struct jar *j = v->j;
	bool any = false;
	for (size_t i = 0; i < j->n; i++)
		j->signer[i].ignored = false;
	if (!manifest_check(v))
		return;
	for (size_t i = 0; i < j->n; i++)
		if (!block_check(v, &j->signer[i]))
			return;
	for (size_t i = 0; i < j->n; i++) {
		if (!sf_check(v, &j->signer[i]))
			return;
		any |= !j->signer[i].ignored;
	}
	if (!any) {
		(void)fail(v, j->manifest.at, "a manifest that nobody signed", GH_NONE);
		return;
	}
	if (!entries_check(v))
		return;
	if (j->code_missing)
		(void)apk_fail(j->ctx, v->o, APK_STRIPPED, j->manifest.at,
			"%.*s, which the manifest lists, was taken out; the rest is as signed",
			(int)gh_min(j->missing.n, 120), j->missing.p);
	else
		v->o->state = APK_VERIFIED;
}

static void certs_tell(struct jar *j, struct apk_outcome *o)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct signed_info *k = j->signer[i].used;
		if (k && !j->signer[i].ignored && k->cert.p)
			apk_outcome_certs(j->ctx, o, x509_digest(j->ctx, k->cert.p + k->cert.i, gh_left(&k->cert)));
	}
}

static void spans_check(struct jar *j, const struct apk *a, struct jar_result *ret)
{
	for (unsigned i = 0; i < a->n_spans; i++) {
		struct view v = {.j = j, .sdk = a->span[i], .o = &ret->span[i]};
		if (i && apk_era(a->span[i]) == apk_era(a->span[i - 1])) {
			ret->span[i] = ret->span[i - 1];
			continue;
		}
		span_check(&v);
		certs_tell(j, v.o);
		if (j->n == 1 && j->signer[0].used)
			ret->cert = j->signer[0].used->cert;
	}
}

/* ---- all of it ---- */

static void give_up(struct jar *j, const struct gh_err *err, struct jar_result *ret)
{
	ret->there = true;
	for (unsigned i = 0; i < SPANS; i++)
		(void)apk_fail(j->ctx, &ret->span[i],
			err->code == GH_BAD || err->code == GH_SHORT ? APK_FAILED : APK_UNSUPPORTED, err->at, "%s",
			err->what);
}

static enum gh_code jar_read(struct jar *j, const struct apk *a, struct jar_result *ret, struct gh_err *err)
{
	enum gh_code code = jar_entries_read(j->ctx, a, &j->entries, err);
	if (code)
		return code;
	const struct jar_entry *m = jar_entry_find(&j->entries, GH_STR("META-INF/MANIFEST.MF"));
	for (size_t i = 0; i < j->entries.n; i++)
		ret->there |= is_block(j->entries.list[i].name);
	if (!ret->there || !m)
		return GH_OK;
	j->has_manifest = true;
	code = file_read(j, m, FILE_MAX_SIZE, &j->manifest, err);
	if (code == GH_OK)
		code = jar_file_read(j->ctx, &j->manifest, err);
	if (code)
		return code;
	missing_find(j);
	code = signers_read(j, err);
	return code ? code : entries_digest(j, err);
}

enum gh_code apk_jar(struct gh_ctx *ctx, const struct apk *a, unsigned have, struct jar_result *ret, struct gh_err *err)
{
	struct gh_err why = {0};
	struct jar *j = gh_alloc(ctx->arena, sizeof *j);
	*ret = (struct jar_result){0};
	if (!j)
		return gh_fail(err, GH_NOMEM, 0, "no memory for a signature");
	j->ctx = ctx;
	j->have = have;
	enum gh_code code = jar_read(j, a, ret, &why);
	if (code == GH_IO)
		return gh_fail(err, code, why.at, "%s", why.what);
	if (code)
		give_up(j, &why, ret);
	else if (ret->there)
		spans_check(j, a, ret);
	return GH_OK;
}
