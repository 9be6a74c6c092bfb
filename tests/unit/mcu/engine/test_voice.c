/* The engine's voice: with espeak-ng itself where it is installed, and with programs that are none. */
#include <signal.h>
#include <string.h>

#include "mcu/engine/voice_priv.h"

struct heard { unsigned told; char *pcm; int64_t hz; };

static void on_voice(const char *pcm, int64_t hz, void *user_data)
{
	struct heard *h = user_data;
	h->told++;
	g_free(h->pcm);
	h->pcm = g_strdup(pcm);
	h->hz = hz;
}

static void speak(mcu_voice *v, const char *text, const char *lang, struct heard *h)
{
	unsigned before = h->told;
	mcu_voice_speak(v, text, lang, on_voice, h);
	while (h->told == before) {
		g_main_context_iteration(NULL, TRUE);
	}
}

static void none(gconstpointer program)
{
	mcu_voice *v = mcu_voice_new(NULL, program);
	struct heard h = { 0 };
	speak(v, "点名", NULL, &h);
	g_assert_null(h.pcm);
	mcu_voice_free(v);
}

static void words_are_spoken_once(void)
{
	g_autofree char *program = g_find_program_in_path("espeak-ng");
	if (!program) {
		g_test_skip("espeak-ng is not installed");
		return;
	}
	mcu_voice *v = mcu_voice_new(NULL, "espeak-ng");
	struct heard h = { 0 }, second = { 0 };
	gsize len = 0;
	speak(v, "点名，呼和浩特，请回答", NULL, &h);
	g_assert_nonnull(h.pcm);
	g_free(g_base64_decode(h.pcm, &len));
	g_assert_cmpint(h.hz, >=, 8000);
	g_assert_cmpuint(len, >, (gsize)h.hz);	/* half a second at least */
	mcu_voice_speak(v, "点名，呼和浩特，请回答", NULL, on_voice, &second);
	g_assert_cmpuint(second.told, ==, 1);	/* at once */
	g_assert_cmpstr(second.pcm, ==, h.pcm);
	speak(v, "-v en --help", "--version", &h);	/* text is text, and no voice has such a name */
	g_assert_nonnull(h.pcm);
	g_free(h.pcm);
	g_free(second.pcm);
	mcu_voice_free(v);
}

static void who_waits_is_told_at_the_end(void)
{
	mcu_voice *v = mcu_voice_new(NULL, "sleep");	/* refuses its arguments, or is still there */
	struct heard h = { 0 };
	mcu_voice_speak(v, "x", NULL, on_voice, &h);
	mcu_voice_free(v);
	g_assert_cmpuint(h.told, ==, 1);
	g_assert_null(h.pcm);
	while (g_main_context_iteration(NULL, FALSE)) {
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	(void)signal(SIGPIPE, SIG_IGN);	/* as in the engine */
	g_test_add_data_func("/voice/none/off", "", none);
	g_test_add_data_func("/voice/none/not-installed", "no-such-program-here", none);
	g_test_add_data_func("/voice/none/fails", "false", none);
	g_test_add_data_func("/voice/none/no-wav", "echo", none);
	g_test_add_func("/voice/words_are_spoken_once", words_are_spoken_once);
	g_test_add_func("/voice/who_waits_is_told_at_the_end", who_waits_is_told_at_the_end);
	return g_test_run();
}
