/* Kernels of chainrule/ops/convolution.py, over one and two dimensions.
 *
 * Three maps are all there is, as in NumPy's kernels: *correlate* is a convolution, *spread* its
 * gradient by the input and a transposed convolution, *weigh* the gradient by the weight. Windows
 * are gathered as the columns of a matrix, some rows of the result at a time so that they stay in
 * the cache, and multiplied by the BLAS. Where a window has few elements there is no matrix.
 *
 * Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for
 * document processing", 2006 (windows as columns of a matrix).
 */
#include "convolution.h"

#include "blas.h"

#include <stdatomic.h>

#define DIRECT_TAPS 32            /* elements of a window, up to which there is no matrix */
#define BLOCK_BYTES (384 << 10)   /* of windows at a time */

typedef struct {
    Geometry geometry;
    const void *x, *weight, *bias, *grad;
    void *out;
    npy_intp block; /* rows of the result whose windows are gathered at a time */
    npy_intp share; /* samples of a share: weigh */
    bool pointwise, direct;
    atomic_bool failed; /* there was no memory */
} Job;

#include "convolution_loops.h"
#define REAL
#include "convolution_loops.h"
#undef REAL

/* ---- reading what is given ------------------------------------------------------------------- */

/* Read a tuple of one or two numbers, as if it were two. */
static bool pair(PyObject *tuple, npy_intp missing, npy_intp *y, npy_intp *x)
{
    if (!tuple || !PyTuple_Check(tuple))
        return false;
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    *y = missing;
    if (size == 1)
        return as_index(PyTuple_GET_ITEM(tuple, 0), x);
    return size == 2 && as_index(PyTuple_GET_ITEM(tuple, 0), y) &&
           as_index(PyTuple_GET_ITEM(tuple, 1), x);
}

/* stride, padding, dilation, transposed, output_padding, groups */
typedef struct {
    npy_intp stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x, more_y, more_x, groups;
    bool transposed;
} Options;

static bool read_options(PyObject *const *values, Options *o)
{
    if (!pair(values[0], 1, &o->stride_y, &o->stride_x) || !pair(values[1], 0, &o->pad_y, &o->pad_x) ||
        !pair(values[2], 1, &o->dilation_y, &o->dilation_x) || !values[3] ||
        !PyBool_Check(values[3]) || !pair(values[4], 0, &o->more_y, &o->more_x) || !values[5] ||
        !as_index(values[5], &o->groups))
        return false;
    o->transposed = values[3] == Py_True;
    return o->stride_y > 0 && o->stride_x > 0 && o->pad_y >= 0 && o->pad_x >= 0 &&
           o->dilation_y > 0 && o->dilation_x > 0 && o->more_y >= 0 && o->more_x >= 0 && o->groups > 0;
}

/* Read *options*, the tuple that the backward ops get. */
static bool read_tuple(PyObject *options, Options *o)
{
    if (!options || !PyTuple_Check(options) || PyTuple_GET_SIZE(options) != 6)
        return false;
    PyObject *values[6];
    for (int i = 0; i < 6; i++)
        values[i] = PyTuple_GET_ITEM(options, i);
    return read_options(values, o);
}

/* The sizes of a tensor of three or four dimensions: samples (or channels), channels, y, x. */
static void sizes_of(PyObject *array, npy_intp *sizes)
{
    const npy_intp *shape = PyArray_DIMS(as_array(array));
    int ndim = PyArray_NDIM(as_array(array));
    sizes[0] = shape[0];
    sizes[1] = shape[1];
    sizes[2] = ndim == 4 ? shape[2] : 1;
    sizes[3] = shape[ndim - 1];
}

static bool read_sizes(PyObject *tuple, int ndim, npy_intp *sizes)
{
    if (!tuple || !PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != ndim)
        return false;
    sizes[2] = 1;
    for (int i = 0; i < ndim; i++) {
        int place = i == ndim - 1 ? 3 : i;
        if (!as_index(PyTuple_GET_ITEM(tuple, i), &sizes[place]) || sizes[place] < 0)
            return false;
    }
    return true;
}

/* Fill in a geometry from the sizes of the windows' input, the weight and their results.
 * Returns false where a kernel here has nothing to do, or sizes do not fit. */
static bool fill(Geometry *g, const Options *o, const npy_intp *input, const npy_intp *weight,
                 const npy_intp *result)
{
    *g = (Geometry){
        .samples = input[0], .groups = o->groups, .in = weight[1], .out = weight[0] / o->groups,
        .height = input[2], .width = input[3], .kernel_y = weight[2], .kernel_x = weight[3],
        .out_y = result[2], .out_x = result[3], .stride_y = o->stride_y, .stride_x = o->stride_x,
        .pad_y = o->pad_y, .pad_x = o->pad_x, .dilation_y = o->dilation_y,
        .dilation_x = o->dilation_x,
    };
    if (g->samples < 1 || g->in < 1 || g->out < 1 || g->height < 1 || g->width < 1 ||
        g->kernel_y < 1 || g->kernel_x < 1 || g->out_y < 1 || g->out_x < 1)
        return false; /* empty: NumPy's */
    if (weight[0] % o->groups || input[1] != g->in * o->groups || result[0] != input[0] ||
        result[1] != weight[0])
        return false;
    /* What the windows cover, which may be less than the padded plane, or more: see output_padding. */
    npy_intp reach_y = (g->out_y - 1) * g->stride_y + (g->kernel_y - 1) * g->dilation_y + 1;
    npy_intp reach_x = (g->out_x - 1) * g->stride_x + (g->kernel_x - 1) * g->dilation_x + 1;
    g->high = g->height + 2 * g->pad_y;
    g->wide = g->width + 2 * g->pad_x;
    if (reach_y > g->high || reach_x > g->wide)
        return false;
    return true;
}

static bool is_pointwise(const Geometry *g)
{
    return g->kernel_y == 1 && g->kernel_x == 1 && g->stride_y == 1 && g->stride_x == 1 &&
           g->pad_y == 0 && g->pad_x == 0 && g->out_y == g->height && g->out_x == g->width;
}

static npy_intp block_of(const Geometry *g, npy_intp itemsize)
{
    npy_intp row = g->in * g->kernel_y * g->kernel_x * g->out_x * itemsize;
    npy_intp block = BLOCK_BYTES / row;
    block = block < 1 ? 1 : block > g->out_y ? g->out_y : block;
    npy_intp blocks = (g->out_y + block - 1) / block;
    return (g->out_y + blocks - 1) / blocks; /* about equal */
}

/* About how many additions the job takes. */
static double work_of(const Geometry *g)
{
    return (double)g->samples * g->groups * g->out * g->out_y * g->out_x * g->in * g->kernel_y *
           g->kernel_x;
}

static npy_intp most(npy_intp a, npy_intp b) { return a > b ? a : b; }

/* ---- running the maps -------------------------------------------------------------------------- */

#define SMALL 65536 /* additions that one thread does in no time */

static void run(Job *job, npy_intp units, Part part)
{
    double work = work_of(&job->geometry);
    npy_intp grain = (npy_intp)(SMALL * (double)units / most((npy_intp)work, 1));
    parallel_products(work, units, most(grain, 1), part, job);
}

/* Compute by fewer products; false if that does not do. */
static bool quickly(Job *job, bool weigh)
{
    Outcome outcome;
    BEGIN_LONG(RELEASE + 1)
    blas_alone();
    if (weigh)
        outcome = winograd_weigh(&job->geometry, job->grad, job->x, job->out);
    else
        outcome = winograd_correlate(&job->geometry, job->x, job->weight, job->bias, job->out);
    blas_together();
    END_LONG
    job->failed = outcome == NO_MEMORY;
    return outcome != NOT_FINITE;
}

static PyObject *finished(Job *job, PyObject *out)
{
    if (!job->failed)
        return out;
    Py_DECREF(out);
    return PyErr_NoMemory();
}

static PyObject *new_result(int type, int ndim, const npy_intp *sizes)
{
    npy_intp shape[4] = {sizes[0], sizes[1], sizes[2], sizes[3]};
    if (ndim == 3)
        shape[2] = sizes[3];
    return new_array(type, ndim, shape);
}

/* Sums of products of windows; *result* is the size of what comes out. */
static PyObject *correlate(int type, int ndim, const Geometry *g, const npy_intp *result,
                           const void *x, const void *weight, const void *bias)
{
    Job job = {.geometry = *g, .x = x, .weight = weight, .bias = bias};
    job.pointwise = is_pointwise(g);
    job.direct = !job.pointwise && g->stride_x == 1 &&
                 g->in * g->kernel_y * g->kernel_x <= DIRECT_TAPS;
    job.block = block_of(g, type == NPY_FLOAT ? 4 : 8);
    PyObject *out = new_result(type, ndim, result);
    if (!out)
        return NULL;
    job.out = PyArray_DATA(as_array(out));
    if (type == NPY_FLOAT && winograd_takes(g) && quickly(&job, false))
        return finished(&job, out);
    run(&job, g->samples * g->groups, type == NPY_FLOAT ? correlate_part_single : correlate_part_real);
    return finished(&job, out);
}

/* Where the transposed map is a convolution itself, with the weight turned around, put its geometry
 * into *turned*. Else the windows' shares are added up. */
static bool turned_geometry(const Geometry *g, Geometry *turned)
{
    if (g->stride_y != 1 || g->stride_x != 1 || is_pointwise(g) || g->out > 2 * g->in)
        return false; /* with more channels on that side, its windows would be the larger ones */
    *turned = *g;
    turned->in = g->out;
    turned->out = g->in;
    turned->height = g->out_y;
    turned->width = g->out_x;
    turned->out_y = g->height;
    turned->out_x = g->width;
    turned->pad_y = g->dilation_y * (g->kernel_y - 1) - g->pad_y;
    turned->pad_x = g->dilation_x * (g->kernel_x - 1) - g->pad_x;
    if (turned->pad_y < 0 || turned->pad_x < 0)
        return false;
    turned->high = turned->height + 2 * turned->pad_y;
    turned->wide = turned->width + 2 * turned->pad_x;
    return turned->high - g->dilation_y * (g->kernel_y - 1) == g->height &&
           turned->wide - g->dilation_x * (g->kernel_x - 1) == g->width;
}

static PyObject *spread(int type, int ndim, const Geometry *g, const npy_intp *result, const void *x,
                        const void *weight, const void *bias)
{
    Geometry turned;
    npy_intp itemsize = type == NPY_FLOAT ? 4 : 8;
    if (turned_geometry(g, &turned)) {
        npy_intp size = g->groups * g->in * g->out * g->kernel_y * g->kernel_x;
        void *other = PyMem_Malloc((size_t)(size * itemsize));
        if (!other)
            return PyErr_NoMemory();
        if (type == NPY_FLOAT)
            turn_single(g, weight, other);
        else
            turn_real(g, weight, other);
        PyObject *out = correlate(type, ndim, &turned, result, x, other, bias);
        PyMem_Free(other);
        return out;
    }
    Job job = {.geometry = *g, .x = x, .weight = weight, .bias = bias};
    job.pointwise = is_pointwise(g);
    job.block = block_of(g, itemsize);
    PyObject *out = new_result(type, ndim, result);
    if (!out)
        return NULL;
    job.out = PyArray_DATA(as_array(out));
    run(&job, g->samples * g->groups, type == NPY_FLOAT ? spread_part_single : spread_part_real);
    return finished(&job, out);
}

#define SHARES 16 /* at most: how many threads can compute the gradient of a weight */

static PyObject *weigh(int type, int ndim, const Geometry *g, const npy_intp *result, const void *grad,
                       const void *x)
{
    Job job = {.geometry = *g, .x = x, .grad = grad};
    npy_intp itemsize = type == NPY_FLOAT ? 4 : 8;
    job.pointwise = is_pointwise(g);
    job.block = block_of(g, itemsize);
    npy_intp size = g->groups * g->out * g->in * g->kernel_y * g->kernel_x;
    npy_intp shares = g->samples < SHARES ? g->samples : SHARES;
    job.share = (g->samples + shares - 1) / shares;
    shares = (g->samples + job.share - 1) / job.share;
    PyObject *out = new_result(type, ndim, result);
    if (!out)
        return NULL;
    void *sums = job.out = PyArray_DATA(as_array(out));
    if (type == NPY_FLOAT && winograd_takes(g) && quickly(&job, true))
        return finished(&job, out);
    job.out = shares == 1 ? sums : PyMem_Malloc((size_t)(shares * size * itemsize));
    if (!job.out) {
        Py_DECREF(out);
        return PyErr_NoMemory();
    }
    run(&job, shares, type == NPY_FLOAT ? weigh_part_single : weigh_part_real);
    if (shares > 1) {
        if (type == NPY_FLOAT)
            sum_shares_single(job.out, shares, size, sums);
        else
            sum_shares_real(job.out, shares, size, sums);
        PyMem_Free(job.out);
    }
    return finished(&job, out);
}

/* ---- the kernels ------------------------------------------------------------------------------- */

/* Check two arrays of three or four dimensions of one type; returns it, or -1. */
static int type_of(PyObject *a, PyObject *b)
{
    int type = float_type(a);
    if (type < 0 || !is_array(b, type))
        return -1;
    int ndim = PyArray_NDIM(as_array(a));
    if ((ndim != 3 && ndim != 4) || PyArray_NDIM(as_array(b)) != ndim)
        return -1;
    return blas_takes(most(PyArray_SIZE(as_array(a)), PyArray_SIZE(as_array(b)))) ? type : -1;
}

static PyObject *convolution(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[6];
    name(&names[0], "stride"), name(&names[1], "padding"), name(&names[2], "dilation");
    name(&names[3], "transposed"), name(&names[4], "output_padding"), name(&names[5], "groups");
    PyObject *values[6];
    Options o;
    if (count != 3 || !statics(args, count, kwnames, 6, names, values) || !read_options(values, &o))
        return DECLINED;
    int type = type_of(args[0], args[1]), ndim = type < 0 ? 0 : PyArray_NDIM(as_array(args[0]));
    bool biased = args[2] != Py_None;
    if (type < 0 || PyTuple_GET_SIZE(values[0]) != ndim - 2 ||
        (biased && (!is_array(args[2], type) || PyArray_NDIM(as_array(args[2])) != 1)))
        return DECLINED;
    npy_intp sizes[4], kernel[4], result[4];
    sizes_of(args[0], sizes);
    sizes_of(args[1], kernel);
    result[0] = sizes[0];
    Geometry g;
    if (o.transposed) {
        result[1] = kernel[1] * o.groups;
        result[2] = (sizes[2] - 1) * o.stride_y - 2 * o.pad_y + o.dilation_y * (kernel[2] - 1) + o.more_y + 1;
        result[3] = (sizes[3] - 1) * o.stride_x - 2 * o.pad_x + o.dilation_x * (kernel[3] - 1) + o.more_x + 1;
    } else {
        result[1] = kernel[0];
        result[2] = (sizes[2] + 2 * o.pad_y - o.dilation_y * (kernel[2] - 1) - 1) / o.stride_y + 1;
        result[3] = (sizes[3] + 2 * o.pad_x - o.dilation_x * (kernel[3] - 1) - 1) / o.stride_x + 1;
    }
    if (!fill(&g, &o, o.transposed ? result : sizes, kernel, o.transposed ? sizes : result) ||
        (biased && PyArray_DIM(as_array(args[2]), 0) != result[1]))
        return DECLINED;
    PyObject *taken[3], *out = NULL;
    if (take(3, args, taken))
        out = (o.transposed ? spread : correlate)(type, ndim, &g, result, data_of(taken[0]),
                                                  data_of(taken[1]), data_of(taken[2]));
    drop(3, taken);
    return out;
}

static PyObject *backward_input(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "input_sizes"), name(&names[1], "options");
    PyObject *values[2];
    Options o;
    if (count != 2 || !statics(args, count, kwnames, 2, names, values) || !read_tuple(values[1], &o))
        return DECLINED;
    int type = type_of(args[0], args[1]), ndim = type < 0 ? 0 : PyArray_NDIM(as_array(args[0]));
    npy_intp sizes[4], grad[4], kernel[4];
    if (type < 0 || !read_sizes(values[0], ndim, sizes))
        return DECLINED;
    sizes_of(args[0], grad);
    sizes_of(args[1], kernel);
    Geometry g;
    if (!fill(&g, &o, o.transposed ? grad : sizes, kernel, o.transposed ? sizes : grad))
        return DECLINED;
    PyObject *taken[2], *out = NULL;
    if (take(2, args, taken))
        out = (o.transposed ? correlate : spread)(type, ndim, &g, sizes, data_of(taken[0]),
                                                  data_of(taken[1]), NULL);
    drop(2, taken);
    return out;
}

static PyObject *backward_weight(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[2];
    name(&names[0], "weight_sizes"), name(&names[1], "options");
    PyObject *values[2];
    Options o;
    if (count != 2 || !statics(args, count, kwnames, 2, names, values) || !read_tuple(values[1], &o))
        return DECLINED;
    int type = type_of(args[0], args[1]), ndim = type < 0 ? 0 : PyArray_NDIM(as_array(args[0]));
    npy_intp kernel[4], grad[4], input[4];
    if (type < 0 || !read_sizes(values[0], ndim, kernel))
        return DECLINED;
    sizes_of(args[0], o.transposed ? input : grad);
    sizes_of(args[1], o.transposed ? grad : input);
    Geometry g;
    if (!fill(&g, &o, input, kernel, grad))
        return DECLINED;
    PyObject *taken[2], *out = NULL;
    if (take(2, args, taken))
        out = weigh(type, ndim, &g, kernel, data_of(taken[o.transposed]),
                    data_of(taken[!o.transposed]));
    drop(2, taken);
    return out;
}

const KernelEntry convolution_kernels[] = {
    {"cr::_convolution", convolution},
    {"cr::convolution_backward_input", backward_input},
    {"cr::convolution_backward_weight", backward_weight},
    {NULL, NULL},
};
