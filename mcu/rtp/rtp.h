/* RTP and RTCP as bytes: no sockets, no clock, no GLib. One media thread, or any thread for the pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCU_PACKET_ROOM 1600	/* bytes of one slot; datagrams longer than 1500 are refused */

/* Meaning of a header extension; ids are negotiated per transport (RFC 8285). Rows in ext.c carry the URIs. */
enum mcu_ext { MCU_EXT_MID, MCU_EXT_RID, MCU_EXT_REPAIRED_RID, MCU_EXT_AUDIO_LEVEL, MCU_EXT_TWCC, MCU_EXT_ABS_SEND_TIME,
	       MCU_EXT_ORIENTATION, MCU_EXT_PLAYOUT_DELAY, MCU_EXT_DEPENDENCY, MCU_EXT_N };
const char *mcu_ext_uri(enum mcu_ext ext);
int mcu_ext_by_uri(const char *uri);	/* enum mcu_ext or -1 */

/* id per meaning, 1-14 (one-byte form) or up to 255 (two-byte form), 0 = not negotiated */
struct mcu_ext_map { uint8_t id[MCU_EXT_N]; };

/* Parsed view of a packet; pointers lead into it. */
struct mcu_rtp {
	uint8_t pt; bool marker; bool padding;
	uint16_t seq; uint32_t ts, ssrc;
	uint16_t ext_profile; const uint8_t *ext; uint16_t ext_len;	/* body without the 4-byte header; NULL = none */
	uint16_t header_len;	/* bytes up to the payload */
	uint16_t payload_len, padding_len;
};
/* 0 or -EBADMSG. Every length is checked against `len`. RFC 3550 5.1, 5.3.1. */
int mcu_rtp_parse(const uint8_t *data, size_t len, struct mcu_rtp *ret);
bool mcu_rtp_is_rtcp(const uint8_t *data, size_t len);	/* RFC 5761: packet type 64-95 in the pt field (200-207) */

/* Value of one extension: pointer into the packet or NULL. RFC 8285 one- and two-byte forms. */
const uint8_t *mcu_rtp_ext_find(const struct mcu_rtp *rtp, uint8_t id, uint8_t *ret_len);

/* Writes a whole RTP header with extensions in ascending id order. Returns its length, or -ENOSPC. */
struct mcu_ext_value { uint8_t id, len; const uint8_t *data; };
int mcu_rtp_write_header(uint8_t *out, size_t room, const struct mcu_rtp *fields,
			 const struct mcu_ext_value *exts, unsigned n_exts);

/* 64-bit unwrapping of 16-bit and 32-bit counters, tolerant of reordering (RFC 3550 A.1). Zero-init. */
struct mcu_unwrap { bool started; int64_t last; };
int64_t mcu_unwrap16(struct mcu_unwrap *u, uint16_t value);
int64_t mcu_unwrap32(struct mcu_unwrap *u, uint32_t value);

/* One packet in a counted slot, plaintext, read-only after the receiver wrote it. Single-threaded counting: pool and
 * packets belong to one media thread. */
typedef struct mcu_pool mcu_pool;
struct mcu_packet {
	struct mcu_packet *next_free; mcu_pool *pool;
	uint32_t refs;
	uint16_t len;
	int64_t arrival_us;
	struct mcu_rtp rtp;		/* parsed view of data */
	uint8_t data[MCU_PACKET_ROOM];
};
mcu_pool *mcu_pool_new(unsigned max_packets);	/* grows in slabs up to max */
void mcu_pool_free(mcu_pool *pool);
struct mcu_packet *mcu_packet_new(mcu_pool *pool);	/* NULL at the limit; refs = 1 */
struct mcu_packet *mcu_packet_ref(struct mcu_packet *p);
void mcu_packet_unref(struct mcu_packet *p);		/* NULL allowed */
unsigned mcu_pool_in_use(const mcu_pool *pool);

/* Retransmission ring: the packets of one published stream by sequence number; one ring serves all receivers. */
typedef struct mcu_store mcu_store;
mcu_store *mcu_store_new(unsigned slots);	/* power of two */
void mcu_store_free(mcu_store *s);
void mcu_store_put(mcu_store *s, int64_t ext_seq, struct mcu_packet *p);	/* takes a reference */
struct mcu_packet *mcu_store_get(const mcu_store *s, int64_t ext_seq);	/* borrowed, NULL = gone */

/* Which packets of a stream we miss and when to ask again. Pure: returns its next deadline. */
typedef struct mcu_nack mcu_nack;
mcu_nack *mcu_nack_new(void);
void mcu_nack_free(mcu_nack *n);
void mcu_nack_seen(mcu_nack *n, int64_t ext_seq, int64_t now_us);
/* Fills up to `max` sequence numbers to ask for now (spaced by rtt_us, at most 10 tries, 1,000 entries). *ret_give_up is
 * set when a packet was given up: ask for a key frame. */
unsigned mcu_nack_due(mcu_nack *n, int64_t now_us, int64_t rtt_us, uint16_t *ret_seqs, unsigned max, bool *ret_give_up);
int64_t mcu_nack_deadline(const mcu_nack *n);

/* Receiver statistics of one SSRC for RR blocks (RFC 3550 A.3, A.8). */
struct mcu_recv_stats {
	struct mcu_unwrap seq; int64_t base_seq, max_seq; uint64_t packets, bytes; uint64_t prior_expected, prior_packets;
	double jitter; int64_t last_transit; uint32_t last_sr; int64_t last_sr_us; uint32_t clock_hz; int64_t last_us;
};
int64_t mcu_recv_stats_packet(struct mcu_recv_stats *st, const struct mcu_rtp *rtp, unsigned len, int64_t now_us);
struct mcu_rr_block;
/* Report block of the interval since the last call (RFC 3550 A.3). */
void mcu_recv_stats_block(struct mcu_recv_stats *st, uint32_t ssrc, int64_t now_us, struct mcu_rr_block *ret);

/* RTCP. The reader walks a compound packet; each record is one of these. RFC 3550 6.4-6.6, RFC 4585, RFC 5104,
 * draft-holmer-rmcat-transport-wide-cc-extensions-01, draft-alvestrand-rmcat-remb. */
struct mcu_rr_block { uint32_t ssrc; uint8_t fraction_lost; int32_t lost; uint32_t max_seq, jitter, last_sr, delay_sr; };
enum mcu_rtcp_kind { MCU_RTCP_SR, MCU_RTCP_RR, MCU_RTCP_SDES, MCU_RTCP_BYE, MCU_RTCP_NACK, MCU_RTCP_PLI, MCU_RTCP_FIR,
		     MCU_RTCP_REMB, MCU_RTCP_TWCC, MCU_RTCP_OTHER };
struct mcu_rtcp {
	enum mcu_rtcp_kind kind; uint32_t sender, media;
	const uint8_t *body; size_t body_len;	/* the packet after its 4-byte header: for the kind's own walker */
	uint64_t ntp; uint32_t rtp_ts, packets, octets;	/* SR */
	uint8_t count;				/* report blocks, FCI entries, sources */
};
/* Sets *pos to the next packet; 1 = a record, 0 = end, -EBADMSG = broken: stop, count. */
int mcu_rtcp_next(const uint8_t *data, size_t len, size_t *pos, struct mcu_rtcp *ret);
bool mcu_rtcp_report(const struct mcu_rtcp *r, unsigned i, struct mcu_rr_block *ret);	/* SR, RR: i < count */
unsigned mcu_rtcp_nack_seqs(const struct mcu_rtcp *r, uint16_t *ret, unsigned max);	/* NACK, RFC 4585 6.2.1 */
bool mcu_rtcp_fir(const struct mcu_rtcp *r, unsigned i, uint32_t *ret_ssrc, uint8_t *ret_seq);
bool mcu_rtcp_remb(const struct mcu_rtcp *r, uint64_t *ret_bps, uint32_t *ret_ssrcs, unsigned *io_n);
/* TWCC: calls fn for each reported packet; arrival_us on the receiver's clock (wraps after 12 days), or INT64_MIN when
 * lost. Nothing is called for a broken report. 0/-EBADMSG */
int mcu_rtcp_twcc_walk(const struct mcu_rtcp *r, void (*fn)(uint16_t seq, int64_t arrival_us, void *ud), void *ud);

/* Writers append at out+*pos; 0 or -ENOSPC. */
int mcu_rtcp_write_sr(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint64_t ntp, uint32_t rtp_ts,
		      uint32_t packets, uint32_t octets, const struct mcu_rr_block *blocks, unsigned n);
int mcu_rtcp_write_rr(uint8_t *out, size_t room, size_t *pos, uint32_t sender, const struct mcu_rr_block *blocks, unsigned n);
int mcu_rtcp_write_sdes_cname(uint8_t *out, size_t room, size_t *pos, uint32_t ssrc, const char *cname);
int mcu_rtcp_write_bye(uint8_t *out, size_t room, size_t *pos, uint32_t ssrc);
int mcu_rtcp_write_nack(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media, const uint16_t *seqs, unsigned n);
int mcu_rtcp_write_pli(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media);
int mcu_rtcp_write_fir(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media, uint8_t seq);
int mcu_rtcp_write_remb(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint64_t bps, const uint32_t *ssrcs, unsigned n);

/* TWCC feedback builder for one receiving transport: note arrivals, take a report. Zero-init ring of 1,024. */
typedef struct mcu_twcc_recv mcu_twcc_recv;
mcu_twcc_recv *mcu_twcc_recv_new(void);
void mcu_twcc_recv_free(mcu_twcc_recv *t);
void mcu_twcc_recv_seen(mcu_twcc_recv *t, uint16_t seq, int64_t now_us);
/* Appends a report when something arrived since the last one; 0 = nothing to say, 1 = written, -ENOSPC */
int mcu_twcc_recv_write(mcu_twcc_recv *t, uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media);

/* Sender-side downlink estimate of one transport from TWCC reports or REMB: REMB-class, loss and delay gradient. */
typedef struct mcu_bwe mcu_bwe;
mcu_bwe *mcu_bwe_new(uint64_t start_bps, uint64_t min_bps, uint64_t max_bps);
void mcu_bwe_free(mcu_bwe *b);
void mcu_bwe_sent(mcu_bwe *b, uint16_t twcc_seq, unsigned bytes, int64_t now_us);
void mcu_bwe_feedback(mcu_bwe *b, const struct mcu_rtcp *twcc, int64_t now_us);
void mcu_bwe_remb(mcu_bwe *b, uint64_t bps, int64_t now_us);
void mcu_bwe_loss(mcu_bwe *b, uint8_t fraction_lost, int64_t now_us);	/* RR, peers without TWCC */
uint64_t mcu_bwe_bps(const mcu_bwe *b);
