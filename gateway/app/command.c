/* What ortoo-gateway does without running: checks a log, prints the API. */
#include <stdio.h>

#include "gateway/app/app_priv.h"

int gw_app_verify_log(const char *state)
{
	struct gw_log_verdict v;
	g_autoptr(GError) err = NULL;
	bool is_dir = g_file_test(state, G_FILE_TEST_IS_DIR);
	g_autofree char *path = is_dir ? g_build_filename(state, "ortoo.db", NULL) : g_strdup(state);
	if (!gw_store_verify_file(path, &v, &err)) {
		fprintf(stderr, "ortoo-gateway: %s\n", err->message);
		return 2;
	}
	printf("%s: %" G_GINT64_FORMAT " records, head %s%s%s\n", v.ok ? "ok" : "BROKEN", v.records, v.head, v.ok ? "" : ", ", v.why);
	if (v.signatures > 0) {
		printf("%" G_GINT64_FORMAT " signatures, the last over record %" G_GINT64_FORMAT ", key %s\n", v.signatures, v.signed_seq, v.key);
	}
	return v.ok ? 0 : 1;
}

char *gw_app_openapi(void)
{
	g_autoptr(json_t) api = gw_api_openapi("/");
	return ort_json_text(api);
}
