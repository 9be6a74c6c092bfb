/* SIP over TLS between two stacks of ours: signalling is secret then, and a peer with another's certificate gets nothing. */
#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tests/unit/gateway/sip/sip_rig.h"

struct pair { char *folder, *certificate, *key; };

static void add_san(X509 *x, const char *name)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static void pair_make(struct pair *p, const char *cn, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	p->folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL);
	p->certificate = g_build_filename(p->folder, "c.pem", NULL);
	p->key = g_build_filename(p->folder, "k.pem", NULL);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	add_san(x, san);
	g_assert_cmpint(X509_sign(x, key, EVP_sha256()), >, 0);
	FILE *f = fopen(p->certificate, "w");
	PEM_write_X509(f, x);
	(void)fclose(f);
	f = fopen(p->key, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	(void)fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void pair_clear(struct pair *p)
{
	(void)g_unlink(p->certificate);
	(void)g_unlink(p->key);
	(void)g_rmdir(p->folder);
	g_free(p->certificate);
	g_free(p->key);
	g_free(p->folder);
}

static void open_with(struct rig *r, const struct pair *of_b, const struct pair *believed_by_a)
{
	static const struct gw_sip_zone zone = { "default", "127.0.0.1", NULL, GW_SIP_ANY_PORT, GW_SIP_ANY_PORT, false, false };
	const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:127.0.0.1:9;transport=tcp" };
	memset(r, 0, sizeof(*r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	r->a.certificate = r->b.certificate = of_b->certificate;
	r->a.key = r->b.key = of_b->key;
	r->a.ca = believed_by_a->certificate;
	r->b.ca = of_b->certificate;
	end_open(&r->a, &zone, NULL, 0);
	end_open(&r->b, &zone, &trusted, 1);
	r->b.auto_answer = true;
}

static void a_call_over_tls(void)
{
	struct pair p;
	struct rig r;
	pair_make(&p, "127.0.0.1", "IP:127.0.0.1");	/* sofia compares DNS names, and the CN when there is none */
	open_with(&r, &p, &p);
	g_autofree char *uri = g_strdup_printf("sips:1001@127.0.0.1:%u", gw_sip_port(r.b.sip, NULL, "tls"));
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL && state_of(r.b.in) == GW_LEG_UP);
	g_assert_true(((struct call *)leg)->secure && ((struct call *)r.b.in)->secure);
	gw_leg_free(r.b.in);
	WAIT(r.a.ended == 1);
	gw_leg_free(leg);
	rig_close(&r);
	pair_clear(&p);
}

static void is_refused(const char *cn, const char *san, bool other_authority)
{
	struct pair p, other;
	struct rig r;
	pair_make(&p, cn, san);
	pair_make(&other, cn, san);
	open_with(&r, &p, other_authority ? &other : &p);
	g_autofree char *uri = g_strdup_printf("sips:1001@127.0.0.1:%u", gw_sip_port(r.b.sip, NULL, "tls"));
	gw_leg *leg = rig_dial(&r.a, uri);
	rig_run(500);	/* it ends after 12 s, in words */
	g_assert_cmpint(state_of(leg), ==, GW_LEG_CALLING);
	g_assert_cmpuint(r.b.calls, ==, 0);
	g_assert_cmpint(end_counter(&r.b, "requests"), ==, 0);
	gw_leg_free(leg);
	rig_close(&r);
	pair_clear(&p);
	pair_clear(&other);
}

static void an_unknown_authority_is_refused(void)
{
	is_refused("127.0.0.1", "IP:127.0.0.1", true);
}

static void another_name_is_refused(void)
{
	is_refused("thief.example", "DNS:thief.example", false);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/tls/a_call_over_tls", a_call_over_tls);
	g_test_add_func("/sip/tls/an_unknown_authority_is_refused", an_unknown_authority_is_refused);
	g_test_add_func("/sip/tls/another_name_is_refused", another_name_is_refused);
	return g_test_run();
}
