/* Elementwise kernels: the walk over arrays of any strides, around loops over contiguous ones.
 *
 * A loop gets elements that lie side by side, and no other kind. Where an operand's do not, they
 * are gathered into a small buffer first, and a number, or a broadcast element, fills one once.
 */
#include "native.h"

#include "memory.h"

#include <stdlib.h>

#define MAX_NDIM 16
#define BLOCK 512            /* elements of a buffer: what is at work stays in the first cache */
#define GRAIN 16384          /* elements of a part, at a cost of one addition or two each */
#define WORTH_THREADS 131072 /* additions below which waking up a thread takes longer */

typedef struct {
    Loop loop;
    const double *p;
    int inputs;
    int ndim;        /* of the outer dimensions; the inner one is first of all */
    size_t itemsize[MAX_INPUTS + 1]; /* the last is the output's */
    npy_intp shape[MAX_NDIM];                      /* fastest first */
    npy_intp strides[MAX_INPUTS + 1][MAX_NDIM];    /* the last are the output's */
    char *data[MAX_INPUTS + 1];
    npy_intp pieces, piece;                        /* how the inner dimension is cut */
} Walk;

/* ---- one row ---------------------------------------------------------------------------------- */

#define GATHER(type)                                                                               \
    for (npy_intp i = 0; i < n; i++)                                                               \
        ((type *)to)[i] = *(const type *)(from + i * stride);

static void gather(char *to, const char *from, npy_intp stride, npy_intp n, size_t itemsize)
{
    if (itemsize == 4) {
        GATHER(uint32_t)
    } else if (itemsize == 8) {
        GATHER(uint64_t)
    } else {
        GATHER(uint8_t)
    }
}

static void scatter(char *to, npy_intp stride, const char *from, npy_intp n, size_t itemsize)
{
    for (npy_intp i = 0; i < n; i++) {
        if (itemsize == 4)
            *(uint32_t *)(to + i * stride) = ((const uint32_t *)from)[i];
        else if (itemsize == 8)
            *(uint64_t *)(to + i * stride) = ((const uint64_t *)from)[i];
        else
            to[i * stride] = from[i];
    }
}

static void row(const Walk *walk, char *const *data, npy_intp n)
{
    const int out = walk->inputs;
    bool plain = true;
    for (int k = 0; k <= out; k++)
        plain = plain && walk->strides[k][0] == (npy_intp)walk->itemsize[k];
    if (plain) {
        walk->loop(data, data[out], n, walk->p);
        return;
    }
    _Alignas(64) char buffers[MAX_INPUTS + 1][BLOCK * 8];
    char *pointers[MAX_INPUTS];
    for (int k = 0; k < out; k++) /* what is the same all along is written once */
        if (walk->strides[k][0] == 0)
            gather(buffers[k], data[k], 0, n < BLOCK ? n : BLOCK, walk->itemsize[k]);
    for (npy_intp at = 0; at < n; at += BLOCK) {
        npy_intp m = n - at < BLOCK ? n - at : BLOCK;
        for (int k = 0; k < out; k++) {
            npy_intp stride = walk->strides[k][0];
            if (stride == (npy_intp)walk->itemsize[k]) {
                pointers[k] = data[k] + at * stride;
                continue;
            }
            if (stride != 0)
                gather(buffers[k], data[k] + at * stride, stride, m, walk->itemsize[k]);
            pointers[k] = buffers[k];
        }
        npy_intp stride = walk->strides[out][0];
        char *target = data[out] + at * stride;
        if (stride == (npy_intp)walk->itemsize[out]) {
            walk->loop(pointers, target, m, walk->p);
        } else {
            walk->loop(pointers, buffers[out], m, walk->p);
            scatter(target, stride, buffers[out], m, walk->itemsize[out]);
        }
    }
}

/* ---- many rows -------------------------------------------------------------------------------- */

static void rows(void *job, npy_intp begin, npy_intp end)
{
    const Walk *walk = job;
    char *data[MAX_INPUTS + 1];
    npy_intp piece = begin % walk->pieces, place[MAX_NDIM], outer = begin / walk->pieces;
    for (int k = 0; k <= walk->inputs; k++)
        data[k] = walk->data[k];
    for (int d = 1; d < walk->ndim; d++) {
        place[d] = outer % walk->shape[d];
        outer /= walk->shape[d];
        for (int k = 0; k <= walk->inputs; k++)
            data[k] += place[d] * walk->strides[k][d];
    }
    for (npy_intp i = begin; i < end; i++) {
        npy_intp at = piece * walk->piece, n = walk->shape[0] - at;
        char *here[MAX_INPUTS + 1];
        for (int k = 0; k <= walk->inputs; k++)
            here[k] = data[k] + at * walk->strides[k][0];
        row(walk, here, n < walk->piece ? n : walk->piece);
        if (++piece < walk->pieces)
            continue;
        piece = 0;
        for (int d = 1; d < walk->ndim; d++) {
            for (int k = 0; k <= walk->inputs; k++)
                data[k] += walk->strides[k][d];
            if (++place[d] < walk->shape[d])
                break;
            place[d] = 0;
            for (int k = 0; k <= walk->inputs; k++)
                data[k] -= walk->shape[d] * walk->strides[k][d];
        }
    }
}

typedef struct {
    Loop loop;
    const double *p;
    int inputs;
    size_t itemsize[MAX_INPUTS + 1];
    char *const *data;
    char *output;
} Flat;

static void flat_part(void *job, npy_intp begin, npy_intp end)
{
    const Flat *flat = job;
    char *data[MAX_INPUTS];
    for (int k = 0; k < flat->inputs; k++)
        data[k] = flat->data[k] + begin * (npy_intp)flat->itemsize[k];
    flat->loop(data, flat->output + begin * (npy_intp)flat->itemsize[flat->inputs], end - begin, flat->p);
}

/* ---- setting up ------------------------------------------------------------------------------- */

static inline bool is_mask(const Map *map, int k) { return map->masks >> k & 1; }

/* The sizes of an element of each input, and then of the output. */
static inline void set_itemsizes(const Map *map, int count, int type, size_t *itemsizes)
{
    size_t itemsize = type == NPY_FLOAT ? 4 : 8;
    for (int k = 0; k < count; k++)
        itemsizes[k] = is_mask(map, k) ? 1 : itemsize;
    itemsizes[count] = map->boolean ? 1 : itemsize;
}

/* How many elements are a part: whole buffers. */
static inline npy_intp piece_of(const Map *map)
{
    return GRAIN / map->cost > BLOCK ? GRAIN / map->cost / BLOCK * BLOCK : BLOCK;
}

/* Put the dimension with the smallest strides first, as NumPy does: the result lies like the
 * operands. *order* begins as the dimensions from last to first. */
static void sort_dimensions(const Walk *walk, int ndim, int *order)
{
    for (int i = 1; i < ndim; i++) {
        int moving = order[i], place = i;
        for (int j = i - 1; j >= 0; j--) {
            bool unclear = true, swap = false;
            for (int k = 0; k < walk->inputs; k++) {
                npy_intp mine = walk->strides[k][moving], other = walk->strides[k][order[j]];
                if (mine == 0 || other == 0)
                    continue;
                if (llabs(other) <= llabs(mine))
                    swap = false;
                else if (unclear)
                    swap = true;
                unclear = false;
            }
            if (unclear)
                continue;
            if (!swap)
                break;
            place = j;
        }
        memmove(order + place + 1, order + place, sizeof(int) * (size_t)(i - place));
        order[place] = moving;
    }
}

/* Join dimensions over which every operand steps evenly. */
static void coalesce(Walk *walk)
{
    int last = 0;
    for (int d = 1; d < walk->ndim; d++) {
        bool even = true;
        for (int k = 0; k <= walk->inputs; k++)
            even = even && walk->strides[k][d] == walk->strides[k][last] * walk->shape[last];
        if (even || walk->shape[last] == 1) {
            if (!even)
                for (int k = 0; k <= walk->inputs; k++)
                    walk->strides[k][last] = walk->strides[k][d];
            walk->shape[last] *= walk->shape[d];
        } else {
            last++;
            walk->shape[last] = walk->shape[d];
            for (int k = 0; k <= walk->inputs; k++)
                walk->strides[k][last] = walk->strides[k][d];
        }
    }
    walk->ndim = last + 1;
}

static PyObject *map_strided(const Map *map, int count, PyObject *const *inputs, int type,
                             const double *numbers, const double *p)
{
    Walk walk = {.loop = type == NPY_FLOAT ? map->single : map->real, .p = p, .inputs = count};
    npy_intp shape[MAX_NDIM], strides[MAX_NDIM];
    int ndim = 0, order[MAX_NDIM];
    for (int k = 0; k < count; k++)
        if (inputs[k] && PyArray_NDIM(as_array(inputs[k])) > ndim)
            ndim = PyArray_NDIM(as_array(inputs[k]));
    if (ndim > MAX_NDIM)
        return DECLINED;
    for (int d = 0; d < ndim; d++)
        shape[d] = 1;
    for (int k = 0; k < count; k++) {
        if (!inputs[k])
            continue;
        PyArrayObject *array = as_array(inputs[k]);
        int missing = ndim - PyArray_NDIM(array);
        for (int d = missing; d < ndim; d++) {
            npy_intp size = PyArray_DIM(array, d - missing);
            if (size != 1 && shape[d] != 1 && size != shape[d])
                return DECLINED; /* NumPy says what is wrong */
            if (size != 1)
                shape[d] = size;
        }
    }
    set_itemsizes(map, count, type, walk.itemsize);
    union { float single; double real; } constants[MAX_INPUTS];
    for (int k = 0; k < count; k++) {
        if (!inputs[k]) {
            if (type == NPY_FLOAT)
                constants[k].single = (float)numbers[k];
            else
                constants[k].real = numbers[k];
            walk.data[k] = (char *)&constants[k];
            continue; /* strides of zero */
        }
        PyArrayObject *array = as_array(inputs[k]);
        int missing = ndim - PyArray_NDIM(array);
        walk.data[k] = PyArray_BYTES(array);
        for (int d = missing; d < ndim; d++)
            walk.strides[k][d] = PyArray_DIM(array, d - missing) == 1 ? 0 :
                                 PyArray_STRIDE(array, d - missing);
    }
    for (int d = 0; d < ndim; d++)
        order[d] = ndim - 1 - d;
    sort_dimensions(&walk, ndim, order);
    npy_intp total = 1;
    for (int d = 0; d < ndim; d++) {
        strides[order[d]] = total * (npy_intp)walk.itemsize[count];
        total *= shape[order[d]];
    }
    prepare_allocator(ndim, shape);
    PyArray_Descr *descr = PyArray_DescrFromType(map->boolean ? NPY_BOOL : type);
    /* In order it is an ordinary new array; given strides, NumPy would compute its flags again. */
    bool in_order = true;
    for (int d = 0; d < ndim; d++)
        in_order = in_order && order[d] == ndim - 1 - d;
    PyObject *output;
    if (in_order) {
        output = PyArray_NewFromDescr(&PyArray_Type, descr, ndim, shape, NULL, NULL, 0, NULL);
    } else {
        npy_intp sorted[MAX_NDIM];
        for (int d = 0; d < ndim; d++)
            sorted[d] = shape[order[ndim - 1 - d]];
        output = PyArray_NewFromDescr(&PyArray_Type, descr, ndim, sorted, NULL, NULL, 0, NULL);
        if (!output)
            return NULL;
        /* The result owns its memory, as NumPy's would: its strides are what is changed. */
        for (int d = 0; d < ndim; d++) {
            PyArray_DIMS(as_array(output))[d] = shape[d];
            PyArray_STRIDES(as_array(output))[d] = strides[d];
        }
        PyArray_UpdateFlags(as_array(output), NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS);
    }
    if (!output || total == 0)
        return output;
    walk.data[count] = PyArray_BYTES(as_array(output));
    npy_intp unsorted[MAX_INPUTS + 1][MAX_NDIM];
    memcpy(unsorted, walk.strides, sizeof unsorted);
    for (int d = 0; d < ndim; d++) {
        walk.shape[d] = shape[order[d]];
        for (int k = 0; k < count; k++)
            walk.strides[k][d] = unsorted[k][order[d]];
        walk.strides[count][d] = strides[order[d]];
    }
    if (ndim == 0) {
        walk.shape[0] = 1;
        ndim = 1;
    }
    walk.ndim = ndim;
    coalesce(&walk);
    walk.piece = piece_of(map);
    walk.pieces = (walk.shape[0] + walk.piece - 1) / walk.piece;
    npy_intp units = walk.pieces, per_unit = walk.shape[0] < walk.piece ? walk.shape[0] : walk.piece;
    for (int d = 1; d < walk.ndim; d++)
        units *= walk.shape[d];
    npy_intp grain = walk.piece / per_unit;
    BEGIN_LONG(total * map->cost)
    if (total * map->cost < WORTH_THREADS)
        rows(&walk, 0, units);
    else
        parallel(units, grain < 1 ? 1 : grain, rows, &walk);
    END_LONG
    return output;
}

/* The first of *inputs* that is no mask decides the type. */
PyObject *map_arrays(const Map *map, int count, PyObject *const *inputs, const double *p)
{
    PyObject *arrays[MAX_INPUTS], *first = NULL;
    double numbers[MAX_INPUTS];
    char *data[MAX_INPUTS];
    int type = -1;
    bool plain = true;
    for (int k = 0; k < count && type < 0; k++)
        if (!is_mask(map, k))
            type = float_type(inputs[k]);
    if (UNLIKELY(type < 0))
        return DECLINED;
    for (int k = 0; k < count; k++) {
        if (is_array(inputs[k], is_mask(map, k) ? NPY_BOOL : type)) {
            arrays[k] = inputs[k];
            data[k] = PyArray_BYTES(as_array(inputs[k]));
            plain = plain && PyArray_IS_C_CONTIGUOUS(as_array(inputs[k])) &&
                    (!first || same_shape(first, inputs[k]));
            first = inputs[k];
        } else if (!is_mask(map, k) && as_double(inputs[k], &numbers[k])) {
            arrays[k] = NULL;
            plain = false;
        } else {
            return DECLINED;
        }
    }
    if (!plain)
        return map_strided(map, count, arrays, type, numbers, p);
    PyObject *output = new_like(first, map->boolean ? NPY_BOOL : type);
    if (!output)
        return NULL;
    npy_intp size = PyArray_SIZE(as_array(first));
    Flat flat = {
        .loop = type == NPY_FLOAT ? map->single : map->real, .p = p, .inputs = count,
        .data = data, .output = PyArray_BYTES(as_array(output)),
    };
    set_itemsizes(map, count, type, flat.itemsize);
    BEGIN_LONG(size * map->cost)
    if (size * map->cost < WORTH_THREADS)
        flat_part(&flat, 0, size);
    else
        parallel(size, piece_of(map), flat_part, &flat);
    END_LONG
    return output;
}
