/* Kernels of chainrule/ops/softmax.py, along the last dimension of contiguous arrays.
 *
 * Sums over a row have a fixed number of lanes: see reductions.c.
 */
#include "loops.h"

#define LANES 16
#define WORTH_THREADS 16384

enum { SOFTMAX, LOG_SOFTMAX, SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD };

typedef struct {
    const char *x, *y; /* the input; or the cotangent and the output */
    char *out;
    npy_intp n; /* of a row */
    int what, type;
} Rows;

#define JOINED(lanes, join)                                                                        \
    for (int width = LANES / 2; width; width /= 2)                                                 \
        for (int k = 0; k < width; k++)                                                            \
            lanes[k] = join(lanes[k], lanes[k + width]);
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define TOTAL(a, b) ((a) + (b))

/* lanes[0] = the sum of *term*, of i, over a row */
#define SUMMED(T, lanes, n, term)                                                                  \
    T lanes[LANES] = {0};                                                                          \
    {                                                                                              \
        npy_intp at = 0;                                                                           \
        for (; at + LANES <= n; at += LANES)                                                       \
            for (int k = 0; k < LANES; k++) {                                                      \
                npy_intp i = at + k;                                                               \
                lanes[k] += term;                                                                  \
            }                                                                                      \
        for (npy_intp i = at; i < n; i++)                                                          \
            lanes[i - at] += term;                                                                 \
        JOINED(lanes, TOTAL)                                                                       \
    }

#define SOFT(suffix, T)                                                                            \
    static T largest_##suffix(const T *restrict x, npy_intp n)                                     \
    {                                                                                              \
        T lanes[LANES];                                                                            \
        npy_intp at = 0;                                                                           \
        for (int k = 0; k < LANES; k++)                                                            \
            lanes[k] = -(T)INFINITY;                                                               \
        for (; at + LANES <= n; at += LANES)                                                       \
            for (int k = 0; k < LANES; k++)                                                        \
                lanes[k] = LARGER(x[at + k], lanes[k]);                                            \
        for (npy_intp i = at; i < n; i++)                                                          \
            lanes[i - at] = LARGER(x[i], lanes[i - at]);                                           \
        JOINED(lanes, LARGER)                                                                      \
        return lanes[0];                                                                           \
    }                                                                                              \
    static void softmax_##suffix(const T *restrict x, T *restrict out, npy_intp n)                 \
    {                                                                                              \
        T most = largest_##suffix(x, n);                                                           \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = EXP(x[i] - most);                                                             \
        SUMMED(T, lanes, n, out[i])                                                                \
        T total = lanes[0];                                                                        \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] /= total;                                                                       \
    }                                                                                              \
    static void log_softmax_##suffix(const T *restrict x, T *restrict out, npy_intp n)             \
    {                                                                                              \
        T most = largest_##suffix(x, n);                                                           \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = EXP(x[i] - most);                                                             \
        SUMMED(T, lanes, n, out[i])                                                                \
        T log_total = LOG(lanes[0]);                                                               \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = x[i] - most - log_total;                                                      \
    }                                                                                              \
    static void softmax_backward_##suffix(const T *restrict g, const T *restrict y,                \
                                          T *restrict out, npy_intp n)                             \
    {                                                                                              \
        SUMMED(T, lanes, n, g[i] * y[i])                                                           \
        T total = lanes[0];                                                                        \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = (g[i] - total) * y[i];                                                        \
    }                                                                                              \
    static void log_softmax_backward_##suffix(const T *restrict g, const T *restrict y,            \
                                              T *restrict out, npy_intp n)                         \
    {                                                                                              \
        SUMMED(T, lanes, n, g[i])                                                                  \
        T total = lanes[0];                                                                        \
        for (npy_intp i = 0; i < n; i++)                                                           \
            out[i] = g[i] - EXP(y[i]) * total;                                                     \
    }                                                                                              \
    static void soft_##suffix(const Rows *job, npy_intp begin, npy_intp end)                       \
    {                                                                                              \
        for (npy_intp row = begin; row < end; row++) {                                             \
            const T *x = (const T *)job->x + row * job->n, *y = (const T *)job->y + row * job->n;  \
            T *out = (T *)job->out + row * job->n;                                                 \
            if (job->what == SOFTMAX)                                                              \
                softmax_##suffix(x, out, job->n);                                                  \
            else if (job->what == LOG_SOFTMAX)                                                     \
                log_softmax_##suffix(x, out, job->n);                                              \
            else if (job->what == SOFTMAX_BACKWARD)                                                \
                softmax_backward_##suffix(x, y, out, job->n);                                      \
            else                                                                                   \
                log_softmax_backward_##suffix(x, y, out, job->n);                                  \
        }                                                                                          \
    }

SOFT(single, float)
SOFT(real, double)

PART(soft, Rows)

static PyObject *along(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int arrays,
                       int what)
{
    static PyObject *names[1];
    PyObject *value;
    npy_intp dim;
    name(&names[0], "dim");
    if (count != arrays || !statics(args, count, kwnames, 1, names, &value) || !value ||
        !as_index(value, &dim))
        return DECLINED;
    int type = float_type(args[0]);
    if (type < 0 || !is_contiguous(args[0]))
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    int ndim = PyArray_NDIM(x);
    npy_intp size = PyArray_SIZE(x);
    if (ndim == 0 || size == 0 || (dim != ndim - 1 && dim != -1))
        return DECLINED;
    if (arrays == 2 && (!is_array(args[1], type) || !is_contiguous(args[1]) ||
                        !same_shape(args[0], args[1])))
        return DECLINED;
    PyObject *output = new_like(args[0], type);
    if (!output)
        return NULL;
    Rows job = {
        .x = PyArray_BYTES(x), .y = PyArray_BYTES(as_array(args[arrays - 1])),
        .out = PyArray_BYTES(as_array(output)), .n = PyArray_DIM(x, ndim - 1), .what = what,
        .type = type,
    };
    npy_intp rows = size / job.n, grain = 4096 / job.n;
    BEGIN_LONG(size)
    if (size < WORTH_THREADS)
        soft_part(&job, 0, rows);
    else
        parallel(rows, grain < 1 ? 1 : grain, soft_part, &job);
    END_LONG
    return output;
}

static PyObject *softmax(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return along(args, count, kwnames, 1, SOFTMAX);
}

static PyObject *log_softmax(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return along(args, count, kwnames, 1, LOG_SOFTMAX);
}

static PyObject *softmax_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return along(args, count, kwnames, 2, SOFTMAX_BACKWARD);
}

static PyObject *log_softmax_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return along(args, count, kwnames, 2, LOG_SOFTMAX_BACKWARD);
}

const KernelEntry softmax_kernels[] = {
    {"cr::_softmax", softmax},
    {"cr::_log_softmax", log_softmax},
    {"cr::softmax_backward", softmax_backward},
    {"cr::log_softmax_backward", log_softmax_backward},
    {NULL, NULL},
};
