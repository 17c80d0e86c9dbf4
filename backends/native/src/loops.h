/* Loops over contiguous elements, written once for both types of numbers.
 *
 *     MAP1(cube, 2, r = x * x * x)                    defines cube_map
 *     MAP2(sigmoid_backward, 3, r = x * ((1 - y) * y))
 *     MAP3(…)                                         of x, y and z
 *
 * The second argument is about how many additions an element costs. A formula sets r, of type T
 * (float or double), from x, y, z and the numbers of the call p[0], p[1], …; EXP(x) is exp in that
 * type. Constants are written (T)0.5, or the arithmetic is in double.
 */
#ifndef CHAINRULE_NATIVE_LOOPS_H
#define CHAINRULE_NATIVE_LOOPS_H

#include "native.h"

#include "functions.h"

#define GENERIC(function, x) _Generic((x), float: function##_single, double: function##_real)(x)
#define EXP(x) GENERIC(exp, x)
#define LOG(x) GENERIC(log, x)
#define ERF(x) GENERIC(erf, x)
#define EXPM1(x) GENERIC(expm1, x)
#define LOG1P(x) GENERIC(log1p, x)
#define LOG1P_UNIT(x) GENERIC(log1p_unit, x)
#define TANH(x) GENERIC(tanh, x)
#define SIGMOID(x) GENERIC(sigmoid, x)
#define ABS(x) _Generic((x), float: fabsf, double: fabs)(x)
#define SQRT(x) _Generic((x), float: sqrtf, double: sqrt)(x)
#define COPYSIGN(x, y) _Generic((x), float: copysignf, double: copysign)(x, y)

#define NUMBERS 6 /* of a call, at most */

#define TAKE_1
#define TAKE_2 const T y = second[i];
#define TAKE_3 TAKE_2 const T z = third[i];
#define FROM_1
#define FROM_2 const T *restrict second = (const T *)inputs[1];
#define FROM_3 FROM_2 const T *restrict third = (const T *)inputs[2];

#define LOOP(name, suffix, type, result, inputs_, ...)                                             \
    static void name##_loop_##suffix(char *const *inputs, char *output, npy_intp n,                \
                                     const double *numbers)                                        \
    {                                                                                              \
        typedef type T;                                                                            \
        typedef result R;                                                                          \
        const T *restrict first = (const T *)inputs[0];                                            \
        FROM_##inputs_ R *restrict out = (R *)output;                                              \
        T p[NUMBERS] = {0};                                                                        \
        for (int i = 0; numbers && i < NUMBERS; i++)                                               \
            p[i] = (T)numbers[i];                                                                  \
        for (npy_intp i = 0; i < n; i++) {                                                         \
            const T x = first[i];                                                                  \
            TAKE_##inputs_ R r;                                                                    \
            __VA_ARGS__;                                                                           \
            out[i] = r;                                                                            \
        }                                                                                          \
    }

#define MAP_(name, cost, inputs, ...)                                                              \
    LOOP(name, single, float, float, inputs, __VA_ARGS__)                                          \
    LOOP(name, real, double, double, inputs, __VA_ARGS__)                                          \
    static const Map name##_map = {name##_loop_single, name##_loop_real, cost, false, 0};

#define MAP1(name, cost, ...) MAP_(name, cost, 1, __VA_ARGS__)
#define MAP2(name, cost, ...) MAP_(name, cost, 2, __VA_ARGS__)
#define MAP3(name, cost, ...) MAP_(name, cost, 3, __VA_ARGS__)

/* Likewise with a bool as result. */
#define TEST2(name, ...)                                                                           \
    LOOP(name, single, float, npy_bool, 2, __VA_ARGS__)                                            \
    LOOP(name, real, double, npy_bool, 2, __VA_ARGS__)                                             \
    static const Map name##_map = {name##_loop_single, name##_loop_real, 1, .boolean = true};

/* A part of a job that says of which *type* its numbers are: PART(adam, Adam) defines adam_part. */
#define PART(name, job_type)                                                                       \
    static void name##_part(void *data, npy_intp begin, npy_intp end)                              \
    {                                                                                              \
        const job_type *job = data;                                                                \
        if (job->type == NPY_FLOAT)                                                                \
            name##_single(job, begin, end);                                                        \
        else                                                                                       \
            name##_real(job, begin, end);                                                          \
    }

/* The kernel of an op with *arrays* arrays and no keywords. */
#define PLAIN(name, arrays)                                                                        \
    static PyObject *name(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)              \
    {                                                                                              \
        if (count != arrays || kwnames)                                                            \
            return DECLINED;                                                                       \
        return map_arrays(&name##_map, arrays, args, NULL);                                        \
    }

/* The kernel of an op with numbers as keywords: TUNED(leaky_relu, 1, {"negative_slope", 0.01}). */
typedef struct {
    const char *name;
    double value; /* where it is not given */
} Tuning;

#define TUNED(kernel_name, arrays, ...)                                                            \
    static PyObject *kernel_name(PyObject *const *args, Py_ssize_t count, PyObject *kwnames)       \
    {                                                                                              \
        static const Tuning tunings[] = {__VA_ARGS__};                                             \
        enum { named = sizeof tunings / sizeof tunings[0] };                                       \
        static PyObject *names[named];                                                             \
        double p[NUMBERS];                                                                         \
        if (count != arrays || !tuned(args, count, kwnames, named, tunings, names, p))             \
            return DECLINED;                                                                       \
        return map_arrays(&kernel_name##_map, arrays, args, p);                                    \
    }

static inline bool tuned(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int named,
                         const Tuning *tunings, PyObject **names, double *p)
{
    PyObject *values[NUMBERS];
    for (int i = 0; i < named; i++) {
        p[i] = tunings[i].value;
        name(&names[i], tunings[i].name);
    }
    for (int i = named; i < NUMBERS; i++)
        p[i] = 0;
    if (!kwnames)
        return true;
    if (!statics(args, count, kwnames, named, names, values))
        return false;
    for (int i = 0; i < named; i++)
        if (values[i] && !as_double(values[i], &p[i]))
            return false;
    return true;
}

#endif
