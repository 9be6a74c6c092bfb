/* What is told of a microphone: heard, silent, clipped; and clips of it. In virtual time. */
#include <math.h>
#include <string.h>

#include "sound_rig.h"

static const struct worth_row { const char *name, *codec; double dbov; bool level, sends; const char *state, *why; } rows[] = {
	{ "speech-opus", "opus", -26, true, true, "heard", NULL },
	{ "speech-no-levels", "PCMA", -26, false, true, "heard", NULL },
	{ "quiet-room", "opus", -62, true, true, "heard", NULL },
	{ "shut-microphone", "opus", -100, true, true, "silent", "same_level" },
	{ "shut-microphone-g722", "G722", -100, false, true, "silent", "same_level" },
	{ "over-the-top-opus", "opus", 6, true, true, "clipped", NULL },
	{ "over-the-top-g711", "PCMU", 6, false, true, "clipped", NULL },
	{ "nothing-sent", "opus", 0, false, false, "waiting", NULL },
};

static const struct mcu_mix_input_stats *stats_of(struct rig *rig, struct ort_json_array *in, struct ort_json_array *out)
{
	mix_audio_stats(rig->mix, in, out);
	return in->items;
}

static void is_told(gconstpointer data)
{
	const struct worth_row *row = data;
	struct rig *rig = rig_new();
	struct ort_json_array in = { 0 }, out = { 0 };

	rig_join(rig, 0, row->codec, row->sends ? 700 : 0, row->dbov, row->level);
	rig_run(rig, 13000);
	const struct mcu_mix_input_stats *s = stats_of(rig, &in, &out);
	g_assert_cmpstr(s->state, ==, row->state);
	g_assert_cmpint(s->clipped > 0.005, ==, strcmp(row->state, "clipped") == 0);
	g_autofree char *told = g_strdup_printf("state %s %s;", row->state, row->why ? row->why : "-");
	g_assert_true(!row->sends || strstr(rig->states->str, told));
	if (row->sends) {
		g_string_truncate(rig->states, 0);
		rig->party[0].silent = true;	/* nothing comes any more */
		rig->party[0].sends = false;
		rig_run(rig, 2600);
		g_assert_true(strcmp(row->state, "silent") == 0 || strstr(rig->states->str, "state silent no_packets;"));
	}
	for (size_t i = 0; i < in.n; i++) {
		ort_json_clear(&mcu_table_mix_input_stats, (struct mcu_mix_input_stats *)in.items + i);
	}
	for (size_t i = 0; i < out.n; i++) {
		ort_json_clear(&mcu_table_mix_output_stats, (struct mcu_mix_output_stats *)out.items + i);
	}
	g_free(in.items);
	g_free(out.items);
	rig_free(rig);
}

static uint32_t le32(const guchar *at)
{
	return (uint32_t)(at[0] | at[1] << 8 | at[2] << 16) | (uint32_t)at[3] << 24;
}

/* Also of him who is not heard: five are louder. */
static void a_clip_is_a_wav(void)
{
	struct rig *rig = rig_new();
	g_autoptr(GError) err = NULL;
	gsize len;

	for (unsigned i = 0; i < 7; i++) {
		rig_join(rig, i, "opus", i ? 300 + 200 * i : 1000, i ? -20 : -40, true);
	}
	rig_run(rig, 2000);
	const char *id = rig_sound_input(rig, 0)->id;
	g_assert_true(mix_audio_clip(rig->mix, id, 5000, (struct mix_asked){ 1, 9 }, &err));
	g_assert_false(mix_audio_clip(rig->mix, id, 5000, (struct mix_asked){ 1, 10 }, &err));
	g_assert_error(err, MCU_ERROR, MCU_ERROR_STATE);
	rig_run(rig, 4900);
	g_assert_null(rig->clip);
	rig_run(rig, 200);
	g_assert_nonnull(rig->clip);
	g_assert_cmpint(rig->clip->ms, ==, 5000);
	g_assert_cmpfloat(fabs(rig->clip->level_dbov + 40), <, 1.5);
	g_autofree guchar *wav = g_base64_decode(rig->clip->wav, &len);
	g_assert_cmpuint(len, ==, 44 + 2 * 80000);
	g_assert_cmpmem(wav, 4, "RIFF", 4);
	g_assert_cmpuint(le32(wav + 4), ==, len - 8);
	g_assert_cmpmem(wav + 8, 8, "WAVEfmt ", 8);
	g_assert_cmpuint(le32(wav + 24), ==, 16000);
	g_assert_cmpuint(le32(wav + 40), ==, len - 44);
	g_autofree float *x = g_new(float, 16000);
	for (unsigned i = 0; i < 16000; i++) {
		x[i] = (float)(int16_t)(wav[44 + 2 * (32000 + i)] | wav[45 + 2 * (32000 + i)] << 8) / 32768;
	}
	/* the rig's Goertzel is at 48 kHz */
	g_assert_cmpfloat(fabs(rig_goertzel(x, 16000, 3000) + 40), <, 1.5);
	rig_free(rig);
}

static void its_input_goes(void)
{
	struct rig *rig = rig_new();

	rig_join(rig, 0, "opus", 700, -20, true);
	rig_run(rig, 500);
	g_assert_true(mix_audio_clip(rig->mix, rig_sound_input(rig, 0)->id, 5000, (struct mix_asked){ 1, 9 }, NULL));
	g_autofree char *id = g_strdup(rig_sound_input(rig, 0)->id);
	mix_audio_input_remove(rig->mix, id);
	g_assert_true(strstr(rig->states->str, "clip none;"));
	rig_free(rig);
}

/* Words are heard at the pitch they were spoken, as loud as the tones, by whom they are for. */
static void words_are_heard(void)
{
	struct mcu_mix_play play = { .sound = (char *)"roll_call", .pcm_hz = 22050 };
	struct rig *rig = rig_new();
	g_autoptr(GByteArray) pcm = g_byte_array_new();
	g_autoptr(GError) err = NULL;

	for (unsigned i = 0; i < 22050 * 2; i++) {
		int16_t v = (int16_t)lrint(3000 * sin(2 * G_PI * 1000 * i / 22050));
		uint8_t two[2] = { (uint8_t)(v & 0xff), (uint8_t)(v >> 8 & 0xff) };
		g_byte_array_append(pcm, two, 2);
	}
	g_autofree char *text = g_base64_encode(pcm->data, pcm->len);
	rig_join(rig, 0, "opus", 0, -20, true);
	rig_join(rig, 1, "opus", 0, -20, true);
	rig_run(rig, 300);
	play.pcm = text;
	play.member = rig_sound_input(rig, 1)->member;
	g_assert_true(mix_audio_play(rig->mix, &play, &err));
	rig_run(rig, 1500);
	g_assert_cmpfloat(fabs(rig_tone(rig, 1, 1000, 400) + 22), <, 1.5);
	g_assert_cmpfloat(rig_tone(rig, 0, 1000, 400), <, -60);
	rig_run(rig, 1500);
	g_assert_cmpfloat(rig_tone(rig, 1, 1000, 400), <, -60);
	play.pcm = (char *)"";
	g_assert_true(mix_audio_play(rig->mix, &play, &err));	/* none: the tone */
	play.pcm = (char *)"QQ==";
	g_assert_false(mix_audio_play(rig->mix, &play, &err));
	rig_free(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/mix/worth/", rows[i].name, NULL);
		g_test_add_data_func(path, &rows[i], is_told);
	}
	g_test_add_func("/mix/worth/a_clip_is_a_wav", a_clip_is_a_wav);
	g_test_add_func("/mix/worth/words_are_heard", words_are_heard);
	g_test_add_func("/mix/worth/its_input_goes", its_input_goes);
	return g_test_run();
}
