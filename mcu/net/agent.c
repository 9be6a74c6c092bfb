/* Full ICE by libnice behind the same face, for legs where our side must control (a lite peer, an old gateway) or needs
 * a relay. Dear (two descriptors and about 0.2 ms/s a peer, no batches), hence never the default.
 *
 * libnice wants a GMainContext. A thread for it would need locks, so the port has one context that its turn iterates;
 * the context's descriptors hang in an epoll of their own below the port's, its next time-out is in the port's deadline. */
#include "mcu/net/net_priv.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { FDS = 1024, ITERATIONS = 64, CLOSING_MS = 300 };

struct net_agent {
	mcu_transport *t;
	NiceAgent *nice;
	unsigned stream;
	struct net_pair *pair;	/* NULL until libnice has selected one */
	bool ready;
};

struct net_agents {
	struct net_event ev;	/* fd: the nested epoll */
	GMainContext *context;
	unsigned n_closing;
	GPollFD fds[FDS];
	int n_fds;
	int64_t deadline_us;
};

/* The nested epoll only wakes the turn; net_agents_turn() does the work. */
static void ready(mcu_port *port, struct net_event *ev, uint32_t events)
{
}

static struct net_agents *agents_of(mcu_port *port)
{
	struct net_agents *g = port->agents;

	if (g == NULL) {
		g = port->agents = g_new0(struct net_agents, 1);
		g->context = g_main_context_new();
		g->deadline_us = ORT_NEVER;
		g->ev = (struct net_event){ ready, -1 };
	}
	return g;
}

/* At the end of the process relays get a moment to hear that they may go; else they expire by themselves. */
void net_agents_free(mcu_port *port)
{
	struct net_agents *g = port->agents;

	if (g == NULL) {
		return;
	}
	for (unsigned i = 0; i < CLOSING_MS; i++) {
		while (g_main_context_iteration(g->context, FALSE)) {
		}
		if (g->n_closing == 0) {
			break;
		}
		g_usleep(1000);
	}
	if (g->ev.fd >= 0) {
		close(g->ev.fd);
	}
	g_main_context_unref(g->context);
	g_free(g);
	port->agents = NULL;
}

static void rebuild_epoll(mcu_port *port, struct net_agents *g)
{
	if (g->ev.fd >= 0) {
		close(g->ev.fd);
	}
	g->ev.fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < g->n_fds; i++) {	/* G_IO_* and EPOLL* have the values of poll(2) */
		struct epoll_event e = { g->fds[i].events, { .fd = g->fds[i].fd } };

		if (epoll_ctl(g->ev.fd, EPOLL_CTL_ADD, g->fds[i].fd, &e) < 0 && errno == EEXIST) {
			e.events |= EPOLLIN | EPOLLOUT;
			(void)epoll_ctl(g->ev.fd, EPOLL_CTL_MOD, g->fds[i].fd, &e);
		}
	}
	(void)epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, g->ev.fd, &(struct epoll_event){ EPOLLIN, { .ptr = &g->ev } });
}

static void watch(mcu_port *port, struct net_agents *g)
{
	GPollFD fds[FDS];
	int priority, timeout_ms, n;

	(void)g_main_context_prepare(g->context, &priority);
	n = MIN(g_main_context_query(g->context, priority, &timeout_ms, fds, FDS), FDS);
	g->deadline_us = timeout_ms < 0 ? ORT_NEVER : port->now_us + timeout_ms * ORT_US_PER_MS;
	for (int i = 0; i < n; i++) {
		fds[i].revents = 0;
	}
	if (n != g->n_fds || memcmp(fds, g->fds, (size_t)n * sizeof(fds[0])) != 0) {
		memcpy(g->fds, fds, (size_t)n * sizeof(fds[0]));
		g->n_fds = n;
		rebuild_epoll(port, g);
	}
}

void net_agents_turn(mcu_port *port)
{
	struct net_agents *g = port->agents;

	if (g == NULL || !g_main_context_acquire(g->context)) {
		return;
	}
	for (unsigned i = 0; i < ITERATIONS && g_main_context_iteration(g->context, FALSE); i++) {
	}
	net_port_batch_end(port);
	watch(port, g);
	g_main_context_release(g->context);
}

int64_t net_agents_deadline(const mcu_port *port)
{
	return port->agents ? port->agents->deadline_us : ORT_NEVER;
}

static void on_recv(NiceAgent *nice, guint stream, guint component, guint len, gchar *buf, gpointer data)
{
	struct net_agent *a = data;

	if (len <= NET_DATAGRAM && a->pair != NULL) {
		net_port_datagram(a->t->port, &(struct net_datagram){ (const uint8_t *)buf, len, a->pair->path });
	}
}

static void make_pair(struct net_agent *a)
{
	mcu_transport *t = a->t;

	if (a->pair == NULL) {
		a->pair = g_new0(struct net_pair, 1);
		a->pair->t = t;
		a->pair->path.agent = a;
		t->pairs[0] = t->selected = a->pair;
		NET_COUNT(t->port, ICE_PAIR);
	}
	a->pair->nominated = true;
	a->pair->last_check_us = t->port->now_us;
}

static void on_pair(NiceAgent *nice, guint stream, guint component, NiceCandidate *local, NiceCandidate *remote,
		    gpointer data)
{
	struct net_agent *a = data;

	if (a->t->dead) {
		return;
	}
	make_pair(a);
	nice_address_copy_to_sockaddr(&local->addr, &a->pair->path.local.sa);
	nice_address_copy_to_sockaddr(&remote->addr, &a->pair->path.remote.sa);
}

static void on_component(NiceAgent *nice, guint stream, guint component, guint state, gpointer data)
{
	struct net_agent *a = data;

	a->ready = state == NICE_COMPONENT_STATE_READY || state == NICE_COMPONENT_STATE_CONNECTED;
	if (state == NICE_COMPONENT_STATE_READY && !a->t->dead) {
		make_pair(a);
		net_transport_check(a->t, a->pair, a->t->port->now_us);
	}
}

bool net_agent_ready(const struct net_agent *a)
{
	return a->ready;
}

void net_agent_forget_pair(struct net_agent *a)
{
	a->pair = NULL;
}

struct net_pair *net_agent_pair(const struct net_agent *a)
{
	return a->pair;
}

void net_agent_send(mcu_port *port, struct net_agent *a, const uint8_t *data, size_t len)
{
	if (nice_agent_send(a->nice, a->stream, 1, (guint)len, (const gchar *)data) == (gint)len) {
		NET_COUNT(port, UDP_OUT);
	} else {
		NET_COUNT(port, UDP_ERROR);
	}
}

/* A run of RFC 4571 frames, as TCP runs are: libnice takes packets one by one. */
void net_agent_write(mcu_port *port, struct net_agent *a, const uint8_t *framed, size_t len)
{
	for (size_t at = 0; at + 2 <= len;) {
		size_t n = (size_t)(framed[at] << 8 | framed[at + 1]);

		net_agent_send(port, a, framed + at + 2, n);
		at += 2 + n;
	}
}

static void add_local_addresses(const mcu_port *port, NiceAgent *nice)
{
	for (unsigned i = 0; i < port->n_socks; i++) {
		NiceAddress addr;

		if (!port->socks[i].any) {	/* wildcard: libnice looks at the interfaces itself */
			nice_address_init(&addr);
			nice_address_set_from_sockaddr(&addr, &port->socks[i].local.sa);
			nice_address_set_port(&addr, 0);
			nice_agent_add_local_address(nice, &addr);
		}
	}
}

/* "turn:user:password@192.0.2.1:3478?transport=udp": RFC 7065 with credentials in front, each percent-encoded where
 * needed. The server is a literal address: a media thread asks no name server. */
static bool set_turn(struct net_agent *a, const char *uri)
{
	g_auto(GStrv) cred = NULL;
	const char *at = strrchr(uri, '@'), *host = at ? at + 1 : NULL, *colon, *query = strchr(uri, '?');
	g_autofree char *user = NULL, *password = NULL, *front = NULL, *ip = NULL;
	NiceRelayType type = query && g_str_equal(query, "?transport=tcp") ? NICE_RELAY_TYPE_TURN_TCP
									   : NICE_RELAY_TYPE_TURN_UDP;
	union mcu_addr literal;
	unsigned long number;
	char *end;

	if (!g_str_has_prefix(uri, "turn:") || host == NULL) {
		return false;
	}
	colon = host[0] == '[' ? strchr(host, ']') : host;
	colon = colon ? strchr(colon, ':') : NULL;
	number = colon ? strtoul(colon + 1, &end, 10) : 3478;
	if (number == 0 || number > 65535 || (colon && *end != '\0' && *end != '?')) {
		return false;
	}
	front = g_strndup(uri + 5, (gsize)(at - uri - 5));
	ip = host[0] == '[' ? g_strndup(host + 1, strcspn(host + 1, "]")) : g_strndup(host, strcspn(host, ":?"));
	cred = g_strsplit(front, ":", 2);
	if (g_strv_length(cred) != 2) {
		return false;
	}
	user = g_uri_unescape_string(cred[0], NULL);
	password = g_uri_unescape_string(cred[1], NULL);
	return user && password && net_addr_parse(ip, 0, &literal) &&
	       nice_agent_set_relay_info(a->nice, a->stream, 1, ip, (guint)number, user, password, type);
}

static void read_creds(struct net_agent *a)
{
	g_autofree char *ufrag = NULL, *pwd = NULL;

	if (nice_agent_get_local_credentials(a->nice, a->stream, &ufrag, &pwd)) {
		g_strlcpy(a->t->local.ufrag, ufrag, sizeof(a->t->local.ufrag));
		g_strlcpy(a->t->local.pwd, pwd, sizeof(a->t->local.pwd));
		a->t->local.generation++;
	}
}

static NiceAgent *make_nice(mcu_port *port, const struct mcu_agent_conf *conf)
{
	NiceAgent *nice = nice_agent_new_full(agents_of(port)->context, NICE_COMPATIBILITY_RFC5245,
					      NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_ICE_TRICKLE |
						      NICE_AGENT_OPTION_CONSENT_FRESHNESS);

	g_object_set(nice, "controlling-mode", (gboolean)!conf->controlled, "upnp", FALSE, "ice-tcp",
		     (gboolean)port->conf.tcp, "force-relay", (gboolean)conf->relay_only, NULL);
	add_local_addresses(port, nice);
	return nice;
}

mcu_transport *mcu_transport_open_agent(mcu_port *port, const struct mcu_agent_conf *conf, void *transport_data,
					GError **err)
{
	mcu_transport *t = mcu_transport_open(port, transport_data, err);
	struct net_agent *a;

	if (t == NULL) {
		return NULL;
	}
	net_ice_forget(t, &t->local);	/* its credentials are libnice's */
	a = t->agent = g_new0(struct net_agent, 1);
	a->t = t;
	a->nice = make_nice(port, conf);
	a->stream = nice_agent_add_stream(a->nice, 1);
	g_signal_connect(a->nice, "component-state-changed", G_CALLBACK(on_component), a);
	g_signal_connect(a->nice, "new-selected-pair-full", G_CALLBACK(on_pair), a);
	nice_agent_attach_recv(a->nice, a->stream, 1, port->agents->context, on_recv, a);
	if (conf->turn != NULL && !set_turn(a, conf->turn)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			    "TURN: turn:user:password@address:port?transport=udp|tcp wanted");
		mcu_transport_close(t);
		return NULL;
	}
	if (!nice_agent_gather_candidates(a->nice, a->stream)) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "no address to gather candidates on");
		mcu_transport_close(t);
		return NULL;
	}
	read_creds(a);
	net_port_enter(port);
	net_agents_turn(port);
	net_port_leave(port);
	return t;
}

static void closed(GObject *nice, GAsyncResult *result, gpointer data)
{
	((struct net_agents *)data)->n_closing--;
	g_object_unref(nice);
}

/* Gone for us at once; libnice itself goes when its relay has been given back. */
void net_agent_close(struct net_agent *a)
{
	struct net_agents *g = a->t->port->agents;

	g_signal_handlers_disconnect_by_data(a->nice, a);
	nice_agent_attach_recv(a->nice, a->stream, 1, g->context, NULL, NULL);
	nice_agent_remove_stream(a->nice, a->stream);
	g->n_closing++;
	g_main_context_push_thread_default(g->context);	/* where `closed` is to be called */
	nice_agent_close_async(a->nice, closed, g);
	g_main_context_pop_thread_default(g->context);
	g_free(a);
}

bool net_agent_connect(struct net_agent *a, const char *ufrag, const char *pwd)
{
	return nice_agent_set_remote_credentials(a->nice, a->stream, ufrag, pwd);
}

void net_agent_restart(struct net_agent *a)
{
	(void)nice_agent_restart(a->nice);
	read_creds(a);
}

static void fill(const NiceCandidate *c, struct mcu_candidate *ret)
{
	static const char *const types[] = { [NICE_CANDIDATE_TYPE_HOST] = "host",
					     [NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE] = "srflx",
					     [NICE_CANDIDATE_TYPE_PEER_REFLEXIVE] = "prflx",
					     [NICE_CANDIDATE_TYPE_RELAYED] = "relay" };
	static const char *const kinds[] = { [NICE_CANDIDATE_TRANSPORT_UDP] = "",
					     [NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE] = "active",
					     [NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE] = "passive",
					     [NICE_CANDIDATE_TRANSPORT_TCP_SO] = "so" };

	memset(ret, 0, sizeof(*ret));
	g_strlcpy(ret->foundation, c->foundation, sizeof(ret->foundation));
	g_strlcpy(ret->protocol, c->transport == NICE_CANDIDATE_TRANSPORT_UDP ? "udp" : "tcp", sizeof(ret->protocol));
	g_strlcpy(ret->type, types[c->type], sizeof(ret->type));
	g_strlcpy(ret->tcptype, kinds[c->transport], sizeof(ret->tcptype));
	ret->priority = c->priority;
	nice_address_to_string(&c->addr, ret->ip);
	ret->port = (uint16_t)nice_address_get_port(&c->addr);
}

unsigned net_agent_candidates(const struct net_agent *a, struct mcu_candidate *ret, unsigned max)
{
	GSList *list = nice_agent_get_local_candidates(a->nice, a->stream, 1);
	unsigned n = 0;

	for (GSList *i = list; i != NULL && n < max; i = i->next) {
		fill(i->data, &ret[n++]);
	}
	g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
	return n;
}

int mcu_transport_add_candidate(mcu_transport *t, const char *line, GError **err)
{
	g_autofree char *sdp = NULL;
	NiceCandidate *c;
	GSList *list;

	if (t->agent == NULL || line[0] == '\0') {	/* lite: the peer's checks tell; empty: end of candidates */
		return 0;
	}
	line += g_str_has_prefix(line, "a=") ? 2 : 0;
	sdp = g_strconcat("a=", line, NULL);
	c = strpbrk(line, "\r\n") ? NULL
				  : nice_agent_parse_remote_candidate_sdp(t->agent->nice, t->agent->stream, sdp);
	if (c == NULL || c->component_id != 1) {
		g_clear_pointer(&c, nice_candidate_free);
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no candidate of component 1: %s", line);
		return -EINVAL;
	}
	list = g_slist_append(NULL, c);
	(void)nice_agent_set_remote_candidates(t->agent->nice, t->agent->stream, 1, list);
	g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
	return 0;
}
