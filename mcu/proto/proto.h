/* The control protocol between gateway and engine: JSON-RPC 2.0, one object a line, over a Unix socket (peer checked by
 * SO_PEERCRED) or TLS. Ids are chosen by the gateway, so that commands can be pipelined and repeated: opening again with
 * equal parameters is no error. Plain structs + field tables; any thread. Version MCU_PROTO_VERSION only grows. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/json.h"

#define MCU_PROTO_VERSION 2
#define MCU_ID_MAX 96	/* bytes of any id */

enum mcu_method {
#define X(id, ...) MCU_METHOD_##id,
#include "mcu/proto/methods.def"
#undef X
	MCU_METHOD_N
};
enum mcu_event {
#define X(id, ...) MCU_EVENT_##id,
#include "mcu/proto/events.def"
#undef X
	MCU_EVENT_N
};
enum mcu_codec_id {
#define X(id, ...) MCU_CODEC_##id,
#include "mcu/proto/codecs.def"
#undef X
	MCU_CODEC_N
};
enum mcu_error_id {
#define X(id, ...) MCU_ERROR_##id,
#include "mcu/proto/errors.def"
#undef X
	MCU_ERROR_N
};
#define MCU_ERROR (mcu_error_quark())	/* GError codes are enum mcu_error_id */
GQuark mcu_error_quark(void);

struct mcu_method_row { const char *name; int since; const struct ort_json_table *request, *reply; const char *doc; };
struct mcu_event_row { const char *name; int since; const struct ort_json_table *body; const char *doc; };
struct mcu_codec_row { const char *name; char kind; uint32_t clock_hz; uint8_t channels, default_pt; const char *fmtp, *doc; };
struct mcu_error_row { int code; const char *name; int sip, h323; const char *en, *zh; };
extern const struct mcu_method_row mcu_methods[MCU_METHOD_N];
extern const struct mcu_event_row mcu_events[MCU_EVENT_N];
extern const struct mcu_codec_row mcu_codecs[MCU_CODEC_N];
extern const struct mcu_error_row mcu_errors[MCU_ERROR_N];
int mcu_method_by_name(const char *name);	/* -1 = none; likewise below */
int mcu_event_by_name(const char *name);
int mcu_codec_by_name(const char *name);	/* case-insensitive */
int mcu_error_by_code(int jsonrpc_code);

/* ---- media description: what SDP, H.245 and GB/T 28181 all map to ---- */
enum mcu_kind { MCU_AUDIO, MCU_VIDEO };			/* "audio", "video" */
enum mcu_content { MCU_CONTENT_MAIN, MCU_CONTENT_SLIDES };	/* "main", "slides" (RFC 4796) */

struct mcu_codec_use {		/* table codec_use */
	char *name;		/* of codecs.def */
	int64_t pt, clock_hz, channels;
	char *fmtp;		/* may be NULL */
	int64_t rtx_pt;		/* 0 = none */
	bool nack, pli, fir, remb, twcc;
};
struct mcu_ext_use { char *uri; int64_t id; };				/* table ext_use */
struct mcu_encoding { char *rid; int64_t ssrc, rtx_ssrc; };		/* table encoding; rid NULL = single, ssrc 0 = unknown yet */

/* ---- requests, replies and event bodies; one table each, of the same name without mcu_ ---- */
struct mcu_empty { char unused; };
struct mcu_hello_request { int64_t proto; char *client; int64_t grace_ms; };	/* rooms outlive a lost gateway this long */
struct mcu_worker_info { int64_t index, port; int64_t rooms, transports; };	/* table worker_info */
struct mcu_hello_reply { int64_t proto; char *build, *engine, *boot, *fingerprint; struct ort_json_array workers, codecs;
			 int64_t max_transports, max_rooms; };	/* boot: random id of this engine process; codecs: codec_use rows */
struct mcu_drain_request { bool on; };
struct mcu_room_ref { char *room; };		/* NULL room in stats.get = whole engine */
struct mcu_room_open { char *room; int64_t max_transports; };
struct mcu_room_open_reply { int64_t worker; };
struct mcu_transport_ref { char *room, *transport; };
struct mcu_transport_open { char *room, *transport; char *kind;	/* "lite" (default), "agent" (full libnice; relay candidates come later: open again),
							 * "plain": sockets of its own, no ICE (one m-line of SIP, H.323, GB/T 28181) */
			    char *zone;			/* NULL = the only one */
			    int64_t max_bps; char *turn;	/* agent: turn URI or NULL */
			    char *security;		/* plain: "none", "sdes" or "dtls"; NULL = none */
			    char *family;		/* plain: "ip4" or "ip6"; NULL = ip4 */
			    bool rtcp_mux;		/* plain: RTCP on the RTP port, else on a port of its own */ };
struct mcu_candidate_use { char *foundation, *protocol, *ip, *type, *tcptype; int64_t priority, port; };	/* candidate_use */
struct mcu_transport_reply { char *ice_ufrag, *ice_pwd, *fingerprint; bool ice_lite; struct ort_json_array candidates;
			     int64_t rtcp_port; /* plain: candidates has one row, RTP's address; 0 = muxed */ };
struct mcu_transport_connect { char *room, *transport, *ice_ufrag, *ice_pwd, *fingerprint; bool dtls_client;
			       bool silent;	/* plain: the peer need not send (hold, recvonly): silence is no failure */
			       struct ort_json_array extensions;	/* ext_use, those of the transport's BUNDLE */
			       /* plain, and again whenever the peer signals another address or key: */
			       char *ip; int64_t port, rtcp_port;	/* where we send; only this address is heard (latching: README of net) */
			       char *srtp_suite, *srtp_send, *srtp_recv;	/* sdes: RFC 4568 6.2 name, base64 of key||salt */ };
struct mcu_transport_candidate { char *room, *transport, *candidate; };
struct mcu_stream_ref { char *room, *id; };
struct mcu_source_add { char *room, *transport, *id; int kind, content; char *mid; struct ort_json_array codecs, encodings; };
struct mcu_source_pause { char *room, *id; bool on; };
struct mcu_sink_add { char *room, *transport, *id, *source;	/* source NULL = silent */
		      int kind; char *mid; int64_t ssrc, rtx_ssrc; struct ort_json_array codecs; };
struct mcu_sink_route { char *room, *id, *source; };
struct mcu_sink_prefer { char *room, *id; int64_t width, height, max_bps; bool paused; };

struct mcu_transport_state { char *room, *transport, *state, *why, *remote; int64_t at_ms, at_us; };
struct mcu_stream_event { char *room, *transport, *id; int64_t at_ms, at_us; };
struct mcu_sink_event { char *room, *id, *source; int64_t at_ms, at_us; };
struct mcu_sink_layer_event { char *room, *id, *source, *rid; int64_t at_ms, at_us; };
/* ---- mixing: methods mix.*, since 2; the engine hands them to its codec worker ---- */
struct mcu_mix_open { char *room, *mix; int64_t fps; };		/* fps 0 = 30 */
struct mcu_mix_ref { char *room, *mix, *id; };			/* id: input, view or output; of mix.close not read */
/* What goes in: the stream `source` of the room, as long as it is there. The same id again = change it. */
struct mcu_mix_input { char *room, *mix, *id, *source; int kind, content; char *member;	/* party that it belongs to: N-1 */
		       char *name;			/* shown under its picture, UTF-8 */
		       double gain_db; bool mute;	/* mute: not mixed (mic_mute by the chair) */
		       bool watch;
		       /* sound, voice switching: who is louder than level_dbov (0 = -45) for speak_ms becomes the
			* speaker, and is kept hold_ms (0 = 1,500) against somebody louder */
		       int64_t speak_ms, hold_ms; double level_dbov; };			/* picture: looked at though no view shows it, in its smallest layer */
enum mcu_cell_mode { MCU_CELL_EMPTY, MCU_CELL_FIXED, MCU_CELL_VOICE, MCU_CELL_POLL, MCU_CELL_CONTENT, MCU_CELL_MODE_N };
struct mcu_mix_member { char *member; };			/* table mix_member */
struct mcu_mix_cell { int64_t cell; int mode; char *member;	/* fixed: whose picture */
		      struct ort_json_array members; int64_t interval_ms; };	/* poll: whose, in turn; 0 = 10,000 */
/* A picture that outputs show: layout is a row of mcu/mix/layouts.def ("1", "2", "5+1", "pip" ..), cells of it from 0 left to
 * right, top down, the large one first. The same id again = new layout, committed at one frame. `test` only checks. */
struct mcu_mix_view { char *room, *mix, *id, *layout; struct ort_json_array cells;	/* mix_cell */
		      char *banner, *alarm;	/* texts; alarm also draws the frame red */
		      bool titles, clock, test;
		      char *crawl; };		/* runs along the lower edge, from right to left */
/* What comes out: a source of the room with this id, as if a peer published it. Equal (view, codec, size, fps, rate) share
 * one encode; equal (codec, member NULL or silent) one sound. */
struct mcu_mix_output { char *room, *mix, *id, *view;	/* view: of a picture */
			char *member;		/* audio: everything but this party (N-1); video voice cells: not himself */
			char *codec, *fmtp;	/* of codecs.def; fmtp: profile-level-id, max-fs .. that the receiver stated */
			int64_t width, height, fps, bps; double gain_db; int kind; bool mute; };	/* mute: speaker_mute */
struct mcu_mix_play { char *room, *mix, *member;	/* NULL = to all */
		      char *sound;			/* row of mcu/mix/sounds.def: joined, left, muted, roll_call .. */
		      /* Words instead of the sound: spoken by the engine's voice (espeak-ng), where it has one; the sound is
		       * played where it has none, or fails. pcm: base64 of 16-bit mono samples, at most 20 s, instead of both. */
		      char *text, *lang;		/* lang: voice, "cmn" or "en"; NULL = by the letters of the text */
		      char *pcm; int64_t pcm_hz; };
/* Bytes of an input, for who keeps evidence. They come within the reply as base64: no file is shared, so it is the same
 * over TLS, and the codec worker may still write nothing. A reply stays under 1 MiB. g_base64_decode() gives the file.
 * mix.still: the newest picture, JPEG, in the aspect and at most in the size it was decoded in. Of an input that nobody
 * sees it is decoded for this, and the reply waits up to 3 s for its first picture; then `state`.
 * mix.clip: what is heard of the input from now on for `ms`: WAV, mono, 16 bits, 16 kHz, before gain and mute. The reply
 * comes at its end. Of one input one clip at a time (`state`). Neither is remembered for the next worker. */
struct mcu_mix_still { char *room, *mix, *id; int64_t max_width; };	/* id: of a picture input; 0 = 1280 */
struct mcu_mix_still_reply { char *id, *state, *jpeg; int64_t width, height, age_ms, at_ms; };	/* at_ms: when it was decoded */
struct mcu_mix_clip { char *room, *mix, *id; int64_t ms; };		/* id: of a sound input; 0 = 5,000, at most 8,000 */
struct mcu_mix_clip_reply { char *id, *wav; int64_t ms, at_ms; double level_dbov, clipped; };	/* at_ms: of its first sample */
struct mcu_mix_state_event { char *room, *mix, *state, *why; int64_t at_ms, at_us; };
struct mcu_mix_view_event { char *room, *mix, *id, *layout; int64_t waited_ms, at_ms, at_us; };
/* state of a picture: waiting; shown; late (no frame for 1 s); frozen (why: no_frames for 2 s, or same_picture: frames come,
 * all of them equal to the last bit for 10 s); looped (a clip that repeats itself); black; broken; unseen (not decoded);
 * unsupported. Of a sound: waiting; heard; silent (no_packets for 2 s, or nothing above same_level for 10 s); clipped. */
struct mcu_mix_input_event { char *room, *mix, *id, *state, *why; int64_t width, height, at_ms, at_us;
			     int64_t same_ms, period_ms; double luma, level_dbov, clipped; };	/* figures: as in mix_input_stats */
struct mcu_mix_input_stats { char *id, *codec; int64_t width, height, lost; double fps, level_dbov;
			     char *state;
			     int64_t same_ms;		/* picture: since its last change; sound: since it was last above silence */
			     int64_t period_ms;		/* looped: the clip's length, else 0 */
			     double luma, clipped; };	/* luma: mean, 16 (black) to 235; clipped: share of samples at full scale, last 5 s */
struct mcu_mix_output_stats { char *id, *codec; int64_t width, height, bitrate_bps, keyframes, late; double fps, encode_ms; };
struct mcu_mix_stats_event { char *room, *mix; struct ort_json_array inputs, outputs; double load; /* of one core */
			     int64_t at_ms, at_us; };

/* ---- RFC 4733 ---- */
struct mcu_dtmf_send { char *room, *id, *digits; int64_t duration_ms; };	/* id: sink of a plain transport; 0 = 100 ms a digit */
struct mcu_dtmf_event { char *room, *id, *digit; int64_t duration_ms, at_ms, at_us; };	/* id: source */

struct mcu_level_event { char *room, *id; bool speaking; int64_t level_dbov, at_ms, at_us; char *mix; };	/* mix: of mix.level, else NULL */
struct mcu_speaker_event { char *room, *id; int64_t at_ms, at_us; char *mix; };				/* likewise */
struct mcu_stream_stats { char *id, *direction, *kind; int64_t packets, bytes, lost, bitrate_bps; double loss, jitter_ms;
			  int64_t rtt_ms, nack, pli, rtx, keyframes, estimate_bps; };	/* table stream_stats */
struct mcu_room_stats_event { char *room; struct ort_json_array streams; int64_t at_ms, at_us; };
struct mcu_stats_reply { json_t *counters; struct ort_json_array rooms; };	/* counters: name -> number; rooms: room_stats_event */
struct mcu_dump_transport { char *id, *state, *why; struct ort_json_array sources, sinks;	/* dump_transport; arrays of dump_stream */
			    char *kind;	/* as in transport.open; "mix": the id is that of the mix; NULL = lite or agent */ };
struct mcu_dump_stream { char *id, *route, *kind, *mid; int64_t ssrc; bool up; };			/* dump_stream */
/* What the engine would tell a new codec worker; the same commands again are no error. */
struct mcu_dump_mix { char *mix, *state; int64_t fps; struct ort_json_array inputs, views, outputs;	/* arrays of mix_input, mix_view, mix_output */
		      struct ort_json_array states; };	/* mix_input_event: the last of each input */
struct mcu_dump_room { char *room; int64_t worker; struct ort_json_array transports, mixes; };		/* dump_room; dump_mix */
struct mcu_dump_reply { char *boot; struct ort_json_array rooms; };

#define MCU_TABLES(X) \
	X(empty) X(hello_request) X(worker_info) X(hello_reply) X(drain_request) X(room_ref) X(room_open) X(room_open_reply) \
	X(transport_ref) X(transport_open) X(candidate_use) X(transport_reply) X(transport_connect) X(transport_candidate) \
	X(stream_ref) X(source_add) X(source_pause) X(sink_add) X(sink_route) X(sink_prefer) X(codec_use) X(ext_use) \
	X(encoding) X(transport_state) X(stream_event) X(sink_event) X(sink_layer_event) X(level_event) X(speaker_event) \
	X(stream_stats) X(room_stats_event) X(stats_reply) X(dump_transport) X(dump_stream) X(dump_mix) X(dump_room) X(dump_reply) \
	X(mix_open) X(mix_ref) X(mix_input) X(mix_member) X(mix_cell) X(mix_view) X(mix_output) X(mix_play) \
	X(mix_still) X(mix_still_reply) X(mix_clip) X(mix_clip_reply) \
	X(mix_state_event) X(mix_view_event) X(mix_input_event) X(mix_input_stats) X(mix_output_stats) X(mix_stats_event) \
	X(dtmf_send) X(dtmf_event)
#define X(t) extern const struct ort_json_table mcu_table_##t;
MCU_TABLES(X)
#undef X

/* Limits of one room; rows of the engine's configuration fill it. */
struct mcu_room_limits {
	unsigned max_rooms, max_transports, max_streams;	/* per worker, per room, per transport; 0 = 1024, 512, 64 */
	unsigned store_slots;	/* retransmission ring per published stream, power of two; 0 = 512 */
	unsigned pli_min_ms;	/* key frame requests per source at most one in this time; 0 = 500 */
	uint64_t start_bps, max_bps;	/* downlink estimate; 0 = 1 M, 20 M */
};

/* The whole protocol for people and for fuzzers: "json" or "markdown". (transfer full) */
char *mcu_proto_describe(const char *format);
