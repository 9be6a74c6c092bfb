/* BFCP: records of (length, to whom, bytes) to a server and a client, over datagrams and over a stream; what either says is
 * read back and must be well-formed. */
#include <stdlib.h>

#include "gateway/bfcp/core_priv.h"

static void sent(const uint8_t *data, size_t len, void *user_data)
{
	struct bfcp_msg m;

	if (bfcp_parse(data, len, &m) < 0 || bfcp_prim_name(m.prim) == NULL) {
		abort();
	}
}

static void request(void *core)
{
	bfcp_server_verdict(core, GW_BFCP_GRANTED, NULL, 1);
}

static void release(void *core) {}
static void status(enum gw_bfcp_status s, void *core) {}
static void floor_is(bool held, bool by_us, void *core) {}
static void gone(const char *why, void *core) {}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bfcp_core_ops ops = { sent, request, release, status, floor_is, gone };
	struct bfcp_counters counters = { 0 };
	struct bfcp_core core[4];

	for (unsigned i = 0; i < 4; i++) {
		bfcp_core_init(&core[i], i & 1, &ops, &counters, 6, &core[i]);
		bfcp_core_role(&core[i], i >> 1, 1, 2, 3);
		bfcp_core_up(&core[i], 0);
		bfcp_client_request(&core[i & 1], 0);
	}
	for (size_t at = 0; at + 2 <= size;) {
		size_t n = data[at] < size - at - 2 ? data[at] : size - at - 2;
		bfcp_core_input(&core[data[at + 1] & 3], data + at + 2, n, data[at + 1] * INT64_C(10000));
		at += 2 + n;
	}
	return 0;
}
