/* The rules of dispatch as functions of (event, now): incidents (突发事件), their scene clock, escalation, field links,
 * scenes, walls, directory. No I/O, no clock of its own: everything the world must do is an action handed to the port.
 *
 * Event-sourced: a verb validates, makes a record, applies it, and hands it to the port to remember; replay applies the
 * remembered records again and hands out nothing. Loop thread only (or any one thread in tests).
 *
 * Times: `gw_now.us` is monotonic (CLOCK_BOOTTIME), rules measure with it; `gw_now.wall_ms` is for records and people. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gw_domain gw_domain;

struct gw_now { int64_t us; int64_t wall_ms; };

enum gw_domain_error { GW_DOMAIN_INVALID, GW_DOMAIN_NOT_FOUND, GW_DOMAIN_CONFLICT, GW_DOMAIN_EXPIRED, GW_DOMAIN_USED,
		       GW_DOMAIN_REVOKED, GW_DOMAIN_STATE, GW_DOMAIN_LIMIT };
#define GW_DOMAIN_ERROR (gw_domain_error_quark())
GQuark gw_domain_error_quark(void);

enum gw_site_state {
#define X(id, ...) GW_SITE_##id,
#include "gateway/domain/states.def"
#undef X
	GW_SITE_N
};
enum gw_step {
#define X(id, ...) GW_STEP_##id,
#include "gateway/domain/stamps.def"
#undef X
	GW_STEP_N
};
enum gw_timer {
#define X(id, ...) GW_TIMER_##id,
#include "gateway/domain/timers.def"
#undef X
	GW_TIMER_N
};
enum gw_window_state { GW_WINDOW_EMPTY, GW_WINDOW_WAITING, GW_WINDOW_DRAWN, GW_WINDOW_FROZEN, GW_WINDOW_LOST, GW_WINDOW_N };

extern const char *const gw_site_state_names[GW_SITE_N + 1];	/* NULL-terminated, likewise below */
extern const char *const gw_step_names[GW_STEP_N + 1];
extern const char *const gw_window_state_names[GW_WINDOW_N + 1];
struct gw_timer_row { const char *key; int64_t default_ms; const char *clause, *doc; };
extern const struct gw_timer_row gw_timer_rows[GW_TIMER_N];

/* One line of the log. Strings borrowed. */
struct gw_record {
	int64_t seq;		/* the store's, 0 while new */
	int64_t at_ms, at_us;
	const char *boot;	/* boot id of the host that at_us belongs to */
	const char *type;	/* row of records.def, or one of the app's own types: replay skips those */
	const char *actor;	/* "u:name", "field:<scene>", "wall:<id>", "engine", "clock", "gateway" */
	const char *incident;	/* may be NULL */
	json_t *body;		/* borrowed */
};

enum gw_action_kind {
	GW_ACT_REMEMBER,	/* record */
	GW_ACT_CHANGED_INCIDENT,/* id: incident (send its new state to pages) */
	GW_ACT_CHANGED_WALL,	/* id: wall */
	GW_ACT_CHANGED_DIRECTORY,
	GW_ACT_ROOM_OPEN,	/* id: incident; its conference room is wanted */
	GW_ACT_ROOM_CLOSE,	/* id: incident */
	GW_ACT_LINK_ENDED,	/* id: link, scene, why: end the seat's session and its leg */
	GW_ACT_TALK,		/* id: incident; audio routes towards scenes changed: see gw_domain_talker() */
	GW_ACT_MUTE,		/* id: incident, scene, on: pause or resume the scene's sound for all */
	GW_ACT_ESCALATE,	/* id: incident, step, minutes, text: show, sound, webhook */
	GW_ACT_VERDICT,		/* id: incident, why: "met" or "missed" */
	GW_ACT_CONF_OPEN,	/* id: conference; its mix is wanted */
	GW_ACT_CONF_CLOSE,	/* id: conference */
	GW_ACT_CONF_CHANGED,	/* id: conference (send its new state to pages) */
	GW_ACT_MIX_CHANGED,	/* id: conference; who is heard or seen where changed */
	GW_ACT_PARTY_DIAL,	/* id: conference, party, text: address */
	GW_ACT_PARTY_HANG_UP,	/* id: conference, party, why */
	GW_ACT_CONTENT,		/* id: conference, party, why: "grant", "deny", "revoke", "taken" (somebody else has it), "free" */
	GW_ACT_ROLLCALL,	/* id: roll call, party: whose turn began (play the tone), or NULL: its state changed */
	GW_ACT_ACCESS,		/* who may see what changed: pages must ask again */
	GW_ACT_APPROVAL,	/* id: a request for a second pair of eyes changed */
	GW_ACT_NOTICE,		/* id: conference, party or NULL, why: a word, minutes: a tone, and news for pages */
	GW_ACT_SCHEDULE,	/* id: saved list of a roll call; why: "ran", "missed" or NULL: it changed */
	GW_ACT_DUTY,		/* id: what of duty changed: roster, handover, log, zero, contacts */
	GW_ACT_DUTY_ALARM,	/* id: key; it was raised, acknowledged or settled */
	GW_ACT_REPORT,		/* id: incident; its reports or their deadlines changed */
	GW_ACT_CALLACK,		/* id: call-and-acknowledge, why: "acked", "spent" (text: which post), "closed", or NULL: its state changed */
	GW_ACT_CALLACK_WAY,	/* id, step: row, minutes: way, why: channel, text: to, on: begin; else stop what still sounds */
	GW_ACT_READY,		/* id: readiness check that went on */
};
struct gw_action {
	enum gw_action_kind kind;
	const char *id, *scene, *party, *why, *text, *text_zh;
	int step, minutes;
	bool on;
	const struct gw_record *record;
};
struct gw_domain_ops { void (*act)(const struct gw_action *action, void *user_data); };

/* `boot` names the host's boot (copied): at_us of records of another boot is derived from the wall clock. */
gw_domain *gw_domain_new(const struct gw_domain_ops *ops, const char *boot, void *user_data);
void gw_domain_free(gw_domain *d);
void gw_domain_set_timer(gw_domain *d, enum gw_timer timer, int64_t ms);	/* from the configuration, before replay */

/* Start-up: each record in order, then done(). 0, or -EBADMSG (a record of ours that does not read: counted, skipped). */
int gw_domain_replay(gw_domain *d, const struct gw_record *record, struct gw_now now);
void gw_domain_replay_done(gw_domain *d, struct gw_now now);	/* ROOM_OPEN for open incidents, then what is overdue */
int64_t gw_domain_deadline(const gw_domain *d);	/* us, or ORT_NEVER */
void gw_domain_tick(gw_domain *d, struct gw_now now);

/* ---- incidents ---- */
struct gw_incident_facts { const char *kind, *place, *text; int level; bool has_position; double lat, lon; bool drill; };
/* level 1-4 (I-IV), kind/place <= 200 bytes, text <= 4,000. Returns the id (borrowed), NULL + err. */
const char *gw_incident_open(gw_domain *d, const char *actor, const struct gw_incident_facts *f, struct gw_now now, GError **err);
bool gw_incident_update(gw_domain *d, const char *actor, const char *id, const struct gw_incident_facts *f, struct gw_now now, GError **err);
bool gw_incident_close(gw_domain *d, const char *actor, const char *id, const char *reason, struct gw_now now, GError **err);
bool gw_incident_note(gw_domain *d, const char *actor, const char *id, const char *scene, const char *text, struct gw_now now, GError **err);
bool gw_escalation_ack(gw_domain *d, const char *actor, const char *id, int step, struct gw_now now, GError **err);
bool gw_incident_is_open(const gw_domain *d, const char *id);
bool gw_incident_is_drill(const gw_domain *d, const char *id);
json_t *gw_incident_print(const gw_domain *d, const char *id);	/* (transfer full), NULL = unknown */
json_t *gw_incident_list(const gw_domain *d, bool open_only, int64_t before_ms, unsigned limit);	/* newest first */
json_t *gw_incident_certificate(const gw_domain *d, const char *id, struct gw_now now);
void gw_incident_foreach_open(const gw_domain *d, void (*fn)(const char *id, void *ud), void *ud);

/* ---- field links and scenes ---- */
/* person: directory id or NULL with guest_name. The token is made and kept elsewhere; the domain knows the link's id.
 * Returned strings are borrowed. */
bool gw_link_issue(gw_domain *d, const char *actor, const char *incident, const char *person, const char *guest_name,
		   struct gw_now now, const char **ret_link, const char **ret_scene, int64_t *ret_expires_ms, GError **err);
/* First opener takes the seat; `again` = the same seat's session comes back. */
bool gw_link_open(gw_domain *d, const char *link, bool again, struct gw_now now, GError **err);
bool gw_link_revoke(gw_domain *d, const char *actor, const char *link, struct gw_now now, GError **err);
const char *gw_link_scene(const gw_domain *d, const char *link);	/* NULL = unknown */
const char *gw_scene_incident(const gw_domain *d, const char *scene);
const char *gw_scene_name(const gw_domain *d, const char *scene);
bool gw_scene_state(gw_domain *d, const char *scene, enum gw_site_state state, const char *why, struct gw_now now);
/* `actor` must be of the process that stamps.def names for the step: "engine", "field:" (page), "wall:", "gateway".
 * The first proof counts; later ones are ignored (true). at_ms is clamped to T0..now. */
bool gw_scene_stamp(gw_domain *d, const char *actor, const char *scene, enum gw_step stamp, int64_t at_ms, struct gw_now now, GError **err);
bool gw_scene_event(gw_domain *d, const char *actor, const char *scene, const char *kind, const char *detail, struct gw_now now, GError **err);
struct gw_position { double lat, lon, accuracy_m; int64_t at_ms; };
bool gw_scene_position(gw_domain *d, const char *actor, const char *scene, const struct gw_position *p, struct gw_now now, GError **err);
bool gw_scene_mute(gw_domain *d, const char *actor, const char *scene, bool on, struct gw_now now, GError **err);
bool gw_scene_remove(gw_domain *d, const char *actor, const char *scene, struct gw_now now, GError **err);
/* scenes NULL = all of the incident. `party` is the talking console's party; on=false ends that party's talk. */
bool gw_talk_set(gw_domain *d, const char *actor, const char *incident, const char *party, const char *const *scenes,
		 bool on, struct gw_now now, GError **err);
const char *gw_domain_talker(const gw_domain *d, const char *scene);	/* party whose sound the scene hears, or NULL */
void gw_talk_gone(gw_domain *d, const char *party, struct gw_now now);	/* the console left */

/* ---- walls ---- */
void gw_wall_add(gw_domain *d, const char *wall, const char *name);	/* known from its device token; not remembered here */
void gw_wall_online(gw_domain *d, const char *wall, bool online);
bool gw_wall_layout(gw_domain *d, const char *actor, const char *wall, int windows, struct gw_now now, GError **err);
/* window 0 = where the scene is already, else the first empty, else the oldest. */
bool gw_wall_push(gw_domain *d, const char *actor, const char *wall, const char *scene, int window, struct gw_now now, int *ret_window, GError **err);
bool gw_wall_clear(gw_domain *d, const char *actor, const char *wall, int window, struct gw_now now, GError **err);	/* 0 = all */
/* The wall's own word; a report for a stream that the window does not hold any more is ignored (true, nothing changes). */
bool gw_wall_report(gw_domain *d, const char *wall, int window, const char *stream, enum gw_window_state state, int64_t at_ms, struct gw_now now, GError **err);
json_t *gw_wall_print(const gw_domain *d, const char *wall);
json_t *gw_wall_list(const gw_domain *d);

/* ---- directory ---- */
bool gw_directory_put(gw_domain *d, const char *actor, const char *kind, json_t *item, struct gw_now now, GError **err);
bool gw_directory_remove(gw_domain *d, const char *actor, const char *kind, const char *id, struct gw_now now, GError **err);
json_t *gw_directory_print(const gw_domain *d);
char *gw_directory_export(const gw_domain *d);	/* CSV with a header line, UTF-8, RFC 4180, (transfer full) */
/* {added, changed, removed, errors:[{line, why}]}; nothing is changed when dry_run or when a line is wrong. */
json_t *gw_directory_import(gw_domain *d, const char *actor, const char *csv, bool dry_run, struct gw_now now);

/* ---- conferences (会议) and their parties (会场) ----
 * A conference is a number that people dial, a list of parties, pictures (views) and one content token (辅流令牌). Parties
 * stay in the list when they leave; one that comes back by the same site or address takes its old place, in the list and
 * in the picture. Media figures (speaking, sizes, loss) are not remembered. */
enum gw_party_kind { GW_PARTY_BROWSER, GW_PARTY_SIP, GW_PARTY_TRUNK, GW_PARTY_ROOM, GW_PARTY_H323, GW_PARTY_KIND_N };
enum gw_party_role { GW_PARTY_PARTICIPANT, GW_PARTY_CHAIR, GW_PARTY_OBSERVER, GW_PARTY_ROLE_N };
enum gw_cell_mode { GW_CELL_EMPTY, GW_CELL_FIXED, GW_CELL_VOICE, GW_CELL_POLL, GW_CELL_CONTENT, GW_CELL_MODE_N };
enum gw_party_stream { GW_PARTY_AUDIO, GW_PARTY_VIDEO, GW_PARTY_SLIDES, GW_PARTY_STREAM_N };
extern const char *const gw_party_kind_names[GW_PARTY_KIND_N + 1];	/* NULL-terminated, likewise below */
extern const char *const gw_party_role_names[GW_PARTY_ROLE_N + 1];
extern const char *const gw_cell_mode_names[GW_CELL_MODE_N + 1];
#define GW_CELLS 25

struct gw_conference_facts { const char *name, *number, *password, *incident; bool drill; };	/* number NULL = chosen; password: a hash */
/* number: 3 to 8 digits, of no other open conference. Returns the id (borrowed). */
const char *gw_conference_open(gw_domain *d, const char *actor, const struct gw_conference_facts *f, struct gw_now now, GError **err);
/* NULL or negative = stays; password "" = none. */
struct gw_conference_change { const char *name, *password; int locked, auto_redial; };
bool gw_conference_update(gw_domain *d, const char *actor, const char *id, const struct gw_conference_change *c, struct gw_now now, GError **err);
bool gw_conference_close(gw_domain *d, const char *actor, const char *id, const char *why, struct gw_now now, GError **err);
bool gw_conference_is_drill(const gw_domain *d, const char *id);
bool gw_conference_is_open(const gw_domain *d, const char *id);
const char *gw_conference_by_number(const gw_domain *d, const char *number);	/* open ones; NULL = none */
void gw_conference_foreach_open(const gw_domain *d, void (*fn)(const char *id, void *ud), void *ud);
json_t *gw_conference_print(const gw_domain *d, const char *id);	/* (transfer full), NULL = unknown */
json_t *gw_conference_list(const gw_domain *d, bool open_only, unsigned limit);	/* newest first */

/* May this caller come in? `digits` NULL = none said yet. A third wrong guess of a caller is refused, and so is what it
 * says later; a lock keeps out who is not in the list already. */
enum gw_admission { GW_ADMIT_OK, GW_ADMIT_ASK, GW_ADMIT_WRONG, GW_ADMIT_REFUSED, GW_ADMIT_LOCKED, GW_ADMIT_UNKNOWN };
enum gw_admission gw_conference_admit(gw_domain *d, const char *id, const char *caller, const char *digits, struct gw_now now);
char *gw_password_hash(const char *digits, const char *salt);	/* (transfer full); salt: random, without ':' */
bool gw_password_matches(const char *digits, const char *stored);

struct gw_party_facts { const char *name, *site, *address, *agent; enum gw_party_kind kind; enum gw_party_role role;
			bool keep; /* called again after a loss, whatever the conference says */ int64_t max_bps; };
/* It came by itself: CONNECTING. The one that is listed already by site or address, else a new one; id borrowed. */
const char *gw_party_enter(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, struct gw_now now, GError **err);
/* Call out: PARTY_DIAL. site alone is enough when the directory knows its address. */
const char *gw_party_call(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, struct gw_now now, GError **err);
int gw_party_call_absent(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err);	/* called; -1 */
/* What this address belongs to can be reached again (it registered): parties that were lost are called at once. */
void gw_party_reachable(gw_domain *d, const char *address, struct gw_now now);
bool gw_party_hang_up(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_party_remove(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_party_move(gw_domain *d, const char *actor, const char *conference, const char *party, const char *to, struct gw_now now, GError **err);
/* What its leg says. false: unknown party, or states.def refuses the move. */
bool gw_party_state(gw_domain *d, const char *party, enum gw_site_state state, const char *why, struct gw_now now);
void gw_party_agent(gw_domain *d, const char *party, const char *agent, struct gw_now now);
/* party "*" = all but chairs. mic_mute (闭音): nobody hears it; speaker_mute (静音): it hears nobody. A guest does not undo what
 * the dispatcher or chair did: actor "party:<id>" acts for itself. */
bool gw_party_mic_mute(gw_domain *d, const char *actor, const char *conference, const char *party, bool on, struct gw_now now, GError **err);
bool gw_party_speaker_mute(gw_domain *d, const char *actor, const char *conference, const char *party, bool on, struct gw_now now, GError **err);
bool gw_party_volume(gw_domain *d, const char *actor, const char *conference, const char *party, double in_db, double out_db, struct gw_now now, GError **err);
bool gw_party_role(gw_domain *d, const char *actor, const char *conference, const char *party, enum gw_party_role role, struct gw_now now, GError **err);
/* "program", "own", or the id of a party whose picture is forwarded. */
bool gw_party_view(gw_domain *d, const char *actor, const char *conference, const char *party, const char *view, struct gw_now now, GError **err);
const char *gw_party_conference(const gw_domain *d, const char *party);	/* NULL = unknown, removed */
enum gw_site_state gw_party_get_state(const gw_domain *d, const char *party);	/* ABSENT when unknown */
int64_t gw_party_max_bps(const gw_domain *d, const char *party);	/* 0 = any */
const char *gw_party_address(const gw_domain *d, const char *party);	/* NULL = unknown */
const char *gw_party_name(const gw_domain *d, const char *party);	/* NULL = unknown */
const char *gw_party_by_address(const gw_domain *d, const char *conference, const char *address);	/* NULL = not in the list */
/* Streams are "<prefix>.audio|video|slides": the prefix is the party's id, or the scene's of an address "scene:<id>", or what
 * its leg was given before it was let in (volatile). */
void gw_party_set_bridge(gw_domain *d, const char *party, bool on);	/* its equipment is an MCU (volatile); trunks are bridges anyway */
void gw_party_set_streams(gw_domain *d, const char *party, const char *prefix);	/* NULL = its id */
const char *gw_party_streams(const gw_domain *d, const char *party);
const char *gw_party_by_streams(const gw_domain *d, const char *prefix);	/* in an open conference; NULL = none */
json_t *gw_party_print(const gw_domain *d, const char *party);

/* Volatile: what media says. */
struct gw_party_flow { char codec[16], security[16], view[96]; int64_t width, height, bitrate_bps; double fps, loss; };
void gw_party_stream(gw_domain *d, const char *party, enum gw_party_stream stream, bool on, struct gw_now now);
void gw_party_flow(gw_domain *d, const char *party, bool sends, const struct gw_party_flow *flow);	/* copied */
void gw_party_speaking(gw_domain *d, const char *party, bool on);
void gw_conference_speaker(gw_domain *d, const char *id, const char *party);	/* NULL = nobody */
const char *gw_conference_get_speaker(const gw_domain *d, const char *id);	/* NULL = nobody */
void gw_conference_mix(gw_domain *d, const char *id, const char *state, const char *why);
void gw_view_shown(gw_domain *d, const char *id, const char *view, int64_t at_ms);

/* ---- content token: exactly one holder ---- */
/* wait: somebody else's token is waited for (BFCP); else taken by another is GW_DOMAIN_CONFLICT. */
bool gw_content_take(gw_domain *d, const char *actor, const char *conference, const char *party, bool wait, struct gw_now now, GError **err);
/* `party` is another system's whose presenter has the floor there: the holder here gives way to it, unless the token is locked or
 * the holder is another system; then it waits. */
bool gw_content_pass(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_content_release(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_content_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_content_revoke(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err);
bool gw_content_lock(gw_domain *d, const char *actor, const char *conference, bool on, struct gw_now now, GError **err);
const char *gw_content_holder(const gw_domain *d, const char *conference);	/* NULL = free */

/* ---- views ---- */
struct gw_layout_row { const char *name; int cells, voiced, most; };
extern const struct gw_layout_row gw_layout_rows[];
extern const size_t gw_n_layout_rows;
enum gw_look_part { GW_LOOK_AUTO = 1 << 0, GW_LOOK_TITLES = 1 << 1, GW_LOOK_CLOCK = 1 << 2, GW_LOOK_BANNER = 1 << 3, GW_LOOK_ALARM = 1 << 4 };
struct gw_view_look { const char *layout; bool by_itself, titles, clock; const char *banner, *alarm;
		      unsigned keep; /* gw_look_part: stay as they are */
		      const char *crawl; };	/* layout, crawl NULL = stays; crawl "" = none */
/* view: "program", or a party's own by its id. test: only checked. */
bool gw_view_layout(gw_domain *d, const char *actor, const char *conference, const char *view, const struct gw_view_look *look, bool test, struct gw_now now, GError **err);
struct gw_view_cell { int cell; enum gw_cell_mode mode; const char *party; const char *const *parties; int64_t interval_ms; };
bool gw_view_cell(gw_domain *d, const char *actor, const char *conference, const char *view, const struct gw_view_cell *cell, struct gw_now now, GError **err);

/* What the mix is made from: plain copies with borrowed strings, valid until the next verb. */
struct gw_party_info { const char *id, *name, *view, *streams; enum gw_party_kind kind; enum gw_party_role role; enum gw_site_state state;
		       bool mic_muted, speaker_muted, stream[GW_PARTY_STREAM_N]; double in_db, out_db;
		       bool waiting, loop_audio, bridge; /* another system: must not be sent its own picture back */ };	/* view: what it is made to see now; also "audience", "lobby" */
struct gw_cell_info { enum gw_cell_mode mode; const char *party; const char *const *parties; int64_t interval_ms; };
struct gw_view_info { const char *id, *layout, *banner, *alarm, *crawl; bool titles, clock; int n; struct gw_cell_info cell[GW_CELLS]; };
void gw_conference_parties(const gw_domain *d, const char *id, void (*fn)(const struct gw_party_info *p, void *ud), void *ud);
void gw_conference_views(const gw_domain *d, const char *id, void (*fn)(const struct gw_view_info *v, void *ud), void *ud);
/* The program as one party sees it that must not see itself: another system whose picture is a whole conference. */
bool gw_conference_view_for(const gw_domain *d, const char *id, const char *party, struct gw_view_info *ret);
bool gw_party_is_live(enum gw_site_state state);	/* connecting, present, degraded, held */

#include "gateway/domain/room.h"
#include "gateway/domain/access.h"
#include "gateway/domain/control.h"
#include "gateway/domain/rollcall.h"
#include "gateway/domain/duty.h"
#include "gateway/domain/callack.h"
#include "gateway/domain/ready.h"
