/* SPDX-License-Identifier: Apache-2.0 */
/* Binary XML: typed values (Res_value), read as TypedArray of the Android framework reads them. */
#include <inttypes.h>

#include "inspectors/axml/axml.h"

/* Decided by a resource, which the manifest alone does not show. */
static bool is_reference(const struct axml_attr *a)
{
	switch (a->type) {
	case AXML_T_REFERENCE:
	case AXML_T_ATTRIBUTE:
	case AXML_T_DYN_REFERENCE:
	case AXML_T_DYN_ATTRIBUTE:
		return a->data != 0; /* 0 is @null */
	default:
		return false;
	}
}

static bool is_said(const struct axml_attr *a)
{
	bool null = a->type == AXML_T_NULL && a->data != 1; /* 1 is @empty */
	bool null_reference = a->type == AXML_T_REFERENCE && !a->data;
	return a->set && !null && !null_reference;
}

static bool is_int(const struct axml_attr *a)
{
	return a->type >= AXML_T_INT && a->type <= AXML_T_INT_LAST;
}

/* Two texts for one value: what is shown may be the other one than what counts. */
static void compare_raw(struct axml *x, const struct axml_attr *a, struct gh_str text)
{
	if (x->quiet || a->raw == AXML_NONE || a->raw == a->data)
		return;
	struct gh_str raw = axml_string(x, a->raw);
	if (raw.p && !gh_str_eq(raw, text))
		axml_note_once(x, AXML_ONCE_RAW, a->at, "an attribute whose text and value are different strings");
}

struct gh_str axml_text(struct axml *x, const struct axml_attr *a)
{
	struct gh_str s = GH_NONE;
	if (!is_said(a) || is_reference(a))
		return s;
	if (a->type == AXML_T_STRING) {
		s = axml_string(x, a->data);
		if (s.p)
			compare_raw(x, a, s);
		return s.p ? s : axml_string(x, a->raw);
	}
	if (a->type == AXML_T_NULL)
		return GH_STR("");
	s = axml_string(x, a->raw);
	if (s.p || !is_int(a))
		return s;
	if (a->type == AXML_T_BOOL)
		return a->data ? GH_STR("true") : GH_STR("false");
	s = gh_str_fmt(x->ctx->arena, a->type == AXML_T_HEX ? "0x%" PRIx32 : "%" PRId32, a->data);
	if (!s.p)
		gh_fail(&x->err, GH_NOMEM, a->at, "no memory for a value");
	return s;
}

struct gh_str axml_raw_text(struct axml *x, const struct axml_attr *a)
{
	struct gh_str s = a->set ? axml_string(x, a->raw) : GH_NONE;
	return s.p ? s : axml_text(x, a);
}

int64_t axml_bool(struct axml *x, const struct axml_attr *a, int64_t otherwise)
{
	if (!is_said(a) || a->type == AXML_T_NULL)
		return otherwise;
	if (is_reference(a))
		return GH_NULL;
	if (is_int(a))
		return a->data != 0;
	struct gh_str s = axml_text(x, a);
	return gh_str_is(s, "true") || gh_str_is(s, "TRUE") || gh_str_is(s, "1");
}

/* As XmlUtils.convertValueToInt: a sign, then 0x…, #…, 0… or decimal. */
static bool parse_int(struct gh_str s, int64_t *ret)
{
	uint64_t v;
	bool minus = s.n && *s.p == '-';
	s.p += minus;
	s.n -= minus;
	bool hash = s.n && *s.p == '#';
	if (!gh_str_u64(gh_strn(s.p + hash, s.n - hash), hash ? 16 : 0, &v) || v > UINT32_MAX)
		return false;
	*ret = (int32_t)(minus ? 0 - (uint32_t)v : (uint32_t)v);
	return true;
}

int64_t axml_int(struct axml *x, const struct axml_attr *a, int64_t otherwise)
{
	int64_t v;
	if (!is_said(a) || a->type == AXML_T_NULL)
		return otherwise;
	if (is_reference(a))
		return GH_NULL;
	if (is_int(a))
		return (int32_t)a->data;
	struct gh_str s = axml_text(x, a);
	return s.p && parse_int(s, &v) ? v : GH_NULL;
}

struct gh_str axml_reference(struct axml *x, const struct axml_attr *a)
{
	if (!a->set || !is_reference(a))
		return axml_text(x, a);
	struct gh_str s = gh_str_fmt(x->ctx->arena, "@0x%08" PRIx32, a->data);
	if (!s.p)
		gh_fail(&x->err, GH_NOMEM, a->at, "no memory for a value");
	return s;
}
