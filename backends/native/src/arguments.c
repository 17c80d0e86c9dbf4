/* Arguments and results: keywords, numbers, new arrays. */
#include "native.h"

#include "memory.h"

PyObject *name(PyObject **slot, const char *text)
{
    if (UNLIKELY(*slot == NULL))
        *slot = PyUnicode_InternFromString(text);
    return *slot;
}

bool statics(PyObject *const *args, Py_ssize_t count, PyObject *kwnames, int named,
             PyObject *const *names, PyObject **values)
{
    for (int i = 0; i < named; i++)
        values[i] = NULL;
    if (kwnames == NULL)
        return true;
    Py_ssize_t given = PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t k = 0; k < given; k++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, k);
        int i = 0;
        while (i < named && names[i] != keyword)
            i++;
        if (i == named) { /* not interned, or unknown */
            i = 0;
            while (i < named && (names[i] == NULL || PyUnicode_Compare(names[i], keyword) != 0))
                i++;
            if (i == named) {
                PyErr_Clear();
                return false;
            }
        }
        values[i] = args[count + k];
    }
    return true;
}

bool as_double(PyObject *number, double *value)
{
    if (PyFloat_CheckExact(number)) {
        *value = PyFloat_AS_DOUBLE(number);
        return true;
    }
    if (!PyLong_Check(number)) /* a bool is one */
        return false;
    *value = PyLong_AsDouble(number);
    if (*value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return true;
}

bool as_index(PyObject *number, npy_intp *value)
{
    if (!PyLong_Check(number))
        return false;
    *value = PyLong_AsSsize_t(number);
    if (*value == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    return true;
}

PyObject *new_array(int type, int ndim, const npy_intp *shape)
{
    prepare_allocator(ndim, shape);
    return PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(type), ndim, shape, NULL, NULL,
                                0, NULL);
}

PyObject *contiguous(PyObject *object)
{
    if (PyArray_IS_C_CONTIGUOUS((PyArrayObject *)object))
        return Py_NewRef(object);
    prepare_allocator(PyArray_NDIM((PyArrayObject *)object), PyArray_DIMS((PyArrayObject *)object));
    return PyArray_NewCopy((PyArrayObject *)object, NPY_CORDER);
}

bool take(int count, PyObject *const *args, PyObject **taken)
{
    bool whole = true;
    for (int i = 0; i < count; i++) {
        taken[i] = args[i] == Py_None ? NULL : contiguous(args[i]);
        whole = whole && (taken[i] || args[i] == Py_None);
    }
    return whole;
}

void drop(int count, PyObject **taken)
{
    for (int i = 0; i < count; i++)
        Py_XDECREF(taken[i]);
}

PyObject *packed(int count, PyObject **results)
{
    PyObject *tuple = NULL;
    bool whole = true;
    for (int i = 0; i < count; i++)
        whole = whole && results[i];
    if (whole && (tuple = PyTuple_New(count)))
        for (int i = 0; i < count; i++)
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(results[i]));
    drop(count, results);
    return tuple;
}
