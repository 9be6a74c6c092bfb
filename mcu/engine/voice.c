/* Words for announcements: espeak-ng as a child of the engine, which unlike the codec worker may start programs. Its WAV is
 * kept by its text, so what is said again and again is made once. Where it is missing, fails or takes too long there is no
 * voice, and the announcement is a tone. */
#include "mcu/engine/voice_priv.h"

#include <gio/gio.h>
#include <string.h>

#include "mcu/base/log.h"

enum { PROCESSES = 4, KEPT_BYTES = 8 << 20, LONGEST_BYTES = 740000, PATIENCE_S = 5, HEADER = 44 };

struct spoken { char *pcm; int64_t hz; };
struct mcu_voice {
	GMainContext *context;
	char *program;
	GCancellable *end;
	GHashTable *kept;	/* "lang\ntext" -> struct spoken */
	GQueue order;		/* its keys, the oldest first; borrowed */
	size_t bytes;
	GPtrArray *jobs;	/* under way; borrowed */
	unsigned refs;
	bool told;
};
struct job { mcu_voice *v; char *key; GSubprocess *process; GSource *patience; mcu_voice_fn fn; void *user_data; };

static void spoken_free(gpointer data)
{
	struct spoken *s = data;
	g_free(s->pcm);
	g_free(s);
}

mcu_voice *mcu_voice_new(GMainContext *context, const char *program)
{
	mcu_voice *v = g_new0(mcu_voice, 1);
	v->context = context;
	v->program = *program ? g_find_program_in_path(program) : NULL;
	v->end = g_cancellable_new();
	v->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, spoken_free);
	v->jobs = g_ptr_array_new();
	v->refs = 1;
	return v;
}

static void unref(mcu_voice *v)
{
	if (--v->refs == 0) {
		g_queue_clear(&v->order);
		g_hash_table_unref(v->kept);
		g_ptr_array_unref(v->jobs);
		g_object_unref(v->end);
		g_free(v->program);
		g_free(v);
	}
}


/* By the letters: one of the Chinese script is enough. */
static const char *lang_of(const char *text)
{
	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		if (g_unichar_get_script(g_utf8_get_char(p)) == G_UNICODE_SCRIPT_HAN) {
			return "cmn";
		}
	}
	return "en";
}

static void keep(mcu_voice *v, const char *key, struct spoken *s)
{
	char *own = g_strdup(key);
	v->bytes += strlen(s->pcm);
	g_hash_table_insert(v->kept, own, s);
	g_queue_push_tail(&v->order, own);
	while (v->bytes > KEPT_BYTES && g_queue_get_length(&v->order) > 1) {
		const char *oldest = g_queue_pop_head(&v->order);
		v->bytes -= strlen(((struct spoken *)g_hash_table_lookup(v->kept, oldest))->pcm);
		g_hash_table_remove(v->kept, oldest);
	}
}

/* espeak-ng writes a plain header of 44 octets whose sizes it does not know yet. */
static struct spoken *read_wav(GBytes *wav)
{
	gsize len = 0;
	const uint8_t *p = wav ? g_bytes_get_data(wav, &len) : NULL;
	if (len < HEADER + 2 || memcmp(p, "RIFF", 4) != 0 || p[22] != 1 || p[34] != 16) {
		return NULL;
	}
	struct spoken *s = g_new0(struct spoken, 1);
	s->hz = p[24] | p[25] << 8 | p[26] << 16;
	s->pcm = g_base64_encode(p + HEADER, MIN(len - HEADER, LONGEST_BYTES) & ~(gsize)1);
	return s;
}

/* Once */
static void tell(struct job *j, const struct spoken *s)
{
	mcu_voice_fn fn = j->fn;
	j->fn = NULL;
	if (fn) {
		fn(s ? s->pcm : NULL, s ? s->hz : 0, j->user_data);
	}
}

void mcu_voice_free(mcu_voice *v)
{
	if (!v) {
		return;
	}
	for (guint i = 0; i < v->jobs->len; i++) {
		tell(v->jobs->pdata[i], NULL);
	}
	g_cancellable_cancel(v->end);
	unref(v);	/* those under way hold it */
}

static void job_end(struct job *j)
{
	(void)g_ptr_array_remove_fast(j->v->jobs, j);
	g_source_destroy(j->patience);
	g_source_unref(j->patience);
	unref(j->v);
	g_object_unref(j->process);
	g_free(j->key);
	g_free(j);
}

static void on_spoken(GObject *process, GAsyncResult *result, gpointer user_data)
{
	struct job *j = user_data;
	g_autoptr(GBytes) wav = NULL;
	bool ok = g_subprocess_communicate_finish(j->process, result, &wav, NULL, NULL);
	struct spoken *s = ok && g_subprocess_get_if_exited(j->process) && g_subprocess_get_exit_status(j->process) == 0 ? read_wav(wav) : NULL;
	if (s && !g_hash_table_contains(j->v->kept, j->key)) {
		keep(j->v, j->key, s);
	} else if (s) {
		spoken_free(s);
		s = g_hash_table_lookup(j->v->kept, j->key);
	}
	if (!s) {
		g_subprocess_force_exit(j->process);
	}
	tell(j, s);
	job_end(j);
}

static gboolean too_long(gpointer user_data)
{
	g_subprocess_force_exit(((struct job *)user_data)->process);
	return G_SOURCE_REMOVE;
}

/* The words go in by the pipe: no line of theirs becomes an option. */
static GSubprocess *start(mcu_voice *v, const char *lang, GError **err)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	const char *argv[] = { v->program, "-v", lang, "-s", "150", "-b", "1", "--stdin", "--stdout", NULL };
	const char *env[] = { "LANG=C.UTF-8", "PATH=/usr/bin:/bin", NULL };
	g_subprocess_launcher_set_environ(launcher, (char **)(uintptr_t)env);
	return g_subprocess_launcher_spawnv(launcher, argv, err);
}

static void communicate(mcu_voice *v, struct job *j, const char *text)
{
	g_autoptr(GBytes) in = g_bytes_new(text, strlen(text));
	if (v->context) {
		g_main_context_push_thread_default(v->context);
	}
	g_subprocess_communicate_async(j->process, in, v->end, on_spoken, j);
	j->patience = g_timeout_source_new_seconds(PATIENCE_S);
	g_source_set_callback(j->patience, too_long, j, NULL);
	g_source_attach(j->patience, v->context);
	if (v->context) {
		g_main_context_pop_thread_default(v->context);
	}
}

static bool is_lang(const char *lang)
{
	return lang && *lang && *lang != '-' && strspn(lang, "abcdefghijklmnopqrstuvwxyz-") == strlen(lang);
}

void mcu_voice_speak(mcu_voice *v, const char *text, const char *lang, mcu_voice_fn fn, void *user_data)
{
	const char *voice = is_lang(lang) ? lang : lang_of(text);
	g_autofree char *key = g_strconcat(voice, "\n", text, NULL);
	const struct spoken *s = g_hash_table_lookup(v->kept, key);
	g_autoptr(GError) err = NULL;
	GSubprocess *process = s || !v->program || v->jobs->len >= PROCESSES ? NULL : start(v, voice, &err);
	if (!process) {
		if (err || (!v->program && !v->told)) {
			v->told = true;
			ort_log(ORT_LOG_INFO, "voice", "none", "announcements are tones", ORT_S("why", err ? err->message : "espeak-ng is not installed"));
		}
		fn(s ? s->pcm : NULL, s ? s->hz : 0, user_data);
		return;
	}
	struct job *j = g_new0(struct job, 1);
	*j = (struct job){ v, g_steal_pointer(&key), process, NULL, fn, user_data };
	v->refs++;
	g_ptr_array_add(v->jobs, j);
	communicate(v, j, text);
}
