/* The sound mixer's cost: CPU seconds per second of conference. Three parts, put together by bench_audio.py:
 *   alone N S	mix_audio in virtual time, sends counted only
 *   serve N	one conference on one UDP port (printed), a sendto per packet; ends when stdin ends
 *   load N S	parties with plain RTP: prints their ports, reads "host port" of each from stdin, runs S seconds, prints counts
 * Each party sends 50 packets a second of 32 kbit/s Opus with levels (RFC 6464): the first three speak in turns of 1.1 to
 * 1.9 s that overlap, the others send a room's noise of -59 dBov. */
#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "mcu/mix/sound_priv.h"

enum { TALKERS = 3, LOOP = 500, MOST = 1000, FIRST_SSRC = 1000, ROOM = 400 };
struct take { uint8_t level; int len; uint8_t data[ROOM]; };
struct server { int fd; struct mix_audio *mix; struct sockaddr_in to[MOST]; uint64_t sent, failed; };

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Ten seconds: a voiced sound of 110 to 190 Hz with three formant-like bands, syllables of a quarter of a second. */
static float voice(unsigned who, unsigned t)
{
	double s = (double)t / SOUND_HZ, turn = fmod(s + who * 1.7, 1.1 + 0.4 * who + 1.3), base = 110 + 40.0 * who, x = 0;

	if (turn > 1.1 + 0.4 * who) {
		return 0;
	}
	for (unsigned h = 1; h < 24; h++) {
		double hz = base * h, a = 1 / (1 + pow((hz - 600) / 300, 2)) + 0.5 / (1 + pow((hz - 1500) / 300, 2));
		x += a * sin(2 * G_PI * hz * s + 2 * sin(2 * G_PI * 4 * s));
	}
	return (float)(0.08 * x * (0.6 + 0.4 * sin(2 * G_PI * 4 * s)));
}

static struct take *record(unsigned who)
{
	struct sound_encoder *e = sound_encoder_new(NULL, &sound_codec_opus, 32000);
	struct take *takes = g_new0(struct take, LOOP);
	uint32_t r = who + 1;
	float x[SOUND_FRAME];

	for (unsigned f = 0; f < LOOP; f++) {
		for (unsigned i = 0; i < SOUND_FRAME; i++) {
			r = r * 1664525u + 1013904223u;
			x[i] = 0.002f * ((float)(r >> 8) / (1 << 23) - 1) + (who < TALKERS ? voice(who, f * SOUND_FRAME + i) : 0);
		}
		takes[f].level = (uint8_t)lrint(-sound_dbov(x, SOUND_FRAME));
		takes[f].len = sound_encode(e, x, false, takes[f].data, ROOM);
	}
	sound_encoder_free(e);
	return takes;
}

/* Who only listens sends the same noise as his neighbour, moved by some frames. */
static const struct take *take_of(struct take *const takes[TALKERS + 1], unsigned party, unsigned frame)
{
	return &takes[MIN(party, TALKERS)][(frame + party * 17) % LOOP];
}

static int packet_of(const struct take *take, unsigned party, unsigned frame, uint8_t *out, size_t room)
{
	struct mcu_ext_value ext = { .id = MCU_MIX_EXT_LEVEL, .len = 1, .data = &take->level };
	struct mcu_rtp rtp = { .pt = 111, .seq = (uint16_t)frame, .ts = frame * SOUND_FRAME, .ssrc = FIRST_SSRC + party };
	int head = mcu_rtp_write_header(out, room, &rtp, &ext, 1);

	memcpy(out + head, take->data, (size_t)take->len);
	return head + take->len;
}

static void fill(struct mix_audio *mix, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char id[32], member[32];
		struct mcu_mix_input in = { .id = id, .member = member };
		struct mcu_mix_output out = { .id = id, .member = member, .codec = (char *)"opus", .bps = 32000 };
		g_snprintf(id, sizeof(id), "s%u", i);
		g_snprintf(member, sizeof(member), "p%u", i);
		g_assert_true(mix_audio_input(mix, &in, FIRST_SSRC + i, NULL));
		g_assert_true(mix_audio_output(mix, &out, FIRST_SSRC + i, NULL));
	}
}

static void count(const uint8_t *packet, size_t len, void *ud)
{
	*(uint64_t *)ud += !mcu_rtp_is_rtcp(packet, len);
}

static int alone(unsigned n, unsigned seconds)
{
	const struct mix_audio_ops ops = { .send = count };
	struct take *takes[TALKERS + 1];
	uint64_t sent = 0;
	struct mix_audio *mix = mix_audio_new(&ops, &sent);
	uint8_t packet[ROOM + 40];
	double spent = 0;

	fill(mix, n);
	for (unsigned i = 0; i <= TALKERS; i++) {
		takes[i] = record(i);
	}
	for (unsigned f = 0; f < seconds * 50; f++) {
		double from = cpu_s();
		for (unsigned i = 0; i < n; i++) {
			int len = packet_of(take_of(takes, i, f), i, f, packet, sizeof(packet));
			mix_audio_packet(mix, packet, (size_t)len, 1000000 + f * INT64_C(20000));
		}
		mix_audio_tick(mix, 1005000 + f * INT64_C(20000), 1005000 + f * INT64_C(20000));
		spent += cpu_s() - from;
	}
	printf("{\"cpu\": %.4f, \"sent\": %" G_GUINT64_FORMAT ", \"due\": %u, \"encodes\": %.2f}\n", spent / seconds, sent,
	       n * seconds * 50, (double)mix->encodes / (seconds * 50));
	return 0;
}

static void to_party(const uint8_t *packet, size_t len, void *ud)
{
	struct server *s = ud;
	uint32_t ssrc;
	const struct sockaddr_in *to;

	memcpy(&ssrc, packet + (mcu_rtp_is_rtcp(packet, len) ? 4 : 8), 4);
	to = &s->to[(ntohl(ssrc) - FIRST_SSRC) % MOST];
	if (to->sin_port && sendto(s->fd, packet, len, 0, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		s->failed++;
	}
	s->sent++;
}

static int udp(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = 1 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		perror("udp");
		exit(1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));	/* less is enough on an idle machine */
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void receive(struct server *s)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t packet[1500];
	uint32_t ssrc;
	ssize_t n;

	while ((n = recvfrom(s->fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len)) > 0) {
		if (n >= 12) {
			memcpy(&ssrc, packet + 8, 4);
			s->to[(ntohl(ssrc) - FIRST_SSRC) % MOST] = from;
			mix_audio_packet(s->mix, packet, (size_t)n, now_us());
		}
		from_len = sizeof(from);
	}
}

static int serve(unsigned n)
{
	const struct mix_audio_ops ops = { .send = to_party };
	struct itimerspec every = { { 0, 20000000 }, { 0, 20000000 } };
	struct server s = {0};
	struct pollfd fds[3];
	uint64_t fired;
	uint16_t port;

	s.fd = udp(&port);
	s.mix = mix_audio_new(&ops, &s);
	fill(s.mix, n);
	fds[0] = (struct pollfd){ .fd = s.fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = timerfd_create(CLOCK_MONOTONIC, 0), .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = 0, .events = POLLIN };
	timerfd_settime(fds[1].fd, 0, &every, NULL);
	printf("%u\n", port);
	fflush(stdout);
	while (poll(fds, 3, -1) >= 0 && !fds[2].revents) {
		receive(&s);
		if (fds[1].revents && read(fds[1].fd, &fired, sizeof(fired)) == sizeof(fired)) {
			for (uint64_t i = 0; i < MIN(fired, 5); i++) {
				mix_audio_tick(s.mix, now_us(), g_get_real_time());
			}
		}
	}
	mix_audio_free(s.mix);
	return 0;
}

static uint64_t drain(const int *fds, unsigned n)
{
	uint8_t packet[1500];
	uint64_t got = 0;
	ssize_t len;

	for (unsigned i = 0; i < n; i++) {
		while ((len = recv(fds[i], packet, sizeof(packet), 0)) > 0) {
			got += !mcu_rtp_is_rtcp(packet, (size_t)len);
		}
	}
	return got;
}

static int load(unsigned n, unsigned seconds)
{
	struct take *takes[TALKERS + 1];
	struct sockaddr_in to[MOST] = {0};
	uint8_t packet[ROOM + 40];
	uint64_t got = 0, sent = 0;
	int fds[MOST];
	int64_t start;

	for (unsigned i = 0; i < n; i++) {
		uint16_t port;
		fds[i] = udp(&port);
		printf("%u\n", port);
	}
	fflush(stdout);
	for (unsigned i = 0; i <= TALKERS; i++) {
		takes[i] = record(i);
	}
	for (unsigned i = 0; i < n; i++) {
		char line[100], host[64];
		unsigned port;
		if (!fgets(line, sizeof(line), stdin) || sscanf(line, "%63s %u", host, &port) != 2) {
			return 1;
		}
		to[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		inet_pton(AF_INET, host, &to[i].sin_addr);
	}
	start = now_us();
	for (unsigned f = 0; f < seconds * 50; f++) {
		/* spread over the 20 ms, as parties are; two seconds of warming up are not counted */
		for (unsigned i = 0; i < n; i++) {
			int len = packet_of(take_of(takes, i, f), i, f, packet, sizeof(packet));
			int64_t wait = start + f * INT64_C(20000) + i * INT64_C(20000) / n - now_us();
			if (wait > 500) {
				usleep((useconds_t)wait);
			}
			sent += sendto(fds[i], packet, (size_t)len, 0, (struct sockaddr *)&to[i], sizeof(to[i])) == len;
		}
		got += drain(fds, n);
		if (f == 99) {
			got = 0;
			printf("go\n");
			fflush(stdout);
		}
	}
	printf("{\"due\": %u, \"got\": %" G_GUINT64_FORMAT ", \"sent\": %" G_GUINT64_FORMAT "}\n", n * (seconds - 2) * 50, got, sent);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 50, seconds = argc > 3 ? (unsigned)atoi(argv[3]) : 10;
	const char *what = argc > 1 ? argv[1] : "alone";

	n = CLAMP(n, TALKERS + 1, MOST);
	return strcmp(what, "serve") == 0 ? serve(n) : strcmp(what, "load") == 0 ? load(n, seconds) : alone(n, seconds);
}
