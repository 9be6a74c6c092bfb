/* Packets from the bridge thread to sound, decoders and home thread. The table belongs to the bridge thread; the control
 * thread's changes wait in a mailbox that is emptied before the next packet. */
#include <stdatomic.h>

#include "mcu/mix/mix_priv.h"
#include "mcu/rtp/rtp.h"

struct route { enum mix_lane lane; struct mix_decoder *decoder; };
struct mix_routes {
	ort_mailbox *box;
	atomic_uint changes;
	GHashTable *by_ssrc;
	_Atomic uint64_t unknown;
};

static void route_free(gpointer data)
{
	struct route *r = data;

	mix_decoder_unref(r->decoder);
	g_free(r);
}

struct mix_routes *mix_routes_new(void)
{
	struct mix_routes *r = g_new0(struct mix_routes, 1);

	r->by_ssrc = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, route_free);
	r->box = ort_mailbox_new(r);
	return r;
}

void mix_routes_free(struct mix_routes *r)
{
	ort_mailbox_free(r->box);
	g_hash_table_unref(r->by_ssrc);
	g_free(r);
}

struct change { struct ort_msg msg; uint32_t ssrc; struct route *route; };

static void run_change(struct ort_msg *msg, void *owner)
{
	struct change *c = (struct change *)msg;
	struct mix_routes *r = owner;

	if (c->route) {
		g_hash_table_replace(r->by_ssrc, GUINT_TO_POINTER(c->ssrc), c->route);
	} else {
		g_hash_table_remove(r->by_ssrc, GUINT_TO_POINTER(c->ssrc));
	}
	g_free(c);
}

void mix_routes_set(struct mix_routes *r, uint32_t ssrc, enum mix_lane lane, struct mix_decoder *decoder)
{
	struct change *c = g_new0(struct change, 1);

	c->msg.run = run_change;
	c->ssrc = ssrc;
	if (lane != MIX_TO_NOBODY) {
		c->route = g_new0(struct route, 1);
		c->route->lane = lane;
		c->route->decoder = decoder ? mix_decoder_ref(decoder) : NULL;
	}
	ort_mailbox_post(r->box, &c->msg);
	atomic_fetch_add(&r->changes, 1);
}

static const struct route *find(struct mix_routes *r, uint32_t ssrc)
{
	return g_hash_table_lookup(r->by_ssrc, GUINT_TO_POINTER(ssrc));
}

/* Lanes that an RTCP packet speaks of, as bits */
static unsigned lanes_of(struct mix_routes *r, const uint8_t *packet, size_t len)
{
	struct mcu_rtcp rtcp;
	struct mcu_rr_block block;
	size_t pos = 0;
	unsigned lanes = 0;

	while (mcu_rtcp_next(packet, len, &pos, &rtcp) == 1) {
		uint32_t ssrcs[3] = { rtcp.sender, rtcp.media, 0 };
		uint8_t seq;
		if ((rtcp.kind == MCU_RTCP_SR || rtcp.kind == MCU_RTCP_RR) && mcu_rtcp_report(&rtcp, 0, &block)) {
			ssrcs[2] = block.ssrc;
		} else if (rtcp.kind == MCU_RTCP_FIR) {
			(void)mcu_rtcp_fir(&rtcp, 0, &ssrcs[2], &seq);
		}
		for (unsigned i = 0; i < 3; i++) {
			const struct route *route = find(r, ssrcs[i]);
			lanes |= route ? 1U << route->lane : 0;
		}
	}
	return lanes;
}

void mix_routes_packet(mcu_mix *mix, const uint8_t *packet, size_t len, int64_t at_us)
{
	struct mix_routes *r = mix->routes;
	const struct route *route;
	struct mcu_rtp rtp;

	if (atomic_load_explicit(&r->changes, memory_order_relaxed) && atomic_exchange(&r->changes, 0)) {
		(void)ort_mailbox_drain(r->box);
	}
	if (mcu_rtp_is_rtcp(packet, len)) {
		unsigned lanes = lanes_of(r, packet, len);
		if (lanes & 1U << MIX_TO_SOUND) {
			mix_ear_packet(mix->ear, packet, len, at_us);
		}
		if (lanes & 1U << MIX_TO_PICTURE) {
			mix_home_rtcp(mix->home, packet, len);
		}
		return;
	}
	route = mcu_rtp_parse(packet, len, &rtp) == 0 ? find(r, rtp.ssrc) : NULL;
	if (!route) {
		atomic_fetch_add_explicit(&r->unknown, 1, memory_order_relaxed);
	} else if (route->lane == MIX_TO_SOUND) {
		mix_ear_packet(mix->ear, packet, len, at_us);
	} else if (route->decoder) {
		mix_decoder_packet(route->decoder, packet, len, at_us);
	}
}

uint64_t mix_routes_unknown(const struct mix_routes *r)
{
	return atomic_load_explicit(&r->unknown, memory_order_relaxed);
}
