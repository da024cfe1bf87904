/** What udpcast and uftp do with the same file in the same lab. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { capturePackets } from '#test/lab-capture'
import { buildLab, type LabNetwork } from '#test/lab-network'
import { sendWithUdpcast, sendWithUftp } from '#test/lab-peers'
import { measureRates } from '#test/lab-rates'
import { scratchFolder } from './stream-run.ts'

const peers = { udpcast: sendWithUdpcast, uftp: sendWithUftp }
export type PeerName = keyof typeof peers

export interface PeerRunOptions {
  /** Default 1. */
  readonly clients?: number
  /** Default: none. */
  readonly bitsPerSecond?: number
  readonly prepare?: (lab: LabNetwork) => Promise<void>
  readonly during?: (lab: LabNetwork, send: () => Promise<void>) => Promise<void>
}

/** Seconds until the last client has the file; the files are compared. Infinite when somebody doesn't get it. */
export async function peerSeconds(
  name: PeerName,
  file: string,
  { clients = 1, bitsPerSecond, prepare, during = (_, send) => send() }: PeerRunOptions = {},
): Promise<number> {
  const folder = scratchFolder()
  try {
    const folders = Array.from({ length: clients }, (_, index) => join(folder, String(index)))
    for (const path of folders) mkdirSync(path)
    await using lab = await buildLab({ clients })
    await prepare?.(lab)
    let seconds = Infinity
    await during(lab, async () => {
      const result = await peers[name](lab, { file, folders, bitsPerSecond: bitsPerSecond ?? null })
      for (const path of result.clientFiles) execFileSync('cmp', [file, path])
      seconds = Math.max(...result.clientSeconds.map((took) => took ?? Infinity))
    })
    return seconds
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What they send when they are told to keep to a rate. */
export async function peerRates(file: string, bytesPerSecond: number) {
  const rates = []
  for (const name of ['udpcast', 'uftp'] as const) {
    let captured = measureRates([])
    await peerSeconds(name, file, {
      bitsPerSecond: bytesPerSecond * 8,
      async during(lab, send) {
        await using capture = await capturePackets(lab, { filter: 'udp and src host 10.77.0.1' })
        await send()
        const { datagrams } = await capture.stop()
        captured = measureRates(datagrams.filter(({ bytes }) => bytes > fullPacket))
      },
    })
    rates.push({ name, ...captured })
  }
  return rates
}

/** Both send the file in packets of more than that, and say everything else in smaller ones. */
const fullPacket = 1200
