/* A SIP stack of ours without media, on free ports of 127.0.0.1, steered by lines on stdin: what sipp, kamailio and scanners
 * are held against. Says what happens as JSON lines on stdout.
 *   sip_stand [trunk=NAME,ADDRESS[,USER,PASSWORD,enroll]] [trust] [keep] [password=SECRET] [no-md5]
 *             [tls=CERTIFICATE,KEY]
 *   dial ADDRESS | answer | auto on|off | hangup WHY | again | hold on|off | dump | quit                                   */
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <string.h>

#include "gateway/sip/sip_priv.h"
#include "tests/unit/gateway/sip/fake_sip_media.h"

struct stand { gw_sip *sip; GMainLoop *loop; gw_leg *leg; GPtrArray *old; const char *password; bool automatic; unsigned n; };

static void say(json_t *o)
{
	g_autofree char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	(void)printf("%s\n", text);
	(void)fflush(stdout);
}

static void on_media(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data)
{
}

static void take(struct stand *s, gw_leg *leg)
{
	if (s->leg != NULL) {
		g_ptr_array_add(s->old, s->leg);
	}
	s->leg = leg;
}

static char *on_call(const struct gw_sip_call_in *in, unsigned *ret_status, void *user_data)
{
	struct stand *s = user_data;
	say(json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:s?,s:s?}", "event", "call", "number", in->number, "from", in->from, "name", in->name,
		      "device", in->device, "trunk", in->trunk, "agent", in->agent));
	*ret_status = 404;
	return strcmp(in->number, "404") == 0 ? NULL : g_strdup_printf("p-in-%u", ++s->n);
}

static void on_leg(gw_leg *leg, const struct gw_sip_call_in *in, void *user_data)
{
	struct stand *s = user_data;
	take(s, leg);
	if (s->automatic) {
		(void)gw_leg_answer(leg);
	}
}

static bool on_device(const char *user, struct gw_sip_device *ret, void *user_data)
{
	const struct stand *s = user_data;
	if (s->password == NULL || strcmp(user, "1001") != 0) {
		return false;
	}
	ret->party = g_strdup("p-1001");
	ret->ha1_sha256 = sip_digest_ha1(SIP_SHA256, user, "ortoo", s->password);
	ret->ha1_md5 = sip_digest_ha1(SIP_MD5, user, "ortoo", s->password);
	ret->allow_md5 = true;
	return true;
}

static void on_registered(const char *user, const char *contact, int64_t expires_s, void *user_data)
{
	say(json_pack("{s:s,s:s,s:s,s:I}", "event", "registered", "user", user, "contact", contact, "expires_s", (json_int_t)expires_s));
}

static void on_trunk(const char *trunk, const char *state, const char *why, void *user_data)
{
	say(json_pack("{s:s,s:s,s:s,s:s?}", "event", "trunk", "trunk", trunk, "state", state, "why", why));
}

static bool on_refer(gw_leg *leg, const char *to, void *user_data)
{
	say(json_pack("{s:s,s:s}", "event", "refer", "to", to));
	return true;
}

static void on_state(gw_leg *leg, enum gw_leg_state state, const char *why, void *user_data)
{
	say(json_pack("{s:s,s:s,s:s,s:s?}", "event", "state", "leg", leg->id, "state", gw_leg_table.states[state].name, "why", why));
}

static void on_dtmf(gw_leg *leg, const char *digits, void *user_data)
{
	say(json_pack("{s:s,s:s}", "event", "dtmf", "digits", digits));
}

/* ---- commands ---- */
static void dial(struct stand *s, const char *address)
{
	g_autofree char *id = g_strdup_printf("out-%u", ++s->n);
	take(s, gw_sip_call(s->sip, id, id, NULL));
	int err = s->leg != NULL ? gw_leg_dial(s->leg, &(struct gw_leg_dial){ address, 0, true }) : -1;
	if (err != 0) {
		say(json_pack("{s:s,s:i}", "event", "not dialled", "error", err));
	}
}

static void obey(struct stand *s, const char *line)
{
	g_auto(GStrv) w = g_strsplit(line, " ", 2);
	const char *more = w[0] != NULL && w[1] != NULL ? w[1] : "";
	if (g_str_equal(w[0], "dial")) {
		dial(s, more);
	} else if (g_str_equal(w[0], "auto")) {
		s->automatic = g_str_equal(more, "on");
	} else if (g_str_equal(w[0], "dump")) {
		g_autofree char *text = gw_sip_dump(s->sip);
		(void)printf("%s\n", text);
		(void)fflush(stdout);
	} else if (g_str_equal(w[0], "quit")) {
		g_main_loop_quit(s->loop);
	} else if (s->leg == NULL) {
		say(json_pack("{s:s}", "event", "no leg"));
	} else if (g_str_equal(w[0], "answer")) {
		(void)gw_leg_answer(s->leg);
	} else if (g_str_equal(w[0], "hangup")) {
		gw_leg_hangup(s->leg, more);
	} else if (g_str_equal(w[0], "again")) {
		call_reoffer((struct call *)s->leg);
	} else if (g_str_equal(w[0], "hold")) {
		(void)gw_leg_hold(s->leg, g_str_equal(more, "on"));
	}
}

static void read_next(GDataInputStream *in, struct stand *s);

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
	struct stand *s = data;
	g_autofree char *line = g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, NULL, NULL);
	if (line == NULL) {
		g_main_loop_quit(s->loop);
		return;
	}
	obey(s, line);
	read_next(G_DATA_INPUT_STREAM(source), s);
}

static void read_next(GDataInputStream *in, struct stand *s)
{
	g_data_input_stream_read_line_async(in, G_PRIORITY_DEFAULT, NULL, on_line, s);
}

/* ---- life ---- */
static const char *value_of(int argc, char **argv, const char *key)
{
	size_t len = strlen(key);
	for (int n = 1; n < argc; n++) {
		if (strncmp(argv[n], key, len) == 0 && (argv[n][len] == '=' || argv[n][len] == '\0')) {
			return argv[n][len] == '=' ? argv[n] + len + 1 : "";
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct gw_sip_ops ops = { on_media, on_call, on_leg, on_device, on_registered, on_trunk, NULL, on_refer };
	static const struct gw_leg_listener listener = { on_state, NULL, on_dtmf };
	const char *row = value_of(argc, argv, "trunk");
	g_auto(GStrv) t = g_strsplit(row != NULL ? row : "", ",", 5);
	unsigned len = g_strv_length(t);
	const struct gw_sip_trunk trunks[2] = {
		{ .name = "peer", .address = "sip:127.0.0.1:9;transport=tcp" },
		{ .name = len > 0 ? t[0] : "t", .address = len > 1 ? t[1] : "", .user = len > 2 ? t[2] : NULL,
		  .password = len > 3 ? t[3] : NULL, .enroll = len > 4, .keep = value_of(argc, argv, "keep") != NULL },
	};
	bool trust = value_of(argc, argv, "trust") != NULL;
	const char *pair = value_of(argc, argv, "tls");
	g_auto(GStrv) pem = g_strsplit(pair != NULL ? pair : "", ",", 2);
	const struct gw_sip_zone zone = { "default", "127.0.0.1", NULL, GW_SIP_ANY_PORT, pair != NULL ? GW_SIP_ANY_PORT : 0, true,
					  value_of(argc, argv, "no-md5") == NULL };
	const struct gw_sip_conf conf = { .zones = &zone, .n_zones = 1, .trunks = trust ? trunks : trunks + 1,
					  .n_trunks = (size_t)trust + (row != NULL), .realm = "ortoo", .room = "hall",
					  .certificate = pair != NULL ? pem[0] : NULL, .key = pair != NULL ? pem[1] : NULL };
	struct stand s = { .automatic = true, .password = value_of(argc, argv, "password"), .old = g_ptr_array_new() };
	g_autoptr(GError) err = NULL;
	(void)ort_log_init("sip_stand", "warning");
	s.loop = g_main_loop_new(NULL, FALSE);
	s.sip = gw_sip_new(g_main_context_default(), &conf, &ops, &listener, &s, &err);
	if (s.sip == NULL) {
		(void)fprintf(stderr, "%s\n", err->message);
		return 1;
	}
	say(json_pack("{s:s,s:i,s:i}", "event", "listening", "port", (int)gw_sip_port(s.sip, NULL, "udp"), "tls",
		      (int)gw_sip_port(s.sip, NULL, "tls")));
	g_autoptr(GInputStream) raw = g_unix_input_stream_new(0, FALSE);
	g_autoptr(GDataInputStream) in = g_data_input_stream_new(raw);
	read_next(in, &s);
	g_main_loop_run(s.loop);
	gw_leg_free(s.leg);
	for (unsigned n = 0; n < s.old->len; n++) {
		gw_leg_free(s.old->pdata[n]);
	}
	g_ptr_array_unref(s.old);
	gw_sip_free(s.sip);
	g_main_loop_unref(s.loop);
	return 0;
}
