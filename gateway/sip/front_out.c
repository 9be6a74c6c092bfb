/* The TLS front: peers that we call. A target is a listener on loopback that the stack dials; each of its connections becomes
 * one in TLS to the peer, by SRV and address records, one after the other until one answers and proves who it is. */
#include "gateway/sip/front_priv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/sip/uri_priv.h"
#include "mcu/base/clock.h"
#include "mcu/base/log.h"

enum { DIAL_S = 4, SHAKE_S = 6, LOOK_S = 6, KEEP_S = 600, MAX_TARGETS = 256, SIPS_PORT = 5061 };

struct place { char *host; uint16_t port; GSocketAddress *address; };	/* a name, or an address */
struct target {
	struct sip_front *front;
	char *key, *host, *proves, *route, *loop, *name;	/* name: on loopback, "127.130.0.1:5061" */
	unsigned port, loop_port;
	struct sip_trust trust;		/* strings owned */
	int listener;
	GSource *source;
	char *why;
	int64_t used_us;
};

/* ---- places ---- */
static void place_free(gpointer p)
{
	struct place *place = p;
	g_free(place->host);
	g_clear_object(&place->address);
	g_free(place);
}

void target_places_free(GQueue *places)
{
	g_queue_free_full(places, place_free);
}

static void add_place(GQueue *places, const char *host, unsigned port)
{
	struct place *p = g_new0(struct place, 1);
	g_autofree char *literal = sip_literal(host);
	p->host = g_strdup(literal != NULL ? literal : host);
	p->port = (uint16_t)port;
	p->address = literal != NULL ? g_inet_socket_address_new_from_string(literal, port) : NULL;
	g_queue_push_tail(places, p);
}

/* ---- one attempt after the other ---- */
static void drop_far(struct conn *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->far_tag != NULL) {
		g_source_remove_unix_fd(c->source, c->far_tag);
		c->far_tag = NULL;
	}
	if (c->far_fd >= 0) {
		close(c->far_fd);
		c->far_fd = -1;
	}
}

static bool bind_own(int fd, const char *bind_to)
{
	g_autofree char *literal = sip_literal(bind_to);
	g_autoptr(GSocketAddress) own = literal != NULL ? g_inet_socket_address_new_from_string(literal, 0) : NULL;
	struct sockaddr_storage sa;
	gssize len = own != NULL ? g_socket_address_get_native_size(own) : 0;
	return own == NULL || (g_socket_address_to_native(own, &sa, sizeof(sa), NULL) && bind(fd, (struct sockaddr *)&sa, (socklen_t)len) == 0);
}

static int dial(const struct sip_front *f, GSocketAddress *to)
{
	struct sockaddr_storage sa;
	int on = 1;
	if (!g_socket_address_to_native(to, &sa, sizeof(sa), NULL)) {
		return -EAFNOSUPPORT;
	}
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!bind_own(fd, f->bind) || (connect(fd, (struct sockaddr *)&sa, (socklen_t)g_socket_address_get_native_size(to)) != 0 &&
				       errno != EINPROGRESS)) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void look_up(struct conn *c, const char *host, unsigned port);

static bool give_up(struct conn *c)
{
	struct target *t = c->target;
	struct sip_front *f = c->front;
	f->failed_out++;
	ort_log(ORT_LOG_WARNING, "sip", "sip.tls_failed", "no TLS to a peer that we call", ORT_S("peer", t->key),
		ORT_S("why", t->why != NULL ? t->why : ""));
	g_autofree char *route = g_strdup(t->route), *why = g_strdup(t->why != NULL ? t->why : "it has no address");
	f->ops->on_failed(route, why, f->user_data);
	return false;
}

static void note(struct conn *c, const char *why)
{
	g_free(c->target->why);
	c->target->why = c->address != NULL ? g_strdup_printf("%s: %s", c->address, why) : g_strdup(why);
}

bool target_next(struct conn *c, const char *why)
{
	if (why != NULL) {
		note(c, why);
	}
	drop_far(c);
	if (c->looking != NULL) {	/* over, or too late: its answer must not come any more */
		g_cancellable_cancel(c->looking);
		g_clear_object(&c->looking);
	}
	for (struct place *p; (p = g_queue_pop_head(c->places)) != NULL; place_free(p)) {
		if (p->address == NULL) {
			look_up(c, p->host, p->port);
			place_free(p);
			return true;
		}
		g_free(c->address);
		g_free((char *)(uintptr_t)c->hop.source);
		c->address = g_strdup_printf(strchr(p->host, ':') != NULL ? "[%s]:%u" : "%s:%u", p->host, p->port);
		c->hop.source = g_strdup(p->host);
		c->hop.port = p->port;
		c->far_fd = dial(c->front, p->address);
		if (c->far_fd >= 0) {
			c->state = CONN_DIALLING;
			c->deadline_us = ort_now_us() + (int64_t)DIAL_S * ORT_US_PER_S;
			conn_watch(c);
			place_free(p);
			return true;
		}
		note(c, g_strerror(-c->far_fd));
		c->far_fd = -1;
	}
	return give_up(c);
}

bool target_dialled(struct conn *c)
{
	g_autofree char *why = NULL;
	SSL *ssl = sip_tls_connect(c->front->tls, c->far_fd, c->target->proves, &c->target->trust, &why);
	if (ssl == NULL) {
		return target_next(c, why != NULL ? why : "no memory");
	}
	c->deadline_us = ort_now_us() + (int64_t)SHAKE_S * ORT_US_PER_S;
	conn_begin(c, ssl, ort_now_us());
	return true;
}

/* ---- names ---- */
struct look { struct conn *c; uint16_t port; };

static void look_begins(struct conn *c)
{
	c->looking = g_cancellable_new();
	c->state = CONN_LOOKING;
	c->deadline_us = ort_now_us() + (int64_t)LOOK_S * ORT_US_PER_S;
	conn_watch(c);
}

static void go_on(struct conn *c, const char *why)
{
	if (!target_next(c, why)) {
		conn_close(c, why);
	}
}

static void on_addresses(GObject *resolver, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) err = NULL;
	GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &err);
	struct look *look = data;
	bool wanted = !g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED);	/* else the connection may be gone */
	for (GList *l = wanted ? g_list_last(found) : NULL; l != NULL; l = l->prev) {
		struct place *one = g_new0(struct place, 1);
		one->host = g_inet_address_to_string(l->data);
		one->port = look->port;
		one->address = g_inet_socket_address_new(l->data, look->port);
		g_queue_push_head(look->c->places, one);
	}
	if (wanted) {
		go_on(look->c, found == NULL && err != NULL ? err->message : NULL);
	}
	g_resolver_free_addresses(found);
	g_free(look);
}

static void look_up(struct conn *c, const char *host, unsigned port)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	struct look *look = g_new(struct look, 1);
	*look = (struct look){ c, (uint16_t)port };
	look_begins(c);
	g_main_context_push_thread_default(c->front->context);
	g_resolver_lookup_by_name_async(resolver, host, c->looking, on_addresses, look);
	g_main_context_pop_thread_default(c->front->context);
}

static void on_services(GObject *resolver, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) err = NULL;
	GList *found = g_resolver_lookup_service_finish(G_RESOLVER(resolver), result, &err);
	if (g_error_matches(err, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		return;
	}
	struct conn *c = data;
	for (GList *l = found; l != NULL; l = l->next) {	/* by priority and weight */
		add_place(c->places, g_srv_target_get_hostname(l->data), g_srv_target_get_port(l->data));
	}
	if (found == NULL) {	/* RFC 3263 4.2: no service record, the name itself */
		add_place(c->places, c->target->host, SIPS_PORT);
	}
	g_resolver_free_targets(found);
	go_on(c, NULL);
}

static void begin(struct conn *c)
{
	struct target *t = c->target;
	g_autofree char *literal = sip_literal(t->host);
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	c->places = g_queue_new();
	if (literal != NULL || t->port != 0) {
		add_place(c->places, t->host, t->port != 0 ? t->port : SIPS_PORT);
		go_on(c, NULL);
		return;
	}
	look_begins(c);
	g_main_context_push_thread_default(t->front->context);
	g_resolver_lookup_service_async(resolver, "sips", "tcp", t->host, c->looking, on_services, c);
	g_main_context_pop_thread_default(t->front->context);
}

/* ---- the stack dials ---- */
/* Another user of this machine must not speak through our TLS: is the far end of this connection a socket of ours? */
static bool is_ours(const struct sockaddr_in *peer)
{
	DIR *dir = opendir("/proc/self/fd");
	bool found = false;
	for (struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;) {
		struct sockaddr_in own;
		socklen_t len = sizeof(own);
		int fd = (int)strtol(e->d_name, NULL, 10);
		found = e->d_name[0] != '.' && getsockname(fd, (struct sockaddr *)&own, &len) == 0 && own.sin_family == AF_INET &&
			own.sin_port == peer->sin_port && own.sin_addr.s_addr == peer->sin_addr.s_addr;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return found;
}

static gboolean on_stack(gint listener, GIOCondition condition, gpointer data)
{
	struct target *t = data;
	struct sip_front *f = t->front;
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	int on = 1, fd = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		return G_SOURCE_CONTINUE;
	}
	if (f->conns.length >= f->max + MAX_TARGETS || !is_ours(&sa)) {
		f->refused++;
		close(fd);
		return G_SOURCE_CONTINUE;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	t->used_us = ort_now_us();
	struct conn *c = conn_new(f, -1, fd);
	c->target = t;
	c->known = true;
	c->source_key = g_strdup("");
	c->hop.loop = g_strdup(t->loop);
	c->hop.loop_port = t->loop_port;
	c->key = g_strdup(t->name);
	g_hash_table_replace(f->by_key, c->key, c);
	begin(c);
	return G_SOURCE_CONTINUE;
}

/* ---- targets ---- */
void target_free(gpointer p)
{
	struct target *t = p;
	if (t->source != NULL) {
		g_source_destroy(t->source);
		g_source_unref(t->source);
	}
	if (t->listener >= 0) {
		close(t->listener);
	}
	g_free((char *)(uintptr_t)t->trust.ca);
	g_free((char *)(uintptr_t)t->trust.fingerprint);
	g_free(t->key);
	g_free(t->host);
	g_free(t->proves);
	g_free(t->route);
	g_free(t->loop);
	g_free(t->name);
	g_free(t->why);
	g_free(t);
}

static bool open_loop(struct target *t)
{
	uint32_t n = t->front->target_serial++ & 0x7fffff;
	n = n == 0 || n == 0x7fffff ? 1 : n;	/* the net's own addresses */
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f800000u | n) };
	socklen_t len = sizeof(sa);
	char text[INET_ADDRSTRLEN];
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->listener < 0 || bind(t->listener, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(t->listener, 8) != 0 ||
	    getsockname(t->listener, (struct sockaddr *)&sa, &len) != 0) {
		return false;
	}
	t->loop = g_strdup(inet_ntop(AF_INET, &sa.sin_addr, text, sizeof(text)));
	t->loop_port = ntohs(sa.sin_port);
	t->name = g_strdup_printf("%s:%u", t->loop, t->loop_port);
	t->route = g_strdup_printf("sip:%s;transport=tcp", t->name);
	t->source = g_unix_fd_source_new(t->listener, G_IO_IN);
	g_source_set_callback(t->source, G_SOURCE_FUNC(on_stack), t, NULL);
	g_source_attach(t->source, t->front->context);
	return true;
}

const char *sip_front_route(struct sip_front *f, const char *host, unsigned port, const struct sip_trust *trust, char **ret_why)
{
	const char *proof = trust->fingerprint != NULL ? trust->fingerprint : trust->ca != NULL ? trust->ca : "";
	const char *name = trust->name != NULL ? trust->name : host;
	g_autofree char *key = g_strdup_printf("%s:%u %s%s%s", host, port, name, proof[0] != '\0' ? " " : "", proof);
	struct target *t = g_hash_table_lookup(f->targets, key);
	*ret_why = NULL;
	if (t == NULL && g_hash_table_size(f->targets) >= MAX_TARGETS) {
		*ret_why = g_strdup("too many peers in TLS at once");
		return NULL;
	}
	if (trust->fingerprint != NULL && !sip_fingerprint_is_good(trust->fingerprint)) {
		*ret_why = g_strdup("fingerprint= is not the SHA-256 of a certificate: 64 hex digits are wanted");
		return NULL;
	}
	if (t == NULL) {
		t = g_new0(struct target, 1);
		t->front = f;
		t->key = g_steal_pointer(&key);
		t->host = g_strdup(host);
		t->proves = g_strdup(name);
		t->port = port;
		t->trust = (struct sip_trust){ g_strdup(trust->ca), g_strdup(trust->fingerprint), NULL };
		if (!open_loop(t)) {
			*ret_why = g_strdup_printf("no socket on loopback: %s", g_strerror(errno));
			target_free(t);
			return NULL;
		}
		g_hash_table_insert(f->targets, t->key, t);
	}
	t->used_us = ort_now_us();
	return t->route;
}

static struct target *of_route(const struct sip_front *f, const char *route)
{
	GHashTableIter it;
	struct target *t;
	g_hash_table_iter_init(&it, f->targets);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&t)) {
		if (strcmp(t->route, route) == 0) {
			return t;
		}
	}
	return NULL;
}

const char *sip_front_why(struct sip_front *f, const char *route)
{
	const struct target *t = of_route(f, route);
	return t != NULL ? t->why : NULL;
}

void sip_front_use(struct sip_front *f, const char *route)
{
	struct target *t = of_route(f, route);
	if (t != NULL) {
		t->used_us = ort_now_us();
	}
}

void target_tick(struct sip_front *f, int64_t now_us)
{
	GHashTableIter it;
	struct target *t;
	for (GList *l = f->conns.head; l != NULL; l = l->next) {
		const struct conn *c = l->data;
		if (c->target != NULL) {
			c->target->used_us = now_us;
		}
	}
	g_hash_table_iter_init(&it, f->targets);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&t)) {
		if (t->used_us + (int64_t)KEEP_S * ORT_US_PER_S < now_us) {
			g_hash_table_iter_remove(&it);
		}
	}
}
