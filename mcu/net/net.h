/* Transports of one media worker: one muxed UDP port and one TCP port of the same number, ICE, DTLS, SRTP.
 * Everything here belongs to the worker's thread; nothing blocks, nothing locks. The owner runs an epoll loop:
 * wait on mcu_port_fd() until mcu_port_deadline(), call mcu_port_turn(). Room code is called back from turn().
 *
 * Order inside a turn: packets of one batch -> on_rtp/on_rtcp for each -> on_batch_end once -> flush. The room keeps
 * what it got until on_batch_end and then sends receiver by receiver, so that each receiver's packets are one GSO run. */
#pragma once
#include <glib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/bridge/bridge.h"
#include "mcu/rtp/rtp.h"

typedef struct mcu_port mcu_port;
typedef struct mcu_transport mcu_transport;

union mcu_addr { struct sockaddr sa; struct sockaddr_in in; struct sockaddr_in6 in6; };

struct mcu_port_conf {
	const char *const *listen;	/* literal addresses to bind, v4 and v6; NULL-terminated; NULL = 0.0.0.0 and :: */
	const char *const *announce;	/* addresses written into candidates; NULL = addresses of the interfaces (loopback last) */
	uint16_t udp_port;		/* 0 = the kernel's choice; TCP takes the same number */
	bool tcp;			/* ICE-TCP passive (RFC 6544) */
	unsigned max_transports;	/* 0 = 4096 */
	unsigned max_packets;		/* packet pool, 0 = 65536 */
	unsigned stun_per_s;		/* per source address before it is validated, 0 = 50 */
	unsigned dtls_hello_per_s;	/* per validated pair, 0 = 5 */
	unsigned ssrc_per_transport;	/* 0 = 64 */
	size_t tcp_queue;		/* unsent bytes per TCP peer, 0 = 1 MiB; above: dropped to the next key frame */
	uint64_t seed;			/* 0 = random; tests fix it */
	uint16_t plain_first, plain_last;	/* UDP ports of plain transports; 0 = the kernel's choice */
	const char *const *zones;	/* "name=address": what plain transports of a zone announce; NULL-terminated */
	uint8_t dscp, dscp_audio, dscp_video;	/* marks (RFC 4594) of the muxed port, and of plain sound and pictures; 0 = none */
};

/* Counters are rows in net.c: mcu_port_stats() prints all as JSON members. Packet errors are counted, never fatal. */
struct mcu_port_ops {
	/* Decrypted, authenticated, parsed, replay-checked. Keep it with mcu_packet_ref(). */
	void (*on_rtp)(mcu_transport *t, struct mcu_packet *p, int64_t now_us, void *transport_data);
	void (*on_rtcp)(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us, void *transport_data);
	/* States of the table in transport.c: new, ice, dtls, up, disconnected, failed, closed. `why` is a literal code. */
	void (*on_state)(mcu_transport *t, const char *state, const char *why, int64_t now_us, void *transport_data);
	void (*on_batch_end)(mcu_port *port, int64_t now_us, void *user_data);
};

mcu_port *mcu_port_new(const struct mcu_port_conf *conf, const struct mcu_port_ops *ops, void *user_data, GError **err);
void mcu_port_free(mcu_port *port);	/* closes its transports silently */
int mcu_port_fd(const mcu_port *port);	/* an epoll fd of all its sockets */
int64_t mcu_port_deadline(const mcu_port *port);
void mcu_port_turn(mcu_port *port, int64_t now_us);	/* reads at most a few batches, runs due timers, flushes */
void mcu_port_flush(mcu_port *port);	/* sends what mcu_transport_send_* gathered; turn() does it by itself */
mcu_pool *mcu_port_pool(mcu_port *port);
uint16_t mcu_port_number(const mcu_port *port);
const char *mcu_port_fingerprint(const mcu_port *port);	/* "AA:BB:..", SHA-256 of our certificate (EC P-256, made at start) */
char *mcu_port_stats(const mcu_port *port);	/* JSON object text, (transfer full), g_free */

struct mcu_candidate { char foundation[33]; char protocol[4]; uint32_t priority; char ip[46]; uint16_t port;
		       char type[6]; char tcptype[8]; };	/* RFC 8839 5.1, component 1 */

/* ICE-lite (RFC 8445 2.5), controlled; rtcp-mux and BUNDLE only. ufrag/pwd are made here. NULL at the limit. */
mcu_transport *mcu_transport_open(mcu_port *port, void *transport_data, GError **err);
/* Full ICE (libnice), for peers where our side must control or needs a relay. Host candidates are there on return, those
 * of a relay come later: ask mcu_transport_candidates() again. Costs more than lite in all respects. */
struct mcu_agent_conf {
	bool controlled;
	bool relay_only;	/* no pair but through `turn` */
	const char *turn;	/* "turn:user:password@192.0.2.1:3478?transport=udp", percent-encoded; NULL = none */
};
mcu_transport *mcu_transport_open_agent(mcu_port *port, const struct mcu_agent_conf *conf, void *transport_data,
					GError **err);
/* Plain: sockets of its own for one m-line, no ICE (SIP, H.323, GB/T 28181). RTP on an even port, RTCP on the next unless
 * muxed. Heard is only the signalled address; see plain.c for latching. No consent: silence for 10 s is "disconnected",
 * for 30 s "failed" (why "silence"), and any authentic packet brings it back. */
enum mcu_plain_security { MCU_PLAIN_NONE, MCU_PLAIN_SDES, MCU_PLAIN_DTLS };
struct mcu_plain_conf {
	enum mcu_plain_security security;	/* dtls without rtcp_mux: RTP only, RTCP is neither sent nor understood */
	bool ip6, rtcp_mux;
	const char *zone;	/* NULL = the first announced address of the family */
};
mcu_transport *mcu_transport_open_plain(mcu_port *port, const struct mcu_plain_conf *conf, void *transport_data,
					GError **err);
/* The peer as signalled. All strings are borrowed for the call. Again with each new offer or answer: an equal address
 * keeps what was latched, equal keys keep their counters. */
struct mcu_plain_peer {
	const char *ip;		/* literal; NULL with port 0 */
	uint16_t port, rtcp_port;	/* 0 = send nothing (hold); rtcp_port 0 = port + 1 or muxed, equal to port = muxed */
	const char *suite, *send_key, *recv_key;	/* sdes: RFC 4568 6.2 name, base64 of key and salt */
	const char *fingerprint;	/* dtls: as of mcu_transport_connect() */
	bool dtls_client;
	bool silent;		/* the peer need not send (it holds, or only receives): no time limit */
};
int mcu_transport_connect_plain(mcu_transport *t, const struct mcu_plain_peer *peer, GError **err);
uint16_t mcu_transport_rtcp_port(const mcu_transport *t);	/* ours; 0 = muxed */
/* DSCP by what the m-line carries; no-op but for plain transports. */
void mcu_transport_mark(mcu_transport *t, bool video);
/* No network at all: the codec worker behind a channel of mcu/bridge, whose maker's side this takes over (also on error). It
 * is up at once; state "failed", why "bridge", when the other side breaks the channel or goes. */
mcu_transport *mcu_transport_open_bridge(mcu_port *port, mcu_channel *channel, void *transport_data, GError **err);
int mcu_transport_set_channel(mcu_transport *t, mcu_channel *channel);	/* of a bridge: the next worker; up again; takes it */
/* A trickled remote candidate, "candidate:..." of RFC 8839 5.1, in any order with connect(). Lite: accepted and ignored. */
int mcu_transport_add_candidate(mcu_transport *t, const char *line, GError **err);
void mcu_transport_close(mcu_transport *t);	/* silent; NULL allowed */
void mcu_transport_local(const mcu_transport *t, char ret_ufrag[33], char ret_pwd[33]);
unsigned mcu_transport_candidates(const mcu_transport *t, struct mcu_candidate *ret, unsigned max);
/* Remote side as signalled. `fingerprint` SHA-256 "AA:BB:.."; `dtls_client` = we open the handshake (peer is passive).
 * Media passes only when the hash of the peer's certificate is equal; otherwise state failed, why "fingerprint". */
int mcu_transport_connect(mcu_transport *t, const char *ufrag, const char *pwd, const char *fingerprint,
			  bool dtls_client, GError **err);
int mcu_transport_restart_ice(mcu_transport *t);	/* new local ufrag/pwd; the old pair serves until the new one is nominated */
void *mcu_transport_data(const mcu_transport *t);
const char *mcu_transport_state(const mcu_transport *t);
bool mcu_transport_up(const mcu_transport *t);
int64_t mcu_transport_rtt_us(const mcu_transport *t);	/* from RTCP if the room set it; default 100 ms */
void mcu_transport_set_rtt(mcu_transport *t, int64_t rtt_us);	/* clamped to 1 ms - 10 s */
char *mcu_transport_dump(const mcu_transport *t);	/* JSON object text, (transfer full), g_free */

/* Sending. Header is written by the room into a small buffer; payload stays where it is and is encrypted out of place.
 * Consecutive packets of one transport become one run. Dropped silently (counted) when the transport is not up.
 * Nonce rule (RFC 7714 12): never send the same (ssrc, seq) with other bytes. `payload` is borrowed for the call. */
void mcu_transport_send_rtp(mcu_transport *t, const uint8_t *header, unsigned header_len, const uint8_t *payload,
			    unsigned payload_len);
void mcu_transport_send_rtcp(mcu_transport *t, const uint8_t *data, unsigned len);
/* A TCP peer that cannot keep up: everything for it is dropped until a quarter of its queue's limit is left. When this
 * turns false again the room begins with a key frame. */
bool mcu_transport_congested(const mcu_transport *t);
