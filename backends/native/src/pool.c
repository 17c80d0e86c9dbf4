/* A pool of threads that sleep until there is a job.
 *
 * The caller works too, and parts are taken one by one, so a job ends even if no other thread wakes
 * up in time. One job runs at a time: who comes meanwhile, from another Python thread, computes
 * alone. A child of `fork` has none of the threads and starts its own when it first needs them.
 */
#include "native.h"

#include <pthread.h>
#include <stdatomic.h>

#define MOST_THREADS 256

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;  /* held while a job runs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  /* guards what follows */
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static int wanted = 1;          /* threads, the caller included */
static int started;             /* threads that were started */
static int active;              /* of them, those that may look at the job */
static unsigned long ticket;    /* counts jobs */

static struct {
    Part part;
    void *data;
    npy_intp count, grain;
    atomic_long next, helpers; /* the next part; how many more threads may help */
} job;

static void take_parts(void)
{
    npy_intp parts = (job.count + job.grain - 1) / job.grain, i;
    while ((i = atomic_fetch_add(&job.next, 1)) < parts) {
        npy_intp begin = i * job.grain, end = begin + job.grain;
        job.part(job.data, begin, end < job.count ? end : job.count);
    }
}

static void *helper(void *unused)
{
    (void)unused;
    unsigned long seen = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (seen == ticket || job.part == NULL)
            pthread_cond_wait(&work, &lock);
        seen = ticket;
        if (atomic_fetch_sub(&job.helpers, 1) <= 0)
            continue;
        active++;
        pthread_mutex_unlock(&lock);
        take_parts();
        pthread_mutex_lock(&lock);
        if (--active == 0)
            pthread_cond_signal(&done);
    }
    return NULL;
}

/* Start the threads that are missing; with the lock held. */
static void start_helpers(void)
{
    while (started < wanted - 1) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        int failed = pthread_create(&thread, &attributes, helper, NULL);
        pthread_attr_destroy(&attributes);
        if (failed)
            return; /* fewer will do */
        started++;
    }
}

void parallel(npy_intp count, npy_intp grain, Part part, void *data)
{
    if (count <= 0)
        return;
    npy_intp parts = (count + grain - 1) / grain;
    if (parts == 1 || wanted == 1 || pthread_mutex_trylock(&turn) != 0) {
        for (npy_intp begin = 0; begin < count; begin += grain)
            part(data, begin, begin + grain < count ? begin + grain : count);
        return;
    }
    pthread_mutex_lock(&lock);
    start_helpers();
    job.part = part;
    job.data = data;
    job.count = count;
    job.grain = grain;
    atomic_store(&job.next, 0);
    long helpers = wanted - 1 < parts - 1 ? wanted - 1 : parts - 1;
    atomic_store(&job.helpers, helpers);
    ticket++;
    if (helpers == 1)
        pthread_cond_signal(&work);
    else
        pthread_cond_broadcast(&work);
    pthread_mutex_unlock(&lock);
    take_parts();
    pthread_mutex_lock(&lock);
    job.part = NULL; /* who wakes up late finds nothing to do */
    while (active > 0)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&turn);
}

void set_thread_count(long count)
{
    pthread_mutex_lock(&lock);
    wanted = count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : (int)count;
    pthread_mutex_unlock(&lock);
}

int thread_count(void) { return wanted; }

/* Before a fork no job may run, so that the child finds the locks free and nothing half done. */
static void before_fork(void)
{
    pthread_mutex_lock(&turn);
    pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&turn);
}

static void after_fork_in_child(void)
{
    started = active = 0;
    job.part = NULL;
    pthread_cond_init(&work, NULL);
    pthread_cond_init(&done, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_mutex_init(&turn, NULL);
}

void start_pool(void) { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }
