/* What every file of kernels includes: arrays in, arrays out, and how to decline.
 *
 * A kernel gets its arguments as Python passed them: arrays by position, everything else by keyword.
 * It returns a new reference; or NULL with an exception set; or DECLINED, which is NULL with none
 * set: then the kernel that would run without this package gets the same arguments. So a kernel
 * looks at what it got, declines whatever it was not written for, and need not cover everything.
 *
 * All sources are compiled once per set of instructions, into modules of which one is loaded. So
 * loops are plain C that the compiler turns into vectors, and nothing is chosen at run time.
 */
#ifndef CHAINRULE_NATIVE_H
#define CHAINRULE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_native_array_api
#ifndef NATIVE_MODULE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- kernels -------------------------------------------------------------------------------- */

typedef PyObject *(*Kernel)(PyObject *const *args, Py_ssize_t count, PyObject *kwnames);

typedef struct {
    const char *op; /* "cr::relu" */
    Kernel kernel;
} KernelEntry;

/* A family is one file: a table that ends with {NULL, NULL}, named in module.c. */
typedef struct {
    const char *name;
    const KernelEntry *kernels;
} Family;

#define DECLINED NULL

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Put the keyword arguments named in *names* into *values* (borrowed; NULL where not given).
 * Returns false if there is one that is not named: decline then. */
bool statics(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int named,
             PyObject *const *names, PyObject **values);

/* An interned name for `statics`, made on first use: static PyObject *dim = NULL; name(&dim, "dim") */
PyObject *name(PyObject **slot, const char *text);

/* Read a Python float, int or bool. Returns false, with no exception, for anything else. */
bool as_double(PyObject *number, double *value);
bool as_index(PyObject *number, npy_intp *value);

/* ---- arrays --------------------------------------------------------------------------------- */

/* Whether *object* is an array (of no subclass) of *type*, aligned, in native byte order. */
static inline bool is_array(PyObject *object, int type)
{
    if (!PyArray_CheckExact(object))
        return false;
    PyArrayObject *array = (PyArrayObject *)object;
    return PyArray_TYPE(array) == type && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
}

/* The type number of an array of float32 or float64 that can be computed with, or -1. */
static inline int float_type(PyObject *object)
{
    if (!PyArray_CheckExact(object))
        return -1;
    PyArrayObject *array = (PyArrayObject *)object;
    int type = PyArray_TYPE(array);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || !PyArray_ISALIGNED(array) ||
        !PyArray_ISNOTSWAPPED(array))
        return -1;
    return type;
}

static inline PyArrayObject *as_array(PyObject *object) { return (PyArrayObject *)object; }

static inline bool is_contiguous(PyObject *object)
{
    return PyArray_IS_C_CONTIGUOUS((PyArrayObject *)object);
}

static inline bool same_shape(PyObject *a, PyObject *b)
{
    PyArrayObject *x = (PyArrayObject *)a, *y = (PyArrayObject *)b;
    int ndim = PyArray_NDIM(x); /* without dimensions there is no memory to compare */
    return ndim == PyArray_NDIM(y) &&
           (ndim == 0 ||
            memcmp(PyArray_DIMS(x), PyArray_DIMS(y), sizeof(npy_intp) * (size_t)ndim) == 0);
}

/* A new array, C-contiguous, with unspecified values. NULL with an exception if there is no memory. */
PyObject *new_array(int type, int ndim, const npy_intp *shape);

static inline PyObject *new_like(PyObject *array, int type)
{
    return new_array(type, PyArray_NDIM((PyArrayObject *)array), PyArray_DIMS((PyArrayObject *)array));
}

/* *object* itself (a new reference) if it is C-contiguous, else a copy that is. */
PyObject *contiguous(PyObject *object);

/* Put `contiguous` references to arrays into *taken*, NULL for None; `drop` gives them up.
 * Returns false with an exception if one is missing. */
bool take(int count, PyObject *const *args, PyObject **taken);
void drop(int count, PyObject **taken);

/* The elements of what was taken, if anything was. */
static inline void *data_of(PyObject *array) { return array ? PyArray_DATA(as_array(array)) : NULL; }

/* Hand out *results* as a tuple, which takes the references; NULL if one is missing. */
PyObject *packed(int count, PyObject **results);

/* ---- threads -------------------------------------------------------------------------------- */

/* A job is cut into parts by its own size, never by the number of threads, so that a result does
 * not depend on it: sums over parts are added up in the order of the parts. */
typedef void (*Part)(void *job, npy_intp begin, npy_intp end);

/* Call *part* on the pieces of [0, count) of *grain* each (the last may be shorter), on several
 * threads if there are several pieces; returns when all is done. Needs no GIL. */
void parallel(npy_intp count, npy_intp grain, Part part, void *job);

void set_thread_count(long count); /* 256 at most */
int thread_count(void);
void start_pool(void);

/* Let other Python threads run while something long is computed: more than RELEASE elements. */
#define RELEASE 32768
#define BEGIN_LONG(size) { PyThreadState *state_ = (size) > RELEASE ? PyEval_SaveThread() : NULL;
#define END_LONG if (state_) PyEval_RestoreThread(state_); }

/* ---- casts: casting.c ------------------------------------------------------------------------- */

PyObject *cast(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* ---- elementwise: maps.c --------------------------------------------------------------------- */

#define MAX_INPUTS 4

/* Computes *n* elements that lie side by side; *p* are the numbers of the call. */
typedef void (*Loop)(char *const *inputs, char *output, npy_intp n, const double *p);

typedef struct {
    Loop single, real; /* for float32, for float64 */
    int cost;          /* about how many additions an element costs: decides when threads pay */
    bool boolean;      /* whether the result is bool, and not float like the inputs */
    unsigned masks;    /* bit k: input k is an array of bools */
} Map;

/* Apply *map* to arrays that broadcast; Python numbers may stand for all of them but one.
 * Declines what it cannot take. */
PyObject *map_arrays(const Map *map, int count, PyObject *const *inputs, const double *p);

#endif
