/* SPDX-License-Identifier: Apache-2.0 */
/* Network security configuration (developer.android.com, "Network security configuration"), in binary XML: who may be talked to in
 * clear text, and whose certificates count. */
#include "inspectors/resources/resources.h"

enum {
	DEPTH_MAX = 16, /* domain-config inside domain-config: seldom two deep */
	DOMAINS_MAX = 4096, /* of one configuration */
	TEXT_MAX = 4096, /* of anchors, of pins */
};

struct text {
	char p[TEXT_MAX];
	size_t n;
	bool said;
};

/* What an element says; one inside another takes over what it does not say itself. */
struct level {
	const char *scope; /* NULL: none of the three */
	int64_t cleartext;
	int64_t overrides;
	struct text *anchors, *pins;
	struct gh_str expires;
	bool own_anchors, own_pins;
};

struct domain {
	unsigned level;
	int64_t subdomains;
	struct gh_str name;
	uint64_t at;
};

struct netsec {
	struct gh_ctx *ctx;
	struct res_table *t; /* NULL: none */
	struct axml x;
	struct level level[DEPTH_MAX];
	unsigned depth;
	struct domain *domains;
	size_t n_domains;
	bool in_domain, in_pin;
	int64_t subdomains;
	uint64_t at;
	struct gh_err err;
};

static void add(struct netsec *s, struct text *to, struct gh_str word)
{
	to->said = true;
	if (word.n + 1 > sizeof to->p - to->n) {
		axml_note(&s->x, s->at, "more anchors or pins than %d bytes hold", TEXT_MAX);
		return;
	}
	if (to->n)
		to->p[to->n++] = ' ';
	memcpy(to->p + to->n, word.p ? word.p : "", word.n);
	to->n += word.n;
}

static struct gh_str said(const struct text *t)
{
	return t && t->said ? gh_strn(t->p, t->n) : GH_NONE;
}

static struct level *top(struct netsec *s)
{
	return &s->level[gh_min(s->depth, DEPTH_MAX) - 1];
}

/* The element's own list, empty at first. */
static struct text *own(struct netsec *s, struct text **list, bool *is_own)
{
	if (!*is_own) {
		struct text *t = gh_alloc(s->ctx->arena, sizeof *t);
		if (!t)
			gh_fail(&s->err, GH_NOMEM, s->at, "no memory for a configuration");
		*list = t;
		*is_own = true;
	}
	return *list;
}

/* ---- elements ---- */

static int64_t truth(struct netsec *s, const struct axml_node *node, const char *name, int64_t otherwise)
{
	struct axml_attr a;
	return axml_attr_named(&s->x, node, name, &a) ? axml_bool(&s->x, &a, otherwise) : otherwise;
}

/* "system", "user", or the file that a reference stands for. */
static struct gh_str source_of(struct netsec *s, const struct axml_node *node)
{
	struct axml_attr a;
	if (!axml_attr_named(&s->x, node, "src", &a))
		return GH_STR("?");
	if (a.type == AXML_T_REFERENCE && s->t) {
		struct gh_str file = res_text(s->t, a.data, RES_DEFAULT);
		if (file.p)
			return file;
	}
	return axml_reference(&s->x, &a);
}

static void anchor(struct netsec *s, const struct axml_node *node)
{
	struct level *l = top(s);
	struct text *t = own(s, &l->anchors, &l->own_anchors);
	if (t)
		add(s, t, source_of(s, node));
	if (truth(s, node, "overridePins", l->scope && !strcmp(l->scope, "debug")) == 1)
		l->overrides = 1;
}

static void pin_begin(struct netsec *s, const struct axml_node *node)
{
	struct axml_attr a;
	struct level *l = top(s);
	struct text *t = own(s, &l->pins, &l->own_pins);
	s->in_pin = true;
	struct gh_str digest = axml_attr_named(&s->x, node, "digest", &a) ? axml_text(&s->x, &a) : GH_NONE;
	if (!t)
		return;
	add(s, t, digest.p ? digest : GH_STR("?"));
	if (t->n < sizeof t->p)
		t->p[t->n++] = '/';
}

static void pin_text(struct netsec *s, struct gh_str text)
{
	struct text *t = top(s)->pins;
	text = gh_str_trim(text);
	if (!t || text.n > sizeof t->p - t->n)
		return;
	memcpy(t->p + t->n, text.p ? text.p : "", text.n);
	t->n += text.n;
}

static void domain_text(struct netsec *s, struct gh_str text)
{
	text = gh_str_trim(text);
	if (s->n_domains == DOMAINS_MAX || !s->depth) {
		axml_note(&s->x, s->at, "domain outside of a configuration, or more than %d", DOMAINS_MAX);
		return;
	}
	s->domains[s->n_domains++] =
		(struct domain){.level = s->depth, .subdomains = s->subdomains, .name = text, .at = s->at};
}

static void config_begin(struct netsec *s, const struct axml_node *node, const char *scope)
{
	struct level none = {.cleartext = GH_NULL};
	if (s->depth >= DEPTH_MAX) {
		gh_fail(&s->err, GH_LIMIT, node->at, "more than %d elements inside each other", DEPTH_MAX);
		return;
	}
	struct level l = s->depth ? s->level[s->depth - 1] : none;
	l.scope = scope;
	l.own_anchors = l.own_pins = false;
	l.cleartext = truth(s, node, "cleartextTrafficPermitted", l.cleartext);
	s->level[s->depth++] = l;
}

static void row(struct netsec *s, const struct level *l, const struct domain *d, uint64_t at)
{
	GH_EMIT(s->ctx, netsec, at, .scope = gh_str(l->scope), .domain = d ? d->name : GH_NONE,
		.subdomains = d ? d->subdomains : GH_NULL, .cleartext = l->cleartext, .anchors = said(l->anchors),
		.overrides_pins = l->overrides, .pins = said(l->pins), .expires = l->expires);
}

static void config_end(struct netsec *s, uint64_t at)
{
	struct level *l = &s->level[s->depth - 1];
	if (!strcmp(l->scope, "domain"))
		while (s->n_domains && s->domains[s->n_domains - 1].level == s->depth) {
			const struct domain *d = &s->domains[--s->n_domains];
			row(s, l, d, d->at);
		}
	else
		row(s, l, NULL, at);
	s->depth--;
}

static const char *scope_of(struct netsec *s, const struct axml_node *node)
{
	static const char *const words[][2] = {
		{"base-config", "base"}, {"domain-config", "domain"}, {"debug-overrides", "debug"}};
	for (size_t i = 0; i < GH_COUNT(words); i++)
		if (axml_string_is(&s->x, node->name, words[i][0]))
			return words[i][1];
	return NULL;
}

static void begin(struct netsec *s, const struct axml_node *node)
{
	struct axml_attr a;
	const char *scope = scope_of(s, node);
	if (scope) {
		config_begin(s, node, scope);
	} else if (axml_string_is(&s->x, node->name, "domain")) {
		s->in_domain = true;
		s->subdomains = truth(s, node, "includeSubdomains", 0);
	} else if (!s->depth) {
		return;
	} else if (axml_string_is(&s->x, node->name, "certificates")) {
		anchor(s, node);
	} else if (axml_string_is(&s->x, node->name, "trust-anchors")) {
		struct level *l = top(s);
		struct text *t = own(s, &l->anchors, &l->own_anchors);
		if (t)
			t->said = true;
	} else if (axml_string_is(&s->x, node->name, "pin-set")) {
		top(s)->expires = axml_attr_named(&s->x, node, "expiration", &a) ? axml_text(&s->x, &a) : GH_NONE;
	} else if (axml_string_is(&s->x, node->name, "pin")) {
		pin_begin(s, node);
	}
}

static void end(struct netsec *s, const struct axml_node *node)
{
	s->in_domain = s->in_pin = false;
	if (s->depth && scope_of(s, node))
		config_end(s, node->at);
}

enum gh_code res_netsec(struct gh_ctx *ctx, struct res_table *t, const uint8_t *p, size_t n, struct gh_err *err)
{
	struct netsec *s = gh_alloc(ctx->arena, sizeof *s);
	struct axml_node node;
	if (!s || !(s->domains = gh_alloc_array(ctx->arena, DOMAINS_MAX, sizeof *s->domains)))
		return gh_fail(err, GH_NOMEM, 0, "no memory for a configuration");
	s->ctx = ctx;
	s->t = t;
	enum gh_code code = axml_open(&s->x, ctx, p, n, err);
	if (code)
		return code;
	s->x.texts = true;
	axml_rewind(&s->x);
	while ((code = axml_next(&s->x, &node, err)) == GH_OK && !s->err.code && !s->x.err.code) {
		s->at = node.at;
		if (node.text && s->in_domain)
			domain_text(s, axml_string(&s->x, node.name));
		else if (node.text && s->in_pin && s->depth)
			pin_text(s, axml_string(&s->x, node.name));
		else if (node.start)
			begin(s, &node);
		else if (!node.text)
			end(s, &node);
	}
	if (s->err.code || s->x.err.code)
		*err = s->err.code ? s->err : s->x.err;
	return s->err.code ? s->err.code : s->x.err.code ? s->x.err.code : code == GH_END ? GH_OK : code;
}
