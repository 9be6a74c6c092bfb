/* The RTP fixed header: checked reading and writing (RFC 3550 5.1). Extension elements are in ext.c. */
#include "mcu/rtp/rtp.h"

#include "mcu/rtp/bytes_priv.h"

enum { FIXED = 12, EXT_HEAD = 4, MAX_EXTS = 16 };

static int parse_extension(const uint8_t *data, size_t len, struct mcu_rtp *r)
{
	size_t at = r->header_len;

	if (at + EXT_HEAD > len) {
		return -EBADMSG;
	}
	size_t body = (size_t)get16(data + at + 2) * 4;
	if (at + EXT_HEAD + body > len) {
		return -EBADMSG;
	}
	r->ext_profile = get16(data + at);
	r->ext = data + at + EXT_HEAD;
	r->ext_len = (uint16_t)body;
	r->header_len = (uint16_t)(at + EXT_HEAD + body);
	return 0;
}

int mcu_rtp_parse(const uint8_t *data, size_t len, struct mcu_rtp *ret)
{
	struct mcu_rtp r = { 0 };

	if (len < FIXED || len > UINT16_MAX || data[0] >> 6 != 2) {
		return -EBADMSG;
	}
	r.pt = data[1] & 0x7f;
	r.marker = data[1] >> 7;
	r.seq = get16(data + 2);
	r.ts = get32(data + 4);
	r.ssrc = get32(data + 8);
	r.header_len = (uint16_t)(FIXED + 4 * (data[0] & 0x0f));
	if (r.header_len > len) {
		return -EBADMSG;
	}
	if ((data[0] & 0x10) && parse_extension(data, len, &r) < 0) {
		return -EBADMSG;
	}
	size_t rest = len - r.header_len;
	if (data[0] & 0x20) {
		/* the last octet counts the padding, itself included: 0 and more than there is are broken */
		if (!rest || !data[len - 1] || data[len - 1] > rest) {
			return -EBADMSG;
		}
		r.padding = true;
		r.padding_len = data[len - 1];
	}
	r.payload_len = (uint16_t)(rest - r.padding_len);
	*ret = r;
	return 0;
}

bool mcu_rtp_is_rtcp(const uint8_t *data, size_t len)
{
	return len >= 2 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

static bool needs_two_bytes(const struct mcu_ext_value *exts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (exts[i].id > 14 || exts[i].len > 16 || !exts[i].len) {
			return true;
		}
	}
	return false;
}

static void sort_by_id(const struct mcu_ext_value *exts, unsigned n, uint8_t *ret_order)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned j = i;
		for (; j && exts[ret_order[j - 1]].id > exts[i].id; j--) {
			ret_order[j] = ret_order[j - 1];
		}
		ret_order[j] = (uint8_t)i;
	}
}

static int write_extensions(uint8_t *out, size_t room, const struct mcu_ext_value *exts, unsigned n)
{
	bool two = needs_two_bytes(exts, n);
	size_t body = 0, at = EXT_HEAD;
	uint8_t order[MAX_EXTS];

	for (unsigned i = 0; i < n; i++) {
		body += exts[i].len + (two ? 2U : 1U);
	}
	size_t total = EXT_HEAD + (body + 3) / 4 * 4;
	if (total > room) {
		return -ENOSPC;
	}
	put16(out, two ? 0x1000 : 0xbede);
	put16(out + 2, (uint16_t)((total - EXT_HEAD) / 4));
	sort_by_id(exts, n, order);
	for (unsigned i = 0; i < n; i++) {
		const struct mcu_ext_value *e = &exts[order[i]];
		if (two) {
			out[at++] = e->id;
			out[at++] = e->len;
		} else {
			out[at++] = (uint8_t)(e->id << 4 | (e->len - 1));
		}
		if (e->len) {
			memcpy(out + at, e->data, e->len);
		}
		at += e->len;
	}
	memset(out + at, 0, total - at);
	return (int)total;
}

int mcu_rtp_write_header(uint8_t *out, size_t room, const struct mcu_rtp *fields, const struct mcu_ext_value *exts,
			 unsigned n_exts)
{
	if (room < FIXED || n_exts > MAX_EXTS) {
		return -ENOSPC;
	}
	out[0] = (uint8_t)(0x80 | (fields->padding ? 0x20 : 0) | (n_exts ? 0x10 : 0));
	out[1] = (uint8_t)((fields->marker ? 0x80 : 0) | (fields->pt & 0x7f));
	put16(out + 2, fields->seq);
	put32(out + 4, fields->ts);
	put32(out + 8, fields->ssrc);
	if (!n_exts) {
		return FIXED;
	}
	int n = write_extensions(out + FIXED, room - FIXED, exts, n_exts);
	return n < 0 ? n : FIXED + n;
}
