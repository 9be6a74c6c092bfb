#include "tests/kit/fake_media.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/room/room.h"
#include "tests/kit/fake_rooms.h"

struct mcu_port { int fd; };
struct mcu_rooms { kit_fake_rooms *state; struct mcu_port port; mcu_room_event_fn fn; void *user_data; uint64_t calls, turns; };

mcu_rooms *mcu_rooms_new(const struct mcu_port_conf *conf, const struct mcu_room_limits *limits, mcu_room_event_fn fn,
			 void *user_data, GError **err)
{
	if (conf->listen && !g_strcmp0(conf->listen[0], KIT_LISTEN_BAD)) {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_STATE, "bad: address not available");
		return NULL;
	}
	mcu_rooms *r = g_new0(mcu_rooms, 1);
	r->state = kit_fake_rooms_new(fn, user_data);
	r->port.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->fn = fn;
	r->user_data = user_data;
	kit_fake_rooms_play(r->state, true);
	return r;
}

void mcu_rooms_free(mcu_rooms *rooms)
{
	kit_fake_rooms_free(rooms->state);
	close(rooms->port.fd);
	g_free(rooms);
}

mcu_port *mcu_rooms_port(mcu_rooms *rooms)
{
	return &rooms->port;
}

int64_t mcu_rooms_deadline(const mcu_rooms *rooms)
{
	return ORT_NEVER;
}

void mcu_rooms_turn(mcu_rooms *rooms, int64_t now_us)
{
	rooms->turns++;
}

static void shout(mcu_rooms *rooms, const char *room)
{
	struct mcu_stream_stats streams[3] = { { .id = (char *)"a", .direction = (char *)"in", .kind = (char *)"audio" },
					       { .id = (char *)"b", .direction = (char *)"in", .kind = (char *)"video" },
					       { .id = (char *)"c", .direction = (char *)"out", .kind = (char *)"video" } };
	const struct mcu_room_stats_event body = { .room = (char *)room, .streams = { streams, 3 }, .at_us = 1 };
	for (unsigned i = 0; i < 100; i++) {
		rooms->fn(MCU_EVENT_ROOM_STATS, &body, rooms->user_data);
	}
}

bool mcu_rooms_call(mcu_rooms *rooms, enum mcu_method method, const void *request, void *reply, int64_t now_us, GError **err)
{
	const char *room = method == MCU_METHOD_DUMP ? NULL : ((const struct mcu_room_ref *)request)->room;
	rooms->calls++;
	while (method == MCU_METHOD_ROOM_OPEN && !g_strcmp0(room, KIT_ROOM_HANG)) {
		pause();
	}
	if (!g_strcmp0(room, KIT_ROOM_SLOW)) {
		g_usleep(50000);
	}
	bool ok = kit_fake_rooms_call(rooms->state, method, request, reply, err);
	if (ok) {
		kit_fake_rooms_go_on(rooms->state, method, request);
	}
	if (ok && method == MCU_METHOD_ROOM_OPEN && !g_strcmp0(room, KIT_ROOM_LOUD)) {
		shout(rooms, room);
	}
	return ok;
}

bool mcu_rooms_bridge(mcu_rooms *rooms, const struct mcu_mix_open *rq, mcu_channel *channel, int64_t now_us, GError **err)
{
	bool ok = kit_fake_rooms_has_room(rooms->state, rq->room);
	mcu_channel_free(channel);
	if (ok) {
		kit_fake_rooms_put_mix(rooms->state, rq->room, rq->mix);
	} else {
		g_set_error_literal(err, MCU_ERROR, MCU_ERROR_UNKNOWN_ID, rq->room);
	}
	return ok;
}

int mcu_port_fd(const mcu_port *port)
{
	return port->fd;
}

uint16_t mcu_port_number(const mcu_port *port)
{
	return 40000;
}

const char *mcu_port_fingerprint(const mcu_port *port)
{
	return "AA:BB";
}
