/* The store's two sides: the loop's face, which only posts, and the disk worker, which commits what has gathered in one
 * transaction, then says so. A refused commit is tried again with everything in it: nothing is dropped, order is kept. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/json.h"
#include "mcu/base/loop.h"

#define RETRY_US (500 * ORT_US_PER_MS)
#define RESERVE_BYTES (16 * 1024 * 1024)	/* given up when the disk is full, so that incidents still can be written */
#define BATCH 512

enum kind { APPEND, PUT, REMOVE, BARRIER, SIGN, QUERY, VERIFY };

/* One request travels loop -> worker -> loop and is freed there. */
struct job {
	struct ort_msg msg;
	gw_store *store;
	enum kind kind;
	int64_t at_ms, at_us, seq;
	char *boot, *type, *actor, *incident, *conference, *text, *key;	/* PUT, REMOVE: type = kind */
	json_t *body;
	char hash[GW_STORE_HASH];
	struct gw_log_query query;
	struct gw_log_verdict verdict;
	struct gw_log_signature signature;
	void (*done)(void);	/* cast back by kind */
	void *user_data;
};

struct gw_store {
	struct gw_store_ops ops;
	void *user_data;
	char *path, *reserve;
	ort_loop *worker;
	ort_mailbox *loop_box;
	GSource *loop_source;
	struct gw_db db;		/* worker's, after open */
	GQueue waiting;			/* worker's: jobs not done yet */
	GSource *retry;			/* worker's */
	struct gw_signer *signer;	/* read by both */
	struct gw_log_signature signed_head;	/* worker's */
	bool in_trouble;		/* worker's */
	int64_t head_seq;		/* loop's copies */
	char head_hash[GW_STORE_HASH];
	struct gw_log_signature signature;
	char *public_key;
	unsigned queued;
};

static void job_free(struct job *j)
{
	g_free(j->boot);
	g_free(j->type);
	g_free(j->actor);
	g_free(j->incident);
	g_free(j->conference);
	g_free(j->text);
	g_free(j->key);
	json_decref(j->body);
	g_free(j);
}

static struct gw_record record_of(const struct job *j)
{
	return (struct gw_record){ j->seq, j->at_ms, j->at_us, j->boot, j->type, j->actor, j->incident, j->body };
}

/* ---- back on the loop ---- */
static void finish_append(struct job *j)
{
	gw_store *s = j->store;
	struct gw_record r = record_of(j);
	s->queued--;
	s->head_seq = j->seq;
	g_strlcpy(s->head_hash, j->hash, sizeof(s->head_hash));
	if (s->ops.on_committed != NULL) {
		s->ops.on_committed(&r, j->hash, s->user_data);
	}
}

static void finish_barrier(struct job *j)
{
	((void (*)(void *))j->done)(j->user_data);
}

static void finish_query(struct job *j)
{
	((gw_log_fn)j->done)(j->body, j->body == NULL ? "the log cannot be read now" : NULL, j->user_data);
}

static void finish_verify(struct job *j)
{
	((void (*)(const struct gw_log_verdict *, void *))j->done)(&j->verdict, j->user_data);
}

static void finish_sign(struct job *j)
{
	j->store->signature = j->signature;
}

static void finish_nothing(struct job *j)
{
}

static void on_done(struct ort_msg *msg, void *owner)
{
	static void (*const finish[])(struct job *) = { finish_append, finish_nothing, finish_nothing,
							finish_barrier, finish_sign, finish_query, finish_verify };
	struct job *j = (struct job *)msg;
	finish[j->kind](j);
	job_free(j);
}

struct trouble { struct ort_msg msg; gw_store *store; char *why; };

static void on_trouble(struct ort_msg *msg, void *owner)
{
	struct trouble *t = (struct trouble *)msg;
	if (t->store->ops.on_trouble != NULL) {
		t->store->ops.on_trouble(t->why, t->store->user_data);
	}
	g_free(t->why);
	g_free(t);
}

/* ---- on the worker ---- */
static void tell_trouble(gw_store *s, const char *why)
{
	if ((why != NULL) == s->in_trouble) {
		return;
	}
	s->in_trouble = why != NULL;
	struct trouble *t = g_new0(struct trouble, 1);
	*t = (struct trouble){ { NULL, on_trouble }, s, g_strdup(why) };
	ort_mailbox_post(s->loop_box, &t->msg);
}

static int write_doc(sqlite3_stmt *st, const struct job *j)
{
	sqlite3_bind_text(st, 1, j->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, j->key, -1, SQLITE_STATIC);
	if (j->kind == PUT) {
		sqlite3_bind_text(st, 3, ort_json_text(j->body), -1, g_free);
	}
	int rc = sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int write_job(gw_store *s, struct job *j)
{
	if (j->kind == APPEND) {
		struct gw_record r = record_of(j);
		int rc = gw_log_insert(&s->db, &r);
		j->seq = s->db.seq;
		gw_log_hex(s->db.hash, j->hash);
		return rc;
	}
	if (j->kind == SIGN) {
		j->signature = s->signed_head;
		int rc = gw_sign_insert(&s->db, s->signer, j->at_ms, &j->signature);
		s->signed_head = rc == SQLITE_OK ? j->signature : s->signed_head;
		return rc;
	}
	return j->kind == PUT || j->kind == REMOVE ? write_doc(j->kind == PUT ? s->db.put : s->db.remove, j) : SQLITE_OK;
}

static int write_batch(gw_store *s, unsigned n)
{
	int rc = sqlite3_exec(s->db.sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (GList *l = s->waiting.head; rc == SQLITE_OK && n > 0; l = l->next, n--) {
		rc = write_job(s, l->data);
	}
	return rc == SQLITE_OK ? sqlite3_exec(s->db.sql, "COMMIT", NULL, NULL, NULL) : rc;
}

static void answer(gw_store *s, struct job *j)
{
	if (j->kind == QUERY) {
		json_t *found = gw_log_select(s->db.sql, &j->query);
		json_decref(j->body);
		j->body = found;
	} else if (j->kind == VERIFY && (gw_log_walk(s->db.sql, NULL, NULL, &j->verdict) != SQLITE_OK ||
					 gw_sign_walk(s->db.sql, s->path, &j->verdict) != SQLITE_OK)) {
		j->verdict.ok = false;
		g_strlcpy(j->verdict.why, sqlite3_errmsg(s->db.sql), sizeof(j->verdict.why));
	}
	j->msg.run = on_done;
	ort_mailbox_post(s->loop_box, &j->msg);
}

static void give_up_reserve(gw_store *s, int rc)
{
	if ((rc & 0xff) == SQLITE_FULL && s->reserve != NULL) {
		(void)unlink(s->reserve);
		g_clear_pointer(&s->reserve, g_free);
	}
}

/* A batch is the longest run of writing jobs at the head; a reading job is answered when it comes to the head. */
static bool work_once(gw_store *s)
{
	unsigned writes = 0, n = 0;
	for (GList *l = s->waiting.head; l != NULL && n < BATCH && ((struct job *)l->data)->kind < QUERY; l = l->next, n++) {
		writes += ((struct job *)l->data)->kind != BARRIER;
	}
	int64_t seq = s->db.seq;
	uint8_t hash[32];
	struct gw_log_signature signed_head = s->signed_head;
	memcpy(hash, s->db.hash, 32);
	int rc = writes > 0 ? write_batch(s, n) : SQLITE_OK;
	if (rc != SQLITE_OK) {
		tell_trouble(s, sqlite3_errmsg(s->db.sql));
		sqlite3_exec(s->db.sql, "ROLLBACK", NULL, NULL, NULL);
		s->db.seq = seq;
		memcpy(s->db.hash, hash, 32);
		s->signed_head = signed_head;
		give_up_reserve(s, rc);
		return false;
	}
	if (writes > 0) {
		tell_trouble(s, NULL);
	}
	for (n = MAX(n, 1); n > 0 && s->waiting.head != NULL; n--) {
		answer(s, g_queue_pop_head(&s->waiting));
	}
	return true;
}

static int64_t work(int64_t now_us, void *user_data)
{
	gw_store *s = user_data;
	while (!g_queue_is_empty(&s->waiting)) {
		if (!work_once(s)) {
			return now_us + RETRY_US;
		}
	}
	return ORT_NEVER;
}

static void on_job(struct ort_msg *msg, void *owner)
{
	gw_store *s = ((struct job *)msg)->store;
	g_queue_push_tail(&s->waiting, msg);
	/* Deadline "now": jobs already in the mailbox are gathered first, then commit together. */
	if (!s->in_trouble) {
		ort_timer_set(s->retry, 0);
	}
}

/* ---- the loop's face ---- */
static struct job *job_new(gw_store *s, enum kind kind)
{
	struct job *j = g_new0(struct job, 1);
	j->msg.run = on_job;
	j->store = s;
	j->kind = kind;
	return j;
}

/* Before replay there is no worker yet: its queue is filled for it. */
static void post(struct job *j)
{
	if (j->store->worker == NULL) {
		g_queue_push_tail(&j->store->waiting, j);
	} else {
		ort_mailbox_post(ort_loop_mailbox(j->store->worker), &j->msg);
	}
}

void gw_store_append(gw_store *s, const struct gw_record *r)
{
	struct job *j = job_new(s, APPEND);
	j->at_ms = r->at_ms;
	j->at_us = r->at_us;
	j->boot = g_strdup(r->boot);
	j->type = g_strdup(r->type);
	j->actor = g_strdup(r->actor);
	j->incident = g_strdup(r->incident);
	/* A tree of its own: jansson's counts are not for two threads at once when shared by the caller. */
	j->body = json_deep_copy(r->body);
	s->queued++;
	post(j);
}

void gw_store_barrier(gw_store *s, void (*fn)(void *user_data), void *user_data)
{
	struct job *j = job_new(s, BARRIER);
	j->done = (void (*)(void))fn;
	j->user_data = user_data;
	post(j);
}

unsigned gw_store_queued(const gw_store *s)
{
	return s->queued;
}

void gw_store_put(gw_store *s, const char *kind, const char *key, const json_t *doc)
{
	struct job *j = job_new(s, PUT);
	j->type = g_strdup(kind);
	j->key = g_strdup(key);
	j->body = json_deep_copy(doc);
	post(j);
}

void gw_store_remove(gw_store *s, const char *kind, const char *key)
{
	struct job *j = job_new(s, REMOVE);
	j->type = g_strdup(kind);
	j->key = g_strdup(key);
	post(j);
}

void gw_store_query(gw_store *s, const struct gw_log_query *q, gw_log_fn fn, void *user_data)
{
	struct job *j = job_new(s, QUERY);
	j->type = g_strdup(q->type);
	j->incident = g_strdup(q->incident);
	j->query = *q;
	j->query.type = j->type;
	j->query.incident = j->incident;
	j->query.conference = j->conference = g_strdup(q->conference);
	j->query.actor = j->actor = g_strdup(q->actor);
	j->query.text = j->text = g_strdup(q->text);
	j->done = (void (*)(void))fn;
	j->user_data = user_data;
	post(j);
}

void gw_store_verify(gw_store *s, void (*fn)(const struct gw_log_verdict *v, void *ud), void *ud)
{
	struct job *j = job_new(s, VERIFY);
	j->done = (void (*)(void))fn;
	j->user_data = ud;
	post(j);
}

void gw_store_sign(gw_store *s, int64_t wall_ms)
{
	struct job *j = job_new(s, SIGN);
	j->at_ms = wall_ms;
	post(j);
}

bool gw_store_last_signature(const gw_store *s, struct gw_log_signature *ret)
{
	*ret = s->signature;
	return ret->seq > 0;
}

const char *gw_store_public_key(const gw_store *s)
{
	return s->public_key;
}

void gw_store_head(const gw_store *s, int64_t *ret_seq, char ret_hash[GW_STORE_HASH])
{
	*ret_seq = s->head_seq;
	g_strlcpy(ret_hash, s->head_hash, GW_STORE_HASH);
}

/* ---- life ---- */
static void make_reserve(gw_store *s)
{
	s->reserve = g_strconcat(s->path, ".reserve", NULL);
	int fd = open(s->reserve, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		(void)posix_fallocate(fd, 0, RESERVE_BYTES);	/* best effort: without it only the comfort is gone */
		close(fd);
	}
}

gw_store *gw_store_open(GMainContext *context, const char *path, const struct gw_store_ops *ops, void *user_data, GError **err)
{
	sqlite3 *sql = gw_db_open(path, false, err);
	if (sql == NULL) {
		return NULL;
	}
	struct gw_db db = { .sql = sql };
	if (!gw_db_migrate(sql, err) || (gw_log_prepare(&db) != SQLITE_OK && !gw_db_fail(sql, "statements", err))) {
		gw_log_finish(&db);
		return NULL;
	}
	struct gw_signer *signer = gw_signer_open(path, err);
	if (signer == NULL) {
		gw_log_finish(&db);
		return NULL;
	}
	gw_store *s = g_new0(gw_store, 1);
	s->signer = signer;
	s->public_key = gw_signer_public(signer);
	s->ops = *ops;
	s->user_data = user_data;
	s->path = g_strdup(path);
	s->db = db;
	make_reserve(s);
	g_queue_init(&s->waiting);
	gw_log_hex(s->db.hash, s->head_hash);
	s->loop_box = ort_mailbox_new(s);
	s->loop_source = ort_mailbox_source(s->loop_box);
	g_source_attach(s->loop_source, context);
	return s;
}

static void start_worker(gw_store *s)
{
	s->worker = ort_loop_start("disk", s);	/* everything above is written before this: the thread's start is the barrier */
	s->retry = ort_timer_new(ort_loop_context(s->worker), 0, work, s);
}

struct replay { gw_store *store; gw_store_record_fn fn; void *user_data; };

static void on_replay(const struct gw_record *r, const char *hash, void *user_data)
{
	struct replay *p = user_data;
	p->store->head_seq = r->seq;
	g_strlcpy(p->store->head_hash, hash, GW_STORE_HASH);
	if (p->fn != NULL) {
		p->fn(r, hash, p->user_data);
	}
}

bool gw_store_replay(gw_store *s, gw_store_record_fn fn, void *user_data, GError **err)
{
	struct gw_log_verdict v;
	struct replay p = { s, fn, user_data };
	if (gw_log_walk(s->db.sql, on_replay, &p, &v) != SQLITE_OK) {
		return gw_db_fail(s->db.sql, "log", err);
	}
	if (!v.ok) {
		g_set_error(err, GW_STORE_ERROR, GW_STORE_CHAIN, "%s", v.why);
		return false;
	}
	s->db.seq = v.records;
	for (int n = 0; n < 32; n++) {
		s->db.hash[n] = (uint8_t)(g_ascii_xdigit_value(v.head[2 * n]) * 16 + g_ascii_xdigit_value(v.head[2 * n + 1]));
	}
	start_worker(s);
	return true;
}

void gw_store_load(gw_store *s, const char *kind, void (*fn)(const char *key, json_t *doc, void *ud), void *ud)
{
	sqlite3_stmt *st = NULL;
	g_assert(s->worker == NULL);	/* start-up only: afterwards the database is the worker's */
	if (sqlite3_prepare_v2(s->db.sql, "SELECT key,body FROM doc WHERE kind=? ORDER BY key", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, kind, -1, SQLITE_STATIC);
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *text = (const char *)sqlite3_column_text(st, 1);
			g_autoptr(json_t) doc = ort_json_parse(text, strlen(text), 4 * 1024 * 1024, NULL);
			if (doc != NULL) {
				fn((const char *)sqlite3_column_text(st, 0), doc, ud);
			}
		}
	}
	sqlite3_finalize(st);
}

void gw_store_close(gw_store *s)
{
	if (s == NULL) {
		return;
	}
	if (s->worker != NULL) {
		ort_loop_stop(s->worker);	/* runs what is in the mailbox first */
		g_source_destroy(s->retry);
		g_source_unref(s->retry);
	}
	while (!g_queue_is_empty(&s->waiting) && work_once(s)) {
	}
	g_source_destroy(s->loop_source);
	g_source_unref(s->loop_source);
	ort_mailbox_free(s->loop_box);
	g_queue_clear_full(&s->waiting, (GDestroyNotify)(void (*)(void))job_free);
	gw_log_finish(&s->db);
	gw_signer_free(s->signer);
	g_free(s->public_key);
	g_free(s->reserve);
	g_free(s->path);
	g_free(s);
}

bool gw_store_verify_file(const char *path, struct gw_log_verdict *ret, GError **err)
{
	sqlite3 *sql = gw_db_open(path, true, err);
	if (sql == NULL) {
		return false;
	}
	bool read = (gw_log_walk(sql, NULL, NULL, ret) == SQLITE_OK && gw_sign_walk(sql, path, ret) == SQLITE_OK) || gw_db_fail(sql, path, err);
	sqlite3_close(sql);
	return read;
}
