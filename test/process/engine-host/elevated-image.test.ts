import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { productVersion } from '#main/product'
import { startElevatedHost } from '#src/main/engine-client/elevated-host.ts'
import type { JobState } from '#shared/model'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'
import { node24, reprise } from '#test/web-host'

/** Nobody, whom every system has, is the one who asks. */
const uid = 65_534
const mib = 1024 ** 2

describe.skipIf(missing('root', 'loop', 'program:mke2fs', 'program:setpriv'))(
  'an elevated host',
  { timeout: 30_000 },
  () => {
    // Without these capabilities root may do what everybody may, as in a home on a server that squashes root's rights.
    const squashed = `setpriv --bounding-set -dac_override,-dac_read_search`
    it.each([
      ['makes an image of a device that belongs to who asked, and only where they may write', ''],
      ['makes it where root has no rights, too', squashed],
    ])('%s', async (_, prefix) => {
      await using folder = await temporaryFolder()
      chmodSync(folder.path, 0o755)
      const home = join(folder.path, 'home')
      mkdirSync(home)
      chownSync(home, uid, uid)
      const pkexec = join(folder.path, 'pkexec')
      writeFileSync(
        pkexec,
        `#!/bin/sh\nshift; exec ${prefix} env -i PATH=/usr/bin:/bin PKEXEC_UID=${uid} "$@"\n`,
      )
      chmodSync(pkexec, 0o755)
      await using loop = await attachLoop({ sizeBytes: 32 * mib })
      await command('mke2fs', ['-q', '-t', 'ext4', loop.path])
      const host = await startElevatedHost({
        command: { file: node24, argv: [reprise, 'engine-host'] },
        version: productVersion(),
        signal: new AbortController().signal,
        pkexecPaths: [pkexec],
      })
      const states: JobState[] = []
      host.connection.subscribe('job', (state) => states.push(state))
      const make = async (target: string) => {
        const { jobId } = await host.connection.request('image.start', {
          task: {
            kind: 'create',
            target,
            format: 'UDZO',
            level: 1,
            erase: false,
            encryption: null,
            volumeName: null,
            from: { kind: 'device', path: loop.path },
          },
        })
        for (;;) {
          const outcome = states.find((state) => state.jobId === jobId && state.outcome !== null)?.outcome
          if (outcome) return outcome
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      try {
        expect(await make(join(home, 'new.dmg'))).toMatchObject({
          kind: 'created',
          creation: { sizeBytes: 32 * mib },
        })
        expect(statSync(join(home, 'new.dmg')).uid).toBe(uid)
        expect(readdirSync(home)).toEqual(['new.dmg'])
        expect(await make(join(folder.path, 'new.dmg'))).toMatchObject({
          kind: 'failed',
          error: { code: 'E_DENIED' },
        })
        expect(readdirSync(folder.path).toSorted()).toEqual(['home', 'pkexec'])
      } finally {
        await host.end(5000)
      }
    })
  },
)
