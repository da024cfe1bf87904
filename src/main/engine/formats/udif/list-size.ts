/** How long the list of a UDIF image may be. Who writes one must not make what nobody reads. */
import { chunkRunStruct, mishStruct } from './mish.ts'

/** What a disk of 19 TB full of data has, in runs of a mebibyte. */
export const mostListBytes = 1024 ** 3

/** The text around all tables, with the `plst`; around one, with its name twice. */
const frameBytes = 8192
const tableFrameBytes = 4096
/** 39 bytes make 52 characters, four tabs and a line end. */
const textBytes = (dataBytes: number) => Math.ceil((dataBytes * 57) / 39)

/** So long at most will a list be of so many tables and runs. */
export const listBytesOf = ({ tables, runs }: { readonly tables: number; readonly runs: number }): number =>
  frameBytes +
  tables * (tableFrameBytes + textBytes(mishStruct.sizeBytes)) +
  textBytes(runs * chunkRunStruct.sizeBytes)
