/* Inside of the domain: its objects, the records' bodies, and the one way to change anything (gw_emit). */
#pragma once
#include "gateway/domain/control_priv.h"
#include "gateway/domain/domain.h"
#include "mcu/base/clock.h"
#include "mcu/base/json.h"

enum gw_rec {
#define X(id, ...) GW_REC_##id,
#include "gateway/domain/records.def"
#undef X
	GW_REC_N
};

/* ---- bodies of records ---- */
struct gw_rec_incident_open { char *id; int64_t number; char *kind, *place, *text; int64_t level; bool has_position; double lat, lon; bool drill; };
struct gw_rec_incident_update { char *kind, *place, *text; int64_t level; bool has_position; double lat, lon; };
struct gw_rec_note { char *scene, *text; };
struct gw_rec_verdict { char *verdict, *scene; int64_t elapsed_ms; };
struct gw_rec_close { char *reason; };
struct gw_rec_step { int64_t step; };
struct gw_rec_link_issued { char *link, *scene, *person, *name; int64_t expires_ms; };
struct gw_rec_link_ref { char *link; int64_t expires_ms; };
struct gw_rec_link_ended { char *link, *why; };
struct gw_rec_scene_state { char *scene, *why; int state; };
struct gw_rec_scene_stamp { char *scene; int stamp; int64_t at_ms, at_us; };
struct gw_rec_scene_event { char *scene, *kind, *detail; };
struct gw_rec_scene_position { char *scene; double lat, lon, accuracy_m; int64_t at_ms; };
struct gw_rec_scene_mute { char *scene; bool on; };
struct gw_rec_scene_ref { char *scene; };
struct gw_rec_talk { char *party; char **scenes; bool on; };
struct gw_rec_wall_layout { char *wall; int64_t windows; };
struct gw_rec_wall_window { char *wall; int64_t window; char *scene; };
struct gw_rec_wall_state { char *wall; int64_t window; char *stream; int state; int64_t at_ms; };
struct gw_rec_division { char *id, *parent, *code, *name; };
struct gw_rec_site { char *id, *division, *name, *kind, *address; };
struct gw_rec_person { char *id, *division, *name, *title, *phone; bool duty; };
struct gw_rec_device { char *id, *site, *name, *kind; };
struct gw_rec_directory_ref { char *kind, *id; };
/* ---- bodies of records: conferences ---- */
struct gw_rec_conference_open { char *id, *number, *name, *password, *incident; int64_t nr; bool drill; };
struct gw_rec_conference_update { char *conference, *name, *password; bool locked, auto_redial; };
struct gw_rec_conference_ref { char *conference, *why; };
struct gw_rec_conference_guess { char *conference, *caller; };
struct gw_rec_party_add { char *conference, *party, *name, *site, *address, *agent; int64_t nr; int kind, role; bool out, keep; int64_t max_bps; };
struct gw_rec_party_ref { char *party; };
struct gw_rec_party_state { char *party, *why; int state; };
struct gw_rec_party_agent { char *party, *agent; };
struct gw_rec_party_move { char *party, *to; };
struct gw_rec_party_mute { char *party; bool on; };
struct gw_rec_party_volume { char *party; double in_db, out_db; };
struct gw_rec_party_role { char *party; int role; };
struct gw_rec_party_view { char *party, *view; };
struct gw_rec_content { char *conference, *party; };
struct gw_rec_content_lock { char *conference; bool on; };
struct gw_rec_view_layout { char *conference, *view, *layout, *banner, *alarm; bool by_itself, titles, clock; char *crawl; };
struct gw_rec_view_cell { char *conference, *view, *party, **parties; int64_t cell, interval_ms; int mode; };

#include "gateway/domain/rollcall_priv.h"

#include "gateway/domain/room_priv.h"
#include "gateway/domain/callack_priv.h"
#include "gateway/domain/ready_priv.h"
#include "gateway/domain/access_priv.h"
#include "gateway/domain/duty_priv.h"

struct gw_rec_row { const char *type; const struct ort_json_table *table; const char *doc; };
extern const struct gw_rec_row gw_rec_rows[GW_REC_N];
#define X(id, type, body, doc) extern const struct ort_json_table gw_rec_table_##body;
#include "gateway/domain/records.def"
#undef X
int gw_rec_by_type(const char *type);	/* -1 = not the domain's */

/* ---- objects ---- */
#define GW_ESCALATIONS 3
#define GW_WALL_WINDOWS 9
enum gw_escalation_state { GW_ESC_WAITING, GW_ESC_FIRED, GW_ESC_ACKED, GW_ESC_CANCELLED, GW_ESC_N };
struct gw_escalation { enum gw_escalation_state state; int64_t fired_ms, acked_ms; char *acked_by; };
struct gw_escalation_row { int step; enum gw_timer timer; const char *who, *en, *zh; };
extern const struct gw_escalation_row gw_escalation_rows[GW_ESCALATIONS];

struct gw_proof { int64_t at_ms, elapsed_ms; };	/* at_ms 0 = not yet */
struct gw_scene {
	char *id, *person, *name, *link;
	struct gw_incident *incident;
	enum gw_site_state state;
	char *why;
	bool muted, removed;
	char *muted_by, *talker;	/* talker: party whose sound it hears, NULL = nobody */
	bool has_position;
	struct gw_position position;
	struct gw_proof proofs[GW_STEP_N];
};
enum gw_link_state { GW_LINK_ISSUED, GW_LINK_OPENED, GW_LINK_EXPIRED, GW_LINK_REVOKED, GW_LINK_ENDED, GW_LINK_N };
struct gw_link { char *id, *person, *name; struct gw_scene *scene; enum gw_link_state state; int64_t issued_ms, opened_ms, expires_ms, expires_us; };
struct gw_note { int64_t at_ms; char *actor, *scene, *text; };
enum gw_verdict { GW_VERDICT_RUNNING, GW_VERDICT_MET, GW_VERDICT_MISSED, GW_VERDICT_CLOSED_UNMET, GW_VERDICT_N };
struct gw_incident {
	char *id, *kind, *place, *text;
	int64_t number, level;
	bool has_position, drill;
	double lat, lon;
	int64_t t0_ms, t0_us, closed_ms, met_ms;
	enum gw_verdict verdict;
	struct gw_escalation escalations[GW_ESCALATIONS];
	GPtrArray *scenes;	/* struct gw_scene, owned */
	GPtrArray *links;	/* struct gw_link, owned */
	GPtrArray *notes;	/* struct gw_note, owned */
};
struct gw_window { struct gw_scene *scene; enum gw_window_state state; int64_t since_ms, drawn_ms; };
struct gw_wall { char *id, *name; bool online; int windows; struct gw_window window[GW_WALL_WINDOWS]; };

/* ---- conferences ---- */
#define GW_REDIALS 5	/* calls in a row that fail before it is left to people */
struct gw_cell { bool by_hand; enum gw_cell_mode mode; char *party, **parties; int64_t interval_ms; };
struct gw_view { char *id; int layout; bool by_itself, titles, clock; char *banner, *alarm, *crawl; int64_t shown_ms; struct gw_cell cell[GW_CELLS]; };
struct gw_party {
	char *id, *name, *site, *address, *agent, *why, *view;
	bool bridge;			/* volatile */
	char *streams;			/* volatile; NULL = as gw_party_prefix() says */
	struct gw_conference *conference;
	enum gw_party_kind kind;
	enum gw_party_role role;
	enum gw_site_state state;
	bool out, keep, removed, lost;	/* out: we called it; lost: it went against everybody's will */
	bool mic_muted, speaker_muted;
	char *mic_muted_by, *speaker_muted_by;
	double in_db, out_db;
	int64_t max_bps, joined_ms, left_ms, next_try_ms;
	int64_t since_us, left_us, next_try_us;	/* since: of the state; left, next_try: meant when their _ms is not 0 */
	int attempts;
	struct gw_party_control control;
	bool seated;			/* has a place in the picture, perhaps kept for its return */
	bool stream[GW_PARTY_STREAM_N], speaking;	/* volatile */
	struct gw_party_flow sends, gets;
};
struct gw_guesses { int wrong; };
struct gw_conference {
	char *id, *number, *name, *password, *incident;
	int64_t opened_ms, closed_ms;
	bool drill, locked, auto_redial;
	GPtrArray *parties;		/* struct gw_party, owned, in order of coming */
	GPtrArray *seats;		/* struct gw_party or NULL, borrowed: places in pictures that fill themselves */
	GPtrArray *views;		/* struct gw_view, owned; the first is "program" */
	GHashTable *guesses;		/* caller -> wrong guesses */
	struct gw_party *holder;	/* of the content token */
	GPtrArray *asking;		/* struct gw_party, borrowed, first come first */
	bool content_locked;
	int64_t content_ms;
	struct gw_control control;
	struct gw_party *speaker;	/* volatile, likewise below */
	char *mix_state, *mix_why;
};

struct gw_domain {
	struct gw_domain_ops ops;
	void *user_data;
	char *boot;
	bool replaying;
	int64_t timer_ms[GW_TIMER_N];
	int64_t last_incident, last_scene, last_link;
	GHashTable *incidents;	/* id -> struct gw_incident, owned */
	GPtrArray *order;	/* struct gw_incident, borrowed, oldest first */
	GHashTable *scenes;	/* id -> struct gw_scene, borrowed from its incident */
	GHashTable *links;	/* id -> struct gw_link, borrowed */
	GHashTable *walls;	/* id -> struct gw_wall, owned */
	GHashTable *directory[4];	/* by enum gw_directory: id -> body struct, owned */
	int64_t last_conference, last_party, last_number;
	GHashTable *conferences;	/* id -> struct gw_conference, owned */
	GPtrArray *conference_order;	/* borrowed, oldest first */
	GHashTable *parties;	/* id -> struct gw_party, borrowed from its conference */
	int64_t last_rollcall;
	GHashTable *rollcalls;	/* id -> struct gw_rollcall, owned */
	GPtrArray *rollcall_order;	/* borrowed, oldest first */
	GHashTable *rooms;	/* device -> struct gw_room, owned */
	struct gw_access *access;	/* access.c */
	struct gw_approvals *approvals;	/* approval.c */
	GPtrArray *rollcall_schedules;	/* struct gw_schedule, owned, in order of making */
	int64_t last_schedule;
	struct gw_now schedule_looked;
	GHashTable *site_addresses;	/* site -> address by its account, owned */
	struct gw_duty *duty;
	struct gw_reports *reports;
	struct gw_callacks *callacks;
	struct gw_readies *readies;
	unsigned bad_records;
};

/* What an apply function gets: one record, its body struct, and the times in this boot's clock. */
struct gw_fact { gw_domain *d; enum gw_rec rec; void *body; const char *actor; struct gw_incident *incident; int64_t at_ms, at_us; };

/* Prints the body, applies it, hands the record out. `body` stays the caller's. */
void gw_emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_incident *incident, const void *body, struct gw_now now);
void gw_act(gw_domain *d, const struct gw_action *a);	/* silent during replay */
void gw_changed(gw_domain *d, const struct gw_incident *i);
void gw_access_after(gw_domain *d, enum gw_rec rec, const char *actor, const void *body, struct gw_now now);	/* whose it is */

/* Borrowed, NULL + err NOT_FOUND (or STATE when it is closed). */
struct gw_incident *gw_incident_find(const gw_domain *d, const char *id, GError **err);
struct gw_incident *gw_incident_find_open(const gw_domain *d, const char *id, GError **err);
struct gw_scene *gw_scene_find(const gw_domain *d, const char *id, GError **err);	/* not removed, incident open */
bool gw_site_may_enter(enum gw_site_state from, enum gw_site_state to);	/* states.def */
bool gw_text_ok(const char *text, size_t max, bool required, const char *what, GError **err);
char *gw_stream_of(const struct gw_scene *s, const char *kind);	/* "<scene>.video", (transfer full) */

void gw_incident_free(gpointer p);
void gw_scene_free(gpointer p);
void gw_domain_link_free(gpointer p);
void gw_wall_free(gpointer p);
void gw_domain_directory_init(gw_domain *d);
void gw_domain_directory_finish(gw_domain *d);

/* The clock of one incident: fires marks, verdict, link expiry; returns its next deadline. escalate.c */
int64_t gw_incident_tick(gw_domain *d, struct gw_incident *i, struct gw_now now);
int64_t gw_incident_deadline(const gw_domain *d, const struct gw_incident *i);
void gw_incident_met(gw_domain *d, struct gw_incident *i, struct gw_scene *s, struct gw_now now);
void gw_links_end(gw_domain *d, struct gw_incident *i, const struct gw_scene *only, const char *why, struct gw_now now);
void gw_walls_drop_scene(gw_domain *d, const char *actor, const struct gw_scene *s, struct gw_now now);
json_t *gw_scene_json(const gw_domain *d, const struct gw_scene *s);

/* ---- conferences ---- */
void gw_conference_free(gpointer p);
struct gw_conference *gw_conference_find(const gw_domain *d, const char *id, GError **err);
struct gw_conference *gw_conference_find_open(const gw_domain *d, const char *id, GError **err);
void gw_emit_conference(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_conference *c, const void *body, struct gw_now now);
void gw_conference_changed(gw_domain *d, const struct gw_conference *c, bool mix);	/* mix: what is mixed changed too */
void gw_conference_tick(gw_domain *d, struct gw_conference *c, struct gw_now now);
int64_t gw_conference_deadline(const gw_domain *d, const struct gw_conference *c);
void gw_conference_woken(gw_domain *d, struct gw_conference *c, struct gw_now now);	/* after a replay */

void gw_party_free(gpointer p);
struct gw_party *gw_party_get(const gw_domain *d, const char *id);	/* not removed; NULL */
const char *gw_party_prefix(const struct gw_party *p);
struct gw_party *gw_party_find(const gw_domain *d, const char *conference, const char *id, GError **err);
void gw_party_tick(gw_domain *d, struct gw_party *p, struct gw_now now);
int64_t gw_party_deadline(const gw_domain *d, const struct gw_party *p);
void gw_party_end(gw_domain *d, const char *actor, struct gw_party *p, enum gw_site_state state, const char *why, struct gw_now now);
json_t *gw_party_json(const gw_domain *d, const struct gw_party *p);
void gw_content_left(gw_domain *d, struct gw_party *p, struct gw_now now);	/* it went: its token and request go too */

struct gw_view *gw_view_find(const struct gw_conference *c, const char *id);	/* NULL */
struct gw_view *gw_view_obtain(struct gw_conference *c, const char *id);
void gw_view_free(gpointer p);
void gw_view_seat(struct gw_conference *c, struct gw_party *p, bool on);
/* What the view shows now: layout by number of parties, cells filled. */
void gw_view_resolve(const gw_domain *d, const struct gw_conference *c, const struct gw_view *v, struct gw_view_info *ret);
json_t *gw_view_json(const gw_domain *d, const struct gw_conference *c, const struct gw_view *v);

/* ---- conference control ---- */
void gw_control_init(struct gw_conference *c);
void gw_control_clear(struct gw_conference *c);
void gw_poll_free(struct gw_poll *poll);	/* NULL allowed */
bool gw_control_may(const struct gw_conference *c, const char *actor, GError **err);	/* dispatchers, and the party that is chair */
bool gw_control_own(const struct gw_conference *c, const char *actor, const struct gw_party *p, GError **err);	/* or the party itself */
/* Its own state first: a party that is there, that is neither waiting nor an observer. */
struct gw_party *gw_control_party(const gw_domain *d, const char *conference, const char *party, GError **err);
void gw_control_emit(gw_domain *d, enum gw_rec rec, const char *actor, const struct gw_conference *c, const struct gw_party *p,
		     struct gw_now now);
void gw_control_notice(gw_domain *d, const struct gw_conference *c, const struct gw_party *p, const char *why, int minutes);
/* While a record is applied: it left; for_good: it will not come back to what it had. */
void gw_control_forget(struct gw_conference *c, struct gw_party *p, bool for_good);
void gw_control_came(gw_domain *d, struct gw_party *p, struct gw_now now);	/* it is present now */
bool gw_lobby_holds(const struct gw_conference *c, const char *actor, const struct gw_party *p);
const char *gw_control_sees(const gw_domain *d, const struct gw_party *p);	/* view, borrowed */
/* What the program shows instead of its cells. */
bool gw_control_program(const gw_domain *d, const struct gw_conference *c, const struct gw_party *without, struct gw_view_info *ret);
struct gw_party *gw_poll_now(const gw_domain *d, const struct gw_conference *c, const struct gw_poll *poll, const struct gw_party *viewer);
json_t *gw_control_json(const gw_domain *d, const struct gw_conference *c);
json_t *gw_party_control_json(const gw_domain *d, const struct gw_party *p);
void gw_party_set_role(struct gw_party *p, enum gw_party_role role);	/* while a record is applied */

void gw_csv_field(GString *out, const char *text);	/* quoted where needed, harmless as a formula; csv.c */

/* A noun as a part of the domain: rows of parts.def. woken: after the replay. All but init and finish may be NULL. */
struct gw_part {
	void (*init)(gw_domain *d);
	void (*finish)(gw_domain *d);
	void (*woken)(gw_domain *d, struct gw_now now);
	int64_t (*deadline)(const gw_domain *d);
	void (*tick)(gw_domain *d, struct gw_now now);
	void (*seen)(const struct gw_fact *f);	/* after any record was applied, replayed or new */
};
#define X(name) extern const struct gw_part gw_part_##name;
#include "gateway/domain/parts.def"
#undef X

/* One function a record; table in domain.c. */
#define X(id, type, body, doc) void gw_apply_##id(const struct gw_fact *f);
#include "gateway/domain/records.def"
#undef X
