/* Kernels of chainrule/ops/linalg.py: products of matrices by the BLAS, in parts of our own.
 *
 * A large product is cut along its longer side, by its sizes alone, and threads take the parts. A
 * BLAS that cuts by the number of threads need not give the same bits for each; and its threads wait
 * for each other in a loop, which costs most of the time where others want the processors.
 */
#include "native.h"

#include "blas.h"

#define SMALL 262144 /* products of numbers, up to which the BLAS uses no threads itself */
/* A part has as many rows and multiplications at least, since the other matrix is packed again for
 * each: four parts of a product of 768 by 512 by 128 take a tenth longer than one. */
#define LEAST_ROWS 192
#define LEAST_WORK 2e7

typedef struct {
    const char *data;
    npy_intp rows, columns, step; /* how far one row is from the next; one column, if transposed */
    bool transposed;
} Matrix;

/* Describe the last two dimensions of an array; false if a BLAS cannot take it as it lies. */
static bool read_matrix(PyObject *object, Matrix *m)
{
    PyArrayObject *array = as_array(object);
    int last = PyArray_NDIM(array) - 1;
    npy_intp size = PyArray_ITEMSIZE(array);
    npy_intp rows = PyArray_DIM(array, last - 1), columns = PyArray_DIM(array, last);
    npy_intp down = PyArray_STRIDE(array, last - 1), right = PyArray_STRIDE(array, last);
    m->data = PyArray_BYTES(array);
    m->rows = rows;
    m->columns = columns;
    if (rows < 1 || columns < 1 || !blas_takes(PyArray_SIZE(array)))
        return false;
    bool by_rows = (right == size || columns == 1) && (rows == 1 || (down >= columns * size && down % size == 0));
    bool by_columns = (down == size || rows == 1) && (columns == 1 || (right >= rows * size && right % size == 0));
    m->transposed = !by_rows;
    m->step = by_rows ? (rows == 1 ? columns : down / size) : columns == 1 ? rows : right / size;
    return (by_rows || by_columns) && blas_takes(m->step);
}

static Matrix flipped(Matrix m)
{
    return (Matrix){m.data, m.columns, m.rows, m.step, !m.transposed};
}

/* ---- one product ------------------------------------------------------------------------------- */

typedef struct {
    int type;
    npy_intp size; /* of a number */
    Matrix a, b;
    double alpha, beta;
    char *out;
    npy_intp step;   /* of the result's rows */
    bool by_columns; /* how it is cut */
} Job;

static void piece(const Job *job, npy_intp row, npy_intp rows, npy_intp column, npy_intp columns)
{
    const Matrix *a = &job->a, *b = &job->b;
    const char *left = a->data + row * (a->transposed ? 1 : a->step) * job->size;
    const char *right = b->data + column * (b->transposed ? b->step : 1) * job->size;
    char *out = job->out + (row * job->step + column) * job->size;
    if (job->type == NPY_FLOAT)
        gemm_single(a->transposed, b->transposed, rows, columns, a->columns, (float)job->alpha,
                    (const float *)left, a->step, (const float *)right, b->step, (float)job->beta,
                    (float *)out, job->step);
    else
        gemm_real(a->transposed, b->transposed, rows, columns, a->columns, job->alpha,
                  (const double *)left, a->step, (const double *)right, b->step, job->beta,
                  (double *)out, job->step);
}

static void part(void *data, npy_intp begin, npy_intp end)
{
    const Job *job = data;
    if (job->by_columns)
        piece(job, 0, job->a.rows, begin, end - begin);
    else
        piece(job, begin, end - begin, 0, job->b.columns);
}

static void run(Job *job)
{
    npy_intp rows = job->a.rows, columns = job->b.columns;
    double work = (double)rows * (double)columns * (double)job->a.columns;
    if (LIKELY(work <= SMALL)) {
        piece(job, 0, rows, 0, columns);
        return;
    }
    job->by_columns = columns > rows;
    npy_intp length = job->by_columns ? columns : rows, parts = length / LEAST_ROWS;
    parts = parts > work / LEAST_WORK ? (npy_intp)(work / LEAST_WORK) : parts;
    parts = parts < 1 ? 1 : parts > 64 ? 64 : parts;
    npy_intp grain = ((length + parts - 1) / parts + 15) / 16 * 16;
    parallel_products(work, length, grain, part, job);
}

/* The product of two matrices of one type as a new array; with *by_columns* of a result that lies in
 * memory by columns. */
static PyObject *product(int type, Matrix a, Matrix b, bool by_columns)
{
    if (a.columns != b.rows)
        return DECLINED; /* NumPy says what is wrong */
    Job job = {.type = type, .size = type == NPY_FLOAT ? 4 : 8, .a = a, .b = b, .alpha = 1};
    npy_intp shape[2] = {a.rows, b.columns};
    PyObject *out = new_array(type, 2, shape);
    if (!out)
        return NULL;
    job.out = PyArray_BYTES(as_array(out));
    job.step = b.columns;
    run(&job);
    if (by_columns) { /* what was computed is the transpose: exchange the dimensions */
        npy_intp *dims = PyArray_DIMS(as_array(out)), *strides = PyArray_STRIDES(as_array(out));
        dims[0] = b.columns, dims[1] = a.rows;
        strides[1] = strides[0], strides[0] = job.size;
        PyArray_UpdateFlags(as_array(out), NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS);
    }
    return out;
}

/* ---- many products ----------------------------------------------------------------------------- */

typedef struct {
    Job each; /* of the first */
    npy_intp left, right, out;
} Batch;

static void batch_part(void *data, npy_intp begin, npy_intp end)
{
    const Batch *batch = data;
    for (npy_intp i = begin; i < end; i++) {
        Job job = batch->each;
        job.a.data += i * batch->left;
        job.b.data += i * batch->right;
        job.out += i * batch->out;
        piece(&job, 0, job.a.rows, 0, job.b.columns);
    }
}

static bool is_batch(PyObject *x)
{
    return PyArray_CheckExact(x) && PyArray_NDIM(as_array(x)) == 3;
}

/* The products of two batches of matrices, each taken transposed if so asked. */
static PyObject *products(PyObject *const *args, bool flip_left, bool flip_right)
{
    Batch batch = {.each = {.alpha = 1}};
    Job *job = &batch.each;
    if ((job->type = float_type(args[0])) < 0 || !is_array(args[1], job->type) || !is_batch(args[0]) ||
        !is_batch(args[1]))
        return DECLINED;
    npy_intp samples = PyArray_DIM(as_array(args[0]), 0);
    if (PyArray_DIM(as_array(args[1]), 0) != samples || samples < 1 || !read_matrix(args[0], &job->a) ||
        !read_matrix(args[1], &job->b))
        return DECLINED;
    job->a = flip_left ? flipped(job->a) : job->a;
    job->b = flip_right ? flipped(job->b) : job->b;
    if (job->a.columns != job->b.rows)
        return DECLINED;
    npy_intp shape[3] = {samples, job->a.rows, job->b.columns};
    PyObject *out = new_array(job->type, 3, shape);
    if (!out)
        return NULL;
    job->size = PyArray_ITEMSIZE(as_array(out));
    job->out = PyArray_BYTES(as_array(out));
    job->step = shape[2];
    batch.left = PyArray_STRIDE(as_array(args[0]), 0);
    batch.right = PyArray_STRIDE(as_array(args[1]), 0);
    batch.out = PyArray_STRIDE(as_array(out), 0);
    double work = (double)shape[1] * (double)shape[2] * (double)job->a.columns;
    npy_intp grain = work >= SMALL ? 1 : 1 + (npy_intp)(SMALL / (work + 1));
    if (work * (double)samples <= SMALL) {
        batch_part(&batch, 0, samples);
        return out;
    }
    parallel_products(work * (double)samples, samples, grain, batch_part, &batch);
    return out;
}

static PyObject *bmm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    return count != 2 || kwnames ? DECLINED : products(args, false, false);
}

/* ---- two matrices -------------------------------------------------------------------------------- */

/* Read two matrices of one type; returns it, or -1. */
static int read_pair(PyObject *x, PyObject *y, Matrix *a, Matrix *b)
{
    int type = float_type(x);
    if (type < 0 || !is_array(y, type) || PyArray_NDIM(as_array(x)) != 2 ||
        PyArray_NDIM(as_array(y)) != 2 || !read_matrix(x, a) || !read_matrix(y, b))
        return -1;
    return type;
}

static PyObject *mm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Matrix a, b;
    int type;
    if (count != 2 || kwnames || (type = read_pair(args[0], args[1], &a, &b)) < 0)
        return DECLINED;
    return product(type, a, b, false);
}

static PyObject *times_adjoint(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Matrix a, b;
    int type;
    if (count == 2 && !kwnames && is_batch(args[0]))
        return products(args, false, true);
    if (count != 2 || kwnames || (type = read_pair(args[0], args[1], &a, &b)) < 0)
        return DECLINED;
    return product(type, a, flipped(b), false);
}

static PyObject *adjoint_times(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[1];
    name(&names[0], "by_columns");
    PyObject *value;
    Matrix a, b;
    int type;
    if (count != 2 || !statics(args, count, kwnames, 1, names, &value) ||
        (value && !PyBool_Check(value)))
        return DECLINED;
    if (is_batch(args[0]) && value != Py_True)
        return products(args, true, false);
    if ((type = read_pair(args[0], args[1], &a, &b)) < 0)
        return DECLINED;
    if (value == Py_True)
        return product(type, flipped(b), a, true);
    return product(type, flipped(a), b, false);
}

/* ---- what is added to a product ------------------------------------------------------------------ */

/* Write *factor* times an array that broadcasts to *rows* by *columns* to *out*. */
#define FILL(type)                                                                                 \
    for (npy_intp i = 0; i < rows; i++) {                                                          \
        const char *from = data + i * down;                                                        \
        type *restrict to = (type *)out + i * columns;                                             \
        if (right == sizeof(type) && factor == 1)                                                  \
            memcpy(to, from, sizeof(type) * (size_t)columns);                                      \
        else                                                                                       \
            for (npy_intp j = 0; j < columns; j++)                                                 \
                to[j] = (type)factor * *(const type *)(from + j * right);                          \
    }

static void fill(int type, const char *data, npy_intp down, npy_intp right, double factor, npy_intp rows,
                 npy_intp columns, char *out)
{
    if (type == NPY_FLOAT) {
        FILL(float)
    } else {
        FILL(double)
    }
}

static PyObject *addmm(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "beta"), name(&names[1], "alpha");
    PyObject *values[2];
    Job job = {.alpha = 1, .beta = 1};
    if (count != 3 || !statics(args, count, kwnames, 2, names, values) ||
        (values[0] && !as_double(values[0], &job.beta)) ||
        (values[1] && !as_double(values[1], &job.alpha)) ||
        (job.type = read_pair(args[1], args[2], &job.a, &job.b)) < 0 || !is_array(args[0], job.type) ||
        job.a.columns != job.b.rows)
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    npy_intp shape[2] = {job.a.rows, job.b.columns}, strides[2] = {0, 0};
    int missing = 2 - PyArray_NDIM(x);
    if (missing < 0)
        return DECLINED;
    for (int d = missing; d < 2; d++) {
        npy_intp size = PyArray_DIM(x, d - missing);
        if (size != 1 && size != shape[d])
            return DECLINED;
        strides[d] = size == 1 ? 0 : PyArray_STRIDE(x, d - missing);
    }
    PyObject *out = new_array(job.type, 2, shape);
    if (!out)
        return NULL;
    job.size = PyArray_ITEMSIZE(x);
    job.out = PyArray_BYTES(as_array(out));
    job.step = shape[1];
    if (job.beta != 0) {
        fill(job.type, PyArray_BYTES(x), strides[0], strides[1], job.beta, shape[0], shape[1], job.out);
        job.beta = 1;
    }
    run(&job);
    return out;
}

const KernelEntry products_kernels[] = {
    {"cr::mm", mm},
    {"cr::_mm_with_transpose", mm},
    {"cr::addmm", addmm},
    {"cr::_addmm_with_transpose", addmm},
    {"cr::_times_adjoint", times_adjoint},
    {"cr::_adjoint_times", adjoint_times},
    {"cr::bmm", bmm},
    {NULL, NULL},
};
