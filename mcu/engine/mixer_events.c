/* What codec workers say, and what is told about them. A worker may be taken over: its words are checked against the tables
 * of the protocol, it speaks of its own mixes only, and not endlessly. */
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/engine/mixers_priv.h"

enum { EVENTS_PER_S = 4000 };

void mixers_tell_state(const struct mix *mix, const char *why)
{
	const struct mcu_mix_state_event body = { .room = mix->room, .mix = mix->id, .state = (char *)mix->state,
						  .why = (char *)why, .at_ms = ort_wall_ms(), .at_us = ort_now_us() };
	mcu_control_event(mix->mixers->e, MCU_EVENT_MIX_STATE, &body);
}

static const struct mix *speaker(struct mcu_mixers *m, const mixer_process *p, const json_t *params)
{
	const char *room = json_string_value(json_object_get(params, "room"));
	const char *id = json_string_value(json_object_get(params, "mix"));
	g_autofree char *key = room && id ? g_strconcat(room, "\n", id, NULL) : NULL;
	const struct mix *mix = key ? g_hash_table_lookup(m->mixes, key) : NULL;
	return mix && mix->process == p ? mix : NULL;	/* a mix that was closed meanwhile is no offence */
}

static bool is_mixers(int event)
{
	return event > MCU_EVENT_MIX_STATE && event <= MCU_EVENT_MIX_STATS;
}

static bool too_many(struct mcu_mixers *m)
{
	int64_t now_us = ort_now_us();
	if (now_us - m->window_us >= ORT_US_PER_S) {
		m->window_us = now_us;
		m->window_events = 0;
	}
	return ++m->window_events > EVENTS_PER_S;
}

static void state_free(void *state)
{
	ort_json_clear(&mcu_table_mix_input_event, state);
	g_free(state);
}

GHashTable *mix_states_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, state_free);
}

/* For the dump, which a restarted gateway reads: it did not hear the event. */
static void keep_state(const struct mix *mix, const struct mcu_mix_input_event *ev)
{
	if (g_hash_table_contains(mix->inputs, ev->id)) {
		struct mcu_mix_input_event *copy = g_new0(struct mcu_mix_input_event, 1);
		mcu_struct_copy(&mcu_table_mix_input_event, ev, copy);
		g_hash_table_insert(mix->states, g_strdup(ev->id), copy);
	}
}

static void pass_event(struct mcu_mixers *m, const struct mix *mix, int event, const json_t *params)
{
	const struct ort_json_table *table = mcu_events[event].body;
	g_autofree void *body = g_malloc0(table->size);
	g_autofree char *why = NULL;
	if (ort_json_read(table, params, body, &why) < 0) {
		m->foreign++;
		ort_log(ORT_LOG_WARNING, "mixers", "event.bad", "event of a codec worker dropped",
			ORT_S("event", mcu_events[event].name), ORT_S("why", why));
		return;
	}
	if (event == MCU_EVENT_MIX_INPUT_STATE) {
		keep_state(mix, body);
	}
	mcu_control_event(m->e, (enum mcu_event)event, body);
	ort_json_clear(table, body);
}

static void want(struct mcu_mixers *m, const struct mix *mix, const json_t *params)
{
	const struct mcu_placed *room = g_hash_table_lookup(m->e->rooms, mix->room);
	struct mcu_job *job = mix_job_want(mix, params);
	if (!job || !room) {
		m->foreign++;
		g_clear_pointer(&job, mcu_job_free);
		return;
	}
	job->done = mcu_job_free;
	mcu_worker_post(m->e->workers[room->worker], job);
}

void mixers_notify(struct mcu_mixers *m, mixer_process *p, const char *name, json_t *params)
{
	const struct mix *mix = speaker(m, p, params);
	int event = mcu_event_by_name(name);
	if (too_many(m)) {
		m->events_dropped++;
	} else if (!mix) {
		m->foreign++;
	} else if (strcmp(name, "input.want") == 0) {
		want(m, mix, params);
	} else if (is_mixers(event)) {
		pass_event(m, mix, event, params);
	} else {
		m->foreign++;
	}
}

/* A channel that broke while its worker seems well: the worker broke it. */
bool mcu_mixers_transport_state(mcu_engine *e, const struct mcu_transport_state *ev)
{
	g_autofree char *key = g_strconcat(ev->room, "\n", ev->transport, NULL);
	const struct mix *mix = e->mixers ? g_hash_table_lookup(e->mixers->mixes, key) : NULL;
	if (mix && mixer_process_up(mix->process) && strcmp(ev->state, "failed") == 0 && ev->at_us > mix->begun_us) {
		mixer_process_doubt(mix->process, "broke-channel");
	}
	return mix != NULL;
}

/* ---- what is ---- */

static struct ort_json_array states(const struct mix *mix)
{
	struct mcu_mix_input_event *list = g_new0(struct mcu_mix_input_event, g_hash_table_size(mix->states) + 1);
	struct ort_json_array ret = { list, 0 };
	GHashTableIter iter;
	const struct mcu_mix_input_event *ev;
	g_hash_table_iter_init(&iter, mix->states);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&ev)) {
		mcu_struct_copy(&mcu_table_mix_input_event, ev, &list[ret.n++]);
	}
	return ret;
}

static struct ort_json_array rows(GHashTable *items, const struct ort_json_table *table)
{
	struct ort_json_array ret = { g_malloc0((g_hash_table_size(items) + 1) * table->size), 0 };
	GHashTableIter iter;
	const struct mix_item *item;
	g_hash_table_iter_init(&iter, items);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&item)) {
		mcu_struct_copy(table, item->request, (char *)ret.items + ret.n++ * table->size);
	}
	return ret;
}

void mcu_mixers_dump(const mcu_engine *e, struct mcu_dump_room *room)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct mcu_dump_mix));
	GHashTableIter iter;
	const struct mix *mix;
	g_hash_table_iter_init(&iter, e->mixers->mixes);
	while (g_hash_table_iter_next(&iter, NULL, (void **)&mix)) {
		if (strcmp(mix->room, room->room) == 0) {
			struct mcu_dump_mix d = { .mix = g_strdup(mix->id), .state = g_strdup(mix->state), .fps = mix->fps,
						  .inputs = rows(mix->inputs, &mcu_table_mix_input),
						  .views = rows(mix->views, &mcu_table_mix_view),
						  .outputs = rows(mix->outputs, &mcu_table_mix_output),
						  .states = states(mix) };
			g_array_append_val(list, d);
		}
	}
	room->mixes.n = list->len;
	room->mixes.items = g_array_free(list, FALSE);
}

static void add(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

/* Numbers of the workers themselves, "mixer." before their names. */
static void add_counters(json_t *to, const json_t *counters)
{
	g_autoptr(json_t) named = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)counters, name, value) {
		g_autofree char *full = g_strconcat("mixer.", name, NULL);
		json_object_set(named, full, value);
	}
	mcu_stats_add(to, named);
}

void mcu_mixers_stats(const mcu_engine *e, json_t *to)
{
	const struct mcu_mixers *m = e->mixers;
	struct mixer_process_stats sum = { 0 };
	unsigned up = 0;
	for (unsigned i = 0; i < m->n_processes; i++) {
		const struct mixer_process_stats *s = mixer_process_stats(m->processes[i]);
		sum.starts += s->starts;
		sum.restarts += s->restarts;
		sum.hung += s->hung;
		up += mixer_process_up(m->processes[i]);
		add_counters(to, mixer_process_counters(m->processes[i]));
	}
	add(to, "engine.mixers", up);
	add(to, "engine.mixes", g_hash_table_size(m->mixes));
	add(to, "engine.mixer_starts", sum.starts);
	add(to, "engine.mixer_restarts", sum.restarts);
	add(to, "engine.mixer_hung", sum.hung);
	add(to, "engine.mixer_events_dropped", m->events_dropped);
	add(to, "engine.mixer_foreign", m->foreign);
}
