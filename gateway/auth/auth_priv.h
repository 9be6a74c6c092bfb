/* Inside of gateway/auth. */
#pragma once
#include "gateway/auth/auth.h"
#include "mcu/base/json.h"

enum counter {
#define X(id, doc) N_##id,
#include "gateway/auth/counters.def"
#undef X
	N_COUNTERS
};

enum { TOKEN_BYTES = 16, HASH_HEX = 64, NAME_MAX_BYTES = 64 };

/* Records; those members that the tables of records.c name are persistent. `hash` of a token: SHA-256, hex. */
struct account { char *name, *display, *role, *hash; bool disabled; int64_t created_ms, last_login_ms;
		 char *division, *totp, **recovery; int64_t totp_step;	/* secret in base32, hashes of codes, last step used */
		 char *totp_new; };	/* secret that is being enrolled, not in the record */
struct auth_session {
	char *id, *subject, *name, *role, *incident, *scene, *remote;
	int64_t created_ms, expires_ms;
	bool person;		/* idle time-out applies */
	char *hash;		/* its key, not in the record */
	int64_t touched_us;
};
struct link { char *id, *incident, *scene, *name, *hash, *session; int64_t issued_ms, expires_ms; bool revoked; };
struct device { char *id, *kind, *name, *hash; int64_t issued_ms, used_ms; bool revoked; };
struct script { char *id, *name, *role, *hash; int64_t issued_ms, expires_ms, used_ms; };
extern const struct ort_json_table gw_auth_account_table, gw_auth_session_table, gw_auth_link_table, gw_auth_device_table, gw_auth_script_table;

struct job;
struct gw_auth {
	struct gw_auth_ops ops;
	struct gw_auth_limits limits;
	void *user_data;
	GHashTable *accounts;				/* name -> struct account */
	GHashTable *sessions, *sessions_by_hash;	/* id -> owned; hash -> borrowed */
	GHashTable *links, *links_by_hash;
	GHashTable *devices, *devices_by_hash;
	GHashTable *scripts, *scripts_by_hash;
	GHashTable *locks;				/* "source\nname" -> struct lock */
	char *setup_hash;				/* NULL = no set-up offered */
	char *dummy;					/* encoded hash that nothing matches, for unknown names */
	GQueue waiting;					/* struct job */
	unsigned running;
	char *lent, *lent_subject;			/* what the last grant and identity borrow */
	uint64_t counters[N_COUNTERS];
};

/* records.c */
void gw_auth_save(gw_auth *auth, const char *kind, const char *key, const struct ort_json_table *table, const void *record);
void gw_auth_forget(gw_auth *auth, const char *kind, const char *key);
void gw_auth_account_free(void *p);
void gw_auth_session_free(void *p);
void gw_auth_link_free(void *p);
void gw_auth_device_free(void *p);
void gw_auth_script_free(void *p);

/* secret.c */
char *gw_auth_token_new(void);				/* 22 characters base64url, 128 bits */
char *gw_auth_id_new(const char *prefix);		/* prefix + 12 hex digits: a name, no secret */
char *gw_auth_token_hash(const char *token);		/* SHA-256, hex */
char *gw_auth_dummy_hash(const struct gw_auth_limits *limits);
const char *gw_auth_name_fault(const char *name);	/* NULL = fine, otherwise why not */
const char *gw_auth_password_fault(const char *name, const char *password);
bool gw_auth_is_account_role(const char *role);

void gw_auth_random(void *out, size_t n);

/* totp.c */
char *gw_totp_base32(const uint8_t *bytes, size_t n);
size_t gw_totp_base32_read(const char *text, uint8_t *out, size_t max);
char *gw_totp_secret_new(void);
unsigned gw_totp_code(const uint8_t *secret, size_t n, int64_t step);
/* The step that the code is of, one before or after now at most and later than `last`; 0 = wrong, old or used. */
int64_t gw_totp_match(const char *secret, const char *code, int64_t wall_ms, int64_t last);

/* factor.c */
enum gw_auth_error gw_auth_factor_check(gw_auth *auth, struct account *a, const char *code, int64_t wall_ms);	/* at log-in */

/* lock.c: the clock of failures, per source and name, and per source */
struct lock { unsigned failures, in_flight, turned_away; int64_t until_us, last_us; };
int64_t gw_auth_lock_wait_s(gw_auth *auth, const char *source, const char *name, int64_t now_us);	/* 0 = may try */
void gw_auth_lock_begin(gw_auth *auth, const char *source, const char *name, int64_t now_us);
void gw_auth_lock_end(gw_auth *auth, const char *source, const char *name, bool good, int64_t now_us);
void gw_auth_lock_cancel(gw_auth *auth, const char *source, const char *name, int64_t now_us);	/* it was not tried */
unsigned gw_auth_lock_doubt(gw_auth *auth, const char *source);	/* what it has failed, crowded and is trying now */
void gw_auth_lock_tick(gw_auth *auth, int64_t now_us);

/* sessions.c */
struct auth_session *gw_auth_session_begin(gw_auth *auth, const struct auth_session *like, int64_t now_us, int64_t wall_ms, char **ret_token);
struct auth_session *session_by_token(gw_auth *auth, const char *token, int64_t now_us, int64_t wall_ms);
void gw_auth_session_end(gw_auth *auth, struct auth_session *s);
struct gw_auth_identity gw_auth_session_identity(const gw_auth *auth, const struct auth_session *s);

const char *gw_auth_lend(gw_auth *auth, char *token);	/* token stolen, may be NULL */

/* tokens.c */
enum gw_auth_error gw_auth_script_check(gw_auth *auth, const char *hash, int64_t wall_ms, struct gw_auth_identity *ret);

/* hash.c */
struct job {
	gw_auth *auth;
	void (*finish)(struct job *job);	/* loop thread; calls back */
	/* worker's part */
	uint32_t memory_kib, passes;
	char *old_password, *old_encoded;	/* verified first when set */
	char *new_password, *new_encoded;	/* then hashed, when set and the old one matched */
	bool matched, failed;
	/* loop's part */
	char *name, *role, *display, *source, *address, *code, *division;
	bool disabled;
	int64_t now_us, wall_ms;
	gw_auth_grant_fn grant_fn;
	gw_auth_done_fn done_fn;
	void *user_data;
};
struct job *gw_auth_job_new(gw_auth *auth, void (*finish)(struct job *job), void *user_data);
bool gw_auth_job_submit(struct job *job);	/* false: queue full, job freed */
void gw_auth_job_free(struct job *job);

static inline json_int_t count(gw_auth *auth, enum counter which)
{
	return (json_int_t)++auth->counters[which];
}
