/* Kernels of chainrule/ops/pooling_max.py and pooling_average.py, over two dimensions. */
#include "native.h"

#include <stdatomic.h>

typedef struct {
    npy_intp planes, height, width, out_y, out_x;
    npy_intp kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x;
    const void *x;
    void *out;
    int64_t *places;
    double divisor; /* of means, where it is given */
    bool include;   /* whether padding counts */
    bool apart;     /* no place is named twice, or the last one counts */
    bool pairs;     /* windows of two by two, side by side */
    atomic_bool failed; /* a place lies outside */
} Pooling;

#include "pooling_loops.h"
#define REAL
#include "pooling_loops.h"
#undef REAL

/* ---- reading what is given ------------------------------------------------------------------- */

static bool pair(PyObject *tuple, npy_intp *y, npy_intp *x)
{
    return tuple && PyTuple_Check(tuple) && PyTuple_GET_SIZE(tuple) == 2 &&
           as_index(PyTuple_GET_ITEM(tuple, 0), y) && as_index(PyTuple_GET_ITEM(tuple, 1), x);
}

/* Read kernel, stride (that of the kernel where it is empty), padding and whether to round up. */
static bool read_windows(PyObject *kernel, PyObject *stride, PyObject *padding, PyObject *ceil,
                         Pooling *p)
{
    if (!pair(kernel, &p->kernel_y, &p->kernel_x) || !pair(padding, &p->pad_y, &p->pad_x) ||
        !stride || !PyTuple_Check(stride) || !ceil || !PyBool_Check(ceil))
        return false;
    p->stride_y = p->kernel_y;
    p->stride_x = p->kernel_x;
    if (PyTuple_GET_SIZE(stride) != 0 && !pair(stride, &p->stride_y, &p->stride_x))
        return false;
    return p->kernel_y > 0 && p->kernel_x > 0 && p->stride_y > 0 && p->stride_x > 0 &&
           p->pad_y >= 0 && p->pad_x >= 0 && 2 * p->pad_y <= p->kernel_y && 2 * p->pad_x <= p->kernel_x;
}

static npy_intp windows(npy_intp size, npy_intp kernel, npy_intp stride, npy_intp pad,
                        npy_intp dilation, bool ceil)
{
    npy_intp reach = size + 2 * pad - dilation * (kernel - 1) - 1;
    if (reach < 0)
        return 0;
    npy_intp count = (reach + (ceil ? stride - 1 : 0)) / stride + 1;
    return ceil && (count - 1) * stride >= size + pad ? count - 1 : count;
}

/* Take the sizes of planes from the last two of *ndim* dimensions; false where one is empty. */
static bool planes_of(int ndim, const npy_intp *shape, Pooling *p)
{
    if (ndim < 2)
        return false;
    p->planes = 1;
    for (int i = 0; i < ndim - 2; i++)
        p->planes *= shape[i];
    p->height = shape[ndim - 2];
    p->width = shape[ndim - 1];
    return p->planes > 0 && p->height > 0 && p->width > 0;
}

static PyObject *new_planes(int type, PyObject *like, npy_intp height, npy_intp width)
{
    npy_intp shape[NPY_MAXDIMS];
    int ndim = PyArray_NDIM(as_array(like));
    memcpy(shape, PyArray_DIMS(as_array(like)), sizeof(npy_intp) * (size_t)ndim);
    shape[ndim - 2] = height;
    shape[ndim - 1] = width;
    return new_array(type, ndim, shape);
}

static bool read_shape(PyObject *tuple, int *ndim, npy_intp *shape)
{
    if (!tuple || !PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) > NPY_MAXDIMS)
        return false;
    *ndim = (int)PyTuple_GET_SIZE(tuple);
    for (int i = 0; i < *ndim; i++)
        if (!as_index(PyTuple_GET_ITEM(tuple, i), &shape[i]) || shape[i] < 0)
            return false;
    return true;
}

#define GRAIN 32768 /* elements of a part */

static void run(Pooling *p, npy_intp work, Part part)
{
    npy_intp each = work / p->planes + 1;
    BEGIN_LONG(work)
    parallel(p->planes, each < GRAIN ? GRAIN / each : 1, part, p);
    END_LONG
}

/* ---- largest elements -------------------------------------------------------------------------- */

static PyObject *max_pool(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[5];
    name(&names[0], "kernel_size"), name(&names[1], "stride"), name(&names[2], "padding");
    name(&names[3], "dilation"), name(&names[4], "ceil_mode");
    PyObject *values[5];
    Pooling p = {0};
    int type;
    if (count != 1 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 5, names, values) ||
        !read_windows(values[0], values[1], values[2], values[4], &p) ||
        !pair(values[3], &p.dilation_y, &p.dilation_x) || p.dilation_y < 1 || p.dilation_x < 1 ||
        !planes_of(PyArray_NDIM(as_array(args[0])), PyArray_DIMS(as_array(args[0])), &p))
        return DECLINED;
    if ((p.dilation_y > 1 && p.pad_y) || (p.dilation_x > 1 && p.pad_x))
        return DECLINED; /* a window may lie in the padding altogether */
    bool ceil = values[4] == Py_True;
    p.out_y = windows(p.height, p.kernel_y, p.stride_y, p.pad_y, p.dilation_y, ceil);
    p.out_x = windows(p.width, p.kernel_x, p.stride_x, p.pad_x, p.dilation_x, ceil);
    if (p.out_y < 1 || p.out_x < 1)
        return DECLINED;
    p.pairs = p.kernel_y == 2 && p.kernel_x == 2 && p.stride_y == 2 && p.stride_x == 2 && !p.pad_y &&
              !p.pad_x && p.dilation_y == 1 && p.dilation_x == 1 && 2 * p.out_y <= p.height &&
              2 * p.out_x <= p.width && p.height * p.width < INT32_MAX;
    PyObject *x = contiguous(args[0]), *best = new_planes(type, args[0], p.out_y, p.out_x);
    PyObject *places = new_planes(NPY_INT64, args[0], p.out_y, p.out_x), *pair_of = NULL;
    if (x && best && places) {
        p.x = PyArray_DATA(as_array(x));
        p.out = PyArray_DATA(as_array(best));
        p.places = PyArray_DATA(as_array(places));
        run(&p, p.planes * p.out_y * p.out_x * p.kernel_y * p.kernel_x,
            type == NPY_FLOAT ? max_part_single : max_part_real);
        pair_of = PyTuple_Pack(2, best, places);
    }
    Py_XDECREF(x);
    Py_XDECREF(best);
    Py_XDECREF(places);
    return pair_of;
}

/* Whether *places* are int64 and have a plane for each plane of *p*. */
static bool takes_places(PyObject *places, const npy_intp *shape, int ndim, Pooling *p)
{
    if (!is_array(places, NPY_INT64) || PyArray_NDIM(as_array(places)) != ndim)
        return false;
    const npy_intp *own = PyArray_DIMS(as_array(places));
    if (memcmp(own, shape, sizeof(npy_intp) * (size_t)(ndim - 2)) != 0)
        return false;
    p->out_y = own[ndim - 2];
    p->out_x = own[ndim - 1];
    return p->out_y > 0 && p->out_x > 0;
}

static PyObject *moved(int type, PyObject *x, PyObject *places, PyObject *out, Pooling *p, Part single,
                       Part real)
{
    x = contiguous(x);
    places = contiguous(places);
    if (x && places && out) {
        p->x = PyArray_DATA(as_array(x));
        p->places = PyArray_DATA(as_array(places));
        p->out = PyArray_DATA(as_array(out));
        run(p, p->planes * (p->out_y * p->out_x * 4 + p->height * p->width),
            type == NPY_FLOAT ? single : real);
    }
    if (!x || !places || p->failed)
        Py_CLEAR(out); /* without an exception: NumPy says what is wrong with the places */
    Py_XDECREF(x);
    Py_XDECREF(places);
    return out;
}

static PyObject *pool_scatter(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[3];
    name(&names[0], "sizes"), name(&names[1], "spatial"), name(&names[2], "apart");
    PyObject *values[3];
    Pooling p = {0};
    npy_intp shape[NPY_MAXDIMS], spatial;
    int type, ndim;
    if (count != 2 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 3, names, values) || !read_shape(values[0], &ndim, shape) ||
        !values[1] || !as_index(values[1], &spatial) || spatial != 2 || !values[2] ||
        !PyBool_Check(values[2]) || !planes_of(ndim, shape, &p) ||
        !takes_places(args[1], shape, ndim, &p) || !same_shape(args[0], args[1]))
        return DECLINED;
    p.apart = values[2] == Py_True;
    return moved(type, args[0], args[1], new_array(type, ndim, shape), &p, scatter_part_single,
                 scatter_part_real);
}

static PyObject *pool_gather(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[1];
    name(&names[0], "spatial");
    PyObject *values[1];
    Pooling p = {0};
    npy_intp spatial;
    int type;
    if (count != 2 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 1, names, values) || !values[0] ||
        !as_index(values[0], &spatial) || spatial != 2)
        return DECLINED;
    int ndim = PyArray_NDIM(as_array(args[0]));
    const npy_intp *shape = PyArray_DIMS(as_array(args[0]));
    if (!planes_of(ndim, shape, &p) || !takes_places(args[1], shape, ndim, &p))
        return DECLINED;
    return moved(type, args[0], args[1], new_planes(type, args[0], p.out_y, p.out_x), &p,
                 gather_part_single, gather_part_real);
}

/* ---- means ------------------------------------------------------------------------------------- */

/* Read whether padding counts, and the divisor. */
static bool read_divisor(PyObject *include, PyObject *divisor, Pooling *p)
{
    if (!include || !PyBool_Check(include) || !divisor)
        return false;
    p->include = include == Py_True;
    return divisor == Py_None || (as_double(divisor, &p->divisor) && p->divisor != 0);
}

static PyObject *averaged(int type, PyObject *x, PyObject *out, Pooling *p, Part single, Part real)
{
    x = contiguous(x);
    if (x && out) {
        p->x = PyArray_DATA(as_array(x));
        p->out = PyArray_DATA(as_array(out));
        run(p, p->planes * p->out_y * p->out_x * p->kernel_y * p->kernel_x,
            type == NPY_FLOAT ? single : real);
    } else {
        Py_CLEAR(out);
    }
    Py_XDECREF(x);
    return out;
}

static PyObject *avg_pool(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[6];
    name(&names[0], "kernel_size"), name(&names[1], "stride"), name(&names[2], "padding");
    name(&names[3], "ceil_mode"), name(&names[4], "count_include_pad");
    name(&names[5], "divisor_override");
    PyObject *values[6];
    Pooling p = {0};
    int type;
    if (count != 1 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 6, names, values) ||
        !read_windows(values[0], values[1], values[2], values[3], &p) ||
        !read_divisor(values[4], values[5], &p) ||
        !planes_of(PyArray_NDIM(as_array(args[0])), PyArray_DIMS(as_array(args[0])), &p))
        return DECLINED;
    bool ceil = values[3] == Py_True;
    p.out_y = windows(p.height, p.kernel_y, p.stride_y, p.pad_y, 1, ceil);
    p.out_x = windows(p.width, p.kernel_x, p.stride_x, p.pad_x, 1, ceil);
    if (p.out_y < 1 || p.out_x < 1)
        return DECLINED;
    return averaged(type, args[0], new_planes(type, args[0], p.out_y, p.out_x), &p, mean_part_single,
                    mean_part_real);
}

static PyObject *avg_pool_backward(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "input_sizes"), name(&names[1], "options");
    PyObject *values[2], *o;
    Pooling p = {0};
    npy_intp shape[NPY_MAXDIMS];
    int type, ndim;
    if (count != 1 || (type = float_type(args[0])) < 0 ||
        !statics(args, count, kwnames, 2, names, values) || !read_shape(values[0], &ndim, shape) ||
        !(o = values[1]) || !PyTuple_Check(o) || PyTuple_GET_SIZE(o) != 6 ||
        !read_windows(PyTuple_GET_ITEM(o, 0), PyTuple_GET_ITEM(o, 1), PyTuple_GET_ITEM(o, 2),
                      PyTuple_GET_ITEM(o, 3), &p) ||
        !read_divisor(PyTuple_GET_ITEM(o, 4), PyTuple_GET_ITEM(o, 5), &p) ||
        !planes_of(ndim, shape, &p))
        return DECLINED;
    const npy_intp *own = PyArray_DIMS(as_array(args[0]));
    bool ceil = PyTuple_GET_ITEM(o, 3) == Py_True;
    p.out_y = windows(p.height, p.kernel_y, p.stride_y, p.pad_y, 1, ceil);
    p.out_x = windows(p.width, p.kernel_x, p.stride_x, p.pad_x, 1, ceil);
    if (PyArray_NDIM(as_array(args[0])) != ndim ||
        memcmp(own, shape, sizeof(npy_intp) * (size_t)(ndim - 2)) != 0 || p.out_y < 1 ||
        p.out_x < 1 || own[ndim - 2] != p.out_y || own[ndim - 1] != p.out_x)
        return DECLINED;
    return averaged(type, args[0], new_array(type, ndim, shape), &p, spread_part_single,
                    spread_part_real);
}

const KernelEntry pooling_kernels[] = {
    {"cr::_max_pool2d_with_indices", max_pool},
    {"cr::_pool_scatter", pool_scatter},
    {"cr::_pool_gather", pool_gather},
    {"cr::_avg_pool2d", avg_pool},
    {"cr::avg_pool_backward", avg_pool_backward},
    {NULL, NULL},
};
