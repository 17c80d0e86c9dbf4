/* Elementary functions without branches, which the compiler turns into vectors.
 *
 * Each is right to one or two units in the last place, over all numbers: infinities, NaN, numbers
 * below the normal ones, both zeros. tests/backends/native measures that.
 *
 * Source: the polynomials of exp and tanh in single precision and the quotients of tanh in double
 * are those of S. Moshier's Cephes library (1989); log is W. Cody's and W. Waite's reduction with the
 * polynomials of Sun's fdlibm (1993); exp in double is Taylor's series.
 */
#ifndef CHAINRULE_NATIVE_FUNCTIONS_H
#define CHAINRULE_NATIVE_FUNCTIONS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline int32_t bits32(float x) { int32_t i; memcpy(&i, &x, 4); return i; }
static inline float float32(int32_t i) { float x; memcpy(&x, &i, 4); return x; }
static inline int64_t bits64(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double float64(int64_t i) { double x; memcpy(&x, &i, 8); return x; }

/* ---- exp -------------------------------------------------------------------------------------- */

/* exp(x) = 2^n exp(r) with |r| <= log(2) / 2. The power is multiplied in as two factors, each of
 * which is a normal number even where the result is not. Adding 1.5 * 2^23 rounds to an integer,
 * which then stands in the low bits. */
static inline float exp_single(float x)
{
    const float magic = 12582912.0f;
    float y = x < -104.0f ? -104.0f : x;
    y = y > 89.0f ? 89.0f : y;
    float shifted = y * 1.44269504088896341f + magic;
    float n = shifted - magic;
    int32_t i = bits32(shifted) - bits32(magic), half = i >> 1;
    float r = y - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    return p * float32((half + 127) << 23) * float32((i - half + 127) << 23);
}

static inline double exp_real(double x)
{
    const double magic = 6755399441055744.0;
    double y = x < -746.0 ? -746.0 : x;
    y = y > 710.0 ? 710.0 : y;
    double shifted = y * 1.4426950408889634074 + magic;
    double n = shifted - magic;
    double r = y - n * 6.93147180369123816490e-01;
    r = r - n * 1.90821492927058770002e-10;
    double p = 1.6059043836821614599e-10;
    p = p * r + 2.0876756987868098979e-09;
    p = p * r + 2.5052108385441718775e-08;
    p = p * r + 2.7557319223985890653e-07;
    p = p * r + 2.7557319223985890653e-06;
    p = p * r + 2.4801587301587301587e-05;
    p = p * r + 1.9841269841269841270e-04;
    p = p * r + 1.3888888888888888889e-03;
    p = p * r + 8.3333333333333333333e-03;
    p = p * r + 4.1666666666666666667e-02;
    p = p * r + 1.6666666666666666667e-01;
    p = p * r + 0.5;
    p = p * (r * r) + r + 1.0;
    double half_shifted = n * 0.5 + magic, half = half_shifted - magic, rest_shifted = n - half + magic;
    const int64_t one = bits64(1.0);
    /* Shifting left drops all but the integer in the low bits. Unsigned: an overflow is meant. */
    double first = float64((int64_t)(((uint64_t)bits64(half_shifted) << 52) + (uint64_t)one));
    double second = float64((int64_t)(((uint64_t)bits64(rest_shifted) << 52) + (uint64_t)one));
    return p * first * second;
}

/* ---- log -------------------------------------------------------------------------------------- */

static inline float log_single(float x)
{
    float tiny = x < 1.17549435e-38f ? 1.0f : 0.0f;
    float y = tiny > 0 ? x * 8388608.0f : x;
    int32_t i = bits32(y) - 0x3f3504f3; /* of sqrt(1/2) */
    int32_t k = i >> 23;
    float m = float32((i & 0x007fffff) + 0x3f3504f3);
    float n = (float)k - tiny * 23.0f;
    float f = m - 1.0f, s = f / (2.0f + f), z = s * s, w = z * z;
    float odd = w * (0.40000972152f + w * 0.24279078841f);
    float even = z * (0.66666662693f + w * 0.28498786688f);
    float half = 0.5f * f * f;
    float result = s * (half + (odd + even)) + n * 9.0580006145e-06f - half + f + n * 6.9313812256e-01f;
    result = x == INFINITY ? x : result;
    result = x == 0.0f ? -INFINITY : result;
    return x < 0.0f ? NAN : x != x ? x : result;
}

static inline double log_real(double x)
{
    double tiny = x < 2.2250738585072014e-308 ? 1.0 : 0.0;
    double y = tiny > 0 ? x * 18014398509481984.0 : x;
    const int64_t root = 0x3fe6a09e667f3bcd; /* of sqrt(1/2) */
    /* Offset by 1.0, so that the exponent is positive and shifts as an unsigned number. */
    uint64_t i = (uint64_t)bits64(y) - (uint64_t)root + 0x3ff0000000000000u;
    double k = float64((int64_t)((i >> 52) | 0x4330000000000000u)) - 4503599627371519.0; /* 2^52 + 1023 */
    double m = float64((int64_t)((i & 0x000fffffffffffffu) + (uint64_t)root));
    double n = k - tiny * 54.0;
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, w = z * z;
    double odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double even = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 +
                  w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double half = 0.5 * f * f;
    double result = s * (half + (odd + even)) + n * 1.90821492927058770002e-10 - half + f +
                    n * 6.93147180369123816490e-01;
    result = x == (double)INFINITY ? x : result;
    result = x == 0.0 ? -(double)INFINITY : result;
    return x < 0.0 ? (double)NAN : x != x ? x : result;
}

/* log(1 + y) for y from 0 to 1: what rounding 1 + y lost is put back. */
static inline float log1p_unit_single(float y)
{
    float u = 1.0f + y, lost = y - (u - 1.0f);
    return log_single(u) + lost / u;
}

static inline double log1p_unit_real(double y)
{
    double u = 1.0 + y, lost = y - (u - 1.0);
    return log_real(u) + lost / u;
}

/* ---- tanh and sigmoid ------------------------------------------------------------------------- */

static inline float tanh_single(float x)
{
    float a = fabsf(x), z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    float near = p * z * x + x;
    float far = copysignf(1.0f - 2.0f / (exp_single(a + a) + 1.0f), x);
    return a < 0.625f ? near : far;
}

static inline double tanh_real(double x)
{
    double a = fabs(x), z = x * x;
    double p = (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3;
    double q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z + 4.84406305325125486048e3;
    double near = x + x * z * (p / q);
    double far = copysign(1.0 - 2.0 / (exp_real(a + a) + 1.0), x);
    return a < 0.625 ? near : far;
}

static inline float sigmoid_single(float x) { return 1.0f / (1.0f + exp_single(-x)); }
static inline double sigmoid_real(double x) { return 1.0 / (1.0 + exp_real(-x)); }

#endif
