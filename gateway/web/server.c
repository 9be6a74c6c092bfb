/* Start, stop, and the one callback through which libwebsockets speaks. HTTP/1.1 only: HTTP/2 would bring a second
 * parser and stream limits for pages that load once a shift. */
#include "gateway/web/web_priv.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { TICK_MS = 500, HEADER_BYTES = 8192, RX_BYTES = 16384, SPARE_FDS = 256, LISTEN_FDS = 16 };

static struct conn *conn_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

static int instantiated(struct lws *wsi)
{
	gw_web *web = lws_context_user(lws_get_context(wsi));
	struct conn *c = gw_web_conn_new(web, wsi, lws_get_vhost(wsi) == web->redirect_host);
	lws_set_opaque_user_data(wsi, c);
	return c ? 0 : -1;
}

static int destroyed(struct lws *wsi)
{
	struct conn *c = conn_of(wsi);
	if (c) {
		lws_set_opaque_user_data(wsi, NULL);
		gw_web_conn_free(c);
	}
	return 0;
}

static int on_conn(struct conn *c, enum lws_callback_reasons reason, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return gw_web_http_request(c);
	case LWS_CALLBACK_HTTP_BODY:
		return gw_web_http_body(c, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return gw_web_http_body_done(c);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return gw_web_ws_confirm(c) ? 0 : -1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return c->upgrade_ok ? 0 : -1;
	case LWS_CALLBACK_ESTABLISHED:
		return gw_web_ws_established(c);
	case LWS_CALLBACK_RECEIVE:
		return c->session ? gw_web_ws_receive(c, in, len) : -1;
	case LWS_CALLBACK_RECEIVE_PONG:
		c->heard_us = ort_now_us();
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return c->session ? gw_web_ws_writeable(c) : -1;
	default:
		return 0;
	}
}

/* Idle connections keep no record buffers (34 KiB each), and resumption is by tickets, not by a table of ours. */
static int on_tls_context(gw_web *web, SSL_CTX *ctx)
{
	gw_web_cert_hold(web, ctx);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return 0;
}

/* Reasons that we do not handle must not reach lws_callback_http_dummy: it would serve, proxy or run CGI. */
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED) {
		return instantiated(wsi);
	}
	if (reason == LWS_CALLBACK_WSI_DESTROY) {
		return destroyed(wsi);
	}
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
		return on_tls_context(lws_context_user(lws_get_context(wsi)), user);
	}
	if (reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE ||
	    reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION || reason == LWS_CALLBACK_ESTABLISHED) {
		return conn_of(wsi) ? on_conn(conn_of(wsi), reason, in, len) : -1;
	}
	struct conn *c = wsi ? conn_of(wsi) : NULL;
	return c ? on_conn(c, reason, in, len) : 0;
}

static const struct lws_protocols protocols[] = {
	{.name = "ortoo", .callback = callback, .rx_buffer_size = RX_BYTES},
	{0},
};

/* ---- outside of libwebsockets' calls ---- */

static struct conn *next_dying(gw_web *web)
{
	for (GList *i = web->conns.head; i; i = i->next) {
		struct conn *c = i->data;
		if (c->dying && !c->killed) {
			return c;
		}
	}
	return NULL;
}

/* Once each: libwebsockets keeps a connection with unsent bytes until they are flushed, and comes back without having
 * closed it. On a socket that is shut the flush fails at once. */
static void kill_dying(gw_web *web)
{
	struct conn *c;
	while ((c = next_dying(web))) {
		c->killed = true;
		(void)shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);	/* ENOTCONN: the peer was first */
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	}
}

static gboolean run_chores(GSource *source, GSourceFunc fn, gpointer user_data)
{
	gw_web *web = user_data;
	g_source_set_ready_time(source, -1);
	for (GList *i = web->conns.head; i; i = i->next) {
		struct conn *c = i->data;
		if (!c->dying && c->state == C_SEND && c->out && !gw_web_http_send(c)) {
			c->dying = true;
		}
	}
	kill_dying(web);
	return G_SOURCE_CONTINUE;
}

static gboolean chores_dispatch(GSource *source, GSourceFunc fn, gpointer user_data)
{
	return fn ? run_chores(source, fn, user_data) : G_SOURCE_CONTINUE;
}

static gboolean tick(gpointer user_data)
{
	gw_web_conn_tick(user_data, ort_now_us());
	gw_web_cert_tick(user_data, ort_now_us());
	return G_SOURCE_CONTINUE;
}

static gboolean never_called(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static void start_sources(gw_web *web)
{
	static GSourceFuncs chores_funcs = {.dispatch = chores_dispatch};
	web->tick = g_timeout_source_new(TICK_MS);
	g_source_set_callback(web->tick, tick, web, NULL);
	g_source_attach(web->tick, NULL);
	web->chores = g_source_new(&chores_funcs, sizeof(GSource));
	g_source_set_callback(web->chores, never_called, web, NULL);
	g_source_attach(web->chores, NULL);
}

static void stop_source(GSource **source)
{
	if (*source) {
		g_source_destroy(*source);
		g_clear_pointer(source, g_source_unref);
	}
}

/* ---- start ---- */

static char *policy(const struct gw_web_conf *conf)
{
	return g_strdup_printf(
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:%s%s; "
		"font-src 'self'; manifest-src 'self'; worker-src 'self'; connect-src 'self'; "
		"media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
		conf->map_origin ? " " : "", conf->map_origin ? conf->map_origin : "");
}

static bool is_loopback(const char *listen)
{
	return listen && (g_str_has_prefix(listen, "127.") || strcmp(listen, "::1") == 0 || strcmp(listen, "lo") == 0 ||
			  strcmp(listen, "localhost") == 0);
}

/* libwebsockets waits for ever for an address that this machine has not: look ourselves. Names of interfaces pass. */
static bool is_foreign(const char *listen)
{
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM }, *at;
	if (!listen || getaddrinfo(listen, NULL, &hint, &at) != 0) {
		return false;
	}
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
	bool ours = fd >= 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0;
	if (fd >= 0) {
		close(fd);
	}
	freeaddrinfo(at);
	return !ours;
}

static const char *conf_fault(const struct gw_web_conf *conf)
{
	if (is_foreign(conf->listen)) {
		return "cannot listen: the address is not ours";
	}
	if (!conf->cert_path && !is_loopback(conf->listen)) {
		return "without a certificate only a loopback address may be listened on";
	}
	if (!conf->cert_path != !conf->key_path) {
		return "certificate and key come together";
	}
	if (conf->map_origin && (strpbrk(conf->map_origin, " ;,'\r\n\t") || !strstr(conf->map_origin, "://"))) {
		return "map origin must be scheme://host[:port]";
	}
	/* libwebsockets starts without a certificate that it cannot read, and then speaks to nobody: look ourselves. */
	return conf->cert_path ? gw_web_cert_fault(conf->cert_path, conf->key_path) : NULL;
}

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

/* An accept() that fails for want of descriptors would spin (the listener stays readable), so we never get there: take
 * what the system allows and stay below it. SPARE_FDS are for the burst above the limit, three times
 * as many for the rest of the process. */
static unsigned fit_descriptors(unsigned wanted)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return MIN(wanted, 512);
	}
	rlim_t need = (rlim_t)wanted + 4 * SPARE_FDS;
	if (limit.rlim_cur < need) {
		limit.rlim_cur = MIN(need, limit.rlim_max);
		(void)setrlimit(RLIMIT_NOFILE, &limit);	/* refused: then we make do with less below */
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	rlim_t fits = limit.rlim_cur > 4 * SPARE_FDS ? limit.rlim_cur - 4 * SPARE_FDS : limit.rlim_cur / 2;
	return (unsigned)MIN((rlim_t)wanted, fits);
}

static gw_web *web_new(const struct gw_web_conf *conf, gw_api *api)
{
	gw_web *web = g_new0(gw_web, 1);
	web->api = api;
	web->listen = g_strdup(conf->listen);
	web->cert_path = g_strdup(conf->cert_path);
	web->key_path = g_strdup(conf->key_path);
	web->csp = policy(conf);
	web->origins = g_strdupv((char **)conf->origins);
	web->tls = conf->cert_path;
	web->hsts = conf->hsts;
	web->trust_forwarded = conf->trust_forwarded;
	web->max_connections = fit_descriptors(or_default(conf->max_connections, 2048));
	web->per_source = MAX(web->max_connections / 4, 64);
	web->max_half_open = MAX(web->max_connections / 3, 64);
	web->max_prelogin = or_default(conf->max_prelogin, 8);
	web->max_queue = conf->max_queue ? conf->max_queue : 1 << 20;
	web->header_timeout_s = or_default(conf->header_timeout_s, 5);
	web->login_timeout_s = or_default(conf->login_timeout_s, 5);
	web->ping_s = or_default(conf->ping_s, 20);
	web->connects = gw_limiter_new(conf->connect_rate > 0 ? conf->connect_rate : 10,
				       conf->connect_burst > 0 ? conf->connect_burst : 40, 4096);
	web->routes = g_array_new(FALSE, FALSE, sizeof(struct route));
	web->sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	web->loop = g_main_loop_new(NULL, FALSE);
	return web;
}

/* libwebsockets binds an IPv6 socket to :: when the address is an IPv4 literal (4.1 writes it over sin6_flowinfo). */
static bool is_ipv4(const char *listen)
{
	struct in_addr ignored;
	return listen && inet_pton(AF_INET, listen, &ignored) == 1;
}

static void common_info(const gw_web *web, struct lws_context_creation_info *info)
{
	info->options |= is_ipv4(web->listen) ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0;
	info->protocols = protocols;
	info->iface = web->listen;
	info->keepalive_timeout = 30; /* ours is shorter, in conn.c; so is the header's */
	info->timeout_secs = 30;
	info->alpn = "http/1.1";
}

static bool start_context(gw_web *web)
{
	void *loops[] = {web->loop};
	struct lws_context_creation_info info = {0};
	common_info(web, &info);
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options |= LWS_SERVER_OPTION_GLIB | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 |
		       (web->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0);
	info.foreign_loops = loops;
	info.user = web;
	info.max_http_header_data = HEADER_BYTES;
	info.max_http_header_pool = (unsigned short)MIN(web->max_connections + SPARE_FDS, 65000);
	info.pt_serv_buf_size = RX_BYTES;
	info.fd_limit_per_thread = web->max_connections + SPARE_FDS + LISTEN_FDS;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	web->context = lws_create_context(&info);
	return web->context;
}

static bool start_main(gw_web *web, int port)
{
	struct lws_context_creation_info info = {0};
	common_info(web, &info);
	info.port = port;
	info.vhost_name = "main";
	if (web->tls) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT; /* of the host: "speak TLS here" */
		info.ssl_cert_filepath = web->cert_path;
		info.ssl_private_key_filepath = web->key_path;
		info.ssl_options_set =
			(long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION |
			       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
		info.ssl_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20";
	}
	web->main_host = lws_create_vhost(web->context, &info);
	return web->main_host;
}

static bool start_redirect(gw_web *web, int port)
{
	struct lws_context_creation_info info = {0};
	if (port < 0) {
		return true;
	}
	common_info(web, &info);
	info.port = port;
	info.vhost_name = "redirect";
	web->redirect_host = lws_create_vhost(web->context, &info);
	return web->redirect_host;
}

/* libwebsockets says much that concerns nobody, and calls it an error. */
static void lws_says(int level, const char *line)
{
	g_autofree char *text = g_strchomp(g_strdup(line));
	ort_log(ORT_LOG_DEBUG, "web", "lws", text);
}

static const char *start_all(gw_web *web, const struct gw_web_conf *conf)
{
	if (!start_context(web)) {
		return "libwebsockets does not start; is libwebsockets-evlib-glib installed?";
	}
	if (!start_main(web, conf->port)) {
		return "cannot listen: the address is in use or not ours";
	}
	if (!start_redirect(web, web->tls ? conf->redirect_port : -1)) {
		return "cannot listen on the redirect port";
	}
	return NULL;
}

gw_web *gw_web_start(const struct gw_web_conf *conf, gw_api *api, char **ret_why)
{
	g_autofree char *why = g_strdup(conf_fault(conf));
	gw_web *web = NULL;
	if (!why) {
		lws_set_log_level(LLL_ERR | LLL_WARN, lws_says);
		web = web_new(conf, api);
		web->files = conf->root ? gw_web_files_open(conf->root, &why) : NULL;
		gw_web_rest_routes(web);
		start_sources(web);
	}
	if (!why) {
		why = g_strdup(start_all(web, conf));
	}
	if (why) {
		gw_web_stop(web);
		if (ret_why) {
			*ret_why = g_steal_pointer(&why);
		}
		return NULL;
	}
	return web;
}

void gw_web_stop(gw_web *web)
{
	if (!web) {
		return;
	}
	web->stopping = true;
	for (GList *i = web->conns.head; i; i = i->next) {
		((struct conn *)i->data)->dying = true;
	}
	kill_dying(web);
	if (web->context) {
		lws_context_destroy(web->context);
	}
	while (web->exchanges.head) {
		gw_web_exchange *x = web->exchanges.head->data;
		g_queue_unlink(&web->exchanges, &x->link);
		x->web = NULL;
	}
	stop_source(&web->tick);
	stop_source(&web->chores);
	gw_web_cert_free(web);
	gw_web_files_close(web->files);
	g_main_loop_unref(web->loop);
	g_hash_table_unref(web->sources);
	g_array_unref(web->routes);
	gw_limiter_free(web->connects);
	g_strfreev(web->origins);
	g_free(web->listen);
	g_free(web->cert_path);
	g_free(web->key_path);
	g_free(web->csp);
	g_free(web);
}

int gw_web_port(const gw_web *web)
{
	return lws_get_vhost_listen_port(web->main_host);
}

int gw_web_redirect_port(const gw_web *web)
{
	return web->redirect_host ? lws_get_vhost_listen_port(web->redirect_host) : -1;
}

static const char *const counter_names[] = {
#define X(id, doc) #id,
#include "gateway/web/counters.def"
#undef X
};

json_t *gw_web_counters(const gw_web *web)
{
	json_t *out = json_object();
	for (int i = 0; i < N_COUNTERS; i++) {
		json_object_set_new(out, counter_names[i], json_integer((json_int_t)web->counters[i]));
	}
	json_object_set_new(out, "sockets", json_integer(web->conns.length));
	json_object_set_new(out, "waiting", json_integer(web->exchanges.length));
	return out;
}
