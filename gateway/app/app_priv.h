/* Inside of the application: its parts, and what the handler files share. */
#pragma once
#include "gateway/api/api.h"
#include "gateway/app/app.h"
#include "gateway/auth/auth.h"
#include "gateway/domain/domain.h"
#include "gateway/media/media.h"
#include "gateway/push/push.h"
#include "gateway/rtc/rtc.h"
#include "gateway/store/store.h"
#include "gateway/web/web.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/loop.h"

#define GW_HALL "hall"	/* the engine room that all parties share, see README */

struct gw_app {
	struct gw_app_options options;
	char *boot, *url;		/* url: "https://host:port" as told to people */
	int lock_fd;			/* state folder belongs to one process */
	GMainContext *context;
	gw_store *store;
	gw_domain *domain;
	gw_auth_worker *hasher;
	gw_auth *auth;
	gw_api *api;
	gw_web *web;
	gw_push *push;			/* NULL = no webhook configured */
	gw_media *media;
	gw_rtc *rtc;
	GSource *domain_timer, *flush_timer, *minute_timer;
	GHashTable *dirty_incidents, *dirty_walls;	/* ids, owned: to be told to pages at the next flush */
	GHashTable *dirty_conferences;	/* likewise */
	GHashTable *dirty_rollcalls;	/* likewise */
	GHashTable *dirty_duty;		/* what of it: roster, log ... */
	GHashTable *dirty_reports;	/* incidents whose reports changed */
	GHashTable *measures;		/* party -> what media says of it, measures.c */
	GHashTable *rollcall_seen;	/* roll call -> uint64_t[]: rows as pages know them */
	struct gw_evidence_keeper *evidence;	/* evidence.c */
	bool dirty_directory, flush_armed, storage_ok, started;
	char *setup_token, *demo_link, *demo_wall;	/* shown once on the terminal */
	GHashTable *failing;		/* leg id -> since when it has no connection (us), owned */
	int64_t engine_ms;		/* when the engine saw what is being handled now; 0 = nothing is */
	GHashTable *whip_seats;		/* SHA-256 of a link's token -> the session that publishes by it, owned; whip.c */
	bool hall;			/* the engine room is ours: opened or adopted */
	int64_t signed_us;		/* when the log's head was signed last */
	unsigned hall_idle;
	GHashTable *dials;		/* party -> address: to be called when the hall is open */
	struct gw_calls *calls;		/* calls.c */
	struct gw_mixes *mixes;		/* mixes.c */
	GHashTable *wanted;		/* picture of a mix in a codec other than H.264 -> how many are fed by it, variants.c */
	bool ready_dirty;		/* ready.c */
	struct gw_app_callacks *callacks;	/* callack.c */
	struct gw_app_rooms *rooms;	/* rooms.c */
	GHashTable *flows;		/* party -> figures of its media, flows.c */
	GHashTable *endpoints;		/* user -> SIP account, endpoints.c */
	struct gw_trunks *trunks;	/* zones and trunks of the configuration */
	struct gw_loops *loops;		/* loops.c */
	GHashTable *trunk_states;	/* trunk -> state, sip.c */
	struct gw_sip *sip;		/* NULL = SIP does not work: sip_why */
	char *sip_why;
	struct gw_h323 *h323;		/* NULL = not configured, or it does not work */
	GHashTable *contacts, *registered;	/* SIP user -> last contact; users that registered since our start */
	GHashTable *unanswered;			/* SIP user -> why its phone does not get in */
};

struct gw_now gw_app_now(void);
void gw_app_rearm(gw_app *app);	/* after anything that may have moved the domain's deadline */

/* ---- acknowledging ---- */
/* The reply waits until everything remembered so far is on the disk. `print` makes and sends it; `id` copied. */
struct gw_ack;
typedef void (*gw_ack_fn)(struct gw_ack *ack);
struct gw_ack { gw_app *app; gw_api_call *call; gw_ack_fn reply; char *id, *extra; int64_t n; };
void gw_app_ack(gw_app *app, gw_api_call *call, gw_ack_fn reply, const char *id, const char *extra, int64_t n);
void gw_ack_empty(struct gw_ack *ack);
void gw_ack_incident(struct gw_ack *ack);
void gw_ack_wall(struct gw_ack *ack);
void gw_ack_conference(struct gw_ack *ack);
/* The end of most acts: refused with err (stolen), or acknowledged when durable. */
void gw_app_answer(gw_app *app, gw_api_call *call, bool ok, GError *err, gw_ack_fn reply, const char *id);
void gw_app_fail(gw_api_call *call, GError *err);	/* domain error -> API error; frees err */
bool gw_app_refuse_writes(gw_app *app, gw_api_call *call);	/* true and answered: the disk has refused for too long */

/* "u:name", "field:<scene>", "wall:<id>", (transfer full) */
char *gw_app_actor(const struct gw_api_session *s);
/* A line of the log that is not the domain's. body stolen, may be NULL. */
void gw_app_remember(gw_app *app, const char *type, const char *actor, const char *incident, json_t *body);
const char *gw_app_wall_of(const struct gw_api_session *s);	/* id of the wall that this session is, or NULL */

void gw_app_put_proof(const gw_app *app, json_t *paper);	/* log_head, log_signature, public_key, node: incidents.c */

/* ---- handlers, one file a noun; each binds its methods ---- */
void gw_app_bind_people(gw_app *app);
void gw_app_bind_directory(gw_app *app);
void gw_app_bind_incidents(gw_app *app);
void gw_app_bind_scenes(gw_app *app);
void gw_app_bind_walls(gw_app *app);
void gw_app_bind_media(gw_app *app);
void gw_app_bind_system(gw_app *app);
void gw_app_bind_conferences(gw_app *app);
void gw_app_bind_rollcalls(gw_app *app);
void gw_app_bind_rollcall_papers(gw_app *app);
void gw_app_bind_schedules(gw_app *app);
void gw_app_bind_duty(gw_app *app);
void gw_app_bind_reports(gw_app *app);
void gw_app_bind_parties(gw_app *app);
void gw_app_bind_control(gw_app *app);
void gw_app_bind_endpoints(gw_app *app);
void gw_app_bind_sip(gw_app *app);
void gw_app_bind_access(gw_app *app);	/* with eyes, sessions, audit */
void gw_app_bind_eyes(gw_app *app);
void gw_app_bind_sessions(gw_app *app);
void gw_app_bind_audit(gw_app *app);
void gw_app_routes(gw_app *app);	/* WHIP, WHEP and the system's */
void gw_app_routes_rollcalls(gw_app *app);	/* circulars as PDF, stills, clips */
void gw_app_routes_system(gw_app *app);	/* health, metrics */

/* ---- ports.c: what the domain wants ---- */
extern const struct gw_domain_ops gw_app_domain_ops;
extern const struct gw_store_ops gw_app_store_ops;
void gw_app_flush_soon(gw_app *app);
void gw_app_dial_waiting(gw_app *app);	/* the hall is open */
int64_t gw_app_flush(int64_t now_us, void *user_data);
json_t *gw_app_field_view(const gw_app *app, const char *scene);	/* what a phone may know, (transfer full) */

/* ---- media.c: engine and legs ---- */
bool gw_app_media_start(gw_app *app, char **ret_why);
void gw_app_talk(gw_app *app, const char *incident);	/* route the dispatcher's sound as the domain says */
void gw_app_mute(gw_app *app, const char *scene, bool on);
void gw_app_scene_gone(gw_app *app, const char *scene, const char *why);
unsigned gw_app_rights(const struct gw_api_session *s);
void gw_app_sweep_legs(gw_app *app, int64_t now_us);
void gw_app_close_pc(gw_app *app, gw_leg *leg, const char *why);	/* of a browser: its page is told */
char *gw_app_own_address(void);	/* of this host towards others, (transfer full) */
char *gw_app_random(unsigned bytes);	/* hex, (transfer full) */

/* ---- mixes.c: what the engine mixes for conferences ---- */
void gw_app_mixes_start(gw_app *app);
void gw_app_mixes_stop(gw_app *app);
void gw_app_mix_soon(gw_app *app, const char *conference);
void gw_app_mix_leg(gw_app *app, const char *party);	/* its leg is another one, or takes something else */
void gw_app_mix_again(gw_app *app);			/* another engine: everything again */
void gw_app_mix_found(gw_app *app, const struct mcu_dump_room *room);
void gw_app_mix_event(gw_app *app, enum mcu_event event, const void *body);	/* mix_events.c */

/* ---- variants.c: peers that lack a codec; as gw_rtc_ops ---- */
char *gw_app_stream_instead(const char *stream, unsigned codecs, void *user_data);
void gw_app_stream_fed(const char *stream, bool on, void *user_data);

/* ---- measures.c: what media says of the site whose turn it is ---- */
void gw_app_measures_start(gw_app *app);
void gw_app_measures_stop(gw_app *app);
void gw_app_measure_picture(gw_app *app, const char *party, const char *state);	/* of mix.input_state */
void gw_app_measure_sound(gw_app *app, const char *party, const char *state);
void gw_app_measure_turn(gw_app *app, const char *party);	/* its turn begins */
void gw_app_measure_frames(gw_app *app, const char *party, double fps);
void gw_app_measure_speaking(gw_app *app, const char *party);
void gw_app_measure_level(gw_app *app, const char *party, double level_dbov);
void gw_app_measure_flow(gw_app *app, const char *party, double loss, int64_t bitrate_bps);
void gw_app_measures_tell(gw_app *app, const char *conference);	/* every 2 s */

/* ---- control.c: conference control ---- */
void gw_app_notice(gw_app *app, const struct gw_action *a);
void gw_app_hide_monitors(json_t *conference);

/* ---- sip.c, calls.c ---- */
void gw_app_contacts_load(gw_app *app);
/* What to dial for an address: after a restart of ours a device that has not registered again is called where it was. */
char *gw_app_where(const gw_app *app, const char *address);
const char *gw_app_device_why(const gw_app *app, const char *address);	/* why a device cannot be called, in words; NULL: it can */
bool gw_app_sip_start(gw_app *app, char **ret_why);
void gw_app_sip_stop(gw_app *app);
void gw_app_sip_event(gw_app *app, enum mcu_event event, const void *body);
void gw_app_sip_transport_lost(gw_app *app, const char *transport, const char *why);
bool gw_app_h323_start(gw_app *app, char **ret_why);	/* false: the configuration does not read */
void gw_app_h323_stop(gw_app *app);
void gw_app_h323_event(gw_app *app, enum mcu_event event, const void *body);
void gw_app_h323_transport_lost(gw_app *app, const char *transport, const char *why);
void gw_app_sweep_calls(gw_app *app, int64_t now_us);

/* ---- access.c, eyes.c: ops of gateway/api ---- */
bool gw_app_may(const struct gw_api_session *s, const char *kind, const char *id, const json_t *object, bool command, void *user_data);
void gw_app_acting(const struct gw_api_session *s, bool on, void *user_data);
enum gw_error gw_app_approve(const struct gw_api_session *s, enum gw_method method, const json_t *params, const void *request, char **ret_why,
			     void *user_data);

/* ---- people.c ---- */
enum gw_error gw_app_auth_error(enum gw_auth_error err);
bool gw_app_is_limited(const gw_app *app, const struct gw_auth_identity *who);	/* its second factor is missing, and demanded */
extern const struct gw_api_ops gw_app_api_ops;
bool gw_app_auth_start(gw_app *app);
/* Takes a link's only seat, or comes back to it. GW_ERROR_N = grant filled. */
enum gw_error gw_app_open_link(gw_app *app, const char *token, const char *current, const char *remote,
			       struct gw_auth_grant *ret, const char **ret_why);
char *gw_app_link_url(const gw_app *app, const char *token);	/* (transfer full) */

/* ---- duty.c ---- */
bool gw_app_duty_rules(gw_app *app, char **ret_why);	/* of the configuration; before the replay */
void gw_app_duty_changed(gw_app *app, const char *what);
void gw_app_duty_flush(gw_app *app, const char *what);
void gw_app_duty_alarm(gw_app *app, const char *key);
void gw_app_report_changed(gw_app *app, const char *incident);	/* report.c */
void gw_app_report_flush(gw_app *app, const char *incident);

/* ---- demo.c, banner.c ---- */
void gw_app_demo(gw_app *app);
void gw_app_banner(const gw_app *app);
