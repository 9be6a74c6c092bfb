/* One exchange of offer and answer: stages, replies of the engine, the end. What the stages do is media_offer.c's and
 * media_answer.c's. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

static void forget(struct exchange *x)
{
	struct sip_media *m = x->m;

	if (m) {
		m->x = m->x == x ? NULL : m->x;
		g_ptr_array_remove_fast(m->xs, x);
	}
	x->m = NULL;
}

static void xchg_free(struct exchange *x)
{
	for (size_t i = 0; x->plans && i < x->sdp->n_media; i++) {
		gw_sdp_array_clear(&mcu_table_codec_use, &x->plans[i].recv);
		gw_sdp_array_clear(&mcu_table_codec_use, &x->plans[i].send);
		g_free(x->plans[i].why);
	}
	g_free(x->plans);
	g_free(x->peers);
	gw_sdp_free(x->sdp);
	g_free(x->text);
	g_free(x->why);
	g_free(x);
}

struct exchange *xchg_new(struct sip_media *m, enum exchange_kind kind, sip_media_fn fn)
{
	struct exchange *x = g_new0(struct exchange, 1);
	bool late = kind == X_ANSWER && !m->offering;

	*x = (struct exchange){ .m = m, .kind = kind, .fn = fn, .pending = 1, .next = xchg_finish };
	if (m->x || (m->offering && kind != X_ANSWER)) {
		xchg_fail(x, 491, "an exchange of this call is under way");
	} else if (late) {
		xchg_fail(x, 500, "an answer without an offer");
	}
	if (x->status == 0) {
		m->x = x;
	}
	g_ptr_array_add(m->xs, x);
	return x;
}

static void run(struct exchange *x)
{
	if (x->m) {
		x->next(x);
	} else {
		xchg_free(x);
	}
}

static gboolean run_idle(gpointer user_data)
{
	struct exchange *x = user_data;

	x->idle = 0;
	run(x);
	return G_SOURCE_REMOVE;
}

void xchg_hold(struct exchange *x)
{
	x->pending++;
}

void xchg_release(struct exchange *x)
{
	if (--x->pending == 0) {
		x->idle = g_idle_add(run_idle, x);
	}
}

void xchg_done(struct exchange *x)
{
	if (--x->pending == 0) {
		run(x);
	}
}

void xchg_orphan(struct exchange *x)
{
	forget(x);
	if (x->idle) {
		g_source_remove(x->idle);
		xchg_free(x);
	}
}

void xchg_fail(struct exchange *x, unsigned status, const char *why)
{
	if (x->status == 0) {
		x->status = status;
		x->why = g_strdup(why);
	}
}

void xchg_error(struct exchange *x, const GError *err)
{
	bool row = err->domain == MCU_ERROR && err->code >= 0 && err->code < MCU_ERROR_N;

	xchg_fail(x, row ? (unsigned)mcu_errors[err->code].sip : 500, err->message);
}

static void on_step(const void *reply, const GError *err, void *user_data)
{
	struct exchange *x = user_data;

	if (err) {
		xchg_error(x, err);
	}
	xchg_done(x);
}

void xchg_step(struct exchange *x, enum mcu_method method, const void *request)
{
	x->pending++;
	x->m->ops.media(method, request, on_step, x, x->m->user_data);
}

bool xchg_parse(struct exchange *x, const char *text, size_t len)
{
	g_autofree char *why = NULL;

	if (x->status == 0 && gw_sdp_parse(text, len, &x->sdp, &why) < 0) {
		xchg_fail(x, 400, why);
	} else if (x->status == 0 && x->sdp->n_media == 0) {
		xchg_fail(x, 488, "no m-line");
	}
	if (x->status != 0) {
		return false;
	}
	x->peers = g_new0(struct gw_sdp_peer, x->sdp->n_media);
	for (size_t i = 0; i < x->sdp->n_media; i++) {
		gw_sdp_read_peer(x->sdp, i, &x->peers[i]);
	}
	return true;
}

void xchg_finish(struct exchange *x)
{
	struct sip_media *m = x->m;
	bool mine = m->x == x, good = x->status == 0;

	forget(x);
	if (mine) {
		m->offering = good ? x->kind == X_OFFER : m->offering && x->kind == X_ANSWER;
		if (!good && x->kind != X_ANSWER) {
			media_abandon(m);
		}
		media_settle_soon(m);
	}
	x->fn(m, good ? x->text ? x->text : "" : NULL, x->status, x->why, m->user_data);
	xchg_free(x);
}
