/**
 * The erasure code once more, from its definition alone and as slowly as it likes: products bit by bit, inverses by
 * trying, lost symbols by Gaussian elimination. Shares nothing with the code it judges.
 */

/** Product of polynomials over GF(2), modulo x^8 + x^4 + x^3 + x^2 + 1. */
export function slowMultiply(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8)
  return product
}

const inverses = Array.from({ length: 256 }, (_, a) =>
  Array.from({ length: 256 }, (_, b) => b).find((b) => slowMultiply(a, b) === 1),
)

/** Row of the code's matrix: what each source symbol counts in symbol `number`. */
function row(number: number, sourceCount: number): number[] {
  return Array.from({ length: sourceCount }, (_, source) =>
    number < sourceCount ? Number(number === source) : inverses[number ^ source]!,
  )
}

/** Symbol `number` of a section. */
export function slowSymbol(sources: readonly Uint8Array[], number: number): Uint8Array {
  const factors = row(number, sources.length)
  return Uint8Array.from(sources[0]!, (_, at) =>
    sources.reduce((sum, source, index) => sum ^ slowMultiply(factors[index]!, source[at]!), 0),
  )
}

/** All source symbols out of any K symbols with different numbers. */
export function slowRebuild(symbols: readonly { number: number; bytes: Uint8Array }[]): Uint8Array[] {
  const count = symbols.length
  const rows = symbols.map(({ number, bytes }) => [...row(number, count), ...bytes])
  for (let column = 0; column < count; column++) {
    const pivot = rows.findIndex((row, index) => index >= column && row[column] !== 0)
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    const factor = inverses[rows[column]![column]!]!
    rows[column] = rows[column]!.map((value) => slowMultiply(factor, value))
    rows.forEach((other, index) => {
      const times = other[column]!
      if (index !== column && times !== 0)
        rows[index] = other.map((value, at) => value ^ slowMultiply(times, rows[column]![at]!))
    })
  }
  return rows.map((row) => Uint8Array.from(row.slice(count)))
}
