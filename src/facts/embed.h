/* SPDX-License-Identifier: Apache-2.0 */
/* Text files inside the program: SQL of the schema, of DERIVE and of the rules, and the shipped knowledge. */
#ifndef GH_FACTS_EMBED_H
#define GH_FACTS_EMBED_H

#include <stddef.h>

struct gh_file {
	const char *name; /* of the file, without folders */
	const char *text; /* with a zero behind it */
	size_t n;
};

extern const struct gh_file gh_schema_files[]; /* src/facts/sql */
extern const size_t gh_n_schema_files;
extern const struct gh_file gh_derive_files[]; /* src/derive/sql, in the order of their names */
extern const size_t gh_n_derive_files;
extern const struct gh_file gh_rule_files[]; /* src/rules/library */
extern const size_t gh_n_rule_files;
extern const struct gh_file gh_data_files[]; /* data */
extern const size_t gh_n_data_files;
extern const struct gh_file gh_root_files[]; /* data/roots: certificates, not a table */
extern const size_t gh_n_root_files;
extern const struct gh_file gh_style_files[]; /* src/report, style sheets */
extern const size_t gh_n_style_files;

#endif
