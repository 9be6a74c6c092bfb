/* H.323 PDUs of a peer; the first octet picks the type. What is read can be written and reads the same again. */
#include "gateway/h323/per_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "225:H323-UserInformation", "225:RasMessage", "245:MultimediaSystemControlMessage",
					     "245:OpenLogicalChannel" };
	if (size < 1) {
		return 0;
	}
	const struct per_type *type = per_find(names[data[0] % G_N_ELEMENTS(names)]);
	g_autoptr(json_t) value = per_read(type, data + 1, size - 1, NULL), again = NULL;
	g_autoptr(GByteArray) written = value != NULL ? per_write(type, value, NULL) : NULL;
	if (written != NULL) {
		again = per_read(type, written->data, written->len, NULL);
		g_assert_true(json_equal(value, again));
	}
	return 0;
}
