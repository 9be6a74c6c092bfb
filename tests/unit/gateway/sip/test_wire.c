/* A stack of ours under foreign bytes: torture messages, methods without a password, floods, thieves of passwords. A call of
 * ours is up beside it all and must stay so. Time stands still for the rate buckets unless a case moves it. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/gateway/sip/sip_rig.h"

struct wire { struct rig r; gw_leg *leg; int fd; unsigned port; GString *got; unsigned replies; };

static int open_socket(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&a, &len), ==, 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void wire_open(struct wire *w, const char *trunk)
{
	memset(w, 0, sizeof(*w));
	rig_open(&w->r, NULL, 0);
	w->r.b.password = "secret";
	g_autofree char *uri = end_uri(&w->r.b, "1001");
	w->leg = rig_dial(&w->r.a, uri);
	WAIT(state_of(w->leg) == GW_LEG_UP && w->r.b.in != NULL && state_of(w->r.b.in) == GW_LEG_UP);
	w->fd = open_socket(&w->port);
	w->got = g_string_new(NULL);
	ort_clock_hold(1000 * ORT_US_PER_S, 1000);
	if (trunk == NULL) {	/* from here on 127.0.0.1 is a stranger */
		struct trunk *t = w->r.b.sip->trunks->pdata[0];
		g_ptr_array_set_size(t->literals, 0);
	}
}

static bool wire_read(struct wire *w)
{
	char buf[65536];
	ssize_t n = recv(w->fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0) {
		return false;
	}
	g_string_truncate(w->got, 0);
	g_string_append_len(w->got, buf, n);
	w->replies++;
	return true;
}

/* Sends to b and lets it work; the last answer is in w->got, "" when there was none. */
static unsigned wire_ask(struct wire *w, const char *text, gssize len)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned status = 0;
	a.sin_port = htons((uint16_t)gw_sip_port(w->r.b.sip, NULL, "udp"));
	g_string_truncate(w->got, 0);
	(void)sendto(w->fd, text, len < 0 ? strlen(text) : (size_t)len, 0, (struct sockaddr *)&a, sizeof(a));
	for (unsigned n = 0; n < 40; n++) {
		while (g_main_context_iteration(NULL, FALSE)) {
			;
		}
		while (wire_read(w)) {
			(void)sscanf(w->got->str, "SIP/2.0 %u", &status);
		}
		if (status >= 200) {
			break;
		}
		g_usleep(n < 20 ? 50 : 200);
	}
	return status;
}

static char *request(const struct wire *w, const char *method, const char *user, const char *more)
{
	static unsigned n;
	n++;
	return g_strdup_printf("%s sip:%s@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%u;rport\r\nMax-Forwards: 70\r\n"
			       "From: <sip:%s@127.0.0.1>;tag=%u\r\nTo: <sip:%s@127.0.0.1>\r\nCall-ID: c%u@wire\r\nCSeq: 1 %s\r\n"
			       "Contact: <sip:%s@127.0.0.1:%u>\r\nUser-Agent: friendly-scanner\r\n"
			       "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO\r\nSupported: replaces\r\n%sContent-Length: 0\r\n\r\n",
			       method, user, w->port, n, user, n, user, n, method, user, w->port, more);
}

static void call_lives(struct wire *w)
{
	unsigned before = fake_media_exchanges(((struct call *)w->leg)->media);
	ort_clock_advance(10 * ORT_US_PER_S);
	g_assert_cmpint(state_of(w->leg), ==, GW_LEG_UP);
	call_reoffer((struct call *)w->leg);
	WAIT(fake_media_exchanges(((struct call *)w->leg)->media) > before);
	g_assert_cmpint(state_of(w->r.b.in), ==, GW_LEG_UP);
}

static void wire_close(struct wire *w)
{
	call_lives(w);
	ort_clock_release();
	gw_leg_free(w->leg);
	WAIT(w->r.b.ended == 1);
	gw_leg_free(w->r.b.in);
	close(w->fd);
	g_string_free(w->got, TRUE);
	rig_close(&w->r);
}

/* ---- torture ---- */
static bool one_of(const char *name, const char *const *list)
{
	return g_strv_contains(list, name);
}

static void torture_in(struct wire *w, const char *folder)
{
	/* RFC 4475 3.1.1: valid; whatever is wrong with them for us, it is not their syntax. intmeth's display name holds a NUL,
	 * which the RFC allows and no text of ours may have. */
	static const char *const valid[] = { "wsinv.dat", "esc01.dat", "esc02.dat", "lwsdisp.dat", "longreq.dat", "dblreq.dat",
					     "semiuri.dat", "transports.dat", "mpart01.dat", "ipv6-good", "mult-ip-in-header",
					     "port-ambiguous", "port-unambiguous", NULL };
	/* 3.1.2: broken ones, that must not be accepted */
	static const char *const broken[] = { "badinv01.dat", "clerr.dat", "ncl.dat", "scalar02.dat", "quotbal.dat", "ltgtruri.dat",
					      "lwsruri.dat", "lwsstart.dat", "trws.dat", "escruri.dat", "mismatch01.dat", "mismatch02.dat",
					      "insuf.dat", "multi01.dat", "mcl01.dat", "badvers.dat", "unkscm.dat", "bext01.dat",
					      "ipv6-bad", "ipv6-bug-abnf-3-colons", NULL };
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "sip", folder, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_assert_nonnull(dir);
	for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
		g_autofree char *file = g_build_filename(path, name, NULL), *text = NULL;
		gsize len;
		if (strcmp(name, "ORIGIN") == 0) {
			continue;
		}
		g_assert_true(g_file_get_contents(file, &text, &len, NULL));
		ort_clock_advance(10 * ORT_US_PER_S);
		unsigned status = wire_ask(w, text, (gssize)len);
		g_test_message("%s: %u", name, status);
		g_assert_true(status != 400 || !one_of(name, valid));
		g_assert_true(status < 200 || status >= 300 || !one_of(name, broken));
	}
}

static void torture(void)
{
	struct wire w;
	wire_open(&w, NULL);
	torture_in(&w, "rfc4475");
	torture_in(&w, "rfc5118");
	g_assert_cmpuint(w.r.b.calls, ==, 1);	/* none made a call */
	g_assert_cmpuint(g_hash_table_size(w.r.b.sip->bindings), ==, 0);
	wire_close(&w);
}

static void torture_from_a_trunk(void)
{
	struct wire w;
	wire_open(&w, "a");
	w.r.b.refuse = 404;
	torture_in(&w, "rfc4475");
	torture_in(&w, "rfc5118");
	w.r.b.refuse = 0;
	wire_close(&w);
}

/* ---- strangers ---- */
static void only_options_is_for_all(void)
{
	static const struct { const char *method; unsigned want; } rows[] = {
		{ "OPTIONS", 200 }, { "REGISTER", 401 }, { "INVITE", 401 }, { "MESSAGE", 405 }, { "SUBSCRIBE", 405 }, { "NOTIFY", 405 },
		{ "PUBLISH", 405 }, { "REFER", 405 }, { "INFO", 405 }, { "UPDATE", 405 }, { "PRACK", 405 }, { "BYE", 405 }, { "CANCEL", 481 },
		{ "FOO", 501 }, { "ACK", 0 },
	};
	struct wire w;
	wire_open(&w, NULL);
	sip_zone(w.r.b.sip, NULL)->conf.md5 = false;
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *text = request(&w, rows[n].method, "1001", "");
		g_assert_cmpuint(wire_ask(&w, text, -1), ==, rows[n].want);
		if (rows[n].want != 0) {	/* nobody is amplified (class 13) */
			g_assert_cmpuint(w.got->len, <=, strlen(text));
		}
		ort_clock_advance(ORT_US_PER_S);
	}
	wire_close(&w);
}

static char *login(struct wire *w, const char *user, const char *password)
{
	g_autofree char *text = request(w, "REGISTER", user, "");
	g_assert_cmpuint(wire_ask(w, text, -1), ==, 401);
	const char *from = strstr(w->got->str, "nonce=\"") + 7;
	g_autofree char *nonce = g_strndup(from, strcspn(from, "\""));
	struct sip_answer s = { .realm = (char *)(uintptr_t)"ortoo", .nonce = nonce, .algorithm = SIP_SHA256, .qop = true };
	g_autofree char *value = sip_answer_print(&s, user, password, "REGISTER", "sip:127.0.0.1");
	g_autofree char *header = g_strdup_printf("Authorization: %s\r\n", value);
	return request(w, "REGISTER", user, header);
}

static const char *said_of(struct wire *w, unsigned at)	/* of sip.state; borrowed until the next */
{
	static char why[128];
	g_autoptr(json_t) o = end_dump(&w->r.b);
	const char *text = json_string_value(json_object_get(json_array_get(json_object_get(o, "unanswered"), at), "why"));
	g_strlcpy(why, text != NULL ? text : "", sizeof(why));
	return why;
}

/* Debian's baresip knows MD5 only, and gives up at the challenge: somebody must be told. */
static void a_phone_that_knows_md5_only(void)
{
	struct wire w;
	wire_open(&w, NULL);
	gw_sip *sip = w.r.b.sip;
	sip_zone(sip, NULL)->conf.md5 = false;
	g_autofree char *mute = request(&w, "REGISTER", "room1", ""), *stranger = request(&w, "REGISTER", "nobody", "");
	g_assert_cmpuint(wire_ask(&w, mute, -1), ==, 401);
	g_assert_cmpuint(wire_ask(&w, stranger, -1), ==, 401);
	sip_deaf_tick(sip->deaf, ort_now_us());
	g_assert_cmpstr(said_of(&w, 0), ==, "");
	ort_clock_advance(5 * ORT_US_PER_S);
	sip_deaf_tick(sip->deaf, ort_now_us());
	g_assert_cmpstr(said_of(&w, 0), ==, "this phone knows only MD5: allow md5 for its account and in its zone");
	g_assert_cmpstr(said_of(&w, 1), ==, "");	/* of accounts that there are */
	g_assert_cmpint(end_counter(&w.r.b, "unanswered"), ==, 1);
	g_autofree char *again = request(&w, "REGISTER", "room1", "");
	g_assert_cmpuint(wire_ask(&w, again, -1), ==, 401);
	ort_clock_advance(5 * ORT_US_PER_S);
	sip_deaf_tick(sip->deaf, ort_now_us());
	g_assert_cmpint(end_counter(&w.r.b, "unanswered"), ==, 1);	/* one line is enough */
	sip_zone(sip, NULL)->conf.md5 = true;
	g_autofree char *more = request(&w, "REGISTER", "room1", "");
	g_assert_cmpuint(wire_ask(&w, more, -1), ==, 401);
	ort_clock_advance(5 * ORT_US_PER_S);
	sip_deaf_tick(sip->deaf, ort_now_us());
	g_assert_cmpstr(said_of(&w, 0), ==, "this phone knows only MD5: allow md5 for its account");
	g_autofree char *good = login(&w, "room1", "secret");
	g_assert_cmpuint(wire_ask(&w, good, -1), ==, 200);
	g_assert_cmpstr(said_of(&w, 0), ==, "");
	for (unsigned n = 0; n < 6; n++) {	/* then it guesses, is locked out, and somebody mends its account */
		g_autofree char *bad = login(&w, "room1", "wrong");
		(void)wire_ask(&w, bad, -1);
		ort_clock_advance(ORT_US_PER_S);
	}
	g_autofree char *locked = login(&w, "room1", "secret");
	g_assert_cmpuint(wire_ask(&w, locked, -1), ==, 403);
	gw_sip_forgive(sip, "room1");
	g_autofree char *forgiven = login(&w, "room1", "secret");
	g_assert_cmpuint(wire_ask(&w, forgiven, -1), ==, 200);
	wire_close(&w);
}

static char *without_numbers(const char *reply)	/* what may differ: nonce, tags, branch, user */
{
	g_autoptr(GRegex) re = g_regex_new("(nonce=\"[^\"]*\"|tag=[^;\\r]*|branch=[^;\\r]*|room1|nobody|Call-ID: .*)", 0, 0, NULL);
	return g_regex_replace(re, reply, -1, 0, "*", 0, NULL);
}

static void who_exists_is_not_told(void)
{
	struct wire w;
	wire_open(&w, NULL);
	static const char *const users[] = { "room1", "nobody" };
	char *texts[2];
	for (unsigned n = 0; n < 2; n++) {
		g_autofree char *text = login(&w, users[n], "wrong");
		g_assert_cmpuint(wire_ask(&w, text, -1), ==, 401);
		texts[n] = without_numbers(w.got->str);
		ort_clock_advance(3 * ORT_US_PER_S);
	}
	g_assert_cmpstr(texts[0], ==, texts[1]);
	g_free(texts[0]);
	g_free(texts[1]);
	wire_close(&w);
}

static void a_guesser_is_stopped_after_five(void)
{
	struct wire w;
	wire_open(&w, NULL);
	for (unsigned n = 0; n < 8; n++) {
		g_autofree char *text = login(&w, "room1", "guess");
		g_assert_cmpuint(wire_ask(&w, text, -1), ==, n < 5 ? 401 : 403);
		ort_clock_advance(ORT_US_PER_S);
	}
	g_autofree char *locked = login(&w, "room1", "secret");
	g_assert_cmpuint(wire_ask(&w, locked, -1), ==, 403);
	ort_clock_advance(31 * ORT_US_PER_S);
	g_autofree char *good = login(&w, "room1", "secret");
	g_assert_cmpuint(wire_ask(&w, good, -1), ==, 200);
	g_assert_cmpuint(wire_ask(&w, good, -1), ==, 200);	/* a retransmission is the same transaction */
	char *replay = strstr(good, "z9hG4bK");
	replay[7] = '_';
	strstr(good, "Call-ID: c")[9] = 'd';
	g_assert_cmpuint(wire_ask(&w, good, -1), ==, 401);	/* a replay is not */
	g_assert_nonnull(strstr(w.got->str, "stale=true"));
	wire_close(&w);
}

static void a_flood_costs_nothing(void)
{
	static const char *const methods[] = { "INVITE", "REGISTER", "OPTIONS", "MESSAGE" };
	struct wire w;
	wire_open(&w, NULL);
	unsigned sent = 0;
	for (unsigned n = 0; n < 4000; n++) {
		g_autofree char *text = request(&w, methods[n % 4], "1001", "");
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		a.sin_port = htons((uint16_t)gw_sip_port(w.r.b.sip, NULL, "udp"));
		(void)sendto(w.fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof(a));
		sent++;
		while (g_main_context_iteration(NULL, FALSE)) {
			;
		}
		while (wire_read(&w)) {
			;
		}
	}
	g_assert_cmpuint(w.replies, <=, 20 + 10 + 40 + 20 + 8);	/* the bursts, and a few 503 */
	g_assert_cmpuint(g_hash_table_size(w.r.b.sip->calls), ==, 1);
	g_assert_cmpint(end_counter(&w.r.b, "silent"), >, 3000);
	wire_close(&w);
}

static void stun_is_not_spoken(void)
{
	static const char binding[20] = { 0, 1, 0, 0, 0x21, 0x12, (char)0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct wire w;
	wire_open(&w, NULL);
	g_assert_cmpuint(wire_ask(&w, binding, sizeof(binding)), ==, 0);
	g_assert_cmpuint(w.got->len, ==, 0);
	wire_close(&w);
}

static void a_foreign_bye_ends_nothing(void)
{
	struct wire w;
	wire_open(&w, NULL);
	const struct call *c = (struct call *)w.r.b.in;
	g_autofree char *bye = g_strdup_printf("BYE sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKbye\r\n"
					       "From: <sip:x@y>;tag=guessed\r\nTo: <sip:1001@127.0.0.1>;tag=guessed2\r\nCall-ID: %s\r\n"
					       "CSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n", w.port, c->call_id);
	g_assert_cmpuint(wire_ask(&w, bye, -1), ==, 481);
	wire_close(&w);
}

/* ---- one call takes another's place (RFC 3891) ---- */
static char *replaces(struct wire *w, const char *from_tag)
{
	const struct call *b = (struct call *)w->r.b.in;
	g_autofree char *more = g_strdup_printf("Replaces: %s;to-tag=%s;from-tag=%s\r\nRequire: replaces\r\n", b->call_id,
						nta_leg_get_tag(b->dialog), from_tag != NULL ? from_tag : nta_leg_get_rtag(b->dialog));
	return request(w, "INVITE", "1001", more);
}

static void a_replacing_call_takes_the_place(void)
{
	struct wire w;
	wire_open(&w, "a");
	gw_leg *old = w.r.b.in;
	g_autofree char *unknown = replaces(&w, "guessed");
	g_assert_cmpuint(wire_ask(&w, unknown, -1), ==, 481);
	g_assert_cmpint(state_of(old), ==, GW_LEG_UP);
	ort_clock_advance(ORT_US_PER_S);
	g_autofree char *good = replaces(&w, NULL);
	g_assert_cmpuint(wire_ask(&w, good, -1), ==, 200);
	g_assert_cmpstr(w.r.b.replaces, ==, old->id);
	g_assert_cmpint(state_of(old), ==, GW_LEG_ENDED);
	g_assert_cmpstr(old->why, ==, "replaced");
	WAIT(w.r.a.ended == 1);
	ort_clock_release();
	gw_leg_free(old);
	gw_leg_free(w.r.b.in);
	gw_leg_free(w.leg);
	close(w.fd);
	g_string_free(w.got, TRUE);
	rig_close(&w.r);
}

static void a_stranger_replaces_nothing(void)
{
	struct wire w;
	wire_open(&w, NULL);
	g_autofree char *text = replaces(&w, NULL);
	g_assert_cmpuint(wire_ask(&w, text, -1), ==, 401);
	wire_close(&w);
}

/* ---- thieves of passwords (class 2) ---- */
static void reply_to(struct wire *w, const char *text, unsigned port, const char *status, const char *more)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	GString *s = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
	g_string_append_printf(s, "SIP/2.0 %s\r\n", status);
	for (char **l = lines; *l != NULL; l++) {
		static const char *const keep[] = { "Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:" };
		for (unsigned n = 0; n < G_N_ELEMENTS(keep); n++) {
			if (g_str_has_prefix(*l, keep[n])) {
				g_string_append_printf(s, "%s\r\n", *l);
			}
		}
		if (g_str_has_prefix(*l, "To:")) {
			g_string_append_printf(s, "%s%s\r\n", *l, strstr(*l, ";tag=") != NULL ? "" : ";tag=thief");
		}
	}
	g_string_append_printf(s, "%sContent-Length: 0\r\n\r\n", more);
	(void)sendto(w->fd, s->str, s->len, 0, (struct sockaddr *)&a, sizeof(a));
	g_string_free(s, TRUE);
}

static void a_stranger_that_we_call_gets_no_password(void)
{
	struct wire w;
	wire_open(&w, NULL);
	g_autofree char *uri = g_strdup_printf("sip:1001@127.0.0.1:%u", w.port);
	gw_leg *leg = rig_dial(&w.r.a, uri);
	unsigned invites = 0;
	while (state_of(leg) != GW_LEG_ENDED) {
		(void)g_main_context_iteration(NULL, FALSE);
		if (wire_read(&w)) {
			g_assert_null(strcasestr(w.got->str, "\nAuthorization:"));
			invites += g_str_has_prefix(w.got->str, "INVITE");
			if (g_str_has_prefix(w.got->str, "INVITE")) {
				reply_to(&w, w.got->str, gw_sip_port(w.r.a.sip, NULL, "udp"), "401 Unauthorized",
					 "WWW-Authenticate: Digest realm=\"thief\", nonce=\"1\", algorithm=MD5\r\n");
			}
		}
	}
	g_assert_cmpuint(invites, ==, 1);
	gw_leg_free(leg);
	wire_close(&w);
}

/* The peer calls us, we have its trunk's password, and it challenges our re-INVITE and our BYE. */
static void a_trunk_that_calls_gets_no_password(void)
{
	struct wire w;
	wire_open(&w, "a");
	struct trunk *t = w.r.b.sip->trunks->pdata[0];
	t->conf.user = g_strdup("user");
	t->conf.password = g_strdup("secret");
	gw_leg *before = w.r.b.in;
	g_autofree char *invite = request(&w, "INVITE", "1002", "");
	g_assert_cmpuint(wire_ask(&w, invite, -1), ==, 200);	/* a late offer: the 200 carries SDP */
	gw_leg *leg = w.r.b.in;
	g_assert_true(leg != before);
	const char *tag = strstr(strstr(w.got->str, "\nTo:"), "tag=");
	g_autofree char *to = g_strndup(tag, strcspn(tag, "\r;"));
	g_autofree char *body = g_strdup("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n");
	const char *id = strstr(invite, "Call-ID:"), *from = strstr(invite, "From:");
	g_autofree char *ack = g_strdup_printf("ACK sip:1002@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKack\r\n%.*s\r\n"
					       "To: <sip:1002@127.0.0.1>;%s\r\n%.*s\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\n"
					       "Content-Length: %zu\r\n\r\n%s", w.port, (int)strcspn(from, "\r"), from, to,
					       (int)strcspn(id, "\r"), id, strlen(body), body);
	(void)wire_ask(&w, ack, -1);
	WAIT(state_of(leg) == GW_LEG_UP);
	gw_leg_hangup(leg, "test");
	unsigned byes = 0;
	for (unsigned n = 0; n < 400 && g_hash_table_size(w.r.b.sip->farewells) > 0; n++) {
		(void)g_main_context_iteration(NULL, FALSE);
		if (wire_read(&w)) {
			g_assert_null(strcasestr(w.got->str, "uthorization:"));
			byes += g_str_has_prefix(w.got->str, "BYE");
			reply_to(&w, w.got->str, gw_sip_port(w.r.b.sip, NULL, "udp"), "407 Proxy Authentication Required",
				 "Proxy-Authenticate: Digest realm=\"thief\", nonce=\"1\"\r\n");
		}
		g_usleep(100);
	}
	g_assert_cmpuint(byes, ==, 1);
	gw_leg_free(leg);
	w.r.b.in = before;
	w.r.b.ended = 0;
	wire_close(&w);
}

int main(int argc, char **argv)
{
	static const struct { const char *path; void (*fn)(void); } rows[] = {
#define T(x) { "/sip/wire/" #x, x }
		T(torture), T(torture_from_a_trunk), T(only_options_is_for_all), T(who_exists_is_not_told), T(a_phone_that_knows_md5_only), T(a_guesser_is_stopped_after_five),
		T(a_flood_costs_nothing), T(stun_is_not_spoken), T(a_foreign_bye_ends_nothing), T(a_replacing_call_takes_the_place), T(a_stranger_replaces_nothing),
		T(a_stranger_that_we_call_gets_no_password),
		T(a_trunk_that_calls_gets_no_password),
#undef T
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_test_add_func(rows[n].path, rows[n].fn);
	}
	return g_test_run();
}
