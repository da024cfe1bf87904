/** What really goes over a lab's wire: tcpdump on the switch's port to the server, and its file read back. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCapture, type Captured } from '#test/lab-capture-file'
import type { LabNetwork } from '#test/lab-network'

export interface LabCapture extends AsyncDisposable {
  /** Stop, and resolve to what was seen. Rejects when tcpdump couldn't keep up: then nothing can be said of rates. */
  stop(): Promise<Captured>
}

const signsOfLife = 20

export const multicastOnly = 'udp and dst net 224.0.0.0/4'
/** The beginnings and ends of connections: few packets, so that watching them costs nothing. */
export const connectionsOnly = 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0'

/**
 * Capture what passes the switch's port to the server, or at another port. `filter` in pcap's language; default: everything
 * to a multicast group over UDP.
 */
export async function capturePackets(
  lab: LabNetwork,
  {
    at = 'p0',
    filter = 'udp and dst net 224.0.0.0/4',
  }: { readonly at?: string; readonly filter?: string } = {},
): Promise<LabCapture> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-capture-'))
  const file = join(folder, 'wire.pcap')
  const tcpdump = lab.bridge.start([
    // Without -Z it would become a user who may not write here.
    ...`tcpdump -i ${at} -n -U -s 96 -B 32768 --time-stamp-precision=nano -Z root -w`.split(' '),
    file,
    filter,
  ])
  const remove = async () => {
    tcpdump.kill('SIGKILL')
    await tcpdump.ended.catch(() => undefined)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await tcpdump.said('listening on')
  } catch (error) {
    await remove()
    throw error
  }
  return {
    async stop() {
      // The kernel hands a stretch of packets over when it is full or a second old; what it still has would be forgotten.
      await sleep(1100)
      tcpdump.kill('SIGINT')
      const { text } = await tcpdump.ended
      const [, captured, received, dropped] =
        /(\d+) packets? captured\s+(\d+) packets? received by filter\s+(\d+) packets? dropped/.exec(text) ??
        []
      // Since then only a sign of life or two can have come.
      if (captured === undefined || Number(received) - Number(captured) > signsOfLife || dropped !== '0')
        throw new Error(`tcpdump missed datagrams: ${text}`)
      return parseCapture(await readFile(file))
    },
    [Symbol.asyncDispose]: remove,
  }
}
