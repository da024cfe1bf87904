import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Advertisement } from '#engine/multicast/discovery'
import type { FoundStream } from '#shared/model'
import { buildLab, type LabMachine, type LabNetwork } from '#test/lab-network'
import type { LabProcess } from '#test/lab-process'
import { missing } from '#test/needs'

/** A bus that lets everybody do everything, for one avahi-daemon and its tools. */
const busConfig = (path: string) => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${path}</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
`
const avahiConfig = `[server]
host-name=avahi-box
use-ipv4=yes
use-ipv6=no
allow-interfaces=eth0
[publish]
publish-workstation=no
[rlimits]
`

const isMissing = missing(
  'lab',
  'program:avahi-daemon',
  'program:avahi-browse',
  'program:avahi-publish',
  'program:dbus-daemon',
)

describe.skipIf(isMissing)('beside avahi', () => {
  let lab: LabNetwork
  let folder: string
  let bus: { readonly DBUS_SYSTEM_BUS_ADDRESS: string }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reprise-avahi-'))
    lab = await buildLab({ clients: 1 })
    const socket = join(folder, 'bus')
    await writeFile(join(folder, 'bus.conf'), busConfig(socket))
    await writeFile(join(folder, 'avahi.conf'), avahiConfig)
    bus = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` }
    const daemon = avahiMachine().start([
      'dbus-daemon',
      '--nofork',
      '--print-address',
      `--config-file=${join(folder, 'bus.conf')}`,
    ])
    await daemon.said('unix:path=')
    // Its number lies in a folder of the system's, of which it gets one for itself.
    const avahi = avahiMachine().start(
      [
        'unshare',
        '--mount',
        'sh',
        '-c',
        `mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon && exec avahi-daemon --file=${join(folder, 'avahi.conf')} --no-drop-root --no-chroot --no-rlimits`,
      ],
      { env: bus },
    )
    await avahi.said('Server startup complete')
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const avahiMachine = () => lab.clients[0] as LabMachine
  const start = (machine: LabMachine, argv: readonly string[]) => {
    const running = machine.start(argv, { env: bus })
    onTestFinished(async () => {
      running.kill('SIGKILL')
      await running.ended
    })
    return running
  }
  /** Ours, on the other machine. */
  const startOurs = (advertise: readonly Advertisement[]) =>
    start(lab.server, [
      process.execPath,
      join(import.meta.dirname, '../../../../support/discovery-program.ts'),
      JSON.stringify({ advertise, probeEveryMs: 300 }),
    ])
  const lines = (running: LabProcess) =>
    running
      .text()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly streams?: FoundStream[]; readonly names?: string[] })
  const found = (running: LabProcess) =>
    lines(running).findLast(({ streams }) => streams !== undefined)?.streams ?? []
  const names = (running: LabProcess) =>
    lines(running).findLast(({ names }) => names !== undefined)?.names ?? []
  /** What avahi knows, in its own notation. */
  const browse = () =>
    avahiMachine().run([
      'env',
      `DBUS_SYSTEM_BUS_ADDRESS=${bus.DBUS_SYSTEM_BUS_ADDRESS}`,
      'avahi-browse',
      '-rpt',
      '_asr._tcp',
    ])
  const listen = async (machine: LabMachine, port: number) => {
    const running = start(machine, [
      process.execPath,
      '-e',
      `require('net').createServer((s) => s.destroy()).listen(${port}, () => console.log('listens'))`,
    ])
    await running.said('listens')
    return running
  }

  const stream = (session: string): Advertisement => ({
    session,
    imageName: 'Lab.dmg',
    sizeBytes: 5_000_000_000,
    fingerprint: 'ab'.repeat(32),
    address: lab.server.address,
    port: 7800,
  })

  test('avahi sees a stream of ours with all it says, and sees it go', async () => {
    const ours = startOurs([stream('Größe 10.6')])
    const resolved = `=;eth0;IPv4;Gr\\195\\182\\195\\159e\\03210\\.6;_asr._tcp;local;reprise-box.local;10.77.0.1;7800;`
    await expect.poll(browse).toContain(resolved)
    const told = await browse()
    for (const string of [
      String.raw`session=Gr\195\182\195\159e 10.6`,
      'image=Lab.dmg',
      'size=5000000000',
      `fingerprint=${'ab'.repeat(32)}`,
    ])
      expect(told).toContain(`"${string}"`)
    ours.kill('SIGTERM')
    expect((await ours.ended).status).toBe(0)
    await expect.poll(browse).not.toContain('_asr')
  })

  test('we see what avahi publishes, while somebody takes connections there, and see it go', async () => {
    const ours = startOurs([])
    const server = await listen(avahiMachine(), 7801)
    const published = start(avahiMachine(), [
      'avahi-publish',
      '-s',
      'Ciao 10.6 lab',
      '_asr._tcp',
      '7801',
      'session=lab 7',
      'size=77',
    ])
    await expect
      .poll(() => found(ours))
      .toEqual([
        {
          name: 'Ciao 10.6 lab',
          host: 'avahi-box.local',
          address: '10.77.1.1',
          port: 7801,
          session: 'lab 7',
          imageName: '',
          sizeBytes: 77,
          fingerprint: null,
          locator: 'asr://10.77.1.1:7801/lab%207',
        },
      ])
    server.kill('SIGKILL')
    await expect.poll(() => found(ours)).toEqual([])
    await listen(avahiMachine(), 7801)
    await expect.poll(() => found(ours)).toMatchObject([{ name: 'Ciao 10.6 lab' }])
    published.kill('SIGTERM')
    await expect.poll(() => found(ours)).toEqual([])
  })

  test('a name that avahi has published is left to it', async () => {
    const published = start(avahiMachine(), ['avahi-publish', '-s', 'lab', '_asr._tcp', '7802'])
    await published.said('Established under name')
    const ours = startOurs([stream('lab')])
    await expect.poll(() => names(ours)).toEqual(['lab (2)'])
    await expect.poll(browse).toMatch(/;lab\\032\\0402\\041;.*10\.77\.0\.1;7800;/)
    expect(await browse()).toMatch(/;lab;.*10\.77\.1\.1;7802;/)
    expect(published.text()).not.toContain('collision')
  })

  test('avahi gives way to a name of ours', async () => {
    const ours = startOurs([stream('mine')])
    await expect.poll(() => names(ours)).toEqual(['mine'])
    const published = start(avahiMachine(), ['avahi-publish', '-s', 'mine', '_asr._tcp', '7803'])
    await published.said(/collision|Established under name 'mine #2'/)
    expect(names(ours)).toEqual(['mine'])
  })
})
