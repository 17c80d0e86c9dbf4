/* The loops of convolution.c for one type of numbers. */
#include "typed.h"

/* Copy a row, and up to a vector beyond it: what comes there is written later, or is slack. */
static inline void F(copy_row)(T *to, const T *from, npy_intp n)
{
    for (npy_intp i = 0; i < n; i += LANES)
        memcpy(to + i, from + i, sizeof(V));
}

/* Put the planes of one group, with zeros around them and behind them, into *to*. */
static void F(pad)(const Geometry *g, const T *from, T *to)
{
    npy_intp wide = g->wide, plane = g->high * wide;
    for (npy_intp c = 0; c < g->in; c++, to += plane, from += g->height * g->width) {
        memset(to, 0, sizeof(T) * (size_t)(g->pad_y * wide + g->pad_x));
        T *row = to + g->pad_y * wide + g->pad_x, *end = to + plane;
        for (npy_intp y = 0; y < g->height; y++, row += wide) {
            memcpy(row, from + y * g->width, sizeof(T) * (size_t)g->width);
            npy_intp rest = end - row - g->width, gap = wide - g->width;
            memset(row + g->width, 0, sizeof(T) * (size_t)(rest < gap ? rest : gap));
        }
        if (row < end)
            memset(row, 0, sizeof(T) * (size_t)(end - row));
    }
    memset(to, 0, sizeof(T) * SLACK);
}

/* Write the windows of rows *first* to *last* of the result as columns, from padded planes. */
static void F(columns)(const Geometry *g, const T *padded, T *to, npy_intp first, npy_intp last)
{
    npy_intp wide = g->wide, step = g->stride_y * wide;
    for (npy_intp c = 0; c < g->in; c++)
        for (npy_intp ky = 0; ky < g->kernel_y; ky++)
            for (npy_intp kx = 0; kx < g->kernel_x; kx++) {
                const T *row = padded + (c * g->high + ky * g->dilation_y) * wide +
                               kx * g->dilation_x + first * step;
                if (g->stride_x == 1) {
                    for (npy_intp y = first; y < last; y++, row += step, to += g->out_x)
                        F(copy_row)(to, row, g->out_x);
                } else {
                    for (npy_intp y = first; y < last; y++, row += step, to += g->out_x)
                        for (npy_intp x = 0; x < g->out_x; x++)
                            to[x] = row[x * g->stride_x];
                }
            }
}

/* Add columns back to where they came from. */
static void F(uncolumns)(const Geometry *g, const T *from, T *padded, npy_intp first, npy_intp last)
{
    npy_intp wide = g->wide, step = g->stride_y * wide;
    for (npy_intp c = 0; c < g->in; c++)
        for (npy_intp ky = 0; ky < g->kernel_y; ky++)
            for (npy_intp kx = 0; kx < g->kernel_x; kx++) {
                T *row = padded + (c * g->high + ky * g->dilation_y) * wide + kx * g->dilation_x +
                         first * step;
                for (npy_intp y = first; y < last; y++, row += step, from += g->out_x)
                    if (g->stride_x == 1)
                        for (npy_intp x = 0; x < g->out_x; x++)
                            row[x] += from[x];
                    else
                        for (npy_intp x = 0; x < g->out_x; x++)
                            row[x * g->stride_x] += from[x];
            }
}

/* ---- few products per element: no matrix ------------------------------------------------------- */

/* Store the first *n* of two vectors' numbers, fewer than there are. */
static inline void F(store_some)(T *to, V left, V right, npy_intp n)
{
    if (n >= LANES) {
        STORE(to, left);
        to += LANES, n -= LANES, left = right;
    }
    for (npy_intp i = 0; i < LANES; i++) /* of known length, so that the vector stays one */
        if (i < n)
            to[i] = left[i];
}

/* One row of the results of *CHANNELS* channels: sums over the places of the window. Rows are
 * computed by two vectors at a time; the last ones are stored in part. */
#define DIRECT(CHANNELS)                                                                           \
    for (npy_intp x = 0; x < g->out_x; x += 2 * LANES) {                                           \
        V sums[CHANNELS][2];                                                                       \
        for (int o = 0; o < CHANNELS; o++)                                                         \
            sums[o][0] = sums[o][1] = (V){0} + (bias ? bias[o] : 0);                               \
        for (npy_intp r = 0; r < taps; r++) {                                                      \
            V left, right;                                                                         \
            LOAD(left, row + offsets[r] + x);                                                      \
            LOAD(right, row + offsets[r] + x + LANES);                                             \
            for (int o = 0; o < CHANNELS; o++) {                                                   \
                sums[o][0] += left * weight[o * taps + r];                                         \
                sums[o][1] += right * weight[o * taps + r];                                        \
            }                                                                                      \
        }                                                                                          \
        npy_intp rest = g->out_x - x;                                                              \
        if (LIKELY(rest >= 2 * LANES)) {                                                           \
            for (int o = 0; o < CHANNELS; o++) {                                                   \
                STORE(out + o * cells + x, sums[o][0]);                                            \
                STORE(out + o * cells + x + LANES, sums[o][1]);                                    \
            }                                                                                      \
            continue;                                                                              \
        }                                                                                          \
        for (int o = 0; o < CHANNELS; o++)                                                         \
            F(store_some)(out + o * cells + x, sums[o][0], sums[o][1], rest);                      \
    }

static void F(direct_four)(const Geometry *g, const T *row, const npy_intp *offsets, npy_intp taps,
                           const T *weight, const T *bias, T *out, npy_intp cells)
{
    DIRECT(4)
}

static void F(direct_one)(const Geometry *g, const T *row, const npy_intp *offsets, npy_intp taps,
                          const T *weight, const T *bias, T *out, npy_intp cells)
{
    DIRECT(1)
}

static void F(direct)(const Geometry *g, const T *padded, const T *weight, const T *bias, T *out)
{
    npy_intp offsets[DIRECT_TAPS], taps = 0, cells = g->out_y * g->out_x;
    for (npy_intp c = 0; c < g->in; c++)
        for (npy_intp ky = 0; ky < g->kernel_y; ky++)
            for (npy_intp kx = 0; kx < g->kernel_x; kx++)
                offsets[taps++] = (c * g->high + ky * g->dilation_y) * g->wide + kx * g->dilation_x;
    npy_intp o = 0;
    for (; o + 4 <= g->out; o += 4)
        for (npy_intp y = 0; y < g->out_y; y++)
            F(direct_four)(g, padded + y * g->stride_y * g->wide, offsets, taps, weight + o * taps,
                           bias ? bias + o : NULL, out + o * cells + y * g->out_x, cells);
    for (; o < g->out; o++)
        for (npy_intp y = 0; y < g->out_y; y++)
            F(direct_one)(g, padded + y * g->stride_y * g->wide, offsets, taps, weight + o * taps,
                          bias ? bias + o : NULL, out + o * cells + y * g->out_x, cells);
}

/* ---- the three maps --------------------------------------------------------------------------- */

/* Divide the memory of a thread: padded planes of a group, and a block of their windows as columns.
 * A pointwise map needs neither. Returns false where there is no memory. */
static bool F(divide)(Job *job, T **padded, T **buffer)
{
    const Geometry *g = &job->geometry;
    *padded = *buffer = NULL;
    if (job->pointwise)
        return true;
    npy_intp windows = g->in * g->kernel_y * g->kernel_x * job->block * g->out_x;
    size_t first = SPACE(T, g->in * g->high * g->wide + SLACK);
    char *memory = scratch(first + SPACE(T, job->direct ? 0 : windows + SLACK));
    if (!memory) {
        job->failed = true;
        return false;
    }
    *padded = (T *)memory;
    *buffer = (T *)(memory + first);
    return true;
}

/* The sums of products of windows with the weight, for samples and groups *begin* to *end*. */
static void F(correlate_part)(void *data, npy_intp begin, npy_intp end)
{
    Job *job = data;
    const Geometry *g = &job->geometry;
    npy_intp rows = g->in * g->kernel_y * g->kernel_x, cells = g->out_y * g->out_x;
    npy_intp image = g->in * g->height * g->width, block = job->block;
    T *padded, *buffer;
    if (!F(divide)(job, &padded, &buffer))
        return;
    for (npy_intp unit = begin; unit < end; unit++) {
        npy_intp group = unit % g->groups;
        const T *x = (const T *)job->x + unit * image;
        const T *weight = (const T *)job->weight + group * g->out * rows;
        const T *bias = job->bias ? (const T *)job->bias + group * g->out : NULL;
        T *out = (T *)job->out + unit * g->out * cells;
        if (job->pointwise) {
            GEMM(false, false, g->out, cells, rows, 1, weight, rows, x, cells, 0, out, cells);
        } else {
            F(pad)(g, x, padded);
            if (job->direct) {
                F(direct)(g, padded, weight, bias, out);
                continue;
            }
            for (npy_intp y = 0; y < g->out_y; y += block) {
                npy_intp last = y + block < g->out_y ? y + block : g->out_y;
                npy_intp some = (last - y) * g->out_x;
                F(columns)(g, padded, buffer, y, last);
                GEMM(false, false, g->out, some, rows, 1, weight, rows, buffer, some, 0,
                     out + y * g->out_x, cells);
            }
        }
        for (npy_intp o = 0; bias && o < g->out; o++)
            for (npy_intp i = 0; i < cells; i++)
                out[o * cells + i] += bias[o];
    }
}

/* The transposed map: *x* is what the windows gave, *out* what they were taken from. */
static void F(spread_part)(void *data, npy_intp begin, npy_intp end)
{
    Job *job = data;
    const Geometry *g = &job->geometry;
    npy_intp rows = g->in * g->kernel_y * g->kernel_x, cells = g->out_y * g->out_x;
    npy_intp image = g->in * g->height * g->width, block = job->block;
    size_t planes = (size_t)(g->in * g->high * g->wide);
    size_t first = SPACE(T, job->pointwise ? 0 : planes);
    char *memory = job->pointwise ? NULL : scratch(first + SPACE(T, rows * block * g->out_x));
    if (!memory && !job->pointwise) {
        job->failed = true;
        return;
    }
    T *padded = (T *)memory, *buffer = (T *)(memory + first);
    for (npy_intp unit = begin; unit < end; unit++) {
        npy_intp group = unit % g->groups;
        const T *x = (const T *)job->x + unit * g->out * cells;
        const T *weight = (const T *)job->weight + group * g->out * rows;
        const T *bias = job->bias ? (const T *)job->bias + group * g->in : NULL;
        T *out = (T *)job->out + unit * image;
        if (job->pointwise) {
            GEMM(true, false, rows, cells, g->out, 1, weight, rows, x, cells, 0, out, cells);
        } else {
            memset(padded, 0, sizeof(T) * planes);
            for (npy_intp y = 0; y < g->out_y; y += block) {
                npy_intp last = y + block < g->out_y ? y + block : g->out_y;
                npy_intp some = (last - y) * g->out_x;
                GEMM(true, false, rows, some, g->out, 1, weight, rows, x + y * g->out_x, cells, 0,
                     buffer, some);
                F(uncolumns)(g, buffer, padded, y, last);
            }
            for (npy_intp c = 0; c < g->in; c++)
                for (npy_intp y = 0; y < g->height; y++)
                    memcpy(out + (c * g->height + y) * g->width,
                           padded + (c * g->high + y + g->pad_y) * g->wide + g->pad_x,
                           sizeof(T) * (size_t)g->width);
        }
        for (npy_intp c = 0; bias && c < g->in; c++)
            for (npy_intp i = 0; i < g->height * g->width; i++)
                out[c * g->height * g->width + i] += bias[c];
    }
}

/* The gradient of the weight, for shares *begin* to *end* of the samples; each into memory of its
 * own, which are added up afterwards, in order. */
static void F(weigh_part)(void *data, npy_intp begin, npy_intp end)
{
    Job *job = data;
    const Geometry *g = &job->geometry;
    npy_intp rows = g->in * g->kernel_y * g->kernel_x, cells = g->out_y * g->out_x;
    npy_intp image = g->in * g->height * g->width, block = job->block;
    T *padded, *buffer;
    if (!F(divide)(job, &padded, &buffer))
        return;
    for (npy_intp share = begin; share < end; share++)
        for (npy_intp group = 0; group < g->groups; group++) {
            T *out = (T *)job->out + (share * g->groups + group) * g->out * rows;
            npy_intp sample = share * job->share, stop = sample + job->share;
            T beta = 0;
            for (; sample < stop && sample < g->samples; sample++) {
                npy_intp unit = sample * g->groups + group;
                const T *x = (const T *)job->x + unit * image;
                const T *grad = (const T *)job->grad + unit * g->out * cells;
                if (job->pointwise) {
                    GEMM(false, true, g->out, rows, cells, 1, grad, cells, x, cells, beta, out, rows);
                    beta = 1;
                    continue;
                }
                F(pad)(g, x, padded);
                for (npy_intp y = 0; y < g->out_y; y += block, beta = 1) {
                    npy_intp last = y + block < g->out_y ? y + block : g->out_y;
                    npy_intp some = (last - y) * g->out_x;
                    F(columns)(g, padded, buffer, y, last);
                    GEMM(false, true, g->out, rows, some, 1, grad + y * g->out_x, cells, buffer,
                         some, beta, out, rows);
                }
            }
        }
}

static void F(sum_shares)(const T *shares, npy_intp count, npy_intp size, T *out)
{
    memcpy(out, shares, sizeof(T) * (size_t)size);
    for (npy_intp share = 1; share < count; share++)
        for (npy_intp i = 0; i < size; i++)
            out[i] += shares[share * size + i];
}

/* Exchange in and out within each group, and turn the kernel around. */
static void F(turn)(const Geometry *g, const T *from, T *to)
{
    npy_intp places = g->kernel_y * g->kernel_x;
    for (npy_intp group = 0; group < g->groups; group++)
        for (npy_intp i = 0; i < g->in; i++)
            for (npy_intp o = 0; o < g->out; o++)
                for (npy_intp k = 0; k < places; k++)
                    *to++ = from[((group * g->out + o) * g->in + i) * places + places - 1 - k];
}
