import { expect, test } from 'vitest'
import { isSessionOver } from '#shared/model'

test('a session is over when it has ended or failed', () => {
  const phases = ['preparing', 'waiting', 'streaming', 'quiet', 'ended', 'failed'] as const
  expect(phases.filter(isSessionOver)).toEqual(['ended', 'failed'])
})
