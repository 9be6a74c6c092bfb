/* Publisher: frames of K equal packets in one burst, VP8-shaped (RFC 7741), key frames on request, RTX on NACK, SR. The
 * last 24 bytes of a payload say who sent it and when, so that subscribers can check bytes and measure the way. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/kit/load/load.h"

enum { CLOCK_HZ = 90000, MAX_BURST = 64, DESCRIPTOR = 5, SR_US = 1000000 };

static size_t write_header(const struct load_peer *peer, uint8_t *out, uint8_t pt, bool marker, uint16_t seq,
			   uint32_t ts, uint32_t ssrc)
{
	out[0] = peer->remote.twcc_id ? 0x90 : 0x80;
	out[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
	load_put16(out + 2, seq);
	load_put32(out + 4, ts);
	load_put32(out + 8, ssrc);
	if (!peer->remote.twcc_id) {
		return 12;
	}
	load_put32(out + 12, 0xbede0001);
	out[16] = (uint8_t)(peer->remote.twcc_id << 4 | 1);
	load_put16(out + 17, peer->send->twcc++);
	out[19] = 0;
	return 20;
}

static void write_payload(const struct load_peer *peer, uint8_t *out, size_t len, bool first, bool key, int64_t now_us)
{
	const struct load_send *s = peer->send;
	uint8_t *tail = out + len - 24;

	memcpy(out, peer->load->noise + (s->seq * 37u) % 4096, len);
	out[0] = (uint8_t)(0x80 | (first ? 0x10 : 0));	/* X, S */
	out[1] = 0x80;					/* I */
	load_put16(out + 2, 0x8000 | (s->picture & 0x7fff));
	out[4] = key ? 0x10 : 0x11;			/* RFC 6386 9.1: bit 0 clear = key frame */
	if (first && key) {
		static const uint8_t start[] = { 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02 };

		memcpy(out + 4, start, sizeof(start));	/* 1280x720 */
	}
	memcpy(tail, "ORTOLOAD", 8);
	load_put32(tail + 8, (uint32_t)peer->index);
	load_put32(tail + 12, (uint32_t)s->packets);
	memcpy(tail + 16, &now_us, 8);
}

static void keep(struct load_send *s, const uint8_t *data, size_t len)
{
	typeof(*s->ring) *slot = &s->ring[s->seq % LOAD_RING];

	slot->seq = s->seq;
	slot->len = (uint16_t)len;
	memcpy(slot->data, data, len);
}

static void flush(struct load_peer *peer, struct iovec *iov, unsigned n)
{
	struct mmsghdr msg[MAX_BURST] = {0};

	for (unsigned i = 0; i < n; i++) {
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned done = 0; done < n;) {
		int rc = sendmmsg(peer->fd, msg + done, n - done, 0);

		if (rc <= 0) {
			return;	/* as lost: the network may */
		}
		done += (unsigned)rc;
	}
}

/* Authentic, but of an SSRC that nobody announced and that never comes again. */
static void send_stranger(struct load_peer *peer)
{
	uint8_t data[LOAD_SLOT + 64];
	size_t len = write_header(peer, data, LOAD_PT, false, (uint16_t)load_random(), load_random(), load_random() | 1);
	int size = (int)len + 100;

	memset(data + len, 0, 100);
	if (srtp_protect(peer->srtp_out, data, &size) == srtp_err_status_ok) {
		(void)send(peer->fd, data, (size_t)size, 0);	/* as lost: the network may */
	}
}

void load_send_frame(struct load_peer *peer, int64_t now_us)
{
	struct load_send *s = peer->send;
	unsigned n = (unsigned)peer->load->conf.pkts;
	bool key = s->want_key;
	uint8_t data[MAX_BURST][LOAD_SLOT + 64];
	struct iovec iov[MAX_BURST];

	for (unsigned i = 0; i < n; i++) {
		size_t len = write_header(peer, data[i], LOAD_PT, i + 1 == n, s->seq, s->ts, s->ssrc);
		int size;

		write_payload(peer, data[i] + len, (size_t)peer->load->conf.bytes, i == 0, key, now_us);
		len += (size_t)peer->load->conf.bytes;
		keep(s, data[i], len);
		size = (int)len;
		if (srtp_protect(peer->srtp_out, data[i], &size) != srtp_err_status_ok) {
			load_peer_fail(peer, "protect");
			return;
		}
		iov[i] = (struct iovec){ data[i], (size_t)size };
		s->seq++;
		s->packets++;
		s->octets += (size_t)peer->load->conf.bytes;
	}
	flush(peer, iov, n);
	for (int i = 0; peer->index == 0 && i < peer->load->conf.strangers; i++) {
		send_stranger(peer);
	}
	s->picture++;
	s->ts += (uint32_t)(CLOCK_HZ / peer->load->conf.fps);
	s->keyframes += key;
	s->want_key = false;
}

static void send_sr(struct load_peer *peer)
{
	struct load_send *s = peer->send;
	struct timespec ts;
	uint8_t out[256] = { 0x80, 200, 0, 6 };

	clock_gettime(CLOCK_REALTIME, &ts);
	load_put32(out + 4, s->ssrc);
	load_put32(out + 8, (uint32_t)((uint64_t)ts.tv_sec + 2208988800u));
	load_put32(out + 12, (uint32_t)(((uint64_t)ts.tv_nsec << 32) / 1000000000u));
	load_put32(out + 16, s->ts);
	load_put32(out + 20, (uint32_t)s->packets);
	load_put32(out + 24, (uint32_t)s->octets);
	load_rtcp_out(peer, out, 28 + load_rtcp_sdes(out + 28, s->ssrc));
}

void load_send_tick(struct load_peer *peer, int64_t now_us)
{
	if (now_us >= peer->send->next_sr_us && peer->send->packets) {
		peer->send->next_sr_us = now_us + SR_US;
		send_sr(peer);
	}
}

/* RFC 4588: the old sequence number goes in front of the payload. Without RTX nothing is sent twice: the server would
 * see one nonce with one text, which is allowed, but Chromium does not do it either. */
static void resend(struct load_peer *peer, uint16_t seq)
{
	struct load_send *s = peer->send;
	typeof(*s->ring) *slot = &s->ring[seq % LOAD_RING];
	uint8_t out[LOAD_SLOT + 64];
	size_t header = peer->remote.twcc_id ? 20 : 12;
	int size;

	s->nacks++;
	if (slot->seq != seq || !slot->len || !peer->remote.rtx_pt) {
		return;
	}
	write_header(peer, out, peer->remote.rtx_pt, slot->data[1] & 0x80, s->rtx_seq++, load_get32(slot->data + 4),
		     s->rtx_ssrc);
	load_put16(out + header, seq);
	memcpy(out + header + 2, slot->data + header, slot->len - header);
	size = slot->len + 2;
	if (srtp_protect(peer->srtp_out, out, &size) == srtp_err_status_ok) {
		(void)send(peer->fd, out, (size_t)size, 0);
		s->resent++;
	}
}

static void on_nack(struct load_peer *peer, const uint8_t *fci, size_t len)
{
	for (; len >= 4; fci += 4, len -= 4) {
		uint16_t pid = (uint16_t)load_get16(fci), blp = (uint16_t)load_get16(fci + 2);

		resend(peer, pid);
		for (unsigned i = 0; i < 16; i++) {
			if (blp >> i & 1) {
				resend(peer, (uint16_t)(pid + i + 1));
			}
		}
	}
}

void load_send_rtcp(struct load_peer *peer, const uint8_t *data, size_t len)
{
	while (len >= 4) {
		size_t n = 4 * (size_t)load_get16(data + 2) + 4;
		unsigned fmt = data[0] & 31;

		if (n > len) {
			peer->load->rtcp_fail++;
			return;
		}
		if (data[1] == 206 && (fmt == 1 || fmt == 4)) {	/* PLI, FIR */
			peer->send->want_key = true;
		} else if (data[1] == 205 && fmt == 1 && n >= 12 && load_get32(data + 8) == peer->send->ssrc) {
			on_nack(peer, data + 12, n - 12);
		}
		data += n;
		len -= n;
	}
}

size_t load_rtcp_sdes(uint8_t *out, uint32_t ssrc)
{
	memset(out, 0, 16);
	out[0] = 0x81;
	out[1] = 202;
	load_put16(out + 2, 3);
	load_put32(out + 4, ssrc);
	memcpy(out + 8, "\x01\x04load", 6);
	return 16;
}

/* `data` has room for the trailer of SRTCP. */
void load_rtcp_out(struct load_peer *peer, uint8_t *data, size_t len)
{
	int n = (int)len;

	if (peer->up && srtp_protect_rtcp(peer->srtp_out, data, &n) == srtp_err_status_ok) {
		(void)send(peer->fd, data, (size_t)n, 0);
	}
}
