import { describe, expect, it } from 'vitest'
import type { LogLine } from '#shared/log'
import { filterLog } from '#src/renderer/features/activity/log-filter.ts'

const line = (level: LogLine['level'], message: string, fields: LogLine['fields'] = {}): LogLine => ({
  timeMs: 0,
  level,
  message,
  fields,
})
const lines = [
  line('debug', 'read', { offset: 4096 }),
  line('info', 'phase began', { phase: 'restoring' }),
  line('warn', 'retrying'),
  line('error', 'sink failed', { disk: '/dev/sdb', ranges: [1, 2] }),
]

describe('the filtered log', () => {
  it('shows lines of at least the level', () => {
    expect(filterLog(lines, 'debug', '')).toEqual(lines)
    expect(filterLog(lines, 'warn', '')).toEqual(lines.slice(2))
  })

  it('finds text in messages and fields, in either case', () => {
    expect(filterLog(lines, 'debug', ' SDB ')).toEqual([lines[3]])
    expect(filterLog(lines, 'debug', 'phase=restoring')).toEqual([lines[1]])
  })
})
