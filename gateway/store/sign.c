/* Signatures over the log's head (Ed25519, RFC 8032): whoever holds the file but not the key can no longer make the chain
 * anew from some record on. The key is made at the first start, beside the database: log-key.pem (0600) and log-key.pub. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store_priv.h"

enum { KEY = 32, SIGNATURE = 64 };

struct gw_signer { EVP_PKEY *key; uint8_t public[KEY]; };

static char *beside(const char *db_path, const char *name)
{
	g_autofree char *dir = g_path_get_dirname(db_path);
	return g_build_filename(dir, name, NULL);
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f != NULL ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f != NULL) {
		fclose(f);
	}
	return key;
}

/* Never over an existing file: a key that cannot be read is somebody's to repair, not ours to forget. */
static EVP_PKEY *make_key(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = f != NULL && key != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0 && fsync(fd) == 0;
	if (f != NULL) {
		ok = fclose(f) == 0 && ok;
	}
	if (!ok) {
		if (fd >= 0) {
			(void)unlink(path);
		}
		g_clear_pointer(&key, EVP_PKEY_free);
	}
	return key;
}

static bool put_public(const struct gw_signer *s, const char *db_path, GError **err)
{
	g_autofree char *path = beside(db_path, "log-key.pub"), *text = gw_signer_public(s);
	g_autofree char *line = g_strconcat(text, "\n", NULL), *have = NULL;
	if (g_file_get_contents(path, &have, NULL, NULL) && strcmp(have, line) == 0) {
		return true;
	}
	return g_file_set_contents_full(path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, err);
}

struct gw_signer *gw_signer_open(const char *db_path, GError **err)
{
	g_autofree char *path = beside(db_path, "log-key.pem");
	size_t len = KEY;
	struct gw_signer *s = g_new0(struct gw_signer, 1);
	s->key = g_file_test(path, G_FILE_TEST_EXISTS) ? read_key(path) : make_key(path);
	if (s->key == NULL || EVP_PKEY_get_raw_public_key(s->key, s->public, &len) != 1 || len != KEY) {
		g_set_error(err, GW_STORE_ERROR, GW_STORE_IO, "%s: the key of the log's signatures cannot be read or made", path);
		gw_signer_free(s);
		return NULL;
	}
	if (!put_public(s, db_path, err)) {
		gw_signer_free(s);
		return NULL;
	}
	return s;
}

void gw_signer_free(struct gw_signer *s)
{
	if (s != NULL) {
		EVP_PKEY_free(s->key);
		g_free(s);
	}
}

char *gw_signer_public(const struct gw_signer *s)
{
	return g_base64_encode(s->public, KEY);
}

/* What is signed, as text: somebody else can check it with any Ed25519. */
static char *message_of(int64_t seq, int64_t at_ms, const char *hex)
{
	return g_strdup_printf("ortoo-log-1 %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s", seq, at_ms, hex);
}

static bool sign(const struct gw_signer *s, const char *message, uint8_t ret[SIGNATURE])
{
	size_t len = SIGNATURE;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key) == 1 &&
		  EVP_DigestSign(ctx, ret, &len, (const uint8_t *)message, strlen(message)) == 1 && len == SIGNATURE;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool fits(const uint8_t *public, const char *message, const uint8_t *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = key != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, signature, SIGNATURE, (const uint8_t *)message, strlen(message)) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

/* ---- in the database ---- */
int gw_sign_insert(struct gw_db *db, const struct gw_signer *s, int64_t at_ms, struct gw_log_signature *ret)
{
	uint8_t signature[SIGNATURE];
	sqlite3_stmt *st = NULL;
	if (db->seq == 0 || ret->seq == db->seq) {
		return SQLITE_OK;	/* nothing new: an idle night adds nothing */
	}
	char hex[GW_STORE_HASH];
	gw_log_hex(db->hash, hex);
	g_autofree char *message = message_of(db->seq, at_ms, hex);
	if (!sign(s, message, signature)) {
		return SQLITE_ERROR;
	}
	int rc = sqlite3_prepare_v2(db->sql, "INSERT OR IGNORE INTO signature(seq,at_ms,key,signature) VALUES(?,?,?,?)", -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, db->seq);
		sqlite3_bind_int64(st, 2, at_ms);
		sqlite3_bind_blob(st, 3, s->public, KEY, SQLITE_TRANSIENT);
		sqlite3_bind_blob(st, 4, signature, SIGNATURE, SQLITE_TRANSIENT);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		return rc;
	}
	*ret = (struct gw_log_signature){ .seq = db->seq, .at_ms = at_ms };
	g_strlcpy(ret->hash, hex, sizeof(ret->hash));
	g_autofree char *text = g_base64_encode(signature, SIGNATURE);
	g_strlcpy(ret->signature, text, sizeof(ret->signature));
	return SQLITE_OK;
}

static bool broken(struct gw_log_verdict *v, int64_t seq, const char *why)
{
	v->ok = false;
	v->broken_seq = seq;
	g_snprintf(v->why, sizeof(v->why), "signature over record %" G_GINT64_FORMAT ": %s", seq, why);
	return false;
}

static bool check_row(sqlite3_stmt *st, struct gw_log_verdict *v)
{
	int64_t seq = sqlite3_column_int64(st, 0);
	char hex[GW_STORE_HASH];
	if (sqlite3_column_bytes(st, 4) != 32) {
		return broken(v, seq, "the record is missing");
	}
	gw_log_hex(sqlite3_column_blob(st, 4), hex);
	g_autofree char *message = message_of(seq, sqlite3_column_int64(st, 1), hex);
	bool shape = sqlite3_column_bytes(st, 2) == KEY && sqlite3_column_bytes(st, 3) == SIGNATURE;
	if (!shape || !fits(sqlite3_column_blob(st, 2), message, sqlite3_column_blob(st, 3))) {
		return broken(v, seq, "it does not fit");
	}
	v->signatures++;
	v->signed_seq = seq;
	g_autofree char *key = g_base64_encode(sqlite3_column_blob(st, 2), KEY);
	g_strlcpy(v->key, key, sizeof(v->key));
	return true;
}

static bool has_table(sqlite3 *sql)
{
	sqlite3_stmt *st = NULL;
	bool has = sqlite3_prepare_v2(sql, "SELECT 1 FROM sqlite_master WHERE type='table' AND name='signature'", -1, &st, NULL) == SQLITE_OK &&
		   sqlite3_step(st) == SQLITE_ROW;
	sqlite3_finalize(st);
	return has;
}

int gw_sign_walk(sqlite3 *sql, const char *db_path, struct gw_log_verdict *v)
{
	static const char text[] = "SELECT s.seq,s.at_ms,s.key,s.signature,l.hash FROM signature s LEFT JOIN log l ON l.seq=s.seq ORDER BY s.seq";
	sqlite3_stmt *st = NULL;
	if (!v->ok || !has_table(sql)) {
		return SQLITE_OK;
	}
	int rc = sqlite3_prepare_v2(sql, text, -1, &st, NULL);
	while (rc == SQLITE_OK && v->ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		(void)check_row(st, v);
	}
	sqlite3_finalize(st);
	g_autofree char *path = beside(db_path, "log-key.pub"), *ours = NULL;
	if (v->ok && v->signatures > 0 && g_file_get_contents(path, &ours, NULL, NULL) && strcmp(g_strchomp(ours), v->key) != 0) {
		(void)broken(v, v->signed_seq, "made by another key than log-key.pub");
	}
	return rc == SQLITE_DONE || rc == SQLITE_OK ? SQLITE_OK : rc;
}
