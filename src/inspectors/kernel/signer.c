/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a module's signature names: PKCS#7 SignedData without certificates (RFC 5652), its first SignerInfo. Whether the signature holds
 * is for who has the key: here it is only told whose it says it is. */
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "inspectors/cert/der.h"
#include "inspectors/kernel/kernel.h"

enum { NAME_MAX_X509 = 4096 };

/* The common name of an issuer, as modinfo prints it. */
static struct gh_str common_name(struct gh_ctx *ctx, struct gh_cursor c)
{
	const uint8_t *p = c.p + c.i;
	char text[256];
	X509_NAME *name = gh_left(&c) <= NAME_MAX_X509 ? d2i_X509_NAME(NULL, &p, (long)gh_left(&c)) : NULL;
	int n = name ? X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text) : -1;
	X509_NAME_free(name);
	return n > 0 ? gh_str_dup(ctx->arena, gh_strn(text, (size_t)gh_min((uint64_t)n, sizeof text - 1))) : GH_NONE;
}

static struct gh_str digest_name(struct gh_ctx *ctx, struct der *algorithm)
{
	struct der oid;
	if (!der_take(&algorithm->body, DER_OID, &oid))
		return GH_NONE;
	const uint8_t *p = oid.whole.p + oid.whole.i;
	ASN1_OBJECT *o = d2i_ASN1_OBJECT(NULL, &p, (long)gh_left(&oid.whole));
	int nid = o ? OBJ_obj2nid(o) : NID_undef;
	ASN1_OBJECT_free(o);
	return nid == NID_undef ? GH_NONE : gh_str_dup(ctx->arena, gh_str(OBJ_nid2ln(nid)));
}

static struct gh_str hex(struct gh_ctx *ctx, struct gh_cursor c)
{
	return gh_hex(ctx->arena, c.p + c.i, gh_min(gh_left(&c), 64));
}

void kernel_signer(struct gh_ctx *ctx, const uint8_t *p, size_t n, uint64_t at, struct gh_str *ret_signer,
	struct gh_str *ret_serial, struct gh_str *ret_digest)
{
	struct gh_cursor c = gh_cursor(p, n, at);
	struct der all, d, content, data, info, id, issuer, serial, algorithm;
	if (!der_take(&c, DER_SEQUENCE, &all) || !der_take(&all.body, DER_OID, &d) ||
		!der_take(&all.body, DER_CONTEXT_0, &content) || !der_take(&content.body, DER_SEQUENCE, &data) ||
		!der_take(&data.body, DER_INTEGER, &d) || !der_take(&data.body, DER_SET, &d) ||
		!der_take(&data.body, DER_SEQUENCE, &d))
		goto bad;
	(void)der_take(&data.body, DER_CONTEXT_0, &d); /* certificates */
	(void)der_take(&data.body, DER_CONTEXT_1, &d);
	if (!der_take(&data.body, DER_SET, &d) || !der_take(&d.body, DER_SEQUENCE, &info) ||
		!der_take(&info.body, DER_INTEGER, &d))
		goto bad;
	if (der_take(&info.body, 0x80, &id)) {
		*ret_serial = hex(ctx, id.body);
	} else if (der_take(&info.body, DER_SEQUENCE, &id) && der_take(&id.body, DER_SEQUENCE, &issuer) &&
		   der_take(&id.body, DER_INTEGER, &serial)) {
		*ret_signer = common_name(ctx, issuer.whole);
		/* A zero only keeps the number positive. */
		if (gh_left(&serial.body) > 1 && !serial.body.p[serial.body.i])
			gh_skip(&serial.body, 1);
		*ret_serial = hex(ctx, serial.body);
	} else {
		goto bad;
	}
	if (der_take(&info.body, DER_SEQUENCE, &algorithm))
		*ret_digest = digest_name(ctx, &algorithm);
	return;
bad:
	gh_note(ctx, GH_BAD, at, "the module's signature names no signer");
}
