import type { BenchOptions } from './groups.ts'
import type { Line } from './line.ts'
export async function measureWindow(_: BenchOptions): Promise<Line[]> {
  return []
}
