/* The pure half of softclient/desktop/call: links, places, and both state machines in virtual time. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "softclient/desktop/call/call_priv.h"

#define TOKEN "b0gC6m9_kq-2YtWw8Zs1Rg"

static const struct { const char *name, *url, *origin; bool loopback; } link_rows[] = {
	{ "plain", "https://ortoo.example/j/" TOKEN, "https://ortoo.example", false },
	{ "port", "https://10.1.2.3:8443/j/" TOKEN, "https://10.1.2.3:8443", false },
	{ "ipv6", "https://[2001:db8::7]:8443/j/" TOKEN, "https://[2001:db8::7]:8443", false },
	{ "loopback", "https://127.0.0.1:8443/j/" TOKEN, "https://127.0.0.1:8443", true },
	{ "loopback-ipv6", "https://[::1]:8443/j/" TOKEN, "https://[::1]:8443", true },
	{ "localhost-http", "http://localhost:8080/j/" TOKEN, "http://localhost:8080", true },
	{ "http-elsewhere", "http://ortoo.example/j/" TOKEN, NULL, false },
	{ "http-looks-like-loopback", "http://127.0.0.1.evil.example/j/" TOKEN, NULL, false },
	{ "user", "https://127.0.0.1@evil.example/j/" TOKEN, NULL, false },
	{ "query", "https://ortoo.example/j/" TOKEN "?x=1", NULL, false },
	{ "other-page", "https://ortoo.example/wall#" TOKEN, NULL, false },
	{ "no-token", "https://ortoo.example/j/", NULL, false },
	{ "short-token", "https://ortoo.example/j/abc", NULL, false },
	{ "deeper", "https://ortoo.example/j/" TOKEN "/x", NULL, false },
	{ "not-ours", "ftp://ortoo.example/j/" TOKEN, NULL, false },
	{ "no-address", "hello", NULL, false },
	{ "empty", "", NULL, false },
};

static void link_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct sc_link link = { 0 };
	g_autofree char *why = NULL;
	bool ok = sc_link_parse(link_rows[i].url, &link, &why);
	g_assert_cmpint(ok, ==, link_rows[i].origin != NULL);
	g_assert_cmpint(ok, ==, why == NULL);
	g_assert_cmpstr(link.origin, ==, link_rows[i].origin);
	g_assert_cmpint(link.loopback, ==, link_rows[i].loopback);
	if (ok) {
		g_assert_cmpstr(link.token, ==, TOKEN);
	} else {
		g_assert_null(strstr(why, TOKEN));
	}
	sc_link_clear(&link);
}

static const struct { const char *name, *text; bool want; } place_rows[] = {
	{ "ordos", "39.608,109.781", true }, { "south-west", "-33.9,-70", true }, { "pole", "90,180", true },
	{ "beyond-pole", "90.1,0", false },  { "far-east", "0,181", false },	  { "one", "39.6", false },
	{ "three", "1,2,3", false },	     { "words", "here,there", false },	  { "nan", "nan,0", false },
	{ "empty", "", false },
};

static void place_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct sc_place p;
	g_assert_cmpint(sc_place_parse(place_rows[i].text, &p), ==, place_rows[i].want);
}

static void walk_stays_near(void)
{
	struct sc_place from = { 39.608, 109.781 };
	double far = 0;
	for (int64_t ms = 0; ms < 1200000; ms += 5000) {
		struct sc_place at = sc_place_walk(from, ms);
		far = MAX(far, hypot((at.lat - from.lat) * 111320, (at.lon - from.lon) * 111320 * cos(from.lat * G_PI / 180)));
	}
	g_assert_cmpfloat(far, >, 60);
	g_assert_cmpfloat(far, <, 125);
	g_assert_cmpfloat(fabs(sc_place_walk(from, 0).lat - from.lat), <, 1e-9);
}

/* ---- machines: events in order, the state after each ---- */
struct step { int event, want; };
static const struct { const char *name; const struct line_kind *kind; struct step steps[12]; } line_rows[] = {
	{ "link-opens", &sc_wire_kind, { { WIRE_EV_OPENED, WIRE_DIALING }, { WIRE_EV_DIALED, WIRE_UP }, { -1, 0 } } },
	{ "link-refused", &sc_wire_kind, { { WIRE_EV_REFUSED, WIRE_ENDED }, { WIRE_EV_TIMER, WIRE_ENDED }, { -1, 0 } } },
	{ "gateway-away-at-first", &sc_wire_kind,
	  { { WIRE_EV_LOST, WIRE_OPEN_REST }, { WIRE_EV_TIMER, WIRE_OPENING }, { WIRE_EV_OPENED, WIRE_DIALING }, { -1, 0 } } },
	{ "socket-lost-and-back", &sc_wire_kind,
	  { { WIRE_EV_OPENED, WIRE_DIALING }, { WIRE_EV_DIALED, WIRE_UP }, { WIRE_EV_LOST, WIRE_DIAL_REST }, { WIRE_EV_TIMER, WIRE_DIALING },
	    { WIRE_EV_DIALED, WIRE_UP }, { -1, 0 } } },
	{ "session-forgotten-asks-the-link", &sc_wire_kind,
	  { { WIRE_EV_OPENED, WIRE_DIALING }, { WIRE_EV_UNKNOWN_US, WIRE_OPEN_REST }, { WIRE_EV_TIMER, WIRE_OPENING },
	    { WIRE_EV_REFUSED, WIRE_ENDED }, { -1, 0 } } },
	{ "late-news-of-the-dead-change-nothing", &sc_wire_kind,
	  { { WIRE_EV_CLOSE, WIRE_ENDED }, { WIRE_EV_OPENED, WIRE_ENDED }, { WIRE_EV_DIALED, WIRE_ENDED }, { WIRE_EV_LOST, WIRE_ENDED },
	    { -1, 0 } } },
	{ "media-comes-up", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_ANSWERED, LEG_CONNECTING }, { LEG_EV_CONNECTED, LEG_UP }, { -1, 0 } } },
	{ "engine-died-new-connection-at-once", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_ANSWERED, LEG_CONNECTING }, { LEG_EV_CONNECTED, LEG_UP }, { LEG_EV_GONE, LEG_OFFERING },
	    { -1, 0 } } },
	{ "engine-still-dead-rests", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_FAILED, LEG_REST }, { LEG_EV_TIMER, LEG_OFFERING }, { LEG_EV_GONE, LEG_REST },
	    { LEG_EV_START, LEG_OFFERING }, { -1, 0 } } },
	{ "path-wavers-and-holds", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_ANSWERED, LEG_CONNECTING }, { LEG_EV_CONNECTED, LEG_UP },
	    { LEG_EV_WAVERED, LEG_WAVERING }, { LEG_EV_CONNECTED, LEG_UP }, { -1, 0 } } },
	{ "path-wavers-too-long", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_ANSWERED, LEG_CONNECTING }, { LEG_EV_CONNECTED, LEG_UP },
	    { LEG_EV_WAVERED, LEG_WAVERING }, { LEG_EV_TIMER, LEG_OFFERING }, { -1, 0 } } },
	{ "foreign-certificate-never-up", &sc_leg_kind,
	  { { LEG_EV_START, LEG_OFFERING }, { LEG_EV_ANSWERED, LEG_CONNECTING }, { LEG_EV_FAILED, LEG_REST }, { LEG_EV_CLOSE, LEG_ENDED },
	    { LEG_EV_START, LEG_ENDED }, { -1, 0 } } },
};

static void line_row(gconstpointer data)
{
	size_t i = GPOINTER_TO_SIZE(data);
	struct sc_line l;
	sc_line_init(&l, line_rows[i].kind, 0);
	for (const struct step *s = line_rows[i].steps; s->event >= 0; s++) {
		(void)sc_line_event(&l, s->event, 0);
		g_assert_cmpint(l.fsm.state, ==, s->want);
	}
}

static void back_off_grows_and_is_forgotten(void)
{
	static const int64_t want_ms[] = { 200, 400, 800, 1600, 3200, 5000, 5000 };
	struct sc_line l;
	int64_t now_us = 0;
	sc_line_init(&l, &sc_wire_kind, now_us);
	for (unsigned n = 0; n < G_N_ELEMENTS(want_ms); n++) {
		g_assert_true(sc_line_event(&l, WIRE_EV_LOST, now_us));
		g_assert_cmpint(l.fsm.deadline_us, ==, now_us + want_ms[n] * ORT_US_PER_MS);
		now_us = l.fsm.deadline_us;
		g_assert_true(ort_fsm_expired(&l.fsm, now_us));
		g_assert_true(sc_line_event(&l, WIRE_EV_TIMER, now_us));
	}
	g_assert_true(sc_line_event(&l, WIRE_EV_OPENED, now_us));
	g_assert_true(sc_line_event(&l, WIRE_EV_DIALED, now_us));
	g_assert_cmpint(l.fsm.deadline_us, ==, ORT_NEVER);
	g_assert_true(sc_line_event(&l, WIRE_EV_LOST, now_us));
	g_assert_cmpint(l.fsm.deadline_us, ==, now_us + 200 * ORT_US_PER_MS);
}

static void add_rows(const char *prefix, const char *name, size_t i, GTestDataFunc fn)
{
	g_autofree char *path = g_strconcat("/terminal/", prefix, "/", name, NULL);
	g_test_add_data_func(path, GSIZE_TO_POINTER(i), fn);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(link_rows); i++) {
		add_rows("link", link_rows[i].name, i, link_row);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(place_rows); i++) {
		add_rows("place", place_rows[i].name, i, place_row);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(line_rows); i++) {
		add_rows("line", line_rows[i].name, i, line_row);
	}
	g_test_add_func("/terminal/place/walk_stays_near", walk_stays_near);
	g_test_add_func("/terminal/line/back_off_grows_and_is_forgotten", back_off_grows_and_is_forgotten);
	return g_test_run();
}
