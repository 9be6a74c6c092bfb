/* What a terminal shows and says, and one WebRTC connection that carries it (GStreamer's webrtcbin).
 * Main thread only: GStreamer's own threads talk to it through the pipeline's bus.
 *
 *   sc_picture, sc_speech   pure: a moving picture and a speaking-like sound, functions of the frame and sample number
 *   sc_fingerprint_matches  pure: RFC 8122
 *   sc_peer                 one peer connection; a lost one is thrown away and another is made (softclient/desktop/call) */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- a scene that moves: a grass fire in hills, a clock, the frame's number for eyes and for programs ---- */
typedef struct sc_picture sc_picture;

enum { SC_PICTURE_MIN = 160, SC_PICTURE_MAX = 1920, SC_MARK_BITS = 16 };

/* I420 without padding. width: multiple of 16, height: even, both SC_PICTURE_MIN..SC_PICTURE_MAX; NULL otherwise.
 * `name` makes it another place. `drill`: 演练 stands in it, drawn from our own bitmap, for machines have no Chinese fonts. */
sc_picture *sc_picture_new(unsigned width, unsigned height, bool drill, const char *name);
void sc_picture_free(sc_picture *p);			/* NULL allowed */
size_t sc_picture_size(const sc_picture *p);		/* bytes of one frame */
void sc_picture_draw(const sc_picture *p, uint32_t frame, int64_t wall_ms, uint8_t *ret);
/* The frame number (mod 2^16) read from the bottom row of a luma plane; -1 = there is no mark. Survives any decent codec. */
int sc_picture_read_mark(const uint8_t *luma, unsigned width, unsigned height, unsigned stride);

/* ---- a sound like speech: syllables of a voiced tone in phrases with pauses; 48 kHz mono ---- */
enum { SC_SOUND_HZ = 48000 };
struct sc_speech { uint64_t at; double phase, pitch_hz; };	/* at = samples so far */
void sc_speech_init(struct sc_speech *s, const char *name);	/* another name, another voice */
void sc_speech_fill(struct sc_speech *s, int16_t *ret, size_t n);

/* ---- security ---- */
/* True when the certificate (PEM) hashes to one of the SHA-256 fingerprints of the description. Weaker hashes do not count;
 * none given, an unreadable certificate: false. */
bool sc_fingerprint_matches(const char *sdp, const char *pem);

/* ---- SDP ---- */
/* webrtcbin leaves out profile-level-id before the first picture; without it an offer means baseline level 1 (RFC 6184 8.1).
 * (transfer full), g_free */
char *sc_sdp_name_h264_profile(const char *sdp);

/* ---- connection ---- */
typedef struct sc_peer sc_peer;

enum sc_codec { SC_CODEC_AUTO, SC_CODEC_H264, SC_CODEC_VP8, SC_CODEC_N };
extern const char *const sc_codec_names[];	/* NULL-terminated */

enum sc_peer_state { SC_PEER_CONNECTING, SC_PEER_UP, SC_PEER_WAVERING, SC_PEER_FAILED, SC_PEER_N };
extern const char *const sc_peer_state_names[];

struct sc_peer_conf {		/* copied */
	const char *name;	/* written into the picture where a font can; NULL = none */
	bool drill, muted;
	bool loopback;		/* the gateway is on this machine: speak from 127.0.0.1 */
	enum sc_codec codec;
	unsigned width, height, fps;
	int64_t epoch_us;	/* frame number 0: numbers go on over connections */
};
struct sc_peer_offer { const char *sdp, *audio_mid, *video_mid; };
struct sc_peer_stats { uint64_t frames, bytes_sent, packets_lost; double rtt_ms, heard_db; };	/* heard_db: -inf = nothing */

/* Callbacks may call sc_peer_free(). */
struct sc_peer_listener {
	void (*on_offer)(sc_peer *p, const struct sc_peer_offer *offer, void *user_data);
	/* UP: connected, and the far certificate is the signalled one; no media leaves and none is decoded before. */
	void (*on_state)(sc_peer *p, enum sc_peer_state state, const char *why, void *user_data);
	void (*on_sound)(sc_peer *p, double rms_db, void *user_data);	/* each 100 ms of received sound, dB of full scale */
};

/* Program start. False and *ret_why (transfer full): which element is missing and the package that has it. */
bool sc_media_init(enum sc_codec codec, char **ret_why);
void sc_media_end(void);
const char *sc_media_encoder(enum sc_codec codec);	/* the element that will be used; NULL = none is there */

/* Makes its offer by itself. NULL and *ret_why (transfer full) on error. */
sc_peer *sc_peer_new(const struct sc_peer_conf *conf, const struct sc_peer_listener *listener, void *user_data, char **ret_why);
bool sc_peer_answer(sc_peer *p, const char *sdp, char **ret_why);
void sc_peer_mute(sc_peer *p, bool on);		/* silence is sent, as a phone does */
void sc_peer_get_stats(sc_peer *p, struct sc_peer_stats *ret);	/* as of the last second */
void sc_peer_free(sc_peer *p);			/* NULL allowed */
