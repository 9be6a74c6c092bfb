/* TPKT: messages in a TCP stream. */
#include "gateway/h323/tpkt.h"

#include <errno.h>
#include <string.h>

static const uint8_t swapped_keep_alive[TPKT_HEADER] = { 0, 3, 0, 4 };	/* Tandberg, Cisco */

void tpkt_init(struct tpkt *t)
{
	*t = (struct tpkt){ .bytes = g_byte_array_new() };
}

void tpkt_clear(struct tpkt *t)
{
	g_clear_pointer(&t->bytes, g_byte_array_unref);
}

/* What was handed out goes only now, so that it could be borrowed. */
static void drop_read(struct tpkt *t)
{
	if (t->at > 0) {
		g_byte_array_remove_range(t->bytes, 0, (guint)t->at);
		t->at = 0;
	}
}

void tpkt_push(struct tpkt *t, const uint8_t *data, size_t len)
{
	drop_read(t);
	g_byte_array_append(t->bytes, data, (guint)len);
}

int tpkt_next(struct tpkt *t, const uint8_t **ret_data, size_t *ret_len)
{
	for (;;) {
		const uint8_t *p = t->bytes->data + t->at;
		size_t left = t->bytes->len - t->at;
		if (left < TPKT_HEADER) {
			return 0;
		}
		size_t len = memcmp(p, swapped_keep_alive, TPKT_HEADER) == 0 ? TPKT_HEADER : (size_t)(p[2] << 8 | p[3]);
		if ((p[0] != 3 && len != TPKT_HEADER) || (p[0] != 3 && p[0] != 0) || len < TPKT_HEADER) {
			return -EBADMSG;
		}
		if (left < len) {
			return 0;
		}
		t->at += len;
		if (len > TPKT_HEADER) {
			*ret_data = p + TPKT_HEADER;
			*ret_len = len - TPKT_HEADER;
			return 1;
		}
		t->keep_alives++;
	}
}

GByteArray *tpkt_wrap(const uint8_t *data, size_t len)
{
	size_t sum = len + TPKT_HEADER;
	if (sum > TPKT_MAX) {
		return NULL;
	}
	uint8_t header[TPKT_HEADER] = { 3, 0, (uint8_t)(sum >> 8), (uint8_t)sum };
	GByteArray *out = g_byte_array_sized_new((guint)sum);
	g_byte_array_append(out, header, sizeof(header));
	g_byte_array_append(out, data, (guint)len);
	return out;
}
