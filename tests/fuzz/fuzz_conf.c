/* YAML of an operator: loads, or says which line; never half. */
#include "mcu/base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ort_conf_row rows[] = {
	{ "name", ORT_C_STR, "ortoo", 0, 0, false, false, "" },
	{ "web.listen", ORT_C_STR, "0.0.0.0:8443", 0, 0, false, false, "" },
	{ "web.tls.cert", ORT_C_STR, "", 0, 0, true, false, "" },
	{ "web.origins", ORT_C_STRV, "a, b", 0, 0, true, false, "" },
	{ "rooms.max", ORT_C_INT, "64", 1, 4096, true, false, "" },
	{ "rooms.open", ORT_C_BOOL, "yes", 0, 0, true, false, "" },
	{ "log.size", ORT_C_SIZE, "10M", 0, 0, false, false, "" },
	{ "roll.ring", ORT_C_MS, "30s", 1000, 600000, true, false, "" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(ort_conf) conf = ort_conf_new(rows, G_N_ELEMENTS(rows));
	g_autofree char *why = NULL;
	int err = ort_conf_load_text(conf, (const char *)data, size, &why);

	g_assert_true((err < 0) == (why != NULL));
	g_assert_true(err == 0 || ort_conf_int(conf, "rooms.max") == 64);
	g_assert_cmpint(ort_conf_int(conf, "rooms.max"), <=, 4096);
	return 0;
}
