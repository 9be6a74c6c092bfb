/* Transports of a call in the engine: opening, keeping, closing. */
#include <string.h>

#include "gateway/sip/media_state_priv.h"

struct tp *tp_ref(struct tp *tp)
{
	tp->refs++;
	return tp;
}

static void tp_free(struct tp *tp)
{
	ort_json_clear(&mcu_table_transport_reply, &tp->reply);
	explicit_bzero(tp->keys, sizeof(tp->keys));
	g_free(tp->id);
	g_free(tp->ufrag);
	g_free(tp->fingerprint);
	g_free(tp);
}

static void close_in_engine(struct tp *tp)
{
	struct mcu_transport_ref ref = { tp->m->room, tp->id };

	if (!tp->lost) {
		tp->m->ops.media(MCU_METHOD_TRANSPORT_CLOSE, &ref, NULL, NULL, tp->m->user_data);
	}
}

void tp_unref(struct tp *tp)
{
	if (!tp || --tp->refs > 0) {
		return;
	}
	if (tp->m) {
		close_in_engine(tp);
		g_ptr_array_remove_fast(tp->m->tps, tp);
	}
	tp_free(tp);
}

void tp_drop(struct tp **tp)
{
	tp_unref(*tp);
	*tp = NULL;
}

void tp_orphan(struct tp *tp)
{
	close_in_engine(tp);
	tp->m = NULL;
}

/* ---- opening ---- */

struct opening { struct exchange *x; struct tp *tp; };

static void keep_reply(struct tp *tp, const void *reply)
{
	g_autoptr(json_t) o = ort_json_print(&mcu_table_transport_reply, reply);

	ort_json_clear(&mcu_table_transport_reply, &tp->reply);
	(void)ort_json_read(&mcu_table_transport_reply, o, &tp->reply, NULL);
}

static void on_opened(const void *reply, const GError *err, void *user_data)
{
	struct opening *o = user_data;
	struct exchange *x = o->x;

	if (err) {
		xchg_error(x, err);
		o->tp->lost = true;
	} else {
		keep_reply(o->tp, reply);
	}
	tp_unref(o->tp);
	g_free(o);
	xchg_done(x);
}

static void call(struct exchange *x, struct tp *tp, enum mcu_method method, const void *request)
{
	struct opening *o = g_new(struct opening, 1);

	*o = (struct opening){ x, tp_ref(tp) };
	x->pending++;
	x->m->ops.media(method, request, on_opened, o, x->m->user_data);
}

static void make_keys(struct tp *tp)
{
	for (size_t i = 0; gw_sdp_crypto_suites[i] && i < G_N_ELEMENTS(tp->keys); i++) {
		tp->n_keys += gw_sdp_crypto_make((unsigned)i + 1, gw_sdp_crypto_suites[i], &tp->keys[tp->n_keys]);
	}
}

const struct gw_sdp_crypto *tp_key(const struct tp *tp, const char *suite)
{
	for (size_t i = 0; i < tp->n_keys; i++) {
		if (strcmp(tp->keys[i].suite, suite) == 0) {
			return &tp->keys[i];
		}
	}
	return NULL;
}

/* (transfer full): one reference */
struct tp *tp_open(struct exchange *x, unsigned index, bool lite, enum gw_sdp_security security, bool mux, bool ip6)
{
	static const char *const words[] = { "none", "sdes", "dtls" };
	struct sip_media *m = x->m;
	struct tp *tp = g_new0(struct tp, 1);
	struct mcu_transport_open open = { .room = m->room, .max_bps = m->conf.max_bps };

	*tp = (struct tp){ .m = m, .refs = 1, .lite = lite, .security = security, .mux = mux || lite };
	tp->id = g_strdup_printf("%s.%u.%u", m->id, index, m->tp_serial++);
	g_ptr_array_add(m->tps, tp);
	if (security == GW_SDP_SDES) {
		make_keys(tp);
	}
	open.transport = tp->id;
	open.zone = (char *)(uintptr_t)m->conf.zone->name;
	open.kind = (char *)(uintptr_t)(lite ? "lite" : "plain");
	if (!lite) {
		open.security = (char *)(uintptr_t)words[security];
		open.family = (char *)(uintptr_t)(ip6 ? "ip6" : "ip4");
		open.rtcp_mux = mux;
	}
	call(x, tp, MCU_METHOD_TRANSPORT_OPEN, &open);
	return tp;
}

void tp_restart(struct exchange *x, struct tp *tp)
{
	struct mcu_transport_ref ref = { x->m->room, tp->id };

	call(x, tp, MCU_METHOD_TRANSPORT_RESTART, &ref);
}

const struct mcu_candidate_use *tp_address(const struct tp *tp)
{
	return tp && tp->reply.candidates.n > 0 ? tp->reply.candidates.items : NULL;
}
