/* RTCP of a transport: reports each second, NACK and transport-wide feedback to publishers; what receivers say becomes
 * retransmissions, key frame requests and the downlink estimate. */
#include "mcu/room/room_priv.h"

/* reports fall on a grid, so that a thousand peers do not make a thousand turns a second */
enum { REPORT_US = 1000000, GRID_US = 10000, TWCC_US = 100000, COMPOUND = 1100, MAX_BLOCKS = 31, MAX_NACK = 64 };

/* ---- in ---- */
static struct stream *find_stream(const struct peer *peer, uint32_t ssrc)
{
	for (unsigned i = 0; i < peer->n_ssrcs; i++) {
		if (peer->ssrcs[i].ssrc == ssrc && !peer->ssrcs[i].rtx) {
			return peer->ssrcs[i].stream;
		}
	}
	return NULL;
}

static struct sink *find_sink(const struct peer *peer, uint32_t ssrc)
{
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		struct sink *s = g_ptr_array_index(peer->sinks, i);
		if (s->ssrc == ssrc) {
			return s;
		}
	}
	return NULL;
}

/* Sender report of a publisher. The offset of its clock is kept per transport, so that its sound and its picture are
 * moved alike; it follows slowly, and at once when the clock was set. */
static void in_sr(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	struct stream *st = find_stream(peer, r->sender);
	int64_t offset = now_us + peer->room->rooms->wall_offset_us - wall_of(r->ntp);

	if (!st || !r->ntp) {
		return;
	}
	int64_t change = offset - peer->clock_us;
	if (!peer->have_clock || change < 0 || change > 100000) {
		peer->clock_us = offset;
	} else {
		peer->clock_us += change / 16;
	}
	peer->have_clock = true;
	st->sr_ntp = r->ntp;
	st->sr_ts = r->rtp_ts;
	st->stats.last_sr = (uint32_t)(r->ntp >> 16);
	st->stats.last_sr_us = now_us;
}

static void note_rtt(struct peer *peer, const struct mcu_rr_block *b, int64_t now_us)
{
	uint32_t now = (uint32_t)(ntp_of(now_us + peer->room->rooms->wall_offset_us) >> 16);
	uint32_t rtt = now - b->last_sr - b->delay_sr;

	/* RFC 3550 6.4.1; above ten seconds it is a broken block */
	if (b->last_sr && rtt < 10 * 65536) {
		int64_t us = (int64_t)rtt * ORT_US_PER_S / 65536;
		peer->rtt_us = peer->rtt_known ? peer->rtt_us + (us - peer->rtt_us) / 8 : us;
		peer->rtt_known = true;
		mcu_transport_set_rtt(peer->net, peer->rtt_us);
	}
}

static void in_blocks(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	struct mcu_rr_block b;
	uint8_t worst = 0;
	bool any = false;

	for (unsigned i = 0; mcu_rtcp_report(r, i, &b); i++) {
		struct sink *sink = find_sink(peer, b.ssrc);
		if (!sink) {
			continue;
		}
		sink->fraction_lost = b.fraction_lost;
		sink->lost = b.lost;
		sink->jitter = b.jitter;
		worst = MAX(worst, b.fraction_lost);
		any = true;
		note_rtt(peer, &b, now_us);
	}
	if (any && !peer->ext.id[MCU_EXT_TWCC] && !peer->bridge) {
		mcu_bwe_loss(peer->bwe, worst, now_us);
	}
}

static void in_nack(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	struct sink *sink = find_sink(peer, r->media);
	uint16_t seqs[MAX_NACK * 4];
	unsigned n = sink ? mcu_rtcp_nack_seqs(r, seqs, G_N_ELEMENTS(seqs)) : 0;

	for (unsigned i = 0; i < n; i++) {
		retransmit(sink, seqs[i], now_us);
	}
}

static void key_for(struct peer *peer, uint32_t ssrc, int64_t now_us)
{
	struct sink *sink = find_sink(peer, ssrc);
	struct stream *st = sink ? route_stream(sink) : NULL;

	if (sink) {
		sink->plis++;
		peer->room->rooms->counters.pli_in++;
	}
	if (st) {
		keyframe_want(st, now_us);
	}
}

static void in_fir(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	uint32_t ssrc;
	uint8_t seq;

	for (unsigned i = 0; mcu_rtcp_fir(r, i, &ssrc, &seq); i++) {
		key_for(peer, ssrc, now_us);
	}
}

/* RFC 3550 6.6: the stream ended; its SSRC is free for the next one. */
static void in_bye(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	for (unsigned i = 0; i < r->count; i++) {
		const uint8_t *p = r->body + (size_t)i * 4;
		uint32_t ssrc = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
		struct stream *st = find_stream(peer, ssrc);
		if (!st) {
			continue;
		}
		bool any = false;
		st->up = false;
		for (unsigned k = 0; k < st->source->n_streams; k++) {
			any |= st->source->streams[k]->up;
		}
		if (any) {
			layer_soon(st->source, now_us);
		} else {
			source_lost(st->source, now_us);
		}
	}
}

static void in_remb(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	uint32_t ssrcs[1];
	unsigned n = 1;
	uint64_t bps;

	if (mcu_rtcp_remb(r, &bps, ssrcs, &n)) {
		mcu_bwe_remb(peer->bwe, bps, now_us);
	}
}

static void in_twcc(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	if (peer->ext.id[MCU_EXT_TWCC]) {
		peer->room->rooms->counters.twcc_in++;
		mcu_bwe_feedback(peer->bwe, r, now_us);
	}
}

static void in_pli(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us)
{
	key_for(peer, r->media, now_us);
}

static void (*const handlers[])(struct peer *peer, const struct mcu_rtcp *r, int64_t now_us) = {
	[MCU_RTCP_SR] = in_sr,	   [MCU_RTCP_BYE] = in_bye,   [MCU_RTCP_NACK] = in_nack, [MCU_RTCP_PLI] = in_pli,
	[MCU_RTCP_FIR] = in_fir,   [MCU_RTCP_REMB] = in_remb, [MCU_RTCP_TWCC] = in_twcc, [MCU_RTCP_OTHER] = NULL,
};

void rtcp_in(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us, void *transport_data)
{
	struct peer *peer = transport_data;
	struct mcu_rtcp r;
	size_t pos = 0;
	int rc;

	while ((rc = mcu_rtcp_next(data, len, &pos, &r)) == 1) {
		if (handlers[r.kind]) {
			handlers[r.kind](peer, &r, now_us);
		}
		if (r.kind == MCU_RTCP_SR || r.kind == MCU_RTCP_RR) {
			in_blocks(peer, &r, now_us);
		}
	}
	peer->room->rooms->counters.bad_rtcp += rc < 0;
}

/* ---- out: reports ---- */
struct compound { struct peer *peer; uint8_t data[1400]; size_t pos; };

static void flush(struct compound *c)
{
	if (c->pos) {
		mcu_transport_send_rtcp(c->peer->net, c->data, (unsigned)c->pos);
		c->pos = 0;
	}
}

static unsigned collect_blocks(struct peer *peer, struct mcu_rr_block *blocks, int64_t now_us)
{
	unsigned n = 0;

	for (unsigned i = 0; i < peer->sources->len; i++) {
		struct source *source = g_ptr_array_index(peer->sources, i);
		for (unsigned k = 0; k < source->n_streams && n < MAX_BLOCKS; k++) {
			struct stream *st = source->streams[k];
			if (st->up && st->ssrc) {
				mcu_recv_stats_block(&st->stats, st->ssrc, now_us, &blocks[n++]);
			}
		}
	}
	return n;
}

/* The sink's RTP time at `now`: by the publisher's own NTP-RTP pair where it sent one, so that sound and picture of one
 * publisher stay together; else by the last packet that left. */
static uint32_t sink_time(const struct sink *sink, int64_t now_us)
{
	const struct stream *st = sink->seg[0].stream;
	const struct peer *from = st->source->peer;
	int64_t hz = sink->clock_hz;

	if (st->sr_ntp && from->have_clock) {
		int64_t age = now_us + from->room->rooms->wall_offset_us - wall_of(st->sr_ntp) - from->clock_us;
		if (age > -ORT_US_PER_S && age < 30 * ORT_US_PER_S) {
			return st->sr_ts + sink->seg[0].ts_delta + (uint32_t)(age * hz / ORT_US_PER_S);
		}
	}
	return sink->last_ts + (uint32_t)((now_us - sink->last_us) * hz / ORT_US_PER_S);
}

static void report(struct peer *peer, int64_t now_us)
{
	mcu_rooms *rooms = peer->room->rooms;
	struct mcu_rr_block blocks[MAX_BLOCKS];
	unsigned n = collect_blocks(peer, blocks, now_us);
	struct compound c = { .peer = peer };
	uint64_t ntp = ntp_of(now_us + rooms->wall_offset_us);

	for (unsigned i = 0; i < peer->sinks->len; i++) {
		struct sink *s = g_ptr_array_index(peer->sinks, i);
		if (!s->current || !s->packets || !s->seg[0].stream) {
			continue;
		}
		(void)mcu_rtcp_write_sr(c.data, sizeof(c.data), &c.pos, s->ssrc, ntp, sink_time(s, now_us),
					(uint32_t)s->packets, (uint32_t)s->octets, blocks, n);	/* room: flushed below */
		(void)mcu_rtcp_write_sdes_cname(c.data, sizeof(c.data), &c.pos, s->ssrc, rooms->cname);
		n = 0;
		if (c.pos > COMPOUND) {
			flush(&c);
		}
	}
	if (n || !c.pos) {
		flush(&c);
		(void)mcu_rtcp_write_rr(c.data, sizeof(c.data), &c.pos, peer->local_ssrc, blocks, n);
		(void)mcu_rtcp_write_sdes_cname(c.data, sizeof(c.data), &c.pos, peer->local_ssrc, rooms->cname);
	}
	flush(&c);
}

/* ---- out: feedback to publishers ---- */
static void send_nacks(struct stream *st, int64_t now_us)
{
	struct peer *peer = st->source->peer;
	struct compound c = { .peer = peer };
	uint16_t seqs[MAX_NACK];
	bool give_up = false;
	unsigned n = mcu_nack_due(st->nack, now_us, peer->rtt_us, seqs, MAX_NACK, &give_up);

	if (n && st->ssrc) {
		(void)mcu_rtcp_write_rr(c.data, sizeof(c.data), &c.pos, peer->local_ssrc, NULL, 0);
		(void)mcu_rtcp_write_nack(c.data, sizeof(c.data), &c.pos, peer->local_ssrc, st->ssrc, seqs, n);
		flush(&c);
		peer->room->rooms->counters.nack_out += n;
		st->nacks += n;
	}
	if (give_up) {
		keyframe_want(st, now_us);
	}
}

static int64_t nacks_due(struct peer *peer, int64_t now_us)
{
	int64_t next = ORT_NEVER;

	for (unsigned i = 0; i < peer->sources->len; i++) {
		struct source *source = g_ptr_array_index(peer->sources, i);
		for (unsigned k = 0; k < source->n_streams; k++) {
			struct stream *st = source->streams[k];
			if (!st->nack) {
				continue;
			}
			if (mcu_nack_deadline(st->nack) <= now_us) {
				send_nacks(st, now_us);
			}
			/* what did not fit into one NACK goes with the next turn */
			next = earlier(next, MAX(mcu_nack_deadline(st->nack), now_us + 1000));
		}
	}
	return next;
}

static void send_twcc(struct peer *peer)
{
	struct compound c = { .peer = peer };

	(void)mcu_rtcp_write_rr(c.data, sizeof(c.data), &c.pos, peer->local_ssrc, NULL, 0);
	if (mcu_twcc_recv_write(peer->twcc_in, c.data, sizeof(c.data), &c.pos, peer->local_ssrc,
				peer->n_ssrcs ? peer->ssrcs[0].ssrc : 0) == 1) {
		flush(&c);
		peer->room->rooms->counters.twcc_out++;
	}
}

static int64_t twcc_due(struct peer *peer, int64_t now_us)
{
	if (!peer->twcc_fresh) {
		return ORT_NEVER;	/* the next packet wakes us */
	}
	if (now_us >= peer->next_twcc_us) {
		send_twcc(peer);
		peer->twcc_fresh = false;
		peer->next_twcc_us = now_us + TWCC_US;
	}
	return peer->next_twcc_us;
}

int64_t rtcp_due(struct peer *peer, int64_t now_us)
{
	int64_t next = earlier(nacks_due(peer, now_us), twcc_due(peer, now_us));

	if (now_us >= peer->next_report_us) {
		report(peer, now_us);
		peer->next_report_us = (now_us + REPORT_US) / GRID_US * GRID_US;
	}
	return earlier(next, peer->next_report_us);
}
