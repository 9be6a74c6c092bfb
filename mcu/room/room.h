/* Forwarding: sources (published streams), sinks (subscribed streams), who sees whom. One room lives on one media thread
 * from open to close. Parent: the worker. Transports are opened through the room, sources and sinks live on a transport
 * and die with it. Ids are the caller's; equal repeated opens are no error. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mcu/net/net.h"
#include "mcu/proto/proto.h"

typedef struct mcu_room mcu_room;
typedef struct mcu_rooms mcu_rooms;	/* all rooms of one worker, with their port */

/* Events go to the worker, which posts them to the control thread; `body` points to the event's struct of
 * mcu/proto (borrowed for the call). */
typedef void (*mcu_room_event_fn)(enum mcu_event event, const void *body, void *user_data);

mcu_rooms *mcu_rooms_new(const struct mcu_port_conf *conf, const struct mcu_room_limits *limits, mcu_room_event_fn fn,
			 void *user_data, GError **err);
void mcu_rooms_free(mcu_rooms *rooms);
mcu_port *mcu_rooms_port(mcu_rooms *rooms);
int64_t mcu_rooms_deadline(const mcu_rooms *rooms);	/* includes the port's */
void mcu_rooms_turn(mcu_rooms *rooms, int64_t now_us);	/* port turn + RTCP, NACK, PLI, statistics that are due */

/* RFC 8285 id of the sound level (RFC 6464) on the way to the codec worker. */
#define MCU_BRIDGE_EXT_LEVEL 1
/* A mix: a transport of its id behind `channel` (the maker's side; taken, also on error). Again: the next codec worker takes
 * over sources and sinks. Unlike those of other transports, sinks of a mix may name a source that is not there yet (sink.add,
 * sink.route): they connect each time it comes, or say mix.input_state "unsupported"; their id is that of the mix, "/" and the input's.
 * Sources may be added again with another SSRC. Silent but for transport.state "failed", why "bridge". */
bool mcu_rooms_bridge(mcu_rooms *rooms, const struct mcu_mix_open *rq, mcu_channel *channel, int64_t now_us, GError **err);

/* One function a method of mcu/proto; requests and replies are its structs. false: err is an MCU_ERROR code. */
bool mcu_rooms_call(mcu_rooms *rooms, enum mcu_method method, const void *request, void *reply, int64_t now_us, GError **err);
