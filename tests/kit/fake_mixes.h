/* Mixes of one fake room: remembers what the gateway asked for. Owner and thread: its fake_rooms. */
#pragma once
#include "mcu/proto/proto.h"

typedef struct kit_fake_mixes kit_fake_mixes;
kit_fake_mixes *kit_fake_mixes_new(void);
void kit_fake_mixes_free(kit_fake_mixes *m);
/* MIX_*: -1 = done, else an enum mcu_error_id. Streams of the room are the caller's matter. */
int kit_fake_mixes_call(kit_fake_mixes *m, enum mcu_method method, const void *request);
void kit_fake_mixes_answer(enum mcu_method method, const struct mcu_mix_ref *q, void *reply);	/* stills and clips: three bytes */
bool kit_fake_mixes_has(const kit_fake_mixes *m, const char *mix);
void kit_fake_mixes_dump(const kit_fake_mixes *m, struct ort_json_array *ret);	/* dump_mix rows, (transfer full) */
json_t *kit_fake_mixes_print(const kit_fake_mixes *m, const char *mix);	/* its row or NULL, (transfer full) */
