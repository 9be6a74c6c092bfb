/* Rooms to workers, grace time, life of the engine. */
#include "mcu/engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/engine_priv.h"

/* ---- rooms ---- */

static void placed_free(void *data)
{
	struct mcu_placed *p = data;
	g_hash_table_unref(p->transports);
	g_free(p->id);
	g_free(p);
}

void mcu_engine_load(const mcu_engine *e, unsigned worker, unsigned *ret_rooms, unsigned *ret_transports)
{
	GHashTableIter iter;
	const struct mcu_placed *p;
	unsigned rooms = 0, transports = 0;
	g_hash_table_iter_init(&iter, e->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&p)) {
		if (p->worker == worker) {
			rooms++;
			transports += g_hash_table_size(p->transports);
		}
	}
	*ret_rooms = rooms;
	*ret_transports = transports;
}

/* Fewest transports; among equals the least busy in steps of a tenth, then fewest rooms. */
static unsigned least_loaded(const mcu_engine *e)
{
	unsigned best = 0;
	uint64_t best_load = UINT64_MAX;
	for (unsigned i = 0; i < e->n_workers; i++) {
		unsigned rooms, transports;
		mcu_engine_load(e, i, &rooms, &transports);
		uint64_t load = ((uint64_t)transports << 36) | ((uint64_t)(mcu_worker_busy(e->workers[i]) * 10) << 32) | rooms;
		if (load < best_load) {
			best = i;
			best_load = load;
		}
	}
	return best;
}

struct mcu_placed *mcu_engine_place(mcu_engine *e, const char *room, GError **err)
{
	struct mcu_placed *p = g_hash_table_lookup(e->rooms, room);
	if (p) {
		return p;
	}
	enum mcu_error_id refused = e->draining ? MCU_ERROR_DRAINING : MCU_ERROR_LIMIT;
	if (e->draining || g_hash_table_size(e->rooms) >= e->max_rooms) {
		g_set_error_literal(err, MCU_ERROR, (int)refused, mcu_errors[refused].en);
		return NULL;
	}
	p = g_new0(struct mcu_placed, 1);
	p->id = g_strdup(room);
	p->worker = least_loaded(e);
	p->serial = ++e->serial;
	p->transports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_insert(e->rooms, p->id, p);
	e->counters.rooms_opened++;
	return p;
}

void mcu_engine_forget(mcu_engine *e, const char *room, int worker, uint64_t serial)
{
	const struct mcu_placed *p = g_hash_table_lookup(e->rooms, room);
	if (p && (worker < 0 || p->worker == (unsigned)worker) && (!serial || p->serial == serial)) {
		mcu_mixers_room_gone(e, room);
		g_hash_table_remove(e->rooms, room);
		e->counters.rooms_closed++;
	}
}

unsigned mcu_engine_rooms(const mcu_engine *e)
{
	return g_hash_table_size(e->rooms);
}

/* ---- grace ---- */

static void expire_rooms(mcu_engine *e)
{
	GHashTableIter iter;
	const struct mcu_placed *p;
	ort_log(ORT_LOG_WARNING, "engine", "grace.over", "no gateway came back: rooms are closed",
		ORT_I("rooms", g_hash_table_size(e->rooms)));
	g_hash_table_iter_init(&iter, e->rooms);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&p)) {
		struct mcu_job *job = mcu_job_new(e, MCU_METHOD_ROOM_CLOSE);
		((struct mcu_room_ref *)job->request)->room = g_strdup(p->id);
		job->done = mcu_job_free;
		mcu_worker_post(e->workers[p->worker], job);
		mcu_mixers_room_gone(e, p->id);
		e->counters.rooms_expired++;
		g_hash_table_iter_remove(&iter);
	}
}

void mcu_engine_rearm(mcu_engine *e)
{
	ort_timer_set(e->timer, MIN(MIN(e->expire_us, e->orphan_us), e->watch_us));
}

void mcu_engine_gateway_here(mcu_engine *e, int64_t grace_ms)
{
	e->grace_ms = grace_ms > 0 ? grace_ms : e->conf_grace_ms;
	e->expire_us = e->orphan_us = ORT_NEVER;
	mcu_engine_rearm(e);
}

void mcu_engine_gateway_lost(mcu_engine *e)
{
	e->expire_us = ort_now_us() + e->grace_ms * ORT_US_PER_MS;
	e->orphan_us = e->orphan_ms ? e->expire_us + e->orphan_ms * ORT_US_PER_MS : ORT_NEVER;
	mcu_engine_rearm(e);
}

static int64_t on_timer(int64_t now_us, void *user_data)
{
	mcu_engine *e = user_data;
	if (e->expire_us <= now_us) {
		e->expire_us = ORT_NEVER;
		expire_rooms(e);
	}
	if (e->watch_us <= now_us) {
		mcu_watchdog_tick(e, now_us);
		e->watch_us = now_us + e->watchdog_ms * ORT_US_PER_MS / 4;
	}
	if (e->orphan_us <= now_us) {
		e->orphan_us = ORT_NEVER;
		if (e->ops && e->ops->on_orphan) {
			e->ops->on_orphan(e, e->user_data);
		}
	}
	return MIN(MIN(e->expire_us, e->orphan_us), e->watch_us);
}

/* ---- life ---- */

static const char *const *strv_or_null(const ort_conf *conf, const char *key)
{
	const char *const *list = ort_conf_strv(conf, key);
	return list && list[0] ? list : NULL;
}

/* "40000-49999"; all else is the kernel's choice */
static void read_ports(const char *text, unsigned ret[2])
{
	if (!text || sscanf(text, "%5u-%5u", &ret[0], &ret[1]) != 2 || ret[0] >= ret[1] || ret[1] > 65535) {
		ret[0] = ret[1] = 0;
	}
}

static void read_worker_conf(const ort_conf *conf, struct mcu_worker_conf *ret)
{
	unsigned plain[2];

	read_ports(ort_conf_str(conf, "media.plain_ports"), plain);
	ret->port = (struct mcu_port_conf){
		.listen = strv_or_null(conf, "media.listen"),
		.announce = strv_or_null(conf, "media.announce"),
		.udp_port = (uint16_t)ort_conf_int(conf, "media.udp_port"),
		.tcp = ort_conf_bool(conf, "media.tcp"),
		.max_transports = (unsigned)ort_conf_int(conf, "engine.max_transports_per_worker"),
		.max_packets = (unsigned)ort_conf_int(conf, "media.max_packets"),
		.stun_per_s = (unsigned)ort_conf_int(conf, "media.stun_per_s"),
		.dtls_hello_per_s = (unsigned)ort_conf_int(conf, "media.dtls_hello_per_s"),
		.ssrc_per_transport = (unsigned)ort_conf_int(conf, "media.ssrc_per_transport"),
		.plain_first = (uint16_t)plain[0],
		.plain_last = (uint16_t)plain[1],
		.zones = strv_or_null(conf, "media.zones"),
		.dscp = (uint8_t)ort_conf_int(conf, "media.dscp"),
		.dscp_audio = (uint8_t)ort_conf_int(conf, "media.dscp_audio"),
		.dscp_video = (uint8_t)ort_conf_int(conf, "media.dscp_video"),
		.tcp_queue = (size_t)ort_conf_int(conf, "media.tcp_queue"),
	};
	ret->limits = (struct mcu_room_limits){
		.max_rooms = (unsigned)ort_conf_int(conf, "engine.max_rooms"),
		.max_transports = (unsigned)ort_conf_int(conf, "engine.max_transports"),
		.max_streams = (unsigned)ort_conf_int(conf, "engine.max_streams"),
		.store_slots = 1u << g_bit_storage((gulong)ort_conf_int(conf, "media.store_slots") - 1),	/* rounded up */
		.pli_min_ms = (unsigned)ort_conf_int(conf, "media.pli_min"),
		.start_bps = (uint64_t)ort_conf_int(conf, "media.start_bps"),
		.max_bps = (uint64_t)ort_conf_int(conf, "media.max_bps"),
	};
}

/* The n-th processor that we may run on; the first is left to the control thread when there are enough. */
static int cpu_of(unsigned worker, unsigned n_workers)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) < 0) {
		return -1;
	}
	int count = CPU_COUNT(&set);
	int want = ((int)worker + (count > (int)n_workers ? 1 : 0)) % MAX(count, 1);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((unsigned)cpu, &set) && want-- == 0) {
			return cpu;
		}
	}
	return -1;
}

static unsigned worker_count(const ort_conf *conf)
{
	int64_t n = ort_conf_int(conf, "engine.workers");
	cpu_set_t set;
	if (n > 0) {
		return (unsigned)n;
	}
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)MAX(1, CPU_COUNT(&set) - 1) : 1;
}

/* The one place where a thread waits for others: before there is anything to serve. */
static bool start_workers(mcu_engine *e, const ort_conf *conf, GError **err)
{
	struct mcu_worker_conf wc = { 0 };
	read_worker_conf(conf, &wc);
	uint16_t first_port = wc.port.udp_port;
	e->n_workers = worker_count(conf);
	e->workers = g_new0(mcu_worker *, e->n_workers);
	for (unsigned i = 0; i < e->n_workers; i++) {
		wc.index = i;
		wc.cpu = ort_conf_bool(conf, "engine.pin") ? cpu_of(i, e->n_workers) : -1;
		wc.port.udp_port = first_port ? (uint16_t)(first_port + i) : 0;
		e->workers[i] = mcu_worker_start(e, &wc);
	}
	for (unsigned i = 0; i < e->n_workers; i++) {
		while (!mcu_worker_started(e->workers[i]) && !mcu_worker_error(e->workers[i])) {
			struct pollfd fd = { .fd = ort_mailbox_fd(e->box), .events = POLLIN };
			(void)poll(&fd, 1, -1);
			ort_mailbox_drain(e->box);
		}
		if (mcu_worker_error(e->workers[i])) {
			g_set_error(err, MCU_ERROR, MCU_ERROR_STATE, "media thread %u: %s", i,
				    mcu_worker_error(e->workers[i])->message);
			return false;
		}
	}
	return true;
}

static void make_boot(char ret[33])
{
	uint8_t raw[16];
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw)) {
		g_error("getrandom: %s", g_strerror(errno));
	}
	for (size_t i = 0; i < sizeof(raw); i++) {
		ret[2 * i] = "0123456789abcdef"[raw[i] >> 4];
		ret[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
	}
	ret[32] = '\0';
}

static void read_conf(mcu_engine *e, const ort_conf *conf)
{
	e->name = g_strdup(ort_conf_str(conf, "engine.name"));
	e->grace_ms = e->conf_grace_ms = ort_conf_int(conf, "engine.grace");
	e->orphan_ms = ort_conf_int(conf, "engine.orphan");
	e->watchdog_ms = ort_conf_int(conf, "engine.watchdog");
	e->max_rooms = (unsigned)ort_conf_int(conf, "engine.max_rooms");
	e->max_transports = (unsigned)ort_conf_int(conf, "engine.max_transports");
}

mcu_engine *mcu_engine_new(GMainContext *context, const ort_conf *conf, const struct mcu_engine_ops *ops, void *user_data,
			   GError **err)
{
	mcu_engine *e = g_new0(mcu_engine, 1);
	json_object_seed(0);	/* before there are threads */
	ort_owner_init(&e->owner);
	e->context = context;
	e->ops = ops;
	e->user_data = user_data;
	e->listener = -1;
	e->begin_us = ort_now_us();
	make_boot(e->boot);
	read_conf(e, conf);
	e->rooms = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, placed_free);
	e->conns = g_ptr_array_new();
	e->box = ort_mailbox_new(e);
	e->box_source = ort_mailbox_source(e->box);
	g_source_attach(e->box_source, context);
	e->expire_us = e->orphan_us = ORT_NEVER;
	e->watch_us = e->watchdog_ms ? e->begin_us : ORT_NEVER;
	e->timer = ort_timer_new(context, e->watch_us, on_timer, e);
	e->mixers = mcu_mixers_new(e, conf);
	if (!start_workers(e, conf, err)) {
		mcu_engine_free(e);
		return NULL;
	}
	mcu_engine_gateway_lost(e);	/* an engine that nobody ever asks for anything is an orphan too */
	return e;
}

static void destroy_source(GSource *source)
{
	g_source_destroy(source);
	g_source_unref(source);
}

void mcu_engine_free(mcu_engine *e)
{
	if (!e) {
		return;
	}
	ort_owner_assert(&e->owner);
	mcu_listen_stop(e);
	mcu_control_close_all(e);
	for (unsigned i = 0; i < e->n_workers; i++) {
		mcu_worker_stop(e->workers[i]);
	}
	g_hash_table_remove_all(e->rooms);	/* what comes back now has nowhere to go */
	destroy_source(e->box_source);
	ort_mailbox_free(e->box);
	mcu_mixers_free(e->mixers);
	for (unsigned i = 0; i < e->n_workers; i++) {
		mcu_worker_free(e->workers[i]);
	}
	destroy_source(e->timer);
	g_hash_table_unref(e->rooms);
	g_ptr_array_unref(e->conns);
	g_free(e->workers);
	g_free(e->name);
	g_free(e);
}

const char *mcu_engine_boot(const mcu_engine *e)
{
	return e->boot;
}
