/* The peer's offer and our answer: plan each m-line, open what is missing in the engine, agree, write. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

/* ---- plans: pure, from what the peer says ---- */

static bool taken(const struct exchange *x, size_t n, enum slot slot)
{
	for (size_t i = 0; i < n; i++) {
		if (x->plans[i].accept && x->plans[i].slot == slot) {
			return true;
		}
	}
	return false;
}

/* A second picture is content, said or not: old rooms write no a=content. */
static enum slot slot_of(const struct exchange *x, size_t i, const struct gw_sdp_peer *peer, const struct line *have)
{
	const struct sip_media *m = x->m;
	bool slides = peer->content == MCU_CONTENT_SLIDES;
	enum slot slot;

	if (have && have->on && have->slot != SLOT_NONE) {
		return have->slot;
	}
	if (peer->kind == MCU_AUDIO) {
		slot = SLOT_AUDIO;
	} else if (!m->conf.video) {
		return SLOT_NONE;
	} else {
		slot = slides || taken(x, i, SLOT_MAIN) ? SLOT_CONTENT : SLOT_MAIN;
	}
	return taken(x, i, slot) || (slot == SLOT_CONTENT && !m->conf.content) ? SLOT_NONE : slot;
}

/* What the peer can, what we may: the safest first. OSRTP (RFC 8643): keys beside a profile without S are an invitation. */
static bool choose_security(const struct sip_media *m, const struct gw_sdp_peer *peer, struct plan *p, const char **ret_why)
{
	bool dtls;

	*ret_why = peer->keyed ? peer->crypto_why ? peer->crypto_why : "no usable keys" : "no security that is allowed";
	dtls = peer->fingerprint && media_may(m, GW_SDP_DTLS, ret_why);
	if (dtls && peer->rtcp_mux) {
		p->security = GW_SDP_DTLS;
		return true;
	}
	if (peer->n_cryptos > 0 && media_may(m, GW_SDP_SDES, ret_why)) {
		p->security = GW_SDP_SDES;
		return true;
	}
	if (dtls) {	/* linphone as it comes: RTP has an association, RTCP would want one of its own */
		p->security = GW_SDP_DTLS;
		p->no_rtcp = true;
		return true;
	}
	if (!peer->keyed && media_may(m, GW_SDP_NO_KEYS, ret_why)) {
		p->security = GW_SDP_NO_KEYS;
		return true;
	}
	return false;
}

static void without_feedback(struct ort_json_array *uses)
{
	struct mcu_codec_use *use = uses->items;

	for (size_t i = 0; i < uses->n; i++) {
		use[i].nack = use[i].pli = use[i].fir = use[i].remb = use[i].twcc = false;
	}
}

static void plan_line(struct exchange *x, size_t i)
{
	struct sip_media *m = x->m;
	const struct gw_sdp_peer *peer = &x->peers[i];
	const struct line *have = i < m->lines->len ? m->lines->pdata[i] : NULL;
	struct plan *p = &x->plans[i];
	struct ort_json_array ours = { 0 };
	const char *why = peer->why;

	p->slot = SLOT_NONE;
	if (why) {
		p->why = g_strdup(why);
		return;
	}
	p->slot = slot_of(x, i, peer, have);
	if (p->slot == SLOT_NONE) {
		p->why = g_strdup("not wanted");
		return;
	}
	if (!choose_security(m, peer, p, &why)) {
		p->why = g_strdup(why);
		return;
	}
	p->lite = peer->ice && peer->rtcp_mux && p->security == GW_SDP_DTLS;
	p->mux = peer->rtcp_mux;
	media_codecs(m, peer->kind, &ours);
	p->accept = gw_sdp_agree(&x->sdp->media[i], ours.items, ours.n, true, &p->recv, &p->send);
	p->why = p->accept ? NULL : gw_sdp_why_no_codec(&x->sdp->media[i]);
	if (p->no_rtcp) {	/* key frames are asked for by INFO then (RFC 5168) */
		without_feedback(&p->recv);
		without_feedback(&p->send);
	}
	gw_sdp_array_clear(&mcu_table_codec_use, &ours);
}

/* ---- transports ---- */

static bool fits(const struct tp *tp, const struct plan *p, const struct gw_sdp_peer *peer)
{
	return tp && !tp->lost && tp->lite == p->lite && tp->security == p->security && tp->mux == (p->mux || p->lite) &&
	       (p->security != GW_SDP_DTLS || !tp->fingerprint || g_ascii_strcasecmp(tp->fingerprint, peer->fingerprint) == 0);
}

/* RFC 8843: what is bundled rides on the first of the bundle. */
static struct tp *shared(struct exchange *x, size_t i)
{
	for (size_t k = 0; k < i && x->plans[i].lite && x->peers[i].bundled; k++) {
		struct line *l = x->m->lines->pdata[k];

		if (x->plans[k].accept && x->plans[k].lite && x->peers[k].bundled) {
			return tp_ref(l->next);
		}
	}
	return NULL;
}

static void open_line(struct exchange *x, struct line *l, size_t i)
{
	const struct gw_sdp_peer *peer = &x->peers[i];
	const struct plan *p = &x->plans[i];

	l->next = shared(x, i);
	if (!l->next && fits(l->tp, p, peer)) {
		l->next = tp_ref(l->tp);
		if (p->lite && l->tp->ufrag && g_strcmp0(l->tp->ufrag, peer->ufrag) != 0) {
			tp_restart(x, l->tp);
		}
	}
	if (!l->next) {
		l->next = tp_open(x, (unsigned)i, p->lite, p->security, p->mux, strchr(peer->ip, ':') != NULL);
	}
}

/* ---- answering ---- */

static void describe(struct exchange *x, struct line *l, size_t i, struct gw_sdp_line *ret, struct gw_sdp_crypto *crypto)
{
	const struct gw_sdp_media *theirs = &x->sdp->media[i];
	const struct gw_sdp_peer *peer = &x->peers[i];

	l->offered_dir = l->dir;
	media_describe(x->m, l, ret);
	ret->offered = theirs;
	ret->reject = !l->on;
	ret->mid = theirs->mid;
	if (!l->on || l->type == GW_SDP_APPLICATION) {
		return;
	}
	ret->codecs = &l->recv;
	ret->content = theirs->content && l->slot != SLOT_NONE ? ret->content : NULL;
	ret->n_cryptos = 0;
	if (l->tp->security == GW_SDP_DTLS) {
		ret->setup = l->tp->dtls_client ? GW_SDP_ACTIVE : GW_SDP_PASSIVE;
	}
	for (size_t k = 0; k < peer->n_cryptos && l->tp->security == GW_SDP_SDES && ret->n_cryptos == 0; k++) {
		const struct gw_sdp_crypto *ours = tp_key(l->tp, peer->cryptos[k].suite);

		if (ours) {	/* RFC 4568 5.1.2: the offerer's tag, our key */
			*crypto = *ours;
			crypto->tag = peer->cryptos[k].tag;
			ret->cryptos = crypto;
			ret->n_cryptos = 1;
		}
	}
}

static void write_answer(struct exchange *x)
{
	size_t n = x->m->lines->len;
	g_autofree struct gw_sdp_line *lines = g_new0(struct gw_sdp_line, n);
	g_autofree struct gw_sdp_crypto *cryptos = g_new0(struct gw_sdp_crypto, n);
	g_autoptr(GPtrArray) bundle = g_ptr_array_new();

	for (size_t i = 0; i < n; i++) {
		struct line *l = x->m->lines->pdata[i];

		describe(x, l, i, &lines[i], &cryptos[i]);
		if (l->on && l->tp && l->tp->lite && x->peers[i].bundled) {
			g_ptr_array_add(bundle, (gpointer)(uintptr_t)x->sdp->media[i].mid);
		}
	}
	g_ptr_array_add(bundle, NULL);
	x->text = media_write(x->m, lines, bundle->len > 1 ? (const char *const *)bundle->pdata : NULL);
	explicit_bzero(cryptos, n * sizeof(*cryptos));
}

static enum gw_sdp_dir our_dir(const struct sip_media *m, const struct gw_sdp_peer *peer)
{
	unsigned dir = (peer->dir & GW_SDP_SEND ? GW_SDP_RECV : 0u) | (peer->dir & GW_SDP_RECV ? GW_SDP_SEND : 0u);

	return (enum gw_sdp_dir)(m->hold ? dir & GW_SDP_SEND : dir);
}

static void agree_line(struct exchange *x, struct line *l, size_t i)
{
	const struct gw_sdp_media *theirs = &x->sdp->media[i];
	struct plan *p = &x->plans[i];

	if (l->type == GW_SDP_APPLICATION) {
		return;
	}
	if (!p->accept) {
		line_off(x->m, l, p->why);
		return;
	}
	g_free(l->mid);
	l->mid = g_strdup(theirs->mid);
	l->dir = our_dir(x->m, &x->peers[i]);
	l->avpf = x->peers[i].avpf;
	if (media_agree(x, l, theirs, &x->peers[i], &p->recv, &p->send)) {
		line_apply(x, l);
	} else {
		line_off(x->m, l, "no usable keys");
	}
}

static void take_floors(struct exchange *x)
{
	for (size_t i = 0; i < x->sdp->n_media; i++) {
		struct line *l = x->m->lines->pdata[i];
		struct gw_sdp_floor floor;
		const char *why;

		if (l->type != GW_SDP_APPLICATION) {
			continue;
		}
		gw_sdp_read_floor(x->sdp, i, &floor);
		why = !gw_sdp_is_floor(&x->sdp->media[i]) ? "no floor control" : floor.why ? floor.why
		      : !line_of_slot(x->m, SLOT_CONTENT)				    ? "no content stream"
											    : floor_take_offer(x->m, l, &floor);
		if (why) {
			line_off(x->m, l, why);
		}
		l->on = why == NULL;
	}
}

static void answer_ready(struct exchange *x)
{
	struct sip_media *m = x->m;

	if (x->status != 0) {
		xchg_finish(x);
		return;
	}
	xchg_hold(x);
	m->n_agreed = m->lines->len;
	for (size_t i = 0; i < m->lines->len; i++) {
		agree_line(x, m->lines->pdata[i], i);
	}
	take_floors(x);
	write_answer(x);
	x->next = xchg_finish;
	xchg_release(x);
}

/* ---- beginning ---- */

static struct line *line_for(struct exchange *x, size_t i)
{
	struct sip_media *m = x->m;
	const struct gw_sdp_media *theirs = &x->sdp->media[i];
	struct line *l = i < m->lines->len ? m->lines->pdata[i] : line_new(m, theirs->type, SLOT_NONE);

	if (l->type != theirs->type) {	/* RFC 3264 8.1: the place of a dead m-line may be used for another */
		line_off(m, l, NULL);
		l->type = theirs->type;
		l->slot = SLOT_NONE;
	}
	g_free(l->proto);
	l->proto = g_strdup(theirs->proto);
	return l;
}

static void begin(struct exchange *x)
{
	struct sip_media *m = x->m;
	size_t n = x->sdp->n_media;
	bool any = false;

	x->plans = g_new0(struct plan, n);
	for (size_t i = 0; i < n; i++) {
		plan_line(x, i);
		any |= x->plans[i].accept;
	}
	if (!any) {
		xchg_fail(x, 488, x->plans[0].why);
		return;
	}
	if (n < m->lines->len) {
		xchg_fail(x, 488, "fewer m-lines than before");	/* RFC 3264 8 */
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct line *l = line_for(x, i);

		if (x->plans[i].accept) {
			if (l->slot != x->plans[i].slot && l->slot != SLOT_NONE) {
				line_off(m, l, NULL);
			}
			l->slot = x->plans[i].slot;
			open_line(x, l, i);
		}
	}
	x->next = answer_ready;
}

void sip_media_take_offer(struct sip_media *m, const char *sdp, size_t len, sip_media_fn fn)
{
	struct exchange *x = xchg_new(m, X_TAKE, fn);

	if (xchg_parse(x, sdp, len)) {
		begin(x);
	}
	xchg_release(x);
}
