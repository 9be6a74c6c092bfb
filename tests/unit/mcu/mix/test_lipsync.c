/* A clapper through the whole mixer in real time: each second three white frames and a beep of the same capture time. What
 * comes out must belong together by its time stamps and sender reports, and must not be old. */
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <math.h>

#include "mcu/base/clock.h"
#include "mcu/mix/sound_priv.h"
#include "mix_rig.h"

enum { SECONDS = 6, VIDEO_IN = 11, AUDIO_IN = 12, VIDEO_OUT = 21, AUDIO_OUT = 22, FLASHES = 3 };
struct stamp { uint32_t ts; int64_t at_us; };
struct clock_map { bool known; uint64_t ntp_us; uint32_t ts; };
struct clapper {
	struct rig rig;
	struct rig_leg leg;
	struct rig_viewer viewer;
	struct sound_tools tools;
	struct sound_encoder *encoder;
	struct sound_decoder *decoder;
	GArray *markers, *flashes, *beeps;	/* struct stamp: each frame sent; first of each flash, of each beep */
	struct clock_map video, audio;
	int64_t start_us;
	unsigned sound_sent, decoded;
	bool bright, loud;
	float level;
};

static void fill_clap(uint8_t *const plane[3], const int stride[3], int w, int h, unsigned frame, const void *ud)
{
	struct rig_yuv grey = { frame % 30 < FLASHES ? 235 : 30, 128, 128 };

	rig_fill_plain(plane, stride, w, h, frame, &grey);
}

static void on_report(struct clapper *c, const uint8_t *packet, size_t len)
{
	struct mcu_rtcp r;

	for (size_t pos = 0; mcu_rtcp_next(packet, len, &pos, &r) == 1;) {
		struct clock_map *m = r.sender == VIDEO_OUT ? &c->video : r.sender == AUDIO_OUT ? &c->audio : NULL;
		if (r.kind == MCU_RTCP_SR && m) {
			*m = (struct clock_map){ true, (r.ntp >> 32) * 1000000 + ((r.ntp & 0xffffffff) * 1000000 >> 32), r.rtp_ts };
		}
	}
}

/* 40 dB over nothing, after 300 ms of nothing, is a beep. */
static void on_sound(struct clapper *c, const struct mcu_rtp *rtp, const uint8_t *packet)
{
	float out[SOUND_LONGEST];
	int n = sound_decode(c->decoder, packet + rtp->header_len, rtp->payload_len, out);

	for (int i = 0; i < n; i++) {
		c->level = fmaxf(fabsf(out[i]), c->level * 0.9998f);
		if (!c->loud && fabsf(out[i]) > 0.05f) {
			struct stamp s = { rtp->ts + (uint32_t)i, ort_now_us() };
			g_array_append_val(c->beeps, s);
		}
		c->loud = c->level > (c->loud ? 0.01f : 0.05f);
	}
}

static void on_packet(const uint8_t *packet, size_t len, void *user_data)
{
	struct clapper *c = user_data;
	struct mcu_rtp rtp;

	if (mcu_rtp_is_rtcp(packet, len)) {
		on_report(c, packet, len);
	} else if (mcu_rtp_parse(packet, len, &rtp) == 0 && rtp.ssrc == AUDIO_OUT) {
		on_sound(c, &rtp, packet);
	} else if (rtp.ssrc == VIDEO_OUT && rtp.marker) {
		struct stamp s = { rtp.ts, ort_now_us() };
		g_array_append_val(c->markers, s);
	}
}

static bool is_bright(GstSample *sample)
{
	GstVideoFrame f;
	GstVideoInfo info;
	bool bright;

	g_assert_true(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
	g_assert_true(gst_video_frame_map(&f, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
	bright = ((const uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(&f, 0))[GST_VIDEO_FRAME_PLANE_STRIDE(&f, 0) * (info.height / 2) + info.width / 2] > 150;
	gst_video_frame_unmap(&f);
	return bright;
}

/* The decoder gives a picture for each frame, in order: the n-th belongs to the n-th marker. */
static void look(struct clapper *c)
{
	GstSample *sample;

	while (c->decoded < c->markers->len && (sample = gst_app_sink_try_pull_sample(GST_APP_SINK(c->viewer.out), 0))) {
		bool bright = is_bright(sample);
		if (bright && !c->bright) {
			g_array_append_val(c->flashes, g_array_index(c->markers, struct stamp, c->decoded));
		}
		c->bright = bright;
		c->decoded++;
		gst_sample_unref(sample);
	}
}

/* 20 ms that end now; the beep of 100 ms begins with each whole second. */
static void send_sound(struct clapper *c)
{
	struct mcu_rtp rtp = { .pt = 111, .seq = (uint16_t)c->sound_sent, .ts = c->sound_sent * SOUND_FRAME, .ssrc = AUDIO_IN };
	unsigned at = c->sound_sent % 50;
	float x[SOUND_FRAME];
	uint8_t packet[600];
	int head = mcu_rtp_write_header(packet, sizeof(packet), &rtp, NULL, 0), len;

	for (unsigned i = 0; i < SOUND_FRAME; i++) {
		x[i] = at < 5 ? 0.3f * (float)sin(2 * G_PI * 1000 * i / SOUND_HZ) : 0;
	}
	len = sound_encode(c->encoder, x, false, packet + head, sizeof(packet) - (size_t)head);
	mcu_mix_packet(c->rig.mix, packet, (size_t)(head + len), ort_now_us());
	c->sound_sent++;
}

static void live(struct clapper *c, unsigned seconds)
{
	unsigned frames = 0;
	int64_t now;

	c->start_us = ort_now_us();
	while ((now = ort_now_us() - c->start_us) < seconds * INT64_C(1000000)) {
		while (frames * INT64_C(1000000) / 30 <= now) {
			rig_leg_send_frame(&c->leg, c->rig.mix, ort_now_us());
			frames++;
		}
		while ((c->sound_sent + 1) * INT64_C(20000) <= now) {
			send_sound(c);
		}
		g_usleep(2000);
		ort_mailbox_drain(c->rig.box);
		while (g_main_context_iteration(NULL, FALSE)) {
		}
		look(c);
	}
}

static void set_up(struct clapper *c, const struct rig_clip *clip)
{
	struct mcu_mix_input in = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"a.audio", .kind = MCU_AUDIO,
				    .source = (char *)"a.audio", .member = (char *)"a" };
	struct mcu_mix_output out = { .room = (char *)"hall", .mix = (char *)"m", .id = (char *)"mix.a.b", .kind = MCU_AUDIO,
				      .member = (char *)"b", .codec = (char *)"opus" };
	struct mcu_mix_feed in_feed = { AUDIO_IN }, out_feed = { AUDIO_OUT };
	g_autoptr(GError) err = NULL;

	rig_init(&c->rig, NULL, 30);
	c->rig.tap = on_packet;
	c->rig.tap_data = c;
	c->leg = (struct rig_leg){ .clip = clip, .ssrc = VIDEO_IN, .ts = 90000 };
	rig_viewer_init(&c->viewer, VIDEO_OUT, MCU_CODEC_H264);
	g_ptr_array_add(c->rig.viewers, &c->viewer);
	sound_filter_init(&c->tools.by3, 3);
	sound_filter_init(&c->tools.by6, 6);
	c->encoder = sound_encoder_new(&c->tools, &sound_codec_opus, 0);
	c->decoder = sound_decoder_new(&c->tools, &sound_codec_opus);
	c->markers = g_array_new(FALSE, FALSE, sizeof(struct stamp));
	c->flashes = g_array_new(FALSE, FALSE, sizeof(struct stamp));
	c->beeps = g_array_new(FALSE, FALSE, sizeof(struct stamp));
	rig_input(&c->rig, "a.video", "a", VIDEO_IN, 0);
	g_assert_true(mcu_mix_call(c->rig.mix, MCU_METHOD_MIX_INPUT, &in, &in_feed, &err));
	rig_view(&c->rig, "v", "1", "a");
	rig_output(&c->rig, "mix.v", "v", "b", MCU_CODEC_H264, 640, 360, VIDEO_OUT, NULL);
	g_assert_true(mcu_mix_call(c->rig.mix, MCU_METHOD_MIX_OUTPUT, &out, &out_feed, &err));
}

static void tear_down(struct clapper *c)
{
	rig_clear(&c->rig);
	rig_viewer_clear(&c->viewer);
	sound_encoder_free(c->encoder);
	sound_decoder_free(c->decoder);
	g_array_unref(c->markers);
	g_array_unref(c->flashes);
	g_array_unref(c->beeps);
}

static int64_t shown_us(const struct clock_map *m, uint32_t ts, int64_t hz)
{
	return (int64_t)m->ntp_us + (int32_t)(ts - m->ts) * INT64_C(1000000) / hz;
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Middle of all differences; each flash has its beep within half a second. */
static int64_t middle_skew_us(const struct clapper *c)
{
	int64_t skew[SECONDS * 2];
	unsigned n = 0;

	for (unsigned i = 0; i < c->flashes->len && n < G_N_ELEMENTS(skew); i++) {
		int64_t seen = shown_us(&c->video, g_array_index(c->flashes, struct stamp, i).ts, 90000);
		for (unsigned k = 0; k < c->beeps->len && n < G_N_ELEMENTS(skew); k++) {
			int64_t heard = shown_us(&c->audio, g_array_index(c->beeps, struct stamp, k).ts, SOUND_HZ);
			if (llabs(heard - seen) < 500000) {
				skew[n++] = heard - seen;
			}
		}
	}
	g_assert_cmpuint(n, >=, SECONDS / 2);
	qsort(skew, n, sizeof(skew[0]), by_value);
	return skew[n / 2];
}

static int64_t middle_age_us(const struct clapper *c, const GArray *stamps)
{
	int64_t age[SECONDS * 2];
	unsigned n = 0;

	for (unsigned i = 0; i < stamps->len && n < G_N_ELEMENTS(age); i++) {
		age[n++] = (g_array_index(stamps, struct stamp, i).at_us - c->start_us) % 1000000;
	}
	qsort(age, n, sizeof(age[0]), by_value);
	return age[n / 2];
}

static void clapper(void)
{
	struct clapper c = {0};
	struct rig_clip *clip = rig_clip_new(rig_coder(MCU_CODEC_H264), 640, 360, 30, fill_clap, NULL);
	int64_t skew, seen, heard;

	set_up(&c, clip);
	live(&c, SECONDS);
	g_assert_true(c.video.known && c.audio.known);
	g_test_message("%u flashes, %u beeps", c.flashes->len, c.beeps->len);
	skew = middle_skew_us(&c);
	seen = middle_age_us(&c, c.flashes);
	heard = middle_age_us(&c, c.beeps);
	g_test_message("sound after picture %.1f ms; captured to sent: picture %.1f ms, sound %.1f ms", (double)skew / 1000,
		       (double)seen / 1000, (double)heard / 1000);
	g_assert_cmpint(llabs(skew), <, 80000);
	/* 300 ms from capture to eye; a camera, a network, a receiver want theirs of it */
	g_assert_cmpint(seen, <, 200000);
	g_assert_cmpint(heard, <, 200000);
	tear_down(&c);
	rig_clip_free(clip);
}

int main(int argc, char **argv)
{
	gst_init(&argc, &argv);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mix/clapper", clapper);
	return g_test_run();
}
