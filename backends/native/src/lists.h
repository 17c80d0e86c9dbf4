/* Lists of arrays, as the ops of chainrule/ops/fused.py get them. */
#ifndef CHAINRULE_NATIVE_LISTS_H
#define CHAINRULE_NATIVE_LISTS_H

#include "native.h"

#define MOST_LISTS 5

typedef struct {
    PyObject *held[MOST_LISTS];   /* copies of the lists, which another thread may change */
    PyObject **items[MOST_LISTS]; /* the arrays of each; NULL where it is empty */
    Py_ssize_t count;
    int type;
    npy_intp total; /* of the elements of one list */
} Lists;

/* Take lists of arrays of one type, in which the arrays at each place have one shape. The first
 * *needed* must be full, the others may be empty. Those that *written* names are written to.
 * Returns false to decline; else `let_go` is to be called. */
bool read_lists(PyObject *const *args, int lists, int needed, unsigned written, Lists *result);
void let_go(Lists *lists);

static inline char *item_of(const Lists *lists, int list, Py_ssize_t i)
{
    return lists->items[list] ? PyArray_BYTES(as_array(lists->items[list][i])) : NULL;
}

static inline npy_intp size_of(const Lists *lists, Py_ssize_t i)
{
    return PyArray_SIZE(as_array(lists->items[0][i]));
}

#endif
