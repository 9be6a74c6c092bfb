/* Offers and answers of a peer into a whole call: first text, then its second half again as re-offer or answer. Nothing of it
 * may upset the engine's books: every transport that was opened is closed. */
#include <string.h>

#include "tests/unit/gateway/sip/media_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct side *s, const char *text, size_t len, unsigned how)
{
	g_autofree char *copy = g_strndup(text, len);	/* up to a NUL, as a SIP body */

	if (how % 3 == 0) {
		(void)side_take(s, copy);
	} else if (side_offer(s)) {
		side_answer(s, copy);
		sip_media_cancel(s->m);
	}
	sip_media_hold(s->m, how % 2);
	(void)sip_media_feed(s->m, "main", "x.video");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_media_conf conf = { .video = true, .content = true, .bfcp = FLOOR, .secure_signalling = size % 2 };
	g_autoptr(json_t) print = NULL;
	struct side s;

	if (size == 0) {
		return 0;
	}
	floor_log = floor_log ? g_string_truncate(floor_log, 0) : g_string_new(NULL);
	side_init(&s, "s", &conf);
	put(&s, (const char *)data, size, data[size - 1]);
	put(&s, (const char *)data, size, data[size - 1] / 3u);
	print = sip_media_print(s.m);
	side_free_media(&s);
	turn();
	g_assert_cmpuint(count(s.asked->str, "transport.close"), ==, count(s.asked->str, "transport.open"));
	side_clear(&s);
	return 0;
}
