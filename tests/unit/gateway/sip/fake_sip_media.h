/* The media half of a SIP call without media: SDP of one line that both sides understand, and no engine. The test says what
 * it refuses. Stands in for gateway/sip/media*.c and gateway/bfcp, so that signalling is tested alone. */
#pragma once
#include "gateway/sip/media_priv.h"

struct fake_media_conf {
	bool auto_up;			/* both ends agreed: the transports come up by themselves */
	unsigned refuse_offer;		/* status for take_offer, 0 = accept */
	bool refuse_answer;
	unsigned slow_ms;		/* an exchange takes this long */
};
extern struct fake_media_conf fake_media;

struct sip_media;
void fake_media_up(struct sip_media *m);
void fake_media_fail(struct sip_media *m, const char *why);
const char *fake_media_peer(const struct sip_media *m);	/* last SDP of the peer, "" = none */
bool fake_media_held(const struct sip_media *m);
unsigned fake_media_exchanges(const struct sip_media *m);	/* finished ones */
unsigned fake_media_cancelled(const struct sip_media *m);
const char *fake_media_digits(const struct sip_media *m);
