/* The log: chain, replay, faults of the disk, kill -9. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/store.h"
#include "mcu/base/json.h"

struct rig { char *dir, *path; GMainContext *context; gw_store *store; unsigned committed, barriers, replayed, troubles, recovered;
	     char *texts; json_t *found; };

static void on_committed(const struct gw_record *r, const char *hash, void *ud)
{
	((struct rig *)ud)->committed++;
	g_assert_cmpuint(strlen(hash), ==, 64);
}

static void on_trouble(const char *why, void *ud)
{
	struct rig *g = ud;
	g->troubles += why != NULL;
	g->recovered += why == NULL;
}

static const struct gw_store_ops ops = { on_committed, on_trouble };

static void on_replay(const struct gw_record *r, const char *hash, void *ud)
{
	struct rig *g = ud;
	g->replayed++;
	char *texts = g_strconcat(g->texts != NULL ? g->texts : "", json_string_value(json_object_get(r->body, "text")), ";", NULL);
	g_free(g->texts);
	g->texts = texts;
}

static void rig_open(struct rig *g)
{
	GError *err = NULL;
	g->store = gw_store_open(g->context, g->path, &ops, g, &err);
	g_assert_no_error(err);
	g_assert_true(gw_store_replay(g->store, on_replay, g, &err));
	g_assert_no_error(err);
}

static void rig_init(struct rig *g)
{
	*g = (struct rig){ 0 };
	g->dir = g_dir_make_tmp("ortoo-store-XXXXXX", NULL);
	g->path = g_build_filename(g->dir, "ortoo.db", NULL);
	g->context = g_main_context_new();
	rig_open(g);
}

static void rig_finish(struct rig *g)
{
	gw_store_close(g->store);
	g_main_context_unref(g->context);
	static const char *const ends[] = { "", "-wal", "-shm", ".reserve" };
	for (unsigned n = 0; n < G_N_ELEMENTS(ends); n++) {
		g_autofree char *file = g_strconcat(g->path, ends[n], NULL);
		(void)g_unlink(file);
	}
	static const char *const keys[] = { "log-key.pem", "log-key.pub" };
	for (unsigned n = 0; n < G_N_ELEMENTS(keys); n++) {
		g_autofree char *file = g_build_filename(g->dir, keys[n], NULL);
		(void)g_unlink(file);
	}
	g_assert_cmpint(g_rmdir(g->dir), ==, 0);
	g_free(g->dir);
	g_free(g->path);
	g_free(g->texts);
	json_decref(g->found);
}

static void append(gw_store *s, const char *text, const char *incident)
{
	g_autoptr(json_t) body = json_pack("{s:s}", "text", text);
	gw_store_append(s, &(struct gw_record){ 0, 1000, 2000, "boot", "incident.note", "u:duty", incident, body });
}

static void on_barrier(void *ud)
{
	((struct rig *)ud)->barriers++;
}

static void settle(struct rig *g)
{
	unsigned want = g->barriers + 1;
	gw_store_barrier(g->store, on_barrier, g);
	while (g->barriers < want) {
		g_main_context_iteration(g->context, TRUE);
	}
}

static void survives_reopening(void)
{
	struct rig g;
	rig_init(&g);
	append(g.store, "一", "i1");
	append(g.store, "line\nfeed \"quote\" \\", NULL);
	append(g.store, "三", "i1");
	settle(&g);
	g_assert_cmpuint(g.committed, ==, 3);
	g_assert_cmpuint(gw_store_queued(g.store), ==, 0);
	int64_t seq;
	char head[GW_STORE_HASH], head2[GW_STORE_HASH];
	gw_store_head(g.store, &seq, head);
	gw_store_close(g.store);
	rig_open(&g);
	gw_store_head(g.store, &seq, head2);
	g_assert_cmpint(seq, ==, 3);
	g_assert_cmpstr(head, ==, head2);
	g_assert_cmpstr(g.texts, ==, "一;line\nfeed \"quote\" \\;三;");
	append(g.store, "四", NULL);
	settle(&g);
	struct gw_log_verdict v;
	g_assert_true(gw_store_verify_file(g.path, &v, NULL));
	g_assert_true(v.ok);
	g_assert_cmpint(v.records, ==, 4);
	rig_finish(&g);
}

static void execute(const char *path, const char *text)
{
	sqlite3 *sql;
	g_assert_cmpint(sqlite3_open(path, &sql), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(sql, text, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(sql);
}

/* An intruder with the file in hand can drop the triggers; the chain still tells. */
static void one_changed_bit_is_found(gconstpointer change)
{
	struct rig g;
	rig_init(&g);
	for (int n = 0; n < 20; n++) {
		append(g.store, "same", "i1");
	}
	settle(&g);
	gw_store_close(g.store);
	execute(g.path, change);
	struct gw_log_verdict v;
	g_assert_true(gw_store_verify_file(g.path, &v, NULL));
	g_assert_false(v.ok);
	g_assert_cmpint(v.broken_seq, ==, 7);
	GError *err = NULL;
	g.store = gw_store_open(g.context, g.path, &ops, &g, &err);
	g_assert_no_error(err);
	g_assert_false(gw_store_replay(g.store, on_replay, &g, &err));
	g_assert_error(err, GW_STORE_ERROR, GW_STORE_CHAIN);
	g_clear_error(&err);
	rig_finish(&g);
}

static void fill_and_sign(struct rig *g)
{
	for (int n = 0; n < 5; n++) {
		append(g->store, "same", "i1");
	}
	gw_store_sign(g->store, 5000);
	gw_store_sign(g->store, 6000);	/* nothing new: no second one */
	append(g->store, "same", "i1");
	gw_store_sign(g->store, 7000);
	settle(g);
}

static void head_is_signed(void)
{
	struct rig g;
	struct gw_log_signature sig;
	struct gw_log_verdict v;
	struct stat st;
	rig_init(&g);
	g_assert_false(gw_store_last_signature(g.store, &sig));
	fill_and_sign(&g);
	g_assert_true(gw_store_last_signature(g.store, &sig));
	g_assert_cmpint(sig.seq, ==, 6);
	g_assert_cmpint(sig.at_ms, ==, 7000);
	g_assert_true(gw_store_verify_file(g.path, &v, NULL));
	g_assert_true(v.ok);
	g_assert_cmpint(v.signatures, ==, 2);
	g_assert_cmpstr(v.key, ==, gw_store_public_key(g.store));
	g_autofree char *key = g_strdup(gw_store_public_key(g.store)), *pem = g_build_filename(g.dir, "log-key.pem", NULL);
	g_assert_cmpint(stat(pem, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
	gw_store_close(g.store);
	rig_open(&g);
	g_assert_cmpstr(gw_store_public_key(g.store), ==, key);
	rig_finish(&g);
}

/* One bit, anywhere in what was signed or in the signature; a log that was cut; another key. */
static void false_signature_is_found(gconstpointer change)
{
	struct rig g;
	struct gw_log_verdict v;
	rig_init(&g);
	fill_and_sign(&g);
	gw_store_close(g.store);
	g.store = NULL;
	execute(g.path, "DROP TRIGGER signature_no_update; DROP TRIGGER signature_no_delete; DROP TRIGGER log_no_delete");
	execute(g.path, change);
	g_assert_true(gw_store_verify_file(g.path, &v, NULL));
	g_assert_false(v.ok);
	g_assert_nonnull(strstr(v.why, "signature"));
	rig_finish(&g);
}

static void triggers_refuse_changes(void)
{
	struct rig g;
	rig_init(&g);
	append(g.store, "x", NULL);
	settle(&g);
	sqlite3 *sql;
	g_assert_cmpint(sqlite3_open(g.path, &sql), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(sql, "UPDATE log SET actor='y'", NULL, NULL, NULL), !=, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(sql, "DELETE FROM log", NULL, NULL, NULL), !=, SQLITE_OK);
	sqlite3_close(sql);
	rig_finish(&g);
}

/* Somebody else holds the database: nothing is acknowledged, nothing is lost, order stays. */
static void locked_database_is_waited_for(void)
{
	struct rig g;
	rig_init(&g);
	append(g.store, "before", NULL);
	settle(&g);
	sqlite3 *other;
	g_assert_cmpint(sqlite3_open(g.path, &other), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
	append(g.store, "during 1", NULL);
	append(g.store, "during 2", NULL);
	gw_store_barrier(g.store, on_barrier, &g);
	while (g.troubles == 0) {
		g_main_context_iteration(g.context, TRUE);
	}
	g_assert_cmpuint(g.committed, ==, 1);
	g_assert_cmpuint(g.barriers, ==, 1);
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	while (g.barriers < 2) {
		g_main_context_iteration(g.context, TRUE);
	}
	g_assert_cmpuint(g.committed, ==, 3);
	g_assert_cmpuint(g.recovered, ==, 1);
	gw_store_close(g.store);
	rig_open(&g);
	g_assert_true(g_str_has_suffix(g.texts, "before;during 1;during 2;"));
	rig_finish(&g);
}

static void newer_schema_is_left_alone(void)
{
	struct rig g;
	rig_init(&g);
	gw_store_close(g.store);
	execute(g.path, "PRAGMA user_version=99");
	GError *err = NULL;
	g_assert_null(gw_store_open(g.context, g.path, &ops, &g, &err));
	g_assert_error(err, GW_STORE_ERROR, GW_STORE_VERSION);
	g_clear_error(&err);
	g.store = NULL;
	rig_finish(&g);
}

static void on_found(json_t *records, const char *why, void *ud)
{
	struct rig *g = ud;
	json_decref(g->found);
	g->found = json_incref(records);
}

static void queries(void)
{
	struct rig g;
	rig_init(&g);
	append(g.store, "a", "i1");
	append(g.store, "b", "i2");
	append(g.store, "c", "i1");
	static const struct { struct gw_log_query q; size_t want; } rows[] = {
		{ { 0, 100, NULL, NULL }, 3 },	{ { 0, 100, NULL, "i1" }, 2 }, { { 1, 100, NULL, "i1" }, 1 },
		{ { 0, 2, NULL, NULL }, 2 },	{ { 0, 100, "x", NULL }, 0 },  { { 0, 100, "incident.note", "' OR 1=1 --" }, 0 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		gw_store_query(g.store, &rows[n].q, on_found, &g);
		settle(&g);
		g_assert_cmpuint(json_array_size(g.found), ==, rows[n].want);
	}
	rig_finish(&g);
}

static void on_doc(const char *key, json_t *doc, void *ud)
{
	struct rig *g = ud;
	char *texts = g_strconcat(g->texts != NULL ? g->texts : "", key, "=", json_string_value(json_object_get(doc, "v")), ";", NULL);
	g_free(g->texts);
	g->texts = texts;
}

static void documents(void)
{
	struct rig g;
	rig_init(&g);
	g_autoptr(json_t) one = json_pack("{s:s}", "v", "1");
	g_autoptr(json_t) two = json_pack("{s:s}", "v", "2");
	gw_store_put(g.store, "account", "wang", one);
	gw_store_put(g.store, "account", "li", one);
	gw_store_put(g.store, "account", "wang", two);
	gw_store_put(g.store, "device", "wang", one);
	gw_store_remove(g.store, "account", "li");
	settle(&g);
	gw_store_close(g.store);
	GError *err = NULL;
	g.store = gw_store_open(g.context, g.path, &ops, &g, &err);
	g_assert_no_error(err);
	gw_store_load(g.store, "account", on_doc, &g);
	g_assert_cmpstr(g.texts, ==, "wang=2;");
	g_assert_true(gw_store_replay(g.store, NULL, NULL, NULL));
	rig_finish(&g);
}

/* The child says each acknowledged number on the pipe and is killed at a random instant. */
static void child_writes(struct rig *g, int out)
{
	for (uint32_t n = 1;; n++) {
		append(g->store, "x", NULL);
		settle(g);
		if (write(out, &n, sizeof(n)) != sizeof(n)) {
			_exit(1);
		}
	}
}

static void killed_writer_loses_nothing_acknowledged(void)
{
	struct rig g;
	rig_init(&g);
	gw_store_close(g.store);
	for (int round = 0; round < 12; round++) {
		int fds[2];
		g_assert_cmpint(pipe(fds), ==, 0);
		uint32_t acked = 0, n;
		unsigned before = g.replayed;
		g.replayed = 0;
		pid_t pid = fork();
		if (pid == 0) {
			close(fds[0]);
			rig_open(&g);
			child_writes(&g, fds[1]);
		}
		close(fds[1]);
		g_usleep((gulong)g_random_int_range(5000, 60000));
		kill(pid, SIGKILL);
		while (read(fds[0], &n, sizeof(n)) == sizeof(n)) {
			acked = n;
		}
		close(fds[0]);
		waitpid(pid, NULL, 0);
		rig_open(&g);
		g_assert_cmpuint(g.replayed, >=, before + acked);
		g_assert_cmpuint(g.replayed, <=, before + acked + 1);
		gw_store_close(g.store);
	}
	g.store = NULL;
	rig_finish(&g);
}

#define DROP "DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete; "
int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/survives_reopening", survives_reopening);
	g_test_add_data_func("/store/changed_body", DROP "UPDATE log SET body='{\"text\":\"sbme\"}' WHERE seq=7", one_changed_bit_is_found);
	g_test_add_data_func("/store/changed_time", DROP "UPDATE log SET at_ms=1001 WHERE seq=7", one_changed_bit_is_found);
	g_test_add_data_func("/store/removed", DROP "DELETE FROM log WHERE seq=7", one_changed_bit_is_found);
	g_test_add_data_func("/store/changed_actor", DROP "UPDATE log SET actor='u:other' WHERE seq=7", one_changed_bit_is_found);
	g_test_add_func("/store/triggers_refuse_changes", triggers_refuse_changes);
	g_test_add_func("/store/locked_database_is_waited_for", locked_database_is_waited_for);
	g_test_add_func("/store/newer_schema_is_left_alone", newer_schema_is_left_alone);
	g_test_add_func("/store/queries", queries);
	g_test_add_func("/store/documents", documents);
	g_test_add_func("/store/killed_writer_loses_nothing_acknowledged", killed_writer_loses_nothing_acknowledged);
	g_test_add_func("/store/head_is_signed", head_is_signed);
	g_test_add_data_func("/store/signature_bit", "UPDATE signature SET signature=substr(signature,1,63)||CASE substr(signature,64) WHEN x'00' THEN x'01' ELSE x'00' END WHERE seq=5", false_signature_is_found);
	g_test_add_data_func("/store/signature_time", "UPDATE signature SET at_ms=5001 WHERE seq=5", false_signature_is_found);
	g_test_add_data_func("/store/signature_cut_log", "DELETE FROM log WHERE seq=6", false_signature_is_found);
	g_test_add_data_func("/store/signature_other_key", "UPDATE signature SET key=zeroblob(32) WHERE seq=6", false_signature_is_found);
	return g_test_run();
}
