/* One JSON-RPC 2.0 text in, its class out. Shared by the socket endpoint, the WebSocket and the fuzzers. Batches are refused:
 * a line is one object, and a line costs nothing. */
#include "mcu/base/rpc.h"

#include <string.h>

#include "mcu/base/json.h"

#define METHOD_MAX 128

static bool is_id(const json_t *id)
{
	return json_is_integer(id) || (json_is_string(id) && json_string_length(id) <= METHOD_MAX);
}

static int take_call(struct ort_rpc_frame *f, const json_t *method)
{
	f->params = json_object_get(f->root, "params");
	if (!json_is_string(method) || json_string_length(method) == 0 || json_string_length(method) > METHOD_MAX ||
	    (f->params && !json_is_object(f->params) && !json_is_array(f->params))) {
		return ORT_RPC_INVALID;
	}
	f->method = json_string_value(method);
	f->kind = f->id ? ORT_RPC_REQUEST : ORT_RPC_NOTIFICATION;
	return 0;
}

static int take_error(struct ort_rpc_frame *f, const json_t *error)
{
	const json_t *code = json_object_get(error, "code");
	const char *message = json_string_value(json_object_get(error, "message"));

	if (!json_is_integer(code) || json_integer_value(code) == 0 || json_integer_value(code) > INT32_MAX ||
	    json_integer_value(code) < INT32_MIN) {
		return ORT_RPC_INVALID;
	}
	f->code = (int)json_integer_value(code);
	f->message = message ? message : "";
	f->result = json_object_get(error, "data");
	f->kind = ORT_RPC_ERROR;
	return 0;
}

static int classify(struct ort_rpc_frame *f)
{
	const char *version = json_string_value(json_object_get(f->root, "jsonrpc"));
	json_t *id = json_object_get(f->root, "id"), *method = json_object_get(f->root, "method");
	json_t *error = json_object_get(f->root, "error");

	if (!version || strcmp(version, "2.0") != 0) {
		return ORT_RPC_INVALID;
	}
	if (is_id(id)) {
		f->id = id;
	} else if (id && !(json_is_null(id) && error)) {	/* null id: an error about a line nobody could read */
		return ORT_RPC_INVALID;
	}
	f->result = json_object_get(f->root, "result");
	if (method) {
		return error || f->result ? ORT_RPC_INVALID : take_call(f, method);
	}
	if (error) {
		return f->result ? ORT_RPC_INVALID : take_error(f, error);
	}
	if (!f->result || !f->id) {
		return ORT_RPC_INVALID;
	}
	f->kind = ORT_RPC_RESULT;
	return 0;
}

int ort_rpc_parse(const char *text, size_t len, size_t max_bytes, struct ort_rpc_frame *ret)
{
	int code;

	*ret = (struct ort_rpc_frame){ .kind = ORT_RPC_BAD };
	ret->root = ort_json_parse(text, len, max_bytes, NULL);
	if (!ret->root) {
		return ORT_RPC_PARSE;
	}
	code = classify(ret);
	if (code != 0) {
		ret->kind = ORT_RPC_BAD;
	}
	return code;
}
