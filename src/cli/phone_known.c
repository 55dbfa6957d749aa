/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan of a published build knows, for a phone that is asked: its contents, and what lies where. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli/phone.h"
#include "facts/db.h"

struct content {
	uint8_t sha256[32];
};

struct gh_known_contents {
	uint64_t *places; /* hashes of path and size, sorted; who makes two alike gets a file hashed */
	struct content *contents; /* sorted */
	size_t n;
};

static uint64_t place_of(struct gh_str path, uint64_t size)
{
	return gh_str_hash(path) ^ size * 0x9e3779b97f4a7c15ull;
}

static int by_place(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static int by_content(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct content));
}

static bool same_place(void *to, struct gh_str path, uint64_t size)
{
	const struct gh_known_contents *k = to;
	uint64_t place = place_of(path, size);
	return k->n && bsearch(&place, k->places, k->n, sizeof place, by_place);
}

static bool known(void *to, const uint8_t sha256[32])
{
	const struct gh_known_contents *k = to;
	return k->n && bsearch(sha256, k->contents, k->n, sizeof *k->contents, by_content);
}

static bool take_row(struct gh_known_contents *k, size_t *cap, sqlite3_stmt *q)
{
	if (k->n == *cap) {
		*cap = *cap ? *cap * 2 : 4096;
		uint64_t *places = realloc(k->places, *cap * sizeof *places);
		k->places = places ? places : k->places;
		struct content *contents = realloc(k->contents, *cap * sizeof *contents);
		k->contents = contents ? contents : k->contents;
		if (!places || !contents)
			return false;
	}
	struct gh_str path = gh_strn(sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0));
	if (!path.p || sqlite3_column_bytes(q, 2) != 32)
		return true;
	k->places[k->n] = place_of(path, (uint64_t)sqlite3_column_int64(q, 1));
	memcpy(k->contents[k->n].sha256, sqlite3_column_blob(q, 2), 32);
	k->n++;
	return true;
}

struct gh_known_contents *gh_known_load(struct gh_db *db, int64_t scan, struct gh_reference *ret, struct gh_err *err)
{
	struct gh_known_contents *k = calloc(1, sizeof *k);
	sqlite3_stmt *q = NULL;
	size_t cap = 0;
	int rc = k ? sqlite3_prepare_v2(gh_db_handle(db),
			     "SELECT p.dpath, p.size, b.sha256 FROM places p JOIN blobs b USING(blob_id) WHERE "
			     "p.scan_id=?1 AND p.live=1 AND p.ftype='file' AND p.image<>'' AND b.sha256 NOT NULL",
			     -1, &q, NULL)
		   : SQLITE_NOMEM;
	if (rc == SQLITE_OK)
		sqlite3_bind_int64(q, 1, scan);
	bool memory = true;
	while (rc == SQLITE_OK && memory && sqlite3_step(q) == SQLITE_ROW)
		memory = take_row(k, &cap, q);
	sqlite3_finalize(q);
	if (rc != SQLITE_OK || !memory) {
		gh_known_free(k);
		gh_fail(err, GH_NOMEM, 0, "the reference's contents cannot be read from its facts");
		return NULL;
	}
	if (k->n) {
		qsort(k->places, k->n, sizeof *k->places, by_place);
		qsort(k->contents, k->n, sizeof *k->contents, by_content);
	}
	*ret = (struct gh_reference){same_place, known, k};
	return k;
}

void gh_known_free(struct gh_known_contents *k)
{
	if (k) {
		free(k->places);
		free(k->contents);
	}
	free(k);
}
