/* NACK, PLI, FIR, REMB, and reading transport-wide feedback. Writing the latter is in twcc.c. */
#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

enum { PT_RTPFB = 205, PT_PSFB = 206 };

unsigned mcu_rtcp_nack_seqs(const struct mcu_rtcp *r, uint16_t *ret, unsigned max)
{
	unsigned n = 0;

	if (r->kind != MCU_RTCP_NACK) {
		return 0;
	}
	for (size_t at = 8; at + 4 <= r->body_len; at += 4) {
		uint16_t pid = get16(r->body + at), blp = get16(r->body + at + 2);
		for (unsigned i = 0; i <= 16 && n < max; i++) {
			if (!i || (blp >> (i - 1) & 1)) {
				ret[n++] = (uint16_t)(pid + i);
			}
		}
	}
	return n;
}

bool mcu_rtcp_fir(const struct mcu_rtcp *r, unsigned i, uint32_t *ret_ssrc, uint8_t *ret_seq)
{
	if (r->kind != MCU_RTCP_FIR || 8 + (size_t)(i + 1) * 8 > r->body_len) {
		return false;
	}
	*ret_ssrc = get32(r->body + 8 + i * 8);
	*ret_seq = r->body[8 + i * 8 + 4];
	return true;
}

bool mcu_rtcp_remb(const struct mcu_rtcp *r, uint64_t *ret_bps, uint32_t *ret_ssrcs, unsigned *io_n)
{
	if (r->kind != MCU_RTCP_REMB || r->body_len < 16) {
		return false;
	}
	const uint8_t *p = r->body + 12;
	unsigned n = p[0], exp = p[1] >> 2;
	uint64_t mantissa = (uint64_t)(p[1] & 3) << 16 | get16(p + 2);
	if (r->body_len < 16 + (size_t)n * 4 || exp > 45) {
		return false;
	}
	*ret_bps = mantissa << exp;
	n = n < *io_n ? n : *io_n;
	for (unsigned i = 0; i < n; i++) {
		ret_ssrcs[i] = get32(p + 4 + i * 4);
	}
	*io_n = n;
	return true;
}

/* Packs sequence numbers into FCI entries: a base and a mask of the next sixteen. Returns how many entries. */
static unsigned pack_nack(uint8_t *out, size_t entries, const uint16_t *seqs, unsigned n)
{
	unsigned used = 0;

	for (unsigned i = 0; i < n; used++) {
		uint16_t pid = seqs[i++];
		unsigned blp = 0, bit;
		/* ascending only, so that the order of the list is kept */
		for (; i < n && (bit = (uint16_t)(seqs[i] - pid - 1)) < 16 && !(blp >> bit); i++) {
			blp |= 1U << bit;
		}
		if (out && used < entries) {
			put16(out + used * 4, pid);
			put16(out + used * 4 + 2, (uint16_t)blp);
		}
	}
	return used;
}

static uint8_t *begin_fb(uint8_t *out, size_t room, size_t *pos, unsigned fmt, uint8_t pt, size_t fci, uint32_t sender,
			 uint32_t media)
{
	uint8_t *p = rtcp_begin(out, room, pos, fmt, pt, 8 + fci);

	if (p) {
		put32(p, sender);
		put32(p + 4, media);
	}
	return p;
}

int mcu_rtcp_write_nack(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media, const uint16_t *seqs,
			unsigned n)
{
	unsigned entries = pack_nack(NULL, 0, seqs, n);
	uint8_t *p = begin_fb(out, room, pos, 1, PT_RTPFB, (size_t)entries * 4, sender, media);

	if (!p) {
		return -ENOSPC;
	}
	(void)pack_nack(p + 8, entries, seqs, n);	/* counted above */
	return 0;
}

int mcu_rtcp_write_pli(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media)
{
	return begin_fb(out, room, pos, 1, PT_PSFB, 0, sender, media) ? 0 : -ENOSPC;
}

int mcu_rtcp_write_fir(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint32_t media, uint8_t seq)
{
	/* RFC 5104 4.3.1.2: the media field is zero, the target stands in the entry */
	uint8_t *p = begin_fb(out, room, pos, 4, PT_PSFB, 8, sender, 0);

	if (!p) {
		return -ENOSPC;
	}
	put32(p + 8, media);
	put32(p + 12, (uint32_t)seq << 24);
	return 0;
}

int mcu_rtcp_write_remb(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint64_t bps, const uint32_t *ssrcs,
			unsigned n)
{
	uint8_t *p = n > 255 ? NULL : begin_fb(out, room, pos, 15, PT_PSFB, 8 + (size_t)n * 4, sender, 0);
	unsigned exp = 0;

	if (!p) {
		return -ENOSPC;
	}
	for (; bps > 0x3ffff; exp++) {
		bps >>= 1;
	}
	memcpy(p + 8, "REMB", 4);
	p[12] = (uint8_t)n;
	p[13] = (uint8_t)(exp << 2 | bps >> 16);
	put16(p + 14, (uint16_t)bps);
	for (unsigned i = 0; i < n; i++) {
		put32(p + 16 + i * 4, ssrcs[i]);
	}
	return 0;
}

/* Status symbols of the transport-wide draft, 3.1.1 */
enum { NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA };

struct twcc_walk {
	const uint8_t *chunk, *delta, *end;
	uint16_t word;
	unsigned left;	/* symbols left in this chunk */
};

/* Next symbol, or -EBADMSG when the chunks end early */
static int next_symbol(struct twcc_walk *w)
{
	if (!w->left) {
		if (w->end - w->chunk < 2) {
			return -EBADMSG;
		}
		w->word = get16(w->chunk);
		w->chunk += 2;
		w->left = !(w->word >> 15) ? w->word & 0x1fff : w->word >> 14 & 1 ? 7 : 14;
		if (!w->left) {
			return -EBADMSG;
		}
	}
	w->left--;
	if (!(w->word >> 15)) {
		return w->word >> 13 & 3;
	}
	return w->word >> 14 & 1 ? w->word >> (2 * w->left) & 3 : w->word >> w->left & 1;
}

/* Where the deltas begin: after as many chunks as `count` symbols need. */
static int find_deltas(struct twcc_walk *w, unsigned count)
{
	struct twcc_walk probe = *w;
	size_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		int s = next_symbol(&probe);
		if (s < 0 || s > LARGE_DELTA) {
			return -EBADMSG;
		}
		bytes += (size_t)s;
	}
	if (bytes > (size_t)(w->end - probe.chunk)) {
		return -EBADMSG;
	}
	w->delta = probe.chunk;
	return 0;
}

int mcu_rtcp_twcc_walk(const struct mcu_rtcp *r, void (*fn)(uint16_t seq, int64_t arrival_us, void *ud), void *ud)
{
	if (r->kind != MCU_RTCP_TWCC || r->body_len < 16) {
		return -EBADMSG;
	}
	uint16_t seq = get16(r->body + 8), count = get16(r->body + 10);
	int64_t at = (int64_t)((int32_t)(get24(r->body + 12) << 8) / 256) * 64000;
	struct twcc_walk w = { .chunk = r->body + 16, .end = r->body + r->body_len };

	if (find_deltas(&w, count) < 0) {
		return -EBADMSG;
	}
	for (unsigned i = 0; i < count; i++, seq++) {
		int s = next_symbol(&w);
		if (s == NOT_RECEIVED) {
			fn(seq, INT64_MIN, ud);
			continue;
		}
		at += s == SMALL_DELTA ? w.delta[0] * 250 : (int16_t)get16(w.delta) * 250;
		w.delta += s;
		fn(seq, at, ud);
	}
	return 0;
}
