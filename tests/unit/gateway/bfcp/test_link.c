/* Links of ours face to face over real sockets: UDP, TCP and TLS; who is let in, what a broken connection does. */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/bfcp/bfcp.h"
#include "mcu/base/json.h"

struct end { gw_bfcp_link *link; GString *log; bool grant, free_on_request, free_on_gone; };
struct world { GMainContext *context; gw_bfcp *b; char *dir, *cert; struct end server, client; };

static void note(struct end *e, const char *word)
{
	g_string_append_printf(e->log, "%s ", word);
}

static void on_request(gw_bfcp_link *l, void *user_data)
{
	struct end *e = user_data;

	note(e, "request");
	if (e->grant) {
		gw_bfcp_link_grant(l);
	}
	if (e->free_on_request) {
		gw_bfcp_link_free(g_steal_pointer(&e->link));
	}
}

static void on_release(gw_bfcp_link *l, void *user_data)
{
	note(user_data, "release");
}

static void on_status(gw_bfcp_link *l, enum gw_bfcp_status status, void *user_data)
{
	note(user_data, status == GW_BFCP_GRANTED ? "granted" : status == GW_BFCP_RELEASED ? "released" : "other");
}

static void on_floor(gw_bfcp_link *l, bool held, bool by_us, void *user_data)
{
	note(user_data, by_us ? "ours" : held ? "held" : "free");
}

static void on_gone(gw_bfcp_link *l, const char *why, void *user_data)
{
	struct end *e = user_data;

	note(e, why);
	if (e->free_on_gone) {
		gw_bfcp_link_free(g_steal_pointer(&e->link));
	}
}

static const struct gw_bfcp_ops ops = { on_request, on_release, on_status, on_floor, on_gone };

static void make_certificate(const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *f = fopen(path, "w");

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	g_assert_true(f && X509_sign(cert, key, EVP_sha256()) > 0 && PEM_write_X509(f, cert) == 1 &&
		      PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void open_world(struct world *w)
{
	struct gw_bfcp_conf conf = { .address = "127.0.0.1" };
	g_autoptr(GError) err = NULL;

	memset(w, 0, sizeof(*w));
	w->context = g_main_context_new();
	w->dir = g_dir_make_tmp("ortoo-bfcp-XXXXXX", NULL);
	conf.certificate = w->cert = g_build_filename(w->dir, "pem", NULL);
	make_certificate(w->cert);
	w->b = gw_bfcp_new(w->context, &conf, &err);
	g_assert_no_error(err);
	w->server.log = g_string_new(NULL);
	w->client.log = g_string_new(NULL);
}

static void open_links(struct world *w, enum gw_bfcp_transport transport)
{
	struct gw_bfcp_link_conf conf = { .transport = transport, .server = true, .conference = 9, .user = 8, .floor = 7 };
	g_autoptr(GError) err = NULL;

	w->server.link = gw_bfcp_link_new(w->b, &conf, &ops, &w->server, &err);
	g_assert_no_error(err);
	conf.server = false;
	conf.active = true;
	w->client.link = gw_bfcp_link_new(w->b, &conf, &ops, &w->client, &err);
	g_assert_no_error(err);
}

static void connect_links(struct world *w, const char *fingerprint)
{
	g_assert_true(gw_bfcp_link_connect(w->server.link, "127.0.0.1", gw_bfcp_link_port(w->client.link), fingerprint, NULL));
	g_assert_true(gw_bfcp_link_connect(w->client.link, "127.0.0.1", gw_bfcp_link_port(w->server.link), fingerprint, NULL));
}

static void close_world(struct world *w)
{
	gw_bfcp_link_free(w->client.link);
	gw_bfcp_link_free(w->server.link);
	gw_bfcp_free(w->b);
	g_main_context_unref(w->context);
	g_string_free(w->server.log, TRUE);
	g_string_free(w->client.log, TRUE);
	(void)g_unlink(w->cert);
	(void)g_rmdir(w->dir);
	g_free(w->cert);
	g_free(w->dir);
}

#define until(w, cond)                                                                                  \
	do {                                                                                            \
		gint64 end_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;                           \
		while (!(cond)) {                                                                       \
			if (g_get_monotonic_time() > end_us) {                                          \
				g_error("never: %s; client %s, server %s", #cond, (w)->client.log->str, \
					(w)->server.log->str);                                          \
			}                                                                               \
			if (!g_main_context_iteration((w)->context, FALSE)) {                           \
				g_usleep(500);                                                          \
			}                                                                               \
		}                                                                                       \
	} while (0)

static bool says(const struct end *e, const char *word)
{
	return strstr(e->log->str, word) != NULL;
}

static int64_t counter(const struct world *w, const char *name)
{
	g_autofree char *text = gw_bfcp_stats(w->b);
	g_autoptr(json_t) stats = ort_json_parse(text, strlen(text), 65536, NULL);

	g_assert_nonnull(json_object_get(stats, name));
	return json_integer_value(json_object_get(stats, name));
}

static void floor_goes_round(gconstpointer transport)
{
	struct world w;

	open_world(&w);
	w.server.grant = true;
	open_links(&w, (enum gw_bfcp_transport)GPOINTER_TO_INT(transport));
	connect_links(&w, gw_bfcp_fingerprint(w.b));
	until(&w, says(&w.client, "free"));
	gw_bfcp_link_request(w.client.link);
	until(&w, says(&w.client, "ours"));
	gw_bfcp_link_release(w.client.link);
	until(&w, says(&w.client, "released free"));
	g_assert_cmpstr(w.client.log->str, ==, "free granted ours released free ");
	g_assert_cmpstr(w.server.log->str, ==, "request release ");
	gw_bfcp_link_tell(w.server.link, true);
	until(&w, says(&w.client, "held"));
	g_assert_cmpint(counter(&w, "errors_out") + counter(&w, "malformed") + counter(&w, "foreign"), ==, 0);
	close_world(&w);
}

static void wrong_certificate_is_refused(gconstpointer transport)
{
	g_autofree char *wrong = NULL;
	struct world w;

	open_world(&w);
	open_links(&w, (enum gw_bfcp_transport)GPOINTER_TO_INT(transport));
	wrong = g_strdup(gw_bfcp_fingerprint(w.b));
	wrong[0] = wrong[0] == '0' ? '1' : '0';
	g_assert_false(gw_bfcp_link_connect(w.client.link, "127.0.0.1", 9, NULL, NULL));	/* none told: closed */
	g_assert_true(gw_bfcp_link_connect(w.server.link, "127.0.0.1", gw_bfcp_link_port(w.client.link), gw_bfcp_fingerprint(w.b), NULL));
	g_assert_true(gw_bfcp_link_connect(w.client.link, "127.0.0.1", gw_bfcp_link_port(w.server.link), wrong, NULL));
	until(&w, says(&w.client, "fingerprint"));
	g_assert_cmpint(counter(&w, "refused_tls"), >=, 1);
	g_assert_cmpint(counter(&w, "messages_in"), ==, 0);
	close_world(&w);
}

/* The floor comes back, and so does the connection. */
static void broken_connection_is_dialled_again(void)
{
	struct world w;

	open_world(&w);
	w.server.grant = true;
	open_links(&w, GW_BFCP_TCP);
	connect_links(&w, NULL);
	until(&w, says(&w.client, "free"));
	gw_bfcp_link_request(w.client.link);
	until(&w, says(&w.client, "ours"));
	gw_bfcp_link_free(w.client.link);
	w.client.link = NULL;
	until(&w, says(&w.server, "release closed"));
	struct gw_bfcp_link_conf conf = { .transport = GW_BFCP_TCP, .active = true, .conference = 9, .user = 8, .floor = 7 };
	w.client.link = gw_bfcp_link_new(w.b, &conf, &ops, &w.client, NULL);
	g_string_truncate(w.client.log, 0);
	g_assert_true(gw_bfcp_link_connect(w.client.link, "127.0.0.1", gw_bfcp_link_port(w.server.link), NULL, NULL));
	until(&w, says(&w.client, "free"));
	close_world(&w);
}

/* The side that began is replaced (its process was): the next ClientHello is answered, the floor is free again. */
static void association_is_begun_anew(void)
{
	struct gw_bfcp_link_conf conf = { .transport = GW_BFCP_DTLS, .active = true, .conference = 9, .user = 8, .floor = 7 };
	struct world w;

	open_world(&w);
	w.server.grant = true;
	open_links(&w, GW_BFCP_DTLS);
	connect_links(&w, gw_bfcp_fingerprint(w.b));
	gw_bfcp_link_request(w.client.link);
	until(&w, says(&w.client, "ours"));
	gw_bfcp_link_free(w.client.link);
	until(&w, says(&w.server, "release"));
	w.client.link = gw_bfcp_link_new(w.b, &conf, &ops, &w.client, NULL);
	g_string_truncate(w.client.log, 0);
	connect_links(&w, gw_bfcp_fingerprint(w.b));
	until(&w, says(&w.client, "free"));
	g_assert_cmpint(counter(&w, "malformed"), ==, 0);
	close_world(&w);
}

static void dialled_until_somebody_listens(void)
{
	struct world w;

	open_world(&w);
	open_links(&w, GW_BFCP_TCP);
	uint16_t port = gw_bfcp_link_port(w.server.link);
	gw_bfcp_link_free(g_steal_pointer(&w.server.link));
	g_assert_true(gw_bfcp_link_connect(w.client.link, "127.0.0.1", port, NULL, NULL));
	until(&w, says(&w.client, "refused"));
	g_assert_cmpint(counter(&w, "lost"), ==, 1);
	close_world(&w);
}

static void strangers_are_not_heard(void)
{
	static const uint8_t hello[12] = { 0x40, 11, 0, 0, 0, 0, 0, 9, 0, 5, 0, 8 };
	struct sockaddr_in a = { .sin_family = AF_INET }, to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct world w;
	uint8_t buf[10];

	inet_pton(AF_INET, "127.0.0.3", &a.sin_addr);
	g_assert_true(bind(udp, (struct sockaddr *)&a, sizeof(a)) == 0 && bind(tcp, (struct sockaddr *)&a, sizeof(a)) == 0);
	open_world(&w);
	open_links(&w, GW_BFCP_UDP);
	connect_links(&w, NULL);
	to.sin_port = htons(gw_bfcp_link_port(w.server.link));
	g_assert_true(sendto(udp, hello, sizeof(hello), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(hello));
	until(&w, counter(&w, "foreign") == 1);
	g_assert_cmpint(recv(udp, buf, sizeof(buf), MSG_DONTWAIT), <, 0);
	gw_bfcp_link_free(w.client.link);
	gw_bfcp_link_free(w.server.link);
	open_links(&w, GW_BFCP_TCP);
	connect_links(&w, NULL);
	until(&w, says(&w.client, "free"));
	to.sin_port = htons(gw_bfcp_link_port(w.server.link));
	g_assert_cmpint(connect(tcp, (struct sockaddr *)&to, sizeof(to)), ==, 0);
	until(&w, counter(&w, "foreign") == 2);
	g_string_truncate(w.client.log, 0);
	gw_bfcp_link_tell(w.server.link, true);	/* the right one is still served */
	until(&w, says(&w.client, "held"));
	close(udp);
	close(tcp);
	close_world(&w);
}

static void junk_ends_only_the_connection(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t junk[4000];
	struct world w;

	memset(junk, 0xff, sizeof(junk));
	open_world(&w);
	open_links(&w, GW_BFCP_TCP);
	g_assert_true(gw_bfcp_link_connect(w.server.link, "127.0.0.1", 9, NULL, NULL));
	to.sin_port = htons(gw_bfcp_link_port(w.server.link));
	g_assert_cmpint(connect(tcp, (struct sockaddr *)&to, sizeof(to)), ==, 0);
	g_assert_cmpint(send(tcp, junk, sizeof(junk), MSG_NOSIGNAL), ==, sizeof(junk));
	until(&w, says(&w.server, "malformed"));
	g_assert_true(gw_bfcp_link_connect(w.client.link, "127.0.0.1", ntohs(to.sin_port), NULL, NULL));
	until(&w, says(&w.client, "free"));
	close(tcp);
	close_world(&w);
}

static void may_be_freed_inside_of_a_call(gconstpointer transport)
{
	struct world w;

	open_world(&w);
	w.server.grant = w.server.free_on_request = w.client.free_on_gone = true;
	open_links(&w, (enum gw_bfcp_transport)GPOINTER_TO_INT(transport));
	connect_links(&w, gw_bfcp_fingerprint(w.b));
	until(&w, says(&w.client, "free"));
	gw_bfcp_link_request(w.client.link);
	until(&w, w.server.link == NULL && w.client.link == NULL);
	close_world(&w);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; enum gw_bfcp_transport transport; } rows[] = {
		{ "udp", GW_BFCP_UDP }, { "tcp", GW_BFCP_TCP }, { "tls", GW_BFCP_TLS }, { "dtls", GW_BFCP_DTLS },
	};

	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *one = g_strdup_printf("/bfcp/%s/floor-goes-round", rows[i].name);
		g_autofree char *two = g_strdup_printf("/bfcp/%s/may-be-freed-inside-of-a-call", rows[i].name);

		g_test_add_data_func(one, GINT_TO_POINTER(rows[i].transport), floor_goes_round);
		g_test_add_data_func(two, GINT_TO_POINTER(rows[i].transport), may_be_freed_inside_of_a_call);
	}
	g_test_add_data_func("/bfcp/tls/wrong-certificate-is-refused", GINT_TO_POINTER(GW_BFCP_TLS), wrong_certificate_is_refused);
	g_test_add_data_func("/bfcp/dtls/wrong-certificate-is-refused", GINT_TO_POINTER(GW_BFCP_DTLS), wrong_certificate_is_refused);
	g_test_add_func("/bfcp/dtls/association-is-begun-anew", association_is_begun_anew);
	g_test_add_func("/bfcp/tcp/broken-connection-is-dialled-again", broken_connection_is_dialled_again);
	g_test_add_func("/bfcp/tcp/dialled-until-somebody-listens", dialled_until_somebody_listens);
	g_test_add_func("/bfcp/strangers-are-not-heard", strangers_are_not_heard);
	g_test_add_func("/bfcp/tcp/junk-ends-only-the-connection", junk_ends_only_the_connection);
	return g_test_run();
}
