/* Runs one fuzz target over each file of the folders and files named on the command line, once, in name order.
 * Any compiler; with clang the same target is linked against libFuzzer instead (see meson.build). Prints TAP, so that
 * each input is one reported subtest; a crash leaves the guilty input as the last line begun. */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void list_inputs(const char *path, GPtrArray *ret_files)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	if (!dir) {
		g_ptr_array_add(ret_files, g_strdup(path));
		return;
	}
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(ret_files, g_build_filename(path, name, NULL));
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The target gets a heap block of the exact size, so that the address sanitizer sees the first byte read too far. */
static bool run_input(const char *path)
{
	g_autofree char *text = NULL;
	g_autofree uint8_t *exact = NULL;
	size_t size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return false;
	exact = g_memdup2(text, size);
	LLVMFuzzerTestOneInput(exact, size);
	return true;
}

int main(int argc, char **argv)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	int failed = 0;

	for (int i = 1; i < argc; i++)
		list_inputs(argv[i], files);
	g_ptr_array_sort(files, by_name);
	printf("1..%u\n", files->len + 1);
	printf("%s 1 - corpus is not empty\n", files->len ? "ok" : "not ok");
	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		g_autofree char *name = g_path_get_basename(path);
		bool ok;

		printf("# %s\n", path);
		fflush(stdout);
		ok = run_input(path);
		failed += !ok;
		printf("%s %u - %s\n", ok ? "ok" : "not ok", i + 2, name);
	}
	return failed || !files->len;
}
