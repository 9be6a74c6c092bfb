/* Record bodies and objects of call-and-acknowledge. Included by domain_priv.h. */
#pragma once
#include "gateway/domain/domain.h"
#include "mcu/base/json.h"

struct gw_rec_callack_way { int channel; char *to; };
struct gw_rec_callack_row { char *post, *name, *person, *site; int64_t wait_ms; bool together; struct ort_json_array ways; };
struct gw_rec_callack_open { char *id, *conference, *text; int64_t nr; struct ort_json_array rows; };
struct gw_rec_callack_try { char *callack; int64_t row; };
struct gw_rec_callack_state { char *callack, *why; int64_t row, way; int state; };
struct gw_rec_callack_ack { char *callack; int64_t row, way; };
struct gw_rec_callack_join { char *callack, *party; int64_t row; };
struct gw_rec_callack_spent { char *callack, *post; };
struct gw_rec_callack_close { char *callack, *why; };
extern const struct ort_json_table gw_rec_table_callack_row, gw_rec_table_callack_way;

struct gw_callack_way { enum gw_callack_channel channel; enum gw_callack_state state; char *to, *why; int64_t since_ms, at_ms[GW_WAY_N]; };
struct gw_callack_row {
	char *post, *name, *person, *site, *acked_by, *party;
	int64_t wait_ms, tried_ms, tried_us, acked_ms;
	int acked_way;
	bool together, spent;		/* spent: of the last row of a post: nobody is left to try */
	GArray *ways;			/* struct gw_callack_way */
};
struct gw_callack {
	char *id, *text, *by, *why;
	struct gw_conference *conference;
	int64_t opened_ms, closed_ms;
	GPtrArray *rows;		/* struct gw_callack_row, owned */
};
struct gw_callacks { GHashTable *all; GPtrArray *order; int64_t last; };
json_t *gw_callack_json(const gw_domain *d, const struct gw_callack *c);
const struct gw_callack_row *gw_callack_acked(const struct gw_callack *c, const char *post);	/* NULL = nobody has */
bool gw_callack_ended(const struct gw_callack *c, const char *post);	/* confirmed, or nobody left */
bool gw_callack_confirmed(const gw_domain *d, const char *party);	/* this party comes because it confirmed */
