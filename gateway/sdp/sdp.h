/* SDP (RFC 8866): text <-> structs, and what an answer is made of. Nothing here is of browsers only except offer.c's rules
 * about BUNDLE. Pure functions, any thread; a session belongs to whoever holds it.
 *
 * Strings inside a session live in the session: put new ones there with gw_sdp_str(). A string that is absent is NULL.
 * Limits of the parser: 64 KiB, 64 m-lines, 256 attributes per m-line and for the session, 4096 bytes a line. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/proto/proto.h"

#define GW_SDP_TEXT_MAX	 65536
#define GW_SDP_MEDIA_MAX 64
#define GW_SDP_ATTRS_MAX 256
#define GW_SDP_LINE_MAX	 4096

/* Direction as a set, seen from the side that wrote it. */
enum gw_sdp_dir { GW_SDP_INACTIVE = 0, GW_SDP_SEND = 1, GW_SDP_RECV = 2, GW_SDP_SENDRECV = 3 };
enum gw_sdp_setup { GW_SDP_SETUP_NONE, GW_SDP_ACTPASS, GW_SDP_ACTIVE, GW_SDP_PASSIVE, GW_SDP_HOLDCONN };	/* RFC 4145 */
enum gw_sdp_type { GW_SDP_AUDIO, GW_SDP_VIDEO, GW_SDP_APPLICATION, GW_SDP_TEXT, GW_SDP_IMAGE, GW_SDP_MESSAGE,
		   GW_SDP_OTHER };

struct gw_sdp_attr { const char *name, *value; };	/* value NULL: a=name; "u=" and such: another line type */
struct gw_sdp_bandwidth { const char *type; uint64_t value; };		/* b=AS:512 */
struct gw_sdp_group { const char *semantics; const char **mids; };	/* RFC 5888; mids NULL-terminated */
struct gw_sdp_fingerprint { const char *hash, *value; };		/* "sha-256", "AA:BB..." RFC 8122 */
struct gw_sdp_candidate {	/* RFC 8839 5.1 */
	const char *foundation, *protocol, *ip, *type, *raddr, *tcptype;
	const char *rest;	/* extensions that we do not know, as they stood */
	unsigned component, port, rport;
	uint32_t priority;
};
struct gw_sdp_codec {	/* rtpmap, fmtp, rtcp-fb of one payload type; static types come with their name */
	unsigned pt, channels;	/* channels 0 = not said (1) */
	uint32_t clock_hz;	/* 0: dynamic type without rtpmap, name is NULL then */
	const char *name, *fmtp;
	const char **fb;	/* "nack pli", ...; NULL-terminated, may be NULL; `a=rtcp-fb:*` is copied to each codec */
};
struct gw_sdp_ext { unsigned id; enum gw_sdp_dir dir; const char *uri, *config; };	/* RFC 8285; dir SENDRECV = not said */
struct gw_sdp_ssrc { uint32_t ssrc; struct gw_sdp_attr *attrs; size_t n_attrs; };	/* RFC 5576 */
struct gw_sdp_ssrc_group { const char *semantics; uint32_t *ssrcs; size_t n_ssrcs; };
struct gw_sdp_rid { const char *id, *params; enum gw_sdp_dir dir; };			/* RFC 8851 */

/* The same member set stands at session and at media level. */
struct gw_sdp_level {
	const char *info, *conn;	/* i=, c= ("IN IP4 192.0.2.1") */
	struct gw_sdp_bandwidth *bandwidths;
	size_t n_bandwidths;
	const char *ice_ufrag, *ice_pwd, *ice_options;
	struct gw_sdp_fingerprint *fingerprints;
	size_t n_fingerprints;
	enum gw_sdp_setup setup;
	bool has_dir;
	enum gw_sdp_dir dir;		/* meaningful with has_dir */
	struct gw_sdp_ext *exts;
	size_t n_exts;
	bool extmap_allow_mixed;
	struct gw_sdp_attr *attrs;	/* all that we do not know, for the round trip */
	size_t n_attrs;
};
struct gw_sdp_media {
	struct gw_sdp_level level;
	enum gw_sdp_type type;
	const char *type_name, *proto;	/* "video", "UDP/TLS/RTP/SAVPF" */
	unsigned port, n_ports;		/* n_ports 1 = not said */
	bool is_rtp;			/* codecs, else formats */
	struct gw_sdp_codec *codecs;
	size_t n_codecs;
	const char **formats;		/* NULL-terminated */
	const char *mid, *content, *label, *rtcp, *simulcast;	/* values as they stand */
	bool rtcp_mux, rtcp_rsize, bundle_only, end_of_candidates;
	unsigned ptime, maxptime;	/* ms, 0 = not said */
	struct gw_sdp_candidate *candidates;
	size_t n_candidates;
	struct gw_sdp_ssrc *ssrcs;
	size_t n_ssrcs;
	struct gw_sdp_ssrc_group *ssrc_groups;
	size_t n_ssrc_groups;
	struct gw_sdp_rid *rids;
	size_t n_rids;
	const char **msids;		/* "stream track", NULL-terminated, may be NULL */
};
typedef struct gw_sdp gw_sdp;	/* so that g_autoptr(gw_sdp) works */
struct gw_sdp {
	GStringChunk *strings;
	struct gw_sdp_level level;
	const char *origin, *name, *time;	/* o=, s=, t= values */
	bool ice_lite;
	struct gw_sdp_group *groups;
	size_t n_groups;
	struct gw_sdp_media *media;
	size_t n_media;
};

/* 0, -EMSGSIZE (a limit) or -EINVAL; *ret_why (transfer full, may be NULL) is "line 7: a=rtpmap: ...". Lines may end with
 * CRLF or LF. */
int gw_sdp_parse(const char *text, size_t len, gw_sdp **ret, char **ret_why);
char *gw_sdp_print(const gw_sdp *sdp);	/* CRLF, (transfer full) */
void gw_sdp_free(gw_sdp *sdp);			/* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(gw_sdp, gw_sdp_free)

/* ---- looking things up (media value, else the session's); results borrowed ---- */
int gw_sdp_find_mid(const gw_sdp *sdp, const char *mid);	/* index of the m-line, -1 */
enum gw_sdp_dir gw_sdp_dir(const gw_sdp *sdp, const struct gw_sdp_media *m);
const char *gw_sdp_fmtp_value(const char *fmtp, const char *key, size_t *ret_len);	/* NULL = no such key; not terminated */
bool gw_sdp_is_bundled(const gw_sdp *sdp, const struct gw_sdp_media *m);

/* ---- SDP <-> the media description of the control protocol; arrays owned by the caller ---- */
enum mcu_content gw_sdp_content(const struct gw_sdp_media *m);			/* a=content:slides */
void gw_sdp_codecs(const struct gw_sdp_media *m, struct ort_json_array *ret);	/* mcu_codec_use, known ones, rtx paired */
void gw_sdp_exts(const gw_sdp *sdp, const struct gw_sdp_media *m, struct ort_json_array *ret);	/* mcu_ext_use */
/* What the writer of `m` sends: one row a rid of a=simulcast:send, else one with the first SSRC and its FID partner. */
void gw_sdp_encodings(const struct gw_sdp_media *m, struct ort_json_array *ret);	/* mcu_encoding */
void gw_sdp_array_clear(const struct ort_json_table *row, struct ort_json_array *array);
/* The peer's ICE and DTLS side into req (strings owned by it: ort_json_clear), from the m-line that carries the BUNDLE
 * (or the first accepted one); req's room, transport and extensions are left alone. 0 or -EINVAL + why. */
int gw_sdp_remote(const gw_sdp *sdp, struct mcu_transport_connect *req, char **ret_why);

/* ---- answering an offer ---- */

/* What we want of one m-line of the offer, by its index. Everything borrowed. */
struct gw_sdp_plan {
	bool reject;			/* port 0; the line that carries a BUNDLE which others use is answered inactive */
	enum gw_sdp_dir dir;		/* ours: RECV = the peer publishes, SEND = the peer views; cut with what it offers */
	bool simulcast;			/* RECV: accept the offered rids */
	const struct mcu_codec_use *codecs;	/* allowed, most wanted first, with their feedback and fmtp; NULL = all */
	size_t n_codecs;			/* of codecs.def in the offerer's order (`pt` is not read) */
	const char *stream, *track;	/* SEND: a=msid; NULL = "-" and the mid */
	uint32_t ssrc, rtx_ssrc;	/* SEND: 0 = not said */
	/* NULL = the answer's. An m-line outside of BUNDLE needs its own, else it is rejected. */
	const struct mcu_transport_reply *transport;
};
/* Ours for the whole session. Everything borrowed. */
struct gw_sdp_ours {
	const struct mcu_transport_reply *transport;	/* ICE, fingerprint ("sha-256 AA:..." or bare hex = sha-256), candidates */
	uint64_t session_id, version;			/* o=; version grows with each answer of the session */
	const char *cname;				/* RFC 7022; NULL = "ortoo" */
	enum gw_sdp_setup setup;			/* NONE = passive when the offer allows it */
};
/* What came out for one m-line: rows for source.add, sink.add and transport.connect. */
struct gw_sdp_agreed {
	bool accepted;
	const char *why;		/* static; why it was rejected */
	const char *mid;		/* borrowed from the offer */
	enum mcu_kind kind;
	enum mcu_content content;
	enum gw_sdp_dir dir;		/* ours */
	struct ort_json_array codecs;	/* mcu_codec_use with the offerer's payload types, first = preferred */
	struct ort_json_array exts;	/* mcu_ext_use */
	struct ort_json_array encodings; /* mcu_encoding: what the peer will send; empty without RECV */
	struct ort_json_array sends;	/* gw_sdp_take_answer: mcu_codec_use with the peer's types; `codecs` are ours then */
};
void gw_sdp_agreed_clear(struct gw_sdp_agreed *agreed, size_t n);
/* plans[n] for offer->media[n], n == offer->n_media. Fills agreed[n] (caller's; clear it afterwards, also on error) and
 * *ret_answer (gw_sdp_print, gw_sdp_free). 0 or -EINVAL + why; an answer that accepts nothing is no error. */
int gw_sdp_answer(const gw_sdp *offer, const struct gw_sdp_ours *ours, const struct gw_sdp_plan *plans, size_t n,
		  struct gw_sdp_agreed *agreed, gw_sdp **ret_answer, char **ret_why);
/* Extensions of all accepted m-lines without repetition, for transport.connect. (mcu_ext_use) */
void gw_sdp_agreed_exts(const struct gw_sdp_agreed *agreed, size_t n, struct ort_json_array *ret);

/* ---- m-lines with a transport each (RFC 3264): SIP, GB/T 28181. Reading is peer.c, agreeing agree.c, writing line.c ---- */

enum gw_sdp_security { GW_SDP_NO_KEYS, GW_SDP_SDES, GW_SDP_DTLS };

/* a=crypto (RFC 4568). Taken: suites of crypto.c, one key, no MKI (we would have to strip it from each packet), no session
 * parameter that changes the packets. A lifetime is read and not enforced: the peer re-keys by another offer. */
struct gw_sdp_crypto {
	unsigned tag;
	const char *suite;	/* static, RFC 4568 6.2 and RFC 7714 */
	char key[65];		/* base64 of key||salt */
};
#define GW_SDP_CRYPTO_MAX 4
bool gw_sdp_crypto_read(const char *value, struct gw_sdp_crypto *ret, const char **ret_why);	/* why: static */
char *gw_sdp_crypto_print(const struct gw_sdp_crypto *crypto);	/* attribute value, (transfer full) */
bool gw_sdp_crypto_make(unsigned tag, const char *suite, struct gw_sdp_crypto *ret);	/* new key; false = unknown suite */
extern const char *const gw_sdp_crypto_suites[];	/* most wanted first, NULL-terminated */

/* What the peer says of one m-line of sound or pictures. Strings borrowed from the session. */
struct gw_sdp_peer {
	const char *why;		/* static; why it cannot be used, NULL = it can */
	enum mcu_kind kind;
	enum mcu_content content;
	enum gw_sdp_dir dir;		/* the peer's; without RECV where its address is 0.0.0.0 (hold of RFC 2543) */
	char ip[46];			/* literal; "" = 0.0.0.0 */
	unsigned port, rtcp_port;	/* rtcp_port 0 = muxed */
	bool keyed, avpf, rtcp_mux, ice, bundled;	/* keyed: the profile demands SRTP */
	const char *ufrag, *pwd, *fingerprint;	/* SHA-256 or NULL */
	enum gw_sdp_setup setup;
	struct gw_sdp_crypto cryptos[GW_SDP_CRYPTO_MAX];	/* usable ones, the peer's order */
	size_t n_cryptos;
	const char *crypto_why;		/* static; why a line with keys has none that is usable */
	int64_t bps;			/* what it takes (b=TIAS, else AS, the line's, else the session's); 0 = not said */
};
void gw_sdp_read_peer(const gw_sdp *sdp, size_t index, struct gw_sdp_peer *ret);

/* Floor control (RFC 8856), one floor. */
struct gw_sdp_floor {
	const char *why;		/* static; NULL = usable */
	const char *proto;		/* "UDP/BFCP", "TCP/BFCP", "TCP/TLS/BFCP", "UDP/TLS/BFCP"; as static words */
	bool may_serve, may_ask;	/* the writer's roles: floor control server, client */
	uint32_t conference, user;
	uint16_t floor;			/* 0 = none said */
	char stream[33];		/* a=label of the m-line that the floor controls; "" = none said */
	char ip[46];
	unsigned port;
	enum gw_sdp_setup setup;	/* TCP */
	const char *fingerprint;	/* TLS */
};
bool gw_sdp_is_floor(const struct gw_sdp_media *m);	/* an m-line of BFCP, usable or not */
void gw_sdp_read_floor(const gw_sdp *sdp, size_t index, struct gw_sdp_floor *ret);

/* Codecs that both sides do. `ours` in the order we want them; H.264 there stands for all profiles that we decode, its fmtp
 * tells our level. Answering: ret_recv gets the offerer's payload types with our fmtp. Else `ours` is what we offered, and
 * ret_recv its rows, those that the answer took first. ret_send: the peer's types and fmtp, most wanted first. Both mcu_codec_use,
 * owned by the caller; false = nothing but dialled digits in common. */
bool gw_sdp_agree(const struct gw_sdp_media *peer, const struct mcu_codec_use *ours, size_t n, bool answering,
		  struct ort_json_array *ret_recv, struct ort_json_array *ret_send);
/* Why there is no codec in common, for people: "offers only G.722.1C, AAC-LD: no free codec". (transfer full) */
char *gw_sdp_why_no_codec(const struct gw_sdp_media *m);

/* What a receiver can take, from its fmtp: H.264 level, max-fs, max-mbps, max-br (RFC 6184 8.1), H.265 level-id (RFC 7798),
 * VP8 max-fs, max-fr (RFC 7741). 16:9 sizes; 0 = not said. */
struct gw_sdp_limits { int64_t width, height, fps, bps; };
void gw_sdp_limits(const struct mcu_codec_use *use, struct gw_sdp_limits *ret);

/* Baseline as constrained baseline, all else as it is: so that a room's picture may be forwarded to browsers. NULL is level
 * 1 of baseline. (transfer full) */
char *gw_sdp_h264_constrained(const char *fmtp);

/* What we write. Everything borrowed. */
struct gw_sdp_line {
	const struct gw_sdp_media *offered;	/* the m-line that this answers, NULL in an offer */
	bool reject;				/* port 0: all but `type` and `offered` unread */
	enum gw_sdp_type type;			/* AUDIO, VIDEO, APPLICATION (floor) */
	const char *proto;			/* of an offer */
	const char *mid, *label, *content;
	enum gw_sdp_dir dir;
	const struct ort_json_array *codecs, *exts;	/* mcu_codec_use that we receive, mcu_ext_use; NULL = none */
	const struct mcu_transport_reply *transport;	/* with ice_ufrag: ICE, else its candidate is the address */
	bool feedback, rtcp_mux;
	const struct gw_sdp_crypto *cryptos;
	size_t n_cryptos;
	enum gw_sdp_setup setup;		/* with it the transport's fingerprint is said */
	int64_t bps;				/* what we take; 0 = not said */
	unsigned ptime;
	uint32_t ssrc;				/* of what we send; 0 = not said */
	const struct gw_sdp_floor *floor;	/* ours: ip, port, roles, ids */
};
struct gw_sdp_session {
	uint64_t id, version;		/* o=; the version grows with each text of the session */
	const char *ip;			/* o= and c= */
	int64_t bps;			/* b=AS, 0 = not said */
	const char *cname;
	bool ice_lite;
	const char *const *bundle;	/* mids, NULL-terminated; NULL = none */
};
gw_sdp *gw_sdp_offer(const struct gw_sdp_session *session, const struct gw_sdp_line *lines, size_t n);	/* or an answer */
/* Intake of an answer to what gw_sdp_offer() wrote: peers[n], and agreed[n] with `codecs` (ours, received) and `sends`.
 * Floor lines are only counted. -EINVAL + why when the m-lines are not those of the offer (RFC 3264 6). */
int gw_sdp_take_answer(const gw_sdp *answer, const struct gw_sdp_line *lines, size_t n, struct gw_sdp_peer *peers,
		       struct gw_sdp_agreed *agreed, char **ret_why);

/* ---- building by hand ---- */
gw_sdp *gw_sdp_new(void);
const char *gw_sdp_str(gw_sdp *sdp, const char *s);	/* copy that lives with the session; NULL stays NULL */
