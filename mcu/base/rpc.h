/* JSON-RPC 2.0 endpoint over a stream fd, one object a line. Both sides may call. Loop thread of `context` only.
 * Limits: line <= max_line bytes, pending calls <= max_pending, unsent bytes <= max_queue (then it closes itself).
 * Closes: by ort_rpc_close() silently; by itself (EOF, error, limit) it calls on_closed once, and the owner
 * still frees it by ort_rpc_close(), from within on_closed or later. Any callback may call ort_rpc_close(). A call that
 * waits for its answer must be answered even when its endpoint is gone: that frees it. */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ort_rpc ort_rpc;
typedef struct ort_rpc_call ort_rpc_call;	/* an incoming request that waits for its reply */

/* Application codes lie in -32099..-32000 by JSON-RPC; ours are the table of the protocol that stands above. */
enum { ORT_RPC_PARSE = -32700, ORT_RPC_INVALID = -32600, ORT_RPC_NO_METHOD = -32601, ORT_RPC_PARAMS = -32602,
       ORT_RPC_INTERNAL = -32603, ORT_RPC_TIMEOUT = -32001, ORT_RPC_CLOSED = -32002 };

struct ort_rpc_ops {
	/* Answer with ort_rpc_reply() or ort_rpc_fail(), now or later. `params` borrowed, may be NULL. */
	void (*on_request)(ort_rpc *rpc, ort_rpc_call *call, const char *method, json_t *params, void *user_data);
	void (*on_notify)(ort_rpc *rpc, const char *method, json_t *params, void *user_data);	/* may be NULL */
	void (*on_closed)(ort_rpc *rpc, const char *why, void *user_data);
};
struct ort_rpc_limits { size_t max_line, max_pending, max_queue; };	/* 0 = 1 MiB, 1024, 8 MiB */

/* Owns `fd` (set non-blocking). `limits` may be NULL. */
ort_rpc *ort_rpc_open(GMainContext *context, int fd, const struct ort_rpc_ops *ops, const struct ort_rpc_limits *limits,
		      void *user_data);
void ort_rpc_close(ort_rpc *rpc);	/* NULL allowed; pending callers get ORT_RPC_CLOSED */

/* code 0 = result valid; both borrowed during the call. */
typedef void (*ort_rpc_reply_fn)(int code, const char *message, json_t *result, void *user_data);
/* `params` stolen, may be NULL. fn may be NULL. timeout_ms 0 = 10 s. */
void ort_rpc_request(ort_rpc *rpc, const char *method, json_t *params, unsigned timeout_ms, ort_rpc_reply_fn fn,
		     void *user_data);
void ort_rpc_notify(ort_rpc *rpc, const char *method, json_t *params);	/* params stolen */

void ort_rpc_reply(ort_rpc_call *call, json_t *result);	/* result stolen, NULL = {}; call is gone after it */
void ort_rpc_fail(ort_rpc_call *call, int code, const char *message, json_t *data);	/* data stolen, may be NULL */

/* Framing apart from the socket, for the WebSocket and the fuzzers: one text in, class out. Pure. */
enum ort_rpc_kind { ORT_RPC_REQUEST, ORT_RPC_NOTIFICATION, ORT_RPC_RESULT, ORT_RPC_ERROR, ORT_RPC_BAD };
struct ort_rpc_frame { enum ort_rpc_kind kind; json_t *root, *id, *params, *result; const char *method;
		       int code; const char *message; };
/* ret->root owned (json_decref), the rest borrowed from it. 0, or a JSON-RPC error code with kind BAD. */
int ort_rpc_parse(const char *text, size_t len, size_t max_bytes, struct ort_rpc_frame *ret);
