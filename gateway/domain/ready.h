/* Standing readiness: quiet calls at night to sites that answer by themselves. Each is measured for some seconds and gets 0 to 100
 * with the reasons; who does not answer by himself is judged by his registration only. Included by domain.h. */
#pragma once
#include "gateway/domain/domain.h"

enum gw_ready_fault {
#define X(id, ...) GW_READY_##id,
#include "gateway/domain/ready_faults.def"
#undef X
	GW_READY_FAULT_N
};
extern const char *const gw_ready_fault_names[GW_READY_FAULT_N + 1];	/* NULL-terminated */
extern const int gw_ready_fault_points[GW_READY_FAULT_N];
#define GW_READY_PASS 60		/* below it a site would fail now */
#define GW_READY_SITES 1000

struct gw_ready_site { const char *site; bool call, registered; };	/* call: it answers by itself */
struct gw_ready_figures { bool black, frozen, silent; double loss; int64_t bitrate_bps, rtt_ms; };
/* In a conference of its own, which nobody is shown. Returns the id (borrowed). One at a time. */
const char *gw_ready_open(gw_domain *d, const char *actor, const struct gw_ready_site *sites, size_t n, struct gw_now now, GError **err);
bool gw_ready_is(const gw_domain *d, const char *conference);	/* such a conference */
int64_t gw_ready_turn_us(const gw_domain *d, const char *party);	/* measured since then; -1 = it is not */
void gw_ready_turns(const gw_domain *d, const char *conference, void (*fn)(const char *party, void *ud), void *ud);
void gw_ready_measured(gw_domain *d, const char *party, const struct gw_ready_figures *f);	/* the last words count */
int64_t gw_ready_last_ms(const gw_domain *d);	/* when the last run began; 0 = never */
json_t *gw_ready_print(const gw_domain *d, const char *id);	/* NULL id = the last one; (transfer full), NULL = none */
json_t *gw_ready_list(const gw_domain *d, unsigned limit);	/* without sites, newest first */
