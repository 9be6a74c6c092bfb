/* Connections as legs: life, slots, what the engine says about them. Offers are in offer.c. */
#include <errno.h>
#include <string.h>

#include "gateway/rtc/rtc_priv.h"

static struct pc *pc_of(gw_leg *leg)
{
	return (struct pc *)leg;
}

static char *str(const char *borrowed)
{
	return (char *)(uintptr_t)borrowed;	/* request structs have owned strings; a call only reads them */
}

void pc_call(struct pc *pc, enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data)
{
	pc->rtc->ops.media(method, request, fn, fn_data, pc->rtc->user_data);
}

uint32_t sink_ssrc(const char *sink, bool rtx)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize len = sizeof(digest);
	g_checksum_update(sum, (const guchar *)(rtx ? "rtx" : "rtp"), 3);
	g_checksum_update(sum, (const guchar *)sink, -1);
	g_checksum_get_digest(sum, digest, &len);
	g_checksum_free(sum);
	uint32_t ssrc = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
	return ssrc != 0 ? ssrc : 1;
}

/* ---- slots ---- */
static void slot_free(gpointer p)
{
	struct slot *s = p;
	g_free(s->mid);
	g_free(s->source);
	g_free(s->sink);
	g_free(s->feed);
	g_free(s->fed);
	g_free(s);
}

struct slot *pc_slot(struct pc *pc, const char *mid)
{
	for (unsigned n = 0; n < pc->slots->len; n++) {
		struct slot *s = pc->slots->pdata[n];
		if (g_strcmp0(s->mid, mid) == 0) {
			return s;
		}
	}
	return NULL;
}

struct slot *pc_slot_make(struct pc *pc, const char *mid, enum mcu_kind kind)
{
	struct slot *s = pc_slot(pc, mid);
	if (s == NULL && pc->slots->len < MAX_SLOTS) {
		s = g_new0(struct slot, 1);
		s->mid = g_strdup(mid);
		s->kind = kind;
		s->codecs = UINT_MAX;
		s->sends = -1;
		g_ptr_array_add(pc->slots, s);
	}
	return s;
}

void pc_unpublish(struct pc *pc, struct slot *slot)
{
	if (slot->source == NULL) {
		return;
	}
	if (g_hash_table_lookup(pc->rtc->streams, slot->source) == pc) {
		g_hash_table_remove(pc->rtc->streams, slot->source);
		bool slides = g_str_has_suffix(slot->source, ".slides");
		gw_leg_stream(&pc->leg, slot->source, slot->kind, slides ? MCU_CONTENT_SLIDES : MCU_CONTENT_MAIN, false);
	}
	pc_call(pc, MCU_METHOD_SOURCE_REMOVE, &(struct mcu_stream_ref){ pc->rtc->room, slot->source }, NULL, NULL);
	g_clear_pointer(&slot->source, g_free);
}

/* A stream belongs to one connection; a phone that comes back over a new one takes its stream along. */
static void take_over(gw_rtc *rtc, struct pc *pc, const char *stream)
{
	struct pc *old = g_hash_table_lookup(rtc->streams, stream);
	if (old == NULL || old == pc) {
		return;
	}
	for (unsigned n = 0; n < old->slots->len; n++) {
		struct slot *s = old->slots->pdata[n];
		if (g_strcmp0(s->source, stream) == 0) {
			pc_unpublish(old, s);
		}
	}
}

void pc_publish(struct pc *pc, struct slot *slot, const char *stream, enum mcu_content content)
{
	if (g_strcmp0(slot->source, stream) == 0) {
		return;
	}
	pc_unpublish(pc, slot);
	take_over(pc->rtc, pc, stream);
	slot->source = g_strdup(stream);
	g_hash_table_replace(pc->rtc->streams, g_strdup(stream), pc);
	gw_leg_stream(&pc->leg, stream, slot->kind, content, true);
}

/* A slot may wait for a stream that nobody publishes yet: the engine hears of it when it comes. */
const char *live(const gw_rtc *rtc, const char *stream)
{
	bool known = stream != NULL && (g_hash_table_contains(rtc->streams, stream) || g_hash_table_contains(rtc->foreign, stream));
	return known ? stream : NULL;
}

void pc_settle(struct pc *pc, struct slot *slot)
{
	const struct gw_rtc_ops *ops = &pc->rtc->ops;
	char *other = slot->feed != NULL && ops->instead != NULL ? ops->instead(slot->feed, slot->codecs, pc->rtc->user_data) : NULL;
	g_autofree char *before = slot->fed;
	slot->fed = other != NULL ? other : g_strdup(slot->feed);
	if (ops->fed == NULL || g_strcmp0(before, slot->fed) == 0) {
		return;
	}
	if (before != NULL) {
		ops->fed(before, false, pc->rtc->user_data);
	}
	if (slot->fed != NULL) {
		ops->fed(slot->fed, true, pc->rtc->user_data);
	}
}

static void route(struct pc *pc, struct slot *slot)
{
	pc_settle(pc, slot);
	struct mcu_sink_route req = { pc->rtc->room, slot->sink, str(live(pc->rtc, slot->fed)) };
	pc_call(pc, MCU_METHOD_SINK_ROUTE, &req, NULL, NULL);
}

void refeed(gw_rtc *rtc, const char *stream)
{
	GHashTableIter it;
	struct pc *pc;
	g_hash_table_iter_init(&it, rtc->pcs);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&pc)) {
		for (unsigned n = 0; n < pc->slots->len; n++) {
			struct slot *s = pc->slots->pdata[n];
			if (s->sink != NULL && (g_strcmp0(s->feed, stream) == 0 || g_strcmp0(s->fed, stream) == 0)) {
				route(pc, s);
			}
		}
	}
}

bool gw_rtc_publishes(const gw_rtc *rtc, const char *stream)
{
	return g_hash_table_contains(rtc->streams, stream);
}

void gw_rtc_foreign(gw_rtc *rtc, const char *stream, bool on)
{
	bool changed = on ? g_hash_table_add(rtc->foreign, g_strdup(stream)) : g_hash_table_remove(rtc->foreign, stream);
	if (changed) {
		refeed(rtc, stream);
	}
}

/* What a conference makes for its parties: who asks for one takes what the application feeds instead, too. */
bool pc_is_mixed(const char *stream)
{
	return stream != NULL && g_str_has_prefix(stream, "mix.");
}

void pc_route(struct pc *pc, struct slot *slot, const char *stream, bool chosen)
{
	slot->chosen = chosen;
	if (g_strcmp0(slot->feed, stream) == 0) {
		return;
	}
	g_free(slot->feed);
	slot->feed = g_strdup(stream);
	route(pc, slot);
}

/* ---- as a leg ---- */
static int rtc_feed(gw_leg *leg, const char *mid, const char *source)
{
	struct slot *s = pc_slot(pc_of(leg), mid);
	if (s == NULL || s->sink == NULL) {
		return -ENOENT;
	}
	pc_route(pc_of(leg), s, source, true);
	return 0;
}

static void rtc_hangup(gw_leg *leg, const char *why)
{
	struct pc *pc = pc_of(leg);
	pc_call(pc, MCU_METHOD_TRANSPORT_CLOSE, &(struct mcu_transport_ref){ leg->room, leg->id }, NULL, NULL);
}

static void rtc_print(const gw_leg *leg, json_t *into)
{
	const struct pc *pc = (const struct pc *)leg;
	json_t *slots = json_array();
	for (unsigned n = 0; n < pc->slots->len; n++) {
		const struct slot *s = pc->slots->pdata[n];
		json_array_append_new(slots, json_pack("{s:s,s:s,s:s?,s:s?,s:s?}", "mid", s->mid, "kind",
						       s->kind == MCU_AUDIO ? "audio" : "video", "source", s->source, "sink", s->sink,
						       "feed", s->feed));
	}
	json_object_set_new(into, "slots", slots);
}

static void forget(struct pc *pc)
{
	for (unsigned n = 0; n < pc->slots->len; n++) {
		struct slot *s = pc->slots->pdata[n];
		if (s->source != NULL && g_hash_table_lookup(pc->rtc->streams, s->source) == pc) {
			g_hash_table_remove(pc->rtc->streams, s->source);
		}
	}
	if (g_hash_table_lookup(pc->rtc->pcs, pc->leg.id) == pc) {
		g_hash_table_remove(pc->rtc->pcs, pc->leg.id);
	}
	(void)g_ptr_array_remove(pc->rtc->ended, pc);
}

static void rtc_free_leg(gw_leg *leg)
{
	struct pc *pc = pc_of(leg);
	forget(pc);
	for (unsigned n = 0; n < pc->slots->len; n++) {
		struct slot *s = pc->slots->pdata[n];
		g_clear_pointer(&s->feed, g_free);
		pc_settle(pc, s);
	}
	if (pc->exchange != NULL) {
		rtc_exchange_orphan(pc->exchange);
	}
	g_ptr_array_unref(pc->slots);
	g_free(pc->owner);
	g_free(pc->name);
	g_free(pc->publishes);
	g_free(pc->ufrag);
	gw_leg_finish(leg);
	g_free(pc);
}

static const struct gw_leg_ops leg_ops = { "rtc", GW_LEG_SLOTS, NULL, NULL, rtc_feed, NULL, NULL, NULL, rtc_hangup, rtc_print,
					   rtc_free_leg, NULL };

struct pc *pc_new(gw_rtc *rtc, const char *owner, const char *name)
{
	g_autofree char *id = g_strconcat(owner, ".", name, NULL);
	struct pc *pc = g_new0(struct pc, 1);
	pc->rtc = rtc;
	pc->owner = g_strdup(owner);
	pc->name = g_strdup(name);
	pc->slots = g_ptr_array_new_with_free_func(slot_free);
	gw_leg_init(&pc->leg, &leg_ops, id, rtc->room, owner, &rtc->listener, rtc->user_data);
	g_hash_table_replace(rtc->pcs, pc->leg.id, pc);
	return pc;
}

/* ---- the face ---- */
gw_rtc *gw_rtc_new(const struct gw_rtc_ops *ops, const struct gw_leg_listener *listener, const char *room, void *user_data)
{
	gw_rtc *rtc = g_new0(gw_rtc, 1);
	rtc->ops = *ops;
	rtc->listener = *listener;
	rtc->user_data = user_data;
	rtc->room = g_strdup(room);
	rtc->pcs = g_hash_table_new(g_str_hash, g_str_equal);
	rtc->streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	rtc->foreign = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	rtc->ended = g_ptr_array_new();
	rtc->waiting = g_hash_table_new_full(NULL, NULL, rtc_exchange_free, NULL);
	return rtc;
}

static gboolean reap(gpointer user_data)
{
	gw_rtc *rtc = user_data;
	rtc->reaper = 0;
	while (rtc->ended->len > 0) {
		gw_leg_free(rtc->ended->pdata[0]);
	}
	return G_SOURCE_REMOVE;
}

void gw_rtc_free(gw_rtc *rtc)
{
	if (rtc == NULL) {
		return;
	}
	if (rtc->reaper != 0) {
		g_source_remove(rtc->reaper);
	}
	(void)reap(rtc);
	g_autoptr(GList) all = g_hash_table_get_values(rtc->pcs);
	for (GList *l = all; l != NULL; l = l->next) {
		/* Silent and without a word to the engine: what it holds waits for our next process. */
		((struct pc *)l->data)->leg.fsm.state = GW_LEG_ENDED;
		gw_leg_free(l->data);
	}
	g_ptr_array_unref(rtc->ended);
	g_hash_table_unref(rtc->waiting);
	g_hash_table_unref(rtc->streams);
	g_hash_table_unref(rtc->foreign);
	g_hash_table_unref(rtc->pcs);
	g_free(rtc->room);
	g_free(rtc);
}

gw_leg *gw_rtc_find(gw_rtc *rtc, const char *owner, const char *pc)
{
	g_autofree char *id = g_strconcat(owner, ".", pc, NULL);
	return g_hash_table_lookup(rtc->pcs, id);
}

gw_leg *gw_rtc_by_name(gw_rtc *rtc, const char *name)
{
	GHashTableIter it;
	struct pc *pc;
	g_hash_table_iter_init(&it, rtc->pcs);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&pc)) {
		if (g_str_equal(pc->name, name)) {
			return &pc->leg;
		}
	}
	return NULL;
}

gw_leg *gw_rtc_by_party(gw_rtc *rtc, const char *party)
{
	static const char *const kinds[] = { "audio", "video" };
	for (unsigned n = 0; n < G_N_ELEMENTS(kinds); n++) {
		g_autofree char *stream = g_strconcat(party, ".", kinds[n], NULL);
		struct pc *pc = g_hash_table_lookup(rtc->streams, stream);
		if (pc != NULL) {
			return &pc->leg;
		}
	}
	return NULL;
}

const char *gw_rtc_owner(const gw_leg *leg)
{
	return ((const struct pc *)leg)->owner;
}

const char *gw_rtc_party(const gw_leg *leg)
{
	return ((const struct pc *)leg)->publishes;
}

const char *gw_rtc_name(const gw_leg *leg)
{
	return ((const struct pc *)leg)->name;
}

int gw_rtc_feed_kind(gw_leg *leg, enum mcu_kind kind, const char *source)
{
	struct pc *pc = pc_of(leg);
	int found = -ENOENT;
	for (unsigned n = 0; n < pc->slots->len; n++) {
		struct slot *s = pc->slots->pdata[n];
		if (s->kind == kind && s->sink != NULL && (!s->chosen || pc_is_mixed(s->feed))) {
			pc_route(pc, s, source, false);
			found = 0;
		}
	}
	return found;
}

bool gw_rtc_is_fed(const gw_leg *leg, const char *stream)
{
	const struct pc *pc = (const struct pc *)leg;
	for (unsigned n = 0; n < pc->slots->len; n++) {
		if (g_strcmp0(((const struct slot *)pc->slots->pdata[n])->fed, stream) == 0) {
			return true;
		}
	}
	return false;
}

int gw_rtc_codec(const gw_rtc *rtc, const char *stream)
{
	const struct pc *pc = g_hash_table_lookup(rtc->streams, stream);
	for (unsigned n = 0; pc != NULL && n < pc->slots->len; n++) {
		const struct slot *s = pc->slots->pdata[n];
		if (g_strcmp0(s->source, stream) == 0) {
			return s->sends;
		}
	}
	return -1;
}

int gw_rtc_prefer(gw_leg *leg, const char *mid, const struct gw_rtc_prefer *want)
{
	struct slot *s = pc_slot(pc_of(leg), mid);
	if (s == NULL || s->sink == NULL) {
		return -ENOENT;
	}
	struct mcu_sink_prefer req = { leg->room, s->sink, want->width, want->height, want->max_bps, want->paused };
	pc_call(pc_of(leg), MCU_METHOD_SINK_PREFER, &req, NULL, NULL);
	return 0;
}

void gw_rtc_close(gw_leg *leg, const char *why)
{
	struct pc *pc = pc_of(leg);
	for (unsigned n = 0; n < pc->slots->len; n++) {
		struct slot *s = pc->slots->pdata[n];
		if (s->source != NULL && g_hash_table_lookup(pc->rtc->streams, s->source) == pc) {
			gw_leg_stream(leg, s->source, s->kind, MCU_CONTENT_MAIN, false);
		}
	}
	gw_leg_hangup(leg, why);
	gw_leg_free(leg);
}

void gw_rtc_close_owner(gw_rtc *rtc, const char *owner, const char *why)
{
	g_autoptr(GList) all = g_hash_table_get_values(rtc->pcs);
	for (GList *l = all; l != NULL; l = l->next) {
		if (g_strcmp0(((struct pc *)l->data)->owner, owner) == 0) {
			gw_rtc_close(l->data, why);
		}
	}
}

void gw_rtc_foreach(gw_rtc *rtc, void (*fn)(gw_leg *leg, void *user_data), void *user_data)
{
	g_autoptr(GList) all = g_hash_table_get_values(rtc->pcs);
	for (GList *l = all; l != NULL; l = l->next) {
		fn(l->data, user_data);
	}
}

unsigned gw_rtc_count(const gw_rtc *rtc)
{
	return g_hash_table_size(rtc->pcs);
}

/* ---- what the engine says ---- */
void gw_rtc_transport_state(gw_rtc *rtc, const struct mcu_transport_state *state)
{
	static const struct { const char *word; enum gw_leg_state state; } rows[] = {
		{ "up", GW_LEG_UP }, { "disconnected", GW_LEG_CONNECTING }, { "failed", GW_LEG_CONNECTING },
	};
	struct pc *pc = g_hash_table_lookup(rtc->pcs, state->transport);
	if (pc == NULL) {
		return;
	}
	if (g_strcmp0(state->state, "closed") == 0) {
		/* The peer hung up (DTLS close): the engine keeps the transport and the names of its streams until we say so. */
		rtc_hangup(&pc->leg, state->why);
		gw_rtc_transport_lost(rtc, state->transport, state->why);
		return;
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (g_strcmp0(state->state, rows[n].word) == 0 && gw_leg_get_state(&pc->leg) != rows[n].state) {
			const char *why = state->why != NULL ? state->why : "";
			g_autofree char *words = g_strconcat(rows[n].word, why[0] != '\0' ? ": " : "", why, NULL);
			(void)gw_leg_enter(&pc->leg, rows[n].state, words);
		}
	}
}

void gw_rtc_transport_lost(gw_rtc *rtc, const char *transport, const char *why)
{
	struct pc *pc = g_hash_table_lookup(rtc->pcs, transport);
	if (pc == NULL) {
		return;
	}
	forget(pc);
	g_ptr_array_add(rtc->ended, pc);
	if (rtc->reaper == 0) {
		rtc->reaper = g_idle_add(reap, rtc);
	}
	(void)gw_leg_enter(&pc->leg, GW_LEG_ENDED, why);
}

static void adopt_stream(struct pc *pc, const struct mcu_dump_stream *s, bool is_source)
{
	struct slot *slot = s->mid != NULL ? pc_slot_make(pc, s->mid, g_strcmp0(s->kind, "audio") == 0 ? MCU_AUDIO : MCU_VIDEO) : NULL;
	if (slot == NULL) {
		return;
	}
	if (is_source) {
		pc_publish(pc, slot, s->id, MCU_CONTENT_MAIN);
		char *dot = strrchr(s->id, '.');
		g_free(pc->publishes);
		pc->publishes = dot != NULL ? g_strndup(s->id, (gsize)(dot - s->id)) : NULL;
	} else {
		g_free(slot->sink);
		slot->sink = g_strdup(s->id);
		g_free(slot->feed);
		slot->feed = g_strdup(s->route);
		slot->chosen = slot->source == NULL;
		pc_settle(pc, slot);
	}
}

static void adopt_transport(gw_rtc *rtc, const struct mcu_dump_transport *t)
{
	const char *dot = strchr(t->id, '.');
	bool browser = t->kind == NULL || g_str_equal(t->kind, "lite") || g_str_equal(t->kind, "agent");
	if (dot == NULL || !browser || g_hash_table_contains(rtc->pcs, t->id)) {
		return;
	}
	g_autofree char *owner = g_strndup(t->id, (gsize)(dot - t->id));
	struct pc *pc = pc_new(rtc, owner, dot + 1);
	(void)gw_leg_enter(&pc->leg, GW_LEG_CONNECTING, "adopted");
	for (size_t n = 0; n < t->sources.n; n++) {
		adopt_stream(pc, &((const struct mcu_dump_stream *)t->sources.items)[n], true);
	}
	for (size_t n = 0; n < t->sinks.n; n++) {
		adopt_stream(pc, &((const struct mcu_dump_stream *)t->sinks.items)[n], false);
	}
	if (g_strcmp0(t->state, "up") == 0) {
		(void)gw_leg_enter(&pc->leg, GW_LEG_UP, "adopted");
	}
}

void gw_rtc_adopt(gw_rtc *rtc, const struct mcu_dump_room *room)
{
	for (size_t n = 0; n < room->transports.n; n++) {
		adopt_transport(rtc, &((const struct mcu_dump_transport *)room->transports.items)[n]);
	}
}
