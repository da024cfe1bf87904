/** What goes wrong between the machines of a lab: datagrams lost by chance or in bursts, a slow link, a pulled cable. */
import type { LabMachine, LabNetwork } from '#test/lab-network'

/**
 * `chance`: each datagram for itself, as often as `share` (0 to 1) says. `bursts`: 4 of every 211 and 60 of every 2003 in a row,
 * 4.8 % in all; nft has no bursts of its own, and two lengths that are prime to each other don't fall in step with anything.
 */
export type LabLoss = { readonly kind: 'chance'; readonly share: number } | { readonly kind: 'bursts' }

/** From now on this machine doesn't get all multicast datagrams. Its TCP is left alone: TCP would only send again. */
export async function loseDatagrams(machine: LabMachine, loss: LabLoss): Promise<void> {
  const patterns =
    loss.kind === 'chance'
      ? [`random mod 100000 < ${Math.round(loss.share * 100_000)}`]
      : ['inc mod 211 < 4', 'inc mod 2003 < 60']
  await machine.run([
    'nft',
    [
      'add table netdev loss',
      'add chain netdev loss in { type filter hook ingress device "eth0" priority 0; }',
      ...patterns.map(
        (pattern) =>
          `add rule netdev loss in ip daddr 224.0.0.0/4 meta l4proto udp numgen ${pattern} counter drop`,
      ),
    ].join('; '),
  ])
}

/** How many datagrams were lost since `loseDatagrams`. */
export async function lostDatagrams(machine: LabMachine): Promise<number> {
  const rules = await machine.run(['nft', 'list', 'table', 'netdev', 'loss'])
  return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
}

/** The switch's port to this machine takes no more than that; what is more waits for 50 ms and is thrown away. */
export async function slowDown(
  lab: LabNetwork,
  machine: LabMachine,
  megabitsPerSecond: number,
): Promise<void> {
  await lab.bridge.run(
    ['tc', 'qdisc', 'add', 'dev', machine.port, 'root', 'tbf'].concat([
      'rate',
      `${megabitsPerSecond}mbit`,
      'burst',
      '64kb',
      'latency',
      '50ms',
    ]),
  )
}

/** The same port, as fast as it was. */
export async function endSlowness(lab: LabNetwork, machine: LabMachine): Promise<void> {
  await lab.bridge.run(['tc', 'qdisc', 'del', 'dev', machine.port, 'root'])
}

/** `down`: its cable is out. */
export async function setCable(lab: LabNetwork, machine: LabMachine, state: 'up' | 'down'): Promise<void> {
  await lab.bridge.run(['ip', 'link', 'set', machine.port, state])
}

/** The machine's adapter is pulled out: the interface is gone, and its address with it. Returns what puts the same one back. */
export async function pullAdapter(lab: LabNetwork, machine: LabMachine): Promise<() => Promise<void>> {
  const mac = (await machine.run(['cat', '/sys/class/net/eth0/address'])).trim()
  await machine.run(['ip', 'link', 'del', 'eth0'])
  return async () => {
    const peer = ['peer', 'name', machine.port, 'netns', lab.bridge.namespace]
    await machine.run(['ip', 'link', 'add', 'eth0', 'address', mac, 'type', 'veth', ...peer])
    await lab.bridge.run(['ip', 'link', 'set', machine.port, 'master', 'br0', 'up'])
    await machine.run(['ip', 'addr', 'add', `${machine.address}/16`, 'brd', '+', 'dev', 'eth0'])
    await machine.run(['ip', 'link', 'set', 'eth0', 'up'])
    await machine.run(['ip', 'route', 'add', 'default', 'dev', 'eth0'])
  }
}

/** The machine has another address from now on, as when DHCP gives it one. */
export async function changeAddress(machine: LabMachine, address: string): Promise<void> {
  await machine.run(['ip', '-4', 'addr', 'flush', 'dev', 'eth0'])
  await machine.run(['ip', 'addr', 'add', `${address}/16`, 'brd', '+', 'dev', 'eth0'])
  await machine.run(['ip', 'route', 'replace', 'default', 'dev', 'eth0'])
}
