/* SIP over TLS between two stacks of ours: signalling is secret then, and a peer with another's certificate gets nothing. And
 * the front before the stack: what peers see of it, what it lets in, that nothing of a connection stays. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/gateway/sip/sip_rig.h"
#include "tests/unit/gateway/sip/tls_pair.h"

static void open_with(struct rig *r, const struct pair *of_b, const struct pair *believed_by_a, const struct gw_sip_trunk *of_a)
{
	static const struct gw_sip_zone zone = { "default", "127.0.0.1", NULL, GW_SIP_ANY_PORT, GW_SIP_ANY_PORT, false, false };
	const struct gw_sip_trunk trusted = { .name = "a", .address = "sip:127.0.0.1:9;transport=tcp" };
	memset(r, 0, sizeof(*r));
	fake_media = (struct fake_media_conf){ .auto_up = true };
	r->a.certificate = r->b.certificate = of_b->certificate;
	r->a.key = r->b.key = of_b->key;
	r->a.ca = believed_by_a != NULL ? believed_by_a->certificate : NULL;
	r->b.ca = of_b->certificate;
	r->b.password = "secret";
	end_open(&r->b, &zone, &trusted, of_a == NULL || !of_a->enroll);
	r->b.auto_answer = true;
	struct gw_sip_trunk t = of_a != NULL ? *of_a : (struct gw_sip_trunk){ 0 };
	g_autofree char *address = g_strdup_printf("sip:127.0.0.1:%u;transport=tls", gw_sip_port(r->b.sip, NULL, "tls"));
	t.address = address;
	end_open(&r->a, &zone, &t, of_a != NULL);
	r->a.auto_answer = true;
}

static void a_call_over_tls(void)
{
	struct pair p;
	struct rig r;
	pair_make(&p, "somebody", "IP:127.0.0.1");
	open_with(&r, &p, &p, NULL);
	g_autofree char *uri = g_strdup_printf("sips:1001@127.0.0.1:%u", gw_sip_port(r.b.sip, NULL, "tls"));
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_UP && r.b.in != NULL && state_of(r.b.in) == GW_LEG_UP);
	g_assert_true(((struct call *)leg)->secure && ((struct call *)r.b.in)->secure);
	g_assert_cmpstr(r.b.trunk, ==, "a");	/* by its true address */
	gw_leg_free(r.b.in);
	WAIT(r.a.ended == 1);
	gw_leg_free(leg);
	rig_close(&r);
	pair_clear(&p);
}

static void is_refused(const char *cn, const char *san, bool other_authority, const char *why)
{
	struct pair p, other;
	struct rig r;
	pair_make(&p, cn, san);
	pair_make(&other, cn, san);
	open_with(&r, &p, other_authority ? &other : &p, NULL);
	g_autofree char *uri = g_strdup_printf("sips:1001@127.0.0.1:%u", gw_sip_port(r.b.sip, NULL, "tls"));
	gw_leg *leg = rig_dial(&r.a, uri);
	WAIT(state_of(leg) == GW_LEG_ENDED);
	g_assert_nonnull(strstr(r.a.why, why));
	g_assert_cmpuint(r.b.calls, ==, 0);
	g_assert_cmpint(end_counter(&r.b, "requests"), ==, 0);
	gw_leg_free(leg);
	rig_close(&r);
	pair_clear(&p);
	pair_clear(&other);
}

static void an_unknown_authority_is_refused(void)
{
	is_refused("127.0.0.1", "IP:127.0.0.1", true, "certificate");
}

static void another_name_is_refused(void)
{
	is_refused("thief.example", "DNS:thief.example", false, "IP address mismatch");
}

/* ---- rows of trunks ---- */
static char *fingerprint(const struct pair *p)
{
	guint8 bytes[32];
	unsigned len = 0;
	GString *s = g_string_new(NULL);
	FILE *f = fopen(p->certificate, "r");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	(void)fclose(f);
	X509_digest(x, EVP_sha256(), bytes, &len);
	for (unsigned n = 0; n < len; n++) {
		g_string_append_printf(s, "%02x", bytes[n]);
	}
	X509_free(x);
	return g_string_free(s, FALSE);
}

/* No authority says anything for it; its fingerprint does, and only its own. */
static void a_trunk_is_known_by_its_fingerprint(void)
{
	struct pair p;
	struct rig r;
	pair_make(&p, "mcu", "DNS:mcu.example");
	g_autofree char *print = fingerprint(&p), *other = g_strdup(print);
	other[5] = other[5] == '0' ? '1' : '0';
	open_with(&r, &p, NULL, &(struct gw_sip_trunk){ .name = "mcu", .fingerprint = print });
	WAIT(strstr(r.a.trunk_log->str, "mcu up") != NULL);
	gw_leg *leg = rig_dial(&r.a, "trunk:mcu/1001");
	WAIT(state_of(leg) == GW_LEG_UP);
	gw_leg_free(leg);
	WAIT(r.b.ended == 1);
	gw_leg_free(r.b.in);
	rig_close(&r);

	open_with(&r, &p, NULL, &(struct gw_sip_trunk){ .name = "mcu", .fingerprint = other });
	WAIT(strstr(r.a.trunk_log->str, "not the one of fingerprint=") != NULL);
	WAIT(strstr(r.a.trunk_log->str, "it showed SHA-256 ") != NULL);
	rig_close(&r);

	open_with(&r, &p, NULL, &(struct gw_sip_trunk){ .name = "mcu" });	/* by the system's authorities */
	WAIT(strstr(r.a.trunk_log->str, "self-signed") != NULL);
	rig_close(&r);

	open_with(&r, &p, NULL, &(struct gw_sip_trunk){ .name = "mcu", .ca = p.certificate });	/* the authority is right, the name is not */
	WAIT(strstr(r.a.trunk_log->str, "IP address mismatch") != NULL);
	rig_close(&r);
	pair_clear(&p);
}

static json_int_t of_front(struct end *e, const char *what)
{
	g_autoptr(json_t) o = end_dump(e);
	json_t *listener = json_array_get(json_object_get(o, "listeners"), 0);
	return json_integer_value(json_object_get(json_object_get(listener, "tls_front"), what));
}

/* A phone behind a NAT is reached over the connection that it registered by, and not at all when that is gone. */
static void a_phone_is_reached_over_its_connection(void)
{
	struct pair p;
	struct rig r;
	pair_make(&p, "sip", "IP:127.0.0.1");
	open_with(&r, &p, &p, &(struct gw_sip_trunk){ .name = "b", .user = "room1", .password = "secret", .enroll = true });
	WAIT(r.b.registered == 1);
	gw_leg *leg = rig_dial(&r.b, "device:room1");
	WAIT(state_of(leg) == GW_LEG_UP && r.a.in != NULL);
	g_assert_true(((struct call *)leg)->secure);
	g_assert_cmpint(of_front(&r.b, "accepted"), ==, 1);
	g_assert_cmpint(of_front(&r.b, "known"), ==, 1);
	g_assert_cmpint(of_front(&r.b, "opened_out"), ==, 0);
	gw_leg_free(leg);
	WAIT(r.a.ended == 1);
	gw_leg_free(r.a.in);
	end_close(&r.a);
	WAIT(r.b.registered == 0 && of_front(&r.b, "connections") == 0);
	g_autoptr(GError) err = NULL;
	leg = gw_sip_call(r.b.sip, "late", "p-late", &err);
	g_assert_cmpint(gw_leg_dial(leg, &(struct gw_leg_dial){ "device:room1", 0, true }), <, 0);
	gw_leg_free(leg);
	end_close(&r.b);
	pair_clear(&p);
}

/* ---- a peer made by hand ---- */
struct raw { int fd; SSL_CTX *ctx; SSL *ssl; GString *in; bool over; };

static void raw_open(struct raw *w, unsigned port, unsigned n)	/* n: its own address, 127.1.x.y */
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + n) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(w->fd, (struct sockaddr *)&own, sizeof(own)), ==, 0);
	g_assert_cmpint(connect(w->fd, (struct sockaddr *)&to, sizeof(to)), ==, 0);
	(void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
	w->ctx = SSL_CTX_new(TLS_client_method());
	w->ssl = SSL_new(w->ctx);
	SSL_set_fd(w->ssl, w->fd);
	SSL_set_connect_state(w->ssl);
	w->in = g_string_new(NULL);
	w->over = false;
}

static void raw_close(struct raw *w)
{
	SSL_free(w->ssl);
	SSL_CTX_free(w->ctx);
	g_string_free(w->in, TRUE);
	close(w->fd);
}

static bool raw_step(struct raw *w)	/* true: the handshake is done */
{
	char piece[4096];
	ERR_clear_error();
	int got = SSL_read(w->ssl, piece, sizeof(piece));
	if (got > 0) {
		g_string_append_len(w->in, piece, got);
	}
	int what = got > 0 ? SSL_ERROR_NONE : SSL_get_error(w->ssl, got);
	w->over = what != SSL_ERROR_NONE && what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE;
	return SSL_is_init_finished(w->ssl) == 1;
}

static void raw_say(struct raw *w, const char *text)
{
	g_assert_cmpint(SSL_write(w->ssl, text, (int)strlen(text)), ==, strlen(text));
}

static char *options_text(unsigned n, const char *via)
{
	return g_strdup_printf("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: %s;branch=z9hG4bK%u;rport\r\nFrom: <sip:x@y>;tag=1\r\n"
			       "To: <sip:127.0.0.1>\r\nCall-ID: o%u\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nl: 0\r\n\r\n", via, n, n);
}

/* Via of what comes back, keep-alives, two messages in one piece, one in many. */
static void what_a_peer_sees(void)
{
	struct pair p;
	struct rig r;
	struct raw w;
	pair_make(&p, "sip", "IP:127.0.0.1");
	open_with(&r, &p, &p, NULL);
	raw_open(&w, gw_sip_port(r.b.sip, NULL, "tls"), 4);
	WAIT(raw_step(&w));
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	(void)getsockname(w.fd, (struct sockaddr *)&own, &len);
	g_autofree char *one = options_text(1, "SIP/2.0/TLS 10.1.1.1:5071"), *two = options_text(2, "SIP / 2.0 / tls\r\n\t phone.invalid");
	g_autofree char *both = g_strconcat("\r\n\r\n", one, two, NULL);
	g_autofree char *want = g_strdup_printf(";rport=%u", ntohs(own.sin_port));
	raw_say(&w, both);
	WAIT((raw_step(&w), strstr(w.in->str, "o2") != NULL));
	g_assert_true(g_str_has_prefix(w.in->str, "\r\nSIP/2.0 200"));
	g_assert_nonnull(strstr(w.in->str, "SIP/2.0/TLS 10.1.1.1:5071;branch=z9hG4bK1"));
	g_assert_nonnull(strstr(w.in->str, ";received=127.1.0.5"));
	g_assert_nonnull(strstr(w.in->str, want));
	g_assert_null(strstr(w.in->str, "TCP"));
	g_assert_null(strstr(w.in->str, "127.64."));
	g_string_truncate(w.in, 0);
	g_autofree char *three = options_text(3, "SIP/2.0/TLS 10.1.1.1");
	for (size_t n = 0; three[n] != '\0'; n++) {
		g_assert_cmpint(SSL_write(w.ssl, three + n, 1), ==, 1);
	}
	WAIT((raw_step(&w), strstr(w.in->str, "o3") != NULL));
	raw_say(&w, "OPTIONS sip:x SIP/2.0\r\nContent-Length: 3\r\nl: 4\r\n\r\nabcd");
	WAIT((raw_step(&w), w.over));
	raw_close(&w);
	rig_close(&r);
	pair_clear(&p);
}

/* 5 a second and 20 at once a source; others come in. Who dials the stack's own port on loopback is nobody. */
static void who_comes_too_often(void)
{
	struct pair p;
	struct rig r;
	struct raw many[30], other;
	pair_make(&p, "sip", "IP:127.0.0.1");
	open_with(&r, &p, &p, NULL);
	unsigned port = gw_sip_port(r.b.sip, NULL, "tls"), over = 0;
	for (unsigned n = 0; n < G_N_ELEMENTS(many); n++) {
		raw_open(&many[n], port, 9);
	}
	WAIT(of_front(&r.b, "accepted") + of_front(&r.b, "refused") == G_N_ELEMENTS(many));
	g_assert_cmpint(of_front(&r.b, "refused"), >=, 5);
	raw_open(&other, port, 10);
	WAIT(raw_step(&other));
	for (unsigned n = 0; n < G_N_ELEMENTS(many); n++) {
		(void)raw_step(&many[n]);
		over += many[n].over;
		raw_close(&many[n]);
	}
	g_assert_cmpuint(over, >=, 5);
	raw_close(&other);

	const struct zone *twin = sip_zone(r.b.sip, NULL)->twin;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)twin->port[SIP_TCP]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int64_t before = end_counter(&r.b, "silent");
	g_autofree char *text = options_text(7, "SIP/2.0/TCP 127.0.0.1");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof(to)), ==, 0);
	g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, strlen(text));
	WAIT(end_counter(&r.b, "silent") == before + 1);
	close(fd);
	rig_close(&r);
	pair_clear(&p);
}

static void the_certificate_is_renewed(void)
{
	struct pair p, next;
	struct rig r;
	struct raw w;
	pair_make(&p, "old", "IP:127.0.0.1");
	pair_make(&next, "new", "IP:127.0.0.1");
	open_with(&r, &p, &p, NULL);
	g_assert_cmpint(g_rename(next.certificate, p.certificate), ==, 0);
	struct sip_front *f = sip_zone(r.b.sip, NULL)->twin->front;
	sip_front_tick(f, ort_now_us());	/* the key does not fit yet */
	g_assert_cmpint(g_rename(next.key, p.key), ==, 0);
	for (unsigned n = 0; n < 2; n++) {
		char name[32] = "";
		raw_open(&w, gw_sip_port(r.b.sip, NULL, "tls"), 20 + n);
		WAIT(raw_step(&w));
		X509 *x = SSL_get0_peer_certificate(w.ssl);
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
		g_assert_cmpstr(name, ==, n == 0 ? "old" : "new");
		raw_close(&w);
		sip_front_tick(f, ort_now_us());
	}
	rig_close(&r);
	pair_clear(&p);
	pair_clear(&next);
}

/* ---- nothing stays ---- */
static long rss_kib(void)
{
	long pages = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	g_assert_cmpint(fscanf(f, "%ld %ld", &pages, &rss), ==, 2);
	(void)fclose(f);
	return rss * (sysconf(_SC_PAGESIZE) / 1024);
}

enum { CROWD = 20 };

static bool all_answered(struct raw *w, unsigned n)
{
	unsigned answered = 0;
	for (unsigned k = 0; k < CROWD; k++) {
		bool fresh = SSL_is_init_finished(w[k].ssl) != 1;
		if (raw_step(&w[k]) && fresh) {
			g_autofree char *text = options_text(n + k, "SIP/2.0/TLS 10.1.1.1");
			raw_say(&w[k], text);
		}
		answered += strstr(w[k].in->str, "200 OK") != NULL;
	}
	return answered == CROWD;
}

static void connect_and_go(struct rig *r, unsigned n)
{
	struct raw w[CROWD];
	for (unsigned k = 0; k < CROWD; k++) {
		raw_open(&w[k], gw_sip_port(r->b.sip, NULL, "tls"), n + k);
	}
	WAIT(all_answered(w, n));
	for (unsigned k = 0; k < CROWD; k++) {
		raw_close(&w[k]);
	}
}

static void fail_and_go(struct rig *r, unsigned n)
{
	static const char junk[] = "\x16\x03\x01\x00\x20this is no hello of any client at all ..";
	struct raw w[CROWD];
	json_int_t before = of_front(&r->b, "failed_handshakes");
	for (unsigned k = 0; k < CROWD; k++) {
		raw_open(&w[k], gw_sip_port(r->b.sip, NULL, "tls"), n + k);
		g_assert_cmpint(send(w[k].fd, junk, sizeof(junk), MSG_NOSIGNAL), ==, sizeof(junk));
	}
	WAIT(of_front(&r->b, "failed_handshakes") == before + CROWD);
	for (unsigned k = 0; k < CROWD; k++) {
		raw_close(&w[k]);
	}
}

static void nothing_of_a_connection_stays(void)
{
	struct pair p;
	struct rig r;
	long before = 0;
	pair_make(&p, "sip", "IP:127.0.0.1");
	open_with(&r, &p, &p, NULL);
	for (unsigned n = 0; n < 400; n += CROWD) {
		if (n == 100) {	/* allocators are warm */
			(void)malloc_trim(0);
			before = rss_kib();
		}
		sip_limit_forget(r.b.sip->limit);
		connect_and_go(&r, n);
		fail_and_go(&r, n);
	}
	WAIT(of_front(&r.b, "connections") == 0);
	(void)malloc_trim(0);
	g_test_message("300 connections and 300 failed handshakes: %+ld KiB", rss_kib() - before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	g_assert_cmpint(rss_kib() - before, <, 1024);
#endif
	rig_close(&r);
	pair_clear(&p);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/tls/a_call_over_tls", a_call_over_tls);
	g_test_add_func("/sip/tls/an_unknown_authority_is_refused", an_unknown_authority_is_refused);
	g_test_add_func("/sip/tls/another_name_is_refused", another_name_is_refused);
	g_test_add_func("/sip/tls/a_trunk_is_known_by_its_fingerprint", a_trunk_is_known_by_its_fingerprint);
	g_test_add_func("/sip/tls/a_phone_is_reached_over_its_connection", a_phone_is_reached_over_its_connection);
	g_test_add_func("/sip/tls/what_a_peer_sees", what_a_peer_sees);
	g_test_add_func("/sip/tls/who_comes_too_often", who_comes_too_often);
	g_test_add_func("/sip/tls/the_certificate_is_renewed", the_certificate_is_renewed);
	g_test_add_func("/sip/tls/nothing_of_a_connection_stays", nothing_of_a_connection_stays);
	return g_test_run();
}
