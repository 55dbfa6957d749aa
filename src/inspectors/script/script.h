/* SPDX-License-Identifier: Apache-2.0 */
/* Shell scripts: what the splitting into words and the grammar share. */
#ifndef GH_INSPECTORS_SCRIPT_SCRIPT_H
#define GH_INSPECTORS_SCRIPT_SCRIPT_H

#include "tree/text.h"

enum {
	SCRIPT_DEPTH = 8, /* of command substitutions inside each other; real scripts have two */
	SCRIPT_HEREDOCS = 16, /* that begin on one line */
	SCRIPT_CASES = 32, /* case statements inside each other */
	SCRIPT_MAX = 8 << 20, /* bytes that are read: longer ones carry an archive behind their commands */
	SCRIPT_ROWS = 100000, /* commands told; the longest real scripts have 5,000 */
};

enum script_kind {
	SCRIPT_WORD,
	SCRIPT_REDIRECT, /* its target is the next word */
	SCRIPT_SEPARATOR, /* ; & and line ends */
	SCRIPT_LOGIC, /* && || | */
	SCRIPT_CASE_END, /* ;; ;& ;;& */
	SCRIPT_OPEN, /* ( */
	SCRIPT_CLOSE, /* ) */
	SCRIPT_EOF,
};

struct script_token {
	enum script_kind kind;
	struct gh_str text; /* without quotes for words, as written for redirections; in the reader's buffer */
	size_t plain; /* bytes of text before the first quote: control words and the names of assignments have none */
	bool quoted;
	uint64_t at;
	int64_t line;
};

/* A stretch of text inside $( ) or ` `, read when the command around it has been told. */
struct script_inner {
	struct script_inner *next;
	size_t begin, end; /* in the text */
	int64_t line;
};

struct script {
	struct gh_ctx *ctx;
	struct gh_str text;
	size_t i, end; /* the next byte, and where the stretch at hand ends */
	uint64_t base; /* of text[0] in the blob */
	int64_t line;
	char *out; /* the words of the command at hand; as long as the text twice */
	size_t out_len;
	struct gh_str heredoc[SCRIPT_HEREDOCS]; /* delimiters whose bodies begin behind this line */
	bool heredoc_tabs[SCRIPT_HEREDOCS];
	unsigned n_heredocs;
	struct script_inner *first, **last; /* of the command at hand */
	unsigned depth;
	uint32_t rows;
	struct gh_text place; /* for cells and notes */
};

/* script_words.c */
/* Behind the parenthesis that closes the one at s->i. */
enum gh_code script_skip_group(struct script *s, struct gh_err *err) GH_MUST;
enum gh_code script_token(struct script *s, struct script_token *ret, struct gh_err *err) GH_MUST;

#endif
