/* What another process costs. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tests/kit/load/load.h"

/* The process clock adds up the same nanoseconds as /proc/PID/task/N/schedstat, with threads that ended. */
int64_t load_cpu_ns(int pid)
{
	clockid_t clock;
	struct timespec ts;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) != 0) {
		return -1;
	}
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t load_rss_bytes(int pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", pid), *text = NULL;
	long total, resident;

	if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL) ||
	    sscanf(text, "%ld %ld", &total, &resident) != 2) {
		return -1;
	}
	return (int64_t)resident * sysconf(_SC_PAGESIZE);
}
