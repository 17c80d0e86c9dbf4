/* Reading lists of arrays, and letting them go. */
#include "lists.h"

void let_go(Lists *lists)
{
    for (int k = 0; k < MOST_LISTS; k++)
        Py_CLEAR(lists->held[k]);
}

static bool fits(const Lists *lists, int k, Py_ssize_t i, bool written)
{
    PyObject *array = lists->items[k][i];
    return float_type(array) == lists->type && is_contiguous(array) &&
           same_shape(array, lists->items[0][i]) &&
           (!written || PyArray_ISWRITEABLE(as_array(array)));
}

bool read_lists(PyObject *const *args, int lists, int needed, unsigned written, Lists *result)
{
    memset(result, 0, sizeof *result);
    for (int k = 0; k < lists; k++) {
        if (!PyList_CheckExact(args[k]))
            goto declined;
        result->held[k] = PyList_AsTuple(args[k]);
        if (!result->held[k])
            goto declined;
        Py_ssize_t size = PyTuple_GET_SIZE(result->held[k]);
        if (k == 0)
            result->count = size;
        if (result->count == 0 || (size != result->count && (size != 0 || k < needed)))
            goto declined;
        result->items[k] = size ? ((PyTupleObject *)result->held[k])->ob_item : NULL;
        if (k == 0)
            result->type = float_type(result->items[0][0]);
        if (result->type < 0)
            goto declined;
        for (Py_ssize_t i = 0; i < size; i++)
            if (!fits(result, k, i, written >> k & 1))
                goto declined;
    }
    for (Py_ssize_t i = 0; i < result->count; i++)
        result->total += size_of(result, i);
    return true;
declined:
    PyErr_Clear();
    let_go(result);
    return false;
}
