/* Answers a receiver's NACK: our number -> segment -> number of the source -> ring -> RTX.
 * A sink without RTX is not answered. The packet would have to leave byte for byte as before, with its old extensions
 * and its old padding, or one SRTP nonce would cover two texts (RFC 7714 12); keeping every header for that costs more
 * than it gives, since every browser negotiates RTX. */
#include "mcu/room/room_priv.h"

enum { BURST_BYTES = 64000, AGAIN_MS = 10 };

/* The stretch that holds `out`; out numbers of a segment end where the next newer one begins. */
static struct segment *find_segment(struct sink *sink, int64_t out)
{
	for (unsigned i = 0; i < MAX_SEGMENTS; i++) {
		if (sink->seg[i].stream && out >= sink->seg[i].out_first) {
			return &sink->seg[i];
		}
	}
	return NULL;
}

/* All retransmissions to a peer may take as much as the estimate allows for media, in bursts of 64 KB. */
static bool take_tokens(struct peer *peer, unsigned bytes, int64_t now_us)
{
	int64_t gone = MIN(now_us - peer->tokens_us, ORT_US_PER_S);

	peer->tokens = MIN(BURST_BYTES, peer->tokens + gone * (int64_t)(mcu_bwe_bps(peer->bwe) / 8) / ORT_US_PER_S);
	peer->tokens_us = now_us;
	if (peer->tokens < (int64_t)bytes) {
		return false;
	}
	peer->tokens -= bytes;
	return true;
}

static bool asked_too_soon(struct sink *sink, uint16_t seq, int64_t now_us)
{
	uint32_t now_ms = (uint32_t)(now_us / ORT_US_PER_MS) | 1;
	uint32_t again = (uint32_t)MAX(AGAIN_MS, sink->peer->rtt_us / 2 / ORT_US_PER_MS);
	unsigned slot = seq % RESENT;

	if (sink->resent[slot].at_ms && sink->resent[slot].seq == seq && now_ms - sink->resent[slot].at_ms < again) {
		return true;
	}
	sink->resent[slot].seq = seq;
	sink->resent[slot].at_ms = now_ms;
	return false;
}

void retransmit(struct sink *sink, uint16_t out_seq, int64_t now_us)
{
	struct room_counters *c = &sink->peer->room->rooms->counters;
	int64_t out = sink->next_out + (int16_t)(uint16_t)(out_seq - (uint16_t)sink->next_out);
	struct segment *seg = out < sink->next_out ? find_segment(sink, out) : NULL;
	struct mcu_packet *p = NULL;

	c->nack_in++;
	sink->nacks++;
	if (!sink->rtx_ssrc) {
		c->nack_no_rtx++;
		return;
	}
	int64_t seq = seg ? out - seg->out_first + seg->in_first : 0;
	if (seg && seg->stream->store) {
		p = mcu_store_get(seg->stream->store, seq);
	}
	if (!p || !sink->source) {
		c->nack_gone++;
		return;
	}
	if (asked_too_soon(sink, out_seq, now_us) || !take_tokens(sink->peer, p->rtp.payload_len, now_us)) {
		c->nack_limited++;
		return;
	}
	if (!forward_rtx(sink, seg, p, seq, now_us)) {
		c->nack_no_rtx++;
		return;
	}
	sink->rtx_packets++;
	c->rtx_out++;
}
