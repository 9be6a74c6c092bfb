/* The sound mixer as a whole, in virtual time: who hears whom, how loud, without clicks, under loss and drift. */
#include <math.h>
#include <string.h>

#include "sound_rig.h"

static const double hz_of[] = { 400, 700, 1100, 1600, 2200, 2900 };

static void assert_tone(const struct rig *rig, unsigned n, double hz, double dbov, double within)
{
	double got = rig_tone(rig, n, hz, 400);

	if (fabs(got - dbov) > within) {
		g_test_message("party %u hears %g Hz at %.2f dBov, wanted %.2f", n, hz, got, dbov);
		g_test_fail();
	}
}

static void assert_absent(const struct rig *rig, unsigned n, double hz, double under)
{
	double got = rig_tone(rig, n, hz, 400);

	if (got > under) {
		g_test_message("party %u hears %g Hz at %.2f dBov, wanted none", n, hz, got);
		g_test_fail();
	}
}

static void assert_whole(const struct rig *rig, unsigned n)
{
	g_assert_cmpuint(rig->party[n].seq_gaps, ==, 0);
	g_assert_cmpuint(rig->party[n].ts_gaps, ==, 0);
}

struct five_row { const char *name, *codec[6]; bool level; };
static const struct five_row five_rows[] = {
	{ "opus_levels", { "opus", "opus", "opus", "opus", "opus", "opus" }, true },
	{ "opus_no_levels", { "opus", "opus", "opus", "opus", "opus", "opus" }, false },
	{ "g711", { "PCMA", "PCMA", "PCMA", "PCMU", "PCMU", "PCMU" }, false },
	{ "g722", { "G722", "G722", "G722", "G722", "G722", "G722" }, false },
	{ "mixed", { "opus", "G722", "PCMA", "PCMU", "opus", "PCMA" }, true },
};

/* Five speak, the sixth is silent: each hears the others within 1 dB and nobody himself. */
static void five_tones(gconstpointer data)
{
	const struct five_row *row = data;
	struct rig *rig = rig_new();

	for (unsigned i = 0; i < 6; i++) {
		rig_join(rig, i, row->codec[i], i < 5 ? hz_of[i] : 0, -26, row->level);
	}
	rig_run(rig, 3000);
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 5; k++) {
			if (i == k) {
				assert_absent(rig, i, hz_of[k], -60);
			} else {
				assert_tone(rig, i, hz_of[k], -26, 1);
			}
		}
		assert_whole(rig, i);
		g_assert_cmpuint(rig->party[i].reports, >=, 2);
	}
	rig_free(rig);
}

/* Who is too many is not heard, and the five do not change every moment. */
static void seven_speak(void)
{
	struct rig *rig = rig_new();
	unsigned heard = 0;
	uint64_t jumps = 0;

	for (unsigned i = 0; i < 7; i++) {
		rig_join(rig, i, "PCMA", 400 + 350 * i, -26, true);
	}
	rig_join(rig, 7, "PCMA", 0, 0, false);
	rig_run(rig, 3000);
	for (unsigned i = 0; i < 7; i++) {
		heard += rig_tone(rig, 7, 400 + 350 * i, 400) > -30;
		jumps += rig_sound_input(rig, i)->queue.jumps;
	}
	g_assert_cmpuint(heard, ==, SOUND_HEARD);
	g_assert_cmpuint(jumps, ==, 0);
	/* somebody clearly louder takes a place */
	rig_join(rig, 8, "PCMA", 3100, -10, true);
	rig_run(rig, 1000);
	assert_tone(rig, 7, 3100, -10, 1.5);
	rig_free(rig);
}

/* Cost: encodes a tick do not grow with those who only listen. */
static void listeners_share_one_encode(void)
{
	struct rig *rig = rig_new();
	uint64_t before;

	for (unsigned i = 0; i < 50; i++) {
		rig_join(rig, i, "opus", i < 3 ? hz_of[i] : 0, -26, true);
	}
	rig_run(rig, 1500);
	before = rig->mix->encodes;
	rig_run(rig, 1000);
	g_assert_cmpuint(rig->mix->encodes - before, ==, 50 * 4);
	g_assert_cmpuint(rig->mix->buses->len, ==, 4);
	assert_tone(rig, 30, hz_of[1], -26, 1);
	rig_free(rig);
}

/* One speaks from time to time: his ear and everybody's stay free of clicks when encoders change. */
static void no_click(gconstpointer codec)
{
	struct rig *rig = rig_new();
	double limit, worst = -200;

	for (unsigned i = 0; i < 4; i++) {
		rig_join(rig, i, codec, i < 2 ? hz_of[i] : 0, -26, true);
	}
	rig_run(rig, 1000);
	/* largest step of both tones together, and a margin for what the codec adds */
	limit = 2 * (hz_of[0] + hz_of[1]) * 2 * G_PI / SOUND_HZ * pow(10, -22.99 / 20);
	rig_listen(rig);
	for (unsigned turn = 0; turn < 6; turn++) {
		rig->party[1].silent = turn % 2 == 0;
		for (unsigned k = 0; k < 65; k++) {
			rig_run(rig, 20);
			worst = fmax(worst, fmax(rig_tone(rig, 1, 2500, 20), rig_tone(rig, 1, 3300, 20)));
		}
		assert_tone(rig, 1, hz_of[0], -26, 1);
		assert_tone(rig, 3, hz_of[0], -26, 1);
	}
	for (unsigned i = 0; i < 4; i++) {
		g_test_message("%s party %u: step %.4f, limit %.4f", (const char *)codec, i, rig->party[i].step_max, limit);
		g_assert_cmpfloat(rig->party[i].step_max, <, limit);
		assert_whole(rig, i);
	}
	/* a click has all frequencies: far from the tones there is nothing more than in a steady stream (-85 in Opus) */
	g_assert_cmpfloat(worst, <, -72);
	rig_free(rig);
}

/* A re-INVITE changed it: numbers go on, the sound comes in the other codec. */
static void codec_changes(void)
{
	struct rig *rig = rig_new();
	struct rig_party *p = &rig->party[1];

	rig_join(rig, 0, "opus", 1000, -20, true);
	rig_join(rig, 1, "opus", 400, -20, true);
	rig_run(rig, 1000);
	sound_decoder_free(p->decoder);
	sound_encoder_free(p->encoder);
	p->codec = sound_codec_by_name("PCMA");
	p->decoder = sound_decoder_new(&rig->tools, p->codec);
	p->encoder = sound_encoder_new(&rig->tools, p->codec, 0);
	rig_output(rig, 1, 0, false);
	rig_run(rig, 1500);
	assert_tone(rig, 1, 1000, -20, 1);
	assert_tone(rig, 0, 400, -20, 1);
	assert_absent(rig, 1, 400, -60);
	g_assert_cmpuint(p->seq_gaps, ==, 0);
	rig_free(rig);
}

static void verbs(void)
{
	struct rig *rig = rig_new();
	double limit;

	for (unsigned i = 0; i < 4; i++) {
		rig_join(rig, i, "opus", i < 2 ? hz_of[i] : 0, -26, true);
	}
	rig_run(rig, 1500);
	rig_listen(rig);
	limit = 2 * (hz_of[0] + hz_of[1]) * 2 * G_PI / SOUND_HZ * pow(10, -22.99 / 20);
	rig_input(rig, 0, 0, true);		/* mic_mute of 0 */
	rig_run(rig, 1000);
	assert_absent(rig, 2, hz_of[0], -60);
	assert_tone(rig, 2, hz_of[1], -26, 1);
	assert_tone(rig, 0, hz_of[1], -26, 1);	/* .. who still hears */
	rig_output(rig, 2, 0, true);		/* speaker_mute of 2 */
	rig_run(rig, 1000);
	g_assert_cmpfloat(rig_loudness(rig, 2, 400), <, -65);
	assert_tone(rig, 3, hz_of[1], -26, 1);
	for (unsigned i = 0; i < 4; i++) {
		g_assert_cmpfloat(rig->party[i].step_max, <, limit);
	}
	rig_input(rig, 0, -6, false);		/* volume of a party */
	rig_output(rig, 2, 6, false);		/* and of an ear */
	rig_run(rig, 1500);
	assert_tone(rig, 3, hz_of[0], -32, 1);
	assert_tone(rig, 2, hz_of[0], -26, 1);
	assert_tone(rig, 2, hz_of[1], -20, 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_whole(rig, i);
	}
	rig_free(rig);
}

/* All ears are closed at once: one more encode, not fifty. */
static void mute_of_all_is_cheap(void)
{
	struct rig *rig = rig_new();

	for (unsigned i = 0; i < 50; i++) {
		rig_join(rig, i, "opus", i ? 0 : hz_of[0], -26, true);
	}
	rig_run(rig, 1000);
	for (unsigned i = 1; i < 50; i++) {
		rig_output(rig, i, 0, true);
	}
	rig_run(rig, 20);
	g_assert_cmpuint(rig->mix->buses->len, <=, 3);
	rig_run(rig, 1000);
	g_assert_cmpuint(rig->mix->buses->len, ==, 2);
	g_assert_cmpfloat(rig_loudness(rig, 20, 400), <, -65);
	rig_free(rig);
}

struct line_row { const char *name, *codec; double loss, ppm; int64_t jitter_us, minutes; double within; };
static const struct line_row line_rows[] = {
	{ "opus_loss_5", "opus", 0.05, 0, 10000, 0, 1.5 },
	{ "opus_loss_20", "opus", 0.20, 0, 30000, 0, 4 },
	{ "pcma_loss_5", "PCMA", 0.05, 0, 10000, 0, 1.5 },
	{ "pcma_loss_20", "PCMA", 0.20, 0, 30000, 0, 4 },
	{ "g722_loss_5", "G722", 0.05, 0, 10000, 0, 1.5 },
	{ "jitter_80", "PCMA", 0, 0, 80000, 0, 1 },
	{ "jitter_150", "opus", 0, 0, 150000, 0, 1 },
	{ "fast_200", "PCMA", 0, 200, 5000, 10, 1 },
	{ "slow_200", "PCMA", 0, -200, 5000, 10, 1 },
	{ "fast_800_opus", "opus", 0, 800, 5000, 2, 1 },
};

static void line(gconstpointer data)
{
	const struct line_row *row = data;
	struct rig *rig = rig_new();
	const struct sound_input *in;

	rig_join(rig, 0, row->codec, 1000, -20, true);
	rig_join(rig, 1, "PCMA", 0, 0, false);
	rig->loss = row->loss;
	rig->jitter_us = row->jitter_us;
	rig->party[0].ppm = row->ppm;
	rig->deaf = true;
	rig_run(rig, row->minutes * 60000 + 6000);
	rig->deaf = false;
	rig_run(rig, 4000);
	in = rig_sound_input(rig, 0);
	g_test_message("kept at most %" G_GINT64_FORMAT " us, delay %" G_GINT64_FORMAT " us, aim %" G_GINT64_FORMAT
		       ", late %" G_GUINT64_FORMAT " lost %" G_GUINT64_FORMAT " scaled %" G_GUINT64_FORMAT
		       " concealed %" G_GUINT64_FORMAT " jumps %" G_GUINT64_FORMAT " level %.2f",
		       rig->kept_max_us, sound_input_delay_us(in, rig->now_us), sound_queue_target(&in->queue, false),
		       in->queue.late, in->queue.lost, in->scaled, in->concealed, in->queue.jumps,
		       rig_tone(rig, 1, 1000, 2000));
	g_assert_cmpint(rig->kept_max_us, <=, QUEUE_CAP_US);
	g_assert_cmpuint(in->queue.jumps, ==, 0);
	if (row->loss <= 0) {
		g_assert_cmpuint(in->concealed, <, 30);		/* until it knows the line */
		g_assert_cmpint(sound_input_delay_us(in, rig->now_us), <, row->jitter_us + 60000);
	}
	g_assert_cmpfloat(fabs(rig_loudness(rig, 1, 2000) + 20), <, row->within);
	assert_whole(rig, 1);
	rig_free(rig);
}

/* Faster than time for minutes, or all at once: the cap holds, and the line comes back. */
static void flood_is_capped(void)
{
	struct rig *rig = rig_new();

	rig_join(rig, 0, "opus", 1000, -20, true);
	rig_join(rig, 1, "opus", 0, 0, false);
	rig_run(rig, 1000);
	rig->party[0].ppm = 900000;	/* ten packets where one is due */
	rig_run(rig, 2000);
	g_assert_cmpint(rig->kept_max_us, <=, QUEUE_CAP_US);
	rig->party[0].ppm = 0;
	rig_run(rig, 3000);
	assert_tone(rig, 1, 1000, -20, 1);
	g_assert_cmpint(sound_input_delay_us(rig_sound_input(rig, 0), rig->now_us), <, QUEUE_CAP_US);
	assert_whole(rig, 1);
	rig_free(rig);
}

static void pause_and_return(void)
{
	struct rig *rig = rig_new();

	rig_join(rig, 0, "opus", 1000, -20, true);
	rig_join(rig, 1, "opus", 0, 0, false);
	rig_run(rig, 1000);
	rig->party[0].sends = false;	/* DTX: time stamps go on, packets do not */
	rig_run(rig, 3000);
	g_assert_cmpfloat(rig_loudness(rig, 1, 1000), <, -60);
	rig->party[0].sends = true;
	rig->party[0].ts += 3000 * 48;
	rig->party[0].next_us = rig->now_us;
	rig_run(rig, 1000);
	assert_tone(rig, 1, 1000, -20, 1);
	g_assert_cmpuint(rig_sound_input(rig, 0)->queue.jumps, ==, 0);
	assert_whole(rig, 1);
	rig_free(rig);
}

static void events(void)
{
	struct rig *rig = rig_new();

	for (unsigned i = 0; i < 3; i++) {
		rig_join(rig, i, "PCMA", hz_of[i], i == 1 ? -15 : -30, true);
		rig->party[i].silent = true;
	}
	rig_run(rig, 1000);
	g_assert_cmpstr(rig->events->str, ==, "");
	rig->party[0].silent = false;
	rig_run(rig, 2500);
	g_assert_cmpstr(rig->events->str, ==, "+p-0 =p-0 ");
	rig->party[1].silent = false;	/* louder by 15 dB */
	rig_run(rig, 1000);
	g_assert_cmpstr(rig->events->str, ==, "+p-0 =p-0 +p-1 =p-1 ");
	rig->party[1].silent = true;
	rig_run(rig, 2000);
	g_assert_cmpstr(rig->events->str, ==, "+p-0 =p-0 +p-1 =p-1 -p-1 =p-0 ");
	g_string_truncate(rig->events, 0);
	mix_audio_input_remove(rig->mix, "p-0.audio");
	g_assert_cmpstr(rig->events->str, ==, "-p-0 =nobody ");
	rig->party[0].sends = false;
	rig_free(rig);
}

static void sounds_reach_their_ears(void)
{
	struct rig *rig = rig_new();
	struct mcu_mix_play play = { .sound = (char *)"tone_1k", .member = (char *)"p-1" };
	g_autoptr(GError) err = NULL;

	for (unsigned i = 0; i < 3; i++) {
		rig_join(rig, i, i == 2 ? "PCMU" : "opus", i ? 0 : 400, -26, true);
	}
	rig_run(rig, 1000);
	g_assert_true(mix_audio_play(rig->mix, &play, NULL));
	rig_run(rig, 1000);
	assert_tone(rig, 1, 1000, -20, 1);
	assert_tone(rig, 1, 400, -26, 1);
	assert_absent(rig, 2, 1000, -60);
	rig_run(rig, 2000);
	assert_absent(rig, 1, 1000, -60);
	play.member = NULL;
	g_assert_true(mix_audio_play(rig->mix, &play, NULL));
	rig_run(rig, 1000);
	for (unsigned i = 0; i < 3; i++) {
		assert_tone(rig, i, 1000, -20, 1);
	}
	play.sound = (char *)"nothing";
	g_assert_false(mix_audio_play(rig->mix, &play, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_INVALID);
	play.sound = (char *)"joined";
	for (unsigned i = 0; i < 63; i++) {
		g_assert_true(mix_audio_play(rig->mix, &play, NULL));
	}
	g_clear_error(&err);
	g_assert_false(mix_audio_play(rig->mix, &play, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_LIMIT);
	rig_free(rig);
}

static void loud_together_does_not_clip(void)
{
	struct rig *rig = rig_new();
	const struct rig_party *p = &rig->party[5];
	unsigned full = 0;

	for (unsigned i = 0; i < 6; i++) {
		rig_join(rig, i, "PCMA", i < 5 ? hz_of[i] : 0, -6, true);
	}
	rig_run(rig, 3000);
	for (uint64_t i = p->heard_n - 48000; i < p->heard_n; i++) {
		full += fabsf(p->heard[i % RIG_HEARD]) > 0.98f;
	}
	g_assert_cmpuint(full, <, 100);
	/* harmonics of the loudest would be clipping */
	assert_absent(rig, 5, 3300, -40);
	rig_free(rig);
}

static void bad_rows_are_refused(void)
{
	struct rig *rig = rig_new();
	struct mcu_mix_input in = { .id = (char *)"x", .member = (char *)"m" };
	struct mcu_mix_output out = { .id = (char *)"x", .codec = (char *)"H264" };
	g_autoptr(GError) err = NULL;

	rig_join(rig, 0, "opus", 0, 0, false);
	g_assert_false(mix_audio_input(rig->mix, &in, 1000, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_CONFLICT);
	g_clear_error(&err);
	g_assert_false(mix_audio_output(rig->mix, &out, 3000, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_NO_CODEC);
	g_clear_error(&err);
	out.codec = (char *)"opus";
	g_assert_false(mix_audio_output(rig->mix, &out, 2000, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_CONFLICT);
	mix_audio_input_remove(rig->mix, "nobody");
	mix_audio_output_remove(rig->mix, "nobody");
	rig_free(rig);
}

/* Bytes of no sense on a stream that speaks: it goes on. */
static void garbage(void)
{
	struct rig *rig = rig_new();
	uint8_t packet[400];
	uint32_t r = 1;

	rig_join(rig, 0, "opus", 1000, -20, true);
	rig_join(rig, 1, "opus", 0, 0, false);
	for (unsigned k = 0; k < 100; k++) {
		for (unsigned i = 0; i < 20; i++) {
			size_t len = (r >> 8) % sizeof(packet);
			for (size_t b = 0; b < sizeof(packet); b++) {
				r = r * 1664525u + 1013904223u;
				packet[b] = (uint8_t)(r >> 24);
			}
			packet[0] = i & 1 ? 0x80 : packet[0];
			packet[1] = i & 1 ? 0 : i & 2 ? 200 : packet[1];
			mix_audio_packet(rig->mix, packet, len, rig->now_us);
		}
		rig_run(rig, 20);
	}
	rig_run(rig, 1000);
	assert_tone(rig, 1, 1000, -20, 1);
	rig_free(rig);
}

static void stats_and_capture(void)
{
	struct rig *rig = rig_new();
	struct mcu_mix_stats_event ev = {0};
	uint8_t sr[64];
	size_t pos = 0;
	int64_t wall, delay;

	rig_join(rig, 0, "opus", 1000, -20, true);
	rig_join(rig, 1, "PCMU", 0, 0, false);
	rig_run(rig, 1000);
	g_assert_false(mix_audio_capture(rig->mix, "p-0", rig->now_us, &wall, &delay));
	/* the publisher's clock says 1,000 s at the time stamp of its next packet */
	g_assert_cmpint(mcu_rtcp_write_sr(sr, sizeof(sr), &pos, 1000, (2208988800 + UINT64_C(1000)) << 32, rig->party[0].ts, 0, 0,
					  NULL, 0), ==, 0);
	mix_audio_packet(rig->mix, sr, pos, rig->now_us);
	rig_run(rig, 20);
	g_assert_true(mix_audio_capture(rig->mix, "p-0", rig->now_us, &wall, &delay));
	g_assert_cmpint(llabs(wall - 1000000000), <, 100000);
	g_assert_cmpint(delay, >, 0);
	g_assert_cmpint(delay, <, 60000);
	mix_audio_stats(rig->mix, &ev.inputs, &ev.outputs);
	g_assert_cmpuint(ev.inputs.n, ==, 2);
	g_assert_cmpuint(ev.outputs.n, ==, 2);
	g_assert_cmpstr(((struct mcu_mix_input_stats *)ev.inputs.items)->codec, ==, "opus");
	g_assert_cmpint(((struct mcu_mix_output_stats *)ev.outputs.items)[1].bitrate_bps, ==, 64000);
	ort_json_clear(&mcu_table_mix_stats_event, &ev);
	rig_free(rig);
}

/* The sound thread stood still: time stamps go on with the clock, not with the ticks. */
static void late_tick(void)
{
	struct rig *rig = rig_new();
	uint32_t before;

	rig_join(rig, 0, "PCMU", 0, 0, false);
	rig_run(rig, 1000);
	before = rig->party[0].last_ts;
	rig->now_us += 300000;
	rig_run(rig, 20);
	g_assert_cmpuint(rig->party[0].last_ts - before, ==, 320 * 8);
	rig_free(rig);
}

static void rows(const char *where, const void *table, size_t n, size_t size, GTestDataFunc fn)
{
	for (size_t i = 0; i < n; i++) {
		const void *row = (const char *)table + i * size;
		g_autofree char *path = g_strdup_printf("/audio/%s/%s", where, *(const char *const *)row);
		g_test_add_data_func(path, row, fn);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	rows("five_tones", five_rows, G_N_ELEMENTS(five_rows), sizeof(five_rows[0]), five_tones);
	rows("line", line_rows, G_N_ELEMENTS(line_rows), sizeof(line_rows[0]), line);
	g_test_add_func("/audio/seven_speak", seven_speak);
	g_test_add_func("/audio/listeners_share_one_encode", listeners_share_one_encode);
	g_test_add_data_func("/audio/no_click/opus", "opus", no_click);
	g_test_add_data_func("/audio/no_click/G722", "G722", no_click);
	g_test_add_data_func("/audio/no_click/PCMA", "PCMA", no_click);
	g_test_add_func("/audio/codec_changes", codec_changes);
	g_test_add_func("/audio/verbs", verbs);
	g_test_add_func("/audio/mute_of_all_is_cheap", mute_of_all_is_cheap);
	g_test_add_func("/audio/flood_is_capped", flood_is_capped);
	g_test_add_func("/audio/pause_and_return", pause_and_return);
	g_test_add_func("/audio/events", events);
	g_test_add_func("/audio/sounds_reach_their_ears", sounds_reach_their_ears);
	g_test_add_func("/audio/loud_together_does_not_clip", loud_together_does_not_clip);
	g_test_add_func("/audio/bad_rows_are_refused", bad_rows_are_refused);
	g_test_add_func("/audio/garbage", garbage);
	g_test_add_func("/audio/stats_and_capture", stats_and_capture);
	g_test_add_func("/audio/late_tick", late_tick);
	return g_test_run();
}
