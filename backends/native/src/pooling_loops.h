/* The loops of pooling.c for one type of numbers; a unit is a plane. */
#include "typed.h"

static inline npy_intp F(upper)(npy_intp a, npy_intp b) { return a > b ? a : b; }
static inline npy_intp F(lower)(npy_intp a, npy_intp b) { return a < b ? a : b; }

/* Windows of two by two, side by side: the most frequent ones. NaN wins, and the last one.
 *
 * The maxima of a row, and where they are in two rows. A function of its own: only of parameters does a
 * compiler believe that they are apart. */
static inline void F(max_pairs_row)(const T *restrict first, const T *restrict second, T *restrict best,
                                    int32_t *restrict where, npy_intp n, int32_t down)
{
    for (npy_intp i = 0; i < n; i++) {
        T a = first[2 * i], b = first[2 * i + 1], c = second[2 * i], d = second[2 * i + 1];
        int32_t place = 0;
        int right = (b > a) | (b != b);
        a = right ? b : a;
        place = right ? 1 : place;
        int below = (c > a) | (c != c);
        a = below ? c : a;
        place = below ? down : place;
        int both = (d > a) | (d != d);
        a = both ? d : a;
        place = both ? down + 1 : place;
        best[i] = a;
        where[i] = 2 * (int32_t)i + place;
    }
}

#define SOME 16 /* windows at a time, the last ones among others that do not count: no loop is left over */

static void F(max_pairs)(const Pooling *p, const T *x, T *values, int64_t *places)
{
    T first[2 * SOME] = {0}, second[2 * SOME] = {0}, best[SOME];
    int32_t where[SOME];
    for (npy_intp y = 0; y < p->out_y; y++)
        for (npy_intp at = 0; at < p->out_x; at += SOME) {
            npy_intp n = F(lower)(p->out_x - at, SOME), start = 2 * y * p->width + 2 * at;
            memcpy(first, x + start, sizeof(T) * 2 * (size_t)n);
            memcpy(second, x + start + p->width, sizeof(T) * 2 * (size_t)n);
            F(max_pairs_row)(first, second, best, where, SOME, (int32_t)p->width);
            memcpy(values + y * p->out_x + at, best, sizeof(T) * (size_t)n);
            int64_t *to = places + y * p->out_x + at;
            for (npy_intp i = 0; i < n; i++)
                to[i] = start + where[i];
        }
}

static void F(max_windows)(const Pooling *p, const T *x, T *values, int64_t *places)
{
    for (npy_intp oy = 0; oy < p->out_y; oy++)
        for (npy_intp ox = 0; ox < p->out_x; ox++) {
            npy_intp top = oy * p->stride_y - p->pad_y, left = ox * p->stride_x - p->pad_x;
            npy_intp ky = 0, kx = 0;
            while (top + ky * p->dilation_y < 0)
                ky++;
            while (left + kx * p->dilation_x < 0)
                kx++;
            npy_intp place = (top + ky * p->dilation_y) * p->width + left + kx * p->dilation_x;
            T best = x[place];
            for (; ky < p->kernel_y && top + ky * p->dilation_y < p->height; ky++)
                for (npy_intp k = kx; k < p->kernel_x && left + k * p->dilation_x < p->width; k++) {
                    npy_intp at = (top + ky * p->dilation_y) * p->width + left + k * p->dilation_x;
                    if (x[at] > best || x[at] != x[at]) {
                        best = x[at];
                        place = at;
                    }
                }
            *values++ = best;
            *places++ = place;
        }
}

static void F(max_part)(void *data, npy_intp begin, npy_intp end)
{
    Pooling *p = data;
    npy_intp in = p->height * p->width, out = p->out_y * p->out_x;
    for (npy_intp i = begin; i < end; i++)
        (p->pairs ? F(max_pairs) : F(max_windows))(p, (const T *)p->x + i * in, (T *)p->out + i * out,
                                                   p->places + i * out);
}

static void F(scatter_part)(void *data, npy_intp begin, npy_intp end)
{
    Pooling *p = data;
    npy_intp cells = p->height * p->width, count = p->out_y * p->out_x;
    for (npy_intp i = begin; i < end; i++) {
        T *out = (T *)p->out + i * cells;
        const T *x = (const T *)p->x + i * count;
        const int64_t *places = p->places + i * count;
        memset(out, 0, sizeof(T) * (size_t)cells);
        for (npy_intp k = 0; k < count; k++) {
            if (UNLIKELY((uint64_t)places[k] >= (uint64_t)cells)) {
                p->failed = true;
                return;
            }
            out[places[k]] = p->apart ? x[k] : out[places[k]] + x[k];
        }
    }
}

static void F(gather_part)(void *data, npy_intp begin, npy_intp end)
{
    Pooling *p = data;
    npy_intp cells = p->height * p->width, count = p->out_y * p->out_x;
    for (npy_intp i = begin; i < end; i++)
        for (npy_intp k = 0; k < count; k++) {
            int64_t place = p->places[i * count + k];
            if (UNLIKELY((uint64_t)place >= (uint64_t)cells)) {
                p->failed = true;
                return;
            }
            ((T *)p->out)[i * count + k] = ((const T *)p->x)[i * cells + place];
        }
}

/* ---- means ------------------------------------------------------------------------------------ */

/* By what the sum of a window along one dimension is divided, and where the window lies. */
static inline npy_intp F(extent)(npy_intp start, npy_intp kernel, npy_intp size, npy_intp pad,
                                 bool include)
{
    npy_intp end = F(lower)(start + kernel, size + pad);
    return include ? end - start : F(lower)(end, size) - F(upper)(start, 0);
}

static inline T F(divisor)(const Pooling *p, npy_intp y, npy_intp x)
{
    if (p->divisor)
        return (T)p->divisor;
    return (T)(F(extent)(y * p->stride_y - p->pad_y, p->kernel_y, p->height, p->pad_y, p->include) *
               F(extent)(x * p->stride_x - p->pad_x, p->kernel_x, p->width, p->pad_x, p->include));
}

/* Of the windows of a row, those whose element *k* lies inside: from *first* up to *last*. */
static inline void F(inside)(const Pooling *p, npy_intp k, npy_intp *first, npy_intp *last)
{
    npy_intp start = k - p->pad_x; /* where it is for the first window */
    *first = start < 0 ? (-start + p->stride_x - 1) / p->stride_x : 0;
    *last = start >= p->width ? 0 : F(lower)(p->out_x, (p->width - 1 - start) / p->stride_x + 1);
}

static void F(mean_part)(void *data, npy_intp begin, npy_intp end)
{
    Pooling *p = data;
    for (npy_intp i = begin; i < end; i++)
        for (npy_intp y = 0; y < p->out_y; y++) {
            T *restrict out = (T *)p->out + (i * p->out_y + y) * p->out_x;
            memset(out, 0, sizeof(T) * (size_t)p->out_x);
            for (npy_intp ky = 0; ky < p->kernel_y; ky++) {
                npy_intp row = y * p->stride_y - p->pad_y + ky;
                if (row < 0 || row >= p->height)
                    continue;
                const T *x = (const T *)p->x + (i * p->height + row) * p->width;
                for (npy_intp kx = 0; kx < p->kernel_x; kx++) {
                    npy_intp first, last;
                    F(inside)(p, kx, &first, &last);
                    for (npy_intp o = first; o < last; o++)
                        out[o] += x[o * p->stride_x - p->pad_x + kx];
                }
            }
            for (npy_intp o = 0; o < p->out_x; o++)
                out[o] /= F(divisor)(p, y, o);
        }
}

static void F(spread_part)(void *data, npy_intp begin, npy_intp end)
{
    Pooling *p = data;
    for (npy_intp i = begin; i < end; i++) {
        T *plane = (T *)p->out + i * p->height * p->width;
        memset(plane, 0, sizeof(T) * (size_t)(p->height * p->width));
        for (npy_intp y = 0; y < p->out_y; y++) {
            const T *grad = (const T *)p->x + (i * p->out_y + y) * p->out_x;
            for (npy_intp ky = 0; ky < p->kernel_y; ky++) {
                npy_intp row = y * p->stride_y - p->pad_y + ky;
                if (row < 0 || row >= p->height)
                    continue;
                for (npy_intp kx = 0; kx < p->kernel_x; kx++) {
                    npy_intp first, last;
                    F(inside)(p, kx, &first, &last);
                    T *out = plane + row * p->width - p->pad_x + kx;
                    for (npy_intp o = first; o < last; o++)
                        out[o * p->stride_x] += grad[o] / F(divisor)(p, y, o);
                }
            }
        }
    }
}
#undef SOME
