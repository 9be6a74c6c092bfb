/* Hex text to bytes; spaces are skipped. */
#pragma once
#include <glib.h>
#include <stdint.h>

static inline size_t hex_bytes(const char *hex, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ') {
			continue;
		}
		g_assert_cmpuint(n, <, room);
		out[n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
		hex++;
	}
	return n;
}

static inline char *hex_text(const uint8_t *data, size_t len)
{
	GString *s = g_string_new(NULL);

	for (size_t i = 0; i < len; i++) {
		g_string_append_printf(s, "%02x", data[i]);
	}
	return g_string_free(s, FALSE);
}
