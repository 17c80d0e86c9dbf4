/* Kernels of chainrule/ops/attention.py: some queries at a time, whose weights stay in the cache.
 *
 * Heads may lie in memory as the projections left them; results lie so that heads can be joined
 * again without a copy.
 */
#include "native.h"

#include "blas.h"
#include "functions.h"

#include <math.h>
#include <stdatomic.h>

#define BLOCK 64 /* queries at a time */

/* An array (sample, head, row, column), whose columns lie side by side; steps in elements. */
typedef struct {
    void *data;
    npy_intp sample, head, row;
} Heads;

typedef struct {
    npy_intp samples, heads, queries, keys, width, out_width;
    Heads query, key, value, output, grad, by_query, by_key, by_value;
    const void *mask;
    void *sums;
    npy_intp mask_strides[4];
    double scale;
    bool causal;
    atomic_bool failed;
} Attention;

#include "attention_loops.h"
#define REAL
#include "attention_loops.h"
#undef REAL

/* ---- reading what is given ------------------------------------------------------------------- */

/* A new reference to *array*, or to a copy, that a BLAS can take; describe it in *heads*. */
static PyObject *heads_of(PyObject *array, Heads *heads)
{
    PyArrayObject *given = as_array(array);
    npy_intp size = PyArray_ITEMSIZE(given), *strides = PyArray_STRIDES(given), *shape = PyArray_DIMS(given);
    bool plain = strides[3] == size || shape[3] == 1;
    for (int i = 0; i < 3; i++)
        plain = plain && strides[i] >= 0 && strides[i] % size == 0;
    plain = plain && (shape[2] == 1 || strides[2] >= shape[3] * size);
    PyObject *found = plain ? Py_NewRef(array) : contiguous(array);
    if (!found)
        return NULL;
    strides = PyArray_STRIDES(as_array(found));
    heads->data = PyArray_DATA(as_array(found));
    heads->sample = strides[0] / size;
    heads->head = strides[1] / size;
    heads->row = strides[2] / size;
    return found;
}

/* A new array of *shape* that lies in memory as (sample, row, head, column). */
static PyObject *new_heads(int type, const npy_intp *shape, Heads *heads)
{
    npy_intp order[4] = {shape[0], shape[2], shape[1], shape[3]};
    PyObject *made = new_array(type, 4, order);
    if (!made)
        return NULL;
    npy_intp *strides = PyArray_STRIDES(as_array(made)), *dims = PyArray_DIMS(as_array(made));
    npy_intp row = strides[1], head = strides[2];
    memcpy(dims, shape, sizeof order);
    strides[1] = head;
    strides[2] = row;
    PyArray_UpdateFlags(as_array(made), NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS);
    npy_intp size = PyArray_ITEMSIZE(as_array(made));
    heads->data = PyArray_DATA(as_array(made));
    heads->sample = strides[0] / size;
    heads->head = head / size;
    heads->row = row / size;
    return made;
}

/* Read the keywords, after the sizes; a scale of None is that of the width. */
static bool read_numbers(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, Attention *a)
{
    static PyObject *names[3];
    name(&names[0], "is_causal"), name(&names[1], "scale"), name(&names[2], "dropout_p");
    PyObject *values[3];
    double dropout = 0;
    if (!statics(args, count, kwnames, 3, names, values) || !values[0] || !PyBool_Check(values[0]) ||
        !values[1] || (values[2] && !as_double(values[2], &dropout)) || dropout != 0)
        return false;
    a->causal = values[0] == Py_True;
    a->scale = 1 / sqrt((double)a->width);
    return values[1] == Py_None || as_double(values[1], &a->scale);
}

/* Check query, key and value, and take their sizes. */
static int read_heads(PyObject *const *args, Attention *a)
{
    int type = float_type(args[0]);
    if (type < 0 || !is_array(args[1], type) || !is_array(args[2], type))
        return -1;
    for (int i = 0; i < 3; i++)
        if (PyArray_NDIM(as_array(args[i])) != 4 ||
            !blas_takes(PyArray_SIZE(as_array(args[i]))))
            return -1;
    const npy_intp *q = PyArray_DIMS(as_array(args[0])), *k = PyArray_DIMS(as_array(args[1]));
    const npy_intp *v = PyArray_DIMS(as_array(args[2]));
    if (q[0] != k[0] || q[1] != k[1] || q[3] != k[3] || v[0] != k[0] || v[1] != k[1] || v[2] != k[2] ||
        q[0] < 1 || q[1] < 1 || q[2] < 1 || q[3] < 1 || k[2] < 1 || v[3] < 1)
        return -1;
    a->samples = q[0], a->heads = q[1], a->queries = q[2], a->keys = k[2];
    a->width = q[3], a->out_width = v[3];
    return type;
}

/* Describe a mask that broadcasts; false to decline. */
static bool read_mask(int type, PyObject *mask, Attention *a)
{
    if (mask == Py_None)
        return true;
    if (!is_array(mask, type) || PyArray_NDIM(as_array(mask)) > 4)
        return false;
    npy_intp wanted[4] = {a->samples, a->heads, a->queries, a->keys};
    int missing = 4 - PyArray_NDIM(as_array(mask));
    for (int i = missing; i < 4; i++) {
        npy_intp size = PyArray_DIM(as_array(mask), i - missing);
        npy_intp stride = PyArray_STRIDE(as_array(mask), i - missing);
        if ((size != 1 && size != wanted[i]) || stride % PyArray_ITEMSIZE(as_array(mask)))
            return false;
        a->mask_strides[i] = size == 1 ? 0 : stride / PyArray_ITEMSIZE(as_array(mask));
    }
    a->mask = PyArray_DATA(as_array(mask));
    return true;
}

static void run(Attention *a, Part part)
{
    npy_intp each = a->queries * a->keys * (a->width + a->out_width), units = a->samples * a->heads;
    parallel_products((double)(each * units), units, each < 65536 ? 65536 / each : 1, part, a);
}

/* ---- the kernels ------------------------------------------------------------------------------- */

static PyObject *forward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Attention a = {0};
    int type;
    if (count != 4 || (type = read_heads(args, &a)) < 0 || !read_mask(type, args[3], &a) ||
        !read_numbers(args, count, kwnames, &a))
        return DECLINED;
    npy_intp shape[4] = {a.samples, a.heads, a.queries, a.out_width};
    PyObject *query = heads_of(args[0], &a.query), *key = heads_of(args[1], &a.key);
    PyObject *value = heads_of(args[2], &a.value), *result = NULL;
    PyObject *output = new_heads(type, shape, &a.output), *sums = new_array(type, 3, shape);
    if (query && key && value && output && sums) {
        a.sums = PyArray_DATA(as_array(sums));
        run(&a, type == NPY_FLOAT ? forward_part_single : forward_part_real);
        result = a.failed ? PyErr_NoMemory() : PyTuple_Pack(2, output, sums);
    }
    Py_XDECREF(query);
    Py_XDECREF(key);
    Py_XDECREF(value);
    Py_XDECREF(output);
    Py_XDECREF(sums);
    return result;
}

static PyObject *backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Attention a = {0};
    int type;
    if (count != 7 || (type = read_heads(args + 1, &a)) < 0 || !read_mask(type, args[6], &a) ||
        !read_numbers(args, count, kwnames, &a) || !is_array(args[0], type) || !is_array(args[4], type) ||
        !is_array(args[5], type) || PyArray_NDIM(as_array(args[5])) != 3 ||
        PyArray_NDIM(as_array(args[0])) != 4)
        return DECLINED;
    npy_intp shape[4] = {a.samples, a.heads, a.queries, a.out_width};
    if (memcmp(shape, PyArray_DIMS(as_array(args[0])), sizeof shape) != 0 ||
        !same_shape(args[0], args[4]) ||
        memcmp(shape, PyArray_DIMS(as_array(args[5])), 3 * sizeof *shape) != 0)
        return DECLINED;
    PyObject *used[6], *made[3], *result = NULL;
    used[0] = heads_of(args[0], &a.grad), used[1] = heads_of(args[1], &a.query);
    used[2] = heads_of(args[2], &a.key), used[3] = heads_of(args[3], &a.value);
    used[4] = heads_of(args[4], &a.output), used[5] = contiguous(args[5]);
    made[0] = new_heads(type, PyArray_DIMS(as_array(args[1])), &a.by_query);
    made[1] = new_heads(type, PyArray_DIMS(as_array(args[2])), &a.by_key);
    made[2] = new_heads(type, PyArray_DIMS(as_array(args[3])), &a.by_value);
    bool whole = made[0] && made[1] && made[2];
    for (int i = 0; i < 6; i++)
        whole = whole && used[i];
    if (whole) {
        a.sums = PyArray_DATA(as_array(used[5]));
        run(&a, type == NPY_FLOAT ? backward_part_single : backward_part_real);
        result = a.failed ? PyErr_NoMemory() : PyTuple_Pack(3, made[0], made[1], made[2]);
    }
    drop(6, used);
    drop(3, made);
    return result;
}

const KernelEntry attention_kernels[] = {
    {"cr::_flash_attention", forward},
    {"cr::flash_attention_backward", backward},
    {NULL, NULL},
};
