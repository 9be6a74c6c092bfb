/* Parties as the application holds them: calls (SIP and other legs that we answer and dial), and seats (sessions of browsers
 * that joined). What a party is stands in the domain; here is only which leg is whose. */
#pragma once
#include "gateway/app/app_priv.h"
#include "gateway/sip/sip.h"

/* Who makes legs: gateway/sip, or the fake of the tests. */
struct gw_caller {
	gw_leg *(*make)(void *stack, const char *id, const char *prefix, GError **err);	/* not dialled yet */
	int (*floor)(gw_leg *leg, const char *word);	/* "grant", "deny", "revoke", "taken", "free"; -ENOTSUP */
	void *stack;
};

/* ---- calls.c ---- */
void gw_app_calls_start(gw_app *app);
void gw_app_calls_stop(gw_app *app);	/* frees all legs */
void gw_app_set_caller(gw_app *app, const struct gw_caller *caller);	/* copied; NULL = nobody can call */
void gw_app_set_h323_caller(gw_app *app, const struct gw_caller *caller);	/* of addresses "h323:.." */
extern const struct gw_leg_listener gw_app_call_listener;	/* of legs made by the caller; user_data is the gw_app */
gw_leg *gw_app_party_leg(gw_app *app, const char *party);	/* NULL = none */
void gw_app_party_dial(gw_app *app, const char *party, const char *address);
void gw_app_party_drop(gw_app *app, const char *party, const char *why);
bool gw_app_is_our_call(const gw_app *app, const char *transport);	/* of this process, not of one before */
void gw_app_calls_foreach(gw_app *app, void (*fn)(gw_leg *leg, const char *party, void *ud), void *ud);	/* party NULL = not let in yet */
unsigned gw_app_calls_count(const gw_app *app, const char *address_prefix);

/* An incoming call: decided first (prefix of its streams, transfer full, or NULL and *ret_status), then its leg comes. */
struct gw_call_in { const char *number, *from, *name, *site, *agent, *address;
		    const char *bridge;	/* trunk that joins conference to conference, else NULL */
		    enum gw_party_kind kind; bool keep; };
char *gw_app_call_decide(gw_app *app, const struct gw_call_in *in, unsigned *ret_status);
void gw_app_call_came(gw_app *app, gw_leg *leg);
const char *gw_app_leg_party(gw_app *app, const gw_leg *leg);	/* NULL = none, or not let in yet */
const struct gw_caller *gw_app_caller_of(const gw_app *app, const gw_leg *leg);	/* who made it */
const char *gw_app_call_conference(gw_app *app, const gw_leg *leg);	/* that it is in or owes a password of; NULL */
bool gw_app_call_moves(gw_app *app, gw_leg *leg, const char *number);	/* REFER to another conference of ours */

/* ---- content.c: the token and the peers' floors ---- */
void gw_app_floor_heard(gw_app *app, gw_leg *leg, enum gw_sip_floor_news news);
void gw_app_content_act(gw_app *app, const char *conference, const char *party, const char *word);
void gw_app_content_joined(gw_app *app, const char *party);

/* ---- loops.c: conferences that trunks join in a circle ---- */
void gw_app_loops_start(gw_app *app);
void gw_app_loops_stop(gw_app *app);
char *gw_app_loop_path(gw_app *app, const gw_leg *leg);	/* what is said to its peer, (transfer full); NULL = nothing */
bool gw_app_loop_asked(gw_app *app, const char *conference, const char *address, const char *path);	/* a call that would close one */
void gw_app_loop_heard(gw_app *app, const gw_leg *leg, const char *path);
bool gw_app_loop_answered(gw_app *app, const gw_leg *leg, const char *path);	/* false: both called; this call is the one too much */
void gw_app_loop_forget(gw_app *app, const gw_leg *leg);

/* ---- keypad.c: keys inside of a conference; *star_us: when the star came, 0 = none ---- */
void gw_app_keys(gw_app *app, const char *party, const char *digits, int64_t *star_us);

/* ---- ivr.c: callers that owe a password ---- */
struct gw_ivr;
struct gw_ivr *gw_ivr_new(gw_app *app, const char *prefix, const struct gw_call_in *in);	/* in copied */
void gw_ivr_free(struct gw_ivr *ivr);
void gw_ivr_up(struct gw_ivr *ivr, gw_leg *leg);
enum gw_admission gw_ivr_digits(struct gw_ivr *ivr, const char *digits);	/* OK: the party may be entered; ASK: more digits */
const struct gw_call_in *gw_ivr_call(const struct gw_ivr *ivr);
const char *gw_ivr_conference(const struct gw_ivr *ivr);
bool gw_ivr_overdue(const struct gw_ivr *ivr, int64_t now_us);

/* ---- summons.c: who is called to confirm by a digit ---- */
struct gw_summons;
struct gw_summons *gw_summons_new(gw_app *app, const char *prefix, const char *callack, int row, int way);
void gw_summons_free(struct gw_summons *s);
void gw_summons_state(struct gw_summons *s, gw_leg *leg, enum gw_leg_state state, const char *why);
bool gw_summons_digits(struct gw_summons *s, const char *digits);	/* true: confirmed, let him in */
bool gw_summons_is(const struct gw_summons *s, const char *callack, int row, int way);
bool gw_summons_facts(const struct gw_summons *s, struct gw_party_facts *ret, const char **ret_conference);
void gw_summons_joined(const struct gw_summons *s, const char *party);
bool gw_summons_overdue(const struct gw_summons *s, int64_t now_us);
bool gw_app_summon(gw_app *app, const char *address, const char *callack, int row, int way, char **ret_why);	/* calls.c, likewise below */
void gw_app_unsummon(gw_app *app, const char *callack, int row, int way);

/* ---- seats.c: browsers ---- */
char *gw_app_seat_address(const struct gw_api_session *s);	/* (transfer full) */
const char *gw_app_seat_of(gw_app *app, const struct gw_api_session *s, const char *conference);	/* its party there, live; NULL */
bool gw_app_seat_owns(gw_app *app, const struct gw_api_session *s, const char *party);
bool gw_app_is_seat(gw_app *app, const char *party);	/* a browser's, with a connection */
void gw_app_seat_taken(gw_app *app, const char *party);
void gw_app_feed_seat(gw_app *app, const char *party, enum mcu_kind kind, const char *source);
bool gw_app_seat_fed(gw_app *app, const char *party, const char *stream);	/* one of its connections is sent this stream */
void gw_app_seat_drop(gw_app *app, const char *party, const char *why);
void gw_app_seat_leg(gw_app *app, const gw_leg *leg, enum gw_leg_state state, const char *why);	/* what a browser's leg says */

/* ---- flows.c: figures of media ---- */
void gw_app_flows_start(gw_app *app);
void gw_app_flows_stop(gw_app *app);
void gw_app_flow_security(gw_app *app, const char *party, const char *security);
void gw_app_mix_stats(gw_app *app, const struct mcu_mix_stats_event *ev);
void gw_app_flow_stats(gw_app *app, const struct mcu_room_stats_event *ev);
const char *gw_app_mix_fed(gw_app *app, const char *party, const char *slot);	/* mixes.c: what its leg is sent; NULL */

/* ---- endpoints.c: SIP accounts ---- */
struct gw_app_endpoint { char *user, *name, *site, *ha1_sha256, *ha1_md5; bool md5; int64_t made_ms; };
void gw_app_endpoints_load(gw_app *app);
void gw_app_endpoints_stop(gw_app *app);
const struct gw_app_endpoint *gw_app_endpoint(const gw_app *app, const char *user);	/* NULL = none */
const struct gw_app_endpoint *gw_app_endpoint_at(const gw_app *app, const char *site);
const char *gw_app_realm(const gw_app *app);

/* ---- trunks.c: peer systems ---- */
void gw_app_trunk_view(gw_app *app, const char *party);	/* the layout that its row says */
bool gw_app_trunk_keeps(const gw_app *app, const char *trunk);
/* What will be dialled for a party.call, (transfer full); NULL with *ret_why (transfer full) = it cannot be; both NULL = the
 * directory knows. */
char *gw_app_dial_address(gw_app *app, const struct gw_party_call *in, char **ret_why);
