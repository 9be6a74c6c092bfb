/* Our offer, and the answer to it. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

#define AUDIO_LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"	/* RFC 6464 */

/* ---- writing ---- */

/* The floor of an m-line says which of ours it controls by these (RFC 4574). */
const char *media_label(const struct line *l)
{
	return l->slot == SLOT_CONTENT ? "12" : l->slot == SLOT_MAIN ? "11" : NULL;
}

static bool has_content(const struct sip_media *m)
{
	for (guint i = 0; i < m->lines->len; i++) {
		const struct line *l = m->lines->pdata[i];

		if (l->slot == SLOT_CONTENT && (l->on || l->next)) {
			return true;
		}
	}
	return false;
}

static enum gw_sdp_dir wanted_dir(const struct sip_media *m)
{
	return m->hold ? GW_SDP_SEND : GW_SDP_SENDRECV;
}

static const char *our_address(const struct sip_media *m)
{
	const struct gw_sip_zone *zone = m->conf.zone;

	for (guint i = 0; i < m->lines->len; i++) {
		const struct line *l = m->lines->pdata[i];
		const struct mcu_candidate_use *c = tp_address(l->next ? l->next : l->tp);

		if (c && c->ip) {
			return c->ip;
		}
	}
	return zone->announce ? zone->announce : zone->bind && strcmp(zone->bind, "*") != 0 ? zone->bind : "0.0.0.0";
}

/* Of the agreed transport, else of the one that is being offered. */
void media_describe(struct sip_media *m, struct line *l, struct gw_sdp_line *ret)
{
	const struct tp *tp = l->next ? l->next : l->tp;
	bool two = has_content(m) && l->type == GW_SDP_VIDEO;

	*ret = (struct gw_sdp_line){ .type = l->type, .proto = l->proto, .mid = l->mid };
	if (l->type == GW_SDP_APPLICATION) {
		g_strlcpy(l->floor.ip, our_address(m), sizeof(l->floor.ip));
		ret->reject = !l->link;
		ret->floor = &l->floor;
		return;
	}
	ret->reject = !tp;
	if (!tp) {
		return;
	}
	ret->transport = &tp->reply;
	ret->rtcp_mux = tp->mux;
	ret->dir = l->offered_dir;
	ret->codecs = &l->offered;
	ret->exts = &l->exts;
	ret->feedback = l->avpf || tp->security == GW_SDP_DTLS || !media_quirk(m, SIP_QUIRK_NO_FEEDBACK);
	ret->content = two ? l->slot == SLOT_CONTENT ? "slides" : "main" : NULL;
	ret->label = two ? media_label(l) : NULL;
	ret->setup = tp->security == GW_SDP_DTLS ? GW_SDP_ACTPASS : GW_SDP_SETUP_NONE;
	ret->cryptos = tp->keys;
	ret->n_cryptos = tp->n_keys;
	ret->bps = media_bps(m, l->type == GW_SDP_VIDEO ? MCU_VIDEO : MCU_AUDIO);
	ret->ptime = l->type == GW_SDP_AUDIO ? 20 : 0;
}

char *media_write(struct sip_media *m, const struct gw_sdp_line *lines, const char *const *bundle)
{
	struct gw_sdp_session session = { .id = m->session, .version = ++m->version, .ip = our_address(m),
					  .bps = m->conf.max_bps, .cname = m->id, .bundle = bundle };
	g_autoptr(gw_sdp) sdp = NULL;

	for (guint i = 0; i < m->lines->len; i++) {
		const struct line *l = m->lines->pdata[i];
		const struct tp *tp = l->next ? l->next : l->tp;

		session.ice_lite |= tp && tp->lite;
	}
	sdp = gw_sdp_offer(&session, lines, m->lines->len);
	return gw_sdp_print(sdp);
}

/* ---- offering ---- */

static void offer_lines(struct sip_media *m)
{
	(void)line_new(m, GW_SDP_AUDIO, SLOT_AUDIO);
	if (m->conf.video) {
		(void)line_new(m, GW_SDP_VIDEO, SLOT_MAIN);
	}
	if (m->conf.video && m->conf.content) {
		if (m->conf.bfcp) {
			(void)line_new(m, GW_SDP_APPLICATION, SLOT_NONE);
		}
		(void)line_new(m, GW_SDP_VIDEO, SLOT_CONTENT);
	}
}

static void offer_codecs(struct sip_media *m, struct line *l)
{
	if (l->on) {	/* RFC 3264 8.3.2: a payload type keeps its meaning */
		uses_copy(&mcu_table_codec_use, &l->recv, &l->offered);
		return;
	}
	gw_sdp_array_clear(&mcu_table_codec_use, &l->offered);
	media_codecs(m, media_slots[l->slot].kind, &l->offered);
	if (l->slot == SLOT_AUDIO && l->exts.n == 0) {
		struct mcu_ext_use *level = g_new0(struct mcu_ext_use, 1);

		*level = (struct mcu_ext_use){ g_strdup(AUDIO_LEVEL), 1 };
		l->exts = (struct ort_json_array){ level, 1 };
	}
}

static void offer_line(struct exchange *x, struct line *l, unsigned index)
{
	struct sip_media *m = x->m;
	enum gw_sdp_security security = l->tp ? l->tp->security : media_offer_security(m);
	bool lite = l->tp ? l->tp->lite : m->conf.ice, mux = l->tp ? l->tp->mux : security == GW_SDP_DTLS;
	const struct gw_sip_zone *zone = m->conf.zone;
	const char *address = zone->announce ? zone->announce : zone->bind;

	if (l->refused || (!l->on && index < m->n_agreed)) {
		return;
	}
	if (l->type == GW_SDP_APPLICATION) {
		floor_offer(m, l);
		return;
	}
	if (!l->tp || l->tp->lost) {
		l->next = tp_open(x, index, lite, security, mux, address && strchr(address, ':'));
	}
	if (!l->on) {
		g_free(l->proto);
		l->proto = g_strdup(media_proto(m, security));
		l->avpf = g_str_has_suffix(l->proto, "F");
	}
	l->offered_dir = wanted_dir(m);
	offer_codecs(m, l);
}

/* m-lines on one transport were bundled by the peer's offer, and are in ours (RFC 8843 7.5). */
static bool is_shared(const struct sip_media *m, const struct line *l)
{
	unsigned n = 0;

	for (guint i = 0; i < m->lines->len && l->tp && l->tp->lite && l->mid; i++) {
		const struct line *other = m->lines->pdata[i];

		n += other->tp == l->tp && !other->next && other->mid;
	}
	return n > 1;
}

static void offer_ready(struct exchange *x)
{
	struct sip_media *m = x->m;
	g_autofree struct gw_sdp_line *lines = g_new0(struct gw_sdp_line, m->lines->len);
	g_autoptr(GPtrArray) bundle = g_ptr_array_new();

	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		media_describe(m, l, &lines[i]);
		if (is_shared(m, l)) {
			g_ptr_array_add(bundle, l->mid);
		}
	}
	g_ptr_array_add(bundle, NULL);
	if (x->status == 0) {
		x->text = media_write(m, lines, bundle->len > 1 ? (const char *const *)bundle->pdata : NULL);
	}
	xchg_finish(x);
}

void sip_media_offer(struct sip_media *m, sip_media_fn fn)
{
	struct exchange *x = xchg_new(m, X_OFFER, fn);

	if (x->status == 0) {
		if (m->lines->len == 0) {
			offer_lines(m);
		}
		for (guint i = 0; i < m->lines->len; i++) {
			offer_line(x, m->lines->pdata[i], i);
		}
		x->next = offer_ready;
	}
	xchg_release(x);
}

void media_abandon(struct sip_media *m)
{
	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		tp_drop(&l->next);
		if (!l->on) {
			floor_close(l);
		}
	}
	if (m->lines->len > m->n_agreed) {
		g_ptr_array_set_size(m->lines, (gint)m->n_agreed);
	}
	m->offering = false;
}

/* ---- the answer ---- */

static void keep_exts(struct line *l, const gw_sdp *sdp, const struct gw_sdp_media *theirs, bool lite)
{
	struct ort_json_array all;
	GArray *kept = g_array_new(FALSE, TRUE, sizeof(struct mcu_ext_use));
	struct mcu_ext_use *use;

	gw_sdp_exts(sdp, theirs, &all);
	use = all.items;
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(use[i].uri, AUDIO_LEVEL) == 0 || (lite && g_str_has_suffix(use[i].uri, ":sdes:mid"))) {
			struct mcu_ext_use copy = { g_strdup(use[i].uri), use[i].id };

			g_array_append_val(kept, copy);
		}
	}
	gw_sdp_array_clear(&mcu_table_ext_use, &all);
	gw_sdp_array_clear(&mcu_table_ext_use, &l->exts);
	l->exts.n = kept->len;
	l->exts.items = g_array_free(kept, FALSE);
}

static void move(struct ort_json_array *from, struct ort_json_array *to)
{
	gw_sdp_array_clear(&mcu_table_codec_use, to);
	*to = *from;
	*from = (struct ort_json_array){ 0 };
}

/* What the mixer makes for a peer comes first: H.264, then VP8. Of several H.264 types the one with the larger picture: a
 * room that reads level 4.0 in high profile and 3.1 in baseline reads our constrained baseline in the former, as every
 * decoder does. */
static int64_t wish(const struct mcu_codec_use *use)
{
	int id = mcu_codec_by_name(use->name);
	bool fragments = use->fmtp && strstr(use->fmtp, "packetization-mode=1");
	struct gw_sdp_limits l;

	if (id != MCU_CODEC_H264) {
		return id == MCU_CODEC_VP8;
	}
	gw_sdp_limits(use, &l);
	return (fragments ? (int64_t)1 << 40 : 2) + l.width * l.height * l.fps;
}

static void best_first(struct ort_json_array *send)
{
	struct mcu_codec_use *use = send->items, best;
	size_t at = 0;

	for (size_t i = 1; i < send->n; i++) {
		at = wish(&use[i]) > wish(&use[at]) ? i : at;
	}
	if (at > 0) {
		best = use[at];
		memmove(&use[1], &use[0], at * sizeof(*use));
		use[0] = best;
	}
}

bool media_agree(struct exchange *x, struct line *l, const struct gw_sdp_media *theirs, const struct gw_sdp_peer *peer,
		 struct ort_json_array *recv, struct ort_json_array *send)
{
	line_swap(l);
	l->on = true;
	l->refused = false;
	g_clear_pointer(&l->why, g_free);
	l->bps = peer->bps;
	move(recv, &l->recv);
	move(send, &l->send);
	if (l->type == GW_SDP_VIDEO) {
		best_first(&l->send);
	}
	keep_exts(l, x->sdp, theirs, l->tp->lite);
	return line_connect(x, l, peer);
}

/* What of the transport the answer must go along with. NULL or why not. */
static const char *misfit(const struct tp *tp, const struct gw_sdp_peer *peer)
{
	if (tp->lite && !peer->ice) {
		return "the answer is without ICE";
	}
	switch (tp->security) {
	case GW_SDP_NO_KEYS:
		return peer->keyed ? "the answer wants keys" : NULL;
	case GW_SDP_SDES:
		return peer->n_cryptos == 0 ? peer->crypto_why : NULL;
	case GW_SDP_DTLS:
		return !peer->fingerprint ? "no SHA-256 fingerprint" : !peer->rtcp_mux ? "DTLS without rtcp-mux" : NULL;
	}
	g_assert_not_reached();
}

static void refuse_line(struct sip_media *m, struct line *l, const struct gw_sdp_media *theirs, const char *why)
{
	g_autofree char *codecs = strcmp(why, "no codec in common") == 0 ? gw_sdp_why_no_codec(theirs) : NULL;

	line_off(m, l, codecs ? codecs : why);
	l->refused = true;
}

static void take_floor(struct exchange *x, struct line *l, size_t i)
{
	struct gw_sdp_floor floor;
	const char *why;

	gw_sdp_read_floor(x->sdp, i, &floor);
	why = !l->link ? "not offered" : floor.why ? floor.why : floor_take_answer(x->m, l, &floor);
	if (why) {
		refuse_line(x->m, l, &x->sdp->media[i], why);
	}
	l->on = why == NULL;
}

static void take_line(struct exchange *x, struct line *l, size_t i, struct gw_sdp_agreed *agreed)
{
	const struct tp *tp = l->next ? l->next : l->tp;
	const struct gw_sdp_media *theirs = &x->sdp->media[i];
	const char *why = !tp ? "not offered" : agreed->accepted ? misfit(tp, &x->peers[i]) : agreed->why;

	if (!why) {
		l->dir = agreed->dir;
		if (!media_agree(x, l, theirs, &x->peers[i], &agreed->codecs, &agreed->sends)) {
			why = "no usable key in the answer";
		}
	}
	if (why) {
		refuse_line(x->m, l, theirs, why);
	} else {
		line_apply(x, l);
	}
}

static bool take_lines(struct exchange *x, struct gw_sdp_agreed *agreed)
{
	struct sip_media *m = x->m;
	bool any = false;

	for (guint i = 0; i < m->lines->len; i++) {
		struct line *l = m->lines->pdata[i];

		if (l->type == GW_SDP_APPLICATION) {
			take_floor(x, l, i);
		} else {
			take_line(x, l, i, &agreed[i]);
			any |= l->on;
		}
	}
	return any;
}

static void first_why(struct exchange *x)
{
	struct line *first = x->m->lines->pdata[0];

	xchg_fail(x, 488, first->why ? first->why : "nothing in common");
}

void sip_media_take_answer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn)
{
	struct exchange *x = xchg_new(m, X_ANSWER, fn);
	g_autofree struct gw_sdp_line *lines = g_new0(struct gw_sdp_line, m->lines->len + 1);
	g_autofree struct gw_sdp_agreed *agreed = g_new0(struct gw_sdp_agreed, m->lines->len + 1);
	g_autofree struct gw_sdp_peer *peers = g_new0(struct gw_sdp_peer, m->lines->len + 1);
	g_autofree char *why = NULL;

	if (!xchg_parse(x, sdp, len)) {
		xchg_release(x);
		return;
	}
	for (guint i = 0; i < m->lines->len; i++) {
		media_describe(m, m->lines->pdata[i], &lines[i]);
	}
	if (gw_sdp_take_answer(x->sdp, lines, m->lines->len, peers, agreed, &why) < 0) {
		xchg_fail(x, 488, why);
	} else {
		m->n_agreed = m->lines->len;
		if (!take_lines(x, agreed)) {
			first_why(x);
		}
	}
	gw_sdp_agreed_clear(agreed, m->lines->len);
	xchg_release(x);
}
