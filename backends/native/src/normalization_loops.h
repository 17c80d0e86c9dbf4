/* The loops of normalization.c for one type of numbers.
 *
 * Sums are taken in vectors over a few hundred elements and in double precision beyond: as precise as
 * pairwise sums, and always in the same order.
 */
#include "typed.h"

#define RUN 512    /* elements that are summed in the type itself */
#define COLUMNS 64 /* channels side by side that are met at a time */

/* Halves are added up until few are left: one after the other, each would wait for the one before. */
static inline double F(lanes)(V v)
{
    typedef T Half __attribute__((vector_size(16)));
    enum { halves = VECTOR_BYTES / 16 };
    Half half[halves];
    memcpy(half, &v, sizeof v);
    for (int width = halves / 2; width; width /= 2)
        for (int i = 0; i < width; i++)
            half[i] += half[i + width];
    double sum = 0;
    for (size_t i = 0; i < 16 / sizeof(T); i++)
        sum += half[0][i];
    return sum;
}

/* The sums over *n* elements of two expressions of vectors a and b, loaded from *x* and *g*. */
#define SUMS(first, second, scalar_first, scalar_second)                                           \
    double one = 0, two = 0;                                                                       \
    for (npy_intp at = 0; at < n; at += RUN) {                                                     \
        npy_intp end = n - at < RUN ? n : at + RUN, i = at;                                        \
        V p = {0}, q = {0}, r = {0}, s = {0}, a, b;                                                \
        for (; i + 2 * LANES <= end; i += 2 * LANES) {                                             \
            LOAD(a, x + i), LOAD(b, g + i);                                                        \
            p += first, q += second;                                                               \
            LOAD(a, x + i + LANES), LOAD(b, g + i + LANES);                                        \
            r += first, s += second;                                                               \
        }                                                                                          \
        one += F(lanes)(p + r), two += F(lanes)(q + s);                                            \
        for (; i < end; i++) {                                                                     \
            T a = x[i], b = g[i];                                                                  \
            one += scalar_first, two += scalar_second;                                             \
            (void)a, (void)b;                                                                      \
        }                                                                                          \
        (void)a, (void)b;                                                                          \
    }

static double F(total)(const T *x, npy_intp n)
{
    const T *g = x;
    SUMS(a, (V){0}, a, 0)
    (void)two;
    return one;
}

static double F(squares)(const T *x, npy_intp n, T mean)
{
    const T *g = x;
    SUMS((a - mean) * (a - mean), (V){0}, (a - mean) * (a - mean), 0)
    (void)two;
    return one;
}

/* The sums of *g* and of g times what *x* differs from the mean by. */
static void F(pulls)(const T *x, const T *g, npy_intp n, T mean, double *total, double *product)
{
    SUMS(b, b * (a - mean), b, b * (a - mean))
    *total += one;
    *product += two;
}

static inline T F(reciprocal_root)(double variance, double eps)
{
    return (T)1 / (T)sqrt((double)(T)((T)variance + (T)eps));
}

/* ---- over a batch: a unit is a channel -------------------------------------------------------- */

static inline void F(affine)(const T *restrict x, T *restrict out, npy_intp n, T mean, T scale, T shift)
{
    for (npy_intp i = 0; i < n; i++)
        out[i] = (x[i] - mean) * scale + shift;
}

/* The same for channels that have one element per sample, and lie side by side. */
static void F(batch_columns)(const Batch *b, npy_intp begin, npy_intp end)
{
    npy_intp step = b->channels, some = end - begin;
    const T *x = (const T *)b->x + begin;
    T *out = (T *)b->out + begin, mean[COLUMNS], variance[COLUMNS], scale[COLUMNS], shift[COLUMNS];
    double sums[COLUMNS] = {0}, squares[COLUMNS] = {0};
    if (b->training) {
        for (npy_intp n = 0; n < b->samples; n++)
            for (npy_intp c = 0; c < some; c++)
                sums[c] += x[n * step + c];
        for (npy_intp c = 0; c < some; c++)
            mean[c] = (T)(sums[c] / (double)b->samples);
        for (npy_intp n = 0; n < b->samples; n++)
            for (npy_intp c = 0; c < some; c++) {
                T centred = x[n * step + c] - mean[c];
                squares[c] += centred * centred;
            }
    }
    for (npy_intp c = 0; c < some; c++) {
        if (b->training) {
            variance[c] = (T)(squares[c] / (double)b->samples);
        } else {
            mean[c] = ((const T *)b->running_mean)[begin + c];
            variance[c] = ((const T *)b->running_var)[begin + c];
        }
        T rstd = F(reciprocal_root)(variance[c], b->eps);
        scale[c] = b->weight ? rstd * ((const T *)b->weight)[begin + c] : rstd;
        shift[c] = b->bias ? ((const T *)b->bias)[begin + c] : 0;
        if (b->training) {
            ((T *)b->mean)[begin + c] = mean[c];
            ((T *)b->rstd)[begin + c] = rstd;
            ((T *)b->variance)[begin + c] = variance[c];
        }
    }
    for (npy_intp n = 0; n < b->samples; n++)
        for (npy_intp c = 0; c < some; c++)
            out[n * step + c] = (x[n * step + c] - mean[c]) * scale[c] + shift[c];
}

static void F(batch_part)(void *data, npy_intp begin, npy_intp end)
{
    Batch *b = data;
    if (b->inner == 1) {
        for (; begin < end; begin += COLUMNS)
            F(batch_columns)(b, begin, begin + COLUMNS < end ? begin + COLUMNS : end);
        return;
    }
    npy_intp step = b->channels * b->inner;
    double count = (double)(b->samples * b->inner);
    for (npy_intp c = begin; c < end; c++) {
        const T *x = (const T *)b->x + c * b->inner;
        T *out = (T *)b->out + c * b->inner, mean, variance;
        if (b->training) {
            double sum = 0, square = 0;
            for (npy_intp n = 0; n < b->samples; n++)
                sum += F(total)(x + n * step, b->inner);
            mean = (T)(sum / count);
            for (npy_intp n = 0; n < b->samples; n++)
                square += F(squares)(x + n * step, b->inner, mean);
            variance = (T)(square / count);
        } else {
            mean = ((const T *)b->running_mean)[c];
            variance = ((const T *)b->running_var)[c];
        }
        T rstd = F(reciprocal_root)(variance, b->eps);
        T scale = b->weight ? rstd * ((const T *)b->weight)[c] : rstd;
        T shift = b->bias ? ((const T *)b->bias)[c] : 0;
        for (npy_intp n = 0; n < b->samples; n++)
            F(affine)(x + n * step, out + n * step, b->inner, mean, scale, shift);
        if (b->training) {
            ((T *)b->mean)[c] = mean;
            ((T *)b->rstd)[c] = rstd;
            ((T *)b->variance)[c] = variance;
        }
    }
}

static void F(batch_columns_backward)(const Batch *b, npy_intp begin, npy_intp end)
{
    npy_intp step = b->channels, some = end - begin;
    const T *x = (const T *)b->x + begin, *g = (const T *)b->grad + begin;
    T *out = (T *)b->out + begin, mean[COLUMNS], rstd[COLUMNS];
    T scale[COLUMNS], slope[COLUMNS], shift[COLUMNS];
    double totals[COLUMNS] = {0}, products[COLUMNS] = {0}, count = (double)b->samples;
    for (npy_intp c = 0; c < some; c++) {
        mean[c] = ((const T *)(b->training ? b->mean : b->running_mean))[begin + c];
        rstd[c] = b->training ? ((const T *)b->rstd)[begin + c]
                              : F(reciprocal_root)(((const T *)b->running_var)[begin + c], b->eps);
    }
    for (npy_intp n = 0; n < b->samples; n++)
        for (npy_intp c = 0; c < some; c++) {
            totals[c] += g[n * step + c];
            products[c] += g[n * step + c] * (x[n * step + c] - mean[c]);
        }
    for (npy_intp c = 0; c < some; c++) {
        double product = products[c] * rstd[c];
        scale[c] = b->weight ? rstd[c] * ((const T *)b->weight)[begin + c] : rstd[c];
        slope[c] = b->training ? (T)(scale[c] * rstd[c] * (product / count)) : 0;
        shift[c] = b->training ? (T)(scale[c] * (totals[c] / count)) : 0;
        ((T *)b->by_weight)[begin + c] = (T)product;
        ((T *)b->by_bias)[begin + c] = (T)totals[c];
    }
    for (npy_intp n = 0; n < b->samples; n++)
        for (npy_intp c = 0; c < some; c++) {
            npy_intp i = n * step + c;
            T pulled = b->training ? (x[i] - mean[c]) * slope[c] + shift[c] : 0;
            out[i] = g[i] * scale[c] - pulled;
        }
}

static void F(batch_backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Batch *b = data;
    if (b->inner == 1) {
        for (; begin < end; begin += COLUMNS)
            F(batch_columns_backward)(b, begin, begin + COLUMNS < end ? begin + COLUMNS : end);
        return;
    }
    npy_intp step = b->channels * b->inner;
    double count = (double)(b->samples * b->inner);
    for (npy_intp c = begin; c < end; c++) {
        const T *x = (const T *)b->x + c * b->inner, *g = (const T *)b->grad + c * b->inner;
        T *out = (T *)b->out + c * b->inner;
        T mean, rstd;
        if (b->training) {
            mean = ((const T *)b->mean)[c];
            rstd = ((const T *)b->rstd)[c];
        } else {
            mean = ((const T *)b->running_mean)[c];
            rstd = F(reciprocal_root)(((const T *)b->running_var)[c], b->eps);
        }
        double total = 0, product = 0;
        for (npy_intp n = 0; n < b->samples; n++)
            F(pulls)(x + n * step, g + n * step, b->inner, mean, &total, &product);
        product *= rstd;
        T scale = b->weight ? rstd * ((const T *)b->weight)[c] : rstd;
        T slope = b->training ? (T)(scale * rstd * (product / count)) : 0;
        T shift = b->training ? (T)(scale * (total / count)) : 0;
        for (npy_intp n = 0; n < b->samples; n++) {
            const T *restrict from = x + n * step, *restrict with = g + n * step;
            T *restrict to = out + n * step;
            if (b->training)
                for (npy_intp i = 0; i < b->inner; i++)
                    to[i] = with[i] * scale - (from[i] - mean) * slope - shift;
            else
                for (npy_intp i = 0; i < b->inner; i++)
                    to[i] = with[i] * scale;
        }
        ((T *)b->by_weight)[c] = (T)product;
        ((T *)b->by_bias)[c] = (T)total;
    }
}

/* ---- over rows: a unit is a row, or a few ------------------------------------------------------ */

static void F(rows_part)(void *data, npy_intp begin, npy_intp end)
{
    Rows *r = data;
    npy_intp size = r->size;
    const T *restrict weight = r->weight, *restrict bias = r->bias;
    for (npy_intp row = begin; row < end; row++) {
        const T *restrict x = (const T *)r->x + row * size;
        T *restrict out = (T *)r->out + row * size;
        T mean = (T)(F(total)(x, size) / (double)size);
        T rstd = F(reciprocal_root)(F(squares)(x, size, mean) / (double)size, r->eps);
        ((T *)r->mean)[row] = mean;
        ((T *)r->rstd)[row] = rstd;
        if (r->channels) { /* weight and bias per channel, of *inner* elements each */
            npy_intp first = row % r->groups * r->channels;
            for (npy_intp c = 0; c < r->channels; c++)
                F(affine)(x + c * r->inner, out + c * r->inner, r->inner, mean,
                          weight ? rstd * weight[first + c] : rstd, bias ? bias[first + c] : 0);
        } else if (weight && bias) {
            for (npy_intp i = 0; i < size; i++)
                out[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
        } else if (weight) {
            for (npy_intp i = 0; i < size; i++)
                out[i] = (x[i] - mean) * rstd * weight[i];
        } else {
            for (npy_intp i = 0; i < size; i++)
                out[i] = (x[i] - mean) * rstd + (bias ? bias[i] : 0);
        }
    }
}

/* Rows that are divided by the root of their mean square. */
static void F(root_mean_square_part)(void *data, npy_intp begin, npy_intp end)
{
    Rows *r = data;
    npy_intp size = r->size;
    const T *restrict weight = r->weight;
    for (npy_intp row = begin; row < end; row++) {
        const T *restrict x = (const T *)r->x + row * size;
        T *restrict out = (T *)r->out + row * size;
        T scale = F(reciprocal_root)(F(squares)(x, size, 0) / (double)size, r->eps);
        if (r->rstd)
            ((T *)r->rstd)[row] = scale;
        for (npy_intp i = 0; i < size; i++)
            out[i] = weight ? x[i] * scale * weight[i] : x[i] * scale;
    }
}

/* The sums over a row of g times weight, and of that times what x differs from the mean by. */
static void F(weighed_pulls)(const T *x, const T *grad, const T *w, npy_intp n, T mean, double *total,
                             double *product)
{
    for (npy_intp at = 0; at < n; at += RUN) {
        npy_intp end = n - at < RUN ? n : at + RUN, i = at;
        V p = {0}, q = {0}, a, b, c;
        for (; i + LANES <= end; i += LANES) {
            LOAD(a, x + i), LOAD(b, grad + i), LOAD(c, w + i);
            b *= c;
            p += b, q += b * (a - mean);
        }
        *total += F(lanes)(p), *product += F(lanes)(q);
        for (; i < end; i++) {
            T scaled = grad[i] * w[i];
            *total += scaled, *product += scaled * (x[i] - mean);
        }
    }
}

/* Functions of their own: only of parameters does a compiler believe that they are apart. */
static void F(pulled_row)(const T *restrict x, const T *restrict g, const T *restrict weight, T *restrict out,
                          T *restrict by_weight, T *restrict by_bias, npy_intp n, T mean, T rstd, T pull, T shift)
{
    for (npy_intp i = 0; i < n; i++) {
        T centred = x[i] - mean;
        by_weight[i] += g[i] * (centred * rstd);
        by_bias[i] += g[i];
        out[i] = (g[i] * weight[i] - centred * pull - shift) * rstd;
    }
}

static void F(pulled_plain_row)(const T *restrict x, const T *restrict g, T *restrict out, T *restrict by_weight,
                                T *restrict by_bias, npy_intp n, T mean, T rstd, T pull, T shift)
{
    for (npy_intp i = 0; i < n; i++) {
        T centred = x[i] - mean;
        by_weight[i] += g[i] * (centred * rstd);
        by_bias[i] += g[i];
        out[i] = (g[i] - centred * pull - shift) * rstd;
    }
}

/* A unit is a share of the rows, which has sums for weight and bias of its own. */
static void F(rows_backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Rows *r = data;
    npy_intp size = r->size;
    const T *weight = r->weight;
    for (npy_intp share = begin; share < end; share++) {
        T *by_weight = (T *)r->shares + 2 * share * size, *by_bias = by_weight + size;
        memset(by_weight, 0, sizeof(T) * 2 * (size_t)size);
        npy_intp stop = (share + 1) * r->share;
        for (npy_intp row = share * r->share; row < stop && row < r->rows; row++) {
            const T *x = (const T *)r->x + row * size, *g = (const T *)r->grad + row * size;
            T *out = (T *)r->out + row * size;
            T mean = r->mean ? ((const T *)r->mean)[row] : 0, rstd = ((const T *)r->rstd)[row];
            double total = 0, product = 0;
            if (weight)
                F(weighed_pulls)(x, g, weight, size, mean, &total, &product);
            else
                F(pulls)(x, g, size, mean, &total, &product);
            T pull = (T)(product * rstd / (double)size) * rstd;
            T shift = r->mean ? (T)(total / (double)size) : 0;
            if (weight)
                F(pulled_row)(x, g, weight, out, by_weight, by_bias, size, mean, rstd, pull, shift);
            else
                F(pulled_plain_row)(x, g, out, by_weight, by_bias, size, mean, rstd, pull, shift);
        }
    }
}

static void F(sum_rows_shares)(const Rows *r, npy_intp count, T *restrict by_weight, T *restrict by_bias)
{
    memset(by_weight, 0, sizeof(T) * (size_t)r->size);
    memset(by_bias, 0, sizeof(T) * (size_t)r->size);
    for (npy_intp share = 0; share < count; share++) {
        const T *from = (const T *)r->shares + 2 * share * r->size;
        for (npy_intp i = 0; i < r->size; i++) {
            by_weight[i] += from[i];
            by_bias[i] += from[r->size + i];
        }
    }
}

/* A unit is a group of channels of a sample; *shares* gets two sums per channel of each. */
static void F(group_backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Rows *r = data;
    const T *weight = r->weight;
    for (npy_intp row = begin; row < end; row++) {
        npy_intp first = row % r->groups * r->channels;
        const T *x = (const T *)r->x + row * r->size, *g = (const T *)r->grad + row * r->size;
        T *out = (T *)r->out + row * r->size;
        T mean = ((const T *)r->mean)[row], rstd = ((const T *)r->rstd)[row];
        double *sums = (double *)r->shares + 2 * row * r->channels, all = 0, products = 0;
        for (npy_intp c = 0; c < r->channels; c++) {
            double total = 0, product = 0, w = weight ? weight[first + c] : 1;
            F(pulls)(x + c * r->inner, g + c * r->inner, r->inner, mean, &total, &product);
            sums[2 * c] = product * rstd;
            sums[2 * c + 1] = total;
            all += w * total;
            products += w * product * rstd;
        }
        T pull = (T)(products / (double)r->size) * rstd, shift = (T)(all / (double)r->size);
        for (npy_intp c = 0; c < r->channels; c++) {
            T w = weight ? weight[first + c] : 1;
            const T *restrict from = x + c * r->inner, *restrict with = g + c * r->inner;
            T *restrict to = out + c * r->inner;
            for (npy_intp i = 0; i < r->inner; i++)
                to[i] = (with[i] * w - (from[i] - mean) * pull - shift) * rstd;
        }
    }
}

static void F(sum_groups)(const Rows *r, T *by_weight, T *by_bias)
{
    npy_intp channels = r->groups * r->channels;
    for (npy_intp c = 0; c < channels; c++) {
        double product = 0, total = 0;
        for (npy_intp n = 0; n < r->rows / r->groups; n++) {
            const double *sums = (const double *)r->shares + 2 * (n * channels + c);
            product += sums[0];
            total += sums[1];
        }
        by_weight[c] = (T)product;
        by_bias[c] = (T)total;
    }
}
#undef SUMS
#undef RUN
#undef COLUMNS
