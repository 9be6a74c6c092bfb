/* TPKT over TCP: reads what there is, writes what goes, keeps the rest. */
#include "gateway/h323/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "gateway/h323/tpkt.h"

struct h323_conn {
	const struct h323_conn_ops *ops;
	void *user_data;
	GSocketConnection *connection;	/* NULL: not up yet */
	GCancellable *cancel;
	GSource *in, *out;
	struct tpkt tpkt;
	GByteArray *to_send;
	bool lost;
};

static void lose(struct h323_conn *c, const char *why)
{
	if (!c->lost) {
		c->lost = true;
		c->ops->on_lost(c, why, c->user_data);
	}
}

static void drop_source(GSource **s)
{
	if (*s != NULL) {
		g_source_destroy(*s);
		g_source_unref(*s);
		*s = NULL;
	}
}

/* ---- writing ---- */
static gboolean on_writable(GObject *stream, gpointer user_data);

/* false: the connection is broken */
static bool flush(struct h323_conn *c)
{
	GPollableOutputStream *out = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(G_IO_STREAM(c->connection)));
	while (c->to_send->len > 0) {
		g_autoptr(GError) err = NULL;
		gssize n = g_pollable_output_stream_write_nonblocking(out, c->to_send->data, c->to_send->len, NULL, &err);
		if (n < 0) {
			return g_error_matches(err, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
		}
		g_byte_array_remove_range(c->to_send, 0, (guint)n);
	}
	return true;
}

static void want_write(struct h323_conn *c)
{
	if (c->to_send->len > 0 && c->out == NULL) {
		GPollableOutputStream *out = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(G_IO_STREAM(c->connection)));
		c->out = g_pollable_output_stream_create_source(out, NULL);
		g_source_set_callback(c->out, G_SOURCE_FUNC(on_writable), c, NULL);
		g_source_attach(c->out, g_main_context_get_thread_default());
	}
}

static gboolean on_writable(GObject *stream, gpointer user_data)
{
	struct h323_conn *c = user_data;
	(void)stream;
	drop_source(&c->out);
	if (flush(c)) {
		want_write(c);
	} else {
		lose(c, "connection_lost");
	}
	return G_SOURCE_REMOVE;
}

/* A failure is told by the reading side, from the loop: the caller may be inside of a callback. */
void h323_conn_send(struct h323_conn *c, const uint8_t *data, size_t len)
{
	g_autoptr(GByteArray) packet = tpkt_wrap(data, len);
	if (c->lost || packet == NULL || c->to_send->len + packet->len > H323_CONN_BACKLOG) {
		return;
	}
	g_byte_array_append(c->to_send, packet->data, packet->len);
	if (c->connection != NULL && flush(c)) {
		want_write(c);
	}
}

/* ---- reading ---- */
static bool take_messages(struct h323_conn *c)
{
	const uint8_t *data;
	size_t len;
	int r;
	while ((r = tpkt_next(&c->tpkt, &data, &len)) == 1) {
		c->ops->on_message(c, data, len, c->user_data);
	}
	return r == 0;
}

static gboolean on_readable(GObject *stream, gpointer user_data)
{
	struct h323_conn *c = user_data;
	uint8_t buffer[16384];
	g_autoptr(GError) err = NULL;
	gssize n = g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(stream), buffer, sizeof(buffer), NULL, &err);
	if (n < 0 && g_error_matches(err, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
		return G_SOURCE_CONTINUE;
	}
	if (n <= 0) {
		drop_source(&c->in);
		lose(c, "connection_lost");
		return G_SOURCE_REMOVE;
	}
	tpkt_push(&c->tpkt, buffer, (size_t)n);
	if (!take_messages(c)) {
		drop_source(&c->in);
		lose(c, "protocol_error");
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

static void begin(struct h323_conn *c, GSocketConnection *connection)
{
	c->connection = g_object_ref(connection);
	GSocket *socket = g_socket_connection_get_socket(connection);
	g_socket_set_keepalive(socket, TRUE);
	g_socket_set_timeout(socket, 0);	/* that was for connecting */
	g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
	GPollableInputStream *in = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	c->in = g_pollable_input_stream_create_source(in, NULL);
	g_source_set_callback(c->in, G_SOURCE_FUNC(on_readable), c, NULL);
	g_source_attach(c->in, g_main_context_get_thread_default());
}

static struct h323_conn *make(const struct h323_conn_ops *ops, void *user_data)
{
	struct h323_conn *c = g_new0(struct h323_conn, 1);
	*c = (struct h323_conn){ .ops = ops, .user_data = user_data, .to_send = g_byte_array_new() };
	tpkt_init(&c->tpkt);
	return c;
}

struct h323_conn *h323_conn_take(GSocketConnection *connection, const struct h323_conn_ops *ops, void *user_data)
{
	struct h323_conn *c = make(ops, user_data);
	begin(c, connection);
	return c;
}

/* ---- dialling ---- */
static void on_connected(GObject *client, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) err = NULL;
	g_autoptr(GSocketConnection) connection = g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &err);
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		return;		/* user_data is freed */
	}
	struct h323_conn *c = user_data;
	g_clear_object(&c->cancel);
	if (connection == NULL) {
		bool refused = g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
		lose(c, refused ? "nobody listens there" : g_error_matches(err, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "no answer" : "unreachable");
		return;
	}
	begin(c, connection);
	c->ops->on_up(c, c->user_data);
}

struct h323_conn *h323_conn_dial(const struct h245_address *to, const char *bind, unsigned wait_s, const struct h323_conn_ops *ops,
				 void *user_data)
{
	struct h323_conn *c = make(ops, user_data);
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnectable) address = G_SOCKET_CONNECTABLE(g_network_address_new(to->host, to->port));
	g_autoptr(GSocketAddress) own = bind != NULL ? g_inet_socket_address_new_from_string(bind, 0) : NULL;
	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, wait_s);
	if (own != NULL) {
		g_socket_client_set_local_address(client, own);
	}
	c->cancel = g_cancellable_new();
	g_socket_client_connect_async(client, address, c->cancel, on_connected, c);
	return c;
}

void h323_conn_free(struct h323_conn *c)
{
	if (c == NULL) {
		return;
	}
	if (c->cancel != NULL) {
		g_cancellable_cancel(c->cancel);
		g_clear_object(&c->cancel);
	}
	if (c->connection != NULL && !c->lost) {
		(void)flush(c);
	}
	drop_source(&c->in);
	drop_source(&c->out);
	g_clear_object(&c->connection);
	tpkt_clear(&c->tpkt);
	g_byte_array_unref(c->to_send);
	g_free(c);
}

/* ---- addresses ---- */
static bool print(GSocketAddress *address, struct h245_address *ret)
{
	if (!G_IS_INET_SOCKET_ADDRESS(address)) {
		return false;
	}
	GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(address);
	g_autofree char *host = g_inet_address_to_string(g_inet_socket_address_get_address(inet));
	g_strlcpy(ret->host, g_str_has_prefix(host, "::ffff:") ? host + 7 : host, sizeof(ret->host));
	ret->port = g_inet_socket_address_get_port(inet);
	return true;
}

bool h323_conn_local(const struct h323_conn *c, struct h245_address *ret)
{
	g_autoptr(GSocketAddress) a = c->connection != NULL ? g_socket_connection_get_local_address(c->connection, NULL) : NULL;
	return print(a, ret);
}

bool h323_conn_remote(const struct h323_conn *c, struct h245_address *ret)
{
	g_autoptr(GSocketAddress) a = c->connection != NULL ? g_socket_connection_get_remote_address(c->connection, NULL) : NULL;
	return print(a, ret);
}
