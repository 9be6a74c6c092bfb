/* ortoo-sip-bridge: the SIP stack over a real engine, without rooms or rules, for tests: whoever calls is answered, and each
 * leg gets the sound and the pictures of the first other one. One JSON object a line on stdout; commands on stdin:
 *	dial ID ADDRESS | hold ID 0|1 | floor ID taken|free|revoke | print ID | drop ID | quit
 * ORTOO_TRUNK in the environment is the address of a peer system whose calls need no password. */
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/sip/sip.h"

struct stream { char *id, *leg, *slot; };
struct bridge { GMainLoop *loop; mcu_client *client; gw_sip *sip; GPtrArray *legs, *streams; unsigned serial; int rc; };

static void say(json_t *o)
{
	g_autofree char *text = json_dumps(o, JSON_COMPACT);

	puts(text);
	(void)fflush(stdout);
	json_decref(o);
}

static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *ud)
{
	mcu_client_call(((struct bridge *)ud)->client, method, request, fn, fn_data);
}

/* ---- who gets what ---- */

static const char *source_for(const struct bridge *b, const char *leg, const char *slot)
{
	for (guint i = 0; i < b->streams->len; i++) {
		const struct stream *s = b->streams->pdata[i];

		if (strcmp(s->leg, leg) != 0 && strcmp(s->slot, slot) == 0) {
			return s->id;
		}
	}
	return NULL;
}

static void feed_all(struct bridge *b)
{
	static const char *const slots[] = { "audio", "main", "content" };

	for (guint i = 0; i < b->legs->len; i++) {
		gw_leg *leg = b->legs->pdata[i];

		for (unsigned k = 0; k < G_N_ELEMENTS(slots); k++) {
			(void)gw_leg_feed(leg, slots[k], source_for(b, leg->id, slots[k]));
		}
	}
}

static void stream_free(gpointer p)
{
	struct stream *s = p;

	g_free(s->id);
	g_free(s->leg);
	g_free(s->slot);
	g_free(s);
}

static void on_stream(gw_leg *leg, const char *id, enum mcu_kind kind, enum mcu_content content, bool on, void *ud)
{
	struct bridge *b = ud;
	struct stream *s = g_new(struct stream, 1);

	for (guint i = b->streams->len; i > 0; i--) {
		if (strcmp(((struct stream *)b->streams->pdata[i - 1])->id, id) == 0) {
			g_ptr_array_remove_index(b->streams, i - 1);
		}
	}
	*s = (struct stream){ g_strdup(id), g_strdup(leg->id), g_strdup(kind == MCU_AUDIO ? "audio" : content ? "content" : "main") };
	if (on) {
		g_ptr_array_add(b->streams, s);
	} else {
		stream_free(s);
	}
	say(json_pack("{s:s,s:s,s:s,s:b}", "event", "stream", "leg", leg->id, "stream", id, "on", on));
	feed_all(b);
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *ud)
{
	say(json_pack("{s:s,s:s,s:s,s:s?}", "event", "state", "leg", leg->id, "state", gw_leg_table.states[state].name, "why", why));
	if (state == GW_LEG_UP) {
		feed_all(ud);
	} else if (state == GW_LEG_ENDED) {
		g_ptr_array_remove_fast(((struct bridge *)ud)->legs, leg);
	}
}

static void on_dtmf(gw_leg *leg, const char *digits, void *ud)
{
	say(json_pack("{s:s,s:s,s:s}", "event", "dtmf", "leg", leg->id, "digits", digits));
}

/* ---- calls ---- */

static char *on_call(const struct gw_sip_call_in *in, unsigned *ret_status, void *ud)
{
	return g_strdup_printf("p%u", ((struct bridge *)ud)->serial++);
}

static void on_leg(gw_leg *leg, const struct gw_sip_call_in *in, void *ud)
{
	g_ptr_array_add(((struct bridge *)ud)->legs, leg);
	say(json_pack("{s:s,s:s,s:s?,s:s?}", "event", "call", "leg", leg->id, "from", in->from, "agent", in->agent));
	(void)gw_leg_answer(leg);
}

static bool device(const char *user, struct gw_sip_device *ret, void *ud)
{
	if (strcmp(user, "room") != 0 && strcmp(user, "phone") != 0) {
		return false;
	}
	g_autofree char *text = g_strdup_printf("%s:bridge:secret", user);

	*ret = (struct gw_sip_device){ .party = g_strdup(user), .name = g_strdup(user), .allow_md5 = true,
				       .ha1_md5 = g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1),
				       .ha1_sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1) };
	return true;
}

static void on_registered(const char *user, const char *contact, int64_t expires_s, void *ud)
{
	say(json_pack("{s:s,s:s,s:s,s:I}", "event", "registered", "user", user, "contact", contact, "expires", (json_int_t)expires_s));
}

static void on_trunk(const char *trunk, const char *state, const char *why, void *ud)
{
}

static void on_floor(gw_leg *leg, enum gw_sip_floor_news news, void *ud)
{
	bool on = news == GW_SIP_FLOOR_ASKED || news == GW_SIP_FLOOR_PRESENTS;

	say(json_pack("{s:s,s:s,s:b}", "event", "floor", "leg", leg->id, "on", on));
	if (news == GW_SIP_FLOOR_ASKED) {
		(void)gw_sip_floor(leg, GW_SIP_FLOOR_GRANT);
	}
}

static bool on_refer(gw_leg *leg, const char *to, void *ud)
{
	return false;
}

/* ---- engine ---- */

static void on_event(mcu_client *c, enum mcu_event event, const void *body, void *ud)
{
	struct bridge *b = ud;

	if (event == MCU_EVENT_TRANSPORT_STATE) {
		const struct mcu_transport_state *s = body;

		say(json_pack("{s:s,s:s,s:s,s:s?}", "event", "transport", "transport", s->transport, "state", s->state, "why", s->why));
		gw_sip_transport_state(b->sip, s);
	} else if (event == MCU_EVENT_DTMF) {
		gw_sip_dtmf(b->sip, body);
	} else if (event == MCU_EVENT_KEYFRAME_WANTED) {
		gw_sip_keyframe(b->sip, ((const struct mcu_stream_event *)body)->id);
	}
}

static void on_closed(mcu_client *c, const char *why, void *ud)
{
	struct bridge *b = ud;

	b->rc = 1;
	g_main_loop_quit(b->loop);
}

static mcu_client *reach_engine(struct bridge *b, const char *path)
{
	static const struct mcu_client_ops ops = { on_event, on_closed };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct mcu_hello_request hello = { .proto = MCU_PROTO_VERSION, .client = (char *)"bridge" };
	struct mcu_room_open open = { .room = (char *)"hall" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		close(fd);
		return NULL;
	}
	mcu_client *c = mcu_client_open(NULL, fd, &ops, b);
	mcu_client_call(c, MCU_METHOD_HELLO, &hello, NULL, NULL);
	mcu_client_call(c, MCU_METHOD_ROOM_OPEN, &open, NULL, NULL);
	return c;
}

/* ---- commands ---- */

static void dial(struct bridge *b, const char *id, const char *address)
{
	gw_leg *leg = gw_sip_call(b->sip, id, id, NULL);

	if (leg != NULL) {
		g_ptr_array_add(b->legs, leg);
		int r = gw_leg_dial(leg, &(struct gw_leg_dial){ address, 2000000, true });
		if (r < 0) {
			say(json_pack("{s:s,s:s,s:i}", "event", "refused", "leg", id, "error", r));
		}
	}
}

static void obey(struct bridge *b, char *line)
{
	g_auto(GStrv) word = g_strsplit(g_strstrip(line), " ", 3);
	gw_leg *leg = word[0] != NULL && word[1] != NULL ? gw_sip_find(b->sip, word[1]) : NULL;

	if (g_strcmp0(word[0], "quit") == 0) {
		g_main_loop_quit(b->loop);
	} else if (g_strcmp0(word[0], "dial") == 0 && word[1] != NULL && word[2] != NULL) {
		dial(b, word[1], word[2]);
	} else if (leg != NULL && strcmp(word[0], "hold") == 0 && word[2] != NULL) {
		(void)gw_leg_hold(leg, word[2][0] == '1');
	} else if (leg != NULL && strcmp(word[0], "floor") == 0 && word[2] != NULL) {
		(void)gw_sip_floor(leg, word[2][0] == 't' ? GW_SIP_FLOOR_TAKEN : word[2][0] == 'f' ? GW_SIP_FLOOR_FREE : GW_SIP_FLOOR_REVOKE);
	} else if (leg != NULL && strcmp(word[0], "print") == 0) {
		say(json_pack("{s:s,s:o}", "event", "print", "leg", gw_leg_print(leg)));
	} else if (leg != NULL && strcmp(word[0], "drop") == 0) {
		g_ptr_array_remove_fast(b->legs, leg);
		gw_leg_hangup(leg, "test");
		gw_leg_free(leg);
	}
}

static gboolean on_line(gint fd, GIOCondition condition, gpointer ud)
{
	struct bridge *b = ud;
	char line[512];

	if (fgets(line, sizeof(line), stdin) == NULL) {
		g_main_loop_quit(b->loop);
		return G_SOURCE_REMOVE;
	}
	obey(b, line);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	static const struct gw_sip_ops ops = { media, on_call, on_leg, device, on_registered, on_trunk, on_floor, on_refer };
	static const struct gw_leg_listener listener = { on_state, on_stream, on_dtmf };
	struct bridge b = { .loop = g_main_loop_new(NULL, FALSE) };
	g_autoptr(GError) err = NULL;

	if (argc < 4) {
		g_printerr("usage: ortoo-sip-bridge ENGINE_SOCKET ADDRESS plain|secret [CERTIFICATE KEY]\n");
		return 2;
	}
	bool plain = strcmp(argv[3], "plain") == 0, tls = argc > 5;
	struct gw_sip_zone zone = { .name = "default", .bind = argv[2], .port = GW_SIP_ANY_PORT, .plain_rtp = plain, .md5 = true,
				    .tls_port = tls ? GW_SIP_ANY_PORT : 0 };
	struct gw_sip_conf conf = { .zones = &zone, .n_zones = 1, .realm = "bridge", .room = "hall" };
	struct gw_sip_trunk trunk = { .name = "peer", .zone = "default", .address = g_getenv("ORTOO_TRUNK") };
	conf.trunks = &trunk;
	conf.n_trunks = trunk.address != NULL;
	conf.certificate = tls ? argv[4] : NULL;
	conf.key = tls ? argv[5] : NULL;
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	b.legs = g_ptr_array_new();
	b.streams = g_ptr_array_new_with_free_func(stream_free);
	b.client = reach_engine(&b, argv[1]);
	b.sip = b.client != NULL ? gw_sip_new(NULL, &conf, &ops, &listener, &b, &err) : NULL;
	if (b.sip == NULL) {
		g_printerr("%s\n", err != NULL ? err->message : "no engine");
		return 1;
	}
	say(json_pack("{s:s,s:i,s:i,s:i}", "event", "ready", "udp", (int)gw_sip_port(b.sip, "default", "udp"), "tcp",
		      (int)gw_sip_port(b.sip, "default", "tcp"), "tls", (int)gw_sip_port(b.sip, "default", "tls")));
	guint source = g_unix_fd_add(0, G_IO_IN | G_IO_HUP, on_line, &b);
	g_main_loop_run(b.loop);
	(void)source;
	gw_sip_free(b.sip);
	mcu_client_close(b.client);
	g_ptr_array_unref(b.legs);
	g_ptr_array_unref(b.streams);
	g_main_loop_unref(b.loop);
	return b.rc;
}
