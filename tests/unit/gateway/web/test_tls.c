/* TLS, the redirect to it, and configurations that are refused. */
#include "tests/unit/gateway/web/world_priv.h"

/* ---- TLS ---- */

static void make_certificate_of(const char *folder, long serial, char **ret_cert, char **ret_key)
{
	g_autofree char *cert_path = g_build_filename(folder, "cert.pem", NULL), *key_path = g_build_filename(folder, "key.pem", NULL);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	g_assert_cmpint(X509_sign(x, key, EVP_sha256()), >, 0);
	FILE *f = fopen(cert_path, "w");
	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(key_path, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
	if (ret_cert) {
		*ret_cert = g_steal_pointer(&cert_path);
		*ret_key = g_steal_pointer(&key_path);
	}
}

static void make_certificate(const char *folder, char **ret_cert, char **ret_key)
{
	make_certificate_of(folder, 1, ret_cert, ret_key);
}

struct tls { SSL_CTX *ctx; SSL *ssl; int fd; };

static bool tls_open(struct tls *t, int port, int max_version)
{
	int rc;
	bool failed = false;
	t->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(t->ctx, max_version);
	t->ssl = SSL_new(t->ctx);
	t->fd = client_connect(port);
	SSL_set_fd(t->ssl, t->fd);
	CLIENT_UNTIL((rc = SSL_connect(t->ssl)) == 1 || (failed = SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ));
	return !failed;
}

static void tls_close(struct tls *t)
{
	ERR_clear_error();
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	close(t->fd);
}

/* At least `want` bytes, a server that answers less fails the test. */
static GByteArray *tls_ask(struct tls *t, const void *request, size_t len, size_t want)
{
	GByteArray *in = g_byte_array_new();
	guint8 buffer[16384];
	int n;
	g_assert_cmpint(SSL_write(t->ssl, request, (int)len), ==, (int)len);
	while (in->len < want) {
		CLIENT_UNTIL((n = SSL_read(t->ssl, buffer, sizeof(buffer))) > 0);
		g_byte_array_append(in, buffer, (guint)n);
	}
	g_byte_array_append(in, (const guint8 *)"", 1);
	return in;
}

static bool handshake(int port, int max_version, const char *request, char *buffer, size_t size)
{
	struct tls t;
	bool ok = tls_open(&t, port, max_version);
	if (ok) {
		g_autoptr(GByteArray) in = tls_ask(&t, request, strlen(request), 1);
		g_strlcpy(buffer, (const char *)in->data, size);
	}
	tls_close(&t);
	return ok;
}

/* Body after body on one connection, then a WebSocket: records end where they like. */
static void tls_carries_much(void)
{
	struct world w;
	struct tls t;
	char *text = NULL;
	size_t len = 0;
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .redirect_port = -1 });
	g_assert_true(tls_open(&t, w.port, TLS1_3_VERSION));
	for (int i = 0; i < 2; i++) {
		g_autoptr(GByteArray) in = tls_ask(&t, GET("/big"), strlen(GET("/big")), 3 << 20);
		const char *end = strstr((const char *)in->data, "\r\n\r\n");
		size_t missing = (size_t)(end + 4 - (const char *)in->data) + (3 << 20) - (in->len - 1);
		g_autoptr(GByteArray) rest = missing ? tls_ask(&t, "", 0, missing) : NULL;
		g_assert_cmpuint(strspn(end + 4, "x") + (rest ? strspn((const char *)rest->data, "x") : 0), ==, 3 << 20);
	}
	const char *up = UP("/ws", "Upgrade: websocket\r\nOrigin: https://h\r\nCookie: ortoo_session=viewer\r\n");
	g_autoptr(GByteArray) answer = tls_ask(&t, up, strlen(up), 1);
	g_assert_true(g_str_has_prefix((const char *)answer->data, "HTTP/1.1 101"));
	static const guint8 ping[] = { 0x89, 0x81, 0, 0, 0, 0, 'p' };
	g_autoptr(GByteArray) pong = tls_ask(&t, ping, sizeof(ping), 3);
	g_assert_cmpint(client_ws_take(pong, &text, &len), ==, 10);
	g_assert_cmpstr(text, ==, "p");
	g_free(text);
	tls_close(&t);
	finish(&w);
	remove_tree(folder);
}

static void tls_and_redirect(void)
{
	struct world w;
	char buffer[8192];
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .hsts = true });
	g_assert_true(handshake(w.port, TLS1_3_VERSION, GET("/"), buffer, sizeof(buffer)));
	g_assert_true(g_str_has_prefix(buffer, "HTTP/1.1 200 OK"));
	g_assert_nonnull(strstr(buffer, "Strict-Transport-Security: max-age=31536000"));
	g_assert_true(handshake(w.port, TLS1_2_VERSION, POST("/api/v1/auth.logout", "Cookie: ortoo_session=viewer\r\nContent-Length: 0\r\n", ""), buffer, sizeof(buffer)));
	g_assert_nonnull(strstr(buffer, "SameSite=Strict; Secure"));
	g_assert_false(handshake(w.port, TLS1_1_VERSION, GET("/"), buffer, sizeof(buffer)));
	struct answer a = client_ask(gw_web_redirect_port(w.web), "GET /j/abc HTTP/1.1\r\nHost: gw.example:80\r\n\r\n");
	g_autofree char *location = answer_header(&a, "Location"), *want = g_strdup_printf("https://gw.example:%d/j/abc", w.port);
	g_assert_cmpint(a.status, ==, 308);
	g_assert_cmpstr(location, ==, want);
	answer_clear(&a);
	a = client_ask(gw_web_redirect_port(w.web), "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
	g_assert_cmpint(a.status, ==, 400);
	answer_clear(&a);
	a = client_ask(w.port, GET("/"));	/* plain words to the TLS port */
	g_assert_cmpint(a.status, !=, 200);
	answer_clear(&a);
	finish(&w);
	remove_tree(folder);
}

static long serial_of(int port)
{
	struct tls t;
	g_assert_true(tls_open(&t, port, TLS1_3_VERSION));
	X509 *x = SSL_get1_peer_certificate(t.ssl);
	long serial = ASN1_INTEGER_get(X509_get0_serialNumber(x));
	X509_free(x);
	tls_close(&t);
	return serial;
}

/* A renewed pair is taken; half a file is not. A socket that is open goes on. */
static void renewed_without_restart(void)
{
	struct world w;
	struct tls old;
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .redirect_port = -1 });
	g_assert_cmpint(serial_of(w.port), ==, 1);
	g_assert_true(tls_open(&old, w.port, TLS1_3_VERSION));
	make_certificate_of(folder, 2, NULL, NULL);
	g_assert_true(gw_web_reload(w.web));
	g_assert_cmpint(serial_of(w.port), ==, 2);
	g_autoptr(GByteArray) in = tls_ask(&old, GET("/"), strlen(GET("/")), 1);
	g_assert_true(g_str_has_prefix((const char *)in->data, "HTTP/1.1 200 OK"));
	tls_close(&old);
	g_assert_true(g_file_set_contents(key, "-----BEGIN PRIVATE KEY-----\n", -1, NULL));
	g_assert_false(gw_web_reload(w.web));
	g_assert_cmpint(serial_of(w.port), ==, 2);
	finish(&w);
	remove_tree(folder);
}

/* Nobody says anything: the files are looked at. */
static void renewal_is_seen(void)
{
	struct world w;
	long serial = 0;
	g_autofree char *folder = g_dir_make_tmp("ortoo-tls-XXXXXX", NULL), *cert = NULL, *key = NULL;
	make_certificate(folder, &cert, &key);
	start_with(&w, (struct gw_web_conf){ .cert_path = cert, .key_path = key, .redirect_port = -1 });
	make_certificate_of(folder, 3, NULL, NULL);
	for (int n = 0; n < 200 && serial != 3; n++) {
		serial = serial_of(w.port);
		g_usleep(50000);
	}
	g_assert_cmpint(serial, ==, 3);
	finish(&w);
	remove_tree(folder);
}

static const struct conf_row { const char *name; struct gw_web_conf conf; } confs[] = {
	{ "plain-on-all", { .redirect_port = -1 } },
	{ "plain-on-address", { .listen = "0.0.0.0", .redirect_port = -1 } },
	{ "not-our-address", { .listen = "192.0.2.255", .redirect_port = -1 } },
	{ "certificate-alone", { .listen = "127.0.0.1", .cert_path = "/nonexistent", .redirect_port = -1 } },
	{ "certificate-missing", { .listen = "127.0.0.1", .cert_path = "/nonexistent", .key_path = "/nonexistent", .redirect_port = -1 } },
	{ "no-root", { .listen = "127.0.0.1", .root = "/nonexistent", .redirect_port = -1 } },
	{ "map-origin-injects", { .listen = "127.0.0.1", .map_origin = "https://a; script-src *", .redirect_port = -1 } },
};

static void bad_configuration(const void *data)
{
	const struct conf_row *row = data;
	static const struct gw_api_ops ops = { .authenticate = authenticate };
	gw_api *api = gw_api_new(&ops, NULL, NULL);
	g_autofree char *why = NULL;
	g_assert_null(gw_web_start(&row->conf, api, &why));
	g_assert_nonnull(why);
	gw_api_free(api);
}

static bool answers(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((guint16)port), .sin_addr.s_addr = inet_addr(address) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	close(fd);
	return ok;
}

/* An IPv4 address to listen on is that address and no other: 127.0.0.2 is this machine too. */
static void listens_there_only(void)
{
	struct world w;
	start_with(&w, (struct gw_web_conf){ .listen = "127.0.0.1", .redirect_port = -1 });
	g_assert_true(answers("127.0.0.1", w.port));
	g_assert_false(answers("127.0.0.2", w.port));
	finish(&w);
}

static const struct { const char *path; void (*fn)(void); } tests[] = {
	{ "/conf/listens_there_only", listens_there_only },
	{ "/tls/tls_and_redirect", tls_and_redirect },
	{ "/tls/tls_carries_much", tls_carries_much },
	{ "/tls/renewed_without_restart", renewed_without_restart },
	{ "/tls/renewal_is_seen", renewal_is_seen },
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_ROWS("/conf/", confs, bad_configuration);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_test_add_func(tests[i].path, tests[i].fn);
	}
	return g_test_run();
}
