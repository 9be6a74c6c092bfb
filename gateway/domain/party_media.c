/* A party as media sees it: under which name it publishes, what of it flows. Volatile: nothing of this is remembered. */
#include <string.h>

#include "gateway/domain/domain_priv.h"

const char *gw_party_prefix(const struct gw_party *p)
{
	if (p->streams != NULL) {
		return p->streams;
	}
	bool scene = p->address != NULL && g_str_has_prefix(p->address, "scene:");
	return scene ? p->address + strlen("scene:") : p->id;
}

void gw_party_set_bridge(gw_domain *d, const char *party, bool on)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL && p->bridge != on) {
		p->bridge = on;
		gw_conference_changed(d, p->conference, true);
	}
}

void gw_party_set_streams(gw_domain *d, const char *party, const char *prefix)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL && g_strcmp0(p->streams, prefix) != 0) {
		g_free(p->streams);
		p->streams = g_strdup(prefix);
		memset(p->stream, 0, sizeof(p->stream));
		gw_conference_changed(d, p->conference, true);
	}
}

const char *gw_party_streams(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? gw_party_prefix(p) : NULL;
}

const char *gw_party_by_streams(const gw_domain *d, const char *prefix)
{
	struct gw_party *p = gw_party_get(d, prefix);
	if (p != NULL && g_strcmp0(gw_party_prefix(p), prefix) == 0) {
		return p->conference->closed_ms == 0 ? p->id : NULL;
	}
	for (unsigned n = 0; prefix != NULL && n < d->conference_order->len; n++) {
		const struct gw_conference *c = d->conference_order->pdata[n];
		for (unsigned k = 0; c->closed_ms == 0 && k < c->parties->len; k++) {
			p = c->parties->pdata[k];
			if (!p->removed && strcmp(gw_party_prefix(p), prefix) == 0) {
				return p->id;
			}
		}
	}
	return NULL;
}

const char *gw_party_by_address(const gw_domain *d, const char *conference, const char *address)
{
	struct gw_conference *c = gw_conference_find_open(d, conference, NULL);
	for (unsigned n = 0; c != NULL && n < c->parties->len; n++) {
		const struct gw_party *p = c->parties->pdata[n];
		if (!p->removed && g_strcmp0(p->address, address) == 0) {
			return p->id;
		}
	}
	return NULL;
}

enum gw_site_state gw_party_get_state(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? p->state : GW_SITE_ABSENT;
}

int64_t gw_party_max_bps(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? p->max_bps : 0;
}

const char *gw_party_address(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? p->address : NULL;
}

const char *gw_party_name(const gw_domain *d, const char *party)
{
	struct gw_party *p = gw_party_get(d, party);
	return p != NULL ? p->name : NULL;
}

void gw_party_stream(gw_domain *d, const char *party, enum gw_party_stream stream, bool on, struct gw_now now)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL && p->stream[stream] != on) {
		p->stream[stream] = on;
		gw_conference_changed(d, p->conference, true);
	}
}

void gw_party_flow(gw_domain *d, const char *party, bool sends, const struct gw_party_flow *flow)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL) {
		*(sends ? &p->sends : &p->gets) = *flow;
	}
}

void gw_party_speaking(gw_domain *d, const char *party, bool on)
{
	struct gw_party *p = gw_party_get(d, party);
	if (p != NULL) {
		p->speaking = on;
	}
}
