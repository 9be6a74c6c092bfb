/* Ortoo's own control protocol, through the client that the gateway uses. The adapter plays the gateway: it chooses ids
 * and describes media; commands of a join are pipelined except that connecting needs the reply of opening. */
#include <errno.h>
#include <gio/gio.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mcu/proto/client.h"
#include "tests/kit/load/load.h"

#define ROOM "load"
#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

struct ortoo {
	GMainContext *context;
	mcu_client *client;
	int fd;
	bool ready;
	json_t *before;	/* counters at the start of the window */
};

static char vp8[] = "VP8", twcc_uri[] = TWCC_URI, room_id[] = ROOM;

static struct mcu_codec_use codec_use(void)
{
	return (struct mcu_codec_use){ .name = vp8, .pt = LOAD_PT, .clock_hz = 90000, .rtx_pt = LOAD_RTX_PT, .nack = true,
				       .pli = true, .fir = true, .remb = true, .twcc = true };
}

static void on_closed(mcu_client *c, const char *why, void *user_data)
{
	struct load *load = user_data;

	g_printerr("engine: connection closed: %s\n", why);
	load->lost = true;
}

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *user_data)
{
	if (event == MCU_EVENT_TRANSPORT_STATE) {
		const struct mcu_transport_state *st = body;

		if (g_strcmp0(st->state, "failed") == 0) {
			g_printerr("engine: %s failed: %s\n", st->transport, st->why);
		}
	}
}

static void on_done(const void *reply, const GError *err, void *user_data)
{
	if (err) {
		load_peer_fail(user_data, "refused by the engine");
		g_printerr("engine: %s\n", err->message);
	}
}

static void on_room(const void *reply, const GError *err, void *user_data)
{
	struct ortoo *o = user_data;

	o->ready = !err;
	if (err) {
		g_printerr("engine: %s\n", err->message);
	}
}

static void add_stream(struct load *load, struct load_peer *peer, char *transport)
{
	struct ortoo *o = load->sig_data;
	struct mcu_codec_use codec = codec_use();
	g_autofree char *id = g_strdup_printf("v%d", peer->index), *feed = g_strdup_printf("v%d", peer->feed);
	char mid[] = "0";

	if (peer->send) {
		struct mcu_encoding enc = { .ssrc = peer->send->ssrc, .rtx_ssrc = peer->send->rtx_ssrc };
		struct mcu_source_add add = { .room = room_id, .transport = transport, .id = id, .kind = MCU_VIDEO,
					      .mid = mid, .codecs = { &codec, 1 }, .encodings = { &enc, 1 } };

		mcu_client_call(o->client, MCU_METHOD_SOURCE_ADD, &add, on_done, peer);
	} else {
		struct mcu_sink_add add = { .room = room_id, .transport = transport, .id = id, .source = feed,
					    .kind = MCU_VIDEO, .mid = mid, .ssrc = 0x10000 + 2 * peer->index,
					    .rtx_ssrc = 0x10001 + 2 * peer->index, .codecs = { &codec, 1 } };

		mcu_client_call(o->client, MCU_METHOD_SINK_ADD, &add, on_done, peer);
	}
}

static bool take_candidate(struct load_peer *peer, const struct ort_json_array *candidates, struct load_remote *ret)
{
	const struct mcu_candidate_use *rows = candidates->items;
	const char *host = peer->load->conf.host;

	for (size_t i = 0; i < candidates->n; i++) {
		struct sockaddr_storage addr;
		bool ours = g_strcmp0(rows[i].ip, host) == 0;

		if (g_ascii_strcasecmp(rows[i].protocol, "udp") != 0 ||
		    !load_addr(rows[i].ip, (uint16_t)rows[i].port, &addr)) {
			continue;
		}
		if (ours || (!ret->addr.ss_family && (addr.ss_family == AF_INET6) == !!strchr(host, ':'))) {
			ret->addr = addr;
		}
	}
	return ret->addr.ss_family != 0;
}

/* The hash of our certificate; a liar's differs in one digit. */
static char *fingerprint_of(const struct load_peer *peer)
{
	char *text = g_strdup(peer->load->fingerprint);
	bool lies = g_strcmp0(peer->load->conf.liars, peer->send ? "pubs" : "subs") == 0;

	if (lies) {
		text[0] = text[0] == 'A' ? 'B' : 'A';
	}
	return text;
}

static void connect_transport(struct load_peer *peer, char *transport)
{
	struct ortoo *o = peer->load->sig_data;
	g_autofree char *fingerprint = fingerprint_of(peer);
	struct mcu_ext_use ext = { .uri = twcc_uri, .id = LOAD_TWCC_ID };
	struct mcu_transport_connect msg = { .room = room_id, .transport = transport, .ice_ufrag = peer->ufrag,
					     .ice_pwd = peer->pwd, .fingerprint = fingerprint,
					     .extensions = { &ext, 1 } };

	mcu_client_call(o->client, MCU_METHOD_TRANSPORT_CONNECT, &msg, on_done, peer);
}

static void on_transport(const void *reply, const GError *err, void *user_data)
{
	const struct mcu_transport_reply *r = reply;
	struct load_peer *peer = user_data;
	struct load_remote remote = { .we_control = true, .dtls_client = true, .pt = LOAD_PT, .rtx_pt = LOAD_RTX_PT,
				      .twcc_id = LOAD_TWCC_ID };
	g_autofree char *transport = g_strdup_printf("t%d", peer->index);

	if (err) {
		on_done(NULL, err, peer);
		return;
	}
	g_strlcpy(remote.ufrag, r->ice_ufrag, sizeof(remote.ufrag));
	g_strlcpy(remote.pwd, r->ice_pwd, sizeof(remote.pwd));
	g_strlcpy(remote.fingerprint, r->fingerprint, sizeof(remote.fingerprint));
	if (!take_candidate(peer, &r->candidates, &remote)) {
		load_peer_fail(peer, "no candidate of our address family");
		return;
	}
	connect_transport(peer, transport);
	add_stream(peer->load, peer, transport);
	load_peer_connect(peer, &remote);
}

static bool ortoo_open(struct load *load, const char *target, GError **err)
{
	static const struct mcu_client_ops ops = { on_event, on_closed };
	struct ortoo *o = g_new0(struct ortoo, 1);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[] = "ortoo-load";
	struct mcu_hello_request hello = { .proto = MCU_PROTO_VERSION, .client = name, .grace_ms = 1000 };
	struct mcu_room_open room = { .room = room_id, .max_transports = load->n_peers };
	int64_t until_us = load_now_us() + 5000000;

	load->sig_data = o;
	o->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(addr.sun_path, target, sizeof(addr.sun_path));
	if (connect(o->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", target, g_strerror(errno));
		return false;
	}
	o->context = g_main_context_new();
	o->client = mcu_client_open(o->context, o->fd, &ops, load);
	mcu_client_call(o->client, MCU_METHOD_HELLO, &hello, NULL, NULL);
	mcu_client_call(o->client, MCU_METHOD_ROOM_OPEN, &room, on_room, o);
	while (!o->ready && load_now_us() < until_us) {
		g_main_context_iteration(o->context, FALSE);
		g_usleep(1000);
	}
	if (!o->ready) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "the engine opened no room");
	}
	return o->ready;
}

static void ortoo_start(struct load *load, struct load_peer *peer)
{
	struct ortoo *o = load->sig_data;
	char lite[] = "lite";
	g_autofree char *transport = g_strdup_printf("t%d", peer->index);
	struct mcu_transport_open open = { .room = room_id, .transport = transport, .kind = lite, .max_bps = 50000000 };

	mcu_client_call(o->client, MCU_METHOD_TRANSPORT_OPEN, &open, on_transport, peer);
}

static int ortoo_fd(struct load *load)
{
	return ((struct ortoo *)load->sig_data)->fd;
}

static void ortoo_turn(struct load *load, int64_t now_us)
{
	struct ortoo *o = load->sig_data;

	while (g_main_context_iteration(o->context, FALSE)) {
	}
}

static void on_before(const void *reply, const GError *err, void *user_data)
{
	const struct mcu_stats_reply *r = reply;
	struct ortoo *o = user_data;

	o->before = r ? json_incref(r->counters) : NULL;
}

static void on_after(const void *reply, const GError *err, void *user_data)
{
	const struct mcu_stats_reply *r = reply;
	struct ortoo *o = user_data;
	const char *name;
	json_t *value;

	if (!r || !o->before) {
		return;
	}
	json_object_foreach(r->counters, name, value) {
		double grown = json_number_value(value) - json_number_value(json_object_get(o->before, name));

		if (grown != 0) {
			g_printerr("counter %s %+.0f\n", name, grown);
		}
	}
}

static void ortoo_mark(struct load *load, bool end)
{
	struct ortoo *o = load->sig_data;
	struct mcu_room_ref all = { NULL };

	if (load->conf.counters) {
		mcu_client_call(o->client, MCU_METHOD_STATS_GET, &all, end ? on_after : on_before, o);
	}
}

static void ortoo_close(struct load *load)
{
	struct ortoo *o = load->sig_data;

	json_decref(o->before);
	if (o->client) {
		mcu_client_close(o->client);	/* owns the descriptor */
		g_main_context_unref(o->context);
	} else {
		close(o->fd);
	}
	g_free(o);
}

const struct load_sig_ops load_sig_ortoo = { "ortoo", ortoo_open, ortoo_start, ortoo_fd, ortoo_turn, ortoo_mark,
					  ortoo_close };
