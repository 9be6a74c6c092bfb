/* What reading and printing a browser's offer costs; beside GStreamer's SDP library where it is installed, which keeps
 * attributes as text. */
#include <glib.h>
#include <stdio.h>
#include <time.h>
#ifdef HAVE_GST_SDP
#include <gst/sdp/gstsdpmessage.h>
#endif

#include "gateway/sdp/sdp.h"

enum { ROUNDS = 3000 };

struct sample { char *text; gsize len; gw_sdp *sdp; };

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void parse(struct sample *s)
{
	gw_sdp *sdp = NULL;

	if (gw_sdp_parse(s->text, s->len, &sdp, NULL) == 0) {
		gw_sdp_free(sdp);
	}
}

static void print(struct sample *s)
{
	g_free(gw_sdp_print(s->sdp));
}

#ifdef HAVE_GST_SDP
static void parse_gst(struct sample *s)
{
	GstSDPMessage *msg;

	if (gst_sdp_message_new(&msg) == GST_SDP_OK) {
		gst_sdp_message_parse_buffer((const guint8 *)s->text, (guint)s->len, msg);
		gst_sdp_message_free(msg);
	}
}
#endif

static double measure(const char *name, void (*fn)(struct sample *), struct sample *s)
{
	double us = cpu_us();

	for (int i = 0; i < ROUNDS; i++) {
		fn(s);
	}
	us = (cpu_us() - us) / ROUNDS;
	printf("sdp %-32s %6.1f us for %" G_GSIZE_FORMAT " bytes\n", name, us, s->len);
	return us;
}

int main(int argc, char **argv)
{
	struct sample s = { NULL };

	if (argc < 2 || !g_file_get_contents(argv[1], &s.text, &s.len, NULL) ||
	    gw_sdp_parse(s.text, s.len, &s.sdp, NULL) != 0) {
		fprintf(stderr, "usage: bench_sdp FILE\n");
		return 2;
	}
	double ours = measure("read, checked, into structs", parse, &s);
	measure("print", print, &s);
#ifdef HAVE_GST_SDP
	printf("sdp ratio gstreamer:ours %.2f\n", measure("read by GStreamer, into strings", parse_gst, &s) / ours);
#else
	(void)ours;
#endif
	gw_sdp_free(s.sdp);
	g_free(s.text);
	return 0;
}
