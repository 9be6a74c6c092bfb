/* RTCP: walking a compound packet, sender and receiver reports, SDES, BYE (RFC 3550 6). Feedback is in feedback.c. */
#include "mcu/rtp/bytes_priv.h"
#include "mcu/rtp/rtp.h"

enum { HEAD = 4, BLOCK = 24, PT_SR = 200, PT_RR = 201, PT_SDES = 202, PT_BYE = 203, PT_RTPFB = 205, PT_PSFB = 206 };

static uint8_t capped(size_t n)
{
	return (uint8_t)(n > 255 ? 255 : n);
}

static int read_report(struct mcu_rtcp *r, size_t info)
{
	if (r->body_len < info + (size_t)r->count * BLOCK) {
		return -EBADMSG;
	}
	r->sender = get32(r->body);
	if (r->kind == MCU_RTCP_SR) {
		r->ntp = (uint64_t)get32(r->body + 4) << 32 | get32(r->body + 8);
		r->rtp_ts = get32(r->body + 12);
		r->packets = get32(r->body + 16);
		r->octets = get32(r->body + 20);
	}
	return 0;
}

static int read_sources(struct mcu_rtcp *r, size_t per_source)
{
	if (r->body_len < r->count * per_source) {
		return -EBADMSG;
	}
	r->sender = r->count ? get32(r->body) : 0;
	return 0;
}

static const struct {
	uint8_t pt, fmt;
	enum mcu_rtcp_kind kind;
	uint8_t min_fci, entry;	/* bytes; entry 0 = one */
} feedback[] = {
	{ PT_RTPFB, 1, MCU_RTCP_NACK, 4, 4 },
	{ PT_RTPFB, 15, MCU_RTCP_TWCC, 8, 0 },
	{ PT_PSFB, 1, MCU_RTCP_PLI, 0, 0 },
	{ PT_PSFB, 4, MCU_RTCP_FIR, 8, 8 },
	{ PT_PSFB, 15, MCU_RTCP_REMB, 8, 0 },
};

static int read_feedback(struct mcu_rtcp *r, uint8_t pt, uint8_t fmt)
{
	if (r->body_len < 8) {
		return -EBADMSG;
	}
	size_t fci = r->body_len - 8;
	r->sender = get32(r->body);
	r->media = get32(r->body + 4);
	r->count = 0;
	for (unsigned i = 0; i < sizeof(feedback) / sizeof(feedback[0]); i++) {
		if (feedback[i].pt != pt || feedback[i].fmt != fmt) {
			continue;
		}
		if (fci < feedback[i].min_fci) {
			return -EBADMSG;
		}
		if (feedback[i].kind == MCU_RTCP_REMB && memcmp(r->body + 8, "REMB", 4) != 0) {
			break;
		}
		r->kind = feedback[i].kind;
		r->count = feedback[i].entry ? capped(fci / feedback[i].entry) : 1;
	}
	return 0;
}

static int read_body(struct mcu_rtcp *r, uint8_t pt)
{
	uint8_t fmt = r->count;

	switch (pt) {
	case PT_SR:
		r->kind = MCU_RTCP_SR;
		return read_report(r, 24);
	case PT_RR:
		r->kind = MCU_RTCP_RR;
		return read_report(r, 4);
	case PT_SDES:
		r->kind = MCU_RTCP_SDES;
		return read_sources(r, 4);
	case PT_BYE:
		r->kind = MCU_RTCP_BYE;
		return read_sources(r, 4);
	case PT_RTPFB:
	case PT_PSFB:
		return read_feedback(r, pt, fmt);
	default:
		return 0;
	}
}

int mcu_rtcp_next(const uint8_t *data, size_t len, size_t *pos, struct mcu_rtcp *ret)
{
	if (*pos >= len) {
		return 0;
	}
	const uint8_t *p = data + *pos;
	size_t left = len - *pos;
	if (left < HEAD || p[0] >> 6 != 2) {
		return -EBADMSG;
	}
	size_t size = HEAD + (size_t)get16(p + 2) * 4;
	if (size > left) {
		return -EBADMSG;
	}
	struct mcu_rtcp r = { .kind = MCU_RTCP_OTHER, .body = p + HEAD, .body_len = size - HEAD, .count = p[0] & 0x1f };
	if (p[0] & 0x20) {
		/* RFC 3550 6.4.1 wants a multiple of four; browsers pad transport-wide feedback by one to three */
		uint8_t pad = p[size - 1];
		if (!pad || pad > r.body_len) {
			return -EBADMSG;
		}
		r.body_len -= pad;
	}
	if (read_body(&r, p[1]) < 0) {
		return -EBADMSG;
	}
	*pos += size;
	*ret = r;
	return 1;
}

bool mcu_rtcp_report(const struct mcu_rtcp *r, unsigned i, struct mcu_rr_block *ret)
{
	if ((r->kind != MCU_RTCP_SR && r->kind != MCU_RTCP_RR) || i >= r->count) {
		return false;
	}
	const uint8_t *p = r->body + (r->kind == MCU_RTCP_SR ? 24 : 4) + i * BLOCK;
	*ret = (struct mcu_rr_block){
		.ssrc = get32(p),
		.fraction_lost = p[4],
		.lost = (int32_t)(get24(p + 5) << 8) / 256,
		.max_seq = get32(p + 8),
		.jitter = get32(p + 12),
		.last_sr = get32(p + 16),
		.delay_sr = get32(p + 20),
	};
	return true;
}

/* Reserves `body` bytes behind a header; NULL when there is no room. */
uint8_t *rtcp_begin(uint8_t *out, size_t room, size_t *pos, unsigned count, uint8_t pt, size_t body)
{
	if (*pos > room || HEAD + body > room - *pos) {
		return NULL;
	}
	uint8_t *p = out + *pos;
	p[0] = (uint8_t)(0x80 | count);
	p[1] = pt;
	put16(p + 2, (uint16_t)(body / 4));
	*pos += HEAD + body;
	return p + HEAD;
}

static void put_blocks(uint8_t *p, const struct mcu_rr_block *blocks, unsigned n)
{
	for (unsigned i = 0; i < n; i++, p += BLOCK) {
		put32(p, blocks[i].ssrc);
		p[4] = blocks[i].fraction_lost;
		put24(p + 5, (uint32_t)blocks[i].lost & 0xffffff);
		put32(p + 8, blocks[i].max_seq);
		put32(p + 12, blocks[i].jitter);
		put32(p + 16, blocks[i].last_sr);
		put32(p + 20, blocks[i].delay_sr);
	}
}

int mcu_rtcp_write_sr(uint8_t *out, size_t room, size_t *pos, uint32_t sender, uint64_t ntp, uint32_t rtp_ts,
		      uint32_t packets, uint32_t octets, const struct mcu_rr_block *blocks, unsigned n)
{
	uint8_t *p = n > 31 ? NULL : rtcp_begin(out, room, pos, n, PT_SR, 24 + (size_t)n * BLOCK);

	if (!p) {
		return -ENOSPC;
	}
	put32(p, sender);
	put64(p + 4, ntp);
	put32(p + 12, rtp_ts);
	put32(p + 16, packets);
	put32(p + 20, octets);
	put_blocks(p + 24, blocks, n);
	return 0;
}

int mcu_rtcp_write_rr(uint8_t *out, size_t room, size_t *pos, uint32_t sender, const struct mcu_rr_block *blocks, unsigned n)
{
	uint8_t *p = n > 31 ? NULL : rtcp_begin(out, room, pos, n, PT_RR, 4 + (size_t)n * BLOCK);

	if (!p) {
		return -ENOSPC;
	}
	put32(p, sender);
	put_blocks(p + 4, blocks, n);
	return 0;
}

int mcu_rtcp_write_sdes_cname(uint8_t *out, size_t room, size_t *pos, uint32_t ssrc, const char *cname)
{
	size_t n = strlen(cname);
	/* one chunk: SSRC, item CNAME, at least one null octet, to a multiple of four (RFC 3550 6.5) */
	size_t body = (4 + 2 + n + 1 + 3) / 4 * 4;
	uint8_t *p = n > 255 ? NULL : rtcp_begin(out, room, pos, 1, PT_SDES, body);

	if (!p) {
		return -ENOSPC;
	}
	memset(p, 0, body);
	put32(p, ssrc);
	p[4] = 1;
	p[5] = (uint8_t)n;
	memcpy(p + 6, cname, n);
	return 0;
}

int mcu_rtcp_write_bye(uint8_t *out, size_t room, size_t *pos, uint32_t ssrc)
{
	uint8_t *p = rtcp_begin(out, room, pos, 1, PT_BYE, 4);

	if (!p) {
		return -ENOSPC;
	}
	put32(p, ssrc);
	return 0;
}
