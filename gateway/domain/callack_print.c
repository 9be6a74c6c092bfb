/* Call-and-acknowledge as people see it: the closed loop list, and what sounds where. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

const char *const gw_callack_channel_names[GW_CALLACK_CHANNEL_N + 1] = {
#define X(id, name, outward, doc) [GW_CALLACK_##id] = name,
#include "gateway/domain/callack_channels.def"
#undef X
};
const char *const gw_callack_state_names[GW_WAY_N + 1] = {
	[GW_WAY_WAITING] = "waiting",	[GW_WAY_SENT] = "sent",	  [GW_WAY_DELIVERED] = "delivered", [GW_WAY_RINGING] = "ringing",
	[GW_WAY_ANSWERED] = "answered", [GW_WAY_ACKED] = "acked", [GW_WAY_FAILED] = "failed",	    [GW_WAY_CANCELLED] = "cancelled",
};

static json_t *way_json(const struct gw_callack_way *w)
{
	return json_pack("{s:s,s:s,s:s,s:s?,s:I,s:I,s:I,s:I,s:I}", "channel", gw_callack_channel_names[w->channel], "to", w->to, "state",
			 gw_callack_state_names[w->state], "why", w->why, "since_ms", (json_int_t)w->since_ms, "sent_ms",
			 (json_int_t)w->at_ms[GW_WAY_SENT], "delivered_ms", (json_int_t)w->at_ms[GW_WAY_DELIVERED], "ringing_ms",
			 (json_int_t)w->at_ms[GW_WAY_RINGING], "acked_ms", (json_int_t)w->at_ms[GW_WAY_ACKED]);
}

static const struct gw_callack_way *way_of(const struct gw_callack_row *r, int n)
{
	return n >= 0 && n < (int)r->ways->len ? &g_array_index(r->ways, struct gw_callack_way, n) : NULL;
}

/* The best that any of its ways came to; failed only when all are. */
static enum gw_callack_state row_state(const struct gw_callack_row *r)
{
	enum gw_callack_state best = GW_WAY_WAITING;
	bool failed = r->tried_ms != 0, cancelled = false;
	for (int n = 0; n < (int)r->ways->len; n++) {
		enum gw_callack_state s = way_of(r, n)->state;
		failed &= s == GW_WAY_FAILED;
		cancelled |= s == GW_WAY_CANCELLED;
		best = s <= GW_WAY_ACKED ? MAX(best, s) : best;
	}
	return r->acked_ms != 0 ? GW_WAY_ACKED : failed ? GW_WAY_FAILED : cancelled ? GW_WAY_CANCELLED : best;
}

static json_t *row_json(const gw_domain *d, int n, const struct gw_callack_row *r)
{
	json_t *ways = json_array();
	const struct gw_callack_way *by = way_of(r, r->acked_way);
	const struct gw_party *p = gw_party_get(d, r->party);
	for (int k = 0; k < (int)r->ways->len; k++) {
		json_array_append_new(ways, way_json(way_of(r, k)));
	}
	return json_pack("{s:i,s:s,s:s,s:s?,s:s?,s:b,s:I,s:s,s:I,s:I,s:s?,s:s?,s:s?,s:s?,s:o}", "row", n, "post", r->post, "name", r->name, "person",
			 r->person, "site", r->site, "together", r->together, "wait_ms", (json_int_t)r->wait_ms, "state",
			 gw_callack_state_names[row_state(r)], "tried_ms", (json_int_t)r->tried_ms, "acked_ms", (json_int_t)r->acked_ms, "acked_by",
			 r->acked_by, "channel", by != NULL ? gw_callack_channel_names[by->channel] : NULL, "party", r->party, "party_state",
			 p != NULL ? gw_site_state_names[p->state] : NULL, "ways", ways);
}

json_t *gw_callack_json(const gw_domain *d, const struct gw_callack *c)
{
	json_t *rows = json_array();
	int acked = 0, spent = 0, posts = 0;
	for (unsigned n = 0; n < c->rows->len; n++) {
		const struct gw_callack_row *r = c->rows->pdata[n];
		bool first = true;
		for (unsigned k = 0; k < n; k++) {
			first &= strcmp(((const struct gw_callack_row *)c->rows->pdata[k])->post, r->post) != 0;
		}
		bool done = first && gw_callack_acked(c, r->post) != NULL;
		posts += first;
		acked += done;
		spent += first && !done && gw_callack_ended(c, r->post);
		json_array_append_new(rows, row_json(d, (int)n, r));
	}
	const char *state = c->closed_ms != 0 ? "closed" : acked + spent == posts ? "done" : "running";
	return json_pack("{s:s,s:s,s:s,s:s?,s:b,s:s,s:s,s:s,s:s?,s:I,s:I,s:i,s:i,s:i,s:o}", "id", c->id, "conference", c->conference->id, "number",
			 c->conference->number, "incident", c->conference->incident, "drill", c->conference->drill, "text", c->text, "state", state,
			 "by", c->by, "why", c->why, "opened_ms", (json_int_t)c->opened_ms, "closed_ms", (json_int_t)c->closed_ms, "posts", posts,
			 "acked", acked, "spent", spent, "rows", rows);
}

json_t *gw_callack_print(const gw_domain *d, const char *id)
{
	const struct gw_callack *c = id != NULL ? g_hash_table_lookup(d->callacks->all, id) : NULL;
	return c != NULL ? gw_callack_json(d, c) : NULL;
}

json_t *gw_callack_list(const gw_domain *d, bool open_only, unsigned limit)
{
	json_t *list = json_array();
	for (unsigned n = d->callacks->order->len; n > 0 && json_array_size(list) < limit; n--) {
		const struct gw_callack *c = d->callacks->order->pdata[n - 1];
		if (!open_only || c->closed_ms == 0) {
			json_array_append_new(list, gw_callack_json(d, c));
		}
	}
	return list;
}

bool gw_callack_is_drill(const gw_domain *d, const char *id)
{
	const struct gw_callack *c = id != NULL ? g_hash_table_lookup(d->callacks->all, id) : NULL;
	return c != NULL && c->conference->drill;
}

const char *gw_callack_conference(const gw_domain *d, const char *id)
{
	const struct gw_callack *c = id != NULL ? g_hash_table_lookup(d->callacks->all, id) : NULL;
	return c != NULL ? c->conference->id : NULL;
}

bool gw_callack_look(const gw_domain *d, const char *id, int row, int way, struct gw_callack_row_info *ret)
{
	const struct gw_callack *c = id != NULL ? g_hash_table_lookup(d->callacks->all, id) : NULL;
	const struct gw_callack_row *r = c != NULL && row >= 0 && row < (int)c->rows->len ? c->rows->pdata[row] : NULL;
	const struct gw_callack_way *w = r != NULL ? way_of(r, way) : NULL;
	if (w == NULL) {
		return false;
	}
	*ret = (struct gw_callack_row_info){ r->name, r->site, r->person, w->to, r->party, w->channel, w->state, r->acked_ms != 0 };
	return true;
}

static bool sounds(const struct gw_callack_way *w, const char *address)
{
	return w->channel == GW_CALLACK_PAGE && (w->state == GW_WAY_SENT || w->state == GW_WAY_DELIVERED) && g_strcmp0(w->to, address) == 0;
}

json_t *gw_callack_siren(const gw_domain *d, const char *address)
{
	for (unsigned n = d->callacks->order->len; address != NULL && n > 0; n--) {
		const struct gw_callack *c = d->callacks->order->pdata[n - 1];
		for (unsigned k = 0; c->closed_ms == 0 && k < c->rows->len; k++) {
			const struct gw_callack_row *r = c->rows->pdata[k];
			for (int w = 0; r->tried_ms != 0 && r->acked_ms == 0 && w < (int)r->ways->len; w++) {
				if (sounds(way_of(r, w), address)) {
					return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:b,s:I}", "callack", c->id, "row", (int)k, "way", w, "name", r->name, "text",
							 c->text, "conference", c->conference->id, "drill", c->conference->drill, "since_ms",
							 (json_int_t)r->tried_ms);
				}
			}
		}
	}
	return NULL;
}

bool gw_callack_confirmed(const gw_domain *d, const char *party)
{
	for (unsigned n = d->callacks->order->len; n > 0; n--) {
		const struct gw_callack *c = d->callacks->order->pdata[n - 1];
		for (unsigned k = 0; c->conference->closed_ms == 0 && k < c->rows->len; k++) {
			const struct gw_callack_row *r = c->rows->pdata[k];
			if (r->acked_ms != 0 && g_strcmp0(r->party, party) == 0) {
				return true;
			}
		}
	}
	return false;
}

void gw_callack_of(const gw_domain *d, const char *conference, void (*fn)(const char *id, void *ud), void *ud)
{
	for (unsigned n = 0; n < d->callacks->order->len; n++) {
		const struct gw_callack *c = d->callacks->order->pdata[n];
		if (c->closed_ms == 0 && strcmp(c->conference->id, conference) == 0) {
			fn(c->id, ud);
		}
	}
}
