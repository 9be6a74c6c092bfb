/* Inside of the store: the database of the disk worker, and what log.c, docs.c and schema.c share. */
#pragma once
#include <sqlite3.h>

#include "gateway/store/store.h"

struct gw_db { sqlite3 *sql; sqlite3_stmt *insert, *put, *remove; int64_t seq; uint8_t hash[32]; };

/* schema.c */
sqlite3 *gw_db_open(const char *path, bool readonly, GError **err);
bool gw_db_migrate(sqlite3 *sql, GError **err);
bool gw_db_fail(sqlite3 *sql, const char *what, GError **err);	/* always false */

/* sign.c: signatures over the head */
struct gw_signer *gw_signer_open(const char *db_path, GError **err);
void gw_signer_free(struct gw_signer *s);
char *gw_signer_public(const struct gw_signer *s);	/* base64, (transfer full) */
int gw_sign_insert(struct gw_db *db, const struct gw_signer *s, int64_t at_ms, struct gw_log_signature *ret);	/* ret: in: the last one */
int gw_sign_walk(sqlite3 *sql, const char *db_path, struct gw_log_verdict *v);	/* after gw_log_walk */

/* log.c: the chain. Worker thread (or start-up). 0 or an SQLite code. */
int gw_log_prepare(struct gw_db *db);
void gw_log_finish(struct gw_db *db);
char *gw_log_canonical(const struct gw_record *r, int64_t seq);
void gw_log_link(const uint8_t before[32], const char *canonical, uint8_t ret[32]);
void gw_log_hex(const uint8_t hash[32], char ret[GW_STORE_HASH]);
int gw_log_insert(struct gw_db *db, const struct gw_record *r);	/* moves db->seq and db->hash on success */
/* Walks all records in order, checking the chain. `v` always filled. */
int gw_log_walk(sqlite3 *sql, gw_store_record_fn fn, void *user_data, struct gw_log_verdict *v);
json_t *gw_log_select(sqlite3 *sql, const struct gw_log_query *q);	/* NULL on an error */
