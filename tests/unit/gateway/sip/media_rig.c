#include "tests/unit/gateway/sip/media_rig.h"

#include <string.h>

#include "tests/kit/fake_rooms.h"

/* ---- engine ---- */

struct late { struct side *s; enum mcu_method method; mcu_client_fn fn; void *fn_data; void *reply; GError *err; json_t *request; };

static void late_free(struct late *l)
{
	ort_json_clear(mcu_methods[l->method].reply, l->reply);
	g_free(l->reply);
	g_clear_error(&l->err);
	json_decref(l->request);
	g_free(l);
}

static void go_on(const struct late *l)
{
	const struct ort_json_table *table = mcu_methods[l->method].request;
	g_autofree void *request = g_malloc0(table->size);

	if (l->s->m && !l->err && !l->s->quiet && ort_json_read(table, l->request, request, NULL) == 0) {
		kit_fake_rooms_go_on(l->s->rooms, l->method, request);
		ort_json_clear(table, request);
	}
}

static int deliver(gpointer data)
{
	struct late *l = data;

	if (l->fn) {
		l->fn(l->err ? NULL : l->reply, l->err, l->fn_data);
	}
	go_on(l);
	late_free(l);
	return G_SOURCE_REMOVE;
}

void side_deliver(struct side *s)
{
	struct late *l;

	while ((l = g_queue_pop_head(&s->late))) {
		(void)deliver(l);
	}
}

static void note(struct side *s, enum mcu_method method, json_t *request)
{
	static const char *const keys[] = { "kind", "security", "transport", "id", "source" };

	g_string_append(s->asked, mcu_methods[method].name);
	for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *v = json_string_value(json_object_get(request, keys[i]));

		g_string_append_printf(s->asked, "%s%s", v ? " " : "", v ? v : "");
	}
	g_string_append_c(s->asked, '\n');
	if (method == MCU_METHOD_TRANSPORT_CONNECT) {
		json_array_append(s->connects, request);
	}
}

static void media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *ud)
{
	struct side *s = ud;
	struct late *l = g_new0(struct late, 1);

	*l = (struct late){ s, method, fn, fn_data, g_malloc0(mcu_methods[method].reply->size), NULL, NULL };
	l->request = ort_json_print(mcu_methods[method].request, request);
	note(s, method, l->request);
	if (s->fail_method == (int)method) {
		l->err = g_error_new_literal(MCU_ERROR, s->fail_error, mcu_errors[s->fail_error].en);
	} else {
		(void)kit_fake_rooms_call(s->rooms, method, request, l->reply, &l->err);
	}
	if (s->mute) {
		g_queue_push_tail(&s->late, l);
	} else {
		g_idle_add(deliver, l);
	}
}

static void on_event(enum mcu_event event, const void *body, void *ud)
{
	struct side *s = ud;

	if (event == MCU_EVENT_TRANSPORT_STATE && s->m) {
		sip_media_transport_state(s->m, body);
	}
}

/* ---- what the call is told ---- */

static void on_stream(struct sip_media *m, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *ud)
{
	g_string_append_printf(((struct side *)ud)->told, "%s%s\n", on ? "+" : "-", stream);
}

static void on_up(struct sip_media *m, void *ud)
{
	g_string_append(((struct side *)ud)->told, "up\n");
}

static void on_failed(struct sip_media *m, const char *why, void *ud)
{
	g_string_append_printf(((struct side *)ud)->told, "failed %s\n", why);
}

static void on_hold(struct sip_media *m, bool on, void *ud)
{
	g_string_append(((struct side *)ud)->told, on ? "held\n" : "resumed\n");
}

static void on_floor_asked(struct sip_media *m, enum gw_sip_floor_news news, void *ud)
{
	static const char *const words[] = {
		[GW_SIP_FLOOR_ASKED] = "asks\n",	      [GW_SIP_FLOOR_GIVEN_BACK] = "gives\n", [GW_SIP_FLOOR_PRESENTS] = "presents\n",
		[GW_SIP_FLOOR_ENDS] = "ends\n", [GW_SIP_FLOOR_REFUSED] = "refused\n",	  [GW_SIP_FLOOR_TAKEN_BACK] = "taken back\n",
	};
	g_string_append(((struct side *)ud)->told, words[news]);
}

static const struct sip_media_ops media_ops = { media, on_stream, on_up, on_failed, on_hold, on_floor_asked };

void side_init(struct side *s, const char *id, const struct sip_media_conf *conf)
{
	struct sip_media_conf c = *conf;

	*s = (struct side){ .zone = conf->zone ? *conf->zone : (struct gw_sip_zone){ .name = "default", .bind = "127.0.0.1",
										     .plain_rtp = true }, .fail_method = -1 };
	s->rooms = kit_fake_rooms_new(on_event, s);
	kit_fake_rooms_play(s->rooms, true);
	(void)kit_fake_rooms_call(s->rooms, MCU_METHOD_ROOM_OPEN, &(struct mcu_room_open){ (char *)"hall", 0 },
				  &(struct mcu_room_open_reply){ 0 }, NULL);
	s->asked = g_string_new(NULL);
	s->told = g_string_new(NULL);
	s->connects = json_array();
	c.id = id;
	c.room = "hall";
	c.party = c.party ? c.party : id;
	c.zone = &s->zone;
	s->m = sip_media_new(&c, &media_ops, s);
}

void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

void side_free_media(struct side *s)
{
	sip_media_free(s->m);
	s->m = NULL;
}

void side_clear(struct side *s)
{
	if (s->m) {
		side_free_media(s);
	}
	turn();
	side_deliver(s);
	kit_fake_rooms_free(s->rooms);
	g_string_free(s->asked, TRUE);
	g_string_free(s->told, TRUE);
	json_decref(s->connects);
	g_free(s->sdp);
	g_free(s->why);
}

/* ---- exchanges ---- */

static void on_done(struct sip_media *m, const char *sdp, unsigned status, const char *why, void *ud)
{
	struct side *s = ud;

	g_assert_true((sdp == NULL) == (status != 0));
	g_free(s->sdp);
	g_free(s->why);
	s->sdp = g_strdup(sdp);
	s->why = g_strdup(why);
	s->status = status;
	s->answers++;
}

const char *side_offer(struct side *s)
{
	unsigned before = s->answers;

	sip_media_offer(s->m, on_done);
	g_assert_cmpuint(s->answers, ==, before);	/* never before return */
	turn();
	return s->sdp;
}

void side_answer(struct side *s, const char *sdp)
{
	sip_media_take_answer(s->m, sdp, strlen(sdp), on_done);
	turn();
}

const char *side_take(struct side *s, const char *sdp)
{
	unsigned before = s->answers;

	sip_media_take_offer(s->m, sdp, strlen(sdp), on_done);
	g_assert_cmpuint(s->answers, ==, before);
	turn();
	return s->sdp;
}

void call(struct side *a, struct side *b)
{
	const char *offer = side_offer(a), *answer;

	g_assert_nonnull(offer);
	answer = side_take(b, offer);
	g_assert_cmpstr(b->why, ==, NULL);
	g_assert_nonnull(answer);
	side_answer(a, answer);
	g_assert_cmpuint(a->status, ==, 0);
}

unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) {
		n++;
	}
	return n;
}

void assert_has(const char *text, const char *what)
{
	if (!text || !strstr(text, what)) {
		g_error("no '%s' in\n%s", what, text ? text : "(nothing)");
	}
}

void assert_lacks(const char *text, const char *what)
{
	if (text && strstr(text, what)) {
		g_error("'%s' in\n%s", what, text);
	}
}

const char *connect_of(const struct side *s, const char *transport, const char *member)
{
	for (size_t i = json_array_size(s->connects); i > 0; i--) {
		json_t *o = json_array_get(s->connects, i - 1);

		if (g_str_has_suffix(json_string_value(json_object_get(o, "transport")), transport)) {
			return json_string_value(json_object_get(o, member));
		}
	}
	return NULL;
}

/* ---- floor ---- */

GString *floor_log;
gw_bfcp_link *floor_last;

static void say(const char *what)
{
	g_string_append_printf(floor_log, "%s\n", what);
}

gw_bfcp_link *gw_bfcp_link_new(gw_bfcp *b, const struct gw_bfcp_link_conf *conf, const struct gw_bfcp_ops *ops, void *user_data,
			       GError **err)
{
	gw_bfcp_link *l = g_new0(gw_bfcp_link, 1);

	*l = (gw_bfcp_link){ *conf, *ops, user_data, NULL };
	g_string_append_printf(floor_log, "new %d %s%s\n", (int)conf->transport, conf->server ? "server" : "client",
			       conf->active ? " active" : "");
	floor_last = l;
	return l;
}

void gw_bfcp_link_free(gw_bfcp_link *l)
{
	say("free");
	floor_last = floor_last == l ? NULL : floor_last;
	g_free(l->to);
	g_free(l);
}

uint16_t gw_bfcp_link_port(const gw_bfcp_link *l)
{
	return l->conf.active ? 9 : 5070;
}

void gw_bfcp_link_set_role(gw_bfcp_link *l, bool server, uint32_t conference, uint32_t user, uint16_t floor)
{
	l->conf.server = server;
	g_string_append_printf(floor_log, "role %s %u %u %u\n", server ? "server" : "client", conference, user, floor);
}

void gw_bfcp_link_set_active(gw_bfcp_link *l, bool active)
{
	g_string_append(floor_log, active ? "active\n" : "waits\n");
}

const char *gw_bfcp_fingerprint(const gw_bfcp *b)
{
	return "12:34";
}

bool gw_bfcp_link_connect(gw_bfcp_link *l, const char *ip, uint16_t port, const char *fingerprint, GError **err)
{
	g_string_append_printf(floor_log, "connect %s %u\n", ip, port);
	return true;
}

void gw_bfcp_link_grant(gw_bfcp_link *l)
{
	say("grant");
}

void gw_bfcp_link_deny(gw_bfcp_link *l, const char *why)
{
	say("deny");
}

void gw_bfcp_link_revoke(gw_bfcp_link *l, const char *why)
{
	say("revoke");
}

void gw_bfcp_link_tell(gw_bfcp_link *l, bool held)
{
	say(held ? "tell held" : "tell free");
}

void gw_bfcp_link_request(gw_bfcp_link *l)
{
	say("request");
}

void gw_bfcp_link_release(gw_bfcp_link *l)
{
	say("release");
}
