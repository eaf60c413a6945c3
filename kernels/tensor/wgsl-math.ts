/**
 * Functions that WGSL lacks, or promises too little of: its tanh is NaN beyond 88 on SwiftShader, its log is
 * off where the result is small, and a compiler may assume that there is no NaN, so those are told by bits.
 * Each is written for the aliases F, I, U and B, that is for scalars and for vectors of four.
 *
 * @error about 1e-6 relative to the larger of |f(x)| and 1 unless said otherwise; the tests hold them to 1e-5
 * @source polynomials: S. Moshier, Cephes single precision (logf); erf: N. Juffa
 */
import type { WgslFunction } from './wgsl-function.ts'

export const wgsl = (
  name: string,
  code: string,
  needs: readonly WgslFunction[] = [],
): WgslFunction => ({
  name,
  code: code.trim(),
  needs,
})

export const fromBits = wgsl(
  'from_bits',
  `fn from_bits(bits: u32) -> F { return bitcast<F>(U(bits)); }`,
)

export const isNan = wgsl(
  'is_nan',
  `fn is_nan(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }`,
)

export const isInf = wgsl(
  'is_inf',
  `fn is_inf(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) == U(0x7f800000u); }`,
)

/** NaN wins, as in NumPy and ONNX. */
export const maxNan = wgsl(
  'max_nan',
  `fn max_nan(a: F, b: F) -> F { return select(select(a, b, b > a), a + b, is_nan(a) | is_nan(b)); }`,
  [isNan],
)

export const minNan = wgsl(
  'min_nan',
  `fn min_nan(a: F, b: F) -> F { return select(select(a, b, b < a), a + b, is_nan(a) | is_nan(b)); }`,
  [isNan],
)

/** Takes the sign of `of`, that of a zero too. */
export const withSign = wgsl(
  'with_sign',
  `fn with_sign(x: F, of_: F) -> F {
  return bitcast<F>((bitcast<U>(x) & U(0x7fffffffu)) | (bitcast<U>(of_) & U(0x80000000u)));
}`,
)

export const exp = wgsl('exp_of', `fn exp_of(x: F) -> F { return select(exp(x), x, is_nan(x)); }`, [
  isNan,
])

/** log(1 + f) for f from -0.3 to 0.42, where `shift` is added in between: what is small comes first. */
const logNear = wgsl(
  'log_near',
  `fn log_near(f: F, shift: F) -> F {
  let z = f * f;
  let high = ((((7.0376836292e-2 * f - 1.1514610310e-1) * f + 1.1676998740e-1) * f - 1.2420140846e-1) * f + 1.4249322787e-1) * f;
  let low = (((high - 1.6668057665e-1) * f + 2.0000714765e-1) * f - 2.4999993993e-1) * f + 3.3333331174e-1;
  return f + ((low * f * z + shift) - 0.5 * z);
}`,
)

/** Good to 1e-7 near 1 too, where the builtin is off by 5e-7 and the result is next to nothing. */
export const log = wgsl(
  'log_of',
  `fn log_of(x: F) -> F {
  let tiny = x < F(1.1754944e-38);
  let bits = bitcast<I>(select(x, x * 8388608.0, tiny)) - I(0x3f3504f3);
  let e = F((bits >> U(23u)) - select(I(0), I(23), tiny));
  let f = bitcast<F>((bits & I(0x7fffff)) + I(0x3f3504f3)) - 1.0;
  let value = log_near(f, -2.12194440e-4 * e) + 0.693359375 * e;
  let finite = select(value, from_bits(0x7fc00000u), (x < F(0.0)) | is_nan(x));
  let edge = select(x, from_bits(0xff800000u), x == F(0.0));
  return select(finite, edge, (x == F(0.0)) | (is_inf(x) & (x > F(0.0))));
}`,
  [fromBits, isNan, isInf, logNear],
)

/** log(1 + d) for d of any size. */
const logAbove1 = wgsl(
  'log_above_1',
  `fn log_above_1(d: F) -> F {
  return select(log_of(1.0 + d), log_near(d, F(0.0)), abs(d) < F(0.29));
}`,
  [log],
)

export const tanh = wgsl(
  'tanh_of',
  `fn tanh_of(x: F) -> F {
  let t = min(abs(x), F(15.0));
  let s = t * t;
  let near = t + t * s * (-0.33333333 + s * (0.13333333 + s * (-0.053968254 + s * (0.021869489 + s * (-0.0088632355 + s * 0.0035921280)))));
  let far = 1.0 - 2.0 / (exp(2.0 * t) + 1.0);
  return select(with_sign(select(far, near, t < F(0.5)), x), x, is_nan(x));
}`,
  [withSign, isNan],
)

export const sigmoid = wgsl(
  'sigmoid_of',
  `fn sigmoid_of(x: F) -> F { return select(1.0 / (1.0 + exp(-max(x, F(-87.0)))), x, is_nan(x)); }`,
  [isNan],
)

export const softplus = wgsl(
  'softplus_of',
  `fn softplus_of(x: F) -> F {
  return select(max(x, F(0.0)) + log_above_1(exp(-abs(x))), x, is_nan(x));
}`,
  [isNan, logAbove1],
)

export const erf = wgsl(
  'erf_of',
  `fn erf_of(x: F) -> F {
  let t = min(abs(x), F(10.0));
  let s = t * t;
  let far = ((-1.72853470e-5 * t + 3.83197126e-4) * s + (-3.88396438e-3 * t + 2.42546219e-2)) * t - 1.06777877e-1;
  let tail = 1.0 - exp(((far * t - 6.34846687e-1) * t - 1.28717512e-1) * t - t);
  let near = ((((-5.96761703e-4 * s + 4.99119423e-3) * s - 2.67681349e-2) * s + 1.12819925e-1) * s - 3.76125336e-1) * s + 1.28379166e-1;
  return select(with_sign(select(tail, near * t + t, t < F(0.927734375)), x), x, is_nan(x));
}`,
  [withSign, isNan],
)

export const sinh = wgsl(
  'sinh_of',
  `fn sinh_of(x: F) -> F {
  let t = abs(x);
  let s = t * t;
  let near = t + t * s * (0.16666667 + s * (0.0083333333 + s * (1.9841270e-4 + s * 2.7557319e-6)));
  let half = exp(t - 0.6931471806);
  return select(with_sign(select(half - 0.25 / half, near, t < F(1.0)), x), x, is_nan(x));
}`,
  [withSign, isNan],
)

export const cosh = wgsl(
  'cosh_of',
  `fn cosh_of(x: F) -> F {
  let half = exp(abs(x) - 0.6931471806);
  return select(half + 0.25 / half, x, is_nan(x));
}`,
  [isNan],
)

export const asinh = wgsl(
  'asinh_of',
  `fn asinh_of(x: F) -> F {
  let t = abs(x);
  let s = t * t;
  let near = t + t * s * (-0.16666667 + s * (0.075 + s * (-0.044642857 + s * 0.030381944)));
  let far = select(log_of(t + sqrt(s + 1.0)), log_of(t) + 0.6931471806, t > F(1e4));
  return select(with_sign(select(far, near, t < F(0.25)), x), x, is_nan(x));
}`,
  [withSign, isNan, log],
)

export const acosh = wgsl(
  'acosh_of',
  `fn acosh_of(x: F) -> F {
  let d = max(x - 1.0, F(0.0));
  let near = log_above_1(d + sqrt(d * (d + 2.0)));
  let value = select(near, log_of(x) + 0.6931471806, x > F(1e4));
  return select(value, from_bits(0x7fc00000u), (x < F(1.0)) | is_nan(x));
}`,
  [fromBits, isNan, logAbove1],
)

export const outsideOne = `from_bits(0x7fc00000u), (t > F(1.0)) | is_nan(x)`

export const atanh = wgsl(
  'atanh_of',
  `fn atanh_of(x: F) -> F {
  let t = abs(x);
  let s = t * t;
  let near = t + t * s * (0.33333333 + s * (0.2 + s * (0.14285714 + s * (0.11111111 + s * 0.090909091))));
  let far = select(0.5 * log_of((1.0 + t) / (1.0 - t)), from_bits(0x7f800000u), t == F(1.0));
  return select(with_sign(select(far, near, t < F(0.25)), x), ${outsideOne});
}`,
  [withSign, fromBits, isNan, log],
)

/** As C and NumPy: a negative base with a whole exponent has a power, and anything to the 0 is 1. */
export const pow = wgsl(
  'pow_of',
  `fn pow_of(x: F, y: F) -> F {
  let whole = floor(y) == y;
  let odd = whole & (abs(y - 2.0 * floor(y * 0.5)) == F(1.0));
  let size = pow(abs(x), y);
  let signed = select(size, -size, odd);
  let below = select(from_bits(0x7fc00000u), signed, whole);
  let zero = select(from_bits(0x7f800000u), F(0.0), y > F(0.0));
  let value = select(select(size, below, x < F(0.0)), zero, x == F(0.0));
  let lost = select(value, x + y, is_nan(x) | is_nan(y));
  return select(lost, F(1.0), (y == F(0.0)) | (x == F(1.0)));
}`,
  [fromBits, isNan],
)

/** Remainder with the sign of the divisor, and one with the sign of the dividend. */
export const modFloor = wgsl(
  'mod_floor',
  `fn mod_floor(x: F, y: F) -> F { return x - y * floor(x / y); }`,
)
export const modTrunc = wgsl(
  'mod_trunc',
  `fn mod_trunc(x: F, y: F) -> F {
  let rest = abs(x) - abs(y) * floor(abs(x) / abs(y));
  let size = select(rest, rest - abs(y), rest >= abs(y));
  return with_sign(max(size, F(0.0)), x);
}`,
  [withSign],
)
export const modFloorInt = wgsl(
  'mod_floor_int',
  `fn mod_floor_int(x: I, y: I) -> I {
  let rest = x % y;
  return select(rest, rest + y, (rest != I(0)) & ((rest < I(0)) != (y < I(0))));
}`,
)
