/* The loops of attention.c for one type of numbers; a unit is a head of a sample. */
#include "typed.h"

#define EXP_(x) F(exp)(x)

/* The first row of head *h* of sample *n*. */
static inline T *F(head)(const Heads *heads, npy_intp n, npy_intp h)
{
    return (T *)heads->data + n * heads->sample + h * heads->head;
}

/* The scores of queries *first* to *last* for the keys up to *keys*, the mask not yet added. */
static void F(scores)(const Attention *a, const T *query, const T *key, npy_intp first, npy_intp last,
                      npy_intp keys, T *to)
{
    GEMM(false, true, last - first, keys, a->width, (T)a->scale, query + first * a->query.row,
         a->query.row, key, a->key.row, 0, to, keys);
}

static inline void F(add_mask)(const Attention *a, npy_intp n, npy_intp h, npy_intp row, npy_intp keys,
                               T *to)
{
    const T *mask = (const T *)a->mask + n * a->mask_strides[0] + h * a->mask_strides[1] +
                    row * a->mask_strides[2];
    for (npy_intp k = 0; k < keys; k++)
        to[k] += mask[k * a->mask_strides[3]];
}

static inline T F(largest)(const T *x, npy_intp n)
{
    T best = -INFINITY, most[16];
    npy_intp i = 0;
    if (n >= 16) {
        memcpy(most, x, sizeof most);
        for (i = 16; i + 16 <= n; i += 16)
            for (int k = 0; k < 16; k++)
                most[k] = x[i + k] > most[k] ? x[i + k] : most[k];
        for (int k = 0; k < 16; k++)
            best = most[k] > best ? most[k] : best;
    }
    for (; i < n; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

static inline T F(sum)(const T *x, npy_intp n)
{
    V sums = {0}, v;
    npy_intp i = 0;
    T sum = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i);
        sums += v;
    }
    for (int k = 0; k < LANES; k++)
        sum += sums[k];
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

static inline T F(dot)(const T *x, const T *y, npy_intp n)
{
    V sums = {0}, v, w;
    npy_intp i = 0;
    T sum = 0;
    for (; i + LANES <= n; i += LANES) {
        LOAD(v, x + i), LOAD(w, y + i);
        sums += v * w;
    }
    for (int k = 0; k < LANES; k++)
        sum += sums[k];
    for (; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* How many keys the query *row* may look at. */
static inline npy_intp F(sight)(const Attention *a, npy_intp row)
{
    return a->causal && row + 1 < a->keys ? row + 1 : a->keys;
}

static void F(forward_part)(void *data, npy_intp begin, npy_intp end)
{
    Attention *a = data;
    T *weights = scratch(sizeof(T) * (size_t)(BLOCK * a->keys));
    if (!weights) {
        a->failed = true;
        return;
    }
    for (npy_intp unit = begin; unit < end; unit++) {
        npy_intp n = unit / a->heads, h = unit % a->heads;
        const T *query = F(head)(&a->query, n, h);
        const T *key = F(head)(&a->key, n, h);
        const T *value = F(head)(&a->value, n, h);
        T *out = F(head)(&a->output, n, h);
        T *sums = (T *)a->sums + unit * a->queries;
        for (npy_intp first = 0; first < a->queries; first += BLOCK) {
            npy_intp last = first + BLOCK < a->queries ? first + BLOCK : a->queries;
            npy_intp keys = F(sight)(a, last - 1);
            F(scores)(a, query, key, first, last, keys, weights);
            T totals[BLOCK];
            for (npy_intp i = first; i < last; i++) {
                T *restrict row = weights + (i - first) * keys;
                npy_intp seen = F(sight)(a, i);
                if (a->mask)
                    F(add_mask)(a, n, h, i, seen, row);
                T most = F(largest)(row, seen);
                most = most == -INFINITY ? 0 : most;
                for (npy_intp k = 0; k < seen; k++)
                    row[k] = EXP_(row[k] - most);
                memset(row + seen, 0, sizeof(T) * (size_t)(keys - seen));
                T total = F(sum)(row, seen);
                bool blind = total == 0; /* everything is hidden */
                totals[i - first] = blind ? 1 : 1 / total;
                sums[i] = blind ? 0 : F(log)(total) + most;
            }
            GEMM(false, false, last - first, a->out_width, keys, 1, weights, keys, value, a->value.row, 0,
                 out + first * a->output.row, a->output.row);
            for (npy_intp i = first; i < last; i++) {
                T *restrict row = out + i * a->output.row, factor = totals[i - first];
                for (npy_intp k = 0; k < a->out_width; k++)
                    row[k] *= factor;
            }
        }
    }
}

static void F(zero_rows)(T *to, npy_intp rows, npy_intp width, npy_intp step)
{
    for (npy_intp i = 0; i < rows; i++)
        memset(to + i * step, 0, sizeof(T) * (size_t)width);
}

static void F(backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Attention *a = data;
    T *weights = scratch(2 * sizeof(T) * (size_t)(BLOCK * a->keys)), *change = weights + BLOCK * a->keys;
    if (!weights) {
        a->failed = true;
        return;
    }
    for (npy_intp unit = begin; unit < end; unit++) {
        npy_intp n = unit / a->heads, h = unit % a->heads;
        const T *query = F(head)(&a->query, n, h);
        const T *key = F(head)(&a->key, n, h);
        const T *value = F(head)(&a->value, n, h);
        const T *grad = F(head)(&a->grad, n, h);
        const T *output = F(head)(&a->output, n, h);
        const T *sums = (const T *)a->sums + unit * a->queries;
        T *by_query = F(head)(&a->by_query, n, h);
        T *by_key = F(head)(&a->by_key, n, h);
        T *by_value = F(head)(&a->by_value, n, h);
        bool several = a->queries > BLOCK || a->keys > F(sight)(a, a->queries - 1);
        if (several) {
            F(zero_rows)(by_key, a->keys, a->width, a->by_key.row);
            F(zero_rows)(by_value, a->keys, a->out_width, a->by_value.row);
        }
        T beta = several ? 1 : 0;
        for (npy_intp first = 0; first < a->queries; first += BLOCK) {
            npy_intp last = first + BLOCK < a->queries ? first + BLOCK : a->queries, rows = last - first;
            npy_intp keys = F(sight)(a, last - 1);
            F(scores)(a, query, key, first, last, keys, weights);
            GEMM(false, true, rows, keys, a->out_width, 1, grad + first * a->grad.row, a->grad.row, value,
                 a->value.row, 0, change, keys);
            for (npy_intp i = first; i < last; i++) {
                T *restrict row = weights + (i - first) * keys, *restrict slope = change + (i - first) * keys;
                npy_intp seen = F(sight)(a, i);
                if (a->mask)
                    F(add_mask)(a, n, h, i, seen, row);
                T sum = sums[i], factor = (T)a->scale;
                T mean = F(dot)(grad + i * a->grad.row, output + i * a->output.row, a->out_width);
                for (npy_intp k = 0; k < seen; k++) {
                    row[k] = EXP_(row[k] - sum);
                    slope[k] = row[k] * (slope[k] - mean) * factor;
                }
                memset(row + seen, 0, sizeof(T) * (size_t)(keys - seen));
                memset(slope + seen, 0, sizeof(T) * (size_t)(keys - seen));
            }
            GEMM(true, false, keys, a->out_width, rows, 1, weights, keys, grad + first * a->grad.row,
                 a->grad.row, beta, by_value, a->by_value.row);
            GEMM(false, false, rows, a->width, keys, 1, change, keys, key, a->key.row, 0,
                 by_query + first * a->by_query.row, a->by_query.row);
            GEMM(true, false, keys, a->width, rows, 1, change, keys, query + first * a->query.row,
                 a->query.row, beta, by_key, a->by_key.row);
        }
    }
}
#undef EXP_
