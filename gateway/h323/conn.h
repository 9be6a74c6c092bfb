/* A TCP connection of TPKT messages on the GLib loop. Owner: who made it. Loop thread.
 * Nothing may be freed inside of on_message; inside of on_lost and on_up it may. */
#pragma once
#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/h323/h245.h"

struct h323_conn;
struct h323_conn_ops {
	void (*on_up)(struct h323_conn *c, void *user_data);	/* of h323_conn_dial() */
	void (*on_message)(struct h323_conn *c, const uint8_t *data, size_t len, void *user_data);
	void (*on_lost)(struct h323_conn *c, const char *why, void *user_data);	/* once; not after free */
};
#define H323_CONN_BACKLOG 262144	/* octets that wait to be sent; more = the peer does not read: lost */

struct h323_conn *h323_conn_take(GSocketConnection *connection, const struct h323_conn_ops *ops, void *user_data);	/* connection: a reference is taken */
struct h323_conn *h323_conn_dial(const struct h245_address *to, const char *bind /* NULL = any */, unsigned wait_s,
				 const struct h323_conn_ops *ops, void *user_data);
void h323_conn_free(struct h323_conn *c);	/* what is still to be sent is tried once */
void h323_conn_send(struct h323_conn *c, const uint8_t *data, size_t len);
bool h323_conn_local(const struct h323_conn *c, struct h245_address *ret);
bool h323_conn_remote(const struct h323_conn *c, struct h245_address *ret);
