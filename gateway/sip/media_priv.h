/* The media half of a SIP call: SDP on one side, the engine on the other, no SIP. One object a call; loop thread.
 * Offer/answer (RFC 3264) in every order: we offer, the peer offers, either again at any time; one exchange at a time (the
 * dialog refuses glare by 491). Each m-line has a transport of its own ("<leg>.<index>.<generation>") unless BUNDLE is
 * agreed; ICE-lite with rtcp-mux where the peer offers ICE, else plain. */
#pragma once
#include "gateway/bfcp/bfcp.h"
#include "gateway/sdp/sdp.h"
#include "gateway/sip/sip.h"

struct sip_media;
struct sip_media_conf {
	const char *id, *room, *party;	/* leg, engine room, prefix of its streams */
	const struct gw_sip_zone *zone;
	bool secure_signalling;		/* TLS: SDES keys may be said */
	const char *security;		/* "none", "sdes", "dtls"; NULL = all that zone and signalling allow */
	bool video, content, ice;	/* what we offer; content = second video with BFCP */
	int64_t max_bps;
	unsigned quirks;		/* bits of quirks.def */
	gw_bfcp *bfcp;			/* NULL = no floor control */
};
struct sip_media_ops {
	void (*media)(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data);
	void (*on_stream)(struct sip_media *m, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data);
	void (*on_up)(struct sip_media *m, void *user_data);		/* every accepted m-line's transport is up */
	void (*on_failed)(struct sip_media *m, const char *why, void *user_data);	/* a transport failed for good */
	void (*on_hold)(struct sip_media *m, bool by_peer, void *user_data);	/* true: the peer holds us now; false: no longer */
	void (*on_floor)(struct sip_media *m, enum gw_sip_floor_news news, void *user_data);
};
/* sdp NULL: status is the SIP status to refuse with (488, 500, 503 ..), why for the log. Borrowed. Never before return. */
typedef void (*sip_media_fn)(struct sip_media *m, const char *sdp, unsigned status, const char *why, void *user_data);

struct sip_media *sip_media_new(const struct sip_media_conf *conf, const struct sip_media_ops *ops, void *user_data);
void sip_media_free(struct sip_media *m);	/* closes its transports in the engine; silent */
void sip_media_offer(struct sip_media *m, sip_media_fn fn);			/* ours, first or again (hold, ICE restart) */
void sip_media_take_answer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn);	/* to ours; fn's sdp is "" */
void sip_media_take_offer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn);	/* fn's sdp is our answer */
void sip_media_cancel(struct sip_media *m);	/* the exchange under way failed in signalling: back to what was agreed */
int sip_media_feed(struct sip_media *m, const char *slot, const char *source);	/* as gw_leg_feed */
bool sip_media_takes(const struct sip_media *m, const char *slot, struct gw_leg_takes *ret);	/* as gw_leg_takes: codec agreed on */
void sip_media_hold(struct sip_media *m, bool on);	/* takes effect with the next offer or answer */
int sip_media_dtmf(struct sip_media *m, const char *digits);
int sip_media_floor(struct sip_media *m, enum gw_sip_floor what);
/* The engine forgot it (restart): its m-lines get a new one with the next offer, which the caller makes. */
void sip_media_transport_lost(struct sip_media *m, const char *transport);
/* Our first offer was refused by 488: true = there is another security that zone and signalling allow; offer again. */
bool sip_media_retry(struct sip_media *m);
bool sip_media_has_feedback(const struct sip_media *m, const char *stream);	/* false: ask for key frames by RFC 5168 */
void sip_media_transport_state(struct sip_media *m, const struct mcu_transport_state *state);
bool sip_media_owns(const struct sip_media *m, const char *transport);
json_t *sip_media_print(const struct sip_media *m);	/* m-lines with codec, size, security, state; (transfer full) */

/* Peer quirks: rows of quirks.def and of a folder of "*.quirks" files (quirks.c tells their shape). */
enum sip_quirk_id {
#define X(id, ...) SIP_QUIRK_##id,
#include "gateway/sip/quirks.def"
#undef X
	SIP_QUIRK_N
};
struct sip_quirks;
struct sip_quirks *sip_quirks_load(const char *folder, GError **err);	/* NULL folder = built in only */
void sip_quirks_free(struct sip_quirks *q);
unsigned sip_quirks_find(const struct sip_quirks *q, const char *agent);	/* User-Agent or Server; bits 1 << enum sip_quirk_id */
