/* Finding the BLAS, calling it, and memory for what it multiplies. */
#include "blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

enum { ROWS = 101, PLAIN = 111, TRANSPOSED = 112 }; /* CBLAS's numbers */

#define SIGNATURE(name, integer, type)                                                             \
    typedef void (*name)(int, int, int, integer, integer, integer, type, const type *, integer,    \
                         const type *, integer, type, type *, integer);
SIGNATURE(Sgemm64, int64_t, float)
SIGNATURE(Sgemm32, int32_t, float)
SIGNATURE(Dgemm64, int64_t, double)
SIGNATURE(Dgemm32, int32_t, double)

static struct {
    void *single, *real; /* of one of the types above */
    bool wide;           /* integers of 64 bits */
    void (*set_threads)(int);
    int (*get_threads)(void);
} blas;

/* ---- products --------------------------------------------------------------------------------- */

#define GEMM(name, type, field, Wide, Narrow)                                                      \
    void name(bool ta, bool tb, npy_intp m, npy_intp n, npy_intp k, type alpha, const type *a,     \
              npy_intp lda, const type *b, npy_intp ldb, type beta, type *c, npy_intp ldc)         \
    {                                                                                              \
        if (m <= 0 || n <= 0)                                                                      \
            return;                                                                                \
        if (k <= 0) {                                                                              \
            for (npy_intp i = 0; i < m; i++)                                                       \
                for (npy_intp j = 0; j < n; j++)                                                   \
                    c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];                        \
            return;                                                                                \
        }                                                                                          \
        /* Of a single row the stride says nothing. */                                             \
        lda = (ta ? k : m) <= 1 ? (ta ? m : k) : lda;                                              \
        ldb = (tb ? n : k) <= 1 ? (tb ? k : n) : ldb;                                              \
        ldc = m <= 1 ? n : ldc;                                                                    \
        int at = ta ? TRANSPOSED : PLAIN, bt = tb ? TRANSPOSED : PLAIN;                            \
        if (blas.wide)                                                                             \
            ((Wide)blas.field)(ROWS, at, bt, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);        \
        else                                                                                       \
            ((Narrow)blas.field)(ROWS, at, bt, (int32_t)m, (int32_t)n, (int32_t)k, alpha, a,       \
                                 (int32_t)lda, b, (int32_t)ldb, beta, c, (int32_t)ldc);            \
    }

GEMM(gemm_single, float, single, Sgemm64, Sgemm32)
GEMM(gemm_real, double, real, Dgemm64, Dgemm32)

bool blas_takes(npy_intp elements)
{
    return blas.single && blas.real && (blas.wide || elements <= INT32_MAX);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static int users, before; /* how many are between the two; the threads there were before */

void blas_alone(void)
{
    if (!blas.set_threads)
        return;
    pthread_mutex_lock(&guard);
    if (users++ == 0) {
        before = blas.get_threads();
        if (before != 1)
            blas.set_threads(1);
    }
    pthread_mutex_unlock(&guard);
}

void blas_together(void)
{
    if (!blas.set_threads)
        return;
    pthread_mutex_lock(&guard);
    if (--users == 0 && before != 1)
        blas.set_threads(before);
    pthread_mutex_unlock(&guard);
}

void parallel_products(double work, npy_intp count, npy_intp grain, Part part, void *job)
{
    BEGIN_LONG(work)
    blas_alone();
    parallel(count, grain, part, job);
    blas_together();
    END_LONG
}

/* A child of fork has one thread, which is in no kernel. */
static void lock_for_fork(void) { pthread_mutex_lock(&guard); }
static void unlock_after_fork(void) { pthread_mutex_unlock(&guard); }

static void reset_after_fork(void)
{
    if (users && before != 1)
        blas.set_threads(before);
    users = 0;
    pthread_mutex_unlock(&guard);
}

/* ---- finding it ------------------------------------------------------------------------------- */

/* How builds of OpenBLAS and others name what they export: before and after the plain name. */
static const struct {
    const char *prefix, *suffix;
    bool wide;
} NAMES[] = {
    {"scipy_", "64_", true}, {"", "64_", true},  {"scipy_", "", false}, {"", "", false},
    {"", "$NEWLAPACK$ILP64", true},
};

static void *look_up(void *library, int naming, const char *plain)
{
    char text[96];
    PyOS_snprintf(text, sizeof text, "%s%s%s", NAMES[naming].prefix, plain, NAMES[naming].suffix);
    return dlsym(library, text);
}

PyObject *connect_blas(PyObject *module, PyObject *path)
{
    const char *text = PyUnicode_AsUTF8(path);
    if (!text)
        return NULL;
    void *library = dlopen(text, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        Py_RETURN_FALSE;
    for (int i = 0; i < (int)(sizeof NAMES / sizeof NAMES[0]) && !blas.single; i++) {
        void *single = look_up(library, i, "cblas_sgemm"), *real = look_up(library, i, "cblas_dgemm");
        if (!single || !real)
            continue;
        blas.single = single;
        blas.real = real;
        blas.wide = NAMES[i].wide;
        void *set = look_up(library, i, "openblas_set_num_threads");
        void *get = look_up(library, i, "openblas_get_num_threads");
        if (set && get) {
            memcpy(&blas.set_threads, &set, sizeof set); /* C has no cast between the two */
            memcpy(&blas.get_threads, &get, sizeof get);
            pthread_atfork(lock_for_fork, unlock_after_fork, reset_after_fork);
        }
    }
    /* The library stays open: its functions are called until the process ends. */
    return PyBool_FromLong(blas.single != NULL);
}

/* ---- memory of a thread ----------------------------------------------------------------------- */

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

typedef struct {
    size_t size; /* of what follows the header */
    char padding[56];
} Header;

static void make_key(void) { pthread_key_create(&key, free); }

void *scratch(size_t bytes)
{
    pthread_once(&once, make_key);
    Header *header = pthread_getspecific(key);
    if (header && header->size >= bytes)
        return header + 1;
    free(header);
    pthread_setspecific(key, NULL);
    size_t size = (bytes + 4095) & ~(size_t)4095;
    header = aligned_alloc(64, size + sizeof(Header) + 4096 - sizeof(Header));
    if (!header)
        return NULL;
    header->size = size;
    pthread_setspecific(key, header);
    return header + 1;
}
