/* Figures of media for people: per party what comes from it and what it is sent. Engine and mixer each know half. */
#include <string.h>

#include "gateway/app/calls_priv.h"

struct flows { struct gw_party_flow sends, gets; };

void gw_app_flows_start(gw_app *app)
{
	app->flows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void gw_app_flows_stop(gw_app *app)
{
	g_clear_pointer(&app->flows, g_hash_table_unref);
}

static struct flows *obtain(gw_app *app, const char *party)
{
	struct flows *f = g_hash_table_lookup(app->flows, party);
	if (f == NULL) {
		f = g_new0(struct flows, 1);
		g_hash_table_insert(app->flows, g_strdup(party), f);
	}
	return f;
}

/* The party whose stream of that kind it is, or NULL. */
static const char *party_by(gw_app *app, const char *stream, const char *kind)
{
	if (stream == NULL || !g_str_has_suffix(stream, kind)) {
		return NULL;
	}
	g_autofree char *prefix = g_strndup(stream, strlen(stream) - strlen(kind));
	return gw_party_by_streams(app->domain, prefix);
}

void gw_app_flow_security(gw_app *app, const char *party, const char *security)
{
	struct gw_party_flow *sends = &obtain(app, party)->sends;
	g_strlcpy(sends->security, security, sizeof(sends->security));
}

/* The party whose main picture a stream is, or NULL. */
static const char *party_of(gw_app *app, const char *stream)
{
	return party_by(app, stream, ".video");
}

/* ---- what the mixer says ---- */
struct output { gw_app *app; const struct mcu_mix_output_stats *stats; };

static void note_output(const struct gw_party_info *p, void *user_data)
{
	const struct output *o = user_data;
	bool seat = gw_app_is_seat(o->app, p->id);	/* what a browser was given may be the same view in another codec */
	bool fed = seat ? o->stats->width > 0 && gw_app_seat_fed(o->app, p->id, o->stats->id)
			: g_strcmp0(gw_app_mix_fed(o->app, p->id, "main"), o->stats->id) == 0;
	if (!gw_party_is_live(p->state) || !fed) {
		return;
	}
	struct gw_party_flow *gets = &obtain(o->app, p->id)->gets;
	g_strlcpy(gets->codec, o->stats->codec != NULL ? o->stats->codec : "", sizeof(gets->codec));
	g_strlcpy(gets->view, p->view, sizeof(gets->view));
	gets->width = o->stats->width;
	gets->height = o->stats->height;
	gets->fps = o->stats->fps;
	gets->bitrate_bps = o->stats->bitrate_bps;
}

void gw_app_mix_stats(gw_app *app, const struct mcu_mix_stats_event *ev)
{
	const struct mcu_mix_input_stats *in = ev->inputs.items;
	const struct mcu_mix_output_stats *out = ev->outputs.items;
	for (size_t n = 0; n < ev->inputs.n; n++) {
		const char *party = party_of(app, in[n].id);
		struct gw_party_flow *sends = party != NULL ? &obtain(app, party)->sends : NULL;
		if (sends != NULL) {
			g_strlcpy(sends->codec, in[n].codec != NULL ? in[n].codec : "", sizeof(sends->codec));
			sends->width = in[n].width;
			sends->height = in[n].height;
			sends->fps = in[n].fps;
			gw_app_measure_frames(app, party, in[n].fps);
		}
		const char *heard = party_by(app, in[n].id, ".audio");
		if (heard != NULL) {
			gw_app_measure_level(app, heard, in[n].level_dbov);
		}
	}
	gw_app_measures_tell(app, ev->mix);
	for (size_t n = 0; n < ev->outputs.n; n++) {
		gw_conference_parties(app->domain, ev->mix, note_output, &(struct output){ app, &out[n] });
	}
}

/* ---- what the engine says ---- */
static bool is_staff_or_screen(const struct gw_api_session *s, void *ud)
{
	return s->role != GW_ROLE_FIELD;
}

static json_t *flow_json(json_t *party, const char *member)
{
	return json_object_get(party, member);
}

static void tell(const struct gw_party_info *p, void *user_data)
{
	gw_app *app = user_data;
	const struct flows *f = gw_party_is_live(p->state) ? g_hash_table_lookup(app->flows, p->id) : NULL;
	if (f == NULL) {
		g_hash_table_remove(app->flows, p->id);
		return;
	}
	gw_party_flow(app->domain, p->id, true, &f->sends);
	gw_party_flow(app->domain, p->id, false, &f->gets);
	g_autoptr(json_t) party = gw_party_print(app->domain, p->id);
	struct gw_ev_party_stats news = { (char *)(uintptr_t)gw_party_conference(app->domain, p->id), (char *)(uintptr_t)p->id,
					  flow_json(party, "sends"), flow_json(party, "gets") };
	gw_api_broadcast(app->api, is_staff_or_screen, NULL, GW_EVENT_PARTY_STATS, &news);
}

static void tell_conference(const char *id, void *user_data)
{
	gw_conference_parties(((gw_app *)user_data)->domain, id, tell, user_data);
}

void gw_app_flow_stats(gw_app *app, const struct mcu_room_stats_event *ev)
{
	const struct mcu_stream_stats *s = ev->streams.items;
	for (size_t n = 0; n < ev->streams.n; n++) {
		const char *party = g_strcmp0(s[n].direction, "in") == 0 ? party_of(app, s[n].id) : NULL;
		if (party != NULL) {
			struct gw_party_flow *sends = &obtain(app, party)->sends;
			sends->bitrate_bps = s[n].bitrate_bps;
			sends->loss = s[n].loss;
			gw_app_measure_flow(app, party, s[n].loss, s[n].bitrate_bps);
		}
	}
	gw_conference_foreach_open(app->domain, tell_conference, app);
}
