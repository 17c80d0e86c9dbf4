/* Kernels of chainrule/ops/fused.py for the norm of all gradients: one call for all of them.
 *
 * Long arrays are cut into pieces, whose sums are added up in their order: the same for any number of
 * threads.
 */
#include "lists.h"
#include "loops.h"

#include <stdlib.h>

#define LANES 32
#define BLOCK 1024  /* elements added up in lanes; beyond, sums are double */
#define PIECE 65536 /* elements of a piece */

enum { ABSOLUTE, SQUARES, LARGEST };

typedef struct {
    const char *from;
    npy_intp n;
    Py_ssize_t of; /* which array */
} Piece;

typedef struct {
    Piece *pieces;
    double *results; /* one per piece */
    int what, type;
} Norms;

/* The sum over some elements of what TERM makes of x; or the largest, if any is NaN that. */
#define SUM_OF(name, T, TERM)                                                                      \
    static double name(const T *restrict from, npy_intp n)                                         \
    {                                                                                              \
        double total = 0;                                                                          \
        for (npy_intp at = 0; at < n; at += BLOCK) {                                               \
            npy_intp end = n - at < BLOCK ? n : at + BLOCK, i = at;                                \
            T lanes[LANES] = {0};                                                                  \
            for (; i + LANES <= end; i += LANES)                                                   \
                for (int k = 0; k < LANES; k++) {                                                  \
                    const T x = from[i + k];                                                       \
                    lanes[k] += TERM;                                                              \
                }                                                                                  \
            for (; i < end; i++) {                                                                 \
                const T x = from[i];                                                               \
                lanes[i % LANES] += TERM;                                                          \
            }                                                                                      \
            for (int k = 0; k < LANES; k++)                                                        \
                total += lanes[k];                                                                 \
        }                                                                                          \
        return total;                                                                              \
    }

#define LARGEST_OF(name, T)                                                                        \
    static double name(const T *restrict from, npy_intp n)                                         \
    {                                                                                              \
        T largest = 0, spoilt = 0; /* by what is NaN: x - x is then, and of infinities */          \
        for (npy_intp i = 0; i < n; i++) {                                                         \
            const T size = ABS(from[i]);                                                           \
            largest = size > largest ? size : largest;                                             \
            spoilt = size != size ? size : spoilt;                                                 \
        }                                                                                          \
        return spoilt != spoilt ? spoilt : largest;                                                \
    }

SUM_OF(absolute_single, float, ABS(x))
SUM_OF(absolute_real, double, ABS(x))
SUM_OF(squares_single, float, x *x)
SUM_OF(squares_real, double, x *x)
LARGEST_OF(largest_single, float)
LARGEST_OF(largest_real, double)

static void norms_part(void *data, npy_intp begin, npy_intp end)
{
    const Norms *job = data;
    for (npy_intp i = begin; i < end; i++) {
        const void *from = job->pieces[i].from;
        npy_intp n = job->pieces[i].n;
        bool single = job->type == NPY_FLOAT;
        job->results[i] = job->what == ABSOLUTE ? (single ? absolute_single(from, n) : absolute_real(from, n))
                          : job->what == SQUARES ? (single ? squares_single(from, n) : squares_real(from, n))
                                                 : (single ? largest_single(from, n) : largest_real(from, n));
    }
}

/* Cut the arrays of a list into pieces; their number, or -1 without memory. */
static npy_intp cut(const Lists *lists, Norms *job)
{
    npy_intp count = 0, at = 0;
    for (Py_ssize_t i = 0; i < lists->count; i++)
        count += (size_of(lists, i) + PIECE - 1) / PIECE;
    job->pieces = malloc((size_t)(count + 1) * sizeof(Piece));
    job->results = malloc((size_t)(count + 1) * sizeof(double));
    if (!job->pieces || !job->results)
        return -1;
    npy_intp size = lists->type == NPY_FLOAT ? 4 : 8;
    for (Py_ssize_t i = 0; i < lists->count; i++)
        for (npy_intp done = 0, n = size_of(lists, i); done < n; done += PIECE)
            job->pieces[at++] = (Piece){item_of(lists, 0, i) + done * size,
                                        n - done < PIECE ? n - done : PIECE, i};
    return count;
}

static PyObject *norms(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[1];
    PyObject *value, *output;
    double order;
    Lists lists;
    name(&names[0], "ord");
    if (count != 1 || !statics(args, count, kwnames, 1, names, &value) || !value || !as_double(value, &order) ||
        (order != 1 && order != 2 && order != (double)INFINITY) || !read_lists(args, 1, 1, 0, &lists))
        return DECLINED;
    bool empty = false; /* which has no largest element */
    for (Py_ssize_t i = 0; i < lists.count; i++)
        empty = empty || size_of(&lists, i) == 0;
    if (empty && order == (double)INFINITY) {
        let_go(&lists);
        return DECLINED;
    }
    Norms job = {.what = order == 1 ? ABSOLUTE : order == 2 ? SQUARES : LARGEST, .type = lists.type};
    npy_intp shape[1] = {lists.count}, pieces = cut(&lists, &job);
    output = pieces < 0 ? PyErr_NoMemory() : new_array(lists.type, 1, shape);
    if (output) {
        BEGIN_LONG(lists.total)
        parallel(pieces, 1, norms_part, &job);
        END_LONG
        npy_intp at = 0;
        for (Py_ssize_t i = 0; i < lists.count; i++) {
            double total = 0, one;
            for (; at < pieces && job.pieces[at].of == i; at++) {
                one = job.results[at];
                total = job.what != LARGEST ? total + one : one > total || one != one ? one : total;
            }
            total = job.what == SQUARES ? sqrt(total) : total;
            if (lists.type == NPY_FLOAT)
                ((float *)data_of(output))[i] = (float)total;
            else
                ((double *)data_of(output))[i] = total;
        }
    }
    free(job.pieces);
    free(job.results);
    let_go(&lists);
    return output;
}

/* ---- scaling ------------------------------------------------------------------------------------ */

typedef struct {
    char *data;
    double factor;
    int type;
} Scaling;

#define SCALE(suffix, T)                                                                           \
    static void scale_##suffix(const Scaling *job, npy_intp begin, npy_intp end)                   \
    {                                                                                              \
        T *restrict x = (T *)job->data;                                                            \
        const T factor = (T)job->factor;                                                           \
        for (npy_intp i = begin; i < end; i++)                                                     \
            x[i] *= factor;                                                                        \
    }

SCALE(single, float)
SCALE(real, double)

PART(scale, Scaling)

static PyObject *scale(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Lists lists, factor;
    if (count != 2 || kwnames || !read_lists(args, 1, 1, 1, &lists))
        return DECLINED;
    bool given = read_lists(args + 1, 1, 1, 0, &factor);
    bool one = given && factor.count == 1 && factor.total == 1 && factor.type == lists.type;
    if (one) {
        Scaling job = {.type = lists.type};
        job.factor = lists.type == NPY_FLOAT ? *(float *)item_of(&factor, 0, 0) : *(double *)item_of(&factor, 0, 0);
        for (Py_ssize_t i = 0; job.factor != 1 && i < lists.count; i++) {
            job.data = item_of(&lists, 0, i);
            npy_intp size = size_of(&lists, i);
            BEGIN_LONG(size)
            parallel(size, PIECE, scale_part, &job);
            END_LONG
        }
    }
    if (given)
        let_go(&factor);
    let_go(&lists);
    if (!one)
        return DECLINED;
    Py_RETURN_NONE;
}

const KernelEntry clipping_kernels[] = {
    {"cr::_norms_of_", norms},
    {"cr::_scale_", scale},
    {NULL, NULL},
};
