/* Mixing: sound (N-1) and pictures (views) of one party list, from RTP to RTP. Knows no sockets and no rings: packets come
 * in by mcu_mix_packet() and go out by ops->send. GStreamer is used for codecs only, as elements on bare pads.
 *
 * Threads: calls (open, close, call) from the control thread; mcu_mix_packet() from one bridge thread; inside, one sound
 * thread for all mixes (a tick of 20 ms), one home thread a mix (pictures, 1/fps), and decoders in a small pool. Commands
 * go to them as messages; ops->send is called from the sound thread (MCU_AUDIO) or the mix's home thread (MCU_VIDEO), for
 * RTP and RTCP alike; ops->event from the control thread. mcu_mix_close() returns when no callback can come any more.
 *
 * Input packets carry the SSRC and the payload type that the engine gave the input: struct mcu_mix_feed. The codec is known
 * by the payload type: mcu_codecs[].default_pt of codecs.def, in both directions. Output packets carry the feed's SSRC.
 * RTCP in (PLI, FIR, RR of viewers; SR of publishers) and out (PLI for an input, SR of outputs) is compound or reduced size. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/proto/proto.h"

typedef struct mcu_mixer mcu_mixer;
typedef struct mcu_mix mcu_mix;

struct mcu_mixer_conf {
	GMainContext *context;		/* of the control thread; NULL = default */
	unsigned decode_threads;	/* 0 = processors - 1, at least 1 */
	unsigned max_mixes;		/* 0 = 64 */
	const char *elements;		/* "H264.encode=x264enc,openh264enc;..": ranks of codec elements; NULL = table in elements.def */
};
struct mcu_mix_ops {
	void (*send)(mcu_mix *mix, enum mcu_kind lane, const uint8_t *packet, size_t len, void *mix_data);
	void (*flush)(mcu_mix *mix, enum mcu_kind lane, void *mix_data);	/* after a batch of sends */
	void (*event)(enum mcu_event event, const void *body, void *mix_data);	/* body borrowed */
	/* May be NULL. Control thread: the size at which a picture input is shown (largest window of all views, 0 = any), or
	 * paused: nobody sees it, nothing is to be sent. The engine chooses the simulcast layer by it and asks the publisher
	 * for a key frame when it goes on. Until the first call an input is sent in full. */
	void (*want)(const char *input, int64_t width, int64_t height, bool paused, void *mix_data);
};
/* NULL + err: GStreamer or a codec that must be there is missing. */
mcu_mixer *mcu_mixer_new(const struct mcu_mixer_conf *conf, const struct mcu_mix_ops *ops, GError **err);
void mcu_mixer_free(mcu_mixer *mixer);	/* closes its mixes */

/* RFC 8285 id of the sound level (RFC 6464) in what the engine sends, where the publisher sent one. */
#define MCU_MIX_EXT_LEVEL 1

/* The engine's numbers for an input or output: which SSRC it has on the way between engine and worker. */
struct mcu_mix_feed { uint32_t ssrc; };
mcu_mix *mcu_mix_open(mcu_mixer *mixer, const struct mcu_mix_open *request, void *mix_data, GError **err);
void mcu_mix_close(mcu_mix *mix);
/* MIX_INPUT, MIX_INPUT_REMOVE, MIX_VIEW, MIX_VIEW_REMOVE, MIX_OUTPUT, MIX_OUTPUT_REMOVE, MIX_PLAY with the structs of
 * mcu/proto. `feed` for MIX_INPUT and MIX_OUTPUT, else NULL. false: err is an MCU_ERROR code. Repeating is harmless. */
bool mcu_mix_call(mcu_mix *mix, enum mcu_method method, const void *request, const struct mcu_mix_feed *feed, GError **err);
/* MIX_STILL, MIX_CLIP: `fn` is told once, on the control thread, at the latest when the mix is closed (MCU_ERROR_STATE).
 * reply: struct of the method's reply table, borrowed; NULL with err. */
typedef void (*mcu_mix_reply_fn)(const void *reply, const GError *err, void *user_data);
void mcu_mix_ask(mcu_mix *mix, enum mcu_method method, const void *request, mcu_mix_reply_fn fn, void *user_data);
/* RTP or RTCP (RFC 5761). Copied. Unknown SSRCs are counted and dropped. */
void mcu_mix_packet(mcu_mix *mix, const uint8_t *packet, size_t len, int64_t at_us);
/* Threads that hang inside a codec are still there: the process should go without taking anything down under them. */
bool mcu_mixer_left_threads(const mcu_mixer *mixer);
json_t *mcu_mixer_stats(mcu_mixer *mixer);	/* counters, (transfer full); control thread */
