import { describe, expect, it } from 'vitest'
import { statusText } from '#src/renderer/app/status-text.ts'
import { sourceFacts } from '#src/renderer/features/restore/text.ts'
import { sourceProblem } from '#renderer/store'
import { NetworkError } from '#shared/errors'
import { openWindow, settle } from '#test/ui-window'
import { systemImage } from '#test/ui-fixtures'

const address = 'asr://imageserver.local/Lab'
const preparing = () =>
  new NetworkError('E_MC_REFUSED', 'not yet', {
    details: { address: '10.0.0.1', host: 'imageserver.local', phase: 'control', reason: 'preparing' },
  })

/** The stream was chosen, and its server said `answers` so far. */
async function asking(answers: readonly (Error | null)[]) {
  const window = await openWindow()
  const left = [...answers]
  let asked = 0
  window.double.answer('source.inspect', async () => {
    asked += 1
    const error = left.shift()
    if (error) throw error
    return { kind: 'image', locator: address, name: 'Lab', image: systemImage }
  })
  void window.reprise.actions.chooseSourceFile(address)
  await settle()
  return { window, asked: () => asked, source: () => window.reprise.view.getState().source }
}

describe('a stream whose server still reads what it will stream', () => {
  it('is waited for, which the well and the status bar say', async () => {
    const { window, asked, source } = await asking([preparing(), preparing(), null])
    using _ = window
    expect(source() && sourceFacts(source()!)).toBe('Waiting until the server has read its image…')
    const { mirror, view } = window.reprise
    // It is a wait, and nothing went wrong.
    expect(sourceProblem(mirror.getState(), view.getState())).toBeNull()
    expect(statusText(mirror.getState(), view.getState()).text).toBe('Waiting for the server of the stream…')
    window.clock.advance(1999)
    await settle()
    expect(asked()).toBe(1)
    window.clock.advance(1)
    await settle()
    expect([asked(), source()?.state]).toEqual([2, 'reading'])
    window.clock.advance(2000)
    await settle()
    expect(source()).toMatchObject({ state: 'ready', error: null })
    expect(source()?.awaited).toBeUndefined()
  })

  it('is asked no more when the well was cleared', async () => {
    const { window, asked, source } = await asking([preparing(), preparing()])
    using _ = window
    window.reprise.actions.clearSource()
    window.clock.advance(2000)
    await settle()
    expect([asked(), source()]).toEqual([1, null])
  })

  it('is an error when the server says another', async () => {
    const other = new NetworkError('E_MC_NOSESSION', 'gone', {
      details: { address: '10.0.0.1', host: 'imageserver.local', phase: 'control' },
    })
    const { window, source } = await asking([preparing(), other])
    using _ = window
    window.clock.advance(2000)
    await settle()
    expect(source()).toMatchObject({ state: 'failed', error: { code: 'E_MC_NOSESSION' } })
  })
})
