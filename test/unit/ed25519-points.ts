/** Points of the curve of Ed25519 (RFC 8032, section 5.1), for keys that no client creates. */
import { base32 } from '../../functions/nats/keys.ts';

/** The prime of the field. */
export const P = 2n ** 255n - 19n;
/** The order of the points that keys are made of. The curve has eight times as many. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value: bigint) => ((value % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const inverse = (value: bigint) => power(value, P - 2n);
const D = mod(-121665n * inverse(121666n));
const SQRT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

interface Point {
  x: bigint;
  y: bigint;
}

const IDENTITY: Point = { x: 0n, y: 1n };

function add(a: Point, b: Point): Point {
  const product = D * a.x * b.x * a.y * b.y;
  return {
    x: mod((a.x * b.y + b.x * a.y) * inverse(mod(1n + product))),
    y: mod((a.y * b.y + a.x * b.x) * inverse(mod(1n - product))),
  };
}

function multiply(point: Point, by: bigint): Point {
  let [result, double] = [IDENTITY, point];
  for (let left = by; left > 0n; left >>= 1n) {
    if (left & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

/** Returns a point with this y, if the curve has one. */
function pointAt(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * inverse(mod(D * y * y + 1n)));
  const root = power(square, (P + 3n) / 8n);
  const x = [root, mod(root * SQRT_OF_MINUS_1)].find((one) => mod(one * one) === square);
  return x === undefined ? undefined : { x, y };
}

/** Returns the eight points whose order divides 8: their canonical encodings, and their values of y. */
export function smallOrderPoints(): { ys: bigint[]; encodings: bigint[] } {
  for (let y = 2n; ; y++) {
    const start = pointAt(y);
    if (!start) continue;
    const torsion = multiply(start, L);
    const points = Array.from({ length: 8 }, (_, times) => multiply(torsion, BigInt(times)));
    const encodings = new Set(points.map((point) => point.y | ((point.x & 1n) << 255n)));
    if (encodings.size === 8)
      return { ys: [...new Set(points.map((one) => one.y))], encodings: [...encodings] };
  }
}

/** Returns the nkey `U…` of an encoded point, with a valid checksum. */
export function encodeUserKey(encoding: bigint): string {
  const raw = new Uint8Array(35);
  raw[0] = 20 << 3;
  for (let at = 0; at < 32; at++) raw[1 + at] = Number((encoding >> BigInt(8 * at)) & 255n);
  let crc = 0;
  for (const byte of raw.subarray(0, 33)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  raw[33] = crc;
  raw[34] = crc >> 8;
  return base32(raw);
}
