/* Conference control as the API shows it: the member `control` of conferences and parties. */
#include "gateway/domain/domain_priv.h"

static json_t *id_or_null(const struct gw_party *p)
{
	return p != NULL && !p->removed ? json_string(p->id) : json_null();
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *poll_json(const gw_domain *d, const struct gw_conference *c, const struct gw_poll *poll, const struct gw_party *viewer)
{
	if (poll == NULL) {
		return json_null();
	}
	json_t *parties = json_array();
	for (char **p = poll->parties; p != NULL && *p != NULL; p++) {
		json_array_append_new(parties, json_string(*p));
	}
	return json_pack("{s:o,s:I,s:b,s:o}", "parties", parties, "interval_ms", (json_int_t)poll->interval_ms, "paused", poll->paused, "party",
			 id_or_null(gw_poll_now(d, c, poll, viewer)));
}

json_t *gw_party_control_json(const gw_domain *d, const struct gw_party *p)
{
	const struct gw_party_control *k = &p->control;
	return json_pack("{s:s,s:b,s:b,s:b,s:b,s:o}", "sees", gw_control_sees(d, p), "waiting", k->waiting, "hidden", k->hidden, "loop_audio",
			 k->loop_audio, "loop_video", k->loop_video, "poll", poll_json(d, p->conference, k->poll, p));
}

json_t *gw_control_json(const gw_domain *d, const struct gw_conference *c)
{
	const struct gw_control *k = &c->control;
	bool on = k->mode != GW_BROADCAST_NONE;
	json_t *hands = json_array(), *asking = json_array();
	for (unsigned n = 0; n < k->hands->len; n++) {
		const struct gw_hand *hand = &g_array_index(k->hands, struct gw_hand, n);
		json_array_append_new(hands, json_pack("{s:s,s:I}", "party", hand->party->id, "since_ms", (json_int_t)hand->since_ms));
	}
	for (unsigned n = 0; n < k->chair_asking->len; n++) {
		json_array_append_new(asking, id_or_null(k->chair_asking->pdata[n]));
	}
	json_t *broadcast = json_pack("{s:s,s:o,s:o,s:I,s:o}", "mode", gw_broadcast_names[k->mode], "party", id_or_null(k->source), "by",
				      text_or_null(on ? k->by : NULL), "since_ms", (json_int_t)(on ? k->since_ms : 0), "poll",
				      poll_json(d, c, k->poll, NULL));
	json_t *voice = json_pack("{s:I,s:I,s:f}", "speak_ms", (json_int_t)k->voice.speak_ms, "hold_ms", (json_int_t)k->voice.hold_ms, "level_db",
				  k->voice.level_db);
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:b,s:I,s:I,s:o,s:o}", "main_site", id_or_null(k->main_site), "broadcast", broadcast, "floor",
			 id_or_null(k->floor), "hands", hands, "chair_asking", asking, "lobby", k->lobby, "ends_ms", (json_int_t)k->ends_ms,
			 "priority", (json_int_t)k->priority, "parent", text_or_null(k->parent), "voice", voice);
}
