/* Evidence of roll calls: asked of the mixer while a site is on the screen, hashed and written by a worker of its own, named
 * by its hash, within a quota: the oldest roll calls' files go first, their hashes stay in the log. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/app/calls_priv.h"
#include "gateway/app/evidence_priv.h"

#define CLIP_MS 5000
#define STILL_WIDTH 640

struct gw_evidence_keeper {
	GThreadPool *worker;	/* one thread: it alone touches files and `bytes` */
	GMainContext *context;
	char *root;
	int64_t quota, bytes;	/* bytes -1 = not counted yet */
	gint open;		/* cleared at the end: what comes later is dropped */
};

struct job {
	gw_app *app;
	struct gw_evidence_keeper *keeper;
	char *rollcall, *site, *base64, *file, *sha256;
	enum gw_evidence_kind kind;
	int64_t at_ms, bytes;
};

static void job_free(struct job *j)
{
	g_free(j->rollcall);
	g_free(j->site);
	g_free(j->base64);
	g_free(j->file);
	g_free(j->sha256);
	g_free(j);
}

/* ---- on the worker ---- */
static int64_t folder_bytes(const char *folder, bool remove)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	int64_t sum = 0;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat st;
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			sum += st.st_size;
		}
		if (remove) {
			(void)g_unlink(path);
		}
	}
	if (remove) {
		(void)g_rmdir(folder);
	}
	return sum;
}

static int64_t all_bytes(const char *root)
{
	g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
	int64_t sum = 0;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(root, name, NULL);
		sum += folder_bytes(path, false);
	}
	return sum;
}

/* (transfer full), NULL = there is no other than `but`. */
static char *oldest(const char *root, const char *but)
{
	g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
	char *found = NULL;
	time_t age = 0;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(root, name, NULL);
		struct stat st;
		if (!g_str_equal(name, but) && lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && (found == NULL || st.st_mtime < age)) {
			age = st.st_mtime;
			g_free(found);
			found = g_strdup(path);
		}
	}
	return found;
}

static void make_room(struct gw_evidence_keeper *k, const char *but, int64_t bytes)
{
	k->bytes = k->bytes < 0 ? all_bytes(k->root) : k->bytes;
	k->bytes += bytes;
	while (k->bytes > k->quota) {
		g_autofree char *folder = oldest(k->root, but);
		if (folder == NULL) {
			return;
		}
		k->bytes -= folder_bytes(folder, true);
		ort_log(ORT_LOG_NOTICE, "app", "evidence.quota", "stills and clips of an old roll call went: the quota is used up",
			ORT_S("folder", folder));
	}
}

static gboolean on_written(gpointer data)
{
	struct job *j = data;
	if (g_atomic_int_get(&j->keeper->open)) {
		struct gw_evidence e = { j->kind, j->file, j->sha256, j->bytes, j->at_ms };
		(void)gw_rollcall_evidence(j->app->domain, j->rollcall, j->site, &e, gw_app_now());
	}
	return G_SOURCE_REMOVE;
}

static void write_it(gpointer data, gpointer user_data)
{
	struct job *j = data;
	struct gw_evidence_keeper *k = user_data;
	gsize len = 0;
	g_autofree guchar *bytes = g_base64_decode(j->base64, &len);
	g_autofree char *folder = g_build_filename(k->root, j->rollcall, NULL);
	g_autoptr(GError) err = NULL;
	j->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, len);
	j->file = g_strdup_printf("%.32s.%s", j->sha256, j->kind == GW_EVIDENCE_STILL ? "jpg" : "wav");
	j->bytes = (int64_t)len;
	g_autofree char *path = g_build_filename(folder, j->file, NULL);
	make_room(k, j->rollcall, j->bytes);
	if (g_mkdir_with_parents(folder, 0700) < 0 ||
	    !g_file_set_contents_full(path, (const char *)bytes, (gssize)len, G_FILE_SET_CONTENTS_DURABLE, 0600, &err)) {
		ort_log(ORT_LOG_WARNING, "app", "evidence.write", "a still or clip could not be kept", ORT_S("path", path),
			ORT_S("why", err != NULL ? err->message : g_strerror(errno)));
		job_free(j);
		return;
	}
	g_autoptr(GSource) source = g_idle_source_new();	/* not invoke(): that may run it here */
	g_source_set_callback(source, on_written, j, (GDestroyNotify)job_free);
	(void)g_source_attach(source, k->context);
}

/* ---- life ---- */
void gw_app_evidence_start(gw_app *app)
{
	struct gw_evidence_keeper *k = app->evidence = g_new0(struct gw_evidence_keeper, 1);
	k->root = g_build_filename(app->options.state, "rollcall", NULL);
	k->quota = ort_conf_int(app->options.conf, "rollcall.evidence_mib") << 20;
	k->bytes = -1;
	k->open = 1;
	k->context = app->context;
	k->worker = g_thread_pool_new(write_it, k, 1, TRUE, NULL);
}

void gw_app_evidence_stop(gw_app *app)
{
	struct gw_evidence_keeper *k = g_steal_pointer(&app->evidence);
	if (k == NULL) {
		return;
	}
	g_thread_pool_free(k->worker, FALSE, TRUE);
	while (g_main_context_iteration(k->context, FALSE)) {	/* what was written is told before the store closes */
	}
	g_free(k->root);
	g_free(k);
}

char *gw_app_evidence_folder(const gw_app *app, const char *rollcall)
{
	return g_build_filename(app->evidence->root, rollcall, NULL);
}

bool gw_app_evidence_read(gw_app *app, const char *rollcall, const char *file, char **ret_bytes, gsize *ret_len, const char **ret_why)
{
	const char *hash = gw_rollcall_evidence_hash(app->domain, rollcall, file);	/* so the name is one that we made */
	*ret_why = NULL;
	if (hash == NULL) {
		return false;
	}
	g_autofree char *folder = gw_app_evidence_folder(app, rollcall), *path = g_build_filename(folder, file, NULL);
	if (!g_file_get_contents(path, ret_bytes, ret_len, NULL)) {
		*ret_why = "the file is not kept any more; its hash stands in the log";
		return false;
	}
	g_autofree char *now = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)*ret_bytes, *ret_len);
	if (!g_str_equal(now, hash)) {
		g_clear_pointer(ret_bytes, g_free);
		*ret_why = "the file was altered: it does not have the hash that stands in the log";
		return false;
	}
	return true;
}

/* ---- asking ---- */
struct asked { gw_app *app; char *rollcall, *site; enum gw_evidence_kind kind; };

static void on_bytes(const void *reply, const GError *err, void *user_data)
{
	struct asked *a = user_data;
	const struct mcu_mix_still_reply *still = a->kind == GW_EVIDENCE_STILL ? reply : NULL;
	const struct mcu_mix_clip_reply *clip = a->kind == GW_EVIDENCE_CLIP ? reply : NULL;
	const char *bytes = still != NULL ? still->jpeg : clip != NULL ? clip->wav : NULL;
	if (err == NULL && bytes != NULL && a->app->evidence != NULL) {
		struct job *j = g_new0(struct job, 1);
		int64_t at_ms = still != NULL ? still->at_ms : clip->at_ms;
		*j = (struct job){ .app = a->app, .keeper = a->app->evidence, .rollcall = g_strdup(a->rollcall), .site = g_strdup(a->site),
				   .base64 = g_strdup(bytes), .kind = a->kind, .at_ms = at_ms > 0 ? at_ms : ort_wall_ms() };
		g_thread_pool_push(a->app->evidence->worker, j, NULL);
	}
	g_free(a->rollcall);
	g_free(a->site);
	g_free(a);
}

void gw_app_evidence_take(gw_app *app, const char *rollcall, const char *party, enum gw_evidence_kind kind)
{
	char *site = gw_rollcall_site_of(app->domain, rollcall, party);
	const char *streams = gw_party_streams(app->domain, party), *mix = gw_party_conference(app->domain, party);
	if (site == NULL || streams == NULL || mix == NULL || app->media == NULL || app->evidence == NULL) {
		g_free(site);
		return;
	}
	struct asked *a = g_new0(struct asked, 1);
	*a = (struct asked){ app, g_strdup(rollcall), site, kind };
	g_autofree char *id = g_strconcat(streams, kind == GW_EVIDENCE_STILL ? ".video" : ".audio", NULL);
	char *room = (char *)(uintptr_t)GW_HALL, *conference = (char *)(uintptr_t)mix;
	if (kind == GW_EVIDENCE_STILL) {
		gw_media_call(app->media, MCU_METHOD_MIX_STILL, &(struct mcu_mix_still){ room, conference, id, STILL_WIDTH }, on_bytes, a);
	} else {
		gw_media_call(app->media, MCU_METHOD_MIX_CLIP, &(struct mcu_mix_clip){ room, conference, id, CLIP_MS }, on_bytes, a);
	}
}
