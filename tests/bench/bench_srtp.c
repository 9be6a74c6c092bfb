/* ns per packet of protecting 1200 B: our backends beside Debian's libsrtp, N keys in turn (N receivers of one source). */
#include <glib.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mcu/net/srtp_priv.h"

enum { PAYLOAD = 1200, HEADER = 20, ROUNDS = 100000 };

static const unsigned keys[] = { 1, 50, 500 };

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void make_header(uint8_t out[HEADER], uint16_t seq)
{
	static const uint8_t fixed[HEADER] = { 0x90, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0x31, 0, 0, 0 };

	memcpy(out, fixed, HEADER);
	out[2] = (uint8_t)(seq >> 8);
	out[3] = (uint8_t)seq;
}

static double ours(mcu_srtp_lib *lib, const struct mcu_srtp_backend *backend, unsigned n)
{
	mcu_srtp **s = g_new0(mcu_srtp *, n);
	uint8_t key[MCU_SRTP_KEY + MCU_SRTP_SALT] = {0}, header[HEADER], payload[PAYLOAD] = {0}, out[2048];
	int64_t t0;

	for (unsigned i = 0; i < n; i++) {
		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(i >> 8);
		s[i] = mcu_srtp_new(lib, backend->suite, backend->name, key, 4);
	}
	t0 = cpu_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		make_header(header, (uint16_t)(i / n));
		(void)mcu_srtp_protect(s[i % n], header, HEADER, payload, PAYLOAD, 0, out);
	}
	t0 = cpu_ns() - t0;
	for (unsigned i = 0; i < n; i++) {
		mcu_srtp_free(s[i]);
	}
	g_free(s);
	return (double)t0 / ROUNDS;
}

static double theirs(srtp_profile_t profile, unsigned n)
{
	srtp_t *s = g_new0(srtp_t, n);
	uint8_t key[64] = {0}, out[2048] = {0};
	int64_t t0;

	for (unsigned i = 0; i < n; i++) {
		srtp_policy_t policy = { .window_size = 1024, .ssrc.type = ssrc_any_outbound, .key = key };

		key[0] = (uint8_t)i;
		key[1] = (uint8_t)(i >> 8);
		srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
		srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
		(void)srtp_create(&s[i], &policy);
	}
	t0 = cpu_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		int len = HEADER + PAYLOAD;

		make_header(out, (uint16_t)(i / n));
		(void)srtp_protect(s[i % n], out, &len);
	}
	t0 = cpu_ns() - t0;
	for (unsigned i = 0; i < n; i++) {
		srtp_dealloc(s[i]);
	}
	g_free(s);
	return (double)t0 / ROUNDS;
}

int main(void)
{
	static const srtp_profile_t profiles[MCU_SRTP_DTLS_SUITES] = { [MCU_SRTP_GCM128] = srtp_profile_aead_aes_128_gcm,
								  [MCU_SRTP_CM80] = srtp_profile_aes128_cm_sha1_80 };
	mcu_srtp_lib *lib = mcu_srtp_lib_new();
	size_t n_backends;
	const struct mcu_srtp_backend *backends = mcu_srtp_backends(&n_backends);

	srtp_init();
	for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
		double peer[MCU_SRTP_DTLS_SUITES];

		for (int suite = 0; suite < MCU_SRTP_DTLS_SUITES; suite++) {
			peer[suite] = theirs(profiles[suite], keys[k]);
			printf("srtp %-24s %-9s keys %3u: %6.0f ns/packet\n", mcu_srtp_suites[suite].name, "libsrtp", keys[k],
			       peer[suite]);
		}
		for (size_t i = 0; i < n_backends; i++) {
			bool known = (int)backends[i].suite < MCU_SRTP_DTLS_SUITES && backends[i].probe(lib);
			double ns = known ? ours(lib, &backends[i], keys[k]) : 0;

			if (ns > 0) {
				printf("srtp %-24s %-9s keys %3u: %6.0f ns/packet, libsrtp takes %.1f times as long\n",
				       mcu_srtp_suites[backends[i].suite].name, backends[i].name, keys[k], ns,
				       peer[backends[i].suite] / ns);
			}
		}
	}
	mcu_srtp_lib_free(lib);
	return 0;
}
