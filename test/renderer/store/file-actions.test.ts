import { describe, expect, it } from 'vitest'
import { DeviceError } from '#shared/errors'
import { encodeRemembered, parseRemembered } from '#src/renderer/store/remembered.ts'
import { systemImage } from '#test/ui-fixtures'
import { openWindow, settle } from '#test/ui-window'

const dropped = (name = 'ModularSystem.dmg') => ({
  name,
  size: 5_800_000_000,
  lastModified: 1_777_000_000_000,
  slice: (start: number, end: number) => ({
    arrayBuffer: async () => new ArrayBuffer(end - start),
  }),
})

describe('a dropped file', () => {
  it('is looked for by name, size, time and the hash of its first 64 KiB', async () => {
    const hashed: number[] = []
    using window = await openWindow({
      files: {
        sha256: async (bytes) => {
          hashed.push(bytes.byteLength)
          return 'b'.repeat(64)
        },
      },
    })
    window.double.located = systemImage.path
    await window.reprise.actions.dropFiles('source', [dropped()])
    expect(hashed).toEqual([65536])
    expect(window.double.calls).toContainEqual({
      name: 'files.locate',
      input: {
        name: 'ModularSystem.dmg',
        sizeBytes: 5_800_000_000,
        modifiedMs: 1_777_000_000_000,
        headSha256: 'b'.repeat(64),
      },
    })
    expect(window.reprise.view.getState().source).toMatchObject({ state: 'ready' })
  })

  it('that is nowhere to be found leaves the well as it was and says so', async () => {
    using window = await openWindow()
    await window.reprise.actions.dropFiles('source', [dropped('lost.dmg')])
    expect(window.reprise.view.getState()).toMatchObject({
      source: null,
      looking: { source: null },
      notice: { kind: 'not-located', name: 'lost.dmg' },
    })
  })

  it('has its path in Electron, and nothing is hashed', async () => {
    using window = await openWindow({
      files: {
        pathForFile: () => systemImage.path,
        sha256: () => Promise.reject(new Error('not asked for')),
      },
    })
    await window.reprise.actions.dropFiles('source', [dropped()])
    expect(window.reprise.view.getState().source?.locator).toBe(systemImage.path)
  })

  it('on Destination becomes a disk in a file', async () => {
    using window = await openWindow()
    window.double.located = '/home/ann/disk.img'
    await window.reprise.actions.dropFiles('destination', [dropped('disk.img')])
    expect(window.reprise.view.getState().destination).toMatchObject({ kind: 'file', name: 'disk.img' })
  })

  it('that is found late does not replace what was chosen meanwhile', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const found = Promise.withResolvers<{ path: string | null }>()
    window.double.answer('files.locate', () => found.promise)
    const drops = (['source', 'destination', 'stream'] as const).map((well) =>
      actions.dropFiles(well, [dropped()]),
    )
    await settle()
    expect(view.getState().looking.source).toEqual({ name: 'ModularSystem.dmg' })
    actions.chooseSource('volume:/dev/sdc1')
    actions.chooseDestination('disk:/dev/sdb')
    actions.chooseStreamSource('disk:/dev/sdc')
    found.resolve({ path: systemImage.path })
    await Promise.all(drops)
    expect(view.getState()).toMatchObject({
      source: { locator: '/dev/sdc1' },
      destination: { locator: '/dev/sdb' },
      server: { draft: { source: 'disk:/dev/sdc' } },
      looking: { source: null, destination: null, stream: null },
    })
  })

  it('is taken although one is still looked for that was dropped before it', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    const found = Promise.withResolvers<{ path: string | null }>()
    window.double.answer('files.locate', ({ name }) =>
      name === 'slow.dmg' ? found.promise : Promise.resolve({ path: systemImage.path }),
    )
    const slow = actions.dropFiles('source', [dropped('slow.dmg')])
    await actions.dropFiles('source', [dropped()])
    found.resolve({ path: null })
    await slow
    expect(view.getState()).toMatchObject({ source: { locator: systemImage.path }, notice: null })
  })

  it('has to come alone', async () => {
    using window = await openWindow()
    await window.reprise.actions.dropFiles('source', [dropped(), dropped()])
    expect(window.reprise.view.getState().notice).toEqual({ kind: 'not-one-file' })
    await window.reprise.actions.dropFiles('source', [])
    expect(window.reprise.view.getState().source).toBeNull()
  })
})

describe('choosing an image', () => {
  it("uses the system's panel where there is one", async () => {
    using window = await openWindow()
    window.double.answer('image.choose', async () => ({ kind: 'chosen', path: systemImage.path }))
    await window.reprise.actions.chooseImage('source')
    await settle()
    expect(window.reprise.view.getState().source?.locator).toBe(systemImage.path)
  })

  it('changes nothing when the panel is dismissed', async () => {
    using window = await openWindow()
    window.double.answer('image.choose', async () => ({ kind: 'dismissed' }))
    await window.reprise.actions.chooseImage('source')
    expect(window.reprise.view.getState()).toMatchObject({ source: null, sheet: null })
  })

  it('opens our own panel in a browser and takes what is chosen there', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('source')
    expect(view.getState().sheet).toMatchObject({ kind: 'files', listing: { folder: '/home/ann' } })
    actions.chooseListed(systemImage.path)
    await settle()
    expect(view.getState()).toMatchObject({ sheet: null, source: { locator: systemImage.path } })
  })

  it('shows in the panel why a folder cannot be read, and stays open', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('open')
    window.double.answer('files.list', async () => {
      throw new Error('odd')
    })
    await actions.browse('/root')
    expect(view.getState().sheet).toMatchObject({
      kind: 'files',
      loading: false,
      listing: { folder: '/home/ann' },
      error: { code: 'E_BUG' },
    })
  })

  it('keeps what is listed when a path that was typed leads nowhere', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('source')
    window.double.answer('files.list', async () => {
      throw new DeviceError('E_NOT_FOUND', 'no', { details: { path: '/srv/imagse' } })
    })
    await actions.browse('/srv/imagse')
    expect(view.getState().sheet).toMatchObject({
      listing: { folder: '/home/ann' },
      error: { code: 'E_NOT_FOUND' },
    })
  })

  it.each([
    ['a file', { folder: '/home/ann', file: systemImage.path }, systemImage.path],
    ['a sparse bundle', { folder: '/srv/Lab.sparsebundle', file: null }, '/srv/Lab.sparsebundle'],
  ])('takes %s whose path was typed', async (_, found, taken) => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('source')
    window.double.listing = { ...window.double.listing, ...found }
    await actions.browse('~/typed')
    expect(window.double.calls).toContainEqual({ name: 'files.list', input: { folder: '~/typed' } })
    expect(view.getState()).toMatchObject({ sheet: null, source: { locator: taken } })
  })

  it('shows the folder of a file whose path was typed where a folder is chosen', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    actions.openCreate('folder')
    await actions.chooseFolder()
    window.double.listing = { ...window.double.listing, folder: '/srv', file: '/srv/notes.txt' }
    await actions.browse('/srv/notes.txt')
    expect(view.getState().sheet).toMatchObject({ purpose: 'folder', listing: { folder: '/srv' } })
  })

  it('begins in the folder that the last one was chosen from', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    const asked = () =>
      window.double.calls.filter(({ name }) => name === 'files.list').map(({ input }) => input)
    await actions.chooseImage('source')
    actions.chooseListed('/srv/images/System.dmg')
    await actions.chooseImage('verify')
    actions.closeSheet()
    // Something else, somewhere else.
    await actions.chooseConfiguration()
    expect(asked()).toEqual([{ folder: null }, { folder: '/srv/images' }, { folder: null }])
  })

  it('begins at home when the folder it would begin in is gone', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('source')
    actions.chooseListed('/mnt/STICK/System.dmg')
    const { listing } = window.double
    window.double.answer('files.list', async ({ folder }) => {
      if (folder === null) return listing
      throw new DeviceError('E_NOT_FOUND', 'no', { details: { path: folder } })
    })
    await actions.chooseImage('source')
    expect(view.getState().sheet).toMatchObject({ listing: { folder: '/home/ann' }, error: null })
  })

  it('to verify starts the job and shows it', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseImage('verify')
    actions.chooseListed(systemImage.path)
    await settle()
    expect(window.double.calls).toContainEqual({
      name: 'image.start',
      input: { task: { kind: 'verify', path: systemImage.path } },
    })
    expect(view.getState()).toMatchObject({ tab: 'activity', activity: 'jobs' })
  })
})

describe('a dropped text', () => {
  it.each([
    'https://lab.example/System.dmg',
    ' asr://lab/Lab%2010.6\r\nand what is in it',
    '# what a browser calls it\r\nhttp://lab/a.img\r\n',
  ])('is the source when it is an address: %j', async (text) => {
    using window = await openWindow()
    window.reprise.actions.dropText('source', text)
    await settle()
    const { source, notice } = window.reprise.view.getState()
    expect([source?.locator, notice]).toEqual([/(http|asr)\S+/.exec(text)?.[0], null])
  })

  it('is the image of a stream when it is the address of one, and its password stays unseen', async () => {
    using window = await openWindow()
    window.reprise.actions.dropText('stream', 'https://ann:hush@lab.example/System.dmg')
    await settle()
    const view = window.reprise.view.getState()
    expect(view.server.draft.source).toBe('image:https://lab.example/System.dmg')
    expect(JSON.stringify(view)).not.toContain('hush')
    expect(view.source).toBeNull()
  })

  it.each([
    ['source', 'System.dmg'],
    ['source', 'file:///home/ann/System.dmg'],
    ['source', ''],
    ['stream', 'asr://lab/Lab'],
  ] as const)('on the well for a %s is none when it is %j', async (well, text) => {
    using window = await openWindow()
    window.reprise.actions.dropText(well, text)
    const { source, server, notice } = window.reprise.view.getState()
    expect([source, server.draft.source, notice]).toEqual([null, null, { kind: 'not-one-file' }])
  })
})

describe('a disk in a file that is to be made', () => {
  const path = '/home/ann/Images/Lab.img'

  it('is the destination where the system’s panel says', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    window.double.answer('image.chooseTarget', async () => ({ kind: 'chosen', path, replace: false }))
    await actions.chooseSourceFile(systemImage.path)
    await actions.chooseDestinationPlace('contents')
    expect(window.double.calls).toContainEqual({
      name: 'image.chooseTarget',
      input: { path: '/home/ann/ModularSystem.img' },
    })
    expect(view.getState()).toMatchObject({
      destination: { kind: 'file', locator: path, name: 'Lab.img', state: 'ready' },
      options: { erase: false },
    })
  })

  it('is asked for in a browser, by folder and name', async () => {
    using window = await openWindow()
    const { actions, view } = window.reprise
    await actions.chooseDestinationPlace('contents')
    expect(view.getState().sheet).toEqual({
      kind: 'save-disk',
      form: 'contents',
      folder: '/home/ann',
      name: 'Disk.img',
      problem: null,
    })
    await actions.chooseFolder()
    expect(view.getState().sheet).toMatchObject({ kind: 'files', purpose: 'target' })
    actions.chooseListed('/home/ann/Images')
    actions.changeSaving({ name: 'a/b' })
    await actions.takeDestinationPlace()
    expect(view.getState()).toMatchObject({
      sheet: { folder: '/home/ann/Images', problem: { kind: 'bad-name' } },
      destination: null,
    })
    actions.changeSaving({ name: 'Lab.img' })
    window.double.targets = { [path]: { kind: 'folder', sizeBytes: 0, freeBytes: 1 } }
    await actions.takeDestinationPlace()
    expect(view.getState().sheet).toMatchObject({ problem: { kind: 'folder' } })
    // What is there is told by the preflight, and asked about where it is confirmed.
    window.double.targets = { [path]: { kind: 'file', sizeBytes: 9, freeBytes: 1 } }
    actions.changeSaving({ folder: '~/Images' })
    await actions.takeDestinationPlace()
    expect(view.getState()).toMatchObject({ sheet: null, destination: { kind: 'file', locator: path } })
  })
})

describe('the image of a stream, saved as a file', () => {
  const locator = 'asr://lab/Spring'
  const path = '/home/ann/Lab 10.6.dmg'
  async function streamChosen() {
    const window = await openWindow()
    window.double.answer('source.inspect', async ({ source }) => ({
      kind: 'stream',
      locator: source,
      name: 'Lab 10.6.dmg',
      stream: {
        session: 'Spring',
        imageName: 'Lab 10.6.dmg',
        imageFormat: 'ULFO',
        streamBytes: 1e9,
        fingerprint: 'c0'.repeat(32),
        pinned: false,
      },
      image: null,
    }))
    await window.reprise.actions.chooseSourceFile(locator)
    return window
  }
  const planned = ({ double }: Awaited<ReturnType<typeof streamChosen>>) =>
    double.calls.filter(({ name }) => name === 'restore.plan').at(-1)?.input

  it('keeps its name, and is planned as what it is', async () => {
    using window = await streamChosen()
    const { actions, view } = window.reprise
    await actions.chooseDestinationPlace('file')
    expect(view.getState().sheet).toMatchObject({ kind: 'save-disk', form: 'file', name: 'Lab 10.6.dmg' })
    await actions.takeDestinationPlace()
    await window.planned()
    expect(view.getState().destination).toMatchObject({ kind: 'file', locator: path, form: 'file' })
    expect(planned(window)).toMatchObject({ source: locator, target: path, form: 'file' })
  })

  it('stays what it is when the page is loaded anew', async () => {
    using window = await streamChosen()
    const { actions, view } = window.reprise
    await actions.chooseDestinationPlace('file')
    await actions.takeDestinationPlace()
    expect(parseRemembered(encodeRemembered(view.getState()))?.target).toMatchObject({ path, form: 'file' })
  })

  it('is a disk in a file again when something else becomes the source', async () => {
    using window = await streamChosen()
    const { actions, view } = window.reprise
    window.double.answer('image.chooseTarget', async () => ({ kind: 'chosen', path, replace: false }))
    await actions.chooseDestinationPlace('file')
    actions.chooseSource('disk:/dev/sdc')
    await window.planned()
    expect(view.getState().destination).toMatchObject({ locator: path, form: 'contents' })
    expect(planned(window)).toMatchObject({ target: path, form: 'contents' })
  })
})
