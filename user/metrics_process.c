// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics.h"
#include "metrics_process.h"

static void single(FILE *out, const char *name, const char *help, const char *type, double value)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name, value);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Sizes in pages, from the kernel; zeros where /proc is not mounted. */
static void memory_pages(unsigned long *virtual, unsigned long *resident)
{
	FILE *f = fopen("/proc/self/statm", "re");

	*virtual = *resident = 0;
	if (!f)
		return;
	if (fscanf(f, "%lu %lu", virtual, resident) != 2) /* NOLINT(cert-err34-c) */
		*virtual = *resident = 0;
	fclose(f);
}

static double open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and this very descriptor */

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

void sen_metrics_write_process(FILE *out, const struct sen_metrics_process *process)
{
	unsigned long virtual, resident;
	struct rlimit files = { 0 };
	double page = (double)sysconf(_SC_PAGESIZE);

	memory_pages(&virtual, &resident);
	getrlimit(RLIMIT_NOFILE, &files);
	fprintf(out,
		"# HELP sentroid_build_info The agent's version.\n"
		"# TYPE sentroid_build_info gauge\n"
		"sentroid_build_info{version=\"%s\",abi=\"%d\"} 1\n",
		SENTROID_VERSION, SEN_ABI_VERSION);
	single(out, "sentroid_trainer_heartbeat_timestamp_seconds",
	       "Unix time at which the trainer thread last showed life.", "gauge",
	       (double)process->trainer_beat_s);
	single(out, "process_cpu_seconds_total", "User and system CPU time spent.", "counter",
	       cpu_seconds());
	single(out, "process_resident_memory_bytes", "Resident memory size.", "gauge",
	       (double)resident * page);
	single(out, "process_virtual_memory_bytes", "Virtual memory size.", "gauge",
	       (double)virtual * page);
	single(out, "process_start_time_seconds", "Unix time at which the process began.", "gauge",
	       (double)process->start_s);
	single(out, "process_open_fds", "Open file descriptors.", "gauge", open_descriptors());
	single(out, "process_max_fds", "File descriptors that may be open.", "gauge",
	       (double)files.rlim_cur);
}
