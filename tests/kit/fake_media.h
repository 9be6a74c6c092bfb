/* The face of mcu/room and of the part of mcu/net that the engine uses, over kit_fake_rooms: media threads without a
 * network. Linked instead of the real ones, so that what fails in the engine's tests is the engine. */
#pragma once

/* Room ids that make a media thread misbehave. */
#define KIT_ROOM_SLOW "slow"	/* its commands take 50 ms each */
#define KIT_ROOM_HANG "hang"	/* opening it never returns */
#define KIT_ROOM_LOUD "loud"	/* opening it sends 100 events room.stats */
#define KIT_LISTEN_BAD "bad"	/* a listen address that cannot be bound */
