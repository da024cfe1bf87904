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

/** Memory that kernels work in; views of it stay valid. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer
}

interface Wasm {
  readonly Memory: new (limits: { initial: number }) => KernelMemory
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: { host: { memory: KernelMemory } },
  ) => { readonly exports: unknown }
}

// Neither the library of the language nor Node's types name it, and the DOM's aren't for engines.
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly

let compiled: object | undefined

/** Kernels over `memory`. Takes a millisecond the first time. Throws on a processor without 128-bit SIMD. */
export function loadKernel(memory: KernelMemory): Kernel {
  compiled ??= new Module(writeModule([combine, siphash]))
  return new Instance(compiled, { host: { memory } }).exports as Kernel
}

/** Fresh memory of at least that many bytes. */
export function kernelMemory(bytes: number): KernelMemory {
  return new Memory({ initial: Math.ceil(bytes / 65_536) })
}
