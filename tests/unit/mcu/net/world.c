#include "tests/unit/mcu/net/world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"

static void on_rtp(mcu_transport *t, struct mcu_packet *p, int64_t now_us, void *data)
{
	struct world *w = data;

	g_ptr_array_add(w->kept, mcu_packet_ref(p));
	if (w->close_on_rtp) {
		mcu_transport_close(t);
		w->t = NULL;
	}
}

static void on_rtcp(mcu_transport *t, const uint8_t *data, size_t len, int64_t now_us, void *user)
{
	((struct world *)user)->n_rtcp++;
}

static void on_state(mcu_transport *t, const char *state, const char *why, int64_t now_us, void *data)
{
	struct world *w = data;

	g_string_append_printf(w->states, "%s%s", w->states->len > 0 ? " " : "", state);
	g_strlcpy(w->why, why, sizeof(w->why));
}

static void on_batch_end(mcu_port *port, int64_t now_us, void *data)
{
	((struct world *)data)->n_batches++;
}

static void on_peer_media(bool rtcp, const uint8_t *data, unsigned len, void *user)
{
	struct world *w = user;

	if (rtcp) {
		w->n_peer_rtcp++;
	} else {
		g_ptr_array_add(w->peer_got, g_bytes_new(data, len));
	}
}

static void unref_packet(gpointer p)
{
	mcu_packet_unref(p);
}

void world_open(struct world *w)
{
	static const struct mcu_port_ops ops = { on_rtp, on_rtcp, on_state, on_batch_end };
	static const char *const local[] = { "127.0.0.1", NULL };
	g_autoptr(GError) err = NULL;

	w->states = g_string_new(NULL);
	w->kept = g_ptr_array_new_with_free_func(unref_packet);
	w->peer_got = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	w->context = g_main_context_new();
	w->conf.listen = w->conf.listen ? w->conf.listen : local;
	w->port = mcu_port_new(&w->conf, &ops, w, &err);
	g_assert_no_error(err);
	w->t = mcu_transport_open(w->port, w, &err);
	g_assert_no_error(err);
	if (g_strcmp0(w->peer_conf.address, "") != 0) {
		w->peer_conf.context = w->context;
		w->peer = net_peer_new(&w->peer_conf);
		net_peer_on_media(w->peer, on_peer_media, w);
	}
}

void world_close(struct world *w)
{
	net_peer_free(w->peer);
	g_ptr_array_unref(w->kept);
	mcu_port_free(w->port);
	g_ptr_array_unref(w->peer_got);
	g_string_free(w->states, TRUE);
	g_main_context_unref(w->context);
}

void world_turn(struct world *w)
{
	struct pollfd p = { mcu_port_fd(w->port), POLLIN, 0 };

	while (g_main_context_iteration(w->context, FALSE)) {
	}
	(void)poll(&p, 1, 1);
	mcu_port_turn(w->port, ort_now_us() + w->skew_us);
}

void world_spin(struct world *w, unsigned turns)
{
	while (turns-- > 0) {
		world_turn(w);
	}
}

void world_offer(struct world *w)
{
	struct mcu_candidate c[16];
	char ufrag[33], pwd[33];
	unsigned n = mcu_transport_candidates(w->t, c, G_N_ELEMENTS(c));

	mcu_transport_local(w->t, ufrag, pwd);
	net_peer_connect(w->peer, ufrag, pwd, mcu_port_fingerprint(w->port), c, n);
}

void world_answer(struct world *w)
{
	g_autofree char *ufrag = NULL, *pwd = NULL;
	g_autoptr(GError) err = NULL;

	net_peer_local(w->peer, &ufrag, &pwd);
	(void)mcu_transport_connect(w->t, ufrag, pwd, net_peer_fingerprint(w->peer), !w->peer_conf.dtls_client, &err);
	g_assert_no_error(err);
}

void world_up(struct world *w)
{
	world_offer(w);
	world_answer(w);
	world_until(w, mcu_transport_up(w->t) && net_peer_up(w->peer));
}

uint64_t world_counter(const struct world *w, const char *name)
{
	g_autofree char *stats = mcu_port_stats(w->port), *key = g_strdup_printf("\"%s\":", name);
	const char *at = strstr(stats, key);

	g_assert_nonnull(at);
	return strtoull(at + strlen(key), NULL, 10);
}

bool world_state(const struct world *w, const char *state)
{
	return g_str_equal(mcu_transport_state(w->t), state);
}

int raw_socket(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	g_assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

void raw_send(const struct world *w, int fd, const void *data, size_t len)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(mcu_port_number(w->port)) };

	g_assert_true(sendto(fd, data, len, 0, (struct sockaddr *)&a, sizeof(a)) == (ssize_t)len);
}

size_t raw_recv(int fd, uint8_t *out, size_t room)
{
	ssize_t n = recv(fd, out, room, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

size_t raw_check_make(const struct world *w, uint8_t out[512], const char *pwd, bool use_candidate, uint32_t priority)
{
	char ufrag[33], right[33], user[80];
	StunAgent agent;
	StunMessage msg;
	size_t n;

	mcu_transport_local(w->t, ufrag, right);
	g_snprintf(user, sizeof(user), "%s:test", ufrag);
	pwd = pwd ? pwd : right;
	stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	n = stun_usage_ice_conncheck_create(&agent, &msg, out, 512, (uint8_t *)user, strlen(user),
					    (const uint8_t *)pwd, strlen(pwd), use_candidate, true, priority, 1, NULL,
					    STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
	g_assert_cmpuint(n, >, 0);
	return n;
}

void raw_check(const struct world *w, int fd, const char *pwd, bool use_candidate, uint32_t priority)
{
	uint8_t buf[512];

	raw_send(w, fd, buf, raw_check_make(w, buf, pwd, use_candidate, priority));
}

unsigned rtp_packet(uint8_t *out, uint16_t seq, uint32_t ssrc, unsigned payload_len)
{
	const uint8_t h[12] = { 0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 1, (uint8_t)(ssrc >> 24),
				(uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8), (uint8_t)ssrc };

	memcpy(out, h, sizeof(h));
	for (unsigned i = 0; i < payload_len; i++) {
		out[12 + i] = (uint8_t)(i + seq);
	}
	return 12 + payload_len;
}

void world_open_plain(struct world *w, enum mcu_plain_security security, bool mux)
{
	struct mcu_plain_conf conf = { .security = security, .rtcp_mux = mux };
	g_autoptr(GError) err = NULL;

	w->peer_conf.address = "";
	world_open(w);
	mcu_transport_close(w->t);
	w->t = mcu_transport_open_plain(w->port, &conf, w, &err);
	g_assert_no_error(err);
}

uint16_t raw_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&a, &len), ==, 0);
	return ntohs(a.sin_port);
}

uint16_t world_rtp_port(const struct world *w)
{
	struct mcu_candidate c;

	g_assert_cmpuint(mcu_transport_candidates(w->t, &c, 1), ==, 1);
	g_assert_cmpstr(c.ip, ==, "127.0.0.1");
	return c.port;
}

void raw_send_to(int fd, uint16_t port, const void *data, size_t len)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };

	g_assert_true(sendto(fd, data, len, 0, (struct sockaddr *)&a, sizeof(a)) == (ssize_t)len);
}
