/* The hash chain: canonical text, link, insert, walk, select. Not the worker's queue. */
#include <string.h>

#include "gateway/store/store_priv.h"
#include "mcu/base/json.h"

int gw_log_prepare(struct gw_db *db)
{
	static const struct { const char *text; size_t at; } rows[] = {
		{ "INSERT INTO log(seq,at_ms,at_us,boot,type,actor,incident,body,hash) VALUES(?,?,?,?,?,?,?,?,?)",
		  offsetof(struct gw_db, insert) },
		{ "INSERT INTO doc(kind,key,body) VALUES(?,?,?) ON CONFLICT(kind,key) DO UPDATE SET body=excluded.body",
		  offsetof(struct gw_db, put) },
		{ "DELETE FROM doc WHERE kind=? AND key=?", offsetof(struct gw_db, remove) },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		sqlite3_stmt **st = (sqlite3_stmt **)(void *)((char *)db + rows[n].at);
		int rc = sqlite3_prepare_v3(db->sql, rows[n].text, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
		if (rc != SQLITE_OK) {
			return rc;
		}
	}
	return SQLITE_OK;
}

void gw_log_finish(struct gw_db *db)
{
	sqlite3_finalize(db->insert);
	sqlite3_finalize(db->put);
	sqlite3_finalize(db->remove);
	sqlite3_close(db->sql);
}

static json_t *to_json(const struct gw_record *r, int64_t seq)
{
	json_t *o = json_pack("{s:I,s:I,s:I,s:s,s:s,s:O}", "seq", (json_int_t)seq, "at_ms", (json_int_t)r->at_ms, "at_us",
			      (json_int_t)r->at_us, "type", r->type, "actor", r->actor, "body", r->body);
	if (o != NULL && r->boot != NULL) {
		json_object_set_new(o, "boot", json_string(r->boot));
	}
	if (o != NULL && r->incident != NULL) {
		json_object_set_new(o, "incident", json_string(r->incident));
	}
	return o;
}

char *gw_log_canonical(const struct gw_record *r, int64_t seq)
{
	g_autoptr(json_t) o = to_json(r, seq);
	return ort_json_text(o);
}

void gw_log_link(const uint8_t before[32], const char *canonical, uint8_t ret[32])
{
	gsize len = 32;
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, before, 32);
	g_checksum_update(sum, (const guchar *)canonical, -1);
	g_checksum_get_digest(sum, ret, &len);
	g_checksum_free(sum);
}

void gw_log_hex(const uint8_t hash[32], char ret[GW_STORE_HASH])
{
	for (int n = 0; n < 32; n++) {
		g_snprintf(ret + 2 * n, 3, "%02x", hash[n]);
	}
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);	/* NULL binds NULL */
}

int gw_log_insert(struct gw_db *db, const struct gw_record *r)
{
	uint8_t hash[32];
	int64_t seq = db->seq + 1;
	g_autofree char *canonical = gw_log_canonical(r, seq);
	g_autofree char *body = ort_json_text(r->body);
	gw_log_link(db->hash, canonical, hash);
	sqlite3_stmt *st = db->insert;
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_int64(st, 2, r->at_ms);
	sqlite3_bind_int64(st, 3, r->at_us);
	bind_text(st, 4, r->boot);
	bind_text(st, 5, r->type);
	bind_text(st, 6, r->actor);
	bind_text(st, 7, r->incident);
	bind_text(st, 8, body);
	sqlite3_bind_blob(st, 9, hash, 32, SQLITE_TRANSIENT);
	int rc = sqlite3_step(st);
	sqlite3_reset(st);
	if (rc != SQLITE_DONE) {
		return rc;
	}
	db->seq = seq;
	memcpy(db->hash, hash, 32);
	return SQLITE_OK;
}

/* ---- reading ---- */
#define COLUMNS "seq,at_ms,at_us,boot,type,actor,incident,body,hash"

static const char *column(sqlite3_stmt *st, int n)
{
	return (const char *)sqlite3_column_text(st, n);
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* `body` owned by the caller through r->body. */
static struct gw_record read_row(sqlite3_stmt *st)
{
	const char *body = or_empty(column(st, 7));
	return (struct gw_record){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2),
				   column(st, 3), or_empty(column(st, 4)), or_empty(column(st, 5)), column(st, 6),
				   ort_json_parse(body, strlen(body), 4 * 1024 * 1024, NULL) };
}

static bool broken(struct gw_log_verdict *v, int64_t seq, const char *why)
{
	v->ok = false;
	v->broken_seq = seq;
	g_snprintf(v->why, sizeof(v->why), "record %" G_GINT64_FORMAT ": %s", seq, why);
	return false;
}

static bool check_row(sqlite3_stmt *st, const struct gw_record *r, uint8_t chain[32], struct gw_log_verdict *v)
{
	uint8_t hash[32];
	if (r->seq != v->records + 1) {
		return broken(v, v->records + 1, "missing");
	}
	g_autofree char *canonical = r->body != NULL ? gw_log_canonical(r, r->seq) : NULL;
	if (canonical == NULL) {
		return broken(v, r->seq, "body is not JSON");
	}
	gw_log_link(chain, canonical, hash);
	if (sqlite3_column_bytes(st, 8) != 32 || memcmp(sqlite3_column_blob(st, 8), hash, 32) != 0) {
		return broken(v, r->seq, "its hash does not fit: the record or one before it was changed");
	}
	memcpy(chain, hash, 32);
	v->records = r->seq;
	return true;
}

int gw_log_walk(sqlite3 *sql, gw_store_record_fn fn, void *user_data, struct gw_log_verdict *v)
{
	uint8_t chain[32] = { 0 };
	sqlite3_stmt *st = NULL;
	*v = (struct gw_log_verdict){ .ok = true };
	int rc = sqlite3_prepare_v2(sql, "SELECT " COLUMNS " FROM log ORDER BY seq", -1, &st, NULL);
	while (rc == SQLITE_OK && v->ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct gw_record r = read_row(st);
		if (check_row(st, &r, chain, v) && fn != NULL) {
			char hex[GW_STORE_HASH];
			gw_log_hex(chain, hex);
			fn(&r, hex, user_data);
		}
		json_decref(r.body);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	gw_log_hex(chain, v->head);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

#define OF_CONFERENCE \
	"(json_extract(body,'$.conference')=?5 OR (type LIKE 'conference.%' AND json_extract(body,'$.id')=?5) OR" \
	" json_extract(body,'$.party') IN (SELECT json_extract(body,'$.party') FROM log WHERE type='party.add'" \
	" AND json_extract(body,'$.conference')=?5) OR json_extract(body,'$.rollcall') IN (SELECT json_extract(body,'$.id')" \
	" FROM log WHERE type='rollcall.open' AND json_extract(body,'$.conference')=?5))"
#define WHERE \
	" FROM log WHERE seq>?1 AND (?2 IS NULL OR type=?2 OR (substr(?2,-1)='.' AND substr(type,1,length(?2))=?2))" \
	" AND (?3 IS NULL OR incident=?3) AND (?5 IS NULL OR " OF_CONFERENCE ") AND (?6 IS NULL OR instr(lower(actor),lower(?6))>0)" \
	" AND (?7 IS NULL OR instr(lower(body),lower(?7))>0 OR instr(type,?7)>0) AND (?8=0 OR seq<?8) AND (?9=0 OR at_ms>=?9)" \
	" AND (?10=0 OR at_ms<?10)"

static void bind_query(sqlite3_stmt *st, const struct gw_log_query *q)
{
	sqlite3_bind_int64(st, 1, q->after_seq);
	bind_text(st, 2, q->type);
	bind_text(st, 3, q->incident);
	sqlite3_bind_int(st, 4, (int)MIN(q->limit, GW_STORE_MOST));
	bind_text(st, 5, q->conference);
	bind_text(st, 6, q->actor);
	bind_text(st, 7, q->text);
	sqlite3_bind_int64(st, 8, q->before_seq);
	sqlite3_bind_int64(st, 9, q->from_ms);
	sqlite3_bind_int64(st, 10, q->to_ms);
}

json_t *gw_log_select(sqlite3 *sql, const struct gw_log_query *q)
{
	static const char upward[] = "SELECT " COLUMNS WHERE " ORDER BY seq LIMIT ?4";
	static const char downward[] = "SELECT " COLUMNS WHERE " ORDER BY seq DESC LIMIT ?4";
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(sql, q->newest ? downward : upward, -1, &st, NULL);
	if (rc != SQLITE_OK) {
		return NULL;
	}
	json_t *list = json_array();
	bind_query(st, q);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct gw_record r = read_row(st);
		char hex[GW_STORE_HASH] = "";
		if (sqlite3_column_bytes(st, 8) == 32) {
			gw_log_hex(sqlite3_column_blob(st, 8), hex);
		}
		json_t *o = r.body != NULL ? to_json(&r, r.seq) : NULL;
		if (o != NULL) {
			json_object_set_new(o, "hash", json_string(hex));
			json_array_append_new(list, o);
		}
		json_decref(r.body);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		json_decref(list);
		return NULL;
	}
	return list;
}
