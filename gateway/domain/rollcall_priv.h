/* Inside of the domain: roll calls and their schedules. Included by domain_priv.h. */
#pragma once
#include "gateway/domain/domain.h"

struct gw_party;
struct gw_conference;

/* ---- bodies of records ---- */
struct gw_rec_rollcall_open { char *id, *conference, *name, **sites; int64_t nr, ahead, dwell_ms; bool hang_up; };
struct gw_rec_rollcall_run { char *rollcall; bool on; };
struct gw_rec_rollcall_entry { char *rollcall, *site, *party; };
struct gw_rec_rollcall_result { char *rollcall, *site, *why; int result; };
struct gw_rec_rollcall_figures { char *rollcall, *site; int64_t answer_ms, bitrate_bps; double loss; bool black, frozen, silent, clipped, looped; };
struct gw_rec_rollcall_ref { char *rollcall; };
struct gw_rec_rollcall_code { char *rollcall, *site, *code; };
struct gw_rec_rollcall_said { char *rollcall, *site; bool right; };
struct gw_rec_rollcall_evidence { char *rollcall, *site, *file, *sha256; int64_t bytes, at_ms; int kind; };
struct gw_rec_schedule { char *id, *name, **sites; int64_t nr, ahead, dwell_ms, minute, days; bool hang_up, drill; };
struct gw_rec_schedule_ref { char *schedule; };
struct gw_rec_schedule_due { char *schedule, *conference, *rollcall; int64_t due_ms; };

/* ---- objects ---- */
enum gw_code_state { GW_CODE_NONE, GW_CODE_SHOWN, GW_CODE_RIGHT, GW_CODE_WRONG, GW_CODE_N };
extern const char *const gw_code_names[GW_CODE_N + 1];
struct gw_kept_evidence { char *file, *sha256; int64_t bytes, at_ms; };	/* file NULL = none */
struct gw_rollcall_entry {
	char *site, *name, *party, *why, *by;	/* party NULL = not called yet */
	enum gw_result result;
	int64_t called_ms, answered_ms, shown_ms, done_ms, shown_us;	/* ms 0 = not yet */
	int64_t answer_ms;		/* from the call to the picture, of the figures */
	bool measured, said;		/* said: its result is of this turn */
	struct gw_rollcall_measure figures;
	char code[8];			/* last one shown */
	enum gw_code_state code_state;
	struct gw_kept_evidence evidence[GW_EVIDENCE_N];
};
struct gw_rollcall {
	char *id, *name;
	struct gw_conference *conference;
	int64_t opened_ms, started_ms, closed_ms, dwell_ms;
	int ahead, current;		/* current -1 = nobody's turn */
	bool running, hang_up;
	GArray *entries;		/* struct gw_rollcall_entry */
};
struct gw_schedule {
	char *id, *name, **sites;
	int ahead, minute, days;
	int64_t dwell_ms, next_ms;	/* next: wall clock, 0 = never */
	bool hang_up, drill;
	int64_t last_ms, missed_ms;	/* 0 = never */
	char *conference, *rollcall;	/* of the last run; NULL = none */
};

void gw_rollcall_free(gpointer p);
void gw_schedule_free(gpointer p);
struct gw_rollcall *gw_rollcall_find(const gw_domain *d, const char *id, GError **err);
struct gw_rollcall *gw_rollcall_find_open(const gw_domain *d, const char *id, GError **err);
struct gw_rollcall_entry *gw_rollcall_entry_at(const struct gw_rollcall *r, int n);	/* NULL = none there */
struct gw_rollcall_entry *gw_rollcall_by_site(const struct gw_rollcall *r, const char *site);
void gw_rollcall_changed(gw_domain *d, const struct gw_rollcall *r, const char *party);
bool gw_rollcall_sites_ok(const gw_domain *d, const char *const *sites, GError **err);
void gw_rollcall_plate(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now);	/* its text in the picture */

/* rollcall_results.c */
enum gw_result gw_rollcall_verdict(const gw_domain *d, const struct gw_rollcall_entry *e);	/* as measured so far */
/* The verdict and its reason (static text, NULL = none), as measured. */
enum gw_result gw_rollcall_judge(const gw_domain *d, const struct gw_rollcall_entry *e, const char **ret_why);
void gw_rollcall_remember_figures(gw_domain *d, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, struct gw_now now);
void gw_rollcall_say(gw_domain *d, const char *actor, const struct gw_rollcall *r, const struct gw_rollcall_entry *e, enum gw_result result,
		     const char *why, struct gw_now now);
/* Called as a party comes into the picture, also in a replay: answer times are the log's. */
void gw_rollcall_answered(gw_domain *d, const struct gw_party *p, int64_t at_ms);
json_t *gw_rollcall_entry_json(const gw_domain *d, const struct gw_rollcall_entry *e, bool turn);	/* circular.c */
json_t *gw_rollcall_head_json(const struct gw_rollcall *r);
