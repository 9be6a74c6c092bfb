/* Roll calls measure by themselves: what engine and mixer say of the site whose turn it is becomes its figures. Levels count
 * from the beginning of the turn: before it, a microphone that is shut says nothing about the room. What the mixer says of a
 * picture or a sound is its last word, so it is kept for sites that are dialled ahead. */
#include <math.h>

#include "gateway/app/evidence_priv.h"
#include "gateway/app/rooms_priv.h"

#define SILENT_DBOV (-60)
#define CLIPPED_DBOV (-4)	/* smoothed: speech is 20 dB below */
#define LISTEN_US (5 * ORT_US_PER_S)	/* nobody is called silent before */
#define LOOK_US (1 * ORT_US_PER_S)	/* the cut to the site and its first frames are no picture of it */

struct measure {
	int64_t turn_us;		/* the turn that these belong to */
	bool spoke, loud, silent_said, clipped, black, still, looped;
	bool looked, pictures;		/* the mixer told of its picture; it decoded some */
	bool asked[GW_EVIDENCE_N];
	double loud_dbov;
	double loss;
	int64_t bitrate_bps;
};

void gw_app_measures_start(gw_app *app)
{
	app->measures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void gw_app_measures_stop(gw_app *app)
{
	g_clear_pointer(&app->measures, g_hash_table_unref);
}

static struct measure *known(gw_app *app, const char *party)
{
	struct measure *m = g_hash_table_lookup(app->measures, party);
	if (m == NULL) {
		m = g_new0(struct measure, 1);
		m->loud_dbov = -127;
		g_hash_table_insert(app->measures, g_strdup(party), m);
	}
	return m;
}

/* Of the site on the screen, NULL for every other party. */
static struct measure *obtain(gw_app *app, const char *party)
{
	int64_t turn_us;
	const char *conference = gw_party_conference(app->domain, party);
	bool checked = conference != NULL && gw_ready_is(app->domain, conference);
	if (checked && (turn_us = gw_ready_turn_us(app->domain, party)) < 0) {
		return NULL;
	}
	if (conference == NULL || (!checked && g_strcmp0(gw_rollcall_turn(app->domain, conference, &turn_us), party) != 0)) {
		return NULL;
	}
	struct measure *m = known(app, party);
	if (m->turn_us != turn_us) {
		*m = (struct measure){ .turn_us = turn_us, .loud_dbov = -127, .black = m->black, .still = m->still, .looped = m->looped };
	}
	return m;
}

static void take(gw_app *app, const char *party, struct measure *m, enum gw_evidence_kind kind)
{
	const char *rollcall = gw_rollcall_of(app->domain, gw_party_conference(app->domain, party));
	if (!m->asked[kind] && rollcall != NULL) {
		m->asked[kind] = true;
		gw_app_evidence_take(app, rollcall, party, kind);
	}
}

static void tell(gw_app *app, const char *party, struct measure *m)
{
	int64_t age_us = ort_now_us() - m->turn_us;
	bool listened = age_us >= LISTEN_US, quiet = !m->spoke && m->loud_dbov < SILENT_DBOV;
	struct gw_rollcall_measure now = { .black = m->black || (listened && m->looked && !m->pictures), .frozen = m->still,
					   .looped = m->looped, .clipped = m->clipped, .loss = m->loss,
					   .silent = (listened && quiet) || (m->silent_said && !m->loud), .bitrate_bps = m->bitrate_bps };
	if (gw_ready_turn_us(app->domain, party) >= 0) {
		gw_ready_measured(app->domain, party,
				  &(struct gw_ready_figures){ .black = now.black, .frozen = now.frozen, .silent = now.silent, .loss = now.loss,
							      .bitrate_bps = now.bitrate_bps, .rtt_ms = gw_app_room_rtt_ms(app, party) });
		return;
	}
	gw_rollcall_measured(app->domain, party, &now, gw_app_now());
	if (age_us >= LOOK_US && gw_party_is_live(gw_party_get_state(app->domain, party))) {
		take(app, party, m, GW_EVIDENCE_CLIP);
		take(app, party, m, GW_EVIDENCE_STILL);
	}
	const char *rollcall = gw_rollcall_of(app->domain, gw_party_conference(app->domain, party));
	g_hash_table_add(app->dirty_rollcalls, g_strdup(rollcall));
	gw_app_flush_soon(app);
}

/* Whoever goes before it was looked at is taken as it goes: its input is still there. */
void gw_app_measure_turn(gw_app *app, const char *party)
{
	GHashTableIter it;
	const char *other;
	struct measure *m;
	const char *conference = gw_party_conference(app->domain, party);
	g_hash_table_iter_init(&it, app->measures);
	while (g_hash_table_iter_next(&it, (gpointer *)&other, (gpointer *)&m)) {
		const char *in = gw_party_conference(app->domain, other);
		if (in == NULL) {
			g_hash_table_iter_remove(&it);
		} else if (m->turn_us != 0 && g_strcmp0(in, conference) == 0 && g_strcmp0(other, party) != 0 &&
			   gw_party_is_live(gw_party_get_state(app->domain, other))) {
			take(app, other, m, GW_EVIDENCE_STILL);
		}
	}
}

void gw_app_measure_picture(gw_app *app, const char *party, const char *state)
{
	const char *conference = gw_party_conference(app->domain, party);
	if (conference == NULL || gw_rollcall_of(app->domain, conference) == NULL) {
		return;
	}
	struct measure *m = known(app, party);
	m->still = g_strcmp0(state, "frozen") == 0 || g_strcmp0(state, "broken") == 0;
	m->black = g_strcmp0(state, "black") == 0;
	m->looped = g_strcmp0(state, "looped") == 0;
	m = obtain(app, party);
	if (m != NULL) {
		tell(app, party, m);
	}
}

void gw_app_measure_sound(gw_app *app, const char *party, const char *state)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->silent_said = g_strcmp0(state, "silent") == 0;
		m->loud |= g_strcmp0(state, "heard") == 0;
		m->clipped |= g_strcmp0(state, "clipped") == 0;
		tell(app, party, m);
	}
}

void gw_app_measure_frames(gw_app *app, const char *party, double fps)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->looked = true;
		m->pictures |= fps > 0;
	}
}

void gw_app_measure_speaking(gw_app *app, const char *party)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->spoke = true;
	}
}

void gw_app_measure_level(gw_app *app, const char *party, double level_dbov)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->loud_dbov = fmax(m->loud_dbov, level_dbov);
		m->clipped |= level_dbov > CLIPPED_DBOV;
	}
}

void gw_app_measure_flow(gw_app *app, const char *party, double loss, int64_t bitrate_bps)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->loss = loss;
		m->bitrate_bps = bitrate_bps;
	}
}

static void tell_checked(const char *party, void *user_data)
{
	struct measure *m = obtain(user_data, party);
	if (m != NULL) {
		tell(user_data, party, m);
	}
}

void gw_app_measures_tell(gw_app *app, const char *conference)
{
	int64_t turn_us;
	gw_ready_turns(app->domain, conference, tell_checked, app);
	const char *party = gw_rollcall_turn(app->domain, conference, &turn_us);
	struct measure *m = party != NULL && gw_party_is_live(gw_party_get_state(app->domain, party)) ? obtain(app, party) : NULL;
	if (m != NULL) {
		tell(app, party, m);
	}
}
