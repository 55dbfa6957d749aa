/* SPDX-License-Identifier: Apache-2.0 */
/* AndroidManifest.xml: package, application, permissions, as PackageParser of the Android framework understands them. Read twice:
 * what an application or uses-sdk element says counts for components before it too. */
#include "inspectors/axml/axml_manifest.h"

#include <stdio.h>

static const struct {
	const char *name;
	uint8_t depth; /* where it counts, from 1 */
} elements[E_N] = {
	[E_MANIFEST] = {"manifest", 1},
	[E_USES_SDK] = {"uses-sdk", 2},
	[E_APPLICATION] = {"application", 2},
	[E_PERMISSION] = {"permission", 2},
	[E_PERMISSION_TREE] = {"permission-tree", 2},
	[E_USES_PERMISSION] = {"uses-permission", 2},
	[E_OVERLAY] = {"overlay", 2},
	[E_ACTIVITY] = {"activity", 3},
	[E_ALIAS] = {"activity-alias", 3},
	[E_SERVICE] = {"service", 3},
	[E_RECEIVER] = {"receiver", 3},
	[E_PROVIDER] = {"provider", 3},
	[E_FILTER] = {"intent-filter", 4},
	[E_ACTION] = {"action", 5},
	[E_CATEGORY] = {"category", 5},
	[E_DATA] = {"data", 5},
};

static enum element element_of(struct axml *x, uint32_t name, uint64_t depth)
{
	for (enum element e = E_MANIFEST; e < E_N; e++)
		if (elements[e].depth == depth && axml_string_is(x, name, elements[e].name))
			return e;
	if (depth == 2 &&
		(axml_string_is(x, name, "uses-permission-sdk-23") || axml_string_is(x, name, "uses-permission-sdk-m")))
		return E_USES_PERMISSION;
	return E_OTHER;
}

static struct gh_str join(struct walk *w, struct gh_str a, const char *between, struct gh_str b)
{
	size_t n = strlen(between);
	char *p = gh_alloc_raw(w->x->ctx->arena, a.n + n + b.n + 1);
	if (!p) {
		gh_fail(&w->x->err, GH_NOMEM, 0, "no memory for a name");
		return GH_NONE;
	}
	memcpy(p, a.p, a.n);
	memcpy(p + a.n, between, n);
	memcpy(p + a.n + n, b.p, b.n);
	return gh_strn(p, a.n + n + b.n);
}

struct gh_str process_name(struct walk *w, struct gh_str said, struct gh_str otherwise)
{
	if (!said.n)
		return otherwise;
	return *said.p == ':' && w->app.package.p ? join(w, w->app.package, "", said) : said;
}

/* ---- permissions ---- */

static const char *const flag_words[] = {"privileged", "development", "appop", "pre23", "installer", "verifier",
	"preinstalled", "setup", "instant", "runtime", "oem", "vendorPrivileged", "textClassifier", "wellbeing",
	"documenter", "configurator", "incidentReportApprover", "appPredictor", "module", "companion", "retailDemo",
	"recents", "role", "knownSigner"};

/* "signature|privileged|development". signatureOrSystem is the old word for the first two. */
static struct gh_str protection_words(struct walk *w, uint32_t level)
{
	static const char *const base[] = {"normal", "dangerous", "signature", "signature", "internal"};
	char buf[400];
	uint32_t b = level & 15, flags = level >> 4;
	if (b == 3)
		flags |= 1;
	size_t n = (size_t)(b < GH_COUNT(base) ? snprintf(buf, sizeof buf, "%s", base[b])
					       : snprintf(buf, sizeof buf, "%u", b));
	for (size_t i = 0; i < GH_COUNT(flag_words); i++)
		if (flags >> i & 1)
			n += (size_t)snprintf(buf + n, sizeof buf - n, "|%s", flag_words[i]);
	if (flags >> GH_COUNT(flag_words))
		snprintf(buf + n, sizeof buf - n, "|0x%x", level & 0xf0000000u);
	struct gh_str s = gh_str_fmt(w->x->ctx->arena, "%s", buf);
	if (!s.p)
		gh_fail(&w->x->err, GH_NOMEM, 0, "no memory for a protection level");
	return s;
}

static void permission(struct walk *w, enum element e, const struct axml_node *node, const struct axml_attr a[A_N])
{
	struct gh_str name = axml_text(w->x, &a[A_NAME]), words = GH_NONE;
	if (!w->rows)
		return;
	if (!name.p) {
		axml_note(w->x, node->at, "a permission without a name that the manifest itself shows");
		return;
	}
	if (e == E_PERMISSION_TREE)
		words = GH_STR("normal");
	if (e == E_PERMISSION) {
		int64_t level = axml_int(w->x, &a[A_PROTECTION], 0);
		words = level == GH_NULL ? GH_NONE : protection_words(w, (uint32_t)level);
	}
	GH_EMIT(w->x->ctx, manifest_permissions, node->at, .name = name,
		.how = e == E_USES_PERMISSION ? GH_STR("uses") : GH_STR("defines"), .protection = words);
}

/* ---- package and application ---- */

static void manifest(struct walk *w, const struct axml_node *node, const struct axml_attr a[A_N])
{
	struct axml *x = w->x;
	struct gh_row_manifests *r = &w->app;
	w->has_manifest = true;
	w->app_at = node->at;
	r->package = axml_raw_text(x, &a[A_PACKAGE]);
	if (!r->package.p)
		axml_note(x, node->at, "a manifest without package name");
	r->shared_uid = axml_text(x, &a[A_SHARED_UID]);
	r->target_sandbox = axml_int(x, &a[A_TARGET_SANDBOX], GH_NULL);
	r->version_name = axml_text(x, &a[A_VERSION_NAME]);
	int64_t major = axml_int(x, &a[A_VERSION_MAJOR], 0), code = axml_int(x, &a[A_VERSION_CODE], 0);
	bool known = major != GH_NULL && code != GH_NULL && (a[A_VERSION_CODE].set || a[A_VERSION_MAJOR].set);
	r->version_code = known ? (int64_t)((uint64_t)major << 32 | (uint32_t)code) : GH_NULL;
}

/* A release under development is named by a letter; it is newer than all numbers. */
static void uses_sdk(struct walk *w, const struct axml_attr a[A_N])
{
	struct gh_row_manifests *r = &w->app;
	int64_t min = axml_int(w->x, &a[A_MIN_SDK], 1), target = axml_int(w->x, &a[A_TARGET_SDK], min);
	const struct axml_attr *decides = a[A_TARGET_SDK].set ? &a[A_TARGET_SDK] : &a[A_MIN_SDK];
	r->min_sdk = a[A_MIN_SDK].set ? min : GH_NULL;
	r->target_sdk = a[A_TARGET_SDK].set ? target : GH_NULL;
	w->sdk = target == GH_NULL && decides->type == AXML_T_STRING ? INT32_MAX : target;
}

static void application(struct walk *w, const struct axml_node *node, const struct axml_attr a[A_N])
{
	struct axml *x = w->x;
	struct gh_row_manifests *r = &w->app;
	if (w->seen_application) {
		axml_note(x, node->at, "a second application element, which Android overlooks");
		w->path[1] = E_OTHER;
		return;
	}
	w->seen_application = w->has_application = true;
	r->persistent = axml_bool(x, &a[A_PERSISTENT], 0);
	r->debuggable = axml_bool(x, &a[A_DEBUGGABLE], 0);
	r->cleartext = axml_bool(x, &a[A_CLEARTEXT], GH_NULL);
	r->enabled = axml_bool(x, &a[A_ENABLED], 1);
	r->has_code = axml_bool(x, &a[A_HAS_CODE], 1);
	r->test_only = axml_bool(x, &a[A_TEST_ONLY], 0);
	r->network_config = axml_reference(x, &a[A_NETWORK_CONFIG]);
	r->process = process_name(w, axml_text(x, &a[A_PROCESS]), GH_NONE);
	struct gh_str p = axml_text(x, &a[A_PERMISSION]);
	w->app_permission = p.n ? p : GH_NONE;
}

static void overlay(struct walk *w, const struct axml_attr a[A_N])
{
	if (!w->app.overlay_target.p)
		w->app.overlay_target = axml_text(w->x, &a[A_TARGET_PACKAGE]);
}

/* ---- walk ---- */

static bool parent_is(const struct walk *w, uint64_t depth, enum element e)
{
	return depth < 2 ? e == E_OTHER : w->path[depth - 2] == e;
}

/* Is the element where it counts? Below depth 1 that is a matter of its parent. */
static bool counts(const struct walk *w, enum element e)
{
	switch (elements[e].depth) {
	case 1:
		return true;
	case 2:
		return parent_is(w, 2, E_MANIFEST);
	case 3:
		return parent_is(w, 3, E_APPLICATION);
	case 4:
		return w->component.kind != E_OTHER && parent_is(w, 4, w->component.kind);
	default:
		return parent_is(w, 5, E_FILTER);
	}
}

static void begin(struct walk *w, enum element e, const struct axml_node *node)
{
	struct axml_attr a[A_N];
	if (e >= E_ACTIVITY) {
		if (!w->rows)
			return;
		if (e <= E_PROVIDER)
			component_begin(w, e, node);
		else if (e == E_FILTER)
			filter_begin(w, node);
		else
			filter_add(w, e, node);
		return;
	}
	axml_attrs(w->x, node, a);
	if (e == E_MANIFEST)
		manifest(w, node, a);
	else if (e == E_USES_SDK)
		uses_sdk(w, a);
	else if (e == E_APPLICATION)
		application(w, node, a);
	else if (e == E_OVERLAY)
		overlay(w, a);
	else
		permission(w, e, node, a);
}

static void element_start(struct walk *w, const struct axml_node *node)
{
	uint64_t depth = ++w->depth;
	if (depth > GH_COUNT(w->path))
		return;
	enum element e = element_of(w->x, node->name, depth);
	if (e != E_OTHER && !counts(w, e))
		e = E_OTHER;
	if (depth == 1 && (e == E_OTHER || w->app_at)) {
		axml_note(w->x, node->at, e ? "a second manifest element" : "the outermost element is not a manifest");
		e = E_OTHER;
	}
	w->path[depth - 1] = e;
	if (e != E_OTHER)
		begin(w, e, node);
}

static void element_end(struct walk *w, const struct axml_node *node)
{
	if (!w->depth) {
		axml_note(w->x, node->at, "the end of an element that did not begin");
		return;
	}
	if (w->depth == 3)
		component_end(w);
	w->depth--;
}

static enum gh_code reading(struct walk *w, struct gh_err *err)
{
	struct axml_node node;
	enum gh_code code;
	axml_rewind(w->x);
	while ((code = axml_next(w->x, &node, err)) == GH_OK) {
		if (node.start)
			element_start(w, &node);
		else
			element_end(w, &node);
		if (w->x->err.code) {
			*err = w->x->err;
			return err->code;
		}
	}
	component_end(w);
	if (code == GH_END && w->depth)
		axml_note(w->x, w->x->end, "the document ends inside of an element");
	return code == GH_END ? GH_OK : code;
}

static const struct gh_row_manifests nothing_said = {.version_code = GH_NULL,
	.min_sdk = GH_NULL,
	.target_sdk = GH_NULL,
	.target_sandbox = GH_NULL,
	.cleartext = GH_NULL,
	.enabled = 1};

enum gh_code axml_manifest(struct axml *x, struct gh_err *err)
{
	struct walk first = {.x = x, .app = nothing_said, .sdk = 1}, w;
	x->quiet = true;
	enum gh_code code = reading(&first, err);
	x->quiet = false;
	if (code)
		return code;
	if (!first.has_manifest)
		return gh_fail(err, GH_BAD, x->first, "no manifest element");
	w = (struct walk){
		.x = x, .rows = true, .app = first.app, .sdk = first.sdk, .app_permission = first.app_permission};
	w.app_at = 0;
	w.app.overlay_target = GH_NONE;
	code = reading(&w, err);
	GH_EMIT(x->ctx, manifests, first.app_at, .package = w.app.package, .version_code = w.app.version_code,
		.version_name = w.app.version_name, .shared_uid = w.app.shared_uid, .min_sdk = w.app.min_sdk,
		.target_sdk = w.app.target_sdk, .persistent = w.app.persistent, .debuggable = w.app.debuggable,
		.cleartext = w.app.cleartext, .enabled = w.app.enabled, .has_code = w.app.has_code,
		.has_launcher = w.app.has_launcher, .test_only = w.app.test_only,
		.overlay_target = w.app.overlay_target, .network_config = w.app.network_config,
		.process = w.app.process, .target_sandbox = w.app.target_sandbox);
	return code;
}
