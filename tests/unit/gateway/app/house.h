/* The application with a fake engine and fake legs: shared by the tests of gateway/app. */
#pragma once
#include <glib/gstdio.h>
#include <string.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/mixes_priv.h"
#include "tests/kit/fake_engine.h"
#include "tests/kit/fake_leg.h"

struct house { char *dir; ort_conf *conf; kit_fake_engine *engine; gw_app *app; GHashTable *legs; /* prefix -> gw_leg */ GString *floor; };
static struct house *the_house;	/* of the fake caller */

static inline gw_leg *make_leg(void *stack, const char *id, const char *prefix, GError **err)
{
	struct house *h = stack;
	gw_leg *leg = gw_fake_leg_new(id, &gw_app_call_listener, h->app);
	g_free(leg->party);
	leg->party = g_strdup(prefix);
	g_hash_table_replace(h->legs, g_strdup(prefix), leg);
	return leg;
}

static inline int floor_leg(gw_leg *leg, const char *word)
{
	g_string_append_printf(the_house->floor, "%s:%s ", leg->party, word);
	return 0;
}

static inline void settle(void)
{
	for (int n = 0; n < 60; n++) {
		while (g_main_context_iteration(NULL, FALSE)) {
		}
		g_usleep(1000);
	}
}

static inline bool connected(struct house *h)
{
	for (int n = 0; n < 500 && !(kit_fake_engine_connected(h->engine) && kit_fake_engine_has_room(h->engine, GW_HALL)); n++) {
		settle();
	}
	return kit_fake_engine_has_room(h->engine, GW_HALL);
}

static inline void start(struct house *h)
{
	g_autofree char *why = NULL;
	struct gw_app_options o = { .conf = h->conf, .state = h->dir, .engine = "", .quiet = true };
	h->app = gw_app_start(&o, &why);
	g_assert_cmpstr(why, ==, NULL);
	gw_app_set_caller(h->app, &(struct gw_caller){ make_leg, floor_leg, h });
	g_assert_true(connected(h));
}

static inline void house_init_with(struct house *h, const char *trunks)
{
	const char *const sets[][2] = { { "web.port", "0" }, { "web.listen", "127.0.0.1" }, { "sip.zones", "" }, { "ready.hour", "-1" }, { "sip.trunks", trunks } };
	*h = (struct house){ .dir = g_dir_make_tmp("ortoo-conf-XXXXXX", NULL), .conf = ort_conf_new(gw_app_rows, gw_app_n_rows) };
	for (unsigned n = 0; n < G_N_ELEMENTS(sets); n++) {
		g_assert_cmpint(ort_conf_set(h->conf, sets[n][0], sets[n][1], NULL), ==, 0);
	}
	g_autofree char *socket = g_build_filename(h->dir, "engine.sock", NULL);
	h->engine = kit_fake_engine_new(NULL);
	h->legs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	h->floor = g_string_new(NULL);
	the_house = h;
	kit_fake_engine_listen(h->engine, socket);
	kit_fake_engine_play(h->engine, true);
	start(h);
}

static inline void house_init(struct house *h)
{
	house_init_with(h, "");
}

static inline void house_finish(struct house *h)
{
	gw_app_stop(h->app, false);
	kit_fake_engine_free(h->engine);
	g_hash_table_unref(h->legs);
	g_string_free(h->floor, TRUE);
	ort_conf_free(h->conf);
	g_autoptr(GDir) dir = g_dir_open(h->dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(h->dir, name, NULL);
		(void)g_remove(path);
	}
	(void)g_rmdir(h->dir);
	g_free(h->dir);
}

static inline const char *open_conference(struct house *h, const char *password)
{
	g_autofree char *hash = password != NULL ? gw_password_hash(password, "s") : NULL;
	struct gw_conference_facts f = { .name = "会商", .number = "8001", .password = hash };
	const char *id = gw_conference_open(h->app->domain, "u:duty", &f, gw_app_now(), NULL);
	g_assert_nonnull(id);
	return id;
}

static inline const char *call(struct house *h, const char *conference, const char *address)
{
	struct gw_party_facts f = { .name = address, .address = address, .kind = GW_PARTY_SIP };
	const char *party = gw_party_call(h->app->domain, "u:duty", conference, &f, gw_app_now(), NULL);
	g_assert_nonnull(party);
	return party;
}

static inline gw_leg *leg_of(struct house *h, const char *party)
{
	gw_leg *leg = gw_app_party_leg(h->app, party);
	g_assert_nonnull(leg);
	return leg;
}

static inline void publish(gw_leg *leg)
{
	g_autofree char *audio = g_strconcat(leg->party, ".audio", NULL), *video = g_strconcat(leg->party, ".video", NULL);
	gw_leg_stream(leg, audio, MCU_AUDIO, MCU_CONTENT_MAIN, true);
	gw_leg_stream(leg, video, MCU_VIDEO, MCU_CONTENT_MAIN, true);
}

static inline void answers(struct house *h, const char *party)
{
	gw_leg *leg = leg_of(h, party);
	(void)gw_leg_enter(leg, GW_LEG_RINGING, NULL);
	(void)gw_leg_enter(leg, GW_LEG_CONNECTING, NULL);
	publish(leg);
	(void)gw_leg_enter(leg, GW_LEG_UP, NULL);
	settle();
}

static inline size_t count(struct house *h, const char *conference, const char *what)
{
	g_autoptr(json_t) mix = kit_fake_engine_mix(h->engine, GW_HALL, conference);
	return json_array_size(json_object_get(mix, what));
}

/* A member of the row of this id, as text. */
static inline char *row(struct house *h, const char *conference, const char *what, const char *id, const char *member)
{
	g_autoptr(json_t) mix = kit_fake_engine_mix(h->engine, GW_HALL, conference);
	size_t n;
	json_t *o;
	json_array_foreach(json_object_get(mix, what), n, o) {
		if (g_strcmp0(json_string_value(json_object_get(o, "id")), id) == 0) {
			return json_dumps(json_object_get(o, member), JSON_ENCODE_ANY | JSON_COMPACT);
		}
	}
	return NULL;
}

static inline void assert_state(struct house *h, const char *party, enum gw_site_state state)
{
	g_assert_cmpstr(gw_site_state_names[gw_party_get_state(h->app->domain, party)], ==, gw_site_state_names[state]);
}
