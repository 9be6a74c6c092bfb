/* What codec bytes may do when they have taken this process over: compute, speak to the engine over the sockets it has, and
 * read what everybody may read. Landlock closes the files (threads inherit it, so it comes before them), seccomp the calls
 * (for all threads at once). A host whose kernel has no Landlock keeps the second half. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/mixer/mixer_priv.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1	/* their run-time needs more than codecs do */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

void mixer_sandbox_early(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);	/* of what use would it be without the engine */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0077);
	if (!SANITIZED) {
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* pictures and voices are in memory */
	}
}

/* ---- files ---- */

/* Plug-ins, fonts, time zone, processors. Nothing of a person, nothing of the gateway. */
static const char *const readable[] = { "/usr", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/var/cache/fontconfig",
					"/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system", "/dev/null",
					"/dev/urandom" };

static void allow(int ruleset, const char *path)
{
	struct stat st;
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE };
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) {
		return;	/* this host has none */
	}
	if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	}
	(void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);	/* else it stays closed */
	close(rule.parent_fd);
}

void mixer_sandbox_files(const struct mixer_sandbox *s)
{
	/* the first version of the interface; EXECUTE also guards what is mapped to be run by execve() only */
	const struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	if (!s->on || SANITIZED) {
		return;
	}
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0) {
		ort_log(ORT_LOG_WARNING, "sandbox", "landlock", "the kernel has no Landlock: files stay as the user's rights say",
			ORT_S("why", g_strerror(errno)));
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(readable); i++) {
		allow(ruleset, readable[i]);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		ort_log(ORT_LOG_WARNING, "sandbox", "landlock", "Landlock refused", ORT_S("why", g_strerror(errno)));
	}
	close(ruleset);
}

/* ---- calls ---- */

static const int calls[] = {
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mincore),
	SCMP_SYS(membarrier), SCMP_SYS(msync), SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(get_mempolicy),
	/* descriptors that are there */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(close), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(fadvise64),
	/* names: to look, not to touch */
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(futex),
	/* threads and signals of our own */
	SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
	SCMP_SYS(sched_get_priority_min), SCMP_SYS(sched_get_priority_max), SCMP_SYS(getpriority), SCMP_SYS(getcpu),
	/* what everybody may know */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};

#define NO_WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* What is written is never run: no codec here compiles. Plug-ins that are loaded late are mapped from their files. */
static int add_memory(scmp_filter_ctx f)
{
	static const scmp_datum_t one_of[] = { 0, PROT_WRITE, PROT_EXEC };
	int err = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(one_of); i++) {
		err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
						   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, one_of[i]));
	}
	return err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int add_rules(scmp_filter_ctx f)
{
	int err = add_memory(f);
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
		err = rc == -EDOM || rc == -EFAULT ? err : err ? err : rc;	/* another processor has no such call */
	}
	/* the set of flags: reading only */
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, NO_WRITING, 0));
	(void)seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, NO_WRITING, 0));
	/* GStreamer wakes its pollers through a pair; it reaches nobody */
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* threads, no processes; clone3 hides its flags in memory, glibc goes back to clone when there is none */
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS, THREAD_FLAGS));
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* the sound thread may be quicker than others, nobody be made slower */
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2, SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS),
					   SCMP_A2(SCMP_CMP_MASKED_EQ, 0x80000000, 0x80000000));
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));	/* asking */
	err = err ? err : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));	/* abort() */
	return err;
}

static int filter_calls(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!f) {
		return -ENOMEM;
	}
	int err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	err = err ? err : add_rules(f);
	err = err ? err : seccomp_load(f);
	seccomp_release(f);
	return err;
}

bool mixer_sandbox_calls(const struct mixer_sandbox *s, GError **err)
{
	if (SANITIZED) {
		return true;
	}
	if (s->memory > 0) {
		/* not RLIMIT_AS: the C library reserves 64 MB of addresses for each thread that allocates, and uses little of it */
		(void)setrlimit(RLIMIT_DATA, &(struct rlimit){ (rlim_t)s->memory, (rlim_t)s->memory });	/* lowering cannot fail */
	}
	if (!s->on) {
		return true;
	}
	int rc = filter_calls();
	if (rc < 0) {
		g_set_error(err, G_IO_ERROR, G_IO_ERROR_FAILED, "seccomp: %s", g_strerror(-rc));
	}
	return rc == 0;
}
