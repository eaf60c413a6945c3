/**
 * Sines and angles: WGSL's own sin and cos are off by 1.9e-4 on SwiftShader.
 *
 * @error about 1e-6 of 1; the tests hold them to 1e-5
 * @source polynomials: S. Moshier, Cephes single precision (sinf, atanf, asinf); M. Payne and R. Hanek for large angles
 */
import { fromBits, isInf, isNan, outsideOne, wgsl, withSign } from './wgsl-math.ts'

/** The first 192 bits of 1 / (2 pi), in words, behind 32 zeros. */
const TURN = [0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410] as const

const turnWord = (offset: number): string =>
  [1, 2, 3, 4].reduce(
    (word, i) => `select(${word}, U(${TURN[i + offset]!}u), w == U(${i}u))`,
    `U(${TURN[offset]}u)`,
  )

/**
 * A large x as parts of a turn, 2^32 of them: its 24 bits times those bits of 1 / (2 pi) that are worth less
 * than a turn (Payne and Hanek). Whole turns fall off at the top of the product.
 */
const turnOf = wgsl(
  'turn_of',
  `fn turn_of(x: F) -> U {
  let bits = bitcast<U>(abs(x));
  let m = (bits & U(0x7fffffu)) | U(0x800000u);
  let k = (bits >> U(23u)) - U(118u);
  let w = k >> U(5u);
  let s = k & U(31u);
  let a = ${turnWord(0)};
  let b = ${turnWord(1)};
  let c = ${turnWord(2)};
  let high = (a << s) | ((b >> U(1u)) >> (U(31u) - s));
  let low = (b << s) | ((c >> U(1u)) >> (U(31u) - s));
  let m0 = m & U(0xffffu);
  let m1 = m >> U(16u);
  let l0 = low & U(0xffffu);
  let l1 = low >> U(16u);
  let carried = ((m0 * l1 + ((m0 * l0) >> U(16u))) >> U(16u)) + ((m1 * l0) >> U(16u));
  let turn = m * high + m1 * l1 + carried;
  return select(turn, U(0u) - turn, x < F(0.0));
}`,
)

/** Sine of x + shift quarter turns: pi is subtracted in three parts, or for large x taken as a whole turn. */
const sinTurned = wgsl(
  'sin_turned',
  `fn sin_turned(x: F, shift: i32) -> F {
  let k = round(x * 0.63661977);
  var r = ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789954891882e-8;
  var quarter = I(k);
  let large = abs(x) > F(8192.0);
  if (any(large)) {
    let turn = turn_of(x);
    let whole = (turn + U(0x20000000u)) >> U(30u);
    r = select(r, F(bitcast<I>(turn - (whole << U(30u)))) * 1.4629180792671596e-9, large);
    quarter = select(quarter, bitcast<I>(whole), large);
  }
  quarter = quarter + I(shift);
  let z = r * r;
  let sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
  let cosine = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  let value = select(sine, cosine, (quarter & I(1)) == I(1));
  let turned = select(value, -value, (quarter & I(2)) == I(2));
  return select(turned, from_bits(0x7fc00000u), is_nan(x) | is_inf(x));
}`,
  [fromBits, isNan, isInf, turnOf],
)

export const sin = wgsl('sin_of', `fn sin_of(x: F) -> F { return sin_turned(x, 0); }`, [sinTurned])
export const cos = wgsl('cos_of', `fn cos_of(x: F) -> F { return sin_turned(x, 1); }`, [sinTurned])
export const tan = wgsl(
  'tan_of',
  `fn tan_of(x: F) -> F { return sin_turned(x, 0) / sin_turned(x, 1); }`,
  [sinTurned],
)

export const atan = wgsl(
  'atan_of',
  `fn atan_of(x: F) -> F {
  let t = abs(x);
  let far = t > F(2.414213562);
  let middle = t > F(0.4142135624);
  let from_ = select(select(F(0.0), F(0.785398163), middle), F(1.570796327), far);
  let r = select(select(t, (t - 1.0) / (t + 1.0), middle), -1.0 / t, far);
  let z = r * r;
  let value = from_ + ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * r + r);
  return select(with_sign(value, x), x, is_nan(x));
}`,
  [withSign, isNan],
)

/** Of 0 to 0.5. */
const asinNear = wgsl(
  'asin_near',
  `fn asin_near(x: F) -> F {
  let z = x * x;
  return ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1) * z * x + x;
}`,
)

export const asin = wgsl(
  'asin_of',
  `fn asin_of(x: F) -> F {
  let t = abs(x);
  let far = 1.570796327 - 2.0 * asin_near(sqrt(0.5 * (1.0 - min(t, F(1.0)))));
  return select(with_sign(select(asin_near(t), far, t > F(0.5)), x), ${outsideOne});
}`,
  [asinNear, withSign, fromBits, isNan],
)

export const acos = wgsl(
  'acos_of',
  `fn acos_of(x: F) -> F {
  let t = abs(x);
  let far = 2.0 * asin_near(sqrt(0.5 * (1.0 - min(t, F(1.0)))));
  let near = 1.570796327 - with_sign(asin_near(t), x);
  return select(select(near, select(far, 3.141592654 - far, x < F(0.0)), t > F(0.5)), ${outsideOne});
}`,
  [asinNear, withSign, fromBits, isNan],
)
