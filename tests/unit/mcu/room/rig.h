/* A worker's rooms on the fake transports, in virtual time: shared by the tests of mcu/room. */
#pragma once
#include <glib.h>

#include "mcu/room/room.h"
#include "tests/kit/fake_net.h"

struct rig {
	mcu_rooms *rooms;
	mcu_port *port;
	int64_t now;
	GPtrArray *events;	/* "name id ..." lines, oldest first */
};

/* What a publisher sends on one SSRC. */
struct rig_feed {
	mcu_transport *t;
	uint32_t ssrc, rtx_ssrc, ts, step;	/* step: RTP time of one frame */
	uint8_t pt, rtx_pt;
	uint16_t seq, rtx_seq, pic;
	uint16_t width, height;		/* of its key frames */
	const char *mid, *rid;		/* sent as extensions when set */
	unsigned size;			/* payload bytes of a packet, 0 = 100 */
};

enum { RIG_DELTA, RIG_KEY };

/* Extension ids: publishers and receivers negotiated different ones. */
enum { PUB_LEVEL = 1, PUB_ABS, PUB_TWCC, PUB_MID, PUB_RID, PUB_RRID, PUB_ORIENTATION,
       SUB_MID = 1, SUB_ORIENTATION = 8, SUB_LEVEL, SUB_ABS, SUB_TWCC };

void rig_init(struct rig *r, const struct mcu_room_limits *limits);	/* with a room "r" */
void rig_finish(struct rig *r);	/* closes everything; the fake asserts that no packet is left */

int rig_call(struct rig *r, enum mcu_method method, const void *request);	/* 0, or 1 + enum mcu_error_id */
mcu_transport *rig_publisher(struct rig *r, const char *id);
mcu_transport *rig_receiver(struct rig *r, const char *id);
mcu_transport *rig_plain_receiver(struct rig *r, const char *id);	/* MID only: no TWCC, no abs-send-time */
/* VP8 pt 96, RTX 97; Opus pt 111. Encodings: ssrc 0 = not signalled; rids "q,h,f" or NULL. */
int rig_video(struct rig *r, const char *transport, const char *id, uint32_t ssrc, uint32_t rtx_ssrc, const char *rids);
int rig_audio(struct rig *r, const char *transport, const char *id, uint32_t ssrc);
/* VP8 pt 120, RTX 121; Opus pt 63 at the sink. */
int rig_sink(struct rig *r, const char *transport, const char *id, const char *source, int kind, uint32_t ssrc,
	     uint32_t rtx_ssrc);
/* A mix "m" with a fresh channel; again = the next worker. Its transport carries what the worker sends and gets. */
mcu_transport *rig_mix(struct rig *r, const char *id);
int rig_route(struct rig *r, const char *sink, const char *source);
int rig_prefer(struct rig *r, const char *sink, int64_t w, int64_t h, int64_t bps, bool paused);

/* What most tests begin with: "p" publishes "v" (VP8, SSRC 100), "s" gets it by sink "k" (SSRC 500, RTX 501). */
struct rig_feed rig_one_to_one(struct rig *r, uint32_t rtx_ssrc, mcu_transport **ret_pub, mcu_transport **ret_sub);
void rig_turn(struct rig *r, int64_t ms);	/* time passes in steps of 5 ms, a turn after each */
/* One frame of n packets, one batch. */
void rig_frame(struct rig *r, struct rig_feed *f, int key, unsigned n);
/* One packet without end of batch; `lost` consumes the number only. */
void rig_packet(struct rig *r, struct rig_feed *f, bool key, bool start, bool marker, bool lost);
void rig_rtx(struct rig *r, struct rig_feed *f, uint16_t seq, uint32_t ts, bool key, bool start, bool marker);
void rig_sound(struct rig *r, struct rig_feed *f, unsigned level);	/* one Opus packet and its batch */
/* VP8 of 1280x720-ish streams: fills the defaults */
struct rig_feed rig_vp8(mcu_transport *t, uint32_t ssrc);
struct rig_feed rig_opus(mcu_transport *t, uint32_t ssrc);

void rig_nack(struct rig *r, mcu_transport *t, uint32_t media, uint16_t seq);
void rig_pli(struct rig *r, mcu_transport *t, uint32_t media);
void rig_remb(struct rig *r, mcu_transport *t, uint64_t bps);

unsigned rig_events(const struct rig *r, const char *prefix);	/* how many lines begin so */
const char *rig_event(const struct rig *r, const char *prefix);	/* the last such line or NULL */
/* RTP sent to `t` on `ssrc` since the last clear: the i-th, NULL behind the end */
const struct fake_sent *rig_sent(const struct rig *r, const mcu_transport *t, uint32_t ssrc, unsigned i);
unsigned rig_count(const struct rig *r, const mcu_transport *t, uint32_t ssrc);
/* RTCP records of a kind sent to t about `media` (0 = any) since the last clear; the last in *ret when not NULL */
unsigned rig_rtcp(const struct rig *r, const mcu_transport *t, enum mcu_rtcp_kind kind, uint32_t media, struct mcu_rtcp *ret);
int64_t rig_counter(struct rig *r, const char *name);
