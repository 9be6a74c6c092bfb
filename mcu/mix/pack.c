/* Coded frames to RTP payloads. A payload is given as a small head and a piece of the frame, so that nothing is copied
 * before it is known who gets it. */
#include "mcu/mix/frames_priv.h"

#include <string.h>

struct unit { const uint8_t *p; size_t len; };
enum { MAX_UNITS = 128, MAX_STAP = 8 };

static const uint8_t *next_code(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 3; p++) {
		p = memchr(p, 0, (size_t)(end - p - 2));
		if (!p) {
			return end;
		}
		if (p[1] == 0 && p[2] == 1) {
			return p;
		}
	}
	return end;
}

/* Byte stream (H.264 annex B) to its units without start codes; access unit delimiters are left out */
static unsigned split(const uint8_t *data, size_t len, struct unit *ret)
{
	const uint8_t *end = data + len, *p = next_code(data, end);
	unsigned n = 0;

	while (p < end && n < MAX_UNITS) {
		p += 3;
		const uint8_t *next = next_code(p, end), *last = next;
		while (last > p && !last[-1]) {
			last--;		/* trailing zeros and the four-byte start code's first */
		}
		if (last > p && (p[0] & 0x1f) != 9) {
			ret[n++] = (struct unit){ p, (size_t)(last - p) };
		}
		p = next;
	}
	return n;
}

static void fragments(const struct unit *u, size_t room, bool marker, mix_payload_fn fn, void *user_data)
{
	size_t most = room - 2, n = (u->len - 1 + most - 1) / most, piece = (u->len - 1 + n - 1) / n;

	for (size_t at = 1; at < u->len; at += piece) {
		size_t take = MIN(piece, u->len - at);
		bool last = at + take == u->len;
		uint8_t head[2] = { (uint8_t)((u->p[0] & 0xe0) | 28),
				    (uint8_t)((u->p[0] & 0x1f) | (at == 1 ? 0x80 : 0) | (last ? 0x40 : 0)) };
		fn(head, 2, u->p + at, take, marker && last, user_data);
	}
}

/* How many units from `u` on fit into one STAP-A; small ones only (SPS, PPS, SEI and the slice behind them) */
static unsigned stap_count(const struct unit *u, unsigned n, size_t room)
{
	size_t total = 1;
	unsigned k = 0;

	while (k < n && k < MAX_STAP && total + 2 + u[k].len <= room) {
		total += 2 + u[k++].len;
	}
	return k;
}

static void stap(const struct unit *u, unsigned n, size_t room, bool marker, mix_payload_fn fn, void *user_data)
{
	g_autofree uint8_t *out = g_malloc(room);
	size_t at = 1;
	uint8_t nri = 0;

	for (unsigned i = 0; i < n; i++) {
		nri = MAX(nri, (uint8_t)(u[i].p[0] & 0x60));
		out[at++] = (uint8_t)(u[i].len >> 8);
		out[at++] = (uint8_t)u[i].len;
		memcpy(out + at, u[i].p, u[i].len);
		at += u[i].len;
	}
	out[0] = nri | 24;
	fn(NULL, 0, out, at, marker, user_data);
}

bool mix_pack_h264(const uint8_t *data, size_t len, size_t room, bool single, mix_payload_fn fn, void *user_data)
{
	struct unit u[MAX_UNITS];
	unsigned n = split(data, len, u), i = 0;

	while (i < n) {
		unsigned k = single ? 1 : stap_count(u + i, n - i, room);
		if (u[i].len > room) {
			fragments(&u[i], room, i + 1 == n, fn, user_data);
			k = 1;
		} else if (k > 1) {
			stap(u + i, k, room, i + k == n, fn, user_data);
		} else {
			k = 1;
			fn(NULL, 0, u[i].p, u[i].len, i + 1 == n, user_data);
		}
		i += k;
	}
	return n > 0;
}

bool mix_pack_vp8(const uint8_t *data, size_t len, size_t room, uint16_t picture_id, mix_payload_fn fn, void *user_data)
{
	/* X, S in the first; I; 15 bits of picture id (RFC 7741 4.2) */
	uint8_t head[4] = { 0x90, 0x80, (uint8_t)(0x80 | picture_id >> 8), (uint8_t)picture_id };
	size_t most = room - sizeof(head), n = (len + most - 1) / most, piece = n ? (len + n - 1) / n : 0;

	for (size_t at = 0; at < len; at += piece) {
		size_t take = MIN(piece, len - at);
		head[0] = at ? 0x80 : 0x90;
		fn(head, sizeof(head), data + at, take, at + take == len, user_data);
	}
	return len > 0;
}
