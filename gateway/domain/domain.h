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
};
struct gw_action {
	enum gw_action_kind kind;
	const char *id, *scene, *why, *text, *text_zh;
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
