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

typedef struct {
    Part part; /* NULL when there is none */
    void *data;
    npy_intp count, grain;
} Job;

static Job job;
static atomic_long next, helpers; /* the next part; how many more threads may help */

/* *taken* is a copy: the caller forgets the job as soon as no part is left to take, while others still compute. */
static void take_parts(Job taken)
{
    npy_intp parts = (taken.count + taken.grain - 1) / taken.grain, i;
    while ((i = atomic_fetch_add(&next, 1)) < parts) {
        npy_intp begin = i * taken.grain, end = begin + taken.grain;
        taken.part(taken.data, begin, end < taken.count ? end : taken.count);
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
        if (atomic_fetch_sub(&helpers, 1) <= 0)
            continue;
        active++;
        Job taken = job;
        pthread_mutex_unlock(&lock);
        take_parts(taken);
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
    Job taken = job = (Job){part, data, count, grain};
    atomic_store(&next, 0);
    long help = wanted - 1 < parts - 1 ? wanted - 1 : parts - 1;
    atomic_store(&helpers, help);
    ticket++;
    if (help == 1)
        pthread_cond_signal(&work);
    else
        pthread_cond_broadcast(&work);
    pthread_mutex_unlock(&lock);
    take_parts(taken);
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
