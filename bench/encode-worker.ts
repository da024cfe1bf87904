/** Encodes runs for `build-image.ts`. bzip2 and xz are the programs; LZFSE and ADC the encoders of our tests. */
import { execFileSync } from 'node:child_process'
import { parentPort, workerData } from 'node:worker_threads'
import { deflateSync } from 'node:zlib'
import { encodeAdc } from '#test/encode-adc'
import { encodeLzfse } from '#test/encode-lzfse'

export type BenchCodec = keyof typeof encoders

const piped = (program: string, args: readonly string[]) => (bytes: Uint8Array) =>
  execFileSync(program, [...args], { input: bytes, maxBuffer: 2 ** 26 })

const encoders = {
  adc: encodeAdc,
  zlib: (bytes: Uint8Array): Uint8Array => deflateSync(bytes),
  bzip2: piped('bzip2', ['-9', '-c']),
  lzfse: (bytes: Uint8Array): Uint8Array => encodeLzfse(bytes),
  // What Apple's tools write: no check, a dictionary of 8 MiB.
  lzma: piped('xz', ['-c', '-T1', '--check=none', '--lzma2=preset=6,dict=8MiB']),
} as const

parentPort?.on('message', ({ id, bytes }: { readonly id: number; readonly bytes: Uint8Array }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id, stored: encoders[workerData as BenchCodec](bytes) })
})
