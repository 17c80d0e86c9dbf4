/* Quick calls of ops in C: calls.c. */
#ifndef CHAINRULE_NATIVE_CALLS_H
#define CHAINRULE_NATIVE_CALLS_H

#include "native.h"

#ifndef Py_GIL_DISABLED
extern PyTypeObject CallType;

/* Learn the classes of core, and where their slots lie. */
PyObject *use_layout(PyObject *module, PyObject *parts);

/* quick_call(kind, name, plain, table, plans, find_plan, as_array, fail, direct, boolean, edges) */
PyObject *quick_call(PyObject *module, PyObject *const *args, Py_ssize_t count);
#endif

#endif
