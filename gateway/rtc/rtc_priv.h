/* Inside of gateway/rtc: the connection, its slots, and one exchange of offer and answer. */
#pragma once
#include "gateway/rtc/rtc.h"
#include "gateway/sdp/sdp.h"

#define MAX_SLOTS 64
#define MAX_PER_OWNER 16

struct slot {
	char *mid;
	enum mcu_kind kind;
	char *source;	/* id of what the peer publishes here, NULL = nothing */
	char *sink;	/* id of what it receives here, NULL = nothing */
	char *feed;	/* stream that feeds the sink, NULL = silence */
	char *fed;	/* what really feeds it: the feed, or the same in a codec that the peer has */
	unsigned codecs;	/* that the peer takes here, 1 << enum mcu_codec_id */
	int sends;	/* codec of `source`, -1 = unknown */
	bool chosen;	/* the peer chose the feed */
};
struct exchange;	/* offer.c: one offer on its way */
struct pc {
	gw_leg leg;
	gw_rtc *rtc;
	char *owner, *name, *publishes;	/* publishes: party prefix */
	char *ufrag;			/* the peer's; another one = ICE restart; NULL after adoption */
	GPtrArray *slots;		/* struct slot, owned */
	struct exchange *exchange;	/* borrowed, NULL = none under way */
	uint64_t version;
	unsigned rights;
};
struct gw_rtc {
	struct gw_rtc_ops ops;
	struct gw_leg_listener listener;
	void *user_data;
	char *room;
	GHashTable *pcs;	/* transport id -> struct pc, borrowed: legs free themselves */
	GHashTable *streams;	/* published stream id -> struct pc, borrowed; keys owned */
	GHashTable *foreign;	/* ids of streams that others publish, owned */
	GHashTable *waiting;	/* struct exchange, owned */
	GPtrArray *ended;	/* struct pc that ended by themselves: freed from the loop, or earlier by gw_leg_free() */
	unsigned reaper;
};

struct pc *pc_new(gw_rtc *rtc, const char *owner, const char *name);
struct slot *pc_slot(struct pc *pc, const char *mid);		/* NULL = none */
struct slot *pc_slot_make(struct pc *pc, const char *mid, enum mcu_kind kind);
void pc_publish(struct pc *pc, struct slot *slot, const char *stream, enum mcu_content content);
void pc_unpublish(struct pc *pc, struct slot *slot);
void pc_settle(struct pc *pc, struct slot *slot);	/* `fed` after `feed` or `codecs` changed */
bool pc_is_mixed(const char *stream);
void pc_route(struct pc *pc, struct slot *slot, const char *stream, bool chosen);
void pc_call(struct pc *pc, enum mcu_method method, const void *request, mcu_client_fn fn, void *fn_data);
const char *live(const gw_rtc *rtc, const char *stream);	/* the stream if somebody publishes it, else NULL */
void refeed(gw_rtc *rtc, const char *stream);	/* the stream is (again) in the engine: route it to whom it belongs */
uint32_t sink_ssrc(const char *sink, bool rtx);
void rtc_exchange_orphan(struct exchange *x);	/* its connection goes: answers GONE */
void rtc_exchange_free(gpointer x);
