/* What reading and printing a control message by tables costs over bare jansson. */
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mcu/base/rpc.h"
#include "mcu/proto/proto.h"

enum { ROUNDS = 20000 };

static const char text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"source.add\",\"params\":{\"room\":\"i-20260101-1\",\"transport\":\"t-1\","
	"\"id\":\"s-1.video\",\"kind\":\"video\",\"content\":\"main\",\"mid\":\"1\",\"codecs\":[{\"name\":\"VP8\",\"pt\":96,"
	"\"clock_hz\":90000,\"channels\":0,\"rtx_pt\":97,\"nack\":true,\"pli\":true,\"fir\":true,\"remb\":true,\"twcc\":true}],"
	"\"encodings\":[{\"rid\":\"q\"},{\"rid\":\"h\"},{\"rid\":\"f\"}]}}";

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void bare_read(void)
{
	json_decref(json_loadb(text, sizeof(text) - 1, 0, NULL));
}

static void table_read(void)
{
	struct ort_rpc_frame frame;
	struct mcu_source_add add;

	if (ort_rpc_parse(text, sizeof(text) - 1, 1 << 20, &frame) == 0 &&
	    ort_json_read(&mcu_table_source_add, frame.params, &add, NULL) == 0) {
		ort_json_clear(&mcu_table_source_add, &add);
	}
	json_decref(frame.root);
}

static void table_print(void)
{
	char room[] = "i-20260101-1", id[] = "s-1.video";
	struct mcu_sink_event event = { .room = room, .id = id, .source = id, .at_ms = 1767225600000, .at_us = 123456789 };
	json_t *json = ort_json_print(&mcu_table_sink_event, &event);
	char *line = json_dumps(json, JSON_COMPACT);

	free(line);
	json_decref(json);
}

static double measure(const char *name, void (*fn)(void))
{
	double us = cpu_us();

	for (int i = 0; i < ROUNDS; i++) {
		fn();
	}
	us = (cpu_us() - us) / ROUNDS;
	printf("json %-34s %6.2f us, %7.0f messages/core-s\n", name, us, 1e6 / us);
	return us;
}

int main(void)
{
	double bare = measure("source.add, jansson alone", bare_read);
	double table = measure("source.add, frame + table to struct", table_read);

	measure("sink.first_keyframe, struct to text", table_print);
	printf("json ratio table:jansson %.2f\n", table / bare);
	return 0;
}
