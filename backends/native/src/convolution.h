/* What the files of convolutions share. */
#ifndef CHAINRULE_NATIVE_CONVOLUTION_H
#define CHAINRULE_NATIVE_CONVOLUTION_H

#include "native.h"

#define SLACK 64 /* elements behind a buffer that may be read and written */
#define SPACE(type, count) ((sizeof(type) * (size_t)(count) + 63) & ~(size_t)63)

/* Sizes, per group: *in* and *height* by *width* on the side of the windows' input, *out* and
 * *out_y* by *out_x* on the side of their results. */
typedef struct {
    npy_intp samples, groups, in, out;
    npy_intp height, width, kernel_y, kernel_x, out_y, out_x;
    npy_intp stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x;
    npy_intp high, wide; /* of a padded plane */
} Geometry;

/* Convolutions by fewer products: winograd.c. Numbers are float32. */
typedef enum { DONE, NOT_FINITE, NO_MEMORY } Outcome;

/* Whether it pays. */
bool winograd_takes(const Geometry *g);

/* Both write to *out*, and then tell whether the numbers are to be trusted: see winograd.c. */
Outcome winograd_correlate(const Geometry *g, const float *x, const float *weight, const float *bias,
                           float *out);
Outcome winograd_weigh(const Geometry *g, const float *grad, const float *x, float *out);

#endif
