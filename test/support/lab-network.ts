/**
 * A lab of real machines, as far as a program can tell: each in a network namespace of its own, all on one bridge. Nothing
 * of it is seen from outside, so labs may stand side by side. Needs root; see `missing('lab')`.
 *
 *     server 10.77.0.1 ── p0 ┐
 *     client 10.77.1.1 ── p1 ┼─ br0, in a namespace of its own
 *     client 10.77.1.2 ── p2 ┘
 *
 * Everything is removed at the end of the `await using` block, and by the janitor when the test process ends without that.
 */
import { readFileSync } from 'node:fs'
import { command, forget, remember } from '#test/loop'
import { startInNamespace, type LabProcess } from '#test/lab-process'

export interface LabMachine {
  /** Of its namespace. */
  readonly namespace: string
  /** IPv4, in 10.77.0.0/16; on its `eth0`. */
  readonly address: string
  /** The bridge's port it is plugged into. */
  readonly port: string
  /** Run a program to its end; resolves to its output. */
  run(argv: readonly string[]): Promise<string>
  /** Killed with the lab. */
  start(argv: readonly string[], options?: LabStart): LabProcess
}

export interface LabStart {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface LabNetwork extends AsyncDisposable {
  readonly server: LabMachine
  readonly clients: readonly LabMachine[]
  /** The switch itself: no address; `br0` and all ports are here. */
  readonly bridge: Pick<LabMachine, 'namespace' | 'run' | 'start'>
}

export interface LabOptions {
  readonly clients: number
  /** What the server's frames may have; everybody else's have 1500. Default: 1500. */
  readonly serverMtu?: number
  /**
   * IGMP snooping. `off` (default): every port gets everything. `querier`: members only. `no-querier`: a switch that sends
   * unknown groups nowhere and has nobody to ask who is a member, so that nobody gets anything.
   */
  readonly snooping?: 'off' | 'querier' | 'no-querier'
  /**
   * What the server's system gives its interface in one piece to be cut (udp(7), UDP_SEGMENT). `whole` (default, as Linux has it):
   * goes through the bridge as it is. `cut`: every datagram is a frame of its own from the interface on, as on a wire.
   */
  readonly bursts?: 'whole' | 'cut'
}

let built = 0
const usualMtu = 1500

export async function buildLab({
  clients,
  serverMtu = usualMtu,
  snooping = 'off',
  bursts = 'whole',
}: LabOptions): Promise<LabNetwork> {
  await removeLeftOvers()
  const prefix = `mc${process.pid}x${built++}`
  const namespaces: string[] = []
  const started = new Set<LabProcess>()
  const addNamespace = async (name: string) => {
    // Told before it is there, so that there is no moment in which nobody would remove it.
    remember(`netns:${name}`, '', null)
    namespaces.push(name)
    await command('ip', ['netns', 'add', name])
    return name
  }
  const start = (namespace: string, argv: readonly string[], options: LabStart = {}) => {
    const running = startInNamespace(namespace, argv, options)
    started.add(running)
    const drop = () => void started.delete(running)
    void running.ended.then(drop, drop)
    return running
  }
  const run = (namespace: string, argv: readonly string[]) =>
    command('ip', ['netns', 'exec', namespace, ...argv])
  const remove = async () => {
    const last = [...started]
    for (const running of last) running.kill('SIGKILL')
    await Promise.allSettled(last.map((running) => running.ended))
    for (const name of namespaces.toReversed()) {
      await command('ip', ['netns', 'del', name])
      forget(`netns:${name}`)
    }
  }
  try {
    const bridge = await addNamespace(`${prefix}b`)
    await command('ip', ['-n', bridge, '-batch', '-'], bridgeBatch(snooping))
    const addMachine = async (
      name: string,
      address: string,
      index: number,
      mtu = usualMtu,
    ): Promise<LabMachine> => {
      const namespace = await addNamespace(`${prefix}${name}`)
      const port = `p${index}`
      await command('ip', ['-n', namespace, '-batch', '-'], machineBatch(address, port, bridge, mtu))
      await command('ip', ['-n', bridge, 'link', 'set', port, 'mtu', String(mtu), 'master', 'br0', 'up'])
      if (snooping === 'no-querier')
        await run(bridge, ['bridge', 'link', 'set', 'dev', port, 'mcast_flood', 'off'])
      return {
        namespace,
        address,
        port,
        run: (argv) => run(namespace, argv),
        start: (argv, options) => start(namespace, argv, options),
      }
    }
    const server = await addMachine('s', '10.77.0.1', 0, serverMtu)
    if (bursts === 'cut')
      await command('ip', ['-n', server.namespace, 'link', 'set', 'eth0', 'gso_max_segs', '1'])
    const machines: LabMachine[] = []
    for (let index = 1; index <= clients; index++)
      machines.push(await addMachine(`c${index}`, `10.77.1.${index}`, index))
    return {
      server,
      clients: machines,
      bridge: {
        namespace: bridge,
        run: (argv) => run(bridge, argv),
        start: (argv, options) => start(bridge, argv, options),
      },
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Lines for `ip -batch`. Times of the bridge are in hundredths of a second. */
function bridgeBatch(snooping: LabOptions['snooping']): string {
  const lines = [
    'link set lo up',
    `link add br0 type bridge forward_delay 0 mcast_snooping ${snooping === 'off' ? 0 : 1}`,
  ]
  if (snooping === 'querier') {
    // Until its question has had this long to be answered, the bridge sends every group everywhere.
    lines.push('link set br0 type bridge mcast_query_response_interval 20 mcast_startup_query_interval 50')
    lines.push('link set br0 type bridge mcast_querier 1')
  }
  lines.push(`link set br0 mtu ${usualMtu} up`)
  return `${lines.join('\n')}\n`
}

function machineBatch(address: string, port: string, bridge: string, mtu: number): string {
  return `${[
    `link add eth0 type veth peer name ${port} netns ${bridge}`,
    'link set lo up',
    `link set eth0 mtu ${mtu} up`,
    `addr add ${address}/16 brd + dev eth0`,
    'route add default dev eth0',
  ].join('\n')}\n`
}

/** Of labs whose test process and janitor are both gone. */
async function removeLeftOvers(): Promise<void> {
  for (const line of (await command('ip', ['netns', 'list'])).split('\n')) {
    const [, name = '', owner = ''] = /^(mc(\d+)x\d+\w+)/.exec(line) ?? []
    if (name === '' || isRunning(Number(owner))) continue
    const pids = (await command('ip', ['netns', 'pids', name])).split('\n').filter((pid) => pid !== '')
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
    await command('ip', ['netns', 'del', name])
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
