/* Quick calls of ops: what core/chainrule/fast.py does for plain ones, in C.
 *
 * Tensors, nodes and what belongs to them are Python objects with slots. Where a slot lies is asked
 * once (`use_layout`); then an attribute is one load. Whatever is not plain goes to the Python
 * function that this one stands for: every such question is asked before anything was computed.
 */
#include "native.h"

#include "calls.h"

#include <structmember.h>

#ifndef Py_GIL_DISABLED

#define MAX_STATICS 6

/* ---- where the attributes lie ----------------------------------------------------------------- */

#define SLOTS(X)                                                                                   \
    X(value, _array) X(value, _base) X(value, _grad) X(value, _hooks) X(value, _key)               \
    X(value, _node) X(value, _output_nr) X(value, _requires_grad) X(value, _storage)               \
    X(value, _view) X(storage, version) X(storage, writes) X(record, seen) X(record, op)           \
    X(record, bound) X(record, number) X(record, in_grad_mode) X(key, array_type) X(key, boolean)  \
    X(key, category) X(key, floating) X(key, index) X(node, _edges) X(node, _extras) X(node, _key) \
    X(node, _outputs) X(node, _plan) X(node, _saved) X(node, _seq) X(node, _shape)                 \
    X(node, _versions) X(plan, keep) X(plan, keeps_result) X(plan, node_class) X(plan, of_two)     \
    X(plan, padding) X(plan, shape_slots) X(plan, tail) X(plan, tensor_slots)

/* at.value_array is the offset of the slot _array of a value. */
#define FIELD(class, slot) Py_ssize_t class##slot;
#define FIELD_NAME(class, slot) class##slot
typedef struct {
    SLOTS(FIELD)
} Offsets;
static Offsets at;

/* The classes and functions of core. */
#define PARTS(X)                                                                                   \
    X(value) X(storage) X(record) X(key) X(node) X(plan) X(tensor) X(values) X(quick) X(mode)      \
    X(new_node) X(next_sequence) X(record_node)
#define PART(name) PyObject *name;
typedef struct {
    PARTS(PART)
    PyObject *numbers; /* the iterator behind next_sequence */
} Core;
static Core core;

static PyObject *text_result_class, *text_new_node, *text_next_sequence, *text_enabled, *text_shape, *text_check;
static PyObject *leaf, *zero;

static inline PyObject *peek(PyObject *object, Py_ssize_t offset)
{
    return *(PyObject **)((char *)object + offset);
}

/* Fill a slot of a new object, which is empty. */
static inline void fill(PyObject *object, Py_ssize_t offset, PyObject *item)
{
    *(PyObject **)((char *)object + offset) = Py_NewRef(item);
}

static inline void give(PyObject *object, Py_ssize_t offset, PyObject *item)
{
    *(PyObject **)((char *)object + offset) = item;
}

/* Change a slot that is filled. */
static inline void change(PyObject *object, Py_ssize_t offset, PyObject *item)
{
    PyObject **slot = (PyObject **)((char *)object + offset), *before = *slot;
    *slot = Py_NewRef(item);
    Py_XDECREF(before);
}

static inline PyObject *const *items(PyObject *tuple) { return ((PyTupleObject *)tuple)->ob_item; }

/* The offset of the slot *name* of *class*, or -1 with an exception. */
static Py_ssize_t offset_of(PyObject *class, const char *name)
{
    PyObject *descriptor = PyObject_GetAttrString(class, name);
    if (!descriptor)
        return -1;
    Py_ssize_t offset = -1;
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
        offset = ((PyMemberDescrObject *)descriptor)->d_member->offset;
    else
        PyErr_Format(PyExc_TypeError, "use_layout: %R has no slot %s", class, name);
    Py_DECREF(descriptor);
    return offset;
}

/* Nothing is changed unless all of it is there. */
PyObject *use_layout(PyObject *module, PyObject *parts)
{
    Offsets offsets;
    Core found;
    if (!PyDict_Check(parts)) {
        PyErr_SetString(PyExc_TypeError, "use_layout: expected a dict");
        return NULL;
    }
#define TAKE(name)                                                                                 \
    if (!(found.name = PyDict_GetItemString(parts, #name))) {                                      \
        PyErr_SetString(PyExc_KeyError, #name);                                                    \
        return NULL;                                                                               \
    }
    PARTS(TAKE)
#define LOOK(class, slot)                                                                          \
    if ((offsets.FIELD_NAME(class, slot) = offset_of(found.class, #slot)) < 0)                     \
        return NULL;
    SLOTS(LOOK)
    if (!PyDict_Check(found.values) || !PyDict_Check(found.quick) || !PyType_Check(found.tensor)) {
        PyErr_SetString(PyExc_TypeError, "use_layout: expected namespaces and a class of tensors");
        return NULL;
    }
    found.numbers = PyObject_GetAttrString(found.next_sequence, "__self__");
    if (!found.numbers)
        return NULL;
    if (!leaf)
        leaf = PyLong_FromLong(-1), zero = PyLong_FromLong(0);
    name(&text_result_class, "result_class"), name(&text_new_node, "new_node");
    name(&text_next_sequence, "next_sequence"), name(&text_enabled, "enabled");
    name(&text_shape, "shape"), name(&text_check, "check");
    if (!PyIter_Check(found.numbers) || !leaf || !zero || !text_check) {
        Py_DECREF(found.numbers);
        PyErr_SetString(PyExc_TypeError, "use_layout: expected numbers in sequence");
        return NULL;
    }
#define HOLD(name) Py_INCREF(found.name);
    PARTS(HOLD)
    core = found, at = offsets; /* what was known before is kept alive: calls may still run */
    Py_RETURN_NONE;
}

/* ---- tensors ---------------------------------------------------------------------------------- */

/* Subclasses of tensors whose slots are not hidden by a property, as an uninitialized parameter's are: as of
 * which version of the class. */
#define REMEMBERED 8
static struct {
    PyTypeObject *type; /* not held: versions are never given twice */
    unsigned version;
} open_types[REMEMBERED];

static bool is_open(PyTypeObject *type)
{
    static const char *const slots[] = {"_array", "_base", "_grad", "_hooks", "_key", "_node", "_output_nr",
                                        "_requires_grad", "_storage", "_view"};
    bool same = true;
    for (size_t k = 0; same && k < sizeof slots / sizeof *slots; k++) {
        PyObject *stated = PyObject_GetAttrString(core.value, slots[k]);
        PyObject *found = PyObject_GetAttrString((PyObject *)type, slots[k]);
        same = stated && stated == found;
        Py_XDECREF(stated), Py_XDECREF(found);
    }
    PyErr_Clear();
    if (same && type->tp_version_tag) {
        static unsigned oldest;
        open_types[oldest].type = type, open_types[oldest].version = type->tp_version_tag;
        oldest = (oldest + 1) % REMEMBERED;
    }
    return same;
}

static bool is_of_subclass(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (!PyType_IsSubtype(type, (PyTypeObject *)core.value))
        return false;
    for (int k = 0; k < REMEMBERED; k++)
        if (open_types[k].type == type && open_types[k].version == type->tp_version_tag)
            return true;
    return is_open(type);
}

static inline bool is_value(PyObject *object)
{
    return (PyObject *)Py_TYPE(object) == core.tensor || is_of_subclass(object);
}

/* Whether a tensor can be taken as it is: a view knows its history, and the storage counts. */
static inline bool is_current(PyObject *value)
{
    PyObject *storage = peek(value, at.value_storage);
    if (storage != Py_None && (!storage || (PyObject *)Py_TYPE(storage) != core.storage))
        return false; /* made by object.__new__ and empty, or of inference mode */
    if (peek(value, at.value_base) == Py_None)
        return true;
    PyObject *record = peek(value, at.value_view);
    return record && storage != Py_None && peek(record, at.recordseen) == peek(storage, at.storagewrites);
}

static inline bool wants_grad(PyObject *value)
{
    PyObject *flag = peek(value, at.value_requires_grad);
    return flag == Py_True || (flag != Py_False && PyObject_IsTrue(flag) > 0);
}

/* Whether results are plain tensors now, and not those of inference mode. */
static inline bool makes_tensors(void)
{
    return PyDict_GetItemWithError(core.values, text_result_class) == core.tensor;
}

static int is_recording(void)
{
    PyObject *enabled = PyObject_GetAttr(core.mode, text_enabled);
    int answer = enabled ? PyObject_IsTrue(enabled) : -1;
    Py_XDECREF(enabled);
    return answer;
}

/* A leaf over *array*, whose reference it takes. */
static PyObject *new_tensor(PyObject *array, PyObject *key)
{
    PyTypeObject *type = (PyTypeObject *)core.tensor;
    PyObject *out = type->tp_alloc(type, 0);
    if (UNLIKELY(!out)) {
        Py_DECREF(array);
        return NULL;
    }
    give(out, at.value_array, array);
    fill(out, at.value_key, key);
    fill(out, at.value_storage, Py_None);
    fill(out, at.value_grad, Py_None);
    fill(out, at.value_base, Py_None);
    fill(out, at.value_hooks, Py_None);
    fill(out, at.value_node, Py_None);
    fill(out, at.value_output_nr, zero);
    fill(out, at.value_requires_grad, Py_False);
    return out;
}

/* Note [Allocations]
 * ------------------
 * Until Python 3.12, allocating an object may collect garbage, which may run any Python code, on other threads
 * too. Nothing that was read from a slot before may be used after it, unless a reference is held.
 */

/* The storage of *value* (borrowed), made on first need. */
static PyObject *storage_of(PyObject *value)
{
    PyObject *storage = peek(value, at.value_storage);
    if (storage != Py_None)
        return storage;
    PyTypeObject *type = (PyTypeObject *)core.storage;
    PyObject *made = type->tp_alloc(type, 0);
    if (!made)
        return NULL;
    fill(made, at.storageversion, zero);
    fill(made, at.storagewrites, zero);
    if (peek(value, at.value_storage) == Py_None) /* else somebody made one meanwhile: Note [Allocations] */
        change(value, at.value_storage, made);
    Py_DECREF(made);
    return peek(value, at.value_storage);
}

/* What a node may keep of its own output: Note [Saving an output] in graph.py. */
static PyObject *alias_of(PyObject *output)
{
    PyObject *storage = storage_of(output);
    PyObject *alias = storage ? new_tensor(Py_NewRef(peek(output, at.value_array)), peek(output, at.value_key)) : NULL;
    if (alias)
        change(alias, at.value_storage, storage);
    return alias;
}

/* ---- calls ------------------------------------------------------------------------------------ */

/* What a plan says, read once. */
typedef struct {
    PyObject *plan; /* NULL: not asked yet; None: no gradient is possible */
    PyTypeObject *node_class;
    PyObject *tail, *shape_slots;
    Py_ssize_t padding;
    bool keep[2], keeps_result;
    bool saves_inputs; /* and statics, maybe the result, and no shape */
    bool saves_tensors, of_two;
    PyObject *saved; /* what the last node saved, if that was no tensor: the next may save the same */
} Known;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *op, *otherwise; /* the Python function that this one stands for */
    PyObject *table, *plans, *find_plan;
    PyObject *statics;  /* the names of the arguments that are no tensors */
    PyObject *defaults; /* and what they are where they are left out */
    Known known[8];     /* by the bits of the inputs that require grad, and 4 with a number */
    unsigned direct;    /* a bit per category of dtypes that needs neither promotion nor a check */
    bool boolean, numbers_have_edges, same_dtype;
} CallObject;

#define REFERENCES(X) X(op) X(otherwise) X(table) X(plans) X(find_plan) X(statics) X(defaults)

static PyObject *pair(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames);

static inline PyObject *otherwise(PyObject *call, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    return PyObject_Vectorcall(((CallObject *)call)->otherwise, args, flags, kwnames);
}

static bool takes(CallObject *call, PyObject *key, PyObject *number)
{
    long category = PyLong_AsLong(peek(key, at.keycategory));
    if (category < 0 || !(call->direct >> category & 1))
        return false;
    if (LIKELY(!number || category > 1))
        return true;
    /* A number changes bools; an integer that every type of integers has leaves integers alone. */
    int overflow;
    long value = category == 1 && PyLong_CheckExact(number) ? PyLong_AsLongAndOverflow(number, &overflow) : -1;
    return value >= 0 && value < 128;
}

/* Whether a first argument is a tensor to go on with. */
static inline bool begins(PyObject *const *args, size_t flags, PyObject *kwnames, Py_ssize_t least)
{
    return PyVectorcall_NARGS(flags) >= least && !kwnames && is_value(args[0]) && is_current(args[0]) &&
           makes_tensors();
}

/* Let the op explain the error that a kernel left. */
static void explain(CallObject *call, PyObject *const *inputs, int count)
{
    PyObject *type, *error, *trace, *values = PyList_New(0);
    if (!values || !PyErr_ExceptionMatches(PyExc_Exception)) {
        Py_XDECREF(values);
        return;
    }
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace)
        PyException_SetTraceback(error, trace);
    bool whole = true;
    for (int k = 0; whole && k < count; k++)
        whole = !is_value(inputs[k]) || PyList_Append(values, inputs[k]) == 0;
    PyObject *nothing = whole ? PyObject_CallMethod(call->op, "fail", "OO", error, values) : NULL;
    Py_XDECREF(nothing), Py_DECREF(values), Py_XDECREF(type), Py_XDECREF(error), Py_XDECREF(trace);
}

/* What the kernel for *key* gives, as an array. The inputs are one or two tensors or numbers. */
static PyObject *computed(CallObject *call, PyObject *key, int count, PyObject *const *inputs, PyObject *const *statics,
                          bool explains)
{
    PyObject *arguments[2 + MAX_STATICS];
    Py_ssize_t named = statics ? PyTuple_GET_SIZE(call->statics) : 0;
    for (int k = 0; k < count; k++) /* held: another thread may exchange the array of a tensor */
        arguments[k] = Py_NewRef(is_value(inputs[k]) ? peek(inputs[k], at.value_array) : inputs[k]);
    for (Py_ssize_t k = 0; k < named; k++)
        arguments[count + k] = statics[k];
    PyObject *kernel = Py_NewRef(PyList_GET_ITEM(call->table, PyLong_AsSsize_t(peek(key, at.keyindex))));
    PyObject *array = PyObject_Vectorcall(kernel, arguments, (size_t)count, named ? call->statics : NULL);
    Py_DECREF(kernel);
    for (int k = 0; k < count; k++)
        Py_DECREF(arguments[k]);
    if (UNLIKELY(!array)) {
        if (explains)
            explain(call, inputs, count);
        return NULL;
    }
    if (UNLIKELY((PyObject *)Py_TYPE(array) != peek(key, at.keyarray_type)))
        Py_SETREF(array, PyObject_CallMethod(call->op, "as_array", "OO", array, key));
    return array;
}

/* The plan for a pattern of inputs; NULL with an exception. */
static Known *plan_for(CallObject *call, int mask, PyObject *number)
{
    PyObject *bits = PyLong_FromLong(mask);
    PyObject *plan = bits ? Py_XNewRef(PyDict_GetItemWithError(call->plans, bits)) : NULL;
    if (!plan && bits && !PyErr_Occurred())
        plan = PyObject_CallFunctionObjArgs(call->find_plan, bits, number ? number : Py_None, NULL);
    Py_XDECREF(bits);
    if (!plan)
        return NULL;
    Known *known = &call->known[mask];
    if (LIKELY(plan == known->plan)) {
        Py_DECREF(plan);
        return known;
    }
    Py_XSETREF(known->plan, plan);
    Py_CLEAR(known->saved);
    if (plan != Py_None) {
        PyObject *keep = peek(plan, at.plankeep);
        known->node_class = (PyTypeObject *)peek(plan, at.plannode_class);
        known->tail = peek(plan, at.plantail);
        known->shape_slots = peek(plan, at.planshape_slots);
        known->padding = PyTuple_GET_SIZE(peek(plan, at.planpadding));
        for (Py_ssize_t k = 0; k < 2; k++)
            known->keep[k] = k < PyTuple_GET_SIZE(keep) && PyTuple_GET_ITEM(keep, k) == Py_True;
        known->keeps_result = peek(plan, at.plankeeps_result) == Py_True;
        known->of_two = peek(plan, at.planof_two) == Py_True;
        known->saves_inputs = PyTuple_GET_SIZE(known->shape_slots) == 0;
        known->saves_tensors = PyTuple_GET_SIZE(peek(plan, at.plantensor_slots)) > 0;
    }
    return known;
}

/* Where the gradient of *value* goes: Note [Edges] in graph.py. */
static PyObject *edge_of(PyObject *value)
{
    if (!is_value(value) || !wants_grad(value))
        return Py_NewRef(Py_None);
    PyObject *edge = PyTuple_New(2);
    if (LIKELY(edge != NULL)) {
        PyObject *node = peek(value, at.value_node);
        PyTuple_SET_ITEM(edge, 0, Py_NewRef(node == Py_None ? value : node));
        PyTuple_SET_ITEM(edge, 1, Py_NewRef(node == Py_None ? leaf : peek(value, at.value_output_nr)));
    }
    return edge;
}

/* What is saved: the inputs that are kept, the statics, maybe the output. */
static PyObject *saved_of(Known *known, int count, PyObject *const *inputs, PyObject *out)
{
    Py_ssize_t statics = PyTuple_GET_SIZE(known->tail), size = count + statics + known->keeps_result;
    PyObject *number = count == 2 && known->keep[1] && !is_value(inputs[1]) ? inputs[1] : Py_None;
    bool constant = !known->saves_tensors && (count < 2 || number != Py_None || !known->keep[1]);
    if (constant && known->saved && (count < 2 || PyTuple_GET_ITEM(known->saved, 1) == number))
        return Py_NewRef(known->saved);
    PyObject *saved = PyTuple_New(size);
    if (!saved)
        return NULL;
    for (int k = 0; k < count; k++)
        PyTuple_SET_ITEM(saved, k, Py_NewRef(known->keep[k] ? inputs[k] : Py_None));
    for (Py_ssize_t k = 0; k < statics; k++)
        PyTuple_SET_ITEM(saved, count + k, Py_NewRef(PyTuple_GET_ITEM(known->tail, k)));
    if (known->keeps_result) {
        PyObject *alias = alias_of(out);
        if (!alias)
            Py_CLEAR(saved);
        else
            PyTuple_SET_ITEM(saved, size - 1, alias);
    }
    if (constant && saved)
        Py_XSETREF(known->saved, Py_NewRef(saved));
    return saved;
}

/* What an op of one tensor saves that keeps none: its shape, and statics. */
static PyObject *saved_shapes(Known *known, PyObject *source, PyObject *const *statics, Py_ssize_t given)
{
    PyObject *saved = PyTuple_New(1 + given + known->padding);
    if (!saved)
        return NULL;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(saved); k++)
        PyTuple_SET_ITEM(saved, k, Py_NewRef(k >= 1 && k <= given ? statics[k - 1] : Py_None));
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(known->shape_slots); k++) {
        Py_ssize_t slot = PyLong_AsSsize_t(PyTuple_GET_ITEM(PyTuple_GET_ITEM(known->shape_slots, k), 0));
        PyObject *array = Py_NewRef(peek(source, at.value_array)), *shape = PyObject_GetAttr(array, text_shape);
        Py_DECREF(array);
        if (!shape || slot < 0 || slot >= PyTuple_GET_SIZE(saved)) {
            Py_XDECREF(shape), Py_DECREF(saved);
            return NULL;
        }
        Py_DECREF(PyTuple_GET_ITEM(saved, slot));
        PyTuple_SET_ITEM(saved, slot, shape);
    }
    return saved;
}

/* The versions of what is saved, or None if nobody wrote: Note [Versions] in graph.py. */
static PyObject *versions_of(Known *known, int count, PyObject *const *inputs)
{
    PyObject *found[2] = {zero, zero};
    bool written = false;
    for (int k = 0; k < count; k++) {
        if (!known->keep[k] || !is_value(inputs[k]))
            continue;
        PyObject *storage = peek(inputs[k], at.value_storage);
        if (storage != Py_None)
            found[k] = peek(storage, at.storageversion);
        written = written || found[k] != zero;
    }
    if (LIKELY(!written))
        return Py_NewRef(Py_None);
    Py_ssize_t size = count + PyTuple_GET_SIZE(known->tail) + 1;
    Py_INCREF(found[0]), Py_INCREF(found[1]); /* Note [Allocations] */
    PyObject *versions = PyTuple_New(size);
    for (Py_ssize_t k = 0; versions && k < size; k++)
        PyTuple_SET_ITEM(versions, k, Py_NewRef(k < count ? found[k] : zero));
    Py_DECREF(found[0]), Py_DECREF(found[1]);
    return versions;
}

/* Make the node by core's own function: somebody watches, or what is saved is not plain. */
static int record_in_python(PyObject *plan, int count, PyObject *const *inputs, PyObject *const *statics,
                            Py_ssize_t given, PyObject *out)
{
    PyObject *bound = PyTuple_New(count + given), *outputs = bound ? PyTuple_Pack(1, out) : NULL, *done = NULL;
    for (Py_ssize_t k = 0; bound && k < count + given; k++)
        PyTuple_SET_ITEM(bound, k, Py_NewRef(k < count ? inputs[k] : statics[k - count]));
    if (outputs)
        done = PyObject_CallFunctionObjArgs(core.record_node, plan, bound, outputs, NULL);
    Py_XDECREF(outputs), Py_XDECREF(bound), Py_XDECREF(done);
    return done ? 0 : -1;
}

static inline bool is_watched(void)
{
    return PyDict_GetItemWithError(core.quick, text_new_node) != core.new_node;
}

static PyObject *next_number(void)
{
    PyObject *next = PyDict_GetItemWithError(core.quick, text_next_sequence);
    if (LIKELY(next == core.next_sequence))
        return Py_TYPE(core.numbers)->tp_iternext(core.numbers);
    return next ? PyObject_CallNoArgs(next) : NULL;
}

/* Leave a node on *out* that saves *saved*, under *versions* (both taken). */
static int leave_node(Known *known, int edges, PyObject *const *inputs, PyObject *out, PyObject *saved,
                      PyObject *versions)
{
    PyObject *node = known->node_class->tp_alloc(known->node_class, 0), *around = PyTuple_New(edges);
    if (!node) {
        Py_XDECREF(around), Py_XDECREF(saved), Py_XDECREF(versions);
        return -1;
    }
    bool whole = around && saved && versions;
    for (int k = 0; whole && k < edges; k++) {
        PyObject *edge = edge_of(inputs[k]);
        PyTuple_SET_ITEM(around, k, edge);
        whole = edge != NULL;
    }
    give(node, at.node_edges, around);
    give(node, at.node_saved, saved);
    give(node, at.node_versions, versions);
    give(node, at.node_shape, PyObject_GetAttr(peek(out, at.value_array), text_shape));
    give(node, at.node_seq, next_number());
    fill(node, at.node_plan, known->plan);
    fill(node, at.node_extras, Py_None);
    fill(node, at.node_outputs, Py_None);
    fill(node, at.node_key, peek(out, at.value_key));
    if (!whole || !peek(node, at.node_shape) || !peek(node, at.node_seq)) {
        Py_DECREF(node);
        return -1;
    }
    change(out, at.value_requires_grad, Py_True);
    Py_SETREF(*(PyObject **)((char *)out + at.value_node), node);
    return 0;
}

/* *out*, recorded if there is need; NULL with an exception. For one or two tensors or numbers. */
static PyObject *recorded(CallObject *call, int mask, int count, PyObject *const *inputs, int edges, PyObject *out)
{
    int recording = mask & 3 ? is_recording() : 0;
    if (recording <= 0) {
        if (recording < 0)
            Py_CLEAR(out);
        return out;
    }
    Known *known = plan_for(call, mask, mask & 4 ? inputs[1] : NULL);
    if (!known) {
        Py_DECREF(out);
        return NULL;
    }
    if (known->plan == Py_None)
        return out;
    PyObject *plan = Py_NewRef(known->plan);
    bool plain = known->saves_inputs && (call->call != pair || known->of_two) && !is_watched();
    int failed = plain
                     ? leave_node(known, edges, inputs, out, saved_of(known, count, inputs, out),
                                  versions_of(known, count, inputs))
                     : record_in_python(plan, count, inputs, items(known->tail), PyTuple_GET_SIZE(known->tail), out);
    Py_DECREF(plan);
    if (failed)
        Py_CLEAR(out);
    return out;
}

/* Likewise of one tensor, by what may save its shape. */
static PyObject *recorded_shape(CallObject *call, PyObject *source, PyObject *const *statics, Py_ssize_t given,
                                PyObject *out)
{
    int recording = wants_grad(source) && peek(peek(out, at.value_key), at.keyfloating) == Py_True ? is_recording() : 0;
    if (recording <= 0) {
        if (recording < 0)
            Py_CLEAR(out);
        return out;
    }
    Known *known = plan_for(call, 1, NULL);
    if (!known) {
        Py_DECREF(out);
        return NULL;
    }
    if (known->plan == Py_None)
        return out;
    PyObject *plan = Py_NewRef(known->plan);
    int failed = !known->saves_tensors && !is_watched()
                     ? leave_node(known, 1, &source, out, saved_shapes(known, source, statics, given),
                                  Py_NewRef(Py_None))
                     : record_in_python(plan, 1, &source, statics, given, out);
    Py_DECREF(plan);
    if (failed)
        Py_CLEAR(out);
    return out;
}

/* ---- kinds of calls: those of fast.py ---------------------------------------------------------- */

static PyObject *unary(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    CallObject *call = (CallObject *)self;
    if (!begins(args, flags, kwnames, 1) || PyVectorcall_NARGS(flags) != 1)
        return otherwise(self, args, flags, kwnames);
    PyObject *key = peek(args[0], at.value_key);
    if (!takes(call, key, NULL))
        return otherwise(self, args, flags, kwnames);
    PyObject *array = computed(call, key, 1, args, NULL, false);
    PyObject *out = array ? new_tensor(array, call->boolean ? peek(key, at.keyboolean) : key) : NULL;
    return out ? recorded(call, wants_grad(args[0]), 1, args, 1, out) : NULL;
}

static PyObject *binary(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    CallObject *call = (CallObject *)self;
    if (!begins(args, flags, kwnames, 2) || PyVectorcall_NARGS(flags) != 2)
        return otherwise(self, args, flags, kwnames);
    PyObject *key = peek(args[0], at.value_key), *other = args[1];
    bool number = PyFloat_CheckExact(other) || PyLong_CheckExact(other);
    if (!takes(call, key, number ? other : NULL) ||
        !(number || (is_value(other) && is_current(other) && peek(other, at.value_key) == key)))
        return otherwise(self, args, flags, kwnames);
    PyObject *array = computed(call, key, 2, args, NULL, true);
    PyObject *out = array ? new_tensor(array, call->boolean ? peek(key, at.keyboolean) : key) : NULL;
    if (!out)
        return NULL;
    int mask = wants_grad(args[0]) | (number ? 4 : 2 * wants_grad(other));
    return recorded(call, mask, 2, args, number && !call->numbers_have_edges ? 1 : 2, out);
}

/* Two tensors and nothing else, which the op checks. */
static PyObject *pair(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    CallObject *call = (CallObject *)self;
    if (!begins(args, flags, kwnames, 2) || PyVectorcall_NARGS(flags) != 2 || !is_value(args[1]) ||
        !is_current(args[1]) || peek(args[1], at.value_key) != peek(args[0], at.value_key))
        return otherwise(self, args, flags, kwnames);
    PyObject *check = PyObject_GetAttr(call->op, text_check);
    PyObject *fine = !check || check == Py_None ? Py_XNewRef(check) : PyObject_Vectorcall(check, args, 2, NULL);
    Py_XDECREF(check);
    if (!fine)
        return NULL;
    Py_DECREF(fine);
    PyObject *key = peek(args[0], at.value_key), *array = computed(call, key, 2, args, NULL, false);
    PyObject *out = array ? new_tensor(array, key) : NULL;
    if (!out || peek(key, at.keyfloating) != Py_True)
        return out;
    int mask = wants_grad(args[0]) | 2 * wants_grad(args[1]);
    return recorded(call, mask, 2, args, 2, out);
}

/* One tensor, and a new one out of it: without statics, a reduction of everything, a copy. */
static PyObject *of_one(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    CallObject *call = (CallObject *)self;
    if (!begins(args, flags, kwnames, 1) || PyVectorcall_NARGS(flags) != 1)
        return otherwise(self, args, flags, kwnames);
    PyObject *check = PyObject_GetAttr(call->op, text_check);
    bool plain = check == Py_None;
    Py_XDECREF(check);
    if (!plain) {
        PyErr_Clear();
        return otherwise(self, args, flags, kwnames);
    }
    PyObject *key = peek(args[0], at.value_key), *array = computed(call, key, 1, args, NULL, false);
    if (!array)
        return NULL;
    PyObject *source = peek(args[0], at.value_array), *result_key = NULL;
    bool same = call->same_dtype || (PyArray_CheckExact(array) && PyArray_CheckExact(source) &&
                                     PyArray_DESCR(as_array(array)) == PyArray_DESCR(as_array(source)));
    if (!same) {
        PyObject *dtype = PyObject_CallMethod(call->op, "result_dtype", "OO", key, array);
        result_key = dtype ? PyObject_CallMethod(key, "of", "N", dtype) : NULL;
        if (!result_key) {
            Py_DECREF(array);
            return NULL;
        }
    }
    PyObject *out = new_tensor(array, same ? key : result_key);
    Py_XDECREF(result_key);
    return out ? recorded_shape(call, args[0], items(call->defaults), PyTuple_GET_SIZE(call->defaults), out) : NULL;
}

/* Make *view* one of *source*: views.become_view. */
static int become_view(CallObject *call, PyObject *view, PyObject *const *args, Py_ssize_t count)
{
    PyTypeObject *type = (PyTypeObject *)core.record;
    PyObject *bound = PyTuple_New(count), *record = bound ? type->tp_alloc(type, 0) : NULL;
    PyObject *enabled = record ? PyObject_GetAttr(core.mode, text_enabled) : NULL;
    int recording = enabled ? PyObject_IsTrue(enabled) : -1;
    PyObject *storage = recording < 0 ? NULL : storage_of(args[0]); /* last: Note [Allocations] */
    if (!storage) {
        Py_XDECREF(bound), Py_XDECREF(record), Py_XDECREF(enabled);
        return -1;
    }
    for (Py_ssize_t k = 0; k < count; k++)
        PyTuple_SET_ITEM(bound, k, Py_NewRef(args[k]));
    fill(record, at.recordop, call->op);
    give(record, at.recordbound, bound);
    fill(record, at.recordnumber, Py_None);
    fill(record, at.recordseen, peek(storage, at.storagewrites));
    give(record, at.recordin_grad_mode, enabled);
    PyObject *base = peek(args[0], at.value_base);
    give(view, at.value_view, record);
    change(view, at.value_storage, storage);
    change(view, at.value_base, base == Py_None ? args[0] : base);
    if (!recording && wants_grad(args[0]) && peek(peek(view, at.value_key), at.keyfloating) == Py_True)
        change(view, at.value_requires_grad, Py_True); /* though it is a leaf: what it looks into does */
    return 0;
}

static PyObject *view(PyObject *self, PyObject *const *args, size_t flags, PyObject *kwnames)
{
    CallObject *call = (CallObject *)self;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (!begins(args, flags, kwnames, 1) || count != 1 + PyTuple_GET_SIZE(call->statics) || !call->same_dtype)
        return otherwise(self, args, flags, kwnames);
    PyObject *key = peek(args[0], at.value_key), *array = computed(call, key, 1, args, args + 1, false);
    PyObject *out = array ? new_tensor(array, key) : NULL;
    if (!out)
        return NULL;
    if (become_view(call, out, args, count) < 0) {
        Py_DECREF(out);
        return NULL;
    }
    return recorded_shape(call, args[0], args + 1, count - 1, out);
}

/* ---- a call as a Python object ---------------------------------------------------------------- */

static int call_traverse(PyObject *self, visitproc visit, void *arg)
{
    CallObject *call = (CallObject *)self;
#define VISIT(field) Py_VISIT(call->field);
    REFERENCES(VISIT)
    for (int k = 0; k < 8; k++) {
        Py_VISIT(call->known[k].plan);
        Py_VISIT(call->known[k].saved);
    }
    return 0;
}

static int call_clear(PyObject *self)
{
    CallObject *call = (CallObject *)self;
#define CLEAR(field) Py_CLEAR(call->field);
    REFERENCES(CLEAR)
    for (int k = 0; k < 8; k++) {
        Py_CLEAR(call->known[k].plan);
        Py_CLEAR(call->known[k].saved);
    }
    return 0;
}

static void call_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    call_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *call_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<native call of %R>", ((CallObject *)self)->op);
}

static PyMemberDef call_members[] = {
    {"op", T_OBJECT_EX, offsetof(CallObject, op), READONLY, "The op."},
    {"__wrapped__", T_OBJECT_EX, offsetof(CallObject, otherwise), READONLY,
     "The function that takes whatever is not plain."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject CallType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "chainrule_native.Call",
    .tp_doc = "A quick call of an op, which passes on what is not plain.",
    .tp_basicsize = sizeof(CallObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(CallObject, call),
    .tp_call = PyVectorcall_Call,
    .tp_dealloc = call_dealloc,
    .tp_traverse = call_traverse,
    .tp_clear = call_clear,
    .tp_repr = call_repr,
    .tp_members = call_members,
};

static const struct {
    const char *name;
    vectorcallfunc call;
} kinds[] = {{"unary", unary}, {"binary", binary}, {"pair", pair}, {"of_one", of_one}, {"view", view}};

PyObject *quick_call(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *kind, *op, *otherwise, *table, *plans, *find_plan, *statics, *defaults;
    unsigned direct;
    int boolean, edges, same_dtype;
    PyObject *given = PyTuple_New(count);
    for (Py_ssize_t k = 0; given && k < count; k++)
        PyTuple_SET_ITEM(given, k, Py_NewRef(args[k]));
    int parsed = given && PyArg_ParseTuple(given, "UOOO!O!OO!O!Ippp:quick_call", &kind, &op, &otherwise, &PyList_Type,
                                           &table, &PyDict_Type, &plans, &find_plan, &PyTuple_Type, &statics,
                                           &PyTuple_Type, &defaults, &direct, &boolean, &edges, &same_dtype);
    Py_XDECREF(given); /* the caller holds the items */
    if (!parsed)
        return NULL;
    vectorcallfunc function = NULL;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        if (PyUnicode_CompareWithASCIIString(kind, kinds[k].name) == 0)
            function = kinds[k].call;
    if (!function || !core.value || PyTuple_GET_SIZE(statics) > MAX_STATICS)
        Py_RETURN_NONE;
    CallObject *call = (CallObject *)CallType.tp_alloc(&CallType, 0);
    if (!call)
        return NULL;
    call->call = function;
#define KEEP(field) call->field = Py_NewRef(field);
    REFERENCES(KEEP)
    call->direct = direct, call->boolean = boolean, call->numbers_have_edges = edges, call->same_dtype = same_dtype;
    return (PyObject *)call;
}

#endif
