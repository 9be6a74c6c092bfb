/* Bit reader of parameter sets: Exp-Golomb (H.264 9.1, H.265 9.2) over a NAL unit with its emulation prevention. Reading
 * behind the end gives zeros and sets `over`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mcu_bits { const uint8_t *p; size_t len, at; bool over; };

static inline unsigned bit(struct mcu_bits *b)
{
	/* emulation prevention: 00 00 03 -> the 03 is no data (7.4.1) */
	if (!(b->at & 7)) {
		size_t byte = b->at / 8;
		if (byte >= 2 && byte < b->len && b->p[byte] == 3 && !b->p[byte - 1] && !b->p[byte - 2]) {
			b->at += 8;
		}
	}
	if (b->at / 8 >= b->len) {
		b->over = true;
		return 0;
	}
	unsigned v = b->p[b->at / 8] >> (7 - (b->at & 7)) & 1;
	b->at++;
	return v;
}

static inline uint32_t bits_u(struct mcu_bits *b, unsigned n)
{
	uint32_t v = 0;

	while (n--) {
		v = v << 1 | bit(b);
	}
	return v;
}

static inline uint32_t bits_ue(struct mcu_bits *b)
{
	unsigned zeros = 0;

	while (!bit(b) && !b->over) {
		if (++zeros > 31) {
			b->over = true;
			return 0;
		}
	}
	return (uint32_t)((UINT64_C(1) << zeros) - 1 + bits_u(b, zeros));
}
