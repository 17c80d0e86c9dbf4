/* Kernels of chainrule/ops/recurrent_steps.py: a call goes through all steps.
 *
 * Sequences do not depend on each other, so a few at a time are taken through all steps.
 */
#include "native.h"

#include "blas.h"
#include "functions.h"

#include <stdatomic.h>

#define TOGETHER 32   /* sequences of a part */
#define WORTH_TURNING 8 /* steps from which on a weight is transposed once, not packed in every step */

typedef struct {
    npy_intp total, batch, steps, width, out; /* rows of all steps, sequences, sizes of c and h */
    npy_intp *sizes, *starts;                 /* of the steps */
    bool reverse, turned; /* whether the weight of the hidden state stands transposed */
    const void *x, *hx, *cx, *weight, *project, *bias, *grad, *grad_hy, *grad_cy;
    void *output, *hy, *cy, *gates, *cells;                    /* of the forward pass */
    void *sums, *by_hx, *by_cx, *before, *outer, *inner;       /* of the backward pass */
    atomic_bool failed;
} Sequences;

typedef struct {
    npy_intp inner, rows, columns;
    const void *left, *right;
    void *out;
} Product;

#include "recurrent_loops.h"
#define REAL
#include "recurrent_loops.h"
#undef REAL

/* ---- reading what is given ------------------------------------------------------------------- */

/* Read batch_sizes and reverse; sets *sizes*, to be freed. Returns false to decline. */
static bool read_steps(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, Sequences *s)
{
    static PyObject *names[2];
    name(&names[0], "batch_sizes"), name(&names[1], "reverse");
    PyObject *values[2];
    if (!statics(args, count, kwnames, 2, names, values) || !values[0] || !PyTuple_Check(values[0]) ||
        (values[1] && !PyBool_Check(values[1])))
        return false;
    s->reverse = values[1] == Py_True;
    s->steps = PyTuple_GET_SIZE(values[0]);
    if (s->steps < 1 || !(s->sizes = PyMem_Malloc(sizeof(npy_intp) * 2 * (size_t)s->steps)))
        return false;
    s->starts = s->sizes + s->steps;
    npy_intp start = 0, last = s->batch;
    for (npy_intp t = 0; t < s->steps; t++) {
        npy_intp size;
        if (!as_index(PyTuple_GET_ITEM(values[0], t), &size) || size < 1 || size > last)
            return false;
        s->sizes[t] = last = size;
        s->starts[t] = start;
        start += size;
    }
    return start == s->total && s->sizes[0] == s->batch;
}

/* Whether *array* is a matrix of *type* with so many rows and columns. */
static bool is_matrix(PyObject *array, int type, npy_intp rows, npy_intp columns)
{
    return is_array(array, type) && PyArray_NDIM(as_array(array)) == 2 &&
           PyArray_DIM(as_array(array), 0) == rows && PyArray_DIM(as_array(array), 1) == columns &&
           blas_takes(rows * columns);
}

static bool is_matrix_or_none(PyObject *array, int type, npy_intp rows, npy_intp columns)
{
    return array == Py_None || is_matrix(array, type, rows, columns);
}

static bool read_sizes(PyObject *matrix, npy_intp *rows, npy_intp *columns)
{
    if (!PyArray_CheckExact(matrix) || PyArray_NDIM(as_array(matrix)) != 2)
        return false;
    *rows = PyArray_DIM(as_array(matrix), 0);
    *columns = PyArray_DIM(as_array(matrix), 1);
    return *rows > 0 && *columns > 0;
}

static PyObject *new_matrix(int type, npy_intp rows, npy_intp columns)
{
    npy_intp shape[2] = {rows, columns};
    return new_array(type, 2, shape);
}

/* Take the transpose for the weight of the hidden state, where that pays. False without memory. */
static bool turn(Sequences *s, PyObject **weight)
{
    s->turned = s->steps >= WORTH_TURNING;
    if (!s->turned)
        return true;
    PyObject *view = PyArray_Transpose(as_array(*weight), NULL), *copy = view ? contiguous(view) : NULL;
    Py_XDECREF(view);
    if (copy)
        Py_SETREF(*weight, copy);
    return copy != NULL;
}

static void run(Sequences *s, Part part)
{
    parallel_products((double)(s->total * s->width * 32), s->batch, TOGETHER, part, s);
}

/* out = left.T @ right, where left is (inner, rows) and right (inner, columns). */
static void multiply(int type, npy_intp inner, npy_intp rows, npy_intp columns, const void *left,
                     const void *right, void *out)
{
    Product p = {inner, rows, columns, left, right, out};
    npy_intp grain = 1 + 10000000 / (inner * columns + 1); /* every part packs *right* again */
    grain = grain < 64 ? 64 : grain;
    parallel_products((double)(inner * columns * rows), rows, grain,
                      type == NPY_FLOAT ? product_part_single : product_part_real, &p);
}

/* ---- long short-term memory -------------------------------------------------------------------- */

static PyObject *lstm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Sequences s = {0};
    npy_intp batch, four;
    int type;
    if (count != 5 || (type = float_type(args[0])) < 0 || !read_sizes(args[0], &s.total, &four) ||
        !read_sizes(args[1], &s.batch, &s.out) || !read_sizes(args[2], &batch, &s.width) ||
        four != 4 * s.width || batch != s.batch || !is_matrix(args[0], type, s.total, four) ||
        !is_matrix(args[1], type, s.batch, s.out) || !is_matrix(args[2], type, batch, s.width) ||
        !is_matrix(args[3], type, four, s.out) || !is_matrix_or_none(args[4], type, s.out, s.width) ||
        (args[4] == Py_None && s.out != s.width) || !read_steps(args, count, kwnames, &s)) {
        PyMem_Free(s.sizes);
        return DECLINED;
    }
    PyObject *taken[5], *results[5] = {
        new_matrix(type, s.total, s.out), new_matrix(type, s.batch, s.out),
        new_matrix(type, s.batch, s.width), new_matrix(type, s.total, four),
        new_matrix(type, s.total, s.width),
    };
    bool whole = take(5, args, taken);
    for (int i = 0; i < 5; i++)
        whole = whole && results[i];
    if (whole && (whole = turn(&s, &taken[3]))) {
        s.x = data_of(taken[0]), s.hx = data_of(taken[1]), s.cx = data_of(taken[2]);
        s.weight = data_of(taken[3]), s.project = data_of(taken[4]);
        s.output = data_of(results[0]), s.hy = data_of(results[1]), s.cy = data_of(results[2]);
        s.gates = data_of(results[3]), s.cells = data_of(results[4]);
        run(&s, type == NPY_FLOAT ? lstm_part_single : lstm_part_real);
    }
    if (s.failed)
        PyErr_NoMemory();
    if (s.failed || !whole)
        Py_CLEAR(results[0]);
    drop(5, taken);
    PyMem_Free(s.sizes);
    return packed(5, results);
}

static PyObject *lstm_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    enum { GRAD, GRAD_HY, GRAD_CY, GRAD_GATES, GRAD_CELLS, OUTPUT, GATES, CELLS, HX, CX, WEIGHT, PROJECT, ALL };
    Sequences s = {0};
    npy_intp batch, four;
    int type;
    if (count != ALL || args[GRAD_GATES] != Py_None || args[GRAD_CELLS] != Py_None ||
        (type = float_type(args[GATES])) < 0 || !read_sizes(args[GATES], &s.total, &four) ||
        !read_sizes(args[HX], &s.batch, &s.out) || !read_sizes(args[CX], &batch, &s.width) ||
        four != 4 * s.width || batch != s.batch || !is_matrix(args[GATES], type, s.total, four) ||
        !is_matrix_or_none(args[GRAD], type, s.total, s.out) ||
        !is_matrix_or_none(args[GRAD_HY], type, s.batch, s.out) ||
        !is_matrix_or_none(args[GRAD_CY], type, s.batch, s.width) ||
        !is_matrix(args[OUTPUT], type, s.total, s.out) || !is_matrix(args[CELLS], type, s.total, s.width) ||
        !is_matrix(args[HX], type, s.batch, s.out) || !is_matrix(args[CX], type, s.batch, s.width) ||
        !is_matrix(args[WEIGHT], type, four, s.out) ||
        !is_matrix_or_none(args[PROJECT], type, s.out, s.width) ||
        (args[PROJECT] == Py_None && s.out != s.width) || !read_steps(args, count, kwnames, &s)) {
        PyMem_Free(s.sizes);
        return DECLINED;
    }
    bool projects = args[PROJECT] != Py_None;
    npy_intp nothing = 0;
    PyObject *taken[ALL], *results[5] = {
        new_matrix(type, s.total, four), new_matrix(type, s.batch, s.out),
        new_matrix(type, s.batch, s.width), new_matrix(type, four, s.out),
        projects ? new_matrix(type, s.out, s.width) : new_array(type, 1, &nothing),
    };
    bool whole = take(ALL, args, taken);
    for (int i = 0; i < 5; i++)
        whole = whole && results[i];
    size_t itemsize = type == NPY_FLOAT ? 4 : 8, rows = (size_t)s.total * itemsize;
    size_t wide = (size_t)s.width, narrow = (size_t)s.out;
    char *memory = whole ? PyMem_Malloc(rows * (narrow + (projects ? narrow + wide : 0))) : NULL;
    if (memory) {
        s.grad = data_of(taken[GRAD]), s.grad_hy = data_of(taken[GRAD_HY]);
        s.grad_cy = data_of(taken[GRAD_CY]), s.output = data_of(taken[OUTPUT]);
        s.gates = data_of(taken[GATES]), s.cells = data_of(taken[CELLS]);
        s.hx = data_of(taken[HX]), s.cx = data_of(taken[CX]);
        s.weight = data_of(taken[WEIGHT]), s.project = data_of(taken[PROJECT]);
        s.sums = data_of(results[0]), s.by_hx = data_of(results[1]), s.by_cx = data_of(results[2]);
        s.before = memory, s.outer = memory + rows * narrow, s.inner = memory + 2 * rows * narrow;
        run(&s, type == NPY_FLOAT ? lstm_backward_part_single : lstm_backward_part_real);
        multiply(type, s.total, four, s.out, s.sums, s.before, data_of(results[3]));
        if (projects) {
            (type == NPY_FLOAT ? bent_part_single : bent_part_real)(&s, 0, s.total);
            multiply(type, s.total, s.out, s.width, s.outer, s.inner, data_of(results[4]));
        }
    }
    if (s.failed || (whole && !memory))
        PyErr_NoMemory();
    if (s.failed || !memory)
        Py_CLEAR(results[0]);
    PyMem_Free(memory);
    drop(ALL, taken);
    PyMem_Free(s.sizes);
    return packed(5, results);
}

/* ---- gated recurrent units --------------------------------------------------------------------- */

static PyObject *gru(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Sequences s = {0};
    npy_intp three;
    int type;
    if (count != 4 || (type = float_type(args[0])) < 0 || !read_sizes(args[0], &s.total, &three) ||
        !read_sizes(args[1], &s.batch, &s.width) || three != 3 * s.width ||
        !is_matrix(args[0], type, s.total, three) || !is_matrix(args[1], type, s.batch, s.width) ||
        !is_matrix(args[2], type, three, s.width) ||
        (args[3] != Py_None && (!is_array(args[3], type) || PyArray_NDIM(as_array(args[3])) != 1 ||
                                PyArray_DIM(as_array(args[3]), 0) != three)) ||
        !read_steps(args, count, kwnames, &s)) {
        PyMem_Free(s.sizes);
        return DECLINED;
    }
    PyObject *taken[4], *results[3] = {
        new_matrix(type, s.total, s.width), new_matrix(type, s.batch, s.width),
        new_matrix(type, s.total, 4 * s.width),
    };
    bool whole = take(4, args, taken) && results[0] && results[1] && results[2];
    if (whole && (whole = turn(&s, &taken[2]))) {
        s.x = data_of(taken[0]), s.hx = data_of(taken[1]), s.weight = data_of(taken[2]);
        s.bias = data_of(taken[3]), s.output = data_of(results[0]), s.hy = data_of(results[1]);
        s.gates = data_of(results[2]);
        run(&s, type == NPY_FLOAT ? gru_part_single : gru_part_real);
    }
    if (s.failed)
        PyErr_NoMemory();
    if (s.failed || !whole)
        Py_CLEAR(results[0]);
    drop(4, taken);
    PyMem_Free(s.sizes);
    return packed(3, results);
}

static PyObject *gru_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    enum { GRAD, GRAD_HY, GRAD_GATES, OUTPUT, GATES, HX, WEIGHT, ALL };
    Sequences s = {0};
    npy_intp four, three;
    int type;
    if (count != ALL || args[GRAD_GATES] != Py_None || (type = float_type(args[GATES])) < 0 ||
        !read_sizes(args[GATES], &s.total, &four) || !read_sizes(args[HX], &s.batch, &s.width) ||
        four != 4 * s.width || !is_matrix(args[GATES], type, s.total, four) ||
        !is_matrix_or_none(args[GRAD], type, s.total, s.width) ||
        !is_matrix_or_none(args[GRAD_HY], type, s.batch, s.width) ||
        !is_matrix(args[OUTPUT], type, s.total, s.width) || !is_matrix(args[HX], type, s.batch, s.width) ||
        !is_matrix(args[WEIGHT], type, three = 3 * s.width, s.width) ||
        !read_steps(args, count, kwnames, &s)) {
        PyMem_Free(s.sizes);
        return DECLINED;
    }
    PyObject *taken[ALL], *results[4] = {
        new_matrix(type, s.total, three), new_matrix(type, s.batch, s.width),
        new_matrix(type, three, s.width), new_array(type, 1, &three),
    };
    bool whole = take(ALL, args, taken) && results[0] && results[1] && results[2] && results[3];
    size_t rows = (size_t)s.total * (type == NPY_FLOAT ? 4 : 8), width = (size_t)s.width;
    char *memory = whole ? PyMem_Malloc(rows * 4 * width) : NULL;
    if (memory) {
        s.grad = data_of(taken[GRAD]), s.grad_hy = data_of(taken[GRAD_HY]);
        s.output = data_of(taken[OUTPUT]), s.gates = data_of(taken[GATES]), s.hx = data_of(taken[HX]);
        s.weight = data_of(taken[WEIGHT]), s.sums = data_of(results[0]), s.by_hx = data_of(results[1]);
        s.before = memory, s.inner = memory + rows * width;
        run(&s, type == NPY_FLOAT ? gru_backward_part_single : gru_backward_part_real);
        multiply(type, s.total, three, s.width, s.inner, s.before, data_of(results[2]));
        if (type == NPY_FLOAT)
            sum_rows_single(s.inner, s.total, three, data_of(results[3]));
        else
            sum_rows_real(s.inner, s.total, three, data_of(results[3]));
    }
    if (s.failed || (whole && !memory))
        PyErr_NoMemory();
    if (s.failed || !memory)
        Py_CLEAR(results[0]);
    PyMem_Free(memory);
    drop(ALL, taken);
    PyMem_Free(s.sizes);
    return packed(4, results);
}

const KernelEntry recurrent_kernels[] = {
    {"cr::_lstm_sequence", lstm},
    {"cr::_lstm_sequence_backward", lstm_backward},
    {"cr::_gru_sequence", gru},
    {"cr::_gru_sequence_backward", gru_backward},
    {NULL, NULL},
};
