/* ortoo-load: publishers come up, subscribers join at a rate, then a measuring window, then one line of JSON. */
#include <errno.h>
#include <gio/gio.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "tests/kit/load/load.h"

enum { TICK_US = 2000, SLICES = 10, PUBS_UP_US = 10000000, JOIN_US = 15000000, SETTLE_US = 1000000, DRAIN_US = 1000000 };

enum phase { PHASE_PUBS, PHASE_WARM, PHASE_JOIN, PHASE_SETTLE, PHASE_WINDOW, PHASE_DRAIN, PHASE_END };

struct run {
	struct load load;
	enum phase phase;
	int64_t phase_us, next_join_us, next_tick_us;
	int joined, slice;	/* peers are ticked in slices: real ones do not report in step either */
	int64_t cpu[PHASE_END + 1], rss[PHASE_END + 1], at_us[PHASE_END + 1], cpu_own[PHASE_END + 1];
	uint64_t sent_base, due_joining;
};

int64_t load_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint32_t load_random(void)
{
	uint32_t v = 0;

	(void)!getrandom(&v, sizeof(v), 0);
	return v;
}

/* First address that is not loopback: some servers offer no candidate there. */
static char *own_address(void)
{
	struct ifaddrs *list = NULL;
	char text[INET_ADDRSTRLEN] = "127.0.0.1";

	if (getifaddrs(&list) == 0) {
		for (struct ifaddrs *i = list; i; i = i->ifa_next) {
			struct sockaddr_in *in = (void *)i->ifa_addr;

			if (in && in->sin_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 != 127) {
				inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
				break;
			}
		}
		freeifaddrs(list);
	}
	return g_strdup(text);
}

static struct load_send *send_new(const struct load *load)
{
	struct load_send *s = g_new0(struct load_send, 1);

	s->ssrc = load_random() | 1;
	s->rtx_ssrc = load_random() | 1;
	s->ts = load_random();
	s->seq = (uint16_t)load_random();
	s->want_key = true;
	s->ring = g_malloc0(sizeof(*s->ring) * LOAD_RING);
	return s;
}

static bool make_peers(struct load *load, GError **err)
{
	load->n_peers = load->conf.pubs + load->conf.subs;
	load->peers = g_new0(struct load_peer, load->n_peers);
	for (int i = 0; i < load->n_peers; i++) {
		struct load_peer *p = &load->peers[i];

		p->index = i;
		if (i < load->conf.pubs) {
			p->send = send_new(load);
		} else {
			p->feed = (i - load->conf.pubs) % load->conf.pubs;
			p->recv = g_new0(struct load_recv, 1);
			p->recv->sender = load_random() | 1;
		}
		if (!load_peer_open(load, p, err)) {
			return false;
		}
	}
	return true;
}

static void start_peer(struct load *load, struct load_peer *peer)
{
	peer->started = true;
	peer->start_us = load_now_us();
	load->sig->start(load, peer);
}

static uint64_t sum_unique(const struct load *load)
{
	uint64_t sum = 0;

	for (int i = load->conf.pubs; i < load->n_peers; i++) {
		sum += load->peers[i].recv->unique;
	}
	return sum;
}

static void enter(struct run *run, enum phase phase, int64_t now_us)
{
	struct load *load = &run->load;

	run->phase = phase;
	run->phase_us = now_us;
	run->at_us[phase] = now_us;
	run->cpu[phase] = load_cpu_ns(load->conf.pid);
	run->rss[phase] = load_rss_bytes(load->conf.pid);
	run->cpu_own[phase] = load_cpu_ns(getpid());
	load->measuring = phase == PHASE_WINDOW;
	if ((phase == PHASE_WINDOW || phase == PHASE_DRAIN) && load->sig->mark) {
		load->sig->mark(load, phase == PHASE_DRAIN);
	}
	if (phase == PHASE_SETTLE) {
		run->due_joining = sum_unique(load);
	}
	if (phase == PHASE_WINDOW) {
		load->due = 0;
		for (int i = load->conf.pubs; i < load->n_peers; i++) {
			load->peers[i].recv->window_base = load->peers[i].recv->unique;
		}
		run->sent_base = sum_unique(load);
	}
	if (phase == PHASE_DRAIN) {
		run->sent_base = sum_unique(load) - run->sent_base;	/* delivered */
		load->sending = false;
	}
}

static int count_up(const struct load *load, int from, int to, bool media)
{
	int n = 0;

	for (int i = from; i < to; i++) {
		const struct load_peer *p = &load->peers[i];

		n += p->failed || (media ? p->first_us != 0 : p->up);
	}
	return n;
}

static void join_due(struct run *run, int64_t now_us)
{
	struct load *load = &run->load;

	while (run->joined < load->conf.subs && now_us >= run->next_join_us) {
		start_peer(load, &load->peers[load->conf.pubs + run->joined++]);
		run->next_join_us += (int64_t)(1e6 / load->conf.join_rate);
	}
}

/* The table of phases as code: each ends by a condition or a time-out. */
static void step(struct run *run, int64_t now_us)
{
	struct load *load = &run->load;
	int64_t age = now_us - run->phase_us;
	int pubs = load->conf.pubs;

	switch (run->phase) {
	case PHASE_PUBS:
		if (count_up(load, 0, pubs, false) == pubs || age > PUBS_UP_US) {
			enter(run, PHASE_WARM, now_us);
		}
		break;
	case PHASE_WARM:
		if (age > SETTLE_US) {
			enter(run, PHASE_JOIN, now_us);
			run->next_join_us = now_us;
		}
		break;
	case PHASE_JOIN:
		join_due(run, now_us);
		if (run->joined == load->conf.subs && (count_up(load, pubs, load->n_peers, true) == load->conf.subs ||
						       now_us - run->next_join_us > JOIN_US)) {
			enter(run, PHASE_SETTLE, now_us);
		}
		break;
	case PHASE_SETTLE:
		if (age > SETTLE_US) {
			enter(run, PHASE_WINDOW, now_us);
		}
		break;
	case PHASE_WINDOW:
		if (age > (int64_t)load->conf.seconds * 1000000) {
			enter(run, PHASE_DRAIN, now_us);
		}
		break;
	case PHASE_DRAIN:
		if (age > DRAIN_US) {
			enter(run, PHASE_END, now_us);
		}
		break;
	case PHASE_END:
		break;
	}
}

static int attached(const struct load *load, int feed)
{
	int n = 0;

	for (int i = load->conf.pubs; i < load->n_peers; i++) {
		n += load->peers[i].feed == feed && load->peers[i].first_us;
	}
	return n;
}

/* Returns when the next frame of anybody is due. */
static int64_t publish(struct load *load, int64_t now_us)
{
	int64_t next = INT64_MAX, frame_us = 1000000 / load->conf.fps;

	for (int i = 0; load->sending && i < load->conf.pubs; i++) {
		struct load_peer *p = &load->peers[i];

		if (!p->up || p->failed) {
			continue;
		}
		if (!p->send->next_frame_us) {	/* publishers are not in step with each other */
			p->send->next_frame_us = now_us + frame_us * i / load->conf.pubs;
		}
		if (now_us >= p->send->next_frame_us) {
			load_send_frame(p, now_us);
			load->due += load->measuring ? (uint64_t)(load->conf.pkts * attached(load, i)) : 0;
			p->send->next_frame_us += frame_us;
			if (now_us > p->send->next_frame_us) {
				load->late_frames++;
				p->send->next_frame_us = now_us;
			}
		}
		next = MIN(next, p->send->next_frame_us);
	}
	return next;
}

static void wait_io(struct run *run, int64_t until_us)
{
	struct epoll_event ev[128];
	struct load *load = &run->load;
	int64_t left = MAX(until_us - load_now_us(), 0);
	struct timespec ts = { left / 1000000, left % 1000000 * 1000 };
	int n = epoll_pwait2(load->epoll, ev, G_N_ELEMENTS(ev), &ts, NULL);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == load) {
			load->sig->turn(load, load_now_us());
		} else {
			load_peer_read(ev[i].data.ptr);
		}
	}
}

static void loop(struct run *run)
{
	struct load *load = &run->load;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = load };

	epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->sig->fd(load), &ev);
	load->sending = true;
	enter(run, PHASE_PUBS, load_now_us());
	for (int i = 0; i < load->conf.pubs; i++) {
		start_peer(load, &load->peers[i]);
	}
	while (run->phase != PHASE_END && !load->lost) {
		int64_t now_us = load_now_us(), next = publish(load, now_us);

		if (now_us >= run->next_tick_us) {
			run->next_tick_us = now_us + TICK_US;
			load->sig->turn(load, now_us);
			for (int i = run->slice; i < load->n_peers; i += SLICES) {
				load_peer_tick(&load->peers[i], now_us);
			}
			run->slice = (run->slice + 1) % SLICES;
			step(run, now_us);
		}
		wait_io(run, MIN(next, run->next_tick_us));
	}
}

static int compare_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double quantile(float *v, unsigned n, double q)
{
	if (!n) {
		return 0;
	}
	qsort(v, n, sizeof(*v), compare_float);
	return (double)v[MIN(n - 1, (unsigned)(q * n))];
}

struct sums { uint64_t expected, unique, dup, late, rtx, useful, nacked, auth_ok, auth_fail, corrupt; double worst; int up, media; };

static struct sums add_up(const struct load *load)
{
	struct sums s = {0};

	for (int i = load->conf.pubs; i < load->n_peers; i++) {
		const struct load_recv *r = load->peers[i].recv;
		uint64_t expected = load_recv_expected(r);
		double missing = expected ? (double)(expected - r->unique) / (double)expected : 1;

		s.expected += expected;
		s.unique += r->unique;
		s.dup += r->dup;
		s.late += r->late;
		s.rtx += r->rtx;
		s.useful += r->rtx_useful;
		s.nacked += r->nacked;
		s.auth_ok += r->auth_ok;
		s.auth_fail += r->auth_fail;
		s.corrupt += r->corrupt;
		s.worst = MAX(s.worst, missing);
		s.up += load->peers[i].up;
		s.media += load->peers[i].first_us != 0;
	}
	return s;
}

static void add_costs(const struct run *run, json_t *out)
{
	const struct load *load = &run->load;
	double window_ns = (double)(run->cpu[PHASE_DRAIN] - run->cpu[PHASE_WINDOW]);
	double per_packet = load->due ? window_ns / (double)load->due : 0;
	double join_ns = (double)(run->cpu[PHASE_SETTLE] - run->cpu[PHASE_JOIN]);
	double subs = MAX(1, load->conf.subs);

	if (run->cpu[PHASE_WINDOW] < 0) {
		return;
	}
	json_object_set_new(out, "cpu_us_per_due", json_real(per_packet / 1e3));
	json_object_set_new(out, "cpu_us_per_delivered",
			    json_real(window_ns / 1e3 / (double)MAX(1, run->sent_base)));
	json_object_set_new(out, "packets_per_core_s", json_integer(per_packet > 0 ? (json_int_t)(1e9 / per_packet) : 0));
	json_object_set_new(out, "cpu_share", json_real(window_ns / 1e3 / (double)(run->at_us[PHASE_DRAIN] - run->at_us[PHASE_WINDOW])));
	/* media forwarded while peers joined is taken off at the price of the window */
	json_object_set_new(out, "cpu_ms_per_join", json_real((join_ns - per_packet * (double)run->due_joining) / 1e6 / subs));
	json_object_set_new(out, "cpu_ms_per_join_gross", json_real(join_ns / 1e6 / subs));
	json_object_set_new(out, "rss_kib", json_integer(run->rss[PHASE_DRAIN] / 1024));
	json_object_set_new(out, "rss_kib_per_sub", json_real((double)(run->rss[PHASE_DRAIN] - run->rss[PHASE_JOIN]) / 1024 / subs));
}

static void add_latency(struct run *run, json_t *out)
{
	struct load *load = &run->load;
	g_autofree float *join = g_new0(float, load->conf.subs + 1);
	unsigned n = 0;

	for (int i = load->conf.pubs; i < load->n_peers; i++) {
		if (load->peers[i].first_us) {
			join[n++] = (float)(load->peers[i].first_us - load->peers[i].start_us) / 1000.0f;
		}
	}
	json_object_set_new(out, "join_ms_p50", json_real(quantile(join, n, 0.5)));
	json_object_set_new(out, "join_ms_p95", json_real(quantile(join, n, 0.95)));
	json_object_set_new(out, "latency_ms_p50", json_real(quantile(load->latency_ms, load->n_latency, 0.5)));
	json_object_set_new(out, "latency_ms_p99", json_real(quantile(load->latency_ms, load->n_latency, 0.99)));
}

static void add_publishers(const struct load *load, json_t *out)
{
	uint64_t nacks = 0, resent = 0, keys = 0;

	for (int i = 0; i < load->conf.pubs; i++) {
		nacks += load->peers[i].send->nacks;
		resent += load->peers[i].send->resent;
		keys += load->peers[i].send->keyframes;
	}
	json_object_set_new(out, "pub_keyframes", json_integer((json_int_t)keys));
	json_object_set_new(out, "pub_nacks", json_integer((json_int_t)nacks));
	json_object_set_new(out, "pub_resent", json_integer((json_int_t)resent));
}

/* Returns whether everybody got media. */
static bool report(struct run *run)
{
	struct load *load = &run->load;
	struct sums s = add_up(load);
	g_autofree char *line = NULL;
	json_t *out = json_pack("{ss ss si si si si ss si si sI sI sI sI sI sI sI sI sI sI sI sf sI sI sI}", "server",
		load->sig->name, "label", load->conf.target, "pubs", load->conf.pubs, "subs", load->conf.subs, "fps",
		load->conf.fps, "pkts", load->conf.pkts, "srtp", load->profile ? load->profile : "-", "up", s.up, "media",
		s.media, "due", (json_int_t)load->due, "delivered", (json_int_t)run->sent_base, "gaps",
		(json_int_t)(s.expected - s.unique), "dup", (json_int_t)s.dup, "late", (json_int_t)s.late, "rtx",
		(json_int_t)s.rtx, "rtx_useful", (json_int_t)s.useful, "nacked", (json_int_t)s.nacked, "auth_ok",
		(json_int_t)s.auth_ok, "auth_fail", (json_int_t)s.auth_fail, "corrupt", (json_int_t)s.corrupt,
		"worst_missing", s.worst, "bad_stun", (json_int_t)load->bad_stun, "rtcp_fail",
		(json_int_t)load->rtcp_fail, "late_frames", (json_int_t)load->late_frames);

	add_costs(run, out);
	add_latency(run, out);
	add_publishers(load, out);
	json_object_set_new(out, "own_cpu_share", json_real((double)(run->cpu_own[PHASE_DRAIN] - run->cpu_own[PHASE_WINDOW]) /
		1e3 / (double)MAX(1, run->at_us[PHASE_DRAIN] - run->at_us[PHASE_WINDOW])));
	line = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(5));
	puts(line);
	json_decref(out);
	return s.media == load->conf.subs && !load->lost;
}

static bool options(struct load_conf *c, int *argc, char ***argv, GError **err)
{
	GOptionEntry rows[] = {
		{ "sig", 's', 0, G_OPTION_ARG_STRING, &c->sig, "signalling: ortoo or janus", "NAME" },
		{ "target", 't', 0, G_OPTION_ARG_STRING, &c->target, "the server's control socket", "PATH" },
		{ "pid", 0, 0, G_OPTION_ARG_INT, &c->pid, "the server's process, for CPU and memory", "PID" },
		{ "host", 0, 0, G_OPTION_ARG_STRING, &c->host, "our address (first that is not loopback)", "IP" },
		{ "relay", 0, 0, G_OPTION_ARG_STRING, &c->relay, "send through this relay instead", "IP:PORT" },
		{ "relay-pubs", 0, 0, G_OPTION_ARG_NONE, &c->relay_pubs, "the relay is the publishers' way", NULL },
		{ "srtp", 0, 0, G_OPTION_ARG_STRING, &c->srtp, "any (Chromium's offer), gcm or cm80", "NAME" },
		{ "pubs", 'p', 0, G_OPTION_ARG_INT, &c->pubs, "publishers", "N" },
		{ "subs", 'n', 0, G_OPTION_ARG_INT, &c->subs, "subscribers, dealt round robin over publishers", "N" },
		{ "fps", 'f', 0, G_OPTION_ARG_INT, &c->fps, "frames a second", "N" },
		{ "pkts", 'k', 0, G_OPTION_ARG_INT, &c->pkts, "packets a frame", "N" },
		{ "bytes", 'b', 0, G_OPTION_ARG_INT, &c->bytes, "payload of a packet", "N" },
		{ "duration", 'd', 0, G_OPTION_ARG_INT, &c->seconds, "measuring window", "S" },
		{ "join-rate", 'r', 0, G_OPTION_ARG_DOUBLE, &c->join_rate, "joins a second", "N" },
		{ "no-nack", 0, 0, G_OPTION_ARG_NONE, &c->no_nack, "subscribers ask for nothing again", NULL },
		{ "strangers", 0, 0, G_OPTION_ARG_INT, &c->strangers, "packets of new SSRCs per frame of the first publisher", "N" },
		{ "liars", 0, 0, G_OPTION_ARG_STRING, &c->liars, "signal a wrong fingerprint: pubs or subs", "WHO" },
		{ "counters", 0, 0, G_OPTION_ARG_NONE, &c->counters, "print what the server counted in the window", NULL },
		{ NULL }
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- WebRTC load on a forwarding server");

	g_option_context_add_main_entries(context, rows, NULL);
	return g_option_context_parse(context, argc, argv, err);
}

static bool sane(const struct load_conf *c, GError **err)
{
	bool ok = c->target && c->pubs >= 1 && c->subs >= 0 && c->pubs + c->subs <= 4000 && c->fps >= 1 && c->fps <= 1000 &&
		  c->pkts >= 1 && c->pkts <= 60 && c->bytes >= 64 && c->bytes <= 1200 && c->seconds >= 1 && c->join_rate > 0;

	if (!ok) {
		g_set_error(err, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--target is missing or a number is out of range");
	}
	return ok;
}

static bool take_relay(struct load *load, GError **err)
{
	char *colon = load->conf.relay ? strrchr(load->conf.relay, ':') : NULL;
	g_autofree char *ip = colon ? g_strndup(load->conf.relay, (size_t)(colon - load->conf.relay)) : NULL;

	if (load->conf.relay && (!colon || !load_addr(ip, (uint16_t)atoi(colon + 1), &load->relay))) {
		g_set_error(err, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--relay wants IP:PORT");
		return false;
	}
	return true;
}

static bool prepare(struct run *run, int *argc, char ***argv, GError **err)
{
	struct load *load = &run->load;
	struct load_conf *c = &load->conf;

	*c = (struct load_conf){ .pubs = 1, .subs = 50, .fps = 30, .pkts = 6, .bytes = 1200, .seconds = 8, .join_rate = 50 };
	if (!options(c, argc, argv, err) || !sane(c, err) || !take_relay(load, err)) {
		return false;
	}
	c->host = c->host ? c->host : own_address();
	c->srtp = c->srtp ? c->srtp : g_strdup("any");
	load->sig = g_strcmp0(c->sig, "janus") == 0 ? &load_sig_janus : &load_sig_ortoo;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->rx = load_rx_new();
	load->noise = g_malloc(8192);
	load->latency_ms = g_new0(float, LOAD_LATENCY_MAX);
	(void)!getrandom(load->noise, 8192, 0);
	return load_dtls_init(load, err) && make_peers(load, err) && load->sig->open(load, c->target, err);
}

static void finish(struct load *load)
{
	struct load_conf *c = &load->conf;
	char *texts[] = { c->sig, c->target, c->host, c->relay, c->srtp, c->liars };

	for (int i = 0; load->peers && i < load->n_peers; i++) {
		load_peer_close(&load->peers[i]);
	}
	if (load->sig && load->sig_data) {
		load->sig->close(load);
	}
	SSL_CTX_free(load->ssl_ctx);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_free(texts[i]);
	}
	g_free(load->latency_ms);
	g_free(load->noise);
	g_free(load->peers);
	g_free(load->rx);
}

int main(int argc, char **argv)
{
	g_autofree struct run *run = g_new0(struct run, 1);
	g_autoptr(GError) err = NULL;
	int status = 2;

	setlocale(LC_NUMERIC, "C");
	if (prepare(run, &argc, &argv, &err)) {
		loop(run);
		status = report(run) ? 0 : 1;
	} else {
		fprintf(stderr, "ortoo-load: %s\n", err->message);
	}
	finish(&run->load);
	return status;
}
