/* The database file: pragmas and migrations. Each migration is one row, run once, in order. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/store_priv.h"

static const char *const migrations[] = {
	/* 1: the log, append-only by trigger, and the documents. */
	"CREATE TABLE log(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, at_us INTEGER NOT NULL, boot TEXT, type TEXT NOT NULL,"
	" actor TEXT NOT NULL, incident TEXT, body TEXT NOT NULL, hash BLOB NOT NULL);"
	"CREATE INDEX log_incident ON log(incident, seq) WHERE incident IS NOT NULL;"
	"CREATE INDEX log_type ON log(type, seq);"
	"CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
	"CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
	"CREATE TABLE doc(kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;",
	/* 2: signatures over the log's head. */
	"CREATE TABLE signature(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, key BLOB NOT NULL, signature BLOB NOT NULL);"
	"CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
	"CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;",
};

G_DEFINE_QUARK(gw-store-error-quark, gw_store_error)

bool gw_db_fail(sqlite3 *sql, const char *what, GError **err)
{
	g_set_error(err, GW_STORE_ERROR, GW_STORE_IO, "%s: %s", what, sql != NULL ? sqlite3_errmsg(sql) : "out of memory");
	return false;
}

/* Nobody but us reads it: accounts' hashes are inside. */
static void make_private(const char *path)
{
	int fd = open(path, O_CREAT | O_CLOEXEC | O_RDWR | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		(void)fchmod(fd, 0600);
		close(fd);
	}
}

sqlite3 *gw_db_open(const char *path, bool readonly, GError **err)
{
	sqlite3 *sql = NULL;
	int flags = (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
	if (!readonly) {
		make_private(path);
	}
	if (sqlite3_open_v2(path, &sql, flags, NULL) != SQLITE_OK) {
		gw_db_fail(sql, path, err);
		sqlite3_close(sql);
		return NULL;
	}
	sqlite3_busy_timeout(sql, 2000);
	const char *pragmas = readonly ? "PRAGMA query_only=ON"
				       : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
					 "PRAGMA trusted_schema=OFF; PRAGMA wal_autocheckpoint=1000";
	if (sqlite3_exec(sql, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
		gw_db_fail(sql, path, err);
		sqlite3_close(sql);
		return NULL;
	}
	return sql;
}

static int version_of(sqlite3 *sql)
{
	sqlite3_stmt *st = NULL;
	int version = -1;
	if (sqlite3_prepare_v2(sql, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		version = sqlite3_column_int(st, 0);
	}
	sqlite3_finalize(st);
	return version;
}

static bool migrate_to(sqlite3 *sql, int version, GError **err)
{
	/* user_version takes no bound parameter; `version` is our own row number. */
	g_autofree char *set = g_strdup_printf("PRAGMA user_version=%d; COMMIT", version);
	if (sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(sql, migrations[version - 1], NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(sql, set, NULL, NULL, NULL) == SQLITE_OK) {
		return true;
	}
	gw_db_fail(sql, "migration", err);
	sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool gw_db_migrate(sqlite3 *sql, GError **err)
{
	int have = version_of(sql);
	if (have < 0) {
		return gw_db_fail(sql, "schema", err);
	}
	if (have > (int)G_N_ELEMENTS(migrations)) {
		g_set_error(err, GW_STORE_ERROR, GW_STORE_VERSION,
			    "the data is of version %d, this program knows %zu: use the newer program", have,
			    G_N_ELEMENTS(migrations));
		return false;
	}
	for (int v = have + 1; v <= (int)G_N_ELEMENTS(migrations); v++) {
		if (!migrate_to(sql, v, err)) {
			return false;
		}
	}
	return true;
}
