/* Inside mcu/room. Everything belongs to the one media thread of its mcu_rooms.
 *
 *   rooms -> room -> peer (a transport) -> source -> stream (one encoding)     what a peer sends
 *                                       -> sink   -> segment (a stretch of one stream)   what a peer gets
 *
 * Parents own children. Pointers across (sink -> source, sink -> stream, segment -> stream) are borrowed and are cleared
 * by the closing source; nothing else points at them. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/codec/codec.h"
#include "mcu/net/net.h"
#include "mcu/proto/proto.h"
#include "mcu/room/room.h"
#include "mcu/rtp/rtp.h"

enum {
	MAX_LAYERS = 4,		/* encodings of a source: with their RTX this is 8 SSRCs, the limit of a leg */
	MAX_CODECS = 8,		/* payload types of a source or sink */
	MAX_SEGMENTS = 4,	/* switches that a late NACK can reach back over */
	MAX_MID = 16,		/* bytes of a MID or RID in the one-byte form */
	HEADER_ROOM = 96,	/* RTP header with our extensions */
	RESENT = 64,		/* retransmissions remembered per sink */
};

struct room_counters {
#define X(name, doc) uint64_t name;
#include "mcu/room/counters.def"
#undef X
};

struct codec_slot {
	enum mcu_codec_id id;
	const struct mcu_codec *ops;
	uint8_t pt, rtx_pt;	/* rtx_pt 0 = none */
	uint32_t clock_hz;
	bool nack, pli, fir;
	char *fmtp;
};

/* A packet of the batch, with what the fan-out needs of it; pointers lead into the packet. */
struct in_packet {
	struct mcu_packet *p;
	int64_t seq;		/* unwrapped */
	const uint8_t *level, *orientation, *delay;	/* extension values that travel on, NULL = absent */
	uint8_t codec;		/* index into the source's codecs */
	bool key_start;		/* a sink may begin here */
};

struct stream {
	struct source *source;
	char *rid;
	uint32_t ssrc, rtx_ssrc;	/* 0 = not known yet */
	unsigned index;
	bool up;			/* packets within the last second */
	bool renewed;			/* of a bridge: the next packet begins a new sequence */
	struct mcu_recv_stats stats;
	uint16_t bad_seq;		/* RFC 3550 A.1: next of a suspected new sequence */
	bool bad;
	mcu_nack *nack;
	mcu_store *store;
	/* key frames */
	bool have_key, key_wanted, after_gap;	/* after_gap: of the packet in hand */
	int64_t key_seq, key_us;
	uint32_t key_ts, keyframes;
	int64_t asked_us, ask_next_us;	/* ORT_NEVER = rests */
	unsigned retry_ms;
	uint8_t fir_seq;
	uint16_t width, height;
	/* clock and rate */
	uint64_t sr_ntp;
	uint32_t sr_ts;
	uint32_t last_ts;
	uint32_t clock_hz;
	uint64_t rate_bytes;
	int64_t rate_from_us;
	uint64_t bps;
	uint64_t nacks, plis, rtx;
	uint64_t told_expected, told_packets;	/* at the last room.stats */
	/* batch */
	struct in_packet *batch;
	unsigned n_batch, batch_room;
};

/* A digit of the peer that is pressed, or was the last one (RFC 4733). */
struct dtmf_in {
	bool any, pressed;
	uint8_t event;
	uint32_t ts, clock_hz;
	uint32_t before, segment;	/* ticks: of segments done, of this one */
	int64_t last_us;
};

/* Digits on their way to the peer. */
struct dtmf_out {
	char digits[64];	/* the first is in hand */
	bool pressed, first;
	unsigned ends;
	uint32_t ts;
	int64_t next_us, sent_us, duration_us;
};

struct source {
	struct peer *peer;
	char *id, *mid, *spec;
	int kind, content;
	struct codec_slot codecs[MAX_CODECS];
	unsigned n_codecs;
	struct stream *streams[MAX_LAYERS];
	unsigned n_streams;
	bool paused, up;
	int64_t last_us;
	GPtrArray *sinks;	/* borrowed */
	/* speaking, RFC 6464 */
	bool speaking, level_fresh;
	double loudness;	/* smoothed, dB above the least, 0-127 */
	int64_t loud_us, level_us;
	struct dtmf_in dtmf;
};

/* A stretch of one stream inside one sink: out = in + delta. */
struct segment {
	struct stream *stream;	/* NULL = empty, or its source is gone */
	int64_t in_first, out_first;
	int64_t skip_to;	/* highest in-sequence sent from the cache */
	uint32_t ts_delta;
	struct mcu_codec_state codec;
};

struct sink {
	struct peer *peer;
	char *id, *mid, *spec;
	int kind;
	uint32_t ssrc, rtx_ssrc;
	struct codec_slot codecs[MAX_CODECS];
	unsigned n_codecs;
	struct source *source;			/* borrowed, NULL = silent */
	char *wish;				/* of a bridge: source to connect to whenever it is there */
	struct stream *current, *target;	/* forwarded now; waiting for its key frame */
	uint8_t pt_map[MAX_CODECS], rtx_map[MAX_CODECS];	/* by the source's codec index, 0xff = none */
	struct segment seg[MAX_SEGMENTS];	/* newest first */
	bool pending;				/* listed in peer->pending */
	/* header template: fixed part with this sink's extensions */
	uint8_t tmpl[64];
	uint8_t tmpl_len, abs_at, twcc_at;	/* offsets, 0 = not there */
	/* out */
	int64_t next_out;		/* unwrapped */
	uint32_t last_ts;
	int64_t last_us;
	int64_t rtx_seq;
	uint64_t packets, octets, rtx_packets;
	uint64_t octets_before;		/* at the last room.stats */
	uint32_t clock_hz;
	/* first key frame of this source */
	bool key_told;
	int64_t key_first, key_last;	/* in-sequence; key_last -1 = end not seen */
	unsigned key_sent;
	uint32_t key_ts;
	/* wishes */
	int64_t want_w, want_h, want_bps;
	bool paused;
	int64_t layer_down_us;
	struct dtmf_out *dtmf;		/* NULL = none; while there, nothing else is sent */
	/* feedback of the peer */
	uint8_t fraction_lost;
	int32_t lost;
	uint32_t jitter;
	uint64_t nacks, plis;
	struct { uint16_t seq; uint32_t at_ms; } resent[RESENT];	/* at_ms 0 = empty */
};

struct ssrc_entry { uint32_t ssrc; bool rtx; struct stream *stream; };
struct used_ssrc { uint32_t ssrc; int64_t next; };

struct peer {
	mcu_room *room;
	char *id, *spec, *connect_spec;
	mcu_transport *net;
	const char *why;	/* of its last state; a literal of net, NULL = none */
	struct mcu_ext_map ext;
	bool two_byte;		/* some id is above 14 */
	bool agent;		/* full ICE, not lite */
	bool plain, plain_dtls;	/* no ICE: one m-line of SIP and the like */
	bool bridge;		/* the codec worker */
	bool up;
	GPtrArray *sources, *sinks;	/* owned */
	struct ssrc_entry *ssrcs;
	unsigned n_ssrcs, max_ssrcs, last_hit;
	GArray *used;		/* struct used_ssrc of removed sinks: numbers are never used twice under one key */
	struct sink **pending;
	unsigned n_pending, pending_room;
	uint32_t local_ssrc;	/* sender of our RTCP */
	mcu_twcc_recv *twcc_in;
	uint16_t twcc_out;
	mcu_bwe *bwe;
	int64_t tokens, tokens_us;	/* bytes that may be retransmitted */
	uint64_t max_bps;
	int64_t rtt_us;		/* 100 ms until a report tells */
	bool rtt_known;
	bool have_clock;
	int64_t clock_us;	/* our wall clock minus the peer's NTP clock */
	bool twcc_fresh;	/* something arrived since the last report */
	int64_t next_report_us, next_twcc_us, next_layer_us;
};

struct mcu_room {
	mcu_rooms *rooms;
	char *id;
	unsigned max_transports;
	int64_t asked_max;
	GHashTable *peers, *sources, *sinks;	/* id -> borrowed key; peers own */
	GPtrArray *peer_list;			/* borrowed, for walking without hashing */
	struct source *speaker;
	int64_t speaker_us, next_level_us, next_stall_us, next_stats_us, stats_us;
};

struct mcu_rooms {
	mcu_port *port;
	struct mcu_room_limits limits;
	mcu_room_event_fn fn;
	void *user_data;
	GHashTable *by_id;	/* owned */
	GPtrArray *list;	/* borrowed */
	struct stream **active;	/* with packets in this batch */
	unsigned n_active, active_room;
	struct peer **dirty;
	unsigned n_dirty, dirty_room;
	int64_t next_us;
	int64_t wall_offset_us;	/* wall clock minus monotonic */
	uint32_t abs24;		/* abs-send-time of this batch */
	char cname[24];
	GRand *rand;
	struct room_counters counters;
};

/* ---- small things ---- */
static inline int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline void rooms_wake(mcu_rooms *rooms, int64_t at_us)
{
	rooms->next_us = earlier(rooms->next_us, at_us);
}

/* RFC 3550 4: 64-bit NTP time of a wall clock in us since 1970 */
static inline uint64_t ntp_of(int64_t wall_us)
{
	uint64_t s = (uint64_t)(wall_us / ORT_US_PER_S) + 2208988800U;

	return s << 32 | ((uint64_t)(wall_us % ORT_US_PER_S) << 32) / ORT_US_PER_S;
}

static inline int64_t wall_of(uint64_t ntp)
{
	return (int64_t)((ntp >> 32) - 2208988800U) * ORT_US_PER_S + (int64_t)((ntp & 0xffffffff) * ORT_US_PER_S >> 32);
}

bool room_fail(GError **err, enum mcu_error_id code, const char *format, ...) G_GNUC_PRINTF(3, 4);	/* false */
void room_emit(mcu_rooms *rooms, enum mcu_event event, const void *body);
char *room_spec(const struct ort_json_table *table, const void *request);	/* equal requests, equal text */

/* ---- room.c ---- */
mcu_room *room_find(mcu_rooms *rooms, const char *id, GError **err);
struct peer *room_peer(mcu_room *room, const char *id, GError **err);
struct source *room_source(mcu_room *room, const char *id, GError **err);
struct sink *room_sink(mcu_room *room, const char *id, GError **err);

/* ---- peer.c ---- */
bool peer_open(mcu_room *room, const struct mcu_transport_open *rq, struct mcu_transport_reply *reply, int64_t now_us,
	       GError **err);
/* Takes bwe. Not in the room before peer_enter(). */
struct peer *peer_new(mcu_room *room, const char *id, unsigned max_ssrcs, mcu_bwe *bwe);
void peer_enter(struct peer *peer, int64_t now_us);
unsigned peer_max_streams(const struct peer *peer);
bool peer_connect(struct peer *peer, const struct mcu_transport_connect *rq, GError **err);
bool peer_restart(struct peer *peer, struct mcu_transport_reply *reply, GError **err);
void peer_close(struct peer *peer);
bool peer_latch(struct peer *peer, uint32_t ssrc, struct stream *stream, bool rtx);
void peer_unlatch(struct peer *peer, const struct stream *stream, bool rtx);
void peer_note_used(struct peer *peer, uint32_t ssrc, int64_t next);
int64_t peer_first_seq(struct peer *peer, uint32_t ssrc);
void peer_on_state(mcu_transport *t, const char *state, const char *why, int64_t now_us, void *transport_data);

/* ---- source.c ---- */
bool source_add(mcu_room *room, const struct mcu_source_add *rq, int64_t now_us, GError **err);
void source_free(struct source *source);	/* silences its sinks */
void source_pause(struct source *source, bool on, int64_t now_us);
void source_check_stall(struct source *source, int64_t now_us);
void source_lost(struct source *source, int64_t now_us);
bool codecs_read(const struct ort_json_array *in, struct codec_slot *out, unsigned *ret_n, GError **err);
void codecs_clear(struct codec_slot *codecs, unsigned n);

/* ---- ingress.c ---- */
void ingress_rtp(mcu_transport *t, struct mcu_packet *p, int64_t now_us, void *transport_data);

/* ---- sink.c ---- */
bool sink_add(mcu_room *room, const struct mcu_sink_add *rq, int64_t now_us, GError **err);
void sink_free(struct sink *sink);
void sink_prefer(struct sink *sink, const struct mcu_sink_prefer *rq, int64_t now_us);
void sink_build_template(struct sink *sink);

/* ---- route.c ---- */
bool route_set(struct sink *sink, struct source *source, int64_t now_us, GError **err);
void route_restart(struct sink *sink, int64_t now_us);	/* begin anew, at a key frame: resume, resync, congestion */
void route_aim(struct sink *sink, struct stream *stream, int64_t now_us);	/* wants this layer */
void route_forget(mcu_room *room, const struct source *source);
struct stream *route_stream(const struct sink *sink);	/* what is forwarded, or will be; NULL */

/* ---- forward.c ---- */
void forward_batch(mcu_port *port, int64_t now_us, void *user_data);
void forward_begin(struct sink *sink, struct stream *stream, const struct in_packet *first, int64_t now_us);
bool forward_packet(struct sink *sink, const struct in_packet *in, int64_t now_us);
void forward_cached(struct sink *sink, struct stream *stream, int64_t now_us);	/* from a recent key frame on, if kept */
void forward_describe(const struct source *source, struct mcu_packet *p, int64_t seq, struct in_packet *ret);

bool forward_rtx(struct sink *sink, struct segment *seg, struct mcu_packet *p, int64_t seq, int64_t now_us);

/* ---- retransmit.c ---- */
void retransmit(struct sink *sink, uint16_t out_seq, int64_t now_us);

/* ---- plain.c ---- */
bool plain_may_open(const struct mcu_transport_open *rq, GError **err);
mcu_transport *plain_open(mcu_port *port, const struct mcu_transport_open *rq, struct peer *peer, GError **err);
int plain_connect(struct peer *peer, const struct mcu_transport_connect *rq, GError **err);
void plain_mark(struct peer *peer, int kind);
bool plain_tell_wanted(struct stream *stream, int64_t now_us);	/* false: ask by RTCP */

/* ---- dtmf.c ---- */
void dtmf_in(struct stream *stream, const struct mcu_packet *p, uint32_t clock_hz, int64_t now_us);
int64_t dtmf_in_due(struct source *source, int64_t now_us);
bool dtmf_send(struct sink *sink, const struct mcu_dtmf_send *rq, int64_t now_us, GError **err);
int64_t dtmf_out_due(struct sink *sink, int64_t now_us);

/* ---- bridge.c ---- */
void bridge_wish(struct sink *sink, const char *source, int64_t now_us);
void bridge_source_here(struct source *source, int64_t now_us);
bool bridge_source_again(struct source *source, const struct mcu_source_add *rq, GError **err);

/* ---- keyframe.c ---- */
void keyframe_want(struct stream *stream, int64_t now_us);
void keyframe_seen(struct stream *stream, struct in_packet *in, const struct mcu_frame_info *info, int64_t now_us);
int64_t keyframe_due(struct stream *stream, int64_t now_us);

/* ---- layer.c ---- */
int64_t layer_due(struct peer *peer, int64_t now_us);
void layer_soon(struct source *source, int64_t now_us);

/* ---- rtcp.c ---- */
void rtcp_in(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us, void *transport_data);
int64_t rtcp_due(struct peer *peer, int64_t now_us);

/* ---- speaker.c ---- */
void speaker_note(struct source *source, uint8_t level, int64_t now_us);
int64_t speaker_due(mcu_room *room, int64_t now_us);
void speaker_forget(mcu_room *room, const struct source *source);

/* ---- stats.c, dump.c ---- */
void stats_fill(mcu_room *room, struct mcu_room_stats_event *ret, int64_t now_us);
int64_t stats_due(mcu_room *room, int64_t now_us);
bool stats_get(mcu_rooms *rooms, const struct mcu_room_ref *rq, struct mcu_stats_reply *reply, int64_t now_us, GError **err);
void dump_fill(mcu_rooms *rooms, struct mcu_dump_reply *reply);
