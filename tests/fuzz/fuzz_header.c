/* HTTP header values and paths as strangers write them; what is accepted must keep its promise. */
#include <string.h>

#include "gateway/web/web_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *bearer = gw_web_bearer_of(text, NULL, "ortoo_session");
	g_autofree char *cookie = gw_web_bearer_of(NULL, text, "ortoo_session");
	g_autofree char *address = gw_web_last_forwarded(text);
	g_assert_true(!bearer || !strpbrk(bearer, "\r\n ;\""));
	g_assert_true(!cookie || !strpbrk(cookie, "\r\n ;\""));
	g_assert_true(!address || !strpbrk(address, "\r\n ,"));
	g_assert_true(!gw_web_path_is_sane(text) || (text[0] == '/' && !strstr(text, "/..")));
	g_assert_true(!gw_web_host_is_sane(text) || !strpbrk(text, "\r\n/@ ,"));
	(void)gw_web_origin_is_ours(text, text, true, true, NULL);
	(void)gw_web_etag_matches(text, "\"a\"");
	(void)gw_web_content_type_is(text, "application/json");
	return 0;
}
