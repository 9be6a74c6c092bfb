/* One line of the control protocol: frame, method row, request struct, and back to the same JSON. */
#include "mcu/base/rpc.h"
#include "mcu/proto/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ort_rpc_frame frame;
	int method = -1, event = -1;
	if (!ort_rpc_parse((const char *)data, size, 1 << 16, &frame)) {
		method = mcu_method_by_name(frame.method);
		event = mcu_event_by_name(frame.method);
	}
	const struct ort_json_table *table = method >= 0 ? mcu_methods[method].request
					     : event >= 0 ? mcu_events[event].body : NULL;
	g_autofree void *st = table ? g_malloc0(table->size) : NULL;
	g_autofree char *why = NULL;
	if (table && !ort_json_read(table, frame.params, st, &why)) {
		g_autoptr(json_t) out = ort_json_print(table, st);
		g_autofree void *again = g_malloc0(table->size);
		g_assert_cmpint(ort_json_read(table, out, again, NULL), ==, 0);
		ort_json_clear(table, again);
		ort_json_clear(table, st);
	}
	json_decref(frame.root);
	return 0;
}
