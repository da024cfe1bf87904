/**
 * Every state of the window, and how to come to it on the double page: by what a person does, and by what the host
 * says. For screenshots, for axe, and for everything else that has to hold in all of them.
 */
import type { Locator, Page } from 'playwright-core'
import { dragOnto } from './browser.ts'
import type { Stall } from '#shared/model'
import type { DoublePage } from './ui-page/main.ts'

declare global {
  interface Window extends DoublePage {
    /** Lets a held start go on. */
    release: () => void
  }
}

export interface WindowState {
  readonly name: string
  /** What the address asks the double page for. */
  readonly preset?: string
  readonly reach: (page: Page) => Promise<void>
}

export const row = (page: Page, name: string): Locator =>
  page.getByRole('row', { name: new RegExp(`^${name}`) }).first()

const erase = (page: Page) => page.getByText('Erase destination', { exact: true })

/** Chooses an image of `/home/ann/Images` in the window's own panel. */
export async function chooseSource(page: Page, name = 'ModularSystem'): Promise<void> {
  await page.evaluate(() => {
    const file = (name: string, sizeBytes: number) => ({
      name,
      path: `/home/ann/Images/${name}`,
      kind: 'file' as const,
      sizeBytes,
      modifiedMs: Date.UTC(2026, 4, 12),
    })
    window.double.listing = {
      folder: '/home/ann/Images',
      file: null,
      parent: '/home/ann',
      places: [
        { name: 'Home', path: '/home/ann' },
        { name: 'Images', path: '/home/ann/Images' },
        { name: 'Downloads', path: '/home/ann/Downloads' },
      ],
      entries: [
        { ...file('Old', 0), kind: 'folder' },
        file('Lab 2019.dmg', 3.4e9),
        file('ModularSystem.dmg', 5.8e9),
        file('Payroll.dmg', 5.8e9),
        file('Scratch.sparseimage', 1.3e9),
        file('debian-13.img.xz', 1.2e9),
        file('holiday.iso', 4e6),
        file('notes.txt', 1200),
      ],
      truncated: false,
    }
  })
  await page.getByRole('button', { name: 'Image…' }).click()
  await page.getByRole('option', { name: new RegExp(name) }).dblclick()
  await page.getByRole('group', { name: new RegExp(`^Source, ${name}`) }).waitFor()
}

async function compose(page: Page, destination = 'SanDisk Ultra', source?: string): Promise<void> {
  await chooseSource(page, source)
  await row(page, destination).click()
  await page.keyboard.press('Control+2')
  await page.getByRole('group', { name: new RegExp(`^Destination, ${destination}`) }).waitFor()
  await page.getByText('Fits').waitFor()
}

async function ready(page: Page): Promise<void> {
  await compose(page)
  await erase(page).click()
  await page.getByText('will be lost').waitFor()
}

async function confirm(page: Page): Promise<void> {
  await ready(page)
  await page.getByRole('button', { name: 'Restore…' }).click()
  await page.getByRole('alertdialog').waitFor()
}

export async function startRestore(page: Page): Promise<void> {
  await confirm(page)
  await page.getByRole('button', { name: 'Erase and Restore' }).click()
  await page.getByRole('alertdialog').waitFor({ state: 'detached' })
}

type At = Parameters<DoublePage['fixtures']['aJob']>[1]

/** Shows the restore at a phase, with two minutes of speed behind it. */
async function running(
  page: Page,
  at: At,
  { stall, ...change }: { readonly stopping?: true; readonly stall?: Stall } = {},
): Promise<void> {
  await startRestore(page)
  await page.evaluate(
    ({ at, stall, change }) => {
      const { double, fixtures } = window
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      double.setDevices(
        double.devices.map((disk) => (disk.path === '/dev/sdb' ? { ...disk, busy: true } : disk)),
      )
      for (let index = 0; index < 300 && at.percent !== undefined; index += 1) {
        const job = fixtures.aJob(plan, { ...at, percent: Math.round((at.percent * index) / 300) })
        const bytesPerSecond = 187e6 + Math.sin(index / 9) * 14e6 + (index % 7) * 2e6
        if (job.progress) double.sendJob({ ...job, progress: { ...job.progress, bytesPerSecond } })
      }
      const job = fixtures.aJob(plan, at, change)
      const still = { bytesPerSecond: 0, remainingMs: null }
      double.sendJob(stall && job.progress ? { ...job, progress: { ...job.progress, ...still, stall } } : job)
    },
    { at, stall, change },
  )
  await page.locator('.running').waitFor()
}

type Outcome =
  'done' | 'unreadable' | 'not-ejected' | 'ejected' | 'failed' | 'unplugged' | 'differs' | 'cancelled'

async function endedAs(page: Page, outcome: Outcome): Promise<void> {
  await startRestore(page)
  await page.evaluate((outcome) => {
    const { double, fixtures, errors } = window
    const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
    const details = { path: '/dev/sdb' }
    const busy = errors.serializeError(
      new errors.DeviceError('E_DST_BUSY', 'busy', {
        details: { ...details, left: 'eject', holders: ['tracker-miner (1204)'] },
      }),
    )
    const half = fixtures.aJob(plan, { phase: 'restoring', percent: 43, failed: true })
    const failed = (error: unknown, target: 'empty' | 'incomplete', job = half) =>
      double.sendJob(fixtures.ended(job, { kind: 'failed', target, error: errors.serializeError(error) }))
    const done = (summary: Parameters<typeof fixtures.aSummary>[0], of = plan) =>
      double.sendJob(
        fixtures.ended(fixtures.aJob(of, { phase: 'remounting' }), {
          kind: 'done',
          summary: fixtures.aSummary(summary),
        }),
      )
    const ejecting = { ...plan, request: fixtures.aRequest({ afterwards: 'eject' }) }
    switch (outcome) {
      case 'done':
        return done({})
      case 'unreadable':
        return done({ mountPoints: [], unreadable: ['apfs'] })
      case 'ejected':
        return done({ ejected: true, mountPoints: [] }, ejecting)
      case 'not-ejected':
        return done({ mountPoints: [], warnings: [busy] }, ejecting)
      case 'failed':
        return failed(
          new errors.DeviceError('E_IO_WRITE', 'EIO', {
            details: { ...details, errno: 'EIO', offset: 6106906624 },
          }),
          'empty',
        )
      case 'unplugged':
        double.unplug('/dev/sdb')
        return failed(
          new errors.DeviceError('E_DST_GONE', 'gone', {
            details: { ...details, phase: 'restoring', percent: 43 },
          }),
          'incomplete',
        )
      case 'differs':
        return failed(
          new errors.VerificationError('E_VERIFY', 'differs', {
            details: {
              ...details,
              offset: 733184,
              differingBlocks: 3,
              blockBytes: 1048576,
              expected: '8dd1f5c4',
              found: '00000000',
              parts: '..........-.....................x................ ',
            },
          }),
          'empty',
          fixtures.aJob(plan, { phase: 'verifying', percent: 78, failed: true }),
        )
      case 'cancelled':
        return double.sendJob(fixtures.ended(half, { kind: 'cancelled', target: 'empty', percent: 43 }))
    }
  }, outcome)
  await page.locator('.ended').waitFor()
}

async function hover(page: Page, name: string): Promise<void> {
  await chooseSource(page)
  await dragOnto(page, row(page, name), page.getByRole('group', { name: /^Destination/ }))
  await page.locator('[data-offer]').first().waitFor()
}

/** Four jobs, one of each kind of end. */
async function jobs(page: Page): Promise<void> {
  await endedAs(page, 'failed')
  await page.evaluate(() => {
    const { double, fixtures } = window
    const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
    const job = fixtures.aJob(plan, { phase: 'verifying', percent: 20 })
    double.sendJob(fixtures.ended({ ...job, jobId: 'job-2' }, { kind: 'done', summary: fixtures.aSummary() }))
    double.sendJob({
      ...job,
      jobId: 'job-3',
      kind: 'verify-image',
      plan: null,
      title: 'ModularSystem.dmg',
      phases: [],
      progress: null,
      outcome: {
        kind: 'checked',
        verification: {
          checked: fixtures.systemImage.tables.map((table) => ({
            what: table.name,
            algorithm: 'CRC-32',
            value: table.checksum?.value ?? '',
          })),
          nothingToCheck: false,
          expandedBytes: 14.2e9,
          durationMs: 61_000,
        },
      },
    })
    double.sendJob({ ...job, jobId: 'job-4' })
  })
  await page.getByRole('tab', { name: 'Activity' }).click()
  await page.getByRole('button', { name: '3 checksums' }).click()
}

async function log(page: Page): Promise<void> {
  await page.evaluate(() => {
    const levels = ['debug', 'info', 'info', 'warn', 'error'] as const
    const messages = ['volume unmounted', 'write', 'phase began', 'retrying read', 'sink failed']
    for (let index = 0; index < 3000; index += 1)
      window.double.sendLog({
        timeMs: Date.UTC(2026, 10, 20, 14) + index * 97,
        level: levels[index % 5] ?? 'info',
        message: messages[index % 5] ?? '',
        fields: { disk: '/dev/sdb', offset: index * 1048576 },
      })
  })
  await page.getByRole('tab', { name: 'Activity' }).click()
  await page.getByRole('radio', { name: 'Log' }).click()
  await page.getByText('sink failed').first().waitFor()
}

async function help(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'Help' }).click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('dialog').waitFor()
}

/** Chooses in the menu bar: `Images`, `Convert…`. */
export async function choose(page: Page, menu: string, ...items: readonly string[]): Promise<void> {
  await page.getByRole('button', { name: menu, exact: true }).click()
  for (const item of items) await page.getByRole('menuitem', { name: item }).first().click()
}

/** Opens an image in the sidebar, and a sheet for it. */
async function imageSheet(page: Page, image: string, item: string): Promise<void> {
  await chooseSource(page, image)
  await row(page, image).click()
  await choose(page, 'Images', item)
  await page.getByRole('dialog').waitFor()
}

async function newImage(page: Page, item: string): Promise<void> {
  await choose(page, 'File', 'New Image', item)
  await page.getByRole('dialog').waitFor()
}

async function unscanned(page: Page): Promise<void> {
  await compose(page, 'SanDisk Ultra', 'Lab 2019')
  await erase(page).click()
  await page.getByText('Needs scan.').waitFor()
}

/** Work on images, one job of each kind, running and ended. */
async function imageJobs(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { double, fixtures } = window
    for (const job of fixtures.imageJobs()) double.sendJob(job)
  })
  await page.getByRole('tab', { name: 'Activity' }).click()
  await page.getByText('14.2 GB disk in 4.6 GB').waitFor()
}

/** An image in the well of the Multicast Server tab. */
async function streamImage(page: Page, image = 'ModularSystem'): Promise<void> {
  await chooseSource(page, image)
  await page.getByRole('tab', { name: 'Multicast Server' }).click()
  await dragOnto(page, row(page, image), page.getByRole('group', { name: /^Image/ }))
  await page.mouse.up()
  await page.getByRole('group', { name: new RegExp(`^Image, ${image}`) }).waitFor()
}

/** The form with More Options open, and who may join typed. */
async function streamOptions(page: Page, rules: string): Promise<void> {
  await streamImage(page)
  await page.getByRole('button', { name: 'More Options' }).click()
  await page.getByLabel('Who may join').fill(rules)
}

/** Three streams, the first of them shown. */
export async function severalSessions(page: Page): Promise<void> {
  await session(page, {}, 'some')
  await page.evaluate(() => {
    const { double, streams } = window
    const [first = streams.aSession()] = double.sessions
    const named = (sessionId: string, name: string) =>
      streams.aSession({ sessionId, phase: 'waiting', settings: { ...first.settings, name } })
    double.sendSessions([first, named('b2'.repeat(16), 'Kiosk'), named('c3'.repeat(16), 'Library')])
  })
  await page.getByRole('radio', { name: /^Library/ }).waitFor()
}

type Session = Partial<ReturnType<DoublePage['streams']['aSession']>>

/** A stream of this computer, with a minute and a half behind it. */
async function session(
  page: Page,
  change: Session,
  clients: 'none' | 'some' | 'two' = 'none',
): Promise<void> {
  await page.evaluate(
    ({ change, clients }) => {
      const { double, streams } = window
      const all = clients === 'none' ? [] : streams.someClients()
      const two = all
        .slice(0, 2)
        .map((client) =>
          change.phase === 'waiting'
            ? { ...client, state: 'joined' as const, blocksDone: 0, loss: 0 }
            : client,
        )
      const shown = clients === 'two' ? two : all
      for (let index = 0; index < 180; index += 1)
        double.sendSessions([
          streams.aSession({
            ...change,
            clients: shown,
            sentBytesPerSecond: 11.5e6 + Math.sin(index / 8) * 0.3e6 - (index > 90 && index < 104 ? 6e6 : 0),
          }),
        ])
      double.sendSessions([streams.aSession({ ...change, clients: shown })])
    },
    { change, clients },
  )
  await page.getByRole('tab', { name: 'Multicast Server' }).click()
  if ((await page.getByRole('radio').count()) > 0)
    await page.getByRole('radio', { name: /^ModularSystem/ }).click()
  await page.getByRole('button', { name: /^(Stop…?|Remove)$/ }).waitFor()
}

/** The restore of a stream that runs. */
async function receiving(
  page: Page,
  at: At,
  stream: Partial<ReturnType<DoublePage['streams']['aStream']>>,
): Promise<void> {
  await startRestore(page)
  await page.evaluate(
    ({ at, stream }) => {
      const { double, fixtures, streams } = window
      const [found] = streams.foundStreams
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      if (!found || plan.source?.kind !== 'image') return
      const source = {
        kind: 'stream' as const,
        locator: found.locator,
        name: found.imageName,
        stream: {
          session: found.session,
          imageName: found.imageName,
          imageFormat: 'ULFO',
          streamBytes: 14.2e9,
          fingerprint: 'c0'.repeat(32),
          pinned: false,
        },
        image: plan.source.image,
      }
      double.sendJob(streams.withStream(fixtures.aJob({ ...plan, source }, at), stream))
    },
    { at, stream },
  )
  await page.locator('.running').waitFor()
}

export const windowStates: readonly WindowState[] = [
  { name: 'first-run', preset: 'first', reach: async () => undefined },
  { name: 'empty', reach: async () => undefined },
  { name: 'no-disks', preset: 'empty', reach: (page) => page.getByText('No disks here').waitFor() },
  { name: 'composed', reach: (page) => compose(page) },
  { name: 'ready', reach: ready },
  {
    name: 'too-small',
    reach: async (page) => {
      await compose(page)
      await page.evaluate(() => {
        const { double } = window
        double.setDevices(
          double.devices.map((disk) => (disk.path === '/dev/sdb' ? { ...disk, sizeBytes: 8e9 } : disk)),
        )
      })
      await page.getByRole('listitem').getByText('too small').waitFor()
    },
  },
  {
    name: 'several-volumes',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, fixtures } = window
        double.images = double.images.map((image) => {
          const [efi, main] = image.partitions
          if (image.path !== fixtures.systemImage.path || !efi || !main) return image
          const volumes = [
            { name: 'Macintosh HD', uuid: '1', role: 'System' },
            { name: 'Data', uuid: '2', role: 'Data' },
          ]
          const apfs = { ...main, index: 3, filesystem: 'apfs', label: null, volumes }
          return { ...image, partitions: [efi, main, apfs] }
        })
      })
      await chooseSource(page)
      await row(page, 'UNTITLED').click()
      await page.keyboard.press('Control+2')
      await page.getByRole('button', { name: 'Volume in image' }).click()
      await page.getByRole('option', { name: 'Macintosh HD (System), Data (Data)' }).waitFor()
    },
  },
  {
    name: 'unreadable-source',
    reach: async (page) => {
      await chooseSource(page)
      await page.getByRole('button', { name: 'Image…' }).click()
      await page.getByRole('option', { name: /holiday/ }).dblclick()
      await page.getByText("isn't a disk image").waitFor()
    },
  },
  {
    name: 'write-protected',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, errors, fixtures } = window
        const refusal = errors.serializeError(
          new errors.DeviceError('E_DST_READONLY', 'locked', { details: { path: '/dev/sdb' } }),
        )
        double.answer('restore.plan', async (request) => ({
          ...fixtures.planFor(request, double.devices, double.images),
          checks: [{ step: 'target', state: 'failed', kind: 'error', error: refusal }],
          refusal,
        }))
      })
      await chooseSource(page)
      await row(page, 'SanDisk').click()
      await page.keyboard.press('Control+2')
      await page.getByRole('listitem').getByText('Check the lock switch').waitFor()
    },
  },
  {
    name: 'reading',
    reach: async (page) => {
      await page.evaluate(() => window.double.answer('source.inspect', () => new Promise(() => undefined)))
      await row(page, 'Practice Image').click()
      await page.keyboard.press('Control+1')
      await page.getByText('Reading image…').first().waitFor()
    },
  },
  {
    name: 'stream-awaited',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, errors } = window
        double.answer('source.inspect', async () => {
          throw new errors.NetworkError('E_MC_REFUSED', 'not yet', {
            details: {
              address: '10.0.0.1',
              host: 'imageserver.local',
              phase: 'control',
              reason: 'preparing',
            },
          })
        })
      })
      await choose(page, 'File', 'Open URL…')
      await page.getByLabel('URL').fill('asr://imageserver.local/Lab')
      await page.keyboard.press('Enter')
      await page.getByText('is read to its end before').waitFor()
    },
  },
  {
    name: 'awaited',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, errors, fixtures } = window
        double.answer('source.inspect', () => new Promise(() => undefined))
        const address = fixtures.webImage.path
        const trouble = new errors.NetworkError('E_NET', 'refused', {
          details: { address, host: 'images.example', phase: 'connect', errno: 'ECONNREFUSED' },
        })
        double.sendFetches([{ kind: 'awaited', locator: address, trouble: errors.serializeError(trouble) }])
      })
      await choose(page, 'File', 'Open URL…')
      await page.getByLabel('URL').fill('https://images.example/labs/ModularSystem.dmg')
      await page.keyboard.press('Enter')
      await page.getByRole('tabpanel').getByText('Trying again.').waitFor()
    },
  },
  { name: 'dragging', reach: (page) => hover(page, 'SanDisk') },
  { name: 'dragging-impossible', reach: (page) => hover(page, 'Kingston') },
  {
    name: 'dragging-no-source',
    reach: async (page) => {
      await row(page, 'Kingston').click()
      await page.keyboard.press('Control+2')
      await dragOnto(page, row(page, 'Kingston'), page.getByRole('group', { name: /^Source/ }))
      await page.getByText('It is the destination').waitFor()
    },
  },
  {
    name: 'destination-left',
    reach: async (page) => {
      await row(page, 'Kingston').click()
      await page.keyboard.press('Control+2')
      await page.getByRole('group', { name: /^Destination, Kingston/ }).waitFor()
      await chooseSource(page)
      await page.getByText('is no longer the destination').waitFor()
    },
  },
  {
    name: 'choose',
    reach: async (page) => {
      await chooseSource(page)
      await page.getByRole('button', { name: 'Choose…' }).click()
      await page.getByRole('menu').waitFor()
    },
  },
  {
    name: 'save-disk',
    reach: async (page) => {
      await chooseSource(page)
      await page.getByRole('button', { name: 'Choose…' }).click()
      await page.getByRole('menuitem', { name: 'File…' }).click()
      await page.getByRole('textbox', { name: 'Save as' }).waitFor()
    },
  },
  { name: 'confirm', reach: confirm },
  {
    name: 'confirm-armed',
    reach: async (page) => {
      await confirm(page)
      await page.locator('.confirm-yes:not([data-arming])').waitFor()
    },
  },
  {
    name: 'confirm-typed',
    preset: 'internal',
    reach: async (page) => {
      await compose(page, 'WDC WD40EFRX')
      await erase(page).click()
      await page.getByText('will be lost').or(page.getByText('Will be lost')).waitFor()
      await page.getByRole('button', { name: 'Restore…' }).click()
      await page.getByRole('textbox').fill('WDC WD40')
    },
  },
  {
    name: 'authenticating',
    reach: async (page) => {
      await page.evaluate(() => {
        window.release = window.double.holdStart()
      })
      await startRestore(page)
      await page.getByText('Take your time').waitFor()
    },
  },
  { name: 'unmounting', reach: (page) => running(page, { phase: 'unmounting' }) },
  { name: 'running', reach: (page) => running(page, { phase: 'restoring', percent: 43 }) },
  {
    name: 'stalled',
    reach: async (page) => {
      const stall = { silentMs: 60_000, awaited: 'destination' } as const
      await running(page, { phase: 'restoring', percent: 43 }, { stall })
    },
  },
  { name: 'verifying', reach: (page) => running(page, { phase: 'verifying', percent: 78 }) },
  {
    name: 'stopping',
    reach: (page) => running(page, { phase: 'restoring', percent: 43 }, { stopping: true }),
  },
  { name: 'done', reach: (page) => endedAs(page, 'done') },
  { name: 'done-unreadable', reach: (page) => endedAs(page, 'unreadable') },
  { name: 'done-ejected', reach: (page) => endedAs(page, 'ejected') },
  { name: 'done-not-ejected', reach: (page) => endedAs(page, 'not-ejected') },
  { name: 'failed', reach: (page) => endedAs(page, 'failed') },
  { name: 'failed-unplugged', reach: (page) => endedAs(page, 'unplugged') },
  { name: 'failed-verify', reach: (page) => endedAs(page, 'differs') },
  { name: 'cancelled', reach: (page) => endedAs(page, 'cancelled') },
  {
    name: 'disconnected',
    reach: async (page) => {
      await ready(page)
      await page.evaluate(() => window.double.unplug('/dev/sdb'))
      await page.getByText('Disconnected. Choose').waitFor()
    },
  },
  {
    name: 'unsupported',
    preset: 'unsupported',
    reach: (page) =>
      page
        .getByText('Images can be opened, verified, converted, scanned and resized.')
        .waitFor({ timeout: 10_000 }),
  },
  {
    name: 'engine-gone',
    reach: async (page) => {
      await compose(page)
      await page.evaluate(() => window.double.sendEngine('gone', 'It ended with signal SIGKILL.'))
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'connection-lost',
    reach: async (page) => {
      await compose(page)
      await page.evaluate(() => window.double.lose({ refusing: true }))
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'eject-refused',
    reach: async (page) => {
      await page.evaluate(() => {
        window.double.answer('device.eject', async () => {
          throw new window.errors.DeviceError('E_DST_BUSY', 'busy', {
            details: { path: '/dev/sdb', holders: ['vim (311)'] },
          })
        })
      })
      await row(page, 'SanDisk').click()
      await page.keyboard.press('Control+e')
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'internal-selected',
    preset: 'internal',
    reach: async (page) => {
      await row(page, 'Samsung').click()
      await page.getByText('Protected: runs this computer').waitFor()
    },
  },
  {
    name: 'image-selected',
    reach: async (page) => {
      await chooseSource(page)
      await row(page, 'ModularSystem').click()
    },
  },
  {
    name: 'info',
    reach: async (page) => {
      await chooseSource(page)
      await row(page, 'ModularSystem').click()
      await page.keyboard.press('Control+i')
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'context-menu',
    reach: async (page) => {
      await chooseSource(page)
      await row(page, 'Kingston').click({ button: 'right' })
      await page.getByRole('menu').waitFor()
    },
  },
  {
    name: 'only-volumes',
    reach: async (page) => {
      await page.getByRole('button', { name: 'View' }).click()
      await page.getByRole('menuitem', { name: 'Show Only Volumes' }).click()
      await row(page, 'UNTITLED').click()
      await row(page, 'SanDisk').waitFor({ state: 'detached' })
    },
  },
  {
    name: 'menu',
    reach: async (page) => {
      await page.getByRole('button', { name: 'View' }).click()
      await page.getByRole('menu').waitFor()
    },
  },
  {
    name: 'files',
    reach: async (page) => {
      await chooseSource(page)
      await page.getByRole('button', { name: 'Image…' }).click()
      await page.getByRole('option', { name: /debian/ }).click()
    },
  },
  {
    name: 'files-path',
    reach: async (page) => {
      await chooseSource(page)
      await page.getByRole('button', { name: 'Image…' }).click()
      await page.evaluate(() => {
        const { double, errors } = window
        double.answer('files.list', async ({ folder }) => {
          const details = { path: folder ?? '' }
          throw new errors.DeviceError('E_NOT_FOUND', 'no such folder', { details })
        })
      })
      await page.getByLabel('Path').fill('/home/ann/Imagse')
      await page.keyboard.press('Enter')
      await page.getByText("'/home/ann/Imagse' wasn't found.").waitFor()
    },
  },
  { name: 'needs-scan', reach: unscanned },
  {
    name: 'not-scanned',
    reach: async (page) => {
      await unscanned(page)
      await page.getByRole('button', { name: 'Restore…' }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  {
    name: 'scanning-to-go-on',
    reach: async (page) => {
      await unscanned(page)
      await page.getByRole('button', { name: 'Restore…' }).click()
      await page.getByRole('button', { name: 'Scan and Continue' }).click()
      await page.evaluate(() => {
        const { double, fixtures } = window
        double.sendJob(fixtures.anImageJob('scan', 'Lab 2019.dmg', { phase: 'scanning', percent: 37 }))
      })
      await page.getByText('Then you are asked').waitFor()
    },
  },
  {
    name: 'changed-only',
    reach: async (page) => {
      await ready(page)
      await page.getByText('Write only what changed').click()
      await page.getByText('only blocks that differ are written').waitFor()
    },
  },
  {
    name: 'done-changed-only',
    reach: async (page) => {
      await startRestore(page)
      await page.evaluate(() => {
        const { double, fixtures } = window
        const plan = fixtures.planFor(fixtures.aRequest({ changedOnly: true }), double.devices, double.images)
        double.sendJob(
          fixtures.ended(fixtures.aJob(plan, { phase: 'remounting' }), {
            kind: 'done',
            summary: fixtures.aSummary({ unchangedBytes: 9.6e9, writtenBytes: 92e6 }),
          }),
        )
      })
      await page.locator('.ended').waitFor()
    },
  },
  {
    name: 'cancelled-verifying',
    reach: async (page) => {
      await startRestore(page)
      await page.evaluate(() => {
        const { double, fixtures } = window
        const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
        double.sendJob(
          fixtures.ended(fixtures.aJob(plan, { phase: 'verifying', percent: 12 }), {
            kind: 'cancelled',
            target: 'empty',
            percent: 12,
            phase: 'verifying',
          }),
        )
      })
      await page.locator('.ended').waitFor()
    },
  },
  { name: 'scan', reach: (page) => imageSheet(page, 'Lab 2019', 'Scan Image for Restore…') },
  { name: 'scan-info', reach: (page) => imageSheet(page, 'ModularSystem', 'Show Scan Info') },
  { name: 'convert', reach: (page) => imageSheet(page, 'ModularSystem', 'Convert…') },
  {
    name: 'convert-encrypted',
    reach: async (page) => {
      await imageSheet(page, 'ModularSystem', 'Convert…')
      await page.getByText('Cut into segments').click()
      await page.getByText('Encrypt (AES-256)').click()
      await page.getByLabel('Password').fill('correct horse')
      await page.getByRole('button', { name: 'Convert', exact: true }).click()
      await page.getByText("aren't the same").waitFor()
    },
  },
  {
    name: 'convert-format',
    reach: async (page) => {
      await imageSheet(page, 'ModularSystem', 'Convert…')
      await page.getByRole('button', { name: /Format/ }).click()
      await page.getByRole('listbox').waitFor()
    },
  },
  {
    name: 'replace',
    reach: async (page) => {
      await page.evaluate(() => {
        const facts = { kind: 'file' as const, sizeBytes: 12e6, freeBytes: 1e9 }
        window.double.targets = { '/home/ann/Images/Lab 2019 converted.img': facts }
      })
      await imageSheet(page, 'Lab 2019', 'Convert…')
      await page.getByRole('button', { name: /Format/ }).click()
      await page.getByRole('option', { name: 'Raw disk image' }).click()
      await page.getByRole('button', { name: 'Convert', exact: true }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  {
    name: 'target-folder',
    reach: async (page) => {
      await imageSheet(page, 'ModularSystem', 'Convert…')
      await page.getByRole('button', { name: 'Choose…' }).last().click()
      await page.getByText('Choose where to write').waitFor()
    },
  },
  { name: 'resize', reach: (page) => imageSheet(page, 'Scratch', 'Resize…') },
  { name: 'new-blank', reach: (page) => newImage(page, 'Blank…') },
  { name: 'new-folder', reach: (page) => newImage(page, 'From Folder…') },
  {
    name: 'new-device',
    reach: async (page) => {
      await newImage(page, 'From Device…')
      await page.getByRole('button', { name: /Device/ }).click()
      await page.getByRole('listbox').waitFor()
    },
  },
  {
    name: 'new-device-gone',
    reach: async (page) => {
      await row(page, 'SanDisk').click()
      await newImage(page, 'From Device…')
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /SanDisk/ })
        .waitFor()
      await page.evaluate(() => window.double.unplug('/dev/sdb'))
      await page.getByText('Choose what the image is made of.').waitFor()
    },
  },
  {
    name: 'open-url',
    reach: async (page) => {
      await choose(page, 'File', 'Open URL…')
      await page.getByLabel('URL').fill('ftp://old.example/System.dmg')
      await page.getByRole('button', { name: 'Open', exact: true }).click()
      await page.getByText('not ftp://').waitFor()
    },
  },
  {
    name: 'url-source',
    reach: async (page) => {
      await choose(page, 'File', 'Open URL…')
      await page.getByLabel('URL').fill('https://ann:secret@images.example/labs/ModularSystem.dmg')
      // The host takes the password out, and knows it from then on.
      await page.evaluate(() => {
        const image = window.fixtures.webImage
        window.double.answer('source.inspect', async () => ({
          kind: 'image',
          locator: image.path,
          name: image.name,
          image,
        }))
      })
      await page.keyboard.press('Enter')
      await page.getByRole('group', { name: /^Source, ModularSystem/ }).waitFor()
    },
  },
  {
    name: 'password',
    reach: async (page) => {
      await chooseSource(page, 'Payroll')
      await page.getByRole('textbox', { name: 'Password' }).fill('open')
      await page.keyboard.press('Enter')
      await page.getByText("isn't the password").waitFor()
    },
  },
  {
    name: 'locked',
    reach: async (page) => {
      await chooseSource(page, 'Payroll')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Unlock…' }).waitFor()
    },
  },
  {
    name: 'new-image-menu',
    reach: async (page) => {
      await choose(page, 'File', 'New Image')
      await page.getByRole('menuitem', { name: 'From Device…' }).waitFor()
    },
  },
  {
    name: 'image-menu',
    reach: async (page) => {
      await chooseSource(page)
      await row(page, 'ModularSystem').click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Convert…' }).waitFor()
    },
  },
  { name: 'image-jobs', reach: imageJobs },
  {
    name: 'replace-checksum',
    reach: async (page) => {
      await imageJobs(page)
      await page.getByRole('button', { name: /^Replace Checksum…/ }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  {
    name: 'worked-notice',
    reach: async (page) => {
      await imageSheet(page, 'ModularSystem', 'Convert…')
      await page.getByRole('button', { name: 'Convert', exact: true }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.getByRole('tab', { name: 'Restore' }).click()
      await page.evaluate(() => {
        const { double, fixtures } = window
        const job = fixtures.imageJobs().find(({ outcome }) => outcome?.kind === 'converted')
        if (job) double.sendJob({ ...job, jobId: 'job-1' })
      })
      await page.getByText('14.2 GB disk in 4.6 GB').waitFor()
    },
  },
  {
    name: 'streams-found',
    reach: async (page) => {
      await page.evaluate(() => window.double.sendStreams(window.streams.foundStreams))
      await row(page, 'Lab 10.6').click()
    },
  },
  {
    name: 'stream-source',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, fixtures, streams } = window
        double.sendStreams(streams.foundStreams)
        double.answer('source.inspect', async ({ source }) => ({
          kind: 'stream',
          locator: source,
          name: 'Lab 10.6.dmg',
          stream: {
            session: 'Lab 10.6',
            imageName: 'Lab 10.6.dmg',
            imageFormat: 'ULFO',
            streamBytes: 5.8e9,
            fingerprint: 'c0'.repeat(32),
            pinned: false,
          },
          image: fixtures.systemImage,
        }))
      })
      await row(page, 'Lab 10.6').click()
      await page.keyboard.press('Control+1')
      await page.getByRole('group', { name: /^Source, Lab 10.6.dmg/ }).waitFor()
    },
  },
  {
    name: 'stream-password',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, errors, streams } = window
        double.sendStreams(streams.foundStreams)
        const refused = new errors.NetworkError('E_MC_PASSWORD', 'no', {
          details: { address: 'imageserver.local', phase: 'join' },
        })
        double.answer('source.inspect', () => Promise.reject(refused))
        double.answer('image.unlock', () => Promise.reject(refused))
      })
      await row(page, 'Lab 10.6').click()
      await page.keyboard.press('Control+1')
      await page.getByRole('textbox', { name: 'Password' }).fill('open')
      await page.keyboard.press('Enter')
      await page.getByText("isn't the password").waitFor()
    },
  },
  {
    name: 'receiving',
    reach: (page) => receiving(page, { phase: 'restoring', percent: 71 }, {}),
  },
  {
    name: 'receiving-third-pass',
    reach: (page) =>
      receiving(
        page,
        { phase: 'restoring', percent: 98 },
        {
          passStart: 0,
          passes: [
            '........x.....xx...........x........x.............',
            '........x.....x.....................x.............',
            '..............-                                   ',
          ],
          missingBlocks: 37,
        },
      ),
  },
  {
    name: 'receiving-waiting',
    reach: (page) =>
      receiving(
        page,
        { phase: 'restoring', percent: 0 },
        {
          state: 'waiting',
          waiting: { joined: 3, wanted: 5, startsInMs: 760_000 },
          passStart: 0,
          passes: [],
          missingBlocks: 13543,
          receivedBytesPerSecond: 0,
        },
      ),
  },
  {
    name: 'receiving-fetching',
    reach: (page) => receiving(page, { phase: 'restoring', percent: 12 }, { state: 'fetching' }),
  },
  {
    name: 'receiving-lost',
    reach: async (page) => {
      await receiving(page, { phase: 'restoring', percent: 12 }, { state: 'connecting' })
      await page.getByText(/^The stream isn't there at the moment\. .* what has come is kept\.$/).waitFor()
    },
  },
  {
    name: 'multicast-first',
    preset: 'first',
    reach: async (page) => {
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      await page.getByRole('button', { name: 'Got It' }).waitFor()
    },
  },
  {
    name: 'multicast-empty',
    reach: async (page) => {
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      await page.getByText('10.20.0.5').first().waitFor()
    },
  },
  { name: 'multicast-form', reach: (page) => streamImage(page) },
  {
    name: 'multicast-not-scanned',
    reach: async (page) => {
      await streamImage(page, 'Lab 2019')
      await page.getByRole('button', { name: 'Scan…' }).waitFor()
    },
  },
  {
    name: 'multicast-wrong',
    reach: async (page) => {
      await streamImage(page)
      await page.getByLabel('Address', { exact: true }).fill('244.0.0.10')
      await page.getByLabel('Loop suspend').fill('1')
      await page.getByLabel('Data rate, MB/s').fill('80')
      await page.getByRole('button', { name: /Start/ }).first().click()
      await page.getByRole('option', { name: /Enough computers/ }).click()
    },
  },
  {
    name: 'multicast-namesake',
    reach: async (page) => {
      await page.evaluate(() => window.double.sendStreams(window.streams.foundStreams))
      await streamImage(page)
      await page.getByLabel('Session name').fill('Kiosk')
      await page.getByText('announces a stream of this name').waitFor()
    },
  },
  {
    name: 'multicast-local',
    reach: async (page) => {
      await streamImage(page)
      await page.getByLabel('TTL').fill('1')
      await page.getByText('This subnet only; hard on routers').waitFor()
    },
  },
  {
    name: 'multicast-again',
    reach: async (page) => {
      const { settings } = await page.evaluate(() => window.streams.aSession())
      await session(page, { phase: 'ended', settings: { ...settings, hasPassword: true } }, 'some')
      await page.getByRole('button', { name: 'Start Again…' }).click()
      await page.getByText('type it again').waitFor()
    },
  },
  {
    name: 'multicast-offline',
    reach: async (page) => {
      await streamImage(page)
      await page.evaluate(() => window.double.lose({ refusing: true }))
      await page.locator('#stream-reason').getByText('Not connected.').waitFor()
    },
  },
  {
    name: 'multicast-checked',
    reach: async (page) => {
      await streamImage(page)
      await page.getByRole('button', { name: 'Check Network' }).click()
      await page.locator('.checks').waitFor()
    },
  },
  {
    name: 'multicast-check-failed',
    reach: async (page) => {
      await page.evaluate(() => {
        window.double.checks = window.streams.badChecks
      })
      await streamImage(page)
      await page.getByRole('button', { name: 'Check Network' }).click()
      await page.locator('.checks').waitFor()
    },
  },
  {
    name: 'multicast-refused',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, streams } = window
        const error = streams.badChecks.find(({ step }) => step === 'port')?.error
        double.answer('session.start', () =>
          Promise.reject(
            new window.errors.NetworkError('E_MC_PORT', 'taken', {
              details: { ...error?.details, address: '10.20.0.5', phase: 'start' },
            }),
          ),
        )
      })
      await streamImage(page)
      await page.getByRole('button', { name: 'Start Stream' }).click()
      await page.locator('.configure-failed').waitFor()
    },
  },
  {
    name: 'multicast-device',
    reach: async (page) => {
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      await dragOnto(page, row(page, 'SanDisk'), page.getByRole('group', { name: /^Image/ }))
      await page.mouse.up()
      await page.getByLabel('Compression').waitFor()
    },
  },
  {
    name: 'multicast-device-gone',
    reach: async (page) => {
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      await dragOnto(page, row(page, 'SanDisk'), page.getByRole('group', { name: /^Image/ }))
      await page.mouse.up()
      await page.getByLabel('Compression').waitFor()
      await page.evaluate(() => window.double.unplug('/dev/sdb'))
      await page.getByText('Disconnected. Choose').waitFor()
    },
  },
  {
    name: 'multicast-device-refused',
    reach: async (page) => {
      await page.evaluate(() => {
        const { double, errors } = window
        const details = { path: '/dev/sdb', errno: 'EACCES' }
        const error = errors.serializeError(new errors.DeviceError('E_DENIED', 'no', { details }))
        double.sourceCheck = { step: 'source', state: 'failed', error }
      })
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      await dragOnto(page, row(page, 'SanDisk'), page.getByRole('group', { name: /^Image/ }))
      await page.mouse.up()
      await page.getByText('Reprise may not read').waitFor()
    },
  },
  { name: 'multicast-options', reach: (page) => streamOptions(page, '!lab-07\nlab-*\n10.0.3.0/24') },
  {
    name: 'multicast-options-wrong',
    reach: async (page) => {
      await streamOptions(page, 'lab-*\n10.0.3.300\n10.0.3.40-10.0.3.10\nlab 9\n10.0.3.*')
      await page.getByText('Line 2:').waitFor()
    },
  },
  {
    name: 'multicast-options-nobody',
    reach: async (page) => {
      await streamOptions(page, '!lab-07')
      await page.getByText('One-way network').click()
    },
  },
  {
    name: 'multicast-options-closed',
    reach: async (page) => {
      await streamOptions(page, 'lab-*\n10.0.3.300')
      await page.getByRole('button', { name: 'More Options' }).click()
    },
  },
  {
    name: 'session-preparing',
    reach: (page) =>
      session(page, {
        phase: 'preparing',
        preparing: { doneBytes: 2.1e9, totalBytes: 5.8e9 },
        startedMs: null,
      }),
  },
  {
    name: 'session-waiting',
    reach: (page) =>
      session(
        page,
        { phase: 'waiting', startedMs: null, wanted: 5, startsInMs: 760_000, sentBytes: 0 },
        'two',
      ),
  },
  { name: 'session-live', reach: (page) => session(page, {}, 'some') },
  {
    name: 'session-considerate',
    reach: (page) =>
      session(page, { allowedBytesPerSecond: 7.5e6, sentBytesPerSecond: 7.3e6, lap: 2 }, 'two'),
  },
  {
    name: 'session-quiet',
    reach: (page) => session(page, { phase: 'quiet', lap: 3, sentBytesPerSecond: 0 }),
  },
  {
    name: 'session-ended',
    reach: (page) => session(page, { phase: 'ended', endedMs: Date.now() - 2000 }, 'some'),
  },
  {
    name: 'session-failed',
    reach: (page) =>
      session(page, {
        phase: 'failed',
        endedMs: Date.now() - 2000,
        error: {
          family: 'device',
          code: 'E_SRC_CHANGED',
          message: 'changed',
          details: { path: '/home/ann/Images/ModularSystem.dmg' },
          transient: false,
          cause: null,
        },
      }),
  },
  {
    name: 'session-many',
    reach: async (page) => {
      await session(page, {}, 'two')
      await page.evaluate(() => {
        const { double, streams } = window
        const clients = Array.from({ length: 1000 }, (_, index) =>
          streams.aClient({
            host: `lab-${String(index).padStart(4, '0')}`,
            address: `10.20.${index >> 8}.${index & 255}`,
          }),
        )
        double.sendSessions([streams.aSession({ clients })])
      })
      await page.getByText('lab-0099').waitFor()
      await page.getByRole('button', { name: 'Show All 1,000 Clients' }).scrollIntoViewIfNeeded()
    },
  },
  {
    name: 'server-menu',
    reach: async (page) => {
      await session(page, {}, 'two')
      await page.getByRole('button', { name: 'Server', exact: true }).click()
      await page.getByRole('menuitem', { name: 'Save Configuration As…' }).waitFor()
    },
  },
  {
    name: 'save-configuration',
    reach: async (page) => {
      await streamImage(page)
      await page.evaluate(() => {
        const path = '/home/ann/Images/ModularSystem.plist'
        window.double.targets = { [path]: { kind: 'file', sizeBytes: 300, freeBytes: 1e9 } }
      })
      await choose(page, 'Server', 'Save Configuration As…')
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.getByRole('button', { name: 'Replace', exact: true }).waitFor()
    },
  },
  {
    name: 'opened-configuration',
    reach: async (page) => {
      await streamImage(page)
      await page.evaluate(() => {
        const { configuration } = window.streams.aSession().settings
        window.double.answer('configuration.choose', async () => ({
          kind: 'chosen',
          path: '/home/ann/lab.plist',
        }))
        window.double.answer('configuration.read', async () => ({
          configuration: { ...configuration, dataRate: 2e6, clientDataRate: 1e6, group: '224.0.5.10' },
          warnings: ["Nobody knows what 'Datarate' means."],
        }))
      })
      await choose(page, 'Server', 'Open Configuration…')
      await page.getByText('was opened').waitFor()
    },
  },
  {
    name: 'session-stop',
    reach: async (page) => {
      await session(page, {}, 'some')
      await page.getByRole('button', { name: 'Stop…' }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  {
    name: 'session-stop-waiting',
    reach: async (page) => {
      await session(page, { phase: 'waiting' }, 'two')
      await page.getByRole('button', { name: 'Stop…' }).click()
      await page.getByText('2 computers are waiting for the start; their disks are as they were.').waitFor()
    },
  },
  {
    name: 'session-rate',
    reach: async (page) => {
      await session(page, {}, 'two')
      await page.getByRole('button', { name: 'Change Rate…' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'session-client',
    reach: async (page) => {
      await session(page, {}, 'some')
      await page.getByRole('button', { name: /Actions for lab-08/ }).click()
      await page.getByRole('menuitem', { name: 'Details…' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'session-client-menu',
    reach: async (page) => {
      await session(page, {}, 'some')
      await page.getByRole('button', { name: /Actions for lab-04/ }).click()
      await page.getByRole('menuitem', { name: 'Disconnect' }).waitFor()
    },
  },
  {
    name: 'session-client-disconnect',
    reach: async (page) => {
      await session(page, {}, 'some')
      await page.getByRole('button', { name: /Actions for lab-04/ }).click()
      await page.getByRole('menuitem', { name: 'Disconnect' }).click()
      await page.getByRole('alertdialog').waitFor()
    },
  },
  {
    name: 'session-second',
    reach: async (page) => {
      await session(page, {}, 'two')
      await page.evaluate(() => {
        const { double, streams } = window
        const first = streams.aSession()
        double.sendSessions([
          first,
          streams.aSession({
            sessionId: 'b2'.repeat(16),
            settings: { ...first.settings, name: 'Kiosk for the hall' },
            phase: 'waiting',
            createdMs: first.createdMs - 1000,
          }),
        ])
      })
      await page.getByRole('radio', { name: 'New Stream' }).click()
      await page.getByRole('button', { name: 'Start Stream' }).waitFor()
    },
  },
  {
    name: 'session-order',
    reach: async (page) => {
      await severalSessions(page)
      await page.getByRole('radio', { name: /^Kiosk/ }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Move Up' }).waitFor()
    },
  },
  { name: 'shortcuts', reach: (page) => help(page, 'Keyboard Shortcuts') },
  { name: 'about', reach: (page) => help(page, 'About Reprise') },
  { name: 'jobs', reach: jobs },
  { name: 'log', reach: log },
  {
    name: 'transcript',
    reach: async (page) => {
      await endedAs(page, 'done')
      await page.getByRole('button', { name: 'Show Log' }).click()
      await page.getByRole('radio', { name: 'Transcript' }).click()
      await page.getByText('Validating target...done').waitFor()
    },
  },
]
