import { expect, it } from 'vitest'
import { tokenRedeemer } from '#src/renderer/app/one-time-token.ts'

/** A page that was opened with a token, and a host that takes it once it can be reached. */
function page(...answers: readonly (Error | { readonly key: string | null })[]) {
  const waiting = [...answers]
  const sent: string[] = []
  const kept: string[] = []
  let inAddress: string | null = 'abc'
  const redeem = tokenRedeemer({
    read: () => inAddress,
    takeOut: () => void (inAddress = null),
    async exchange(token) {
      sent.push(token)
      const answer = waiting.shift() ?? new Error('unexpected')
      if (answer instanceof Error) throw answer
      return answer.key
    },
    keep: (key) => void kept.push(key),
  })
  return { redeem, sent, kept, inAddress: () => inAddress }
}

it('keeps the token of the address until the host has answered', async () => {
  const { redeem, sent, kept, inAddress } = page(new Error('the tunnel is not there yet'), { key: 'session' })
  await expect(redeem()).rejects.toThrow('tunnel')
  // A reload has only that.
  expect(inAddress()).toBe('abc')
  await redeem()
  expect(inAddress()).toBeNull()
  expect({ sent, kept }).toEqual({ sent: ['abc', 'abc'], kept: ['session'] })
  // It is good for one session.
  await redeem()
  expect(sent).toHaveLength(2)
})

it('sends one that was refused no more, and keeps the session of an earlier visit', async () => {
  const { redeem, sent, kept, inAddress } = page({ key: null })
  await redeem()
  expect(inAddress()).toBeNull()
  await redeem()
  expect({ sent, kept }).toEqual({ sent: ['abc'], kept: [] })
})
