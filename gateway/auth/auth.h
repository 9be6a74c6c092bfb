/* Who may come in: accounts (Argon2id), sessions, field links, device tokens, script tokens, the set-up token, lock-out.
 * Pure tables on the loop thread: no clock (now_us for intervals, wall_ms for records), no files (ops->save, gw_auth_load),
 * no thread of its own (ops->run; gw_auth_worker is one). Tokens are 128 random bits, known here only by their SHA-256.
 * `remote` everywhere is the key of a source (gw_source_key of gateway/api), the clock of failures runs by it. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gw_auth gw_auth;

enum gw_auth_error {
	GW_AUTH_OK,
	GW_AUTH_CREDENTIALS,	/* wrong name, wrong password, disabled: one answer for all */
	GW_AUTH_LOCKED,		/* too many failures from this source for this name, whether it exists or not */
	GW_AUTH_BUSY,		/* hash queue is full */
	GW_AUTH_UNKNOWN,	/* no such token, account, device */
	GW_AUTH_EXPIRED,
	GW_AUTH_USED,		/* link is bound to another device; set-up was done */
	GW_AUTH_REVOKED,
	GW_AUTH_WEAK,		/* password rule */
	GW_AUTH_INVALID,	/* bad name, role or kind */
	GW_AUTH_CONFLICT,	/* would remove the last administrator */
	GW_AUTH_SECOND,		/* password is right, the code of the second factor is missing */
	GW_AUTH_N
};
extern const char *const gw_auth_error_names[];	/* "ok", "credentials", ... */

struct gw_auth_ops {
	/* `record` borrowed. kind: account | session | link | device | token. May be NULL: nothing is kept. */
	void (*save)(const char *kind, const char *key, json_t *record, void *user_data);
	void (*remove)(const char *kind, const char *key, void *user_data);
	/* work(job) on another thread, then done(job) on the loop thread. NULL = both at once (tests only). */
	void (*run)(void (*work)(void *job), void (*done)(void *job), void *job, void *user_data);
};

struct gw_auth_limits {			/* 0 = the default in brackets */
	uint32_t memory_kib, passes;	/* Argon2id, RFC 9106 section 4 second choice [65536, 3], one lane: two cores */
	unsigned max_hashes, max_queue;	/* at once [2], waiting [64] */
	unsigned failures;		/* until lock-out [5] */
	int64_t lock_ms, lock_max_ms;	/* first lock, doubling up to [30 s, 1 h] */
	int64_t idle_ms, life_ms;	/* sessions of people [8 h, 24 h] */
	int64_t link_open_ms, link_life_ms;	/* first use, then life [30 min, 12 h] */
	int64_t device_ms, token_ms;	/* device sessions, script tokens [365 d, 90 d] */
	unsigned max_sessions, max_per_subject;	/* [20000, 32]; above it the longest idle one goes */
};

gw_auth *gw_auth_new(const struct gw_auth_ops *ops, const struct gw_auth_limits *limits, void *user_data);
/* All hashes must have come back: stop the worker first. */
void gw_auth_free(gw_auth *auth);
/* Start: every record that save() once gave. 0 or -EINVAL (bad record, skipped). */
int gw_auth_load(gw_auth *auth, const char *kind, const char *key, json_t *record, int64_t now_us, int64_t wall_ms);
/* Forgets what has expired. Call now and then (each minute). */
void gw_auth_tick(gw_auth *auth, int64_t now_us, int64_t wall_ms);

/* Who a credential stands for; strings borrowed until the next call. */
struct gw_auth_identity {
	const char *id;		/* of session or script token: for revoke, no secret */
	const char *subject;	/* "account:name", "device:id", "link:id", "token:id" */
	const char *name, *role;	/* role as text: administrator ... field */
	const char *incident, *scene;	/* links only, else NULL */
	int64_t expires_ms;
	const char *division;	/* data rights; NULL = the house */
	bool second_factor;	/* the account has one */
};
struct gw_auth_grant { struct gw_auth_identity who; const char *token; };	/* token: the cookie's value; NULL = keep the old */

/* ---- asynchronous: a hash is in it. fn comes exactly once, unless gw_auth_free comes first ---- */
typedef void (*gw_auth_grant_fn)(enum gw_auth_error err, const struct gw_auth_grant *grant, int64_t retry_after_s, void *user_data);
typedef void (*gw_auth_done_fn)(enum gw_auth_error err, const char *why, void *user_data);
/* code: of the second factor, may be NULL. address: for the list of sessions. */
struct gw_auth_attempt { const char *name, *password, *code, *remote, *address; };
void gw_auth_login(gw_auth *auth, const char *name, const char *password, const char *remote, int64_t now_us, int64_t wall_ms,
		   gw_auth_grant_fn fn, void *user_data);
void gw_auth_attempt(gw_auth *auth, const struct gw_auth_attempt *in, int64_t now_us, int64_t wall_ms, gw_auth_grant_fn fn, void *user_data);
/* First administrator, by the token that gw_auth_setup_token() gave. Logs in. */
void gw_auth_setup(gw_auth *auth, const char *token, const char *name, const char *password, const char *remote, int64_t now_us,
		   int64_t wall_ms, gw_auth_grant_fn fn, void *user_data);
/* password NULL keeps the old one; role, disabled or password changed = its sessions end. */
struct gw_auth_account_put { const char *name, *role, *password, *display; bool disabled; const char *division; };	/* division NULL = as it is, "" = the house */
void gw_auth_account_put(gw_auth *auth, const struct gw_auth_account_put *put, int64_t wall_ms, gw_auth_done_fn fn, void *user_data);
void gw_auth_password(gw_auth *auth, const char *name, const char *old_password, const char *new_password, const char *remote,
		      int64_t now_us, int64_t wall_ms, gw_auth_done_fn fn, void *user_data);

/* ---- accounts ---- */
struct gw_auth_account { const char *name, *display, *role; bool disabled; int64_t created_ms, last_login_ms; const char *division; bool second_factor; };
void gw_auth_account_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_account *a, void *user_data), void *user_data);
enum gw_auth_error gw_auth_account_remove(gw_auth *auth, const char *name);
bool gw_auth_setup_needed(const gw_auth *auth);	/* no administrator that could log in */
/* A new one-time set-up token, the one before dies. NULL when no set-up is needed. (transfer full) */
char *gw_auth_setup_token(gw_auth *auth);

/* ---- sessions ---- */
/* Cookie or bearer value. Pushes the idle time-out. */
enum gw_auth_error gw_auth_check(gw_auth *auth, const char *token, int64_t now_us, int64_t wall_ms, struct gw_auth_identity *ret);
/* By id, for connections that live on. false: expired, idle too long, revoked. */
bool gw_auth_touch(gw_auth *auth, const char *id, int64_t now_us, int64_t wall_ms);
bool gw_auth_logout(gw_auth *auth, const char *id);
unsigned gw_auth_revoke_subject(gw_auth *auth, const char *subject);	/* ends its sessions; how many */
struct gw_auth_session { const char *id, *subject, *name, *role, *remote; int64_t created_ms, seen_ms, expires_ms; };
void gw_auth_session_foreach(const gw_auth *auth, int64_t now_us, int64_t wall_ms, void (*fn)(const struct gw_auth_session *s, void *user_data), void *user_data);
const char *gw_auth_session_subject(const gw_auth *auth, const char *id);	/* NULL = no such session */
bool gw_auth_account_info(const gw_auth *auth, const char *name, struct gw_auth_account *ret);	/* borrowed */

/* ---- second factor of accounts: RFC 6238, six digits, 30 s, one step of clock error, no code twice ---- */
bool gw_auth_has_factor(const gw_auth *auth, const char *name);
char *gw_auth_factor_begin(gw_auth *auth, const char *name);	/* (transfer full) secret; NULL: no account, or it has one */
/* recovery: (transfer full), each opens once in place of a code. */
enum gw_auth_error gw_auth_factor_confirm(gw_auth *auth, const char *name, const char *code, const char *remote, int64_t now_us, int64_t wall_ms,
					  char ***ret_recovery);
enum gw_auth_error gw_auth_factor_remove(gw_auth *auth, const char *name, const char *code, const char *remote, int64_t now_us, int64_t wall_ms);
enum gw_auth_error gw_auth_factor_reset(gw_auth *auth, const char *name);	/* by somebody else: it was lost */
char *gw_totp_uri(const char *issuer, const char *account, const char *secret);	/* otpauth://..., (transfer full) */

/* ---- field links ---- */
struct gw_auth_link { const char *id, *incident, *scene, *name; };
/* (transfer full) token; expires_ms = until first use. An id again: the old token and session die. */
char *gw_auth_link_issue(gw_auth *auth, const struct gw_auth_link *link, int64_t wall_ms, int64_t *ret_expires_ms);
/* First opener binds it; `current` is the caller's present session id (may be NULL): its own phone may open it again. */
enum gw_auth_error gw_auth_link_open(gw_auth *auth, const char *token, const char *current, const char *remote, int64_t now_us,
				     int64_t wall_ms, struct gw_auth_grant *ret);
bool gw_auth_link_revoke(gw_auth *auth, const char *id);		/* its token answers REVOKED from now on, its session ends */
unsigned gw_auth_incident_end(gw_auth *auth, const char *incident);	/* all links of the incident */

/* ---- devices and scripts ---- */
struct gw_auth_device { const char *id, *kind, *name; int64_t issued_ms, used_ms; bool revoked; };
char *gw_auth_device_issue(gw_auth *auth, const char *kind, const char *name, int64_t wall_ms, char **ret_id);	/* both (transfer full); NULL: bad kind or name */
enum gw_auth_error gw_auth_device_open(gw_auth *auth, const char *token, const char *remote, int64_t now_us, int64_t wall_ms,
				       struct gw_auth_grant *ret);
bool gw_auth_device_revoke(gw_auth *auth, const char *id);
void gw_auth_device_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_device *d, void *user_data), void *user_data);

struct gw_auth_token { const char *id, *name, *role; int64_t issued_ms, expires_ms, used_ms; };
char *gw_auth_token_issue(gw_auth *auth, const char *name, const char *role, int64_t wall_ms, int64_t *io_expires_ms, char **ret_id);
bool gw_auth_token_revoke(gw_auth *auth, const char *id);
void gw_auth_token_foreach(const gw_auth *auth, void (*fn)(const struct gw_auth_token *t, void *user_data), void *user_data);

json_t *gw_auth_counters(const gw_auth *auth);	/* name -> number, (transfer full) */

/* ---- ops->run on a thread of its own ---- */
typedef struct gw_auth_worker gw_auth_worker;
gw_auth_worker *gw_auth_worker_start(GMainContext *home);	/* home: where done() runs; NULL = default */
void gw_auth_worker_stop(gw_auth_worker *w);			/* finishes what waits, done() included */
void gw_auth_worker_run(void (*work)(void *job), void (*done)(void *job), void *job, gw_auth_worker *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(gw_auth, gw_auth_free)
