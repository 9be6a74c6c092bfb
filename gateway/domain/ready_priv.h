/* Record bodies and objects of standing readiness. Included by domain_priv.h. */
#pragma once
#include "gateway/domain/ready.h"
#include "mcu/base/json.h"

struct gw_rec_ready_site { char *site; bool call, registered; };
struct gw_rec_ready_open { char *id, *conference; int64_t nr; struct ort_json_array sites; };
struct gw_rec_ready_call { char *run, *site, *party; };
struct gw_rec_ready_result { char *run, *site, **faults; int64_t score, answer_ms, bitrate_bps, rtt_ms; double loss; bool picture, sound; };
struct gw_rec_ready_ref { char *run; };
extern const struct ort_json_table gw_rec_table_ready_site;

struct gw_ready_entry {
	char *site, *name, *party, **faults;
	bool call, registered, done, picture, sound, measured;
	int64_t called_ms, called_us, present_us, done_ms, score, answer_ms, bitrate_bps, rtt_ms;
	double loss;
	struct gw_ready_figures figures;	/* volatile */
};
struct gw_ready_run { char *id, *by; struct gw_conference *conference; int64_t opened_ms, closed_ms; GArray *entries; };
struct gw_readies { GPtrArray *runs; int64_t last; };
