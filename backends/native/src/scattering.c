/* Kernels of chainrule/ops/gathering.py, scattering.py and rows.py: elements and rows that a tensor of
 * places chooses.
 *
 * Elements are moved whatever their type; added are floats, and integers of 32 and 64 bits. A place
 * that is none is left to NumPy's kernel, which says so. The GIL is kept: places that another Python
 * thread changes after the check would lead anywhere.
 */
#include "native.h"

#define MAX_NDIM 16

/* ---- what is given ---------------------------------------------------------------------------- */

/* Whether *object* is an array of numbers or bools, of any type, in native byte order. */
static bool is_plain(PyObject *object)
{
    if (!PyArray_CheckExact(object))
        return false;
    PyArrayObject *array = as_array(object);
    return (PyArray_ISNUMBER(array) || PyArray_ISBOOL(array)) && PyArray_ISALIGNED(array) &&
           PyArray_ISNOTSWAPPED(array) && PyArray_NDIM(array) <= MAX_NDIM;
}

static bool is_added(int type)
{
    return type == NPY_FLOAT || type == NPY_DOUBLE || type == NPY_INT32 || type == NPY_INT64;
}

/* Whether *a* and *b* are arrays of one type that can be added. */
static bool are_added(PyObject *a, PyObject *b)
{
    return is_plain(a) && is_plain(b) && PyArray_TYPE(as_array(a)) == PyArray_TYPE(as_array(b)) &&
           is_added(PyArray_TYPE(as_array(a)));
}

/* The places of *object* as a contiguous array of int64, a new reference, all of them from 0 to *size*
 * - 1. NULL to decline, or with an exception. */
static PyObject *read_places(PyObject *object, npy_intp size)
{
    if (!is_array(object, NPY_INT64) && !is_array(object, NPY_INT32))
        return DECLINED;
    PyObject *places = PyArray_FROM_OTF(object, NPY_INT64, NPY_ARRAY_IN_ARRAY);
    if (!places)
        return NULL;
    const int64_t *place = data_of(places);
    npy_intp count = PyArray_SIZE(as_array(places));
    bool inside = true;
    for (npy_intp i = 0; i < count; i++) /* as an unsigned number a negative one is large */
        inside &= (uint64_t)place[i] < (uint64_t)size;
    if (!inside)
        Py_CLEAR(places);
    return places;
}

/* Read the keywords: `dim` as a place in *ndim* dimensions, and *other*, if there is one, as it is. */
static bool read_dim(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int ndim, int *dim,
                     PyObject *other, PyObject **value)
{
    static PyObject *dim_name;
    PyObject *names[2] = {name(&dim_name, "dim"), other}, *values[2];
    npy_intp given;
    if (!statics(args, count, kwnames, other ? 2 : 1, names, values) || !values[0] ||
        !as_index(values[0], &given))
        return false;
    given += given < 0 ? ndim : 0;
    *dim = (int)given;
    if (other)
        *value = values[1];
    return given >= 0 && given < ndim;
}

/* Read a tuple of sizes. */
static bool read_sizes(PyObject *tuple, int *ndim, npy_intp *shape)
{
    if (!tuple || !PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) > MAX_NDIM)
        return false;
    *ndim = (int)PyTuple_GET_SIZE(tuple);
    for (int d = 0; d < *ndim; d++)
        if (!as_index(PyTuple_GET_ITEM(tuple, d), &shape[d]) || shape[d] < 0)
            return false;
    return true;
}

static PyObject *zeros(int type, int ndim, const npy_intp *shape)
{
    PyObject *array = new_array(type, ndim, shape);
    if (array)
        memset(data_of(array), 0, (size_t)PyArray_NBYTES(as_array(array)));
    return array;
}

/* Read the arguments of a backward kernel, a gradient and its places; return the zeros that it is
 * added to, of the shape in the keyword `input_sizes`. */
static PyObject *zeros_behind(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int *dim)
{
    int ndim;
    npy_intp shape[MAX_NDIM];
    static PyObject *input_sizes_name;
    PyObject *sizes;
    if (count != 2 || !are_added(args[0], args[0]) ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), dim, name(&input_sizes_name, "input_sizes"), &sizes) ||
        !read_sizes(sizes, &ndim, shape) || ndim != PyArray_NDIM(as_array(args[0])))
        return DECLINED;
    return zeros(PyArray_TYPE(as_array(args[0])), ndim, shape);
}

/* A contiguous copy. */
static PyObject *copy_of(PyObject *array)
{
    PyObject *copy = new_like(array, PyArray_TYPE(as_array(array)));
    if (copy && PyArray_CopyInto(as_array(copy), as_array(array)) < 0)
        Py_CLEAR(copy);
    return copy;
}

/* ---- one place per element ---------------------------------------------------------------------- */

/* A walk over the rows of an array of places, beside the array that they are places in. */
typedef struct {
    int ndim;
    npy_intp shape[MAX_NDIM];   /* of the places */
    npy_intp strides[MAX_NDIM]; /* of the other array, in bytes; 0 along the dimension of choice */
    npy_intp along;             /* and its stride there */
    const int64_t *places;
} Walk;

/* Begin a walk; false if the shapes do not fit. */
static bool begin(Walk *walk, PyObject *array, PyObject *index, int dim)
{
    PyArrayObject *x = as_array(array), *places = as_array(index);
    walk->ndim = PyArray_NDIM(x);
    if (PyArray_NDIM(places) != walk->ndim)
        return false;
    for (int d = 0; d < walk->ndim; d++) {
        walk->shape[d] = PyArray_DIM(places, d);
        walk->strides[d] = d == dim ? 0 : PyArray_STRIDE(x, d);
        if (d != dim && walk->shape[d] > PyArray_DIM(x, d))
            return false;
    }
    walk->along = PyArray_STRIDE(x, dim);
    return true;
}

/* Run BODY for every row of places: *n* of them from *place* on, which mean base + j * step + place[j] *
 * along; *at* counts the elements before. */
#define EACH_ROW(walk, data, BODY)                                                                 \
    do {                                                                                           \
        const npy_intp n = (walk)->shape[(walk)->ndim - 1], step = (walk)->strides[(walk)->ndim - 1]; \
        const npy_intp along = (walk)->along;                                                      \
        npy_intp coordinate[MAX_NDIM] = {0}, rows = 1, at = 0;                                     \
        for (int d = 0; d + 1 < (walk)->ndim; d++)                                                 \
            rows *= (walk)->shape[d];                                                              \
        char *base = (data);                                                                       \
        for (npy_intp row = 0; row < rows; row++, at += n) {                                       \
            const int64_t *place = (walk)->places + at;                                            \
            for (npy_intp j = 0; j < n; j++) {                                                     \
                BODY;                                                                              \
            }                                                                                      \
            for (int d = (walk)->ndim - 2; d >= 0; d--) {                                          \
                base += (walk)->strides[d];                                                        \
                if (++coordinate[d] < (walk)->shape[d])                                            \
                    break;                                                                         \
                coordinate[d] = 0;                                                                 \
                base -= (walk)->shape[d] * (walk)->strides[d];                                     \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define CHOSEN(T) (*(T *)(base + j * step + place[j] * along))

typedef struct {
    uint64_t parts[2];
} Pair;

/* Run WITH(T) for a type of *size* bytes. */
#define BY_SIZE(size, WITH)                                                                        \
    switch (size) {                                                                                \
    case 1: WITH(uint8_t); break;                                                                  \
    case 2: WITH(uint16_t); break;                                                                 \
    case 4: WITH(uint32_t); break;                                                                 \
    case 8: WITH(uint64_t); break;                                                                 \
    default: WITH(Pair); break;                                                                    \
    }

/* Run WITH(T) for a type of numbers that are added; sums of integers wrap around. */
#define BY_TYPE(type, WITH)                                                                        \
    switch (type) {                                                                                \
    case NPY_FLOAT: WITH(float); break;                                                            \
    case NPY_DOUBLE: WITH(double); break;                                                          \
    case NPY_INT32: WITH(uint32_t); break;                                                         \
    default: WITH(uint64_t); break;                                                                \
    }

static PyObject *gather(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim;
    Walk walk;
    static PyObject *sparse_grad_name;
    PyObject *sparse;
    if (count != 2 || !is_plain(args[0]) || PyArray_ITEMSIZE(as_array(args[0])) > 16 ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), &dim, name(&sparse_grad_name, "sparse_grad"), &sparse))
        return DECLINED;
    PyObject *places = read_places(args[1], PyArray_DIM(as_array(args[0]), dim)), *output = NULL;
    if (!places)
        return NULL;
    if (begin(&walk, args[0], places, dim) &&
        (output = new_like(places, PyArray_TYPE(as_array(args[0]))))) {
        walk.places = data_of(places);
#define TAKE(T) EACH_ROW(&walk, PyArray_BYTES(as_array(args[0])), ((T *)data_of(output))[at + j] = CHOSEN(T))
        BY_SIZE(PyArray_ITEMSIZE(as_array(output)), TAKE)
    }
    Py_DECREF(places);
    return output;
}

/* Put elements of *source* into *out*, or add them there. Gives up *out*, and NULL, if they do not fit. */
static PyObject *scattered(PyObject *out, PyObject *index, PyObject *source, int dim, bool add)
{
    Walk walk;
    PyObject *from = out ? contiguous(source) : NULL;
    PyObject *places = from ? read_places(index, PyArray_DIM(as_array(out), dim)) : NULL;
    bool fits = places && same_shape(places, from) && begin(&walk, out, places, dim);
    if (fits) {
        walk.places = data_of(places);
#define PUT(T) EACH_ROW(&walk, PyArray_BYTES(as_array(out)), CHOSEN(T) = ((const T *)data_of(from))[at + j])
#define ADD(T) EACH_ROW(&walk, PyArray_BYTES(as_array(out)), CHOSEN(T) += ((const T *)data_of(from))[at + j])
        if (add) {
            BY_TYPE(PyArray_TYPE(as_array(out)), ADD)
        } else {
            BY_SIZE(PyArray_ITEMSIZE(as_array(out)), PUT)
        }
    }
    Py_XDECREF(places);
    Py_XDECREF(from);
    if (!fits)
        Py_CLEAR(out);
    return out;
}

static PyObject *gather_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim = 0;
    PyObject *out = zeros_behind(args, count, kwnames, &dim);
    return out ? scattered(out, args[1], args[0], dim, true) : NULL;
}

static PyObject *scatter_add(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim;
    if (count != 3 || !are_added(args[0], args[2]) ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), &dim, NULL, NULL))
        return DECLINED;
    return scattered(copy_of(args[0]), args[1], args[2], dim, true);
}

static PyObject *scatter(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim;
    if (count != 3 || !is_plain(args[0]) || !is_plain(args[2]) ||
        PyArray_TYPE(as_array(args[0])) != PyArray_TYPE(as_array(args[2])) ||
        PyArray_ITEMSIZE(as_array(args[0])) > 16 ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), &dim, NULL, NULL))
        return DECLINED;
    return scattered(copy_of(args[0]), args[1], args[2], dim, false);
}

/* ---- one place per row -------------------------------------------------------------------------- */

/* An array seen as *outer* times *size* times *inner* elements, of which the middle ones are chosen. */
typedef struct {
    npy_intp outer, size, inner;
} Rows;

static Rows rows_of(int ndim, const npy_intp *shape, int dim)
{
    Rows rows = {1, shape[dim], 1};
    for (int d = 0; d < dim; d++)
        rows.outer *= shape[d];
    for (int d = dim + 1; d < ndim; d++)
        rows.inner *= shape[d];
    return rows;
}

static PyObject *index_select(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim;
    if (count != 2 || !is_plain(args[0]) ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), &dim, NULL, NULL))
        return DECLINED;
    PyArrayObject *x = as_array(args[0]);
    PyObject *from = contiguous(args[0]), *output = NULL;
    PyObject *places = from ? read_places(args[1], PyArray_DIM(x, dim)) : NULL;
    if (!places) {
        Py_XDECREF(from);
        return NULL;
    }
    npy_intp shape[MAX_NDIM], chosen = PyArray_SIZE(as_array(places));
    Rows rows = rows_of(PyArray_NDIM(x), PyArray_DIMS(x), dim);
    for (int d = 0; d < PyArray_NDIM(x); d++)
        shape[d] = d == dim ? chosen : PyArray_DIM(x, d);
    if ((output = new_array(PyArray_TYPE(x), PyArray_NDIM(x), shape))) {
        size_t width = (size_t)(rows.inner * PyArray_ITEMSIZE(x));
        const int64_t *place = data_of(places);
        const char *source = data_of(from);
        char *to = data_of(output);
        for (npy_intp o = 0; o < rows.outer; o++, source += (size_t)rows.size * width)
            for (npy_intp j = 0; j < chosen; j++, to += width)
                memcpy(to, source + (size_t)place[j] * width, width);
    }
    Py_DECREF(from);
    Py_DECREF(places);
    return output;
}

/* Add *alpha* times the rows of *source* to *out*. Gives up *out*, and NULL, if they do not fit. */
static PyObject *rows_added(PyObject *out, PyObject *index, PyObject *source, int dim, double alpha)
{
    PyArrayObject *grad = as_array(source);
    bool fits = out && PyArray_NDIM(grad) == PyArray_NDIM(as_array(out));
    PyObject *from = fits ? contiguous(source) : NULL; /* which may let other threads run */
    PyObject *places = from ? read_places(index, PyArray_DIM(as_array(out), dim)) : NULL;
    fits = places != NULL;
    for (int d = 0; fits && d < PyArray_NDIM(grad); d++)
        fits = PyArray_DIM(grad, d) ==
               (d == dim ? PyArray_SIZE(as_array(places)) : PyArray_DIM(as_array(out), d));
    if (fits) {
        Rows rows = rows_of(PyArray_NDIM(grad), PyArray_DIMS(as_array(out)), dim);
        const int64_t *place = data_of(places);
        npy_intp chosen = PyArray_SIZE(as_array(places));
#define ADD_ROWS(T)                                                                                \
    const T *restrict add = data_of(from);                                                         \
    T *block = data_of(out);                                                                       \
    for (npy_intp o = 0; o < rows.outer; o++, block += rows.size * rows.inner)                     \
        for (npy_intp j = 0; j < chosen; j++, add += rows.inner) {                                 \
            T *restrict to = block + place[j] * rows.inner;                                        \
            if (alpha == 1)                                                                        \
                for (npy_intp k = 0; k < rows.inner; k++)                                          \
                    to[k] += add[k];                                                               \
            else                                                                                   \
                for (npy_intp k = 0; k < rows.inner; k++)                                          \
                    to[k] += add[k] * (T)alpha;                                                    \
        }
#define IN_BRACES(T) { ADD_ROWS(T) }
        BY_TYPE(PyArray_TYPE(grad), IN_BRACES)
    }
    Py_XDECREF(places);
    Py_XDECREF(from);
    if (!fits)
        Py_CLEAR(out);
    return out;
}

static PyObject *index_select_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim = 0;
    PyObject *out = zeros_behind(args, count, kwnames, &dim);
    return out ? rows_added(out, args[1], args[0], dim, 1) : NULL;
}

static PyObject *index_add(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    int dim;
    double alpha = 1;
    static PyObject *alpha_name;
    PyObject *factor;
    if (count != 3 || !are_added(args[0], args[2]) ||
        !read_dim(args, count, kwnames, PyArray_NDIM(as_array(args[0])), &dim, name(&alpha_name, "alpha"), &factor) ||
        (factor && (!as_double(factor, &alpha) || (alpha != 1 && float_type(args[0]) < 0))))
        return DECLINED;
    return rows_added(copy_of(args[0]), args[1], args[2], dim, alpha);
}

const KernelEntry scattering_kernels[] = {
    {"cr::_gather", gather},
    {"cr::gather_backward", gather_backward},
    {"cr::_scatter", scatter},
    {"cr::_scatter_add", scatter_add},
    {"cr::_index_select", index_select},
    {"cr::index_select_backward", index_select_backward},
    {"cr::_index_add", index_add},
    {NULL, NULL},
};
