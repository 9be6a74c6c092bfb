/* Sound levels and the active speaker. */
#include "tests/unit/mcu/room/rig.h"

struct table { struct rig r; struct rig_feed f[3]; };

static void open_table(struct table *t)
{
	static const char *const names[] = { "a", "b", "c" };

	rig_init(&t->r, NULL);
	mcu_transport *pub = rig_publisher(&t->r, "p");
	for (unsigned i = 0; i < 3; i++) {
		g_assert_cmpint(rig_audio(&t->r, "p", names[i], 100 + i), ==, 0);
		t->f[i] = rig_opus(pub, 100 + i);
	}
}

/* -dBov of each, for so many ms */
static void sound(struct table *t, int64_t ms, unsigned a, unsigned b, unsigned c)
{
	for (; ms > 0; ms -= 20) {
		rig_sound(&t->r, &t->f[0], a);
		rig_sound(&t->r, &t->f[1], b);
		rig_sound(&t->r, &t->f[2], c);
		rig_turn(&t->r, 20);
	}
}

static void speech_begins_and_ends_once(void)
{
	struct table t;

	open_table(&t);
	sound(&t, 1000, 70, 127, 127);
	g_assert_cmpuint(rig_events(&t.r, "source.level"), ==, 0);
	sound(&t, 1000, 25, 127, 127);
	g_assert_cmpuint(rig_events(&t.r, "source.level a on"), ==, 1);
	for (unsigned i = 0; i < 10; i++) {	/* words with gaps of 200 ms */
		sound(&t, 200, 70, 127, 127);
		sound(&t, 200, 25, 127, 127);
	}
	g_assert_cmpuint(rig_events(&t.r, "source.level"), ==, 1);
	sound(&t, 1500, 70, 127, 127);
	g_assert_cmpuint(rig_events(&t.r, "source.level a off"), ==, 1);
	rig_finish(&t.r);
}

static void a_cough_does_not_turn_the_picture(void)
{
	struct table t;

	open_table(&t);
	sound(&t, 3000, 30, 127, 127);
	g_assert_cmpstr(rig_event(&t.r, "speaker"), ==, "speaker a");
	sound(&t, 40, 30, 10, 127);
	sound(&t, 1000, 30, 127, 127);
	g_assert_cmpuint(rig_events(&t.r, "speaker"), ==, 1);
	rig_finish(&t.r);
}

static void the_floor_passes_on(void)
{
	struct table t;

	open_table(&t);
	sound(&t, 2000, 30, 127, 127);
	sound(&t, 2000, 127, 30, 127);
	g_assert_cmpstr(rig_event(&t.r, "speaker"), ==, "speaker b");
	sound(&t, 3000, 127, 127, 127);
	g_assert_cmpstr(rig_event(&t.r, "speaker"), ==, "speaker b");
	sound(&t, 1000, 127, 127, 35);
	g_assert_cmpstr(rig_event(&t.r, "speaker"), ==, "speaker c");
	g_assert_cmpuint(rig_events(&t.r, "speaker"), ==, 3);
	rig_finish(&t.r);
}

static void two_at_once_do_not_flap(void)
{
	struct table t;

	open_table(&t);
	for (unsigned i = 0; i < 20; i++) {
		sound(&t, 300, 28, 32, 127);
		sound(&t, 300, 32, 28, 127);
	}
	g_assert_cmpuint(rig_events(&t.r, "speaker"), <=, 2);
	rig_finish(&t.r);
}

static void a_source_that_vanishes_falls_silent(void)
{
	struct mcu_stream_ref ref = { .room = (char *)"r", .id = (char *)"a" };
	struct table t;

	open_table(&t);
	sound(&t, 1000, 30, 127, 127);
	rig_turn(&t.r, 1500);
	g_assert_cmpuint(rig_events(&t.r, "source.level a off"), ==, 1);
	g_assert_cmpint(rig_call(&t.r, MCU_METHOD_SOURCE_REMOVE, &ref), ==, 0);
	rig_turn(&t.r, 1500);
	rig_finish(&t.r);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(fn) g_test_add_func("/room/speaker/" #fn, fn)
	ADD(speech_begins_and_ends_once);
	ADD(a_cough_does_not_turn_the_picture);
	ADD(the_floor_passes_on);
	ADD(two_at_once_do_not_flap);
	ADD(a_source_that_vanishes_falls_silent);
	return g_test_run();
}
