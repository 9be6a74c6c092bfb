/* Argon2id (RFC 9106) off the loop: few at once, few waiting, those of doubtful sources last: who guesses passwords from
 * many addresses must not keep the others out. A job's passwords are wiped when it is freed. */
#include "gateway/auth/auth_priv.h"

#include <argon2.h>
#include <string.h>
#include <sys/random.h>

enum { SALT_BYTES = 16, TAG_BYTES = 32, LANES = 1, ENCODED_MAX = 160 };

struct job *gw_auth_job_new(gw_auth *auth, void (*finish)(struct job *job), void *user_data)
{
	struct job *job = g_new0(struct job, 1);
	job->auth = auth;
	job->finish = finish;
	job->user_data = user_data;
	job->memory_kib = auth->limits.memory_kib;
	job->passes = auth->limits.passes;
	return job;
}

static void wipe(char *secret)
{
	if (secret) {
		explicit_bzero(secret, strlen(secret));
		g_free(secret);
	}
}

void gw_auth_job_free(struct job *job)
{
	wipe(job->old_password);
	wipe(job->new_password);
	g_free(job->old_encoded);
	g_free(job->new_encoded);
	g_free(job->name);
	g_free(job->role);
	g_free(job->display);
	g_free(job->source);
	g_free(job->address);
	g_free(job->code);
	g_free(job->division);
	g_free(job);
}

static char *make_hash(const struct job *job, const char *password)
{
	uint8_t salt[SALT_BYTES];
	char encoded[ENCODED_MAX];
	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
		return NULL;
	}
	int rc = argon2id_hash_encoded(job->passes, job->memory_kib, LANES, password, strlen(password), salt,
				       sizeof(salt), TAG_BYTES, encoded, sizeof(encoded));
	return rc == ARGON2_OK ? g_strdup(encoded) : NULL;
}

/* Worker thread: touches the worker's part of the job only. */
static void work(void *p)
{
	struct job *job = p;
	job->matched = true;
	if (job->old_password) {
		int rc = argon2id_verify(job->old_encoded, job->old_password, strlen(job->old_password));
		job->matched = rc == ARGON2_OK;
		job->failed = rc != ARGON2_OK && rc != ARGON2_VERIFY_MISMATCH;
	}
	if (job->new_password && job->matched) {
		job->new_encoded = make_hash(job, job->new_password);
		job->failed = !job->new_encoded;
	}
}

static void start_next(gw_auth *auth);

static void done(void *p)
{
	struct job *job = p;
	gw_auth *auth = job->auth;
	auth->running--;
	count(auth, N_hashes);
	start_next(auth);
	job->finish(job);
	gw_auth_job_free(job);
}

static unsigned doubt(const struct job *job)
{
	return job->source ? gw_auth_lock_doubt(job->auth, job->source) : 0;
}

/* Of equals the first that came. */
static GList *least_doubtful(gw_auth *auth)
{
	GList *best = auth->waiting.head;
	for (GList *i = best; i; i = i->next) {
		best = doubt(i->data) < doubt(best->data) ? i : best;
	}
	return best;
}

/* Of equals the last that came. */
static GList *most_doubtful(gw_auth *auth)
{
	GList *worst = auth->waiting.tail;
	for (GList *i = worst; i; i = i->prev) {
		worst = doubt(i->data) > doubt(worst->data) ? i : worst;
	}
	return worst;
}

static void turn_away(struct job *job)
{
	gw_auth *auth = job->auth;
	count(auth, N_busy);
	gw_auth_lock_cancel(auth, job->source, job->name, job->now_us);
	if (job->grant_fn) {
		job->grant_fn(GW_AUTH_BUSY, NULL, 1, job->user_data);
	} else {
		job->done_fn(GW_AUTH_BUSY, "try again", job->user_data);
	}
	gw_auth_job_free(job);
}

static void start_next(gw_auth *auth)
{
	while (auth->running < auth->limits.max_hashes && auth->waiting.length) {
		GList *best = least_doubtful(auth);
		struct job *job = best->data;
		g_queue_delete_link(&auth->waiting, best);
		auth->running++;
		if (auth->ops.run) {
			auth->ops.run(work, done, job, auth->user_data);
		} else {
			work(job);
			done(job);
		}
	}
}

bool gw_auth_job_submit(struct job *job)
{
	gw_auth *auth = job->auth;
	if (auth->waiting.length >= auth->limits.max_queue) {
		GList *worst = most_doubtful(auth);
		struct job *other = worst->data;
		if (doubt(other) <= doubt(job)) {
			count(auth, N_busy);
			gw_auth_job_free(job);
			return false;
		}
		g_queue_delete_link(&auth->waiting, worst);
		turn_away(other);
	}
	g_queue_push_tail(&auth->waiting, job);
	start_next(auth);
	return true;
}
