/* Roll call (点名), its circular (通报), saved lists and set hours.
 *
 * An ordered list of sites, called one after the other in a conference. The site whose turn it is, is broadcast beside the
 * chair with its name in the picture, every other microphone but the chair's is shut; the next `ahead` are dialled meanwhile
 * and kept warm. By hand: somebody says the result and goes on; unattended (dwell_ms > 0): the clock does, from what was
 * measured. It lives in the log: cut after any record, it goes on with the same site on the screen. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_result {
#define X(id, ...) GW_RESULT_##id,
#include "gateway/domain/results.def"
#undef X
	GW_RESULT_N
};
extern const char *const gw_result_names[GW_RESULT_N + 1];
extern const char *const gw_result_names_zh[GW_RESULT_N + 1];
#define GW_ROLLCALL_SITES 1000

struct gw_rollcall_facts { const char *conference, *name; const char *const *sites; /* of the directory, in order */
			   int ahead;		/* dialled before their turn; negative = 3 */
			   int64_t dwell_ms;	/* 0 = by hand */
			   bool hang_up;	/* sites leave when their turn is over, else they stay */ };
const char *gw_rollcall_open(gw_domain *d, const char *actor, const struct gw_rollcall_facts *f, struct gw_now now, GError **err);
bool gw_rollcall_run(gw_domain *d, const char *actor, const char *id, bool on, struct gw_now now, GError **err);	/* start, go on; pause */
/* Records the present site's result (GW_RESULT_N = what was measured) and shows the next one. */
bool gw_rollcall_next(gw_domain *d, const char *actor, const char *id, enum gw_result result, struct gw_now now, GError **err);
/* Says or corrects a result at any time; an excused site is passed over. NOT_CALLED: its turn comes again. */
bool gw_rollcall_mark(gw_domain *d, const char *actor, const char *id, const char *site, enum gw_result result, const char *why,
		      struct gw_now now, GError **err);
bool gw_rollcall_jump(gw_domain *d, const char *actor, const char *id, const char *site, struct gw_now now, GError **err);
bool gw_rollcall_close(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err);

/* ---- liveness ---- */
/* Four digits in the picture of the site whose turn it is, to be read back; the caller draws them. A new one replaces the old. */
bool gw_rollcall_code(gw_domain *d, const char *actor, const char *id, const char *code, struct gw_now now, GError **err);
bool gw_rollcall_code_said(gw_domain *d, const char *actor, const char *id, bool right, struct gw_now now, GError **err);

/* ---- what media measures ---- */
/* Of the site on the screen. A fault that comes and goes (frozen, looped, clipped) stays said for the turn, black and silent
 * are as they are at its end; the worst loss counts, the last rate is kept. */
struct gw_rollcall_measure { bool black, frozen, looped, silent, clipped; double loss; int64_t bitrate_bps; };
void gw_rollcall_measured(gw_domain *d, const char *party, const struct gw_rollcall_measure *m, struct gw_now now);
const char *gw_rollcall_turn(const gw_domain *d, const char *conference, int64_t *ret_shown_us);	/* party on the screen there, NULL = nobody */
const char *gw_rollcall_of(const gw_domain *d, const char *conference);	/* the one that runs or rests there, NULL = none */

/* A still or a sound clip of a site in its turn, kept in a file beside the log; its hash is in the log. */
enum gw_evidence_kind { GW_EVIDENCE_STILL, GW_EVIDENCE_CLIP, GW_EVIDENCE_N };
extern const char *const gw_evidence_names[GW_EVIDENCE_N + 1];
struct gw_evidence { enum gw_evidence_kind kind; const char *file /* without folder */, *sha256 /* hex */; int64_t bytes, at_ms; };
bool gw_rollcall_evidence(gw_domain *d, const char *id, const char *site, const struct gw_evidence *e, struct gw_now now);
const char *gw_rollcall_evidence_hash(const gw_domain *d, const char *id, const char *file);	/* NULL = none such */
char *gw_rollcall_site_of(const gw_domain *d, const char *id, const char *party);	/* (transfer full), NULL = none */

/* A site that the directory gives no address is called there: its account registered with us. Volatile; NULL = none any more. */
void gw_domain_site_address(gw_domain *d, const char *site, const char *address);

/* ---- reading ---- */
json_t *gw_rollcall_print(const gw_domain *d, const char *id);	/* rows, totals; (transfer full) */
/* Rows that are not as `seen` remembers (one number a row, 0 = never printed), which is brought up to date; "whole" tells
 * whether all are there. seen: at least GW_ROLLCALL_SITES long. */
json_t *gw_rollcall_print_changed(const gw_domain *d, const char *id, uint64_t *seen, bool *ret_whole);
json_t *gw_rollcall_list(const gw_domain *d, unsigned limit);	/* without rows, newest first */
/* The circular: as printed, and beside each row what earlier roll calls said: {result, at_ms, misses, of}. */
json_t *gw_rollcall_circular(const gw_domain *d, const char *id);
char *gw_rollcall_csv(const gw_domain *d, const char *id);	/* the circular for a spreadsheet: BOM, Chinese, local time; (transfer full) */
/* NULL or 0 = any. text: part of the name; site: id or part of a site's name; result: of that site, or of any. */
struct gw_rollcall_query { const char *text, *site; int result; bool has_result; int64_t from_ms, to_ms; unsigned limit; };
json_t *gw_rollcall_search(const gw_domain *d, const struct gw_rollcall_query *q);	/* heads, newest first */
/* For the yearly appraisal: a row a site that this division (NULL = the house) may see, over the finished roll calls that were
 * no drills. */
json_t *gw_rollcall_stats(const gw_domain *d, int64_t from_ms, int64_t to_ms, const char *division);
char *gw_rollcall_stats_csv(const gw_domain *d, int64_t from_ms, int64_t to_ms, const char *division);	/* (transfer full) */

/* ---- saved lists, and the hours at which they run by themselves ---- */
/* days: bit 0 = Monday to bit 6 = Sunday, 0 = only a saved list; minute: of the day, local time. */
struct gw_schedule_facts { const char *id /* NULL = new */, *name; const char *const *sites; int ahead, minute, days; int64_t dwell_ms; bool hang_up, drill; };
const char *gw_schedule_put(gw_domain *d, const char *actor, const struct gw_schedule_facts *f, struct gw_now now, GError **err);
bool gw_schedule_remove(gw_domain *d, const char *actor, const char *id, struct gw_now now, GError **err);
json_t *gw_schedule_print(const gw_domain *d, const char *id);	/* (transfer full), NULL = unknown */
json_t *gw_schedule_list(const gw_domain *d);
