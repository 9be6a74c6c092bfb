/* Key frames: asking for them without flooding the publisher, and remembering where the last one began. */
#include "mcu/room/room_priv.h"

enum { RETRY_FIRST_MS = 250, RETRY_LAST_MS = 1000 };

void keyframe_want(struct stream *st, int64_t now_us)
{
	const struct mcu_room_limits *l = &st->source->peer->room->rooms->limits;

	if (st->source->kind != MCU_VIDEO || st->key_wanted) {
		return;
	}
	st->key_wanted = true;
	st->retry_ms = RETRY_FIRST_MS;
	st->ask_next_us = st->asked_us ? MAX(now_us, st->asked_us + l->pli_min_ms * ORT_US_PER_MS) : now_us;
	rooms_wake(st->source->peer->room->rooms, st->ask_next_us);
}

/* First packet of a key frame: waiting sinks begin here. */
void keyframe_seen(struct stream *st, struct in_packet *in, const struct mcu_frame_info *info, int64_t now_us)
{
	uint32_t ts = in->p->rtp.ts;

	if (info->width) {
		st->width = info->width;
		st->height = info->height;
	}
	/* without its parameter set only when nothing is missing before it, for that may have been the set */
	enum mcu_codec_id codec = st->source->codecs[in->codec].id;
	if ((codec == MCU_CODEC_H264 || codec == MCU_CODEC_H265) && !info->width && st->after_gap) {
		return;
	}
	/* one frame begins once; a late packet of an older key frame begins nothing */
	if (!info->start || (st->have_key && (st->key_ts == ts || in->seq < st->key_seq))) {
		return;
	}
	in->key_start = true;
	st->have_key = true;
	st->key_ts = ts;
	st->key_seq = in->seq;
	st->key_us = now_us;
	st->keyframes++;
	st->key_wanted = false;
	st->ask_next_us = ORT_NEVER;
}

static bool write_request(struct stream *st, uint8_t *out, size_t room, size_t *pos)
{
	uint32_t sender = st->source->peer->local_ssrc;
	bool fir = st->source->codecs[0].fir && !st->source->codecs[0].pli;

	/* RFC 3550 6.1: old stacks want the whole compound; others never did */
	return mcu_rtcp_write_rr(out, room, pos, sender, NULL, 0) == 0 &&
	       (!st->source->peer->plain ||
		mcu_rtcp_write_sdes_cname(out, room, pos, sender, st->source->peer->room->rooms->cname) == 0) &&
	       (fir ? mcu_rtcp_write_fir(out, room, pos, sender, st->ssrc, st->fir_seq++) :
		      mcu_rtcp_write_pli(out, room, pos, sender, st->ssrc)) == 0;
}

static bool anybody_waits(const struct stream *st)
{
	for (unsigned i = 0; i < st->source->sinks->len; i++) {
		const struct sink *s = g_ptr_array_index(st->source->sinks, i);
		if (s->target == st || s->current == st) {
			return true;
		}
	}
	return false;
}

/* Asks when it is time; returns when it will be again. */
int64_t keyframe_due(struct stream *st, int64_t now_us)
{
	struct peer *peer = st->source->peer;
	mcu_rooms *rooms = peer->room->rooms;
	uint8_t out[128];
	size_t pos = 0;

	if (now_us < st->ask_next_us) {
		return st->ask_next_us;
	}
	if (st->asked_us && st->retry_ms > RETRY_FIRST_MS && !anybody_waits(st)) {
		st->key_wanted = false;
		return st->ask_next_us = ORT_NEVER;
	}
	bool told = st->ssrc && !st->source->paused && plain_tell_wanted(st, now_us);
	if (told) {
		st->asked_us = now_us;
		st->retry_ms = RETRY_LAST_MS;
	} else if (st->ssrc && !st->source->paused && write_request(st, out, sizeof(out), &pos)) {
		mcu_transport_send_rtcp(peer->net, out, (unsigned)pos);
		rooms->counters.pli_out++;
		st->plis++;
		st->asked_us = now_us;
	}
	st->ask_next_us = now_us + MAX(st->retry_ms, rooms->limits.pli_min_ms) * ORT_US_PER_MS;
	st->retry_ms = MIN(st->retry_ms * 2, RETRY_LAST_MS);
	return st->ask_next_us;
}
