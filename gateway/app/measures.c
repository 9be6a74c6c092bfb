/* Roll calls measure by themselves: what engine and mixer say of the site whose turn it is becomes its figures. Levels count
 * from the beginning of the turn: before it, a microphone that is shut says nothing about the room. */
#include <math.h>

#include "gateway/app/app_priv.h"

#define SILENT_DBOV (-60)
#define CLIPPED_DBOV (-4)	/* smoothed: speech is 20 dB below */
#define LISTEN_US (5 * ORT_US_PER_S)	/* nobody is called silent before */

struct measure {
	int64_t turn_us;		/* the turn that these belong to */
	bool spoke, clipped, black, still;
	bool looked, pictures;		/* the mixer told of its picture; it decoded some */
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

/* Of the site on the screen, NULL for every other party. */
static struct measure *obtain(gw_app *app, const char *party)
{
	int64_t turn_us;
	const char *conference = gw_party_conference(app->domain, party);
	if (conference == NULL || g_strcmp0(gw_rollcall_turn(app->domain, conference, &turn_us), party) != 0) {
		return NULL;
	}
	struct measure *m = g_hash_table_lookup(app->measures, party);
	if (m == NULL) {
		m = g_new0(struct measure, 1);
		g_hash_table_insert(app->measures, g_strdup(party), m);
	}
	if (m->turn_us != turn_us) {
		*m = (struct measure){ .turn_us = turn_us, .loud_dbov = -127 };
	}
	return m;
}

static void tell(gw_app *app, const char *party, const struct measure *m)
{
	bool listened = ort_now_us() - m->turn_us >= LISTEN_US;
	gw_rollcall_measured(app->domain, party,
			     &(struct gw_rollcall_measure){ .black = m->black || (listened && m->looked && !m->pictures), .frozen = m->still, .clipped = m->clipped, .loss = m->loss,
							    .silent = listened && !m->spoke && m->loud_dbov < SILENT_DBOV,
							    .bitrate_bps = m->bitrate_bps },
			     gw_app_now());
	const char *rollcall = gw_rollcall_of(app->domain, gw_party_conference(app->domain, party));
	g_hash_table_add(app->dirty_rollcalls, g_strdup(rollcall));
	gw_app_flush_soon(app);
}

void gw_app_measure_picture(gw_app *app, const char *party, const char *state)
{
	struct measure *m = obtain(app, party);
	if (m != NULL) {
		m->still = g_strcmp0(state, "frozen") == 0 || g_strcmp0(state, "broken") == 0;
		m->black = g_strcmp0(state, "black") == 0;
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

void gw_app_measures_tell(gw_app *app, const char *conference)
{
	int64_t turn_us;
	const char *party = gw_rollcall_turn(app->domain, conference, &turn_us);
	struct measure *m = party != NULL && gw_party_is_live(gw_party_get_state(app->domain, party)) ? obtain(app, party) : NULL;
	if (m != NULL) {
		tell(app, party, m);
	}
}
