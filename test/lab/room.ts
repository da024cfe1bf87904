/** What the suites of the lab have in common: a lab, an image, and receiving it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { labImage, type LabImage } from '#test/lab-image'
import { buildLab, type LabMachine, type LabNetwork, type LabOptions } from '#test/lab-network'
import type { LabProcess } from '#test/lab-process'
import { startReceiving, startStreamServer, type StreamServerOptions } from '#test/lab-stream'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

export interface Room extends AsyncDisposable {
  readonly lab: LabNetwork
  readonly folder: TemporaryFolder
  readonly image: LabImage
  client(index: number): LabMachine
  serve(options?: Partial<StreamServerOptions>): Promise<LabProcess>
  /** Client `index` receives into a file of its own. */
  receive(index: number, more?: readonly string[]): LabProcess
  /** That file. */
  fileOf(index: number): string
  /** `the image` when it ended well and its file is the image, byte for byte; otherwise what went wrong. */
  outcome(index: number, running: LabProcess, image?: LabImage): Promise<string>
  /** Of clients 0, 1, … */
  outcomes(running: readonly LabProcess[]): Promise<readonly string[]>
}

/** A megabyte a second is slow enough for things to happen in the middle, and fast enough to wait for. */
export const dataRate = 1_000_000

export async function openRoom(options: LabOptions & { readonly megabytes?: number }): Promise<Room> {
  const folder = await temporaryFolder()
  let lab: LabNetwork | null = null
  try {
    const image = await labImage(folder, { megabytes: options.megabytes ?? 4 })
    lab = await buildLab(options)
    return roomOf(folder, image, lab)
  } catch (error) {
    await lab?.[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

function roomOf(folder: TemporaryFolder, image: LabImage, lab: LabNetwork): Room {
  const client = (index: number) => {
    const machine = lab.clients[index]
    if (machine === undefined) throw new Error(`the lab has no client ${index}`)
    return machine
  }
  const fileOf = (index: number) => join(folder.path, `client-${index}.dmg`)
  const outcome: Room['outcome'] = async (index, running, expected = image) => {
    const { status, signal, text } = await running.ended
    if (status !== 0) return `client ${index} ended with ${signal ?? status}: ${text}`
    if (readFileSync(fileOf(index)).equals(expected.bytes)) return 'the image'
    return `client ${index} has something else, and said: ${text}`
  }
  return {
    lab,
    folder,
    image,
    client,
    fileOf,
    serve: (more = {}) => startStreamServer(lab, folder.path, { source: image.path, dataRate, ...more }),
    receive: (index, more = []) => startReceiving(client(index), { file: fileOf(index), more }),
    outcome,
    outcomes: (running) => Promise.all(running.map((client, index) => outcome(index, client))),
    async [Symbol.asyncDispose]() {
      await lab[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const blockBytes = 2 ** 20

/** How many blocks of the image an unfinished client has on its disk; -1: it is finished. */
export function receivedBlocks(room: Room, index: number): number {
  if (existsSync(room.fileOf(index))) return -1
  return blocksOf(room, index).filter((there) => there.some((byte) => byte !== 0)).length
}

/** The same, with every block compared: it is the image's, or still nothing. */
export function expectNothingElse(room: Room, index: number): number {
  expect(existsSync(room.fileOf(index)), 'it isn’t there under its name').toBe(false)
  for (const [block, there] of blocksOf(room, index).entries()) {
    if (there.every((byte) => byte === 0)) continue
    const at = block * blockBytes
    const wanted = room.image.bytes.subarray(at, at + there.length)
    expect(there.equals(wanted), `block ${block}`).toBe(true)
  }
  return receivedBlocks(room, index)
}

/** What is on the disk of an unfinished client, without the journal behind it. */
function blocksOf(room: Room, index: number): readonly Buffer[] {
  const part = `${room.fileOf(index)}.part`
  const bytes = existsSync(part) ? readFileSync(part).subarray(0, room.image.bytes.length) : Buffer.alloc(0)
  return Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, block) =>
    bytes.subarray(block * blockBytes, (block + 1) * blockBytes),
  )
}
