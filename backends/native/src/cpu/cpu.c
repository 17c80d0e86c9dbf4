/* Which sets of instructions this CPU, and its system, can run. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <stdbool.h>
#endif

static PyObject *levels(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    int avx2 = 0, avx512 = 0;
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    bool halves = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
    __builtin_cpu_init();
    avx2 = halves && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#endif
    if (avx512)
        return Py_BuildValue("(sss)", "avx512", "avx2", "baseline");
    if (avx2)
        return Py_BuildValue("(ss)", "avx2", "baseline");
    return Py_BuildValue("(s)", "baseline");
}

static PyMethodDef methods[] = {
    {"levels", levels, METH_NOARGS, "levels(): what can run here, the best first."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "chainrule_native._cpu", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__cpu(void) { return PyModule_Create(&definition); }
