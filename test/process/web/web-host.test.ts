import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { restoreRequest } from '#test/restore-request'
import { openTab, signIn } from '#test/web-client'
import { isAlive, startWebHost, until } from '#test/web-host'
import type { JobState } from '#shared/model'

describe('reprise web', () => {
  test('says in one line where it is, serves the window there, and ends at Ctrl-C with nothing left', async () => {
    await using host = await startWebHost()
    expect(host.output()).toMatch(
      /^Reprise runs in your browser at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43} \(Ctrl-C stops it\)\n$/,
    )
    const page = await fetch(host.url)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<div id="root">')
    const tab = await openTab(host.origin, await signIn(host))
    await tab.request('app.info', {})
    const [engine] = host.engineHosts()
    expect(engine).toBeDefined()
    expect(await host.stop()).toBe(0)
    expect(isAlive(engine ?? 0)).toBe(false)
  })

  test('gives a session for its link once', async () => {
    await using host = await startWebHost()
    await signIn(host)
    await expect(signIn(host)).rejects.toThrow('status 403')
  })

  test('has a Practice disk and the disks of this machine, and keeps preferences over a restart', async () => {
    await using host = await startWebHost()
    const tab = await openTab(host.origin, await signIn(host))
    const info = await tab.request('app.info', {})
    expect(info).toMatchObject({ host: 'web', platform: 'linux', supported: true })
    expect(info.practice).toEqual({
      disk: join(host.data, 'practice/Practice disk'),
      image: join(host.data, 'practice/Practice image.dmg'),
    })
    const { devices } = await tab.request('state.get', {})
    expect(devices.at(-1)).toMatchObject({ practice: true, sizeBytes: 67_108_864, partitionMap: 'none' })
    await tab.request('app.setPreferences', {
      practiceOffered: true,
      showInternalDisks: true,
      networkWarned: true,
      knownDisk: 'one',
    })
    await host.stop()
    await using again = await startWebHost({ home: host.home })
    const later = await openTab(again.origin, await signIn(again))
    expect((await later.request('app.info', {})).preferences).toEqual({
      practiceOffered: true,
      showInternalDisks: true,
      networkWarned: true,
      knownDisks: ['one'],
    })
  })

  test('refuses a taken port in words, with status 1', async () => {
    await using host = await startWebHost()
    await expect(startWebHost({ argv: ['--port', new URL(host.origin).port] })).rejects.toThrow(
      /ended \(1\): reprise web: The port is in use/,
    )
  })

  test('finds a file that was dropped', async () => {
    await using host = await startWebHost()
    const path = join(host.home, 'Downloads', 'System.dmg')
    mkdirSync(join(path, '..'))
    writeFileSync(path, 'an image')
    const tab = await openTab(host.origin, await signIn(host))
    const facts = statSync(path)
    await expect(
      tab.request('files.locate', {
        name: 'System.dmg',
        sizeBytes: facts.size,
        modifiedMs: Math.floor(facts.mtimeMs),
        headSha256: createHash('sha256').update('an image').digest('hex'),
      }),
    ).resolves.toEqual({ path })
  })
})

describe('a restore in the browser', () => {
  test('is done by the engine host, seen by every tab, and found by a tab that comes later', async () => {
    await using host = await startWebHost()
    const session = await signIn(host)
    const tab = await openTab(host.origin, session)
    const { practice } = await tab.request('app.info', {})
    const other = await openTab(host.origin, session)
    const seen: JobState[] = []
    other.subscribe('job', (state) => seen.push(state))

    const plan = await tab.request(
      'restore.plan',
      restoreRequest({ source: practice?.image ?? '', target: practice?.disk ?? '' }),
    )
    expect(plan.refusal).toBeNull()
    const { jobId } = await tab.request('restore.start', { planId: plan.planId, typed: null })
    const outcome = await until(
      () => seen.find((state) => state.jobId === jobId && state.outcome)?.outcome,
      30_000,
    )
    expect(outcome).toMatchObject({ kind: 'done', summary: { verified: true } })

    tab.close(new Error('reload'))
    const later = await openTab(host.origin, session)
    const { jobs } = await later.request('state.get', {})
    expect(jobs).toMatchObject([{ jobId, outcome: { kind: 'done' } }])
    // What is on a disk is looked at after its restore has ended.
    const onPracticeDisk = async () =>
      (await later.request('state.get', {})).devices.find((disk) => disk.practice)?.volumes.length
    await expect.poll(onPracticeDisk).toBeGreaterThan(0)
    await expect(later.request('restore.start', { planId: plan.planId, typed: null })).rejects.toMatchObject({
      code: 'E_NOT_CONFIRMED',
    })
  })

  test('fails when its engine host is killed, says what is left, and the next one is there', async () => {
    await using host = await startWebHost()
    const tab = await openTab(host.origin, await signIn(host))
    await tab.request('app.info', {})
    const source = join(host.home, 'large.img')
    const target = join(host.home, 'target.img')
    writeLarge(source)
    const states: JobState[] = []
    const engine: string[] = []
    tab.subscribe('job', (state) => states.push(state))
    tab.subscribe('engine', ({ state }) => engine.push(state))
    const plan = await tab.request('restore.plan', restoreRequest({ source, target }))
    await tab.request('restore.start', { planId: plan.planId, typed: null })
    await until(() => states.find(({ progress }) => progress?.phase === 'restoring'))
    process.kill(host.engineHosts()[0] ?? 0, 'SIGKILL')
    const outcome = await until(() => states.at(-1)?.outcome)
    expect(outcome).toMatchObject({
      kind: 'failed',
      target: 'incomplete',
      error: { code: 'E_ENGINE_GONE', details: { signal: 'SIGKILL' } },
    })
    await until(() => engine.at(-1) === 'ready')
    expect(engine).toEqual(['gone', 'ready'])
    await expect(tab.request('state.get', {})).resolves.toMatchObject({
      jobs: [{ outcome: { kind: 'failed' } }],
    })
    await expect(tab.request('source.inspect', { source })).resolves.toMatchObject({ kind: 'image' })
  })

  test('is stopped when the web host is asked to end', async () => {
    await using host = await startWebHost()
    const tab = await openTab(host.origin, await signIn(host))
    const source = join(host.home, 'large.img')
    const target = join(host.home, 'target.img')
    writeLarge(source)
    const states: JobState[] = []
    tab.subscribe('job', (state) => states.push(state))
    const plan = await tab.request('restore.plan', restoreRequest({ source, target }))
    await tab.request('restore.start', { planId: plan.planId, typed: null })
    await until(() => states.find(({ progress }) => progress?.phase === 'restoring'))
    const engine = host.engineHosts()[0] ?? 0
    expect(await host.stop()).toBe(0)
    expect(states.at(-1)?.outcome).toMatchObject({ kind: 'cancelled', target: 'empty' })
    expect(isAlive(engine)).toBe(false)
    // A file that the restore made is gone with it.
    expect(existsSync(target) && readFileSync(target).length > 0).toBe(false)
    expect(host.output()).toContain('Stopping at a safe point…')
  })
})

/** 512 MiB that can't be skipped. */
function writeLarge(path: string): void {
  const block = Buffer.alloc(1024 * 1024, 'x')
  for (let count = 0; count < 512; count += 1) writeFileSync(path, block, { flag: 'a' })
}
