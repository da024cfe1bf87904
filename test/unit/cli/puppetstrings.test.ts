import { describe, expect, it } from 'vitest'
import { everySecondPercent, readAsImagr, readAsRestor, readAsRotavault } from '#test/asr-callers'
import { DeviceError, serializeError } from '#shared/errors'
import { happyStates, plan, play, restoreArgs, state, summary } from './fakes.ts'

const args = [...restoreArgs, '--noprompt', '--puppetstrings']

describe('--puppetstrings', () => {
  it('prints these lines and no others', async () => {
    const { out, err, status } = await play(args, {
      states: [
        state({ phase: 'restoring', percent: 3 }),
        state({ phase: 'restoring', percent: 99 }),
        ...happyStates().slice(-4),
      ],
    })
    expect(out).toBe(
      [
        'XSTA\tstart\t1.2.3\tclient\n',
        'XSTA\tsetup\n',
        'XSTA\tmetadata\n',
        'XSTA\trestore\n',
        ...everySecondPercent.map((percent) => `PINF\t${percent}\t100\trestore\n`),
        'XSTA\tverify\n',
        ...everySecondPercent.map((percent) => `PINF\t${percent}\t100\tverify\n`),
        'XSTA\tfinish\n',
      ].join(''),
    )
    expect(err).toBe('')
    expect(status).toBe(0)
  })

  it('calls itself a multicast client of a stream, as asr does', async () => {
    const argv = ['restore', '--source', 'asr://lab/spring', '--target', '/dev/sdb', '--erase', '--noprompt']
    const { out } = await play([...argv, '--puppetstrings'])
    expect(out).toMatch(/^XSTA\tstart\t1\.2\.3\tmulticast-client\nXSTA\tsetup\n/)
  })

  it('tells restor each step of both passes', async () => {
    const { out } = await play(args)
    expect(readAsRestor(out)).toEqual({
      imaging: everySecondPercent,
      verified: everySecondPercent,
      unknown: [],
    })
  })

  it('never makes restor believe that an unverified restore is being verified', async () => {
    const { out } = await play([...args, '--noverify'], {
      states: [
        state({ phase: 'restoring', percent: 50 }),
        state({ phase: 'restoring', percent: 20 }),
        state({ skipped: ['verifying'], outcome: { kind: 'done', summary } }),
      ],
    })
    expect(readAsRestor(out)).toEqual({ imaging: everySecondPercent, verified: [], unknown: [] })
  })

  it('tells Imagr what is done and how far', async () => {
    const { out } = await play(args)
    expect(readAsImagr(out)).toEqual([
      ...everySecondPercent.map((percent) => `Restoring: ${percent}%`),
      ...everySecondPercent.map((percent) => `Verifying: ${percent}%`),
    ])
  })

  it('gives rotavault numbers it can read', async () => {
    const { out } = await play(args)
    expect(readAsRotavault(out)).toEqual([...everySecondPercent, ...everySecondPercent])
  })

  it('ends with fail, and gives restor the reason on the same pipe', async () => {
    const error = serializeError(
      new DeviceError('E_IO_WRITE', 'EIO', { details: { path: '/dev/sdb', errno: 'EIO', offset: 512 } }),
    )
    const { all, out, status } = await play(args, {
      states: [
        state({ phase: 'restoring', percent: 4 }),
        state({ phase: 'restoring', percent: 4, outcome: { kind: 'failed', error, target: 'empty' } }),
      ],
    })
    expect(out.endsWith('PINF\t4\t100\trestore\nXSTA\tfail\n')).toBe(true)
    expect(status).toBe(1)
    expect(readAsRestor(all.replaceAll('! ', '')).unknown).toEqual([
      "'/dev/sdb' couldn't be written at byte 512. (E_IO_WRITE)",
      'The system reports EIO.',
      "'/dev/sdb' was erased: it is empty, valid and unmounted.",
      'Usually this is a bad cable, port, card or disk. Try another cable or port.',
    ])
  })

  it('fails before metadata when the target is refused, and after it when something else is', async () => {
    const error = serializeError(
      new DeviceError('E_NOT_FOUND', 'not there', { details: { path: '/dev/sdb' } }),
    )
    const failedAt = async (step: 'target' | 'source') =>
      (
        await play(args, {
          plan: plan({ checks: [{ step, state: 'failed', kind: 'error', error }], refusal: error }),
        })
      ).out
    expect(await failedAt('target')).toBe('XSTA\tstart\t1.2.3\tclient\nXSTA\tsetup\nXSTA\tfail\n')
    expect(await failedAt('source')).toBe(
      'XSTA\tstart\t1.2.3\tclient\nXSTA\tsetup\nXSTA\tmetadata\nXSTA\tfail\n',
    )
  })

  it('ends a cancelled restore with fail', async () => {
    const { out, status } = await play(args, {
      states: [
        state({
          phase: 'verifying',
          percent: 10,
          outcome: { kind: 'cancelled', target: 'empty', percent: 10 },
        }),
      ],
    })
    expect(out.endsWith('PINF\t10\t100\tverify\nXSTA\tfail\n')).toBe(true)
    expect(status).toBe(130)
  })

  it('tells a size that is not known only at the end', async () => {
    const { out } = await play([...args, '--noverify'], {
      states: [
        state({ phase: 'restoring', percent: null, doneBytes: 1e9 }),
        state({ skipped: ['verifying'], outcome: { kind: 'done', summary } }),
      ],
    })
    expect(out.split('PINF')[0]).toBe(
      'XSTA\tstart\t1.2.3\tclient\nXSTA\tsetup\nXSTA\tmetadata\nXSTA\trestore\n',
    )
    expect(readAsRotavault(out)).toEqual(everySecondPercent)
  })
})
