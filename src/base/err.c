/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: filling and naming. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

enum gh_code gh_fail(struct gh_err *err, enum gh_code code, uint64_t at, const char *fmt, ...)
{
	if (!err)
		return code;
	err->code = code;
	err->at = at;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof err->what, fmt, ap);
	va_end(ap);
	return code;
}

const char *gh_code_word(enum gh_code code)
{
	switch (code) {
	case GH_OK:
	case GH_END:
		return "ok";
	case GH_IO:
		return "io";
	case GH_NOMEM:
		return "nomem";
	case GH_SHORT:
		return "short";
	case GH_BAD:
		return "bad";
	case GH_UNSUP:
		return "unsup";
	case GH_LIMIT:
		return "limit";
	}
	return "bad";
}
