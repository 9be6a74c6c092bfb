/* Sockets: how many, from where, how long in which state. Who sends no whole request makes room for who does. */
#include "gateway/web/web_priv.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include "mcu/base/clock.h"

enum { IDLE_PER_SOURCE = 64, BODY_S = 20, WAIT_S = 60, SEND_S = 30, IDLE_S = 20, CLOSING_S = 3, CROWD = 256, FEW = 8 };

static bool is_idle(enum conn_state state)
{
	return state == C_HALF_OPEN || state == C_IDLE;
}

static void tally(struct conn *c, int step)
{
	c->source->idle += (unsigned)(is_idle(c->state) ? step : 0);
	c->source->prelogin += (unsigned)(c->state == C_WS_LOGIN ? step : 0);
	c->web->half_open += (unsigned)(c->state == C_HALF_OPEN ? step : 0);
}

void gw_web_conn_enter(struct conn *c, enum conn_state state)
{
	tally(c, -1);
	c->state = state;
	tally(c, 1);
	c->since_us = ort_now_us();
}

/* ---- the address ---- */

static char *address_text(const struct sockaddr_storage *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *four = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
	if (a->ss_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	} else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, sizeof(text));
	} else if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
	}
	return g_strdup(text);
}

static char *peer_of(struct lws *wsi)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);
	if (getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&a, &len) < 0) {
		return g_strdup("");
	}
	return address_text(&a);
}

static struct source *source_get(gw_web *web, const char *key)
{
	struct source *s = g_hash_table_lookup(web->sources, key);
	if (!s) {
		s = g_new0(struct source, 1);
		g_hash_table_insert(web->sources, g_strdup(key), s);
	}
	return s;
}

/* ---- life ---- */

static bool may_go(const struct conn *c, const struct source *source, bool half_open)
{
	bool fits = half_open ? c->state == C_HALF_OPEN : is_idle(c->state);
	return !c->dying && fits && (!source || c->source == source);
}

/* The oldest of an address that has many goes first: a newcomer with his one or two is not driven out by a crowd. */
static struct conn *victim(gw_web *web, const struct source *source, bool half_open)
{
	struct conn *oldest = NULL;
	for (GList *i = web->conns.head; i; i = i->next) {
		struct conn *c = i->data;
		if (may_go(c, source, half_open)) {
			if (c->source->idle > FEW) {
				return c;
			}
			oldest = oldest ? oldest : c;
		}
	}
	return oldest;
}

static bool evict_one(gw_web *web, const struct source *source, bool half_open)
{
	struct conn *c = victim(web, source, half_open);
	if (c) {
		count(web, N_evicted);
		gw_web_conn_kill(c);
	}
	return c;
}

/* One address may hold a quarter of all sockets, so that no one address fills the house. A TLS handshake that does not go
 * on holds 50 KiB: of these there are a third at most. */
static bool find_room(gw_web *web, const struct source *source)
{
	if (source->idle >= IDLE_PER_SOURCE) {
		(void)evict_one(web, source, false);
	} else if (web->half_open >= web->max_half_open) {
		(void)evict_one(web, NULL, true);
	}
	if (source->sockets >= web->per_source) {
		return evict_one(web, source, false);
	}
	return web->conns.length < web->max_connections || evict_one(web, NULL, false);
}

struct conn *gw_web_conn_new(gw_web *web, struct lws *wsi, bool redirect)
{
	g_autofree char *peer = peer_of(wsi), *key = gw_source_key(peer);
	struct source *source = source_get(web, key);
	if (web->stopping || web->conns.length >= web->max_connections + IDLE_PER_SOURCE || !find_room(web, source)) {
		count(web, N_refused_full);
		if (source->sockets == 0) {
			g_hash_table_remove(web->sources, key);
		}
		return NULL;
	}
	struct conn *c = g_new0(struct conn, 1);
	c->web = web;
	c->wsi = wsi;
	c->redirect = redirect;
	c->link.data = c;
	c->loopback = g_str_has_prefix(peer, "127.") || strcmp(peer, "::1") == 0;
	c->peer = g_steal_pointer(&peer);
	c->key = g_steal_pointer(&key);
	c->source = source;
	c->state = C_HALF_OPEN;
	c->since_us = ort_now_us();
	source->sockets++;
	tally(c, 1);
	g_queue_push_tail_link(&web->conns, &c->link);
	web->peak = MAX(web->peak, web->conns.length);
	count(web, N_accepted);
	return c;
}

static void drop_exchange(struct conn *c)
{
	if (c->exchange) {
		c->exchange->conn = NULL;
		if (c->exchange->call) {
			gw_api_call *call = g_steal_pointer(&c->exchange->call);
			gw_web_exchange *x = g_steal_pointer(&c->exchange);
			gw_api_rest_cancel(call); /* its callback will not come: the exchange ends here */
			g_queue_unlink(&c->web->exchanges, &x->link);
			g_free(x);
		}
	}
}

void gw_web_conn_free(struct conn *c)
{
	gw_web *web = c->web;
	gw_api_session_close(g_steal_pointer(&c->session));
	drop_exchange(c);
	tally(c, -1);
	if (--c->source->sockets == 0) {
		g_hash_table_remove(web->sources, c->key);
	}
	g_queue_unlink(&web->conns, &c->link);
	g_queue_clear_full(&c->frames, g_free);
	g_clear_pointer(&c->body, g_byte_array_unref);
	g_clear_pointer(&c->out, g_byte_array_unref);
	g_clear_pointer(&c->in, g_byte_array_unref);
	gw_web_request_free(c->request);
	g_free(c->token);
	g_free(c->remote);
	g_free(c->peer);
	g_free(c->key);
	g_free(c);
}

void gw_web_conn_chore(struct conn *c)
{
	g_source_set_ready_time(c->web->chores, 0);
}

void gw_web_conn_kill(struct conn *c)
{
	c->dying = true;
	gw_web_conn_chore(c);
}

/* ---- time ---- */

static const int64_t no_limit = INT64_MAX;

static int64_t limit_us(const struct conn *c)
{
	const int64_t seconds[C_STATES] = {
		[C_HALF_OPEN] = c->web->header_timeout_s,
		[C_BODY] = BODY_S,
		[C_WAIT] = WAIT_S,
		[C_SEND] = SEND_S,
		[C_IDLE] = IDLE_S,
		[C_WS_LOGIN] = no_limit,
		[C_WS] = no_limit,
		[C_WS_CLOSING] = CLOSING_S,
	};
	return seconds[c->state] == no_limit ? no_limit : seconds[c->state] * ORT_US_PER_S;
}

/* The heap of a crowd is full of holes; when the crowd has gone the pages go back. */
static void give_memory_back(gw_web *web)
{
	if (web->peak >= CROWD && web->conns.length < web->peak / 4) {
		web->peak = web->conns.length;
		(void)malloc_trim(0);
	}
}

void gw_web_conn_tick(gw_web *web, int64_t now_us)
{
	give_memory_back(web);
	for (GList *i = web->conns.head; i; i = i->next) {
		struct conn *c = i->data;
		if (!c->dying && now_us - c->since_us > limit_us(c)) {
			if (c->state != C_IDLE && c->state != C_WS_CLOSING) {
				count(web, N_timed_out);
			}
			gw_web_conn_kill(c);
		} else if (!c->dying && c->session) {
			gw_web_ws_tick(c, now_us);
		}
	}
}
