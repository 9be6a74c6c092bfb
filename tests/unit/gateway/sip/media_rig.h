/* Two halves of a call over two fake engines, and a floor that writes down. */
#pragma once
#include "gateway/sip/media_priv.h"

struct side {
	struct sip_media *m;
	struct kit_fake_rooms *rooms;
	struct gw_sip_zone zone;
	GString *asked;			/* method and ids, one line a call */
	GString *told;			/* streams, up, hold, floor, one line each */
	json_t *connects;		/* transport.connect requests */
	GQueue late;			/* struct late, replies kept back while `mute` */
	bool mute, quiet;		/* quiet: transports do not come up */
	int fail_method, fail_error;	/* -1 = none */
	char *sdp, *why;		/* of the last sip_media_fn */
	unsigned status, answers;
};
void side_init(struct side *s, const char *id, const struct sip_media_conf *conf);	/* id, room, party, zone filled here */
void side_clear(struct side *s);
void side_deliver(struct side *s);	/* what was kept back */
void side_free_media(struct side *s);
void turn(void);			/* until nothing is left to do */

const char *side_offer(struct side *s);	/* the text, NULL = refused */
void side_answer(struct side *s, const char *sdp);	/* to its offer */
const char *side_take(struct side *s, const char *sdp);
void call(struct side *a, struct side *b);	/* a offers, b answers */
unsigned count(const char *text, const char *what);
void assert_has(const char *text, const char *what);
void assert_lacks(const char *text, const char *what);
const char *connect_of(const struct side *s, const char *transport, const char *member);	/* of the last connect */

/* The floor: what was asked of it, and its user's face. */
struct gw_bfcp_link { struct gw_bfcp_link_conf conf; struct gw_bfcp_ops ops; void *user_data; char *to; };
extern GString *floor_log;
extern gw_bfcp_link *floor_last;
#define FLOOR ((gw_bfcp *)&floor_last)	/* any address: nobody looks behind it */
