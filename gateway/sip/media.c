/* The media half of a SIP call: its life and its face. Exchanges are media_offer.c and media_answer.c. */
#include <errno.h>
#include <string.h>

#include "gateway/sip/media_state_priv.h"

struct sip_media *sip_media_new(const struct sip_media_conf *conf, const struct sip_media_ops *ops, void *user_data)
{
	struct sip_media *m = g_new0(struct sip_media, 1);

	m->conf = *conf;
	m->conf.id = m->id = g_strdup(conf->id);
	m->conf.room = m->room = g_strdup(conf->room);
	m->conf.party = m->party = g_strdup(conf->party);
	m->conf.security = m->security = g_strdup(conf->security);
	m->ops = *ops;
	m->user_data = user_data;
	m->lines = g_ptr_array_new_with_free_func(line_free);
	m->tps = g_ptr_array_new();
	m->xs = g_ptr_array_new();
	m->session = (uint64_t)g_random_int();
	return m;
}

void sip_media_free(struct sip_media *m)
{
	if (!m) {
		return;
	}
	while (m->xs->len > 0) {
		xchg_orphan(m->xs->pdata[0]);
	}
	if (m->idle) {
		g_source_remove(m->idle);
	}
	for (guint i = 0; i < m->tps->len; i++) {
		tp_orphan(m->tps->pdata[i]);
	}
	for (guint i = 0; i < m->lines->len; i++) {	/* not line_free's business: it knows no call */
		struct line *l = m->lines->pdata[i];

		free(g_steal_pointer(&l->source));
		free(g_steal_pointer(&l->sink));
	}
	g_ptr_array_unref(m->lines);
	g_ptr_array_unref(m->tps);
	g_ptr_array_unref(m->xs);
	for (size_t i = 0; i < SLOT_N; i++) {
		g_free(m->feeds[i]);
	}
	g_free(m->id);
	g_free(m->room);
	g_free(m->party);
	g_free(m->security);
	g_free(m);
}

void sip_media_cancel(struct sip_media *m)
{
	while (m->xs->len > 0) {
		xchg_orphan(m->xs->pdata[0]);
	}
	media_abandon(m);
}

/* ---- slots ---- */

static enum slot slot_by_name(const char *name)
{
	for (unsigned i = 0; i < SLOT_N; i++) {
		if (strcmp(media_slots[i].slot, name) == 0) {
			return (enum slot)i;
		}
	}
	return SLOT_NONE;
}

int sip_media_feed(struct sip_media *m, const char *slot, const char *source)
{
	enum slot s = slot_by_name(slot);
	struct line *l;

	if (s == SLOT_NONE) {
		return -ENOENT;
	}
	if (source != m->feeds[s]) {
		g_free(m->feeds[s]);
		m->feeds[s] = g_strdup(source);
	}
	l = line_of_slot(m, s);
	if (l) {
		line_route(m, l);	/* again where it is equal: the stream may have come back */
	}
	return 0;
}

static const struct mcu_codec_use *sent(const struct line *l)
{
	return l && l->on && (l->dir & GW_SDP_SEND) && l->send.n > 0 ? l->send.items : NULL;
}

static int64_t least(int64_t a, int64_t b)
{
	return a > 0 && (b <= 0 || a < b) ? a : b;
}

bool sip_media_takes(const struct sip_media *m, const char *slot, struct gw_leg_takes *ret)
{
	enum slot s = slot_by_name(slot);
	const struct line *l = s != SLOT_NONE ? line_of_slot(m, s) : NULL;
	const struct mcu_codec_use *use = sent(l);
	struct gw_sdp_limits limits;

	if (!use) {
		return false;
	}
	gw_sdp_limits(use, &limits);
	*ret = (struct gw_leg_takes){ .codec = (enum mcu_codec_id)mcu_codec_by_name(use->name), .fmtp = use->fmtp,
				      .width = limits.width, .height = limits.height, .fps = limits.fps,
				      .max_bps = least(l->bps, limits.bps) };
	if (l->type == GW_SDP_VIDEO) {
		ret->max_bps = least(ret->max_bps, m->conf.max_bps);
	}
	return true;
}

bool sip_media_has_feedback(const struct sip_media *m, const char *stream)
{
	for (unsigned s = 0; s < SLOT_N; s++) {
		const struct line *l = line_of_slot(m, (enum slot)s);
		g_autofree char *id = l ? line_stream(m, l) : NULL;

		for (size_t i = 0; l && strcmp(id, stream) == 0 && i < l->recv.n; i++) {
			const struct mcu_codec_use *use = l->recv.items;

			if (use[i].pli || use[i].fir) {
				return true;
			}
		}
	}
	return false;
}

int sip_media_dtmf(struct sip_media *m, const char *digits)
{
	const struct line *l = line_of_slot(m, SLOT_AUDIO);
	const struct mcu_codec_use *use = sent(l);

	for (size_t i = 0; use && i < l->send.n; i++) {
		if (mcu_codec_by_name(use[i].name) == MCU_CODEC_TELEPHONE_EVENT) {
			g_autofree char *sink = line_sink(m, l);
			struct mcu_dtmf_send req = { m->room, sink, (char *)(uintptr_t)digits, 0 };

			m->ops.media(MCU_METHOD_DTMF_SEND, &req, NULL, NULL, m->user_data);
			return 0;
		}
	}
	return use ? -ENOTSUP : -ENOTCONN;
}

void sip_media_hold(struct sip_media *m, bool on)
{
	m->hold = on;
}

/* ---- what the engine says ---- */

static struct tp *find_tp(const struct sip_media *m, const char *id)
{
	for (guint i = 0; i < m->tps->len; i++) {
		struct tp *tp = m->tps->pdata[i];

		if (strcmp(tp->id, id) == 0) {
			return tp;
		}
	}
	return NULL;
}

bool sip_media_owns(const struct sip_media *m, const char *transport)
{
	return find_tp(m, transport) != NULL;
}

static bool all_up(const struct sip_media *m)
{
	unsigned n = 0;

	for (guint i = 0; i < m->lines->len; i++) {
		const struct line *l = m->lines->pdata[i];

		if (l->on && l->type != GW_SDP_APPLICATION) {
			n++;
			if (!l->tp->up) {
				return false;
			}
		}
	}
	return n > 0;
}

static bool held_by_peer(const struct sip_media *m)
{
	const struct line *l = line_of_slot(m, SLOT_AUDIO);

	l = l ? l : line_of_slot(m, SLOT_MAIN);
	return l && !(l->dir & GW_SDP_SEND);
}

static gboolean settle(gpointer user_data)
{
	struct sip_media *m = user_data;
	bool held = held_by_peer(m), up = all_up(m);

	m->idle = 0;
	if (m->x || m->offering) {
		return G_SOURCE_REMOVE;	/* when it is through */
	}
	if (up && !m->told_up) {
		m->told_up = true;
		media_settle_soon(m);	/* the rest next turn: on_up may free the call */
		m->ops.on_up(m, m->user_data);
		return G_SOURCE_REMOVE;
	}
	m->told_up = up;
	if (held != m->held) {
		m->held = held;
		m->ops.on_hold(m, held, m->user_data);
	}
	return G_SOURCE_REMOVE;
}

void media_settle_soon(struct sip_media *m)
{
	if (!m->idle) {
		m->idle = g_idle_add(settle, m);
	}
}

static bool in_use(const struct sip_media *m, const struct tp *tp)
{
	for (guint i = 0; i < m->lines->len; i++) {
		const struct line *l = m->lines->pdata[i];

		if (l->on && l->tp == tp) {
			return true;
		}
	}
	return false;
}

void sip_media_transport_state(struct sip_media *m, const struct mcu_transport_state *state)
{
	struct tp *tp = find_tp(m, state->transport);
	bool dead = g_strcmp0(state->state, "failed") == 0 || g_strcmp0(state->state, "closed") == 0;

	if (!tp) {
		return;
	}
	if (g_strcmp0(state->state, "up") == 0) {
		tp->up = true;
		media_settle_soon(m);
	} else if (dead && in_use(m, tp)) {
		tp->up = false;
		m->ops.on_failed(m, state->why ? state->why : state->state, m->user_data);
	}
}

void sip_media_transport_lost(struct sip_media *m, const char *transport)
{
	struct tp *tp = find_tp(m, transport);

	if (!tp) {
		return;
	}
	tp->lost = true;
	tp->up = m->told_up = false;
	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		if (l->tp == tp) {
			line_forget_streams(m, l);
		}
	}
}

/* ---- for engineers ---- */

static json_t *print_line(const struct line *l)
{
	static const char *const securities[] = { "none", "sdes", "dtls" };
	static const char *const dirs[] = { "inactive", "sendonly", "recvonly", "sendrecv" };
	const struct mcu_codec_use *sends = l->send.items, *gets = l->recv.items;
	struct gw_sdp_limits limits = { 0 };
	json_t *o = json_pack("{s:s,s:b,s:s?,s:s?}", "slot", l->slot != SLOT_NONE ? media_slots[l->slot].slot :
			      l->type == GW_SDP_APPLICATION ? "floor" : "none", "on", l->on, "profile", l->proto, "why", l->why);

	if (l->on && l->link) {
		json_object_set_new(o, "serves", json_boolean(l->serves));
	}
	if (!l->on || !l->tp) {
		return o;
	}
	if (l->send.n > 0) {
		gw_sdp_limits(sends, &limits);
	}
	json_t *more = json_pack("{s:s,s:s,s:s?,s:s?,s:s,s:b,s:b,s:I,s:I,s:I,s:I}", "transport", l->tp->id, "dir", dirs[l->dir],
				 "sends", l->send.n > 0 ? sends->name : NULL, "gets", l->recv.n > 0 ? gets->name : NULL, "security",
				 securities[l->tp->security], "ice", l->tp->lite, "up", l->tp->up, "width", limits.width,
				 "height", limits.height, "fps", limits.fps, "bps", least(l->bps, limits.bps));
	json_object_update(o, more);
	json_decref(more);
	return o;
}

json_t *sip_media_print(const struct sip_media *m)
{
	json_t *list = json_array();

	for (guint i = 0; i < m->lines->len; i++) {
		json_array_append_new(list, print_line(m->lines->pdata[i]));
	}
	return list;
}
