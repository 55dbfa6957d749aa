/* SPDX-License-Identifier: Apache-2.0 */
/* The one fuzz harness. Compiled once a plug-in with GH_PLUGIN set to its name: a format is opened, listed, and the content of
 * every child read; an inspector is run; what the input makes of it must stay inside memory, budget and time. With GH_PLUGIN
 * "tree" the whole walk runs. */
#include <stdint.h>
#include <stdlib.h>

#include "base/num.h"
#include "tests/lib/harness.h"

enum { MEMORY = 256 << 20 };

static const uint8_t *input;
static size_t input_len;

static struct gh_source *source(struct gh_harness *h, struct gh_arena *arena)
{
	(void)h;
	return gh_source_memory(arena, input, input_len);
}

/* Names that inspectors ask for: the first byte of an input chooses none, the walk tries each. */
static const char *const names[] = {"input.img", "AndroidManifest.xml", "build.prop", "init.rc", "ueventd.rc",
	"fstab.x", "hosts", "adb_keys", "passwd", "shadow", "authorized_keys", "x.sh", "privapp-permissions.xml",
	"CERT.RSA", "cert.pem", "otacerts.zip", "payload_properties.txt"};

/* For formats that have no magic number, and are known by an ending. */
static const char *only_name(void)
{
	return strcmp(GH_PLUGIN, "brotli") == 0 ? "input.br" : strcmp(GH_PLUGIN, "lzma") == 0 ? "input.lzma" : NULL;
}

static void check_row(
	struct gh_harness *h, enum gh_table table, uint32_t blob, uint64_t n, uint64_t at, const void *row)
{
	(void)h, (void)blob, (void)n, (void)at;
	/* Every cell is read: a string that points outside is found here. */
	volatile uint8_t sum = 0;
	for (size_t i = 0; i < gh_tables[table].n; i++) {
		const struct gh_column *c = &gh_tables[table].columns[i];
		const struct gh_str *s = (const void *)((const char *)row + c->offset);
		for (size_t k = 0; c->text && s->p && k < s->n; k++)
			sum ^= (uint8_t)s->p[k];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_len = size;
	int only = gh_plugin_find(gh_str(GH_PLUGIN));
	for (size_t i = 0; i < GH_COUNT(names); i++) {
		struct gh_harness h;
		gh_harness_init(&h, MEMORY);
		h.source = source;
		h.row = check_row;
		h.look.hollow = 1 << 20; /* hashing zeros finds nothing */
		if (only >= 0)
			gh_harness_only(&h, only);
		/* Several files are needed for one artifact: they come in a zip. */
		if (only >= 0 && (size_t)only < gh_n_formats && gh_formats[only]->open_set)
			gh_harness_also(&h, gh_plugin_find(GH_STR("zip")));
		gh_harness_look(&h, gh_str(only_name() ? only_name() : names[i]), size);
		gh_harness_done(&h);
		if (only >= 0 && (size_t)only < gh_n_formats)
			break; /* a format does not look at names */
	}
	return 0;
}
