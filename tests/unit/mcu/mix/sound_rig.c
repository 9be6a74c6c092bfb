#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sound_rig.h"

static double chance(struct rig *rig)
{
	rig->random = rig->random * 1664525u + 1013904223u;
	return (rig->random >> 8) / (double)(1 << 24);
}

static void hear(struct rig_party *p, const float *x, int n)
{
	for (int i = 0; i < n; i++) {
		if (p->heard_n) {
			p->step_max = fmax(p->step_max, fabs((double)x[i] - p->last));
		}
		p->last = x[i];
		p->heard[p->heard_n++ % RIG_HEARD] = x[i];
	}
}

static void on_send(const uint8_t *packet, size_t len, void *user_data)
{
	struct rig *rig = user_data;
	float out[SOUND_LONGEST];
	struct rig_party *p;
	struct mcu_rtp rtp;
	int n;

	if (mcu_rtp_is_rtcp(packet, len)) {
		p = &rig->party[(packet[4] << 24 | packet[5] << 16 | packet[6] << 8 | packet[7]) - 2000];
		p->reports++;
		return;
	}
	g_assert_cmpint(mcu_rtp_parse(packet, len, &rtp), ==, 0);
	p = &rig->party[rtp.ssrc - 2000];
	g_assert(p->there);
	g_assert_true(sound_codec_by_pt(rtp.pt) == p->codec);
	if (p->got) {
		p->seq_gaps += (uint16_t)(rtp.seq - p->last_seq) != 1;
		p->ts_gaps += rtp.ts - p->last_ts != SOUND_FRAME / p->codec->clock_scale;
	}
	p->got++;
	p->last_seq = rtp.seq;
	p->last_ts = rtp.ts;
	if (rig->deaf) {
		return;
	}
	n = sound_decode(p->decoder, packet + rtp.header_len, rtp.payload_len, out);
	g_assert_cmpint(n, ==, SOUND_FRAME);
	hear(p, out, n);
}

static void on_level(const char *member, bool speaking, int dbov, void *user_data)
{
	struct rig *rig = user_data;

	g_string_append_printf(rig->events, "%s%s ", speaking ? "+" : "-", member);
}

static void on_speaker(const char *member, void *user_data)
{
	struct rig *rig = user_data;

	g_string_append_printf(rig->events, "=%s ", member ? member : "nobody");
}

static void on_clip(struct mix_asked asked, struct mcu_mix_clip_reply *reply, void *user_data)
{
	struct rig *rig = user_data;

	g_assert_cmpuint(asked.ask, ==, 9);
	g_string_append_printf(rig->states, "clip %s;", reply ? "done" : "none");
	rig->clip = reply;
}

static void on_state(const struct mcu_mix_input_event *ev, void *user_data)
{
	struct rig *rig = user_data;

	g_string_append_printf(rig->states, "state %s %s;", ev->state, ev->why ? ev->why : "-");
}

struct rig *rig_new(void)
{
	static const struct mix_audio_ops ops = { on_send, on_level, on_speaker, on_clip, on_state };
	struct rig *rig = g_new0(struct rig, 1);

	rig->mix = mix_audio_new(&ops, rig);
	sound_filter_init(&rig->tools.by3, 3);
	sound_filter_init(&rig->tools.by6, 6);
	rig->now_us = 1000000;
	rig->random = 7;
	rig->events = g_string_new(NULL);
	rig->states = g_string_new(NULL);
	return rig;
}

void rig_free(struct rig *rig)
{
	mix_audio_free(rig->mix);
	for (unsigned i = 0; i < RIG_PARTIES; i++) {
		sound_encoder_free(rig->party[i].encoder);
		sound_decoder_free(rig->party[i].decoder);
		g_free(rig->party[i].heard);
	}
	g_string_free(rig->events, TRUE);
	g_string_free(rig->states, TRUE);
	if (rig->clip) {
		ort_json_clear(&mcu_table_mix_clip_reply, rig->clip);
		g_free(rig->clip);
	}
	g_free(rig);
}

void rig_input(struct rig *rig, unsigned n, double gain_db, bool mute)
{
	char id[32], member[32];
	struct mcu_mix_input in = { .id = id, .member = member, .gain_db = gain_db, .mute = mute };

	g_snprintf(id, sizeof(id), "p-%u.audio", n);
	g_snprintf(member, sizeof(member), "p-%u", n);
	g_assert_true(mix_audio_input(rig->mix, &in, 1000 + n, NULL));
}

void rig_output(struct rig *rig, unsigned n, double gain_db, bool mute)
{
	char id[32], member[32], codec[16];
	struct mcu_mix_output out = { .id = id, .member = member, .codec = codec, .gain_db = gain_db, .mute = mute };

	g_snprintf(id, sizeof(id), "mix.c.a.p-%u", n);
	g_snprintf(member, sizeof(member), "p-%u", n);
	g_strlcpy(codec, mcu_codecs[rig->party[n].codec->id].name, sizeof(codec));
	g_assert_true(mix_audio_output(rig->mix, &out, 2000 + n, NULL));
}

void rig_join(struct rig *rig, unsigned n, const char *codec, double hz, double dbov, bool level)
{
	struct rig_party *p = &rig->party[n];

	p->there = true;
	p->sends = hz > 0;
	p->level = level;
	p->hz = hz;
	p->dbov = dbov;
	p->codec = sound_codec_by_name(codec);
	p->encoder = sound_encoder_new(&rig->tools, p->codec, 0);
	p->decoder = sound_decoder_new(&rig->tools, p->codec);
	p->heard = g_new0(float, RIG_HEARD);
	p->next_us = rig->now_us + 1000 * (int64_t)(n * 7 % 20);
	p->seq = (uint16_t)(65500 + n);
	p->ts = 0xfffff000 + n;
	rig_input(rig, n, 0, false);
	rig_output(rig, n, 0, false);
}

static void make(struct rig *rig, unsigned n, struct rig_packet *out)
{
	struct rig_party *p = &rig->party[n];
	float x[SOUND_FRAME], gain = p->silent ? 0 : (float)pow(10, (p->dbov + 3.01) / 20);
	uint8_t level = (uint8_t)(p->silent ? 127 : CLAMP(-p->dbov, 0, 127));
	struct mcu_ext_value ext = { .id = MCU_MIX_EXT_LEVEL, .len = 1, .data = &level };
	struct mcu_rtp rtp = { .pt = mcu_codecs[p->codec->id].default_pt, .seq = p->seq++, .ts = p->ts, .ssrc = 1000 + n };
	int head, len;

	for (unsigned i = 0; i < SOUND_FRAME; i++) {
		x[i] = gain * (float)sin(p->phase);
		p->phase += 2 * G_PI * p->hz / SOUND_HZ;
	}
	p->ts += SOUND_FRAME / p->codec->clock_scale;
	head = mcu_rtp_write_header(out->data, sizeof(out->data), &rtp, &ext, p->level ? 1 : 0);
	len = sound_encode(p->encoder, x, false, out->data + head, sizeof(out->data) - (size_t)head);
	g_assert_cmpint(len, >, 0);
	out->len = (uint16_t)(head + len);
}

static void publish(struct rig *rig, unsigned n)
{
	struct rig_party *p = &rig->party[n];
	struct rig_packet *out;

	while (p->sends && p->next_us <= rig->now_us) {
		g_assert_cmpint(p->flight_n, <, RIG_FLIGHT);
		out = &p->flight[p->flight_n];
		make(rig, n, out);
		out->at_us = p->next_us + (int64_t)(chance(rig) * (double)rig->jitter_us);
		p->flight_n += chance(rig) >= rig->loss;
		p->next_us += (int64_t)(SOUND_TICK_US * (1 - p->ppm / 1e6));
	}
	for (unsigned i = 0; i < p->flight_n;) {
		if (p->flight[i].at_us > rig->now_us) {
			i++;
			continue;
		}
		mix_audio_packet(rig->mix, p->flight[i].data, p->flight[i].len, p->flight[i].at_us);
		p->flight_n--;
		memmove(&p->flight[i], &p->flight[i + 1], (p->flight_n - i) * sizeof(p->flight[0]));
	}
}

void rig_run(struct rig *rig, int64_t ms)
{
	for (int64_t end = rig->now_us + ms * 1000; rig->now_us < end;) {
		rig->now_us += SOUND_TICK_US;
		for (unsigned i = 0; i < RIG_PARTIES; i++) {
			publish(rig, i);
		}
		mix_audio_tick(rig->mix, rig->now_us, INT64_C(1700000000000000) + rig->now_us);
		for (unsigned i = 0; i < rig->mix->inputs->len; i++) {
			rig->kept_max_us = MAX(rig->kept_max_us,
					       sound_input_kept_us(g_ptr_array_index(rig->mix->inputs, i)));
		}
	}
}

void rig_listen(struct rig *rig)
{
	for (unsigned i = 0; i < RIG_PARTIES; i++) {
		rig->party[i].step_max = 0;
	}
}

/* Hann's window: neighbours 300 Hz away do not count. */
double rig_goertzel(const float *x, unsigned n, double hz)
{
	double w = 2 * G_PI * hz / SOUND_HZ, re = 0, im = 0;

	for (unsigned i = 0; i < n; i++) {
		double v = x[i] * (1 - cos(2 * G_PI * i / n));
		re += v * cos(w * i);
		im += v * sin(w * i);
	}
	return 10 * log10((re * re + im * im) * 2 / ((double)n * n) + 1e-14);
}

static void last_of(const struct rig_party *p, float *out, unsigned n)
{
	g_assert_cmpuint(p->heard_n, >=, n);
	for (unsigned i = 0; i < n; i++) {
		out[i] = p->heard[(p->heard_n - n + i) % RIG_HEARD];
	}
}

double rig_tone(const struct rig *rig, unsigned n, double hz, unsigned ms)
{
	g_autofree float *x = g_new(float, ms * 48);

	last_of(&rig->party[n], x, ms * 48);
	return rig_goertzel(x, ms * 48, hz);
}

double rig_loudness(const struct rig *rig, unsigned n, unsigned ms)
{
	g_autofree float *x = g_new(float, ms * 48);

	last_of(&rig->party[n], x, ms * 48);
	return sound_dbov(x, ms * 48);
}

struct sound_input *rig_sound_input(struct rig *rig, unsigned n)
{
	return g_hash_table_lookup(rig->mix->by_ssrc, GUINT_TO_POINTER(1000 + n));
}
