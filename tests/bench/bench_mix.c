/* What a mixed room costs: CPU seconds a media second of this process, for mcu/mix and for a plain GStreamer room
 * (appsrc ! rtph264depay ! avdec_h264 ! compositor ! x264enc superfast ! rtph264pay) over the same packets in the same run.
 * One 1080p30 picture of 2 Mbit/s, one encode. Both sides count what they send: under 29 frames a second a row is void.
 *
 * "times": what a room of nine takes from a decoded picture to the packet, a late joiner to his first decoded picture, a layout
 * change in key frames; figures of ours only.
 *
 * bench_mix [-s seconds] [-e elements] [-o] [row ..]; rows as in the table, and times. Runs each side twice in turn and keeps
 * the cheaper. -o: ours only, once; for a profiler. */
#include "mix_rig.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/mix/mix_priv.h"
#include "mcu/rtp/rtp.h"

enum { MAX_LEGS = 25, CLIPS = 3, WARM = 60 };

static const struct { const char *name, *layout; unsigned legs; int w, h; } rows[] = {
	{ "4x720", "4", 4, 1280, 720 }, { "9x720", "9", 9, 1280, 720 }, { "16x720", "16", 16, 1280, 720 },
	{ "16x360", "16", 16, 640, 360 }, { "25x360", "25", 25, 640, 360 },
};

static bool only_ours;	/* -o: for a profiler */
static const char *elements;	/* -e */
struct result { double cost, fps, mbps; long mb; double decode, home; };	/* decode, home: of its threads */

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* CPU seconds of the threads that live now and whose name begins so */
static double threads_s(const char *name)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/task", 0, NULL);
	double sum = 0;

	for (const char *tid; dir && (tid = g_dir_read_name(dir));) {
		g_autofree char *comm_path = g_strconcat("/proc/self/task/", tid, "/comm", NULL);
		g_autofree char *stat_path = g_strconcat("/proc/self/task/", tid, "/schedstat", NULL);
		g_autofree char *comm = NULL, *stat = NULL;
		if (g_file_get_contents(comm_path, &comm, NULL, NULL) && g_str_has_prefix(comm, name) &&
		    g_file_get_contents(stat_path, &stat, NULL, NULL)) {
			sum += g_ascii_strtod(stat, NULL) / 1e9;
		}
	}
	return sum;
}

/* Resident memory of this process now */
static long resident_mb(void)
{
	g_autofree char *text = NULL;
	long pages[2] = { 0 };

	if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL)) {
		(void)sscanf(text, "%ld %ld", &pages[0], &pages[1]);
	}
	return pages[1] * sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

/* A room that takes a frame of each leg 30 times a second; returns what it cost after warming up */
struct any_room { void (*send)(struct any_room *room, struct rig_leg *leg, int64_t now_us); guint sent_frames, sent_bytes; };

static struct result drive(struct any_room *room, struct rig_leg *legs, unsigned n, unsigned seconds)
{
	int64_t due = ort_now_us();
	double began = 0, began_s = 0, decode = 0, home = 0;
	guint frames = 0, bytes = 0;

	for (unsigned f = 0; f < WARM + seconds * 30; f++, due += 33333) {
		if (f == WARM) {
			began = cpu_s();
			decode = threads_s("mix-dec");
			home = threads_s("mix-1") + threads_s("mix-enc");
			began_s = (double)ort_now_us() / 1e6;
			bytes = (guint)g_atomic_int_get((gint *)&room->sent_bytes);
			frames = (guint)g_atomic_int_get((gint *)&room->sent_frames);
		}
		for (unsigned i = 0; i < n; i++) {	/* spread over the period, as legs are */
			int64_t at = due + 33333 * i / n, now = ort_now_us();
			if (now < at) {
				g_usleep((gulong)(at - now));
			}
			room->send(room, &legs[i], ort_now_us());
		}
	}
	double wall = (double)ort_now_us() / 1e6 - began_s;
	return (struct result){ (cpu_s() - began) / wall,
				((guint)g_atomic_int_get((gint *)&room->sent_frames) - frames) / wall,
				((guint)g_atomic_int_get((gint *)&room->sent_bytes) - bytes) * 8e-6 / wall, resident_mb(),
				(threads_s("mix-dec") - decode) / wall, (threads_s("mix-1") + threads_s("mix-enc") - home) / wall };
}

static void note_sent(struct any_room *room, const uint8_t *packet, size_t len)
{
	g_atomic_int_add((gint *)&room->sent_bytes, (gint)len);
	g_atomic_int_add((gint *)&room->sent_frames, packet[1] >> 7);
}

/* ---- ours ---- */
struct our_room { struct any_room room; mcu_mix *mix; struct rig_leg *legs; gint key[MAX_LEGS]; };	/* key: asked for by PLI */

static void count_sent(mcu_mix *mix, enum mcu_kind lane, const uint8_t *packet, size_t len, void *mix_data)
{
	struct our_room *r = mix_data;
	struct mcu_rtcp rtcp;
	size_t pos = 0;

	while (mcu_rtp_is_rtcp(packet, len) && mcu_rtcp_next(packet, len, &pos, &rtcp) == 1) {
		if (rtcp.kind == MCU_RTCP_PLI && rtcp.media >= 100 && rtcp.media < 100 + MAX_LEGS) {
			g_atomic_int_set(&r->key[rtcp.media - 100], 1);
		}
	}
	if (len > 12 && (packet[1] & 0x7f) == mcu_codecs[MCU_CODEC_H264].default_pt) {
		note_sent(&r->room, packet, len);
	}
}

static void our_send(struct any_room *room, struct rig_leg *leg, int64_t now_us)
{
	struct our_room *r = (struct our_room *)room;

	if (g_atomic_int_compare_and_exchange(&r->key[leg - r->legs], 1, 0)) {
		rig_leg_rewind(leg);
	}
	rig_leg_send_frame(leg, r->mix, now_us);
}

static void our_room_init(struct our_room *r, struct rig *rig, mcu_mixer *mixer, unsigned row, struct rig_clip **clips, struct rig_leg *legs)
{
	struct mcu_mix_open open = { .room = (char *)"hall", .mix = (char *)"m" };
	g_autoptr(GString) cells = g_string_new(NULL);

	r->legs = legs;
	r->room = (struct any_room){ our_send, 0, 0 };
	rig->mix = r->mix = mcu_mix_open(mixer, &open, r, NULL);
	for (unsigned i = 0; i < rows[row].legs; i++) {
		g_autofree char *id = g_strdup_printf("p%u", i);
		legs[i] = (struct rig_leg){ .clip = clips[i % CLIPS], .ssrc = 100 + i };
		rig_input(rig, id, id, 100 + i, MCU_CONTENT_MAIN);
		g_string_append_printf(cells, "%s%s", i ? " " : "", id);
	}
	rig_view(rig, "program", rows[row].layout, cells->str);
	rig_output(rig, "out", "program", NULL, MCU_CODEC_H264, 1920, 1080, 77, NULL);
}

static struct result run_ours(unsigned row, struct rig_clip **clips, unsigned seconds)
{
	static const struct mcu_mix_ops ops = { .send = count_sent };
	struct mcu_mixer_conf conf = { .elements = elements };
	struct rig_leg legs[MAX_LEGS] = { 0 };
	struct our_room r = { 0 };
	struct rig rig = { 0 };
	mcu_mixer *mixer = mcu_mixer_new(&conf, &ops, NULL);

	our_room_init(&r, &rig, mixer, row, clips, legs);
	struct result result = drive(&r.room, legs, rows[row].legs, seconds);
	mcu_mix_close(r.mix);
	mcu_mixer_free(mixer);
	return result;
}

/* ---- times of ours: a room of nine, who joins it, its layouts ---- */
enum { JOINS = 5, SPACE = 40 /* frames: key frames of a class are a second apart */ };
static struct timed {
	struct our_room ours;
	int64_t shown_us[MAX_LEGS];
	GArray *waits;			/* int64_t: decoded -> sent; home thread until the mix is closed */
	GMutex lock;
	GPtrArray *packets;		/* GBytes for the viewer */
} timed;

static void keep_sent(mcu_mix *mix, enum mcu_kind lane, const uint8_t *packet, size_t len, void *mix_data)
{
	count_sent(mix, lane, packet, len, mix_data);
	g_mutex_lock(&timed.lock);
	g_ptr_array_add(timed.packets, g_bytes_new(packet, len));
	g_mutex_unlock(&timed.lock);
}

/* Home thread, behind each tick */
static void note_waits(mcu_mix *mix, enum mcu_kind lane, void *mix_data)
{
	for (guint i = 0; lane == MCU_VIDEO && mix->home && i < mix->home->ins->len && i < MAX_LEGS; i++) {
		const struct mix_in *in = mix->home->ins->pdata[i];
		int64_t wait = ort_now_us() - in->last_us;
		if (in->last && in->last_us != timed.shown_us[i]) {
			timed.shown_us[i] = in->last_us;
			g_array_append_val(timed.waits, wait);
		}
	}
}

static void feed(struct rig_viewer *viewer)
{
	g_mutex_lock(&timed.lock);
	g_autoptr(GPtrArray) now = g_steal_pointer(&timed.packets);
	timed.packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_mutex_unlock(&timed.lock);
	for (guint i = 0; i < now->len; i++) {
		gsize len;
		const uint8_t *data = g_bytes_get_data(now->pdata[i], &len);
		rig_viewer_packet(viewer, data, len);
	}
}

/* Lives for so many frames or until the viewer has its first picture; returns when that was. */
static int64_t live(struct rig_leg *legs, unsigned n, struct rig_viewer *viewer, unsigned frames, bool first)
{
	int64_t due = ort_now_us(), seen = 0;

	for (unsigned f = 0; f < frames && !(first && seen); f++, due += 33333) {
		for (unsigned i = 0; i < n; i++) {
			while (ort_now_us() < due + 33333 * i / n) {
				g_usleep(500);
				feed(viewer);
				seen = seen ? seen : rig_viewer_pull(viewer) ? ort_now_us() : 0;
			}
			our_send(&timed.ours.room, &legs[i], ort_now_us());
		}
	}
	return seen;
}

static int by_size(gconstpointer a, gconstpointer b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void run_times(struct rig_clip **clips)
{
	static const struct mcu_mix_ops ops = { .send = keep_sent, .flush = note_waits };
	struct mcu_mixer_conf conf = { .elements = elements };
	struct rig_leg legs[MAX_LEGS] = { 0 };
	struct rig rig = { 0 };
	struct rig_viewer viewer;
	int64_t join = 0;
	unsigned idrs = 0;
	mcu_mixer *mixer = mcu_mixer_new(&conf, &ops, NULL);

	timed.waits = g_array_new(FALSE, FALSE, sizeof(int64_t));
	timed.packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	our_room_init(&timed.ours, &rig, mixer, 1, clips, legs);
	rig_viewer_init(&viewer, 77, MCU_CODEC_H264);
	live(legs, 9, &viewer, 90, false);
	g_array_set_size(timed.waits, 0);	/* a harmless race of a bench: the first ticks do not count */
	for (unsigned i = 0; i < JOINS; i++) {
		struct rig_viewer late;
		g_autofree char *id = g_strdup_printf("late%u", i);
		rig_viewer_init(&late, 200 + i, MCU_CODEC_H264);
		live(legs, 9, &viewer, SPACE, false);
		int64_t began = ort_now_us();
		rig_output(&rig, id, "program", NULL, MCU_CODEC_H264, 1920, 1080, 200 + i, NULL);
		int64_t seen = live(legs, 9, &late, 90, true);
		join = MAX(join, seen ? seen - began : INT64_MAX / 2);
		rig_viewer_clear(&late);
	}
	for (unsigned i = 0; i < JOINS; i++) {
		live(legs, 9, &viewer, SPACE, false);
		unsigned before = viewer.keyframes;
		rig_view(&rig, "program", i % 2 ? "9" : "4", "p0 p1 p2 p3");
		live(legs, 9, &viewer, SPACE, false);
		idrs = MAX(idrs, viewer.keyframes - before);
	}
	mcu_mix_close(timed.ours.mix);
	mcu_mixer_free(mixer);
	g_array_sort(timed.waits, by_size);
	const int64_t *w = (const int64_t *)(void *)timed.waits->data;
	guint n = timed.waits->len;
	printf("mix times   9x720: decoded -> sent median %.1f ms, p99 %.1f ms (aim 45)   late joiner to its first decoded picture, worst of %d: "
	       "%.0f ms (aim 300)   key frames of a layout change, most: %u (aim 1)\n",
	       n ? (double)w[n / 2] / 1000 : 0, n ? (double)w[n * 99 / 100] / 1000 : 0, JOINS, (double)join / 1000, idrs);
	rig_viewer_clear(&viewer);
	g_array_unref(timed.waits);
	g_ptr_array_unref(timed.packets);
}

/* ---- GStreamer's ---- */
struct gst_room { struct any_room room; GstElement *in[MAX_LEGS]; struct rig_leg *legs; };

static GstFlowReturn count_sample(GstAppSink *sink, gpointer user_data)
{
	struct gst_room *r = user_data;
	GstSample *sample = gst_app_sink_pull_sample(sink);
	GstMapInfo map;

	if (sample && gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
		note_sent(&r->room, map.data, map.size);
		gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
		gst_sample_unref(sample);
	}
	return GST_FLOW_OK;
}

static void gst_send(struct any_room *room, struct rig_leg *leg, int64_t now_us)
{
	struct gst_room *r = (struct gst_room *)room;
	bool last;

	do {
		gsize len;
		const uint8_t *data = g_bytes_get_data(leg->clip->packets->pdata[leg->at], &len);
		GstBuffer *b = gst_buffer_new_memdup(data, len);
		GstMapInfo map;
		gst_buffer_map(b, &map, GST_MAP_READWRITE);
		last = map.data[1] >> 7;
		map.data[2] = (uint8_t)(leg->seq >> 8);
		map.data[3] = (uint8_t)leg->seq++;
		for (unsigned i = 0; i < 4; i++) {
			map.data[4 + i] = (uint8_t)(leg->ts >> (24 - 8 * i));
		}
		gst_buffer_unmap(b, &map);
		(void)gst_app_src_push_buffer(GST_APP_SRC(r->in[leg - r->legs]), b);
		leg->at = (leg->at + 1) % leg->clip->packets->len;
	} while (!last);
	leg->ts += 3000;
}

static char *room_text(unsigned row)
{
	const struct { unsigned n, cols; } grid = { rows[row].legs, rows[row].legs == 4 ? 2 : rows[row].legs == 9 ? 3
						    : rows[row].legs == 16 ? 4 : 5 };
	GString *s = g_string_new("compositor name=c background=black");
	int w = 1920 / (int)grid.cols, h = 1080 / (int)grid.cols;

	for (unsigned i = 0; i < grid.n; i++) {
		g_string_append_printf(s, " sink_%u::xpos=%d sink_%u::ypos=%d sink_%u::width=%d sink_%u::height=%d", i,
				       (int)(i % grid.cols) * w, i, (int)(i / grid.cols) * h, i, w, i, h);
	}
	g_string_append(s, " ! video/x-raw,format=I420,width=1920,height=1080,framerate=30/1 ! queue max-size-buffers=2 "
			   "! x264enc tune=zerolatency speed-preset=superfast bitrate=2000 key-int-max=300 threads=1 "
			   "! rtph264pay ! appsink name=out sync=false");
	for (unsigned i = 0; i < grid.n; i++) {
		g_string_append_printf(s, " appsrc name=in%u format=time is-live=true do-timestamp=true caps=application/x-rtp,"
				       "media=video,clock-rate=90000,encoding-name=H264 ! rtph264depay ! avdec_h264 max-threads=1 "
				       "! queue max-size-buffers=2 ! c.sink_%u", i, i);
	}
	return g_string_free(s, FALSE);
}

static struct result run_gst(unsigned row, struct rig_clip **clips, unsigned seconds)
{
	g_autofree char *text = room_text(row);
	g_autoptr(GError) err = NULL;
	GstElement *pipeline = gst_parse_launch(text, &err);
	struct rig_leg legs[MAX_LEGS] = { 0 };
	struct gst_room r = { .legs = legs };
	GstAppSinkCallbacks callbacks = { .new_sample = count_sample };

	g_assert_no_error(err);
	g_autoptr(GstElement) out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
	gst_app_sink_set_callbacks(GST_APP_SINK(out), &callbacks, &r, NULL);
	r.room = (struct any_room){ gst_send, 0, 0 };
	for (unsigned i = 0; i < rows[row].legs; i++) {
		g_autofree char *name = g_strdup_printf("in%u", i);
		legs[i] = (struct rig_leg){ .clip = clips[i % CLIPS] };
		r.in[i] = gst_bin_get_by_name(GST_BIN(pipeline), name);
	}
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	struct result result = drive(&r.room, legs, rows[row].legs, seconds);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	for (unsigned i = 0; i < rows[row].legs; i++) {
		gst_object_unref(r.in[i]);
	}
	gst_object_unref(pipeline);
	return result;
}

/* ---- rows ---- */
static struct result cheaper(struct result a, struct result b)
{
	return a.cost < b.cost || b.fps < 29 ? a : b;
}

static void make_clips(unsigned row, struct rig_clip **clips)
{
	const char *coder = rows[row].h == 720
		? "x264enc tune=zerolatency speed-preset=superfast bitrate=1000 key-int-max=300 threads=1 ! video/x-h264,profile=constrained-baseline ! rtph264pay mtu=1200 pt=102"
		: "x264enc tune=zerolatency speed-preset=superfast bitrate=500 key-int-max=300 threads=1 ! video/x-h264,profile=constrained-baseline ! rtph264pay mtu=1200 pt=102";

	for (unsigned i = 0; i < CLIPS; i++) {
		clips[i] = rig_clip_new(coder, rows[row].w, rows[row].h, 150, rig_fill_moving, GUINT_TO_POINTER(i + 1));
	}
}

static void free_clips(struct rig_clip **clips)
{
	for (unsigned i = 0; i < CLIPS; i++) {
		rig_clip_free(clips[i]);
	}
}

static void run_times_row(void)
{
	struct rig_clip *clips[CLIPS];

	make_clips(1, clips);
	run_times(clips);
	free_clips(clips);
}

static bool run_row(unsigned row, unsigned seconds)
{
	struct rig_clip *clips[CLIPS];

	make_clips(row, clips);
	(void)malloc_trim(0);
	long clip_mb = resident_mb();	/* codecs' leftovers of making the clips, and the clips */
	struct result ours = run_ours(row, clips, seconds);
	(void)malloc_trim(0);
	if (only_ours) {
		printf("mix %-7s ours %.3f cs/s (decode %.3f, paint and encode %.3f) %.1f fps %ld MB\n", rows[row].name, ours.cost, ours.decode, ours.home,
		       ours.fps, ours.mb - clip_mb);
		free_clips(clips);
		return ours.fps >= 29;
	}
	struct result theirs = run_gst(row, clips, seconds);
	long our_mb = ours.mb, their_mb = theirs.mb;	/* of the first runs: later ones stand on what was left */
	ours = cheaper(ours, run_ours(row, clips, seconds));
	theirs = cheaper(theirs, run_gst(row, clips, seconds));
	bool full = ours.fps >= 29 && theirs.fps >= 29;
	printf("mix %-7s ours %.3f cs/s %.1f fps %.1f Mbit/s %ld MB   gstreamer %.3f cs/s %.1f fps %.1f Mbit/s %ld MB   ratio %.2f%s\n",
	       rows[row].name, ours.cost, ours.fps, ours.mbps, our_mb - clip_mb, theirs.cost, theirs.fps, theirs.mbps,
	       their_mb - clip_mb, ours.cost / theirs.cost, full ? "" : "   VOID: not at full rate");
	printf("            ours: decode %.3f, paint and encode %.3f cs/s; %.0f legs a core\n", ours.decode, ours.home, rows[row].legs / ours.cost);
	fflush(stdout);
	free_clips(clips);
	return full;
}

int main(int argc, char **argv)
{
	unsigned seconds = 8;
	bool ok = true, all = true;

	gst_init(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-s") && i + 1 < argc) {
			seconds = (unsigned)atoi(argv[++i]);
		} else if (!strcmp(argv[i], "-e") && i + 1 < argc) {
			elements = argv[++i];
		} else if (!strcmp(argv[i], "-o")) {
			only_ours = true;
		} else {
			all = false;
		}
	}
	bool times = all;
	for (int i = 1; i < argc; i++) {
		times |= !strcmp(argv[i], "times");
	}
	if (times) {
		run_times_row();
	}
	for (unsigned row = 0; row < G_N_ELEMENTS(rows); row++) {
		bool chosen = all;
		for (int i = 1; i < argc; i++) {
			chosen |= !strcmp(argv[i], rows[row].name);
		}
		if (chosen) {
			ok &= run_row(row, seconds);
		}
	}
	return ok ? 0 : 1;
}
