/* Products of matrices, by the library that NumPy has loaded already.
 *
 * It is found at run time: nothing is linked, so there is one BLAS in a process, with one pool of
 * threads. Matrices are stored by rows, and *lda* is how far one row is from the next.
 */
#ifndef CHAINRULE_NATIVE_BLAS_H
#define CHAINRULE_NATIVE_BLAS_H

#include "native.h"

/* c = alpha a b + beta c, where a is m by k, b is k by n; *ta* and *tb*: stored transposed. */
void gemm_single(bool ta, bool tb, npy_intp m, npy_intp n, npy_intp k, float alpha, const float *a,
                 npy_intp lda, const float *b, npy_intp ldb, float beta, float *c, npy_intp ldc);
void gemm_real(bool ta, bool tb, npy_intp m, npy_intp n, npy_intp k, double alpha, const double *a,
               npy_intp lda, const double *b, npy_intp ldb, double beta, double *c, npy_intp ldc);

/* Whether there is one, whose integers can count *elements*. Kernels that need it decline if not. */
bool blas_takes(npy_intp elements);

/* Between the two, every product is computed by the thread that asks for it: kernels have several
 * threads compute products side by side. Numbers then do not depend on how many there are. */
void blas_alone(void);
void blas_together(void);

/* `parallel` between the two, and without the GIL where *work*, a count of additions, is long. */
void parallel_products(double work, npy_intp count, npy_intp grain, Part part, void *job);

/* connect_blas(path): find the functions in the library at *path*, or in those it was linked with. */
PyObject *connect_blas(PyObject *module, PyObject *path);

/* Memory of the calling thread, at least *bytes* of it, aligned to 64; kept for the next call.
 * NULL if there is none. A part of a job asks once and divides what it gets. */
void *scratch(size_t bytes);

#endif
