/* Methods, events, codecs and errors as arrays, all from the .def files. Nothing here knows what a row does. */
#include "mcu/proto/proto.h"

G_DEFINE_QUARK(mcu-error-quark, mcu_error)

const struct mcu_method_row mcu_methods[MCU_METHOD_N] = {
#define X(id, name_, since_, request_, reply_, doc_) \
	[MCU_METHOD_##id] = { name_, since_, &mcu_table_##request_, &mcu_table_##reply_, doc_ },
#include "mcu/proto/methods.def"
#undef X
};

const struct mcu_event_row mcu_events[MCU_EVENT_N] = {
#define X(id, name_, since_, body_, doc_) [MCU_EVENT_##id] = { name_, since_, &mcu_table_##body_, doc_ },
#include "mcu/proto/events.def"
#undef X
};

#define A 'A'
#define V 'V'
const struct mcu_codec_row mcu_codecs[MCU_CODEC_N] = {
#define X(id, name_, kind_, clock_, channels_, pt_, fmtp_, doc_) \
	[MCU_CODEC_##id] = { name_, kind_, clock_, channels_, pt_, fmtp_, doc_ },
#include "mcu/proto/codecs.def"
#undef X
};
#undef A
#undef V

const struct mcu_error_row mcu_errors[MCU_ERROR_N] = {
#define X(id, code_, name_, sip_, h323_, en_, zh_) [MCU_ERROR_##id] = { code_, name_, sip_, h323_, en_, zh_ },
#include "mcu/proto/errors.def"
#undef X
};

int mcu_method_by_name(const char *name)
{
	for (int i = 0; name && i < MCU_METHOD_N; i++) {
		if (!strcmp(mcu_methods[i].name, name)) {
			return i;
		}
	}
	return -1;
}

int mcu_event_by_name(const char *name)
{
	for (int i = 0; name && i < MCU_EVENT_N; i++) {
		if (!strcmp(mcu_events[i].name, name)) {
			return i;
		}
	}
	return -1;
}

int mcu_codec_by_name(const char *name)
{
	for (int i = 0; name && i < MCU_CODEC_N; i++) {
		if (!g_ascii_strcasecmp(mcu_codecs[i].name, name)) {
			return i;
		}
	}
	return -1;
}

int mcu_error_by_code(int jsonrpc_code)
{
	for (int i = 0; i < MCU_ERROR_N; i++) {
		if (mcu_errors[i].code == jsonrpc_code) {
			return i;
		}
	}
	return -1;
}
