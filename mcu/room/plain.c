/* Plain transports of a room: what the protocol says, in words of net. One carries one m-line. */
#include <string.h>

#include "mcu/room/room_priv.h"

static const char *const securities[] = {
	[MCU_PLAIN_NONE] = "none", [MCU_PLAIN_SDES] = "sdes", [MCU_PLAIN_DTLS] = "dtls",
};

static int security_of(const char *name)
{
	for (int i = 0; name && i < (int)G_N_ELEMENTS(securities); i++) {
		if (!strcmp(name, securities[i])) {
			return i;
		}
	}
	return name ? -1 : MCU_PLAIN_NONE;
}

bool plain_may_open(const struct mcu_transport_open *rq, GError **err)
{
	if (security_of(rq->security) < 0) {
		return room_fail(err, MCU_ERROR_INVALID, "security: \"none\", \"sdes\" or \"dtls\"");
	}
	if (rq->family && strcmp(rq->family, "ip4") != 0 && strcmp(rq->family, "ip6") != 0) {
		return room_fail(err, MCU_ERROR_INVALID, "family: \"ip4\" or \"ip6\"");
	}
	return true;
}

mcu_transport *plain_open(mcu_port *port, const struct mcu_transport_open *rq, struct peer *peer, GError **err)
{
	struct mcu_plain_conf conf = {
		.security = (enum mcu_plain_security)security_of(rq->security),
		.ip6 = g_strcmp0(rq->family, "ip6") == 0,
		.rtcp_mux = rq->rtcp_mux,
		.zone = rq->zone,
	};

	peer->plain = true;
	peer->plain_dtls = conf.security == MCU_PLAIN_DTLS;
	return mcu_transport_open_plain(port, &conf, peer, err);
}

int plain_connect(struct peer *peer, const struct mcu_transport_connect *rq, GError **err)
{
	struct mcu_plain_peer to = {
		.ip = rq->ip, .port = (uint16_t)rq->port, .rtcp_port = (uint16_t)rq->rtcp_port,
		.suite = rq->srtp_suite, .send_key = rq->srtp_send, .recv_key = rq->srtp_recv,
		.fingerprint = rq->fingerprint, .dtls_client = rq->dtls_client, .silent = rq->silent,
	};
	int r = mcu_transport_connect_plain(peer->net, &to, err);

	/* New signalling may mean new streams: a peer that begins anew need not wait until its old SSRC counts as silent. */
	for (unsigned i = 0; r == 0 && i < peer->sources->len; i++) {
		struct source *source = g_ptr_array_index(peer->sources, i);
		for (unsigned k = 0; k < source->n_streams; k++) {
			source->streams[k]->up = false;
		}
	}
	return r;
}

/* The whole m-line is marked by what it carries. */
void plain_mark(struct peer *peer, int kind)
{
	if (peer->plain) {
		mcu_transport_mark(peer->net, kind == MCU_VIDEO);
	}
}

/* A peer that agreed on no feedback is asked by signalling (RFC 5168): the gateway is told. */
bool plain_tell_wanted(struct stream *st, int64_t now_us)
{
	struct source *source = st->source;
	struct mcu_stream_event ev = {
		.room = source->peer->room->id, .transport = source->peer->id, .id = source->id,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	if (!source->peer->plain) {
		return false;
	}
	for (unsigned i = 0; i < source->n_codecs; i++) {
		if (source->codecs[i].pli || source->codecs[i].fir) {
			return false;
		}
	}
	room_emit(source->peer->room->rooms, MCU_EVENT_KEYFRAME_WANTED, &ev);
	return true;
}
