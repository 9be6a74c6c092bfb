/* Sockets under an association. link.c: life, addresses, datagrams; stream.c: TCP and TLS; dtls.c; tls.c: certificates. Loop thread. */
#pragma once
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "gateway/bfcp/core_priv.h"

enum { BFCP_HASH = 32 };

union bfcp_addr { struct sockaddr sa; struct sockaddr_in in; struct sockaddr_in6 in6; };

struct gw_bfcp {
	GMainContext *context;
	union bfcp_addr local;
	SSL_CTX *tls, *dtls;	/* NULL = none */
	char fingerprint[3 * BFCP_HASH];
	struct bfcp_counters counters;
	unsigned n_links;
};

struct gw_bfcp_link {
	gw_bfcp *b;
	enum gw_bfcp_transport transport;
	bool active;
	const struct gw_bfcp_ops *ops;
	void *user_data;
	struct bfcp_core core;
	GSource *timer;
	union bfcp_addr remote;
	bool told;		/* `remote` was signalled */
	unsigned busy;		/* > 0: a callback may be on the way, memory stays */
	bool dead;
	int fd;			/* datagrams, or the listener; -1 = none */
	GSource *fd_source;
	/* streams */
	int conn;		/* -1 = none */
	GSource *conn_source;
	GIOCondition conn_wants;
	bool connecting;
	uint8_t in[BFCP_LONGEST];
	size_t in_len;
	GByteArray *out;
	int64_t redial_us;
	unsigned redials;
	SSL *ssl;
	bool tls_done, have_hash;
	uint8_t hash[BFCP_HASH];
};

void bfcp_link_enter(struct gw_bfcp_link *l);
void bfcp_link_leave(struct gw_bfcp_link *l);	/* may free it; re-arms its timer */
bool bfcp_addr_same_ip(const union bfcp_addr *a, const union bfcp_addr *b);
socklen_t bfcp_addr_len(const union bfcp_addr *a);
GSource *bfcp_watch(gw_bfcp *b, int fd, GIOCondition cond, gboolean (*fn)(gint, GIOCondition, gpointer), void *data);

bool bfcp_stream_open(struct gw_bfcp_link *l, GError **err);	/* listens when passive */
void bfcp_stream_told(struct gw_bfcp_link *l, int64_t now_us);
void bfcp_stream_send(struct gw_bfcp_link *l, const uint8_t *data, size_t len);
void bfcp_stream_timer(struct gw_bfcp_link *l, int64_t now_us);
void bfcp_stream_close(struct gw_bfcp_link *l);	/* silent */

void bfcp_dtls_readable(struct gw_bfcp_link *l);
bool bfcp_dtls_told(struct gw_bfcp_link *l);	/* of the peer's address, again when it changed */
void bfcp_dtls_send(struct gw_bfcp_link *l, const uint8_t *data, size_t len);
void bfcp_dtls_timer(struct gw_bfcp_link *l, int64_t now_us);
int64_t bfcp_dtls_deadline(struct gw_bfcp_link *l);
void bfcp_dtls_close(struct gw_bfcp_link *l);	/* silent */

bool bfcp_tls_open(gw_bfcp *b, const char *certificate, const char *key, GError **err);
bool bfcp_tls_hash(const char *fingerprint, uint8_t ret[BFCP_HASH]);	/* "AA:BB.." or "sha-256 AA:BB.." */
SSL *bfcp_tls_new(struct gw_bfcp_link *l, int fd);
