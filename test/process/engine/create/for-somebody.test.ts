import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asOwner } from '#engine/block-io'
import { createImage } from '#engine/create'
import { createSystemIo } from '#engine/copy'
import { verifyImage } from '#engine/scan'
import { createPlatform } from '#engine/platform'
import { silentLogger } from '#shared/log'
import type { CreateRequest } from '#shared/model'
import { attachLoop, command, type LoopDevice } from '#test/loop'
import { missing } from '#test/needs'
import { quietContext, type QuietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

/** A person: nobody, whom every system has. */
const uid = 65_534
const mib = 1024 ** 2

describe.skipIf(missing('root', 'loop', 'program:mke2fs'))('an image made for somebody else', () => {
  let folder: TemporaryFolder
  let loop: LoopDevice
  beforeEach(async () => {
    folder = await temporaryFolder()
    chmodSync(folder.path, 0o755)
    mkdirSync(at('home'))
    chownSync(at('home'), uid, uid)
    mkdirSync(at('secret'), { mode: 0o700 })
    writeFileSync(at('secret', 'shadow'), 'root only')
    loop = await attachLoop({ sizeBytes: 32 * mib })
    await command('mke2fs', ['-q', '-t', 'ext4', loop.path])
  })
  afterEach(async () => {
    await loop[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  const at = (...names: string[]) => join(folder.path, ...names)

  function create(
    change: Pick<CreateRequest, 'target'> & Partial<CreateRequest>,
    context: QuietContext = quietContext(),
  ) {
    const platform = createPlatform({ log: silentLogger })
    return createImage(
      {
        format: 'UDZO',
        level: 1,
        erase: false,
        encryption: null,
        volumeName: null,
        from: { kind: 'device', path: loop.path },
        ...change,
      },
      { platform, io: createSystemIo(platform), onBehalfOf: uid },
      context,
    )
  }

  it('is theirs, and nothing else is left', async () => {
    await create({ target: at('home', 'new.dmg') })
    const { uid: owner, gid, mode } = statSync(at('home', 'new.dmg'))
    expect([owner, gid, mode & 0o600]).toEqual([uid, Number(await command('id', ['-g', String(uid)])), 0o600])
    expect(readdirSync(at('home'))).toEqual(['new.dmg'])
    await verifyImage(at('home', 'new.dmg'), quietContext())
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0])
  })

  it('is refused where they may not write', async () => {
    await expect(create({ target: at('new.dmg') })).rejects.toMatchObject({ code: 'E_DENIED' })
    expect(existsSync(at('new.dmg'))).toBe(false)
    expect(readdirSync(folder.path).toSorted()).toEqual(['home', 'secret'])
  })

  it('goes nowhere through links that they put in the way', async () => {
    // To a file they can't write: the link is followed in their name.
    symlinkSync(at('secret', 'shadow'), at('home', 'a.dmg'))
    await create({ target: at('home', 'a.dmg'), format: 'raw', level: null, erase: true }).catch(
      () => undefined,
    )
    expect(readFileSync(at('secret', 'shadow'), 'utf8')).toBe('root only')
    expect(readdirSync(at('secret'))).toEqual(['shadow'])
    // To a folder of root's.
    symlinkSync(at('secret'), at('home', 'inside'))
    await expect(create({ target: at('home', 'inside', 'new.dmg') })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(DENIED|NOT_FOUND)$/) as string,
    })
    expect(readdirSync(at('secret'))).toEqual(['shadow'])
  })

  it('goes nowhere when the folder becomes a link in the middle', async () => {
    mkdirSync(at('home', 'pictures'))
    chownSync(at('home', 'pictures'), uid, uid)
    const quiet = quietContext()
    let isSwapped = false
    const context = {
      ...quiet,
      advance() {
        if (isSwapped) return
        isSwapped = true
        asOwner({ uid, gids: [uid] }, () => {
          renameSync(at('home', 'pictures'), at('home', 'moved'))
          symlinkSync(at('secret'), at('home', 'pictures'))
        })
      },
    }
    await expect(create({ target: at('home', 'pictures', 'new.dmg') }, context)).rejects.toThrow()
    expect(isSwapped).toBe(true)
    expect(readdirSync(at('secret'))).toEqual(['shadow'])
  })

  it('keeps the permissions of a file of theirs, and is refused of a bundle', async () => {
    writeFileSync(at('home', 'old.dmg'), 'old')
    chownSync(at('home', 'old.dmg'), uid, uid)
    chmodSync(at('home', 'old.dmg'), 0o640)
    await create({ target: at('home', 'old.dmg'), erase: true })
    expect(lstatSync(at('home', 'old.dmg')).mode & 0o7777).toBe(0o640)
    expect(statSync(at('home', 'old.dmg')).uid).toBe(uid)
    await expect(
      create({ target: at('home', 'b.sparsebundle'), format: 'UDSB', level: null }),
    ).rejects.toMatchObject({
      code: 'E_UNSUPPORTED',
    })
  })
})
