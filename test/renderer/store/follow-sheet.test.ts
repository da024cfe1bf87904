import { describe, expect, it } from 'vitest'
import type { SessionState } from '#shared/model'
import { aClient, aSession, foundStreams } from '#test/stream-fixtures'
import { openWindow, settle, type TestWindow } from '#test/ui-window'

const { sessionId } = aSession()
const sheet = ({ reprise }: TestWindow) => reprise.view.getState().sheet

async function streaming(): Promise<TestWindow & { send(change: Partial<SessionState>): Promise<void> }> {
  const window = await openWindow()
  const send = async (change: Partial<SessionState>) => {
    window.double.sendSessions([aSession({ clients: [aClient({ host: 'a' })], ...change })])
    await settle()
  }
  await send({})
  return { ...window, send }
}

describe('a sheet whose subject goes', () => {
  it('asks nothing more about a stream that has failed, though computers still wait for it', async () => {
    using window = await streaming()
    await window.reprise.actions.stopStream(sessionId)
    await window.send({ sentBytes: 2e9 })
    expect(sheet(window)).toMatchObject({ kind: 'stop-stream' })
    await window.send({ phase: 'failed' })
    expect(sheet(window)).toBeNull()
  })

  it('asks nothing more about a stream that everyone has', async () => {
    using window = await streaming()
    await window.reprise.actions.stopStream(sessionId)
    await window.send({ clients: [aClient({ host: 'a', state: 'done' })] })
    expect(sheet(window)).toBeNull()
  })

  it('does not change the rate of a stream that has ended', async () => {
    using window = await streaming()
    window.reprise.actions.openRate(sessionId)
    await window.send({ phase: 'ended' })
    expect(sheet(window)).toBeNull()
  })

  it('shows a computer also after the end, and no longer than it is known', async () => {
    using window = await streaming()
    window.reprise.actions.openClient(sessionId, aClient({ host: 'a' }).clientId)
    await window.send({ phase: 'ended' })
    expect(sheet(window)).toMatchObject({ kind: 'stream-client' })
    await window.send({ phase: 'ended', clients: [] })
    expect(sheet(window)).toBeNull()
  })

  it.each<[string, Partial<SessionState>]>([
    ['it has all', { clients: [aClient({ host: 'a', state: 'done' })] }],
    ['it has failed', { clients: [aClient({ host: 'a', state: 'failed' })] }],
    ['nobody knows it any more', { clients: [aClient({ host: 'b' })] }],
    ['its stream has ended', { phase: 'ended' }],
  ])('asks nothing more about a computer when %s', async (_, change) => {
    using window = await streaming()
    window.reprise.actions.askDisconnect(sessionId, aClient({ host: 'a' }).clientId)
    await window.send({ sentBytes: 2e9 })
    expect(sheet(window)).toMatchObject({ kind: 'disconnect-client' })
    await window.send(change)
    expect(sheet(window)).toBeNull()
  })

  it('does not come up again with a disk, or a stream, that comes back', async () => {
    using window = await openWindow()
    const { actions } = window.reprise
    actions.openInfo('disk:/dev/sdb')
    window.double.unplug('/dev/sdb')
    await settle()
    expect(sheet(window)).toBeNull()
    window.double.sendStreams(foundStreams)
    await settle()
    actions.openInfo('stream:asr://imageserver.local/Lab%2010.6')
    expect(sheet(window)).toMatchObject({ kind: 'info' })
    window.double.sendStreams([])
    await settle()
    expect(sheet(window)).toBeNull()
  })
})
