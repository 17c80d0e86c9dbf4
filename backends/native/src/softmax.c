/* Kernels of chainrule/ops/softmax.py.
 *
 * Along the last dimension the elements of a row lie side by side, and a sum has a fixed number of
 * lanes: see reductions.c. Along another one many rows are computed side by side.
 */
#include "loops.h"

#define LANES 16
#define COLUMNS 128 /* rows side by side */
#define WORTH_THREADS 16384

enum { SOFTMAX, LOG_SOFTMAX, SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD };

typedef struct {
    const char *x, *y; /* the input; or the cotangent and the output */
    char *out;
    npy_intp n, inner; /* of a row; how far its elements are apart */
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
    /* *m* rows side by side, whose elements are *step* apart. */                                  \
    static void softmaxes_##suffix(const T *x, T *out, npy_intp n, npy_intp step, npy_intp m,      \
                                   bool log)                                                       \
    {                                                                                              \
        T most[COLUMNS], shift[COLUMNS];                                                           \
        double total[COLUMNS] = {0};                                                               \
        for (npy_intp c = 0; c < m; c++)                                                           \
            most[c] = x[c];                                                                        \
        for (npy_intp i = 1; i < n; i++)                                                           \
            for (npy_intp c = 0; c < m; c++)                                                       \
                most[c] = LARGER(x[i * step + c], most[c]);                                        \
        for (npy_intp i = 0; i < n; i++) {                                                         \
            const T *restrict from = x + i * step;                                                 \
            T *restrict to = out + i * step;                                                       \
            for (npy_intp c = 0; c < m; c++) {                                                     \
                to[c] = EXP(from[c] - most[c]);                                                    \
                total[c] += to[c];                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (npy_intp c = 0; c < m; c++)                                                           \
            shift[c] = log ? LOG((T)total[c]) : (T)total[c];                                       \
        for (npy_intp i = 0; i < n; i++) {                                                         \
            const T *restrict from = x + i * step;                                                 \
            T *restrict to = out + i * step;                                                       \
            for (npy_intp c = 0; c < m; c++)                                                       \
                to[c] = log ? from[c] - most[c] - shift[c] : to[c] / shift[c];                     \
        }                                                                                          \
    }                                                                                              \
    static void softmaxes_backward_##suffix(const T *g, const T *y, T *out, npy_intp n,            \
                                            npy_intp step, npy_intp m, bool log)                   \
    {                                                                                              \
        double total[COLUMNS] = {0};                                                               \
        for (npy_intp i = 0; i < n; i++)                                                           \
            for (npy_intp c = 0; c < m; c++)                                                       \
                total[c] += log ? g[i * step + c] : g[i * step + c] * y[i * step + c];             \
        for (npy_intp i = 0; i < n; i++) {                                                         \
            const T *restrict of = g + i * step, *restrict at = y + i * step;                      \
            T *restrict to = out + i * step;                                                       \
            for (npy_intp c = 0; c < m; c++)                                                       \
                to[c] = log ? of[c] - EXP(at[c]) * (T)total[c] : at[c] * (of[c] - (T)total[c]);    \
        }                                                                                          \
    }                                                                                              \
    static void aside_##suffix(const Rows *job, npy_intp begin, npy_intp end)                      \
    { /* a unit is up to COLUMNS rows of one of the outer indices */                               \
        npy_intp units = (job->inner + COLUMNS - 1) / COLUMNS;                                     \
        bool log = job->what == LOG_SOFTMAX || job->what == LOG_SOFTMAX_BACKWARD;                  \
        for (npy_intp i = begin; i < end; i++) {                                                   \
            npy_intp first = i % units * COLUMNS, left = job->inner - first;                       \
            npy_intp at = i / units * job->n * job->inner + first, m = left < COLUMNS ? left : COLUMNS; \
            const T *x = (const T *)job->x + at, *y = (const T *)job->y + at;                      \
            T *out = (T *)job->out + at;                                                           \
            if (job->what == SOFTMAX || job->what == LOG_SOFTMAX)                                  \
                softmaxes_##suffix(x, out, job->n, job->inner, m, log);                            \
            else                                                                                   \
                softmaxes_backward_##suffix(x, y, out, job->n, job->inner, m, log);                \
        }                                                                                          \
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
PART(aside, Rows)

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
    if (type < 0 || (arrays == 2 && (!is_array(args[1], type) || !same_shape(args[0], args[1]))))
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    int ndim = PyArray_NDIM(x);
    npy_intp size = PyArray_SIZE(x);
    dim += dim < 0 ? ndim : 0;
    if (size == 0 || dim < 0 || dim >= ndim)
        return DECLINED;
    PyObject *taken[2], *output = NULL;
    bool whole = take(arrays, args, taken);
    if (whole && (output = new_like(args[0], type))) {
        Rows job = {
            .x = data_of(taken[0]), .y = data_of(taken[arrays - 1]), .out = data_of(output),
            .n = PyArray_DIM(x, dim), .inner = 1, .what = what, .type = type,
        };
        for (int d = (int)dim + 1; d < ndim; d++)
            job.inner *= PyArray_DIM(x, d);
        Part part = job.inner == 1 ? soft_part : aside_part;
        npy_intp outer = size / job.n / job.inner, grain = 4096 / job.n;
        npy_intp units = outer * (job.inner == 1 ? 1 : (job.inner + COLUMNS - 1) / COLUMNS);
        grain /= job.inner < COLUMNS ? job.inner : COLUMNS;
        BEGIN_LONG(size)
        if (size < WORTH_THREADS)
            part(&job, 0, units);
        else
            parallel(units, grain < 1 ? 1 : grain, part, &job);
        END_LONG
    }
    drop(arrays, taken);
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
