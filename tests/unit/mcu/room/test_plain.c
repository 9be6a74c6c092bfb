/* Plain peers in a room: what the reply says, digits in and out, key frames of peers without feedback, new streams. */
#include <string.h>

#include "tests/unit/mcu/room/rig.h"

enum { PCMU = 0, EVENT = 101, SSRC_IN = 100, SSRC_OUT = 500 };

static mcu_transport *open_plain(struct rig *r, const char *id)
{
	struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)id, .kind = (char *)"plain" };
	struct mcu_transport_connect connect = { .room = (char *)"r", .transport = (char *)id, .ip = (char *)"192.0.2.9",
						 .port = 5004 };

	g_assert_cmpint(rig_call(r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, 0);
	g_assert_cmpint(rig_call(r, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, 0);
	return fake_net_last(r->port);
}

static void add_phone(struct rig *r, const char *id)
{
	struct mcu_codec_use codecs[] = { { .name = (char *)"PCMU", .pt = PCMU },
					  { .name = (char *)"telephone-event", .pt = EVENT } };
	struct mcu_source_add source = { .room = (char *)"r", .transport = (char *)id, .id = (char *)"in", .kind = MCU_AUDIO,
					 .codecs = { codecs, 2 } };
	struct mcu_sink_add sink = { .room = (char *)"r", .transport = (char *)id, .id = (char *)"out", .kind = MCU_AUDIO,
				     .source = (char *)"in", .ssrc = SSRC_OUT, .codecs = { codecs, 2 } };

	g_assert_cmpint(rig_call(r, MCU_METHOD_SOURCE_ADD, &source), ==, 0);
	g_assert_cmpint(rig_call(r, MCU_METHOD_SINK_ADD, &sink), ==, 0);
}

static void put(struct rig *r, mcu_transport *t, uint8_t pt, uint16_t seq, uint32_t ts, const uint8_t *payload, unsigned n)
{
	uint8_t d[200] = { 0x80, pt, (uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(ts >> 24), (uint8_t)(ts >> 16),
			   (uint8_t)(ts >> 8), (uint8_t)ts, 0, 0, 0, SSRC_IN };

	memcpy(d + 12, payload, n);
	fake_net_rtp(t, d, 12 + n, r->now);
	fake_net_batch(r->port, r->now);
}

static void sound(struct rig *r, mcu_transport *t, uint16_t seq, uint32_t ts)
{
	static const uint8_t silence[160];

	put(r, t, PCMU, seq, ts, silence, sizeof(silence));
	rig_turn(r, 20);
}

/* ---- digits in: "ts event end duration" a packet, "-" = a lost one, "~" = 300 ms pass ---- */
static const struct { const char *name; const char *packets[12]; const char *want; } dtmf_rows[] = {
	{ "once-with-three-ends", { "0 5 0 160", "0 5 0 320", "0 5 1 480", "0 5 1 480", "0 5 1 480" }, "5" },
	{ "first-end-lost", { "0 1 0 160", "-", "0 1 1 480" }, "1" },
	{ "all-but-one-end-lost", { "-", "-", "0 11 1 480" }, "#" },
	{ "end-lost-then-time", { "0 10 0 160", "0 10 0 320", "~" }, "*" },
	{ "end-lost-then-another", { "0 2 0 160", "800 3 0 160", "800 3 1 320" }, "23" },
	{ "same-digit-twice", { "0 7 1 320", "0 7 1 320", "1600 7 0 160", "1600 7 1 320" }, "77" },
	{ "late-packet-of-an-old-digit", { "0 7 1 320", "1600 8 1 320", "0 7 1 320" }, "78" },
	{ "long-press-in-segments", { "0 9 0 65535", "65535 9 0 800", "65535 9 1 1600" }, "9" },
	{ "no-digit", { "0 16 1 320", "0 255 1 320", "800 4 1 320" }, "4" },
	{ "letters", { "0 12 1 320", "800 15 1 320" }, "AD" },
};

static char *heard(const struct rig *r)
{
	GString *s = g_string_new(NULL);

	for (unsigned i = 0; i < r->events->len; i++) {
		const char *line = g_ptr_array_index(r->events, i);
		if (g_str_has_prefix(line, "dtmf in ")) {
			g_string_append_c(s, line[8]);
		}
	}
	return g_string_free(s, FALSE);
}

static void digits_in(gconstpointer data)
{
	const char *const *packets = dtmf_rows[GPOINTER_TO_SIZE(data)].packets;
	uint16_t seq = 10;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t = open_plain(&r, "s");
	add_phone(&r, "s");
	sound(&r, t, seq++, 0);
	fake_net_clear(r.port);
	for (unsigned i = 0; i < 12 && packets[i]; i++, seq++) {
		unsigned ts, event, end, duration;
		if (sscanf(packets[i], "%u %u %u %u", &ts, &event, &end, &duration) == 4) {
			const uint8_t b[4] = { (uint8_t)event, (uint8_t)(end << 7 | 10), (uint8_t)(duration >> 8), (uint8_t)duration };
			put(&r, t, EVENT, seq, 160 + ts, b, 4);
		}
		rig_turn(&r, packets[i][0] == '~' ? 300 : 20);
	}
	g_assert_cmpuint(rig_count(&r, t, SSRC_OUT), ==, 0);	/* not forwarded */
	g_autofree char *got = heard(&r);
	g_assert_cmpstr(got, ==, dtmf_rows[GPOINTER_TO_SIZE(data)].want);
	sound(&r, t, seq++, 99999);
	sound(&r, t, seq, 99999 + 160);
	g_assert_cmpuint(rig_count(&r, t, SSRC_OUT), ==, 2);
	rig_finish(&r);
}

static void cut_event_is_counted(void)
{
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t = open_plain(&r, "s");
	add_phone(&r, "s");
	put(&r, t, EVENT, 1, 0, (const uint8_t[]){ 1, 2, 3 }, 3);
	rig_turn(&r, 5);
	g_assert_cmpint(rig_counter(&r, "room_bad_dtmf"), ==, 1);
	g_assert_cmpuint(rig_events(&r, "dtmf"), ==, 0);
	rig_finish(&r);
}

/* ---- digits out ---- */
static void send_digits(struct rig *r, const char *digits, int64_t ms, int want)
{
	struct mcu_dtmf_send rq = { .room = (char *)"r", .id = (char *)"out", .digits = (char *)digits, .duration_ms = ms };

	g_assert_cmpint(rig_call(r, MCU_METHOD_DTMF_SEND, &rq), ==, want);
}

static void digits_out(void)
{
	unsigned n, events = 0, ends = 0, digits = 0;
	uint32_t ts = 0, last = 0;
	uint16_t seq = 0;
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t = open_plain(&r, "s");
	add_phone(&r, "s");
	for (uint16_t i = 0; i < 40; i++) {	/* 800 ms of sound, two digits in its middle */
		sound(&r, t, i, i * 160u);
		if (i == 5) {
			send_digits(&r, "4#", 80, 0);
		}
	}
	n = rig_count(&r, t, SSRC_OUT);
	for (unsigned i = 0; i < n; i++) {
		const struct fake_sent *s = rig_sent(&r, t, SSRC_OUT, i);
		const uint8_t *b = s->data + s->rtp.header_len;
		g_assert_true(i == 0 || s->rtp.seq == (uint16_t)(seq + 1));	/* one row of numbers */
		seq = s->rtp.seq;
		if (s->rtp.pt != EVENT) {
			g_assert_true(!events || ends == 3 * digits);	/* no sound inside of a digit */
			last = s->rtp.ts;
			continue;
		}
		events++;
		if (s->rtp.marker) {
			digits++;
			g_assert_true((int32_t)(s->rtp.ts - last) > 0);
			ts = s->rtp.ts;
		}
		g_assert_cmpuint(s->rtp.ts, ==, ts);
		g_assert_cmpuint(b[0], ==, digits == 1 ? 4 : 11);
		ends += b[1] >> 7;
		g_assert_true(!(b[1] >> 7) || (b[2] << 8 | b[3]) == 640);
		last = ts;
	}
	g_assert_cmpuint(digits, ==, 2);
	g_assert_cmpuint(ends, ==, 6);
	g_assert_cmpuint(events, ==, 2 * (3 + 3));
	g_assert_cmpuint(rig_sent(&r, t, SSRC_OUT, n - 1)->rtp.pt, ==, PCMU);
	rig_finish(&r);
}

static void bad_digits_are_refused(void)
{
	struct rig r;

	rig_init(&r, NULL);
	open_plain(&r, "s");
	add_phone(&r, "s");
	send_digits(&r, "12x", 0, 1 + MCU_ERROR_INVALID);
	send_digits(&r, "", 0, 1 + MCU_ERROR_INVALID);
	send_digits(&r, "1234567890123456789012345678901234567890", 0, 0);
	send_digits(&r, "1234567890123456789012345678901234567890", 0, 1 + MCU_ERROR_LIMIT);
	rig_finish(&r);
}

/* ---- key frames ---- */
static void without_feedback_the_gateway_is_asked(gconstpointer data)
{
	bool pli = GPOINTER_TO_INT(data);
	struct mcu_codec_use codec = { .name = (char *)"VP8", .pt = 96, .pli = pli };
	struct mcu_source_add add = { .room = (char *)"r", .transport = (char *)"s", .id = (char *)"v", .kind = MCU_VIDEO,
				      .codecs = { &codec, 1 } };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t = open_plain(&r, "s");
	rig_receiver(&r, "q");
	g_assert_cmpint(rig_call(&r, MCU_METHOD_SOURCE_ADD, &add), ==, 0);
	struct rig_feed f = rig_vp8(t, SSRC_IN);
	f.mid = NULL;
	rig_frame(&r, &f, RIG_DELTA, 1);
	g_assert_cmpint(rig_sink(&r, "q", "k", "v", MCU_VIDEO, 500, 0), ==, 0);
	rig_turn(&r, 2500);
	g_assert_cmpuint(rig_events(&r, "keyframe.wanted v") >= 2, ==, !pli);
	g_assert_cmpuint(rig_events(&r, "keyframe.wanted v"), <=, 4);
	g_assert_cmpuint(rig_rtcp(&r, t, MCU_RTCP_PLI, 0, NULL) > 0, ==, pli);
	rig_frame(&r, &f, RIG_KEY, 1);
	unsigned asked = rig_events(&r, "keyframe.wanted v");
	rig_turn(&r, 3000);
	g_assert_cmpuint(rig_events(&r, "keyframe.wanted v"), ==, asked);
	rig_finish(&r);
}

/* After new signalling another SSRC is the stream at once. */
static void new_signalling_may_bring_a_new_stream(void)
{
	struct mcu_transport_connect connect = { .room = (char *)"r", .transport = (char *)"s", .ip = (char *)"192.0.2.9",
						 .port = 5006 };
	struct rig r;

	rig_init(&r, NULL);
	mcu_transport *t = open_plain(&r, "s");
	g_assert_cmpint(rig_video(&r, "s", "v", 0, 0, NULL), ==, 0);
	rig_receiver(&r, "q");
	g_assert_cmpint(rig_sink(&r, "q", "k", "v", MCU_VIDEO, 500, 0), ==, 0);
	mcu_transport *q = fake_net_last(r.port);
	struct rig_feed old = rig_vp8(t, 100), new = rig_vp8(t, 7000);
	old.mid = new.mid = NULL;
	rig_frame(&r, &old, RIG_KEY, 1);
	rig_frame(&r, &new, RIG_KEY, 1);
	g_assert_cmpuint(rig_count(&r, q, 500), ==, 1);
	g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_CONNECT, &connect), ==, 0);
	rig_frame(&r, &new, RIG_KEY, 1);
	g_assert_cmpuint(rig_count(&r, q, 500), ==, 2);
	rig_finish(&r);
}

static void bad_parameters_are_refused(void)
{
	static const struct { const char *security, *family; int want; } rows[] = {
		{ "none", "ip4", 0 }, { "srtp", NULL, 1 + MCU_ERROR_INVALID }, { NULL, "ip5", 1 + MCU_ERROR_INVALID },
	};
	struct rig r;

	rig_init(&r, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct mcu_transport_open open = { .room = (char *)"r", .transport = (char *)"x", .kind = (char *)"plain",
						   .security = (char *)rows[i].security, .family = (char *)rows[i].family };
		struct mcu_transport_ref ref = { .room = (char *)"r", .transport = (char *)"x" };

		g_assert_cmpint(rig_call(&r, MCU_METHOD_TRANSPORT_OPEN, &open), ==, rows[i].want);
		(void)rig_call(&r, MCU_METHOD_TRANSPORT_CLOSE, &ref);
	}
	rig_finish(&r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(dtmf_rows); i++) {
		g_autofree char *path = g_strdup_printf("/plain/digits-in/%s", dtmf_rows[i].name);

		g_test_add_data_func(path, GSIZE_TO_POINTER(i), digits_in);
	}
	g_test_add_func("/plain/cut-event-is-counted", cut_event_is_counted);
	g_test_add_func("/plain/digits-out", digits_out);
	g_test_add_func("/plain/bad-digits-are-refused", bad_digits_are_refused);
	g_test_add_data_func("/plain/key-frames/by-signalling", GINT_TO_POINTER(false), without_feedback_the_gateway_is_asked);
	g_test_add_data_func("/plain/key-frames/by-rtcp", GINT_TO_POINTER(true), without_feedback_the_gateway_is_asked);
	g_test_add_func("/plain/new-signalling-may-bring-a-new-stream", new_signalling_may_bring_a_new_stream);
	g_test_add_func("/plain/bad-parameters-are-refused", bad_parameters_are_refused);
	return g_test_run();
}
