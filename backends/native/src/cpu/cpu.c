/* Which sets of instructions this CPU, and its system, can run. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <stdbool.h>

#if defined(__x86_64__) || defined(__i386__)
/* Which registers the system saves: the low bits of the extended control register 0. */
static unsigned saved_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

#define HAS(word, bits) (((word) & (bits)) == (bits))

/* Asked of the CPU itself: what compilers offer for it needs a runtime that not all of them bring. */
static void look(bool *avx2, bool *avx512)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !HAS(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C))
        return;
    unsigned saved = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return;
    *avx2 = HAS(saved, 0x06u) && HAS(b, bit_AVX2 | bit_BMI | bit_BMI2);
    *avx512 = *avx2 && HAS(saved, 0xe6u) && HAS(b, bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL);
}
#endif

static PyObject *levels(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    bool avx2 = false, avx512 = false;
#if defined(__x86_64__) || defined(__i386__)
    look(&avx2, &avx512);
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
