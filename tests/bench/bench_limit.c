/* The limit: one thread that does nothing but encrypt (AES-128-GCM, a key a receiver) and send runs of K packets with
 * UDP_SEGMENT, N receivers on loopback, 1200 B each. No receiving, no routing, no RTCP. CPU of this thread only. */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { SUBS = 50, PKTS = 6, PAYLOAD = 1200, HEADER = 20, TAG = 16, SIZE = HEADER + PAYLOAD + TAG, FRAMES = 400 };

struct limit {
	int fd;
	int sink[SUBS];
	struct sockaddr_in to[SUBS];
	uint8_t payload[PKTS][PAYLOAD];
	uint8_t out[SUBS][PKTS][SIZE];
	EVP_CIPHER_CTX *evp[SUBS];
#ifdef HAVE_IPSEC_MB
	IMB_MGR *mb;
	_Alignas(64) struct gcm_key_data key[SUBS];
#endif
};

typedef void (*encrypt_fn)(struct limit *l, int sub, const uint8_t iv[12], const uint8_t *in, uint8_t *packet);

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void encrypt_evp(struct limit *l, int sub, const uint8_t iv[12], const uint8_t *in, uint8_t *packet)
{
	int n;

	EVP_EncryptInit_ex(l->evp[sub], NULL, NULL, NULL, iv);
	EVP_EncryptUpdate(l->evp[sub], NULL, &n, packet, HEADER);
	EVP_EncryptUpdate(l->evp[sub], packet + HEADER, &n, in, PAYLOAD);
	EVP_EncryptFinal_ex(l->evp[sub], packet + HEADER + PAYLOAD, &n);
	EVP_CIPHER_CTX_ctrl(l->evp[sub], EVP_CTRL_AEAD_GET_TAG, TAG, packet + HEADER + PAYLOAD);
}

#ifdef HAVE_IPSEC_MB
static void encrypt_mb(struct limit *l, int sub, const uint8_t iv[12], const uint8_t *in, uint8_t *packet)
{
	struct gcm_context_data context;

	IMB_AES128_GCM_ENC(l->mb, &l->key[sub], &context, packet + HEADER, in, PAYLOAD, iv, packet, HEADER,
			   packet + HEADER + PAYLOAD, TAG);
}
#endif

static void send_runs(struct limit *l)
{
	struct mmsghdr msg[SUBS] = {0};
	struct iovec iov[SUBS];
	union { char bytes[CMSG_SPACE(sizeof(uint16_t))]; struct cmsghdr align; } control[SUBS] = {0};

	for (int i = 0; i < SUBS; i++) {
		struct msghdr *h = &msg[i].msg_hdr;
		struct cmsghdr *c;

		iov[i] = (struct iovec){ l->out[i], sizeof(l->out[i]) };
		h->msg_name = &l->to[i];
		h->msg_namelen = sizeof(l->to[i]);
		h->msg_iov = &iov[i];
		h->msg_iovlen = 1;
		h->msg_control = control[i].bytes;
		h->msg_controllen = sizeof(control[i].bytes);
		c = CMSG_FIRSTHDR(h);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
		memcpy(CMSG_DATA(c), &(uint16_t){ SIZE }, sizeof(uint16_t));
	}
	for (int done = 0, rc; done < SUBS; done += rc) {
		rc = sendmmsg(l->fd, msg + done, (unsigned)(SUBS - done), 0);
		if (rc <= 0) {
			perror("sendmmsg");
			return;
		}
	}
}

static void frame(struct limit *l, encrypt_fn encrypt, uint32_t n)
{
	for (int i = 0; i < SUBS; i++) {
		for (int k = 0; k < PKTS; k++) {
			uint8_t *p = l->out[i][k], iv[12] = {0};
			uint32_t seq = n * PKTS + (uint32_t)k;

			memset(p, 0, HEADER);
			p[0] = 0x90;
			p[1] = 96;
			memcpy(p + 2, &seq, 2);
			memcpy(iv + 8, &seq, 4);
			encrypt(l, i, iv, l->payload[k], p);
		}
	}
}

static void drain(struct limit *l)
{
	uint8_t sink[2048];

	for (int i = 0; i < SUBS; i++) {
		while (recv(l->sink[i], sink, sizeof(sink), MSG_DONTWAIT) > 0) {
		}
	}
}

static void measure(struct limit *l, const char *name, encrypt_fn encrypt)
{
	int64_t crypto = 0, send = 0;
	double packets = (double)FRAMES * SUBS * PKTS;

	for (uint32_t n = 0; n < FRAMES; n++) {
		int64_t t0 = cpu_ns(), t1;

		frame(l, encrypt, n);
		t1 = cpu_ns();
		send_runs(l);
		send += cpu_ns() - t1;
		crypto += t1 - t0;
		drain(l);
	}
	printf("limit (protect with %s + send, runs of %d, loopback): %.0f + %.0f = %.0f ns/pkt, %.0f pkt/core-s\n", name, PKTS,
	       (double)crypto / packets, (double)send / packets, (double)(crypto + send) / packets,
	       packets * 1e9 / (double)(crypto + send));
}

static bool open_sockets(struct limit *l)
{
	l->fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < SUBS; i++) {
		socklen_t len = sizeof(l->to[i]);

		l->to[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
		l->sink[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (bind(l->sink[i], (struct sockaddr *)&l->to[i], len) < 0 ||
		    getsockname(l->sink[i], (struct sockaddr *)&l->to[i], &len) < 0) {
			perror("bind");
			return false;
		}
	}
	return true;
}

int main(void)
{
	struct limit *l = aligned_alloc(64, (sizeof(*l) + 63) & ~(size_t)63);	/* vector key schedules want it */
	uint8_t key[16] = {0};

	memset(l, 0, sizeof(*l));
	if (!open_sockets(l)) {
		return 1;
	}
	for (int i = 0; i < SUBS; i++) {
		key[0] = (uint8_t)i;
		l->evp[i] = EVP_CIPHER_CTX_new();
		EVP_EncryptInit_ex(l->evp[i], EVP_aes_128_gcm(), NULL, key, NULL);
	}
	measure(l, "OpenSSL EVP", encrypt_evp);
#ifdef HAVE_IPSEC_MB
	l->mb = alloc_mb_mgr(0);
	init_mb_mgr_auto(l->mb, NULL);
	for (int i = 0; i < SUBS; i++) {
		key[0] = (uint8_t)i;
		IMB_AES128_GCM_PRE(l->mb, key, &l->key[i]);
	}
	measure(l, "ipsec-mb", encrypt_mb);
#endif
	return 0;
}
