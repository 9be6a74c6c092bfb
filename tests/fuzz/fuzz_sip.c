/* Texts of SIP peers that our own code reads: numbers, names, addresses, INFO bodies, digest parameters. */
#include <string.h>

#include "gateway/sip/digest_priv.h"
#include "gateway/sip/uri_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(char *text, size_t max)
{
	g_assert_true(text == NULL || (strlen(text) <= max && g_utf8_validate(text, -1, NULL) && !strpbrk(text, "\r\n\x1b\"")));
	g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size), *literal = sip_literal(text);
	g_autofree char *key = literal != NULL ? sip_source_key(literal) : NULL;
	g_auto(GStrv) words = g_strsplit(text, ",", 64);
	struct sip_dial dial;
	struct sip_digest d;
	check_clean(sip_number(text), 192);
	check_clean(sip_name(text), 128);
	if (sip_dial_parse(text, &dial) == 0) {
		check_clean(g_strdup(dial.uri), 520);
		check_clean(g_strdup(dial.number), 192);
		sip_dial_clear(&dial);
	}
	if (sip_digest_parse((const char *const *)words, &d)) {
		struct sip_answer a = { 0 };
		if (sip_answer_take(&a, &d, false) == 0) {
			g_autofree char *printed = sip_answer_print(&a, "u", "p", "INVITE", text);
			g_assert_true(printed == NULL || !strpbrk(printed, "\r\n"));
		}
		sip_answer_clear(&a);
		sip_digest_clear(&d);
	}
	g_assert_true(literal == NULL || (key != NULL && (sip_is_private(literal) || true)));
	(void)sip_info_dtmf("application/dtmf-relay", (const char *)data, size);
	(void)sip_info_dtmf("application/dtmf", (const char *)data, size);
	(void)sip_info_fast_update("application/media_control+xml", (const char *)data, size);
	return 0;
}
