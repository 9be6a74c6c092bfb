/* Rows of the client protocol: methods, events, errors, names of enums. The field tables are in tables.c. */
#include "gateway/api/schema.h"

#include <string.h>

enum {	/* role sets of methods.def */
	NOBODY = 1 << GW_ROLE_NONE,
	ADM = 1 << GW_ROLE_ADMINISTRATOR,
	DSP = 1 << GW_ROLE_DISPATCHER,
	VWR = 1 << GW_ROLE_VIEWER,
	AUD = 1 << GW_ROLE_AUDITOR,
	WAL = 1 << GW_ROLE_WALL,
	ROO = 1 << GW_ROLE_ROOM,
	FLD = 1 << GW_ROLE_FIELD,
	STAFF = ADM | DSP | VWR | AUD,
	MEDIA = ADM | DSP | VWR | WAL | ROO | FLD,
	ANYBODY = STAFF | WAL | ROO | FLD,
};
enum { OPENER = GW_METHOD_OPENER, REST_ONLY = GW_METHOD_REST_ONLY, WS_ONLY = GW_METHOD_WS_ONLY, FIRST = GW_METHOD_FIRST, DEFAULT_BYTES = 65536 };

const char *const gw_role_names[] = { "none", "administrator", "dispatcher", "viewer", "auditor",
				      "wall", "room",	       "field",	     "system", NULL };
const char *const gw_account_role_names[] = { "none", "administrator", "dispatcher", "viewer", "auditor", NULL };
const char *const gw_scene_stamp_names[] = { "camera_asked", "camera_granted",	"camera_refused",
					     "no_camera",    "in_app_browser",	"paused",
					     "resumed",	     "heard_dispatcher", "battery", NULL };
const char *const gw_media_kind_names[] = { "audio", "video", NULL };
const char *const gw_media_content_names[] = { "main", "slides", NULL };
const char *const gw_wall_report_names[] = { "drawn", "frozen", "lost", NULL };

const struct gw_method_row gw_methods[GW_METHOD_N] = {
#define X(id, name_, request_, reply_, roles_, flags_, max_, doc_)                                            \
	[GW_METHOD_##id] = { .name = (name_), .request = &gw_table_##request_, .reply = &gw_table_##reply_,   \
			     .roles = (roles_), .flags = (flags_),                                            \
			     .max_bytes = (max_) ? (max_) : DEFAULT_BYTES, .doc = (doc_) },
#include "gateway/api/methods.def"
#undef X
};

const struct gw_event_row gw_events[GW_EVENT_N] = {
#define X(id, name_, body_, doc_) [GW_EVENT_##id] = { (name_), &gw_table_##body_, (doc_) },
#include "gateway/api/events.def"
#undef X
};

const struct gw_error_row gw_errors[GW_ERROR_N] = {
#define X(id, name_, http_, code_, en_, zh_) [GW_ERROR_##id] = { (name_), (http_), (code_), (en_), (zh_) },
#include "gateway/api/errors.def"
#undef X
};

/* Each kind of row begins with its name, so one search serves all. Sixty rows: a hash would not pay. */
static int find(const char *name, const void *rows, size_t n, size_t size)
{
	for (size_t i = 0; name && i < n; i++) {
		const char *row = *(const char *const *)((const char *)rows + i * size);
		if (strcmp(row, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

int gw_method_by_name(const char *name)
{
	return find(name, gw_methods, GW_METHOD_N, sizeof(gw_methods[0]));
}

int gw_event_by_name(const char *name)
{
	return find(name, gw_events, GW_EVENT_N, sizeof(gw_events[0]));
}

int gw_error_by_name(const char *name)
{
	return find(name, gw_errors, GW_ERROR_N, sizeof(gw_errors[0]));
}

int gw_role_by_name(const char *name)
{
	return find(name, gw_role_names, GW_ROLE_N, sizeof(gw_role_names[0]));
}
