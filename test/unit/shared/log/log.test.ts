import { expect, it } from 'vitest'
import { createLogger, type LogLine } from '#shared/log'

it('hands each line to the sink with its level, time and fields', () => {
  const lines: LogLine[] = []
  const log = createLogger(
    (line) => lines.push(line),
    () => 1234,
  )
  log.warn('sink failed', { disk: '/dev/sdb' })
  log.debug('quiet')
  expect(lines).toEqual([
    { timeMs: 1234, level: 'warn', message: 'sink failed', fields: { disk: '/dev/sdb' } },
    { timeMs: 1234, level: 'debug', message: 'quiet', fields: {} },
  ])
})
