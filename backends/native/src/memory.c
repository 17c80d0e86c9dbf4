/* Freed buffers are kept and handed out again: NumPy's handler of memory for arrays.
 *
 * A step of training frees what the next step asks for again. Given back to the system in between,
 * every page of it costs a fault and is zeroed. Here a freed block waits in a list of its size
 * class, until all that waits exceeds a limit. Eight classes per power of two: at most an eighth of
 * a block is not used. A header before the data says which class a block is of.
 */
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>

#define ALIGNMENT 64
#define SMALLEST 64
#define STEPS 8 /* classes per power of two */
#define CLASSES (STEPS * 60)

typedef struct Block {
    size_t size; /* of the data */
    int class;
    struct Block *next; /* while it waits */
} Block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Block *waiting[CLASSES];
static size_t limit = (size_t)256 << 20;
static struct {
    size_t current, peak, kept, made, reused, freed;
} stats;

static PyObject *handler; /* a capsule */

/* The class of a size, and the size of that class. */
static int class_of(size_t size, size_t *rounded)
{
    if (size <= SMALLEST) {
        *rounded = SMALLEST;
        return 0;
    }
    int power = 63 - __builtin_clzl(size - 1); /* 2^power <= size - 1 */
    size_t step = power >= 6 ? (size_t)1 << (power - 3) : 8;
    size_t above = (size - 1 - ((size_t)1 << power)) / step; /* 0 … 7 */
    *rounded = ((size_t)1 << power) + (above + 1) * step;
    return 1 + (power - 6) * STEPS + (int)above;
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    size_t rounded;
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    int class = class_of(size, &rounded);
    pthread_mutex_lock(&lock);
    Block *block = waiting[class];
    if (block) {
        waiting[class] = block->next;
        stats.kept -= rounded;
        stats.reused++;
    } else {
        stats.made++;
    }
    stats.current += rounded;
    if (stats.current > stats.peak)
        stats.peak = stats.current;
    pthread_mutex_unlock(&lock);
    if (!block) {
        void *memory = NULL;
        if (posix_memalign(&memory, ALIGNMENT, ALIGNMENT + rounded) != 0) {
            pthread_mutex_lock(&lock);
            stats.current -= rounded;
            pthread_mutex_unlock(&lock);
            return NULL;
        }
        block = memory;
        block->size = rounded;
        block->class = class;
    }
    return (char *)block + ALIGNMENT;
}

static void *allocate_zeros(void *context, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *data = allocate(context, total);
    if (data)
        memset(data, 0, total);
    return data;
}

static void release(void *context, void *data, size_t size)
{
    (void)context;
    (void)size; /* the header knows better */
    if (!data)
        return;
    Block *block = (Block *)((char *)data - ALIGNMENT);
    pthread_mutex_lock(&lock);
    stats.current -= block->size;
    stats.freed++;
    bool keep = stats.kept + block->size <= limit;
    if (keep) {
        block->next = waiting[block->class];
        waiting[block->class] = block;
        stats.kept += block->size;
    }
    pthread_mutex_unlock(&lock);
    if (!keep)
        free(block);
}

static void *reallocate(void *context, void *data, size_t size)
{
    if (!data)
        return allocate(context, size);
    size_t before = ((Block *)((char *)data - ALIGNMENT))->size, rounded;
    class_of(size, &rounded);
    if (rounded == before)
        return data;
    void *moved = allocate(context, size);
    if (!moved)
        return NULL;
    memcpy(moved, data, before < size ? before : size);
    release(context, data, before);
    return moved;
}

static PyDataMem_Handler definition = {
    "chainrule_native_allocator", 1, {NULL, allocate, allocate_zeros, reallocate, release},
};

static void give_back(size_t until)
{
    for (int class = CLASSES - 1; class >= 0 && stats.kept > until; class--)
        while (waiting[class] && stats.kept > until) {
            Block *block = waiting[class];
            waiting[class] = block->next;
            stats.kept -= block->size;
            free(block);
        }
}

static void lock_memory(void) { pthread_mutex_lock(&lock); }
static void unlock_memory(void) { pthread_mutex_unlock(&lock); }

/* ---- what Python sees ------------------------------------------------------------------------ */

static bool install(void)
{
    PyObject *before = PyDataMem_SetHandler(handler);
    Py_XDECREF(before);
    return before != NULL;
}

PyObject *use_allocator(PyObject *module, PyObject *unused)
{
    if (!handler) {
        handler = PyCapsule_New(&definition, "mem_handler", NULL);
        if (!handler)
            return NULL;
        pthread_atfork(lock_memory, unlock_memory, unlock_memory);
    }
    if (!install())
        return NULL;
    Py_RETURN_NONE;
}

void prepare_allocator_for(npy_intp elements)
{
    if (!handler)
        return; /* not asked for */
    PyObject *current = PyDataMem_GetHandler();
    bool ours = current == handler;
    Py_XDECREF(current);
    if (!ours && !install())
        PyErr_Clear();
}

PyObject *memory_stats(PyObject *module, PyObject *unused)
{
    pthread_mutex_lock(&lock);
    size_t current = stats.current, peak = stats.peak, kept = stats.kept, made = stats.made,
           reused = stats.reused, freed = stats.freed;
    pthread_mutex_unlock(&lock);
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n}", "allocated_bytes.all.current",
                         (Py_ssize_t)current, "allocated_bytes.all.peak", (Py_ssize_t)peak,
                         "inactive_bytes.all.current", (Py_ssize_t)kept,
                         "allocation.all.allocated", (Py_ssize_t)(made + reused),
                         "allocation.all.freed", (Py_ssize_t)freed, "allocation.all.reused",
                         (Py_ssize_t)reused);
}

PyObject *set_memory_limit(PyObject *module, PyObject *number)
{
    Py_ssize_t bytes = PyLong_AsSsize_t(number);
    if (bytes == -1 && PyErr_Occurred())
        return NULL;
    if (bytes < 0) {
        PyErr_SetString(PyExc_ValueError, "set_memory_limit: expected a number of bytes >= 0");
        return NULL;
    }
    pthread_mutex_lock(&lock);
    limit = (size_t)bytes;
    give_back(limit);
    pthread_mutex_unlock(&lock);
    Py_RETURN_NONE;
}

PyObject *release_memory(PyObject *module, PyObject *unused)
{
    pthread_mutex_lock(&lock);
    give_back(0);
    pthread_mutex_unlock(&lock);
    Py_RETURN_NONE;
}
