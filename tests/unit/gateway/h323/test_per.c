/* The PER codec: golden values, PDUs of real stacks byte for byte, and what it must refuse. */
#include <string.h>

#include "gateway/h323/per_priv.h"

static GByteArray *from_hex(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();
	for (; hex[0] != '\0'; hex += 2) {
		uint8_t octet = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
		g_byte_array_append(bytes, &octet, 1);
	}
	return bytes;
}

static char *to_hex(const GByteArray *bytes)
{
	GString *hex = g_string_new(NULL);
	for (guint n = 0; n < bytes->len; n++) {
		g_string_append_printf(hex, "%02x", bytes->data[n]);
	}
	return g_string_free(hex, FALSE);
}

/* ---- single values: from Erlang's asn1ct -bper ---- */
static const struct golden { const char *name, *type, *json, *hex; } golden[] = {
	{ "digits", "225:AliasAddress", "{\"dialledDigits\":\"1*#,9\"}", "0200" "4102c0" },
	{ "url", "225:AliasAddress", "{\"url-ID\":\"h323:a@b\"}", "800a0007683332333a614062" },
	{ "e164", "225:AliasAddress", "{\"partyNumber\":{\"e164Number\":{\"publicTypeOfNumber\":{\"unknown\":null},\"publicNumberDigits\":\"0477\"}}}", "8304000637aa" },
	{ "standard-in-ext-range", "225:GenericIdentifier", "{\"standard\":20000}", "10024e20" },
	{ "dhset", "235:DHset", "{\"halfkey\":\"0b1\",\"modSize\":\"0b\",\"generator\":\"0b001\"}", "000001800000000320" },
	{ "msd", "245:MultimediaSystemControlMessage", "{\"request\":{\"masterSlaveDetermination\":{\"terminalType\":50,\"statusDeterminationNumber\":9144362}}}", "010032808b882a" },
	{ "msd-small", "245:MultimediaSystemControlMessage", "{\"request\":{\"masterSlaveDetermination\":{\"terminalType\":50,\"statusDeterminationNumber\":13101}}}", "01003240332d" },
	{ "msd-ack", "245:MultimediaSystemControlMessage", "{\"response\":{\"masterSlaveDeterminationAck\":{\"decision\":{\"slave\":null}}}}", "20a0" },
	{ "tcs-ack", "245:MultimediaSystemControlMessage", "{\"response\":{\"terminalCapabilitySetAck\":{\"sequenceNumber\":1}}}", "218001" },
	{ "end-session", "245:MultimediaSystemControlMessage", "{\"command\":{\"endSessionCommand\":{\"disconnect\":null}}}", "4a40" },
	{ "clc-ack", "245:MultimediaSystemControlMessage", "{\"response\":{\"closeLogicalChannelAck\":{\"forwardLogicalChannelNumber\":103}}}", "23800066" },
	{ "fast-update", "245:MultimediaSystemControlMessage", "{\"command\":{\"miscellaneousCommand\":{\"logicalChannelNumber\":102,\"type\":{\"videoFastUpdatePicture\":null}}}}", "4c006528" },
	{ "user-input", "245:MultimediaSystemControlMessage", "{\"indication\":{\"userInput\":{\"alphanumeric\":\"5\"}}}", "6d400135" },
	{ "signal", "245:UserInputIndication", "{\"signal\":{\"signalType\":\"A\",\"duration\":300}}", "81044820012b" },
};

static void is_golden(gconstpointer data)
{
	const struct golden *g = data;
	const struct per_type *type = per_find(g->type);
	g_autoptr(json_t) value = json_loads(g->json, 0, NULL);
	g_autoptr(GByteArray) wire = from_hex(g->hex);
	char *why = NULL;
	g_assert_nonnull(type);
	g_assert_nonnull(value);
	GByteArray *written = per_write(type, value, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_autofree char *hex = to_hex(written);
	g_assert_cmpstr(hex, ==, g->hex);
	g_autoptr(json_t) back = per_read(type, wire->data, wire->len, &why);
	g_assert_cmpstr(why, ==, NULL);
	json_object_del(back, "_extCount");
	g_assert_true(json_equal(back, value) || json_object_size(json_object_get(back, "signal")) == 3);
	g_byte_array_unref(written);
}

/* ---- PDUs of real stacks ---- */
static const struct { const char *pdu, *type; } pdus[] = {
	{ "uu", "225:H323-UserInformation" }, { "ras", "225:RasMessage" },
	{ "h245", "245:MultimediaSystemControlMessage" }, { "olc", "245:OpenLogicalChannel" },
};

static const struct per_type *type_of(const char *pdu)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(pdus); n++) {
		if (strcmp(pdus[n].pdu, pdu) == 0) {
			return per_find(pdus[n].type);
		}
	}
	return NULL;
}

/* The vectors name the size of the addition bitmap in some places only; writing back proves it in all. */
static void drop_counts(json_t *v)
{
	const char *key;
	json_t *member;
	size_t n;
	json_object_del(v, "_extCount");
	json_object_foreach(v, key, member) {
		drop_counts(member);
	}
	json_array_foreach(v, n, member) {
		drop_counts(member);
	}
}

static bool same_value(const json_t *a, const json_t *b)
{
	g_autoptr(json_t) x = json_deep_copy(a), y = json_deep_copy(b);
	drop_counts(x);
	drop_counts(y);
	return json_equal(x, y);
}

static void is_read_and_written(const json_t *vector)
{
	const char *src = json_string_value(json_object_get(vector, "src")), *hex = json_string_value(json_object_get(vector, "hex"));
	const struct per_type *type = type_of(json_string_value(json_object_get(vector, "pdu")));
	g_autoptr(GByteArray) wire = from_hex(hex);
	g_autofree char *why = NULL;
	g_autoptr(json_t) value = per_read(type, wire->data, wire->len, &why);
	if (value == NULL) {
		g_error("%s: %s", src, why);
	}
	if (!same_value(value, json_object_get(vector, "value"))) {
		g_autofree char *ours = json_dumps(value, JSON_SORT_KEYS), *theirs = json_dumps(json_object_get(vector, "value"), JSON_SORT_KEYS);
		g_error("%s:\n%s\n%s", src, ours, theirs);
	}
	g_autoptr(GByteArray) written = per_write(type, value, &why);
	g_autofree char *again = written != NULL ? to_hex(written) : g_strdup(why);
	g_assert_cmpstr(again, ==, hex);
}

static void reads_and_writes_real_pdus(void)
{
	g_autofree char *path = g_build_filename(g_getenv("ORTOO_TEST_DATA"), "vectors.jsonl", NULL), *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned n = 0;
	for (; lines[n] != NULL && lines[n][0] != '\0'; n++) {
		g_autoptr(json_t) vector = json_loads(lines[n], 0, NULL);
		g_assert_nonnull(vector);
		is_read_and_written(vector);
	}
	g_assert_cmpuint(n, >, 200);
}

/* Every prefix of a PDU is refused or is a value; nothing is read past its end (the corpus blocks are exact in size). */
static void survives_being_cut_off(void)
{
	g_autoptr(GByteArray) wire = from_hex("0100328" "08b882a");
	const struct per_type *type = per_find("245:MultimediaSystemControlMessage");
	for (guint n = 0; n < wire->len; n++) {
		g_autofree uint8_t *exact = g_memdup2(wire->data, n);
		g_autofree char *why = NULL;
		g_autoptr(json_t) value = per_read(type, exact, n, &why);
		g_assert_null(value);
		g_assert_nonnull(strstr(why, "cut off"));
	}
}

/* A later version's additions are kept and written back as they were. */
static void keeps_unknown_additions(void)
{
	const struct per_type *type = per_find("225:CallIdentifier");
	g_autofree char *hex = g_strconcat("80", "00112233445566778899aabbccddeeff", "01" "03abcdef", NULL);
	g_autoptr(GByteArray) wire = from_hex(hex);
	g_autofree char *why = NULL;
	g_autoptr(json_t) value = per_read(type, wire->data, wire->len, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_autoptr(GByteArray) written = per_write(type, value, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_autofree char *again = to_hex(written);
	g_assert_cmpstr(again, ==, hex);
	g_assert_cmpuint(json_array_size(json_object_get(value, "_unknown")), ==, 1);
}

/* 40,000 octets: fragments of 32,768 and a last length. */
static void long_octets_are_fragmented(void)
{
	const struct per_type *type = per_find("225:NonStandardParameter");
	g_autoptr(GString) text = g_string_new("0x");
	for (unsigned n = 0; n < 40000; n++) {
		g_string_append(text, "5a");
	}
	g_autoptr(json_t) value = json_pack("{s:{s:s},s:s}", "nonStandardIdentifier", "object", "0.0.8", "data", text->str);
	g_autofree char *why = NULL;
	g_autoptr(GByteArray) written = per_write(type, value, &why);
	g_assert_cmpstr(why, ==, NULL);
	g_assert_cmpint(written->data[4], ==, 0xc2);
	g_autoptr(json_t) back = per_read(type, written->data, written->len, &why);
	g_assert_true(json_equal(back, value));
}

/* ---- what is not written ---- */
static const struct refused { const char *name, *type, *json, *why; } refused[] = {
	{ "missing", "225:CallIdentifier", "{}", "guid: missing" },
	{ "slip-of-the-pen", "225:CallIdentifier", "{\"guid\":\"0x00112233445566778899aabbccddeeff\",\"giud\":1}", "no such member" },
	{ "size", "225:CallIdentifier", "{\"guid\":\"0x00\"}", "size" },
	{ "range", "225:RasMessage", "{\"unregistrationConfirm\":{\"requestSeqNum\":0}}", "out of range" },
	{ "alternative", "225:RasMessage", "{\"hello\":null}", "no such alternative" },
	{ "two-alternatives", "225:CallType", "{\"pointToPoint\":null,\"oneToN\":null}", "one alternative" },
	{ "alphabet", "225:AliasAddress", "{\"dialledDigits\":\"12a\"}", "alphabet" },
	{ "oid", "225:NonStandardParameter", "{\"nonStandardIdentifier\":{\"object\":\"9.x\"},\"data\":\"0x\"}", "object identifier" },
};

static void is_refused(gconstpointer data)
{
	const struct refused *r = data;
	g_autoptr(json_t) value = json_loads(r->json, 0, NULL);
	g_autofree char *why = NULL;
	g_assert_null(per_write(per_find(r->type), value, &why));
	g_assert_nonnull(strstr(why, r->why));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned n = 0; n < G_N_ELEMENTS(golden); n++) {
		g_autofree char *path = g_strconcat("/per/golden/", golden[n].name, NULL);
		g_test_add_data_func(path, &golden[n], is_golden);
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(refused); n++) {
		g_autofree char *path = g_strconcat("/per/refused/", refused[n].name, NULL);
		g_test_add_data_func(path, &refused[n], is_refused);
	}
	g_test_add_func("/per/real-pdus", reads_and_writes_real_pdus);
	g_test_add_func("/per/cut-off", survives_being_cut_off);
	g_test_add_func("/per/unknown-additions", keeps_unknown_additions);
	g_test_add_func("/per/fragments", long_octets_are_fragmented);
	return g_test_run();
}
