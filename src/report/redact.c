/* SPDX-License-Identifier: Apache-2.0 */
/* A report to share: what tells of a person or of one unit gets a word and a number in its place, the same wherever it occurs. The
 * kinds are those of 3GPP TS 23.003 (IMEI with its Luhn digit), IEEE 802 (MAC addresses), RFC 5322 (addresses, loosely), and values
 * behind keys that carry serial numbers and network names. */
#include <string.h>

#include "base/num.h"
#include "report/model.h"

enum kind { K_INPUT, K_IMEI, K_MAC, K_ACCOUNT, K_PHONE, K_SERIAL, K_SSID, N_KINDS };

static const char *const words[N_KINDS] = {"INPUT", "IMEI", "MAC", "ACCOUNT", "NUMBER", "SERIAL", "SSID"};

struct known {
	struct known *next;
	enum kind kind;
	unsigned n;
	struct gh_str value, word;
};

struct gh_redact {
	struct gh_model *m;
	struct known *list;
	unsigned count[N_KINDS];
};

static struct gh_str word_of(struct gh_redact *r, enum kind kind, struct gh_str value, struct gh_str tail)
{
	for (struct known *k = r->list; k; k = k->next)
		if (k->kind == kind && gh_str_eq(k->value, value))
			return k->word;
	struct known *k = gh_alloc(&r->m->arena, sizeof *k);
	if (!k)
		return GH_STR("REDACTED");
	*k = (struct known){r->list, kind, ++r->count[kind], value, GH_NONE};
	k->word = gh_str_fmt(&r->m->arena, "%s-%u%.*s", words[kind], k->n, (int)tail.n, tail.p ? tail.p : "");
	r->list = k;
	return k->word;
}

/* ---- what stands at a place in a text ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("._%+-", c);
}

static size_t digits_at(struct gh_str s, size_t i)
{
	size_t n = 0;
	while (i + n < s.n && is_digit(s.p[i + n]))
		n++;
	return n;
}

static bool luhn(struct gh_str s, size_t i, size_t n)
{
	unsigned sum = 0;
	for (size_t k = 0; k < n; k++) {
		unsigned d = (unsigned)(s.p[i + n - 1 - k] - '0');
		if (k & 1)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return sum % 10 == 0;
}

/* Six pairs of hexadecimal digits, and not a part of more: a key's fingerprint has sixteen. */
static size_t mac_at(struct gh_str s, size_t i)
{
	if (s.n - i < 17 || (i > 0 && (is_hex(s.p[i - 1]) || s.p[i - 1] == ':' || s.p[i - 1] == '-')))
		return 0;
	char glue = s.p[i + 2];
	if (glue != ':' && glue != '-')
		return 0;
	for (size_t k = 0; k < 17; k++)
		if (k % 3 == 2 ? s.p[i + k] != glue : !is_hex(s.p[i + k]))
			return 0;
	return i + 17 < s.n && (is_hex(s.p[i + 17]) || s.p[i + 17] == glue) ? 0 : 17;
}

/* NAME@HOST, from the beginning of NAME: mail addresses and the comments of keys. */
static size_t account_at(struct gh_str s, size_t i)
{
	size_t n = 0, at;
	if (i > 0 && is_name(s.p[i - 1]))
		return 0;
	while (i + n < s.n && is_name(s.p[i + n]))
		n++;
	at = n;
	if (!n || i + n >= s.n || s.p[i + n] != '@')
		return 0;
	n++;
	while (i + n < s.n && is_name(s.p[i + n]))
		n++;
	/* android.hardware.power@1.0-service is a name of Android's, and a version follows the sign. */
	return n == at + 1 || is_digit(s.p[i + at + 1]) ? 0 : n;
}

static size_t phone_at(struct gh_str s, size_t i)
{
	size_t n = s.p[i] == '+' ? digits_at(s, i + 1) : 0;
	return n >= 8 && n <= 15 ? n + 1 : 0;
}

/* Does a key that carries such values end right before i (KEY=value, KEY: value, KEY value)? */
static bool behind_key(struct gh_str s, size_t i, const char *const *keys, size_t n_keys)
{
	size_t end = i;
	while (end > 0 && strchr("=: \t\"'", s.p[end - 1]))
		end--;
	if (end == i || !end)
		return false;
	for (size_t k = 0; k < n_keys; k++) {
		size_t n = strlen(keys[k]);
		if (n <= end && strncasecmp(s.p + end - n, keys[k], n) == 0)
			return true;
	}
	return false;
}

static size_t value_at(struct gh_str s, size_t i)
{
	size_t n = 0;
	bool quoted = i > 0 && (s.p[i - 1] == '"' || s.p[i - 1] == '\'');
	while (i + n < s.n && (quoted ? s.p[i + n] != s.p[i - 1] : !strchr(" \t\"',;", s.p[i + n])))
		n++;
	return n;
}

static size_t match(struct gh_str s, size_t i, enum kind *ret)
{
	static const char *const serials[] = {
		"serialno", "serial_number", "serialnumber", "serial.no", "androidboot.serial"};
	static const char *const ssids[] = {"ssid"};
	size_t n;
	bool starts = i == 0 || !is_digit(s.p[i - 1]);
	if (starts && (n = digits_at(s, i)) == 15 && luhn(s, i, n))
		return *ret = K_IMEI, n;
	if ((n = mac_at(s, i)))
		return *ret = K_MAC, n;
	if ((n = phone_at(s, i)))
		return *ret = K_PHONE, n;
	if ((n = account_at(s, i)))
		return *ret = K_ACCOUNT, n;
	if (i && strchr("=: \t\"'", s.p[i - 1]) && !strchr("=: \t\"'", s.p[i])) {
		if (behind_key(s, i, serials, GH_COUNT(serials)) && (n = value_at(s, i)))
			return *ret = K_SERIAL, n;
		if (behind_key(s, i, ssids, GH_COUNT(ssids)) && (n = value_at(s, i)))
			return *ret = K_SSID, n;
	}
	return 0;
}

/* ---- a text ---- */

struct out {
	char *p;
	size_t n, cap;
};

static void put(struct out *o, struct gh_str s)
{
	if (s.n > o->cap - o->n)
		s.n = o->cap - o->n;
	if (s.n)
		memcpy(o->p + o->n, s.p, s.n);
	o->n += s.n;
}

/* An INPUT's name where it stands as a whole word: alone, or before what lies inside. */
static const struct gh_input *input_at(const struct gh_model *m, struct gh_str s, size_t i)
{
	const struct gh_input *best = NULL;
	if (i > 0 && (is_name(s.p[i - 1]) || s.p[i - 1] == '/'))
		return NULL;
	for (size_t k = 0; k < m->n_inputs; k++) {
		struct gh_str name = m->inputs[k].name;
		if (name.n && name.n <= s.n - i && memcmp(s.p + i, name.p, name.n) == 0 &&
			(i + name.n == s.n || !is_name(s.p[i + name.n])) && (!best || name.n > best->name.n))
			best = &m->inputs[k];
	}
	return best;
}

/* .zip, .tar.md5: what it is stays. */
static struct gh_str ending(struct gh_str name)
{
	static const char *const known[] = {".zip", ".img", ".tar", ".tar.md5", ".tgz", ".tar.gz", ".gz", ".lz4",
		".bin", ".apk", ".apex", ".xz", ".dat", ".br"};
	struct gh_str best = GH_NONE;
	for (size_t i = 0; i < GH_COUNT(known); i++)
		if (gh_str_ends(name, known[i]) && strlen(known[i]) > best.n)
			best = gh_strn(name.p + name.n - strlen(known[i]), strlen(known[i]));
	return best;
}

static void redact(struct gh_redact *r, struct gh_str *s)
{
	if (!s->n)
		return;
	struct out o = {.cap = s->n * 16 + 16};
	struct gh_mark mark = gh_arena_mark(&r->m->arena);
	bool changed = false;
	o.p = gh_alloc_raw(&r->m->arena, o.cap);
	if (!o.p) {
		*s = GH_STR("REDACTED");
		return;
	}
	for (size_t i = 0, n; i < s->n; i += n) {
		enum kind kind = K_INPUT;
		const struct gh_input *in = input_at(r->m, *s, i);
		n = in ? in->name.n : match(*s, i, &kind);
		if (!n) {
			put(&o, gh_strn(s->p + i, n = 1));
			continue;
		}
		changed = true;
		struct gh_str value = gh_strn(s->p + i, n);
		put(&o, word_of(r, kind, value, in ? ending(in->name) : GH_NONE));
	}
	if (changed)
		*s = gh_strn(o.p, o.n);
	else
		gh_arena_release(&r->m->arena, mark);
}

/* Values of properties whose whole value is such a thing. */
static void property(struct gh_redact *r, struct gh_property *p)
{
	bool serial = p->key.n && memmem(p->key.p, p->key.n, "serial", 6);
	if (serial && p->value.n)
		p->value = word_of(r, K_SERIAL, p->value, GH_NONE);
	redact(r, &p->value);
}

void gh_redact(struct gh_model *m)
{
	struct gh_redact r0 = {.m = m}, *r = gh_alloc(&m->arena, sizeof *r);
	r = r ? r : &r0;
	r->m = m;
	for (size_t i = 0; i < m->n_device; i++)
		property(r, &m->device[i]);
	for (size_t i = 0; i < m->n_holes; i++) {
		struct gh_str *all[] = {&m->holes[i].place, &m->holes[i].what, &m->holes[i].why};
		for (size_t k = 0; k < GH_COUNT(all); k++)
			redact(r, all[k]);
	}
	for (size_t i = 0; i < m->n_findings; i++) {
		struct gh_finding *f = &m->findings[i];
		struct gh_str *all[] = {
			&f->place, &f->evidence, &f->subject, &f->input, &f->image, &f->path, &f->dpath};
		for (size_t k = 0; k < GH_COUNT(all); k++)
			redact(r, all[k]);
	}
	for (size_t i = 0; i < m->n_states; i++)
		redact(r, &m->states[i].why);
	for (size_t i = 0; i < m->n_partitions; i++)
		redact(r, &m->partitions[i].name);
	for (size_t i = 0; i < m->n_installers; i++)
		redact(r, &m->installers[i].place);
	for (size_t i = 0; i < m->n_covers; i++)
		redact(r, &m->covers[i].place);
	for (size_t i = 0; i < m->n_strays; i++) {
		redact(r, &m->strays[i].place);
		m->strays[i].head = GH_NONE; /* bytes of whoever left them there */
	}
	for (size_t i = 0; i < m->n_told; i++) {
		redact(r, &m->told[i].what);
		redact(r, &m->told[i].value);
		redact(r, &m->told[i].place);
	}
	for (size_t i = 0; i < m->watched.n_recordings; i++) {
		redact(r, &m->watched.recording[i].name);
		redact(r, &m->watched.recording[i].source);
	}
	/* Last: until here their names are what is looked for. */
	for (size_t i = 0; i < m->n_inputs; i++)
		m->inputs[i].name = word_of(r, K_INPUT, m->inputs[i].name, ending(m->inputs[i].name));
	m->redacted = true;
	m->redactor = r == &r0 ? NULL : r;
}

struct gh_str gh_redact_more(struct gh_model *m, struct gh_str s)
{
	if (m->redacted && !m->redactor)
		return GH_STR("REDACTED");
	if (m->redactor)
		redact(m->redactor, &s);
	return s;
}
