/** The kernels, compiled once a process, over a memory of the caller's own. */
import { combine } from './multiply-add.ts'
import { siphash } from './siphash.ts'
import { writeModule } from './wasm-writer.ts'

/** Offsets are bytes into the memory that the kernel was made with; see the two files for what each does. */
export interface Kernel {
  readonly combine: (
    target: number,
    source: number,
    stride: number,
    rows: number,
    coefficients: number,
    length: number,
  ) => void
  readonly siphash: (key: number, message: number, length: number, out: number) => void
}

let compiled: WebAssembly.Module | undefined

/** Kernels over `memory`. Takes a millisecond the first time. Throws on a processor without 128-bit SIMD. */
export function loadKernel(memory: WebAssembly.Memory): Kernel {
  compiled ??= new WebAssembly.Module(writeModule([combine, siphash]))
  return new WebAssembly.Instance(compiled, { host: { memory } }).exports as unknown as Kernel
}

/** Fresh memory of at least that many bytes. */
export function kernelMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) })
}
