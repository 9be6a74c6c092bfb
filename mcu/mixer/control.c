/* The engine's commands: structs by the tables of mcu/proto, channels by descriptors beside them, events back. */
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/mixer/mixer_priv.h"

enum { STANDSTILL_US = 2000000 };	/* the bridge thread: longer, and a ping is not answered any more */

/* One mix: what its callbacks get. */
struct mixing {
	mixer_control *control;
	char *room, *id;
	mcu_channel *channel;
	mcu_mix *mix;
	uint64_t lane;
};

struct mixer_control {
	ort_rpc *rpc;
	mixer_hand *hand;
	mixer_lanes *lanes;
	mcu_mixer *mixer;
	GHashTable *mixes;	/* "room\nmix" -> struct mixing, owned */
	int64_t last_ping_us;
	void (*on_closed)(void *user_data);
	void *user_data;
};

/* ---- what a mix says: send and flush from its threads, the rest from the control thread ---- */

static void send_packet(mcu_mix *mix, enum mcu_kind lane, const uint8_t *packet, size_t len, void *mix_data)
{
	const struct mixing *m = mix_data;
	(void)mcu_lane_write(m->channel, lane == MCU_AUDIO ? MCU_LANE_AUDIO : MCU_LANE_VIDEO, packet, len, ort_now_us());
}

static void flush(mcu_mix *mix, enum mcu_kind lane, void *mix_data)
{
	const struct mixing *m = mix_data;
	mcu_lane_flush(m->channel, lane == MCU_AUDIO ? MCU_LANE_AUDIO : MCU_LANE_VIDEO);
}

static void on_event(enum mcu_event event, const void *body, void *mix_data)
{
	const struct mixing *m = mix_data;
	json_t *params = ort_json_print(mcu_events[event].body, body);
	json_object_set_new(params, "room", json_string(m->room));
	json_object_set_new(params, "mix", json_string(m->id));
	if (m->control->rpc) {
		ort_rpc_notify(m->control->rpc, mcu_events[event].name, params);
	} else {
		json_decref(params);
	}
}

static void on_want(const char *input, int64_t width, int64_t height, bool paused, void *mix_data)
{
	const struct mixing *m = mix_data;
	if (m->control->rpc) {
		ort_rpc_notify(m->control->rpc, "input.want",
			       json_pack("{s:s, s:s, s:s, s:I, s:I, s:b}", "room", m->room, "mix", m->id, "id", input, "width",
					 (json_int_t)width, "height", (json_int_t)height, "paused", paused));
	}
}

const struct mcu_mix_ops mixer_ops = { .send = send_packet, .flush = flush, .event = on_event, .want = on_want };

/* ---- mixes ---- */

static void mixing_free(void *data)
{
	struct mixing *m = data;
	if (m->lane) {
		mixer_lanes_remove(m->control->lanes, m->lane);
	}
	if (m->mix) {
		mcu_mix_close(m->mix);
	}
	mcu_channel_free(m->channel);
	g_free(m->room);
	g_free(m->id);
	g_free(m);
}

static char *key_of(const struct mcu_mix_ref *q)
{
	return g_strconcat(q->room, "\n", q->mix, NULL);
}

static mcu_channel *take_channel(mixer_control *c, const json_t *params, GError **err)
{
	json_int_t serial = json_integer_value(json_object_get(params, "channel"));
	int fds[MCU_CHANNEL_FDS], why = 0;
	if (serial < 1 || serial > UINT32_MAX || !mixer_hand_take(c->hand, (uint32_t)serial, fds)) {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_INVALID, "channel: no such descriptors came");
		return NULL;
	}
	mcu_channel *channel = mcu_channel_attach(fds, &why);
	if (!channel) {
		g_set_error(err, MCU_ERROR, MCU_ERROR_LIMIT, "channel: %s", g_strerror(-why));
	}
	return channel;
}

/* Opened again: the engine has a new channel for it, so it is a new mix. */
static bool open_mix(mixer_control *c, const struct mcu_mix_open *q, const json_t *params, GError **err)
{
	g_autofree char *key = key_of((const struct mcu_mix_ref *)q);
	(void)g_hash_table_remove(c->mixes, key);
	struct mixing *m = g_new0(struct mixing, 1);
	*m = (struct mixing){ .control = c, .room = g_strdup(q->room), .id = g_strdup(q->mix) };
	m->channel = take_channel(c, params, err);
	m->mix = m->channel ? mcu_mix_open(c->mixer, q, m, err) : NULL;
	if (!m->mix) {
		mixing_free(m);
		return false;
	}
	m->lane = mixer_lanes_add(c->lanes, m->channel, m->mix);
	g_hash_table_insert(c->mixes, g_steal_pointer(&key), m);
	return true;
}

static bool is_fed(enum mcu_method method)
{
	return method == MCU_METHOD_MIX_INPUT || method == MCU_METHOD_MIX_OUTPUT;
}

static bool perform(mixer_control *c, enum mcu_method method, const void *request, const json_t *params, GError **err)
{
	g_autofree char *key = key_of(request);
	const struct mixing *m = g_hash_table_lookup(c->mixes, key);
	struct mcu_mix_feed feed = { .ssrc = (uint32_t)json_integer_value(json_object_get(params, "ssrc")) };
	if (method == MCU_METHOD_MIX_OPEN) {
		return open_mix(c, request, params, err);
	}
	if (!m) {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_UNKNOWN_ID, "no such mix");
		return false;
	}
	if (method == MCU_METHOD_MIX_CLOSE) {
		return g_hash_table_remove(c->mixes, key);
	}
	return mcu_mix_call(m->mix, method, request, is_fed(method) ? &feed : NULL, err);
}

/* ---- requests ---- */

/* Our numbers, unless the bridge thread stands still: then no answer is the answer. */
static void ping(mixer_control *c, ort_rpc_call *call)
{
	int64_t turned_us = mixer_lanes_turned_us(c->lanes), asked_us = c->last_ping_us;
	c->last_ping_us = ort_now_us();
	if (asked_us && turned_us < asked_us && c->last_ping_us - asked_us > STANDSTILL_US) {
		ort_rpc_fail(call, mcu_errors[MCU_ERROR_STATE].code, "the bridge thread does not turn", NULL);
		return;
	}
	ort_rpc_reply(call, mcu_mixer_stats(c->mixer));
}

static void answer(ort_rpc_call *call, bool ok, const GError *err)
{
	int id = err && err->domain == MCU_ERROR ? err->code : MCU_ERROR_INTERNAL;
	if (ok) {
		ort_rpc_reply(call, NULL);
	} else {
		ort_rpc_fail(call, mcu_errors[id].code, err ? err->message : mcu_errors[id].en, NULL);
	}
}

static bool brings_something(int method)
{
	return mcu_methods[method].reply->n_fields > 0;
}

struct ask { ort_rpc_call *call; enum mcu_method method; };

static void on_reply(const void *reply, const GError *err, void *user_data)
{
	g_autofree struct ask *a = user_data;
	if (err) {
		answer(a->call, false, err);
	} else {
		ort_rpc_reply(a->call, ort_json_print(mcu_methods[a->method].reply, reply));
	}
}

/* Answered when it is there: nobody waits here. */
static void ask(mixer_control *c, enum mcu_method method, const void *request, ort_rpc_call *call)
{
	g_autofree char *key = key_of(request);
	const struct mixing *m = g_hash_table_lookup(c->mixes, key);
	if (!m) {
		ort_rpc_fail(call, mcu_errors[MCU_ERROR_UNKNOWN_ID].code, "no such mix", NULL);
		return;
	}
	struct ask *a = g_new0(struct ask, 1);
	*a = (struct ask){ call, method };
	mcu_mix_ask(m->mix, method, request, on_reply, a);
}

static void on_request(ort_rpc *rpc, ort_rpc_call *call, const char *name, json_t *params, void *user_data)
{
	mixer_control *c = user_data;
	int method = mcu_method_by_name(name);
	g_autofree char *why = NULL;
	g_autoptr(GError) err = NULL;
	if (strcmp(name, "ping") == 0 && c->mixer) {
		ping(c, call);
		return;
	}
	if (method < MCU_METHOD_MIX_OPEN || method > MCU_METHOD_MIX_CLIP || !c->mixer) {
		ort_rpc_fail(call, ORT_RPC_NO_METHOD, "not a method of the codec worker", NULL);
		return;
	}
	const struct ort_json_table *table = mcu_methods[method].request;
	g_autofree void *request = g_malloc0(table->size);
	if (!params || ort_json_read(table, params, request, &why) < 0) {
		ort_rpc_fail(call, mcu_errors[MCU_ERROR_INVALID].code, why ? why : "params", NULL);
		return;
	}
	if (brings_something(method)) {
		ask(c, (enum mcu_method)method, request, call);
	} else {
		bool ok = perform(c, (enum mcu_method)method, request, params, &err);
		answer(call, ok, err);
	}
	ort_json_clear(table, request);
}

static void on_closed(ort_rpc *rpc, const char *why, void *user_data)
{
	mixer_control *c = user_data;
	c->on_closed(c->user_data);
}

mixer_control *mixer_control_new(int rpc, int hand, void (*closed)(void *user_data), void *user_data)
{
	static const struct ort_rpc_ops ops = { .on_request = on_request, .on_closed = on_closed };
	static const struct ort_rpc_limits limits = { .max_line = 1 << 20, .max_pending = 16384, .max_queue = 16 << 20 };
	mixer_control *c = g_new0(mixer_control, 1);
	c->on_closed = closed;
	c->user_data = user_data;
	c->hand = mixer_hand_new(hand);
	c->lanes = mixer_lanes_start();
	c->mixes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mixing_free);
	c->rpc = ort_rpc_open(NULL, rpc, &ops, &limits, c);
	return c;
}

void mixer_control_serve(mixer_control *c, mcu_mixer *mixer)
{
	c->mixer = mixer;
	ort_rpc_notify(c->rpc, "ready", json_object());
}

void mixer_control_free(mixer_control *c)
{
	ort_rpc_close(g_steal_pointer(&c->rpc));
	g_hash_table_unref(c->mixes);
	mixer_lanes_stop(c->lanes);
	mixer_hand_free(c->hand);
	g_free(c);
}
