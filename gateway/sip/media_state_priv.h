/* Inside of media*.c: transports, m-lines, the exchange under way. */
#pragma once
#include "gateway/sip/media_priv.h"

enum slot { SLOT_AUDIO, SLOT_MAIN, SLOT_CONTENT, SLOT_N, SLOT_NONE = SLOT_N };
extern const struct slot_row { const char *slot, *stream; enum mcu_kind kind; enum mcu_content content; } media_slots[SLOT_N];

/* A transport in the engine. Lines hold references; the last one closes it. */
struct tp {
	struct sip_media *m;		/* NULL: the call is gone, and has closed it */
	unsigned refs;
	char *id;
	bool lite, mux, up, lost, dtls_client;
	enum gw_sdp_security security;
	struct mcu_transport_reply reply;	/* ours; all zero until the engine answered */
	struct gw_sdp_crypto keys[2];		/* ours, one a suite */
	size_t n_keys;
	char *ufrag, *fingerprint;	/* the peer's as connected */
};

/* An m-line, in the order of the SDP, never removed (RFC 3264 8.2). */
struct line {
	enum gw_sdp_type type;
	enum slot slot;
	char *proto, *mid, *content;	/* as written in the SDP */
	bool on, refused;		/* agreed; refused: the peer did not want it, it is not offered again */
	struct tp *tp, *next;		/* agreed; of the exchange under way */
	enum gw_sdp_dir dir;		/* agreed, ours */
	struct ort_json_array offered;	/* mcu_codec_use of our offer under way */
	enum gw_sdp_dir offered_dir;
	struct ort_json_array recv, send, exts;	/* agreed */
	int64_t bps;			/* that the peer takes */
	bool avpf;
	char *source, *sink;		/* what the engine has: the request as text, NULL = none */
	char *why;			/* not on: for people */
	/* floor control */
	gw_bfcp_link *link;
	bool serves;			/* we are the server */
	enum gw_bfcp_transport bfcp;
	struct gw_sdp_floor floor;	/* what we say */
};

struct exchange;
struct sip_media {
	struct sip_media_conf conf;	/* strings below */
	char *id, *room, *party, *security;
	struct sip_media_ops ops;
	void *user_data;
	GPtrArray *lines;		/* struct line */
	unsigned n_agreed;		/* lines that the peer knows of */
	GPtrArray *tps;			/* struct tp, borrowed */
	struct exchange *x;		/* borrowed; NULL = none under way */
	GPtrArray *xs;			/* all that somebody waits for, also refused ones */
	bool offering;			/* our offer is out, its answer is not here */
	bool hold, held, told_up, mastered;	/* held: by the peer */
	unsigned tp_serial, offer_at, idle;
	uint64_t session, version;
	char *feeds[SLOT_N];
};

/* What we do with one m-line of the peer's offer. */
struct plan {
	bool accept, lite, mux, no_rtcp;
	enum slot slot;
	enum gw_sdp_security security;
	struct ort_json_array recv, send;	/* mcu_codec_use */
	char *why;
};

enum exchange_kind { X_OFFER, X_ANSWER, X_TAKE };	/* ours; the answer to ours; theirs */
/* One offer or answer on its way through the engine, in stages. Owned by itself: lives until the last reply. */
struct exchange {
	struct sip_media *m;		/* NULL = nobody waits any more */
	enum exchange_kind kind;
	sip_media_fn fn;
	gw_sdp *sdp;			/* the peer's */
	struct gw_sdp_peer *peers;	/* of sdp's m-lines */
	struct plan *plans;		/* X_TAKE: of sdp's m-lines */
	char *text, *why;
	unsigned status, pending, idle;
	void (*next)(struct exchange *x);	/* stage that follows when `pending` is 0; never before return */
};
struct exchange *xchg_new(struct sip_media *m, enum exchange_kind kind, sip_media_fn fn);	/* held: release it */
void xchg_hold(struct exchange *x);
void xchg_release(struct exchange *x);
void xchg_done(struct exchange *x);		/* one reply came */
void xchg_fail(struct exchange *x, unsigned status, const char *why);	/* the first one counts */
void xchg_error(struct exchange *x, const GError *err);
void xchg_step(struct exchange *x, enum mcu_method method, const void *request);
void xchg_finish(struct exchange *x);	/* last stage: tells, frees */
void xchg_orphan(struct exchange *x);	/* nobody is told any more */
bool xchg_parse(struct exchange *x, const char *text, size_t len);

/* media_line.c */
struct line *line_new(struct sip_media *m, enum gw_sdp_type type, enum slot slot);
void line_free(gpointer line);
void line_off(struct sip_media *m, struct line *l, const char *why);
void line_forget_streams(struct sip_media *m, struct line *l);
struct line *line_of_slot(const struct sip_media *m, enum slot slot);	/* that is on; NULL */
void line_apply(struct exchange *x, struct line *l);	/* sources and sinks after tp, dir, recv, send changed */
void line_route(struct sip_media *m, struct line *l);
char *line_stream(const struct sip_media *m, const struct line *l);
char *line_sink(const struct sip_media *m, const struct line *l);
bool line_connect(struct exchange *x, struct line *l, const struct gw_sdp_peer *peer);
void line_swap(struct line *l);		/* next becomes tp */
void uses_copy(const struct ort_json_table *row, const struct ort_json_array *from, struct ort_json_array *to);

/* media_tp.c */
struct tp *tp_ref(struct tp *tp);
void tp_unref(struct tp *tp);	/* NULL allowed */
void tp_drop(struct tp **tp);
void tp_orphan(struct tp *tp);	/* the call ends: closed now */
struct tp *tp_open(struct exchange *x, unsigned index, bool lite, enum gw_sdp_security security, bool mux, bool ip6);
void tp_restart(struct exchange *x, struct tp *tp);
const struct mcu_candidate_use *tp_address(const struct tp *tp);
const struct gw_sdp_crypto *tp_key(const struct tp *tp, const char *suite);

/* media_codecs.c */
void media_codecs(const struct sip_media *m, enum mcu_kind kind, struct ort_json_array *ret);	/* in the order we want them */
int64_t media_bps(const struct sip_media *m, enum mcu_kind kind);	/* that we take, 0 = not said */
bool media_may(const struct sip_media *m, enum gw_sdp_security security, const char **ret_why);
enum gw_sdp_security media_offer_security(const struct sip_media *m);
const char *media_proto(const struct sip_media *m, enum gw_sdp_security security);
bool media_quirk(const struct sip_media *m, enum sip_quirk_id id);

/* media_floor.c */
void floor_offer(struct sip_media *m, struct line *l);
const char *floor_take_offer(struct sip_media *m, struct line *l, const struct gw_sdp_floor *peer);	/* NULL or why not */
const char *floor_take_answer(struct sip_media *m, struct line *l, const struct gw_sdp_floor *peer);
void floor_close(struct line *l);

/* media_offer.c */
void media_describe(struct sip_media *m, struct line *l, struct gw_sdp_line *ret);
char *media_write(struct sip_media *m, const struct gw_sdp_line *lines, const char *const *bundle);
void media_abandon(struct sip_media *m);	/* back to what was agreed */
const char *media_label(const struct line *l);
/* What of the peer's line goes to an agreed one of ours; recv and send are taken. */
bool media_agree(struct exchange *x, struct line *l, const struct gw_sdp_media *theirs, const struct gw_sdp_peer *peer,
		 struct ort_json_array *recv, struct ort_json_array *send);

/* media.c */
void media_settle_soon(struct sip_media *m);	/* after an exchange: tells holds and up, from the loop */
