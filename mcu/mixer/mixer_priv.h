/* Inside of ortoo-mixer, the codec worker. Main thread (control), except where a function says otherwise. */
#pragma once
#include <glib.h>

#include "mcu/base/rpc.h"
#include "mcu/bridge/bridge.h"
#include "mcu/mix/mix.h"

/* ---- sandbox.c ---- */
struct mixer_sandbox { int64_t memory; bool on; };
void mixer_sandbox_early(void);	/* before anything: no new rights, no core, no debugger, end with the engine */
/* After the codecs were looked up (their register is written then) and before there are threads: files can only be read. */
void mixer_sandbox_files(const struct mixer_sandbox *s);
/* After all threads were started: no programs, no sockets, no writing; memory is bounded. false + err: not to be trusted. */
bool mixer_sandbox_calls(const struct mixer_sandbox *s, GError **err);

/* ---- preload.c ---- */
bool mixer_preload(GError **err);	/* GStreamer and its register of plug-ins */

/* ---- hand.c: descriptors that come beside the commands ---- */
typedef struct mixer_hand mixer_hand;
mixer_hand *mixer_hand_new(int fd);	/* owns fd */
void mixer_hand_free(mixer_hand *h);
bool mixer_hand_take(mixer_hand *h, uint32_t serial, int ret_fds[MCU_CHANNEL_FDS]);	/* (transfer full) */

/* ---- lanes.c: the bridge thread, which reads what the engine sends ---- */
typedef struct mixer_lanes mixer_lanes;
mixer_lanes *mixer_lanes_start(void);
void mixer_lanes_stop(mixer_lanes *l);
/* From now on packets of the channel go to `mix`, from the bridge thread. Returns a key. */
uint64_t mixer_lanes_add(mixer_lanes *l, mcu_channel *channel, mcu_mix *mix);
void mixer_lanes_remove(mixer_lanes *l, uint64_t key);	/* none goes after it returned */
int64_t mixer_lanes_turned_us(mixer_lanes *l);	/* when the thread last came round; asks it to */

/* ---- control.c ---- */
typedef struct mixer_control mixer_control;
/* Serves the engine on `rpc` with descriptors of `hand`; owns both. on_closed: the engine is gone. */
mixer_control *mixer_control_new(int rpc, int hand, void (*on_closed)(void *user_data), void *user_data);
extern const struct mcu_mix_ops mixer_ops;	/* mix_data: struct mixing */
void mixer_control_serve(mixer_control *c, mcu_mixer *mixer);	/* says that it is ready */
void mixer_control_free(mixer_control *c);	/* closes its mixes; before the mixer */
