/* The allocator's face to the rest of the module. */
#ifndef CHAINRULE_NATIVE_MEMORY_H
#define CHAINRULE_NATIVE_MEMORY_H

#include "native.h"

PyObject *memory_stats(PyObject *module, PyObject *unused);
PyObject *set_memory_limit(PyObject *module, PyObject *number);
PyObject *release_memory(PyObject *module, PyObject *unused);
PyObject *use_allocator(PyObject *module, PyObject *unused);

/* Let a large array come from the allocator in whatever thread it is made: NumPy keeps its choice
 * per context, and that of a new thread is empty. */
void prepare_allocator_for(npy_intp elements);

static inline void prepare_allocator(int ndim, const npy_intp *shape)
{
    npy_intp elements = 1;
    for (int i = 0; i < ndim; i++)
        elements *= shape[i];
    if (UNLIKELY(elements > RELEASE))
        prepare_allocator_for(elements);
}

#endif
