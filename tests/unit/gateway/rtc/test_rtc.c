/* Browser legs against a media port that writes down what the engine is asked: offers, slots, takeover, adoption; and the
 * conformance suite of legs. */
#include <string.h>

#include "gateway/rtc/rtc.h"
#include "tests/kit/fake_leg.h"

#define FINGERPRINT                                                                                                    \
	"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99"
#define AUDIO(mid, dir)                                                                                                \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=" dir "\r\na=rtcp-mux\r\n"         \
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " FINGERPRINT                   \
	"\r\na=setup:actpass\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:111 opus/48000/2\r\n"
#define VIDEO(mid, dir)                                                                                                \
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=" dir "\r\na=rtcp-mux\r\n"       \
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " FINGERPRINT                   \
	"\r\na=setup:actpass\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:96 VP8/90000\r\n"          \
	"a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
#define HEAD(mids) "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE " mids "\r\n"

struct reply { enum mcu_method method; mcu_client_fn fn; void *fn_data; };
struct rig {
	gw_rtc *rtc;
	GString *asked;		/* one line a call */
	GQueue replies;		/* struct reply, not given yet */
	bool no_engine;
	enum gw_error error;
	char *answer, *why;
	unsigned answers;
	GString *states;
};

static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *ud)
{
	struct rig *r = ud;
	g_autoptr(json_t) o = ort_json_print(mcu_methods[method].request, request);
	g_string_append_printf(r->asked, "%s", mcu_methods[method].name);
	static const char *const keys[] = { "transport", "id", "source", "mid" };
	for (unsigned n = 0; n < G_N_ELEMENTS(keys); n++) {
		const char *v = json_string_value(json_object_get(o, keys[n]));
		g_string_append_printf(r->asked, "%s%s", v != NULL ? " " : "", v != NULL ? v : "");
	}
	g_string_append_c(r->asked, '\n');
	if (fn != NULL) {
		struct reply *p = g_new0(struct reply, 1);
		*p = (struct reply){ method, fn, fn_data };
		g_queue_push_tail(&r->replies, p);
	}
}

static void give_reply(struct rig *r, struct reply *p)
{
	struct mcu_candidate_use host = { (char *)"1", (char *)"udp", (char *)"192.0.2.1", (char *)"host", NULL, 2130706431, 7000 };
	struct mcu_transport_reply ours = { (char *)"ourufrag", (char *)"ourpasswordourpassword", (char *)FINGERPRINT, true, { &host, 1 } };
	g_autoptr(GError) err = r->no_engine ? g_error_new(MCU_ERROR, MCU_ERROR_NO_ENGINE, "no engine") : NULL;
	p->fn(err != NULL ? NULL : &ours, err, p->fn_data);
	g_free(p);
}

static void settle(struct rig *r)
{
	while (g_main_context_iteration(NULL, FALSE) || !g_queue_is_empty(&r->replies)) {
		struct reply *p = g_queue_pop_head(&r->replies);
		if (p != NULL) {
			give_reply(r, p);
		}
	}
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *ud)
{
	struct rig *r = ud;
	g_string_append_printf(r->states, "%s %s\n", gw_rtc_name(leg), gw_leg_table.states[state].name);
}

static const struct gw_leg_listener listener = { on_state, NULL, NULL };
static const struct gw_rtc_ops ops = { media };

static void rig_init(struct rig *r)
{
	*r = (struct rig){ .asked = g_string_new(NULL), .states = g_string_new(NULL) };
	g_queue_init(&r->replies);
	r->rtc = gw_rtc_new(&ops, &listener, "hall", r);
}

static void rig_finish(struct rig *r)
{
	settle(r);
	gw_rtc_free(r->rtc);
	g_string_free(r->asked, TRUE);
	g_string_free(r->states, TRUE);
	g_free(r->answer);
	g_free(r->why);
}

static void on_answer(enum gw_error error, const char *why, const char *answer, void *ud)
{
	struct rig *r = ud;
	r->error = error;
	r->answers++;
	g_free(r->answer);
	g_free(r->why);
	r->answer = g_strdup(answer);
	r->why = g_strdup(why);
}

static void offer_json(struct rig *r, const struct gw_rtc_who *who, const char *pc, const char *sdp, const char *publish, const char *view)
{
	g_autoptr(json_t) o = json_pack("{s:s,s:s,s:o,s:o}", "pc", pc, "sdp", sdp, "publish", json_loads(publish, 0, NULL), "view",
					json_loads(view, 0, NULL));
	struct gw_rtc_offer offer;
	g_assert_cmpint(ort_json_read(&gw_table_rtc_offer, o, &offer, NULL), ==, 0);
	gw_rtc_take_offer(r->rtc, who, &offer, on_answer, r);
	ort_json_clear(&gw_table_rtc_offer, &offer);
	settle(r);
}

static const struct gw_rtc_who field = { "auth1", "s1", GW_RTC_HEAR | GW_RTC_PUBLISH_AUDIO | GW_RTC_PUBLISH_VIDEO };
static const struct gw_rtc_who console = { "auth2", NULL, GW_RTC_VIEW | GW_RTC_PUBLISH_AUDIO };
static const char field_sdp[] = HEAD("0 1") AUDIO("0", "sendrecv") VIDEO("1", "sendonly");
static const char field_publish[] = "[{\"mid\":\"0\",\"kind\":\"audio\"},{\"mid\":\"1\",\"kind\":\"video\"}]";
static const char view_sdp[] = HEAD("0") VIDEO("0", "recvonly");

static void phone(struct rig *r, const char *pc)
{
	offer_json(r, &field, pc, field_sdp, field_publish, "[]");
	g_assert_cmpint(r->error, ==, GW_ERROR_N);
}

static void phone_publishes_and_hears(void)
{
	struct rig r;
	rig_init(&r);
	phone(&r, "pc1");
	g_assert_cmpstr(r.asked->str, ==,
			"transport.open auth1.pc1\n"
			"transport.connect auth1.pc1\n"
			"source.add auth1.pc1 s1.audio 0\n"
			"sink.add auth1.pc1 auth1.pc1.0 0\n"
			"source.add auth1.pc1 s1.video 1\n");
	g_assert_nonnull(strstr(r.answer, "a=ice-lite"));
	g_assert_nonnull(strstr(r.answer, "a=ice-ufrag:ourufrag"));
	g_assert_nonnull(strstr(r.answer, "a=setup:passive"));
	g_string_truncate(r.asked, 0);
	gw_leg *leg = gw_rtc_by_party(r.rtc, "s1");
	g_assert_nonnull(leg);
	g_assert_cmpint(gw_rtc_feed_kind(leg, MCU_AUDIO, "auth2.pc9.audio"), ==, 0);
	/* Nobody publishes it yet: the engine is told when it comes. */
	g_assert_cmpstr(r.asked->str, ==, "sink.route auth1.pc1.0\n");
	rig_finish(&r);
}

static void viewer_waits_for_a_stream_that_comes_later(void)
{
	struct rig r;
	rig_init(&r);
	offer_json(&r, &console, "view", view_sdp, "[]", "[{\"mid\":\"0\",\"stream\":\"s1.video\"}]");
	g_assert_nonnull(strstr(r.asked->str, "sink.add auth2.view auth2.view.0 0\n"));
	g_string_truncate(r.asked, 0);
	phone(&r, "pc1");
	g_assert_nonnull(strstr(r.asked->str, "source.add auth1.pc1 s1.video 1\nsink.route auth2.view.0 s1.video\n"));
	rig_finish(&r);
}

static void phone_comes_back_over_a_new_connection(void)
{
	struct rig r;
	rig_init(&r);
	phone(&r, "pc1");
	g_string_truncate(r.asked, 0);
	phone(&r, "pc2");
	const char *removed = strstr(r.asked->str, "source.remove s1.video"), *added = strstr(r.asked->str, "source.add auth1.pc2 s1.video");
	g_assert_true(removed != NULL && added != NULL && removed < added);
	g_assert_cmpstr(gw_rtc_name(gw_rtc_by_party(r.rtc, "s1")), ==, "pc2");
	/* The old one ends without taking the stream along. */
	gw_rtc_close(gw_rtc_find(r.rtc, "auth1", "pc1"), "test");
	g_assert_cmpstr(gw_rtc_name(gw_rtc_by_party(r.rtc, "s1")), ==, "pc2");
	rig_finish(&r);
}

static void rights_decide_what_is_taken(void)
{
	struct rig r;
	rig_init(&r);
	const struct gw_rtc_who wall = { "wall1", NULL, GW_RTC_VIEW };
	offer_json(&r, &wall, "pc1", field_sdp, field_publish, "[]");
	g_assert_null(strstr(r.asked->str, "source.add"));
	/* A phone does not choose what it hears. */
	g_string_truncate(r.asked, 0);
	offer_json(&r, &field, "pc1", view_sdp, "[]", "[{\"mid\":\"0\",\"stream\":\"s9.video\"}]");
	g_assert_null(strstr(r.asked->str, "s9.video"));
	rig_finish(&r);
}

static void renegotiation_adds_and_drops(void)
{
	struct rig r;
	rig_init(&r);
	phone(&r, "pc1");
	offer_json(&r, &console, "v", view_sdp, "[]", "[{\"mid\":\"0\",\"stream\":\"s1.video\"}]");
	g_string_truncate(r.asked, 0);
	offer_json(&r, &console, "v", HEAD("0 1") VIDEO("0", "inactive") AUDIO("1", "recvonly"), "[]", "[{\"mid\":\"1\",\"stream\":\"s1.audio\"}]");
	g_assert_nonnull(strstr(r.asked->str, "sink.remove auth2.v.0\n"));
	g_assert_nonnull(strstr(r.asked->str, "sink.add auth2.v auth2.v.1 s1.audio 1\n"));
	rig_finish(&r);
}

static void new_ufrag_restarts_ice(void)
{
	struct rig r;
	rig_init(&r);
	phone(&r, "pc1");
	g_string_truncate(r.asked, 0);
	g_autofree char *again = g_strdup(field_sdp);
	for (char *p = again; (p = strstr(p, "a=ice-ufrag:abcd")) != NULL; p += 16) {
		memcpy(p + 12, "wxyz", 4);
	}
	offer_json(&r, &field, "pc1", again, field_publish, "[]");
	g_assert_true(g_str_has_prefix(r.asked->str, "transport.restart auth1.pc1\ntransport.connect auth1.pc1\n"));
	rig_finish(&r);
}

static void refusals(void)
{
	struct rig r;
	rig_init(&r);
	offer_json(&r, &field, "pc1", "v=1\r\n", "[]", "[]");
	g_assert_cmpint(r.error, ==, GW_ERROR_SDP);
	offer_json(&r, &field, "pc1", HEAD("0") "m=text 9 RTP/AVP 98\r\na=mid:0\r\na=ice-ufrag:abcd\r\n", "[]", "[]");
	g_assert_cmpint(r.error, ==, GW_ERROR_NO_CODEC);
	offer_json(&r, &field, "bad.name", field_sdp, "[]", "[]");
	g_assert_cmpint(r.error, ==, GW_ERROR_INVALID);
	r.no_engine = true;
	offer_json(&r, &field, "pc1", field_sdp, field_publish, "[]");
	g_assert_cmpint(r.error, ==, GW_ERROR_MEDIA_UNAVAILABLE);
	g_assert_cmpuint(gw_rtc_count(r.rtc), ==, 0);
	r.no_engine = false;
	for (int n = 0; n < 17; n++) {
		g_autofree char *name = g_strdup_printf("pc%d", n);
		offer_json(&r, &console, name, view_sdp, "[]", "[]");
	}
	g_assert_cmpint(r.error, ==, GW_ERROR_LIMIT);
	g_assert_cmpuint(gw_rtc_count(r.rtc), ==, 16);
	g_assert_cmpuint(r.answers, ==, 21);
	rig_finish(&r);
}

/* After a restart of the gateway the connection is known again by what the engine dumps, and goes on. */
static void adopted_connection_goes_on(void)
{
	struct rig r;
	rig_init(&r);
	struct mcu_dump_stream sources[] = { { (char *)"s1.audio", NULL, (char *)"audio", (char *)"0", 1, true },
					     { (char *)"s1.video", NULL, (char *)"video", (char *)"1", 2, true } };
	struct mcu_dump_stream sink = { (char *)"auth1.pc1.0", (char *)"auth2.m.audio", (char *)"audio", (char *)"0", 3, true };
	struct mcu_dump_transport t = { (char *)"auth1.pc1", (char *)"up", NULL, { sources, 2 }, { &sink, 1 } };
	gw_rtc_adopt(r.rtc, &(struct mcu_dump_room){ (char *)"hall", 0, { &t, 1 } });
	gw_leg *leg = gw_rtc_by_party(r.rtc, "s1");
	g_assert_nonnull(leg);
	g_assert_cmpint(gw_leg_get_state(leg), ==, GW_LEG_UP);
	g_assert_true(gw_rtc_find(r.rtc, "auth1", "pc1") == leg);
	g_assert_cmpstr(r.asked->str, ==, "");
	phone(&r, "pc1");
	g_assert_true(g_str_has_prefix(r.asked->str, "transport.open auth1.pc1\ntransport.connect auth1.pc1\nsource.add auth1.pc1 s1.audio"));
	gw_rtc_transport_lost(r.rtc, "auth1.pc1", "engine_died");
	g_assert_cmpuint(gw_rtc_count(r.rtc), ==, 0);
	g_assert_true(g_str_has_suffix(r.states->str, "pc1 ended\n"));
	rig_finish(&r);
}

static void described_for_whip_and_whep(void)
{
	struct gw_rtc_offer o;
	g_assert_true(gw_rtc_describe("h-1", field_sdp, NULL, &o, NULL));
	g_assert_cmpuint(o.publish.n, ==, 2);
	g_assert_cmpuint(o.view.n, ==, 0);
	ort_json_clear(&gw_table_rtc_offer, &o);
	g_assert_true(gw_rtc_describe("h-1", view_sdp, "s4", &o, NULL));
	g_assert_cmpuint(o.view.n, ==, 1);
	g_assert_cmpstr(((struct gw_rtc_view *)o.view.items)[0].stream, ==, "s4.video");
	ort_json_clear(&gw_table_rtc_offer, &o);
	g_autofree char *why = NULL;
	g_assert_false(gw_rtc_describe("h-1", "rubbish", NULL, &o, &why));
	g_assert_nonnull(why);
}

/* ---- the suite that every kind of leg runs ---- */
static gw_leg *suite_make(const struct gw_leg_listener *l, void *user_data, void *rig)
{
	struct rig *r = rig;
	struct gw_rtc_offer offer;
	if (r->rtc != NULL) {
		rig_finish(r);
	}
	rig_init(r);
	g_assert_true(gw_rtc_describe("suite", field_sdp, NULL, &offer, NULL));
	gw_rtc_take_offer(r->rtc, &field, &offer, on_answer, r);
	ort_json_clear(&gw_table_rtc_offer, &offer);
	gw_leg *leg = gw_rtc_find(r->rtc, "auth1", "suite");
	leg->listener = l;
	leg->user_data = user_data;
	leg->fsm.state = GW_LEG_IDLE;	/* a page's leg is born connecting; the suite wants to see that step */
	return leg;
}

static void suite_peer(gw_leg *leg, const char *act, void *rig)
{
	static const struct { const char *act, *state; } rows[] = { { "media", "up" }, { "drop", "closed" } };
	struct rig *r = rig;
	if (strcmp(act, "connect") == 0) {
		(void)gw_leg_enter(leg, GW_LEG_CONNECTING, NULL);
		while (!g_queue_is_empty(&r->replies)) {
			give_reply(r, g_queue_pop_head(&r->replies));
		}
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (strcmp(rows[n].act, act) == 0) {
			struct mcu_transport_state st = { (char *)"hall", leg->id, (char *)(uintptr_t)rows[n].state, NULL, NULL, 0, 0 };
			gw_rtc_transport_state(r->rtc, &st);
		}
	}
}

int main(int argc, char **argv)
{
	static struct rig suite_rig;
	static const struct gw_leg_suite suite = { "rtc", suite_make, suite_peer, "0", &suite_rig };
	g_test_init(&argc, &argv, NULL);
	gw_leg_suite_add(&suite);
	g_test_add_func("/rtc/phone_publishes_and_hears", phone_publishes_and_hears);
	g_test_add_func("/rtc/viewer_waits_for_a_stream_that_comes_later", viewer_waits_for_a_stream_that_comes_later);
	g_test_add_func("/rtc/phone_comes_back_over_a_new_connection", phone_comes_back_over_a_new_connection);
	g_test_add_func("/rtc/rights_decide_what_is_taken", rights_decide_what_is_taken);
	g_test_add_func("/rtc/renegotiation_adds_and_drops", renegotiation_adds_and_drops);
	g_test_add_func("/rtc/new_ufrag_restarts_ice", new_ufrag_restarts_ice);
	g_test_add_func("/rtc/refusals", refusals);
	g_test_add_func("/rtc/adopted_connection_goes_on", adopted_connection_goes_on);
	g_test_add_func("/rtc/described_for_whip_and_whep", described_for_whip_and_whep);
	return g_test_run();
}
