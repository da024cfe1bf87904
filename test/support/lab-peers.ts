/** Debian's udpcast and uftp in a lab, as their manuals say to use them for a room: what ours is measured against. */
import { basename, join } from 'node:path'
import type { LabMachine, LabNetwork } from '#test/lab-network'

export interface PeerTransfer {
  readonly file: string
  /** Where each client puts it: a folder for each, in the order of the lab's clients. */
  readonly folders: readonly string[]
  /** Null: as fast as it goes. */
  readonly bitsPerSecond: number | null
}

export interface PeerResult {
  /**
   * From the first byte of the file to each client's last: what these programs do before, to find each other, isn't
   * counted. Null: it didn't get the file.
   */
  readonly clientSeconds: readonly (number | null)[]
  readonly clientFiles: readonly string[]
}

const words = (text: string) => text.split(' ').filter((word) => word !== '')

/** It starts when everyone is there. */
export async function sendWithUdpcast(
  lab: LabNetwork,
  { file, folders, bitsPerSecond }: PeerTransfer,
): Promise<PeerResult> {
  const clientFiles = folders.map((folder) => join(folder, basename(file)))
  const receivers = clientFiles.map((path, index) =>
    clientOf(lab, index).start([
      ...words('udp-receiver --interface eth0 --nokbd --nosync --exit-wait 50 --file'),
      path,
    ]),
  )
  const sender = lab.server.start([
    ...words('udp-sender --interface eth0 --nokbd --full-duplex --nopointopoint --ttl 1'),
    ...words(bitsPerSecond === null ? '' : `--max-bitrate ${Math.round(bitsPerSecond)}`),
    ...words(`--min-receivers ${folders.length} --file`),
    file,
  ])
  await sender.said('Starting transfer')
  const startedMs = performance.now()
  const seconds = receivers.map(async (receiver) => {
    await receiver.said('Transfer complete').catch(() => undefined)
    const completeMs = performance.now()
    const { status } = await receiver.ended
    return status === 0 ? (completeMs - startedMs) / 1000 : null
  })
  await sender.ended
  return { clientSeconds: await Promise.all(seconds), clientFiles }
}

/** They ask for names of addresses; nobody here knows any. */
const env = { RES_OPTIONS: 'timeout:1 attempts:1' }

/** Its own figures. */
export async function sendWithUftp(
  lab: LabNetwork,
  { file, folders, bitsPerSecond }: PeerTransfer,
): Promise<PeerResult> {
  const clients = folders.map((_, index) => clientOf(lab, index))
  const daemons = clients.map((client, index) =>
    client.start(['uftpd', '-d', '-t', '-D', folders[index] ?? '', '-I', 'eth0'], { env }),
  )
  try {
    await Promise.all(daemons.map((daemon) => daemon.said('Loaded')))
    const kilobits = bitsPerSecond === null ? -1 : Math.round(bitsPerSecond / 1000)
    const sender = lab.server.start(['uftp', '-R', String(kilobits), '-I', 'eth0', file], { env })
    const { text } = await sender.ended
    const clientSeconds = clients.map(({ address }) => {
      const id = address
        .split('.')
        .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
        .join('')
      const took = new RegExp(`Host: 0x${id}\\s+Status: Completed\\s+time:\\s+([\\d.]+) seconds`).exec(
        text,
      )?.[1]
      return took === undefined ? null : Number(took)
    })
    return { clientSeconds, clientFiles: folders.map((folder) => join(folder, basename(file))) }
  } finally {
    for (const daemon of daemons) daemon.kill('SIGKILL')
    await Promise.allSettled(daemons.map((daemon) => daemon.ended))
  }
}

function clientOf(lab: LabNetwork, index: number): LabMachine {
  const client = lab.clients[index]
  if (client === undefined) throw new Error(`the lab has no client ${index}`)
  return client
}
