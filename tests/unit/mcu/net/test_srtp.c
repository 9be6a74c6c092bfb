/* Our SRTP beside libsrtp, both ways, for each suite and each backend that this machine has. */
#include <errno.h>
#include <glib.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "mcu/net/srtp_priv.h"

enum { SSRC = 0x11223344 };
static const uint8_t master[46] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
				    25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46 };

struct fixture {
	mcu_srtp_lib *lib;
	mcu_srtp *in, *out;
	srtp_t their_in, their_out;
};

static const struct { void (*rtp)(srtp_crypto_policy_t *p), (*rtcp)(srtp_crypto_policy_t *p); } policies[] = {
	[MCU_SRTP_GCM128] = { srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_128_16_auth },
	[MCU_SRTP_CM80] = { srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtcp_default },
	[MCU_SRTP_CM32] = { srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_rtcp_default },
	[MCU_SRTP_GCM256] = { srtp_crypto_policy_set_aes_gcm_256_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth },
	[MCU_SRTP_CM256_80] = { srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
	[MCU_SRTP_CM256_32] = { srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
};

static srtp_t oracle(enum mcu_srtp_suite suite, bool outbound)
{
	srtp_policy_t p = { .ssrc = { outbound ? ssrc_any_outbound : ssrc_any_inbound, 0 }, .window_size = 1024,
			    .key = (uint8_t *)(uintptr_t)master };
	srtp_t s = NULL;

	policies[suite].rtp(&p.rtp);
	policies[suite].rtcp(&p.rtcp);
	g_assert_cmpint(srtp_create(&s, &p), ==, srtp_err_status_ok);
	return s;
}

static const struct mcu_srtp_backend *row_of(gconstpointer data)
{
	size_t n;

	return &mcu_srtp_backends(&n)[GPOINTER_TO_SIZE(data)];
}

/* false: this machine lacks the backend */
static bool setup(struct fixture *f, gconstpointer data)
{
	const struct mcu_srtp_backend *row = row_of(data);

	memset(f, 0, sizeof(*f));
	f->lib = mcu_srtp_lib_new();
	f->in = mcu_srtp_new(f->lib, row->suite, row->name, master, 4);
	f->out = mcu_srtp_new(f->lib, row->suite, row->name, master, 4);
	f->their_in = oracle(row->suite, false);
	f->their_out = oracle(row->suite, true);
	if (f->in == NULL) {
		g_test_skip("backend not on this machine");
	}
	return f->in != NULL;
}

static void finish(struct fixture *f)
{
	mcu_srtp_free(f->in);
	mcu_srtp_free(f->out);
	srtp_dealloc(f->their_in);
	srtp_dealloc(f->their_out);
	mcu_srtp_lib_free(f->lib);
}

/* Header of 12 octets, or with two CSRCs and an extension of one word. */
static unsigned make_header(uint8_t *h, uint16_t seq, uint32_t ssrc, bool full)
{
	static const uint8_t more[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0 };
	const uint8_t base[12] = { full ? 0x92 : 0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 1, 2,
				   (uint8_t)(ssrc >> 24), (uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8), (uint8_t)ssrc };

	memcpy(h, base, 12);
	memcpy(h + 12, more, 16);
	return full ? 28 : 12;
}

static void make_payload(uint8_t *p, unsigned len, unsigned salt)
{
	for (unsigned i = 0; i < len; i++) {
		p[i] = (uint8_t)(i * 7 + salt);
	}
}

/* What libsrtp makes of our packet. */
static void their_open(struct fixture *f, uint8_t *packet, int len, const uint8_t *header, unsigned header_len,
		       const uint8_t *payload, unsigned payload_len, unsigned pad)
{
	uint8_t want[12 + 16];

	memcpy(want, header, header_len);
	want[0] |= pad > 0 ? 0x20 : 0;
	g_assert_cmpint(srtp_unprotect(f->their_in, packet, &len), ==, srtp_err_status_ok);
	g_assert_cmpint(len, ==, (int)(header_len + payload_len + pad));
	g_assert_cmpmem(packet, header_len, want, header_len);
	g_assert_cmpmem(packet + header_len, payload_len, payload, payload_len);
	g_assert_cmpint(pad > 0 ? packet[len - 1] : 0, ==, (int)pad);
}

static void libsrtp_opens_ours(gconstpointer data)
{
	static const unsigned sizes[] = { 0, 1, 15, 16, 17, 160, 1199, 1200, 1400 };
	struct fixture f;
	uint16_t seq = 1000;

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (unsigned i = 0; i < G_N_ELEMENTS(sizes) * 4; i++) {
			uint8_t h[28], payload[1500], out[1600];
			unsigned hl = make_header(h, seq++, SSRC, i & 1), len = sizes[i / 4], pad = i & 2 ? i % 8 + 1 : 0;
			int n;

			make_payload(payload, len, i);
			n = mcu_srtp_protect(f.out, h, hl, payload, len, pad, out);
			g_assert_cmpint(n, ==, (int)(hl + len + pad + mcu_srtp_overhead(f.out)));
			their_open(&f, out, n, h, hl, payload, len, pad);
		}
	}
	finish(&f);
}

static int their_packet(struct fixture *f, uint16_t seq, uint32_t ssrc, unsigned len, uint8_t *out)
{
	int n = (int)make_header(out, seq, ssrc, seq & 1);

	make_payload(out + n, len, seq);
	n += (int)len;
	g_assert_cmpint(srtp_protect(f->their_out, out, &n), ==, srtp_err_status_ok);
	return n;
}

static void opens_what(struct fixture *f, uint16_t seq, unsigned len, const uint8_t *packet, int n)
{
	uint8_t want[1600], got[1600];
	unsigned hl = make_header(want, seq, SSRC, seq & 1);

	make_payload(want + hl, len, seq);
	g_assert_cmpint(mcu_srtp_unprotect(f->in, packet, (size_t)n, got), ==, (int)(hl + len));
	g_assert_cmpmem(got, hl + len, want, hl + len);
}

static void opens_libsrtps(gconstpointer data)
{
	struct fixture f;
	uint8_t packet[1600];

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (uint16_t seq = 1; seq < 200; seq++) {
			int n = their_packet(&f, seq, SSRC, seq * 7u, packet);

			opens_what(&f, seq, seq * 7u, packet, n);
		}
	}
	finish(&f);
}

/* Two turns of the sequence number, with every 50th packet late by 20. */
static void roc_wraps_both_ways(gconstpointer data)
{
	struct fixture f;
	uint8_t packet[1600], late[1600], h[28], payload[40] = { 9 };
	int n_late = 0;

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (unsigned i = 65000; i < 3 * 65536; i++) {
			int n = their_packet(&f, (uint16_t)i, SSRC, 20, packet);

			if (i % 50 == 0) {
				memcpy(late, packet, sizeof(late));
				n_late = n;
			} else {
				opens_what(&f, (uint16_t)i, 20, packet, n);
			}
			if (i % 50 == 20 && n_late > 0) {
				opens_what(&f, (uint16_t)(i - 20), 20, late, n_late);
			}
			make_header(h, (uint16_t)i, SSRC, false);
			n = mcu_srtp_protect(f.out, h, 12, payload, 40, 0, packet);
			their_open(&f, packet, n, h, 12, payload, 40, 0);
		}
	}
	finish(&f);
}

static void replays_are_refused(gconstpointer data)
{
	struct fixture f;
	uint8_t first[1600], packet[1600], got[1600];

	for (bool ok = setup(&f, data); ok; ok = false) {
		int n = their_packet(&f, 10, SSRC, 100, first);

		g_assert_cmpint(mcu_srtp_unprotect(f.in, first, (size_t)n, got), >, 0);
		g_assert_cmpint(mcu_srtp_unprotect(f.in, first, (size_t)n, got), ==, -EALREADY);
		for (uint16_t seq = 11; seq < 11 + MCU_SRTP_WINDOW; seq++) {
			int m = their_packet(&f, seq, SSRC, 100, packet);

			g_assert_cmpint(mcu_srtp_unprotect(f.in, packet, (size_t)m, got), >, 0);
		}
		g_assert_cmpint(mcu_srtp_unprotect(f.in, first, (size_t)n, got), ==, -ESTALE);
	}
	finish(&f);
}

/* Any flipped bit is refused, and a forged packet moves no window: the true one still passes. */
static void tampering_is_refused(gconstpointer data)
{
	struct fixture f;
	uint8_t packet[1600], got[1600];

	for (bool ok = setup(&f, data); ok; ok = false) {
		int n = their_packet(&f, 7, SSRC, 33, packet);

		for (int bit = 0; bit < 8 * n; bit++) {
			int r;

			packet[bit / 8] ^= (uint8_t)(1 << (bit % 8));
			r = mcu_srtp_unprotect(f.in, packet, (size_t)n, got);
			g_assert_cmpint(r, ==, -EBADMSG);
			packet[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		}
		for (int cut = 0; cut < n; cut++) {
			g_assert_cmpint(mcu_srtp_unprotect(f.in, packet, (size_t)cut, got), ==, -EBADMSG);
		}
		g_assert_cmpuint(mcu_srtp_streams(f.in), ==, 0);
		g_assert_cmpint(mcu_srtp_unprotect(f.in, packet, (size_t)n, got), >, 0);
	}
	finish(&f);
}

static void ssrcs_are_bounded(gconstpointer data)
{
	struct fixture f;
	uint8_t packet[1600], got[1600];

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (unsigned i = 0; i < 100; i++) {
			int n = their_packet(&f, 1, i, 10, packet);

			g_assert_cmpint(mcu_srtp_unprotect(f.in, packet, (size_t)n, got) > 0, ==, i < 4);
		}
		g_assert_cmpuint(mcu_srtp_streams(f.in), ==, 4);
	}
	finish(&f);
}

/* One leg whose keys are good sends under every SSRC of 16 bits: the table stays as large as it was told, and those that
 * came first are heard on. */
static void many_ssrcs(void)
{
	enum { MANY = 65536, ROOM = 64 };
	mcu_srtp_lib *lib = mcu_srtp_lib_new();
	mcu_srtp *in = mcu_srtp_new(lib, MCU_SRTP_GCM128, NULL, master, ROOM), *out = mcu_srtp_new(lib, MCU_SRTP_GCM128, NULL, master, MANY);
	uint8_t packet[200], got[200], header[64], payload[20] = { 0 };
	unsigned refused = 0;

	for (unsigned i = 0; i < MANY; i++) {
		unsigned hl = make_header(header, 1, i, false);
		int n = mcu_srtp_protect(out, header, hl, payload, sizeof(payload), 0, packet);
		g_assert_cmpint(n, >, 0);
		refused += mcu_srtp_unprotect(in, packet, (size_t)n, got) == -ENOSPC;
	}
	g_assert_cmpuint(refused, ==, MANY - ROOM);
	g_assert_cmpuint(mcu_srtp_streams(in), ==, ROOM);
	unsigned hl = make_header(header, 2, ROOM - 1, false);
	int n = mcu_srtp_protect(out, header, hl, payload, sizeof(payload), 0, packet);
	g_assert_cmpint(mcu_srtp_unprotect(in, packet, (size_t)n, got), >, 0);
	mcu_srtp_free(in);
	mcu_srtp_free(out);
	mcu_srtp_lib_free(lib);
}

/* RFC 7714 12: GCM never seals one (ssrc, seq) twice, in order, late, or across a wrap. CM80 may repeat itself. */
static void nonce_is_never_reused(gconstpointer data)
{
	static const struct { uint16_t seq; int want; } rows[] = {
		{ 65533, 1 }, { 65535, 1 }, { 65534, 1 }, { 65535, -EALREADY }, { 1, 1 }, { 0, 1 }, { 65534, -EALREADY },
		{ 2000, 1 }, { 1, -ESTALE }, { 1500, 1 }, { 1500, -EALREADY },
	};
	bool gcm = mcu_srtp_suites[row_of(data)->suite].aead;
	struct fixture f;
	uint8_t h[28], out[1600];

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
			int n;

			make_header(h, rows[i].seq, SSRC, false);
			n = mcu_srtp_protect(f.out, h, 12, h, 12, 0, out);
			if (rows[i].want > 0 || !gcm) {
				g_assert_cmpint(n, >, 0);
			} else {
				g_assert_cmpint(n, ==, rows[i].want);
			}
		}
	}
	finish(&f);
}

static void rtcp_both_ways(gconstpointer data)
{
	static const uint8_t rr[8] = { 0x80, 201, 0, 1, 0x11, 0x22, 0x33, 0x44 };
	struct fixture f;
	uint32_t buf[40], got[40];

	for (bool ok = setup(&f, data); ok; ok = false) {
		for (unsigned i = 0; i < 300; i++) {
			uint8_t bare[8];
			int n = mcu_srtp_protect_rtcp(f.out, rr, 8, (uint8_t *)buf, sizeof(buf)), m = 8;

			g_assert_cmpint(n, >, 8);
			g_assert_cmpint(srtp_unprotect_rtcp(f.their_in, buf, &n), ==, srtp_err_status_ok);
			g_assert_cmpmem(buf, (size_t)n, rr, 8);
			memcpy(buf, rr, 8);
			g_assert_cmpint(srtp_protect_rtcp(f.their_out, buf, &m), ==, srtp_err_status_ok);
			g_assert_cmpint(mcu_srtp_unprotect_rtcp(f.in, (uint8_t *)buf, (size_t)m, (uint8_t *)got,
								sizeof(got)), ==, 8);
			memcpy(bare, got, 8);
			g_assert_cmpmem(bare, 8, rr, 8);
			g_assert_cmpint(mcu_srtp_unprotect_rtcp(f.in, (uint8_t *)buf, (size_t)m, (uint8_t *)got,
								sizeof(got)), ==, -EALREADY);
			((uint8_t *)buf)[m - 1] ^= 1;
			g_assert_cmpint(mcu_srtp_unprotect_rtcp(f.in, (uint8_t *)buf, (size_t)m, (uint8_t *)got,
								sizeof(got)), <, 0);
		}
	}
	finish(&f);
}

/* Backends of one suite give the same bytes. */
static void backends_agree(void)
{
	mcu_srtp_lib *lib = mcu_srtp_lib_new();
	size_t n;
	const struct mcu_srtp_backend *rows = mcu_srtp_backends(&n);

	for (size_t i = 0; i < n; i++) {
		mcu_srtp *a = mcu_srtp_new(lib, rows[i].suite, "openssl", master, 4);
		mcu_srtp *b = mcu_srtp_new(lib, rows[i].suite, rows[i].name, master, 4);

		for (unsigned len = 0; b != NULL && len < 1300; len += 13) {
			uint8_t h[28], payload[1400], x[1600], y[1600];
			unsigned hl = make_header(h, (uint16_t)len, SSRC, len & 1);
			int m;

			make_payload(payload, len, len);
			m = mcu_srtp_protect(a, h, hl, payload, len, len % 9, x);
			g_assert_cmpint(mcu_srtp_protect(b, h, hl, payload, len, len % 9, y), ==, m);
			g_assert_cmpmem(x, (size_t)m, y, (size_t)m);
		}
		mcu_srtp_free(a);
		mcu_srtp_free(b);
	}
	mcu_srtp_lib_free(lib);
}

/* RFC 3711 B.3 */
static void rfc3711_b3(void)
{
	static const uint8_t key[16] = { 0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE,
					 0x41, 0x39 };
	static const uint8_t salt[14] = { 0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB,
					  0xE6 };
	static const uint8_t want_key[16] = { 0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE, 0x10, 0x73, 0x4A, 0xFE, 0x3F,
					      0xF7, 0xA0, 0x87 };
	static const uint8_t want_salt[14] = { 0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C, 0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A,
					       0xE1 };
	static const uint8_t want_auth[20] = { 0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71, 0x6B, 0x6F, 0xD4, 0xAB, 0x49, 0xAF,
					       0x25, 0x6A, 0x15, 0x6D, 0x38, 0xBA, 0xA4 };
	uint8_t out[20];

	mcu_srtp_derive(key, sizeof(key), salt, 0, out, 16);
	g_assert_cmpmem(out, 16, want_key, 16);
	mcu_srtp_derive(key, sizeof(key), salt, 2, out, 14);
	g_assert_cmpmem(out, 14, want_salt, 14);
	mcu_srtp_derive(key, sizeof(key), salt, 1, out, 20);
	g_assert_cmpmem(out, 20, want_auth, 20);
}

static const struct { const char *name; void (*run)(gconstpointer); } cases[] = {
	{ "libsrtp-opens-ours", libsrtp_opens_ours }, { "opens-libsrtps", opens_libsrtps },
	{ "roc-wraps-both-ways", roc_wraps_both_ways }, { "replays-are-refused", replays_are_refused },
	{ "tampering-is-refused", tampering_is_refused }, { "ssrcs-are-bounded", ssrcs_are_bounded },
	{ "nonce-is-never-reused", nonce_is_never_reused }, { "rtcp-both-ways", rtcp_both_ways },
};

int main(int argc, char **argv)
{
	size_t n;
	const struct mcu_srtp_backend *rows = mcu_srtp_backends(&n);

	g_test_init(&argc, &argv, NULL);
	g_assert_cmpint(srtp_init(), ==, srtp_err_status_ok);
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < G_N_ELEMENTS(cases); k++) {
			g_autofree char *path = g_strdup_printf("/srtp/%s/%s/%s", mcu_srtp_suites[rows[i].suite].name,
								rows[i].name, cases[k].name);

			g_test_add_data_func(path, GSIZE_TO_POINTER(i), cases[k].run);
		}
	}
	g_test_add_func("/srtp/many-ssrcs", many_ssrcs);
	g_test_add_func("/srtp/backends-agree", backends_agree);
	g_test_add_func("/srtp/rfc3711-b3", rfc3711_b3);
	return g_test_run();
}
