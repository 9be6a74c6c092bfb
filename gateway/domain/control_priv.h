/* What conference control keeps of a conference and of a party, and the bodies of its records. Included by domain_priv.h. */
#pragma once
#include "gateway/domain/domain.h"

struct gw_rec_control_party { char *conference, *party; };
struct gw_rec_control_switch { char *conference; bool on; };
struct gw_rec_control_number { char *conference; int64_t n; };
struct gw_rec_broadcast { char *conference, *party; int mode; };
struct gw_rec_poll { char *conference, *viewer, **parties; int64_t interval_ms; bool on; };
struct gw_rec_poll_step { char *conference, *viewer, *party; int step; };
struct gw_rec_voice { char *conference; int64_t speak_ms, hold_ms; double level_db; };
struct gw_rec_conference_part { char *conference, *parent; };
struct gw_rec_force_release { char *conference, *party, *to; };
struct gw_rec_party_loop { char *party; bool audio, video; };

struct gw_conference;
struct gw_party;

struct gw_poll {
	char **parties;		/* NULL = all */
	int64_t interval_ms, next_us;
	int at;			/* where in the list; the clock's steps are not remembered */
	bool paused;
};
struct gw_hand { struct gw_party *party; int64_t since_ms; };

struct gw_control {
	struct gw_party *main_site, *floor, *source;	/* source: of SITE and LECTURE */
	enum gw_broadcast mode;
	char *by;			/* who broadcasts */
	int64_t since_ms;
	struct gw_poll *poll;		/* of POLL */
	GArray *hands;			/* struct gw_hand, first come first */
	GPtrArray *chair_asking;	/* struct gw_party, borrowed */
	struct gw_voice voice;
	bool lobby;
	int64_t tone_us;		/* volatile: when those who wait are told again that they are not forgotten */
	int64_t ends_ms, ends_us;	/* 0 = no planned end */
	int warned;			/* minutes before the end that were warned of last */
	int64_t priority;
	char *parent;			/* conference that it is a part of */
	GPtrArray *audience;		/* volatile: lists of ids for gw_conference_audience, owned arrays */
};

struct gw_party_control {
	bool waiting, admitted, hidden, loop_audio, loop_video;
	struct gw_poll *poll;		/* what it is shown by turns */
};
