/* One exchange of offer and answer: transport.open (or restart) -> answer -> connect, sources, sinks in one go -> reply. */
#include <string.h>

#include "gateway/rtc/rtc_priv.h"
#include "mcu/base/clock.h"

struct exchange {
	struct pc *pc;			/* NULL: the connection went meanwhile */
	gw_rtc *rtc;
	gw_sdp *offer;
	struct gw_rtc_offer asked;	/* owned copy: publish and view lists */
	struct gw_sdp_agreed *agreed;
	char *answer, *why;
	enum gw_error error;		/* GW_ERROR_N = fine so far */
	unsigned pending, idle;	/* idle: source id of a refusal on its way */
	gw_rtc_answer_fn fn;
	void *user_data;
};

void rtc_exchange_free(gpointer p)
{
	struct exchange *x = p;
	if (x->idle != 0) {
		g_source_remove(x->idle);
	}
	if (x->agreed != NULL) {
		gw_sdp_agreed_clear(x->agreed, x->offer->n_media);
		g_free(x->agreed);
	}
	gw_sdp_free(x->offer);
	ort_json_clear(&gw_table_rtc_offer, &x->asked);
	g_free(x->answer);
	g_free(x->why);
	g_free(x);
}

static void fail(struct exchange *x, enum gw_error error, const char *why)
{
	if (x->error == GW_ERROR_N) {
		x->error = error;
		x->why = g_strdup(why);
	}
}

static void finish(struct exchange *x)
{
	struct pc *pc = x->pc;
	if (pc != NULL) {
		pc->exchange = NULL;
	}
	x->fn(x->error, x->why, x->error == GW_ERROR_N ? x->answer : NULL, x->user_data);
	if (pc != NULL && x->error != GW_ERROR_N && gw_leg_get_state(&pc->leg) != GW_LEG_UP) {
		gw_rtc_close(&pc->leg, "offer_failed");
	}
	g_hash_table_remove(x->rtc->waiting, x);
}

void rtc_exchange_orphan(struct exchange *x)
{
	x->pc = NULL;
	fail(x, GW_ERROR_NOT_FOUND, "the connection was closed");
}

static void step_done(struct exchange *x)
{
	if (--x->pending == 0) {
		finish(x);
	}
}

static enum gw_error error_of(const GError *err)
{
	static const struct { int code; enum gw_error error; } rows[] = {
		{ MCU_ERROR_NO_ENGINE, GW_ERROR_MEDIA_UNAVAILABLE }, { MCU_ERROR_LIMIT, GW_ERROR_LIMIT },
		{ MCU_ERROR_NO_CODEC, GW_ERROR_NO_CODEC },	     { MCU_ERROR_DRAINING, GW_ERROR_UNAVAILABLE },
		{ MCU_ERROR_UNKNOWN_ID, GW_ERROR_UNAVAILABLE },	     { MCU_ERROR_INVALID, GW_ERROR_SDP },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
		if (err->domain == MCU_ERROR && err->code == rows[n].code) {
			return rows[n].error;
		}
	}
	return GW_ERROR_INTERNAL;
}

static void on_step(const void *reply, const GError *err, void *user_data)
{
	struct exchange *x = user_data;
	if (err != NULL) {
		fail(x, error_of(err), err->message);
	}
	step_done(x);
}

static void step(struct exchange *x, enum mcu_method method, const void *request)
{
	x->pending++;
	pc_call(x->pc, method, request, on_step, x);
}

/* ---- what the peer asked for one m-line ---- */
static const struct gw_rtc_publish *asked_publish(const struct exchange *x, const char *mid)
{
	const struct gw_rtc_publish *rows = x->asked.publish.items;
	for (size_t n = 0; n < x->asked.publish.n; n++) {
		if (g_strcmp0(rows[n].mid, mid) == 0) {
			return &rows[n];
		}
	}
	return NULL;
}

static const struct gw_rtc_view *asked_view(const struct exchange *x, const char *mid)
{
	const struct gw_rtc_view *rows = x->asked.view.items;
	for (size_t n = 0; n < x->asked.view.n; n++) {
		if (g_strcmp0(rows[n].mid, mid) == 0) {
			return &rows[n];
		}
	}
	return NULL;
}

static unsigned right_to_publish(const struct gw_rtc_publish *p)
{
	if (p->content == GW_CONTENT_SLIDES) {
		return GW_RTC_PUBLISH_SLIDES;
	}
	return p->kind == GW_AUDIO ? GW_RTC_PUBLISH_AUDIO : GW_RTC_PUBLISH_VIDEO;
}

static enum gw_sdp_dir allowed_dir(const struct exchange *x, const struct gw_sdp_media *m)
{
	enum gw_sdp_dir theirs = gw_sdp_dir(x->offer, m);
	const struct gw_rtc_publish *p = asked_publish(x, m->mid);
	bool kind_fits = p != NULL && (p->kind == GW_AUDIO) == (m->type == GW_SDP_AUDIO);
	unsigned ours = 0;
	if ((theirs & GW_SDP_SEND) != 0 && kind_fits && (x->pc->rights & right_to_publish(p)) != 0) {
		ours |= GW_SDP_RECV;
	}
	if ((theirs & GW_SDP_RECV) != 0 && (x->pc->rights & (GW_RTC_VIEW | GW_RTC_HEAR)) != 0) {
		ours |= GW_SDP_SEND;
	}
	return (enum gw_sdp_dir)ours;
}

static char *sink_id(const struct pc *pc, const char *mid)
{
	return g_strconcat(pc->leg.id, ".", mid, NULL);
}

static char *stream_id(const struct pc *pc, const struct gw_rtc_publish *p)
{
	const char *kind = p->content == GW_CONTENT_SLIDES ? "slides" : p->kind == GW_AUDIO ? "audio" : "video";
	return g_strconcat(pc->publishes, ".", kind, NULL);
}

/* ---- after the engine's side is known ---- */
static bool make_answer(struct exchange *x, const struct mcu_transport_reply *ours_transport)
{
	size_t n = x->offer->n_media;
	g_autofree struct gw_sdp_plan *plans = g_new0(struct gw_sdp_plan, n);
	for (size_t k = 0; k < n; k++) {
		const struct gw_sdp_media *m = &x->offer->media[k];
		bool known = m->mid != NULL && (m->type == GW_SDP_AUDIO || m->type == GW_SDP_VIDEO);
		g_autofree char *sink = known ? sink_id(x->pc, m->mid) : NULL;
		plans[k].reject = !known || (m->port == 0 && !m->bundle_only);
		plans[k].dir = known ? allowed_dir(x, m) : GW_SDP_INACTIVE;
		plans[k].simulcast = true;
		plans[k].stream = x->pc->leg.id;
		plans[k].track = m->mid;
		plans[k].ssrc = known ? sink_ssrc(sink, false) : 0;
		plans[k].rtx_ssrc = known && m->type == GW_SDP_VIDEO ? sink_ssrc(sink, true) : 0;
	}
	struct gw_sdp_ours ours = { ours_transport, (uint64_t)g_str_hash(x->pc->leg.id), ++x->pc->version, NULL, GW_SDP_SETUP_NONE };
	g_autoptr(gw_sdp) answer = NULL;
	g_autofree char *why = NULL;
	x->agreed = g_new0(struct gw_sdp_agreed, n);
	if (gw_sdp_answer(x->offer, &ours, plans, n, x->agreed, &answer, &why) < 0) {
		fail(x, GW_ERROR_SDP, why);
		return false;
	}
	bool usable = false;
	for (size_t k = 0; k < n; k++) {
		usable |= x->agreed[k].accepted;
	}
	if (!usable) {
		fail(x, GW_ERROR_NO_CODEC, n > 0 ? x->agreed[0].why : "the offer has no media");
		return false;
	}
	x->answer = gw_sdp_print(answer);
	return true;
}

static bool connect_transport(struct exchange *x)
{
	struct mcu_transport_connect req = { 0 };
	g_autofree char *why = NULL;
	if (gw_sdp_remote(x->offer, &req, &why) < 0) {
		fail(x, GW_ERROR_SDP, why);
		ort_json_clear(&mcu_table_transport_connect, &req);
		return false;
	}
	req.room = g_strdup(x->pc->leg.room);
	req.transport = g_strdup(x->pc->leg.id);
	gw_sdp_agreed_exts(x->agreed, x->offer->n_media, &req.extensions);
	g_free(x->pc->ufrag);
	x->pc->ufrag = g_strdup(req.ice_ufrag);
	step(x, MCU_METHOD_TRANSPORT_CONNECT, &req);
	ort_json_clear(&mcu_table_transport_connect, &req);
	return true;
}

/* The engine's codecs among those agreed; *ret_first: the one that the peer sends, -1 = none of ours. */
static unsigned codecs_of(const struct ort_json_array *uses, int *ret_first)
{
	const struct mcu_codec_use *rows = uses->items;
	unsigned bits = 0;
	*ret_first = -1;
	for (size_t n = 0; n < uses->n; n++) {
		int codec = mcu_codec_by_name(rows[n].name);
		bits |= codec >= 0 ? 1u << codec : 0;
		*ret_first = *ret_first < 0 ? codec : *ret_first;
	}
	return bits;
}

static void open_source(struct exchange *x, const struct gw_sdp_agreed *a, struct slot *slot)
{
	const struct gw_rtc_publish *p = asked_publish(x, a->mid);
	g_autofree char *stream = stream_id(x->pc, p);
	enum mcu_content content = p->content == GW_CONTENT_SLIDES ? MCU_CONTENT_SLIDES : MCU_CONTENT_MAIN;
	(void)codecs_of(&a->codecs, &slot->sends);
	pc_publish(x->pc, slot, stream, content);
	struct mcu_source_add req = { x->pc->leg.room, x->pc->leg.id, stream, (int)a->kind, (int)content, slot->mid, a->codecs,
				      a->encodings };
	step(x, MCU_METHOD_SOURCE_ADD, &req);
	refeed(x->rtc, stream);
}

static void open_sink(struct exchange *x, const struct gw_sdp_agreed *a, struct slot *slot)
{
	const struct gw_rtc_view *v = asked_view(x, a->mid);
	bool may_choose = (x->pc->rights & GW_RTC_VIEW) != 0 && v != NULL;
	const char *stream = may_choose ? v->stream : slot->feed;
	int first;
	slot->codecs = codecs_of(&a->codecs, &first);
	/* the page repeats what it began with: the application feeds it meanwhile */
	bool again = slot->sink != NULL && !slot->chosen && may_choose && pc_is_mixed(stream);
	if (again) {
		pc_settle(x->pc, slot);
		return;
	}
	if (slot->sink != NULL) {
		pc_route(x->pc, slot, stream, may_choose);
	} else {
		slot->sink = sink_id(x->pc, a->mid);
		slot->feed = g_strdup(stream);
		slot->chosen = may_choose;
		pc_settle(x->pc, slot);
		int64_t rtx = a->kind == MCU_VIDEO ? sink_ssrc(slot->sink, true) : 0;
		struct mcu_sink_add req = { x->pc->leg.room, x->pc->leg.id, slot->sink,
					    (char *)(uintptr_t)live(x->rtc, slot->fed), (int)a->kind, slot->mid,
					    sink_ssrc(slot->sink, false), rtx, a->codecs };
		step(x, MCU_METHOD_SINK_ADD, &req);
	}
	if (may_choose && v->width > 0) {
		(void)gw_rtc_prefer(&x->pc->leg, a->mid, &(struct gw_rtc_prefer){ .width = v->width, .height = v->height });
	}
}

static void close_sink(struct exchange *x, struct slot *slot)
{
	if (slot->sink != NULL) {
		step(x, MCU_METHOD_SINK_REMOVE, &(struct mcu_stream_ref){ x->pc->leg.room, slot->sink });
		g_clear_pointer(&slot->sink, g_free);
		g_clear_pointer(&slot->feed, g_free);
		pc_settle(x->pc, slot);
	}
}

static void apply_line(struct exchange *x, const struct gw_sdp_agreed *a)
{
	struct slot *slot = a->mid != NULL ? pc_slot(x->pc, a->mid) : NULL;
	if (slot == NULL && a->accepted) {
		slot = pc_slot_make(x->pc, a->mid, a->kind);
	}
	if (slot == NULL) {
		return;
	}
	if (a->accepted && (a->dir & GW_SDP_RECV) != 0) {
		open_source(x, a, slot);
	} else {
		pc_unpublish(x->pc, slot);
	}
	if (a->accepted && (a->dir & GW_SDP_SEND) != 0) {
		open_sink(x, a, slot);
	} else {
		close_sink(x, slot);
	}
}

static void on_transport(const void *reply, const GError *err, void *user_data)
{
	struct exchange *x = user_data;
	if (err != NULL) {
		fail(x, error_of(err), err->message);
	}
	if (x->error == GW_ERROR_N && make_answer(x, reply) && connect_transport(x)) {
		for (size_t n = 0; n < x->offer->n_media; n++) {
			apply_line(x, &x->agreed[n]);
		}
	}
	step_done(x);
}

/* ---- beginning ---- */
static unsigned count_of_owner(const gw_rtc *rtc, const char *owner)
{
	GHashTableIter it;
	struct pc *pc;
	unsigned n = 0;
	g_hash_table_iter_init(&it, rtc->pcs);
	while (g_hash_table_iter_next(&it, NULL, (gpointer *)&pc)) {
		n += g_str_equal(pc->owner, owner);
	}
	return n;
}

static bool pc_name_ok(const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;
	return len >= 1 && len <= 32 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == len;
}

static struct pc *obtain(gw_rtc *rtc, const struct gw_rtc_who *who, const char *name, enum gw_error *ret_error)
{
	struct pc *pc = (struct pc *)gw_rtc_find(rtc, who->owner, name);
	if (pc != NULL && pc->exchange != NULL) {
		*ret_error = GW_ERROR_STATE;
		return NULL;
	}
	if (pc == NULL && count_of_owner(rtc, who->owner) >= MAX_PER_OWNER) {
		*ret_error = GW_ERROR_LIMIT;
		return NULL;
	}
	if (pc == NULL) {
		pc = pc_new(rtc, who->owner, name);
		(void)gw_leg_enter(&pc->leg, GW_LEG_CONNECTING, NULL);
	}
	return pc;
}

static int refused_later(gpointer user_data)
{
	((struct exchange *)user_data)->idle = 0;
	finish(user_data);
	return G_SOURCE_REMOVE;
}

/* ICE restart: the peer's ufrag is another one than we know, or the page says so for an adopted connection. */
static bool is_restart(const struct exchange *x, bool existed)
{
	struct mcu_transport_connect req = { 0 };
	bool ok = gw_sdp_remote(x->offer, &req, NULL) == 0;
	bool other = ok && x->pc->ufrag != NULL && g_strcmp0(req.ice_ufrag, x->pc->ufrag) != 0;
	ort_json_clear(&mcu_table_transport_connect, &req);
	return existed && (other || (x->pc->ufrag == NULL && x->asked.restart));
}

static void begin(struct exchange *x, bool existed)
{
	struct mcu_transport_ref ref = { x->pc->leg.room, x->pc->leg.id };
	struct mcu_transport_open open = { .room = ref.room, .transport = ref.transport };
	x->pending = 1;
	if (is_restart(x, existed)) {
		pc_call(x->pc, MCU_METHOD_TRANSPORT_RESTART, &ref, on_transport, x);
	} else {
		pc_call(x->pc, MCU_METHOD_TRANSPORT_OPEN, &open, on_transport, x);
	}
}

static void copy_request(struct exchange *x, const struct gw_rtc_offer *offer)
{
	g_autoptr(json_t) printed = ort_json_print(&gw_table_rtc_offer, offer);
	if (ort_json_read(&gw_table_rtc_offer, printed, &x->asked, &x->why) < 0) {
		x->error = GW_ERROR_INVALID;
	}
}

void gw_rtc_take_offer(gw_rtc *rtc, const struct gw_rtc_who *who, const struct gw_rtc_offer *offer, gw_rtc_answer_fn fn,
		       void *user_data)
{
	struct exchange *x = g_new0(struct exchange, 1);
	*x = (struct exchange){ .rtc = rtc, .fn = fn, .user_data = user_data, .error = GW_ERROR_N };
	g_hash_table_add(rtc->waiting, x);
	copy_request(x, offer);
	enum gw_error refused = GW_ERROR_N;
	bool existed = x->error == GW_ERROR_N && gw_rtc_find(rtc, who->owner, offer->pc) != NULL;
	if (x->error == GW_ERROR_N && !pc_name_ok(offer->pc)) {
		fail(x, GW_ERROR_INVALID, "pc: 1 to 32 of A-Z a-z 0-9 -");
	} else if (x->error == GW_ERROR_N && gw_sdp_parse(offer->sdp, strlen(offer->sdp), &x->offer, &x->why) < 0) {
		x->error = GW_ERROR_SDP;
	} else if (x->error == GW_ERROR_N && (x->pc = obtain(rtc, who, offer->pc, &refused)) == NULL) {
		fail(x, refused, refused == GW_ERROR_STATE ? "an offer of this connection is under way" : "too many connections");
	}
	if (x->error != GW_ERROR_N) {
		x->idle = g_idle_add(refused_later, x);
		return;
	}
	x->pc->exchange = x;
	x->pc->rights = who->rights;
	g_free(x->pc->publishes);
	x->pc->publishes = g_strdup(who->party != NULL ? who->party : x->pc->leg.id);
	begin(x, existed);
}

bool gw_rtc_describe(const char *pc, const char *sdp, const char *view_party, struct gw_rtc_offer *ret, char **ret_why)
{
	g_autoptr(gw_sdp) offer = NULL;
	if (gw_sdp_parse(sdp, strlen(sdp), &offer, ret_why) < 0) {
		return false;
	}
	json_t *publish = json_array(), *view = json_array();
	for (size_t n = 0; n < offer->n_media; n++) {
		const struct gw_sdp_media *m = &offer->media[n];
		const char *kind = m->type == GW_SDP_AUDIO ? "audio" : "video";
		enum gw_sdp_dir dir = gw_sdp_dir(offer, m);
		if (m->mid == NULL || (m->type != GW_SDP_AUDIO && m->type != GW_SDP_VIDEO)) {
			continue;
		}
		g_autofree char *stream = view_party != NULL ? g_strconcat(view_party, ".", kind, NULL) : NULL;
		if ((dir & GW_SDP_SEND) != 0) {
			json_array_append_new(publish, json_pack("{s:s,s:s,s:s}", "mid", m->mid, "kind", kind, "content", "main"));
		}
		if ((dir & GW_SDP_RECV) != 0 && stream != NULL) {
			json_array_append_new(view, json_pack("{s:s,s:s}", "mid", m->mid, "stream", stream));
		}
	}
	g_autoptr(json_t) o = json_pack("{s:s,s:s,s:o,s:o}", "pc", pc, "sdp", sdp, "publish", publish, "view", view);
	return ort_json_read(&gw_table_rtc_offer, o, ret, ret_why) == 0;
}
