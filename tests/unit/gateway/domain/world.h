/* A world for the domain in virtual time: remembers records, writes down actions as text. */
#pragma once
#include "gateway/domain/domain.h"
#include "mcu/base/clock.h"
#include "mcu/base/json.h"

struct world { gw_domain *d; GPtrArray *records; GString *acts; struct gw_now now; };

struct kept { int64_t at_ms, at_us; char *boot, *type, *actor, *incident; json_t *body; };

static inline void kept_free(gpointer p)
{
	struct kept *k = p;
	g_free(k->boot);
	g_free(k->type);
	g_free(k->actor);
	g_free(k->incident);
	json_decref(k->body);
	g_free(k);
}

static inline void world_act(const struct gw_action *a, void *ud)
{
	static const char *const words[] = { NULL, NULL, NULL, NULL, "room+", "room-", "link-", "talk", "mute", "alarm", "verdict",
					       "conf+", "conf-", NULL, NULL, "dial", "hangup", "content", "turn", NULL, NULL,
					       [GW_ACT_NOTICE] = "notice", [GW_ACT_SCHEDULE] = "schedule" };
	struct world *w = ud;
	const char *word = a->kind < G_N_ELEMENTS(words) ? words[a->kind] : a->kind == GW_ACT_CALLACK_WAY ? (a->on ? "way+" : "way-") : NULL;
	if (a->kind == GW_ACT_REMEMBER) {
		const struct gw_record *r = a->record;
		struct kept *k = g_new0(struct kept, 1);
		*k = (struct kept){ r->at_ms, r->at_us, g_strdup(r->boot), g_strdup(r->type), g_strdup(r->actor),
				    g_strdup(r->incident), json_incref(r->body) };
		g_ptr_array_add(w->records, k);
	} else if (word != NULL) {
		int64_t s = (w->now.us) / ORT_US_PER_S;
		g_string_append_printf(w->acts, "%02d:%02d %s %s%s%s%s%s\n", (int)(s / 60), (int)(s % 60), word, a->id,
				       a->party != NULL ? " " : "", a->party != NULL ? a->party : "", a->why != NULL ? " " : "",
				       a->why != NULL ? a->why : "");
	}
}

static inline void world_init(struct world *w)
{
	static const struct gw_domain_ops ops = { world_act };
	w->now = (struct gw_now){ 0, 1800000000000 };
	w->records = g_ptr_array_new_with_free_func(kept_free);
	w->acts = g_string_new(NULL);
	w->d = gw_domain_new(&ops, "boot-a", w);
	gw_domain_replay_done(w->d, w->now);
}

static inline void world_finish(struct world *w)
{
	gw_domain_free(w->d);
	g_ptr_array_unref(w->records);
	g_string_free(w->acts, TRUE);
}

/* Runs the clock to `s` seconds after the start, stopping at each deadline on the way. */
static inline void world_until(struct world *w, int64_t s)
{
	int64_t end = s * ORT_US_PER_S;
	for (;;) {
		int64_t next = MIN(gw_domain_deadline(w->d), end);
		w->now.wall_ms += (next - w->now.us) / ORT_US_PER_MS;
		w->now.us = next;
		gw_domain_tick(w->d, w->now);
		if (next == end) {
			return;
		}
	}
}

static inline void world_replay_into(const struct world *w, gw_domain *d, struct gw_now now)
{
	for (unsigned n = 0; n < w->records->len; n++) {
		const struct kept *k = w->records->pdata[n];
		struct gw_record r = { n + 1, k->at_ms, k->at_us, k->boot, k->type, k->actor, k->incident, k->body };
		g_assert_cmpint(gw_domain_replay(d, &r, now), ==, 0);
	}
}
