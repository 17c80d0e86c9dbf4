/* Kernels of chainrule/ops/fused.py: one call updates all parameters of an optimizer's group.
 *
 * What is done to an element needs no other, so the loops run once over every parameter and write
 * everything in that pass. All the lists are looked at before anything is written.
 */
#include "lists.h"
#include "loops.h"

#define GRAIN 16384

/* Do *part* of *job* to the elements at place *i* of the first *count* lists, which go to *data*. */
static void update(const Lists *lists, Py_ssize_t i, int count, char **data, Part part, void *job)
{
    for (int k = 0; k < count; k++)
        data[k] = item_of(lists, k, i);
    npy_intp size = size_of(lists, i);
    BEGIN_LONG(size)
    if (size > RELEASE)
        parallel(size, GRAIN, part, job);
    else
        part(job, 0, size);
    END_LONG
}

/* ---- Adam -------------------------------------------------------------------------------------- */

enum { MAXIMIZE, DECAY, SHRINK, NEW1, OLD2, NEW2, SMALL, SIZE, ADAM_NUMBERS };

typedef struct {
    char *data[MOST_LISTS]; /* param, grad, mean, square, largest or NULL */
    double p[ADAM_NUMBERS];
    int type;
} Adam;

#define ADAM(suffix, T)                                                                            \
    static void adam_##suffix(const Adam *job, npy_intp begin, npy_intp end)                       \
    {                                                                                              \
        T *restrict param = (T *)job->data[0];                                                     \
        const T *restrict grad = (const T *)job->data[1];                                          \
        T *restrict mean = (T *)job->data[2], *restrict square = (T *)job->data[3];                \
        T *restrict largest = (T *)job->data[4];                                                   \
        const T sign = job->p[MAXIMIZE] != 0 ? -1 : 1, decay = (T)job->p[DECAY];                   \
        const T shrink = (T)job->p[SHRINK], new1 = (T)job->p[NEW1], old2 = (T)job->p[OLD2];        \
        const T new2 = (T)job->p[NEW2], small = (T)job->p[SMALL], size = (T)job->p[SIZE];          \
        if (largest) {                                                                             \
            for (npy_intp i = begin; i < end; i++) {                                               \
                T g = grad[i] * sign, m = mean[i];                                                 \
                g = decay != 0 ? g + decay * param[i] : g;                                         \
                m = m + (g - m) * new1;                                                            \
                T s = square[i] * old2 + g * g * new2;                                             \
                mean[i] = m;                                                                       \
                square[i] = s;                                                                     \
                s = s > largest[i] || s != s ? s : largest[i];                                     \
                largest[i] = s;                                                                    \
                param[i] = param[i] * shrink - m / (SQRT(s) + small) * size;                       \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (npy_intp i = begin; i < end; i++) {                                                   \
            T g = grad[i] * sign, m = mean[i];                                                     \
            g = decay != 0 ? g + decay * param[i] : g;                                             \
            m = m + (g - m) * new1;                                                                \
            T s = square[i] * old2 + g * g * new2;                                                 \
            mean[i] = m;                                                                           \
            square[i] = s;                                                                         \
            param[i] = param[i] * shrink - m / (SQRT(s) + small) * size;                           \
        }                                                                                          \
    }

ADAM(single, float)
ADAM(real, double)

PART(adam, Adam)

static PyObject *adam(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[8];
    PyObject *values[8];
    static const char *const texts[] = {
        "steps", "lr", "beta1", "beta2", "weight_decay", "eps", "decoupled", "maximize",
    };
    for (int i = 0; i < 8; i++)
        name(&names[i], texts[i]);
    Lists lists;
    if (count != 5 || !statics(args, count, kwnames, 8, names, values) ||
        !read_lists(args, 5, 4, 1 | 4 | 8 | 16, &lists))
        return DECLINED;
    double numbers[8], step;
    bool understood = values[0] && (PyList_CheckExact(values[0]) || PyTuple_CheckExact(values[0])) &&
                      PySequence_Fast_GET_SIZE(values[0]) == lists.count;
    for (int i = 1; i < 8; i++)
        understood = understood && values[i] && as_double(values[i], &numbers[i]);
    PyObject **steps = understood ? PySequence_Fast_ITEMS(values[0]) : NULL;
    for (Py_ssize_t i = 0; understood && i < lists.count; i++)
        understood = as_double(steps[i], &step);
    PyObject *held_steps = understood ? PySequence_Tuple(values[0]) : NULL;
    if (!held_steps) {
        let_go(&lists);
        return understood ? NULL : DECLINED;
    }
    double lr = numbers[1], beta1 = numbers[2], beta2 = numbers[3], decay = numbers[4];
    Adam job = {.type = lists.type};
    job.p[MAXIMIZE] = numbers[7];
    job.p[DECAY] = numbers[6] != 0 ? 0 : decay;
    job.p[SHRINK] = numbers[6] != 0 ? 1 - lr * decay : 1;
    job.p[NEW1] = 1 - beta1;
    job.p[OLD2] = beta2;
    job.p[NEW2] = 1 - beta2;
    double before = -1;
    for (Py_ssize_t i = 0; i < lists.count; i++) {
        as_double(PyTuple_GET_ITEM(held_steps, i), &step);
        if (step != before) {
            double root = sqrt(1 - pow(beta2, step));
            /* One division less: m / (sqrt(s) / root + eps) = m / (sqrt(s) + eps * root) * root. */
            job.p[SMALL] = numbers[5] * root;
            job.p[SIZE] = lr / (1 - pow(beta1, step)) * root;
            before = step;
        }
        update(&lists, i, 5, job.data, adam_part, &job);
    }
    Py_DECREF(held_steps);
    let_go(&lists);
    Py_RETURN_NONE;
}

/* ---- gradient descent --------------------------------------------------------------------------- */

typedef struct {
    char *data[3]; /* param, grad, buffer or NULL */
    double lr, momentum, kept, decay;
    int type;
    bool nesterov, maximize, first;
} Descent;

#define DESCENT(suffix, T)                                                                         \
    static void descent_##suffix(const Descent *job, npy_intp begin, npy_intp end)                 \
    {                                                                                              \
        T *restrict param = (T *)job->data[0], *restrict buffer = (T *)job->data[2];               \
        const T *restrict grad = (const T *)job->data[1];                                          \
        const T sign = job->maximize ? -1 : 1, decay = (T)job->decay, lr = (T)job->lr;             \
        if (!buffer) {                                                                             \
            for (npy_intp i = begin; i < end; i++) {                                               \
                T g = grad[i] * sign;                                                              \
                g = decay != 0 ? g + decay * param[i] : g;                                         \
                param[i] = param[i] - g * lr;                                                      \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        const T old = job->first ? 0 : (T)job->momentum, kept = job->first ? 1 : (T)job->kept;     \
        const T ahead = (T)job->momentum;                                                          \
        const bool nesterov = job->nesterov, first = job->first;                                   \
        for (npy_intp i = begin; i < end; i++) {                                                   \
            T g = grad[i] * sign;                                                                  \
            g = decay != 0 ? g + decay * param[i] : g;                                             \
            T b = (first ? 0 : buffer[i] * old) + g * kept;                                        \
            buffer[i] = b;                                                                         \
            param[i] = param[i] - (nesterov ? g + ahead * b : b) * lr;                             \
        }                                                                                          \
    }

DESCENT(single, float)
DESCENT(real, double)

PART(descent, Descent)

static PyObject *descend(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    static PyObject *names[7];
    PyObject *values[7];
    static const char *const texts[] = {
        "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize", "first",
    };
    double numbers[7];
    for (int i = 0; i < 7; i++)
        name(&names[i], texts[i]);
    Lists lists;
    if (count != 3 || !statics(args, count, kwnames, 7, names, values) ||
        !read_lists(args, 3, 2, 1 | 4, &lists))
        return DECLINED;
    for (int i = 0; i < 7; i++)
        if (!values[i] || !as_double(values[i], &numbers[i])) {
            let_go(&lists);
            return DECLINED;
        }
    Descent job = {
        .lr = numbers[0], .momentum = numbers[1], .kept = 1 - numbers[2], .decay = numbers[3],
        .nesterov = numbers[4] != 0, .maximize = numbers[5] != 0, .first = numbers[6] != 0,
        .type = lists.type,
    };
    for (Py_ssize_t i = 0; i < lists.count; i++)
        update(&lists, i, 3, job.data, descent_part, &job);
    let_go(&lists);
    Py_RETURN_NONE;
}

/* ---- steps -------------------------------------------------------------------------------------- */

static PyObject *count_steps(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)
{
    Lists lists;
    if (count != 1 || kwnames || !read_lists(args, 1, 1, 1, &lists))
        return DECLINED;
    PyObject *result = NULL;
    if (lists.type == NPY_FLOAT && lists.total == lists.count)
        result = PyTuple_New(lists.count);
    for (Py_ssize_t i = 0; result && i < lists.count; i++) {
        float *step = (float *)item_of(&lists, 0, i);
        PyObject *number = PyFloat_FromDouble(*step + 1.0f);
        if (number)
            PyTuple_SET_ITEM(result, i, number);
        else
            Py_CLEAR(result);
    }
    for (Py_ssize_t i = 0; result && i < lists.count; i++)
        *(float *)item_of(&lists, 0, i) += 1.0f;
    let_go(&lists);
    return result;
}

const KernelEntry fused_kernels[] = {
    {"cr::_fused_adam_", adam},
    {"cr::_fused_sgd_", descend},
    {"cr::_count_steps_", count_steps},
    {NULL, NULL},
};
