/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of facts about content: from tables.def one number, one struct and one column list a table. */
#ifndef GH_FACTS_TABLES_H
#define GH_FACTS_TABLES_H

#include "base/str.h"

#define GH_NULL INT64_MIN /* an INT that is NULL in the database */

enum gh_table {
#define TABLE(name, title) GH_T_##name,
#define TEXT(name, column)
#define INT(name, column)
#define END(name)
#include "facts/tables.def"
#undef TABLE
#undef TEXT
#undef INT
#undef END
	GH_N_TABLES
};

/* struct gh_row_<table>: one member a column. */
#define TABLE(name, title) struct gh_row_##name {
#define TEXT(name, column) struct gh_str column;
#define INT(name, column) int64_t column;
#define END(name)                                                                                                      \
	}                                                                                                              \
	;
#include "facts/tables.def"
#undef TABLE
#undef TEXT
#undef INT
#undef END

struct gh_column {
	const char *name;
	bool text;
	size_t offset; /* in the row struct */
};

struct gh_table_info {
	const char *name;
	const char *title;
	const struct gh_column *columns;
	size_t n;
};

extern const struct gh_table_info gh_tables[GH_N_TABLES];

#endif
