/* SPDX-License-Identifier: Apache-2.0 */
/* Binary XML of Android: chunks, nodes and attributes (ResourceTypes.h; ResXMLParser of AOSP says what Android still loads). */
#include "inspectors/axml/axml.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	C_POOL = 1,
	C_XML = 3,
	C_FIRST = 0x100, /* of the node types */
	C_START = 0x102,
	C_END = 0x103,
	C_CDATA = 0x104,
	C_LAST = 0x17f,
	C_IDS = 0x180,
	HEADER = 8, /* of a chunk */
	NODE = 16, /* and of a node */
	START_EXT = 20,
	END_EXT = 8,
	ATTR = 20,
};

struct chunk {
	uint64_t at, size;
	uint16_t type, header;
};

void axml_note(struct axml *x, uint64_t at, const char *fmt, ...)
{
	char what[120];
	va_list ap;
	if (x->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	gh_note(x->ctx, GH_BAD, at, "%s", what);
}

void axml_note_once(struct axml *x, enum axml_once what, uint64_t at, const char *text)
{
	if (x->quiet || x->told & what)
		return;
	x->told |= what;
	axml_note(x, at, "%s", text);
}

static struct gh_cursor at(const struct axml *x, uint64_t pos)
{
	struct gh_cursor c = gh_cursor(x->p, x->end, 0);
	gh_seek(&c, pos);
	return c;
}

/* ---- chunks ---- */

/* The chunk at pos, if its sizes are possible. */
static bool chunk_read(const struct axml *x, uint64_t pos, struct chunk *ret)
{
	struct gh_cursor c = at(x, pos);
	ret->at = pos;
	ret->type = gh_u16(&c);
	ret->header = gh_u16(&c);
	ret->size = gh_u32(&c);
	bool node = ret->type >= C_FIRST && ret->type <= C_LAST;
	return !c.bad && ret->header >= (node ? NODE : HEADER) && ret->header <= ret->size && ret->size <= x->end - pos;
}

/* Where the next chunk is whose kind and sizes are as they should be, from a bad one on. */
static enum gh_code resync(struct axml *x, uint64_t pos, uint64_t *ret, struct gh_err *err)
{
	struct chunk k;
	for (uint64_t i = pos + 4; x->end >= HEADER && i <= x->end - HEADER; i += 4) {
		enum gh_code code = gh_spend_steps(x->ctx->budget, 1, i, err);
		if (code)
			return code;
		if (!chunk_read(x, i, &k) || k.size & 3)
			continue;
		bool node = k.type >= C_FIRST && k.type <= C_CDATA && k.header == NODE;
		bool pool = k.type == C_POOL && k.header == 28;
		bool ids = k.type == C_IDS && k.header == HEADER;
		if (node || pool || ids) {
			axml_note(x, pos, "not a chunk: %u bytes stepped over", (unsigned)(i - pos));
			*ret = i;
			return GH_OK;
		}
	}
	axml_note(x, pos, "not a chunk: the document ends here");
	*ret = x->end;
	return GH_OK;
}

/* The chunk at x->pos, which moves behind it; GH_END at the end. */
static enum gh_code chunk_next(struct axml *x, struct chunk *ret, struct gh_err *err)
{
	while (x->pos < x->end) {
		enum gh_code code = gh_spend_steps(x->ctx->budget, 1, x->pos, err);
		if (code)
			return code;
		if (chunk_read(x, x->pos, ret)) {
			if ((ret->header | ret->size) & 3)
				axml_note(x, x->pos, "chunk whose size is no multiple of 4");
			x->pos += ret->size;
			return GH_OK;
		}
		code = resync(x, x->pos, &x->pos, err);
		if (code)
			return code;
	}
	return GH_END;
}

/* ---- document ---- */

/* Android takes the sizes of the document's header as they are and does not look at its type. */
static enum gh_code header_read(struct axml *x, uint64_t n, struct gh_err *err)
{
	struct gh_cursor c = gh_cursor(x->p, n, 0);
	uint16_t type = gh_u16(&c), header = gh_u16(&c);
	uint32_t size = gh_u32(&c);
	if (c.bad)
		return gh_fail(err, GH_SHORT, 0, "too short for binary XML");
	if (type != C_XML)
		axml_note(x, 0, "chunk type %u instead of 3: Android loads it all the same", type);
	x->end = n;
	if (size < HEADER || size > n)
		axml_note(x, 4, "size of the document is %u of %u bytes: Android refuses it", size, (unsigned)n);
	else
		x->end = size;
	struct chunk k;
	x->pos = HEADER;
	if (header == HEADER)
		return GH_OK;
	if (header > HEADER && header < x->end && chunk_read(x, header, &k)) {
		axml_note(x, 2, "header of %u bytes instead of 8: Android loads it all the same", header);
		x->pos = header;
	} else {
		axml_note(x, 2, "header of %u bytes instead of 8: Android refuses it", header);
	}
	return GH_OK;
}

enum gh_code axml_open(struct axml *x, struct gh_ctx *ctx, const uint8_t *p, uint64_t n, struct gh_err *err)
{
	struct chunk k;
	*x = (struct axml){.ctx = ctx, .p = p};
	enum gh_code code = header_read(x, n, err);
	while (code == GH_OK) {
		code = chunk_next(x, &k, err);
		if (code)
			break;
		struct gh_cursor all = at(x, k.at), c = gh_sub(&all, k.size);
		if (k.type >= C_FIRST && k.type <= C_LAST) {
			x->first = k.at;
			return GH_OK;
		}
		if (k.type == C_POOL) {
			axml_pool_read(x, c, &x->pool);
		} else if (k.type == C_IDS) {
			gh_skip(&c, k.header);
			x->ids = gh_sub(&c, gh_left(&c));
		} else {
			axml_note(x, k.at, "unknown chunk of type 0x%x", k.type);
		}
	}
	return code == GH_END ? gh_fail(err, GH_BAD, x->end, "binary XML without an element") : code;
}

void axml_rewind(struct axml *x)
{
	x->pos = x->first;
}

/* ---- nodes ---- */

static bool start_read(struct axml *x, const struct chunk *k, struct axml_node *ret)
{
	struct gh_cursor c = at(x, k->at + k->header);
	gh_skip(&c, 4); /* namespace of the element: Android does not ask for it */
	ret->name = gh_u32(&c);
	uint64_t start = gh_u16(&c);
	ret->attr_size = gh_u16(&c);
	ret->n_attrs = gh_u16(&c);
	ret->attrs = k->at + k->header + start;
	ret->start = true;
	uint64_t room = k->size - k->header, need = start + (uint64_t)ret->attr_size * ret->n_attrs;
	if (c.bad || room < START_EXT) {
		axml_note(x, k->at, "element of %u bytes stepped over", (unsigned)k->size);
		return false;
	}
	if (need > room) {
		axml_note(x, k->at, "%u attributes in an element of %u bytes: Android refuses it", ret->n_attrs,
			(unsigned)k->size);
		ret->n_attrs = start > room || !ret->attr_size ? 0 : (uint16_t)((room - start) / ret->attr_size);
	}
	if (ret->attr_size != ATTR && ret->n_attrs)
		axml_note_once(x, AXML_ONCE_ATTR_SIZE, k->at, "attributes that are not 20 bytes apart");
	return true;
}

enum gh_code axml_next(struct axml *x, struct axml_node *ret, struct gh_err *err)
{
	struct chunk k;
	enum gh_code code;
	while ((code = chunk_next(x, &k, err)) == GH_OK) {
		*ret = (struct axml_node){.at = k.at};
		if (k.type == C_START) {
			if (start_read(x, &k, ret))
				return GH_OK;
		} else if (k.type == C_END) {
			struct gh_cursor c = at(x, k.at + k.header);
			gh_skip(&c, 4);
			ret->name = gh_u32(&c);
			if (!c.bad && k.size - k.header >= END_EXT)
				return GH_OK;
			axml_note(x, k.at, "end of an element in %u bytes stepped over", (unsigned)k.size);
		} else if (k.type == C_CDATA && x->texts) {
			struct gh_cursor c = at(x, k.at + k.header);
			ret->name = gh_u32(&c);
			ret->text = true;
			if (!c.bad && k.size - k.header >= 4)
				return GH_OK;
		} else if (k.type < C_FIRST || k.type > C_CDATA) {
			axml_note(x, k.at, "chunk of type 0x%x among the nodes", k.type);
		}
	}
	return code;
}

/* ---- attributes ---- */

/* Resource ids of android.R.attr, which never change; 0: known by its name alone. In the order of enum axml_slot. */
static const struct known {
	uint32_t id;
	const char *name;
} known[A_N] = {
	[A_PACKAGE] = {0, "package"},
	[A_NAME] = {0x01010003, "name"},
	[A_PERMISSION] = {0x01010006, "permission"},
	[A_READ_PERMISSION] = {0x01010007, "readPermission"},
	[A_WRITE_PERMISSION] = {0x01010008, "writePermission"},
	[A_PROTECTION] = {0x01010009, "protectionLevel"},
	[A_SHARED_UID] = {0x0101000b, "sharedUserId"},
	[A_HAS_CODE] = {0x0101000c, "hasCode"},
	[A_PERSISTENT] = {0x0101000d, "persistent"},
	[A_ENABLED] = {0x0101000e, "enabled"},
	[A_DEBUGGABLE] = {0x0101000f, "debuggable"},
	[A_EXPORTED] = {0x01010010, "exported"},
	[A_PROCESS] = {0x01010011, "process"},
	[A_AUTHORITIES] = {0x01010018, "authorities"},
	[A_PRIORITY] = {0x0101001c, "priority"},
	[A_TARGET_PACKAGE] = {0x01010021, "targetPackage"},
	[A_SCHEME] = {0x01010027, "scheme"},
	[A_HOST] = {0x01010028, "host"},
	[A_TARGET_ACTIVITY] = {0x01010202, "targetActivity"},
	[A_MIN_SDK] = {0x0101020c, "minSdkVersion"},
	[A_VERSION_CODE] = {0x0101021b, "versionCode"},
	[A_VERSION_NAME] = {0x0101021c, "versionName"},
	[A_TARGET_SDK] = {0x01010270, "targetSdkVersion"},
	[A_TEST_ONLY] = {0x01010272, "testOnly"},
	[A_CLEARTEXT] = {0x010104ec, "usesCleartextTraffic"},
	[A_DIRECT_BOOT] = {0x01010505, "directBootAware"},
	[A_NETWORK_CONFIG] = {0x01010527, "networkSecurityConfig"},
	[A_TARGET_SANDBOX] = {0x0101054c, "targetSandboxVersion"},
	[A_VERSION_MAJOR] = {0x01010576, "versionCodeMajor"},
	[A_LABEL] = {0x01010001, "label"},
};

static uint32_t id_of(const struct axml *x, uint32_t name)
{
	struct gh_cursor c = x->ids;
	if (name >= c.n / 4)
		return 0;
	gh_skip(&c, (uint64_t)name * 4);
	return gh_u32(&c);
}

static int slot_by_id(uint32_t id)
{
	if (id >> 16 != 0x0101)
		return -1;
	for (int i = 0; i < A_N; i++)
		if (known[i].id == id)
			return i;
	return -1;
}

static int slot_by_name(struct axml *x, uint32_t ns, uint32_t name)
{
	if (ns == AXML_NONE)
		return axml_string_is(x, name, known[A_PACKAGE].name) ? A_PACKAGE : -1;
	if (!axml_string_is(x, ns, "http://schemas.android.com/apk/res/android"))
		return -1;
	for (int i = A_PACKAGE + 1; i < A_N; i++)
		if (axml_string_is(x, name, known[i].name))
			return i;
	return -1;
}

bool axml_attr_named(struct axml *x, const struct axml_node *node, const char *name, struct axml_attr *ret)
{
	*ret = (struct axml_attr){0};
	if (x->err.code || gh_spend_steps(x->ctx->budget, node->n_attrs, node->at, &x->err))
		return false;
	for (uint64_t i = 0; i < node->n_attrs; i++) {
		struct gh_cursor c = at(x, node->attrs + i * node->attr_size);
		struct axml_attr a = {.set = true, .at = gh_at(&c)};
		uint32_t ns = gh_u32(&c), word = gh_u32(&c);
		a.raw = gh_u32(&c);
		gh_skip(&c, 3);
		a.type = gh_u8(&c);
		a.data = gh_u32(&c);
		if (!c.bad && ns == AXML_NONE && axml_string_is(x, word, name)) {
			*ret = a;
			return true;
		}
	}
	return false;
}

/* The attribute at c goes to its slot: the first one counts, and one known by its id more than one known by name. */
static void attr_read(struct axml *x, struct gh_cursor c, uint32_t *last_id, struct axml_attr ret[A_N])
{
	struct axml_attr a = {.set = true, .at = gh_at(&c)};
	uint32_t ns = gh_u32(&c), name = gh_u32(&c);
	a.raw = gh_u32(&c);
	gh_skip(&c, 3);
	a.type = gh_u8(&c);
	a.data = gh_u32(&c);
	if (c.bad)
		return;
	uint32_t id = id_of(x, name);
	if (id && id < *last_id)
		axml_note_once(x, AXML_ONCE_UNSORTED, a.at,
			"attributes that are not in the order of their ids: Android may overlook some");
	if (id)
		*last_id = id;
	int slot = id ? slot_by_id(id) : slot_by_name(x, ns, name);
	a.by_name = !id && slot > A_PACKAGE;
	if (slot < 0 || (ret[slot].set && !(ret[slot].by_name && !a.by_name)))
		return;
	if (a.by_name)
		axml_note_once(x, AXML_ONCE_BY_NAME, a.at, "an attribute without resource id: Android overlooks it");
	ret[slot] = a;
}

void axml_attrs(struct axml *x, const struct axml_node *node, struct axml_attr ret[A_N])
{
	uint32_t last_id = 0;
	memset(ret, 0, A_N * sizeof *ret);
	if (x->err.code || gh_spend_steps(x->ctx->budget, node->n_attrs, node->at, &x->err))
		return;
	for (uint64_t i = 0; i < node->n_attrs; i++)
		attr_read(x, at(x, node->attrs + i * node->attr_size), &last_id, ret);
}

/* ---- inspector ---- */

/* Android looks neither at the type nor at the size of the header, only that the document's size fits: as we do. In text the
 * same bytes make a size of many megabytes. A damaged manifest is known by its magic. */
static bool axml_wants(const struct gh_probe *probe)
{
	struct gh_cursor c = gh_cursor(probe->head, probe->head_len, 0);
	uint16_t type = gh_u16(&c), header = gh_u16(&c);
	uint32_t size = gh_u32(&c);
	if (c.bad || !gh_str_ends(probe->name, "AndroidManifest.xml"))
		return false;
	return ((type == C_XML || !type) && header == HEADER) || (size >= HEADER && size <= probe->size);
}

static enum gh_code axml_run(struct gh_ctx *ctx, const struct gh_blob *blob, struct gh_err *err)
{
	struct axml x;
	if (!blob->data)
		return gh_fail(err, GH_LIMIT, GH_WHOLE_MAX, "manifest larger than 64 MiB");
	enum gh_code code = axml_open(&x, ctx, blob->data, blob->size, err);
	return code ? code : axml_manifest(&x, err);
}

const struct gh_inspector gh_inspector_axml = {
	.name = "axml",
	.title = "Android manifest",
	.version = 2,
	.wants = axml_wants,
	.run = axml_run,
};
