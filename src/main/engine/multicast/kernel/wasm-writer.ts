/**
 * Writes WebAssembly modules by hand, for the two inner loops of multicasting that JavaScript is ten times too slow for.
 * Why by hand: the loops are a few dozen instructions, and a compiler for them would be the largest package we install.
 * Only what the kernels use is here. Opcodes: WebAssembly Core Specification 2.0, §5.4 (binary format, instructions).
 */

/** Bytes of code; nested lists are flattened when a function is written. */
export type Code = readonly (number | Code)[]

/** Value types of parameters and locals. */
export const i32 = 0x7f
export const i64 = 0x7e
export const v128 = 0x7b

/** Unsigned LEB128. `value` at most 2^32 - 1. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest === 0 ? low : low + 128)
  } while (rest !== 0)
  return bytes
}

/** Signed LEB128 of 64 bits. */
function signed(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asIntN(64, value)
  for (;;) {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) return [...bytes, low]
    bytes.push(low + 128)
  }
}

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number): Code => [0x21, ...unsigned(local)]
export const constant32 = (value: number): Code => [0x41, ...signed(BigInt(value))]
export const constant64 = (value: bigint): Code => [0x42, ...signed(value)]

const memoryAt = (align: number, offset: number) => [align, ...unsigned(offset)]
export const load8 = (offset: number): Code => [0x2d, ...memoryAt(0, offset)]
export const load64 = (offset: number): Code => [0x29, ...memoryAt(0, offset)]
export const store64 = (offset: number): Code => [0x37, ...memoryAt(0, offset)]

export const add32 = 0x6a
export const and32 = 0x71
export const shiftLeft32 = 0x74
export const lessUnsigned32 = 0x49
export const isZero32 = 0x45
export const extend32 = 0xad
export const add64 = 0x7c
export const xor64 = 0x85
export const shiftLeft64 = 0x86
export const rotateLeft64 = 0x89

const vector = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
export const loadVector = (offset: number): Code => [...vector(0), ...memoryAt(0, offset)]
export const storeVector = (offset: number): Code => [...vector(11), ...memoryAt(0, offset)]
export const splat8 = (value: number): Code => [...vector(12), ...Array.from({ length: 16 }, () => value)]
export const swizzle: Code = vector(14)
export const andVector: Code = vector(78)
export const xorVector: Code = vector(81)
export const shiftRight8: Code = vector(109)

/** `body` again and again while `condition` leaves something other than 0. */
export const whileTrue = (condition: Code, body: Code): Code => [
  [0x02, 0x40, 0x03, 0x40],
  [condition, isZero32, 0x0d, 1],
  [body, 0x0c, 0],
  [0x0b, 0x0b],
]

/** `body` when `condition` leaves something other than 0. */
export const whenTrue = (condition: Code, body: Code): Code => [condition, 0x04, 0x40, body, 0x0b]

export interface WasmFunction {
  readonly name: string
  /** Types of the parameters; they are locals 0, 1, … */
  readonly parameters: readonly number[]
  /** Types of the further locals. */
  readonly locals: readonly number[]
  readonly body: Code
}

const flat = (code: Code): number[] =>
  code.flatMap((part) => (typeof part === 'number' ? [part] : flat(part)))
const counted = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: readonly number[]) => [...unsigned(bytes.length), ...bytes]
const section = (id: number, items: readonly (readonly number[])[]) => [id, ...sized(counted(items))]
const text = (value: string) => sized([...Buffer.from(value, 'ascii')])

/** A module that imports `host.memory` and exports the functions; none returns anything. */
export function writeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, ...sized(parameters), 0]),
    ),
    ...section(2, [[...text('host'), ...text('memory'), 0x02, 0x00, 1]]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(
      10,
      functions.map(({ locals, body }) =>
        sized([...counted(locals.map((type) => [1, type])), ...flat(body), 0x0b]),
      ),
    ),
  ])
}
