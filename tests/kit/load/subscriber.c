/* Subscriber: counts every packet by its sequence number, authenticates one of LOAD_AUTH_EVERY (all of RTX), asks for
 * what is missing, reports as a browser does: RR every second, TWCC every 100 ms where it is offered, else REMB. */
#include <math.h>
#include <string.h>

#include "tests/kit/load/load.h"

enum { NACK_FIRST_US = 10000, NACK_AGAIN_US = 60000, NACK_TRIES = 10, RR_US = 1000000, TWCC_US = 100000 };

static bool seen(const struct load_recv *r, int64_t seq)
{
	uint64_t i = (uint64_t)seq % LOAD_WINDOW;

	return r->bitmap[i / 64] >> (i % 64) & 1;
}

static void mark(struct load_recv *r, int64_t seq, bool on)
{
	uint64_t i = (uint64_t)seq % LOAD_WINDOW, bit = UINT64_C(1) << (i % 64);

	r->bitmap[i / 64] = on ? r->bitmap[i / 64] | bit : r->bitmap[i / 64] & ~bit;
}

static int64_t unwrap(const struct load_recv *r, uint16_t seq)
{
	return r->max + (int16_t)(seq - (uint16_t)r->max);
}

static void miss(struct load_recv *r, int64_t from, int64_t to, int64_t now_us)
{
	for (int64_t seq = from; seq < to; seq++) {
		mark(r, seq, false);
		if (r->n_missing < LOAD_NACK_MAX) {
			r->missing[r->n_missing++] = (struct load_missing){ seq, now_us + NACK_FIRST_US, 0 };
		}
	}
}

/* Returns whether the packet is new. */
static bool count(struct load_recv *r, uint16_t seq16, int64_t now_us)
{
	int64_t seq;

	if (!r->started) {
		r->started = true;
		r->base = r->max = (int64_t)seq16 + 65536;
		mark(r, r->max, true);
		r->unique++;
		return true;
	}
	seq = unwrap(r, seq16);
	if (seq > r->max) {
		miss(r, MAX(r->max + 1, seq - LOAD_WINDOW + 1), seq, now_us);
		r->max = seq;
	} else if (seq <= r->max - LOAD_WINDOW || seq < r->base) {
		return false;	/* too old to judge */
	} else if (seen(r, seq)) {
		r->dup++;
		return false;
	} else {
		r->late++;
	}
	mark(r, seq, true);
	r->unique++;
	return true;
}

uint64_t load_recv_expected(const struct load_recv *r)
{
	return r->started ? (uint64_t)(r->max - r->base + 1) : 0;
}

static size_t header_len(const uint8_t *data, size_t len)
{
	size_t n = 12 + 4 * (size_t)(data[0] & 15);

	if (data[0] & 0x10 && n + 4 <= len) {
		n += 4 + 4 * (size_t)load_get16(data + n + 2);
	}
	return n;
}

/* RFC 8285 one-byte form. */
static const uint8_t *find_ext(const uint8_t *data, size_t len, uint8_t id)
{
	size_t pos = 12 + 4 * (size_t)(data[0] & 15), end;

	if (!(data[0] & 0x10) || pos + 4 > len || load_get16(data + pos) != 0xbede) {
		return NULL;
	}
	end = MIN(len, pos + 4 + 4 * (size_t)load_get16(data + pos + 2));
	for (pos += 4; pos < end;) {
		if (data[pos] == 0) {
			pos++;
		} else if (data[pos] >> 4 == id && pos + 2 + (data[pos] & 15) <= end) {
			return data + pos + 1;
		} else {
			pos += 2 + (data[pos] & 15u);
		}
	}
	return NULL;
}

static void note_twcc(struct load_peer *peer, const uint8_t *data, size_t len, int64_t now_us)
{
	struct load_recv *r = peer->recv;
	const uint8_t *ext = peer->remote.twcc_id ? find_ext(data, len, peer->remote.twcc_id) : NULL;

	if (ext && r->n_twcc < LOAD_TWCC_MAX) {
		r->twcc[r->n_twcc].seq = (uint16_t)load_get16(ext);
		r->twcc[r->n_twcc++].us = now_us;
	}
}

/* Bytes after decryption: the tail that the publisher wrote, past padding that the server may have added. */
static void inspect(struct load_peer *peer, const uint8_t *data, size_t len, size_t skip, int64_t now_us)
{
	struct load *load = peer->load;
	size_t head = header_len(data, len) + skip;
	int64_t sent_us;

	if (data[0] & 0x20) {
		len -= MIN(len, data[len - 1]);
	}
	if (len <= head) {
		return;	/* padding only */
	}
	if (len < head + 24 || memcmp(data + len - 24, "ORTOLOAD", 8) != 0 ||
	    load_get32(data + len - 16) != (uint32_t)peer->feed) {
		peer->recv->corrupt++;
		return;
	}
	memcpy(&sent_us, data + len - 8, 8);
	if (!skip && load->measuring && load->n_latency < LOAD_LATENCY_MAX) {
		load->latency_ms[load->n_latency++] = (float)(now_us - sent_us) / 1000.0f;
	}
}

static bool unprotect(struct load_peer *peer, uint8_t *data, size_t *len)
{
	int n = (int)*len;
	srtp_err_status_t rc = srtp_unprotect(peer->srtp_in, data, &n);

	*len = (size_t)n;
	if (rc == srtp_err_status_ok) {
		peer->recv->auth_ok++;
		return true;
	}
	if (rc != srtp_err_status_replay_fail && rc != srtp_err_status_replay_old) {
		peer->recv->auth_fail++;
	}
	return false;
}

static void on_rtx(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us)
{
	struct load_recv *r = peer->recv;
	size_t head;

	r->rtx++;
	if (!unprotect(peer, data, &len)) {
		return;
	}
	head = header_len(data, len);
	if (data[0] & 0x20) {
		len -= MIN(len, data[len - 1]);
	}
	if (len < head + 2) {
		return;	/* a probe */
	}
	inspect(peer, data, len, 2, now_us);
	r->rtx_useful += count(r, (uint16_t)load_get16(data + head), now_us);
}

static void on_media(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us)
{
	struct load_recv *r = peer->recv;
	double transit = (double)now_us * 0.09 - (double)load_get32(data + 4);

	r->jitter += r->packets ? (fabs(transit - (double)r->transit) - r->jitter) / 16 : 0;
	r->transit = (int64_t)transit;
	r->ssrc = load_get32(data + 8);
	count(r, (uint16_t)load_get16(data + 2), now_us);
	if (r->packets++ % LOAD_AUTH_EVERY == 0 && unprotect(peer, data, &len)) {
		inspect(peer, data, len, 0, now_us);
	}
}

void load_recv_rtp(struct load_peer *peer, uint8_t *data, size_t len, int64_t now_us)
{
	uint8_t pt = data[1] & 0x7f;

	note_twcc(peer, data, len, now_us);
	if (!peer->first_us) {
		peer->first_us = now_us;
	}
	if (pt == peer->remote.pt) {
		on_media(peer, data, len, now_us);
	} else if (peer->remote.rtx_pt && pt == peer->remote.rtx_pt) {
		on_rtx(peer, data, len, now_us);
	}
}

void load_recv_rtcp(struct load_peer *peer, const uint8_t *data, size_t len, int64_t now_us)
{
	if (len >= 28 && data[1] == 200) {
		peer->recv->last_sr = load_get32(data + 8) << 16 | load_get32(data + 12) >> 16;
		peer->recv->last_sr_us = now_us;
	}
}

static size_t begin(uint8_t *out, unsigned count_or_fmt, unsigned type, uint32_t sender)
{
	out[0] = (uint8_t)(0x80 | count_or_fmt);
	out[1] = (uint8_t)type;
	load_put32(out + 4, sender);
	return 8;
}

static size_t end(uint8_t *out, size_t len)
{
	load_put16(out + 2, (unsigned)(len / 4 - 1));
	return len;
}

static size_t write_rr(struct load_recv *r, uint8_t *out, int64_t now_us)
{
	uint64_t expected = load_recv_expected(r), lost = expected - r->unique;
	uint64_t d_expected = expected - r->prior_expected, d_received = r->unique - r->prior_received;
	uint64_t fraction = d_expected > d_received ? (d_expected - d_received) * 256 / d_expected : 0;
	size_t n = begin(out, 1, 201, r->sender);

	load_put32(out + n, r->ssrc);
	load_put32(out + n + 4, (uint32_t)(MIN(fraction, 255) << 24 | (lost & 0x7fffff)));
	load_put32(out + n + 8, (uint32_t)(r->max - 65536));
	load_put32(out + n + 12, (uint32_t)r->jitter);
	load_put32(out + n + 16, r->last_sr);
	load_put32(out + n + 20, r->last_sr ? (uint32_t)((now_us - r->last_sr_us) * 65536 / 1000000) : 0);
	r->prior_expected = expected;
	r->prior_received = r->unique;
	return end(out, n + 24);
}

/* draft-alvestrand-rmcat-remb: exponent 6 bits, mantissa 18. */
static size_t write_remb(const struct load_recv *r, uint8_t *out, uint32_t kbps)
{
	size_t n = begin(out, 15, 206, r->sender);

	load_put32(out + n, 0);
	memcpy(out + n + 4, "REMB", 4);
	load_put32(out + n + 8, UINT32_C(1) << 24 | 10 << 18 | (kbps * 1000 >> 10));
	load_put32(out + n + 12, r->ssrc);
	return end(out, n + 16);
}

static void report(struct load_peer *peer, int64_t now_us)
{
	struct load_recv *r = peer->recv;
	uint8_t out[512];
	size_t n = write_rr(r, out, now_us);

	n += load_rtcp_sdes(out + n, r->sender);
	if (!peer->remote.twcc_id) {
		n += write_remb(r, out + n, 50000);
	}
	load_rtcp_out(peer, out, n);
}

/* draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1: status vectors of 2-bit symbols, seven a chunk. Packets that
 * came out of order within one report are told as lost: the estimator copes. */
size_t load_recv_twcc(struct load_recv *r, uint8_t *out, size_t room)
{
	size_t n = begin(out, 15, 205, r->sender), deltas = 0;
	uint16_t base = r->twcc[0].seq;
	unsigned total = (uint16_t)(r->twcc[r->n_twcc - 1].seq - base) + 1u, next = 0;
	int64_t reference = r->twcc[0].us / 64000, last = reference * 64000;
	uint8_t delta[2 * LOAD_TWCC_MAX];

	if (total > 350) {
		return 0;
	}
	load_put32(out + n, r->ssrc);
	load_put16(out + n + 4, base);
	load_put16(out + n + 6, total);
	load_put32(out + n + 8, (uint32_t)(reference & 0xffffff) << 8 | r->twcc_count++);
	n += 12;
	for (unsigned i = 0; i < total; i += 7, n += 2) {
		unsigned chunk = 3u << 14;

		for (unsigned k = i; k < i + 7 && k < total; k++) {
			int64_t d;

			while (next < r->n_twcc && (uint16_t)(r->twcc[next].seq - base) < k) {
				next++;
			}
			if (next == r->n_twcc || (uint16_t)(r->twcc[next].seq - base) != k) {
				continue;
			}
			d = (r->twcc[next].us - last) / 250;
			last += d * 250;
			if (d >= 0 && d <= 255) {
				chunk |= 1u << (12 - 2 * (k - i));
				delta[deltas++] = (uint8_t)d;
			} else {
				chunk |= 2u << (12 - 2 * (k - i));
				load_put16(delta + deltas, (unsigned)(d & 0xffff));
				deltas += 2;
			}
		}
		load_put16(out + n, chunk);
	}
	if (n + deltas + 4 > room) {
		return 0;
	}
	memcpy(out + n, delta, deltas);
	for (n += deltas; n % 4; n++) {
		out[n] = 0;
	}
	return end(out, n);
}

static void feedback(struct load_peer *peer)
{
	struct load_recv *r = peer->recv;
	uint8_t out[1400];
	size_t n = r->n_twcc ? load_recv_twcc(r, out, 1300) : 0;

	r->n_twcc = 0;
	if (n) {
		load_rtcp_out(peer, out, n);
	}
}

static size_t add_nack(uint8_t *out, size_t n, uint16_t seq, uint16_t *pid)
{
	uint16_t ahead = (uint16_t)(seq - *pid);

	if (n > 12 && ahead >= 1 && ahead <= 16) {
		load_put16(out + n - 2, load_get16(out + n - 2) | 1u << (ahead - 1));
		return n;
	}
	*pid = seq;
	load_put16(out + n, seq);
	load_put16(out + n + 2, 0);
	return n + 4;
}

/* Asks for what is due, forgets what came or was asked for too often. */
static void nack(struct load_peer *peer, int64_t now_us)
{
	struct load_recv *r = peer->recv;
	unsigned keep = 0;
	uint16_t pid = 0;
	uint8_t out[1400];
	size_t n = begin(out, 1, 205, r->sender) + 4;

	load_put32(out + 8, r->ssrc);
	for (unsigned i = 0; i < r->n_missing; i++) {
		struct load_missing m = r->missing[i];

		if (seen(r, m.seq) || m.tries >= NACK_TRIES || m.seq <= r->max - LOAD_WINDOW) {
			continue;
		}
		if (now_us >= m.next_us && n < 1000) {
			n = add_nack(out, n, (uint16_t)m.seq, &pid);
			m.next_us = now_us + NACK_AGAIN_US;
			m.tries++;
			r->nacked++;
		}
		r->missing[keep++] = m;
	}
	r->n_missing = keep;
	if (n > 12) {
		load_rtcp_out(peer, out, end(out, n));
	}
}

/* A browser asks for a key frame until it has one. */
static void pli(struct load_peer *peer)
{
	uint8_t out[64];
	size_t n = begin(out, 1, 206, peer->recv->sender);

	load_put32(out + n, peer->recv->ssrc);
	load_rtcp_out(peer, out, end(out, n + 4));
}

void load_recv_tick(struct load_peer *peer, int64_t now_us)
{
	struct load_recv *r = peer->recv;

	if (!r->started) {
		return;
	}
	if (!r->next_pli_us) {
		r->next_pli_us = INT64_MAX;
		pli(peer);
	}
	if (r->n_missing && !peer->load->conf.no_nack) {
		nack(peer, now_us);
	}
	if (now_us >= r->next_twcc_us) {
		r->next_twcc_us = now_us + TWCC_US;
		feedback(peer);
	}
	if (now_us >= r->next_rr_us) {
		r->next_rr_us = now_us + RR_US;
		report(peer, now_us);
	}
}
