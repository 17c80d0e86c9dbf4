/* Kernels of chainrule/ops/normalization.py.
 *
 * A channel, or a row, is read again for each of its sums: what is at work stays in the cache.
 */
#include "native.h"

#include <math.h>

typedef struct {
    npy_intp samples, channels, inner;
    const void *x, *grad, *weight, *bias, *running_mean, *running_var;
    void *out, *mean, *rstd, *variance, *by_weight, *by_bias;
    double eps;
    bool training;
} Batch;

typedef struct {
    npy_intp rows, size;             /* how many, and how long */
    npy_intp channels, inner, groups; /* of a row that is a group of channels; else 0 */
    npy_intp share;                  /* rows of a share */
    const void *x, *grad, *weight, *bias;
    void *out, *mean, *rstd, *shares;
    double eps;
} Rows;

#include "normalization_loops.h"
#define REAL
#include "normalization_loops.h"
#undef REAL

#define GRAIN 16384 /* elements of a part */

static npy_intp grain_of(npy_intp each) { return each >= GRAIN ? 1 : GRAIN / (each > 0 ? each : 1); }

/* ---- reading what is given ------------------------------------------------------------------- */

/* Take arrays of one *type*. Returns false to decline, or with an exception; then nothing is kept. */
static bool take_of(int type, int count, PyObject *const *args, PyObject **taken)
{
    for (int i = 0; i < count; i++)
        if (args[i] != Py_None && !is_array(args[i], type))
            return false;
    if (take(count, args, taken))
        return true;
    drop(count, taken);
    return false;
}

/* Whether *array* is None, or has *size* elements. */
static bool fits(PyObject *array, npy_intp size)
{
    return array == Py_None ||
           (PyArray_CheckExact(array) && PyArray_SIZE(as_array(array)) == size);
}

/* ---- over a batch ------------------------------------------------------------------------------ */

static bool read_batch(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, PyObject *x, Batch *b)
{
    static PyObject *names[2];
    name(&names[0], "training"), name(&names[1], "eps");
    PyObject *values[2];
    if (!statics(args, count, kwnames, 2, names, values) || !values[0] || !PyBool_Check(values[0]) ||
        !values[1] || !as_double(values[1], &b->eps) || PyArray_NDIM(as_array(x)) < 2)
        return false;
    b->training = values[0] == Py_True;
    const npy_intp *shape = PyArray_DIMS(as_array(x));
    b->samples = shape[0];
    b->channels = shape[1];
    b->inner = 1;
    for (int i = 2; i < PyArray_NDIM(as_array(x)); i++)
        b->inner *= shape[i];
    return b->samples > 0 && b->channels > 0 && b->inner > 0;
}

static PyObject *batch_norm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Batch b = {0};
    int type;
    if (count != 5 || (type = float_type(args[0])) < 0 || !read_batch(args, count, kwnames, args[0], &b))
        return DECLINED;
    for (int i = 1; i < 5; i++)
        if (!fits(args[i], b.channels))
            return DECLINED;
    PyObject *taken[5];
    if ((!b.training && (args[3] == Py_None || args[4] == Py_None)) || !take_of(type, 5, args, taken))
        return DECLINED;
    npy_intp shape[1] = {b.training ? b.channels : 0};
    PyObject *results[4] = {new_like(args[0], type)};
    for (int i = 1; i < 4; i++)
        results[i] = new_array(type, 1, shape);
    if (results[0] && results[1] && results[2] && results[3]) {
        b.x = data_of(taken[0]), b.weight = data_of(taken[1]), b.bias = data_of(taken[2]);
        b.running_mean = data_of(taken[3]), b.running_var = data_of(taken[4]);
        b.out = data_of(results[0]), b.mean = data_of(results[1]), b.rstd = data_of(results[2]);
        b.variance = data_of(results[3]);
        npy_intp each = b.samples * b.inner;
        BEGIN_LONG(each * b.channels)
        parallel(b.channels, grain_of(3 * each), type == NPY_FLOAT ? batch_part_single : batch_part_real, &b);
        END_LONG
    }
    drop(5, taken);
    return packed(4, results);
}

static PyObject *batch_norm_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Batch b = {0};
    int type;
    if (count != 7 || (type = float_type(args[0])) < 0 || !is_array(args[1], type) ||
        !same_shape(args[0], args[1]) || !read_batch(args, count, kwnames, args[1], &b))
        return DECLINED;
    PyObject *used[7], *taken[7]; /* without what is not looked at, which may be empty */
    memcpy(used, args, sizeof used);
    int mean = b.training ? 3 : 5, unused = b.training ? 5 : 3;
    used[unused] = used[unused + 1] = Py_None;
    for (int i = 2; i < 7; i++)
        if (!fits(used[i], b.channels))
            return DECLINED;
    if (used[mean] == Py_None || used[mean + 1] == Py_None || !take_of(type, 7, used, taken))
        return DECLINED;
    PyObject *results[3] = {new_like(args[1], type), new_array(type, 1, &b.channels),
                            new_array(type, 1, &b.channels)};
    if (results[0] && results[1] && results[2]) {
        b.grad = data_of(taken[0]), b.x = data_of(taken[1]), b.weight = data_of(taken[2]);
        b.mean = data_of(taken[3]), b.rstd = data_of(taken[4]);
        b.running_mean = data_of(taken[5]), b.running_var = data_of(taken[6]);
        b.out = data_of(results[0]), b.by_weight = data_of(results[1]), b.by_bias = data_of(results[2]);
        npy_intp each = b.samples * b.inner;
        BEGIN_LONG(each * b.channels)
        parallel(b.channels, grain_of(3 * each),
                 type == NPY_FLOAT ? batch_backward_part_single : batch_backward_part_real, &b);
        END_LONG
    }
    drop(7, taken);
    return packed(3, results);
}

/* ---- over rows --------------------------------------------------------------------------------- */

/* Read normalized_shape and eps; *kept* gets the shape of the means. */
static bool read_rows(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, PyObject *x, Rows *r,
                      npy_intp *kept, int *given)
{
    static PyObject *names[2];
    name(&names[0], "normalized_shape"), name(&names[1], "eps");
    PyObject *values[2];
    if (!statics(args, count, kwnames, 2, names, values) || !values[0] || !PyTuple_Check(values[0]) ||
        !values[1] || !as_double(values[1], &r->eps))
        return false;
    int ndim = PyArray_NDIM(as_array(x));
    *given = (int)PyTuple_GET_SIZE(values[0]);
    if (*given < 1 || *given > ndim)
        return false;
    r->rows = r->size = 1;
    for (int i = 0; i < ndim; i++) {
        npy_intp size = PyArray_DIM(as_array(x), i), wanted;
        bool inside = i >= ndim - *given;
        if (inside && (!as_index(PyTuple_GET_ITEM(values[0], i - ndim + *given), &wanted) || wanted != size))
            return false;
        kept[i] = inside ? 1 : size;
        if (inside)
            r->size *= size;
        else
            r->rows *= size;
    }
    return r->rows > 0 && r->size > 0;
}

/* Normalise the rows of *x*; *taken* are x, weight and bias, and the means get *ndim* sizes *kept*. */
static PyObject *normalized_rows(int type, PyObject *x, PyObject **taken, Rows *r, int ndim,
                                 const npy_intp *kept)
{
    PyObject *results[3] = {new_like(x, type), new_array(type, ndim, kept), new_array(type, ndim, kept)};
    if (results[0] && results[1] && results[2]) {
        r->x = data_of(taken[0]), r->weight = data_of(taken[1]), r->bias = data_of(taken[2]);
        r->out = data_of(results[0]), r->mean = data_of(results[1]), r->rstd = data_of(results[2]);
        BEGIN_LONG(r->rows * r->size)
        parallel(r->rows, grain_of(3 * r->size), type == NPY_FLOAT ? rows_part_single : rows_part_real, r);
        END_LONG
    }
    drop(3, taken);
    return packed(3, results);
}

static PyObject *layer_norm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Rows r = {0};
    npy_intp kept[NPY_MAXDIMS];
    int type, given;
    PyObject *taken[3];
    if (count != 3 || (type = float_type(args[0])) < 0 ||
        !read_rows(args, count, kwnames, args[0], &r, kept, &given) || !fits(args[1], r.size) ||
        !fits(args[2], r.size) || !take_of(type, 3, args, taken))
        return DECLINED;
    return normalized_rows(type, args[0], taken, &r, PyArray_NDIM(as_array(args[0])), kept);
}

#define SHARES 32 /* at most, of rows: each has sums of its own for weight and bias */

/* Pull a gradient back through rows; *taken* are grad, x, mean, rstd and weight. Without a mean the rows
 * were not centred, and there is no bias. The last *given* dimensions of *x* are the row. */
static PyObject *pulled_rows(int type, PyObject *x, PyObject **taken, Rows *r, int given)
{
    npy_intp shares = r->rows * r->size / GRAIN;
    shares = shares < 1 ? 1 : shares > SHARES ? SHARES : shares;
    shares = shares > r->rows ? r->rows : shares;
    r->share = (r->rows + shares - 1) / shares;
    shares = (r->rows + r->share - 1) / r->share;
    const npy_intp *shape = PyArray_DIMS(as_array(x)) + PyArray_NDIM(as_array(x)) - given;
    PyObject *results[3] = {new_like(x, type), new_array(type, given, shape), new_array(type, given, shape)};
    r->shares = PyMem_Malloc((size_t)(2 * shares * r->size) * (type == NPY_FLOAT ? 4 : 8));
    if (r->shares && results[0] && results[1] && results[2]) {
        r->grad = data_of(taken[0]), r->x = data_of(taken[1]), r->mean = data_of(taken[2]);
        r->rstd = data_of(taken[3]), r->weight = data_of(taken[4]), r->out = data_of(results[0]);
        BEGIN_LONG(r->rows * r->size)
        parallel(shares, 1, type == NPY_FLOAT ? rows_backward_part_single : rows_backward_part_real, r);
        END_LONG
        if (type == NPY_FLOAT)
            sum_rows_shares_single(r, shares, data_of(results[1]), data_of(results[2]));
        else
            sum_rows_shares_real(r, shares, data_of(results[1]), data_of(results[2]));
    }
    bool centred = taken[2] != NULL;
    drop(5, taken);
    if (!r->shares) {
        drop(3, results);
        return PyErr_NoMemory();
    }
    PyMem_Free(r->shares);
    if (!centred)
        Py_CLEAR(results[2]);
    return packed(centred ? 3 : 2, results);
}

static PyObject *layer_norm_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Rows r = {0};
    npy_intp kept[NPY_MAXDIMS];
    int type, given;
    PyObject *taken[5];
    if (count != 5 || (type = float_type(args[0])) < 0 || !is_array(args[1], type) ||
        !same_shape(args[0], args[1]) || !read_rows(args, count, kwnames, args[1], &r, kept, &given) ||
        args[2] == Py_None || !fits(args[2], r.rows) || args[3] == Py_None || !fits(args[3], r.rows) ||
        !fits(args[4], r.size) || !take_of(type, 5, args, taken))
        return DECLINED;
    return pulled_rows(type, args[1], taken, &r, given);
}

/* Divide the rows of *args*, x and weight, by the root of their mean square; *scales* gets what by, or is NULL. */
static PyObject *rows_over_roots(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, PyObject **scales)
{
    Rows r = {0};
    npy_intp kept[NPY_MAXDIMS];
    int type, given;
    PyObject *taken[2];
    if (count != 2 || (type = float_type(args[0])) < 0 ||
        !read_rows(args, count, kwnames, args[0], &r, kept, &given) || !fits(args[1], r.size) ||
        !take_of(type, 2, args, taken))
        return DECLINED;
    PyObject *output = new_like(args[0], type);
    if (scales && output && !(*scales = new_array(type, PyArray_NDIM(as_array(args[0])), kept)))
        Py_CLEAR(output);
    if (output) {
        r.x = data_of(taken[0]), r.weight = data_of(taken[1]), r.out = data_of(output);
        r.rstd = scales ? data_of(*scales) : NULL;
        BEGIN_LONG(r.rows * r.size)
        parallel(r.rows, grain_of(2 * r.size),
                 type == NPY_FLOAT ? root_mean_square_part_single : root_mean_square_part_real, &r);
        END_LONG
    }
    drop(2, taken);
    return output;
}

static PyObject *rms_norm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return rows_over_roots(args, count, kwnames, NULL);
}

static PyObject *fused_rms_norm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    PyObject *results[2] = {NULL, NULL};
    results[0] = rows_over_roots(args, count, kwnames, &results[1]);
    return results[0] ? packed(2, results) : NULL;
}

static PyObject *fused_rms_norm_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Rows r = {0};
    npy_intp kept[NPY_MAXDIMS];
    int type, given;
    PyObject *taken[5];
    if (count != 4 || (type = float_type(args[0])) < 0 || !is_array(args[1], type) ||
        !same_shape(args[0], args[1]) || !read_rows(args, count, kwnames, args[1], &r, kept, &given) ||
        args[2] == Py_None || !fits(args[2], r.rows) || !fits(args[3], r.size))
        return DECLINED;
    PyObject *given_as[5] = {args[0], args[1], Py_None, args[2], args[3]};
    return take_of(type, 5, given_as, taken) ? pulled_rows(type, args[1], taken, &r, given) : DECLINED;
}

/* ---- over groups of channels ------------------------------------------------------------------- */

/* Let a row be a group of the channels of a sample. */
static bool rows_of_groups(PyObject *x, PyObject *group, PyObject *eps, Rows *r)
{
    if (!group || !as_index(group, &r->groups) || !eps || !as_double(eps, &r->eps) ||
        PyArray_NDIM(as_array(x)) < 2)
        return false;
    const npy_intp *shape = PyArray_DIMS(as_array(x));
    if (r->groups < 1 || shape[1] % r->groups)
        return false;
    r->channels = shape[1] / r->groups;
    r->rows = shape[0] * r->groups;
    r->inner = 1;
    for (int i = 2; i < PyArray_NDIM(as_array(x)); i++)
        r->inner *= shape[i];
    r->size = r->channels * r->inner;
    return r->rows > 0 && r->size > 0;
}

static PyObject *group_norm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[5];
    name(&names[0], "group"), name(&names[1], "eps");
    name(&names[2], "N"), name(&names[3], "C"), name(&names[4], "HxW");
    PyObject *values[5], *taken[3];
    Rows r = {0};
    int type;
    if (count != 3 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 5, names, values) ||
        !rows_of_groups(args[0], values[0], values[1], &r) ||
        !fits(args[1], r.channels * r.groups) || !fits(args[2], r.channels * r.groups) ||
        !take_of(type, 3, args, taken))
        return DECLINED;
    npy_intp shape[2] = {r.rows / r.groups, r.groups};
    return normalized_rows(type, args[0], taken, &r, 2, shape);
}

static PyObject *group_norm_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "group"), name(&names[1], "eps");
    PyObject *values[2], *taken[5];
    Rows r = {0};
    int type;
    if (count != 5 || (type = float_type(args[0])) < 0 || !is_array(args[1], type) ||
        !same_shape(args[0], args[1]) || !statics(args, count, kwnames, 2, names, values) ||
        !rows_of_groups(args[1], values[0], values[1], &r) || !fits(args[2], r.channels * r.groups) ||
        args[3] == Py_None || !fits(args[3], r.rows) || args[4] == Py_None || !fits(args[4], r.rows) ||
        !take_of(type, 5, args, taken))
        return DECLINED;
    npy_intp channels = r.channels * r.groups;
    PyObject *results[3] = {new_like(args[1], type), new_array(type, 1, &channels),
                            new_array(type, 1, &channels)};
    r.shares = PyMem_Malloc(sizeof(double) * (size_t)(2 * r.rows * r.channels));
    if (r.shares && results[0] && results[1] && results[2]) {
        r.grad = data_of(taken[0]), r.x = data_of(taken[1]), r.weight = data_of(taken[2]);
        r.mean = data_of(taken[3]), r.rstd = data_of(taken[4]), r.out = data_of(results[0]);
        BEGIN_LONG(r.rows * r.size)
        parallel(r.rows, grain_of(3 * r.size),
                 type == NPY_FLOAT ? group_backward_part_single : group_backward_part_real, &r);
        END_LONG
        if (type == NPY_FLOAT)
            sum_groups_single(&r, data_of(results[1]), data_of(results[2]));
        else
            sum_groups_real(&r, data_of(results[1]), data_of(results[2]));
    }
    drop(5, taken);
    if (!r.shares) {
        drop(3, results);
        return PyErr_NoMemory();
    }
    PyMem_Free(r.shares);
    return packed(3, results);
}

const KernelEntry normalization_kernels[] = {
    {"cr::_native_batch_norm", batch_norm},
    {"cr::native_batch_norm_backward", batch_norm_backward},
    {"cr::_native_layer_norm", layer_norm},
    {"cr::native_layer_norm_backward", layer_norm_backward},
    {"cr::_rms_norm", rms_norm},
    {"cr::_fused_rms_norm", fused_rms_norm},
    {"cr::fused_rms_norm_backward", fused_rms_norm_backward},
    {"cr::_native_group_norm", group_norm},
    {"cr::native_group_norm_backward", group_norm_backward},
    {NULL, NULL},
};
