/* One line of JSON-RPC: what is accepted has the members its kind promises. */
#include <glib.h>

#include "mcu/base/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ort_rpc_frame f;
	int code = ort_rpc_parse((const char *)data, size, 1 << 16, &f);

	g_assert_true((code != 0) == (f.kind == ORT_RPC_BAD));
	g_assert_true(f.kind != ORT_RPC_REQUEST || (f.method && f.id));
	g_assert_true(f.kind != ORT_RPC_NOTIFICATION || (f.method && !f.id));
	g_assert_true(f.kind != ORT_RPC_RESULT || (f.result && f.id));
	g_assert_true(f.kind != ORT_RPC_ERROR || (f.code != 0 && f.message));
	json_decref(f.root);
	return 0;
}
