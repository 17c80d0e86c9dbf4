/* Convolutions with windows of three by three by four ninths of the products.
 *
 * Four neighbouring results come from four by four elements. Both sides are transformed, by sums and
 * differences, such that 16 products do instead of 36; and all 16 are products of matrices, over the
 * channels. A gradient of the weight is the transpose of that map.
 *
 * The differences let what is not finite spread to neighbours that do not see it, and large numbers
 * overflow early. So results are looked at: if one is not finite, the caller computes again, plainly.
 *
 * Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016: F(2x2, 3x3).
 */
#include "convolution.h"

#include "blas.h"
#include "typed.h"

#include <stdatomic.h>

/* Vectors of an array stay in registers only where its loops are gone. */
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 4")
#endif

#define TOGETHER 128 /* tiles whose products are one product of matrices, about */
#define SHARES 16    /* of the tiles, at most, for the gradient of a weight */

typedef struct {
    Geometry geometry;
    npy_intp down, across; /* tiles of a plane */
    npy_intp rows, block;  /* rows of tiles: of all samples, of a part */
    npy_intp share;        /* parts of a share */
    const float *x, *bias, *grad;
    float *weight, *out; /* transformed: 16 matrices (out, in); of a share each, for weigh */
    atomic_bool no_memory, not_finite;
} Job;

bool winograd_takes(const Geometry *g)
{
    return g->kernel_y == 3 && g->kernel_x == 3 && g->stride_y == 1 && g->stride_x == 1 &&
           g->dilation_y == 1 && g->dilation_x == 1 && g->groups == 1 && g->in >= 16 && g->out >= 16 &&
           g->out_x >= 4 && g->samples * g->out_y * g->out_x >= 256 &&
           blas_takes(64 * g->in * g->out * TOGETHER);
}

static Job job_of(const Geometry *g)
{
    Job job = {.geometry = *g, .down = (g->out_y + 1) / 2, .across = (g->out_x + 1) / 2};
    job.rows = g->samples * job.down;
    job.block = TOGETHER / job.across;
    job.block = job.block < 1 ? 1 : job.block > job.rows ? job.rows : job.block;
    return job;
}

/* A buffer's row of tiles may be written up to a vector beyond its end: what comes there is written
 * later, or is slack. So a matrix of the 16 has some behind it. */
static npy_intp stride_of(npy_intp channels, npy_intp tiles) { return channels * tiles + SLACK; }

/* ---- transforms -------------------------------------------------------------------------------- */

/* Some pairs of elements of a padded row, of which some lie outside. */
static inline void split_edge(const Geometry *g, const float *row, npy_intp first, npy_intp last,
                              float *even, float *odd)
{
    for (npy_intp i = first; i < last; i++) {
        npy_intp at = 2 * i - g->pad_x;
        even[i] = at >= 0 && at < g->width ? row[2 * i] : 0;
        odd[i] = at >= -1 && at + 1 < g->width ? row[2 * i + 1] : 0;
    }
}

/* Write the even and the odd elements of a padded row of the input. */
static void split_row(const Geometry *g, const float *plane, npy_intp y, npy_intp across, float *even,
                      float *odd)
{
    npy_intp count = across + 1;
    if (y < 0 || y >= g->height) {
        memset(even, 0, sizeof(float) * (size_t)count);
        memset(odd, 0, sizeof(float) * (size_t)count);
        return;
    }
    const float *row = plane + y * g->width - g->pad_x; /* element i of the padded row, if it is inside */
    npy_intp first = (g->pad_x + 1) / 2, last = (g->width + g->pad_x) / 2; /* pairs inside */
    last = last > count ? count : last;
    first = first > last ? last : first;
    for (npy_intp i = first; i < last; i++) {
        even[i] = row[2 * i];
        odd[i] = row[2 * i + 1];
    }
    split_edge(g, row, 0, first, even, odd);
    split_edge(g, row, last, count, even, odd);
}

/* Transform the input of the rows of tiles *first* to *last* into 16 matrices (in, tiles). */
static void transform_input(const Job *job, npy_intp first, npy_intp last, float *buffer, float *to)
{
    const Geometry *g = &job->geometry;
    npy_intp across = job->across, tiles = (last - first) * across, stride = stride_of(g->in, tiles);
    npy_intp length = across + SLACK;
    float *even[4], *odd[4];
    UNROLLED
    for (int r = 0; r < 4; r++)
        even[r] = buffer + 2 * r * length, odd[r] = even[r] + length;
    for (npy_intp c = 0; c < g->in; c++)
        for (npy_intp row = first; row < last; row++) {
            npy_intp sample = row / job->down, place = row % job->down, y = 2 * place - g->pad_y;
            const float *plane = job->x + (sample * g->in + c) * g->height * g->width;
            int known = row > first && place > 0 ? 2 : 0; /* rows that the tiles above had, too */
            for (int r = 0; r < known; r++) {
                float *swap = even[r];
                even[r] = even[r + 2], even[r + 2] = swap;
                swap = odd[r];
                odd[r] = odd[r + 2], odd[r + 2] = swap;
            }
            for (int r = known; r < 4; r++)
                split_row(g, plane, y + r, across, even[r], odd[r]);
            float *target = to + c * tiles + (row - first) * across;
            for (npy_intp i = 0; i < across; i += LANES) {
                V e[4], o[4], n[4], p[4]; /* even, odd, and those of the next tile */
                UNROLLED
                for (int r = 0; r < 4; r++) {
                    LOAD(e[r], even[r] + i), LOAD(o[r], odd[r] + i);
                    LOAD(n[r], even[r] + i + 1), LOAD(p[r], odd[r] + i + 1);
                }
                V columns[4][4] = {
                    {e[0] - n[0], e[1] - n[1], e[2] - n[2], e[3] - n[3]},
                    {o[0] + n[0], o[1] + n[1], o[2] + n[2], o[3] + n[3]},
                    {n[0] - o[0], n[1] - o[1], n[2] - o[2], n[3] - o[3]},
                    {o[0] - p[0], o[1] - p[1], o[2] - p[2], o[3] - p[3]},
                };
                UNROLLED
                for (int k = 0; k < 4; k++) {
                    V *d = columns[k];
                    V found[4] = {d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]};
                    UNROLLED
                    for (int r = 0; r < 4; r++)
                        STORE(target + (4 * r + k) * stride + i, found[r]);
                }
            }
        }
}

/* Transform the products of the rows of tiles back; returns zero, or NaN where one is not finite. */
static float transform_output(const Job *job, npy_intp first, npy_intp last, float *buffer,
                              const float *from)
{
    const Geometry *g = &job->geometry;
    npy_intp across = job->across, tiles = (last - first) * across, stride = stride_of(g->out, tiles);
    npy_intp length = across + SLACK;
    V spoilt = {0};
    for (npy_intp c = 0; c < g->out; c++)
        for (npy_intp row = first; row < last; row++) {
            const float *source = from + c * tiles + (row - first) * across;
            float shift = job->bias ? job->bias[c] : 0;
            for (npy_intp i = 0; i < across; i += LANES) {
                V upper[4], lower[4];
                UNROLLED
                for (int k = 0; k < 4; k++) {
                    V m[4];
                    UNROLLED
                    for (int r = 0; r < 4; r++)
                        LOAD(m[r], source + (4 * r + k) * stride + i);
                    upper[k] = m[0] + m[1] + m[2];
                    lower[k] = m[1] - m[2] - m[3];
                }
                V found[4] = {
                    upper[0] + upper[1] + upper[2] + shift, upper[1] - upper[2] - upper[3] + shift,
                    lower[0] + lower[1] + lower[2] + shift, lower[1] - lower[2] - lower[3] + shift,
                };
                UNROLLED
                for (int k = 0; k < 4; k++)
                    STORE(buffer + k * length + i, found[k]);
            }
            npy_intp sample = row / job->down, y = 2 * (row % job->down);
            float *out = job->out + ((sample * g->out + c) * g->out_y + y) * g->out_x;
            for (int r = 0; r < 2 && y + r < g->out_y; r++, out += g->out_x) {
                const float *restrict even = buffer + 2 * r * length, *restrict odd = even + length;
                for (npy_intp i = 0; i < g->out_x / 2; i++) {
                    out[2 * i] = even[i];
                    out[2 * i + 1] = odd[i];
                }
                if (g->out_x % 2)
                    out[g->out_x - 1] = even[across - 1];
                npy_intp i = 0;
                for (; i + LANES <= g->out_x; i += LANES) {
                    V v;
                    LOAD(v, out + i);
                    spoilt += v * 0.0f;
                }
                for (; i < g->out_x; i++)
                    spoilt[0] += out[i] * 0.0f;
            }
        }
    float sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += spoilt[i];
    return sum;
}

/* Transform gradients of the rows of tiles, of which what lies outside counts as zero. */
static void transform_grad(const Job *job, npy_intp first, npy_intp last, float *buffer, float *to)
{
    const Geometry *g = &job->geometry;
    npy_intp across = job->across, tiles = (last - first) * across, stride = stride_of(g->out, tiles);
    npy_intp length = across + SLACK;
    for (npy_intp c = 0; c < g->out; c++)
        for (npy_intp row = first; row < last; row++) {
            npy_intp sample = row / job->down, y = 2 * (row % job->down);
            const float *grad = job->grad + ((sample * g->out + c) * g->out_y + y) * g->out_x;
            UNROLLED
            for (int r = 0; r < 2; r++) {
                float *restrict even = buffer + 2 * r * length, *restrict odd = even + length;
                if (y + r >= g->out_y) {
                    memset(even, 0, sizeof(float) * (size_t)across);
                    memset(odd, 0, sizeof(float) * (size_t)across);
                    continue;
                }
                for (npy_intp i = 0; i < g->out_x / 2; i++) {
                    even[i] = grad[r * g->out_x + 2 * i];
                    odd[i] = grad[r * g->out_x + 2 * i + 1];
                }
                if (g->out_x % 2)
                    even[across - 1] = grad[(r + 1) * g->out_x - 1], odd[across - 1] = 0;
            }
            float *target = to + c * tiles + (row - first) * across;
            for (npy_intp i = 0; i < across; i += LANES) {
                V y[2][2];
                UNROLLED
                for (int r = 0; r < 2; r++) {
                    LOAD(y[r][0], buffer + 2 * r * length + i);
                    LOAD(y[r][1], buffer + (2 * r + 1) * length + i);
                }
                V rows[4][2] = {
                    {y[0][0], y[0][1]}, {y[0][0] + y[1][0], y[0][1] + y[1][1]},
                    {y[0][0] - y[1][0], y[0][1] - y[1][1]}, {-y[1][0], -y[1][1]},
                };
                UNROLLED
                for (int r = 0; r < 4; r++) {
                    V a = rows[r][0], b = rows[r][1];
                    V found[4] = {a, a + b, a - b, -b};
                    UNROLLED
                    for (int k = 0; k < 4; k++)
                        STORE(target + (4 * r + k) * stride + i, found[k]);
                }
            }
        }
}

/* Transform a weight (out, in, 3, 3) into 16 matrices (out, in). */
static void transform_weight(const float *from, npy_intp pairs, float *to)
{
    for (npy_intp i = 0; i < pairs; i++, from += 9) {
        float rows[4][3];
        for (int k = 0; k < 3; k++) {
            float sum = 0.5f * (from[k] + from[6 + k]), middle = 0.5f * from[3 + k];
            rows[0][k] = from[k], rows[1][k] = sum + middle;
            rows[2][k] = sum - middle, rows[3][k] = from[6 + k];
        }
        UNROLLED
        for (int r = 0; r < 4; r++) {
            float sum = 0.5f * (rows[r][0] + rows[r][2]), middle = 0.5f * rows[r][1];
            float found[4] = {rows[r][0], sum + middle, sum - middle, rows[r][2]};
            UNROLLED
            for (int k = 0; k < 4; k++)
                to[(4 * r + k) * pairs + i] = found[k];
        }
    }
}

/* The transpose: 16 matrices into the gradient of a weight. */
static void transform_back(const float *from, npy_intp pairs, float *to)
{
    for (npy_intp i = 0; i < pairs; i++, to += 9) {
        float rows[3][4];
        UNROLLED
        for (int k = 0; k < 4; k++) {
            float m[4];
            UNROLLED
            for (int r = 0; r < 4; r++)
                m[r] = from[(4 * r + k) * pairs + i];
            rows[0][k] = m[0] + 0.5f * (m[1] + m[2]);
            rows[1][k] = 0.5f * (m[1] - m[2]);
            rows[2][k] = 0.5f * (m[1] + m[2]) + m[3];
        }
        for (int r = 0; r < 3; r++) {
            const float *m = rows[r];
            to[3 * r] = m[0] + 0.5f * (m[1] + m[2]);
            to[3 * r + 1] = 0.5f * (m[1] - m[2]);
            to[3 * r + 2] = 0.5f * (m[1] + m[2]) + m[3];
        }
    }
}

/* ---- the maps ---------------------------------------------------------------------------------- */

/* Divide the memory of a thread: a few rows, and 16 matrices on either side. */
static bool divide(Job *job, npy_intp block, float **buffer, float **inside, float **outside)
{
    const Geometry *g = &job->geometry;
    npy_intp tiles = block * job->across;
    size_t rows = SPACE(float, 8 * (job->across + SLACK));
    size_t one = SPACE(float, 16 * stride_of(g->in, tiles));
    char *memory = scratch(rows + one + SPACE(float, 16 * stride_of(g->out, tiles)));
    if (!memory) {
        job->no_memory = true;
        return false;
    }
    *buffer = (float *)memory;
    *inside = (float *)(memory + rows);
    *outside = (float *)(memory + rows + one);
    /* What is read beyond the rows is never used, but it has to be some number. */
    memset(memory, 0, rows);
    return true;
}

static void correlate_part(void *data, npy_intp begin, npy_intp end)
{
    Job *job = data;
    const Geometry *g = &job->geometry;
    float *buffer, *inside, *outside;
    if (!divide(job, end - begin, &buffer, &inside, &outside))
        return;
    npy_intp tiles = (end - begin) * job->across;
    transform_input(job, begin, end, buffer, inside);
    for (int k = 0; k < 16; k++)
        gemm_single(false, false, g->out, tiles, g->in, 1, job->weight + k * g->out * g->in, g->in,
                    inside + k * stride_of(g->in, tiles), tiles, 0,
                    outside + k * stride_of(g->out, tiles), tiles);
    if (transform_output(job, begin, end, buffer, outside) != 0)
        job->not_finite = true;
}

static void weigh_part(void *data, npy_intp begin, npy_intp end)
{
    Job *job = data;
    const Geometry *g = &job->geometry;
    npy_intp pairs = g->out * g->in;
    float *buffer, *inside, *outside;
    if (!divide(job, job->block, &buffer, &inside, &outside))
        return;
    for (npy_intp share = begin; share < end; share++) {
        float *out = job->weight + share * 16 * pairs, beta = 0;
        npy_intp first = share * job->share * job->block, stop = first + job->share * job->block;
        stop = stop < job->rows ? stop : job->rows;
        for (; first < stop; first += job->block, beta = 1) {
            npy_intp last = first + job->block < stop ? first + job->block : stop;
            npy_intp tiles = (last - first) * job->across;
            transform_input(job, first, last, buffer, inside);
            transform_grad(job, first, last, buffer, outside);
            for (int k = 0; k < 16; k++)
                gemm_single(false, true, g->out, g->in, tiles, 1, outside + k * stride_of(g->out, tiles),
                            tiles, inside + k * stride_of(g->in, tiles), tiles, beta, out + k * pairs,
                            g->in);
        }
    }
}

Outcome winograd_correlate(const Geometry *g, const float *x, const float *weight, const float *bias,
                           float *out)
{
    Job job = job_of(g);
    job.x = x, job.bias = bias, job.out = out;
    job.weight = PyMem_RawMalloc(sizeof(float) * 16 * (size_t)(g->out * g->in));
    if (!job.weight)
        return NO_MEMORY;
    transform_weight(weight, g->out * g->in, job.weight);
    parallel(job.rows, job.block, correlate_part, &job);
    PyMem_RawFree(job.weight);
    return job.no_memory ? NO_MEMORY : job.not_finite ? NOT_FINITE : DONE;
}

Outcome winograd_weigh(const Geometry *g, const float *grad, const float *x, float *out)
{
    Job job = job_of(g);
    job.x = x, job.grad = grad;
    npy_intp parts = (job.rows + job.block - 1) / job.block, pairs = g->out * g->in, size = 16 * pairs;
    job.share = (parts + SHARES - 1) / SHARES;
    npy_intp shares = (parts + job.share - 1) / job.share;
    job.weight = PyMem_RawMalloc(sizeof(float) * (size_t)(shares * size));
    if (!job.weight)
        return NO_MEMORY;
    parallel(shares, 1, weigh_part, &job);
    if (!job.no_memory) {
        for (npy_intp share = 1; share < shares; share++)
            for (npy_intp i = 0; i < size; i++)
                job.weight[i] += job.weight[share * size + i];
        transform_back(job.weight, pairs, out);
    }
    PyMem_RawFree(job.weight);
    float spoilt = 0;
    for (npy_intp i = 0; !job.no_memory && i < 9 * pairs; i++)
        spoilt += out[i] * 0.0f;
    return job.no_memory ? NO_MEMORY : spoilt != 0 ? NOT_FINITE : DONE;
}
