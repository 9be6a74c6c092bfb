/* See voice.c. Control thread; callbacks by `context`. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mcu_voice mcu_voice;
mcu_voice *mcu_voice_new(GMainContext *context, const char *program);	/* program: found by PATH; "" or not found = no voice */
void mcu_voice_free(mcu_voice *v);	/* those who wait are told: there is no voice */
/* pcm: base64 of 16-bit mono samples, borrowed during the call; NULL = no voice. Told once, maybe at once. */
typedef void (*mcu_voice_fn)(const char *pcm, int64_t hz, void *user_data);
/* lang NULL = by the letters of the text (UTF-8) */
void mcu_voice_speak(mcu_voice *v, const char *text, const char *lang, mcu_voice_fn fn, void *user_data);
