/* The media half of an H.323 call: a plain transport in the engine for each of sound, picture and slides; no H.245 in it.
 * Owner: the leg. Loop thread. Streams are "<party>.audio", ".video", ".slides"; sinks "<id>.<slot>.out". */
#pragma once
#include "gateway/h323/caps.h"
#include "gateway/h323/h245.h"
#include "mcu/proto/client.h"

struct h323_media;
struct h323_media_ops {		/* none may be NULL */
	void (*media)(enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data, void *user_data);
	/* All transports are open (or none will be: why): the H.245 side may say addresses. Never before return of new. */
	void (*on_open)(struct h323_media *m, const char *why, void *user_data);
	void (*on_stream)(struct h323_media *m, const char *stream, enum mcu_kind kind, enum mcu_content content, bool on, void *user_data);
	void (*on_failed)(struct h323_media *m, const char *why, void *user_data);
};
extern const char *const h323_slots[H323_MEDIA_N + 1];	/* "audio", "main", "content" */

struct h323_media *h323_media_new(const char *id, const char *room, const char *party, const char *zone, bool ip6, int64_t max_bps,
				  const struct h323_media_ops *ops, void *user_data);
void h323_media_free(struct h323_media *m);	/* closes its transports; silent */
bool h323_media_local(const struct h323_media *m, enum h323_kind which, struct h245_address *ret_rtp, struct h245_address *ret_rtcp);
/* What comes in; NULL = nothing any more. `from`: where the peer sends from as far as it is known (its RTCP address less one). */
void h323_media_recv(struct h323_media *m, enum h323_kind which, const struct h323_codec *codec, const struct h245_address *from);
/* What goes out and where to; NULL = nothing any more. */
void h323_media_send(struct h323_media *m, enum h323_kind which, const struct h323_codec *codec, const struct h245_address *rtp,
		     const struct h245_address *rtcp);
int h323_media_feed(struct h323_media *m, enum h323_kind which, const char *source);
void h323_media_want_keyframe(struct h323_media *m, enum h323_kind which);	/* of what is sent: the peer asked */
bool h323_media_sends(const struct h323_media *m, enum h323_kind which, struct h323_codec *ret);
enum h323_kind h323_media_of_stream(const struct h323_media *m, const char *stream);	/* H323_MEDIA_N = not ours */
bool h323_media_owns(const struct h323_media *m, const char *transport);
void h323_media_transport_state(struct h323_media *m, const struct mcu_transport_state *state);
json_t *h323_media_print(const struct h323_media *m);	/* rows as those of SIP legs; (transfer full) */
