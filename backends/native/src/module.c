/* The module: the type of kernels, the list of families, and what configures both. */
#define NATIVE_MODULE
#include "native.h"

#include "blas.h"
#include "calls.h"
#include "memory.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

/* ---- the families: one line per file --------------------------------------------------------- */

/* Their order is that of the alphabet. */
#define FAMILIES(X)                                                                                \
    X(activation) X(activation_smooth) X(arithmetic) X(attention) X(clipping) X(comparison)        \
    X(convolution) X(fused) X(gathering) X(normalization) X(pointwise) X(pooling) X(products)      \
    X(random) X(recurrent) X(reductions) X(scattering) X(selection) X(softmax) X(views)

#define DECLARE(family) extern const KernelEntry family##_kernels[];
FAMILIES(DECLARE)
#define LIST(family) {#family, family##_kernels},
static const Family families[] = {FAMILIES(LIST){NULL, NULL}};

/* ---- a kernel as a Python object ------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    Kernel kernel;
    PyObject *name;      /* of the op */
    PyObject *otherwise; /* what takes the arguments that the kernel declines */
} KernelObject;

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    KernelObject *kernel = (KernelObject *)self;
    PyObject *result = kernel->kernel(args, PyVectorcall_NARGS(flags), kwnames);
    if (LIKELY(result != NULL) || PyErr_Occurred())
        return result;
    return PyObject_Vectorcall(kernel->otherwise, args, flags, kwnames);
}

static int kernel_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((KernelObject *)self)->otherwise);
    return 0;
}

static int kernel_clear(PyObject *self)
{
    Py_CLEAR(((KernelObject *)self)->otherwise);
    return 0;
}

static void kernel_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    kernel_clear(self);
    Py_CLEAR(((KernelObject *)self)->name);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *kernel_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<native kernel of %U>", ((KernelObject *)self)->name);
}

#include <structmember.h>

static PyMemberDef kernel_members[] = {
    {"__name__", T_OBJECT_EX, offsetof(KernelObject, name), READONLY, "The op."},
    {"otherwise", T_OBJECT_EX, offsetof(KernelObject, otherwise), READONLY,
     "The callable that takes the arguments that this kernel declines."},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject KernelType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "chainrule_native.Kernel",
    .tp_doc = "A kernel in C, which passes on what it was not written for.",
    .tp_basicsize = sizeof(KernelObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(KernelObject, call),
    .tp_call = PyVectorcall_Call,
    .tp_dealloc = kernel_dealloc,
    .tp_traverse = kernel_traverse,
    .tp_clear = kernel_clear,
    .tp_repr = kernel_repr,
    .tp_members = kernel_members,
};

static Kernel find(const char *op)
{
    for (const Family *family = families; family->name; family++)
        for (const KernelEntry *entry = family->kernels; entry->op; entry++)
            if (strcmp(entry->op, op) == 0)
                return entry->kernel;
    return NULL;
}

static PyObject *module_kernel(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_Check(args[0]) || !PyCallable_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "kernel: expected an op's name and a callable");
        return NULL;
    }
    const char *op = PyUnicode_AsUTF8(args[0]);
    Kernel found = op ? find(op) : NULL;
    if (!found) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_KeyError, "there is no native kernel for %U", args[0]);
        return NULL;
    }
    KernelObject *kernel = PyObject_GC_New(KernelObject, &KernelType);
    if (!kernel)
        return NULL;
    kernel->call = kernel_call;
    kernel->kernel = found;
    kernel->name = Py_NewRef(args[0]);
    kernel->otherwise = Py_NewRef(args[1]);
    PyObject_GC_Track((PyObject *)kernel);
    return (PyObject *)kernel;
}

static PyObject *module_families(PyObject *module, PyObject *unused)
{
    PyObject *result = PyDict_New();
    for (const Family *family = families; result && family->name; family++) {
        PyObject *ops = PyList_New(0);
        for (const KernelEntry *entry = family->kernels; ops && entry->op; entry++) {
            PyObject *op = PyUnicode_FromString(entry->op);
            if (!op || PyList_Append(ops, op) < 0)
                Py_CLEAR(ops);
            Py_XDECREF(op);
        }
        if (!ops || PyDict_SetItemString(result, family->name, ops) < 0)
            Py_CLEAR(result);
        Py_XDECREF(ops);
    }
    return result;
}

static PyObject *module_set_thread_count(PyObject *module, PyObject *number)
{
    long count = PyLong_AsLong(number);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    if (count < 1) {
        PyErr_SetString(PyExc_ValueError, "set_thread_count: expected a positive number");
        return NULL;
    }
    set_thread_count(count);
    Py_RETURN_NONE;
}

static PyObject *module_thread_count(PyObject *module, PyObject *unused)
{
    return PyLong_FromLong(thread_count());
}

static PyMethodDef methods[] = {
    {"kernel", (PyCFunction)(void (*)(void))module_kernel, METH_FASTCALL,
     "kernel(op, otherwise): the kernel of an op, which passes on what it declines."},
    {"cast", (PyCFunction)(void (*)(void))cast, METH_FASTCALL,
     "cast(array, type): the array in the type of that number, or None: NumPy is to do it."},
#ifndef Py_GIL_DISABLED
    {"use_layout", use_layout, METH_O, "Learn the classes of core that quick calls know, from a dict."},
    {"quick_call", (PyCFunction)(void (*)(void))quick_call, METH_FASTCALL,
     "quick_call(*parts): the quick call of an op, or None for one of another kind."},
#endif
    {"families", module_families, METH_NOARGS, "families(): the ops with a kernel, by file."},
    {"set_thread_count", module_set_thread_count, METH_O, "Set how many threads compute."},
    {"thread_count", module_thread_count, METH_NOARGS, "Return how many threads compute."},
    {"memory_stats", memory_stats, METH_NOARGS, "Return what the allocator did, as a dict."},
    {"set_memory_limit", set_memory_limit, METH_O, "Set how many freed bytes are kept."},
    {"release_memory", release_memory, METH_NOARGS, "Give freed buffers back to the system."},
    {"connect_blas", connect_blas, METH_O, "Look for a BLAS in a library; return whether it is there."},
    {"use_allocator", use_allocator, METH_NOARGS, "Let NumPy's arrays reuse freed buffers."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "chainrule_native._core_" TEXT(NATIVE_LEVEL), NULL, -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC JOIN(PyInit__core_, NATIVE_LEVEL)(void)
{
    import_array();
    if (PyType_Ready(&KernelType) < 0)
        return NULL;
#ifndef Py_GIL_DISABLED
    if (PyType_Ready(&CallType) < 0)
        return NULL;
#endif
    start_pool();
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddStringConstant(module, "level", TEXT(NATIVE_LEVEL)) < 0)
        Py_CLEAR(module);
    return module;
}
