/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel command lines: see cmdline.h. */
#include "base/cmdline.h"

#include <stdint.h>

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct gh_str unquoted_end(struct gh_str s)
{
	if (s.n && s.p[s.n - 1] == '"')
		s.n--;
	return s;
}

bool gh_arg_next(struct gh_str text, struct gh_str *rest, struct gh_arg *ret)
{
	while (rest->n && is_blank(*rest->p)) {
		rest->p++;
		rest->n--;
	}
	if (!rest->n)
		return false;
	ret->at = (size_t)(rest->p - text.p);
	bool whole = *rest->p == '"', quote = whole;
	size_t equals = SIZE_MAX, i = whole;
	for (; i < rest->n && (quote || !is_blank(rest->p[i])); i++) {
		if (rest->p[i] == '=' && equals == SIZE_MAX && i > (size_t)whole)
			equals = i;
		if (rest->p[i] == '"')
			quote = !quote;
	}
	struct gh_str arg = gh_strn(rest->p + whole, i - whole);
	ret->key = arg;
	ret->value = GH_NONE;
	rest->p += i;
	rest->n -= i;
	if (equals != SIZE_MAX) {
		ret->key.n = equals - whole;
		ret->value = gh_strn(arg.p + ret->key.n + 1, arg.n - ret->key.n - 1);
		if (ret->value.n && *ret->value.p == '"')
			ret->value = unquoted_end(gh_strn(ret->value.p + 1, ret->value.n - 1));
		else if (whole)
			ret->value = unquoted_end(ret->value);
	} else if (whole) {
		ret->key = unquoted_end(arg);
	}
	return true;
}
