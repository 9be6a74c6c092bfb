/* Typed client of the control protocol, for the gateway and for tests. Loop thread of its context.
 * Closed by mcu_client_close() silently; closed by the peer: ops->on_closed once. */
#pragma once
#include <glib.h>

#include "mcu/proto/proto.h"

typedef struct mcu_client mcu_client;
struct mcu_client_ops {
	void (*on_event)(mcu_client *c, enum mcu_event event, const void *body, void *user_data);	/* body borrowed */
	void (*on_closed)(mcu_client *c, const char *why, void *user_data);
};
/* Owns fd: a connected Unix socket, or one end of a socketpair. */
mcu_client *mcu_client_open(GMainContext *context, int fd, const struct mcu_client_ops *ops, void *user_data);
void mcu_client_close(mcu_client *c);	/* NULL allowed; pending calls answer MCU_ERROR_NO_ENGINE */

/* `reply` is the method's reply struct, borrowed for the call, NULL when err is set. */
typedef void (*mcu_client_fn)(const void *reply, const GError *err, void *user_data);
/* `request` is the method's request struct, read before return. fn may be NULL. Commands are sent in call order. */
void mcu_client_call(mcu_client *c, enum mcu_method method, const void *request, mcu_client_fn fn, void *user_data);
