/* Conference control (会议控制) as the trade knows it; exact words in the README. Included by domain.h.
 *
 * Who acts: "u:..." is a dispatcher and may everything; "party:<id>" may ask for the floor or the chair for itself, and the
 * rest only as the chair of the conference. What is broadcast is what everybody but the chair is made to see; the sources'
 * own choice (party.view) comes back when it ends. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_broadcast { GW_BROADCAST_NONE, GW_BROADCAST_SITE, GW_BROADCAST_LAYOUT, GW_BROADCAST_POLL, GW_BROADCAST_VOICE,
		    GW_BROADCAST_LECTURE, GW_BROADCAST_N };
extern const char *const gw_broadcast_names[GW_BROADCAST_N + 1];	/* NULL-terminated */

/* ---- floor.c: main site (主会场), chair token (主席), floor queue (申请发言) ---- */
bool gw_main_site(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);	/* NULL = none */
/* Nobody becomes chair by asking: the conference's owner grants. One chair at a time. */
bool gw_chair_request(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_chair_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);	/* also: asks no more */
bool gw_chair_grant(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_chair_release(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_chair_revoke(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err);
bool gw_floor_request(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
bool gw_floor_is_asking(const gw_domain *d, const char *party);
bool gw_floor_cancel(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);	/* "*" = all */
/* 指定发言: the site is broadcast, every microphone but its and the chair's is shut (who comes later too), loudspeakers stay on,
 * the list is cleared. */
bool gw_floor_give(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
/* 自由讨论: broadcast and floor end, the list is cleared, every microphone opens but those that a site shut by itself. */
bool gw_free_discussion(gw_domain *d, const char *actor, const char *conference, struct gw_now now, GError **err);

/* ---- broadcast.c ---- */
/* party: of SITE and LECTURE (the lecturer); layout: of LAYOUT, NULL = as it is. NONE stops it. Polls have their own verb. */
bool gw_broadcast_set(gw_domain *d, const char *actor, const char *conference, enum gw_broadcast mode, const char *party,
		      const char *layout, struct gw_now now, GError **err);
/* 选看: the chair always; others only while nothing is broadcast. site: a party, or NULL = what all see. */
bool gw_view_site(gw_domain *d, const char *actor, const char *conference, const char *viewer, const char *site, struct gw_now now,
		  GError **err);
/* How voice switching (语音激励) listens: who speaks so long, at least so loud, takes the picture; who has it keeps it so long
 * against somebody louder. */
struct gw_voice { int64_t speak_ms, hold_ms; double level_db; };
#define GW_VOICE_DEFAULT { 0, 1500, -45 }
bool gw_voice_switch(gw_domain *d, const char *actor, const char *conference, const struct gw_voice *voice, struct gw_now now, GError **err);
struct gw_voice gw_conference_voice(const gw_domain *d, const char *conference);

/* ---- poll.c: polling (轮询) ---- */
/* viewer: whose picture goes round; NULL = what is broadcast. parties NULL or empty: all, newcomers too. Absent sites are passed
 * over. interval 5 to 600 s. */
bool gw_poll_start(gw_domain *d, const char *actor, const char *conference, const char *viewer, const char *const *parties,
		   int64_t interval_ms, struct gw_now now, GError **err);
enum gw_poll_move { GW_POLL_NEXT, GW_POLL_PAUSE, GW_POLL_RESUME, GW_POLL_STEP_N };
bool gw_poll_step(gw_domain *d, const char *actor, const char *conference, const char *viewer, enum gw_poll_move step, struct gw_now now,
		  GError **err);
bool gw_poll_stop(gw_domain *d, const char *actor, const char *conference, const char *viewer, struct gw_now now, GError **err);

/* ---- lobby.c: waiting room (等候室), planned end (延长会议), parts of a conference (分组), priority ---- */
bool gw_lobby_set(gw_domain *d, const char *actor, const char *conference, bool on, struct gw_now now, GError **err);	/* off: all come in */
bool gw_lobby_admit(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);	/* "*" = all */
bool gw_lobby_refuse(gw_domain *d, const char *actor, const char *conference, const char *party, struct gw_now now, GError **err);
/* From the planned end, or from now when there is none; 0 = no end. The clock warns and then closes it - never one of an open
 * incident. */
bool gw_conference_extend(gw_domain *d, const char *actor, const char *conference, int64_t minutes, struct gw_now now, GError **err);
/* These talk apart in a conference of their own (returned, borrowed) until they are brought back. */
const char *gw_conference_split(gw_domain *d, const char *actor, const char *conference, const char *name, const char *const *parties,
				struct gw_now now, GError **err);
bool gw_conference_rejoin(gw_domain *d, const char *actor, const char *part, struct gw_now now, GError **err);
bool gw_conference_priority(gw_domain *d, const char *actor, const char *conference, int64_t priority, struct gw_now now, GError **err);	/* 0-9 */

/* ---- barge.c: 监听, 强插, 强拆: who outranks the conference; loop-back test (环回) ---- */
#define GW_PRIORITY_NORMAL 5
/* Hears and sees, is neither heard nor seen, and stands in no list of the sites'. Returns the party (borrowed). */
const char *gw_monitor(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, int64_t rank,
		       struct gw_now now, GError **err);
const char *gw_barge_in(gw_domain *d, const char *actor, const char *conference, const struct gw_party_facts *f, int64_t rank,
			struct gw_now now, GError **err);
void gw_monitor_end(gw_domain *d, const char *actor, const char *party, struct gw_now now);	/* becomes a party like others */
/* to NULL = its call ends; else it is taken over into that conference. */
bool gw_force_release(gw_domain *d, const char *actor, const char *conference, const char *party, const char *to, int64_t rank,
		      struct gw_now now, GError **err);
bool gw_party_loop(gw_domain *d, const char *actor, const char *conference, const char *party, bool audio, bool video, struct gw_now now,
		   GError **err);

bool gw_party_is_chair(const gw_domain *d, const char *party);
bool gw_party_is_waiting(const gw_domain *d, const char *party);
bool gw_party_is_hidden(const gw_domain *d, const char *party);
/* The lecturer's picture: everybody else, by turns when they are many. false: no lecture. */
bool gw_conference_audience(const gw_domain *d, const char *conference, struct gw_view_info *ret);
