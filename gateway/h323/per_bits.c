/* Bits, alignment and length determinants of aligned PER (X.691 10.5 to 10.9). Knows no types. */
#include "gateway/h323/per_priv.h"

#define FRAGMENT 16384

unsigned per_bits_for(uint64_t range)
{
	return range <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(range - 1);
}

/* ---- in ---- */
uint64_t per_get(struct per_in *in, unsigned bits)
{
	uint64_t value = 0;
	if (bits > in->n_bits - in->at) {
		in->cut = true;
		in->at = in->n_bits;
		return 0;
	}
	while (bits > 0) {
		unsigned have = 8 - in->at % 8, take = MIN(have, bits);
		unsigned byte = in->data[in->at / 8] >> (have - take) & ((1u << take) - 1);
		value = value << take | byte;
		in->at += take;
		bits -= take;
	}
	return value;
}

void per_in_align(struct per_in *in)
{
	in->at = MIN((in->at + 7) / 8 * 8, in->n_bits);
}

/* ---- out ---- */
void per_put(struct per_out *out, uint64_t value, unsigned bits)
{
	while (bits > 0) {
		if (out->used == 0) {
			g_byte_array_append(out->bytes, (const uint8_t[]){ 0 }, 1);
		}
		unsigned room = 8 - out->used, take = MIN(room, bits);
		unsigned part = (unsigned)(value >> (bits - take)) & ((1u << take) - 1);
		out->bytes->data[out->bytes->len - 1] |= (uint8_t)(part << (room - take));
		out->used = (out->used + take) % 8;
		bits -= take;
	}
}

void per_out_align(struct per_out *out)
{
	out->used = 0;
}

void per_put_octets(struct per_out *out, const uint8_t *data, size_t len)
{
	if (out->used == 0) {
		g_byte_array_append(out->bytes, data, (guint)len);
		return;
	}
	for (size_t n = 0; n < len; n++) {
		per_put(out, data[n], 8);
	}
}

/* ---- whole numbers within a range ---- */
static unsigned octets_of(uint64_t value)
{
	return value == 0 ? 1 : (64 - (unsigned)__builtin_clzll(value) + 7) / 8;
}

uint64_t per_get_within(struct per_in *in, uint64_t range)
{
	if (range <= 255) {
		uint64_t value = per_get(in, per_bits_for(range));
		in->cut = in->cut || value >= range;
		return value;
	}
	unsigned octets = range == 256 ? 1 : 2;
	if (range > 65536) {
		octets = (unsigned)per_get(in, per_bits_for(octets_of(range - 1))) + 1;
	}
	per_in_align(in);
	uint64_t value = octets <= 8 ? per_get(in, octets * 8) : range;
	in->cut = in->cut || value >= range;
	return value;
}

void per_put_within(struct per_out *out, uint64_t value, uint64_t range)
{
	if (range <= 255) {
		per_put(out, value, per_bits_for(range));
		return;
	}
	unsigned octets = range == 256 ? 1 : 2;
	if (range > 65536) {
		octets = octets_of(value);
		per_put(out, octets - 1, per_bits_for(octets_of(range - 1)));
	}
	per_out_align(out);
	per_put(out, value, octets * 8);
}

/* ---- lengths ---- */
size_t per_get_length(struct per_in *in, bool *ret_more)
{
	per_in_align(in);
	size_t first = per_get(in, 8);
	*ret_more = (first & 0xC0) == 0xC0;
	if (*ret_more) {
		size_t m = first & 0x3F;
		in->cut = in->cut || m < 1 || m > 4;
		return m * FRAGMENT;
	}
	return first & 0x80 ? (first & 0x3F) << 8 | per_get(in, 8) : first;
}

size_t per_put_length(struct per_out *out, size_t len)
{
	per_out_align(out);
	if (len >= FRAGMENT) {
		size_t m = MIN(len / FRAGMENT, 4);
		per_put(out, 0xC0 | m, 8);
		return m * FRAGMENT;
	}
	per_put(out, len < 128 ? len : 0x8000 | len, len < 128 ? 8 : 16);
	return len;
}

uint64_t per_get_small(struct per_in *in)
{
	if (per_get(in, 1) == 0) {
		return per_get(in, 6);
	}
	bool more;
	size_t octets = per_get_length(in, &more);
	if (more || octets < 1 || octets > 8) {
		in->cut = true;
		return 0;
	}
	return per_get(in, (unsigned)octets * 8);
}

void per_put_small(struct per_out *out, uint64_t value)
{
	if (value < 64) {
		per_put(out, value, 7);
		return;
	}
	per_put(out, 1, 1);
	(void)per_put_length(out, octets_of(value));
	per_put(out, value, octets_of(value) * 8);
}

bool per_is_aligned(const struct per_type *t, unsigned bits)
{
	bool fixed = t->lo == t->hi;
	if (t->kind == PER_STRING) {
		return t->hi < 0 || (fixed ? t->hi * bits > 16 : t->hi * bits >= 16);
	}
	return !fixed || t->hi * bits > 16;
}
