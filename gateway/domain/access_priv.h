/* Inside of the domain: records and objects of access.c and approval.c. Included by domain_priv.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct gw_rec_access_own { char *kind, *object, *division; };
struct gw_rec_access_share { char *id, *kind, *object, *to; int64_t nr; bool command; };
struct gw_rec_access_ref { char *id; };
struct gw_rec_approval_ask { char *id, *subject, *method, *digest, *text; int64_t nr; };
struct gw_rec_approval_end { char *id, *by, *state; };
