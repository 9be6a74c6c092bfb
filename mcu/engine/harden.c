#include "mcu/engine/harden_priv.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1	/* its leak check at the end is a tracer of ourselves */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);	/* the old limit serves fewer TCP peers */
	}
}

void mcu_harden(bool allow_core)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(0077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!allow_core && !SANITIZED) {
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);	/* nor a debugger of the same user: the media keys are in memory */
	}
	raise_descriptors();
}
