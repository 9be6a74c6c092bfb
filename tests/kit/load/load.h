/* Load generator: P publishers and N subscribers of one video stream each, in one thread, with ICE, DTLS and SRTP that
 * share no code with mcu/net and mcu/rtp, so that it is also their oracle (SRTP is libsrtp's, STUN and RTCP are plain
 * bytes here). Signalling is an interface with an adapter a server. Everything is owned by struct load, one thread. */
#pragma once
#include <glib.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOAD_PT = 96, LOAD_RTX_PT = 97, LOAD_TWCC_ID = 3, LOAD_SLOT = 1500, LOAD_WINDOW = 8192, LOAD_TWCC_MAX = 512,
       LOAD_AUTH_EVERY = 128, LOAD_NACK_MAX = 512, LOAD_RING = 1024, LOAD_LATENCY_MAX = 65536 };

struct load;
struct load_peer;

/* What signalling learns about the server's side of one transport. */
struct load_remote {
	char ufrag[257], pwd[257], fingerprint[100];	/* SHA-256, "AA:BB:.." */
	struct sockaddr_storage addr;
	bool we_control;	/* ICE role: we nominate */
	bool dtls_client;	/* we open the handshake */
	uint8_t pt, rtx_pt, twcc_id;	/* 0 = not negotiated */
};

/* One adapter a server. Calls never block after open(). */
struct load_sig_ops {
	const char *name;
	bool (*open)(struct load *load, const char *target, GError **err);
	void (*start)(struct load *load, struct load_peer *peer);	/* ends in load_peer_connect() */
	int (*fd)(struct load *load);
	void (*turn)(struct load *load, int64_t now_us);		/* fd readable, or 20 ms passed */
	void (*mark)(struct load *load, bool end);	/* the window begins, ends: counters of the server; may be NULL */
	void (*close)(struct load *load);
};
extern const struct load_sig_ops load_sig_janus, load_sig_ortoo;

struct load_conf {
	char *sig, *target, *host, *relay, *srtp;
	int pubs, subs, fps, pkts, bytes, seconds, pid;
	int strangers;		/* packets of ever new SSRCs that the first publisher adds to each frame */
	char *liars;		/* who signals a fingerprint that is not his: "pubs", "subs" */
	double join_rate;
	bool relay_pubs;	/* the relay stands between publishers and the server, not subscribers */
	bool no_nack, counters;
};

/* Sending side of a publisher. Packets are kept in clear for retransmission (RFC 4588). */
struct load_send {
	uint32_t ssrc, rtx_ssrc, ts, picture;
	uint16_t seq, rtx_seq, twcc;
	int64_t next_frame_us, next_sr_us;
	bool want_key;
	uint64_t packets, octets, keyframes, nacks, resent;
	struct { uint16_t seq, len; uint8_t data[LOAD_SLOT]; } *ring;	/* LOAD_RING slots */
};

struct load_missing { int64_t seq; int64_t next_us; int tries; };

/* Receiving side of a subscriber. */
struct load_recv {
	uint32_t ssrc, sender;
	bool started;
	int64_t base, max;
	uint64_t bitmap[LOAD_WINDOW / 64];
	uint64_t packets, unique, dup, late, rtx, rtx_useful, nacked, auth_ok, auth_fail, corrupt, keyframes;
	uint64_t window_base;		/* `unique` at the start of the measuring window */
	double jitter;
	int64_t transit;
	uint64_t prior_expected, prior_received;
	uint32_t last_sr;
	int64_t last_sr_us, next_rr_us, next_twcc_us, next_pli_us;
	struct load_missing missing[LOAD_NACK_MAX];
	unsigned n_missing;
	struct { uint16_t seq; int64_t us; } twcc[LOAD_TWCC_MAX];
	unsigned n_twcc;
	uint8_t twcc_count;
};

struct load_peer {
	struct load *load;
	int index, feed;		/* feed: index of the publisher a subscriber wants */
	int fd;
	bool started, known, checking, checked, nominated, up, failed;
	char ufrag[9], pwd[25];
	struct load_remote remote;
	uint8_t transaction[12];
	uint64_t tiebreaker;
	int64_t next_check_us, dtls_deadline_us, start_us, known_us, ice_us, up_us, first_us;
	SSL *ssl;
	const uint8_t *in;
	size_t in_len;
	srtp_t srtp_out, srtp_in;
	struct load_send *send;		/* publishers */
	struct load_recv *recv;		/* subscribers */
	uint64_t sig_id;		/* the adapter's */
};

struct load {
	struct load_conf conf;
	const struct load_sig_ops *sig;
	void *sig_data;
	struct load_peer *peers;	/* publishers first */
	int n_peers;
	SSL_CTX *ssl_ctx;
	char fingerprint[100];
	struct sockaddr_storage relay;
	int epoll;
	uint8_t *noise;			/* payload bytes */
	struct rx *rx;
	float *latency_ms;
	unsigned n_latency;
	bool measuring, sending, lost;	/* lost: the server is gone */
	uint64_t due, bad_stun, late_frames, rtcp_fail;
	const char *profile;
};

int64_t load_now_us(void);
uint32_t load_random(void);
bool load_addr(const char *ip, uint16_t port, struct sockaddr_storage *ret);

/* peer.c */
bool load_peer_open(struct load *load, struct load_peer *peer, GError **err);
void load_peer_close(struct load_peer *peer);
void load_peer_connect(struct load_peer *peer, const struct load_remote *remote);
void load_peer_fail(struct load_peer *peer, const char *why);	/* `why` a literal */
void load_peer_read(struct load_peer *peer);
void load_peer_tick(struct load_peer *peer, int64_t now_us);
uint16_t load_peer_port(const struct load_peer *peer);
struct rx *load_rx_new(void);

/* dtls.c */
bool load_dtls_init(struct load *load, GError **err);
void load_dtls_start(struct load_peer *peer);
void load_dtls_input(struct load_peer *peer, const uint8_t *data, size_t len);
void load_dtls_tick(struct load_peer *peer, int64_t now_us);

/* stun.c: RFC 8489 and the attributes of RFC 8445, plain bytes. */
struct load_stun {
	uint16_t type;
	const uint8_t *transaction;
	const char *username;
	size_t username_len;
	int error;
	bool use_candidate, integrity;
};
bool load_stun_parse(const uint8_t *data, size_t len, const char *pwd, struct load_stun *ret);
size_t load_stun_request(uint8_t *out, const uint8_t transaction[12], const char *username, const char *pwd,
			 bool controlling, uint64_t tiebreaker, bool use_candidate);
size_t load_stun_reply(uint8_t *out, const uint8_t *transaction, const struct sockaddr_storage *from, const char *pwd);

/* publisher.c */
void load_send_frame(struct load_peer *peer, int64_t now_us);
void load_send_tick(struct load_peer *peer, int64_t now_us);
void load_send_rtcp(struct load_peer *peer, const uint8_t *data, size_t len);

/* subscriber.c */
void load_recv_rtp(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us);
void load_recv_rtcp(struct load_peer *peer, const uint8_t *data, size_t len, int64_t now_us);
void load_recv_tick(struct load_peer *peer, int64_t now_us);
uint64_t load_recv_expected(const struct load_recv *r);
size_t load_recv_twcc(struct load_recv *r, uint8_t *out, size_t room);	/* 0 = a gap too wide for one report */

/* Protects and sends one compound RTCP packet. */
void load_rtcp_out(struct load_peer *peer, uint8_t *data, size_t len);
size_t load_rtcp_sdes(uint8_t *out, uint32_t ssrc);

/* process.c: another process's CPU time (all threads, also those that ended) and resident memory. */
int64_t load_cpu_ns(int pid);	/* -1 = unknown */
int64_t load_rss_bytes(int pid);

/* sdp.c: the little SDP that Janus wants. */
char *load_sdp_local(const struct load_peer *peer, bool answer);	/* (transfer full) */
bool load_sdp_remote(const struct load_peer *peer, const char *sdp, bool offer, struct load_remote *ret);

static inline void load_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void load_put32(uint8_t *p, uint32_t v)
{
	load_put16(p, v >> 16);
	load_put16(p + 2, v & 0xffff);
}
static inline unsigned load_get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}
static inline uint32_t load_get32(const uint8_t *p)
{
	return (uint32_t)load_get16(p) << 16 | load_get16(p + 2);
}
