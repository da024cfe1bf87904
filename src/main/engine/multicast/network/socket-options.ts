/**
 * Options of a UDP socket that Node has no call for. A socket is shared with a program that inherits it, so perl, which is on every
 * Debian and nearly every Linux, sets them in our place. Without perl, or on another system, everything works as it does without
 * them. docs/adr/0006 says why this and not a native module.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

/** Linux's numbers: <linux/udp.h>, <asm-generic/socket.h>. */
export interface SocketOption {
  readonly level: number
  readonly name: number
  readonly value: number
}

const [solSocket, solUdp] = [1, 17]
const [soReceiveBufferForce, udpSegment, udpGro] = [33, 103, 104]

/** What is sent at once is cut into datagrams of so many bytes, by the network adapter where it can. udp(7), Linux 4.18. */
export const cutSends = (bytes: number): SocketOption => ({ level: solUdp, name: udpSegment, value: bytes })

/** Datagrams of one length that come one after the other are handed over as one. udp(7), Linux 5.0. */
export const joinArrivals: SocketOption = { level: solUdp, name: udpGro, value: 1 }

/** A receive buffer of so many bytes, whatever net.core.rmem_max allows others: for root. socket(7). */
export const forceReceiveBuffer = (bytes: number): SocketOption => ({
  level: solSocket,
  name: soReceiveBufferForce,
  value: bytes,
})

const perl = '/usr/bin/perl'
const timeoutMs = 2000
/** Prints a 1 or a 0 for each option. The socket is its descriptor 3. */
const program = `open(my $socket, "+<&=", 3) or exit 1;
while (@ARGV) {
  my ($level, $name, $value) = splice(@ARGV, 0, 3);
  print setsockopt($socket, $level, $name, pack("i", $value)) ? 1 : 0;
}`

/** Whether the system took each of them. Never rejects: what can't be set isn't. */
export async function setSocketOptions(
  descriptor: number,
  options: readonly SocketOption[],
): Promise<readonly boolean[]> {
  const said = isThere() ? await run(descriptor, options).catch(() => '') : ''
  return options.map((_, index) => said[index] === '1')
}

function isThere(): boolean {
  if (process.platform !== 'linux') return false
  try {
    accessSync(perl, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function run(descriptor: number, options: readonly SocketOption[]): Promise<string> {
  const numbers = options.flatMap(({ level, name, value }) => [level, name, value].map(String))
  return new Promise((resolve, reject) => {
    const child = spawn(perl, ['-e', program, ...numbers], {
      stdio: ['ignore', 'pipe', 'ignore', descriptor],
      env: { LC_ALL: 'C' },
      cwd: '/',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')))
    child.once('error', reject)
    child.once('close', () => resolve(said))
  })
}
