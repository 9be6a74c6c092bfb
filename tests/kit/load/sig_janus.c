/* Janus 1.x videoroom over its Unix socket (SOCK_SEQPACKET, one JSON object a packet): one session, one handle a peer. */
#include <gio/gio.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/kit/load/load.h"

enum { ROOM = 4711, KEEPALIVE_US = 20000000, ANSWER_MS = 5000 };

struct janus {
	int fd;
	json_int_t session;
	int64_t next_keepalive_us;
	GHashTable *by_handle;		/* json_int_t -> struct load_peer, borrowed */
	char buffer[65536];
};

static void tx(struct janus *j, json_t *msg)
{
	g_autofree char *text = NULL;
	char *raw;

	if (j->session) {
		json_object_set_new(msg, "session_id", json_integer(j->session));
	}
	raw = json_dumps(msg, JSON_COMPACT);
	text = g_strdup(raw);
	free(raw);
	json_decref(msg);
	if (send(j->fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
		g_printerr("janus: send: %s\n", g_strerror(errno));
	}
}

static json_t *rx(struct janus *j)
{
	ssize_t n = recv(j->fd, j->buffer, sizeof(j->buffer), MSG_DONTWAIT);

	return n > 0 ? json_loadb(j->buffer, (size_t)n, 0, NULL) : NULL;
}

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* For set-up: waits for the answer to one transaction. */
static json_t *call(struct janus *j, json_t *msg)
{
	g_autofree char *transaction = g_strdup(str(msg, "transaction"));
	struct pollfd p = { .fd = j->fd, .events = POLLIN };

	tx(j, msg);
	while (poll(&p, 1, ANSWER_MS) > 0) {
		json_t *in = rx(j);

		if (in && g_str_equal(str(in, "transaction"), transaction) && !g_str_equal(str(in, "janus"), "ack")) {
			return in;
		}
		json_decref(in);
	}
	return NULL;
}

static json_int_t id_of(json_t *answer)
{
	json_int_t id = json_integer_value(json_object_get(json_object_get(answer, "data"), "id"));

	json_decref(answer);
	return id;
}

static bool open_room(struct load *load, struct janus *j)
{
	json_int_t handle;
	json_t *answer;
	bool ok;

	j->session = id_of(call(j, json_pack("{ss ss}", "janus", "create", "transaction", "create")));
	handle = id_of(call(j, json_pack("{ss ss ss}", "janus", "attach", "plugin", "janus.plugin.videoroom",
					 "transaction", "attach")));
	answer = call(j, json_pack("{ss ss sI s{ss si si si ss sb sb}}", "janus", "message", "transaction", "room",
				   "handle_id", handle, "body", "request", "create", "room", ROOM, "publishers",
				   load->conf.pubs + 1, "bitrate", 50000000, "videocodec", "vp8", "permanent", 0,
				   "notify_joining", 0));
	ok = g_str_equal(str(answer, "janus"), "success");
	json_decref(answer);
	return ok;
}

static bool janus_open(struct load *load, const char *target, GError **err)
{
	struct janus *j = g_new0(struct janus, 1);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	load->sig_data = j;
	j->by_handle = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	j->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	g_strlcpy(addr.sun_path, target, sizeof(addr.sun_path));
	if (connect(j->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %m", target);
		return false;
	}
	if (!open_room(load, j)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "Janus made no room");
		return false;
	}
	return true;
}

static void janus_start(struct load *load, struct load_peer *peer)
{
	g_autofree char *transaction = g_strdup_printf("attach-%d", peer->index);

	tx(load->sig_data, json_pack("{ss ss ss}", "janus", "attach", "plugin", "janus.plugin.videoroom", "transaction",
				     transaction));
}

static void send_message(struct load *load, struct load_peer *peer, json_t *body, const char *type, char *sdp)
{
	json_t *msg = json_pack("{ss ss sI so}", "janus", "message", "transaction", "message", "handle_id",
				(json_int_t)peer->sig_id, "body", body);

	if (sdp) {
		json_object_set_new(msg, "jsep", json_pack("{ss ss}", "type", type, "sdp", sdp));
	}
	tx(load->sig_data, msg);
	g_free(sdp);
}

static void on_attached(struct load *load, struct load_peer *peer, json_int_t handle)
{
	struct janus *j = load->sig_data;
	gint64 *key = g_new(gint64, 1);

	*key = handle;
	peer->sig_id = (uint64_t)handle;
	g_hash_table_insert(j->by_handle, key, peer);
	if (peer->send) {
		send_message(load, peer,
			     json_pack("{ss ss si si sb sb}", "request", "joinandconfigure", "ptype", "publisher",
				       "room", ROOM, "id", peer->index + 1, "audio", 0, "video", 1),
			     "offer", load_sdp_local(peer, false));
	} else {
		send_message(load, peer,
			     json_pack("{ss ss si s[{si}]}", "request", "join", "ptype", "subscriber", "room", ROOM,
				       "streams", "feed", peer->feed + 1),
			     NULL, NULL);
	}
}

static void on_jsep(struct load *load, struct load_peer *peer, const char *type, const char *sdp)
{
	struct load_remote remote;
	bool offer = g_str_equal(type, "offer");

	if (!load_sdp_remote(peer, sdp, offer, &remote)) {
		load_peer_fail(peer, "Janus's SDP says too little");
		return;
	}
	peer->remote = remote;
	if (offer) {
		remote.dtls_client = true;	/* actpass is offered, we answer active */
		send_message(load, peer, json_pack("{ss}", "request", "start"), "answer", load_sdp_local(peer, true));
	}
	load_peer_connect(peer, &remote);
}

static void on_message(struct load *load, json_t *in)
{
	struct janus *j = load->sig_data;
	json_t *jsep = json_object_get(in, "jsep");
	json_t *data = json_object_get(json_object_get(in, "plugindata"), "data");
	gint64 sender = json_integer_value(json_object_get(in, "sender"));
	struct load_peer *peer = g_hash_table_lookup(j->by_handle, &sender);
	int index;

	if (sscanf(str(in, "transaction"), "attach-%d", &index) == 1 && index >= 0 && index < load->n_peers) {
		on_attached(load, &load->peers[index],
			    json_integer_value(json_object_get(json_object_get(in, "data"), "id")));
	} else if (peer && jsep) {
		on_jsep(load, peer, str(jsep, "type"), str(jsep, "sdp"));
	} else if (peer && *str(data, "error")) {
		g_printerr("janus: %s\n", str(data, "error"));
		load_peer_fail(peer, "refused by Janus");
	} else if (peer && g_str_equal(str(in, "janus"), "hangup")) {
		load_peer_fail(peer, "Janus hung up");
	}
}

static int janus_fd(struct load *load)
{
	return ((struct janus *)load->sig_data)->fd;
}

static void janus_turn(struct load *load, int64_t now_us)
{
	struct janus *j = load->sig_data;

	for (json_t *in; (in = rx(j)); json_decref(in)) {
		on_message(load, in);
	}
	if (now_us >= j->next_keepalive_us) {
		j->next_keepalive_us = now_us + KEEPALIVE_US;
		tx(j, json_pack("{ss ss}", "janus", "keepalive", "transaction", "keepalive"));
	}
}

static void janus_close(struct load *load)
{
	struct janus *j = load->sig_data;

	if (j->session) {
		tx(j, json_pack("{ss ss}", "janus", "destroy", "transaction", "destroy"));
	}
	close(j->fd);
	g_hash_table_unref(j->by_handle);
	g_free(j);
}

const struct load_sig_ops load_sig_janus = { "janus", janus_open, janus_start, janus_fd, janus_turn, NULL, janus_close };
