/* Sound of one mix: N-1 at 48 kHz. Pure in time: the owner calls tick() each 20 ms with the time that it is. One thread (the
 * sound thread) for everything here. Design: at least 4 of the loudest are decoded and mixed (RFC 6464 level where the packet
 * carries one, else decode and measure), one shared encode for all listeners of equal codec who are silent, a private encode
 * for each who speaks; private again where gain or a private announcement makes a difference. */
#pragma once
#include "mcu/mix/mix.h"

struct mix_audio;
struct mix_asked { unsigned mix, ask; };	/* numbers of who waits for a clip */
struct mix_audio_ops {
	void (*send)(const uint8_t *packet, size_t len, void *user_data);	/* RTP or RTCP of an output */
	void (*level)(const char *member, bool speaking, int level_dbov, void *user_data);
	void (*speaker)(const char *member, void *user_data);	/* NULL = nobody; who speaks longest holds it */
	/* May be NULL. reply (transfer full), NULL: its input went before the end. */
	void (*clip)(struct mix_asked asked, struct mcu_mix_clip_reply *reply, void *user_data);
	void (*state)(const struct mcu_mix_input_event *state, void *user_data);	/* may be NULL; of id, state, why, figures; borrowed */
};
struct mix_audio *mix_audio_new(const struct mix_audio_ops *ops, void *user_data);
void mix_audio_free(struct mix_audio *a);
bool mix_audio_input(struct mix_audio *a, const struct mcu_mix_input *in, uint32_t ssrc, GError **err);
void mix_audio_input_remove(struct mix_audio *a, const char *id);
bool mix_audio_output(struct mix_audio *a, const struct mcu_mix_output *out, uint32_t ssrc, GError **err);
void mix_audio_output_remove(struct mix_audio *a, const char *id);
bool mix_audio_play(struct mix_audio *a, const struct mcu_mix_play *play, GError **err);
/* Records an input for `ms`; ops->clip follows. One at a time an input. */
bool mix_audio_clip(struct mix_audio *a, const char *id, int64_t ms, struct mix_asked asked, GError **err);
void mix_audio_packet(struct mix_audio *a, const uint8_t *packet, size_t len, int64_t at_us);	/* RTP or RTCP */
void mix_audio_tick(struct mix_audio *a, int64_t now_us, int64_t wall_us);	/* decode, mix, encode, send 20 ms */
/* Publisher's wall clock (of its sender reports) of the sound of this member that was mixed in the last tick, and how long
 * the jitter buffer holds it at present: a picture that is shown at the same tick should be of the same time. false: no
 * report yet, or not heard now. */
bool mix_audio_capture(const struct mix_audio *a, const char *member, int64_t now_us, int64_t *ret_wall_us, int64_t *ret_delay_us);
#define MIX_CNAME "ortoo-mix"	/* of sound and pictures: one clock (RFC 3550 6.5.1) */
/* Adds rows for mix.stats behind those that are there; strings owned by the caller (gw: ort_json_clear of the event's table). */
void mix_audio_stats(const struct mix_audio *a, struct ort_json_array *inputs, struct ort_json_array *outputs);
