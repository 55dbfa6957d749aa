/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of facts about content: their column lists. */
#include "facts/tables.h"

#include "base/num.h"

#define TABLE(name, title) static const struct gh_column name##_columns[] = {
#define TEXT(table, column) {#column, true, offsetof(struct gh_row_##table, column)},
#define INT(table, column) {#column, false, offsetof(struct gh_row_##table, column)},
#define END(name)                                                                                                      \
	}                                                                                                              \
	;
#include "facts/tables.def"
#undef TABLE
#undef TEXT
#undef INT
#undef END

const struct gh_table_info gh_tables[GH_N_TABLES] = {
#define TABLE(name, title) [GH_T_##name] = {#name, title, name##_columns, GH_COUNT(name##_columns)},
#define TEXT(name, column)
#define INT(name, column)
#define END(name)
#include "facts/tables.def"
};
