/* The TLS front: listener, limits, who is who. */
#include "gateway/sip/front_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/sip/uri_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { MAX_CONNECTIONS = 1024, UNKNOWN_PER_SOURCE = 32, BACKLOG = 64, ACCEPTS = 16, PAUSE_MS = 500 };

/* ---- sockets ---- */
static int listen_at(const struct sockaddr *sa, socklen_t len, GError **err)
{
	int on = 1, off = 0, fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
	if (good && sa->sa_family == AF_INET6) {
		good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0;
	}
	if (!good || bind(fd, sa, len) != 0 || listen(fd, BACKLOG) != 0) {
		g_set_error(err, G_IO_ERROR, g_io_error_from_errno(errno), "%s", g_strerror(errno));
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	return fd;
}

static int open_listener(const char *bind, uint16_t port, GError **err)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	if (strcmp(bind, "*") == 0) {
		g_autoptr(GError) why = NULL;
		int fd = listen_at((const struct sockaddr *)&six, sizeof(six), &why);
		if (fd >= 0 || !g_error_matches(why, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)) {
			return fd >= 0 ? fd : listen_at((const struct sockaddr *)&four, sizeof(four), err);	/* no IPv6 here */
		}
		g_propagate_error(err, g_steal_pointer(&why));
		return -1;
	}
	g_autofree char *literal = sip_literal(bind);
	if (literal != NULL && inet_pton(AF_INET, literal, &four.sin_addr) == 1) {
		return listen_at((const struct sockaddr *)&four, sizeof(four), err);
	}
	if (literal != NULL && inet_pton(AF_INET6, literal, &six.sin6_addr) == 1) {
		return listen_at((const struct sockaddr *)&six, sizeof(six), err);
	}
	g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no address");
	return -1;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
		return 0;
	}
	return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&sa)->sin6_port
					      : ((struct sockaddr_in *)(void *)&sa)->sin_port);
}

int front_stack_socket(struct sip_front *f, struct conn *c)
{
	uint32_t n = f->serial++ & 0x3fffff;
	n += n == 0;	/* not the net's own address */
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f400000u | n) };
	struct sockaddr_in stack = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->stack_port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) != 0) {
		goto fail;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	char text[INET_ADDRSTRLEN];
	(void)inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text));
	c->hop.loop = g_strdup(text);
	c->hop.loop_port = port_of(fd);
	c->key = g_strdup_printf("%s:%u", text, c->hop.loop_port);
	g_hash_table_insert(f->by_key, c->key, c);	/* before the stack can ask */
	if (connect(fd, (struct sockaddr *)&stack, sizeof(stack)) == 0 || errno == EINPROGRESS) {
		return fd;
	}
fail:
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

/* ---- limits ---- */
unsigned front_unknown(const struct sip_front *f, const char *source_key)
{
	unsigned n = 0;
	for (GList *l = f->conns.head; l != NULL; l = l->next) {
		const struct conn *c = l->data;
		n += c->target == NULL && !c->known && (source_key == NULL || strcmp(c->source_key, source_key) == 0);
	}
	return n;
}

static bool make_room(struct sip_front *f)
{
	if (f->conns.length < f->max) {
		return true;
	}
	for (GList *l = f->conns.head; l != NULL; l = l->next) {
		struct conn *c = l->data;
		if (c->target == NULL && !c->known) {
			f->evicted++;
			conn_close(c, "room for another");
			return true;
		}
	}
	return false;
}

static bool may_come(struct sip_front *f, const char *source_key)
{
	int64_t now_us = ort_now_us();
	return sip_limit_take(f->limit, source_key, SIP_RATE_TLS, now_us) && sip_limit_take(f->limit, "tls", SIP_RATE_TLS_ALL, now_us) &&
	       front_unknown(f, source_key) < UNKNOWN_PER_SOURCE && make_room(f);
}

/* ---- who comes ---- */
static char *source_of(const struct sockaddr_storage *sa, unsigned *ret_port)
{
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in6 *six = (const void *)sa;
	const struct sockaddr_in *four = (const void *)sa;
	bool is_six = sa->ss_family == AF_INET6;
	(void)inet_ntop(sa->ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr, text, sizeof(text));
	*ret_port = ntohs(is_six ? six->sin6_port : four->sin_port);
	return sip_literal(text);	/* mapped addresses become IPv4 */
}

static void take(struct sip_front *f, int fd, const struct sockaddr_storage *sa)
{
	unsigned port = 0, on = 1;
	g_autofree char *source = source_of(sa, &port);
	g_autofree char *key = source != NULL ? sip_source_key(source) : NULL;
	if (key == NULL || !may_come(f, key)) {
		f->refused++;
		close(fd);
		return;
	}
	f->accepted++;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct conn *c = conn_new(f, fd, -1);
	c->hop.source = g_steal_pointer(&source);
	c->hop.port = port;
	c->source_key = g_steal_pointer(&key);
	c->address = g_strdup_printf(strchr(c->hop.source, ':') != NULL ? "[%s]:%u" : "%s:%u", c->hop.source, port);
	SSL *ssl = sip_tls_accept(f->tls, fd);
	if (ssl == NULL) {
		conn_close(c, "no memory");
		return;
	}
	conn_begin(c, ssl, ort_now_us());
}

static void watch_listener(struct sip_front *f);

static gboolean on_resume(gpointer data)
{
	struct sip_front *f = data;
	g_clear_pointer(&f->resume, g_source_unref);
	watch_listener(f);
	return G_SOURCE_REMOVE;
}

/* Out of descriptors: the listener would stay readable and spin. */
static void pause_listener(struct sip_front *f)
{
	g_source_destroy(f->source);
	g_clear_pointer(&f->source, g_source_unref);
	f->resume = g_timeout_source_new(PAUSE_MS);
	g_source_set_callback(f->resume, on_resume, f, NULL);
	g_source_attach(f->resume, f->context);
}

static gboolean on_listener(gint listener, GIOCondition condition, gpointer data)
{
	struct sip_front *f = data;
	for (unsigned n = 0; n < ACCEPTS; n++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take(f, fd, &sa);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_listener(f);
			return G_SOURCE_REMOVE;
		} else if (errno == EAGAIN) {
			break;
		}
	}
	return G_SOURCE_CONTINUE;
}

static void watch_listener(struct sip_front *f)
{
	f->source = g_unix_fd_source_new(f->listener, G_IO_IN);
	g_source_set_callback(f->source, G_SOURCE_FUNC(on_listener), f, NULL);
	g_source_attach(f->source, f->context);
}

struct conn *front_conn(struct sip_front *f, const char *loop, unsigned port)
{
	g_autofree char *key = g_strdup_printf("%s:%u", loop, port);
	return g_hash_table_lookup(f->by_key, key);
}

bool sip_front_who(struct sip_front *f, const char *loop, unsigned loop_port, const char **ret_source, unsigned *ret_port)
{
	struct conn *c = front_conn(f, loop, loop_port);
	if (c == NULL) {
		return false;
	}
	*ret_source = c->hop.source;
	*ret_port = c->hop.port;
	return true;
}

bool sip_front_has(const struct sip_front *f, const char *route)
{
	size_t scheme = strlen("sip:");
	if (!g_str_has_prefix(route, "sip:")) {
		return false;
	}
	g_autofree char *key = g_strndup(route + scheme, strcspn(route + scheme, ";"));
	return g_hash_table_contains(f->by_key, key);
}

void sip_front_know(struct sip_front *f, const char *loop, unsigned loop_port)
{
	struct conn *c = front_conn(f, loop, loop_port);
	if (c != NULL) {
		c->known = true;
		conn_watch(c);
	}
}

/* ---- life ---- */
static unsigned most(unsigned wanted)
{
	struct rlimit r = { 1024, 1024 };
	(void)getrlimit(RLIMIT_NOFILE, &r);
	unsigned fits = (unsigned)MIN(r.rlim_cur / 8, (rlim_t)MAX_CONNECTIONS);	/* three descriptors each, and others need some */
	return wanted != 0 ? MIN(wanted, fits) : fits;
}

struct sip_front *sip_front_new(const struct sip_front_conf *conf, GError **err)
{
	struct sip_front *f = g_new0(struct sip_front, 1);
	g_autoptr(GError) why = NULL;
	f->context = conf->context;
	f->ops = conf->ops;
	f->user_data = conf->user_data;
	f->limit = conf->limit;
	f->bind = g_strdup(conf->bind);
	f->announce = g_strdup(conf->announce);
	f->max = most(conf->max);
	f->serial = g_random_int();
	f->target_serial = g_random_int();
	f->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	f->targets = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, target_free);
	f->listener = open_listener(conf->bind, conf->port, &why);
	if (f->listener < 0) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "SIP cannot listen on %s port %u (TLS): %s", conf->bind, conf->port,
			    why->message);
		sip_front_free(f);
		return NULL;
	}
	f->port = port_of(f->listener);
	f->far_away = g_strdup_printf("SIP/2.0/TLS %s:%u", conf->announce, f->port);
	f->tls = sip_tls_new(conf->certificate, conf->key, conf->ca, err);
	if (f->tls == NULL) {
		sip_front_free(f);
		return NULL;
	}
	return f;
}

void sip_front_aim(struct sip_front *f, unsigned stack_port)
{
	f->stack_port = stack_port;
	f->near_by = g_strdup_printf("SIP/2.0/TCP 127.0.0.1:%u", stack_port);
	watch_listener(f);
}

void sip_front_free(struct sip_front *f)
{
	if (f == NULL) {
		return;
	}
	GSource *sources[] = { f->source, f->resume };
	for (unsigned n = 0; n < G_N_ELEMENTS(sources); n++) {
		if (sources[n] != NULL) {
			g_source_destroy(sources[n]);
			g_source_unref(sources[n]);
		}
	}
	g_queue_clear_full(&f->conns, conn_free);
	g_hash_table_unref(f->targets);
	g_hash_table_unref(f->by_key);
	if (f->listener >= 0) {
		close(f->listener);
	}
	sip_tls_free(f->tls);
	g_free(f->bind);
	g_free(f->announce);
	g_free(f->near_by);
	g_free(f->far_away);
	g_free(f);
}

unsigned sip_front_port(const struct sip_front *f)
{
	return f->port;
}

void sip_front_tick(struct sip_front *f, int64_t now_us)
{
	if (sip_tls_look(f->tls)) {
		ort_log(ORT_LOG_NOTICE, "sip", "sip.certificate", "SIP over TLS shows its new certificate from now on", ORT_I("port", f->port));
	}
	target_tick(f, now_us);
}

json_t *sip_front_print(const struct sip_front *f)
{
	unsigned known = 0;
	for (GList *l = f->conns.head; l != NULL; l = l->next) {
		known += ((const struct conn *)l->data)->known;
	}
	return json_pack("{s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "connections", (int)f->conns.length, "known", (int)known, "max",
			 (int)f->max, "accepted", (json_int_t)f->accepted, "refused", (json_int_t)f->refused, "failed_handshakes",
			 (json_int_t)f->failed, "evicted", (json_int_t)f->evicted, "malformed", (json_int_t)f->malformed, "opened_out",
			 (json_int_t)f->opened_out, "failed_out", (json_int_t)f->failed_out);
}
