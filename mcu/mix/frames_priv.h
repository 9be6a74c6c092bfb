/* Pictures in RTP: packets put in order, joined to whole coded frames, and cut again. H.264 RFC 6184 (single NAL, STAP-A,
 * FU-A), H.265 RFC 7798 (single, AP, FU), VP8 RFC 7741. Pure: bytes and `now_us` in, no threads, no clock. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/codec/codec.h"
#include "mcu/rtp/rtp.h"

/* ---- order: at most 20 packets or 60 ms are waited for a missing one ---- */
#define MIX_REORDER_SLOTS 20
#define MIX_REORDER_US 60000
struct mix_late { int64_t seq, at_us; uint16_t len; uint8_t *data; };	/* data owned */
struct mix_reorder {
	struct mcu_unwrap unwrap;
	bool started;
	int64_t next;			/* sequence number that is due */
	unsigned n;
	struct mix_late slot[MIX_REORDER_SLOTS];	/* ascending */
	uint64_t lost, late;
};
/* One packet in order; gap: packets before it are lost for good. */
typedef void (*mix_packet_fn)(const uint8_t *packet, size_t len, bool gap, void *user_data);
void mix_reorder_put(struct mix_reorder *r, const uint8_t *packet, size_t len, uint16_t seq, int64_t now_us, mix_packet_fn fn,
		     void *user_data);
void mix_reorder_clear(struct mix_reorder *r);

/* ---- joining ---- */
#define MIX_MAX_NAL (4U << 20)
#define MIX_MAX_FRAME (8U << 20)
struct mix_frame { const uint8_t *data; size_t len; uint32_t ts; bool key; uint16_t width, height; };	/* size: 0 = not said */
typedef void (*mix_frame_fn)(const struct mix_frame *frame, void *user_data);
struct mix_depay;
struct mix_depay *mix_depay_new(enum mcu_codec_id codec, mix_frame_fn fn, void *user_data);	/* NULL: no such codec */
void mix_depay_free(struct mix_depay *d);	/* NULL allowed */
/* 0; -EBADMSG: the packet is broken; -EMSGSIZE: over a limit. Either way the frame that it belongs to is not given. */
int mix_depay_put(struct mix_depay *d, const uint8_t *payload, size_t len, uint32_t ts, bool marker);
void mix_depay_gap(struct mix_depay *d);	/* packets are missing here: the frame in work is not given */

/* ---- cutting: payloads of at most `room` bytes ---- */
typedef void (*mix_payload_fn)(const uint8_t *head, size_t head_len, const uint8_t *body, size_t len, bool marker, void *user_data);
/* H.264 byte stream of one frame. single: packetization-mode 0, no STAP-A; a unit over `room` goes as FU-A all the same,
 * for it would not arrive otherwise. Returns false when nothing was in it. */
bool mix_pack_h264(const uint8_t *data, size_t len, size_t room, bool single, mix_payload_fn fn, void *user_data);
bool mix_pack_vp8(const uint8_t *data, size_t len, size_t room, uint16_t picture_id, mix_payload_fn fn, void *user_data);
