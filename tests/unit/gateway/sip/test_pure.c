/* Rates, digest, numbers: functions of texts and time. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/digest_priv.h"
#include "gateway/sip/limit_priv.h"
#include "gateway/sip/uri_priv.h"
#include "mcu/base/clock.h"

enum { S = 1000000 };

/* ---- rates ---- */
static void a_flood_is_cut_to_the_rate(void)
{
	struct sip_limit *l = sip_limit_new(100);
	unsigned passed = 0;
	for (int64_t ms = 0; ms < 60 * 1000; ms += 2) {	/* 500 a second for a minute */
		passed += sip_limit_take(l, "192.0.2.1", SIP_RATE_INVITE, ms * 1000);
	}
	g_assert_cmpuint(passed, >=, 60 * 5);
	g_assert_cmpuint(passed, <=, 60 * 5 + 20);
	g_assert_true(sip_limit_take(l, "192.0.2.2", SIP_RATE_INVITE, 60 * S));
	g_assert_true(sip_limit_take(l, "192.0.2.1", SIP_RATE_REGISTER, 60 * S));
	sip_limit_free(l);
}

static void forged_sources_cost_no_memory(void)
{
	struct sip_limit *l = sip_limit_new(100);
	for (int n = 0; n < 5000; n++) {
		g_autofree char *source = g_strdup_printf("198.51.%d.%d", n / 250, n % 250);
		(void)sip_limit_take(l, source, SIP_RATE_OTHER, n);
	}
	g_assert_cmpuint(sip_limit_sources(l), <=, 100);
	sip_limit_free(l);
}

/* ---- digest ---- */
static void rfc7616_example(void)
{
	static const struct { enum sip_algorithm a; const char *want; } rows[] = {
		{ SIP_SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
		{ SIP_MD5, "8ca523f5e9506fed4657c9700eebdbec" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *ha1 = sip_digest_ha1(rows[n].a, "Mufasa", "http-auth@example.org", "Circle of Life");
		g_autofree char *r = sip_digest_response(rows[n].a, ha1, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
							 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth", "GET",
							 "/dir/index.html");
		g_assert_cmpstr(r, ==, rows[n].want);
	}
}

static struct sip_digest parsed(const char *header)
{
	struct sip_digest d;
	g_auto(GStrv) words = g_strsplit_set(strchr(header, ' ') + 1, ", ", -1);
	g_assert_true(sip_digest_parse((const char *const *)words, &d));
	return d;
}

struct login { struct sip_auth *auth; struct sip_answer client; char *ha1; };

static enum sip_verdict attempt(struct login *l, const char *user, const char *password, const char *source, int64_t now_us)
{
	g_autofree char *text = sip_answer_print(&l->client, user, password, "REGISTER", "sip:ortoo");
	struct sip_digest d = parsed(text);
	const struct sip_auth_try t = { &d, "REGISTER", source, { strcmp(user, "room1") == 0 ? l->ha1 : NULL, NULL } };
	enum sip_verdict v = sip_auth_check(l->auth, &t, now_us);
	sip_digest_clear(&d);
	return v;
}

static void challenged(struct login *l, const char *source, int64_t now_us)
{
	g_autofree char *text = sip_auth_challenge(l->auth, SIP_SHA256, source, false, now_us);
	struct sip_digest d = parsed(text);
	g_assert_cmpint(sip_answer_take(&l->client, &d, false), ==, 0);
	sip_digest_clear(&d);
}

static void login_open(struct login *l)
{
	memset(l, 0, sizeof(*l));
	l->auth = sip_auth_new("ortoo");
	l->ha1 = sip_digest_ha1(SIP_SHA256, "room1", "ortoo", "secret");
}

static void login_close(struct login *l)
{
	sip_auth_free(l->auth);
	sip_answer_clear(&l->client);
	g_free(l->ha1);
}

static void a_nonce_is_used_once_a_count(void)
{
	struct login l;
	login_open(&l);
	challenged(&l, "s", 100 * (int64_t)S);
	g_assert_cmpint(attempt(&l, "room1", "secret", "s", 100 * (int64_t)S), ==, SIP_AUTH_GOOD);
	g_assert_cmpint(attempt(&l, "room1", "secret", "s", 110 * (int64_t)S), ==, SIP_AUTH_GOOD);	/* nc=2 */
	l.client.nc = 0;
	g_assert_cmpint(attempt(&l, "room1", "secret", "s", 111 * (int64_t)S), ==, SIP_AUTH_STALE);	/* replay */
	l.client.nc = 5;
	g_assert_cmpint(attempt(&l, "room1", "secret", "s", 162 * (int64_t)S), ==, SIP_AUTH_STALE);	/* 60 s are over */
	g_assert_cmpint(attempt(&l, "room1", "secret", "elsewhere", 112 * (int64_t)S), ==, SIP_AUTH_STALE);
	login_close(&l);
}

static void five_failures_lock_and_the_lock_doubles(void)
{
	struct login l;
	int64_t now = 1000 * (int64_t)S;
	login_open(&l);
	for (unsigned n = 0; n < 5; n++) {
		challenged(&l, "s", now);
		g_assert_cmpint(attempt(&l, "room1", "wrong", "s", now), ==, SIP_AUTH_BAD);
	}
	challenged(&l, "s", now);
	g_assert_cmpint(attempt(&l, "room1", "secret", "s", now + 29 * (int64_t)S), ==, SIP_AUTH_LOCKED);
	g_assert_false(sip_auth_locked(l.auth, "neighbour", "room1", now));
	now += 31 * (int64_t)S;
	for (unsigned n = 0; n < 5; n++) {
		challenged(&l, "s", now);
		g_assert_cmpint(attempt(&l, "room1", "wrong", "s", now), ==, SIP_AUTH_BAD);
	}
	g_assert_true(sip_auth_locked(l.auth, "s", "room1", now + 59 * (int64_t)S));
	g_assert_false(sip_auth_locked(l.auth, "s", "room1", now + 61 * (int64_t)S));
	login_close(&l);
}

static void an_unknown_user_looks_like_a_known_one(void)
{
	struct login l;
	login_open(&l);
	for (unsigned n = 0; n < 5; n++) {
		challenged(&l, "s", S);
		g_assert_cmpint(attempt(&l, "nobody", "x", "s", S), ==, SIP_AUTH_BAD);
	}
	challenged(&l, "s", S);
	g_assert_cmpint(attempt(&l, "nobody", "x", "s", S), ==, SIP_AUTH_LOCKED);
	login_close(&l);
}

static void another_realm_gets_no_answer(void)
{
	struct sip_answer a = { 0 };
	const char *const first[] = { "realm=\"mcu\"", "nonce=\"1\"", "qop=\"auth\"", "algorithm=SHA-256", NULL };
	const char *const other[] = { "realm=\"thief\"", "nonce=\"2\"", NULL };
	const char *const unknown[] = { "realm=\"mcu\"", "nonce=\"3\"", "algorithm=SHA-512", NULL };
	const struct { const char *const *params; int want; } rows[] = { { first, 0 }, { first, -EAGAIN }, { other, -EACCES }, { unknown, -ENOTSUP } };
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct sip_digest d;
		g_assert_true(sip_digest_parse(rows[n].params, &d));
		g_assert_cmpint(sip_answer_take(&a, &d, false), ==, rows[n].want);
		sip_digest_clear(&d);
	}
	sip_answer_clear(&a);
}

/* ---- texts ---- */
static void dial_strings(void)
{
	static const struct { const char *text; int want; enum sip_dial_kind kind; const char *uri, *name, *number; } rows[] = {
		{ "sip:1001@192.0.2.1:5060;transport=tcp", 0, SIP_DIAL_URI, "sip:1001@192.0.2.1:5060;transport=tcp", NULL, NULL },
		{ "sips:room@mcu.example", 0, SIP_DIAL_URI, "sips:room@mcu.example", NULL, NULL },
		{ "room@mcu.example", 0, SIP_DIAL_URI, "sip:room@mcu.example", NULL, NULL },
		{ "sip:[2001:db8::1]:5061", 0, SIP_DIAL_URI, "sip:[2001:db8::1]:5061", NULL, NULL },
		{ "trunk:mcu/88001", 0, SIP_DIAL_TRUNK, NULL, "mcu", "88001" },
		{ "trunk:mcu", 0, SIP_DIAL_TRUNK, NULL, "mcu", "" },
		{ "trunk:mcu/sip:88001@192.0.2.7:5060", 0, SIP_DIAL_TRUNK, NULL, "mcu", "88001" },
		{ "1001", 0, SIP_DIAL_TRUNK, NULL, "", "1001" },
		{ "device:room1", 0, SIP_DIAL_DEVICE, NULL, "room1", NULL },
		{ "sip:a@b?Subject=x", -EINVAL, 0, NULL, NULL, NULL },
		{ "sip:a@b\r\nRoute: <sip:thief>", -EINVAL, 0, NULL, NULL, NULL },
		{ "sip:", -EINVAL, 0, NULL, NULL, NULL },
		{ "", -EINVAL, 0, NULL, NULL, NULL },
		{ "trunk:", -EINVAL, 0, NULL, NULL, NULL },
		{ "tel:110", -EINVAL, 0, NULL, NULL, NULL },
		{ "device:a/b", -EINVAL, 0, NULL, NULL, NULL },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		struct sip_dial d;
		g_assert_cmpint(sip_dial_parse(rows[n].text, &d), ==, rows[n].want);
		if (rows[n].want == 0) {
			g_assert_cmpint(d.kind, ==, rows[n].kind);
			g_assert_cmpstr(d.uri, ==, rows[n].uri);
			g_assert_cmpstr(d.name, ==, rows[n].name);
			g_assert_cmpstr(d.number, ==, rows[n].number);
			sip_dial_clear(&d);
		}
	}
}

static void numbers_and_names(void)
{
	static const struct { const char *user, *want; } numbers[] = {
		{ "1001", "1001" }, { "+86-(471)%20", NULL }, { "+86-471-123", "+86471123" }, { "1001;ext=5", "1001" },
		{ "%31%30", "10" }, { "a%00b", NULL }, { "a%0d%0ab", NULL }, { "", NULL }, { "%E4%BC%9A", "会" }, { "a/b", NULL },
		{ "room.1", "room.1" }, { "*31#", NULL },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(numbers) - 1; n++) {
		g_autofree char *got = sip_number(numbers[n].user);
		g_assert_cmpstr(got, ==, numbers[n].want);
	}
	static const struct { const char *text, *want; } names[] = {
		{ "\"Room 1\"", "Room 1" }, { "\"a\\\"b\"", "ab" }, { "x\x1b[31m\r\ny", "x[31my" }, { "\"\"", NULL },
		{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" }, { "呼和浩特", "呼和浩特" },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
		g_autofree char *got = sip_name(names[n].text);
		g_assert_cmpstr(got, ==, names[n].want);
	}
}

static void literals_are_bytes(void)
{
	static const struct { const char *host, *want, *key; } rows[] = {
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1" }, { "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ "[::ffff:c000:201]", "192.0.2.1", "192.0.2.1" }, { "[2001:DB8:0:0::1]", "2001:db8::1", "2001:db8::" },
		{ "mcu.example", NULL, NULL }, { "192.0.2.1.evil", NULL, NULL }, { "", NULL, NULL }, { "[::1", NULL, NULL }, { "[", NULL, NULL }, { "[]", NULL, NULL },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_autofree char *got = sip_literal(rows[n].host);
		g_assert_cmpstr(got, ==, rows[n].want);
		g_autofree char *key = got != NULL ? sip_source_key(got) : NULL;
		g_assert_cmpstr(key, ==, rows[n].key);
	}
	g_assert_true(sip_is_private("10.1.2.3") && sip_is_private("172.31.0.1") && sip_is_private("fd00::1"));
	g_assert_false(sip_is_private("192.0.2.1") || sip_is_private("172.32.0.1") || sip_is_private("2001:db8::1"));
}

static void info_bodies(void)
{
	static const struct { const char *type, *body; char want; } rows[] = {
		{ "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5' },
		{ "application/dtmf-relay", "Duration=160\nSignal= #\n", '#' },
		{ "application/dtmf-relay", "Signal=11\r\n", '#' },
		{ "application/dtmf-relay", "Signal=x\r\n", 0 },
		{ "application/dtmf-relay", "Signal", 0 },
		{ "application/dtmf", "7", '7' },
		{ "application/dtmf", "10", '*' },
		{ "application/DTMF; charset=utf-8", "a", 'A' },
		{ "text/plain", "5", 0 },
		{ NULL, "5", 0 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_assert_cmpint(sip_info_dtmf(rows[n].type, rows[n].body, strlen(rows[n].body)), ==, rows[n].want);
	}
	static const char xml[] = "<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>";
	g_assert_true(sip_info_fast_update("application/media_control+xml", xml, strlen(xml)));
	g_assert_false(sip_info_fast_update("application/xml", xml, strlen(xml)));
	g_assert_false(sip_info_fast_update("application/media_control+xml", NULL, 0));
}

int main(int argc, char **argv)
{
	static const struct { const char *path; void (*fn)(void); } rows[] = {
#define T(x) { "/sip/pure/" #x, x }
		T(a_flood_is_cut_to_the_rate), T(forged_sources_cost_no_memory), T(rfc7616_example), T(a_nonce_is_used_once_a_count),
		T(five_failures_lock_and_the_lock_doubles), T(an_unknown_user_looks_like_a_known_one), T(another_realm_gets_no_answer),
		T(dial_strings), T(numbers_and_names), T(literals_are_bytes), T(info_bodies),
#undef T
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		g_test_add_func(rows[n].path, rows[n].fn);
	}
	return g_test_run();
}
