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

/* Products and sums become one instruction where it says so and where there is one, not as the
 * compiler likes: what an element comes to must not depend on its place in the array, and the
 * remainder of a loop is another piece of code than its vectors. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FMA(x, y, z) _Generic((x), float: __builtin_fmaf, double: __builtin_fma)(x, y, z)
#else
#define FMA(x, y, z) ((x) * (y) + (z))
#endif

static inline int32_t bits32(float x) { int32_t i; memcpy(&i, &x, 4); return i; }
static inline float float32(int32_t i) { float x; memcpy(&x, &i, 4); return x; }
static inline int64_t bits64(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double float64(int64_t i) { double x; memcpy(&x, &i, 8); return x; }

/* ---- exp -------------------------------------------------------------------------------------- */

/* 2 to the power of n. Shifted unsigned: of NaN, n is anything. */
static inline float power_single(int32_t n)
{
    return float32((int32_t)(((uint32_t)n + 127u) << 23));
}

/* exp(x) = 2^n exp(r) with |r| <= log(2) / 2. The power is multiplied in as two factors, each of
 * which is a normal number even where the result is not. Adding 1.5 * 2^23 rounds to an integer,
 * which then stands in the low bits. */
static inline float exp_single(float x)
{
    const float magic = 12582912.0f;
    float y = x < -104.0f ? -104.0f : x;
    y = y > 89.0f ? 89.0f : y;
    float shifted = FMA(y, 1.44269504088896341f, magic);
    float n = shifted - magic;
    int32_t i = (int32_t)((uint32_t)bits32(shifted) - (uint32_t)bits32(magic)), half = i >> 1;
    float r = FMA(n, -0.693359375f, y);
    r = FMA(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = FMA(p, r, 1.3981999507e-3f);
    p = FMA(p, r, 8.3334519073e-3f);
    p = FMA(p, r, 4.1665795894e-2f);
    p = FMA(p, r, 1.6666665459e-1f);
    p = FMA(p, r, 5.0000001201e-1f);
    p = FMA(p, r * r, r) + 1.0f;
    return p * power_single(half) * power_single(i - half);
}

static inline double exp_real(double x)
{
    const double magic = 6755399441055744.0;
    double y = x < -746.0 ? -746.0 : x;
    y = y > 710.0 ? 710.0 : y;
    double shifted = FMA(y, 1.4426950408889634074, magic);
    double n = shifted - magic;
    double r = FMA(n, -6.93147180369123816490e-01, y);
    r = FMA(n, -1.90821492927058770002e-10, r);
    double p = 1.6059043836821614599e-10;
    p = FMA(p, r, 2.0876756987868098979e-09);
    p = FMA(p, r, 2.5052108385441718775e-08);
    p = FMA(p, r, 2.7557319223985890653e-07);
    p = FMA(p, r, 2.7557319223985890653e-06);
    p = FMA(p, r, 2.4801587301587301587e-05);
    p = FMA(p, r, 1.9841269841269841270e-04);
    p = FMA(p, r, 1.3888888888888888889e-03);
    p = FMA(p, r, 8.3333333333333333333e-03);
    p = FMA(p, r, 4.1666666666666666667e-02);
    p = FMA(p, r, 1.6666666666666666667e-01);
    p = FMA(p, r, 0.5);
    p = FMA(p, r * r, r) + 1.0;
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
    int32_t i = (int32_t)((uint32_t)bits32(y) - 0x3f3504f3u); /* of sqrt(1/2) */
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
    p = FMA(p, z, 2.06390887954e-2f);
    p = FMA(p, z, -5.37397155531e-2f);
    p = FMA(p, z, 1.33314422036e-1f);
    p = FMA(p, z, -3.33332819422e-1f);
    float near = FMA(p * z, x, x);
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

/* ---- erf -------------------------------------------------------------------------------------- */

/* Up to 1 an odd polynomial. Beyond, 1 - erfc(a), where the logarithm of erfc is a polynomial of
 * where a lies between 1 and 4, or 6: its errors are small beside 1. Fitted to 50 digits of both
 * functions, weighted to equal errors of erf. */
static inline float erf_single(float x)
{
    float a = fabsf(x), z = x * x;
    float p = 7.88903940767e-05f;
    p = FMA(p, z, -8.02081730357e-04f);
    p = FMA(p, z, 5.18953265043e-03f);
    p = FMA(p, z, -2.68544432031e-02f);
    p = FMA(p, z, 1.12836001439e-01f);
    p = FMA(p, z, -3.76126271332e-01f);
    p = FMA(p, z, 1.28379165913e-01f);
    float near = FMA(p, x, x);
    float s = FMA(a > 4.0f ? 4.0f : a, 0.66666666667f, -1.66666666667f);
    float q = 2.11404331782e-03f;
    q = FMA(q, s, -1.18358131657e-03f);
    q = FMA(q, s, 1.24442767532e-02f);
    q = FMA(q, s, -3.61710606631e-02f);
    q = FMA(q, s, -2.12374156178e+00f);
    q = FMA(q, s, -8.02904089053e+00f);
    q = FMA(q, s, -7.80681780742e+00f);
    float far = copysignf(1.0f - exp_single(q), x);
    return a > 1.0f ? far : near; /* NaN is near */
}

static inline double erf_real(double x)
{
    double a = fabs(x), z = x * x;
    double p = -7.8011561818285036972e-10;
    p = FMA(p, z, 1.3722957127128492366e-08);
    p = FMA(p, z, -1.6209171061848588586e-07);
    p = FMA(p, z, 1.6447516981490964693e-06);
    p = FMA(p, z, -1.4924744601060625168e-05);
    p = FMA(p, z, 1.2055295316904695642e-04);
    p = FMA(p, z, -8.5483259895633657952e-04);
    p = FMA(p, z, 5.2239776074203638606e-03);
    p = FMA(p, z, -2.6866170643275794771e-02);
    p = FMA(p, z, 1.128379167094525025e-01);
    p = FMA(p, z, -3.7612638903183546545e-01);
    p = FMA(p, z, 1.2837916709551256679e-01);
    double near = FMA(p, x, x);
    double s = FMA(a > 6.0 ? 6.0 : a, 0.4, -1.4);
    double q = 1.5117534068420393237e-05;
    q = FMA(q, s, 1.0441764987652932275e-04);
    q = FMA(q, s, 3.1938680654312057e-04);
    q = FMA(q, s, 5.7825009831596292441e-04);
    q = FMA(q, s, 6.4616137245884610426e-04);
    q = FMA(q, s, 4.4589688584546568321e-04);
    q = FMA(q, s, 1.24180879117673412e-04);
    q = FMA(q, s, -8.2659651938221714036e-05);
    q = FMA(q, s, 7.0765127111610955923e-06);
    q = FMA(q, s, -3.4453406705717524177e-04);
    q = FMA(q, s, 8.8873725251062478013e-04);
    q = FMA(q, s, -2.3716020760482066941e-03);
    q = FMA(q, s, 5.9549627703749520392e-03);
    q = FMA(q, s, -1.4384336387456082211e-02);
    q = FMA(q, s, 3.4128407732524602091e-02);
    q = FMA(q, s, -8.1650915717485863173e-02);
    q = FMA(q, s, -6.0422065928403307956e+00);
    q = FMA(q, s, -1.8165248970928051044e+01);
    q = FMA(q, s, -1.4112437402147225496e+01);
    double far = copysign(1.0 - exp_real(q), x);
    return a > 1.0 ? far : near;
}

/* ---- expm1 and log1p ---------------------------------------------------------------------------- */

/* What rounding exp(x) lost near 1 is put back by its logarithm.
 * Source: W. Kahan, in N. Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1. */
static inline float expm1_single(float x)
{
    float u = exp_single(x), less = u - 1.0f;
    float result = less * (x / log_single(u));
    result = u == 1.0f ? x : result;
    return x > 88.0f ? u : less == -1.0f ? -1.0f : result;
}

static inline double expm1_real(double x)
{
    double u = exp_real(x), less = u - 1.0;
    double result = less * (x / log_real(u));
    result = u == 1.0 ? x : result;
    return x > 709.0 ? u : less == -1.0 ? -1.0 : result;
}

static inline float log1p_single(float x)
{
    float u = 1.0f + x, result = log_single(u) + (x - (u - 1.0f)) / u;
    result = x == 0.0f || x == INFINITY ? x : result;
    return x == -1.0f ? -INFINITY : result;
}

static inline double log1p_real(double x)
{
    double u = 1.0 + x, result = log_real(u) + (x - (u - 1.0)) / u;
    result = x == 0.0 || x == (double)INFINITY ? x : result;
    return x == -1.0 ? -(double)INFINITY : result;
}

static inline float sigmoid_single(float x) { return 1.0f / (1.0f + exp_single(-x)); }
static inline double sigmoid_real(double x) { return 1.0 / (1.0 + exp_real(-x)); }

#endif
