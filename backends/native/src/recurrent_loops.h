/* The loops of recurrent.c for one type of numbers; a unit is a few sequences, for all steps.
 *
 * The state of the sequences stands in rows of its own, which begin with the first state. A step
 * reads and writes those of the sequences that take part, so it does not matter where they end. */
#include "typed.h"

#define SIGMOID_(x) F(sigmoid)(x)
#define TANH_(x) F(tanh)(x)

/* Copy rows of *width* elements, or fill them with zeros where there are none. */
static void F(begin_state)(T *to, const void *from, npy_intp first, npy_intp rows, npy_intp width)
{
    if (from)
        memcpy(to, (const T *)from + first * width, sizeof(T) * (size_t)(rows * width));
    else
        memset(to, 0, sizeof(T) * (size_t)(rows * width));
}

/* ---- long short-term memory -------------------------------------------------------------------- */

static inline void F(lstm_row)(npy_intp width, const T *restrict x, T *restrict gate, T *restrict cell,
                               T *restrict cells, T *restrict hidden)
{
    T *restrict gf = gate + width, *restrict gg = gf + width, *restrict go = gg + width;
    const T *restrict xf = x + width, *restrict xg = xf + width, *restrict xo = xg + width;
    for (npy_intp j = 0; j < width; j++) {
        T i = SIGMOID_(gate[j] + x[j]), f = SIGMOID_(gf[j] + xf[j]);
        T g = TANH_(gg[j] + xg[j]), o = SIGMOID_(go[j] + xo[j]);
        T c = f * cell[j] + i * g;
        gate[j] = i, gf[j] = f, gg[j] = g, go[j] = o;
        cell[j] = c;
        cells[j] = c;
        hidden[j] = o * TANH_(c);
    }
}

static void F(lstm_part)(void *data, npy_intp begin, npy_intp end)
{
    Sequences *s = data;
    npy_intp width = s->width, out = s->out, four = 4 * width, first = begin, rows = end - begin;
    T *state = scratch(sizeof(T) * (size_t)(rows * (out + 2 * width)));
    if (!state) {
        s->failed = true;
        return;
    }
    T *cell = state + rows * out, *bent = cell + rows * width;
    F(begin_state)(state, s->hx, first, rows, out);
    F(begin_state)(cell, s->cx, first, rows, width);
    for (npy_intp k = 0; k < s->steps; k++) {
        npy_intp t = s->reverse ? s->steps - 1 - k : k;
        npy_intp some = s->sizes[t] - first < rows ? s->sizes[t] - first : rows;
        if (some <= 0)
            continue;
        npy_intp at = s->starts[t] + first;
        T *gates = (T *)s->gates + at * four, *output = (T *)s->output + at * out;
        GEMM(false, !s->turned, some, four, out, 1, state, out, s->weight, s->turned ? four : out, 0, gates, four);
        T *hidden = s->project ? bent : output;
        for (npy_intp r = 0; r < some; r++)
            F(lstm_row)(width, (const T *)s->x + (at + r) * four, gates + r * four, cell + r * width,
                        (T *)s->cells + (at + r) * width, hidden + r * width);
        if (s->project)
            GEMM(false, true, some, out, width, 1, bent, width, s->project, width, 0, output, out);
        memcpy(state, output, sizeof(T) * (size_t)(some * out));
    }
    memcpy((T *)s->hy + first * out, state, sizeof(T) * (size_t)(rows * out));
    memcpy((T *)s->cy + first * width, cell, sizeof(T) * (size_t)(rows * width));
}

static inline void F(lstm_row_backward)(npy_intp width, const T *restrict gate, const T *restrict cells,
                                        const T *restrict before, const T *restrict hidden,
                                        T *restrict cell, T *restrict sums)
{
    const T *restrict gf = gate + width, *restrict gg = gf + width, *restrict go = gg + width;
    T *restrict sf = sums + width, *restrict sg = sf + width, *restrict so = sg + width;
    for (npy_intp j = 0; j < width; j++) {
        T i = gate[j], f = gf[j], g = gg[j], o = go[j], bent = TANH_(cells[j]);
        T dh = hidden[j], dc = cell[j] + dh * o * (1 - bent * bent);
        sums[j] = dc * g * (i * (1 - i));
        sf[j] = dc * before[j] * (f * (1 - f));
        sg[j] = dc * i * (1 - g * g);
        so[j] = dh * bent * (o * (1 - o));
        cell[j] = dc * f;
    }
}

/* Where the state of row *r* before step *t* stands: with the step before, or at first. */
static inline const T *F(state_before)(const Sequences *s, npy_intp t, npy_intp r, const void *states,
                                       const void *first, npy_intp width)
{
    npy_intp other = s->reverse ? t + 1 : t - 1;
    if (other >= 0 && other < s->steps && s->sizes[other] > r)
        return (const T *)states + (s->starts[other] + r) * width;
    return (const T *)first + r * width;
}

static void F(lstm_backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Sequences *s = data;
    npy_intp width = s->width, out = s->out, four = 4 * width, first = begin, rows = end - begin;
    T *state = scratch(sizeof(T) * (size_t)(rows * (out + 2 * width)));
    if (!state) {
        s->failed = true;
        return;
    }
    T *cell = state + rows * out, *inner = cell + rows * width;
    F(begin_state)(state, s->grad_hy, first, rows, out);
    F(begin_state)(cell, s->grad_cy, first, rows, width);
    for (npy_intp k = 0; k < s->steps; k++) {
        npy_intp t = s->reverse ? k : s->steps - 1 - k;
        npy_intp some = s->sizes[t] - first < rows ? s->sizes[t] - first : rows;
        if (some <= 0)
            continue;
        npy_intp at = s->starts[t] + first;
        const T *gates = (const T *)s->gates + at * four;
        T *sums = (T *)s->sums + at * four, *hidden = state;
        if (s->grad) {
            const T *grad = (const T *)s->grad + at * out;
            for (npy_intp i = 0; i < some * out; i++)
                state[i] += grad[i];
        }
        if (s->project) {
            memcpy((T *)s->outer + at * out, state, sizeof(T) * (size_t)(some * out));
            GEMM(false, false, some, width, out, 1, state, out, s->project, width, 0, inner, width);
            hidden = inner;
        }
        for (npy_intp r = 0; r < some; r++) {
            F(lstm_row_backward)(width, gates + r * four, (const T *)s->cells + (at + r) * width,
                                 F(state_before)(s, t, first + r, s->cells, s->cx, width),
                                 hidden + r * width, cell + r * width, sums + r * four);
            memcpy((T *)s->before + (at + r) * out,
                   F(state_before)(s, t, first + r, s->output, s->hx, out), sizeof(T) * (size_t)out);
        }
        GEMM(false, false, some, out, four, 1, sums, four, s->weight, out, 0, state, out);
    }
    memcpy((T *)s->by_hx + first * out, state, sizeof(T) * (size_t)(rows * out));
    memcpy((T *)s->by_cx + first * width, cell, sizeof(T) * (size_t)(rows * width));
}

/* What was projected to the hidden states: o tanh(c), for rows *begin* to *end*. */
static void F(bent_part)(void *data, npy_intp begin, npy_intp end)
{
    Sequences *s = data;
    npy_intp width = s->width;
    for (npy_intp r = begin; r < end; r++) {
        const T *restrict o = (const T *)s->gates + (4 * r + 3) * width;
        const T *restrict c = (const T *)s->cells + r * width;
        T *restrict to = (T *)s->inner + r * width;
        for (npy_intp j = 0; j < width; j++)
            to[j] = o[j] * TANH_(c[j]);
    }
}

/* ---- gated recurrent units --------------------------------------------------------------------- */

static inline void F(gru_row)(npy_intp width, const T *restrict x, const T *restrict inside,
                              const T *restrict bias, T *restrict gate, T *restrict state,
                              T *restrict output)
{
    T *restrict gz = gate + width, *restrict gn = gz + width, *restrict gp = gn + width;
    for (npy_intp j = 0; j < width; j++) {
        T part = inside[2 * width + j] + (bias ? bias[2 * width + j] : 0);
        T r = SIGMOID_(x[j] + (inside[j] + (bias ? bias[j] : 0)));
        T z = SIGMOID_(x[width + j] + (inside[width + j] + (bias ? bias[width + j] : 0)));
        T n = TANH_(x[2 * width + j] + r * part);
        gate[j] = r, gz[j] = z, gn[j] = n, gp[j] = part;
        T h = n + z * (state[j] - n);
        state[j] = h;
        output[j] = h;
    }
}

static void F(gru_part)(void *data, npy_intp begin, npy_intp end)
{
    Sequences *s = data;
    npy_intp width = s->width, three = 3 * width, first = begin, rows = end - begin;
    T *state = scratch(sizeof(T) * (size_t)(rows * 4 * width)), *inside = state + rows * width;
    if (!state) {
        s->failed = true;
        return;
    }
    F(begin_state)(state, s->hx, first, rows, width);
    for (npy_intp k = 0; k < s->steps; k++) {
        npy_intp t = s->reverse ? s->steps - 1 - k : k;
        npy_intp some = s->sizes[t] - first < rows ? s->sizes[t] - first : rows;
        if (some <= 0)
            continue;
        npy_intp at = s->starts[t] + first;
        GEMM(false, !s->turned, some, three, width, 1, state, width, s->weight, s->turned ? three : width, 0,
             inside, three);
        for (npy_intp r = 0; r < some; r++)
            F(gru_row)(width, (const T *)s->x + (at + r) * three, inside + r * three, s->bias,
                       (T *)s->gates + (at + r) * 4 * width, state + r * width,
                       (T *)s->output + (at + r) * width);
    }
    memcpy((T *)s->hy + first * width, state, sizeof(T) * (size_t)(rows * width));
}

static inline void F(gru_row_backward)(npy_intp width, const T *restrict gate, const T *restrict before,
                                       T *restrict state, T *restrict sums, T *restrict inside)
{
    const T *restrict gz = gate + width, *restrict gn = gz + width, *restrict gp = gn + width;
    for (npy_intp j = 0; j < width; j++) {
        T r = gate[j], z = gz[j], n = gn[j], dh = state[j];
        T dn = dh * (1 - z) * (1 - n * n), dz = dh * (before[j] - n) * (z * (1 - z));
        T dr = dn * gp[j] * (r * (1 - r));
        sums[j] = inside[j] = dr;
        sums[width + j] = inside[width + j] = dz;
        sums[2 * width + j] = dn;
        inside[2 * width + j] = dn * r;
        state[j] = dh * z;
    }
}

static void F(gru_backward_part)(void *data, npy_intp begin, npy_intp end)
{
    Sequences *s = data;
    npy_intp width = s->width, three = 3 * width, first = begin, rows = end - begin;
    T *state = scratch(sizeof(T) * (size_t)(rows * width));
    if (!state) {
        s->failed = true;
        return;
    }
    F(begin_state)(state, s->grad_hy, first, rows, width);
    for (npy_intp k = 0; k < s->steps; k++) {
        npy_intp t = s->reverse ? k : s->steps - 1 - k;
        npy_intp some = s->sizes[t] - first < rows ? s->sizes[t] - first : rows;
        if (some <= 0)
            continue;
        npy_intp at = s->starts[t] + first;
        if (s->grad) {
            const T *grad = (const T *)s->grad + at * width;
            for (npy_intp i = 0; i < some * width; i++)
                state[i] += grad[i];
        }
        T *inside = (T *)s->inner + at * three;
        for (npy_intp r = 0; r < some; r++) {
            const T *before = F(state_before)(s, t, first + r, s->output, s->hx, width);
            memcpy((T *)s->before + (at + r) * width, before, sizeof(T) * (size_t)width);
            F(gru_row_backward)(width, (const T *)s->gates + (at + r) * 4 * width, before,
                                state + r * width, (T *)s->sums + (at + r) * three, inside + r * three);
        }
        GEMM(false, false, some, width, three, 1, inside, three, s->weight, width, 1, state, width);
    }
    memcpy((T *)s->by_hx + first * width, state, sizeof(T) * (size_t)(rows * width));
}

static void F(sum_rows)(const T *from, npy_intp rows, npy_intp width, T *restrict to)
{
    memset(to, 0, sizeof(T) * (size_t)width);
    for (npy_intp r = 0; r < rows; r++)
        for (npy_intp j = 0; j < width; j++)
            to[j] += from[r * width + j];
}

/* ---- the gradient of a weight ------------------------------------------------------------------ */

/* Rows *begin* to *end* of left.T @ right. */
static void F(product_part)(void *data, npy_intp begin, npy_intp end)
{
    const Product *p = data;
    GEMM(true, false, end - begin, p->columns, p->inner, 1, (const T *)p->left + begin, p->rows,
         p->right, p->columns, 0, (T *)p->out + begin * p->columns, p->columns);
}
#undef SIGMOID_
#undef TANH_
