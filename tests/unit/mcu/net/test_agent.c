/* Two ports of ours talk to each other: a full agent with a lite transport, straight, over TCP, and through coturn where
 * that is installed. */
#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcu/net/net_priv.h"
#include "tests/unit/mcu/net/world.h"

struct couple { struct world lite, full; };

static void couple_turn(struct couple *c)
{
	world_turn(&c->lite);
	world_turn(&c->full);
}

#define couple_until(c, cond)                                                                      \
	do {                                                                                       \
		gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;                         \
		while (!(cond)) {                                                                  \
			if (g_get_monotonic_time() > end) {                                        \
				g_error("never: %s", #cond);                                       \
			}                                                                          \
			couple_turn(c);                                                            \
		}                                                                                  \
	} while (0)

static void couple_open(struct couple *c, bool tcp, const struct mcu_agent_conf *conf)
{
	g_autoptr(GError) err = NULL;

	memset(c, 0, sizeof(*c));
	c->lite.conf.tcp = c->full.conf.tcp = tcp;
	c->lite.peer_conf.address = c->full.peer_conf.address = "";
	world_open(&c->lite);
	world_open(&c->full);
	mcu_transport_close(c->full.t);
	c->full.t = mcu_transport_open_agent(c->full.port, conf, &c->full, &err);
	g_assert_no_error(err);
}

static void couple_close(struct couple *c)
{
	world_close(&c->lite);
	world_close(&c->full);
}

static void tell_candidates(struct couple *c, const char *protocol)
{
	struct mcu_candidate k[8];
	unsigned n = mcu_transport_candidates(c->lite.t, k, G_N_ELEMENTS(k));

	for (unsigned i = 0; i < n; i++) {
		g_autofree char *line = g_strdup_printf("candidate:%s 1 %s %u %s %u typ %s%s%s", k[i].foundation,
							k[i].protocol, k[i].priority, k[i].ip, k[i].port, k[i].type,
							k[i].tcptype[0] ? " tcptype " : "", k[i].tcptype);
		g_autoptr(GError) err = NULL;

		if (g_str_equal(k[i].protocol, protocol)) {
			g_assert_cmpint(mcu_transport_add_candidate(c->full.t, line, &err), ==, 0);
			g_assert_no_error(err);
		}
	}
	g_assert_cmpint(mcu_transport_add_candidate(c->full.t, "", NULL), ==, 0);
}

static void connect_to(struct world *a, struct world *b, bool dtls_client)
{
	g_autoptr(GError) err = NULL;
	char ufrag[33], pwd[33];

	mcu_transport_local(b->t, ufrag, pwd);
	(void)mcu_transport_connect(a->t, ufrag, pwd, mcu_port_fingerprint(b->port), dtls_client, &err);
	g_assert_no_error(err);
}

static void couple_up(struct couple *c, const char *protocol)
{
	connect_to(&c->lite, &c->full, false);
	connect_to(&c->full, &c->lite, true);
	tell_candidates(c, protocol);
	couple_until(c, mcu_transport_up(c->lite.t) && mcu_transport_up(c->full.t));
}

static void send_some(struct world *w, unsigned n)
{
	uint8_t buf[1500];

	for (unsigned i = 0; i < n; i++) {
		rtp_packet(buf, (uint16_t)i, 4711, 1000);
		mcu_transport_send_rtp(w->t, buf, 12, buf + 12, 1000);
	}
	mcu_port_flush(w->port);
}

static void media_both_ways(struct couple *c)
{
	static const uint8_t rr[8] = { 0x80, 201, 0, 1, 0, 0, 0, 7 };

	send_some(&c->lite, 20);
	send_some(&c->full, 20);
	mcu_transport_send_rtcp(c->lite.t, rr, sizeof(rr));
	mcu_transport_send_rtcp(c->full.t, rr, sizeof(rr));
	mcu_port_flush(c->lite.port);
	mcu_port_flush(c->full.port);
	couple_until(c, c->lite.kept->len == 20 && c->full.kept->len == 20);
	couple_until(c, c->lite.n_rtcp == 1 && c->full.n_rtcp == 1);
}

static void straight(gconstpointer data)
{
	struct couple c;

	couple_open(&c, g_str_equal(data, "tcp"), &(struct mcu_agent_conf){ 0 });
	couple_up(&c, data);
	media_both_ways(&c);
	g_assert_cmpstr(c.full.states->str, ==, "ice dtls up");
	mcu_transport_close(c.full.t);
	couple_until(&c, world_state(&c.lite, "closed"));
	g_assert_cmpstr(c.lite.why, ==, "peer");
	couple_close(&c);
}

/* libnice answers for consent: the agent's side stays up while checks go, whatever time media rests. */
static void idle_agent_stays_up(void)
{
	struct couple c;

	couple_open(&c, false, &(struct mcu_agent_conf){ 0 });
	couple_up(&c, "udp");
	for (unsigned i = 0; i < 10; i++) {
		c.full.skew_us += 4 * ORT_US_PER_S;
		couple_turn(&c);
	}
	g_assert_true(world_state(&c.full, "up"));
	g_assert_cmpint(mcu_port_deadline(c.full.port), <, ORT_NEVER);
	couple_close(&c);
}

static void agent_restarts(void)
{
	struct couple c;
	char before[33], after[33], pwd[33];

	couple_open(&c, false, &(struct mcu_agent_conf){ 0 });
	couple_up(&c, "udp");
	mcu_transport_local(c.full.t, before, pwd);
	g_assert_cmpint(mcu_transport_restart_ice(c.full.t), ==, 0);
	g_assert_cmpint(mcu_transport_restart_ice(c.lite.t), ==, 0);
	mcu_transport_local(c.full.t, after, pwd);
	g_assert_cmpstr(before, !=, after);
	connect_to(&c.lite, &c.full, false);
	connect_to(&c.full, &c.lite, true);
	tell_candidates(&c, "udp");
	couple_until(&c, !c.lite.t->old.live && net_agent_ready(c.full.t->agent));
	media_both_ways(&c);
	couple_close(&c);
}

static void bad_input_is_refused(void)
{
	static const char *const lines[] = { "rubbish", "candidate:", "candidate:1 2 udp 1 127.0.0.1 9 typ host",
					     "candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=ice-ufrag:x" };
	static const char *const turns[] = { "", "turn:", "turn:1.2.3.4", "stun:a:b@1.2.3.4", "turn:a@1.2.3.4",
					     "turn:a:b@1.2.3.4:99999", "turn:a:b@1.2.3.4:5x", "turn:a:b@host.example" };
	struct couple c;

	couple_open(&c, false, &(struct mcu_agent_conf){ 0 });
	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_assert_cmpint(mcu_transport_add_candidate(c.full.t, lines[i], NULL), <, 0);
		g_assert_cmpint(mcu_transport_add_candidate(c.lite.t, lines[i], NULL), ==, 0);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(turns); i++) {
		g_autoptr(GError) err = NULL;

		g_assert_null(mcu_transport_open_agent(c.full.port, &(struct mcu_agent_conf){ .turn = turns[i] }, &c.full,
						       &err));
		g_assert_nonnull(err);
	}
	g_assert_cmpuint(world_counter(&c.full, "transports.open"), ==, 1);
	couple_close(&c);
}

static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_assert_true(bind(fd, (struct sockaddr *)&a, len) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void die_with_us(gpointer data)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static GPid start_turn(uint16_t port, const char *dir)
{
	g_autofree char *number = g_strdup_printf("%u", port), *pid = g_build_filename(dir, "pid", NULL),
		       *db = g_build_filename(dir, "db", NULL);
	const char *argv[] = { "turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "-p", number, "-a",
			       "-u", "kit:a%b", "-r", "test", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls",
			       "--pidfile", pid, "-b", db, "--log-file=/dev/null", NULL };
	GPid child = 0;

	(void)g_spawn_async(dir, (char **)(uintptr_t)argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL, die_with_us, NULL, &child, NULL);
	return child;
}

/* Plain binding requests until one is answered: libnice gives up sooner than a loaded machine starts a server. */
static void wait_for_turn(uint16_t port)
{
	static const uint8_t binding[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port) };
	int fd = raw_socket();
	uint8_t buf[500];

	for (unsigned i = 0; i < 400 && raw_recv(fd, buf, sizeof(buf)) == 0; i++) {
		(void)sendto(fd, binding, sizeof(binding), 0, (struct sockaddr *)&a, sizeof(a));
		g_usleep(50000);
	}
	close(fd);
}

static void stop_turn(GPid child, const char *dir)
{
	static const char *const files[] = { "pid", "db" };

	kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	g_spawn_close_pid(child);
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(dir, files[i], NULL);

		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static bool has_relay(const struct world *w)
{
	struct mcu_candidate k[16];
	unsigned n = mcu_transport_candidates(w->t, k, G_N_ELEMENTS(k));

	for (unsigned i = 0; i < n; i++) {
		if (g_str_equal(k[i].type, "relay")) {
			return true;
		}
	}
	return false;
}

static void through_turn(void)
{
	g_autofree char *dir = NULL, *program = g_find_program_in_path("turnserver");
	uint16_t number = free_port();
	g_autofree char *uri = g_strdup_printf("turn:kit:a%%25b@127.0.0.1:%u?transport=udp", number);
	struct couple c;
	GPid child;

	if (program == NULL) {
		g_test_skip("no turnserver");
		return;
	}
	dir = g_dir_make_tmp("turn-XXXXXX", NULL);
	child = start_turn(number, dir);
	wait_for_turn(number);
	couple_open(&c, false, &(struct mcu_agent_conf){ .turn = uri, .relay_only = true });
	couple_until(&c, has_relay(&c.full));
	couple_up(&c, "udp");
	media_both_ways(&c);
	couple_close(&c);
	stop_turn(child, dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/net/agent/udp", "udp", straight);
	g_test_add_data_func("/net/agent/tcp", "tcp", straight);
	g_test_add_func("/net/agent/idle-stays-up", idle_agent_stays_up);
	g_test_add_func("/net/agent/restarts", agent_restarts);
	g_test_add_func("/net/agent/bad-input-is-refused", bad_input_is_refused);
	g_test_add_func("/net/agent/through-turn", through_turn);
	return g_test_run();
}
