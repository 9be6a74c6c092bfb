/* One peer's transport inside a room: opening, what was negotiated for the whole BUNDLE, whose SSRC is whose. */
#include <string.h>

#include "mcu/room/room_priv.h"

enum { MAX_USED = 1024, MIN_BPS = 50000, MAX_SSRCS = MAX_LAYERS * 2 * 8, BRIDGE_STREAMS = 1024 };

static void fill_candidates(const mcu_transport *t, struct mcu_transport_reply *reply)
{
	struct mcu_candidate in[32];
	unsigned n = mcu_transport_candidates(t, in, G_N_ELEMENTS(in));
	struct mcu_candidate_use *out = g_new0(struct mcu_candidate_use, n);

	for (unsigned i = 0; i < n; i++) {
		out[i] = (struct mcu_candidate_use){
			.foundation = g_strdup(in[i].foundation),
			.protocol = g_strdup(in[i].protocol),
			.ip = g_strdup(in[i].ip),
			.type = g_strdup(in[i].type),
			.tcptype = in[i].tcptype[0] ? g_strdup(in[i].tcptype) : NULL,
			.priority = in[i].priority,
			.port = in[i].port,
		};
	}
	reply->candidates = (struct ort_json_array){ out, n };
}

static void fill_reply(const struct peer *peer, struct mcu_transport_reply *reply)
{
	char ufrag[33], pwd[33];

	if (!reply) {
		return;
	}
	if (peer->plain) {
		reply->fingerprint = peer->plain_dtls ? g_strdup(mcu_port_fingerprint(peer->room->rooms->port)) : NULL;
		reply->rtcp_port = mcu_transport_rtcp_port(peer->net);
		fill_candidates(peer->net, reply);
		return;
	}
	mcu_transport_local(peer->net, ufrag, pwd);
	reply->ice_ufrag = g_strdup(ufrag);
	reply->ice_pwd = g_strdup(pwd);
	reply->fingerprint = g_strdup(mcu_port_fingerprint(peer->room->rooms->port));
	reply->ice_lite = !peer->agent;
	fill_candidates(peer->net, reply);
}

static bool is_plain(const struct mcu_transport_open *rq)
{
	return g_strcmp0(rq->kind, "plain") == 0;
}

static bool may_open(mcu_room *room, const struct mcu_transport_open *rq, GError **err)
{
	if (!rq->transport) {
		return room_fail(err, MCU_ERROR_INVALID, "transport: missing");
	}
	if (rq->kind && strcmp(rq->kind, "lite") != 0 && strcmp(rq->kind, "agent") != 0 && !is_plain(rq)) {
		return room_fail(err, MCU_ERROR_INVALID, "kind: \"lite\", \"agent\" or \"plain\"");
	}
	if (is_plain(rq) && !plain_may_open(rq, err)) {
		return false;
	}
	if (room->peer_list->len >= room->max_transports) {
		room->rooms->counters.refused_limit++;
		return room_fail(err, MCU_ERROR_LIMIT, "transports of room %s: %u", room->id, room->max_transports);
	}
	return true;
}

static void free_source(void *source)
{
	source_free(source);
}

static void free_sink(void *sink)
{
	sink_free(sink);
}

struct peer *peer_new(mcu_room *room, const char *id, unsigned max_ssrcs, mcu_bwe *bwe)
{
	struct peer *peer = g_new0(struct peer, 1);

	peer->room = room;
	peer->id = g_strdup(id);
	peer->bwe = bwe;
	peer->max_ssrcs = max_ssrcs;
	peer->ssrcs = g_new0(struct ssrc_entry, max_ssrcs);
	peer->sources = g_ptr_array_new_with_free_func(free_source);
	peer->sinks = g_ptr_array_new_with_free_func(free_sink);
	peer->used = g_array_new(FALSE, FALSE, sizeof(struct used_ssrc));
	peer->local_ssrc = g_rand_int(room->rooms->rand) | 1;
	peer->rtt_us = 100000;
	return peer;
}

static struct peer *new_peer(mcu_room *room, const struct mcu_transport_open *rq)
{
	const struct mcu_room_limits *l = &room->rooms->limits;
	uint64_t max_bps = rq->max_bps > 0 ? MIN((uint64_t)rq->max_bps, l->max_bps) : l->max_bps;
	struct peer *peer = peer_new(room, rq->transport, MAX_SSRCS, mcu_bwe_new(MIN(l->start_bps, max_bps), MIN_BPS, max_bps));

	peer->max_bps = max_bps;
	return peer;
}

unsigned peer_max_streams(const struct peer *peer)
{
	return peer->bridge ? BRIDGE_STREAMS : peer->room->rooms->limits.max_streams;
}

void peer_enter(struct peer *peer, int64_t now_us)
{
	mcu_room *room = peer->room;

	/* reports of many peers that came together are spread over a second */
	peer->next_report_us = now_us + 500000 + g_rand_int_range(room->rooms->rand, 0, 500000);
	peer->next_twcc_us = now_us + 100000;
	peer->next_layer_us = ORT_NEVER;
	g_hash_table_insert(room->peers, peer->id, peer);
	g_ptr_array_add(room->peer_list, peer);
	rooms_wake(room->rooms, now_us);
}

/* ICE-lite unless our side must control or needs a relay. */
static bool open_net(struct peer *peer, const struct mcu_transport_open *rq, GError **err)
{
	mcu_port *port = peer->room->rooms->port;
	g_autoptr(GError) why = NULL;

	peer->agent = g_strcmp0(rq->kind, "agent") == 0;
	peer->net = is_plain(rq) ? plain_open(port, rq, peer, &why)
		  : peer->agent	 ? mcu_transport_open_agent(port, &(struct mcu_agent_conf){ .turn = rq->turn }, peer, &why)
				 : mcu_transport_open(port, peer, &why);
	if (!peer->net) {
		peer->room->rooms->counters.refused_limit++;
		return room_fail(err, MCU_ERROR_LIMIT, "transport %s: %s", peer->id, why ? why->message : "limit of the worker");
	}
	return true;
}

bool peer_open(mcu_room *room, const struct mcu_transport_open *rq, struct mcu_transport_reply *reply, int64_t now_us,
	       GError **err)
{
	struct peer *peer = rq->transport ? g_hash_table_lookup(room->peers, rq->transport) : NULL;
	g_autofree char *spec = room_spec(&mcu_table_transport_open, rq);

	if (peer) {
		if (g_strcmp0(peer->spec, spec) != 0) {
			return room_fail(err, MCU_ERROR_CONFLICT, "transport %s: other parameters", peer->id);
		}
		fill_reply(peer, reply);
		return true;
	}
	if (!may_open(room, rq, err)) {
		return false;
	}
	peer = new_peer(room, rq);
	if (!open_net(peer, rq, err)) {
		peer_close(peer);
		return false;
	}
	peer->spec = g_steal_pointer(&spec);
	peer_enter(peer, now_us);
	fill_reply(peer, reply);
	return true;
}

static bool read_extensions(const struct ort_json_array *in, struct mcu_ext_map *ret, bool *ret_two_byte, GError **err)
{
	const struct mcu_ext_use *use = in->items;
	struct mcu_ext_map map = { 0 };
	uint8_t taken[256] = { 0 };
	bool two_byte = false;

	for (size_t i = 0; i < in->n; i++) {
		int ext = mcu_ext_by_uri(use[i].uri);
		if (use[i].id < 1 || use[i].id > 255 || use[i].id == 15 || taken[use[i].id]++) {
			return room_fail(err, MCU_ERROR_INVALID, "extensions: id %d", (int)use[i].id);
		}
		if (ext >= 0) {
			map.id[ext] = (uint8_t)use[i].id;
			two_byte |= use[i].id > 14;
		}
	}
	*ret = map;
	*ret_two_byte = two_byte;
	return true;
}

bool peer_connect(struct peer *peer, const struct mcu_transport_connect *rq, GError **err)
{
	g_autofree char *spec = room_spec(&mcu_table_transport_connect, rq);
	g_autoptr(GError) why = NULL;
	struct mcu_ext_map map;
	bool two_byte;

	if (peer->connect_spec && !strcmp(peer->connect_spec, spec)) {
		return true;
	}
	if (peer->bridge) {
		return room_fail(err, MCU_ERROR_INVALID, "transport %s is a mix", peer->id);
	}
	if (!peer->plain && (!rq->ice_ufrag || !rq->ice_pwd || !rq->fingerprint)) {
		return room_fail(err, MCU_ERROR_INVALID, "ice_ufrag, ice_pwd and fingerprint are needed");
	}
	if (!read_extensions(&rq->extensions, &map, &two_byte, err)) {
		return false;
	}
	if ((peer->plain ? plain_connect(peer, rq, &why)
			 : mcu_transport_connect(peer->net, rq->ice_ufrag, rq->ice_pwd, rq->fingerprint, rq->dtls_client,
						 &why)) < 0) {
		return room_fail(err, peer->connect_spec ? MCU_ERROR_CONFLICT : MCU_ERROR_INVALID, "%s",
				 why ? why->message : "refused");
	}
	peer->ext = map;
	peer->two_byte = two_byte;
	g_free(peer->connect_spec);
	peer->connect_spec = g_steal_pointer(&spec);
	if (peer->ext.id[MCU_EXT_TWCC] && !peer->twcc_in) {
		peer->twcc_in = mcu_twcc_recv_new();
	}
	for (unsigned i = 0; i < peer->sinks->len; i++) {
		sink_build_template(g_ptr_array_index(peer->sinks, i));
	}
	return true;
}

bool peer_restart(struct peer *peer, struct mcu_transport_reply *reply, GError **err)
{
	if (peer->bridge || mcu_transport_restart_ice(peer->net) < 0) {
		return room_fail(err, MCU_ERROR_STATE, "transport %s is %s", peer->id, mcu_transport_state(peer->net));
	}
	fill_reply(peer, reply);
	return true;
}

/* Takes a half-built peer. Sinks first: they point at sources, never the other way round. */
void peer_close(struct peer *peer)
{
	mcu_room *room = peer->room;

	g_ptr_array_unref(peer->sinks);
	g_ptr_array_unref(peer->sources);
	if (g_ptr_array_remove_fast(room->peer_list, peer)) {
		g_hash_table_remove(room->peers, peer->id);
	}
	mcu_transport_close(peer->net);
	mcu_twcc_recv_free(peer->twcc_in);
	mcu_bwe_free(peer->bwe);
	g_array_unref(peer->used);
	g_free(peer->ssrcs);
	g_free(peer->pending);
	g_free(peer->connect_spec);
	g_free(peer->spec);
	g_free(peer->id);
	g_free(peer);
}

/* ---- whose SSRC is whose ---- */
void peer_unlatch(struct peer *peer, const struct stream *stream, bool rtx)
{
	for (unsigned i = 0; i < peer->n_ssrcs; i++) {
		if (peer->ssrcs[i].stream == stream && peer->ssrcs[i].rtx == rtx) {
			peer->ssrcs[i--] = peer->ssrcs[--peer->n_ssrcs];
		}
	}
	peer->last_hit = 0;
}

/* A stream has one SSRC for media and one for retransmissions, so the table is bounded by what was signalled. */
bool peer_latch(struct peer *peer, uint32_t ssrc, struct stream *stream, bool rtx)
{
	peer_unlatch(peer, stream, rtx);
	for (unsigned i = 0; i < peer->n_ssrcs; i++) {
		if (peer->ssrcs[i].ssrc == ssrc) {
			return false;
		}
	}
	if (peer->n_ssrcs == peer->max_ssrcs) {
		return false;
	}
	peer->ssrcs[peer->n_ssrcs++] = (struct ssrc_entry){ ssrc, rtx, stream };
	*(rtx ? &stream->rtx_ssrc : &stream->ssrc) = ssrc;
	return true;
}

/* ---- numbers that a removed sink used up ---- */
void peer_note_used(struct peer *peer, uint32_t ssrc, int64_t next)
{
	struct used_ssrc used = { ssrc, next };

	if (peer->bridge) {
		return;	/* no key, no nonce */
	}
	for (unsigned i = 0; i < peer->used->len; i++) {
		if (g_array_index(peer->used, struct used_ssrc, i).ssrc == ssrc) {
			g_array_index(peer->used, struct used_ssrc, i) = used;
			return;
		}
	}
	g_array_append_val(peer->used, used);
}

/* Where the sequence numbers of an SSRC begin: random low (RFC 3711 3.3.1 wants room below the first wrap), or behind
 * those that were sent before under the same key; -1 = this transport has used up too many SSRCs. */
int64_t peer_first_seq(struct peer *peer, uint32_t ssrc)
{
	for (unsigned i = 0; i < peer->used->len; i++) {
		if (g_array_index(peer->used, struct used_ssrc, i).ssrc == ssrc) {
			return g_array_index(peer->used, struct used_ssrc, i).next;
		}
	}
	if (peer->used->len + peer->sinks->len * 2 >= MAX_USED) {
		return -1;
	}
	return g_rand_int_range(peer->room->rooms->rand, 1, 0x4000);
}

/* ---- states ---- */
/* "192.0.2.1:3478 udp" of the pair in use, NULL without one; (transfer full). What net knows it prints as JSON. */
static char *remote_of(const mcu_transport *t)
{
	g_autofree char *text = mcu_transport_dump(t);
	g_autoptr(json_t) dump = ort_json_parse(text, strlen(text), 65536, NULL);
	const json_t *pairs = json_object_get(dump, "pairs");

	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *p = json_array_get(pairs, i);
		const char *ip = json_string_value(json_object_get(p, "remote"));
		const char *protocol = json_string_value(json_object_get(p, "protocol"));
		if (json_is_true(json_object_get(p, "selected")) && ip && protocol) {
			return g_strdup_printf(strchr(ip, ':') ? "[%s]:%d %s" : "%s:%d %s", ip,
					       (int)json_integer_value(json_object_get(p, "port")), protocol);
		}
	}
	return NULL;
}

void peer_on_state(mcu_transport *t, const char *state, const char *why, int64_t now_us, void *transport_data)
{
	struct peer *peer = transport_data;
	bool up = mcu_transport_up(t);
	g_autofree char *remote = up ? remote_of(t) : NULL;
	struct mcu_transport_state ev = {
		.room = peer->room->id, .transport = peer->id, .state = (char *)state, .why = (char *)why, .remote = remote,
		.at_ms = ort_wall_ms(), .at_us = now_us,
	};

	bool came_up = up && !peer->up;
	peer->up = up;
	peer->why = why;
	for (unsigned i = 0; came_up && i < peer->sinks->len; i++) {
		route_restart(g_ptr_array_index(peer->sinks, i), now_us);
	}
	rooms_wake(peer->room->rooms, now_us);
	room_emit(peer->room->rooms, MCU_EVENT_TRANSPORT_STATE, &ev);
}
