/* What must not be lost: the append-only event log in a hash chain, and small keyed documents (accounts, tokens).
 * SQLite, WAL with synchronous=FULL (NORMAL loses acknowledged rows at a power cut). One disk worker does all I/O; this face
 * is the loop thread's, and callbacks come on it. An act is acknowledged to its user only after gw_store_barrier().
 *
 * h_n = SHA-256(h_{n-1} || canonical JSON of record n), h_0 = 32 zero bytes; canonical = sorted keys, no white space. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/domain/domain.h"

typedef struct gw_store gw_store;

#define GW_STORE_HASH 65	/* hex SHA-256 and NUL */
#define GW_STORE_KEY 48		/* base64 of an Ed25519 public key */

struct gw_store_ops {
	/* After the commit of one appended record. `record` borrowed, with its seq. May be NULL. */
	void (*on_committed)(const struct gw_record *record, const char *hash, void *user_data);
	/* The disk refuses (full, locked, I/O error): `why` in English; NULL = it works again. Nothing is lost meanwhile:
	 * appends queue (bounded by max_queue), barriers wait. May be NULL. */
	void (*on_trouble)(const char *why, void *user_data);
};

#define GW_STORE_ERROR (gw_store_error_quark())
enum gw_store_error { GW_STORE_IO, GW_STORE_VERSION, GW_STORE_CHAIN };
GQuark gw_store_error_quark(void);

/* Opens or makes `path`; migrates an older schema; refuses a newer one unharmed (GW_STORE_VERSION). Blocks: start-up only.
 * ops copied; `context` is the loop's. */
gw_store *gw_store_open(GMainContext *context, const char *path, const struct gw_store_ops *ops, void *user_data, GError **err);
void gw_store_close(gw_store *s);	/* writes what is queued, joins the worker; NULL allowed */

/* Start-up, before the first append; blocks. fn is called for each record in order; the chain is checked on the way
 * (GW_STORE_CHAIN names the first broken record). */
typedef void (*gw_store_record_fn)(const struct gw_record *record, const char *hash, void *user_data);
bool gw_store_replay(gw_store *s, gw_store_record_fn fn, void *user_data, GError **err);

/* Copied; seq is given by the worker in call order. */
void gw_store_append(gw_store *s, const struct gw_record *record);
/* fn comes when everything appended or put before is durable. */
void gw_store_barrier(gw_store *s, void (*fn)(void *user_data), void *user_data);
unsigned gw_store_queued(const gw_store *s);	/* appends not yet durable: refuse new work above a limit */

/* Keyed documents. kind, key <= 96 bytes; `doc` borrowed. Order with appends is kept. */
void gw_store_put(gw_store *s, const char *kind, const char *key, const json_t *doc);
void gw_store_remove(gw_store *s, const char *kind, const char *key);
void gw_store_load(gw_store *s, const char *kind, void (*fn)(const char *key, json_t *doc, void *ud), void *ud);	/* start-up; blocks */

/* NULL = any, 0 = any. type with a dot at its end: all that begin so. conference: records that name it, its parties or its roll
 * calls. actor, text: a part of it. limit <= GW_STORE_MOST. */
#define GW_STORE_MOST 20001u
struct gw_log_query { int64_t after_seq; unsigned limit; const char *type, *incident, *conference, *actor, *text;
		      int64_t before_seq, from_ms, to_ms; bool newest; };
/* records: JSON array of {seq, at_ms, at_us, boot, type, actor, incident, body, hash}, borrowed; NULL when `why` is set. */
typedef void (*gw_log_fn)(json_t *records, const char *why, void *user_data);
void gw_store_query(gw_store *s, const struct gw_log_query *query, gw_log_fn fn, void *user_data);

struct gw_log_verdict { bool ok; int64_t records; int64_t broken_seq; char head[GW_STORE_HASH]; char why[160];
			int64_t signatures, signed_seq; char key[GW_STORE_KEY]; };	/* key: of the last signature; "" = none */
/* Reads the whole chain from a file that may be in use. Any thread; blocks. false: it could not be read at all. */
bool gw_store_verify_file(const char *path, struct gw_log_verdict *ret, GError **err);
void gw_store_verify(gw_store *s, void (*fn)(const struct gw_log_verdict *v, void *ud), void *ud);	/* on the worker */
/* Signs the head (Ed25519) unless it is signed already. The message is "ortoo-log-1 <seq> <at_ms> <hex hash>"; the key is
 * made at the first open, beside the database: log-key.pem (0600), log-key.pub. */
void gw_store_sign(gw_store *s, int64_t wall_ms);
struct gw_log_signature { int64_t seq, at_ms; char hash[GW_STORE_HASH]; char signature[92]; };	/* base64 */
bool gw_store_last_signature(const gw_store *s, struct gw_log_signature *ret);	/* since this start; false = none yet */
const char *gw_store_public_key(const gw_store *s);	/* base64 */
void gw_store_head(const gw_store *s, int64_t *ret_seq, char ret_hash[GW_STORE_HASH]);	/* last committed */
