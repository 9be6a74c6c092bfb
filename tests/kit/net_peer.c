#include "tests/kit/net_peer.h"

#include <arpa/inet.h>
#include <nice/agent.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <srtp2/srtp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct net_peer {
	struct net_peer_conf conf;
	NiceAgent *agent;
	unsigned stream;
	bool gathered, ready, up, gone, started;
	SSL_CTX *ctx;
	SSL *ssl;
	char fingerprint[96], want[96];
	GSource *timer;
	srtp_t in, out;
	unsigned lost, bad;
	net_peer_fn fn;
	void *user_data;
};

static void text_of(const X509 *cert, char out[96])
{
	uint8_t hash[32];
	unsigned n = 0;

	g_assert_true(X509_digest(cert, EVP_sha256(), hash, &n) == 1);
	for (unsigned i = 0; i < n; i++) {
		g_snprintf(out + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", hash[i]);
	}
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static void make_context(net_peer *p)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"peer", -1, -1,
				   0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	g_assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	text_of(cert, p->fingerprint);
	p->ctx = SSL_CTX_new(DTLS_method());
	SSL_CTX_set_cipher_list(p->ctx, p->conf.mtu ? "ALL" : "DEFAULT");	/* a long list makes a long hello */
	g_assert_true(SSL_CTX_use_certificate(p->ctx, cert) == 1 && SSL_CTX_use_PrivateKey(p->ctx, key) == 1);
	g_assert_true(SSL_CTX_set_tlsext_use_srtp(p->ctx, p->conf.srtp ? p->conf.srtp
							     : "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM") == 0);
	SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void make_ssl(net_peer *p)
{
	p->ssl = SSL_new(p->ctx);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(p->ssl), -1);
	SSL_set_options(p->ssl, SSL_OP_NO_QUERY_MTU);
	SSL_set_mtu(p->ssl, p->conf.mtu ? p->conf.mtu : 1200);
	if (p->conf.dtls_client) {
		SSL_set_connect_state(p->ssl);
	} else {
		SSL_set_accept_state(p->ssl);
	}
}

void net_peer_send_raw(net_peer *p, const void *data, unsigned len)
{
	(void)nice_agent_send(p->agent, p->stream, 1, len, data);
}

/* Each DTLS record leaves as a datagram of its own. */
static void drain(net_peer *p)
{
	uint8_t buf[16384];
	int n = BIO_read(SSL_get_wbio(p->ssl), buf, sizeof(buf));

	for (int at = 0; at + 13 <= n;) {
		int len = 13 + (buf[at + 11] << 8 | buf[at + 12]);

		if (p->lost < p->conf.lose_dtls) {
			p->lost++;
		} else {
			net_peer_send_raw(p, buf + at, (unsigned)len);
		}
		at += len;
	}
}

static srtp_t session(SRTP_PROTECTION_PROFILE *prof, uint8_t *key, bool outbound)
{
	srtp_policy_t pol = { .ssrc = { outbound ? ssrc_any_outbound : ssrc_any_inbound, 0 }, .key = key,
			      .window_size = 1024 };
	srtp_t s = NULL;

	if (prof->id == SRTP_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&pol.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&pol.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&pol.rtp);
		srtp_crypto_policy_set_rtcp_default(&pol.rtcp);
	}
	g_assert_cmpint(srtp_create(&s, &pol), ==, srtp_err_status_ok);
	return s;
}

static void finished(net_peer *p)
{
	SRTP_PROTECTION_PROFILE *prof = SSL_get_selected_srtp_profile(p->ssl);
	X509 *cert = SSL_get1_peer_certificate(p->ssl);
	uint8_t m[60], client[30], server[30];
	char got[96];
	size_t salt;

	text_of(cert, got);
	X509_free(cert);
	if (prof == NULL || !g_str_equal(got, p->want)) {
		return;
	}
	salt = prof->id == SRTP_AEAD_AES_128_GCM ? 12 : 14;
	g_assert_true(SSL_export_keying_material(p->ssl, m, 32 + 2 * salt, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) == 1);
	memcpy(client, m, 16);
	memcpy(server, m + 16, 16);
	memcpy(client + 16, m + 32, salt);
	memcpy(server + 16, m + 32 + salt, salt);
	p->in = session(prof, p->conf.dtls_client ? server : client, false);
	p->out = session(prof, p->conf.dtls_client ? client : server, true);
	p->up = true;
}

static void step(net_peer *p)
{
	uint8_t buf[2048];
	int r;

	ERR_clear_error();
	if (!SSL_is_init_finished(p->ssl)) {
		if (SSL_do_handshake(p->ssl) == 1) {
			finished(p);
		}
	} else {
		r = SSL_read(p->ssl, buf, sizeof(buf));
		p->gone |= r <= 0 && SSL_get_error(p->ssl, r) == SSL_ERROR_ZERO_RETURN;
	}
	drain(p);
}

static gboolean tick(gpointer data)
{
	net_peer *p = data;

	if (p->started && !SSL_is_init_finished(p->ssl)) {
		DTLSv1_handle_timeout(p->ssl);
		drain(p);
	}
	return G_SOURCE_CONTINUE;
}

static void media(net_peer *p, const char *data, unsigned len)
{
	uint32_t aligned[500];
	uint8_t *buf = (uint8_t *)aligned;
	int n = (int)len;
	bool rtcp = len > 1 && (data[1] & 0x7f) >= 64 && (data[1] & 0x7f) < 96;
	srtp_err_status_t st;

	if (p->in == NULL || len > sizeof(aligned)) {
		return;
	}
	memcpy(buf, data, len);
	st = rtcp ? srtp_unprotect_rtcp(p->in, buf, &n) : srtp_unprotect(p->in, buf, &n);
	if (st != srtp_err_status_ok) {
		p->bad++;
	} else if (p->fn != NULL) {
		p->fn(rtcp, buf, (unsigned)n, p->user_data);
	}
}

static void on_recv(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf, gpointer data)
{
	net_peer *p = data;

	if (len > 0 && (uint8_t)buf[0] >= 20 && (uint8_t)buf[0] < 64) {
		BIO_write(SSL_get_rbio(p->ssl), buf, (int)len);
		step(p);
	} else if (len > 0 && (uint8_t)buf[0] >= 128) {
		media(p, buf, len);
	}
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data)
{
	net_peer *p = data;

	p->ready = state == NICE_COMPONENT_STATE_READY || state == NICE_COMPONENT_STATE_CONNECTED;
	if (p->ready && !p->started) {
		p->started = true;
		step(p);
	}
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer data)
{
	((net_peer *)data)->gathered = true;
}

static void make_agent(net_peer *p)
{
	NiceAddress *addr = nice_address_new();
	unsigned flags = (p->conf.consent ? NICE_AGENT_OPTION_CONSENT_FRESHNESS : 0u) |
			 (p->conf.aggressive ? 0u : NICE_AGENT_OPTION_REGULAR_NOMINATION);

	p->agent = nice_agent_new_full(p->conf.context, NICE_COMPATIBILITY_RFC5245, (NiceAgentOption)flags);
	g_object_set(p->agent, "controlling-mode", TRUE, "upnp", FALSE, "ice-tcp", (gboolean)p->conf.tcp, "ice-udp",
		     (gboolean)!p->conf.tcp, NULL);
	g_assert_true(nice_address_set_from_string(addr, p->conf.address ? p->conf.address : "127.0.0.1"));
	nice_agent_add_local_address(p->agent, addr);
	nice_address_free(addr);
	p->stream = nice_agent_add_stream(p->agent, 1);
	g_signal_connect(p->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), p);
	g_signal_connect(p->agent, "component-state-changed", G_CALLBACK(on_state), p);
	nice_agent_attach_recv(p->agent, p->stream, 1, p->conf.context, on_recv, p);
	g_assert_true(nice_agent_gather_candidates(p->agent, p->stream));
	while (!p->gathered) {
		g_main_context_iteration(p->conf.context, TRUE);
	}
}

net_peer *net_peer_new(const struct net_peer_conf *conf)
{
	net_peer *p = g_new0(net_peer, 1);

	(void)srtp_init();
	p->conf = *conf;
	make_context(p);
	make_ssl(p);
	make_agent(p);
	p->timer = g_timeout_source_new(50);
	g_source_set_callback(p->timer, tick, p, NULL);
	g_source_attach(p->timer, conf->context);
	return p;
}

void net_peer_free(net_peer *p)
{
	if (p == NULL) {
		return;
	}
	g_source_destroy(p->timer);
	g_source_unref(p->timer);
	nice_agent_attach_recv(p->agent, p->stream, 1, p->conf.context, NULL, NULL);
	nice_agent_remove_stream(p->agent, p->stream);
	g_object_unref(p->agent);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	if (p->in != NULL) {
		srtp_dealloc(p->in);
		srtp_dealloc(p->out);
	}
	while (g_main_context_iteration(p->conf.context, FALSE)) {
	}
	g_free(p);
}

void net_peer_local(net_peer *p, char **ret_ufrag, char **ret_pwd)
{
	g_assert_true(nice_agent_get_local_credentials(p->agent, p->stream, ret_ufrag, ret_pwd));
}

const char *net_peer_fingerprint(const net_peer *p)
{
	return p->fingerprint;
}

static void add_candidate(GSList **list, unsigned stream, const struct mcu_candidate *c)
{
	bool tcp = g_str_equal(c->protocol, "tcp");
	NiceCandidate *n = nice_candidate_new(NICE_CANDIDATE_TYPE_HOST);

	n->transport = tcp ? NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE : NICE_CANDIDATE_TRANSPORT_UDP;
	n->stream_id = stream;
	n->component_id = 1;
	n->priority = c->priority;
	g_strlcpy(n->foundation, c->foundation, sizeof(n->foundation));
	g_assert_true(nice_address_set_from_string(&n->addr, c->ip));
	nice_address_set_port(&n->addr, c->port);
	*list = g_slist_append(*list, n);
}

void net_peer_connect(net_peer *p, const char *ufrag, const char *pwd, const char *fingerprint,
		      const struct mcu_candidate *candidates, unsigned n)
{
	GSList *list = NULL;

	g_strlcpy(p->want, fingerprint, sizeof(p->want));
	g_assert_true(nice_agent_set_remote_credentials(p->agent, p->stream, ufrag, pwd));
	for (unsigned i = 0; i < n; i++) {
		if (g_str_equal(candidates[i].protocol, p->conf.tcp ? "tcp" : "udp")) {
			add_candidate(&list, p->stream, &candidates[i]);
		}
	}
	g_assert_cmpint(nice_agent_set_remote_candidates(p->agent, p->stream, 1, list), >, 0);
	g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

void net_peer_restart(net_peer *p)
{
	g_assert_true(nice_agent_restart(p->agent));
	p->ready = false;
}

bool net_peer_ice_ready(const net_peer *p)
{
	return p->ready;
}

bool net_peer_up(const net_peer *p)
{
	return p->up;
}

bool net_peer_gone(const net_peer *p)
{
	return p->gone;
}

const char *net_peer_suite(const net_peer *p)
{
	SRTP_PROTECTION_PROFILE *prof = SSL_get_selected_srtp_profile(p->ssl);

	return prof ? prof->name : "";
}

unsigned net_peer_bad(const net_peer *p)
{
	return p->bad;
}

static int sealed(net_peer *p, bool rtcp, const void *data, unsigned len, uint32_t buf[500])
{
	int n = (int)len;

	g_assert_true(p->out != NULL && len < 1600);
	memcpy(buf, data, len);
	g_assert_cmpint(rtcp ? srtp_protect_rtcp(p->out, buf, &n) : srtp_protect(p->out, buf, &n), ==, srtp_err_status_ok);
	return n;
}

void net_peer_send_rtp(net_peer *p, const void *data, unsigned len)
{
	uint32_t buf[500];

	net_peer_send_raw(p, buf, (unsigned)sealed(p, false, data, len, buf));
}

void net_peer_send_rtcp(net_peer *p, const void *data, unsigned len)
{
	uint32_t buf[500];

	net_peer_send_raw(p, buf, (unsigned)sealed(p, true, data, len, buf));
}

void net_peer_send_rtp_elsewhere(net_peer *p, const void *data, unsigned len, const struct mcu_candidate *to)
{
	uint32_t buf[500];
	int n = sealed(p, false, data, len, buf), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(to->port) };

	g_assert_true(inet_pton(AF_INET, to->ip, &a.sin_addr) == 1);
	g_assert_true(sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&a, sizeof(a)) == n);
	close(fd);
}

void net_peer_on_media(net_peer *p, net_peer_fn fn, void *user_data)
{
	p->fn = fn;
	p->user_data = user_data;
}
